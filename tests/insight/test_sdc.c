/* Each rule at its edge: one client, organisation or step to either side of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sv_sdc.h"

#define BOTH (SV_HAS_SOME | SV_HAS_REST)

/* n clients of `orgs` organisations in turn, numbered from `first`. */
static uint32_t fill(sv_contrib *v, uint32_t first, uint32_t n, unsigned orgs, unsigned group,
                     int64_t milli) {
  for (uint32_t i = 0; i < n; i++)
    v[i] = (sv_contrib){.client = first + i,
                        .org = (uint16_t)(i % orgs),
                        .group = (uint16_t)group,
                        .flags = BOTH,
                        .milli = milli};
  return n;
}

static sv_hidden judge(sv_mtype type, const sv_contrib *v, uint32_t n) {
  sv_sdc_rules r = sv_sdc_rules_usual();
  return sv_sdc_primary(&r, type, v, n);
}

static void ten_clients_of_three_organisations(void **state) {
  sv_contrib v[64] = {{.client = 0}};
  (void)state;
  assert_int_equal(judge(SV_M_MEAN, v, 0), SV_HID_NOBODY);
  assert_int_equal(judge(SV_M_MEAN, v, fill(v, 0, 9, 5, 1, 1)), SV_HID_CLIENTS);
  assert_int_equal(judge(SV_M_MEAN, v, fill(v, 0, 40, 2, 1, 1)), SV_HID_ORGS);
  /* 15 clients of 3 organisations: without any one of them 10 are left; of 14 only 9 */
  assert_int_equal(judge(SV_M_MEAN, v, fill(v, 0, 15, 3, 1, 1)), SV_SHOWN);
  assert_int_equal(judge(SV_M_MEAN, v, fill(v, 0, 14, 3, 1, 1)), SV_HID_ORG_LEFT);
}

static void ten_with_and_ten_without_the_answer(void **state) {
  sv_contrib v[64];
  (void)state;
  fill(v, 0, 40, 4, 1, 1);
  for (uint32_t i = 0; i < 40; i++) v[i].flags = i < 10 ? SV_HAS_SOME : SV_HAS_REST;
  assert_int_equal(judge(SV_M_SHARE, v, 40), SV_SHOWN);
  v[9].flags = SV_HAS_REST;
  assert_int_equal(judge(SV_M_SHARE, v, 40), SV_HID_SOME);
  assert_int_equal(judge(SV_M_MEAN, v, 40), SV_SHOWN); /* a mean has no numerator */
  for (uint32_t i = 0; i < 40; i++) v[i].flags = i < 31 ? SV_HAS_SOME : SV_HAS_REST;
  assert_int_equal(judge(SV_M_SHARE, v, 40), SV_HID_REST);
}

static void totals_that_few_make(void **state) {
  sv_contrib v[64];
  (void)state;
  fill(v, 0, 40, 4, 1, 1000);
  assert_int_equal(judge(SV_M_TOTAL, v, 40), SV_SHOWN);
  v[0].milli = v[1].milli = 200000; /* two clients make 400 of 438 */
  assert_int_equal(judge(SV_M_TOTAL, v, 40), SV_HID_DOMINANT);
  fill(v, 0, 40, 4, 1, 1000);
  v[0].milli = 199000; /* alone in its organisation; behind it and the second one (10) are 29 more: 14.6 % */
  sv_sdc_rules r = sv_sdc_rules_usual();
  r.two_max_pct = 100;
  r.p_pct = 14;
  for (uint32_t i = 1; i < 40; i++) v[i].org = (uint16_t)(i % 4 ? i % 4 : 4);
  assert_int_equal(sv_sdc_primary(&r, SV_M_TOTAL, v, 40), SV_SHOWN);
  r.p_pct = 15;
  assert_int_equal(sv_sdc_primary(&r, SV_M_TOTAL, v, 40), SV_HID_P);
}

static const sv_cell *cell(const sv_cells *c, sv_breakdown b, unsigned group) {
  for (uint32_t i = 0; i < c->n; i++) {
    if (c->v[i].breakdown == b && c->v[i].group == group) return &c->v[i];
  }
  return NULL;
}

static void table(const sv_sdc_rules *r, sv_contrib *v, uint32_t n, unsigned breakdowns,
                  const sv_cells *prior, sv_cells *out) {
  uint8_t types[SV_GROUP_MAX + 1] = {0, 1, 1, 1, 2};
  sv_table_in in = {.measure = sv_measure_by_name("sleep_tib"),
                    .split = 1,
                    .v = v,
                    .n = n,
                    .breakdowns = breakdowns,
                    .types = types,
                    .prior = prior};
  assert_int_equal(sv_sdc_table(r, &in, out), 0);
}

static void rounding_median_and_quartiles(void **state) {
  sv_contrib v[128];
  sv_cells c = {.n = 0};
  sv_sdc_rules r = sv_sdc_rules_usual();
  (void)state;
  uint32_t n = fill(v, 0, 19, 4, 1, 482000);
  table(&r, v, n, 1, NULL, &c);
  assert_int_equal(c.v[0].n_told, 20);
  assert_int_equal(c.v[0].value, 480000); /* 8 h 2 min, to 5 minutes */
  assert_true(c.v[0].median == SV_UNKNOWN && c.v[0].q1 == SV_UNKNOWN);
  sv_cells_free(&c);
  table(&r, v, fill(v, 0, 20, 4, 1, 483000), 1, NULL, &c);
  assert_int_equal(c.v[0].median, 485000);
  assert_true(c.v[0].q1 == SV_UNKNOWN);
  sv_cells_free(&c);
  table(&r, v, fill(v, 0, 40, 4, 1, 483000), 1, NULL, &c);
  assert_int_equal(c.v[0].q3, 485000);
  sv_cells_free(&c);
}

/* 30, 40 and 50 clients in networks 1 to 3, 8 in network 4, which cannot be told, so that another one must
 * not be either: the smallest goes, as the least loss. */
static void the_least_loss_is_hidden_too(void **state) {
  sv_contrib v[256];
  sv_cells c = {.n = 0};
  sv_sdc_rules r = sv_sdc_rules_usual();
  (void)state;
  uint32_t n = fill(v, 0, 30, 4, 1, 1);
  n += fill(v + n, n, 40, 4, 2, 1);
  n += fill(v + n, n, 50, 4, 3, 1);
  n += fill(v + n, n, 8, 4, 4, 1);
  table(&r, v, n, 3, NULL, &c);
  assert_int_equal(cell(&c, SV_BY_ALL, 0)->hidden, SV_SHOWN);
  assert_int_equal(cell(&c, SV_BY_NETWORK, 1)->hidden, SV_HID_SECONDARY);
  assert_int_equal(cell(&c, SV_BY_NETWORK, 2)->hidden, SV_SHOWN);
  assert_int_equal(cell(&c, SV_BY_NETWORK, 3)->hidden, SV_SHOWN);
  assert_int_equal(cell(&c, SV_BY_NETWORK, 4)->hidden, SV_HID_CLIENTS);
  assert_true(cell(&c, SV_BY_NETWORK, 1)->value == SV_UNKNOWN && !cell(&c, SV_BY_NETWORK, 1)->n_told);
  sv_cells_free(&c);
  r.secondary = false;
  table(&r, v, n, 3, NULL, &c);
  assert_int_equal(cell(&c, SV_BY_NETWORK, 1)->hidden, SV_SHOWN);
  const sv_cell *told[] = {cell(&c, SV_BY_ALL, 0), cell(&c, SV_BY_NETWORK, 1), cell(&c, SV_BY_NETWORK, 2),
                           cell(&c, SV_BY_NETWORK, 3)};
  assert_int_equal(sv_sdc_audit(&r, SV_M_MEAN, told, 4, v, n), 0);
  assert_int_equal(sv_sdc_audit(&r, SV_M_MEAN, told, 3, v, n), 1);
  sv_cells_free(&c);
}

/* More networks than every choice of them can be tried: the smallest go, until nothing is given away. */
static void of_many_networks_the_smallest_is_hidden(void **state) {
  enum { MANY = 13 };
  static sv_contrib v[MANY * 40 + 8];
  uint8_t types[SV_GROUP_MAX + 1] = {0};
  sv_cells c = {.n = 0};
  sv_sdc_rules r = sv_sdc_rules_usual();
  uint32_t n = 0;
  (void)state;
  for (unsigned g = 1; g <= MANY; g++) {
    types[g] = 1;
    n += fill(v + n, n, g == 7 ? 20 : 40, 4, g, 1);
  }
  types[MANY + 1] = 1;
  n += fill(v + n, n, 8, 4, MANY + 1, 1);
  sv_table_in in = {.measure = sv_measure_by_name("sleep_tib"),
                    .split = 1,
                    .v = v,
                    .n = n,
                    .breakdowns = 3,
                    .types = types};
  assert_int_equal(sv_sdc_table(&r, &in, &c), 0);
  assert_int_equal(cell(&c, SV_BY_NETWORK, MANY + 1)->hidden, SV_HID_CLIENTS);
  assert_int_equal(cell(&c, SV_BY_ALL, 0)->hidden, SV_SHOWN);
  for (unsigned g = 1; g <= MANY; g++)
    assert_int_equal(cell(&c, SV_BY_NETWORK, g)->hidden, g == 7 ? SV_HID_SECONDARY : SV_SHOWN);
  sv_cells_free(&c);
}

/* A type of networks that differs from all networks by a small one; then a released cell that late entries
 * would change. */
static void what_was_released_stands(void **state) {
  sv_contrib v[256];
  sv_cells first = {.n = 0}, again = {.n = 0}, types = {.n = 0};
  sv_sdc_rules r = sv_sdc_rules_usual();
  (void)state;
  uint32_t n = fill(v, 0, 30, 4, 1, 1000);
  n += fill(v + n, n, 40, 4, 2, 1000);
  n += fill(v + n, n, 8, 4, 4, 1000);
  table(&r, v, n, 1, NULL, &first);
  table(&r, v, n, 5, &first, &types);
  assert_int_equal(cell(&types, SV_BY_TYPE, 1)->hidden, SV_HID_OVERLAP);
  sv_cells_free(&types);
  n += fill(v + n, 500, 12, 4, 1, 400000); /* 12 more came in late */
  table(&r, v, n, 3, &first, &again);
  assert_int_equal(cell(&again, SV_BY_ALL, 0)->n, 78);
  assert_int_equal(cell(&again, SV_BY_ALL, 0)->value, cell(&first, SV_BY_ALL, 0)->value);
  sv_cells_free(&again);
  n -= 12;
  v[3].milli += 7000; /* somebody's entry was corrected */
  table(&r, v, n, 3, &first, &again);
  assert_int_equal(cell(&again, SV_BY_NETWORK, 2)->hidden, SV_HID_CHANGED);
  sv_cells_free(&again);
  sv_cells_free(&first);
}

static void cohorts_grow_by_groups_that_can_stand_alone(void **state) {
  sv_pair p[64];
  sv_batches b = {.n = 0};
  sv_cells c = {.n = 0};
  sv_sdc_rules r = sv_sdc_rules_usual();
  const sv_measure *m = sv_measure_by_name("sleep_se");
  (void)state;
  for (uint32_t i = 0; i < 64; i++) p[i] = (sv_pair){i, (uint16_t)(i % 4), 1, 80000, 84000};
  sv_pair now[64];
  memcpy(now, p, sizeof p);
  assert_int_equal(sv_sdc_freeze(&r, m, 1, now, 20, &b), 0);
  assert_int_equal(b.n, 1);
  memcpy(now, p, sizeof p);
  assert_int_equal(sv_sdc_freeze(&r, m, 1, now, 29, &b), 0); /* nine more: too few to be told apart */
  assert_int_equal(b.n, 1);
  memcpy(now, p, sizeof p);
  for (uint32_t i = 0; i < 64; i++) now[i].base = 10000; /* what is frozen is not looked at again */
  assert_int_equal(sv_sdc_freeze(&r, m, 1, now, 40, &b), 0);
  assert_int_equal(b.n, 2);
  assert_int_equal(b.v[1].n, 20);
  assert_int_equal(sv_sdc_paired(&r, m, 1, 3, NULL, &b, &c), 0);
  const sv_cell *all = cell(&c, SV_BY_ALL, 0);
  assert_int_equal(all->n, 40);
  assert_int_equal(all->base, 45000);
  assert_int_equal(all->follow, 84000);
  assert_int_equal(all->value, 39000);
  assert_int_equal(all->sd, 35000); /* half 4, half 74 points: sqrt(1256) */
  sv_cells_free(&c);
  sv_batches_free(&b);
}

static void a_row_of_codes(void **state) {
  static const int8_t codes[] = {1, 2, 3, 4};
  sv_contrib lists[4][40], *of[4] = {lists[0], lists[1], lists[2], lists[3]};
  sv_cells c = {.n = 0};
  sv_sdc_rules r = sv_sdc_rules_usual();
  const uint32_t with[] = {40, 30, 20, 4}; /* so many have something of it */
  (void)state;
  for (unsigned k = 0; k < 4; k++) {
    fill(lists[k], 0, 40, 4, 1, 0);
    for (uint32_t i = 0; i < 40; i++) {
      bool some = i < with[k];
      lists[k][i].flags = (uint8_t)((some ? SV_HAS_SOME : 0u) | SV_HAS_REST);
      lists[k][i].milli = some ? 25000 : 0;
    }
  }
  sv_table_in in = {.measure = sv_measure_by_name("contact_mode"), .v = lists[0], .n = 40};
  assert_int_equal(sv_sdc_row(&r, &in, codes, of, 4, &c), 0);
  assert_int_equal(c.v[0].hidden, SV_SHOWN);
  assert_int_equal(c.v[2].hidden, SV_HID_SECONDARY); /* or the four would be 100 % less the others */
  assert_int_equal(c.v[3].hidden, SV_HID_SOME);
  sv_cells_free(&c);
  for (uint32_t i = 0; i < 40; i++) lists[0][i].milli = 91000;
  assert_int_equal(sv_sdc_row(&r, &in, codes, of, 4, &c), 0);
  for (unsigned k = 0; k < 4; k++) assert_int_equal(c.v[k].hidden, SV_HID_CATEGORY);
  sv_cells_free(&c);
}

static void every_reason_is_told_in_two_languages(void **state) {
  (void)state;
  for (unsigned h = 1; h < SV_HIDDEN_COUNT; h++) {
    assert_true(sv_hidden_rule((sv_hidden)h) >= 1 && sv_hidden_rule((sv_hidden)h) <= 8);
    assert_true(strlen(sv_hidden_text((sv_hidden)h, false)) > 10);
    assert_string_not_equal(sv_hidden_text((sv_hidden)h, true), sv_hidden_text((sv_hidden)h, false));
    for (unsigned k = 1; k < h; k++)
      assert_string_not_equal(sv_hidden_slug((sv_hidden)h), sv_hidden_slug((sv_hidden)k));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ten_clients_of_three_organisations),
      cmocka_unit_test(ten_with_and_ten_without_the_answer),
      cmocka_unit_test(totals_that_few_make),
      cmocka_unit_test(rounding_median_and_quartiles),
      cmocka_unit_test(the_least_loss_is_hidden_too),
      cmocka_unit_test(of_many_networks_the_smallest_is_hidden),
      cmocka_unit_test(what_was_released_stands),
      cmocka_unit_test(cohorts_grow_by_groups_that_can_stand_alone),
      cmocka_unit_test(a_row_of_codes),
      cmocka_unit_test(every_reason_is_told_in_two_languages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
