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

/* An entry is one number for measure, split and phase, n and sum; code and squares only where there are any:
 * most of reading a month is reading these. */
static int by_key(const void *a, const void *b) { return compare(a, b); }

void sv_sums_encode(sv_sums *s, ov_buf *out) {
  if (s->n) qsort(s->v, s->n, sizeof *s->v, by_key);
  if (ov_name_is_zero(&s->project)) ov_mpw_nil(out);
  else ov_mpw_name(out, &s->project);
  ov_mpw_uint(out, s->records);
  ov_mpw_uint(out, s->conflicts);
  ov_mpw_uint(out, s->held);
  ov_mpw_uint(out, s->refused);
  ov_mpw_array(out, s->n);
  for (uint32_t i = 0; i < s->n; i++) {
    const sv_sum *e = &s->v[i];
    bool more = e->cat || e->sumsq;
    ov_mpw_uint(out, ((e->measure * 16u + e->split) * 4u + e->phase) * 2u + more);
    ov_mpw_uint(out, e->n);
    ov_mpw_int(out, e->sum);
    if (!more) continue;
    ov_mpw_int(out, e->cat);
    ov_mpw_int(out, e->sumsq);
  }
}

int sv_sums_decode(const uint8_t *p, size_t n, sv_sums *out) {
  ov_mpr r;
  ov_mpr_init_scanned(&r, p, n);
  memset(&out->project, 0, sizeof out->project);
  if (!ov_mpr_nil(&r)) ov_mpr_name(&r, &out->project);
  out->records = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  out->conflicts = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  out->held = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  out->refused = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  out->n = ov_mpr_array(&r);
  if (out->n > SV_SUMS_MAX) return OV_E_FORMAT;
  for (uint32_t i = 0; i < out->n; i++) {
    sv_sum *e = &out->v[i];
    uint32_t key = (uint32_t)ov_mpr_uint(&r, UINT16_MAX * 128u);
    *e = (sv_sum){.measure = (uint16_t)(key / 128), .split = key / 8 % 16, .phase = key / 2 % 4};
    e->n = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
    e->sum = ov_mpr_int(&r);
    if (key % 2) {
      e->cat = (int8_t)ov_mpr_int_in(&r, INT8_MIN, INT8_MAX);
      e->sumsq = ov_mpr_int(&r);
    }
    if (i && compare(&out->v[i - 1], e) >= 0) ov_mpr_fail(&r, OV_E_FORMAT);
  }
  return ov_mpr_done(&r) ? OV_E_FORMAT : 0;
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
