/* Numbers for the generator, and the outside world (clock, random source) that the server's code gets from
 * it. */
#ifndef DD_RANDOM_H
#define DD_RANDOM_H

#include "sv_core.h"

/* Content: who, when and what. Always from the seed; splitmix64, so that equal seeds give equal stories
 * everywhere. */
typedef struct dd_rng {
  uint64_t state;
} dd_rng;
dd_rng dd_rng_of(uint64_t seed, uint64_t stream);
uint64_t dd_next(dd_rng *r);
uint32_t dd_below(dd_rng *r, uint32_t n);              /* 0..n-1; n > 0 */
int64_t dd_between(dd_rng *r, int64_t lo, int64_t hi); /* lo..hi */
bool dd_chance(dd_rng *r, unsigned permille);
/* Around mid, at most spread away, the middle being likelier. */
int64_t dd_around(dd_rng *r, int64_t mid, int64_t spread);
/* An index by weight; the weights end with 0. */
unsigned dd_pick(dd_rng *r, const uint16_t *weights);

/* The virtual clock and the random source of one organisation. With `seeded`, ids, keys, nonces and
 * signatures come from the seed as well: anyone who knows the seed knows the keys, so such data is for
 * demonstration and tests only. Without, they come from OpenSSL. Must not move. */
typedef struct dd_world {
  sv_sys sys;
  int64_t now_ms;
  dd_rng bytes;
  bool seeded;
} dd_world;
void dd_world_init(dd_world *w, uint64_t seed, uint64_t stream, bool seeded, int64_t now_ms);
/* Makes OpenSSL on this thread draw from this world (it makes keys and signatures by itself, with no seam for
 * a caller). Does nothing unless seeded. The world outlives the thread's use of it. */
void dd_world_take_thread(dd_world *w);

/* A failed call ends the program: half a demonstration is none. */
_Noreturn void dd_die(const char *what, int err);
#define DD_OK(call)                                                                                          \
  do {                                                                                                       \
    int dd_err_ = (call);                                                                                    \
    if (dd_err_) dd_die(#call, dd_err_);                                                                     \
  } while (0)
#define DD_MUST(cond)                                                                                        \
  do {                                                                                                       \
    if (!(cond)) dd_die(#cond, 0);                                                                           \
  } while (0)

#endif
