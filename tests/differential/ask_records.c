/* Folds, records, DELTAs and schemas. */
#include <string.h>

#include "ask.h"
#include "ov/schema.h"

static const char *const verdicts[] = {"waiting", "applied", "held", "dismissed", "void", "erased"};

static ov_fold_in read_in(vec *v, json_t *j) {
  ov_fold_in in = {.op = vec_read_op(v, json_object_get(j, "op")),
                   .reason = (uint8_t)json_integer_value(json_object_get(j, "reason")),
                   .server_time = json_integer_value(json_object_get(j, "server_time")),
                   .clock_offset = json_integer_value(json_object_get(j, "clock_offset"))};
  const char *text = json_string_value(json_object_get(j, "verdict"));
  for (unsigned i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
    if (text && !strcmp(text, verdicts[i])) in.verdict = (ov_verdict)i;
  if (json_is_null(json_object_get(j, "server_time"))) in.server_time = INT64_MAX;
  return in;
}

static json_t *record_out(vec *v, const ov_record *r) {
  ov_buf_reset(&v->scratch);
  ov_record_encode(r, &v->scratch);
  return json_pack("{s:o, s:o}", "record", vec_record(r), "encoded", vec_hex(v->scratch.p, v->scratch.n));
}

static json_t *fold(vec *v, json_t *q) {
  json_t *list = json_object_get(q, "ops");
  size_t n = json_array_size(list);
  ov_fold_in *in = ov_arena_array(&v->arena, n + 1, sizeof *in);
  ov_record r;
  vec_need(in != NULL, "out of memory");
  for (size_t i = 0; i < n; i++) in[i] = read_in(v, json_array_get(list, i));
  int err = ov_fold(in, n, &v->arena, &r);
  return err ? ask_error(err) : record_out(v, &r);
}

static int read_record(vec *v, json_t *hex, ov_record *out) {
  size_t n;
  const uint8_t *p = vec_read_hex(v, hex, &n);
  return ov_record_decode(p, n, &v->arena, out);
}

static json_t *absorb(vec *v, json_t *q) {
  ov_record base, r;
  json_t *given = json_object_get(q, "base");
  int err = json_is_string(given) ? read_record(v, given, &base) : 0;
  ov_fold_in in = read_in(v, q);
  if (!err) err = ov_fold_absorb(json_is_string(given) ? &base : NULL, &in, &v->arena, &r);
  return err ? ask_error(err) : record_out(v, &r);
}

static json_t *record(vec *v, json_t *q) {
  ov_record r;
  int err = read_record(v, json_object_get(q, "hex"), &r);
  return err ? ask_error(err) : record_out(v, &r);
}

static json_t *name_list(const ov_name *names, uint32_t n) {
  json_t *a = json_array();
  for (uint32_t i = 0; i < n; i++) json_array_append_new(a, vec_name(&names[i]));
  return a;
}

/* What a new value of the field, and a retraction, would name. */
static json_t *replaces(vec *v, json_t *q) {
  ov_record r;
  ov_name *field = NULL, *all = NULL;
  uint32_t n_field = 0, n_all = 0;
  int err = read_record(v, json_object_get(q, "hex"), &r);
  if (err) return ask_error(err);
  uint16_t id = (uint16_t)json_integer_value(json_object_get(q, "field"));
  vec_need(ov_record_replaces(&r, id, &v->arena, &field, &n_field) == 0 &&
               ov_record_seen_all(&r, &v->arena, &all, &n_all) == 0,
           "replaces");
  return json_pack("{s:o, s:o, s:b}", "field", name_list(field, n_field), "all", name_list(all, n_all),
                   "conflict", (int)ov_record_field_conflict(&r, id));
}

/* records: [{"encoded", "changed"}]; gives the plain DELTA. */
static json_t *delta(vec *v, json_t *q) {
  json_t *list = json_object_get(q, "records"), *gone = json_object_get(q, "gone");
  ov_delta m = {.scope = (uint32_t)json_integer_value(json_object_get(q, "scope")),
                .to = (uint64_t)json_integer_value(json_object_get(q, "to")),
                .time = json_integer_value(json_object_get(q, "time")),
                .n_records = (uint32_t)json_array_size(list),
                .n_gone = (uint32_t)json_array_size(gone)};
  ov_rows_ctx ctx = {.named = true, .base_time = m.time};
  vec_read_bytes(json_object_get(q, "server"), ctx.writer.b, OV_ID_BYTES);
  ctx.server = ctx.writer;
  m.records = ov_arena_array(&v->arena, m.n_records + 1, sizeof *m.records);
  m.gone = ov_arena_array(&v->arena, m.n_gone + 1, sizeof *m.gone);
  vec_need(m.records && m.gone, "out of memory");
  for (uint32_t i = 0; i < m.n_records; i++) {
    json_t *j = json_array_get(list, i);
    vec_need(read_record(v, json_object_get(j, "encoded"), &m.records[i].rec) == 0, "record");
    m.records[i].changed = json_integer_value(json_object_get(j, "changed"));
  }
  for (uint32_t i = 0; i < m.n_gone; i++) vec_read_name(json_array_get(gone, i), &m.gone[i]);
  ov_buf_reset(&v->scratch);
  int err = ov_delta_encode(&ctx, &m, &v->arena, &v->scratch);
  return err ? ask_error(err) : json_pack("{s:o}", "hex", vec_hex(v->scratch.p, v->scratch.n));
}

/* -- schemas: how values are judged (PROTO-155), what is lacking and what may be a double (PROTO-156) -- */

static json_t *load(vec *v, json_t *schemas, ov_schemas **set) {
  char why[OV_ERROR_TEXT_MAX + 1];
  size_t i, n;
  json_t *hex;
  *set = ov_schemas_new();
  vec_need(*set != NULL, "out of memory");
  json_array_foreach(schemas, i, hex) {
    const uint8_t *p = vec_read_hex(v, hex, &n);
    int err = ov_schemas_add(*set, p, n, why);
    if (err) {
      json_t *out = ask_error(err);
      json_object_set_new(out, "why", json_string(why));
      return out;
    }
  }
  return NULL;
}

static json_t *schema_check(vec *v, json_t *q) {
  ov_schemas *set;
  json_t *out = load(v, json_object_get(q, "schemas"), &set), *list = json_object_get(q, "ops"), *op;
  size_t i;
  if (!out) {
    json_t *found = json_array();
    json_array_foreach(list, i, op) {
      ov_problem why = {.field = 0};
      int reason = ov_schema_check_op(set, vec_read_op(v, op), &why);
      json_array_append_new(found,
                            json_pack("{s:i, s:i}", "reason", reason, "field", reason ? (int)why.field : 0));
    }
    out = json_pack("{s:o}", "found", found);
  }
  ov_schemas_free(set);
  return out;
}

static json_t *about_record(vec *v, const ov_schemas *set, json_t *hex) {
  ov_record r;
  uint16_t ids[OV_OP_FIELDS_MAX];
  int err = read_record(v, hex, &r);
  const ov_skind *k = err ? NULL : ov_schemas_kind(set, r.kind);
  if (err || !k) return ask_error(err ? err : OV_E_NOTFOUND);
  json_t *missing = json_array();
  uint32_t n = ov_schema_missing(k, &r, ids, OV_OP_FIELDS_MAX);
  for (uint32_t i = 0; i < n; i++) json_array_append_new(missing, json_integer(ids[i]));
  ov_buf_reset(&v->scratch);
  bool has_key = ov_schema_natural_key(k, &r, &v->scratch);
  return json_pack("{s:o, s:I, s:o}", "missing", missing, "day", (json_int_t)ov_schema_occurred_day(k, &r),
                   "key", has_key ? vec_hex(v->scratch.p, v->scratch.n) : json_null());
}

static json_t *schema_records(vec *v, json_t *q) {
  ov_schemas *set;
  json_t *out = load(v, json_object_get(q, "schemas"), &set), *hex;
  size_t i;
  if (!out) {
    json_t *found = json_array();
    json_array_foreach(json_object_get(q, "records"), i, hex)
        json_array_append_new(found, about_record(v, set, hex));
    out = json_pack("{s:o}", "found", found);
  }
  ov_schemas_free(set);
  return out;
}

const ask_entry ask_records[] = {{"fold", fold},
                                 {"absorb", absorb},
                                 {"record", record},
                                 {"replaces", replaces},
                                 {"delta", delta},
                                 {"schema_check", schema_check},
                                 {"schema_records", schema_records},
                                 {NULL, NULL}};
