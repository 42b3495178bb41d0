/* The workload as ops of a small team: one server, four tablets, names with random tags. */
#include <stdlib.h>
#include <string.h>

#include "workload.h"

#define ARENA_BYTES_MAX (64u * 1024u * 1024u)

static void name_make(wl_rng *r, const ov_id *writer, uint64_t seq, ov_name *name) {
  *name = (ov_name){.writer = *writer, .seq = seq};
  wl_bytes(r, name->tag, sizeof name->tag);
}

/* The server's log holds persons and participants between other things. */
static void people_make(wl_rng *r, wl_named *m) {
  uint64_t seq = 40;
  for (int i = 0; i < WL_STAFF; i++) name_make(r, &m->server, seq += 1 + wl_int(r, 12), &m->staff[i]);
  for (int i = 0; i < WL_CLIENTS; i++) name_make(r, &m->server, seq += 1 + wl_int(r, 12), &m->clients[i]);
}

static bool is_note(wl_kind k, uint32_t f) { return f + 1 == wl_kind_fields(k); }

static ov_field field_make(const wl_record *rec, uint32_t f, ov_arena *a) {
  ov_field out = {.id = (uint16_t)WL_FIELD_ID(f), .v = ov_int(rec->v[f])};
  if (is_note(rec->kind, f)) {
    size_t n = strlen(rec->note);
    out.v = ov_bytes(ov_arena_dup(a, rec->note, n), (uint32_t)n);
    out.v.type = OV_V_TEXT;
  }
  return out;
}

static void header_make(const wl_named *m, const wl_op *w, ov_op *op) {
  op->scope = WL_SCOPE;
  op->kind = (uint16_t)WL_KIND_ID(w->rec.kind);
  op->version = 1;
  op->has_participant = op->has_author = true;
  op->participant = m->clients[w->rec.client];
  op->author = m->staff[w->rec.author];
  op->device_time = w->t;
}

static int put_make(const wl_named *m, const wl_op *w, ov_arena *a, ov_op *op,
                    ov_name latest[WL_FIELDS_MAX]) {
  header_make(m, w, op);
  op->creates = true;
  op->record = op->name;
  op->fields = ov_arena_array(a, WL_FIELDS_MAX, sizeof *op->fields);
  if (!op->fields) return OV_E_NOMEM;
  memset(latest, 0, WL_FIELDS_MAX * sizeof *latest);
  for (uint32_t f = 0; f < wl_kind_fields(w->rec.kind); f++) {
    if (is_note(w->rec.kind, f) && !w->rec.note[0]) continue;
    op->fields[op->n_fields++] = field_make(&w->rec, f, a);
    latest[f] = op->name;
  }
  return 0;
}

static void replace(ov_op *op, const ov_name *name) {
  uint32_t at = op->n_replaces;
  if (name->seq == 0) return;
  while (at > 0 && ov_name_compare(&op->replaces[at - 1], name) > 0) at--;
  if (at > 0 && ov_name_equal(&op->replaces[at - 1], name)) return;
  memmove(&op->replaces[at + 1], &op->replaces[at], (op->n_replaces - at) * sizeof *name);
  op->replaces[at] = *name;
  op->n_replaces++;
}

static int edit_make(const wl_named *m, const wl_op *w, const ov_name *record, ov_arena *a, ov_op *op,
                     ov_name latest[WL_FIELDS_MAX]) {
  header_make(m, w, op);
  op->record = *record;
  op->fields = ov_arena_array(a, 2, sizeof *op->fields);
  op->replaces = ov_arena_array(a, 3, sizeof *op->replaces);
  if (!op->fields || !op->replaces) return OV_E_NOMEM;
  for (uint32_t i = 0; i < w->n_set; i++) {
    bool first = w->n_set == 2 && (i == 0) == (w->set[0] < w->set[1]);
    uint32_t f = w->n_set == 1 ? w->set[0] : first ? w->set[0] : w->set[1];
    op->fields[op->n_fields++] = field_make(&w->rec, f, a);
    replace(op, &latest[f]);
    latest[f] = op->name;
  }
  return 0;
}

static int base_make(wl_rng *r, wl_named *m, const wl_base *b) {
  m->base = ov_arena_array(&m->arena, b->n_ops, sizeof *m->base);
  m->base_created = ov_arena_array(&m->arena, b->n_recs, sizeof *m->base_created);
  m->latest = ov_arena_array(&m->arena, b->n_recs, sizeof *m->latest);
  if (!m->base || !m->base_created || !m->latest) return OV_E_NOMEM;
  int err = 0;
  for (uint32_t i = 0; i < b->n_ops && !err; i++) {
    const wl_op *w = &b->ops[i];
    ov_op *op = &m->base[m->n_base++];
    uint32_t tablet = wl_int(r, WL_TABLETS);
    name_make(r, &m->tablets[tablet], m->next_seq[tablet]++, &op->name);
    if (w->put) {
      m->base_created[w->record] = i;
      err = put_make(m, w, &m->arena, op, m->latest[w->record]);
    } else {
      err = edit_make(m, w, &m->base[m->base_created[w->record]].name, &m->arena, op, m->latest[w->record]);
    }
  }
  return err;
}

int wl_named_make(wl_named *m, const wl_base *b) {
  wl_rng r;
  memset(m, 0, sizeof *m);
  ov_arena_init(&m->arena, ARENA_BYTES_MAX);
  wl_rng_init(&r, b->seed * 40503u + 99);
  wl_bytes(&r, m->server.b, OV_ID_BYTES);
  for (int i = 0; i < WL_TABLETS; i++) {
    wl_bytes(&r, m->tablets[i].b, OV_ID_BYTES);
    m->next_seq[i] = 1;
  }
  people_make(&r, m);
  int err = base_make(&r, m, b);
  if (err) wl_named_free(m);
  return err;
}

void wl_named_free(wl_named *m) { ov_arena_free(&m->arena); }

int wl_named_shift(wl_named *m, const wl_op ops[WL_SHIFT_OPS], uint32_t seed, uint32_t tablet, ov_arena *a,
                   ov_op out[WL_SHIFT_OPS]) {
  ov_name created[WL_SHIFT_OPS], latest[WL_SHIFT_OPS][WL_FIELDS_MAX], base_latest[WL_FIELDS_MAX];
  wl_rng r;
  uint32_t writer = tablet % WL_TABLETS;
  uint64_t seq = m->next_seq[writer];
  int err = 0;
  wl_rng_init(&r, seed * 69069u + tablet);
  memset(out, 0, WL_SHIFT_OPS * sizeof *out);
  for (uint32_t i = 0; i < WL_SHIFT_OPS && !err; i++) {
    const wl_op *w = &ops[i];
    name_make(&r, &m->tablets[writer], seq++, &out[i].name);
    if (w->put) {
      created[w->record] = out[i].name;
      err = put_make(m, w, a, &out[i], latest[w->record]);
    } else if (w->of_base) {
      memcpy(base_latest, m->latest[w->record], sizeof base_latest);
      for (uint32_t k = 0; k < i; k++) /* an earlier edit of this shift may hold the value */
        for (uint32_t f = 0; !ops[k].put && ops[k].of_base && ops[k].record == w->record && f < ops[k].n_set;
             f++)
          base_latest[ops[k].set[f]] = out[k].name;
      err = edit_make(m, w, &m->base[m->base_created[w->record]].name, a, &out[i], base_latest);
    } else {
      err = edit_make(m, w, &created[w->record], a, &out[i], latest[w->record]);
    }
  }
  return err;
}

/* The fields of op that it still holds. */
static bool row_make(const wl_named *m, uint32_t record, const ov_op *op, ov_arena *a, ov_op *row) {
  *row = *op;
  row->n_fields = row->n_replaces = 0;
  row->replaces = NULL;
  row->fields = ov_arena_array(a, op->n_fields, sizeof *row->fields);
  for (uint32_t i = 0; row->fields && i < op->n_fields; i++)
    if (ov_name_equal(&m->latest[record][op->fields[i].id - WL_FIELD_ID(0)], &op->name))
      row->fields[row->n_fields++] = op->fields[i];
  return row->n_fields > 0;
}

uint32_t wl_named_rows(const wl_named *m, const wl_base *b, uint32_t i, ov_arena *a,
                       ov_op rows[1 + WL_FIELDS_MAX]) {
  uint32_t n = 1, at = m->base_created[i];
  row_make(m, i, &m->base[at], a, &rows[0]);
  /* The edits of a record follow it within the next forty records. */
  for (uint32_t k = at + 1; k < b->n_ops && k < at + 100; k++)
    if (!b->ops[k].put && b->ops[k].record == i && row_make(m, i, &m->base[k], a, &rows[n])) n++;
  return n;
}
