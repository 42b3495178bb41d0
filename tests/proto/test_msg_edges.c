/* The edges of messages that samples and changed samples do not meet: one element too many or too few, sums
 * and texts just over their limit, defaults that are written out. PROTO-16 */
#include "msg_samples.h"

#include "ov/limits.h"

static int decode(samples *s, const ov_buf *b, ov_msg *out) {
  return ov_msg_decode(b->p, b->n, &s->delta_ctx, &s->arena, out);
}

static int encode_and_decode(samples *s, const ov_msg *in, ov_msg *out) {
  ov_buf b;
  ov_buf_init(&b, 0);
  sample_encode(s, in, &b);
  int err = decode(s, &b, out);
  ov_buf_free(&b);
  return err;
}

/* ENROL from a newer client: what it says beyond is skipped. */
static void a_longer_enrol_is_read(void **state) {
  samples s;
  ov_buf b;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_ENROL, true);
  ov_buf_init(&b, 0);
  sample_encode(&s, &in, &b);
  assert_int_equal(b.p[0] & 0xf0, 0x90);
  b.p[0]++;
  ov_mpw_uint(&b, 7);
  assert_int_equal(decode(&s, &b, &out), 0);
  assert_int_equal(out.enrol.device_name_len, in.enrol.device_name_len);
  ov_buf_free(&b);
  samples_free(&s);
}

static void a_long_zone_is_over_a_limit(void **state) {
  static const char zone[] = "Europe/Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch/Amsterdam";
  samples s;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_ENROLLED, true);
  in.enrolled.zone = zone;
  in.enrolled.zone_len = sizeof zone - 1;
  assert_int_equal(encode_and_decode(&s, &in, &out), OV_E_LIMIT);
  samples_free(&s);
}

/* A frame or credit that is smaller than may be asked for. */
static void too_small_a_wish_is_refused(void **state) {
  samples s;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_HELLO, true);
  in.hello.frame_bytes = 1;
  assert_int_equal(encode_and_decode(&s, &in, &out), OV_E_FORMAT);
  samples_free(&s);
}

static void a_default_is_a_default_written_out_or_not(void **state) {
  samples s;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_WELCOME, false);
  in.welcome.credit = OV_CREDIT_DEFAULT;
  in.welcome.frame_bytes = OV_FRAME_BYTES_DEFAULT;
  assert_int_equal(encode_and_decode(&s, &in, &out), 0);
  assert_int_equal(out.welcome.credit, OV_CREDIT_DEFAULT);
  assert_int_equal(out.welcome.frame_bytes, OV_FRAME_BYTES_DEFAULT);
  samples_free(&s);
}

/* A form that may come, though this server gives the share whenever a store is strict. PROTO-164 */
static void strict_without_a_share(void **state) {
  samples s;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_WELCOME, true);
  in.welcome.has_share = false;
  assert_int_equal(encode_and_decode(&s, &in, &out), 0);
  assert_true(out.welcome.strict && !out.welcome.has_share);
  samples_free(&s);
}

/* Steps of receipts may not be 0, nor lead beyond the last seq; their times not beyond what can be
 * counted. */
static void receipts_go_on(void **state) {
  samples s;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_ACK, true);
  ov_buf b;
  static const struct {
    uint64_t step;
    int64_t time, later;
  } bad[] = {{0, 0, 0}, {OV_SEQ_MAX, 0, 0}, {1, 1, INT64_MAX}};
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
    ov_buf_init(&b, 0);
    ov_mpw_array(&b, 7);
    ov_mpw_uint(&b, OV_M_ACK);
    ov_mpw_uint(&b, in.ack.up_to);
    ov_mpw_bin(&b, in.ack.head.b, OV_HASH_BYTES);
    ov_mpw_uint(&b, in.ack.safe_up_to);
    ov_mpw_array(&b, 6);
    ov_mpw_uint(&b, bad[i].step);
    ov_mpw_int(&b, bad[i].time);
    ov_mpw_int(&b, 0);
    ov_mpw_uint(&b, 1);
    ov_mpw_int(&b, bad[i].later);
    ov_mpw_int(&b, 0);
    ov_mpw_array(&b, 0);
    ov_mpw_bin(&b, in.ack.sig, OV_SIG_BYTES);
    assert_int_equal(decode(&s, &b, &out), OV_E_FORMAT);
    ov_buf_free(&b);
  }
  samples_free(&s);
}

/* Times are read as far as they can be subtracted from each other; beyond is no time. PROTO-21 */
static void a_time_beyond_all_clocks_is_refused(void **state) {
  static const int64_t times[] = {OV_TIME_S_MAX,      -OV_TIME_S_MAX, OV_TIME_S_MAX + 1,
                                  -OV_TIME_S_MAX - 1, INT64_MAX,      INT64_MIN};
  samples s;
  ov_msg out;
  (void)state;
  samples_init(&s);
  for (unsigned i = 0; i < sizeof times / sizeof *times; i++) {
    int want = i < 2 ? 0 : OV_E_FORMAT;
    ov_msg hello = sample_msg(&s, OV_M_HELLO, true), welcome = sample_msg(&s, OV_M_WELCOME, true),
           challenge = sample_msg(&s, OV_M_CHALLENGE, true), enrolled = sample_msg(&s, OV_M_ENROLLED, true),
           ack = sample_msg(&s, OV_M_ACK, false);
    hello.hello.time_ms = welcome.welcome.time_ms = challenge.challenge.time_ms = times[i];
    enrolled.enrolled.time_ms = times[i];
    ack.ack.n_receipts = 1;
    ack.ack.receipts = &(ov_ack_receipt){.up_to = 1, .server_time_ms = times[i]};
    assert_int_equal(encode_and_decode(&s, &hello, &out), want);
    assert_int_equal(encode_and_decode(&s, &welcome, &out), want);
    assert_int_equal(encode_and_decode(&s, &challenge, &out), want);
    assert_int_equal(encode_and_decode(&s, &enrolled, &out), want);
    assert_int_equal(encode_and_decode(&s, &ack, &out), want);
    ack.ack.receipts = &(ov_ack_receipt){.up_to = 1, .offset_ms = times[i]};
    assert_int_equal(encode_and_decode(&s, &ack, &out), want);
  }
  samples_free(&s);
}

/* An error without its seq, or a seq without its error, is neither form of an ACK. */
static void half_a_refusal_is_none(void **state) {
  samples s;
  ov_buf b;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_ACK, false);
  ov_buf_init(&b, 0);
  sample_encode(&s, &in, &b);
  b.p[0]++;
  ov_mpw_nil(&b);
  assert_int_equal(decode(&s, &b, &out), OV_E_FORMAT);
  ov_buf_free(&b);
  samples_free(&s);
}

/* The previous head and the keys of new participants are each there or not. */
static void a_push_with_and_without_its_rest(void **state) {
  samples s;
  ov_msg out;
  (void)state;
  samples_init(&s);
  for (unsigned i = 0; i < 4; i++) {
    ov_msg in = sample_msg(&s, OV_M_PUSH, true);
    in.push.has_prev = i & 1;
    if (i & 2) in.push.n_keys = 0;
    assert_int_equal(encode_and_decode(&s, &in, &out), 0);
    assert_int_equal(out.push.has_prev, in.push.has_prev);
    assert_int_equal(out.push.n_keys, in.push.n_keys);
  }
  samples_free(&s);
}

/* Zero stands for a default, also in what a caller fills in. */
static void a_welcome_that_wishes_nothing(void **state) {
  samples s;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_WELCOME, false);
  in.welcome.credit = in.welcome.frame_bytes = 0;
  assert_int_equal(encode_and_decode(&s, &in, &out), 0);
  assert_int_equal(out.welcome.credit, OV_CREDIT_DEFAULT);
  assert_int_equal(out.welcome.frame_bytes, OV_FRAME_BYTES_DEFAULT);
  samples_free(&s);
}

/* A record whose creating op does not count, and that has nothing else beside its rows. PROTO-47 */
static void a_record_that_nobody_created(void **state) {
  samples s;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_DELTA, true);
  ov_delta_rec *rec = NULL;
  for (uint32_t i = 0; i < in.delta.n_records && !rec; i++)
    if (!in.delta.records[i].rec.created) rec = &in.delta.records[i];
  assert_non_null(rec);
  rec->rec.n_held = rec->rec.n_seen = 0;
  for (uint32_t i = 0; i < rec->rec.n_ops; i++) rec->rec.ops[i].flags = 0;
  in.delta.records = rec;
  in.delta.n_records = 1;
  in.delta.n_gone = 0;
  assert_int_equal(encode_and_decode(&s, &in, &out), 0);
  assert_int_equal(out.delta.n_records, 1);
  assert_false(out.delta.records[0].rec.created);
  assert_int_equal(out.delta.records[0].rec.n_ops, rec->rec.n_ops);
  samples_free(&s);
}

/* Without the context of a session a DELTA without rows is read all the same. */
static void a_delta_without_context(void **state) {
  samples s;
  ov_buf b;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_DELTA, false);
  ov_buf_init(&b, 0);
  sample_encode(&s, &in, &b);
  assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &s.arena, &out), 0);
  assert_int_equal(out.delta.to, in.delta.to);
  ov_buf_free(&b);
  samples_free(&s);
}

/* Times of change that add up to more than a number holds. */
static void changes_beyond_all_time(void **state) {
  samples s;
  ov_buf b;
  ov_msg out;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_DELTA, false);
  ov_buf_init(&b, 0);
  sample_encode(&s, &in, &b);
  b.p[0] += 2; /* rows and changed follow */
  ov_mpw_bin(&b, (const uint8_t *)"", 0);
  ov_mpw_array(&b, 2);
  ov_mpw_uint(&b, 1);
  ov_mpw_int(&b, INT64_MAX);
  assert_int_equal(decode(&s, &b, &out), OV_E_FORMAT);
  ov_buf_free(&b);
  samples_free(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_longer_enrol_is_read),
      cmocka_unit_test(a_long_zone_is_over_a_limit),
      cmocka_unit_test(too_small_a_wish_is_refused),
      cmocka_unit_test(a_default_is_a_default_written_out_or_not),
      cmocka_unit_test(strict_without_a_share),
      cmocka_unit_test(receipts_go_on),
      cmocka_unit_test(a_time_beyond_all_clocks_is_refused),
      cmocka_unit_test(half_a_refusal_is_none),
      cmocka_unit_test(a_push_with_and_without_its_rest),
      cmocka_unit_test(a_welcome_that_wishes_nothing),
      cmocka_unit_test(a_record_that_nobody_created),
      cmocka_unit_test(a_delta_without_context),
      cmocka_unit_test(changes_beyond_all_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
