/* ENROL [1, version_min, version_max, code, public key, device name, ...]
 *
 * Like HELLO it is read before a version is agreed, so elements that a later version appends are passed
 * over. */
#include "msg_parts.h"

enum { ENROL_ELEMENTS = 6 };

void ov_enrol_encode(const ov_enrol *m, ov_buf *out) {
  ov_mpw_array(out, ENROL_ELEMENTS);
  ov_mpw_uint(out, OV_M_ENROL);
  ov_mpw_uint(out, m->version_min);
  ov_mpw_uint(out, m->version_max);
  ov_mpw_str(out, m->code, m->code_len);
  ov_mpw_bin(out, m->pubkey, OV_PUBKEY_BYTES);
  ov_mpw_str(out, m->device_name, m->device_name_len);
}

static const char *text_up_to(ov_mcur *c, uint32_t max, uint32_t *n) {
  const uint8_t *s = ov_mpr_str(&c->r, n);
  if (!c->r.err && *n > max) ov_mpr_fail(&c->r, OV_E_LIMIT);
  return (const char *)s;
}

/* PROTO-45 */
void ov_enrol_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_enrol *m = &msg->enrol;
  ov_mcur_versions(c, &m->version_min, &m->version_max);
  ov_mcur_expect(c, count, ENROL_ELEMENTS, UINT16_MAX);
  m->code = text_up_to(c, OV_CODE_TEXT_MAX, &m->code_len);
  ov_mpr_bytes(&c->r, m->pubkey, OV_PUBKEY_BYTES);
  m->device_name = text_up_to(c, OV_DEVICE_NAME_MAX, &m->device_name_len);
  while (ov_mcur_more(c)) ov_mpr_skip(&c->r);
}
