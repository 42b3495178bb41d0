/* The websocket upgrade, with every check that libwebsockets leaves out, and the checks of Host and Origin
 * that plain requests share. Headers are read with lws_hdr_copy, never from a callback's `in`. */
#include <libwebsockets.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net_private.h"

/* -- what plain requests check too --------------------------------------------------------------- */

/* -- upgrade ----------------------------------------------------------------------------------- */

/* Length, or -1 when the header is missing, empty or too long. A header given twice comes joined with a
 * comma. */
static int header(sv_conn *c, enum lws_token_indexes which, char value[NET_HTTP_LINE_MAX]) {
  int n = lws_hdr_copy(c->wsi, value, NET_HTTP_LINE_MAX, which);
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

bool net_http_host_allowed(sv_conn *c) {
  static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
  const sv_net *net = c->net;
  const char *const *list = c->side == SV_NET_LOCAL ? loopback : net->o.hosts;
  size_t n = c->side == SV_NET_LOCAL ? 3 : net->o.hosts_n;
  char host[NET_HTTP_LINE_MAX];
  if (header(c, WSI_TOKEN_HOST, host) < 0) return false;
  for (size_t i = 0; i < n; i++)
    if (host_fits(host, list[i], net->listener[c->side == SV_NET_LOCAL].port)) return true;
  return false;
}

/* The page came from this server: its origin is our scheme and the Host it asked for, which is listed. */
static bool origin_is_own(sv_conn *c, const char *origin) {
  bool tls = c->net->tls && c->side == SV_NET_MAIN;
  const char *scheme = tls ? "https://" : "http://";
  char host[NET_HTTP_LINE_MAX];
  size_t n = strlen(scheme);
  return strncmp(origin, scheme, n) == 0 && net_http_host_allowed(c) && header(c, WSI_TOKEN_HOST, host) > 0 &&
         strcmp(origin + n, host) == 0;
}

sv_net_origin net_http_origin(sv_conn *c) {
  const sv_net_opts *o = &c->net->o;
  char origin[NET_HTTP_LINE_MAX];
  if (!present(c, WSI_TOKEN_ORIGIN)) return SV_NET_ORIGIN_NONE;
  if (header(c, WSI_TOKEN_ORIGIN, origin) < 0) return SV_NET_ORIGIN_FOREIGN;
  for (size_t i = 0; i < o->origins_n; i++)
    if (strcmp(origin, o->origins[i]) == 0) return SV_NET_ORIGIN_OURS;
  return origin_is_own(c, origin) ? SV_NET_ORIGIN_OURS : SV_NET_ORIGIN_FOREIGN;
}

static bool origin_allowed(sv_conn *c) {
  sv_net_origin origin = net_http_origin(c);
  return origin == SV_NET_ORIGIN_OURS || (origin == SV_NET_ORIGIN_NONE && !c->net->o.origin_required);
}

static bool version_13(sv_conn *c) {
  char version[NET_HTTP_LINE_MAX];
  return header(c, WSI_TOKEN_VERSION, version) > 0 && strcmp(version, "13") == 0;
}

/* 16 bytes in base64: 22 letters, the last of which carries four bits that must be zero, and "==". */
static bool key_valid(sv_conn *c) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char key[NET_HTTP_LINE_MAX];
  if (header(c, WSI_TOKEN_KEY, key) != 24) return false;
  return strspn(key, letters) == 22 && strcmp(key + 22, "==") == 0 && strchr("AQgw", key[21]) != NULL;
}

/* Our subprotocol must be among those offered (a newer client offers several), as a whole token. PROTO-2 */
static bool subprotocol_offered(sv_conn *c) {
  char list[NET_HTTP_LINE_MAX], *rest = list, *token;
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
  char got[NET_HTTP_LINE_MAX];
  return header(c, method, got) > 0 && strcmp(got, path) == 0;
}

/* Status, one line of text, and the connection ends: -1 tells libwebsockets to flush and close. Written at
 * once: it asks here whether to upgrade, and takes no other answer later. */
static int refuse_upgrade(sv_conn *c, sv_net_counter why, int status, const char *extra, const char *text) {
  sv_net *net = c->net;
  net_http h = {.reply = {.status = status}, .to = strlen(text), .has_reply = true};
  char *at = (char *)net->tx + net->tx_room;
  net_add(net, why, 1);
  net_conn_stage(c, NET_BYE);
  int n = net_reply_head(c, &h, at);
  if (n < 0) return -1;
  n -= 2; /* before the empty line */
  n += snprintf(at + n, NET_HTTP_LINE_MAX, "%s\r\n%s", extra, text);
  lws_write(c->wsi, (unsigned char *)at, (size_t)n, LWS_WRITE_HTTP);
  return -1;
}

/* PROTO-1 */
int net_http_upgrade(sv_conn *c) {
  const sv_net_opts *o = &c->net->o;
  char upgrade[NET_HTTP_LINE_MAX];
  if (c->stage != NET_UPGRADE) return -1;
  if (header(c, WSI_TOKEN_UPGRADE, upgrade) < 0 || strcasecmp(upgrade, "websocket") != 0) {
    net_add(c->net, SV_NET_REFUSED_OTHER_UPGRADE, 1);
    return -1; /* h2c and strangers: not even an answer, h2 stays off */
  }
  if (!present(c, WSI_TOKEN_GET_URI))
    return refuse_upgrade(c, SV_NET_REFUSED_METHOD, 405, "Allow: GET\r\n", "GET only\n");
  if (!net_http_host_allowed(c))
    return refuse_upgrade(c, SV_NET_REFUSED_HOST, 421, "", "not a host of this server\n");
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
