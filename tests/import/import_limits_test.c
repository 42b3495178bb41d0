/* Files that are no tables, and files over a limit: said exactly, bounded in memory. */
#include <stdbool.h>
#include "import_util.h"

#include <stdlib.h>
#include <string.h>

#define PLAIN                                                                                                \
  "[file]\nkind = x\n[field k]\ntype = code\nfrom = \"K\"\n[field v]\ntype = text\nfrom = "                  \
  "\"V\"\n[rows]\nkey = k\n"

static void refused(const char *map, const char *bytes, size_t n, int err, unsigned line, const char *says) {
  oc_import_map *m = map_of(map);
  oc_import_result *r = NULL;
  oc_import_error e;
  int got = oc_import_parse(m, bytes, n, &(oc_import_options){0}, &r, &e);
  if (got != err || e.line != line || !strstr(e.text, says))
    print_error("want %d, line %u, '%s'\n got %d, line %u, '%s'\n", err, line, says, got, e.line, e.text);
  assert_int_equal(got, err);
  assert_null(r);
  assert_int_equal(e.line, line);
  assert_non_null(strstr(e.text, says));
  oc_import_map_free(m);
}

#define REFUSED(map, text, err, line, says) refused(map, text, sizeof(text) - 1, err, line, says)

static void files_that_are_no_tables(void **state) {
  (void)state;
  REFUSED(PLAIN, "", OV_E_FORMAT, 0, "no line has any of the map's columns");
  REFUSED(PLAIN, "A;B\n1;2\n", OV_E_FORMAT, 0, "no line has any of the map's columns");
  REFUSED(PLAIN, "x\nA;K;C\n1;2;3\n", OV_E_FORMAT, 2, "this line comes nearest, but lacks \"V\"");
  REFUSED(PLAIN, "K;V;k\n1;2;3\n", OV_E_FORMAT, 1, "column \"K\" stands twice in the header");
  REFUSED(PLAIN, "K;V\n1;\0\n", OV_E_FORMAT, 2, "a zero byte: this is no text file");
  REFUSED(PLAIN,
          "\xff\xfeK\0;\0V\0\n\0"
          "1\0;\0\0\0",
          OV_E_FORMAT, 0, "a zero character");
  REFUSED("[file]\nkind = x\nencoding = utf-8\n[field k]\ntype = code\nfrom = \"K\"\n[rows]\nkey = k\n",
          "K;V\n1;a\n2;\xe9\n", OV_E_FORMAT, 3, "this line is no UTF-8");
  REFUSED(PLAIN, "\xef\xbb\xbfK;V\n1;\xe9\n", OV_E_FORMAT, 2, "this line is no UTF-8");
  REFUSED("[file]\nkind = x\n[client]\npreamble = \"Identity:\"\n[field k]\ntype = code\nfrom = "
          "\"K\"\n[rows]\nkey = k\n",
          "Identity:;\nK;V\n", OV_E_FORMAT, 2,
          "no \"Identity:\" with a client in the lines before the header");
}

static void a_forgotten_quote_costs_one_row(void **state) {
  (void)state;
  oc_import_map *m = map_of(PLAIN);
  oc_import_result *r = import_text(m, "K;V\n1;\"a\n2;b\n3;\"c\"d\n4;\"e\"\"f\n5;g\n");
  assert_int_equal(r->n_rows, 2);
  assert_int_equal(int_of(row_at(r, 3), "k"), 2);
  assert_int_equal(int_of(row_at(r, 6), "k"), 5);
  assert_string_equal(bad_at(r, 2),
                      "there is text after a closing quote"); /* it closes before the c of line 4 */
  assert_string_equal(bad_at(r, 4), "there is text after a closing quote");
  assert_string_equal(bad_at(r, 5), "a quote is not closed");
  oc_import_result_free(r);
  oc_import_map_free(m);
}

static void windows_1252_signs(void **state) {
  (void)state;
  oc_import_map *m = map_of(PLAIN);
  oc_import_result *r = import_text(m, "K;V\n1;\x80 caf\xe9 \x96 \x81\n");
  assert_string_equal(field_of(&r->rows[0], "v")->text, "€ café – \xef\xbf\xbd");
  oc_import_result_free(r);
  oc_import_map_free(m);
}

/* A sign beyond the first 65,536 is two units of UTF-16, in either order; half of one is no sign. */
static void signs_of_two_units(void **state) {
  (void)state;
  oc_import_map *m = map_of(PLAIN);
  static const char little[] = "\xff\xfeK\0;\0V\0\n\0"
                               "1\0;\0\x3d\xd8\x34\xde!\0\n\0"
                               "2\0;\0\x3d\xd8!\0\n";
  static const char big[] = "\xfe\xff\0K\0;\0V\0\n\0"
                            "1\0;\xd8\x3d\xde\x34\0!";
  oc_import_result *r = import_bytes(m, little, sizeof little);
  assert_string_equal(field_of(&r->rows[0], "v")->text, "\xf0\x9f\x98\xb4!");
  assert_string_equal(field_of(&r->rows[1], "v")->text, "\xef\xbf\xbd!");
  oc_import_result_free(r);
  r = import_bytes(m, big, sizeof big - 1);
  assert_string_equal(field_of(&r->rows[0], "v")->text, "\xf0\x9f\x98\xb4!");
  oc_import_result_free(r);
  oc_import_map_free(m);
}

static char *repeated(const char *head, const char *piece, size_t times, const char *tail, size_t *n) {
  size_t h = strlen(head), p = strlen(piece), t = strlen(tail);
  char *s = malloc(h + p * times + t + 1);
  assert_non_null(s);
  memcpy(s, head, h);
  for (size_t i = 0; i < times; i++) memcpy(s + h + i * p, piece, p);
  memcpy(s + h + p * times, tail, t + 1);
  *n = h + p * times + t;
  return s;
}

static void too_much_is_refused_or_told(void **state) {
  (void)state;
  size_t n;
  char *s = repeated("K;V\n", "1;aaaaaaaaaaaa\n", OC_IMPORT_BYTES_MAX / 15 + 1, "", &n);
  refused(PLAIN, s, n, OV_E_LIMIT, 0, "the file has 83886");
  free(s);
  s = repeated("K;V\n", ";\n", OC_IMPORT_LINES_MAX, "", &n);
  refused(PLAIN, s, n, OV_E_LIMIT, OC_IMPORT_LINES_MAX, "the file has more than 200000 lines");
  free(s);
  s = repeated("", "x\n", OC_IMPORT_PREAMBLE_LINES_MAX + 1, "K;V\n1;a\n", &n);
  refused(PLAIN, s, n, OV_E_FORMAT, 0, "no header found");
  free(s);
  oc_import_map *m = map_of(PLAIN);
  s = repeated("K;V\n1;", "a", OC_IMPORT_RECORD_BYTES_MAX, "\n2;b\n", &n);
  oc_import_result *r = import_bytes(m, s, n);
  assert_string_equal(bad_at(r, 2), "the row is longer than any known export's");
  assert_int_equal(strlen(r->bad[0].raw), OC_IMPORT_RAW_SHOWN);
  assert_int_equal(r->n_rows, 1);
  oc_import_result_free(r);
  free(s);
  s = repeated("K;V\n1;", "a", OC_IMPORT_TEXT_BYTES_MAX + 1, "\n2;b\n", &n);
  r = import_bytes(m, s, n);
  assert_string_equal(bad_at(r, 2), "the text has 10241 bytes; 10240 are allowed");
  oc_import_result_free(r);
  free(s);
  s = repeated("K;V\n1;a", ";", OC_IMPORT_COLUMNS_MAX, "\n2;b\n", &n);
  r = import_bytes(m, s, n);
  assert_string_equal(bad_at(r, 2), "the row has more columns than any known export");
  oc_import_result_free(r);
  free(s);
  s = repeated("K;V\n", "x;a\n", OC_IMPORT_PROBLEMS_MAX + 10, "1;a\n", &n);
  r = import_bytes(m, s, n);
  assert_int_equal(r->n_bad, OC_IMPORT_PROBLEMS_MAX);
  assert_int_equal(r->n_bad_unlisted, 10);
  assert_int_equal(r->n_rows, 1);
  oc_import_result_free(r);
  free(s);
  s = repeated("K;V\n1;\"", "\n", OC_IMPORT_QUOTED_LINES_MAX + 1, "\"\n2;b\n", &n);
  r = import_bytes(m, s, n);
  assert_string_equal(bad_at(r, 2), "a quote is not closed");
  assert_int_equal(int_of(&r->rows[r->n_rows - 1], "k"), 2);
  oc_import_result_free(r);
  free(s);
  oc_import_map_free(m);
}

static void too_many_rows_are_refused(void **state) {
  (void)state;
  char *s = malloc(OC_IMPORT_ROWS_MAX * 10 + 100);
  size_t n = 4;
  assert_non_null(s);
  memcpy(s, "K;V\n", 4);
  for (unsigned i = 0; i <= OC_IMPORT_ROWS_MAX; i++) {
    char digits[7];
    for (int k = 5, v = (int)i; k >= 0; k--, v /= 10) digits[k] = (char)('0' + v % 10);
    memcpy(s + n, digits, 6);
    memcpy(s + n + 6, ";a\n", 3);
    n += 9;
  }
  refused(PLAIN, s, n, OV_E_LIMIT, OC_IMPORT_ROWS_MAX + 2, "more than 50000 records in one file");
  free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_that_are_no_tables),    cmocka_unit_test(a_forgotten_quote_costs_one_row),
      cmocka_unit_test(windows_1252_signs),          cmocka_unit_test(signs_of_two_units),
      cmocka_unit_test(too_much_is_refused_or_told), cmocka_unit_test(too_many_rows_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
