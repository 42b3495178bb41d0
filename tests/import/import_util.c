#include "import_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_path(const char *folder, const char *name, size_t *n) {
  char path[600];
  snprintf(path, sizeof path, OV_SOURCE_DIR "/%s/%s", folder, name);
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  char *b = malloc(100000);
  assert_non_null(b);
  *n = fread(b, 1, 99999, f);
  fclose(f);
  b[*n] = '\0';
  return b;
}

char *read_data(const char *name, size_t *n) { return read_path("tests/import/data", name, n); }

char *read_map_text(const char *name, size_t *n) { return read_path("client-c/import/maps", name, n); }

static oc_import_map *map_parsed(const char *text, size_t n) {
  oc_import_map *m = NULL;
  oc_import_error e;
  int err = oc_import_map_parse(text, n, &m, &e);
  if (err) print_error("map, line %u: %s\n", e.line, e.text);
  assert_int_equal(err, 0);
  return m;
}

oc_import_map *open_map(const char *name) {
  size_t n;
  char *text = read_map_text(name, &n);
  oc_import_map *m = map_parsed(text, n);
  free(text);
  return m;
}

oc_import_map *map_of(const char *text) { return map_parsed(text, strlen(text)); }

oc_import_result *import_bytes(const oc_import_map *m, const char *bytes, size_t n) {
  oc_import_result *r = NULL;
  oc_import_error e;
  int err = oc_import_parse(m, bytes, n, &(oc_import_options){0}, &r, &e);
  if (err) print_error("line %u: %s\n", e.line, e.text);
  assert_int_equal(err, 0);
  return r;
}

oc_import_result *import_text(const oc_import_map *m, const char *text) {
  return import_bytes(m, text, strlen(text));
}

oc_import_result *import_file(const char *map, const char *data) {
  size_t n;
  oc_import_map *m = open_map(map);
  char *bytes = read_data(data, &n);
  oc_import_result *r = import_bytes(m, bytes, n);
  free(bytes);
  oc_import_map_free(m);
  return r;
}

const oc_import_field *field_of(const oc_import_row *r, const char *name) {
  for (size_t i = 0; i < r->n_fields; i++)
    if (!strcmp(r->fields[i].name, name)) return &r->fields[i];
  return NULL;
}

int64_t int_of(const oc_import_row *r, const char *name) {
  const oc_import_field *f = field_of(r, name);
  if (!f) print_error("no %s in the row of line %u\n", name, r->line);
  assert_non_null(f);
  return f->i;
}

const oc_import_row *row_at(const oc_import_result *r, unsigned line) {
  for (size_t i = 0; i < r->n_rows; i++)
    if (r->rows[i].line == line) return &r->rows[i];
  return NULL;
}

static const char *problem_at(const oc_import_problem *p, size_t n, unsigned line) {
  for (size_t i = 0; i < n; i++)
    if (p[i].line == line) return p[i].reason;
  return "";
}

const char *bad_at(const oc_import_result *r, unsigned line) { return problem_at(r->bad, r->n_bad, line); }

const char *note_at(const oc_import_result *r, unsigned line) {
  return problem_at(r->notes, r->n_notes, line);
}

int64_t moment(int year, unsigned month, unsigned day, int hour, int minute, int east) {
  return oc_days_from_civil(year, month, day) * 86400 + (hour - east) * 3600 + minute * 60;
}
