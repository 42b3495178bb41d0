/* Rows 1–18: sockets, upgrades and websocket frames, before any message of the protocol. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"

/* -- deadlines ------------------------------------------------------------------------------------------- */

static bool ended(rawws *ws, int ms) { return rawws_wait_end(ws, ms) >= 0; }

static bool silent(stage *st, const void *arg) {
  (void)arg;
  rawws *ws = rawws_connect_silent(st->d.port);
  dm_get(&st->d, "/health", NULL, 0);
  stage_advance(st, 8000);
  bool early = ended(ws, 30);
  stage_advance(st, 2200);
  bool late = ended(ws, 1500);
  rawws_free(ws);
  return saw(st, !early && late, "%s",
             early  ? "closed before 9 s"
             : late ? "closed between 9 and 10.2 s"
                    : "open");
}

static bool trickle(stage *st, const void *arg) {
  static const char head[] = "GET /sync HTTP/1.1\r\nHost: localhost\r\nX-Slow: aaaaaaaaaaaa";
  (void)arg;
  rawws *ws = rawws_connect(&(rawws_opts){.port = st->d.port});
  unsigned s = 0;
  bool over = false;
  for (; s < 15 && !over; s++) {
    rawws_send(ws, head + s, 1);
    over = ended(ws, 10);
    if (!over) stage_advance(st, 1000);
  }
  over = over || ended(ws, 1000);
  rawws_free(ws);
  return saw(st, over && s <= 12, "%s after %u bytes, one a second", over ? "closed" : "open", s);
}

/* -- requests -------------------------------------------------------------------------------------------- */

typedef struct request {
  const char *first, *host, *drop, *add;
  int pad, pad_uri;
} request;

static char *text_of(const request *q) {
  char *t = calloc(1, 16384);
  FX_MUST(t);
  if (q->first) {
    snprintf(t, 16384, "%s", q->first);
  } else if (q->pad) {
    char *pad = malloc((size_t)q->pad + 40);
    FX_MUST(pad);
    memset(pad, 'c', (size_t)q->pad);
    pad[q->pad] = 0;
    char *add = malloc((size_t)q->pad + 40);
    FX_MUST(add);
    snprintf(add, (size_t)q->pad + 40, "Cookie: a=%s\r\n", pad);
    rawws_request(t, 16384, "localhost", NULL, add);
    free(pad);
    free(add);
  } else if (q->pad_uri) {
    memcpy(t, "GET /", 5);
    memset(t + 5, 'u', (size_t)q->pad_uri);
    rawws_request(t + 5 + q->pad_uri, 16384 - 5 - (size_t)q->pad_uri, "localhost", NULL, NULL);
    memmove(t + 5 + q->pad_uri, strstr(t + 5 + q->pad_uri, " HTTP/1.1"),
            strlen(strstr(t + 5 + q->pad_uri, " HTTP/1.1")) + 1);
  } else {
    rawws_request(t, 16384, q->host ? q->host : "localhost", q->drop, q->add);
  }
  return t;
}

/* Refused: no 101, and the connection ends. */
static bool refused(stage *st, const void *arg) {
  rawws_opts to = stage_to(st);
  rawws *ws = rawws_connect(&to);
  if (!ws) return saw(st, false, "cannot connect");
  char *text = text_of(arg);
  int status = rawws_upgrade_with(ws, text);
  bool over = status == 0 || ended(ws, 2000);
  free(text);
  rawws_free(ws);
  if (!status) return saw(st, over, "closed without an answer");
  return saw(st, status != 101 && status != 200 && over, "status %d, %s", status,
             over ? "closed" : "left open");
}

static bool h2_only(stage *st, const void *arg) {
  (void)arg;
  rawws_opts to = stage_to(st);
  to.alpn = "h2";
  rawws *ws = rawws_connect(&to);
  bool tcp = ws != NULL;
  int status = ws ? rawws_upgrade_with(ws, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") : 0;
  bool over = !ws || status == 0 || ended(ws, 2000);
  rawws_free(ws);
  return saw(st, over && status != 101 && status != 200, "%s",
             !tcp ? "TLS handshake refused" : "HTTP/1.1 only: closed");
}

static bool tls12(stage *st, const void *arg) {
  (void)arg;
  rawws_opts to = stage_to(st);
  to.tls12_only = true;
  rawws *ws = rawws_connect(&to);
  bool refused_it = !ws;
  rawws_free(ws);
  return saw(st, refused_it, "%s", refused_it ? "TLS handshake refused" : "connected");
}

/* -- frames ---------------------------------------------------------------------------------------------- */

typedef struct frames {
  rawws_frame f[2];
  unsigned n;
  int code, other;
} frames;

static bool frame_closes(stage *st, const void *arg) {
  const frames *q = arg;
  rawws *ws = stage_ws(st);
  if (!ws) return saw(st, false, "cannot connect");
  for (unsigned i = 0; i < q->n; i++) rawws_send_frame(ws, &q->f[i]);
  int code = rawws_read_close(ws, NULL, 3000);
  rawws_free(ws);
  return saw(st, code == q->code || (q->other && code == q->other), "close %d", code);
}

/* The documented gap: libwebsockets hides whether a client's frame was masked. The message is taken as what
 * it is, and this one is no message. */
static bool unmasked(stage *st, const void *arg) {
  (void)arg;
  rawws *ws = stage_ws(st);
  if (!ws) return saw(st, false, "cannot connect");
  rawws_send_frame(ws, &(rawws_frame){.b0 = 0x82, .unmasked = true, .payload = "bare", .len = 4});
  int code = rawws_read_close(ws, NULL, 3000);
  rawws_free(ws);
  return saw(st, code == 1002 || code == 1007, "close %d (%s)", code,
             code == 1002 ? "seen" : "gap: taken as any message, refused by its content");
}

/* Sends pieces until all are sent or the server answers. */
static bool flood(stage *st, rawws *ws, const void *piece, size_t n, size_t times, int want, int other) {
  size_t i = 0;
  for (; i < times; i++) {
    struct pollfd p = {.fd = rawws_fd(ws), .events = POLLIN};
    if (poll(&p, 1, 0) > 0 || rawws_send(ws, piece, n) < n) break;
  }
  int code = rawws_read_close(ws, NULL, 3000);
  rawws_free(ws);
  return saw(st, code == want || code == other, "close %d after %zu of %zu bytes", code, i * n, times * n);
}

static bool empty_fragments(stage *st, const void *arg) {
  (void)arg;
  static uint8_t piece[6000];
  for (size_t i = 0; i < sizeof piece; i += 6) memcpy(piece + i, (uint8_t[]){0, 0x80, 1, 2, 3, 4}, 6);
  rawws *ws = stage_ws(st);
  if (!ws) return saw(st, false, "cannot connect");
  rawws_send_frame(ws, &(rawws_frame){.b0 = 0x02});
  return flood(st, ws, piece, sizeof piece, 100, 1008, 1009);
}

static bool sixteen_mib(stage *st, const void *arg) {
  (void)arg;
  static uint8_t piece[65536];
  rawws *ws = stage_ws(st);
  if (!ws) return saw(st, false, "cannot connect");
  rawws_send(ws, (uint8_t[]){0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 4}, 14);
  return flood(st, ws, piece, sizeof piece, 256, 1009, 1008);
}

static const uint8_t zeros[200];
#define FRAME(...)                                                                                           \
  &(const frames) { __VA_ARGS__ }
#define ONE(...) {{__VA_ARGS__}}, 1

const row upgrade_rows[] = {
    {"1", "TCP connection that stays silent", "closed within 10 s", silent, NULL, 0},
    {"2", "request head, one byte a second", "closed within 10 s", trickle, NULL, 0},
    {"3", "cookie of 5 KB", "closed", refused, &(const request){.pad = 5000}, 0},
    {"3", "address of 5 KB", "closed", refused, &(const request){.pad_uri = 5000}, 0},
    {"4", "CONNECT a:1", "closed", refused,
     &(const request){.first = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"}, 0},
    {"5", "upgrade to h2c", "closed, no h2", refused,
     &(const request){.drop = "Upgrade", .add = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"}, 0},
    {"5", "HTTP/2 by prior knowledge", "closed, no h2", refused,
     &(const request){.first = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}, 0},
    {"5", "TLS that offers ALPN h2 only", "closed, no h2", h2_only, NULL, ROW_TLS},
    {"5", "TLS 1.2 at most", "closed", tls12, NULL, ROW_TLS},
    {"6", "websocket version 8", "refused", refused,
     &(const request){.drop = "Sec-WebSocket-Version", .add = "Sec-WebSocket-Version: 8\r\n"}, 0},
    {"6", "a key that is no key", "refused", refused,
     &(const request){.drop = "Sec-WebSocket-Key", .add = "Sec-WebSocket-Key: short\r\n"}, 0},
    {"7", "no subprotocol", "refused", refused, &(const request){.drop = "Sec-WebSocket-Protocol"}, 0},
    {"7", "unknown subprotocol", "refused", refused,
     &(const request){.drop = "Sec-WebSocket-Protocol", .add = "Sec-WebSocket-Protocol: overdracht.2\r\n"},
     0},
    {"8", "Origin of another site", "refused", refused,
     &(const request){.add = "Origin: https://evil.example\r\n"}, 0},
    {"8", "Origin null", "refused", refused, &(const request){.add = "Origin: null\r\n"}, 0},
    {"8", "Host of another site", "refused", refused, &(const request){.host = "evil.example"}, 0},
    {"9", "frame without a mask", "1002 where it can be seen, else a documented gap", unmasked, NULL, 0},
    {"10", "reserved bit", "1002", frame_closes, FRAME(ONE(.b0 = 0xc2, .payload = "x", .len = 1), 1002, 0),
     0},
    {"10", "opcode 3", "1002", frame_closes, FRAME(ONE(.b0 = 0x83, .payload = "x", .len = 1), 1002, 0), 0},
    {"10", "opcode 0xB", "1002", frame_closes, FRAME(ONE(.b0 = 0x8b, .payload = "x", .len = 1), 1002, 0), 0},
    {"11", "ping in fragments", "1002", frame_closes,
     FRAME(ONE(.b0 = 0x09, .payload = "x", .len = 1), 1002, 0), 0},
    {"12", "ping of 126 bytes", "1002", frame_closes,
     FRAME(ONE(.b0 = 0x89, .payload = zeros, .len = 126), 1002, 0), 0},
    {"13", "continuation of nothing", "1002", frame_closes,
     FRAME(ONE(.b0 = 0x80, .payload = "x", .len = 1), 1002, 0), 0},
    {"14", "text frame", "1003", frame_closes, FRAME(ONE(.b0 = 0x81, .payload = "text", .len = 4), 1003, 0),
     0},
    {"15", "declared length 2^40", "1009 at once", frame_closes,
     FRAME(ONE(.b0 = 0x82, .lie = true, .declared = 1ull << 40, .length_form = 64, .payload = "x", .len = 1),
           1009, 1008),
     0},
    {"16", "declared length 2^63", "1009 or 1002 at once (RFC 6455 forbids the bit)", frame_closes,
     FRAME(ONE(.b0 = 0x82, .lie = true, .declared = 1ull << 63, .length_form = 64, .payload = "x", .len = 1),
           1009, 1002),
     0},
    {"17", "100,000 empty fragments", "1008 on the first sign", empty_fragments, NULL, 0},
    {"18", "message of 16 MiB", "1009 on the first sign", sixteen_mib, NULL, 0},
};
const size_t n_upgrade_rows = sizeof upgrade_rows / sizeof *upgrade_rows;
