/* Cancelling a sync from another thread or a signal handler: a pipe that lives as long as the store, so that
 * nobody ever writes to what is gone. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "oc_internal.h"

int oc_wake_open(oc_store *s) {
  int fd[2];
  if (atomic_load(&s->wake_write)) return 0;
  if (pipe(fd)) return OV_E_IO;
  for (int i = 0; i < 2; i++) {
    (void)fcntl(fd[i], F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd[i], F_SETFL, O_NONBLOCK);
  }
  s->wake_read = fd[0];
  atomic_store(&s->wake_write, fd[1] + 1);
  return 0;
}

void oc_wake_drain(oc_store *s) {
  char bytes[64];
  while (read(s->wake_read, bytes, sizeof bytes) > 0) {}
}

void oc_wake_close(oc_store *s) {
  int fd = atomic_exchange(&s->wake_write, 0);
  if (!fd) return;
  close(fd - 1);
  close(s->wake_read);
}

void oc_sync_cancel(oc_store *s) {
  int before = errno, fd = atomic_load(&s->wake_write);
  s->cancelled = 1;
  if (fd && write(fd - 1, "c", 1) < 0) {
    /* full: it is awake already */
  }
  errno = before;
}
