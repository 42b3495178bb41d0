/* Releases over HTTP from the real server: what a token opens, and what it does not. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sv_account.h"
#include "web_client.h"

#include <cmocka.h>

#define SLEEP_CSV "/v1/releases/%s/sleep.csv"

typedef struct stage {
  dm_site site;
  dm_server d;
  char month[8], path[60];
  char all[100], sleep[100], old[100]; /* Authorization headers */
  char sleep_id[20];
} stage;

/* One whose time is over: put into the store before the server runs, since the command makes none. */
static bool old_token(stage *s, char header[100], char why[DM_WHY]) {
  char text[SV_TOKEN_TEXT];
  sv_token tok = {.label = "over", .datasets = "*", .created_ms = 1};
  sv_txn *t = NULL;
  if (!dm_site_open_orgs(&s->site, why)) return false;
  tok.expires_ms = (int64_t)time(NULL) * 1000 - 1000;
  FX_OK(sv_token_make(&s->site.fx.sys, s->site.fx.hasher, &tok, text));
  FX_OK(sv_txn_write(s->site.programme->env, &t));
  FX_OK(sv_token_put(t, &tok));
  FX_OK(sv_txn_commit(t));
  dm_site_close_orgs(&s->site);
  snprintf(header, 100, "Authorization: Bearer %s\r\n", text);
  return true;
}

static int setup(void **state) {
  stage *s = calloc(1, sizeof *s);
  char why[DM_WHY] = "";
  dm_site_open(&s->site, 8);
  if (!old_token(s, s->old, why)) {
    print_error("%s\n", why);
    return -1;
  }
  if (!wc_start(&s->d, &s->site)) return -1;
  wc_release(&s->d, s->month);
  snprintf(s->path, sizeof s->path, SLEEP_CSV, s->month);
  wc_token(&s->d, "", s->all, NULL);
  wc_token(&s->d, ",\"dataset\":[\"sleep\"]", s->sleep, s->sleep_id);
  *state = s;
  return 0;
}

static int teardown(void **state) {
  stage *s = *state;
  int result = wc_stop(&s->d, &s->site, "ovr1_");
  free(s);
  return result;
}

static bool head_has(const wc *c, const char *text) { return strstr(c->a.head, text) != NULL; }

/* The entity tag of the last answer, with its quotes. */
static void tag_of(const wc *c, char out[80]) {
  const char *p = strstr(c->a.head, "ETag: ");
  assert_non_null(p);
  snprintf(out, 80, "%.*s", (int)strcspn(p + 6, "\r"), p + 6);
}

static void a_token_opens_the_releases(void **state) {
  stage *s = *state;
  wc c = wc_program(&s->d, s->all);
  char path[80];
  assert_int_equal(wc_ask(&c, "/v1/releases", NULL), 200);
  json_t *first = json_array_get(json_object_get(c.a.json, "releases"), 0);
  assert_string_equal(json_string_value(json_object_get(first, "id")), s->month);
  assert_int_equal(wc_ask(&c, s->path, NULL), 200);
  assert_true(head_has(&c, "text/csv") &&
              head_has(&c, "Content-Disposition: attachment; filename=\"overdracht-"));
  assert_int_equal(strncmp(c.a.body, "release,", 8), 0);
  snprintf(path, sizeof path, "/v1/releases/%s/datapackage.json", s->month);
  assert_int_equal(wc_ask(&c, path, NULL), 200);
  assert_non_null(json_object_get(c.a.json, "resources"));
  assert_int_equal(wc_ask(&c, "/v1/codebook.csv", NULL), 200);
  assert_int_equal(wc_ask(&c, "/v1/codebook.html", NULL), 200);
  for (int stata = 0; stata < 2; stata++) {
    snprintf(path, sizeof path, "/v1/releases/%s/goal.%s", s->month, stata ? "dta" : "sav");
    assert_int_equal(wc_ask(&c, path, NULL), 200);
    assert_int_equal(strncmp(c.a.body, stata ? "<stata_dta>" : "$FL2", stata ? 11 : 4), 0);
  }
  wc_close(&c);
}

/* Lines of the programme's audit about exports, by this user, of this event outcome and purpose. */
static unsigned exports_by(stage *s, const char *who, const char *detail) {
  static char reply[262144];
  unsigned n = 0;
  size_t i;
  const json_t *e;
  assert_true(dm_admin(
      &s->d, "{\"cmd\":\"audit list\",\"organisation\":\"Programme\",\"type\":\"export\",\"limit\":1000}",
      reply, sizeof reply));
  json_t *j = json_loads(reply, 0, NULL);
  json_array_foreach(json_object_get(j, "items"), i, e) {
    n += !strncmp(json_string_value(json_object_get(e, "who")), who, strlen(who)) &&
         strstr(json_string_value(json_object_get(e, "detail")), detail) &&
         !strcmp(json_string_value(json_object_get(e, "outcome")), "done") &&
         !strcmp(json_string_value(json_object_get(e, "action")), "read");
  }
  json_decref(j);
  return n;
}

/* Who took figures out: once an hour for a token, each file for an administrator. */
static void exports_are_in_the_audit(void **state) {
  stage *s = *state;
  char mine[100], id[20], who[40], ask[400], reply[4096];
  wc_token(&s->d, ",\"dataset\":[\"sleep\"]", mine, id);
  snprintf(who, sizeof who, "token %s", id);
  assert_int_equal(exports_by(s, who, "releases over HTTP"), 0);
  wc c = wc_program(&s->d, mine);
  assert_int_equal(wc_ask(&c, s->path, NULL), 200);
  for (int i = 0; i < 500 && !exports_by(s, who, "releases over HTTP"); i++) dm_sleep_ms(20);
  assert_int_equal(wc_ask(&c, s->path, NULL), 200);
  assert_int_equal(exports_by(s, who, "releases over HTTP"), 1);
  wc_close(&c);
  unsigned before = exports_by(s, "uid ", "export");
  snprintf(ask, sizeof ask,
           "{\"cmd\":\"export\",\"release\":\"%s\",\"dataset\":\"sleep\",\"format\":\"csv\",\"out\":\"%s/"
           "sleep.csv\"}",
           s->month, s->site.fx.dir);
  assert_true(dm_admin(&s->d, ask, reply, sizeof reply));
  assert_int_equal(exports_by(s, "uid ", "export"), before + 1);
}

static void the_description_needs_no_token(void **state) {
  stage *s = *state;
  wc c = wc_program(&s->d, NULL);
  assert_int_equal(wc_ask(&c, "/v1/openapi.json", NULL), 200);
  json_t *paths = json_object_get(c.a.json, "paths");
  assert_int_equal((int)json_object_size(paths), 5);
  assert_non_null(json_object_get(paths, "/v1/releases/{release}/{dataset}.{format}"));
  wc_close(&c);
}

static void tags_ranges_and_gzip(void **state) {
  stage *s = *state;
  char headers[400], tag[80], whole[sizeof((wc_answer *)0)->body];
  wc c = wc_program(&s->d, s->all);
  assert_int_equal(wc_ask(&c, s->path, NULL), 200);
  tag_of(&c, tag);
  snprintf(whole, sizeof whole, "%s", c.a.body);
  assert_true(head_has(&c, "Cache-Control: no-cache\r\n") && head_has(&c, "Vary: Accept-Encoding\r\n"));
  assert_int_equal(wc_ask(&c, s->path, NULL), 200);
  assert_string_equal(c.a.body, whole); /* the same request, the same bytes */

  c.extra = headers;
  snprintf(headers, sizeof headers, "%sIf-None-Match: %s\r\n", s->all, tag);
  assert_int_equal(wc_ask(&c, s->path, NULL), 304);
  assert_string_equal(c.a.body, "");
  snprintf(headers, sizeof headers, "%sRange: bytes=8-12\r\n", s->all);
  assert_int_equal(wc_ask(&c, s->path, NULL), 206);
  assert_int_equal((int)strlen(c.a.body), 5);
  assert_memory_equal(c.a.body, whole + 8, 5);
  snprintf(headers, sizeof headers, "%sRange: bytes=99999999-\r\n", s->all);
  assert_int_equal(wc_ask(&c, s->path, NULL), 416);
  assert_true(head_has(&c, "Content-Range: bytes */"));
  snprintf(headers, sizeof headers, "%sAccept-Encoding: gzip\r\n", s->all);
  assert_int_equal(wc_ask(&c, s->path, NULL), 200);
  assert_true(head_has(&c, "Content-Encoding: gzip\r\n"));
  assert_int_equal((int)(uint8_t)c.a.body[0], 0x1f);
  char small[80];
  tag_of(&c, small);
  assert_string_not_equal(small, tag);
  snprintf(headers, sizeof headers, "%sAccept-Encoding: gzip\r\nIf-None-Match: %s\r\n", s->all, small);
  assert_int_equal(wc_ask(&c, s->path, NULL), 304);
  wc_close(&c);
}

static void refused(stage *s, const char *headers, const char *path, int status, const char *code) {
  wc c = wc_program(&s->d, headers);
  if (wc_ask(&c, path, NULL) != status || strcmp(wc_text(&c, "code"), code) != 0)
    fail_msg("%s %s: %d %s, expected %d %s", headers ? headers : "", path, c.a.status, c.a.body, status,
             code);
  assert_true(head_has(&c, "application/problem+json"));
  assert_int_equal(head_has(&c, "WWW-Authenticate: Bearer"), status == 401);
  assert_true(*wc_text(&c, "nl") && *wc_text(&c, "en"));
  wc_close(&c);
}

static void tokens_that_open_nothing(void **state) {
  stage *s = *state;
  char wrong[100], path[80], ask[100], reply[500];
  refused(s, NULL, "/v1/releases", 401, "token-missing");
  refused(s, "Authorization: Basic YTpi\r\n", "/v1/releases", 401, "token-missing");
  refused(s, "Authorization: Bearer\r\n", "/v1/releases", 401, "token-missing");
  refused(s, "Authorization: Bearer ovr1_0000\r\n", "/v1/releases", 401, "token-unknown");
  refused(s, s->old, "/v1/releases", 401, "token-expired");
  refused(s, s->old, s->path, 401, "token-expired");
  refused(s, "Cookie: overdracht=0000\r\n", "/v1/releases", 401, "token-missing");
  strcpy(wrong, s->all);
  wrong[40] = wrong[40] == '0' ? '1' : '0';
  refused(s, wrong, s->path, 401, "token-unknown");
  snprintf(wrong, sizeof wrong, "%.*s", (int)sizeof wrong - 1, s->all);
  refused(s, wrong, "/v1/nothing", 404, "unknown-path");
  /* Over its scope; the list and the codebook are for every token. */
  snprintf(path, sizeof path, "/v1/releases/%s/goal.csv", s->month);
  refused(s, s->sleep, path, 403, "out-of-scope");
  wc c = wc_program(&s->d, s->sleep);
  assert_int_equal(wc_ask(&c, s->path, NULL), 200);
  assert_int_equal(wc_ask(&c, "/v1/codebook.csv", NULL), 200);
  wc_close(&c);
  snprintf(ask, sizeof ask, "{\"cmd\":\"token revoke\",\"id\":\"%s\"}", s->sleep_id);
  assert_true(dm_admin(&s->d, ask, reply, sizeof reply));
  refused(s, s->sleep, s->path, 401, "token-revoked");
}

/* Good at another programme's server, and at that one only. */
static void a_token_of_another_programme(void **state) {
  stage *s = *state, other = {.month = ""};
  char why[DM_WHY] = "", header[100];
  dm_site_open(&other.site, 9);
  if (!dm_start(&other.d, &other.site, &(dm_options){.workers = 1}, why)) fail_msg("%s", why);
  wc_token(&other.d, "", header, NULL);
  wc c = wc_program(&other.d, header);
  assert_int_equal(wc_ask(&c, "/v1/releases", NULL), 200);
  wc_close(&c);
  refused(s, header, "/v1/releases", 401, "token-unknown");
  refused(s, header, s->path, 401, "token-unknown");
  assert_true(dm_stop(&other.d, SIGTERM));
  dm_end(&other.d);
  dm_site_close(&other.site);
}

static void paths_that_lead_nowhere(void **state) {
  stage *s = *state;
  char path[200];
  refused(s, s->all, "/v1/", 404, "unknown-path");
  refused(s, s->all, "/v1/releases/", 404, "unknown-path");
  refused(s, s->all, "/v1/releases/2020-01/sleep.csv", 404, "unknown-release");
  refused(s, s->all, "/v1/releases/x/sleep.csv", 404, "unknown-release");
  static const char *const files[] = {"persons.csv", "sleep.xlsx",  "sleep.html", "sleep.csv.gz", "sleep",
                                      ".csv",        "sleep.csv/x", "SLEEP.csv",  "a/b/c.csv"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    wc c = wc_program(&s->d, s->all);
    snprintf(path, sizeof path, "/v1/releases/%s/%s", s->month, files[i]);
    if (wc_ask(&c, path, NULL) != 404) fail_msg("%s: %d", path, c.a.status);
    wc_close(&c);
  }
  refused(s, s->all, "/v1/codebook.csv?person=1", 400, "no-arguments");
  refused(s, s->all, "/v1/releases?breakdown=organisation", 400, "no-breakdown");
  snprintf(path, sizeof path, "%s?breakdown=network", s->path);
  refused(s, s->all, path, 400, "no-breakdown");
  wc c = wc_program(&s->d, s->all);
  wc_ask(&c, path, NULL);
  assert_non_null(strstr(c.a.body, "all, network, network_type")); /* refused with the list */
  assert_int_equal(wc_ask(&c, "/v1/releases", "{}"), 405);
  wc_close(&c);
}

static void admin_says(stage *s, const char *ask, bool well, const char *what) {
  char reply[8192] = "";
  if (dm_admin(&s->d, ask, reply, sizeof reply) != well || !strstr(reply, what))
    fail_msg("%s: %s", ask, reply);
}

/* The running server makes no release of a month that is not closed, or by a breakdown that is not on the
 * list; of a month without enough people it makes one, empty, and says why. */
static void releases_that_are_refused_or_empty(void **state) {
  stage *s = *state;
  char ask[200], now[8];
  time_t at = time(NULL);
  struct tm tm;
  strftime(now, sizeof now, "%Y-%m", gmtime_r(&at, &tm));
  snprintf(ask, sizeof ask, "{\"cmd\":\"release make\",\"month\":\"%s\"}", now);
  admin_says(s, ask, false, "is not closed");
  admin_says(s, "{\"cmd\":\"release make\",\"month\":\"2026-00\"}", false, "is no month");
  snprintf(ask, sizeof ask, "{\"cmd\":\"release make\",\"month\":\"%s\",\"breakdown\":[\"organisation\"]}",
           s->month);
  admin_says(s, ask, false, "network, network_type");
  snprintf(ask, sizeof ask, "{\"cmd\":\"release make\",\"month\":\"%s\"}", s->month);
  admin_says(s, ask, true, "too few people");
  wc c = wc_program(&s->d, s->all);
  assert_int_equal(wc_ask(&c, "/v1/releases", NULL), 200);
  assert_non_null(strstr(c.a.body, "\"told\":0,"));
  assert_int_equal(wc_ask(&c, s->path, NULL), 200);
  wc_close(&c);
}

/* Its term is over: as good as none, and said so. */
static void an_expired_token(void **state) {
  stage *s = *state;
  char header[100], id[20], why[DM_WHY];
  sv_txn *t = NULL;
  sv_token tok;
  unsigned changed = 0;
  wc_token(&s->d, ",\"days\":9", header, id);
  wc c = wc_program(&s->d, header);
  assert_int_equal(wc_ask(&c, "/v1/releases", NULL), 200);
  assert_true(dm_stop(&s->d, SIGTERM));
  assert_true(dm_site_open_orgs(&s->site, why));
  FX_OK(sv_txn_write(s->site.programme->env, &t));
  for (const uint8_t *after = NULL; !sv_token_next(t, after, &tok); after = tok.hash) {
    char hex[2 * OV_HASH_BYTES + 1];
    ov_hex(tok.hash, OV_HASH_BYTES, hex);
    if (strncmp(hex, id, strlen(id)) != 0) continue;
    tok.expires_ms = s->site.fx.now_ms - 1000;
    FX_OK(sv_token_put(t, &tok));
    changed++;
  }
  FX_OK(sv_txn_commit(t));
  assert_int_equal(changed, 1);
  dm_site_close_orgs(&s->site);
  assert_true(dm_again(&s->d, why));
  wc_close(&c);
  refused(s, header, "/v1/releases", 401, "token-expired");
  refused(s, header, s->path, 401, "token-expired");
  c = wc_program(&s->d, s->all);
  assert_int_equal(wc_ask(&c, s->path, NULL), 200);
  wc_close(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_token_opens_the_releases),
      cmocka_unit_test(exports_are_in_the_audit),
      cmocka_unit_test(the_description_needs_no_token),
      cmocka_unit_test(tags_ranges_and_gzip),
      cmocka_unit_test(paths_that_lead_nowhere),
      cmocka_unit_test(releases_that_are_refused_or_empty),
      cmocka_unit_test(a_token_of_another_programme),
      cmocka_unit_test(tokens_that_open_nothing),
      cmocka_unit_test(an_expired_token),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
