/* Rules 7 and 8 for a table: which of the cells that could stand alone may stand together. */
#include <stdlib.h>
#include <string.h>

#include "ov/error.h"
#include "sdc_priv.h"

/* Cells of which every choice is tried, least loss first; with more, cells are hidden one by one. */
#define EXACT_MAX 12u
#define TABLE_CELLS_MAX 64u
_Static_assert(SV_NETWORKS_MAX + 3 <= TABLE_CELLS_MAX / 2, "a table holds all networks");

typedef struct table {
  const sv_sdc_rules *r;
  const sv_table_in *in;
  sv_cells *out;
  uint32_t from;                            /* its cells in out start here */
  const sv_cell *cells[TABLE_CELLS_MAX];    /* new ones, then released ones with other questions */
  const sv_cell *released[TABLE_CELLS_MAX]; /* per new cell: the released one of the same question, or NULL */
  uint32_t n_new, n;
} table;

static int by_client(const void *a, const void *b) {
  const sv_contrib *x = a, *y = b;
  return x->client < y->client ? -1 : x->client > y->client;
}

static bool belongs(const sv_table_in *in, const sv_contrib *c, sv_breakdown b, unsigned group) {
  if (b == SV_BY_ALL) return true;
  return b == SV_BY_NETWORK ? c->group == group : in->types && in->types[c->group] == group;
}

/* -- making --------------------------------------------------------------------------------------------- */

static int copy_released(sv_cell *c, const sv_cell *old) {
  *c = *old;
  c->clients = malloc((old->n ? old->n : 1) * sizeof *c->clients);
  if (!c->clients) return OV_E_NOMEM;
  if (old->n) memcpy(c->clients, old->clients, old->n * sizeof *c->clients);
  return 0;
}

static const sv_cell *find_released(const table *t, const sv_cell *c) {
  const sv_cells *p = t->r->overlap ? t->in->prior : NULL;
  for (uint32_t i = 0; p && i < p->n; i++) {
    if (sv_cell_same(&p->v[i], c)) return &p->v[i];
  }
  return NULL;
}

static int make_cell(table *t, sv_breakdown b, unsigned group, sv_contrib *scratch) {
  const sv_table_in *in = t->in;
  uint32_t n = 0;
  sv_cell *c = sv_cells_add(t->out);
  if (!c) return OV_E_NOMEM;
  *c = (sv_cell){
      .measure = in->measure->id, .split = in->split, .breakdown = (uint8_t)b, .group = (uint16_t)group};
  if (t->out->n - t->from > TABLE_CELLS_MAX / 2) return OV_E_LIMIT;
  const sv_cell *old = find_released(t, c);
  t->released[t->out->n - 1 - t->from] = old;
  if (old) return copy_released(c, old);
  for (uint32_t i = 0; i < in->n; i++) {
    if (belongs(in, &in->v[i], b, group)) scratch[n++] = in->v[i];
  }
  c->hidden = (uint8_t)sv_sdc_primary(t->r, in->measure->type, scratch, n);
  return sdc_fill(t->r, in->measure, scratch, n, c);
}

static int make_cells(table *t) {
  const sv_table_in *in = t->in;
  bool groups[SV_GROUP_MAX + 1] = {false};
  sv_contrib *scratch = malloc((in->n ? in->n : 1) * sizeof *scratch);
  if (!scratch) return OV_E_NOMEM;
  for (uint32_t i = 0; i < in->n; i++) groups[in->v[i].group] = true;
  for (unsigned g = 1; in->types && g <= SV_GROUP_MAX; g++) groups[g] |= in->types[g] != 0;
  int err = make_cell(t, SV_BY_ALL, 0, scratch);
  for (unsigned g = 1; !err && in->breakdowns & 1u << SV_BY_NETWORK && g <= SV_GROUP_MAX; g++) {
    if (groups[g]) err = make_cell(t, SV_BY_NETWORK, g, scratch);
  }
  for (unsigned g = 1; !err && in->breakdowns & 1u << SV_BY_TYPE && g <= 2; g++)
    err = make_cell(t, SV_BY_TYPE, g, scratch);
  free(scratch);
  return err;
}

/* -- rule 8 ---------------------------------------------------------------------------------------------- */

void sdc_compare(const uint32_t *a, uint32_t n, const uint32_t *b, uint32_t m, uint32_t *only_a,
                 uint32_t *only_b, uint32_t *both) {
  uint32_t i = 0, j = 0;
  *only_a = *only_b = *both = 0;
  while (i < n || j < m) {
    if (j == m || (i < n && a[i] < b[j])) {
      ++*only_a;
      i++;
    } else if (i == n || b[j] < a[i]) {
      ++*only_b;
      j++;
    } else {
      ++*both;
      i++;
      j++;
    }
  }
}

static bool apart(const sv_sdc_rules *r, const sv_cell *a, const sv_cell *b) {
  uint32_t x, y, both;
  sdc_compare(a->clients, a->n, b->clients, b->n, &x, &y, &both);
  return !both || ((!x || x >= r->clients_min) && (!y || y >= r->clients_min));
}

/* Have values of these clients changed since the released cell was made? */
static bool changed(const table *t, const sv_cell *old) {
  uint64_t print = 0;
  uint32_t met = 0, j = 0;
  for (uint32_t i = 0; i < t->in->n && j < old->n; i++) {
    while (j < old->n && old->clients[j] < t->in->v[i].client) j++;
    if (j == old->n || old->clients[j] != t->in->v[i].client) continue;
    print += sdc_print(&t->in->v[i]);
    met++;
  }
  return met != old->n || print != old->print;
}

static void hide(sv_cell *c, sv_hidden why) {
  c->hidden = (uint8_t)why;
  c->n_told = c->orgs_told = 0;
  c->conflicts = c->held = c->refused = 0;
  c->value = c->sd = c->median = c->q1 = c->q3 = c->base = c->follow = SV_UNKNOWN;
}

static void check_overlap(table *t) {
  const sv_cells *p = t->in->prior;
  for (uint32_t i = 0; i < t->n_new; i++) {
    sv_cell *c = &t->out->v[t->from + i];
    for (uint32_t k = 0; c->hidden == SV_SHOWN && !t->released[i] && k < p->n; k++) {
      const sv_cell *old = &p->v[k];
      uint32_t x, y, both;
      if (old->hidden != SV_SHOWN) continue;
      sdc_compare(c->clients, c->n, old->clients, old->n, &x, &y, &both);
      if (!apart(t->r, c, old)) hide(c, SV_HID_OVERLAP);
      else if (both && changed(t, old)) hide(c, SV_HID_CHANGED);
    }
  }
}

/* -- rule 7 ---------------------------------------------------------------------------------------------- */

static bool released_too(const table *t, uint32_t i) { return i >= t->n_new || t->released[i]; }

static uint64_t shown_set(const table *t) {
  uint64_t set = 0;
  for (uint32_t i = 0; i < t->n; i++) set |= (uint64_t)(t->cells[i]->hidden == SV_SHOWN) << i;
  return set;
}

/* What a total and its told parts leave open for the hidden ones, by counts that are rounded: a hidden count
 * must be in doubt by 10 at least, and nobody at all is no exception. */
static bool parts_in_doubt(const table *t, uint64_t set, sv_breakdown whole, unsigned type) {
  int64_t half = t->r->count_base / 2, low = 0, high = 0;
  uint32_t hidden = 0;
  bool total = false;
  for (uint32_t i = 0; i < t->n; i++) {
    const sv_cell *c = t->cells[i];
    if (c->breakdown == whole && c->group == type && set >> i & 1) {
      total = true;
      low += (int64_t)c->n_told - half;
      high += (int64_t)c->n_told + half;
    }
    if (c->breakdown != SV_BY_NETWORK || (type && t->in->types[c->group] != type)) continue;
    if (set >> i & 1) {
      low -= (int64_t)c->n_told + half;
      high -= (int64_t)c->n_told - half;
    } else {
      hidden++;
    }
  }
  if (!total || !hidden) return true;
  if (hidden > 1 || low < 0) low = 0;
  return high - low >= (int64_t)t->r->clients_min;
}

static bool fine(const table *t, const sdc_audit *a, uint64_t set) {
  if (!parts_in_doubt(t, set, SV_BY_ALL, 0)) return false;
  for (unsigned g = 1; t->in->types && g <= 2; g++) {
    if (!parts_in_doubt(t, set, SV_BY_TYPE, g)) return false;
  }
  return sdc_audit_ask(a, set);
}

typedef struct choice {
  uint64_t hide, loss;
} choice;

static int by_loss(const void *a, const void *b) {
  const choice *x = a, *y = b;
  if (x->loss != y->loss) return x->loss < y->loss ? -1 : 1;
  return x->hide < y->hide ? -1 : x->hide > y->hide;
}

/* Every choice of further cells to hide, in the order of the clients whose figures are lost. Cells of one
 * size cost the same, so the first that is fine is the least. */
static int choose_exactly(const table *t, const sdc_audit *a, uint64_t shown, const uint32_t *may, uint32_t m,
                          uint64_t *hidden) {
  choice *c = malloc(((size_t)1 << m) * sizeof *c);
  if (!c) return OV_E_NOMEM;
  for (uint32_t s = 0; s < (uint32_t)1 << m; s++) {
    c[s] = (choice){0, 0};
    for (uint32_t i = 0; i < m; i++) {
      if (!(s >> i & 1)) continue;
      c[s].hide |= (uint64_t)1 << may[i];
      /* All networks together are kept rather than one that is as large. */
      c[s].loss += 2 * (uint64_t)t->cells[may[i]]->n + 1 + (t->cells[may[i]]->breakdown == SV_BY_ALL);
    }
  }
  qsort(c, (size_t)1 << m, sizeof *c, by_loss);
  uint32_t s = 0;
  while (s + 1 < (uint32_t)1 << m && !fine(t, a, shown & ~c[s].hide)) s++;
  *hidden = c[s].hide;
  free(c);
  return 0;
}

/* The smallest that is left goes, until the rest is fine. */
static void choose_greedily(const table *t, const sdc_audit *a, uint64_t shown, const uint32_t *may,
                            uint32_t m, uint64_t *hidden) {
  *hidden = 0;
  while (!fine(t, a, shown & ~*hidden)) {
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < m; i++) {
      bool gone = *hidden >> may[i] & 1;
      if (!gone && (best == UINT32_MAX || t->cells[may[i]]->n < t->cells[best]->n)) best = may[i];
    }
    if (best == UINT32_MAX) return;
    *hidden |= (uint64_t)1 << best;
  }
}

static int choose(table *t) {
  uint32_t may[TABLE_CELLS_MAX], m = 0;
  uint64_t shown = shown_set(t), hidden = 0;
  sdc_audit *a = NULL;
  for (uint32_t i = 0; i < t->n_new; i++) {
    if (shown >> i & 1 && !released_too(t, i)) may[m++] = i;
  }
  if (!m) return 0;
  int err = sdc_audit_new(t->r, t->in->measure->type, t->cells, t->n, t->in->v, t->in->n, &a);
  if (!err && m <= EXACT_MAX) err = choose_exactly(t, a, shown, may, m, &hidden);
  else if (!err) choose_greedily(t, a, shown, may, m, &hidden);
  sdc_audit_free(a);
  for (uint32_t i = 0; i < m; i++) { /* too many classes to prove anything: nothing new is told */
    if (err == OV_E_LIMIT || hidden >> may[i] & 1) hide(&t->out->v[t->from + may[i]], SV_HID_SECONDARY);
  }
  return err == OV_E_LIMIT ? 0 : err;
}

static void list_cells(table *t) {
  const sv_cells *p = t->r->overlap ? t->in->prior : NULL;
  t->n_new = t->n = t->out->n - t->from;
  for (uint32_t i = 0; i < t->n; i++) t->cells[i] = &t->out->v[t->from + i];
  for (uint32_t k = 0; p && k < p->n && t->n < TABLE_CELLS_MAX; k++) {
    bool again = false;
    for (uint32_t i = 0; i < t->n_new; i++) again |= t->released[i] == &p->v[k];
    if (!again) t->cells[t->n++] = &p->v[k];
  }
}

int sv_sdc_table(const sv_sdc_rules *r, const sv_table_in *in, sv_cells *out) {
  table t = {.r = r, .in = in, .out = out, .from = out->n};
  for (uint32_t i = 0; i < in->n; i++) {
    if (in->v[i].group > SV_GROUP_MAX) return OV_E_INVALID;
  }
  if (in->n) qsort(in->v, in->n, sizeof *in->v, by_client);
  int err = make_cells(&t);
  if (err) return err;
  list_cells(&t);
  if (r->overlap && in->prior) check_overlap(&t);
  return r->secondary ? choose(&t) : 0;
}

/* -- a row of codes -------------------------------------------------------------------------------------- */

/* Those of the row with something of one of the hidden codes, as if they were one code. */
static bool residual_fine(const sv_sdc_rules *r, const sv_table_in *in, sv_contrib *const *lists,
                          unsigned n_codes, uint32_t hidden, sv_contrib *scratch) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < in->n; i++) {
    bool some = false;
    for (unsigned c = 0; c < n_codes; c++) some |= (hidden >> c & 1) && lists[c][i].flags & SV_HAS_SOME;
    if (some) scratch[n++] = lists[0][i];
  }
  return __builtin_popcount(hidden) >= 2 && sv_sdc_primary(r, SV_M_MEAN, scratch, n) == SV_SHOWN;
}

static uint32_t with_answer(const sv_contrib *v, uint32_t n) {
  uint32_t k = 0;
  for (uint32_t i = 0; i < n; i++) k += (v[i].flags & SV_HAS_SOME) != 0;
  return k;
}

/* The shares of a row make 100 %: what is hidden must be so together with enough others. */
static int choose_codes(const sv_sdc_rules *r, const sv_table_in *in, sv_contrib *const *lists,
                        unsigned n_codes, sv_cell *cells) {
  uint32_t hidden = 0, best = 0;
  uint64_t least = UINT64_MAX;
  for (unsigned c = 0; c < n_codes; c++) hidden |= (uint32_t)(cells[c].hidden != SV_SHOWN) << c;
  if (!hidden) return 0;
  sv_contrib *scratch = malloc((in->n ? in->n : 1) * sizeof *scratch);
  if (!scratch) return OV_E_NOMEM;
  for (uint32_t s = 0; s < (uint32_t)1 << n_codes; s++) {
    uint64_t loss = 0;
    bool all = s == ((uint32_t)1 << n_codes) - 1;
    if ((s & hidden) != hidden) continue;
    for (unsigned c = 0; c < n_codes; c++) loss += s >> c & 1 ? 1 + with_answer(lists[c], in->n) : 0;
    if (loss >= least || (!all && !residual_fine(r, in, lists, n_codes, s, scratch))) continue;
    least = loss;
    best = s;
  }
  free(scratch);
  for (unsigned c = 0; c < n_codes; c++) {
    if (best >> c & 1 && cells[c].hidden == SV_SHOWN) hide(&cells[c], SV_HID_SECONDARY);
  }
  return 0;
}

int sv_sdc_row(const sv_sdc_rules *r, const sv_table_in *in, const int8_t *codes, sv_contrib *const *lists,
               unsigned n_codes, sv_cells *out) {
  uint32_t from = out->n;
  bool uniform = false, released = false;
  int err = 0;
  if (n_codes > 16) return OV_E_LIMIT;
  for (unsigned c = 0; in->n && c < n_codes; c++) qsort(lists[c], in->n, sizeof *lists[c], by_client);
  for (unsigned c = 0; !err && c < n_codes; c++) {
    table t = {.r = r, .in = in, .out = out, .from = from};
    sv_cell *cell = sv_cells_add(out);
    if (!cell) return OV_E_NOMEM;
    *cell = (sv_cell){.measure = in->measure->id, .split = in->split, .cat = codes[c]};
    const sv_cell *old = find_released(&t, cell);
    released |= old != NULL;
    if (old) {
      err = copy_released(cell, old);
      continue;
    }
    cell->hidden = (uint8_t)sv_sdc_primary(r, SV_M_CATEGORY, lists[c], in->n);
    err = sdc_fill(r, in->measure, lists[c], in->n, cell);
    cell->median = cell->q1 = cell->q3 = cell->sd = SV_UNKNOWN;
    uniform |= in->n && cell->sum > (int64_t)r->category_max_pct * 1000 * in->n;
  }
  for (unsigned c = 0; !err && uniform && !released && c < n_codes; c++)
    hide(&out->v[from + c], SV_HID_CATEGORY);
  return err || !r->secondary || released ? err : choose_codes(r, in, lists, n_codes, &out->v[from]);
}
