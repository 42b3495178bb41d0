/* sv_net: sockets, TLS, HTTP and WebSocket for overdrachtd, and nothing above them. Bytes come out of
 * callbacks, bytes go in when asked for; sessions, stores and the protocol are unknown here. This is the only
 * place that knows libwebsockets.
 *
 * One connection, as its holder sees it (a callback for each arrow, all on the thread that runs sv_net_run):
 *
 *     on_open ──> on_message* / on_writable* ──> on_close
 *
 *   - on_close comes exactly once for each on_open, whoever ended it; after it no callback names that
 *     connection and its pointer is dead. The socket itself may live a little longer (close handshake) and
 *     still counts against the caps.
 *   - Output is pulled: sv_net_conn_want_write() asks for an on_writable; each on_writable hands out at most
 *     one message. So nothing piles up here: of what a slow peer has not read, net holds at most the message
 *     that was cut.
 *   - Threads: sv_net_wake, sv_net_stop and sv_net_count may be called from any thread (and wake and stop
 *     from a signal handler) between sv_net_create and sv_net_destroy. Everything else belongs to the service
 *     thread, the one inside sv_net_run. Other threads name a connection by its id, never by pointer.
 *
 * What libwebsockets 4.1.6 does not let us see: a client frame without a mask is taken as it is instead of
 * being refused with 1002. Masks protect proxies between browser and server, not the server; with TLS there
 * is no such proxy, and without TLS we listen on the loopback address only. */
#ifndef SV_NET_H
#define SV_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sv_net sv_net;
typedef struct sv_conn sv_conn;

/* The one websocket subprotocol that is served; an upgrade that does not offer it is refused. */
#define SV_NET_SUBPROTOCOL "overdracht.1"
/* A close reason is at most this long: a control frame holds 125 bytes, two are the code. */
#define SV_NET_REASON_BYTES_MAX 123u
/* Text form of an address without port, e.g. "2001:db8::1". */
#define SV_NET_PEER_CHARS 46u

/* -- HTTP: a table fixed at start --------------------------------------------------------------
 *
 * One request a connection. Every reply is written in pieces, one a WRITEABLE, so a peer that does not read
 * holds one piece. Conditions (If-None-Match), ranges (Range, If-Range), HEAD and the choice of the gzip body
 * are decided here, the same way for all routes. */

typedef enum sv_net_side {
  SV_NET_MAIN = 1, /* the listener of the websockets */
  SV_NET_LOCAL = 2 /* the listener for health and metrics, plain HTTP on the loopback address */
} sv_net_side;

typedef enum sv_net_method { SV_NET_GET = 1, SV_NET_HEAD = 2, SV_NET_POST = 4 } sv_net_method;

/* Who says to have sent the request: a browser names the page's origin and a page cannot change it. */
typedef enum sv_net_origin {
  SV_NET_ORIGIN_NONE,   /* no such header: no browser, or a plain GET of the own page */
  SV_NET_ORIGIN_OURS,   /* listed in the options, or this server's own: scheme and Host, byte for byte */
  SV_NET_ORIGIN_FOREIGN /* anything else, "null" too */
} sv_net_origin;

/* A whole request. Borrowed: valid until the handler returns. Texts are NULL when missing. A header in this
 * list that comes twice is answered 400 before (Accept-Encoding and If-None-Match are joined). */
typedef struct sv_net_request {
  uint64_t id; /* for sv_net_reply_later; never 0, never used twice */
  sv_net_side side;
  sv_net_method method;       /* a handler treats HEAD as GET: the body is left out here */
  const char *path;           /* percent-decoded and without "." and ".." parts; begins with '/' */
  const char *args;           /* query, decoded: "a=1" NUL "b=2" NUL NUL; see sv_net_arg */
  const char *peer;           /* address in text, without port */
  const uint8_t *address_key; /* 16 bytes: the IPv4 address or the IPv6 /64, what a limit counts by */
  sv_net_origin origin;
  bool gzip_ok; /* the peer takes Content-Encoding: gzip */
  const char *authorization, *cookie, *content_type;
  const char *if_none_match, *range, *if_range; /* acted on by net; here for logs and tests */
  const char *overdracht;                       /* X-Overdracht */
  const char *csrf;                             /* X-Overdracht-CSRF */
  const uint8_t *body;                          /* POST */
  size_t body_bytes;
} sv_net_request;

/* The value of ?name=value, "" for ?name and ?name=, NULL when it is not there. */
const char *sv_net_arg(const sv_net_request *request, const char *name);

typedef enum sv_net_cache {
  SV_NET_CACHE_NEVER = 0, /* no-store: what may be seen once, by one person */
  SV_NET_CACHE_CHECK,     /* no-cache: kept, but asked about each time (ETag) */
  SV_NET_CACHE_FOREVER    /* public, immutable, a year: the name changes with the content */
} sv_net_cache;

/* Which headers tell the browser what the body may do; the texts stand in net_policy.h. */
typedef enum sv_net_policy {
  SV_NET_POLICY_DATA = 0, /* nothing: no script, no frame, only shown as what it is */
  SV_NET_POLICY_APP       /* the web app: own scripts, styles, images and connections, Trusted Types */
} sv_net_policy;

#define SV_NET_ETAG_CHARS 72u /* a SHA-256 in hex with its quotes and a variant fit */
#define SV_NET_LATER 1

/* Next bytes of a body too large to lie in memory: fills up to `max` bytes from `offset` on and returns how
 * many, 0 when it cannot (the connection is cut, so that the peer sees that the body is short). Must not
 * block for longer than a disk read. Any offset may be asked for. */
typedef size_t (*sv_net_pull_fn)(void *ctx, uint64_t offset, uint8_t *to, size_t max);

typedef struct sv_net_reply {
  int status;               /* 200 unless changed */
  const char *content_type; /* static; NULL: the route's */
  const char *encoding;     /* static; Content-Encoding of the body, e.g. "gzip"; NULL: none */
  bool vary_encoding;       /* the body was chosen by gzip_ok */
  sv_net_cache cache;
  char etag[SV_NET_ETAG_CHARS]; /* with its quotes; "": none, then no 304 and no ranges */
  char *headers; /* more lines, each "Name: value\r\n"; from malloc, net frees it; NULL: none */
  uint8_t *body; /* from malloc, net frees it; NULL: no body, or pull */
  uint64_t body_bytes;
  sv_net_pull_fn pull; /* instead of body */
  void *pull_ctx;
  void (*pull_end)(void *ctx); /* exactly once, whatever becomes of the reply; may be NULL */
} sv_net_reply;

/* Fills `reply` (zeroed, status 200) and returns 0; or returns SV_NET_LATER and has a thread of its own do
 * the slow part: then sv_net_reply_later. Must not block. Anything else answers 500; what the reply owns is
 * freed in any case. Called on the service thread with sv_net_cbs.user. */
typedef int (*sv_net_handle_fn)(void *user, const sv_net_request *request, sv_net_reply *reply);

/* One path, or with `prefix` all that begin so. Another method than `methods` gets 405, another path 404.
 * No path ever reaches a file system. The first route that fits answers. Strings and bodies are borrowed
 * until sv_net_destroy. */
typedef struct sv_net_route {
  const char *path; /* e.g. "/health"; with prefix e.g. "/v1/" */
  bool prefix;
  const char *content_type; /* e.g. "text/plain; charset=utf-8" */
  unsigned sides;           /* SV_NET_MAIN, SV_NET_LOCAL or both */
  unsigned methods;         /* SV_NET_GET (HEAD comes with it), SV_NET_POST or both; 0: GET */
  size_t post_bytes_max;    /* a longer body is 413, before it is read; at most SV_NET_POST_BYTES_MAX */
  sv_net_policy policy;
  /* handle NULL: these bytes, */
  const void *body;
  size_t body_bytes;
  const void *gzip_body; /* the same bytes in gzip, for who takes them; NULL: none */
  size_t gzip_bytes;
  const char *etag; /* with quotes, at most 64 characters; NULL: none. The gzip body's ends in -gz */
  sv_net_cache cache;
  sv_net_handle_fn handle;
  void *user; /* for handle; NULL: sv_net_cbs.user */
} sv_net_route;

/* No request of this server needs more; a body is held in memory, within rx_bytes_total_max. */
#define SV_NET_POST_BYTES_MAX (64u << 10)

/* -- options ----------------------------------------------------------------------------------- */

/* Start from sv_net_opts_default(). Strings and lists are copied by sv_net_create. Times are milliseconds;
 * zero is not "off" but an error, so that no deadline is lost by a typing mistake. */
typedef struct sv_net_opts {
  /* listening */
  const char *address;       /* IPv4 or IPv6 literal; "127.0.0.1" by default; "::" takes both families */
  uint16_t port;             /* 0: any free one, see sv_net_port */
  const char *cert_file;     /* PEM, leaf first; NULL: plain text, on a loopback address only */
  const char *key_file;      /* PEM; both or neither */
  const char *server_name;   /* for the log and the Server header; NULL: no such header */
  bool local_on;             /* open the second listener */
  const char *local_address; /* must be loopback; "127.0.0.1" by default */
  uint16_t local_port;       /* 0: any free one, see sv_net_local_port */

  /* who may come in */
  /* Allowed Host values, without letter case. "name" also matches "name:<our port>". */
  const char *const *hosts;
  size_t hosts_n; /* none: every upgrade is refused */
  /* Allowed Origin values, byte for byte. A page of another site cannot hide its Origin ... */
  const char *const *origins;
  size_t origins_n;
  bool origin_required; /* ... so a missing one (not a browser) is fine unless this is set */
  const char *ws_path;  /* path of the websocket; "/sync" by default; NULL: any */
  const sv_net_route *routes;
  size_t routes_n;

  /* caps: what strangers can make this process hold */
  /* Sockets of both listeners; lowered (and logged) if RLIMIT_NOFILE cannot hold them. */
  unsigned connections_max;
  /* Sockets of one IPv4 address or one IPv6 /64: a care home sits behind one address. */
  unsigned per_address_max;
  unsigned fd_reserve; /* descriptors left to the rest of the process: a socket numbered above is refused */
  size_t message_bytes_max;   /* websocket message, both directions; more from a peer is 1009 */
  unsigned fragments_max;     /* frames of one message; more is 1008 (a flood of empty ones costs no bytes) */
  size_t rx_bytes_total_max;  /* half messages of all connections; beyond it 1011 */
  unsigned send_buffer_bytes; /* SO_SNDBUF: what a peer that does not read makes the kernel hold */

  /* deadlines */
  unsigned upgrade_ms;       /* accept to upgraded, or HTTP headers read: TLS and all */
  unsigned body_ms;          /* headers read to the last byte of a POST body */
  unsigned reply_ms;         /* SV_NET_LATER to sv_net_reply_later; else 503 */
  unsigned first_message_ms; /* upgraded to first whole message; else 1008 */
  unsigned message_ms;       /* first byte of a message to its last; else 1008 */
  unsigned ping_ms;          /* nothing came for so long: ping */
  /* Still nothing so long after the ping: hang up. While reading is paused both stand still. */
  unsigned pong_ms;
  unsigned write_stall_ms; /* output wanted and none could be written for so long: hang up */
  unsigned close_ms;       /* close frame sent, or HTTP answered, to socket closed */
  unsigned stop_ms;        /* sv_net_stop to return of sv_net_run */
} sv_net_opts;

sv_net_opts sv_net_opts_default(void);

/* -- callbacks --------------------------------------------------------------------------------- */

typedef enum sv_net_level { SV_NET_ERROR, SV_NET_WARN, SV_NET_INFO } sv_net_level;

/* All get `user`. on_log and on_timer, on_wake may be NULL. None may call sv_net_run or sv_net_destroy. */
typedef struct sv_net_cbs {
  void *user;

  /* A client finished the upgrade. May set the user pointer, want_write, pause or close. */
  void (*on_open)(void *user, sv_conn *conn);

  /* One whole binary message. `bytes` is borrowed until return. May be empty. Not called after
   * sv_net_conn_close. */
  void (*on_message)(void *user, sv_conn *conn, const uint8_t *bytes, size_t len);

  /* The connection can take one message. Set *bytes and *len and return true, or return false when there is
   * none. The bytes stay yours and must live until the next callback of any kind. After true it is called
   * again as soon as there is room; after false only once want_write has been called. At most
   * message_bytes_max, else the connection is closed with 1011. Also called after sv_net_conn_close until it
   * returns false: pending output goes before the close. */
  bool (*on_writable)(void *user, sv_conn *conn, const uint8_t **bytes, size_t *len);

  /* The connection is over. `code` is the close code that we or the peer sent, 1005 when the peer gave none,
   * 1006 when it just broke or was hung up on. */
  void (*on_close)(void *user, sv_conn *conn, uint16_t code);

  /* After sv_net_wake; several wakes may melt into one. */
  void (*on_wake)(void *user);
  /* After sv_net_timer. */
  void (*on_timer)(void *user);
  /* One line without newline; no payload, header or peer address in it. Rate limited, with a line that counts
   * what was left out. May be called during sv_net_create and sv_net_destroy. */
  void (*on_log)(void *user, sv_net_level level, const char *line);
} sv_net_cbs;

/* -- life -------------------------------------------------------------------------------------- */

/* Checks the options, binds and listens; serves nothing before sv_net_run. *out is NULL on error.
 * OV_E_INVALID options out of contract (the log says which), OV_E_CRYPTO certificate or key unusable,
 * OV_E_NET cannot listen, OV_E_NOMEM. Lowers a soft RLIMIT_NOFILE above 262,144 and raises one too low for
 * connections_max. */
int sv_net_create(sv_net **out, const sv_net_opts *opts, const sv_net_cbs *cbs);

/* Serves until sv_net_stop. 0, or OV_E_INTERNAL when the event loop broke. Once per sv_net. */
int sv_net_run(sv_net *net);

/* Any thread, signal handlers too: the listeners close; each connection gets its pending output, then 1001;
 * after stop_ms at the latest what is left is cut and sv_net_run returns. */
void sv_net_stop(sv_net *net);

/* Any thread, signal handlers too: on_wake follows on the service thread. */
void sv_net_wake(sv_net *net);

/* Not while sv_net_run runs, and no other thread may use net any more. NULL is fine. on_close comes for what
 * is open. */
void sv_net_destroy(sv_net *net);

/* -- service thread (ports: any time after create) --------------------------------------------- */

uint16_t sv_net_port(const sv_net *net);
uint16_t sv_net_local_port(const sv_net *net); /* 0: no second listener */
/* CLOCK_MONOTONIC. */
uint64_t sv_net_now_ms(void);
/* One on_timer, after_ms from now; replaces an earlier request that has not come yet. */
void sv_net_timer(sv_net *net, uint64_t after_ms);
/* Reads certificate and key again (after renewal); connections that stand keep theirs. On error (OV_E_CRYPTO;
 * OV_E_INVALID on a plain listener) the old pair stays in use. */
int sv_net_tls_reload(sv_net *net);

/* -- one HTTP request, service thread ------------------------------------------------------------ */

/* The answer to the request for which a handler returned SV_NET_LATER. Takes what the reply owns in any case.
 * False when nobody waits for it any more (gone, or reply_ms over). */
bool sv_net_reply_later(sv_net *net, uint64_t request_id, sv_net_reply *reply);
/* Frees what a reply owns and zeroes it. */
void sv_net_reply_free(sv_net_reply *reply);

/* -- one connection, service thread ------------------------------------------------------------ */

/* Never 0, never used twice in the life of a net. */
uint64_t sv_net_conn_id(const sv_conn *conn);
/* NULL when it is gone (on_close was called). */
sv_conn *sv_net_conn_find(sv_net *net, uint64_t id);
/* NULL until set. Not freed here. */
void sv_net_conn_set_user(sv_conn *conn, void *conn_user);
void *sv_net_conn_user(const sv_conn *conn);
/* The peer's address; lives as long as conn. */
const char *sv_net_conn_peer(const sv_conn *conn);

void sv_net_conn_want_write(sv_conn *conn);
/* Ends the connection: what on_writable still hands out, then a close frame with code (1000–1011 as RFC 6455
 * allows to send, or 3000–4999) and reason (UTF-8, cut at SV_NET_REASON_BYTES_MAX, may be NULL). Later calls
 * change nothing. on_close follows, never from inside this call. */
void sv_net_conn_close(sv_conn *conn, uint16_t code, const char *reason);
/* Stops and resumes reading (back-pressure). What the socket library has already read still waits in it: at
 * most 2 KiB. Paused or not, on_message may come once more for the message being handled. */
void sv_net_conn_pause(sv_conn *conn);
void sv_net_conn_resume(sv_conn *conn);

/* -- counters, any thread ---------------------------------------------------------------------- */

typedef enum sv_net_counter {
  SV_NET_ACCEPTED, /* sockets taken, both listeners */
  SV_NET_SOCKETS,  /* sockets now (a gauge) */
  SV_NET_OPEN,     /* websockets now (a gauge) */
  SV_NET_UPGRADED,
  SV_NET_HTTP_REQUESTS,
  SV_NET_HTTP_4XX,
  SV_NET_HTTP_5XX,
  SV_NET_MESSAGES_IN,
  SV_NET_MESSAGES_OUT,
  SV_NET_BYTES_IN, /* payload of whole messages */
  SV_NET_BYTES_OUT,
  SV_NET_REFUSED_FULL,    /* connections_max */
  SV_NET_REFUSED_ADDRESS, /* per_address_max */
  SV_NET_REFUSED_FDS,     /* descriptors of the process running out */
  SV_NET_REFUSED_HOST,    /* from here to METHOD: upgrades refused */
  SV_NET_REFUSED_ORIGIN,
  SV_NET_REFUSED_VERSION,
  SV_NET_REFUSED_KEY,
  SV_NET_REFUSED_SUBPROTOCOL,
  SV_NET_REFUSED_PATH,
  SV_NET_REFUSED_METHOD,
  SV_NET_REFUSED_OTHER_UPGRADE, /* h2c, CONNECT and the like */
  SV_NET_LATE_UPGRADE,          /* hung up on: upgrade_ms, ... */
  SV_NET_LATE_BODY,
  SV_NET_LATE_REPLY, /* answered 503 */
  SV_NET_LATE_FIRST_MESSAGE,
  SV_NET_LATE_MESSAGE,
  SV_NET_LATE_PONG,
  SV_NET_LATE_READER, /* write_stall_ms */
  SV_NET_LATE_CLOSE,
  SV_NET_CLOSED_BY_PEER, /* with a close frame */
  SV_NET_BROKEN,         /* neither side said goodbye */
  SV_NET_LOG_LEFT_OUT,
  SV_NET_COUNTERS
} sv_net_counter;

uint64_t sv_net_count(const sv_net *net, sv_net_counter which);
/* Lower-case name for a metrics page, static, e.g. "refused_host". */
const char *sv_net_counter_name(sv_net_counter which);
/* Close frames sent with this code. Codes outside 1000–1015 and 4000–4031 count together; ask for any of
 * them. */
uint64_t sv_net_count_close(const sv_net *net, uint16_t code);

#ifdef __cplusplus
}
#endif
#endif
