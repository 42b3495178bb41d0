/* Questions that forms, exports and the writers of new ops ask of a folded record. */
#include "ov/fold.h"

#include <stdlib.h>

#include "fold_parts.h"

const ov_live *ov_record_field(const ov_record *r, uint16_t field, uint32_t *n) {
  uint32_t from = 0, to;
  while (from < r->n_live && r->live[from].field < field) from++;
  for (to = from; to < r->n_live && r->live[to].field == field; to++) continue;
  if (n) *n = to - from;
  return to > from ? &r->live[from] : NULL;
}

/* A retraction saw what it names and what its own op says. first: the n live values of field 1. */
static bool is_seen(const ov_record *r, const ov_live *first, uint32_t n, uint32_t op) {
  for (uint32_t i = 0; i < n; i++)
    if (first[i].op == op && ov_live_retracts(&first[i])) return true;
  return ov_names_have(r->seen, r->n_seen, &r->ops[op].name);
}

/* PROTO-97 */
ov_retract_state ov_record_retracted(const ov_record *r) {
  uint32_t n, yes = 0, no = 0;
  const ov_live *l = ov_record_field(r, OV_FIELD_RETRACTED, &n);
  for (uint32_t i = 0; i < n; i++) {
    if (l[i].is_elem) continue;
    if (ov_live_retracts(&l[i])) yes++;
    else no++;
  }
  if (!yes) return OV_LIVE;
  if (no) return OV_RETRACT_CONFLICT;
  for (uint32_t i = 0; i < r->n_live; i++)
    if (r->live[i].field != OV_FIELD_RETRACTED && !is_seen(r, l, n, r->live[i].op))
      return OV_RETRACT_CONFLICT;
  return OV_RETRACTED;
}

/* Cells in conflict among n sorted entries. */
static uint32_t count_conflicts(const ov_live *l, uint32_t n) {
  uint32_t count = 0;
  for (uint32_t from = 0, to; from < n; from = to) {
    bool differ = false;
    for (to = from + 1; to < n && ov_live_compare_cell(&l[from], &l[to]) == 0; to++)
      differ |= !ov_value_equal(&l[from].v, &l[to].v);
    count += differ;
  }
  return count;
}

/* PROTO-96 */
bool ov_record_field_conflict(const ov_record *r, uint16_t field) {
  uint32_t n;
  const ov_live *l = ov_record_field(r, field, &n);
  if (count_conflicts(l, n)) return true;
  return field == OV_FIELD_RETRACTED && ov_record_retracted(r) == OV_RETRACT_CONFLICT;
}

uint32_t ov_record_conflicts(const ov_record *r) {
  uint32_t n;
  ov_record_field(r, OV_FIELD_RETRACTED, &n);
  uint32_t others = n < r->n_live ? count_conflicts(&r->live[n], r->n_live - n) : 0;
  return others + ov_record_field_conflict(r, OV_FIELD_RETRACTED);
}

static int by_name(const void *a, const void *b) { return ov_name_compare(a, b); }

/* Distinct names of the ops of n live values, the first ones when there are too many. */
static int collect_names(const ov_record *r, const ov_live *l, uint32_t n, ov_arena *a, ov_name **names,
                         uint32_t *count) {
  bool *taken = ov_arena_array(a, r->n_ops, sizeof *taken);
  uint32_t most = r->n_ops < OV_OP_REPLACES_MAX ? r->n_ops : OV_OP_REPLACES_MAX;
  ov_name *out = ov_arena_array(a, most, sizeof *out);
  *names = out;
  *count = 0;
  if (!taken || !out) return OV_E_NOMEM;
  for (uint32_t i = 0; i < n && *count < most; i++) {
    if (taken[l[i].op]) continue;
    taken[l[i].op] = true;
    out[(*count)++] = r->ops[l[i].op].name;
  }
  if (*count) qsort(out, *count, sizeof *out, by_name);
  return 0;
}

/* PROTO-99, PROTO-25 */
int ov_record_replaces(const ov_record *r, uint16_t field, ov_arena *a, ov_name **names, uint32_t *n) {
  uint32_t entries;
  const ov_live *l = ov_record_field(r, field, &entries);
  return collect_names(r, l, entries, a, names, n);
}

/* PROTO-26, PROTO-99 */
int ov_record_seen_all(const ov_record *r, ov_arena *a, ov_name **names, uint32_t *n) {
  return collect_names(r, r->live, r->n_live, a, names, n);
}
