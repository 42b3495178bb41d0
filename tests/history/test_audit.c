/* What sessions leave in the audit: who wrote and who was sent what about whom, one line a session and
 * client, on disk before the first byte; and nothing when there is nothing. */
#include "home.h"
#include "sv_audit.h"
#include "sv_consent.h"
#include "sv_limits.h"

/* Lines of a type about a participant (NULL: about nobody); the last one in *last. */
static unsigned lines(home *h, sv_org *org, sv_audit_type type, const ov_name *who, sv_audit_event *last) {
  sv_txn *t = NULL;
  uint64_t at = 0;
  unsigned n = 0;
  (void)h;
  FX_OK(sv_txn_read(org->env, &t));
  while (!sv_audit_next(t, at, &at)) {
    sv_audit_event e;
    FX_OK(sv_audit_get(t, at, &e));
    if (e.type != type || e.has_participant != (who != NULL)) continue;
    if (who && !ov_name_equal(&e.participant, who)) continue;
    if (last) *last = e;
    n++;
  }
  sv_txn_abort(t);
  return n;
}

static uint64_t commits(home *h) {
  sv_env_stats st;
  sv_env_stats_get(h->w.org->env, &st);
  return st.commits;
}

static void add_night(home *h, tablet *t, const char *night, const ov_name *who) {
  char n[40];
  snprintf(n, sizeof n, "night_date=%s", night);
  tablet_add(t, "sleep", who, &h->ann, NULL, n, "source=1", NULL);
}

static void one_line_a_push_and_client(void **state) {
  (void)state;
  home h;
  sv_audit_event e;
  home_open(&h);
  ov_name other = fx_participant(&h.w.fx, h.w.org, "Client 2", &h.team, 1);
  tablet_sync_ok(&h.a);
  for (int i = 1; i <= 5; i++) {
    char night[20];
    snprintf(night, sizeof night, "2025-10-0%d", i);
    add_night(&h, &h.a, night, i < 5 ? &h.client : &other);
  }
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_ENTRY, &h.client, NULL), 0);
  tablet_sync_ok(&h.a);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_ENTRY, &h.client, &e), 1);
  assert_int_equal(e.count, 4);
  assert_int_equal(e.action, 'C');
  assert_int_equal(e.outcome, SV_DONE);
  assert_int_equal(e.kind, 20);
  assert_int_equal(e.team, h.team);
  assert_int_equal(e.role, 1);
  assert_true(e.has_person && ov_name_equal(&e.person, &h.ann));
  assert_true(e.has_device && ov_id_equal(&e.device, &h.a.s->self.device));
  assert_string_equal(e.address, "test");
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_ENTRY, &other, &e), 1);
  assert_int_equal(e.count, 1);
  home_close(&h);
}

/* The lines come with the first frame that holds something about somebody, never again in the session, and
 * not at all when nothing comes. */
static void one_line_a_session_and_client(void **state) {
  (void)state;
  home h;
  sv_audit_event e;
  home_open(&h);
  unsigned before = lines(&h, h.w.org, SV_AUDIT_SYNC, &h.client, NULL);
  assert_int_equal(before, 2); /* both tablets were sent the client's record when they were new */
  for (int i = 1; i <= 9; i++) {
    char night[20];
    snprintf(night, sizeof night, "2025-10-0%d", i);
    add_night(&h, &h.a, night, &h.client);
  }
  tablet_sync_ok(&h.a);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_SYNC, &h.client, NULL),
                   before); /* its own are not sent back */
  link_plan small = {.frame_bytes = OV_FRAME_BYTES_MIN, .credit = 1};
  link_seen seen;
  assert_int_equal(tablet_sync(&h.b, &small, &seen), 0);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_SYNC, &h.client, &e), before + 1);
  assert_int_equal(e.action, 'R');
  assert_int_equal(e.purpose, SV_FOR_CARE);
  assert_int_equal(e.team, h.team);
  assert_true(e.requestor && !e.has_person && ov_id_equal(&e.device, &h.b.s->self.device));
  uint64_t then = commits(&h);
  assert_int_equal(tablet_sync(&h.b, NULL, &seen), 0);
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), 0);
  assert_int_equal(commits(&h), then); /* nothing new costs no write */
  home_close(&h);
}

static void the_line_is_there_before_the_first_byte(void **state) {
  (void)state;
  home h;
  home_open(&h);
  add_night(&h, &h.a, "2025-10-01", &h.client);
  tablet_sync_ok(&h.a);
  unsigned before = lines(&h, h.w.org, SV_AUDIT_SYNC, &h.client, NULL);
  oc_session *cs = NULL;
  oc_error e = {0};
  assert_int_equal(oc_session_new(h.b.s, NULL, &cs, &e), 0);
  world_wire *wire = world_connect(&h.w, cs);
  size_t n;
  const uint8_t *p = oc_session_output(cs, &n);
  world_inject(wire, p, n);
  ov_buf out;
  ov_buf_init(&out, OV_WS_MESSAGE_BYTES_MAX);
  unsigned pulled = 0;
  /* without the writer having worked: WELCOME, and what is about nobody; then it waits */
  while (world_pull(wire, &out)) {
    pulled++;
    ov_buf_reset(&out);
  }
  assert_int_equal(pulled, 1);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_SYNC, &h.client, NULL), before);
  world_work(&h.w);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_SYNC, &h.client, NULL), before + 1);
  assert_true(world_pull(wire, &out)); /* the DELTA */
  ov_buf_free(&out);
  world_disconnect(wire);
  oc_session_free(cs);
  tablet_sync_ok(&h.b);
  home_close(&h);
}

/* Live: a frame that waits for its line when a push is answered is made again, so that it is younger than the
 * ACK (PROTO-111); both tablets end up alike. */
static void a_push_while_a_frame_waits(void **state) {
  (void)state;
  home h;
  oc_error e = {0};
  home_open(&h);
  ov_name other = fx_participant(&h.w.fx, h.w.org, "Client 2", &h.team, 1);
  tablet_sync_ok(&h.a);
  tablet_sync_ok(&h.b);
  oc_session *cs = NULL;
  assert_int_equal(oc_session_new(h.b.s, &(oc_sync_options){.live = true}, &cs, &e), 0);
  world_wire *wire = world_connect(&h.w, cs);
  assert_int_equal(world_pump(wire, &e), 0);
  for (int i = 1; i < 6; i++) {
    char night[20];
    snprintf(night, sizeof night, "2025-10-0%d", i);
    add_night(&h, &h.a, night, i % 2 ? &other : &h.client);
    add_night(&h, &h.b, night, i % 2 ? &h.client : &other);
    tablet_sync_ok(&h.a);
    later(&h);
    assert_int_equal(world_pump(wire, &e), 0);
  }
  world_disconnect(wire);
  oc_session_free(cs);
  all_agree(&h);
  assert_true(lines(&h, h.w.org, SV_AUDIT_SYNC, &other, NULL) >= 2);
  home_close(&h);
}

/* Which device got a key, and on what ground: the record that the code was made for. */
static void enrolments(void **state) {
  (void)state;
  home h;
  sv_audit_event e;
  home_open(&h);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_ENROL, NULL, &e), 2);
  assert_int_equal(e.action, 'C');
  assert_int_equal(e.outcome, SV_DONE);
  assert_true(e.has_device && ov_id_equal(&e.device, &h.b.s->self.device));
  assert_true(e.has_object && ov_name_equal(&e.object, &h.b.s->self.device_record));
  assert_string_equal(e.address, "test");
  home_close(&h);
}

/* Lines say to what the client had agreed then. */
static void the_consent_of_that_moment(void **state) {
  (void)state;
  home h;
  sv_audit_event e;
  home_open(&h);
  tablet_sync_ok(&h.a);
  add_night(&h, &h.a, "2025-10-01", &h.client);
  tablet_sync_ok(&h.a);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_ENTRY, &h.client, &e), 1);
  assert_int_equal(e.consent, SV_CONSENT_LOOKED_AT);
  tablet_add(&h.a, "consent", &h.client, &h.ann, NULL, "purpose=3", "given_by=1", "given_on=2025-09-01",
             "form_version=v1", "valid=1", NULL);
  tablet_sync_ok(&h.a);
  tablet_sync_ok(&h.b);
  assert_true(lines(&h, h.w.org, SV_AUDIT_SYNC, &h.client, &e) > 0);
  assert_int_equal(e.consent, SV_CONSENT_LOOKED_AT | 1u << SV_PURPOSE_RESEARCH);
  home_close(&h);
}

static void look(home *h, tablet *t, const char *participant) {
  oc_query *q = NULL;
  oc_error e;
  (void)h;
  assert_int_equal(oc_query_run(t->s, &(oc_filter){.participant = participant}, &q, &e), 0);
  oc_query_free(q);
}

static uint64_t unsent(tablet *t) {
  oc_status st;
  oc_error e;
  assert_int_equal(oc_status_get(t->s, &st, &e), 0);
  return st.unsent;
}

/* What was read on a tablet without a network: one line a person and client, with first, last and how often,
 * in the time of the tablet. PROTO-163 */
static void looks_on_the_tablet(void **state) {
  (void)state;
  home h;
  sv_audit_event e;
  char who[OV_NAME_TEXT_MAX], ann[OV_NAME_TEXT_MAX];
  home_open(&h);
  ov_name_text(&h.client, who);
  ov_name_text(&h.ann, ann);
  add_night(&h, &h.a, "2025-10-01", &h.client);
  tablet_sync_ok(&h.a);
  tablet_sync_ok(&h.b);
  look(&h, &h.b, who); /* nobody has said that looks are kept */
  FX_OK(oc_looks_hand_over(h.b.s));
  assert_int_equal(unsent(&h.b), 0);
  FX_OK(oc_look_as(h.b.s, ann, NULL));
  int64_t first = h.w.fx.now_ms / 1000;
  look(&h, &h.b, who);
  h.w.fx.now_ms += 3600000;
  look(&h, &h.b, NULL);
  FX_OK(oc_look_as(h.b.s, NULL, NULL)); /* somebody */
  look(&h, &h.b, who);
  assert_int_equal(unsent(&h.b), 0); /* noted, no entry yet */
  FX_OK(oc_looks_hand_over(h.b.s));
  assert_int_equal(unsent(&h.b), 2);
  look(&h, &h.b, who);
  FX_OK(oc_looks_hand_over(h.b.s)); /* those before are under way: this one waits */
  assert_int_equal(unsent(&h.b), 2);
  tablet_sync_ok(&h.b);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_OFFLINE, &h.client, NULL), 2);
  FX_OK(oc_looks_hand_over(h.b.s));
  tablet_sync_ok(&h.b);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_OFFLINE, &h.client, &e), 3);
  assert_false(e.has_person);
  assert_int_equal(e.outcome, SV_DONE); /* nobody needs a right to tell */
  sv_txn *t = NULL;
  uint64_t at = 0;
  unsigned anns = 0;
  FX_OK(sv_txn_read(h.w.org->env, &t));
  while (!sv_audit_next(t, at, &at)) {
    FX_OK(sv_audit_get(t, at, &e));
    if (e.type != SV_AUDIT_OFFLINE || !e.has_person) continue;
    anns++;
    assert_true(ov_name_equal(&e.person, &h.ann) && ov_id_equal(&e.device, &h.b.s->self.device));
    assert_int_equal(e.action, 'R');
    assert_int_equal(e.count, 2);
    assert_int_equal(e.claim_ms, first * 1000);
  }
  sv_txn_abort(t);
  assert_int_equal(anns, 1);
  /* it travels to no other device, and shows in no list */
  link_seen seen;
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), 0);
  oc_query *q = NULL;
  FX_OK(oc_query_run(h.a.s, &(oc_filter){.kind = "look"}, &q, NULL));
  assert_int_equal(oc_query_count(q), 0);
  oc_query_free(q);
  FX_OK(oc_query_run(h.b.s, &(oc_filter){.unsent_only = true}, &q, NULL));
  assert_int_equal(oc_query_count(q), 0);
  oc_query_free(q);
  /* and once told it does not stay on the tablet that told it. PROTO-128 */
  FX_OK(oc_query_run(h.b.s, &(oc_filter){.kind = "look"}, &q, NULL));
  assert_int_equal(oc_query_count(q), 0);
  oc_query_free(q);
  home_close(&h);
}

/* Knocking leaves lines, but cannot fill the audit. */
static void refusals(void **state) {
  (void)state;
  home h;
  sv_audit_event e;
  sv_txn *t = NULL;
  sv_device d;
  home_open(&h);
  FX_OK(sv_txn_write(h.w.programme->env, &t));
  FX_OK(sv_device_get(t, &h.a.s->self.device, &d));
  d.pubkey[40] ^= 1; /* another key than the tablet's */
  FX_OK(sv_device_put(t, &d));
  FX_OK(sv_txn_commit(t));
  for (unsigned i = 0; i < SV_AUDIT_REFUSALS_PER_MINUTE + 20; i++)
    assert_int_not_equal(tablet_sync(&h.a, NULL, NULL), 0);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_SIGN_IN, NULL, &e), SV_AUDIT_REFUSALS_PER_MINUTE);
  assert_int_equal(e.outcome, SV_REFUSED);
  assert_true(e.has_device && ov_id_equal(&e.device, &d.id));
  h.w.fx.now_ms += 61000;
  assert_int_not_equal(tablet_sync(&h.a, NULL, NULL), 0);
  assert_int_equal(lines(&h, h.w.org, SV_AUDIT_SIGN_IN, NULL, &e), SV_AUDIT_REFUSALS_PER_MINUTE + 1);
  assert_int_equal(e.count, 20);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_line_a_push_and_client),
                                     cmocka_unit_test(one_line_a_session_and_client),
                                     cmocka_unit_test(the_line_is_there_before_the_first_byte),
                                     cmocka_unit_test(a_push_while_a_frame_waits),
                                     cmocka_unit_test(enrolments),
                                     cmocka_unit_test(the_consent_of_that_moment),
                                     cmocka_unit_test(looks_on_the_tablet),
                                     cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
