/* HTTP/1.1 requests, one a connection: headers and body are taken within their caps, and the table of fixed
 * paths says who answers. Headers are read with lws_hdr_copy, never from a callback's `in`.
 *
 * Nothing is written and nothing refused by return value while a body comes in: libwebsockets 4.1.6 reads a
 * body from its own buffer recursively, and takes a connection down twice when the callback says no there. A
 * reply waits for WRITEABLE. */
#include <libwebsockets.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "net_private.h"

void net_http_free(net_http *h) {
  if (!h) return;
  sv_net_reply_free(&h->reply);
  free(h);
}

void sv_net_reply_free(sv_net_reply *reply) {
  free(reply->headers);
  free(reply->body);
  if (reply->pull_end) reply->pull_end(reply->pull_ctx);
  *reply = (sv_net_reply){0};
}

void net_http_refuse(sv_conn *c, int status, const char *text) {
  net_http *h = c->http;
  sv_net_reply_free(&h->reply);
  h->reply.status = status;
  h->reply.content_type = "text/plain; charset=utf-8";
  h->reply.body_bytes = strlen(text);
  h->fixed = (const uint8_t *)text;
  h->policy = SV_NET_POLICY_DATA;
  net_reply_begin(c);
}

/* -- headers ----------------------------------------------------------------------------------- */

typedef struct wanted {
  enum lws_token_indexes token;
  size_t offset; /* of the text in sv_net_request */
  bool list;     /* twice is the same as joined with a comma */
} wanted;

static const wanted known[] = {
    {WSI_TOKEN_HTTP_AUTHORIZATION, offsetof(sv_net_request, authorization), false},
    {WSI_TOKEN_HTTP_COOKIE, offsetof(sv_net_request, cookie), false},
    {WSI_TOKEN_HTTP_CONTENT_TYPE, offsetof(sv_net_request, content_type), false},
    {WSI_TOKEN_HTTP_IF_NONE_MATCH, offsetof(sv_net_request, if_none_match), true},
    {WSI_TOKEN_HTTP_RANGE, offsetof(sv_net_request, range), false},
    {WSI_TOKEN_HTTP_IF_RANGE, offsetof(sv_net_request, if_range), false},
};

static void set_text(net_http *h, size_t offset, const char *text) {
  memcpy((char *)&h->request + offset, &text, sizeof text);
}

static bool twice(sv_conn *c, enum lws_token_indexes token) {
  char any[NET_HEADER_BYTES_MAX];
  return lws_hdr_copy_fragment(c->wsi, any, sizeof any, token, 1) >= 0;
}

/* The next free room of h->text, all of it. */
static char *room(net_http *h, int *n) {
  *n = (int)(NET_HEADER_BYTES_MAX - h->text_n);
  return h->text + h->text_n;
}

/* False: given twice, or more than there is room for. */
static bool take_header(sv_conn *c, const wanted *w) {
  net_http *h = c->http;
  int cap, len = lws_hdr_total_length(c->wsi, w->token);
  char *at = room(h, &cap);
  if (len <= 0) return true;
  if (!w->list && twice(c, w->token)) return false;
  if (len >= cap || lws_hdr_copy(c->wsi, at, cap, w->token) != len || strlen(at) != (size_t)len) return false;
  h->text_n += (size_t)len + 1;
  set_text(h, w->offset, at);
  return true;
}

/* A header that libwebsockets has no number for; `name` in small letters with its colon. */
static bool take_custom(sv_conn *c, const char *name, size_t offset) {
  net_http *h = c->http;
  int cap;
  char *at = room(h, &cap);
  int len = cap > 1 ? lws_hdr_custom_copy(c->wsi, at, cap - 1, name, (int)strlen(name)) : -1;
  if (len < 0) return true;
  h->text_n += (size_t)len + 1;
  set_text(h, offset, at);
  return true;
}

/* Each argument is a fragment of its own, so that a decoded '&' inside one does not split it. */
static bool take_args(sv_conn *c) {
  net_http *h = c->http;
  int cap;
  h->request.args = h->text + h->text_n;
  for (int i = 0;; i++) {
    char *at = room(h, &cap);
    int len = cap > 1 ? lws_hdr_copy_fragment(c->wsi, at, cap - 1, WSI_TOKEN_HTTP_URI_ARGS, i) : -1;
    if (len < 0) break;
    if (len > 0) h->text_n += strlen(at) + 1;
  }
  if (h->text_n >= NET_HEADER_BYTES_MAX) return false;
  h->text[h->text_n++] = 0;
  return true;
}

const char *sv_net_arg(const sv_net_request *request, const char *name) {
  size_t n = strlen(name);
  for (const char *p = request->args; p && *p; p += strlen(p) + 1)
    if (strncmp(p, name, n) == 0 && (!p[n] || p[n] == '=')) return p[n] ? p + n + 1 : p + n;
  return NULL;
}

static bool take_method_and_path(sv_conn *c) {
  static const struct {
    enum lws_token_indexes token;
    sv_net_method method;
  } methods[] = {
      {WSI_TOKEN_GET_URI, SV_NET_GET}, {WSI_TOKEN_HEAD_URI, SV_NET_HEAD}, {WSI_TOKEN_POST_URI, SV_NET_POST}};
  net_http *h = c->http;
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    if (lws_hdr_total_length(c->wsi, methods[i].token) <= 0) continue;
    h->request.method = methods[i].method;
    return take_header(c, &(wanted){methods[i].token, offsetof(sv_net_request, path), false});
  }
  return true;
}

static bool take_request(sv_conn *c) {
  net_http *h = c->http;
  sv_net_request *r = &h->request;
  char accept[NET_HTTP_LINE_MAX];
  r->id = c->id;
  r->side = c->side;
  r->peer = c->peer;
  r->address_key = c->addr_key;
  bool fine = take_method_and_path(c);
  for (size_t i = 0; fine && i < sizeof known / sizeof *known; i++) fine = take_header(c, &known[i]);
  fine = fine && take_custom(c, "x-overdracht:", offsetof(sv_net_request, overdracht)) &&
         take_custom(c, "x-overdracht-csrf:", offsetof(sv_net_request, csrf)) && take_args(c);
  r->origin = net_http_origin(c);
  r->gzip_ok = lws_hdr_copy(c->wsi, accept, sizeof accept, WSI_TOKEN_HTTP_ACCEPT_ENCODING) > 0 &&
               net_gzip_accepted(accept);
  return fine;
}

/* -- table ------------------------------------------------------------------------------------- */

static bool route_fits(const sv_net_route *r, sv_net_side side, const char *path) {
  if (!(r->sides & side)) return false;
  return r->prefix ? strncmp(path, r->path, strlen(r->path)) == 0 : strcmp(path, r->path) == 0;
}

static const sv_net_route *find_route(const sv_conn *c, const char *path) {
  const sv_net_opts *o = &c->net->o;
  for (size_t i = 0; path && i < o->routes_n; i++)
    if (route_fits(&o->routes[i], c->side, path)) return &o->routes[i];
  return NULL;
}

static unsigned methods_of(const sv_net_route *r) {
  unsigned m = r->methods ? r->methods : SV_NET_GET;
  return m & SV_NET_GET ? m | SV_NET_HEAD : m;
}

static void reply_fixed(sv_conn *c, const sv_net_route *r) {
  net_http *h = c->http;
  bool gzip = r->gzip_body && h->request.gzip_ok && !h->request.range;
  h->fixed = gzip ? r->gzip_body : r->body;
  h->reply.body_bytes = gzip ? r->gzip_bytes : r->body_bytes;
  h->reply.encoding = gzip ? "gzip" : NULL;
  h->reply.vary_encoding = r->gzip_body != NULL;
  h->reply.cache = r->cache;
  if (r->etag) { /* two bodies, two tags */
    size_t n = strlen(r->etag);
    memcpy(h->reply.etag, r->etag, n + 1);
    if (gzip && n) memcpy(h->reply.etag + n - 1, "-gz\"", 5);
  }
  net_reply_begin(c);
}

static void answer(sv_conn *c) {
  net_http *h = c->http;
  const sv_net_route *r = h->route;
  h->policy = r->policy;
  h->reply.status = 200;
  if (!r->handle) {
    reply_fixed(c, r);
    return;
  }
  h->request.body = c->rx;
  h->request.body_bytes = c->rx_len;
  net_conn_stage(c, NET_ANSWER);
  int result = r->handle(r->user ? r->user : c->net->cb.user, &h->request, &h->reply);
  net_conn_drop_rx(c);
  h->request.body = NULL;
  if (result == 0) net_reply_begin(c);
  else if (result != SV_NET_LATER) net_http_refuse(c, 500, "internal error\n");
  else net_lws_rx_flow(c->wsi, false); /* what comes behind the request must not pile up while it waits */
}

bool sv_net_reply_later(sv_net *net, uint64_t id, sv_net_reply *reply) {
  uint32_t slot = (uint32_t)(id & ((1u << 18) - 1));
  sv_conn *c = slot < net->slots_used ? net->conn[slot] : NULL;
  if (!c || c->id != id || c->stage != NET_ANSWER || c->killed) {
    sv_net_reply_free(reply);
    return false;
  }
  sv_net_reply_free(&c->http->reply);
  c->http->reply = *reply;
  *reply = (sv_net_reply){0};
  if (!c->http->reply.status) c->http->reply.status = 200;
  net_reply_begin(c);
  return true;
}

/* -- requests ---------------------------------------------------------------------------------- */

/* Plain digits that fit; false otherwise. No length is no body. */
static bool content_length(sv_conn *c, bool *given, uint64_t *n) {
  char text[24];
  int len = lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  *given = len > 0;
  *n = 0;
  if (!*given) return true;
  if (len > 18 || twice(c, WSI_TOKEN_HTTP_CONTENT_LENGTH) ||
      lws_hdr_copy(c->wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) != len ||
      strspn(text, "0123456789") != (size_t)len)
    return false;
  *n = strtoull(text, NULL, 10);
  return true;
}

/* PROTO-1: a transfer encoding is not read here, and none of our clients sends one. */
static void begin_post(sv_conn *c) {
  net_http *h = c->http;
  uint64_t n;
  bool given;
  if (lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
    net_http_refuse(c, 501, "no transfer encodings\n");
  else if (!content_length(c, &given, &n)) net_http_refuse(c, 400, "bad Content-Length\n");
  else if (!given) net_http_refuse(c, 411, "Content-Length needed\n");
  else if (n > h->route->post_bytes_max) net_http_refuse(c, 413, "body too large\n");
  else {
    h->body_expected = (size_t)n;
    net_conn_stage(c, NET_BODY);
  }
}

static void begin(sv_conn *c) {
  net_http *h = c->http;
  uint64_t n;
  bool given;
  if (!take_request(c)) {
    net_http_refuse(c, 400, "headers out of contract\n");
  } else if (!net_http_host_allowed(c)) {
    net_http_refuse(c, 421, "not a host of this server\n");
  } else if (!h->request.method) {
    h->allow = "GET, HEAD, POST";
    net_http_refuse(c, 405, "method not allowed\n");
  } else if (!(h->route = find_route(c, h->request.path))) {
    net_http_refuse(c, 404, "not found\n");
  } else if (!(methods_of(h->route) & h->request.method)) {
    unsigned m = methods_of(h->route);
    h->allow = m == SV_NET_POST ? "POST" : m & SV_NET_POST ? "GET, HEAD, POST" : "GET, HEAD";
    net_http_refuse(c, 405, "method not allowed\n");
  } else if (h->request.method == SV_NET_POST) {
    begin_post(c);
  } else if (!content_length(c, &given, &n) || n ||
             lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) {
    net_http_refuse(c, 400, "no body with this method\n");
  } else {
    answer(c);
  }
}

int net_http_request(sv_conn *c) {
  if (c->stage != NET_UPGRADE || c->http) return -1;
  lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0); /* the sweep watches */
  net_add(c->net, SV_NET_HTTP_REQUESTS, 1);
  c->http = calloc(1, sizeof *c->http + NET_HEADER_BYTES_MAX + 1);
  if (!c->http) return -1;
  begin(c);
  return 0;
}

int net_http_body(sv_conn *c, const uint8_t *in, size_t len) {
  if (c->stage != NET_BODY || !len) return 0;
  net_http *h = c->http;
  if (len > h->body_expected - c->rx_len) return 0; /* cannot be: libwebsockets counts along */
  if (net_conn_rx_grow(c, len, h->body_expected)) {
    net_http_refuse(c, 503, "too busy\n");
    return 0;
  }
  memcpy(c->rx + c->rx_len, in, len);
  c->rx_len += len;
  return 0;
}

/* Comes again and again when there are bytes behind the body, which libwebsockets keeps: a few rounds are
 * for the answer to get out, then it is over. */
int net_http_body_end(sv_conn *c) {
  if (c->stage != NET_BODY) {
    if (c->http && ++c->http->excess > NET_HTTP_EXCESS_MAX) net_conn_kill(c);
    return 0;
  }
  lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
  if (c->rx_len != c->http->body_expected) net_http_refuse(c, 400, "body shorter than said\n");
  else answer(c);
  return 0;
}
