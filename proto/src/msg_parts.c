#include "msg_parts.h"

/* PROTO-15 */
void ov_mcur_expect(ov_mcur *c, uint32_t count, uint32_t must, uint32_t most) {
  if (count < must || count > most) ov_mpr_fail(&c->r, OV_E_FORMAT);
  else c->left = count - must;
}

bool ov_mcur_more(ov_mcur *c) {
  if (c->r.err || c->left == 0) return false;
  c->left--;
  return true;
}

/* PROTO-16 */
uint32_t ov_mcur_list(ov_mcur *c, uint32_t per, uint32_t max) {
  uint32_t n = ov_mpr_array(&c->r);
  if (n % per) ov_mpr_fail(&c->r, OV_E_FORMAT);
  else if (n / per > max) ov_mpr_fail(&c->r, OV_E_LIMIT);
  return c->r.err ? 0 : n / per;
}

void *ov_mcur_alloc(ov_mcur *c, uint32_t n, size_t size) {
  if (n == 0 || c->r.err) return NULL;
  void *p = ov_arena_array(c->arena, n, size);
  if (!p) ov_mpr_fail(&c->r, OV_E_NOMEM);
  return p;
}

int ov_mcur_err(ov_mcur *c) { return (int)-ov_mpr_int_in(&c->r, 1, 99); }

void ov_mcur_id(ov_mcur *c, ov_id *out) { ov_mpr_bytes(&c->r, out->b, OV_ID_BYTES); }

/* PROTO-21 */
int64_t ov_mcur_time_ms(ov_mcur *c) { return ov_mpr_int_in(&c->r, -OV_TIME_S_MAX, OV_TIME_S_MAX); }

uint32_t ov_mcur_flags(ov_mcur *c, uint32_t known) { return (uint32_t)ov_mpr_uint(&c->r, known); }

void ov_part_id(ov_buf *out, const ov_id *id) { ov_mpw_bin(out, id->b, OV_ID_BYTES); }

void ov_part_default(ov_buf *out, uint32_t v, uint32_t dflt) { ov_mpw_uint(out, v == dflt ? 0 : v); }

uint32_t ov_mcur_default(ov_mcur *c, uint32_t lo, uint32_t hi, uint32_t dflt) {
  uint32_t v = (uint32_t)ov_mpr_uint(&c->r, hi);
  if (v == 0) return dflt;
  if (v < lo) ov_mpr_fail(&c->r, OV_E_FORMAT);
  return v;
}

void ov_part_heads(ov_buf *out, const ov_head *h, uint32_t n) {
  ov_mpw_array(out, 2 * n);
  for (uint32_t i = 0; i < n; i++) {
    ov_mpw_uint(out, h[i].seq);
    ov_mpw_bin(out, h[i].head.b, OV_HASH_BYTES);
  }
}

ov_head *ov_mcur_heads(ov_mcur *c, uint32_t *n) {
  uint32_t count = ov_mcur_list(c, 2, OV_TIPS_MAX);
  ov_head *h = ov_mcur_alloc(c, count, sizeof *h);
  for (uint32_t i = 0; h && i < count; i++) {
    h[i].seq = ov_mpr_uint(&c->r, OV_SEQ_MAX);
    ov_mpr_bytes(&c->r, h[i].head.b, OV_HASH_BYTES);
  }
  *n = h ? count : 0;
  return h;
}

void ov_part_ladder(ov_buf *out, const ov_rung *r, uint32_t n) {
  ov_mpw_array(out, 2 * n);
  for (uint32_t i = 0; i < n; i++) {
    ov_mpw_uint(out, r[i].seq);
    ov_mpw_bin(out, r[i].head, sizeof r[i].head);
  }
}

ov_rung *ov_mcur_ladder(ov_mcur *c, uint32_t *n) {
  uint32_t count = ov_mcur_list(c, 2, OV_LADDER_MAX);
  ov_rung *r = ov_mcur_alloc(c, count, sizeof *r);
  for (uint32_t i = 0; r && i < count; i++) {
    r[i].seq = ov_mpr_uint(&c->r, OV_SEQ_MAX);
    ov_mpr_bytes(&c->r, r[i].head, sizeof r[i].head);
  }
  *n = r ? count : 0;
  return r;
}

void ov_part_names(ov_buf *out, const ov_name *names, uint32_t n) {
  ov_mpw_array(out, n);
  for (uint32_t i = 0; i < n; i++) ov_mpw_name(out, &names[i]);
}

ov_name *ov_mcur_names(ov_mcur *c, uint32_t max, uint32_t *n) {
  uint32_t count = ov_mcur_list(c, 1, max);
  ov_name *names = ov_mcur_alloc(c, count, sizeof *names);
  for (uint32_t i = 0; names && i < count; i++) ov_mpr_name(&c->r, &names[i]);
  *n = names ? count : 0;
  return names;
}

/* PROTO-44, PROTO-45 */
void ov_mcur_versions(ov_mcur *c, uint32_t *lo, uint32_t *hi) {
  *lo = (uint32_t)ov_mpr_uint(&c->r, UINT16_MAX);
  *hi = (uint32_t)ov_mpr_uint(&c->r, UINT16_MAX);
  if (c->r.err) return;
  if (*lo > *hi) ov_mpr_fail(&c->r, OV_E_FORMAT);
  else if (*lo > OV_PROTOCOL_VERSION || *hi < OV_PROTOCOL_VERSION) ov_mpr_fail(&c->r, OV_E_VERSION);
}
