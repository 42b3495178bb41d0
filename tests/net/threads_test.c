/* Threads beside the service thread, stopping, and starting wrongly. Made to run under a thread sanitizer as
 * well. */
#include "net_fixture.h"
#include "ov/error.h"

#include <signal.h>
#include <unistd.h>

/* -- other threads ----------------------------------------------------------------------------- */

typedef struct poster {
  pthread_t thread;
  echo_server *server;
  uint64_t id;
  int who, times;
} poster;

static void *post_many(void *arg) {
  poster *p = arg;
  char text[32];
  for (int i = 0; i < p->times; i++) {
    snprintf(text, sizeof text, "%d %d", p->who, i);
    echo_post(p->server, p->id, text);
    echo_count(p->server, SV_NET_MESSAGES_OUT); /* counters may be read from anywhere */
  }
  return NULL;
}

static uint64_t id_of(rawws *ws) {
  rawws_got got;
  char text[32] = "";
  assert_true(rawws_send_binary(ws, "!id", 3));
  assert_int_equal(rawws_read_frame(ws, &got, RAWWS_TIMEOUT_MS), 1);
  assert_true(got.len < sizeof text);
  memcpy(text, got.payload, got.len);
  return strtoull(text, NULL, 10);
}

static void other_threads_reach_a_connection_by_its_id(void **state) {
  (void)state;
  enum { POSTERS = 4, TIMES = 300 };
  sv_net_opts o = echo_opts();
  echo_server *s = echo_start(&o);
  rawws *ws = rawws_open(&(rawws_opts){.port = echo_port(s)});
  uint64_t id = id_of(ws);
  poster p[POSTERS];
  int next[POSTERS] = {0};
  for (int i = 0; i < POSTERS; i++) {
    p[i] = (poster){.server = s, .id = id, .who = i, .times = TIMES};
    assert_int_equal(pthread_create(&p[i].thread, NULL, post_many, &p[i]), 0);
  }
  for (int i = 0; i < POSTERS * TIMES; i++) {
    rawws_got got;
    char text[32] = "";
    int who = -1, n = -1;
    assert_int_equal(rawws_read_frame(ws, &got, RAWWS_TIMEOUT_MS), 1);
    memcpy(text, got.payload, got.len < sizeof text ? got.len : sizeof text - 1);
    assert_int_equal(sscanf(text, "%d %d", &who, &n), 2);
    assert_true(who >= 0 && who < POSTERS);
    assert_int_equal(n, next[who]++);
  }
  for (int i = 0; i < POSTERS; i++) pthread_join(p[i].thread, NULL);
  assert_true(echo_wakes(s) >= 1 && echo_wakes(s) <= POSTERS * TIMES);
  rawws_free(ws);
  echo_stop(s, NULL);
}

static void a_wake_is_prompt(void **state) {
  (void)state;
  sv_net_opts o = echo_opts(); /* its sweep comes only every 625 ms */
  echo_server *s = echo_start(&o);
  rawws *ws = rawws_open(&(rawws_opts){.port = echo_port(s)});
  uint64_t id = id_of(ws), start = sv_net_now_ms();
  for (int i = 0; i < 10; i++) {
    rawws_got got;
    echo_post(s, id, "now");
    assert_int_equal(rawws_read_frame(ws, &got, RAWWS_TIMEOUT_MS), 1);
    usleep(10000); /* let it fall asleep */
  }
  assert_true(sv_net_now_ms() - start < 1000);
  rawws_free(ws);
  echo_stop(s, NULL);
}

static void an_id_is_never_given_again(void **state) {
  (void)state;
  sv_net_opts o = echo_opts();
  echo_server *s = echo_start(&o);
  rawws_opts to = {.port = echo_port(s)};
  rawws *ws = rawws_open(&to);
  uint64_t old = id_of(ws);
  rawws_free(ws);
  assert_true(echo_wait_at_most(s, SV_NET_SOCKETS, 0));
  ws = rawws_open(&to); /* in the same slot */
  assert_true(id_of(ws) != old && old != 0);
  uint64_t wakes = echo_wakes(s);
  echo_post(s, old, "for somebody who is gone");
  for (int i = 0; i < 1000 && echo_wakes(s) == wakes; i++) usleep(1000);
  assert_true(rawws_echo(ws, "mine", 4)); /* and nothing else came first */
  rawws_free(ws);
  echo_stop(s, NULL);
}

/* -- stop -------------------------------------------------------------------------------------- */

static void *stop_soon(void *arg) {
  usleep(30000);
  sv_net_stop(echo_net(arg));
  return NULL;
}

static void stopping_says_1001_after_pending_output(void **state) {
  (void)state;
  enum { N = 10, BURST = 30 };
  sv_net_opts o = echo_opts();
  o.send_buffer_bytes = 16384; /* so that most of the burst still waits when the stop comes */
  echo_server *s = echo_start(&o);
  uint16_t port = echo_port(s);
  rawws *ws[N];
  for (int i = 0; i < N; i++) {
    assert_non_null(ws[i] = rawws_open(&(rawws_opts){.port = port, .rcvbuf = 8192}));
    assert_true(rawws_send_binary(ws[i], "!burst 30 20000", 15));
  }
  assert_true(echo_wait_at_least(s, SV_NET_MESSAGES_IN, N));
  pthread_t stopper;
  assert_int_equal(pthread_create(&stopper, NULL, stop_soon, s), 0);
  for (int i = 0; i < N; i++) {
    rawws_got got;
    char reason[124];
    for (int k = 0; k < BURST; k++) {
      assert_int_equal(rawws_read_frame(ws[i], &got, RAWWS_TIMEOUT_MS), 1);
      assert_int_equal((int)got.len, 20000);
    }
    assert_int_equal(rawws_read_close(ws[i], reason, RAWWS_TIMEOUT_MS), 1001);
    assert_string_equal(reason, "server is stopping");
    rawws_send_frame(ws[i], &(rawws_frame){.b0 = 0x88, .payload = "\x03\xe9", .len = 2});
  }
  pthread_join(stopper, NULL);
  int ran = -1;
  echo_stop(s, &ran);
  assert_int_equal(ran, 0);
  assert_null(rawws_connect(&(rawws_opts){.port = port}));
  for (int i = 0; i < N; i++) rawws_free(ws[i]);
}

static void a_client_that_never_reads_cannot_hold_the_stop(void **state) {
  (void)state;
  sv_net_opts o = echo_opts();
  o.stop_ms = 200;
  o.send_buffer_bytes = 8192;
  echo_server *s = echo_start(&o);
  rawws *deaf = rawws_open(&(rawws_opts){.port = echo_port(s), .rcvbuf = 4096});
  rawws *silent = rawws_connect_silent(echo_port(s));
  assert_true(rawws_send_binary(deaf, "!burst 1000 60000", 17));
  assert_true(echo_wait_at_least(s, SV_NET_MESSAGES_OUT, 1));
  int ran = -1, took = echo_stop(s, &ran);
  assert_int_equal(ran, 0);
  assert_true(took >= 195 && took < 800);
  rawws_free(deaf);
  rawws_free(silent);
}

static void a_signal_handler_may_stop(void **state) {
  (void)state;
  uint16_t port;
  sv_net_opts o = echo_opts();
  o.stop_ms = 500;
  pid_t pid = echo_fork(&o, 0, &port, NULL);
  rawws *ws = rawws_open(&(rawws_opts){.port = port});
  assert_true(rawws_echo(ws, "before", 6));
  assert_int_equal(kill(pid, SIGTERM), 0);
  assert_int_equal(rawws_read_close(ws, NULL, 2000), 1001);
  rawws_free(ws);
  assert_int_equal(echo_reap(pid), 0);
}

static void destroying_what_never_ran_is_fine(void **state) {
  (void)state;
  sv_net_destroy(NULL);
  sv_net_opts o = echo_opts();
  o.stop_ms = 1;
  echo_server *s = echo_start(&o); /* stopped before it had a turn, or after: both end */
  int ran = -1;
  echo_stop(s, &ran);
  assert_int_equal(ran, 0);
}

/* -- starting wrongly -------------------------------------------------------------------------- */

static void no_open(void *user, sv_conn *c) { (void)user, (void)c; }

static void no_message(void *user, sv_conn *c, const uint8_t *bytes, size_t len) {
  (void)user, (void)c, (void)bytes, (void)len;
}

static bool no_writable(void *user, sv_conn *c, const uint8_t **bytes, size_t *len) {
  (void)user, (void)c, (void)bytes, (void)len;
  return false;
}

static void no_close(void *user, sv_conn *c, uint16_t code) { (void)user, (void)c, (void)code; }

static char last_line[256];

static void keep_line(void *user, sv_net_level level, const char *line) {
  (void)user, (void)level;
  snprintf(last_line, sizeof last_line, "%s", line);
}

static const sv_net_cbs cbs = {.on_open = no_open,
                               .on_message = no_message,
                               .on_writable = no_writable,
                               .on_close = no_close,
                               .on_log = keep_line};

static void assert_refused(const sv_net_opts *o, int err, const char *why) {
  sv_net *net = (sv_net *)1;
  last_line[0] = 0;
  assert_int_equal(sv_net_create(&net, o, &cbs), err);
  assert_null(net);
  if (!strstr(last_line, why)) fail_msg("expected '%s' in '%s'", why, last_line);
}

static void options_out_of_contract_are_refused_in_words(void **state) {
  (void)state;
  sv_net_opts o = echo_opts();
  o.address = "0.0.0.0";
  assert_refused(&o, OV_E_INVALID, "only a loopback address");
  o.address = "::";
  assert_refused(&o, OV_E_INVALID, "only a loopback address");
  o.address = "localhost";
  assert_refused(&o, OV_E_INVALID, "not an IPv4 or IPv6 address");
  o = echo_opts();
  o.local_address = "0.0.0.0";
  assert_refused(&o, OV_E_INVALID, "local listener needs a loopback");
  o = echo_opts();
  o.cert_file = "/nonexistent/cert.pem";
  assert_refused(&o, OV_E_INVALID, "certificate and key go together");
  o.key_file = "/nonexistent/key.pem";
  assert_refused(&o, OV_E_CRYPTO, "certificate or key unusable");
  o = echo_opts();
  o.pong_ms = 0;
  assert_refused(&o, OV_E_INVALID, "a deadline is zero");
  o = echo_opts();
  o.fragments_max = 0;
  assert_refused(&o, OV_E_INVALID, "a cap is zero");
  o = echo_opts();
  o.ws_path = "sync";
  assert_refused(&o, OV_E_INVALID, "must begin with /");
  sv_net *net;
  o = echo_opts();
  assert_int_equal(sv_net_create(&net, &o, &(sv_net_cbs){.on_open = no_open}), OV_E_INVALID);
}

static void a_port_in_use_and_a_key_that_does_not_fit(void **state) {
  (void)state;
  sv_net *net;
  sv_net_opts o = echo_opts();
  assert_int_equal(sv_net_create(&net, &o, &cbs), 0);
  o.port = sv_net_port(net);
  assert_refused(&o, OV_E_NET, "cannot listen");
  o.port = 0;
  o.local_port = sv_net_local_port(net);
  assert_refused(&o, OV_E_NET, "cannot listen");
  sv_net_destroy(net);

  testcert a, b;
  assert_true(testcert_make(&a) && testcert_make(&b));
  o = echo_opts();
  o.cert_file = a.cert_file;
  o.key_file = b.key_file;
  assert_refused(&o, OV_E_CRYPTO, "certificate or key unusable");
  o.key_file = a.key_file;
  o.address = "0.0.0.0"; /* with TLS the world may come */
  assert_int_equal(sv_net_create(&net, &o, &cbs), 0);
  sv_net_destroy(net);
  o.address = "::";
  assert_int_equal(sv_net_create(&net, &o, &cbs), 0);
  assert_int_not_equal(sv_net_port(net), 0);
  sv_net_destroy(net);
  testcert_remove(&a);
  testcert_remove(&b);
}

static void every_counter_has_a_name_of_its_own(void **state) {
  (void)state;
  for (int i = 0; i < SV_NET_COUNTERS; i++) {
    const char *name = sv_net_counter_name((sv_net_counter)i);
    assert_true(name && name[0]);
    for (int k = 0; k < i; k++) assert_string_not_equal(name, sv_net_counter_name((sv_net_counter)k));
  }
  assert_string_equal(sv_net_counter_name(SV_NET_COUNTERS), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_signal_handler_may_stop), /* forks: before any thread */
      cmocka_unit_test(other_threads_reach_a_connection_by_its_id),
      cmocka_unit_test(a_wake_is_prompt),
      cmocka_unit_test(an_id_is_never_given_again),
      cmocka_unit_test(stopping_says_1001_after_pending_output),
      cmocka_unit_test(a_client_that_never_reads_cannot_hold_the_stop),
      cmocka_unit_test(destroying_what_never_ran_is_fine),
      cmocka_unit_test(options_out_of_contract_are_refused_in_words),
      cmocka_unit_test(a_port_in_use_and_a_key_that_does_not_fit),
      cmocka_unit_test(every_counter_has_a_name_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
