/* Signing in to the real server: who gets in, who does not, and that nobody can tell why. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "web_client.h"

#include <cmocka.h>

typedef struct stage {
  dm_site site;
  dm_server d;
  dm_tablet *tablet; /* its key is what a browser enrols with */
} stage;

static int setup(void **state) {
  stage *s = calloc(1, sizeof *s);
  dm_site_open(&s->site, 7);
  s->tablet = dm_tablet_new(&s->site, 0, false);
  if (!wc_start(&s->d, &s->site)) return -1;
  *state = s;
  return 0;
}

static int teardown(void **state) {
  stage *s = *state;
  int result = wc_stop(&s->d, &s->site, "secretpass");
  free(s);
  return result;
}

#define ACCOUNT(s, name, role, out)                                                                          \
  assert_true(wc_account_make(&(s)->d, "De Linde", (name), (role), "Beuk", (out)))

static bool admin(stage *s, const char *json) {
  char reply[8192], text[500];
  snprintf(text, sizeof text, "%s", json);
  for (char *p = text; *p; p++)
    if (*p == '\'') *p = '"';
  return dm_admin(&s->d, text, reply, sizeof reply);
}

static int password_step(wc *c, const char *login, const char *password) {
  char ask[800];
  snprintf(ask, sizeof ask, "{\"login\":\"%s\",\"password\":\"%s\"}", login, password);
  return wc_ask(c, "/api/sign-in", ask);
}

static int code_step(wc *c, const char *ticket, const char *code) {
  char ask[400];
  snprintf(ask, sizeof ask, "{\"ticket\":\"%s\",\"code\":\"%s\"}", ticket, code);
  return wc_ask(c, "/api/sign-in/totp", ask);
}

static void a_lead_signs_in_and_out(void **state) {
  stage *s = *state;
  wc_account a;
  wc c = wc_open(&s->d);
  ACCOUNT(s, "lead", "project lead", &a);
  assert_int_equal(wc_ask(&c, "/api/me", NULL), 401);
  assert_true(wc_sign_in(&c, &a, NULL));
  assert_non_null(strstr(c.a.head, "HttpOnly; SameSite=Strict"));
  assert_string_equal(json_string_value(json_object_get(json_object_get(c.a.json, "me"), "role")),
                      "project_lead");
  assert_int_equal(wc_ask(&c, "/api/me", NULL), 200);
  assert_string_equal(wc_text(&c, "login"), a.login);
  wc stolen = c; /* the cookie as it was */
  stolen.a.json = NULL;
  assert_int_equal(wc_ask(&c, "/api/sign-out", ""), 200);
  assert_non_null(strstr(c.a.head, "Max-Age=0"));
  assert_int_equal(wc_ask(&stolen, "/api/me", NULL), 401);
  assert_string_equal(wc_text(&stolen, "code"), "signed-out");
  wc_close(&stolen);
  wc_close(&c);
}

/* A browser follows as many teams as a device can; a lead of more is told how many are not there. */
static void teams_that_a_browser_cannot_follow_are_told(void **state) {
  enum { FOLLOWED = OV_SCOPES_MAX - 2 };
  stage *s = *state;
  wc_account a;
  char ask[100], reply[8192];
  wc c = wc_open(&s->d);
  ACCOUNT(s, "many", "project lead", &a);
  for (unsigned i = 1, teams = 1; teams < FOLLOWED + 3; i++) {
    snprintf(ask, sizeof ask, "{\"cmd\":\"team add\",\"organisation\":\"De Linde\",\"name\":\"T%u\"}", i);
    assert_true(dm_admin(&s->d, ask, reply, sizeof reply));
    const char *scope = strstr(reply, "\"scope\":");
    assert_non_null(scope);
    teams = (unsigned)strtoul(scope + strlen("\"scope\":"), NULL, 10) - 1; /* they begin at 2 */
    assert_int_equal(strstr(reply, "leads see the first 62 teams") != NULL, teams > FOLLOWED);
    if (teams != FOLLOWED) continue;
    assert_true(wc_sign_in(&c, &a, NULL));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(c.a.json, "me"), "teams_unseen")), 0);
  }
  assert_int_equal(wc_ask(&c, "/api/me", NULL), 200);
  assert_int_equal(json_integer_value(json_object_get(c.a.json, "teams_unseen")), 3);
  wc_close(&c);
}

/* Lines of the audit about signing in, by this person, with this detail and outcome. */
static unsigned told(stage *s, const char *organisation, const char *who, const char *detail,
                     const char *outcome) {
  static char reply[262144];
  char ask[200];
  unsigned n = 0;
  size_t i;
  const json_t *e;
  snprintf(ask, sizeof ask,
           "{\"cmd\":\"audit list\",\"organisation\":\"%s\",\"type\":\"sign-in\",\"limit\":1000}",
           organisation);
  assert_true(dm_admin(&s->d, ask, reply, sizeof reply));
  json_t *j = json_loads(reply, 0, NULL);
  json_array_foreach(json_object_get(j, "items"), i, e) {
    n += !strcmp(json_string_value(json_object_get(e, "who")), who) &&
         !strcmp(json_string_value(json_object_get(e, "detail")), detail) &&
         !strcmp(json_string_value(json_object_get(e, "outcome")), outcome);
  }
  json_decref(j);
  return n;
}

/* How a sign-in is coded in an export: from an address, about nobody's data. */
static void check_coded(const json_t *e) {
  static const char *const none[] = {"participant_object_type_code", "participant_object_type_code_role",
                                     "participant_object_id_type_code", "participant_object_data_life_cycle",
                                     "participant_object_sensitivity"};
  assert_string_equal(json_string_value(json_object_get(e, "event_type_code")), "sign-in");
  assert_string_equal(json_string_value(json_object_get(e, "event_action_code")), "E");
  assert_int_equal(json_integer_value(json_object_get(e, "network_access_point_type_code")), 2);
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    assert_true(json_is_null(json_object_get(e, none[i])));
}

/* Sign-ins in the export of De Linde's audit. */
static unsigned exported(stage *s) {
  static char reply[1 << 20];
  unsigned n = 0;
  char *rest = reply;
  assert_true(
      dm_admin_lines(&s->d, "{\"cmd\":\"audit export\",\"organisation\":\"De Linde\"}", reply, sizeof reply));
  for (const char *line; (line = strsep(&rest, "\n"));) {
    json_t *j = json_loads(line, 0, NULL);
    const json_t *e = json_object_get(j, "item");
    const char *type = json_string_value(json_object_get(e, "type"));
    if (type && !strcmp(type, "sign-in")) {
      check_coded(e);
      n++;
    }
    json_decref(j);
  }
  return n;
}

static void who_signed_in_is_in_the_audit(void **state) {
  stage *s = *state;
  wc_account a;
  wc c = wc_open(&s->d);
  char ticket[100], code[7];
  ACCOUNT(s, "audited", "project lead", &a);
  unsigned before = exported(s);
  assert_int_equal(password_step(&c, a.login, "secretpass-wrong"), 401);
  assert_int_equal(password_step(&c, "nobody@nowhere", "secretpass-wrong"), 401);
  assert_int_equal(password_step(&c, a.login, a.password), 200);
  snprintf(ticket, sizeof ticket, "%s", wc_text(&c, "ticket"));
  wc_code(&a, 40, code);
  assert_int_equal(code_step(&c, ticket, code), 401);
  wc_close(&c);
  c = wc_open(&s->d); /* from elsewhere: failures count by address */
  assert_true(wc_sign_in(&c, &a, NULL));
  assert_int_equal(told(s, "De Linde", a.person, "web: password", "refused"), 1);
  assert_int_equal(told(s, "De Linde", a.person, "web: wrong code", "refused"), 1);
  assert_int_equal(told(s, "De Linde", a.person, "web: password and code", "done"), 1);
  assert_int_equal(exported(s), before + 3);
  assert_int_equal(told(s, "Programme", "the server", "web: no such account", "refused"), 1);
  wc_close(&c);
}

#define NAME_59 "Wilhelmina Frederika van den Hoogenband tot Ommeren en Zuid"

static void named_in_whole_characters(stage *s, const ov_name *device) {
  sv_record_row row;
  assert_true(fx_record(&s->site.fx, s->site.orgs[0].open, device, &row));
  const ov_live *name = ov_record_field(&row.rec, SV_DEVICE_NAME, NULL);
  assert_non_null(name);
  assert_int_equal(name->v.s.n, strlen("browser " NAME_59));
  assert_memory_equal(name->v.s.p, "browser " NAME_59, name->v.s.n);
}

/* The one-time code makes this browser a device of that person, for a working day. */
static void a_browser_becomes_the_leads_device(void **state) {
  stage *s = *state;
  wc_account a, carer;
  wc c = wc_open(&s->d), other = wc_open(&s->d);
  char why[DM_WHY];
  ACCOUNT(s, "owner", "project lead", &a);
  ACCOUNT(s, "plain", "care staff", &carer);
  /* 61 bytes: the device's name has room for 60 of them, and ends in front of the last character */
  assert_true(admin(s, "{'cmd':'person edit','organisation':'De Linde','person':'owner','name':'" NAME_59
                       "\u00eb'}"));
  assert_true(wc_sign_in(&c, &a, NULL));
  assert_int_equal(wc_ask(&c, "/api/device", ""), 200);
  char code[20];
  snprintf(code, sizeof code, "%s", wc_text(&c, "code"));
  assert_int_equal((int)strlen(code), 14);
  assert_true(wc_sign_in(&other, &carer, NULL));
  assert_int_equal(wc_ask(&other, "/api/device", ""), 403); /* logs on the team's tablets */
  assert_string_equal(wc_text(&other, "code"), "not-allowed");

  dm_wire w;
  ov_msg *m;
  ov_buf plain;
  ov_enrol e = {.version_min = OV_PROTOCOL_VERSION,
                .version_max = OV_PROTOCOL_VERSION,
                .code = code,
                .code_len = (uint32_t)strlen(code)};
  memcpy(e.pubkey, s->tablet->t->device.pubkey, sizeof e.pubkey);
  e.device_name = "browser";
  e.device_name_len = 7;
  ov_buf_init(&plain, 4096);
  ov_enrol_encode(&e, &plain);
  for (int time = 0; time < 2; time++) { /* once only */
    ov_buf frame;
    ov_buf_init(&frame, 4096);
    assert_true(dm_wire_open(&w, &s->d, s->tablet, 0));
    assert_int_equal(ov_peer_send(w.peer, OV_M_ENROL, plain.p, plain.n, &frame), 0);
    assert_true(dm_send_frame(&w, frame.p, frame.n));
    assert_int_equal(dm_expect(&w, OV_M_ENROLLED, &m), time == 0);
    ov_buf_free(&frame);
    dm_wire_close(&w);
  }
  ov_buf_free(&plain);

  assert_true(dm_stop(&s->d, SIGTERM));
  assert_true(dm_site_open_orgs(&s->site, why));
  sv_txn *t;
  sv_device d;
  ov_name record = {.seq = 0};
  unsigned found = 0;
  FX_OK(sv_txn_read(s->site.orgs[0].open->env, &t));
  for (int err = sv_device_next(t, NULL, &d); !err; err = sv_device_next(t, &d.id, &d)) {
    if (!d.has_person) continue;
    found++;
    assert_true(d.expires_ms > s->site.fx.now_ms + 11 * 3600000 &&
                d.expires_ms < s->site.fx.now_ms + 13 * 3600000);
    assert_int_equal(d.n_teams, 1);
    record = d.record;
  }
  sv_txn_abort(t);
  named_in_whole_characters(s, &record);
  assert_int_equal(found, 1);
  dm_site_close_orgs(&s->site);
  assert_true(dm_again(&s->d, why));
  assert_int_equal(wc_ask(&c, "/api/me", NULL), 401); /* a restart signs everybody out */
  wc_close(&c);
  wc_close(&other);
}

static void nobody_can_tell_why_it_failed(void **state) {
  stage *s = *state;
  wc_account a, gone, left;
  wc c = wc_open(&s->d);
  ACCOUNT(s, "known", "project lead", &a);
  ACCOUNT(s, "disabled", "project lead", &gone);
  ACCOUNT(s, "left", "project lead", &left);
  assert_true(admin(s, "{'cmd':'account disable','person':'disabled','organisation':'De Linde'}"));
  assert_true(admin(s, "{'cmd':'person edit','person':'left','active':'no','organisation':'De Linde'}"));
  const struct {
    const char *what, *login, *password;
  } rows[] = {{"a wrong password", a.login, "secretpass-wrong"},
              {"an unknown name", "nobody@test", "secretpass-wrong"},
              {"no name at all", "!!! ???", "secretpass-wrong"},
              {"a disabled account, right password", gone.login, gone.password},
              {"a person who left, right password", left.login, left.password},
              {"an empty password", a.login, ""}};
  static char first[72000], all[72000];
  first[0] = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    long long before = dm_metric(&s->d, "web_hashes_total");
    if (password_step(&c, rows[i].login, rows[i].password) != 401)
      fail_msg("%s: %d", rows[i].what, c.a.status);
    if (dm_metric(&s->d, "web_hashes_total") != before + 1) fail_msg("%s: other work", rows[i].what);
    if (i == 0) snprintf(first, sizeof first, "%s%s", c.a.head, c.a.body);
    snprintf(all, sizeof all, "%s%s", c.a.head, c.a.body);
    if (strcmp(all, first) != 0) fail_msg("%s: another answer\n%s\n%s", rows[i].what, first, all);
  }
  assert_string_equal(wc_text(&c, "code"), "sign-in-failed");
  assert_true(strlen(wc_text(&c, "nl")) > 10 && strlen(wc_text(&c, "en")) > 10);
  assert_non_null(strstr(c.a.head, "application/problem+json"));
  wc_close(&c);
}

static void codes_work_once(void **state) {
  stage *s = *state;
  wc_account a;
  wc c = wc_open(&s->d), again = wc_open(&s->d);
  char code[7], old[7], ticket[100];
  ACCOUNT(s, "coder", "org admin", &a);
  wc_code(&a, 0, code);
  assert_true(wc_sign_in(&c, &a, code));
  assert_false(wc_sign_in(&again, &a, code)); /* the same moment's code, by somebody who looked on */
  assert_string_equal(wc_text(&again, "code"), "code-wrong");
  wc_code(&a, -5, old);
  assert_false(wc_sign_in(&again, &a, old));
  assert_true(wc_sign_in(&again, &a, a.recovery[2]));
  assert_true(json_is_true(json_object_get(again.a.json, "used_recovery_code")));
  assert_int_equal((int)json_integer_value(json_object_get(again.a.json, "recovery_codes_left")), 9);
  assert_false(wc_sign_in(&again, &a, a.recovery[2]));
  /* A ticket bears few tries, and none that was not given here. */
  assert_int_equal(code_step(&again, "", "000000"), 401);
  assert_int_equal(password_step(&again, a.login, a.password), 200);
  snprintf(ticket, sizeof ticket, "%s", wc_text(&again, "ticket"));
  ticket[5] = ticket[5] == '0' ? '1' : '0';
  assert_int_equal(code_step(&again, ticket, "000000"), 401);
  assert_string_equal(wc_text(&again, "code"), "start-again");
  wc_close(&c);
  wc_close(&again);
}

static void a_cookie_alone_is_nothing(void **state) {
  stage *s = *state;
  wc_account a, b;
  wc c = wc_open(&s->d), d = wc_open(&s->d);
  ACCOUNT(s, "cookie", "project lead", &a);
  ACCOUNT(s, "another", "project lead", &b);
  assert_true(wc_sign_in(&c, &a, NULL));
  assert_true(wc_sign_in(&d, &b, NULL));
  static const char *const origins[] = {"https://evil.example",
                                        "null",
                                        "http://localhost.evil.example",
                                        "http://evil-localhost",
                                        "https://localhost",
                                        "http://localhost:1"};
  for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
    wc x = c;
    x.a.json = NULL;
    x.origin = origins[i];
    if (wc_ask(&x, "/api/me", NULL) != 403 || wc_ask(&x, "/api/device", "") != 403 ||
        wc_ask(&x, "/api/sign-out", "") != 403)
      fail_msg("%s: %d", origins[i], x.a.status);
    assert_string_equal(wc_text(&x, "code"), "foreign-origin");
    wc_close(&x);
  }
  wc x = c;
  x.a.json = NULL;
  x.origin = NULL;
  assert_int_equal(wc_ask(&x, "/api/device", ""), 403); /* a change wants an Origin */
  x.origin = c.origin;
  x.header = NULL;
  assert_int_equal(wc_ask(&x, "/api/me", NULL), 403);
  assert_string_equal(wc_text(&x, "code"), "header-missing");
  x.header = "0";
  assert_int_equal(wc_ask(&x, "/api/me", NULL), 403);
  x.header = "1";
  x.csrf[0] = 0; /* the cookie, stolen, at another place */
  strcpy(x.from, "127.0.0.3");
  assert_int_equal(wc_ask(&x, "/api/me", NULL), 403);
  assert_string_equal(wc_text(&x, "code"), "csrf-missing");
  snprintf(x.csrf, sizeof x.csrf, "%s", d.csrf); /* with the value of another session */
  assert_int_equal(wc_ask(&x, "/api/me", NULL), 403);
  snprintf(x.csrf, sizeof x.csrf, "%s", c.csrf);
  x.cookie[0] = 0; /* the value without the cookie */
  assert_int_equal(wc_ask(&x, "/api/me", NULL), 401);
  snprintf(x.cookie, sizeof x.cookie, "overdracht=%064d", 7);
  assert_int_equal(wc_ask(&x, "/api/me", NULL), 401);
  wc_close(&x);
  /* A websocket with the cookie is nobody until a device proves itself. */
  char request[1024], line[300];
  snprintf(line, sizeof line, "Cookie: %s\r\n", c.cookie);
  rawws_request(request, sizeof request, "localhost", NULL, line);
  rawws *ws = rawws_connect(&(rawws_opts){.port = s->d.port});
  assert_int_equal(rawws_upgrade_with(ws, request), 101);
  assert_true(rawws_send_binary(ws, "\x01\x02\x03", 3));
  assert_true(rawws_read_close(ws, NULL, 8000) > 1000);
  rawws_free(ws);
  assert_int_equal(wc_ask(&c, "/api/me", NULL), 200); /* the rightful one noticed nothing */
  wc_close(&c);
  wc_close(&d);
}

static void tries_are_slowed(void **state) {
  stage *s = *state;
  wc_account a;
  wc c = wc_open(&s->d), far = wc_open(&s->d);
  ACCOUNT(s, "slow", "project lead", &a);
  static const char *const names[] = {"slow@test", "nobody-slow@test"};
  for (int known = 0; known < 2; known++) {
    long long hashes = dm_metric(&s->d, "web_hashes_total");
    int refused = 0, last = 0;
    for (int i = 0; i < 60 && last < 8; i++) { /* until its waits are longer than a slow machine's */
      int status = password_step(&c, names[known], "secretpass-guess");
      refused += status == 401;
      last = status == 429 ? last + 1 : 0;
      if (status != 401 && status != 429) fail_msg("%d", status);
    }
    assert_int_equal(last, 8);
    assert_true(refused >= 4 && refused < 12);
    assert_int_equal((int)(dm_metric(&s->d, "web_hashes_total") - hashes), refused); /* no work for a flood */
    assert_string_equal(wc_text(&c, "code"), "too-many-tries");
    assert_non_null(strstr(c.a.head, "Retry-After: "));
    /* from anywhere */
    if (known) assert_int_equal(password_step(&far, names[known], "secretpass-guess"), 429);
  }
  /* One address that tries many names. */
  int slowed = 0;
  for (int i = 0; i < 40 && !slowed; i++) {
    char name[40];
    snprintf(name, sizeof name, "spray%d@test", i);
    slowed = password_step(&c, name, "secretpass-guess") == 429;
  }
  assert_true(slowed);
  assert_int_equal(password_step(&far, "spray@test", "secretpass-guess"), 401); /* others are not */
  wc_close(&c);
  wc_close(&far);
}

/* A care home behind one address: however often its people sign in, that is no failure of anybody's. */
static void an_office_behind_one_address_signs_in(void **state) {
  stage *s = *state;
  wc_account a, b;
  wc c = wc_open(&s->d);
  ACCOUNT(s, "office-one", "org admin", &a);
  ACCOUNT(s, "office-two", "project lead", &b);
  for (unsigned i = 0; i < 16; i++) {
    if (!wc_sign_in(&c, i % 2 ? &a : &b, (i % 2 ? &a : &b)->recovery[i / 2]))
      fail_msg("sign-in %u: %d %s", i + 1, c.a.status, wc_text(&c, "code"));
  }
  wc_close(&c);
}

static void sessions_are_ended_from_outside(void **state) {
  stage *s = *state;
  wc_account a, b;
  wc one = wc_open(&s->d), two = wc_open(&s->d), other = wc_open(&s->d);
  char reply[8192], ask[200];
  ACCOUNT(s, "ended", "project lead", &a);
  ACCOUNT(s, "stays", "project lead", &b);
  assert_true(wc_sign_in(&one, &a, NULL));
  assert_true(wc_sign_in(&two, &a, a.recovery[0]));
  assert_true(wc_sign_in(&other, &b, NULL));
  assert_true(dm_admin(&s->d, "{\"cmd\":\"session list\"}", reply, sizeof reply));
  json_t *j = json_loads(reply, 0, NULL), *item, *items = json_object_get(j, "items");
  size_t i;
  const char *id = NULL;
  json_array_foreach(items, i, item) {
    if (!strcmp(json_string_value(json_object_get(item, "login")), a.login) && !id)
      id = json_string_value(json_object_get(item, "session"));
  }
  assert_non_null(id);
  assert_null(strstr(reply, one.csrf));
  assert_null(strstr(reply, strchr(one.cookie, '=') + 1));
  snprintf(ask, sizeof ask, "{\"cmd\":\"session revoke\",\"session\":\"%s\"}", id);
  assert_true(dm_admin(&s->d, ask, reply, sizeof reply));
  json_decref(j);
  assert_int_equal(wc_ask(&one, "/api/me", NULL) + wc_ask(&two, "/api/me", NULL), 601); /* one of the two */
  assert_false(dm_admin(&s->d, ask, reply, sizeof reply));
  assert_true(admin(s, "{'cmd':'account disable','person':'ended','organisation':'De Linde'}"));
  assert_int_equal(wc_ask(&one, "/api/me", NULL), 401);
  assert_int_equal(wc_ask(&two, "/api/me", NULL), 401);
  assert_int_equal(wc_ask(&other, "/api/me", NULL), 200);
  assert_true(admin(s, "{'cmd':'person edit','person':'stays','active':'no','organisation':'De Linde'}"));
  assert_int_equal(wc_ask(&other, "/api/me", NULL), 401); /* who leaves is out with the next call */
  wc_close(&one);
  wc_close(&two);
  wc_close(&other);
}

static void bodies_that_are_none(void **state) {
  stage *s = *state;
  wc c = wc_open(&s->d);
  static char deep[4001], large[5001], longer[900];
  memset(deep, '[', 4000);
  memset(large, ' ', 5000);
  memset(longer, 0, sizeof longer);
  strcpy(longer, "{\"login\":\"a@test\",\"password\":\"");
  memset(longer + strlen(longer), 'p', 300);
  strcat(longer, "\"}");
  const struct {
    const char *body;
    int status;
  } rows[] = {{"", 400},
              {"{", 400},
              {"[]", 400},
              {"null", 400},
              {"{}", 400},
              {"{\"login\":1,\"password\":2}", 400},
              {"{\"login\":\"a@test\"}", 400},
              {"{\"login\":\"a@test\",\"login\":\"b@test\",\"password\":\"x\"}", 400},
              {"{\"login\":\"a\\u0000b@test\",\"password\":\"x\"}", 400},
              {"{\"login\":\"\xff\xfe\",\"password\":\"x\"}", 400},
              {deep, 400},
              {longer, 400},
              {large, 413}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (wc_ask(&c, "/api/sign-in", rows[i].body) != rows[i].status)
      fail_msg("%.40s: %d, expected %d", rows[i].body, c.a.status, rows[i].status);
  static const char *const types[] = {"text/plain", "application/x-www-form-urlencoded",
                                      "multipart/form-data", NULL, "application/jsonx"};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    c.type = types[i];
    assert_int_equal(wc_ask(&c, "/api/sign-in", "{\"login\":\"a@test\",\"password\":\"x\"}"), 415);
  }
  assert_int_equal(wc_ask(&c, "/api/sign-in", NULL), 405);
  wc_close(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_lead_signs_in_and_out),
      cmocka_unit_test(a_browser_becomes_the_leads_device),
      cmocka_unit_test(who_signed_in_is_in_the_audit),
      cmocka_unit_test(nobody_can_tell_why_it_failed),
      cmocka_unit_test(codes_work_once),
      cmocka_unit_test(a_cookie_alone_is_nothing),
      cmocka_unit_test(sessions_are_ended_from_outside),
      cmocka_unit_test(bodies_that_are_none),
      cmocka_unit_test(tries_are_slowed),
      cmocka_unit_test(an_office_behind_one_address_signs_in),
      cmocka_unit_test(teams_that_a_browser_cannot_follow_are_told),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
