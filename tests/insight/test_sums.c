/* Sums follow the records: marked in the change's transaction, made after it, checked by a recount. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "kinds.h"
#include "sv_node.h"
#include "sv_sums.h"

#define FIRST_DAY (FX_START_MS / 86400000) /* 2025-10-09 */

typedef struct place {
  fx_world w;
  sv_org *org;
  uint32_t team;
  ov_name carer, anna, ben;
  fx_tablet *tablet;
  sv_insight in;
} place;

static sv_org *no_org(void *ctx, unsigned i) {
  (void)ctx;
  (void)i;
  return NULL;
}

static int write_now(void *ctx, sv_org *org, sv_insight_work work, void *arg) {
  (void)ctx;
  return sv_node_write(org, work, arg, NULL);
}

static void open_place(place *p, uint64_t seed) {
  memset(p, 0, sizeof *p);
  fx_open(&p->w, seed);
  p->org = fx_org(&p->w, fx_data(&p->w), "De Linde");
  p->team = fx_team(&p->w, p->org, "Beuk");
  p->carer = fx_person(&p->w, p->org, "carer", &p->team, 1);
  p->anna = fx_participant(&p->w, p->org, "Anna", &p->team, 1);
  p->ben = fx_participant(&p->w, p->org, "Ben", &p->team, 1);
  p->tablet = fx_tablet_new(&p->w, p->org, &p->team, 1, &p->carer);
  p->in = (sv_insight){.org_at = no_org, .write = write_now, .now_ms = FX_START_MS};
}

static void close_place(place *p) {
  fx_tablet_free(p->tablet);
  sv_org_close(p->org);
  fx_close(&p->w);
}

static ov_name night(place *p, const ov_name *who, int64_t day, int64_t sol) {
  int64_t bed = day * 86400 + 22 * 3600;
  ov_field f[] = {FX_INT(SLEEP_NIGHT, day),        FX_INT(SLEEP_SOURCE, 1),       FX_INT(SLEEP_BED, bed),
                  FX_INT(SLEEP_TRY, bed + 1800),   FX_INT(SLEEP_SOL, sol),        FX_INT(SLEEP_WASO, 30),
                  FX_INT(SLEEP_WAKE, bed + 30600), FX_INT(SLEEP_OUT, bed + 31500)};
  return fx_create(p->tablet, KIND_SLEEP, who, f, 8);
}

static uint32_t month_of(int64_t day) { return sv_month_of_day(day); }

/* Sum of TST minutes and nights; false when there is no row. */
static bool slept(place *p, const ov_name *who, uint32_t month, int64_t *minutes, uint32_t *nights) {
  sv_txn *t = NULL;
  ov_buf b;
  sv_sums *s = test_calloc(1, sizeof *s);
  ov_buf_init(&b, 0);
  FX_OK(sv_txn_read(p->org->env, &t));
  int err = sv_sums_get(t, month, SV_FAM_SLEEP, who, &b);
  sv_txn_abort(t);
  if (!err) FX_OK(sv_sums_decode(b.p, b.n, s));
  *minutes = 0;
  *nights = 0;
  for (uint32_t i = 0; !err && i < s->n; i++) {
    if (s->v[i].measure != M_SLEEP_TST) continue;
    *minutes += s->v[i].sum / 1000;
    *nights += s->v[i].n;
  }
  ov_buf_free(&b);
  test_free(s);
  assert_true(!err || err == OV_E_NOTFOUND);
  return !err;
}

static void demand(place *p, const ov_name *who, int64_t day, int64_t minutes, uint32_t nights) {
  int64_t m;
  uint32_t n;
  bool there = slept(p, who, month_of(day), &m, &n);
  assert_int_equal(there, nights > 0);
  assert_int_equal(m, minutes);
  assert_int_equal(n, nights);
}

static uint64_t drain(place *p) {
  uint64_t done = 0;
  FX_OK(sv_sums_drain(&p->in, p->org, &done));
  return done;
}

static void recount(place *p, uint64_t checked, uint64_t differing) {
  uint64_t c = 0, d = 0;
  FX_OK(sv_sums_recount(p->org, NULL, NULL, &c, &d));
  assert_int_equal(c, checked);
  assert_int_equal(d, differing);
}

static void follow_what_is_pushed_edited_and_retracted(void **state) {
  place p;
  (void)state;
  open_place(&p, 1);
  drain(&p);
  ov_name first = night(&p, &p.anna, FIRST_DAY, 18);
  night(&p, &p.anna, FIRST_DAY + 1, 28);
  night(&p, &p.ben, FIRST_DAY, 18);
  fx_push_ok(p.tablet, p.org, 1, 3);
  demand(&p, &p.anna, FIRST_DAY, 0, 0);
  assert_int_equal(drain(&p), 2); /* a month of each, however many nights */
  demand(&p, &p.anna, FIRST_DAY, 432 + 422, 2);
  demand(&p, &p.ben, FIRST_DAY, 432, 1);
  recount(&p, 2, 0);
  ov_field sol[] = {FX_INT(SLEEP_SOL, 8)};
  fx_edit(p.tablet, p.org, &first, sol, 1);
  fx_push_ok(p.tablet, p.org, 4, 4);
  assert_int_equal(drain(&p), 1);
  demand(&p, &p.anna, FIRST_DAY, 442 + 422, 2);
  ov_field wrong[] = {fx_text(OV_FIELD_RETRACTED, "verkeerde nacht")};
  sv_record_row row;
  ov_name *seen;
  uint32_t n_seen;
  assert_true(fx_record(&p.w, p.org, &first, &row));
  FX_OK(ov_record_seen_all(&row.rec, &p.w.arena, &seen, &n_seen));
  fx_edit_of(p.tablet, p.tablet->ops[0], &first, wrong, 1, seen, n_seen);
  fx_push_ok(p.tablet, p.org, 5, 5);
  assert_int_equal(drain(&p), 1);
  demand(&p, &p.anna, FIRST_DAY, 422, 1);
  assert_int_equal(drain(&p), 0);
  recount(&p, 2, 0);
  close_place(&p);
}

static void a_night_that_moves_leaves_its_month(void **state) {
  place p;
  (void)state;
  open_place(&p, 2);
  ov_name n = night(&p, &p.anna, FIRST_DAY, 18);
  fx_push_ok(p.tablet, p.org, 1, 1);
  drain(&p);
  int64_t other = FIRST_DAY - 31, bed = other * 86400 + 22 * 3600;
  ov_field f[] = {FX_INT(SLEEP_NIGHT, other), FX_INT(SLEEP_BED, bed), FX_INT(SLEEP_TRY, bed + 1800),
                  FX_INT(SLEEP_WAKE, bed + 30600), FX_INT(SLEEP_OUT, bed + 31500)};
  fx_edit(p.tablet, p.org, &n, f, 5);
  fx_push_ok(p.tablet, p.org, 2, 2);
  assert_int_equal(drain(&p), 2);
  demand(&p, &p.anna, FIRST_DAY, 0, 0);
  demand(&p, &p.anna, other, 432, 1);
  recount(&p, 1, 0);
  close_place(&p);
}

/* A sum that was changed, one that was lost and one that nobody has records for are all found. */
static void a_recount_finds_what_is_wrong(void **state) {
  place p;
  sv_txn *t = NULL;
  ov_buf b;
  (void)state;
  open_place(&p, 3);
  night(&p, &p.anna, FIRST_DAY, 18);
  night(&p, &p.ben, FIRST_DAY, 28);
  fx_push_ok(p.tablet, p.org, 1, 2);
  drain(&p);
  uint32_t month = month_of(FIRST_DAY);
  ov_buf_init(&b, 0);
  FX_OK(sv_txn_write(p.org->env, &t));
  FX_OK(sv_sums_get(t, month, SV_FAM_SLEEP, &p.ben, &b));
  FX_OK(sv_sums_put(t, month, SV_FAM_SLEEP, &p.anna, b.p, b.n));    /* another's */
  FX_OK(sv_sums_del(t, month, SV_FAM_SLEEP, &p.ben));               /* lost */
  FX_OK(sv_sums_put(t, month - 1, SV_FAM_SLEEP, &p.ben, b.p, b.n)); /* of nothing */
  FX_OK(sv_txn_commit(t));
  ov_buf_free(&b);
  recount(&p, 1, 3);
  close_place(&p);
}

/* More months than one transaction sums, and more clients than a recount reads at a time. */
static void more_than_one_round(void **state) {
  place p;
  enum { MONTHS = 140, OTHERS = 20 };
  (void)state;
  open_place(&p, 6);
  drain(&p);
  for (int i = 0; i < MONTHS; i++) night(&p, &p.anna, FIRST_DAY - 31 * i, 18);
  for (int i = 0; i < OTHERS; i++) {
    ov_name who = fx_participant(&p.w, p.org, "Client", &p.team, 1);
    night(&p, &who, FIRST_DAY, 28);
  }
  for (uint32_t from = 1; from <= p.tablet->n; from += 64)
    fx_push_ok(p.tablet, p.org, from, from + 63 < p.tablet->n ? from + 63 : p.tablet->n);
  assert_true(drain(&p) >= MONTHS + OTHERS); /* a night at a month's edge is looked for in both */
  assert_int_equal(drain(&p), 0);
  demand(&p, &p.anna, FIRST_DAY, 432, 1);
  demand(&p, &p.anna, FIRST_DAY - 31 * (MONTHS - 1), 432, 1);
  recount(&p, MONTHS + OTHERS, 0);
  uint32_t month = 0;
  uint8_t family = 0;
  ov_name who;
  sv_txn *t = NULL;
  FX_OK(sv_txn_write(p.org->env, &t)); /* all are lost: each is told once, also those beside a month's edge */
  for (int i = 0; i < MONTHS + OTHERS; i++) {
    FX_OK(sv_sums_next(t, false, &month, &family, &who));
    FX_OK(sv_sums_del(t, month, family, &who));
  }
  FX_OK(sv_txn_commit(t));
  recount(&p, 0, MONTHS + OTHERS);
  close_place(&p);
}

static void an_erased_participant_has_no_sums(void **state) {
  place p;
  int64_t m;
  uint32_t n;
  (void)state;
  open_place(&p, 4);
  night(&p, &p.anna, FIRST_DAY, 18);
  fx_push_ok(p.tablet, p.org, 1, 1);
  drain(&p);
  assert_true(slept(&p, &p.anna, month_of(FIRST_DAY), &m, &n));
  sv_txn *t = NULL;
  FX_OK(sv_txn_write(p.org->env, &t)); /* a month whose records an erasure took out of the indexes */
  FX_OK(sv_sums_put(t, month_of(FIRST_DAY) - 5, SV_FAM_SLEEP, &p.anna, "x", 1));
  FX_OK(sv_txn_commit(t));
  recount(&p, 1, 1);
  FX_OK(sv_keyring_destroy(p.org->keyring, &p.anna));
  recount(&p, 0, 0);
  assert_false(slept(&p, &p.anna, month_of(FIRST_DAY), &m, &n));
  sv_scrub s;
  FX_OK(sv_env_scrub(p.org->env, &s)); /* rows that nobody can open any more are no damage */
  assert_int_equal(s.bad, 0);
  close_place(&p);
}

/* Contacts of a month, all of them counted; 0 when there is no row. */
static uint32_t contacts(place *p, uint32_t month) {
  sv_txn *t = NULL;
  ov_buf b;
  sv_sums *s = test_calloc(1, sizeof *s);
  ov_buf_init(&b, 0);
  FX_OK(sv_txn_read(p->org->env, &t));
  int err = sv_sums_get(t, month, SV_FAM_CONTACT, &p->anna, &b);
  sv_txn_abort(t);
  if (!err) FX_OK(sv_sums_decode(b.p, b.n, s));
  uint32_t n = err ? 0 : s->records;
  ov_buf_free(&b);
  test_free(s);
  return n;
}

/* At midnight in Amsterdam it is 23:00 UTC in winter, and 22:00 in summer. */
static void months_begin_at_midnight_on_the_wall(void **state) {
  static const struct {
    int64_t midnight; /* UTC */
    uint32_t month;   /* that begins */
  } edges[] = {
      {1772319600, 12 * 2026 + 2},  /* 2026-02-28 23:00: March */
      {1774994400, 12 * 2026 + 3},  /* 2026-03-31 22:00: April, two days into summer time */
      {1793487600, 12 * 2026 + 10}, /* 2026-10-31 23:00: November, six days out of it */
      {1798758000, 12 * 2027},      /* 2026-12-31 23:00: January */
  };
  place p;
  ov_name first = {.seq = 0};
  (void)state;
  open_place(&p, 5);
  drain(&p);
  for (unsigned i = 0; i < 4; i++) {
    for (int s = -1; s <= 0; s++) { /* the last second of a month, and the first of the next */
      ov_field f[] = {FX_INT(F_OCCURRED, edges[i].midnight + s), FX_INT(CONTACT_MODE, 1)};
      ov_name name = fx_create(p.tablet, KIND_CONTACT, &p.anna, f, 2);
      if (!i && s) first = name;
    }
  }
  fx_push_ok(p.tablet, p.org, 1, 8);
  drain(&p);
  for (unsigned i = 0; i < 4; i++) {
    assert_int_equal(contacts(&p, edges[i].month), i == 0 ? 1 + 1 : 1);
    assert_int_equal(contacts(&p, edges[i].month - 1), i == 1 ? 1 + 1 : 1);
  }
  uint64_t checked = 0, differing = 0;
  FX_OK(sv_sums_recount(p.org, NULL, NULL, &checked, &differing));
  assert_int_equal(differing, 0);
  /* an entry that moves over midnight leaves no trace, though its day in UTC stays what it was */
  ov_field later[] = {FX_INT(F_OCCURRED, edges[0].midnight)};
  fx_edit(p.tablet, p.org, &first, later, 1);
  fx_push_ok(p.tablet, p.org, 9, 9);
  drain(&p);
  assert_int_equal(contacts(&p, edges[0].month - 1), 0);
  assert_int_equal(contacts(&p, edges[0].month), 3);
  FX_OK(sv_sums_recount(p.org, NULL, NULL, &checked, &differing));
  assert_int_equal(differing, 0);
  close_place(&p);
}

static void months_are_those_of_the_calendar(void **state) {
  (void)state;
  assert_int_equal(sv_month_of_day(0), 12 * 1970);
  assert_int_equal(sv_month_of_day(-1), 12 * 1969 + 11);
  assert_int_equal(sv_month_first_day(12 * 2024 + 2) - sv_month_first_day(12 * 2024 + 1), 29);
  assert_int_equal(sv_month_first_day(12 * 2100 + 2) - sv_month_first_day(12 * 2100 + 1), 28);
  for (uint32_t m = 12 * 1999; m < 12 * 2101; m++) {
    int64_t day = sv_month_first_day(m);
    assert_int_equal(sv_month_of_day(day), m);
    assert_int_equal(sv_month_of_day(day - 1), m - 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(months_are_those_of_the_calendar),
      cmocka_unit_test(follow_what_is_pushed_edited_and_retracted),
      cmocka_unit_test(a_night_that_moves_leaves_its_month),
      cmocka_unit_test(a_recount_finds_what_is_wrong),
      cmocka_unit_test(months_begin_at_midnight_on_the_wall),
      cmocka_unit_test(more_than_one_round),
      cmocka_unit_test(an_erased_participant_has_no_sums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
