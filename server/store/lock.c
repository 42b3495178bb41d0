#include "sv_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "file.h"
#include "ov/error.h"

struct sv_lock {
  int fd;
};

static long read_pid(int fd) {
  char text[32];
  ssize_t n = pread(fd, text, sizeof text - 1, 0);
  if (n <= 0) return 0;
  text[n] = 0;
  return strtol(text, NULL, 10);
}

/* The pid is for messages: a folder that is full must not keep the server from starting. */
static void write_pid(int fd) {
  char text[32];
  int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
  if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) != n) return;
}

static int open_locked(const char *path, int *out, long *holder) {
  int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return sv_errno_error(errno);
  if (flock(fd, LOCK_EX | LOCK_NB)) {
    int err = errno == EWOULDBLOCK ? OV_E_LOCKED : OV_E_IO;
    if (holder) *holder = read_pid(fd);
    close(fd);
    return err;
  }
  write_pid(fd);
  *out = fd;
  return 0;
}

int sv_lock_folder(const char *folder, sv_lock **out, long *holder) {
  *out = NULL;
  if (holder) *holder = 0;
  char *path = sv_file_name(folder, "/lock");
  sv_lock *l = malloc(sizeof *l);
  int err = path && l ? open_locked(path, &l->fd, holder) : OV_E_NOMEM;
  free(path);
  if (err) free(l);
  else *out = l;
  return err;
}

void sv_unlock(sv_lock *l) {
  if (!l) return;
  close(l->fd);
  free(l);
}
