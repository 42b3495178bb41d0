/* Records and cells of a delimited text, and the header among the lines before it. */
#include "import_internal.h"

#include <stdio.h>
#include <string.h>

static bool blank(char c) { return c == ' ' || c == '\t'; }

cell trimmed(cell c) {
  for (;;) {
    if (c.n && (blank(*c.p) || *c.p == '\n' || *c.p == '\r')) c.p++, c.n--;
    else if (c.n >= 2 && !memcmp(c.p, "\xc2\xa0", 2)) /* no-break space */ c.p += 2, c.n -= 2;
    else break;
  }
  for (;;) {
    if (c.n && (blank(c.p[c.n - 1]) || c.p[c.n - 1] == '\n' || c.p[c.n - 1] == '\r')) c.n--;
    else if (c.n >= 2 && !memcmp(c.p + c.n - 2, "\xc2\xa0", 2)) c.n -= 2;
    else return c;
  }
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool space_like(char c) { return blank(c) || c == '\n' || c == '\r'; }

/* Capitals of a-z and the amount of white space do not matter. */
bool same_text(const char *p, size_t n, const char *name) {
  cell a = trimmed((cell){p, n}), b = trimmed((cell){name, strlen(name)});
  size_t i = 0, j = 0;
  while (i < a.n && j < b.n) {
    if (space_like(a.p[i]) && space_like(b.p[j])) {
      while (i < a.n && space_like(a.p[i])) i++;
      while (j < b.n && space_like(b.p[j])) j++;
    } else if (lower(a.p[i++]) != lower(b.p[j++])) {
      return false;
    }
  }
  return i == a.n && j == b.n;
}

/* End of the physical line at `from`; *next is the start of the one after it. Line ends are LF, CR LF or CR.
 */
static size_t line_end(const importer *im, size_t from, size_t *next) {
  size_t i = from;
  while (i < im->n && im->text[i] != '\n' && im->text[i] != '\r') i++;
  *next = i + (i < im->n) + (i + 1 < im->n && im->text[i] == '\r' && im->text[i + 1] == '\n');
  return i;
}

/* Place of the quote that closes the one before `from`, or n when none does within the limits. */
static size_t closing_quote(const importer *im, size_t from, unsigned *breaks) {
  size_t end = im->n - from > OC_IMPORT_RECORD_BYTES_MAX ? from + OC_IMPORT_RECORD_BYTES_MAX : im->n;
  *breaks = 0;
  for (size_t i = from; i < end; i++) {
    if (im->text[i] == '"') {
      if (i + 1 >= im->n || im->text[i + 1] != '"') return i;
      i++;
    } else if (im->text[i] == '\n' || (im->text[i] == '\r' && !(i + 1 < im->n && im->text[i + 1] == '\n'))) {
      if (++*breaks > OC_IMPORT_QUOTED_LINES_MAX) break;
    }
  }
  return im->n;
}

static cell unquoted(importer *im, size_t from, size_t to) {
  char *out = memchr(im->text + from, '"', to - from) ? import_alloc(im, to - from + 1) : NULL;
  size_t n = 0;
  if (!out) return (cell){im->text + from, to - from};
  for (size_t i = from; i < to; i++) {
    out[n++] = im->text[i];
    i += im->text[i] == '"';
  }
  return (cell){out, n};
}

static void add_cell(record *r, cell c) {
  if (r->n < OC_IMPORT_COLUMNS_MAX) r->cells[r->n++] = c;
  else r->broken = "the row has more columns than any known export";
}

static bool at_line_end(const importer *im, size_t i) {
  return i >= im->n || im->text[i] == '\n' || im->text[i] == '\r';
}

/* One cell from i on; returns the place of the delimiter or line end after it. */
static size_t read_cell(importer *im, size_t i, char delimiter, record *r, unsigned *breaks) {
  size_t start = i;
  while (i < im->n && im->text[i] == ' ') i++;
  if (i >= im->n || im->text[i] != '"') {
    while (!at_line_end(im, i) && im->text[i] != delimiter) i++;
    add_cell(r, (cell){im->text + start, i - start});
    return i;
  }
  unsigned more;
  size_t close = closing_quote(im, i + 1, &more);
  if (close >= im->n) {
    r->broken = "a quote is not closed";
    return i;
  }
  add_cell(r, unquoted(im, i + 1, close));
  *breaks += more;
  i = close + 1;
  while (i < im->n && im->text[i] == ' ') i++;
  if (!at_line_end(im, i) && im->text[i] != delimiter) r->broken = "there is text after a closing quote";
  return i;
}

bool table_next(importer *im, char delimiter, record *r) {
  size_t next, i = im->pos;
  unsigned breaks = 0;
  if (im->failed || im->pos >= im->n) return false;
  if (im->line >= OC_IMPORT_LINES_MAX) {
    import_fail(im, OV_E_LIMIT, im->line, "the file has more than %u lines", OC_IMPORT_LINES_MAX);
    return false;
  }
  r->line = im->line + 1;
  r->raw = im->text + im->pos;
  r->n = 0;
  r->broken = NULL;
  while ((i = read_cell(im, i, delimiter, r, &breaks)) < im->n && !r->broken && im->text[i] == delimiter) i++;
  if (!r->broken && i - im->pos > OC_IMPORT_RECORD_BYTES_MAX)
    r->broken = "the row is longer than any known export's";
  /* Of a broken record only its first line is given up: what follows may be good. */
  if (r->broken) {
    i = im->pos;
    breaks = 0;
  }
  i = line_end(im, i, &next);
  r->raw_n = i - im->pos;
  im->pos = next;
  im->line += 1 + breaks;
  return true;
}

/* Which of the map's columns stand in this record? Returns how many of the needed ones; -1 when a used one
 * stands twice. */
static int match_header(importer *im, const record *r, const char **twice) {
  const oc_import_map *m = im->m;
  int found = 0;
  for (unsigned c = 0; c < m->n_columns; c++) {
    im->cell_of[c] = -1;
    for (unsigned i = 0; i < r->n; i++) {
      if (!same_text(r->cells[i].p, r->cells[i].n, m->columns[c])) continue;
      if (im->cell_of[c] >= 0) *twice = m->columns[c];
      im->cell_of[c] = (int)i;
    }
    found += m->needed[c] && im->cell_of[c] >= 0;
  }
  return found;
}

static int needed_columns(const oc_import_map *m) {
  int n = 0;
  for (unsigned c = 0; c < m->n_columns; c++) n += m->needed[c];
  return n;
}

/* The nearest miss tells most: usually one column was renamed. */
typedef struct near_miss {
  int found;
  unsigned line;
  char lacks[OC_IMPORT_REASON_MAX / 2];
} near_miss;

static void note_miss(const importer *im, int found, unsigned line, near_miss *best) {
  size_t used = 0;
  if (found <= best->found) return;
  best->found = found;
  best->line = line;
  best->lacks[0] = '\0';
  for (unsigned c = 0; c < im->m->n_columns; c++) {
    if (!im->m->needed[c] || im->cell_of[c] >= 0 || used + 1 >= sizeof best->lacks) continue;
    int w = snprintf(best->lacks + used, sizeof best->lacks - used, "%s\"%.40s\"", used ? ", " : "",
                     im->m->columns[c]);
    used += w > 0 ? (size_t)w : 0;
  }
}

static bool try_header(importer *im, char delimiter, int needed, near_miss *best) {
  size_t pos = im->pos;
  unsigned line = im->line;
  const char *twice = NULL;
  if (table_next(im, delimiter, &im->rec) && !im->rec.broken) {
    int found = match_header(im, &im->rec, &twice);
    if (found == needed && twice)
      import_fail(im, OV_E_FORMAT, line + 1, "column \"%.60s\" stands twice in the header", twice);
    if (found == needed) return true;
    note_miss(im, found, line + 1, best);
  }
  im->pos = pos;
  im->line = line;
  return false;
}

/* "Identity:", "C-017" in two cells, or "Identity: C-017" in one. */
static void look_for_client(importer *im, const record *r) {
  const char *label = im->m->client_text;
  size_t len = strlen(label);
  for (unsigned i = 0; i < r->n && !im->preamble_client; i++) {
    cell c = trimmed(r->cells[i]), rest = {c.p + (c.n < len ? c.n : len), c.n < len ? 0 : c.n - len};
    if (c.n < len || !same_text(c.p, len, label)) continue;
    rest = trimmed(rest);
    for (unsigned k = i + 1; k < r->n && !rest.n; k++) rest = trimmed(r->cells[k]);
    if (rest.n && rest.n <= OC_IMPORT_CLIENT_BYTES_MAX) im->preamble_client = import_copy(im, rest.p, rest.n);
  }
}

static void read_preamble(importer *im, unsigned header_line) {
  size_t pos = im->pos;
  unsigned line = im->line;
  record *r = import_alloc(im, sizeof *r);
  im->pos = im->line = 0;
  while (r && im->line + 1 < header_line && table_next(im, im->delimiter, r)) look_for_client(im, r);
  im->pos = pos;
  im->line = line;
  if (!im->failed && !im->preamble_client)
    import_fail(im, OV_E_FORMAT, header_line, "no \"%.60s\" with a client in the lines before the header",
                im->m->client_text);
}

void table_find_header(importer *im) {
  static const char all[] = {';', '\t', ',', '|'};
  const char *candidates = im->m->delimiter ? &im->m->delimiter : all;
  size_t n = im->m->delimiter ? 1 : sizeof all, next;
  int needed = needed_columns(im->m);
  near_miss best = {.found = 0};
  while (im->pos < im->n && im->line < OC_IMPORT_PREAMBLE_LINES_MAX && !im->failed) {
    for (size_t i = 0; i < n && !im->failed; i++) {
      if (!try_header(im, candidates[i], needed, &best)) continue;
      im->delimiter = candidates[i];
      im->n_header = im->rec.n;
      im->box->r.header_line = im->rec.line;
      if (im->m->client == CLIENT_PREAMBLE) read_preamble(im, im->rec.line);
      return;
    }
    line_end(im, im->pos, &next);
    im->pos = next;
    im->line++;
  }
  if (best.found)
    import_fail(im, OV_E_FORMAT, best.line, "no header found; this line comes nearest, but lacks %s",
                best.lacks);
  else import_fail(im, OV_E_FORMAT, 0, "no header found: no line has any of the map's columns");
}
