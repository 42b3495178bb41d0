/* A HELLO that somebody recorded is worth nothing: not at once, not after a restart, not when the clock of
 * the device or of the server was wrong. PROTO-133 */
#include "home.h"
#include "sv_limits.h"

typedef struct recorded {
  uint8_t p[1024];
  size_t n;
} recorded;

/* What tablet t says first, recorded on its way to the server; returns how often it was challenged. */
static unsigned greet(home *h, tablet *t, recorded *r) {
  oc_session *cs = NULL;
  oc_error e;
  size_t n;
  assert_int_equal(oc_session_new(t->s, NULL, &cs, &e), 0);
  const uint8_t *p = oc_session_output(cs, &n);
  assert_true(n <= sizeof r->p);
  memcpy(r->p, p, n);
  r->n = n;
  world_wire *w = world_connect(&h->w, cs);
  world_inject(w, r->p, r->n);
  assert_int_equal(world_pump(w, &e), 0);
  unsigned challenged = world_seen(w)->down_of[OV_M_CHALLENGE];
  assert_int_equal(world_seen(w)->down_of[OV_M_WELCOME], 1);
  world_disconnect(w);
  oc_session_free(cs);
  return challenged;
}

/* The recording on a connection of somebody else's: asked to prove itself, and told nothing before. */
static void replayed_in_vain(home *h, const recorded *r) {
  oc_session *cs = NULL;
  oc_error e;
  size_t n;
  assert_int_equal(oc_session_new(h->b.s, NULL, &cs, &e), 0);
  while (oc_session_output(cs, &n)) {}
  world_wire *w = world_connect(&h->w, cs);
  world_inject(w, r->p, r->n);
  assert_int_not_equal(world_pump(w, &e), 0); /* the proof of another key */
  assert_int_equal(world_seen(w)->down_of[OV_M_CHALLENGE], 1);
  assert_int_equal(world_seen(w)->down_of[OV_M_WELCOME], 0);
  assert_int_equal(world_seen(w)->down_of[OV_M_DELTA], 0);
  world_disconnect(w);
  oc_session_free(cs);
}

static void at_once(void **state) {
  (void)state;
  home h;
  recorded r;
  home_open(&h);
  assert_int_equal(greet(&h, &h.a, &r), 0);
  replayed_in_vain(&h, &r);
  h.w.fx.now_ms += OV_HELLO_SKEW_MS_MAX - 1;
  replayed_in_vain(&h, &r);
  h.w.fx.now_ms += 2 * OV_HELLO_SKEW_MS_MAX;
  replayed_in_vain(&h, &r);
  home_close(&h);
}

/* The clock of the tablet ran ahead a little: its HELLO is younger than the restart, and the nonce
 * forgotten. */
static void after_a_restart(void **state) {
  (void)state;
  home h;
  recorded r;
  home_open(&h);
  h.a.clock_off_ms = OV_HELLO_SKEW_MS_MAX;
  assert_int_equal(greet(&h, &h.a, &r), 0);
  int64_t then = h.w.fx.now_ms;
  world_restart(&h.w);
  h.w.fx.now_ms = then; /* the restart took no time, and world_restart's was not needed */
  replayed_in_vain(&h, &r);
  h.w.fx.now_ms += OV_HELLO_SKEW_MS_MAX + 1;
  h.a.clock_off_ms = 0;
  assert_int_equal(greet(&h, &h.a, &r), 0); /* two minutes later honest ones pass again */
  home_close(&h);
}

/* Its clock ran far ahead: challenged then, and the recording comes of age later. */
static void come_of_age(void **state) {
  (void)state;
  home h;
  recorded r, honest;
  home_open(&h);
  h.a.clock_off_ms = 3600000;
  assert_int_equal(greet(&h, &h.a, &r), 1);
  h.a.clock_off_ms = 0;
  h.w.fx.now_ms += 3600000;
  replayed_in_vain(&h, &r);
  world_restart(&h.w);
  h.w.fx.now_ms = h.w.fx.now_ms - OV_HELLO_SKEW_MS_MAX - 1000;
  replayed_in_vain(&h, &r);
  h.w.fx.now_ms += 2 * OV_HELLO_SKEW_MS_MAX;
  assert_int_equal(greet(&h, &h.a, &honest), 0); /* past that time it is as fresh as any */
  home_close(&h);
}

static void after_the_clock_was_set_back(void **state) {
  (void)state;
  home h;
  recorded r, honest;
  home_open(&h);
  assert_int_equal(greet(&h, &h.a, &r), 0);
  h.w.fx.now_ms += 3 * OV_HELLO_SKEW_MS_MAX;
  assert_int_equal(greet(&h, &h.b, &honest), 0); /* the nonce of the first is forgotten meanwhile */
  h.w.fx.now_ms -= 3 * OV_HELLO_SKEW_MS_MAX;
  replayed_in_vain(&h, &r);
  assert_int_equal(greet(&h, &h.b, &honest), 1); /* so is everybody, until the clock is past it */
  h.w.fx.now_ms += 4 * OV_HELLO_SKEW_MS_MAX + 1;
  assert_int_equal(greet(&h, &h.b, &honest), 0);
  h.w.fx.now_ms += OV_HELLO_SKEW_MS_MAX;
  assert_int_equal(greet(&h, &h.b, &honest), 0);
  h.w.fx.now_ms -= SV_CLOCK_STEP_MS; /* a small correction costs nobody anything */
  assert_int_equal(greet(&h, &h.a, &honest), 0);
  replayed_in_vain(&h, &honest);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(at_once), cmocka_unit_test(after_a_restart),
                                     cmocka_unit_test(come_of_age),
                                     cmocka_unit_test(after_the_clock_was_set_back)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
