/* Shared by the files of this folder. */
#ifndef OC_DB_PRIV_H
#define OC_DB_PRIV_H

#include <lmdb.h>

#include "oc_db.h"

#define OC_DB_FORMAT 1

struct oc_db {
  MDB_env *env;
  MDB_dbi dbi[OC_TABLES];
  int lock_fd;
  uint8_t key[OV_KEY_BYTES], index_key[OV_KEY_BYTES];
  ov_hasher *hasher;
  ov_buf scratch;
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

#endif
