/* A store whose rows do not fit together: each damage is found, named, and nothing is mended behind anybody's
 * back. Made with the store's own keys, as a fault of the program would make it. */
#include "home.h"

static char night[OC_ID_TEXT];

static void *write_txn(home *h) {
  oc_txn *t = NULL;
  FX_OK(oc_txn_begin(h->a.s->db, true, &t));
  return t;
}

static void open_damaged(home *h) {
  home_open(h);
  tablet_add(&h->a, "sleep", &h->client, &h->ann, night, "night_date=2025-10-01", "source=1", NULL);
  tablet_add(&h->a, "sleep", &h->client, &h->ann, NULL, "night_date=2025-10-02", "source=1", NULL);
  tablet_sync_ok(&h->a);
  assert_int_equal(oc_verify(h->a.s, NULL), 0);
}

static void found(home *h, const char *says) {
  oc_error e;
  assert_int_equal(oc_verify(h->a.s, &e), OC_E_STORE);
  if (!strstr(e.message, says)) print_error("\"%s\"\n", e.message);
  assert_non_null(strstr(e.message, says));
  home_close(h);
}

static void an_entry_that_is_gone(void **state) {
  (void)state;
  home h;
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  open_damaged(&h);
  oc_txn *t = write_txn(&h);
  FX_OK(oc_next(t, OC_T_LOG, NULL, 0, NULL, 0, false, key, &n, NULL, NULL, NULL));
  FX_OK(oc_next(t, OC_T_LOG, NULL, 0, key, n, true, key, &n, NULL, NULL, NULL));
  FX_OK(oc_del(t, OC_T_LOG, key, n));
  FX_OK(oc_txn_commit(t));
  found(&h, "-2-00000000: an entry of the own log is missing");
}

static void set_last(home *h, uint64_t last, uint64_t acked) {
  oc_writer_row w;
  oc_txn *t = write_txn(h);
  FX_OK(oc_writer_get(t, &h->a.s->self.writer, &w));
  w.last = last;
  w.acked = acked;
  FX_OK(oc_writer_put(t, &w));
  FX_OK(oc_txn_commit(t));
}

static void a_log_that_ends_elsewhere(void **state) {
  (void)state;
  home h;
  open_damaged(&h);
  set_last(&h, 1, 1);
  found(&h, "the own log does not end where it should");
  open_damaged(&h);
  set_last(&h, 2, 3);
  found(&h, "more is acknowledged than was written");
}

static void an_index_that_says_something_else(void **state) {
  (void)state;
  home h;
  uint8_t key[OV_NAME_BYTES], other[OV_NAME_BYTES];
  const uint8_t *value = NULL;
  size_t n = 0;
  ov_arena a;
  ov_name name;
  open_damaged(&h);
  name = name_of(night);
  ov_name_write(&name, key);
  ov_name_write(&h.ann, other);
  ov_arena_init(&a, 1u << 16);
  oc_txn *t = write_txn(&h);
  FX_OK(oc_get(t, OC_T_ROW, other, sizeof other, &a, &value, &n));
  FX_OK(oc_put(t, OC_T_ROW, key, sizeof key, value, n));
  FX_OK(oc_txn_commit(t));
  ov_arena_free(&a);
  found(&h, "the index says something else than the record");
}

static void a_key_that_is_none(void **state) {
  (void)state;
  home h;
  open_damaged(&h);
  oc_txn *t = write_txn(&h);
  FX_OK(oc_put(t, OC_T_NATURAL, "short", 5, NULL, 0));
  FX_OK(oc_txn_commit(t));
  found(&h, "has 5 bytes instead of ");
}

static void an_index_of_nothing(void **state) {
  (void)state;
  home h;
  uint8_t key[OV_NAME_BYTES] = {0xff};
  open_damaged(&h);
  oc_txn *t = write_txn(&h);
  FX_OK(oc_put(t, OC_T_ROW, key, sizeof key, "x", 1));
  FX_OK(oc_txn_commit(t));
  found(&h, "an index names a record that is not here");
}

/* What an import remembers of an entry cannot be read: the import stops, as nobody knows what it made. */
static void what_an_import_remembers(void **state) {
  (void)state;
  home h;
  oc_error e;
  uint8_t key[16] = {7};
  open_damaged(&h);
  oc_once it = {.draft = oc_draft_new(h.a.s, "sleep"), .key = {7}};
  oc_status before = tablet_status(&h.a);
  assert_int_equal(oc_draft_participant(it.draft, "Client 1", &e), 0);
  assert_int_equal(oc_draft_author(it.draft, "Ann", &e), 0);
  assert_int_equal(oc_draft_set(it.draft, "night_date", "2025-10-03", &e), 0);
  oc_txn *t = write_txn(&h);
  FX_OK(oc_put(t, OC_T_IMPORT, key, sizeof key, "\xc0", 1));
  FX_OK(oc_txn_commit(t));
  assert_int_equal(oc_add_once(h.a.s, &it, 1, false, &e), OC_E_STORE);
  oc_draft_free(it.draft);
  assert_int_equal(tablet_status(&h.a).unsent, before.unsent);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_entry_that_is_gone),
      cmocka_unit_test(a_log_that_ends_elsewhere),
      cmocka_unit_test(an_index_that_says_something_else),
      cmocka_unit_test(a_key_that_is_none),
      cmocka_unit_test(an_index_of_nothing),
      cmocka_unit_test(what_an_import_remembers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
