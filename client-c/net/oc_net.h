/* One websocket connection of a client, run until it ends. TLS 1.3 with the server's certificate checked;
 * without TLS only to this machine itself. No compression, no redirects, subprotocol "overdracht.1", binary
 * messages of at most OV_WS_MESSAGE_BYTES_MAX bytes. Knows nothing of what the messages say. Uses
 * libwebsockets, whose logging is one setting of the process: it is switched off here. */
#ifndef OC_NET_H
#define OC_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ov/error.h"

#define OC_NET_CONNECT_MS                                                                                    \
  10000u /* until the websocket is open: a tablet at the edge of reach needs a few seconds */
#define OC_NET_IDLE_MS 60000u /* nothing heard, not even the answer to a ping */
#define OC_NET_PING_MS 25000u /* silence before a ping: two of them fit into the idle time */
#define OC_NET_CLOSE_MS 2000u /* for the closing handshake */
#define OC_NET_PIN_BYTES 32

typedef struct oc_net_url {
  bool tls, loopback;
  char host[128]; /* IPv6 without its brackets */
  char path[128];
  uint16_t port;
} oc_net_url;
/* wss://host[:port][/path], or ws:// to this machine. The path is "/sync" when there is none. 0; OV_E_INVALID
 * (no such URL); OV_E_DENIED (plain ws:// to another machine). */
int oc_net_url_parse(const char *text, oc_net_url *out);
/* The same as text, for storing. */
void oc_net_url_text(const oc_net_url *u, char *out, size_t cap);

typedef struct oc_net_options {
  const oc_net_url *url;
  const char *ca_file; /* PEM; then only these count. NULL: the system's */
  const uint8_t
      *pin;    /* SHA-256 of a certificate (DER) that is accepted whatever the authorities say; NULL: none */
  int wake_fd; /* readable when the caller wants to end; -1: none. Borrowed, not read */
  uint32_t connect_ms, idle_ms; /* 0: as above */
} oc_net_options;

/* Called from inside oc_net_run, one at a time. */
typedef struct oc_net_calls {
  void (*on_open)(void *ctx);
  /* One whole message, borrowed until it returns. False: end the connection. */
  bool (*on_message)(void *ctx, const uint8_t *p, size_t n);
  /* Next message to send; borrowed until the next call. NULL: none now. Asked after opening, after each
   * message in and out. */
  const uint8_t *(*next_output)(void *ctx, size_t *n);
  bool (*done)(void *ctx); /* all is said: close with 1000 */
  void *ctx;
} oc_net_calls;

typedef struct oc_net_end {
  /* 0 closed by us as done (or on_message said so); OV_E_CANCELLED; OV_E_TIMEOUT; OV_E_AUTH (certificate);
   * OV_E_NET; OV_E_NOMEM */
  int err;
  uint16_t close_code;  /* of the server's close; 0: none */
  unsigned http_status; /* of an answer that was no websocket; 0: none */
  bool opened;
  char text[200]; /* English, for people */
} oc_net_end;

/* Returns end->err. */
int oc_net_run(const oc_net_options *o, const oc_net_calls *calls, oc_net_end *end);

#endif
