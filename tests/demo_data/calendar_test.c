/* The wall clock that the demonstration's shifts follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "calendar.h"

#define HOUR 3600

static void test_days(void **state) {
  (void)state;
  assert_int_equal(dd_day(1970, 1, 1), 0);
  assert_int_equal(dd_day(2000, 2, 29), 11016);
  assert_int_equal(dd_day(2026, 3, 29), 20541);
  for (int64_t d = 0; d < 60000; d++) { /* every day to 2134, across 2100, which is no leap year */
    int y, m, md;
    dd_civil(d, &y, &m, &md);
    assert_int_equal(dd_day(y, m, md), d);
  }
}

static void test_spring(void **state) {
  (void)state;
  int64_t d = dd_day(2026, 3, 29), one = d * DD_DAY_S + HOUR; /* 01:00 UTC: 02:00 becomes 03:00 */
  assert_int_equal(dd_local(d, 119), one - 60);
  assert_int_equal(dd_local(d, 180), one);
  assert_int_equal(dd_local(d, 150), one + HOUR / 2); /* 02:30 does not exist: an hour later */
  assert_int_equal(dd_local(d, 7 * 60) - dd_local(d - 1, 23 * 60), 7 * HOUR);
  assert_int_equal(dd_local(d - 1, 31 * 60), dd_local(d, 7 * 60));
}

static void test_autumn(void **state) {
  (void)state;
  int64_t d = dd_day(2025, 10, 26), one = d * DD_DAY_S + HOUR; /* 01:00 UTC: 03:00 becomes 02:00 */
  assert_int_equal(dd_local(d, 150), one - HOUR / 2);          /* 02:30 comes twice: the first */
  assert_int_equal(dd_local(d, 180), one + HOUR);
  assert_int_equal(dd_local(d, 7 * 60) - dd_local(d - 1, 23 * 60), 9 * HOUR);
}

static void test_local_day(void **state) {
  (void)state;
  int64_t d = dd_day(2026, 7, 1);
  assert_int_equal(dd_local_day(dd_local(d, 0)), d);
  assert_int_equal(dd_local_day(dd_local(d, 0) - 1), d - 1);
  d = dd_day(2026, 1, 1);
  assert_int_equal(dd_local_day(dd_local(d, 0)), d);
  assert_int_equal(dd_local_day(dd_local(d, 0) - 1), d - 1);
}

static void test_parse(void **state) {
  (void)state;
  int64_t d = 0;
  static const char *const wrong[] = {"",           "2026",        "2026-02-29",  "2026-13-01", "2026-00-10",
                                      "2026-01-00", "2026-01-01 ", "x2026-01-01", "1999-01-01"};
  assert_true(dd_parse_date("2024-02-29", &d));
  assert_int_equal(d, dd_day(2024, 2, 29));
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(dd_parse_date(wrong[i], &d));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_days), cmocka_unit_test(test_spring),
                                     cmocka_unit_test(test_autumn), cmocka_unit_test(test_local_day),
                                     cmocka_unit_test(test_parse)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
