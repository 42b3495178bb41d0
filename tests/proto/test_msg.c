#include "msg_samples.h"

#include "faults.h"
#include "util.h"

static void fresh_buf(ov_buf *b) { ov_buf_init(b, 0); }

static void assert_records_equal(const ov_record *a, const ov_record *b) {
  ov_buf x, y;
  fresh_buf(&x);
  fresh_buf(&y);
  ov_record_encode(a, &x);
  ov_record_encode(b, &y);
  assert_int_equal(x.n, y.n);
  assert_memory_equal(x.p, y.p, x.n);
  ov_buf_free(&x);
  ov_buf_free(&y);
}

/* What the re-encoding cannot show: that the fields land in the right places. */
static void check_fields(const ov_msg *a, const ov_msg *b) {
  switch (a->type) {
  case OV_M_HELLO:
    assert_int_equal(a->hello.own.seq, b->hello.own.seq);
    assert_int_equal(a->hello.credit, b->hello.credit);
    assert_int_equal(a->hello.frame_bytes, b->hello.frame_bytes);
    assert_int_equal(a->hello.wants, b->hello.wants);
    assert_int_equal(a->hello.push_follows, b->hello.push_follows);
    assert_int_equal(a->hello.closed, b->hello.closed);
    assert_memory_equal(a->hello.sig, b->hello.sig, OV_SIG_BYTES);
    break;
  case OV_M_WELCOME:
    assert_int_equal(a->welcome.own, b->welcome.own);
    assert_int_equal(a->welcome.credit, b->welcome.credit);
    assert_int_equal(a->welcome.frame_bytes, b->welcome.frame_bytes);
    assert_int_equal(a->welcome.n_ladder, b->welcome.n_ladder);
    assert_int_equal(a->welcome.retry_s, b->welcome.retry_s);
    assert_int_equal(a->welcome.strict, b->welcome.strict);
    assert_int_equal(a->welcome.has_share, b->welcome.has_share);
    assert_memory_equal(a->welcome.share, b->welcome.share, OV_KEY_BYTES);
    break;
  case OV_M_ACK:
    assert_int_equal(a->ack.n_receipts, b->ack.n_receipts);
    for (uint32_t i = 0; i < a->ack.n_receipts; i++) {
      assert_int_equal(a->ack.receipts[i].up_to, b->ack.receipts[i].up_to);
      assert_int_equal(a->ack.receipts[i].server_time_ms, b->ack.receipts[i].server_time_ms);
      assert_int_equal(a->ack.receipts[i].offset_ms, b->ack.receipts[i].offset_ms);
    }
    assert_int_equal(a->ack.n_held, b->ack.n_held);
    for (uint32_t i = 0; i < a->ack.n_held; i++) assert_int_equal(a->ack.held[i].seq, b->ack.held[i].seq);
    assert_int_equal(a->ack.refused_err, b->ack.refused_err);
    break;
  case OV_M_DELTA:
    assert_int_equal(a->delta.more, b->delta.more);
    assert_int_equal(a->delta.n_records, b->delta.n_records);
    for (uint32_t i = 0; i < a->delta.n_records; i++) {
      assert_records_equal(&a->delta.records[i].rec, &b->delta.records[i].rec);
      assert_int_equal(a->delta.records[i].changed, b->delta.records[i].changed);
    }
    assert_int_equal(a->delta.n_gone, b->delta.n_gone);
    break;
  case OV_M_ERROR:
    assert_int_equal(a->error.err, b->error.err);
    assert_int_equal(a->error.n_names, b->error.n_names);
    assert_int_equal(a->error.n_tips, b->error.n_tips);
    break;
  case OV_M_BYE:
    assert_int_equal(a->bye.reason, b->bye.reason);
    assert_int_equal(a->bye.retry_s, b->bye.retry_s);
    break;
  default: break;
  }
}

static void test_round_trip(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  for (int type = 1; type < OV_M_COUNT; type++)
    for (int full = 0; full < 2; full++) {
      ov_buf one, two;
      ov_msg in = sample_msg(&s, (ov_msg_type)type, full), out;
      fresh_buf(&one);
      fresh_buf(&two);
      sample_encode(&s, &in, &one);
      assert_int_equal(ov_msg_decode(one.p, one.n, &s.delta_ctx, &s.arena, &out), 0);
      assert_int_equal(out.type, type);
      check_fields(&in, &out);
      sample_encode(&s, &out, &two);
      assert_int_equal(one.n, two.n);
      assert_memory_equal(one.p, two.p, one.n);
      ov_buf_free(&one);
      ov_buf_free(&two);
    }
  samples_free(&s);
}

/* Every cut of every message is refused as broken, and so is a byte too many. */
static void test_truncated_and_trailing(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  ov_arena a;
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  for (int type = 1; type < OV_M_COUNT; type++) {
    ov_buf b;
    ov_msg in = sample_msg(&s, (ov_msg_type)type, true), out;
    fresh_buf(&b);
    sample_encode(&s, &in, &b);
    for (size_t n = 0; n < b.n; n++) {
      assert_int_equal(ov_msg_decode(b.p, n, &s.delta_ctx, &a, &out), OV_E_FORMAT);
      ov_arena_reset(&a);
    }
    ov_buf_u8(&b, 0xc0);
    assert_int_equal(ov_msg_decode(b.p, b.n, &s.delta_ctx, &a, &out), OV_E_FORMAT);
    ov_buf_free(&b);
  }
  ov_arena_free(&a);
  samples_free(&s);
}

/* Changed bytes never crash, and what still decodes encodes again. */
static void test_mutations(void **state) {
  samples s;
  uint64_t seed = 20261122;
  unsigned taken = 0;
  (void)state;
  samples_init(&s);
  ov_arena a;
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  for (int type = 1; type < OV_M_COUNT; type++) {
    ov_buf b;
    ov_msg in = sample_msg(&s, (ov_msg_type)type, true), out;
    fresh_buf(&b);
    sample_encode(&s, &in, &b);
    for (int i = 0; i < 3000; i++) {
      uint8_t *copy = malloc(b.n + 3); /* of the exact size, so that a sanitizer sees a step over the end */
      memcpy(copy, b.p, b.n);
      size_t n = mutate(&seed, copy, b.n, b.n + 3);
      uint8_t *exact = malloc(n ? n : 1);
      memcpy(exact, copy, n);
      int err = ov_msg_decode(exact, n, &s.delta_ctx, &a, &out);
      assert_true(err == 0 || err == OV_E_FORMAT || err == OV_E_LIMIT || err == OV_E_VERSION);
      taken += err == 0;
      free(exact);
      free(copy);
      ov_arena_reset(&a);
    }
    ov_buf_free(&b);
  }
  assert_true(taken > 1000);
  ov_arena_free(&a);
  samples_free(&s);
}

/* Each allocation fails in turn: the decoder says so, or did not need it. */
static void test_no_memory(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  for (int type = 1; type < OV_M_COUNT; type++) {
    ov_buf b;
    ov_msg in = sample_msg(&s, (ov_msg_type)type, true), out;
    fresh_buf(&b);
    sample_encode(&s, &in, &b);
    FOR_EACH_FAULT(k) {
      ov_arena a;
      ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
      int err = ov_msg_decode(b.p, b.n, &s.delta_ctx, &a, &out);
      /* The row codec's tables are bounded; to it a full table and no memory are one. */
      assert_true(fault_hit() ? err == OV_E_NOMEM || err == OV_E_LIMIT : err == 0);
      ov_arena_free(&a);
    }
    ov_buf_free(&b);
  }
  samples_free(&s);
}

static void test_no_memory_for_delta(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_DELTA, true);
  FOR_EACH_FAULT(k) {
    ov_arena a;
    ov_buf out;
    ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
    fresh_buf(&out);
    int err = ov_delta_encode(&s.delta_ctx, &in.delta, &a, &out);
    bool failed = fault_hit();
    assert_true(failed ? err == OV_E_NOMEM || err == OV_E_LIMIT : err == 0);
    if (failed) assert_int_equal(out.n, 0);
    ov_buf_free(&out);
    ov_arena_free(&a);
  }
  samples_free(&s);
}

static int decode_hex(const char *hex) {
  ov_buf b;
  ov_arena a;
  ov_msg m;
  fresh_buf(&b);
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  put_hex(&b, hex);
  int err = ov_msg_decode(b.p, b.n, NULL, &a, &m);
  ov_buf_free(&b);
  ov_arena_free(&a);
  return err;
}

static void test_refused(void **state) {
  static const struct {
    const char *hex;
    int err;
    const char *why;
  } cases[] = {
      {"", OV_E_FORMAT, "nothing"},
      {"c0", OV_E_FORMAT, "no array"},
      {"90", OV_E_FORMAT, "no type"},
      {"9100", OV_E_FORMAT, "type 0"},
      {"910e", OV_E_FORMAT, "an unknown type"},
      {"91cd0100", OV_E_FORMAT, "type 256"},
      {"91ff", OV_E_FORMAT, "type -1"},
      {"91a10b", OV_E_FORMAT, "a text for a type"},
      {"920dc0", OV_E_FORMAT, "SYNCED with more"},
      {"910b", 0, "the least BYE"},
      {"91cc0b", OV_E_FORMAT, "a type in a longer form than needed"},
      {"dc00010b", OV_E_FORMAT, "a count in a longer form than needed"},
      {"920b14", 0, "BYE 20"},
      {"920bccc8", OV_E_FORMAT, "BYE 200"},
      {"920bff", OV_E_FORMAT, "BYE -1"},
      {"920bc3", OV_E_FORMAT, "a bool for a number"},
      {"930bca3f800000", OV_E_FORMAT, "a float"},
      {"920c00", OV_E_FORMAT, "ERROR 0"},
      {"920c06", 0, "the least ERROR"},
      {"920a9102", OV_E_FORMAT, "half a cursor"},
      {"93030203", OV_E_VERSION, "HELLO from version 2 on, however it goes on"},
      {"9a0302030000c0c0c0c3c3", OV_E_VERSION, "and its other elements are not looked at"},
      {"93030000", OV_E_VERSION, "HELLO up to version 0"},
      {"93030301", OV_E_FORMAT, "HELLO with versions the wrong way round"},
      {"93030101", OV_E_FORMAT, "HELLO of version 1 without the rest"},
      {"9301cd01000f", OV_E_FORMAT, "ENROL with versions the wrong way round"},
      {"93010202", OV_E_VERSION, "ENROL from version 2 on"},
      {"ddffffffff", OV_E_FORMAT, "five bytes that claim four thousand million elements"},
      {"dfffffffff", OV_E_FORMAT, "the same as a map"},
      {"c6ffffffff", OV_E_FORMAT, "the same as a bin"},
      {"91c1", OV_E_FORMAT, "the byte that MessagePack never uses"},
      {"91d40000", OV_E_FORMAT, "an extension type"},
      {"9191919191919191919191919191919191919191919191919191919191919191c0", OV_E_FORMAT, "depth 33"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int err = decode_hex(cases[i].hex);
    if (err != cases[i].err) print_error("%s: %s\n", cases[i].why, ov_err_slug(err));
    assert_int_equal(err, cases[i].err);
  }
}

/* Lists are refused by their count, before any memory is taken for them. PROTO-16 */
static void test_list_limits(void **state) {
  (void)state;
  ov_buf b;
  ov_arena a;
  ov_msg m;
  fresh_buf(&b);
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  for (uint32_t n = OV_SCOPES_MAX; n <= OV_SCOPES_MAX + 1; n++) {
    ov_cursor cursors[OV_SCOPES_MAX + 1] = {{0}};
    ov_acked acked = {cursors, n};
    ov_buf_reset(&b);
    ov_acked_encode(&acked, &b);
    assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &a, &m), n > OV_SCOPES_MAX ? OV_E_LIMIT : 0);
  }
  for (uint32_t n = OV_TIPS_MAX; n <= OV_TIPS_MAX + 1; n++) {
    ov_head tips[OV_TIPS_MAX + 1] = {{0}};
    ov_error error = {.err = OV_E_BRANCH, .tips = tips, .n_tips = n};
    ov_buf_reset(&b);
    ov_error_encode(&error, &b);
    assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &a, &m), n > OV_TIPS_MAX ? OV_E_LIMIT : 0);
  }
  for (uint32_t n = OV_LADDER_MAX; n <= OV_LADDER_MAX + 1; n++) {
    ov_rung ladder[OV_LADDER_MAX + 1] = {{0}};
    ov_error error = {.err = OV_E_BRANCH, .ladder = ladder, .n_ladder = n};
    ov_buf_reset(&b);
    ov_error_encode(&error, &b);
    assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &a, &m), n > OV_LADDER_MAX ? OV_E_LIMIT : 0);
  }
  for (uint32_t n = OV_ERROR_TEXT_MAX; n <= OV_ERROR_TEXT_MAX + 1; n++) {
    char text[OV_ERROR_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    ov_error error = {.err = OV_E_BUSY, .text = text, .text_len = n};
    ov_buf_reset(&b);
    ov_error_encode(&error, &b);
    assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &a, &m), n > OV_ERROR_TEXT_MAX ? OV_E_LIMIT : 0);
  }
  for (uint32_t n = OV_CODE_TEXT_MAX; n <= OV_CODE_TEXT_MAX + 1; n++) {
    char text[OV_CODE_TEXT_MAX + 1];
    memset(text, 'A', sizeof text);
    ov_enrol enrol = {.version_min = 1,
                      .version_max = 1,
                      .code = text,
                      .code_len = n,
                      .device_name = "x",
                      .device_name_len = 1};
    ov_buf_reset(&b);
    ov_enrol_encode(&enrol, &b);
    assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &a, &m), n > OV_CODE_TEXT_MAX ? OV_E_LIMIT : 0);
  }
  ov_buf_free(&b);
  ov_arena_free(&a);
}

static void test_ack_arithmetic(void **state) {
  (void)state;
  ov_arena a;
  ov_msg m;
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  /* receipts and held seqs that do not rise, or whose sum leaves the range */
  ov_ack_receipt fall[2] = {{9, 1, 0}, {9, 2, 0}}, over[] = {{1, OV_TIME_S_MAX, 0}};
  ov_ack_held held[2] = {{4, 1}, {4, 1}};
  ov_ack acks[] = {{.receipts = fall, .n_receipts = 2}, {.held = held, .n_held = 2}};
  ov_buf b;
  fresh_buf(&b);
  for (unsigned i = 0; i < 2; i++) {
    ov_buf_reset(&b);
    ov_ack_body(&acks[i], &b);
    ov_mpw_bin(&b, acks[i].sig, OV_SIG_BYTES);
    assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &a, &m), OV_E_FORMAT);
  }
  ov_ack near = {.receipts = over, .n_receipts = 1};
  ov_buf_reset(&b);
  ov_ack_body(&near, &b);
  ov_mpw_bin(&b, near.sig, OV_SIG_BYTES);
  assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &a, &m), 0);
  /* the second time step added by hand: INT64_MAX and 1 more */
  ov_buf_reset(&b);
  put_hex(&b, "970801c420");
  for (unsigned i = 0; i < 32; i++) ov_buf_u8(&b, 0);
  put_hex(&b, "0096 01cf7fffffffffffffff00 010100 90 c440");
  for (unsigned i = 0; i < 64; i++) ov_buf_u8(&b, 0);
  assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &a, &m), OV_E_FORMAT);
  ov_buf_free(&b);
  ov_arena_free(&a);
}

static void test_signed_parts(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  ov_buf body, b, sgn;
  fresh_buf(&body);
  fresh_buf(&b);
  fresh_buf(&sgn);
  ov_msg in = sample_msg(&s, OV_M_HELLO, true), out;
  ov_hello_body(&in.hello, &body);
  ov_hello_encode(body.p, body.n, in.hello.sig, &b);
  assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &s.arena, &out), 0);
  assert_int_equal(out.hello.body_len, body.n);
  assert_memory_equal(out.hello.body, body.p, body.n);
  /* A later version may put elements before the signature; they are signed and passed over. */
  ov_buf later;
  fresh_buf(&later);
  put_hex(&later, "dc0011");
  ov_buf_put(&later, body.p + 1, body.n - 1);
  put_hex(&later, "82 01 02 a1 78 c0 c3");
  size_t signed_n = later.n;
  ov_mpw_bin(&later, in.hello.sig, OV_SIG_BYTES);
  assert_int_equal(ov_msg_decode(later.p, later.n, NULL, &s.arena, &out), 0);
  assert_int_equal(out.hello.body_len, signed_n);
  assert_memory_equal(out.hello.sig, in.hello.sig, OV_SIG_BYTES);

  in = sample_msg(&s, OV_M_ACK, true);
  ov_buf_reset(&body);
  ov_buf_reset(&b);
  ov_ack_body(&in.ack, &body);
  ov_ack_encode(body.p, body.n, in.ack.sig, &b);
  assert_int_equal(ov_msg_decode(b.p, b.n, NULL, &s.arena, &out), 0);
  assert_int_equal(out.ack.body_len, body.n);
  assert_memory_equal(out.ack.body, body.p, body.n);
  ov_signed_ack(&sgn, &s.server, &s.organisation, &s.writer, body.p, body.n);
  assert_int_equal(sgn.n, 17 + 48 + body.n);
  assert_memory_equal(sgn.p, "overdracht ack 1", 17);
  assert_memory_equal(sgn.p + 17, s.server.b, 16);
  assert_memory_equal(sgn.p + 33, s.organisation.b, 16);
  assert_memory_equal(sgn.p + 49, s.writer.b, 16);
  assert_memory_equal(sgn.p + 65, body.p, body.n);
  ov_buf_free(&later);
  ov_buf_free(&body);
  ov_buf_free(&b);
  ov_buf_free(&sgn);
  samples_free(&s);
}

/* Every optional element alone: those before it stand at their defaults. */
static void check_alone(const ov_msg *in, samples *s, uint32_t elements) {
  ov_buf one, two;
  ov_msg out;
  fresh_buf(&one);
  fresh_buf(&two);
  sample_encode(s, in, &one);
  assert_int_equal(one.p[0], 0x90 + elements);
  assert_int_equal(ov_msg_decode(one.p, one.n, &s->delta_ctx, &s->arena, &out), 0);
  check_fields(in, &out);
  sample_encode(s, &out, &two);
  assert_int_equal(one.n, two.n);
  assert_memory_equal(one.p, two.p, one.n);
  ov_buf_free(&one);
  ov_buf_free(&two);
}

/* PROTO-15 */
static void test_optional_elements_alone(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  ov_msg full = sample_msg(&s, OV_M_WELCOME, true), m;
#define WELCOME_WITH(field, n)                                                                               \
  m = sample_msg(&s, OV_M_WELCOME, false), m.welcome.field = full.welcome.field, check_alone(&m, &s, n)
  WELCOME_WITH(safe_up_to, 6);
  WELCOME_WITH(frame_bytes, 8);
  WELCOME_WITH(credit, 9);
  WELCOME_WITH(retry_s, 10);
  m = sample_msg(&s, OV_M_WELCOME, false);
  m.welcome.scopes = full.welcome.scopes;
  m.welcome.n_scopes = full.welcome.n_scopes;
  check_alone(&m, &s, 7);
  m = sample_msg(&s, OV_M_WELCOME, false);
  m.welcome.tips = full.welcome.tips; /* as a cloned tablet gets them: own is same */
  m.welcome.n_tips = full.welcome.n_tips;
  check_alone(&m, &s, 11);
  m = (ov_msg){.type = OV_M_ERROR, .error = {.err = OV_E_FULL, .seq = 7}};
  check_alone(&m, &s, 3);
  m.error = (ov_error){.err = OV_E_FULL, .retry_s = 7};
  check_alone(&m, &s, 4);
  m.error = (ov_error){.err = OV_E_FULL, .text = "vol", .text_len = 3};
  check_alone(&m, &s, 5);
  full = sample_msg(&s, OV_M_PUSH, true);
  m = sample_msg(&s, OV_M_PUSH, false);
  m.push.keys = full.push.keys;
  m.push.n_keys = full.push.n_keys;
  check_alone(&m, &s, 7);
  full = sample_msg(&s, OV_M_DELTA, true);
  m = sample_msg(&s, OV_M_DELTA, false);
  m.delta.gone = full.delta.gone;
  m.delta.n_gone = full.delta.n_gone;
  check_alone(&m, &s, 11);
  samples_free(&s);
}

/* The ops of a PUSH come back as they were chained. PROTO-63 */
static void test_push_ops(void **state) {
  static const uint8_t key[OV_KEY_BYTES] = {7};
  samples s;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_PUSH, false);
  ov_op *ops;
  size_t n;
  assert_int_equal(ov_push_ops(&in.push, &s.writer, &s.server, SAMPLE_TIME, &s.arena, &ops, &n), 0);
  assert_int_equal(n, 3);
  ov_rows_ctx ctx = {.writer = s.writer, .first_seq = 41, .server = s.server, .base_time = SAMPLE_TIME};
  ov_hash head = s.before;
  ov_buf scratch;
  fresh_buf(&scratch);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(ov_rows_resolve(&ctx, ops, i), 0);
    assert_int_equal(ov_chain_op(s.hasher, &ops[i], key, &head, &scratch), 0);
    assert_true(ov_name_equal(&ops[i].name, &s.ops[i].name));
  }
  assert_memory_equal(head.b, s.after.b, OV_HASH_BYTES);
  in.push.first_seq = OV_SEQ_MAX - 1; /* three ops would go over the end */
  assert_int_equal(ov_push_ops(&in.push, &s.writer, &s.server, SAMPLE_TIME, &s.arena, &ops, &n), OV_E_FORMAT);
  ov_buf_free(&scratch);
  samples_free(&s);
}

/* -- DELTA -- */

static void test_delta_over_limit_leaves_buffer(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_DELTA, true), out;
  ov_buf b;
  ov_buf_init(&b, 150);
  ov_buf_put(&b, "before", 6);
  assert_int_equal(ov_delta_encode(&s.delta_ctx, &in.delta, &s.arena, &b), OV_E_LIMIT);
  assert_int_equal(b.n, 6);
  assert_int_equal(b.err, 0);
  in.delta.n_records = 0;
  in.delta.n_gone = 0;
  assert_int_equal(ov_delta_encode(&s.delta_ctx, &in.delta, &s.arena, &b), 0);
  assert_int_equal(ov_msg_decode(b.p + 6, b.n - 6, &s.delta_ctx, &s.arena, &out), 0);
  assert_int_equal(out.delta.n_records, 0);
  ov_buf_free(&b);
  samples_free(&s);
}

/* PROTO-46 */
static void test_delta_same_record_twice(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  ov_msg in = sample_msg(&s, OV_M_DELTA, true);
  in.delta.records[1] = in.delta.records[0];
  ov_buf b;
  fresh_buf(&b);
  assert_int_equal(ov_delta_encode(&s.delta_ctx, &in.delta, &s.arena, &b), OV_E_INVALID);
  ov_buf_free(&b);
  samples_free(&s);
}

/* Rows, runs and extras must agree with each other. */
static int decode_delta_parts(samples *s, const ov_delta *m, uint32_t run, const char *extras_hex) {
  ov_buf whole, b;
  ov_msg out;
  fresh_buf(&whole);
  fresh_buf(&b);
  assert_int_equal(ov_delta_encode(&s->delta_ctx, m, &s->arena, &whole), 0);
  ov_mpr r;
  ov_mpr_init(&r, whole.p, whole.n);
  ov_mpr_array(&r);
  for (int i = 0; i < 7; i++) ov_mpr_skip(&r);
  size_t rows_n;
  const uint8_t *head = whole.p + 1, *rows = ov_mpr_raw(&r, &rows_n);
  ov_mpw_array(&b, extras_hex ? 10 : 9);
  ov_buf_put(&b, head, (size_t)(rows - head) + rows_n);
  ov_mpw_array(&b, 2);
  ov_mpw_uint(&b, run);
  ov_mpw_int(&b, -5);
  if (extras_hex) put_hex(&b, extras_hex);
  int err = ov_msg_decode(b.p, b.n, &s->delta_ctx, &s->arena, &out);
  ov_buf_free(&whole);
  ov_buf_free(&b);
  return err;
}

/* PROTO-46 */
static void test_delta_parts_agree(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  ov_msg m = sample_msg(&s, OV_M_DELTA, true);
  ov_delta *d = &m.delta;
  d->n_records = 2; /* the plain ones */
  d->n_gone = 0;
  assert_int_equal(decode_delta_parts(&s, d, 2, NULL), 0);
  assert_int_equal(decode_delta_parts(&s, d, 1, NULL), OV_E_FORMAT);
  assert_int_equal(decode_delta_parts(&s, d, 3, NULL), OV_E_FORMAT);
  assert_int_equal(decode_delta_parts(&s, d, 0, NULL), OV_E_FORMAT);
  assert_int_equal(decode_delta_parts(&s, d, OV_FRAME_ROWS_MAX + 1, NULL), OV_E_FORMAT);
  assert_int_equal(decode_delta_parts(&s, d, 2, "90"), 0);
  assert_int_equal(decode_delta_parts(&s, d, 2, "91 920000"), 0);
  assert_int_equal(decode_delta_parts(&s, d, 2, "91 920200"), OV_E_FORMAT);         /* no such record */
  assert_int_equal(decode_delta_parts(&s, d, 2, "92 920100 920000"), OV_E_FORMAT);  /* not ascending */
  assert_int_equal(decode_delta_parts(&s, d, 2, "92 920100 920100"), OV_E_FORMAT);  /* twice */
  assert_int_equal(decode_delta_parts(&s, d, 2, "91 920002"), OV_E_FORMAT);         /* an unknown bit */
  assert_int_equal(decode_delta_parts(&s, d, 2, "91 9100"), OV_E_FORMAT);           /* too short */
  assert_int_equal(decode_delta_parts(&s, d, 2, "91 96000000c0c0c0"), OV_E_FORMAT); /* too long */
  assert_int_equal(decode_delta_parts(&s, d, 2, "91 920101"),
                   OV_E_FORMAT); /* a row with values is no stand-in */
  assert_int_equal(decode_delta_parts(&s, d, 2, "91 930000c4050000000000"),
                   OV_E_FORMAT);                                                      /* flags of other ops */
  assert_int_equal(decode_delta_parts(&s, d, 2, "91 940000c40092c0c0"), OV_E_FORMAT); /* half a held op */
  samples_free(&s);
}

/* However many held ops a record has, 256 travel. PROTO-88 */
static void test_delta_held_flood(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  enum { N = 300 };
  ov_fold_in in[N];
  for (unsigned i = 0; i < N; i++) {
    ov_op *op = ov_op_dup(&s.ops[0], &s.arena);
    if (i > 0) {
      op->name.seq += i;
      op->creates = false;
    }
    in[i] = (ov_fold_in){.op = op,
                         .verdict = i ? OV_HELD : OV_APPLIED,
                         .reason = i ? OV_HELD_RANGE : 0,
                         .server_time = SAMPLE_TIME};
  }
  ov_delta_rec rec = {.changed = SAMPLE_TIME};
  assert_int_equal(ov_fold(in, N, &s.arena, &rec.rec), 0);
  assert_int_equal(rec.rec.n_held, N - 1);
  ov_delta d = {.scope = 2, .to = 1, .time = SAMPLE_TIME, .records = &rec, .n_records = 1};
  ov_buf b;
  ov_msg out;
  fresh_buf(&b);
  assert_int_equal(ov_delta_encode(&s.delta_ctx, &d, &s.arena, &b), 0);
  assert_int_equal(ov_msg_decode(b.p, b.n, &s.delta_ctx, &s.arena, &out), 0);
  assert_int_equal(out.delta.records[0].rec.n_held, OV_DELTA_HELD_MAX);
  ov_buf_free(&b);
  samples_free(&s);
}

/* -- bytes -- */

static size_t frame_size(samples *s, const ov_msg *m) {
  ov_packer *k = ov_packer_new();
  ov_buf plain, frame;
  fresh_buf(&plain);
  fresh_buf(&frame);
  sample_encode(s, m, &plain);
  assert_int_equal(ov_frame_pack(k, plain.p, plain.n, &frame), 0);
  size_t n = frame.n;
  ov_buf_free(&plain);
  ov_buf_free(&frame);
  ov_packer_free(k);
  return n;
}

/* The budget: nothing new, three scopes, both ways, at most 400 bytes. Counted with a device that has 4
 * million ops behind it. */
static void test_bytes_nothing_new(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  ov_msg hello = sample_msg(&s, OV_M_HELLO, true), welcome = sample_msg(&s, OV_M_WELCOME, false),
         synced = {.type = OV_M_SYNCED}, bye = {.type = OV_M_BYE};
  hello.hello.own.seq = 4000000;
  hello.hello.wants = OV_WANTS_ONCE;
  hello.hello.push_follows = false;
  hello.hello.credit = OV_CREDIT_DEFAULT;
  hello.hello.frame_bytes = OV_FRAME_BYTES_DEFAULT;
  for (uint32_t i = 0; i < 3; i++) hello.hello.cursors[i].pos = 10000000;
  welcome.welcome.safe_up_to = 4000000;
  size_t up = frame_size(&s, &hello) + frame_size(&s, &bye);
  size_t down = frame_size(&s, &welcome) + frame_size(&s, &synced);
  print_message("nothing new: %zu up, %zu down\n", up, down);
  assert_true(up + down <= 320);
  samples_free(&s);
}

static void test_bytes_push_and_ack(void **state) {
  samples s;
  (void)state;
  samples_init(&s);
  ov_msg push = sample_msg(&s, OV_M_PUSH, false), ack = sample_msg(&s, OV_M_ACK, false),
         delta = sample_msg(&s, OV_M_DELTA, false);
  push.push.first_seq = 65535;
  ov_buf plain;
  fresh_buf(&plain);
  sample_encode(&s, &push, &plain);
  /* and one byte of frame mode */
  size_t overhead = plain.n + 1 - push.push.rows_len - OV_SIG_BYTES;
  ov_buf_reset(&plain);
  push.push.rows_len = 0;
  ack.ack.up_to = ack.ack.safe_up_to = ack.ack.receipts[0].up_to = 65535;
  size_t ack_size = frame_size(&s, &ack), delta_size = frame_size(&s, &delta);
  print_message("PUSH overhead %zu, ACK %zu, DELTA without records %zu\n", overhead, ack_size, delta_size);
  assert_true(overhead + 1 <= 14); /* + 1: rows over 255 bytes take one byte more to announce */
  assert_true(ack_size <= 150);
  assert_true(delta_size <= 40);
  ov_buf_free(&plain);
  samples_free(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_optional_elements_alone),
      cmocka_unit_test(test_truncated_and_trailing),
      cmocka_unit_test(test_mutations),
      cmocka_unit_test(test_no_memory),
      cmocka_unit_test(test_no_memory_for_delta),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_list_limits),
      cmocka_unit_test(test_ack_arithmetic),
      cmocka_unit_test(test_signed_parts),
      cmocka_unit_test(test_push_ops),
      cmocka_unit_test(test_delta_over_limit_leaves_buffer),
      cmocka_unit_test(test_delta_same_record_twice),
      cmocka_unit_test(test_delta_parts_agree),
      cmocka_unit_test(test_delta_held_flood),
      cmocka_unit_test(test_bytes_nothing_new),
      cmocka_unit_test(test_bytes_push_and_ack),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
