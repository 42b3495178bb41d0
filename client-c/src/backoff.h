/* How long a client stays away after a failure that may pass. Pure: time and chance are arguments.
 * PROTO-118 */
#ifndef OC_BACKOFF_H
#define OC_BACKOFF_H

#include <stdint.h>

#define OC_BACKOFF_FIRST_MS 1000 /* without word from the server; doubles with each failure in a row */
#define OC_BACKOFF_MOST_MS (15 * 60 * 1000) /* where doubling ends */

typedef struct oc_backoff {
  int64_t next_ms; /* least wait after the next failure; 0: none has happened yet */
} oc_backoff;

/* A failure: milliseconds to wait. asked_ms: what is left of the retry time that the server gave, 0 for none;
 * never comes back sooner. chance: a random number; the wait is 1 to 2 times the least one, so that tablets
 * that failed together do not come back together. */
int64_t oc_backoff_wait(oc_backoff *b, int64_t asked_ms, uint32_t chance);

#endif
