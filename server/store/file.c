#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ov/error.h"

int sv_errno_error(int e) {
  switch (e) {
  case 0: return OV_OK;
  case ENOENT: return OV_E_NOTFOUND;
  case EEXIST: return OV_E_EXISTS;
  case ENOMEM: return OV_E_NOMEM;
  case EACCES:
  case EPERM: return OV_E_DENIED;
  case ENOSPC:
  case EDQUOT:
  case EFBIG: return OV_E_FULL;
  default: return OV_E_IO;
  }
}

char *sv_file_name(const char *path, const char *suffix) {
  size_t n = strlen(path), m = strlen(suffix);
  char *name = malloc(n + m + 1);
  if (!name) return NULL;
  memcpy(name, path, n);
  memcpy(name + n, suffix, m + 1);
  return name;
}

static int read_all(int fd, size_t max, ov_buf *out) {
  uint8_t chunk[4096];
  size_t total = 0;
  for (;;) {
    ssize_t n = read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return OV_E_IO;
    if (n == 0) return out->err;
    total += (size_t)n;
    if (total > max) return OV_E_LIMIT;
    ov_buf_put(out, chunk, (size_t)n);
  }
}

int sv_file_read(const char *path, size_t max, ov_buf *out) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return sv_errno_error(errno);
  int err = read_all(fd, max, out);
  close(fd);
  return err;
}

static int write_all(int fd, const uint8_t *p, size_t n) {
  while (n > 0) {
    ssize_t w = write(fd, p, n);
    if (w < 0 && errno == EINTR) continue;
    if (w < 0) return sv_errno_error(errno);
    p += w;
    n -= (size_t)w;
  }
  return 0;
}

int sv_file_sync_folder(const char *path) {
  char *copy = strdup(path);
  if (!copy) return OV_E_NOMEM;
  int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int err = fd < 0 ? sv_errno_error(errno) : fsync(fd) ? sv_errno_error(errno) : 0;
  if (fd >= 0) close(fd);
  free(copy);
  return err;
}

/* A link planted under the temporary name is removed, never followed. */
static int write_new(const char *path, const void *p, size_t n) {
  if (unlink(path) && errno != ENOENT) return sv_errno_error(errno);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return sv_errno_error(errno);
  int err = fchmod(fd, 0600) ? sv_errno_error(errno) : write_all(fd, p, n);
  if (!err && fsync(fd)) err = sv_errno_error(errno);
  if (close(fd) && !err) err = sv_errno_error(errno);
  return err;
}

int sv_file_replace(const char *path, const void *p, size_t n) {
  char *tmp = sv_file_name(path, ".tmp");
  if (!tmp) return OV_E_NOMEM;
  int err = write_new(tmp, p, n);
  if (!err && rename(tmp, path)) err = sv_errno_error(errno);
  if (err) unlink(tmp);
  else err = sv_file_sync_folder(path);
  free(tmp);
  return err;
}

int sv_file_wipe(int fd) {
  static const uint8_t zeros[4096];
  struct stat st;
  if (fstat(fd, &st)) return sv_errno_error(errno);
  for (off_t at = 0; at < st.st_size;) {
    size_t left = (size_t)(st.st_size - at), n = left < sizeof zeros ? left : sizeof zeros;
    ssize_t w = pwrite(fd, zeros, n, at);
    if (w < 0 && errno == EINTR) continue;
    if (w < 0) return sv_errno_error(errno);
    at += w;
  }
  return fdatasync(fd) ? sv_errno_error(errno) : 0;
}
