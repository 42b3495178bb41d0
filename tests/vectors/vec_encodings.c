/* values.json, names.json, ops.json: the canonical encodings that the chain hashes. */
#include <string.h>

#include "vec.h"

static void add_value(vec *v, json_t *out, const char *name, ov_value value) {
  ov_buf_reset(&v->scratch);
  ov_value_encode(&value, &v->scratch);
  json_array_append_new(out, json_pack("{s:s, s:o, s:o}", "name", name, "value", vec_value(&value), "hex",
                                       vec_hex(v->scratch.p, v->scratch.n)));
}

static ov_value repeated(vec *v, char c, uint32_t n, ov_vtype type) {
  uint8_t *p = ov_arena_alloc(&v->arena, n);
  memset(p, c, n);
  ov_value out = ov_bytes(p, n);
  out.type = type;
  return out;
}

json_t *vec_make_values(vec *v) {
  static const struct {
    const char *name;
    int64_t i;
  } ints[] = {
      {"zero", 0},
      {"one", 1},
      {"127", 127},
      {"128", 128},
      {"255", 255},
      {"256", 256},
      {"65535", 65535},
      {"65536", 65536},
      {"2^32 - 1", 4294967295ll},
      {"2^32", 4294967296ll},
      {"2^53 - 1", 9007199254740991ll},
      {"2^63 - 1", INT64_MAX},
      {"-1", -1},
      {"-32", -32},
      {"-33", -33},
      {"-98, not asked", -98},
      {"-99, unknown", -99},
      {"-128", -128},
      {"-129", -129},
      {"-32768", -32768},
      {"-32769", -32769},
      {"-2^31", -2147483648ll},
      {"-2^31 - 1", -2147483649ll},
      {"-2^63", INT64_MIN},
  };
  json_t *out = json_array();
  add_value(v, out, "nil", ov_nil());
  for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) add_value(v, out, ints[i].name, ov_int(ints[i].i));
  add_value(v, out, "empty text", ov_text(""));
  add_value(v, out, "text", ov_text("onrustig, twee keer uit bed"));
  add_value(v, out, "text of two-, three- and four-byte letters",
            ov_text("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x99"));
  add_value(v, out, "text of 31 bytes", repeated(v, 'a', 31, OV_V_TEXT));
  add_value(v, out, "text of 32 bytes", repeated(v, 'a', 32, OV_V_TEXT));
  add_value(v, out, "text of 256 bytes", repeated(v, 'b', 256, OV_V_TEXT));
  add_value(v, out, "empty bytes", ov_bytes("", 0));
  add_value(v, out, "bytes", ov_bytes("\x00\xff\x7f", 3));
  add_value(v, out, "bytes of 256", repeated(v, 0x5a, 256, OV_V_BYTES));
  add_value(v, out, "set that adds", vec_set(v, (int64_t[]){1, 3, 70}, 3, NULL, 0));
  add_value(v, out, "set that deletes", vec_set(v, NULL, 0, (int64_t[]){-99, 2}, 2));
  add_value(v, out, "set that does both", vec_set(v, (int64_t[]){2, 4}, 2, (int64_t[]){3}, 1));
  uint8_t *one = ov_arena_alloc(&v->arena, OV_NAME_BYTES);
  ov_name name = vec_sample_name(0x10, 7);
  ov_name_write(&name, one);
  ov_value *elem = ov_arena_array(&v->arena, 2, sizeof *elem);
  elem[0] = ov_int(5);
  elem[1] = ov_bytes(one, OV_NAME_BYTES);
  add_value(v, out, "set of a number and a name",
            (ov_value){.type = OV_V_SET, .set = {.add = elem, .n_add = 2}});
  return out;
}

json_t *vec_make_names(vec *v) {
  ov_name list[] = {vec_sample_name(0x10, 1),
                    vec_sample_name(0x10, 2),
                    vec_sample_name(0x10, 256),
                    vec_sample_name(0x11, 1),
                    {.writer = vec_id(0x11), .seq = OV_SEQ_MAX, .tag = {0, 0, 0, 1}}};
  json_t *out = json_array();
  (void)v;
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
    uint8_t bytes[OV_NAME_BYTES];
    ov_name_write(&list[i], bytes);
    json_array_append_new(out, json_pack("{s:o, s:o, s:I, s:o, s:o}", "text", vec_name(&list[i]), "writer",
                                         vec_hex(list[i].writer.b, OV_ID_BYTES), "seq",
                                         (json_int_t)list[i].seq, "tag", vec_hex(list[i].tag, OV_TAG_BYTES),
                                         "hex", vec_hex(bytes, sizeof bytes)));
  }
  return out;
}

static void add_op(vec *v, json_t *out, const char *name, const ov_op *op) {
  ov_hash hash;
  vec_need(ov_op_validate(op) == 0, name);
  ov_buf_reset(&v->scratch);
  ov_op_header_encode(op, &v->scratch);
  json_t *header = vec_hex(v->scratch.p, v->scratch.n);
  vec_need(ov_sha256(v->hasher, v->scratch.p, v->scratch.n, &hash) == 0, "hash");
  ov_buf_reset(&v->scratch);
  ov_op_payload_encode(op, &v->scratch);
  json_array_append_new(out, json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", name, "op", vec_op(op), "header",
                                       header, "header_hash", vec_hex(hash.b, OV_HASH_BYTES), "payload",
                                       vec_hex(v->scratch.p, v->scratch.n)));
}

json_t *vec_make_ops(vec *v) {
  json_t *out = json_array();
  const ov_field night[] = {{2, ov_int(20414)},
                            {3, ov_int(1)},
                            {10, ov_int(1763764200)},
                            {11, ov_int(-98)},
                            {40, ov_text("rustig")}};
  ov_op *create = vec_new_op(v, 0x10, 1, NULL, night, 5);
  create->has_participant = create->has_author = true;
  create->participant = vec_sample_name(0x50, 9);
  create->author = vec_sample_name(0x50, 3);
  add_op(v, out, "creates a record about a participant", create);

  const ov_field edit_fields[] = {{40, ov_text("om 3 uur wakker")}};
  ov_op *edit = vec_new_op(v, 0x10, 2, &create->name, edit_fields, 1);
  edit->has_participant = edit->has_author = true;
  edit->participant = create->participant;
  edit->author = create->author;
  vec_replace(v, edit, &create->name, 1);
  add_op(v, out, "edits it and replaces a value", edit);

  const ov_field reason[] = {{OV_FIELD_RETRACTED, ov_text("verkeerde cli\xc3\xabnt")}};
  ov_op *retract = vec_new_op(v, 0x10, 3, &create->name, reason, 1);
  vec_replace(v, retract, (ov_name[]){create->name, edit->name}, 2);
  add_op(v, out, "retracts it", retract);

  const ov_field undo_fields[] = {{OV_FIELD_RETRACTED, ov_nil()}};
  ov_op *undo = vec_new_op(v, 0x10, 4, &create->name, undo_fields, 1);
  vec_replace(v, undo, &retract->name, 1);
  add_op(v, out, "undoes the retraction", undo);

  const ov_field codes[] = {{12, vec_set(v, (int64_t[]){2, 5}, 2, (int64_t[]){3}, 1)},
                            {13, ov_bytes("\x01\x02", 2)}};
  ov_op *set = vec_new_op(v, 0x11, 900, &create->name, codes, 2);
  set->kind = OV_KIND_ID_MAX;
  set->version = 65535;
  set->scope = 70000;
  set->device_time = -86400;
  add_op(v, out, "a set, bytes and long numbers in the header", set);

  ov_op *empty = vec_new_op(v, 0x11, 901, NULL, NULL, 0);
  empty->scope = 0;
  empty->kind = 1;
  empty->version = 0;
  empty->device_time = 0;
  add_op(v, out, "no fields, the least header", empty);
  return out;
}
