/* Sign-in names, accounts and research tokens. */
#include <ctype.h>
#include <string.h>

#include "sv_accounts.h"
#include "tables.h"

bool sv_login_fold(const char *text, char out[SV_LOGIN_MAX + 1]) {
  size_t n = strlen(text);
  if (n < 3 || n > SV_LOGIN_MAX) return false;
  for (size_t i = 0; i <= n; i++) out[i] = (char)tolower((unsigned char)text[i]);
  return strspn(out, "abcdefghijklmnopqrstuvwxyz0123456789._-@") == n;
}

/* -- names ----------------------------------------------------------------------------------------------- */

/* Keyed, so that a stolen table confirms no name. */
static int login_key(sv_txn *t, const char *folded, sv_key *k) {
  uint8_t hash[OV_HASH_BYTES];
  static const ov_record nobody = {.kind = OV_KIND_PERSON}; /* under the environment's own key */
  int err = sv_natural_hash(t, &nobody, (const uint8_t *)folded, strlen(folded), hash);
  *k = sv_key_hash(hash);
  return err;
}

int sv_login_put(sv_txn *t, const char *folded, const sv_login *l) {
  sv_key k;
  if (login_key(t, folded, &k)) return t->err;
  ov_buf_reset(&t->plain);
  ov_mpw_bin(&t->plain, l->organisation.b, OV_ID_BYTES);
  sv_put_name(&t->plain, &l->person);
  return sv_row_put(t, SV_T_LOGINS, SV_PART_LOGIN, &k);
}

int sv_login_get(sv_txn *t, const char *folded, sv_login *out) {
  sv_key k;
  if (login_key(t, folded, &k)) return t->err;
  int err = sv_row_get(t, SV_T_LOGINS, SV_PART_LOGIN, &k);
  if (err) return err;
  ov_mpr r = sv_row_reader(t);
  ov_mpr_bytes(&r, out->organisation.b, OV_ID_BYTES);
  sv_read_name(&r, &out->person);
  return sv_row_done(t, &r);
}

int sv_login_del(sv_txn *t, const char *folded) {
  sv_key k;
  return login_key(t, folded, &k) ? t->err : sv_tab_del(t, SV_T_LOGINS, &k);
}

/* -- texts ----------------------------------------------------------------------------------------------- */

static void put_text(ov_buf *b, const char *text, size_t max) { ov_mpw_bin(b, text, strnlen(text, max)); }

static void read_text(ov_mpr *r, char *out, size_t max) {
  uint32_t n;
  const uint8_t *p = ov_mpr_bin(r, &n);
  if (!p || n > max) {
    ov_mpr_fail(r, OV_E_FORMAT);
    n = 0;
  }
  if (n) memcpy(out, p, n);
  out[n] = 0;
}

/* -- accounts -------------------------------------------------------------------------------------------- */

int sv_account_put(sv_txn *t, const sv_account *a) {
  if (t->err) return t->err;
  if (a->n_recovery > SV_RECOVERY_CODES) return sv_txn_stick(t, OV_E_INVALID);
  ov_buf *b = &t->plain;
  ov_buf_reset(b);
  put_text(b, a->login, SV_LOGIN_MAX);
  put_text(b, a->password, SV_PASSWORD_HASH_MAX);
  ov_mpw_bin(b, a->totp, SV_TOTP_SECRET_BYTES);
  ov_mpw_uint(b, a->totp_step);
  ov_mpw_array(b, a->n_recovery);
  for (uint32_t i = 0; i < a->n_recovery; i++) ov_mpw_bin(b, a->recovery[i], OV_HASH_BYTES);
  ov_mpw_bool(b, a->disabled);
  ov_mpw_int(b, a->created_ms);
  ov_mpw_int(b, a->signed_in_ms);
  sv_put_name(b, &a->device_record);
  sv_key k = sv_key_name(&a->person);
  return sv_row_put(t, SV_T_ACCOUNTS, SV_PART_ACCOUNT, &k);
}

int sv_account_get(sv_txn *t, const ov_name *person, sv_account *out) {
  sv_key k = sv_key_name(person);
  memset(out, 0, sizeof *out);
  int err = sv_row_get(t, SV_T_ACCOUNTS, SV_PART_ACCOUNT, &k);
  if (err) return err;
  ov_mpr r = sv_row_reader(t);
  out->person = *person;
  read_text(&r, out->login, SV_LOGIN_MAX);
  read_text(&r, out->password, SV_PASSWORD_HASH_MAX);
  ov_mpr_bytes(&r, out->totp, SV_TOTP_SECRET_BYTES);
  out->totp_step = ov_mpr_uint(&r, UINT64_MAX);
  uint32_t n = ov_mpr_array(&r);
  if (n > SV_RECOVERY_CODES) ov_mpr_fail(&r, OV_E_FORMAT);
  else out->n_recovery = n;
  for (uint32_t i = 0; i < out->n_recovery; i++) ov_mpr_bytes(&r, out->recovery[i], OV_HASH_BYTES);
  out->disabled = ov_mpr_bool(&r);
  out->created_ms = ov_mpr_int(&r);
  out->signed_in_ms = ov_mpr_int(&r);
  sv_read_name(&r, &out->device_record);
  return sv_row_done(t, &r);
}

int sv_account_next(sv_txn *t, const ov_name *after, sv_account *out) {
  sv_key k = {.n = 0};
  ov_name person;
  if (after) k = sv_key_after(sv_key_name(after));
  int err = sv_scan_first_name(t, SV_T_ACCOUNTS, &k, 0, 0, &person);
  return err ? err : sv_account_get(t, &person, out);
}

/* -- tokens ---------------------------------------------------------------------------------------------- */

int sv_token_put(sv_txn *t, const sv_token *tok) {
  ov_buf *b = &t->plain;
  ov_buf_reset(b);
  put_text(b, tok->label, SV_TOKEN_LABEL_MAX);
  put_text(b, tok->datasets, SV_TOKEN_SCOPE_MAX);
  ov_mpw_int(b, tok->created_ms);
  ov_mpw_int(b, tok->expires_ms);
  ov_mpw_int(b, tok->used_ms);
  ov_mpw_bool(b, tok->revoked);
  ov_mpw_bin(b, tok->organisation.b, OV_ID_BYTES);
  sv_put_name(b, &tok->person);
  sv_key k = sv_key_hash(tok->hash);
  return sv_row_put(t, SV_T_TOKENS, SV_PART_TOKEN, &k);
}

int sv_token_get(sv_txn *t, const uint8_t hash[OV_HASH_BYTES], sv_token *out) {
  sv_key k = sv_key_hash(hash);
  memset(out, 0, sizeof *out);
  int err = sv_row_get(t, SV_T_TOKENS, SV_PART_TOKEN, &k);
  if (err) return err;
  ov_mpr r = sv_row_reader(t);
  memcpy(out->hash, k.b, OV_HASH_BYTES);
  read_text(&r, out->label, SV_TOKEN_LABEL_MAX);
  read_text(&r, out->datasets, SV_TOKEN_SCOPE_MAX);
  out->created_ms = ov_mpr_int(&r);
  out->expires_ms = ov_mpr_int(&r);
  out->used_ms = ov_mpr_int(&r);
  out->revoked = ov_mpr_bool(&r);
  ov_mpr_bytes(&r, out->organisation.b, OV_ID_BYTES);
  sv_read_name(&r, &out->person);
  return sv_row_done(t, &r);
}

int sv_token_next(sv_txn *t, const uint8_t *after, sv_token *out) {
  sv_key k = {.n = 0}, found;
  if (after) k = sv_key_after(sv_key_hash(after));
  int err = sv_scan_first_key(t, SV_T_TOKENS, &k, 0, &found);
  return err ? err : sv_token_get(t, found.b, out);
}

int sv_token_del(sv_txn *t, const uint8_t hash[OV_HASH_BYTES]) {
  sv_key k = sv_key_hash(hash);
  return sv_tab_del(t, SV_T_TOKENS, &k);
}
