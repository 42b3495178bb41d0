/* Integer columns: all values of one field of one kind in a message. The first value is preceded by a head
 * that says how the column is coded; the encoder tries each way on the whole column and takes the shortest.
 */
#include <string.h>

#include "rows_priv.h"

#define DAY_S 86400
#define NARROW_MAX 64u

/* Steps that clocks, forms and habits produce: 5 minutes, half hours, tens. */
const uint32_t ov_rows_scales[16] = {1,   2,   5,   10,  15,   20,   30,   60,
                                     100, 300, 600, 900, 1000, 1800, 3600, 86400};

ov_column *ov_rows_column(ov_rows *s, uint16_t kind, uint16_t field) {
  ov_column **at = &s->columns[(kind * 31u + field) % OV_COLUMN_BUCKETS];
  uint32_t of = (uint32_t)kind << 16 | field;
  for (ov_column *k = *at; k; k = k->next)
    if (k->of == of) return k;
  ov_column *k = ov_rows_alloc(s, &s->work, 1, sizeof *k);
  if (!k) return NULL;
  k->of = of;
  k->next = *at;
  *at = k;
  return k;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static int64_t minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

/* What a column's values travel relative to. */
static int64_t base_of(unsigned mode, uint32_t scale, int64_t t) {
  if (mode == OV_COL_SECONDS) return floor_div(t, scale) * scale;
  return mode == OV_COL_DAYS ? floor_div(t, DAY_S) : 0;
}

static bool head_alloc(ov_rows *s, ov_column *k) {
  if (k->mode == OV_COL_WIDE) k->wide = ov_rows_alloc(s, &s->work, 1, sizeof *k->wide);
  else k->nodes = ov_rows_alloc(s, &s->work, ov_rc_symbol_nodes(k->max), sizeof *k->nodes);
  k->apart_nodes = ov_rows_alloc(s, &s->work, OV_APART_MAX, sizeof *k->apart_nodes);
  return !s->rc.err;
}

static bool head_code(ov_rows *s, ov_column *k) {
  k->headed = true;
  k->mode = (uint8_t)ov_rc_tree(&s->rc, s->m_mode, k->mode, 2);
  if (k->mode == OV_COL_WIDE) return head_alloc(s, k);
  k->n_apart = (uint8_t)ov_rc_tree(&s->rc, s->m_n_apart, k->n_apart, 3);
  if (k->n_apart > OV_APART_MAX) {
    ov_rows_fail(s, OV_E_FORMAT);
    return false;
  }
  for (unsigned i = 0; i < k->n_apart; i++) k->apart[i] = ov_rc_sint(&s->rc, &s->m_apart, k->apart[i]);
  k->scale = (uint8_t)ov_rc_tree(&s->rc, s->m_scale, k->scale, 4);
  k->low = ov_rc_sint(&s->rc, &s->m_low[k->mode], k->low);
  k->max = ov_rc_uint(&s->rc, &s->m_max, k->max);
  return head_alloc(s, k);
}

static unsigned apart_index(const ov_column *k, int64_t x) {
  unsigned i = 0;
  while (i < k->n_apart && k->apart[i] != x) i++;
  return i;
}

int64_t ov_column_code(ov_rows *s, ov_column *k, int64_t x, int64_t t) {
  if (s->rc.err || (!k->headed && !head_code(s, k))) return 0;
  if (k->mode == OV_COL_WIDE) return ov_rc_sint(&s->rc, k->wide, x);
  unsigned apart = apart_index(k, x);
  if (k->n_apart && ov_rc_bool(&s->rc, &k->is_apart, apart < k->n_apart))
    return k->apart[ov_rc_symbol(&s->rc, k->apart_nodes, k->n_apart - 1u, apart)];
  uint32_t scale = ov_rows_scales[k->scale];
  int64_t base = base_of(k->mode, scale, t);
  uint64_t step = (uint64_t)minus(minus(x, base), k->low) / scale;
  step = ov_rc_symbol(&s->rc, k->nodes, k->max, s->decoding ? 0 : step);
  return plus(plus(base, k->low), (int64_t)(step * scale));
}

static uint64_t gcd(uint64_t a, uint64_t b) {
  while (b) {
    uint64_t r = a % b;
    a = b;
    b = r;
  }
  return a;
}

static uint8_t largest_scale(uint64_t step) {
  uint8_t best = 0;
  for (uint8_t i = 1; i < 16 && step; i++)
    if (step % ov_rows_scales[i] == 0) best = i;
  return best;
}

/* Largest scale that fits all differences of the values (for SECONDS: of the times themselves, the base being
 * a multiple). */
static uint8_t find_scale(const ov_column *k, unsigned mode) {
  uint64_t step = 0;
  int64_t first = 0;
  bool any = false;
  if (mode == OV_COL_DAYS) return 0;
  for (uint32_t i = 0; i < k->n && step != 1; i++) {
    if (apart_index(k, k->x[i]) < k->n_apart) continue;
    if (!any) first = k->x[i];
    any = true;
    uint64_t d = k->x[i] > first ? (uint64_t)minus(k->x[i], first) : (uint64_t)minus(first, k->x[i]);
    step = gcd(step, d);
  }
  return largest_scale(step);
}

/* Head of the column in this mode; false when it cannot hold all values. */
static bool fit(ov_column *k, unsigned mode) {
  k->mode = (uint8_t)mode;
  k->scale = find_scale(k, mode);
  uint32_t scale = ov_rows_scales[k->scale];
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (uint32_t i = 0; i < k->n; i++) {
    if (apart_index(k, k->x[i]) < k->n_apart) continue;
    int64_t y;
    if (__builtin_sub_overflow(k->x[i], base_of(mode, scale, k->t[i]), &y)) return false;
    low = y < low ? y : low;
    high = y > high ? y : high;
  }
  if (low > high) return false;
  k->low = low;
  k->max = (uint64_t)minus(high, low) / scale;
  return true;
}

static uint64_t head_cost(const ov_column *k) {
  uint64_t low = (uint64_t)(k->low < 0 ? ~k->low : k->low);
  return 256u * (6u + ov_rc_bits(low) + 3u + ov_rc_bits(k->max) + 12u * k->n_apart);
}

static uint64_t values_cost(const ov_column *k) {
  ov_rc rc;
  ov_rc_bit nodes[1u << OV_RC_TREE_BITS], apart_nodes[OV_APART_MAX], is_apart = {0};
  uint32_t scale = ov_rows_scales[k->scale];
  memset(nodes, 0, sizeof nodes);
  memset(apart_nodes, 0, sizeof apart_nodes);
  ov_rc_count_init(&rc);
  for (uint32_t i = 0; i < k->n; i++) {
    unsigned apart = apart_index(k, k->x[i]);
    if (k->n_apart && ov_rc_bool(&rc, &is_apart, apart < k->n_apart)) {
      ov_rc_symbol(&rc, apart_nodes, k->n_apart - 1u, apart);
      continue;
    }
    int64_t y = minus(k->x[i], base_of(k->mode, scale, k->t[i]));
    ov_rc_symbol(&rc, nodes, k->max, (uint64_t)minus(y, k->low) / scale);
  }
  return rc.cost;
}

static uint64_t wide_cost(const ov_column *k) {
  ov_rc rc;
  ov_rc_num m;
  memset(&m, 0, sizeof m);
  ov_rc_count_init(&rc);
  for (uint32_t i = 0; i < k->n; i++) ov_rc_sint(&rc, &m, k->x[i]);
  return rc.cost + 256u * 2u;
}

/* Small negative numbers among others are codes for missing; apart from them the column may be narrow. */
static void set_apart(ov_column *k) {
  k->n_apart = 0;
  for (uint32_t i = 0; i < k->n; i++)
    if (k->x[i] >= -99 && k->x[i] <= -90 && apart_index(k, k->x[i]) == k->n_apart) {
      if (k->n_apart == OV_APART_MAX) {
        k->n_apart = 0;
        return;
      }
      k->apart[k->n_apart++] = k->x[i];
    }
}

static void try_modes(ov_column *k, bool with_times, ov_column *best, uint64_t *best_cost) {
  for (unsigned mode = OV_COL_PLAIN; mode <= (with_times ? OV_COL_DAYS : OV_COL_PLAIN); mode++) {
    if (!fit(k, mode)) continue;
    uint64_t cost = head_cost(k) + values_cost(k);
    if (cost < *best_cost) {
      *best_cost = cost;
      *best = *k;
    }
  }
}

void ov_column_plan(ov_column *k, bool with_times) {
  if (k->n == 0) return;
  set_apart(k);
  bool apart = k->n_apart > 0;
  k->n_apart = 0;
  /* Few values near each other: nothing else could be shorter by much. */
  if (!apart) {
    (void)fit(k, OV_COL_PLAIN); /* with nothing apart, anything does */
    if (k->max < NARROW_MAX) return;
  }
  ov_column best = *k;
  best.mode = OV_COL_WIDE;
  uint64_t best_cost = wide_cost(k);
  try_modes(k, with_times, &best, &best_cost);
  set_apart(k);
  if (k->n_apart) try_modes(k, with_times, &best, &best_cost);
  *k = best;
}
