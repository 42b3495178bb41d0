/* CHALLENGE [5, nonce, time ms] and its answer PROOF [6, signature]: the device proves that it is there now,
 * when its clock or the server's memory of nonces cannot show that its HELLO is fresh. */
#include "msg_parts.h"

void ov_challenge_encode(const ov_challenge *m, ov_buf *out) {
  ov_mpw_array(out, 3);
  ov_mpw_uint(out, OV_M_CHALLENGE);
  ov_mpw_bin(out, m->nonce, sizeof m->nonce);
  ov_mpw_int(out, m->time_ms);
}

void ov_challenge_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_mcur_expect(c, count, 3, 3);
  ov_mpr_bytes(&c->r, msg->challenge.nonce, sizeof msg->challenge.nonce);
  msg->challenge.time_ms = ov_mcur_time_ms(c);
}

void ov_proof_encode(const ov_proof *m, ov_buf *out) {
  ov_mpw_array(out, 2);
  ov_mpw_uint(out, OV_M_PROOF);
  ov_mpw_bin(out, m->sig, OV_SIG_BYTES);
}

void ov_proof_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_mcur_expect(c, count, 2, 2);
  ov_mpr_bytes(&c->r, msg->proof.sig, OV_SIG_BYTES);
}
