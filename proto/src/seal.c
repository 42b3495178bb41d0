#include <limits.h>
#include <openssl/crypto.h>
#include <string.h>

#include "hasher.h"

#define SEAL_VERSION 1
#define NONCE_BYTES 12
#define GCM_TAG_BYTES 16

// NOLINTNEXTLINE(misc-redundant-expression): that they are equal is what it says
static_assert(1 + NONCE_BYTES + GCM_TAG_BYTES == OV_SEAL_OVERHEAD, "the sealed form of chain.h");

/* Key, nonce, then aad; OpenSSL counts in int. */
static bool gcm_start(ov_hasher *h, const uint8_t *key, const uint8_t *nonce, const void *aad, size_t aad_n,
                      int encrypt) {
  int n;
  return EVP_CipherInit_ex2(h->gcm, NULL, key, nonce, encrypt, NULL) &&
         (aad_n == 0 || EVP_CipherUpdate(h->gcm, NULL, &n, aad, (int)aad_n));
}

/* An empty input is passed over: to OpenSSL a NULL input would mean the end. */
static bool gcm_update(ov_hasher *h, const uint8_t *in, size_t in_n, uint8_t *out) {
  int n;
  return in_n == 0 || EVP_CipherUpdate(h->gcm, out, &n, in, (int)in_n);
}

int ov_seal(ov_hasher *h, const uint8_t key[OV_KEY_BYTES], const uint8_t nonce[12], const void *aad,
            size_t aad_n, const void *plain, size_t n, ov_buf *out) {
  int last;
  if (n > INT_MAX || aad_n > INT_MAX) return OV_E_LIMIT;
  size_t before = out->n;
  uint8_t *at = ov_buf_grow(out, n + OV_SEAL_OVERHEAD);
  if (!at) return out->err;
  uint8_t *body = at + 1 + NONCE_BYTES;
  at[0] = SEAL_VERSION;
  memcpy(at + 1, nonce, NONCE_BYTES);
  if (gcm_start(h, key, nonce, aad, aad_n, 1) && gcm_update(h, plain, n, body) &&
      EVP_CipherFinal_ex(h->gcm, body + n, &last) &&
      EVP_CIPHER_CTX_ctrl(h->gcm, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_BYTES, body + n))
    return 0;
  out->n = before;
  return OV_E_CRYPTO;
}

int ov_open(ov_hasher *h, const uint8_t key[OV_KEY_BYTES], const void *aad, size_t aad_n, const void *sealed,
            size_t n, ov_buf *out) {
  const uint8_t *in = sealed;
  uint8_t tag[GCM_TAG_BYTES];
  int last;
  if (n > INT_MAX || aad_n > INT_MAX) return OV_E_LIMIT;
  if (n < OV_SEAL_OVERHEAD || in[0] != SEAL_VERSION) return OV_E_CORRUPT;
  size_t plain_n = n - OV_SEAL_OVERHEAD, before = out->n;
  uint8_t *at = ov_buf_grow(out, plain_n);
  if (!at) return out->err;
  const uint8_t *body = in + 1 + NONCE_BYTES;
  memcpy(tag, body + plain_n, sizeof tag);
  bool ready = gcm_start(h, key, in + 1, aad, aad_n, 0) && gcm_update(h, body, plain_n, at) &&
               EVP_CIPHER_CTX_ctrl(h->gcm, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag);
  if (ready && EVP_CipherFinal_ex(h->gcm, at + plain_n, &last)) return 0;
  /* Nobody may see bytes whose tag did not fit. */
  OPENSSL_cleanse(at, plain_n);
  out->n = before;
  return ready ? OV_E_CORRUPT : OV_E_CRYPTO;
}
