/* Sums as bytes, and what they say of a client. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sv_measure.h"

#define SPREAD_NIGHTS_MIN 5u

static int compare(const sv_sum *x, const sv_sum *y) {
  if (x->measure != y->measure) return x->measure < y->measure ? -1 : 1;
  if (x->split != y->split) return x->split < y->split ? -1 : 1;
  if (x->cat != y->cat) return x->cat < y->cat ? -1 : 1;
  return x->phase < y->phase ? -1 : x->phase > y->phase;
}

static int by_key(const void *a, const void *b) { return compare(a, b); }

/* Entries are one string of varints: a number for measure, split and phase, then n and sum; code and squares
 * only where there are any. Most of reading a month is reading these, so no type goes with each number. */
static uint64_t folded(int64_t v) { return (uint64_t)v << 1 ^ (uint64_t)(v >> 63); }
static int64_t unfolded(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

static void put_entry(ov_buf *b, const sv_sum *e) {
  bool more = e->cat || e->sumsq;
  ov_buf_varint(b, ((e->measure * 16u + e->split) * 4u + e->phase) * 2u + more);
  ov_buf_varint(b, e->n);
  ov_buf_varint(b, folded(e->sum));
  if (!more) return;
  ov_buf_varint(b, folded(e->cat));
  ov_buf_varint(b, folded(e->sumsq));
}

void sv_sums_encode(sv_sums *s, ov_buf *out) {
  ov_buf entries;
  if (s->n) qsort(s->v, s->n, sizeof *s->v, by_key);
  if (ov_name_is_zero(&s->project)) ov_mpw_nil(out);
  else ov_mpw_name(out, &s->project);
  ov_mpw_uint(out, s->records);
  ov_mpw_uint(out, s->conflicts);
  ov_mpw_uint(out, s->held);
  ov_mpw_uint(out, s->refused);
  ov_mpw_uint(out, s->n);
  ov_buf_init(&entries, 0);
  for (uint32_t i = 0; i < s->n; i++) put_entry(&entries, &s->v[i]);
  ov_mpw_bin(out, entries.p, entries.n);
  if (entries.err) out->err = entries.err;
  ov_buf_free(&entries);
}

typedef struct cursor {
  const uint8_t *p, *end;
  bool bad;
} cursor;

static uint64_t next(cursor *c, uint64_t most) {
  uint64_t v = 0;
  for (unsigned shift = 0; c->p < c->end && shift < 64; shift += 7) {
    uint8_t b = *c->p++;
    v |= (uint64_t)(b & 0x7f) << shift;
    if (b & 0x80) continue;
    if (v > most) break;
    return v;
  }
  c->bad = true;
  return 0;
}

static void next_entry(cursor *c, sv_sum *e) {
  uint32_t key = (uint32_t)next(c, UINT16_MAX * 128u);
  *e = (sv_sum){.measure = (uint16_t)(key / 128), .split = key / 8 % 16, .phase = key / 2 % 4};
  e->n = (uint32_t)next(c, UINT32_MAX);
  e->sum = unfolded(next(c, UINT64_MAX));
  if (!(key % 2)) return;
  e->cat = (int8_t)unfolded(next(c, UINT8_MAX));
  e->sumsq = unfolded(next(c, UINT64_MAX));
}

int sv_sums_decode(const uint8_t *p, size_t n, sv_sums *out) {
  ov_mpr r;
  uint32_t len = 0;
  ov_mpr_init_scanned(&r, p, n);
  memset(&out->project, 0, sizeof out->project);
  if (!ov_mpr_nil(&r)) ov_mpr_name(&r, &out->project);
  out->records = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  out->conflicts = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  out->held = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  out->refused = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  out->n = (uint32_t)ov_mpr_uint(&r, SV_SUMS_MAX);
  const uint8_t *entries = ov_mpr_bin(&r, &len);
  if (ov_mpr_done(&r)) return OV_E_FORMAT;
  cursor c = {.p = entries, .end = entries + len};
  for (uint32_t i = 0; i < out->n && !c.bad; i++) {
    next_entry(&c, &out->v[i]);
    c.bad |= i && compare(&out->v[i - 1], &out->v[i]) >= 0;
  }
  return c.bad || c.p != c.end ? OV_E_FORMAT : 0;
}

static int64_t divide(int64_t a, int64_t b) { return a >= 0 ? (a + b / 2) / b : -((-a + b / 2) / b); }

static bool spread(const sv_sum *e, int64_t *milli) {
  if (e->n < SPREAD_NIGHTS_MIN) return false;
  double n = e->n, sum = (double)e->sum / 1000.0;
  double v = ((double)e->sumsq - sum * sum / n) / (n - 1);
  *milli = llround(1000.0 * sqrt(v > 0 ? v : 0));
  return true;
}

bool sv_sum_value(const sv_sum *e, const sv_measure *m, uint32_t total, unsigned days, int64_t *milli,
                  unsigned *flags) {
  *flags = SV_HAS_SOME | SV_HAS_REST;
  switch (m->type) {
  case SV_M_MEAN:
    if (e->n) *milli = divide(e->sum, e->n);
    return e->n > 0;
  case SV_M_SHARE:
    if (!e->n) return false;
    *milli = divide(e->sum, e->n);
    *flags = (e->sum > 0 ? SV_HAS_SOME : 0u) | (e->sum < (int64_t)e->n * 100000 ? SV_HAS_REST : 0u);
    return true;
  case SV_M_RATE:
    if (!e->n) return false;
    *milli = divide(e->sum, e->n);
    *flags = (e->sum > 0 ? SV_HAS_SOME : 0u) | SV_HAS_REST;
    return true;
  case SV_M_WEEK: *milli = divide(e->sum * 7, days ? days : 30); return true;
  case SV_M_SPREAD: return spread(e, milli);
  case SV_M_VARIETY: *milli = 1000 * __builtin_popcountll((unsigned long long)e->sum); return e->n > 0;
  case SV_M_TOTAL:
    *milli = e->sum;
    *flags = (e->sum > 0 ? SV_HAS_SOME : 0u) | SV_HAS_REST;
    return e->n > 0;
  case SV_M_CATEGORY:
    if (!total) return false;
    *milli = divide((int64_t)e->n * 100000, total);
    *flags = (e->n > 0 ? SV_HAS_SOME : 0u) | (e->n < total ? SV_HAS_REST : 0u);
    return true;
  }
  return false;
}

bool sv_sums_value(const sv_sums *s, const sv_measure *m, unsigned split, int cat, unsigned phase,
                   unsigned days, int64_t *milli, unsigned *flags) {
  sv_sum all = {.n = 0};
  uint32_t total = 0, met = 0;
  for (uint32_t i = 0; i < s->n; i++) {
    const sv_sum *e = &s->v[i];
    if (e->measure != m->id || e->split != split || (phase && e->phase != phase)) continue;
    total += e->n;
    met++;
    if (m->type == SV_M_CATEGORY && e->cat != cat) continue;
    all.n += e->n;
    all.sum = m->type == SV_M_VARIETY ? (int64_t)((uint64_t)all.sum | (uint64_t)e->sum) : all.sum + e->sum;
    all.sumsq += e->sumsq;
  }
  return met && sv_sum_value(&all, m, total, days, milli, flags);
}

uint32_t sv_sums_values(const sv_sums *s, unsigned days, sv_client_value *out, uint32_t max) {
  const sv_measure *m = NULL;
  uint32_t n = 0;
  for (uint32_t i = 0, from = 0; i < s->n && n < max; from = i) {
    sv_sum all = s->v[from];
    if (!m || m->id != all.measure) m = sv_measure_by_id(all.measure);
    bool bits = m && m->type == SV_M_VARIETY;
    for (i = from + 1; i < s->n && s->v[i].measure == all.measure && s->v[i].split == all.split; i++) {
      const sv_sum *e = &s->v[i];
      all.n += e->n;
      all.sum = bits ? (int64_t)((uint64_t)all.sum | (uint64_t)e->sum) : all.sum + e->sum;
      all.sumsq += e->sumsq;
    }
    out[n] = (sv_client_value){.m = m, .split = all.split};
    if (m && m->type != SV_M_CATEGORY && sv_sum_value(&all, m, 0, days, &out[n].milli, &out[n].flags)) n++;
  }
  return n;
}
