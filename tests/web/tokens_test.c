/* A person's own tokens on the web: who may have them, what they open, and when they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "web_client.h"

#include <cmocka.h>

typedef struct stage {
  dm_site site;
  dm_server d;
  char month[8];
  wc own; /* a researcher, signed in: the password alone costs a second and more on a busy machine */
} stage;

static bool admin(stage *s, const char *json, char *reply, size_t cap) {
  char text[500];
  snprintf(text, sizeof text, "%s", json);
  for (char *p = text; *p; p++)
    if (*p == '\'') *p = '"';
  return dm_admin(&s->d, text, reply, cap);
}

static void must(stage *s, const char *json) {
  char reply[8192];
  if (!admin(s, json, reply, sizeof reply)) fail_msg("%s: %s", json, reply);
}

/* Somebody new with this role, signed in. */
static wc person(stage *s, const char *name, const char *role) {
  wc_account a;
  wc c = wc_open(&s->d);
  assert_true(wc_account_make(&s->d, "De Linde", name, role, "Beuk", &a));
  assert_true(wc_sign_in(&c, &a, NULL));
  return c;
}

static int setup(void **state) {
  stage *s = calloc(1, sizeof *s);
  dm_site_open(&s->site, 17);
  if (!wc_start(&s->d, &s->site)) return -1;
  wc_release(&s->d, s->month);
  s->own = person(s, "hyssop", "researcher");
  wc_close(&s->own); /* tests take copies, and each its own answers */
  *state = s;
  return 0;
}

static int teardown(void **state) {
  stage *s = *state;
  int result = wc_stop(&s->d, &s->site, "ovr1_");
  free(s);
  return result;
}

static void answered(const wc *c, int status, const char *code) {
  if (c->a.status != status || strcmp(wc_text(c, "code"), code) != 0)
    fail_msg("%d %s, expected %d %s", c->a.status, c->a.body, status, code);
}

/* Makes one, and gives its header for programs. */
static void make(wc *c, const char *body, char header[100], char id[20]) {
  if (wc_ask(c, "/api/tokens", body) != 200) fail_msg("%s: %d %s", body, c->a.status, c->a.body);
  snprintf(header, 100, "Authorization: Bearer %.75s\r\n", wc_text(c, "token"));
  snprintf(id, 20, "%s", wc_text(c, "id"));
}

static void end_token(wc *c, const char *id) {
  char body[60];
  snprintf(body, sizeof body, "{\"id\":\"%s\"}", id);
  wc_ask(c, "/api/tokens/revoke", body);
}

/* What a program gets with it. */
static void opens(stage *s, const char *header, const char *path, int status, const char *code) {
  wc c = wc_program(&s->d, header);
  wc_ask(&c, path, NULL);
  answered(&c, status, code);
  wc_close(&c);
}

static size_t listed(wc *c) {
  assert_int_equal(wc_ask(c, "/api/tokens", NULL), 200);
  return json_array_size(json_object_get(c->a.json, "tokens"));
}

static json_t *first(const wc *c, const char *key) {
  return json_object_get(json_array_get(json_object_get(c->a.json, "tokens"), 0), key);
}

static void only_who_works_with_figures(void **state) {
  stage *s = *state;
  static const struct {
    const char *name, *role;
    bool may;
  } rows[] = {{"woodruff", "care staff", false},
              {"chervil", "org admin", false},
              {"lovage", "project lead", true},
              {"sorrel", "expert", true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    wc c = person(s, rows[i].name, rows[i].role);
    wc_ask(&c, "/api/releases", NULL);
    answered(&c, rows[i].may ? 200 : 403, rows[i].may ? "" : "not-allowed");
    wc_ask(&c, "/api/tokens", NULL);
    answered(&c, rows[i].may ? 200 : 403, rows[i].may ? "" : "not-allowed");
    wc_ask(&c, "/api/tokens", "{\"label\":\"x\",\"datasets\":[],\"days\":1}");
    answered(&c, rows[i].may ? 200 : 403, rows[i].may ? "" : "not-allowed");
    wc_close(&c);
  }
  wc stranger = wc_open(&s->d);
  wc_ask(&stranger, "/api/releases", NULL);
  answered(&stranger, 401, "signed-out");
  wc_ask(&stranger, "/api/tokens", "{\"label\":\"x\",\"datasets\":[],\"days\":1}");
  answered(&stranger, 401, "signed-out");
  wc_close(&stranger);
}

static void a_token_of_ones_own(void **state) {
  stage *s = *state;
  char header[100], id[20];
  wc c = s->own;
  assert_int_equal(listed(&c), 0);
  assert_int_equal(json_array_size(json_object_get(c.a.json, "datasets")), 8);
  make(&c, "{\"label\":\"sleep study\",\"datasets\":[\"sleep\",\"paired\"],\"days\":30}", header, id);
  assert_int_equal(listed(&c), 1);
  assert_string_equal(json_string_value(first(&c, "id")), id);
  assert_string_equal(json_string_value(first(&c, "datasets")), "sleep paired");
  assert_string_equal(json_string_value(first(&c, "state")), "in use");
  assert_true(json_is_null(first(&c, "last_used")));
  assert_null(strstr(c.a.body, "ovr1_")); /* it is shown once */
  assert_int_equal(json_integer_value(first(&c, "expires")) - json_integer_value(first(&c, "created")),
                   30 * 86400);
  opens(s, header, "/v1/releases", 200, "");
  opens(s, header, "/v1/releases/2020-01/sleep.csv", 404, "unknown-release");
  opens(s, header, "/v1/releases/2020-01/goal.csv", 403, "out-of-scope");
  for (int64_t until = dm_mono_ms() + DM_WAIT_MS; json_is_null(first(&c, "last_used")); listed(&c)) {
    assert_true(dm_mono_ms() < until);
    dm_sleep_ms(20);
  }
  end_token(&c, id);
  answered(&c, 200, "");
  assert_int_equal(listed(&c), 1);
  assert_string_equal(json_string_value(first(&c, "state")), "revoked");
  opens(s, header, "/v1/releases", 401, "token-revoked");
  wc_close(&c);
}

static void the_list_is_that_of_the_programs(void **state) {
  stage *s = *state;
  char header[100] = "", id[20], body[4096];
  wc c = s->own, program = wc_program(&s->d, header);
  make(&c, "{\"label\":\"all\",\"datasets\":[],\"days\":1}", header, id);
  assert_int_equal(wc_ask(&c, "/api/releases", NULL), 200);
  snprintf(body, sizeof body, "%.4095s", c.a.body);
  assert_int_equal(wc_ask(&program, "/v1/releases", NULL), 200);
  assert_string_equal(program.a.body, body);
  json_t *list = json_object_get(program.a.json, "releases"), *r = json_array_get(list, 0);
  assert_int_equal(json_array_size(list), 1);
  assert_true(json_is_null(json_object_get(r, "changed")));
  assert_non_null(json_string_value(json_object_get(r, "citation")));
  assert_int_equal(json_object_size(json_object_get(r, "forms")), 7);
  wc_close(&program);
  wc_close(&c);
}

/* A person saves the same files as a program takes. */
static void files_for_who_is_signed_in(void **state) {
  stage *s = *state;
  char header[100] = "", id[20], body[4096], path[80];
  wc c = s->own, program = wc_program(&s->d, header), stranger = wc_open(&s->d);
  make(&c, "{\"label\":\"files\",\"datasets\":[],\"days\":1}", header, id);
  static const char *const files[] = {"releases/%s/remote_care.csv", "releases/%s/datapackage.json",
                                      "codebook.csv", "codebook.html"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char file[60];
    snprintf(file, sizeof file, files[i], s->month);
    snprintf(path, sizeof path, "/api/%s", file);
    assert_int_equal(wc_ask(&c, path, NULL), 200);
    snprintf(body, sizeof body, "%.4095s", c.a.body);
    wc_ask(&stranger, path, NULL);
    answered(&stranger, 401, "signed-out");
    snprintf(path, sizeof path, "/v1/%s", file);
    assert_int_equal(wc_ask(&program, path, NULL), 200);
    assert_int_equal(strncmp(program.a.body, body, strlen(body)), 0);
  }
  wc_ask(&c, "/api/releases/2020-01/sleep.csv", NULL);
  answered(&c, 404, "unknown-release");
  snprintf(path, sizeof path, "/api/releases/%s/naps.csv", s->month);
  wc_ask(&c, path, NULL);
  answered(&c, 404, "unknown-dataset");
  assert_non_null(strstr(c.a.body, "sleep_check")); /* refused with the list */
  wc_ask(&c, "/api/releases/", NULL);
  answered(&c, 404, "unknown-path");
  end_token(&c, id);
  wc_close(&stranger);
  wc_close(&program);
  wc_close(&c);
}

/* A page of a theme network is put together once for all who look, until the programme's store changes. */
static void a_page_is_made_once_for_all(void **state) {
  stage *s = *state;
  char body[4096];
  wc c = s->own;
  assert_int_equal(wc_ask(&c, "/api/network", NULL), 200);
  snprintf(body, sizeof body, "%.4095s", c.a.body);
  long long made = 0;
  unsigned tries = 0; /* until what earlier tests left to be written is written */
  do {
    assert_true(tries++ < 20);
    made = dm_metric(&s->d, "web_made_total");
    for (unsigned i = 0; i < 3; i++) assert_int_equal(wc_ask(&c, "/api/network", NULL), 200);
  } while (dm_metric(&s->d, "web_made_total") != made);
  assert_true(made > 0);
  assert_int_equal(strncmp(c.a.body, body, strlen(body)), 0);
  must(s, "{'cmd':'record add','kind':'lesson','fields':['number=1','title=Samen met de client']}");
  assert_int_equal(wc_ask(&c, "/api/network", NULL), 200);
  assert_true(dm_metric(&s->d, "web_made_total") > made);
  assert_non_null(strstr(c.a.body, "Samen met de client"));
  assert_int_equal(wc_ask(&c, "/api/network?release=2020-01", NULL), 404);
  assert_int_equal(wc_ask(&c, "/api/network?release=2020-01-and-much-longer", NULL), 404);
  static const char *const none[] = {"77", "x", "1x", "-1", "100000"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    char path[60];
    snprintf(path, sizeof path, "/api/network?network=%s", none[i]);
    assert_int_equal(wc_ask(&c, path, NULL), 404);
  }
  c.extra = "Accept-Encoding: gzip\r\n";
  assert_int_equal(wc_ask(&c, "/api/network", NULL), 200);
  assert_non_null(strstr(c.a.head, "gzip"));
  assert_non_null(strstr(c.a.head, "-gz\"")); /* another entity than the plain one */
  wc_close(&c);
}

static void what_is_asked_wrongly(void **state) {
  stage *s = *state;
  wc c = s->own;
  char longer[200] = "{\"days\":1,\"label\":\"";
  memset(longer + strlen(longer), 'x', 81);
  strcat(longer, "\"}");
  const char *const bodies[] = {"{\"label\":\"\",\"days\":1}",
                                "{\"days\":1}",
                                longer,
                                "{\"label\":\"x\"}",
                                "{\"label\":\"x\",\"days\":0}",
                                "{\"label\":\"x\",\"days\":366}",
                                "{\"label\":\"x\",\"days\":\"1\"}",
                                "{\"label\":\"x\",\"days\":1,\"datasets\":[\"naps\"]}",
                                "{\"label\":\"x\",\"days\":1,\"datasets\":[\"codebook\"]}",
                                "{\"label\":\"x\",\"days\":1,\"datasets\":[1]}",
                                "{\"label\":\"x\",\"days\":1,\"datasets\":\"sleep\"}",
                                "[]",
                                "{"};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    wc_ask(&c, "/api/tokens", bodies[i]);
    answered(&c, 400, "bad-body");
  }
  static const char *const ids[] = {"{}", "{\"id\":\"\"}", "{\"id\":\"0123456\"}", "{\"id\":\"0123456g\"}"};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    wc_ask(&c, "/api/tokens/revoke", ids[i]);
    answered(&c, 400, "bad-body");
  }
  end_token(&c, "01234567");
  answered(&c, 404, "no-such-token");
  c.csrf[0] ^= 1;
  wc_ask(&c, "/api/tokens", "{\"label\":\"x\",\"days\":1}");
  answered(&c, 403, "csrf-missing");
  wc_close(&c);
}

/* Ten live ones, and no more than thirty are kept with those that are over. */
static void no_more_than_needed(stage *s, wc *c) {
  char header[100], id[20];
  for (unsigned i = 0; i < 25; i++) {
    make(c, "{\"label\":\"over\",\"days\":1}", header, id);
    end_token(c, id);
  }
  for (unsigned i = 0; i < 10; i++) make(c, "{\"label\":\"live\",\"days\":1}", header, id);
  assert_int_equal(listed(c), 30);
  wc_ask(c, "/api/tokens", "{\"label\":\"live\",\"days\":1}");
  answered(c, 409, "too-many-tokens");
  end_token(c, id);
  make(c, "{\"label\":\"live\",\"days\":1}", header, id);
  assert_int_equal(listed(c), 30);
  opens(s, header, "/v1/releases", 200, "");
}

static void anothers_token_is_out_of_reach(void **state) {
  stage *s = *state;
  char header[100], id[20];
  wc mine = s->own, yours = person(s, "yarrow", "researcher");
  make(&mine, "{\"label\":\"mine\",\"days\":1}", header, id);
  assert_int_equal(listed(&yours), 0);
  end_token(&yours, id);
  answered(&yours, 404, "no-such-token");
  opens(s, header, "/v1/releases", 200, "");
  wc_close(&mine);
  no_more_than_needed(s, &yours);
  wc_close(&yours);
}

/* A token lives no longer than its person's right to figures does. */
static void it_ends_with_its_persons_right(void **state) {
  stage *s = *state;
  static const struct {
    const char *name, *json;
  } rows[] = {
      {"left", "{'cmd':'person edit','person':'left','active':'no','organisation':'De Linde'}"},
      {"moved", "{'cmd':'person edit','person':'moved','role':'care staff','organisation':'De Linde'}"},
      {"barred", "{'cmd':'account disable','person':'barred','organisation':'De Linde'}"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char header[100], id[20];
    wc c = person(s, rows[i].name, "researcher");
    make(&c, "{\"label\":\"ends\",\"days\":1}", header, id);
    opens(s, header, "/v1/releases", 200, "");
    must(s, rows[i].json);
    opens(s, header, "/v1/releases", 401, "token-revoked");
    wc_close(&c);
  }
}

/* The administrator's command gives a person a token too, with the same limits. */
static void from_the_command_line(void **state) {
  stage *s = *state;
  char reply[8192];
  must(s,
       "{'cmd':'person add','name':'borage','role':'care staff','team':['Beuk'],'organisation':'De Linde'}");
  wc c = s->own;
  size_t had = listed(&c);
  must(s, "{'cmd':'token add','label':'desk','person':'hyssop','organisation':'De Linde'}");
  assert_int_equal(listed(&c), had + 1);
  assert_non_null(strstr(c.a.body, "\"label\":\"desk\""));
  assert_true(admin(s, "{'cmd':'token list'}", reply, sizeof reply));
  assert_non_null(strstr(reply, "\"person\":\"hyssop\""));
  assert_false(admin(s, "{'cmd':'token add','label':'x','person':'borage','organisation':'De Linde'}", reply,
                     sizeof reply));
  assert_non_null(strstr(reply, "takes no releases along"));
  assert_false(admin(s, "{'cmd':'token add','label':'x','dataset':['naps']}", reply, sizeof reply));
  assert_non_null(strstr(reply, "sleep_check"));
  wc_close(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_who_works_with_figures),
      cmocka_unit_test(a_token_of_ones_own),
      cmocka_unit_test(the_list_is_that_of_the_programs),
      cmocka_unit_test(files_for_who_is_signed_in),
      cmocka_unit_test(a_page_is_made_once_for_all),
      cmocka_unit_test(what_is_asked_wrongly),
      cmocka_unit_test(anothers_token_is_out_of_reach),
      cmocka_unit_test(it_ends_with_its_persons_right),
      cmocka_unit_test(from_the_command_line),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
