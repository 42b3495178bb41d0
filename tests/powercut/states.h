/* The states in which a power cut may leave the disk: for every event of a recording, what was synced before
 * it and any subset of the sectors that were not. */
#ifndef TESTS_POWERCUT_STATES_H
#define TESTS_POWERCUT_STATES_H

#include "record.h"

#define SECTOR 512u

typedef struct disk {
  uint8_t *data;
  size_t n, cap;
  const uint8_t *side; /* NULL: none; its bytes, borrowed from the recording */
  size_t side_n;
  uint64_t promises; /* what was promised before the cut */
} disk;

/* Is a store that opens on this disk as it must be? NULL, or what is wrong (static, or until the next call).
 * */
typedef const char *(*state_check)(void *ctx, const disk *d);

typedef struct states_result {
  uint64_t states, bad;
  char first[300]; /* of the first bad one: where, and what was wrong */
} states_result;

/* Tries about `budget` states, spread over the whole recording: at each event nothing of the unsynced, all of
 * it, each sector alone, all but each, and seeded subsets. Ends early when `enough` states are bad (0:
 * never). */
void states_try(const recording *r, uint64_t budget, uint64_t enough, uint64_t seed, state_check check,
                void *ctx, states_result *out);

#endif
