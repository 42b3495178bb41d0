/* A TCP proxy on the loopback address that counts and delays what passes, and can cut it. It runs on a
 * thread of its own; one client connection at a time is counted.
 *
 * It counts in bursts: everything that one side sends until the other side says something is one burst.
 * With a delay well above what either side needs to answer, a burst is what a side could say without
 * waiting: two sides that exchange n bursts of the client and n of the server took n round trips. */
#ifndef TESTS_COUNTPROXY_H
#define TESTS_COUNTPROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTPROXY_BURSTS_MAX 64u

typedef struct countproxy_burst {
  bool up;        /* from the client */
  uint64_t bytes; /* of TCP payload */
} countproxy_burst;

typedef struct countproxy_seen {
  unsigned connections;
  /* Bursts of the last connection; of a plain one only those behind the websocket's upgrade. */
  countproxy_burst bursts[COUNTPROXY_BURSTS_MAX];
  unsigned n_bursts;
  bool upgraded;
  uint64_t up_bytes, down_bytes;     /* the sums of these bursts */
  uint64_t up_payload, down_payload; /* plain only: payload of binary websocket frames */
} countproxy_seen;

typedef struct countproxy countproxy;
/* Listens on a free port; delay_ms each way. plain: look into the bytes for the upgrade and frames. NULL:
 * no socket or thread. */
countproxy *countproxy_start(unsigned delay_ms, bool plain);
void countproxy_stop(countproxy *p); /* NULL is fine */
uint16_t countproxy_port(const countproxy *p);
void countproxy_target(countproxy *p, uint16_t port);
/* Of the last connection, finished or not. */
countproxy_seen countproxy_look(countproxy *p);
/* Forgets what was counted, and cuts connections from now on after so many bytes down (0: never). */
void countproxy_reset(countproxy *p, uint64_t cut_after_down);

#endif
