/* Ops of the server's own log, and ops that come with their receipts from elsewhere. */
#include <string.h>

#include "ingest_priv.h"
#include "ov_p256.h"

/* -- the server's own log ---------------------------------------------------------------------- */

/* Administration is judged like anybody, but told at once what is wrong instead of being held. A ruling lies
 * in the scope of what it rules on, wherever its schema puts the kind. */
static int check_local(ingest *g, const ov_op *op) {
  judged j = {0};
  int err = ov_op_validate(op);
  if (err) return OV_E_INVALID;
  err = judge_place(g, op, &j);
  if (err) return err;
  if (j.waits) return OV_E_NOTFOUND;
  if (j.reason || ingest_about_erased(g, op)) return OV_E_INVALID;
  ov_op shown = *op;
  if (op->kind == OV_KIND_RULING) shown.scope = 1;
  return ov_schema_check_op(g->org->schemas, &shown, NULL) ? OV_E_INVALID : 0;
}

static int own_tip(ingest *g, sv_tip *tip, bool *have) {
  uint32_t n = 0;
  int err = sv_tips_get(g->t, &g->org->server, tip, 1, &n);
  if (err && err != OV_E_NOTFOUND) return err;
  *have = n > 0;
  if (*have) return 0;
  *tip = (sv_tip){.writer = g->org->server, .device = g->org->server};
  return ov_chain_start(sv_txn_hasher(g->t), &g->org->id, &g->org->server, &tip->head.head);
}

/* A creating op of organisation, team or participant carries 32 random bytes; made here when the caller gave
 * none. */
static int add_key(ingest *g, ov_op *op) {
  uint16_t id = op->kind == OV_KIND_TEAM           ? SV_TEAM_KEY
                : op->kind == OV_KIND_PARTICIPANT  ? SV_PARTICIPANT_KEY
                : op->kind == OV_KIND_ORGANISATION ? SV_ORGANISATION_KEY
                                                   : 0;
  if (!op->creates || !id || ov_op_field(op, id)) return 0;
  uint8_t *key = ov_arena_alloc(g->a, OV_KEY_BYTES);
  ov_field *f = ov_arena_array(g->a, op->n_fields + 1u, sizeof *f);
  if (!key || !f) return OV_E_NOMEM;
  int err = g->org->sys->random(g->org->sys->ctx, key, OV_KEY_BYTES);
  uint32_t at = 0;
  while (at < op->n_fields && op->fields[at].id < id) at++;
  if (at) memcpy(f, op->fields, at * sizeof *f);
  f[at] = (ov_field){id, ov_bytes(key, OV_KEY_BYTES)};
  if (at < op->n_fields) memcpy(f + at + 1, op->fields + at, (op->n_fields - at) * sizeof *f);
  op->fields = f;
  op->n_fields++;
  return err;
}

/* Other servers believe this log by its signature, as they believe a device's. */
static int sign(ingest *g, const ov_head *head, uint8_t sig[OV_SIG_BYTES]) {
  ov_buf_reset(&g->b1);
  ov_signed_push(&g->b1, &g->org->id, &g->org->server, &g->org->server, head->seq, &head->head);
  return g->b1.err ? g->b1.err : ov_p256_sign(g->org->sign_key, g->b1.p, g->b1.n, sig);
}

static int run_local(ingest *g, ov_op *op, ov_name *name) {
  sv_tip tip;
  bool have = false;
  uint8_t key[OV_KEY_BYTES], sig[OV_SIG_BYTES], prev[OV_TAG_BYTES] = {0};
  int err = own_tip(g, &tip, &have);
  ov_hash before = tip.head.head, head = before;
  if (err) return err;
  op->name = (ov_name){.writer = g->org->server, .seq = tip.head.seq + 1};
  op->header_bytes = op->payload_bytes = NULL;
  op->is_void = op->has_commitment = false;
  op->payload_err = 0;
  if (op->device_time == 0) op->device_time = ingest_seconds(g->now_ms);
  if ((err = add_key(g, op)) || (err = check_local(g, op)) || (err = chain_key(g, op, key))) return err;
  if ((err = ov_chain_op(sv_txn_hasher(g->t), op, key, &head, &g->b1))) return err;
  if (have) memcpy(prev, before.b, sizeof prev);
  tip.head = (ov_head){.seq = op->name.seq, .head = head};
  if ((err = sign(g, &tip.head, sig))) return err;
  *name = op->name;
  judged j = {.verdict = OV_APPLIED};
  store_in s = {.op = op, .head = &head, .prev_tag = prev, .j = &j, .sig = sig, .foreign = true};
  g->device = (sv_device){.id = g->org->server};
  sv_tip_put(g->t, have ? &before : NULL, &tip);
  store_op(g, &s);
  return 0;
}

static void finish(ingest *g) {
  ingest_forget(g);
  wait_release(g);
  fold_changed(g);
}

int sv_ingest_local(sv_txn *t, sv_org *org, ov_op *op, ov_arena *a, sv_touches *touches, ov_name *name) {
  ingest g;
  int err = ingest_begin(&g, t, org, a, touches);
  if (!err) err = run_local(&g, op, name);
  if (!err) finish(&g);
  ingest_end(&g);
  return err ? err : sv_txn_error(t);
}

/* -- ops from elsewhere ------------------------------------------------------------------------ */

static void overall(const sv_op_row *row, judged *j) {
  j->verdict = OV_WAITING;
  j->reason = 0;
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    const sv_receipt *r = &row->receipts[i];
    if (r->verdict == OV_HELD && j->verdict != OV_HELD) {
      j->verdict = OV_HELD;
      j->reason = r->reason;
    } else if (r->verdict == OV_APPLIED && j->verdict != OV_HELD) {
      j->verdict = OV_APPLIED;
    }
  }
}

/* One server's receipts about one op differ only because it judged later what it had left open, or because
 * held stands. PROTO-86 */
static bool merge_receipt(sv_op_row *row, const sv_receipt *r) {
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    sv_receipt *own = &row->receipts[i];
    if (!ov_id_equal(&own->server, &r->server)) continue;
    bool was_open = own->verdict == OV_WAITING || own->verdict == OV_VOID,
         is_open = r->verdict == OV_WAITING || r->verdict == OV_VOID;
    bool better = (was_open && !is_open) || (own->verdict == OV_VOID && r->verdict == OV_WAITING) ||
                  (own->verdict == OV_APPLIED && r->verdict == OV_HELD);
    if (better) {
      own->verdict = r->verdict;
      own->reason = r->reason;
    }
    return better;
  }
  return store_receipt_add(row, r);
}

static int head_before(ingest *g, const sv_op_row *row, ov_hash *prev) {
  ov_name before = {.writer = row->op.name.writer, .seq = row->op.name.seq - 1};
  sv_op_row b;
  if (!before.seq) return ov_chain_start(sv_txn_hasher(g->t), &g->org->id, &before.writer, prev);
  memcpy(before.tag, row->prev_tag, OV_TAG_BYTES);
  ov_arena_reset(&g->look);
  int err = sv_op_get(g->t, &before, &g->look, &b);
  if (!err) *prev = b.head;
  return err == OV_E_NOTFOUND ? OV_E_GAP : err;
}

/* In an organisation's environment logs are whole: the op must follow a stored head. The programme holds
 * single ops of many logs. */
static int place_foreign(ingest *g, const sv_op_row *row) {
  sv_tip tips[OV_TIPS_MAX], tip = {.writer = row->op.name.writer, .device = row->device};
  uint32_t n = 0;
  ov_hash prev;
  const ov_hash *old = NULL;
  int err = sv_tips_get(g->t, &tip.writer, tips, OV_TIPS_MAX, &n);
  if (err && err != OV_E_NOTFOUND) return err;
  /* A log that has a tip here is here whole: this server's own, and what it wrote before a restore. */
  if (g->org->programme && !n && !ov_id_equal(&row->op.name.writer, &g->org->server)) return 0;
  err = head_before(g, row, &prev);
  if (err) return err;
  ov_hash head = prev;
  err = ov_chain_step(sv_txn_hasher(g->t), row->op.name.seq, &row->op.header_hash, &row->op.commitment,
                      &head);
  if (err) return err;
  if (memcmp(head.b, row->head.b, sizeof head.b) != 0) return OV_E_AUTH;
  for (uint32_t i = 0; i < n; i++) {
    if (memcmp(tips[i].head.head.b, prev.b, sizeof prev.b) != 0) continue;
    old = &tips[i].head.head;
    tip.safe_seq = tips[i].safe_seq;
  }
  if (!old && n == OV_TIPS_MAX) return OV_E_FLOOD;
  tip.head = (ov_head){.seq = row->op.name.seq, .head = row->head};
  return sv_tip_put(g->t, old, &tip);
}

static int judge_foreign(ingest *g, sv_op_row *row, judged *j) {
  uint64_t waiting = 0;
  int err = 0;
  *j = (judged){0};
  if (!row->op.is_void && !row->op.has_commitment) err = judge_place(g, &row->op, j);
  if (ingest_about_erased(g, &row->op)) row->erased = row->op.has_commitment = true;
  if (!err && j->waits) err = sv_waiting_count(g->t, &waiting);
  if (!err && j->waits && waiting >= SV_WAITING_MAX) err = OV_E_BUSY;
  overall(row, j);
  row->waiting = j->waits;
  return err;
}

static void put_foreign(ingest *g, const sv_op_row *row, const judged *j) {
  sv_op_put(g->t, row);
  store_list(g, &row->op, j);
  store_effects(g, row, j, true);
}

/* What is known here and what came, together. */
static bool merge_row(sv_op_row *row, const sv_op_row *in) {
  bool news = false;
  for (uint32_t i = 0; i < in->n_receipts; i++) news |= merge_receipt(row, &in->receipts[i]);
  if (row->op.is_void && !in->op.is_void) {
    row->op = in->op;
    news = true;
  }
  if (!row->has_sig && in->has_sig) {
    memcpy(row->sig, in->sig, OV_SIG_BYTES);
    row->has_sig = news = true;
  }
  return news;
}

static int run_foreign(ingest *g, const sv_op_row *in) {
  sv_op_row row;
  judged j;
  int err = sv_op_get(g->t, &in->op.name, &g->work, &row);
  bool known = !err;
  if (err && err != OV_E_NOTFOUND) return err;
  if (known && memcmp(row.head.b, in->head.b, sizeof row.head.b) != 0) return OV_E_BRANCH;
  if (known && !merge_row(&row, in)) {
    if (g->org->programme && !row.waiting) store_offered_again(g, &row.op);
    return 0;
  }
  /* An organisation that was put back brings its tablets' ops to the programme once more. Their authors
   * cannot tell what has become of their values there since: the record goes to everybody again. */
  if (known && g->org->programme && !row.op.is_void && !row.waiting)
    ingest_again(g, &row.op.record, row.op.kind);
  if (!known) {
    row = *in;
    row.n_receipts = 0;
    for (uint32_t i = 0; i < in->n_receipts; i++) merge_receipt(&row, &in->receipts[i]);
  }
  err = judge_foreign(g, &row, &j);
  if (!err && !known) err = place_foreign(g, &row);
  if (!err) put_foreign(g, &row, &j);
  return err;
}

int sv_ingest_foreign(sv_txn *t, sv_org *org, const sv_op_row *row, ov_arena *a, sv_touches *touches) {
  ingest g;
  int err = ingest_begin(&g, t, org, a, touches);
  if (!err) err = run_foreign(&g, row);
  if (!err) finish(&g);
  ingest_end(&g);
  return err ? err : sv_txn_error(t);
}
