/* See fuzz_home.h. The start is made once through the real parts, its files are kept in memory, and put back
 * for each input. */
#include "fuzz_home.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 64u

typedef struct kept_file {
  char path[300];
  uint8_t *p;
  size_t n, used;          /* the rest is zeros: a map that has grown ahead */
  struct timespec written; /* by put_back; a file that nobody changed since is left alone */
} kept_file;

static fuzz_home home;
static kept_file files[FILES_MAX];
static unsigned n_files;
static int64_t start_ms;
static uint64_t start_random, tablet_random;
static ov_id org_id;

/* -- the start ------------------------------------------------------------------------------------------- */

static int keep_file(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)at;
  if (type != FTW_F || strstr(path, "lock.mdb")) return 0;
  FUZZ_MUST(n_files < FILES_MAX);
  kept_file *f = &files[n_files++];
  snprintf(f->path, sizeof f->path, "%s", path);
  f->n = (size_t)st->st_size;
  f->p = malloc(f->n + 1);
  int fd = open(path, O_RDONLY);
  FUZZ_MUST(f->p && fd >= 0 && read(fd, f->p, f->n) == (ssize_t)f->n);
  close(fd);
  for (f->used = f->n; f->used && !f->p[f->used - 1];) f->used--;
  return 0;
}

static int remove_strange(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)st;
  (void)at;
  for (unsigned i = 0; i < n_files; i++)
    if (!strcmp(files[i].path, path)) return 0;
  return type == FTW_F ? remove(path) : 0;
}

static void put_back(void) {
  nftw(home.w.fx.dir, remove_strange, 8, FTW_PHYS);
  for (unsigned i = 0; i < n_files; i++) {
    kept_file *f = &files[i];
    struct stat st;
    if (!stat(f->path, &st) && !memcmp(&st.st_mtim, &f->written, sizeof st.st_mtim)) continue;
    int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FUZZ_MUST(fd >= 0 && write(fd, f->p, f->used) == (ssize_t)f->used && !ftruncate(fd, (off_t)f->n) &&
              !fstat(fd, &st));
    f->written = st.st_mtim;
    close(fd);
  }
}

void fuzz_home_stop(fuzz_home *h) {
  sv_server_free(h->w.server);
  sv_org_close(h->w.org);
  sv_org_close(h->w.programme);
  h->w.server = NULL;
  h->w.org = h->w.programme = NULL;
}

void fuzz_home_close(fuzz_home *h) {
  fx_tablet_free(h->log);
  h->log = NULL;
  tablet_close(&h->t);
  fuzz_home_stop(h);
}

static void at_exit(void) {
  if (home.w.org) fuzz_home_close(&home);
  fx_close(&home.w.fx);
}

static void nobody(void *ctx) { (void)ctx; }

void fuzz_home_start(fuzz_home *h) {
  static const char *const names[] = {WORLD_HOST};
  char why[OV_ERROR_TEXT_MAX] = "";
  world *w = &h->w;
  sv_org_options o = fx_org_options(&w->fx, w->data);
  int err = sv_org_open(&o, &sv_programme_id, &w->programme, why);
  if (!err) err = sv_org_open(&o, &org_id, &w->org, why);
  if (err) fuzz_die(__FILE__, __LINE__, why);
  sv_server_options so = {.sys = &w->fx.sys,
                          .names = names,
                          .n_names = 1,
                          .programme = w->programme,
                          .schemas = w->fx.schemas,
                          .wake = nobody};
  FX_OK(sv_server_new(&so, &w->server));
  FX_OK(sv_server_add_org(w->server, w->org));
  w->fx.now_ms += OV_HELLO_SKEW_MS_MAX + 1000; /* a HELLO just after the start would be challenged */
}

void fuzz_home_restart(fuzz_home *h) {
  fuzz_home_stop(h);
  fuzz_home_start(h);
  tablet_reopen(&h->t);
}

/* A device that the server knows, with its first three ops stored. */
static void start_log(void) {
  fuzz_home *h = &home;
  h->log = calloc(1, sizeof *h->log);
  FUZZ_MUST(h->log);
  *h->log = (fx_tablet){.w = &h->w.fx,
                        .org = h->w.org,
                        .device = h->device,
                        .key = h->key,
                        .shared_key = true,
                        .scope = h->team,
                        .author = h->person};
  memset(&h->log->writer, 0x77, sizeof h->log->writer);
  h->log->heads = calloc(1, sizeof *h->log->heads);
  FUZZ_MUST(h->log->heads);
  FX_OK(ov_chain_start(h->w.fx.hasher, &h->w.org->id, &h->log->writer, &h->log->heads[0]));
  h->log->keys[0] = (ov_push_key){.participant = h->stranger, .key = {3, 1, 4}};
  h->log->keys[1] = (ov_push_key){.participant = {.seq = 9},
                                  .key = {1, 5, 9}}; /* of a team that does not exist */
  h->log->n_keys = 2;
  for (int i = 0; i < 3; i++) {
    ov_field f[] = {FX_INT(2, 20400 + i), FX_INT(3, 1)};
    fx_create(h->log, 20, &h->participant, f, 2);
    h->log->ops[i]->device_time = start_ms / 1000; /* the same op whenever it is made */
  }
}

static void make_device(void) {
  fuzz_home *h = &home;
  sv_txn *t = NULL;
  fx_tablet *made = fx_tablet_new(&h->w.fx, h->w.org, &h->team, 1, &h->person);
  h->device = made->device;
  h->key = made->key;
  made->shared_key = true;
  fx_tablet_free(made);
  FX_OK(sv_txn_write(h->w.programme->env, &t));
  FX_OK(sv_device_put(t, &h->device));
  FX_OK(sv_txn_commit(t));
}

static void make(void) {
  fuzz_home *h = &home;
  char id[OC_ID_TEXT], text[OV_NAME_TEXT_MAX];
  world_open(&h->w, 7);
  h->team = fx_team(&h->w.fx, h->w.org, "Woning 1");
  h->person = fx_person(&h->w.fx, h->w.org, "Ann", &h->team, 1);
  h->participant = fx_participant(&h->w.fx, h->w.org, "Client 1", &h->team, 1);
  h->stranger = (ov_name){.writer = {{9, 9}}, .seq = 3, .tag = {1, 2, 3, 4}};
  make_device();
  tablet_open(&h->t, &h->w, "t");
  tablet_enrol(&h->t, "t", &h->team, 1);
  tablet_sync_ok(&h->t);
  tablet_add(&h->t, "sleep", &h->participant, &h->person, id, "night_date=2025-10-08", "source=1", NULL);
  tablet_add(&h->t, "sleep", &h->participant, &h->person, text, "night_date=2025-10-07", "source=1", NULL);
  tablet_sync_ok(&h->t);
  tablet_add(&h->t, "sleep", &h->participant, &h->person, NULL, "night_date=2025-10-06", "source=1", NULL);
  tablet_edit(&h->t, id, &h->person, "source=2", NULL);
  start_ms = h->w.fx.now_ms;
  start_log();
  fx_push_ok(h->log, h->w.org, 1, 3);
  start_ms = h->w.fx.now_ms;
  start_random = h->w.fx.random;
  tablet_random = h->t.random;
  fuzz_home_close(h);
  FUZZ_MUST(!nftw(h->w.fx.dir, keep_file, 8, FTW_PHYS));
  atexit(at_exit);
}

/* -- each input ------------------------------------------------------------------------------------------ */

void fuzz_home_acknowledged(fuzz_home *h, const ov_op *op) {
  for (unsigned i = 0; i < h->n_stored; i++)
    if (ov_name_equal(&h->stored[i].name, &op->name)) return;
  if (h->n_stored == HOME_OPS_MAX) return;
  h->stored[h->n_stored++] = (fuzz_op){
      .name = op->name, .header_hash = op->header_hash, .commitment = op->commitment};
}

static void note_stored(fuzz_home *h) {
  sv_txn *t = NULL;
  sv_op_row row;
  ov_name name, after = {0};
  h->n_stored = 0;
  FX_OK(sv_txn_read(h->w.org->env, &t));
  for (bool first = true; h->n_stored < HOME_OPS_MAX && !sv_op_next(t, first ? NULL : &after, &name);
       first = false) {
    FX_OK(sv_op_get(t, &name, &h->w.fx.arena, &row));
    fuzz_home_acknowledged(h, &row.op);
    after = name;
  }
  sv_txn_abort(t);
}

fuzz_home *fuzz_home_fresh(void) {
  static char data[256];
  if (!n_files) {
    make();
    const char *base = strrchr(home.w.data, '/');
    snprintf(data, sizeof data, "%s%s", home.w.fx.dir, base);
    ov_id ids[4];
    uint32_t n;
    FUZZ_MUST(!sv_org_list(data, ids, 4, &n) && n == 1);
    org_id = ids[0];
    home.w.data = data;
  } else if (home.w.org) {
    fuzz_home_close(&home);
  }
  put_back();
  ov_arena_free(&home.w.fx.arena);
  home.w.fx.now_ms = start_ms;
  home.w.fx.random = start_random;
  home.t.random = tablet_random;
  fuzz_home_start(&home);
  tablet_reopen(&home.t);
  start_log();
  note_stored(&home);
  return &home;
}

/* -- what must hold ----------------------------------------------------------------------------------------
 * */

static void stored_as_it_was(fuzz_home *h, sv_txn *t, const fuzz_op *op) {
  sv_op_row row;
  ov_arena a;
  ov_hash hash;
  ov_arena_init(&a, 16u << 20);
  int err = sv_op_get(t, &op->name, &a, &row);
  if (err)
    fuzz_die(__FILE__, __LINE__, err == OV_E_NOTFOUND ? "an acknowledged op is gone" : ov_err_slug(err));
  FUZZ_MUST(!memcmp(&row.op.header_hash, &op->header_hash, sizeof hash));
  FUZZ_MUST(!memcmp(&row.op.commitment, &op->commitment, sizeof hash));
  if (!row.op.is_void) {
    FX_OK(ov_sha256(h->w.fx.hasher, row.op.header_bytes, row.op.header_len, &hash));
    FUZZ_MUST(!memcmp(&hash, &op->header_hash, sizeof hash));
  }
  ov_arena_free(&a);
}

void fuzz_home_unharmed(fuzz_home *h) {
  sv_txn *t = NULL;
  sv_scrub scrub;
  FX_OK(sv_txn_read(h->w.org->env, &t));
  for (unsigned i = 0; i < h->n_stored; i++) stored_as_it_was(h, t, &h->stored[i]);
  sv_txn_abort(t);
  (void)fx_verify(&h->w.fx, h->w.org);
  FX_OK(sv_env_scrub(h->w.org->env, &scrub));
  if (scrub.bad) fuzz_die(__FILE__, __LINE__, scrub.first);
}

void fuzz_home_tablet_arrived(fuzz_home *h) {
  oc_txn *ot = NULL;
  sv_txn *t = NULL;
  oc_writer_row w;
  const ov_id *after = NULL;
  ov_id last;
  ov_arena a;
  ov_arena_init(&a, 64u << 20);
  FX_OK(oc_txn_begin(h->t.s->db, false, &ot));
  FX_OK(sv_txn_read(h->w.org->env, &t));
  while (!oc_writer_next(ot, after, &w)) {
    for (uint64_t seq = 1; seq <= w.last; seq++) {
      oc_log_row row;
      FX_OK(oc_log_get(ot, &w.writer, seq, &a, &row));
      if (!sv_op_has(t, &row.op.name))
        fuzz_die(__FILE__, __LINE__, "an op of the tablet is not on the server after a sync");
    }
    last = w.writer;
    after = &last;
  }
  sv_txn_abort(t);
  oc_txn_abort(ot);
  ov_arena_free(&a);
}

/* -- a connection ------------------------------------------------------------------------------------------
 * */

static void want_write(void *ctx) { (void)ctx; }

static void pause_reading(void *ctx, bool paused) {
  (void)ctx;
  (void)paused;
}

static void close_link(void *ctx, unsigned code, const char *reason) {
  fuzz_link *l = ctx;
  FUZZ_MUST(reason && code >= 1000);
  l->close_asked = true;
  l->code = code;
}

bool fuzz_connect(fuzz_link *l, fuzz_home *h) {
  *l = (fuzz_link){.h = h};
  sv_link link = {.want_write = want_write, .close = close_link, .pause = pause_reading, .ctx = l};
  l->ss = sv_session_open(h->w.server, &link, "fuzz");
  return l->ss != NULL;
}

void fuzz_disconnect(fuzz_link *l) {
  if (!l->ss) return;
  if (l->h->w.fx.now_ms & 1)
    world_work(&l->h->w); /* a commit under way may end before or after the connection does */
  sv_session_closed(l->ss);
  l->ss = NULL;
  world_work(&l->h->w);
}
