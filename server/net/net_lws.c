/* The event loop: libwebsockets' context, its callback switch (each case one call), and run, stop, wake,
 * timer.
 *
 * One vhost serves both listeners: with two, libwebsockets would move a connection to the other one by its
 * Host header. */
#include <libwebsockets.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_private.h"

struct net_sul {
  lws_sorted_usec_list_t sweep, timer;
  sv_net *net;
  bool sweeping;
};

/* -- libwebsockets calls us -------------------------------------------------------------------- */

static int accept_turn(net_listener *l) {
  sv_conn *c;
  int fd;
  for (unsigned n = 0; n < NET_ACCEPTS_PER_TURN && (fd = net_accept(l, &c)) >= 0; n++) {
    uint64_t id = c->id;
    sv_net *net = l->net;
    uint32_t slot = c->slot;
    lws_adopt_desc_t adopt = {
        .vh = net->vhost,
        .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP |
                (l->side == SV_NET_MAIN && net->tls ? LWS_ADOPT_ALLOW_SSL : 0),
        .fd = {.sockfd = fd},
        .opaque = c,
    };
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&adopt);
    /* On failure the socket is closed already, and c freed with it, unless it failed very early. */
    bool alive = net->conn[slot] && net->conn[slot]->id == id;
    if (wsi) c->wsi = wsi;
    else if (alive) net_conn_free(c);
  }
  if (l->paused_until_ms) lws_rx_flow_control(l->wsi, 0);
  return 0;
}

static int forget(struct lws *wsi, void *opaque) {
  net_listener *l = opaque;
  sv_conn *c = opaque;
  if (!opaque) return 0;
  if (l->kind == NET_KIND_LISTENER) {
    l->wsi = NULL;
    l->fd = -1;
  } else {
    if (c->wsi == wsi) c->wsi = NULL;
    net_conn_free(c);
  }
  return 0;
}

static int refuse_raw(sv_conn *c) {
  if (c) net_add(c->net, SV_NET_REFUSED_OTHER_UPGRADE, 1);
  return -1;
}

static int net_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  /* Not a connection: `user` is the SSL_CTX. */
  if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS)
    return net_tls_setup(lws_context_user(lws_get_context(wsi)), user);

  void *opaque = wsi ? lws_get_opaque_user_data(wsi) : NULL;
  sv_conn *c = opaque;
  if (c && c->kind == NET_KIND_CONN && !c->wsi) c->wsi = wsi; /* a callback from inside the adoption */
  switch (reason) {
  case LWS_CALLBACK_RAW_RX_FILE: return opaque ? accept_turn(opaque) : -1;
  case LWS_CALLBACK_WSI_DESTROY: return forget(wsi, opaque);

  /* Only CONNECT leads to raw mode; nothing here speaks it. */
  case LWS_CALLBACK_RAW_ADOPT: return refuse_raw(c);
  case LWS_CALLBACK_RAW_RX: return -1;
  case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY: return 1; /* permessage-deflate is an unbounded bomb */

  case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return c ? net_http_upgrade(c) : -1;
  case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return c && c->checked ? 0 : -1;
  case LWS_CALLBACK_HTTP: return c ? net_http_request(c) : -1;
  case LWS_CALLBACK_HTTP_BODY: return c ? net_http_body(c, in, len) : 0;
  case LWS_CALLBACK_HTTP_BODY_COMPLETION: return c ? net_http_body_end(c) : 0;
  case LWS_CALLBACK_HTTP_WRITEABLE: return c ? net_http_writable(c) : -1;

  case LWS_CALLBACK_ESTABLISHED: return c && c->checked ? net_ws_open(c) : -1;
  case LWS_CALLBACK_RECEIVE: return net_ws_receive(c, in, len);
  case LWS_CALLBACK_RECEIVE_PONG: net_ws_pong(c); return 0;
  case LWS_CALLBACK_SERVER_WRITEABLE: return net_ws_writable(c);
  case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: net_ws_peer_close(c, in, len); return 0;
  case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL: net_ws_drop(c); return 0;
  default: return 0;
  }
}

/* -- we call libwebsockets --------------------------------------------------------------------- */

void net_lws_want_write(struct lws *wsi) {
  if (wsi) lws_callback_on_writable(wsi);
}

void net_lws_kill(struct lws *wsi) { lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC); }

void net_lws_rx_flow(struct lws *wsi, bool on) {
  if (wsi) lws_rx_flow_control(wsi, on);
}

bool net_lws_input_waits(struct lws *wsi) {
  char byte;
  return wsi && recv(lws_get_socket_fd(wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

void net_lws_close_listeners(sv_net *net) {
  for (int i = 0; i < NET_LISTENERS; i++)
    if (net->listener[i].wsi)
      lws_set_timeout(net->listener[i].wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
}

static bool resume_listeners(sv_net *net, uint64_t now) {
  bool waiting = false;
  for (int i = 0; i < NET_LISTENERS; i++) {
    net_listener *l = &net->listener[i];
    if (!l->wsi || !l->paused_until_ms) continue;
    if (l->paused_until_ms > now) {
      waiting = true;
    } else {
      if (net->spare_fd < 0) net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
      l->paused_until_ms = 0;
      lws_rx_flow_control(l->wsi, 1);
    }
  }
  return waiting;
}

static void on_sweep(lws_sorted_usec_list_t *sul) {
  struct net_sul *s = lws_container_of(sul, struct net_sul, sweep);
  sv_net *net = s->net;
  uint64_t now = sv_net_now_ms();
  s->sweeping = false;
  net_sweep(net, now);
  bool waiting = resume_listeners(net, now);
  if (waiting || net->stopping || sv_net_count(net, SV_NET_SOCKETS)) net_lws_sweep_soon(net);
}

void net_lws_sweep_soon(sv_net *net) {
  struct net_sul *s = net->sul;
  if (s->sweeping) return; /* an idle server wakes for nothing */
  s->sweeping = true;
  lws_sul_schedule(net->lws, 0, &s->sweep, on_sweep, (lws_usec_t)net->sweep_ms * LWS_US_PER_MS);
}

static void on_timer(lws_sorted_usec_list_t *sul) {
  sv_net *net = lws_container_of(sul, struct net_sul, timer)->net;
  if (net->cb.on_timer) net->cb.on_timer(net->cb.user);
}

void sv_net_timer(sv_net *net, uint64_t after_ms) {
  struct net_sul *s = net->sul;
  lws_usec_t us = after_ms > UINT32_MAX ? (lws_usec_t)UINT32_MAX * LWS_US_PER_MS
                                        : (lws_usec_t)(after_ms ? after_ms : 1) * LWS_US_PER_MS;
  lws_sul_schedule(net->lws, 0, &s->timer, on_timer, us);
}

/* -- create and destroy ------------------------------------------------------------------------ */

/* The names of the first cannot be written as a subprotocol token, so no client can ask for it. The user
 * bytes are there only because libwebsockets announces the end of a protocol to those that have some. */
static void fill_protocols(const sv_net *net, struct lws_protocols p[3]) {
  memset(p, 0, 3 * sizeof *p);
  p[0] = (struct lws_protocols){.name = "(http)",
                                .callback = net_callback,
                                .rx_buffer_size = NET_RX_PIECE_BYTES,
                                .tx_packet_size = NET_HTTP_CHUNK_BYTES + NET_HEADER_BYTES_MAX};
  p[1] = (struct lws_protocols){.name = SV_NET_SUBPROTOCOL,
                                .callback = net_callback,
                                .per_session_data_size = sizeof(void *),
                                .rx_buffer_size = NET_RX_PIECE_BYTES,
                                .tx_packet_size = net->o.message_bytes_max + LWS_PRE};
}

/* PROTO-1, PROTO-4 */
static int make_lws(sv_net *net) {
  /* All deadlines are our own, in one place and in milliseconds; those of libwebsockets lie behind them. */
  static const lws_retry_bo_t no_validity_check = {0};
  unsigned behind_s = net->o.upgrade_ms / 1000u + net->o.body_ms / 1000u + net->o.close_ms / 1000u + 10u;
  struct lws_protocols protocols[3];
  fill_protocols(net, protocols);
  struct lws_context_creation_info info = {
      .port = CONTEXT_PORT_NO_LISTEN_SERVER,
      .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
                 LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS |
                 (net->o.cert_file ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
      .gid = -1,
      .uid = -1,
      .user = net,
      .protocols = protocols,
      .vhost_name = "net",
      .alpn = "http/1.1",
      .max_http_header_data2 = NET_HEADER_BYTES_MAX,
      .timeout_secs = behind_s,
      .timeout_secs_ah_idle = behind_s,
      .retry_and_idle_policy = &no_validity_check,
      .ssl_cert_filepath = net->o.cert_file,
      .ssl_private_key_filepath = net->o.key_file,
  };
  net->lws = lws_create_context(&info);
  if (!net->lws) return OV_E_NOMEM;
  net->vhost = lws_create_vhost(net->lws, &info);
  if (!net->vhost) return net->o.cert_file ? OV_E_CRYPTO : OV_E_NOMEM;
  if (net->tls) net_tls_finish(net);
  return 0;
}

static int start_listener(sv_net *net, int i, sv_net_side side, const char *address, uint16_t port) {
  net_listener *l = &net->listener[i];
  l->side = side;
  int err = net_listen(l, address, port);
  if (err) return err;
  lws_adopt_desc_t adopt = {
      .vh = net->vhost, .type = LWS_ADOPT_RAW_FILE_DESC, .fd = {.filefd = l->fd}, .opaque = l};
  l->wsi = lws_adopt_descriptor_vhost_via_info(&adopt);
  return l->wsi ? 0 : OV_E_NOMEM;
}

static unsigned least_deadline(const sv_net_opts *o) {
  const unsigned all[] = {o->upgrade_ms, o->body_ms, o->reply_ms,       o->first_message_ms, o->message_ms,
                          o->ping_ms,    o->pong_ms, o->write_stall_ms, o->close_ms,         o->stop_ms};
  unsigned least = all[0];
  for (size_t i = 1; i < sizeof all / sizeof *all; i++)
    if (all[i] < least) least = all[i];
  return least;
}

static int create(sv_net *net, const sv_net_opts *opts) {
  int err = net_opts_take(net, opts);
  if (err) return err;
  net_fit_fds(net);
  net->tx_room = LWS_PRE;
  size_t tx_bytes = net->o.message_bytes_max > NET_HTTP_CHUNK_BYTES ? net->o.message_bytes_max
                                                                    : NET_HTTP_CHUNK_BYTES;
  net->tx = malloc(net->tx_room + tx_bytes);
  struct net_sul *sul = calloc(1, sizeof *sul);
  net->sul = sul;
  if (!net->tx || !sul) return OV_E_NOMEM;
  sul->net = net;
  unsigned eighth = least_deadline(&net->o) / 8;
  net->sweep_ms = eighth < 10 ? 10 : eighth > 1000 ? 1000 : eighth;
  net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

  if ((err = net_conns_init(net))) return err;
  if (net->o.cert_file && !net_tls_check_files(net)) return OV_E_CRYPTO;
  lws_set_log_level(LLL_ERR | LLL_WARN, net_log_from_lws);
  if ((err = make_lws(net))) return err;
  if ((err = start_listener(net, 0, SV_NET_MAIN, net->o.address, net->o.port))) return err;
  if (net->o.local_on) err = start_listener(net, 1, SV_NET_LOCAL, net->o.local_address, net->o.local_port);
  return err;
}

int sv_net_create(sv_net **out, const sv_net_opts *opts, const sv_net_cbs *cbs) {
  *out = NULL;
  if (!cbs->on_open || !cbs->on_message || !cbs->on_writable || !cbs->on_close) return OV_E_INVALID;
  sv_net *net = calloc(1, sizeof *net);
  if (!net) return OV_E_NOMEM;
  net->cb = *cbs;
  net->spare_fd = -1;
  for (int i = 0; i < NET_LISTENERS; i++)
    net->listener[i] = (net_listener){.kind = NET_KIND_LISTENER, .net = net, .fd = -1};
  sv_net *former = net_log_here(net);
  int err = create(net, opts);
  net_log_here(former);
  if (err) {
    sv_net_destroy(net);
    return err;
  }
  *out = net;
  return 0;
}

void sv_net_destroy(sv_net *net) {
  if (!net) return;
  sv_net *former = net_log_here(net);
  struct net_sul *sul = net->sul;
  net->stopping = true;
  if (net->lws) {
    lws_sul_schedule(net->lws, 0, &sul->sweep, NULL, LWS_SET_TIMER_USEC_CANCEL);
    lws_sul_schedule(net->lws, 0, &sul->timer, NULL, LWS_SET_TIMER_USEC_CANCEL);
    sul->sweeping = true; /* nothing may be scheduled any more */
    lws_context_destroy(net->lws);
  }
  for (int i = 0; i < NET_LISTENERS; i++)
    if (net->listener[i].fd >= 0) close(net->listener[i].fd); /* never adopted */
  net_conns_free(net);
  if (net->spare_fd >= 0) close(net->spare_fd);
  free(net->tx);
  free(sul);
  net_opts_free(&net->o);
  net_log_here(former == net ? NULL : former);
  free(net);
}

uint16_t sv_net_port(const sv_net *net) { return net->listener[0].port; }

uint16_t sv_net_local_port(const sv_net *net) { return net->listener[1].port; }

/* -- run --------------------------------------------------------------------------------------- */

void sv_net_stop(sv_net *net) {
  atomic_store(&net->stop, true);
  lws_cancel_service(net->lws); /* one write to an eventfd */
}

void sv_net_wake(sv_net *net) {
  atomic_store(&net->wake, true);
  lws_cancel_service(net->lws);
}

int sv_net_run(sv_net *net) {
  sv_net *former = net_log_here(net);
  int err = 0;
  for (;;) {
    if (lws_service(net->lws, 0) < 0) {
      err = OV_E_INTERNAL;
      break;
    }
    if (atomic_exchange(&net->wake, false) && net->cb.on_wake) net->cb.on_wake(net->cb.user);
    if (atomic_load(&net->stop) && !net->stopping) net_stop_begin(net, sv_net_now_ms());
    if (net->stopping && !sv_net_count(net, SV_NET_SOCKETS)) break;
  }
  net_log_here(former);
  return err;
}
