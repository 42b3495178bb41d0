/* RAND_METHOD: the only way to seed what OpenSSL draws itself, and there is no other use of it here */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "random.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <unistd.h>

_Noreturn void dd_die(const char *what, int err) {
  fprintf(stderr, "overdracht-demo-data: %s%s%s\n", what, err ? ": " : " does not hold",
          err ? ov_err_text(err) : "");
  fflush(stderr);
  _exit(1); /* other threads are at work: no handlers, no destructors */
}

/* -- numbers --------------------------------------------------------------------------------------------- */

dd_rng dd_rng_of(uint64_t seed, uint64_t stream) {
  dd_rng r = {seed * 0x9e3779b97f4a7c15u ^ (stream + 1) * 0xd1342543de82ef95u};
  (void)dd_next(&r);
  return r;
}

uint64_t dd_next(dd_rng *r) {
  uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

uint32_t dd_below(dd_rng *r, uint32_t n) { return (uint32_t)((dd_next(r) >> 32) * n >> 32); }

int64_t dd_between(dd_rng *r, int64_t lo, int64_t hi) {
  return lo + (int64_t)dd_below(r, (uint32_t)(hi - lo + 1));
}

bool dd_chance(dd_rng *r, unsigned permille) { return dd_below(r, 1000) < permille; }

int64_t dd_around(dd_rng *r, int64_t mid, int64_t spread) {
  return mid + (dd_between(r, -spread, spread) + dd_between(r, -spread, spread)) / 2;
}

unsigned dd_pick(dd_rng *r, const uint16_t *weights) {
  uint32_t sum = 0;
  for (const uint16_t *w = weights; *w; w++) sum += *w;
  uint32_t at = dd_below(r, sum);
  unsigned i = 0;
  while (at >= weights[i]) at -= weights[i++];
  return i;
}

static void fill(dd_rng *r, uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(dd_next(r) >> 24);
}

/* -- the world ------------------------------------------------------------------------------------------- */

static int64_t now_ms(void *ctx) { return ((dd_world *)ctx)->now_ms; }

static int random_bytes(void *ctx, void *p, size_t n) {
  dd_world *w = ctx;
  if (!w->seeded) return n <= INT32_MAX && RAND_bytes(p, (int)n) == 1 ? 0 : OV_E_CRYPTO;
  fill(&w->bytes, p, n);
  return 0;
}

static void log_line(void *ctx, int level, const char *event, const char *fields) {
  (void)ctx;
  if (level >= SV_LOG_WARN) fprintf(stderr, "overdracht-demo-data: %s %s\n", event, fields ? fields : "");
}

void dd_world_init(dd_world *w, uint64_t seed, uint64_t stream, bool seeded, int64_t now) {
  *w = (dd_world){.now_ms = now, .bytes = dd_rng_of(seed, stream + (1ull << 32)), .seeded = seeded};
  w->sys = (sv_sys){.now_ms = now_ms, .mono_ms = now_ms, .random = random_bytes, .log = log_line, .ctx = w};
}

/* OpenSSL's random method takes no context; each thread makes one organisation at a time. */
static _Thread_local dd_world *thread_world;

static int seeded_bytes(unsigned char *p, int n) {
  if (!thread_world) return 0;
  fill(&thread_world->bytes, p, (size_t)n);
  return 1;
}

static int seeded_status(void) { return 1; }

void dd_world_take_thread(dd_world *w) {
  static const RAND_METHOD method = {
      .bytes = seeded_bytes, .pseudorand = seeded_bytes, .status = seeded_status};
  if (!w->seeded) return;
  thread_world = w;
  DD_MUST(RAND_set_rand_method(&method) == 1);
}
