/* Files of releases are sent piece by piece: every byte is right whatever is asked for, and readers that do
 * not read cost the server a piece each, not a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

#include "web_client.h"

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#define NETWORKS 29u /* the most that a release takes: each adds rows of its own, and SPSS pads its texts */
#define READERS 64u
#define FILE_MAX (8u << 20)

typedef struct stage {
  dm_site site;
  dm_server d;
  char path[80], token[100];
  uint8_t *whole; /* sleep.sav */
  size_t n;
} stage;

typedef struct got {
  char head[4096];
  uint8_t *body;
  size_t n;
} got;

static void request(const stage *s, rawws *ws, const char *method, const char *path, const char *headers) {
  char text[600];
  snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n", method, path, s->token,
           headers);
  assert_int_equal(rawws_send_text(ws, text), strlen(text));
}

static got ask(const stage *s, const char *method, const char *path, const char *headers) {
  static unsigned from;
  char *all = test_malloc(FILE_MAX), address[16];
  got g = {.n = 0};
  snprintf(address, sizeof address, "127.0.3.%u", ++from % 250 + 1);
  rawws *ws = rawws_connect(&(rawws_opts){.port = s->d.port, .from = address});
  assert_non_null(ws);
  request(s, ws, method, path, headers);
  size_t n = rawws_read_all(ws, all, FILE_MAX, 40000);
  rawws_free(ws);
  const char *end = strstr(all, "\r\n\r\n");
  assert_non_null(end);
  snprintf(g.head, sizeof g.head, "%.*s", (int)(end + 2 - all), all);
  g.n = n - (size_t)(end + 4 - all);
  g.body = test_malloc(g.n + 1);
  memcpy(g.body, end + 4, g.n);
  g.body[g.n] = 0;
  test_free(all);
  return g;
}

static long long header(const got *g, const char *name) {
  const char *p = strstr(g->head, name);
  return p ? atoll(p + strlen(name)) : -1;
}

static void admin(stage *s, const char *ask_json, char *reply, size_t cap) {
  if (!dm_admin(&s->d, ask_json, reply, cap)) fail_msg("%s: %s", ask_json, reply);
}

static int setup(void **state) {
  stage *s = calloc(1, sizeof *s);
  char text[200], month[8];
  static char reply[65536];
  dm_site_open(&s->site, 12);
  if (!wc_start(&s->d, &s->site)) return -1;
  for (unsigned i = 1; i <= NETWORKS; i++) {
    snprintf(text, sizeof text,
             "{\"cmd\":\"record add\",\"kind\":\"theme_network\",\"fields\":[\"number=%u\",\"name=Net %u\","
             "\"type=1\"]}",
             i, i);
    admin(s, text, reply, sizeof reply);
  }
  wc_release(&s->d, month);
  snprintf(s->path, sizeof s->path, "/v1/releases/%s/sleep.sav", month);
  wc_token(&s->d, "", s->token, NULL);
  *state = s;
  got g = ask(s, "GET", s->path, "");
  s->whole = g.body;
  s->n = g.n;
  return g.n > 500000 ? 0 : -1; /* far more than one piece, and than all buffers of one connection */
}

static int teardown(void **state) {
  stage *s = *state;
  int result = wc_stop(&s->d, &s->site, "ovr1_");
  test_free(s->whole);
  free(s);
  return result;
}

static void the_whole_file(void **state) {
  stage *s = *state;
  got g = ask(s, "GET", s->path, "");
  assert_non_null(strstr(g.head, "HTTP/1.1 200 OK\r\n"));
  assert_int_equal(header(&g, "Content-Length: "), s->n);
  assert_int_equal(g.n, s->n);
  assert_memory_equal(g.body, s->whole, s->n);
  assert_memory_equal(g.body, "$FL2", 4);
  test_free(g.body);
}

static void head_tells_what_get_would(void **state) {
  stage *s = *state;
  got g = ask(s, "HEAD", s->path, "");
  assert_non_null(strstr(g.head, "HTTP/1.1 200 OK\r\n"));
  assert_int_equal(header(&g, "Content-Length: "), s->n);
  assert_non_null(strstr(g.head, "ETag: \""));
  assert_int_equal(g.n, 0);
  test_free(g.body);
}

/* [from, to] over the edges of pieces, the first and the last byte, and the end from behind. */
static void ranges_over_the_edges_of_pieces(void **state) {
  stage *s = *state;
  size_t last = s->n - 1;
  const size_t ranges[][2] = {{0, 0},         {32767, 32767}, {32767, 32768},   {32768, 65535},
                              {65530, 98310}, {1, last - 1},  {last, last + 5}, {last - 40000, last}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    char headers[80];
    size_t to = ranges[i][1] < last ? ranges[i][1] : last, n = to - ranges[i][0] + 1;
    snprintf(headers, sizeof headers, "Range: bytes=%zu-%zu\r\n", ranges[i][0], ranges[i][1]);
    got g = ask(s, "GET", s->path, headers);
    assert_non_null(strstr(g.head, "HTTP/1.1 206 "));
    assert_int_equal(header(&g, "Content-Length: "), n);
    assert_int_equal(g.n, n);
    assert_memory_equal(g.body, s->whole + ranges[i][0], n);
    test_free(g.body);
  }
  got g = ask(s, "GET", s->path, "Range: bytes=-7\r\n");
  assert_int_equal(g.n, 7);
  assert_memory_equal(g.body, s->whole + s->n - 7, 7);
  test_free(g.body);
}

static void a_range_beyond_the_end(void **state) {
  stage *s = *state;
  char headers[80], want[80];
  snprintf(headers, sizeof headers, "Range: bytes=%zu-\r\n", s->n);
  snprintf(want, sizeof want, "Content-Range: bytes */%zu\r\n", s->n);
  got g = ask(s, "GET", s->path, headers);
  assert_non_null(strstr(g.head, "HTTP/1.1 416 "));
  assert_non_null(strstr(g.head, want));
  assert_int_equal(g.n, 0);
  test_free(g.body);
}

/* In one file's two forms the bytes are the same, and the tags are not; a range is of the plain form. */
static void gzip_is_the_same_file(void **state) {
  stage *s = *state;
  got g = ask(s, "GET", s->path, "Accept-Encoding: gzip\r\n");
  assert_non_null(strstr(g.head, "Content-Encoding: gzip\r\n"));
  assert_non_null(strstr(g.head, "-gz\"\r\n"));
  assert_true(g.n < s->n / 4);
  uint8_t *plain = test_malloc(s->n + 1);
  z_stream z = {.next_in = g.body, .avail_in = (uInt)g.n, .next_out = plain, .avail_out = (uInt)s->n + 1};
  assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
  assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
  assert_int_equal(z.total_out, s->n);
  assert_memory_equal(plain, s->whole, s->n);
  inflateEnd(&z);
  test_free(plain);
  test_free(g.body);
  g = ask(s, "GET", s->path, "Accept-Encoding: gzip\r\nRange: bytes=0-3\r\n");
  assert_null(strstr(g.head, "Content-Encoding"));
  assert_memory_equal(g.body, "$FL2", 4);
  test_free(g.body);
}

static void readers_that_do_not_read_cost_a_piece(void **state) {
  stage *s = *state;
  rawws *ws[READERS];
  char address[16];
  long memory = dm_memory_kib(&s->d, "RssAnon");
  for (unsigned i = 0; i < READERS; i++) {
    snprintf(address, sizeof address, "127.0.4.%u", i + 1);
    ws[i] = rawws_connect(&(rawws_opts){.port = s->d.port, .from = address, .rcvbuf = 4096});
    assert_non_null(ws[i]);
    request(s, ws[i], "GET", s->path, "");
  }
  for (unsigned i = 0; i < READERS; i++) assert_int_equal(rawws_recv(ws[i], address, 1, 20000), 1);
  dm_sleep_ms(200); /* until every socket is full */
  got g = ask(s, "GET", "/v1/releases", "");
  assert_non_null(strstr(g.head, "HTTP/1.1 200 OK\r\n")); /* meanwhile others are served */
  test_free(g.body);
  long grown = dm_memory_kib(&s->d, "RssAnon") - memory;
#ifndef SANITIZED
  if (grown > (long)(READERS * 32 + 2048)) fail_msg("%ld KiB more for %u readers", grown, READERS);
#endif
  print_message("%u readers of %zu KiB each: %ld KiB\n", READERS, s->n / 1024, grown);
  /* One of them wakes up, and has all of it. */
  char *all = test_malloc(FILE_MAX);
  size_t n = rawws_read_all(ws[7], all, FILE_MAX, 40000);
  assert_true(n > s->n);
  assert_memory_equal(all + n - s->n, s->whole, s->n);
  test_free(all);
  for (unsigned i = 0; i < READERS; i++) rawws_free(ws[i]);
}

/* The list is put together when a release was made, and not for each who asks. */
static void the_list_is_made_once(void **state) {
  stage *s = *state;
  got g = ask(s, "GET", "/v1/releases", "");
  long long made = dm_metric(&s->d, "web_made_total");
  for (unsigned i = 0; i < 5; i++) {
    got again = ask(s, "GET", "/v1/releases", "");
    assert_int_equal(again.n, g.n);
    assert_memory_equal(again.body, g.body, g.n);
    test_free(again.body);
  }
  assert_int_equal(dm_metric(&s->d, "web_made_total"), made);
  char text[100], reply[8192];
  snprintf(text, sizeof text, "{\"cmd\":\"release make\",\"month\":\"2020-02\"}");
  admin(s, text, reply, sizeof reply);
  got more = ask(s, "GET", "/v1/releases", "");
  assert_int_equal(dm_metric(&s->d, "web_made_total"), made + 1);
  assert_true(more.n > g.n);
  test_free(more.body);
  test_free(g.body);
}

/* More than disclosure control looks at together: said, and nothing is made. */
static void too_many_networks_are_refused(void **state) {
  stage *s = *state;
  char reply[8192];
  admin(
      s,
      "{\"cmd\":\"record add\",\"kind\":\"theme_network\",\"fields\":[\"number=90\",\"name=N\",\"type=2\"]}",
      reply, sizeof reply);
  assert_false(dm_admin(&s->d, "{\"cmd\":\"release make\",\"month\":\"2020-03\"}", reply, sizeof reply));
  assert_non_null(strstr(reply, "there are 30 theme networks, and a release takes 29 at most"));
  got g = ask(s, "GET", "/v1/releases", "");
  assert_null(strstr((char *)g.body, "2020-03"));
  test_free(g.body);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_whole_file),
      cmocka_unit_test(head_tells_what_get_would),
      cmocka_unit_test(ranges_over_the_edges_of_pieces),
      cmocka_unit_test(a_range_beyond_the_end),
      cmocka_unit_test(gzip_is_the_same_file),
      cmocka_unit_test(readers_that_do_not_read_cost_a_piece),
      cmocka_unit_test(the_list_is_made_once),
      cmocka_unit_test(too_many_networks_are_refused),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
