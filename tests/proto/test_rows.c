/* The row codec: what goes in comes out, for any valid ops; how small it gets; and that no bytes do harm. */
#include "util.h"

#include "ov/msg.h"
#include "ov/rows.h"
#include "workload.h"

#define ARENA_MAX OV_DECODE_ARENA_BYTES_MAX

static void encode_op(const ov_op *op, ov_buf *out)
{
  uint8_t flags = (uint8_t)(op->creates | op->has_participant << 1 | op->has_author << 2 | op->is_void << 3 | op->has_commitment << 4);
  ov_buf_u8(out, flags);
  ov_mpw_name(out, &op->name);
  if (op->is_void)
    ov_buf_put(out, op->header_hash.b, OV_HASH_BYTES);
  else
    ov_op_header_encode(op, out);
  if (op->has_commitment)
    ov_buf_put(out, op->commitment.b, OV_HASH_BYTES);
  else
    ov_op_payload_encode(op, out);
}

/* Equal in everything that travels: flags, name, canonical header and payload, hashes. */
static void assert_same_op(const ov_op *a, const ov_op *b)
{
  ov_buf x, y;
  ov_buf_init(&x, 0);
  ov_buf_init(&y, 0);
  encode_op(a, &x);
  encode_op(b, &y);
  assert_int_equal(x.n, y.n);
  assert_memory_equal(x.p, y.p, x.n);
  if (a->creates && !a->is_void)
    assert_true(ov_name_equal(&b->record, &b->name));
  ov_buf_free(&x);
  ov_buf_free(&y);
}

/* What a receiver of a push does: ops come one by one, tags become known as they are chained. */
static void complete_tags(const ov_rows_ctx *c, const ov_op *sent, ov_op *got, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(0, ov_rows_resolve(c, got, i));
    assert_int_equal(sent[i].name.seq, got[i].name.seq);
    got[i].name = sent[i].name;
    if (got[i].creates)
      got[i].record = got[i].name;
  }
}

static size_t round_trip(const ov_rows_ctx *c, const ov_op *ops, size_t n, ov_buf *out)
{
  ov_arena a;
  ov_op *got;
  size_t n_got, start = out->n;
  ov_arena_init(&a, ARENA_MAX);
  assert_int_equal(0, ov_rows_encode(c, ops, n, out));
  assert_int_equal(0, ov_rows_decode(c, out->p + start, out->n - start, &a, &got, &n_got));
  assert_int_equal(n, n_got);
  if (!c->named)
    complete_tags(c, ops, got, n);
  for (size_t i = 0; i < n; i++)
    assert_same_op(&ops[i], &got[i]);
  ov_arena_free(&a);
  return out->n - start;
}

/* -- sizes -------------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return (x > y) - (x < y);
}

/* Everything that a client sends in the message of one shift: the frame with mode byte, message array and signature. */
static size_t shift_bytes(ov_packer *k, uint32_t seed, uint32_t tablet)
{
  wl_base b;
  wl_named m;
  wl_op ops[WL_SHIFT_OPS];
  ov_op shift[WL_SHIFT_OPS];
  ov_arena a;
  ov_buf rows, plain, frame;
  uint64_t s = seed * 1000 + tablet + 1;
  ov_arena_init(&a, 1 << 20);
  ov_buf_init(&rows, 0);
  ov_buf_init(&plain, 0);
  ov_buf_init(&frame, 0);
  assert_int_equal(0, wl_base_make(&b, seed, 500));
  assert_int_equal(0, wl_named_make(&m, &b));
  wl_shift_make(ops, seed, tablet, &b);
  assert_int_equal(0, wl_named_shift(&m, ops, seed, tablet, &a, shift));
  ov_rows_ctx c = {.writer = shift[0].name.writer, .first_seq = shift[0].name.seq, .server = m.server,
                   .base_time = ops[WL_SHIFT_OPS - 1].t + 300};
  round_trip(&c, shift, WL_SHIFT_OPS, &rows);
  ov_push push = {.first_seq = c.first_seq, .rows = rows.p, .rows_len = rows.n};
  for (size_t i = 0; i < sizeof push.sig; i++)
    push.sig[i] = (uint8_t)(rnd(&s) >> 32);
  ov_push_encode(&push, &plain);
  assert_int_equal(0, ov_frame_pack(k, plain.p, plain.n, &frame));
  size_t n = frame.n;
  if (getenv("OV_ROWS_VERBOSE"))
    printf("seed %u tablet %u rows %zu plain %zu frame %zu\n", seed, tablet, rows.n, plain.n, n);
  ov_buf_free(&rows);
  ov_buf_free(&plain);
  ov_buf_free(&frame);
  wl_named_free(&m);
  wl_base_free(&b);
  ov_arena_free(&a);
  return n;
}

#define SHIFTS 40

static void test_a_shift_fits_into_one_segment(void **state)
{
  (void)state;
  size_t n[SHIFTS];
  ov_packer *k = ov_packer_new();
  for (uint32_t i = 0; i < SHIFTS; i++)
    n[i] = shift_bytes(k, 100 + i / 2, i * 7);
  ov_packer_free(k);
  qsort(n, SHIFTS, sizeof *n, by_size);
  print_message("a shift of 52 ops: least %zu, median %zu, most %zu bytes of websocket payload\n", n[0], n[SHIFTS / 2], n[SHIFTS - 1]);
  assert_true(n[SHIFTS - 1] <= 1448);
}

/* Ten thousand records as catch-up sends them, frames of 16 KiB before compression. */
static void test_ten_thousand_records_fit(void **state)
{
  (void)state;
  wl_base b;
  wl_named m;
  ov_op rows[4096];
  ov_arena a;
  ov_buf best, more, frame;
  ov_packer *k = ov_packer_new();
  ov_arena_init(&a, 64 << 20);
  ov_buf_init(&best, 0);
  ov_buf_init(&more, 0);
  ov_buf_init(&frame, 0);
  assert_int_equal(0, wl_base_make(&b, 1, 10000));
  assert_int_equal(0, wl_named_make(&m, &b));
  ov_rows_ctx c = {.named = true, .writer = m.server, .server = m.server, .base_time = b.t + 60};
  size_t n = 0, total = 0, frames = 0, plain = 0;
  for (uint32_t i = 0; i < b.n_recs;) {
    n = 0;
    while (i < b.n_recs && n < 450)
      n += wl_named_rows(&m, &b, i++, &a, rows + n);
    ov_buf_reset(&best);
    ov_buf_reset(&frame);
    plain += round_trip(&c, rows, n, &best);
    assert_true(best.n <= OV_FRAME_BYTES_DEFAULT);
    assert_int_equal(0, ov_frame_pack(k, best.p, best.n, &frame));
    total += frame.n;
    frames++;
  }
  print_message("10,000 records: %zu bytes in %zu frames (%zu before deflate)\n", total, frames, plain);
  assert_true(total <= 260000);
  ov_buf_free(&best);
  ov_buf_free(&more);
  ov_buf_free(&frame);
  ov_packer_free(k);
  wl_named_free(&m);
  wl_base_free(&b);
  ov_arena_free(&a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_shift_fits_into_one_segment),
    cmocka_unit_test(test_ten_thousand_records_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
