/* A record as ops side by side, for the row codec, and back. */
#include "ov/fold.h"

#include <string.h>

#include "fold_parts.h"
#include "record_parts.h"

/* Indices of live values, those of ops[i] at [start[i], start[i + 1]), in the order of live. */
static int group_by_op(const ov_record *r, ov_arena *a, uint32_t **start, uint32_t **order) {
  *start = ov_arena_array(a, r->n_ops + 2u, sizeof **start);
  *order = ov_arena_array(a, r->n_live, sizeof **order);
  if (!*start || !*order) return OV_E_NOMEM;
  uint32_t *s = *start;
  for (uint32_t i = 0; i < r->n_live; i++) s[r->live[i].op + 2]++;
  for (uint32_t i = 2; i < r->n_ops + 2u; i++) s[i] += s[i - 1];
  for (uint32_t i = 0; i < r->n_live; i++) (*order)[s[r->live[i].op + 1]++] = i;
  return 0;
}

/* The elements at order[0..n), all of one op and field, as one set value. */
static int make_set(const ov_record *r, const uint32_t *order, uint32_t n, ov_arena *a, ov_value *out) {
  ov_value *elems = ov_arena_array(a, n, sizeof *elems);
  if (!elems) return OV_E_NOMEM;
  uint32_t adds = 0, dels = 0;
  for (uint32_t i = 0; i < n; i++)
    if (r->live[order[i]].v.i) elems[adds++] = r->live[order[i]].elem;
  for (uint32_t i = 0; i < n; i++)
    if (!r->live[order[i]].v.i) elems[adds + dels++] = r->live[order[i]].elem;
  *out = (ov_value){.type = OV_V_SET,
                    .set = {.add = elems, .del = elems + adds, .n_add = adds, .n_del = dels}};
  return 0;
}

static int fill_fields(const ov_record *r, const uint32_t *order, uint32_t n, ov_arena *a, ov_op *row) {
  row->fields = ov_arena_array(a, n, sizeof *row->fields);
  if (!row->fields) return OV_E_NOMEM;
  for (uint32_t from = 0, to; from < n; from = to) {
    const ov_live *l = &r->live[order[from]];
    for (to = from + 1; to < n && r->live[order[to]].field == l->field; to++) continue;
    ov_field *f = &row->fields[row->n_fields++];
    f->id = l->field;
    f->v = l->v;
    int err = l->is_elem ? make_set(r, order + from, to - from, a, &f->v) : 0;
    if (err) return err;
  }
  return 0;
}

static ov_op row_header(const ov_record *r, const ov_name *name) {
  return (ov_op){.name = *name,
                 .record = r->name,
                 .creates = ov_name_equal(name, &r->name),
                 .kind = r->kind,
                 .version = r->version,
                 .scope = r->scope,
                 .has_participant = r->has_participant,
                 .participant = r->participant};
}

/* PROTO-47 */
int ov_record_to_rows(const ov_record *r, ov_arena *a, ov_op **rows, size_t *n) {
  uint32_t *start, *order;
  uint32_t count = r->n_ops + (r->created ? 0 : 1);
  *n = 0;
  *rows = ov_arena_array(a, count, sizeof **rows);
  if (!*rows || group_by_op(r, a, &start, &order) != 0) return OV_E_NOMEM;
  ov_op *stand_in = *rows;
  *stand_in = row_header(r, &r->name);
  if (r->n_ops)
    stand_in->device_time = r->ops[0].time; /* any time would do; one nearby is short on the wire */
  ov_op *next = stand_in + 1;
  for (uint32_t i = 0; i < r->n_ops; i++) {
    ov_op *row = ov_name_equal(&r->ops[i].name, &r->name) ? stand_in : next++;
    *row = row_header(r, &r->ops[i].name);
    row->has_author = r->ops[i].has_author;
    row->author = r->ops[i].author;
    row->device_time = r->ops[i].time;
    int err = fill_fields(r, order + start[i], start[i + 1] - start[i], a, row);
    if (err) return err;
  }
  *n = count;
  return 0;
}

int ov_record_from_rows(const ov_op *rows, size_t n, ov_arena *a, ov_record *out) {
  *out = (ov_record){0};
  if (n == 0 || !rows[0].creates) return OV_E_FORMAT;
  if (n > OV_RECORD_OPS_MAX + 1u) return OV_E_LIMIT;
  ov_fold_in *in = ov_arena_array(a, n, sizeof *in);
  if (!in) return OV_E_NOMEM;
  for (size_t i = 0; i < n; i++) {
    if (!ov_name_equal(&rows[i].record, &rows[0].name)) return OV_E_FORMAT;
    in[i] = (ov_fold_in){.op = &rows[i], .verdict = OV_APPLIED, .server_time = INT64_MAX};
  }
  int err = ov_fold_any(in, n, a, out);
  return err == OV_E_INVALID ? OV_E_FORMAT : err;
}

static int drop_stand_in(ov_record *r) {
  uint32_t at = ov_rop_find(r->ops, r->n_ops, &r->name);
  if (at == UINT32_MAX) return OV_E_FORMAT;
  for (uint32_t i = 0; i < r->n_live; i++) {
    if (r->live[i].op == at) return OV_E_FORMAT;
    if (r->live[i].op > at) r->live[i].op--;
  }
  r->n_ops--;
  memmove(&r->ops[at], &r->ops[at + 1], (r->n_ops - at) * sizeof *r->ops);
  r->created = false;
  return 0;
}

/* PROTO-47, PROTO-48 */
int ov_record_put_beside(ov_record *r, bool not_created, const uint8_t *flags, uint32_t n_flags,
                         ov_heldop *held, uint32_t n_held, ov_name *seen, uint32_t n_seen) {
  int err = not_created ? drop_stand_in(r) : 0;
  if (err) return err;
  if (n_flags && n_flags != r->n_ops) return OV_E_FORMAT;
  for (uint32_t i = 0; i < n_flags; i++) r->ops[i].flags = flags[i];
  r->held = held;
  r->n_held = n_held;
  r->seen = seen;
  r->n_seen = n_seen;
  return ov_record_check(r);
}
