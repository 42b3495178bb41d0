/* Ops by name. A row is two sealed parts: what all of the organisation's servers need (header, chain,
 * receipts), and the payload. */
#include <string.h>

#include "tables.h"

enum {
  F_VOID = 1,
  F_PAYLOAD = 2,
  F_SIG = 4,
  F_DEVICE = 8,
  F_WAITING = 16,
  F_ERASED = 32,
  F_COMMITMENT_ONLY = 64,
  F_ALL = 127
};

static sv_owner owner_of(const ov_op *op) {
  return sv_owner_of(op->kind, op->creates ? &op->name : &op->record, op->has_participant, &op->participant);
}

static unsigned flags_of(const sv_op_row *row, bool payload, bool erased) {
  return (row->op.is_void ? F_VOID : 0u) | (payload ? F_PAYLOAD : 0u) | (row->has_sig ? F_SIG : 0u) |
         (ov_id_is_zero(&row->device) ? 0u : F_DEVICE) | (row->waiting ? F_WAITING : 0u) |
         (erased ? F_ERASED : 0u) | (row->op.has_commitment ? F_COMMITMENT_ONLY : 0u);
}

static void encode_receipts(const sv_op_row *row, ov_buf *out) {
  ov_mpw_array(out, row->n_receipts);
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    const sv_receipt *r = &row->receipts[i];
    ov_mpw_bin(out, r->server.b, OV_ID_BYTES);
    ov_mpw_int(out, r->server_time_ms);
    ov_mpw_int(out, r->offset_ms);
    ov_mpw_uint(out, r->verdict);
    ov_mpw_uint(out, r->reason);
  }
}

/* First part into t->plain; uses t->part. */
static void encode_first(sv_txn *t, const sv_op_row *row, unsigned flags) {
  const ov_op *op = &row->op;
  ov_buf *out = &t->plain;
  ov_buf_reset(out);
  ov_mpw_uint(out, flags);
  ov_mpw_bin(out, row->head.b, OV_HASH_BYTES);
  ov_mpw_bin(out, row->prev_tag, OV_TAG_BYTES);
  ov_mpw_bin(out, op->commitment.b, OV_HASH_BYTES);
  if (op->is_void) {
    ov_mpw_bin(out, op->header_hash.b, OV_HASH_BYTES);
  } else {
    ov_buf_reset(&t->part);
    ov_op_header_encode(op, &t->part);
    sv_txn_stick(t, t->part.err);
    ov_mpw_bin(out, t->part.p, t->part.n);
  }
  encode_receipts(row, out);
  if (flags & F_SIG) ov_mpw_bin(out, row->sig, OV_SIG_BYTES);
  if (flags & F_DEVICE) ov_mpw_bin(out, row->device.b, OV_ID_BYTES);
}

int sv_op_put(sv_txn *t, const sv_op_row *row) {
  const ov_op *op = &row->op;
  uint8_t key[OV_KEY_BYTES];
  if (t->err) return t->err;
  if (row->n_receipts > SV_RECEIPTS_MAX || op->name.seq == 0) return sv_txn_stick(t, OV_E_INVALID);
  bool payload = !op->is_void && !row->erased && !op->has_commitment, erased = row->erased;
  if (payload) {
    sv_owner owner = owner_of(op);
    if (sv_owner_key(t, &owner, true, key, &erased)) return t->err;
    payload = !erased;
  }
  sv_key k = sv_key_name(&op->name);
  encode_first(t, row, flags_of(row, payload, erased));
  ov_buf_reset(&t->part);
  if (payload) ov_op_payload_encode(op, &t->part);
  return sv_row2_put(t, SV_T_OPS, &k, SV_PART_OP_HEADER, SV_PART_OP_PAYLOAD, payload ? key : NULL);
}

/* -- reading --------------------------------------------------------------------------------------------- */

static void decode_receipts(ov_mpr *r, sv_op_row *out) {
  uint32_t n = ov_mpr_array(r);
  if (n > SV_RECEIPTS_MAX) {
    ov_mpr_fail(r, OV_E_FORMAT);
    return;
  }
  out->n_receipts = n;
  for (uint32_t i = 0; i < n; i++) {
    sv_receipt *x = &out->receipts[i];
    ov_mpr_bytes(r, x->server.b, OV_ID_BYTES);
    x->server_time_ms = ov_mpr_int(r);
    x->offset_ms = ov_mpr_int(r);
    x->verdict = (uint8_t)ov_mpr_uint(r, UINT8_MAX);
    x->reason = (uint8_t)ov_mpr_uint(r, UINT8_MAX);
  }
}

static int decode_header(sv_txn *t, const ov_name *name, const uint8_t *p, uint32_t n, ov_arena *a,
                         ov_op *op) {
  const uint8_t *bytes = ov_arena_dup(a, p, n);
  if (!bytes) return sv_txn_stick(t, OV_E_NOMEM);
  if (ov_op_header_decode(bytes, n, op)) return sv_txn_stick(t, OV_E_CORRUPT);
  op->name = *name;
  if (op->creates) op->record = *name;
  return sv_txn_stick(t, ov_sha256(t->h, bytes, n, &op->header_hash));
}

/* What t->plain holds. */
static int decode_first(sv_txn *t, const ov_name *name, ov_arena *a, sv_op_row *out, unsigned *flags) {
  const uint8_t *header = NULL;
  uint32_t header_n = 0;
  ov_mpr r = sv_row_reader(t);
  *flags = (unsigned)ov_mpr_uint(&r, F_ALL);
  ov_mpr_bytes(&r, out->head.b, OV_HASH_BYTES);
  ov_mpr_bytes(&r, out->prev_tag, OV_TAG_BYTES);
  ov_mpr_bytes(&r, out->op.commitment.b, OV_HASH_BYTES);
  if (*flags & F_VOID) ov_mpr_bytes(&r, out->op.header_hash.b, OV_HASH_BYTES);
  else header = ov_mpr_bin(&r, &header_n);
  decode_receipts(&r, out);
  if (*flags & F_SIG) ov_mpr_bytes(&r, out->sig, OV_SIG_BYTES);
  if (*flags & F_DEVICE) ov_mpr_bytes(&r, out->device.b, OV_ID_BYTES);
  if (sv_row_done(t, &r)) return t->err;
  out->has_sig = *flags & F_SIG;
  out->waiting = *flags & F_WAITING;
  out->erased = *flags & F_ERASED;
  out->op.name = *name;
  if (header && decode_header(t, name, header, header_n, a, &out->op)) return t->err;
  out->op.is_void = *flags & F_VOID;
  out->op.has_commitment = *flags & (F_COMMITMENT_ONLY | F_ERASED);
  return 0;
}

/* A payload that its tag proves ours but that does not decode is stored so (payload_err): not damage. */
static int decode_payload(sv_txn *t, const sv_key *k, const MDB_val *sealed, ov_arena *a, sv_op_row *out) {
  uint8_t key[OV_KEY_BYTES];
  sv_owner owner = owner_of(&out->op);
  if (sv_owner_key(t, &owner, false, key, &out->erased)) return t->err;
  if (out->erased) {
    out->op.has_commitment = true;
    return 0;
  }
  ov_buf_reset(&t->part);
  if (sv_part_open(t, SV_PART_OP_PAYLOAD, k, key, sealed->mv_data, sealed->mv_size, &t->part)) return t->err;
  const uint8_t *bytes = ov_arena_dup(a, t->part.p, t->part.n);
  if (!bytes) return sv_txn_stick(t, OV_E_NOMEM);
  int err = ov_op_payload_decode(bytes, t->part.n, a, &out->op);
  return err == OV_E_OP_FORMAT || err == OV_E_OP_LIMIT ? 0 : sv_txn_stick(t, err);
}

int sv_op_get(sv_txn *t, const ov_name *name, ov_arena *a, sv_op_row *out) {
  MDB_val v, payload;
  unsigned flags;
  memset(out, 0, sizeof *out);
  sv_key k = sv_key_name(name);
  int err = sv_tab_get(t, SV_T_OPS, &k, &v);
  if (err) return err;
  if (sv_row2_open(t, &k, SV_PART_OP_HEADER, &v, &payload) || decode_first(t, name, a, out, &flags))
    return t->err;
  if (!(flags & F_PAYLOAD) != (payload.mv_size == 0)) return sv_txn_stick(t, OV_E_CORRUPT);
  return flags & F_PAYLOAD ? decode_payload(t, &k, &payload, a, out) : 0;
}

bool sv_op_has(sv_txn *t, const ov_name *name) {
  sv_key k = sv_key_name(name);
  return sv_tab_has(t, SV_T_OPS, &k);
}

int sv_ops_of_writer(sv_txn *t, const ov_id *writer, uint64_t from, uint64_t to, ov_name *out, uint32_t max,
                     uint32_t *n) {
  sv_scan s;
  sv_key k = sv_key_seq(writer, from);
  *n = 0;
  sv_scan_open(&s, t, SV_T_OPS, &k, OV_ID_BYTES);
  while (*n < max && sv_scan_next(&s)) {
    sv_key_read_name(&s.key, 0, &out[*n]);
    if (out[*n].seq > to) break;
    (*n)++;
  }
  sv_scan_close(&s);
  return t->err;
}

int sv_op_next(sv_txn *t, const ov_name *after, ov_name *out) {
  sv_key k = {.n = 0};
  if (after) k = sv_key_after(sv_key_name(after));
  return sv_scan_first_name(t, SV_T_OPS, &k, 0, 0, out);
}
