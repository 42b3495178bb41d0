#include "ov_p256.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

struct ov_p256 {
  EVP_PKEY *pkey;
  uint8_t pubkey[OV_PUBKEY_BYTES];
};

/* The public point of a private scalar, uncompressed. PROTO-34 */
static int point_of(const BIGNUM *d, uint8_t pubkey[OV_PUBKEY_BYTES]) {
  EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  EC_POINT *q = g ? EC_POINT_new(g) : NULL;
  int err = OV_E_CRYPTO;
  if (q && !BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(g)) < 0 &&
      EC_POINT_mul(g, q, d, NULL, NULL, NULL) &&
      EC_POINT_point2oct(g, q, POINT_CONVERSION_UNCOMPRESSED, pubkey, OV_PUBKEY_BYTES, NULL) ==
          OV_PUBKEY_BYTES) {
    err = 0;
  } else if (g && (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(g)) >= 0)) {
    err = OV_E_INVALID;
  }
  EC_POINT_free(q);
  EC_GROUP_free(g);
  return err;
}

/* An EVP key from a point and, unless d is NULL, its scalar. */
static EVP_PKEY *pkey_of(const uint8_t pubkey[OV_PUBKEY_BYTES], const BIGNUM *d) {
  OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  OSSL_PARAM *params = NULL;
  EVP_PKEY *pkey = NULL;
  if (b && ctx && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
      OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, pubkey, OV_PUBKEY_BYTES) &&
      (!d || OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d)) &&
      (params = OSSL_PARAM_BLD_to_param(b)) && EVP_PKEY_fromdata_init(ctx) == 1) {
    int selection = d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1) pkey = NULL;
  }
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(b);
  EVP_PKEY_CTX_free(ctx);
  return pkey;
}

int ov_p256_load(const uint8_t scalar[OV_KEY_BYTES], ov_p256 **out) {
  *out = NULL;
  ov_p256 *k = calloc(1, sizeof *k);
  BIGNUM *d = BN_secure_new();
  int err = k && d && BN_bin2bn(scalar, OV_KEY_BYTES, d) ? point_of(d, k->pubkey) : OV_E_NOMEM;
  if (!err) {
    k->pkey = pkey_of(k->pubkey, d);
    if (!k->pkey) err = OV_E_CRYPTO;
  }
  BN_clear_free(d);
  if (err) ov_p256_free(k);
  else *out = k;
  return err;
}

int ov_p256_generate(ov_p256 **out) {
  *out = NULL;
  EVP_PKEY *pkey = EVP_EC_gen("P-256");
  BIGNUM *d = NULL;
  uint8_t scalar[OV_KEY_BYTES];
  int err = OV_E_CRYPTO;
  if (pkey && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) &&
      BN_bn2binpad(d, scalar, OV_KEY_BYTES) == OV_KEY_BYTES) {
    err = ov_p256_load(scalar, out);
  }
  OPENSSL_cleanse(scalar, sizeof scalar);
  BN_clear_free(d);
  EVP_PKEY_free(pkey);
  return err;
}

void ov_p256_free(ov_p256 *k) {
  if (!k) return;
  EVP_PKEY_free(k->pkey);
  free(k);
}

int ov_p256_scalar(const ov_p256 *k, uint8_t scalar[OV_KEY_BYTES]) {
  BIGNUM *d = NULL;
  bool ok = EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) &&
            BN_bn2binpad(d, scalar, OV_KEY_BYTES) == OV_KEY_BYTES;
  BN_clear_free(d);
  return ok ? 0 : OV_E_CRYPTO;
}

void ov_p256_public(const ov_p256 *k, uint8_t pubkey[OV_PUBKEY_BYTES]) {
  memcpy(pubkey, k->pubkey, OV_PUBKEY_BYTES);
}

int ov_p256_sign(const ov_p256 *k, const uint8_t *p, size_t n, uint8_t sig[OV_SIG_BYTES]) {
  uint8_t der[80];
  size_t der_n = sizeof der;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool ok = ctx && EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, k->pkey, NULL) == 1 &&
            EVP_DigestSign(ctx, der, &der_n, p, n) == 1;
  EVP_MD_CTX_free(ctx);
  const unsigned char *q = der;
  ECDSA_SIG *s = ok ? d2i_ECDSA_SIG(NULL, &q, (long)der_n) : NULL;
  ok = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, 32) == 32 &&
       BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + 32, 32) == 32;
  ECDSA_SIG_free(s);
  return ok ? 0 : OV_E_CRYPTO;
}

/* DER of a raw signature; 0 when it has no such form. */
static int der_of(const uint8_t sig[OV_SIG_BYTES], unsigned char **der) {
  ECDSA_SIG *s = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(sig, 32, NULL), *v = BN_bin2bn(sig + 32, 32, NULL);
  int n = 0;
  if (s && r && v && ECDSA_SIG_set0(s, r, v)) {
    r = v = NULL; /* owned by s now */
    n = i2d_ECDSA_SIG(s, der);
  }
  BN_free(r);
  BN_free(v);
  ECDSA_SIG_free(s);
  return n > 0 ? n : 0;
}

/* PROTO-34 */
int ov_p256_verify(void *ctx, const uint8_t pubkey[OV_PUBKEY_BYTES], const uint8_t *p, size_t n,
                   const uint8_t sig[OV_SIG_BYTES]) {
  (void)ctx;
  unsigned char *der = NULL;
  int der_n = der_of(sig, &der);
  EVP_PKEY *pkey = der_n ? pkey_of(pubkey, NULL) : NULL;
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  int ok = pkey && md && EVP_DigestVerifyInit_ex(md, NULL, "SHA256", NULL, NULL, pkey, NULL) == 1 &&
           EVP_DigestVerify(md, der, (size_t)der_n, p, n) == 1;
  EVP_MD_CTX_free(md);
  EVP_PKEY_free(pkey);
  OPENSSL_free(der);
  return ok ? 0 : OV_E_AUTH;
}

int ov_p256_sign_fn(void *key, const uint8_t *p, size_t n, uint8_t sig[OV_SIG_BYTES]) {
  return ov_p256_sign(key, p, n, sig);
}
