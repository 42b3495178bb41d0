/* A new store key. LMDB keeps what was deleted in free pages, so that a row that is gone can still be read by
 * whoever has the store's key. After an erasure everything that is left is therefore written anew, under a
 * new key, into a new file; the old key is overwritten, and with it the old file says nothing any more.
 *
 *   rekey/store.key, rekey/data.mdb   the new pair, while it is made
 *   rekey/done                        it is complete: from here on it takes the place of the old one
 *
 * A crash before `done` leaves the old pair, after it the new one: opening finishes what was begun. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_priv.h"

static void name_of(const oc_db *db, const char *name, char out[620]) {
  snprintf(out, 620, "%s/%s", db->path, name);
}

static int failed(void) { return errno == ENOSPC || errno == EDQUOT ? OV_E_FULL : OV_E_IO; }

/* Zeros over the file, on disk before its name goes. */
static int wipe_file(const char *path) {
  static const uint8_t zeros[4096];
  struct stat st;
  int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : OV_E_IO;
  int err = fstat(fd, &st) || st.st_size > (off_t)sizeof zeros ? OV_E_IO : 0;
  if (!err && pwrite(fd, zeros, (size_t)st.st_size, 0) != st.st_size) err = OV_E_IO;
  if (!err && fsync(fd)) err = OV_E_IO;
  close(fd);
  return !err && unlink(path) ? OV_E_IO : err;
}

/* -- taking the place -------------------------------------------------------------------- */

static int move_in(const oc_db *db, const char *from_name, const char *to_name) {
  char from[620], to[620];
  name_of(db, from_name, from);
  name_of(db, to_name, to);
  return rename(from, to) && errno != ENOENT ? OV_E_IO : 0; /* moved before a crash: fine */
}

/* `done` goes first, on disk before the key is overwritten: it must never vouch for a pair that is not whole.
 */
static int drop_unfinished(const oc_db *db) {
  char f[620];
  name_of(db, "rekey/done", f);
  if (unlink(f) && errno != ENOENT) return OV_E_IO;
  name_of(db, "rekey", f);
  int err = access(f, F_OK) ? 0 : oc_db_sync_folder(f);
  if (err) return err;
  name_of(db, "rekey/store.key.new", f); /* the key, when it did not come to its name */
  err = wipe_file(f);
  name_of(db, "rekey/store.key", f);
  if (!err) err = wipe_file(f);
  static const char *const rest[] = {"rekey/data.mdb", "rekey/lock.mdb"};
  for (unsigned i = 0; i < sizeof rest / sizeof *rest; i++) {
    name_of(db, rest[i], f);
    if (unlink(f) && errno != ENOENT) err = OV_E_IO;
  }
  name_of(db, "rekey", f);
  return rmdir(f) && errno != ENOENT ? OV_E_IO : err;
}

/* The key goes last: until then both its old and its new form are on disk, and `done` says which one
 * counts. */
static int take_place(const oc_db *db) {
  char f[620], fresh[620];
  struct stat st;
  int err = move_in(db, "rekey/data.mdb", "data.mdb");
  name_of(db, "lock.mdb", f);
  if (!err && unlink(f) && errno != ENOENT) err = OV_E_IO;
  if (!err) err = oc_db_sync_folder(db->path);
  name_of(db, "rekey/store.key", fresh);
  name_of(db, "store.key", f);
  if (!err && !stat(fresh, &st)) {
    err = wipe_file(f);
    if (!err) err = move_in(db, "rekey/store.key", "store.key");
    if (!err) err = oc_db_sync_folder(db->path);
  }
  return err ? err : drop_unfinished(db);
}

int oc_db_rekey_finish(oc_db *db) {
  char f[620];
  struct stat st;
  name_of(db, "rekey", f);
  if (stat(f, &st)) return errno == ENOENT ? 0 : OV_E_IO;
  name_of(db, "rekey/done", f);
  return stat(f, &st) ? drop_unfinished(db) : take_place(db);
}

/* -- making ------------------------------------------------------------------------------ */

/* The new environment and its keys, as a store of its own that nothing else is done with. */
static int make_other(oc_db *db, oc_db *other, const uint8_t *share, char *why) {
  *other = (oc_db){.lock_fd = -1, .random = db->random, .random_ctx = db->random_ctx, .hasher = db->hasher};
  int n = snprintf(other->path, sizeof other->path, "%s/rekey", db->path);
  if (n < 0 || (size_t)n >= sizeof other->path) return OV_E_LIMIT;
  ov_buf_init(&other->scratch, 0);
  if (mkdir(other->path, 0700)) return failed();
  int err = oc_db_key_make(other, db->index_key, share, why);
  other->is_open = !err;
  return err ? err : oc_db_env_open(other, db->map_bytes, why);
}

static int copy_row(oc_txn *from, oc_txn *to, oc_table table, ov_arena *a, uint8_t key[OC_DB_KEY_MAX],
                    size_t *key_n, bool first) {
  const uint8_t *value = NULL;
  size_t n = 0;
  bool closed = false;
  ov_arena_reset(a);
  int err = oc_next(from, table, NULL, 0, key, first ? 0 : *key_n, !first, key, key_n, a, &value, &n);
  if (!err) err = oc_db_is_closed(from, table, key, *key_n, &closed);
  if (err) return err;
  return closed ? oc_put_closed(to, table, key, *key_n, value, n) : oc_put(to, table, key, *key_n, value, n);
}

static int copy_table(oc_txn *from, oc_txn *to, oc_table table, ov_arena *a) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t key_n = 0;
  int err = copy_row(from, to, table, a, key, &key_n, true);
  while (!err) err = copy_row(from, to, table, a, key, &key_n, false);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int copy_all(oc_db *db, oc_db *other) {
  oc_txn *from = NULL, *to = NULL;
  ov_arena a;
  ov_arena_init(&a, 64u << 20);
  int err = oc_txn_begin(db, false, &from);
  if (!err) err = oc_txn_begin(other, true, &to);
  for (int i = 0; !err && i < OC_TABLES; i++) err = copy_table(from, to, (oc_table)i, &a);
  oc_txn_abort(from);
  if (err) oc_txn_abort(to);
  else err = oc_txn_commit(to);
  ov_arena_free(&a);
  return err;
}

static int mark_done(const oc_db *db) {
  char f[620];
  name_of(db, "rekey", f);
  int err = oc_db_sync_folder(f);
  name_of(db, "rekey/done", f);
  int fd = err ? -1 : open(f, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (!err && (fd < 0 || fsync(fd))) err = failed();
  if (fd >= 0) close(fd);
  name_of(db, "rekey", f);
  return err ? err : oc_db_sync_folder(f);
}

static int write_anew(oc_db *db, const uint8_t *share, char *why) {
  oc_db other;
  *why = 0;
  int err = oc_db_rekey_finish(db); /* of an earlier try */
  if (!err) err = make_other(db, &other, share, why);
  else return err;
  if (!err) err = copy_all(db, &other);
  mdb_env_close(other.env);
  ov_buf_free(&other.scratch);
  if (!err) err = mark_done(db);
  OPENSSL_cleanse(&other, sizeof other);
  if (err) {
    (void)drop_unfinished(db);
    return err;
  }
  mdb_env_close(db->env);
  db->env = NULL;
  if (share) memmove(db->share, share, sizeof db->share);
  db->is_open = true; /* with what the new file says, which oc_db_key_read checks */
  err = take_place(db);
  if (!err) err = oc_db_key_read(db, why);
  db->file_bytes = 0;
  if (!err) err = oc_db_env_open(db, db->map_bytes, why);
  return err == OV_E_FULL ? OV_E_IO : err; /* no room, but too late to go on as it was */
}

int oc_db_rekey(oc_db *db, char *why) {
  *why = 0;
  return oc_db_locked(db) ? OV_E_DENIED : write_anew(db, db->strict ? db->share : NULL, why);
}

int oc_db_protect(oc_db *db, const uint8_t *share, char *why) { return write_anew(db, share, why); }
