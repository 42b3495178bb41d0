/* Sessions that stay, that are refused, that are slow, and that are asked to prove themselves. */
#include "home.h"
#include "sv_limits.h"

typedef struct live {
  oc_session *cs;
  world_wire *wire;
} live;

static live go_live(home *h, tablet *t) {
  live l = {0};
  oc_error e = {0};
  oc_sync_options o = {.live = true};
  assert_int_equal(oc_session_new(t->s, &o, &l.cs, &e), 0);
  l.wire = world_connect(&h->w, l.cs);
  assert_int_equal(world_pump(l.wire, &e), 0);
  assert_false(world_closed(l.wire, NULL));
  return l;
}

static void leave(live *l) {
  world_disconnect(l->wire);
  oc_session_free(l->cs);
}

static void add_night(home *h, tablet *t, const char *night, char id[OC_ID_TEXT]) {
  char n[40];
  snprintf(n, sizeof n, "night_date=%s", night);
  tablet_add(t, "sleep", &h->client, &h->ann, id, n, "source=1", "quality=4", NULL);
}

/* What one writes, the other sees at once; what is written while live goes up without a new HELLO.
 * PROTO-114, PROTO-117 */
static void live_sessions_follow_each_other(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT], id2[OC_ID_TEXT];
  oc_error e;
  live a = go_live(&h, &h.a), b = go_live(&h, &h.b);
  for (int i = 0; i < 3; i++) {
    char night[20];
    snprintf(night, sizeof night, "2025-10-0%d", i + 1);
    add_night(&h, &h.a, night, id);
    later(&h);
    assert_int_equal(world_pump(a.wire, &e), 0);
    assert_int_equal(tablet_status(&h.a).unsent, 0);
    assert_int_equal(world_pump(b.wire, &e), 0);
    assert_string_equal(tablet_value(&h.b, id, "quality", NULL), "4");
    tablet_edit(&h.b, id, &h.bea, "quality=2", NULL);
    assert_int_equal(world_pump(b.wire, &e), 0);
    assert_int_equal(world_pump(a.wire, &e), 0);
    assert_string_equal(tablet_value(&h.a, id, "quality", NULL), "2");
  }
  add_night(&h, &h.b, "2025-10-08", id2);
  leave(&b); /* unsent when the link goes: nothing is lost */
  assert_int_equal(world_seen(a.wire)->up_of[OV_M_HELLO], 1);
  assert_int_equal(world_pump(a.wire, &e), 0);
  leave(&a);
  all_agree(&h);
  assert_string_equal(tablet_value(&h.a, id2, "quality", NULL), "4");
  home_close(&h);
}

/* A tablet that gets another team is asked to greet again, and then has the new team's records and no more
 * the old one's. PROTO-109, PROTO-117 */
static void teams_change_while_live(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char code[SV_CODE_TEXT], id[OC_ID_TEXT];
  ov_name device;
  tablet c;
  oc_error e;
  add_night(&h, &h.a, "2025-10-01", id);
  tablet_sync_ok(&h.a);
  tablet_open(&c, &h.w, "c");
  world_code(&h.w, "c", &h.team, 1, code, &device);
  oc_session *cs = NULL;
  assert_int_equal(oc_session_enrol(c.s, WORLD_URL, code, "c", &cs, &e), 0);
  assert_int_equal(world_sync_session(&h.w, cs, NULL, NULL, &e), 0);
  oc_session_free(cs);
  tablet_sync_ok(&c);
  assert_true(tablet_has(&c, id));
  live l = go_live(&h, &c);
  ov_field f = fx_set(&h.w.fx, SV_DEVICE_TEAMS, (int64_t[]){h.other}, 1, (int64_t[]){h.team}, 1);
  sv_touches touched = {0};
  fx_change(&h.w.fx, h.w.org, &device, &f, 1);
  sv_server_changed(h.w.server, h.w.org, (uint32_t[]){1}, 1);
  sv_touches_free(&touched);
  assert_int_equal(world_pump(l.wire, &e), OC_E_NET);
  assert_true(oc_session_again(l.cs));
  leave(&l);
  later(&h);
  tablet_sync_ok(&c);
  assert_false(tablet_has(&c, id));
  uint32_t scopes[3] = {0, 1, h.other};
  ov_hash want = world_digest(&h.w, scopes, 3), got = tablet_digest(&c);
  assert_memory_equal(&want, &got, sizeof want);
  tablet_close(&c);
  home_close(&h);
}

/* Small frames, one DELTA at a time: a big backlog still arrives, each frame within the limit.
 * PROTO-10, PROTO-115 */
static void small_frames_and_credit(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char note[1600];
  memset(note, 0, sizeof note);
  memcpy(note, "note=", 5);
  for (int i = 0; i < 120; i++) {
    char n[40];
    uint32_t x = (uint32_t)i * 2654435761u;
    for (size_t k = 5; k + 1 < sizeof note; k++)
      note[k] = (char)('a' + (x = x * 1664525u + 1013904223u) % 26u * 1u);
    snprintf(n, sizeof n, "night_date=2025-%02d-%02d", 6 + i / 28, 1 + i % 28);
    tablet_add(&h.a, "sleep", &h.client, &h.ann, NULL, n, "source=1", note, NULL);
  }
  link_seen up, down;
  link_plan small = {.frame_bytes = OV_FRAME_BYTES_MIN, .credit = 2};
  assert_int_equal(tablet_sync(&h.a, &small, &up), 0);
  assert_true(up.up_of[OV_M_PUSH] > 20);
  assert_int_equal(up.up_of[OV_M_PUSH], up.down_of[OV_M_ACK]);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  assert_int_equal(tablet_sync(&h.b, &small, &down), 0);
  assert_true(down.down_of[OV_M_DELTA] > 20);
  assert_true(down.up_of[OV_M_ACKED] > 5);
  assert_true(down.down_bytes_of[OV_M_DELTA] / down.down_of[OV_M_DELTA] <= OV_FRAME_BYTES_MIN + 64);
  all_agree(&h);
  home_close(&h);
}

typedef struct leaving {
  home *h;
  tablet *c;
  ov_name who;
  const char *night; /* of theirs */
  unsigned at;       /* before this message down; 0: it was done */
  bool had;          /* the night was on the tablet by then */
} leaving;

static void client_leaves(void *ctx, unsigned n) {
  leaving *l = ctx;
  if (n != l->at) return;
  l->at = 0;
  l->had = tablet_has(l->c, l->night);
  ov_field f = fx_set(&l->h->w.fx, SV_PARTICIPANT_TEAMS, (int64_t[]){l->h->other}, 1, (int64_t[]){l->h->team},
                      1);
  fx_change(&l->h->w.fx, l->h->w.org, &l->who, &f, 1);
  sv_server_changed(l->h->w.server, l->h->w.org, (const uint32_t[]){l->h->team, l->h->other}, 2);
}

static void many_nights(home *h) {
  char note[1400] = "note=";
  uint32_t x = 1;
  for (size_t k = 5; k + 1 < sizeof note; k++)
    note[k] = (char)('a' + (x = x * 1664525u + 1013904223u) / 65536 % 26);
  for (int i = 1; i <= 28; i++) {
    char n[40];
    snprintf(n, sizeof n, "night_date=2025-09-%02d", i);
    note[5 + i] = ' ';
    tablet_add(&h->a, "sleep", &h->client, &h->ann, NULL, n, "source=1", note, NULL);
  }
}

/* again: the tablet has the team already, and fetches it anew from a server that was restored. */
static bool client_leaves_at(unsigned at, bool again) {
  home h;
  tablet c;
  char night[OC_ID_TEXT];
  home_open(&h);
  leaving l = {.h = &h, .c = &c, .at = at, .night = night};
  l.who = fx_participant(&h.w.fx, h.w.org, "Client 2", &h.team, 1);
  tablet_sync_ok(&h.a);
  tablet_add(&h.a, "sleep", &l.who, &h.ann, night, "night_date=2025-09-01", "source=1", NULL);
  many_nights(&h);
  tablet_sync_ok(&h.a);
  tablet_open(&c, &h.w, "c");
  tablet_enrol(&c, "c", &h.team, 1);
  if (again) {
    tablet_sync_ok(&c);
    world_backup(&h.w);
    world_restore(&h.w);
  }
  link_plan small = {.frame_bytes = OV_FRAME_BYTES_MIN, .credit = 1, .before_down = client_leaves, .ctx = &l};
  link_seen seen;
  assert_int_equal(tablet_sync(&c, &small, &seen), 0);
  assert_int_equal(l.at, 0);
  assert_true(seen.down_of[OV_M_DELTA] > 8);
  tablet_sync_ok(&c);
  assert_false(tablet_has(&c, night));
  uint32_t scopes[3] = {0, 1, h.team};
  ov_hash want = world_digest(&h.w, scopes, 3), got = tablet_digest(&c);
  assert_memory_equal(&got, &want, sizeof got);
  tablet_close(&c);
  all_agree(&h);
  home_close(&h);
  return l.had;
}

/* A team comes to a tablet in many frames, for the first time or anew; a client of it leaves between two of
 * them, before or after what is about them has come. PROTO-110 */
static void a_client_leaves_while_the_team_comes(void **state) {
  (void)state;
  unsigned had = 0;
  for (unsigned at = 4; at <= 20; at += 2) {
    had += client_leaves_at(at, false);
    client_leaves_at(at, true);
  }
  assert_in_range(had, 1, 8);
}

/* A clock that is off, a server just started, and a recorded HELLO: each is asked to prove the moment; the
 * honest ones go on in the same session. PROTO-39, PROTO-132, PROTO-133 */
static void who_is_challenged(void **state) {
  (void)state;
  home h;
  home_open(&h);
  link_seen seen;
  add_night(&h, &h.a, "2025-10-01", NULL);
  h.a.clock_off_ms = -3600000;
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), 0);
  assert_int_equal(seen.down_of[OV_M_CHALLENGE], 1);
  assert_int_equal(seen.up_of[OV_M_PUSH], 1); /* waited at the server, was not sent again */
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  h.a.clock_off_ms = 0;
  world_restart(&h.w);
  h.w.fx.now_ms -= 1500; /* a HELLO made before the restart */
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), 0);
  assert_int_equal(seen.down_of[OV_M_CHALLENGE], 1);
  h.w.fx.now_ms += 3000;
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), 0);
  assert_int_equal(seen.down_of[OV_M_CHALLENGE], 0);
  /* the recorded HELLO, played again by somebody without the key */
  oc_session *cs = NULL;
  oc_error e;
  size_t n;
  uint8_t hello[1024];
  assert_int_equal(oc_session_new(h.a.s, NULL, &cs, &e), 0);
  const uint8_t *p = oc_session_output(cs, &n);
  assert_true(n < sizeof hello);
  memcpy(hello, p, n);
  world_wire *first = world_connect(&h.w, cs);
  world_inject(first, hello, n);
  assert_int_equal(world_pump(first, &e), 0);
  assert_int_equal(world_seen(first)->down_of[OV_M_CHALLENGE], 0);
  world_disconnect(first);
  oc_session_free(cs);
  assert_int_equal(oc_session_new(h.b.s, NULL, &cs, &e), 0);
  (void)oc_session_output(cs, &n); /* its own HELLO goes nowhere */
  world_wire *second = world_connect(&h.w, cs);
  world_inject(second, hello, n);
  world_inject(second, hello, n);
  (void)world_pump(second, &e);
  assert_true(world_closed(second, NULL)); /* two HELLOs: out of state */
  world_disconnect(second);
  oc_session_free(cs);
  all_agree(&h);
  home_close(&h);
}

static int try_code(home *h, const char *code, oc_error *e) {
  static unsigned n;
  char name[24];
  tablet t;
  oc_session *cs = NULL;
  snprintf(name, sizeof name, "try%u", n++);
  tablet_open(&t, &h->w, name);
  int err = oc_session_enrol(t.s, WORLD_URL, code, "t", &cs, e);
  if (!err) err = world_sync_session(&h->w, cs, NULL, NULL, e);
  oc_session_free(cs);
  assert_int_equal(tablet_status(&t).enrolled, err == 0);
  tablet_close(&t);
  return err;
}

/* A code works once, for 15 minutes, and bears four wrong tries of its kind. PROTO-130, PROTO-131 */
static void codes(void **state) {
  (void)state;
  home h;
  home_open(&h);
  oc_error e;
  char code[SV_CODE_TEXT], wrong[SV_CODE_TEXT], lower[SV_CODE_TEXT];
  world_code(&h.w, "x", &h.team, 1, code, NULL);
  for (unsigned i = 0; i < sizeof code; i++)
    lower[i] = (char)(code[i] == '-' ? ' ' : code[i] | (code[i] >= 'A' && code[i] <= 'Z' ? 32 : 0));
  assert_int_equal(try_code(&h, lower, &e), 0);           /* as people type it */
  assert_int_equal(try_code(&h, code, &e), OC_E_REFUSED); /* once only */
  world_code(&h.w, "x", &h.team, 1, code, NULL);
  memcpy(wrong, code, sizeof wrong);
  wrong[13] = wrong[13] == 'A' ? 'B' : 'A';
  for (unsigned i = 0; i + 1 < SV_CODE_TRIES_MAX; i++)
    assert_int_equal(try_code(&h, wrong, &e), OC_E_REFUSED);
  assert_int_equal(try_code(&h, code, &e), 0); /* four wrong ones leave it valid */
  world_code(&h.w, "x", &h.team, 1, code, NULL);
  memcpy(wrong, code, sizeof wrong);
  wrong[13] = wrong[13] == 'A' ? 'B' : 'A';
  for (unsigned i = 0; i < SV_CODE_TRIES_MAX; i++) assert_int_equal(try_code(&h, wrong, &e), OC_E_REFUSED);
  assert_int_equal(try_code(&h, code, &e), OC_E_REFUSED); /* five do not */
  world_code(&h.w, "x", &h.team, 1, code, NULL);
  h.w.fx.now_ms += SV_CODE_LIFE_MS + 1000;
  assert_int_equal(try_code(&h, code, &e), OC_E_REFUSED);
  assert_int_equal(try_code(&h, "not a code", &e), OC_E_REFUSED);
  world_code(&h.w, "x", &h.team, 1, code, NULL);
  sv_server_stats st;
  for (unsigned i = 0; i < SV_ENROL_WRONG_PER_MINUTE; i++) (void)try_code(&h, "0000-0000-0000", &e);
  sv_server_stats_get(h.w.server, &st);
  assert_true(st.refused_codes >= SV_ENROL_WRONG_PER_MINUTE - 2);
  assert_int_not_equal(try_code(&h, code, &e), 0); /* the server as a whole slows guessing down */
  h.w.fx.now_ms += 61000;
  assert_int_equal(try_code(&h, code, &e), 0);
  home_close(&h);
}

/* A revoked device is cut at once and refused from then on; what it has stays on it. PROTO-122, PROTO-132 */
static void a_revoked_device(void **state) {
  (void)state;
  home h;
  home_open(&h);
  oc_error e = {0};
  live l = go_live(&h, &h.a);
  add_night(&h, &h.a, "2025-10-01", NULL); /* not yet sent */
  sv_txn *t = NULL;
  sv_device d;
  FX_OK(sv_txn_write(h.w.programme->env, &t));
  FX_OK(sv_device_get(t, &h.a.s->self.device, &d));
  d.revoked = true;
  FX_OK(sv_device_put(t, &d));
  FX_OK(sv_txn_commit(t));
  sv_server_cut_device(h.w.server, &d.id);
  assert_int_equal(world_pump(l.wire, &e), OC_E_REFUSED);
  leave(&l);
  later(&h);
  tablet_reopen(&h.a);
  assert_true(tablet_status(&h.a).revoked);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  tablet_sync_ok(&h.b);
  home_close(&h);
}

/* The server stops: what was pushed is answered, everyone gets BYE and 1001, and nothing is lost over the
 * restart. PROTO-53 */
static void the_server_stops(void **state) {
  (void)state;
  home h;
  home_open(&h);
  oc_error e = {0};
  unsigned code = 0;
  live a = go_live(&h, &h.a);
  add_night(&h, &h.a, "2025-10-01", NULL);
  size_t n;
  const uint8_t *p = oc_session_output(a.cs, &n);
  assert_non_null(p);
  world_inject(a.wire, p, n); /* taken, not yet committed */
  sv_server_shutdown(h.w.server);
  assert_int_equal(world_pump(a.wire, &e), OC_E_NET);
  (void)world_closed(a.wire, &code);
  assert_int_equal(code, 1001);
  assert_int_equal(world_seen(a.wire)->down_of[OV_M_ACK], 1);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  sv_link none = {0};
  assert_null(sv_session_open(h.w.server, &none, "late"));
  leave(&a);
  world_restart(&h.w);
  all_agree(&h);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(live_sessions_follow_each_other),
                                     cmocka_unit_test(teams_change_while_live),
                                     cmocka_unit_test(small_frames_and_credit),
                                     cmocka_unit_test(a_client_leaves_while_the_team_comes),
                                     cmocka_unit_test(who_is_challenged),
                                     cmocka_unit_test(codes),
                                     cmocka_unit_test(a_revoked_device),
                                     cmocka_unit_test(the_server_stops)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
