/* Accounts of people, and tokens of researchers. Secrets, so no records: they never leave this server. Part
 * of the store; see sv_store.h for transactions and errors.
 *
 *   organisation's environment   person -> account (password hash, TOTP secret, recovery codes)
 *   programme's environment      HMAC of the sign-in name -> whose it is;  SHA-256 of a token -> token
 *
 * All sealed under the environment's key; what a backup holds is as unreadable as the rest. */
#ifndef SV_ACCOUNTS_H
#define SV_ACCOUNTS_H

#include "sv_store.h"

#define SV_LOGIN_MAX 64u          /* bytes of a sign-in name */
#define SV_PASSWORD_HASH_MAX 128u /* an argon2id text is about 100 */
#define SV_TOTP_SECRET_BYTES 20u  /* RFC 4226: as long as SHA-1's output */
#define SV_RECOVERY_CODES 10u
#define SV_TOKEN_LABEL_MAX 80u
#define SV_TOKEN_SCOPE_MAX 200u

/* Folds a sign-in name: letters a-z, digits and ._-@, 3 to SV_LOGIN_MAX; capitals become small. False when it
 * is none. */
bool sv_login_fold(const char *text, char out[SV_LOGIN_MAX + 1]);

/* Where an account is, by its sign-in name. */
typedef struct sv_login {
  ov_id organisation;
  ov_name person;
} sv_login;
int sv_login_put(sv_txn *t, const char *folded, const sv_login *l); /* programme's transaction */
int sv_login_get(sv_txn *t, const char *folded, sv_login *out);     /* OV_E_NOTFOUND */
int sv_login_del(sv_txn *t, const char *folded);

typedef struct sv_account {
  ov_name person; /* the key */
  char login[SV_LOGIN_MAX + 1];
  char password[SV_PASSWORD_HASH_MAX + 1]; /* as libargon2 encodes it */
  uint8_t totp[SV_TOTP_SECRET_BYTES];
  uint64_t totp_step;                                 /* last one used: an older or equal one is refused */
  uint8_t recovery[SV_RECOVERY_CODES][OV_HASH_BYTES]; /* SHA-256 of those not used yet */
  uint32_t n_recovery;
  bool disabled;
  int64_t created_ms, signed_in_ms; /* 0: never */
  ov_name device_record;            /* of this person's browsers; zero: none yet */
} sv_account;
int sv_account_put(sv_txn *t, const sv_account *a);
int sv_account_get(sv_txn *t, const ov_name *person, sv_account *out);
int sv_account_next(sv_txn *t, const ov_name *after, sv_account *out); /* after NULL: first */

/* A research token: 256 random bits, kept as their hash only. */
typedef struct sv_token {
  uint8_t hash[OV_HASH_BYTES]; /* the key; its first bytes are what people call it by */
  char label[SV_TOKEN_LABEL_MAX + 1];
  char datasets[SV_TOKEN_SCOPE_MAX + 1];   /* names with spaces between; "*": all */
  int64_t created_ms, expires_ms, used_ms; /* used: 0 never; kept to the hour */
  bool revoked;
  ov_id organisation; /* of person */
  ov_name person;     /* whose it is: it ends with their right to see releases. Zero: a study's, nobody's */
} sv_token;
int sv_token_put(sv_txn *t, const sv_token *tok); /* programme's transaction */
int sv_token_get(sv_txn *t, const uint8_t hash[OV_HASH_BYTES], sv_token *out);
int sv_token_next(sv_txn *t, const uint8_t *after, sv_token *out);
int sv_token_del(sv_txn *t, const uint8_t hash[OV_HASH_BYTES]);

#endif
