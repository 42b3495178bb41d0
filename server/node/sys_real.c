/* The outside world of a real process: clocks, OpenSSL's random source, log lines on stderr for the
 * journal. */
#include <openssl/rand.h>
#include <stdio.h>
#include <time.h>

#include "sv_node.h"

static int64_t clock_ms(clockid_t id) {
  struct timespec ts;
  clock_gettime(id, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t now_ms(void *ctx) {
  (void)ctx;
  return clock_ms(CLOCK_REALTIME);
}

static int64_t mono_ms(void *ctx) {
  (void)ctx;
  return clock_ms(CLOCK_MONOTONIC);
}

static int random_bytes(void *ctx, void *p, size_t n) {
  (void)ctx;
  return n <= INT32_MAX && RAND_bytes(p, (int)n) == 1 ? 0 : OV_E_CRYPTO;
}

static int log_level = SV_LOG_INFO; /* set once, before threads start */

static void log_line(void *ctx, int level, const char *event, const char *fields) {
  (void)ctx;
  static const char *const names[] = {"debug", "info", "warn", "error"};
  if (level < log_level) return;
  struct timespec ts;
  struct tm tm;
  char when[32];
  clock_gettime(CLOCK_REALTIME, &ts);
  gmtime_r(&ts.tv_sec, &tm);
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
  fprintf(stderr, "time=%s.%03ldZ level=%s event=%s%s%s\n", when, ts.tv_nsec / 1000000, names[level & 3],
          event, fields && *fields ? " " : "", fields ? fields : "");
}

const sv_sys *sv_sys_real(int level) {
  static const sv_sys real = {.now_ms = now_ms, .mono_ms = mono_ms, .random = random_bytes, .log = log_line};
  log_level = level;
  return &real;
}
