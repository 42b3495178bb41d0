#include "msg_samples.h"

#include <zlib.h>

#include "ov/peer.h"
#include "util.h"

typedef struct world {
  samples s;
  ov_packer *packer;
} world;

static void world_init(world *w) {
  samples_init(&w->s);
  w->packer = ov_packer_new();
  assert_non_null(w->packer);
}

static void world_free(world *w) {
  ov_packer_free(w->packer);
  samples_free(&w->s);
}

static int send_msg(world *w, ov_peer *p, const ov_msg *m, ov_buf *frame) {
  ov_buf plain;
  ov_buf_init(&plain, 0);
  sample_encode(&w->s, m, &plain);
  int err = ov_peer_send(p, m->type, plain.p, plain.n, frame);
  ov_buf_free(&plain);
  return err;
}

static int feed_msg(world *w, ov_peer *p, const ov_msg *m, ov_msg **out) {
  ov_buf plain, frame;
  ov_buf_init(&plain, 0);
  ov_buf_init(&frame, 0);
  sample_encode(&w->s, m, &plain);
  assert_int_equal(ov_frame_pack(w->packer, plain.p, plain.n, &frame), 0);
  int err = ov_peer_feed(p, frame.p, frame.n, out);
  ov_buf_free(&plain);
  ov_buf_free(&frame);
  return err;
}

/* The diagram once more, written down as a list of arrows: state, sender, message, next state. What is not
 * here is an error. */
typedef struct arrow {
  ov_state from;
  char sender;
  ov_msg_type type;
  ov_state to;
} arrow;
static const arrow arrows[] = {
    {OV_S_START, 'c', OV_M_ENROL, OV_S_ENROLLING},
    {OV_S_START, 'c', OV_M_HELLO, OV_S_GREETED},
    {OV_S_ENROLLING, 's', OV_M_ENROLLED, OV_S_ENROLLED},
    {OV_S_ENROLLED, 'c', OV_M_HELLO, OV_S_GREETED},
    {OV_S_GREETED, 's', OV_M_WELCOME, OV_S_OPEN},
    {OV_S_GREETED, 's', OV_M_CHALLENGE, OV_S_CHALLENGED},
    {OV_S_GREETED, 'c', OV_M_PUSH, OV_S_GREETED},
    {OV_S_CHALLENGED, 'c', OV_M_PROOF, OV_S_PROVED},
    {OV_S_CHALLENGED, 'c', OV_M_PUSH, OV_S_CHALLENGED},
    {OV_S_PROVED, 's', OV_M_WELCOME, OV_S_OPEN},
    {OV_S_PROVED, 'c', OV_M_PUSH, OV_S_PROVED},
    {OV_S_OPEN, 'c', OV_M_PUSH, OV_S_OPEN},
    {OV_S_OPEN, 'c', OV_M_ACKED, OV_S_OPEN},
    {OV_S_OPEN, 's', OV_M_ACK, OV_S_OPEN},
    {OV_S_OPEN, 's', OV_M_DELTA, OV_S_OPEN},
    {OV_S_OPEN, 's', OV_M_SYNCED, OV_S_OPEN},
    {OV_S_OPEN, 's', OV_M_ERROR, OV_S_OPEN},
};

static int expected(ov_state s, char sender, ov_msg_type type) {
  for (size_t i = 0; i < sizeof arrows / sizeof *arrows; i++)
    if (arrows[i].from == s && arrows[i].sender == sender && arrows[i].type == type) return (int)arrows[i].to;
  if (s != OV_S_CLOSED && (type == OV_M_BYE || type == OV_M_ERROR)) return OV_S_CLOSED;
  return -1;
}

/* The messages that lead from START to a state. */
static const ov_msg_type paths[OV_S_COUNT][5] = {
    [OV_S_ENROLLING] = {OV_M_ENROL},
    [OV_S_ENROLLED] = {OV_M_ENROL, OV_M_ENROLLED},
    [OV_S_GREETED] = {OV_M_HELLO},
    [OV_S_CHALLENGED] = {OV_M_HELLO, OV_M_CHALLENGE},
    [OV_S_PROVED] = {OV_M_HELLO, OV_M_CHALLENGE, OV_M_PROOF},
    [OV_S_OPEN] = {OV_M_ENROL, OV_M_ENROLLED, OV_M_HELLO, OV_M_WELCOME},
    [OV_S_CLOSED] = {OV_M_BYE},
};

static bool client_sends(ov_msg_type t) {
  return t == OV_M_ENROL || t == OV_M_HELLO || t == OV_M_PROOF || t == OV_M_PUSH || t == OV_M_ACKED;
}

static ov_peer *peer_in(world *w, ov_role role, ov_state s) {
  ov_peer *p = ov_peer_new(role, w->packer);
  assert_non_null(p);
  ov_peer_set_server(p, &w->s.server);
  for (int i = 0; paths[s][i]; i++) {
    ov_msg m = sample_msg(&w->s, paths[s][i], false), *got;
    ov_buf frame;
    ov_buf_init(&frame, 0);
    if (client_sends(m.type) == (role == OV_CLIENT)) assert_int_equal(send_msg(w, p, &m, &frame), 0);
    else assert_int_equal(feed_msg(w, p, &m, &got), 0);
    ov_buf_free(&frame);
  }
  assert_int_equal(ov_peer_state(p), s);
  return p;
}

static void check_cell(world *w, ov_role role, ov_state s, ov_msg_type type, bool sent) {
  char sender = (role == OV_CLIENT) == sent ? 'c' : 's';
  int want = expected(s, sender, type);
  assert_int_equal(ov_peer_next(role, s, type, sent), want);
  ov_peer *p = peer_in(w, role, s);
  ov_msg m = sample_msg(&w->s, type, true), *got = NULL;
  ov_buf frame;
  ov_buf_init(&frame, 0);
  int err = sent ? send_msg(w, p, &m, &frame) : feed_msg(w, p, &m, &got);
  assert_int_equal(err, want < 0 ? OV_E_STATE : 0);
  if (want >= 0) {
    assert_int_equal(ov_peer_state(p), want);
    assert_true(sent ? frame.n > 0 : got && got->type == type);
  } else {
    /* A wrong message ends the session; a wrong call changes nothing. */
    assert_int_equal(ov_peer_state(p), sent ? s : OV_S_CLOSED);
    assert_int_equal(frame.n, 0);
    assert_null(got);
  }
  ov_buf_free(&frame);
  ov_peer_free(p);
}

/* PROTO-38, PROTO-41 */
static void test_every_cell(void **state) {
  (void)state;
  for (int role = OV_CLIENT; role <= OV_SERVER; role++)
    for (int s = 0; s < OV_S_COUNT; s++) {
      world w;
      world_init(&w);
      for (int type = 1; type < OV_M_COUNT; type++)
        for (int sent = 0; sent < 2; sent++)
          check_cell(&w, (ov_role)role, (ov_state)s, (ov_msg_type)type, sent);
      world_free(&w);
    }
}

static void test_table_outside(void **state) {
  (void)state;
  assert_int_equal(ov_peer_next(OV_CLIENT, OV_S_COUNT, OV_M_BYE, true), -1);
  assert_int_equal(ov_peer_next(OV_CLIENT, OV_S_START, OV_M_COUNT, true), -1);
  assert_int_equal(ov_peer_next(OV_CLIENT, OV_S_START, (ov_msg_type)0, true), -1);
  for (int s = 0; s < OV_S_COUNT; s++) assert_true(strlen(ov_state_text((ov_state)s)) > 3);
  assert_string_equal(ov_state_text(OV_S_COUNT), "?");
}

/* An ERROR's class decides: a refusal leaves an open session open, a fault ends it, for the one who sends as
 * for the other. PROTO-40 */
static void test_error_class(void **state) {
  world w;
  (void)state;
  world_init(&w);
  static const int errs[] = {
      OV_E_GAP,    OV_E_BRANCH, OV_E_OP_FORMAT, OV_E_NEED_KEYS, OV_E_BUSY, OV_E_READONLY,
      OV_E_FORMAT, OV_E_AUTH,   OV_E_REVOKED,   OV_E_SHUTDOWN,  -99};
  for (size_t i = 0; i < sizeof errs / sizeof *errs; i++)
    for (int role = OV_CLIENT; role <= OV_SERVER; role++)
      for (int sent = 0; sent < 2; sent++) {
        ov_peer *p = peer_in(&w, (ov_role)role, OV_S_OPEN);
        ov_msg m = {.type = OV_M_ERROR, .error = {.err = errs[i]}}, *got;
        ov_buf frame;
        ov_buf_init(&frame, 0);
        assert_int_equal(sent ? send_msg(&w, p, &m, &frame) : feed_msg(&w, p, &m, &got), 0);
        bool by_server = (role == OV_SERVER) == sent;
        bool stays = by_server && ov_err_classify(errs[i]) == OV_CLASS_REPLY;
        assert_int_equal(ov_peer_state(p), stays ? OV_S_OPEN : OV_S_CLOSED);
        ov_buf_free(&frame);
        ov_peer_free(p);
      }
  world_free(&w);
}

/* Frames are carried between a real client and a real server. */
typedef struct ends {
  world w;
  ov_peer *client, *server;
  size_t up, down;
} ends;

static ov_msg *pass(ends *l, bool up, ov_msg_type type, bool full) {
  ov_msg m = sample_msg(&l->w.s, type, full), *got;
  ov_buf frame;
  ov_buf_init(&frame, 0);
  assert_int_equal(send_msg(&l->w, up ? l->client : l->server, &m, &frame), 0);
  assert_int_equal(ov_peer_feed(up ? l->server : l->client, frame.p, frame.n, &got), 0);
  assert_int_equal(got->type, type);
  *(up ? &l->up : &l->down) += frame.n;
  ov_buf_free(&frame);
  return got;
}

static void ends_init(ends *l) {
  memset(l, 0, sizeof *l);
  world_init(&l->w);
  l->client = ov_peer_new(OV_CLIENT, l->w.packer);
  l->server = ov_peer_new(OV_SERVER, l->w.packer);
}

static void ends_free(ends *l) {
  ov_peer_free(l->client);
  ov_peer_free(l->server);
  world_free(&l->w);
}

/* PROTO-39, PROTO-43 */
static void test_whole_session(void **state) {
  ends l;
  (void)state;
  ends_init(&l);
  pass(&l, true, OV_M_ENROL, true);
  ov_msg *m = pass(&l, false, OV_M_ENROLLED, true);
  ov_peer_set_server(l.client, &m->enrolled.server);
  pass(&l, true, OV_M_HELLO, true);
  pass(&l, true, OV_M_PUSH, true);
  pass(&l, false, OV_M_CHALLENGE, true);
  pass(&l, true, OV_M_PUSH, false); /* was on its way when the challenge came */
  pass(&l, true, OV_M_PROOF, true);
  pass(&l, true, OV_M_PUSH, false);
  pass(&l, false, OV_M_WELCOME, true);
  pass(&l, false, OV_M_ACK, false);
  pass(&l, false, OV_M_ERROR, true);
  pass(&l, true, OV_M_PUSH, false);
  pass(&l, false, OV_M_ACK, true);
  m = pass(&l, false, OV_M_DELTA, true);
  assert_int_equal(m->delta.n_records, 4);
  ov_peer_release(l.client);
  pass(&l, true, OV_M_ACKED, true);
  pass(&l, false, OV_M_SYNCED, true);
  pass(&l, true, OV_M_BYE, false);
  assert_int_equal(ov_peer_state(l.client), OV_S_CLOSED);
  assert_int_equal(ov_peer_state(l.server), OV_S_CLOSED);
  ends_free(&l);
}

/* -- hostile frames -- */

static int feed_hex(world *w, ov_state s, const char *hex) {
  ov_peer *p = peer_in(w, OV_SERVER, s);
  ov_msg *got = (ov_msg *)p;
  ov_buf b;
  ov_buf_init(&b, 0);
  put_hex(&b, hex);
  int err = ov_peer_feed(p, b.p, b.n, &got);
  assert_null(got);
  assert_int_equal(ov_peer_state(p), OV_S_CLOSED);
  /* And nothing revives it. */
  assert_int_equal(ov_peer_feed(p, b.p, b.n, &got), OV_E_STATE);
  ov_buf_free(&b);
  ov_peer_free(p);
  return err;
}

/* Who refuses a message may say why, once, and nothing else; who was not asked has nothing to say. PROTO-5 */
static void test_error_after_refusal(void **state) {
  (void)state;
  world w;
  world_init(&w);
  for (int s = 0; s < OV_S_CLOSED; s++) {
    ov_peer *p = peer_in(&w, OV_SERVER, (ov_state)s);
    ov_msg *got;
    ov_buf plain, out;
    ov_buf_init(&plain, 0);
    ov_buf_init(&out, 0);
    ov_error_encode(&(ov_error){.err = OV_E_FORMAT}, &plain);
    assert_int_equal(ov_peer_feed(p, (const uint8_t *)"\x00\xc1", 2, &got), OV_E_FORMAT);
    assert_int_equal(ov_peer_feed(p, (const uint8_t *)"\x00\xc1", 2, &got), OV_E_STATE);
    assert_int_equal(ov_peer_send(p, OV_M_ERROR, plain.p, plain.n, &out), 0);
    assert_true(out.n > 0);
    assert_int_equal(ov_peer_state(p), OV_S_CLOSED);
    assert_int_equal(ov_peer_send(p, OV_M_ERROR, plain.p, plain.n, &out), OV_E_STATE);
    ov_buf_reset(&plain);
    ov_bye_encode(&(ov_bye){0}, &plain);
    assert_int_equal(ov_peer_send(p, OV_M_BYE, plain.p, plain.n, &out), OV_E_STATE);
    ov_buf_free(&plain);
    ov_buf_free(&out);
    ov_peer_free(p);
  }
  world_free(&w);
}

static void test_hostile_frames(void **state) {
  static const struct {
    const char *hex;
    int err;
    unsigned close;
    const char *why;
  } cases[] = {
      {"00 dd ff ff ff ff", OV_E_FORMAT, 1007, "a huge array in five bytes"},
      {"00 9b dd ff ff ff ff", OV_E_FORMAT, 1007, "and inside"},
      {"00 910a 91919191919191919191919191919191919191919191919191919191919191 c0", OV_E_FORMAT, 1007,
       "two messages"},
      {"00 920a 91919191919191919191919191919191919191919191919191919191919191 c0", OV_E_FORMAT, 1007,
       "depth 33"},
      {"00 920a", OV_E_FORMAT, 1007, "truncated"},
      {"00 920a90 c0", OV_E_FORMAT, 1007, "trailing"},
      {"00 920ac1", OV_E_FORMAT, 1007, "0xc1"},
      {"00 91", OV_E_FORMAT, 1007, "no type"},
      {"00 9163", OV_E_FORMAT, 1007, "an unknown message"},
      {"00", OV_E_FORMAT, 1007, "an empty plain frame"},
      {"", OV_E_FORMAT, 1007, "an empty frame"},
      {"07 920a90", OV_E_FORMAT, 1007, "an unknown mode"},
      {"01 ff ff ff", OV_E_FORMAT, 1007, "no deflate"},
      {"00 9108", OV_E_STATE, 1002, "an ACK from a client, not looked into"},
      {"00 9104", OV_E_STATE, 1002, "a WELCOME from a client"},
      {"00 9303", OV_E_STATE, 1002, "a second HELLO, not looked into"},
  };
  world w;
  (void)state;
  world_init(&w);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int err = feed_hex(&w, OV_S_OPEN, cases[i].hex);
    if (err != cases[i].err) print_error("%s: %s\n", cases[i].why, ov_err_slug(err));
    assert_int_equal(err, cases[i].err);
    assert_int_equal(ov_err_classify(err), OV_CLASS_CLOSE);
    assert_int_equal(ov_err_close_code(err), cases[i].close);
  }
  assert_int_equal(feed_hex(&w, OV_S_START, "00 9107"), OV_E_STATE);       /* an op before HELLO */
  assert_int_equal(feed_hex(&w, OV_S_START, "00 93030909"), OV_E_VERSION); /* a HELLO of versions to come */
  world_free(&w);
}

/* 64 MiB of zeros in 64 kB: inflating stops at the limit. */
static void test_deflate_bomb(void **state) {
  world w;
  (void)state;
  world_init(&w);
  ov_peer *p = peer_in(&w, OV_SERVER, OV_S_OPEN);
  uint8_t *frame = malloc(OV_WS_MESSAGE_BYTES_MAX + 1), *zeros = calloc(1, 1u << 20);
  z_stream z = {0};
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  frame[0] = 1;
  z.next_out = frame + 1;
  z.avail_out = OV_WS_MESSAGE_BYTES_MAX - 1;
  for (int i = 0; i < 60; i++) {
    z.next_in = zeros;
    z.avail_in = 1u << 20;
    assert_int_equal(deflate(&z, i == 59 ? Z_FINISH : Z_NO_FLUSH), i == 59 ? Z_STREAM_END : Z_OK);
  }
  size_t n = (size_t)(z.next_out - frame);
  deflateEnd(&z);
  ov_msg *got;
  assert_int_equal(ov_peer_feed(p, frame, n, &got), OV_E_LIMIT);
  assert_int_equal(ov_err_close_code(OV_E_LIMIT), 1009);
  ov_peer_free(p);
  p = peer_in(&w, OV_SERVER, OV_S_OPEN);
  assert_int_equal(ov_peer_feed(p, frame, OV_WS_MESSAGE_BYTES_MAX + 1, &got), OV_E_LIMIT);
  ov_peer_free(p);
  free(frame);
  free(zeros);
  world_free(&w);
}

/* A session whose frames are damaged on the way ends with an error that closes, and never otherwise harms the
 * receiver. */
static void test_mutated_frames(void **state) {
  world w;
  uint64_t seed = 7;
  unsigned taken = 0;
  (void)state;
  world_init(&w);
  for (int type = 1; type < OV_M_COUNT; type++) {
    ov_role role = client_sends((ov_msg_type)type) ? OV_SERVER : OV_CLIENT;
    ov_state s = OV_S_OPEN;
    while (ov_peer_next(role, s, (ov_msg_type)type, false) < 0)
      s = s == OV_S_OPEN ? OV_S_START : (ov_state)(s + 1);
    ov_buf plain, frame;
    ov_buf_init(&plain, 0);
    ov_buf_init(&frame, 0);
    ov_msg m = sample_msg(&w.s, (ov_msg_type)type, true), *got;
    sample_encode(&w.s, &m, &plain);
    assert_int_equal(ov_frame_pack(w.packer, plain.p, plain.n, &frame), 0);
    for (int i = 0; i < 300; i++) {
      ov_peer *p = peer_in(&w, role, s);
      uint8_t *copy = malloc(frame.n + 3);
      memcpy(copy, frame.p, frame.n);
      size_t n = mutate(&seed, copy, frame.n, frame.n + 3);
      int err = ov_peer_feed(p, copy, n, &got);
      assert_true(err == 0 || ov_err_classify(err) == OV_CLASS_CLOSE);
      assert_true((err == 0) == (got != NULL));
      assert_true(err == 0 || ov_peer_state(p) == OV_S_CLOSED);
      taken += err == 0;
      free(copy);
      ov_peer_free(p);
    }
    ov_buf_free(&plain);
    ov_buf_free(&frame);
  }
  assert_true(taken > 100);
  world_free(&w);
}

/* -- the caller's side -- */

static void test_send_refuses(void **state) {
  world w;
  (void)state;
  world_init(&w);
  ov_peer *p = peer_in(&w, OV_SERVER, OV_S_OPEN);
  ov_buf b, frame;
  ov_buf_init(&b, 0);
  ov_buf_init(&frame, 0);
  /* plain bytes that are not the message they are called */
  assert_int_equal(ov_peer_send(p, OV_M_SYNCED, (const uint8_t *)"\x91\x0b", 2, &frame), OV_E_INVALID);
  assert_int_equal(ov_peer_send(p, OV_M_SYNCED, NULL, 0, &frame), OV_E_INVALID);
  /* a message over the largest frame */
  ov_mpw_array(&b, 7);
  ov_mpw_uint(&b, OV_M_DELTA);
  while (b.n <= OV_FRAME_BYTES_MAX) ov_buf_u8(&b, 0);
  assert_int_equal(ov_peer_send(p, OV_M_DELTA, b.p, b.n, &frame), OV_E_LIMIT);
  assert_int_equal(frame.n, 0);
  /* no room for the frame: the state stays */
  ov_buf full;
  ov_buf_init(&full, 1);
  assert_int_equal(ov_peer_send(p, OV_M_BYE, (const uint8_t *)"\x91\x0b", 2, &full), OV_E_LIMIT);
  assert_int_equal(ov_peer_state(p), OV_S_OPEN);
  ov_buf_free(&full);
  ov_buf_free(&b);
  ov_buf_free(&frame);
  ov_peer_free(p);
  ov_peer_free(NULL);
  world_free(&w);
}

/* PROTO-10 */
static void test_frame_bytes(void **state) {
  world w;
  (void)state;
  world_init(&w);
  ov_peer *p = ov_peer_new(OV_CLIENT, w.packer);
  assert_int_equal(ov_peer_frame_bytes(p), OV_FRAME_BYTES_DEFAULT);
  ov_peer_set_frame_bytes(p, 1);
  assert_int_equal(ov_peer_frame_bytes(p), OV_FRAME_BYTES_MIN);
  ov_peer_set_frame_bytes(p, UINT32_MAX);
  assert_int_equal(ov_peer_frame_bytes(p), OV_FRAME_BYTES_MAX);
  ov_peer_set_frame_bytes(p, 5000);
  assert_int_equal(ov_peer_frame_bytes(p), 5000);
  ov_peer_free(p);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_cell),     cmocka_unit_test(test_table_outside),
      cmocka_unit_test(test_error_class),    cmocka_unit_test(test_whole_session),
      cmocka_unit_test(test_hostile_frames), cmocka_unit_test(test_deflate_bomb),
      cmocka_unit_test(test_mutated_frames), cmocka_unit_test(test_send_refuses),
      cmocka_unit_test(test_frame_bytes),    cmocka_unit_test(test_error_after_refusal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
