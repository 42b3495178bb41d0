/* Stands between a process and the kernel (LD_PRELOAD): moves its clocks, fails, delays and records what it
 * writes, syncs, sends and receives, as a mapped file says (faults.h). Without that file it changes
 * nothing. */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"

static faults *shared;
static int journal_fd = -1;
static pthread_mutex_t journal_lock = PTHREAD_MUTEX_INITIALIZER;

static uintptr_t program_from, program_to; /* where the program's own code lies */

static int find_program(struct dl_phdr_info *info, size_t size, void *ctx) {
  (void)size;
  (void)ctx;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *h = &info->dlpi_phdr[i];
    if (h->p_type != PT_LOAD || !(h->p_flags & PF_X)) continue;
    program_from = info->dlpi_addr + h->p_vaddr;
    program_to = program_from + h->p_memsz;
  }
  return 1; /* the first is the program */
}

static int fails(fault_call call) {
  if (!shared || atomic_load(&shared->fail_in[call]) <= 0) return 0;
  if (atomic_fetch_sub(&shared->fail_in[call], 1) != 1) return 0;
  atomic_fetch_add(&shared->failed[call], 1);
  return 1;
}

__attribute__((constructor)) static void attach(void) {
  const char *path = getenv(FAULTS_ENV);
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *p = mmap(NULL, sizeof(faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (p == MAP_FAILED) return;
  dl_iterate_phdr(find_program, NULL);
  shared = p;
  if (shared->journal[0]) journal_fd = open(shared->journal, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int watched(int fd) {
  char link[40], path[512];
  if (!shared || !shared->path[0]) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return strstr(path, shared->path) != NULL;
}

static int is_socket(int fd) {
  struct stat st;
  return !fstat(fd, &st) && S_ISSOCK(st.st_mode);
}

static void event(fault_kind kind, int fd, const void *p, size_t n) {
  if (!shared || !atomic_load(&shared->record)) return;
  uint32_t at = atomic_fetch_add(&shared->n_events, 1);
  if (at >= FAULTS_EVENTS_MAX) return;
  fault_event *e = &shared->events[at];
  e->fd = fd;
  e->n = (uint32_t)n;
  if (p) memcpy(e->head, p, n < sizeof e->head ? n : sizeof e->head);
  atomic_store(&e->kind, (uint32_t)kind);
}

static void journal(uint32_t kind, uint64_t offset, const struct iovec *iov, int iovs) {
  if (journal_fd < 0) return;
  faults_journal j = {.kind = kind, .offset = offset};
  for (int i = 0; i < iovs; i++) j.n += (uint32_t)iov[i].iov_len;
  pthread_mutex_lock(&journal_lock);
  syscall(SYS_write, journal_fd, &j, sizeof j);
  for (int i = 0; i < iovs; i++) syscall(SYS_write, journal_fd, iov[i].iov_base, iov[i].iov_len);
  pthread_mutex_unlock(&journal_lock);
}

/* -- clocks ---------------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t id, struct timespec *t) {
  long r = syscall(SYS_clock_gettime, id, t);
  if (r || !shared) return (int)r;
  int64_t off = id == CLOCK_REALTIME    ? atomic_load(&shared->realtime_off_ms)
                : id == CLOCK_MONOTONIC ? atomic_load(&shared->monotonic_off_ms)
                                        : 0;
  int64_t ns = t->tv_nsec + off % 1000 * 1000000;
  t->tv_sec += off / 1000 + (ns < 0 ? -1 : ns >= 1000000000 ? 1 : 0);
  t->tv_nsec = (long)(ns < 0 ? ns + 1000000000 : ns >= 1000000000 ? ns - 1000000000 : ns);
  return 0;
}

/* -- files ----------------------------------------------------------------------------------------------- */

static int sync_file(long call, int fd) {
  if (!watched(fd)) return (int)syscall(call, fd);
  int err = atomic_load(&shared->sync_errno), delay = atomic_load(&shared->sync_delay_ms);
  event(FAULT_SYNC, fd, NULL, 0);
  atomic_fetch_add(&shared->entered, 1);
  if (delay > 0)
    nanosleep(&(struct timespec){.tv_sec = delay / 1000, .tv_nsec = delay % 1000 * 1000000L}, NULL);
  if (err) {
    errno = err;
    return -1;
  }
  int r = (int)syscall(call, fd);
  if (r) return r;
  journal(J_SYNC, 0, NULL, 0);
  atomic_fetch_add(&shared->syncs, 1);
  event(FAULT_SYNCED, fd, NULL, 0);
  return 0;
}

int fdatasync(int fd) { return sync_file(SYS_fdatasync, fd); }
int fsync(int fd) { return sync_file(SYS_fsync, fd); }

static void wrote(int fd, const struct iovec *iov, int iovs, uint64_t offset) {
  int flags = fcntl(fd, F_GETFL);
  int sync = flags >= 0 && (flags & O_DSYNC);
  journal(sync ? J_WRITE_SYNC : J_WRITE, offset, iov, iovs);
  if (sync) event(FAULT_META, fd, NULL, iov[0].iov_len);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t offset) {
  ssize_t r = syscall(SYS_pwrite64, fd, p, n, offset);
  if (r > 0 && watched(fd)) wrote(fd, &(struct iovec){(void *)(uintptr_t)p, (size_t)r}, 1, (uint64_t)offset);
  return r;
}
ssize_t pwrite64(int fd, const void *p, size_t n, off_t offset) { return pwrite(fd, p, n, offset); }

ssize_t pwritev(int fd, const struct iovec *iov, int iovs, off_t offset) {
  ssize_t r = syscall(SYS_pwritev, fd, iov, iovs, offset, 0);
  if (r > 0 && watched(fd)) wrote(fd, iov, iovs, (uint64_t)offset);
  return r;
}
ssize_t pwritev64(int fd, const struct iovec *iov, int iovs, off_t offset) {
  return pwritev(fd, iov, iovs, offset);
}

int ftruncate(int fd, off_t size) {
  int r = (int)syscall(SYS_ftruncate, fd, size);
  if (!r && watched(fd)) journal(J_SIZE, (uint64_t)size, NULL, 0);
  return r;
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

/* LMDB seeks and writes when it writes one page only. */
ssize_t write(int fd, const void *p, size_t n) {
  int file = shared && !is_socket(fd) && watched(fd);
  int64_t at = file ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
  int sock = shared && !file && is_socket(fd);
  if (sock) event(FAULT_SEND, fd, p, n);
  ssize_t r = syscall(SYS_write, fd, p, n);
  if (file && r > 0) wrote(fd, &(struct iovec){(void *)(uintptr_t)p, (size_t)r}, 1, (uint64_t)at);
  return r;
}

ssize_t writev(int fd, const struct iovec *iov, int iovs) {
  int file = shared && !is_socket(fd) && watched(fd);
  int64_t at = file ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
  ssize_t r = syscall(SYS_writev, fd, iov, iovs);
  if (file && r > 0) wrote(fd, iov, iovs, (uint64_t)at);
  return r;
}

/* -- sockets --------------------------------------------------------------------------------------------- */

ssize_t send(int fd, const void *p, size_t n, int flags) {
  if (fails(FAULT_CALL_SEND)) {
    errno = ECONNRESET;
    return -1;
  }
  event(FAULT_SEND, fd, p, n); /* before: what is recorded earlier has happened earlier */
  if (journal_fd >= 0) journal(J_SEND, 0, &(struct iovec){(void *)(uintptr_t)p, n}, 1);
  return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}

ssize_t recv(int fd, void *p, size_t n, int flags) {
  if (fails(FAULT_CALL_RECV)) {
    errno = ECONNRESET;
    return -1;
  }
  ssize_t r = syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
  if (r > 0) event(FAULT_RECV, fd, NULL, (size_t)r);
  return r;
}

/* -- memory ---------------------------------------------------------------------------------------------- */

#ifndef FAULTS_NO_ALLOC /* a sanitizer has an allocator of its own */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static int refused(const void *caller) {
  uintptr_t at = (uintptr_t)caller;
  if (at < program_from || at >= program_to || !fails(FAULT_CALL_ALLOC)) return 0;
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t n) { return refused(__builtin_return_address(0)) ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) {
  return refused(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}
void *realloc(void *p, size_t n) {
  return refused(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}
#endif
