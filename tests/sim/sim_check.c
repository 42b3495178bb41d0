/* What must hold on a tablet at every moment: what it calls acknowledged was acknowledged, what it calls safe
 * is in a backup, and every value of its own is shown until an op replaced it. */
#include "sim.h"

#include <stdio.h>
#include <string.h>

/* -- states ---------------------------------------------------------------------------------------------- */

static sim_op *own_op(sim_tablet *t, oc_txn *x, const ov_id *writer, uint64_t seq, oc_log_row *row) {
  sim *w = t->w;
  int err = oc_log_get(x, writer, seq, &w->tmp, row);
  if (err)
    sim_fail(w, "log", "tablet %u: its op %llu cannot be read: %s", t->id, (unsigned long long)seq,
             ov_err_text(err));
  sim_op *o = sim_op_find(w, &row->op.name);
  if (!o)
    sim_fail(w, "log-unknown", "tablet %u: %s is in its log, and nobody wrote it", t->id,
             sim_name(&row->op.name));
  return o;
}

void sim_check_acked(sim_tablet *t) {
  sim *w = t->w;
  oc_txn *x = NULL;
  oc_writer_row row;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  int err = oc_writer_next(x, NULL, &row);
  for (; !err; err = oc_writer_next(x, &row.writer, &row)) {
    oc_log_row op;
    uint64_t safe = row.safe < row.acked ? row.safe : row.acked;
    ov_arena_reset(&w->tmp);
    if (row.acked > row.last)
      sim_fail(w, "acked-beyond", "tablet %u: acknowledged up to %llu of %llu", t->id,
               (unsigned long long)row.acked, (unsigned long long)row.last);
    sim_op *o = row.acked ? own_op(t, x, &row.writer, row.acked, &op) : NULL;
    if (o && !o->acked)
      sim_fail(w, "acked-lie", "tablet %u calls %s acknowledged, and no server said so", t->id,
               sim_name(&o->op.name));
    o = safe ? own_op(t, x, &row.writer, safe, &op) : NULL;
    if (o && !o->was_safe)
      sim_fail(w, "safe-lie", "tablet %u calls %s safe, and no backup held it when it was told", t->id,
               sim_name(&o->op.name));
  }
  oc_txn_abort(x);
}

/* For whoever reads a failure. */
void sim_describe(sim *w, const char *who, const ov_record *r) {
  fprintf(stderr, "  %s: %s kind %u version %u scope %u created %d, %u ops, %u live, %u held, %u seen\n", who,
          sim_name(&r->name), r->kind, r->version, r->scope, r->created, r->n_ops, r->n_live, r->n_held,
          r->n_seen);
  for (uint32_t i = 0; i < r->n_ops; i++)
    fprintf(stderr, "    op %s time %lld flags %u%s\n", sim_name(&r->ops[i].name), (long long)r->ops[i].time,
            r->ops[i].flags, sim_op_find(w, &r->ops[i].name) ? "" : " ?");
  for (uint32_t i = 0; i < r->n_live; i++)
    fprintf(stderr, "    field %u%s type %d value %lld by %s\n", r->live[i].field,
            r->live[i].is_elem ? " elem" : "", r->live[i].v.type,
            r->live[i].v.type == OV_V_INT ? (long long)r->live[i].v.i : 0,
            sim_name(&r->ops[r->live[i].op].name));
  for (uint32_t i = 0; i < r->n_held; i++)
    fprintf(stderr, "    held %s verdict %u reason %u\n", sim_name(&r->held[i].name), r->held[i].verdict,
            r->held[i].reason);
}

/* -- own values ------------------------------------------------------------------------------------------ */

static bool shows(const ov_record *r, const ov_name *op, uint16_t field, const ov_value *elem) {
  uint32_t n = 0;
  const ov_live *l = ov_record_field(r, field, &n);
  for (uint32_t i = 0; i < n; i++) {
    if (!ov_name_equal(&r->ops[l[i].op].name, op) || l[i].is_elem != (elem != NULL)) continue;
    if (!elem || ov_value_equal(&l[i].elem, elem)) return true;
  }
  return false;
}

static void check_cell(sim_tablet *t, const oc_view *v, const sim_op *o, uint16_t field, const ov_value *elem,
                       const char *state) {
  if (shows(&v->rec, &o->op.name, field, elem) || sim_replaced(t->w, o, field, elem)) return;
  sim_model_server(t->w); /* perhaps by administration */
  if (sim_replaced(t->w, o, field, elem)) return;
  sim_describe(t->w, "tablet", &v->rec);
  sim_fail(t->w, "value-gone",
           "tablet %u does not show field %u of %s in %s (%s), and nothing replaced it (on the server: %s, "
           "verdict %u, ruled %d)",
           t->id, field, sim_name(&o->op.name), sim_name(&o->op.record), state,
           !o->stored   ? "not"
           : o->is_void ? "void"
                        : "whole",
           o->verdict, o->ruled);
}

static const char *state_of(const oc_log_row *row) {
  return row->state == OC_OP_LOCAL ? "unsent" : row->absorbed ? "absorbed" : "acknowledged";
}

static void check_op(sim_tablet *t, oc_txn *x, const oc_log_row *row, const sim_op *o) {
  sim *w = t->w;
  oc_view v;
  bool mine = row->state == OC_OP_LOCAL || !row->absorbed;
  if (!row->kept || row->as_void || row->held || o->broken || o->verdict == OV_HELD) return;
  if (oc_db_locked(t->s->db)) return; /* shown again when its share has come */
  int err = oc_view_get(t->s, x, &row->op.record, &w->tmp, &v);
  if (err && err != OV_E_NOTFOUND)
    sim_fail(w, "view", "tablet %u cannot show %s: %s", t->id, sim_name(&row->op.record), ov_err_text(err));
  if (err) { /* an absorbed record may have left with its participant, or by its age */
    if (mine)
      sim_fail(w, "own-gone", "tablet %u does not show %s, whose op %s is %s", t->id,
               sim_name(&row->op.record), sim_name(&o->op.name), state_of(row));
    return;
  }
  if (!mine && !v.server_known) return;       /* the same, with something of ours still on top */
  for (uint32_t i = 0; i < v.rec.n_held; i++) /* waited on the server, and was judged when its turn came */
    if (ov_name_equal(&v.rec.held[i].name, &o->op.name)) return;
  for (uint32_t i = 0; i < o->op.n_fields; i++) {
    const ov_field *f = &o->op.fields[i];
    if (f->v.type != OV_V_SET) check_cell(t, &v, o, f->id, NULL, state_of(row));
    else {
      for (uint32_t k = 0; k < f->v.set.n_add; k++)
        check_cell(t, &v, o, f->id, &f->v.set.add[k], state_of(row));
      for (uint32_t k = 0; k < f->v.set.n_del; k++)
        check_cell(t, &v, o, f->id, &f->v.set.del[k], state_of(row));
    }
  }
}

/* some: about so many of its ops, those not yet sent among them; 0: all. */
void sim_check_own(sim_tablet *t, sim_rng *r, unsigned some) {
  sim *w = t->w;
  oc_txn *x = NULL;
  oc_writer_row row;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  int err = oc_writer_next(x, NULL, &row);
  for (; !err; err = oc_writer_next(x, &row.writer, &row)) {
    /* A server that was put back may lack what the last one acknowledged of a log that this session is not
     * about, also of the live one when an older one goes first: that shows again when it has been asked
     * about, in the next session. */
    bool asked = row.asked_ms != 0;
    for (uint64_t seq = row.last; seq >= 1; seq--) {
      oc_log_row op;
      bool sent = seq <= row.acked;
      if (sent && !asked) continue;
      if (some && sent && sim_below(r, 1 + (uint32_t)row.last) >= some) continue;
      ov_arena_reset(&w->tmp);
      sim_op *o = own_op(t, x, &row.writer, seq, &op);
      check_op(t, x, &op, o);
    }
  }
  oc_txn_abort(x);
}
