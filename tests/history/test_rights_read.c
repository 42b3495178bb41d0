/* Every cell of role x kind x own or other team at delivery: personal devices of every role sync with the
 * real session and client, and hold what they may and nothing else. The expectation is written apart from the
 * table. */
#include "home.h"
#include "rights_expect.h"

#define NEWER 3999

static const uint16_t kinds[] = {2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13,
                                 14, 15, 17, 19, 20, 21, 22, 23, 24, 25, 26, NEWER};
#define KINDS (sizeof kinds / sizeof *kinds)

typedef struct scene {
  home h;
  ov_name bert; /* a participant of the other team */
  char ids[KINDS][2][OV_NAME_TEXT_MAX];
} scene;

static ov_field some_value(const ov_skind *k, uint16_t kind) {
  if (!k) return (ov_field)FX_INT(40, 1);
  for (uint32_t i = 0; i < k->n_fields; i++) {
    const ov_sfield *f = &k->fields[i];
    if (kind == OV_KIND_TEAM && f->id == SV_TEAM_SCOPE) continue;
    if (f->type == OV_F_TEXT) return fx_text(f->id, "a");
    if (f->type == OV_F_CODE) return (ov_field)FX_INT(f->id, f->codes[0].code);
    if (f->type == OV_F_INT) return (ov_field)FX_INT(f->id, 1);
    if (f->type == OV_F_DATE) return (ov_field)FX_INT(f->id, FX_START_MS / 86400000);
  }
  fail_msg("kind %u has no field to write", kind);
  return (ov_field){0};
}

static void make_record(scene *x, unsigned i, unsigned own) {
  home *h = &x->h;
  uint16_t kind = kinds[i];
  const ov_skind *k = ov_schemas_kind(h->w.fx.schemas, kind);
  ov_field f = some_value(k, kind);
  uint32_t team = own ? h->team : h->other;
  ov_op op = {.scope = k && k->scope < 2 ? k->scope : team,
              .creates = true,
              .kind = kind,
              .version = 1,
              .has_participant = kind == 7 || (kind >= 20 && kind <= 26),
              .participant = own ? h->client : x->bert,
              .fields = &f,
              .n_fields = 1};
  ov_name name = kind == OV_KIND_TEAM ? fx_team_record(&h->w.fx, h->w.org, team)
                 : kind == OV_KIND_PARTICIPANT
                     ? op.participant
                     : fx_local(&h->w.fx, op.scope ? h->w.org : h->w.programme, op, NULL);
  ov_name_text(&name, x->ids[i][own]);
}

static void scene_open(scene *x) {
  memset(x, 0, sizeof *x);
  home_open(&x->h);
  x->bert = fx_participant(&x->h.w.fx, x->h.w.org, "Bert", &x->h.other, 1);
  for (unsigned i = 0; i < KINDS; i++) {
    for (unsigned own = 0; own < 2; own++) make_record(x, i, own);
  }
}

static void scene_close(scene *x) { home_close(&x->h); }

static ov_name person_of(home *h, unsigned role) {
  ov_field f[] = {fx_text(SV_PERSON_NAME, "p"), FX_INT(SV_PERSON_ROLE, role),
                  fx_set(&h->w.fx, SV_PERSON_TEAMS, (int64_t[]){h->team}, 1, NULL, 0),
                  FX_INT(SV_PERSON_ACTIVE, 1)};
  ov_op op = {.scope = 1, .creates = true, .kind = OV_KIND_PERSON, .version = 1, .fields = f, .n_fields = 4};
  return fx_local(&h->w.fx, h->w.org, op, NULL);
}

/* A browser of this person: a device in no team of its own. */
static void personal(home *h, tablet *t, const char *name, const ov_name *person) {
  sv_txn *w = NULL;
  sv_device d;
  tablet_open(t, &h->w, name);
  tablet_enrol(t, name, &h->other, 1); /* a team that the person need not be in: it must not count */
  FX_OK(sv_txn_write(h->w.org->env, &w));
  FX_OK(sv_device_get(w, &t->s->self.device, &d));
  d.has_person = true;
  d.person = *person;
  FX_OK(sv_device_put(w, &d));
  FX_OK(sv_txn_commit(w));
}

static unsigned check_all(scene *x, tablet *t, unsigned role) {
  unsigned cells = 0;
  for (unsigned i = 0; i < KINDS; i++) {
    for (unsigned own = 0; own < 2; own++, cells++) {
      bool want = expect_read(role, kinds[i], own), has = tablet_has(t, x->ids[i][own]);
      if (has != want) {
        fail_msg("%s, kind %u, %s team: %s, expected otherwise", sv_role_name(role), kinds[i],
                 own ? "own" : "other", has ? "delivered" : "not delivered");
      }
    }
  }
  return cells;
}

static void every_cell_of_reading(void **state) {
  (void)state;
  static scene x;
  unsigned cells = 0;
  scene_open(&x);
  for (unsigned role = 1; role < SV_ROLES; role++) {
    char name[20], own_id[OV_NAME_TEXT_MAX];
    tablet t;
    ov_name p = person_of(&x.h, role);
    snprintf(name, sizeof name, "role%u", role);
    personal(&x.h, &t, name, &p);
    tablet_sync_ok(&t);
    cells += check_all(&x, &t, role);
    ov_name_text(&p, own_id);
    assert_true(tablet_has(&t, own_id)); /* everybody sees who they are */
    tablet_close(&t);
  }
  tablet_sync_ok(&x.h.a); /* a shared tablet of the team reads as care staff */
  cells += check_all(&x, &x.h.a, CARE);
  print_message("%u cells\n", cells);
  assert_int_equal(cells, KINDS * 2 * SV_ROLES);
  scene_close(&x);
}

static void give_role(scene *x, const ov_name *person, unsigned role) {
  ov_field f[] = {FX_INT(SV_PERSON_ROLE, role)};
  fx_change(&x->h.w.fx, x->h.w.org, person, f, 1);
}

/* A role that changes takes what it no longer may see along, and brings what it now may, with the next
 * sync. */
static void a_changed_role_is_fetched_anew(void **state) {
  (void)state;
  static scene x;
  tablet t;
  scene_open(&x);
  ov_name p = person_of(&x.h, CARE);
  personal(&x.h, &t, "browser", &p);
  static const unsigned roles[] = {CARE, LEAD, RESEARCH, ADMIN, PRIVACY, CARE};
  for (unsigned i = 0; i < sizeof roles / sizeof *roles; i++) {
    give_role(&x, &p, roles[i]);
    later(&x.h);
    tablet_sync_ok(&t);
    check_all(&x, &t, roles[i]);
    link_seen seen; /* and is not fetched again for nothing */
    assert_int_equal(tablet_sync(&t, NULL, &seen), 0);
    assert_int_equal(seen.down_of[OV_M_DELTA], 0);
  }
  ov_field gone[] = {FX_INT(SV_PERSON_ACTIVE, 0)};
  fx_change(&x.h.w.fx, x.h.w.org, &p, gone, 1); /* who has left sees what nobody's role may */
  later(&x.h);
  tablet_sync_ok(&t);
  for (unsigned i = 0; i < KINDS; i++) {
    for (unsigned own = 0; own < 2; own++) assert_false(tablet_has(&t, x.ids[i][own]));
  }
  tablet_close(&t);
  scene_close(&x);
}

/* The role changes while the session lives: nothing more is sent under the old one. */
static void a_role_changes_while_live(void **state) {
  (void)state;
  static scene x;
  tablet t;
  oc_session *cs = NULL;
  oc_error e = {0};
  char night[OV_NAME_TEXT_MAX];
  scene_open(&x);
  ov_name p = person_of(&x.h, LEAD);
  personal(&x.h, &t, "browser", &p);
  tablet_sync_ok(&t);
  later(&x.h);
  assert_int_equal(oc_session_new(t.s, &(oc_sync_options){.live = true}, &cs, &e), 0);
  world_wire *w = world_connect(&x.h.w, cs);
  assert_int_equal(world_pump(w, &e), 0);
  give_role(&x, &p, EXPERT);
  tablet_add(&x.h.a, "sleep", &x.h.client, &x.h.ann, night, "night_date=2025-10-01", "source=1", NULL);
  tablet_sync_ok(&x.h.a);
  (void)world_pump(w, &e);
  assert_true(world_closed(w, NULL));
  assert_false(tablet_has(&t, night));
  world_disconnect(w);
  oc_session_free(cs);
  later(&x.h);
  tablet_sync_ok(&t);
  check_all(&x, &t, EXPERT);
  assert_false(tablet_has(&t, night));
  tablet_close(&t);
  scene_close(&x);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_cell_of_reading),
                                     cmocka_unit_test(a_changed_role_is_fetched_anew),
                                     cmocka_unit_test(a_role_changes_while_live)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
