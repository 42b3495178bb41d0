/* The client's store on disk: one LMDB environment, every value sealed under the store's key, or, when put
 * closed, under a second key, bound to its table and key. With strict protection the second key needs a share
 * that only the server has: until it is given, closed values can be neither read nor put (OV_E_DENIED).
 * Knows nothing of ops or records. The only place of the client that includes lmdb.h. One thread at a
 * time.
 *
 * Transactions have a sticky error, checked at commit; OV_E_NOTFOUND is an answer and does not stick. */
#ifndef OC_DB_H
#define OC_DB_H

#include "ov/chain.h"

typedef enum oc_table {
  OC_T_META,    /* text key -> value */
  OC_T_LOG,     /* writer 16 | seq 8 -> own op (log.c) */
  OC_T_PENDING, /* record 28 | op 28 -> nothing: own ops that lie on top of the server part */
  OC_T_RECORD,  /* record 28 -> server part (view.c) */
  OC_T_STAGE,   /* scope 4 | record 28 -> server part, while a scope is fetched anew */
  OC_T_ROW,     /* record 28 -> what the indexes hold for it */
  OC_T_DAY,     /* day 4 | kind 2 | record 28 -> nothing */
  OC_T_NATURAL, /* kind 2 | HMAC 16 | record 28 -> nothing */
  OC_T_CURSOR,  /* scope 4 -> cursor */
  OC_T_IMPORT,  /* import key 16 -> record, content hash: what an import has made */
  OC_T_SENT,    /* writer 16 | seq 8 -> payload of an own op about a client that a server has (log.c) */
  OC_TABLES
} oc_table;

#define OC_DB_KEY_MAX 64u

typedef struct oc_db oc_db;
typedef struct oc_txn oc_txn;
typedef struct oc_db_options {
  const char *path;
  bool must_exist;
  size_t map_bytes_max; /* 0: 1 GiB of address space (the file grows as needed) */
  int (*random)(void *ctx, void *p, size_t n);
  void *random_ctx;
} oc_db_options;

/* Opens (or makes) folder, lock, store key (`store.key`, 0600) and environment. OV_E_LOCKED, OV_E_NOTFOUND
 * (must_exist), OV_E_CORRUPT (never emptied; why says what to do), OV_E_NEWER, OV_E_IO. why: >= 256 bytes. */
int oc_db_open(const oc_db_options *o, oc_db **out, char *why);
void oc_db_close(oc_db *db);
size_t oc_db_bytes(oc_db *db); /* up to the last page that was ever used */

/* -- strict protection -- */
bool oc_db_strict(const oc_db *db);
bool oc_db_locked(const oc_db *db); /* strict, and the share was not given since it was opened */
/* OV_E_AUTH: not the share that the store was closed with. */
int oc_db_unlock(oc_db *db, const uint8_t share[OV_KEY_BYTES]);
/* As oc_db_rekey, and from then on strict with this share, or (NULL) standard. OV_E_DENIED while locked,
 * unless nothing closed is left. */
int oc_db_protect(oc_db *db, const uint8_t *share, char *why);

/* Writes everything anew under a new store key and destroys the old one: what was deleted before cannot be
 * read any more, though its bytes may lie on the disk. No transaction may be open. OV_E_FULL: there was no
 * room for a second copy; the store is as it was and goes on. On another error it is as it was, or (OV_E_IO
 * amid the exchange) must be opened again, which finishes it. OV_E_DENIED while locked. why: >= 256 bytes. */
int oc_db_rekey(oc_db *db, char *why);

int oc_txn_begin(oc_db *db, bool write, oc_txn **out);
int oc_txn_commit(oc_txn *t); /* frees t; durable when 0. OV_E_FULL when the disk or the map is full */
void oc_txn_abort(oc_txn *t); /* NULL is fine */
int oc_txn_error(const oc_txn *t);
void oc_txn_fail(oc_txn *t, int err);
bool oc_txn_locked(const oc_txn *t); /* its store is */

int oc_put(oc_txn *t, oc_table table, const void *key, size_t key_n, const void *value, size_t n);
int oc_put_closed(oc_txn *t, oc_table table, const void *key, size_t key_n, const void *value, size_t n);
/* Value opened into the arena. OV_E_NOTFOUND, OV_E_CORRUPT, OV_E_DENIED (closed, and the store is locked).
 * value and n may be NULL to ask for existence. */
int oc_get(oc_txn *t, oc_table table, const void *key, size_t key_n, ov_arena *a, const uint8_t **value,
           size_t *n);
int oc_del(oc_txn *t, oc_table table, const void *key, size_t key_n); /* 0 also when it was not there */
/* First key >= from (from_n may be 0) that starts with prefix; copies the key, opens the value unless value
 * is NULL. OV_E_NOTFOUND at the end. To go on, call again with the key just given and after = true. */
int oc_next(oc_txn *t, oc_table table, const void *prefix, size_t prefix_n, const void *from, size_t from_n,
            bool after, uint8_t key[OC_DB_KEY_MAX], size_t *key_n, ov_arena *a, const uint8_t **value,
            size_t *n);
int oc_count(oc_txn *t, oc_table table, uint64_t *n);
/* HMAC of p under the store's index key, first 16 bytes: for index keys that must not tell what they
 * index. */
int oc_index_hash(oc_txn *t, const void *p, size_t n, uint8_t out[16]);

#endif
