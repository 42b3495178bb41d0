/* TLS settings that libwebsockets has no option for, or chooses badly. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net_private.h"

static const unsigned char alpn_h1[] = "\x08http/1.1";

/* A client that speaks only h2 is told so instead of being answered in another protocol. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg) {
  (void)ssl;
  (void)arg;
  unsigned char *found;
  if (SSL_select_next_proto(&found, out_len, alpn_h1, sizeof alpn_h1 - 1, in, in_len) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = found;
  return SSL_TLSEXT_ERR_OK;
}

int net_tls_setup(sv_net *net, SSL_CTX *ctx) {
  net->tls = ctx;
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets resume without server memory */
  SSL_CTX_set_num_tickets(ctx, 1);
  /* Clients send an X25519 share first; a server that wants another group costs them a round trip. */
  bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
            SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1;
  return ok ? 0 : -1;
}

void net_tls_finish(sv_net *net) { SSL_CTX_set_alpn_select_cb(net->tls, choose_alpn, NULL); }

static bool load_pair(sv_net *net, SSL_CTX *ctx) {
  ERR_clear_error();
  bool ok = SSL_CTX_use_certificate_chain_file(ctx, net->o.cert_file) == 1 &&
            SSL_CTX_use_PrivateKey_file(ctx, net->o.key_file, SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_check_private_key(ctx) == 1;
  if (!ok) {
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    net_log(net, SV_NET_ERROR, "net: certificate or key unusable: %s", why ? why : "unknown reason");
    ERR_clear_error();
  }
  return ok;
}

/* libwebsockets says only that it failed; and a pair that does not fit must not replace one that does. */
bool net_tls_check_files(sv_net *net) {
  SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
  bool ok = trial && load_pair(net, trial);
  SSL_CTX_free(trial);
  return ok;
}

int sv_net_tls_reload(sv_net *net) {
  if (!net->tls) return OV_E_INVALID;
  if (!net_tls_check_files(net)) return OV_E_CRYPTO;
  return load_pair(net, net->tls) ? 0 : OV_E_CRYPTO;
}

bool net_tls_peer_closed(const SSL *ssl) { return (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0; }
