/* The fold of a record from its stored ops. */
#include <string.h>

#include "ingest_priv.h"

static ov_verdict verdict_in_fold(ov_verdict v) { return v == OV_ERASED ? OV_HELD : v; }

static uint32_t cells(const ov_op *op) {
  uint32_t n = op->n_replaces;
  for (uint32_t i = 0; i < op->n_fields; i++) {
    const ov_value *v = &op->fields[i].v;
    n += v->type == OV_V_SET ? v->set.n_add + v->set.n_del : 1;
  }
  return n;
}

/* Adds one op unless it has no say: not here yet, only hashes known, or beyond what a record may hold. */
static int take_op(sv_txn *t, const ov_name *name, ov_arena *a, folded *f) {
  sv_op_row row;
  ov_verdict v;
  uint8_t reason = 0;
  int err = sv_op_get(t, name, a, &row);
  if (!err) err = sv_verdict(t, &row, a, &v, &reason);
  if (err) return err;
  /* Many ops with many values each would fill the memory before the fold could count them. */
  f->cells += cells(&row.op);
  if (f->cells > OV_RECORD_VALUES_MAX + OV_RECORD_LINKS_MAX) return OV_E_LIMIT;
  if (v == OV_WAITING || v == OV_VOID || (v == OV_HELD && reason == OV_HELD_FROZEN)) return 0;
  ov_op *op = ov_arena_dup(a, &row.op, sizeof row.op);
  if (!op) return OV_E_NOMEM;
  const sv_receipt *first = row.n_receipts ? &row.receipts[0] : NULL;
  f->in[f->n++] = (ov_fold_in){.op = op,
                               .verdict = verdict_in_fold(v),
                               .reason = reason,
                               .server_time = first ? ingest_seconds(first->server_time_ms) : INT64_MAX,
                               .clock_offset = first ? ingest_seconds(first->offset_ms) : 0};
  return 0;
}

/* The first `max` ops by name. */
static int load_some(sv_txn *t, const ov_name *names, uint32_t n, uint32_t max, ov_arena *a, folded *f) {
  *f = (folded){.frozen = n > max};
  f->in = ov_arena_array(a, n < max ? n : max, sizeof *f->in);
  if (!f->in) return OV_E_NOMEM;
  for (uint32_t i = 0; i < n && f->n < max; i++) {
    int err = take_op(t, &names[i], a, f);
    if (err) return err;
  }
  return f->n ? ov_fold(f->in, f->n, a, &f->rec) : 0;
}

int refold_load(sv_txn *t, const ov_name *record, ov_arena *a, folded *out) {
  ov_name *names;
  uint32_t n = 0;
  *out = (folded){0};
  int err = sv_record_ops(t, record, a, &names, &n);
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  /* What two servers took apart can be more than a fold takes. Then fewer ops are folded, chosen by name, so
   * that every replica that holds the same ops shows the same. */
  for (uint32_t max = OV_RECORD_OPS_MAX; max; max /= 2) {
    if (max > n && max / 2 >= n) continue;
    err = load_some(t, names, n, max, a, out);
    if (err != OV_E_LIMIT) break;
  }
  if (!err && out->n) out->rec.name = *record;
  return err;
}

/* PROTO-100 */
int sv_refold(sv_txn *t, sv_org *org, const ov_name *record, ov_arena *a, ov_record *out) {
  folded f;
  (void)org;
  int err = refold_load(t, record, a, &f);
  if (err) return err;
  *out = f.rec;
  return f.n ? 0 : OV_E_NOTFOUND;
}
