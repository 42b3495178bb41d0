#include "record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static recording *on;
static ino_t data_ino, synced_ino;
static char side_path[512];

static void need(bool ok, const char *what) {
  if (ok) return;
  perror(what);
  abort();
}

static event *add(event_kind kind, uint64_t offset, const void *p, size_t n) {
  if (on->n == on->cap) {
    on->cap = on->cap ? 2 * on->cap : 1024;
    on->v = realloc(on->v, on->cap * sizeof *on->v);
    need(on->v, "memory");
  }
  event *e = &on->v[on->n++];
  *e = (event){.kind = kind, .offset = offset, .n = n};
  if (n) {
    e->p = malloc(n);
    need(e->p, "memory");
    memcpy(e->p, p, n);
  }
  return e;
}

static uint8_t *whole(const char *path, size_t *n, ino_t *ino) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  need(fd >= 0 && !fstat(fd, &st), path);
  uint8_t *p = malloc((size_t)st.st_size + 1);
  need(p && read(fd, p, (size_t)st.st_size) == st.st_size, path);
  close(fd);
  *n = (size_t)st.st_size;
  if (ino) *ino = st.st_ino;
  return p;
}

void record_start(recording *r, const char *data, const char *side) {
  memset(r, 0, sizeof *r);
  r->base = whole(data, &r->base_n, &data_ino);
  side_path[0] = 0;
  if (side) {
    r->side = whole(side, &r->side_n, NULL);
    snprintf(side_path, sizeof side_path, "%s", side);
  }
  on = r;
}

void record_promise(uint64_t count) { add(EV_PROMISE, count, NULL, 0); }

void record_stop(void) { on = NULL; }

void record_free(recording *r) {
  for (size_t i = 0; i < r->n; i++) free(r->v[i].p);
  free(r->v);
  free(r->base);
  free(r->side);
}

static ino_t inode(int fd, bool *folder) {
  struct stat st;
  if (fstat(fd, &st)) return 0;
  if (folder) *folder = S_ISDIR(st.st_mode);
  return st.st_ino;
}

static void wrote(int fd, const void *p, size_t n, off_t at) {
  ino_t ino = inode(fd, NULL);
  if (ino == synced_ino) synced_ino = 0;
  if (ino != data_ino) return;
  bool sync = fcntl(fd, F_GETFL) & O_DSYNC;
  add(sync ? EV_WRITE_SYNC : EV_WRITE, (uint64_t)at, p, n);
}

static void synced(int fd) {
  bool folder = false;
  ino_t ino = inode(fd, &folder);
  if (ino == data_ino) add(EV_SYNC, 0, NULL, 0);
  else if (folder) add(EV_FOLDER_SYNC, 0, NULL, 0);
  else synced_ino = ino;
}

/* -- what stands before the C library's
 * ---------------------------------------------------------------------- */

ssize_t pwrite(int fd, const void *p, size_t n, off_t at) {
  ssize_t done = syscall(SYS_pwrite64, fd, p, n, at);
  if (on && done > 0) wrote(fd, p, (size_t)done, at);
  return done;
}

ssize_t write(int fd, const void *p, size_t n) {
  off_t at = on ? lseek(fd, 0, SEEK_CUR) : 0;
  ssize_t done = syscall(SYS_write, fd, p, n);
  if (on && done > 0) wrote(fd, p, (size_t)done, at);
  return done;
}

ssize_t writev(int fd, const struct iovec *v, int n) {
  off_t at = on ? lseek(fd, 0, SEEK_CUR) : 0;
  ssize_t done = syscall(SYS_writev, fd, v, n);
  ssize_t left = done;
  for (int i = 0; on && i < n && left > 0; i++) {
    size_t k = v[i].iov_len < (size_t)left ? v[i].iov_len : (size_t)left;
    wrote(fd, v[i].iov_base, k, at);
    at += (off_t)k;
    left -= (ssize_t)k;
  }
  return done;
}

int fdatasync(int fd) {
  int err = (int)syscall(SYS_fdatasync, fd);
  if (on && !err) synced(fd);
  return err;
}

int fsync(int fd) {
  int err = (int)syscall(SYS_fsync, fd);
  if (on && !err) synced(fd);
  return err;
}

int msync(void *p, size_t n, int flags) {
  need(!on, "a store writes through its map"); /* then what is on disk when is the kernel's secret */
  return (int)syscall(SYS_msync, p, n, flags);
}

int ftruncate(int fd, off_t n) {
  int err = (int)syscall(SYS_ftruncate, fd, n);
  if (on && !err && inode(fd, NULL) == data_ino) add(EV_SIZE, (uint64_t)n, NULL, 0);
  return err;
}

int rename(const char *from, const char *to) {
  bool watched = on && side_path[0] && !strcmp(to, side_path);
  size_t n = 0;
  ino_t ino = 0;
  uint8_t *p = watched ? whole(from, &n, &ino) : NULL;
  int err = (int)syscall(SYS_rename, from, to);
  if (watched && !err) add(EV_RENAME, 0, p, n)->unsynced = ino != synced_ino;
  free(p);
  return err;
}
