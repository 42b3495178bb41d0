/* Each type of value in the forms that files have. */
#include <stdbool.h>
#include "import_util.h"

#include <stdio.h>
#include <string.h>

#define DAY(y, m, d) oc_days_from_civil(y, m, d)
/* 1 March 2026, and 22:30 of it in Amsterdam. */
#define DAY0 20513
#define T2230 (20513 * 86400ll + 21 * 3600 + 1800)

typedef struct reading {
  const char *type, *options, *text;
  int64_t want;
  const char *refused;
} reading;

/* refused: part of the reason; then want does not count. */
static const reading READINGS[] = {
    {"int", "", "12", 12, NULL},
    {"int", "", " -3 ", -3, NULL},
    {"int", "",
     "\xe2\x88\x92"
     "4",
     -4, NULL},
    {"int", "", "+5", 5, NULL},
    {"int", "", "12,0", 12, NULL},
    {"int", "", "1.234.567", 1234567, NULL},
    {"int", "", "12.0", 12, NULL},
    {"int", "", "18,5", 0, "'18,5' is no whole number"},
    {"int", "round = yes\n", "18,5", 19, NULL},
    {"int", "round = yes\n", "-18.5", -19, NULL},
    {"int", "", "12x", 0, "'12x' is no number"},
    {"int", "", "-", 0, "is no number"},
    {"int", "", "1e5", 0, "is no number"},
    {"int", "", "99999999999999", 0, "is no number"},
    {"int", "", "-99", 0, "-99 is a missing code"},
    {"int", "value \"-99\" = -99\n", "-99", -99, NULL},
    {"int", "value \"weet niet\" = -99\n", "Weet  niet", -99, NULL},
    {"minutes", "", "75", 75, NULL},
    {"minutes", "", "18,5", 19, NULL},
    {"minutes", "", "18.4", 18, NULL},
    {"minutes", "", "1:15", 75, NULL},
    {"minutes", "", "01:15:30", 76, NULL},
    {"minutes", "", "1 h 15 min", 75, NULL},
    {"minutes", "", "2 hours 5 min.", 125, NULL},
    {"minutes", "", "1u15", 75, NULL},
    {"minutes", "", "1 uur", 60, NULL},
    {"minutes", "", "90 s", 2, NULL},
    {"minutes", "unit = s\n", "90", 2, NULL},
    {"minutes", "unit = h\n", "1,5", 90, NULL},
    {"minutes", "", "1,5 uur", 90, NULL},
    {"minutes", "", "1:75", 0, "is no duration"},
    {"minutes", "", "veel", 0, "'veel' is no duration"},
    {"minutes", "", "10 20", 0, "is no duration"},
    {"minutes", "", "5 dagen", 0, "is no duration"},
    {"bool", "", "ja", 1, NULL},
    {"bool", "", "Nee", 0, NULL},
    {"bool", "", "TRUE", 1, NULL},
    {"bool", "", "0", 0, NULL},
    {"bool", "", "misschien", 0, "is neither yes nor no"},
    {"bool", "value \"misschien\" = -98\n", "misschien", -98, NULL},
    {"code", "", "4", 4, NULL},
    {"code", "value \"goed\" = 4\n", "GOED", 4, NULL},
    {"code", "value \"goed\" = 4\n", "4", 0, "'4' is not listed in the map"},
    {"date", "", "1-3-2026", DAY0, NULL},
    {"date", "", "01/03/2026", DAY0, NULL},
    {"date", "", "1.3.26", DAY0, NULL},
    {"date", "", "2026-03-01", DAY0, NULL},
    {"date", "", "2026/3/1", DAY0, NULL},
    {"date", "", "20260301", DAY0, NULL},
    {"date", "", "1 mrt 2026", DAY0, NULL},
    {"date", "", "01-Mar-2026", DAY0, NULL},
    {"date", "", "1 maart 2026", DAY0, NULL},
    {"date", "", "zo 1-3-2026", DAY0, NULL},
    {"date", "", "Sun, 1 Mar 2026", DAY0, NULL},
    {"date", "", "1-3-2026 00:00:00", DAY0, NULL},
    {"date", "day = morning\n", "2-3-2026", DAY0, NULL},
    {"date", "", "1 mrt. 2026", DAY0, NULL},
    {"date", "", "29-2-2026", 0, "'29-2-2026' is no date (day-month-year is expected)"},
    {"date", "", "1-13-2026", 0, "is no date"},
    {"date", "", "1-3-1899", 0, "the year 1899 lies outside 2000 to 2100"},
    {"date", "", "1-3", 0, "is no date"},
    {"date", "", "1-3-2026 08:00", 0, "is no date"},
    {"date", "", "1-3-202", 0, "is no date"},
    {"date", "", "gisteren", 0, "is no date"},
    {"date", "", "1 foo 2026", 0, "is no date"},
    {"date", "value \"?\" = -99\n", "?", -99, NULL},
    {"datetime", "", "1-3-2026 22:30", T2230, NULL},
    {"datetime", "", "2026-03-01T22:30:00+01:00", T2230, NULL},
    {"datetime", "", "2026-03-01T21:30:00Z", T2230, NULL},
    {"datetime", "", "2026-03-01 16:30:00.500 -0500", T2230, NULL},
    {"datetime", "", "1/03/2026 10:30 PM", T2230, NULL},
    {"datetime", "", "1-3-2026, 22.30 uur", T2230, NULL},
    {"datetime", "", "1-3-2026 10:30:00 p.m.", T2230, NULL},
    {"datetime", "", "20260301T2230", T2230, NULL},
    {"datetime", "", "1-3-2026", 0, "has no time"},
    {"datetime", "", "1-3-2026 25:00", 0, "is no date with time"},
    {"datetime", "", "1-3-2026 22:30 x", 0, "is no date with time"},
    {"datetime", "", "1-3-2026 22", 0, "is no date with time"},
    {"datetime", "", "1-3-2026 13:00 PM", 0, "is no date with time"},
    {"datetime", "", "29-3-2026 02:30", 0, "2026-03-29 02:30 does not exist: clocks go forward that night"},
};

static const char *filled(const char *type, const char *options) {
  static char map[600];
  snprintf(map, sizeof map,
           "[file]\nkind = x\n[field k]\ntype = code\nfrom = \"K\"\n[field v]\ntype = %s\nfrom = "
           "\"V\"\n%s[rows]\nkey = k\n",
           type, options);
  return map;
}

static void values_are_read_or_refused(void **state) {
  (void)state;
  char file[300];
  for (size_t i = 0; i < sizeof READINGS / sizeof *READINGS; i++) {
    const reading *x = &READINGS[i];
    oc_import_map *m = map_of(filled(x->type, x->options));
    snprintf(file, sizeof file, "K\tV\n1\t%s\n", x->text);
    oc_import_result *r = import_text(m, file);
    const oc_import_row *row = row_at(r, 2);
    const char *bad = bad_at(r, 2);
    if (x->refused && !strstr(bad, x->refused)) print_error("%s '%s': '%s'\n", x->type, x->text, bad);
    /* A missing code alone is no record: it is refused as empty, which shows that it was read as one. */
    if (!x->refused && x->want <= -97 && x->want >= -99) {
      assert_non_null(strstr(bad, "nothing is filled in"));
    } else if (x->refused) {
      assert_non_null(strstr(bad, x->refused));
      assert_int_equal(r->n_rows, 0);
    } else {
      assert_non_null(row);
      if (int_of(row, "v") != x->want)
        print_error("%s '%s' gives %lld\n", x->type, x->text, (long long)int_of(row, "v"));
      assert_int_equal(int_of(row, "v"), x->want);
    }
    oc_import_result_free(r);
    oc_import_map_free(m);
  }
}

static void decimal_signs_can_be_fixed(void **state) {
  (void)state;
  static const struct {
    const char *decimal, *text;
    int64_t want;
  } cases[] = {{"comma", "1.200", 1200},  {"point", "1.200", 1},     {"point", "1,200", 1200},
               {"auto", "1.200,4", 1200}, {"auto", "1,200.4", 1200}, {"auto", "1,200", 1}};
  char map[400], file[100];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(map, sizeof map,
             "[file]\nkind = x\ndecimal = %s\n[field v]\ntype = minutes\nfrom = \"V\"\n[rows]\nkey = v\n",
             cases[i].decimal);
    oc_import_map *m = map_of(map);
    snprintf(file, sizeof file, "V;\n%s;\n", cases[i].text);
    oc_import_result *r = import_text(m, file);
    assert_int_equal(r->n_rows, 1);
    assert_int_equal(int_of(&r->rows[0], "v"), cases[i].want);
    oc_import_result_free(r);
    oc_import_map_free(m);
  }
}

static void date_orders(void **state) {
  (void)state;
  static const struct {
    const char *order, *text;
  } cases[] = {{"dmy", "5-3-2026"},   {"mdy", "3/5/2026"},   {"ymd", "26-03-05"}, {"mdy", "2026-03-05"},
               {"dmy", "2026-03-05"}, {"mdy", "5 Mar 2026"}, {"ymd", "5-3-2026"}};
  char map[400], file[100];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(map, sizeof map,
             "[file]\nkind = x\ndate_order = %s\n[field v]\ntype = date\nfrom = \"V\"\n[rows]\nkey = v\n",
             cases[i].order);
    oc_import_map *m = map_of(map);
    snprintf(file, sizeof file, "V;\n%s;\n", cases[i].text);
    oc_import_result *r = import_text(m, file);
    assert_int_equal(r->n_rows, 1);
    assert_int_equal(int_of(&r->rows[0], "v"), DAY(2026, 3, 5));
    oc_import_result_free(r);
    oc_import_map_free(m);
  }
}

static void code_sets_are_sorted_and_unique(void **state) {
  (void)state;
  oc_import_map *m = map_of("[file]\nkind = x\n[field v]\ntype = codes\nfrom = \"V\"\nsplit = \"+\"\nvalue "
                            "\"pijn\" = 3\nvalue \"toilet\" = 2\n"
                            "[field w]\ntype = codes\nfixed = 9\n[rows]\nkey = v\n");
  oc_import_result *r = import_text(m, "V;\npijn + toilet+ pijn;\npijn + niets;\n+;\n");
  assert_int_equal(r->n_rows, 1);
  const oc_import_field *f = field_of(&r->rows[0], "v");
  assert_int_equal(f->type, OC_IMPORT_CODES);
  assert_int_equal(f->n_codes, 2);
  assert_int_equal(f->codes[0], 2);
  assert_int_equal(f->codes[1], 3);
  assert_int_equal(field_of(&r->rows[0], "w")->codes[0], 9);
  assert_non_null(strstr(bad_at(r, 3), "'niets' is not listed"));
  assert_non_null(strstr(bad_at(r, 4), "the row has no v"));
  oc_import_result_free(r);
  oc_import_map_free(m);
}

/* Cells are told apart by their codes; one cell holds no more than a field has translations. */
static void sets_in_doubles_and_at_their_limit(void **state) {
  (void)state;
  char file[2000] = "K;V\n1;2,3\n1;3,2\n2;2,3\n2;2,4\n3;";
  oc_import_map *m = map_of(
      "[file]\nkind = x\n[field k]\ntype = code\nfrom = \"K\"\n[field v]\ntype = codes\n"
      "from = \"V\"\n[rows]\nkey = k\n");
  for (unsigned i = 0; i <= OC_IMPORT_MAP_VALUES_MAX; i++)
    snprintf(file + strlen(file), sizeof file - strlen(file), "%u,", i + 1);
  oc_import_result *r = import_text(m, strcat(file, "\n"));
  assert_int_equal(r->n_rows, 1);
  assert_string_equal(note_at(r, 3), "the same row as line 2: used once");
  assert_non_null(strstr(bad_at(r, 5), "have one key but differ in v"));
  assert_string_equal(bad_at(r, 6), "more than 128 codes");
  oc_import_result_free(r);
  oc_import_map_free(m);
}

static void times_of_day_find_their_night(void **state) {
  (void)state;
  static const struct {
    const char *a, *b;
    int64_t want_a, want_b;
    const char *refused;
  } cases[] = {{"22:30", "06:30", 2230, 10630, NULL},
               {"22u30", "6.30 uur", 2230, 10630, NULL},
               {"0030", "1:00 PM", 10030, 11300, NULL},
               {"11:59", "12:01", 11159, 11201, NULL},
               {"12:00", "23:00", 1200, 2300, NULL},
               {"24:00", "06:00", 10000, 10600, NULL},
               {"22:30", "22:10", 0, 0, "b (22:10) comes before the time that precedes it (22:30)"},
               {"22:30", "x", 0, 0, "'x' is no time"},
               {"930", "06:00", 0, 0, "'930' is no time"},
               {"9", "06:00", 0, 0, "'9' is no time"}};
  oc_import_map *m = map_of(
      "[file]\nkind = x\n[field d]\ntype = date\nfrom = \"D\"\n[field a]\ntype = time\nfrom = \"A\"\n"
      "[field b]\ntype = time\nfrom = \"B\"\n[rows]\nnight = d\nkey = d\nsequence = a, b\n");
  char file[200];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(file, sizeof file, "D;A;B\n1-6-2026;%s;%s\n", cases[i].a, cases[i].b);
    oc_import_result *r = import_text(m, file);
    if (cases[i].refused) {
      assert_non_null(strstr(bad_at(r, 2), cases[i].refused));
    } else {
      int64_t want[2] = {cases[i].want_a, cases[i].want_b};
      assert_int_equal(r->n_rows, 1);
      for (int k = 0; k < 2; k++) /* 10630: the day after, 06:30 */
        assert_int_equal(int_of(&r->rows[0], k ? "b" : "a"),
                         moment(2026, 6, 1 + (unsigned)(want[k] / 10000), (int)(want[k] / 100 % 100),
                                (int)(want[k] % 100), 2));
    }
    oc_import_result_free(r);
  }
  oc_import_result *r = import_text(m, "D;A;B\n;22:30;06:30\n");
  assert_non_null(strstr(bad_at(r, 2), "the row has no date of the night"));
  oc_import_result_free(r);
  oc_import_map_free(m);
}

static void clock_changes_follow_the_map(void **state) {
  (void)state;
  static const struct {
    const char *setting, *text;
    int64_t want;
    const char *says;
  } cases[] = {{"dst_gap = forward", "29-3-2026 02:30", 330,
                "does not exist (clocks go forward that night); taken an hour later"},
               {"dst_overlap = order", "25-10-2026 02:30", 2302,
                "comes twice (clocks go back that night); taken as the first"},
               {"dst_overlap = second", "25-10-2026 02:30", 2301,
                "comes twice (clocks go back that night); taken as the second"},
               {"dst_overlap = reject", "25-10-2026 02:30", 0, "comes twice: clocks go back that night"}};
  char map[400], file[100];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(map, sizeof map,
             "[file]\nkind = x\n%s\n[field v]\ntype = datetime\nfrom = \"V\"\n[rows]\nkey = v\n",
             cases[i].setting);
    oc_import_map *m = map_of(map);
    snprintf(file, sizeof file, "V;\n%s;\n", cases[i].text);
    oc_import_result *r = import_text(m, file);
    assert_non_null(strstr(cases[i].want ? note_at(r, 2) : bad_at(r, 2), cases[i].says));
    if (cases[i].want == 330) assert_int_equal(int_of(&r->rows[0], "v"), moment(2026, 3, 29, 3, 30, 2));
    else if (cases[i].want)
      assert_int_equal(int_of(&r->rows[0], "v"), moment(2026, 10, 25, 2, 30, (int)(cases[i].want % 10)));
    oc_import_result_free(r);
    oc_import_map_free(m);
  }
}

static void another_zone_can_be_given(void **state) {
  (void)state;
  oc_zone *z;
  oc_import_result *r;
  oc_import_error e;
  oc_import_map *m = map_of("[file]\nkind = x\n[field v]\ntype = datetime\nfrom = \"V\"\n[rows]\nkey = v\n");
  assert_int_equal(oc_zone_from_rule("EST5EDT,M3.2.0,M11.1.0", "x", &z), 0);
  static const char text[] = "V;\n2026-07-01 12:00;\n";
  assert_int_equal(oc_import_parse(m, text, sizeof text - 1, &(oc_import_options){.zone = z}, &r, &e), 0);
  assert_int_equal(int_of(&r->rows[0], "v"), moment(2026, 7, 1, 12, 0, -4));
  oc_import_result_free(r);
  oc_import_map_free(m);
  oc_zone_free(z);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_read_or_refused),
      cmocka_unit_test(decimal_signs_can_be_fixed),
      cmocka_unit_test(date_orders),
      cmocka_unit_test(code_sets_are_sorted_and_unique),
      cmocka_unit_test(sets_in_doubles_and_at_their_limit),
      cmocka_unit_test(times_of_day_find_their_night),
      cmocka_unit_test(clock_changes_follow_the_map),
      cmocka_unit_test(another_zone_can_be_given),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
