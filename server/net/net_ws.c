/* WebSocket: messages are put together within their caps, output is pulled one message a turn, closes carry a
 * code. */
#include <libwebsockets.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net_private.h"

int net_ws_open(sv_conn *c) {
  sv_net *net = c->net;
  net_conn_stage(c, NET_OPEN);
  c->heard_ms = c->stage_ms;
  net_add(net, SV_NET_UPGRADED, 1);
  net_add(net, SV_NET_OPEN, 1);
  net->cb.on_open(net->cb.user, c);
  return 0;
}

/* -- in ---------------------------------------------------------------------------------------- */

static void heard(sv_conn *c) {
  c->heard_ms = sv_net_now_ms();
  c->ping_ms = 0;
  c->ping_due = false;
}

static void deliver(sv_conn *c, const uint8_t *bytes, size_t len) {
  sv_net *net = c->net;
  c->first_message = true;
  net_add(net, SV_NET_MESSAGES_IN, 1);
  net_add(net, SV_NET_BYTES_IN, len);
  net->cb.on_message(net->cb.user, c, bytes, len);
}

/* One piece of a frame. `ahead` is what the frame's header declared and has not come yet. */
static uint16_t rx_piece(sv_conn *c, const uint8_t *in, size_t len, size_t ahead, bool final) {
  size_t max = c->net->o.message_bytes_max;
  if (c->rx_len > max || len > max - c->rx_len || ahead > max - c->rx_len - len) return 1009;
  if (!ahead && !final && ++c->rx_fragments >= c->net->o.fragments_max) return 1008;
  if (!c->message_ms) c->message_ms = sv_net_now_ms();
  uint16_t code = net_conn_rx_grow(c, len, max);
  if (code || !len) return code;
  memcpy(c->rx + c->rx_len, in, len);
  c->rx_len += len;
  return 0;
}

static const char *rx_fault(uint16_t code) {
  switch (code) {
  case 1008: return "too many fragments";
  case 1009: return "message too big";
  default: return "out of memory";
  }
}

/* PROTO-3 */
int net_ws_receive(sv_conn *c, const uint8_t *in, size_t len) {
  if (!c || c->stage != NET_OPEN) return 0; /* closing: what still comes is not for us */
  heard(c);
  if (!lws_frame_is_binary(c->wsi)) {
    net_conn_abort(c, 1003, "binary messages only");
    return 0;
  }
  bool final = lws_is_final_fragment(c->wsi) != 0; /* of the whole message, and all of it is here */
  if (final && !c->rx_len && len <= c->net->o.message_bytes_max) {
    net_conn_drop_rx(c); /* empty fragments may have come before */
    deliver(c, in, len);
    return 0;
  }
  uint16_t code = rx_piece(c, in, len, lws_remaining_packet_payload(c->wsi), final);
  if (code) {
    net_conn_abort(c, code, rx_fault(code));
  } else if (final) {
    uint8_t *message = c->rx; /* a close from inside on_message must not free it under its reader */
    size_t n = c->rx_len;
    c->rx = NULL;
    net_conn_drop_rx(c);
    deliver(c, message, n);
    free(message);
  }
  return 0;
}

void net_ws_pong(sv_conn *c) {
  if (c && c->stage == NET_OPEN) heard(c);
}

/* -- out --------------------------------------------------------------------------------------- */

static void again(sv_conn *c) {
  c->want_ms = sv_net_now_ms();
  lws_callback_on_writable(c->wsi);
}

static int send_ping(sv_conn *c) {
  c->ping_due = false;
  uint8_t *at = c->net->tx + c->net->tx_room;
  *at = '?'; /* the pong repeats it: libwebsockets hides an empty pong from us */
  if (lws_write(c->wsi, at, 1, LWS_WRITE_PING) < 0) return -1;
  if (c->want_write) again(c);
  return 0;
}

static int send_message(sv_conn *c, const uint8_t *bytes, size_t len) {
  sv_net *net = c->net;
  if (len > net->o.message_bytes_max) {
    net_log(net, SV_NET_ERROR, "net: a message of %zu bytes is over the cap and was not sent", len);
    net_conn_abort(c, 1011, "internal error");
    return 0;
  }
  /* The copy gives libwebsockets the room in front that it writes its header into, without anybody above
   * knowing. */
  uint8_t *at = net->tx + net->tx_room;
  if (len) memcpy(at, bytes, len);
  if (lws_write(c->wsi, at, len, LWS_WRITE_BINARY) < 0) return -1;
  net_add(net, SV_NET_MESSAGES_OUT, 1);
  net_add(net, SV_NET_BYTES_OUT, len);
  c->want_write = true; /* there may be more: ask until it says no */
  again(c);
  return 0;
}

static int send_close(sv_conn *c) {
  lws_close_reason(c->wsi, (enum lws_close_status)c->close_code, (unsigned char *)c->close_reason,
                   c->close_reason_bytes);
  net_count_close(c->net, c->close_code);
  net_conn_bye(c, c->close_code);
  return -1; /* libwebsockets sends it and waits for the answer */
}

/* One write a turn: a second one would be queued in memory however little the peer reads. */
int net_ws_writable(sv_conn *c) {
  if (!c || c->stage == NET_BYE) return 0;
  sv_net *net = c->net;
  c->want_ms = 0;
  if (c->stage == NET_ABORT) return send_close(c);
  if (c->ping_due) return send_ping(c);
  c->want_write = false;
  const uint8_t *bytes = NULL;
  size_t len = 0;
  if (net->cb.on_writable(net->cb.user, c, &bytes, &len)) return send_message(c, bytes, len);
  if (c->stage == NET_DRAIN) return send_close(c);
  return 0;
}

/* -- end --------------------------------------------------------------------------------------- */

void net_ws_peer_close(sv_conn *c, const uint8_t *in, size_t len) {
  if (!c || c->stage == NET_BYE) return;
  net_add(c->net, SV_NET_CLOSED_BY_PEER, 1);
  net_conn_bye(c, len >= 2 ? (uint16_t)(in[0] << 8 | in[1]) : 1005);
}

static bool peer_still_there(sv_conn *c) {
  SSL *ssl = lws_get_ssl(c->wsi);
  if (ssl && net_tls_peer_closed(ssl)) return false;
  char byte;
  ssize_t n = recv(lws_get_socket_fd(c->wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

/* libwebsockets takes the connection down by itself: the peer is gone, or broke the framing rules. For some
 * of those it has a close code ready (reserved bits, opcodes, fragmented control frames), for others it would
 * just hang up (a control frame over 125 bytes, bit 63 of a length): the peer learns why from us. */
void net_ws_drop(sv_conn *c) {
  if (!c || c->stage == NET_BYE) return;
  if (c->killed || !peer_still_there(c)) {
    net_conn_bye(c, 1006);
    return;
  }
  if (lws_get_close_length(c->wsi) < 2)
    lws_close_reason(c->wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, (unsigned char *)"bad frame", 9);
  const uint8_t *p = lws_get_close_payload(c->wsi);
  uint16_t code = (uint16_t)(p[0] << 8 | p[1]);
  net_count_close(c->net, code);
  net_conn_bye(c, code);
}
