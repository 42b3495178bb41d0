/* Drafts of records: told apart by their key, merged where the map says so, checked, and handed over as rows.
 */
#include "import_internal.h"

#include <stdio.h>
#include <string.h>
#include "ov/chain.h"
#include "ov/mp_write.h"

static void put_value(ov_buf *b, const value *v) {
  switch (v->kind) {
  case V_TEXT: ov_mpw_cstr(b, v->text); break;
  case V_SET:
    ov_mpw_array(b, (uint32_t)v->n_codes);
    for (size_t i = 0; i < v->n_codes; i++) ov_mpw_int(b, v->codes[i]);
    break;
  default: ov_mpw_int(b, v->i);
  }
}

typedef struct hashing {
  ov_hasher *h;
  ov_buf b;
} hashing;

static void hash_begin(const importer *im, hashing *g, const char *client) {
  ov_buf_reset(&g->b);
  ov_mpw_cstr(&g->b, "overdracht import 1");
  ov_mpw_cstr(&g->b, im->m->kind);
  ov_mpw_cstr(&g->b, client);
}

static void hash_slot(const importer *im, hashing *g, const draft *d, unsigned slot) {
  ov_mpw_cstr(&g->b, im->m->slots[slot].name);
  put_value(&g->b, &d->v[slot]);
}

static void hash_end(importer *im, hashing *g, uint8_t out[OC_IMPORT_KEY_BYTES]) {
  ov_hash h;
  int err = g->b.err ? g->b.err : ov_sha256(g->h, g->b.p, g->b.n, &h);
  if (err) import_fail(im, err, 0, "a hash could not be made");
  else memcpy(out, h.b, OC_IMPORT_KEY_BYTES);
}

static void draft_key(importer *im, hashing *g, draft *d) {
  hash_begin(im, g, d->client);
  for (unsigned i = 0; i < im->m->key.n; i++) hash_slot(im, g, d, im->m->key.slot[i]);
  hash_end(im, g, d->key);
}

static void draft_content(importer *im, hashing *g, const draft *d, uint8_t out[OC_IMPORT_KEY_BYTES]) {
  hash_begin(im, g, d->client);
  for (unsigned s = 0; s < im->m->n_slots; s++)
    if (!im->m->slots[s].hidden && d->v[s].kind != V_NONE) hash_slot(im, g, d, s);
  hash_end(im, g, out);
}

void add_draft(importer *im, const char *client, value *v, unsigned line, unsigned last_line,
               const char *raw) {
  const oc_import_map *m = im->m;
  for (unsigned i = 0; i < m->key.n; i++) {
    const char *name = m->slots[m->key.slot[i]].name;
    if (v[m->key.slot[i]].kind != V_NONE) continue;
    import_no(im, name, "the row has no %s, which tells one record from another", name);
    import_bad(im, line, name, im->reason, raw);
    return;
  }
  draft *p = import_more(im, im->drafts, im->n_drafts, &im->cap_drafts, sizeof *p, OC_IMPORT_ROWS_MAX,
                         "records");
  if (!p) return;
  im->drafts = p;
  p[im->n_drafts++] = (draft){.client = client, .v = v, .line = line, .last_line = last_line, .raw = raw};
}

static void drop(importer *im, draft *d, const char *column, const char *reason) {
  if (!d->dropped) import_bad(im, d->line, column, reason, d->raw);
  d->dropped = true;
}

static bool value_same(const value *a, const value *b) {
  if (a->kind != b->kind) return false;
  if (a->kind == V_TEXT) return !strcmp(a->text, b->text);
  if (a->kind == V_SET)
    return a->n_codes == b->n_codes && !memcmp(a->codes, b->codes, a->n_codes * sizeof *a->codes);
  return a->kind == V_NONE || a->i == b->i;
}

/* Two rows tell of one record. Where they disagree nobody but the reader can say which is right: neither is
 * made. */
static void combine(importer *im, draft *d, draft *other) {
  const oc_import_map *m = im->m;
  char reason[OC_IMPORT_REASON_MAX];
  for (unsigned s = 0; s < m->n_slots; s++) {
    bool either = d->v[s].kind == V_NONE || other->v[s].kind == V_NONE;
    if (value_same(&d->v[s], &other->v[s]) || (m->merge && either) || m->slots[s].hidden) continue;
    snprintf(reason, sizeof reason,
             "line %u and the record of lines %u to %u have one key but differ in %s: none of them is used",
             other->line, d->line, d->last_line, m->slots[s].name);
    drop(im, other, m->slots[s].name, reason);
    drop(im, d, m->slots[s].name, reason);
    return;
  }
  for (unsigned s = 0; s < m->n_slots; s++)
    if (d->v[s].kind == V_NONE) d->v[s] = other->v[s];
  if (other->last_line > d->last_line) d->last_line = other->last_line;
  if (d->dropped)
    import_bad(im, other->line, "",
               "another row of the same record could not be used, so this one is left out too", other->raw);
  else if (!m->merge) import_note(im, other->line, "", "the same row as line %u: used once", d->line);
  other->dropped = true;
}

static bool check_sequence(importer *im, const draft *d) {
  const oc_import_map *m = im->m;
  int64_t first = 0, last = 0;
  unsigned before = m->n_slots;
  char a[40], b[40];
  for (unsigned i = 0; i < m->sequence.n; i++) {
    unsigned s = m->sequence.slot[i];
    const value *v = &d->v[s];
    if (v->kind != V_INT) continue;
    if (before < m->n_slots && v->i < last) {
      show_local(v->local, true, a);
      show_local(d->v[before].local, true, b);
      return import_no(im, m->slots[s].name, "%s (%s) comes before %s (%s)", m->slots[s].name, a,
                       m->slots[before].name, b);
    }
    first = before == m->n_slots ? v->i : first;
    last = v->i;
    before = s;
  }
  if (last - first > OC_IMPORT_NIGHT_SECONDS_MAX)
    return import_no(im, m->slots[before].name, "from %s on, %s takes more than a day",
                     m->slots[m->sequence.slot[0]].name, m->slots[before].name);
  return true;
}

static int64_t minutes_between(int64_t from, int64_t to) { return (to - from) / 60; }

static bool check_fits(importer *im, const draft *d) {
  const oc_import_map *m = im->m;
  const value *from = &d->v[m->fits_from], *to = &d->v[m->fits_to];
  int64_t sum = 0, room = minutes_between(from->i, to->i);
  if (!m->has_fits || from->kind != V_INT || to->kind != V_INT) return true;
  for (unsigned i = 0; i < m->sum.n; i++)
    if (d->v[m->sum.slot[i]].kind == V_INT) sum += d->v[m->sum.slot[i]].i;
  if (sum > room)
    return import_no(im, m->slots[m->sum.slot[0]].name,
                     "%lld minutes do not fit into the %lld minutes between %s and %s", (long long)sum,
                     (long long)room, m->slots[m->fits_from].name, m->slots[m->fits_to].name);
  return true;
}

static bool is_key(const oc_import_map *m, unsigned slot) {
  for (unsigned i = 0; i < m->key.n; i++)
    if (m->key.slot[i] == slot) return true;
  return false;
}

static bool is_fixed(const oc_import_map *m, unsigned slot) {
  for (unsigned i = 0; i < m->n_fields; i++)
    if (m->fields[i].slot == slot && m->fields[i].has_fixed) return true;
  return false;
}

static bool check_filled(importer *im, const draft *d) {
  const oc_import_map *m = im->m;
  bool any = false, other = false;
  for (unsigned i = 0; i < m->needs.n; i++)
    if (d->v[m->needs.slot[i]].kind == V_NONE)
      return import_no(im, m->slots[m->needs.slot[i]].name, "the record has no %s",
                       m->slots[m->needs.slot[i]].name);
  for (unsigned s = 0; s < m->n_slots; s++) {
    if (m->slots[s].hidden || is_key(m, s) || is_fixed(m, s)) continue;
    other = true;
    any |= d->v[s].kind != V_NONE && d->v[s].kind != V_CODE;
  }
  return any || !other || import_no(im, "", "nothing is filled in but what tells the record from others");
}

/* Open addressing by the key's first bytes, which are a hash already. */
static void join_same(importer *im) {
  size_t size = 64;
  while (size < 2 * im->n_drafts) size *= 2;
  draft **table = import_alloc(im, size * sizeof *table);
  for (size_t i = 0; table && i < im->n_drafts && !im->failed; i++) {
    draft *d = &im->drafts[i];
    size_t at;
    memcpy(&at, d->key, sizeof at);
    for (at &= size - 1; table[at] && memcmp(table[at]->key, d->key, sizeof d->key) != 0;
         at = (at + 1) & (size - 1))
      ;
    if (table[at]) combine(im, table[at], d);
    else table[at] = d;
  }
}

static const oc_import_field *row_fields(importer *im, const draft *d, size_t *n) {
  const oc_import_map *m = im->m;
  oc_import_field *f = import_alloc(im, m->n_slots * sizeof *f);
  *n = 0;
  for (unsigned s = 0; f && s < m->n_slots; s++) {
    const value *v = &d->v[s];
    if (m->slots[s].hidden || v->kind == V_NONE) continue;
    const char *name = import_copy(im, m->slots[s].name, strlen(m->slots[s].name));
    const char *text = v->kind == V_TEXT ? import_copy(im, v->text, strlen(v->text)) : NULL;
    f[(*n)++] = (oc_import_field){.name = name,
                                  .type = map_slot_type(m, s),
                                  .i = v->i,
                                  .text = text,
                                  .codes = v->codes,
                                  .n_codes = v->n_codes};
  }
  return f;
}

static void make_rows(importer *im, hashing *g) {
  oc_import_row *rows = import_alloc(im, (im->n_drafts ? im->n_drafts : 1) * sizeof *rows);
  size_t n = 0;
  for (size_t i = 0; rows && i < im->n_drafts && !im->failed; i++) {
    draft *d = &im->drafts[i];
    if (d->dropped) continue;
    if (!check_filled(im, d) || !check_sequence(im, d) || !check_fits(im, d)) {
      drop(im, d, im->column, im->reason);
      continue;
    }
    oc_import_row *r = &rows[n++];
    *r = (oc_import_row){.client = d->client, .line = d->line, .last_line = d->last_line};
    memcpy(r->key, d->key, sizeof r->key);
    draft_content(im, g, d, r->content);
    r->fields = row_fields(im, d, &r->n_fields);
  }
  im->box->r.rows = rows;
  im->box->r.n_rows = n;
}

void finish_drafts(importer *im) {
  hashing g = {.h = ov_hasher_new()};
  ov_buf_init(&g.b, 0);
  if (!g.h) import_fail(im, OV_E_CRYPTO, 0, "a hash could not be made");
  for (size_t i = 0; i < im->n_drafts && !im->failed; i++) draft_key(im, &g, &im->drafts[i]);
  if (!im->failed) join_same(im);
  if (!im->failed) make_rows(im, &g);
  ov_buf_free(&g.b);
  ov_hasher_free(g.h);
}
