/* A push from a device: everything is read, checked and judged first; then it is written. */
#include <string.h>

#include "ingest_priv.h"
#include "sv_ladder.h"

/* One push under way, beside the context. */
typedef struct push {
  const sv_push_in *in;
  sv_push_out *out;
  ov_op *ops;
  uint32_t n;
  ov_hash *heads; /* n + 1 */
  judged *j;
  place place;
  used_keys keys;
  bool new_device; /* its row is to be written */
} push;

/* The programme knows a device that the organisation's store does not, when that was put back to a time
 * before the device enrolled. Its ops are taken all the same (PROTO-123), and held until an administrator has
 * given it a team again. */
static int know_again(ingest *g, push *p) {
  g->device = p->in->device;
  g->device.n_teams = 0;
  if (!ov_id_equal(&g->device.organisation, &g->org->id)) return OV_E_NOTFOUND;
  ov_arena_reset(&g->look);
  p->new_device = true;
  return sv_device_record_teams(g->t, &g->device.record, &g->look, g->device.teams, &g->device.n_teams);
}

static int find_device(ingest *g, push *p) {
  int err = sv_device_get(g->t, &p->in->device.id, &g->device);
  if (err == OV_E_NOTFOUND) err = know_again(g, p);
  if (err && err != OV_E_NOTFOUND) return err;
  if (err) p->out->err = OV_E_AUTH;
  else if (!ov_id_equal(&g->device.organisation, &g->org->id)) p->out->err = OV_E_FOREIGN;
  /* The programme remembers a revocation that the organisation's restored backup does not know of. */
  if (!err && p->in->device.revoked) g->device.revoked = true;
  p->out->revoked = !err && sv_device_ended(&g->device, g->now_ms);
  if (p->out->revoked && !p->out->err && g->device.quarantined >= SV_QUARANTINE_OPS_MAX)
    p->out->err = OV_E_REVOKED;
  return 0;
}

static int decode(ingest *g, push *p) {
  const ov_push *m = &p->in->push;
  size_t n = 0;
  if (m->first_seq < 1 || m->first_seq > OV_SEQ_MAX - OV_FRAME_ROWS_MAX) {
    p->out->err = OV_E_FORMAT;
    return 0;
  }
  int err = ov_push_ops(m, &p->in->writer, &p->in->rows_server, p->in->base_time, g->a, &p->ops, &n);
  if (err == OV_E_NOMEM) err = OV_E_BUSY; /* the batch's memory is used up; the next one has its own */
  p->out->err = err;
  p->n = (uint32_t)n;
  if (err) return 0;
  p->heads = ov_arena_array(g->a, n + 1, sizeof *p->heads);
  p->j = ov_arena_array(g->a, n + 1, sizeof *p->j);
  if (!p->heads || !p->j) p->out->err = OV_E_BUSY;
  return 0;
}

/* The first op that is structurally broken; the chain over it is fine, since it covers the bytes as they
 * came. PROTO-84 */
static uint32_t taken(push *p, uint32_t from) {
  for (uint32_t i = from; i < p->n; i++) {
    int err = p->ops[i].payload_err ? p->ops[i].payload_err : ov_op_validate(&p->ops[i]);
    if (!err) continue;
    p->out->refused_seq = p->in->push.first_seq + i;
    p->out->refused_err = p->out->err = err;
    return i;
  }
  return p->n;
}

/* Judges what will be stored. g->n_taken runs along, so that an op sees those before it as known. */
static int judge_all(ingest *g, push *p) {
  uint32_t end = taken(p, g->new_from);
  uint64_t waiting = 0, waits = 0;
  int err = 0;
  g->verdicts = p->j;
  for (uint32_t i = 0; i < end && !err; i++) {
    if (i < g->new_from) {
      g->n_taken = i + 1;
      if (p->j[i].fills) err = judge_op(g, &p->ops[i], &g->device, &p->j[i]);
    } else {
      p->j[i].time_ms = g->now_ms;
      p->j[i].offset_ms = p->in->offset_ms;
      err = judge_op(g, &p->ops[i], &g->device, &p->j[i]);
      g->n_taken = i + 1;
    }
    waits += p->j[i].waits;
  }
  g->n_taken = end;
  if (!err && waits) err = sv_waiting_count(g->t, &waiting);
  if (!err && waits && waiting + waits > SV_WAITING_MAX) {
    p->out->err = OV_E_BUSY;
    p->out->refused_err = 0;
    p->out->refused_seq = 0;
  }
  return err;
}

static const uint8_t *prev_tag(const push *p, uint32_t i) {
  static const uint8_t none[OV_TAG_BYTES];
  return p->in->push.first_seq + i == 1 ? none : p->heads[i].b;
}

static void write_all(ingest *g, push *p) {
  sv_push_out *out = p->out;
  bool ended = sv_device_ended(&g->device, g->now_ms);
  if (ended) g->device.quarantined += g->n_taken - (g->new_from < g->n_taken ? g->new_from : g->n_taken);
  if (p->new_device || ended) sv_device_put(g->t, &g->device);
  for (uint32_t i = 0; i < g->n_taken; i++) {
    judged *j = &p->j[i];
    store_in s = {.op = &p->ops[i],
                  .head = &p->heads[i + 1],
                  .prev_tag = prev_tag(p, i),
                  .j = j,
                  .offset_ms = p->in->offset_ms};
    if (i + 1 == p->n) s.sig = p->in->push.sig;
    if (j->fills) store_fill(g, &s);
    else if (i < g->new_from) store_offered_again(g, &p->ops[i]);
    if (i < g->new_from) continue;
    store_op(g, &s);
  }
  out->duplicates = g->new_from < g->n_taken ? g->new_from : g->n_taken;
  out->stored = g->n_taken - out->duplicates;
  if (out->stored) {
    const sv_tip *old = p->place.at_tip ? &p->place.tips[p->place.tip] : NULL;
    sv_tip tip = {.writer = p->in->writer, .device = g->device.id, .safe_seq = old ? old->safe_seq : 0};
    tip.head = (ov_head){.seq = p->in->push.first_seq + g->n_taken - 1, .head = p->heads[g->n_taken]};
    sv_tip_put(g->t, old ? &old->head.head : NULL, &tip);
  }
  chain_keep_keys(g, &p->keys, g->new_from, g->n_taken);
}

/* PROTO-88 */
static void add_held(sv_push_out *out, uint64_t seq, const judged *j) {
  if (j->verdict != OV_HELD || out->n_held == OV_ACK_HELD_MAX) return;
  out->held[out->n_held++] = (ov_ack_held){.seq = seq, .reason = j->reason};
}

/* Runs of ops with one receipt. Should there be more runs than an ACK holds, it ends there: the client offers
 * the rest again. */
static void answer(ingest *g, push *p) {
  sv_push_out *out = p->out;
  uint32_t i = 0;
  for (; i < g->n_taken; i++) {
    const judged *j = &p->j[i];
    ov_ack_receipt *last = out->n_receipts ? &out->receipts[out->n_receipts - 1] : NULL;
    bool same = last && last->server_time_ms == j->time_ms && last->offset_ms == j->offset_ms;
    if (!same && out->n_receipts == OV_ACK_RECEIPTS_MAX) break;
    if (!same) {
      last = &out->receipts[out->n_receipts++];
      *last = (ov_ack_receipt){.server_time_ms = j->time_ms, .offset_ms = j->offset_ms};
    }
    last->up_to = p->in->push.first_seq + i;
    add_held(out, last->up_to, j);
  }
  out->up_to = p->in->push.first_seq + i - 1;
  out->head = p->heads[i];
  for (uint32_t k = 0; k < p->place.n_tips; k++) { /* inside some branch: what is safe of each of them */
    const sv_tip *t = &p->place.tips[k];
    bool least = !out->forked && (k == 0 || t->safe_seq < out->safe_up_to);
    if (p->place.at_tip ? k == p->place.tip : least) out->safe_up_to = t->safe_seq;
  }
}

/* PROTO-52 */
static int run(ingest *g, push *p) {
  sv_push_out *out = p->out;
  int err = find_device(g, p);
  if (!err && !out->err) err = place_push(g, p->in, &p->place, out);
  if (!err && !out->err) err = decode(g, p);
  if (!err && !out->err) err = chain_push(g, p->in, p->ops, p->n, p->heads, &p->keys, out);
  if (err || out->err) return err;
  g->ops = p->ops;
  g->n_chained = p->n;
  g->first_seq = p->in->push.first_seq;
  err = place_duplicates(g, p->in, &p->place, p->heads, p->j, out);
  if (!err && !out->err) err = judge_all(g, p);
  if (err || (out->err && !out->refused_err)) return err;
  write_all(g, p);
  audit_push(g, p->in, p->ops, p->j);
  wait_release(g);
  fold_changed(g);
  answer(g, p);
  return 0;
}

int sv_ingest_push(sv_txn *t, sv_org *org, const sv_push_in *in, ov_arena *a, sv_push_out *out) {
  ingest g;
  push p = {.in = in, .out = out};
  memset(out, 0, sizeof *out);
  int err = ingest_begin(&g, t, org, a, &out->touches);
  if (!err) err = run(&g, &p);
  ingest_end(&g);
  if (sv_txn_error(t)) return sv_txn_error(t);
  if (err) sv_txn_fail(t, err); /* half of it may be written */
  return err;
}
