/* What people prove themselves with: a password, a code of the moment, a recovery code. Pure apart from the
 * random source; no thread of its own.
 *
 * Passwords: argon2id with 64 MiB, 3 passes, 1 lane (RFC 9106's second recommendation, with one lane, since
 * one thread hashes at a time): about 0.2 s of one core. So the 80 bits that the server chooses for a
 * password are out of reach, and a password somebody chose costs a thief of the whole store (and of its keys,
 * for the store is sealed) 0.2 core-seconds and 64 MiB for each guess. */
#ifndef SV_ACCOUNT_H
#define SV_ACCOUNT_H

#include "sv_accounts.h"
#include "sv_core.h"

typedef struct sv_hash_cost {
  uint32_t memory_kib, passes, lanes;
} sv_hash_cost;
extern const sv_hash_cost sv_hash_cost_default;

/* A longer one is refused before any work. */
#define SV_PASSWORD_MAX 256u
#define SV_PASSWORD_MIN 10u  /* characters of one that a person chooses */
#define SV_PASSWORD_TEXT 24u /* a made one: "abcd-efgh-jkmn-pqrs" and its end */
#define SV_RECOVERY_TEXT 16u /* "ABCD-EFGH-JKMN" and its end: 60 bits */
#define SV_TOTP_STEP_S 30
#define SV_TOTP_WINDOW 1 /* steps before and after: a clock may be 30 s off */
#define SV_TOKEN_BYTES 32u
#define SV_TOKEN_TEXT (5u + 64u + 1u) /* "ovr1_" and hex, and its end */

/* Seconds of work: never on the service thread. OV_E_NOMEM, OV_E_CRYPTO. */
int sv_password_hash(const sv_sys *sys, const sv_hash_cost *cost, const char *password,
                     char out[SV_PASSWORD_HASH_MAX + 1]);
/* The same work whatever the answer. False also when the hash is no such text. */
bool sv_password_fits(const char *hash, const char *password);
/* Made of 16 letters and digits that are not mistaken for others: 80 bits. */
int sv_password_make(const sv_sys *sys, char out[SV_PASSWORD_TEXT]);

/* RFC 6238 with SHA-1, 6 digits and steps of 30 s, as all authenticator apps have it. */
int sv_totp_code(const uint8_t secret[SV_TOTP_SECRET_BYTES], uint64_t step, char out[7]);
/* 0 and *step when the code is that of a step in the window that is later than last_step; else OV_E_AUTH. */
int sv_totp_check(const uint8_t secret[SV_TOTP_SECRET_BYTES], const char *code, int64_t now_ms,
                  uint64_t last_step, uint64_t *step);
/* For authenticator apps: otpauth://totp/... with the secret in base32. login is folded. */
void sv_totp_uri(const char *login, const uint8_t secret[SV_TOTP_SECRET_BYTES], char *out, size_t n);

/* Fills the account's recovery codes; text[i] is shown once. */
int sv_recovery_make(const sv_sys *sys, ov_hasher *h, sv_account *a,
                     char text[SV_RECOVERY_CODES][SV_RECOVERY_TEXT]);
/* Takes a code out of the account: 0, or OV_E_AUTH. Letters of either case, separators optional. */
int sv_recovery_use(ov_hasher *h, sv_account *a, const char *text);

/* A code of six digits, or a recovery code: uses it up in the account. OV_E_AUTH. */
int sv_second_factor_use(ov_hasher *h, sv_account *a, const char *text, int64_t now_ms, bool *recovery);

/* -- research tokens ------------------------------------------------------------------------------------- */
int sv_token_make(const sv_sys *sys, ov_hasher *h, sv_token *tok, char out[SV_TOKEN_TEXT]);
typedef enum sv_token_verdict {
  SV_TOKEN_OK,
  SV_TOKEN_UNKNOWN,
  SV_TOKEN_EXPIRED,
  SV_TOKEN_REVOKED
} sv_token_verdict;
/* Looks the text of an `Authorization: Bearer` header up (programme's transaction, any thread); *out is
 * filled unless it is UNKNOWN. */
sv_token_verdict sv_token_check(sv_txn *t, const char *authorization, int64_t now_ms, sv_token *out);
/* The first digits of its hash: what people call it by. */
#define SV_TOKEN_ID_BYTES 4u
/* Is this dataset within the token's scope? */
bool sv_token_covers(const sv_token *tok, const char *dataset);

#endif
