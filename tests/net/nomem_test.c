/* The n-th allocation of sv_net itself fails, for every n: while it is created, and while it serves. Only its
 * own: the linker sends the calls of what is linked statically to the functions here, libwebsockets and
 * OpenSSL keep theirs. */
#include "net_fixture.h"
#include "ov/error.h"

#include <stdatomic.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

/* Counts down on threads that take part; the one that reaches 0 fails, later ones work again. */
static _Thread_local bool takes_part;
static atomic_int countdown;
static atomic_int failures;

static bool fails_now(void) {
  if (!takes_part || atomic_load(&countdown) <= 0 || atomic_fetch_sub(&countdown, 1) != 1) return false;
  atomic_fetch_add(&failures, 1);
  return true;
}

void *__wrap_malloc(size_t n) { return fails_now() ? NULL : __real_malloc(n); }

void *__wrap_calloc(size_t n, size_t each) { return fails_now() ? NULL : __real_calloc(n, each); }

void *__wrap_realloc(void *p, size_t n) { return fails_now() ? NULL : __real_realloc(p, n); }

char *__wrap_strdup(const char *s) { return fails_now() ? NULL : __real_strdup(s); }

char *__wrap_strndup(const char *s, size_t n) { return fails_now() ? NULL : __real_strndup(s, n); }

/* -- a server whose own callbacks allocate nothing --------------------------------------------- */

static uint8_t last[8192];
static size_t last_n;
static bool waiting;

static void on_open(void *user, sv_conn *c) { (void)user, (void)c; }

static void on_message(void *user, sv_conn *c, const uint8_t *bytes, size_t len) {
  (void)user;
  if (len == 4 && memcmp(bytes, "!end", 4) == 0) {
    sv_net_conn_close(c, 4005, "as you wish");
    return;
  }
  last_n = len < sizeof last ? len : sizeof last;
  memcpy(last, bytes, last_n);
  waiting = true;
  sv_net_conn_want_write(c);
}

static bool on_writable(void *user, sv_conn *c, const uint8_t **bytes, size_t *len) {
  (void)user, (void)c;
  *bytes = last;
  *len = last_n;
  bool had = waiting;
  waiting = false;
  return had;
}

static void on_close(void *user, sv_conn *c, uint16_t code) { (void)user, (void)c, (void)code; }

static const sv_net_cbs cbs = {
    .on_open = on_open, .on_message = on_message, .on_writable = on_writable, .on_close = on_close};

/* -- tests ------------------------------------------------------------------------------------- */

static void creating_fails_cleanly_at_every_allocation(void **state) {
  (void)state;
  sv_net_opts o = echo_opts();
  int n = 0, err;
  do {
    sv_net *net = (sv_net *)1;
    atomic_store(&failures, 0);
    atomic_store(&countdown, ++n);
    takes_part = true;
    err = sv_net_create(&net, &o, &cbs);
    takes_part = false;
    if (err) {
      assert_int_equal(err, OV_E_NOMEM);
      assert_null(net);
      assert_int_equal(atomic_load(&failures), 1);
    }
    if (!err) sv_net_destroy(net);
  } while (err && n < 1000);
  assert_true(n > 15); /* that many allocations there are */
  assert_int_equal(err, 0);
}

static void *serve(void *arg) {
  takes_part = true;
  sv_net_run(arg);
  takes_part = false;
  return NULL;
}

/* A whole life of a connection: upgrade, a message in pieces, an echo, a close with a reason. Each step may
 * fail; none may hang or harm. True when all went well. */
static bool one_life(const rawws_opts *to) {
  static uint8_t bytes[6000];
  char reason[124] = "";
  rawws_got got;
  rawws *ws = rawws_open(to);
  if (!ws) return false;
  rawws_send_frame(ws, &(rawws_frame){.b0 = 0x02, .payload = bytes, .len = 3000});
  rawws_send_frame(ws, &(rawws_frame){.b0 = 0x80, .payload = bytes, .len = 3000});
  int r = rawws_read_frame(ws, &got, 1000);
  assert_int_not_equal(r, -1); /* answered, told, or hung up on; never left hanging */
  bool ok = r == 1 && got.b0 == 0x82 && got.len == 6000;
  if (ok) {
    rawws_send_binary(ws, "!end", 4);
    int code = rawws_read_close(ws, reason, 1000);
    assert_int_not_equal(code, -1);
    ok = code == 4005 && strcmp(reason, "as you wish") == 0;
  } else if (r == 1) {
    assert_int_equal(got.b0, 0x88);
    assert_int_equal(got.payload[0] << 8 | got.payload[1], 1011); /* tried again later. PROTO-140 */
  }
  rawws_free(ws);
  return ok;
}

static void serving_survives_every_allocation_that_fails(void **state) {
  (void)state;
  sv_net_opts o = echo_opts();
  sv_net *net;
  pthread_t thread;
  atomic_store(&countdown, 0);
  assert_int_equal(sv_net_create(&net, &o, &cbs), 0);
  assert_int_equal(pthread_create(&thread, NULL, serve, net), 0);
  rawws_opts to = {.port = sv_net_port(net)};
  rawws *good = rawws_open(&to);
  assert_non_null(good);
  int n = 0, failed = 0;
  do {
    atomic_store(&failures, 0);
    atomic_store(&countdown, ++n);
    bool ok = one_life(&to);
    if (atomic_load(&failures) && !ok) failed++;
    if (!atomic_load(&failures)) assert_true(ok);
    atomic_store(&countdown, 0);
    assert_true(rawws_echo(good, "beside", 6));
    assert_true(one_life(&to)); /* memory is back, and so is the service */
  } while (atomic_load(&failures) && n < 1000);
  assert_true(n > 3 && failed > 0);
  rawws_free(good);
  sv_net_stop(net);
  pthread_join(thread, NULL);
  assert_int_equal((int)sv_net_count(net, SV_NET_SOCKETS), 0);
  sv_net_destroy(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(creating_fails_cleanly_at_every_allocation),
      cmocka_unit_test(serving_survives_every_allocation_that_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
