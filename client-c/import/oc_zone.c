/* Zone files (TZif), POSIX rules and the calendar. No I/O here; oc_zone_file.c reads the file. */
#include "oc_zone.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "oc_import_limits.h"
#include "oc_zone_rule.h"
#include "ov/error.h"

enum { DAY_S = 86400, TYPES_MAX = 256 };

struct oc_zone {
  char name[OC_ZONE_NAME_MAX];
  int64_t *at;   /* transitions, ascending */
  uint8_t *type; /* type from that transition on */
  size_t n;
  int32_t offset[TYPES_MAX];
  int32_t before; /* offset before the first transition */
  bool has_rule;
  oc_zone_rule rule; /* after the last transition */
};

int64_t oc_days_from_civil(int64_t year, unsigned month, unsigned day) {
  /* Years counted from March put the leap day last, so that the lengths of months follow one formula. */
  int64_t y = year - (month <= 2);
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

void oc_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day) {
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  int64_t mp = (5 * doy + 2) / 153;
  *day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
  *month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
  *year = yoe + era * 400 + (*month <= 2);
}

unsigned oc_days_in_month(int64_t year, unsigned month) {
  static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month < 1 || month > 12) return 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

int64_t oc_day_of(int64_t seconds) {
  int64_t q = seconds / DAY_S;
  return seconds % DAY_S < 0 ? q - 1 : q;
}

static int64_t be(const uint8_t *p, unsigned n) {
  uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;
  for (unsigned i = 0; i < n; i++) v = v << 8 | p[i];
  return (int64_t)v;
}

typedef struct tzif_counts {
  size_t isutc, isstd, leap, time, type, chars;
} tzif_counts;

static bool tzif_header(const uint8_t *p, size_t n, tzif_counts *c) {
  if (n < 44 || memcmp(p, "TZif", 4) != 0) return false;
  size_t v[6];
  for (unsigned i = 0; i < 6; i++) {
    int64_t x = be(p + 20 + 4 * i, 4);
    if (x < 0 || x > (int64_t)OC_ZONE_BYTES_MAX) return false;
    v[i] = (size_t)x;
  }
  *c = (tzif_counts){v[0], v[1], v[2], v[3], v[4], v[5]};
  return c->type >= 1 && c->type <= TYPES_MAX;
}

static size_t tzif_block_bytes(const tzif_counts *c, size_t time_bytes) {
  return c->time * time_bytes + c->time + c->type * 6 + c->chars + c->leap * (time_bytes + 4) + c->isstd +
         c->isutc;
}

static bool offset_sane(int64_t o) { return o > -26 * 3600 && o < 26 * 3600; }

/* The 64-bit block: transitions, their types, the types' offsets. */
static int tzif_block(oc_zone *z, const uint8_t *p, const tzif_counts *c) {
  if (c->time > OC_ZONE_TRANSITIONS_MAX) return OV_E_LIMIT;
  const uint8_t *types = p + c->time * 8, *infos = types + c->time;
  for (size_t i = 0; i < c->type; i++) {
    int64_t o = be(infos + 6 * i, 4);
    if (!offset_sane(o)) return OV_E_FORMAT;
    z->offset[i] = (int32_t)o;
  }
  z->before = z->offset[0];
  z->n = c->time;
  if (!z->n) return 0;
  z->at = calloc(z->n, sizeof *z->at);
  z->type = calloc(z->n, 1);
  if (!z->at || !z->type) return OV_E_NOMEM;
  for (size_t i = 0; i < z->n; i++) {
    z->at[i] = be(p + 8 * i, 8);
    z->type[i] = types[i];
    if (types[i] >= c->type || (i && z->at[i] <= z->at[i - 1])) return OV_E_FORMAT;
  }
  return 0;
}

/* The footer is a POSIX rule between two line feeds; it may be empty. */
static int tzif_footer(oc_zone *z, const uint8_t *p, size_t n) {
  char rule[128];
  if (n < 2 || p[0] != '\n') return OV_E_FORMAT;
  const uint8_t *end = memchr(p + 1, '\n', n - 1);
  if (!end || (size_t)(end - p) > sizeof rule) return OV_E_FORMAT;
  size_t len = (size_t)(end - p) - 1;
  memcpy(rule, p + 1, len);
  rule[len] = '\0';
  if (!len) return 0;
  z->has_rule = true;
  return oc_zone_rule_parse(rule, &z->rule);
}

static oc_zone *zone_new(const char *name) {
  oc_zone *z = calloc(1, sizeof *z);
  if (z) strncpy(z->name, name ? name : "", sizeof z->name - 1);
  return z;
}

static int tzif_read(oc_zone *z, const uint8_t *p, size_t n) {
  tzif_counts c;
  if (!tzif_header(p, n, &c) || p[4] < '2')
    return OV_E_FORMAT; /* version 1 files have no 64-bit times and no rule; none have been written since 2005
                         */
  size_t skip = 44 + tzif_block_bytes(&c, 4);
  if (skip >= n || !tzif_header(p + skip, n - skip, &c)) return OV_E_FORMAT;
  p += skip + 44;
  n -= skip + 44;
  size_t block = tzif_block_bytes(&c, 8);
  if (block >= n) return OV_E_FORMAT;
  int err = tzif_block(z, p, &c);
  return err ? err : tzif_footer(z, p + block, n - block);
}

int oc_zone_from_tzif(const uint8_t *p, size_t n, const char *name, oc_zone **out) {
  *out = NULL;
  if (n > OC_ZONE_BYTES_MAX) return OV_E_LIMIT;
  oc_zone *z = zone_new(name);
  if (!z) return OV_E_NOMEM;
  int err = tzif_read(z, p, n);
  if (err) {
    oc_zone_free(z);
    return err;
  }
  *out = z;
  return 0;
}

int oc_zone_from_rule(const char *rule, const char *name, oc_zone **out) {
  *out = NULL;
  oc_zone *z = zone_new(name);
  if (!z) return OV_E_NOMEM;
  int err = oc_zone_rule_parse(rule, &z->rule);
  if (err) {
    oc_zone_free(z);
    return err;
  }
  z->has_rule = true;
  *out = z;
  return 0;
}

void oc_zone_free(oc_zone *z) {
  if (!z) return;
  free(z->at);
  free(z->type);
  free(z);
}

const char *oc_zone_name(const oc_zone *z) { return z->name; }

int32_t oc_zone_offset(const oc_zone *z, int64_t utc) {
  if (!z->n || utc >= z->at[z->n - 1]) {
    if (z->has_rule) return oc_zone_rule_offset(&z->rule, utc);
    return z->n ? z->offset[z->type[z->n - 1]] : z->before;
  }
  if (utc < z->at[0]) return z->before;
  size_t lo = 0, hi = z->n - 1; /* at[lo] <= utc < at[hi] */
  while (hi - lo > 1) {
    size_t mid = lo + (hi - lo) / 2;
    if (z->at[mid] <= utc) lo = mid;
    else hi = mid;
  }
  return z->offset[z->type[lo]];
}

int oc_zone_to_utc(const oc_zone *z, int64_t local, int64_t out[2]) {
  /* A day either side lies beyond any offset, so these are the offsets before and after a change near this
   * time. */
  int32_t early = oc_zone_offset(z, local - DAY_S), late = oc_zone_offset(z, local + DAY_S);
  int64_t a = local - early, b = local - late;
  bool a_ok = oc_zone_offset(z, a) == early, b_ok = early != late && oc_zone_offset(z, b) == late;
  if (a_ok && b_ok) {
    out[0] = a < b ? a : b;
    out[1] = a < b ? b : a;
    return 2;
  }
  out[0] = out[1] = b_ok ? b : a;
  return a_ok || b_ok;
}
