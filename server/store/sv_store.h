/* The store of one organisation (or of the programme): one LMDB environment, all tables, all keys, sealing
 * and opening. Knows no network, session or log. Full durability: no NOSYNC, no WRITEMAP.
 *
 * Threads: one write transaction at a time per environment (the caller's queue sees to it; a mutex backs it
 * up); any number of short read transactions on any thread. The map grows before it is full, with readers
 * locked out by a rwlock, so a read transaction must be short and never live across a socket write. A growth
 * waits for readers (20 ms when there is room left, else up to 10 s, then OV_E_BUSY), so a thread that holds
 * a read transaction should not begin or commit a write one. A write transaction begins and ends on one
 * thread. Ignore SIGXFSZ when a limit on file sizes is set.
 *
 * Transactions have a sticky error: after the first failure every call is a no-op that returns it, so that
 * storage code reads as a story and is checked at commit. "Not found" (OV_E_NOTFOUND) is an answer, not a
 * failure, and does not stick. */
#ifndef SV_STORE_H
#define SV_STORE_H

#include "ov/fold.h"
#include "ov/msg.h"
#include "sv_keyring.h"

#define SV_FORMAT_VERSION 1

typedef struct sv_env sv_env;
typedef struct sv_txn sv_txn;

typedef struct sv_env_options {
  const char *path;          /* folder, made with 0700 */
  const ov_id *organisation; /* bound into every AAD; checked against meta */
  sv_keyring *keyring;       /* borrowed */
  sv_random_fn random;
  void *random_ctx;
  size_t map_bytes;     /* first size of the map; 0: 16 MiB. Tests use tiny ones. */
  size_t map_bytes_max; /* growth stops here with OV_E_FULL; 0: 1 TiB */
  unsigned readers_max; /* 0: 126 */
  bool read_only;
} sv_env_options;

/* OV_E_LOCKED when this path is open in this process already, OV_E_NEWER, OV_E_CORRUPT (with what to do in
 * why), OV_E_IO, OV_E_FULL. Runs migrations of older formats. why: >= OV_ERROR_TEXT_MAX bytes or NULL. */
int sv_env_open(const sv_env_options *o, sv_env **out, char *why);
void sv_env_close(sv_env *e);
const ov_id *sv_env_organisation(const sv_env *e);
/* After EIO or MDB_PANIC the environment takes no more writes until reopened. */
bool sv_env_readonly(const sv_env *e);
typedef struct sv_env_stats {
  size_t map_bytes, used_bytes;
  uint64_t ops, records, commits, grows;
  unsigned readers;
} sv_env_stats;
void sv_env_stats_get(sv_env *e, sv_env_stats *out);
/* Frees slots of dead reader processes; call on a timer. */
void sv_env_check_readers(sv_env *e);

int sv_txn_write(sv_env *e, sv_txn **out); /* grows the map first when it is three quarters full */
int sv_txn_read(sv_env *e, sv_txn **out);  /* OV_E_BUSY when all reader slots are taken */
int sv_txn_error(const sv_txn *t);
/* Of the last commit that this transaction sees; equal numbers, equal contents. */
uint64_t sv_txn_version(const sv_txn *t);
void sv_txn_fail(sv_txn *t, int err);
/* Saves a dirty keyring, then commits (fsync). Frees t always. OV_E_MAPFULL: the map has been grown, do the
 * whole batch again. OV_E_FULL (disk), OV_E_READONLY / OV_E_IO. */
int sv_txn_commit(sv_txn *t);
void sv_txn_abort(sv_txn *t); /* NULL is fine; ends read transactions too */
sv_env *sv_txn_env(sv_txn *t);
ov_hasher *sv_txn_hasher(sv_txn *t); /* of this transaction's thread use */

/* -- ops ------------------------------------------------------------------------------------------------- */
/* ov_verdict */
typedef struct sv_receipt {
  ov_id server;
  int64_t server_time_ms, offset_ms;
  uint8_t verdict, reason;
} sv_receipt;
#define SV_RECEIPTS_MAX 16
typedef struct sv_op_row {
  /* header decoded; payload decoded unless void/erased; header_bytes/payload_bytes set (borrowed) */
  ov_op op;
  ov_hash head;                   /* chain head after it */
  uint8_t prev_tag[OV_TAG_BYTES]; /* tag of the op before it in its branch (zero for seq 1) */
  sv_receipt receipts[SV_RECEIPTS_MAX];
  uint32_t n_receipts; /* earliest server time first */
  /* push signature over this op's head, and who pushed it */
  bool has_sig;
  uint8_t sig[OV_SIG_BYTES];
  ov_id device;
  bool waiting; /* its record or participant is not here yet */
  bool erased;  /* payload gone for good */
} sv_op_row;
int sv_op_put(sv_txn *t, const sv_op_row *row);                             /* insert or replace */
int sv_op_get(sv_txn *t, const ov_name *name, ov_arena *a, sv_op_row *out); /* OV_E_NOTFOUND, OV_E_CORRUPT */
bool sv_op_has(sv_txn *t, const ov_name *name);
/* Names of all ops of a writer with seq in [from, to], ascending (branches side by side), at most max. */
int sv_ops_of_writer(sv_txn *t, const ov_id *writer, uint64_t from, uint64_t to, ov_name *out, uint32_t max,
                     uint32_t *n);
/* All ops in key order, for verify and dump: next name after `after` (zero: first). OV_E_NOTFOUND at the
 * end. */
int sv_op_next(sv_txn *t, const ov_name *after, ov_name *out);

/* -- writers: one row per branch tip --------------------------------------------------------------------- */
/* safe_seq: in a verified backup up to here */
typedef struct sv_tip {
  ov_id writer;
  ov_head head;
  ov_id device;
  uint64_t safe_seq;
} sv_tip;
/* replaces the tip with old_head (NULL: a new branch) */
int sv_tip_put(sv_txn *t, const ov_hash *old_head, const sv_tip *tip);
int sv_tips_get(sv_txn *t, const ov_id *writer, sv_tip *out, uint32_t max, uint32_t *n); /* longest first */
/* all, for verify/backup */
int sv_tip_next(sv_txn *t, const ov_id *after_writer, uint32_t after_index, sv_tip *out, uint32_t *index);

/* -- devices (in the organisation), routing and codes (in the programme) --------------------------------- */
typedef struct sv_device {
  ov_id id;
  uint8_t pubkey[OV_PUBKEY_BYTES];
  ov_name record;
  ov_id organisation;
  bool revoked;
  int64_t enrolled_ms, last_seen_ms;
  int64_t all_sent_ms; /* until then it had sent all that it has; 0: it never had. At most last_seen_ms */
  char name[OV_DEVICE_NAME_MAX + 1];
  /* Live teams of the device record, ascending scopes >= 2: kept here by ingest
                            * whenever that record changes, so that a HELLO reads no table that grows with the
                            * records. Stored with the row. */
  uint32_t teams[OV_SCOPES_MAX];
  uint32_t n_teams;
  /* A personal device (a browser in which somebody signed in) belongs to one person: their role says what it
   * is delivered, and it writes for nobody else. A shared tablet has no person. */
  bool has_person;
  ov_name person;
  int64_t expires_ms;     /* refused from then on like a revoked one; 0: never */
  int64_t hello_ahead_ms; /* latest time of a HELLO that was far ahead of the server's clock; 0: none */
  int64_t purged_ms;      /* said that it wiped what it had received; 0: not yet */
  uint64_t quarantined;   /* ops that it handed in after it had ended */
} sv_device;
int sv_device_put(sv_txn *t, const sv_device *d);
int sv_device_get(sv_txn *t, const ov_id *id, sv_device *out);
int sv_device_next(sv_txn *t, const ov_id *after, sv_device *out);
/* An enrolment code has a locator part (first 4 characters) that finds its row, and a secret rest: a wrong
 * rest costs one of few tries. */
typedef struct sv_code {
  uint8_t hash[OV_HASH_BYTES];   /* SHA-256 of the locator: the key */
  uint8_t secret[OV_HASH_BYTES]; /* SHA-256 of the whole code */
  ov_id organisation;
  ov_name device_record;
  int64_t expires_ms;
  uint32_t tries;
  /* The device that enrols with it becomes this person's, until then. */
  bool has_person;
  ov_name person;
  int64_t device_until_ms;
} sv_code;
int sv_code_put(sv_txn *t, const sv_code *c);
int sv_code_get(sv_txn *t, const uint8_t hash[OV_HASH_BYTES], sv_code *out);
int sv_code_del(sv_txn *t, const uint8_t hash[OV_HASH_BYTES]);
int sv_code_next(sv_txn *t, const uint8_t *after, sv_code *out);

/* -- records: cached fold and placement ------------------------------------------------------------------ */
typedef struct sv_place {
  uint32_t scope;
  uint64_t pos;
} sv_place;
typedef struct sv_record_row {
  ov_record rec;
  int64_t changed; /* server time (s) of the last change */
  sv_place places[OV_SCOPES_MAX];
  uint32_t n_places; /* where it is live now, ascending scopes */
  int64_t day;
  uint16_t index_kind;
  bool indexed; /* what the domain indexes hold for it now */
  uint8_t natural_key[OV_HASH_BYTES];
  bool has_natural_key;
  /* get only: the participant's keys are destroyed; of rec only name, kind, version, scope and participant
   * are left. A put of such a record stores no more than that, and takes it out of every index. */
  bool erased;
} sv_record_row;
/* also moves the kind/day, participant and natural-key index entries */
int sv_record_put(sv_txn *t, const sv_record_row *row);
int sv_record_get(sv_txn *t, const ov_name *record, ov_arena *a, sv_record_row *out);
int sv_record_next(sv_txn *t, const ov_name *after, ov_name *out);
int sv_record_op_add(sv_txn *t, const ov_name *record, const ov_name *op);
int sv_record_ops(sv_txn *t, const ov_name *record, ov_arena *a, ov_name **ops, uint32_t *n);
/* Index reads; `after` NULL starts, else a record that the last call gave (in key order: kind, day, name;
 * OV_E_NOTFOUND when it is stored no more). Names in *out, at most max. A record is found by its participant
 * whether `indexed` or not; by kind and day (from..to inclusive) only when it is. */
int sv_by_participant(sv_txn *t, const ov_name *participant, const ov_name *after, ov_name *out, uint32_t max,
                      uint32_t *n);
/* The same of one kind only. */
int sv_by_participant_kind(sv_txn *t, const ov_name *participant, uint16_t kind, const ov_name *after,
                           ov_name *out, uint32_t max, uint32_t *n);
int sv_by_kind_day(sv_txn *t, uint16_t kind, int64_t from, int64_t to, ov_arena *a, ov_name **out,
                   uint32_t max, uint32_t *n);
int sv_by_natural_key(sv_txn *t, uint16_t kind, const uint8_t hash[OV_HASH_BYTES], ov_name *out, uint32_t max,
                      uint32_t *n);
/* Opaque index hash of natural-key bytes: HMAC under the participant's seal key for a record about one, else
 * under SV_KEY_INDEX. So what is left of it in free pages and backups confirms no guess after an erasure. */
int sv_natural_hash(sv_txn *t, const ov_record *rec, const uint8_t *p, size_t n, uint8_t out[OV_HASH_BYTES]);
/* Hash of an encoded record for the positions, keyed in the same way; zeros once the participant is
 * erased. */
int sv_state_hash(sv_txn *t, const ov_record *rec, const uint8_t *p, size_t n, ov_hash *out);

/* -- positions ------------------------------------------------------------------------------------------- */
/* record: the team's, zero for 0 and 1 */
typedef struct sv_scope {
  uint32_t scope;
  uint64_t pos;
  uint8_t hash[OV_POSHASH_BYTES];
  ov_name record;
} sv_scope;
int sv_scope_get(sv_txn *t, uint32_t scope, sv_scope *out); /* OV_E_NOTFOUND: no such scope */
int sv_scope_put(sv_txn *t, const sv_scope *s);
int sv_scope_next(sv_txn *t, int64_t after, sv_scope *out); /* after -1: first */
/* Gives `record` the next position of scope: chains hash = HMAC-SHA-256(SV_KEY_INDEX, prev hash || scope u32
 * || pos u64 || record || state hash) [0..16) (keyed, so that a position hash confirms no guess about a
 * record), keeps the hash of every position, takes the record's old position (old_pos, 0: none) out of the
 * index. gone: a leave marker; a leave marker that stood before is taken out as well, so old_pos need not
 * name it. OV_E_NOTFOUND: no such scope. A wrong old_pos sticks OV_E_INTERNAL. */
int sv_pos_append(sv_txn *t, uint32_t scope, const ov_name *record, const ov_hash *state, uint64_t old_pos,
                  bool gone, uint64_t *pos);
/* OV_E_NOTFOUND; pos 0 gives zeros */
int sv_pos_hash(sv_txn *t, uint32_t scope, uint64_t pos, uint8_t out[OV_POSHASH_BYTES]);
typedef struct sv_posent {
  uint64_t pos;
  ov_name record;
  bool gone;
} sv_posent;
int sv_pos_list(sv_txn *t, uint32_t scope, uint64_t after, sv_posent *out, uint32_t max, uint32_t *n);
/* The leave marker of a record in a scope, if any (it is replaced when the record comes back). */
int sv_gone_get(sv_txn *t, uint32_t scope, const ov_name *record, uint64_t *pos);

/* -- waiting ops, rulings, queue to the programme, meta -------------------------------------------------- */
int sv_waiting_add(sv_txn *t, const ov_name *missing, const ov_name *op);
int sv_waiting_list(sv_txn *t, const ov_name *missing, ov_name *out, uint32_t max, uint32_t *n);
int sv_waiting_del(sv_txn *t, const ov_name *missing, const ov_name *op);
int sv_waiting_count(sv_txn *t, uint64_t *n);
int sv_ruling_add(sv_txn *t, const ov_name *target, const ov_name *ruling_op);
int sv_rulings_of(sv_txn *t, const ov_name *target, ov_name *out, uint32_t max, uint32_t *n);
/* Held ops not yet ruled on, for held list: key order. */
int sv_held_add(sv_txn *t, const ov_name *op);
int sv_held_del(sv_txn *t, const ov_name *op);
int sv_held_next(sv_txn *t, const ov_name *after, ov_name *out);
int sv_queue_push(sv_txn *t, const ov_name *op);         /* programme-scope op to be copied */
int sv_queue_peek(sv_txn *t, uint64_t *id, ov_name *op); /* OV_E_NOTFOUND when empty */
int sv_queue_pop(sv_txn *t, uint64_t id);
/* sealed under the organisation's key */
int sv_meta_put(sv_txn *t, const char *key, const void *p, size_t n);
int sv_meta_get(sv_txn *t, const char *key, ov_buf *out);         /* appends; OV_E_NOTFOUND */
int sv_counter_next(sv_txn *t, const char *key, uint64_t *value); /* 1, 2, 3 ... */

/* -- sums for the measures, and the release ledger ------------------------------------------------------- */
/* Months are counted from January of year 0: 12 * year + month - 1. */
uint32_t sv_month_of_day(int64_t day);
int64_t sv_month_first_day(uint32_t month);
/* What a month of one participant holds for one family of measures, sealed under the participant's key: an
 * erased participant's rows are unreadable, and absent for all readers. */
int sv_sums_put(sv_txn *t, uint32_t month, uint8_t family, const ov_name *participant, const void *p,
                size_t n);
int sv_sums_get(sv_txn *t, uint32_t month, uint8_t family, const ov_name *participant,
                ov_buf *out); /* appends; OV_E_NOTFOUND */
int sv_sums_del(sv_txn *t, uint32_t month, uint8_t family, const ov_name *participant);
/* Calls each for the rows of a family and month, in order of participants; p is borrowed for the call. A
 * result other than 0 ends the walk and is given back. */
typedef int (*sv_sums_fn)(void *ctx, const ov_name *participant, const uint8_t *p, size_t n);
int sv_sums_each(sv_txn *t, uint32_t month, uint8_t family, sv_sums_fn each, void *ctx);
/* Next row of the table behind (month, family, participant), readable or not; `started` false: the first. */
int sv_sums_next(sv_txn *t, bool started, uint32_t *month, uint8_t *family, ov_name *participant);
/* The records of this participant in the month of `day` changed: its sums are due. With the zero name all
 * are. Days are UTC's here, and months those of the clock on the wall: of the first and last day of a month
 * the neighbour's sums are due too. */
int sv_sums_due_add(sv_txn *t, const ov_name *participant, int64_t day);
int sv_sums_due_first(sv_txn *t, uint32_t *month, ov_name *participant); /* OV_E_NOTFOUND */
int sv_sums_due_has(sv_txn *t, uint32_t month, const ov_name *participant, bool *has);
int sv_sums_due_del(sv_txn *t, uint32_t month, const ov_name *participant);
/* Records of a participant of one kind with a day in [from, to], in order of days; `after` as in
 * sv_by_participant. */
int sv_by_participant_days(sv_txn *t, const ov_name *participant, uint16_t kind, int64_t from, int64_t to,
                           ov_arena *a, ov_name **out, uint32_t max, uint32_t *n);
/* The first participant behind `after` (NULL: of all) that has records, and for one kind the first day at or
 * behind `from` with a record. OV_E_NOTFOUND. */
int sv_participant_next(sv_txn *t, const ov_name *after, ov_name *out);
int sv_participant_day(sv_txn *t, const ov_name *participant, uint16_t kind, int64_t from, int64_t *day);
/* One part of a release, sealed; never replaced: OV_E_EXISTS. */
int sv_release_put(sv_txn *t, uint32_t release, uint32_t part, const void *p, size_t n);
int sv_release_get(sv_txn *t, uint32_t release, uint32_t part, ov_buf *out); /* appends; OV_E_NOTFOUND */
/* Key of the next part behind (release, part); `started` false: the first. OV_E_NOTFOUND. */
int sv_release_next(sv_txn *t, bool started, uint32_t *release, uint32_t *part);
/* -- audit: lines 1, 2, 3 ... chained (tab_audit.c); what they say is core/sv_audit.h's ------------------ */
int sv_audit_last(sv_txn *t, ov_head *out); /* seq 0: none yet */
/* Appends a line (not in a buffer of the transaction). participant: whom it is found by, or NULL. */
int sv_audit_add(sv_txn *t, const uint8_t *line, size_t n, const ov_name *participant, uint64_t *seq);
/* Hash after a line: SHA-256("overdracht audit 1" with its zero byte || organisation || prev || seq, 8 bytes
 * big-endian || line). */
int sv_audit_chain(sv_txn *t, const ov_hash *prev, uint64_t seq, const uint8_t *line, size_t n, ov_hash *out);
int sv_audit_line(sv_txn *t, uint64_t seq, ov_hash *prev, ov_buf *line); /* appends; OV_E_NOTFOUND */
int sv_audit_next(sv_txn *t, uint64_t after, uint64_t *seq);             /* OV_E_NOTFOUND at the end */
/* Numbers of the lines about a participant behind `after`, ascending, at most max. */
int sv_audit_of(sv_txn *t, const ov_name *participant, uint64_t after, uint64_t *out, uint32_t max,
                uint32_t *n);
int sv_audit_del(sv_txn *t, uint64_t seq, const ov_name *participant);

/* Opens every value, checks every mark and compares the tables with the counts sealed at the last commit and
 * the domain indexes with the records: finds what LMDB, which has no checksums, gives back changed or not at
 * all. Reads all in one read transaction (about 1 us a row), during which the map does not grow. Chains and
 * folds are not its matter. Returns 0 also when it found damage. */
typedef struct sv_scrub {
  uint64_t rows, bad;
  char first[OV_ERROR_TEXT_MAX]; /* what and where, of the first; names only */
} sv_scrub;
int sv_env_scrub(sv_env *e, sv_scrub *out);

/* Online consistent copy (0600, compact) of the environment into a file; safe beside writers. */
int sv_env_copy(sv_env *e, const char *file);

#endif
