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
  ov_hasher *hasher;
  ov_buf scratch;
  uint64_t file_bytes; /* length of data.mdb */
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

/* Makes data.mdb longer when less than half of OC_DB_AHEAD_BYTES is left beyond its last page. */
int oc_db_room(oc_db *db);

#endif
