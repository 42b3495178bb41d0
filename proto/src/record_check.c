#include "record_parts.h"

#include "fold_parts.h"

static bool ops_fit(const ov_record *r) {
  for (uint32_t i = 1; i < r->n_ops; i++)
    if (ov_name_compare(&r->ops[i - 1].name, &r->ops[i].name) >= 0) return false;
  return r->created == (ov_rop_find(r->ops, r->n_ops, &r->name) != UINT32_MAX);
}

static bool live_fits(const ov_record *r) {
  for (uint32_t i = 0; i < r->n_live; i++) {
    if (r->live[i].op >= r->n_ops) return false;
    if (i && ov_live_compare(&r->live[i - 1], &r->live[i], r->ops) >= 0) return false;
  }
  return true;
}

static bool held_fits(const ov_record *r) {
  for (uint32_t i = 0; i < r->n_held; i++) {
    if (r->held[i].verdict != OV_HELD && r->held[i].verdict != OV_DISMISSED) return false;
    if (i && ov_name_compare(&r->held[i - 1].name, &r->held[i].name) >= 0) return false;
  }
  return true;
}

static bool seen_fits(const ov_record *r) {
  for (uint32_t i = 0; i < r->n_seen; i++) {
    if (ov_rop_find(r->ops, r->n_ops, &r->seen[i]) == UINT32_MAX) return false;
    if (i && ov_name_compare(&r->seen[i - 1], &r->seen[i]) >= 0) return false;
  }
  return true;
}

int ov_record_check(const ov_record *r) {
  return ops_fit(r) && live_fits(r) && held_fits(r) && seen_fits(r) ? 0 : OV_E_FORMAT;
}
