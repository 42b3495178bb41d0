/* Web accounts and researchers' tokens as an administrator makes them: one name for one person, secrets that
 * are shown once, and what ends them. */
#include <stdio.h>
#include <stdlib.h>

#include "admin_world.h"
#include "sv_accounts.h"

static int setup(void **state) {
  linde *l = calloc(1, sizeof *l);
  linde_open(l, 60, false);
  *state = l;
  return 0;
}

static int teardown(void **state) {
  linde_close(*state);
  free(*state);
  return 0;
}

static sv_account account_of(linde *l, const ov_name *person) {
  sv_account a;
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_account_get(t, person, &a));
  sv_txn_abort(t);
  return a;
}

static const char *state_of(linde *l, const char *login) {
  ASK(&l->aw, "{'cmd':'account list'}");
  const json_t *item = aw_item(&l->aw, "login", login);
  assert_non_null(item);
  return json_string_value(json_object_get(item, "state"));
}

static bool noted(admin_world *aw, const char *text) {
  size_t i;
  const json_t *note;
  json_array_foreach(json_object_get(aw->reply, "notes"), i, note) {
    if (strstr(json_string_value(note), text)) return true;
  }
  return false;
}

static void one_name_is_one_persons(void **state) {
  linde *l = *state;
  REFUSED(&l->aw, OV_E_INVALID, "3 to 64 letters", "{'cmd':'account add','person':'Jan','login':'x'}");
  REFUSED(&l->aw, OV_E_INVALID, "3 to 64 letters",
          "{'cmd':'account add','person':'Jan','login':'jan vries'}");
  ASK(&l->aw, "{'cmd':'account add','person':'Jan','login':'J.deVries@Linde'}");
  assert_string_equal(aw_text(&l->aw, "login"), "j.devries@linde");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "recovery_codes")), SV_RECOVERY_CODES);
  assert_non_null(strstr(aw_text(&l->aw, "otpauth"), "otpauth://totp/"));
  REFUSED(&l->aw, OV_E_EXISTS, "has an account already: j.devries@linde",
          "{'cmd':'account add','person':'Jan','login':'jan@linde'}");
  REFUSED(&l->aw, OV_E_EXISTS, "is somebody else's",
          "{'cmd':'account add','person':'Ria','login':'J.DEVRIES@linde'}");
  ASK(&l->aw, "{'cmd':'account list'}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 1);
  const json_t *item = aw_item(&l->aw, "login", "j.devries@linde");
  assert_string_equal(json_string_value(json_object_get(item, "person")), "Jan");
  assert_true(json_is_null(json_object_get(item, "signed_in")));
  assert_int_equal(json_integer_value(json_object_get(item, "recovery_codes_left")), SV_RECOVERY_CODES);
}

/* The name is stored before the account: who was cut off in between gets it with the next try, nobody
 * else. */
static void a_name_without_its_account_waits_for_its_person(void **state) {
  linde *l = *state;
  sv_login mine = {.organisation = l->org->id, .person = l->ria};
  WRITE(l->aw.node->programme, t, FX_OK(sv_login_put(t, "ria@linde", &mine)));
  REFUSED(&l->aw, OV_E_EXISTS, "is somebody else's",
          "{'cmd':'account add','person':'Jan','login':'ria@linde'}");
  ASK(&l->aw, "{'cmd':'account add','person':'Ria','login':'ria@linde'}");
  assert_string_equal(state_of(l, "ria@linde"), "in use");
}

static void new_secrets_end_the_old_ones(void **state) {
  linde *l = *state;
  char password[100];
  REFUSED(&l->aw, OV_E_NOTFOUND, "\"Jan\" has no account", "{'cmd':'account reset','person':'Jan'}");
  ASK(&l->aw, "{'cmd':'account add','person':'Jan','login':'jan@linde'}");
  snprintf(password, sizeof password, "%s", aw_text(&l->aw, "password"));
  sv_account first = account_of(l, &l->jan);
  ASK(&l->aw, "{'cmd':'account recovery','person':'Jan'}");
  assert_true(noted(&l->aw, "former codes are void"));
  sv_account second = account_of(l, &l->jan);
  assert_int_equal(second.n_recovery, SV_RECOVERY_CODES);
  assert_memory_not_equal(first.recovery, second.recovery, sizeof first.recovery);
  assert_string_equal(first.password, second.password);
  ASK(&l->aw, "{'cmd':'account disable','person':'Jan'}");
  assert_false(noted(&l->aw, "disabled already"));
  ASK(&l->aw, "{'cmd':'account disable','person':'Jan'}");
  assert_true(noted(&l->aw, "disabled already"));
  assert_string_equal(state_of(l, "jan@linde"), "disabled");
  ASK(&l->aw, "{'cmd':'account reset','person':'Jan'}");
  assert_string_not_equal(aw_text(&l->aw, "password"), password);
  assert_string_equal(state_of(l, "jan@linde"), "in use");
  sv_account third = account_of(l, &l->jan);
  assert_string_not_equal(third.password, first.password);
  assert_memory_not_equal(third.totp, first.totp, sizeof first.totp);
}

static void without_a_server_nobody_is_signed_in(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'session list'}");
  assert_true(noted(&l->aw, "nobody is signed in"));
  REFUSED(&l->aw, OV_E_INVALID, "give one session", "{'cmd':'session revoke'}");
  REFUSED(&l->aw, OV_E_INVALID, "give one session",
          "{'cmd':'session revoke','session':'abc','person':'Jan'}");
  REFUSED(&l->aw, OV_E_NOTFOUND, "no session \"abc\"", "{'cmd':'session revoke','session':'abc'}");
  REFUSED(&l->aw, OV_E_NOTFOUND, "has no account", "{'cmd':'session revoke','person':'Jan'}");
}

static void tokens_have_bounds(void **state) {
  linde *l = *state;
  char label[SV_TOKEN_LABEL_MAX + 2], sets[2000] = "";
  memset(label, 'x', sizeof label - 1);
  label[sizeof label - 1] = 0;
  REFUSED(&l->aw, OV_E_LIMIT, "at most 80 bytes", "{'cmd':'token add','label':'%s'}", label);
  REFUSED(&l->aw, OV_E_INVALID, "1 to 730", "{'cmd':'token add','label':'x','days':0}");
  REFUSED(&l->aw, OV_E_INVALID, "1 to 730", "{'cmd':'token add','label':'x','days':731}");
  for (unsigned i = 0; i < SV_TOKEN_SCOPE_MAX / 5; i++) strcat(sets, i ? ",'sleep'" : "'sleep'");
  REFUSED(&l->aw, OV_E_LIMIT, "too many times", "{'cmd':'token add','label':'x','dataset':[%s]}", sets);
  ASK(&l->aw, "{'cmd':'token list','all':true}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 0);
}

/* What fits two is no choice: neither ends. */
static void a_start_that_two_tokens_share_revokes_none(void **state) {
  linde *l = *state;
  sv_token one = {.label = "one", .datasets = "*", .expires_ms = INT64_MAX / 2, .hash = {0xab, 0xcd, 0x01}},
           two = {.label = "two", .datasets = "*", .expires_ms = INT64_MAX / 2, .hash = {0xab, 0xcd, 0x02}};
  WRITE(l->aw.node->programme, t, FX_OK(sv_token_put(t, &one)); FX_OK(sv_token_put(t, &two)));
  REFUSED(&l->aw, OV_E_EXISTS, "more than one token begins with \"abcd\"",
          "{'cmd':'token revoke','id':'abcd'}");
  REFUSED(&l->aw, OV_E_INVALID, "at least 4 digits", "{'cmd':'token revoke','id':'abc'}");
  REFUSED(&l->aw, OV_E_NOTFOUND, "no token \"abcd03\"", "{'cmd':'token revoke','id':'abcd03'}");
  ASK(&l->aw, "{'cmd':'token list'}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 2);
  ASK(&l->aw, "{'cmd':'token revoke','id':'abcd02'}");
  ASK(&l->aw, "{'cmd':'token list'}");
  assert_non_null(aw_item(&l->aw, "label", "one"));
  assert_null(aw_item(&l->aw, "label", "two"));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(one_name_is_one_persons),      T(a_name_without_its_account_waits_for_its_person),
      T(new_secrets_end_the_old_ones), T(without_a_server_nobody_is_signed_in),
      T(tokens_have_bounds),           T(a_start_that_two_tokens_share_revokes_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
