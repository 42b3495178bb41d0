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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(content_without_its_bytes_has_none),  cmocka_unit_test(content_that_fits_no_frame),
      cmocka_unit_test(a_name_that_is_not_this_rows),        cmocka_unit_test(a_push_beyond_the_last_seq),
      cmocka_unit_test(only_own_earlier_rows_are_completed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
