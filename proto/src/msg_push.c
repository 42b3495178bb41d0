/* PUSH [7, first seq, flags, rows, signature, previous head | nil ?, [participant, commit key ...]?] */
#include "msg_parts.h"

enum { PUSH_MUST = 5, PUSH_MOST = 7, PUSH_MORE = 1 };

/* PROTO-50 */
void ov_push_encode(const ov_push *m, ov_buf *out) {
  uint32_t n = m->n_keys ? PUSH_MOST : m->has_prev ? PUSH_MUST + 1 : PUSH_MUST;
  ov_mpw_array(out, n);
  ov_mpw_uint(out, OV_M_PUSH);
  ov_mpw_uint(out, m->first_seq);
  ov_mpw_uint(out, m->more ? PUSH_MORE : 0);
  ov_mpw_bin(out, m->rows, m->rows_len);
  ov_mpw_bin(out, m->sig, OV_SIG_BYTES);
  if (m->has_prev) ov_mpw_bin(out, m->prev.b, OV_HASH_BYTES);
  else if (n > PUSH_MUST) ov_mpw_nil(out);
  if (n < PUSH_MOST) return;
  ov_mpw_array(out, 2 * m->n_keys);
  for (uint32_t i = 0; i < m->n_keys; i++) {
    ov_mpw_name(out, &m->keys[i].participant);
    ov_mpw_bin(out, m->keys[i].key, OV_KEY_BYTES);
  }
}

static void decode_keys(ov_mcur *c, ov_push *m) {
  uint32_t n = ov_mcur_list(c, 2, OV_PUSH_KEYS_MAX);
  m->keys = ov_mcur_alloc(c, n, sizeof *m->keys);
  for (uint32_t i = 0; m->keys && i < n; i++) {
    ov_mpr_name(&c->r, &m->keys[i].participant);
    ov_mpr_bytes(&c->r, m->keys[i].key, OV_KEY_BYTES);
  }
  m->n_keys = m->keys ? n : 0;
}

void ov_push_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_push *m = &msg->push;
  uint32_t rows_len;
  ov_mcur_expect(c, count, PUSH_MUST, PUSH_MOST);
  m->first_seq = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  if (m->first_seq == 0) ov_mpr_fail(&c->r, OV_E_FORMAT);
  m->more = ov_mcur_flags(c, PUSH_MORE) != 0;
  m->rows = ov_mpr_bin(&c->r, &rows_len);
  m->rows_len = rows_len;
  ov_mpr_bytes(&c->r, m->sig, OV_SIG_BYTES);
  if (ov_mcur_more(c) && !ov_mpr_nil(&c->r)) {
    m->has_prev = true;
    ov_mpr_bytes(&c->r, m->prev.b, OV_HASH_BYTES);
  }
  if (ov_mcur_more(c)) decode_keys(c, m);
}

int ov_push_ops(const ov_push *m, const ov_id *writer, const ov_id *server, int64_t base_time, ov_arena *a,
                ov_op **ops, size_t *n) {
  ov_rows_ctx ctx = {.writer = *writer, .first_seq = m->first_seq, .server = *server, .base_time = base_time};
  return ov_rows_decode(&ctx, m->rows, m->rows_len, a, ops, n);
}
