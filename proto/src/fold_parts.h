/* What ov_fold and ov_fold_absorb share: ops spread into cells, the order of live values, and the putting
 * together of a record. */
#ifndef OV_FOLD_PARTS_H
#define OV_FOLD_PARTS_H

#include "ov/fold.h"

/* Ops that may hold live values (ascending names) and values that point into them by index. */
typedef struct ov_fold_mix {
  ov_rop *rops;
  uint32_t n_rops;
  ov_live *live; /* in the order of ov_live_sort */
  uint32_t n_live;
  bool *seen; /* per rop: a live retraction names it */
} ov_fold_mix;

/* Cells that an op carries; what ov_fold_spread writes. */
uint32_t ov_fold_cells(const ov_op *op);
/* Writes one entry per cell, with `rop` as index; returns how many. Values borrow from the op. */
uint32_t ov_fold_spread(const ov_op *op, uint32_t rop, ov_live *out);
/* The op as it stands in a record, with its corrected time and flags. */
void ov_fold_rop(const ov_fold_in *in, ov_rop *out);
/* Order of cells alone: field, single value before elements, element. */
int ov_live_compare_cell(const ov_live *a, const ov_live *b);
/* Order in a record: cell, then latest (time, name) first. */
int ov_live_compare(const ov_live *a, const ov_live *b, const ov_rop *rops);
void ov_live_sort(ov_live *live, uint32_t n, const ov_rop *rops);
/* A single value in field 1 other than nil. */
bool ov_live_retracts(const ov_live *l);
/* Index of a name in ascending rops, or UINT32_MAX. */
uint32_t ov_rop_find(const ov_rop *rops, uint32_t n, const ov_name *name);
/* Is the name in an ascending list? */
bool ov_names_have(const ov_name *list, uint32_t n, const ov_name *name);
/* Fills ops, live, seen and created of out, whose name is set; drops ops without a live value, but not the
 * creating one. Takes m->live over. 0 or OV_E_NOMEM. */
int ov_fold_assemble(const ov_fold_mix *m, ov_arena *a, ov_record *out);
/* ov_fold without the limit on n: rows of a folded record may be one more (see ov_record_to_rows). */
int ov_fold_any(const ov_fold_in *ops, size_t n, ov_arena *a, ov_record *out);
/* Kind, scope, participant and version as this op claims them. */
void ov_fold_header(const ov_op *op, ov_record *out);

#endif
