/* The environment: opening and refusing, growth beside readers, reader slots, copies, modes and the folder's
 * lock. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_world.h"
#include "sv_lock.h"

static int setup_closed(void **state) {
  world *w = malloc(sizeof *w);
  if (!w) return -1;
  world_init(w);
  *state = w;
  return 0;
}

static void put_ops(world *w, uint8_t writer, uint64_t from, uint64_t to) {
  sv_txn *t = must_write(w);
  for (uint64_t seq = from; seq <= to; seq++) {
    sv_op_row row = make_op(writer, seq, NULL);
    sv_op_put(t, &row);
  }
  must_commit(t);
}

static bool has_op(world *w, uint8_t writer, uint64_t seq) {
  sv_op_row row;
  ov_name name = make_name(writer, seq);
  sv_txn *t = must_read(w);
  int err = sv_op_get(t, &name, &w->arena, &row);
  sv_txn_abort(t);
  assert_true(err == 0 || err == OV_E_NOTFOUND);
  return !err;
}

static void path_in(world *w, const char *name, char out[160]) {
  snprintf(out, 160, "%s/%s", w->env_path, name);
}

/* -- opening --------------------------------------------------------------------------------------------- */

static void what_is_committed_is_there_after_a_reopen(void **state) {
  world *w = *state;
  put_ops(w, 1, 1, 50);
  sv_txn *t = must_write(w);
  sv_op_row row = make_op(1, 51, NULL);
  sv_op_put(t, &row);
  sv_txn_abort(t);
  world_close(w);
  assert_int_equal(world_open(w, NULL), 0);
  for (uint64_t seq = 1; seq <= 50; seq++) assert_true(has_op(w, 1, seq));
  assert_false(has_op(w, 1, 51));
  sv_env_stats s;
  sv_env_stats_get(w->env, &s);
  assert_int_equal(s.ops, 50);
  assert_int_equal(s.records, 0);
  assert_int_equal(s.readers, 0);
  assert_true(s.used_bytes > 0 && s.used_bytes <= s.map_bytes);
  assert_true(ov_id_equal(sv_env_organisation(w->env), &w->organisation));
}

static void one_path_is_opened_once(void **state) {
  world *w = *state;
  sv_env_options o = world_options(w);
  char link[160];
  sv_env *second;
  assert_int_equal(sv_env_open(&o, &second, w->why), OV_E_LOCKED);
  assert_non_null(strstr(w->why, "open in this process"));
  snprintf(link, sizeof link, "%s/link", w->folder);
  assert_int_equal(symlink(w->env_path, link), 0);
  o.path = link;
  assert_int_equal(sv_env_open(&o, &second, NULL), OV_E_LOCKED);
  put_ops(w, 1, 1, 1);
  world_close(w);
  assert_int_equal(world_open(w, NULL), 0);
}

static void modes_are_for_the_owner_only(void **state) {
  world *w = *state;
  mode_t before = umask(0);
  assert_int_equal(world_open(w, NULL), 0);
  umask(before);
  char path[160];
  assert_int_equal(file_mode(w->env_path), 0700);
  static const char *const files[] = {"data.mdb", "lock.mdb", "format"};
  for (unsigned i = 0; i < 3; i++) {
    path_in(w, files[i], path);
    assert_int_equal(file_mode(path), 0600);
  }
  assert_int_equal(file_mode(w->keyring_path), 0600);
}

static void planted_text_is_nowhere_in_the_files(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1), name = make_name(1, 1);
  sv_txn *t = must_write(w);
  sv_op_row op = make_op(1, 1, &p), loose = make_op(1, 2, NULL);
  sv_record_row rec = make_record(w, &name, 20, &p, 19000);
  sv_device d = {.id = make_id(4), .name = PLANTED};
  sv_op_put(t, &op);
  sv_op_put(t, &loose);
  sv_record_put(t, &rec);
  sv_device_put(t, &d);
  sv_meta_put(t, "name", PLANTED, sizeof PLANTED);
  must_commit(t);
  assert_true(sizeof PLANTED > 10);
  assert_false(file_contains(w->data_path, PLANTED, 10));
  assert_false(file_contains(w->keyring_path, PLANTED, 10));
  char copy[160];
  snprintf(copy, sizeof copy, "%s/copy", w->folder);
  assert_int_equal(sv_env_copy(w->env, copy), 0);
  assert_false(file_contains(copy, PLANTED, 10));
  /* The control: the search does find what stands in a file. */
  FILE *f = fopen(copy, "a");
  assert_non_null(f);
  fputs(PLANTED, f);
  fclose(f);
  assert_true(file_contains(copy, PLANTED, 10));
}

static void write_text(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void a_newer_format_is_refused(void **state) {
  world *w = *state;
  char path[160];
  world_close(w);
  path_in(w, "format", path);
  write_text(path, "overdracht store 2\nsomething new\n");
  assert_int_equal(world_open(w, NULL), OV_E_NEWER);
  assert_non_null(strstr(w->why, "newer program"));
  assert_null(w->env);
}

/* The sealed version counts too: in a copy no file tells it, and a file may be older than what it stands
 * beside. */
static void reopens_with_sealed_version(world *w, uint8_t version, bool with_file, int err) {
  char path[160];
  path_in(w, "format", path);
  sv_txn *t = must_write(w);
  sv_meta_put(t, "store/format", &version, 1);
  must_commit(t);
  world_close(w);
  if (!with_file) assert_int_equal(unlink(path), 0);
  assert_int_equal(world_open(w, NULL), err);
}

static void a_newer_sealed_version_is_refused_without_a_file(void **state) {
  reopens_with_sealed_version(*state, SV_FORMAT_VERSION + 1, false, OV_E_NEWER);
}

static void a_newer_sealed_version_is_refused_beside_an_old_file(void **state) {
  reopens_with_sealed_version(*state, SV_FORMAT_VERSION + 1, true, OV_E_NEWER);
}

static void a_version_that_never_was_is_damage(void **state) {
  reopens_with_sealed_version(*state, 0, false, OV_E_CORRUPT);
}

static void another_organisations_folder_is_refused(void **state) {
  world *w = *state;
  char path[160];
  put_ops(w, 1, 1, 1);
  world_close(w);
  w->organisation = make_id(0xcd);
  assert_int_equal(world_open(w, NULL), OV_E_CORRUPT);
  assert_non_null(strstr(w->why, "another organisation"));
  path_in(w, "format", path);
  assert_int_equal(unlink(path), 0); /* what is sealed tells as well */
  assert_int_equal(world_open(w, NULL), OV_E_CORRUPT);
  w->organisation = make_id(0xab);
  assert_int_equal(world_open(w, NULL), 0);
  assert_true(has_op(w, 1, 1));
  assert_int_equal(access(path, F_OK), 0);
}

static void another_keyring_is_refused_and_gets_no_keys(void **state) {
  world *w = *state;
  world_close(w);
  assert_int_equal(unlink(w->keyring_path), 0);
  assert_int_equal(
      sv_keyring_open(w->keyring_path, w->epoch_path, w->master, world_random, &w->random, true, &w->keyring),
      0);
  assert_int_equal(world_open(w, NULL), OV_E_CORRUPT);
  assert_non_null(strstr(w->why, "keyring"));
  assert_false(sv_keyring_dirty(w->keyring));
  uint8_t key[OV_KEY_BYTES];
  static const ov_name none;
  sv_keyring_need(w->keyring, SV_KEY_SEAL_ORG, &none, key);
  sv_keyring_need(w->keyring, SV_KEY_INDEX, &none, key);
  assert_int_equal(world_open(w, NULL), OV_E_CORRUPT);
}

static void a_damaged_format_file_is_refused(void **state) {
  world *w = *state;
  char path[160];
  world_close(w);
  path_in(w, "format", path);
  static const char *const texts[] = {"", "overdracht", "overdracht store 0\n", "overdracht store 1\n",
                                      "overdracht store 1\norganisation ab\n"};
  for (unsigned i = 0; i < 5; i++) {
    write_text(path, texts[i]);
    assert_int_equal(world_open(w, NULL), OV_E_CORRUPT);
    assert_non_null(strstr(w->why, "restore"));
  }
}

static void a_cut_file_is_refused_at_every_length(void **state) {
  world *w = *state;
  sv_env_options o = world_options(w);
  o.map_bytes = 1u << 20;
  assert_int_equal(world_open(w, &o), 0);
  put_ops(w, 1, 1, 300);
  sv_env_stats s;
  sv_env_stats_get(w->env, &s);
  world_close(w);
  char whole[160];
  snprintf(whole, sizeof whole, "%s/whole", w->folder);
  copy_file(w->data_path, whole);
  for (size_t n = 0; n < s.used_bytes; n += n < 16384 ? 1365 : 40961) {
    assert_int_equal(truncate(w->data_path, (off_t)n), 0);
    assert_int_equal(world_open(w, NULL), OV_E_CORRUPT);
    assert_non_null(strstr(w->why, "restore"));
    struct stat st;
    assert_int_equal(stat(w->data_path, &st), 0);
    assert_int_equal(st.st_size, n); /* nothing was made anew */
    copy_file(whole, w->data_path);
  }
  assert_int_equal(unlink(w->data_path), 0);
  assert_int_equal(world_open(w, NULL), OV_E_CORRUPT);
  assert_non_null(strstr(w->why, "missing"));
  copy_file(whole, w->data_path);
  assert_int_equal(world_open(w, NULL), 0);
  assert_true(has_op(w, 1, 300));
}

static void what_lmdb_called_damaged_stays_refused(void **state) {
  world *w = *state;
  char path[160];
  world_close(w);
  path_in(w, "damaged", path);
  write_text(path, "mdb_page_touch:1: Assertion");
  assert_int_equal(world_open(w, NULL), OV_E_CORRUPT);
  assert_non_null(strstr(w->why, "restore"));
}

static void a_first_start_that_was_cut_short_is_begun_again(void **state) {
  world *w = *state;
  assert_int_equal(mkdir(w->env_path, 0700), 0);
  int fd = open(w->data_path, O_CREAT | O_WRONLY, 0600);
  assert_true(fd >= 0);
  close(fd);
  assert_int_equal(world_open(w, NULL), 0);
  put_ops(w, 1, 1, 1);
  world_close(w);
  assert_int_equal(world_open(w, NULL), 0);
  assert_true(has_op(w, 1, 1));
}

static void no_folder_no_store(void **state) {
  world *w = *state;
  sv_env_options o = world_options(w);
  o.read_only = true;
  assert_int_equal(world_open(w, &o), OV_E_NOTFOUND);
  assert_int_not_equal(access(w->env_path, F_OK), 0);
  o.read_only = false;
  o.path = "/nonexistent/folder/env";
  assert_int_equal(world_open(w, &o), OV_E_NOTFOUND);
  o.path = w->keyring_path;
  assert_int_equal(world_open(w, &o), OV_E_IO);
}

static void a_reader_opens_and_writes_nothing(void **state) {
  world *w = *state;
  put_ops(w, 1, 1, 3);
  sv_env_close(w->env);
  sv_env_options o = world_options(w);
  o.read_only = true;
  assert_int_equal(sv_env_open(&o, &w->env, w->why), 0);
  sv_txn *t;
  assert_int_equal(sv_txn_write(w->env, &t), OV_E_READONLY);
  assert_true(sv_env_readonly(w->env));
  assert_true(has_op(w, 1, 3));
}

static void two_write_transactions_on_one_thread_are_a_bug_not_a_deadlock(void **state) {
  world *w = *state;
  sv_txn *t = must_write(w), *second;
  assert_int_equal(sv_txn_write(w->env, &second), OV_E_INTERNAL);
  assert_null(second);
  sv_txn_abort(t);
  put_ops(w, 1, 1, 1);
}

/* -- growth ---------------------------------------------------------------------------------------------- */

static int open_tiny(world *w, size_t max) {
  sv_env_options o = world_options(w);
  o.map_bytes = 256u << 10;
  o.map_bytes_max = max;
  return world_open(w, &o);
}

static void the_map_grows_before_it_is_full(void **state) {
  world *w = *state;
  assert_int_equal(open_tiny(w, 0), 0);
  for (uint64_t seq = 1; seq <= 3000; seq += 30) put_ops(w, 1, seq, seq + 29); /* each must commit at once */
  sv_env_stats s;
  sv_env_stats_get(w->env, &s);
  assert_true(s.grows > 0);
  assert_int_equal(s.ops, 3000);
  assert_true(s.used_bytes < s.map_bytes);
  world_close(w);
  assert_int_equal(open_tiny(w, 0), 0);
  assert_true(has_op(w, 1, 1) && has_op(w, 1, 3000));
}

static void a_batch_too_large_for_the_map_is_done_again(void **state) {
  world *w = *state;
  assert_int_equal(open_tiny(w, 0), 0);
  int err, tries = 0;
  do {
    sv_txn *t = must_write(w);
    for (uint64_t seq = 1; seq <= 4000; seq++) {
      sv_op_row row = make_op(1, seq, NULL);
      sv_op_put(t, &row);
    }
    err = sv_txn_commit(t);
    tries++;
  } while (err == OV_E_MAPFULL && tries < 20);
  assert_int_equal(err, 0);
  assert_true(tries > 1);
  sv_txn *t = must_write(w); /* aborted by its holder instead of committed: the next one grows */
  for (uint64_t seq = 1; sv_txn_error(t) == 0; seq++) {
    sv_op_row row = make_op(2, seq, NULL);
    sv_op_put(t, &row);
  }
  assert_int_equal(sv_txn_error(t), OV_E_MAPFULL);
  sv_txn_abort(t);
  sv_env_stats before, after;
  sv_env_stats_get(w->env, &before);
  put_ops(w, 3, 1, 1);
  sv_env_stats_get(w->env, &after);
  assert_int_equal(after.grows, before.grows + 1);
  assert_int_equal(after.ops, 4001);
}

static void growth_ends_at_its_limit(void **state) {
  world *w = *state;
  assert_int_equal(open_tiny(w, 512u << 10), 0);
  put_ops(w, 1, 1, 10);
  int err = 0;
  for (int tries = 0; tries < 5 && err != OV_E_FULL; tries++) {
    sv_txn *t;
    err = sv_txn_write(w->env, &t);
    if (err) continue;
    for (uint64_t seq = 1; seq <= 4000; seq++) {
      sv_op_row row = make_op(2, seq, NULL);
      sv_op_put(t, &row);
    }
    err = sv_txn_commit(t);
    assert_int_not_equal(err, 0);
  }
  assert_int_equal(err, OV_E_FULL);
  assert_true(has_op(w, 1, 10));
  assert_false(has_op(w, 2, 1));
}

typedef struct reading {
  world *w;
  atomic_bool stop;
  atomic_uint rounds;
  atomic_int failed;
} reading;

/* Reads all the time what was there from the start. */
static void *read_on(void *arg) {
  reading *r = arg;
  ov_arena a;
  ov_arena_init(&a, 1u << 20);
  while (!atomic_load(&r->stop)) {
    sv_txn *t;
    int err = sv_txn_read(r->w->env, &t);
    for (uint64_t seq = 1; !err && seq <= 20; seq++) {
      sv_op_row row;
      ov_name name = make_name(1, seq);
      err = sv_op_get(t, &name, &a, &row);
      if (!err && (row.op.n_fields != 1 || row.op.device_time != 1700000000 + (int64_t)seq))
        err = OV_E_CORRUPT;
    }
    if (t) sv_txn_abort(t);
    ov_arena_reset(&a);
    if (err) atomic_store(&r->failed, err);
    atomic_fetch_add(&r->rounds, 1);
  }
  ov_arena_free(&a);
  return NULL;
}

static void the_map_grows_beside_live_readers(void **state) {
  world *w = *state;
  assert_int_equal(open_tiny(w, 0), 0);
  put_ops(w, 1, 1, 20);
  reading r = {.w = w};
  pthread_t threads[3];
  for (unsigned i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, read_on, &r), 0);
  for (uint64_t seq = 1; seq <= 6000; seq += 100) put_ops(w, 2, seq, seq + 99);
  atomic_store(&r.stop, true);
  for (unsigned i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  assert_int_equal(atomic_load(&r.failed), 0);
  assert_true(atomic_load(&r.rounds) > 3);
  sv_env_stats s;
  sv_env_stats_get(w->env, &s);
  assert_true(s.grows >= 2);
  assert_int_equal(s.ops, 6020);
}

/* A quarter of the map is left for writers when a reader stays long: they go on without growth. */
static void a_long_reader_does_not_stop_writers_at_once(void **state) {
  world *w = *state;
  sv_env_options o = world_options(w);
  o.map_bytes = 2u << 20;
  assert_int_equal(world_open(w, &o), 0);
  put_ops(w, 1, 1, 200);
  sv_env_stats before, s;
  sv_txn *reader = must_read(w);
  uint64_t seq = 201;
  do {
    sv_env_stats_get(w->env, &before);
    put_ops(w, 1, seq, seq);
    seq++;
  } while (before.used_bytes <= before.map_bytes / 4 * 3);
  sv_env_stats_get(w->env, &s);
  assert_int_equal(s.grows, 0);
  assert_int_equal(s.readers, 1);
  ov_name name = make_name(1, 1);
  sv_op_row row;
  assert_int_equal(sv_op_get(reader, &name, &w->arena, &row), 0);
  sv_txn_abort(reader);
  put_ops(w, 1, seq, seq);
  sv_env_stats_get(w->env, &s);
  assert_int_equal(s.grows, 1);
}

/* Another process (the admin command beside a server that does not answer) has grown the map. */
static void a_map_grown_by_another_process_is_taken_over(void **state) {
  world *w = *state;
  int go[2];
  char c;
  assert_int_equal(open_tiny(w, 0), 0); /* makes the keys that both processes need */
  sv_env_close(w->env);
  w->env = NULL;
  for (int writing = 0; writing < 2; writing++) {
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      if (read(go[0], &c, 1) != 1 || open_tiny(w, 0)) _exit(1);
      for (uint64_t seq = 1; seq <= 4000; seq += 50) put_ops(w, (uint8_t)(1 + writing), seq, seq + 49);
      sv_env_close(w->env);
      _exit(0);
    }
    assert_int_equal(open_tiny(w, 0), 0);
    assert_int_equal(write(go[1], "g", 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    if (writing) put_ops(w, 3, 1, 1);
    assert_true(has_op(w, (uint8_t)(1 + writing), 4000));
    close(go[0]);
    close(go[1]);
    sv_env_close(w->env);
    w->env = NULL;
  }
}

/* -- readers --------------------------------------------------------------------------------------------- */

static void readers_beyond_the_slots_are_told_to_wait(void **state) {
  world *w = *state;
  sv_env_options o = world_options(w);
  o.readers_max = 4;
  assert_int_equal(world_open(w, &o), 0);
  sv_txn *readers[4], *more;
  for (unsigned i = 0; i < 4; i++) readers[i] = must_read(w);
  assert_int_equal(sv_txn_read(w->env, &more), OV_E_BUSY);
  assert_null(more);
  sv_txn_abort(readers[2]);
  readers[2] = must_read(w);
  for (unsigned i = 0; i < 4; i++) sv_txn_abort(readers[i]);
}

/* Another process opens the store, begins a read transaction and is killed in it. */
static pid_t reader_in_another_process(world *w) {
  int up[2];
  char c;
  assert_int_equal(pipe(up), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    sv_txn *t;
    sv_env_options o = world_options(w);
    o.readers_max = 4;
    o.read_only = true;
    if (sv_env_open(&o, &w->env, NULL) || sv_txn_read(w->env, &t) || write(up[1], "r", 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  close(up[1]);
  assert_int_equal(read(up[0], &c, 1), 1);
  close(up[0]);
  return child;
}

static void the_slot_of_a_killed_reader_is_freed(void **state) {
  world *w = *state;
  sv_env_options o = world_options(w);
  o.readers_max = 4;
  assert_int_equal(world_open(w, &o), 0);
  sv_env_close(w->env);
  w->env = NULL;
  pid_t child = reader_in_another_process(w);
  assert_int_equal(world_open(w, &o), 0);
  sv_txn *readers[4], *more;
  for (unsigned i = 0; i < 3; i++) readers[i] = must_read(w);
  assert_int_equal(sv_txn_read(w->env, &more), OV_E_BUSY);
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_int_equal(sv_txn_read(w->env, &more), OV_E_BUSY);
  sv_env_check_readers(w->env);
  readers[3] = must_read(w);
  for (unsigned i = 0; i < 4; i++) sv_txn_abort(readers[i]);
}

/* -- copies ---------------------------------------------------------------------------------------------- */

typedef struct writing {
  world *w;
  atomic_bool stop;
  uint64_t seq;
} writing;

static void *write_on(void *arg) {
  writing *x = arg;
  while (!atomic_load(&x->stop)) {
    sv_txn *t;
    if (sv_txn_write(x->w->env, &t)) break;
    sv_op_row row = make_op(5, ++x->seq, NULL);
    sv_tip tip = {.writer = make_id(5), .head = {.seq = x->seq, .head = row.head}}, old;
    uint32_t n;
    sv_tips_get(t, &tip.writer, &old, 1, &n);
    sv_op_put(t, &row);
    sv_tip_put(t, n ? &old.head.head : NULL, &tip);
    if (sv_txn_commit(t)) break;
  }
  return NULL;
}

/* A copy taken beside a writer is a consistent prefix: ops and tip agree, and it opens as a store. */
static void a_copy_beside_a_writer_is_a_consistent_prefix(void **state) {
  world *w = *state;
  put_ops(w, 1, 1, 500);
  writing x = {.w = w};
  pthread_t thread;
  char file[160], part[170];
  snprintf(file, sizeof file, "%s/copy", w->folder);
  snprintf(part, sizeof part, "%s.part", file);
  assert_int_equal(pthread_create(&thread, NULL, write_on, &x), 0);
  sv_env_stats s;
  do sv_env_stats_get(w->env, &s);
  while (s.ops < 520);
  mode_t before = umask(0);
  int err = sv_env_copy(w->env, file);
  umask(before);
  atomic_store(&x.stop, true);
  pthread_join(thread, NULL);
  assert_int_equal(err, 0);
  assert_int_equal(file_mode(file), 0600);
  assert_int_not_equal(access(part, F_OK), 0);
  assert_int_equal(sv_env_copy(w->env, file), OV_E_EXISTS);
  sv_env_close(w->env);
  w->env = NULL;
  snprintf(w->env_path, sizeof w->env_path, "%s/restored", w->folder);
  assert_int_equal(mkdir(w->env_path, 0700), 0);
  snprintf(w->data_path, sizeof w->data_path, "%s/data.mdb", w->env_path);
  copy_file(file, w->data_path);
  assert_int_equal(world_open(w, NULL), 0);
  sv_tip tip;
  uint32_t n;
  sv_txn *t = must_read(w);
  ov_id writer = make_id(5);
  assert_int_equal(sv_tips_get(t, &writer, &tip, 1, &n), 0);
  assert_int_equal(n, 1);
  sv_txn_abort(t);
  assert_true(has_op(w, 5, tip.head.seq));
  assert_false(has_op(w, 5, tip.head.seq + 1));
  sv_scrub scrub;
  assert_int_equal(sv_env_scrub(w->env, &scrub), 0);
  assert_string_equal(scrub.first, "");
  put_ops(w, 6, 1, 1);
}

/* -- the folder's lock ----------------------------------------------------------------------------------- */

static void a_folder_has_one_holder(void **state) {
  world *w = *state;
  sv_lock *l, *second;
  long holder;
  assert_int_equal(sv_lock_folder(w->folder, &l, &holder), 0);
  assert_int_equal(sv_lock_folder(w->folder, &second, &holder), OV_E_LOCKED);
  assert_null(second);
  assert_int_equal(holder, getpid());
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(sv_lock_folder(w->folder, &second, &holder) == OV_E_LOCKED && holder == getppid() ? 0 : 1);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  sv_unlock(l);
  sv_unlock(NULL);
  assert_int_equal(sv_lock_folder(w->folder, &l, NULL), 0);
  sv_unlock(l);
  assert_int_equal(sv_lock_folder("/nonexistent/folder", &l, NULL), OV_E_NOTFOUND);
}

static void the_lock_of_a_killed_holder_is_free(void **state) {
  world *w = *state;
  int up[2];
  char c;
  assert_int_equal(pipe(up), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    sv_lock *mine;
    if (sv_lock_folder(w->folder, &mine, NULL) || write(up[1], "l", 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  assert_int_equal(read(up[0], &c, 1), 1);
  close(up[0]);
  close(up[1]);
  sv_lock *l;
  long holder;
  assert_int_equal(sv_lock_folder(w->folder, &l, &holder), OV_E_LOCKED);
  assert_int_equal(holder, child);
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_int_equal(sv_lock_folder(w->folder, &l, NULL), 0);
  sv_unlock(l);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
#define CLOSED(f) cmocka_unit_test_setup_teardown(f, setup_closed, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(what_is_committed_is_there_after_a_reopen),
      TEST(one_path_is_opened_once),
      CLOSED(modes_are_for_the_owner_only),
      TEST(planted_text_is_nowhere_in_the_files),
      TEST(a_newer_format_is_refused),
      TEST(a_newer_sealed_version_is_refused_without_a_file),
      TEST(a_newer_sealed_version_is_refused_beside_an_old_file),
      TEST(a_version_that_never_was_is_damage),
      TEST(another_organisations_folder_is_refused),
      TEST(another_keyring_is_refused_and_gets_no_keys),
      TEST(a_damaged_format_file_is_refused),
      CLOSED(a_cut_file_is_refused_at_every_length),
      TEST(what_lmdb_called_damaged_stays_refused),
      CLOSED(a_first_start_that_was_cut_short_is_begun_again),
      CLOSED(no_folder_no_store),
      TEST(a_reader_opens_and_writes_nothing),
      TEST(two_write_transactions_on_one_thread_are_a_bug_not_a_deadlock),
      CLOSED(the_map_grows_before_it_is_full),
      CLOSED(a_batch_too_large_for_the_map_is_done_again),
      CLOSED(growth_ends_at_its_limit),
      CLOSED(the_map_grows_beside_live_readers),
      CLOSED(a_long_reader_does_not_stop_writers_at_once),
      CLOSED(a_map_grown_by_another_process_is_taken_over),
      CLOSED(readers_beyond_the_slots_are_told_to_wait),
      CLOSED(the_slot_of_a_killed_reader_is_freed),
      TEST(a_copy_beside_a_writer_is_a_consistent_prefix),
      CLOSED(a_folder_has_one_holder),
      CLOSED(the_lock_of_a_killed_holder_is_free),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
