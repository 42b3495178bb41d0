#include "testcert.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool add_extension(X509 *cert, int nid, const char *value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
  X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  bool ok = e && X509_add_ext(cert, e, -1) == 1;
  X509_EXTENSION_free(e);
  return ok;
}

static X509 *make_cert(EVP_PKEY *key) {
  X509 *cert = X509_new();
  uint32_t serial = 0;
  if (!cert || RAND_bytes((unsigned char *)&serial, sizeof serial) != 1) goto fail;
  X509_NAME *name = X509_get_subject_name(cert);
  bool ok = X509_set_version(cert, 2) == 1 &&
            ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)(serial >> 1)) == 1 &&
            X509_gmtime_adj(X509_getm_notBefore(cert), -60) &&
            X509_gmtime_adj(X509_getm_notAfter(cert), 3600) &&
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                                       0) == 1 &&
            X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
            add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
            add_extension(cert, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1") &&
            X509_sign(cert, key, EVP_sha256()) > 0;
  if (ok) return cert;
fail:
  X509_free(cert);
  return NULL;
}

static bool write_files(const testcert *t, X509 *cert, EVP_PKEY *key) {
  FILE *c = fopen(t->cert_file, "w"), *k = fopen(t->key_file, "w");
  bool ok = c && k && PEM_write_X509(c, cert) == 1 &&
            PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) == 1;
  if (c && fclose(c) != 0) ok = false;
  if (k && fclose(k) != 0) ok = false;
  return ok;
}

bool testcert_make(testcert *t) {
  memset(t, 0, sizeof *t);
  snprintf(t->dir, sizeof t->dir, "/tmp/ov-testcert-XXXXXX");
  if (!mkdtemp(t->dir)) return false;
  snprintf(t->cert_file, sizeof t->cert_file, "%s/cert.pem", t->dir);
  snprintf(t->key_file, sizeof t->key_file, "%s/key.pem", t->dir);
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *cert = key ? make_cert(key) : NULL;
  bool ok = cert && write_files(t, cert, key);
  X509_free(cert);
  EVP_PKEY_free(key);
  if (!ok) testcert_remove(t);
  return ok;
}

void testcert_remove(testcert *t) {
  unlink(t->cert_file);
  unlink(t->key_file);
  rmdir(t->dir);
}
