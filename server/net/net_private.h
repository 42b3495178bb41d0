/* What the files of sv_net share. Only net_lws.c, net_ws.c, net_upgrade.c, net_http.c and net_reply.c include
 * libwebsockets.h (its types are opaque here), only net_tls.c OpenSSL's headers. */
#ifndef SV_NET_PRIVATE_H
#define SV_NET_PRIVATE_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "ov/error.h"
#include "sv_net.h"

struct lws;
struct lws_context;
struct lws_vhost;
struct ssl_ctx_st;
struct ssl_st;

/* Reading in pieces of this size costs each idle websocket a buffer of it; 64 KiB then take 32 reads. */
#define NET_RX_PIECE_BYTES 2048u
/* Request line and headers of a browser are about 1 KiB; a cookie or URI of 5 KB is an attack. */
#define NET_HEADER_BYTES_MAX 4096u
/* First allocation for a message that comes in pieces; it doubles with what has really arrived, never with
 * what was only declared. */
#define NET_RX_FIRST_BYTES 4096u
#define NET_HTTP_CHUNK_BYTES 16384u
#define NET_HTTP_HEAD_BYTES_MAX 4096u /* of a reply: what a handler may add to our own headers is short */
#define NET_HTTP_EXCESS_MAX 16u       /* turns of the loop; each lets the peer add a read of at most 4 KiB */
#define NET_HTTP_STALL_INPUT_MS 1000u /* a reader that does not read but sends: see net_conn.c */
#define NET_HTTP_LINE_MAX 256u        /* Host, Origin and other headers whose values are short by nature */
#define NET_ACCEPTS_PER_TURN 64u /* so that a flood of connects cannot starve the connections that stand */
#define NET_BACKLOG 512
#define NET_PAUSE_ACCEPT_MS 100u /* not even our spare descriptor is left: callers wait in the backlog */
#define NET_LISTENERS 2
#define NET_CLOSE_CODES 49u

/* What a libwebsockets connection's opaque pointer leads to. */
typedef enum net_kind { NET_KIND_LISTENER = 1, NET_KIND_CONN } net_kind;

typedef struct net_listener {
  net_kind kind; /* first */
  sv_net *net;
  struct lws *wsi;
  int fd;
  uint16_t port;
  sv_net_side side;
  uint64_t paused_until_ms; /* 0: accepting */
} net_listener;

/* clang-format off
 *          accept          upgrade         close asked         output pulled      socket closed
 *   (none) ──────> UPGRADE ───────> OPEN ───────────────> DRAIN ─────────────> BYE ───────> (none)
 *                     │              ├─ protocol error ──> ABORT ────────────> │
 *                     │              └─ peer closes, or breaks ──────────────> │
 *                     ├─ POST ─> BODY ─ whole ─┬─ later ─> ANSWER ─┐           │
 *                     └─ GET ──────────────────┴───────────────────┴─> HTTP ─> │
 * clang-format on
 * on_close is called on the way into BYE. Each stage has its own deadline (net_conn.c). */
typedef enum net_stage {
  NET_UPGRADE = 0,
  NET_BODY,   /* the body of a POST is coming */
  NET_ANSWER, /* the handler answers later */
  NET_HTTP,   /* a reply is being written */
  NET_OPEN,
  NET_DRAIN,
  NET_ABORT,
  NET_BYE
} net_stage;

/* One HTTP request and its reply; owned by its connection from the headers on. */
typedef struct net_http {
  sv_net_request request; /* its texts lie in `text`, its body in the connection's rx */
  const sv_net_route *route;
  size_t body_expected;
  sv_net_reply reply;
  sv_net_policy policy;
  const uint8_t *fixed; /* a borrowed body, of a route or static text; else reply.body or reply.pull */
  uint64_t from, to;    /* what of the body is sent: [from, to) */
  uint64_t whole;       /* bytes of the whole body, for Content-Range */
  bool has_reply, head_sent, not_satisfiable;
  const char *allow; /* with 405 */
  unsigned excess;   /* times that input was found behind the body */
  size_t text_n;
  char text[]; /* NET_HEADER_BYTES_MAX and some more for the ends */
} net_http;

struct sv_conn {
  net_kind kind; /* first */
  net_stage stage;
  sv_net *net;
  struct lws *wsi; /* NULL until adopted */
  void *user;
  uint64_t id;
  uint32_t slot;
  sv_net_side side;
  uint8_t addr_key[16];
  char peer[SV_NET_PEER_CHARS];

  uint64_t stage_ms;   /* since when this stage */
  uint64_t heard_ms;   /* last piece of a message, or PONG */
  uint64_t ping_ms;    /* ping sent and unanswered since; 0: none */
  uint64_t want_ms;    /* output wanted and nothing written since; 0: none wanted */
  uint64_t message_ms; /* first piece of the message that is coming in; 0: none */

  bool checked;       /* our own checks passed its upgrade */
  bool first_message; /* came */
  bool want_write;
  bool ping_due;
  bool paused;
  bool killed;

  uint8_t *rx; /* owned; the message so far, NULL between messages */
  size_t rx_len, rx_cap;
  unsigned rx_fragments;

  uint16_t close_code;
  uint8_t close_reason_bytes;
  char *close_reason; /* owned */

  net_http *http; /* owned; NULL for a websocket */
};

/* Open-addressing table of addresses with a count of sockets each. */
typedef struct net_addr_table {
  struct {
    uint8_t key[16];
    unsigned count;
  } * cell;
  size_t cells; /* power of two, at least twice connections_max, so probing always ends */
} net_addr_table;

typedef struct net_log_bucket {
  uint64_t tokens_milli, last_ms, left_out;
} net_log_bucket;

struct sv_net {
  sv_net_opts o; /* strings and lists owned */
  sv_net_cbs cb;
  struct lws_context *lws;
  struct lws_vhost *vhost;
  struct ssl_ctx_st *tls; /* the vhost's; NULL on a plain listener */
  net_listener listener[NET_LISTENERS];
  int spare_fd;   /* given up for a moment to accept and refuse when no other descriptor is left */
  int fd_ceiling; /* sockets numbered from here are refused */

  sv_conn **conn;      /* connections_max slots */
  uint32_t *free_slot; /* stack of free ones */
  uint32_t free_slots;
  uint32_t slots_used; /* no slot from here on was ever used */
  uint64_t ids;
  net_addr_table addr;

  uint8_t *tx; /* scratch with the room in front that lws_write wants; service thread */
  size_t tx_room;
  size_t rx_bytes_total;
  unsigned sweep_ms;
  void *sul; /* struct net_sul of net_lws.c */

  atomic_bool stop, wake;
  bool stopping, stop_cut;
  uint64_t stop_ms;

  net_log_bucket log;
  uint64_t count[SV_NET_COUNTERS]; /* relaxed atomics through net_add */
  uint64_t close_count[NET_CLOSE_CODES];
};

/* net_log.c */
void net_log(sv_net *net, sv_net_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Lines that libwebsockets emits on this thread go to net (NULL: nowhere). Returns the former one. */
sv_net *net_log_here(sv_net *net);
void net_log_from_lws(int level, const char *line);

/* net_count.c */
void net_add(sv_net *net, sv_net_counter which, uint64_t n);
void net_sub(sv_net *net, sv_net_counter which, uint64_t n);
void net_count_close(sv_net *net, uint16_t code);

/* net_opts.c: copies and checks; frees. */
int net_opts_take(sv_net *net, const sv_net_opts *opts);
void net_opts_free(sv_net_opts *o);
bool net_address_is_loopback(const char *address);
/* Makes the soft RLIMIT_NOFILE fit connections_max, lowers connections_max if it cannot; sets fd_ceiling. */
void net_fit_fds(sv_net *net);

/* net_conn.c: the table of connections, their stages and deadlines */
int net_conns_init(sv_net *net);
void net_conns_free(sv_net *net);
/* NULL: refused (counted) or no memory. */
sv_conn *net_conn_new(sv_net *net, sv_net_side side, const struct sockaddr_storage *from);
void net_conn_free(sv_conn *c);
void net_conn_stage(sv_conn *c, net_stage stage);
/* Into BYE: on_close if it was open. Idempotent. */
void net_conn_bye(sv_conn *c, uint16_t code);
/* Close without pulling output: a protocol error or a deadline. */
void net_conn_abort(sv_conn *c, uint16_t code, const char *reason);
void net_conn_kill(sv_conn *c); /* hang up: no close frame, no flush */
void net_conn_drop_rx(sv_conn *c);
/* Room for `more` bytes in rx, within message_max and the budget of all; 0, or the close code. */
uint16_t net_conn_rx_grow(sv_conn *c, size_t more, size_t message_max);
/* What our timer watches while output is wanted. */
void net_conn_want(sv_conn *c);
void net_sweep(sv_net *net, uint64_t now_ms);
void net_stop_begin(sv_net *net, uint64_t now_ms);

/* net_listen.c */
int net_listen(net_listener *l, const char *address, uint16_t port);
/* Next socket that passes the caps (non-blocking, no delay), with its connection; -1: none now. */
int net_accept(net_listener *l, sv_conn **out);

/* net_tls.c: *ctx belongs to the vhost */
int net_tls_setup(sv_net *net, struct ssl_ctx_st *ctx);
void net_tls_finish(sv_net *net); /* what must come after libwebsockets' own settings */
bool net_tls_check_files(sv_net *net);
bool net_tls_peer_closed(const struct ssl_st *ssl);

/* net_ws.c */
int net_ws_open(sv_conn *c);
int net_ws_receive(sv_conn *c, const uint8_t *in, size_t len);
void net_ws_pong(sv_conn *c);
int net_ws_writable(sv_conn *c);
void net_ws_peer_close(sv_conn *c, const uint8_t *in, size_t len);
/* libwebsockets begins to take the connection down. */
void net_ws_drop(sv_conn *c);

/* net_upgrade.c: also what it shares with the requests */
int net_http_upgrade(sv_conn *c);
bool net_http_host_allowed(sv_conn *c);
sv_net_origin net_http_origin(sv_conn *c);

/* net_http.c: requests come in */
int net_http_request(sv_conn *c);
int net_http_body(sv_conn *c, const uint8_t *in, size_t len);
int net_http_body_end(sv_conn *c);
void net_http_free(net_http *h);
/* Answers with a status and a line of static text. */
void net_http_refuse(sv_conn *c, int status, const char *text);

/* net_reply.c: replies go out */
/* Takes what it needs of c->http->reply (filled) and begins to write. */
void net_reply_begin(sv_conn *c);
int net_http_writable(sv_conn *c);
const char *net_status_text(int status);
/* Status line and headers; `at` has room for NET_HTTP_HEAD_BYTES_MAX. Bytes, or -1. */
int net_reply_head(const sv_conn *c, const net_http *h, char *at);

/* net_condition.c: pure */
/* Does a list of entity tags (If-None-Match) name this one? Weak comparison, "*" names all. */
bool net_etag_listed(const char *list, const char *etag);
/* Accept-Encoding takes gzip with a weight above zero. */
bool net_gzip_accepted(const char *accept_encoding);
typedef enum net_range { NET_RANGE_NONE, NET_RANGE_ONE, NET_RANGE_BEYOND } net_range;
/* One range of bytes of `whole`: [*from, *to). Several, or what is no range, is NONE: all is sent. */
net_range net_range_parse(const char *range, uint64_t whole, uint64_t *from, uint64_t *to);

/* net_lws.c: thin calls down, so that the files without libwebsockets.h can ask */
void net_lws_want_write(struct lws *wsi);
void net_lws_kill(struct lws *wsi);
void net_lws_rx_flow(struct lws *wsi, bool on);
bool net_lws_input_waits(struct lws *wsi); /* unread bytes, or the end, on the socket */
void net_lws_sweep_soon(sv_net *net);
void net_lws_close_listeners(sv_net *net);

#endif
