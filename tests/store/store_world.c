#include "store_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* splitmix64: small, and good enough to make distinct bytes. */
int world_random(void *ctx, void *p, size_t n) {
  uint64_t *s = ctx;
  uint8_t *out = p;
  for (size_t i = 0; i < n; i++) {
    uint64_t z = (*s += 0x9e3779b97f4a7c15ull);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    out[i] = (uint8_t)(z ^ z >> 31);
  }
  return 0;
}

ov_id make_id(uint8_t n) {
  ov_id id;
  memset(id.b, n, sizeof id.b);
  return id;
}

ov_hash make_hash(uint8_t n) {
  ov_hash h;
  memset(h.b, n, sizeof h.b);
  return h;
}

ov_name make_name(uint8_t writer, uint64_t seq) {
  ov_name name = {.writer = make_id(writer), .seq = seq};
  memset(name.tag, (int)(seq & 0xff), sizeof name.tag);
  return name;
}

static ov_field planted_field(void) { return (ov_field){.id = 2, .v = ov_text(PLANTED)}; }

sv_op_row make_op(uint8_t writer, uint64_t seq, const ov_name *participant) {
  static _Thread_local ov_field fields[1]; /* tests write on several threads */
  fields[0] = planted_field();
  sv_op_row row = {.head = make_hash((uint8_t)seq), .n_receipts = 1};
  ov_op *op = &row.op;
  op->name = make_name(writer, seq);
  memcpy(row.head.b, op->name.tag, OV_TAG_BYTES);
  op->record = op->name;
  op->creates = true;
  op->scope = 2;
  op->kind = 20;
  op->version = 1;
  op->has_author = true;
  op->author = make_name(9, 4);
  op->has_participant = participant != NULL;
  if (participant) op->participant = *participant;
  op->device_time = 1700000000 + (int64_t)seq;
  op->fields = fields;
  op->n_fields = 1;
  op->commitment = make_hash((uint8_t)(seq + 1));
  row.receipts[0] = (sv_receipt){.server = make_id(7),
                                 .server_time_ms = 1700000000123 + (int64_t)seq,
                                 .offset_ms = -250,
                                 .verdict = OV_APPLIED};
  return row;
}

sv_record_row make_record(world *w, const ov_name *name, uint16_t kind, const ov_name *participant,
                          int64_t day) {
  ov_op *op = ov_arena_alloc(&w->arena, sizeof *op);
  ov_field *field = ov_arena_alloc(&w->arena, sizeof *field);
  assert_non_null(op);
  assert_non_null(field);
  *field = planted_field();
  *op = (ov_op){.name = *name,
                .record = *name,
                .creates = true,
                .scope = 2,
                .kind = kind,
                .version = 1,
                .device_time = 1700000000,
                .fields = field,
                .n_fields = 1,
                .has_participant = participant != NULL};
  if (participant) op->participant = *participant;
  sv_record_row row = {.changed = 1700000001, .n_places = 1, .day = day, .index_kind = kind, .indexed = true};
  row.places[0] = (sv_place){.scope = 2, .pos = 5};
  ov_fold_in in = {.op = op, .verdict = OV_APPLIED, .server_time = 1700000002};
  assert_int_equal(ov_fold(&in, 1, &w->arena, &row.rec), 0);
  return row;
}

/* -- life ------------------------------------------------------------------------------------------------ */

void world_init(world *w) {
  memset(w, 0, sizeof *w);
  snprintf(w->folder, sizeof w->folder, "%s/ov-store-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
  assert_non_null(mkdtemp(w->folder));
  snprintf(w->env_path, sizeof w->env_path, "%s/env", w->folder);
  snprintf(w->keyring_path, sizeof w->keyring_path, "%s/keyring", w->folder);
  snprintf(w->epoch_path, sizeof w->epoch_path, "%s/epochs/keyring.epoch", w->folder);
  snprintf(w->data_path, sizeof w->data_path, "%s/data.mdb", w->env_path);
  w->random = 42;
  w->organisation = make_id(0xab);
  memset(w->master, 0x5c, sizeof w->master);
  ov_arena_init(&w->arena, 64u << 20);
  assert_int_equal(
      sv_keyring_open(w->keyring_path, w->epoch_path, w->master, world_random, &w->random, true, &w->keyring),
      0);
}

sv_env_options world_options(world *w) {
  return (sv_env_options){.path = w->env_path,
                          .organisation = &w->organisation,
                          .keyring = w->keyring,
                          .random = world_random,
                          .random_ctx = &w->random};
}

int world_open(world *w, const sv_env_options *o) {
  sv_env_options opts = o ? *o : world_options(w);
  if (!w->keyring) {
    int err = sv_keyring_open(w->keyring_path, w->epoch_path, w->master, world_random, &w->random, false,
                              &w->keyring);
    if (err) return err;
  }
  opts.keyring = w->keyring;
  return sv_env_open(&opts, &w->env, w->why);
}

void world_close(world *w) {
  sv_env_close(w->env);
  sv_keyring_close(w->keyring);
  w->env = NULL;
  w->keyring = NULL;
}

static void remove_folder(const char *path) {
  DIR *d = opendir(path);
  if (!d) return;
  for (struct dirent *e; (e = readdir(d));) {
    char name[512];
    struct stat st;
    if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    snprintf(name, sizeof name, "%.240s/%.240s", path, e->d_name);
    if (!lstat(name, &st) && S_ISDIR(st.st_mode)) remove_folder(name);
    else unlink(name);
  }
  closedir(d);
  rmdir(path);
}

void world_free(world *w) {
  world_close(w);
  ov_arena_free(&w->arena);
  remove_folder(w->folder);
}

int world_setup(void **state) {
  world *w = malloc(sizeof *w);
  if (!w) return -1;
  world_init(w);
  *state = w;
  return world_open(w, NULL);
}

int world_teardown(void **state) {
  world_free(*state);
  free(*state);
  return 0;
}

sv_txn *must_write(world *w) {
  sv_txn *t;
  assert_int_equal(sv_txn_write(w->env, &t), 0);
  return t;
}

sv_txn *must_read(world *w) {
  sv_txn *t;
  assert_int_equal(sv_txn_read(w->env, &t), 0);
  return t;
}

void must_commit(sv_txn *t) {
  assert_int_equal(sv_txn_error(t), 0);
  assert_int_equal(sv_txn_commit(t), 0);
}

/* -- files ----------------------------------------------------------------------------------------------- */

static uint8_t *read_file(const char *path, size_t *n) {
  struct stat st;
  int fd = open(path, O_RDONLY);
  assert_true(fd >= 0);
  assert_int_equal(fstat(fd, &st), 0);
  uint8_t *p = malloc((size_t)st.st_size + 1);
  assert_non_null(p);
  assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
  close(fd);
  *n = (size_t)st.st_size;
  return p;
}

bool file_contains(const char *path, const void *p, size_t n) {
  size_t size;
  uint8_t *bytes = read_file(path, &size);
  bool found = memmem(bytes, size, p, n) != NULL;
  free(bytes);
  return found;
}

unsigned file_mode(const char *path) {
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  return (unsigned)st.st_mode & 07777u;
}

bool same_file(const char *a, const char *b) {
  size_t n, m;
  uint8_t *x = read_file(a, &n), *y = read_file(b, &m);
  bool same = n == m && !memcmp(x, y, n);
  free(x);
  free(y);
  return same;
}

void copy_file(const char *from, const char *to) {
  size_t n;
  uint8_t *p = read_file(from, &n);
  int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, p, n), (ssize_t)n);
  close(fd);
  free(p);
}

void flip_bit(const char *path, uint64_t bit) {
  uint8_t b;
  int fd = open(path, O_RDWR);
  assert_true(fd >= 0);
  assert_int_equal(pread(fd, &b, 1, (off_t)(bit / 8)), 1);
  b = (uint8_t)(b ^ 1u << bit % 8);
  assert_int_equal(pwrite(fd, &b, 1, (off_t)(bit / 8)), 1);
  close(fd);
}
