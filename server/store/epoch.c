/* Epoch files; see epoch.h. */
#include "epoch.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define HEADER_BYTES (8 + 8)
#define SEALED_BYTES (OV_KEY_BYTES + OV_SEAL_OVERHEAD)

static const char magic[] = "OVEPOCH1";

static void make_header(uint64_t epoch, uint8_t header[HEADER_BYTES]) {
  memcpy(header, magic, 8);
  for (unsigned i = 0; i < 8; i++) header[8 + i] = (uint8_t)(epoch >> (56 - 8 * i));
}

static bool holds(const uint8_t *slot, uint64_t epoch) {
  uint8_t header[HEADER_BYTES];
  make_header(epoch, header);
  return !memcmp(slot, header, sizeof header);
}

static int read_slot(int fd, unsigned i, uint8_t slot[SV_EPOCH_SLOT_BYTES]) {
  size_t at = 0;
  memset(slot, 0, SV_EPOCH_SLOT_BYTES);
  while (at < SV_EPOCH_SLOT_BYTES) {
    ssize_t n = pread(fd, slot + at, SV_EPOCH_SLOT_BYTES - at, (off_t)(i * SV_EPOCH_SLOT_BYTES + at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sv_errno_error(errno);
    if (n == 0) break; /* beyond the end: empty */
    at += (size_t)n;
  }
  return 0;
}

static int write_slot(int fd, unsigned i, const uint8_t slot[SV_EPOCH_SLOT_BYTES]) {
  size_t at = 0;
  while (at < SV_EPOCH_SLOT_BYTES) {
    ssize_t n = pwrite(fd, slot + at, SV_EPOCH_SLOT_BYTES - at, (off_t)(i * SV_EPOCH_SLOT_BYTES + at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sv_errno_error(errno);
    at += (size_t)n;
  }
  return fdatasync(fd) ? sv_errno_error(errno) : 0;
}

int sv_epoch_get(const sv_epoch_file *f, const uint8_t master[OV_KEY_BYTES], uint64_t epoch,
                 uint8_t key[OV_KEY_BYTES]) {
  uint8_t slot[SV_EPOCH_SLOT_BYTES];
  ov_buf plain;
  int fd = open(f->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return sv_errno_error(errno);
  ov_buf_init(&plain, 0);
  int err = OV_E_NOTFOUND;
  for (unsigned i = 0; i < SV_EPOCH_SLOTS && err == OV_E_NOTFOUND; i++) {
    int bad = read_slot(fd, i, slot);
    if (bad) err = bad;
    else if (holds(slot, epoch))
      err = ov_open(f->h, master, slot, HEADER_BYTES, slot + HEADER_BYTES, SEALED_BYTES, &plain);
  }
  close(fd);
  if (!err) memcpy(key, plain.p, OV_KEY_BYTES);
  if (plain.p) OPENSSL_cleanse(plain.p, plain.cap);
  ov_buf_free(&plain);
  return err;
}

static int make_folder(const char *path) {
  char *copy = strdup(path);
  if (!copy) return OV_E_NOMEM;
  int err = mkdir(dirname(copy), 0700) && errno != EEXIST ? sv_errno_error(errno) : 0;
  free(copy);
  return err;
}

/* The slot that may be overwritten. */
static int free_slot(int fd, uint64_t keep, unsigned *slot) {
  uint8_t b[SV_EPOCH_SLOT_BYTES];
  int err = read_slot(fd, 0, b);
  *slot = !err && keep && holds(b, keep) ? 1 : 0;
  OPENSSL_cleanse(b, sizeof b);
  return err;
}

static int seal_slot(const sv_epoch_file *f, const uint8_t master[OV_KEY_BYTES], uint64_t epoch,
                     const uint8_t key[OV_KEY_BYTES], uint8_t slot[SV_EPOCH_SLOT_BYTES]) {
  uint8_t nonce[12];
  ov_buf b;
  ov_buf_init(&b, 0);
  memset(slot, 0, SV_EPOCH_SLOT_BYTES);
  make_header(epoch, slot);
  int err = f->random(f->random_ctx, nonce, sizeof nonce);
  if (!err) err = ov_seal(f->h, master, nonce, slot, HEADER_BYTES, key, OV_KEY_BYTES, &b);
  if (!err) err = b.err;
  if (!err) memcpy(slot + HEADER_BYTES, b.p, b.n);
  ov_buf_free(&b);
  return err;
}

int sv_epoch_add(const sv_epoch_file *f, const uint8_t master[OV_KEY_BYTES], uint64_t keep, uint64_t epoch,
                 const uint8_t key[OV_KEY_BYTES]) {
  uint8_t slot[SV_EPOCH_SLOT_BYTES];
  unsigned i = 0;
  int err = seal_slot(f, master, epoch, key, slot);
  if (!err) err = make_folder(f->path);
  if (err) return err;
  int fd = open(f->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return sv_errno_error(errno);
  err = fchmod(fd, 0600) ? sv_errno_error(errno) : free_slot(fd, keep, &i);
  if (!err) err = write_slot(fd, i, slot);
  if (close(fd) && !err) err = sv_errno_error(errno);
  return err ? err : sv_file_sync_folder(f->path);
}

/* Zeros first, for disks that write in place; then the block goes back, so that a disk that does not (flash,
 * copy on write) may drop what it moved aside. File systems without holes keep the zeros. */
static int destroy_slot(int fd, unsigned i) {
  static const uint8_t zeros[SV_EPOCH_SLOT_BYTES];
  int err = write_slot(fd, i, zeros);
  if (err) return err;
  (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)i * SV_EPOCH_SLOT_BYTES,
                  SV_EPOCH_SLOT_BYTES);
  return fsync(fd) ? sv_errno_error(errno) : 0;
}

int sv_epoch_only(const sv_epoch_file *f, uint64_t epoch) {
  static const uint8_t zeros[SV_EPOCH_SLOT_BYTES];
  uint8_t slot[SV_EPOCH_SLOT_BYTES];
  int fd = open(f->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return sv_errno_error(errno);
  int err = 0;
  for (unsigned i = 0; i < SV_EPOCH_SLOTS && !err; i++) {
    err = read_slot(fd, i, slot);
    if (!err && !holds(slot, epoch) && memcmp(slot, zeros, sizeof zeros) != 0) err = destroy_slot(fd, i);
  }
  if (close(fd) && !err) err = sv_errno_error(errno);
  OPENSSL_cleanse(slot, sizeof slot);
  return err;
}
