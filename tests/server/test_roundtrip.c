/* A sync costs one round trip after the websocket's upgrade: the real client library against the real
 * server, through a proxy that delays each way and counts who spoke when. Plain and under TLS. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "countproxy.h"
#include "daemon.h"
#include "overdracht.h"
#include "testcert.h"

#define DELAY_MS 25
#define CLOSE_BYTES 64 /* a close frame and its answer, TLS records and their alerts around them included */
#define NOTHING_NEW_BYTES 400
#define TLS_DOWN_BYTES 1185 /* about what handshake and upgrade take */

typedef struct scene {
  bool tls;
  testcert cert;
  dm_site site;
  dm_server d;
  dm_tablet *other; /* a colleague's tablet, straight to the server */
  countproxy *proxy;
  oc_store *s;
  char carer[OV_NAME_TEXT_MAX], anna[OV_NAME_TEXT_MAX];
} scene;

static void ok(int err, const oc_error *e) {
  if (err) fail_msg("%s: %s", oc_err_name(err), e->message);
}

static oc_sync_options sync_options(const scene *c) {
  return (oc_sync_options){.once_only = true, .ca_file = c->tls ? c->cert.cert_file : NULL};
}

static void enrol(scene *c) {
  char code[DM_CODE_TEXT], url[80], why[DM_WHY];
  oc_error e = {0};
  dm_code(&c->d, &c->site.orgs[0].shell.id, "tablet 1", code);
  snprintf(url, sizeof url, "%s://localhost:%u/sync", c->tls ? "wss" : "ws", countproxy_port(c->proxy));
  oc_sync_options o = sync_options(c);
  ok(oc_enrol(c->s, url, code, "tablet 1", &o, &e), &e);
  ok(oc_sync(c->s, &o, &e), &e);
  if (!dm_sync(&c->d, c->other, why)) fail_msg("%s", why);
}

/* In the first minutes after its start a server challenges every greeting that it may have heard before; this
 * tablet's clock runs ahead of those minutes, and is still right enough. */
#define AHEAD_MS (OV_HELLO_SKEW_MS_MAX - 1000)
static int64_t clock_ahead(void *ctx) {
  struct timespec t;
  (void)ctx;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + AHEAD_MS;
}

static int open_scene(void **state, bool tls) {
  static char store[300], name[40];
  char why[DM_WHY];
  oc_error e = {0};
  scene *c = calloc(1, sizeof *c);
  assert_non_null(c);
  c->tls = tls;
  assert_true(testcert_make(&c->cert));
  c->proxy = countproxy_start(DELAY_MS, !tls);
  assert_non_null(c->proxy);
  dm_site_open(&c->site, tls ? 5 : 4);
  c->other = dm_tablet_new(&c->site, 0, false);
  /* What a public name with a forwarded port looks like to the server. */
  snprintf(name, sizeof name, "localhost:%u", countproxy_port(c->proxy));
  dm_options o = {.names = {"localhost", "127.0.0.1", name}};
  if (tls) {
    o.cert_file = c->cert.cert_file;
    o.key_file = c->cert.key_file;
  }
  if (!dm_start(&c->d, &c->site, &o, why)) fail_msg("%s", why);
  countproxy_target(c->proxy, c->d.port);
  snprintf(store, sizeof store, "%s/tablet", c->site.fx.dir);
  ok(oc_store_open(&(oc_options){.path = store, .now_ms = clock_ahead, .map_bytes_max = 64u << 20}, &c->s,
                   &e),
     &e);
  ov_name_text(&c->site.orgs[0].carer, c->carer);
  ov_name_text(&c->site.orgs[0].anna, c->anna);
  enrol(c);
  dm_sleep_ms(1200);
  *state = c;
  return 0;
}

static int open_plain(void **state) { return open_scene(state, false); }
static int open_tls(void **state) { return open_scene(state, true); }

static int close_scene(void **state) {
  scene *c = *state;
  char why[DM_WHY];
  oc_store_close(c->s);
  bool clean = dm_finish(&c->d, &c->site, why);
  countproxy_stop(c->proxy);
  testcert_remove(&c->cert);
  free(c);
  if (!clean) fail_msg("the server's end: %s", why);
  return 0;
}

/* -- what is counted ------------------------------------------------------------------------------------- */

static void describe(const countproxy_seen *s, char *text, size_t cap) {
  size_t n = 0;
  for (unsigned i = 0; i < s->n_bursts && n + 24 < cap; i++)
    n += (size_t)snprintf(text + n, cap - n, "%s %llu  ", s->bursts[i].up ? "up" : "down",
                          (unsigned long long)s->bursts[i].bytes);
}

/* One sync: up (HELLO, PUSH), down (WELCOME ... SYNCED), up (ACKED, BYE, close), and the close's answer.
 * Before it, under TLS, come its handshake and the upgrade, a round trip each. */
static countproxy_seen one_round_trip(scene *c, const char *what) {
  oc_error e = {0};
  char text[600] = "";
  oc_sync_options o = sync_options(c);
  countproxy_reset(c->proxy, 0);
  ok(oc_sync(c->s, &o, &e), &e);
  dm_sleep_ms(3 * DELAY_MS); /* the close's answer */
  countproxy_seen s = countproxy_look(c->proxy);
  unsigned first = c->tls ? 4 : 0;
  describe(&s, text, sizeof text);
  print_message("%-34s %s\n", what, text);
  assert_int_equal(s.connections, 1);
  if (s.n_bursts != first + 3 && s.n_bursts != first + 4) fail_msg("%s: not one round trip: %s", what, text);
  for (unsigned i = 0; i < s.n_bursts; i++) assert_int_equal(s.bursts[i].up, i % 2 == 0);
  if (s.n_bursts == first + 4) assert_true(s.bursts[first + 3].bytes <= CLOSE_BYTES);
  return s;
}

static void add_nights(scene *c, unsigned n) {
  oc_error e = {0};
  for (unsigned i = 0; i < n; i++) {
    char day[24];
    oc_draft *d = oc_draft_new(c->s, "sleep");
    assert_non_null(d);
    snprintf(day, sizeof day, "2026-%02u-%02u", 1 + i / 28 % 12, 1 + i % 28);
    ok(oc_draft_participant(d, c->anna, &e), &e);
    ok(oc_draft_author(d, c->carer, &e), &e);
    ok(oc_draft_set(d, "night_date", day, &e), &e);
    ok(oc_draft_set(d, "source", "1", &e), &e);
    ok(oc_draft_set(d, "note", "rustig geslapen", &e), &e);
    ok(oc_add(c->s, d, NULL, &e), &e);
    oc_draft_free(d);
  }
}

static void colleague_writes(scene *c, unsigned n) {
  char why[DM_WHY];
  dm_tablet_note(c->other, n, "een onrustige nacht");
  if (!dm_sync(&c->d, c->other, why)) fail_msg("%s", why);
}

static oc_status status_of(scene *c) {
  oc_status st;
  oc_error e = {0};
  ok(oc_status_get(c->s, &st, &e), &e);
  return st;
}

static void nothing_new(void **state) {
  scene *c = *state;
  one_round_trip(c, "first");
  countproxy_seen s = one_round_trip(c, "nothing new");
  if (c->tls) return;
  print_message("  websocket payloads: %llu up, %llu down\n", (unsigned long long)s.up_payload,
                (unsigned long long)s.down_payload);
  assert_true(s.up_payload > 100 && s.down_payload > 30);
  assert_true(s.up_payload + s.down_payload <= NOTHING_NEW_BYTES);
}

static void a_shift_goes_up(void **state) {
  scene *c = *state;
  add_nights(c, 52);
  one_round_trip(c, "52 entries up");
  assert_int_equal(status_of(c).unsent, 0);
}

static void entries_come_down(void **state) {
  scene *c = *state;
  uint64_t had = status_of(c).records;
  colleague_writes(c, 60);
  one_round_trip(c, "60 records down");
  assert_int_equal(status_of(c).records - had, 60);
}

static void both_ways(void **state) {
  scene *c = *state;
  uint64_t had = status_of(c).records;
  colleague_writes(c, 40);
  add_nights(c, 40);
  one_round_trip(c, "40 up, 40 down");
  oc_status st = status_of(c);
  assert_int_equal(st.unsent, 0);
  assert_int_equal(st.records - had, 80);
}

/* The link breaks inside the answer, at many places: nothing is lost or doubled, and the next sync is one
 * round trip. */
static void cut_answers(void **state) {
  scene *c = *state;
  uint64_t had = status_of(c).records;
  unsigned wrote = 0, cuts = 0;
  for (uint64_t at = 1; at < 400; at += 50) {
    oc_error e = {0};
    oc_sync_options o = sync_options(c);
    add_nights(c, 2);
    colleague_writes(c, 2);
    wrote += 4;
    countproxy_reset(c->proxy, at + (c->tls ? TLS_DOWN_BYTES : 0));
    cuts += oc_sync(c->s, &o, &e) != 0;
  }
  assert_true(cuts >= 2);
  one_round_trip(c, "after cuts");
  oc_status st = status_of(c);
  assert_int_equal(st.unsent, 0);
  assert_int_equal(st.records - had, wrote);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_new), cmocka_unit_test(a_shift_goes_up), cmocka_unit_test(entries_come_down),
      cmocka_unit_test(both_ways),   cmocka_unit_test(cut_answers),
  };
  int failed = cmocka_run_group_tests_name("plain", tests, open_plain, close_scene);
  return failed + cmocka_run_group_tests_name("tls", tests, open_tls, close_scene);
}
