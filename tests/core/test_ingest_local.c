/* The server's own log, organisations on disk, and the way of shared ops to the programme. */
#include "ingest_world.h"

#include <sys/stat.h>

#define LESSON 13
#define LESSON_NUMBER 2

static int local_err(small_world *s, ov_op op) {
  sv_txn *t = NULL;
  ov_name name;
  FX_OK(sv_txn_write(s->org->env, &t));
  int err = sv_ingest_local(t, s->org, &op, &s->w.arena, NULL, &name);
  FX_OK(sv_txn_commit(t)); /* a refusal does not spoil the batch */
  return err;
}

static void administration_is_told_at_once_what_is_wrong(void **state) {
  (void)state;
  small_world s;
  sv_tip before, after;
  sv_txn *t = NULL;
  uint32_t n;
  small_open(&s, 100);
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_tips_get(t, &s.org->server, &before, 1, &n));
  sv_txn_abort(t);
  ov_field role[] = {fx_text(SV_PERSON_NAME, "x"), FX_INT(SV_PERSON_ROLE, 77)};
  ov_op op = {
      .scope = 1, .creates = true, .kind = OV_KIND_PERSON, .version = 1, .fields = role, .n_fields = 2};
  assert_int_equal(local_err(&s, op), OV_E_INVALID);
  op.scope = s.a; /* people are the organisation's */
  role[1].v.i = 1;
  assert_int_equal(local_err(&s, op), OV_E_INVALID);
  op.creates = false;
  op.scope = 1;
  op.record = (ov_name){.writer = {{3}}, .seq = 4};
  assert_int_equal(local_err(&s, op), OV_E_NOTFOUND);
  op.record = s.anna; /* another kind's record */
  assert_int_equal(local_err(&s, op), OV_E_INVALID);
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_tips_get(t, &s.org->server, &after, 1, &n));
  sv_txn_abort(t);
  assert_memory_equal(&before.head, &after.head, sizeof before.head);
  small_close(&s);
}

static void the_servers_log_is_a_signed_chain(void **state) {
  (void)state;
  small_world s;
  sv_txn *t = NULL;
  ov_name name, after;
  const ov_name *at = NULL;
  ov_hash head;
  ov_buf b;
  uint64_t n = 0;
  small_open(&s, 101);
  ov_buf_init(&b, 0);
  FX_OK(ov_chain_start(s.w.hasher, &s.org->id, &s.org->server, &head));
  FX_OK(sv_txn_read(s.org->env, &t));
  for (; !sv_op_next(t, at, &name); at = &after) {
    sv_op_row row;
    after = name;
    FX_OK(sv_op_get(t, &name, &s.w.arena, &row));
    if (!ov_id_equal(&name.writer, &s.org->server)) continue;
    assert_int_equal(name.seq, ++n);
    FX_OK(ov_chain_step(s.w.hasher, name.seq, &row.op.header_hash, &row.op.commitment, &head));
    assert_memory_equal(&head, &row.head, sizeof head);
    assert_true(row.has_sig);
    ov_buf_reset(&b);
    ov_signed_push(&b, &s.org->id, &s.org->server, &s.org->server, name.seq, &head);
    FX_OK(ov_p256_verify(NULL, s.org->server_pubkey, b.p, b.n, row.sig));
    assert_int_equal(row.n_receipts, 1);
    assert_int_equal(row.receipts[0].verdict, OV_APPLIED);
  }
  sv_txn_abort(t);
  assert_true(n >= 8);
  ov_buf_free(&b);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

static void an_organisation_is_found_again(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  char why[OV_ERROR_TEXT_MAX], path[300];
  struct stat st;
  ov_id ids[4];
  uint32_t n = 0;
  memset(&s, 0, sizeof s);
  fx_open(&s.w, 102);
  const char *data = fx_data(&s.w);
  s.org = fx_org(&s.w, data, "De Linde");
  ov_id id = s.org->id, server = s.org->server;
  s.a = fx_team(&s.w, s.org, "Beuk");
  s.anna = fx_participant(&s.w, s.org, "Anna", &s.a, 1);
  sv_org_close(s.org);
  sv_org_options o = fx_org_options(&s.w, data);
  FX_OK(sv_org_list(data, ids, 4, &n));
  assert_int_equal(n, 1);
  assert_true(ov_id_equal(&ids[0], &id));
  FX_OK(sv_org_open(&o, &id, &s.org, why));
  assert_true(ov_id_equal(&s.org->server, &server));
  assert_string_equal(s.org->name, "De Linde");
  assert_string_equal(s.org->zone, "Europe/Amsterdam");
  assert_true(fx_record(&s.w, s.org, &s.anna, &rec));
  sv_org *twice = NULL;
  assert_int_equal(sv_org_create(&o, &id, "Again", "Europe/Amsterdam", &twice, why), OV_E_LOCKED);
  assert_null(twice);
  FX_OK(sv_org_new_writer(s.org));
  ov_id renewed = s.org->server;
  assert_false(ov_id_equal(&renewed, &server));
  assert_int_equal(fx_team(&s.w, s.org, "Eik"), s.a + 1); /* goes on in a log of its own */
  sv_org_close(s.org);
  assert_int_equal(sv_org_create(&o, &id, "Again", "Europe/Amsterdam", &twice, why), OV_E_EXISTS);
  FX_OK(sv_org_open(&o, &id, &s.org, why));
  assert_true(ov_id_equal(&s.org->server, &renewed));
  FX_OK(sv_org_path(data, &id, path, sizeof path));
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0700);
  sv_org_close(s.org);
  /* Another master key, or none of it at all. */
  uint8_t other[OV_KEY_BYTES] = {1};
  o.master = other;
  assert_int_equal(sv_org_open(&o, &id, &s.org, why), OV_E_CORRUPT);
  assert_null(s.org);
  o.master = s.w.master;
  id.b[0] ^= 1;
  assert_int_equal(sv_org_open(&o, &id, &s.org, why), OV_E_NOTFOUND);
  fx_close(&s.w);
}

/* -- the programme ----------------------------------------------------------------------------- */

static void copy_queue(small_world *s, sv_org *programme, unsigned *copied) {
  sv_txn *t = NULL, *p = NULL;
  uint64_t id;
  ov_name name;
  FX_OK(sv_txn_write(s->org->env, &t));
  FX_OK(sv_txn_write(programme->env, &p));
  while (!sv_queue_peek(t, &id, &name)) {
    sv_op_row row;
    FX_OK(sv_op_get(t, &name, &s->w.arena, &row));
    FX_OK(sv_ingest_foreign(p, programme, &row, &s->w.arena, NULL));
    FX_OK(sv_queue_pop(t, id));
    (*copied)++;
  }
  FX_OK(sv_txn_commit(p));
  FX_OK(sv_txn_commit(t));
}

static void shared_ops_are_queued_for_the_programme_and_live_there(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  sv_push_out out;
  unsigned copied = 0;
  small_open(&s, 103);
  sv_org *programme = fx_programme(&s.w, fx_data(&s.w));
  s.ta->scope = 0;
  fx_role(&s.w, s.org, &s.carer, 2); /* a project lead: lessons are theirs */
  ov_field f[] = {FX_INT(LESSON_NUMBER, 1)}, g[] = {fx_text(LESSON_NUMBER, "one")};
  ov_name lesson = fx_create(s.ta, LESSON, NULL, f, 1);
  FX_OK(fx_push(s.ta, s.org, 1, 1, &out));
  assert_int_equal(out.touches.n, 0); /* nothing changed in the organisation's own scopes */
  assert_false(fx_record(&s.w, s.org, &lesson, &rec));
  copy_queue(&s, programme, &copied);
  assert_int_equal(copied, 1);
  assert_true(fx_record(&s.w, programme, &lesson, &rec));
  assert_int_equal(rec.n_places, 1);
  assert_int_equal(rec.places[0].scope, 0);
  copied = 0;
  copy_queue(&s, programme, &copied);
  assert_int_equal(copied, 0);

  /* An edit; and one that is held stays inside until it is admitted. */
  ov_field h[] = {FX_INT(LESSON_NUMBER, 2)};
  fx_edit(s.ta, programme, &lesson, h, 1);
  ov_name held = fx_edit(s.ta, programme, &lesson, g, 1);
  FX_OK(fx_push(s.ta, s.org, 2, 3, &out));
  assert_int_equal(out.n_held, 1);
  copy_queue(&s, programme, &copied);
  assert_int_equal(copied, 1);
  assert_true(fx_record(&s.w, programme, &lesson, &rec));
  assert_int_equal(fx_int(&rec, LESSON_NUMBER), 2);
  sv_op_row row;
  assert_false(fx_op(&s.w, programme, &held, &row));
  fx_rule(&s.w, s.org, &held, SV_RULING_ADMIT);
  copied = 0;
  copy_queue(&s, programme, &copied);
  assert_int_equal(copied, 2); /* the op and the ruling */
  assert_int_equal(fx_verdict(&s.w, programme, &held, NULL), OV_APPLIED);
  fx_verify(&s.w, programme);
  fx_verify(&s.w, s.org);
  sv_org_close(programme);
  small_close(&s);
}

static void a_copy_that_is_repeated_changes_nothing(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  small_open(&s, 104);
  sv_org *programme = fx_programme(&s.w, fx_data(&s.w));
  s.ta->scope = 0;
  fx_role(&s.w, s.org, &s.carer, 2); /* a project lead: lessons are theirs */
  ov_field f[] = {FX_INT(LESSON_NUMBER, 1)};
  ov_name lesson = fx_create(s.ta, LESSON, NULL, f, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  sv_op_row row;
  assert_true(fx_op(&s.w, s.org, &lesson, &row));
  for (int i = 0; i < 3; i++) { /* a crash between the two commits */
    sv_txn *p = NULL;
    sv_touches touches = {0};
    FX_OK(sv_txn_write(programme->env, &p));
    FX_OK(sv_ingest_foreign(p, programme, &row, &s.w.arena, &touches));
    FX_OK(sv_txn_commit(p));
    assert_int_equal(touches.n, i ? 0 : 1);
    sv_touches_free(&touches);
  }
  assert_true(fx_record(&s.w, programme, &lesson, &rec));
  assert_int_equal(rec.places[0].pos, 1);
  sv_org_close(programme);
  small_close(&s);
}

static void a_peers_op_must_fit_its_chain(void **state) {
  (void)state;
  small_world s;
  sv_txn *t = NULL;
  sv_op_row first, second;
  small_open(&s, 105);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  ov_name a = small_night(&s, s.ta, 1), b = small_night(&s, s.ta, 2);
  fx_push_ok(s.ta, s.org, 1, 2);
  assert_true(fx_op(&s.w, s.org, &a, &first));
  assert_true(fx_op(&s.w, s.org, &b, &second));
  FX_OK(sv_txn_write(hub->env, &t));
  assert_int_equal(sv_ingest_foreign(t, hub, &second, &s.w.arena, NULL), OV_E_GAP);
  sv_op_row forged = first;
  forged.op.commitment.b[3] ^= 1;
  assert_int_equal(sv_ingest_foreign(t, hub, &forged, &s.w.arena, NULL), OV_E_AUTH);
  FX_OK(sv_ingest_foreign(t, hub, &first, &s.w.arena, NULL));
  forged = first;
  forged.head.b[20] ^= 1;
  assert_int_equal(sv_ingest_foreign(t, hub, &forged, &s.w.arena, NULL), OV_E_BRANCH);
  FX_OK(sv_ingest_foreign(t, hub, &second, &s.w.arena, NULL));
  FX_OK(sv_txn_commit(t));
  small_night(&s, s.ta, 3);
  fx_push_ok(s.ta, hub, 3, 3); /* its device goes on there */
  fx_verify(&s.w, hub);
  sv_org_close(hub);
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(administration_is_told_at_once_what_is_wrong),
      cmocka_unit_test(the_servers_log_is_a_signed_chain),
      cmocka_unit_test(an_organisation_is_found_again),
      cmocka_unit_test(shared_ops_are_queued_for_the_programme_and_live_there),
      cmocka_unit_test(a_copy_that_is_repeated_changes_nothing),
      cmocka_unit_test(a_peers_op_must_fit_its_chain),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
