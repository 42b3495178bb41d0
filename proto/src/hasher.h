/* The algorithms and contexts behind ov_hasher, shared by chain.c and seal.c. */
#ifndef OV_HASHER_H
#define OV_HASHER_H

#include <openssl/evp.h>

#include "ov/chain.h"

/* The MAC and cipher contexts hold the last key until the next one or until they are freed; OpenSSL cleanses
 * it then. */
struct ov_hasher {
  EVP_MD *sha256;
  EVP_MD_CTX *md;
  EVP_MAC_CTX *mac;
  EVP_CIPHER_CTX *gcm;
};

#endif
