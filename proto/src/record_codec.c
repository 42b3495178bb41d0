/* The canonical bytes of a folded record, both directions:
 *   [name, kind, version, scope, participant | nil, created,
 *    ops [[name, author | nil, time, flags] ...], live [[field, op index, value] | [field, op index, element,
 * 0|1] ...], held [[name, verdict, reason] ...], seen [name ...]] */
#include "ov/fold.h"

#include "fold_parts.h"
#include "record_parts.h"

static void put_name_or_nil(ov_buf *out, bool has, const ov_name *name) {
  if (has) ov_mpw_name(out, name);
  else ov_mpw_nil(out);
}

static void put_live(ov_buf *out, const ov_live *l) {
  ov_mpw_array(out, l->is_elem ? 4 : 3);
  ov_mpw_uint(out, l->field);
  ov_mpw_uint(out, l->op);
  if (l->is_elem) ov_value_encode(&l->elem, out);
  ov_value_encode(&l->v, out);
}

void ov_record_encode(const ov_record *r, ov_buf *out) {
  ov_mpw_array(out, 10);
  ov_mpw_name(out, &r->name);
  ov_mpw_uint(out, r->kind);
  ov_mpw_uint(out, r->version);
  ov_mpw_uint(out, r->scope);
  put_name_or_nil(out, r->has_participant, &r->participant);
  ov_mpw_bool(out, r->created);
  ov_mpw_array(out, r->n_ops);
  for (uint32_t i = 0; i < r->n_ops; i++) {
    ov_mpw_array(out, 4);
    ov_mpw_name(out, &r->ops[i].name);
    put_name_or_nil(out, r->ops[i].has_author, &r->ops[i].author);
    ov_mpw_int(out, r->ops[i].time);
    ov_mpw_uint(out, r->ops[i].flags);
  }
  ov_mpw_array(out, r->n_live);
  for (uint32_t i = 0; i < r->n_live; i++) put_live(out, &r->live[i]);
  ov_mpw_array(out, r->n_held);
  for (uint32_t i = 0; i < r->n_held; i++) {
    ov_mpw_array(out, 3);
    ov_mpw_name(out, &r->held[i].name);
    ov_mpw_uint(out, r->held[i].verdict);
    ov_mpw_uint(out, r->held[i].reason);
  }
  ov_mpw_array(out, r->n_seen);
  for (uint32_t i = 0; i < r->n_seen; i++) ov_mpw_name(out, &r->seen[i]);
}

static bool get_name_or_nil(ov_mpr *r, ov_name *out) {
  if (ov_mpr_nil(r)) return false;
  ov_mpr_name(r, out);
  return true;
}

/* An array's length and its memory: the pre-scan has bounded the count by the bytes. */
static void *get_array(ov_mpr *r, ov_arena *a, size_t size, uint32_t *n) {
  *n = ov_mpr_array(r);
  void *p = ov_arena_array(a, *n, size);
  if (!p) {
    ov_mpr_fail(r, OV_E_NOMEM);
    *n = 0;
  }
  return p;
}

static void get_ops(ov_mpr *r, ov_arena *a, ov_record *out) {
  out->ops = get_array(r, a, sizeof *out->ops, &out->n_ops);
  for (uint32_t i = 0; i < out->n_ops; i++) {
    ov_rop *o = &out->ops[i];
    ov_mpr_array_of(r, 4);
    ov_mpr_name(r, &o->name);
    o->has_author = get_name_or_nil(r, &o->author);
    o->time = ov_mpr_int(r);
    o->flags = (uint8_t)ov_mpr_uint(r, UINT8_MAX);
  }
}

static void get_single(ov_mpr *r, ov_arena *a, ov_value *v) {
  ov_value_decode(r, a, v);
  if (v->type == OV_V_SET) ov_mpr_fail(r, OV_E_FORMAT);
}

static void get_live(ov_mpr *r, ov_arena *a, ov_record *out) {
  out->live = get_array(r, a, sizeof *out->live, &out->n_live);
  for (uint32_t i = 0; i < out->n_live && !r->err; i++) {
    ov_live *l = &out->live[i];
    uint32_t parts = ov_mpr_array(r);
    if (parts != 3 && parts != 4) ov_mpr_fail(r, OV_E_FORMAT);
    l->is_elem = parts == 4;
    l->field = (uint16_t)ov_mpr_uint(r, OV_FIELD_ID_MAX);
    l->op = (uint32_t)ov_mpr_uint(r, UINT32_MAX);
    l->elem = ov_nil();
    if (l->is_elem) get_single(r, a, &l->elem);
    if (l->is_elem) l->v = ov_int(ov_mpr_int_in(r, 0, 1));
    else get_single(r, a, &l->v);
  }
}

static void get_held(ov_mpr *r, ov_arena *a, ov_record *out) {
  out->held = get_array(r, a, sizeof *out->held, &out->n_held);
  for (uint32_t i = 0; i < out->n_held; i++) {
    ov_mpr_array_of(r, 3);
    ov_mpr_name(r, &out->held[i].name);
    out->held[i].verdict = (uint8_t)ov_mpr_uint(r, UINT8_MAX);
    out->held[i].reason = (uint8_t)ov_mpr_uint(r, UINT8_MAX);
  }
}

int ov_record_decode(const uint8_t *p, size_t n, ov_arena *a, ov_record *out) {
  ov_mpr r;
  *out = (ov_record){0};
  int err = ov_mp_prescan(p, n,
                          n); /* a record may have more objects than a frame; it has no more than bytes */
  if (err) return err;
  ov_mpr_init_scanned(&r, p, n);
  r.shortest = true; /* equal states have equal bytes */
  ov_mpr_array_of(&r, 10);
  ov_mpr_name(&r, &out->name);
  out->kind = (uint16_t)ov_mpr_uint(&r, UINT16_MAX);
  out->version = (uint16_t)ov_mpr_uint(&r, UINT16_MAX);
  out->scope = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  out->has_participant = get_name_or_nil(&r, &out->participant);
  out->created = ov_mpr_bool(&r);
  get_ops(&r, a, out);
  get_live(&r, a, out);
  get_held(&r, a, out);
  out->seen = get_array(&r, a, sizeof *out->seen, &out->n_seen);
  for (uint32_t i = 0; i < out->n_seen; i++) ov_mpr_name(&r, &out->seen[i]);
  err = ov_mpr_done(&r);
  if (!err) err = ov_record_check(out);
  if (err) *out = (ov_record){0};
  return err;
}
