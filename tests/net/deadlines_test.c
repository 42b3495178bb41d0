/* Every stage has a deadline, and each is kept: not before, and not much after. Deadlines here are a few
 * hundred milliseconds; the good connection stays all the while because it answers pings and sends. */
#include "net_fixture.h"

#include <unistd.h>

#define UPGRADE_MS 300
#define FIRST_MS 300
#define MESSAGE_MS 300
#define PING_MS 200
#define PONG_MS 150
#define STALL_MS 300
#define CLOSE_MS 250
#define SLACK_MS 400 /* a sweep, and a busy machine */

static void tune(sv_net_opts *o) {
  o->upgrade_ms = UPGRADE_MS;
  o->first_message_ms = FIRST_MS;
  o->message_ms = MESSAGE_MS;
  o->ping_ms = PING_MS;
  o->pong_ms = PONG_MS;
  o->write_stall_ms = STALL_MS;
  o->close_ms = CLOSE_MS;
  o->send_buffer_bytes = 8192;
}

static int start_plain(void **state) { return fixture_start(state, false, tune, true); }

static int start_tls(void **state) { return fixture_start(state, true, tune, true); }

static int64_t now_ms(void) { return (int64_t)sv_net_now_ms(); }

static void assert_took(const char *what, int64_t start, int at_least, int at_most) {
  int took = (int)(now_ms() - start);
  if (took < at_least - 5 || took > at_most)
    fail_msg("%s: after %d ms, expected %d to %d", what, took, at_least, at_most);
}

/* Sends one more byte of `text` (NULL: nothing) each 20 ms until the server hangs up. */
static void trickle_until_end(rawws *ws, const char *text, int limit_ms) {
  int64_t until = now_ms() + limit_ms;
  uint8_t byte;
  for (size_t i = 0; now_ms() < until && rawws_recv(ws, &byte, 1, 20) < 0; i++)
    if (text) rawws_send(ws, text + i % strlen(text), 1);
}

static void silent_and_trickling_strangers_are_hung_up_on(void **state) {
  net_fixture *f = *state;
  static const struct {
    const char *what;
    const char *text;
    bool raw;
  } rows[] = {
      {"silent TCP", NULL, true},
      {"silent after connect (and TLS)", NULL, false},
      {"request line in drops", "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
       false},
      {"headers in drops", "GET /sync HTTP/1.1\r\nHost: localhost\r\nX-Drop: a\r\nX-Drop: b\r\nX-Drop: c\r\n",
       false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint64_t late = echo_count(f->server, SV_NET_LATE_UPGRADE);
    int64_t start = now_ms();
    rawws *ws = rows[i].raw ? rawws_connect_silent(f->to.port) : rawws_connect(&f->to);
    assert_non_null(ws);
    trickle_until_end(ws, rows[i].text, 2000);
    assert_took(rows[i].what, start, UPGRADE_MS, UPGRADE_MS + SLACK_MS);
    assert_true(rawws_wait_end(ws, 500) >= 0);
    rawws_free(ws);
    assert_true(echo_wait_at_least(f->server, SV_NET_LATE_UPGRADE, late + 1));
    good_still_echoes(f, rows[i].what);
  }
}

static void a_hundred_tricklers_do_not_keep_a_good_client_out(void **state) {
  net_fixture *f = *state;
  rawws *slow[100];
  int64_t start = now_ms();
  for (int i = 0; i < 100; i++) {
    slow[i] = rawws_connect_silent(f->to.port);
    assert_non_null(slow[i]);
    rawws_send_text(slow[i], f->tls ? "\x16\x03\x01" : "GET /sync HTTP/1.1\r\n");
  }
  rawws *good = rawws_open(&f->to);
  assert_non_null(good);
  assert_true(rawws_echo(good, "through", 7));
  assert_true(now_ms() - start < UPGRADE_MS); /* while all of them are still waiting */
  rawws_free(good);
  for (int i = 0; i < 100; i++) {
    assert_true(rawws_wait_end(slow[i], 1500) >= 0);
    rawws_free(slow[i]);
  }
  good_still_echoes(f, "tricklers");
}

/* PROTO-42 */
static void no_first_message_is_1008(void **state) {
  net_fixture *f = *state;
  char reason[124];
  rawws *ws = rawws_open(&f->to);
  int64_t start = now_ms();
  assert_int_equal(rawws_read_close(ws, reason, 2000), 1008);
  assert_took("first message", start, FIRST_MS - 20, FIRST_MS + SLACK_MS);
  assert_string_equal(reason, "no message in time");
  /* It does not answer the close frame either: */
  start = now_ms();
  assert_true(rawws_wait_end(ws, 2000) >= 0);
  assert_took("close without an answer", start, 0, CLOSE_MS + SLACK_MS);
  rawws_free(ws);
  good_still_echoes(f, "no first message");
}

static void a_message_in_drops_is_1008(void **state) {
  net_fixture *f = *state;
  char reason[124];
  rawws *ws = rawws_open(&f->to);
  assert_true(rawws_echo(ws, "first", 5));
  rawws_send(ws, (uint8_t[]){0x82, 0xe4, 0, 0, 0, 0, 'x'}, 7);
  int64_t start = now_ms();
  int code = -1;
  for (int i = 0; i < 100 && code == -1; i++) { /* 100 bytes would take 2 s */
    code = rawws_read_close(ws, reason, 20);
    rawws_send(ws, "x", 1);
  }
  assert_int_equal(code, 1008);
  assert_took("slow message", start, MESSAGE_MS - 20, MESSAGE_MS + SLACK_MS);
  assert_string_equal(reason, "message too slow");
  rawws_free(ws);
  good_still_echoes(f, "slow message");
}

/* PROTO-42 */
static void no_pong_is_hung_up_on(void **state) {
  net_fixture *f = *state;
  rawws_got got;
  uint64_t late = echo_count(f->server, SV_NET_LATE_PONG);
  rawws *ws = rawws_open(&f->to);
  assert_true(rawws_echo(ws, "first", 5));
  int64_t start = now_ms();
  assert_int_equal(rawws_read_frame(ws, &got, 2000), 1);
  assert_int_equal(got.b0, 0x89);
  assert_took("ping", start, PING_MS, PING_MS + SLACK_MS);
  assert_true(rawws_wait_end(ws, 2000) >= 0);
  assert_took("no pong", start, PING_MS + PONG_MS, PING_MS + PONG_MS + SLACK_MS);
  rawws_free(ws);
  assert_true(echo_wait_at_least(f->server, SV_NET_LATE_PONG, late + 1));
  good_still_echoes(f, "no pong");
}

static void pongs_keep_an_idle_connection(void **state) {
  net_fixture *f = *state;
  rawws_got got;
  rawws *ws = rawws_open(&f->to);
  assert_true(rawws_echo(ws, "first", 5));
  int64_t start = now_ms();
  unsigned pings = 0;
  while (now_ms() - start < 2 * (PING_MS + PONG_MS)) {
    int r = rawws_read_frame(ws, &got, 50);
    if (r == -1) continue;
    assert_int_equal(r, 1);
    assert_int_equal(got.b0, 0x89);
    pings++;
    rawws_send_frame(ws, &(rawws_frame){.b0 = 0x8a, .payload = got.payload, .len = got.len});
  }
  assert_true(pings >= 2);
  assert_true(rawws_echo(ws, "still here", 10));
  rawws_free(ws);
  good_still_echoes(f, "idle");
}

static void a_half_frame_header_does_not_count_as_life(void **state) {
  net_fixture *f = *state;
  rawws *ws = rawws_open(&f->to);
  assert_true(rawws_echo(ws, "first", 5));
  int64_t start = now_ms();
  rawws_send(ws, (uint8_t[]){0x82, 0xff, 0, 0}, 4); /* a length of eight bytes is announced, two come */
  assert_true(rawws_wait_end(ws, 2000) >= 0);
  assert_took("half a header", start, PING_MS + PONG_MS, PING_MS + PONG_MS + SLACK_MS);
  rawws_free(ws);
  good_still_echoes(f, "half a header");
}

static void a_client_that_never_reads_is_hung_up_on(void **state) {
  net_fixture *f = *state;
  rawws_opts o = f->to;
  o.rcvbuf = 4096;
  uint64_t late = echo_count(f->server, SV_NET_LATE_READER), out = echo_count(f->server, SV_NET_BYTES_OUT);
  rawws *ws = rawws_open(&o);
  int64_t start = now_ms();
  assert_true(rawws_send_binary(ws, "!burst 10000 60000", 18));
  assert_true(echo_wait_at_least(f->server, SV_NET_LATE_READER, late + 1));
  assert_took("never reads", start, STALL_MS, STALL_MS + SLACK_MS);
  /* 600 MB were ready; what left is what the kernel's buffers took and the one message that was cut. */
  assert_true(echo_count(f->server, SV_NET_BYTES_OUT) - out < (1u << 20));
  rawws_free(ws);
  good_still_echoes(f, "never reads");
}

static void a_slow_reader_is_kept(void **state) {
  net_fixture *f = *state;
  rawws_opts o = f->to;
  o.rcvbuf = 4096;
  rawws *ws = rawws_open(&o);
  rawws_got got;
  assert_true(rawws_send_binary(ws, "!burst 8 20000", 14));
  int64_t start = now_ms();
  for (int i = 0; i < 8; i++) {
    usleep(60000);
    int r = rawws_read_frame(ws, &got, RAWWS_TIMEOUT_MS);
    assert_int_equal(r, 1);
    if (got.b0 == 0x89) {
      rawws_send_frame(ws, &(rawws_frame){.b0 = 0x8a, .payload = "?", .len = 1});
      i--;
      continue;
    }
    assert_int_equal((int)got.len, 20000);
    rawws_send_frame(ws,
                     &(rawws_frame){.b0 = 0x8a,
                                    .payload = "?",
                                    .len = 1}); /* alive, though it cannot see our ping behind the burst */
  }
  assert_true(now_ms() - start > STALL_MS); /* longer than the deadline, but something moved all the time */
  rawws_free(ws);
  good_still_echoes(f, "slow reader");
}

static void a_large_answer_nobody_reads_is_hung_up_on(void **state) {
  net_fixture *f = *state;
  rawws_opts o = f->to;
  o.rcvbuf = 4096;
  uint64_t late = echo_count(f->server, SV_NET_LATE_READER);
  rawws *ws = rawws_connect(&o);
  rawws_send_text(ws, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assert_true(echo_wait_at_least(f->server, SV_NET_LATE_READER, late + 1));
  rawws_free(ws);
  good_still_echoes(f, "answer not read");
}

static void a_paused_client_is_not_blamed(void **state) {
  net_fixture *f = *state;
  rawws *ws = rawws_open(&f->to);
  assert_true(rawws_send_binary(ws, "!pause 600", 10)); /* longer than ping and pong together */
  rawws_got got;
  assert_int_equal(rawws_read_frame(ws, &got, 500), -1);
  assert_true(rawws_echo(ws, "back", 4));
  rawws_free(ws);
  good_still_echoes(f, "pause");
}

static void a_client_that_ignores_our_close_is_cut(void **state) {
  net_fixture *f = *state;
  rawws *ws = rawws_open(&f->to);
  assert_true(rawws_send_binary(ws, "!close 4003 away with you", 25));
  assert_int_equal(rawws_read_close(ws, NULL, 1000), 4003);
  int64_t start = now_ms(), until = start + 2000;
  static uint8_t chunk[1000];
  while (now_ms() < until && rawws_send_binary(ws, chunk, sizeof chunk)) usleep(5000); /* talks on instead */
  assert_took("ignored close", start, CLOSE_MS - 20, CLOSE_MS + SLACK_MS);
  rawws_free(ws);
  assert_true(echo_wait_at_most(f->server, SV_NET_SOCKETS, 1));
  good_still_echoes(f, "ignored close");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(silent_and_trickling_strangers_are_hung_up_on),
      cmocka_unit_test(a_hundred_tricklers_do_not_keep_a_good_client_out),
      cmocka_unit_test(no_first_message_is_1008),
      cmocka_unit_test(a_message_in_drops_is_1008),
      cmocka_unit_test(no_pong_is_hung_up_on),
      cmocka_unit_test(pongs_keep_an_idle_connection),
      cmocka_unit_test(a_half_frame_header_does_not_count_as_life),
      cmocka_unit_test(a_client_that_never_reads_is_hung_up_on),
      cmocka_unit_test(a_slow_reader_is_kept),
      cmocka_unit_test(a_large_answer_nobody_reads_is_hung_up_on),
      cmocka_unit_test(a_paused_client_is_not_blamed),
      cmocka_unit_test(a_client_that_ignores_our_close_is_cut),
  };
  const struct CMUnitTest where_tls_matters[] = {
      cmocka_unit_test(silent_and_trickling_strangers_are_hung_up_on),
      cmocka_unit_test(a_hundred_tricklers_do_not_keep_a_good_client_out),
      cmocka_unit_test(no_pong_is_hung_up_on),
      cmocka_unit_test(a_client_that_never_reads_is_hung_up_on),
      cmocka_unit_test(a_paused_client_is_not_blamed),
      cmocka_unit_test(a_client_that_ignores_our_close_is_cut),
  };
  int failed = cmocka_run_group_tests_name("plain", tests, start_plain, fixture_stop);
  failed += cmocka_run_group_tests_name("tls", where_tls_matters, start_tls, fixture_stop);
  return failed;
}
