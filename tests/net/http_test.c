/* HTTP beyond the fixed table: bodies, headers, caching, ranges, answers that come later or in pieces, and
 * what hostile clients do to each. The good websocket beside goes on. */
#include "net_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MS 400

static void tune(sv_net_opts *o) {
  o->upgrade_ms = 2000;
  o->body_ms = BODY_MS;
  o->reply_ms = 1500;
  o->close_ms = 500;
  o->write_stall_ms = 1500;
  o->send_buffer_bytes = 8192;
}

static int start_plain(void **state) { return fixture_start(state, false, tune, false); }
static int start_tls(void **state) { return fixture_start(state, true, tune, false); }

#define H "Host: localhost\r\n"

static char answer_text[1 << 16];

/* Sends a request and reads the whole answer into answer_text; its status, 0 when none came. */
static int ask_bytes(net_fixture *f, const char *request, size_t n) {
  rawws *ws = rawws_connect(&f->to);
  int status = 0;
  assert_non_null(ws);
  rawws_send(ws, request, n);
  size_t got = rawws_read_all(ws, answer_text, sizeof answer_text, 4000);
  assert_true(got < sizeof answer_text - 1);
  if (sscanf(answer_text, "HTTP/1.1 %d ", &status) != 1) status = 0;
  rawws_free(ws);
  return status;
}

static int ask(net_fixture *f, const char *request) { return ask_bytes(f, request, strlen(request)); }

static bool has(const char *text) { return strstr(answer_text, text) != NULL; }

static const char *body(void) {
  const char *p = strstr(answer_text, "\r\n\r\n");
  return p ? p + 4 : "";
}

static void a_handler_gets_the_request(void **state) {
  net_fixture *f = *state;
  char own[400];
  assert_int_equal(ask(f, "GET /describe?a=1%262&b=x+y&c HTTP/1.1\r\n" H
                          "Cookie: s=1; t=2\r\nAuthorization: Bearer abc\r\nX-Overdracht: 1\r\n"
                          "X-OVERDRACHT-CSRF: token\r\nAccept-Encoding: br, gzip\r\n\r\n"),
                   200);
  assert_true(has("method 1 path /describe a [1&2] b [x y] cookie [s=1; t=2] authorization [Bearer abc]"));
  assert_true(has("overdracht [1] csrf [token] origin 0 gzip 1 peer 127.0.0.1 body 0:"));
  assert_true(has("X-Extra: yes\r\n") && has("Set-Cookie: a=b\r\n") && has("Cache-Control: no-store\r\n"));
  assert_int_equal(ask(f, "GET /describe?b= HTTP/1.1\r\n" H "\r\n"), 200);
  assert_true(has("a [(none)] b [] cookie []"));
  assert_int_equal(ask(f, "HEAD /describe HTTP/1.1\r\n" H "\r\n"), 200);
  assert_string_equal(body(), "");
  snprintf(own, sizeof own, "GET /describe HTTP/1.1\r\n" H "Origin: %s://localhost\r\n\r\n",
           f->tls ? "https" : "http");
  assert_int_equal(ask(f, own), 200);
  assert_true(has(" origin 1 "));
}

static void origins_are_told_apart(void **state) {
  net_fixture *f = *state;
  static const char *const foreign[] = {"https://evil.example", "null",
                                        "ftp://localhost",      "%s://localhost.evil.example",
                                        "%s://localhost:1",     "%s://evil.localhost",
                                        "%s://LOCALHOST",       "%s://localhost/",
                                        "%s://user@localhost",  (ECHO_ORIGIN ".evil.example")};
  char request[500], origin[200];
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    const char *percent = strchr(foreign[i], '%');
    snprintf(origin, sizeof origin, "%s%s", percent ? (f->tls ? "https" : "http") : "",
             percent ? foreign[i] + 2 : foreign[i]);
    snprintf(request, sizeof request, "GET /describe HTTP/1.1\r\n" H "Origin: %s\r\n\r\n", origin);
    assert_int_equal(ask(f, request), 200);
    if (!has(" origin 2 ")) fail_msg("%s: %s", origin, body());
  }
  snprintf(request, sizeof request, "GET /describe HTTP/1.1\r\n" H "Origin: %s://localhost\r\n\r\n",
           f->tls ? "http" : "https"); /* the same name, the other scheme */
  assert_int_equal(ask(f, request), 200);
  assert_true(has(" origin 2 "));
  assert_int_equal(ask(f, "GET /describe HTTP/1.1\r\n" H "Origin: " ECHO_ORIGIN "\r\n\r\n"), 200);
  assert_true(has(" origin 1 "));
  for (int own = 0; own < 2; own++) { /* the page that this server gave may open a websocket to it */
    rawws *ws = rawws_connect(&f->to);
    snprintf(origin, sizeof origin, "Origin: %s://localhost\r\n", f->tls == !own ? "https" : "http");
    rawws_request(request, sizeof request, "localhost", NULL, origin);
    assert_int_equal(rawws_upgrade_with(ws, request), own ? 403 : 101);
    rawws_free(ws);
  }
}

static void doubled_headers_are_refused(void **state) {
  net_fixture *f = *state;
  static const char *const doubled[] = {
      "Cookie: a=1\r\nCookie: b=2\r\n", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n",
      "Range: bytes=0-1\r\nRange: bytes=1-2\r\n", "Content-Type: a/b\r\nContent-Type: c/d\r\n",
      "If-Range: \"a\"\r\nIf-Range: \"b\"\r\n"};
  char request[500];
  for (size_t i = 0; i < sizeof doubled / sizeof *doubled; i++) {
    snprintf(request, sizeof request, "GET /describe HTTP/1.1\r\n" H "%s\r\n", doubled[i]);
    if (ask(f, request) != 400) fail_msg("%s: %s", doubled[i], answer_text);
    good_still_echoes(f, doubled[i]);
  }
  assert_int_equal(
      ask(f, "GET /describe HTTP/1.1\r\n" H "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n\r\n"), 200);
  assert_true(has(" gzip 1 "));
}

/* -- POST -------------------------------------------------------------------------------------- */

static void posts_are_bounded(void **state) {
  net_fixture *f = *state;
  static const struct {
    const char *what, *request;
    int status;
    const char *in_body;
  } rows[] = {
      {"a body", "POST /describe HTTP/1.1\r\n" H "Content-Type: a/b\r\nContent-Length: 5\r\n\r\nhello", 200,
       "type [a/b]"},
      {"its bytes", "POST /post HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", 200, "body 5:hello"},
      {"none", "POST /post HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 200, "body 0:"},
      {"more than said", "POST /post HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello and more\r\n\r\n", 200,
       "body 5:hello"},
      {"a second request behind",
       "POST /post HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhelloGET /health HTTP/1.1\r\n" H "\r\n", 200,
       "body 5:hello"},
      {"no length", "POST /post HTTP/1.1\r\n" H "\r\nhello", 411, "needed"},
      {"a long length", "POST /post HTTP/1.1\r\n" H "Content-Length: 20001\r\n\r\nhello", 413, "large"},
      {"a huge length", "POST /post HTTP/1.1\r\n" H "Content-Length: 999999999999999999\r\n\r\nhello", 413,
       "large"},
      {"a length over 64 bits",
       "POST /post HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\nhello", 400, "bad"},
      {"a negative length", "POST /post HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\nhello", 400, "bad"},
      {"a signed length", "POST /post HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nhello", 400, "bad"},
      {"a hexadecimal length", "POST /post HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nhello", 400, "bad"},
      {"two lengths", "POST /post HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 3\r\n\r\nhello", 400,
       "bad"},
      {"two equal lengths", "POST /post HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
       400, "bad"},
      {"chunks", "POST /post HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 501,
       "transfer"},
      {"chunks and a length",
       "POST /post HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello", 501,
       "transfer"},
      {"a body with GET", "GET /describe HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", 400, "no body"},
      {"chunks with GET", "GET /describe HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
       "no body"},
      {"POST where only GET is", "POST /health HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", 405,
       "not allowed"},
      {"GET where only POST is", "GET /post HTTP/1.1\r\n" H "\r\n", 405, "not allowed"},
      {"PUT", "PUT /post HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", 405, "not allowed"},
      {"a foreign Host", "POST /post HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 5\r\n\r\nhello", 421,
       "not a host"},
      {"an unknown path", "POST /nothing HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", 404, "not found"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int status = ask(f, rows[i].request);
    if (status != rows[i].status || !strstr(body(), rows[i].in_body))
      fail_msg("%s: status %d, expected %d: %s", rows[i].what, status, rows[i].status, answer_text);
    good_still_echoes(f, rows[i].what);
  }
}

static void a_body_comes_in_any_pieces(void **state) {
  net_fixture *f = *state;
  enum { N = ECHO_POST_MAX };
  char *request = malloc(N + 200);
  int head = snprintf(request, 200, "POST /post HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", N);
  for (int i = 0; i < N; i++) request[head + i] = (char)('a' + i % 23);
  static const size_t pieces[] = {N + 200, 4096, 1000, 700};
  for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
    rawws *ws = rawws_connect(&f->to);
    size_t all = (size_t)head + N, done = 0;
    while (done < all) {
      size_t n = all - done < pieces[k] ? all - done : pieces[k];
      assert_int_equal((int)rawws_send(ws, request + done, n), (int)n);
      done += n;
    }
    rawws_read_all(ws, answer_text, sizeof answer_text, 3000);
    const char *at = strstr(body(), " body 20000:");
    assert_non_null(at);
    assert_memory_equal(at + 12, request + head, N);
    rawws_free(ws);
  }
  free(request);
}

/* The answer arrives although the client is still sending when the server has had enough. */
static void a_refused_body_gets_its_answer(void **state) {
  net_fixture *f = *state;
  enum { N = 60000 };
  char *request = calloc(1, N + 200);
  int head = snprintf(request, 200, "POST /post HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", N);
  memset(request + head, 'x', N);
  assert_int_equal(ask_bytes(f, request, (size_t)head + N), 413);
  good_still_echoes(f, "a large body");
  free(request);
}

static void a_slow_body_is_hung_up_on(void **state) {
  net_fixture *f = *state;
  uint64_t late = echo_count(f->server, SV_NET_LATE_BODY);
  rawws *ws = rawws_connect(&f->to);
  uint8_t byte;
  rawws_send_text(ws, "POST /post HTTP/1.1\r\n" H "Content-Length: 2000\r\n\r\n");
  uint64_t start = sv_net_now_ms();
  int got;
  while ((got = rawws_recv(ws, &byte, 1, 20)) < 0 && sv_net_now_ms() < start + 10000) rawws_send(ws, "x", 1);
  assert_int_equal(got, 0);
  assert_true(sv_net_now_ms() >= start + BODY_MS - 5);
  assert_true(echo_wait_at_least(f->server, SV_NET_LATE_BODY, late + 1));
  rawws_free(ws);
  good_still_echoes(f, "a slow body");
}

static void half_bodies_and_leavers_leave_nothing(void **state) {
  net_fixture *f = *state;
  for (int i = 0; i < 50; i++) {
    rawws *ws = rawws_connect(&f->to);
    rawws_send_text(ws, "POST /post HTTP/1.1\r\n" H "Content-Length: 2000\r\n\r\nhalf");
    rawws_free(ws);
  }
  assert_true(echo_wait_at_most(f->server, SV_NET_SOCKETS, 1));
  good_still_echoes(f, "leavers");
}

/* -- later ------------------------------------------------------------------------------------- */

static void an_answer_may_come_later(void **state) {
  net_fixture *f = *state;
  static const char *const requests[] = {
      "GET /later HTTP/1.1\r\n" H "\r\n", "POST /later HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc",
      "POST /later HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc and what was not announced"};
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    rawws *ws = rawws_connect(&f->to);
    rawws_send_text(ws, requests[i]);
    uint64_t id = echo_later_id(f->server);
    assert_true(id != 0);
    good_still_echoes(f, "a waiting request");
    echo_post(f->server, id, "slowly found");
    rawws_read_all(ws, answer_text, sizeof answer_text, 3000);
    assert_non_null(strstr(answer_text, "HTTP/1.1 200 OK\r\n"));
    assert_string_equal(body(), "slowly found");
    rawws_free(ws);
  }
}

static void an_answer_to_nobody_is_dropped(void **state) {
  net_fixture *f = *state;
  rawws *ws = rawws_connect(&f->to);
  rawws_send_text(ws, "GET /later HTTP/1.1\r\n" H "\r\n");
  uint64_t id = echo_later_id(f->server);
  rawws_free(ws);
  echo_post(f->server, id, "nobody");
  assert_true(echo_wait_at_most(f->server, SV_NET_SOCKETS, 1));
  echo_post(f->server, id, "nobody at all");
  ws = rawws_connect(&f->to); /* the same slot, another request */
  rawws_send_text(ws, "GET /later HTTP/1.1\r\n" H "\r\n");
  uint64_t next = echo_later_id(f->server);
  assert_true(next != id);
  echo_post(f->server, id, "not for this one");
  echo_post(f->server, next, "this one");
  echo_post(f->server, next, "twice");
  rawws_read_all(ws, answer_text, sizeof answer_text, 3000);
  assert_string_equal(body(), "this one");
  rawws_free(ws);
  good_still_echoes(f, "answers to nobody");
}

static void an_answer_too_late_is_503(void **state) {
  net_fixture *f = *state;
  uint64_t late = echo_count(f->server, SV_NET_LATE_REPLY);
  rawws *ws = rawws_connect(&f->to);
  rawws_send_text(ws, "GET /later HTTP/1.1\r\n" H "\r\n");
  uint64_t id = echo_later_id(f->server);
  rawws_read_all(ws, answer_text, sizeof answer_text, 8000);
  assert_non_null(strstr(answer_text, "HTTP/1.1 503 Service Unavailable\r\n"));
  assert_true(echo_wait_at_least(f->server, SV_NET_LATE_REPLY, late + 1));
  echo_post(f->server, id, "too late");
  rawws_free(ws);
  good_still_echoes(f, "a late answer");
}

static void a_stop_answers_who_waits(void **state) {
  (void)state;
  sv_net_opts o = echo_opts();
  echo_server *s = echo_start(&o);
  rawws *ws = rawws_connect(&(rawws_opts){.port = echo_port(s)});
  rawws_send_text(ws, "GET /later HTTP/1.1\r\n" H "\r\n");
  assert_true(echo_later_id(s) != 0);
  assert_true(echo_stop(s, NULL) < (int)o.stop_ms);
  rawws_read_all(ws, answer_text, sizeof answer_text, 3000);
  assert_non_null(strstr(answer_text, "HTTP/1.1 503 Service Unavailable\r\n"));
  rawws_free(ws);
}

/* -- caching, gzip, ranges ---------------------------------------------------------------------- */

static void a_static_body_is_cached_and_chosen(void **state) {
  net_fixture *f = *state;
  assert_int_equal(ask(f, "GET /app.js HTTP/1.1\r\n" H "\r\n"), 200);
  assert_string_equal(body(), "plain script");
  assert_true(has("ETag: \"app1\"\r\n") && has("Cache-Control: public, max-age=31536000, immutable\r\n"));
  assert_true(has("Vary: Accept-Encoding\r\n") && !has("Content-Encoding"));
  assert_true(has("require-trusted-types-for 'script'; trusted-types overdracht\r\n"));
  assert_true(has("Cross-Origin-Opener-Policy: same-origin\r\n") && has("Referrer-Policy: no-referrer\r\n"));
  assert_true(has("Permissions-Policy: camera=(self)"));
  assert_true(has("Cross-Origin-Resource-Policy: same-origin\r\n"));

  assert_int_equal(ask(f, "GET /app.js HTTP/1.1\r\n" H "Accept-Encoding: gzip\r\n\r\n"), 200);
  assert_string_equal(body(), "GZ");
  assert_true(has("Content-Encoding: gzip\r\n") && has("ETag: \"app1-gz\"\r\n") &&
              has("Content-Length: 2\r\n"));

  assert_int_equal(ask(f, "GET /app.js HTTP/1.1\r\n" H "If-None-Match: \"other\", \"app1\"\r\n\r\n"), 304);
  assert_string_equal(body(), "");
  assert_true(has("ETag: \"app1\"\r\n") && !has("Content-Length"));
  assert_int_equal(ask(f, "GET /app.js HTTP/1.1\r\n" H "If-None-Match: \"app1-gz\"\r\n\r\n"), 200);
  assert_int_equal(
      ask(f, "GET /app.js HTTP/1.1\r\n" H "Accept-Encoding: gzip\r\nIf-None-Match: \"app1-gz\"\r\n\r\n"),
      304);
  assert_int_equal(ask(f, "HEAD /app.js HTTP/1.1\r\n" H "\r\n"), 200);
  assert_string_equal(body(), "");
  assert_true(has("Content-Length: 12\r\n"));

  assert_int_equal(ask(f, "GET /app.js HTTP/1.1\r\n" H "Accept-Encoding: gzip\r\nRange: bytes=6-\r\n\r\n"),
                   206);
  assert_string_equal(body(), "script");
  assert_true(has("Content-Range: bytes 6-11/12\r\n") && has("Content-Length: 6\r\n"));
  assert_int_equal(ask(f, "GET /app.js HTTP/1.1\r\n" H "Range: bytes=12-\r\n\r\n"), 416);
  assert_true(has("Content-Range: bytes */12\r\n") && has("Content-Length: 0\r\n"));
  assert_int_equal(ask(f, "GET /app.js HTTP/1.1\r\n" H "Range: bytes=0-4\r\nIf-Range: \"old\"\r\n\r\n"), 200);
  assert_string_equal(body(), "plain script");
  assert_int_equal(ask(f, "GET /app.js HTTP/1.1\r\n" H "Range: bytes=0-4\r\nIf-Range: \"app1\"\r\n\r\n"),
                   206);
  assert_string_equal(body(), "plain");
  assert_int_equal(ask(f, "GET /describe HTTP/1.1\r\n" H "Range: bytes=0-4\r\n\r\n"), 200); /* no tag */
}

static void encoded_paths_lead_nowhere(void **state) {
  net_fixture *f = *state;
  static const char *const paths[] = {"/../../etc/passwd",
                                      "/..%2f..%2fetc/passwd",
                                      "/%2e%2e/%2e%2e/etc/passwd",
                                      "/%252e%252e/etc/passwd",
                                      "/large/../../../etc/passwd",
                                      "/large/..%5c..%5cetc",
                                      "/large/%2e%2e/%2e%2e/etc",
                                      "//etc/passwd",
                                      "/large/%c0%ae%c0%ae/etc",
                                      "/..;/..;/etc/passwd",
                                      "/large/.%2e/.%2e/etc",
                                      "/app.js/",
                                      "/app.js/../../etc/passwd",
                                      "/APP.JS",
                                      "/app.js.",
                                      "/large//etc/passwd",
                                      "/large/\\..\\..\\etc",
                                      "/large/....//....//etc"};
  char request[300];
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" H "\r\n", paths[i]);
    int status = ask(f, request);
    if (status != 404 && status != 403) fail_msg("%s: %s", paths[i], answer_text);
    assert_false(has("root:"));
    good_still_echoes(f, paths[i]);
  }
  assert_int_equal(ask(f, "GET /nothing/../app.js HTTP/1.1\r\n" H "\r\n"), 200); /* as RFC 3986 says */
  assert_int_equal(ask(f, "GET /app.js%00.html HTTP/1.1\r\n" H "\r\n") == 200, 0);
}

static size_t read_large(rawws *ws, uint64_t first, uint64_t n) {
  uint8_t piece[8192];
  char *head_end = NULL;
  size_t have = 0;
  int got;
  while (have < sizeof answer_text - 1 && !head_end) {
    got = rawws_recv(ws, answer_text + have, 1, 3000);
    assert_true(got == 1);
    answer_text[++have] = 0;
    head_end = strstr(answer_text, "\r\n\r\n");
  }
  uint64_t done = 0;
  while (done < n && (got = rawws_recv(ws, piece, sizeof piece, 3000)) > 0)
    for (int i = 0; i < got; i++, done++)
      if (piece[i] != echo_large_byte(first + done))
        fail_msg("byte %llu", (unsigned long long)(first + done));
  return (size_t)done;
}

static void a_large_body_is_pulled_as_it_is_read(void **state) {
  net_fixture *f = *state;
  uint64_t ends = echo_pull_ends(f->server), before = echo_pulled(f->server);
  rawws_opts small = f->to;
  small.rcvbuf = 4096;
  rawws *ws = rawws_connect(&small);
  rawws_send_text(ws, "GET /large/ HTTP/1.1\r\n" H "\r\n");
  assert_true(echo_wait_at_least(f->server, SV_NET_HTTP_REQUESTS, 1));
  for (int i = 0; i < 30; i++) good_still_echoes(f, "a reader that waits"); /* rounds of the loop */
  assert_true(echo_pulled(f->server) - before < ECHO_LARGE_BYTES / 2);      /* not into memory */
  assert_int_equal((int)read_large(ws, 0, ECHO_LARGE_BYTES), ECHO_LARGE_BYTES);
  assert_true(has("Content-Length: 3000000\r\n") && has("Cache-Control: no-cache\r\n"));
  assert_int_equal(rawws_wait_end(ws, 3000) >= 0, 1);
  rawws_free(ws);
  assert_true(echo_wait_at_most(f->server, SV_NET_SOCKETS, 1));
  assert_int_equal((int)(echo_pull_ends(f->server) - ends), 1);

  ws = rawws_connect(&f->to);
  rawws_send_text(ws, "GET /large/ HTTP/1.1\r\n" H "Range: bytes=2999000-\r\n\r\n");
  assert_int_equal((int)read_large(ws, 2999000, 1000), 1000);
  assert_true(has("HTTP/1.1 206 ") && has("Content-Range: bytes 2999000-2999999/3000000\r\n"));
  rawws_free(ws);
  assert_int_equal(ask(f, "GET /large/ HTTP/1.1\r\n" H "Range: bytes=3000000-\r\n\r\n"), 416);
  assert_int_equal(ask(f, "HEAD /large/ HTTP/1.1\r\n" H "\r\n"), 200);
  assert_true(has("Content-Length: 3000000\r\n"));
  assert_int_equal(ask(f, "GET /large/ HTTP/1.1\r\n" H "If-None-Match: \"large\"\r\n\r\n"), 304);
  assert_true(echo_wait_at_most(f->server, SV_NET_SOCKETS, 1));
  assert_int_equal((int)(echo_pull_ends(f->server) - ends), 5);
}

static void a_body_that_breaks_off_is_seen_to(void **state) {
  net_fixture *f = *state;
  assert_int_equal(ask(f, "GET /large/broken HTTP/1.1\r\n" H "\r\n"), 200);
  assert_true(has("Content-Length: 3000000\r\n"));
  assert_true(strlen(body()) <= 100); /* and the connection ended: shorter than announced */
  good_still_echoes(f, "a broken body");
}

static void who_does_not_read_is_hung_up_on(void **state) {
  net_fixture *f = *state;
  uint64_t late = echo_count(f->server, SV_NET_LATE_READER);
  rawws_opts small = f->to;
  small.rcvbuf = 4096;
  rawws *ws = rawws_connect(&small);
  rawws_send_text(ws, "GET /large/ HTTP/1.1\r\n" H "\r\n");
  struct timespec nap = {.tv_nsec = 100000000};
  for (int i = 0; i < 150 && echo_count(f->server, SV_NET_LATE_READER) == late; i++) {
    nanosleep(&nap, NULL);
    good_still_echoes(f, "one that does not read");
  }
  assert_true(echo_count(f->server, SV_NET_LATE_READER) > late);
  rawws_free(ws);
}

/* Bytes behind a request are never read; who sends them and does not read is not waited for, and what it
 * sends does not pile up here. */
static void who_sends_on_is_bounded(void **state) {
  net_fixture *f = *state;
  static const char *const requests[] = {"POST /later HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc",
                                         "GET /later HTTP/1.1\r\n" H "\r\n",
                                         "GET /large/ HTTP/1.1\r\n" H "\r\n"};
  static char flood[1 << 16];
  rawws_opts small = f->to;
  small.rcvbuf = 4096;
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    rawws *ws = rawws_connect(&small);
    size_t taken = 0, n = 1;
    rawws_send_text(ws, requests[i]);
    uint64_t id = i < 2 ? echo_later_id(f->server) : 0;
    int flags = fcntl(rawws_fd(ws), F_GETFL);
    fcntl(rawws_fd(ws), F_SETFL, flags | O_NONBLOCK);
    for (int k = 0; k < 400 && n && taken < 8u << 20; k++) {
      ssize_t got = send(rawws_fd(ws), flood, sizeof flood, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (got > 0) taken += (size_t)got;
      good_still_echoes(f, "a flood behind a request");
      if (got < 0 && errno != EAGAIN) n = 0;
    }
    if (id) echo_post(f->server, id, "answer");
    rawws_free(ws);
    if (taken >= 8u << 20) fail_msg("%s: %zu bytes were taken", requests[i], taken);
    assert_true(echo_wait_at_most(f->server, SV_NET_SOCKETS, 1));
  }
}

static void a_flood_of_headers_is_cut(void **state) {
  net_fixture *f = *state;
  char *request = malloc(200000);
  for (int kind = 0; kind < 3; kind++) {
    size_t n = (size_t)sprintf(request, "GET /describe%s", kind == 2 ? "?" : " HTTP/1.1\r\n" H);
    for (int i = 0; i < 3000; i++)
      n += (size_t)sprintf(request + n,
                           kind == 0   ? "X-%d: y\r\n"
                           : kind == 1 ? "Accept: a%d\r\n"
                                       : "&a%d",
                           i);
    n += (size_t)sprintf(request + n, kind == 2 ? " HTTP/1.1\r\n" H "\r\n" : "\r\n");
    int status = ask_bytes(f, request, n);
    if (status == 200) fail_msg("flood %d was taken", kind);
    good_still_echoes(f, "a flood of headers");
  }
  free(request);
}

/* -- who asks ------------------------------------------------------------------------------------ */

static bool have_ip6(void) {
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool have = fd >= 0 && !bind(fd, (struct sockaddr *)&any, sizeof any);
  if (fd >= 0) close(fd);
  return have;
}

static void an_ip6_peer_is_told_in_its_own_way(void **state) {
  (void)state;
  static const char request[] = "GET /describe HTTP/1.1\r\n" H "\r\n";
  if (!have_ip6()) skip();
  sv_net_opts o = echo_opts();
  o.address = "::1";
  echo_server *s = echo_start(&o);
  struct sockaddr_in6 to = {
      .sin6_family = AF_INET6, .sin6_port = htons(echo_port(s)), .sin6_addr = in6addr_loopback};
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  assert_int_equal((int)write(fd, request, sizeof request - 1), (int)sizeof request - 1);
  size_t n = 0;
  ssize_t got;
  while (n < sizeof answer_text - 1 && (got = read(fd, answer_text + n, sizeof answer_text - 1 - n)) > 0)
    n += (size_t)got;
  answer_text[n] = 0;
  close(fd);
  assert_true(has(" peer ::1 body 0:"));
  echo_stop(s, NULL);
}

/* A listener of both families sees IPv4 inside IPv6: the audit tells the address that people know. */
static void an_ip4_peer_of_a_listener_of_both_is_told_as_ip4(void **state) {
  (void)state;
  testcert cert;
  if (!have_ip6()) skip();
  assert_true(testcert_make(&cert));
  sv_net_opts o = echo_opts();
  o.address = "::";
  o.cert_file = cert.cert_file;
  o.key_file = cert.key_file;
  echo_server *s = echo_start(&o);
  net_fixture f = {.to = {.port = echo_port(s), .tls = true, .ca_file = cert.cert_file}};
  assert_int_equal(ask(&f, "GET /describe HTTP/1.1\r\n" H "\r\n"), 200);
  assert_true(has(" peer 127.0.0.1 body 0:"));
  echo_stop(s, NULL);
  testcert_remove(&cert);
}

int main(void) {
  const struct CMUnitTest peers[] = {cmocka_unit_test(an_ip6_peer_is_told_in_its_own_way),
                                     cmocka_unit_test(an_ip4_peer_of_a_listener_of_both_is_told_as_ip4)};
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_handler_gets_the_request),
      cmocka_unit_test(origins_are_told_apart),
      cmocka_unit_test(doubled_headers_are_refused),
      cmocka_unit_test(posts_are_bounded),
      cmocka_unit_test(a_body_comes_in_any_pieces),
      cmocka_unit_test(a_refused_body_gets_its_answer),
      cmocka_unit_test(a_slow_body_is_hung_up_on),
      cmocka_unit_test(half_bodies_and_leavers_leave_nothing),
      cmocka_unit_test(an_answer_may_come_later),
      cmocka_unit_test(an_answer_to_nobody_is_dropped),
      cmocka_unit_test(an_answer_too_late_is_503),
      cmocka_unit_test(a_stop_answers_who_waits),
      cmocka_unit_test(a_static_body_is_cached_and_chosen),
      cmocka_unit_test(encoded_paths_lead_nowhere),
      cmocka_unit_test(a_large_body_is_pulled_as_it_is_read),
      cmocka_unit_test(a_body_that_breaks_off_is_seen_to),
      cmocka_unit_test(who_does_not_read_is_hung_up_on),
      cmocka_unit_test(who_sends_on_is_bounded),
      cmocka_unit_test(a_flood_of_headers_is_cut),
  };
  int failed = cmocka_run_group_tests_name("peers", peers, NULL, NULL);
  failed += cmocka_run_group_tests_name("plain", tests, start_plain, fixture_stop);
  return failed + cmocka_run_group_tests_name("tls", tests, start_tls, fixture_stop);
}
