/* Map files: what is wrong is said with its line. */
#include <stdbool.h>
#include "import_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_S "[file]\nkind = sleep\n"
#define CODE_S "[field a]\ntype = code\nfrom = \"A\"\n"
#define ROWS_S "[rows]\nkey = a\n"
#define STATE_S                                                                                              \
  "[field _s]\ntype = state\nfrom = \"S\"\nvalue \"in\" = asleep\n"                                          \
  "[field _t]\ntype = datetime\nfrom = \"T\"\n"
#define CHANGE_S "[rows]\neach_row = change\nat = _t\nstate = _s\nkey = night_date\n"

typedef struct wrong {
  const char *text;
  unsigned line;
  const char *says;
} wrong;

static const wrong CASES[] = {
    {"", 0, "[file] has no legal 'kind'"},
    {"kind = sleep\n", 1, "the first section must be [file]"},
    {"[file\n", 1, "'[section]' is expected"},
    {"[files]\n", 1, "section [files] is not known; [file], [client], [field NAME] and [rows] are"},
    {"# note\n\n[file]\nkind sleep now\n", 4, "'key = value' is expected"},
    {"[file]\nkind = \"sleep\n", 2, "a quote is not closed"},
    {"[file]\nkindness = x\n", 2, "'kindness' is not known in [file]; kind, delimiter, "},
    {"[file]\nencoding = latin1\n", 2, "'latin1' is not known; one of auto, utf-8, windows-1252 is"},
    {"[file]\nmissing = \"a\" \"b\"\n", 2, "a list with commas is expected"},
    {"[file]\nmissing = \"a\",\n", 2, "a list with commas is expected"},
    {"[file]\nkind = a, b\n", 2, "'kind = name' is expected"},
    {FILE_S "[field Naam]\n", 3, "'Naam' is no legal field name: 1 to 32 of a-z, 0-9 and _"},
    {FILE_S "[field a]\n" ROWS_S, 3, "field 'a' has no type"},
    {FILE_S "[field a]\ntype = code\n" ROWS_S, 3, "field 'a' needs either 'from' or 'fixed', and no 'of'"},
    {FILE_S "[field a]\ntype = code\nfixed = 1\nfrom = \"A\"\n" ROWS_S, 3,
     "field 'a' needs either 'from' or 'fixed', and no 'of'"},
    {FILE_S "[field a]\ntype = number\n", 4, "'number' is not known; one of int, minutes, bool, "},
    {FILE_S "[field a]\nvalue \"x\" = 1\n", 4, "'type' comes before 'value'"},
    {FILE_S "[field a]\ntype = code\nvalue \"x\" = y\n", 5, "'y' is no whole number"},
    {FILE_S CODE_S "value \"x\" = 1\nvalue \"X \" = 2\n", 7, "\"X \" stands here twice"},
    {FILE_S CODE_S "from = \"B\"\n", 6, "'from' stands here twice"},
    {FILE_S "[field a]\ntype = code\nfrom = A\n", 5, "column names stand in quotes"},
    {FILE_S CODE_S "empty = 5\n", 6, "'5' is no whole number from -99 to -97"},
    {FILE_S CODE_S "[field a]\ntype = int\nfrom = \"B\"\n" ROWS_S, 6, "field 'a' has another type above"},
    {FILE_S "[field a]\ntype = date\nfixed = 5\n[field b]\ntype = int\nfrom = \"B\"\n" ROWS_S, 3,
     "a date or time can only be fixed to a missing code, -99 to -97"},
    {FILE_S "[field a]\ntype = date\nfrom = \"A\"\nvalue \"x\" = 5\n" ROWS_S, 3,
     "a date or time can only be translated to a missing code, -99 to -97"},
    {FILE_S "[field a]\ntype = int\nfixed = x\n[field b]\ntype = int\nfrom = \"B\"\n" ROWS_S, 3,
     "'x' is no whole number"},
    {FILE_S "[field a]\ntype = night\nof = b\n" CODE_S ROWS_S, 6, "field 'a' has another type above"},
    {FILE_S "[field n]\ntype = night\nof = a\n" CODE_S ROWS_S, 3, "'of = a' names no field of type datetime"},
    {FILE_S CODE_S "[rows]\nkey = b\n", 7, "'b' is no field of this map; [rows] comes after the fields"},
    {FILE_S CODE_S, 0, "[rows] has no 'key': the fields that tell one record from another"},
    {FILE_S "[field a]\ntype = time\nfrom = \"A\"\n" ROWS_S, 0,
     "field 'a' is a time of day; then 'night' in [rows] must name the field with its date"},
    {FILE_S CODE_S ROWS_S "sequence = a\n", 0, "'sequence' lists 'a', which is no time"},
    {FILE_S CODE_S ROWS_S "night = a\n", 8, "field 'a' has a type that does not fit here"},
    {FILE_S CODE_S ROWS_S "fits = a\n", 8, "'fits = minutes, minutes in time .. time' is expected"},
    {FILE_S CODE_S ROWS_S "keep \"A\" = \n", 8, "'keep \"column\" = \"text\", \"text\"' is expected"},
    {FILE_S CODE_S ROWS_S "keep \"A\" = \"x\"\nkeep \"A\" = \"y\"\n", 9, "'keep' stands here twice"},
    {FILE_S CODE_S ROWS_S "nap_from = 25:00\n", 8, "'25:00' is no time of the form hh:mm"},
    {FILE_S "[field a]\ntype = code\nfixed = 1\n" ROWS_S, 0, "no column of the file is used"},
    {FILE_S "[field _a]\ntype = code\nfrom = \"A\"\n[rows]\nkey = _a\n", 0,
     "'key' names a helper, which is not kept"},
    {FILE_S "[client]\nfrom = \"A\"\nfixed = \"B\"\n", 5, "[client] says twice where the client stands"},
    {FILE_S CODE_S "[rows]\neach_row = change\nkey = night_date\n", 0,
     "each_row = change needs 'at' and 'state' in [rows]"},
    {FILE_S "[field bed_at]\ntype = datetime\nfrom = \"A\"\n[rows]\neach_row = change\n", 7,
     "with each_row = change field 'bed_at' is made from the changes; it cannot be mapped"},
    {FILE_S "[field _s]\ntype = state\nfrom = \"S\"\nvalue \"x\" = dozing\n[field _t]\ntype = datetime\nfrom "
            "= \"T\"\n"
            "[rows]\neach_row = change\nat = _t\nstate = _s\nkey = night_date\n",
     3, "state 'dozing' is not known; to_sleep, asleep, awake and up are"},
    {FILE_S CODE_S "[field t]\ntype = datetime\nfrom = \"T\"\n" ROWS_S "fits = a in t .. t\n", 0,
     "'fits' adds 'a', which is no number of minutes"},
    {FILE_S STATE_S "[field x]\ntype = int\nfrom = \"X\"\n" CHANGE_S, 10,
     "with each_row = change a field other than 'at' and 'state' must be fixed"},
    {FILE_S STATE_S CHANGE_S "[field sol_min]\ntype = minutes\nfixed = 5\n", 15,
     "with each_row = change field 'sol_min' is made from the changes"},
    {FILE_S "[field s]\ntype = state\nfrom = \"S\"\n[field _t]\ntype = datetime\nfrom = \"T\"\n"
            "[rows]\neach_row = change\nat = _t\nstate = s\nkey = night_date\n",
     3, "'at' and 'state' are helpers: give them a name that begins with _"},
    {FILE_S STATE_S CHANGE_S "each_row = change\n", 15, "'each_row' stands here twice"},
    {FILE_S CODE_S ROWS_S "nap_max_min = 721\n", 8, "'721' is no whole number from 1 to 720"},
    {"[file]\nheader = \"A\" \"B\"\n", 2, "a list with commas is expected"},
    {"[file]\nkind = \"\xff\"\n", 0, "the map is no UTF-8 text"},
};

static void wrong_maps_are_refused_with_their_line(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    oc_import_map *m = NULL;
    oc_import_error e;
    int err = oc_import_map_parse(CASES[i].text, strlen(CASES[i].text), &m, &e);
    if (err != OV_E_INVALID || e.line != CASES[i].line || !strstr(e.text, CASES[i].says))
      print_error("case %zu: want line %u '%s'\n got %d, line %u '%s'\n", i, CASES[i].line, CASES[i].says,
                  err, e.line, e.text);
    assert_int_equal(err, OV_E_INVALID);
    assert_null(m);
    assert_int_equal(e.line, CASES[i].line);
    assert_non_null(strstr(e.text, CASES[i].says));
  }
}

static void delivered_maps_say_what_they_make(void **state) {
  (void)state;
  static const char *const names[] = {"consensus_sleep_diary.map", "actigraphy_intervals.map",
                                      "observed_state_log.map"};
  for (size_t i = 0; i < 3; i++) {
    oc_import_map *m = open_map(names[i]);
    oc_import_type type;
    bool bed = false;
    assert_string_equal(oc_import_map_kind(m), "sleep");
    assert_string_equal(oc_import_map_zone(m), "Europe/Amsterdam");
    assert_false(oc_import_map_wants_client(m));
    for (size_t k = 0; oc_import_map_field(m, k, &type); k++) {
      assert_int_not_equal(oc_import_map_field(m, k, &type)[0], '_');
      bed |= !strcmp(oc_import_map_field(m, k, &type), "bed_at") && type == OC_IMPORT_DATETIME;
    }
    assert_true(bed);
    oc_import_map_free(m);
  }
  oc_import_map_free(NULL);
}

static void limits_of_a_map(void **state) {
  (void)state;
  oc_import_map *m;
  oc_import_error e;
  char *text = malloc(OC_IMPORT_MAP_BYTES_MAX + 2);
  memset(text, '\n', OC_IMPORT_MAP_BYTES_MAX + 1);
  assert_int_equal(oc_import_map_parse(text, OC_IMPORT_MAP_BYTES_MAX + 1, &m, &e), OV_E_LIMIT);
  memset(text, ' ', OC_IMPORT_MAP_BYTES_MAX);
  memcpy(text, "[file]\n", 7);
  for (size_t i = 7; i + 1 < 7 + 2 * (OC_IMPORT_MAP_TOKENS_MAX + 1); i += 2) text[i] = 'a';
  assert_int_equal(oc_import_map_parse(text, OC_IMPORT_MAP_BYTES_MAX, &m, &e), OV_E_INVALID);
  assert_string_equal(e.text, "more than 64 words on a line");
  free(text);
}

/* A map of a head and as many pieces: each with its number in the place of %u. */
static void too_many(const char *piece, unsigned times, const char *says) {
  oc_import_map *m = NULL;
  oc_import_error e;
  char *text = malloc(OC_IMPORT_MAP_BYTES_MAX);
  assert_non_null(text);
  size_t n = (size_t)snprintf(text, OC_IMPORT_MAP_BYTES_MAX, FILE_S);
  for (unsigned i = 0; i < times; i++) n += (size_t)snprintf(text + n, OC_IMPORT_MAP_BYTES_MAX - n, piece, i);
  assert_true(n < OC_IMPORT_MAP_BYTES_MAX);
  assert_int_equal(oc_import_map_parse(text, n, &m, &e), OV_E_INVALID);
  assert_string_equal(e.text, says);
  assert_null(m);
  free(text);
}

static void more_than_a_map_can_hold(void **state) {
  (void)state;
  too_many("[field a%u]\ntype = int\nfixed = 1\n", OC_IMPORT_MAP_FIELDS_MAX + 1, "more than 64 fields");
  too_many("header = \"c%u\"\n", OC_IMPORT_COLUMNS_MAX + 1, "more than 256 columns");
}

/* What some editors put before a text is not part of its first line. */
static void a_mark_before_a_map_is_passed_over(void **state) {
  (void)state;
  oc_import_map *m = map_of("\xef\xbb\xbf" FILE_S CODE_S ROWS_S);
  assert_string_equal(oc_import_map_kind(m), "sleep");
  oc_import_map_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_maps_are_refused_with_their_line),
      cmocka_unit_test(delivered_maps_say_what_they_make),
      cmocka_unit_test(limits_of_a_map),
      cmocka_unit_test(more_than_a_map_can_hold),
      cmocka_unit_test(a_mark_before_a_map_is_passed_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
