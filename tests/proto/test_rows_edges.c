/* What the row codec does not write, and does not take: ops that are not what they say, names that do not fit
 * the push, a push beyond the last seq. PROTO-16, PROTO-63 */
#include "util.h"

#include "ov/limits.h"
#include "ov/rows.h"

static const ov_id me = {{1}}, other = {{2}}, server = {{9}};

static ov_rows_ctx push_ctx(void) {
  return (ov_rows_ctx){.writer = me, .first_seq = 5, .server = server, .base_time = 1760000000};
}

static ov_op entry(ov_field *f) {
  *f = (ov_field){10, ov_int(1)};
  ov_op op = {.name = {.writer = me, .seq = 5, .tag = {1, 2, 3, 4}},
              .scope = 2,
              .creates = true,
              .kind = 24,
              .version = 1,
              .device_time = 1760000000,
              .fields = f,
              .n_fields = 1};
  op.record = op.name;
  return op;
}

static int encoded(const ov_rows_ctx *c, const ov_op *op) {
  ov_buf b;
  ov_buf_init(&b, 0);
  int err = ov_rows_encode(c, op, 1, &b);
  ov_buf_free(&b);
  return err;
}

static void content_without_its_bytes_has_none(void **state) {
  (void)state;
  ov_rows_ctx c = push_ctx();
  ov_field f;
  ov_op op = entry(&f), bad;
  ov_name replaced = {.writer = other, .seq = 1};
  op.has_commitment = true;
  op.n_fields = 0;
  assert_int_equal(encoded(&c, &op), 0);
  bad = op;
  bad.n_fields = 1;
  assert_int_equal(encoded(&c, &bad), OV_E_INVALID);
  bad = op;
  bad.replaces = &replaced;
  bad.n_replaces = 1;
  assert_int_equal(encoded(&c, &bad), OV_E_INVALID);
  bad = op;
  bad.payload_bytes = (const uint8_t *)"\x92\x80\x90";
  bad.payload_len = 3;
  assert_int_equal(encoded(&c, &bad), OV_E_INVALID);
}

static void content_that_fits_no_frame(void **state) {
  (void)state;
  static const uint8_t much[OV_FRAME_BYTES_MAX + 1];
  ov_rows_ctx c = push_ctx();
  ov_field f;
  ov_op op = entry(&f);
  op.n_fields = 0;
  op.payload_bytes = much;
  op.payload_len = sizeof much;
  assert_int_equal(encoded(&c, &op), OV_E_INVALID);
}

static void a_name_that_is_not_this_rows(void **state) {
  (void)state;
  ov_rows_ctx c = push_ctx(), named = {.named = true, .writer = server, .server = server};
  ov_field f;
  ov_op op = entry(&f), bad = op;
  assert_int_equal(encoded(&c, &op), 0);
  bad.name.seq = bad.record.seq = 6;
  assert_int_equal(encoded(&c, &bad), OV_E_INVALID);
  bad = op;
  bad.name.writer = bad.record.writer = other;
  assert_int_equal(encoded(&c, &bad), OV_E_INVALID);
  assert_int_equal(encoded(&named, &op), 0);
  bad = op;
  bad.record.seq = 6; /* it creates, and names another record */
  assert_int_equal(encoded(&named, &bad), OV_E_INVALID);
}

static void a_push_beyond_the_last_seq(void **state) {
  (void)state;
  ov_rows_ctx c = push_ctx();
  ov_field f;
  ov_op op = entry(&f), *got;
  size_t n;
  ov_buf b;
  ov_arena a;
  ov_buf_init(&b, 0);
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  assert_int_equal(ov_rows_encode(&c, &op, 1, &b), 0);
  assert_int_equal(ov_rows_decode(&c, b.p, b.n, &a, &got, &n), 0);
  c.first_seq = 0;
  assert_int_equal(ov_rows_decode(&c, b.p, b.n, &a, &got, &n), OV_E_FORMAT);
  c.first_seq = OV_SEQ_MAX;
  assert_int_equal(ov_rows_decode(&c, b.p, b.n, &a, &got, &n), OV_E_FORMAT);
  ov_arena_free(&a);
  ov_buf_free(&b);
}

/* Only a name of this log, of an earlier row, and without a tag is completed. */
static void only_own_earlier_rows_are_completed(void **state) {
  (void)state;
  ov_rows_ctx c = push_ctx();
  ov_field f[2];
  ov_op ops[2] = {entry(&f[0]), entry(&f[1])};
  const uint8_t tag[OV_TAG_BYTES] = {1, 2, 3, 4}, own[OV_TAG_BYTES] = {7};
  static const uint8_t none[OV_TAG_BYTES];
  ops[1].creates = false;
  ops[1].name.seq = 6;
  ops[1].record = (ov_name){.writer = me, .seq = 5};
  assert_int_equal(ov_rows_resolve(&c, ops, 1), 0);
  assert_memory_equal(ops[1].record.tag, tag, sizeof tag);
  memcpy(ops[1].record.tag, own, sizeof own);
  assert_int_equal(ov_rows_resolve(&c, ops, 1), 0);
  assert_memory_equal(ops[1].record.tag, own, sizeof own);
  ops[1].record = (ov_name){.writer = other, .seq = 5};
  assert_int_equal(ov_rows_resolve(&c, ops, 1), 0);
  assert_memory_equal(ops[1].record.tag, none, sizeof none);
  ops[1].record = (ov_name){.writer = me, .seq = 6}; /* itself */
  assert_int_equal(ov_rows_resolve(&c, ops, 1), 0);
  assert_memory_equal(ops[1].record.tag, none, sizeof none);
  ops[1].record = (ov_name){.writer = me, .seq = 4}; /* before this push */
  assert_int_equal(ov_rows_resolve(&c, ops, 1), 0);
  assert_memory_equal(ops[1].record.tag, none, sizeof none);
}

/* Encodes, decodes and hands the ops over, in *a. */
static void there_and_back(const ov_rows_ctx *c, const ov_op *ops, size_t n, ov_arena *a, ov_op **got) {
  ov_buf b;
  size_t n_got = 0;
  ov_buf_init(&b, 0);
  assert_int_equal(ov_rows_encode(c, ops, n, &b), 0);
  assert_int_equal(ov_rows_decode(c, b.p, b.n, a, got, &n_got), 0);
  assert_int_equal(n_got, n);
  ov_buf_free(&b);
}

/* Whoever sends a payload as bytes may be right, wrong, or over a limit: the row comes, and says which. */
static void a_payload_as_bytes(void **state) {
  (void)state;
  static const uint8_t sound[] = {0x92, 0x80, 0x90}, broken[] = {0x92, 0x80, 0xc0},
                       long_one[OV_PAYLOAD_BYTES_MAX + 1];
  const struct {
    const uint8_t *p;
    uint32_t n;
    int err;
  } cases[] = {{sound, sizeof sound, 0},
               {broken, sizeof broken, OV_E_OP_FORMAT},
               {long_one, sizeof long_one, OV_E_OP_LIMIT}};
  ov_rows_ctx c = push_ctx();
  for (unsigned i = 0; i < 3; i++) {
    ov_field f;
    ov_op op = entry(&f), *got = NULL;
    ov_arena a;
    ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
    op.n_fields = 0;
    op.payload_bytes = cases[i].p;
    op.payload_len = cases[i].n;
    op.payload_err = OV_E_OP_FORMAT; /* so its sender says: it is sent as it is */
    there_and_back(&c, &op, 1, &a, &got);
    assert_int_equal(got[0].payload_err, cases[i].err);
    assert_int_equal(got[0].payload_len, cases[i].n);
    assert_memory_equal(got[0].payload_bytes, cases[i].p, cases[i].n);
    ov_arena_free(&a);
  }
}

/* 28 bytes that are no name: a log has no op 0. PROTO-65 */
static void bytes_as_long_as_a_name(void **state) {
  (void)state;
  static const uint8_t zeros[OV_NAME_BYTES];
  ov_rows_ctx c = push_ctx();
  ov_field f;
  ov_op op = entry(&f), *got = NULL;
  ov_arena a;
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  f.v = ov_bytes(zeros, sizeof zeros);
  there_and_back(&c, &op, 1, &a, &got);
  assert_int_equal(got[0].fields[0].v.type, OV_V_BYTES);
  assert_int_equal(got[0].fields[0].v.s.n, sizeof zeros);
  assert_memory_equal(got[0].fields[0].v.s.p, zeros, sizeof zeros);
  ov_arena_free(&a);
}

/* More codes for missing in one field than are set apart. */
static void many_codes_for_missing(void **state) {
  (void)state;
  ov_rows_ctx c = push_ctx();
  ov_field f[8];
  ov_op ops[8], *got = NULL;
  ov_arena a;
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  for (unsigned i = 0; i < 8; i++) {
    ops[i] = entry(&f[i]);
    ops[i].name.seq = ops[i].record.seq = 5 + i;
    f[i].v = ov_int(i < 6 ? -90 - (int64_t)i : 4000 + (int64_t)i);
  }
  there_and_back(&c, ops, 8, &a, &got);
  for (unsigned i = 0; i < 8; i++) assert_int_equal(got[i].fields[0].v.i, f[i].v.i);
  ov_arena_free(&a);
}

/* Who wrote a field last is looked for in so many rows; beyond them the names are listed. */
static void a_value_replaced_after_many_other_changes(void **state) {
  (void)state;
  enum { N = 14 };
  ov_rows_ctx c = {.named = true, .writer = server, .server = server, .base_time = 1760000000};
  ov_field f[N];
  ov_op ops[N], *got = NULL;
  ov_arena a;
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  for (unsigned i = 0; i < N; i++) {
    ops[i] = entry(&f[i]);
    ops[i].name.seq = 5 + i;
    ops[i].creates = i == 0;
    ops[i].record = ops[0].name;
    f[i].id = (uint16_t)(i == 0 || i == N - 1 ? 10 : 20 + i);
  }
  ops[N - 1].replaces = &ops[0].name;
  ops[N - 1].n_replaces = 1;
  there_and_back(&c, ops, N, &a, &got);
  assert_int_equal(got[N - 1].n_replaces, 1);
  assert_true(ov_name_equal(&got[N - 1].replaces[0], &ops[0].name));
  ov_arena_free(&a);
}

/* Of a void nothing is known but its proof: not whether it created a record. PROTO-33 */
static void a_void_among_named_rows(void **state) {
  (void)state;
  ov_rows_ctx c = {.named = true, .writer = server, .server = server, .base_time = 1760000000};
  ov_op op = {.name = {.writer = me, .seq = 5, .tag = {1, 2, 3, 4}}, .is_void = true, .has_commitment = true};
  ov_op *got = NULL;
  ov_arena a;
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  memset(op.header_hash.b, 3, sizeof op.header_hash.b);
  memset(op.commitment.b, 4, sizeof op.commitment.b);
  op.creates = true; /* as a caller may have left it */
  there_and_back(&c, &op, 1, &a, &got);
  assert_true(got[0].is_void);
  assert_false(got[0].creates);
  assert_memory_equal(got[0].commitment.b, op.commitment.b, sizeof op.commitment.b);
  ov_arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(content_without_its_bytes_has_none),
      cmocka_unit_test(content_that_fits_no_frame),
      cmocka_unit_test(a_name_that_is_not_this_rows),
      cmocka_unit_test(a_push_beyond_the_last_seq),
      cmocka_unit_test(only_own_earlier_rows_are_completed),
      cmocka_unit_test(a_payload_as_bytes),
      cmocka_unit_test(bytes_as_long_as_a_name),
      cmocka_unit_test(many_codes_for_missing),
      cmocka_unit_test(a_value_replaced_after_many_other_changes),
      cmocka_unit_test(a_void_among_named_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
