/* Schemas as JSON for forms, and the last resort of a tablet that cannot sync: what no server has taken, as
 * JSON. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "query_find.h"

#define EXPORT_BYTES_MAX (64u << 20)

static const char *const types[OV_F_COUNT] = {"int",  "bool", "code",   "codeset",  "date", "datetime",
                                              "text", "ref",  "refset", "scopeset", "bytes"};

/* A list that owns what was added, or NULL once something failed: appending to it is then harmless. */
static json_t *add(json_t *list, json_t *item) {
  if (!list || json_array_append_new(list, item)) {
    if (!list) json_decref(item);
    json_decref(list);
    return NULL;
  }
  return list;
}

static json_t *opt_text(const char *text) { return text ? json_string(text) : json_null(); }

static json_t *codes_json(const ov_sfield *f) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < f->n_codes; i++) {
    list = add(list, json_pack("{s:i, s:s, s:s}", "code", f->codes[i].code, "nl", f->codes[i].nl, "en",
                               f->codes[i].en));
  }
  return list;
}

static json_t *numbers_json(const int32_t *v, uint32_t n) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < n; i++) list = add(list, json_integer(v[i]));
  return list;
}

static json_t *conditions_json(const ov_skind *k, const ov_sfield *f) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < f->n_reqif; i++) {
    const ov_reqif *c = &f->reqif[i];
    const ov_sfield *on = ov_skind_field(k, c->field);
    list = add(list, json_pack("{s:s, s:o}", "field", on ? on->name : "", c->negate ? "not_in" : "in",
                               numbers_json(c->codes, c->n)));
  }
  return list;
}

static json_t *field_json(const ov_schemas *s, const ov_skind *k, const ov_sfield *f) {
  const ov_skind *ref = f->ref ? ov_schemas_kind(s, f->ref) : NULL;
  json_t *range = f->has_lo || f->has_hi ? json_pack("[o, o]", f->has_lo ? json_integer(f->lo) : json_null(),
                                                     f->has_hi ? json_integer(f->hi) : json_null())
                                         : json_null();
  return json_pack("{s:i, s:s, s:s, s:{s:s, s:s}, s:{s:o, s:o}, s:b, s:o, s:o, s:I, s:o, s:b, s:o, s:o, s:o}",
                   "id", f->id, "name", f->name, "type", types[f->type], "label", "nl", f->nl, "en", f->en,
                   "help", "nl", opt_text(f->help_nl), "en", opt_text(f->help_en), "required", f->required,
                   "required_if", conditions_json(k, f), "range", range, "max_length",
                   (json_int_t)f->max_length, "unit", opt_text(f->unit), "exported", f->exported, "ref",
                   opt_text(ref ? ref->name : NULL), "codes", codes_json(f), "missing",
                   numbers_json(f->missing, f->n_missing));
}

static json_t *kind_json(const ov_schemas *s, const ov_skind *k) {
  static const char *const scopes[] = {"programme", "organisation", "team"}, *const modes[] = {
                                                                                 "none", "optional",
                                                                                 "required", "self"};
  const ov_sfield *occurred = k->occurred ? ov_skind_field(k, k->occurred) : NULL;
  json_t *fields = json_array(), *natural = json_array();
  for (uint32_t i = 0; i < k->n_fields; i++) fields = add(fields, field_json(s, k, &k->fields[i]));
  for (uint32_t i = 0; i < k->n_natural_key; i++) {
    const ov_sfield *f = k->natural_key[i] ? ov_skind_field(k, k->natural_key[i]) : NULL;
    natural = add(natural, json_string(f ? f->name : "participant"));
  }
  return json_pack("{s:i, s:s, s:i, s:{s:s, s:s}, s:s, s:s, s:b, s:o, s:o, s:o}", "id", k->id, "kind",
                   k->name, "version", k->version, "label", "nl", k->nl, "en", k->en, "scope",
                   scopes[k->scope < 2 ? k->scope : 2], "participant", modes[k->participant], "windowed",
                   k->windowed, "occurred", opt_text(occurred ? occurred->name : NULL), "natural_key",
                   natural, "fields", fields);
}

static int dump(json_t *j, size_t flags, char **out, oc_error *e) {
  *out = oc_json_text(j, flags);
  return *out ? OC_OK : oc_fail(e, OV_E_NOMEM);
}

int oc_schemas_json(oc_store *s, char **json, oc_error *e) {
  if (e) *e = (oc_error){0};
  json_t *list = json_array();
  const ov_skind *k;
  for (uint32_t i = 0; (k = ov_schemas_at(s->schemas, i)); i++) {
    if (k->id != OV_KIND_SCHEMA) list = add(list, kind_json(s->schemas, k));
  }
  return dump(list, JSON_COMPACT, json, e);
}

/* -- what no server has ---------------------------------------------------------------------------------- */

typedef struct exporting {
  oc_store *s;
  oc_txn *t;
  ov_arena a;
  json_t *list;
  uint64_t closed; /* held or refused ones that a closed store cannot show */
} exporting;

static json_t *id_json(bool has, const ov_name *name) {
  char id[OV_NAME_TEXT_MAX];
  if (!has) return json_null();
  ov_name_text(name, id);
  return json_string(id);
}

static json_t *called(exporting *x, bool has, const ov_name *name) {
  const char *label = has ? oc_name_of(x->s, x->t, name, &x->a) : NULL;
  return label && *label ? json_string(label) : json_null();
}

static json_t *one_value(const oc_text_env *env, const ov_sfield *f, const ov_value *v) {
  const char *raw = oc_value_raw(env, f, v), *nl = oc_value_text(env, f, v, true),
             *en = oc_value_text(env, f, v, false);
  if (!raw || !nl || !en) return NULL;
  return json_pack("{s:s, s:s, s:s}", "value", raw, "text_nl", nl, "text_en", en);
}

static json_t *elements(const oc_text_env *env, const ov_sfield *f, const ov_value *v, uint32_t n) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < n; i++) list = add(list, one_value(env, f, &v[i]));
  return list;
}

static json_t *field_value(exporting *x, const ov_skind *k, const ov_field *field) {
  oc_find_ctx c = {.s = x->s, .t = x->t, .a = &x->a};
  oc_text_env env = oc_text_env_of(&c);
  const ov_sfield *f = k ? ov_skind_field(k, field->id) : NULL;
  json_t *j = field->v.type == OV_V_SET
                  ? json_pack("{s:o, s:o}", "added", elements(&env, f, field->v.set.add, field->v.set.n_add),
                              "deleted", elements(&env, f, field->v.set.del, field->v.set.n_del))
                  : one_value(&env, f, &field->v);
  if (!j) return NULL;
  const char *name = field->id == OV_FIELD_RETRACTED ? OC_FIELD_RETRACTION : f ? f->name : "";
  json_t *head = json_pack("{s:i, s:s, s:s, s:s}", "id", field->id, "field", name, "label_nl", f ? f->nl : "",
                           "label_en", f ? f->en : "");
  if (!head || json_object_update(head, j)) {
    json_decref(head);
    head = NULL;
  }
  json_decref(j);
  return head;
}

static const char *why(const oc_log_row *row) {
  if (row->as_void) return "refused";
  if (row->dismissed) return "dismissed";
  return row->held ? "held" : "unsent";
}

static json_t *op_json(exporting *x, const oc_log_row *row) {
  const ov_op *op = &row->op;
  const ov_skind *k = ov_schemas_kind(x->s->schemas, op->kind);
  char at[OC_MOMENT_TEXT], raw[OC_MOMENT_TEXT];
  json_t *fields = json_array();
  oc_moment_raw(x->s->zone, op->device_time, at);
  snprintf(raw, sizeof raw, "kind_%u", op->kind);
  for (uint32_t i = 0; i < op->n_fields; i++) fields = add(fields, field_value(x, k, &op->fields[i]));
  json_t *reason = row->as_void ? json_string(ov_err_text(row->refused_err))
                   : row->held  ? json_string(ov_held_text_en(row->held))
                                : json_null();
  return json_pack("{s:s, s:o, s:o, s:o, s:b, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:s, s:o}", "why", why(row),
                   "reason", reason, "op", id_json(true, &op->name), "record", id_json(true, &op->record),
                   "creates", op->creates, "kind", k ? k->name : raw, "label_nl", k ? k->nl : "", "version",
                   op->version, "participant", id_json(op->has_participant, &op->participant),
                   "participant_label", called(x, op->has_participant, &op->participant), "author",
                   id_json(op->has_author, &op->author), "author_name",
                   called(x, op->has_author, &op->author), "device_time", at, "fields", fields);
}

/* Every op that no server has, and those that one has put aside: held, dismissed or refused. */
static int export_writer(exporting *x, const oc_writer_row *w) {
  for (uint64_t seq = 1; seq <= w->last; seq++) {
    oc_log_row row;
    ov_arena_reset(&x->a);
    int err = oc_log_get(x->t, &w->writer, seq, &x->a, &row);
    if (err) return err;
    bool put_aside = row.held || row.dismissed || row.as_void;
    if (row.closed && put_aside) x->closed++;
    if (!row.kept || row.closed || (row.state == OC_OP_ACKED && !put_aside)) continue;
    x->list = add(x->list, op_json(x, &row));
    if (!x->list) return OV_E_NOMEM;
  }
  return 0;
}

static json_t *document(exporting *x) {
  char organisation[2 * OV_ID_BYTES + 1], device[2 * OV_ID_BYTES + 1], at[OC_MOMENT_TEXT];
  ov_hex(x->s->self.organisation.b, OV_ID_BYTES, organisation);
  ov_hex(x->s->self.device.b, OV_ID_BYTES, device);
  oc_moment_raw(x->s->zone, oc_seconds(oc_now_ms(x->s)), at);
  json_t *list = x->list;
  x->list = NULL;
  return json_pack("{s:s, s:i, s:I, s:s, s:s, s:s, s:o}", "format", "overdracht unsent", "version", 1,
                   "closed", (json_int_t)x->closed, "organisation", organisation, "device", device,
                   "exported_at", at, "entries", list);
}

int oc_export_unsent(oc_store *s, char **json, oc_error *e) {
  if (e) *e = (oc_error){0};
  *json = NULL;
  exporting x = {.s = s, .list = json_array()};
  oc_writer_row w;
  ov_arena_init(&x.a, EXPORT_BYTES_MAX);
  int err = x.list ? oc_txn_begin(s->db, false, &x.t) : OV_E_NOMEM;
  int more = err ? err : oc_writer_next(x.t, NULL, &w);
  for (; !err && !more; more = oc_writer_next(x.t, &w.writer, &w)) err = export_writer(&x, &w);
  if (!err && more != OV_E_NOTFOUND) err = more;
  int said = err ? oc_fail(e, err) : dump(document(&x), JSON_INDENT(1), json, e);
  json_decref(x.list);
  oc_txn_abort(x.t);
  ov_arena_free(&x.a);
  return said;
}
