/* A store that is written anew under a new key: everything is there, what was deleted opens no more, and a
 * crash at any point leaves a store that opens. And one whose closed values open with a share only. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "oc_db.h"

#define ROWS 200u

static char dir[200];
static unsigned seed = 1;
static int fail_sync; /* which fsync from here fails, 0 none */
static int die_after; /* at which call after that the process ends, 0 none */
static bool failed_it;

static void step(void) {
  if (failed_it && die_after && !--die_after) _exit(0);
}

int fsync(int fd) {
  step();
  if (!fail_sync || --fail_sync) return (int)syscall(SYS_fsync, fd);
  failed_it = true;
  errno = EIO;
  return -1;
}

int unlink(const char *name) {
  step();
  return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}

static int some_bytes(void *ctx, void *p, size_t n) {
  unsigned *state = ctx;
  uint8_t *b = p;
  for (size_t i = 0; i < n; i++) {
    *state = *state * 1103515245u + 12345u;
    b[i] = (uint8_t)(*state >> 16);
  }
  return 0;
}

static oc_db *open_db(void) {
  char why[256];
  oc_db *db = NULL;
  int err = oc_db_open(&(oc_db_options){.path = dir, .random = some_bytes, .random_ctx = &seed}, &db, why);
  if (err) fail_msg("%s", why);
  return db;
}

static int setup(void **state) {
  (void)state;
  oc_txn *t;
  const char *tmp = getenv("TMPDIR");
  snprintf(dir, sizeof dir, "%s/ov-rekey-XXXXXX", tmp ? tmp : "/tmp");
  assert_non_null(mkdtemp(dir));
  oc_db *db = open_db();
  assert_int_equal(oc_txn_begin(db, true, &t), 0);
  for (uint32_t i = 0; i < ROWS; i++) {
    assert_int_equal((i % 2 ? oc_put_closed : oc_put)(t, OC_T_RECORD, &i, sizeof i, &i, sizeof i), 0);
    assert_int_equal(oc_put(t, OC_T_DAY, &i, sizeof i, NULL, 0), 0);
  }
  assert_int_equal(oc_txn_commit(t), 0);
  oc_db_close(db);
  return 0;
}

static int teardown(void **state) {
  static const char *const names[] = {"rekey/data.mdb",
                                      "rekey/lock.mdb",
                                      "rekey/store.key",
                                      "rekey/done",
                                      "rekey",
                                      "data.mdb",
                                      "lock.mdb",
                                      "store.key",
                                      "made",
                                      "lock",
                                      ""};
  char f[300];
  (void)state;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(f, sizeof f, "%s/%s", dir, names[i]);
    remove(f);
  }
  return 0;
}

static void all_rows_are_there(oc_db *db) {
  oc_txn *t;
  ov_arena a;
  uint64_t n = 0;
  ov_arena_init(&a, 1u << 20);
  assert_int_equal(oc_txn_begin(db, false, &t), 0);
  for (uint32_t i = 0; i < ROWS; i++) {
    const uint8_t *p;
    size_t len;
    assert_int_equal(oc_get(t, OC_T_RECORD, &i, sizeof i, &a, &p, &len), 0);
    assert_memory_equal(p, &i, sizeof i);
  }
  assert_int_equal(oc_count(t, OC_T_DAY, &n), 0);
  assert_int_equal(n, ROWS);
  oc_txn_abort(t);
  ov_arena_free(&a);
}

static size_t slurp(const char *name, uint8_t **out) {
  char f[300];
  struct stat st;
  snprintf(f, sizeof f, "%s/%s", dir, name);
  assert_int_equal(stat(f, &st), 0);
  FILE *in = fopen(f, "rb");
  *out = malloc((size_t)st.st_size + 1);
  size_t n = fread(*out, 1, (size_t)st.st_size, in);
  fclose(in);
  return n;
}

static void spill(const char *name, const uint8_t *p, size_t n) {
  char f[300];
  snprintf(f, sizeof f, "%s/%s", dir, name);
  FILE *out = fopen(f, "wb");
  assert_int_equal(fwrite(p, 1, n, out), n);
  fclose(out);
}

static bool there(const char *name) {
  char f[300];
  snprintf(f, sizeof f, "%s/%s", dir, name);
  return !access(f, F_OK);
}

/* PROTO-126 */
static void everything_stays_under_another_key(void **state) {
  (void)state;
  char why[256];
  uint8_t *before, *after;
  size_t n = slurp("store.key", &before);
  oc_db *db = open_db();
  assert_int_equal(oc_db_rekey(db, why), 0);
  all_rows_are_there(db);
  oc_txn *t; /* and it goes on taking writes */
  uint32_t key = 9999;
  assert_int_equal(oc_txn_begin(db, true, &t), 0);
  assert_int_equal(oc_put(t, OC_T_RECORD, &key, sizeof key, "x", 1), 0);
  assert_int_equal(oc_txn_commit(t), 0);
  oc_db_close(db);
  assert_int_equal(slurp("store.key", &after), n);
  assert_memory_not_equal(before + 6, after + 6, OV_KEY_BYTES);
  assert_memory_equal(before + 6 + OV_KEY_BYTES, after + 6 + OV_KEY_BYTES, OV_KEY_BYTES); /* index key */
  assert_false(there("rekey"));
  free(before);
  free(after);
  db = open_db();
  all_rows_are_there(db);
  oc_db_close(db);
}

typedef struct pair {
  uint8_t *data, *key;
  size_t data_n, key_n;
} pair;

/* Each state that a crash can leave between the steps, laid out by hand. */
static void a_crash_at_any_step_leaves_what_opens(void **state) {
  (void)state;
  char why[256], f[300];
  pair old, now;
  old.data_n = slurp("data.mdb", &old.data);
  old.key_n = slurp("store.key", &old.key);
  oc_db *db = open_db();
  assert_int_equal(oc_db_rekey(db, why), 0);
  oc_db_close(db);
  now.data_n = slurp("data.mdb", &now.data);
  now.key_n = slurp("store.key", &now.key);
  snprintf(f, sizeof f, "%s/rekey", dir);
  for (int step = 0; step < 5; step++) {
    assert_int_equal(mkdir(f, 0700), 0);
    bool done = step > 0, data_in = step > 1, key_wiped = step > 2, key_in = step > 3;
    spill("data.mdb", data_in ? now.data : old.data, data_in ? now.data_n : old.data_n);
    spill("store.key", key_in ? now.key : old.key, now.key_n);
    if (key_wiped && !key_in) {
      char k[300];
      snprintf(k, sizeof k, "%s/store.key", dir);
      assert_int_equal(unlink(k), 0);
    }
    if (!data_in) spill("rekey/data.mdb", now.data, step ? now.data_n : now.data_n / 2);
    if (!key_in) spill("rekey/store.key", now.key, now.key_n);
    if (done) spill("rekey/done", now.key, 0);
    db = open_db();
    all_rows_are_there(db);
    oc_db_close(db);
    assert_false(there("rekey"));
  }
  assert_int_equal(mkdir(f, 0700), 0); /* before all of these: the new key has not come to its name */
  spill("data.mdb", old.data, old.data_n);
  spill("store.key", old.key, old.key_n);
  spill("rekey/store.key.new", now.key, now.key_n / 2);
  db = open_db();
  all_rows_are_there(db);
  oc_db_close(db);
  assert_false(there("rekey"));
  free(old.data);
  free(old.key);
  free(now.data);
  free(now.key);
}

/* 0: the fault came, 1: it did not */
static int rekey_with_a_fault(int fails, int dies) {
  seed += 77; /* other keys than the one before */
  pid_t pid = fork();
  if (!pid) {
    char why[256];
    signal(SIGSEGV, SIG_DFL); /* not cmocka's, in its child */
    oc_db *db = open_db();
    oc_txn *t = NULL;
    fail_sync = fails;
    die_after = dies;
    (void)oc_db_rekey(db, why);
    die_after = 0;
    if (!oc_txn_begin(db, false, &t)) oc_txn_abort(t); /* as it was, or an error: nothing worse */
    oc_db_close(db);
    _exit(failed_it ? 0 : 1);
  }
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void a_disk_that_fails_and_then_a_crash_leave_what_opens(void **state) {
  (void)state;
  int fails = 1;
  for (int last = 0; !last; fails++) {
    for (int dies = 0; !last && dies < 7; dies++) {
      last = rekey_with_a_fault(fails, dies);
      oc_db *db = open_db();
      all_rows_are_there(db);
      oc_db_close(db);
      assert_false(there("rekey"));
    }
  }
  assert_true(fails > 6);
}

static void without_room_for_it_the_store_stays_as_it_was(void **state) {
  (void)state;
  char why[256], f[300];
  oc_db *db = open_db();
  snprintf(f, sizeof f, "%s/rekey", dir); /* something stands in the way that is not ours to remove */
  spill("rekey", (const uint8_t *)"x", 1);
  assert_int_not_equal(oc_db_rekey(db, why), 0);
  all_rows_are_there(db);
  assert_int_equal(unlink(f), 0);
  assert_int_equal(oc_db_rekey(db, why), 0);
  all_rows_are_there(db);
  oc_db_close(db);
}

static int get_one(oc_db *db, uint32_t i) {
  oc_txn *t;
  ov_arena a;
  const uint8_t *p;
  size_t n;
  ov_arena_init(&a, 1u << 16);
  assert_int_equal(oc_txn_begin(db, false, &t), 0);
  int err = oc_get(t, OC_T_RECORD, &i, sizeof i, &a, &p, &n);
  oc_txn_abort(t);
  ov_arena_free(&a);
  return err;
}

/* PROTO-164 */
static void strict_opens_with_its_share_only(void **state) {
  (void)state;
  char why[256];
  uint8_t share[OV_KEY_BYTES], other[OV_KEY_BYTES];
  memset(share, 7, sizeof share);
  memset(other, 8, sizeof other);
  oc_db *db = open_db();
  assert_false(oc_db_strict(db) || oc_db_locked(db));
  assert_int_equal(oc_db_protect(db, share, why), 0);
  assert_true(oc_db_strict(db) && !oc_db_locked(db)); /* open until it is closed */
  all_rows_are_there(db);
  assert_int_equal(oc_db_rekey(db, why), 0); /* an erasure keeps the protection */
  oc_db_close(db);
  db = open_db();
  assert_true(oc_db_strict(db) && oc_db_locked(db));
  assert_int_equal(get_one(db, 0), 0);
  assert_int_equal(get_one(db, 1), OV_E_DENIED);
  oc_txn *t;
  uint32_t key = 9999;
  assert_int_equal(oc_txn_begin(db, true, &t), 0);
  assert_int_equal(oc_put(t, OC_T_RECORD, &key, sizeof key, "x", 1), 0);
  assert_int_equal(oc_put_closed(t, OC_T_RECORD, &key, sizeof key, "x", 1), OV_E_DENIED);
  assert_int_equal(oc_txn_commit(t), OV_E_DENIED); /* it sticks: nothing is half written */
  assert_int_equal(oc_db_rekey(db, why), OV_E_DENIED);
  assert_int_equal(oc_db_protect(db, NULL, why), OV_E_DENIED);
  assert_int_equal(oc_db_unlock(db, other), OV_E_AUTH);
  assert_true(oc_db_locked(db));
  assert_int_equal(oc_db_unlock(db, share), 0);
  all_rows_are_there(db);
  assert_int_equal(oc_db_protect(db, other, why), 0);
  oc_db_close(db);
  db = open_db();
  assert_int_equal(oc_db_unlock(db, share), OV_E_AUTH);
  assert_int_equal(oc_db_unlock(db, other), 0);
  assert_int_equal(oc_db_protect(db, NULL, why), 0);
  oc_db_close(db);
  db = open_db();
  assert_false(oc_db_strict(db) || oc_db_locked(db));
  all_rows_are_there(db);
  oc_db_close(db);
}

/* What a thief would do who has all files: set the key file back to standard. */
static void the_key_file_alone_does_not_open_it(void **state) {
  (void)state;
  char why[256];
  uint8_t share[OV_KEY_BYTES], *key;
  oc_db *db = open_db();
  memset(share, 7, sizeof share);
  assert_int_equal(oc_db_protect(db, share, why), 0);
  oc_db_close(db);
  size_t n = slurp("store.key", &key);
  key[5] = 0;
  spill("store.key", key, n);
  db = NULL;
  assert_int_equal(
      oc_db_open(&(oc_db_options){.path = dir, .random = some_bytes, .random_ctx = &seed}, &db, why),
      OV_E_CORRUPT);
  free(key);
}

int main(void) {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {T(everything_stays_under_another_key),
                                     T(a_crash_at_any_step_leaves_what_opens),
                                     T(a_disk_that_fails_and_then_a_crash_leave_what_opens),
                                     T(without_room_for_it_the_store_stays_as_it_was),
                                     T(strict_opens_with_its_share_only),
                                     T(the_key_file_alone_does_not_open_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
