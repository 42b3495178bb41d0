/* The keyring file:
 *   "OVKEYRNG" | version u16 | epoch u64 | entries sealed under the epoch key, with all before them as AAD
 * An entry is type u8, id 28, key 32; type 0 remembers a destroyed id and has a zero key. Integers are
 * big-endian. The epoch key lies in a file of its own (epoch.h), sealed under the master key. */
#include "sv_keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "epoch.h"
#include "file.h"
#include "secret.h"

#define KEYRING_VERSION 2
#define MAGIC_BYTES 8
#define HEADER_BYTES (MAGIC_BYTES + 2 + 8)
#define ENTRY_BYTES (1 + OV_NAME_BYTES + OV_KEY_BYTES)
/* Two keys for each of half a million participants. */
#define FILE_BYTES_MAX ((size_t)64 << 20)
#define TYPE_DESTROYED 0

static const char magic[MAGIC_BYTES + 1] = "OVKEYRNG";

/* Sorted by id bytes, then type. */
typedef struct entry {
  uint8_t id[OV_NAME_BYTES];
  uint8_t type;
  uint8_t key[OV_KEY_BYTES];
} entry;

struct sv_keyring {
  char *path, *epoch_path;
  uint8_t master[OV_KEY_BYTES];
  sv_random_fn random;
  void *random_ctx;
  pthread_mutex_t
      save_lock; /* one writer of the file; taken before lock, and held across fsync, which lock never is */
  pthread_mutex_t lock; /* all below */
  bool locks_made;
  ov_hasher *h;
  entry *v;
  size_t n, cap;
  uint64_t epoch, disk_epoch; /* now; of the file on disk (0: there is none yet) */
  uint8_t epoch_key[OV_KEY_BYTES];
  bool dirty, old_left; /* old_left: the epoch file may still hold the key before this one */
};

/* -- entries, under the lock ----------------------------------------------------------------------------- */

static int compare(const entry *e, const uint8_t id[OV_NAME_BYTES], uint8_t type) {
  int c = memcmp(e->id, id, OV_NAME_BYTES);
  return c ? c : (int)e->type - (int)type;
}

/* Index of the entry, or of the place where it belongs. */
static size_t find(const sv_keyring *k, const uint8_t id[OV_NAME_BYTES], uint8_t type, bool *found) {
  size_t lo = 0, hi = k->n;
  *found = false;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    int c = compare(&k->v[mid], id, type);
    if (c == 0) *found = true;
    if (c < 0) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

/* Not realloc: it would leave keys behind in freed memory. */
static int make_room(sv_keyring *k) {
  if (k->n < k->cap) return 0;
  size_t cap = k->cap ? k->cap * 2 : 64;
  entry *v = sv_secret_alloc(cap * sizeof *v);
  if (!v) return OV_E_NOMEM;
  if (k->v) {
    memcpy(v, k->v, k->n * sizeof *v);
    sv_secret_free(k->v, k->cap * sizeof *v);
  }
  k->v = v;
  k->cap = cap;
  return 0;
}

static int set(sv_keyring *k, const uint8_t id[OV_NAME_BYTES], uint8_t type,
               const uint8_t key[OV_KEY_BYTES]) {
  bool found;
  size_t i = find(k, id, type, &found);
  if (!found) {
    int err = make_room(k);
    if (err) return err;
    memmove(&k->v[i + 1], &k->v[i], (k->n - i) * sizeof *k->v);
    k->n++;
    memcpy(k->v[i].id, id, OV_NAME_BYTES);
    k->v[i].type = type;
  }
  memcpy(k->v[i].key, key, OV_KEY_BYTES);
  return 0;
}

static bool is_destroyed(const sv_keyring *k, const uint8_t id[OV_NAME_BYTES]) {
  bool found;
  (void)find(k, id, TYPE_DESTROYED, &found);
  return found;
}

static void forget(sv_keyring *k, const uint8_t id[OV_NAME_BYTES]) {
  bool found;
  size_t from = find(k, id, 0, &found), to = from;
  while (to < k->n && !memcmp(k->v[to].id, id, OV_NAME_BYTES)) to++;
  if (to == from) return;
  memmove(&k->v[from], &k->v[to], (k->n - to) * sizeof *k->v);
  OPENSSL_cleanse(&k->v[k->n - (to - from)], (to - from) * sizeof *k->v);
  k->n -= to - from;
}

/* -- the file -------------------------------------------------------------------------------------------- */

static void put_uint(uint8_t *p, uint64_t v, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0; v >>= 8) p[i] = (uint8_t)v;
}

static uint64_t get_uint(const uint8_t *p, unsigned bytes) {
  uint64_t v = 0;
  for (unsigned i = 0; i < bytes; i++) v = v << 8 | p[i];
  return v;
}

static int seal_entries(sv_keyring *k, const uint8_t header[HEADER_BYTES], const uint8_t *p, size_t n,
                        ov_buf *out) {
  uint8_t nonce[12];
  int err = k->random(k->random_ctx, nonce, sizeof nonce);
  return err ? err : ov_seal(k->h, k->epoch_key, nonce, header, HEADER_BYTES, p, n, out);
}

static int encode(sv_keyring *k, ov_buf *out) {
  uint8_t header[HEADER_BYTES];
  memcpy(header, magic, MAGIC_BYTES);
  put_uint(header + MAGIC_BYTES, KEYRING_VERSION, 2);
  put_uint(header + MAGIC_BYTES + 2, k->epoch, 8);
  ov_buf_put(out, header, sizeof header);
  size_t n = k->n * ENTRY_BYTES;
  uint8_t *body = sv_secret_alloc(n), *at = body;
  if (!body) return OV_E_NOMEM;
  for (size_t i = 0; i < k->n; i++) {
    *at++ = k->v[i].type;
    memcpy(at, k->v[i].id, OV_NAME_BYTES);
    memcpy(at + OV_NAME_BYTES, k->v[i].key, OV_KEY_BYTES);
    at += OV_NAME_BYTES + OV_KEY_BYTES;
  }
  int err = seal_entries(k, header, body, n, out);
  sv_secret_free(body, n);
  return err ? err : out->err;
}

static int decode_entries(sv_keyring *k, const ov_buf *body) {
  if (body->n % ENTRY_BYTES) return OV_E_CORRUPT;
  int err = 0;
  for (size_t at = 0; at < body->n && !err; at += ENTRY_BYTES)
    err = set(k, body->p + at + 1, body->p[at], body->p + at + 1 + OV_NAME_BYTES);
  return err;
}

static sv_epoch_file epoch_file(const sv_keyring *k) {
  return (sv_epoch_file){.path = k->epoch_path, .h = k->h, .random = k->random, .random_ctx = k->random_ctx};
}

static int decode(sv_keyring *k, const uint8_t *p, size_t n) {
  ov_buf plain;
  sv_epoch_file f = epoch_file(k);
  if (n < HEADER_BYTES + OV_SEAL_OVERHEAD || memcmp(p, magic, MAGIC_BYTES)) return OV_E_CORRUPT;
  uint64_t version = get_uint(p + MAGIC_BYTES, 2);
  if (version != KEYRING_VERSION) return version > KEYRING_VERSION ? OV_E_NEWER : OV_E_CORRUPT;
  k->epoch = k->disk_epoch = get_uint(p + MAGIC_BYTES + 2, 8);
  int err = sv_epoch_get(&f, k->master, k->epoch, k->epoch_key);
  if (err == OV_E_NOTFOUND) err = OV_E_CRYPTO;
  ov_buf_init(&plain, FILE_BYTES_MAX);
  if (!err) err = ov_open(k->h, k->epoch_key, p, HEADER_BYTES, p + HEADER_BYTES, n - HEADER_BYTES, &plain);
  if (!err) err = decode_entries(k, &plain);
  if (plain.p) OPENSSL_cleanse(plain.p, plain.cap);
  ov_buf_free(&plain);
  return err;
}

/* The old file is overwritten once no name leads to it. A link that somebody else made (a backup) is theirs.
 */
static int wipe_unlinked(int fd) {
  struct stat st;
  if (fstat(fd, &st)) return sv_errno_error(errno);
  return st.st_nlink == 0 ? sv_file_wipe(fd) : 0;
}

static int replace_file(sv_keyring *k, const ov_buf *file, bool must_wipe) {
  int old = open(k->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  int err = sv_file_replace(k->path, file->p, file->n);
  if (old < 0) return err;
  int wiped = err ? 0 : wipe_unlinked(old);
  close(old);
  return err ? err : must_wipe ? wiped : 0;
}

/* A new epoch: its key is on disk before the file that needs it, and the old one goes once nothing does. */
static int write_file(sv_keyring *k, const ov_buf *file, uint64_t epoch, const uint8_t key[OV_KEY_BYTES],
                      bool always) {
  sv_epoch_file f = epoch_file(k);
  bool fresh = epoch != k->disk_epoch;
  int err = fresh ? sv_epoch_add(&f, k->master, k->disk_epoch, epoch, key) : 0;
  if (!err) err = replace_file(k, file, always);
  if (err) return err;
  k->disk_epoch = epoch;
  k->old_left |= fresh;
  if (k->old_left) err = sv_epoch_only(&f, epoch);
  k->old_left = err != 0;
  return err;
}

/* Under save_lock (or before anybody else knows k). lock is let go while the disk works; what is put
 * meanwhile is dirty again. */
static int save(sv_keyring *k, bool always) {
  ov_buf file;
  uint8_t key[OV_KEY_BYTES];
  ov_buf_init(&file, 2 * FILE_BYTES_MAX);
  pthread_mutex_lock(&k->lock);
  bool needed = always || k->dirty;
  int err = needed ? encode(k, &file) : 0;
  uint64_t epoch = k->epoch;
  memcpy(key, k->epoch_key, sizeof key);
  if (!err) k->dirty = false;
  pthread_mutex_unlock(&k->lock);
  if (needed && !err) {
    err = write_file(k, &file, epoch, key, always);
    if (err) {
      pthread_mutex_lock(&k->lock);
      k->dirty = true;
      pthread_mutex_unlock(&k->lock);
    }
  }
  OPENSSL_cleanse(key, sizeof key);
  ov_buf_free(&file);
  return err;
}

/* -- open and close -------------------------------------------------------------------------------------- */

static int make_first(sv_keyring *k) {
  k->epoch = 1;
  int err = k->random(k->random_ctx, k->epoch_key, OV_KEY_BYTES);
  return err ? err : save(k, true);
}

/* A temporary file is what a power cut left of an unfinished save: nothing relied on it, and it holds keys.
 */
static void remove_leftover(const sv_keyring *k) {
  char *tmp = sv_file_name(k->path, ".tmp");
  if (!tmp) return;
  int fd = open(tmp, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0) {
    unlink(tmp);
    (void)sv_file_wipe(fd);
    close(fd);
  }
  free(tmp);
}

/* A crash may have come between the new file and the end of the old key. On a disk that takes no writes it
 * stays; the next erasure or start sees to it. */
static int finish_epoch(sv_keyring *k) {
  sv_epoch_file f = epoch_file(k);
  int err = sv_epoch_only(&f, k->epoch);
  return err == OV_E_DENIED || err == OV_E_IO ? 0 : err;
}

static int load(sv_keyring *k, bool create) {
  ov_buf file;
  ov_buf_init(&file, FILE_BYTES_MAX);
  int err = sv_file_read(k->path, FILE_BYTES_MAX, &file);
  if (err == OV_E_LIMIT) err = OV_E_CORRUPT;
  if (!err) {
    err = decode(k, file.p, file.n);
    if (!err) err = finish_epoch(k);
    if (!err) remove_leftover(k);
  } else if (err == OV_E_NOTFOUND && create) {
    err = make_first(k);
  }
  ov_buf_free(&file);
  return err;
}

static bool make_locks(sv_keyring *k) {
  if (pthread_mutex_init(&k->lock, NULL)) return false;
  if (pthread_mutex_init(&k->save_lock, NULL)) {
    pthread_mutex_destroy(&k->lock);
    return false;
  }
  return k->locks_made = true;
}

int sv_keyring_open(const char *path, const char *epoch_path, const uint8_t master[OV_KEY_BYTES],
                    sv_random_fn rnd, void *rnd_ctx, bool create, sv_keyring **out) {
  *out = NULL;
  sv_keyring *k = sv_secret_alloc(sizeof *k);
  if (!k) return OV_E_NOMEM;
  k->random = rnd;
  k->random_ctx = rnd_ctx;
  memcpy(k->master, master, OV_KEY_BYTES);
  k->path = strdup(path);
  k->epoch_path = strdup(epoch_path);
  k->h = ov_hasher_new();
  int err = k->path && k->epoch_path && k->h && make_locks(k) ? load(k, create) : OV_E_NOMEM;
  if (err) sv_keyring_close(k);
  else *out = k;
  return err;
}

void sv_keyring_close(sv_keyring *k) {
  if (!k) return;
  if (k->locks_made) {
    pthread_mutex_destroy(&k->save_lock);
    pthread_mutex_destroy(&k->lock);
  }
  sv_secret_free(k->v, k->cap * sizeof *k->v);
  ov_hasher_free(k->h);
  free(k->path);
  free(k->epoch_path);
  sv_secret_free(k, sizeof *k);
}

/* -- keys ------------------------------------------------------------------------------------------------ */

static int get_locked(sv_keyring *k, uint8_t type, const uint8_t id[OV_NAME_BYTES],
                      uint8_t key[OV_KEY_BYTES]) {
  bool found;
  size_t i = find(k, id, type, &found);
  if (!found) return OV_E_NOTFOUND;
  memcpy(key, k->v[i].key, OV_KEY_BYTES);
  return 0;
}

int sv_keyring_get(sv_keyring *k, sv_key_type type, const ov_name *id, uint8_t key[OV_KEY_BYTES]) {
  uint8_t b[OV_NAME_BYTES];
  ov_name_write(id, b);
  pthread_mutex_lock(&k->lock);
  int err = get_locked(k, (uint8_t)type, b, key);
  pthread_mutex_unlock(&k->lock);
  return err;
}

int sv_keyring_put(sv_keyring *k, sv_key_type type, const ov_name *id, const uint8_t key[OV_KEY_BYTES]) {
  uint8_t b[OV_NAME_BYTES];
  ov_name_write(id, b);
  pthread_mutex_lock(&k->lock);
  bool found;
  size_t i = find(k, b, (uint8_t)type, &found);
  bool same = found && !CRYPTO_memcmp(k->v[i].key, key,
                                      OV_KEY_BYTES); /* told again: no reason to write the file again */
  int err = same ? 0 : is_destroyed(k, b) ? OV_E_DENIED : set(k, b, (uint8_t)type, key);
  if (!err && !same) k->dirty = true;
  pthread_mutex_unlock(&k->lock);
  return err;
}

int sv_keyring_need(sv_keyring *k, sv_key_type type, const ov_name *id, uint8_t key[OV_KEY_BYTES]) {
  uint8_t b[OV_NAME_BYTES];
  ov_name_write(id, b);
  pthread_mutex_lock(&k->lock);
  int err = get_locked(k, (uint8_t)type, b, key);
  if (err == OV_E_NOTFOUND && !is_destroyed(k, b)) {
    err = k->random(k->random_ctx, key, OV_KEY_BYTES);
    if (!err) err = set(k, b, (uint8_t)type, key);
    if (!err) k->dirty = true;
  }
  pthread_mutex_unlock(&k->lock);
  return err;
}

bool sv_keyring_dirty(sv_keyring *k) {
  pthread_mutex_lock(&k->lock);
  bool dirty = k->dirty;
  pthread_mutex_unlock(&k->lock);
  return dirty;
}

int sv_keyring_save(sv_keyring *k) {
  pthread_mutex_lock(&k->save_lock);
  int err = save(k, false);
  pthread_mutex_unlock(&k->save_lock);
  return err;
}

uint64_t sv_keyring_epoch(sv_keyring *k) {
  pthread_mutex_lock(&k->lock);
  uint64_t epoch = k->epoch;
  pthread_mutex_unlock(&k->lock);
  return epoch;
}

/* -- erasure --------------------------------------------------------------------------------------------- */

/* Under save_lock. id may be NULL: a new epoch only. */
static int next_epoch(sv_keyring *k, const uint8_t id[OV_NAME_BYTES]) {
  static const uint8_t zero[OV_KEY_BYTES];
  uint8_t fresh[OV_KEY_BYTES];
  int err = k->random(k->random_ctx, fresh, sizeof fresh);
  if (err) return err;
  pthread_mutex_lock(&k->lock);
  if (id) {
    forget(k, id);
    err = set(k, id, TYPE_DESTROYED, zero);
  }
  k->epoch = (k->epoch > k->disk_epoch ? k->epoch : k->disk_epoch) + 1;
  memcpy(k->epoch_key, fresh, sizeof fresh);
  k->dirty = true;
  pthread_mutex_unlock(&k->lock);
  OPENSSL_cleanse(fresh, sizeof fresh);
  return err;
}

int sv_keyring_destroy(sv_keyring *k, const ov_name *id) {
  uint8_t b[OV_NAME_BYTES];
  if (ov_name_is_zero(id)) return OV_E_INVALID;
  ov_name_write(id, b);
  pthread_mutex_lock(&k->save_lock);
  int err = next_epoch(k, b);
  if (!err) err = save(k, true);
  pthread_mutex_unlock(&k->save_lock);
  return err;
}

int sv_keyring_rotate(sv_keyring *k, const uint8_t *master) {
  pthread_mutex_lock(&k->save_lock);
  int err = next_epoch(k, NULL);
  if (!err && master) memcpy(k->master, master, OV_KEY_BYTES);
  if (!err) err = save(k, true);
  pthread_mutex_unlock(&k->save_lock);
  return err;
}

bool sv_keyring_destroyed(sv_keyring *k, const ov_name *id) {
  uint8_t b[OV_NAME_BYTES];
  ov_name_write(id, b);
  pthread_mutex_lock(&k->lock);
  bool destroyed = is_destroyed(k, b);
  pthread_mutex_unlock(&k->lock);
  return destroyed;
}
