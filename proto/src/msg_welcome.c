/* WELCOME [4, version, server, time ms, own, safe_up_to?, [scope, state ...]?, frame bytes?, credit?,
 *          retry s?, [seq, head ...]?, [seq, first 8 bytes of head ...]?, strict?, share?]
 *
 * Elements at the end that have their default value are left out: who is up to date gets 35 bytes. */
#include "msg_parts.h"

enum { WELCOME_MUST = 5, WELCOME_MOST = 14 };

static bool differs(uint32_t v, uint32_t dflt) { return v != 0 && v != dflt; }

static uint32_t elements(const ov_welcome *m) {
  if (m->has_share) return 14;
  if (m->strict) return 13;
  if (m->n_ladder) return 12;
  if (m->n_tips) return 11;
  if (m->retry_s) return 10;
  if (differs(m->credit, OV_CREDIT_DEFAULT)) return 9;
  if (differs(m->frame_bytes, OV_FRAME_BYTES_DEFAULT)) return 8;
  if (m->n_scopes) return 7;
  return m->safe_up_to ? 6 : WELCOME_MUST;
}

static void encode_scopes(const ov_welcome *m, ov_buf *out) {
  ov_mpw_array(out, 2 * m->n_scopes);
  for (uint32_t i = 0; i < m->n_scopes; i++) {
    ov_mpw_uint(out, m->scopes[i].scope);
    ov_mpw_uint(out, (uint64_t)m->scopes[i].state);
  }
}

void ov_welcome_encode(const ov_welcome *m, ov_buf *out) {
  uint32_t n = elements(m);
  ov_mpw_array(out, n);
  ov_mpw_uint(out, OV_M_WELCOME);
  ov_mpw_uint(out, m->version);
  ov_part_id(out, &m->server);
  ov_mpw_int(out, m->time_ms);
  ov_mpw_uint(out, (uint64_t)m->own);
  if (n > 5) ov_mpw_uint(out, m->safe_up_to);
  if (n > 6) encode_scopes(m, out);
  if (n > 7) ov_part_default(out, m->frame_bytes, OV_FRAME_BYTES_DEFAULT);
  if (n > 8) ov_part_default(out, m->credit, OV_CREDIT_DEFAULT);
  if (n > 9) ov_mpw_uint(out, m->retry_s);
  if (n > 10) ov_part_heads(out, m->tips, m->n_tips);
  if (n > 11) ov_part_ladder(out, m->ladder, m->n_ladder);
  if (n > 12) ov_mpw_uint(out, m->strict);
  if (n > 13) ov_mpw_bin(out, m->share, OV_KEY_BYTES);
}

/* As many scopes may have come as have gone. */
static void decode_scopes(ov_mcur *c, ov_welcome *m) {
  uint32_t n = ov_mcur_list(c, 2, 2 * OV_SCOPES_MAX);
  m->scopes = ov_mcur_alloc(c, n, sizeof *m->scopes);
  for (uint32_t i = 0; m->scopes && i < n; i++) {
    m->scopes[i].scope = (uint32_t)ov_mpr_uint(&c->r, UINT32_MAX);
    m->scopes[i].state = (ov_scope_state)ov_mpr_uint(&c->r, OV_SCOPE_GONE);
  }
  m->n_scopes = m->scopes ? n : 0;
}

void ov_welcome_decode(ov_mcur *c, uint32_t count, ov_msg *msg) {
  ov_welcome *m = &msg->welcome;
  ov_mcur_expect(c, count, WELCOME_MUST, WELCOME_MOST);
  m->version = (uint32_t)ov_mpr_uint(&c->r, UINT16_MAX);
  ov_mcur_id(c, &m->server);
  m->time_ms = ov_mcur_time_ms(c);
  m->own = (ov_own)ov_mpr_uint(&c->r, OV_OWN_LADDER);
  m->frame_bytes = OV_FRAME_BYTES_DEFAULT;
  m->credit = OV_CREDIT_DEFAULT;
  if (ov_mcur_more(c)) m->safe_up_to = ov_mpr_uint(&c->r, OV_SEQ_MAX);
  if (ov_mcur_more(c)) decode_scopes(c, m);
  if (ov_mcur_more(c))
    m->frame_bytes = ov_mcur_default(c, OV_FRAME_BYTES_MIN, OV_FRAME_BYTES_MAX, OV_FRAME_BYTES_DEFAULT);
  if (ov_mcur_more(c)) m->credit = ov_mcur_default(c, 1, OV_CREDIT_MAX, OV_CREDIT_DEFAULT);
  if (ov_mcur_more(c)) m->retry_s = (uint32_t)ov_mpr_uint(&c->r, UINT32_MAX);
  if (ov_mcur_more(c)) m->tips = ov_mcur_heads(c, &m->n_tips);
  if (ov_mcur_more(c)) m->ladder = ov_mcur_ladder(c, &m->n_ladder);
  if (ov_mcur_more(c)) m->strict = ov_mpr_uint(&c->r, 1) != 0;
  if ((m->has_share = ov_mcur_more(c))) ov_mpr_bytes(&c->r, m->share, OV_KEY_BYTES);
}
