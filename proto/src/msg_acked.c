/* ACKED [10, [scope, pos ...]]: what the client has stored; renews the server's credit for DELTA frames.
 * SYNCED [13]: the server has sent everything there was. */
#include "msg_parts.h"

void ov_acked_encode(const ov_acked *m, ov_buf *out) {
  ov_mpw_array(out, 2);
  ov_mpw_uint(out, OV_M_ACKED);
  ov_mpw_array(out, 2 * m->n_cursors);
  for (uint32_t i = 0; i < m->n_cursors; i++) {
    ov_mpw_uint(out, m->cursors[i].scope);
    ov_mpw_uint(out, m->cursors[i].pos);
  }
}

void ov_acked_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_acked *m = &msg->acked;
  ov_mcur_expect(c, count, 2, 2);
  uint32_t n = ov_mcur_list(c, 2, OV_SCOPES_MAX);
  m->cursors = ov_mcur_alloc(c, n, sizeof *m->cursors);
  for (uint32_t i = 0; m->cursors && i < n; i++) {
    m->cursors[i].scope = (uint32_t)ov_mpr_uint(&c->r, UINT32_MAX);
    m->cursors[i].pos = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  }
  m->n_cursors = m->cursors ? n : 0;
}

void ov_synced_encode(ov_buf *out) {
  ov_mpw_array(out, 1);
  ov_mpw_uint(out, OV_M_SYNCED);
}

void ov_synced_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  (void)msg;
  ov_mcur_expect(c, count, 1, 1);
}
