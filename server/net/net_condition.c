/* What the headers of a request ask of a reply: entity tags, ranges, encodings (RFC 9110). Pure. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "net_private.h"

static const char *skip_space(const char *p) {
  while (*p == ' ' || *p == '\t') p++;
  return p;
}

bool net_etag_listed(const char *list, const char *etag) {
  size_t n = strlen(etag);
  if (!n) return false;
  for (const char *p = skip_space(list); *p; p = skip_space(p)) {
    if (*p == '*') return true;
    if (p[0] == 'W' && p[1] == '/') p += 2;
    if (*p != '"') return false;
    const char *end = strchr(p + 1, '"');
    if (!end) return false;
    if ((size_t)(end + 1 - p) == n && memcmp(p, etag, n) == 0) return true;
    p = skip_space(end + 1);
    if (*p == ',') p++;
  }
  return false;
}

/* The weight is zero: "q=0", "q=0.", "q=0.000". */
static bool refused_by_weight(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == ';' || *p == '\t')) p++;
  if (end - p < 3 || (p[0] != 'q' && p[0] != 'Q') || p[1] != '=' || p[2] != '0') return false;
  for (p += 3; p < end; p++)
    if (*p != '0' && *p != '.' && *p != ' ' && *p != '\t') return false;
  return true;
}

bool net_gzip_accepted(const char *accept) {
  for (const char *p = accept; p && *p;) {
    p = skip_space(p);
    const char *end = p + strcspn(p, ",");
    size_t n = strcspn(p, "; \t,");
    if (n == 4 && strncasecmp(p, "gzip", 4) == 0) return !refused_by_weight(p + n, end);
    p = *end ? end + 1 : end;
  }
  return false;
}

/* Digits; false when there are none or too many for 64 bits. */
static bool number(const char **at, uint64_t *v) {
  const char *p = *at;
  *v = 0;
  while (isdigit((unsigned char)*p)) {
    if (p - *at >= 18) return false;
    *v = *v * 10 + (uint64_t)(*p++ - '0');
  }
  bool some = p != *at;
  *at = p;
  return some;
}

net_range net_range_parse(const char *range, uint64_t whole, uint64_t *from, uint64_t *to) {
  uint64_t a = 0, b = 0;
  if (strncasecmp(range, "bytes=", 6) != 0) return NET_RANGE_NONE;
  const char *p = skip_space(range + 6);
  bool has_first = number(&p, &a);
  if (*p++ != '-') return NET_RANGE_NONE;
  bool has_last = number(&p, &b);
  if (*skip_space(p) || (!has_first && !has_last) || (has_first && has_last && b < a)) return NET_RANGE_NONE;
  if (has_first) {
    if (a >= whole) return NET_RANGE_BEYOND;
    *from = a;
    *to = has_last && b < whole ? b + 1 : whole;
    return NET_RANGE_ONE;
  }
  if (!b || !whole) return NET_RANGE_BEYOND; /* the last b bytes */
  *from = b < whole ? whole - b : 0;
  *to = whole;
  return NET_RANGE_ONE;
}
