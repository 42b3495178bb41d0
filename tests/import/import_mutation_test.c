/* No bytes, in the file or in the map, make the importer crash, hang or hand over a row that breaks its
 * contract. Seeded. */
#include <stdbool.h>
#include "import_util.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MUTATIONS = 14000, MAP_MUTATIONS = 6000 };

typedef struct rng {
  uint64_t s;
} rng;

static uint32_t next(rng *r) {
  r->s ^= r->s << 13;
  r->s ^= r->s >> 7;
  r->s ^= r->s << 17;
  return (uint32_t)(r->s >> 16);
}

static const char *const FILES[][2] = {{"consensus_sleep_diary.map", "diary_semicolon_cp1252.csv"},
                                       {"consensus_sleep_diary.map", "diary_tab_bom_ampm.txt"},
                                       {"consensus_sleep_diary.map", "diary_tab_utf16.txt"},
                                       {"actigraphy_intervals.map", "actigraphy_comma.csv"},
                                       {"observed_state_log.map", "states_semicolon.csv"}};
enum { N_FILES = sizeof FILES / sizeof *FILES };

/* Changes, drops, doubles or swaps bytes; often with the signs that mean something. Returns the new length
 * (at most n + 64). */
static size_t mutate(rng *r, char *b, size_t n) {
  static const char signs[] = "\";,\t\r\n|:-/.0123456789APMpm=[]#_ \xff\xc3";
  unsigned times = 1 + next(r) % 4;
  while (times-- && n > 8) {
    size_t at = next(r) % n, len = 1 + next(r) % 16;
    switch (next(r) % 5) {
    case 0: b[at] = (char)next(r); break;
    case 1:
    case 2: b[at] = signs[next(r) % (sizeof signs - 1)]; break;
    case 3:
      if (at + len < n) {
        memmove(b + at, b + at + len, n - at - len);
        n -= len;
      }
      break;
    default:
      if (at + len < n) {
        memmove(b + at + len, b + at, n - at);
        n += len;
      }
    }
  }
  return next(r) % 16 ? n : next(r) % (n + 1);
}

static void check_result(const oc_import_result *r) {
  assert_true(r->n_rows <= OC_IMPORT_ROWS_MAX && r->n_bad <= OC_IMPORT_PROBLEMS_MAX);
  for (size_t i = 0; i < r->n_rows; i++) {
    const oc_import_row *row = &r->rows[i];
    assert_true(row->line > r->header_line && row->line <= row->last_line && row->n_fields > 0);
    assert_true(strlen(row->client) <= OC_IMPORT_CLIENT_BYTES_MAX);
    for (size_t k = 0; k < row->n_fields; k++) {
      const oc_import_field *f = &row->fields[k];
      assert_int_not_equal(f->name[0], '_');
      assert_int_equal(f->type == OC_IMPORT_TEXT, f->text != NULL);
      if (f->text) assert_in_range(strlen(f->text), 1, OC_IMPORT_TEXT_BYTES_MAX);
      if (f->type == OC_IMPORT_DATETIME)
        assert_true((f->i >= -99 && f->i <= -97) || (f->i > 940000000 && f->i < 4140000000));
    }
  }
  for (size_t i = 0; i < r->n_bad; i++)
    assert_true(r->bad[i].reason[0] && r->bad[i].raw && r->bad[i].column && r->bad[i].line > 0);
}

static void try_one(const oc_import_map *m, const char *bytes, size_t n) {
  oc_import_result *r = NULL;
  oc_import_error e;
  int err = oc_import_parse(m, bytes, n, &(oc_import_options){.client = "C-1"}, &r, &e);
  assert_int_equal(err == 0, r != NULL);
  if (err) assert_true((err == OV_E_FORMAT || err == OV_E_LIMIT) && e.text[0]);
  else check_result(r);
  oc_import_result_free(r);
}

static void any_file_is_read_or_refused(void **state) {
  (void)state;
  rng r = {0x9e3779b97f4a7c15u};
  oc_import_map *maps[N_FILES];
  char *files[N_FILES];
  size_t n[N_FILES];
  for (size_t i = 0; i < N_FILES; i++) {
    maps[i] = open_map(FILES[i][0]);
    files[i] = read_data(FILES[i][1], &n[i]);
  }
  for (unsigned k = 0; k < FILE_MUTATIONS; k++) {
    size_t i = k % N_FILES;
    char *copy = malloc(n[i] + 65); /* exact size: a read past the end is seen */
    memcpy(copy, files[i], n[i]);
    size_t len = mutate(&r, copy, n[i]);
    char *exact = malloc(len ? len : 1);
    memcpy(exact, copy, len);
    try_one(maps[i], exact, len);
    free(exact);
    free(copy);
  }
  for (size_t i = 0; i < N_FILES; i++) {
    oc_import_map_free(maps[i]);
    free(files[i]);
  }
}

static void any_map_is_taken_or_refused(void **state) {
  (void)state;
  rng r = {0x2545f4914f6cdd1du};
  unsigned taken = 0;
  for (unsigned k = 0; k < MAP_MUTATIONS; k++) {
    size_t i = k % N_FILES, n, data_n;
    oc_import_map *m = NULL;
    oc_import_error e;
    char *text = read_map_text(FILES[i][0], &n), *data = read_data(FILES[i][1], &data_n);
    size_t len = mutate(&r, text, n); /* the buffer of read_map_text has room */
    int err = oc_import_map_parse(text, len, &m, &e);
    assert_int_equal(err == 0, m != NULL);
    if (err) assert_true(err == OV_E_INVALID && e.text[0]);
    else try_one(m, data, data_n);
    taken += m != NULL;
    oc_import_map_free(m);
    free(text);
    free(data);
  }
  assert_in_range(taken, MAP_MUTATIONS / 20, MAP_MUTATIONS * 19 / 20); /* both ways are really tried */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_file_is_read_or_refused),
      cmocka_unit_test(any_map_is_taken_or_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
