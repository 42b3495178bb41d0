/* Inside of liboverdracht, by file:
 *   store.c    open, close, meta, status
 *   log.c      the own log: append, states, places, voids
 *   purge.c    what an erasure takes
 *   strict.c   protection with a share of the server
 *   looks.c    who looked at whom, until it is handed over
 *   replica.c  server part, DELTA, swap, window
 *   view.c     what is shown: server part with own unsent ops on top; indexes
 *   session.c  the sync machine (sans-I/O); push.c its sending half; enrol.c its enrolment
 *   draft.c    writing;  value.c values from and to text
 *   query.c    reading;  export.c JSON of records, schemas and unsent ops;  verify.c
 *   sync.c     blocking sync over the socket of net/;  sync_wake.c its cancellation */
#ifndef OC_INTERNAL_H
#define OC_INTERNAL_H

#include "oc_db.h"
#include "oc_zone.h"
#include "ov/peer.h"
#include "ov/schema.h"
#include "ov_p256.h"
#include "overdracht.h"

/* What the store knows of itself; the `self` row of META, rewritten when it changes. */
typedef struct oc_self {
  bool enrolled, revoked, forked; /* forked: the next op starts a new writer */
  bool new_writer;                /* told in status until the next quiet sync */
  ov_id device, organisation, server;
  uint8_t server_pubkey[OV_PUBKEY_BYTES];
  uint8_t device_scalar[OV_KEY_BYTES];
  ov_name device_record;
  bool has_pin;
  uint8_t pin[OV_HASH_BYTES];
  uint32_t n_scopes;
  ov_scope_key scopes[OV_SCOPES_MAX]; /* commit keys from enrolment */
  ov_id writer;                       /* the live log */
  ov_head last;                       /* its end */
  char url[128], zone[48];
  int64_t last_sync_ms, retry_at_ms, server_time_ms, clock_offset_ms;
  int64_t purged_ms;   /* revoked and wiped: nothing is left but this row; 0: not */
  uint32_t lease_days; /* as the organisation's record says; 0: the default */
  int64_t seen_ms;     /* latest that this device's clock was ever seen to say (lease.c) */
} oc_self;

/* Older logs are few: a store has one for each time that it was found to have a double. */
#define OC_PASSED_MAX 16u

struct oc_store {
  oc_options o;
  oc_db *db;
  oc_self self;
  ov_p256 *key;        /* the device's */
  ov_schemas *schemas; /* from `schema` records of the replica */
  oc_zone *zone;
  ov_packer *packer;
  ov_hasher *hasher;
  volatile int cancelled;
  _Atomic int wake_write; /* sync_wake.c: one more than the pipe's end, 0: none yet */
  int wake_read;
  uint64_t settled; /* strict.c: what this session had sent when the store was last written anew, and when */
  int64_t settled_ms;
  bool looks_kept, has_looker; /* looks.c */
  ov_name looker;
  /* older logs that did not get through just now: the others come before them (session.c) */
  ov_id passed[OC_PASSED_MAX];
  unsigned n_passed;
};

int64_t oc_now_ms(const oc_store *s);
int oc_random(const oc_store *s, void *p, size_t n);
/* Whole seconds of milliseconds, rounded down. */
int64_t oc_seconds(int64_t ms);
/* Fills e (may be NULL) and returns err. */
int oc_say(oc_error *e, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int oc_say_nl(oc_error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An ov_err as an oc_err, with the generic text unless e holds one already. */
int oc_from_ov(oc_error *e, int ov);
int oc_self_save(oc_store *s, oc_txn *t);
int oc_zone_load(oc_store *s); /* the organisation's zone, after enrolment */
/* The record of the team that has this scope. OV_E_NOTFOUND. (replica.c) */
int oc_team_record(oc_store *s, oc_txn *t, uint32_t scope, ov_arena *a, ov_name *team);
int oc_schemas_reload(oc_store *s); /* after `schema` records changed */

/* -- end.c: the end of a device. PROTO-122, PROTO-161 -- */
/* Drops what was received; own entries stay. */
int oc_end_received(oc_store *s);
/* Of a closed store, which gets no share any more: the same, unread. Does nothing to one that is open. */
int oc_end_closed(oc_store *s);
/* Of a closed store whose share is lost: all that is closed goes, and comes again from the server. */
int oc_closed_lost(oc_store *s);
/* Removes all, under a new key, and keeps that it was done. Whatever of it fails is done again next time. */
int oc_end_all(oc_store *s);
/* OC_E_REFUSED, with what that means, when this device was revoked and wiped; else 0. */
int oc_ended(const oc_store *s, oc_error *e);

/* -- lease.c: how long what is here may be shown without a sync -- */
int64_t oc_lease_until_ms(const oc_store *s); /* 0: never synced */
bool oc_lease_over(const oc_store *s);
/* Asked before anything is shown: 0, OC_E_LEASE, OC_E_CLOSED or OC_E_STORE. */
int oc_lease_check(oc_store *s, oc_error *e);
/* After a sync: it begins anew, for as long as the organisation says. */
int oc_lease_learn(oc_store *s, oc_txn *t, ov_arena *a);

/* -- strict.c: PROTO-164 -- */
int oc_strict_say(oc_error *e); /* OC_E_CLOSED, with what that means */
/* WELCOME to a device that has not ended, before anything of it is stored and with no transaction open: opens
 * the store, and protects it as the organisation wishes. An ov_err. */
int oc_strict_welcome(oc_store *s, const ov_welcome *w, oc_error *e);
/* After SYNCED, with no transaction open: what was sent is closed now, but lies in free pages as it was. The
 * store is written anew when something was sent since it was last (sent: in this session). An ov_err. */
int oc_strict_settle(oc_store *s, uint64_t sent, bool live);

/* -- looks.c: who looked at whom. PROTO-163 -- */
/* Before a sync: what was noted goes into the log. An ov_err. */
int oc_looks_hand_over(oc_store *s);
int oc_looks_count(oc_txn *t, uint64_t *n); /* adds those that are noted and not handed over */

/* -- log.c: own ops -------------------------------------------------------------------------------------- */
typedef enum oc_op_state { OC_OP_LOCAL = 0, OC_OP_ACKED = 1 } oc_op_state;
typedef struct oc_log_row {
  ov_op op; /* header and payload decoded (payload only while kept) */
  ov_hash head;
  oc_op_state state;
  bool kept;       /* payload is here; false: dropped after it was safe, only hashes remain */
  bool closed;     /* it is here, but the store is closed: op has no fields */
  bool absorbed;   /* its effect is in the server part */
  bool as_void;    /* refused by the server: it travels as a void; the payload stays for export */
  int refused_err; /* why, an ov_err */
  uint8_t held;    /* ov_held by ACK or DELTA, 0: applied */
  bool dismissed;
  int64_t server_time_ms, offset_ms; /* by the ACK */
} oc_log_row;
/* Chains op into the live log (a new writer when forked), stores it, puts it on top of the record. op->name
 * and, when it creates, op->record are set. */
int oc_log_append(oc_store *s, oc_txn *t, ov_op *op, ov_arena *a);
int oc_log_get(oc_txn *t, const ov_id *writer, uint64_t seq, ov_arena *a, oc_log_row *out);
int oc_log_put(oc_txn *t, const oc_log_row *row);
/* Per writer: seq of the last op, of the last acknowledged one in a row, and of the last safe one by the
 * latest WELCOME or ACK. */
typedef struct oc_writer_row {
  ov_id writer;
  uint64_t last, acked, safe;
  /* server time of the last WELCOME that was about this log; 0: it is to be asked about again */
  int64_t asked_ms;
} oc_writer_row;
int oc_writer_get(oc_txn *t, const ov_id *writer, oc_writer_row *out);
int oc_writer_put(oc_txn *t, const oc_writer_row *row);
/* NULL: first; OV_E_NOTFOUND at the end */
int oc_writer_next(oc_txn *t, const ov_id *after, oc_writer_row *out);
/* Head after seq (0: head(0)). */
int oc_log_head(oc_store *s, oc_txn *t, const ov_id *writer, uint64_t seq, ov_hash *head);
/* Makes the live writer a new one (enrolment, a detected double); the caller saves self. */
int oc_writer_start(oc_store *s, oc_txn *t);
/* The commit key an op needs. OV_E_NOTFOUND when neither the replica has it nor an op of ours was written
 * with it. */
int oc_commit_key(oc_store *s, oc_txn *t, const ov_op *op, ov_arena *a, uint8_t key[OV_KEY_BYTES]);
int oc_commit_key_drop(oc_txn *t, const ov_name *participant); /* with an erasure */
/* What a server acknowledged of this log after seq `place` counts as unsent again; w itself is not stored. */
int oc_log_forget_acks(oc_store *s, oc_txn *t, oc_writer_row *w, uint64_t place);
/* Forgets payloads that are safe and old enough; at most max. */
int oc_log_trim(oc_store *s, oc_txn *t, int64_t server_now_ms, unsigned max);

/* -- replica.c: the server part -------------------------------------------------------------------------- */
typedef struct oc_server_part {
  ov_record rec;
  int64_t changed;
  uint32_t scopes[OV_SCOPES_MAX];
  uint32_t n_scopes;
} oc_server_part;
int oc_part_decode(const uint8_t *p, size_t n, ov_arena *a, oc_server_part *out); /* of a row's bytes */
int oc_part_get(oc_txn *t, const ov_name *record, ov_arena *a, oc_server_part *out);
int oc_part_put(oc_txn *t, const oc_server_part *p);
/* staging: being fetched anew beside the old copy */
typedef struct oc_cursor_row {
  ov_cursor c;
  bool staging;
} oc_cursor_row;
int oc_cursor_get(oc_txn *t, uint32_t scope, oc_cursor_row *out);
/* at most OV_SCOPES_MAX, ascending */
int oc_cursors(oc_txn *t, oc_cursor_row *out, uint32_t *n);
/* One DELTA, with the cursor, in t. */
int oc_apply_delta(oc_store *s, oc_txn *t, const ov_delta *d, ov_arena *a);
/* WELCOME's word on a scope. */
int oc_scope_state(oc_store *s, oc_txn *t, uint32_t scope, ov_scope_state state, ov_arena *a);
/* A server that was put back to an older state lacks ops that it had acknowledged: they are offered again,
 * and until then lie on top of the copy, which does not have them. */
int oc_repend_unsent(oc_store *s, oc_txn *t, ov_arena *a);
/* SYNCED: acknowledged own ops that no DELTA brought become part of the server part. */
int oc_absorb_acked(oc_store *s, oc_txn *t, ov_arena *a);
/* Records of windowed kinds that fell out of the window by the server's time; never one with own ops on
 * top. */
int oc_window_drop(oc_store *s, oc_txn *t, int64_t server_now, ov_arena *a);

/* -- purge.c: erased participants ------------------------------------------------------------------------ */
#define OC_ERASURE_ERASED 2
#define OC_PURGE_ERASURE 2
#define OC_PURGE_ENTRIES 3
#define OC_PURGE_RECORDS 4
/* A tombstone came: everything about that participant goes, in t. fresh: this store never had anything. */
int oc_purge(oc_store *s, oc_txn *t, const ov_record *tombstone, bool fresh);
bool oc_purged(oc_txn *t, const ov_name *participant);
/* Is the second half still to be done? */
int oc_purge_due(oc_txn *t, bool *due);
/* The second half, without a transaction open: the store is written anew, then the receipts become ops.
 * *receipts: there is something new to send. OV_E_FULL: no room for the new store; nothing has changed, and
 * it is done at the next open or sync that finds room. */
int oc_purge_finish(oc_store *s, bool *receipts);

/* -- view.c ---------------------------------------------------------------------------------------------- */
/* Server part with own ops on top. n_own: own ops on top; attention: one of them, or of the record's, is held
 * or refused. OV_E_NOTFOUND. */
typedef struct oc_view {
  ov_record rec;
  int64_t changed;
  uint32_t n_own;
  bool unsent, attention, server_known;
} oc_view;
int oc_view_get(oc_store *s, oc_txn *t, const ov_name *record, ov_arena *a, oc_view *out);
/* Brings the indexes of a record up to date; call after every change of it. */
int oc_view_index(oc_store *s, oc_txn *t, const ov_name *record, ov_arena *a);
/* All indexes anew, after schemas changed. */
int oc_reindex(oc_store *s);
typedef struct oc_row {
  int64_t day;
  uint16_t kind;
  bool has_natural;
  uint8_t natural[16];
  uint8_t flags;
  ov_name participant;
} oc_row;
enum { OC_ROW_CONFLICT = 1, OC_ROW_ATTENTION = 2, OC_ROW_UNSENT = 4, OC_ROW_RETRACTED = 8 };
int oc_row_get(oc_txn *t, const ov_name *record, ov_arena *a, oc_row *out);

/* -- sync_wake.c ----------------------------------------------------------------------------------------- */
/* The pipe that oc_sync_cancel writes to: made before a first sync, emptied before each, closed with the
 * store. */
int oc_wake_open(oc_store *s);
void oc_wake_drain(oc_store *s);
void oc_wake_close(oc_store *s);

/* -- session.c ------------------------------------------------------------------------------------------- */
/* After OC_E_NET: the server asked to greet again at once (rights changed). */
bool oc_session_again(const oc_session *ss);

#endif
