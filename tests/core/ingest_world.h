/* The usual small organisation of the ingest tests: two teams, a carer in each and one in both, a participant
 * in team A, tablets. */
#ifndef INGEST_WORLD_H
#define INGEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

#define SLEEP 20
#define SLEEP_NOTE 5
#define SLEEP_NIGHT 10
#define SLEEP_SOURCE 11
#define SLEEP_SOL 14
#define SLEEP_WAKE 15
#define SLEEP_DISTURBANCE 22
#define NIGHT (FX_START_MS / 86400000)

typedef struct small_world {
  fx_world w;
  sv_org *org;
  uint32_t a, b; /* scopes of the teams */
  ov_name carer, nurse, both, anna;
  fx_tablet *ta, *tb; /* of team A and of team B */
} small_world;

static inline void small_open(small_world *s, uint64_t seed) {
  memset(s, 0, sizeof *s);
  fx_open(&s->w, seed);
  s->org = fx_org(&s->w, fx_data(&s->w), "De Linde");
  s->a = fx_team(&s->w, s->org, "Beuk");
  s->b = fx_team(&s->w, s->org, "Eik");
  uint32_t ab[] = {s->a, s->b};
  s->carer = fx_person(&s->w, s->org, "carer", &s->a, 1);
  s->nurse = fx_person(&s->w, s->org, "nurse", &s->b, 1);
  s->both = fx_person(&s->w, s->org, "both", ab, 2);
  s->anna = fx_participant(&s->w, s->org, "Anna", &s->a, 1);
  s->ta = fx_tablet_new(&s->w, s->org, &s->a, 1, &s->carer);
  s->tb = fx_tablet_new(&s->w, s->org, &s->b, 1, &s->nurse);
}

static inline void small_close(small_world *s) {
  fx_tablet_free(s->ta);
  fx_tablet_free(s->tb);
  sv_org_close(s->org);
  fx_close(&s->w);
}

/* A night of Anna's, seen by `source`. */
static inline ov_name small_night(small_world *s, fx_tablet *t, int64_t source) {
  ov_field f[] = {FX_INT(SLEEP_NIGHT, NIGHT), FX_INT(SLEEP_SOURCE, source)};
  return fx_create(t, SLEEP, &s->anna, f, 2);
}

/* Sets one number of a record that t itself wrote as its op `seq`, replacing that op's value. */
static inline ov_name small_set(fx_tablet *t, uint32_t seq, uint16_t field, int64_t v,
                                const ov_name *replaces) {
  ov_field f[] = {FX_INT(field, v)};
  const ov_op *first = t->ops[seq - 1];
  return fx_edit_of(t, first, &first->record, f, 1, replaces, replaces ? 1 : 0);
}

/* Brings every op of `from` to `to` with its receipts, as a peer would: log by log, in order. */
static inline void ship(small_world *s, sv_org *from, sv_org *to) {
  sv_txn *r = NULL, *t = NULL;
  ov_name name, after;
  const ov_name *at = NULL;
  FX_OK(sv_txn_read(from->env, &r));
  FX_OK(sv_txn_write(to->env, &t));
  while (!sv_op_next(r, at, &name)) {
    sv_op_row row;
    FX_OK(sv_op_get(r, &name, &s->w.arena, &row));
    FX_OK(sv_ingest_foreign(t, to, &row, &s->w.arena, NULL));
    after = name;
    at = &after;
  }
  sv_txn_abort(r);
  FX_OK(sv_txn_commit(t));
}

static inline uint64_t small_waiting(sv_org *org) {
  sv_txn *t = NULL;
  uint64_t n = 0;
  FX_OK(sv_txn_read(org->env, &t));
  FX_OK(sv_waiting_count(t, &n));
  sv_txn_abort(t);
  return n;
}

#endif
