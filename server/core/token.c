/* Research tokens: a bearer of one sees releases and nothing else. */
#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#include "sv_account.h"

#define PREFIX "ovr1_" /* so that scanners for leaked secrets can know one when they see it */
#define PREFIX_CHARS 5u

int sv_token_make(const sv_sys *sys, ov_hasher *h, sv_token *tok, char out[SV_TOKEN_TEXT]) {
  uint8_t r[SV_TOKEN_BYTES];
  ov_hash hash;
  int err = sys->random(sys->ctx, r, sizeof r);
  if (err) return err;
  memcpy(out, PREFIX, PREFIX_CHARS);
  ov_hex(r, sizeof r, out + PREFIX_CHARS);
  OPENSSL_cleanse(r, sizeof r);
  err = ov_sha256(h, out, strlen(out), &hash);
  if (!err) memcpy(tok->hash, hash.b, OV_HASH_BYTES);
  return err;
}

sv_token_verdict sv_token_check(sv_txn *t, const char *authorization, int64_t now_ms, sv_token *out) {
  ov_hash hash;
  if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0) return SV_TOKEN_UNKNOWN;
  const char *text = authorization + 7;
  while (*text == ' ') text++;
  if (strlen(text) != SV_TOKEN_TEXT - 1 || memcmp(text, PREFIX, PREFIX_CHARS) != 0) return SV_TOKEN_UNKNOWN;
  /* The hash is the key: a search by it tells nothing about the token by its time. */
  if (ov_sha256(sv_txn_hasher(t), text, strlen(text), &hash) || sv_token_get(t, hash.b, out))
    return SV_TOKEN_UNKNOWN;
  if (out->revoked) return SV_TOKEN_REVOKED;
  return out->expires_ms <= now_ms ? SV_TOKEN_EXPIRED : SV_TOKEN_OK;
}

static bool word_in(const char *list, const char *word) {
  size_t n = strlen(word);
  if (strcmp(list, "*") == 0) return true;
  for (const char *p = list; *p; p += strcspn(p, " ")) {
    p += strspn(p, " ");
    if (strcspn(p, " ") == n && memcmp(p, word, n) == 0 && n) return true;
  }
  return false;
}

bool sv_token_covers(const sv_token *tok, const char *dataset) { return word_in(tok->datasets, dataset); }
