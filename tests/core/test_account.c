/* What people prove themselves with, by published vectors and by what must not work. */
#include <stdio.h>

#include "ingest_world.h"
#include "sv_account.h"

static const sv_hash_cost cheap = {.memory_kib = 64, .passes = 1, .lanes = 1};

/* RFC 6238, appendix B (SHA-1), the last six digits. */
static void codes_are_those_of_the_rfc(void **state) {
  (void)state;
  static const struct {
    int64_t s;
    const char *code;
  } rows[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
              {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
  uint8_t secret[SV_TOTP_SECRET_BYTES];
  memcpy(secret, "12345678901234567890", sizeof secret);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char code[7];
    uint64_t step = 0;
    FX_OK(sv_totp_code(secret, (uint64_t)rows[i].s / 30, code));
    assert_string_equal(code, rows[i].code);
    FX_OK(sv_totp_check(secret, rows[i].code, rows[i].s * 1000, 0, &step));
    assert_int_equal((int)step, (int)(rows[i].s / 30));
  }
}

static void a_code_is_of_its_time_and_used_once(void **state) {
  (void)state;
  uint8_t secret[SV_TOTP_SECRET_BYTES] = {7};
  const uint64_t now = 1000;
  const int64_t ms = (int64_t)now * 30000 + 12345;
  for (uint64_t s = now - 3; s <= now + 3; s++) {
    char code[7];
    uint64_t step = 0;
    FX_OK(sv_totp_code(secret, s, code));
    bool near = s + 1 >= now && s <= now + 1;
    assert_int_equal(sv_totp_check(secret, code, ms, 0, &step), near ? 0 : OV_E_AUTH);
    if (!near) continue;
    assert_int_equal((int)step, (int)s);
    assert_int_equal(sv_totp_check(secret, code, ms, step, &step), OV_E_AUTH);  /* again */
    assert_int_equal(sv_totp_check(secret, code, ms, s + 1, &step), OV_E_AUTH); /* one that is older */
  }
  static const char *const none[] = {"", "12345", "1234567", "abcdef", "      ", "-12345"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    uint64_t step;
    assert_int_equal(sv_totp_check(secret, none[i], ms, 0, &step), OV_E_AUTH);
  }
}

static void the_secret_goes_out_as_apps_read_it(void **state) {
  (void)state;
  uint8_t secret[SV_TOTP_SECRET_BYTES];
  char uri[300];
  memcpy(secret, "12345678901234567890", sizeof secret);
  sv_totp_uri("j.devries@linde", secret, uri, sizeof uri);
  assert_string_equal(uri, "otpauth://totp/overdracht:j.devries%40linde?secret="
                           "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=overdracht");
}

static void passwords_are_hashed_with_salt(void **state) {
  (void)state;
  small_world s;
  char a[SV_PASSWORD_HASH_MAX + 1], b[SV_PASSWORD_HASH_MAX + 1], made[SV_PASSWORD_TEXT],
      other[SV_PASSWORD_TEXT];
  small_open(&s, 1);
  FX_OK(sv_password_make(&s.w.sys, made));
  FX_OK(sv_password_make(&s.w.sys, other));
  assert_int_equal((int)strlen(made), 19);
  assert_string_not_equal(made, other);
  FX_OK(sv_password_hash(&s.w.sys, &cheap, made, a));
  FX_OK(sv_password_hash(&s.w.sys, &cheap, made, b));
  assert_string_not_equal(a, b);
  assert_non_null(strstr(a, "$argon2id$v=19$m=64,t=1,p=1$"));
  assert_null(strstr(a, made));
  assert_true(sv_password_fits(a, made) && sv_password_fits(b, made));
  assert_false(sv_password_fits(a, other));
  assert_false(sv_password_fits(a, ""));
  assert_false(sv_password_fits("", made));
  assert_false(sv_password_fits("$argon2id$garbage", made));
  FX_OK(sv_password_hash(&s.w.sys, &sv_hash_cost_default, made, a));
  assert_non_null(strstr(a, "$m=65536,t=3,p=1$"));
  small_close(&s);
}

static void recovery_codes_work_once_each(void **state) {
  (void)state;
  small_world s;
  sv_account a = {0};
  char text[SV_RECOVERY_CODES][SV_RECOVERY_TEXT], typed[SV_RECOVERY_TEXT];
  bool recovery;
  small_open(&s, 2);
  ov_hasher *h = ov_hasher_new();
  FX_OK(sv_recovery_make(&s.w.sys, h, &a, text));
  assert_int_equal(a.n_recovery, SV_RECOVERY_CODES);
  for (size_t i = 0; i <= strlen(text[3]); i++)
    typed[i] = (char)(text[3][i] >= 'A' ? text[3][i] + 32 : text[3][i]);
  FX_OK(sv_second_factor_use(h, &a, typed, 0, &recovery)); /* small letters */
  assert_true(recovery);
  assert_int_equal(sv_recovery_use(h, &a, text[3]), OV_E_AUTH);
  assert_int_equal(sv_recovery_use(h, &a, "ABCD-EFGH-JKMN"), OV_E_AUTH);
  assert_int_equal(sv_recovery_use(h, &a, ""), OV_E_AUTH);
  assert_int_equal(sv_recovery_use(h, &a, "ABCD-EFGH-JKMN-ABCD-EFGH-JKMN-ABCD-EFGH"), OV_E_AUTH);
  for (unsigned i = 0; i < SV_RECOVERY_CODES; i++)
    assert_int_equal(sv_recovery_use(h, &a, text[i]), i == 3 ? OV_E_AUTH : 0);
  assert_int_equal(a.n_recovery, 0);
  ov_hasher_free(h);
  small_close(&s);
}

static void accounts_and_names_are_stored(void **state) {
  (void)state;
  small_world s;
  sv_account got, a;
  sv_login l, found;
  sv_txn *t;
  char folded[SV_LOGIN_MAX + 1];
  small_open(&s, 3);
  memset(&a, 0, sizeof a); /* compared whole */
  strcpy(a.login, "jan@linde");
  strcpy(a.password, "$argon2id$x");
  a.totp_step = 77;
  a.n_recovery = 2;
  a.person = s.carer;
  a.totp[5] = 9;
  a.recovery[1][3] = 8;
  a.disabled = true;
  a.created_ms = 5;
  a.signed_in_ms = 6;
  a.device_record = s.carer;
  l = (sv_login){.organisation = s.org->id, .person = s.carer};
  FX_OK(sv_txn_write(s.org->env, &t));
  sv_account_put(t, &a);
  sv_login_put(t, "jan@linde", &l);
  FX_OK(sv_txn_commit(t));
  FX_OK(sv_txn_write(s.org->env, &t));
  FX_OK(sv_account_get(t, &s.carer, &got));
  assert_string_equal(got.login, a.login);
  assert_string_equal(got.password, a.password);
  assert_memory_equal(got.totp, a.totp, sizeof a.totp);
  assert_memory_equal(got.recovery, a.recovery, sizeof a.recovery);
  assert_true(got.totp_step == 77 && got.n_recovery == 2 && got.disabled);
  assert_true(got.created_ms == 5 && got.signed_in_ms == 6 && ov_name_equal(&got.device_record, &s.carer));
  FX_OK(sv_account_next(t, NULL, &got));
  assert_int_equal(sv_account_next(t, &got.person, &got), OV_E_NOTFOUND);
  FX_OK(sv_login_get(t, "jan@linde", &found));
  assert_true(ov_name_equal(&found.person, &s.carer) && ov_id_equal(&found.organisation, &s.org->id));
  assert_int_equal(sv_login_get(t, "jan@lind", &found), OV_E_NOTFOUND);
  FX_OK(sv_login_del(t, "jan@linde"));
  assert_int_equal(sv_login_get(t, "jan@linde", &found), OV_E_NOTFOUND);
  a.n_recovery = SV_RECOVERY_CODES + 1;
  assert_int_equal(sv_account_put(t, &a), OV_E_INVALID);
  sv_txn_abort(t);
  assert_true(sv_login_fold("Jan.de_Vries-2@Linde", folded));
  assert_string_equal(folded, "jan.de_vries-2@linde");
  assert_false(sv_login_fold("ja", folded));
  assert_false(sv_login_fold("jan de vries", folded));
  assert_false(sv_login_fold("jan\xc3\xab", folded));
  fx_verify(&s.w, s.org);
  small_close(&s);
}

static void tokens_are_found_by_their_hash(void **state) {
  (void)state;
  small_world s;
  sv_token got, tok;
  char text[SV_TOKEN_TEXT], header[SV_TOKEN_TEXT + 20];
  sv_txn *t;
  small_open(&s, 4);
  memset(&tok, 0, sizeof tok);
  strcpy(tok.label, "study");
  strcpy(tok.datasets, "sleep goals");
  tok.created_ms = 1;
  tok.expires_ms = 1000;
  ov_hasher *h = ov_hasher_new();
  FX_OK(sv_token_make(&s.w.sys, h, &tok, text));
  assert_int_equal((int)strlen(text), 69);
  FX_OK(sv_txn_write(s.org->env, &t));
  sv_token_put(t, &tok);
  FX_OK(sv_txn_commit(t));
  FX_OK(sv_txn_write(s.org->env, &t));
  FX_OK(sv_token_next(t, NULL, &got));
  assert_memory_equal(got.hash, tok.hash, sizeof tok.hash);
  assert_string_equal(got.label, tok.label);
  assert_string_equal(got.datasets, tok.datasets);
  assert_true(got.created_ms == 1 && got.expires_ms == 1000 && !got.used_ms && !got.revoked);
  assert_int_equal(sv_token_next(t, got.hash, &got), OV_E_NOTFOUND);
  snprintf(header, sizeof header, "bearer  %s", text);
  assert_int_equal(sv_token_check(t, header, 999, &got), SV_TOKEN_OK);
  assert_int_equal(sv_token_check(t, header, 1000, &got), SV_TOKEN_EXPIRED);
  header[strlen(header) - 1] ^= 1;
  assert_int_equal(sv_token_check(t, header, 999, &got), SV_TOKEN_UNKNOWN);
  assert_int_equal(sv_token_check(t, text, 999, &got), SV_TOKEN_UNKNOWN);
  assert_int_equal(sv_token_check(t, "Basic abc", 999, &got), SV_TOKEN_UNKNOWN);
  assert_int_equal(sv_token_check(t, "Bearer ", 999, &got), SV_TOKEN_UNKNOWN);
  assert_int_equal(sv_token_check(t, NULL, 999, &got), SV_TOKEN_UNKNOWN);
  tok.revoked = true;
  FX_OK(sv_token_put(t, &tok));
  snprintf(header, sizeof header, "Bearer %s", text);
  assert_int_equal(sv_token_check(t, header, 999, &got), SV_TOKEN_REVOKED);
  sv_txn_abort(t);
  assert_true(sv_token_covers(&tok, "sleep") && sv_token_covers(&tok, "goals"));
  assert_false(sv_token_covers(&tok, "slee") || sv_token_covers(&tok, "sleep goals"));
  assert_false(sv_token_covers(&tok, "") || sv_token_covers(&tok, "*"));
  tok = (sv_token){.datasets = "*"};
  assert_true(sv_token_covers(&tok, "anything"));
  tok = (sv_token){.datasets = ""};
  assert_false(sv_token_covers(&tok, "sleep") || sv_token_covers(&tok, ""));
  ov_hasher_free(h);
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(codes_are_those_of_the_rfc),
      cmocka_unit_test(a_code_is_of_its_time_and_used_once),
      cmocka_unit_test(the_secret_goes_out_as_apps_read_it),
      cmocka_unit_test(passwords_are_hashed_with_salt),
      cmocka_unit_test(recovery_codes_work_once_each),
      cmocka_unit_test(accounts_and_names_are_stored),
      cmocka_unit_test(tokens_are_found_by_their_hash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
