/* Where records live: with their participant's teams, wherever those go. */
#include "ingest_world.h"

static ov_name move(small_world *s, sv_org *org, const int64_t *add, uint32_t n_add, const int64_t *del,
                    uint32_t n_del) {
  ov_field f[] = {fx_set(&s->w, SV_PARTICIPANT_TEAMS, add, n_add, del, n_del)};
  return fx_change(&s->w, org, &s->anna, f, 1);
}

static bool gone_in(small_world *s, sv_org *org, uint32_t scope, const ov_name *record) {
  sv_txn *t = NULL;
  uint64_t pos;
  (void)s;
  FX_OK(sv_txn_read(org->env, &t));
  int err = sv_gone_get(t, scope, record, &pos);
  sv_txn_abort(t);
  return !err;
}

/* PROTO-101 */
static void all_records_follow_their_participant(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  small_open(&s, 70);
  for (int i = 0; i < 600; i++) small_night(&s, s.ta, 1 + i % 6); /* more than a page */
  fx_push_ok(s.ta, s.org, 1, 600);
  int64_t changed = s.w.now_ms / 1000;
  s.w.now_ms += 40 * 86400000ll;
  move(&s, s.org, (int64_t[]){s.b}, 1, (int64_t[]){s.a}, 1);
  for (uint32_t i = 0; i < 600; i++) {
    assert_true(fx_record(&s.w, s.org, &s.ta->ops[i]->name, &rec));
    assert_int_equal(rec.n_places, 1);
    assert_int_equal(rec.places[0].scope, s.b);
    assert_int_equal(rec.changed, changed); /* moving is no change: what has left the window stays out */
    assert_true(gone_in(&s, s.org, s.a, &s.ta->ops[i]->name));
  }
  assert_true(fx_record(&s.w, s.org, &s.anna, &rec));
  assert_false(fx_in_scope(&rec, s.a));
  assert_true(fx_in_scope(&rec, s.b));
  fx_verify(&s.w, s.org);
  /* And back: the markers are gone, the positions new. */
  move(&s, s.org, (int64_t[]){s.a}, 1, NULL, 0);
  assert_true(fx_record(&s.w, s.org, &s.ta->ops[0]->name, &rec));
  assert_int_equal(rec.n_places, 2);
  assert_false(gone_in(&s, s.org, s.a, &rec.rec.name));
  fx_verify(&s.w, s.org);
  small_close(&s);
}

static void an_entry_under_way_goes_where_its_participant_went(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  sv_record_row rec;
  small_open(&s, 71);
  ov_name before = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  ov_name night = small_night(&s, s.ta, 2); /* written offline, while ... */
  ov_field f[] = {FX_INT(SLEEP_SOL, 12)};
  ov_name edit = fx_edit(s.ta, s.org, &before, f, 1);
  s.w.now_ms += 3600000;
  move(&s, s.org, (int64_t[]){s.b}, 1, (int64_t[]){s.a}, 1);
  s.w.now_ms += 3600000;
  assert_int_equal(fx_push(s.ta, s.org, 2, 3, &out), 0);
  assert_int_equal(out.n_held, 0);
  bool in_b = false;
  for (uint32_t i = 0; i < out.touches.n; i++) {
    assert_int_not_equal(out.touches.v[i].scope, s.a);
    in_b |= ov_name_equal(&out.touches.v[i].record, &night) && out.touches.v[i].scope == s.b;
  }
  assert_true(in_b);
  sv_touches_free(&out.touches);
  assert_int_equal(fx_verdict(&s.w, s.org, &night, NULL), OV_APPLIED);
  assert_int_equal(fx_verdict(&s.w, s.org, &edit, NULL), OV_APPLIED);
  assert_true(fx_record(&s.w, s.org, &night, &rec));
  assert_int_equal(rec.n_places, 1);
  assert_int_equal(rec.places[0].scope, s.b);
  assert_int_equal(rec.rec.scope, s.a); /* its header keeps what the author said */
  /* The new team may go on with it. */
  ov_name theirs = fx_edit(s.tb, s.org, &night, f, 1);
  fx_push_ok(s.tb, s.org, 1, 1);
  assert_int_equal(fx_verdict(&s.w, s.org, &theirs, NULL), OV_APPLIED);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

/* Two administrators at two servers, at once: each takes the participant out of one of its two teams.
 * PROTO-101 */
static void two_concurrent_removals_leave_the_creating_scope(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  small_open(&s, 72);
  move(&s, s.org, (int64_t[]){s.b}, 1, NULL, 0);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  assert_true(fx_record(&s.w, s.org, &night, &rec));
  assert_int_equal(rec.n_places, 2);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  move(&s, s.org, NULL, 0, (int64_t[]){s.a}, 1);
  move(&s, hub, NULL, 0, (int64_t[]){s.b}, 1);
  ship(&s, hub, s.org);
  ship(&s, s.org, hub);
  sv_org *both[] = {s.org, hub};
  for (int i = 0; i < 2; i++) {
    assert_true(fx_record(&s.w, both[i], &s.anna, &rec));
    assert_int_equal(rec.n_places, 1);
    assert_int_equal(rec.places[0].scope, s.a); /* where its record was created */
    assert_true(fx_record(&s.w, both[i], &night, &rec));
    assert_int_equal(rec.n_places, 1);
    assert_int_equal(rec.places[0].scope, s.a);
    fx_verify(&s.w, both[i]);
  }
  /* Still reachable: the team can log, and somebody can settle it. */
  small_night(&s, s.ta, 2);
  fx_push_ok(s.ta, s.org, 2, 2);
  move(&s, s.org, (int64_t[]){s.b}, 1, NULL, 0);
  assert_true(fx_record(&s.w, s.org, &night, &rec));
  assert_int_equal(rec.n_places, 1);
  assert_int_equal(rec.places[0].scope, s.b);
  fx_verify(&s.w, s.org);
  sv_org_close(hub);
  small_close(&s);
}

static void a_team_in_conflict_counts_as_present(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  small_open(&s, 73);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  move(&s, s.org, NULL, 0, (int64_t[]){s.b}, 1); /* one says: not in B */
  s.w.now_ms += 1000;
  move(&s, hub, (int64_t[]){s.b}, 1, NULL, 0); /* the other: in B */
  ship(&s, hub, s.org);
  assert_true(fx_record(&s.w, s.org, &s.anna, &rec));
  assert_true(ov_record_field_conflict(&rec.rec, SV_PARTICIPANT_TEAMS));
  assert_true(fx_in_scope(&rec, s.b));
  assert_true(fx_in_scope(&rec, s.a));
  fx_verify(&s.w, s.org);
  sv_org_close(hub);
  small_close(&s);
}

static void a_devices_row_follows_its_record(void **state) {
  (void)state;
  small_world s;
  sv_txn *t = NULL;
  uint32_t scopes[OV_SCOPES_MAX], n = 0;
  small_open(&s, 74);
  ov_field f[] = {fx_set(&s.w, SV_DEVICE_TEAMS, (int64_t[]){s.b}, 1, (int64_t[]){s.a}, 1)};
  fx_change(&s.w, s.org, &s.ta->device.record, f, 1);
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_device_scopes(t, s.org, &s.ta->device, &s.w.arena, scopes, &n));
  sv_txn_abort(t);
  assert_int_equal(n, 3);
  assert_int_equal(scopes[0], 0);
  assert_int_equal(scopes[1], 1);
  assert_int_equal(scopes[2], s.b);
  /* What it wrote while it was in the team is still good. */
  ov_op op = {.scope = s.a,
              .creates = true,
              .kind = SLEEP,
              .version = 1,
              .has_participant = true,
              .participant = s.anna,
              .device_time = s.w.now_ms / 1000 - 60};
  ov_name earlier = fx_add(s.ta, op);
  op.device_time = s.w.now_ms / 1000 + 60;
  ov_name later = fx_add(s.ta, op);
  fx_push_ok(s.ta, s.org, 1, 2);
  assert_int_equal(fx_verdict(&s.w, s.org, &earlier, NULL), OV_APPLIED);
  assert_int_equal(fx_verdict(&s.w, s.org, &later, NULL), OV_HELD);
  small_close(&s);
}

static void a_participants_change_by_a_tablet_moves_its_records_in_the_same_push(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  sv_record_row rec;
  small_open(&s, 75);
  ov_name one = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  ov_name two = small_night(&s, s.ta, 2);
  ov_field f[] = {fx_set(&s.w, SV_PARTICIPANT_TEAMS, (int64_t[]){s.b}, 1, NULL, 0)};
  fx_edit(s.ta, s.org, &s.anna, f, 1);
  assert_int_equal(fx_push(s.ta, s.org, 2, 3, &out), 0);
  assert_int_equal(out.n_held, 0);
  const ov_name *all[] = {&s.anna, &one, &two};
  for (int k = 0; k < 3; k++) {
    unsigned in_b = 0;
    for (uint32_t i = 0; i < out.touches.n; i++) {
      const sv_touch *c = &out.touches.v[i];
      in_b += ov_name_equal(&c->record, all[k]) && c->scope == s.b && !c->gone;
    }
    assert_int_equal(in_b, 1); /* each exactly once */
    assert_true(fx_record(&s.w, s.org, all[k], &rec));
    assert_int_equal(rec.n_places, 2);
  }
  sv_touches_free(&out.touches);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_records_follow_their_participant),
      cmocka_unit_test(an_entry_under_way_goes_where_its_participant_went),
      cmocka_unit_test(two_concurrent_removals_leave_the_creating_scope),
      cmocka_unit_test(a_team_in_conflict_counts_as_present),
      cmocka_unit_test(a_devices_row_follows_its_record),
      cmocka_unit_test(a_participants_change_by_a_tablet_moves_its_records_in_the_same_push),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
