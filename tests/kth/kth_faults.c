#include "kth_faults.h"

#include <dirent.h>
#include <errno.h>
#include <lmdb.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static kth_kind armed;
static unsigned armed_with, left, counted;
static bool counting, paused, hit;

const char *const kth_names[KTH_KINDS] = {"allocation",          "call of LMDB", "call of OpenSSL",
                                          "call for a file",     "write",        "sync",
                                          "draw of random bytes"};

void kth_arm(kth_kind kind, unsigned k) {
  armed = kind;
  armed_with = left = k;
  hit = false;
}

void kth_on(bool on) { counting = on; }

unsigned kth_counted(void) { return counted; }

void kth_pause(bool on) { paused = on; }

bool kth_hit(kth_kind kind) { return hit && armed == kind; }

bool kth_disarm(void) {
  counted = armed_with - left;
  left = 0;
  counting = false;
  return hit;
}

bool kth_fails(kth_kind kind) {
  if (!counting || paused || kind != armed || left == 0 || --left > 0) return false;
  hit = true;
  return true;
}

static bool fails_with(kth_kind kind, int error) {
  if (!kth_fails(kind)) return false;
  errno = error;
  return true;
}

/* -- the C library --------------------------------------------------------------------------------------- */

ssize_t pwrite(int fd, const void *p, size_t n, off_t at) {
  return fails_with(KTH_WRITE, ENOSPC) ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *v, int n) {
  return fails_with(KTH_WRITE, ENOSPC) ? -1 : syscall(SYS_writev, fd, v, n);
}

ssize_t write(int fd, const void *p, size_t n) {
  return fd > 2 && fails_with(KTH_WRITE, ENOSPC) ? -1 : syscall(SYS_write, fd, p, n);
}

int fdatasync(int fd) { return fails_with(KTH_SYNC, EIO) ? -1 : (int)syscall(SYS_fdatasync, fd); }

int fsync(int fd) { return fails_with(KTH_SYNC, EIO) ? -1 : (int)syscall(SYS_fsync, fd); }

/* -- the linker's wraps ---------------------------------------------------------------------------------- */

#define WRAP(kind, type, f, failure, params, args)                                                           \
  type __real_##f params;                                                                                    \
  type __wrap_##f params;                                                                                    \
  type __wrap_##f params { return kth_fails(kind) ? (failure) : __real_##f args; }

#define WRAP_LMDB(f, params, args) WRAP(KTH_LMDB, int, f, ENOMEM, params, args)
#define WRAP_CRYPTO(type, f, failure, params, args) WRAP(KTH_CRYPTO, type, f, failure, params, args)

WRAP(KTH_ALLOC, void *, malloc, NULL, (size_t n), (n))
WRAP(KTH_ALLOC, void *, calloc, NULL, (size_t n, size_t size), (n, size))
WRAP(KTH_ALLOC, void *, realloc, NULL, (void *p, size_t n), (p, n))
WRAP(KTH_ALLOC, char *, strdup, NULL, (const char *s), (s))

WRAP(KTH_ALLOC, char *, strndup, NULL, (const char *s, size_t n), (s, n))

/* errno says why, as the C library does. */
#define WRAP_FILE(type, f, failure, error, params, args)                                                     \
  type __real_##f params;                                                                                    \
  type __wrap_##f params;                                                                                    \
  type __wrap_##f params { return fails_with(KTH_FILE, error) ? (failure) : __real_##f args; }

WRAP_FILE(int, open, -1, EMFILE, (const char *p, int flags, int mode), (p, flags, mode))
WRAP_FILE(FILE *, fopen, NULL, EMFILE, (const char *p, const char *mode), (p, mode))
WRAP_FILE(DIR *, opendir, NULL, EMFILE, (const char *p), (p))
WRAP_FILE(int, mkdir, -1, ENOSPC, (const char *p, mode_t mode), (p, mode))
WRAP_FILE(int, rename, -1, ENOSPC, (const char *p, const char *to), (p, to))
WRAP_FILE(int, ftruncate, -1, ENOSPC, (int fd, off_t n), (fd, n))
WRAP_FILE(ssize_t, read, -1, EIO, (int fd, void *p, size_t n), (fd, p, n))
WRAP_FILE(ssize_t, pread, -1, EIO, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
WRAP_FILE(int, flock, -1, ENOLCK, (int fd, int how), (fd, how))

WRAP_LMDB(mdb_env_create, (MDB_env * *e), (e))
WRAP_LMDB(mdb_env_open, (MDB_env * e, const char *p, unsigned f, mdb_mode_t m), (e, p, f, m))
WRAP_LMDB(mdb_env_set_mapsize, (MDB_env * e, size_t n), (e, n))
WRAP_LMDB(mdb_txn_begin, (MDB_env * e, MDB_txn *p, unsigned f, MDB_txn **t), (e, p, f, t))
WRAP_LMDB(mdb_dbi_open, (MDB_txn * t, const char *n, unsigned f, MDB_dbi *d), (t, n, f, d))
WRAP_LMDB(mdb_get, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v), (t, d, k, v))
WRAP_LMDB(mdb_put, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v, unsigned f), (t, d, k, v, f))
WRAP_LMDB(mdb_del, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v), (t, d, k, v))
WRAP_LMDB(mdb_cursor_open, (MDB_txn * t, MDB_dbi d, MDB_cursor **c), (t, d, c))
WRAP_LMDB(mdb_cursor_get, (MDB_cursor * c, MDB_val *k, MDB_val *v, MDB_cursor_op o), (c, k, v, o))
WRAP_LMDB(mdb_stat, (MDB_txn * t, MDB_dbi d, MDB_stat *s), (t, d, s))
WRAP_LMDB(mdb_env_stat, (MDB_env * e, MDB_stat *s), (e, s))
WRAP_LMDB(mdb_env_info, (MDB_env * e, MDB_envinfo *i), (e, i))
WRAP_LMDB(mdb_env_copyfd2, (MDB_env * e, mdb_filehandle_t fd, unsigned f), (e, fd, f))

/* A commit that fails has ended its transaction all the same. */
int __real_mdb_txn_commit(MDB_txn *t);
int __wrap_mdb_txn_commit(MDB_txn *t);
int __wrap_mdb_txn_commit(MDB_txn *t) {
  if (!kth_fails(KTH_LMDB)) return __real_mdb_txn_commit(t);
  mdb_txn_abort(t);
  return ENOMEM;
}

WRAP_CRYPTO(EVP_MD_CTX *, EVP_MD_CTX_new, NULL, (void), ())
WRAP_CRYPTO(EVP_MD *, EVP_MD_fetch, NULL, (OSSL_LIB_CTX * l, const char *n, const char *p), (l, n, p))
WRAP_CRYPTO(EVP_MAC *, EVP_MAC_fetch, NULL, (OSSL_LIB_CTX * l, const char *n, const char *p), (l, n, p))
WRAP_CRYPTO(EVP_CIPHER *, EVP_CIPHER_fetch, NULL, (OSSL_LIB_CTX * l, const char *n, const char *p), (l, n, p))
WRAP_CRYPTO(EVP_MAC_CTX *, EVP_MAC_CTX_new, NULL, (EVP_MAC * m), (m))
WRAP_CRYPTO(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, NULL, (void), ())
WRAP_CRYPTO(int, EVP_CIPHER_CTX_ctrl, 0, (EVP_CIPHER_CTX * c, int type, int arg, void *p), (c, type, arg, p))
WRAP_CRYPTO(int, EVP_MAC_CTX_set_params, 0, (EVP_MAC_CTX * c, const OSSL_PARAM p[]), (c, p))
WRAP_CRYPTO(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name, NULL,
            (OSSL_LIB_CTX * l, const char *n, const char *p), (l, n, p))
WRAP_CRYPTO(int, EVP_PKEY_fromdata_init, 0, (EVP_PKEY_CTX * c), (c))
WRAP_CRYPTO(int, EVP_PKEY_get_bn_param, 0, (const EVP_PKEY *k, const char *n, BIGNUM **b), (k, n, b))
WRAP_CRYPTO(int, EVP_DigestVerify, -1,
            (EVP_MD_CTX * c, const unsigned char *s, size_t s_n, const unsigned char *p, size_t n),
            (c, s, s_n, p, n))
WRAP_CRYPTO(EC_GROUP *, EC_GROUP_new_by_curve_name, NULL, (int nid), (nid))
WRAP_CRYPTO(EC_POINT *, EC_POINT_new, NULL, (const EC_GROUP *g), (g))
WRAP_CRYPTO(ECDSA_SIG *, ECDSA_SIG_new, NULL, (void), ())
WRAP_CRYPTO(BIGNUM *, BN_bin2bn, NULL, (const unsigned char *p, int n, BIGNUM *b), (p, n, b))
WRAP_CRYPTO(int, BN_bn2binpad, -1, (const BIGNUM *b, unsigned char *p, int n), (b, p, n))
WRAP_CRYPTO(int, EVP_DigestInit_ex2, 0, (EVP_MD_CTX * c, const EVP_MD *m, const OSSL_PARAM p[]), (c, m, p))
WRAP_CRYPTO(int, EVP_DigestUpdate, 0, (EVP_MD_CTX * c, const void *p, size_t n), (c, p, n))
WRAP_CRYPTO(int, EVP_DigestFinal_ex, 0, (EVP_MD_CTX * c, unsigned char *out, unsigned *n), (c, out, n))
WRAP_CRYPTO(int, EVP_MAC_init, 0, (EVP_MAC_CTX * c, const unsigned char *key, size_t n, const OSSL_PARAM p[]),
            (c, key, n, p))
WRAP_CRYPTO(int, EVP_MAC_update, 0, (EVP_MAC_CTX * c, const unsigned char *p, size_t n), (c, p, n))
WRAP_CRYPTO(int, EVP_MAC_final, 0, (EVP_MAC_CTX * c, unsigned char *out, size_t *n, size_t cap),
            (c, out, n, cap))
WRAP_CRYPTO(int, EVP_CipherInit_ex2, 0,
            (EVP_CIPHER_CTX * c, const EVP_CIPHER *t, const unsigned char *key, const unsigned char *iv,
             int e, const OSSL_PARAM p[]),
            (c, t, key, iv, e, p))
WRAP_CRYPTO(int, EVP_CipherUpdate, 0,
            (EVP_CIPHER_CTX * c, unsigned char *out, int *n, const unsigned char *in, int in_n),
            (c, out, n, in, in_n))
WRAP_CRYPTO(int, EVP_CipherFinal_ex, 0, (EVP_CIPHER_CTX * c, unsigned char *out, int *n), (c, out, n))
WRAP_CRYPTO(int, EVP_DigestSignInit_ex, 0,
            (EVP_MD_CTX * c, EVP_PKEY_CTX **pc, const char *name, OSSL_LIB_CTX *l, const char *props,
             EVP_PKEY *key, const OSSL_PARAM p[]),
            (c, pc, name, l, props, key, p))
WRAP_CRYPTO(int, EVP_DigestSign, 0,
            (EVP_MD_CTX * c, unsigned char *sig, size_t *sig_n, const unsigned char *p, size_t n),
            (c, sig, sig_n, p, n))
WRAP_CRYPTO(int, EVP_DigestVerifyInit_ex, 0,
            (EVP_MD_CTX * c, EVP_PKEY_CTX **pc, const char *name, OSSL_LIB_CTX *l, const char *props,
             EVP_PKEY *key, const OSSL_PARAM p[]),
            (c, pc, name, l, props, key, p))
WRAP_CRYPTO(int, EVP_PKEY_fromdata, 0, (EVP_PKEY_CTX * c, EVP_PKEY **key, int selection, OSSL_PARAM p[]),
            (c, key, selection, p))
