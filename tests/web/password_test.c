/* Who is signed in chooses another password: what it takes, and what ends with it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "web_client.h"

#include <cmocka.h>

#define NEW_ONE "paard-batterij-nietje"

typedef struct stage {
  dm_site site;
  dm_server d;
  wc_account a;
  wc c; /* signed in */
} stage;

static int setup(void **state) {
  stage *s = calloc(1, sizeof *s);
  dm_site_open(&s->site, 7);
  if (!wc_start(&s->d, &s->site)) return -1;
  *state = s;
  return 0;
}

static int teardown(void **state) {
  stage *s = *state;
  int result = wc_stop(&s->d, &s->site, NEW_ONE);
  free(s);
  return result;
}

static void begin(stage *s, const char *name) {
  assert_true(wc_account_make(&s->d, "De Linde", name, "project lead", "Beuk", &s->a));
  s->c = wc_open(&s->d);
  assert_true(wc_sign_in(&s->c, &s->a, NULL));
}

static int ask(wc *c, const char *now, const char *next, const char *code) {
  char body[1500];
  snprintf(body, sizeof body, "{\"password\":\"%s\",\"new\":\"%s\",\"code\":\"%s\"}", now, next, code);
  return wc_ask(c, "/api/password", body);
}

static bool can_sign_in(stage *s, const char *password, const char *code) {
  wc_account a = s->a;
  wc c = wc_open(&s->d);
  snprintf(a.password, sizeof a.password, "%s", password);
  bool in = wc_sign_in(&c, &a, code);
  wc_close(&c);
  return in;
}

/* Lines of the audit about it, by this person. */
static unsigned told(stage *s, const char *detail, const char *outcome) {
  static char reply[262144];
  unsigned n = 0;
  size_t i;
  const json_t *e;
  assert_true(dm_admin(&s->d, "{\"cmd\":\"audit list\",\"organisation\":\"De Linde\",\"limit\":1000}", reply,
                       sizeof reply));
  json_t *j = json_loads(reply, 0, NULL);
  json_array_foreach(json_object_get(j, "items"), i, e) {
    n += !strcmp(json_string_value(json_object_get(e, "who")), s->a.person) &&
         !strcmp(json_string_value(json_object_get(e, "detail")), detail) &&
         !strcmp(json_string_value(json_object_get(e, "outcome")), outcome);
  }
  json_decref(j);
  return n;
}

static void the_new_one_counts_and_other_sessions_end(void **state) {
  stage *s = *state;
  char code[7];
  begin(s, "changer");
  wc other = wc_open(&s->d);
  assert_true(wc_sign_in(&other, &s->a, s->a.recovery[0]));
  wc_code(&s->a, 1, code); /* that of the moment signed in */
  assert_int_equal(ask(&s->c, s->a.password, NEW_ONE, code), 200);
  assert_int_equal(json_integer_value(json_object_get(s->c.a.json, "sessions_ended")), 1);
  assert_int_equal(wc_ask(&s->c, "/api/me", NULL), 200);
  assert_int_equal(wc_ask(&other, "/api/me", NULL), 401);
  assert_int_equal(told(s, "web: own password changed", "done"), 1);
  assert_false(can_sign_in(s, s->a.password, s->a.recovery[1]));
  assert_true(can_sign_in(s, NEW_ONE, s->a.recovery[1]));
  wc_close(&other);
  wc_close(&s->c);
}

/* One answer for a wrong password and a wrong code; a code works once; the password stays. */
static void it_takes_the_password_and_a_code(void **state) {
  stage *s = *state;
  char code[7], far[7];
  begin(s, "keeper");
  wc_code(&s->a, 1, code);
  wc_code(&s->a, 40, far);
  wc_account a = s->a;
  wc c = s->c;
  s->c.a.json = NULL; /* it is c's now */
  assert_int_equal(ask(&c, "wrong-password", NEW_ONE, code), 403);
  assert_string_equal(wc_text(&c, "code"), "password-wrong");
  assert_int_equal(ask(&c, a.password, NEW_ONE, far), 403);
  assert_string_equal(wc_text(&c, "code"), "password-wrong");
  assert_int_equal(told(s, "web: own password not changed", "refused"), 2);
  assert_int_equal(ask(&c, a.password, NEW_ONE, a.recovery[0]), 200);
  assert_int_equal(ask(&c, NEW_ONE, "een heel ander woord", a.recovery[0]), 403);
  assert_true(can_sign_in(s, NEW_ONE, a.recovery[2]));
  wc_close(&c);
}

static void what_is_easily_guessed_is_refused(void **state) {
  stage *s = *state;
  char code[7], text[400];
  begin(s, "weak");
  wc_code(&s->a, 1, code);
  char longest[300];
  memset(longest, 'x', 257);
  longest[257] = 0;
  snprintf(text, sizeof text, "mijn %s!", s->a.login);
  const char *bad[] = {"",   "kort", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", s->a.password,
                       text, longest};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(ask(&s->c, s->a.password, bad[i], code), 400);
    assert_string_equal(wc_text(&s->c, "code"), "password-weak");
  }
  assert_int_equal(wc_ask(&s->c, "/api/password", "{\"password\":\"a\",\"new\":1,\"code\":\"x\"}"), 400);
  assert_string_equal(wc_text(&s->c, "code"), "bad-body");
  assert_int_equal(ask(&s->c, s->a.password,
                       "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
                       code),
                   200);
  wc_close(&s->c);
}

/* The same session in other hands. */
static wc copy_of(const wc *c) {
  wc copy = *c;
  copy.a.json = NULL;
  return copy;
}

static void only_who_is_signed_in(void **state) {
  stage *s = *state;
  begin(s, "guarded");
  wc c = wc_open(&s->d);
  assert_int_equal(ask(&c, s->a.password, NEW_ONE, s->a.recovery[0]), 401);
  wc_close(&c);
  c = copy_of(&s->c);
  c.csrf[0] = 0; /* the cookie alone */
  assert_int_equal(ask(&c, s->a.password, NEW_ONE, s->a.recovery[0]), 403);
  assert_string_equal(wc_text(&c, "code"), "csrf-missing");
  wc_close(&c);
  c = copy_of(&s->c);
  c.origin = "https://elsewhere.example";
  assert_int_equal(ask(&c, s->a.password, NEW_ONE, s->a.recovery[0]), 403);
  assert_string_equal(wc_text(&c, "code"), "foreign-origin");
  wc_close(&c);
  assert_int_equal(wc_ask(&s->c, "/api/password", NULL), 405);
  wc_close(&s->c);
}

/* Guessing the present password through a session that somebody left open is slowed like signing in. */
static void guesses_are_slowed(void **state) {
  stage *s = *state;
  begin(s, "slowed");
  int last = 0;
  for (int i = 0; i < 12 && last != 429; i++) last = ask(&s->c, "wrong-password", NEW_ONE, "000000");
  assert_int_equal(last, 429);
  assert_true(json_integer_value(json_object_get(s->c.a.json, "retry_after_s")) > 0);
  wc_close(&s->c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_new_one_counts_and_other_sessions_end),
      cmocka_unit_test(it_takes_the_password_and_a_code),
      cmocka_unit_test(what_is_easily_guessed_is_refused),
      cmocka_unit_test(only_who_is_signed_in),
      cmocka_unit_test(guesses_are_slowed),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
