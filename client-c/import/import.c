/* One import from start to end. */
#include "import_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool row_wanted(const importer *im) {
  return (!im->m->keep.set || cond_holds(im, &im->m->keep)) &&
         (!im->m->skip.set || !cond_holds(im, &im->m->skip));
}

static void read_record(importer *im) {
  record *r = &im->rec;
  const char *client = "";
  value *v = import_alloc(im, sizeof *v * im->m->n_slots);
  if (!v) return;
  bool ok = cells_fit(im) && read_client(im, &client) && read_fields(im, v) && place_times(im, v);
  const char *raw = import_raw(im, r->raw, r->raw_n);
  if (ok && raw) add_draft(im, client, v, r->line, r->line, raw);
  else if (!im->failed) import_bad(im, r->line, im->column, im->reason, raw);
}

static bool record_blank(const record *r) {
  for (unsigned i = 0; i < r->n; i++)
    if (trimmed(r->cells[i]).n) return false;
  return !r->broken;
}

static void read_rows(importer *im) {
  const char *end = im->m->end;
  while (!im->failed && table_next(im, im->delimiter, &im->rec)) {
    record *r = &im->rec;
    cell first = r->n ? trimmed(r->cells[0]) : (cell){"", 0};
    if (end && first.n >= strlen(end) && !memcmp(first.p, end, strlen(end))) break;
    if (record_blank(r)) continue;
    im->box->r.n_read++;
    if (!r->broken && !row_wanted(im)) im->box->r.n_left_out++;
    else if (im->m->change) read_change(im);
    else read_record(im);
  }
}

static int problem_compare(const void *a, const void *b) {
  const oc_import_problem *x = a, *y = b;
  return x->line < y->line ? -1 : x->line > y->line;
}

static void hand_over(importer *im) {
  oc_import_result *r = &im->box->r;
  if (im->bad.n) qsort(im->bad.p, im->bad.n, sizeof *im->bad.p, problem_compare);
  if (im->notes.n) qsort(im->notes.p, im->notes.n, sizeof *im->notes.p, problem_compare);
  r->kind = import_copy(im, im->m->kind, strlen(im->m->kind));
  r->bad = im->bad.p;
  r->n_bad = im->bad.n;
  r->n_bad_unlisted = im->bad.unlisted;
  r->notes = im->notes.p;
  r->n_notes = im->notes.n;
  r->n_notes_unlisted = im->notes.unlisted;
  r->delimiter = im->delimiter;
}

static void run(importer *im, const void *bytes, size_t n) {
  if (n > OC_IMPORT_BYTES_MAX)
    import_fail(im, OV_E_LIMIT, 0, "the file has %zu bytes; %u are allowed", n, OC_IMPORT_BYTES_MAX);
  if (im->m->client == CLIENT_OPTION && (!im->client || !*im->client))
    import_fail(im, OV_E_INVALID, 0, "this map needs to be told of which client the file is");
  if (!im->failed) import_decode(im, bytes, n);
  if (!im->failed) table_find_header(im);
  if (!im->failed) read_rows(im);
  if (!im->failed && im->m->change) fold_changes(im);
  if (!im->failed) finish_drafts(im);
  if (!im->failed) hand_over(im);
}

int oc_import_parse(const oc_import_map *m, const void *bytes, size_t n, const oc_import_options *o,
                    oc_import_result **out, oc_import_error *err) {
  oc_zone *own = NULL;
  *out = NULL;
  *err = (oc_import_error){0};
  importer *im = calloc(1, sizeof *im);
  result_box *box = calloc(1, sizeof *box);
  int e = im && box ? 0 : OV_E_NOMEM;
  if (!e && !o->zone) e = oc_zone_from_rule("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Amsterdam", &own);
  if (!e) {
    ov_arena_init(&box->arena, OC_IMPORT_ARENA_BYTES_MAX);
    im->m = m;
    im->zone = o->zone ? o->zone : own;
    im->client = o->client;
    im->box = box;
    im->a = &box->arena;
    im->err = err;
    run(im, bytes, n);
    e = im->failed;
  }
  oc_zone_free(own);
  free(im);
  if (e && box) oc_import_result_free(&box->r);
  else if (!e) *out = &box->r;
  return e;
}

void oc_import_result_free(oc_import_result *r) {
  if (!r) return;
  result_box *box = (result_box *)r; /* the result is the first member of its box */
  ov_arena_free(&box->arena);
  free(box);
}
