/* The corners of what people type: which records a command takes, how they are found, values as they are
 * typed and as they are shown. */
#include <stdio.h>
#include <stdlib.h>

#include "admin_world.h"
#include "sv_limits.h"
#include "sv_rights.h"

static int setup(void **state) {
  linde *l = calloc(1, sizeof *l);
  linde_open(l, 62, false);
  *state = l;
  return 0;
}

static int teardown(void **state) {
  linde_close(*state);
  free(*state);
  return 0;
}

static const char *item_text(const json_t *item, const char *key) {
  const char *text = json_string_value(json_object_get(item, key));
  return text ? text : "";
}

static void hex_of(const ov_name *name, char out[2 * OV_NAME_BYTES + 1]) {
  uint8_t b[OV_NAME_BYTES];
  ov_name_write(name, b);
  ov_hex(b, OV_NAME_BYTES, out);
}

/* -- which command for which record ---------------------------------------------------------------------- */

static void records_that_have_their_own_commands(void **state) {
  linde *l = *state;
  static const char *const add[][2] = {{"organisation", "organisation add"},
                                       {"team", "team add"},
                                       {"device", "device add"},
                                       {"participant", "participant add"},
                                       {"ruling", "held admit"}},
                           *const edit[][3] = {{"organisation", "De Linde", "organisation edit"},
                                               {"team", "Beuk", "team edit"},
                                               {"device", "tablet", "device edit or device revoke"}};
  for (size_t i = 0; i < sizeof add / sizeof *add; i++)
    REFUSED(&l->aw, OV_E_INVALID, add[i][1], "{'cmd':'record add','kind':'%s','fields':['name=x']}",
            add[i][0]);
  for (size_t i = 0; i < sizeof edit / sizeof *edit; i++) {
    REFUSED(&l->aw, OV_E_INVALID, edit[i][2],
            "{'cmd':'record edit','kind':'%s','record':'%s','fields':['name=x']}", edit[i][0], edit[i][1]);
    REFUSED(&l->aw, OV_E_INVALID, edit[i][2],
            "{'cmd':'record retract','kind':'%s','record':'%s','reason':'x'}", edit[i][0], edit[i][1]);
  }
  ov_name night = linde_nights(l, 1, 700);
  char name[OV_NAME_TEXT_MAX], ruling[OV_NAME_TEXT_MAX];
  ov_name_text(&night, name);
  ASK(&l->aw, "{'cmd':'held admit','op':'%s','reason':'klopt'}", name);
  ASK(&l->aw, "{'cmd':'record list','kind':'ruling','fields':true}");
  const json_t *item = json_array_get(json_object_get(l->aw.reply, "items"), 0);
  snprintf(ruling, sizeof ruling, "%s", item_text(item, "record"));
  assert_string_equal(item_text(json_object_get(item, "fields"), "target"), name); /* shown as a name */
  REFUSED(&l->aw, OV_E_INVALID, "held admit or held dismiss",
          "{'cmd':'record edit','record':'%s','fields':['reason=x']}", ruling);
}

/* Schemas are files; what newer tablets write is kept without one. */
static void records_without_a_form(void **state) {
  linde *l = *state;
  sv_txn *t = NULL;
  ov_name at, *after = NULL;
  sv_record_row row = {.rec.kind = 0};
  char name[OV_NAME_TEXT_MAX];
  FX_OK(sv_txn_read(l->aw.node->programme->env, &t));
  for (; row.rec.kind != OV_KIND_SCHEMA; after = &at) {
    FX_OK(sv_record_next(t, after, &at));
    FX_OK(sv_record_get(t, &at, &l->aw.w.arena, &row));
  }
  sv_txn_abort(t);
  ov_name_text(&at, name);
  REFUSED(&l->aw, OV_E_INVALID, "changed with: overdracht-admin schema check",
          "{'cmd':'record edit','organisation':'programme','record':'%s','fields':['a=b']}", name);
  REFUSED(&l->aw, OV_E_INVALID, "made with: overdracht-admin schema check",
          "{'cmd':'record add','kind':'schema','fields':['a=b']}");
  ov_field f[] = {FX_INT(2, 1)};
  ov_name newer = fx_create(l->tab, 900, NULL, f, 1);
  fx_push_ok(l->tab, l->org, 1, 1);
  ov_name_text(&newer, name);
  REFUSED(&l->aw, OV_E_NOTFOUND, "is of kind 900, which has no schema here",
          "{'cmd':'record edit','record':'%s','fields':['a=b']}", name);
}

/* An erasure is more than its record: keys are destroyed, and it never comes back. */
static void erasures_are_not_made_or_changed_by_hand(void **state) {
  linde *l = *state;
  char anna[2 * OV_NAME_BYTES + 1];
  hex_of(&l->anna, anna);
  REFUSED(&l->aw, OV_E_INVALID, "overdracht-admin erase",
          "{'cmd':'record add','kind':'erasure','fields':['erased=%s','ground=1',"
          "'erased_at=2026-01-01T00:00Z']}",
          anna);
  REFUSED(&l->aw, OV_E_INVALID, "each device tells it itself",
          "{'cmd':'record add','kind':'purge','fields':['erasure=%s','entries=0','records=0']}", anna);
  REFUSED(&l->aw, OV_E_INVALID, "each device tells it itself",
          "{'cmd':'record add','kind':'look','participant':'Anna','fields':['times=1']}");
  ASK(&l->aw, "{'cmd':'erase','participant':'Anna','reason':'gevraagd'}");
  char tomb[OV_NAME_TEXT_MAX];
  snprintf(tomb, sizeof tomb, "%s", aw_text(&l->aw, "erasure"));
  REFUSED(&l->aw, OV_E_INVALID, "is never changed",
          "{'cmd':'record edit','record':'%s','fields':['ground=2']}", tomb);
  REFUSED(&l->aw, OV_E_INVALID, "is never changed", "{'cmd':'record retract','record':'%s','reason':'x'}",
          tomb);
  ASK(&l->aw, "{'cmd':'erasure list'}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 1);
  ASK(&l->aw, "{'cmd':'verify'}");
}

static void keys_are_never_typed(void **state) {
  linde *l = *state;
  REFUSED(&l->aw, OV_E_INVALID, "an even number of hex digits",
          "{'cmd':'record edit','kind':'participant','record':'Anna','fields':['commit_key=0']}");
  REFUSED(&l->aw, OV_E_INVALID, "an even number of hex digits",
          "{'cmd':'record edit','kind':'participant','record':'Anna','fields':['commit_key=zz']}");
  REFUSED(&l->aw, OV_E_DENIED, "made by the server and never changed",
          "{'cmd':'record edit','kind':'participant','record':'Anna','fields':['commit_key=0011']}");
}

static void words_that_are_too_long_or_say_nothing(void **state) {
  linde *l = *state;
  char reason[OV_RETRACTION_BYTES_MAX + 2];
  memset(reason, 'x', sizeof reason - 1);
  reason[sizeof reason - 1] = 0;
  ov_name night = linde_nights(l, 1, 5);
  char name[OV_NAME_TEXT_MAX];
  ov_name_text(&night, name);
  REFUSED(&l->aw, OV_E_INVALID, "longer than 500 bytes",
          "{'cmd':'record retract','record':'%s','reason':'%s'}", name, reason);
  REFUSED(&l->aw, OV_E_INVALID, "longer than 500 bytes", "{'cmd':'erase','participant':'Anna','reason':'%s'}",
          reason);
  REFUSED(&l->aw, OV_E_INVALID, "says nothing",
          "{'cmd':'record add','kind':'expert_card','fields':['about=']}");
}

/* -- finding --------------------------------------------------------------------------------------------- */

/* By the start of a name, as far as it fits one only. */
static void a_record_by_the_start_of_its_name(void **state) {
  linde *l = *state;
  char name[OV_NAME_TEXT_MAX], start[OV_NAME_TEXT_MAX];
  ov_name night = linde_nights(l, 12, 5);
  ov_name_text(&night, name);
  snprintf(start, sizeof start, "%s", name);
  *strrchr(start, '-') = 0; /* WRITER-12 */
  ASK(&l->aw, "{'cmd':'record show','record':'%s'}", start);
  assert_string_equal(aw_text(&l->aw, "record"), name);
  start[strlen(start) - 1] = 0; /* WRITER-1: 1, 10, 11, 12 */
  REFUSED(&l->aw, OV_E_INVALID, "fits 4 of record", "{'cmd':'record show','record':'%s'}", start);
  start[6] = 0;
  REFUSED(&l->aw, OV_E_INVALID, ", ...", "{'cmd':'record show','record':'%s'}", start);
  REFUSED(&l->aw, OV_E_NOTFOUND, "no record \"0011\"", "{'cmd':'record show','record':'0011'}");
  name[33] = '9'; /* WRITER-92-...: there are not so many */
  REFUSED(&l->aw, OV_E_NOTFOUND, "no record", "{'cmd':'record show','record':'%.35s'}", name);
}

static void who_was_erased_gets_nothing_more(void **state) {
  linde *l = *state;
  char anna[OV_NAME_TEXT_MAX], of_hers[OV_NAME_TEXT_MAX];
  ov_name_text(&l->anna, anna);
  ov_name night = linde_nights(l, 2, 5);
  ov_name_text(&night, of_hers);
  ASK(&l->aw, "{'cmd':'erase','participant':'Anna','reason':'gevraagd','dry_run':true}");
  assert_string_equal(aw_text(&l->aw, "participant"), "Anna");
  assert_string_equal(item_text(aw_item(&l->aw, "kind", "sleep"), "kind"), "sleep");
  assert_null(json_object_get(l->aw.reply, "erasure"));
  ASK(&l->aw, "{'cmd':'record list','kind':'participant'}");
  assert_non_null(aw_item(&l->aw, "label", "Anna"));
  ASK(&l->aw, "{'cmd':'erase','participant':'Anna','reason':'gevraagd'}");
  assert_int_not_equal(aw_ask(&l->aw,
                              "{'cmd':'record add','kind':'sleep','participant':'%s',"
                              "'fields':['night_date=2026-01-01','source=1']}",
                              anna),
                       0);
  REFUSED(&l->aw, OV_E_DENIED, "this participant was erased",
          "{'cmd':'record edit','record':'%s','fields':['sol_min=5']}", of_hers);
  REFUSED(&l->aw, OV_E_NOTFOUND, "no participant \"Anna\"",
          "{'cmd':'record list','kind':'sleep','participant':'Anna'}");
  ASK(&l->aw, "{'cmd':'device revoke','device':'tablet'}");
  ASK(&l->aw, "{'cmd':'erasure show','participant':'%s'}", anna);
  assert_string_equal(item_text(aw_item(&l->aw, "device", "tablet"), "state"), "revoked");
  ASK(&l->aw, "{'cmd':'participant add','label':'Bram','team':['Beuk']}");
  ASK(&l->aw, "{'cmd':'participant add','label':'Cor','team':['Beuk']}");
  ASK(&l->aw, "{'cmd':'erase','participant':'Bram','reason':'gevraagd'}");
  ASK(&l->aw, "{'cmd':'erase','participant':'Cor','reason':'gevraagd'}");
  anna[6] = 0; /* all three from the server's own log */
  REFUSED(&l->aw, OV_E_INVALID, "fits several erasures", "{'cmd':'erasure show','participant':'%s'}", anna);
  REFUSED(&l->aw, OV_E_NOTFOUND, "no erasure", "{'cmd':'erasure show','participant':'zz'}");
}

/* -- values ---------------------------------------------------------------------------------------------- */

static void teams_as_a_value(void **state) {
  linde *l = *state;
  char many[4000] = "";
  ASK(&l->aw, "{'cmd':'record edit','kind':'person','record':'Jan','fields':['teams+=Eik']}");
  ASK(&l->aw, "{'cmd':'record show','kind':'person','record':'Jan'}");
  const json_t *teams = json_object_get(json_object_get(l->aw.reply, "fields"), "teams");
  assert_int_equal(json_array_size(teams), 2);
  assert_string_equal(item_text(json_array_get(teams, 1), "label"), "Eik");
  REFUSED(&l->aw, OV_E_NOTFOUND, "no team \"Es\"",
          "{'cmd':'record edit','kind':'person','record':'Jan','fields':['teams=Beuk,Es']}");
  for (unsigned i = 0; i <= OV_SET_ELEMENTS_MAX; i++) strcat(many, i ? ",2" : "2");
  REFUSED(&l->aw, OV_E_INVALID, "at most 256 elements",
          "{'cmd':'record edit','kind':'person','record':'Jan','fields':['teams=%s']}", many);
}

static const json_t *held_field(linde *l, const ov_name *op, const char *field) {
  char name[OV_NAME_TEXT_MAX];
  ov_name_text(op, name);
  ASK(&l->aw, "{'cmd':'held list'}");
  const json_t *fields = json_object_get(aw_item(&l->aw, "op", name), "fields"), *one;
  size_t i;
  json_array_foreach(fields, i, one) {
    if (!strcmp(item_text(one, "field"), field)) return one;
  }
  fail_msg("%s of %s", field, name);
  return NULL;
}

/* What a tablet wrote against its schema is held, and shown as it is. */
static void values_that_no_schema_knows(void **state) {
  linde *l = *state;
  ov_name fine = linde_nights(l, 1, 5);
  ov_field code[] = {FX_INT(11, 77)}, moment[] = {FX_INT(12, INT64_C(1) << 60)}, strange[] = {FX_INT(99, 1)},
           missing[] = {FX_INT(12, -99)}, day[] = {FX_INT(10, INT64_C(1) << 40)},
           gone[] = {fx_text(OV_FIELD_RETRACTED, "verkeerd")};
  const ov_op *made = l->tab->ops[l->tab->n - 1];
  ov_name odd_code = fx_edit_of(l->tab, made, &fine, code, 1, NULL, 0),
          odd_moment = fx_edit_of(l->tab, made, &fine, moment, 1, NULL, 0),
          odd_field = fx_edit_of(l->tab, made, &fine, strange, 1, NULL, 0),
          not_known = fx_edit_of(l->tab, made, &fine, missing, 1, NULL, 0),
          odd_day = fx_edit_of(l->tab, made, &fine, day, 1, NULL, 0);
  l->tab->author = l->ria; /* of another team */
  ov_name not_hers = fx_edit_of(l->tab, made, &fine, gone, 1, NULL, 0);
  fx_push_ok(l->tab, l->org, 2, l->tab->n);
  assert_int_equal(json_integer_value(json_object_get(held_field(l, &odd_code, "source"), "value")), 77);
  assert_true(json_integer_value(json_object_get(held_field(l, &odd_moment, "bed_at"), "value")) ==
              INT64_C(1) << 60);
  assert_true(json_integer_value(json_object_get(held_field(l, &odd_day, "night_date"), "value")) ==
              INT64_C(1) << 40);
  assert_string_equal(item_text(held_field(l, &odd_field, "field 99"), "name_nl"), "field 99");
  const json_t *retracted = held_field(l, &not_hers, "retracted");
  assert_string_equal(item_text(retracted, "name"), "Entered in error");
  assert_string_equal(item_text(retracted, "name_nl"), "Per ongeluk ingevoerd");
  char name[OV_NAME_TEXT_MAX];
  ov_name_text(&fine, name);
  ASK(&l->aw, "{'cmd':'record show','record':'%s'}", name);
  ov_name_text(&odd_field, name);
  assert_non_null(json_object_get(json_object_get(aw_item(&l->aw, "op", name), "fields"), "field_99"));
  ov_name_text(&not_known, name);
  assert_string_equal(
      item_text(json_object_get(json_object_get(aw_item(&l->aw, "op", name), "fields"), "bed_at"), "label"),
      "unknown");
}

static void two_values_at_once_are_both_shown(void **state) {
  linde *l = *state;
  char name[OV_NAME_TEXT_MAX];
  ov_name night = linde_nights(l, 1, 5);
  const ov_op *made = l->tab->ops[l->tab->n - 1];
  fx_tablet *other = fx_tablet_new(&l->aw.w, l->org, &l->beuk, 1, &l->jan);
  ov_field a[] = {FX_INT(14, 10)}, b[] = {FX_INT(14, 20)};
  fx_edit_of(l->tab, made, &night, a, 1, &night, 1);
  fx_edit_of(other, made, &night, b, 1, &night, 1);
  fx_push_ok(l->tab, l->org, 2, 2);
  fx_push_ok(other, l->org, 1, 1);
  ov_name_text(&night, name);
  ASK(&l->aw, "{'cmd':'record show','record':'%s'}", name);
  assert_string_equal(aw_text(&l->aw, "state"), "conflict");
  const json_t *both = json_object_get(json_object_get(json_object_get(l->aw.reply, "fields"), "sol_min"),
                                       "conflict");
  assert_int_equal(json_array_size(both), 2);
  assert_int_equal(json_integer_value(json_array_get(both, 0)) + json_integer_value(json_array_get(both, 1)),
                   30);
  ASK(&l->aw, "{'cmd':'dump','only':'ops'}");
  size_t i, named = 0;
  const json_t *line;
  json_array_foreach(l->aw.items, i, line) {
    const json_t *first = json_array_get(json_object_get(line, "replaces"), 0);
    named += first && !strcmp(json_string_value(first), name);
  }
  assert_int_equal(named, 2);
  fx_tablet_free(other);
}

/* -- held ------------------------------------------------------------------------------------------------ */

static void an_op_is_ruled_on_so_often_and_no_more(void **state) {
  linde *l = *state;
  char name[OV_NAME_TEXT_MAX];
  ov_name night = linde_nights(l, 2, 700);
  ov_name_text(&night, name);
  REFUSED(&l->aw, OV_E_INVALID, "fits 2 held ops", "{'cmd':'held admit','op':'%.8s','reason':'x'}", name);
  for (unsigned i = 0; i < SV_RULINGS_MAX; i++)
    ASK(&l->aw, "{'cmd':'held %s','op':'%s','reason':'x'}", i % 2 ? "admit" : "dismiss", name);
  REFUSED(&l->aw, OV_E_LIMIT, "ruled on 64 times", "{'cmd':'held dismiss','op':'%s','reason':'x'}", name);
  assert_int_equal(fx_verdict(&l->aw.w, l->org, &night, NULL), OV_APPLIED);
}

/* -- the table of rights --------------------------------------------------------------------------------- */

static void rights_are_told_as_they_are(void **state) {
  linde *l = *state;
  sv_right_line line;
  unsigned n = 0, i = 0;
  ASK(&l->aw, "{'cmd':'rights'}");
  while (sv_right_line_at(n, &line)) n++;
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), n * SV_ACTIONS);
  ASK(&l->aw, "{'cmd':'rights','kind':'sleep'}");
  const json_t *items = json_object_get(l->aw.reply, "items");
  assert_int_equal(json_array_size(items), SV_ACTIONS);
  for (i = 0; i < SV_ACTIONS; i++) assert_string_equal(item_text(json_array_get(items, i), "kind"), "sleep");
  const json_t *create = aw_item(&l->aw, "action", sv_action_name(SV_A_CREATE)),
               *read = aw_item(&l->aw, "action", sv_action_name(SV_A_READ));
  assert_string_equal(item_text(create, "care_staff"), "own team");
  assert_string_equal(item_text(create, "researcher"), sv_reach_name(SV_NO));
  assert_string_equal(item_text(read, "project_lead"), "own organisation");
  assert_string_equal(item_text(read, "researcher"), "network");
  assert_true(strlen(item_text(read, "reason")) > 0);
  REFUSED(&l->aw, OV_E_NOTFOUND, "no kind \"horse\"", "{'cmd':'rights','kind':'horse'}");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(records_that_have_their_own_commands),
                                     T(records_without_a_form),
                                     T(erasures_are_not_made_or_changed_by_hand),
                                     T(keys_are_never_typed),
                                     T(words_that_are_too_long_or_say_nothing),
                                     T(a_record_by_the_start_of_its_name),
                                     T(who_was_erased_gets_nothing_more),
                                     T(teams_as_a_value),
                                     T(values_that_no_schema_knows),
                                     T(two_values_at_once_are_both_shown),
                                     T(an_op_is_ruled_on_so_often_and_no_more),
                                     T(rights_are_told_as_they_are)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
