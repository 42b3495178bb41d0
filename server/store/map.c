/* The map: how it grows while readers come and go. LMDB takes a new size with readers live and lets their
 * pointers fault, so growth waits behind a gate until all are out. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "tables.h"

int sv_gate_init(sv_gate *g) {
  pthread_condattr_t attr;
  g->readers = 0;
  g->closed = false;
  if (pthread_condattr_init(&attr)) return OV_E_NOMEM;
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  int rc = pthread_cond_init(&g->cond, &attr);
  pthread_condattr_destroy(&attr);
  if (rc) return OV_E_NOMEM;
  if (!pthread_mutex_init(&g->lock, NULL)) return 0;
  pthread_cond_destroy(&g->cond);
  return OV_E_NOMEM;
}

void sv_gate_destroy(sv_gate *g) {
  pthread_cond_destroy(&g->cond);
  pthread_mutex_destroy(&g->lock);
}

void sv_gate_enter(sv_gate *g) {
  pthread_mutex_lock(&g->lock);
  while (g->closed) pthread_cond_wait(&g->cond, &g->lock);
  g->readers++;
  pthread_mutex_unlock(&g->lock);
}

void sv_gate_leave(sv_gate *g) {
  pthread_mutex_lock(&g->lock);
  if (--g->readers == 0) pthread_cond_broadcast(&g->cond);
  pthread_mutex_unlock(&g->lock);
}

unsigned sv_gate_readers(sv_gate *g) {
  pthread_mutex_lock(&g->lock);
  unsigned n = g->readers;
  pthread_mutex_unlock(&g->lock);
  return n;
}

/* Keeps new readers out and waits for those inside. Closed and locked when it returns 0. */
static int gate_close(sv_gate *g, unsigned wait_ms) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += wait_ms / 1000;
  until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  pthread_mutex_lock(&g->lock);
  g->closed = true;
  while (g->readers > 0) {
    if (pthread_cond_timedwait(&g->cond, &g->lock, &until) != ETIMEDOUT) continue;
    if (g->readers == 0) break;
    g->closed = false;
    pthread_cond_broadcast(&g->cond);
    pthread_mutex_unlock(&g->lock);
    return OV_E_BUSY;
  }
  return 0;
}

static void gate_open(sv_gate *g) {
  g->closed = false;
  pthread_cond_broadcast(&g->cond);
  pthread_mutex_unlock(&g->lock);
}

int sv_map_extend_file(sv_env *e, size_t bytes) {
  mdb_filehandle_t fd;
  struct stat st;
  if (mdb_env_get_fd(e->m, &fd)) return OV_E_INTERNAL;
  if (fstat(fd, &st)) return sv_errno_error(errno);
  if ((uint64_t)st.st_size >= bytes) return 0;
  if (ftruncate(fd, (off_t)bytes) || fsync(fd)) return sv_errno_error(errno);
  return 0;
}

size_t sv_map_used(sv_env *e) {
  MDB_envinfo info;
  return mdb_env_info(e->m, &info) ? 0 : (info.me_last_pgno + 1) * e->page_bytes;
}

/* LMDB lets go of the old map before it makes the new one, and is left with none if that cannot be had, at
 * which the next reader dies. So it is tried first, beside the old one. */
static bool can_map(sv_env *e, size_t bytes) {
  mdb_filehandle_t fd;
  if (mdb_env_get_fd(e->m, &fd)) return false;
  void *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (p == MAP_FAILED) return false;
  munmap(p, bytes);
  return true;
}

int sv_map_grow(sv_env *e, unsigned wait_ms) {
  size_t now = e->map_bytes;
  if (now >= e->map_bytes_max) return OV_E_FULL;
  size_t bytes = now > e->map_bytes_max / 2 ? e->map_bytes_max : now * 2;
  int err = sv_map_extend_file(e, bytes);
  if (!err && !can_map(e, bytes)) err = OV_E_NOMEM;
  if (!err) err = gate_close(&e->gate, wait_ms);
  if (err) return err;
  int rc = mdb_env_set_mapsize(e->m, bytes);
  gate_open(&e->gate);
  if (rc) return sv_env_error(e, rc);
  e->map_bytes = bytes;
  atomic_fetch_add(&e->grows, 1);
  return 0;
}

int sv_map_adopt(sv_env *e) {
  int err = gate_close(&e->gate, SV_GROW_WAIT_HARD_MS);
  if (err) return err;
  int rc = mdb_env_set_mapsize(e->m, 0);
  gate_open(&e->gate);
  MDB_envinfo info;
  if (rc || mdb_env_info(e->m, &info)) return sv_env_error(e, rc);
  e->map_bytes = info.me_mapsize;
  return 0;
}
