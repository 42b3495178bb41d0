
#include "op_bytes.h"

static void a_header_goes_there_and_back(void **state) {
  (void)state;
  // clang-format off
  static const char *good[] = {
    "97 02 c0 14 01 c0 c0 00",
    "97 00" NAME_1 "01 00 c0 c0 ff",
    "97 ceffffffff" NAME_1 "cd0fff cdffff" NAME_1 NAME_2 "cf001fffffffffffff",
    "97 01 c0 06 03 c0" NAME_2 "d3ffe0000000000001",
    "97 01 c0 06 03" NAME_2 "c0 d2ffff0000",
  };
  // clang-format on
  for (size_t i = 0; i < COUNT(good); i++) {
    ov_buf b, out;
    ov_op op;
    ov_buf_init(&b, 0);
    ov_buf_init(&out, 0);
    assert_int_equal(header_of(good[i], &op, &b), 0);
    assert_ptr_equal(op.header_bytes, b.p);
    assert_int_equal(op.header_len, b.n);
    ov_op_header_encode(&op, &out); /* verbatim */
    assert_hex(out.p, out.n, good[i]);
    op.header_bytes = NULL;
    ov_buf_reset(&out);
    ov_op_header_encode(&op, &out); /* from the fields */
    assert_hex(out.p, out.n, good[i]);
    assert_int_equal(ov_op_validate(&op), 0);
    ov_buf_free(&b);
    ov_buf_free(&out);
  }
}

/* PROTO-22 */
static void a_header_fills_the_op(void **state) {
  (void)state;
  ov_buf b;
  ov_op op;
  ov_name one = name(1, 0xa4), nine = name(9, 0);
  memcpy(one.tag, "\xa4\x3f\xbf\x6f", 4);
  ov_buf_init(&b, 0);
  assert_int_equal(header_of("97 05" NAME_1 "14 07" NAME_1 NAME_1 "ce69000000", &op, &b), 0);
  assert_int_equal(op.scope, 5);
  assert_false(op.creates);
  assert_true(ov_name_equal(&op.record, &one));
  assert_int_equal(op.kind, 20);
  assert_int_equal(op.version, 7);
  assert_true(op.has_participant && op.has_author);
  assert_true(ov_name_equal(&op.participant, &one) && ov_name_equal(&op.author, &one));
  assert_int_equal(op.device_time, 0x69000000);
  assert_int_equal(header_of("97 05 c0 14 07 c0 c0 00", &op, &b), 0);
  assert_true(op.creates);
  assert_true(ov_name_equal(&op.record, &nine)); /* its own name */
  assert_false(op.has_participant || op.has_author);
  assert_true(ov_name_is_zero(&op.participant) && ov_name_is_zero(&op.author));
  ov_buf_free(&b);
}

/* PROTO-22, PROTO-28 */
static void refused_headers(void **state) {
  (void)state;
  static const struct {
    int err;
    const char *hex;
  } bad[] = {
      {OV_E_OP_FORMAT, ""},
      {OV_E_OP_FORMAT, "c0"},
      {OV_E_OP_FORMAT, "80"},
      {OV_E_OP_FORMAT, "96 02 c0 14 01 c0 c0"},
      {OV_E_OP_FORMAT, "98 02 c0 14 01 c0 c0 00 00"},
      {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 c0 00 00"},  /* trailing */
      {OV_E_OP_FORMAT, "dc0007 02 c0 14 01 c0 c0 00"}, /* longer forms */
      {OV_E_OP_FORMAT, "97 cc02 c0 14 01 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 02 c0 cd0014 01 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 02 c0 14 d001 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 c0 ce00000000"},
      {OV_E_OP_FORMAT, "97 02 c5001c" W "0000000000000001a43fbf6f 14 01 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 ff c0 14 01 c0 c0 00"}, /* other types and signs */
      {OV_E_OP_FORMAT, "97 c0 c0 14 01 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 02 02 14 01 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 02 c0 ff 01 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 02 c0 00 01 c0 c0 00"}, /* no kind */
      {OV_E_OP_FORMAT, "97 02 c0 14 a131 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 02 c0 14 01 c2 c0 00"},
      {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 90 00"},
      {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 c0 c0"},
      {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 c0 cb0000000000000000"},
      {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 c0 c1"},
      {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 c0 d400aa"},
      {OV_E_OP_FORMAT, "97 02" NAME("00", "aabbccdd") "14 01 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 02 c41b" W "0000000000000001a43fbf 14 01 c0 c0 00"},
      {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 c0 cf8000000000000000"}, /* no int64 */
      {OV_E_OP_LIMIT, "97 cf0000000100000000 c0 14 01 c0 c0 00"},
      {OV_E_OP_LIMIT, "97 02 c0 cd1000 01 c0 c0 00"},
      {OV_E_OP_LIMIT, "97 02 c0 cfffffffffffffffff 01 c0 c0 00"},
      {OV_E_OP_LIMIT, "97 02 c0 14 ce00010000 c0 c0 00"},
      {OV_E_OP_LIMIT, "97 02 c0 14 01 c0 c0 cf0020000000000000"},
      {OV_E_OP_LIMIT, "97 02 c0 14 01 c0 c0 d3ffe0000000000000"},
  };
  for (size_t i = 0; i < COUNT(bad); i++) {
    ov_buf b;
    ov_op op;
    ov_buf_init(&b, 0);
    assert_int_equal(header_of(bad[i].hex, &op, &b), bad[i].err);
    assert_null(op.header_bytes);
    ov_buf_free(&b);
  }
  static const uint8_t long_one[OV_HEADER_BYTES_MAX + 1] = {0x97};
  ov_op op = {0};
  assert_int_equal(ov_op_header_decode(long_one, sizeof long_one, &op), OV_E_OP_LIMIT);
  assert_int_equal(ov_op_header_decode(long_one, sizeof long_one - 1, &op), OV_E_OP_FORMAT);
}

static void a_header_cut_anywhere_is_refused(void **state) {
  (void)state;
  ov_buf b;
  ov_op op;
  ov_buf_init(&b, 0);
  assert_int_equal(header_of("97 05" NAME_1 "14 07" NAME_1 NAME_2 "ce69000000", &op, &b), 0);
  for (size_t n = 0; n < b.n; n++) assert_int_equal(ov_op_header_decode(b.p, n, &op), OV_E_OP_FORMAT);
  ov_buf_free(&b);
}

static void a_payload_goes_there_and_back(void **state) {
  (void)state;
  payload f;
  payload_init(&f);
  for (size_t i = 0; i < COUNT(good_payloads); i++) {
    ov_buf out;
    ov_buf_init(&out, 0);
    assert_int_equal(payload_of(&f, good_payloads[i]), 0);
    assert_int_equal(f.op.payload_err, 0);
    assert_ptr_equal(f.op.payload_bytes, f.in.p);
    ov_op_payload_encode(&f.op, &out); /* verbatim */
    assert_hex(out.p, out.n, good_payloads[i]);
    f.op.payload_bytes = NULL;
    ov_buf_reset(&out);
    ov_op_payload_encode(&f.op, &out); /* from the fields */
    assert_hex(out.p, out.n, good_payloads[i]);
    assert_int_equal(ov_op_validate(&f.op), 0);
    ov_buf_free(&out);
  }
  payload_free(&f);
}

static void a_payload_fills_the_op(void **state) {
  (void)state;
  payload f;
  payload_init(&f);
  static const char hex[] =
      "92 85 01 c0 03 d09e 05 a26869 07 c402ff00 08 92 92 01 02 91 c40109 92" NAME_1 NAME_2;
  assert_int_equal(payload_of(&f, hex), 0);
  assert_int_equal(f.op.n_fields, 5);
  assert_int_equal(f.op.n_replaces, 2);
  assert_int_equal(f.op.replaces[0].seq, 1);
  assert_int_equal(f.op.replaces[1].seq, 2);
  assert_int_equal(ov_op_field(&f.op, 1)->v.type, OV_V_NIL);
  ov_value v = ov_int(-98);
  assert_true(ov_value_equal(&ov_op_field(&f.op, 3)->v, &v));
  v = ov_text("hi");
  assert_true(ov_value_equal(&ov_op_field(&f.op, 5)->v, &v));
  v = ov_bytes("\xff\0", 2);
  assert_true(ov_value_equal(&ov_op_field(&f.op, 7)->v, &v));
  const ov_value *set = &ov_op_field(&f.op, 8)->v;
  assert_int_equal(set->type, OV_V_SET);
  assert_int_equal(set->set.n_add, 2);
  assert_int_equal(set->set.add[1].i, 2);
  assert_int_equal(set->set.n_del, 1);
  assert_int_equal(set->set.del[0].type, OV_V_BYTES);
  assert_null(ov_op_field(&f.op, 2));
  assert_null(ov_op_field(&f.op, 9));
  payload_free(&f);
}

/* PROTO-23, PROTO-28 */
static void refused_payloads(void **state) {
  (void)state;
  // clang-format off
  static const char *bad[] = {
    "", "c0", "80", "91 80", "93 80 90 90", "92 80 90 00", "92 90 90", "92 80 80", "92 80 c0", "92 c0 90",
    /* order, duplicates and ids of fields */
    "92 82 02 c0 02 c0 90", "92 82 03 c0 02 c0 90", "92 81 00 c0 90", "92 81 ff c0 90",
    "92 81 a102 c0 90", "92 81 c0 c0 90",
    /* longer forms, of everything */
    "dc0002 80 90", "92 de0000 90", "92 80 dc0000", "92 81 cc02 c0 90", "92 81 02 cc02 90",
    "92 81 02 d0ff 90", "92 81 02 cd00ff 90", "92 81 02 d90161 90", "92 81 02 da000161 90",
    "92 81 02 c5000161 90",
    "92 81 02 dc0002 90 90 90",
    "92 81 02 92 dc0000 90 90", "92 81 02 92 91 cc01 90 90", ("92 80 91 c5001c" W "0000000000000001aabbccdd"),
    /* bad text: stray bytes, overlong, surrogate, zero */
    "92 81 02 a1ff 90", "92 81 02 a2c080 90", "92 81 02 a3eda080 90", "92 81 02 a100 90",
    /* no value: map, bool, ext, floats, never used */
    "92 81 02 80 90", "92 81 02 c2 90", "92 81 02 c3 90", "92 81 02 d40000 90", "92 81 02 ca7fc00000 90",
    "92 81 02 cb7ff8000000000000 90", "92 81 02 c1 90", "92 81 02 cf8000000000000000 90",
    /* sets: shape, elements, order, duplicates, both added and deleted */
    "92 81 02 90 90", "92 81 02 91 90 90", "92 81 02 93 90 90 90 90", "92 81 02 92 00 90 90",
    "92 81 02 92 90 00 90",
    "92 81 02 92 91 a161 90 90", "92 81 02 92 91 c0 90 90", "92 81 02 92 91 90 90 90",
    "92 81 02 92 91 c2 90 90",
    "92 81 02 92 92 01 01 90 90", "92 81 02 92 92 02 01 90 90", "92 81 02 92 92 c40101 01 90 90",
    "92 81 02 92 92 c4020101 c40101 90 90", "92 81 02 92 90 92 01 01 90", "92 81 02 92 91 01 91 01 90",
    "92 81 02 92 93 01 05 09 93 02 03 09 90", "92 81 02 92 91 c40101 92 01 c40101 90",
    /* names that are replaced */
    ("92 80 92" NAME_1 NAME_1), ("92 80 92" NAME_2 NAME_1), "92 80 91 c0",
    ("92 80 91" NAME("00", "aabbccdd")),
    ("92 80 91 c41b" W "0000000000000001aabbcc"), ("92 80 92" NAME("01", "bb000000") NAME("01", "aa000000")),
    /* deeper than any value */
    "92 81 02 92 91 91 91 91 91 91 00 90 90",
  };
  // clang-format on
  payload f;
  payload_init(&f);
  for (size_t i = 0; i < COUNT(bad); i++) {
    assert_int_equal(payload_of(&f, bad[i]), OV_E_OP_FORMAT);
    assert_int_equal(f.op.payload_err, OV_E_OP_FORMAT);
    assert_null(f.op.fields);
    assert_null(f.op.replaces);
    assert_int_equal(f.op.n_fields + f.op.n_replaces, 0);
    /* the broken bytes are kept: they are what the chain was made over */
    assert_int_equal(f.op.payload_len, f.in.n);
    assert_ptr_equal(f.op.payload_bytes, f.in.p);
    assert_int_equal(ov_op_validate(&f.op), OV_E_OP_FORMAT);
  }
  payload_free(&f);
}

static void a_payload_cut_anywhere_is_refused(void **state) {
  (void)state;
  payload f;
  payload_init(&f);
  for (size_t i = 0; i < COUNT(good_payloads); i++) {
    assert_int_equal(payload_of(&f, good_payloads[i]), 0);
    for (size_t n = 0; n < f.in.n; n++)
      assert_int_equal(ov_op_payload_decode(f.in.p, n, &f.arena, &f.op), OV_E_OP_FORMAT);
  }
  payload_free(&f);
}

/* ---- limits: the most that is allowed passes, one more does not, and nothing is allocated for it ---- */

static int decode_buf(payload *f) {
  ov_arena_reset(&f->arena);
  assert_int_equal(f->in.err, 0);
  return ov_op_payload_decode(f->in.p, f->in.n, &f->arena, &f->op);
}

static void put_text_payload(payload *f, bool text, size_t n) {
  static uint8_t body[OV_TEXT_BYTES_MAX + 1];
  memset(body, 'x', sizeof body);
  ov_buf_reset(&f->in);
  ov_mpw_array(&f->in, 2);
  ov_mpw_map(&f->in, 1);
  ov_mpw_uint(&f->in, 2);
  if (text) ov_mpw_str(&f->in, body, n);
  else ov_mpw_bin(&f->in, body, n);
  ov_mpw_array(&f->in, 0);
}

static void limit_of_texts_and_bytes(void **state) {
  (void)state;
  payload f;
  payload_init(&f);
  for (int text = 0; text < 2; text++) {
    put_text_payload(&f, text, OV_TEXT_BYTES_MAX);
    assert_int_equal(decode_buf(&f), 0);
    put_text_payload(&f, text, OV_TEXT_BYTES_MAX + 1);
    assert_int_equal(decode_buf(&f), OV_E_OP_LIMIT);
    assert_int_equal(f.op.payload_err, OV_E_OP_LIMIT);
  }
  payload_free(&f);
}

static void put_set_payload(payload *f, uint32_t n_add, uint32_t n_del) {
  ov_buf_reset(&f->in);
  ov_mpw_array(&f->in, 2);
  ov_mpw_map(&f->in, 1);
  ov_mpw_uint(&f->in, 2);
  ov_mpw_array(&f->in, 2);
  ov_mpw_array(&f->in, n_add);
  for (uint32_t i = 0; i < n_add; i++) ov_mpw_uint(&f->in, i);
  ov_mpw_array(&f->in, n_del);
  for (uint32_t i = 0; i < n_del; i++) ov_mpw_uint(&f->in, 1000 + i);
  ov_mpw_array(&f->in, 0);
}

/* PROTO-24 */
static void limit_of_set_elements(void **state) {
  (void)state;
  static const struct {
    uint32_t add, del;
    int err;
  } sets[] = {
      {OV_SET_ELEMENTS_MAX, 0, 0},
      {0, OV_SET_ELEMENTS_MAX, 0},
      {100, OV_SET_ELEMENTS_MAX - 100, 0},
      {OV_SET_ELEMENTS_MAX + 1, 0, OV_E_OP_LIMIT},
      {0, OV_SET_ELEMENTS_MAX + 1, OV_E_OP_LIMIT},
      {101, OV_SET_ELEMENTS_MAX - 100, OV_E_OP_LIMIT},
      {OV_SET_ELEMENTS_MAX, 1, OV_E_OP_LIMIT},
  };
  payload f;
  payload_init(&f);
  for (size_t i = 0; i < COUNT(sets); i++) {
    put_set_payload(&f, sets[i].add, sets[i].del);
    assert_int_equal(decode_buf(&f), sets[i].err);
  }
  put_set_payload(&f, 5000, 0); /* far over: not a byte for its elements */
  assert_int_equal(decode_buf(&f), OV_E_OP_LIMIT);
  assert_true(f.arena.used <= sizeof(ov_field) + 16);
  payload_free(&f);
}

static void put_counts_payload(payload *f, uint32_t n_fields, uint32_t n_replaces) {
  ov_buf_reset(&f->in);
  ov_mpw_array(&f->in, 2);
  ov_mpw_map(&f->in, n_fields);
  for (uint32_t i = 0; i < n_fields; i++) {
    ov_mpw_uint(&f->in, i + 1);
    ov_mpw_nil(&f->in);
  }
  ov_mpw_array(&f->in, n_replaces);
  for (uint32_t i = 0; i < n_replaces; i++) {
    ov_name n = name(i + 1, 0);
    ov_mpw_name(&f->in, &n);
  }
}

/* PROTO-23 */
static void limits_of_fields_and_replaces(void **state) {
  (void)state;
  payload f;
  payload_init(&f);
  put_counts_payload(&f, OV_FIELD_ID_MAX, OV_OP_REPLACES_MAX);
  assert_int_equal(decode_buf(&f), 0);
  assert_int_equal(f.op.n_fields, OV_FIELD_ID_MAX);
  assert_int_equal(f.op.n_replaces, OV_OP_REPLACES_MAX);
  put_counts_payload(&f, OV_FIELD_ID_MAX + 1, 0); /* the last id is too high */
  assert_int_equal(decode_buf(&f), OV_E_OP_LIMIT);
  put_counts_payload(&f, OV_OP_FIELDS_MAX + 1, 0);
  assert_int_equal(decode_buf(&f), OV_E_OP_LIMIT);
  assert_int_equal(f.arena.used, 0);
  put_counts_payload(&f, 0, OV_OP_REPLACES_MAX + 1);
  assert_int_equal(decode_buf(&f), OV_E_OP_LIMIT);
  assert_int_equal(f.arena.used, 0);
  payload_free(&f);
}

/* PROTO-23 */
static void limit_of_the_whole_payload(void **state) {
  (void)state;
  static uint8_t body[OV_TEXT_BYTES_MAX];
  payload f;
  payload_init(&f);
  for (uint32_t extra = 0; extra < 2; extra++) {
    ov_field fields[2] = {{1, ov_bytes(body, OV_TEXT_BYTES_MAX)},
                          {2, ov_bytes(body, OV_PAYLOAD_BYTES_MAX - OV_TEXT_BYTES_MAX - 11 + extra)}};
    ov_op op = {.name = name(1, 0), .creates = true, .kind = 20, .fields = fields, .n_fields = 2};
    int expected = extra ? OV_E_OP_LIMIT : 0;
    ov_buf_reset(&f.in);
    ov_op_payload_encode(&op, &f.in);
    assert_int_equal(f.in.n, OV_PAYLOAD_BYTES_MAX + extra);
    assert_int_equal(decode_buf(&f), expected);
    assert_int_equal(ov_op_validate(&op), expected);
    assert_int_equal(ov_op_validate(&f.op), expected); /* verbatim bytes too */
  }
  payload_free(&f);
}

/* Every arena that is too small, down to none, gives NOMEM and an op without fields; the op itself is not to
 * blame. */
static void a_full_arena_is_not_the_ops_fault(void **state) {
  (void)state;
  static const char hex[] = "92 83 03 92 92 01 02 92 03 04 05 92 91 07 90 07 a26869 92" NAME_1 NAME_2;
  payload f;
  payload_init(&f);
  assert_int_equal(payload_of(&f, hex), 0);
  size_t needed = f.arena.used;
  for (size_t max = 0; max <= needed; max += 8) {
    ov_arena small;
    ov_arena_init(&small, max);
    int err = ov_op_payload_decode(f.in.p, f.in.n, &small, &f.op);
    assert_int_equal(err, max < needed ? OV_E_NOMEM : 0);
    assert_int_equal(f.op.payload_err, 0);
    assert_int_equal(f.op.n_fields, max < needed ? 0 : 3);
    ov_arena_free(&small);
  }
  FOR_EACH_FAULT(k) {
    ov_arena fresh;
    ov_arena_init(&fresh, OV_DECODE_ARENA_BYTES_MAX);
    int err = ov_op_payload_decode(f.in.p, f.in.n, &fresh, &f.op);
    assert_int_equal(err, fault_hit() ? OV_E_NOMEM : 0);
    ov_arena_free(&fresh);
  }
  payload_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_header_goes_there_and_back),
      cmocka_unit_test(a_header_fills_the_op),
      cmocka_unit_test(refused_headers),
      cmocka_unit_test(a_header_cut_anywhere_is_refused),
      cmocka_unit_test(a_payload_goes_there_and_back),
      cmocka_unit_test(a_payload_fills_the_op),
      cmocka_unit_test(refused_payloads),
      cmocka_unit_test(a_payload_cut_anywhere_is_refused),
      cmocka_unit_test(limit_of_texts_and_bytes),
      cmocka_unit_test(limit_of_set_elements),
      cmocka_unit_test(limits_of_fields_and_replaces),
      cmocka_unit_test(limit_of_the_whole_payload),
      cmocka_unit_test(a_full_arena_is_not_the_ops_fault),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
