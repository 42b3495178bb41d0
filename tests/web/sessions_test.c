/* Sessions and delays by a clock that the test turns: what lives how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web_priv.h"

static int64_t clock_ms;
static uint32_t drawn;

static int64_t now(void *ctx) {
  (void)ctx;
  return clock_ms;
}

static int random_bytes(void *ctx, void *p, size_t n) {
  (void)ctx;
  for (size_t i = 0; i < n; i++) {
    drawn = drawn * 1664525u + 1013904223u;
    ((uint8_t *)p)[i] = (uint8_t)(drawn >> 24);
  }
  return 0;
}

static const sv_sys sys = {.now_ms = now, .mono_ms = now, .random = random_bytes};
static void wake(void *ctx) { (void)ctx; }

static int setup(void **state) {
  sv_web *w;
  clock_ms = 1000000000;
  drawn = 1;
  sv_web_options o = {
      .sys = &sys, .wake = wake, .tls = true, .cost = {.memory_kib = 64, .passes = 1, .lanes = 1}};
  if (sv_web_new(&o, &w)) return -1;
  *state = w;
  return 0;
}

static int teardown(void **state) {
  sv_web_free(*state);
  return 0;
}

/* "name=value" of the reply's cookie, and the reply is freed. */
static void take_cookie(sv_net_reply *reply, char out[200]) {
  const char *p = reply->headers ? strstr(reply->headers, "Set-Cookie: ") : NULL;
  out[0] = 0;
  if (p) snprintf(out, 200, "%.*s", (int)strcspn(p + 12, ";"), p + 12);
  sv_net_reply_free(reply);
}

static web_session *open_one(sv_web *w, uint8_t person, char cookie[200]) {
  sv_net_reply reply = {0};
  sv_web_session_info info = {.login = "x", .person = {.seq = person}};
  web_session *ss = NULL;
  assert_int_equal(web_session_open(w, &info, &ss, &reply), 0);
  assert_non_null(strstr(reply.headers, "__Host-overdracht="));
  assert_non_null(strstr(reply.headers, "; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800\r\n"));
  assert_null(strstr(reply.headers, "Domain"));
  take_cookie(&reply, cookie);
  return ss;
}

static void idle_sessions_end(void **state) {
  sv_web *w = *state;
  char cookie[200];
  sv_net_reply reply = {0};
  web_session *ss = open_one(w, 1, cookie);
  for (int i = 0; i < 3; i++) {
    clock_ms += SV_WEB_IDLE_MS - 1000;
    char next[200];
    assert_ptr_equal(web_session_find(w, cookie), ss);
    assert_int_equal(web_session_touch(w, ss, &reply), 0);
    take_cookie(&reply, next);
    assert_string_not_equal(next, ""); /* renewed: it is older than ten minutes */
    assert_string_not_equal(next, cookie);
    strcpy(cookie, next);
  }
  clock_ms += SV_WEB_IDLE_MS + 1;
  assert_null(web_session_find(w, cookie));
  assert_int_equal(sv_web_sessions(w, NULL, 0), 0);
}

static void no_session_outlives_a_working_day(void **state) {
  sv_web *w = *state;
  char cookie[200], next[200];
  sv_net_reply reply = {0};
  int64_t start = clock_ms;
  open_one(w, 1, cookie);
  for (web_session *ss; (ss = web_session_find(w, cookie));) {
    assert_int_equal(web_session_touch(w, ss, &reply), 0);
    take_cookie(&reply, next);
    if (next[0]) strcpy(cookie, next);
    clock_ms += 5 * 60 * 1000;
  }
  assert_in_range(clock_ms - start, SV_WEB_ABSOLUTE_MS, SV_WEB_ABSOLUTE_MS + 6 * 60 * 1000);
}

static void an_old_cookie_ends_the_session_of_both(void **state) {
  sv_web *w = *state;
  char first[200], second[200];
  sv_net_reply reply = {0};
  sv_web_stats st;
  web_session *ss = open_one(w, 1, first);
  assert_int_equal(web_session_touch(w, ss, &reply), 0);
  take_cookie(&reply, second);
  assert_string_equal(second, ""); /* too early for another */
  clock_ms += SV_WEB_ROTATE_MS + 1;
  assert_int_equal(web_session_touch(w, ss, &reply), 0);
  take_cookie(&reply, second);
  assert_ptr_equal(web_session_find(w, second), ss);
  clock_ms += SV_WEB_OLD_TOKEN_MS - 1;
  assert_ptr_equal(web_session_find(w, first), ss); /* was under way */
  clock_ms += 2;
  assert_null(web_session_find(w, first)); /* somebody has a copy */
  assert_null(web_session_find(w, second));
  sv_web_stats_get(w, &st);
  assert_int_equal((int)st.stolen, 1);
}

static void cookies_are_read_exactly(void **state) {
  sv_web *w = *state;
  char cookie[200], text[500];
  open_one(w, 1, cookie);
  snprintf(text, sizeof text, "a=b; %s; c=d", cookie);
  assert_non_null(web_session_find(w, text));
  snprintf(text, sizeof text, "x%s", cookie); /* xx__Host-... */
  assert_null(web_session_find(w, text));
  snprintf(text, sizeof text, "%sa", cookie);
  assert_null(web_session_find(w, text));
  snprintf(text, sizeof text, "overdracht=%s", strchr(cookie, '=') + 1); /* the name for plain loopback */
  assert_null(web_session_find(w, text));
  cookie[strlen(cookie) - 1] ^= 1;
  assert_null(web_session_find(w, cookie));
  assert_null(web_session_find(w, ""));
  assert_null(web_session_find(w, NULL));
  assert_null(web_session_find(w, ";;;==;"));
}

static void tables_are_bounded(void **state) {
  sv_web *w = *state;
  char cookie[200], first[200];
  web_session *ss;
  sv_net_reply reply = {0};
  open_one(w, 1, first);
  for (unsigned i = 1; i < SV_WEB_SESSIONS_EACH; i++) {
    clock_ms++;
    open_one(w, 1, cookie);
  }
  assert_non_null(web_session_find(w, first));
  clock_ms++;
  open_one(w, 1, cookie); /* one more: the oldest goes */
  assert_null(web_session_find(w, first));
  assert_int_equal(sv_web_sessions(w, NULL, 0), SV_WEB_SESSIONS_EACH);
  assert_int_equal(sv_web_revoke(w, NULL, &(ov_name){.seq = 1}), SV_WEB_SESSIONS_EACH);
  for (unsigned i = 0; i < SV_WEB_SESSIONS_MAX; i++) {
    sv_web_session_info info = {.person = {.seq = 1000 + i}};
    assert_int_equal(web_session_open(w, &info, &ss, &reply), 0);
    sv_net_reply_free(&reply);
  }
  sv_web_session_info info = {.person = {.seq = 7}};
  assert_int_equal(web_session_open(w, &info, &ss, &reply), OV_E_FULL);
  sv_net_reply_free(&reply);
  clock_ms += SV_WEB_IDLE_MS + 1;
  assert_int_equal(web_session_open(w, &info, &ss, &reply), 0); /* those that ended make room */
  sv_net_reply_free(&reply);
}

/* -- delays ------------------------------------------------------------------------------------- */

static void a_name_is_slowed_more_and_more(void **state) {
  sv_web *w = *state;
  unsigned waits[16] = {0}, n = 0;
  uint8_t address[16];
  for (int i = 0; i < 16; i++) {
    memset(address, i, sizeof address); /* from everywhere */
    while (web_delay_charge(w, "jan@linde", address)) {
      waits[n]++;
      clock_ms += 1000;
    }
    n++;
  }
  static const unsigned want[16] = {0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900};
  for (int i = 0; i < 16; i++)
    if (waits[i] != want[i]) fail_msg("try %d waited %u s, expected %u", i + 1, waits[i], want[i]);
  clock_ms += 900 * 1000;
  web_delay_clear(w, "jan@linde");
  assert_int_equal(web_delay_charge(w, "jan@linde", address), 0);
  assert_int_equal(web_delay_charge(w, "jan@linde", address), 0);
}

static void right_passwords_cost_nothing(void **state) {
  sv_web *w = *state;
  uint8_t address[16] = {1};
  for (int i = 0; i < 100; i++) {
    assert_int_equal(web_delay_charge(w, "jan@linde", address), 0);
    web_delay_refund(w, "jan@linde", address);
  }
  /* Somebody with an account of their own does not wash away guesses at others. */
  unsigned slowed = 0;
  for (int i = 0; i < 40 && !slowed; i++) {
    char name[20];
    snprintf(name, sizeof name, "guess%d", i);
    slowed = web_delay_charge(w, name, address);
    if (!slowed && !web_delay_charge(w, "own@linde", address)) {
      web_delay_refund(w, "own@linde", address);
      web_delay_clear(w, "own@linde");
    }
  }
  assert_true(slowed);
}

static void the_whole_server_takes_so_many(void **state) {
  sv_web *w = *state;
  unsigned taken = 0;
  clock_ms -= clock_ms % 60000;
  for (unsigned i = 0; i < 100000; i++) {
    char name[20];
    uint8_t address[16];
    snprintf(name, sizeof name, "n%u", i);
    memset(address, 0, sizeof address);
    memcpy(address, &i, sizeof i);
    taken += web_delay_charge(w, name, address) == 0;
  }
  assert_int_equal(taken, SV_WEB_TRIES_PER_MINUTE);
  clock_ms += 60000;
  uint8_t address[16] = {9};
  assert_int_equal(web_delay_charge(w, "later", address), 0);
}

/* A flood of names does not make the server forget a name under attack. */
static void a_flood_does_not_wash_a_name_clean(void **state) {
  sv_web *w = *state;
  uint8_t address[16] = {5};
  for (int i = 0; i < 6; i++) {
    memset(address, 100 + i, sizeof address);
    while (web_delay_charge(w, "target", address)) clock_ms += 1000;
  }
  for (unsigned i = 0; i < SV_WEB_DELAYS_MAX; i++) {
    char name[20];
    snprintf(name, sizeof name, "f%u", i);
    memset(address, 0, sizeof address);
    memcpy(address, &i, sizeof i);
    if (i % 100 == 0) w->minute = -1; /* as if minutes went by; the clock stands, so that nothing is over */
    web_delay_charge(w, name, address);
  }
  memset(address, 77, sizeof address);
  assert_true(web_delay_charge(w, "target", address) > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(idle_sessions_end),
      TEST(no_session_outlives_a_working_day),
      TEST(an_old_cookie_ends_the_session_of_both),
      TEST(cookies_are_read_exactly),
      TEST(tables_are_bounded),
      TEST(a_name_is_slowed_more_and_more),
      TEST(right_passwords_cost_nothing),
      TEST(the_whole_server_takes_so_many),
      TEST(a_flood_does_not_wash_a_name_clean),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
