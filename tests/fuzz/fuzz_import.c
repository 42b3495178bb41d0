/* The importer. First byte: 0 to 2 one of the delivered maps, and the rest is a file; 3: two bytes of length,
 * a map, a file. Nothing makes it hand over a row that breaks its contract. */
#include <string.h>

#include "fuzz.h"
#include "oc_import.h"

static const char *const maps[] = {"consensus_sleep_diary", "actigraphy_intervals", "observed_state_log"};

static oc_import_map *delivered(unsigned i) {
  static oc_import_map *map[3];
  char path[100];
  size_t n;
  oc_import_error e;
  if (map[i]) return map[i];
  snprintf(path, sizeof path, "client-c/import/maps/%s.map", maps[i]);
  uint8_t *text = fuzz_file(path, &n);
  FUZZ_MUST(!oc_import_map_parse((char *)text, n, &map[i], &e));
  free(text);
  return map[i];
}

static void check_row(const oc_import_row *row, const oc_import_result *r) {
  FUZZ_MUST(row->line > r->header_line && row->line <= row->last_line && row->n_fields > 0);
  FUZZ_MUST(strlen(row->client) <= OC_IMPORT_CLIENT_BYTES_MAX);
  for (size_t k = 0; k < row->n_fields; k++) {
    const oc_import_field *f = &row->fields[k];
    FUZZ_MUST(f->name[0] && f->name[0] != '_' && (f->type == OC_IMPORT_TEXT) == (f->text != NULL));
    FUZZ_MUST(!f->text || (f->text[0] && strlen(f->text) <= OC_IMPORT_TEXT_BYTES_MAX));
    for (size_t i = 1; f->type == OC_IMPORT_CODES && i < f->n_codes; i++)
      FUZZ_MUST(f->codes[i - 1] < f->codes[i]);
    if (f->type == OC_IMPORT_DATETIME && (f->i < -99 || f->i > -97))
      FUZZ_MUST(f->i > 940000000 && f->i < 4140000000);
  }
}

static void import(const oc_import_map *m, const uint8_t *p, size_t n) {
  oc_import_result *r = NULL;
  oc_import_error e = {0};
  int err = oc_import_parse(m, p, n, &(oc_import_options){.client = "C-1"}, &r, &e);
  FUZZ_MUST((err == 0) == (r != NULL));
  FUZZ_MUST(!err || ((err == OV_E_FORMAT || err == OV_E_LIMIT) && e.text[0]));
  if (err) return;
  FUZZ_MUST(r->n_rows <= OC_IMPORT_ROWS_MAX && r->n_bad <= OC_IMPORT_PROBLEMS_MAX);
  for (size_t i = 0; i < r->n_rows; i++) check_row(&r->rows[i], r);
  for (size_t i = 0; i < r->n_bad; i++)
    FUZZ_MUST(r->bad[i].reason[0] && r->bad[i].raw && r->bad[i].column && r->bad[i].line);
  oc_import_result_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  if (!n) return 0;
  if ((p[0] & 3) < 3) {
    import(delivered(p[0] & 3), p + 1, n - 1);
    return 0;
  }
  choices c = {p + 1, n - 1};
  size_t len = pick_u16(&c);
  if (len > c.n) len = c.n;
  oc_import_map *m = NULL;
  oc_import_error e = {0};
  oc_import_type type;
  int err = oc_import_map_parse((const char *)c.p, len, &m, &e);
  FUZZ_MUST((err == 0) == (m != NULL) && (!err || (err == OV_E_INVALID && e.text[0])));
  if (err) return 0;
  for (size_t i = 0; oc_import_map_field(m, i, &type); i++) FUZZ_MUST(i < OC_IMPORT_MAP_FIELDS_MAX);
  FUZZ_MUST(oc_import_map_kind(m) && oc_import_map_zone(m));
  import(m, c.p + len, c.n - len);
  oc_import_map_free(m);
  return 0;
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  static const struct {
    unsigned map;
    const char *file;
  } data[] = {{0, "diary_semicolon_cp1252.csv"},
              {0, "diary_tab_bom_ampm.txt"},
              {0, "diary_tab_utf16.txt"},
              {1, "actigraphy_comma.csv"},
              {2, "states_semicolon.csv"}};
  static uint8_t b[65536];
  for (unsigned i = 0; i < sizeof data / sizeof *data; i++) {
    char path[100];
    size_t n, m;
    snprintf(path, sizeof path, "tests/import/data/%s", data[i].file);
    uint8_t *file = fuzz_file(path, &n);
    snprintf(path, sizeof path, "client-c/import/maps/%s.map", maps[data[i].map]);
    uint8_t *map = fuzz_file(path, &m);
    FUZZ_MUST(n + m + 3 < sizeof b);
    b[0] = (uint8_t)data[i].map;
    memcpy(b + 1, file, n);
    add(ctx, b, n + 1);
    b[0] = 3;
    b[1] = (uint8_t)(m >> 8);
    b[2] = (uint8_t)m;
    memcpy(b + 3, map, m);
    memcpy(b + 3 + m, file, n);
    add(ctx, b, 3 + m + n);
    free(file);
    free(map);
  }
}
