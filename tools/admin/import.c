/* record import KIND FILE: one `record add` for each row of a table. The first row names the fields; comma,
 * semicolon or tab. Rows that are refused are listed with their line and reason; the others are added. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define FILE_BYTES_MAX (16u << 20)
#define CELLS_MAX 64u

typedef struct table {
  char *text, *at;
  char sep;
  unsigned line;
  char *cells[CELLS_MAX];
  unsigned n;
} table;

static char *read_file(const char *path) {
  FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
  char *text = f ? malloc(FILE_BYTES_MAX + 1) : NULL;
  size_t n = text ? fread(text, 1, FILE_BYTES_MAX + 1, f) : 0;
  if (f && f != stdin) fclose(f);
  if (!text || n > FILE_BYTES_MAX) {
    free(text);
    return NULL;
  }
  text[n] = 0;
  return text;
}

/* The one that the first line has most of. */
static char separator(const char *text) {
  const char seps[] = {',', ';', '\t'};
  size_t best = 0;
  char found = ',';
  for (unsigned i = 0; i < 3; i++) {
    size_t n = 0;
    for (const char *p = text; *p && *p != '\n'; p++) n += *p == seps[i];
    if (n > best) best = n, found = seps[i];
  }
  return found;
}

/* One cell, unquoted in place; leaves t->at behind its separator. True at the end of the row. */
static bool read_cell(table *t, char **out) {
  char *r = t->at, *w = t->at;
  bool quoted = *r == '"';
  *out = w;
  if (quoted) r++;
  for (; *r; r++) {
    if (quoted && *r == '"') {
      if (r[1] != '"') {
        quoted = false;
        continue;
      }
      r++;
    } else if (!quoted && (*r == t->sep || *r == '\n')) {
      break;
    }
    if (*r == '\n') t->line++;
    *w++ = *r;
  }
  bool end = *r != t->sep;
  t->at = *r ? r + 1 : r;
  if (end && w > *out && w[-1] == '\r') w--;
  *w = 0;
  return end;
}

static bool read_row(table *t) {
  t->n = 0;
  if (!*t->at) return false;
  t->line++;
  for (bool end = false; !end;) {
    char *c;
    end = read_cell(t, &c);
    if (t->n < CELLS_MAX) t->cells[t->n++] = c;
  }
  return true;
}

static json_t *row_request(const cli *c, const table *t, char *const *heads, unsigned n_heads) {
  json_t *q = json_deep_copy(c->request), *fields = json_array();
  for (unsigned i = 0; i < t->n && i < n_heads; i++) {
    if (!*t->cells[i]) continue;
    if (!strcmp(heads[i], "team") || !strcmp(heads[i], "participant"))
      json_object_set_new(q, heads[i], json_string(t->cells[i]));
    else json_array_append_new(fields, json_sprintf("%s=%s", heads[i], t->cells[i]));
  }
  json_object_set_new(q, "fields", fields);
  return q;
}

typedef struct outcome {
  unsigned added, refused;
  int status;
  json_t *rows;
} outcome;

static void add_row(cli *c, const table *t, unsigned line, char *const *heads, unsigned n_heads, outcome *o) {
  json_t *q = row_request(c, t, heads, n_heads), *reply = NULL;
  int status = cli_ask(c, q, &reply);
  bool ok = reply && json_is_true(json_object_get(reply, "ok"));
  const char *message = json_string_value(json_object_get(reply, "message"));
  json_decref(q);
  if (ok) {
    o->added++;
  } else {
    o->refused++;
    o->status = status ? status : exit_status(json_string_value(json_object_get(reply, "error")));
    json_array_append_new(
        o->rows, json_pack("{s:i, s:s}", "line", (int)line, "reason", message ? message : "no answer"));
    if (!c->json) fprintf(stderr, "line %u: %s\n", line, message ? message : "no answer");
  }
  json_decref(reply);
}

static void report(cli *c, const outcome *o) {
  if (c->json) {
    json_t *j = json_pack("{s:b, s:i, s:i, s:O}", "ok", !o->refused, "added", (int)o->added, "refused",
                          (int)o->refused, "rows", o->rows);
    json_dumpf(j, stdout, JSON_COMPACT);
    fputc('\n', stdout);
    json_decref(j);
  } else {
    printf("%u added, %u refused\n", o->added, o->refused);
  }
}

int import_table(cli *c) {
  table t = {.text = read_file(c->table_path)};
  char *heads[CELLS_MAX];
  outcome o = {.added = 0};
  if (!t.text)
    return show_error(c, OV_E_IO, "the file cannot be read, or is longer than 16 MiB", c->table_path);
  o.rows = json_array();
  t.at = t.text;
  if (!strncmp(t.at, "\xef\xbb\xbf", 3)) t.at += 3;
  t.sep = separator(t.at);
  unsigned n_heads = 0;
  if (read_row(&t)) {
    n_heads = t.n;
    memcpy(heads, t.cells, n_heads * sizeof *heads);
  }
  while (!cli_interrupted && o.status != EXIT_BUSY && o.status != EXIT_DISK) {
    unsigned line = t.line + 1;
    if (!read_row(&t)) break;
    if (t.n > 1 || *t.cells[0]) add_row(c, &t, line, heads, n_heads, &o);
  }
  report(c, &o);
  json_decref(o.rows);
  free(t.text);
  return cli_interrupted ? EXIT_INTERRUPTED : o.refused ? o.status : EXIT_OK;
}
