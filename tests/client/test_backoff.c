/* Staying away after failures. PROTO-118 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "backoff.h"

static void doubles_up_to_the_most(void **state) {
  (void)state;
  oc_backoff b = {0};
  int64_t least = OC_BACKOFF_FIRST_MS;
  for (unsigned i = 0; i < 40; i++) {
    oc_backoff other = b;
    assert_int_equal(oc_backoff_wait(&b, 0, 0), least);
    assert_int_equal(oc_backoff_wait(&other, 0, UINT32_MAX), 2 * least); /* and never more than twice it */
    least = least * 2 > OC_BACKOFF_MOST_MS ? OC_BACKOFF_MOST_MS : least * 2;
  }
  assert_int_equal(least, OC_BACKOFF_MOST_MS);
}

static void never_before_the_server_asked(void **state) {
  (void)state;
  oc_backoff b = {0};
  assert_int_equal(oc_backoff_wait(&b, 20000, 0), 20000);
  assert_int_equal(oc_backoff_wait(&b, 20000, 0), 40000); /* it failed again all the same */
  assert_int_equal(oc_backoff_wait(&b, 100, 0), 80000);
  oc_backoff long_away = {0}; /* longer than doubling would go: the server knows why */
  assert_int_equal(oc_backoff_wait(&long_away, 3600000, 0), 3600000);
  assert_true(oc_backoff_wait(&long_away, -5, 0) == OC_BACKOFF_MOST_MS);
}

static void spreads(void **state) {
  (void)state;
  unsigned quarters[4] = {0};
  for (uint32_t i = 0; i < 1000; i++) {
    oc_backoff b = {0};
    int64_t wait = oc_backoff_wait(&b, 20000, i * (UINT32_MAX / 1000));
    assert_true(wait >= 20000 && wait <= 40000);
    quarters[wait == 40000 ? 3 : (wait - 20000) / 5000]++;
  }
  for (unsigned q = 0; q < 4; q++) assert_in_range(quarters[q], 240, 260);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(doubles_up_to_the_most),
                                     cmocka_unit_test(never_before_the_server_asked),
                                     cmocka_unit_test(spreads)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
