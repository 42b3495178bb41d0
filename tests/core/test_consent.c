/* The rule of consent: what counts, what withdraws, and that what is unclear is no. */
#include "ingest_world.h"
#include "sv_consent.h"
#include "sv_limits.h"

#include <stdlib.h>

#define PURPOSE 2
#define GIVEN_BY 3
#define GIVEN_ON 4
#define ASSESSED_BY 6
#define ASSESSED_AT 7
#define FORM 8
#define VALID 9
#define WITHDRAWN 10
#define RESISTANCE 11
#define DAY(n) ((int64_t)(n)*86400)

typedef struct consent_world {
  small_world s;
  uint32_t seq; /* pushed up to here */
} consent_world;

static int setup(void **state) {
  consent_world *c = calloc(1, sizeof *c);
  if (!c) return -1;
  small_open(&c->s, 71);
  *state = c;
  return 0;
}

static int teardown(void **state) {
  consent_world *c = *state;
  fx_verify(&c->s.w, c->s.org);
  small_close(&c->s);
  free(c);
  return 0;
}

static void push(consent_world *c) {
  fx_push_ok(c->s.ta, c->s.org, c->seq + 1, c->s.ta->n);
  c->seq = c->s.ta->n;
}

static ov_name give(consent_world *c, int64_t purpose, int64_t day) {
  ov_field f[] = {FX_INT(PURPOSE, purpose), FX_INT(GIVEN_BY, 1), FX_INT(GIVEN_ON, day), fx_text(FORM, "v1"),
                  FX_INT(VALID, 1)};
  ov_name name = fx_create(c->s.ta, SV_KIND_CONSENT, &c->s.anna, f, 5);
  push(c);
  return name;
}

static void change(consent_world *c, const ov_name *record, ov_field *f, uint32_t n) {
  fx_edit(c->s.ta, c->s.org, record, f, n);
  push(c);
}

static bool asked(consent_world *c, sv_purpose purpose, int64_t day) {
  sv_txn *t = NULL;
  bool yes = true;
  FX_OK(sv_txn_read(c->s.org->env, &t));
  FX_OK(sv_consent(t, c->s.org, &c->s.anna, purpose, DAY(day) + 3600, &yes));
  sv_txn_abort(t);
  return yes;
}

static void no_record_is_no(void **state) {
  consent_world *c = *state;
  assert_false(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
}

/* More records than are read at once: each counts, the first as the last. */
static void each_of_many_records_counts(void **state) {
  consent_world *c = *state;
  give(c, SV_PURPOSE_RESEARCH, NIGHT - 100);
  for (unsigned i = 0; i < 2 * SV_CONSENT_PAGE; i++) give(c, SV_PURPOSE_NETWORK_REVIEW, NIGHT - 99);
  give(c, SV_PURPOSE_STORY, NIGHT - 98);
  assert_true(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
  assert_true(asked(c, SV_PURPOSE_NETWORK_REVIEW, NIGHT));
  assert_true(asked(c, SV_PURPOSE_STORY, NIGHT));
}

static void it_counts_from_its_day_on_and_for_its_purpose_only(void **state) {
  consent_world *c = *state;
  give(c, SV_PURPOSE_RESEARCH, NIGHT - 3);
  assert_false(asked(c, SV_PURPOSE_RESEARCH, NIGHT - 4));
  assert_true(asked(c, SV_PURPOSE_RESEARCH, NIGHT - 3));
  assert_true(asked(c, SV_PURPOSE_RESEARCH, NIGHT + 400));
  assert_false(asked(c, SV_PURPOSE_NETWORK_REVIEW, NIGHT));
  give(c, SV_PURPOSE_NETWORK_REVIEW, NIGHT);
  assert_true(asked(c, SV_PURPOSE_NETWORK_REVIEW, NIGHT));
}

static void a_withdrawal_counts_from_its_day_on_and_a_later_consent_outweighs_it(void **state) {
  consent_world *c = *state;
  ov_name first = give(c, SV_PURPOSE_RESEARCH, NIGHT - 30);
  ov_field f[] = {FX_INT(WITHDRAWN, NIGHT)};
  change(c, &first, f, 1); /* `valid` was forgotten: withdrawn all the same */
  assert_true(asked(c, SV_PURPOSE_RESEARCH, NIGHT - 1));
  assert_false(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
  give(c, SV_PURPOSE_RESEARCH, NIGHT); /* the same day: which came first nobody knows */
  assert_false(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
  give(c, SV_PURPOSE_RESEARCH, NIGHT + 1);
  assert_true(asked(c, SV_PURPOSE_RESEARCH, NIGHT + 1));
}

static void withdrawing_an_older_form_withdraws_the_newer_consent_too(void **state) {
  consent_world *c = *state;
  ov_name old = give(c, SV_PURPOSE_RESEARCH, NIGHT - 30);
  give(c, SV_PURPOSE_RESEARCH, NIGHT - 10);
  ov_field f[] = {FX_INT(VALID, 0)};
  change(c, &old, f, 1); /* without a day: today */
  assert_false(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
}

static void resistance_of_the_client_is_no(void **state) {
  consent_world *c = *state;
  ov_name name = give(c, SV_PURPOSE_RESEARCH, NIGHT - 30);
  ov_field f[] = {FX_INT(RESISTANCE, 1)};
  change(c, &name, f, 1);
  assert_false(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
}

static void what_is_incomplete_or_entered_in_error_does_not_count(void **state) {
  consent_world *c = *state;
  ov_field f[] = {FX_INT(PURPOSE, 3), FX_INT(GIVEN_BY, 5), FX_INT(GIVEN_ON, NIGHT), fx_text(FORM, "v1"),
                  FX_INT(VALID, 1)};
  ov_name name = fx_create(c->s.ta, SV_KIND_CONSENT, &c->s.anna, f, 5);
  push(c);
  assert_false(asked(c, SV_PURPOSE_RESEARCH, NIGHT)); /* for another, and nobody judged the capacity */
  ov_field g[] = {fx_ref(&c->s.w, ASSESSED_BY, &c->s.carer), FX_INT(ASSESSED_AT, NIGHT)};
  change(c, &name, g, 2);
  assert_true(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
  ov_field h[] = {fx_text(OV_FIELD_RETRACTED, "wrong client")};
  sv_record_row row;
  assert_true(fx_record(&c->s.w, c->s.org, &name, &row));
  ov_name *seen;
  uint32_t n;
  FX_OK(ov_record_seen_all(&row.rec, &c->s.w.arena, &seen, &n));
  fx_edit_of(c->s.ta, c->s.ta->ops[0], &name, h, 1, seen, n);
  push(c);
  assert_false(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
}

/* Two carers who did not see each other: one withdrew. Until it is settled nobody may count on the yes. */
static void a_conflict_is_no(void **state) {
  consent_world *c = *state;
  ov_name name = give(c, SV_PURPOSE_RESEARCH, NIGHT - 30);
  ov_field yes[] = {FX_INT(PURPOSE, 3)}, no[] = {FX_INT(PURPOSE, 2)};
  const ov_op *first = c->s.ta->ops[0];
  fx_edit_of(c->s.ta, first, &name, yes, 1, &name, 1);
  fx_edit_of(c->s.ta, first, &name, no, 1, &name, 1);
  push(c);
  assert_false(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
  assert_false(asked(c, SV_PURPOSE_NETWORK_REVIEW, NIGHT));
  change(c, &name, yes, 1);
  assert_true(asked(c, SV_PURPOSE_RESEARCH, NIGHT));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(no_record_is_no),
      T(each_of_many_records_counts),
      T(it_counts_from_its_day_on_and_for_its_purpose_only),
      T(a_withdrawal_counts_from_its_day_on_and_a_later_consent_outweighs_it),
      T(withdrawing_an_older_form_withdraws_the_newer_consent_too),
      T(resistance_of_the_client_is_no),
      T(what_is_incomplete_or_entered_in_error_does_not_count),
      T(a_conflict_is_no),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
