/* ACK [8, up to, head, safe_up_to, [ops, server time ms, offset ms ...], [seq, reason ...],
 *      (refused seq, error)?, signature]
 *
 * The signature is the last element; the server signs every byte before it together with the three ids below,
 * so that an ACK of one log proves nothing about another. Receipts count up: each holds the number of ops
 * since the one before, and its time less the time of the one before; held seqs count up likewise. */
#include "msg_parts.h"

#include <string.h>

enum { ACK_MUST = 7, ACK_MOST = 9 };
static const char SIGNED_ACK[] = "overdracht ack 1";

/* PROTO-35 */
void ov_signed_ack(ov_buf *out, const ov_id *server, const ov_id *organisation, const ov_id *writer,
                   const uint8_t *body, size_t n) {
  ov_buf_put(out, SIGNED_ACK, sizeof SIGNED_ACK); /* its zero byte ends the label, as in chain.c */
  ov_buf_put(out, server->b, OV_ID_BYTES);
  ov_buf_put(out, organisation->b, OV_ID_BYTES);
  ov_buf_put(out, writer->b, OV_ID_BYTES);
  ov_buf_put(out, body, n);
}

static void encode_receipts(const ov_ack *m, ov_buf *out) {
  uint64_t up_to = 0;
  int64_t time = 0;
  ov_mpw_array(out, 3 * m->n_receipts);
  for (uint32_t i = 0; i < m->n_receipts; i++) {
    const ov_ack_receipt *r = &m->receipts[i];
    ov_mpw_uint(out, r->up_to - up_to);
    ov_mpw_int(out, r->server_time_ms - time);
    ov_mpw_int(out, r->offset_ms);
    up_to = r->up_to;
    time = r->server_time_ms;
  }
}

void ov_ack_body(const ov_ack *m, ov_buf *out) {
  ov_mpw_array(out, m->refused ? ACK_MOST : ACK_MUST);
  ov_mpw_uint(out, OV_M_ACK);
  ov_mpw_uint(out, m->up_to);
  ov_mpw_bin(out, m->head.b, OV_HASH_BYTES);
  ov_mpw_uint(out, m->safe_up_to);
  encode_receipts(m, out);
  uint64_t seq = 0;
  ov_mpw_array(out, 2 * m->n_held);
  for (uint32_t i = 0; i < m->n_held; i++) {
    ov_mpw_uint(out, m->held[i].seq - seq);
    ov_mpw_uint(out, m->held[i].reason);
    seq = m->held[i].seq;
  }
  if (m->refused) {
    ov_mpw_uint(out, m->refused_seq);
    ov_mpw_int(out, -m->refused_err);
  }
}

void ov_ack_encode(const uint8_t *body, size_t n, const uint8_t sig[OV_SIG_BYTES], ov_buf *out) {
  ov_buf_put(out, body, n);
  ov_mpw_bin(out, sig, OV_SIG_BYTES);
}

/* Sums stay in range: seqs by the check, times because a lie may not overflow. */
static uint64_t next_seq(ov_mcur *c, uint64_t before) {
  uint64_t step = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  if (step == 0 || step > OV_SEQ_MAX - before) ov_mpr_fail(&c->r, OV_E_FORMAT);
  return c->r.err ? before : before + step;
}

static void decode_receipts(ov_mcur *c, ov_ack *m) {
  uint64_t up_to = 0;
  int64_t time = 0;
  uint32_t n = ov_mcur_list(c, 3, OV_ACK_RECEIPTS_MAX);
  m->receipts = ov_mcur_alloc(c, n, sizeof *m->receipts);
  for (uint32_t i = 0; m->receipts && i < n; i++) {
    up_to = next_seq(c, up_to);
    if (__builtin_add_overflow(time, ov_mpr_int(&c->r), &time) || time < -OV_TIME_S_MAX ||
        time > OV_TIME_S_MAX)
      ov_mpr_fail(&c->r, OV_E_FORMAT);
    m->receipts[i] = (ov_ack_receipt){up_to, time, ov_mcur_time_ms(c)};
  }
  m->n_receipts = m->receipts ? n : 0;
}

static void decode_held(ov_mcur *c, ov_ack *m) {
  uint64_t seq = 0;
  uint32_t n = ov_mcur_list(c, 2, OV_ACK_HELD_MAX);
  m->held = ov_mcur_alloc(c, n, sizeof *m->held);
  for (uint32_t i = 0; m->held && i < n; i++) {
    seq = next_seq(c, seq);
    m->held[i] = (ov_ack_held){seq, (uint8_t)ov_mpr_uint(&c->r, UINT8_MAX)};
  }
  m->n_held = m->held ? n : 0;
}

void ov_ack_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_ack *m = &msg->ack;
  ov_mcur_expect(c, count, ACK_MUST, ACK_MOST);
  m->refused = count == ACK_MOST;
  if (count == ACK_MUST + 1) ov_mpr_fail(&c->r, OV_E_FORMAT);
  m->up_to = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  ov_mpr_bytes(&c->r, m->head.b, OV_HASH_BYTES);
  m->safe_up_to = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  decode_receipts(c, m);
  decode_held(c, m);
  if (m->refused) {
    m->refused_seq = ov_mpr_uint(&c->r, OV_SEQ_MAX);
    m->refused_err = ov_mcur_err(c);
  }
  m->body = c->start;
  m->body_len = (size_t)(c->r.p - c->start);
  ov_mpr_bytes(&c->r, m->sig, OV_SIG_BYTES);
}
