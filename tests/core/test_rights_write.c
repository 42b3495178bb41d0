/* Every cell of role x kind x action x own or other team, through real ingest, against an expectation written
 * apart from the table; and the organisation, which nobody can choose. */
#include "ingest_world.h"
#include "rights_expect.h"

#define NEWER 3999 /* a kind of a newer schema */

static const uint16_t kinds[] = {2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                                 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, NEWER};
#define KINDS (sizeof kinds / sizeof *kinds)

typedef struct scene {
  small_world s;
  ov_name people[SV_ROLES]; /* of team A */
  ov_name bert;             /* a participant of team B */
  fx_tablet *shared;        /* of both teams */
  ov_name records[KINDS][2];
  unsigned cells;
} scene;

static bool has_participant(uint16_t kind) { return kind == 7 || kind == 18 || (kind >= 20 && kind <= 26); }

static uint32_t scope_of(const scene *x, uint16_t kind, bool own) {
  const ov_skind *k = ov_schemas_kind(x->s.w.schemas, kind);
  if (k && k->scope == 0) return 0;
  if (k && k->scope == 1) return 1;
  return own ? x->s.a : x->s.b;
}

/* A value that its schema takes, for a field that any op may set. The n-th such value of the field. */
static ov_field some_value(const scene *x, uint16_t kind, int64_t n) {
  const ov_skind *k = ov_schemas_kind(x->s.w.schemas, kind);
  if (!k) return (ov_field)FX_INT(40, n);
  for (uint32_t i = 0; i < k->n_fields; i++) {
    const ov_sfield *f = &k->fields[i];
    if (kind == OV_KIND_TEAM && f->id == SV_TEAM_SCOPE) continue;
    if (f->type == OV_F_TEXT) return fx_text(f->id, n == 1 ? "a" : n == 2 ? "b" : "c");
    if (f->type == OV_F_CODE && f->n_codes > 2) return (ov_field)FX_INT(f->id, f->codes[n - 1].code);
    if (f->type == OV_F_INT && f->has_hi && f->hi > 3) return (ov_field)FX_INT(f->id, n);
    if (f->type == OV_F_DATE) return (ov_field)FX_INT(f->id, NIGHT + n);
    if (f->type == OV_F_DATETIME) return (ov_field)FX_INT(f->id, FX_START_MS / 1000 + n);
    if (f->type == OV_F_INT && !f->has_hi) return (ov_field)FX_INT(f->id, n);
  }
  fail_msg("kind %u has no field to write", kind);
  return (ov_field){0};
}

static ov_name person_of(scene *x, unsigned role) {
  ov_field f[] = {fx_text(SV_PERSON_NAME, sv_role_name(role)), FX_INT(SV_PERSON_ROLE, role),
                  fx_set(&x->s.w, SV_PERSON_TEAMS, (int64_t[]){x->s.a}, 1, NULL, 0),
                  FX_INT(SV_PERSON_ACTIVE, 1)};
  ov_op op = {.scope = 1, .creates = true, .kind = OV_KIND_PERSON, .version = 1, .fields = f, .n_fields = 4};
  return fx_local(&x->s.w, x->s.org, op, NULL);
}

/* Two more values that saw nothing. */
static void add_conflict(scene *x, uint16_t kind, bool own, const ov_name *record) {
  for (int n = 1; n <= 2; n++) {
    ov_field f = some_value(x, kind, n);
    ov_op op = {.scope = scope_of(x, kind, own),
                .kind = kind,
                .version = 1,
                .record = *record,
                .has_participant = has_participant(kind),
                .participant = own ? x->s.anna : x->bert,
                .fields = &f,
                .n_fields = 1};
    if (kind == OV_KIND_PARTICIPANT) op.has_participant = true;
    fx_local(&x->s.w, x->s.org, op, NULL);
  }
}

/* A record with two values in one field that did not see each other, in the server's own log. */
static ov_name in_conflict(scene *x, uint16_t kind, bool own) {
  ov_name anna = own ? x->s.anna : x->bert;
  ov_field first = some_value(x, kind, 1);
  ov_op op = {.scope = scope_of(x, kind, own),
              .creates = true,
              .kind = kind,
              .version = 1,
              .has_participant = has_participant(kind),
              .participant = anna,
              .fields = &first,
              .n_fields = 1};
  ov_name name = kind == OV_KIND_TEAM          ? fx_team_record(&x->s.w, x->s.org, op.scope)
                 : kind == OV_KIND_PARTICIPANT ? anna
                                               : fx_local(&x->s.w, x->s.org, op, NULL);
  add_conflict(x, kind, own, &name);
  return name;
}

static void scene_open(scene *x) {
  memset(x, 0, sizeof *x);
  small_open(&x->s, 90);
  uint32_t both[] = {x->s.a, x->s.b};
  x->bert = fx_participant(&x->s.w, x->s.org, "Bert", &x->s.b, 1);
  x->shared = fx_tablet_new(&x->s.w, x->s.org, both, 2, NULL);
  for (unsigned role = 1; role < SV_ROLES; role++) x->people[role] = person_of(x, role);
  for (unsigned i = 0; i < KINDS; i++) {
    if (of_the_server(kinds[i]) && kinds[i] != OV_KIND_LOOK) continue;
    for (unsigned own = 0; own < 2; own++) x->records[i][own] = in_conflict(x, kinds[i], own);
  }
}

static void scene_close(scene *x) {
  fx_tablet_free(x->shared);
  small_close(&x->s);
}

static const ov_name *values_of(scene *x, const ov_name *record, uint16_t field, bool both, ov_name out[2],
                                uint32_t *n) {
  sv_record_row row;
  *n = 0;
  if (!fx_record(&x->s.w, x->s.org, record, &row)) return out;
  uint32_t k = 0;
  const ov_live *l = ov_record_field(&row.rec, field, &k);
  for (uint32_t i = 0; i < k && i < (both ? 2 : 1); i++) out[(*n)++] = row.rec.ops[l[i].op].name;
  if (*n == 2 && ov_name_compare(&out[0], &out[1]) > 0) {
    ov_name swap = out[0];
    out[0] = out[1];
    out[1] = swap;
  }
  return out;
}

static ov_name write_cell(scene *x, unsigned role, unsigned i, sv_action action, bool own) {
  fx_tablet *t = x->shared;
  uint16_t kind = kinds[i];
  ov_name *record = &x->records[i][own], seen[2];
  uint32_t n_seen = 0;
  ov_field f = action == SV_A_RETRACT ? fx_text(OV_FIELD_RETRACTED, "wrong") : some_value(x, kind, 3);
  ov_name anna = own ? x->s.anna : x->bert;
  ov_op op = {.scope = scope_of(x, kind, own),
              .kind = kind,
              .version = 1,
              .has_participant = has_participant(kind),
              .participant = anna,
              .has_author = true,
              .author = x->people[role],
              .fields = &f,
              .n_fields = 1};
  if (action == SV_A_CREATE || (of_the_server(kind) && kind != OV_KIND_LOOK)) {
    ov_field key[] = {f, {.id = SV_PARTICIPANT_KEY, .v = ov_bytes("0123456789abcdef0123456789abcdef", 32)}};
    op.creates = true;
    op.fields = key;
    op.n_fields = kind == OV_KIND_PARTICIPANT ? 2 : 1;
    return fx_add(t, op);
  }
  op.record = *record;
  if (kind == OV_KIND_PARTICIPANT) op.has_participant = true;
  if (action == SV_A_SETTLE) add_conflict(x, kind, own, record);
  values_of(x, record, f.id, action == SV_A_SETTLE, seen, &n_seen);
  op.replaces = seen;
  op.n_replaces = n_seen;
  return fx_add(t, op);
}

static void check_cell(scene *x, unsigned role, unsigned i, sv_action action, bool own) {
  sv_push_out out;
  uint8_t reason = 0;
  bool may = expect_write(role, kinds[i], action, own);
  ov_name op = write_cell(x, role, i, action, own);
  FX_OK(fx_push(x->shared, x->s.org, x->shared->n, x->shared->n, &out));
  sv_touches_free(&out.touches);
  ov_verdict v = fx_verdict(&x->s.w, x->s.org, &op, &reason);
  int want = may ? 0 : of_the_server(kinds[i]) ? OV_HELD_KIND : OV_HELD_AUTHOR;
  x->cells++;
  if ((v == OV_APPLIED && !want) || (v == OV_HELD && reason == want)) return;
  fail_msg("%s, kind %u, %s, %s team: verdict %d, reason %u; expected %s", sv_role_name(role), kinds[i],
           sv_action_name(action), own ? "own" : "other", v, reason, may ? "applied" : "held");
}

static void every_cell_of_writing(void **state) {
  (void)state;
  static const sv_action actions[] = {SV_A_CREATE, SV_A_EDIT, SV_A_RETRACT, SV_A_SETTLE};
  static scene x;
  scene_open(&x);
  for (unsigned i = 0; i < KINDS; i++) {
    for (unsigned a = 0; a < 4; a++) {
      for (unsigned own = 0; own < 2; own++) {
        for (unsigned role = 1; role < SV_ROLES; role++) check_cell(&x, role, i, actions[a], own);
      }
    }
  }
  print_message("%u cells\n", x.cells);
  assert_int_equal(x.cells, KINDS * 4 * 2 * (SV_ROLES - 1));
  fx_verify(&x.s.w, x.s.org);
  scene_close(&x);
}

/* The same from a device of another organisation: nobody gets in, whatever the message says. */
static void no_cell_for_another_organisation(void **state) {
  (void)state;
  static scene x;
  scene_open(&x);
  sv_org *elsewhere = fx_org(&x.s.w, fx_data(&x.s.w), "Elders");
  uint32_t team = fx_team(&x.s.w, elsewhere, "Beuk");
  fx_tablet *t = fx_tablet_new(&x.s.w, elsewhere, &team, 1, NULL);
  fx_tablet *own = x.shared;
  x.shared = t;
  t->org = x.s.org; /* its log claims to be of the other organisation: chained and signed for it */
  fx_tablet_new_writer(t);
  for (unsigned i = 0; i < KINDS; i++) {
    for (unsigned role = 1; role < SV_ROLES; role++) {
      sv_push_out out;
      write_cell(&x, role, i, SV_A_CREATE, true);
      int err = fx_push(t, x.s.org, 1, t->n, &out);
      assert_true(err == OV_E_AUTH || err == OV_E_FOREIGN);
      assert_int_equal(out.stored, 0);
    }
  }
  t->org = elsewhere;
  x.shared = own;
  fx_tablet_free(t);
  sv_org_close(elsewhere);
  scene_close(&x);
}

static void set_person(scene *x, fx_tablet *t, unsigned role) {
  sv_txn *txn = NULL;
  t->device.has_person = true;
  t->device.person = x->people[role];
  FX_OK(sv_txn_write(x->s.org->env, &txn));
  FX_OK(sv_device_put(txn, &t->device));
  FX_OK(sv_txn_commit(txn));
}

static int held_for(scene *x, const ov_name *op) {
  sv_push_out out;
  uint8_t reason = 0;
  FX_OK(fx_push(x->shared, x->s.org, x->shared->n, x->shared->n, &out));
  sv_touches_free(&out.touches);
  return fx_verdict(&x->s.w, x->s.org, op, &reason) == OV_HELD ? reason : 0;
}

/* A browser of one person: writes for nobody else, as far as the person may and no further, until it
 * expires. */
static void a_personal_device_is_its_person(void **state) {
  (void)state;
  static scene x;
  sv_txn *t = NULL;
  scene_open(&x);
  unsigned sleep = 0, part = 0;
  for (unsigned i = 0; i < KINDS; i++) {
    if (kinds[i] == SLEEP) sleep = i;
    if (kinds[i] == OV_KIND_PARTICIPANT) part = i;
  }
  set_person(&x, x.shared, LEAD);
  ov_name n = write_cell(&x, CARE, sleep, SV_A_CREATE, true);
  assert_int_equal(held_for(&x, &n), OV_HELD_DEVICE);
  n = write_cell(&x, LEAD, sleep, SV_A_CREATE, true);
  assert_int_equal(held_for(&x, &n), 0);
  n = write_cell(&x, LEAD, sleep, SV_A_CREATE, false);
  assert_int_equal(held_for(&x, &n), OV_HELD_AUTHOR);
  n = write_cell(&x, LEAD, part, SV_A_EDIT, false); /* beyond the device's own teams, if it had any */
  assert_int_equal(held_for(&x, &n), 0);
  x.shared->device.expires_ms = x.s.w.now_ms + 1000;
  set_person(&x, x.shared, LEAD);
  n = write_cell(&x, LEAD, sleep, SV_A_CREATE, true);
  assert_int_equal(held_for(&x, &n), 0);
  x.s.w.now_ms += 1000;
  n = write_cell(&x, LEAD, sleep, SV_A_CREATE, true);
  assert_int_equal(held_for(&x, &n), OV_HELD_REVOKED);
  sv_reader r;
  FX_OK(sv_txn_read(x.s.org->env, &t));
  FX_OK(sv_reader_load(t, x.s.org, &x.shared->device, &x.s.w.arena, &r));
  sv_txn_abort(t);
  assert_true(r.ended && !r.n_scopes);
  scene_close(&x);
}

/* What was written under an earlier role counts by that role; what comes later by the new one. */
static void a_role_counts_from_when_it_was_given(void **state) {
  (void)state;
  static scene x;
  scene_open(&x);
  unsigned lesson = 0;
  while (kinds[lesson] != 13) lesson++;
  ov_name before = write_cell(&x, LEAD, lesson, SV_A_CREATE, true);
  x.s.w.now_ms += 3600000;
  ov_field f[] = {FX_INT(SV_PERSON_ROLE, CARE)};
  fx_change(&x.s.w, x.s.org, &x.people[LEAD], f, 1);
  assert_int_equal(held_for(&x, &before), 0);
  x.s.w.now_ms += 1000;
  ov_name after = write_cell(&x, LEAD, lesson, SV_A_CREATE, true);
  assert_int_equal(held_for(&x, &after), OV_HELD_AUTHOR);
  ov_field none[] = {FX_INT(SV_PERSON_ROLE, 8)};
  fx_change(&x.s.w, x.s.org, &x.people[LEAD], none, 1);
  x.s.w.now_ms += 1000;
  after = write_cell(&x, LEAD, lesson, SV_A_CREATE, true);
  assert_int_equal(held_for(&x, &after), OV_HELD_AUTHOR);
  scene_close(&x);
}

/* A role that somebody wrote into a person's record and that was held is no role of that person's, also not
 * for entries that say they were written then. */
static void a_role_that_nobody_gave_opens_nothing(void **state) {
  (void)state;
  static scene x;
  scene_open(&x);
  set_person(&x, x.shared, CARE);
  int64_t given = x.s.w.now_ms / 1000;
  ov_field role = FX_INT(SV_PERSON_ROLE, PROGRAMME), some = some_value(&x, 9, 1);
  ov_op forged = {.scope = 1,
                  .kind = OV_KIND_PERSON,
                  .version = 1,
                  .record = x.people[CARE],
                  .has_author = true,
                  .author = x.people[CARE],
                  .device_time = given - 100,
                  .fields = &role,
                  .n_fields = 1};
  ov_name n = fx_add(x.shared, forged);
  assert_int_equal(held_for(&x, &n), OV_HELD_KIND);
  ov_op list = {.creates = true,
                .kind = 9,
                .version = 1,
                .has_author = true,
                .author = x.people[CARE],
                .device_time = given - 50,
                .fields = &some,
                .n_fields = 1};
  n = fx_add(x.shared, list);
  assert_int_equal(held_for(&x, &n), OV_HELD_AUTHOR);
  scene_close(&x);
}

/* However much is held at a person's record: what that person wrote before a change of role is still
 * judged. */
static void what_is_held_at_a_person_is_no_obstacle(void **state) {
  (void)state;
  static scene x;
  sv_push_out out;
  char note[10001];
  scene_open(&x);
  unsigned sleep = 0;
  while (kinds[sleep] != SLEEP) sleep++;
  memset(note, 'x', sizeof note - 1);
  note[sizeof note - 1] = 0;
  ov_field f = fx_text(SV_PERSON_NAME, note);
  ov_op junk = {.scope = 1,
                .kind = OV_KIND_PERSON,
                .version = 1,
                .record = x.people[CARE],
                .has_author = true,
                .author = x.people[LEAD],
                .fields = &f,
                .n_fields = 1};
  for (unsigned i = 0; i < 1700; i++) {
    fx_add(x.shared, junk);
    if (x.shared->n % 100) continue;
    FX_OK(fx_push(x.shared, x.s.org, x.shared->n - 99, x.shared->n, &out));
    sv_touches_free(&out.touches);
  }
  ov_name early = write_cell(&x, CARE, sleep, SV_A_CREATE, true);
  x.s.w.now_ms += 1000;
  ov_field again[] = {FX_INT(SV_PERSON_ROLE, LEAD)};
  fx_change(&x.s.w, x.s.org, &x.people[CARE], again, 1);
  assert_int_equal(held_for(&x, &early), 0);
  scene_close(&x);
}

/* Leads change the lessons of their own organisation; the programme's administrator anybody's. */
static void anothers_lesson_stays_anothers(void **state) {
  (void)state;
  static scene x;
  scene_open(&x);
  ov_field f = fx_text(2, "x");
  const ov_skind *k = ov_schemas_by_name(x.s.w.schemas, "lesson");
  for (uint32_t i = 0; k && i < k->n_fields; i++) {
    if (k->fields[i].type == OV_F_TEXT && k->fields[i].id != OV_FIELD_RETRACTED) f.id = k->fields[i].id;
  }
  ov_op op = {.kind = 13, .version = 1, .fields = &f, .n_fields = 1, .has_author = true};
  op.record = (ov_name){.writer = {{9}}, .seq = 3, .tag = {1, 2, 3, 4}}; /* of no log that is known here */
  op.author = x.people[LEAD];
  ov_name n = fx_add(x.shared, op);
  assert_int_equal(held_for(&x, &n), OV_HELD_AUTHOR);
  op.author = x.people[EXPERT];
  n = fx_add(x.shared, op);
  assert_int_equal(held_for(&x, &n), OV_HELD_AUTHOR);
  op.author = x.people[PROGRAMME];
  n = fx_add(x.shared, op);
  assert_int_equal(held_for(&x, &n), 0);
  scene_close(&x);
}

/* No role, no kind and no action outside the lists opens anything. */
static void nothing_beyond_the_table(void **state) {
  (void)state;
  for (unsigned kind = 0; kind <= UINT16_MAX; kind += 13) {
    for (unsigned a = 0; a < SV_ACTIONS; a++) {
      assert_int_equal(sv_right(SV_ROLE_NONE, (uint16_t)kind, (sv_action)a), SV_NO);
      assert_int_equal(sv_right(SV_ROLES, (uint16_t)kind, (sv_action)a), SV_NO);
      assert_int_equal(sv_right(4000000000u, (uint16_t)kind, (sv_action)a), SV_NO);
    }
    assert_int_equal(sv_right(CARE, (uint16_t)kind, SV_ACTIONS), SV_NO);
  }
  sv_right_line l;
  unsigned n = 0;
  while (sv_right_line_at(n, &l)) {
    assert_non_null(l.name);
    assert_non_null(l.why);
    n++;
  }
  assert_true(l.other);
  assert_int_equal(n, KINDS + 2); /* the release ledger and schemas, which nobody writes as records */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_cell_of_writing),
      cmocka_unit_test(no_cell_for_another_organisation),
      cmocka_unit_test(a_personal_device_is_its_person),
      cmocka_unit_test(a_role_counts_from_when_it_was_given),
      cmocka_unit_test(a_role_that_nobody_gave_opens_nothing),
      cmocka_unit_test(what_is_held_at_a_person_is_no_obstacle),
      cmocka_unit_test(anothers_lesson_stays_anothers),
      cmocka_unit_test(nothing_beyond_the_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
