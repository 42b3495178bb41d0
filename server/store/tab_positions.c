/* Positions: in each scope every change of a record gets the next one. The index by position holds each
 * record once, at its latest change; the hash of every position stays, so that an old cursor can be checked.
 */
#include <string.h>

#include "tables.h"

int sv_scope_get(sv_txn *t, uint32_t scope, sv_scope *out) {
  sv_key k = sv_key_scope(scope);
  memset(out, 0, sizeof *out);
  int err = sv_row_get(t, SV_T_SCOPES, SV_PART_SCOPE, &k);
  if (err) return err;
  ov_mpr r = sv_row_reader(t);
  out->scope = scope;
  out->pos = ov_mpr_uint(&r, INT64_MAX);
  ov_mpr_bytes(&r, out->hash, OV_POSHASH_BYTES);
  sv_read_name(&r, &out->record);
  return sv_row_done(t, &r);
}

int sv_scope_put(sv_txn *t, const sv_scope *s) {
  sv_key k = sv_key_scope(s->scope);
  ov_buf_reset(&t->plain);
  ov_mpw_uint(&t->plain, s->pos);
  ov_mpw_bin(&t->plain, s->hash, OV_POSHASH_BYTES);
  sv_put_name(&t->plain, &s->record);
  return sv_row_put(t, SV_T_SCOPES, SV_PART_SCOPE, &k);
}

int sv_scope_next(sv_txn *t, int64_t after, sv_scope *out) {
  sv_key k, found;
  if (after >= UINT32_MAX) return t->err ? t->err : OV_E_NOTFOUND;
  k = sv_key_scope(after < 0 ? 0 : (uint32_t)after + 1);
  int err = sv_scan_first_key(t, SV_T_SCOPES, &k, 0, &found);
  if (err) return err;
  MDB_val v = {found.n, found.b};
  return sv_scope_get(t, sv_key_read_u32(&v, 0), out);
}

/* -- entries --------------------------------------------------------------------------------------------- */

static int put_entry(sv_txn *t, uint32_t scope, uint64_t pos, const ov_name *record, bool gone) {
  sv_key k = sv_key_pos(scope, pos);
  ov_buf_reset(&t->plain);
  ov_mpw_name(&t->plain, record);
  ov_mpw_bool(&t->plain, gone);
  return sv_row_put(t, SV_T_POS, SV_PART_POS, &k);
}

static int open_entry(sv_txn *t, const sv_key *k, const MDB_val *v, sv_posent *out) {
  if (sv_row_open(t, SV_PART_POS, k, v)) return t->err;
  ov_mpr r = sv_row_reader(t);
  ov_mpr_name(&r, &out->record);
  out->gone = ov_mpr_bool(&r);
  return sv_row_done(t, &r);
}

/* A wrong old position would take another record out of the index, which nobody would ever see again: so it
 * is looked at first. */
static void del_entry(sv_txn *t, uint32_t scope, uint64_t pos, const ov_name *record) {
  MDB_val v;
  sv_posent e;
  sv_key k = sv_key_pos(scope, pos);
  int err = sv_tab_get(t, SV_T_POS, &k, &v);
  if (!err) err = open_entry(t, &k, &v, &e);
  if (err == OV_E_NOTFOUND || (!err && !ov_name_equal(&e.record, record))) sv_txn_stick(t, OV_E_INTERNAL);
  sv_tab_del(t, SV_T_POS, &k);
}

int sv_gone_get(sv_txn *t, uint32_t scope, const ov_name *record, uint64_t *pos) {
  sv_key k = sv_key_gone(scope, record);
  *pos = 0;
  int err = sv_row_get(t, SV_T_GONE, SV_PART_GONE, &k);
  if (err) return err;
  ov_mpr r = sv_row_reader(t);
  *pos = ov_mpr_uint(&r, INT64_MAX);
  return sv_row_done(t, &r);
}

static void put_gone(sv_txn *t, uint32_t scope, const ov_name *record, uint64_t pos) {
  sv_key k = sv_key_gone(scope, record);
  ov_buf_reset(&t->plain);
  ov_mpw_uint(&t->plain, pos);
  sv_row_put(t, SV_T_GONE, SV_PART_GONE, &k);
}

static void put_hash(sv_txn *t, uint32_t scope, uint64_t pos, const uint8_t hash[OV_POSHASH_BYTES]) {
  sv_key k = sv_key_pos(scope, pos);
  ov_buf_reset(&t->plain);
  ov_buf_put(&t->plain, hash, OV_POSHASH_BYTES);
  sv_row_put(t, SV_T_POS_HASH, SV_PART_POS_HASH, &k);
}

static int step_hash(sv_txn *t, sv_scope *s, const ov_name *record, const ov_hash *state) {
  uint8_t b[OV_POSHASH_BYTES + 4 + 8 + OV_NAME_BYTES + OV_HASH_BYTES], *p = b;
  ov_hash out;
  sv_key place = sv_key_pos(s->scope, s->pos);
  memcpy(p, s->hash, OV_POSHASH_BYTES);
  memcpy(p += OV_POSHASH_BYTES, place.b, place.n);
  ov_name_write(record, p += place.n);
  memcpy(p + OV_NAME_BYTES, state->b, OV_HASH_BYTES);
  if (sv_txn_stick(t, ov_hmac(t->h, t->e->index_key, OV_KEY_BYTES, b, sizeof b, &out))) return t->err;
  memcpy(s->hash, out.b, OV_POSHASH_BYTES);
  return 0;
}

int sv_pos_append(sv_txn *t, uint32_t scope, const ov_name *record, const ov_hash *state, uint64_t old_pos,
                  bool gone, uint64_t *pos) {
  sv_scope s;
  uint64_t marker;
  *pos = 0;
  int err = sv_scope_get(t, scope, &s);
  if (err) return err;
  err = sv_gone_get(t, scope, record, &marker);
  if (err && err != OV_E_NOTFOUND) return err;
  s.pos++;
  if (step_hash(t, &s, record, state)) return t->err;
  if (marker) {
    sv_key k = sv_key_gone(scope, record);
    del_entry(t, scope, marker, record);
    if (!gone) sv_tab_del(t, SV_T_GONE, &k);
  }
  if (old_pos && old_pos != marker) del_entry(t, scope, old_pos, record);
  put_entry(t, scope, s.pos, record, gone);
  if (gone) put_gone(t, scope, record, s.pos);
  put_hash(t, scope, s.pos, s.hash);
  sv_scope_put(t, &s);
  if (!t->err) *pos = s.pos;
  return t->err;
}

int sv_pos_hash(sv_txn *t, uint32_t scope, uint64_t pos, uint8_t out[OV_POSHASH_BYTES]) {
  memset(out, 0, OV_POSHASH_BYTES);
  if (t->err) return t->err;
  if (pos == 0) return 0;
  sv_key k = sv_key_pos(scope, pos);
  int err = sv_row_get(t, SV_T_POS_HASH, SV_PART_POS_HASH, &k);
  if (err) return err;
  if (t->plain.n != OV_POSHASH_BYTES) return sv_txn_stick(t, OV_E_CORRUPT);
  memcpy(out, t->plain.p, OV_POSHASH_BYTES);
  return 0;
}

int sv_pos_list(sv_txn *t, uint32_t scope, uint64_t after, sv_posent *out, uint32_t max, uint32_t *n) {
  sv_scan s;
  *n = 0;
  if (after == UINT64_MAX) return t->err;
  sv_key k = sv_key_pos(scope, after + 1);
  sv_scan_open(&s, t, SV_T_POS, &k, 4);
  while (*n < max && sv_scan_next(&s)) {
    out[*n].pos = sv_key_read_u64(&s.key, 4);
    sv_key at = sv_key_pos(scope, out[*n].pos);
    if (open_entry(t, &at, &s.value, &out[*n])) break;
    (*n)++;
  }
  sv_scan_close(&s);
  return t->err;
}
