/* What tests read, and the walk over everything. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

bool fx_record(fx_world *w, sv_org *org, const ov_name *record, sv_record_row *out) {
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(org->env, &t));
  int err = sv_record_get(t, record, &w->arena, out);
  sv_txn_abort(t);
  if (err == OV_E_NOTFOUND) return false;
  FX_OK(err);
  return true;
}

bool fx_op(fx_world *w, sv_org *org, const ov_name *name, sv_op_row *out) {
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(org->env, &t));
  int err = sv_op_get(t, name, &w->arena, out);
  sv_txn_abort(t);
  if (err == OV_E_NOTFOUND) return false;
  FX_OK(err);
  return true;
}

ov_verdict fx_verdict(fx_world *w, sv_org *org, const ov_name *name, uint8_t *reason) {
  sv_txn *t = NULL;
  sv_op_row row;
  ov_verdict v;
  uint8_t why = 0;
  FX_OK(sv_txn_read(org->env, &t));
  FX_OK(sv_op_get(t, name, &w->arena, &row));
  FX_OK(sv_verdict(t, &row, &w->arena, &v, &why));
  sv_txn_abort(t);
  if (reason) *reason = why;
  return v;
}

int64_t fx_int(const sv_record_row *row, uint16_t field) {
  const ov_live *l = ov_record_field(&row->rec, field, NULL);
  return l && l->v.type == OV_V_INT ? l->v.i : INT64_MIN;
}

bool fx_in_scope(const sv_record_row *row, uint32_t scope) {
  for (uint32_t i = 0; i < row->n_places; i++) {
    if (row->places[i].scope == scope) return true;
  }
  return false;
}

uint32_t fx_positions(fx_world *w, sv_org *org, uint32_t scope, sv_posent *out, uint32_t max) {
  sv_txn *t = NULL;
  uint32_t n = 0;
  (void)w;
  FX_OK(sv_txn_read(org->env, &t));
  FX_OK(sv_pos_list(t, scope, 0, out, max, &n));
  sv_txn_abort(t);
  return n;
}

/* -- verify ------------------------------------------------------------------------------------ */

static bool same_state(const ov_record *a, const ov_record *b) {
  ov_buf x, y;
  ov_buf_init(&x, 0);
  ov_buf_init(&y, 0);
  ov_record_encode(a, &x);
  ov_record_encode(b, &y);
  bool same = !x.err && !y.err && x.n == y.n && !memcmp(x.p, y.p, x.n);
  ov_buf_free(&x);
  ov_buf_free(&y);
  return same;
}

static void verify_record(sv_txn *t, sv_org *org, const ov_name *name, ov_arena *a) {
  sv_record_row row;
  ov_record again;
  FX_OK(sv_record_get(t, name, a, &row));
  FX_OK(sv_refold(t, org, name, a, &again));
  FX_MUST(row.erased ? !row.n_places && !row.indexed : same_state(&row.rec, &again));
  for (uint32_t i = 0; i < row.n_places; i++) {
    sv_posent e;
    uint32_t n = 0;
    FX_OK(sv_pos_list(t, row.places[i].scope, row.places[i].pos - 1, &e, 1, &n));
    FX_MUST(n == 1 && e.pos == row.places[i].pos && !e.gone && ov_name_equal(&e.record, name));
    FX_MUST(i == 0 || row.places[i - 1].scope < row.places[i].scope);
  }
}

/* Each entry of a scope is a live place of its record, or a marker of one that is not there. */
static void verify_scope(sv_txn *t, uint32_t scope, uint64_t last, ov_arena *a) {
  uint64_t after = 0;
  sv_posent e[64];
  uint32_t n = 0;
  do {
    FX_OK(sv_pos_list(t, scope, after, e, 64, &n));
    for (uint32_t i = 0; i < n; i++) {
      sv_record_row row;
      bool here = false;
      FX_OK(sv_record_get(t, &e[i].record, a, &row));
      for (uint32_t k = 0; k < row.n_places; k++)
        here |= row.places[k].scope == scope && row.places[k].pos == e[i].pos;
      FX_MUST(here == !e[i].gone && (!e[i].gone || !fx_in_scope(&row, scope)));
      FX_MUST(e[i].pos <= last);
      after = e[i].pos;
    }
  } while (n == 64);
}

uint32_t fx_verify(fx_world *w, sv_org *org) {
  sv_txn *t = NULL;
  ov_arena a;
  ov_name name, after;
  const ov_name *from = NULL;
  uint32_t n = 0;
  (void)w;
  ov_arena_init(&a, 256u << 20);
  FX_OK(sv_txn_read(org->env, &t));
  while (!sv_record_next(t, from, &name)) {
    ov_arena_reset(&a);
    verify_record(t, org, &name, &a);
    after = name;
    from = &after;
    n++;
  }
  sv_scope s;
  for (int64_t scope = -1; !sv_scope_next(t, scope, &s); scope = s.scope) {
    ov_arena_reset(&a);
    verify_scope(t, s.scope, s.pos, &a);
  }
  sv_txn_abort(t);
  ov_arena_free(&a);
  return n;
}
