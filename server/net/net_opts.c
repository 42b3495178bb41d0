#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "net_private.h"

/* libwebsockets sizes two tables by the soft limit; containers often allow 2^30 descriptors, which would ask
 * for 16 GiB. */
#define FD_LIMIT_USEFUL 262144u

sv_net_opts sv_net_opts_default(void) {
  return (sv_net_opts){
      .address = "127.0.0.1",
      .local_address = "127.0.0.1",
      .ws_path = "/sync",
      .connections_max =
          10000, /* 455 organisations with 20 tablets; 80 MB of plain, 320 MB of TLS connections */
      .per_address_max = 256, /* the largest building behind one address, twice */
      .fd_reserve = 64,
      .message_bytes_max = 65536 + 64, /* the largest frame of the protocol and its framing */
      .fragments_max = 64,
      .rx_bytes_total_max = 256u << 20,
      .send_buffer_bytes = 128u << 10,
      .upgrade_ms = 10000,
      .body_ms = 20000,  /* 64 KiB at 3.3 kB/s */
      .reply_ms = 30000, /* a queue of password hashes: longer, and the person tries again anyway */
      .first_message_ms = 10000,
      .message_ms = 60000, /* 64 KiB at 1.1 kB/s, a bad mobile link */
      .ping_ms = 50000,    /* below the 60 s after which home routers and proxies forget a connection */
      .pong_ms = 25000,
      .write_stall_ms = 60000,
      .close_ms = 5000,
      .stop_ms = 10000,
  };
}

bool net_address_is_loopback(const char *address) {
  struct in_addr v4;
  struct in6_addr v6;
  if (inet_pton(AF_INET, address, &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool address_parses(const char *address) {
  uint8_t buf[16];
  return address && (inet_pton(AF_INET, address, buf) == 1 || inet_pton(AF_INET6, address, buf) == 1);
}

static bool routes_fine(const sv_net_opts *o) {
  for (size_t i = 0; i < o->routes_n; i++) {
    const sv_net_route *r = &o->routes[i];
    if (!r->path || r->path[0] != '/' || !r->content_type || !r->sides) return false;
    if (!r->handle && ((r->body_bytes && !r->body) || (r->methods & SV_NET_POST))) return false;
    if (r->post_bytes_max > SV_NET_POST_BYTES_MAX || (r->etag && strlen(r->etag) > SV_NET_ETAG_CHARS - 8))
      return false;
  }
  return true;
}

/* What is wrong, in words, or NULL. PROTO-1 */
static const char *opts_fault(const sv_net_opts *o) {
  if (!address_parses(o->address)) return "listen address is not an IPv4 or IPv6 address";
  if (!o->cert_file != !o->key_file) return "certificate and key go together";
  if (!o->cert_file && !net_address_is_loopback(o->address))
    return "without a certificate only a loopback address is served";
  if (o->local_on && (!address_parses(o->local_address) || !net_address_is_loopback(o->local_address)))
    return "the local listener needs a loopback address";
  if (o->ws_path && o->ws_path[0] != '/') return "websocket path must begin with /";
  if (!o->connections_max || !o->per_address_max || !o->message_bytes_max || !o->fragments_max ||
      !o->rx_bytes_total_max || !o->send_buffer_bytes)
    return "a cap is zero";
  if (o->connections_max > FD_LIMIT_USEFUL / 2) return "connections_max is too high";
  if (o->message_bytes_max > (16u << 20)) return "message_bytes_max is over 16 MiB";
  if (!o->upgrade_ms || !o->body_ms || !o->reply_ms || !o->first_message_ms || !o->message_ms ||
      !o->ping_ms || !o->pong_ms || !o->write_stall_ms || !o->close_ms || !o->stop_ms)
    return "a deadline is zero";
  if (!routes_fine(o)) return "a route is incomplete";
  return NULL;
}

static char *copy_string(const char *s, bool *ok) {
  if (!s) return NULL;
  char *p = strdup(s);
  if (!p) *ok = false;
  return p;
}

static const char *const *copy_list(const char *const *list, size_t *n, bool *ok) {
  size_t want = *n;
  *n = 0;
  if (!want) return NULL;
  char **p = calloc(want, sizeof *p);
  if (!p) {
    *ok = false;
    return NULL;
  }
  for (size_t i = 0; i < want; i++) p[i] = copy_string(list[i] ? list[i] : "", ok);
  *n = want;
  return (const char *const *)p;
}

static void free_list(const char *const *list, size_t n) {
  for (size_t i = 0; i < n; i++) free((void *)(uintptr_t)list[i]);
  free((void *)(uintptr_t)list);
}

int net_opts_take(sv_net *net, const sv_net_opts *opts) {
  const char *fault = opts_fault(opts);
  if (fault) {
    net_log(net, SV_NET_ERROR, "net: %s", fault);
    return OV_E_INVALID;
  }
  sv_net_opts *o = &net->o;
  bool ok = true;
  *o = *opts;
  o->address = copy_string(opts->address, &ok);
  o->cert_file = copy_string(opts->cert_file, &ok);
  o->key_file = copy_string(opts->key_file, &ok);
  o->server_name = copy_string(opts->server_name, &ok);
  o->local_address = copy_string(opts->local_address, &ok);
  o->ws_path = copy_string(opts->ws_path, &ok);
  o->hosts = copy_list(opts->hosts, &o->hosts_n, &ok);
  o->origins = copy_list(opts->origins, &o->origins_n, &ok);
  sv_net_route *routes = calloc(opts->routes_n + 1, sizeof *routes);
  if (!routes) ok = false;
  if (routes && opts->routes_n) memcpy(routes, opts->routes, opts->routes_n * sizeof *routes);
  o->routes = routes;
  return ok ? 0 : OV_E_NOMEM;
}

void net_opts_free(sv_net_opts *o) {
  const char *s[] = {o->address, o->cert_file, o->key_file, o->server_name, o->local_address, o->ws_path};
  for (size_t i = 0; i < sizeof s / sizeof *s; i++) free((void *)(uintptr_t)s[i]);
  free_list(o->hosts, o->hosts_n);
  free_list(o->origins, o->origins_n);
  free((void *)(uintptr_t)o->routes);
  memset(o, 0, sizeof *o);
}

void net_fit_fds(sv_net *net) {
  struct rlimit lim;
  if (getrlimit(RLIMIT_NOFILE, &lim) != 0) lim = (struct rlimit){1024, 1024};
  rlim_t need = (rlim_t)net->o.connections_max + net->o.fd_reserve;
  rlim_t want = lim.rlim_cur;
  if (want < need) want = need < lim.rlim_max ? need : lim.rlim_max;
  if (want > FD_LIMIT_USEFUL) want = FD_LIMIT_USEFUL;
  if (want != lim.rlim_cur) {
    struct rlimit better = {want, lim.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &better) == 0) lim = better;
  }
  unsigned have = (unsigned)(lim.rlim_cur < FD_LIMIT_USEFUL ? lim.rlim_cur : FD_LIMIT_USEFUL);
  unsigned room = have > net->o.fd_reserve ? have - net->o.fd_reserve : 1;
  net->fd_ceiling = (int)room;
  if (net->o.connections_max > room) {
    net_log(net, SV_NET_WARN, "net: open file limit %u: at most %u connections instead of %u", have, room,
            net->o.connections_max);
    net->o.connections_max = room;
  }
}
