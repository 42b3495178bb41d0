#include "states.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sector's worth of a write that no sync has followed. */
typedef struct loose {
  uint64_t offset;
  const uint8_t *p;
  size_t n;
} loose;

typedef struct replay {
  const recording *r;
  disk safe; /* all that is certainly on disk */
  disk trial;
  loose *v;
  size_t n, cap;
  uint64_t size_loose;     /* a size that was set and not synced; 0: none */
  const event *side_loose; /* a rename whose folder was not synced */
  uint64_t random;
  state_check check;
  void *ctx;
  states_result *out;
  size_t at;
} replay;

static uint64_t next(replay *x) {
  uint64_t z = x->random += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static void room(disk *d, size_t n) {
  if (n > d->cap) {
    d->cap = n + (1u << 20);
    d->data = realloc(d->data, d->cap);
    if (!d->data) abort();
  }
  if (n > d->n) {
    memset(d->data + d->n, 0, n - d->n);
    d->n = n;
  }
}

static void put(disk *d, uint64_t offset, const uint8_t *p, size_t n) {
  room(d, (size_t)offset + n);
  memcpy(d->data + offset, p, n);
}

static void set_size(disk *d, uint64_t n) {
  room(d, (size_t)n);
  d->n = (size_t)n;
}

/* -- one state
 * ------------------------------------------------------------------------------------------------ */

static void begin(replay *x) {
  disk *t = &x->trial;
  room(t, x->safe.n);
  t->n = x->safe.n;
  memcpy(t->data, x->safe.data, t->n);
  t->side = x->safe.side;
  t->side_n = x->safe.side_n;
  t->promises = x->safe.promises;
}

static void look(replay *x, const char *subset) {
  const char *wrong = x->check(x->ctx, &x->trial);
  x->out->states++;
  if (!wrong || x->out->bad++) return;
  snprintf(x->out->first, sizeof x->out->first, "event %zu of %zu, %s of %zu unsynced sectors: %.200s", x->at,
           x->r->n, subset, x->n, wrong);
}

static void with_side(replay *x, bool new_one) {
  static const uint8_t nothing[1];
  const event *e = x->side_loose;
  if (!e || !new_one) return;
  x->trial.side = e->unsynced ? nothing : e->p;
  x->trial.side_n = e->unsynced ? 0 : e->n;
}

/* mask: 0 none, 1 all, 2 only `which`, 3 all but `which`, 4 a seeded subset. */
static void try_subset(replay *x, unsigned mask, size_t which, bool new_side) {
  static const char *const names[] = {"none", "all", "one", "all but one", "some"};
  begin(x);
  bool all = mask == 1 || mask == 3;
  if (x->size_loose && (all || (mask == 4 && next(x) & 1))) set_size(&x->trial, x->size_loose);
  for (size_t i = 0; i < x->n; i++) {
    bool in = mask == 4 ? next(x) & 1 : all;
    if (mask >= 2 && mask <= 3 && i == which) in = mask == 2;
    if (in) put(&x->trial, x->v[i].offset, x->v[i].p, x->v[i].n);
  }
  with_side(x, new_side);
  look(x, names[mask]);
}

static void try_here(replay *x, unsigned budget) {
  try_subset(x, 0, 0, false);
  if (x->side_loose) try_subset(x, 0, 0, true);
  if (!x->n && !x->size_loose) return;
  try_subset(x, 1, 0, true);
  for (unsigned done = 2; done < budget; done++) {
    size_t which = x->n ? next(x) % x->n : 0;
    unsigned mask = done % 3 == 2 ? 4 : 2 + done % 3;
    try_subset(x, mask, which, next(x) & 1);
  }
}

/* -- all events
 * ------------------------------------------------------------------------------------------------- */

static void loosen(replay *x, const event *e) {
  for (size_t at = 0; at < e->n;) {
    size_t n = SECTOR - (e->offset + at) % SECTOR;
    if (n > e->n - at) n = e->n - at;
    if (x->n == x->cap) {
      x->cap = x->cap ? 2 * x->cap : 1024;
      x->v = realloc(x->v, x->cap * sizeof *x->v);
      if (!x->v) abort();
    }
    x->v[x->n++] = (loose){.offset = e->offset + at, .p = e->p + at, .n = n};
    at += n;
  }
}

static void settle(replay *x) {
  if (x->size_loose) set_size(&x->safe, x->size_loose);
  x->size_loose = 0;
  for (size_t i = 0; i < x->n; i++) put(&x->safe, x->v[i].offset, x->v[i].p, x->v[i].n);
  x->n = 0;
}

static void settle_side(replay *x) {
  const event *e = x->side_loose;
  if (!e) return;
  x->safe.side = e->p;
  x->safe.side_n = e->unsynced ? 0 : e->n;
  x->side_loose = NULL;
}

static void happen(replay *x, const event *e, unsigned budget) {
  size_t before = x->n;
  switch (e->kind) {
  case EV_WRITE:
    loosen(x, e);
    try_here(x, budget);
    break;
  case EV_WRITE_SYNC: /* while it is under way it is as loose as the others, then it alone is safe */
    loosen(x, e);
    try_here(x, budget);
    x->n = before;
    put(&x->safe, e->offset, e->p, e->n);
    try_here(x, budget);
    break;
  case EV_SYNC:
    settle(x);
    try_here(x, budget);
    break;
  case EV_SIZE:
    x->size_loose = e->offset;
    try_here(x, budget);
    break;
  case EV_RENAME:
    settle_side(x); /* the order of two renames in one folder stands */
    x->side_loose = e;
    try_here(x, budget);
    break;
  case EV_FOLDER_SYNC:
    settle_side(x);
    try_here(x, budget);
    break;
  case EV_PROMISE:
    x->safe.promises = e->offset;
    try_here(x, budget);
    break;
  }
}

void states_try(const recording *r, uint64_t budget, uint64_t enough, uint64_t seed, state_check check,
                void *ctx, states_result *out) {
  *out = (states_result){0};
  replay x = {.r = r, .random = seed, .check = check, .ctx = ctx, .out = out};
  put(&x.safe, 0, r->base, r->base_n);
  x.safe.side = r->side;
  x.safe.side_n = r->side_n;
  for (x.at = 0; x.at < r->n && (!enough || out->bad < enough); x.at++) {
    uint64_t left = budget > out->states ? budget - out->states : 0;
    uint64_t each = left / (r->n - x.at) + 1;
    happen(&x, &r->v[x.at], each < 3 ? 3 : (unsigned)each);
  }
  free(x.safe.data);
  free(x.trial.data);
  free(x.v);
}
