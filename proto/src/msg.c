/* Dispatch of the messages; each stands with both its directions in a file of its own (msg_hello.c ...). */
#include "msg_parts.h"

#include <string.h>

static ov_msg_decoder *const decoders[OV_M_COUNT] = {
    [OV_M_ENROL] = ov_enrol_decode,
    [OV_M_ENROLLED] = ov_enrolled_decode,
    [OV_M_HELLO] = ov_hello_decode,
    [OV_M_WELCOME] = ov_welcome_decode,
    [OV_M_CHALLENGE] = ov_challenge_decode,
    [OV_M_PROOF] = ov_proof_decode,
    [OV_M_PUSH] = ov_push_decode,
    [OV_M_ACK] = ov_ack_decode,
    [OV_M_DELTA] = ov_delta_decode,
    [OV_M_ACKED] = ov_acked_decode,
    [OV_M_BYE] = ov_bye_decode,
    [OV_M_ERROR] = ov_error_decode,
    [OV_M_SYNCED] = ov_synced_decode,
};

/* A message starts with an array header (fixarray or array16) and a positive fixint. */
ov_msg_type ov_msg_peek_type(const uint8_t *p, size_t n) {
  size_t at = n > 0 && (p[0] & 0xf0u) == 0x90u ? 1 : n > 0 && p[0] == 0xdcu ? 3 : 0;
  if (at == 0 || at >= n || p[at] == 0 || p[at] >= OV_M_COUNT) return (ov_msg_type)0;
  return (ov_msg_type)p[at];
}

/* PROTO-11, PROTO-12, PROTO-13 */
int ov_msg_decode(const uint8_t *p, size_t n, const ov_rows_ctx *ctx, ov_arena *a, ov_msg *out) {
  ov_mcur c = {.start = p, .arena = a, .ctx = ctx};
  memset(out, 0, sizeof *out);
  ov_mpr_init(&c.r, p, n);
  c.r.shortest = true;
  uint32_t count = ov_mpr_array(&c.r);
  int64_t type = ov_mpr_int_in(&c.r, 1, OV_M_COUNT - 1);
  if (c.r.err) return c.r.err;
  out->type = (ov_msg_type)type;
  decoders[type](&c, count, out);
  return ov_mpr_done(&c.r);
}
