#include "form.h"

#include <stdio.h>
#include <string.h>

#include "random.h"

void dd_form_init(dd_form *f, const ov_schemas *s, const char *kind) {
  f->kind = ov_schemas_by_name(s, kind);
  if (!f->kind) dd_die(kind, OV_E_NOTFOUND);
  f->n = f->n_refs = f->n_elems = 0;
}

uint16_t dd_field_id(const ov_skind *kind, const char *field) {
  const ov_sfield *sf = ov_skind_by_name(kind, field);
  if (!sf) {
    char what[96];
    snprintf(what, sizeof what, "field %s of %s", field, kind->name);
    dd_die(what, OV_E_NOTFOUND);
  }
  return sf->id;
}

static void put(dd_form *f, const char *field, ov_value v) {
  uint16_t id = dd_field_id(f->kind, field);
  uint32_t at = f->n;
  DD_MUST(f->n < DD_FORM_FIELDS_MAX);
  for (; at && f->fields[at - 1].id > id; at--) f->fields[at] = f->fields[at - 1];
  f->fields[at] = (ov_field){id, v};
  f->n++;
}

void dd_int(dd_form *f, const char *field, int64_t v) { put(f, field, ov_int(v)); }
void dd_text(dd_form *f, const char *field, const char *v) { put(f, field, ov_text(v)); }

static ov_value ref_value(dd_form *f, const ov_name *v) {
  DD_MUST(f->n_refs < DD_FORM_REFS_MAX);
  uint8_t *b = f->refs[f->n_refs++];
  ov_name_write(v, b);
  return ov_bytes(b, OV_NAME_BYTES);
}

void dd_ref(dd_form *f, const char *field, const ov_name *v) { put(f, field, ref_value(f, v)); }

static ov_value set_value(dd_form *f, uint32_t n) {
  DD_MUST(f->n_elems + n <= DD_FORM_ELEMS_MAX);
  ov_value v = {.type = OV_V_SET};
  v.set.add = f->elems + f->n_elems;
  v.set.n_add = n;
  v.set.del = NULL;
  v.set.n_del = 0;
  f->n_elems += n;
  return v;
}

void dd_set(dd_form *f, const char *field, const int64_t *v, uint32_t n) {
  ov_value set = set_value(f, n);
  for (uint32_t i = 0; i < n; i++) set.set.add[i] = ov_int(v[i]);
  put(f, field, set);
}

void dd_refset(dd_form *f, const char *field, const ov_name *v, uint32_t n) {
  ov_value set = set_value(f, n);
  for (uint32_t i = 0; i < n; i++) set.set.add[i] = ref_value(f, &v[i]);
  put(f, field, set);
}

const ov_value *dd_form_get(const dd_form *f, uint16_t id) {
  for (uint32_t i = 0; i < f->n; i++) {
    if (f->fields[i].id == id) return &f->fields[i].v;
  }
  return NULL;
}

ov_op dd_form_op(dd_form *f, uint32_t scope) {
  return (ov_op){.scope = scope,
                 .creates = true,
                 .kind = f->kind->id,
                 .version = f->kind->version,
                 .fields = f->fields,
                 .n_fields = f->n};
}
