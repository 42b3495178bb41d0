#include "faults.h"

#include <openssl/evp.h>
#include <stddef.h>

static unsigned calls_left;
static bool hit;

void fault_arm(unsigned k) {
  calls_left = k;
  hit = false;
}

bool fault_hit(void) {
  calls_left = 0;
  return hit;
}

bool fault_was_hit(void) { return fault_hit(); }

static bool fails(void) {
  if (calls_left == 0 || --calls_left > 0) return false;
  hit = true;
  return true;
}

/* The linker sends calls of f to __wrap_f, and __real_f is the library's own. */
#define WRAP(type, f, failure, params, args)                                                                 \
  type __real_##f params;                                                                                    \
  type __wrap_##f params;                                                                                    \
  type __wrap_##f params { return fails() ? (failure) : __real_##f args; }

WRAP(void *, malloc, NULL, (size_t n), (n))
WRAP(void *, calloc, NULL, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, NULL, (void *p, size_t n), (p, n))

WRAP(EVP_MD *, EVP_MD_fetch, NULL, (OSSL_LIB_CTX * l, const char *name, const char *q), (l, name, q))
WRAP(EVP_MD_CTX *, EVP_MD_CTX_new, NULL, (void), ())
WRAP(int, EVP_DigestInit_ex2, 0, (EVP_MD_CTX * c, const EVP_MD *m, const OSSL_PARAM p[]), (c, m, p))
WRAP(int, EVP_DigestUpdate, 0, (EVP_MD_CTX * c, const void *p, size_t n), (c, p, n))
WRAP(int, EVP_DigestFinal_ex, 0, (EVP_MD_CTX * c, unsigned char *out, unsigned *n), (c, out, n))

WRAP(EVP_MAC *, EVP_MAC_fetch, NULL, (OSSL_LIB_CTX * l, const char *name, const char *q), (l, name, q))
WRAP(EVP_MAC_CTX *, EVP_MAC_CTX_new, NULL, (EVP_MAC * m), (m))
WRAP(int, EVP_MAC_CTX_set_params, 0, (EVP_MAC_CTX * c, const OSSL_PARAM p[]), (c, p))
WRAP(int, EVP_MAC_init, 0, (EVP_MAC_CTX * c, const unsigned char *key, size_t n, const OSSL_PARAM p[]),
     (c, key, n, p))
WRAP(int, EVP_MAC_update, 0, (EVP_MAC_CTX * c, const unsigned char *p, size_t n), (c, p, n))
WRAP(int, EVP_MAC_final, 0, (EVP_MAC_CTX * c, unsigned char *out, size_t *n, size_t cap), (c, out, n, cap))

WRAP(EVP_CIPHER *, EVP_CIPHER_fetch, NULL, (OSSL_LIB_CTX * l, const char *name, const char *q), (l, name, q))
WRAP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, NULL, (void), ())
WRAP(int, EVP_CipherInit_ex2, 0,
     (EVP_CIPHER_CTX * c, const EVP_CIPHER *t, const unsigned char *key, const unsigned char *iv, int e,
      const OSSL_PARAM p[]),
     (c, t, key, iv, e, p))
WRAP(int, EVP_CipherUpdate, 0,
     (EVP_CIPHER_CTX * c, unsigned char *out, int *n, const unsigned char *in, int in_n),
     (c, out, n, in, in_n))
WRAP(int, EVP_CipherFinal_ex, 0, (EVP_CIPHER_CTX * c, unsigned char *out, int *n), (c, out, n))
WRAP(int, EVP_CIPHER_CTX_ctrl, 0, (EVP_CIPHER_CTX * c, int type, int n, void *p), (c, type, n, p))
