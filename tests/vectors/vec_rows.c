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

/* Every head that a column can have: days, seconds in steps, codes set apart, more than 8 bits, wide. */
static uint32_t numbers(vec *v, ov_op *ops) {
  static const int64_t far[] = {4, -77, 1000000007, -2, INT64_MAX, 0, 12, INT64_MIN};
  for (int64_t i = 0; i < 16; i++) {
    int64_t at = 1763800100 + i * 400000 + i * i;
    const ov_field fields[] = {{10, ov_int(at / 86400 - 1 + i % 2)},
                               {12, ov_int(at / 300 * 300 - 1800 - 300 * (i * 7 % 11))},
                               {14, ov_int(i % 5 == 2   ? -98
                                           : i % 5 == 4 ? -99
                                                        : 15 * (i * 5 % 13))},
                               {15, ov_int(i * 7919 % 5001)},
                               {16, ov_int(far[i % 8])}};
    ops[i] = *vec_new_op(v, 0x10, 41 + (uint64_t)i, NULL, fields, 5);
    ops[i].device_time = at;
  }
  return 16;
}

static ov_value name_value(vec *v, const ov_name *n) {
  uint8_t *p = ov_arena_alloc(&v->arena, OV_NAME_BYTES);
  vec_need(p != NULL, "out of memory");
  ov_name_write(n, p);
  return ov_bytes(p, OV_NAME_BYTES);
}

/* A set of an int, bytes and names: a shorter one stands before what it begins. */
static ov_value mixed_set(vec *v, const ov_name *one, const ov_name *other) {
  ov_value *add = ov_arena_array(&v->arena, 3, sizeof *add), *del = ov_arena_array(&v->arena, 1, sizeof *del);
  vec_need(add && del, "out of memory");
  add[0] = ov_int(-5);
  add[1] = ov_bytes((const uint8_t *)"\x01\x02", 2);
  add[2] = name_value(v, one);
  del[0] = name_value(v, other);
  ov_value out = {.type = OV_V_SET};
  out.set.add = add;
  out.set.n_add = 3;
  out.set.del = del;
  out.set.n_del = 1;
  return out;
}

/* Bytes short and long, references again and again, a name of this push as a value, a payload as it came. */
static uint32_t bytes_and_names(vec *v, ov_op *ops) {
  static const uint8_t broken[] = {0x92, 0x81, 0x02, 0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0x90}; /* a float */
  static uint8_t lots[70];
  for (size_t i = 0; i < sizeof lots; i++) lots[i] = (uint8_t)i;
  ov_name a = vec_sample_name(0x50, 9), b = vec_sample_name(0x77, 3);
  for (uint32_t i = 0; i < 4; i++) {
    const ov_field fields[] = {
        {2, name_value(v, i % 3 ? &a : &b)},
        {3, ov_bytes(lots, i % 2 ? 70 : 3)},
        {4, i % 2 ? vec_set(v, (int64_t[]){-99, 7}, 2, NULL, 0) : mixed_set(v, &a, &b)}};
    ops[i] = *vec_new_op(v, 0x10, 41 + i, NULL, fields, 3);
    ops[i].has_participant = true;
    ops[i].participant = i % 2 ? a : b;
  }
  const ov_field own[] = {{2, name_value(v, &ops[1].name)}};
  ops[4] = *vec_new_op(v, 0x10, 45, NULL, own, 1);
  ops[5] = *vec_new_op(v, 0x10, 46, &ops[4].name, NULL, 0);
  ops[5].payload_bytes = broken;
  ops[5].payload_len = sizeof broken;
  ops[5].payload_err = OV_E_OP_FORMAT;
  return 6;
}

static void edit(vec *v, ov_op *op, uint64_t seq, const ov_name *record, const ov_field *f, uint32_t n) {
  *op = *vec_new_op(v, 0x10, seq, record, f, n);
}

/* What an edit replaces is expected: the last value of each field here, else the op that made the record; of
 * a record that is made here without the field, nothing. */
static uint32_t edits(vec *v, ov_op *ops) {
  ov_name other = vec_sample_name(0x77, 1000);
  const ov_field three[] = {{3, ov_int(1)}}, forty[] = {{40, ov_text("x")}},
                 both[] = {{3, ov_int(2)}, {40, ov_text("y")}};
  edit(v, &ops[0], 41, &other, three, 1);
  vec_replace(v, &ops[0], &other, 1);
  edit(v, &ops[1], 42, &other, three, 1);
  vec_replace(v, &ops[1], &ops[0].name, 1);
  edit(v, &ops[2], 43, &other, forty, 1);
  vec_replace(v, &ops[2], &other, 1);
  edit(v, &ops[3], 44, &other, both, 2);
  vec_replace(v, &ops[3], (ov_name[]){ops[1].name, ops[2].name}, 2);
  edit(v, &ops[4], 45, NULL, three, 1);
  edit(v, &ops[5], 46, &ops[4].name, both, 2);
  vec_replace(v, &ops[5], &ops[4].name, 1);
  edit(v, &ops[6], 47, &ops[4].name, forty, 1);
  vec_replace(v, &ops[6], &ops[5].name, 1);
  const ov_name seen[] = {vec_sample_name(0x20, 3), vec_sample_name(0x20, 9), other};
  for (uint32_t i = 7; i < 9; i++) { /* not expected: told by name */
    edit(v, &ops[i], 41 + i, &other, forty, 1);
    vec_replace(v, &ops[i], seen + (i == 8), 3 - (i == 8));
  }
  return 9;
}

/* A participant and records about them, of three logs; of one the creating op is not applied, so that a row
 * without fields stands for it. */
static uint32_t records(vec *v, ov_op *ops) {
  const ov_field who[] = {{2, ov_text("Merel")}}, night[] = {{10, ov_int(20413)}, {19, ov_int(4)}},
                 again[] = {{19, ov_int(2)}},
                 set[] = {{22, vec_set(v, (int64_t[]){1, 4}, 2, (int64_t[]){3}, 1)}};
  ops[0] = *vec_new_op(v, 0x50, 9, NULL, who, 1);
  ops[0].kind = OV_KIND_PARTICIPANT;
  ops[1] = *vec_new_op(v, 0x10, 7, NULL, night, 2);
  ops[2] = *vec_new_op(v, 0x20, 900, &ops[1].name, again, 1);
  ops[3] = *vec_new_op(v, 0x20, 901, NULL, NULL, 0); /* not applied */
  ops[4] = *vec_new_op(v, 0x10, 8, &ops[3].name, set, 1);
  ops[5] = *vec_new_op(v, 0x77, 3, NULL, night, 2);
  ops[6] = *vec_new_op(v, 0x20, 905, &ops[5].name, again, 1);
  for (uint32_t i = 1; i < 7; i++) {
    ops[i].has_participant = ops[i].has_author = true;
    ops[i].participant = i < 5 ? ops[0].name : vec_sample_name(0x50, 10);
    ops[i].author = vec_sample_name(0x50, 3 + i % 2);
  }
  return 7;
}

json_t *vec_make_rows(vec *v) {
  json_t *out = json_array();
  ov_op ops[16];
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
  add(v, out, "PUSH: numbers in columns of every kind", &push, ops, numbers(v, ops));
  add(v, out, "PUSH: bytes, references, sets, and a payload that is none", &push, ops,
      bytes_and_names(v, ops));
  add(v, out, "PUSH: edits that replace what is expected", &push, ops, edits(v, ops));
  add(v, out, "DELTA: records of three logs, one of them without its creating op", &delta, ops,
      records(v, ops));
  return out;
}
