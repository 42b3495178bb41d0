/* Fractions are exact: elimination by cross multiplication on 128-bit integers, divided by the greatest
 * common divisor of each row. */
#include "sdc_algebra.h"

#include <stdlib.h>
#include <string.h>

typedef __int128 big;

#define CLASSES_MAX 512

typedef struct classes {
  uint64_t in[CLASSES_MAX];
  uint32_t persons[CLASSES_MAX];
  uint32_t n;
} classes;

static big gcd(big a, big b) {
  if (a < 0) a = -a;
  if (b < 0) b = -b;
  while (b) {
    big t = a % b;
    a = b;
    b = t;
  }
  return a;
}

static void reduce(big *row, uint32_t n) {
  big g = 0;
  for (uint32_t i = 0; i < n; i++) g = gcd(g, row[i]);
  for (uint32_t i = 0; g > 1 && i < n; i++) row[i] /= g;
}

static uint32_t rank_of(const classes *c, uint32_t rows, const bool *without) {
  static big m[AL_ROWS_MAX][CLASSES_MAX];
  uint32_t cols = 0, rank = 0;
  for (uint32_t k = 0; k < c->n; k++) {
    if (without[k]) continue;
    for (uint32_t r = 0; r < rows; r++) m[r][cols] = c->in[k] >> r & 1;
    cols++;
  }
  for (uint32_t col = 0; col < cols && rank < rows; col++) {
    uint32_t at = rank;
    while (at < rows && !m[at][col]) at++;
    if (at == rows) continue;
    for (uint32_t k = 0; at != rank && k < cols; k++) {
      big t = m[at][k];
      m[at][k] = m[rank][k];
      m[rank][k] = t;
    }
    for (uint32_t r = rank + 1; r < rows; r++) {
      big f = m[r][col], p = m[rank][col];
      if (!f) continue;
      for (uint32_t k = col; k < cols; k++) m[r][k] = m[r][k] * p - m[rank][k] * f;
      reduce(&m[r][col], cols - col);
    }
    rank++;
  }
  return rank;
}

typedef struct search {
  const classes *c;
  uint32_t rows, full;
  unsigned below, best;
  bool without[CLASSES_MAX];
} search;

/* Classes from `at` on may still join the union, which has `size` persons. Whatever cannot be derived from a
 * union cannot from its parts, so only unions that nothing more fits into are asked; a hit is then
 * narrowed. */
static void widen(search *s, uint32_t at, unsigned size) {
  bool fits = false;
  for (uint32_t k = at; k < s->c->n && !s->best; k++) {
    if (s->without[k] || size + s->c->persons[k] >= s->below) continue;
    fits = true;
    s->without[k] = true;
    widen(s, k + 1, size + s->c->persons[k]);
    s->without[k] = false;
  }
  if (fits || s->best || !size) return;
  if (rank_of(s->c, s->rows, s->without) < s->full) s->best = size;
}

static void narrow(search *s) {
  /* The union of the hit is gone from `without` by now; a single class is looked for, which is what matters
   * to somebody who reads the report. */
  unsigned least = s->best;
  for (uint32_t k = 0; k < s->c->n; k++) {
    if (s->c->persons[k] >= least || s->without[k]) continue;
    s->without[k] = true;
    if (rank_of(s->c, s->rows, s->without) < s->full) least = s->c->persons[k];
    s->without[k] = false;
  }
  s->best = least;
}

static int by_pattern(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;
  if (x[0] != y[0]) return x[0] < y[0] ? -1 : 1;
  return x[1] < y[1] ? -1 : x[1] > y[1];
}

static void make_classes(const al_system *s, int insider, classes *c) {
  static uint64_t v[AL_ATOMS_MAX][2];
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->n_atoms; i++) {
    if (!s->in[i] || (int)s->org[i] == insider) continue;
    v[n][0] = s->in[i];
    v[n++][1] = s->person[i];
  }
  qsort(v, n, sizeof v[0], by_pattern);
  c->n = 0;
  for (uint32_t i = 0; i < n; i++) {
    bool fresh = !i || v[i][0] != v[i - 1][0];
    if (fresh && c->n == CLASSES_MAX) abort();
    if (fresh) {
      c->in[c->n] = v[i][0];
      c->persons[c->n++] = 0;
    }
    if (fresh || v[i][1] != v[i - 1][1]) c->persons[c->n - 1]++;
  }
}

unsigned al_smallest(const al_system *s, int insider, unsigned below) {
  static classes c;
  static search q;
  make_classes(s, insider, &c);
  memset(&q, 0, sizeof q);
  q.c = &c;
  q.rows = s->n_rows;
  q.below = below;
  q.full = rank_of(&c, s->n_rows, q.without);
  if (c.n) widen(&q, 0, 0);
  if (q.best) narrow(&q);
  return q.best;
}
