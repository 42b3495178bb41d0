/* The keys of a store. `store.key` holds the key that opens what a tablet needs to work without its server:
 * who it is, forms, people, entries that were not sent. What is known of clients is closed: it lies under a
 * second key, which is derived from that one and a share. Standard protection: the share is zeros. Strict: it
 * comes from the server at each start and is kept in memory only; the file tells no more than how to know the
 * right one. PROTO-164 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_priv.h"

#define WHY 256

/* Key file: "ovk1", format, protection (1: strict), store key, index key, check of the closed key. Written
 * before the environment exists, renamed into place. */
#define AT_STRICT 5
#define AT_KEY 6
#define AT_INDEX (AT_KEY + OV_KEY_BYTES)
#define AT_CHECK (AT_INDEX + OV_KEY_BYTES)
#define KEY_BYTES (AT_CHECK + 16)

/* HKDF-Extract: nothing is known of the outcome without both. */
static int derive(const uint8_t *key, const uint8_t *share, uint8_t closed[OV_KEY_BYTES], uint8_t check[16]) {
  static const char label[] = "overdracht closed 1";
  uint8_t of[sizeof label + OV_KEY_BYTES];
  ov_hasher *hasher = ov_hasher_new();
  ov_hash h;
  memcpy(of, label, sizeof label);
  memcpy(of + sizeof label, share, OV_KEY_BYTES);
  int err = hasher ? ov_hmac(hasher, key, OV_KEY_BYTES, of, sizeof of, &h) : OV_E_NOMEM;
  if (!err) memcpy(closed, h.b, OV_KEY_BYTES);
  if (!err) err = ov_hmac(hasher, closed, OV_KEY_BYTES, "check", 5, &h);
  if (!err) memcpy(check, h.b, 16);
  OPENSSL_cleanse(of, sizeof of);
  OPENSSL_cleanse(&h, sizeof h);
  ov_hasher_free(hasher);
  return err;
}

static int write_file(const oc_db *db, const uint8_t b[KEY_BYTES], const char *file) {
  char tmp[620];
  snprintf(tmp, sizeof tmp, "%s.new", file);
  int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err = 0;
  if (fd < 0 || write(fd, b, KEY_BYTES) != KEY_BYTES || fsync(fd))
    err = errno == ENOSPC ? OV_E_FULL : OV_E_IO;
  if (fd >= 0) close(fd);
  if (!err && rename(tmp, file)) err = OV_E_IO;
  return err ? err : oc_db_sync_folder(db->path);
}

int oc_db_key_make(oc_db *db, const uint8_t *index_key, const uint8_t *share, char *why) {
  char file[600];
  uint8_t b[KEY_BYTES] = {'o', 'v', 'k', '1', OC_DB_FORMAT, share != NULL};
  memset(db->share, 0, sizeof db->share);
  if (share) memcpy(db->share, share, sizeof db->share);
  oc_db_file(db, "store.key", file);
  int err = db->random(db->random_ctx, b + AT_KEY, 2 * OV_KEY_BYTES) ? OV_E_CRYPTO : 0;
  if (index_key) memcpy(b + AT_INDEX, index_key, OV_KEY_BYTES);
  if (!err) err = derive(b + AT_KEY, db->share, db->closed_key, b + AT_CHECK);
  if (!err) err = write_file(db, b, file);
  if (!err) memcpy(db->key, b + AT_KEY, OV_KEY_BYTES);
  if (err) snprintf(why, WHY, "cannot write the key file %.150s: %s", file, ov_err_text(err));
  OPENSSL_cleanse(b, sizeof b);
  return err;
}

/* A new store gets its key file; one that has data and none is not opened. */
static int make_first(oc_db *db, char *why) {
  char data[600];
  struct stat st;
  oc_db_file(db, "data.mdb", data);
  if (stat(data, &st)) return oc_db_key_make(db, NULL, NULL, why);
  snprintf(why, WHY,
           "%.120s has data but its key file store.key is gone: put it back; without it nothing can be read",
           db->path);
  return OV_E_CORRUPT;
}

static int take(oc_db *db, const uint8_t b[KEY_BYTES]) {
  memcpy(db->key, b + AT_KEY, OV_KEY_BYTES);
  memcpy(db->index_key, b + AT_INDEX, OV_KEY_BYTES);
  memcpy(db->check, b + AT_CHECK, sizeof db->check);
  db->strict = b[AT_STRICT] != 0;
  if (!db->strict) memset(db->share, 0, sizeof db->share);
  if (db->strict && !db->is_open) return 0;
  return oc_db_unlock(db, db->share) ? OV_E_CORRUPT : 0;
}

int oc_db_key_read(oc_db *db, char *why) {
  char f[600];
  struct stat st;
  uint8_t b[KEY_BYTES + 1];
  oc_db_file(db, "store.key", f);
  int err = stat(f, &st) && errno == ENOENT ? make_first(db, why) : 0;
  if (err) return err;
  int fd = open(f, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, b, sizeof b);
  if (fd >= 0) close(fd);
  if (n > 4 && !memcmp(b, "ovk1", 4) && b[4] > OC_DB_FORMAT) {
    snprintf(why, WHY, "%.120s was written by a newer version: update this program", db->path);
    return OV_E_NEWER;
  }
  err = n < 0 ? OV_E_IO : n != KEY_BYTES || memcmp(b, "ovk1", 4) ? OV_E_CORRUPT : take(db, b);
  if (err) snprintf(why, WHY, "%.150s is not a key file: put back the one that belongs to this store", f);
  OPENSSL_cleanse(b, sizeof b);
  return err;
}

bool oc_db_strict(const oc_db *db) { return db->strict; }

bool oc_db_locked(const oc_db *db) { return !db->is_open; }

int oc_db_unlock(oc_db *db, const uint8_t share[OV_KEY_BYTES]) {
  uint8_t closed[OV_KEY_BYTES], check[16];
  int err = derive(db->key, share, closed, check);
  if (!err && CRYPTO_memcmp(check, db->check, sizeof check)) err = OV_E_AUTH;
  if (!err) {
    memmove(db->share, share, sizeof db->share);
    memcpy(db->closed_key, closed, sizeof closed);
    db->is_open = true;
  }
  OPENSSL_cleanse(closed, sizeof closed);
  return err;
}
