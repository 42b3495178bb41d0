#include "store_faults.h"

#include <errno.h>
#include <lmdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static fault_kind armed;
static unsigned left, syncs;
static int error_code;
static bool go_on, hit, paused_now;

void fault_arm(fault_kind kind, unsigned k, int error, bool forever) {
  armed = kind;
  left = k;
  error_code = error;
  go_on = forever;
  hit = false;
}

bool fault_disarm(void) {
  left = 0;
  return hit;
}

void fault_pause(bool paused) { paused_now = paused; }

unsigned fault_syncs(void) { return syncs; }

static atomic_bool held;
static atomic_uint waiting;

void fault_hold_fsync(bool hold) { atomic_store(&held, hold); }

bool fault_fsync_waits(void) { return atomic_load(&waiting) > 0; }

static void wait_while_held(void) {
  atomic_fetch_add(&waiting, 1);
  while (atomic_load(&held)) usleep(1000);
  atomic_fetch_sub(&waiting, 1);
}

static bool fails(fault_kind kind) {
  if (left == 0 || paused_now || kind != armed || (left > 1 && --left)) return false;
  if (!go_on) left = 0;
  hit = true;
  errno = error_code;
  return true;
}

/* -- the C library --------------------------------------------------------------------------------------- */

ssize_t pwrite(int fd, const void *p, size_t n, off_t at) {
  return fails(FAULT_WRITE) ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *v, int n) {
  return fails(FAULT_WRITE) ? -1 : syscall(SYS_writev, fd, v, n);
}

ssize_t write(int fd, const void *p, size_t n) {
  return fd > 2 && fails(FAULT_WRITE) ? -1 : syscall(SYS_write, fd, p, n);
}

int fdatasync(int fd) {
  syncs++;
  return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd) {
  wait_while_held();
  return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t n) { return fails(FAULT_TRUNCATE) ? -1 : (int)syscall(SYS_ftruncate, fd, n); }

int rename(const char *from, const char *to) {
  return fails(FAULT_RENAME) ? -1 : (int)syscall(SYS_rename, from, to);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t from) {
  if ((flags & MAP_SHARED) && fails(FAULT_MAP)) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, from);
}

/* -- the linker's wraps ---------------------------------------------------------------------------------- */

#define WRAP(kind, type, f, failure, params, args)                                                           \
  type __real_##f params;                                                                                    \
  type __wrap_##f params;                                                                                    \
  type __wrap_##f params { return fails(kind) ? (failure) : __real_##f args; }

WRAP(FAULT_ALLOC, void *, malloc, NULL, (size_t n), (n))
WRAP(FAULT_ALLOC, void *, calloc, NULL, (size_t n, size_t size), (n, size))
WRAP(FAULT_ALLOC, void *, realloc, NULL, (void *p, size_t n), (p, n))
WRAP(FAULT_ALLOC, char *, strdup, NULL, (const char *s), (s))

WRAP(FAULT_LMDB, int, mdb_env_create, error_code, (MDB_env * *e), (e))
WRAP(FAULT_LMDB, int, mdb_env_open, error_code, (MDB_env * e, const char *p, unsigned f, mdb_mode_t m),
     (e, p, f, m))
WRAP(FAULT_LMDB, int, mdb_env_set_mapsize, error_code, (MDB_env * e, size_t n), (e, n))
WRAP(FAULT_LMDB, int, mdb_txn_begin, error_code, (MDB_env * e, MDB_txn *p, unsigned f, MDB_txn **t),
     (e, p, f, t))
WRAP(FAULT_LMDB, int, mdb_dbi_open, error_code, (MDB_txn * t, const char *n, unsigned f, MDB_dbi *d),
     (t, n, f, d))
WRAP(FAULT_LMDB, int, mdb_get, error_code, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v), (t, d, k, v))
WRAP(FAULT_LMDB, int, mdb_put, error_code, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v, unsigned f),
     (t, d, k, v, f))
WRAP(FAULT_LMDB, int, mdb_del, error_code, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v), (t, d, k, v))
WRAP(FAULT_LMDB, int, mdb_cursor_open, error_code, (MDB_txn * t, MDB_dbi d, MDB_cursor **c), (t, d, c))
WRAP(FAULT_LMDB, int, mdb_cursor_get, error_code, (MDB_cursor * c, MDB_val *k, MDB_val *v, MDB_cursor_op o),
     (c, k, v, o))
WRAP(FAULT_LMDB, int, mdb_stat, error_code, (MDB_txn * t, MDB_dbi d, MDB_stat *s), (t, d, s))
