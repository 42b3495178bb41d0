#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "sv_account.h"
#include "sv_enrol.h"

static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's: no I, L, O, U */

/* -- passwords ------------------------------------------------------------------------------------------- */

const sv_hash_cost sv_hash_cost_default = {.memory_kib = 64 * 1024, .passes = 3, .lanes = 1};

int sv_password_hash(const sv_sys *sys, const sv_hash_cost *cost, const char *password,
                     char out[SV_PASSWORD_HASH_MAX + 1]) {
  uint8_t salt[16];
  int err = sys->random(sys->ctx, salt, sizeof salt);
  if (err) return err;
  int rc = argon2id_hash_encoded(cost->passes, cost->memory_kib, cost->lanes, password, strlen(password),
                                 salt, sizeof salt, 32, out, SV_PASSWORD_HASH_MAX + 1);
  return rc == ARGON2_OK ? 0 : rc == ARGON2_MEMORY_ALLOCATION_ERROR ? OV_E_NOMEM : OV_E_CRYPTO;
}

bool sv_password_fits(const char *hash, const char *password) {
  return argon2id_verify(hash, password, strlen(password)) == ARGON2_OK;
}

/* n letters in groups of four. */
static int make_groups(const sv_sys *sys, char *out, unsigned n, bool small) {
  uint8_t r[SV_PASSWORD_TEXT];
  int err = sys->random(sys->ctx, r, n);
  if (err) return err;
  for (unsigned i = 0; i < n; i++) {
    char c = letters[r[i] & 31];
    if (i && i % 4 == 0) *out++ = '-';
    *out++ = small && c >= 'A' ? (char)(c - 'A' + 'a') : c;
  }
  *out = 0;
  OPENSSL_cleanse(r, sizeof r);
  return 0;
}

int sv_password_make(const sv_sys *sys, char out[SV_PASSWORD_TEXT]) {
  return make_groups(sys, out, 16, true);
}

/* -- codes of the moment --------------------------------------------------------------------------------- */

int sv_totp_code(const uint8_t secret[SV_TOTP_SECRET_BYTES], uint64_t step, char out[7]) {
  uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  for (int i = 0; i < 8; i++) counter[i] = (uint8_t)(step >> (56 - 8 * i));
  if (!HMAC(EVP_sha1(), secret, (int)SV_TOTP_SECRET_BYTES, counter, sizeof counter, mac, &n) || n != 20)
    return OV_E_CRYPTO;
  const uint8_t *p = mac + (mac[19] & 15); /* RFC 4226, 5.3 */
  uint32_t v = ((uint32_t)(p[0] & 0x7f) << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]) % 1000000u;
  for (int i = 5; i >= 0; i--, v /= 10) out[i] = (char)('0' + v % 10);
  out[6] = 0;
  return 0;
}

int sv_totp_check(const uint8_t secret[SV_TOTP_SECRET_BYTES], const char *code, int64_t now_ms,
                  uint64_t last_step, uint64_t *step) {
  uint64_t now = now_ms > 0 ? (uint64_t)now_ms / 1000 / SV_TOTP_STEP_S : 0;
  int result = OV_E_AUTH;
  if (strlen(code) != 6) return OV_E_AUTH;
  for (uint64_t s = now > SV_TOTP_WINDOW ? now - SV_TOTP_WINDOW : 0; s <= now + SV_TOTP_WINDOW; s++) {
    char want[7];
    int err = sv_totp_code(secret, s, want);
    if (err) return err;
    bool fits = !CRYPTO_memcmp(want, code, 6);
    if (fits && s > last_step) {
      *step = s;
      result = 0;
    }
  }
  return result;
}

static void base32(const uint8_t *p, size_t n, char *out) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  uint32_t bits = 0;
  unsigned have = 0;
  for (size_t i = 0; i < n; i++) {
    bits = bits << 8 | p[i];
    for (have += 8; have >= 5; have -= 5) *out++ = alphabet[bits >> (have - 5) & 31];
  }
  *out = 0; /* 20 bytes are 32 letters, without a rest */
}

void sv_totp_uri(const char *login, const uint8_t secret[SV_TOTP_SECRET_BYTES], char *out, size_t n) {
  char text[40], escaped[3 * SV_LOGIN_MAX + 1], *e = escaped;
  for (const char *c = login; *c && e + 3 < escaped + sizeof escaped; c++) {
    if (*c == '@') e += sprintf(e, "%%40");
    else *e++ = *c;
  }
  *e = 0;
  base32(secret, SV_TOTP_SECRET_BYTES, text);
  snprintf(out, n, "otpauth://totp/overdracht:%s?secret=%s&issuer=overdracht", escaped, text);
  OPENSSL_cleanse(text, sizeof text);
}

/* -- recovery codes -------------------------------------------------------------------------------------- */

int sv_recovery_make(const sv_sys *sys, ov_hasher *h, sv_account *a,
                     char text[SV_RECOVERY_CODES][SV_RECOVERY_TEXT]) {
  int err = 0;
  a->n_recovery = 0;
  for (unsigned i = 0; i < SV_RECOVERY_CODES && !err; i++) {
    char folded[OV_CODE_TEXT_MAX + 1];
    ov_hash hash;
    err = make_groups(sys, text[i], 12, false);
    if (!err) err = ov_sha256(h, folded, sv_code_fold(text[i], strlen(text[i]), folded), &hash);
    if (!err) memcpy(a->recovery[a->n_recovery++], hash.b, OV_HASH_BYTES);
  }
  return err;
}

int sv_recovery_use(ov_hasher *h, sv_account *a, const char *text) {
  char folded[OV_CODE_TEXT_MAX + 1];
  ov_hash hash;
  size_t n = strlen(text) > OV_CODE_TEXT_MAX ? 0 : sv_code_fold(text, strlen(text), folded);
  uint32_t found = SV_RECOVERY_CODES;
  if (n != 12) return OV_E_AUTH;
  int err = ov_sha256(h, folded, n, &hash);
  if (err) return err;
  for (uint32_t i = 0; i < a->n_recovery; i++)
    if (!CRYPTO_memcmp(a->recovery[i], hash.b, OV_HASH_BYTES)) found = i;
  if (found == SV_RECOVERY_CODES) return OV_E_AUTH;
  memmove(a->recovery[found], a->recovery[--a->n_recovery], OV_HASH_BYTES);
  return 0;
}

int sv_second_factor_use(ov_hasher *h, sv_account *a, const char *text, int64_t now_ms, bool *recovery) {
  *recovery = strlen(text) != 6;
  if (*recovery) return sv_recovery_use(h, a, text);
  return sv_totp_check(a->totp, text, now_ms, a->totp_step, &a->totp_step);
}
