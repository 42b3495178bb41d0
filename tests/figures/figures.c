#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- one op of the workload as an op of ours ------------------------------------------------------------- */

static bool is_note(const wl_record *r, uint32_t field) { return field + 1 == wl_kind_fields(r->kind); }

static ov_field field_of(const wl_record *r, uint32_t i) {
  return (ov_field){.id = (uint16_t)WL_FIELD_ID(i), .v = is_note(r, i) ? ov_text(r->note) : ov_int(r->v[i])};
}

static uint32_t put_fields(const wl_record *r, ov_field *out) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < wl_kind_fields(r->kind); i++) {
    if (!is_note(r, i) || r->note[0]) out[n++] = field_of(r, i);
  }
  return n;
}

static void add_name(ov_name *list, uint32_t *n, const ov_name *name) {
  uint32_t i = 0;
  if (!name->seq) return;
  while (i < *n && ov_name_compare(&list[i], name) < 0) i++;
  if (i < *n && ov_name_equal(&list[i], name)) return;
  memmove(&list[i + 1], &list[i], (*n - i) * sizeof *list);
  list[i] = *name;
  (*n)++;
}

static ov_name append(figures *f, tablet *t, ov_op *op) {
  oc_txn *x = NULL;
  ov_arena a;
  ov_arena_init(&a, 16u << 20);
  FX_OK(oc_txn_begin(t->s->db, true, &x));
  FX_OK(oc_log_append(t->s, x, op, &a));
  FX_OK(oc_txn_commit(x));
  ov_arena_free(&a);
  (void)f;
  return op->name;
}

static ov_name write_put(figures *f, tablet *t, const wl_op *o, ov_name latest[WL_FIELDS_MAX]) {
  ov_field fields[WL_FIELDS_MAX];
  ov_op op = {.scope = f->team,
              .creates = true,
              .kind = (uint16_t)WL_KIND_ID(o->rec.kind),
              .version = 1,
              .has_participant = true,
              .participant = f->clients[o->rec.client],
              .has_author = true,
              .author = f->staff[o->rec.author],
              .device_time = o->t,
              .fields = fields};
  op.n_fields = put_fields(&o->rec, fields);
  ov_name name = append(f, t, &op);
  for (uint32_t i = 0; i < wl_kind_fields(o->rec.kind); i++) {
    latest[i] = is_note(&o->rec, i) && !o->rec.note[0] ? (ov_name){.seq = 0} : name;
  }
  return name;
}

static void write_set(figures *f, tablet *t, const wl_op *o, const wl_record *of, const ov_name *record,
                      ov_name latest[WL_FIELDS_MAX]) {
  ov_field fields[2];
  ov_name replaces[2];
  ov_op op = {.scope = f->team,
              .record = *record,
              .kind = (uint16_t)WL_KIND_ID(of->kind),
              .version = 1,
              .has_participant = true,
              .participant = f->clients[of->client],
              .has_author = true,
              .author = f->staff[of->author],
              .device_time = o->t,
              .fields = fields,
              .replaces = replaces};
  uint32_t order[2] = {o->set[0], o->n_set > 1 ? o->set[1] : 0};
  op.n_fields = o->n_set > 1 && order[0] != order[1] ? 2 : 1;
  if (op.n_fields == 2 && order[0] > order[1]) {
    order[0] = o->set[1];
    order[1] = o->set[0];
  }
  for (uint32_t i = 0; i < op.n_fields; i++) {
    fields[i] = field_of(&o->rec, order[i]);
    if (is_note(&o->rec, order[i]) && !o->rec.note[0]) fields[i].v = ov_nil();
    add_name(replaces, &op.n_replaces, &latest[order[i]]);
  }
  ov_name name = append(f, t, &op);
  for (uint32_t i = 0; i < op.n_fields; i++) latest[order[i]] = name;
}

/* -- the world of it ------------------------------------------------------------------------------------- */

static void open_people(figures *f) {
  char label[32];
  f->team = fx_team(&f->w.fx, f->w.org, "Woning");
  for (unsigned i = 0; i < WL_CLIENTS; i++) {
    snprintf(label, sizeof label, "C%u", i);
    f->clients[i] = fx_participant(&f->w.fx, f->w.org, label, &f->team, 1);
  }
  for (unsigned i = 0; i < WL_STAFF; i++) {
    snprintf(label, sizeof label, "P%u", i);
    f->staff[i] = fx_person(&f->w.fx, f->w.org, label, &f->team, 1);
  }
}

static void sync_all(figures *f) {
  for (unsigned i = 0; i < WL_TABLETS; i++) tablet_sync_ok(&f->tablets[i]);
}

static void write_base(figures *f) {
  uint32_t next = 0;
  f->record = calloc(f->base.n_recs + 1, sizeof *f->record);
  f->latest = calloc(f->base.n_recs + 1, sizeof *f->latest);
  FX_MUST(f->record && f->latest);
  for (uint32_t i = 0; i < f->base.n_ops; i++) {
    const wl_op *o = &f->base.ops[i];
    if (o->t * 1000 > f->w.fx.now_ms) f->w.fx.now_ms = o->t * 1000;
    if (o->put) {
      f->record[next] = write_put(f, &f->tablets[next % WL_TABLETS], o, f->latest[next]);
      next++;
    } else { /* by the tablet that has it for certain: the one that made it */
      write_set(f, &f->tablets[o->record % WL_TABLETS], o, &f->base.recs[o->record], &f->record[o->record],
                f->latest[o->record]);
    }
    if (i % 500 == 499) sync_all(f);
  }
  sync_all(f);
  sync_all(f);
}

void figures_open(figures *f, uint32_t seed, uint32_t n) {
  memset(f, 0, sizeof *f);
  world_open(&f->w, seed);
  world_publish(&f->w, OV_SOURCE_DIR "/tests/figures/schema");
  open_people(f);
  FX_MUST(!wl_base_make(&f->base, seed, n));
  f->w.fx.now_ms = f->base.ops ? f->base.ops[0].t * 1000 : f->w.fx.now_ms;
  world_restart(&f->w);
  for (unsigned i = 0; i < WL_TABLETS; i++) {
    char name[16];
    snprintf(name, sizeof name, "tablet%u", i);
    tablet_open(&f->tablets[i], &f->w, name);
    tablet_enrol(&f->tablets[i], name, &f->team, 1);
    tablet_sync_ok(&f->tablets[i]);
  }
  write_base(f);
}

void figures_close(figures *f) {
  for (unsigned i = 0; i < WL_TABLETS; i++) tablet_close(&f->tablets[i]);
  free(f->record);
  free(f->latest);
  wl_base_free(&f->base);
  world_close(&f->w);
}

void figures_shift(figures *f, uint32_t tablet_index, uint32_t seed) {
  wl_op ops[WL_SHIFT_OPS];
  ov_name mine[WL_SHIFT_OPS], mine_latest[WL_SHIFT_OPS][WL_FIELDS_MAX];
  wl_record recs[WL_SHIFT_OPS];
  uint32_t n = 0;
  tablet *t = &f->tablets[tablet_index];
  wl_shift_make(ops, f->base.seed, seed, &f->base);
  for (unsigned i = 0; i < WL_SHIFT_OPS; i++) {
    const wl_op *o = &ops[i];
    if (o->t * 1000 > f->w.fx.now_ms) f->w.fx.now_ms = o->t * 1000;
    if (o->put) {
      recs[n] = o->rec;
      mine[n] = write_put(f, t, o, mine_latest[n]);
      n++;
    } else if (o->of_base) {
      write_set(f, t, o, &f->base.recs[o->record], &f->record[o->record], f->latest[o->record]);
    } else {
      write_set(f, t, o, &recs[o->record], &mine[o->record], mine_latest[o->record]);
    }
  }
}
