#include "ov/fold.h"

#include <stdlib.h>

#include "fold_parts.h"

typedef struct absorbing {
  const ov_record *base;
  const ov_fold_in *in;
  bool applied;
  ov_live *cells; /* of the new op, if it is applied; sorted */
  uint32_t n_cells;
  uint32_t place; /* rank of the new op among base's, and of a new held op among the held */
} absorbing;

static bool names(const ov_op *op, const ov_name *name) {
  return ov_names_have(op->replaces, op->n_replaces, name);
}

static int by_cell(const void *a, const void *b) { return ov_live_compare_cell(a, b); }

static bool survives(const absorbing *x, const ov_live *l) {
  if (!x->n_cells || !names(x->in->op, &x->base->ops[l->op].name)) return true;
  return bsearch(l, x->cells, x->n_cells, sizeof *x->cells, by_cell) == NULL;
}

static int spread_new(absorbing *x, ov_arena *a) {
  uint32_t n = x->applied ? ov_fold_cells(x->in->op) : 0;
  x->cells = ov_arena_array(a, n, sizeof *x->cells);
  if (!x->cells) return OV_E_NOMEM;
  if (n) x->n_cells = ov_fold_spread(x->in->op, 0, x->cells);
  if (n) qsort(x->cells, n, sizeof *x->cells, by_cell);
  return 0;
}

/* base's ops with the new one at its place, base's surviving values and the new ones on top. */
static int mix(absorbing *x, ov_fold_mix *m, ov_arena *a) {
  const ov_record *b = x->base;
  m->rops = ov_arena_array(a, b->n_ops + 1u, sizeof *m->rops);
  m->seen = ov_arena_array(a, b->n_ops + 1u, sizeof *m->seen);
  m->live = ov_arena_array(a, b->n_live + x->n_cells, sizeof *m->live);
  if (!m->rops || !m->seen || !m->live) return OV_E_NOMEM;
  while (x->place < b->n_ops && ov_name_compare(&b->ops[x->place].name, &x->in->op->name) < 0) x->place++;
  uint32_t extra = x->applied ? 1 : 0;
  for (uint32_t i = 0; i < b->n_ops; i++) m->rops[i + (i >= x->place ? extra : 0)] = b->ops[i];
  if (extra) ov_fold_rop(x->in, &m->rops[x->place]);
  m->n_rops = b->n_ops + extra;
  bool still_retracted = false;
  for (uint32_t i = 0; i < b->n_live; i++) {
    if (!survives(x, &b->live[i])) continue;
    ov_live *l = &m->live[m->n_live++];
    *l = b->live[i];
    l->op += l->op >= x->place ? extra : 0;
    still_retracted |= ov_live_retracts(l);
  }
  bool retracts = false;
  for (uint32_t i = 0; i < x->n_cells; i++) {
    ov_live *l = &m->live[m->n_live++];
    *l = x->cells[i];
    l->op = x->place;
    retracts |= ov_live_retracts(l);
  }
  ov_live_sort(m->live, m->n_live, m->rops);
  for (uint32_t i = 0; i < m->n_rops; i++) {
    const ov_name *name = &m->rops[i].name;
    m->seen[i] = (still_retracted && ov_names_have(b->seen, b->n_seen, name)) ||
                 (retracts && i != x->place && names(x->in->op, name));
  }
  return 0;
}

static int absorb_held(const absorbing *x, ov_arena *a, ov_record *out) {
  const ov_record *b = x->base;
  bool more = x->in->verdict == OV_HELD || x->in->verdict == OV_DISMISSED;
  out->held = ov_arena_array(a, b->n_held + (more ? 1u : 0u), sizeof *out->held);
  if (!out->held) return OV_E_NOMEM;
  ov_heldop fresh = {x->in->op->name, (uint8_t)x->in->verdict, x->in->reason};
  for (uint32_t i = 0; i < b->n_held; i++) {
    if (more && ov_name_compare(&b->held[i].name, &fresh.name) > 0) {
      out->held[out->n_held++] = fresh;
      more = false;
    }
    out->held[out->n_held++] = b->held[i];
  }
  if (more) out->held[out->n_held++] = fresh;
  return 0;
}

static bool listed(const ov_record *r, const ov_name *name) {
  for (uint32_t i = 0; i < r->n_held; i++)
    if (ov_name_equal(&r->held[i].name, name)) return true;
  return ov_rop_find(r->ops, r->n_ops, name) != UINT32_MAX;
}

/* PROTO-113 */
int ov_fold_absorb(const ov_record *base, const ov_fold_in *in, ov_arena *a, ov_record *out) {
  if (!base) return ov_fold(in, 1, a, out);
  if (listed(base, &in->op->name)) {
    *out = *base;
    return 0;
  }
  absorbing x = {.base = base, .in = in, .applied = in->verdict == OV_APPLIED};
  ov_fold_mix m = {0};
  ov_record r = {.name = base->name,
                 .kind = base->kind,
                 .scope = base->scope,
                 .has_participant = base->has_participant,
                 .participant = base->participant};
  if (in->op->creates) ov_fold_header(in->op, &r);
  r.version = base->version;
  if ((x.applied || in->op->creates) && in->op->version > r.version) r.version = in->op->version;
  int err = spread_new(&x, a);
  if (!err) err = mix(&x, &m, a);
  if (!err) err = absorb_held(&x, a, &r);
  if (!err) err = ov_fold_assemble(&m, a, &r);
  *out = err ? (ov_record){0} : r;
  return err;
}
