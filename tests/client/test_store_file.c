/* The length of the client's data file: a sound store is never taken for one that was cut short, and one that
 * was cut short is always refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "oc_db.h"

static char dir[256];

static int some_bytes(void *ctx, void *p, size_t n) {
  unsigned *state = ctx;
  uint8_t *b = p;
  for (size_t i = 0; i < n; i++) {
    *state = *state * 1103515245u + 12345u;
    b[i] = (uint8_t)(*state >> 16);
  }
  return 0;
}

static unsigned seed = 1;

static oc_db *open_db(char why[256], int *err) {
  oc_db *db = NULL;
  *err = oc_db_open(&(oc_db_options){.path = dir, .random = some_bytes, .random_ctx = &seed}, &db, why);
  return db;
}

static uint64_t file_bytes(void) {
  char f[300];
  struct stat st;
  snprintf(f, sizeof f, "%s/data.mdb", dir);
  return stat(f, &st) ? 0 : (uint64_t)st.st_size;
}

static void cut_to(uint64_t bytes) {
  char f[300];
  snprintf(f, sizeof f, "%s/data.mdb", dir);
  assert_int_equal(truncate(f, (off_t)bytes), 0);
}

/* Rows that come and go within one transaction leave pages at the end that LMDB counts and does not write. */
static void churn(oc_db *db, unsigned round) {
  static uint8_t value[3000];
  oc_txn *t;
  assert_int_equal(oc_txn_begin(db, true, &t), 0);
  for (uint32_t i = 0; i < 60; i++) {
    uint32_t key = round * 60 + i;
    assert_int_equal(oc_put(t, OC_T_RECORD, &key, sizeof key, value, 100 + (i * 97 + round * 31) % 2900), 0);
  }
  for (uint32_t i = round % 3; i < 60; i += 1 + round % 2) {
    uint32_t key = round * 60 + i;
    assert_int_equal(oc_del(t, OC_T_RECORD, &key, sizeof key), 0);
  }
  assert_int_equal(oc_txn_commit(t), 0);
}

static void sound_store_opens(void **state) {
  (void)state;
  char why[256];
  int err;
  for (unsigned round = 0; round < 60; round++) {
    oc_db *db = open_db(why, &err);
    assert_int_equal(err, 0);
    churn(db, round);
    assert_true(file_bytes() > oc_db_bytes(db)); /* there is always a hole behind what is counted */
    oc_db_close(db);
  }
}

static void cut_store_is_refused(void **state) {
  (void)state;
  char why[256];
  int err;
  oc_db *db = open_db(why, &err);
  assert_int_equal(err, 0);
  uint64_t counted = oc_db_bytes(db);
  oc_db_close(db);
  cut_to(counted); /* only the hole is gone */
  db = open_db(why, &err);
  assert_int_equal(err, 0);
  oc_db_close(db);
  cut_to(counted - 1);
  db = open_db(why, &err);
  assert_int_equal(err, OV_E_CORRUPT);
  assert_null(db);
  assert_non_null(strstr(why, "cut short"));
  assert_true(file_bytes() == counted - 1); /* and it was not touched */
}

static void put_bytes(const char *name, long at, const void *bytes, size_t n) {
  char f[300];
  snprintf(f, sizeof f, "%s/%s", dir, name);
  FILE *file = fopen(f, "r+b");
  assert_non_null(file);
  assert_int_equal(fseek(file, at, SEEK_SET), 0);
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  assert_int_equal(fclose(file), 0);
}

static void is_refused(int want, const char *says) {
  char why[256];
  int err;
  uint64_t bytes = file_bytes();
  oc_db *db = open_db(why, &err);
  assert_int_equal(err, want);
  assert_null(db);
  if (!strstr(why, says)) print_error("\"%s\"\n", why);
  assert_non_null(strstr(why, says));
  assert_true(file_bytes() == bytes);
}

/* Of a later program: of ours, and of LMDB. The version stands behind the magic number of both first
 * pages. */
static void a_newer_store_is_left_alone(void **state) {
  (void)state;
  char why[256];
  int err;
  uint32_t newer = 999, lmdb = 1;
  oc_db *db = open_db(why, &err);
  assert_int_equal(err, 0);
  oc_db_close(db);
  put_bytes("store.key", 4, "\x02", 1);
  is_refused(OV_E_NEWER, "was written by a newer version: update this program");
  put_bytes("store.key", 4, "\x01", 1);
  for (long page = 0; page < 2; page++) put_bytes("data.mdb", page * 4096 + 20, &newer, sizeof newer);
  is_refused(OV_E_NEWER, "cannot open the data of ");
  for (long page = 0; page < 2; page++) put_bytes("data.mdb", page * 4096 + 20, &lmdb, sizeof lmdb);
  db = open_db(why, &err);
  assert_int_equal(err, 0);
  oc_db_close(db);
}

/* What a change of keys left behind is only taken away when it is known. */
static void an_unfinished_change_of_keys_with_a_strange_file(void **state) {
  (void)state;
  char folder[300], file[320], why[256];
  int err;
  snprintf(folder, sizeof folder, "%s/rekey", dir);
  snprintf(file, sizeof file, "%s/strange", folder);
  assert_int_equal(mkdir(folder, 0700), 0);
  FILE *f = fopen(file, "w");
  assert_non_null(f);
  fclose(f);
  is_refused(OV_E_IO, "cannot finish the change of keys in ");
  unlink(file);
  oc_db *db = open_db(why, &err);
  assert_int_equal(err, 0);
  oc_db_close(db);
}

static void a_store_without_its_data_is_not_made_anew(void **state) {
  (void)state;
  cut_to(0);
  is_refused(OV_E_CORRUPT, "is gone or empty: restore data.mdb");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_newer_store_is_left_alone),
      cmocka_unit_test(an_unfinished_change_of_keys_with_a_strange_file), cmocka_unit_test(sound_store_opens),
      cmocka_unit_test(cut_store_is_refused), cmocka_unit_test(a_store_without_its_data_is_not_made_anew)};
  const char *tmp = getenv("TMPDIR");
  snprintf(dir, sizeof dir, "%s/ov-store-file-XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(dir)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  const char *const files[] = {"data.mdb", "lock.mdb", "lock", "store.key", "made"};
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
    char f[300];
    snprintf(f, sizeof f, "%s/%s", dir, files[i]);
    unlink(f);
  }
  rmdir(dir);
  return failed;
}
