/* Shared by the files of this folder. */
#ifndef OC_DB_PRIV_H
#define OC_DB_PRIV_H

#include <lmdb.h>

#include "oc_db.h"

#define OC_DB_FORMAT 1

/* How much longer than its pages data.mdb is kept, as a hole that takes no room on disk. LMDB does not write
 * a page that is taken and given back within one transaction, so that a sound file could end before the last
 * page that it counts, and look like one that was cut short. More than one transaction takes: the largest
 * swaps a whole scope that was fetched again. */
#define OC_DB_AHEAD_BYTES ((uint64_t)16 << 20)

struct oc_db {
  MDB_env *env;
  MDB_dbi dbi[OC_TABLES];
  int lock_fd;
  uint8_t key[OV_KEY_BYTES], index_key[OV_KEY_BYTES];
  /* What was closed lies under closed_key, made of key and share (db_key.c). */
  bool strict, is_open; /* the share comes from the server; closed_key is known */
  uint8_t share[OV_KEY_BYTES], closed_key[OV_KEY_BYTES], check[16];
  ov_hasher *hasher;
  ov_buf scratch;
  uint64_t file_bytes; /* length of data.mdb */
  size_t map_bytes;
  int (*random)(void *ctx, void *p, size_t n);
  void *random_ctx;
  char path[512];
};

struct oc_txn {
  oc_db *db;
  MDB_txn *txn;
  int err;
  bool write;
};

/* An LMDB or system error as an ov_err. */
int oc_db_error(int mdb);

/* db_key.c: why has 256 bytes. Writes a new key file (index_key NULL: a new one as well; share NULL: standard
 * protection), which then is db's; reads it, or makes it for a new store. */
int oc_db_key_make(oc_db *db, const uint8_t *index_key, const uint8_t *share, char *why);
int oc_db_key_read(oc_db *db, char *why);
/* db_open.c */
void oc_db_file(const oc_db *db, const char *name, char out[600]);
/* Names in a folder are on disk once it is synced. 0 or OV_E_IO. */
int oc_db_sync_folder(const char *path);
int oc_db_env_open(oc_db *db, size_t map, char *why);
/* db_txn.c: was this value put closed? */
int oc_db_is_closed(oc_txn *t, oc_table table, const void *key, size_t key_n, bool *closed);
/* Finishes, or undoes, what a crash left of oc_db_rekey. */
int oc_db_rekey_finish(oc_db *db);

/* Makes data.mdb longer when less than half of OC_DB_AHEAD_BYTES is left beyond its last page. */
int oc_db_room(oc_db *db);

#endif
