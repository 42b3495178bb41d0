/* The client's websocket against the server's own network code, over real sockets and real TLS: certificates,
 * limits, deadlines, closes, cancellation. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo_server.h"
#include "oc_net.h"
#include "ov/limits.h"
#include "raw_server.h"
#include "testcert.h"

typedef struct nets {
  testcert cert, other;
  echo_server *plain;
  pid_t tls;
  uint16_t tls_port;
} nets;

/* What to say, and what came back. */
typedef struct talk {
  const char *say[4];
  unsigned said, heard, want;
  size_t last_n, bytes;
  uint8_t *big;
  size_t big_n;
  bool stop;
} talk;

static int setup(void **state) {
  nets *n = calloc(1, sizeof *n);
  assert_true(testcert_make(&n->cert) && testcert_make(&n->other));
  sv_net_opts o = echo_opts();
  o.cert_file = n->cert.cert_file;
  o.key_file = n->cert.key_file;
  /* In a process of its own: libwebsockets 4.1.6 finds a TLS context's client side by an index that each
   * further context of the process changes, and then forgets to free it. */
  n->tls = echo_fork(&o, 0, &n->tls_port, NULL);
  o = echo_opts();
  n->plain = echo_start(&o);
  *state = n;
  return 0;
}

static int teardown(void **state) {
  nets *n = *state;
  echo_stop(n->plain, NULL);
  assert_int_equal(echo_reap(n->tls), 0);
  testcert_remove(&n->cert);
  testcert_remove(&n->other);
  free(n);
  return 0;
}

static void on_open(void *ctx) { (void)ctx; }

static bool on_message(void *ctx, const uint8_t *p, size_t n) {
  talk *t = ctx;
  (void)p;
  t->heard++;
  t->last_n = n;
  t->bytes += n;
  return !t->stop;
}

static const uint8_t *next_output(void *ctx, size_t *n) {
  talk *t = ctx;
  if (t->big && !t->said++) {
    *n = t->big_n;
    return t->big;
  }
  if (t->big || t->said >= 4 || !t->say[t->said]) return NULL;
  const char *text = t->say[t->said++];
  *n = strlen(text);
  return (const uint8_t *)text;
}

static bool done(void *ctx) {
  talk *t = ctx;
  return t->want && t->heard >= t->want;
}

static oc_net_end run_to(uint16_t port, bool tls, const char *ca, const uint8_t *pin, int wake,
                         uint32_t idle_ms, talk *t) {
  oc_net_url u;
  oc_net_end end;
  char text[80];
  snprintf(text, sizeof text, "%s://localhost:%u/sync", tls ? "wss" : "ws", port);
  assert_int_equal(oc_net_url_parse(text, &u), 0);
  oc_net_options o = {.url = &u,
                      .ca_file = ca,
                      .pin = pin,
                      .wake_fd = wake,
                      /* memcheck shakes hands slowly */
                      .connect_ms = tls && getenv("OV_VALGRIND") ? 10000 : 2000,
                      .idle_ms = idle_ms};
  oc_net_calls c = {on_open, on_message, next_output, done, t};
  oc_net_run(&o, &c, &end);
  return end;
}

static oc_net_end plain(nets *n, talk *t) { return run_to(echo_port(n->plain), false, NULL, NULL, -1, 0, t); }

static void speaks_and_closes_when_done(void **state) {
  nets *n = *state;
  talk t = {.say = {"one", "two", "three"}, .want = 3};
  unsigned before = echo_closed_with(n->plain, 1000);
  oc_net_end end = plain(n, &t);
  assert_int_equal(end.err, 0);
  assert_true(end.opened);
  assert_int_equal(t.heard, 3);
  for (int i = 0; i < 100 && echo_closed_with(n->plain, 1000) == before; i++)
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  assert_int_equal(echo_closed_with(n->plain, 1000), before + 1);
}

static void the_largest_message_both_ways(void **state) {
  nets *n = *state;
  talk t = {.want = 1, .big_n = OV_WS_MESSAGE_BYTES_MAX};
  t.big = calloc(1, t.big_n);
  oc_net_end end = plain(n, &t);
  assert_int_equal(end.err, 0);
  assert_int_equal(t.last_n, OV_WS_MESSAGE_BYTES_MAX);
  free(t.big);
  t = (talk){.say = {"!burst 40 20000"}, .want = 40};
  end = plain(n, &t);
  assert_int_equal(end.err, 0);
  assert_int_equal(t.bytes, 40 * 20000);
}

static void a_message_over_the_limit_is_never_sent(void **state) {
  nets *n = *state;
  talk t = {.want = 1, .big_n = OV_WS_MESSAGE_BYTES_MAX + 1};
  t.big = calloc(1, t.big_n);
  oc_net_end end = plain(n, &t);
  assert_int_equal(end.err, OV_E_LIMIT);
  assert_int_equal(t.heard, 0);
  free(t.big);
}

static void closes_of_the_server_are_told(void **state) {
  nets *n = *state;
  talk t = {.say = {"!close 4003 unknown device"}};
  oc_net_end end = plain(n, &t);
  assert_int_equal(end.err, OV_E_NET);
  assert_int_equal(end.close_code, 4003);
  assert_string_equal(end.text, "the server closed the connection (4003: unknown device)");
}

static void a_session_that_says_stop_ends(void **state) {
  nets *n = *state;
  talk t = {.say = {"one", "two"}, .stop = true};
  oc_net_end end = plain(n, &t);
  assert_int_equal(end.err, 0);
  assert_int_equal(t.heard, 1);
}

/* -- certificates ---------------------------------------------------------------------------------------- */

static void pin_of(const char *pem, uint8_t pin[OC_NET_PIN_BYTES]) {
  FILE *f = fopen(pem, "r");
  X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
  unsigned len = 0;
  assert_int_equal(X509_digest(x, EVP_sha256(), pin, &len), 1);
  X509_free(x);
  fclose(f);
}

static void an_authority_of_ones_own(void **state) {
  nets *n = *state;
  talk t = {.say = {"one"}, .want = 1};
  oc_net_end end = run_to(n->tls_port, true, n->cert.cert_file, NULL, -1, 0, &t);
  assert_int_equal(end.err, 0);
  assert_int_equal(t.heard, 1);
}

static void a_certificate_nobody_vouches_for(void **state) {
  nets *n = *state;
  talk t = {.say = {"secret"}, .want = 1};
  oc_net_end end = run_to(n->tls_port, true, NULL, NULL, -1, 0, &t);
  assert_int_equal(end.err, OV_E_AUTH);
  assert_non_null(strstr(end.text, "the server's certificate is not accepted: "));
  assert_int_equal(t.said, 0); /* nothing was said to it */
  end = run_to(n->tls_port, true, n->other.cert_file, NULL, -1, 0, &t);
  assert_int_equal(end.err, OV_E_AUTH);
  assert_int_equal(t.said, 0);
}

static void the_pin_of_enrolment(void **state) {
  nets *n = *state;
  uint8_t pin[OC_NET_PIN_BYTES];
  talk t = {.say = {"one"}, .want = 1};
  pin_of(n->cert.cert_file, pin);
  oc_net_end end = run_to(n->tls_port, true, NULL, pin, -1, 0, &t);
  assert_int_equal(end.err, 0);
  assert_int_equal(t.heard, 1);
  t = (talk){.say = {"one"}, .want = 1};
  pin[31] ^= 1;
  end = run_to(n->tls_port, true, NULL, pin, -1, 0, &t);
  assert_int_equal(end.err, OV_E_AUTH);
  assert_non_null(strstr(end.text, "and it is not the one seen at enrolment"));
  assert_int_equal(t.said, 0);
}

static void a_file_that_holds_no_certificates(void **state) {
  nets *n = *state;
  talk t = {.say = {"one"}, .want = 1};
  oc_net_end end = run_to(n->tls_port, true, n->cert.key_file, NULL, -1, 0, &t);
  assert_int_equal(end.err, OV_E_AUTH);
  assert_non_null(strstr(end.text, "cannot read certificates from "));
  end = run_to(n->tls_port, true, "/nonexistent.pem", NULL, -1, 0, &t);
  assert_int_equal(end.err, OV_E_AUTH);
}

/* -- no server, silent servers --------------------------------------------------------------------------- */

static int listen_on(uint16_t *port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof a;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
  assert_int_equal(listen(fd, 4), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
  *port = ntohs(a.sin_port);
  return fd;
}

static void nobody_listens(void **state) {
  (void)state;
  uint16_t port;
  talk t = {.say = {"one"}};
  close(listen_on(&port));
  oc_net_end end = run_to(port, false, NULL, NULL, -1, 0, &t);
  assert_int_equal(end.err, OV_E_NET);
  assert_false(end.opened);
  assert_non_null(strstr(end.text, "no connection"));
}

static void a_server_that_never_answers(void **state) {
  (void)state;
  uint16_t port;
  talk t = {.say = {"one"}};
  int fd = listen_on(&port); /* the kernel accepts, nobody reads */
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  oc_net_end end = run_to(port, false, NULL, NULL, -1, 0, &t);
  clock_gettime(CLOCK_MONOTONIC, &to);
  assert_int_equal(end.err, OV_E_TIMEOUT);
  assert_string_equal(end.text, "the server does not answer");
  assert_in_range(to.tv_sec - from.tv_sec, 1, 4);
  close(fd);
}

/* One answer to one connection, whatever is asked. */
static void *answer(void *arg) {
  const char *text = *(const char **)arg;
  int fd = *(int *)((char *)arg + sizeof text), c = accept(fd, NULL, NULL);
  char buf[2048];
  if (c >= 0 && read(c, buf, sizeof buf) > 0 && write(c, text, strlen(text)) > 0)
    (void)!read(c, buf, sizeof buf);
  if (c >= 0) close(c);
  return NULL;
}

static oc_net_end answered(const char *text) {
  struct {
    const char *text;
    int fd;
  } arg = {text, -1};
  uint16_t port;
  pthread_t thread;
  talk t = {.say = {"one"}};
  arg.fd = listen_on(&port);
  assert_int_equal(pthread_create(&thread, NULL, answer, &arg), 0);
  oc_net_end end = run_to(port, false, NULL, NULL, -1, 0, &t);
  pthread_join(thread, NULL);
  close(arg.fd);
  assert_int_equal(t.said, 0);
  return end;
}

static void what_is_no_overdracht_server(void **state) {
  (void)state;
  oc_net_end end = answered("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  assert_int_equal(end.err, OV_E_NET);
  assert_int_equal(end.http_status, 404);
  assert_string_equal(end.text, "the server answers with HTTP status 404, not as an overdracht server");
  end = answered("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  assert_int_equal(end.http_status, 503);
  end = answered("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  assert_int_equal(end.err, OV_E_NET);
  assert_false(end.opened);
  end = answered("SSH-2.0-OpenSSH_9.2\r\n"); /* the rest of a header might still come */
  assert_int_equal(end.err, OV_E_TIMEOUT);
  end = answered("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                 "Upgrade\r\nSec-WebSocket-Accept: aaaaaaaaaaaaaaaaaaaaaaaaaaa=\r\n\r\n");
  assert_int_equal(end.err, OV_E_NET);
  assert_false(end.opened);
}

static oc_net_end raw_bytes(const void *bytes, size_t n) {
  raw_server s = {.bytes = bytes, .n = n};
  talk t = {.say = {"one"}, .want = 1};
  raw_start(&s);
  oc_net_end end = run_to(s.port, false, NULL, NULL, -1, 0, &t);
  raw_stop(&s);
  assert_int_equal(t.heard, 0);
  return end;
}

/* A server that sends what no overdracht server sends, and never answers the goodbye. */
static void what_is_no_message_ends_the_connection(void **state) {
  (void)state;
  static const uint8_t text[] = {0x81, 5, 'h', 'e', 'l', 'l', 'o'}, no_code[] = {0x88, 0};
  static uint8_t large[10 + OV_WS_MESSAGE_BYTES_MAX + 1] = {0x82, 127};
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  oc_net_end end = raw_bytes(text, sizeof text);
  clock_gettime(CLOCK_MONOTONIC, &to);
  assert_int_equal(end.err, OV_E_FORMAT);
  assert_string_equal(end.text, "the server sends text, which is not overdracht");
  assert_in_range(to.tv_sec - from.tv_sec, 0, 4); /* it is waited for, but not long */
  for (int i = 0; i < 8; i++)
    large[2 + i] = (uint8_t)((uint64_t)(OV_WS_MESSAGE_BYTES_MAX + 1) >> (56 - 8 * i));
  end = raw_bytes(large, 10 + 40000); /* a piece, and what is announced behind it */
  assert_int_equal(end.err, OV_E_LIMIT);
  assert_string_equal(end.text, "the server sends a message over the limit");
  end = raw_bytes(no_code, sizeof no_code);
  assert_int_equal(end.err, OV_E_NET);
  assert_int_equal(end.close_code, 1005);
  assert_string_equal(end.text, "the server closed the connection (1005)");
}

static void silence_ends_a_connection(void **state) {
  nets *n = *state;
  talk t = {.say = {"!pause 60000"}}; /* it stops reading: not even pings are answered */
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  oc_net_end end = run_to(echo_port(n->plain), false, NULL, NULL, -1, 1000, &t);
  clock_gettime(CLOCK_MONOTONIC, &to);
  assert_int_equal(end.err, OV_E_TIMEOUT);
  assert_string_equal(end.text, "the server has fallen silent");
  assert_in_range(to.tv_sec - from.tv_sec, 0, 5);
}

/* -- cancelling ------------------------------------------------------------------------------------------ */

typedef struct later {
  int fd;
  long ms;
} later;

static void *wake_later(void *arg) {
  later *l = arg;
  nanosleep(&(struct timespec){.tv_nsec = l->ms * 1000000}, NULL);
  (void)!write(l->fd, "c", 1);
  return NULL;
}

static void cancels(uint16_t port, bool opened) {
  int fd[2];
  pthread_t thread;
  talk t = {.say = {"one"}};
  struct timespec from, to;
  assert_int_equal(pipe(fd), 0);
  later l = {fd[1], 150};
  clock_gettime(CLOCK_MONOTONIC, &from);
  assert_int_equal(pthread_create(&thread, NULL, wake_later, &l), 0);
  oc_net_end end = run_to(port, false, NULL, NULL, fd[0], 0, &t);
  pthread_join(thread, NULL);
  clock_gettime(CLOCK_MONOTONIC, &to);
  assert_int_equal(end.err, OV_E_CANCELLED);
  assert_int_equal(end.opened, opened);
  assert_in_range(to.tv_sec - from.tv_sec, 0, 1);
  char c;
  assert_int_equal(read(fd[0], &c, 1), 1); /* the pipe is the caller's: what was written is still there */
  close(fd[0]);
  close(fd[1]);
}

static void cancelled_while_connected_and_before(void **state) {
  nets *n = *state;
  uint16_t port;
  cancels(echo_port(n->plain), true);
  int fd = listen_on(&port);
  cancels(port, false);
  close(fd);
}

/* What is for this machine must not go through a proxy. */
static void no_proxy_on_this_machine(void **state) {
  nets *n = *state;
  talk t = {.say = {"one"}, .want = 1};
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  oc_net_end end = plain(n, &t);
  unsetenv("http_proxy");
  assert_int_equal(end.err, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(speaks_and_closes_when_done),
      cmocka_unit_test(the_largest_message_both_ways),
      cmocka_unit_test(a_message_over_the_limit_is_never_sent),
      cmocka_unit_test(closes_of_the_server_are_told),
      cmocka_unit_test(a_session_that_says_stop_ends),
      cmocka_unit_test(an_authority_of_ones_own),
      cmocka_unit_test(a_certificate_nobody_vouches_for),
      cmocka_unit_test(the_pin_of_enrolment),
      cmocka_unit_test(a_file_that_holds_no_certificates),
      cmocka_unit_test(nobody_listens),
      cmocka_unit_test(a_server_that_never_answers),
      cmocka_unit_test(what_is_no_overdracht_server),
      cmocka_unit_test(what_is_no_message_ends_the_connection),
      cmocka_unit_test(silence_ends_a_connection),
      cmocka_unit_test(cancelled_while_connected_and_before),
      cmocka_unit_test(no_proxy_on_this_machine),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
