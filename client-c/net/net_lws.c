/* The connection on libwebsockets: a callback switch in which each case is one call, and the loop around it.
 * The only file of the client that includes libwebsockets.h. */
#include <libwebsockets.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net_private.h"
#include "ov/limits.h"

/* Pieces in which libwebsockets hands over what it reads. */
#define RX_PIECE_BYTES 16384
/* Few files are watched here, however many the app around us has open. */
#define FDS_MAX 8

typedef enum stage { CONNECTING, OPEN, CLOSING, ENDED } stage;
typedef struct run {
  const oc_net_options *o;
  const oc_net_calls *calls;
  oc_net_end *end;
  struct lws_context *lws;
  struct lws *wsi;
  lws_sorted_usec_list_t sul;
  stage stage;
  lws_usec_t since, heard, pinged;
  bool ping_due;
  uint16_t close_with;
  uint8_t *rx;
  size_t rx_n;
  uint8_t tx[LWS_PRE + OV_WS_MESSAGE_BYTES_MAX];
} run;

/* -- ending ---------------------------------------------------------------------------------------------- */

static void finish(run *r, int err, const char *text) {
  if (r->stage == ENDED) return;
  if (!r->end->err && r->stage != CLOSING) r->end->err = err;
  if (text && !r->end->text[0]) snprintf(r->end->text, sizeof r->end->text, "%s", text);
  r->stage = ENDED;
  lws_cancel_service(r->lws);
}

/* Says goodbye with a code at the next chance to write; the loop then waits a little for the answer. */
static void close_soon(run *r, uint16_t code, int err, const char *text) {
  if (r->stage != OPEN) {
    finish(r, err, text);
    return;
  }
  r->end->err = err;
  if (text) snprintf(r->end->text, sizeof r->end->text, "%s", text);
  r->close_with = code;
  r->stage = CLOSING;
  r->since = lws_now_usecs();
  lws_callback_on_writable(r->wsi);
}

static void arm(run *r);

/* -- time ------------------------------------------------------------------------------------------------ */

static lws_usec_t ms(uint32_t given, uint32_t standard) {
  return (lws_usec_t)(given ? given : standard) * LWS_US_PER_MS;
}

static void on_time(lws_sorted_usec_list_t *sul) {
  run *r = lws_container_of(sul, run, sul);
  lws_usec_t now = lws_now_usecs(), idle = ms(r->o->idle_ms, OC_NET_IDLE_MS), ping = ms(0, OC_NET_PING_MS);
  if (r->stage == CONNECTING && now - r->since >= ms(r->o->connect_ms, OC_NET_CONNECT_MS)) {
    finish(r, OV_E_TIMEOUT, "the server does not answer");
  } else if (r->stage == OPEN && now - r->heard >= idle) {
    close_soon(r, LWS_CLOSE_STATUS_GOINGAWAY, OV_E_TIMEOUT, "the server has fallen silent");
  } else if (r->stage == CLOSING && now - r->since >= ms(0, OC_NET_CLOSE_MS)) {
    finish(r, r->end->err, NULL);
  } else if (r->stage == OPEN && now - r->heard >= ping && now - r->pinged >= ping) {
    r->ping_due = true;
    r->pinged = now;
    lws_callback_on_writable(r->wsi);
  }
  arm(r);
}

/* One timer for all deadlines, set to the next of them. */
static void arm(run *r) {
  lws_usec_t now = lws_now_usecs(), at;
  if (r->stage == ENDED) return;
  if (r->stage == CONNECTING) {
    at = r->since + ms(r->o->connect_ms, OC_NET_CONNECT_MS);
  } else if (r->stage == CLOSING) {
    at = r->since + ms(0, OC_NET_CLOSE_MS);
  } else {
    lws_usec_t last = r->pinged > r->heard ? r->pinged : r->heard,
               idle = r->heard + ms(r->o->idle_ms, OC_NET_IDLE_MS);
    at = last + ms(0, OC_NET_PING_MS) < idle ? last + ms(0, OC_NET_PING_MS) : idle;
  }
  lws_sul_schedule(r->lws, 0, &r->sul, on_time, at > now ? at - now : 1);
}

static void heard(run *r) { r->heard = lws_now_usecs(); }

/* -- in -------------------------------------------------------------------------------------------------- */

static int on_open(run *r, struct lws *wsi) {
  r->wsi = wsi;
  r->stage = OPEN;
  r->end->opened = true;
  heard(r);
  r->calls->on_open(r->calls->ctx);
  lws_callback_on_writable(wsi);
  arm(r);
  return 0;
}

static void deliver(run *r) {
  size_t n = r->rx_n;
  r->rx_n = 0;
  if (!r->calls->on_message(r->calls->ctx, r->rx, n)) {
    close_soon(r, LWS_CLOSE_STATUS_NORMAL, 0, NULL);
    return;
  }
  lws_callback_on_writable(r->wsi);
}

static int on_piece(run *r, struct lws *wsi, const void *in, size_t n) {
  heard(r);
  if (r->stage != OPEN) return 0;
  if (!lws_frame_is_binary(wsi)) {
    close_soon(r, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, OV_E_FORMAT,
               "the server sends text, which is not overdracht");
    return 0;
  }
  size_t ahead = lws_remaining_packet_payload(wsi);
  if (n > OV_WS_MESSAGE_BYTES_MAX - r->rx_n || ahead > OV_WS_MESSAGE_BYTES_MAX - r->rx_n - n) {
    close_soon(r, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, OV_E_LIMIT,
               "the server sends a message over the limit");
    return 0;
  }
  if (n) memcpy(r->rx + r->rx_n, in, n);
  r->rx_n += n;
  if (!ahead && lws_is_final_fragment(wsi)) deliver(r);
  return 0;
}

static void on_peer_close(run *r, const uint8_t *in, size_t n) {
  if (n >= 2) r->end->close_code = (uint16_t)(in[0] << 8 | in[1]);
  else r->end->close_code = 1005;
  if (r->stage != OPEN) return;
  snprintf(r->end->text, sizeof r->end->text, "the server closed the connection (%u%s%.*s)",
           r->end->close_code, n > 2 ? ": " : "", n > 2 ? (int)(n - 2 < 120 ? n - 2 : 120) : 0,
           n > 2 ? (const char *)in + 2 : "");
  r->end->err = OV_E_NET;
}

/* -- out ------------------------------------------------------------------------------------------------- */

static int say_goodbye(run *r, struct lws *wsi) {
  lws_close_reason(wsi, (enum lws_close_status)r->close_with, NULL, 0);
  arm(r);
  return -1; /* libwebsockets sends it and waits for the answer */
}

static int send_ping(run *r, struct lws *wsi) {
  r->ping_due = false;
  r->tx[LWS_PRE] = '?'; /* libwebsockets hides a pong without payload */
  if (lws_write(wsi, r->tx + LWS_PRE, 1, LWS_WRITE_PING) < 0) return -1;
  lws_callback_on_writable(wsi);
  arm(r);
  return 0;
}

/* One write a turn. */
static int on_writable(run *r, struct lws *wsi) {
  size_t n = 0;
  if (r->stage == CLOSING && r->close_with) return say_goodbye(r, wsi);
  if (r->stage != OPEN) return 0;
  if (r->ping_due) return send_ping(r, wsi);
  const uint8_t *p = r->calls->next_output(r->calls->ctx, &n);
  if (p && n > OV_WS_MESSAGE_BYTES_MAX) {
    close_soon(r, LWS_CLOSE_STATUS_NORMAL, OV_E_LIMIT, "a message is over the limit");
  } else if (p) {
    memcpy(r->tx + LWS_PRE, p, n);
    if (lws_write(wsi, r->tx + LWS_PRE, n, LWS_WRITE_BINARY) < 0) return -1;
    lws_callback_on_writable(wsi);
  } else if (r->calls->done(r->calls->ctx)) {
    close_soon(r, LWS_CLOSE_STATUS_NORMAL, 0, NULL);
  }
  return 0;
}

/* -- libwebsockets calls us ------------------------------------------------------------------------------ */

static int on_no_connection(run *r, struct lws *wsi, const char *why, size_t n) {
  char text[200];
  r->end->http_status = wsi ? lws_http_client_http_response(wsi) : 0;
  if (r->end->http_status == 200 || r->end->http_status == 101)
    r->end->http_status = 0; /* what it says before there is an answer, too */
  if (r->end->http_status)
    snprintf(text, sizeof text, "the server answers with HTTP status %u, not as an overdracht server",
             r->end->http_status);
  else
    snprintf(text, sizeof text, "no connection to %.100s%s%.*s", r->o->url->host, why ? ": " : "",
             why ? (int)(n < 80 ? n : 80) : 0, why ? why : "");
  r->wsi = NULL;
  finish(r, OV_E_NET, text);
  return 0;
}

static int on_closed(run *r) {
  r->wsi = NULL;
  finish(r, OV_E_NET, "the connection broke");
  return 0;
}

static int on_wake(run *r) {
  close_soon(r, LWS_CLOSE_STATUS_GOINGAWAY, OV_E_CANCELLED, "cancelled");
  return -1; /* said once; the descriptor is not watched any longer */
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  run *r = wsi ? lws_context_user(lws_get_context(wsi)) : NULL;
  if (!r) return 0;
  switch (reason) {
  case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS: return oc_net_tls_setup(user, r->o, r->end);
  case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
    return oc_net_tls_verify(user, len != 0, r->o, r->end);
  case LWS_CALLBACK_CLIENT_HTTP_REDIRECT: return 1; /* a device is enrolled at one server */
  case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: return on_no_connection(r, wsi, in, len);
  case LWS_CALLBACK_CLIENT_ESTABLISHED: return on_open(r, wsi);
  case LWS_CALLBACK_CLIENT_RECEIVE: return on_piece(r, wsi, in, len);
  case LWS_CALLBACK_CLIENT_RECEIVE_PONG: heard(r); return 0;
  case LWS_CALLBACK_CLIENT_WRITEABLE: return on_writable(r, wsi);
  case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: on_peer_close(r, in, len); return 0;
  case LWS_CALLBACK_CLIENT_CLOSED: return on_closed(r);
  case LWS_CALLBACK_RAW_RX_FILE: return on_wake(r);
  default: return 0;
  }
}

/* -- we call libwebsockets ------------------------------------------------------------------------------- */

static const struct lws_protocols protocols[] = {
    {.name = "overdracht.1", .callback = callback, .rx_buffer_size = RX_PIECE_BYTES},
    {.name = NULL},
};

static struct lws_context *make_context(run *r) {
  struct lws_context_creation_info info;
  memset(&info, 0, sizeof info);
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols;
  info.gid = -1;
  info.uid = -1;
  info.user = r;
  info.fd_limit_per_thread = FDS_MAX;
  info.options = r->o->url->tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0;
  info.alpn = "http/1.1";
  if (r->o->url->loopback)
    info.http_proxy_address = ""; /* else $http_proxy would carry what is for this machine away from it */
  lws_set_log_level(0, NULL);
  return lws_create_context(&info);
}

/* A copy: libwebsockets closes what it watches. */
static bool watch(run *r, struct lws_vhost *vhost) {
  if (r->o->wake_fd < 0) return true;
  lws_sock_file_fd_type fd = {.filefd = dup(r->o->wake_fd)};
  return fd.filefd >= 0 &&
         lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, fd, protocols[0].name, NULL);
}

static void start(run *r) {
  const oc_net_url *u = r->o->url;
  struct lws_vhost *vhost = lws_get_vhost_by_name(r->lws, "default");
  char host[140];
  bool usual = u->port == (u->tls ? 443 : 80);
  snprintf(host, sizeof host, usual ? "%s" : strchr(u->host, ':') ? "[%s]:%u" : "%s:%u", u->host, u->port);
  struct lws_client_connect_info c;
  memset(&c, 0, sizeof c);
  c.context = r->lws;
  c.vhost = vhost;
  c.address = u->host;
  c.port = u->port;
  c.path = u->path;
  c.host = host;
  c.protocol = protocols[0].name;
  c.local_protocol_name = protocols[0].name;
  c.alpn = "http/1.1";
  c.ssl_connection = u->tls ? LCCSCF_USE_SSL : 0;
  c.ietf_version_or_minus_one = -1;
  c.pwsi = &r->wsi;
  r->since = lws_now_usecs();
  if (!watch(r, vhost)) finish(r, OV_E_NOMEM, "too many open files");
  else if (!lws_client_connect_via_info(&c))
    finish(r, OV_E_NET, "no connection"); /* its callback has often said more already */
  arm(r);
}

int oc_net_run(const oc_net_options *o, const oc_net_calls *calls, oc_net_end *end) {
  *end = (oc_net_end){0};
  run *r = calloc(1, sizeof *r);
  if (r) r->rx = malloc(OV_WS_MESSAGE_BYTES_MAX);
  if (r && r->rx) {
    r->o = o;
    r->calls = calls;
    r->end = end;
    r->lws = make_context(r);
    if (r->lws && !end->err) start(r);
    else if (!end->err) end->err = OV_E_NOMEM;
    while (r->lws && r->stage != ENDED && (r->stage != CONNECTING || !end->err)) {
      if (lws_service(r->lws, 0) < 0) finish(r, OV_E_NET, "the connection broke");
    }
    r->stage = ENDED;
    if (r->lws) {
      lws_sul_schedule(r->lws, 0, &r->sul, NULL, LWS_SET_TIMER_USEC_CANCEL);
      lws_context_destroy(r->lws);
    }
  } else {
    end->err = OV_E_NOMEM;
  }
  if (r) free(r->rx);
  free(r);
  return end->err;
}
