/* A client may send on without waiting: what comes before the server can take it is kept, in order, and taken
 * once. Sessions of the real server, with its clock and its writer in the test's hand. */
#include <stdlib.h>
#include <unistd.h>

#include "ingest_world.h"
#include "ov/peer.h"
#include "sv_enrol.h"
#include "sv_limits.h"
#include "sv_server.h"
#include "sv_writer.h"

#define SERVER_NAME "localhost"
#define SECONDS_MAX 60 /* a loop that never ends is the end of the test */

typedef struct scene {
  small_world s;
  sv_org *programme;
  sv_server *server;
  sv_session *session;
  unsigned pauses;
  bool closed;
} scene;

static void wake(void *ctx) { (void)ctx; }
static void want_write(void *ctx) { (void)ctx; }
static void pause_reading(void *ctx, bool paused) { ((scene *)ctx)->pauses += paused; }
static void close_it(void *ctx, unsigned code, const char *reason) {
  (void)code, (void)reason;
  ((scene *)ctx)->closed = true;
}

static int scene_open(void **state) {
  static const char *const names[] = {SERVER_NAME};
  scene *x = calloc(1, sizeof *x);
  sv_txn *t = NULL;
  FX_MUST(x);
  small_open(&x->s, 17);
  x->programme = fx_programme(&x->s.w, fx_data(&x->s.w));
  FX_OK(sv_txn_write(x->programme->env, &t));
  FX_OK(sv_device_put(t, &x->s.ta->device)); /* where HELLO looks for it */
  FX_OK(sv_txn_commit(t));
  sv_server_options o = {.sys = &x->s.w.sys,
                         .names = names,
                         .n_names = 1,
                         .programme = x->programme,
                         .schemas = x->s.w.schemas,
                         .wake = wake};
  FX_OK(sv_server_new(&o, &x->server));
  FX_OK(sv_server_add_org(x->server, x->s.org));
  sv_link link = {.want_write = want_write, .close = close_it, .pause = pause_reading, .ctx = x};
  x->session = sv_session_open(x->server, &link, "192.0.2.7");
  FX_MUST(x->session);
  *state = x;
  alarm(SECONDS_MAX);
  return 0;
}

static int scene_close(void **state) {
  scene *x = *state;
  alarm(0);
  sv_session_closed(x->session);
  sv_server_shutdown(x->server);
  sv_server_free(x->server);
  sv_org_close(x->programme);
  small_close(&x->s);
  free(x);
  return 0;
}

static void commit(scene *x) {
  for (int i = 0; i < 4; i++) {
    while (sv_writer_step(sv_server_writer(x->server))) continue;
    sv_server_poll(x->server);
  }
}

/* -- what the client sends ------------------------------------------------------------------------------- */

static void deliver(scene *x, const ov_buf *plain) {
  ov_buf frame;
  ov_buf_init(&frame, OV_WS_MESSAGE_BYTES_MAX);
  ov_buf_u8(&frame, 0); /* not packed */
  ov_buf_put(&frame, plain->p, plain->n);
  FX_OK(frame.err);
  sv_session_message(x->session, frame.p, frame.n);
  ov_buf_free(&frame);
}

static void send_enrol(scene *x) {
  char code[SV_CODE_TEXT];
  sv_txn *t = NULL;
  ov_buf b;
  FX_OK(sv_txn_write(x->programme->env, &t));
  FX_OK(sv_code_make(t, &x->s.w.sys, &x->s.org->id, &x->s.ta->device.record, code));
  FX_OK(sv_txn_commit(t));
  ov_enrol e = {.version_min = OV_PROTOCOL_VERSION,
                .version_max = OV_PROTOCOL_VERSION,
                .code = code,
                .code_len = (uint32_t)strlen(code),
                .device_name = "x",
                .device_name_len = 1};
  memcpy(e.pubkey, x->s.ta->device.pubkey, sizeof e.pubkey);
  ov_buf_init(&b, 0);
  ov_enrol_encode(&e, &b);
  deliver(x, &b);
  ov_buf_free(&b);
}

/* body: what PROOF signs over. */
static void send_hello_of(scene *x, unsigned version, ov_hash *body_hash) {
  fx_tablet *t = x->s.ta;
  ov_buf body, told, plain;
  uint8_t sig[OV_SIG_BYTES];
  ov_hello m = {.version_min = version,
                .version_max = version,
                .device = t->device.id,
                .writer = t->writer,
                .own = {.head = t->heads[0]},
                .server = x->s.org->server,
                .time_ms = x->s.w.now_ms,
                .push_follows = true};
  ov_buf_init(&body, 0);
  ov_buf_init(&told, 0);
  ov_buf_init(&plain, 0);
  ov_hello_body(&m, &body);
  ov_signed_hello(&told, SERVER_NAME, body.p, body.n);
  FX_OK(ov_p256_sign(t->key, told.p, told.n, sig));
  FX_OK(ov_sha256(x->s.w.hasher, body.p, body.n, body_hash));
  ov_hello_encode(body.p, body.n, sig, &plain);
  deliver(x, &plain);
  ov_buf_free(&body);
  ov_buf_free(&told);
  ov_buf_free(&plain);
}

static void send_hello(scene *x, ov_hash *body_hash) { send_hello_of(x, OV_PROTOCOL_VERSION, body_hash); }

static void send_push(scene *x, uint32_t from, uint32_t to, bool more) {
  ov_buf rows, plain;
  sv_push_in in;
  fx_push_in(x->s.ta, from, to, &rows, &in);
  in.push.more = more;
  ov_buf_init(&plain, 0);
  ov_push_encode(&in.push, &plain);
  deliver(x, &plain);
  ov_buf_free(&rows);
  ov_buf_free(&plain);
}

static void send_proof(scene *x, const uint8_t nonce[16], const ov_hash *hello_body) {
  ov_proof proof;
  ov_buf told, plain;
  ov_buf_init(&told, 0);
  ov_buf_init(&plain, 0);
  ov_signed_proof(&told, SERVER_NAME, nonce, hello_body);
  FX_OK(ov_p256_sign(x->s.ta->key, told.p, told.n, proof.sig));
  ov_proof_encode(&proof, &plain);
  deliver(x, &plain);
  ov_buf_free(&told);
  ov_buf_free(&plain);
}

/* -- what it gets ---------------------------------------------------------------------------------------- */

/* The next message, which must be of this type. */
static void next(scene *x, ov_msg_type type, ov_msg *m) {
  ov_buf frame, *plain = ov_arena_alloc(&x->s.w.arena, sizeof *plain);
  ov_packer *k = ov_packer_new();
  ov_rows_ctx ctx = {.named = true, .writer = x->s.org->server, .server = x->s.org->server};
  FX_MUST(k && plain);
  ov_buf_init(&frame, OV_WS_MESSAGE_BYTES_MAX);
  ov_buf_init(plain, 0);
  if (!sv_session_pull(x->session, &frame)) fail_msg("nothing comes, instead of message %d", type);
  FX_OK(ov_frame_unpack(k, frame.p, frame.n, OV_FRAME_BYTES_MAX, plain));
  const uint8_t *p = ov_arena_dup(&x->s.w.arena, plain->p, plain->n);
  FX_OK(ov_msg_decode(p, plain->n, &ctx, &x->s.w.arena, m));
  ov_buf_free(&frame);
  ov_buf_free(plain);
  ov_packer_free(k);
  assert_int_equal(m->type, type);
}

/* One that enrols and goes on at once as a device that it was before: HELLO has to be proved (the server has
 * only just started), and the pushes behind it wait for that, not for ever. */
static void pushes_behind_an_enrolment_wait_for_the_proof(void **state) {
  scene *x = *state;
  ov_msg m;
  ov_hash body;
  small_night(&x->s, x->s.ta, 1);
  small_night(&x->s, x->s.ta, 2);
  send_enrol(x);
  send_hello(x, &body);
  send_push(x, 1, 1, true);
  send_push(x, 2, 2, false);
  commit(x);
  next(x, OV_M_ENROLLED, &m);
  next(x, OV_M_CHALLENGE, &m);
  assert_false(x->closed);
  send_proof(x, m.challenge.nonce, &body);
  commit(x);
  next(x, OV_M_WELCOME, &m);
  next(x, OV_M_ACK, &m);
  assert_int_equal(m.ack.up_to, 1);
  next(x, OV_M_ACK, &m);
  assert_int_equal(m.ack.up_to, 2);
}

static void greet(scene *x) {
  ov_msg m;
  ov_hash body;
  send_hello(x, &body);
  next(x, OV_M_CHALLENGE, &m);
  send_proof(x, m.challenge.nonce, &body);
  commit(x);
  next(x, OV_M_WELCOME, &m);
}

/* A device is here once it has proved who it is, and has sent all when its last push is answered. */
static void a_device_is_here_from_its_proof_on(void **state) {
  scene *x = *state;
  const ov_id *id = &x->s.ta->device.id;
  ov_msg m;
  bool all_sent = true;
  small_night(&x->s, x->s.ta, 1);
  assert_false(sv_server_device_here(x->server, id, &all_sent));
  assert_false(all_sent);
  greet(x);
  assert_true(sv_server_device_here(x->server, id, &all_sent));
  assert_false(all_sent);
  assert_false(sv_server_device_here(x->server, &x->s.tb->device.id, &all_sent));
  send_push(x, 1, 1, false);
  commit(x);
  next(x, OV_M_ACK, &m);
  assert_true(sv_server_device_here(x->server, id, &all_sent));
  assert_true(all_sent);
}

/* PROTO-42: what waits for an answer is kept, but not without end. */
static void too_much_behind_an_unanswered_push_ends_it(void **state) {
  scene *x = *state;
  ov_msg m;
  for (unsigned i = 0; i < SV_INBOX_FRAMES_MAX + 2; i++) small_night(&x->s, x->s.ta, 1);
  greet(x);
  for (uint32_t i = 1; i <= SV_INBOX_FRAMES_MAX + 1; i++) send_push(x, i, i, true);
  assert_false(x->closed);
  send_push(x, SV_INBOX_FRAMES_MAX + 2, SV_INBOX_FRAMES_MAX + 2, false);
  assert_true(x->closed);
  next(x, OV_M_ERROR, &m);
  assert_int_equal(m.error.err, OV_E_FLOOD);
  commit(x);
}

/* PROTO-44 */
static void another_version_is_told_so(void **state) {
  scene *x = *state;
  ov_msg m;
  ov_hash body;
  send_hello_of(x, OV_PROTOCOL_VERSION + 1, &body);
  assert_true(x->closed);
  next(x, OV_M_ERROR, &m);
  assert_int_equal(m.error.err, OV_E_VERSION);
}

static int fill_run(sv_job *job, sv_txn *t, ov_arena *a) {
  (void)job, (void)t, (void)a;
  return 0;
}

static void fill_done(sv_job *job, void *server) { (void)job, (void)server; }

/* PROTO-140: more waits to be committed than is kept: it is told at once, nothing was taken, and the same
 * push is taken later. */
static void a_push_that_finds_no_room_is_told_to_come_again(void **state) {
  scene *x = *state;
  ov_msg m;
  bool all_sent = true;
  sv_job full = {.org = x->s.org, .bytes = SV_QUEUE_BYTES_MAX - 10, .run = fill_run, .done = fill_done};
  small_night(&x->s, x->s.ta, 1);
  greet(x);
  FX_OK(sv_writer_submit(sv_server_writer(x->server), &full));
  send_push(x, 1, 1, false);
  next(x, OV_M_ERROR, &m);
  assert_int_equal(m.error.err, OV_E_BUSY);
  assert_true(m.error.retry_s > 0);
  assert_false(x->closed);
  assert_true(sv_server_device_here(x->server, &x->s.ta->device.id, &all_sent));
  assert_false(all_sent);
  commit(x);
  send_push(x, 1, 1, false);
  commit(x);
  next(x, OV_M_ACK, &m);
  assert_int_equal(m.ack.up_to, 1);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, scene_open, scene_close)
  const struct CMUnitTest tests[] = {
      T(pushes_behind_an_enrolment_wait_for_the_proof), T(a_device_is_here_from_its_proof_on),
      T(too_much_behind_an_unanswered_push_ends_it), T(a_push_that_finds_no_room_is_told_to_come_again),
      T(another_version_is_told_so)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
