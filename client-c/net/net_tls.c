/* What libwebsockets leaves to us of TLS: the version, the authorities, the pin. */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "net_private.h"

int oc_net_tls_setup(SSL_CTX *ctx, const oc_net_options *o, oc_net_end *end) {
  bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1;
  if (ok && o->ca_file) {
    /* Beside the system's authorities a private one would only add to what is trusted: it takes their
     * place. */
    X509_STORE *fresh = X509_STORE_new();
    ok = fresh != NULL;
    if (ok) SSL_CTX_set_cert_store(ctx, fresh);
    if (ok && SSL_CTX_load_verify_locations(ctx, o->ca_file, NULL) != 1) {
      const char *why = ERR_reason_error_string(ERR_peek_error());
      snprintf(end->text, sizeof end->text, "cannot read certificates from %.100s: %.60s", o->ca_file,
               why ? why : "unknown reason");
      ok = false;
    }
  }
  ERR_clear_error();
  if (!ok) end->err = OV_E_AUTH;
  return ok ? 0 : OV_E_AUTH;
}

static bool pinned(X509_STORE_CTX *x, const uint8_t *pin) {
  uint8_t hash[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  X509 *leaf = X509_STORE_CTX_get0_cert(x);
  if (!pin || !leaf || X509_digest(leaf, EVP_sha256(), hash, &n) != 1 || n != OC_NET_PIN_BYTES) return false;
  return memcmp(hash, pin, OC_NET_PIN_BYTES) == 0;
}

/* PROTO-1 */
int oc_net_tls_verify(X509_STORE_CTX *x, bool fine, const oc_net_options *o, oc_net_end *end) {
  if (fine) return 0;
  if (pinned(x, o->pin)) {
    X509_STORE_CTX_set_error(x, X509_V_OK);
    return 0;
  }
  int why = X509_STORE_CTX_get_error(x);
  end->err = OV_E_AUTH;
  snprintf(end->text, sizeof end->text, "the server's certificate is not accepted: %.80s%s",
           X509_verify_cert_error_string(why), o->pin ? ", and it is not the one seen at enrolment" : "");
  return 1;
}
