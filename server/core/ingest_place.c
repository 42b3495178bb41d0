/* Where a push goes in its log: it appends to a tip, repeats what is stored, or branches off. */
#include <string.h>

#include "ingest_priv.h"
#include "sv_ladder.h"

static bool same_head(const ov_head *a, const ov_head *b) {
  return a->seq == b->seq && !memcmp(a->head.b, b->head.b, OV_HASH_BYTES);
}

int place_answer(ingest *g, const place *p, sv_push_out *out) {
  out->n_tips = p->n_tips;
  for (uint32_t i = 0; i < p->n_tips; i++) out->tips[i] = p->tips[i].head;
  if (!p->n_tips) return 0;
  out->up_to = p->tips[0].head.seq;
  out->head = p->tips[0].head.head;
  out->safe_up_to = p->tips[0].safe_seq;
  ov_arena_reset(&g->work);
  return sv_ladder_rungs(g->t, &p->tips[0].writer, &p->tips[0].head, &g->work, out->ladder, &out->n_ladder);
}

/* Is (seq, head) stored, or the right start of this writer? */
static int head_stored(ingest *g, const ov_id *writer, const ov_head *h, bool *stored) {
  *stored = false;
  if (h->seq == 0) {
    ov_hash start;
    int err = ov_chain_start(sv_txn_hasher(g->t), &g->org->id, writer, &start);
    *stored = !err && !memcmp(start.b, h->head.b, sizeof start.b);
    return err;
  }
  sv_op_row row;
  ov_name name = {.writer = *writer, .seq = h->seq};
  memcpy(name.tag, h->head.b, OV_TAG_BYTES);
  ov_arena_reset(&g->look);
  int err = sv_op_get(g->t, &name, &g->look, &row);
  *stored = !err && !memcmp(row.head.b, h->head.b, OV_HASH_BYTES);
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* PROTO-54, PROTO-59 */
int place_push(ingest *g, const sv_push_in *in, place *p, sv_push_out *out) {
  int err = sv_tips_get(g->t, &in->writer, p->tips, OV_TIPS_MAX, &p->n_tips);
  if (err && err != OV_E_NOTFOUND) return err;
  for (uint32_t i = 0; i < p->n_tips; i++) {
    if (!ov_id_equal(&p->tips[i].device, &g->device.id)) {
      out->err = OV_E_FOREIGN;
      return 0;
    }
    if (same_head(&p->tips[i].head, &in->prev)) {
      p->at_tip = true;
      p->tip = i;
    }
  }
  if (in->prev.seq + 1 != in->push.first_seq) out->err = OV_E_GAP;
  else if (p->at_tip) return 0;
  bool stored = false;
  if (!out->err && (err = head_stored(g, &in->writer, &in->prev, &stored))) return err;
  p->new_log = stored && !p->n_tips;
  if (stored) return 0;
  if (!out->err) {
    if (in->prev.seq == 0 && !p->n_tips)
      out->err = OV_E_FOREIGN; /* head(0) of another organisation or writer */
    else out->err = !p->n_tips || in->prev.seq > p->tips[0].head.seq ? OV_E_GAP : OV_E_BRANCH;
  }
  return place_answer(g, p, out);
}

static int find_stored(ingest *g, const ov_op *op, const ov_hash *head, sv_op_row *row, bool *clash) {
  ov_arena_reset(&g->look);
  int err = sv_op_get(g->t, &op->name, &g->look, row);
  *clash = !err && memcmp(row->head.b, head->b, OV_HASH_BYTES) != 0;
  return err;
}

/* One op that is stored already: its first answer stands. A payload that comes after its void fills it,
 * unless its participant was erased. */
static int mark_duplicate(ingest *g, const ov_op *op, const sv_op_row *row, judged *j) {
  ov_verdict v;
  j->duplicate = true;
  j->time_ms = g->now_ms;
  if (row->n_receipts) {
    j->time_ms = row->receipts[0].server_time_ms;
    j->offset_ms = row->receipts[0].offset_ms;
  }
  int err = sv_verdict(g->t, row, &g->look, &v, &j->reason);
  j->verdict = (uint8_t)v;
  if (err || op->is_void || op->has_commitment || op->payload_err) return err;
  if (!row->op.is_void && !row->erased) return 0;
  j->fills = !ingest_about_erased(g, op);
  return 0;
}

/* PROTO-54 */
int place_duplicates(ingest *g, const sv_push_in *in, place *p, const ov_hash *heads, judged *j,
                     sv_push_out *out) {
  uint32_t i = 0, n = g->n_chained;
  for (; i < n && !p->new_log && !p->at_tip; i++) {
    sv_op_row row;
    bool clash = false;
    int err = find_stored(g, &g->ops[i], &heads[i + 1], &row, &clash);
    if (err == OV_E_NOTFOUND) break;
    if (!err && clash) {
      /* Two heads of one seq with the same four tag bytes: only made on purpose. Nothing may be stored over
       * another op. */
      out->err = OV_E_BRANCH;
      return place_answer(g, p, out);
    }
    if (!err) err = mark_duplicate(g, &g->ops[i], &row, &j[i]);
    if (err) return err;
  }
  g->new_from = i;
  if (p->new_log || p->at_tip) return 0;
  ov_head last = {.seq = in->push.first_seq + i - 1, .head = heads[i]};
  for (uint32_t k = 0; k < p->n_tips; k++) {
    if (!same_head(&p->tips[k].head, &last)) continue;
    p->at_tip = true;
    p->tip = k;
  }
  if (i == n || p->at_tip) return 0;
  if (p->n_tips >= OV_TIPS_MAX) out->err = OV_E_FLOOD;
  else out->forked = true;
  return 0;
}
