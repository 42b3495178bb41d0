/* Private to store/: the environment, transactions, tables and their keys. The only header on the server that
 * includes lmdb.h.
 *
 * Every key of every table is made in keys.c. Keys hold opaque ids only (names, hashes, HMACs, small
 * integers); values are sealed (seal_row.c). In a table of marks the key is all there is, and the value is
 * its CRC, because LMDB has no checksums of its own. */
#ifndef SV_TABLES_H
#define SV_TABLES_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "sv_store.h"

typedef enum sv_table {
  SV_T_META,        /* text                                  -> sealed bytes */
  SV_T_OPS,         /* name                                  -> header part, payload part */
  SV_T_TIPS,        /* writer, head                          -> tip */
  SV_T_DEVICES,     /* device id                             -> device */
  SV_T_CODES,       /* SHA-256 of the locator                -> code */
  SV_T_RECORDS,     /* name                                  -> placement part, fold part */
  SV_T_RECORD_OPS,  /* record, op                            -> mark */
  SV_T_PARTICIPANT, /* participant, kind, day, record        -> mark */
  SV_T_KIND_DAY,    /* kind, day, record                     -> mark */
  SV_T_NATURAL,     /* kind, HMAC of the natural key, record -> mark */
  SV_T_SCOPES,      /* scope                                 -> position, hash, record of the team */
  SV_T_POS_HASH,    /* scope, position                       -> hash, for superseded positions too */
  SV_T_POS,  /* scope, position                       -> record, gone; each record once, at its latest change
              */
  SV_T_GONE, /* scope, record                         -> position of its leave marker */
  SV_T_WAITING,  /* missing name, op                      -> mark */
  SV_T_RULINGS,  /* target op, ruling op                  -> mark */
  SV_T_HELD,     /* op                                    -> mark */
  SV_T_QUEUE,    /* running number, op                    -> mark */
  SV_T_SUMS,     /* month, family, participant            -> what the measures need of that month */
  SV_T_SUMS_DUE, /* month, participant                    -> mark: its records changed since */
  /* release, part                         -> the release ledger (the programme's environment) */
  SV_T_RELEASES,
  SV_T_LOGINS,   /* HMAC of a sign-in name                -> organisation, person */
  SV_T_ACCOUNTS, /* person                                -> account */
  SV_T_TOKENS,   /* SHA-256 of a research token           -> token */
  SV_T_COUNT
} sv_table;
const char *sv_table_name(sv_table tab);

/* -- keys (keys.c) --------------------------------------------------------------------------------------- */
#define SV_KEY_MAX 96
typedef struct sv_key {
  size_t n;
  uint8_t b[SV_KEY_MAX];
} sv_key;
/* Longest text key of meta: fits a key with room. */
#define SV_META_KEY_MAX 64

bool sv_key_meta(const char *text, sv_key *k); /* false when empty or too long */
sv_key sv_key_id(const ov_id *id);             /* DEVICES; TIPS: start of a writer */
sv_key sv_key_hash(const uint8_t hash[OV_HASH_BYTES]);
sv_key sv_key_name(const ov_name *name);               /* OPS, RECORDS, HELD; start of the two-name tables */
sv_key sv_key_seq(const ov_id *writer, uint64_t seq);  /* OPS: start of a writer's ops from seq */
sv_key sv_key_two(const ov_name *a, const ov_name *b); /* RECORD_OPS, WAITING, RULINGS */
sv_key sv_key_tip(const ov_id *writer, const ov_hash *head);
sv_key sv_key_participant_kind(const ov_name *participant, uint16_t kind); /* PARTICIPANT: start of a kind */
sv_key sv_key_participant(const ov_name *participant, uint16_t kind, int64_t day, const ov_name *record);
sv_key sv_key_kind_day(uint16_t kind, int64_t day, const ov_name *record); /* record NULL: start of the day */
sv_key sv_key_natural(uint16_t kind, const uint8_t hash[OV_HASH_BYTES],
                      const ov_name *record); /* record NULL: start */
sv_key sv_key_scope(uint32_t scope);
sv_key sv_key_pos(uint32_t scope, uint64_t pos);
sv_key sv_key_gone(uint32_t scope, const ov_name *record);
sv_key sv_key_queue(uint64_t id, const ov_name *op);
/* NULL: start of the family */
sv_key sv_key_sums(uint32_t month, uint8_t family, const ov_name *participant);
sv_key sv_key_due(uint32_t month, const ov_name *participant);
sv_key sv_key_release(uint32_t release, uint32_t part);
/* The same key plus a zero byte: the first key behind it, for walks that go on after one. */
sv_key sv_key_after(sv_key k);
/* Parts of keys read back; the length was checked by sv_scan_next. */
void sv_key_read_name(const MDB_val *key, size_t at, ov_name *name);
uint64_t sv_key_read_u64(const MDB_val *key, size_t at);
uint32_t sv_key_read_u32(const MDB_val *key, size_t at);
int64_t sv_key_read_day(const MDB_val *key, size_t at);
/* Days are clamped to this in keys. */
int64_t sv_key_day(int64_t day);
/* Length that every key of the table has; 0: any. */
size_t sv_key_length(sv_table tab);

/* -- environment (env.c, env_open.c, map.c) -------------------------------------------------------------- */
/* Counts readers in and lets a growth wait for all of them to be out. A mutex and a condition instead of a
 * rwlock, so that a growth can give up after a while and a read transaction may end on another thread. */
typedef struct sv_gate {
  pthread_mutex_t lock;
  pthread_cond_t cond;
  unsigned readers;
  bool closed;
} sv_gate;

struct sv_env {
  MDB_env *m;
  char *path;
  dev_t dev;
  ino_t ino; /* of the folder: the registry's key */
  bool registered;
  struct sv_env *next_open; /* registry */
  ov_id organisation;
  sv_keyring *keyring;
  sv_random_fn random;
  void *random_ctx;
  bool opened_readonly;
  MDB_dbi dbi[SV_T_COUNT];
  uint8_t seal_key[OV_KEY_BYTES], index_key[OV_KEY_BYTES];
  atomic_size_t map_bytes; /* changed under write_lock with the gate closed */
  size_t map_bytes_max, page_bytes;
  unsigned readers_max;
  pthread_mutex_t write_lock;
  bool write_lock_made, gate_made, pool_made;
  bool want_grow; /* a transaction met a full map; under write_lock */
  sv_gate gate;
  atomic_bool readonly;
  atomic_uint_fast64_t commits, grows;
  pthread_mutex_t pool_lock;
  sv_txn *pool; /* used transactions with their buffers and hashers */
};

/* LMDB's or errno's code as ours; EIO and MDB_PANIC make the environment read-only. */
int sv_env_error(sv_env *e, int rc);
/* What to do about a store that cannot be read; one text for all such errors. */
#define SV_ADVICE_RESTORE "restore this folder from a backup"

int sv_gate_init(sv_gate *g);
void sv_gate_destroy(sv_gate *g);
void sv_gate_enter(sv_gate *g); /* waits while a growth is under way */
void sv_gate_leave(sv_gate *g);
unsigned sv_gate_readers(sv_gate *g);
/* How long a growth waits for the readers that are in: a little when there is room left, long when there is
 * none. */
#define SV_GROW_WAIT_SOFT_MS 20
#define SV_GROW_WAIT_HARD_MS 10000
/* Doubles the map. Under write_lock, without a write transaction. 0, OV_E_FULL (at map_bytes_max, or the disk
 * refuses), OV_E_BUSY (readers did not end in time), OV_E_IO, OV_E_NOMEM. */
int sv_map_grow(sv_env *e, unsigned wait_ms);
/* Makes data.mdb as long as the map (as a hole), durably, so that a file shorter than its content is always a
 * damaged one. */
int sv_map_extend_file(sv_env *e, size_t bytes);
size_t sv_map_used(sv_env *e);
/* Another process grew the map: take over its size. */
int sv_map_adopt(sv_env *e);

/* Frees what a transaction of the pool holds. */
void sv_txn_destroy(sv_txn *t);

/* -- transactions (txn.c) -------------------------------------------------------------------------------- */
#define SV_NONCE_BYTES 12
#define SV_NONCES 32 /* drawn at a time: one call of the random source for many rows */

struct sv_txn {
  sv_env *e;
  MDB_txn *m;
  int err;
  bool write, dirty;
  ov_hasher *h;
  ov_buf plain, part,
      row; /* plain: opened or to be sealed; part: a second plain text; row: the value as stored */
  uint8_t nonces[SV_NONCES * SV_NONCE_BYTES];
  unsigned nonces_left;
  sv_txn *next; /* in the pool */
};

/* Sticks err (unless 0 or OV_E_NOTFOUND) and returns it. */
int sv_txn_stick(sv_txn *t, int err);
/* One row. The value is borrowed until the next change in this transaction. OV_E_NOTFOUND does not stick. */
int sv_tab_get(sv_txn *t, sv_table tab, const sv_key *k, MDB_val *v);
bool sv_tab_has(sv_txn *t, sv_table tab, const sv_key *k);
int sv_tab_put(sv_txn *t, sv_table tab, const sv_key *k, const void *p, size_t n);
int sv_tab_del(sv_txn *t, sv_table tab, const sv_key *k);
/* A row of a table of marks. */
bool sv_table_is_marks(sv_table tab);
int sv_mark_put(sv_txn *t, sv_table tab, const sv_key *k);
bool sv_mark_fits(sv_table tab, const MDB_val *key, const MDB_val *value);
uint64_t sv_tab_count(sv_txn *t, sv_table tab);

/* A walk upward over the keys >= from that share its first `prefix` bytes. Close it always, before the
 * transaction changes. Keys of a wrong length, and marks that do not fit their key, end the walk with
 * OV_E_CORRUPT in the transaction. */
typedef struct sv_scan {
  sv_txn *t;
  MDB_cursor *c;
  sv_table tab;
  sv_key from;
  size_t prefix;
  bool started;
  MDB_val key, value;
} sv_scan;
void sv_scan_open(sv_scan *s, sv_txn *t, sv_table tab, const sv_key *from, size_t prefix);
bool sv_scan_next(sv_scan *s);
void sv_scan_close(sv_scan *s);
/* Key of the first row at or behind `from` with that prefix; OV_E_NOTFOUND. */
int sv_scan_first_key(sv_txn *t, sv_table tab, const sv_key *from, size_t prefix, sv_key *out);
/* The same, as the name at byte `at` of it. */
int sv_scan_first_name(sv_txn *t, sv_table tab, const sv_key *from, size_t prefix, size_t at, ov_name *out);
/* Names at byte `at` of the keys >= from with that prefix, at most max. */
int sv_scan_names(sv_txn *t, sv_table tab, const sv_key *from, size_t prefix, size_t at, ov_name *out,
                  uint32_t max, uint32_t *n);
/* The same into an arena array, doubled as needed, at most max. */
int sv_scan_names_arena(sv_txn *t, sv_table tab, const sv_key *from, size_t prefix, size_t at, ov_arena *a,
                        ov_name **out, uint32_t max, uint32_t *n);

/* A longer copy of old[0..n) in the arena, or NULL; *cap is updated. */
ov_name *sv_names_room(ov_arena *a, ov_name *old, uint32_t n, uint32_t *cap);

/* -- sealed values (seal_row.c) -------------------------------------------------------------------------- */
/* What a sealed part is, bound into its AAD: organisation || this byte || key of the row. The key of an op or
 * record is its name, so a value can be moved with its op but never passed off as another's. Never
 * renumbered. */
typedef enum sv_part {
  SV_PART_META = 1,
  SV_PART_OP_HEADER = 2,
  SV_PART_OP_PAYLOAD = 3,
  SV_PART_TIP = 4,
  SV_PART_DEVICE = 5,
  SV_PART_CODE = 6,
  SV_PART_RECORD_META = 7,
  SV_PART_RECORD_FOLD = 8,
  SV_PART_SCOPE = 9,
  SV_PART_POS_HASH = 10,
  SV_PART_POS = 11,
  SV_PART_GONE = 12,
  SV_PART_COUNTER = 13,
  SV_PART_TOTALS = 14,
  SV_PART_SUMS = 30,
  SV_PART_RELEASE = 31,
  SV_PART_LOGIN = 40,
  SV_PART_ACCOUNT = 41,
  SV_PART_TOKEN = 42
} sv_part;

/* Appends the sealed form of plain[0..n) to out. */
int sv_part_seal(sv_txn *t, sv_part part, const sv_key *k, const uint8_t key[OV_KEY_BYTES], const void *plain,
                 size_t n, ov_buf *out);
/* Appends the plain bytes to out. OV_E_CORRUPT. */
int sv_part_open(sv_txn *t, sv_part part, const sv_key *k, const uint8_t key[OV_KEY_BYTES], const void *p,
                 size_t n, ov_buf *out);
/* A row of one part under the organisation's key: t->plain holds, or gets, the plain text. */
int sv_row_put(sv_txn *t, sv_table tab, sv_part part, const sv_key *k);
int sv_row_get(sv_txn *t, sv_table tab, sv_part part, const sv_key *k); /* OV_E_NOTFOUND does not stick */
int sv_row_open(sv_txn *t, sv_part part, const sv_key *k, const MDB_val *v);
/* A reader over t->plain, all of it. */
ov_mpr sv_row_reader(const sv_txn *t);
/* What an own row's decoder found: any error means that the stored bytes are not ours. Sticks OV_E_CORRUPT.
 */
int sv_row_done(sv_txn *t, const ov_mpr *r);

/* A name of zeros stands for none and is no name on the wire: written as nil. */
void sv_put_name(ov_buf *b, const ov_name *name);
void sv_read_name(ov_mpr *r, ov_name *name);

/* A row of two parts: the first under the organisation's key, the second (may be empty) under the
 * participant's or the organisation's. Stored as varint length of the first, first, second. */
typedef struct sv_owner {
  bool has_participant;
  ov_name participant;
} sv_owner;
/* Whose key covers the payload of an op, or the fold of a record: its participant's; that of a participant
 * record is the record itself. */
sv_owner sv_owner_of(uint16_t kind, const ov_name *record, bool has_participant, const ov_name *participant);
/* t->plain is the first part, t->part the second (has_second). When the participant's keys were destroyed the
 * second part is left out and *erased is set; it says so before the first part is sealed, so that the caller
 * can write it down: call sv_owner_key first. */
int sv_owner_key(sv_txn *t, const sv_owner *o, bool make, uint8_t key[OV_KEY_BYTES], bool *erased);
int sv_row2_put(sv_txn *t, sv_table tab, const sv_key *k, sv_part first, sv_part second,
                const uint8_t *second_key);
/* Opens the first part into t->plain; *rest is the sealed second part (empty: none), borrowed like v. */
int sv_row2_open(sv_txn *t, const sv_key *k, sv_part first, const MDB_val *v, MDB_val *rest);

/* -- shared between tables ------------------------------------------------------------------------------- */
int sv_env_totals_put(sv_txn *t); /* counts of all tables, sealed: at each commit that changed something */
int sv_env_totals_get(sv_txn *t, uint64_t totals[SV_T_COUNT]);
extern const char sv_totals_key[];
/* Can this row of sums be opened, or is its participant erased? */
bool sv_sums_sound(sv_txn *t, const sv_key *k, const MDB_val *v);
/* Are the marks of this record, as its row tells them, all there? Counts them per table. */
bool sv_record_marks_there(sv_txn *t, const ov_name *record, uint64_t counts[SV_T_COUNT]);

#endif
