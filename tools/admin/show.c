/* Output: tables and values for people, JSON for scripts, progress on a terminal. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "cli.h"

#define CELL_MAX 4096
#define COLUMNS_MAX 12

/* -- errors ------------------------------------------------------------------------------ */

static int code_of(const char *slug) {
  for (int e = -1; e >= -130; e--) {
    if (!strcmp(ov_err_slug(e), slug)) return e;
  }
  return OV_E_INTERNAL;
}

int exit_status(const char *slug) {
  switch (code_of(slug)) {
  case OV_E_NOTFOUND: return EXIT_NOT_FOUND;
  case OV_E_INVALID:
  case OV_E_EXISTS:
  case OV_E_LIMIT:
  case OV_E_FORMAT:
  case OV_E_STATE:
  case OV_E_REVOKED:
  case OV_E_NEWER: return EXIT_REFUSED;
  case OV_E_BUSY:
  case OV_E_LOCKED:
  case OV_E_TIMEOUT:
  case OV_E_SHUTDOWN: return EXIT_BUSY;
  case OV_E_CORRUPT: return EXIT_DAMAGE;
  case OV_E_IO:
  case OV_E_FULL:
  case OV_E_READONLY:
  case OV_E_NET: return EXIT_DISK;
  case OV_E_DENIED:
  case OV_E_CRYPTO:
  case OV_E_AUTH: return EXIT_DENIED;
  case OV_E_CANCELLED: return EXIT_INTERRUPTED;
  default: return EXIT_FAILED;
  }
}

static void print_json(const json_t *j) {
  json_dumpf(j, stdout, JSON_COMPACT);
  fputc('\n', stdout);
}

int show_error(cli *c, int err, const char *message, const char *hint) {
  show_progress_end(c);
  if (c->json) {
    json_t *j = json_pack("{s:b, s:s, s:s, s:s}", "ok", 0, "error", ov_err_slug(err), "message", message,
                          "hint", hint ? hint : "");
    print_json(j);
    json_decref(j);
  } else {
    fprintf(stderr, "overdracht-admin: %s\n", message);
    if (hint && *hint) fprintf(stderr, "  %s\n", hint);
  }
  return exit_status(ov_err_slug(err));
}

/* -- progress and streamed items --------------------------------------------------------- */

static void show_progress(cli *c, const json_t *p) {
  if (c->json || c->quiet || !isatty(2)) return;
  long long done = json_integer_value(json_object_get(p, "done")),
            total = json_integer_value(json_object_get(p, "total"));
  const char *what = json_string_value(json_object_get(p, "what"));
  if (total > 0)
    fprintf(stderr, "\r\033[K%s: %lld of %lld (%lld%%)", what ? what : "", done, total,
            done >= total ? 100 : done * 100 / total);
  else fprintf(stderr, "\r\033[K%s: %lld", what ? what : "", done);
  c->progress_shown = true;
}

void show_progress_end(cli *c) {
  if (c->progress_shown) fputs("\r\033[K", stderr);
  c->progress_shown = false;
}

/* "text" is what people read; scripts, and files, get the whole item. */
static bool show_item(cli *c, const json_t *item) {
  FILE *f = c->items ? c->items : stdout;
  const char *text = json_string_value(json_object_get(item, "text"));
  show_progress_end(c);
  c->streamed++;
  if (text && !c->json && !c->items) fprintf(f, "%s\n", text);
  else if (!json_dumpf(item, f, JSON_COMPACT)) fputc('\n', f);
  return !ferror(f);
}

bool show_line(cli *c, const char *line, json_t **reply) {
  json_t *j = json_loads(line, 0, NULL), *p;
  bool go_on = true;
  if ((p = json_object_get(j, "progress"))) show_progress(c, p);
  else if ((p = json_object_get(j, "item"))) go_on = show_item(c, p);
  else if (json_object_get(j, "ok")) {
    json_decref(*reply);
    *reply = json_incref(j);
  }
  json_decref(j);
  return go_on;
}

/* -- values as text ---------------------------------------------------------------------- */

static void append(char *out, const char *text) {
  size_t n = strlen(out);
  snprintf(out + n, CELL_MAX - n, "%s", text);
}

/* Times come in UTC and are shown in the user's zone. */
static bool local_time(const char *text, char *out) {
  struct tm tm = {0}, local;
  const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  if (!end || *end) return false;
  time_t s = timegm(&tm);
  char shown[40];
  if (!localtime_r(&s, &local) || !strftime(shown, sizeof shown, "%Y-%m-%d %H:%M %Z", &local)) return false;
  append(out, shown);
  return true;
}

static void append_value(char *out, const json_t *v);

// NOLINTNEXTLINE(misc-no-recursion)
static void append_list(char *out, const json_t *v) {
  for (size_t i = 0; i < json_array_size(v); i++) {
    if (i) append(out, ", ");
    append_value(out, json_array_get(v, i));
  }
}

// NOLINTNEXTLINE(misc-no-recursion)
static void append_object(char *out, const json_t *v) {
  const json_t *label = json_object_get(v, "label"), *name = json_object_get(v, "name"),
               *value = json_object_get(v, "value");
  const char *key;
  json_t *x;
  bool first = true;
  if (label) {
    append_value(out, label);
    return;
  }
  if (name && value) {
    append_value(out, name);
    append(out, "=");
    append_value(out, value);
    return;
  }
  json_object_foreach((json_t *)v, key, x) {
    if (!first) append(out, ", ");
    append(out, key);
    append(out, "=");
    append_value(out, x);
    first = false;
  }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as an answer is, which the server bounds
static void append_value(char *out, const json_t *v) {
  char number[40];
  switch (json_typeof(v)) {
  case JSON_STRING:
    if (!local_time(json_string_value(v), out)) append(out, json_string_value(v));
    break;
  case JSON_INTEGER:
    snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
    append(out, number);
    break;
  case JSON_TRUE: append(out, "yes"); break;
  case JSON_FALSE: append(out, "no"); break;
  case JSON_ARRAY: append_list(out, v); break;
  case JSON_OBJECT: append_object(out, v); break;
  default: append(out, "-"); break;
  }
}

/* What came from tablets must not steer the terminal. */
static void tame(char *text) {
  for (; *text; text++) {
    if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = ' ';
  }
}

static void cell(const json_t *v, char out[CELL_MAX]) {
  *out = 0;
  if (v) append_value(out, v);
  tame(out);
}

static size_t columns_of(const char *text) {
  wchar_t wide[CELL_MAX];
  size_t n = mbstowcs(wide, text, CELL_MAX);
  int w = n == (size_t)-1 ? -1 : wcswidth(wide, n < CELL_MAX ? n : CELL_MAX);
  return w < 0 ? strlen(text) : (size_t)w;
}

/* -- tables ------------------------------------------------------------------------------ */

typedef struct column {
  char key[40], heading[40];
  size_t width;
  bool used;
} column;

static unsigned read_columns(const char *spec, column *out) {
  unsigned n = 0;
  int used;
  while (n < COLUMNS_MAX && sscanf(spec, " %39[^:]:%39[^ ]%n", out[n].key, out[n].heading, &used) == 2) {
    out[n].width = strlen(out[n].heading);
    out[n].used = false;
    spec += used;
    n++;
  }
  return n;
}

static void measure(const json_t *items, column *cols, unsigned n) {
  char text[CELL_MAX];
  for (size_t i = 0; i < json_array_size(items); i++) {
    for (unsigned k = 0; k < n; k++) {
      cell(json_object_get(json_array_get(items, i), cols[k].key), text);
      size_t w = columns_of(text);
      if (w > cols[k].width) cols[k].width = w;
      if (*text && strcmp(text, "-")) cols[k].used = true;
    }
  }
}

/* Columns that nobody filled are left out; the last one is not padded. */
static void print_row(const json_t *item, const column *cols, unsigned n) {
  char text[CELL_MAX];
  unsigned last = n;
  while (last && !cols[last - 1].used) last--;
  for (unsigned k = 0; k < last; k++) {
    if (!cols[k].used) continue;
    if (item) cell(json_object_get(item, cols[k].key), text);
    else snprintf(text, sizeof text, "%s", cols[k].heading);
    size_t w = columns_of(text);
    printf("%s%*s", text, k + 1 < last && w < cols[k].width ? (int)(cols[k].width - w) : 0, "");
    fputs(k + 1 < last ? "  " : "\n", stdout);
  }
}

static void print_table(const sv_admin_command *cmd, const json_t *items) {
  column cols[COLUMNS_MAX];
  unsigned n = read_columns(cmd->columns, cols);
  measure(items, cols, n);
  print_row(NULL, cols, n);
  for (size_t i = 0; i < json_array_size(items); i++) print_row(json_array_get(items, i), cols, n);
}

static void print_values(FILE *f, const json_t *reply) {
  const char *key;
  json_t *v;
  char text[CELL_MAX];
  json_object_foreach((json_t *)reply, key, v) {
    if (!strcmp(key, "ok") || !strcmp(key, "items") || !strcmp(key, "notes") || !strcmp(key, "error") ||
        !strcmp(key, "message") || !strcmp(key, "hint") || !strcmp(key, "qr")) {
      continue;
    }
    if (json_is_object(v) && json_object_size(v) && !json_object_get(v, "label")) {
      const char *inner;
      json_t *x;
      fprintf(f, "%s:\n", key);
      json_object_foreach(v, inner, x) {
        cell(x, text);
        fprintf(f, "  %s: %s\n", inner, text);
      }
      continue;
    }
    cell(v, text);
    fprintf(f, "%s: %s\n", key, text);
  }
}

int show_reply(cli *c, const json_t *reply) {
  const char *error = json_string_value(json_object_get(reply, "error"));
  const json_t *items = json_object_get(reply, "items"), *notes = json_object_get(reply, "notes");
  show_progress_end(c);
  if (c->json) {
    print_json(reply);
    return error ? exit_status(error) : EXIT_OK;
  }
  /* What was streamed to standard output stays nothing but JSON lines. */
  bool piped = c->streamed && !c->items && json_object_get(reply, "lines");
  print_values(piped ? stderr : stdout, reply);
  if (items && c->cmd->columns) print_table(c->cmd, items);
  for (size_t i = 0; i < json_array_size(notes); i++) {
    fprintf(c->items || c->streamed ? stderr : stdout, "%s\n", json_string_value(json_array_get(notes, i)));
  }
  if (!error) return EXIT_OK;
  fflush(stdout);
  return show_error(c, code_of(error), json_string_value(json_object_get(reply, "message")),
                    json_string_value(json_object_get(reply, "hint")));
}
