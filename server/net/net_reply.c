/* Replies: what of the body is sent (conditions, ranges, HEAD), the head, and one write each WRITEABLE. */
#include <libwebsockets.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net_policy.h"
#include "net_private.h"

const char *net_status_text(int status) {
  static const struct {
    int status;
    const char *text;
  } rows[] = {{200, "OK"},
              {201, "Created"},
              {202, "Accepted"},
              {204, "No Content"},
              {206, "Partial Content"},
              {303, "See Other"},
              {304, "Not Modified"},
              {400, "Bad Request"},
              {401, "Unauthorized"},
              {403, "Forbidden"},
              {404, "Not Found"},
              {405, "Method Not Allowed"},
              {409, "Conflict"},
              {410, "Gone"},
              {411, "Length Required"},
              {413, "Content Too Large"},
              {415, "Unsupported Media Type"},
              {416, "Range Not Satisfiable"},
              {421, "Misdirected Request"},
              {422, "Unprocessable Content"},
              {426, "Upgrade Required"},
              {429, "Too Many Requests"},
              {500, "Internal Server Error"},
              {501, "Not Implemented"},
              {503, "Service Unavailable"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].status == status) return rows[i].text;
  return status >= 500 ? "Internal Server Error" : "Status";
}

/* -- head -------------------------------------------------------------------------------------- */

/* A line of text that does not fit is an error of ours: the sum stays over the room and says so. */
typedef struct head {
  char *at;
  size_t n;
} head;

static void put(head *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(head *b, const char *fmt, ...) {
  va_list ap;
  if (b->n >= NET_HTTP_HEAD_BYTES_MAX) return;
  va_start(ap, fmt);
  int n = vsnprintf(b->at + b->n, NET_HTTP_HEAD_BYTES_MAX - b->n, fmt, ap);
  va_end(ap);
  b->n += n < 0 ? NET_HTTP_HEAD_BYTES_MAX : (size_t)n;
}

static const char *cache_text(sv_net_cache cache) {
  switch (cache) {
  case SV_NET_CACHE_CHECK: return "no-cache";
  case SV_NET_CACHE_FOREVER: return "public, max-age=31536000, immutable";
  default: return "no-store";
  }
}

static void put_body_lines(head *b, const net_http *h) {
  const sv_net_reply *r = &h->reply;
  const char *type = r->content_type ? r->content_type : h->route ? h->route->content_type : NULL;
  if (r->status != 304) {
    put(b, "Content-Type: %s\r\n", type ? type : "text/plain; charset=utf-8");
    put(b, "Content-Length: %llu\r\n", (unsigned long long)(h->to - h->from));
    if (r->encoding) put(b, "Content-Encoding: %s\r\n", r->encoding);
  }
  if (r->vary_encoding) put(b, "Vary: Accept-Encoding\r\n");
  if (r->etag[0] && r->status < 400) put(b, "ETag: %s\r\nAccept-Ranges: bytes\r\n", r->etag);
  if (r->status == 206)
    put(b, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)h->from,
        (unsigned long long)h->to - 1, (unsigned long long)h->whole);
  if (h->not_satisfiable) put(b, "Content-Range: bytes */%llu\r\n", (unsigned long long)h->whole);
}

int net_reply_head(const sv_conn *c, const net_http *h, char *at) {
  const sv_net *net = c->net;
  const sv_net_reply *r = &h->reply;
  head b = {.at = at};
  put(&b, "HTTP/1.1 %d %s\r\n", r->status, net_status_text(r->status));
  put_body_lines(&b, h);
  put(&b, "%s%s", h->policy == SV_NET_POLICY_APP ? NET_POLICY_APP : NET_POLICY_DATA, NET_POLICY_COMMON);
  put(&b, "Cache-Control: %s\r\nConnection: close\r\n", cache_text(r->cache));
  if (h->allow) put(&b, "Allow: %s\r\n", h->allow);
  if (net->o.server_name) put(&b, "Server: %s\r\n", net->o.server_name);
  if (net->tls && c->side == SV_NET_MAIN) put(&b, "Strict-Transport-Security: max-age=31536000\r\n");
  put(&b, "%s\r\n", r->headers ? r->headers : "");
  return b.n < NET_HTTP_HEAD_BYTES_MAX ? (int)b.n : -1;
}

/* -- what is sent ------------------------------------------------------------------------------ */

static void not_modified(net_http *h) {
  h->reply.status = 304;
  h->from = h->to = 0;
}

/* RFC 9110: If-Range must name exactly this entity, else the whole is sent. */
static void apply_range(net_http *h) {
  const sv_net_request *q = &h->request;
  if (q->if_range && strcmp(q->if_range, h->reply.etag) != 0) return;
  switch (net_range_parse(q->range, h->whole, &h->from, &h->to)) {
  case NET_RANGE_ONE: h->reply.status = 206; break;
  case NET_RANGE_BEYOND:
    h->not_satisfiable = true;
    h->reply.status = 416;
    h->from = h->to = 0;
    break;
  case NET_RANGE_NONE: break;
  }
}

void net_reply_begin(sv_conn *c) {
  net_http *h = c->http;
  sv_net_reply *r = &h->reply;
  const sv_net_request *q = &h->request;
  bool reading = q->method == SV_NET_GET || q->method == SV_NET_HEAD;
  if (!h->fixed && !r->body && !r->pull) r->body_bytes = 0;
  h->from = 0;
  h->to = h->whole = r->body_bytes;
  if (r->status == 200 && r->etag[0] && reading) {
    if (q->if_none_match && net_etag_listed(q->if_none_match, r->etag)) not_modified(h);
    else if (q->range && q->method == SV_NET_GET) apply_range(h);
  }
  if (r->status >= 500) net_add(c->net, SV_NET_HTTP_5XX, 1);
  else if (r->status >= 400) net_add(c->net, SV_NET_HTTP_4XX, 1);
  h->has_reply = true;
  if (c->stage == NET_ANSWER) net_lws_rx_flow(c->wsi, true); /* libwebsockets writes only to who is read */
  net_conn_stage(c, NET_HTTP);
  net_conn_drop_rx(c);
  net_conn_want(c);
}

/* -- writing ----------------------------------------------------------------------------------- */

/* Fills up to `room` bytes of the body; 0: none left, or none could be had. */
static size_t next_piece(net_http *h, uint8_t *at, size_t room) {
  uint64_t left = h->to - h->from;
  size_t n = left < room ? (size_t)left : room;
  if (!n || h->request.method == SV_NET_HEAD) return 0;
  if (h->fixed) memcpy(at, h->fixed + h->from, n);
  else if (h->reply.body) memcpy(at, h->reply.body + h->from, n);
  else n = h->reply.pull(h->reply.pull_ctx, h->from, at, n);
  h->from += n;
  return n;
}

static int end(sv_conn *c) {
  net_conn_stage(c, NET_BYE);
  return -1; /* libwebsockets flushes and closes */
}

/* PROTO-4 */
int net_http_writable(sv_conn *c) {
  net_http *h = c->http;
  if (!h || !h->has_reply || c->stage != NET_HTTP) return c->stage == NET_BYE ? -1 : 0;
  sv_net *net = c->net;
  uint8_t *at = net->tx + net->tx_room;
  size_t n = 0;
  if (!h->head_sent) {
    int head_bytes = net_reply_head(c, h, (char *)at);
    if (head_bytes < 0) {
      net_log(net, SV_NET_ERROR, "net: the headers of a reply are over the cap and were not sent");
      return end(c);
    }
    n = (size_t)head_bytes;
    h->head_sent = true;
  }
  size_t piece = next_piece(h, at + n, NET_HTTP_CHUNK_BYTES - n);
  n += piece;
  if (n && lws_write(c->wsi, at, n, LWS_WRITE_HTTP) < 0) return -1;
  bool over = h->request.method == SV_NET_HEAD || h->from == h->to;
  if (over || !piece) return end(c);
  c->want_ms = sv_net_now_ms();
  lws_callback_on_writable(c->wsi);
  return 0;
}
