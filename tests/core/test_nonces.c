/* The nonces of HELLO that were seen lately, against a plain list of when each was: however they fall
 * together in the table, and whatever is forgotten before them, one that was seen is known until its time is
 * over. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest_world.h"
#include "session_priv.h"
#include "sv_limits.h"

#define KEEP_MS 1000
#define A_MS 30 /* so many HELLOs */
#define STEPS 200000
#define NONCES 40000 /* nearly as many as are known at a time: each comes again, within its time and after */
#define SECONDS_MAX 60

static void make_nonce(uint32_t which, uint8_t out[16]) {
  memset(out, 0, 16);
  memcpy(out, &which, sizeof which);
}

static void what_was_seen_is_known_until_its_time_is_over(void **state) {
  (void)state;
  sv_nonces *n = sv_nonces_new();
  int64_t *last = malloc(NONCES * sizeof *last);
  uint64_t random = 7;
  unsigned again = 0, after = 0;
  FX_MUST(n && last);
  for (unsigned i = 0; i < NONCES; i++) last[i] = INT64_MIN;
  for (unsigned i = 0; i < STEPS; i++) {
    uint8_t nonce[16];
    int64_t now = i / A_MS;
    random = random * 6364136223846793005u + 1442695040888963407u;
    uint32_t which = (uint32_t)(random >> 33) % NONCES;
    make_nonce(which, nonce);
    bool known = last[which] >= now - KEEP_MS;
    assert_int_equal(sv_nonces_add(n, nonce, now, now, KEEP_MS), known ? OV_E_EXISTS : 0);
    again += known;
    if (known) continue;
    after += last[which] != INT64_MIN;
    last[which] = now;
  }
  assert_true(again > 10000 && after > 10000); /* both happened */
  free(last);
  sv_nonces_free(n);
}

/* One enrolled device may fill it with nonces of its choice; all of them are over at once. That must cost
 * nobody more than a moment: the alarm ends a table whose work grows with the square. */
static void a_full_table_takes_none_until_some_are_over(void **state) {
  (void)state;
  sv_nonces *n = sv_nonces_new();
  uint8_t nonce[16];
  FX_MUST(n);
  alarm(SECONDS_MAX);
  for (uint32_t i = 0; i < SV_NONCES_MAX; i++) {
    make_nonce(i, nonce);
    assert_int_equal(sv_nonces_add(n, nonce, 0, 0, KEEP_MS), 0);
  }
  make_nonce(SV_NONCES_MAX, nonce);
  assert_int_equal(sv_nonces_add(n, nonce, 0, KEEP_MS, KEEP_MS), OV_E_BUSY);
  make_nonce(1, nonce);
  assert_int_equal(sv_nonces_add(n, nonce, 0, KEEP_MS, KEEP_MS), OV_E_EXISTS);
  assert_int_equal(sv_nonces_add(n, nonce, KEEP_MS + 1, KEEP_MS + 1, KEEP_MS), 0);
  alarm(0);
  sv_nonces_free(n);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_seen_is_known_until_its_time_is_over),
                                     cmocka_unit_test(a_full_table_takes_none_until_some_are_over)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
