/* Random numbers: the world's own, and what OpenSSL draws for keys and signatures. */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD is the one way in without writing a provider */
#include <openssl/rand.h>

#include "sim.h"

static uint64_t mix(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

uint64_t sim_u64(sim_rng *r) { return mix(&r->state); }
uint32_t sim_below(sim_rng *r, uint32_t n) { return n ? (uint32_t)(sim_u64(r) >> 16) % n : 0; }
bool sim_chance(sim_rng *r, uint32_t percent) { return sim_below(r, 100) < percent; }

static uint64_t openssl_state;

static int draw(unsigned char *p, int n) {
  for (int i = 0; i < n; i++) p[i] = (unsigned char)(mix(&openssl_state) >> 24);
  return 1;
}

static int ready(void) { return 1; }
static int take_seed(const void *p, int n) {
  (void)p;
  (void)n;
  return 1;
}
static int add(const void *p, int n, double entropy) {
  (void)p;
  (void)n;
  (void)entropy;
  return 1;
}

void sim_openssl_seed(uint64_t seed) {
  static const RAND_METHOD method = {
      .seed = take_seed, .bytes = draw, .add = add, .pseudorand = draw, .status = ready};
  openssl_state = seed ^ 0x6f76657264726163u;
  RAND_set_rand_method(&method);
}
