/* Verdicts: what is held and why, and what rulings make of it. Nothing that is held is lost or stops what
 * comes behind it. */
#include "ingest_world.h"
#include "sv_limits.h"

static int reason_of(small_world *s, fx_tablet *t, const ov_name *name) {
  sv_push_out out;
  uint8_t reason;
  FX_OK(fx_push(t, s->org, t->n, t->n, &out));
  ov_verdict v = fx_verdict(&s->w, s->org, name, &reason);
  int held = v == OV_HELD ? reason : v == OV_APPLIED ? 0 : -1;
  assert_int_equal(out.n_held, held ? 1 : 0);
  if (held) assert_int_equal(out.held[0].reason, held);
  sv_touches_free(&out.touches);
  return held;
}

/* PROTO-88, PROTO-90, PROTO-153 */
static void values_outside_their_schema_are_held(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 50);
  ov_field range[] = {FX_INT(SLEEP_NIGHT, NIGHT), FX_INT(SLEEP_SOURCE, 1), FX_INT(SLEEP_SOL, 601)};
  ov_name n = fx_create(s.ta, SLEEP, &s.anna, range, 3);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_RANGE);
  ov_field code[] = {FX_INT(SLEEP_SOURCE, 12)};
  n = fx_create(s.ta, SLEEP, &s.anna, code, 1);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_CODE);
  ov_field type[] = {fx_text(SLEEP_SOL, "twenty")};
  n = fx_create(s.ta, SLEEP, &s.anna, type, 1);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_TYPE);
  ov_field unknown[] = {FX_INT(99, 1)};
  n = fx_create(s.ta, SLEEP, &s.anna, unknown, 1);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_UNKNOWN_FIELD);
  ov_field missing[] = {FX_INT(SLEEP_SOL, -99)};
  n = fx_create(s.ta, SLEEP, &s.anna, missing, 1);
  assert_int_equal(reason_of(&s, s.ta, &n),
                   0); /* unknown is an answer, and an incomplete record is no fault */
  n = fx_create(s.ta, 3999, &s.anna, missing, 1);
  assert_int_equal(reason_of(&s, s.ta, &n), 0); /* a kind of a newer schema is kept and relayed */
  fx_verify(&s.w, s.org);
  small_close(&s);
}

/* PROTO-158 */
static void who_may_not_is_held(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 51);
  ov_name mine = small_night(&s, s.ta, 1);
  assert_int_equal(reason_of(&s, s.ta, &mine), 0);

  /* Another team's tablet: about a client it never had, and in a team it is not in. */
  ov_name n = small_night(&s, s.tb, 1);
  assert_int_equal(reason_of(&s, s.tb, &n), OV_HELD_SCOPE);
  s.tb->scope = s.a;
  n = small_night(&s, s.tb, 1);
  assert_int_equal(reason_of(&s, s.tb, &n), OV_HELD_SCOPE);
  s.tb->scope = s.b;
  ov_op header = {.scope = s.b, .kind = SLEEP, .version = 1, .has_participant = true, .participant = s.anna};
  ov_field f[] = {FX_INT(SLEEP_SOL, 1)};
  n = fx_edit_of(s.tb, &header, &mine, f, 1, NULL, 0); /* an edit that claims its own scope */
  assert_int_equal(reason_of(&s, s.tb, &n), OV_HELD_SCOPE);

  /* Authors: none, one of another team, somebody who is no person. */
  s.ta->author = s.nurse;
  n = small_night(&s, s.ta, 2);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_AUTHOR);
  s.ta->author = s.anna;
  n = small_night(&s, s.ta, 2);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_AUTHOR);
  s.ta->author = (ov_name){0};
  n = small_night(&s, s.ta, 2);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_AUTHOR);
  s.ta->author = s.both;
  n = small_night(&s, s.ta, 2);
  assert_int_equal(reason_of(&s, s.ta, &n), 0);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

/* PROTO-154 */
static void kinds_that_decide_rights_are_the_servers(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 52);
  static const uint16_t kinds[] = {OV_KIND_ORGANISATION, OV_KIND_TEAM,   OV_KIND_PERSON,
                                   OV_KIND_DEVICE,       OV_KIND_RULING, OV_KIND_SCHEMA};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    ov_op op = {.scope = kinds[i] == OV_KIND_TEAM ? s.a : 1, .creates = true, .kind = kinds[i], .version = 1};
    ov_name n = fx_add(s.ta, op);
    assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_KIND);
  }
  /* An edit of the own device record or author would give rights as well. */
  ov_field f[] = {fx_set(&s.w, SV_DEVICE_TEAMS, (int64_t[]){s.b}, 1, NULL, 0)};
  ov_op edit = {.scope = 1,
                .kind = OV_KIND_DEVICE,
                .version = 1,
                .record = s.ta->device.record,
                .fields = f,
                .n_fields = 1};
  ov_name n = fx_add(s.ta, edit);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_KIND);
  edit.kind = SLEEP; /* nor under another kind */
  n = fx_add(s.ta, edit);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_KIND);
  sv_txn *t = NULL;
  sv_device d;
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_device_get(t, &s.ta->device.id, &d));
  sv_txn_abort(t);
  assert_int_equal(d.n_teams, 1);
  assert_int_equal(d.teams[0], s.a);
  small_close(&s);
}

/* PROTO-157 */
static void an_edit_has_its_records_header(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 78);
  ov_name night = small_night(&s, s.ta, 1);
  assert_int_equal(reason_of(&s, s.ta, &night), 0);
  ov_field f[] = {FX_INT(SLEEP_SOL, 1)};
  const ov_op right = {
      .scope = s.a, .kind = SLEEP, .version = 1, .has_participant = true, .participant = s.anna};
  ov_op wrong = right;
  ov_name n = fx_edit_of(s.ta, &right, &night, f, 1, NULL, 0);
  assert_int_equal(reason_of(&s, s.ta, &n), 0);
  wrong.kind = 13;
  n = fx_edit_of(s.ta, &wrong, &night, f, 1, NULL, 0);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_KIND);
  wrong = right;
  wrong.has_participant = false;
  n = fx_edit_of(s.ta, &wrong, &night, f, 1, NULL, 0);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_REF);
  wrong = right;
  wrong.scope = s.b; /* the participant says where it lies */
  n = fx_edit_of(s.ta, &wrong, &night, f, 1, NULL, 0);
  assert_int_equal(reason_of(&s, s.ta, &n), 0);

  ov_name loose = fx_create(s.ta, 3999, NULL, f, 1);
  assert_int_equal(reason_of(&s, s.ta, &loose), 0);
  ov_op of_no_one = {.scope = s.b, .kind = 3999, .version = 1};
  n = fx_edit_of(s.ta, &of_no_one, &loose, f, 1, NULL, 0);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_SCOPE);
  small_close(&s);
}

/* PROTO-152: what this server cannot judge does not leave the organisation */
static void an_unknown_kind_stays_in_the_organisation(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 79);
  ov_field f[] = {FX_INT(SLEEP_SOL, 1)};
  ov_name n = fx_create(s.ta, 3999, NULL, f, 1);
  assert_int_equal(reason_of(&s, s.ta, &n), 0);
  s.ta->scope = 0;
  n = fx_create(s.ta, 3999, NULL, f, 1);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_KIND);
  small_close(&s);
}

static void nothing_about_a_participant_goes_to_the_programme(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 53);
  s.ta->scope = 0;
  ov_name n = small_night(&s, s.ta, 1);
  assert_int_equal(reason_of(&s, s.ta, &n), OV_HELD_SCOPE);
  ov_field f[] = {FX_INT(SLEEP_SOL, 1)};
  n = fx_create(s.ta, SLEEP, NULL, f, 1);
  assert_int_not_equal(reason_of(&s, s.ta, &n), 0);
  s.ta->scope = s.a;
  ov_name mine = small_night(&s, s.ta, 1);
  assert_int_equal(reason_of(&s, s.ta, &mine), 0);
  ov_op header = {.scope = 0, .kind = 13, .version = 1};
  n = fx_edit_of(s.ta, &header, &mine, f, 1, NULL, 0); /* an edit of a night, dressed up as a lesson */
  assert_int_not_equal(reason_of(&s, s.ta, &n), 0);
  sv_txn *t = NULL;
  uint64_t id;
  FX_OK(sv_txn_read(s.org->env, &t));
  assert_int_equal(sv_queue_peek(t, &id, &n), OV_E_NOTFOUND);
  sv_txn_abort(t);
  small_close(&s);
}

/* Team A's tablet is revoked, and has handed in so many ops since. */
static void revoke(small_world *s, uint64_t quarantined) {
  sv_txn *t = NULL;
  sv_device d;
  FX_OK(sv_txn_write(s->org->env, &t));
  FX_OK(sv_device_get(t, &s->ta->device.id, &d));
  d.revoked = true;
  d.quarantined = quarantined;
  FX_OK(sv_device_put(t, &d));
  FX_OK(sv_txn_commit(t));
}

/* PROTO-122 */
static void a_revoked_device_hands_in_its_outbox_held(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  sv_txn *t = NULL;
  small_open(&s, 54);
  ov_name n = small_night(&s, s.ta, 1);
  revoke(&s, 0);
  uint32_t scopes[OV_SCOPES_MAX], k = 1;
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_device_scopes(t, s.org, &s.ta->device, &s.w.arena, scopes, &k));
  assert_int_equal(k, 0); /* receives nothing */
  sv_txn_abort(t);
  assert_int_equal(fx_push(s.ta, s.org, 1, 1, &out), 0); /* the session still thinks otherwise */
  assert_true(out.revoked);
  assert_int_equal(out.stored, 1);
  assert_int_equal(out.held[0].reason, OV_HELD_REVOKED);
  sv_touches_free(&out.touches);
  fx_rule(&s.w, s.org, &n, SV_RULING_ADMIT);
  sv_record_row rec;
  assert_true(fx_record(&s.w, s.org, &n, &rec));
  assert_int_equal(fx_int(&rec, SLEEP_SOURCE), 1);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

/* PROTO-122: as much as an outbox may hold, and no more. */
static void a_revoked_device_hands_in_only_so_much(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  small_open(&s, 56);
  small_night(&s, s.ta, 1);
  small_night(&s, s.ta, 2);
  revoke(&s, SV_QUARANTINE_OPS_MAX - 1);
  assert_int_equal(fx_push(s.ta, s.org, 1, 1, &out), 0);
  assert_int_equal(out.stored, 1);
  sv_touches_free(&out.touches);
  assert_int_equal(fx_push(s.ta, s.org, 2, 2, &out), OV_E_REVOKED);
  assert_true(out.revoked);
  assert_int_equal(out.stored, 0);
  small_close(&s);
}

/* PROTO-123: the organisation's store is older than the enrolment, the programme knows the device. */
static void a_device_that_only_the_programme_knows_reads_by_its_record(void **state) {
  (void)state;
  small_world s;
  sv_reader r;
  sv_txn *t = NULL;
  small_open(&s, 57);
  sv_device later = s.ta->device;
  memset(later.id.b, 0x77, sizeof later.id.b);
  later.n_teams = 1;
  later.teams[0] = s.b; /* of whatever the other store said nothing counts */
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_reader_load(t, s.org, &later, &s.w.arena, &r));
  assert_false(r.ended);
  assert_int_equal(r.n_scopes, 3);
  assert_int_equal(r.scopes[2], s.a);
  later.organisation.b[0] ^= 1;
  FX_OK(sv_reader_load(t, s.org, &later, &s.w.arena, &r));
  assert_true(r.ended);
  assert_int_equal(r.n_scopes, 0);
  sv_txn_abort(t);
  small_close(&s);
}

static void who_leaves_keeps_what_was_written_before(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 55);
  ov_name before = small_night(&s, s.ta, 1);
  s.w.now_ms += 3600000;
  ov_field f[] = {FX_INT(SV_PERSON_ACTIVE, 0)};
  fx_change(&s.w, s.org, &s.carer, f, 1);
  assert_int_equal(reason_of(&s, s.ta, &before), 0);
  s.w.now_ms += 1000;
  ov_name after = small_night(&s, s.ta, 2);
  assert_int_equal(reason_of(&s, s.ta, &after), OV_HELD_AUTHOR);

  /* The same for somebody who changes teams. */
  s.ta->author = s.both;
  before = small_night(&s, s.ta, 3);
  s.w.now_ms += 3600000;
  ov_field g[] = {fx_set(&s.w, SV_PERSON_TEAMS, NULL, 0, (int64_t[]){s.a}, 1)};
  fx_change(&s.w, s.org, &s.both, g, 1);
  assert_int_equal(reason_of(&s, s.ta, &before), 0);
  s.w.now_ms += 1000;
  after = small_night(&s, s.ta, 4);
  assert_int_equal(reason_of(&s, s.ta, &after), OV_HELD_AUTHOR);
  small_close(&s);
}

/* PROTO-158: two months behind, two months ahead, and one that was put right between writing and sending. */
static void a_wrong_clock_neither_takes_nor_prolongs_a_right(void **state) {
  (void)state;
  static const int64_t off[] = {-60 * 86400, 60 * 86400};
  for (unsigned i = 0; i < 2; i++) {
    small_world s;
    small_open(&s, 63 + i);
    s.ta->clock_off_s = off[i];
    ov_name before = small_night(&s, s.ta, 1);
    s.w.now_ms += 3600000;
    ov_field f[] = {FX_INT(SV_PERSON_ACTIVE, 0)};
    fx_change(&s.w, s.org, &s.carer, f, 1);
    assert_int_equal(reason_of(&s, s.ta, &before), 0);
    s.w.now_ms += 1000;
    ov_name after = small_night(&s, s.ta, 2);
    assert_int_equal(reason_of(&s, s.ta, &after), OV_HELD_AUTHOR);
    ov_name later = small_night(&s, s.ta, 3); /* by the wrong clock; what comes is never later than now */
    s.ta->clock_off_s = 0;
    assert_int_equal(reason_of(&s, s.ta, &later), i == 0 ? 0 : OV_HELD_AUTHOR);
    small_close(&s);
  }
}

/* PROTO-100 */
static void a_record_with_too_many_ops_is_frozen(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  uint8_t reason;
  small_open(&s, 61);
  ov_name night = small_night(&s, s.ta, 1), last = night;
  for (uint32_t i = 1; i < OV_RECORD_OPS_MAX; i++) {
    last = small_set(s.ta, 1, SLEEP_SOL, i % 600, i > 1 ? &last : NULL);
  }
  fx_push_ok(s.ta, s.org, 1, OV_RECORD_OPS_MAX);
  ov_name more = small_set(s.ta, 1, SLEEP_SOL, 599, &last);
  fx_push_ok(s.ta, s.org, s.ta->n, s.ta->n); /* stored all the same */
  assert_int_equal(fx_verdict(&s.w, s.org, &more, &reason), OV_HELD);
  assert_int_equal(reason, OV_HELD_FROZEN);
  assert_true(fx_record(&s.w, s.org, &night, &rec));
  assert_int_equal(fx_int(&rec, SLEEP_SOL), (OV_RECORD_OPS_MAX - 1) % 600);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

/* -- rulings ----------------------------------------------------------------------------------- */

static ov_name held_night(small_world *s, int64_t source) {
  sv_push_out out;
  ov_name n = small_night(s, s->ta, source);
  FX_OK(fx_push(s->ta, s->org, s->ta->n, s->ta->n, &out));
  assert_int_equal(out.n_held, 1);
  assert_true(out.touches.n == 1 && out.touches.v[0].foreign);
  sv_touches_free(&out.touches);
  return n;
}

/* PROTO-88, PROTO-89 */
static void admit_and_dismiss_take_effect_and_the_author_learns(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  small_open(&s, 56);
  ov_name n = held_night(&s, 40);
  assert_true(fx_record(&s.w, s.org, &n, &rec));
  assert_false(rec.rec.created);
  assert_int_equal(rec.rec.n_held, 1);
  assert_int_equal(rec.rec.n_live, 0);
  assert_true(fx_in_scope(&rec, s.a)); /* its team sees that something is held, not what */
  uint64_t pos = rec.places[0].pos;
  fx_rule(&s.w, s.org, &n, SV_RULING_ADMIT);
  assert_true(fx_record(&s.w, s.org, &n, &rec));
  assert_true(rec.rec.created);
  assert_int_equal(rec.rec.n_held, 0);
  assert_int_equal(fx_int(&rec, SLEEP_SOURCE), 40);
  assert_true(rec.places[0].pos > pos);
  pos = rec.places[0].pos;
  fx_rule(&s.w, s.org, &n, SV_RULING_DISMISS); /* a later ruling that saw the first one */
  assert_int_equal(fx_verdict(&s.w, s.org, &n, NULL), OV_DISMISSED);
  assert_true(fx_record(&s.w, s.org, &n, &rec));
  assert_int_equal(rec.rec.held[0].verdict, OV_DISMISSED);
  assert_true(rec.places[0].pos > pos);
  fx_rule(&s.w, s.org, &n, SV_RULING_ADMIT);
  assert_int_equal(fx_verdict(&s.w, s.org, &n, NULL), OV_APPLIED);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

static void only_what_was_held_can_be_ruled_on(void **state) {
  (void)state;
  small_world s;
  sv_txn *t = NULL;
  small_open(&s, 57);
  ov_name good = small_night(&s, s.ta, 1), nowhere = {.writer = {{5}}, .seq = 1};
  fx_push_ok(s.ta, s.org, 1, 1);
  FX_OK(sv_txn_write(s.org->env, &t));
  assert_int_equal(sv_ingest_ruling(t, s.org, &good, SV_RULING_DISMISS, "no", NULL, &s.w.arena, NULL),
                   OV_E_INVALID);
  assert_int_equal(sv_ingest_ruling(t, s.org, &nowhere, SV_RULING_ADMIT, "yes", NULL, &s.w.arena, NULL),
                   OV_E_NOTFOUND);
  FX_OK(sv_txn_commit(t));
  ov_name held = held_night(&s, 40);
  FX_OK(sv_txn_write(s.org->env, &t));
  assert_int_equal(sv_ingest_ruling(t, s.org, &held, 3, "what", NULL, &s.w.arena, NULL), OV_E_INVALID);
  ov_name n;
  FX_OK(sv_held_next(t, NULL, &n));
  assert_true(ov_name_equal(&n, &held));
  FX_OK(sv_ingest_ruling(t, s.org, &held, SV_RULING_ADMIT, "yes", NULL, &s.w.arena, NULL));
  assert_int_equal(sv_held_next(t, NULL, &n), OV_E_NOTFOUND); /* off the list */
  FX_OK(sv_txn_commit(t));
  small_close(&s);
}

/* Two administrators at two servers rule differently, neither having seen the other. PROTO-89 */
static void of_two_rulings_at_once_dismissed_stands_everywhere(void **state) {
  (void)state;
  small_world s;
  sv_record_row a, b;
  small_open(&s, 58);
  ov_name n = held_night(&s, 40);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  fx_rule(&s.w, s.org, &n, SV_RULING_ADMIT);
  fx_rule(&s.w, hub, &n, SV_RULING_DISMISS);
  assert_int_equal(fx_verdict(&s.w, s.org, &n, NULL), OV_APPLIED);
  ship(&s, s.org, hub);
  ship(&s, hub, s.org);
  assert_int_equal(fx_verdict(&s.w, s.org, &n, NULL), OV_DISMISSED);
  assert_int_equal(fx_verdict(&s.w, hub, &n, NULL), OV_DISMISSED);
  assert_true(fx_record(&s.w, s.org, &n, &a));
  assert_true(fx_record(&s.w, hub, &n, &b));
  assert_int_equal(a.rec.n_live, 0);
  assert_int_equal(b.rec.n_live, 0);
  /* A third that has seen both settles it, for both. */
  fx_rule(&s.w, s.org, &n, SV_RULING_ADMIT);
  ship(&s, s.org, hub);
  assert_int_equal(fx_verdict(&s.w, s.org, &n, NULL), OV_APPLIED);
  assert_int_equal(fx_verdict(&s.w, hub, &n, NULL), OV_APPLIED);
  fx_verify(&s.w, s.org);
  fx_verify(&s.w, hub);
  sv_org_close(hub);
  small_close(&s);
}

/* The ACK was lost and the tablet goes to another server, which already holds the op from the first.
 * PROTO-54, PROTO-86 */
static void an_op_pushed_again_to_another_server_keeps_its_first_receipt(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  sv_op_row row;
  small_open(&s, 59);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  ov_name n = small_night(&s, s.ta, 40), ok = small_night(&s, s.ta, 1);
  FX_OK(fx_push(s.ta, s.org, 1, 2, &out));
  sv_touches_free(&out.touches);
  int64_t first = s.w.now_ms;
  ship(&s, s.org, hub);
  s.w.now_ms += 7200000;
  assert_int_equal(fx_push(s.ta, hub, 1, 2, &out), 0);
  assert_int_equal(out.stored, 0);
  assert_int_equal(out.duplicates, 2);
  assert_int_equal(out.n_receipts, 1);
  assert_int_equal(out.receipts[0].server_time_ms, first);
  assert_int_equal(out.n_held, 1);
  assert_int_equal(out.held[0].seq, 1);
  assert_int_equal(out.held[0].reason, OV_HELD_CODE);
  assert_true(fx_op(&s.w, hub, &n, &row));
  assert_int_equal(row.n_receipts, 1);
  assert_true(ov_id_equal(&row.receipts[0].server, &s.org->server));
  assert_int_equal(fx_verdict(&s.w, hub, &ok, NULL), OV_APPLIED);
  fx_verify(&s.w, hub);
  sv_org_close(hub);
  small_close(&s);
}

static void bring_receipt(small_world *s, sv_org *org, const ov_name *n, uint8_t i, int64_t first) {
  sv_op_row row;
  sv_txn *t = NULL;
  FX_OK(sv_txn_write(org->env, &t));
  FX_OK(sv_op_get(t, n, &s->w.arena, &row));
  row.n_receipts = 1;
  row.receipts[0] = (sv_receipt){
      .server = {{i}}, .server_time_ms = first + i / 2 * 1000, .verdict = OV_APPLIED};
  if (i == 40) {
    row.receipts[0].verdict = OV_HELD;
    row.receipts[0].reason = OV_HELD_AUTHOR;
  }
  FX_OK(sv_ingest_foreign(t, org, &row, &s->w.arena, NULL));
  FX_OK(sv_txn_commit(t));
}

static void receipts_of_many_servers_stay_bounded_and_held_stands(void **state) {
  (void)state;
  small_world s;
  sv_op_row row, other;
  small_open(&s, 63);
  ov_name n = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  int64_t first = s.w.now_ms;
  for (uint8_t i = 2; i <= 3 * SV_RECEIPTS_MAX; i++) {
    bring_receipt(&s, s.org, &n, i, first);
    bring_receipt(&s, hub, &n, (uint8_t)(3 * SV_RECEIPTS_MAX + 2 - i), first);
  }
  uint8_t reason;
  assert_true(fx_op(&s.w, s.org, &n, &row));
  assert_true(fx_op(&s.w, hub, &n, &other));
  assert_int_equal(row.n_receipts, SV_RECEIPTS_MAX);
  assert_int_equal(other.n_receipts, SV_RECEIPTS_MAX);
  for (uint32_t i = 0; i < row.n_receipts; i++) {
    /* in whatever order they came */
    assert_true(ov_id_equal(&row.receipts[i].server, &other.receipts[i].server));
  }
  assert_int_equal(row.receipts[0].server_time_ms, first);
  assert_int_equal(row.receipts[SV_RECEIPTS_MAX - 1].verdict, OV_HELD);
  assert_int_equal(fx_verdict(&s.w, s.org, &n, &reason), OV_HELD);
  assert_int_equal(reason, OV_HELD_AUTHOR);
  fx_verify(&s.w, s.org);
  sv_org_close(hub);
  small_close(&s);
}

/* Two servers took the same op; one holds it, since its own rules differ. Held stands on both, and earliest
 * receipts give the time. PROTO-86 */
static void if_two_servers_took_an_op_held_stands(void **state) {
  (void)state;
  small_world s;
  sv_op_row row;
  sv_push_out out;
  small_open(&s, 60);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  ov_field f[] = {FX_INT(SV_PERSON_ACTIVE, 0)};
  fx_change(&s.w, hub, &s.carer, f, 1); /* the hub knows already that the carer has left */
  s.w.now_ms += 60000;
  ov_name n = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  int64_t first = s.w.now_ms;
  s.w.now_ms += 60000;
  FX_OK(fx_push(s.ta, hub, 1, 1, &out));
  sv_touches_free(&out.touches);
  assert_int_equal(fx_verdict(&s.w, s.org, &n, NULL), OV_APPLIED);
  assert_int_equal(fx_verdict(&s.w, hub, &n, NULL), OV_HELD);
  ship(&s, hub, s.org);
  ship(&s, s.org, hub);
  sv_org *both[] = {s.org, hub};
  for (int i = 0; i < 2; i++) {
    assert_int_equal(fx_verdict(&s.w, both[i], &n, NULL), OV_HELD);
    assert_true(fx_op(&s.w, both[i], &n, &row));
    assert_int_equal(row.n_receipts, 2);
    assert_int_equal(row.receipts[0].server_time_ms, first);
    fx_verify(&s.w, both[i]);
  }
  sv_org_close(hub);
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_outside_their_schema_are_held),
      cmocka_unit_test(who_may_not_is_held),
      cmocka_unit_test(kinds_that_decide_rights_are_the_servers),
      cmocka_unit_test(an_edit_has_its_records_header),
      cmocka_unit_test(an_unknown_kind_stays_in_the_organisation),
      cmocka_unit_test(nothing_about_a_participant_goes_to_the_programme),
      cmocka_unit_test(a_revoked_device_hands_in_its_outbox_held),
      cmocka_unit_test(a_revoked_device_hands_in_only_so_much),
      cmocka_unit_test(a_device_that_only_the_programme_knows_reads_by_its_record),
      cmocka_unit_test(who_leaves_keeps_what_was_written_before),
      cmocka_unit_test(a_wrong_clock_neither_takes_nor_prolongs_a_right),
      cmocka_unit_test(a_record_with_too_many_ops_is_frozen),
      cmocka_unit_test(admit_and_dismiss_take_effect_and_the_author_learns),
      cmocka_unit_test(only_what_was_held_can_be_ruled_on),
      cmocka_unit_test(of_two_rulings_at_once_dismissed_stands_everywhere),
      cmocka_unit_test(an_op_pushed_again_to_another_server_keeps_its_first_receipt),
      cmocka_unit_test(receipts_of_many_servers_stay_bounded_and_held_stands),
      cmocka_unit_test(if_two_servers_took_an_op_held_stands),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
