/* What reading and showing values share: calendar texts, missing codes, words. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oc_text.h"
#include "ov/mp_read.h"

enum { DAY_S = 86400 };

bool oc_ftype_is_set(ov_ftype t) { return t == OV_F_CODESET || t == OV_F_REFSET || t == OV_F_SCOPESET; }

char *oc_fmt(ov_arena *a, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *p = n < 0 ? NULL : ov_arena_alloc(a, (size_t)n + 1);
  if (!p) return NULL;
  va_start(ap, fmt);
  vsnprintf(p, (size_t)n + 1, fmt, ap);
  va_end(ap);
  return p;
}

/* -- words ----------------------------------------------------------------------------------------------- */

static const struct {
  int32_t code;
  const char *nl, *en;
} missing[] = {
    {-97, "onderdrukt", "suppressed"}, {-98, "niet gevraagd", "not asked"}, {-99, "onbekend", "unknown"}};

static int lower(char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }

bool oc_same_word(const char *a, const char *b) {
  while (*a && lower(*a) == lower(*b)) a++, b++;
  return !*a && !*b;
}

/* Bytes of the character at p, which ends with a zero; 0: it is none. */
static size_t char_bytes(const char *p) {
  for (size_t n = 1; n <= 4 && p[n - 1]; n++) {
    if (ov_utf8_valid((const uint8_t *)p, n)) return n;
  }
  return 0;
}

void oc_whole_chars(char *text) {
  char *to = text;
  for (const char *p = text; *p;) {
    size_t n = char_bytes(p);
    memmove(to, p, n);
    to += n;
    p += n ? n : 1;
  }
  *to = 0;
}

int32_t oc_missing_code(const char *word) {
  for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
    if (oc_same_word(word, missing[i].nl) || oc_same_word(word, missing[i].en)) return missing[i].code;
  }
  return 0;
}

const char *oc_missing_word(int64_t code, bool dutch) {
  for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
    if (missing[i].code == code) return dutch ? missing[i].nl : missing[i].en;
  }
  return NULL;
}

bool oc_whole_number(const char *text, int64_t *out) {
  const char *p = text + (*text == '-');
  int64_t v = 0;
  if (!*p) return false;
  for (; *p; p++) {
    if (*p < '0' || *p > '9') return false;
    if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v)) return false;
  }
  *out = *text == '-' ? -v : v;
  return true;
}

/* -- moments --------------------------------------------------------------------------------------------- */

int64_t oc_local_day(const oc_zone *z, int64_t utc) { return oc_day_of(utc + oc_zone_offset(z, utc)); }

void oc_date_text(int64_t day, bool dutch, char out[OC_MOMENT_TEXT]) {
  int64_t y;
  unsigned m, d;
  oc_civil_from_days(day, &y, &m, &d);
  if (dutch) snprintf(out, OC_MOMENT_TEXT, "%02u-%02u-%04lld", d, m, (long long)y);
  else snprintf(out, OC_MOMENT_TEXT, "%04lld-%02u-%02u", (long long)y, m, d);
}

static void offset_text(int32_t offset, char out[8]) {
  unsigned minutes = (unsigned)(offset < 0 ? -offset : offset) / 60 % 6000;
  snprintf(out, 8, "%c%02u:%02u", offset < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
}

void oc_moment_text(const oc_zone *z, int64_t utc, bool dutch, char out[OC_MOMENT_TEXT]) {
  int32_t offset = oc_zone_offset(z, utc);
  int64_t local = utc + offset, both[2];
  unsigned of_day = (unsigned)(local - oc_day_of(local) * DAY_S);
  char off[8];
  oc_date_text(oc_day_of(local), dutch, out);
  size_t n = strlen(out);
  n += (size_t)snprintf(out + n, OC_MOMENT_TEXT - n, " %02u:%02u", of_day / 3600, of_day / 60 % 60);
  if (of_day % 60) n += (size_t)snprintf(out + n, OC_MOMENT_TEXT - n, ":%02u", of_day % 60);
  if (oc_zone_to_utc(z, local, both) < 2) return;
  offset_text(offset, off);
  snprintf(out + n, OC_MOMENT_TEXT - n, " (%s)", off);
}

void oc_moment_raw(const oc_zone *z, int64_t utc, char out[OC_MOMENT_TEXT]) {
  int32_t offset = oc_zone_offset(z, utc);
  offset -= offset % 60; /* RFC 3339 writes offsets in minutes; old local mean times had seconds */
  int64_t local = utc + offset;
  unsigned of_day = (unsigned)(local - oc_day_of(local) * DAY_S);
  char off[8];
  oc_date_text(oc_day_of(local), false, out);
  offset_text(offset, off);
  size_t n = strlen(out);
  snprintf(out + n, OC_MOMENT_TEXT - n, "T%02u:%02u:%02u%s", of_day / 3600, of_day / 60 % 60, of_day % 60,
           off);
}
