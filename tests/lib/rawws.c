#include "rawws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define PENDING_BYTES 16384

struct rawws {
  int fd;
  SSL *ssl;
  SSL_CTX *ctx;
  bool ended;
  char head[4096];
  uint8_t pending[PENDING_BYTES]; /* read with the head, not yet asked for */
  size_t pending_at, pending_n;
  uint8_t *frame;
  size_t frame_cap;
};

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool wait_for(const rawws *ws, short events, int64_t until) {
  int64_t left = until - now_ms();
  struct pollfd p = {.fd = ws->fd, .events = events};
  return poll(&p, 1, left > 0 ? (int)left : 0) > 0;
}

/* -- connect ----------------------------------------------------------------------------------- */

static rawws *tcp_connect(uint16_t port, int rcvbuf, const char *from) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct sockaddr_in own = {.sin_family = AF_INET};
  int on = 1;
  rawws *ws = calloc(1, sizeof *ws);
  if (!ws) return NULL;
  ws->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (ws->fd >= 0 && rcvbuf) setsockopt(ws->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
  bool bound = !from || (ws->fd >= 0 && inet_pton(AF_INET, from, &own.sin_addr) == 1 &&
                         bind(ws->fd, (struct sockaddr *)&own, sizeof own) == 0);
  if (ws->fd < 0 || !bound || connect(ws->fd, (struct sockaddr *)&to, sizeof to) != 0) {
    rawws_free(ws);
    return NULL;
  }
  setsockopt(ws->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct timeval limit = {.tv_sec = RAWWS_TIMEOUT_MS / 1000};
  setsockopt(ws->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(ws->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return ws;
}

static bool offer_alpn(SSL_CTX *ctx, const char *name) {
  unsigned char wire[32];
  size_t n = strlen(name);
  wire[0] = (unsigned char)n;
  memcpy(wire + 1, name, n);
  return SSL_CTX_set_alpn_protos(ctx, wire, (unsigned)n + 1) == 0;
}

static bool tls_connect(rawws *ws, const rawws_opts *o) {
  ws->ctx = SSL_CTX_new(TLS_client_method());
  if (!ws->ctx) return false;
  SSL_CTX_set_options(ws->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ws->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (o->tls12_only) SSL_CTX_set_max_proto_version(ws->ctx, TLS1_2_VERSION);
  if (o->ca_file) {
    if (SSL_CTX_load_verify_file(ws->ctx, o->ca_file) != 1) return false;
    SSL_CTX_set_verify(ws->ctx, SSL_VERIFY_PEER, NULL);
  }
  if (o->alpn && !offer_alpn(ws->ctx, o->alpn)) return false;
  ws->ssl = SSL_new(ws->ctx);
  return ws->ssl && SSL_set_fd(ws->ssl, ws->fd) == 1 && SSL_set1_host(ws->ssl, "localhost") == 1 &&
         SSL_set_tlsext_host_name(ws->ssl, "localhost") == 1 && SSL_connect(ws->ssl) == 1;
}

rawws *rawws_connect(const rawws_opts *o) {
  rawws *ws = tcp_connect(o->port, o->rcvbuf, o->from);
  if (ws && o->tls && !tls_connect(ws, o)) {
    ERR_clear_error();
    rawws_free(ws);
    return NULL;
  }
  return ws;
}

rawws *rawws_connect_silent(uint16_t port) { return tcp_connect(port, 0, NULL); }

void rawws_free(rawws *ws) {
  if (!ws) return;
  SSL_free(ws->ssl);
  SSL_CTX_free(ws->ctx);
  if (ws->fd >= 0) close(ws->fd);
  free(ws->frame);
  free(ws);
}

int rawws_fd(const rawws *ws) { return ws->fd; }

bool rawws_tls_first_share(const rawws *ws) {
  return ws->ssl && SSL_get_negotiated_group(ws->ssl) == NID_X25519;
}

/* -- bytes ------------------------------------------------------------------------------------- */

size_t rawws_send(rawws *ws, const void *bytes, size_t n) {
  const uint8_t *p = bytes;
  size_t done = 0;
  while (done < n) {
    ssize_t k;
    if (ws->ssl) {
      size_t chunk = n - done > 16384 ? 16384 : n - done;
      k = SSL_write(ws->ssl, p + done, (int)chunk);
      if (k <= 0) ERR_clear_error();
    } else {
      k = send(ws->fd, p + done, n - done, MSG_NOSIGNAL);
    }
    if (k <= 0) break;
    done += (size_t)k;
  }
  return done;
}

size_t rawws_send_text(rawws *ws, const char *text) { return rawws_send(ws, text, strlen(text)); }

static int recv_some(rawws *ws, uint8_t *to, size_t n, int64_t until) {
  if (ws->ended) return 0;
  if (!(ws->ssl && SSL_pending(ws->ssl) > 0) && !wait_for(ws, POLLIN, until)) return -1;
  ssize_t k;
  if (ws->ssl) {
    k = SSL_read(ws->ssl, to, n > 16384 ? 16384 : (int)n);
    if (k <= 0 && SSL_get_error(ws->ssl, (int)k) == SSL_ERROR_WANT_READ) {
      ERR_clear_error();
      return -1;
    }
    if (k <= 0) ERR_clear_error();
  } else {
    k = recv(ws->fd, to, n, 0);
  }
  if (k > 0) return (int)k;
  ws->ended = true;
  return 0;
}

static int recv_until(rawws *ws, uint8_t *to, size_t n, int64_t until) {
  size_t have = ws->pending_n - ws->pending_at;
  if (!have) return recv_some(ws, to, n, until);
  if (n > have) n = have;
  memcpy(to, ws->pending + ws->pending_at, n);
  ws->pending_at += n;
  return (int)n;
}

int rawws_recv(rawws *ws, void *bytes, size_t n, int timeout_ms) {
  return recv_until(ws, bytes, n, now_ms() + timeout_ms);
}

int rawws_wait_end(rawws *ws, int timeout_ms) {
  uint8_t waste[4096];
  int64_t start = now_ms(), until = start + timeout_ms;
  int k;
  while ((k = recv_until(ws, waste, sizeof waste, until)) > 0) {}
  return k == 0 ? (int)(now_ms() - start) : -1;
}

size_t rawws_read_all(rawws *ws, char *text, size_t cap, int timeout_ms) {
  int64_t until = now_ms() + timeout_ms;
  size_t n = 0;
  int k;
  while (n + 1 < cap && (k = recv_until(ws, (uint8_t *)text + n, cap - 1 - n, until)) > 0) n += (size_t)k;
  text[n] = 0;
  return n;
}

/* -- upgrade ----------------------------------------------------------------------------------- */

void rawws_request(char *text, size_t cap, const char *host, const char *drop, const char *add) {
  static const char *const line[] = {"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                                     ("Sec-WebSocket-Key: " KEY), "Sec-WebSocket-Protocol: overdracht.1"};
  size_t n = (size_t)snprintf(text, cap, "GET /sync HTTP/1.1\r\n");
  if (!drop || strcmp(drop, "Host") != 0) n += (size_t)snprintf(text + n, cap - n, "Host: %s\r\n", host);
  for (size_t i = 0; i < sizeof line / sizeof *line; i++)
    if (!drop || strncmp(line[i], drop, strlen(drop)) != 0)
      n += (size_t)snprintf(text + n, cap - n, "%s\r\n", line[i]);
  snprintf(text + n, cap - n, "%s\r\n", add ? add : "");
}

static bool accept_fits(const char *head) {
  static const char both[] = KEY "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char hash[SHA_DIGEST_LENGTH], b64[32];
  char want[64];
  SHA1((const unsigned char *)both, sizeof both - 1, hash);
  EVP_EncodeBlock(b64, hash, sizeof hash);
  snprintf(want, sizeof want, "Sec-WebSocket-Accept: %s\r\n", (char *)b64);
  return strstr(head, want) && strstr(head, "Sec-WebSocket-Protocol: overdracht.1\r\n") &&
         !strstr(head, "Sec-WebSocket-Extensions");
}

static int read_head(rawws *ws) {
  int64_t until = now_ms() + RAWWS_TIMEOUT_MS;
  size_t n = 0;
  ws->head[0] = 0;
  for (;;) {
    int k = recv_some(ws, (uint8_t *)ws->head + n, sizeof ws->head - 1 - n, until);
    if (k <= 0) return k;
    n += (size_t)k;
    ws->head[n] = 0;
    char *end = memmem(ws->head, n, "\r\n\r\n", 4);
    if (!end && n < sizeof ws->head - 1) continue;
    if (!end) return -1;
    size_t head_n = (size_t)(end + 4 - ws->head);
    ws->pending_at = 0;
    ws->pending_n = n - head_n;
    memcpy(ws->pending, ws->head + head_n, ws->pending_n);
    ws->head[head_n] = 0;
    return 1;
  }
}

int rawws_upgrade_with(rawws *ws, const char *request) {
  int status = 0;
  rawws_send_text(ws, request);
  int got = read_head(ws);
  if (got <= 0) return got;
  if (sscanf(ws->head, "HTTP/1.%*d %d", &status) != 1) return -2;
  return status == 101 && !accept_fits(ws->head) ? -2 : status;
}

int rawws_upgrade(rawws *ws) {
  char request[1024];
  rawws_request(request, sizeof request, "localhost", NULL, NULL);
  return rawws_upgrade_with(ws, request);
}

rawws *rawws_open(const rawws_opts *o) {
  rawws *ws = rawws_connect(o);
  if (ws && rawws_upgrade(ws) != 101) {
    rawws_free(ws);
    return NULL;
  }
  return ws;
}

const char *rawws_head(const rawws *ws) { return ws->head; }

/* -- frames ------------------------------------------------------------------------------------ */

static size_t put_length(uint8_t *h, uint64_t n, int form, bool masked) {
  uint8_t mask = masked ? 0x80 : 0;
  if (!form) form = n < 126 ? 7 : n < 65536 ? 16 : 64;
  if (form == 7) {
    h[0] = (uint8_t)(mask | n);
    return 1;
  }
  size_t bytes = form == 16 ? 2 : 8;
  h[0] = mask | (form == 16 ? 126 : 127);
  for (size_t i = 0; i < bytes; i++) h[1 + i] = (uint8_t)(n >> (8 * (bytes - 1 - i)));
  return 1 + bytes;
}

bool rawws_send_frame(rawws *ws, const rawws_frame *f) {
  static const uint8_t mask[4] = {0x5a, 0xc3, 0x17, 0x9e};
  uint8_t *out = malloc(f->len + 16);
  if (!out) return false;
  out[0] = f->b0;
  size_t n = 1 + put_length(out + 1, f->lie ? f->declared : f->len, f->length_form, !f->unmasked);
  if (!f->unmasked) {
    memcpy(out + n, mask, 4);
    n += 4;
  }
  const uint8_t *p = f->payload;
  for (size_t i = 0; i < f->len; i++) out[n + i] = f->unmasked ? p[i] : p[i] ^ mask[i & 3];
  bool ok = rawws_send(ws, out, n + f->len) == n + f->len;
  free(out);
  return ok;
}

bool rawws_send_binary(rawws *ws, const void *payload, size_t len) {
  return rawws_send_frame(ws, &(rawws_frame){.b0 = 0x82, .payload = payload, .len = len});
}

static int recv_exactly(rawws *ws, uint8_t *to, size_t n, int64_t until) {
  for (size_t done = 0; done < n;) {
    int k = recv_until(ws, to + done, n - done, until);
    if (k <= 0) return k;
    done += (size_t)k;
  }
  return 1;
}

int rawws_read_frame(rawws *ws, rawws_got *got, int timeout_ms) {
  int64_t until = now_ms() + timeout_ms;
  uint8_t h[10];
  int r = recv_exactly(ws, h, 2, until);
  if (r <= 0) return r;
  if (h[1] & 0x80) return -2;
  uint64_t n = h[1];
  if (n >= 126) {
    size_t more = n == 126 ? 2 : 8;
    if ((r = recv_exactly(ws, h + 2, more, until)) <= 0) return r;
    n = 0;
    for (size_t i = 0; i < more; i++) n = n << 8 | h[2 + i];
  }
  if (n > (64u << 20)) return -2;
  if (n + 1 > ws->frame_cap) {
    uint8_t *p = realloc(ws->frame, n + 1);
    if (!p) return -2;
    ws->frame = p;
    ws->frame_cap = n + 1;
  }
  if ((r = recv_exactly(ws, ws->frame, n, until)) <= 0) return r;
  *got = (rawws_got){.b0 = h[0], .payload = ws->frame, .len = n};
  return 1;
}

int rawws_read_close(rawws *ws, char *reason, int timeout_ms) {
  int64_t until = now_ms() + timeout_ms;
  rawws_got got;
  for (;;) {
    int64_t left = until - now_ms();
    int r = rawws_read_frame(ws, &got, left > 0 ? (int)left : 0);
    if (r <= 0) return r;
    if ((got.b0 & 0x0f) != 8) continue;
    if (reason) reason[0] = 0;
    if (got.len < 2) return 1005;
    if (reason && got.len - 2 < 124) {
      memcpy(reason, got.payload + 2, got.len - 2);
      reason[got.len - 2] = 0;
    }
    return got.payload[0] << 8 | got.payload[1];
  }
}

bool rawws_echo(rawws *ws, const void *payload, size_t len) {
  rawws_got got;
  if (!rawws_send_binary(ws, payload, len)) return false;
  do {
    if (rawws_read_frame(ws, &got, RAWWS_TIMEOUT_MS) != 1) return false;
    if (got.b0 == 0x89)
      rawws_send_frame(ws, &(rawws_frame){.b0 = 0x8a, .payload = got.payload, .len = got.len});
  } while (got.b0 == 0x89);
  return got.b0 == 0x82 && got.len == len && (!len || memcmp(got.payload, payload, len) == 0);
}
