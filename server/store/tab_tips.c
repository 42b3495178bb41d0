/* Writers: one row per branch tip, so that a log which was cloned costs more and all others one row. */
#include <stdlib.h>
#include <string.h>

#include "tables.h"

int sv_tip_put(sv_txn *t, const ov_hash *old_head, const sv_tip *tip) {
  if (old_head) {
    sv_key old = sv_key_tip(&tip->writer, old_head);
    if (sv_tab_del(t, SV_T_TIPS, &old) == OV_E_NOTFOUND) return sv_txn_stick(t, OV_E_INTERNAL);
  }
  sv_key k = sv_key_tip(&tip->writer, &tip->head.head);
  ov_buf_reset(&t->plain);
  ov_mpw_uint(&t->plain, tip->head.seq);
  ov_mpw_bin(&t->plain, tip->device.b, OV_ID_BYTES);
  ov_mpw_uint(&t->plain, tip->safe_seq);
  return sv_row_put(t, SV_T_TIPS, SV_PART_TIP, &k);
}

static int decode(sv_scan *s, sv_tip *out) {
  sv_txn *t = s->t;
  sv_key k = {.n = s->key.mv_size};
  memcpy(k.b, s->key.mv_data, k.n);
  memcpy(out->writer.b, k.b, OV_ID_BYTES);
  memcpy(out->head.head.b, k.b + OV_ID_BYTES, OV_HASH_BYTES);
  if (sv_row_open(t, SV_PART_TIP, &k, &s->value)) return t->err;
  ov_mpr r = sv_row_reader(t);
  out->head.seq = ov_mpr_uint(&r, OV_SEQ_MAX);
  ov_mpr_bytes(&r, out->device.b, OV_ID_BYTES);
  out->safe_seq = ov_mpr_uint(&r, OV_SEQ_MAX);
  return sv_row_done(t, &r);
}

/* Keeps the longest `max`, longest first; among equals the smaller head. */
static void keep(const sv_tip *tip, sv_tip *out, uint32_t max, uint32_t *n) {
  uint32_t at = *n;
  while (at > 0 && out[at - 1].head.seq < tip->head.seq) at--;
  if (at == max) return;
  uint32_t last = *n < max ? (*n)++ : max - 1;
  memmove(&out[at + 1], &out[at], (last - at) * sizeof *out);
  out[at] = *tip;
}

int sv_tips_get(sv_txn *t, const ov_id *writer, sv_tip *out, uint32_t max, uint32_t *n) {
  sv_scan s;
  sv_tip tip;
  sv_key k = sv_key_id(writer);
  *n = 0;
  sv_scan_open(&s, t, SV_T_TIPS, &k, OV_ID_BYTES);
  while (max > 0 && sv_scan_next(&s) && !decode(&s, &tip)) keep(&tip, out, max, n);
  sv_scan_close(&s);
  return t->err;
}

/* The row of (writer, index) and on: index counts the rows of a writer in key order. */
int sv_tip_next(sv_txn *t, const ov_id *after_writer, uint32_t after_index, sv_tip *out, uint32_t *index) {
  sv_scan s;
  sv_key k = {.n = 0};
  uint32_t at = 0;
  bool found = false;
  if (after_writer) k = sv_key_id(after_writer);
  sv_scan_open(&s, t, SV_T_TIPS, &k, 0);
  while (!found && sv_scan_next(&s)) {
    bool same = after_writer && !memcmp(s.key.mv_data, after_writer->b, OV_ID_BYTES);
    found = !same || at > after_index;
    *index = same ? at++ : 0;
  }
  if (found) decode(&s, out);
  sv_scan_close(&s);
  return t->err ? t->err : found ? 0 : OV_E_NOTFOUND;
}
