/* What strangers together can make the server hold: sockets, descriptors, half messages, memory, log lines.
 */
#include "net_addr.h"
#include "net_fixture.h"

#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static bool refused(const rawws_opts *to) {
  rawws *ws = rawws_connect(to);
  bool ended = !ws || rawws_wait_end(ws, 1000) >= 0;
  rawws_free(ws);
  return ended;
}

static void connections_are_capped(void **state) {
  (void)state;
  sv_net_opts o = echo_opts();
  o.connections_max = 5;
  echo_server *s = echo_start(&o);
  rawws_opts to = {.port = echo_port(s)};
  rawws *ws[5];
  for (int i = 0; i < 5; i++) assert_non_null(ws[i] = rawws_open(&to));
  for (int i = 0; i < 20; i++) assert_true(refused(&to));
  assert_int_equal((int)echo_count(s, SV_NET_REFUSED_FULL), 20);
  assert_true(rawws_echo(ws[0], "stands", 6));
  rawws_free(ws[4]);
  assert_true(echo_wait_at_most(s, SV_NET_SOCKETS, 4));
  assert_non_null(ws[4] = rawws_open(&to));
  assert_true(rawws_echo(ws[4], "room", 4));
  for (int i = 0; i < 5; i++) rawws_free(ws[i]);
  echo_stop(s, NULL);
}

static void one_address_cannot_take_all(void **state) {
  (void)state;
  sv_net_opts o = echo_opts();
  o.per_address_max = 3;
  echo_server *s = echo_start(&o);
  rawws_opts crowd = {.port = echo_port(s)}, other = {.port = echo_port(s), .from = "127.0.0.2"};
  rawws *ws[3];
  for (int i = 0; i < 3; i++) assert_non_null(ws[i] = rawws_open(&crowd));
  assert_true(refused(&crowd));
  assert_int_equal((int)echo_count(s, SV_NET_REFUSED_ADDRESS), 1);
  rawws *good = rawws_open(&other);
  assert_non_null(good);
  assert_true(rawws_echo(good, "other house", 11));
  rawws_free(good);
  for (int i = 0; i < 3; i++) rawws_free(ws[i]);
  assert_true(echo_wait_at_most(s, SV_NET_SOCKETS, 0));
  assert_non_null(ws[0] = rawws_open(&crowd));
  rawws_free(ws[0]);
  echo_stop(s, NULL);
}

/* Random takes and gives against a flat array. */
static void address_counts_equal_a_flat_model(void **state) {
  (void)state;
  enum { KEYS = 40, CAP = 32 };
  net_addr_table t = {0};
  unsigned model[KEYS] = {0}, total = 0;
  uint64_t rnd = 12345;
  assert_int_equal(net_addr_init(&t, CAP), 0);
  for (int step = 0; step < 200000; step++) {
    rnd = rnd * 6364136223846793005u + 1442695040888963407u;
    unsigned k = (unsigned)(rnd >> 33) % KEYS;
    uint8_t key[16] = {(uint8_t)k, 1, 2, 3};
    if ((rnd >> 60) & 1) {
      if (total == CAP) continue;
      bool took = net_addr_take(&t, key, 3);
      assert_int_equal(took, model[k] < 3);
      if (took) model[k]++, total++;
    } else if (model[k]) {
      net_addr_give(&t, key);
      model[k]--, total--;
    }
  }
  unsigned counted = 0;
  for (size_t i = 0; i < t.cells; i++) counted += t.cell[i].count;
  assert_int_equal(counted, total);
  net_addr_free(&t);
}

static void an_ipv6_subscriber_counts_as_one(void **state) {
  (void)state;
  struct sockaddr_storage a = {.ss_family = AF_INET6}, b = a, v4 = {.ss_family = AF_INET}, mapped = a;
  uint8_t ka[16], kb[16];
  struct in6_addr *ia = &((struct sockaddr_in6 *)&a)->sin6_addr,
                  *ib = &((struct sockaddr_in6 *)&b)->sin6_addr;
  struct in6_addr *im = &((struct sockaddr_in6 *)&mapped)->sin6_addr;
  memcpy(ia->s6_addr, "\x20\x01\x0d\xb8\0\1\0\2same", 12);
  memcpy(ib->s6_addr, "\x20\x01\x0d\xb8\0\1\0\2else", 12);
  net_addr_key(&a, ka);
  net_addr_key(&b, kb);
  assert_memory_equal(ka, kb, 16);
  ib->s6_addr[7] = 3;
  net_addr_key(&b, kb);
  assert_memory_not_equal(ka, kb, 16);
  memcpy(&((struct sockaddr_in *)&v4)->sin_addr, "\x0a\1\2\3", 4);
  memcpy(im->s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\1\2\3", 16);
  net_addr_key(&v4, ka);
  net_addr_key(&mapped, kb);
  assert_memory_equal(ka, kb, 16);
}

static void half_messages_share_a_budget(void **state) {
  (void)state;
  static uint8_t bytes[60000];
  sv_net_opts o = echo_opts();
  o.rx_bytes_total_max = 100000;
  echo_server *s = echo_start(&o);
  rawws_opts to = {.port = echo_port(s)};
  rawws *a = rawws_open(&to), *b = rawws_open(&to);
  assert_true(rawws_send_frame(a, &(rawws_frame){.b0 = 0x02, .payload = bytes, .len = sizeof bytes}));
  assert_int_equal(rawws_read_close(a, NULL, 50), -1); /* held */
  rawws_send_frame(b, &(rawws_frame){.b0 = 0x02, .payload = bytes, .len = sizeof bytes});
  assert_int_equal(rawws_read_close(b, NULL, 1000), 1011);
  rawws_free(b);
  rawws_got got;
  assert_true(rawws_send_frame(a, &(rawws_frame){.b0 = 0x80, .payload = "end", .len = 3}));
  assert_int_equal(rawws_read_frame(a, &got, RAWWS_TIMEOUT_MS), 1);
  assert_int_equal((int)got.len, 60003);
  b = rawws_open(&to); /* given back */
  assert_true(rawws_echo(b, bytes, sizeof bytes));
  rawws_free(a);
  rawws_free(b);
  echo_stop(s, NULL);
}

static long number_from(rawws *ws, const char *command) {
  rawws_got got;
  char text[32] = "";
  if (!rawws_send_binary(ws, command, strlen(command)) || rawws_read_frame(ws, &got, RAWWS_TIMEOUT_MS) != 1)
    return -1;
  memcpy(text, got.payload, got.len < sizeof text ? got.len : sizeof text - 1);
  return strtol(text, NULL, 10);
}

static void bad_frames_do_not_flood_the_log(void **state) {
  (void)state;
  sv_net_opts o = echo_opts();
  echo_server *s = echo_start(&o);
  rawws_opts to = {.port = echo_port(s)};
  for (int i = 0; i < 300; i++) { /* libwebsockets writes a line for each of these */
    rawws *ws = rawws_open(&to);
    assert_non_null(ws);
    rawws_send_frame(ws, &(rawws_frame){.b0 = 0x82, .lie = true, .declared = UINT64_MAX, .length_form = 64});
    assert_int_equal(rawws_read_close(ws, NULL, 1000), 1002);
    rawws_free(ws);
  }
  assert_true(echo_log_lines(s) < 40);
  assert_true(echo_count(s, SV_NET_LOG_LEFT_OUT) > 200);
  echo_stop(s, NULL);
}

static void no_descriptors_no_storm(void **state) {
  (void)state;
  enum { FDS = 48, RESERVE = 20 };
  uint16_t port;
  sv_net_opts o = echo_opts();
  o.connections_max = 300; /* more than the limit can hold: lowered */
  o.fd_reserve = RESERVE;
  pid_t pid = echo_fork(&o, FDS, &port, NULL);
  rawws_opts to = {.port = port};
  rawws *good = rawws_open(&to), *crowd[FDS];
  assert_non_null(good);

  /* A crowd: those numbered into the reserve are refused at once. */
  int in = 0;
  for (int i = 0; i < FDS; i++) {
    crowd[i] = rawws_open(&to);
    if (crowd[i]) in++;
  }
  assert_true(in > 5 && in < FDS - RESERVE);
  assert_true(rawws_echo(good, "crowd", 5));
  for (int i = 0; i < FDS; i++) rawws_free(crowd[i]);

  for (int i = 0; i < 200 && number_from(good, "!sockets") > 1; i++) usleep(5000);

  /* The rest of the process takes most: what is left is the reserve, which is not for strangers. */
  assert_true(rawws_echo(good, "!eat 10", 7));
  for (int i = 0; i < 20; i++) assert_true(refused(&to));
  assert_true(rawws_echo(good, "!free", 5));

  /* It takes every last one: still refused, not left hanging, and the loop does not spin. */
  assert_true(rawws_echo(good, "!eat 0", 6));
  for (int i = 0; i < 100; i++) assert_true(refused(&to));
  assert_true(rawws_echo(good, "empty", 5));
  long lines = number_from(good, "!log");
  assert_true(lines > 0 && lines < 40);

  assert_true(rawws_echo(good, "!free", 5));
  rawws *again = rawws_open(&to);
  assert_non_null(again);
  assert_true(rawws_echo(again, "again", 5));
  rawws_free(again);
  rawws_free(good);
  assert_int_equal(echo_reap(pid), 0);
}

/* -- memory ------------------------------------------------------------------------------------ */

#ifndef SANITIZED
static long rss_bytes(pid_t pid) {
  char path[64], line[128];
  long kb = -1;
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *f = fopen(path, "r");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmRSS: %ld kB", &kb) == 1) break;
  if (f) fclose(f);
  return kb * 1024;
}

/* Opens n connections, lets each send what a shift sends, and returns the growth of the server by connection.
 */
static long growth_each(pid_t pid, const rawws_opts *to, rawws **ws, int n) {
  static uint8_t shift[1448];
  long before = rss_bytes(pid);
  for (int i = 0; i < n; i++) {
    ws[i] = rawws_open(to);
    assert_non_null(ws[i]);
    assert_true(rawws_echo(ws[i], shift, sizeof shift));
  }
  return (rss_bytes(pid) - before) / n;
}

/* A fresh process, since a heap that has grown once has free room that hides what comes later. */
static long growth_of_fresh_server(const sv_net_opts *o, bool tls) {
  enum { N = 200 };
  rawws *warm[10], *ws[N];
  uint16_t port;
  pid_t pid = echo_fork(o, 0, &port, NULL);
  rawws_opts to = {.port = port, .tls = tls};
  growth_each(pid, &to, warm, 10); /* what the first connections bring along is not theirs */
  long each = growth_each(pid, &to, ws, N);
  for (int i = 0; i < N; i++) rawws_free(ws[i]);
  for (int i = 0; i < 10; i++) rawws_free(warm[i]);
  assert_int_equal(echo_reap(pid), 0);
  return each;
}

#endif

static void idle_memory(bool tls, long limit) {
#ifdef SANITIZED
  (void)tls, (void)limit;
  skip();
#else
  testcert cert;
  sv_net_opts o = echo_opts();
  if (tls) {
    assert_true(testcert_make(&cert));
    o.cert_file = cert.cert_file;
    o.key_file = cert.key_file;
  }
  long each = 0;
  for (int try = 0; try < 3 && (!try || each > limit); try++) each = growth_of_fresh_server(&o, tls);
  if (tls) testcert_remove(&cert);
  print_message("idle %s connection: %ld bytes\n", tls ? "TLS" : "plain", each);
  assert_true(each > 1000); /* else nothing was measured */
  assert_true(each <= limit);
#endif
}

static void an_idle_plain_connection_is_small(void **state) {
  (void)state;
  idle_memory(false, 8 << 10);
}

static void an_idle_tls_connection_is_small(void **state) {
  (void)state;
  idle_memory(true, 32 << 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      /* those that fork first: no thread may exist yet */
      cmocka_unit_test(no_descriptors_no_storm),          cmocka_unit_test(an_idle_plain_connection_is_small),
      cmocka_unit_test(an_idle_tls_connection_is_small),  cmocka_unit_test(connections_are_capped),
      cmocka_unit_test(one_address_cannot_take_all),      cmocka_unit_test(address_counts_equal_a_flat_model),
      cmocka_unit_test(an_ipv6_subscriber_counts_as_one), cmocka_unit_test(half_messages_share_a_budget),
      cmocka_unit_test(bad_frames_do_not_flood_the_log),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
