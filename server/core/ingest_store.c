/* Writing one op with its receipt, and what follows from it. Everything here writes; errors stick to the
 * transaction. */
#include <string.h>

#include "ingest_priv.h"

sv_receipt *store_own_receipt(const ingest *g, sv_op_row *row) {
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    if (ov_id_equal(&row->receipts[i].server, &g->org->server)) return &row->receipts[i];
  }
  return NULL;
}

static bool earlier(const sv_receipt *a, const sv_receipt *b) {
  if (a->server_time_ms != b->server_time_ms) return a->server_time_ms < b->server_time_ms;
  return memcmp(a->server.b, b->server.b, OV_ID_BYTES) < 0;
}

/* When there are too many, the latest one that decides nothing goes: which are kept depends on the set
 * only. */
bool store_receipt_add(sv_op_row *row, const sv_receipt *r) {
  sv_receipt all[SV_RECEIPTS_MAX + 1];
  uint32_t n = 0, at = row->n_receipts;
  while (at && earlier(r, &row->receipts[at - 1])) at--;
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    if (i == at) all[n++] = *r;
    all[n++] = row->receipts[i];
  }
  if (at == row->n_receipts) all[n++] = *r;
  uint32_t drop = n;
  if (n > SV_RECEIPTS_MAX) {
    for (drop = n - 1; drop && all[drop].verdict == OV_HELD;) drop--;
    if (!drop) drop = n - 1;
    memmove(&all[drop], &all[drop + 1], (n - drop - 1) * sizeof *all);
    n--;
  }
  memcpy(row->receipts, all, n * sizeof *all);
  row->n_receipts = n;
  return drop != at;
}

/* A key that an op carries is the real one, whatever was believed before. A team's counts only once its op is
 * applied: else any device could give a team another key. */
static void keep_carried_key(ingest *g, const ov_op *op, const judged *j) {
  const uint8_t *key = chain_carried_key(op);
  sv_keyring *ring = g->org->keyring;
  ov_name zero = {0}, scope = ingest_scope_name(op->scope);
  uint8_t old[OV_KEY_BYTES];
  int err = 0;
  if (!key) return;
  if (op->kind == OV_KIND_PARTICIPANT) {
    if (ingest_erased(g, &op->name)) return;
    if (!sv_keyring_get(ring, SV_KEY_COMMIT_PARTICIPANT, &op->name, old) && !memcmp(old, key, sizeof old))
      return;
    err = sv_keyring_put(ring, SV_KEY_COMMIT_PARTICIPANT, &op->name, key);
  } else if (j->verdict != OV_APPLIED) {
    return;
  } else if (op->kind == OV_KIND_TEAM && op->scope >= 2) {
    sv_scope s;
    bool known = !sv_scope_get(g->t, op->scope, &s) && !ov_name_is_zero(&s.record);
    if (!known) err = sv_keyring_put(ring, SV_KEY_COMMIT_TEAM, &scope, key);
  } else if (op->kind == OV_KIND_ORGANISATION &&
             sv_keyring_get(ring, SV_KEY_COMMIT_ORG, &zero, old) == OV_E_NOTFOUND) {
    err = sv_keyring_put(ring, SV_KEY_COMMIT_ORG, &zero, key);
  }
  if (err) sv_txn_fail(g->t, err);
}

void store_effects(ingest *g, const sv_op_row *row, const judged *j, bool foreign) {
  const ov_op *op = &row->op;
  if (!j->waits) ingest_list_add(g, &g->known, &op->name);
  if (op->is_void) return;
  bool elsewhere = ingest_elsewhere(g, op);
  keep_carried_key(g, op, j);
  if (j->waits) {
    sv_waiting_add(g->t, &j->missing, &op->name);
    return;
  }
  if (j->verdict == OV_HELD && !row->erased && j->reason != OV_HELD_FROZEN) sv_held_add(g->t, &op->name);
  if (j->verdict == OV_APPLIED && op->kind == OV_KIND_RULING) ruling_register(g, op);
  /* What is held stays inside until a ruling admits it. */
  if (elsewhere && j->verdict == OV_APPLIED) sv_queue_push(g->t, &op->name);
  if (!elsewhere) ingest_changed(g, &op->record, op->kind, foreign);
}

/* What a record that is full gets beyond that is stored, but not listed: it will not be folded, and the list
 * stays bounded. */
void store_list(ingest *g, const ov_op *op, const judged *j) {
  bool frozen = j->verdict == OV_HELD && j->reason == OV_HELD_FROZEN;
  if (!op->is_void && !frozen && !ingest_elsewhere(g, op)) sv_record_op_add(g->t, &op->record, &op->name);
}

static void put(ingest *g, sv_op_row *row, const judged *j, bool foreign) {
  const ov_op *op = &row->op;
  row->waiting = j->waits;
  row->erased = !op->is_void &&
                (op->has_commitment || (j->verdict == OV_HELD && j->reason == OV_HELD_ERASED));
  if (row->erased) row->op.has_commitment = true;
  sv_op_put(g->t, row);
  store_list(g, op, j);
  store_effects(g, row, j, foreign);
}

/* PROTO-27, PROTO-86 */
void store_op(ingest *g, const store_in *s) {
  sv_op_row row = {.op = *s->op, .head = *s->head, .device = g->device.id};
  memcpy(row.prev_tag, s->prev_tag, OV_TAG_BYTES);
  row.receipts[row.n_receipts++] = (sv_receipt){.server = g->org->server,
                                                .server_time_ms = g->now_ms,
                                                .offset_ms = s->offset_ms,
                                                .verdict = s->j->verdict,
                                                .reason = s->j->reason};
  if (s->sig) {
    row.has_sig = true;
    memcpy(row.sig, s->sig, OV_SIG_BYTES);
  }
  put(g, &row, s->j, s->foreign);
}

/* The row of a void gets its content; when it was received does not change. PROTO-33, PROTO-85 */
void store_fill(ingest *g, const store_in *s) {
  sv_op_row row;
  ov_arena_reset(&g->work);
  if (sv_op_get(g->t, &s->op->name, &g->work, &row)) return;
  row.op = *s->op;
  sv_receipt *own = store_own_receipt(g, &row);
  sv_receipt made = {.server = g->org->server, .server_time_ms = g->now_ms, .offset_ms = s->offset_ms};
  if (own) {
    own->verdict = s->j->verdict;
    own->reason = s->j->reason;
  } else {
    made.verdict = s->j->verdict;
    made.reason = s->j->reason;
    store_receipt_add(&row, &made);
  }
  put(g, &row, s->j, true);
}

static bool lists(const ov_record *r, const ov_name *op) {
  for (uint32_t i = 0; i < r->n_ops; i++) {
    if (ov_name_equal(&r->ops[i].name, op)) return true;
  }
  for (uint32_t i = 0; i < r->n_held; i++) {
    if (ov_name_equal(&r->held[i].name, op)) return true;
  }
  return false;
}

/* Its record is elsewhere, and is looked at there; what is held has not gone there. */
static void offered_again_elsewhere(ingest *g, const ov_name *op) {
  sv_op_row row;
  ov_verdict v = OV_HELD;
  uint8_t reason;
  ov_arena_reset(&g->look);
  int err = sv_op_get(g->t, op, &g->look, &row);
  if (!err) err = sv_verdict(g->t, &row, &g->look, &v, &reason);
  if (err) sv_txn_fail(g->t, err);
  else if (v != OV_HELD) sv_queue_push(g->t, op);
}

/* PROTO-112 */
void store_offered_again(ingest *g, const ov_op *op) {
  sv_record_row row;
  if (op->is_void) return;
  if (ingest_elsewhere(g, op)) {
    offered_again_elsewhere(g, &op->name);
    return;
  }
  ov_arena_reset(&g->look);
  int err = sv_record_get(g->t, &op->record, &g->look, &row);
  if (err && err != OV_E_NOTFOUND) sv_txn_fail(g->t, err);
  if (!err && !lists(&row.rec, &op->name)) ingest_again(g, &op->record, op->kind);
  if (!err && op->creates) tell_gone_again(g, &row, op->scope);
}
