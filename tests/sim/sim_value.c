/* Values that a form would give, from few possibilities, so that equal ones meet; and values that it would
 * not. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static ov_value from_codes(const ov_sfield *f, sim_rng *r) {
  uint32_t n = f->n_codes < 3 ? f->n_codes : 3;
  if (f->n_missing && sim_chance(r, 10)) return ov_int(f->missing[sim_below(r, f->n_missing)]);
  return ov_int(n ? f->codes[sim_below(r, n)].code : 0);
}

static int compare(const void *a, const void *b) { return ov_value_compare(a, b); }

/* Each of a few elements is added, deleted or left. */
static bool some_set(sim_rng *r, const ov_value *of, uint32_t n, ov_arena *a, ov_value *out) {
  ov_value *add = ov_arena_array(a, n + 1u, sizeof *add), *del = ov_arena_array(a, n + 1u, sizeof *del);
  *out = (ov_value){.type = OV_V_SET, .set = {.add = add, .del = del}};
  for (uint32_t i = 0; i < n; i++) {
    uint32_t what = sim_below(r, 3);
    if (what == 0) add[out->set.n_add++] = of[i];
    else if (what == 1) del[out->set.n_del++] = of[i];
  }
  if (out->set.n_add) qsort(add, out->set.n_add, sizeof *add, compare);
  if (out->set.n_del) qsort(del, out->set.n_del, sizeof *del, compare);
  return out->set.n_add + out->set.n_del > 0;
}

static bool some_ref(sim *w, sim_tablet *t, uint16_t kind, sim_rng *r, ov_arena *a, ov_value *out) {
  uint32_t at = sim_below(r, w->n_ops);
  (void)t;
  for (uint32_t i = 0; i < w->n_ops; i++) {
    const sim_op *o = &w->ops[(at + i) % w->n_ops];
    if (!o->op.creates || o->op.kind != kind || o->broken) continue;
    uint8_t *b = ov_arena_alloc(a, OV_NAME_BYTES);
    ov_name_write(&o->op.name, b);
    *out = ov_bytes(b, OV_NAME_BYTES);
    return true;
  }
  return false;
}

static ov_value some_int(const ov_sfield *f, sim_rng *r) {
  int64_t lo = f->has_lo ? f->lo : 0, hi = f->has_hi ? f->hi : 9;
  int64_t span = hi - lo < 3 ? hi - lo + 1 : 3;
  return ov_int(lo + sim_below(r, (uint32_t)(span > 0 ? span : 1)));
}

static bool wrong(const ov_sfield *f, sim_rng *r, ov_value *out) {
  switch (f->type) {
  case OV_F_INT: *out = f->has_hi && sim_chance(r, 60) ? ov_int(f->hi + 1) : ov_text("zeven"); return true;
  case OV_F_BOOL: *out = ov_int(7); return true;
  case OV_F_CODE: *out = ov_int(9999); return true;
  case OV_F_DATE:
  case OV_F_DATETIME: *out = ov_text("gisteren"); return true;
  default: return false;
  }
}

bool sim_value(sim *w, sim_tablet *t, const ov_sfield *f, sim_rng *r, bool valid, ov_arena *a,
               ov_value *out) {
  static const char *const words[] = {"rustig", "liep over de gang", "é — ü",
                                      "niet gezien, lag al op bed toen ik kwam en sliep door tot de ochtend"};
  int64_t day = w->true_ms / 86400000;
  if (!valid) return wrong(f, r, out);
  if (f->type != OV_F_CODESET && f->type != OV_F_REFSET && f->type != OV_F_SCOPESET && sim_chance(r, 5)) {
    *out = ov_nil();
    return true;
  }
  ov_value some[4];
  switch (f->type) {
  case OV_F_INT: *out = some_int(f, r); return true;
  case OV_F_BOOL: *out = ov_int(sim_below(r, 2)); return true;
  case OV_F_CODE: *out = from_codes(f, r); return true;
  case OV_F_DATE: *out = ov_int(day - sim_below(r, 3)); return true;
  case OV_F_DATETIME: *out = ov_int(day * 86400 + 3600 * (int64_t)sim_below(r, 4)); return true;
  case OV_F_TEXT: {
    const char *text = words[sim_below(r, 4)];
    if (f->max_length && strlen(text) > f->max_length) text = "x";
    *out = ov_text(text);
    return true;
  }
  case OV_F_REF: return some_ref(w, t, f->ref, r, a, out);
  case OV_F_CODESET: {
    uint32_t n = f->n_codes < 4 ? f->n_codes : 4;
    for (uint32_t i = 0; i < n; i++) some[i] = ov_int(f->codes[i].code);
    return some_set(r, some, n, a, out);
  }
  default: return false; /* keys and teams are administration's */
  }
}
