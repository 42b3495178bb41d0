/* Inside of oc_net, shared by net_lws.c (the loop and libwebsockets' callbacks) and net_tls.c (what it leaves
 * to us of TLS). */
#ifndef OC_NET_PRIVATE_H
#define OC_NET_PRIVATE_H

#include <openssl/ssl.h>

#include "oc_net.h"

/* Sets version, authorities. 0, or OV_E_AUTH with a text in end. */
int oc_net_tls_setup(SSL_CTX *ctx, const oc_net_options *o, oc_net_end *end);
/* One step of the certificate's verification: 0 fine, 1 not (with a text in end). */
int oc_net_tls_verify(X509_STORE_CTX *x, bool fine, const oc_net_options *o, oc_net_end *end);

#endif
