/* Values from text and to text, with the schemas that are delivered: every type, the nights on which clocks
 * change, and the exact words of refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oc_text.h"
#include "sv_schema_json.h"

typedef struct values {
  ov_schemas *schemas;
  oc_zone *zone;
  ov_arena arena;
  oc_text_env env;
  oc_error e;
  ov_value v;
  bool exact;
} values;

static ov_name project_name(void) {
  ov_name n = {.seq = 7, .tag = {0xab, 0xcd, 0xef, 0x01}};
  memset(n.writer.b, 0x11, sizeof n.writer.b);
  return n;
}

#define PROJECT_ID "11111111111111111111111111111111-7-abcdef01"

static int find(void *ctx, uint16_t kind, const char *text, ov_name *out, oc_error *e) {
  (void)ctx;
  *out = project_name();
  if (kind == 8 && (!strcmp(text, "Rust in huis") || !strcmp(text, PROJECT_ID))) return 0;
  if (kind == 7 && !strcmp(text, "3")) return 0;
  if (e) strcpy(e->message, "no project \"Onrust\" here");
  return OC_E_NOTFOUND;
}

static int find_team(void *ctx, const char *text, uint32_t *scope, oc_error *e) {
  (void)ctx;
  (void)e;
  *scope = !strcmp(text, "De Linde") || !strcmp(text, "4") ? 4 : 9;
  return 0;
}

static const char *label(void *ctx, const ov_name *record) {
  (void)ctx;
  ov_name p = project_name();
  return ov_name_equal(record, &p) ? "Rust in huis" : "";
}

static const char *team_label(void *ctx, uint32_t scope) {
  (void)ctx;
  return scope == 4 ? "De Linde" : "";
}

static int setup(void **state) {
  values *x = calloc(1, sizeof *x);
  sv_schema_json_set *set = NULL;
  x->schemas = ov_schemas_new();
  *state = x; /* teardown frees it, whatever comes */
  if (sv_schema_json_load_dir(OV_SOURCE_DIR "/proto/schema", NULL, NULL, &set)) return 1;
  for (size_t i = 0; i < sv_schema_json_count(set); i++) {
    if (ov_schemas_add(x->schemas, sv_schema_json_at(set, i)->bytes, sv_schema_json_at(set, i)->n, NULL))
      return 1;
  }
  sv_schema_json_free(set);
  ov_arena_init(&x->arena, 8u << 20);
  if (oc_zone_open("Europe/Amsterdam", &x->zone)) return 1;
  x->env = (oc_text_env){.zone = x->zone,
                         .now = 1774735500 /* 2026-03-28 23:05 */,
                         .a = &x->arena,
                         .find = find,
                         .find_team = find_team,
                         .label = label,
                         .team_label = team_label};
  *state = x;
  return 0;
}

static int teardown(void **state) {
  values *x = *state;
  ov_schemas_free(x->schemas);
  oc_zone_free(x->zone);
  ov_arena_free(&x->arena);
  free(x);
  return 0;
}

static const ov_sfield *field(values *x, const char *kind, const char *name) {
  const ov_skind *k = ov_schemas_by_name(x->schemas, kind);
  assert_non_null(k);
  const ov_sfield *f = ov_skind_by_name(k, name);
  assert_non_null(f);
  return f;
}

static int read_text(values *x, const char *kind, const char *name, const char *text) {
  return oc_value_read(&x->env, ov_schemas_by_name(x->schemas, kind), field(x, kind, name), text, &x->v,
                       &x->exact, &x->e);
}

static void gives(values *x, const char *kind, const char *name, const char *text, int64_t want) {
  x->e = (oc_error){0};
  int err = read_text(x, kind, name, text);
  if (err) fail_msg("%s.%s=%s: %s", kind, name, text, x->e.message);
  assert_int_equal(x->v.type, OV_V_INT);
  assert_int_equal(x->v.i, want);
}

static void refuses(values *x, const char *kind, const char *name, const char *text, const char *en,
                    const char *nl) {
  x->e = (oc_error){0};
  assert_int_equal(read_text(x, kind, name, text), OC_E_INVALID);
  assert_int_equal(x->e.err, OC_E_INVALID);
  assert_string_equal(x->e.message, en);
  if (nl) assert_string_equal(x->e.message_nl, nl);
}

static void shows(values *x, const char *kind, const char *name, const char *text, const char *nl,
                  const char *en, const char *raw) {
  const ov_sfield *f = field(x, kind, name);
  assert_int_equal(read_text(x, kind, name, text), 0);
  assert_string_equal(oc_value_text(&x->env, f, &x->v, true), nl);
  assert_string_equal(oc_value_text(&x->env, f, &x->v, false), en);
  assert_string_equal(oc_value_raw(&x->env, f, &x->v), raw);
  ov_value first = x->v;
  assert_int_equal(read_text(x, kind, name, raw), 0); /* what is given back is taken again, and is the same */
  assert_true(ov_value_equal(&first, &x->v));
}

/* -- numbers, codes -------------------------------------------------------------------------------------- */

static void whole_numbers(void **state) {
  values *x = *state;
  gives(x, "sleep", "sol_min", "18", 18);
  gives(x, "sleep", "sol_min", " 18 ", 18);
  gives(x, "sleep", "sol_min", "18 min", 18);
  gives(x, "sleep", "sol_min", "18 minuten", 18);
  gives(x, "sleep", "sol_min", "-99", -99);
  gives(x, "sleep", "sol_min", "onbekend", -99);
  gives(x, "sleep", "sol_min", "Niet gevraagd", -98);
  gives(x, "sleep", "sol_min", "not asked", -98);
  refuses(x, "sleep", "sol_min", "7.5", "sol_min: \"7.5\" is not a whole number",
          "Tijd tot slapen: \"7.5\" is geen heel getal");
  refuses(x, "sleep", "sol_min", "7 dagen", "sol_min: \"7 dagen\" is not a whole number", NULL);
}

static void numbers_outside_their_range(void **state) {
  values *x = *state;
  refuses(x, "sleep", "sol_min", "700", "sol_min: 700 is above 600 min",
          "Tijd tot slapen: 700 ligt boven 600 min");
  refuses(x, "sleep", "wake_count", "-1", "wake_count: -1 is below 0", "Keer wakker: -1 ligt onder 0");
  refuses(x, "sleep", "sol_min", "-97", "sol_min: -97 is below 0 min", NULL);
  refuses(x, "sleep", "sol_min", "onderdrukt", "sol_min: -97 (suppressed) may not be given here",
          "Tijd tot slapen: 'onderdrukt' kan hier niet");
  refuses(x, "sleep", "sol_min", "99999999999999999999",
          "sol_min: \"99999999999999999999\" is not a whole number", NULL);
}

static void codes_by_number_and_label(void **state) {
  values *x = *state;
  gives(x, "sleep", "quality", "4", 4);
  gives(x, "sleep", "quality", "goed", 4);
  gives(x, "sleep", "quality", "Very Good", 5);
  gives(x, "sleep", "quality", "unknown", -99);
  gives(x, "sleep_check", "state", "awake, calm", 2);
  gives(x, "social_contact", "valence", "-2", -2);
  refuses(x, "sleep", "quality", "prima",
          "quality: \"prima\" is not in the code list (1 very poor, 2 poor, 3 fair, 4 good, 5 very good)",
          "Hoe was de nacht?: \"prima\" staat niet in de lijst (1 zeer slecht, 2 slecht, 3 redelijk, 4 goed, "
          "5 zeer goed)");
  refuses(x, "sleep", "quality", "6",
          "quality: \"6\" is not in the code list (1 very poor, 2 poor, 3 fair, 4 good, 5 very good)", NULL);
  refuses(x, "sleep", "source", "-99",
          "source: \"-99\" is not in the code list (1 observation, 2 bed sensor, 3 wrist sensor, 4 acoustic "
          "monitoring, "
          "5 client, 6 relative)",
          NULL);
}

/* A refusal fits a message: of a long value, and of a long list, the beginning, in whole characters. */
static void what_is_long_is_cut(void **state) {
  values *x = *state;
  char text[120] = "", en[300], nl[300];
  memset(text, 'a', 59);
  strcpy(text + 59, "\xc3\xab and much more"); /* the 60th byte is half of a character */
  snprintf(en, sizeof en, "sol_min: \"%.59s...\" is not a whole number", text);
  snprintf(nl, sizeof nl, "Tijd tot slapen: \"%.59s...\" is geen heel getal", text);
  refuses(x, "sleep", "sol_min", text, en, nl);
  refuses(x, "barrier", "theme", "weer",
          "theme: \"weer\" is not in the code list (1 finances, 2 organisation, 3 internal collaboration, "
          "4 external collaboration, 5 technology, 6 care staff, 7 project team, 8 clients, ...)",
          NULL);
}

static void yes_and_no(void **state) {
  values *x = *state;
  gives(x, "tech_use", "client_involved", "ja", 1);
  gives(x, "tech_use", "client_involved", "No", 0);
  gives(x, "tech_use", "client_involved", "1", 1);
  gives(x, "tech_use", "client_involved", "-98", -98);
  refuses(x, "tech_use", "client_involved", "misschien",
          "client_involved: \"misschien\" is neither yes nor no (1 or 0)",
          "Cliënt betrokken: \"misschien\" is geen ja of nee (1 of 0)");
  shows(x, "tech_use", "client_involved", "ja", "ja", "yes", "1");
}

static void numbers_shown(void **state) {
  values *x = *state;
  shows(x, "sleep", "sol_min", "18", "18 min", "18 min", "18");
  shows(x, "sleep", "wake_count", "3", "3", "3", "3");
  shows(x, "sleep", "sol_min", "-98", "niet gevraagd", "not asked", "-98");
  shows(x, "sleep", "quality", "good", "goed", "good", "4");
  shows(x, "sleep", "bed_at", "onbekend", "onbekend", "unknown", "-99");
}

/* -- dates and times ------------------------------------------------------------------------------------- */

static void dates(void **state) {
  values *x = *state;
  gives(x, "sleep", "night_date", "2026-03-28", 20540);
  gives(x, "sleep", "night_date", "28-3-2026", 20540);
  gives(x, "sleep", "night_date", "28/03/2026", 20540);
  gives(x, "sleep", "night_date", "today", 20540);
  gives(x, "sleep", "night_date", "Gisteren", 20539);
  shows(x, "sleep", "night_date", "28-3-2026", "28-03-2026", "2026-03-28", "2026-03-28");
  refuses(x, "sleep", "night_date", "2026-02-29", "night_date: \"2026-02-29\" is not in the calendar",
          "Nacht van: \"2026-02-29\" staat niet op de kalender");
  refuses(x, "sleep", "night_date", "31-4-2026", "night_date: \"31-4-2026\" is not in the calendar", NULL);
  refuses(x, "sleep", "night_date", "28 maart",
          "night_date: \"28 maart\" is not a date; write it as 2026-03-28 or 28-3-2026",
          "Nacht van: \"28 maart\" is geen datum; schrijf 28-3-2026");
  refuses(x, "sleep", "night_date", "28-3-26",
          "night_date: \"28-3-26\" is not a date; write it as 2026-03-28 or 28-3-2026", NULL);
  refuses(x, "sleep", "night_date", "2026-03-28x",
          "night_date: \"2026-03-28x\" is not a date; write it as 2026-03-28 or 28-3-2026", NULL);
  refuses(x, "sleep", "night_date", "2101-01-01", "night_date: 2101-01-01 is after 2100-12-31",
          "Nacht van: 01-01-2101 ligt na 31-12-2100");
}

static void datetimes_in_the_zone_or_with_an_offset(void **state) {
  values *x = *state;
  int64_t want = 1774735500; /* 2026-03-28T22:05:00Z... in winter time: 23:05 */
  gives(x, "sleep", "bed_at", "2026-03-28 23:05", want);
  gives(x, "sleep", "bed_at", "2026-03-28T23:05", want);
  gives(x, "sleep", "bed_at", "28-3-2026 23:05:00", want);
  gives(x, "sleep", "bed_at", "2026-03-28T23:05:00+01:00", want);
  gives(x, "sleep", "bed_at", "2026-03-28 22:05 +0000", want);
  gives(x, "sleep", "bed_at", "2026-03-28T22:05:00.75Z", want);
  gives(x, "sleep", "bed_at", "2026-03-29T03:35:00+05:30", want);
  gives(x, "sleep", "bed_at", "vandaag 23:05", want);
  gives(x, "sleep", "bed_at", "now", want);
  gives(x, "sleep", "bed_at", "2026-07-01 12:00", 1782900000);
  shows(x, "sleep", "bed_at", "28-3-2026 23:05", "28-03-2026 23:05", "2026-03-28 23:05",
        "2026-03-28T23:05:00+01:00");
  shows(x, "sleep", "bed_at", "2026-07-01 12:00:09", "01-07-2026 12:00:09", "2026-07-01 12:00:09",
        "2026-07-01T12:00:09+02:00");
  refuses(x, "sleep", "bed_at", "23:05",
          "bed_at: \"23:05\" is not a date and time; write it as \"2026-03-28 23:05\" or "
          "2026-03-28T23:05:00+01:00",
          "Naar bed: \"23:05\" is geen datum en tijd; schrijf 28-3-2026 23:05");
  refuses(x, "sleep", "bed_at", "2026-03-28 24:00",
          "bed_at: \"2026-03-28 24:00\" is not a date and time; write it as \"2026-03-28 23:05\" or "
          "2026-03-28T23:05:00+01:00",
          NULL);
  static const char *const offsets[] = {"+01",    "+1:00",  "+010",   "+01:0",
                                        "+01:60", "+24:00", "+01.00", "01:00"};
  for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
    char text[40], en[200];
    snprintf(text, sizeof text, "2026-03-28T23:05:00%s", offsets[i]);
    snprintf(en, sizeof en,
             "bed_at: \"%s\" is not a date and time; write it as \"2026-03-28 23:05\" or "
             "2026-03-28T23:05:00+01:00",
             text);
    refuses(x, "sleep", "bed_at", text, en, NULL);
  }
  refuses(x, "sleep", "bed_at", "2026-13-28 23:05", "bed_at: \"2026-13-28 23:05\" is not in the calendar",
          NULL);
}

static void the_hour_that_is_skipped(void **state) {
  values *x = *state;
  gives(x, "sleep", "bed_at", "2026-03-29 01:59", 1774745940);
  gives(x, "sleep", "bed_at", "2026-03-29 03:00", 1774746000);
  refuses(
      x, "sleep", "bed_at", "2026-03-29 02:30",
      "bed_at: 02:30 on 2026-03-29 does not exist in Europe/Amsterdam: clocks go forward from 02:00 to 03:00",
      "Naar bed: 02:30 bestaat niet op 29-03-2026: de klok gaat dan van 02:00 naar 03:00");
}

static void the_hour_that_comes_twice(void **state) {
  values *x = *state;
  refuses(x, "sleep", "bed_at", "2026-10-25 02:30",
          "bed_at: 02:30 on 2026-10-25 comes twice in Europe/Amsterdam: write 2026-10-25T02:30:00+02:00 or "
          "2026-10-25T02:30:00+01:00",
          "Naar bed: 02:30 komt op 25-10-2026 twee keer voor, want de klok gaat terug. Kies de eerste of de "
          "tweede keer");
  gives(x, "sleep", "bed_at", "2026-10-25T02:30:00+02:00", 1792888200);
  gives(x, "sleep", "bed_at", "2026-10-25T02:30:00+01:00", 1792891800);
  shows(x, "sleep", "bed_at", "2026-10-25T02:30:00+01:00", "25-10-2026 02:30 (+01:00)",
        "2026-10-25 02:30 (+01:00)", "2026-10-25T02:30:00+01:00");
}

/* -- texts, references, sets ----------------------------------------------------------------------------- */

static void texts(void **state) {
  values *x = *state;
  assert_int_equal(read_text(x, "sleep", "note", "  Sliep onrustig, \"pijn\"?  "), 0);
  assert_int_equal(x->v.type, OV_V_TEXT);
  assert_int_equal(x->v.s.n, 27); /* as it was typed */
  refuses(x, "sleep", "note", "\xff\xfe", "note: the text is not valid UTF-8",
          "Opmerking: deze tekst bevat tekens die niet kloppen");
  char *longest = malloc(2002);
  memset(longest, 'a', 2001);
  longest[2001] = 0;
  refuses(x, "sleep", "note", longest, "note: 2001 bytes are too long, at most 2000",
          "Opmerking: dit is te lang: 2001 bytes, hoogstens 2000");
  free(longest);
  assert_int_equal(read_text(x, "sleep", "note", ""), 0);
  assert_int_equal(x->v.type, OV_V_NIL);
  assert_int_equal(read_text(x, "sleep", "quality", "  "), 0);
  assert_int_equal(x->v.type, OV_V_NIL);
}

static void references(void **state) {
  values *x = *state;
  shows(x, "sleep", "project", "Rust in huis", "Rust in huis", "Rust in huis", PROJECT_ID);
  assert_int_equal(read_text(x, "sleep", "project", "Onrust"), OC_E_NOTFOUND);
  assert_string_equal(x->e.message, "project: no project \"Onrust\" here");
  ov_name other = project_name();
  uint8_t bytes[OV_NAME_BYTES];
  other.seq = 8;
  ov_name_write(&other, bytes);
  ov_value v = ov_bytes(bytes, sizeof bytes);
  assert_string_equal(oc_value_text(&x->env, field(x, "sleep", "project"), &v, true),
                      "11111111111111111111111111111111-8-abcdef01");
}

static void bytes_are_not_typed_nor_shown(void **state) {
  values *x = *state;
  const ov_sfield *f = field(x, "participant", "commit_key");
  uint8_t key[32] = {0x5e};
  ov_value v = ov_bytes(key, sizeof key);
  refuses(x, "participant", "commit_key", "5e", "commit_key: holds bytes, which cannot be written as text",
          NULL);
  refuses(x, "participant", "commit_key", "", "commit_key: holds bytes, which cannot be written as text",
          NULL);
  assert_string_equal(oc_value_text(&x->env, f, &v, false), "32 bytes");
  assert_string_equal(oc_value_raw(&x->env, f, &v), "");
}

static void sets_of(values *x, const char *text, const char *add, const char *del, bool exact) {
  char got[80] = "";
  assert_int_equal(read_text(x, "sleep", "disturbance", text), 0);
  for (uint32_t i = 0; i < x->v.set.n_add; i++) got[i] = (char)('0' + x->v.set.add[i].i);
  assert_string_equal(got, add);
  memset(got, 0, sizeof got);
  for (uint32_t i = 0; i < x->v.set.n_del; i++) got[i] = (char)('0' + x->v.set.del[i].i);
  assert_string_equal(got, del);
  assert_int_equal(x->exact, exact);
}

static void sets_add_and_delete(void **state) {
  values *x = *state;
  sets_of(x, "1,3", "13", "", false);
  sets_of(x, "pijn, geluid,1", "13", "", false);
  sets_of(x, "-3,toilet", "2", "3", false);
  sets_of(x, "-pijn", "", "3", false);
  sets_of(x, "!geluid, !alarm techniek", "", "15", false);
  sets_of(x, "=2,9", "29", "", true);
  sets_of(x, "", "", "", true);
  sets_of(x, "onbekend", "6", "", false); /* a label of this list, not the missing code */
  sets_of(x, "-8", "", "8", false);       /* what has left the list can still be deleted */
  refuses(x, "sleep", "disturbance", "1,lawaai",
          "disturbance: \"lawaai\" is not in the code list (1 noise, 2 toilet, 3 pain, 4 restlessness, "
          "5 technology alarm, 6 unknown, 9 other)",
          NULL);
  refuses(x, "sleep", "disturbance", "1,,2",
          "disturbance: \"\" has an empty part; write elements with commas between", NULL);
  refuses(x, "sleep", "disturbance", "1,!geluid", "disturbance: 1 is added and deleted at once",
          "Waardoor?: 1 staat er twee keer: erbij en eraf");
}

static void sets_of_references_and_teams(void **state) {
  values *x = *state;
  assert_int_equal(read_text(x, "technology", "care_questions", "!" PROJECT_ID), OC_E_NOTFOUND);
  assert_int_equal(read_text(x, "person", "teams", "De Linde,!7"), 0);
  assert_int_equal(x->v.set.add[0].i, 4);
  assert_int_equal(x->v.set.del[0].i, 9);
  ov_value four = ov_int(4), five = ov_int(5);
  assert_string_equal(oc_value_text(&x->env, field(x, "person", "teams"), &four, true), "De Linde");
  assert_string_equal(oc_value_text(&x->env, field(x, "person", "teams"), &five, true), "team 5");
}

static void what_no_schema_knows(void **state) {
  values *x = *state;
  ov_value i = ov_int(12), t = ov_text("hallo"), nil = ov_nil();
  assert_string_equal(oc_value_text(&x->env, NULL, &i, true), "12");
  assert_string_equal(oc_value_text(&x->env, NULL, &t, false), "hallo");
  assert_string_equal(oc_value_text(&x->env, NULL, &nil, true), "(leeg)");
  assert_string_equal(oc_value_text(&x->env, NULL, &nil, false), "(empty)");
}

/* Whatever is typed gives a value that the schema takes, or a reason; never both, never neither. */
static void anything_typed(void **state) {
  values *x = *state;
  static const char *const bits[] = {"2026", "-",  "03",  "28", " ",   "T",        "23",
                                     ":",    "05", "+",   "01", "Z",   "goed",     ",",
                                     "!",    "=",  "-99", "x",  "min", "\xc3\xab", "today"};
  uint32_t seed = 20260328;
  for (unsigned round = 0; round < 20000; round++) {
    char text[80] = "";
    for (unsigned i = 0; i < 1 + round % 9; i++) {
      seed = seed * 1664525u + 1013904223u;
      strcat(text, bits[(seed >> 16) % (sizeof bits / sizeof *bits)]);
    }
    const ov_skind *k = ov_schemas_by_name(x->schemas, round % 2 ? "sleep" : "tech_use");
    const ov_sfield *f = &k->fields[(seed >> 8) % k->n_fields];
    x->e = (oc_error){0};
    if (x->arena.used > (4u << 20)) ov_arena_reset(&x->arena);
    int err = oc_value_read(&x->env, k, f, text, &x->v, &x->exact, &x->e);
    if (!err) assert_int_equal(ov_schema_check_value(k, f, &x->v, NULL), 0);
    else assert_true(x->e.err == err && x->e.message[0] && !strncmp(x->e.message, f->name, strlen(f->name)));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whole_numbers),
      cmocka_unit_test(numbers_outside_their_range),
      cmocka_unit_test(codes_by_number_and_label),
      cmocka_unit_test(what_is_long_is_cut),
      cmocka_unit_test(yes_and_no),
      cmocka_unit_test(numbers_shown),
      cmocka_unit_test(dates),
      cmocka_unit_test(datetimes_in_the_zone_or_with_an_offset),
      cmocka_unit_test(the_hour_that_is_skipped),
      cmocka_unit_test(the_hour_that_comes_twice),
      cmocka_unit_test(texts),
      cmocka_unit_test(references),
      cmocka_unit_test(bytes_are_not_typed_nor_shown),
      cmocka_unit_test(sets_add_and_delete),
      cmocka_unit_test(sets_of_references_and_teams),
      cmocka_unit_test(what_no_schema_knows),
      cmocka_unit_test(anything_typed),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
