/* The setting of every history: two teams, two carers, a client, two enrolled tablets of the first team. */
#ifndef HOME_H
#define HOME_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oc_internal.h"
#include "world.h"

typedef struct home {
  world w;
  uint32_t team, other;
  ov_name ann, bea, client, project;
  tablet a, b;
} home;

static inline void home_open(home *h) {
  world_open(&h->w, 7);
  h->team = fx_team(&h->w.fx, h->w.org, "Woning 1");
  h->other = fx_team(&h->w.fx, h->w.org, "Woning 2");
  uint32_t both[2] = {h->team, h->other};
  h->ann = fx_person(&h->w.fx, h->w.org, "Ann", both, 2);
  h->bea = fx_person(&h->w.fx, h->w.org, "Bea", both, 2);
  h->client = fx_participant(&h->w.fx, h->w.org, "Client 1", &h->team, 1);
  tablet_open(&h->a, &h->w, "a");
  tablet_open(&h->b, &h->w, "b");
  tablet_enrol(&h->a, "a", &h->team, 1);
  tablet_enrol(&h->b, "b", &h->team, 1);
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
}

static inline void home_close(home *h) {
  tablet_close(&h->a);
  tablet_close(&h->b);
  world_close(&h->w);
}

/* Ten seconds later. */
static inline void later(home *h) { h->w.fx.now_ms += 10000; }
static inline void days_later(home *h, int days) { h->w.fx.now_ms += (int64_t)days * 86400000; }

static inline ov_name name_of(const char *id) {
  ov_name n;
  assert_int_equal(ov_name_parse(id, &n), 0);
  return n;
}

/* Both tablets hold what the server would give them, and the server's books are right. */
static inline void all_agree(home *h) {
  uint32_t scopes[3] = {0, 1, h->team};
  for (int i = 0; i < 2; i++) {
    tablet_sync_ok(&h->a);
    tablet_sync_ok(&h->b);
  }
  ov_hash want = world_digest(&h->w, scopes, 3), a = tablet_digest(&h->a), b = tablet_digest(&h->b);
  assert_memory_equal(&a, &want, sizeof a);
  assert_memory_equal(&b, &want, sizeof b);
  fx_verify(&h->w.fx, h->w.org);
}

#endif
