/* From the cells of a record to the values of its fields, by the map. */
#include "import_internal.h"

#include <string.h>

cell column_cell(const importer *im, unsigned column) {
  int i = im->cell_of[column];
  return i >= 0 && (unsigned)i < im->rec.n ? trimmed(im->rec.cells[i]) : (cell){"", 0};
}

bool cond_holds(const importer *im, const map_cond *c) {
  cell v = column_cell(im, c->column);
  for (unsigned i = 0; i < c->n; i++)
    if (same_text(v.p, v.n, c->values[i])) return true;
  return false;
}

static bool is_missing(const importer *im, cell c) {
  for (unsigned i = 0; i < im->m->n_missing && c.n; i++)
    if (same_text(c.p, c.n, im->m->missing[i])) return true;
  return !c.n;
}

static const map_value *translated(const map_values *v, cell c) {
  for (unsigned i = 0; i < v->n; i++)
    if (same_text(c.p, c.n, v->v[i].text)) return &v->v[i];
  return NULL;
}

static value int_value(int64_t i) { return (value){.kind = i >= -99 && i <= -97 ? V_CODE : V_INT, .i = i}; }

/* All columns of a field as one text. A date without its time is no value; texts take what there is. */
static bool field_text(importer *im, const map_field *f, cell *out) {
  cell parts[OC_IMPORT_FROM_MAX];
  size_t total = 0;
  unsigned n = 0;
  *out = (cell){"", 0};
  for (unsigned i = 0; i < f->n_from; i++) {
    cell c = column_cell(im, f->from[i]);
    if (is_missing(im, c)) {
      if (f->type != FT_TEXT) return true;
      continue;
    }
    parts[n++] = c;
    total += c.n + 1;
  }
  if (n == 1) *out = parts[0];
  if (n < 2) return true;
  char *joined = import_alloc(im, total);
  if (!joined) return false;
  size_t used = 0;
  for (unsigned i = 0; i < n; i++) {
    if (i) joined[used++] = ' ';
    memcpy(joined + used, parts[i].p, parts[i].n);
    used += parts[i].n;
  }
  *out = (cell){joined, used};
  return true;
}

static bool read_code(importer *im, const map_field *f, cell c, int64_t *out) {
  const map_value *t = translated(&f->values, c);
  if (t) {
    *out = t->code;
    return true;
  }
  /* Numbers of the source's own scale must not slip through as ours: with a list, only the list counts. */
  if (f->values.n)
    return import_no(im, "", "'%.*s' is not listed in the map", (int)(c.n < 60 ? c.n : 60), c.p);
  return parse_int(im, c, false, out);
}

static void insert_code(int64_t *codes, size_t *n, int64_t code) {
  size_t i = *n;
  for (size_t k = 0; k < *n; k++)
    if (codes[k] == code) return;
  for (; i && codes[i - 1] > code; i--) codes[i] = codes[i - 1];
  codes[i] = code;
  (*n)++;
}

static bool read_codes(importer *im, const map_field *f, cell c, value *v) {
  int64_t *codes = import_alloc(im, OC_IMPORT_MAP_VALUES_MAX * sizeof *codes);
  char split = f->split ? f->split[0] : ',';
  *v = (value){.kind = V_SET, .codes = codes};
  while (codes && c.n) {
    const char *at = memchr(c.p, split, c.n);
    size_t len = at ? (size_t)(at - c.p) : c.n;
    cell piece = trimmed((cell){c.p, len});
    int64_t code = 0;
    if (piece.n && !read_code(im, f, piece, &code)) return false;
    if (v->n_codes == OC_IMPORT_MAP_VALUES_MAX)
      return import_no(im, "", "more than %u codes", OC_IMPORT_MAP_VALUES_MAX);
    if (piece.n) insert_code(codes, &v->n_codes, code);
    c = (cell){c.p + len + (at != NULL), c.n - len - (at != NULL)};
  }
  if (!v->n_codes) v->kind = V_NONE;
  return codes != NULL;
}

static bool read_when(importer *im, const map_field *f, cell c, value *v) {
  clock_text t;
  bool date = f->type != FT_TIME, time = f->type != FT_DATE;
  if (!parse_when(im, c, date, time, &t)) return false;
  if (f->type == FT_DATE) {
    *v = (value){.kind = V_INT, .i = t.days - f->morning};
  } else if (f->type == FT_TIME) {
    *v = (value){.kind = V_CLOCK, .i = t.seconds % DAY_S};
  } else if (t.has_offset) {
    *v = (value){.kind = V_INT, .i = t.days * DAY_S + t.seconds - t.offset, .has_local = true};
    v->local = v->i + oc_zone_offset(im->zone, v->i);
  } else {
    *v = (value){.kind = V_LOCAL, .i = t.days * DAY_S + t.seconds};
  }
  return true;
}

/* Text is kept as it is, but for its ends and control characters, which no form could show. */
static bool read_text(importer *im, const map_field *f, cell c, value *v) {
  const map_value *t = translated(&f->values, c);
  if (t) c = (cell){t->to, strlen(t->to)};
  if (c.n > OC_IMPORT_TEXT_BYTES_MAX)
    return import_no(im, "", "the text has %zu bytes; %u are allowed", c.n, OC_IMPORT_TEXT_BYTES_MAX);
  char *copy = import_alloc(im, c.n + 1);
  size_t n = 0;
  for (size_t i = 0; copy && i < c.n; i++) {
    bool line_break = c.p[i] == '\r' && i + 1 < c.n && c.p[i + 1] == '\n';
    if (!line_break)
      copy[n++] = (unsigned char)c.p[i] < 0x20 && c.p[i] != '\n' && c.p[i] != '\t' ? ' ' : c.p[i];
  }
  *v = (value){.kind = c.n ? V_TEXT : V_NONE, .text = copy};
  return copy != NULL;
}

static bool read_number(importer *im, const map_field *f, cell c, value *v) {
  int64_t i = 0;
  const map_value *t = translated(&f->values, c);
  bool ok = true;
  if (t) i = t->code;
  else if (f->type == FT_CODE || f->type == FT_STATE) ok = read_code(im, f, c, &i);
  else if (f->type == FT_INT) ok = parse_int(im, c, f->round, &i);
  else if (f->type == FT_MINUTES) ok = parse_minutes(im, c, f->unit_s, &i);
  else ok = parse_bool(im, c, &i);
  /* Only the map turns something into a missing code: a -99 in the file may be the device's own -99. */
  if (ok && !t && i >= -99 && i <= -97)
    return import_no(im, "", "%d is a missing code; if the file means it so, list it in the map", (int)i);
  *v = int_value(i);
  return ok;
}

static bool read_field(importer *im, const map_field *f, value *v) {
  cell c;
  if (!field_text(im, f, &c)) return false;
  if (!c.n) {
    *v = f->has_empty ? (value){.kind = V_CODE, .i = f->empty} : (value){.kind = V_NONE};
    return true;
  }
  switch (f->type) {
  case FT_TEXT: return read_text(im, f, c, v);
  case FT_CODES: return read_codes(im, f, c, v);
  case FT_DATE:
  case FT_DATETIME:
  case FT_TIME:
    if (!translated(&f->values, c)) return read_when(im, f, c, v);
    *v = int_value(translated(&f->values, c)->code);
    return true;
  default: return read_number(im, f, c, v);
  }
}

value fixed_value(importer *im, const map_field *f) {
  if (f->type == FT_TEXT) return (value){.kind = V_TEXT, .text = f->fixed};
  if (f->type != FT_CODES) return int_value(f->fixed_int);
  int64_t *one = import_alloc(im, sizeof *one);
  if (one) *one = f->fixed_int;
  return (value){.kind = one ? V_SET : V_NONE, .codes = one, .n_codes = 1};
}

bool read_fields(importer *im, value *v) {
  const oc_import_map *m = im->m;
  for (unsigned i = 0; i < m->n_fields; i++) {
    const map_field *f = &m->fields[i];
    value got = {.kind = V_NONE};
    if (f->type == FT_NIGHT || v[f->slot].kind != V_NONE || (f->when.set && !cond_holds(im, &f->when)))
      continue;
    if (f->has_fixed) {
      got = fixed_value(im, f);
    } else if (!read_field(im, f, &got)) {
      im->column = m->columns[f->from[f->n_from - 1]];
      return false;
    }
    v[f->slot] = got;
  }
  return !im->failed;
}

bool read_client(importer *im, const char **client) {
  const oc_import_map *m = im->m;
  const char *text = m->client == CLIENT_FIXED    ? m->client_text
                     : m->client == CLIENT_OPTION ? im->client
                                                  : im->preamble_client;
  cell c = m->client == CLIENT_COLUMN ? column_cell(im, m->client_column)
                                      : (cell){text ? text : "", text ? strlen(text) : 0};
  *client = "";
  if (m->client == CLIENT_NONE) return true;
  const map_value *t = translated(&m->client_values, c);
  if (t) c = (cell){t->to, strlen(t->to)};
  if (!c.n)
    return import_no(im, m->client == CLIENT_COLUMN ? m->columns[m->client_column] : "",
                     "the row names no client");
  if (c.n > OC_IMPORT_CLIENT_BYTES_MAX)
    return import_no(im, m->client == CLIENT_COLUMN ? m->columns[m->client_column] : "",
                     "the client's name has %zu bytes; %u are allowed", c.n, OC_IMPORT_CLIENT_BYTES_MAX);
  if (m->client_values.n && !t)
    return import_no(im, m->client == CLIENT_COLUMN ? m->columns[m->client_column] : "",
                     "client '%.*s' is not listed in the map", (int)c.n, c.p);
  *client = import_copy(im, c.p, c.n);
  return *client != NULL;
}

bool cells_fit(importer *im) {
  const record *r = &im->rec;
  if (r->broken) return import_no(im, "", "%s", r->broken);
  for (unsigned i = im->n_header; i < r->n; i++)
    if (trimmed(r->cells[i]).n)
      return import_no(
          im, "", "the row has %u columns, the header has %u: is a decimal comma or a text not in quotes?",
          r->n, im->n_header);
  return true;
}
