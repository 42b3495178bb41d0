/* URLs of servers. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "oc_net.h"

static bool all_of(const char *text, const char *allowed) { return *text && !text[strspn(text, allowed)]; }

static bool is_loopback(const char *host) {
  if (!strcasecmp(host, "localhost") || !strcmp(host, "::1")) return true;
  return !strncmp(host, "127.", 4) && all_of(host, "0123456789.");
}

/* In lower case, as it is signed. PROTO-36 */
static const char *take_host(const char *p, oc_net_url *out) {
  bool v6 = *p == '[';
  size_t n = strcspn(p + v6, v6 ? "]" : ":/?#");
  if (!n || n >= sizeof out->host || (v6 && p[1 + n] != ']')) return NULL;
  for (size_t i = 0; i < n; i++) out->host[i] = (char)tolower((unsigned char)p[v6 + i]);
  out->host[n] = 0;
  const char *allowed = v6 ? "0123456789abcdefABCDEF:."
                           : "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";
  return all_of(out->host, allowed) ? p + n + 2 * v6 : NULL;
}

static const char *take_port(const char *p, oc_net_url *out) {
  char *end;
  out->port = out->tls ? 443 : 80;
  if (*p != ':') return p;
  long port = strtol(p + 1, &end, 10);
  if (end == p + 1 || port < 1 || port > 65535 || p[1] == '+' || p[1] == '-' || p[1] == ' ') return NULL;
  out->port = (uint16_t)port;
  return end;
}

/* PROTO-1 */
int oc_net_url_parse(const char *text, oc_net_url *out) {
  *out = (oc_net_url){.tls = !strncasecmp(text, "wss://", 6)};
  if (!out->tls && strncasecmp(text, "ws://", 5)) return OV_E_INVALID;
  const char *p = take_host(text + (out->tls ? 6 : 5), out);
  if (p) p = take_port(p, out);
  if (!p || (*p && *p != '/') || strlen(p) >= sizeof out->path) return OV_E_INVALID;
  for (const char *c = p; *c; c++) {
    if (*c <= ' ' || *c > '~' || *c == '#') return OV_E_INVALID; /* would end the request line, or split it */
  }
  snprintf(out->path, sizeof out->path, "%s", *p && p[1] ? p : "/sync");
  out->loopback = is_loopback(out->host);
  return out->tls || out->loopback ? 0 : OV_E_DENIED;
}

void oc_net_url_text(const oc_net_url *u, char *out, size_t cap) {
  bool v6 = strchr(u->host, ':') != NULL;
  char port[8] = "";
  if (u->port != (u->tls ? 443 : 80)) snprintf(port, sizeof port, ":%u", u->port);
  snprintf(out, cap, "%s://%s%s%s%s%s", u->tls ? "wss" : "ws", v6 ? "[" : "", u->host, v6 ? "]" : "", port,
           u->path);
}
