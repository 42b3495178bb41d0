#include "ov/fold.h"

#include <stdlib.h>

#include "fold_parts.h"

static_assert(OV_RECORD_VALUES_MAX * (sizeof(ov_live) + 5) + OV_RECORD_LINKS_MAX * sizeof(uint32_t) +
                      OV_RECORD_OPS_MAX * (2 * sizeof(ov_rop) + sizeof(ov_heldop) + sizeof(ov_name) + 64) <=
                  OV_DECODE_ARENA_BYTES_MAX,
              "the largest fold with its scratch fits into a decode arena");

/* One fold under way. Ops are ranked by name, so that every index order is a name order and no input order
 * shows. */
typedef struct folding {
  const ov_fold_in **in; /* by rank */
  uint32_t n;
  ov_rop *rops;                 /* by rank; only those of applied ops are filled */
  uint32_t *link_start, *links; /* ranks that op i names: links[link_start[i] .. link_start[i + 1]) */
  ov_live *cells;               /* all values of applied, held and dismissed ops, sorted as live values are */
  uint32_t n_cells;
  uint32_t *slot;  /* by rank: 1 + place in the cell at hand, 0 when it does not carry it */
  uint8_t *mark;   /* by cell entry: bits below */
  uint32_t *queue; /* entries whose replacements count but are not yet followed */
} folding;

enum { REPLACED = 1, COUNTS = 2 };

static bool gives_links(ov_verdict v) { return v == OV_APPLIED || v == OV_HELD || v == OV_DISMISSED; }

static int by_name(const void *a, const void *b) {
  const ov_fold_in *const *x = a, *const *y = b;
  return ov_name_compare(&(*x)->op->name, &(*y)->op->name);
}

static int rank_ops(folding *f, const ov_fold_in *ops, size_t n, ov_arena *a) {
  f->in = ov_arena_array(a, n, sizeof *f->in);
  f->rops = ov_arena_array(a, n, sizeof *f->rops);
  if (!f->in || !f->rops) return OV_E_NOMEM;
  f->n = (uint32_t)n;
  for (size_t i = 0; i < n; i++) f->in[i] = &ops[i];
  qsort(f->in, n, sizeof *f->in, by_name);
  for (uint32_t i = 1; i < f->n; i++)
    if (by_name(&f->in[i - 1], &f->in[i]) == 0) return OV_E_INVALID;
  for (uint32_t i = 0; i < f->n; i++) ov_fold_rop(f->in[i], &f->rops[i]);
  return 0;
}

/* The names each op replaces, as ranks; names not among the ops and an op's own name fall out here.
 * PROTO-93 */
static int resolve_links(folding *f, ov_arena *a) {
  uint32_t most = 0;
  for (uint32_t i = 0; i < f->n; i++)
    if (gives_links(f->in[i]->verdict)) {
      most += f->in[i]->op->n_replaces;
      if (most > OV_RECORD_LINKS_MAX) return OV_E_LIMIT;
    }
  f->link_start = ov_arena_array(a, f->n + 1u, sizeof *f->link_start);
  f->links = ov_arena_array(a, most, sizeof *f->links);
  if (!f->link_start || !f->links) return OV_E_NOMEM;
  uint32_t at = 0;
  for (uint32_t i = 0; i < f->n; i++) {
    f->link_start[i] = at;
    if (!gives_links(f->in[i]->verdict)) continue;
    for (uint32_t k = 0; k < f->in[i]->op->n_replaces; k++) {
      uint32_t target = ov_rop_find(f->rops, f->n, &f->in[i]->op->replaces[k]);
      if (target != UINT32_MAX && target != i) f->links[at++] = target;
    }
  }
  f->link_start[f->n] = at;
  return 0;
}

static int collect_cells(folding *f, ov_arena *a) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < f->n; i++)
    if (gives_links(f->in[i]->verdict)) {
      n += ov_fold_cells(f->in[i]->op);
      if (n > OV_RECORD_VALUES_MAX) return OV_E_LIMIT;
    }
  f->cells = ov_arena_array(a, n, sizeof *f->cells);
  f->mark = ov_arena_array(a, n, sizeof *f->mark);
  f->slot = ov_arena_array(a, f->n, sizeof *f->slot);
  f->queue = ov_arena_array(a, n, sizeof *f->queue);
  if (!f->cells || !f->mark || !f->slot || !f->queue) return OV_E_NOMEM;
  for (uint32_t i = 0; i < f->n; i++)
    if (gives_links(f->in[i]->verdict)) f->n_cells += ov_fold_spread(f->in[i]->op, i, f->cells + f->n_cells);
  ov_live_sort(f->cells, f->n_cells, f->rops);
  return 0;
}

/* Entries [from, to) carry one cell. Starting from the applied ops, follows replacements; a held op that is
 * reached counts from then on. Each entry is queued at most once, so circles end. PROTO-93, PROTO-94 */
static void settle_cell(folding *f, uint32_t from, uint32_t to) {
  uint32_t head = 0, tail = 0;
  for (uint32_t i = from; i < to; i++) {
    f->slot[f->cells[i].op] = i + 1;
    if (f->in[f->cells[i].op]->verdict != OV_APPLIED) continue;
    f->mark[i] |= COUNTS;
    f->queue[tail++] = i;
  }
  while (head < tail) {
    uint32_t op = f->cells[f->queue[head++]].op;
    for (uint32_t k = f->link_start[op]; k < f->link_start[op + 1]; k++) {
      uint32_t slot = f->slot[f->links[k]];
      if (!slot) continue;
      uint8_t *mark = &f->mark[slot - 1];
      *mark |= REPLACED;
      if (*mark & COUNTS) continue;
      *mark |= COUNTS;
      f->queue[tail++] = slot - 1;
    }
  }
  for (uint32_t i = from; i < to; i++) f->slot[f->cells[i].op] = 0;
}

/* Leaves only live values in cells, in place. PROTO-95 */
static void settle(folding *f) {
  for (uint32_t from = 0, to; from < f->n_cells; from = to) {
    for (to = from + 1; to < f->n_cells; to++)
      if (ov_live_compare_cell(&f->cells[from], &f->cells[to]) != 0) break;
    settle_cell(f, from, to);
  }
  uint32_t kept = 0;
  for (uint32_t i = 0; i < f->n_cells; i++)
    if (f->in[f->cells[i].op]->verdict == OV_APPLIED && !(f->mark[i] & REPLACED))
      f->cells[kept++] = f->cells[i];
  f->n_cells = kept;
}

/* PROTO-97 */
static bool *mark_seen(const folding *f, ov_arena *a) {
  bool *seen = ov_arena_array(a, f->n, sizeof *seen);
  for (uint32_t i = 0; seen && i < f->n_cells; i++) {
    if (!ov_live_retracts(&f->cells[i])) continue;
    uint32_t op = f->cells[i].op;
    for (uint32_t k = f->link_start[op]; k < f->link_start[op + 1]; k++) seen[f->links[k]] = true;
  }
  return seen;
}

/* PROTO-98 */
static void set_header(const folding *f, ov_record *out) {
  const ov_op *from = NULL;
  for (uint32_t i = 0; i < f->n; i++) {
    const ov_op *op = f->in[i]->op;
    if (op->is_void || (from && !op->creates)) continue;
    from = op;
    if (op->creates) break;
  }
  if (!from) return;
  out->name = from->record;
  ov_fold_header(from, out);
  for (uint32_t i = 0; i < f->n; i++)
    if (f->in[i]->verdict == OV_APPLIED && f->in[i]->op->version > out->version)
      out->version = f->in[i]->op->version;
}

static int list_held(const folding *f, ov_arena *a, ov_record *out) {
  out->held = ov_arena_array(a, f->n, sizeof *out->held);
  if (!out->held) return OV_E_NOMEM;
  for (uint32_t i = 0; i < f->n; i++)
    if (f->in[i]->verdict == OV_HELD || f->in[i]->verdict == OV_DISMISSED)
      out->held[out->n_held++] = (ov_heldop){f->in[i]->op->name, (uint8_t)f->in[i]->verdict,
                                             f->in[i]->reason};
  return 0;
}

/* assemble keeps a creating op that is listed: one that is not applied must not be. */
static int assemble(const folding *f, bool *seen, ov_arena *a, ov_record *out) {
  uint32_t *index = ov_arena_array(a, f->n, sizeof *index);
  if (!index) return OV_E_NOMEM;
  ov_fold_mix m = {.rops = f->rops, .live = f->cells, .n_live = f->n_cells, .seen = seen};
  for (uint32_t i = 0; i < f->n; i++) {
    if (f->in[i]->verdict != OV_APPLIED) continue;
    index[i] = m.n_rops;
    seen[m.n_rops] = seen[i];
    f->rops[m.n_rops++] = f->rops[i];
  }
  for (uint32_t i = 0; i < m.n_live; i++) m.live[i].op = index[m.live[i].op];
  return ov_fold_assemble(&m, a, out);
}

/* PROTO-100 */
int ov_fold(const ov_fold_in *ops, size_t n, ov_arena *a, ov_record *out) {
  *out = (ov_record){0};
  return n > OV_RECORD_OPS_MAX ? OV_E_LIMIT : ov_fold_any(ops, n, a, out);
}

int ov_fold_any(const ov_fold_in *ops, size_t n, ov_arena *a, ov_record *out) {
  folding f = {0};
  *out = (ov_record){0};
  if (n == 0) return OV_E_INVALID;
  int err = rank_ops(&f, ops, n, a);
  if (!err) err = resolve_links(&f, a);
  if (!err) err = collect_cells(&f, a);
  if (err) return err;
  settle(&f);
  bool *seen = mark_seen(&f, a);
  if (!seen) return OV_E_NOMEM;
  set_header(&f, out);
  err = list_held(&f, a, out);
  return err ? err : assemble(&f, seen, a, out);
}
