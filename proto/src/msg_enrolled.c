/* ENROLLED [2, version, device, organisation, server, server public key, device record,
 *           [scope, commit key ...], time ms, zone, pin?] */
#include "msg_parts.h"

enum { ENROLLED_MUST = 10, ENROLLED_MOST = 11, ZONE_BYTES_MAX = 64 };

void ov_enrolled_encode(const ov_enrolled *m, ov_buf *out) {
  ov_mpw_array(out, m->has_pin ? ENROLLED_MOST : ENROLLED_MUST);
  ov_mpw_uint(out, OV_M_ENROLLED);
  ov_mpw_uint(out, m->version);
  ov_part_id(out, &m->device);
  ov_part_id(out, &m->organisation);
  ov_part_id(out, &m->server);
  ov_mpw_bin(out, m->server_pubkey, OV_PUBKEY_BYTES);
  ov_mpw_name(out, &m->device_record);
  ov_mpw_array(out, 2 * m->n_scopes);
  for (uint32_t i = 0; i < m->n_scopes; i++) {
    ov_mpw_uint(out, m->scopes[i].scope);
    ov_mpw_bin(out, m->scopes[i].key, OV_KEY_BYTES);
  }
  ov_mpw_int(out, m->time_ms);
  ov_mpw_str(out, m->zone, m->zone_len);
  if (m->has_pin) ov_mpw_bin(out, m->pin, OV_HASH_BYTES);
}

static void decode_scope_keys(ov_mcur *c, ov_enrolled *m) {
  uint32_t n = ov_mcur_list(c, 2, OV_SCOPES_MAX);
  m->scopes = ov_mcur_alloc(c, n, sizeof *m->scopes);
  for (uint32_t i = 0; m->scopes && i < n; i++) {
    m->scopes[i].scope = (uint32_t)ov_mpr_uint(&c->r, UINT32_MAX);
    ov_mpr_bytes(&c->r, m->scopes[i].key, OV_KEY_BYTES);
  }
  m->n_scopes = m->scopes ? n : 0;
}

void ov_enrolled_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_enrolled *m = &msg->enrolled;
  ov_mcur_expect(c, count, ENROLLED_MUST, ENROLLED_MOST);
  m->version = (uint32_t)ov_mpr_uint(&c->r, UINT16_MAX);
  ov_mcur_id(c, &m->device);
  ov_mcur_id(c, &m->organisation);
  ov_mcur_id(c, &m->server);
  ov_mpr_bytes(&c->r, m->server_pubkey, OV_PUBKEY_BYTES);
  ov_mpr_name(&c->r, &m->device_record);
  decode_scope_keys(c, m);
  m->time_ms = ov_mcur_time_ms(c);
  m->zone = (const char *)ov_mpr_str(&c->r, &m->zone_len);
  if (m->zone_len > ZONE_BYTES_MAX) ov_mpr_fail(&c->r, OV_E_LIMIT);
  m->has_pin = ov_mcur_more(c);
  if (m->has_pin) ov_mpr_bytes(&c->r, m->pin, OV_HASH_BYTES);
}
