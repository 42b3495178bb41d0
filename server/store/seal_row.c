/* Sealing of rows. What is stored is bound to its organisation, to what it is, and to its own key, never to a
 * place in a log or scope. */
#include "tables.h"

#include <string.h>

#define AAD_MAX (OV_ID_BYTES + 1 + SV_KEY_MAX)

static size_t make_aad(const sv_env *e, sv_part part, const sv_key *k, uint8_t aad[AAD_MAX]) {
  memcpy(aad, e->organisation.b, OV_ID_BYTES);
  aad[OV_ID_BYTES] = (uint8_t)part;
  memcpy(aad + OV_ID_BYTES + 1, k->b, k->n);
  return OV_ID_BYTES + 1 + k->n;
}

static const uint8_t *fresh_nonce(sv_txn *t) {
  if (t->nonces_left == 0) {
    if (sv_txn_stick(t, t->e->random(t->e->random_ctx, t->nonces, sizeof t->nonces))) return NULL;
    t->nonces_left = SV_NONCES;
  }
  return t->nonces + SV_NONCE_BYTES * --t->nonces_left;
}

int sv_part_seal(sv_txn *t, sv_part part, const sv_key *k, const uint8_t key[OV_KEY_BYTES], const void *plain,
                 size_t n, ov_buf *out) {
  uint8_t aad[AAD_MAX];
  const uint8_t *nonce = t->err ? NULL : fresh_nonce(t);
  if (!nonce) return t->err;
  return sv_txn_stick(t, ov_seal(t->h, key, nonce, aad, make_aad(t->e, part, k, aad), plain, n, out));
}

int sv_part_open(sv_txn *t, sv_part part, const sv_key *k, const uint8_t key[OV_KEY_BYTES], const void *p,
                 size_t n, ov_buf *out) {
  uint8_t aad[AAD_MAX];
  if (t->err) return t->err;
  return sv_txn_stick(t, ov_open(t->h, key, aad, make_aad(t->e, part, k, aad), p, n, out));
}

int sv_row_put(sv_txn *t, sv_table tab, sv_part part, const sv_key *k) {
  ov_buf_reset(&t->row);
  sv_txn_stick(t, t->plain.err);
  sv_part_seal(t, part, k, t->e->seal_key, t->plain.p, t->plain.n, &t->row);
  return sv_tab_put(t, tab, k, t->row.p, t->row.n);
}

int sv_row_open(sv_txn *t, sv_part part, const sv_key *k, const MDB_val *v) {
  ov_buf_reset(&t->plain);
  return sv_part_open(t, part, k, t->e->seal_key, v->mv_data, v->mv_size, &t->plain);
}

int sv_row_get(sv_txn *t, sv_table tab, sv_part part, const sv_key *k) {
  MDB_val v;
  int err = sv_tab_get(t, tab, k, &v);
  return err ? err : sv_row_open(t, part, k, &v);
}

ov_mpr sv_row_reader(const sv_txn *t) {
  ov_mpr r;
  ov_mpr_init_scanned(&r, t->plain.p, t->plain.n);
  return r;
}

int sv_row_done(sv_txn *t, const ov_mpr *r) {
  if (t->err) return t->err;
  return ov_mpr_done(r) ? sv_txn_stick(t, OV_E_CORRUPT) : 0;
}

void sv_put_name(ov_buf *b, const ov_name *name) {
  if (ov_name_is_zero(name)) ov_mpw_nil(b);
  else ov_mpw_name(b, name);
}

void sv_read_name(ov_mpr *r, ov_name *name) {
  memset(name, 0, sizeof *name);
  if (!ov_mpr_nil(r)) ov_mpr_name(r, name);
}

/* -- rows of two parts ----------------------------------------------------------------------------------- */

sv_owner sv_owner_of(uint16_t kind, const ov_name *record, bool has_participant, const ov_name *participant) {
  if (kind == OV_KIND_PARTICIPANT) return (sv_owner){true, *record};
  sv_owner o = {.has_participant = has_participant};
  if (has_participant) o.participant = *participant;
  return o;
}

int sv_owner_key(sv_txn *t, const sv_owner *o, bool make, uint8_t key[OV_KEY_BYTES], bool *erased) {
  *erased = false;
  if (t->err) return t->err;
  if (!o->has_participant) {
    memcpy(key, t->e->seal_key, OV_KEY_BYTES);
    return 0;
  }
  sv_keyring *ring = t->e->keyring;
  int err = make ? sv_keyring_need(ring, SV_KEY_SEAL_PARTICIPANT, &o->participant, key)
                 : sv_keyring_get(ring, SV_KEY_SEAL_PARTICIPANT, &o->participant, key);
  if (err != OV_E_NOTFOUND) return sv_txn_stick(t, err);
  *erased = sv_keyring_destroyed(ring, &o->participant);
  return *erased ? 0 : sv_txn_stick(t, OV_E_CRYPTO);
}

int sv_row2_put(sv_txn *t, sv_table tab, const sv_key *k, sv_part first, sv_part second,
                const uint8_t *second_key) {
  ov_buf_reset(&t->row);
  sv_txn_stick(t, t->plain.err);
  ov_buf_varint(&t->row, t->plain.n + OV_SEAL_OVERHEAD);
  sv_part_seal(t, first, k, t->e->seal_key, t->plain.p, t->plain.n, &t->row);
  if (second_key) {
    sv_txn_stick(t, t->part.err);
    sv_part_seal(t, second, k, second_key, t->part.p, t->part.n, &t->row);
  }
  sv_txn_stick(t, t->row.err);
  return sv_tab_put(t, tab, k, t->row.p, t->row.n);
}

/* The length stands outside the seals: a wrong one makes a seal fail. */
static bool split(const MDB_val *v, MDB_val *first, MDB_val *rest) {
  const uint8_t *p = v->mv_data;
  size_t n = 0, at = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (at == v->mv_size) return false;
    n |= (size_t)(p[at] & 0x7f) << shift;
    if (!(p[at++] & 0x80)) break;
  }
  if (n > v->mv_size - at) return false;
  *first = (MDB_val){n, (void *)(uintptr_t)(p + at)};
  *rest = (MDB_val){v->mv_size - at - n, (void *)(uintptr_t)(p + at + n)};
  return true;
}

int sv_row2_open(sv_txn *t, const sv_key *k, sv_part first, const MDB_val *v, MDB_val *rest) {
  MDB_val head;
  if (t->err) return t->err;
  if (!split(v, &head, rest)) return sv_txn_stick(t, OV_E_CORRUPT);
  return sv_row_open(t, first, k, &head);
}
