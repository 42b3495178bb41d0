/* The master key: one file of 32 bytes for its owner only. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "sv_keyring.h"

/* systemd lets the service's user read by an ACL, whose mask shows as the group's right; the folder is closed
 * to all others. */
static bool is_credential(const char *path) {
  const char *folder = getenv("CREDENTIALS_DIRECTORY");
  size_t n = folder ? strlen(folder) : 0;
  return n && !strncmp(path, folder, n) && path[n] == '/';
}

static int read_key(int fd, mode_t refused, uint8_t master[OV_KEY_BYTES]) {
  uint8_t b[OV_KEY_BYTES + 1];
  struct stat st;
  if (fstat(fd, &st)) return sv_errno_error(errno);
  if (!S_ISREG(st.st_mode) || (st.st_mode & refused)) return OV_E_DENIED;
  ssize_t n = read(fd, b, sizeof b);
  if (n == OV_KEY_BYTES) memcpy(master, b, OV_KEY_BYTES);
  OPENSSL_cleanse(b, sizeof b);
  return n < 0 ? sv_errno_error(errno) : n == OV_KEY_BYTES ? 0 : OV_E_CORRUPT;
}

static int make_key(const char *path, sv_random_fn rnd, void *rnd_ctx, uint8_t master[OV_KEY_BYTES]) {
  int err = rnd(rnd_ctx, master, OV_KEY_BYTES);
  return err ? err : sv_file_replace(path, master, OV_KEY_BYTES);
}

int sv_master_key_load(const char *path, bool create, sv_random_fn rnd, void *rnd_ctx,
                       uint8_t master[OV_KEY_BYTES]) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT && create ? make_key(path, rnd, rnd_ctx, master) : sv_errno_error(errno);
  int err = read_key(fd, is_credential(path) ? 037 : 077, master);
  close(fd);
  return err;
}

int sv_master_key_path(const char *data, char *out, size_t n) {
  const char *credentials = getenv("CREDENTIALS_DIRECTORY");
  struct stat st;
  int len = snprintf(out, n, "%s/master.key", credentials ? credentials : data);
  if (credentials && (len < 0 || (size_t)len >= n || stat(out, &st)))
    len = snprintf(out, n, "%s/master.key", data);
  return len < 0 || (size_t)len >= n ? OV_E_LIMIT : 0;
}

int sv_master_key_next(const char *path, uint8_t next[OV_KEY_BYTES]) {
  char *name = sv_file_name(path, ".new");
  int err = name ? sv_master_key_load(name, false, NULL, NULL, next) : OV_E_NOMEM;
  free(name);
  return err;
}
