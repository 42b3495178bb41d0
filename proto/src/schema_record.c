/* What a schema says about a folded record: what it lacks, when it happened, what makes it a possible double.
 */
#include "ov/schema.h"

#define DAY_S 86400
/* 0001-01-01 and 9999-12-31: arithmetic on days stays far from overflow whatever a device claims. */
#define DAY_FIRST (-719162)
#define DAY_LAST 2932896

static bool is_missing_code(const ov_sfield *f, const ov_value *v) {
  for (uint32_t i = 0; v->type == OV_V_INT && i < f->n_missing; i++)
    if (f->missing[i] == v->i) return true;
  return false;
}

/* The shown value of a field that is not a set, or NULL. */
static const ov_value *shown(const ov_record *r, uint16_t field) {
  const ov_live *l = ov_record_field(r, field, NULL);
  if (!l || l->is_elem || l->v.type == OV_V_NIL) return NULL;
  return &l->v;
}

/* Is an entry of a set field the shown one of its element, and an addition? */
static bool shown_added(const ov_live *l, uint32_t i) {
  return l[i].is_elem && l[i].v.i == 1 && (i == 0 || !ov_value_equal(&l[i - 1].elem, &l[i].elem));
}

static bool has_value(const ov_record *r, uint16_t field) {
  uint32_t n;
  const ov_live *l = ov_record_field(r, field, &n);
  for (uint32_t i = 0; i < n; i++)
    if (shown_added(l, i)) return true;
  const ov_value *v = shown(r, field);
  if (!v) return false;
  return (v->type != OV_V_TEXT && v->type != OV_V_BYTES) || v->s.n > 0;
}

static bool among(const ov_reqif *c, const ov_value *v) {
  for (uint32_t i = 0; v->type == OV_V_INT && i < c->n; i++)
    if (c->codes[i] == v->i) return true;
  return false;
}

static bool holds(const ov_reqif *c, const ov_record *r) {
  uint32_t n;
  const ov_live *l = ov_record_field(r, c->field, &n);
  bool in = false;
  for (uint32_t i = 0; i < n; i++) in |= shown_added(l, i) && among(c, &l[i].elem);
  const ov_value *v = shown(r, c->field);
  if (v) in |= among(c, v);
  return in != c->negate;
}

static bool is_required(const ov_sfield *f, const ov_record *r) {
  bool required = f->required;
  for (uint32_t i = 0; i < f->n_reqif && !required; i++) required = holds(&f->reqif[i], r);
  return required;
}

/* PROTO-156 */
uint32_t ov_schema_missing(const ov_skind *k, const ov_record *r, uint16_t *ids, uint32_t max) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < k->n_fields && n < max; i++)
    if (is_required(&k->fields[i], r) && !has_value(r, k->fields[i].id)) ids[n++] = k->fields[i].id;
  return n;
}

static int64_t day_of(int64_t seconds) { return seconds / DAY_S - (seconds % DAY_S < 0); }

static int64_t clamp_day(int64_t day) {
  return day < DAY_FIRST ? DAY_FIRST : day > DAY_LAST ? DAY_LAST : day;
}

/* Of the creating op, else of the earliest, else 0. */
static int64_t record_time(const ov_record *r) {
  int64_t earliest = r->n_ops ? r->ops[0].time : 0;
  for (uint32_t i = 0; i < r->n_ops; i++) {
    if (ov_name_equal(&r->ops[i].name, &r->name)) return r->ops[i].time;
    if (r->ops[i].time < earliest) earliest = r->ops[i].time;
  }
  return earliest;
}

int64_t ov_schema_occurred_day(const ov_skind *k, const ov_record *r) {
  const ov_sfield *f = k->occurred ? ov_skind_field(k, k->occurred) : NULL;
  const ov_value *v = f ? shown(r, f->id) : NULL;
  if (!v || v->type != OV_V_INT || is_missing_code(f, v)) return clamp_day(day_of(record_time(r)));
  return clamp_day(f->type == OV_F_DATE ? v->i : day_of(v->i));
}

static bool key_part_there(const ov_skind *k, const ov_record *r, uint16_t id) {
  if (!id) return r->has_participant;
  const ov_value *v = shown(r, id);
  return v && !is_missing_code(ov_skind_field(k, id), v);
}

bool ov_schema_natural_key(const ov_skind *k, const ov_record *r, ov_buf *out) {
  if (!k->n_natural_key) return false;
  for (uint32_t i = 0; i < k->n_natural_key; i++)
    if (!key_part_there(k, r, k->natural_key[i])) return false;
  ov_mpw_array(out, k->n_natural_key);
  for (uint32_t i = 0; i < k->n_natural_key; i++) {
    if (k->natural_key[i]) ov_value_encode(shown(r, k->natural_key[i]), out);
    else ov_mpw_name(out, &r->participant);
  }
  return true;
}

/* PROTO-116 */
bool ov_schema_outside_window(const ov_skind *k, const ov_record *r, int64_t last_change, int64_t now) {
  (void)r;
  int64_t age;
  if (!k->windowed) return false;
  if (__builtin_sub_overflow(now, last_change, &age)) return now > last_change;
  return age > (int64_t)OV_WINDOW_DAYS * DAY_S;
}
