#include "util.h"

#include "faults.h"
#include "ov/op.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define W "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define NAME(seq, tag) "c41c" W "00000000000000" seq tag
#define NAME_1 NAME("01", "a43fbf6f")
#define NAME_2 NAME("02", "8fb70871")

static ov_name name(uint64_t seq, uint8_t tag)
{
  ov_name n = {.seq = seq, .tag = {tag}};
  for (uint8_t i = 0; i < OV_ID_BYTES; i++)
    n.writer.b[i] = (uint8_t)(0xa0 + i);
  return n;
}

/* ---- header ---- */

static int header_of(const char *hex, ov_op *op, ov_buf *b)
{
  ov_buf_reset(b);
  put_hex(b, hex);
  *op = (ov_op){.name = name(9, 0)};
  return ov_op_header_decode(b->p, b->n, op);
}

static void a_header_goes_there_and_back(void **state)
{
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
static void a_header_fills_the_op(void **state)
{
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
static void refused_headers(void **state)
{
  (void)state;
  static const struct { int err; const char *hex; } bad[] = {
    {OV_E_OP_FORMAT, ""},
    {OV_E_OP_FORMAT, "c0"},
    {OV_E_OP_FORMAT, "80"},
    {OV_E_OP_FORMAT, "96 02 c0 14 01 c0 c0"},
    {OV_E_OP_FORMAT, "98 02 c0 14 01 c0 c0 00 00"},
    {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 c0 00 00"},          /* trailing */
    {OV_E_OP_FORMAT, "dc0007 02 c0 14 01 c0 c0 00"},         /* longer forms */
    {OV_E_OP_FORMAT, "97 cc02 c0 14 01 c0 c0 00"},
    {OV_E_OP_FORMAT, "97 02 c0 cd0014 01 c0 c0 00"},
    {OV_E_OP_FORMAT, "97 02 c0 14 d001 c0 c0 00"},
    {OV_E_OP_FORMAT, "97 02 c0 14 01 c0 c0 ce00000000"},
    {OV_E_OP_FORMAT, "97 02 c5001c" W "0000000000000001a43fbf6f 14 01 c0 c0 00"},
    {OV_E_OP_FORMAT, "97 ff c0 14 01 c0 c0 00"},             /* other types and signs */
    {OV_E_OP_FORMAT, "97 c0 c0 14 01 c0 c0 00"},
    {OV_E_OP_FORMAT, "97 02 02 14 01 c0 c0 00"},
    {OV_E_OP_FORMAT, "97 02 c0 ff 01 c0 c0 00"},
    {OV_E_OP_FORMAT, "97 02 c0 00 01 c0 c0 00"},             /* no kind */
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

static void a_header_cut_anywhere_is_refused(void **state)
{
  (void)state;
  ov_buf b;
  ov_op op;
  ov_buf_init(&b, 0);
  assert_int_equal(header_of("97 05" NAME_1 "14 07" NAME_1 NAME_2 "ce69000000", &op, &b), 0);
  for (size_t n = 0; n < b.n; n++)
    assert_int_equal(ov_op_header_decode(b.p, n, &op), OV_E_OP_FORMAT);
  ov_buf_free(&b);
}

/* ---- payload ---- */

typedef struct payload {
  ov_buf in;
  ov_arena arena;
  ov_op op;
} payload;

static void payload_init(payload *f)
{
  ov_buf_init(&f->in, 0);
  ov_arena_init(&f->arena, OV_DECODE_ARENA_BYTES_MAX);
  f->op = (ov_op){.name = name(1, 0), .creates = true, .kind = 20};
}

static void payload_free(payload *f)
{
  ov_buf_free(&f->in);
  ov_arena_free(&f->arena);
}

static int payload_of(payload *f, const char *hex)
{
  ov_buf_reset(&f->in);
  ov_arena_reset(&f->arena);
  put_hex(&f->in, hex);
  f->op.payload_err = 77;
  return ov_op_payload_decode(f->in.p, f->in.n, &f->arena, &f->op);
}

static const char *good_payloads[] = {
  "92 80 90",
  "92 81 01 c0 90",
  "92 82 03 d09e 7f a6727573746967 90",
  "92 81 02 a0 91" NAME_1,
  "92 81 02 c400 92" NAME_1 NAME_2,
  "92 81 02 92 90 90 90",
  "92 81 02 92 93 e0 00 c40100 90 90",
  "92 81 02 92 90 92 c400 c40100 90",
  "92 81 02 92 92 01 05 93 02 03 06 90",
  "92 81 02 92 92 02 06 92 01 05 90",
  "92 81 02 92 dc0011 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 90 90",
  "92 81 02 cf7fffffffffffffff 90",
  "92 81 02 d38000000000000000 90",
  "92 de0010 01c0 02c0 03c0 04c0 05c0 06c0 07c0 08c0 09c0 0ac0 0bc0 0cc0 0dc0 0ec0 0fc0 10c0 90",
};

static void a_payload_goes_there_and_back(void **state)
{
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

static void a_payload_fills_the_op(void **state)
{
  (void)state;
  payload f;
  payload_init(&f);
  static const char hex[] = "92 85 01 c0 03 d09e 05 a26869 07 c402ff00 08 92 92 01 02 91 c40109 92" NAME_1 NAME_2;
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
static void refused_payloads(void **state)
{
  (void)state;
  // clang-format off
  static const char *bad[] = {
    "", "c0", "80", "91 80", "93 80 90 90", "92 80 90 00", "92 90 90", "92 80 80", "92 80 c0", "92 c0 90",
    /* order, duplicates and ids of fields */
    "92 82 02 c0 02 c0 90", "92 82 03 c0 02 c0 90", "92 81 00 c0 90", "92 81 ff c0 90",
    "92 81 a102 c0 90", "92 81 c0 c0 90",
    /* longer forms, of everything */
    "dc0002 80 90", "92 de0000 90", "92 80 dc0000", "92 81 cc02 c0 90", "92 81 02 cc02 90",
    "92 81 02 d0ff 90", "92 81 02 cd00ff 90", "92 81 02 d90161 90", "92 81 02 da000161 90", "92 81 02 c5000161 90",
    "92 81 02 dc0002 90 90 90",
    "92 81 02 92 dc0000 90 90", "92 81 02 92 91 cc01 90 90", "92 80 91 c5001c" W "0000000000000001aabbccdd",
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
    "92 80 92" NAME_1 NAME_1, "92 80 92" NAME_2 NAME_1, "92 80 91 c0", "92 80 91" NAME("00", "aabbccdd"),
    "92 80 91 c41b" W "0000000000000001aabbcc", "92 80 92" NAME("01", "bb000000") NAME("01", "aa000000"),
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

static void a_payload_cut_anywhere_is_refused(void **state)
{
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

static int decode_buf(payload *f)
{
  ov_arena_reset(&f->arena);
  assert_int_equal(f->in.err, 0);
  return ov_op_payload_decode(f->in.p, f->in.n, &f->arena, &f->op);
}

static void put_text_payload(payload *f, bool text, size_t n)
{
  static uint8_t body[OV_TEXT_BYTES_MAX + 1];
  memset(body, 'x', sizeof body);
  ov_buf_reset(&f->in);
  ov_mpw_array(&f->in, 2);
  ov_mpw_map(&f->in, 1);
  ov_mpw_uint(&f->in, 2);
  if (text)
    ov_mpw_str(&f->in, body, n);
  else
    ov_mpw_bin(&f->in, body, n);
  ov_mpw_array(&f->in, 0);
}

static void limit_of_texts_and_bytes(void **state)
{
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

static void put_set_payload(payload *f, uint32_t n_add, uint32_t n_del)
{
  ov_buf_reset(&f->in);
  ov_mpw_array(&f->in, 2);
  ov_mpw_map(&f->in, 1);
  ov_mpw_uint(&f->in, 2);
  ov_mpw_array(&f->in, 2);
  ov_mpw_array(&f->in, n_add);
  for (uint32_t i = 0; i < n_add; i++)
    ov_mpw_uint(&f->in, i);
  ov_mpw_array(&f->in, n_del);
  for (uint32_t i = 0; i < n_del; i++)
    ov_mpw_uint(&f->in, 1000 + i);
  ov_mpw_array(&f->in, 0);
}

/* PROTO-24 */
static void limit_of_set_elements(void **state)
{
  (void)state;
  static const struct { uint32_t add, del; int err; } sets[] = {
    {OV_SET_ELEMENTS_MAX, 0, 0}, {0, OV_SET_ELEMENTS_MAX, 0}, {100, OV_SET_ELEMENTS_MAX - 100, 0},
    {OV_SET_ELEMENTS_MAX + 1, 0, OV_E_OP_LIMIT}, {0, OV_SET_ELEMENTS_MAX + 1, OV_E_OP_LIMIT},
    {101, OV_SET_ELEMENTS_MAX - 100, OV_E_OP_LIMIT}, {OV_SET_ELEMENTS_MAX, 1, OV_E_OP_LIMIT},
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

static void put_counts_payload(payload *f, uint32_t n_fields, uint32_t n_replaces)
{
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
static void limits_of_fields_and_replaces(void **state)
{
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
static void limit_of_the_whole_payload(void **state)
{
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
static void a_full_arena_is_not_the_ops_fault(void **state)
{
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

/* ---- values ---- */

/* PROTO-24 */
static void values_have_one_order(void **state)
{
  (void)state;
  ov_value one_two[] = {ov_int(1), ov_int(2)}, one[] = {ov_int(1)}, text_like[] = {ov_bytes("a", 1)};
  ov_value sets[] = {
    {.type = OV_V_SET},
    {.type = OV_V_SET, .set = {.del = one, .n_del = 1}},
    {.type = OV_V_SET, .set = {.del = one_two, .n_del = 2}},
    {.type = OV_V_SET, .set = {.add = one, .n_add = 1}},
    {.type = OV_V_SET, .set = {.add = one_two, .n_add = 2}},
    {.type = OV_V_SET, .set = {.add = text_like, .n_add = 1}},
  };
  // clang-format off
  ov_value ascending[] = {
    ov_nil(), ov_int(INT64_MIN), ov_int(-1), ov_int(0), ov_int(INT64_MAX), ov_text(""), ov_text("a"),
    ov_text("aa"), ov_text("b"),
    ov_bytes(NULL, 0), ov_bytes("\0", 1), ov_bytes("\0\0", 2), ov_bytes("\xff", 1), sets[0], sets[1], sets[2],
    sets[3], sets[4],
    sets[5],
  };
  // clang-format on
  for (size_t i = 0; i < COUNT(ascending); i++)
    for (size_t j = 0; j < COUNT(ascending); j++) {
      int c = ov_value_compare(&ascending[i], &ascending[j]);
      assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
      assert_int_equal(ov_value_equal(&ascending[i], &ascending[j]), i == j);
    }
}

/* A value is read canonically also where the message around it may be longer than needed, and leaves that as
 * it was. */
static void a_value_is_canonical_inside_a_lenient_reader(void **state)
{
  (void)state;
  ov_buf b;
  ov_arena a;
  ov_mpr r;
  ov_value v;
  ov_buf_init(&b, 0);
  ov_arena_init(&a, 1000);
  put_hex(&b, "dc0003 92 91 05 90 cc05 cc05");
  ov_mpr_init(&r, b.p, b.n);
  assert_int_equal(ov_mpr_array(&r), 3);
  ov_value_decode(&r, &a, &v);
  assert_int_equal(v.type, OV_V_SET);
  assert_int_equal(ov_mpr_int(&r), 5);
  assert_int_equal(r.err, 0);
  ov_value_decode(&r, &a, &v);
  assert_int_equal(r.err, OV_E_FORMAT);
  assert_int_equal(v.type, OV_V_NIL);
  ov_value_decode(&r, &a, &v);
  assert_int_equal(r.err, OV_E_FORMAT);
  ov_buf_free(&b);
  ov_arena_free(&a);
}

/* ---- ops built by hand ---- */

typedef struct hand {
  ov_op op;
  ov_field fields[4];
  ov_value elements[4];
  ov_name replaces[3];
} hand;

static void hand_init(hand *h)
{
  *h = (hand){
    .op = {.name = name(3, 3), .scope = 2, .kind = 20, .version = 1, .has_participant = true,
           .has_author = true, .record = name(1, 1), .participant = name(1, 1), .author = name(2, 2), .device_time = 1761607680,
           .n_fields = 4,
           .n_replaces = 3},
    .fields = {{1, ov_nil()}, {2, ov_int(300)}, {3, ov_text("twee keer op")}, {127, {.type = OV_V_SET}}},
    .elements = {ov_int(1), ov_bytes("c", 1), ov_int(2), ov_bytes("d", 1)},
    .replaces = {name(1, 1), name(2, 1), name(2, 2)},
  };
  h->op.fields = h->fields;
  h->op.replaces = h->replaces;
  h->fields[3].v.set.add = h->elements;
  h->fields[3].v.set.del = h->elements + 2;
  h->fields[3].v.set.n_add = h->fields[3].v.set.n_del = 2;
}

static void validate_finds_what_the_decoders_would_refuse(void **state)
{
  (void)state;
  static uint8_t large[OV_TEXT_BYTES_MAX + 1];
  memset(large, 'x', sizeof large);
  ov_field many[OV_OP_FIELDS_MAX + 1];
  ov_name names[OV_OP_REPLACES_MAX + 1];
  for (uint16_t i = 0; i < COUNT(many); i++)
    many[i] = (ov_field){(uint16_t)(i + 1), ov_nil()};
  for (uint16_t i = 0; i < COUNT(names); i++)
    names[i] = name(i + 1u, 0);
  hand h;
#define CHANGED(err, change) \
  do { \
    hand_init(&h); \
    change; \
    assert_int_equal(ov_op_validate(&h.op), err); \
  } while (0)
  CHANGED(0, (void)0);
  CHANGED(0, h.op.creates = true; h.op.record.seq = 0);
  CHANGED(0, h.op.has_participant = false; h.op.participant.seq = 0);
  CHANGED(0, h.op.has_author = false; h.op.author.seq = 0);
  CHANGED(OV_E_OP_FORMAT, h.op.name.seq = 0);
  CHANGED(OV_E_OP_FORMAT, h.op.name.seq = OV_SEQ_MAX + 1);
  CHANGED(OV_E_OP_FORMAT, h.op.record.seq = 0);
  CHANGED(OV_E_OP_FORMAT, h.op.participant.seq = 0);
  CHANGED(OV_E_OP_FORMAT, h.op.author.seq = OV_SEQ_MAX + 1);
  CHANGED(OV_E_OP_FORMAT, h.op.kind = 0);
  CHANGED(OV_E_OP_LIMIT, h.op.kind = OV_KIND_ID_MAX + 1);
  CHANGED(OV_E_OP_LIMIT, h.op.device_time = OV_TIME_S_MAX + 1);
  CHANGED(OV_E_OP_LIMIT, h.op.device_time = INT64_MIN);
  CHANGED(OV_E_OP_FORMAT, h.fields[0].id = 0);
  CHANGED(OV_E_OP_FORMAT, h.fields[1].id = 1);
  CHANGED(OV_E_OP_FORMAT, h.fields[1].id = 126);
  CHANGED(OV_E_OP_LIMIT, h.fields[3].id = OV_FIELD_ID_MAX + 1);
  CHANGED(OV_E_OP_LIMIT, h.op.fields = many; h.op.n_fields = COUNT(many));
  CHANGED(0, h.op.fields = many; h.op.n_fields = OV_FIELD_ID_MAX);
  CHANGED(OV_E_OP_FORMAT, h.fields[1].v.type = (ov_vtype)9);
  CHANGED(OV_E_OP_FORMAT, h.fields[2].v = ov_text("\xff"));
  CHANGED(OV_E_OP_LIMIT, h.fields[2].v = ov_bytes(large, sizeof large));
  CHANGED(OV_E_OP_LIMIT, h.fields[2].v = ov_bytes(large, sizeof large); h.fields[2].v.type = OV_V_TEXT);
  CHANGED(OV_E_OP_LIMIT, h.fields[3].v.set.n_add = OV_SET_ELEMENTS_MAX + 1);
  CHANGED(OV_E_OP_LIMIT, h.fields[3].v.set.n_del = OV_SET_ELEMENTS_MAX - 1);
  CHANGED(OV_E_OP_FORMAT, h.elements[0] = ov_nil());
  CHANGED(OV_E_OP_FORMAT, h.elements[0] = ov_text("a"));
  CHANGED(OV_E_OP_FORMAT, h.elements[1] = ov_int(1));
  CHANGED(OV_E_OP_LIMIT, h.elements[1] = ov_bytes(large, sizeof large));
  CHANGED(OV_E_OP_FORMAT, h.elements[3] = ov_int(0));
  CHANGED(OV_E_OP_FORMAT, h.elements[3] = ov_bytes("c", 1));
  CHANGED(OV_E_OP_FORMAT, h.elements[2] = ov_int(1));
  CHANGED(OV_E_OP_FORMAT, h.replaces[1] = h.replaces[0]);
  CHANGED(OV_E_OP_FORMAT, h.replaces[0].seq = 3);
  CHANGED(OV_E_OP_FORMAT, h.replaces[0].seq = 0);
  CHANGED(OV_E_OP_LIMIT, h.op.replaces = names; h.op.n_replaces = COUNT(names));
  CHANGED(0, h.op.replaces = names; h.op.n_replaces = COUNT(names) - 1);
  CHANGED(0, h.op.is_void = true; h.op.kind = 0);
  CHANGED(OV_E_OP_FORMAT, h.op.is_void = true; h.op.name.seq = 0);
  CHANGED(0, h.op.header_bytes = large; h.op.header_len = OV_HEADER_BYTES_MAX; h.op.kind = 0);
  CHANGED(OV_E_OP_LIMIT, h.op.header_bytes = large; h.op.header_len = OV_HEADER_BYTES_MAX + 1);
  CHANGED(0, h.op.payload_bytes = large; h.op.payload_len = 10; h.op.n_fields = 999);
  CHANGED(OV_E_OP_LIMIT, h.op.payload_bytes = large; h.op.payload_len = OV_PAYLOAD_BYTES_MAX + 1);
  CHANGED(OV_E_OP_LIMIT, h.op.payload_err = OV_E_OP_LIMIT);
}

static const int64_t edges[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, INT64_MAX, -1,
                                -32, -33, -128, -129,
                                -32768, -32769, INT32_MIN, -2147483649ll, INT64_MIN};

/* Fills the op's last field until the payload has exactly that size. */
static void pad_to(ov_op *op, ov_buf *b, size_t size)
{
  static const uint8_t pad[OV_TEXT_BYTES_MAX];
  ov_field *last = &op->fields[op->n_fields - 1];
  last->v = ov_bytes(pad, 1000);
  ov_buf_reset(b);
  ov_op_payload_encode(op, b);
  last->v.s.n += (uint32_t)(size - b->n);
}

/* Validate counts the bytes without writing them; a count that is off by one shows at the limit. */
static void validate_counts_every_byte(void **state)
{
  (void)state;
  static const uint8_t body[OV_TEXT_BYTES_MAX];
  static const uint32_t counts[] = {0, 1, 13, 14, 15, 16, 17, 31, 32, 40};
  ov_field fields[60];
  ov_value elements[40];
  ov_name replaces[40];
  ov_buf b;
  ov_buf_init(&b, 0);
  for (size_t i = 0; i < COUNT(edges) * COUNT(counts); i++) {
    uint32_t n = counts[i % COUNT(counts)];
    ov_op op = {.name = name(1, 0), .creates = true, .kind = 20, .fields = fields, .n_fields = n + 5,
                .replaces = replaces, .n_replaces = n};
    for (uint32_t k = 0; k < n + 5; k++)
      fields[k] = (ov_field){(uint16_t)(k + 1), k % 2 ? ov_nil() : ov_int(edges[i / COUNT(counts)])};
    for (uint32_t k = 0; k < n; k++) {
      elements[k] = ov_int(k);
      replaces[k] = name(k + 1, 0);
    }
    fields[n].v = (ov_value){.type = OV_V_SET, .set = {.add = elements, .n_add = n}};
    fields[n + 1].v = ov_text("0123456789012345678901234567890123456789");
    fields[n + 1].v.s.n = n;
    fields[n + 2].v = ov_bytes(body, 255 + (uint32_t)(i % 2));
    fields[n + 3].v = ov_bytes(body, 6000);
    pad_to(&op, &b, OV_PAYLOAD_BYTES_MAX);
    assert_int_equal(ov_op_validate(&op), 0);
    pad_to(&op, &b, OV_PAYLOAD_BYTES_MAX + 1);
    assert_int_equal(ov_op_validate(&op), OV_E_OP_LIMIT);
  }
  ov_buf_free(&b);
}

static ov_value random_scalar(uint64_t *s)
{
  static const uint8_t bytes[300] = "abcdefghij\xff";
  switch (rnd_below(s, 8)) {
  case 0: return ov_nil();
  case 1: return ov_bytes(bytes + rnd_below(s, 4), rnd_below(s, 290));
  case 2: return ov_text("onrustig");
  case 3: return ov_bytes(bytes + rnd_below(s, 8), 1 + rnd_below(s, 2));
  case 4: return (ov_value){.type = OV_V_TEXT, .s = {bytes + rnd_below(s, 8), rnd_below(s, 4)}};
  default: return ov_int(edges[rnd_below(s, COUNT(edges))]);
  }
}

static void random_set(uint64_t *s, ov_value *v, ov_value *room)
{
  v->type = OV_V_SET;
  v->set.n_add = rnd_below(s, 4);
  v->set.n_del = rnd_below(s, 4);
  v->set.add = room;
  v->set.del = room + v->set.n_add;
  int64_t at = -2;
  for (uint32_t i = 0; i < v->set.n_add + v->set.n_del; i++)
    room[i] = rnd_below(s, 12) ? ov_int(at += 1 + rnd_below(s, 200)) : random_scalar(s);
}

/* Random ops, most of them right and some wrong in some way: exactly those that validate takes survive
 * encoding and decoding. */
static void validate_and_decode_agree(void **state)
{
  (void)state;
  uint64_t seed = 7;
  unsigned taken = 0;
  payload f;
  payload_init(&f);
  for (unsigned round = 0; round < 20000; round++) {
    hand h;
    ov_value room[4][8];
    ov_op back = {0};
    hand_init(&h);
    h.op.creates = rnd_below(&seed, 2);
    h.op.scope = (uint32_t)rnd(&seed);
    h.op.device_time = edges[rnd_below(&seed, COUNT(edges) - 1)];
    h.op.n_fields = rnd_below(&seed, 5);
    h.op.n_replaces = rnd_below(&seed, 4);
    for (unsigned i = 0; i < 4; i++) {
      h.fields[i].id = (uint16_t)(i * 31 + 1 + rnd_below(&seed, 33));
      if (rnd_below(&seed, 3))
        h.fields[i].v = random_scalar(&seed);
      else
        random_set(&seed, &h.fields[i].v, room[i]);
    }
    int valid = ov_op_validate(&h.op);
    ov_buf_reset(&f.in);
    ov_arena_reset(&f.arena);
    ov_op_header_encode(&h.op, &f.in);
    size_t split = f.in.n;
    ov_op_payload_encode(&h.op, &f.in);
    int err = ov_op_header_decode(f.in.p, split, &back);
    if (!err)
      err = ov_op_payload_decode(f.in.p + split, f.in.n - split, &f.arena, &back);
    assert_int_equal(valid == 0, err == 0);
    taken += err == 0;
    for (uint32_t i = 0; !err && i < h.op.n_fields; i++)
      assert_true(ov_value_equal(&h.fields[i].v, &back.fields[i].v));
  }
  assert_in_range(taken, 4000, 18000); /* both answers were met often */
  payload_free(&f);
}

static void a_copy_is_deep(void **state)
{
  (void)state;
  payload f, g;
  ov_buf b, expected, got;
  payload_init(&f);
  payload_init(&g);
  ov_buf_init(&b, 0);
  ov_buf_init(&expected, 0);
  ov_buf_init(&got, 0);
  assert_int_equal(header_of("97 05" NAME_1 "14 07" NAME_1 NAME_2 "ce69000000", &f.op, &b), 0);
  assert_int_equal(payload_of(&f, "92 83 03 92 91 c40161 91 c40162 05 a26869 07 c402ff00 92" NAME_1 NAME_2),
                   0);
  ov_op_header_encode(&f.op, &expected);
  ov_op_payload_encode(&f.op, &expected);
  ov_op *copy = ov_op_dup(&f.op, &g.arena);
  assert_non_null(copy);
  memset(b.p, 0xcc, b.n); /* the bytes it was decoded from, and its arena */
  memset(f.in.p, 0xcc, f.in.n);
  memset(f.op.fields, 0xcc, f.op.n_fields * sizeof *f.op.fields);
  memset(f.op.replaces, 0xcc, f.op.n_replaces * sizeof *f.op.replaces);
  for (int verbatim = 1; verbatim >= 0; verbatim--) {
    ov_buf_reset(&got);
    ov_op_header_encode(copy, &got);
    ov_op_payload_encode(copy, &got);
    assert_int_equal(got.n, expected.n);
    assert_memory_equal(got.p, expected.p, got.n);
    copy->header_bytes = copy->payload_bytes = NULL;
  }
  ov_op empty = {.name = name(1, 1)};
  ov_op *of_empty = ov_op_dup(&empty, &g.arena);
  assert_non_null(of_empty);
  assert_null(of_empty->header_bytes);
  assert_null(of_empty->payload_bytes);
  ov_buf_free(&b);
  ov_buf_free(&expected);
  ov_buf_free(&got);
  payload_free(&f);
  payload_free(&g);
}

static void a_copy_without_room_is_null(void **state)
{
  (void)state;
  payload f;
  ov_buf b;
  payload_init(&f);
  ov_buf_init(&b, 0);
  assert_int_equal(header_of("97 05" NAME_1 "14 07 c0 c0 00", &f.op, &b), 0);
  static const char hex[] = "92 84 03 92 92 c40161 c40162 92 c40163 c40164 05 a26869 06 92 90 90 07 05 91" NAME_1;
  assert_int_equal(payload_of(&f, hex), 0);
  size_t max = 0;
  for (;; max += 16) {
    ov_arena small;
    ov_arena_init(&small, max);
    ov_op *copy = ov_op_dup(&f.op, &small);
    ov_arena_free(&small);
    if (copy)
      break;
  }
  assert_in_range(max, sizeof(ov_op) + 4 * sizeof(ov_field) + sizeof(ov_name), 2000);
  ov_buf_free(&b);
  payload_free(&f);
}

/* ---- mutations ---- */

/* What the decoders take after 50,000 mutations each is canonical: it encodes to the very same bytes. */
static void mutated_payloads_are_refused_or_canonical(void **state)
{
  (void)state;
  uint64_t seed = 99;
  unsigned taken = 0;
  payload f;
  ov_buf out;
  payload_init(&f);
  ov_buf_init(&out, 0);
  for (unsigned i = 0; i < 50000; i++) {
    uint8_t p[256];
    ov_buf_reset(&f.in);
    put_hex(&f.in, good_payloads[i % COUNT(good_payloads)]);
    memcpy(p, f.in.p, f.in.n);
    size_t n = mutate(&seed, p, f.in.n, sizeof p);
    ov_arena_reset(&f.arena);
    int err = ov_op_payload_decode(p, n, &f.arena, &f.op);
    assert_true(err == 0 || err == OV_E_OP_FORMAT || err == OV_E_OP_LIMIT);
    assert_int_equal(f.op.payload_err, err);
    if (err)
      continue;
    taken++;
    f.op.payload_bytes = NULL;
    assert_int_equal(ov_op_validate(&f.op), 0);
    ov_buf_reset(&out);
    ov_op_payload_encode(&f.op, &out);
    assert_int_equal(out.n, n);
    assert_memory_equal(out.p, p, n);
  }
  assert_in_range(taken, 1000, 49000);
  ov_buf_free(&out);
  payload_free(&f);
}

static void mutated_headers_are_refused_or_canonical(void **state)
{
  (void)state;
  static const char *headers[] = {"97 02 c0 14 01 c0 c0 00",
                                  "97 cd0102" NAME_1 "cd0fff cc80" NAME_1 NAME_2 "ce69000000"};
  uint64_t seed = 100;
  unsigned taken = 0;
  ov_buf b, out;
  ov_buf_init(&b, 0);
  ov_buf_init(&out, 0);
  for (unsigned i = 0; i < 50000; i++) {
    uint8_t p[256];
    ov_op op;
    assert_int_equal(header_of(headers[i & 1], &op, &b), 0);
    memcpy(p, b.p, b.n);
    size_t n = mutate(&seed, p, b.n, sizeof p);
    op = (ov_op){.name = name(9, 0)};
    int err = ov_op_header_decode(p, n, &op);
    assert_true(err == 0 || err == OV_E_OP_FORMAT || err == OV_E_OP_LIMIT);
    if (err)
      continue;
    taken++;
    op.header_bytes = NULL;
    assert_int_equal(ov_op_validate(&op), 0);
    ov_buf_reset(&out);
    ov_op_header_encode(&op, &out);
    assert_int_equal(out.n, n);
    assert_memory_equal(out.p, p, n);
  }
  assert_in_range(taken, 1000, 49000);
  ov_buf_free(&b);
  ov_buf_free(&out);
}

int main(void)
{
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
    cmocka_unit_test(values_have_one_order),
    cmocka_unit_test(a_value_is_canonical_inside_a_lenient_reader),
    cmocka_unit_test(validate_finds_what_the_decoders_would_refuse),
    cmocka_unit_test(validate_counts_every_byte),
    cmocka_unit_test(validate_and_decode_agree),
    cmocka_unit_test(a_copy_is_deep),
    cmocka_unit_test(a_copy_without_room_is_null),
    cmocka_unit_test(mutated_payloads_are_refused_or_canonical),
    cmocka_unit_test(mutated_headers_are_refused_or_canonical),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
