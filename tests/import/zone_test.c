/* Time zones against the C library's, and the hours that are skipped or come twice. */
#include <stdbool.h>
#include "import_util.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static oc_zone *rule(const char *text) {
  oc_zone *z = NULL;
  assert_int_equal(oc_zone_from_rule(text, "test", &z), 0);
  return z;
}

static void calendar_agrees_with_itself_and_known_days(void **state) {
  (void)state;
  assert_int_equal(oc_days_from_civil(1970, 1, 1), 0);
  assert_int_equal(oc_days_from_civil(2000, 3, 1), 11017);
  assert_int_equal(oc_days_from_civil(2026, 3, 1), 20513);
  assert_int_equal(oc_days_from_civil(1969, 12, 31), -1);
  for (int64_t d = -200000; d < 200000; d += 13) {
    int64_t y;
    unsigned m, day;
    oc_civil_from_days(d, &y, &m, &day);
    assert_int_equal(oc_days_from_civil(y, m, day), d);
    assert_in_range(day, 1, oc_days_in_month(y, m));
  }
  assert_int_equal(oc_days_in_month(2100, 2), 28);
  assert_int_equal(oc_days_in_month(2000, 2), 29);
  assert_int_equal(oc_days_in_month(2026, 13), 0);
  assert_int_equal(oc_day_of(-1), -1);
}

static void offsets_equal_the_c_librarys(void **state) {
  (void)state;
  static const char *const names[] = {"Europe/Amsterdam", "America/New_York",  "Australia/Sydney",
                                      "Asia/Kolkata",     "America/Sao_Paulo", "UTC"};
  if (access("/usr/share/zoneinfo/Europe/Amsterdam", R_OK) != 0) skip();
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    oc_zone *z = NULL;
    assert_int_equal(oc_zone_open(names[k], &z), 0);
    assert_string_equal(oc_zone_name(z), names[k]);
    setenv("TZ", names[k], 1);
    tzset();
    for (int64_t t = -800000000; t < 4100000000; t += 86400 * 3 + 3607) {
      struct tm tm;
      time_t when = (time_t)t;
      localtime_r(&when, &tm);
      if (oc_zone_offset(z, t) != tm.tm_gmtoff)
        print_error("%s at %lld: %d, not %ld\n", names[k], (long long)t, oc_zone_offset(z, t), tm.tm_gmtoff);
      assert_int_equal(oc_zone_offset(z, t), tm.tm_gmtoff);
    }
    oc_zone_free(z);
  }
  unsetenv("TZ");
}

static void built_in_rule_equals_the_zone_file(void **state) {
  (void)state;
  oc_zone *file = NULL, *built_in = rule("CET-1CEST,M3.5.0,M10.5.0/3");
  assert_int_equal(oc_zone_open("Europe/Amsterdam", &file), 0);
  for (int64_t t = 852076800; t < 4100000000; t += 5 * 3600 + 7)
    assert_int_equal(oc_zone_offset(file, t), oc_zone_offset(built_in, t));
  oc_zone_free(file);
  oc_zone_free(built_in);
}

static void changes_fall_on_the_exact_second(void **state) {
  (void)state;
  oc_zone *z = rule("CET-1CEST,M3.5.0,M10.5.0/3");
  int64_t spring = moment(2026, 3, 29, 1, 0, 0), autumn = moment(2026, 10, 25, 1, 0, 0);
  assert_int_equal(oc_zone_offset(z, spring - 1), 3600);
  assert_int_equal(oc_zone_offset(z, spring), 7200);
  assert_int_equal(oc_zone_offset(z, autumn - 1), 7200);
  assert_int_equal(oc_zone_offset(z, autumn), 3600);
  oc_zone_free(z);
}

static void local_times_that_do_not_exist_or_come_twice(void **state) {
  (void)state;
  oc_zone *z = rule("CET-1CEST,M3.5.0,M10.5.0/3");
  int64_t at[2];
  assert_int_equal(oc_zone_to_utc(z, moment(2026, 3, 29, 2, 30, 0), at), 0);
  assert_int_equal(at[0], moment(2026, 3, 29, 3, 30, 2));
  assert_int_equal(oc_zone_to_utc(z, moment(2026, 10, 25, 2, 30, 0), at), 2);
  assert_int_equal(at[0], moment(2026, 10, 25, 2, 30, 2));
  assert_int_equal(at[1], moment(2026, 10, 25, 2, 30, 1));
  assert_int_equal(oc_zone_to_utc(z, moment(2026, 3, 29, 1, 59, 0), at), 1);
  assert_int_equal(at[0], moment(2026, 3, 29, 1, 59, 1));
  assert_int_equal(oc_zone_to_utc(z, moment(2026, 3, 29, 3, 0, 0), at), 1);
  assert_int_equal(at[0], moment(2026, 3, 29, 3, 0, 2));
  assert_int_equal(oc_zone_to_utc(z, moment(2026, 10, 25, 3, 0, 0), at), 1);
  assert_int_equal(at[0], moment(2026, 10, 25, 3, 0, 1));
  oc_zone_free(z);
}

static void rules_of_all_forms(void **state) {
  (void)state;
  static const char *const wrong[] = {"",
                                      "CE-1",
                                      "CET",
                                      "CET-1CEST",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "<+03-3",
                                      "CET-1x",
                                      "CET-25",
                                      "CET-1CEST,J0,J300",
                                      "CET-1CEST,M3.5.0,M10.5.0/3x"};
  oc_zone *z;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(oc_zone_from_rule(wrong[i], "test", &z), OV_E_FORMAT);
    assert_null(z);
  }
  z = rule("<+0330>-3:30<+0430>-4:30,J80/0,J264/0"); /* day counts */
  assert_int_equal(oc_zone_offset(z, moment(2026, 1, 1, 0, 0, 0)), 12600);
  assert_int_equal(oc_zone_offset(z, moment(2026, 6, 1, 0, 0, 0)), 16200);
  assert_int_equal(oc_zone_offset(z, moment(2028, 3, 20, 20, 29, 0)),
                   12600); /* J80 is 21 March in a leap year too */
  assert_int_equal(oc_zone_offset(z, moment(2028, 3, 20, 20, 30, 0)), 16200);
  oc_zone_free(z);
  z = rule("AEST-10AEDT,M10.1.0,M4.1.0/3"); /* summer over new year */
  assert_int_equal(oc_zone_offset(z, moment(2026, 1, 1, 0, 0, 0)), 39600);
  assert_int_equal(oc_zone_offset(z, moment(2026, 7, 1, 0, 0, 0)), 36000);
  oc_zone_free(z);
  z = rule("AAA0BBB,59/-1,300");
  assert_int_equal(oc_zone_offset(z, moment(2027, 2, 28, 23, 0, 0)), 3600);
  assert_int_equal(oc_zone_offset(z, moment(2027, 2, 28, 22, 59, 0)), 0);
  oc_zone_free(z);
}

static void names_cannot_leave_the_folder(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "",
      "/etc/passwd",
      "../../../etc/passwd",
      "Europe//Amsterdam",
      "a.b",
      "Europe/Amsterdam ",
      "A23456789012345678901234567890123456789012345678901234567890123456789"};
  oc_zone *z;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(oc_zone_open(wrong[i], &z), OV_E_INVALID);
  assert_int_equal(oc_zone_open("Europe/Nergenshuizen", &z), OV_E_NOTFOUND);
  assert_null(z);
  oc_zone_free(NULL);
}

/* A version 2 file by hand: one transition, two types, no rule. */
static const uint8_t FILE_BYTES[] = {
    'T',  'Z',  'i', 'f', '2', 0,   0,   0, 0,   0,   0,   0,   0,    0,   0, 0, 0, 0,    0,    0, 0, 0, 0,
    0,    0,    0,   0,   0,   0,   0,   0, 0,   0,   0,   0,   0,    0,   0, 0, 1, 0,    0,    0, 4, 0, 0,
    0,    0,    0,   0,   'A', 'A', 'A', 0, 'T', 'Z', 'i', 'f', '2',  0,   0, 0, 0, 0,    0,    0, 0, 0, 0,
    0,    0,    0,   0,   0,   0,   0,   0, 0,   0,   0,   0,   0,    0,   0, 0, 0, 0,    0,    0, 1, 0, 0,
    0,    2,    0,   0,   0,   8,   0,   0, 0,   0,   0,   0,   0x10, 0,   1, 0, 0, 0x0e, 0x10, 0, 0, 0, 0,
    0x1c, 0x20, 1,   4,   'A', 'A', 'A', 0, 'B', 'B', 'B', 0,   '\n', '\n'};

static void file_without_rule_keeps_its_last_offset(void **state) {
  (void)state;
  oc_zone *z;
  assert_int_equal(oc_zone_from_tzif(FILE_BYTES, sizeof FILE_BYTES, "x", &z), 0);
  assert_int_equal(oc_zone_offset(z, 4095), 3600);
  assert_int_equal(oc_zone_offset(z, 4096), 7200);
  assert_int_equal(oc_zone_offset(z, 4100000000), 7200);
  oc_zone_free(z);
}

static void broken_zone_files_are_refused(void **state) {
  (void)state;
  uint8_t copy[sizeof FILE_BYTES];
  oc_zone *z;
  for (size_t n = 0; n < sizeof FILE_BYTES; n++) {
    assert_int_equal(oc_zone_from_tzif(FILE_BYTES, n, "x", &z), OV_E_FORMAT);
    assert_null(z);
  }
  uint32_t r = 7;
  for (unsigned i = 0; i < 20000; i++) {
    memcpy(copy, FILE_BYTES, sizeof copy);
    for (unsigned k = 0; k < 1 + i % 3; k++) {
      r = r * 1664525u + 1013904223u;
      copy[(r >> 8) % sizeof copy] = (uint8_t)(r >> 24);
    }
    if (oc_zone_from_tzif(copy, sizeof copy, "x", &z) == 0) {
      int64_t at[2];
      for (int64_t t = -5000; t < 10000; t += 2500) assert_in_range(oc_zone_to_utc(z, t, at), 0, 2);
      oc_zone_free(z);
    }
  }
  static uint8_t large[OC_ZONE_BYTES_MAX + 1];
  assert_int_equal(oc_zone_from_tzif(large, sizeof large, "x", &z), OV_E_LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calendar_agrees_with_itself_and_known_days),
      cmocka_unit_test(offsets_equal_the_c_librarys),
      cmocka_unit_test(built_in_rule_equals_the_zone_file),
      cmocka_unit_test(changes_fall_on_the_exact_second),
      cmocka_unit_test(local_times_that_do_not_exist_or_come_twice),
      cmocka_unit_test(rules_of_all_forms),
      cmocka_unit_test(names_cannot_leave_the_folder),
      cmocka_unit_test(file_without_rule_keeps_its_last_offset),
      cmocka_unit_test(broken_zone_files_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
