#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)

bool files_exist(const char *path) {
  struct stat st;
  return !lstat(path, &st);
}

bool files_join(adm *m, char out[PATH_MAX_BYTES], const char *a, const char *b) {
  int n = snprintf(out, PATH_MAX_BYTES, "%s%s%s", a, *b ? "/" : "", b);
  if (n > 0 && n < PATH_MAX_BYTES) return true;
  adm_fail(m, OV_E_LIMIT, NULL, "the path %.80s... is too long", a);
  return false;
}

static int told(adm *m, const char *path, const char *doing) {
  int e = errno;
  int err = e == ENOSPC || e == EDQUOT ? OV_E_FULL
            : e == ENOENT              ? OV_E_NOTFOUND
            : e == EEXIST              ? OV_E_EXISTS
            : e == EACCES              ? OV_E_DENIED
                                       : OV_E_IO;
  return adm_fail(m, err, NULL, "%s %s: %s", doing, path, strerror(e));
}

/* -- copies and hashes ------------------------------------------------------------------- */

typedef struct pass {
  adm *m;
  int in, out;
  const char *from, *to, *what;
  EVP_MD_CTX *md;
  uint8_t *buf;
  int64_t size, done;
} pass;

static bool write_all(int fd, const uint8_t *p, size_t n) {
  while (n) {
    ssize_t k = write(fd, p, n);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return false;
    p += k;
    n -= (size_t)k;
  }
  return true;
}

static bool all_zero(const uint8_t *p, size_t n) { return !*p && !memcmp(p, p + 1, n - 1); }

/* A store's file is as long as its map, most of it a hole: it stays one. */
static bool put_chunk(int fd, const uint8_t *p, size_t n) {
  return all_zero(p, n) ? lseek(fd, (off_t)n, SEEK_CUR) >= 0 : write_all(fd, p, n);
}

static int run(pass *p) {
  for (;;) {
    ssize_t n = read(p->in, p->buf, CHUNK);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return told(p->m, p->from, "cannot read");
    if (n == 0) break;
    if (p->md && EVP_DigestUpdate(p->md, p->buf, (size_t)n) != 1)
      return adm_fail(p->m, OV_E_CRYPTO, NULL, "SHA-256 failed");
    if (p->out >= 0 && !put_chunk(p->out, p->buf, (size_t)n)) return told(p->m, p->to, "cannot write");
    p->done += n;
    if (!adm_progress(p->m, p->what, (uint64_t)p->done, (uint64_t)p->size)) return p->m->err;
  }
  if (p->out >= 0 && (ftruncate(p->out, (off_t)p->done) || fsync(p->out)))
    return told(p->m, p->to, "cannot write");
  return 0;
}

static int finish_hash(pass *p, char hash[2 * OV_HASH_BYTES + 1]) {
  uint8_t b[OV_HASH_BYTES];
  if (EVP_DigestFinal_ex(p->md, b, NULL) != 1) return adm_fail(p->m, OV_E_CRYPTO, NULL, "SHA-256 failed");
  ov_hex(b, sizeof b, hash);
  return 0;
}

static int start(pass *p, bool hash) {
  struct stat st;
  p->in = open(p->from, O_RDONLY | O_CLOEXEC);
  if (p->in < 0 || fstat(p->in, &st)) return told(p->m, p->from, "cannot read");
  p->size = st.st_size;
  p->buf = malloc(CHUNK);
  if (hash) p->md = EVP_MD_CTX_new();
  if (!p->buf || (hash && (!p->md || EVP_DigestInit_ex(p->md, EVP_sha256(), NULL) != 1))) {
    return adm_fail(p->m, OV_E_NOMEM, NULL, "out of memory");
  }
  if (!p->to) return 0;
  p->out = open(p->to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  return p->out < 0 ? told(p->m, p->to, "cannot make") : 0;
}

static int pass_over(pass *p, char *hash) {
  p->in = p->out = -1;
  int err = start(p, hash != NULL);
  if (!err) err = run(p);
  if (!err && hash) err = finish_hash(p, hash);
  if (p->in >= 0) close(p->in);
  if (p->out >= 0 && close(p->out) && !err) err = told(p->m, p->to, "cannot write");
  EVP_MD_CTX_free(p->md);
  if (p->buf) OPENSSL_cleanse(p->buf, CHUNK); /* a keyring may have passed through */
  free(p->buf);
  return err;
}

int files_copy(adm *m, const char *from, const char *to, const char *what, char hash[2 * OV_HASH_BYTES + 1]) {
  pass p = {.m = m, .from = from, .to = to, .what = what};
  return m->err ? m->err : pass_over(&p, hash);
}

int files_hash(adm *m, const char *path, const char *what, char hash[2 * OV_HASH_BYTES + 1], int64_t *bytes) {
  pass p = {.m = m, .from = path, .what = what};
  int err = m->err ? m->err : pass_over(&p, hash);
  *bytes = p.done;
  return err;
}

/* -- folders and small files ------------------------------------------------------------- */

int files_make_folder(adm *m, const char *path) {
  return mkdir(path, 0700) && errno != EEXIST ? told(m, path, "cannot make the folder") : 0;
}

int files_sync_folder(adm *m, const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool bad = fd < 0 || fsync(fd);
  if (bad) told(m, path, "cannot write");
  if (fd >= 0) close(fd);
  return m->err;
}

int files_write(adm *m, const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  bool bad = fd < 0 || !write_all(fd, (const uint8_t *)text, strlen(text)) || fsync(fd);
  if (bad) told(m, path, "cannot write");
  if (fd >= 0) close(fd);
  return m->err;
}

static void wipe(const char *path, int64_t size) {
  uint8_t zeros[4096] = {0};
  int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  for (int64_t at = 0; fd >= 0 && at < size; at += (int64_t)sizeof zeros) {
    if (!write_all(fd, zeros, sizeof zeros)) break;
  }
  if (fd >= 0) {
    (void)fsync(fd);
    close(fd);
  }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
  const char *dot = strrchr(path, '.');
  (void)at;
  if (type == FTW_F && dot && (!strcmp(dot, ".keyring") || !strcmp(dot, ".key") || !strcmp(dot, ".epoch")))
    wipe(path, st->st_size);
  return remove(path);
}

void files_remove(const char *path) { (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT); }

void files_stamp(const adm *m, char out[24]) {
  struct tm tm;
  time_t s = (time_t)(adm_now_ms(m) / 1000);
  if (!gmtime_r(&s, &tm) || !strftime(out, 24, "%Y%m%d-%H%M%SZ", &tm))
    snprintf(out, 24, "%lld", (long long)s);
}
