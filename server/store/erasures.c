/* The list of erasures; see sv_erasures.h. */
#include "sv_erasures.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

/* A million lines. */
#define FILE_BYTES_MAX ((size_t)128 << 20)
#define LINE_BYTES_MAX (2 * OV_ID_BYTES + OV_NAME_TEXT_MAX + 32)

static const char title[] = "overdracht erasures 1\n";

static bool parse_line(const char *line, size_t n, sv_erasure *e) {
  char text[LINE_BYTES_MAX], hex[2 * OV_ID_BYTES + 1], name[OV_NAME_TEXT_MAX];
  int end = 0;
  if (n >= sizeof text) return false;
  memcpy(text, line, n);
  text[n] = 0;
  static_assert(OV_NAME_TEXT_MAX == 64, "the width below");
  if (sscanf(text, "%32[0-9a-f] %63[0-9a-f-] %" SCNd64 "%n", hex, name, &e->at_ms, &end) != 3) return false;
  return (size_t)end == n && strlen(hex) == 2 * OV_ID_BYTES &&
         !ov_unhex(hex, e->organisation.b, OV_ID_BYTES) && !ov_name_parse(name, &e->participant);
}

static int parse(const char *p, size_t n, sv_erasure *v, uint32_t *count) {
  const char *end = p + n;
  *count = 0;
  if (n < sizeof title - 1) return n ? OV_E_CORRUPT : 0;
  if (memcmp(p, title, sizeof title - 1) != 0) return OV_E_CORRUPT;
  for (p += sizeof title - 1; p < end;) {
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    if (!stop) return 0; /* a copy that was cut short */
    if (stop > p && !parse_line(p, (size_t)(stop - p), &v[(*count)++])) return OV_E_CORRUPT;
    p = stop + 1;
  }
  return 0;
}

static uint32_t lines(const uint8_t *p, size_t n) {
  uint32_t count = 1;
  for (size_t i = 0; i < n; i++) count += p[i] == '\n';
  return count;
}

int sv_erasures_read(const char *file, sv_erasure **out, uint32_t *n) {
  ov_buf b;
  *out = NULL;
  *n = 0;
  ov_buf_init(&b, 0);
  int err = sv_file_read(file, FILE_BYTES_MAX, &b);
  if (!err && b.n) {
    *out = calloc(lines(b.p, b.n), sizeof **out);
    err = *out ? parse((const char *)b.p, b.n, *out, n) : OV_E_NOMEM;
  }
  ov_buf_free(&b);
  if (err) {
    free(*out);
    *out = NULL;
    *n = 0;
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

static bool listed(const sv_erasure *v, uint32_t n, const sv_erasure *e) {
  for (uint32_t i = 0; i < n; i++) {
    if (ov_id_equal(&v[i].organisation, &e->organisation) &&
        ov_name_equal(&v[i].participant, &e->participant))
      return true;
  }
  return false;
}

static void put_line(ov_buf *b, const sv_erasure *e) {
  char hex[2 * OV_ID_BYTES + 1], name[OV_NAME_TEXT_MAX], line[LINE_BYTES_MAX];
  ov_hex(e->organisation.b, OV_ID_BYTES, hex);
  ov_name_text(&e->participant, name);
  int n = snprintf(line, sizeof line, "%s %s %" PRId64 "\n", hex, name, e->at_ms);
  ov_buf_put(b, line, (size_t)n);
}

/* Written whole beside it and renamed: small, rare, and never half. */
int sv_erasures_add(const char *file, const sv_erasure *e, uint32_t n) {
  sv_erasure *have = NULL;
  uint32_t n_have = 0, news = 0;
  ov_buf b;
  ov_buf_init(&b, 0);
  int err = sv_erasures_read(file, &have, &n_have);
  ov_buf_put(&b, title, sizeof title - 1);
  for (uint32_t i = 0; !err && i < n_have; i++) put_line(&b, &have[i]);
  for (uint32_t i = 0; !err && i < n; i++) {
    if (listed(have, n_have, &e[i]) || listed(e, i, &e[i])) continue;
    put_line(&b, &e[i]);
    news++;
  }
  if (!err) err = b.err;
  if (!err && news) err = sv_file_replace(file, b.p, b.n);
  ov_buf_free(&b);
  free(have);
  return err;
}
