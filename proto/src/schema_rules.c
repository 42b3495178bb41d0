/* What must hold between the parts of one kind, and between two versions of it. */
#include <string.h>

#include "schema_parts.h"

static bool takes_range(ov_ftype t) { return t == OV_F_INT || t == OV_F_DATE || t == OV_F_DATETIME; }
static bool takes_codes(ov_ftype t) { return t == OV_F_CODE || t == OV_F_CODESET; }
static bool takes_ref(ov_ftype t) { return t == OV_F_REF || t == OV_F_REFSET; }
static bool takes_length(ov_ftype t) { return t == OV_F_TEXT || t == OV_F_BYTES; }
static bool takes_missing(ov_ftype t) { return takes_range(t) || takes_codes(t) || t == OV_F_BOOL; }
/* What may hold a name or free words stays in the team. */
static bool never_exported(ov_ftype t) { return takes_length(t) || t == OV_F_REFSET || t == OV_F_SCOPESET; }

static bool has_code(const ov_sfield *f, int32_t code) {
  for (uint32_t i = 0; i < f->n_codes; i++)
    if (f->codes[i].code == code) return true;
  return false;
}

static bool has_missing(const ov_sfield *f, int32_t code) {
  for (uint32_t i = 0; i < f->n_missing; i++)
    if (f->missing[i] == code) return true;
  return false;
}

static void check_uses(ov_loader *l, const ov_sfield *f) {
  const char *unused = NULL;
  if ((f->has_lo || f->has_hi) && !takes_range(f->type)) unused = "range";
  else if (f->n_codes && !takes_codes(f->type)) unused = "codes";
  else if (f->ref && !takes_ref(f->type)) unused = "ref";
  else if (f->max_length && !takes_length(f->type)) unused = "max_length";
  else if (f->n_missing && !takes_missing(f->type)) unused = "missing";
  if (unused) ov_loader_refuse(l, OV_E_FORMAT, "its type has no use for %s", unused);
  if (takes_codes(f->type) && !f->n_codes) ov_loader_refuse(l, OV_E_FORMAT, "codes are lacking");
  if (f->exported && never_exported(f->type))
    ov_loader_refuse(l, OV_E_FORMAT, "a field of its type is never exported");
  if (f->has_lo && f->has_hi && f->lo > f->hi)
    ov_loader_refuse(l, OV_E_FORMAT, "the lowest value %lld is above the highest %lld", (long long)f->lo,
                     (long long)f->hi);
}

static void check_code_list(ov_loader *l, const ov_sfield *f) {
  for (uint32_t i = 0; i < f->n_codes; i++)
    for (uint32_t k = 0; k < i; k++)
      if (f->codes[i].code == f->codes[k].code)
        ov_loader_refuse(l, OV_E_FORMAT, "code %d stands twice", f->codes[i].code);
}

static void check_missing(ov_loader *l, const ov_sfield *f) {
  bool bounded = f->has_lo && f->has_hi;
  for (uint32_t i = 0; i < f->n_missing; i++) {
    int32_t m = f->missing[i];
    bool in_range = (bounded && m >= f->lo && m <= f->hi) || (f->type == OV_F_BOOL && (m == 0 || m == 1));
    if (has_code(f, m) || in_range) ov_loader_refuse(l, OV_E_FORMAT, "missing code %d is a value too", m);
    for (uint32_t k = 0; k < i; k++)
      if (f->missing[k] == m) ov_loader_refuse(l, OV_E_FORMAT, "missing code %d stands twice", m);
  }
}

static void check_condition(ov_loader *l, const ov_sfield *f, const ov_reqif *c) {
  const ov_sfield *on = ov_skind_field(l->kind, c->field);
  if (!on) ov_loader_refuse(l, OV_E_FORMAT, "required_if names field %d, which does not exist", c->field);
  else if (on == f) ov_loader_refuse(l, OV_E_FORMAT, "required_if names the field itself");
  else if (!c->n) ov_loader_refuse(l, OV_E_FORMAT, "required_if on field %d names no codes", c->field);
  else if (!takes_codes(on->type) && on->type != OV_F_BOOL && on->type != OV_F_INT)
    ov_loader_refuse(l, OV_E_FORMAT, "required_if on field %d, whose type has no codes", c->field);
  for (uint32_t i = 0; on && !l->err && i < c->n; i++) {
    bool known = on->type == OV_F_INT || (on->type == OV_F_BOOL && (c->codes[i] == 0 || c->codes[i] == 1));
    if (!known && !has_code(on, c->codes[i]) && !has_missing(on, c->codes[i]))
      ov_loader_refuse(l, OV_E_FORMAT, "required_if: field %d has no code %d", c->field, c->codes[i]);
  }
}

static void check_field(ov_loader *l, const ov_sfield *f, uint32_t before) {
  for (uint32_t i = 0; i < before; i++) {
    if (l->kind->fields[i].id >= f->id) ov_loader_refuse(l, OV_E_FORMAT, "field ids must ascend");
    if (!strcmp(l->kind->fields[i].name, f->name))
      ov_loader_refuse(l, OV_E_FORMAT, "field %d has the same name", l->kind->fields[i].id);
  }
  if (!strcmp(f->name, ov_schema_retraction.name))
    ov_loader_refuse(l, OV_E_FORMAT, "this name belongs to field 1 of every kind");
  check_uses(l, f);
  check_code_list(l, f);
  check_missing(l, f);
  for (uint32_t i = 0; i < f->n_reqif; i++) check_condition(l, f, &f->reqif[i]);
}

static void check_occurred(ov_loader *l) {
  if (!l->kind->occurred) return;
  const ov_sfield *f = ov_skind_field(l->kind, l->kind->occurred);
  if (!f)
    ov_loader_refuse(l, OV_E_FORMAT, "occurred names field %d, which does not exist", l->kind->occurred);
  else if (f->type != OV_F_DATE && f->type != OV_F_DATETIME)
    ov_loader_refuse(l, OV_E_FORMAT, "occurred names field %d, which is no date or datetime", f->id);
}

static void check_key_part(ov_loader *l, uint32_t part) {
  uint16_t id = l->kind->natural_key[part];
  const ov_sfield *f = id ? ov_skind_field(l->kind, id) : NULL;
  for (uint32_t i = 0; i < part; i++)
    if (l->kind->natural_key[i] == id) ov_loader_refuse(l, OV_E_FORMAT, "natural_key names %d twice", id);
  if (!id && l->kind->participant != OV_P_REQUIRED && l->kind->participant != OV_P_OPTIONAL)
    ov_loader_refuse(l, OV_E_FORMAT, "natural_key names the participant, but its records name none");
  if (id && !f) ov_loader_refuse(l, OV_E_FORMAT, "natural_key names field %d, which does not exist", id);
  if (f && (f->type == OV_F_CODESET || f->type == OV_F_REFSET || f->type == OV_F_SCOPESET))
    ov_loader_refuse(l, OV_E_FORMAT, "natural_key names field %d, which is a set", id);
}

void ov_schema_check_kind(ov_loader *l) {
  for (uint32_t i = 0; i < l->kind->n_fields && !l->err; i++) {
    l->field = &l->kind->fields[i];
    check_field(l, l->field, i);
  }
  l->field = NULL;
  check_occurred(l);
  for (uint32_t i = 0; i < l->kind->n_natural_key; i++) check_key_part(l, i);
}

void ov_schema_check_newer(ov_loader *l, const ov_skind *older) {
  if (strcmp(older->name, l->kind->name) != 0)
    ov_loader_refuse(l, OV_E_FORMAT, "version %d is called %s; a name never changes", older->version,
                     older->name);
  for (uint32_t i = 0; i < l->kind->n_fields && !l->err; i++) {
    l->field = &l->kind->fields[i];
    const ov_sfield *was = ov_skind_field(older, l->field->id);
    if (was && (was->type != l->field->type || strcmp(was->name, l->field->name) != 0))
      ov_loader_refuse(l, OV_E_FORMAT, "version %d has %s there; a field id is never reused", older->version,
                       was->name);
  }
}
