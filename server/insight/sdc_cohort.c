/* Cohorts that grow only by groups which could stand alone: what persists (a baseline and what followed) is
 * told of the same people again and again, so a difference between two releases must be such a group. */
#include <stdlib.h>
#include <string.h>

#include "ov/error.h"
#include "sdc_priv.h"

#define NO_DIFF SV_M_MEAN

void sv_batches_free(sv_batches *b) {
  for (uint32_t i = 0; i < b->n; i++) {
    free(b->v[i].clients);
    free(b->v[i].orgs);
  }
  free(b->v);
  *b = (sv_batches){.n = 0};
}

static bool of(const sv_batch *b, const sv_measure *m, uint8_t split) {
  return b->measure == m->id && b->split == split;
}

static int by_u32(const void *a, const void *b) {
  const uint32_t *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

static bool frozen(const sv_batches *b, const sv_measure *m, uint8_t split, uint32_t client) {
  for (uint32_t i = 0; i < b->n; i++) {
    if (of(&b->v[i], m, split) && bsearch(&client, b->v[i].clients, b->v[i].n, sizeof client, by_u32))
      return true;
  }
  return false;
}

static int by_group(const void *a, const void *b) {
  const sv_pair *x = a, *y = b;
  if (x->group != y->group) return x->group < y->group ? -1 : 1;
  return x->client < y->client ? -1 : x->client > y->client;
}

static sv_batch *room(sv_batches *b) {
  if (b->n == b->cap) {
    uint32_t cap = b->cap ? 2 * b->cap : 16;
    sv_batch *v = realloc(b->v, cap * sizeof *v);
    if (!v) return NULL;
    b->v = v;
    b->cap = cap;
  }
  memset(&b->v[b->n], 0, sizeof b->v[b->n]);
  return &b->v[b->n++];
}

static int org_order(const void *a, const void *b) {
  const uint16_t *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

static int fill_batch(sv_batch *b, const sv_measure *m, uint8_t split, const sv_pair *v, uint32_t n) {
  *b = (sv_batch){.measure = m->id, .split = split, .group = v->group, .n = n};
  b->clients = malloc(n * sizeof *b->clients);
  b->orgs = malloc(n * sizeof *b->orgs);
  if (!b->clients || !b->orgs) return OV_E_NOMEM;
  for (uint32_t i = 0; i < n; i++) {
    int64_t d = v[i].follow - v[i].base;
    b->clients[i] = v[i].client;
    b->orgs[i] = v[i].org;
    b->base += v[i].base;
    b->follow += v[i].follow;
    b->diff += d;
    b->diff2 += d * d / 1000;
  }
  if (n) qsort(b->orgs, n, sizeof *b->orgs, org_order);
  for (uint32_t i = 0; i < n; i++) {
    if (!i || b->orgs[i] != b->orgs[i - 1]) b->orgs[b->orgs_n++] = b->orgs[i];
  }
  return 0;
}

static void forget(sv_batches *b, const sv_measure *m, uint8_t split) {
  uint32_t k = 0;
  for (uint32_t i = 0; i < b->n; i++) {
    if (of(&b->v[i], m, split)) {
      free(b->v[i].clients);
      free(b->v[i].orgs);
    } else {
      b->v[k++] = b->v[i];
    }
  }
  b->n = k;
}

/* One group's new pairs: frozen if they can stand alone. */
static int freeze_group(const sv_sdc_rules *r, const sv_measure *m, uint8_t split, const sv_pair *v,
                        uint32_t n, sv_batches *batches) {
  sv_contrib *c = calloc(n, sizeof *c);
  if (!c) return OV_E_NOMEM;
  for (uint32_t i = 0; i < n; i++)
    c[i] = (sv_contrib){.client = v[i].client, .org = v[i].org, .flags = SV_HAS_SOME | SV_HAS_REST};
  sv_hidden h = sv_sdc_primary(r, NO_DIFF, c, n);
  free(c);
  if (h != SV_SHOWN) return 0;
  sv_batch *b = room(batches);
  return b ? fill_batch(b, m, split, v, n) : OV_E_NOMEM;
}

int sv_sdc_freeze(const sv_sdc_rules *r, const sv_measure *m, uint8_t split, sv_pair *v, uint32_t n,
                  sv_batches *batches) {
  uint32_t k = 0;
  int err = 0;
  if (!r->overlap) forget(batches, m, split);
  for (uint32_t i = 0; i < n; i++) {
    if (v[i].group && !frozen(batches, m, split, v[i].client)) v[k++] = v[i];
  }
  if (k) qsort(v, k, sizeof *v, by_group);
  for (uint32_t i = 0, from = 0; !err && i < k; from = i) {
    while (i < k && v[i].group == v[from].group) i++;
    err = freeze_group(r, m, split, &v[from], i - from, batches);
  }
  return err;
}

/* -- cells ----------------------------------------------------------------------------------------------- */

typedef struct sums {
  uint32_t n, most;
  int64_t base, follow, diff, diff2;
  uint16_t *orgs;
  uint32_t orgs_n;
} sums;

static int gather(const sv_measure *m, uint8_t split, unsigned group, const sv_batches *batches, sv_cell *c,
                  sums *s) {
  for (uint32_t i = 0; i < batches->n; i++) {
    const sv_batch *b = &batches->v[i];
    if (!of(b, m, split) || (group && b->group != group)) continue;
    uint32_t *clients = realloc(c->clients, (s->n + b->n) * sizeof *clients);
    if (clients) c->clients = clients;
    uint16_t *orgs = realloc(s->orgs, (s->orgs_n + b->orgs_n) * sizeof *orgs);
    if (orgs) s->orgs = orgs;
    if (!clients || !orgs) return OV_E_NOMEM;
    memcpy(clients + s->n, b->clients, b->n * sizeof *clients);
    memcpy(orgs + s->orgs_n, b->orgs, b->orgs_n * sizeof *orgs);
    s->n += b->n;
    s->orgs_n += b->orgs_n;
    s->base += b->base;
    s->follow += b->follow;
    s->diff += b->diff;
    s->diff2 += b->diff2;
  }
  if (s->n) qsort(c->clients, s->n, sizeof *c->clients, by_u32);
  return 0;
}

static uint32_t distinct(uint16_t *v, uint32_t n) {
  uint32_t k = 0;
  if (n) qsort(v, n, sizeof *v, org_order);
  for (uint32_t i = 0; i < n; i++) k += !i || v[i] != v[i - 1];
  return k;
}

static double root(double x) { /* Newton's, so that this file needs no libm; x is a variance */
  double y = x > 1 ? x : 1;
  for (int i = 0; i < 60; i++) y = 0.5 * (y + x / y);
  return x > 0 ? y : 0;
}

static int64_t mean(int64_t sum, uint32_t n, int64_t step) {
  int64_t m = sum >= 0 ? (sum + n / 2) / n : -((-sum + n / 2) / n);
  return sv_round_to(m, step);
}

static int paired_cell(const sv_sdc_rules *r, const sv_measure *m, uint8_t split, sv_breakdown b,
                       unsigned group, const sv_batches *batches, sv_cells *out) {
  sums s = {.n = 0};
  sv_cell *c = sv_cells_add(out);
  if (!c) return OV_E_NOMEM;
  *c = (sv_cell){
      .measure = m->id, .split = split, .paired = true, .breakdown = (uint8_t)b, .group = (uint16_t)group};
  c->value = c->sd = c->median = c->q1 = c->q3 = c->base = c->follow = SV_UNKNOWN;
  int err = gather(m, split, group, batches, c, &s);
  c->n = s.n;
  c->sum = s.diff;
  c->orgs = distinct(s.orgs, s.orgs_n);
  free(s.orgs);
  if (err) return err;
  if (!s.n) {
    c->hidden = SV_HID_CLIENTS;
    return 0;
  }
  double n = s.n,
         var = n > 1 ? ((double)s.diff2 * 1000.0 - (double)s.diff * (double)s.diff / n) / (n - 1) : 0;
  c->n_told = (uint32_t)sv_round_to(s.n, r->count_base);
  c->orgs_told = c->orgs;
  c->value = mean(s.diff, s.n, m->round_milli);
  c->base = mean(s.base, s.n, m->round_milli);
  c->follow = mean(s.follow, s.n, m->round_milli);
  c->sd = sv_round_to((int64_t)(root(var) + 0.5), m->round_milli);
  return 0;
}

int sv_sdc_paired(const sv_sdc_rules *r, const sv_measure *m, uint8_t split, unsigned breakdowns,
                  const uint8_t *types, const sv_batches *batches, sv_cells *out) {
  int err = paired_cell(r, m, split, SV_BY_ALL, 0, batches, out);
  for (unsigned g = 1; !err && breakdowns & 1u << SV_BY_NETWORK && g <= SV_GROUP_MAX; g++) {
    bool any = types && types[g];
    for (uint32_t i = 0; i < batches->n; i++) any |= of(&batches->v[i], m, split) && batches->v[i].group == g;
    if (any) err = paired_cell(r, m, split, SV_BY_NETWORK, g, batches, out);
  }
  return err;
}
