/* Ops made by hand: the order of values, what validate finds, copies; and mutated bytes. */
#include "op_bytes.h"

/* ---- values ---- */

/* PROTO-24 */
static void values_have_one_order(void **state) {
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
static void a_value_is_canonical_inside_a_lenient_reader(void **state) {
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

static void hand_init(hand *h) {
  *h = (hand){
      .op = {.name = name(3, 3),
             .scope = 2,
             .kind = 20,
             .version = 1,
             .has_participant = true,
             .has_author = true,
             .record = name(1, 1),
             .participant = name(1, 1),
             .author = name(2, 2),
             .device_time = 1761607680,
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

static void validate_finds_what_the_decoders_would_refuse(void **state) {
  (void)state;
  static uint8_t large[OV_TEXT_BYTES_MAX + 1];
  memset(large, 'x', sizeof large);
  ov_field many[OV_OP_FIELDS_MAX + 1];
  ov_name names[OV_OP_REPLACES_MAX + 1];
  for (uint16_t i = 0; i < COUNT(many); i++) many[i] = (ov_field){(uint16_t)(i + 1), ov_nil()};
  for (uint16_t i = 0; i < COUNT(names); i++) names[i] = name(i + 1u, 0);
  hand h;
#define CHANGED(err, change)                                                                                 \
  do {                                                                                                       \
    hand_init(&h);                                                                                           \
    change;                                                                                                  \
    assert_int_equal(ov_op_validate(&h.op), err);                                                            \
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

static const int64_t edges[] = {
    0,  1,   127, 128,  255,  256,    65535,  65536,     4294967295,    4294967296, INT64_MAX,
    -1, -32, -33, -128, -129, -32768, -32769, INT32_MIN, -2147483649ll, INT64_MIN};

/* Fills the op's last field until the payload has exactly that size. */
static void pad_to(ov_op *op, ov_buf *b, size_t size) {
  static const uint8_t pad[OV_TEXT_BYTES_MAX];
  ov_field *last = &op->fields[op->n_fields - 1];
  last->v = ov_bytes(pad, 1000);
  ov_buf_reset(b);
  ov_op_payload_encode(op, b);
  last->v.s.n += (uint32_t)(size - b->n);
}

/* Validate counts the bytes without writing them; a count that is off by one shows at the limit. */
static void validate_counts_every_byte(void **state) {
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
    ov_op op = {.name = name(1, 0),
                .creates = true,
                .kind = 20,
                .fields = fields,
                .n_fields = n + 5,
                .replaces = replaces,
                .n_replaces = n};
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

static ov_value random_scalar(uint64_t *s) {
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

static void random_set(uint64_t *s, ov_value *v, ov_value *room) {
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
static void validate_and_decode_agree(void **state) {
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
      if (rnd_below(&seed, 3)) h.fields[i].v = random_scalar(&seed);
      else random_set(&seed, &h.fields[i].v, room[i]);
    }
    int valid = ov_op_validate(&h.op);
    ov_buf_reset(&f.in);
    ov_arena_reset(&f.arena);
    ov_op_header_encode(&h.op, &f.in);
    size_t split = f.in.n;
    ov_op_payload_encode(&h.op, &f.in);
    int err = ov_op_header_decode(f.in.p, split, &back);
    if (!err) err = ov_op_payload_decode(f.in.p + split, f.in.n - split, &f.arena, &back);
    assert_int_equal(valid == 0, err == 0);
    taken += err == 0;
    for (uint32_t i = 0; !err && i < h.op.n_fields; i++)
      assert_true(ov_value_equal(&h.fields[i].v, &back.fields[i].v));
  }
  assert_in_range(taken, 4000, 18000); /* both answers were met often */
  payload_free(&f);
}

static void a_copy_is_deep(void **state) {
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

static void a_copy_without_room_is_null(void **state) {
  (void)state;
  payload f;
  ov_buf b;
  payload_init(&f);
  ov_buf_init(&b, 0);
  assert_int_equal(header_of("97 05" NAME_1 "14 07 c0 c0 00", &f.op, &b), 0);
  static const char hex[] =
      "92 84 03 92 92 c40161 c40162 92 c40163 c40164 05 a26869 06 92 90 90 07 05 91" NAME_1;
  assert_int_equal(payload_of(&f, hex), 0);
  size_t max = 0;
  for (;; max += 16) {
    ov_arena small;
    ov_arena_init(&small, max);
    ov_op *copy = ov_op_dup(&f.op, &small);
    ov_arena_free(&small);
    if (copy) break;
  }
  assert_in_range(max, sizeof(ov_op) + 4 * sizeof(ov_field) + sizeof(ov_name), 2000);
  ov_buf_free(&b);
  payload_free(&f);
}

/* ---- mutations ---- */

/* What the decoders take after 50,000 mutations each is canonical: it encodes to the very same bytes. */
static void mutated_payloads_are_refused_or_canonical(void **state) {
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
    if (err) continue;
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

static void mutated_headers_are_refused_or_canonical(void **state) {
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
    if (err) continue;
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

int main(void) {
  const struct CMUnitTest tests[] = {
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
