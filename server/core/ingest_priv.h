/* Inside of ingest. One `ingest` is the work of one push, one local op or one foreign op inside a write
 * transaction.
 *
 * Reading and judging come first and return errors; writing comes after, in functions that return nothing:
 * their errors stick to the transaction (sv_txn_fail) and undo the batch. Records that changed are collected
 * and folded once each, at the end. */
#ifndef INGEST_PRIV_H
#define INGEST_PRIV_H

#include "sv_ingest.h"
#include "sv_kinds.h"
#include "sv_limits.h"

/* What judging needs to know of an op that another one names. */
typedef struct brief {
  ov_name name;
  bool known, is_void, waiting, creates, has_participant;
  uint16_t kind;
  uint32_t scope;
  ov_name participant;
} brief;

typedef struct judged {
  bool waits;
  ov_name missing;            /* its record or participant is not here */
  uint8_t verdict, reason;    /* as it goes into the receipt */
  bool duplicate, fills;      /* stored before; a stored void that this op fills */
  int64_t time_ms, offset_ms; /* of its receipt; of a duplicate the earliest */
} judged;

/* A record that changed. */
typedef struct changed_record {
  ov_name record;
  uint16_t kind;
  bool foreign;
  bool again; /* a new position even if its state is the same */
} changed_record;
typedef struct changed_set {
  changed_record *v;
  uint32_t n, cap;
  uint32_t *slots, n_slots;
} changed_set;
typedef struct name_list {
  ov_name *v;
  uint32_t n, cap;
} name_list;

/* Who writes, as far as one push needs it again and again. */
typedef struct author_view {
  bool set, found, active;
  ov_name name;
  unsigned role;      /* of a person; SV_ROLE_NONE without one */
  int64_t role_since; /* time of the op that gave it */
  int64_t left;       /* when not active: time of the op that said so */
  uint32_t teams[OV_SCOPES_MAX];
  uint32_t n_teams;
  uint32_t past[OV_SCOPES_MAX];
  int64_t past_until[OV_SCOPES_MAX];
  uint32_t n_past; /* teams left, and when */
} author_view;

typedef struct scope_list {
  ov_name participant;
  bool set, found;
  uint32_t v[OV_SCOPES_MAX];
  uint32_t n;
} scope_list;
#define SCOPE_LISTS 16u /* a shift is about a dozen clients in turn */
#define BRIEFS 16u

typedef struct ingest {
  sv_txn *t;
  sv_org *org;
  ov_arena *a;         /* the caller's: lives until the answer is out */
  ov_arena look, work; /* for one lookup; for one op or one fold */
  ov_buf b1, b2;
  int64_t now_ms;
  sv_touches *touches; /* may be NULL */
  /* the push, if it is one: ops[0 .. n_chained) have their names */
  const ov_op *ops;
  const judged *verdicts;
  uint32_t n_chained, new_from, n_taken;
  uint64_t first_seq;
  /* who */
  sv_device device;
  author_view author;
  /* caches of one stage; cleared when what they hold may have changed */
  brief briefs[BRIEFS];
  uint32_t next_brief;
  scope_list scopes[SCOPE_LISTS];
  uint32_t next_scopes;
  changed_set changed;
  name_list known; /* ops that have just become known: others may wait for them */
  name_list moved; /* participants whose scopes changed */
} ingest;

/* ingest.c: the context, its caches and lists */
int ingest_begin(ingest *g, sv_txn *t, sv_org *org, ov_arena *a, sv_touches *touches);
void ingest_end(ingest *g);
void ingest_forget(ingest *g);                                         /* clears the caches */
int ingest_brief(ingest *g, const ov_name *name, brief *out);          /* 0 (known or not) or a store error */
bool ingest_pushed(const ingest *g, const ov_name *name, uint32_t *i); /* a new op of this push? */
void ingest_changed(ingest *g, const ov_name *record, uint16_t kind, bool foreign);
void ingest_again(ingest *g, const ov_name *record, uint16_t kind);
void ingest_list_add(ingest *g, name_list *l, const ov_name *name);
/* The programme's op in an organisation's log: stored and queued there, folded in the programme only. */
bool ingest_elsewhere(const ingest *g, const ov_op *op);
bool ingest_erased(const ingest *g, const ov_name *participant); /* its keys are destroyed */
bool ingest_about_erased(const ingest *g, const ov_op *op);
/* Name of the key of a scope in NEED_KEYS, push.keys and the keyring. */
ov_name ingest_scope_name(uint32_t scope);
int64_t ingest_seconds(int64_t ms); /* rounded down */
/* Corrected time of an op with this receipt, seconds. PROTO-92 */
int64_t ingest_written(const ov_op *op, int64_t received_ms, int64_t offset_ms);

/* ingest_place.c: where a push goes in its log */
typedef struct place {
  sv_tip tips[OV_TIPS_MAX];
  uint32_t n_tips;
  bool new_log, at_tip;
  uint32_t tip; /* prev is tips[tip] */
} place;
int place_push(ingest *g, const sv_push_in *in, place *p, sv_push_out *out); /* out->err on refusal */
int place_answer(ingest *g, const place *p, sv_push_out *out);               /* tips and ladder */
/* Marks duplicates; sets g->new_from and, where the rest continues a tip, p. */
int place_duplicates(ingest *g, const sv_push_in *in, place *p, const ov_hash *heads, judged *j,
                     sv_push_out *out);

/* ingest_chain.c: commit keys, heads, signature. heads[i] is before op i, heads[n] the last. */
typedef struct used_key {
  ov_name id;
  bool team;
  uint8_t key[OV_KEY_BYTES];
  bool given, keep, unvouched;
  uint32_t first_op;
} used_key; /* unvouched: stored, but only some device ever gave it */
typedef struct used_keys {
  used_key *v;
  uint32_t n;
} used_keys;
int chain_push(ingest *g, const sv_push_in *in, ov_op *ops, uint32_t n, ov_hash *heads, used_keys *keys,
               sv_push_out *out);
/* Stores the keys that came with the push and were needed by ops that were taken, unless there is one
 * already. */
void chain_keep_keys(ingest *g, const used_keys *keys, uint32_t new_from, uint32_t n_taken);
/* Commit key of an op from the keyring. OV_E_NOTFOUND. */
int chain_key(const ingest *g, const ov_op *op, uint8_t key[OV_KEY_BYTES]);
/* The key that a creating op of organisation, team or participant carries, or NULL. */
const uint8_t *chain_carried_key(const ov_op *op);

/* ingest_judge.c. time_ms and offset_ms of j are set by the caller. */
int judge_op(ingest *g, const ov_op *op, const sv_device *device, judged *j);
/* What the op misses, or why it does not fit what it names (an ov_held reason). */
int judge_place(ingest *g, const ov_op *op, judged *j);
/* authorise.c */
unsigned ingest_role(ingest *g, const ov_name *person); /* sv_role as it is now; for the audit */
/* written: the corrected time, seconds. *reason: 0 or an ov_held. */
int authorise_op(ingest *g, const sv_device *device, const ov_op *op, int64_t written, int *reason);
bool authorise_element(const ov_record *r, uint16_t field, int64_t element);

/* ingest_store.c: writing */
typedef struct store_in {
  const ov_op *op;
  const ov_hash *head;
  const uint8_t *prev_tag;
  const judged *j;
  const uint8_t *sig;
  int64_t offset_ms;
  bool foreign;
} store_in;
void store_op(ingest *g, const store_in *s);
void store_fill(ingest *g, const store_in *s);
/* An op that is stored is offered once more: whoever offers it does not know what has become of its values
 * since, and will lay it on top of the record. Where they were replaced, so that the record no longer lists
 * the op, the record goes to everybody again. */
void store_offered_again(ingest *g, const ov_op *op);
void store_list(ingest *g, const ov_op *op, const judged *j); /* among the ops of its record */
/* What follows from an op that is now stored and judged: indexes, keys, waiting list, rulings, queue, records
 * to fold. */
void store_effects(ingest *g, const sv_op_row *row, const judged *j, bool foreign);
sv_receipt *store_own_receipt(const ingest *g, sv_op_row *row);
/* Keeps the order; false when there are too many and this one is not among those kept. */
bool store_receipt_add(sv_op_row *row, const sv_receipt *r);
/* ingest_wait.c: ops that waited for what has become known */
void wait_release(ingest *g);

/* refold.c */
typedef struct folded {
  ov_fold_in *in;
  uint32_t n, cells;
  ov_record rec;
  bool frozen;
} folded; /* frozen: not all ops are in it */
/* All ops of a record that count or are held, and their fold. n == 0: nothing to fold. */
int refold_load(sv_txn *t, const ov_name *record, ov_arena *a, folded *out);
/* ingest_fold.c: folds each changed record once, gives positions, moves records of participants whose scopes
 * changed. */
void fold_changed(ingest *g);
/* moves.c */
int scopes_of_record(ingest *g, const ov_record *r, uint32_t scopes[OV_SCOPES_MAX], uint32_t *n);
/* Puts row at its scopes: new positions where it is new or `anew`, leave markers where it no longer is; sets
 * row->places. */
void place_record(ingest *g, sv_record_row *row, const uint32_t *scopes, uint32_t n, const ov_hash *state,
                  bool anew, bool foreign);
/* What left a scope long ago is told there anew: whoever offers the op that made it may have heard of it
 * before the ACK, and would make the record at SYNCED. PROTO-110 */
void tell_gone_again(ingest *g, const sv_record_row *row, uint32_t scope);
void move_participants(ingest *g);
/* verdict.c */
void ruling_register(ingest *g, const ov_op *op);

/* share.c: an organisation's record changed: does it protect the stores of its devices strictly? */
void share_setting(ingest *g, const ov_record *organisation);

/* reindex.c: fills in what the record is indexed by; `scratch` is overwritten. */
int index_record(sv_txn *t, const sv_org *org, sv_record_row *row, ov_buf *scratch);

/* ingest_audit.c: lines for ops [g->new_from, g->n_taken) of a push; errors stick to the transaction. */
void audit_push(ingest *g, const sv_push_in *in, const ov_op *ops, const judged *verdicts);

#endif
