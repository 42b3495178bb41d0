/* Ingest: what happens to an op inside the write transaction, in this order:
 *   authorise -> validate -> log + receipt -> fold -> index -> positions.
 * Accepting is not judging: an authenticated op whose bytes decode and whose chain fits is stored, always;
 * the verdict (applied or held with a reason) stands beside it in the receipt. Nothing here talks to a
 * network. All functions run on the thread that owns the write transaction; a failed store call sticks to the
 * transaction and the whole batch is undone. */
#ifndef SV_INGEST_H
#define SV_INGEST_H

#include "sv_core.h"

/* A record whose state changed in this transaction, and where: fan-out and catch-up read it after the
 * commit. */
/* in that scope before this push; 0: none */
typedef struct sv_touch {
  ov_name record;
  uint32_t scope;
  uint64_t pos;
  bool gone;
  uint64_t prev_pos;
  bool foreign; /* changed by anything but this push's own ops: always send it to the author too */
} sv_touch;
/* overflow: more than kept; send all */
typedef struct sv_touches {
  sv_touch *v;
  uint32_t n, cap;
  bool overflow;
} sv_touches;
void sv_touches_free(sv_touches *t);

typedef struct sv_push_in {
  sv_device device; /* as authenticated; looked up again inside the transaction */
  ov_id writer;
  /* expected (seq, head) before first_seq: from HELLO or the PUSH before, or push.prev */
  ov_head prev;
  int64_t offset_ms; /* server minus device clock, from HELLO */
  int64_t base_time; /* HELLO's time, seconds: base of the rows */
  ov_id rows_server; /* the server that HELLO named: index 1 of the rows' writers */
  ov_push push;      /* borrowed */
  char address[48];  /* where it came from, for the audit */
  ov_verify_fn verify;
  void *verify_ctx;
} sv_push_in;

typedef struct sv_push_out {
  /* 0, or the first REPLY/CLOSE error that stopped it; ops before refused_seq are stored all the same */
  int err;
  uint64_t up_to;
  ov_hash head; /* stored up to here in this branch (may be below first_seq - 1 on GAP) */
  ov_ack_receipt receipts[OV_ACK_RECEIPTS_MAX];
  uint32_t n_receipts;
  ov_ack_held held[OV_ACK_HELD_MAX];
  uint32_t n_held;
  uint64_t refused_seq;
  int refused_err;
  ov_name need_keys[OV_PUSH_KEYS_MAX];
  uint32_t n_need_keys;
  /* on GAP and BRANCH */
  ov_head tips[OV_TIPS_MAX];
  uint32_t n_tips;
  ov_rung ladder[OV_LADDER_MAX];
  uint32_t n_ladder;
  uint64_t safe_up_to;
  bool forked;  /* a new branch was made: alarm */
  bool revoked; /* the device was revoked meanwhile */
  uint32_t stored, duplicates;
  sv_touches touches; /* of this push */
} sv_push_out;

/* Decodes rows, checks the place in the log (append, duplicate, fork), recomputes the chain, checks the
 * signature over the last head, then stores op by op. Validation ends before the first write. out is
 * overwritten; the caller frees out->touches. Names in need_keys and push.keys stand for participants or,
 * with a zero writer and seq = scope, for the scope whose commit key this server lacks (1: the
 * organisation's). Returns 0 when `out` is meaningful (also for refusals), or a sticky store error. */
int sv_ingest_push(sv_txn *t, sv_org *org, const sv_push_in *in, ov_arena *a, sv_push_out *out);

/* When it was written, seconds: the device's claim, put right by the offset of its clock, and no later than
 * the op came. */
int64_t sv_op_written(const sv_op_row *row);

/* An op of the server's own log (administration, enrolment, rulings, schemas). op: scope, kind, version,
 * record/participant/fields/replaces set, name unset; chained, receipted (applied), signed, stored, folded.
 * *name gets its name. author may be absent; device_time 0 becomes now; a creating op of organisation, team
 * or participant without commit_key gets one. OV_E_INVALID (values, references), OV_E_NOTFOUND (record or
 * participant): nothing was written. A team is created in its own scope (sv_org_next_scope), its field
 * `scope` saying the same. */
int sv_ingest_local(sv_txn *t, sv_org *org, ov_op *op, ov_arena *a, sv_touches *touches, ov_name *name);

/* An op with its receipts from elsewhere (the queue to the programme, a peer, a backup): stored idempotently,
 * judged by nobody here; receipts are merged. header_hash and commitment of row->op must be set (sv_op_get
 * does). In an organisation's environment it must follow a stored head: OV_E_GAP, OV_E_AUTH when the chain
 * does not fit, OV_E_BRANCH when another op has its name, OV_E_FLOOD for too many branches, OV_E_BUSY for too
 * many waiting ops; none of these writes anything. */
int sv_ingest_foreign(sv_txn *t, sv_org *org, const sv_op_row *row, ov_arena *a, sv_touches *touches);

/* Admit (1) or dismiss (2) a held op by an op of the server's writer; names the live rulings it saw.
 * OV_E_NOTFOUND, OV_E_INVALID when the op was never held. */
int sv_ingest_ruling(sv_txn *t, sv_org *org, const ov_name *target, int verdict, const char *reason,
                     const ov_name *author, ov_arena *a, sv_touches *touches);
/* The verdict in force for an op: receipts (held stands over applied), then live rulings (dismissed
 * stands). */
int sv_verdict(sv_txn *t, const sv_op_row *row, ov_arena *a, ov_verdict *verdict, uint8_t *reason);

/* Folds a record afresh from its stored ops (no cache), for verify. */
int sv_refold(sv_txn *t, sv_org *org, const ov_name *record, ov_arena *a, ov_record *out);

/* Indexes a stored record by what its kind's schema says now (day, natural key); state and positions stay.
 * *differed: it was indexed otherwise. OV_E_NOTFOUND. Memory from `a`. */
int sv_reindex(sv_txn *t, sv_org *org, const ov_name *record, ov_arena *a, bool *differed);

/* Revoked, or a personal device whose time is up: it reads nothing more, and what it still hands in is
 * held. */
bool sv_device_ended(const sv_device *d, int64_t now_ms);

/* What a device may be delivered now; reader.c. The device is looked up again by its id: a shared tablet
 * follows its own row's teams (which ingest keeps equal to the device record's live teams in the same
 * transaction that changes that record) and no table that grows with the records is read; of a personal
 * device its person's record is. Scopes ascend: programme, organisation, teams. */
typedef struct sv_reader {
  unsigned role;
  bool ended; /* reads nothing, hands in its outbox and purges (PROTO-122) */
  bool
      /* ended, and nothing more is taken from it: it said that it has purged, or handed in too much */
      finished;
  bool personal; /* person is set */
  ov_name person, device_record;
  uint32_t scopes[OV_SCOPES_MAX];
  uint32_t n_scopes;
  uint8_t mix[OV_POSHASH_BYTES]; /* mixed into the hash of each position that is handed out */
} sv_reader;
int sv_reader_load(sv_txn *t, sv_org *org, const sv_device *device, ov_arena *a, sv_reader *out);
/* The one predicate of delivery. */
bool sv_reader_may(const sv_reader *r, uint32_t scope, const ov_record *rec);
bool sv_reader_same(const sv_reader *a, const sv_reader *b); /* the same records may go to both */
/* Its scopes alone. */
int sv_device_scopes(sv_txn *t, sv_org *org, const sv_device *device, ov_arena *a,
                     uint32_t scopes[OV_SCOPES_MAX], uint32_t *n);
/* Live teams in a field of a record (its scopes, ascending, each once); returns how many. One in conflict
 * (added and deleted by people who did not see each other) counts as live. */
uint32_t sv_record_teams(const ov_record *r, uint16_t field, uint32_t teams[OV_SCOPES_MAX]);
/* Live teams of a device record, ascending: what a new sv_device row starts with. None when the record is
 * unknown. */
int sv_device_record_teams(sv_txn *t, const ov_name *record, ov_arena *a, uint32_t teams[OV_SCOPES_MAX],
                           uint32_t *n);

#endif
