/* Histories of people who decide at the same time. */
#include "home.h"

static ov_field teams(home *h, int64_t add, int64_t del) {
  return fx_set(&h->w.fx, SV_PARTICIPANT_TEAMS, &add, add ? 1 : 0, &del, del ? 1 : 0);
}

/* A participant moves while an entry about it is under way: the entry is stored, and goes where the
 * participant went, and nowhere else. PROTO-101, PROTO-128 */
static void a_participant_moves_meanwhile(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  tablet_add(&h.a, "sleep", &h.client, &h.ann, id, "night_date=2025-10-08", "source=1", "quality=4", NULL);
  ov_field f = teams(&h, h.other, h.team);
  fx_change(&h.w.fx, h.w.org, &h.client, &f, 1);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  tablet c;
  tablet_open(&c, &h.w, "c");
  tablet_enrol(&c, "c", &h.other, 1);
  tablet_sync_ok(&c);
  assert_string_equal(tablet_value(&c, id, "quality", NULL), "4");
  tablet_sync_ok(&h.b);
  assert_false(tablet_has(&h.b, id));
  all_agree(&h);
  tablet_close(&c);
  home_close(&h);
}

/* As an app that makes participants would write one; a key comes with it. */
static ov_name add_participant(home *h, tablet *t) {
  static const uint8_t key[OV_KEY_BYTES] = {7};
  ov_field f[] = {fx_text(SV_PARTICIPANT_LABEL, "Nieuw"),
                  teams(h, h->team, 0),
                  {SV_PARTICIPANT_KEY, ov_bytes(key, sizeof key)}};
  f[1].id = SV_PARTICIPANT_TEAMS;
  ov_op op = {.creates = true,
              .kind = OV_KIND_PARTICIPANT,
              .version = 1,
              .scope = h->team,
              .has_author = true,
              .author = h->ann,
              .device_time = h->w.fx.now_ms / 1000,
              .fields = f,
              .n_fields = 3};
  oc_txn *txn = NULL;
  FX_OK(oc_txn_begin(t->s->db, true, &txn));
  FX_OK(oc_log_append(t->s, txn, &op, &h->w.fx.arena));
  FX_OK(oc_txn_commit(txn));
  return op.name;
}

/* A participant is made on a tablet, the ACK is lost, and it is moved to a team that the tablet is not of:
 * the tablet is told 'gone' of a record that it was never sent, and does not keep it as its own. PROTO-110 */
static void a_participant_moves_before_its_author_hears(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OV_NAME_TEXT_MAX];
  ov_name made = add_participant(&h, &h.a);
  ov_name_text(&made, id);
  link_plan lose = {.lose_down = 2}; /* WELCOME comes, the ACK does not */
  tablet_sync(&h.a, &lose, NULL);
  ov_field f = teams(&h, h.other, h.team);
  fx_change(&h.w.fx, h.w.org, &made, &f, 1);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  assert_false(tablet_has(&h.a, id));
  all_agree(&h);
  home_close(&h);
}

/* A new log, as after meeting a double, whose random id comes before this one. */
static void begin_log_before(tablet *t, const ov_id *other) {
  oc_txn *x = NULL;
  for (;;) {
    FX_OK(oc_txn_begin(t->s->db, true, &x));
    FX_OK(oc_writer_start(t->s, x));
    if (memcmp(&t->s->self.writer, other, sizeof *other) < 0) break;
    oc_txn_abort(x);
  }
  FX_OK(oc_self_save(t->s, x));
  FX_OK(oc_txn_commit(x));
}

/* A participant is made in an older log, whose SYNCED is lost, and an entry about them follows in a newer
 * one: whichever log comes first by its random id, it lies where the participant does. (Found by the
 * simulator.) PROTO-113 */
static void a_participant_made_in_an_older_log(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  ov_name made = add_participant(&h, &h.a);
  tablet_sync(&h.a, &(link_plan){.cut_after_down = 3}, NULL); /* WELCOME, ACK, DELTA */
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  begin_log_before(&h.a, &made.writer);
  tablet_add(&h.a, "sleep", &made, &h.ann, id, "night_date=2025-10-08", "source=1", NULL);
  later(&h);
  all_agree(&h);
  home_close(&h);
}

/* The scopes that this tablet keeps a record for: this one, and no other. */
static void lies_in(home *h, tablet *t, const ov_name *record, uint32_t scope) {
  oc_txn *x = NULL;
  oc_server_part p;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  FX_OK(oc_part_get(x, record, &h->w.fx.arena, &p));
  oc_txn_abort(x);
  assert_int_equal(p.n_scopes, 1);
  assert_int_equal(p.scopes[0], scope);
}

/* About a participant without a live team: the record lies where the participant does, whatever scope the
 * entry named, and goes when the device leaves that team. PROTO-101 */
static void a_participant_without_a_team(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OV_NAME_TEXT_MAX];
  const int64_t both[] = {h.team, h.other};
  ov_field f = fx_set(&h.w.fx, SV_DEVICE_TEAMS, both, 2, NULL, 0), none = teams(&h, 0, h.team);
  fx_change(&h.w.fx, h.w.org, &h.a.s->self.device_record, &f, 1);
  fx_change(&h.w.fx, h.w.org, &h.client, &none, 1);
  later(&h);
  tablet_sync_ok(&h.a);
  ov_field night = {10, ov_int(h.w.fx.now_ms / 86400000)}; /* sleep: night_date */
  ov_op op = {.scope = h.other,
              .creates = true,
              .kind = 20,
              .version = 1,
              .has_participant = true,
              .participant = h.client,
              .has_author = true,
              .author = h.ann,
              .device_time = h.w.fx.now_ms / 1000,
              .fields = &night,
              .n_fields = 1};
  oc_txn *x = NULL;
  FX_OK(oc_txn_begin(h.a.s->db, true, &x));
  FX_OK(oc_log_append(h.a.s, x, &op, &h.w.fx.arena));
  FX_OK(oc_txn_commit(x));
  ov_name_text(&op.name, id);
  tablet_sync_ok(&h.a);
  assert_true(tablet_has(&h.a, id));
  sv_record_row row;
  assert_true(fx_record(&h.w.fx, h.w.org, &op.name, &row));
  assert_true(row.n_places == 1 && row.places[0].scope == h.team);
  assert_int_equal(fx_verdict(&h.w.fx, h.w.org, &op.name, NULL), OV_APPLIED); /* held, it would be sent */
  lies_in(&h, &h.a, &op.name, h.team);
  tablet_edit(&h.a, id, &h.ann, "source=1", NULL);
  tablet_sync_ok(&h.a);
  lies_in(&h, &h.a, &op.name, h.team);
  f = fx_set(&h.w.fx, SV_DEVICE_TEAMS, &both[1], 1, both, 1);
  fx_change(&h.w.fx, h.w.org, &h.a.s->self.device_record, &f, 1);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_false(tablet_has(&h.a, id));
  home_close(&h);
}

/* The same removal twice at once, from two teams, leaves no team: the scope of the creating op keeps the
 * records reachable. */
static void two_removals_leave_no_team(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  tablet_add(&h.a, "sleep", &h.client, &h.ann, id, "night_date=2025-10-08", "source=1", "quality=4", NULL);
  ov_field both = teams(&h, h.other, 0);
  fx_change(&h.w.fx, h.w.org, &h.client, &both, 1);
  tablet_sync_ok(&h.a);
  sv_record_row row;
  assert_true(fx_record(&h.w.fx, h.w.org, &h.client, &row));
  ov_name seen[OV_OP_REPLACES_MAX];
  uint32_t n = row.rec.n_ops;
  for (uint32_t i = 0; i < n; i++) seen[i] = row.rec.ops[i].name;
  ov_field f1 = teams(&h, 0, h.team), f2 = teams(&h, 0, h.other);
  for (int i = 0; i < 2; i++) { /* neither has seen the other */
    ov_op op = {.scope = row.rec.scope,
                .record = h.client,
                .kind = OV_KIND_PARTICIPANT,
                .version = 1,
                .has_participant = true,
                .participant = h.client,
                .fields = i ? &f2 : &f1,
                .n_fields = 1,
                .replaces = seen,
                .n_replaces = n};
    fx_local(&h.w.fx, h.w.org, op, NULL);
  }
  later(&h);
  all_agree(&h);
  ov_name night = name_of(id);
  assert_true(fx_record(&h.w.fx, h.w.org, &night, &row));
  assert_int_equal(row.n_places, 1);
  assert_int_equal(row.places[0].scope, row.rec.scope);
  home_close(&h);
}

/* One carer deletes a code, another adds a code to the same set at the same time: both are done, nothing is
 * in conflict. */
static void a_code_set_changed_by_two(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  tablet_add(&h.a, "sleep", &h.client, &h.ann, id, "night_date=2025-10-08", "source=1", "disturbance=1,2",
             NULL);
  all_agree(&h);
  tablet_edit(&h.a, id, &h.ann, "disturbance=-2", NULL);
  tablet_edit(&h.b, id, &h.bea, "disturbance=4", NULL);
  later(&h);
  all_agree(&h);
  sv_record_row row;
  ov_name name = name_of(id);
  assert_true(fx_record(&h.w.fx, h.w.org, &name, &row));
  assert_int_equal(ov_record_conflicts(&row.rec), 0);
  const ov_skind *k = ov_schemas_by_name(h.w.fx.schemas, "sleep");
  uint32_t n = 0;
  const ov_live *l = ov_record_field(&row.rec, ov_skind_by_name(k, "disturbance")->id, &n);
  assert_int_equal(n, 3);
  const int64_t want[3][2] = {{1, 1}, {2, 0}, {4, 1}};
  for (uint32_t i = 0; i < 3; i++) {
    assert_int_equal(l[i].elem.i, want[i][0]);
    assert_int_equal(l[i].v.i, want[i][1]);
  }
  home_close(&h);
}

/* The same field edited by two: both see both, one settles it, everyone agrees. PROTO-25, PROTO-96 */
static void a_conflict_is_seen_and_settled(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT], who[OV_NAME_TEXT_MAX];
  unsigned n = 0;
  tablet_add(&h.a, "sleep", &h.client, &h.ann, id, "night_date=2025-10-08", "source=1", "quality=3", NULL);
  all_agree(&h);
  tablet_edit(&h.a, id, &h.ann, "quality=4", NULL);
  tablet_edit(&h.b, id, &h.bea, "quality=2", NULL);
  later(&h);
  all_agree(&h);
  tablet_value(&h.a, id, "quality", &n);
  assert_int_equal(n, 2);
  tablet_value(&h.b, id, "quality", &n);
  assert_int_equal(n, 2);
  assert_int_equal(tablet_status(&h.a).conflicts, 1);
  ov_name_text(&h.bea, who);
  assert_int_equal(oc_resolve(h.b.s, id, "quality", "2", who, NULL), 0);
  later(&h);
  all_agree(&h);
  assert_string_equal(tablet_value(&h.a, id, "quality", &n), "2");
  assert_int_equal(n, 1);
  assert_int_equal(tablet_status(&h.a).conflicts, 0);
  home_close(&h);
}

/* Two administrators, on two servers, rule differently on one held entry: dismissed stands on both, and the
 * author learns of it. PROTO-89 */
static void two_rulings_at_once(void **state) {
  (void)state;
  home h;
  home_open(&h);
  ov_name stranger = fx_person(&h.w.fx, h.w.org, "Vreemd", &h.other, 1);
  char id[OC_ID_TEXT];
  tablet_sync_ok(&h.a);
  tablet_add(&h.a, "sleep", &h.client, &stranger, id, "night_date=2025-10-08", "source=1", "quality=4", NULL);
  tablet_sync_ok(&h.a);
  uint8_t reason = 0;
  ov_name name = name_of(id);
  assert_int_equal(fx_verdict(&h.w.fx, h.w.org, &name, &reason), OV_HELD);
  assert_int_equal(reason, OV_HELD_AUTHOR);
  assert_int_equal(tablet_status(&h.a).attention, 1);
  sv_org *copy = fx_org_copy(&h.w.fx, h.w.org);
  fx_rule(&h.w.fx, h.w.org, &name, SV_RULING_ADMIT);
  fx_rule(&h.w.fx, copy, &name, SV_RULING_DISMISS);
  sv_txn *ct = NULL, *t = NULL;
  ov_name rulings[8];
  uint32_t n = 0;
  FX_OK(sv_txn_read(copy->env, &ct));
  FX_OK(sv_rulings_of(ct, &name, rulings, 8, &n));
  assert_int_equal(n, 1);
  sv_op_row row;
  sv_touches touches = {0};
  FX_OK(sv_op_get(ct, &rulings[0], &h.w.fx.arena, &row));
  FX_OK(sv_txn_write(h.w.org->env, &t));
  FX_OK(sv_ingest_foreign(t, h.w.org, &row, &h.w.fx.arena, &touches));
  FX_OK(sv_txn_commit(t));
  sv_txn_abort(ct);
  sv_touches_free(&touches);
  assert_int_equal(fx_verdict(&h.w.fx, h.w.org, &name, NULL), OV_DISMISSED);
  later(&h);
  all_agree(&h);
  sv_org_close(copy);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_participant_moves_meanwhile),
                                     cmocka_unit_test(a_participant_moves_before_its_author_hears),
                                     cmocka_unit_test(a_participant_made_in_an_older_log),
                                     cmocka_unit_test(a_participant_without_a_team),
                                     cmocka_unit_test(two_removals_leave_no_team),
                                     cmocka_unit_test(a_code_set_changed_by_two),
                                     cmocka_unit_test(a_conflict_is_seen_and_settled),
                                     cmocka_unit_test(two_rulings_at_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
