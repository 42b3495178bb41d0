/* HELLO [3, version_min, version_max, device, writer, own seq, own head, server | nil,
 *        [scope, pos, hash ...], time ms, nonce, flags, credit, frame bytes, ..., signature]
 *
 * The signature is the last element and covers every byte before it, the array header included. Elements that
 * a later version puts before the signature are passed over. */
#include "msg_parts.h"

enum { HELLO_ELEMENTS = 15, HELLO_LIVE = 1, HELLO_PUSH = 2, HELLO_CLOSED = 4 };

void ov_hello_body(const ov_hello *m, ov_buf *out) {
  ov_mpw_array(out, HELLO_ELEMENTS);
  ov_mpw_uint(out, OV_M_HELLO);
  ov_mpw_uint(out, m->version_min);
  ov_mpw_uint(out, m->version_max);
  ov_part_id(out, &m->device);
  ov_part_id(out, &m->writer);
  ov_mpw_uint(out, m->own.seq);
  ov_mpw_bin(out, m->own.head.b, OV_HASH_BYTES);
  if (ov_id_is_zero(&m->server)) ov_mpw_nil(out);
  else ov_part_id(out, &m->server);
  ov_mpw_array(out, 3 * m->n_cursors);
  for (uint32_t i = 0; i < m->n_cursors; i++) {
    ov_mpw_uint(out, m->cursors[i].scope);
    ov_mpw_uint(out, m->cursors[i].pos);
    ov_mpw_bin(out, m->cursors[i].hash, OV_POSHASH_BYTES);
  }
  ov_mpw_int(out, m->time_ms);
  ov_mpw_bin(out, m->nonce, sizeof m->nonce);
  ov_mpw_uint(out, (m->wants == OV_WANTS_LIVE ? HELLO_LIVE : 0u) | (m->push_follows ? HELLO_PUSH : 0u) |
                       (m->closed ? HELLO_CLOSED : 0u));
  ov_part_default(out, m->credit, OV_CREDIT_DEFAULT);
  ov_part_default(out, m->frame_bytes, OV_FRAME_BYTES_DEFAULT);
}

void ov_hello_encode(const uint8_t *body, size_t n, const uint8_t sig[OV_SIG_BYTES], ov_buf *out) {
  ov_buf_put(out, body, n);
  ov_mpw_bin(out, sig, OV_SIG_BYTES);
}

static void decode_cursors(ov_mcur *c, ov_hello *m) {
  uint32_t n = ov_mcur_list(c, 3, OV_SCOPES_MAX);
  m->cursors = ov_mcur_alloc(c, n, sizeof *m->cursors);
  for (uint32_t i = 0; m->cursors && i < n; i++) {
    m->cursors[i].scope = (uint32_t)ov_mpr_uint(&c->r, UINT32_MAX);
    m->cursors[i].pos = ov_mpr_uint(&c->r, OV_SEQ_MAX);
    ov_mpr_bytes(&c->r, m->cursors[i].hash, OV_POSHASH_BYTES);
  }
  m->n_cursors = m->cursors ? n : 0;
}

/* PROTO-35, PROTO-45 */
void ov_hello_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_hello *m = &msg->hello;
  ov_mcur_versions(c, &m->version_min, &m->version_max);
  ov_mcur_expect(c, count, HELLO_ELEMENTS, UINT16_MAX);
  ov_mcur_id(c, &m->device);
  ov_mcur_id(c, &m->writer);
  m->own.seq = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  ov_mpr_bytes(&c->r, m->own.head.b, OV_HASH_BYTES);
  if (!ov_mpr_nil(&c->r)) ov_mcur_id(c, &m->server);
  decode_cursors(c, m);
  m->time_ms = ov_mcur_time_ms(c);
  ov_mpr_bytes(&c->r, m->nonce, sizeof m->nonce);
  uint32_t flags = ov_mcur_flags(c, HELLO_LIVE | HELLO_PUSH | HELLO_CLOSED);
  m->wants = flags & HELLO_LIVE ? OV_WANTS_LIVE : OV_WANTS_ONCE;
  m->push_follows = (flags & HELLO_PUSH) != 0;
  m->closed = (flags & HELLO_CLOSED) != 0;
  m->credit = ov_mcur_default(c, 1, OV_CREDIT_MAX, OV_CREDIT_DEFAULT);
  m->frame_bytes = ov_mcur_default(c, OV_FRAME_BYTES_MIN, OV_FRAME_BYTES_MAX, OV_FRAME_BYTES_DEFAULT);
  while (ov_mcur_more(c)) ov_mpr_skip(&c->r);
  m->body = c->start;
  m->body_len = (size_t)(c->r.p - c->start);
  ov_mpr_bytes(&c->r, m->sig, OV_SIG_BYTES);
}
