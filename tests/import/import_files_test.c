/* Whole files in the shapes that diaries, wrist sensors and night staff deliver, through the delivered maps.
 */
#include <stdbool.h>
#include "import_util.h"

#include <stdlib.h>
#include <string.h>

static void diary_with_semicolons_and_windows_1252(void **state) {
  (void)state;
  oc_import_result *r = import_file("consensus_sleep_diary.map", "diary_semicolon_cp1252.csv");
  assert_string_equal(r->kind, "sleep");
  assert_string_equal(r->encoding, "windows-1252");
  assert_int_equal(r->delimiter, ';');
  assert_int_equal(r->header_line, 4);
  assert_int_equal(r->n_read, 13);
  assert_int_equal(r->n_rows, 5);
  assert_int_equal(r->n_bad, 8);
  const oc_import_row *a = row_at(r, 5);
  assert_string_equal(a->client, "C-017");
  assert_int_equal(int_of(a, "night_date"), oc_days_from_civil(2026, 3, 1));
  assert_int_equal(int_of(a, "source"), 5);
  assert_int_equal(int_of(a, "bed_at"), moment(2026, 3, 1, 22, 0, 1));
  assert_int_equal(int_of(a, "out_of_bed_at"), moment(2026, 3, 2, 6, 45, 1));
  assert_int_equal(int_of(a, "quality"), 4);
  assert_null(field_of(a, "note"));
  /* Published example: 432 minutes asleep, 82.3 % of the time in bed. */
  int64_t tst = (int_of(a, "final_wake_at") - int_of(a, "sleep_try_at")) / 60 - int_of(a, "sol_min") -
                int_of(a, "waso_min");
  int64_t tib = (int_of(a, "out_of_bed_at") - int_of(a, "bed_at")) / 60;
  assert_int_equal(tst, 432);
  assert_int_equal((1000 * tst + tib / 2) / tib, 823);
  const oc_import_row *b = row_at(r, 6);
  assert_int_equal(int_of(b, "sol_min"), 19);
  assert_null(field_of(b, "wake_count")); /* NaN */
  assert_string_equal(field_of(b, "note")->text,
                      "Koffie na het eten; één kop, zei ze\nen daarna \"nog een\"");
  assert_int_equal(int_of(row_at(r, 8), "sleep_try_at"), moment(2026, 3, 3, 0, 20, 1));
  assert_int_equal(int_of(row_at(r, 9), "bed_at"), -99);
  oc_import_result_free(r);
}

static void bad_rows_tell_line_and_reason_and_touch_no_other(void **state) {
  (void)state;
  static const struct {
    unsigned line;
    const char *column, *reason;
  } want[] = {
      {10, "Datum", "'31-2-2026' is no date (day-month-year is expected)"},
      {11, "Hoe was de nacht?", "'prima' is not listed in the map"},
      {12, "sleep_try_at", "sleep_try_at (22:10) comes before the time that precedes it (22:30)"},
      {13, "sol_min", "600 minutes do not fit into the 480 minutes between sleep_try_at and final_wake_at"},
      {14, "Cliënt", "the row names no client"},
      {15, "", "the row has 13 columns, the header has 12: is a decimal comma or a text not in quotes?"},
      {16, "", "nothing is filled in but what tells the record from others"},
      {18, "final_wake_at", "2026-03-29 02:30 does not exist: clocks go forward that night"}};
  oc_import_result *r = import_file("consensus_sleep_diary.map", "diary_semicolon_cp1252.csv");
  assert_int_equal(r->n_bad, sizeof want / sizeof *want);
  for (size_t i = 0; i < r->n_bad; i++) {
    assert_int_equal(r->bad[i].line, want[i].line);
    assert_string_equal(r->bad[i].column, want[i].column);
    assert_string_equal(r->bad[i].reason, want[i].reason);
    assert_int_equal(r->bad[i].raw[0], i == 4 ? ';' : 'C');
  }
  oc_import_result_free(r);
}

static void the_hour_that_comes_twice_keeps_the_order_of_a_night(void **state) {
  (void)state;
  oc_import_result *r = import_file("consensus_sleep_diary.map", "diary_semicolon_cp1252.csv");
  const oc_import_row *a = row_at(r, 19); /* woke at 02:30 summer time, got up at 02:10 winter time */
  assert_int_equal(int_of(a, "out_of_bed_at") - int_of(a, "final_wake_at"), 40 * 60);
  assert_int_equal(r->n_notes, 2);
  assert_non_null(strstr(note_at(r, 19), "2026-10-25 02:30 comes twice"));
  oc_import_result_free(r);
}

static void check_english_diary(oc_import_result *r, const char *encoding) {
  assert_string_equal(r->encoding, encoding);
  assert_int_equal(r->delimiter, '\t');
  assert_int_equal(r->n_rows, 2);
  assert_int_equal(r->n_bad, 0);
  assert_int_equal(int_of(&r->rows[0], "bed_at"), moment(2026, 3, 1, 22, 15, 1));
  assert_int_equal(int_of(&r->rows[0], "waso_min"), 125);
  assert_int_equal(int_of(&r->rows[0], "quality"), 4);
  assert_int_equal(int_of(&r->rows[1], "bed_at"), moment(2026, 3, 3, 0, 10, 1));
  assert_int_equal(int_of(&r->rows[1], "out_of_bed_at"), moment(2026, 3, 3, 12, 5, 1));
  assert_int_equal(int_of(&r->rows[1], "night_date"), oc_days_from_civil(2026, 3, 2));
  oc_import_result_free(r);
}

static void diary_with_tabs_am_pm_and_a_mark_at_its_start(void **state) {
  (void)state;
  check_english_diary(import_file("consensus_sleep_diary.map", "diary_tab_bom_ampm.txt"), "utf-8 with bom");
}

static void diary_as_unicode_text_of_a_spreadsheet(void **state) {
  (void)state;
  check_english_diary(import_file("consensus_sleep_diary.map", "diary_tab_utf16.txt"), "utf-16");
}

static void actigraphy_intervals_become_nights(void **state) {
  (void)state;
  oc_import_result *r = import_file("actigraphy_intervals.map", "actigraphy_comma.csv");
  assert_string_equal(r->encoding, "utf-8");
  assert_int_equal(r->delimiter, ',');
  assert_int_equal(r->header_line, 9);
  assert_int_equal(r->n_rows, 3);
  assert_int_equal(r->n_left_out, 3); /* units, ACTIVE, summary; the epochs after the end are not read */
  const oc_import_row *a = row_at(r, 12);
  assert_string_equal(a->client, "C-017"); /* from the preamble */
  assert_int_equal(a->last_line, 19);
  assert_int_equal(int_of(a, "night_date"), oc_days_from_civil(2026, 3, 1));
  assert_int_equal(int_of(a, "source"), 3);
  assert_int_equal(int_of(a, "bed_at"), moment(2026, 3, 1, 22, 0, 1));
  assert_int_equal(int_of(a, "sleep_try_at"), -99);
  assert_int_equal(int_of(a, "quality"), -98);
  assert_int_equal(int_of(a, "sol_min"), 48);
  assert_int_equal(int_of(a, "waso_min"), 30); /* that of SLEEP, not of REST */
  assert_int_equal(int_of(a, "final_wake_at"), moment(2026, 3, 2, 6, 30, 1));
  assert_null(field_of(a, "_sleep_start"));
  const oc_import_row *dst = row_at(r, 14);
  assert_int_equal(int_of(dst, "out_of_bed_at") - int_of(dst, "bed_at"),
                   (7 * 60 + 30) * 60); /* the clock says 8:30 */
  oc_import_result_free(r);
}

static void intervals_that_disagree_or_lack_a_part_are_told(void **state) {
  (void)state;
  oc_import_result *r = import_file("actigraphy_intervals.map", "actigraphy_comma.csv");
  assert_int_equal(r->n_bad, 3);
  assert_non_null(strstr(
      bad_at(r, 15), "line 23 and the record of lines 15 to 22 have one key but differ in final_wake_at"));
  assert_string_equal(bad_at(r, 23), bad_at(r, 15));
  assert_string_equal(bad_at(r, 16), "the record has no final_wake_at");
  oc_import_result_free(r);
}

static void state_changes_are_folded_into_nights(void **state) {
  (void)state;
  oc_import_result *r = import_file("observed_state_log.map", "states_semicolon.csv");
  assert_int_equal(r->n_rows, 5);
  const oc_import_row *a = row_at(r, 2);
  assert_string_equal(a->client, "C-017");
  assert_int_equal(a->last_line, 12);
  assert_int_equal(int_of(a, "source"), 1);
  assert_int_equal(int_of(a, "night_date"), oc_days_from_civil(2026, 3, 1));
  assert_int_equal(int_of(a, "bed_at"), moment(2026, 3, 1, 22, 0, 1));
  assert_int_equal(int_of(a, "sleep_try_at"), moment(2026, 3, 1, 22, 0, 1));
  assert_int_equal(int_of(a, "sol_min"), 48);
  assert_int_equal(int_of(a, "wake_count"), 1);
  assert_int_equal(int_of(a, "waso_min"), 30); /* awake 02:00, out of bed, asleep again 02:30 */
  assert_int_equal(int_of(a, "final_wake_at"), moment(2026, 3, 2, 6, 30, 1));
  assert_int_equal(int_of(a, "out_of_bed_at"), moment(2026, 3, 2, 6, 45, 1));
  assert_null(field_of(a, "nap_min"));
  assert_int_equal(int_of(row_at(r, 18), "nap_min"), 40); /* slept 13:10 to 13:50 */
  assert_int_equal(int_of(row_at(r, 18), "final_wake_at"), moment(2026, 3, 3, 7, 0, 1));
  oc_import_result_free(r);
}

static void a_broken_change_leaves_out_its_night_only(void **state) {
  (void)state;
  oc_import_result *r = import_file("observed_state_log.map", "states_semicolon.csv");
  assert_int_equal(r->n_bad, 2);
  assert_string_equal(bad_at(r, 10), "'2-3-2026 05:61' is no date with time");
  assert_string_equal(
      bad_at(r, 4),
      "the night of 2026-03-01 (lines 4 to 13) is left out: line 10 in or beside it could not be used");
  assert_string_equal(row_at(r, 21)->client, "C-018"); /* the next night of the same client is made */
  oc_import_result_free(r);
}

static void clock_change_and_open_end_in_a_state_log(void **state) {
  (void)state;
  oc_import_result *r = import_file("observed_state_log.map", "states_semicolon.csv");
  const oc_import_row *a = row_at(r, 24), *open = row_at(r, 30);
  assert_int_equal(int_of(a, "waso_min"), 20); /* 02:50 summer time to 02:10 winter time */
  assert_int_equal(int_of(a, "out_of_bed_at") - int_of(a, "bed_at"), (9 * 60 + 15) * 60);
  assert_null(field_of(open, "final_wake_at"));
  assert_null(field_of(open, "out_of_bed_at"));
  assert_non_null(strstr(note_at(r, 30), "the log stops before this night ends"));
  oc_import_result_free(r);
}

#define STATES                                                                                               \
  "[file]\nkind = sleep\n[client]\nfrom = \"C\"\n[field _t]\ntype = datetime\nfrom = \"T\"\n[field "         \
  "_s]\ntype = state\nfrom = \"S\"\n"                                                                        \
  "value \"i\" = to_sleep\nvalue \"s\" = asleep\nvalue \"w\" = awake\nvalue \"u\" = up\n[rows]\neach_row = " \
  "change\nat = _t\nstate = _s\n"                                                                            \
  "key = night_date\n"

static void newest_first_gives_the_same_nights(void **state) {
  (void)state;
  oc_import_map *up = map_of(STATES), *down = map_of(STATES "file_order = descending\n");
  oc_import_result *a = import_text(
      up, "C;T;S\na;1-3-2026 22:00;i\na;1-3-2026 22:20;s\na;2-3-2026 06:00;w\na;2-3-2026 06:10;u\n");
  oc_import_result *b = import_text(
      down, "C;T;S\na;2-3-2026 06:10;u\na;2-3-2026 06:00;w\na;1-3-2026 22:20;s\na;1-3-2026 22:00;i\n");
  oc_import_result *c = import_text(
      up, "C;T;S\na;2-3-2026 06:10;u\na;2-3-2026 06:00;w\na;1-3-2026 22:20;s\na;1-3-2026 22:00;i\n");
  assert_int_equal(a->n_rows, 1);
  assert_int_equal(b->n_rows, 1);
  assert_memory_equal(a->rows[0].content, b->rows[0].content, OC_IMPORT_KEY_BYTES);
  assert_int_equal(b->rows[0].line, 2);
  assert_int_equal(b->rows[0].last_line, 5);
  assert_int_equal(c->n_rows, 0); /* the wrong way round: said, not folded into nonsense */
  assert_non_null(strstr(bad_at(c, 3), "the row is earlier than line 2"));
  oc_import_result_free(a);
  oc_import_result_free(b);
  oc_import_result_free(c);
  oc_import_map_free(up);
  oc_import_map_free(down);
}

static void a_broken_row_of_nobody_leaves_out_each_clients_night_around_it(void **state) {
  (void)state;
  oc_import_map *m = map_of(STATES);
  oc_import_result *r = import_text(
      m, "C;T;S\na;1-3-2026 22:00;i\nb;1-3-2026 22:05;i\na;1-3-2026 22:20;s\nb;1-3-2026 22:30;s\n;2-3-2026 "
         "02:00;w\n"
         "a;2-3-2026 06:00;u\nb;2-3-2026 06:10;u\na;2-3-2026 22:00;s\na;3-3-2026 06:00;u\n");
  assert_int_equal(r->n_rows, 1);
  assert_int_equal(r->rows[0].line, 9);
  assert_string_equal(bad_at(r, 6), "the row names no client");
  assert_non_null(strstr(bad_at(r, 2), "line 6 in or beside it"));
  assert_non_null(strstr(bad_at(r, 3), "line 6 in or beside it"));
  oc_import_result_free(r);
  oc_import_map_free(m);
}

/* 02:30 is passed over on 29 March: that change has no moment, and its night cannot be told. */
static void a_change_at_no_moment_leaves_out_its_night(void **state) {
  (void)state;
  oc_import_map *m = map_of(STATES);
  oc_import_result *r = import_text(
      m, "C;T;S\na;28-3-2026 22:00;s\na;29-3-2026 02:30;w\na;29-3-2026 03:10;s\na;29-3-2026 07:00;u\n"
         "a;29-3-2026 22:00;s\na;30-3-2026 07:00;u\n");
  assert_int_equal(r->n_rows, 1);
  assert_int_equal(r->rows[0].line, 6);
  assert_non_null(strstr(bad_at(r, 3), "does not exist"));
  assert_non_null(strstr(bad_at(r, 2), "line 3 in or beside it"));
  oc_import_result_free(r);
  oc_import_map_free(m);
}

/* How long a rest by day may last to be a nap is the map's to say. */
static void the_longest_nap_is_the_maps(void **state) {
  (void)state;
  static const char text[] = "C;T;S\na;1-3-2026 13:00;s\na;1-3-2026 14:30;u\n"
                             "a;1-3-2026 22:00;s\na;2-3-2026 07:00;u\n";
  oc_import_map *hour = map_of(STATES "nap_from = 09:00\nnap_to = 19:00\nnap_max_min = 60\n"),
                *two = map_of(STATES "nap_from = 09:00\nnap_to = 19:00\nnap_max_min = 120\n");
  oc_import_result *r = import_text(two, text);
  assert_int_equal(r->n_rows, 1);
  assert_int_equal(int_of(&r->rows[0], "nap_min"), 90);
  oc_import_result_free(r);
  r = import_text(hour, text);
  assert_int_equal(r->n_rows, 0); /* two nights of one date: nobody but the reader knows which is right */
  assert_non_null(strstr(bad_at(r, 4), "have one key but differ in"));
  oc_import_result_free(r);
  oc_import_map_free(hour);
  oc_import_map_free(two);
}

/* Columns that a header has to have, though no field is made of them, tell the header from a look-alike. */
static void a_header_is_known_by_columns_of_no_field(void **state) {
  (void)state;
  oc_import_map *m = map_of("[file]\nkind = x\nheader = \"Device\", \"Firmware\"\n[field k]\ntype = code\n"
                            "from = \"K\"\n[field v]\ntype = text\nfrom = \"V\"\n[rows]\nkey = k\n");
  oc_import_result *r = import_text(m, "K;V;Device\n7;a;b\nK;V;Device;Firmware\n1;a;x;2\n");
  assert_int_equal(r->n_rows, 1);
  assert_int_equal(r->rows[0].line, 4);
  oc_import_result_free(r);
  oc_import_map_free(m);
}

static void silence_and_sleepless_nights_are_noted(void **state) {
  (void)state;
  oc_import_map *m = map_of(STATES);
  oc_import_result *r = import_text(
      m,
      "C;T;S\na;1-3-2026 22:00;i\na;2-3-2026 05:00;u\na;2-3-2026 10:00;w\na;2-3-2026 22:00;s\na;4-3-2026 "
      "22:00;i\n"
      "a;4-3-2026 23:00;s\na;5-3-2026 02:00;u\na;5-3-2026 02:30;w\na;5-3-2026 03:00;s\na;5-3-2026 07:00;u\n");
  assert_int_equal(r->n_rows, 3);
  assert_non_null(strstr(note_at(r, 2), "no sleep is logged in this night"));
  assert_null(field_of(row_at(r, 2), "sol_min"));
  assert_non_null(strstr(note_at(r, 4), "awake while out of bed"));
  assert_non_null(strstr(note_at(r, 5), "the log stops before this night ends"));
  assert_int_equal(int_of(row_at(r, 6), "waso_min"), 60);
  oc_import_result_free(r);
  oc_import_map_free(m);
}

static void importing_twice_gives_the_same_keys(void **state) {
  (void)state;
  static const char *const files[][2] = {{"consensus_sleep_diary.map", "diary_semicolon_cp1252.csv"},
                                         {"actigraphy_intervals.map", "actigraphy_comma.csv"},
                                         {"observed_state_log.map", "states_semicolon.csv"}};
  for (size_t i = 0; i < 3; i++) {
    oc_import_result *a = import_file(files[i][0], files[i][1]), *b = import_file(files[i][0], files[i][1]);
    assert_int_equal(a->n_rows, b->n_rows);
    for (size_t k = 0; k < a->n_rows; k++) {
      assert_memory_equal(a->rows[k].key, b->rows[k].key, OC_IMPORT_KEY_BYTES);
      assert_memory_equal(a->rows[k].content, b->rows[k].content, OC_IMPORT_KEY_BYTES);
      for (size_t j = 0; j < k; j++)
        assert_memory_not_equal(a->rows[k].key, a->rows[j].key, OC_IMPORT_KEY_BYTES);
    }
    oc_import_result_free(a);
    oc_import_result_free(b);
  }
}

#define PLAIN                                                                                                \
  "[file]\nkind = x\n[client]\nfrom = \"C\"\n[field k]\ntype = code\nfrom = \"K\"\n[field v]\ntype = "       \
  "int\nfrom = \"V\"\n[rows]\nkey = k\n"

static void a_corrected_row_keeps_its_key_and_changes_its_content(void **state) {
  (void)state;
  oc_import_map *m = map_of(PLAIN);
  oc_import_result *a = import_text(m, "C,K,V\na,1,5\na,2,6\n"),
                   *b = import_text(m, "V;extra;K;C\n6;;2;a\n7;;1;a\n");
  assert_memory_equal(a->rows[0].key, b->rows[1].key, OC_IMPORT_KEY_BYTES);
  assert_memory_not_equal(a->rows[0].content, b->rows[1].content, OC_IMPORT_KEY_BYTES);
  assert_memory_equal(a->rows[1].content, b->rows[0].content, OC_IMPORT_KEY_BYTES);
  oc_import_result_free(a);
  oc_import_result_free(b);
  oc_import_map_free(m);
}

static void doubles_in_one_file(void **state) {
  (void)state;
  oc_import_map *m = map_of(PLAIN);
  oc_import_result *r = import_text(m, "C,K,V\na,1,5\na,1,5\na,2,6\na,2,7\nb,2,6\na,2,6\n");
  assert_int_equal(r->n_rows, 2);
  assert_non_null(row_at(r, 2));
  assert_non_null(row_at(r, 6)); /* another client */
  assert_string_equal(note_at(r, 3), "the same row as line 2: used once");
  assert_non_null(strstr(bad_at(r, 4), "have one key but differ in v"));
  assert_non_null(strstr(bad_at(r, 5), "have one key but differ in v"));
  assert_non_null(strstr(bad_at(r, 7), "another row of the same record could not be used"));
  oc_import_result_free(r);
  oc_import_map_free(m);
}

static void clients_are_translated_or_given(void **state) {
  (void)state;
  oc_import_map *m = map_of("[file]\nkind = x\n[client]\nfrom = \"C\"\nvalue \"Kamer 4\" = \"C-017\"\n[field "
                            "v]\ntype = int\nfrom = \"V\"\n[rows]\nkey = v\n");
  oc_import_result *r = import_text(m, "C,V\nkamer 4,1\nkamer 5,2\n");
  assert_string_equal(r->rows[0].client, "C-017");
  assert_string_equal(bad_at(r, 3), "client 'kamer 5' is not listed in the map");
  oc_import_result_free(r);
  oc_import_map_free(m);
  m = map_of(
      "[file]\nkind = x\n[client]\nfrom = option\n[field v]\ntype = int\nfrom = \"V\"\n[rows]\nkey = v\n");
  oc_import_error e;
  assert_true(oc_import_map_wants_client(m));
  assert_int_equal(oc_import_parse(m, "V,\n1,\n", 6, &(oc_import_options){0}, &r, &e), OV_E_INVALID);
  assert_string_equal(e.text, "this map needs to be told of which client the file is");
  assert_int_equal(oc_import_parse(m, "V,\n1,\n", 6, &(oc_import_options){.client = "C-9"}, &r, &e), 0);
  assert_string_equal(r->rows[0].client, "C-9");
  oc_import_result_free(r);
  oc_import_map_free(m);
  m = map_of("[file]\nkind = x\n[client]\nfixed = \"C-1\"\n[field v]\ntype = int\nfrom = \"V\"\n[rows]\nkey "
             "= v\nskip \"V\" = \"9\"\n");
  r = import_text(m, "V,\r1,\r9,\r2,\r"); /* line ends of old systems */
  assert_int_equal(r->n_rows, 2);
  assert_int_equal(r->n_left_out, 1);
  assert_string_equal(r->rows[1].client, "C-1");
  oc_import_result_free(r);
  oc_import_map_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(diary_with_semicolons_and_windows_1252),
      cmocka_unit_test(bad_rows_tell_line_and_reason_and_touch_no_other),
      cmocka_unit_test(the_hour_that_comes_twice_keeps_the_order_of_a_night),
      cmocka_unit_test(diary_with_tabs_am_pm_and_a_mark_at_its_start),
      cmocka_unit_test(diary_as_unicode_text_of_a_spreadsheet),
      cmocka_unit_test(actigraphy_intervals_become_nights),
      cmocka_unit_test(intervals_that_disagree_or_lack_a_part_are_told),
      cmocka_unit_test(state_changes_are_folded_into_nights),
      cmocka_unit_test(a_broken_change_leaves_out_its_night_only),
      cmocka_unit_test(clock_change_and_open_end_in_a_state_log),
      cmocka_unit_test(newest_first_gives_the_same_nights),
      cmocka_unit_test(a_broken_row_of_nobody_leaves_out_each_clients_night_around_it),
      cmocka_unit_test(a_change_at_no_moment_leaves_out_its_night),
      cmocka_unit_test(the_longest_nap_is_the_maps),
      cmocka_unit_test(a_header_is_known_by_columns_of_no_field),
      cmocka_unit_test(silence_and_sleepless_nights_are_noted),
      cmocka_unit_test(importing_twice_gives_the_same_keys),
      cmocka_unit_test(a_corrected_row_keeps_its_key_and_changes_its_content),
      cmocka_unit_test(doubles_in_one_file),
      cmocka_unit_test(clients_are_translated_or_given),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
