#include "fold_parts.h"

#include <stdlib.h>

uint32_t ov_fold_cells(const ov_op *op) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < op->n_fields; i++) {
    const ov_value *v = &op->fields[i].v;
    n += v->type == OV_V_SET ? v->set.n_add + v->set.n_del : 1;
  }
  return n;
}

uint32_t ov_fold_spread(const ov_op *op, uint32_t rop, ov_live *out) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < op->n_fields; i++) {
    const ov_field *f = &op->fields[i];
    if (f->v.type != OV_V_SET) {
      out[n++] = (ov_live){.field = f->id, .elem = ov_nil(), .v = f->v, .op = rop};
      continue;
    }
    for (uint32_t k = 0; k < f->v.set.n_add; k++)
      out[n++] = (ov_live){
          .field = f->id, .is_elem = true, .elem = f->v.set.add[k], .v = ov_int(1), .op = rop};
    for (uint32_t k = 0; k < f->v.set.n_del; k++)
      out[n++] = (ov_live){
          .field = f->id, .is_elem = true, .elem = f->v.set.del[k], .v = ov_int(0), .op = rop};
  }
  return n;
}

/* Device times are claims: any int64 may come, and must not overflow. */
static int64_t add_saturating(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN : INT64_MAX;
  return sum;
}

/* PROTO-92 */
void ov_fold_rop(const ov_fold_in *in, ov_rop *out) {
  int64_t claimed = add_saturating(in->op->device_time, in->clock_offset);
  bool suspect = in->clock_offset > OV_CLOCK_SUSPECT_S || in->clock_offset < -OV_CLOCK_SUSPECT_S;
  *out = (ov_rop){.name = in->op->name,
                  .has_author = in->op->has_author,
                  .author = in->op->author,
                  .time = claimed < in->server_time ? claimed : in->server_time,
                  .flags = suspect ? OV_ROP_CLOCK_SUSPECT : 0};
}

int ov_live_compare_cell(const ov_live *a, const ov_live *b) {
  if (a->field != b->field) return a->field < b->field ? -1 : 1;
  if (a->is_elem != b->is_elem) return a->is_elem ? 1 : -1;
  return a->is_elem ? ov_value_compare(&a->elem, &b->elem) : 0;
}

int ov_live_compare(const ov_live *a, const ov_live *b, const ov_rop *rops) {
  int c = ov_live_compare_cell(a, b);
  if (c) return c;
  int64_t ta = rops[a->op].time, tb = rops[b->op].time;
  if (ta != tb) return ta > tb ? -1 : 1;
  return (a->op < b->op) - (a->op > b->op); /* indices are in name order */
}

static int by_order(const void *a, const void *b, void *rops) { return ov_live_compare(a, b, rops); }

void ov_live_sort(ov_live *live, uint32_t n, const ov_rop *rops) {
  if (n > 1) qsort_r(live, n, sizeof *live, by_order, (void *)(uintptr_t)rops);
}

bool ov_live_retracts(const ov_live *l) {
  return l->field == OV_FIELD_RETRACTED && !l->is_elem && l->v.type != OV_V_NIL;
}

static int name_to_rop(const void *name, const void *rop) {
  return ov_name_compare(name, &((const ov_rop *)rop)->name);
}

uint32_t ov_rop_find(const ov_rop *rops, uint32_t n, const ov_name *name) {
  const ov_rop *hit = n ? bsearch(name, rops, n, sizeof *rops, name_to_rop) : NULL;
  return hit ? (uint32_t)(hit - rops) : UINT32_MAX;
}

bool ov_names_have(const ov_name *list, uint32_t n, const ov_name *name) {
  uint32_t lo = 0, hi = n;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    int c = ov_name_compare(&list[mid], name);
    if (c == 0) return true;
    if (c < 0) lo = mid + 1;
    else hi = mid;
  }
  return false;
}

void ov_fold_header(const ov_op *op, ov_record *out) {
  out->kind = op->kind;
  out->version = op->version;
  out->scope = op->scope;
  out->has_participant = op->has_participant;
  out->participant = op->participant;
}

int ov_fold_assemble(const ov_fold_mix *m, ov_arena *a, ov_record *out) {
  uint32_t *index = ov_arena_array(a, m->n_rops, sizeof *index);
  if (!index) return OV_E_NOMEM;
  for (uint32_t i = 0; i < m->n_live; i++) index[m->live[i].op] = 1;
  uint32_t kept = 0, seen = 0;
  for (uint32_t i = 0; i < m->n_rops; i++) {
    if (ov_name_equal(&m->rops[i].name, &out->name)) index[i] = 1;
    if (index[i]) {
      kept++;
      seen += m->seen[i];
    }
  }
  out->ops = ov_arena_array(a, kept, sizeof *out->ops);
  out->seen = ov_arena_array(a, seen, sizeof *out->seen);
  if (!out->ops || !out->seen) return OV_E_NOMEM;
  for (uint32_t i = 0; i < m->n_rops; i++) {
    if (!index[i]) continue;
    if (m->seen[i]) out->seen[out->n_seen++] = m->rops[i].name;
    index[i] = out->n_ops;
    out->ops[out->n_ops++] = m->rops[i];
  }
  for (uint32_t i = 0; i < m->n_live; i++) m->live[i].op = index[m->live[i].op];
  out->live = m->live;
  out->n_live = m->n_live;
  out->created = ov_rop_find(out->ops, out->n_ops, &out->name) != UINT32_MAX;
  return 0;
}
