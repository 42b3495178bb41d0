/* Writing and reading through the public API, on real stores that sync with a real server in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

typedef struct home {
  world w;
  uint32_t linde, eik;
  ov_name carer, other, anna, bram, both;
  char anna_id[OC_ID_TEXT], carer_id[OC_ID_TEXT];
  tablet a, b;
  oc_error e;
} home;

static int setup(void **state) {
  home *h = calloc(1, sizeof *h);
  world_open(&h->w, 20260328);
  fx_world *fx = &h->w.fx;
  h->linde = fx_team(fx, h->w.org, "De Linde");
  h->eik = fx_team(fx, h->w.org, "De Eik");
  uint32_t teams[2] = {h->linde, h->eik};
  h->carer = fx_person(fx, h->w.org, "Kim", teams, 2);
  h->other = fx_person(fx, h->w.org, "Noor", teams, 1);
  h->anna = fx_participant(fx, h->w.org, "Anna", teams, 1);
  h->bram = fx_participant(fx, h->w.org, "Bram", teams + 1, 1);
  h->both = fx_participant(fx, h->w.org, "Cor", teams, 2);
  ov_name_text(&h->anna, h->anna_id);
  ov_name_text(&h->carer, h->carer_id);
  tablet_open(&h->a, &h->w, "a");
  tablet_open(&h->b, &h->w, "b");
  tablet_enrol(&h->a, "tablet a", teams, 1);
  tablet_enrol(&h->b, "tablet b", teams, 1);
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  *state = h;
  return 0;
}

static int teardown(void **state) {
  home *h = *state;
  tablet_close(&h->a);
  tablet_close(&h->b);
  world_close(&h->w);
  free(h);
  return 0;
}

static oc_draft *night(home *h, tablet *t, const char *client, const char *date) {
  oc_draft *d = oc_draft_new(t->s, "sleep");
  assert_int_equal(oc_draft_participant(d, client, &h->e), 0);
  assert_int_equal(oc_draft_author(d, "Kim", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "night_date", date, &h->e), 0);
  assert_int_equal(oc_draft_set(d, "source", "observatie", &h->e), 0);
  return d;
}

static void refused(home *h, int err, int want, const char *message) {
  assert_int_equal(err, want);
  assert_int_equal(h->e.err, want);
  assert_string_equal(h->e.message, message);
}

static const oc_record *shown(home *h, tablet *t, const char *id, oc_query **q) {
  assert_int_equal(oc_show(t->s, id, q, &h->e), 0);
  return oc_query_at(*q, 0);
}

/* -- writing --------------------------------------------------------------------------------------------- */

static void an_entry_is_shown_as_it_was_written(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  oc_query *q;
  oc_draft *d = night(h, &h->a, "anna", "2025-10-08");
  assert_int_equal(oc_draft_set(d, "quality", "goed", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "quality", "slecht", &h->e), 0); /* the last one counts */
  assert_int_equal(oc_draft_set(d, "disturbance", "pijn,geluid", &h->e), 0);
  assert_int_equal(oc_add(h->a.s, d, id, &h->e), 0);
  oc_draft_free(d);
  const oc_record *r = shown(h, &h->a, id, &q);
  assert_string_equal(oc_record_kind(r), "sleep");
  assert_string_equal(oc_record_participant(r), "Anna");
  assert_string_equal(oc_record_label_nl(r), "Nachtrust");
  assert_int_equal(oc_record_day(r), 20369);
  assert_int_equal(oc_record_state(r), OC_ON_DEVICE);
  assert_int_equal(oc_record_values(r), 4);
  const oc_value_view *v = oc_record_value(r, 2);
  assert_string_equal(v->field, "quality");
  assert_string_equal(v->text_nl, "slecht");
  assert_string_equal(v->text_en, "poor");
  assert_string_equal(v->raw, "2");
  assert_string_equal(v->author, "Kim");
  assert_true(v->unsent && !v->conflict && !v->clock_suspect);
  v = oc_record_value(r, 3);
  assert_string_equal(v->text_nl, "geluid, pijn");
  assert_string_equal(v->raw, "1,3");
  assert_null(oc_record_value(r, 4));
  assert_string_equal(oc_record_missing(r), "project,bed_at,sleep_try_at,final_wake_at,out_of_bed_at");
  oc_query_free(q);
  tablet_sync_ok(&h->a);
  r = shown(h, &h->a, id, &q);
  assert_int_equal(oc_record_state(r), OC_ON_SERVER);
  assert_false(oc_record_value(r, 2)->unsent);
  oc_query_free(q);
}

static void what_cannot_be_written_says_why(void **state) {
  home *h = *state;
  oc_draft *d = oc_draft_new(h->a.s, "sleeep");
  refused(h, oc_draft_set(d, "quality", "1", &h->e), OC_E_NOTFOUND, "no kind \"sleeep\" here");
  oc_draft_free(d);
  d = oc_draft_new(h->a.s, "sleep_check");
  refused(h, oc_draft_set(d, "quality", "1", &h->e), OC_E_NOTFOUND,
          "sleep_check has no field \"quality\"; its fields: project, phase, note, night_date, checked_at, "
          "state");
  refused(h, oc_draft_participant(d, "Dora", &h->e), OC_E_NOTFOUND, "no participant \"Dora\" here");
  refused(h, oc_draft_author(d, "Anna", &h->e), OC_E_NOTFOUND, "no person \"Anna\" here");
  oc_draft_free(d);
}

static void header_must_be_whole(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  oc_draft *d = oc_draft_new(h->a.s, "sleep_check");
  assert_int_equal(oc_draft_set(d, "state", "1", &h->e), 0);
  refused(h, oc_add(h->a.s, d, id, &h->e), OC_E_INVALID, "who writes this? give the author");
  assert_string_equal(h->e.message_nl, "Kies eerst wie dit invult.");
  assert_string_equal(id, "");
  assert_int_equal(oc_draft_author(d, "kim", &h->e), 0);
  refused(h, oc_add(h->a.s, d, id, &h->e), OC_E_INVALID, "sleep_check is about a client: say which one");
  assert_int_equal(oc_draft_participant(d, "Anna", &h->e), 0);
  assert_int_equal(oc_add(h->a.s, d, id, &h->e), 0);
  refused(h, oc_edit(h->a.s, d, &h->e), OC_E_INVALID, "this draft is for a new record: write it with oc_add");
  oc_draft_free(d);
  d = oc_draft_new(h->a.s, "person");
  assert_int_equal(oc_draft_author(d, "Kim", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "display_name", "Piet", &h->e), 0);
  refused(h, oc_add(h->a.s, d, id, &h->e), OC_E_INVALID,
          "person is kept by the administrator, on the server");
  oc_draft_free(d);
}

static void the_scope_is_the_clients_team(void **state) {
  home *h = *state;
  tablet c;
  uint32_t teams[2] = {h->linde, h->eik};
  char id[OC_ID_TEXT];
  sv_record_row row;
  ov_name name;
  tablet_open(&c, &h->w, "c");
  tablet_enrol(&c, "tablet c", teams, 2);
  tablet_sync_ok(&c);
  static const struct {
    const char *client;
    int team;
  } cases[] = {{"Anna", 0}, {"Bram", 1}, {"Cor", 0}};
  for (size_t i = 0; i < 3; i++) {
    oc_draft *d = night(h, &c, cases[i].client, "2025-10-07");
    assert_int_equal(oc_add(c.s, d, id, &h->e), 0);
    oc_draft_free(d);
    tablet_sync_ok(&c);
    assert_int_equal(ov_name_parse(id, &name), 0);
    assert_true(fx_record(&h->w.fx, h->w.org, &name, &row));
    assert_int_equal(row.rec.scope, teams[cases[i].team]);
    assert_true(row.rec.created);
  }
  /* a kind of the team without a client: which team must be said when there are two */
  oc_draft *d = oc_draft_new(c.s, "participant");
  assert_int_equal(oc_draft_author(d, "Kim", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "display_label", "Dirk", &h->e), 0);
  refused(h, oc_add(c.s, d, id, &h->e), OC_E_INVALID, "this device is in 2 teams: say which one it is about");
  oc_draft_free(d);
  tablet_close(&c);
}

static void an_edit_replaces_what_it_saw(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  oc_status before, after;
  oc_draft *d = night(h, &h->a, "Anna", "2025-10-01");
  assert_int_equal(oc_draft_set(d, "quality", "3", &h->e), 0);
  assert_int_equal(oc_add(h->a.s, d, id, &h->e), 0);
  oc_draft_free(d);
  d = oc_draft_edit(h->a.s, id, &h->e);
  assert_non_null(d);
  assert_int_equal(oc_draft_set(d, "quality", "4", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "disturbance", "1,2", &h->e), 0);
  assert_int_equal(oc_draft_author(d, "Noor", &h->e), 0);
  assert_int_equal(oc_edit(h->a.s, d, &h->e), 0);
  oc_draft_free(d);
  assert_string_equal(tablet_value(&h->a, id, "quality", NULL), "4");
  assert_string_equal(tablet_value(&h->a, id, "disturbance", NULL), "1,2");
  d = oc_draft_edit(h->a.s, id, &h->e);
  assert_int_equal(oc_draft_set(d, "disturbance", "-1,3", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "quality", "", &h->e), 0);
  assert_int_equal(oc_draft_author(d, "Kim", &h->e), 0);
  assert_int_equal(oc_edit(h->a.s, d, &h->e), 0);
  oc_draft_free(d);
  assert_string_equal(tablet_value(&h->a, id, "disturbance", NULL), "2,3");
  unsigned n;
  tablet_value(&h->a, id, "quality", &n);
  assert_int_equal(n, 0);
  /* an edit that says what is there already writes nothing */
  before = tablet_status(&h->a);
  d = oc_draft_edit(h->a.s, id, &h->e);
  assert_int_equal(oc_draft_set(d, "disturbance", "=2,3", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "night_date", "1-10-2025", &h->e), 0);
  assert_int_equal(oc_draft_author(d, "Kim", &h->e), 0);
  assert_int_equal(oc_edit(h->a.s, d, &h->e), 0);
  oc_draft_free(d);
  after = tablet_status(&h->a);
  assert_int_equal(before.unsent, after.unsent);
  d = oc_draft_edit(h->a.s, id, &h->e);
  refused(h, oc_draft_participant(d, "Cor", &h->e), OC_E_INVALID,
          "an entry stays with its client: retract it and add it to the other one");
  oc_draft_free(d);
  tablet_sync_ok(&h->a);
  assert_string_equal(tablet_value(&h->a, id, "disturbance", NULL), "2,3");
}

static void make_conflict(home *h, char id[OC_ID_TEXT], const char *date) {
  oc_draft *d = night(h, &h->a, "Anna", date);
  assert_int_equal(oc_draft_set(d, "quality", "3", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "disturbance", "1,2", &h->e), 0);
  assert_int_equal(oc_add(h->a.s, d, id, &h->e), 0);
  oc_draft_free(d);
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  tablet_edit(&h->a, id, &h->carer, "quality=4", "disturbance=!1", NULL);
  h->w.fx.now_ms += 60000;
  tablet_edit(&h->b, id, &h->other, "quality=2", "disturbance=3", NULL);
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  tablet_sync_ok(&h->a);
}

static void a_conflict_is_shown_and_settled(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  unsigned n;
  oc_query *q;
  make_conflict(h, id, "2025-09-30");
  assert_string_equal(tablet_value(&h->a, id, "quality", &n), "2"); /* the later one leads */
  assert_int_equal(n, 2);
  assert_string_equal(tablet_value(&h->a, id, "disturbance", &n), "2,3"); /* sets merge */
  assert_int_equal(n, 1);
  const oc_record *r = shown(h, &h->a, id, &q);
  assert_int_equal(oc_record_conflicts(r), 1);
  oc_query_free(q);
  oc_draft *d = oc_draft_edit(h->a.s, id, &h->e);
  refused(h, oc_draft_set(d, "quality", "5", &h->e), OC_E_CONFLICT,
          "quality: two people wrote different things here; settle it with resolve");
  assert_int_equal(oc_draft_set(d, "note", "rustig", &h->e), 0);
  oc_draft_free(d);
  refused(h, oc_resolve(h->a.s, id, "source", "1", "Kim", &h->e), OC_E_INVALID,
          "source is not in conflict: change it with edit");
  refused(h, oc_resolve(h->a.s, id, "quality", "9", "Kim", &h->e), OC_E_INVALID,
          "quality: \"9\" is not in the code list (1 very poor, 2 poor, 3 fair, 4 good, 5 very good)");
  assert_int_equal(oc_resolve(h->a.s, id, "quality", "redelijk", "Kim", &h->e), 0);
  assert_string_equal(tablet_value(&h->a, id, "quality", &n), "3");
  assert_int_equal(n, 1);
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  assert_string_equal(tablet_value(&h->b, id, "quality", &n), "3");
  assert_int_equal(n, 1);
}

static void a_set_in_conflict_is_settled_by_element(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  unsigned n;
  oc_draft *d = night(h, &h->a, "Anna", "2025-09-29");
  assert_int_equal(oc_add(h->a.s, d, id, &h->e), 0);
  oc_draft_free(d);
  tablet_edit(&h->a, id, &h->carer, "disturbance=5", NULL);
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  tablet_edit(&h->b, id, &h->other, "disturbance=-5", NULL);
  tablet_edit(&h->a, id, &h->carer, "disturbance=-5", NULL);
  tablet_edit(&h->a, id, &h->carer, "disturbance=5", NULL); /* deleted there, deleted and added again here */
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  tablet_sync_ok(&h->a);
  oc_query *q;
  const oc_record *r = shown(h, &h->a, id, &q);
  assert_int_equal(oc_record_conflicts(r), 1);
  oc_query_free(q);
  tablet_value(&h->a, id, "disturbance", &n);
  assert_int_equal(n, 3); /* the set, and both sides of its element */
  assert_int_equal(oc_resolve(h->a.s, id, "disturbance", "!alarm techniek", "Kim", &h->e), 0);
  r = shown(h, &h->a, id, &q);
  assert_int_equal(oc_record_conflicts(r), 0);
  oc_query_free(q);
}

static void a_retraction_and_its_undoing(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  oc_query *q;
  oc_draft *d = night(h, &h->a, "Anna", "2025-09-28");
  assert_int_equal(oc_add(h->a.s, d, id, &h->e), 0);
  oc_draft_free(d);
  refused(h, oc_retract(h->a.s, id, "Kim", NULL, &h->e), OC_E_INVALID,
          "this record is not retracted: there is nothing to undo");
  refused(h, oc_retract(h->a.s, id, "Kim", "", &h->e), OC_E_INVALID, "a retraction needs a reason");
  assert_int_equal(oc_retract(h->a.s, id, "Kim", "verkeerde cliënt", &h->e), 0);
  const oc_record *r = shown(h, &h->a, id, &q);
  assert_true(oc_record_retracted(r));
  assert_string_equal(oc_record_value(r, 0)->field, "retraction");
  assert_string_equal(oc_record_value(r, 0)->text_nl, "verkeerde cliënt");
  oc_query_free(q);
  tablet_sync_ok(&h->a);
  assert_int_equal(oc_retract(h->a.s, id, "Kim", NULL, &h->e), 0);
  r = shown(h, &h->a, id, &q);
  assert_false(oc_record_retracted(r));
  assert_int_equal(oc_record_conflicts(r), 0);
  oc_query_free(q);
  /* a value that the retraction had not seen makes it a conflict; `yes` lets it stand, having seen that
   * too */
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  assert_int_equal(oc_retract(h->a.s, id, "Kim", "dubbel", &h->e), 0);
  tablet_edit(&h->b, id, &h->other, "quality=2", NULL);
  tablet_sync_ok(&h->b);
  tablet_sync_ok(&h->a);
  r = shown(h, &h->a, id, &q);
  assert_false(oc_record_retracted(r));
  assert_int_equal(oc_record_conflicts(r), 1);
  oc_query_free(q);
  refused(h, oc_resolve(h->a.s, id, "retraction", "maybe", "Kim", &h->e), OC_E_INVALID,
          "\"maybe\": say yes (entered in error) or no (it stands)");
  assert_int_equal(oc_resolve(h->a.s, id, "retraction", "yes", "Kim", &h->e), 0);
  r = shown(h, &h->a, id, &q);
  assert_true(oc_record_retracted(r));
  assert_string_equal(oc_record_value(r, 0)->text_nl, "dubbel");
  oc_query_free(q);
  refused(h, oc_resolve(h->a.s, id, "retraction", "no", "Kim", &h->e), OC_E_INVALID,
          "the retraction of this record is not in conflict");
}

static void nothing_is_written_before_enrolment(void **state) {
  home *h = *state;
  tablet c;
  char id[OC_ID_TEXT];
  tablet_open(&c, &h->w, "empty");
  oc_draft *d = oc_draft_new(c.s, "sleep");
  refused(h, oc_draft_set(d, "quality", "1", &h->e), OC_E_NOTFOUND,
          "no kind \"sleep\" here: this store has never synced, so it has no schemas yet");
  refused(h, oc_add(c.s, d, id, &h->e), OC_E_ENROL,
          "this store is not enrolled yet: enrol it with a code first");
  oc_draft_free(d);
  refused(h, oc_sync(c.s, NULL, &h->e), OC_E_ENROL,
          "this store is not enrolled yet: enrol it with a code first");
  oc_query *q = NULL;
  refused(h, oc_query_run(c.s, &(oc_filter){.kind = "sleep"}, &q, &h->e), OC_E_NOTFOUND,
          "no kind \"sleep\" here: this store has never synced, so it has no schemas yet");
  assert_null(q);
  assert_int_equal(oc_query_run(c.s, &(oc_filter){0}, &q, &h->e), 0); /* of any kind: there is nothing */
  assert_int_equal(oc_query_count(q), 0);
  oc_query_free(q);
  tablet_close(&c);
}

/* Many carers said the same without having seen each other. An edit names all whose place it takes, of which
 * one op holds so many: with another field it is one too many, and each by itself can be changed. */
static void more_earlier_values_than_one_edit_names(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  fx_tablet *t = fx_tablet_new(&h->w.fx, h->w.org, &h->linde, 1, &h->other);
  ov_field night[] = {FX_INT(10, 20369), FX_INT(11, 1), FX_INT(19, 4)},
           noise = fx_set(&h->w.fx, 22, (int64_t[]){1}, 1, NULL, 0);
  ov_name record = fx_create(t, 20, &h->anna, night, 3);
  ov_op header = *t->ops[0];
  for (unsigned i = 0; i < OV_OP_REPLACES_MAX; i++) fx_edit_of(t, &header, &record, &noise, 1, &record, 1);
  for (uint32_t from = 1; from <= t->n; from += 64)
    fx_push_ok(t, h->w.org, from, from + 63 < t->n ? from + 63 : t->n);
  fx_tablet_free(t);
  tablet_sync_ok(&h->a);
  ov_name_text(&record, id);
  oc_draft *d = oc_draft_edit(h->a.s, id, &h->e);
  assert_non_null(d);
  assert_int_equal(oc_draft_author(d, "Kim", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "quality", "2", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "disturbance", "pijn", &h->e), 0);
  refused(h, oc_edit(h->a.s, d, &h->e), OC_E_INVALID,
          "too many earlier values at once: change fewer fields in one edit");
  oc_draft_free(d);
  tablet_edit(&h->a, id, &h->carer, "quality=2", NULL);
  tablet_edit(&h->a, id, &h->carer, "disturbance=!geluid,pijn", NULL);
  tablet_sync_ok(&h->a);
  assert_string_equal(tablet_value(&h->a, id, "quality", NULL), "2");
  assert_string_equal(tablet_value(&h->a, id, "disturbance", NULL), "3");
}

/* -- reading --------------------------------------------------------------------------------------------- */

static size_t count(home *h, tablet *t, oc_filter f) {
  oc_query *q;
  assert_int_equal(oc_query_run(t->s, &f, &q, &h->e), 0);
  size_t n = oc_query_count(q);
  for (size_t i = 1; i < n; i++)
    assert_true(oc_record_day(oc_query_at(q, i - 1)) <= oc_record_day(oc_query_at(q, i)));
  assert_null(oc_query_at(q, n));
  oc_query_free(q);
  return n;
}

static void queries_by_kind_client_and_day(void **state) {
  home *h = *state;
  static const char *const dates[] = {"2025-09-20", "2025-09-21", "2025-09-22"};
  char id[OC_ID_TEXT];
  for (size_t i = 0; i < 6; i++) {
    oc_draft *d = night(h, &h->a, i % 2 ? "Anna" : "Cor", dates[i / 2]);
    assert_int_equal(oc_add(h->a.s, d, id, &h->e), 0);
    oc_draft_free(d);
  }
  int64_t first = 20351; /* 2025-09-20 */
  assert_int_equal(count(h, &h->a, (oc_filter){.kind = "sleep", .from_day = first, .to_day = first + 2}), 6);
  assert_int_equal(count(h, &h->a, (oc_filter){.from_day = first, .to_day = first + 2}), 6);
  assert_int_equal(
      count(h, &h->a,
            (oc_filter){.kind = "sleep", .participant = "Anna", .from_day = first, .to_day = first + 2}),
      3);
  assert_int_equal(
      count(h, &h->a,
            (oc_filter){.kind = "sleep", .participant = "Anna", .from_day = first + 1, .to_day = first + 1}),
      1);
  assert_int_equal(
      count(h, &h->a, (oc_filter){.kind = "sleep_check", .from_day = first, .to_day = first + 2}), 0);
  assert_int_equal(count(h, &h->a, (oc_filter){.kind = "participant"}), 2); /* Bram is in another team */
  assert_int_equal(count(h, &h->a, (oc_filter){.kind = "person"}), 2);
  assert_int_equal(count(h, &h->a, (oc_filter){.from_day = first, .to_day = first + 2, .unsent_only = true}),
                   6);
  assert_int_equal(oc_retract(h->a.s, id, "Kim", "fout", &h->e), 0);
  assert_int_equal(count(h, &h->a, (oc_filter){.from_day = first, .to_day = first + 2}), 5);
  assert_int_equal(
      count(h, &h->a, (oc_filter){.from_day = first, .to_day = first + 2, .retracted_too = true}), 6);
  oc_query *q;
  assert_int_equal(
      oc_query_run(h->a.s, &(oc_filter){.from_day = first, .to_day = first + 2, .max = 2}, &q, &h->e), 0);
  assert_int_equal(oc_query_count(q), 2);
  assert_true(oc_query_more(q));
  assert_int_equal(oc_record_day(oc_query_at(q, 1)), first);
  oc_query_free(q);
  refused(h, oc_query_run(h->a.s, &(oc_filter){.kind = "slaap"}, &q, &h->e), OC_E_NOTFOUND,
          "no kind \"slaap\" here");
  refused(h, oc_query_run(h->a.s, &(oc_filter){.participant = "Bram"}, &q, &h->e), OC_E_NOTFOUND,
          "no participant \"Bram\" here");
}

/* 00:30 by the clock is the evening before by UTC. */
static void days_are_counted_by_the_clock(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  oc_draft *d = oc_draft_new(h->a.s, "sleep_check");
  assert_int_equal(oc_draft_participant(d, "Anna", &h->e), 0);
  assert_int_equal(oc_draft_author(d, "Kim", &h->e), 0);
  assert_int_equal(oc_draft_set(d, "checked_at", "2025-09-25 00:30", &h->e), 0);
  assert_int_equal(oc_add(h->a.s, d, id, &h->e), 0);
  oc_draft_free(d);
  int64_t day = 20356; /* 2025-09-25 */
  assert_int_equal(count(h, &h->a, (oc_filter){.kind = "sleep_check", .from_day = day, .to_day = day}), 1);
  assert_int_equal(
      count(h, &h->a, (oc_filter){.kind = "sleep_check", .from_day = day - 1, .to_day = day - 1}), 0);
  assert_int_equal(oc_store_zone(h->a.s, "Europe/London", &h->e), 0);
  assert_int_equal(
      count(h, &h->a, (oc_filter){.kind = "sleep_check", .from_day = day - 1, .to_day = day - 1}), 1);
  assert_string_equal(tablet_value(&h->a, id, "checked_at", NULL), "2025-09-24T23:30:00+01:00");
  refused(h, oc_store_zone(h->a.s, "Europe/Utrecht", &h->e), OC_E_INVALID,
          "no time zone \"Europe/Utrecht\" on this system; write it as Europe/Amsterdam");
  assert_int_equal(oc_store_zone(h->a.s, NULL, &h->e), 0);
  assert_string_equal(tablet_value(&h->a, id, "checked_at", NULL), "2025-09-25T00:30:00+02:00");
}

static void short_ids_and_doubles(void **state) {
  home *h = *state;
  char one[OC_ID_TEXT], two[OC_ID_TEXT];
  oc_query *q;
  oc_draft *d = night(h, &h->a, "Anna", "2025-09-18");
  assert_int_equal(oc_add(h->a.s, d, one, &h->e), 0);
  assert_int_equal(oc_add(h->a.s, d, two, &h->e), 0);
  oc_draft_free(d);
  const oc_record *r = shown(h, &h->a, strrchr(one, '-') + 1, &q);
  assert_string_equal(oc_record_id(r), one);
  assert_string_equal(oc_record_double(r), two);
  oc_query_free(q);
  r = shown(h, &h->a, one + 33, &q); /* seq-tag */
  assert_string_equal(oc_record_id(r), one);
  oc_query_free(q);
  char start[OC_ID_TEXT];
  snprintf(start, sizeof start, "%.*s", (int)strlen(one) - 2, one);
  r = shown(h, &h->a, start, &q);
  assert_string_equal(oc_record_id(r), one);
  oc_query_free(q);
  snprintf(start, sizeof start, "%.20s", one);
  assert_int_equal(oc_show(h->a.s, start, &q, &h->e), OC_E_INVALID); /* the writer alone names them all */
  refused(h, oc_show(h->a.s, "abc", &q, &h->e), OC_E_NOTFOUND, "no record \"abc\" here");
  refused(h, oc_show(h->a.s, "not an id", &q, &h->e), OC_E_NOTFOUND, "no record \"not an id\" here");
  assert_int_equal(oc_retract(h->a.s, two, "Kim", "dubbel", &h->e), 0);
  r = shown(h, &h->a, one, &q);
  assert_string_equal(oc_record_double(r), "");
  oc_query_free(q);
}

static void json_and_exports(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT], *text;
  oc_query *q;
  tablet_sync_ok(&h->a);
  oc_draft *d = night(h, &h->a, "Anna", "2025-09-17");
  assert_int_equal(oc_draft_set(d, "note", "zei: \"au\"\n", &h->e), 0);
  assert_int_equal(oc_add(h->a.s, d, id, &h->e), 0);
  oc_draft_free(d);
  const oc_record *r = shown(h, &h->a, id, &q);
  const char *j = oc_record_json(r);
  assert_non_null(strstr(j, "\"day\":\"2025-09-17\""));
  assert_non_null(strstr(j, "\"participant\":\"Anna\""));
  assert_non_null(strstr(j, "\"value\":\"zei: \\\"au\\\"\\n\""));
  assert_non_null(strstr(j, "\"state\":\"device\""));
  assert_ptr_equal(j, oc_record_json(r));
  oc_query_free(q);
  assert_int_equal(oc_schemas_json(h->a.s, &text, &h->e), 0);
  assert_non_null(strstr(text, "\"kind\":\"sleep\""));
  assert_non_null(strstr(text, "\"natural_key\":[\"participant\",\"night_date\",\"source\"]"));
  oc_free(text);
  assert_int_equal(oc_export_unsent(h->a.s, &text, &h->e), 0);
  assert_non_null(strstr(text, "\"why\": \"unsent\""));
  assert_non_null(strstr(text, id));
  assert_null(strstr(strstr(text, "\"why\"") + 1, "\"why\"")); /* the one entry, and no more */
  oc_free(text);
  tablet_sync_ok(&h->a);
  assert_int_equal(oc_export_unsent(h->a.s, &text, &h->e), 0);
  assert_null(strstr(text, "\"why\""));
  oc_free(text);
}

static void settings(void **state) {
  home *h = *state;
  char v[32];
  assert_int_equal(oc_setting_get(h->a.s, "author", v, sizeof v, &h->e), 0);
  assert_string_equal(v, "");
  assert_int_equal(oc_setting_put(h->a.s, "author", "Kim", &h->e), 0);
  tablet_reopen(&h->a);
  assert_int_equal(oc_setting_get(h->a.s, "author", v, sizeof v, &h->e), 0);
  assert_string_equal(v, "Kim");
  assert_int_equal(oc_setting_get(h->a.s, "author", v, 3, &h->e), OC_E_INVALID);
  assert_int_equal(oc_setting_put(h->a.s, "author", "", &h->e), 0);
  assert_int_equal(oc_setting_get(h->a.s, "author", v, sizeof v, &h->e), 0);
  assert_string_equal(v, "");
  refused(h, oc_setting_put(h->a.s, "self:x", "1", &h->e), OC_E_INVALID,
          "\"self:x\" is no name of a setting: 1 to 40 of a-z 0-9 _");
}

/* -- imports --------------------------------------------------------------------------------------------- */

static oc_once once(home *h, tablet *t, uint8_t key, uint8_t content, const char *quality,
                    const char *disturbance, bool dry) {
  oc_once it = {.draft = night(h, t, "Anna", "2025-09-16")};
  it.key[0] = key;
  it.content[0] = content;
  if (quality) assert_int_equal(oc_draft_set(it.draft, "quality", quality, &h->e), 0);
  if (disturbance) assert_int_equal(oc_draft_set(it.draft, "disturbance", disturbance, &h->e), 0);
  assert_int_equal(oc_add_once(t->s, &it, 1, dry, &h->e), 0);
  oc_draft_free(it.draft);
  it.draft = NULL;
  return it;
}

static void an_import_writes_once(void **state) {
  home *h = *state;
  oc_status st = tablet_status(&h->a);
  oc_once it = once(h, &h->a, 1, 1, "3", "1,2", true);
  assert_int_equal(it.outcome, OC_ONCE_NEW);
  assert_string_equal(it.id, "");
  assert_int_equal(tablet_status(&h->a).unsent, st.unsent); /* dry */
  it = once(h, &h->a, 1, 1, "3", "1,2", false);
  assert_int_equal(it.outcome, OC_ONCE_NEW);
  assert_int_equal(tablet_status(&h->a).unsent, st.unsent + 1);
  oc_once again = once(h, &h->a, 1, 1, "3", "1,2", false);
  assert_int_equal(again.outcome, OC_ONCE_SAME);
  assert_string_equal(again.id, it.id);
  assert_int_equal(tablet_status(&h->a).unsent, st.unsent + 1);
  assert_int_equal(oc_verify(h->a.s, &h->e), 0);
}

static void a_corrected_source_leaves_what_people_wrote(void **state) {
  home *h = *state;
  unsigned n;
  oc_once it = once(h, &h->a, 2, 1, "3", "1,2", false);
  tablet_sync_ok(&h->a);
  tablet_edit(&h->a, it.id, &h->carer, "quality=5", "disturbance=9", NULL);
  tablet_sync_ok(&h->a);
  /* the source changes other codes, and no longer says 1: what the carer wrote stays */
  oc_once fix = once(h, &h->a, 2, 2, "3", "2,4", false);
  assert_int_equal(fix.outcome, OC_ONCE_CHANGED);
  assert_string_equal(fix.id, it.id);
  assert_string_equal(tablet_value(&h->a, it.id, "quality", &n), "5");
  assert_int_equal(n, 1);
  assert_string_equal(tablet_value(&h->a, it.id, "disturbance", NULL), "2,4,9");
  /* the source changes what the carer changed too: both are shown */
  fix = once(h, &h->a, 2, 3, "1", "2,4", false);
  assert_int_equal(fix.outcome, OC_ONCE_CHANGED);
  tablet_value(&h->a, it.id, "quality", &n);
  assert_int_equal(n, 2);
  /* and takes it back: its own value goes, the carer's stands */
  fix = once(h, &h->a, 2, 4, NULL, "2,4", false);
  assert_int_equal(fix.outcome, OC_ONCE_CHANGED);
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  assert_string_equal(tablet_value(&h->b, it.id, "disturbance", NULL), "2,4,9");
  /* the same values under another content: nothing is written */
  oc_status st = tablet_status(&h->a);
  fix = once(h, &h->a, 2, 5, NULL, "4,2", false);
  assert_int_equal(fix.outcome, OC_ONCE_SAME);
  assert_int_equal(tablet_status(&h->a).unsent, st.unsent);
}

static void a_refused_item_stops_no_other(void **state) {
  home *h = *state;
  oc_once items[3] = {0};
  oc_status st = tablet_status(&h->a);
  for (uint8_t i = 0; i < 3; i++) {
    items[i].draft = oc_draft_new(h->a.s, "sleep");
    items[i].key[0] = (uint8_t)(0x30 + i);
    assert_int_equal(oc_draft_set(items[i].draft, "night_date", "2025-09-15", &h->e), 0);
    assert_int_equal(oc_draft_author(items[i].draft, "Kim", &h->e), 0);
    if (i != 1) assert_int_equal(oc_draft_participant(items[i].draft, "Anna", &h->e), 0);
  }
  assert_int_equal(oc_add_once(h->a.s, items, 3, false, &h->e), 0);
  assert_int_equal(items[0].outcome, OC_ONCE_NEW);
  assert_int_equal(items[1].outcome, OC_ONCE_REFUSED);
  assert_string_equal(items[1].error.message, "sleep is about a client: say which one");
  assert_int_equal(items[2].outcome, OC_ONCE_NEW);
  assert_int_equal(tablet_status(&h->a).unsent, st.unsent + 2);
  for (size_t i = 0; i < 3; i++) oc_draft_free(items[i].draft);
}

/* -- the whole store ------------------------------------------------------------------------------------- */

static void everything_verifies_at_the_end(void **state) {
  home *h = *state;
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  assert_int_equal(oc_verify(h->a.s, &h->e), 0);
  assert_int_equal(oc_verify(h->b.s, &h->e), 0);
  fx_verify(&h->w.fx, h->w.org);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_entry_is_shown_as_it_was_written),
      cmocka_unit_test(what_cannot_be_written_says_why),
      cmocka_unit_test(header_must_be_whole),
      cmocka_unit_test(the_scope_is_the_clients_team),
      cmocka_unit_test(an_edit_replaces_what_it_saw),
      cmocka_unit_test(a_conflict_is_shown_and_settled),
      cmocka_unit_test(a_set_in_conflict_is_settled_by_element),
      cmocka_unit_test(a_retraction_and_its_undoing),
      cmocka_unit_test(nothing_is_written_before_enrolment),
      cmocka_unit_test(more_earlier_values_than_one_edit_names),
      cmocka_unit_test(queries_by_kind_client_and_day),
      cmocka_unit_test(days_are_counted_by_the_clock),
      cmocka_unit_test(short_ids_and_doubles),
      cmocka_unit_test(json_and_exports),
      cmocka_unit_test(settings),
      cmocka_unit_test(an_import_writes_once),
      cmocka_unit_test(a_corrected_source_leaves_what_people_wrote),
      cmocka_unit_test(a_refused_item_stops_no_other),
      cmocka_unit_test(everything_verifies_at_the_end),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
