/* The audit: lines in order of their numbers 1, 2, 3 ..., each chained over the one before, so that none can
 * be altered, left out or put in between without notice; and where a participant is named. What a line says
 * is core/audit.c's. The end of the chain is kept in the transaction and written once, at its commit. */
#include <string.h>

#include "tables.h"

static const char end_key[] = "store/audit";
static const char label[] = "overdracht audit 1";

static int load_end(sv_txn *t) {
  sv_key k;
  if (t->audit_known || t->err) return t->err;
  memset(&t->audit_end, 0, sizeof t->audit_end);
  sv_key_meta(end_key, &k);
  int err = sv_row_get(t, SV_T_META, SV_PART_META, &k);
  if (err && err != OV_E_NOTFOUND) return err;
  if (!err) {
    ov_mpr r = sv_row_reader(t);
    t->audit_end.seq = ov_mpr_uint(&r, INT64_MAX);
    ov_mpr_bytes(&r, t->audit_end.head.b, OV_HASH_BYTES);
    if (sv_row_done(t, &r)) return t->err;
  }
  t->audit_known = true;
  return 0;
}

int sv_audit_flush(sv_txn *t) {
  sv_key k;
  if (!t->audit_moved || t->err) return t->err;
  sv_key_meta(end_key, &k);
  ov_buf_reset(&t->plain);
  ov_mpw_uint(&t->plain, t->audit_end.seq);
  ov_mpw_bin(&t->plain, t->audit_end.head.b, OV_HASH_BYTES);
  t->audit_moved = false;
  return sv_row_put(t, SV_T_META, SV_PART_META, &k);
}

int sv_audit_last(sv_txn *t, ov_head *out) {
  int err = load_end(t);
  *out = t->audit_end;
  return err;
}

int sv_audit_chain(sv_txn *t, const ov_hash *prev, uint64_t seq, const uint8_t *line, size_t n,
                   ov_hash *out) {
  uint8_t number[8];
  for (unsigned i = 0; i < 8; i++) number[i] = (uint8_t)(seq >> (56 - 8 * i));
  ov_buf *b = &t->row;
  ov_buf_reset(b);
  ov_buf_put(b, label, sizeof label);
  ov_buf_put(b, t->e->organisation.b, OV_ID_BYTES);
  ov_buf_put(b, prev->b, OV_HASH_BYTES);
  ov_buf_put(b, number, sizeof number);
  ov_buf_put(b, line, n);
  return sv_txn_stick(t, b->err ? b->err : ov_sha256(t->h, b->p, b->n, out));
}

int sv_audit_add(sv_txn *t, const uint8_t *line, size_t n, const ov_name *participant, uint64_t *seq) {
  ov_hash hash;
  *seq = 0;
  if (load_end(t)) return t->err;
  uint64_t next = t->audit_end.seq + 1;
  if (sv_audit_chain(t, &t->audit_end.head, next, line, n, &hash)) return t->err;
  ov_buf_reset(&t->plain);
  ov_mpw_bin(&t->plain, t->audit_end.head.b, OV_HASH_BYTES);
  ov_mpw_bin(&t->plain, line, (uint32_t)n);
  sv_key k = sv_key_audit(next);
  sv_row_put(t, SV_T_AUDIT, SV_PART_AUDIT, &k);
  if (participant) {
    sv_key who = sv_key_audit_of(participant, next);
    sv_mark_put(t, SV_T_AUDIT_OF, &who);
  }
  t->audit_end = (ov_head){.seq = next, .head = hash};
  t->audit_moved = true;
  *seq = next;
  return t->err;
}

int sv_audit_line(sv_txn *t, uint64_t seq, ov_hash *prev, ov_buf *line) {
  uint32_t n = 0;
  sv_key k = sv_key_audit(seq);
  int err = sv_row_get(t, SV_T_AUDIT, SV_PART_AUDIT, &k);
  if (err) return err;
  ov_mpr r = sv_row_reader(t);
  ov_mpr_bytes(&r, prev->b, OV_HASH_BYTES);
  const uint8_t *p = ov_mpr_bin(&r, &n);
  if (sv_row_done(t, &r)) return t->err;
  ov_buf_put(line, p, n);
  return sv_txn_stick(t, line->err);
}

int sv_audit_next(sv_txn *t, uint64_t after, uint64_t *seq) {
  sv_key k = sv_key_audit(after + 1), found;
  *seq = 0;
  int err = sv_scan_first_key(t, SV_T_AUDIT, &k, 0, &found);
  if (err) return err;
  MDB_val v = {found.n, found.b};
  *seq = sv_key_read_u64(&v, 0);
  return 0;
}

int sv_audit_of(sv_txn *t, const ov_name *participant, uint64_t after, uint64_t *out, uint32_t max,
                uint32_t *n) {
  sv_key from = sv_key_audit_of(participant, after + 1);
  sv_scan s;
  *n = 0;
  sv_scan_open(&s, t, SV_T_AUDIT_OF, &from, OV_NAME_BYTES);
  while (*n < max && sv_scan_next(&s)) out[(*n)++] = sv_key_read_u64(&s.key, OV_NAME_BYTES);
  sv_scan_close(&s);
  return t->err;
}

int sv_audit_del(sv_txn *t, uint64_t seq, const ov_name *participant) {
  sv_key k = sv_key_audit(seq);
  int err = sv_tab_del(t, SV_T_AUDIT, &k);
  if (err || !participant) return err;
  k = sv_key_audit_of(participant, seq);
  return sv_tab_del(t, SV_T_AUDIT_OF, &k);
}
