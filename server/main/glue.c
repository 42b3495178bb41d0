/* Connections and sessions: each case of the network is one call into the session layer, and back. */
#include <stdlib.h>

#include "daemon.h"

/* One frame in the making for all connections: the network writes it before it asks for the next. */
static ov_buf frame; /* service thread only; freed with the process */

static void link_want_write(void *ctx) { sv_net_conn_want_write(ctx); }
static void link_close(void *ctx, unsigned code, const char *reason) {
  sv_net_conn_close(ctx, (uint16_t)code, reason);
}
static void link_pause(void *ctx, bool paused) {
  if (paused) sv_net_conn_pause(ctx);
  else sv_net_conn_resume(ctx);
}

static void on_open(void *user, sv_conn *conn) {
  daemon_state *d = user;
  sv_link link = {.want_write = link_want_write, .close = link_close, .pause = link_pause, .ctx = conn};
  sv_session *ss = sv_session_open(d->server, &link, sv_net_conn_peer(conn));
  sv_net_conn_set_user(conn, ss);
  if (!ss) sv_net_conn_close(conn, 1001, "server stops");
}

static void on_message(void *user, sv_conn *conn, const uint8_t *bytes, size_t len) {
  (void)user;
  sv_session *ss = sv_net_conn_user(conn);
  if (ss) sv_session_message(ss, bytes, len);
}

static bool on_writable(void *user, sv_conn *conn, const uint8_t **bytes, size_t *len) {
  (void)user;
  sv_session *ss = sv_net_conn_user(conn);
  if (!ss) return false;
  if (!frame.max) ov_buf_init(&frame, OV_WS_MESSAGE_BYTES_MAX);
  ov_buf_reset(&frame);
  if (!sv_session_pull(ss, &frame)) return false;
  *bytes = frame.p;
  *len = frame.n;
  return true;
}

static void on_close(void *user, sv_conn *conn, uint16_t code) {
  (void)user;
  (void)code;
  sv_session *ss = sv_net_conn_user(conn);
  if (ss) sv_session_closed(ss);
}

static void on_wake(void *user) {
  daemon_state *d = user;
  sv_server_poll(d->server);
  host_run_calls(d);
}

static void on_timer(void *user) {
  daemon_state *d = user;
  sv_server_tick(d->server);
  summing_tick(d);
  sv_net_timer(d->net, 1000);
}

static void on_log(void *user, sv_net_level level, const char *line) {
  daemon_state *d = user;
  static const int levels[] = {
      [SV_NET_ERROR] = SV_LOG_ERROR, [SV_NET_WARN] = SV_LOG_WARN, [SV_NET_INFO] = SV_LOG_INFO};
  char text[600] = "text=\"";
  size_t n = 6;
  for (const char *c = line; *c && n + 2 < sizeof text; c++) text[n++] = *c == '"' ? '\'' : *c;
  text[n++] = '"';
  text[n] = 0;
  const sv_sys *sys = sv_sys_real(d->o.log_level);
  sys->log(sys->ctx, levels[level], "net", text);
}

void daemon_wake(void *ctx) {
  daemon_state *d = ctx;
  if (d->net) sv_net_wake(d->net);
}

sv_net_cbs glue_callbacks(daemon_state *d) {
  return (sv_net_cbs){.user = d,
                      .on_open = on_open,
                      .on_message = on_message,
                      .on_writable = on_writable,
                      .on_close = on_close,
                      .on_wake = on_wake,
                      .on_timer = on_timer,
                      .on_log = on_log};
}
