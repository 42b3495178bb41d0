/* Time zones: bytes of a zone file (first byte even) or a POSIX rule. What is taken converts any moment there
 * and back. */
#include <string.h>

#include "fuzz.h"
#include "oc_import_limits.h"
#include "oc_zone.h"

static void convert(const oc_zone *z) {
  static const int64_t moments[] = {0,           1711846800, 1729994400, 1763800000,
                                    -2000000000, 4102444800, INT32_MIN,  INT32_MAX};
  FUZZ_MUST(oc_zone_name(z));
  for (unsigned i = 0; i < sizeof moments / sizeof *moments; i++) {
    for (int64_t at = moments[i] - 7200; at <= moments[i] + 7200; at += 1800) {
      int32_t east = oc_zone_offset(z, at);
      int64_t back[2];
      FUZZ_MUST(east > -200 * 3600 && east < 200 * 3600);
      int n = oc_zone_to_utc(z, at + east, back);
      FUZZ_MUST(n >= 0 && n <= 2 && (n < 2 || back[0] < back[1]));
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  oc_zone *z = NULL;
  int err;
  if (!n || n > OC_ZONE_BYTES_MAX + 10) return 0;
  if (p[0] & 1) {
    char *rule = strndup((const char *)p + 1, n - 1);
    FUZZ_MUST(rule);
    err = oc_zone_from_rule(rule, "Test/Rule", &z);
    FUZZ_MUST(!err || err == OV_E_FORMAT);
    free(rule);
  } else {
    err = oc_zone_from_tzif(p + 1, n - 1, "Test/File", &z);
    FUZZ_MUST(!err || err == OV_E_FORMAT || err == OV_E_LIMIT);
  }
  FUZZ_MUST((err == 0) == (z != NULL));
  if (z) convert(z);
  oc_zone_free(z);
  return 0;
}

static size_t big_endian(uint8_t *b, uint64_t v, unsigned bytes) {
  for (unsigned i = 0; i < bytes; i++) b[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
  return bytes;
}

/* One of the two parts of a zone file: `moments` changes, two types, names "CET" and "CEST". */
static size_t part(uint8_t *b, char version, uint32_t moments, unsigned time_bytes) {
  size_t n = 0;
  memcpy(b, "TZif", 4);
  b[4] = (uint8_t)version;
  memset(b + 5, 0, 15);
  n = 20;
  const uint32_t counts[6] = {0, 0, 0, moments, 2, 9};
  for (unsigned i = 0; i < 6; i++) n += big_endian(b + n, counts[i], 4);
  for (uint32_t i = 0; i < moments; i++) n += big_endian(b + n, 1711846800u + i * 18000000u, time_bytes);
  for (uint32_t i = 0; i < moments; i++) b[n++] = (uint8_t)(1 - i % 2);
  static const uint8_t types[] = {0, 0, 0x0e, 0x10, 0, 0, 0, 0, 0x1c, 0x20, 1, 4};
  memcpy(b + n, types, sizeof types);
  memcpy(b + n + sizeof types, "CET\0CEST", 9);
  return n + sizeof types + 9;
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  static const char *const rules[] = {"CET-1CEST,M3.5.0,M10.5.0/3", "UTC0",
                                      "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "EST5EDT,J60/2:30:00,300/25",
                                      "IST-1GMT0,M10.5.0,M3.5.0/1"};
  uint8_t b[1000] = {1};
  for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++) {
    strcpy((char *)b + 1, rules[i]);
    add(ctx, b, 1 + strlen(rules[i]));
  }
  b[0] = 0;
  size_t n = 1 + part(b + 1, '2', 3, 4);
  n += part(b + n, '2', 4, 8);
  memcpy(b + n, "\nCET-1CEST,M3.5.0,M10.5.0/3\n", 28);
  add(ctx, b, n + 28);
  add(ctx, b, n);
  add(ctx, b, 1 + part(b + 1, 0, 3, 4));
}
