/* BYE [11, reason?, retry s?]: the sender sends nothing more. reason 0: all that was asked for has been done.
 */
#include "msg_parts.h"

void ov_bye_encode(const ov_bye *m, ov_buf *out) {
  uint32_t n = m->retry_s ? 3 : m->reason ? 2 : 1;
  ov_mpw_array(out, n);
  ov_mpw_uint(out, OV_M_BYE);
  if (n > 1) ov_mpw_int(out, -m->reason);
  if (n > 2) ov_mpw_uint(out, m->retry_s);
}

void ov_bye_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_mcur_expect(c, count, 1, 3);
  if (ov_mcur_more(c)) msg->bye.reason = (int)-ov_mpr_int_in(&c->r, 0, 99);
  if (ov_mcur_more(c)) msg->bye.retry_s = (uint32_t)ov_mpr_uint(&c->r, UINT32_MAX);
}
