/* A checked schema file in its MessagePack form (layout: ov/schema.h). */
#include "schema_internal.h"

#include <string.h>

static int64_t int_of(const json_t *o, const char *key) {
  return json_integer_value(json_object_get(o, key));
}

static void pack_text(ov_buf *b, const json_t *v) {
  if (v) ov_mpw_str(b, json_string_value(v), json_string_length(v));
  else ov_mpw_nil(b);
}

static void pack_label(ov_buf *b, const json_t *o, const char *key) {
  const json_t *label = json_object_get(o, key);
  pack_text(b, json_object_get(label, "nl"));
  pack_text(b, json_object_get(label, "en"));
}

static void pack_ints(ov_buf *b, const json_t *list) {
  ov_mpw_array(b, (uint32_t)json_array_size(list));
  for (size_t i = 0; i < json_array_size(list); i++)
    ov_mpw_int(b, json_integer_value(json_array_get(list, i)));
}

static int64_t field_id(const json_t *root, const char *name) {
  const json_t *f = name ? field_by_name(root, name) : NULL;
  return f ? int_of(f, "id") : 0;
}

static void pack_conditions(ov_buf *b, const json_t *root, const json_t *conds) {
  ov_mpw_array(b, (uint32_t)json_array_size(conds));
  for (size_t i = 0; i < json_array_size(conds); i++) {
    const json_t *c = json_array_get(conds, i), *in = json_object_get(c, "in");
    ov_mpw_array(b, 3);
    ov_mpw_int(b, field_id(root, json_string_value(json_object_get(c, "field"))));
    ov_mpw_bool(b, !in);
    pack_ints(b, in ? in : json_object_get(c, "not_in"));
  }
}

static void pack_range(ov_buf *b, const json_t *f) {
  const json_t *r = json_object_get(f, "range");
  int type = field_type(f);
  if (r) {
    ov_mpw_int(b, json_integer_value(json_array_get(r, 0)));
    ov_mpw_int(b, json_integer_value(json_array_get(r, 1)));
  } else if (type == OV_F_DATE || type == OV_F_DATETIME) {
    ov_mpw_int(b, type == OV_F_DATE ? SCHEMA_DATE_LO : SCHEMA_DATETIME_LO);
    ov_mpw_int(b, type == OV_F_DATE ? SCHEMA_DATE_HI : SCHEMA_DATETIME_HI);
  } else {
    ov_mpw_nil(b);
    ov_mpw_nil(b);
  }
}

static void pack_codes(ov_buf *b, const json_t *codes) {
  ov_mpw_array(b, (uint32_t)json_array_size(codes));
  for (size_t i = 0; i < json_array_size(codes); i++) {
    const json_t *c = json_array_get(codes, i);
    ov_mpw_array(b, 3);
    ov_mpw_int(b, int_of(c, "code"));
    pack_text(b, json_object_get(c, "nl"));
    pack_text(b, json_object_get(c, "en"));
  }
}

static void pack_field(ov_buf *b, const json_t *root, const json_t *f, kind_id_fn kind_id, void *ctx) {
  const char *ref = json_string_value(json_object_get(f, "ref"));
  ov_mpw_array(b, 17);
  ov_mpw_int(b, int_of(f, "id"));
  pack_text(b, json_object_get(f, "name"));
  ov_mpw_int(b, field_type(f));
  pack_label(b, f, "label");
  ov_mpw_bool(b, json_is_true(json_object_get(f, "required")));
  pack_conditions(b, root, json_object_get(f, "required_if"));
  pack_range(b, f);
  ov_mpw_int(b, int_of(f, "max_length"));
  pack_text(b, json_object_get(f, "unit"));
  ov_mpw_bool(b, json_is_true(json_object_get(f, "exported")));
  ov_mpw_int(b, ref ? kind_id(ctx, ref) : 0);
  pack_codes(b, json_object_get(f, "codes"));
  pack_ints(b, json_object_get(f, "missing"));
  pack_label(b, f, "help");
}

static void pack_natural_key(ov_buf *b, const json_t *root) {
  const json_t *key = json_object_get(root, "natural_key");
  ov_mpw_array(b, (uint32_t)json_array_size(key));
  for (size_t i = 0; i < json_array_size(key); i++)
    ov_mpw_int(
        b, field_id(root, json_string_value(json_array_get(key, i)))); /* the participant is no field: 0 */
}

void schema_pack(const json_t *root, kind_id_fn kind_id, void *ctx, ov_buf *out) {
  const json_t *fields = json_object_get(root, "fields");
  ov_mpw_array(out, 11);
  ov_mpw_int(out, int_of(root, "id"));
  pack_text(out, json_object_get(root, "kind"));
  ov_mpw_int(out, int_of(root, "version"));
  ov_mpw_int(out, list_index(SCHEMA_SCOPES, json_string_value(json_object_get(root, "scope"))));
  ov_mpw_int(out, list_index(SCHEMA_PARTICIPANTS, json_string_value(json_object_get(root, "participant"))));
  ov_mpw_bool(out, json_is_true(json_object_get(root, "windowed")));
  ov_mpw_int(out, field_id(root, json_string_value(json_object_get(root, "occurred"))));
  pack_natural_key(out, root);
  pack_label(out, root, "label");
  ov_mpw_array(out, (uint32_t)json_array_size(fields));
  for (size_t i = 0; i < json_array_size(fields); i++)
    pack_field(out, root, json_array_get(fields, i), kind_id, ctx);
}
