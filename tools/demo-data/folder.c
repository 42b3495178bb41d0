#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char marker[] = "demo-data.unfinished";

static bool refuse(const char *what, const char *why) {
  fprintf(stderr, "overdracht-demo-data: %s: %s\n", what, why);
  return false;
}

static bool marker_path(const char *folder, char out[DD_PATH_BYTES + 32]) {
  return snprintf(out, DD_PATH_BYTES + 32, "%s/%s", folder, marker) < DD_PATH_BYTES + 32;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)st;
  (void)type;
  (void)at;
  return remove(path);
}

void dd_folder_drop(const char *path) { nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }

/* rmdir removes an empty folder and nothing else. */
static bool is_free(const char *data) {
  struct stat st;
  if (lstat(data, &st)) return errno == ENOENT || refuse(data, strerror(errno));
  if (!rmdir(data)) return true;
  return refuse(data, errno == ENOTEMPTY || errno == EEXIST
                          ? "holds other data already: remove it, or give --data another folder"
                          : strerror(errno));
}

bool dd_folder_begin(const char *data, char path[DD_PATH_BYTES]) {
  char file[DD_PATH_BYTES + 32];
  size_t n = strlen(data);
  while (n > 1 && data[n - 1] == '/') n--;
  if (snprintf(path, DD_PATH_BYTES, "%.*s.making", (int)n, data) >= DD_PATH_BYTES)
    return refuse(data, "the path is too long");
  if (!is_free(data)) return false;
  marker_path(path, file);
  if (!access(file, F_OK)) dd_folder_drop(path);
  if (mkdir(path, 0700)) return refuse(path, strerror(errno));
  int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return refuse(file, strerror(errno));
  close(fd);
  return true;
}

bool dd_folder_finish(const char *path, const char *data) {
  char file[DD_PATH_BYTES + 32];
  marker_path(path, file);
  if (unlink(file) || rename(path, data)) return refuse(data, strerror(errno));
  return true;
}
