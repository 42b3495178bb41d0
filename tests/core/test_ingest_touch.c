/* What a push tells about the records it changed: which may be left out of the author's own DELTA, and which
 * never. */
#include "ingest_world.h"

/* The one touch of a record in team A's scope. */
static sv_touch only_touch(const small_world *s, const sv_push_out *out, const ov_name *record) {
  sv_touch found = {0};
  unsigned n = 0;
  for (uint32_t i = 0; i < out->touches.n; i++) {
    if (!ov_name_equal(&out->touches.v[i].record, record) || out->touches.v[i].scope != s->a) continue;
    found = out->touches.v[i];
    n++;
  }
  assert_int_equal(n, 1);
  return found;
}

static sv_touch push_one(small_world *s, fx_tablet *t, sv_org *org, const ov_name *record) {
  sv_push_out out;
  FX_OK(fx_push(t, org, t->n, t->n, &out));
  sv_touch c = only_touch(s, &out, record);
  sv_touches_free(&out.touches);
  return c;
}

/* PROTO-112 */
static void own_changes_are_the_authors(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 80);
  ov_name night = small_night(&s, s.ta, 1);
  sv_touch c = push_one(&s, s.ta, s.org, &night);
  assert_false(c.foreign);
  assert_false(c.gone);
  assert_int_equal(c.prev_pos, 0);
  uint64_t first = c.pos;
  small_set(s.ta, 1, SLEEP_SOL, 5, NULL);
  c = push_one(&s, s.ta, s.org, &night);
  assert_false(c.foreign);
  assert_int_equal(c.prev_pos, first);
  /* A colleague edits: nothing but that push changed it, and the session sees by prev_pos whether the
   * colleague knew what was before. */
  fx_tablet *t2 = fx_tablet_new(&s.w, s.org, &s.a, 1, &s.carer);
  ov_field f[] = {FX_INT(SLEEP_SOL, 6)};
  fx_edit(t2, s.org, &night, f, 1);
  uint64_t second = c.pos;
  c = push_one(&s, t2, s.org, &night);
  assert_false(c.foreign);
  assert_int_equal(c.prev_pos, second);
  fx_tablet_free(t2);
  small_close(&s);
}

static void many_changes_of_one_record_in_one_push_take_one_position(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  sv_scope scope;
  sv_txn *t = NULL;
  small_open(&s, 81);
  ov_name night = small_night(&s, s.ta, 1);
  ov_name last = night;
  for (int i = 0; i < 20; i++) last = small_set(s.ta, 1, SLEEP_SOL, i, i ? &last : NULL);
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_scope_get(t, s.a, &scope));
  sv_txn_abort(t);
  FX_OK(fx_push(s.ta, s.org, 1, 21, &out));
  assert_int_equal(out.touches.n, 1);
  assert_int_equal(out.touches.v[0].pos, scope.pos + 1);
  sv_touches_free(&out.touches);
  sv_record_row rec;
  assert_true(fx_record(&s.w, s.org, &night, &rec));
  assert_int_equal(fx_int(&rec, SLEEP_SOL), 19);
  assert_int_equal(ov_record_conflicts(&rec.rec), 0);
  small_close(&s);
}

/* PROTO-88, PROTO-112 */
static void held_ops_are_always_told(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 82);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  ov_name bad = small_set(s.ta, 1, SLEEP_SOL, 5000, NULL);
  assert_true(push_one(&s, s.ta, s.org, &night).foreign);
  small_set(s.ta, 1, SLEEP_WAKE, 2,
            NULL); /* a good one beside it: what it makes of the record needs the held one */
  assert_true(push_one(&s, s.ta, s.org, &night).foreign);
  fx_rule(&s.w, s.org, &bad, SV_RULING_ADMIT);
  small_set(s.ta, 1, SLEEP_WAKE, 3, NULL);
  assert_false(push_one(&s, s.ta, s.org, &night).foreign);
  small_close(&s);
}

/* An op is offered again after a colleague has replaced its value: the author, who does not know, would lay
 * it on top of the record once more. PROTO-112 */
static void what_was_replaced_since_is_told_to_who_offers_it_again(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  small_open(&s, 87);
  fx_tablet *t2 = fx_tablet_new(&s.w, s.org, &s.a, 1, &s.carer);
  ov_name night = small_night(&s, s.ta, 1);
  small_set(s.ta, 1, SLEEP_SOL, 5, NULL);
  fx_push_ok(s.ta, s.org, 1, 2);
  FX_OK(fx_push(s.ta, s.org, 2, 2, &out)); /* nothing has become of it: nothing to tell */
  assert_int_equal(out.duplicates, 1);
  assert_int_equal(out.touches.n, 0);
  sv_touches_free(&out.touches);
  ov_field f[] = {FX_INT(SLEEP_SOL, 6)};
  fx_edit(t2, s.org, &night, f, 1);
  fx_push_ok(t2, s.org, 1, 1);
  sv_record_row before, after;
  assert_true(fx_record(&s.w, s.org, &night, &before));
  FX_OK(fx_push(s.ta, s.org, 2, 2, &out));
  sv_touch c = only_touch(&s, &out, &night);
  assert_true(c.foreign);
  sv_touches_free(&out.touches);
  assert_true(fx_record(&s.w, s.org, &night, &after));
  assert_int_equal(after.changed, before.changed);
  assert_int_equal(fx_int(&after, SLEEP_SOL), 6);
  fx_verify(&s.w, s.org);
  fx_tablet_free(t2);
  small_close(&s);
}

static bool next_for_the_programme(sv_org *org, ov_name *op) {
  sv_txn *t = NULL;
  uint64_t id;
  FX_OK(sv_txn_write(org->env, &t));
  int err = sv_queue_peek(t, &id, op);
  if (!err) FX_OK(sv_queue_pop(t, id));
  FX_OK(sv_txn_commit(t));
  return !err;
}

/* The same of what the programme shares: it is looked at there once more. What is held has not gone there.
 * PROTO-112 */
static void what_the_programme_has_is_looked_at_there_when_it_is_offered_again(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  ov_name first;
  small_open(&s, 89);
  fx_role(&s.w, s.org, &s.carer, 2);
  s.ta->scope = 0;
  ov_field f[] = {fx_text(3, "Les"), fx_text(4, "Eerst kijken.")}, g[] = {FX_INT(3, 1)};
  ov_name lesson = fx_create(s.ta, 13, NULL, f, 2), wrong = fx_create(s.ta, 13, NULL, g, 1);
  fx_push_ok(s.ta, s.org, 1, 2);
  assert_int_equal(fx_verdict(&s.w, s.org, &lesson, NULL), OV_APPLIED);
  assert_int_equal(fx_verdict(&s.w, s.org, &wrong, NULL), OV_HELD);
  assert_true(next_for_the_programme(s.org, &first));
  assert_true(ov_name_equal(&first, &lesson));
  assert_false(next_for_the_programme(s.org, &first));
  FX_OK(fx_push(s.ta, s.org, 1, 2, &out));
  assert_int_equal(out.duplicates, 2);
  sv_touches_free(&out.touches);
  assert_true(next_for_the_programme(s.org, &first));
  assert_true(ov_name_equal(&first, &lesson));
  assert_false(next_for_the_programme(s.org, &first));
  small_close(&s);
}

/* t2 met ta's op through the hub and replaced its value; its op is here before ta's. */
static void a_stored_op_that_names_a_pushed_one_is_told(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 83);
  fx_tablet *t2 = fx_tablet_new(&s.w, s.org, &s.a, 1, &s.carer);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  ov_name sol = small_set(s.ta, 1, SLEEP_SOL, 5, NULL);
  ov_field f[] = {FX_INT(SLEEP_SOL, 6)};
  fx_edit_of(t2, s.ta->ops[0], &night, f, 1, &sol, 1);
  fx_push_ok(t2, s.org, 1, 1);
  small_set(s.ta, 1, SLEEP_WAKE, 1, NULL);
  sv_push_out out;
  FX_OK(fx_push(s.ta, s.org, 2, 3, &out));
  assert_true(only_touch(&s, &out, &night).foreign);
  sv_touches_free(&out.touches);
  sv_record_row rec;
  assert_true(fx_record(&s.w, s.org, &night, &rec));
  assert_int_equal(fx_int(&rec, SLEEP_SOL), 6);
  assert_false(ov_record_field_conflict(&rec.rec, SLEEP_SOL));
  fx_tablet_free(t2);
  small_close(&s);
}

/* The same, and the pushed op is all there is: the record stays as it was, and is told nevertheless. */
static void an_op_that_is_replaced_at_once_is_told(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 88);
  fx_tablet *t2 = fx_tablet_new(&s.w, s.org, &s.a, 1, &s.carer);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  ov_name sol = small_set(s.ta, 1, SLEEP_SOL, 5, NULL);
  ov_field f[] = {FX_INT(SLEEP_SOL, 6)};
  fx_edit_of(t2, s.ta->ops[0], &night, f, 1, &sol, 1);
  fx_push_ok(t2, s.org, 1, 1);
  sv_record_row before, after;
  assert_true(fx_record(&s.w, s.org, &night, &before));
  assert_true(push_one(&s, s.ta, s.org, &night).foreign);
  assert_true(fx_record(&s.w, s.org, &night, &after));
  assert_int_equal(after.changed, before.changed);
  assert_int_equal(after.rec.n_ops, before.rec.n_ops);
  fx_tablet_free(t2);
  small_close(&s);
}

/* PROTO-112, PROTO-116 */
static void an_edit_of_a_record_that_left_the_window_is_told(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 84);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  int64_t day = 86400000;
  s.w.now_ms += (OV_WINDOW_DAYS - OV_WINDOW_MARGIN_DAYS - 2) * day;
  small_set(s.ta, 1, SLEEP_SOL, 1, NULL);
  assert_false(
      push_one(&s, s.ta, s.org, &night).foreign); /* well inside: and it counts anew from this change */
  s.w.now_ms += (OV_WINDOW_DAYS - OV_WINDOW_MARGIN_DAYS) * day + day / 2;
  small_set(s.ta, 1, SLEEP_SOL, 2, NULL);
  assert_true(push_one(&s, s.ta, s.org, &night).foreign); /* within the margin */
  s.w.now_ms += 100 * day;
  small_set(s.ta, 1, SLEEP_SOL, 3, NULL);
  sv_touch c = push_one(&s, s.ta, s.org, &night);
  assert_true(c.foreign); /* long outside: the tablet dropped it, and gets it whole */
  sv_record_row rec;
  assert_true(fx_record(&s.w, s.org, &night, &rec));
  assert_int_equal(rec.changed, s.w.now_ms / 1000);
  assert_int_equal(rec.places[0].pos, c.pos);
  /* A participant is no windowed kind. */
  ov_field f[] = {FX_INT(3, 2)};
  fx_edit(s.ta, s.org, &s.anna, f, 1);
  assert_false(push_one(&s, s.ta, s.org, &s.anna).foreign);
  small_close(&s);
}

static void what_comes_back_to_a_scope_is_told(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  small_open(&s, 85);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  ov_field away[] = {fx_set(&s.w, SV_PARTICIPANT_TEAMS, (int64_t[]){s.b}, 1, (int64_t[]){s.a}, 1)};
  fx_edit(s.ta, s.org, &s.anna, away, 1);
  FX_OK(fx_push(s.ta, s.org, 2, 2, &out));
  sv_touch c = only_touch(&s, &out, &night);
  assert_true(c.gone);
  assert_true(c.foreign);
  sv_touches_free(&out.touches);
  /* Offered again, because the ACK was lost: its tablet may have heard before the ACK that it left, and hears
   * it again. PROTO-110 */
  uint64_t left = c.pos;
  FX_OK(fx_push(s.ta, s.org, 1, 1, &out));
  c = only_touch(&s, &out, &night);
  assert_true(c.gone && c.foreign);
  assert_int_equal(c.prev_pos, left);
  assert_true(c.pos > left);
  sv_touches_free(&out.touches);
  ov_field back[] = {fx_set(&s.w, SV_PARTICIPANT_TEAMS, (int64_t[]){s.a}, 1, NULL, 0)};
  fx_edit(s.tb, s.org, &s.anna, back, 1);
  FX_OK(fx_push(s.tb, s.org, 1, 1, &out));
  c = only_touch(&s, &out, &night);
  assert_false(c.gone);
  assert_true(c.foreign);
  sv_touches_free(&out.touches);
  small_close(&s);
}

static void retractions_that_saw_different_things_are_told(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 86);
  fx_tablet *t2 = fx_tablet_new(&s.w, s.org, &s.a, 1, &s.carer);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  ov_field f[] = {fx_text(OV_FIELD_RETRACTED, "wrong client")},
           g[] = {fx_text(OV_FIELD_RETRACTED, "typing error")};
  ov_name r1 = fx_edit_of(s.ta, s.ta->ops[0], &night, f, 1, &night, 1);
  fx_edit_of(t2, s.ta->ops[0], &night, g, 1, &night, 1);
  fx_push_ok(s.ta, s.org, 2, 2);
  fx_push_ok(t2, s.org, 1, 1);
  ov_field undo[] = {{OV_FIELD_RETRACTED, ov_nil()}};
  fx_edit_of(s.ta, s.ta->ops[0], &night, undo, 1, &r1,
             1); /* one of the two: what the other saw is not known to the author */
  assert_true(push_one(&s, s.ta, s.org, &night).foreign);
  fx_tablet_free(t2);
  small_close(&s);
}

/* A retraction and its undoing in one push, where somebody else had retracted too: at the end one is left,
 * and what the author's own had seen must not count for it. PROTO-112 */
static void a_retraction_that_comes_and_goes_beside_another_is_told(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  small_open(&s, 87);
  fx_tablet *t2 = fx_tablet_new(&s.w, s.org, &s.a, 1, &s.carer);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  ov_field f[] = {fx_text(OV_FIELD_RETRACTED, "wrong client")}, undo[] = {{OV_FIELD_RETRACTED, ov_nil()}};
  fx_edit_of(t2, s.ta->ops[0], &night, f, 1, &night, 1);
  fx_push_ok(t2, s.org, 1, 1);
  ov_name mine = fx_edit_of(s.ta, s.ta->ops[0], &night, f, 1, &night, 1);
  fx_edit_of(s.ta, s.ta->ops[0], &night, undo, 1, &mine, 1);
  FX_OK(fx_push(s.ta, s.org, 2, 3, &out));
  assert_true(only_touch(&s, &out, &night).foreign);
  sv_touches_free(&out.touches);
  fx_tablet_free(t2);
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(own_changes_are_the_authors),
      cmocka_unit_test(many_changes_of_one_record_in_one_push_take_one_position),
      cmocka_unit_test(held_ops_are_always_told),
      cmocka_unit_test(what_was_replaced_since_is_told_to_who_offers_it_again),
      cmocka_unit_test(what_the_programme_has_is_looked_at_there_when_it_is_offered_again),
      cmocka_unit_test(a_stored_op_that_names_a_pushed_one_is_told),
      cmocka_unit_test(an_op_that_is_replaced_at_once_is_told),
      cmocka_unit_test(an_edit_of_a_record_that_left_the_window_is_told),
      cmocka_unit_test(what_comes_back_to_a_scope_is_told),
      cmocka_unit_test(retractions_that_saw_different_things_are_told),
      cmocka_unit_test(a_retraction_that_comes_and_goes_beside_another_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
