/* An entry that a server refuses as broken, as a later one may (this version writes none that it refuses): it
 * travels as a void and its log goes on; it asks for attention, cannot be changed, and is there to be
 * exported. PROTO-84 */
#include "home.h"

/* As an ACK that refuses it leaves the log. */
static void refuse(tablet *t, const char *id) {
  ov_name name = name_of(id);
  oc_txn *x = NULL;
  ov_arena a;
  oc_log_row row;
  ov_arena_init(&a, 1u << 20);
  FX_OK(oc_txn_begin(t->s->db, true, &x));
  FX_OK(oc_log_get(x, &name.writer, name.seq, &a, &row));
  row.as_void = true;
  row.refused_err = OV_E_OP_LIMIT;
  FX_OK(oc_log_put(x, &row));
  FX_OK(oc_view_index(t->s, x, &row.op.record, &a));
  FX_OK(oc_txn_commit(x));
  ov_arena_free(&a);
}

static void asks_for_attention(home *h, const char *id) {
  oc_query *q = NULL;
  oc_error e = {0};
  assert_int_equal(oc_query_run(h->a.s, &(oc_filter){.attention_only = true}, &q, &e), 0);
  assert_int_equal(oc_query_count(q), 1);
  const oc_record *r = oc_query_at(q, 0);
  assert_string_equal(oc_record_id(r), id);
  assert_string_equal(oc_record_attention(r, false), ov_err_text(OV_E_OP_LIMIT));
  assert_string_equal(oc_record_attention(r, true),
                      "De server neemt dit niet aan. Exporteer het en vraag hulp.");
  oc_query_free(q);
  assert_int_equal(tablet_status(&h->a).attention, 1);
}

static void is_exported(home *h) {
  char *json = NULL;
  oc_error e = {0};
  assert_int_equal(oc_export_unsent(h->a.s, &json, &e), 0);
  assert_non_null(strstr(json, "\"why\": \"refused\""));
  assert_non_null(strstr(json, "rustig"));
  assert_non_null(strstr(json, ov_err_text(OV_E_OP_LIMIT)));
  oc_free(json);
}

static void is_not_changed(home *h, const char *id) {
  char ann[OV_NAME_TEXT_MAX];
  oc_error e = {0};
  ov_name_text(&h->ann, ann);
  assert_null(oc_draft_edit(h->a.s, id, &e));
  assert_int_equal(e.err, OC_E_INVALID);
  assert_non_null(strstr(e.message, "the server refused this entry: it cannot be edited, only exported"));
  assert_int_equal(oc_retract(h->a.s, id, ann, "verkeerd", &e), OC_E_INVALID);
  assert_non_null(strstr(e.message, "the server refused this entry: it cannot be changed, only exported"));
}

static void it_waits_for_somebody(void **state) {
  (void)state;
  home h;
  char id[OC_ID_TEXT], next[OC_ID_TEXT];
  sv_op_row row;
  home_open(&h);
  tablet_add(&h.a, "sleep", &h.client, &h.ann, id, "night_date=2025-10-01", "source=1", "note=rustig", NULL);
  refuse(&h.a, id);
  tablet_add(&h.a, "sleep", &h.client, &h.ann, next, "night_date=2025-10-02", "source=1", NULL);
  for (int sent = 0; sent < 2; sent++) {
    asks_for_attention(&h, id);
    is_exported(&h);
    is_not_changed(&h, id);
    tablet_sync_ok(&h.a);
  }
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  ov_name name = name_of(id);
  assert_true(fx_op(&h.w.fx, h.w.org, &name, &row));
  assert_true(row.op.is_void);
  tablet_sync_ok(&h.b);
  assert_true(tablet_has(&h.b, next));
  all_agree(&h);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(it_waits_for_somebody)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
