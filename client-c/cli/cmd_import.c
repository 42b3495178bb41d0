/* import: rows of a file, each written once. Rows are made by the importer, written here in batches. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "oc_import.h"

/* Rows in one transaction: many share one sync of the disk, few are held in memory. */
#define BATCH 256

typedef struct importing {
  cli *c;
  const oc_import_map *map;
  oc_import_result *r;
  const char *kind, *author, *file;
  const cli_opt *sets;
  bool dry;
  uint64_t set_hash;
  size_t made, changed, same, refused;
  json_t *rows; /* with --json */
} importing;

/* -- reading --------------------------------------------------------------------------------------------- */

/* The whole file; from malloc. NULL after telling. */
static char *slurp(cli *c, const char *name, size_t most, size_t *n) {
  bool in = !strcmp(name, "-");
  FILE *f = in ? stdin : fopen(name, "rb");
  char *p = NULL;
  size_t cap = 0;
  *n = 0;
  while (f && *n <= most) {
    if (*n == cap) {
      char *more = realloc(p, cap = cap ? 2 * cap : 65536);
      if (!more) break;
      p = more;
    }
    size_t k = fread(p + *n, 1, cap - *n, f);
    *n += k;
    if (!k) break;
  }
  bool bad = !f || ferror(f) || *n > most;
  if (bad)
    cli_usage(c, "%s: %s", in ? "standard input" : name,
              f && *n > most ? "the file is too large" : strerror(errno));
  if (f && !in) fclose(f);
  if (!bad) return p;
  free(p);
  return NULL;
}

static int invalid(cli *c, const char *file, const oc_import_error *e) {
  c->e = (oc_error){.err = OC_E_INVALID};
  if (e->line) snprintf(c->e.message, sizeof c->e.message, "%.100s:%u: %.140s", file, e->line, e->text);
  else snprintf(c->e.message, sizeof c->e.message, "%.100s: %.140s", file, e->text);
  return cli_fail(c);
}

static int read_map(importing *x, const char *file, oc_import_map **out) {
  oc_import_error e = {0};
  size_t n;
  char *text = slurp(x->c, file, OC_IMPORT_MAP_BYTES_MAX, &n);
  if (!text) return CLI_USAGE;
  int err = oc_import_map_parse(text, n, out, &e);
  free(text);
  return err ? invalid(x->c, file, &e) : 0;
}

static int read_file(importing *x, const char *client) {
  oc_import_error e = {0};
  oc_zone *zone = NULL;
  size_t n;
  cli *c = x->c;
  if (oc_import_map_wants_client(x->map) && !client)
    return cli_usage(c, "this map takes the client from the command line: give --client");
  if (oc_zone_open(oc_import_map_zone(x->map), &zone))
    return cli_usage(c, "the map's time zone \"%s\" is not on this system", oc_import_map_zone(x->map));
  char *bytes = slurp(c, x->file, OC_IMPORT_BYTES_MAX, &n);
  oc_import_options o = {.zone = zone, .client = client};
  int err = bytes ? oc_import_parse(x->map, bytes, n, &o, &x->r, &e) : 0;
  free(bytes);
  oc_zone_free(zone);
  return !bytes ? CLI_USAGE : err ? invalid(c, x->file, &e) : 0;
}

/* A field that the kind has not would refuse every row: it is told once, before anything is read. */
static int check_fields(importing *x) {
  char *all = NULL;
  cli *c = x->c;
  if (oc_schemas_json(c->s, &all, &c->e)) return cli_fail(c);
  json_t *kinds = cli_json_of(all), *k, *f;
  const json_t *fields = NULL;
  oc_free(all);
  size_t i, j;
  json_array_foreach(kinds, i, k) {
    if (!strcmp(json_string_value(json_object_get(k, "kind")), x->kind))
      fields = json_object_get(k, "fields");
  }
  const char *missing = fields ? NULL : x->kind, *name;
  oc_import_type type;
  for (i = 0; fields && !missing && (name = oc_import_map_field(x->map, i, &type)); i++) {
    bool found = false;
    json_array_foreach(fields, j, f) found |= !strcmp(json_string_value(json_object_get(f, "name")), name);
    if (!found) missing = name;
  }
  int err = 0;
  if (missing) {
    c->e = (oc_error){.err = OC_E_NOTFOUND};
    snprintf(c->e.message, sizeof c->e.message,
             fields ? "the map fills %s.%.60s, which the schema here does not have"
                    : "no kind \"%s\" here%.0s; sync first",
             x->kind, missing);
    err = cli_fail(c);
  }
  json_decref(kinds);
  return err;
}

/* -- a row as a draft ------------------------------------------------------------------------------------ */

static void codes_text(const oc_import_field *f, char *out, size_t cap) {
  size_t n = 0;
  out[0] = 0;
  for (size_t i = 0; i < f->n_codes && n < cap; i++)
    n += (size_t)snprintf(out + n, cap - n, "%s%lld", i ? "," : "", (long long)f->codes[i]);
}

/* As people would write it, so that rows go through the same checks as they do. */
static const char *field_text(const oc_import_field *f, char *out, size_t cap) {
  int64_t year, day = f->i, s;
  unsigned month, dom;
  if (f->type == OC_IMPORT_TEXT) return f->text;
  if (f->type == OC_IMPORT_CODES) {
    codes_text(f, out, cap);
    return out;
  }
  bool missing = f->i >= -99 && f->i <= -97;
  if (missing || (f->type != OC_IMPORT_DATE && f->type != OC_IMPORT_DATETIME)) {
    snprintf(out, cap, "%lld", (long long)f->i);
    return out;
  }
  if (f->type == OC_IMPORT_DATETIME) day = oc_day_of(f->i);
  oc_civil_from_days(day, &year, &month, &dom);
  s = f->i - day * 86400;
  if (f->type == OC_IMPORT_DATE) snprintf(out, cap, "%04lld-%02u-%02u", (long long)year, month, dom);
  else
    snprintf(out, cap, "%04lld-%02u-%02uT%02lld:%02lld:%02lldZ", (long long)year, month, dom,
             (long long)(s / 3600), (long long)(s / 60 % 60), (long long)(s % 60));
  return out;
}

static int set_one(oc_draft *d, const char *arg, oc_error *e) {
  char name[64];
  const char *eq = strchr(arg, '=');
  snprintf(name, sizeof name, "%.*s", (int)(eq - arg), arg);
  return oc_draft_set(d, name, eq + 1, e);
}

static int fill(importing *x, const oc_import_row *row, oc_draft *d, oc_error *e) {
  char text[2048];
  int err = oc_draft_author(d, x->author, e);
  if (!err && *row->client) err = oc_draft_participant(d, row->client, e);
  for (size_t i = 0; !err && i < row->n_fields; i++)
    err = oc_draft_set(d, row->fields[i].name, field_text(&row->fields[i], text, sizeof text), e);
  for (size_t i = 0; !err && x->sets && i < x->sets->n; i++) err = set_one(d, x->sets->values[i], e);
  return err;
}

/* What --set adds is part of what a row says. */
static int check_sets(importing *x) {
  x->set_hash = 1469598103934665603u;
  for (size_t i = 0; x->sets && i < x->sets->n; i++) {
    const char *eq = strchr(x->sets->values[i], '=');
    if (!eq || eq == x->sets->values[i] || eq - x->sets->values[i] > 60)
      return cli_usage(x->c, "--set \"%.60s\" is not FIELD=VALUE", x->sets->values[i]);
    for (const char *p = x->sets->values[i];; p++) {
      x->set_hash = (x->set_hash ^ (unsigned char)*p) * 1099511628211u;
      if (!*p) break;
    }
  }
  return 0;
}

static void fill_keys(const importing *x, const oc_import_row *row, oc_once *it) {
  memcpy(it->key, row->key, sizeof it->key);
  memcpy(it->content, row->content, sizeof it->content);
  if (!x->sets || !x->sets->n) return;
  for (size_t i = 0; i < 8; i++) it->content[i] ^= (uint8_t)(x->set_hash >> (8 * i));
}

/* -- telling --------------------------------------------------------------------------------------------- */

static const char *const outcomes[] = {[OC_ONCE_NEW] = "new",
                                       [OC_ONCE_SAME] = "same",
                                       [OC_ONCE_CHANGED] = "changed",
                                       [OC_ONCE_REFUSED] = "refused"};

static void count(importing *x, int outcome) {
  if (outcome == OC_ONCE_NEW) x->made++;
  else if (outcome == OC_ONCE_CHANGED) x->changed++;
  else if (outcome == OC_ONCE_SAME) x->same++;
  else x->refused++;
}

static void tell_json(importing *x, const oc_import_row *row, const oc_once *it) {
  json_t *j = json_pack("{s:I, s:I, s:s, s:s}", "line", (json_int_t)row->line, "last_line",
                        (json_int_t)row->last_line, "outcome", outcomes[it->outcome], "client", row->client);
  json_object_set_new(j, "id", *it->id ? json_string(it->id) : json_null());
  if (it->outcome == OC_ONCE_REFUSED) json_object_set_new(j, "reason", json_string(it->error.message));
  json_array_append_new(x->rows, j);
}

static void print_row(const importing *x, const oc_import_row *row, const oc_once *it) {
  char text[2048];
  printf("line %u", row->line);
  if (row->last_line != row->line) printf("-%u", row->last_line);
  printf("  %s  ", outcomes[it->outcome]);
  cli_put(stdout, row->client);
  if (*it->id) printf("  %s", cli_short_id(it->id));
  for (size_t i = 0; x->dry && i < row->n_fields; i++) {
    printf("%s%s=", i ? ", " : "  ", row->fields[i].name);
    cli_put(stdout, field_text(&row->fields[i], text, sizeof text));
  }
  fputc('\n', stdout);
}

static void tell(importing *x, const oc_import_row *row, const oc_once *it) {
  count(x, (int)it->outcome);
  if (x->rows) {
    tell_json(x, row, it);
  } else if (it->outcome == OC_ONCE_REFUSED) {
    fprintf(stderr, "%s:%u: ", x->file, row->line);
    cli_put(stderr, it->error.message);
    fputc('\n', stderr);
  } else if (x->dry || it->outcome == OC_ONCE_CHANGED) {
    print_row(x, row, it);
  }
}

static void print_problems(const importing *x, const oc_import_problem *p, size_t n, size_t more,
                           const char *what) {
  for (size_t i = 0; i < n; i++) {
    fprintf(stderr, "%s:%u: %s", x->file, p[i].line, what);
    if (*p[i].column) fputc('"', stderr), cli_put(stderr, p[i].column), fputs("\": ", stderr);
    cli_put(stderr, p[i].reason);
    if (*p[i].raw) fputs("  |  ", stderr), cli_put(stderr, p[i].raw);
    fputc('\n', stderr);
  }
  if (more) fprintf(stderr, "%s: and %zu more\n", x->file, more);
}

static json_t *problems_json(const oc_import_problem *p, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) {
    json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s}", "line", (json_int_t)p[i].line, "column",
                                          p[i].column, "reason", p[i].reason, "raw", p[i].raw));
  }
  return list;
}

static int finish(importing *x) {
  const oc_import_result *r = x->r;
  size_t bad = r->n_bad + r->n_bad_unlisted + x->refused;
  if (x->rows) {
    cli_json(json_pack("{s:b, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "ok", bad == 0,
                       "dry_run", x->dry, "kind", x->kind, "encoding", r->encoding, "read",
                       (json_int_t)r->n_read, "left_out", (json_int_t)r->n_left_out, "new",
                       (json_int_t)x->made, "changed", (json_int_t)x->changed, "same", (json_int_t)x->same,
                       "bad", (json_int_t)bad, "rows", x->rows, "problems", problems_json(r->bad, r->n_bad),
                       "notes", problems_json(r->notes, r->n_notes)));
    x->rows = NULL;
    return bad ? CLI_PARTLY : 0;
  }
  print_problems(x, r->bad, r->n_bad, r->n_bad_unlisted, "");
  if (!x->c->quiet) print_problems(x, r->notes, r->n_notes, r->n_notes_unlisted, "note: ");
  if (!x->c->quiet) {
    printf("%s: %zu rows read, %zu left out (%s)\n", x->file, r->n_read, r->n_left_out, r->encoding);
    printf("%s%zu new, %zu changed, %zu already here, %zu not imported\n", x->dry ? "would be: " : "",
           x->made, x->changed, x->same, bad);
  }
  if (bad)
    fputs("rows that were not imported have changed nothing: mend the file and import it again\n", stderr);
  return bad ? CLI_PARTLY : 0;
}

/* -- writing --------------------------------------------------------------------------------------------- */

/* One transaction. Rows whose values are refused stay out of it. */
static int write_batch(importing *x, size_t from, size_t n) {
  oc_once all[BATCH] = {0}, good[BATCH];
  size_t of[BATCH], k = 0;
  cli *c = x->c;
  int err = 0;
  for (size_t i = 0; i < n && !err; i++) {
    fill_keys(x, &x->r->rows[from + i], &all[i]);
    all[i].draft = oc_draft_new(c->s, x->kind);
    if (!all[i].draft) err = -OC_E_NOMEM;
    else if (fill(x, &x->r->rows[from + i], all[i].draft, &all[i].error)) all[i].outcome = OC_ONCE_REFUSED;
    else of[k] = i, good[k++] = all[i];
  }
  if (!err && oc_add_once(c->s, good, k, x->dry, &c->e)) err = cli_fail(c);
  for (size_t i = 0; i < k; i++) all[of[i]] = good[i];
  for (size_t i = 0; i < n; i++) {
    if (!err) tell(x, &x->r->rows[from + i], &all[i]);
    oc_draft_free(all[i].draft);
  }
  return err;
}

static int write_all(importing *x) {
  for (size_t i = 0; i < x->r->n_rows; i += BATCH) {
    size_t left = x->r->n_rows - i;
    int err = write_batch(x, i, left < BATCH ? left : BATCH);
    if (err) return err;
  }
  return 0;
}

static int import_file(importing *x, const char *map_file, const char *client) {
  oc_import_map *map = NULL;
  char who[256];
  int err = check_sets(x);
  if (!err) err = read_map(x, map_file, &map);
  x->map = map;
  if (!err) x->kind = oc_import_map_kind(map);
  if (!err) err = cli_open(x->c, false);
  if (!err) {
    x->author = cli_author(x->c, who);
    if (!x->author) err = x->c->e.err ? -x->c->e.err : CLI_USAGE;
  }
  if (!err) err = check_fields(x);
  if (!err) err = read_file(x, client);
  if (!err && x->c->json) x->rows = json_array();
  if (!err) err = write_all(x);
  if (!err) err = finish(x);
  json_decref(x->rows);
  oc_import_result_free(x->r);
  oc_import_map_free(map);
  return err;
}

int cmd_import(cli *c, int argc, char **argv) {
  cli_opt opts[] = {{.name = "map", .takes_value = true},
                    {.name = "dry-run"},
                    {.name = "client", .takes_value = true},
                    {.name = "set", .takes_value = true, .many = true},
                    {.name = NULL}};
  cli_args a;
  bool help;
  int err = cli_parse(c, argc, argv, opts, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 1, 1, "FILE --map MAP");
  if (!err && !cli_value(opts, "map")) err = cli_usage(c, "which column is which field? Give --map MAP");
  importing x = {.c = c,
                 .file = a.n ? a.v[0] : "",
                 .sets = cli_opt_of(opts, "set"),
                 .dry = cli_value(opts, "dry-run") != NULL};
  if (!err) err = import_file(&x, cli_value(opts, "map"), cli_value(opts, "client"));
  free(opts[3].values);
  return err;
}
