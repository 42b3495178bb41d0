/* Values for people and scripts. Keys are never shown. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin_priv.h"

static json_t *show_code(const ov_sfield *f, int64_t code) {
  static const struct {
    int code;
    const char *label;
  } missing[] = {{-97, "suppressed"}, {-98, "not asked"}, {-99, "unknown"}};
  for (uint32_t i = 0; i < f->n_codes; i++) {
    if (f->codes[i].code == code)
      return json_pack("{s:I, s:s}", "code", (json_int_t)code, "label", f->codes[i].en);
  }
  for (unsigned i = 0; i < 3; i++) {
    if (missing[i].code == code)
      return json_pack("{s:I, s:s}", "code", (json_int_t)code, "label", missing[i].label);
  }
  return json_integer(code);
}

static json_t *show_int(adm *m, sv_txn *t, const ov_sfield *f, int64_t v) {
  char text[OV_LABEL_BYTES_MAX + 1];
  struct tm tm;
  bool missing = v >= -99 && v <= -97;
  switch (f ? f->type : OV_F_INT) {
  case OV_F_BOOL: return json_boolean(v != 0);
  case OV_F_CODE:
  case OV_F_CODESET: return show_code(f, v);
  case OV_F_DATETIME:
    return missing                                ? show_code(f, v)
           : v > -62135596800 && v < 253402300800 ? adm_time_json(v * 1000)
                                                  : json_integer(v);
  case OV_F_DATE:
    if (missing) return show_code(f, v);
    if (v < -719162 || v > 2932896) return json_integer(v); /* before the year 1, after 9999 */
    gmtime_r(&(time_t){(time_t)(v * 86400)}, &tm);
    strftime(text, sizeof text, "%Y-%m-%d", &tm);
    return json_string(text);
  case OV_F_SCOPESET:
    if (v < 2 || v > SV_TEAM_SCOPE_MAX) return json_integer(v);
    find_team_label(m, t, (uint32_t)v, text, sizeof text);
    return json_pack("{s:I, s:o}", "scope", (json_int_t)v, "label", adm_text_json(text, strlen(text)));
  default: return missing && f ? show_code(f, v) : json_integer(v);
  }
}

static json_t *show_ref(adm *m, sv_txn *t, const ov_sfield *f, const ov_value *v) {
  ov_name name;
  char label[OV_LABEL_BYTES_MAX + 1] = "";
  const ov_skind *to = ov_schemas_kind(m->h->schemas, f->ref);
  sv_txn *other = NULL;
  ov_name_read(v->s.p, &name);
  sv_org *home = to && to->scope == 0 ? m->h->programme : NULL;
  /* What an organisation refers to may lie in the programme. */
  if (home && sv_txn_env(t) != home->env && !sv_txn_read(home->env, &other)) t = other;
  find_label_of(m, t, &name, label, sizeof label);
  sv_txn_abort(other);
  json_t *o = json_pack("{s:o}", "record", adm_name_json(&name));
  if (*label) json_object_set_new(o, "label", adm_text_json(label, strlen(label)));
  return o;
}

static bool is_key(const ov_sfield *f) {
  return f && f->type == OV_F_BYTES && !strcmp(f->name, "commit_key");
}

static json_t *show_bytes(adm *m, sv_txn *t, const ov_sfield *f, const ov_value *v) {
  if (is_key(f)) return json_string("(a key: not shown)");
  bool ref = f && (f->type == OV_F_REF || f->type == OV_F_REFSET) && v->s.n == OV_NAME_BYTES;
  if (ref) return show_ref(m, t, f, v);
  ov_name name;
  if (f && !strcmp(f->name, "target") && v->s.n == OV_NAME_BYTES) {
    ov_name_read(v->s.p, &name);
    return adm_name_json(&name);
  }
  return v->s.n <= 64 ? adm_hex_json(v->s.p, v->s.n) : json_pack("{s:I}", "bytes", (json_int_t)v->s.n);
}

/* A set's elements are no sets: one level. */
// NOLINTNEXTLINE(misc-no-recursion)
static json_t *show_elements(adm *m, sv_txn *t, const ov_sfield *f, const ov_value *v, uint32_t n) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < n; i++) json_array_append_new(list, value_json(m, t, f, &v[i]));
  return list;
}

// NOLINTNEXTLINE(misc-no-recursion)
json_t *value_json(adm *m, sv_txn *t, const ov_sfield *f, const ov_value *v) {
  switch (v->type) {
  case OV_V_NIL: return json_null();
  case OV_V_INT: return show_int(m, t, f, v->i);
  case OV_V_TEXT: return adm_text_json(v->s.p, v->s.n);
  case OV_V_BYTES: return show_bytes(m, t, f, v);
  default: break;
  }
  json_t *o = json_object();
  if (v->set.n_add) json_object_set_new(o, "added", show_elements(m, t, f, v->set.add, v->set.n_add));
  if (v->set.n_del) json_object_set_new(o, "deleted", show_elements(m, t, f, v->set.del, v->set.n_del));
  return o;
}

static const ov_sfield *field_of(const ov_skind *k, uint16_t id) {
  for (uint32_t i = 0; k && i < k->n_fields; i++) {
    if (k->fields[i].id == id) return &k->fields[i];
  }
  return NULL;
}

static void field_key(const ov_sfield *f, uint16_t id, char out[OV_FIELD_NAME_MAX + 8]) {
  if (f) snprintf(out, OV_FIELD_NAME_MAX + 8, "%s", f->name);
  else if (id == OV_FIELD_RETRACTED) snprintf(out, OV_FIELD_NAME_MAX + 8, "retracted");
  else snprintf(out, OV_FIELD_NAME_MAX + 8, "field_%u", id);
}

json_t *value_fields_json(adm *m, sv_txn *t, const ov_skind *k, const ov_field *fields, uint32_t n) {
  json_t *o = json_object();
  for (uint32_t i = 0; i < n; i++) {
    char key[OV_FIELD_NAME_MAX + 8];
    const ov_sfield *f = field_of(k, fields[i].id);
    field_key(f, fields[i].id, key);
    json_object_set_new(o, key, value_json(m, t, f, &fields[i].v));
  }
  return o;
}

/* The shown value; where values are in conflict, all of them. A set is its added elements. */
static json_t *live_json(adm *m, sv_txn *t, const ov_record *r, const ov_sfield *f, const ov_live *l,
                         uint32_t n) {
  if (l->is_elem) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++) {
      if (l[i].is_elem && l[i].v.type == OV_V_INT && l[i].v.i == 1)
        json_array_append_new(list, value_json(m, t, f, &l[i].elem));
    }
    return list;
  }
  if (n == 1 || !ov_record_field_conflict(r, l->field)) return value_json(m, t, f, &l->v);
  json_t *all = json_array();
  for (uint32_t i = 0; i < n; i++) json_array_append_new(all, value_json(m, t, f, &l[i].v));
  return json_pack("{s:o}", "conflict", all);
}

json_t *value_record_json(adm *m, sv_txn *t, const ov_skind *k, const ov_record *r) {
  json_t *o = json_object();
  for (uint32_t i = 0; i < r->n_live;) {
    uint32_t n = 0;
    uint16_t id = r->live[i].field;
    while (i + n < r->n_live && r->live[i + n].field == id) n++;
    char key[OV_FIELD_NAME_MAX + 8];
    const ov_sfield *f = field_of(k, id);
    field_key(f, id, key);
    if (!is_key(f)) json_object_set_new(o, key, live_json(m, t, r, f, &r->live[i], n));
    i += n;
  }
  return o;
}
