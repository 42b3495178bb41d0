/* Who gets in: the upgrade's checks, the HTTP table, TLS versions. Each refusal is seen by the client,
 * counted under its reason, and leaves the good connection alone. */
#include "net_fixture.h"
#include "ov/error.h"

static void tune(sv_net_opts *o) {
  o->upgrade_ms = 2000;
  o->close_ms = 500;
}

static int start_plain(void **state) { return fixture_start(state, false, tune, false); }

static int start_tls(void **state) { return fixture_start(state, true, tune, false); }

/* -- upgrades ---------------------------------------------------------------------------------- */

typedef struct upgrade_row {
  const char *what;
  const char *host, *drop, *add;
  int status; /* 0: hung up on without an answer */
  sv_net_counter counter;
} upgrade_row;

static const upgrade_row upgrades[] = {
    {"good: name alone", "localhost", NULL, NULL, 101, SV_NET_UPGRADED},
    {"good: Host in capitals", "LOCALHOST", NULL, NULL, 101, SV_NET_UPGRADED},
    {"good: a listed Host with its own port", "sync.example.nl:8443", NULL, NULL, 101, SV_NET_UPGRADED},
    {"good: our Origin", "localhost", NULL, "Origin: " ECHO_ORIGIN "\r\n", 101, SV_NET_UPGRADED},
    {"good: ours among newer subprotocols", "localhost", "Sec-WebSocket-Protocol",
     "Sec-WebSocket-Protocol: overdracht.2, overdracht.1\r\n", 101, SV_NET_UPGRADED},
    {"good: deflate offered, not taken", "localhost", NULL,
     "Sec-WebSocket-Extensions: permessage-deflate\r\n", 101, SV_NET_UPGRADED},
    {"version 8", "localhost", "Sec-WebSocket-Version", "Sec-WebSocket-Version: 8\r\n", 426,
     SV_NET_REFUSED_VERSION},
    {"version 130", "localhost", "Sec-WebSocket-Version", "Sec-WebSocket-Version: 130\r\n", 426,
     SV_NET_REFUSED_VERSION},
    {"two versions", "localhost", NULL, "Sec-WebSocket-Version: 8\r\n", 426, SV_NET_REFUSED_VERSION},
    {"no version", "localhost", "Sec-WebSocket-Version", NULL, 426, SV_NET_REFUSED_VERSION},
    {"key of 15 bytes", "localhost", "Sec-WebSocket-Key", "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1\r\n", 400,
     SV_NET_REFUSED_KEY},
    {"key of 17 bytes", "localhost", "Sec-WebSocket-Key", "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Njc=\r\n",
     400, SV_NET_REFUSED_KEY},
    {"key with a stray bit", "localhost", "Sec-WebSocket-Key",
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n", 400, SV_NET_REFUSED_KEY},
    {"key that is no base64", "localhost", "Sec-WebSocket-Key",
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n", 400, SV_NET_REFUSED_KEY},
    {"no key", "localhost", "Sec-WebSocket-Key", NULL, 400, SV_NET_REFUSED_KEY},
    {"no subprotocol", "localhost", "Sec-WebSocket-Protocol", NULL, 400, SV_NET_REFUSED_SUBPROTOCOL},
    {"unknown subprotocol", "localhost", "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat\r\n", 400,
     SV_NET_REFUSED_SUBPROTOCOL},
    {"longer subprotocol", "localhost", "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: overdracht.10\r\n",
     400, SV_NET_REFUSED_SUBPROTOCOL},
    {"the library's own protocol name", "localhost", "Sec-WebSocket-Protocol",
     "Sec-WebSocket-Protocol: (http)\r\n", 400, SV_NET_REFUSED_SUBPROTOCOL},
    {"evil Origin", "localhost", NULL, "Origin: https://evil.example\r\n", 403, SV_NET_REFUSED_ORIGIN},
    {"null Origin", "localhost", NULL, "Origin: null\r\n", 403, SV_NET_REFUSED_ORIGIN},
    {"Origin with ours as prefix", "localhost", NULL, "Origin: " ECHO_ORIGIN ".evil.example\r\n", 403,
     SV_NET_REFUSED_ORIGIN},
    {"Origin with ours as suffix", "localhost", NULL, "Origin: https://evil-app.example.nl\r\n", 403,
     SV_NET_REFUSED_ORIGIN},
    {"our Origin without TLS", "localhost", NULL, "Origin: http://app.example.nl\r\n", 403,
     SV_NET_REFUSED_ORIGIN},
    {"two Origins", "localhost", NULL, "Origin: " ECHO_ORIGIN "\r\nOrigin: https://evil.example\r\n", 403,
     SV_NET_REFUSED_ORIGIN},
    {"foreign Host", "evil.example", NULL, NULL, 421, SV_NET_REFUSED_HOST},
    {"Host with a suffix", "localhost.evil.example", NULL, NULL, 421, SV_NET_REFUSED_HOST},
    {"Host with a foreign port", "localhost:1", NULL, NULL, 421, SV_NET_REFUSED_HOST},
    {"no Host", "localhost", "Host", NULL, 421, SV_NET_REFUSED_HOST},
    {"two Hosts", "localhost", NULL, "Host: evil.example\r\n", 421, SV_NET_REFUSED_HOST},
    {"upgrade to h2c", "localhost", "Upgrade", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", 0,
     SV_NET_REFUSED_OTHER_UPGRADE},
};

/* PROTO-1, PROTO-2, PROTO-4 */
static void upgrades_are_checked(void **state) {
  net_fixture *f = *state;
  for (size_t i = 0; i < sizeof upgrades / sizeof *upgrades; i++) {
    const upgrade_row *r = &upgrades[i];
    char request[2048];
    uint64_t before = echo_count(f->server, r->counter);
    rawws *ws = rawws_connect(&f->to);
    assert_non_null(ws);
    rawws_request(request, sizeof request, r->host, r->drop, r->add);
    int status = rawws_upgrade_with(ws, request);
    if (status != r->status) fail_msg("%s: status %d, expected %d", r->what, status, r->status);
    if (status != 101 && rawws_wait_end(ws, 1000) < 0) fail_msg("%s: refused but left open", r->what);
    if (status == 101 && !rawws_echo(ws, r->what, strlen(r->what))) fail_msg("%s: no echo", r->what);
    if (!echo_wait_at_least(f->server, r->counter, before + 1)) fail_msg("%s: not counted", r->what);
    rawws_free(ws);
    good_still_echoes(f, r->what);
  }
}

/* -- requests that are no upgrade -------------------------------------------------------------- */

static char *repeat(const char *before, char c, size_t n, const char *after) {
  size_t b = strlen(before), a = strlen(after);
  char *s = malloc(b + n + a + 1);
  memcpy(s, before, b);
  memset(s + b, c, n);
  memcpy(s + b + n, after, a + 1);
  return s;
}

static void big_headers_are_cut(void **state) {
  net_fixture *f = *state;
  char *texts[] = {
      repeat("GET /sync HTTP/1.1\r\nHost: localhost\r\nCookie: ", 'c', 5000, "\r\n\r\n"),
      repeat("GET /", 'u', 5000, " HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      repeat("GET /sync HTTP/1.1\r\nHost: localhost\r\nX-Own: ", 'x', 5000, "\r\n\r\n"),
      repeat("GET /sync HTTP/1.1\r\nHost: ", 'h', 5000, "\r\n\r\n"),
      repeat("", 'G', 5000, ""),
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    char answer[8192];
    rawws *ws = rawws_connect(&f->to);
    assert_non_null(ws);
    rawws_send_text(ws, texts[i]);
    size_t n = rawws_read_all(ws, answer, sizeof answer, 1500);
    assert_true(n < sizeof answer - 1);
    assert_null(strstr(answer, " 101 "));
    assert_null(strstr(answer, " 200 "));
    assert_true(rawws_wait_end(ws, 0) >= 0);
    rawws_free(ws);
    free(texts[i]);
    good_still_echoes(f, "big headers");
  }
}

static void connect_h2_and_nul_get_nothing(void **state) {
  net_fixture *f = *state;
  const char *texts[] = {"CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\nraw bytes",
                         "GET /health%00.txt HTTP/1.1\r\nHost: localhost\r\n\r\n",
                         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    char answer[2048];
    uint64_t before = echo_count(f->server, SV_NET_REFUSED_OTHER_UPGRADE);
    rawws *ws = rawws_connect(&f->to);
    assert_non_null(ws);
    rawws_send_text(ws, texts[i]);
    rawws_read_all(ws, answer, sizeof answer, 500);
    if (!i) assert_int_equal((int)(echo_count(f->server, SV_NET_REFUSED_OTHER_UPGRADE) - before), 1);
    assert_null(strstr(answer, "200"));
    assert_null(strstr(answer, "101"));
    assert_true(rawws_wait_end(ws, 0) >= 0); /* at once, not by the deadline: it did not stay in a raw mode */
    rawws_free(ws);
    good_still_echoes(f, texts[i]);
  }
}

typedef struct http_row {
  const char *request;
  const char *status;
  const char *body; /* NULL: none may follow the head */
} http_row;

static void check_http(net_fixture *f, const http_row *r, uint16_t port, bool tls) {
  char request[512], answer[8192];
  rawws *ws = rawws_connect(&(rawws_opts){.port = port, .tls = tls});
  assert_non_null(ws);
  snprintf(request, sizeof request, "%s", r->request);
  rawws_send_text(ws, request);
  rawws_read_all(ws, answer, sizeof answer, 2000);
  char want[64];
  snprintf(want, sizeof want, "HTTP/1.1 %s\r\n", r->status);
  if (strncmp(answer, want, strlen(want)) != 0) fail_msg("%s\ngot: %s", r->request, answer);
  const char *body = strstr(answer, "\r\n\r\n");
  assert_non_null(body);
  if (r->body) assert_non_null(strstr(body + 4, r->body));
  else assert_int_equal(body[4], 0);
  assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff\r\n"));
  assert_non_null(strstr(answer, "Content-Security-Policy: default-src 'none'"));
  assert_non_null(strstr(answer, "Cache-Control: no-store\r\n"));
  assert_int_equal(strstr(answer, "Strict-Transport-Security") != NULL, tls);
  assert_true(rawws_wait_end(ws, 0) >= 0);
  rawws_free(ws);
  good_still_echoes(f, r->request);
}

#define H "Host: localhost\r\n\r\n"

static void http_table_is_fixed(void **state) {
  net_fixture *f = *state;
  static const http_row rows[] = {
      {"GET /health HTTP/1.1\r\n" H, "200 OK", "ok\n"},
      {"GET /health?x=1 HTTP/1.1\r\n" H, "200 OK", "ok\n"},
      {"HEAD /health HTTP/1.1\r\n" H, "200 OK", NULL},
      {"POST /health HTTP/1.1\r\nContent-Length: 0\r\n" H, "405 Method Not Allowed", "method not allowed"},
      {"DELETE /health HTTP/1.1\r\n" H, "405 Method Not Allowed", "method not allowed"},
      {"OPTIONS /health HTTP/1.1\r\n" H, "405 Method Not Allowed", "method not allowed"},
      {"GET / HTTP/1.1\r\n" H, "404 Not Found", "not found"},
      {"GET /metrics HTTP/1.1\r\n" H, "404 Not Found", "not found"}, /* local listener only */
      {"GET /health/ HTTP/1.1\r\n" H, "404 Not Found", "not found"},
      {"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" H, "404 Not Found", "not found"},
      {"GET /..%2f..%2fetc/passwd HTTP/1.1\r\n" H, "404 Not Found", "not found"},
      {"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421 Misdirected Request", "not a host"},
      {"GET /broken HTTP/1.1\r\n" H, "500 Internal Server Error", "internal error"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_http(f, &rows[i], f->to.port, f->tls);
}

static void local_listener_has_metrics_but_no_websocket(void **state) {
  net_fixture *f = *state;
  uint16_t port = sv_net_local_port(echo_net(f->server));
  assert_int_not_equal(port, 0);
  check_http(f, &(http_row){"GET /metrics HTTP/1.1\r\n" H, "200 OK", "net_open 1\n"}, port, false);
  check_http(f, &(http_row){"GET /health HTTP/1.1\r\n" H, "200 OK", "ok\n"}, port, false);
  check_http(f,
             &(http_row){"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421 Misdirected Request",
                         "not a host"},
             port, false);
  rawws *ws = rawws_connect(&(rawws_opts){.port = port});
  assert_int_equal(rawws_upgrade(ws), 404);
  rawws_free(ws);
}

static void a_large_body_arrives_whole(void **state) {
  net_fixture *f = *state;
  size_t cap = (1 << 20) + 4096;
  char *answer = malloc(cap);
  rawws *ws = rawws_connect(&f->to);
  rawws_send_text(ws, "GET /big HTTP/1.1\r\n" H);
  size_t n = rawws_read_all(ws, answer, cap, 3000);
  char *body = strstr(answer, "\r\n\r\n");
  assert_non_null(body);
  assert_int_equal((int)(n - (size_t)(body + 4 - answer)), 1 << 20);
  assert_int_equal((int)strspn(body + 4, "x"), 1 << 20);
  rawws_free(ws);
  free(answer);
}

static void a_message_sent_with_the_upgrade_arrives(void **state) {
  net_fixture *f = *state;
  char request[1024];
  static const uint8_t frame[] = {0x82, 0x85, 0, 0, 0, 0, 'e', 'a', 'r', 'l', 'y'};
  rawws *ws = rawws_connect(&f->to);
  rawws_request(request, sizeof request - sizeof frame, "localhost", NULL, NULL);
  size_t n = strlen(request);
  memcpy(request + n, frame, sizeof frame);
  assert_int_equal((int)rawws_send(ws, request, n + sizeof frame), (int)(n + sizeof frame));
  assert_int_equal(rawws_upgrade_with(ws, ""), 101);
  rawws_got got;
  assert_int_equal(rawws_read_frame(ws, &got, RAWWS_TIMEOUT_MS), 1);
  assert_int_equal((int)got.len, 5);
  assert_memory_equal(got.payload, "early", 5);
  rawws_free(ws);
}

/* -- TLS --------------------------------------------------------------------------------------- */

/* PROTO-1 */
static void tls_13_and_http_1_only(void **state) {
  net_fixture *f = *state;
  rawws_opts o = f->to;
  o.tls12_only = true;
  assert_null(rawws_connect(&o));
  o = f->to;
  o.alpn = "h2";
  assert_null(rawws_connect(&o)); /* told in the handshake, nothing spoken */
  o.alpn = "http/1.1";
  rawws *ws = rawws_open(&o);
  assert_non_null(ws);
  assert_true(rawws_echo(ws, "alpn", 4));
  assert_true(rawws_tls_first_share(ws));
  rawws_free(ws);
  rawws *plain = rawws_connect(&(rawws_opts){.port = f->to.port});
  char answer[256];
  rawws_send_text(plain, "GET /health HTTP/1.1\r\n" H);
  rawws_read_all(plain, answer, sizeof answer, 3000);
  assert_null(strstr(answer, "ok"));
  rawws_free(plain);
  good_still_echoes(f, "TLS versions");
}

static void a_renewed_certificate_serves_new_connections(void **state) {
  net_fixture *f = *state;
  testcert renewed;
  assert_true(testcert_make(&renewed));
  rawws_opts trusting_new = f->to;
  trusting_new.ca_file = renewed.cert_file;
  assert_null(rawws_connect(&trusting_new));
  assert_int_equal(rename(renewed.cert_file, f->cert.cert_file), 0);
  assert_int_equal(echo_reload(f->server),
                   OV_E_CRYPTO); /* the old key does not fit: the old pair serves on */
  assert_true(echo_logged(f->server, "certificate or key unusable") > 0);
  assert_null(rawws_connect(&f->to));
  assert_int_equal(rename(renewed.key_file, f->cert.key_file), 0);
  assert_int_equal(echo_reload(f->server), 0);
  rawws *ws = rawws_open(&f->to);
  assert_non_null(ws);
  assert_true(rawws_echo(ws, "renewed", 7));
  rawws_free(ws);
  good_still_echoes(f, "renewal");
  testcert_remove(&renewed);
}

int main(void) {
  const struct CMUnitTest both[] = {
      cmocka_unit_test(upgrades_are_checked),
      cmocka_unit_test(big_headers_are_cut),
      cmocka_unit_test(connect_h2_and_nul_get_nothing),
      cmocka_unit_test(http_table_is_fixed),
      cmocka_unit_test(local_listener_has_metrics_but_no_websocket),
      cmocka_unit_test(a_large_body_arrives_whole),
      cmocka_unit_test(a_message_sent_with_the_upgrade_arrives),
  };
  const struct CMUnitTest tls_only[] = {
      cmocka_unit_test(tls_13_and_http_1_only),
      cmocka_unit_test(a_renewed_certificate_serves_new_connections),
  };
  int failed = cmocka_run_group_tests_name("plain", both, start_plain, fixture_stop);
  failed += cmocka_run_group_tests_name("tls", both, start_tls, fixture_stop);
  failed += cmocka_run_group_tests_name("tls only", tls_only, start_tls, fixture_stop);
  return failed;
}
