#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net_addr.h"
#include "net_private.h"

uint64_t sv_net_now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

/* -- table ------------------------------------------------------------------------------------- */

int net_conns_init(sv_net *net) {
  unsigned n = net->o.connections_max;
  net->conn = calloc(n, sizeof *net->conn);
  net->free_slot = calloc(n, sizeof *net->free_slot);
  if (!net->conn || !net->free_slot || net_addr_init(&net->addr, n)) return OV_E_NOMEM;
  for (unsigned i = 0; i < n; i++) net->free_slot[i] = n - 1 - i; /* low slots first: the sweep stays short */
  net->free_slots = n;
  return 0;
}

void net_conns_free(sv_net *net) {
  for (uint32_t i = 0; net->conn && i < net->slots_used; i++)
    if (net->conn[i]) net_conn_free(net->conn[i]);
  free(net->conn);
  free(net->free_slot);
  net_addr_free(&net->addr);
  net->conn = NULL;
  net->free_slot = NULL;
}

static void peer_text(const struct sockaddr_storage *from, char text[SV_NET_PEER_CHARS]) {
  text[0] = 0;
  if (from->ss_family == AF_INET) {
    inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, text, SV_NET_PEER_CHARS);
  } else if (from->ss_family == AF_INET6) {
    const struct in6_addr *a = &((const struct sockaddr_in6 *)from)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(a)) inet_ntop(AF_INET, a->s6_addr + 12, text, SV_NET_PEER_CHARS);
    else inet_ntop(AF_INET6, a, text, SV_NET_PEER_CHARS);
  }
}

sv_conn *net_conn_new(sv_net *net, sv_net_side side, const struct sockaddr_storage *from) {
  uint8_t key[16];
  net_addr_key(from, key);
  if (net->stopping || !net->free_slots) {
    net_add(net, SV_NET_REFUSED_FULL, 1);
    return NULL;
  }
  if (!net_addr_take(&net->addr, key, net->o.per_address_max)) {
    net_add(net, SV_NET_REFUSED_ADDRESS, 1);
    return NULL;
  }
  sv_conn *c = calloc(1, sizeof *c);
  if (!c) {
    net_addr_give(&net->addr, key);
    net_add(net, SV_NET_REFUSED_FULL, 1);
    return NULL;
  }
  c->kind = NET_KIND_CONN;
  c->net = net;
  c->side = side;
  c->slot = net->free_slot[--net->free_slots];
  c->id = ++net->ids << 18 | c->slot; /* connections_max < 2^18; 2^46 connections outlive any server */
  memcpy(c->addr_key, key, 16);
  peer_text(from, c->peer);
  net->conn[c->slot] = c;
  if (c->slot >= net->slots_used) net->slots_used = c->slot + 1;
  net_conn_stage(c, NET_UPGRADE);
  net_add(net, SV_NET_ACCEPTED, 1);
  net_add(net, SV_NET_SOCKETS, 1);
  net_lws_sweep_soon(net);
  return c;
}

void net_conn_drop_rx(sv_conn *c) {
  c->net->rx_bytes_total -= c->rx_cap;
  free(c->rx);
  c->rx = NULL;
  c->rx_len = c->rx_cap = 0;
  c->rx_fragments = 0;
  c->message_ms = 0;
}

void net_conn_free(sv_conn *c) {
  sv_net *net = c->net;
  net_conn_bye(c, 1006);
  net_conn_drop_rx(c);
  free(c->close_reason);
  net_http_free(c->http);
  net->conn[c->slot] = NULL;
  net->free_slot[net->free_slots++] = c->slot;
  net_addr_give(&net->addr, c->addr_key);
  net_sub(net, SV_NET_SOCKETS, 1);
  free(c);
}

uint16_t net_conn_rx_grow(sv_conn *c, size_t more, size_t message_max) {
  sv_net *net = c->net;
  size_t need = c->rx_len + more, cap = c->rx_cap ? c->rx_cap : NET_RX_FIRST_BYTES;
  if (need <= c->rx_cap) return 0;
  while (cap < need) cap *= 2;
  if (cap > message_max) cap = message_max;
  if (cap - c->rx_cap > net->o.rx_bytes_total_max - net->rx_bytes_total) return 1011;
  uint8_t *p = realloc(c->rx, cap);
  if (!p) return 1011;
  net->rx_bytes_total += cap - c->rx_cap;
  c->rx = p;
  c->rx_cap = cap;
  return 0;
}

/* -- stages ------------------------------------------------------------------------------------ */

static bool is_open(const sv_conn *c) {
  return c->stage == NET_OPEN || c->stage == NET_DRAIN || c->stage == NET_ABORT;
}

void net_conn_stage(sv_conn *c, net_stage stage) {
  c->stage = stage;
  c->stage_ms = sv_net_now_ms();
}

void net_conn_bye(sv_conn *c, uint16_t code) {
  bool was_open = is_open(c);
  if (c->stage != NET_BYE) net_conn_stage(c, NET_BYE);
  net_conn_drop_rx(c);
  c->want_write = false;
  c->want_ms = 0;
  if (!was_open) return;
  if (code == 1006) net_add(c->net, SV_NET_BROKEN, 1);
  net_sub(c->net, SV_NET_OPEN, 1);
  c->net->cb.on_close(c->net->cb.user, c, code);
}

void net_conn_want(sv_conn *c) {
  if (!c->want_ms) c->want_ms = sv_net_now_ms();
  net_lws_want_write(c->wsi);
}

static void close_with(sv_conn *c, net_stage stage, uint16_t code, const char *reason) {
  size_t n = reason ? strlen(reason) : 0;
  if (n > SV_NET_REASON_BYTES_MAX) n = SV_NET_REASON_BYTES_MAX;
  while (n && reason[n] && ((uint8_t)reason[n] & 0xc0) == 0x80)
    n--; /* not through the middle of a character */
  c->close_code = code;
  free(c->close_reason);
  c->close_reason = n ? strndup(reason, n) : NULL;
  c->close_reason_bytes = (uint8_t)(c->close_reason ? n : 0);
  net_conn_stage(c, stage);
  net_conn_drop_rx(c);
  if (c->paused) {
    c->paused = false;
    net_lws_rx_flow(c->wsi, true); /* or the answer to our close frame would never be read */
  }
  net_conn_want(c);
}

void net_conn_abort(sv_conn *c, uint16_t code, const char *reason) {
  if (c->stage == NET_OPEN || c->stage == NET_DRAIN) close_with(c, NET_ABORT, code, reason);
}

void net_conn_kill(sv_conn *c) {
  if (c->killed) return;
  c->killed = true;
  if (c->wsi) net_lws_kill(c->wsi);
}

/* -- deadlines --------------------------------------------------------------------------------- */

static bool over(uint64_t since_ms, uint64_t now_ms, unsigned limit_ms) {
  return since_ms && now_ms - since_ms > limit_ms;
}

static void hang_up(sv_conn *c, sv_net_counter why) {
  net_add(c->net, why, 1);
  net_conn_kill(c);
}

/* PROTO-42 */
static void sweep_open(sv_conn *c, uint64_t now) {
  const sv_net_opts *o = &c->net->o;
  if (over(c->want_ms, now, o->write_stall_ms)) {
    hang_up(c, SV_NET_LATE_READER);
  } else if (c->paused) {
    return;
  } else if (!c->first_message && over(c->stage_ms, now, o->first_message_ms)) {
    net_add(c->net, SV_NET_LATE_FIRST_MESSAGE, 1);
    net_conn_abort(c, 1008, "no message in time");
  } else if (over(c->message_ms, now, o->message_ms)) {
    net_add(c->net, SV_NET_LATE_MESSAGE, 1);
    net_conn_abort(c, 1008, "message too slow");
  } else if (over(c->ping_ms, now, o->pong_ms)) {
    hang_up(c, SV_NET_LATE_PONG);
  } else if (!c->ping_ms && over(c->heard_ms, now, o->ping_ms)) {
    c->ping_ms = now;
    c->ping_due = true;
    net_conn_want(c);
  }
}

/* want_ms moves with each piece. Input behind a request is never read, so poll keeps reporting it: who stalls
 * and sends would keep the loop turning. */
static void sweep_http(sv_conn *c, uint64_t now) {
  if (over(c->want_ms, now, c->net->o.write_stall_ms) ||
      (over(c->want_ms, now, NET_HTTP_STALL_INPUT_MS) && net_lws_input_waits(c->wsi)))
    hang_up(c, SV_NET_LATE_READER);
}

static void sweep_conn(sv_conn *c, uint64_t now) {
  const sv_net_opts *o = &c->net->o;
  switch (c->stage) {
  case NET_UPGRADE:
    if (over(c->stage_ms, now, o->upgrade_ms)) hang_up(c, SV_NET_LATE_UPGRADE);
    break;
  case NET_BODY:
    if (over(c->stage_ms, now, o->body_ms)) hang_up(c, SV_NET_LATE_BODY);
    break;
  case NET_ANSWER:
    if (over(c->stage_ms, now, o->reply_ms)) {
      net_add(c->net, SV_NET_LATE_REPLY, 1);
      net_http_refuse(c, 503, "no answer in time\n");
    }
    break;
  case NET_HTTP: sweep_http(c, now); break;
  case NET_OPEN: sweep_open(c, now); break;
  case NET_DRAIN:
  case NET_ABORT:
    if (over(c->want_ms, now, o->write_stall_ms)) hang_up(c, SV_NET_LATE_READER);
    else if (over(c->stage_ms, now, c->stage == NET_ABORT ? o->close_ms : o->write_stall_ms))
      hang_up(c, SV_NET_LATE_CLOSE);
    break;
  case NET_BYE:
    if (over(c->stage_ms, now, o->close_ms)) hang_up(c, SV_NET_LATE_CLOSE);
    break;
  }
}

void net_sweep(sv_net *net, uint64_t now) {
  bool cut = net->stopping && now - net->stop_ms > net->o.stop_ms;
  if (cut) net->stop_cut = true;
  for (uint32_t i = 0; i < net->slots_used; i++) {
    sv_conn *c = net->conn[i];
    if (!c || c->killed) continue;
    if (cut) net_conn_kill(c);
    else sweep_conn(c, now);
  }
}

void net_stop_begin(sv_net *net, uint64_t now) {
  net->stopping = true;
  net->stop_ms = now;
  net_lws_close_listeners(net);
  for (uint32_t i = 0; i < net->slots_used; i++) {
    sv_conn *c = net->conn[i];
    if (!c) continue;
    if (c->stage == NET_OPEN) sv_net_conn_close(c, 1001, "server is stopping");
    else if (c->stage == NET_UPGRADE || c->stage == NET_BODY) net_conn_kill(c);
    else if (c->stage == NET_ANSWER) net_http_refuse(c, 503, "server is stopping\n");
  }
  net_lws_sweep_soon(net);
}

/* -- public ------------------------------------------------------------------------------------ */

uint64_t sv_net_conn_id(const sv_conn *c) { return c->id; }

sv_conn *sv_net_conn_find(sv_net *net, uint64_t id) {
  uint32_t slot = (uint32_t)(id & ((1u << 18) - 1));
  sv_conn *c = slot < net->slots_used ? net->conn[slot] : NULL;
  return c && c->id == id && is_open(c) ? c : NULL;
}

void sv_net_conn_set_user(sv_conn *c, void *conn_user) { c->user = conn_user; }

void *sv_net_conn_user(const sv_conn *c) { return c->user; }

const char *sv_net_conn_peer(const sv_conn *c) { return c->peer; }

void sv_net_conn_want_write(sv_conn *c) {
  if (!is_open(c) || c->want_write) return;
  c->want_write = true;
  net_conn_want(c);
}

void sv_net_conn_close(sv_conn *c, uint16_t code, const char *reason) {
  if (c->stage == NET_OPEN) close_with(c, NET_DRAIN, code, reason);
}

void sv_net_conn_pause(sv_conn *c) {
  if (c->stage != NET_OPEN || c->paused) return;
  c->paused = true;
  net_lws_rx_flow(c->wsi, false);
}

void sv_net_conn_resume(sv_conn *c) {
  if (c->stage != NET_OPEN || !c->paused) return;
  c->paused = false;
  /* The time away was ours, not the peer's. */
  c->heard_ms = sv_net_now_ms();
  c->ping_ms = 0;
  if (c->message_ms) c->message_ms = c->heard_ms;
  net_lws_rx_flow(c->wsi, true);
}
