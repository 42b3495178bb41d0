/* Rule 7 by linear algebra.
 *
 * Clients that are in the same cells form a class; a told cell is a vector of zeros and ones over the
 * classes, and whatever somebody works out from told figures is a combination of these vectors. A combination
 * that is zero outside a union S of classes tells something of S alone. So for every S that is too small to
 * stand alone (fewer than 10 clients, too few organisations, or so without one organisation, which knows its
 * own clients) no combination but the zero one may vanish outside S:
 *     rank(columns outside S) = rank(all columns).
 * All 2^classes unions are looked at, which is the proof; classes are few, since cells of one measure and
 * month are few. Ranks are taken modulo 2^61 - 1: minors of such small matrices of zeros and ones are smaller
 * than that, so none vanishes by accident. */
#include <stdlib.h>
#include <string.h>

#include "ov/error.h"
#include "sdc_priv.h"

#define CELLS_MAX 64u
#define P ((uint64_t)0x1fffffffffffffff)

struct sdc_audit {
  uint32_t n_cells, n_classes;
  uint64_t in[SV_CLASSES_MAX]; /* per class: the cells it is in */
  uint8_t *small;              /* per union of classes: too small to stand alone */
};

/* -- classes --------------------------------------------------------------------------------------------- */

typedef struct classed {
  const sv_contrib *v;
  uint64_t in;
} classed;

static int by_class(const void *a, const void *b) {
  const classed *x = a, *y = b;
  if (x->in != y->in) return x->in < y->in ? -1 : 1;
  return x->v->org < y->v->org ? -1 : x->v->org > y->v->org;
}

/* Which cells each client is in; both ascending by client. */
static classed *classify(const sv_cell *const *cells, uint32_t n, const sv_contrib *v, uint32_t n_v) {
  classed *c = malloc((n_v ? n_v : 1) * sizeof *c);
  if (!c) return NULL;
  for (uint32_t i = 0; i < n_v; i++) c[i] = (classed){&v[i], 0};
  for (uint32_t k = 0; k < n; k++) {
    for (uint32_t i = 0, j = 0; i < n_v && j < cells[k]->n;) {
      if (v[i].client < cells[k]->clients[j]) i++;
      else if (v[i].client > cells[k]->clients[j]) j++;
      else {
        c[i++].in |= (uint64_t)1 << k;
        j++;
      }
    }
  }
  if (n_v) qsort(c, n_v, sizeof *c, by_class);
  return c;
}

/* Parts by organisation of each class. */
typedef struct parts {
  sdc_part *v[SV_CLASSES_MAX];
  uint32_t n[SV_CLASSES_MAX];
  int64_t first[SV_CLASSES_MAX], second[SV_CLASSES_MAX]; /* largest values of single clients */
} parts;

static void parts_free(parts *p) {
  for (unsigned i = 0; i < SV_CLASSES_MAX; i++) free(p->v[i]);
}

static int take_class(sdc_audit *a, parts *p, const classed *c, uint32_t n) {
  if (a->n_classes == SV_CLASSES_MAX) return OV_E_LIMIT;
  uint32_t at = a->n_classes++, k = 0;
  a->in[at] = c->in;
  sdc_part *v = p->v[at] = calloc(n, sizeof *v);
  if (!v) return OV_E_NOMEM;
  for (uint32_t i = 0; i < n; i++) {
    const sv_contrib *x = c[i].v;
    if (!k || v[k - 1].org != x->org) v[k++].org = x->org;
    v[k - 1].n++;
    v[k - 1].some += (x->flags & SV_HAS_SOME) != 0;
    v[k - 1].rest += (x->flags & SV_HAS_REST) != 0;
    v[k - 1].total += x->milli;
    sdc_two_largest(x->milli, &p->first[at], &p->second[at]);
  }
  p->n[at] = k;
  return 0;
}

static void merge(const parts *p, uint32_t classes, uint32_t set, sdc_part *out, uint32_t *n) {
  uint32_t k = 0, at[SV_CLASSES_MAX] = {0};
  for (;;) {
    uint32_t org = UINT32_MAX;
    for (uint32_t c = 0; c < classes; c++) {
      if (set >> c & 1 && at[c] < p->n[c] && p->v[c][at[c]].org < org) org = p->v[c][at[c]].org;
    }
    if (org == UINT32_MAX) break;
    out[k] = (sdc_part){.org = (uint16_t)org};
    for (uint32_t c = 0; c < classes; c++) {
      if (!(set >> c & 1) || at[c] >= p->n[c] || p->v[c][at[c]].org != org) continue;
      const sdc_part *x = &p->v[c][at[c]++];
      out[k].n += x->n;
      out[k].some += x->some;
      out[k].rest += x->rest;
      out[k].total += x->total;
    }
    k++;
  }
  *n = k;
}

static bool too_small(const sv_sdc_rules *r, sv_mtype type, const parts *p, uint32_t classes, uint32_t set,
                      sdc_part *v) {
  uint32_t k;
  int64_t first = 0, second = 0;
  merge(p, classes, set, v, &k);
  if (sdc_by_parts(r, type, v, k) != SV_SHOWN) return true;
  for (uint32_t c = 0; c < classes; c++) {
    if (!(set >> c & 1)) continue;
    sdc_two_largest(p->first[c], &first, &second);
    sdc_two_largest(p->second[c], &first, &second);
  }
  return type == SV_M_TOTAL && sdc_totals(r, first, second, v, k) != SV_SHOWN;
}

static int judge_unions(const sv_sdc_rules *r, sv_mtype type, sdc_audit *a, const parts *p) {
  uint32_t most = 1;
  for (uint32_t c = 0; c < a->n_classes; c++) most += p->n[c];
  sdc_part *v = malloc(most * sizeof *v);
  a->small = calloc((size_t)1 << a->n_classes, 1);
  if (!v || !a->small) {
    free(v);
    return OV_E_NOMEM;
  }
  for (uint32_t set = 1; set < (uint32_t)1 << a->n_classes; set++)
    a->small[set] = too_small(r, type, p, a->n_classes, set, v);
  free(v);
  return 0;
}

int sdc_audit_new(const sv_sdc_rules *r, sv_mtype type, const sv_cell *const *cells, uint32_t n,
                  const sv_contrib *v, uint32_t n_v, sdc_audit **out) {
  parts p;
  *out = NULL;
  if (n > CELLS_MAX) return OV_E_LIMIT;
  memset(&p, 0, sizeof p);
  sdc_audit *a = calloc(1, sizeof *a);
  classed *c = a ? classify(cells, n, v, n_v) : NULL;
  int err = c ? 0 : OV_E_NOMEM;
  if (a) a->n_cells = n;
  for (uint32_t i = 0, from = 0; !err && i < n_v; from = i) {
    while (i < n_v && c[i].in == c[from].in) i++;
    if (c[from].in) err = take_class(a, &p, &c[from], i - from);
  }
  if (!err) err = judge_unions(r, type, a, &p);
  parts_free(&p);
  free(c);
  if (err) sdc_audit_free(a);
  else *out = a;
  return err;
}

void sdc_audit_free(sdc_audit *a) {
  if (a) free(a->small);
  free(a);
}

/* -- ranks ----------------------------------------------------------------------------------------------- */

static uint64_t mul(uint64_t a, uint64_t b) {
  unsigned __int128 x = (unsigned __int128)a * b;
  uint64_t s = (uint64_t)(x & P) + (uint64_t)(x >> 61);
  return s >= P ? s - P : s;
}

static uint64_t inverse(uint64_t a) {
  uint64_t r = 1;
  for (uint64_t e = P - 2; e; e >>= 1) {
    if (e & 1) r = mul(r, a);
    a = mul(a, a);
  }
  return r;
}

typedef struct matrix {
  uint64_t v[CELLS_MAX][SV_CLASSES_MAX];
  uint32_t rows, cols;
} matrix;

static void clear_row(matrix *m, uint32_t pivot, uint32_t row, uint32_t col, uint64_t inv) {
  uint64_t f = mul(m->v[row][col], inv);
  for (uint32_t c = col; f && c < m->cols; c++) {
    uint64_t x = mul(f, m->v[pivot][c]);
    m->v[row][c] = m->v[row][c] >= x ? m->v[row][c] - x : m->v[row][c] + P - x;
  }
}

static uint32_t rank_of(matrix *m) {
  uint32_t rank = 0;
  for (uint32_t c = 0; c < m->cols && rank < m->rows; c++) {
    uint32_t at = rank;
    while (at < m->rows && !m->v[at][c]) at++;
    if (at == m->rows) continue;
    if (at != rank) {
      uint64_t row[SV_CLASSES_MAX];
      memcpy(row, m->v[at], sizeof row);
      memcpy(m->v[at], m->v[rank], sizeof row);
      memcpy(m->v[rank], row, sizeof row);
    }
    uint64_t inv = inverse(m->v[rank][c]);
    for (uint32_t i = rank + 1; i < m->rows; i++) clear_row(m, rank, i, c, inv);
    rank++;
  }
  return rank;
}

static uint32_t rank_outside(const sdc_audit *a, uint64_t cells, uint32_t without) {
  matrix m = {.rows = 0, .cols = 0};
  for (uint32_t k = 0; k < a->n_cells; k++) {
    if (!(cells >> k & 1)) continue;
    uint32_t col = 0;
    for (uint32_t c = 0; c < a->n_classes; c++) {
      if (!(without >> c & 1)) m.v[m.rows][col++] = a->in[c] >> k & 1;
    }
    m.rows++;
    m.cols = col;
  }
  return m.rows ? rank_of(&m) : 0;
}

bool sdc_audit_ask(const sdc_audit *a, uint64_t set) {
  uint32_t full = rank_outside(a, set, 0);
  for (uint32_t s = 1; s < (uint32_t)1 << a->n_classes; s++) {
    if (a->small[s] && rank_outside(a, set, s) < full) return false;
  }
  return true;
}

int sv_sdc_audit(const sv_sdc_rules *r, sv_mtype type, const sv_cell *const *cells, uint32_t n,
                 const sv_contrib *v, uint32_t n_v) {
  sdc_audit *a = NULL;
  uint64_t set = 0;
  if (n > CELLS_MAX) return 0;
  for (uint32_t i = 0; i < n; i++) set |= (uint64_t)(cells[i]->hidden == SV_SHOWN) << i;
  int err = sdc_audit_new(r, type, cells, n, v, n_v, &a);
  bool fine = !err && sdc_audit_ask(a, set);
  sdc_audit_free(a);
  return err == OV_E_LIMIT ? 0 : err ? err : fine;
}
