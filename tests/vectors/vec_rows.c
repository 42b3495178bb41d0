/* rows.json: ops as they travel in PUSH (unnamed form) and records in DELTA (named form). An encoder may
 * choose other bytes; every decoder gives these ops. */
#include <string.h>

#include "vec.h"

static void add(vec *v, json_t *out, const char *name, const ov_rows_ctx *c, const ov_op *ops, size_t n) {
  json_t *list = json_array();
  ov_buf_reset(&v->scratch);
  vec_need(ov_rows_encode(c, ops, n, &v->scratch) == 0, name);
  json_t *hex = vec_hex(v->scratch.p, v->scratch.n);
  for (size_t i = 0; i < n; i++) json_array_append_new(list, vec_op(&ops[i]));
  json_array_append_new(
      out, json_pack("{s:s, s:o, s:o, s:o}", "name", name, "context", vec_ctx(c), "ops", list, "hex", hex));
}

/* A shift: a night for each of four participants, one edit, one by an author of the same log, a participant
 * of this push. */
static uint32_t shift(vec *v, ov_op *ops) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < 4; i++) {
    const ov_field night[] = {{2, ov_int(20414)},
                              {3, ov_int(1)},
                              {10, ov_int(1763764200 + 300 * i)},
                              {11, ov_int(1763792000 - 60 * i)},
                              {40, ov_text(i % 2 ? "rustige nacht" : "twee keer wakker")}};
    ov_op *op = vec_new_op(v, 0x10, 41 + n, NULL, night, 5);
    op->has_participant = op->has_author = true;
    op->participant = vec_sample_name(0x50, 9 + i);
    op->author = vec_sample_name(0x50, 3);
    ops[n++] = *op;
  }
  const ov_field edit_fields[] = {{3, ov_int(2)}};
  ov_op *edit = vec_new_op(v, 0x10, 41 + n, &ops[1].name, edit_fields, 1);
  edit->has_participant = edit->has_author = true;
  edit->participant = ops[1].participant;
  edit->author = ops[1].author;
  vec_replace(v, edit, &ops[1].name, 1);
  ops[n++] = *edit;
  return n;
}

static uint32_t odd_ones(vec *v, ov_op *ops) {
  ov_op *gone = vec_new_op(v, 0x10, 1, NULL, NULL, 0);
  gone->is_void = true;
  gone->creates = false;
  memset(gone->header_hash.b, 0xa1, OV_HASH_BYTES);
  memset(gone->commitment.b, 0xb2, OV_HASH_BYTES);
  ops[0] = *gone;
  ov_op *erased = vec_new_op(v, 0x10, 2, NULL, NULL, 0);
  erased->has_commitment = true;
  memset(erased->commitment.b, 0xc3, OV_HASH_BYTES);
  ops[1] = *erased;
  ov_name other = vec_sample_name(0x77, 1000);
  uint8_t *ref = ov_arena_alloc(&v->arena, OV_NAME_BYTES);
  ov_name_write(&other, ref);
  const ov_field fields[] = {{1, ov_nil()},
                             {12, vec_set(v, (int64_t[]){1, 3}, 2, (int64_t[]){-99}, 1)},
                             {13, ov_bytes(ref, OV_NAME_BYTES)},
                             {14, ov_int(INT64_MIN)},
                             {127, ov_text("")}};
  ov_op *wide = vec_new_op(v, 0x10, 3, &other, fields, 5);
  wide->kind = OV_KIND_ID_MAX;
  wide->version = 65535;
  wide->scope = UINT32_MAX;
  wide->device_time = -OV_TIME_S_MAX;
  vec_replace(v, wide, (ov_name[]){erased->name, other}, 2);
  ops[2] = *wide;
  return 3;
}

json_t *vec_make_rows(vec *v) {
  json_t *out = json_array();
  ov_op ops[8];
  ov_rows_ctx push = {
      .writer = vec_id(0x10), .first_seq = 41, .server = vec_id(0x50), .base_time = 1763800100};
  uint32_t n = shift(v, ops);
  add(v, out, "PUSH: four nights and an edit", &push, ops, n);
  push.first_seq = 1;
  n = odd_ones(v, ops);
  add(v, out, "PUSH: a void, an absent payload, and the ends of every range", &push, ops, n);
  push.first_seq = 41;
  shift(v, ops);
  add(v, out, "PUSH: one op", &push, ops, 1);
  ov_rows_ctx delta = {
      .named = true, .writer = vec_id(0x50), .server = vec_id(0x50), .base_time = 1763800100};
  shift(v, ops);
  ops[4].n_replaces = 0; /* rows of a record: no replaces, all name the record */
  ov_op record[2] = {ops[1], ops[4]};
  add(v, out, "DELTA: a record of two ops", &delta, record, 2);
  ov_op many[5] = {ops[0], ops[1], ops[4], ops[2], ops[3]};
  add(v, out, "DELTA: four records one after the other", &delta, many, 5);
  return out;
}
