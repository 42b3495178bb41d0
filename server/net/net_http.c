/* HTTP/1.1, one request a connection: the websocket upgrade with every check that libwebsockets leaves out,
 * and a table of fixed paths. Headers are read with lws_hdr_copy, never from a callback's `in`. */
#include <libwebsockets.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net_private.h"

#define HEADER_VALUE_MAX 256

/* -- answers ----------------------------------------------------------------------------------- */

static const char *status_text(int status) {
  switch (status) {
  case 200: return "OK";
  case 400: return "Bad Request";
  case 403: return "Forbidden";
  case 404: return "Not Found";
  case 405: return "Method Not Allowed";
  case 421: return "Misdirected Request";
  case 426: return "Upgrade Required";
  case 503: return "Service Unavailable";
  default: return status >= 500 ? "Internal Server Error" : "Status";
  }
}

/* No script, frame, sniffing, referrer or cache: whatever a body holds, a browser may only show it as text.
 */
#define STRICT_HEADERS                                                                                       \
  "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"                                  \
  "X-Content-Type-Options: nosniff\r\n"                                                                      \
  "Referrer-Policy: no-referrer\r\n"                                                                         \
  "Cross-Origin-Resource-Policy: same-origin\r\n"                                                            \
  "Cache-Control: no-store\r\n"                                                                              \
  "Connection: close\r\n"

static int send_head(sv_conn *c, int status, const char *content_type, size_t body_bytes, const char *extra) {
  sv_net *net = c->net;
  char *at = (char *)net->tx + net->tx_room;
  const char *server = net->o.server_name;
  int n = snprintf(
      at, NET_HTTP_CHUNK_BYTES,
      "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s%s%s%s" STRICT_HEADERS "\r\n", status,
      status_text(status), content_type, body_bytes, extra, server ? "Server: " : "", server ? server : "",
      server ? "\r\n" : "",
      net->tls && c->side == SV_NET_MAIN ? "Strict-Transport-Security: max-age=31536000\r\n" : "");
  if (n < 0 || n >= (int)NET_HTTP_CHUNK_BYTES) return -1;
  return lws_write(c->wsi, (unsigned char *)at, (size_t)n, LWS_WRITE_HTTP_HEADERS) == n ? 0 : -1;
}

/* Status, one line of text, and the connection ends: -1 tells libwebsockets to flush and close. */
static int refuse(sv_conn *c, int status, const char *extra, const char *text, bool head_only) {
  sv_net *net = c->net;
  size_t n = strlen(text);
  net_conn_stage(c, NET_BYE);
  if (send_head(c, status, "text/plain; charset=utf-8", n, extra) || head_only) return -1;
  memcpy(net->tx + net->tx_room, text, n);
  lws_write(c->wsi, net->tx + net->tx_room, n, LWS_WRITE_HTTP);
  return -1;
}

/* -- upgrade ----------------------------------------------------------------------------------- */

/* Length, or -1 when the header is missing, empty or too long. A header given twice comes joined with a
 * comma. */
static int header(sv_conn *c, enum lws_token_indexes which, char value[HEADER_VALUE_MAX]) {
  int n = lws_hdr_copy(c->wsi, value, HEADER_VALUE_MAX, which);
  if (n <= 0) value[0] = 0;
  return n > 0 ? n : -1;
}

static bool present(sv_conn *c, enum lws_token_indexes which) {
  return lws_hdr_total_length(c->wsi, which) > 0;
}

static bool host_fits(const char *host, const char *allowed, uint16_t port) {
  size_t n = strlen(allowed);
  if (strncasecmp(host, allowed, n) != 0) return false;
  if (!host[n]) return true;
  char suffix[8];
  snprintf(suffix, sizeof suffix, ":%u", port);
  return strcmp(host + n, suffix) == 0;
}

static bool host_allowed(sv_conn *c) {
  static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
  const sv_net *net = c->net;
  const char *const *list = c->side == SV_NET_LOCAL ? loopback : net->o.hosts;
  size_t n = c->side == SV_NET_LOCAL ? 3 : net->o.hosts_n;
  char host[HEADER_VALUE_MAX];
  if (header(c, WSI_TOKEN_HOST, host) < 0) return false;
  for (size_t i = 0; i < n; i++)
    if (host_fits(host, list[i], net->listener[c->side == SV_NET_LOCAL].port)) return true;
  return false;
}

static bool origin_allowed(sv_conn *c) {
  const sv_net_opts *o = &c->net->o;
  char origin[HEADER_VALUE_MAX];
  if (!present(c, WSI_TOKEN_ORIGIN)) return !o->origin_required;
  if (header(c, WSI_TOKEN_ORIGIN, origin) < 0) return false;
  for (size_t i = 0; i < o->origins_n; i++)
    if (strcmp(origin, o->origins[i]) == 0) return true;
  return false;
}

static bool version_13(sv_conn *c) {
  char version[HEADER_VALUE_MAX];
  return header(c, WSI_TOKEN_VERSION, version) > 0 && strcmp(version, "13") == 0;
}

/* 16 bytes in base64: 22 letters, the last of which carries four bits that must be zero, and "==". */
static bool key_valid(sv_conn *c) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char key[HEADER_VALUE_MAX];
  if (header(c, WSI_TOKEN_KEY, key) != 24) return false;
  return strspn(key, letters) == 22 && strcmp(key + 22, "==") == 0 && strchr("AQgw", key[21]) != NULL;
}

/* Our subprotocol must be among those offered (a newer client offers several), as a whole token. PROTO-2 */
static bool subprotocol_offered(sv_conn *c) {
  char list[HEADER_VALUE_MAX], *rest = list, *token;
  if (header(c, WSI_TOKEN_PROTOCOL, list) < 0) return false;
  while ((token = strsep(&rest, ","))) {
    token += strspn(token, " \t");
    size_t n = strcspn(token, " \t");
    if (token[n + strspn(token + n, " \t")] == 0 && n == strlen(SV_NET_SUBPROTOCOL) &&
        memcmp(token, SV_NET_SUBPROTOCOL, n) == 0)
      return true;
  }
  return false;
}

static bool path_is(sv_conn *c, enum lws_token_indexes method, const char *path) {
  char got[HEADER_VALUE_MAX];
  return header(c, method, got) > 0 && strcmp(got, path) == 0;
}

static int refuse_upgrade(sv_conn *c, sv_net_counter why, int status, const char *extra, const char *text) {
  net_add(c->net, why, 1);
  return refuse(c, status, extra, text, false);
}

/* PROTO-1 */
int net_http_upgrade(sv_conn *c) {
  const sv_net_opts *o = &c->net->o;
  char upgrade[HEADER_VALUE_MAX];
  if (c->stage != NET_UPGRADE) return -1;
  if (header(c, WSI_TOKEN_UPGRADE, upgrade) < 0 || strcasecmp(upgrade, "websocket") != 0) {
    net_add(c->net, SV_NET_REFUSED_OTHER_UPGRADE, 1);
    return -1; /* h2c and strangers: not even an answer, h2 stays off */
  }
  if (!present(c, WSI_TOKEN_GET_URI))
    return refuse_upgrade(c, SV_NET_REFUSED_METHOD, 405, "Allow: GET\r\n", "GET only\n");
  if (!host_allowed(c)) return refuse_upgrade(c, SV_NET_REFUSED_HOST, 421, "", "not a host of this server\n");
  if (c->side == SV_NET_LOCAL || (o->ws_path && !path_is(c, WSI_TOKEN_GET_URI, o->ws_path)))
    return refuse_upgrade(c, SV_NET_REFUSED_PATH, 404, "", "no websocket here\n");
  if (!origin_allowed(c)) return refuse_upgrade(c, SV_NET_REFUSED_ORIGIN, 403, "", "origin not allowed\n");
  if (!version_13(c))
    return refuse_upgrade(c, SV_NET_REFUSED_VERSION, 426, "Sec-WebSocket-Version: 13\r\n",
                          "version 13 only\n");
  if (!key_valid(c)) return refuse_upgrade(c, SV_NET_REFUSED_KEY, 400, "", "bad key\n");
  if (!subprotocol_offered(c))
    return refuse_upgrade(c, SV_NET_REFUSED_SUBPROTOCOL, 400, "",
                          "subprotocol " SV_NET_SUBPROTOCOL " needed\n");
  c->checked = true;
  return 0;
}

/* -- table ------------------------------------------------------------------------------------- */

static const sv_net_route *find_route(sv_conn *c, enum lws_token_indexes method) {
  const sv_net_opts *o = &c->net->o;
  for (size_t i = 0; i < o->routes_n; i++)
    if ((o->routes[i].sides & c->side) && path_is(c, method, o->routes[i].path)) return &o->routes[i];
  return NULL;
}

static int answer(sv_conn *c, const sv_net_route *r, bool head_only) {
  sv_net_reply reply = {.status = 200};
  if (r->get) {
    if (r->get(c->net->cb.user, r->path, &reply) != 0) {
      free(reply.body);
      return refuse(c, 500, "", "internal error\n", head_only);
    }
    c->body = reply.body;
    c->body_owned = true;
    c->body_bytes = reply.body ? reply.body_bytes : 0;
  } else {
    c->body = (uint8_t *)(uintptr_t)r->body;
    c->body_bytes = r->body_bytes;
  }
  net_conn_stage(c, NET_HTTP);
  if (send_head(c, reply.status, r->content_type, c->body_bytes, "")) return -1;
  if (head_only || !c->body_bytes) {
    net_conn_stage(c, NET_BYE);
    return -1;
  }
  c->want_ms = sv_net_now_ms();
  lws_callback_on_writable(c->wsi);
  return 0;
}

int net_http_request(sv_conn *c) {
  if (c->stage != NET_UPGRADE) return -1;
  lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0); /* the sweep watches */
  net_add(c->net, SV_NET_HTTP_REQUESTS, 1);
  bool head_only = present(c, WSI_TOKEN_HEAD_URI);
  if (!head_only && !present(c, WSI_TOKEN_GET_URI))
    return refuse(c, 405, "Allow: GET, HEAD\r\n", "GET and HEAD only\n", false);
  if (!host_allowed(c)) return refuse(c, 421, "", "not a host of this server\n", head_only);
  const sv_net_route *r = find_route(c, head_only ? WSI_TOKEN_HEAD_URI : WSI_TOKEN_GET_URI);
  return r ? answer(c, r, head_only) : refuse(c, 404, "", "not found\n", head_only);
}

int net_http_writable(sv_conn *c) {
  sv_net *net = c->net;
  if (c->stage != NET_HTTP) return -1;
  size_t n = c->body_bytes - c->body_done;
  if (n > NET_HTTP_CHUNK_BYTES) n = NET_HTTP_CHUNK_BYTES;
  memcpy(net->tx + net->tx_room, c->body + c->body_done, n);
  if (lws_write(c->wsi, net->tx + net->tx_room, n, LWS_WRITE_HTTP) < 0) return -1;
  c->body_done += n;
  c->want_ms = sv_net_now_ms();
  if (c->body_done == c->body_bytes) {
    net_conn_stage(c, NET_BYE);
    return -1;
  }
  lws_callback_on_writable(c->wsi);
  return 0;
}
