/* Opening a client's store: folder, lock, key file, environment. What cannot be read is refused with what to
 * do; nothing is ever emptied or made anew over something that was there. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_priv.h"

#define WHY 256

int oc_db_error(int mdb) {
  switch (mdb) {
  case 0: return 0;
  case MDB_NOTFOUND: return OV_E_NOTFOUND;
  case MDB_MAP_FULL:
  case ENOSPC:
  case EDQUOT:
  case EFBIG: return OV_E_FULL;
  case ENOMEM: return OV_E_NOMEM;
  case MDB_CORRUPTED:
  case MDB_PAGE_NOTFOUND:
  case MDB_INVALID:
  case MDB_PANIC: return OV_E_CORRUPT;
  case MDB_VERSION_MISMATCH: return OV_E_NEWER;
  default: return OV_E_IO;
  }
}

void oc_db_file(const oc_db *db, const char *name, char out[600]) {
  snprintf(out, 600, "%s/%s", db->path, name);
}

int oc_db_sync_folder(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int err = fd < 0 || fsync(fd) ? OV_E_IO : 0;
  if (fd >= 0) close(fd);
  return err;
}

/* Its name in the folder above is on disk as well before anything is promised. */
static int make_folder(const oc_db *db, char *why) {
  char above[600];
  if (mkdir(db->path, 0700) == 0) {
    snprintf(above, sizeof above, "%s/..", db->path);
    if (!oc_db_sync_folder(above)) return 0;
  } else if (errno == EEXIST) {
    return 0;
  }
  snprintf(why, WHY, "cannot make %.150s: %s", db->path, strerror(errno));
  return OV_E_IO;
}

static int take_lock(oc_db *db, bool must_exist, char *why) {
  char f[600];
  if (!must_exist && make_folder(db, why)) return OV_E_IO;
  oc_db_file(db, "lock", f);
  db->lock_fd = open(f, O_RDWR | O_CLOEXEC | (must_exist ? 0 : O_CREAT), 0600);
  if (db->lock_fd < 0) {
    snprintf(why, WHY,
             must_exist && errno == ENOENT ? "%.150s holds no store yet: enrol this device first"
                                           : "cannot open the lock in %.150s",
             db->path);
    return errno == ENOENT ? OV_E_NOTFOUND : OV_E_IO;
  }
  if (flock(db->lock_fd, LOCK_EX | LOCK_NB)) {
    snprintf(why, WHY, "%.150s is in use by another program on this device: close that first", db->path);
    return OV_E_LOCKED;
  }
  return 0;
}

/* LMDB makes a new environment out of an empty file; a store that had data must not be emptied so. `made`
 * stands once the first commit is on disk. */
static int check_data(oc_db *db, bool *fresh, char *why) {
  char f[600], m[600];
  struct stat st;
  oc_db_file(db, "data.mdb", f);
  oc_db_file(db, "made", m);
  bool made = !stat(m, &st);
  bool data = !stat(f, &st) && st.st_size > 0;
  *fresh = !made;
  if (made && !data) {
    snprintf(why, WHY,
             "the data of %.120s is gone or empty: restore data.mdb, or move the folder away and enrol again",
             db->path);
    return OV_E_CORRUPT;
  }
  return 0;
}

/* LMDB syncs what data.mdb holds, not its name. */
static int mark_made(oc_db *db) {
  char m[600];
  int err = oc_db_sync_folder(db->path);
  oc_db_file(db, "made", m);
  int fd = err ? -1 : open(m, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (!err && (fd < 0 || fsync(fd))) err = OV_E_IO;
  if (fd >= 0) close(fd);
  return err ? err : oc_db_sync_folder(db->path);
}

static const char *const table_names[OC_TABLES] = {"meta", "log",     "pending", "record", "stage", "row",
                                                   "day",  "natural", "cursor",  "import", "sent"};

static int open_tables(oc_db *db) {
  MDB_txn *txn = NULL;
  int rc = mdb_txn_begin(db->env, NULL, 0, &txn);
  for (int i = 0; !rc && i < OC_TABLES; i++) rc = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &db->dbi[i]);
  if (!rc) rc = mdb_txn_commit(txn);
  else if (txn) mdb_txn_abort(txn);
  return rc;
}

/* The map reserves address space, not disk; a small machine gets a smaller one. */
int oc_db_env_open(oc_db *db, size_t map, char *why) {
  int rc = mdb_env_create(&db->env);
  if (!rc) rc = mdb_env_set_maxdbs(db->env, OC_TABLES);
  if (!rc) rc = mdb_env_set_mapsize(db->env, map);
  if (!rc) rc = mdb_env_open(db->env, db->path, MDB_NOTLS | MDB_NORDAHEAD, 0600);
  int err = rc ? 0 : oc_db_room(db);
  if (err) return err;
  if (!rc) rc = open_tables(db);
  err = oc_db_error(rc);
  if (rc == EINVAL || rc == MDB_BAD_TXN || rc == MDB_BAD_DBI) err = OV_E_CORRUPT;
  if (err == OV_E_CORRUPT) {
    snprintf(why, WHY,
             "the data of %.100s is damaged (%s): nothing was changed; restore data.mdb from a copy, or move "
             "the folder away and enrol again",
             db->path, mdb_strerror(rc));
  } else if (err) {
    snprintf(why, WHY, "cannot open the data of %.150s: %s", db->path, mdb_strerror(rc));
  }
  return err;
}

/* Bytes up to the last page that is counted. */
static uint64_t bytes_counted(MDB_env *env) {
  MDB_envinfo info;
  MDB_stat st;
  if (mdb_env_info(env, &info) || mdb_env_stat(env, &st)) return 0;
  return (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
}

int oc_db_room(oc_db *db) {
  uint64_t counted = bytes_counted(db->env);
  mdb_filehandle_t fd;
  struct stat file;
  if (db->file_bytes >= counted + OC_DB_AHEAD_BYTES / 2) return 0;
  if (mdb_env_get_fd(db->env, &fd) || fstat(fd, &file)) return OV_E_IO;
  db->file_bytes = (uint64_t)file.st_size;
  if (db->file_bytes >= counted + OC_DB_AHEAD_BYTES / 2) return 0;
  if (ftruncate(fd, (off_t)(counted + OC_DB_AHEAD_BYTES)))
    return errno == ENOSPC || errno == EFBIG || errno == EDQUOT ? OV_E_FULL : OV_E_IO;
  db->file_bytes = counted + OC_DB_AHEAD_BYTES;
  return 0;
}

static int check_size(oc_db *db, char *why) {
  char f[600];
  struct stat file;
  oc_db_file(db, "data.mdb", f);
  if (stat(f, &file)) return OV_E_IO;
  if ((uint64_t)file.st_size >= bytes_counted(db->env)) return 0;
  snprintf(why, WHY,
           "the data of %.120s is cut short: nothing was changed; restore data.mdb from a copy, or move the "
           "folder away and enrol again",
           db->path);
  return OV_E_CORRUPT;
}

/* A file that is shorter than its pages would fault when read: it is measured before the first page is
 * touched by a table. */
static int check_cut(oc_db *db, char *why) {
  MDB_env *probe = NULL;
  int rc = mdb_env_create(&probe);
  if (!rc) rc = mdb_env_open(probe, db->path, MDB_RDONLY | MDB_NOTLS, 0600);
  int err = 0;
  if (!rc) {
    MDB_env *mine = db->env;
    db->env = probe;
    err = check_size(db, why);
    db->env = mine;
  }
  mdb_env_close(probe);
  return err; /* other faults are told by the real open */
}

int oc_db_open(const oc_db_options *o, oc_db **out, char *why) {
  *out = NULL;
  *why = 0;
  oc_db *db = calloc(1, sizeof *db);
  if (!db) return OV_E_NOMEM;
  db->lock_fd = -1;
  db->random = o->random;
  db->random_ctx = o->random_ctx;
  snprintf(db->path, sizeof db->path, "%s", o->path);
  ov_buf_init(&db->scratch, 0);
  bool fresh = false;
  int err = take_lock(db, o->must_exist, why);
  if (!err && (err = oc_db_rekey_finish(db)))
    snprintf(why, WHY, "cannot finish the change of keys in %.150s/rekey: %s", db->path, ov_err_text(err));
  if (!err) err = oc_db_key_read(db, why);
  if (!err) err = check_data(db, &fresh, why);
  if (!err && !fresh) err = check_cut(db, why);
  db->map_bytes = o->map_bytes_max ? o->map_bytes_max : (size_t)1 << 30;
  if (!err) err = oc_db_env_open(db, db->map_bytes, why);
  if (!err && fresh) err = mark_made(db);
  if (!err && !(db->hasher = ov_hasher_new())) err = OV_E_NOMEM;
  if (err) {
    if (!*why) snprintf(why, WHY, "%s", ov_err_text(err));
    oc_db_close(db);
    return err;
  }
  *out = db;
  return 0;
}

void oc_db_close(oc_db *db) {
  if (!db) return;
  mdb_env_close(db->env);
  ov_hasher_free(db->hasher);
  ov_buf_free(&db->scratch);
  if (db->lock_fd >= 0) close(db->lock_fd);
  OPENSSL_cleanse(db->key, sizeof db->key);
  OPENSSL_cleanse(db->index_key, sizeof db->index_key);
  OPENSSL_cleanse(db->share, sizeof db->share);
  OPENSSL_cleanse(db->closed_key, sizeof db->closed_key);
  free(db);
}

size_t oc_db_bytes(oc_db *db) { return (size_t)bytes_counted(db->env); }
