/* TZif, RFC 8536: the second block, with 64-bit times. Debian's files list every change up to 2037; later
 * times take the last one's offset, which errs by an hour in summer. */
#include "sv_zone.h"

#include <stdbool.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ov/error.h"

/* The largest file in use is under 8 kB. */
#define ZONE_FILE_MAX 65536u

struct sv_zone {
  uint32_t n;
  int64_t *at;
  int32_t *offset; /* from at[i] on */
  int32_t before;
};

static uint32_t be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const uint8_t *p) { return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4)); }

typedef struct head {
  uint32_t utc, std, leap, times, types, chars;
} head;

static bool read_head(const uint8_t *p, size_t n, head *h) {
  if (n < 44 || memcmp(p, "TZif", 4) || p[4] < '2') return false;
  *h = (head){be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40)};
  return h->utc <= 256 && h->std <= 256 && h->leap <= 1024 && h->times <= 8192 && h->types >= 1 &&
         h->types <= 256 && h->chars <= 2048;
}

static size_t block(const head *h, size_t time_bytes) {
  return h->times * (time_bytes + 1) + h->types * 6u + h->chars + h->leap * (time_bytes + 4) + h->std +
         h->utc;
}

static int fill(sv_zone *z, const head *h, const uint8_t *p) {
  const uint8_t *which = p + h->times * 8u, *types = which + h->times;
  z->n = h->times;
  z->at = calloc(h->times + 1u, sizeof *z->at);
  z->offset = calloc(h->times + 1u, sizeof *z->offset);
  if (!z->at || !z->offset) return OV_E_NOMEM;
  z->before = (int32_t)be32(types);
  for (uint32_t i = 0; i < h->times; i++) {
    if (which[i] >= h->types) return OV_E_FORMAT;
    z->at[i] = be64(p + 8u * i);
    z->offset[i] = (int32_t)be32(types + 6u * which[i]);
    if (i && z->at[i] <= z->at[i - 1]) return OV_E_FORMAT;
  }
  return 0;
}

int sv_zone_read(const uint8_t *p, size_t n, sv_zone **out) {
  head h;
  *out = NULL;
  if (!read_head(p, n, &h)) return OV_E_FORMAT;
  size_t skip = 44 + block(&h, 4);
  if (n < skip || !read_head(p + skip, n - skip, &h) || n - skip - 44 < block(&h, 8)) return OV_E_FORMAT;
  sv_zone *z = calloc(1, sizeof *z);
  if (!z) return OV_E_NOMEM;
  int err = fill(z, &h, p + skip + 44);
  if (err) sv_zone_close(z);
  else *out = z;
  return err;
}

int sv_zone_open(const char *name, sv_zone **out) {
  char path[160];
  *out = NULL;
  size_t ok = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");
  if (!*name || *name == '/' || name[ok] || strlen(name) > 100) return OV_E_INVALID;
  snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
  FILE *f = fopen(path, "rbe");
  if (!f) return OV_E_NOTFOUND;
  uint8_t *p = malloc(ZONE_FILE_MAX);
  size_t n = p ? fread(p, 1, ZONE_FILE_MAX, f) : 0;
  fclose(f);
  int err = p ? sv_zone_read(p, n, out) : OV_E_NOMEM;
  free(p);
  return err;
}

void sv_zone_close(sv_zone *z) {
  if (!z) return;
  free(z->at);
  free(z->offset);
  free(z);
}

int32_t sv_zone_offset(const sv_zone *z, int64_t utc) {
  uint32_t lo = 0, hi = z ? z->n : 0;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    if (z->at[mid] <= utc) lo = mid + 1;
    else hi = mid;
  }
  return !z ? 0 : lo ? z->offset[lo - 1] : z->before;
}
