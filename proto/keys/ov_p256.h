/* ECDSA P-256 keys of devices and servers, by OpenSSL. Beside ov_proto rather than in it: making keys and
 * signatures draws on OpenSSL's random source, which the protocol core may not. Signing and verifying are
 * thread safe; a key may be shared by threads. */
#ifndef OV_P256_H
#define OV_P256_H

#include "ov/chain.h"

typedef struct ov_p256 ov_p256;

/* A new key pair. */
int ov_p256_generate(ov_p256 **out);
/* From its private scalar (32 bytes big-endian). OV_E_INVALID when that is no key. */
int ov_p256_load(const uint8_t scalar[OV_KEY_BYTES], ov_p256 **out);
void ov_p256_free(ov_p256 *k);                                      /* NULL is fine; cleanses */
int ov_p256_scalar(const ov_p256 *k, uint8_t scalar[OV_KEY_BYTES]); /* the caller cleanses */
void ov_p256_public(const ov_p256 *k, uint8_t pubkey[OV_PUBKEY_BYTES]);
/* Signs SHA-256 of the bytes, raw r || s. 0 or OV_E_CRYPTO. */
int ov_p256_sign(const ov_p256 *k, const uint8_t *p, size_t n, uint8_t sig[OV_SIG_BYTES]);
/* Fits ov_verify_fn; ctx is not used. OV_E_AUTH when it does not verify or the point is not on the curve. */
int ov_p256_verify(void *ctx, const uint8_t pubkey[OV_PUBKEY_BYTES], const uint8_t *p, size_t n,
                   const uint8_t sig[OV_SIG_BYTES]);
/* Fits ov_signer.sign with ctx = the key. */
int ov_p256_sign_fn(void *key, const uint8_t *p, size_t n, uint8_t sig[OV_SIG_BYTES]);

#endif
