/* Derived measures of single records, and of months of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kinds.h"
#include "sv_measure.h"

#define H 3600
#define D 20000 /* a day in 2024 */
#define AT(day, h, m) ((int64_t)(day)*86400 + (h)*H + (m)*60)

/* 22:00 22:30 18 30 06:30 06:45, the published example. */
static sv_night example(void) {
  return (sv_night){AT(D, 22, 0), AT(D, 22, 30), AT(D + 1, 6, 30), AT(D + 1, 6, 45), 18, 30};
}

static void published_example(void **state) {
  (void)state;
  sv_night n = example();
  sv_sleep s;
  assert_int_equal(sv_night_measure(&n, &s), SV_NIGHT_OK);
  assert_int_equal(s.tst_s, 432 * 60);
  assert_int_equal(s.tib_s, 525 * 60);
  assert_int_equal(s.twak_s, 15 * 60);
  assert_int_equal((s.se_milli + 50) / 100, 823); /* 82.3 % */
  assert_int_equal(s.midsleep_at, AT(D, 22, 48) + (AT(D + 1, 6, 30) - AT(D, 22, 48)) / 2);
}

static void without_latency_no_sleep_time(void **state) {
  (void)state;
  sv_night n = example();
  sv_sleep s;
  n.waso_min = SV_UNKNOWN;
  assert_int_equal(sv_night_measure(&n, &s), SV_NIGHT_OK);
  assert_true(s.tst_s == SV_UNKNOWN && s.se_milli == SV_UNKNOWN && s.midsleep_at != SV_UNKNOWN);
  n.sol_min = SV_UNKNOWN;
  assert_int_equal(sv_night_measure(&n, &s), SV_NIGHT_OK);
  assert_true(s.midsleep_at == SV_UNKNOWN && s.tib_s == 525 * 60);
}

static void impossible_orders_are_refused_with_the_reason(void **state) {
  (void)state;
  struct {
    sv_night_fault want;
    sv_night n;
  } rows[] = {{SV_NIGHT_LACKS, example()},       {SV_NIGHT_TRY_FIRST, example()},
              {SV_NIGHT_WOKE_FIRST, example()},  {SV_NIGHT_ROSE_FIRST, example()},
              {SV_NIGHT_NO_TIME, example()},     {SV_NIGHT_LONG, example()},
              {SV_NIGHT_AWAKE_LONGER, example()}};
  rows[0].n.bed_at = SV_UNKNOWN;
  rows[1].n.sleep_try_at = rows[1].n.bed_at - 60;
  rows[2].n.final_wake_at = rows[2].n.sleep_try_at - 60;
  rows[3].n.out_of_bed_at = rows[3].n.final_wake_at - 60;
  rows[4].n = (sv_night){0, 0, 0, 0, 0, 0};
  rows[5].n.out_of_bed_at = rows[5].n.bed_at + 86401;
  rows[6].n.waso_min = 8 * 60;
  for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    sv_sleep s;
    assert_int_equal(sv_night_measure(&rows[i].n, &s), rows[i].want);
    assert_true(strlen(sv_night_fault_text(rows[i].want, false)) > 10);
    assert_string_not_equal(sv_night_fault_text(rows[i].want, true),
                            sv_night_fault_text(rows[i].want, false));
  }
}

static void rounds_give_bounds(void **state) {
  (void)state;
  /* Hourly from 22:00: awake awake asleep asleep awake awake asleep unseen asleep awake. */
  int states[] = {2, 3, 1, 1, 2, 3, 1, 5, 1, 4};
  sv_round r[10];
  sv_bounds b;
  /* any order */
  for (unsigned i = 0; i < 10; i++) r[9 - i] = (sv_round){AT(D, 22, 0) + (int64_t)i * H, states[i]};
  assert_true(sv_rounds_measure(r, 10, &b));
  assert_int_equal(b.sol_low, 1 * H);
  assert_int_equal(b.sol_high, 2 * H);
  assert_int_equal(b.waso_low, 1 * H); /* both rounds at 2:00 and 3:00 saw it */
  /* an hour on each side, and the gap around the unseen round */
  assert_int_equal(b.waso_high, (1 + 1 + 1 + 2) * H);
  sv_round none[2] = {{0, 2}, {H, 3}}, unseen[3] = {{0, 1}, {H, 5}, {2 * H, 5}};
  assert_false(sv_rounds_measure(none, 2, &b));
  assert_false(sv_rounds_measure(unseen, 3, &b));
}

static void goal_score(void **state) {
  (void)state;
  sv_goal g[3] = {{1, 5, 1, 0, 0, 0}, {2, 5, 1, 0, 0, 0}, {3, 5, 1, 0, 0, 0}};
  assert_int_equal(sv_goal_t_milli(g, 3), 50000); /* all attained: 50 by construction */
  g[0].score = 2;
  g[1].score = 1;
  /* 10 x 3 / sqrt(0.7 x 3 + 0.3 x 9) = 30 / 2.19089 */
  assert_int_equal(sv_goal_t_milli(g, 3), 63693);
  g[0].weight = 3;
  /* 10 x 7 / sqrt(0.7 x 11 + 0.3 x 25) = 70 / 3.89872 */
  assert_int_equal(sv_goal_t_milli(g, 3), 67955);
}

/* -- months ---------------------------------------------------------------------------------------------- */

typedef struct maker {
  ov_live live[16];
  ov_rop op;
  ov_record r;
} maker;

static ov_record *record(maker *m, uint16_t kind, const int64_t (*fields)[2], unsigned n) {
  memset(m, 0, sizeof *m);
  for (unsigned i = 0; i < n; i++)
    m->live[i] = (ov_live){.field = (uint16_t)fields[i][0], .v = ov_int(fields[i][1])};
  m->r = (ov_record){.kind = kind, .created = true, .ops = &m->op, .n_ops = 1, .live = m->live, .n_live = n};
  return &m->r;
}

static const sv_sum *sum_of(const sv_sums *s, unsigned measure, unsigned split) {
  for (uint32_t i = 0; i < s->n; i++) {
    if (s->v[i].measure == measure && s->v[i].split == split) return &s->v[i];
  }
  return NULL;
}

static void add_night(sv_measurer *m, int64_t day, int64_t source, int64_t bed, char *why) {
  maker k;
  const int64_t f[][2] = {{10, day}, {11, source},      {12, bed},         {13, bed + 1800}, {14, 18},
                          {16, 30},  {17, bed + 30600}, {18, bed + 31500}, {19, 4}};
  sv_measurer_add(m, record(&k, KIND_SLEEP, f, 9), NULL, why);
}

static void sources_are_never_merged(void **state) {
  (void)state;
  sv_measurer *m = sv_measurer_new();
  char why[120];
  sv_measurer_begin(m, SV_FAM_SLEEP, NULL);
  add_night(m, D, 1, AT(D, 22, 0), why);
  assert_string_equal(why, "");
  add_night(m, D, 2, AT(D, 21, 0), why);
  add_night(m, D + 1, 1, AT(D + 1, 22, 0), why);
  const sv_sums *s = sv_measurer_end(m);
  assert_int_equal(sum_of(s, M_SLEEP_TST, 1)->n, 2);
  assert_int_equal(sum_of(s, M_SLEEP_TST, 1)->sum, 2 * 432000);
  assert_int_equal(sum_of(s, M_SLEEP_TST, 2)->n, 1);
  assert_null(sum_of(s, M_SLEEP_TST, 0));
  sv_measurer_free(m);
}

/* The night of 30 March 2025 has an hour less; in bed from 22:00 to 06:45 by the clock on the wall is 7 h
 * 45. */
static void summer_time(void **state) {
  (void)state;
  sv_zone *z = NULL;
  assert_int_equal(sv_zone_open("Europe/Amsterdam", &z), 0);
  int64_t day = 20176; /* 2025-03-29 */
  assert_int_equal(sv_zone_offset(z, AT(day, 12, 0)), 3600);
  assert_int_equal(sv_zone_offset(z, AT(day + 1, 0, 59)), 3600);
  assert_int_equal(sv_zone_offset(z, AT(day + 1, 1, 0)), 7200);
  sv_night n = {AT(day, 21, 0), AT(day, 21, 30), AT(day + 1, 4, 30), AT(day + 1, 4, 45), 18, 30};
  sv_sleep s;
  assert_int_equal(sv_night_measure(&n, &s), SV_NIGHT_OK);
  assert_int_equal(s.tib_s, 7 * H + 45 * 60);
  assert_int_equal(s.tst_s, (432 - 60) * 60);
  /* Bedtimes of 22:00 on the wall on both sides of the change do not spread. */
  sv_measurer *m = sv_measurer_new();
  sv_measurer_begin(m, SV_FAM_SLEEP, z);
  for (int64_t d = day - 3; d <= day + 3; d++) add_night(m, d, 1, AT(d, d > day ? 20 : 21, 0), NULL);
  const sv_sums *all = sv_measurer_end(m);
  int64_t milli;
  unsigned flags;
  assert_true(sv_sums_value(all, sv_measure_by_id(M_SLEEP_BED_SD), 1, 0, 0, 31, &milli, &flags));
  assert_int_equal(milli, 0);
  sv_measurer_begin(m, SV_FAM_SLEEP, NULL); /* by UTC they would */
  for (int64_t d = day - 3; d <= day + 3; d++) add_night(m, d, 1, AT(d, d > day ? 20 : 21, 0), NULL);
  assert_true(
      sv_sums_value(sv_measurer_end(m), sv_measure_by_id(M_SLEEP_BED_SD), 1, 0, 0, 31, &milli, &flags));
  assert_true(milli > 30000);
  sv_measurer_free(m);
  sv_zone_close(z);
  assert_int_equal(sv_zone_open("../etc/passwd", &z), OV_E_INVALID);
  assert_int_equal(sv_zone_open("Europe/Nowhere", &z), OV_E_NOTFOUND);
  assert_int_equal(sv_zone_read((const uint8_t *)"TZif2", 5, &z), OV_E_FORMAT);
}

static void refused_nights_count_as_refused(void **state) {
  (void)state;
  sv_measurer *m = sv_measurer_new();
  maker k;
  char why[120];
  const int64_t f[][2] = {
      {10, D}, {11, 1}, {12, AT(D, 22, 0)}, {13, AT(D, 21, 0)}, {17, AT(D + 1, 6, 0)}, {18, AT(D + 1, 7, 0)},
      {19, 2}};
  sv_measurer_begin(m, SV_FAM_SLEEP, NULL);
  sv_measurer_add(m, record(&k, KIND_SLEEP, f, 7), NULL, why);
  const sv_sums *s = sv_measurer_end(m);
  assert_string_equal(why, "tried to sleep before going to bed");
  assert_int_equal(s->refused, 1);
  assert_null(sum_of(s, M_SLEEP_TIB, 1));
  assert_int_equal(sum_of(s, M_SLEEP_GOOD, 1)->n, 1); /* the judgement of the night stands */
  sv_measurer_free(m);
}

static int64_t value(const sv_sums *s, uint16_t measure, unsigned split, unsigned *flags) {
  int64_t milli = SV_UNKNOWN;
  (void)sv_sums_value(s, sv_measure_by_id(measure), split, 0, 0, 28, &milli, flags);
  return milli;
}

static void day_structure(void **state) {
  (void)state;
  sv_measurer *m = sv_measurer_new();
  maker k;
  unsigned flags;
  const int64_t a[][2] = {{4, AT(D, 9, 0)}, {10, 2}, {11, 1}, {12, AT(D, 9, 0)}, {14, 1}, {15, AT(D, 9, 15)},
                          {18, 2},          {19, 2}, {20, 1}};
  const int64_t b[][2] = {{4, AT(D, 10, 0)},   {10, 3}, {11, 1}, {12, AT(D, 10, 0)}, {14, 2},
                          {15, AT(D, 10, 16)}, {18, 0}, {20, 3}};
  const int64_t c[][2] = {{4, AT(D, 11, 0)}, {10, 3}, {11, -99}, {14, 3}, {18, -98}};
  sv_measurer_begin(m, SV_FAM_DAY, NULL);
  sv_measurer_add(m, record(&k, KIND_DAY, a, 9), NULL, NULL);
  sv_measurer_add(m, record(&k, KIND_DAY, b, 8), NULL, NULL);
  sv_measurer_add(m, record(&k, KIND_DAY, c, 5), NULL, NULL);
  const sv_sums *s = sv_measurer_end(m);
  assert_int_equal(value(s, M_DAY_REALISED, 0, &flags), 50000);
  assert_int_equal(flags, SV_HAS_SOME | SV_HAS_REST);
  assert_int_equal(value(s, M_DAY_ON_TIME, 0, &flags), 50000); /* 15 minutes is on time, 16 is not */
  assert_int_equal(value(s, M_DAY_INDEPENDENCE, 0, &flags), 80000);
  assert_int_equal(value(s, M_DAY_SELF, 0, &flags), 50000);
  assert_int_equal(value(s, M_DAY_TECH_PROMPT, 0, &flags), 100000);
  assert_int_equal(flags, SV_HAS_SOME); /* nobody in the complement */
  sv_measurer_free(m);
}

static void technology_and_phase(void **state) {
  (void)state;
  sv_measurer *m = sv_measurer_new();
  maker k;
  unsigned flags;
  sv_project_dates p = {.implementation = D + 2, .follow_up = D + 4};
  /* day, used, incident */
  const int64_t uses[5][3] = {{0, 1, 0}, {0, 1, 4}, {2, 2, 1}, {3, 3, 0}, {5, 1, 0}};
  sv_measurer_begin(m, SV_FAM_TECH, NULL);
  for (unsigned i = 0; i < 5; i++) {
    const int64_t f[][2] = {{4, AT(D + uses[i][0], 9, 0)}, {11, uses[i][1]}, {15, uses[i][2]}};
    sv_measurer_add(m, record(&k, KIND_TECH, f, 3), &p, NULL);
  }
  const sv_sums *s = sv_measurer_end(m);
  assert_int_equal(value(s, M_TECH_DAYS_WEEK, 0, &flags), 750);   /* 3 days in 4 weeks */
  assert_int_equal(value(s, M_TECH_INCIDENTS, 0, &flags), 66667); /* 2 in 3 use days */
  assert_int_equal(value(s, M_TECH_DAYS_TOTAL, 0, &flags), 3000);
  int64_t milli;
  assert_true(
      sv_sums_value(s, sv_measure_by_id(M_TECH_DAYS_TOTAL), 0, 0, PHASE_BASELINE, 28, &milli, &flags));
  assert_int_equal(milli, 1000);
  assert_true(
      sv_sums_value(s, sv_measure_by_id(M_TECH_DAYS_TOTAL), 0, 0, PHASE_FOLLOW_UP, 28, &milli, &flags));
  assert_int_equal(milli, 1000);
  sv_measurer_free(m);
}

/* Half past midnight on the wall is a new day, though it is yesterday in UTC; a day counts once, in whatever
 * order its entries come. */
static void use_days_are_those_of_the_wall_clock(void **state) {
  (void)state;
  sv_measurer *m = sv_measurer_new();
  sv_zone *zone = NULL;
  maker k;
  unsigned flags;
  assert_int_equal(sv_zone_open("Europe/Amsterdam", &zone), 0);
  const int64_t at[] = {AT(D, 23, 30), AT(D, 10, 0), AT(D, 23, 45), AT(D + 1, 12, 0), AT(D + 1, 22, 30)};
  sv_measurer_begin(m, SV_FAM_TECH, zone);
  for (unsigned i = 0; i < 5; i++) {
    const int64_t f[][2] = {{4, at[i]}, {11, 1}, {15, 0}};
    sv_measurer_add(m, record(&k, KIND_TECH, f, 3), NULL, NULL);
  }
  /* Two hours ahead of UTC: 01:30 of the next day, D, the next day twice, and half an hour into the third. */
  assert_int_equal(sv_zone_offset(zone, at[0]), 7200);
  assert_int_equal(value(sv_measurer_end(m), M_TECH_DAYS_TOTAL, 0, &flags), 3000);
  sv_measurer_free(m);
  sv_zone_close(zone);
}

/* mode, initiator, reciprocity, valence; and with whom, up to two */
static void add_contact(sv_measurer *m, const int64_t v[4], int64_t with, int64_t also) {
  maker k;
  const int64_t f[][2] = {{4, AT(D, 15, 0)}, {10, v[0]}, {13, v[1]}, {15, v[2]}, {16, v[3]}};
  ov_record *r = record(&k, KIND_CONTACT, f, 5);
  const int64_t partners[2] = {with, also};
  /* fields ascend: partners (11) stand behind mode (10) */
  memmove(&k.live[4], &k.live[2], 3 * sizeof k.live[0]);
  unsigned n = also ? 2 : 1;
  for (unsigned i = 0; i < 2; i++)
    k.live[2 + i] = (ov_live){
        .field = 11, .is_elem = true, .elem = ov_int(partners[i < n ? i : 0]), .v = ov_int(1)};
  r->n_live = 7;
  sv_measurer_add(m, r, NULL, NULL);
}

static int64_t share(const sv_sums *s, unsigned measure, int cat) {
  int64_t milli = SV_UNKNOWN;
  unsigned flags;
  (void)sv_sums_value(s, sv_measure_by_id((uint16_t)measure), 0, cat, 0, 28, &milli, &flags);
  return milli;
}

static void social_contact(void **state) {
  (void)state;
  sv_measurer *m = sv_measurer_new();
  sv_measurer_begin(m, SV_FAM_CONTACT, NULL);
  add_contact(m, (const int64_t[]){1, 1, 2, 1}, 1, 0);     /* at home with family, own idea, both ways */
  add_contact(m, (const int64_t[]){1, 2, 1, 0}, 5, 0);     /* with a carer only */
  add_contact(m, (const int64_t[]){3, 3, 0, -2}, 5, 2);    /* on the phone, carer and friend */
  add_contact(m, (const int64_t[]){4, -99, -98, 2}, 1, 0); /* who began is not known */
  const sv_sums *s = sv_measurer_end(m);
  assert_int_equal(share(s, M_CONTACT_WEEK, 0), 1000);    /* 4 in 4 weeks */
  assert_int_equal(share(s, M_CONTACT_UNPAID, 0), 75000); /* all but the one with a carer only */
  assert_int_equal(share(s, M_CONTACT_VARIETY, 0), 3000); /* family, carer, friend */
  assert_int_equal(share(s, M_CONTACT_OWN, 0), 33333);    /* of the three where it is known */
  assert_int_equal(share(s, M_CONTACT_RECIPROCAL, 0), 33333);
  assert_int_equal(share(s, M_CONTACT_MODE, 1), 50000);
  assert_int_equal(share(s, M_CONTACT_MODE, 2), 0);
  assert_int_equal(share(s, M_CONTACT_VALENCE, -2), 25000);
  sv_measurer_free(m);
}

static void remote_care(void **state) {
  (void)state;
  sv_measurer *m = sv_measurer_new();
  maker k;
  /* reason, replaces a visit, connection */
  const int64_t rows[4][3] = {{1, 1, 3}, {2, 0, 1}, {3, 1, 2}, {4, -98, 3}};
  sv_measurer_begin(m, SV_FAM_REMOTE, NULL);
  for (unsigned i = 0; i < 4; i++) {
    const int64_t f[][2] = {{4, AT(D, 9, 0)}, {12, rows[i][0]}, {13, rows[i][1]}, {15, rows[i][2]}};
    sv_measurer_add(m, record(&k, KIND_REMOTE, f, 4), NULL, NULL);
  }
  const sv_sums *s = sv_measurer_end(m);
  assert_int_equal(share(s, M_REMOTE_REPLACED, 0), 66667); /* of the three where it was asked */
  assert_int_equal(share(s, M_REMOTE_FAILED, 0), 25000);
  assert_int_equal(share(s, M_REMOTE_REASON, 1), 50000); /* measures and quarantine are one */
  assert_int_equal(share(s, M_REMOTE_REASON, 2), 0);
  assert_int_equal(share(s, M_REMOTE_REASON, 3), 25000);
  sv_measurer_free(m);
}

/* Bedtimes over midnight lie beside each other, and five nights make a spread. */
static void bedtimes_vary(void **state) {
  (void)state;
  static const int minutes[] = {-20, 10, 0, 20, -10}; /* around midnight */
  unsigned flags;
  for (unsigned nights = 4; nights <= 5; nights++) {
    sv_measurer *m = sv_measurer_new();
    sv_measurer_begin(m, SV_FAM_SLEEP, NULL);
    for (unsigned i = 0; i < nights; i++) add_night(m, D + i, 1, AT(D + i + 1, 0, 0) + minutes[i] * 60, NULL);
    int64_t sd = value(sv_measurer_end(m), M_SLEEP_BED_SD, 1, &flags);
    assert_int_equal(sd, nights < 5 ? SV_UNKNOWN : 15811); /* sqrt(1000 / 4) minutes */
    sv_measurer_free(m);
  }
}

static void scales_are_never_pooled(void **state) {
  (void)state;
  sv_measurer *m = sv_measurer_new();
  maker k;
  unsigned flags;
  /* Goal 1 twice on five points (the later counts), goal 2 on six; -3 does not exist on five. */
  const int64_t rows[5][4] = {{1, 5, -1, 1}, {1, 5, 1, 2}, {2, 6, -3, 1}, {3, 5, -3, 1}, {2, 6, -2, 0}};
  sv_measurer_begin(m, SV_FAM_GOAL, NULL);
  for (unsigned i = 0; i < 5; i++) {
    const int64_t f[][2] = {{4, AT(D, 9, rows[i][3])}, {10, rows[i][0]}, {14, rows[i][1]}, {15, rows[i][2]}};
    sv_measurer_add(m, record(&k, KIND_GOAL, f, 4), NULL, NULL);
  }
  const sv_sums *s = sv_measurer_end(m);
  assert_int_equal(s->refused, 1);
  assert_int_equal(value(s, M_GOAL_ATTAINED, 5, &flags), 100000);
  assert_int_equal(value(s, M_GOAL_ATTAINED, 6, &flags), 0);
  assert_int_equal(value(s, M_GOAL_T, 5, &flags), 60000);
  assert_null(sum_of(s, M_GOAL_T, 6));
  sv_measurer_free(m);
}

static void sums_survive_encoding(void **state) {
  (void)state;
  sv_measurer *m = sv_measurer_new();
  sv_measurer_begin(m, SV_FAM_SLEEP, NULL);
  for (int64_t d = D; d < D + 6; d++) add_night(m, d, 1 + d % 2, AT(d, 22, (int)(d % 3) * 10), NULL);
  sv_sums s = *sv_measurer_end(m), back;
  ov_buf b, c;
  ov_buf_init(&b, 0);
  ov_buf_init(&c, 0);
  sv_sums_encode(&s, &b);
  assert_int_equal(sv_sums_decode(b.p, b.n, &back), 0);
  sv_sums_encode(&back, &c);
  assert_int_equal(b.n, c.n);
  assert_memory_equal(b.p, c.p, b.n);
  for (size_t n = 0; n < b.n; n++) assert_int_not_equal(sv_sums_decode(b.p, n, &back), 0);
  ov_buf_free(&b);
  ov_buf_free(&c);
  sv_measurer_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_example),
      cmocka_unit_test(without_latency_no_sleep_time),
      cmocka_unit_test(impossible_orders_are_refused_with_the_reason),
      cmocka_unit_test(rounds_give_bounds),
      cmocka_unit_test(goal_score),
      cmocka_unit_test(sources_are_never_merged),
      cmocka_unit_test(summer_time),
      cmocka_unit_test(refused_nights_count_as_refused),
      cmocka_unit_test(day_structure),
      cmocka_unit_test(technology_and_phase),
      cmocka_unit_test(use_days_are_those_of_the_wall_clock),
      cmocka_unit_test(social_contact),
      cmocka_unit_test(remote_care),
      cmocka_unit_test(bedtimes_vary),
      cmocka_unit_test(scales_are_never_pooled),
      cmocka_unit_test(sums_survive_encoding),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
