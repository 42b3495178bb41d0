/* The verdict in force for an op: receipts first (held stands over applied), then the live rulings (dismissed
 * stands). */
#include <string.h>

#include "ingest_priv.h"

/* Receipts are kept earliest first, so the first held one gives the reason on every replica. PROTO-86 */
static ov_verdict by_receipts(const sv_op_row *row, uint8_t *reason) {
  ov_verdict v = OV_WAITING;
  *reason = 0;
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    if (row->receipts[i].verdict == OV_HELD) {
      *reason = row->receipts[i].reason;
      return OV_HELD;
    }
    if (row->receipts[i].verdict == OV_APPLIED) v = OV_APPLIED;
  }
  return v;
}

typedef struct ruling {
  ov_name name;
  int verdict;
  const ov_field *saw;
} ruling;

static bool is_named(const ruling *r, const ov_name *name) {
  uint8_t bytes[OV_NAME_BYTES];
  if (!r->saw || r->saw->v.type != OV_V_SET) return false;
  ov_name_write(name, bytes);
  for (uint32_t i = 0; i < r->saw->v.set.n_add; i++) {
    const ov_value *v = &r->saw->v.set.add[i];
    if (v->type == OV_V_BYTES && v->s.n == sizeof bytes && !memcmp(v->s.p, bytes, sizeof bytes)) return true;
  }
  return false;
}

static int load_ruling(sv_txn *t, const ov_name *name, ov_arena *a, ruling *out) {
  sv_op_row row;
  uint8_t reason;
  *out = (ruling){.name = *name};
  int err = sv_op_get(t, name, a, &row);
  if (err || row.waiting || by_receipts(&row, &reason) != OV_APPLIED) return err;
  const ov_field *f = ov_op_field(&row.op, SV_RULING_VERDICT);
  if (f && f->v.type == OV_V_INT) out->verdict = (int)f->v.i;
  out->saw = ov_op_field(&row.op, SV_RULING_SAW);
  return 0;
}

/* Rulings on target that no other ruling saw. */
static int live_rulings(sv_txn *t, const ov_name *target, ov_arena *a, ruling out[SV_RULINGS_MAX],
                        uint32_t *n) {
  ov_name names[SV_RULINGS_MAX];
  ruling all[SV_RULINGS_MAX];
  uint32_t k = 0;
  *n = 0;
  int err = sv_rulings_of(t, target, names, SV_RULINGS_MAX, &k);
  if (err == OV_E_NOTFOUND) return 0;
  for (uint32_t i = 0; i < k && !err; i++) err = load_ruling(t, &names[i], a, &all[i]);
  if (err) return err;
  for (uint32_t i = 0; i < k; i++) {
    bool live = all[i].verdict != 0;
    for (uint32_t j = 0; j < k && live; j++) live = j == i || !is_named(&all[j], &all[i].name);
    if (live) out[(*n)++] = all[i];
  }
  return 0;
}

/* PROTO-89 */
int sv_verdict(sv_txn *t, const sv_op_row *row, ov_arena *a, ov_verdict *verdict, uint8_t *reason) {
  ruling live[SV_RULINGS_MAX];
  uint32_t n = 0;
  *reason = 0;
  *verdict = row->op.is_void ? OV_VOID : OV_WAITING;
  if (row->op.is_void || row->waiting) return 0;
  *verdict = by_receipts(row, reason);
  if (row->erased) {
    *verdict = OV_ERASED;
    *reason = OV_HELD_ERASED;
  }
  if (row->erased || *verdict == OV_WAITING) return 0;
  int err = live_rulings(t, &row->op.name, a, live, &n);
  if (err || !n) return err;
  *verdict = OV_APPLIED;
  for (uint32_t i = 0; i < n; i++) {
    if (live[i].verdict == SV_RULING_DISMISS) *verdict = OV_DISMISSED;
  }
  if (*verdict == OV_APPLIED) *reason = 0;
  return 0;
}

/* A ruling that is applied: the record of what it rules on is folded again. PROTO-89 */
void ruling_register(ingest *g, const ov_op *op) {
  const ov_field *f = ov_op_field(op, SV_RULING_TARGET);
  if (!f || f->v.type != OV_V_BYTES || f->v.s.n != OV_NAME_BYTES) return;
  ov_name target;
  sv_op_row row;
  ov_name_read(f->v.s.p, &target);
  sv_ruling_add(g->t, &target, &op->name);
  sv_held_del(g->t, &target);
  ov_arena_reset(&g->look);
  if (sv_op_get(g->t, &target, &g->look, &row) || row.op.is_void) return;
  if (!ingest_elsewhere(g, &row.op)) ingest_changed(g, &row.op.record, row.op.kind, true);
  else sv_queue_push(g->t, &target);
}

/* They come in the order of their names, which is that of a set's elements. */
static void saw_rulings(const ruling *live, uint32_t n, ov_value *elements, uint8_t (*bytes)[OV_NAME_BYTES]) {
  for (uint32_t i = 0; i < n; i++) {
    ov_name_write(&live[i].name, bytes[i]);
    elements[i] = ov_bytes(bytes[i], OV_NAME_BYTES);
  }
}

/* Held by any receipt, and something is left to rule on. */
static bool was_held(const sv_op_row *row) {
  uint8_t reason;
  return !row->erased && !row->waiting && !row->op.is_void && by_receipts(row, &reason) == OV_HELD &&
         reason != OV_HELD_FROZEN && reason != OV_HELD_ERASED;
}

/* PROTO-89 */
int sv_ingest_ruling(sv_txn *t, sv_org *org, const ov_name *target, int verdict, const char *reason,
                     const ov_name *author, ov_arena *a, sv_touches *touches) {
  sv_op_row row;
  ruling live[SV_RULINGS_MAX];
  ov_value elements[SV_RULINGS_MAX];
  uint8_t bytes[SV_RULINGS_MAX][OV_NAME_BYTES], target_bytes[OV_NAME_BYTES];
  ov_name names[SV_RULINGS_MAX], made;
  uint32_t n = 0, all = 0;
  int err = sv_op_get(t, target, a, &row);
  if (err) return err;
  if (!was_held(&row) || (verdict != SV_RULING_ADMIT && verdict != SV_RULING_DISMISS)) return OV_E_INVALID;
  err = sv_rulings_of(t, target, names, SV_RULINGS_MAX, &all);
  if (err == OV_E_NOTFOUND) err = 0;
  if (!err && all == SV_RULINGS_MAX) return OV_E_LIMIT;
  if (!err) err = live_rulings(t, target, a, live, &n);
  if (err) return err;
  saw_rulings(live, n, elements, bytes);
  ov_name_write(target, target_bytes);
  ov_field fields[] = {{SV_RULING_TARGET, ov_bytes(target_bytes, sizeof target_bytes)},
                       {SV_RULING_VERDICT, ov_int(verdict)},
                       {SV_RULING_REASON, ov_text(reason ? reason : "")},
                       {SV_RULING_SAW, {.type = OV_V_SET, .set = {.add = elements, .n_add = n}}}};
  ov_op op = {.scope = row.op.scope,
              .creates = true,
              .kind = OV_KIND_RULING,
              .version = 1,
              .fields = fields,
              .n_fields = n ? 4 : 3,
              .has_participant = row.op.has_participant,
              .participant = row.op.participant,
              .has_author = author != NULL};
  if (author) op.author = *author;
  return sv_ingest_local(t, org, &op, a, touches, &made);
}
