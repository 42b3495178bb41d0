#define ZLIB_CONST
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "ov/error.h"
#include "sv_web_files.h"

#define PATH_CHARS 256 /* a longer path would not be matched by the network either */
#define ETAG_CHARS 40  /* 128 bits in hex, and the quotes */

typedef struct web_file {
  char path[PATH_CHARS]; /* as requested: begins with '/' */
  char etag[ETAG_CHARS];
  const char *type;
  uint8_t *body, *gzip;
  size_t body_bytes, gzip_bytes;
} web_file;

struct sv_web_files {
  web_file *file;
  size_t n;
  size_t bytes;
  sv_net_route *routes;
  size_t routes_n;
  char *why;
};

static int fault(sv_web_files *w, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int fault(sv_web_files *w, int err, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(w->why, 256, fmt, ap);
  va_end(ap);
  return err;
}

/* -- names ---------------------------------------------------------------------------------------- */

static const struct {
  const char *extension, *type;
  bool text;
} types[] = {{".html", "text/html; charset=utf-8", true},
             {".js", "text/javascript; charset=utf-8", true},
             {".mjs", "text/javascript; charset=utf-8", true},
             {".css", "text/css; charset=utf-8", true},
             {".json", "application/json", true},
             {".map", "application/json", true},
             {".webmanifest", "application/manifest+json", true},
             {".svg", "image/svg+xml", true},
             {".txt", "text/plain; charset=utf-8", true},
             {".png", "image/png", false},
             {".jpg", "image/jpeg", false},
             {".webp", "image/webp", false},
             {".ico", "image/x-icon", false},
             {".woff2", "font/woff2", false},
             {".wasm", "application/wasm", false}};

static bool ends_in(const char *name, const char *end) {
  size_t n = strlen(name), e = strlen(end);
  return n > e && strcmp(name + n - e, end) == 0;
}

/* Its place in types, or -1. */
static int type_of(const char *name) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (ends_in(name, types[i].extension)) return (int)i;
  return -1;
}

static bool name_is_plain(const char *name) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return name[0] != '.' && strspn(name, letters) == strlen(name);
}

static bool name_has_hash(const char *path) {
  const char *dash = strrchr(path, '-'), *dot = dash ? strchr(dash, '.') : NULL;
  if (!dot || dot - dash - 1 < 8) return false;
  size_t n = (size_t)(dot - dash - 1);
  bool capitals = strspn(dash + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == n;
  bool hex = strspn(dash + 1, "0123456789abcdef") == n && strcspn(dash + 1, "0123456789") < n;
  return capitals || hex;
}

/* -- bytes ---------------------------------------------------------------------------------------- */

static int read_whole(sv_web_files *w, int fd, size_t n, const char *path, uint8_t **out) {
  uint8_t *p = malloc(n ? n : 1);
  size_t done = 0;
  ssize_t got = 1;
  if (!p) return fault(w, OV_E_NOMEM, "out of memory");
  while (done < n && (got = read(fd, p + done, n - done)) > 0) done += (size_t)got;
  if (done == n) {
    *out = p;
    return 0;
  }
  free(p);
  return fault(w, OV_E_IO, "cannot read %s", path);
}

/* Deterministic: no name and time in the header. A body that hardly shrinks goes as it is. */
static int compress_body(web_file *f) {
  z_stream z = {0};
  if (f->body_bytes < 512) return 0;
  if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) return OV_E_NOMEM;
  size_t room = deflateBound(&z, f->body_bytes);
  uint8_t *p = malloc(room);
  z.next_in = f->body;
  z.avail_in = (uInt)f->body_bytes;
  z.next_out = p;
  z.avail_out = (uInt)room;
  bool ok = p && deflate(&z, Z_FINISH) == Z_STREAM_END;
  size_t n = z.total_out;
  deflateEnd(&z);
  if (!ok || n > f->body_bytes / 10 * 9) {
    free(p);
    return ok ? 0 : OV_E_NOMEM;
  }
  f->gzip = p;
  f->gzip_bytes = n;
  return 0;
}

static int make_etag(web_file *f) {
  uint8_t hash[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  if (EVP_Digest(f->body, f->body_bytes, hash, &n, EVP_sha256(), NULL) != 1) return OV_E_CRYPTO;
  f->etag[0] = '"';
  for (unsigned i = 0; i < 16; i++) snprintf(f->etag + 1 + 2 * i, 3, "%02x", hash[i]);
  memcpy(f->etag + 33, "\"", 2);
  return 0;
}

/* -- folder --------------------------------------------------------------------------------------- */

static int take_file(sv_web_files *w, int folder, const char *name, const char *path, size_t bytes) {
  int type = type_of(name);
  bool gz = ends_in(name, ".gz");
  if (!gz && type < 0) return fault(w, OV_E_INVALID, "%s: no content type is known for this name", path);
  if (w->n == SV_WEB_FILES_MAX) return fault(w, OV_E_LIMIT, "more than %u files", SV_WEB_FILES_MAX);
  if (bytes > SV_WEB_FILES_BYTES_MAX - w->bytes)
    return fault(w, OV_E_LIMIT, "more than %u bytes", SV_WEB_FILES_BYTES_MAX);
  web_file *f = &w->file[w->n];
  *f = (web_file){.type = gz ? NULL : types[type].type, .body_bytes = bytes};
  snprintf(f->path, sizeof f->path, "%s", path);
  int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fault(w, OV_E_IO, "cannot open %s: %s", path, strerror(errno));
  int err = read_whole(w, fd, bytes, path, &f->body);
  close(fd);
  if (err) return err;
  w->n++;
  w->bytes += bytes;
  return 0;
}

static int take_folder(sv_web_files *w, int folder, const char *path, unsigned depth);

// NOLINTNEXTLINE(misc-no-recursion): no deeper than SV_WEB_FILES_DEPTH_MAX
static int take_entry(sv_web_files *w, int folder, const char *name, const char *at, unsigned depth) {
  char path[PATH_CHARS];
  struct stat st;
  if (name[0] == '.') return 0;
  int n = snprintf(path, sizeof path, "%s/%s", at, name);
  if (n < 0 || (size_t)n >= sizeof path || !name_is_plain(name))
    return fault(w, OV_E_INVALID, "%.200s: names have letters, digits and ._- only", name);
  if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW)) return fault(w, OV_E_IO, "cannot look at %s", path);
  if (S_ISREG(st.st_mode)) return take_file(w, folder, name, path, (size_t)st.st_size);
  if (!S_ISDIR(st.st_mode)) return fault(w, OV_E_INVALID, "%s is no file and no folder", path);
  int below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return below < 0 ? fault(w, OV_E_IO, "cannot open %s", path) : take_folder(w, below, path, depth + 1);
}

/* Closes folder. */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than SV_WEB_FILES_DEPTH_MAX
static int take_folder(sv_web_files *w, int folder, const char *path, unsigned depth) {
  DIR *d = depth > SV_WEB_FILES_DEPTH_MAX ? NULL : fdopendir(folder);
  if (!d) {
    close(folder);
    return depth > SV_WEB_FILES_DEPTH_MAX ? fault(w, OV_E_LIMIT, "%s is too deep", path)
                                          : fault(w, OV_E_NOMEM, "out of memory");
  }
  int err = 0;
  struct dirent *e;
  while (!err && (e = readdir(d))) err = take_entry(w, folder, e->d_name, path, depth);
  closedir(d);
  return err;
}

static web_file *find(sv_web_files *w, const char *path, size_t n) {
  for (size_t i = 0; i < w->n; i++)
    if (strlen(w->file[i].path) == n && memcmp(w->file[i].path, path, n) == 0) return &w->file[i];
  return NULL;
}

/* A compressed body goes to its plain sibling; alone it would be a file that nobody can read. */
static int pair_compressed(sv_web_files *w) {
  for (size_t i = 0; i < w->n; i++) {
    web_file *gz = &w->file[i];
    if (gz->type) continue;
    web_file *plain = find(w, gz->path, strlen(gz->path) - 3);
    if (!plain) return fault(w, OV_E_INVALID, "%s has no plain file beside it", gz->path);
    plain->gzip = gz->body;
    plain->gzip_bytes = gz->body_bytes;
    gz->body = NULL;
  }
  return 0;
}

static int finish(sv_web_files *w) {
  int err = 0;
  for (size_t i = 0; i < w->n && !err; i++) {
    web_file *f = &w->file[i];
    if (!f->type) continue;
    err = make_etag(f);
    if (!err && !f->gzip && types[type_of(f->path)].text) err = compress_body(f);
  }
  return err ? fault(w, err, "out of memory") : 0;
}

/* -- routes --------------------------------------------------------------------------------------- */

static void add_route(sv_web_files *w, const web_file *f, const char *path) {
  w->routes[w->routes_n++] = (sv_net_route){.path = path,
                                            .content_type = f->type,
                                            .sides = SV_NET_MAIN,
                                            .policy = SV_NET_POLICY_APP,
                                            .body = f->body,
                                            .body_bytes = f->body_bytes,
                                            .gzip_body = f->gzip,
                                            .gzip_bytes = f->gzip_bytes,
                                            .etag = f->etag,
                                            .cache = name_has_hash(f->path) ? SV_NET_CACHE_FOREVER
                                                                            : SV_NET_CACHE_CHECK};
}

static int make_routes(sv_web_files *w) {
  const web_file *index = find(w, "/index.html", 11);
  if (!index) return fault(w, OV_E_NOTFOUND, "there is no index.html");
  w->routes = calloc(w->n + 1, sizeof *w->routes);
  if (!w->routes) return fault(w, OV_E_NOMEM, "out of memory");
  add_route(w, index, "/");
  for (size_t i = 0; i < w->n; i++)
    if (w->file[i].type) add_route(w, &w->file[i], w->file[i].path);
  return 0;
}

int sv_web_files_load(sv_web_files **out, const char *dir, char why[256]) {
  *out = NULL;
  sv_web_files *w = calloc(1, sizeof *w);
  if (w) w->file = calloc(SV_WEB_FILES_MAX, sizeof *w->file);
  if (!w || !w->file) {
    snprintf(why, 256, "out of memory");
    free(w);
    return OV_E_NOMEM;
  }
  w->why = why;
  int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int err = folder < 0 ? fault(w, OV_E_NOTFOUND, "%s", strerror(errno)) : take_folder(w, folder, "", 0);
  if (!err) err = pair_compressed(w);
  if (!err) err = finish(w);
  if (!err) err = make_routes(w);
  if (err) sv_web_files_free(w);
  else *out = w;
  return err;
}

void sv_web_files_free(sv_web_files *w) {
  if (!w) return;
  for (size_t i = 0; i < w->n; i++) {
    free(w->file[i].body);
    free(w->file[i].gzip);
  }
  free(w->file);
  free(w->routes);
  free(w);
}

const sv_net_route *sv_web_files_routes(const sv_web_files *w, size_t *n) {
  *n = w->routes_n;
  return w->routes;
}
