/* A websocket client without manners: raw sockets, plain or TLS, that sends whatever bytes a test wants and
 * says exactly what came back. Blocking with timeouts; loopback only; one thread a connection. */
#ifndef OV_TESTS_RAWWS_H
#define OV_TESTS_RAWWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAWWS_TIMEOUT_MS 3000 /* what a helper waits at most when a test names no time of its own */

typedef struct rawws rawws;

typedef struct rawws_opts {
  uint16_t port;    /* on 127.0.0.1 */
  const char *from; /* our own address, e.g. "127.0.0.2"; NULL: 127.0.0.1 */
  bool tls;
  const char *ca_file; /* NULL: the server's certificate is not checked */
  const char *alpn;    /* "http/1.1", "h2", NULL: none offered */
  bool tls12_only;
  int rcvbuf; /* SO_RCVBUF before connect; 0: default. Small: fills fast when not read */
} rawws_opts;

/* NULL when the connect or TLS handshake fails (the server hung up, refused the version, ...). */
rawws *rawws_connect(const rawws_opts *opts);
/* Plain TCP, no TLS handshake even on a TLS port: a silent stranger. */
rawws *rawws_connect_silent(uint16_t port);
/* Close without any goodbye. NULL is fine. */
void rawws_free(rawws *ws);
int rawws_fd(const rawws *ws);
/* TLS took the key share we sent first (X25519): no extra round trip. */
bool rawws_tls_first_share(const rawws *ws);

/* -- bytes ------------------------------------------------------------------------------------- */

/* Bytes taken, less than n when the peer is gone or takes nothing for RAWWS_TIMEOUT_MS. */
size_t rawws_send(rawws *ws, const void *bytes, size_t n);
size_t rawws_send_text(rawws *ws, const char *text);
/* 1..n bytes; 0 at the end (FIN or reset); -1 when nothing came in time. */
int rawws_recv(rawws *ws, void *bytes, size_t n, int timeout_ms);
/* Reads until the end; the milliseconds it took, or -1 when it did not end in time. */
int rawws_wait_end(rawws *ws, int timeout_ms);
/* Reads until the end or cap - 1 bytes, NUL after them; the number of bytes. */
size_t rawws_read_all(rawws *ws, char *text, size_t cap, int timeout_ms);

/* -- upgrade ----------------------------------------------------------------------------------- */

/* A good request: "GET /sync HTTP/1.1" with this Host and all that RFC 6455 wants, subprotocol overdracht.1.
 * `drop` names a header to leave out ("Origin" is not sent anyway), `add` is put in ("Origin: null\r\n");
 * both may be NULL. */
void rawws_request(char *text, size_t cap, const char *host, const char *drop, const char *add);
/* Sends the request and reads the answer's head: its status (101 with the Accept value checked, else -2), 0
 * at the end without one, -1 when none came in time. Bytes behind the head stay for rawws_recv and
 * rawws_read_frame. */
int rawws_upgrade_with(rawws *ws, const char *request);
int rawws_upgrade(rawws *ws);
/* Connects and upgrades; NULL when either fails. */
rawws *rawws_open(const rawws_opts *opts);
/* The head of the last answer, NUL-terminated. */
const char *rawws_head(const rawws *ws);

/* -- frames ------------------------------------------------------------------------------------ */

typedef struct rawws_frame {
  uint8_t b0; /* FIN, RSV and opcode: 0x82 is a whole binary message */
  bool unmasked;
  int length_form; /* 0: the shortest; 16 or 64: forced */
  bool lie;        /* declare `declared` instead of len */
  uint64_t declared;
  const void *payload;
  size_t len;
} rawws_frame;

bool rawws_send_frame(rawws *ws, const rawws_frame *f);
bool rawws_send_binary(rawws *ws, const void *payload, size_t len);

typedef struct rawws_got {
  uint8_t b0;
  const uint8_t *payload; /* valid until the next read */
  size_t len;
} rawws_got;

/* 1: a frame; 0: the end; -1: nothing (or not all of it) in time; -2: a masked or nonsensical frame from a
 * server. */
int rawws_read_frame(rawws *ws, rawws_got *got, int timeout_ms);
/* Skips other frames. The close code (1005 when the close frame has none), 0 when the connection ended
 * without one, -1 when neither came in time. *reason (cap 124) may be NULL. */
int rawws_read_close(rawws *ws, char *reason, int timeout_ms);
/* Sends a binary message and waits for the same bytes back. */
bool rawws_echo(rawws *ws, const void *payload, size_t len);

#endif
