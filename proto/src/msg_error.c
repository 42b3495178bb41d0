/* ERROR [12, error, seq?, retry s?, text?, [seq, head ...]?, [seq, first 8 bytes of head ...]?,
 *        [name ...]?] */
#include "msg_parts.h"

enum { ERROR_MUST = 2, ERROR_MOST = 8 };

static uint32_t elements(const ov_error *m) {
  if (m->n_names) return 8;
  if (m->n_ladder) return 7;
  if (m->n_tips) return 6;
  if (m->text_len) return 5;
  if (m->retry_s) return 4;
  return m->seq ? 3 : ERROR_MUST;
}

void ov_error_encode(const ov_error *m, ov_buf *out) {
  uint32_t n = elements(m);
  ov_mpw_array(out, n);
  ov_mpw_uint(out, OV_M_ERROR);
  ov_mpw_int(out, -m->err);
  if (n > 2) ov_mpw_uint(out, m->seq);
  if (n > 3) ov_mpw_uint(out, m->retry_s);
  if (n > 4) ov_mpw_str(out, m->text, m->text_len);
  if (n > 5) ov_part_heads(out, m->tips, m->n_tips);
  if (n > 6) ov_part_ladder(out, m->ladder, m->n_ladder);
  if (n > 7) ov_part_names(out, m->names, m->n_names);
}

void ov_error_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_error *m = &msg->error;
  ov_mcur_expect(c, count, ERROR_MUST, ERROR_MOST);
  m->err = ov_mcur_err(c);
  if (ov_mcur_more(c)) m->seq = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  if (ov_mcur_more(c)) m->retry_s = (uint32_t)ov_mpr_uint(&c->r, UINT32_MAX);
  if (ov_mcur_more(c)) m->text = (const char *)ov_mpr_str(&c->r, &m->text_len);
  if (m->text_len > OV_ERROR_TEXT_MAX) ov_mpr_fail(&c->r, OV_E_LIMIT);
  if (ov_mcur_more(c)) m->tips = ov_mcur_heads(c, &m->n_tips);
  if (ov_mcur_more(c)) m->ladder = ov_mcur_ladder(c, &m->n_ladder);
  if (ov_mcur_more(c)) m->names = ov_mcur_names(c, OV_PUSH_KEYS_MAX, &m->n_names);
}
