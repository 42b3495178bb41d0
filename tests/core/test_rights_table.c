/* The table of rights itself, as a function: outside of it nobody may anything, and each of its lines is
 * found. That it is carried out is shown by test_rights_write.c and by the histories of who reads what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sv_rights.h"

#define KINDS 64u

static void outside_of_the_table_nobody_may_anything(void **state) {
  (void)state;
  for (uint16_t kind = 0; kind < KINDS; kind++) {
    for (unsigned a = 0; a < SV_ACTIONS; a++) {
      assert_int_equal(sv_right(SV_ROLE_NONE, kind, (sv_action)a), SV_NO);
      assert_int_equal(sv_right(SV_ROLES, kind, (sv_action)a), SV_NO);
      assert_int_equal(sv_right(UINT32_MAX, kind, (sv_action)a), SV_NO);
    }
    for (unsigned role = 0; role < SV_ROLES; role++)
      assert_int_equal(sv_right(role, kind, (sv_action)SV_ACTIONS), SV_NO);
  }
}

/* Every kind has a line; one without a name of its own has the line of all others. */
static void each_line_is_found(void **state) {
  (void)state;
  bool named[KINDS] = {false}, met[SV_NETWORK + 1] = {false};
  sv_right_line line = {0};
  unsigned n = 0;
  while (sv_right_line_at(n, &line) && !line.other) {
    assert_true(line.kind < KINDS && !named[line.kind]);
    assert_int_equal(line.kind, n); /* without a gap */
    assert_true(*line.name && *line.why);
    named[line.kind] = true;
    n++;
  }
  assert_true(n > 20 && line.other && *line.name);
  assert_false(sv_right_line_at(n + 1, &line));
  for (uint16_t kind = 0; kind < KINDS; kind++) {
    for (unsigned role = 1; role < SV_ROLES; role++) {
      for (unsigned a = 0; a < SV_ACTIONS; a++) {
        sv_reach reach = sv_right(role, kind, (sv_action)a);
        met[reach] = true;
        if (!named[kind]) assert_int_equal(reach, sv_right(role, UINT16_MAX, (sv_action)a));
      }
    }
  }
  for (unsigned i = 0; i <= SV_NETWORK; i++) assert_true(met[i]);
}

static void what_the_table_calls_things(void **state) {
  (void)state;
  for (unsigned i = 0; i < SV_ROLES; i++) {
    for (unsigned k = 0; k < i; k++) assert_string_not_equal(sv_role_name(i), sv_role_name(k));
  }
  assert_string_equal(sv_role_name(SV_ROLES), sv_role_name(SV_ROLE_NONE));
  for (unsigned i = 0; i < SV_ACTIONS; i++) assert_true(*sv_action_name((sv_action)i));
  assert_string_equal(sv_action_name((sv_action)SV_ACTIONS), "");
  for (unsigned i = 0; i <= SV_NETWORK; i++) assert_true(*sv_reach_name((sv_reach)i));
  assert_string_equal(sv_reach_name((sv_reach)(SV_NETWORK + 1)), sv_reach_name(SV_NO));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(outside_of_the_table_nobody_may_anything),
      cmocka_unit_test(each_line_is_found),
      cmocka_unit_test(what_the_table_calls_things),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
