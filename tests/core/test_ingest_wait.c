/* Ops that come before what they name: they wait unreported and are judged when it arrives, in whatever
 * order. */
#include "ingest_world.h"
#include "sv_limits.h"

/* Two tablets of team A: ta creates, t2 edits what ta created, having met it through another server. */
typedef struct apart {
  small_world s;
  sv_org *hub;
  fx_tablet *t2;
  ov_name night, edit, second;
} apart;

static void apart_open(apart *x, uint64_t seed) {
  small_open(&x->s, seed);
  x->t2 = fx_tablet_new(&x->s.w, x->s.org, &x->s.a, 1, &x->s.carer);
  x->hub = fx_org_copy(&x->s.w, x->s.org);
  x->night = small_night(&x->s, x->s.ta, 1);
  fx_push_ok(x->s.ta, x->hub, 1, 1);
  ov_field f[] = {FX_INT(SLEEP_SOL, 30)};
  x->edit = fx_edit(x->t2, x->hub, &x->night, f, 1);
  fx_push_ok(x->t2, x->hub, 1, 1);
  ov_field g[] = {FX_INT(SLEEP_SOL, 35)};
  x->second = fx_edit(x->t2, x->hub, &x->night, g, 1);
}

static void apart_close(apart *x) {
  fx_tablet_free(x->t2);
  sv_org_close(x->hub);
  small_close(&x->s);
}

/* A server that was put back goes on under another name: what waited in the backup was left open by its
 * former self, and is judged all the same when the record comes. When it was received stays as it was.
 * PROTO-87 */
static void what_waited_before_a_restore_is_judged(void **state) {
  (void)state;
  apart x;
  sv_push_out out;
  sv_record_row rec;
  sv_op_row row;
  apart_open(&x, 41);
  assert_int_equal(fx_push(x.t2, x.s.org, 1, 2, &out), 0);
  int64_t came = x.s.w.now_ms;
  FX_OK(sv_org_new_writer(x.s.org));
  x.s.w.now_ms += 10000;
  fx_push_ok(x.s.ta, x.s.org, 1, 1);
  assert_int_equal(small_waiting(x.s.org), 0);
  assert_int_equal(fx_verdict(&x.s.w, x.s.org, &x.edit, NULL), OV_APPLIED);
  assert_true(fx_op(&x.s.w, x.s.org, &x.edit, &row));
  assert_int_equal(row.receipts[0].server_time_ms, came);
  assert_true(fx_record(&x.s.w, x.s.org, &x.night, &rec));
  assert_int_equal(fx_int(&rec, SLEEP_SOL), 35);
  fx_verify(&x.s.w, x.s.org);
  apart_close(&x);
}

/* PROTO-87 */
static void an_edit_waits_for_its_record_unreported(void **state) {
  (void)state;
  apart x;
  sv_push_out out;
  sv_record_row rec;
  sv_op_row row;
  apart_open(&x, 40);
  assert_int_equal(fx_push(x.t2, x.s.org, 1, 2, &out), 0);
  assert_int_equal(out.stored, 2);
  assert_int_equal(out.n_held, 0);
  assert_int_equal(out.touches.n, 0);
  assert_int_equal(small_waiting(x.s.org), 2);
  assert_int_equal(fx_verdict(&x.s.w, x.s.org, &x.edit, NULL), OV_WAITING);
  assert_false(fx_record(&x.s.w, x.s.org, &x.night, &rec));
  int64_t came = x.s.w.now_ms;

  x.s.w.now_ms += 10000;
  assert_int_equal(fx_push(x.s.ta, x.s.org, 1, 1, &out), 0);
  assert_int_equal(small_waiting(x.s.org), 0);
  assert_int_equal(out.touches.n, 1);
  assert_true(out.touches.v[0].foreign); /* the author of the record has to see the edits */
  sv_touches_free(&out.touches);
  assert_true(fx_record(&x.s.w, x.s.org, &x.night, &rec));
  assert_int_equal(fx_int(&rec, SLEEP_SOL), 35);
  assert_false(ov_record_field_conflict(&rec.rec, SLEEP_SOL));
  assert_true(fx_op(&x.s.w, x.s.org, &x.edit, &row));
  assert_int_equal(row.receipts[0].verdict, OV_APPLIED); /* rewritten */
  assert_int_equal(row.receipts[0].server_time_ms, came);
  fx_verify(&x.s.w, x.s.org);
  apart_close(&x);
}

static sv_op_row as_void(const sv_op_row *row) {
  sv_op_row empty = *row;
  empty.op = (ov_op){.name = row->op.name,
                     .is_void = true,
                     .has_commitment = true,
                     .header_hash = row->op.header_hash,
                     .commitment = row->op.commitment};
  return empty;
}

static void bring(small_world *s, const sv_op_row *row) {
  sv_txn *t = NULL;
  FX_OK(sv_txn_write(s->org->env, &t));
  FX_OK(sv_ingest_foreign(t, s->org, row, &s->w.arena, NULL));
  FX_OK(sv_txn_commit(t));
}

/* PROTO-87: that an op is there does not say that it is a client. */
static void a_void_is_not_the_participant_that_an_op_waits_for(void **state) {
  (void)state;
  small_world s;
  sv_op_row row;
  small_open(&s, 45);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  ov_name bert = fx_participant(&s.w, hub, "Bert", &s.a, 1);
  FX_MUST(fx_op(&s.w, hub, &bert, &row));
  s.ta->keys[0].participant = bert;
  FX_OK(sv_keyring_get(hub->keyring, SV_KEY_COMMIT_PARTICIPANT, &bert, s.ta->keys[0].key));
  s.ta->n_keys = 1;
  s.ta->send_keys = true;
  ov_field f[] = {FX_INT(SLEEP_NIGHT, NIGHT), FX_INT(SLEEP_SOURCE, 2)};
  ov_name night = fx_create(s.ta, SLEEP, &bert, f, 2);
  fx_push_ok(s.ta, s.org, 1, 1);
  assert_int_equal(small_waiting(s.org), 1);
  sv_op_row empty = as_void(&row);
  bring(&s, &empty);
  assert_int_equal(small_waiting(s.org), 1);
  assert_int_equal(fx_verdict(&s.w, s.org, &night, NULL), OV_WAITING);
  bring(&s, &row);
  assert_int_equal(small_waiting(s.org), 0);
  assert_int_equal(fx_verdict(&s.w, s.org, &night, NULL), OV_APPLIED);
  fx_verify(&s.w, s.org);
  sv_org_close(hub);
  small_close(&s);
}

/* PROTO-101: a peer's participant may be here before the team that it is in. */
static void a_team_may_come_after_who_is_in_it(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  sv_scope scope;
  sv_txn *t = NULL;
  small_open(&s, 46);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  uint32_t c = fx_team(&s.w, hub, "Iep");
  ov_name bert = fx_participant(&s.w, hub, "Bert", &c, 1);
  sv_op_row team, row;
  ov_name name = fx_team_record(&s.w, hub, c);
  FX_MUST(fx_op(&s.w, hub, &name, &team) && fx_op(&s.w, hub, &bert, &row));
  FX_OK(sv_txn_read(s.org->env, &t));
  assert_int_equal(sv_scope_get(t, c, &scope), OV_E_NOTFOUND);
  sv_txn_abort(t);
  sv_op_row empty = as_void(&team); /* keeps its place in the log and says nothing yet */
  bring(&s, &empty);
  bring(&s, &row);
  assert_true(fx_record(&s.w, s.org, &bert, &rec));
  assert_true(fx_in_scope(&rec, c));
  ship(&s, hub, s.org);
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_scope_get(t, c, &scope));
  assert_true(ov_name_equal(&scope.record, &name));
  sv_txn_abort(t);
  fx_verify(&s.w, s.org);
  sv_org_close(hub);
  small_close(&s);
}

static void what_waited_is_judged_when_it_is_released(void **state) {
  (void)state;
  apart x;
  uint8_t reason;
  apart_open(&x, 41);
  ov_field f[] = {FX_INT(SLEEP_SOURCE, 77)};
  ov_name bad = fx_edit(x.t2, x.hub, &x.night, f, 1);
  fx_push_ok(x.t2, x.s.org, 1, 3);
  fx_push_ok(x.s.ta, x.s.org, 1, 1);
  assert_int_equal(fx_verdict(&x.s.w, x.s.org, &bad, &reason), OV_HELD);
  assert_int_equal(reason, OV_HELD_CODE);
  sv_record_row rec;
  assert_true(fx_record(&x.s.w, x.s.org, &x.night, &rec));
  assert_int_equal(rec.rec.n_held, 1);
  fx_verify(&x.s.w, x.s.org);
  apart_close(&x);
}

static void a_release_may_release_others(void **state) {
  (void)state;
  apart x;
  apart_open(&x, 42);
  /* A participant made at the hub, a night about it, and an edit of that night: all come before the
   * participant. */
  ov_name bert = fx_participant(&x.s.w, x.hub, "Bert", &x.s.a, 1);
  fx_tablet *t = x.s.ta;
  t->keys[0].participant = bert;
  FX_OK(sv_keyring_get(x.hub->keyring, SV_KEY_COMMIT_PARTICIPANT, &bert, t->keys[0].key));
  x.t2->keys[0] = t->keys[0];
  t->n_keys = x.t2->n_keys = 1;
  t->send_keys = x.t2->send_keys = true;
  ov_field f[] = {FX_INT(SLEEP_NIGHT, NIGHT), FX_INT(SLEEP_SOURCE, 2)}, g[] = {FX_INT(SLEEP_WAKE, 2)};
  ov_name night = fx_create(t, SLEEP, &bert, f, 2);
  ov_op header = {.scope = x.s.a, .kind = SLEEP, .version = 1, .has_participant = true, .participant = bert};
  ov_name edit = fx_edit_of(x.t2, &header, &night, g, 1, NULL, 0);
  fx_push_ok(x.t2, x.s.org, 1, 3); /* the edit, and two that wait for the other night */
  fx_push_ok(t, x.s.org, 1, 2);    /* releases those two; the new night waits for its participant */
  assert_int_equal(small_waiting(x.s.org), 2);
  assert_int_equal(fx_verdict(&x.s.w, x.s.org, &edit, NULL), OV_WAITING);
  ship(&x.s, x.hub, x.s.org);
  assert_int_equal(small_waiting(x.s.org), 0);
  assert_int_equal(fx_verdict(&x.s.w, x.s.org, &edit, NULL), OV_APPLIED);
  sv_record_row rec;
  assert_true(fx_record(&x.s.w, x.s.org, &night, &rec));
  assert_int_equal(fx_int(&rec, SLEEP_WAKE), 2);
  fx_verify(&x.s.w, x.s.org);
  apart_close(&x);
}

static void the_order_of_arrival_makes_no_difference(void **state) {
  (void)state;
  uint8_t states[6][4096];
  size_t lengths[6];
  static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (unsigned o = 0; o < 6; o++) {
    apart x;
    apart_open(&x, 43);
    fx_tablet *t3 = fx_tablet_new(&x.s.w, x.s.org, &x.s.a, 1, &x.s.both);
    ov_op header = {
        .scope = x.s.a, .kind = SLEEP, .version = 1, .has_participant = true, .participant = x.s.anna};
    ov_field f[] = {FX_INT(SLEEP_SOL, 40)};
    fx_edit_of(t3, &header, &x.night, f, 1, &x.edit, 1);
    fx_tablet *who[] = {x.s.ta, x.t2, t3};
    for (unsigned i = 0; i < 3; i++) fx_push_ok(who[orders[o][i]], x.s.org, 1, who[orders[o][i]]->n);
    sv_record_row rec;
    assert_true(fx_record(&x.s.w, x.s.org, &x.night, &rec));
    assert_int_equal(ov_record_conflicts(&rec.rec), 1); /* 35 and 40, neither saw the other */
    ov_buf b;
    ov_buf_init(&b, 0);
    ov_record_encode(&rec.rec, &b);
    assert_true(b.n <= sizeof states[o]);
    memcpy(states[o], b.p, lengths[o] = b.n);
    ov_buf_free(&b);
    fx_verify(&x.s.w, x.s.org);
    fx_tablet_free(t3);
    apart_close(&x);
  }
  for (unsigned o = 1; o < 6; o++) {
    assert_int_equal(lengths[o], lengths[0]);
    assert_memory_equal(states[o], states[0], lengths[0]);
  }
}

static void too_many_waiting_ops_are_told_busy(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  small_open(&s, 44);
  ov_op header = {.scope = s.a, .kind = SLEEP, .version = 1, .has_participant = true, .participant = s.anna};
  ov_name nowhere = {.writer = {{9}}, .seq = 1};
  ov_field f[] = {FX_INT(SLEEP_WAKE, 1)};
  uint32_t room = SV_WAITING_MAX, from = 1;
  while (room) {
    uint32_t n = room < OV_FRAME_ROWS_MAX ? room : OV_FRAME_ROWS_MAX;
    for (uint32_t i = 0; i < n; i++) fx_edit_of(s.ta, &header, &nowhere, f, 1, NULL, 0);
    fx_push_ok(s.ta, s.org, from, from + n - 1);
    from += n;
    room -= n;
  }
  small_night(&s, s.ta, 1);
  fx_edit_of(s.ta, &header, &nowhere, f, 1, NULL, 0);
  assert_int_equal(fx_push(s.ta, s.org, from, from + 1, &out), OV_E_BUSY);
  assert_int_equal(out.stored, 0);
  fx_push_ok(s.ta, s.org, from, from); /* what does not wait is still taken */
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_edit_waits_for_its_record_unreported),
      cmocka_unit_test(what_waited_before_a_restore_is_judged),
      cmocka_unit_test(a_void_is_not_the_participant_that_an_op_waits_for),
      cmocka_unit_test(a_team_may_come_after_who_is_in_it),
      cmocka_unit_test(what_waited_is_judged_when_it_is_released),
      cmocka_unit_test(a_release_may_release_others),
      cmocka_unit_test(the_order_of_arrival_makes_no_difference),
      cmocka_unit_test(too_many_waiting_ops_are_told_busy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
