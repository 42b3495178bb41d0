/* Messages: every one an array [type, ...] in one frame (rows.h). Encoder and decoder of each stand side by
 * side in one file. Decoded pointers borrow from the message bytes or live in the arena. Times ending in _ms
 * are milliseconds since 1970. */
#ifndef OV_MSG_H
#define OV_MSG_H

#include "ov/chain.h"
#include "ov/fold.h"
#include "ov/rows.h"

#define OV_PROTOCOL_VERSION 1
#define OV_SUBPROTOCOL "overdracht.1"

typedef enum ov_msg_type {
  OV_M_ENROL = 1,
  OV_M_ENROLLED = 2,
  OV_M_HELLO = 3,
  OV_M_WELCOME = 4,
  OV_M_CHALLENGE = 5,
  OV_M_PROOF = 6,
  OV_M_PUSH = 7,
  OV_M_ACK = 8,
  OV_M_DELTA = 9,
  OV_M_ACKED = 10,
  OV_M_BYE = 11,
  OV_M_ERROR = 12,
  OV_M_SYNCED = 13,
  OV_M_COUNT = 14
} ov_msg_type;

typedef struct ov_head {
  uint64_t seq;
  ov_hash head;
} ov_head;
typedef struct ov_cursor {
  uint32_t scope;
  uint64_t pos;
  uint8_t hash[OV_POSHASH_BYTES];
} ov_cursor;
typedef struct ov_scope_key {
  uint32_t scope;
  uint8_t key[OV_KEY_BYTES];
} ov_scope_key;

typedef struct ov_enrol { /* client, before HELLO, at most one per connection */
  uint32_t version_min, version_max;
  const char *code;
  uint32_t code_len; /* as typed; the server folds case and leaves out separators */
  uint8_t pubkey[OV_PUBKEY_BYTES];
  const char *device_name;
  uint32_t device_name_len;
} ov_enrol;
typedef struct ov_enrolled {
  uint32_t version;
  ov_id device, organisation, server; /* server: id of this server = its writer id */
  uint8_t server_pubkey[OV_PUBKEY_BYTES];
  ov_name device_record;
  /* commit keys of scope 1 and the device's teams; scope 0 uses scope 1's */
  ov_scope_key *scopes;
  uint32_t n_scopes;
  /* SHA-256 of the server's certificate (DER) for a private CA */
  bool has_pin;
  uint8_t pin[OV_HASH_BYTES];
  /* IANA zone of the organisation, e.g. Europe/Amsterdam */
  int64_t time_ms;
  const char *zone;
  uint32_t zone_len;
} ov_enrolled;

typedef enum ov_wants { OV_WANTS_ONCE = 0, OV_WANTS_LIVE = 1 } ov_wants;
typedef struct ov_hello {
  uint32_t version_min, version_max;
  ov_id device, writer;
  /* just before the first op that will be pushed; (0, head(0)) for a new log */
  ov_head own;
  /* as last known: whose cursors these are, and index 1 of the rows of every PUSH in this session; zero:
   * none */
  ov_id server;
  ov_cursor *cursors;
  uint32_t n_cursors;
  int64_t time_ms;
  uint8_t nonce[16];
  ov_wants wants;
  uint32_t credit;
  uint32_t frame_bytes;
  bool push_follows;
  bool closed; /* its store is closed: it needs its share (PROTO-164) */
  const uint8_t *body;
  size_t body_len; /* decode: the signed bytes, borrowed */
  uint8_t sig[OV_SIG_BYTES];
} ov_hello;

typedef enum ov_own { OV_OWN_SAME = 0, OV_OWN_TIPS = 1, OV_OWN_LADDER = 2 } ov_own;
typedef enum ov_scope_state {
  OV_SCOPE_CONTINUE = 0,
  OV_SCOPE_REFETCH = 1,
  OV_SCOPE_NEW = 2,
  OV_SCOPE_GONE = 3
} ov_scope_state;
typedef struct ov_scope_status {
  uint32_t scope;
  ov_scope_state state;
} ov_scope_status;
typedef struct ov_rung {
  uint64_t seq;
  uint8_t head[8];
} ov_rung;
typedef struct ov_welcome {
  uint32_t version;
  ov_id server;
  int64_t time_ms;
  /* SAME: HELLO's own head is a stored tip (or a stored inner op). TIPS: stored tips follow. LADDER: and a
   * ladder of stored heads at seq, seq-1, -2, -4 ... of the longest branch, first 8 bytes each. */
  ov_own own;
  ov_head *tips;
  uint32_t n_tips;
  ov_rung *ladder;
  uint32_t n_ladder;
  ov_scope_status *scopes;
  uint32_t n_scopes;   /* only those that do not simply continue */
  uint64_t safe_up_to; /* own ops up to here are in a verified backup or on a second server */
  /* retry_s: try again later than this after a failure, with jitter; 0 default */
  uint32_t frame_bytes, credit, retry_s;
  bool strict;    /* the organisation protects its devices' stores strictly (PROTO-164) */
  bool has_share; /* this device's share of its store's key */
  uint8_t share[OV_KEY_BYTES];
} ov_welcome;

typedef struct ov_challenge {
  uint8_t nonce[16];
  int64_t time_ms;
} ov_challenge;
typedef struct ov_proof {
  uint8_t sig[OV_SIG_BYTES];
} ov_proof;

typedef struct ov_push_key {
  ov_name participant;
  uint8_t key[OV_KEY_BYTES];
} ov_push_key;
typedef struct ov_push {
  uint64_t first_seq;
  bool has_prev;
  ov_hash prev; /* head(first_seq-1) unless it follows from HELLO or the PUSH before */
  bool more;    /* another PUSH follows at once */
  const uint8_t *rows;
  size_t rows_len; /* rows.h, PUSH form */
  ov_push_key *keys;
  uint32_t n_keys;           /* only after NEED_KEYS */
  uint8_t sig[OV_SIG_BYTES]; /* over the head after the last row, see ov_signed_push */
} ov_push;

/* offset: add to device time */
typedef struct ov_ack_receipt {
  uint64_t up_to;
  int64_t server_time_ms, offset_ms;
} ov_ack_receipt;
typedef struct ov_ack_held {
  uint64_t seq;
  uint8_t reason;
} ov_ack_held;
typedef struct ov_ack {
  uint64_t up_to;
  ov_hash head; /* all ops of this branch up to here are on disk */
  ov_ack_receipt *receipts;
  uint32_t n_receipts; /* ascending; runs of ops since the last ACK */
  ov_ack_held *held;
  uint32_t n_held;
  /* first op that was not taken (ov_err), or NEED_KEYS etc. */
  bool refused;
  uint64_t refused_seq;
  int refused_err;
  uint64_t safe_up_to;
  const uint8_t *body;
  size_t body_len; /* decode: signed bytes */
  uint8_t sig
      [OV_SIG_BYTES]; /* by the server: "overdracht ack 1" || 0 || server || organisation || writer || body */
} ov_ack;
void ov_signed_ack(ov_buf *out, const ov_id *server, const ov_id *organisation, const ov_id *writer,
                   const uint8_t *body, size_t n);

/* What goes beside a record's rows. Entries only for records that need one, ascending by record index. */
typedef struct ov_delta_extra {
  uint32_t record;
  bool not_created;
  uint8_t *flags;
  uint32_t n_flags;
  ov_heldop *held;
  uint32_t n_held;
  ov_name *seen;
  uint32_t n_seen;
} ov_delta_extra;
typedef struct ov_delta_rec {
  ov_record rec;
  int64_t changed; /* server time of the last change, s */
} ov_delta_rec;
typedef struct ov_delta {
  uint32_t scope;
  uint64_t from, to;
  uint8_t hash[OV_POSHASH_BYTES]; /* hash of position `to` */
  bool more;                      /* false: the scope is complete up to `to` */
  int64_t time;                   /* server time (s): base of the rows' times and of the window */
  ov_delta_rec *records;
  uint32_t n_records;
  ov_name *gone;
  uint32_t n_gone;
} ov_delta;

/* hash not sent: zero after decode */
typedef struct ov_acked {
  ov_cursor *cursors;
  uint32_t n_cursors;
} ov_acked;
typedef struct ov_bye {
  int reason;
  uint32_t retry_s;
} ov_bye; /* reason: 0 or an ov_err */
typedef struct ov_error {
  int err;
  uint64_t seq;
  uint32_t retry_s;
  const char *text;
  uint32_t text_len;
  /* for GAP and BRANCH */
  ov_head *tips;
  uint32_t n_tips;
  ov_rung *ladder;
  uint32_t n_ladder;
  /* for NEED_KEYS */
  ov_name *names;
  uint32_t n_names;
} ov_error;

typedef struct ov_msg {
  ov_msg_type type;
  union {
    ov_enrol enrol;
    ov_enrolled enrolled;
    ov_hello hello;
    ov_welcome welcome;
    ov_challenge challenge;
    ov_proof proof;
    ov_push push;
    ov_ack ack;
    ov_delta delta;
    ov_acked acked;
    ov_bye bye;
    ov_error error;
  };
} ov_msg;

/* Encoders append the plain message (not yet a frame). HELLO and ACK are encoded in two steps: the body is
 * encoded, the caller signs it, and the whole message is put together from body and signature. Sticky errors
 * in out. */
void ov_enrol_encode(const ov_enrol *m, ov_buf *out);
void ov_enrolled_encode(const ov_enrolled *m, ov_buf *out);
void ov_hello_body(const ov_hello *m, ov_buf *out);
void ov_hello_encode(const uint8_t *body, size_t n, const uint8_t sig[OV_SIG_BYTES], ov_buf *out);
void ov_welcome_encode(const ov_welcome *m, ov_buf *out);
void ov_challenge_encode(const ov_challenge *m, ov_buf *out);
void ov_proof_encode(const ov_proof *m, ov_buf *out);
void ov_push_encode(const ov_push *m, ov_buf *out);
void ov_ack_body(const ov_ack *m, ov_buf *out);
void ov_ack_encode(const uint8_t *body, size_t n, const uint8_t sig[OV_SIG_BYTES], ov_buf *out);
/* ctx: writer = server = the server's id, named; base_time is taken from m->time. OV_E_LIMIT when it does not
 * fit out's max or has over OV_FRAME_ROWS_MAX rows: out is then as before and usable, the caller tries fewer
 * records. scratch is used, not reset. Of a record's held ops the first OV_DELTA_HELD_MAX travel.
 * OV_E_INVALID: the same record twice in a row. */
int ov_delta_encode(const ov_rows_ctx *ctx, const ov_delta *m, ov_arena *scratch, ov_buf *out);
void ov_acked_encode(const ov_acked *m, ov_buf *out);
void ov_bye_encode(const ov_bye *m, ov_buf *out);
/* SYNCED [13], server to client in state OPEN, carries nothing: all that was on disk when the client's last
 * PUSH was committed (or, without one, when its HELLO came) has been sent; scopes for which no DELTA came are
 * as the cursors say. Sent again in live mode each time the session has caught up. In `once` mode the client
 * may now send ACKED and close. */
void ov_synced_encode(ov_buf *out);
void ov_error_encode(const ov_error *m, ov_buf *out);

/* Decodes one plain message. DELTA needs the row context (server id); others ignore it. 0, OV_E_FORMAT,
 * OV_E_LIMIT, OV_E_NOMEM; OV_E_VERSION for an ENROL or HELLO without a common version. */
int ov_msg_decode(const uint8_t *p, size_t n, const ov_rows_ctx *ctx, ov_arena *a, ov_msg *out);
/* A PUSH's rows as ops (rows_decode with the right context); named separately because it needs the session's
 * writer. */
int ov_push_ops(const ov_push *m, const ov_id *writer, const ov_id *server, int64_t base_time, ov_arena *a,
                ov_op **ops, size_t *n);

#endif
