/* Checks of the fields of one schema file: ids, names, types and what each type needs and allows. */
#include "schema_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Words that the header, the command line or a statistics package uses itself; an exported column may not be
 * called so. */
static const char *const RESERVED[] = {
    "participant", "author", "record", "retracted", "all", "and",  "by",    "eq",   "ge",
    "gt",          "le",     "lt",     "ne",        "not", "or",   "to",    "with", "byte",
    "double",      "float",  "if",     "in",        "int", "long", "using", NULL};

int field_type(const json_t *field) {
  const char *s = json_string_value(json_object_get(field, "type"));
  return s ? list_index(SCHEMA_TYPES, s) : -1;
}

const json_t *field_by_name(const json_t *root, const char *name) {
  const json_t *fields = json_object_get(root, "fields");
  for (size_t i = 0; i < json_array_size(fields); i++) {
    const json_t *f = json_array_get(fields, i);
    const char *s = json_string_value(json_object_get(f, "name"));
    if (s && !strcmp(s, name)) return f;
  }
  return NULL;
}

bool code_listed(const json_t *codes, int64_t code) {
  for (size_t i = 0; i < json_array_size(codes); i++) {
    const json_t *v = json_object_get(json_array_get(codes, i), "code");
    if (json_is_integer(v) && json_integer_value(v) == code) return true;
  }
  return false;
}

static bool is_missing_code(int64_t i) { return i >= -99 && i <= -97; }

/* Which keys a type needs ('!') or allows ('+') beside those that all fields have. */
static void check_keys_of_type(checker *c, const json_t *f, int type) {
  static const struct {
    const char *key;
    const char *use;
  } table[] = {
      /* in the order of ov_ftype: int bool code codeset date datetime text ref refset scopeset bytes */
      {"range", "!---++-----"},   {"unit", "+----------"},       {"codes", "--!!-------"},
      {"missing", "+++-++-----"}, {"max_length", "------!---!"}, {"ref", "-------!!--"}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    bool has = json_object_get(f, table[i].key) != NULL;
    char use = table[i].use[type];
    if (has && use == '-') complain(c, table[i].key, "means nothing for type %s", SCHEMA_TYPES[type]);
    if (!has && use == '!') complain(c, table[i].key, "is missing; type %s needs it", SCHEMA_TYPES[type]);
  }
}

static void check_range(checker *c, const json_t *f) {
  const json_t *r = json_object_get(f, "range");
  const json_t *lo = json_array_get(r, 0), *hi = json_array_get(r, 1);
  if (!r) return;
  if (json_array_size(r) != 2 || !json_is_integer(lo) || !json_is_integer(hi)) {
    complain(c, "range", "is no list of two whole numbers [lowest, highest]");
    return;
  }
  int64_t a = json_integer_value(lo), b = json_integer_value(hi);
  if (a > b) complain(c, "range", "starts at %" PRId64 ", above its end %" PRId64, a, b);
  if (a <= -97 && b >= -99)
    complain(c, "range", "%" PRId64 " to %" PRId64 " holds a missing code; -99 to -97 must lie outside", a,
             b);
}

static void check_code_labels(checker *c, const json_t *codes, size_t i, const char *lang) {
  char path[60];
  snprintf(path, sizeof path, "codes[%zu].%s", i, lang);
  const char *s = take_text(c, json_object_get(json_array_get(codes, i), lang), path, OV_LABEL_BYTES_MAX);
  for (size_t j = 0; s && j < i; j++) {
    const char *earlier = json_string_value(json_object_get(json_array_get(codes, j), lang));
    if (earlier && !strcmp(earlier, s)) complain(c, path, "repeats '%s' of codes[%zu]", s, j);
  }
}

static void check_code(checker *c, const json_t *codes, size_t i) {
  static const char *const allowed[] = {"code", "nl", "en", "export_as", NULL};
  const json_t *e = json_array_get(codes, i);
  char path[60];
  int64_t code, other;
  snprintf(path, sizeof path, "codes[%zu]", i);
  if (!json_is_object(e)) {
    complain(c, path, "is no object; {\"code\": …, \"nl\": …, \"en\": …} is needed");
    return;
  }
  check_keys(c, e, allowed);
  snprintf(path, sizeof path, "codes[%zu].code", i);
  if (take_int(c, json_object_get(e, "code"), path, -1000, 32767, &code)) {
    if (is_missing_code(code))
      complain(c, path, "is %" PRId64 ", a missing code; list it under missing", code);
    for (size_t j = 0; j < i; j++)
      if (json_integer_value(json_object_get(json_array_get(codes, j), "code")) == code &&
          json_object_get(json_array_get(codes, j), "code"))
        complain(c, path, "repeats %" PRId64 " of codes[%zu]", code, j);
  }
  check_code_labels(c, codes, i, "nl");
  check_code_labels(c, codes, i, "en");
  snprintf(path, sizeof path, "codes[%zu].export_as", i);
  if (json_object_get(e, "export_as") &&
      take_int(c, json_object_get(e, "export_as"), path, -1000, 32767, &other) && !code_listed(codes, other))
    complain(c, path, "is %" PRId64 ", which is no code of this list", other);
}

static void check_codes(checker *c, const json_t *f) {
  const json_t *codes = json_object_get(f, "codes");
  size_t n = json_array_size(codes);
  if (!codes) return;
  if (!json_is_array(codes) || n < 1 || n > OV_SCHEMA_CODES_MAX) {
    complain(c, "codes", "is no list of 1 to %u codes", OV_SCHEMA_CODES_MAX);
    return;
  }
  for (size_t i = 0; i < n; i++) check_code(c, codes, i);
}

static void check_missing(checker *c, const json_t *f) {
  const json_t *m = json_object_get(f, "missing");
  size_t n = json_array_size(m);
  if (!m) return;
  if (!json_is_array(m) || n < 1 || n > 3) {
    complain(c, "missing", "is no list of 1 to 3 codes");
    return;
  }
  for (size_t i = 0; i < n; i++) {
    const json_t *v = json_array_get(m, i);
    if (!json_is_integer(v) || !is_missing_code(json_integer_value(v)))
      complain(c, "missing", "has an entry that is none of -97 (suppressed), -98 (not asked), -99 (unknown)");
    else if (i && json_integer_value(v) >= json_integer_value(json_array_get(m, i - 1)))
      complain(c, "missing", "must descend without repeating: -97, -98, -99");
  }
}

static bool value_possible(const json_t *f, int64_t v) {
  const json_t *missing = json_object_get(f, "missing"), *range = json_object_get(f, "range");
  for (size_t i = 0; i < json_array_size(missing); i++)
    if (json_integer_value(json_array_get(missing, i)) == v) return true;
  switch (field_type(f)) {
  case OV_F_CODE: return code_listed(json_object_get(f, "codes"), v);
  case OV_F_BOOL: return v == 0 || v == 1;
  default:
    return v >= json_integer_value(json_array_get(range, 0)) &&
           v <= json_integer_value(json_array_get(range, 1));
  }
}

static void check_condition(checker *c, const json_t *root, const json_t *f, const json_t *cond,
                            const char *path) {
  static const char *const allowed[] = {"field", "in", "not_in", NULL};
  if (!json_is_object(cond)) {
    complain(c, path, "is no object; {\"field\": …, \"in\": […]} is needed");
    return;
  }
  check_keys(c, cond, allowed);
  const char *name = json_string_value(json_object_get(cond, "field"));
  const json_t *other = name ? field_by_name(root, name) : NULL;
  int type = other ? field_type(other) : -1;
  const json_t *in = json_object_get(cond, "in"), *not_in = json_object_get(cond, "not_in"),
               *list = in ? in : not_in;
  if (!other || other == f)
    complain(c, path, "names '%s', which is %s", name ? name : "", other ? "the field itself" : "no field");
  else if (type != OV_F_CODE && type != OV_F_BOOL && type != OV_F_INT)
    complain(c, path, "names '%s'; only a field of type code, bool or int can decide", name);
  if (!in == !not_in) complain(c, path, "needs either in or not_in");
  else if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > OV_SCHEMA_CODES_MAX)
    complain(c, path, "has no list of 1 to %u values", OV_SCHEMA_CODES_MAX);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *v = json_array_get(list, i);
    if (!json_is_integer(v)) complain(c, path, "has a value that is no whole number");
    else if (type >= 0 && other != f && !value_possible(other, json_integer_value(v)))
      complain(c, path, "compares with %" JSON_INTEGER_FORMAT ", which '%s' can never be",
               json_integer_value(v), name);
  }
}

static void check_required(checker *c, const json_t *root, const json_t *f) {
  bool required = take_bool(c, f, "required", false);
  const json_t *conds = json_object_get(f, "required_if");
  char path[60];
  if (!conds) return;
  if (required) complain(c, "required_if", "says nothing when required is true");
  if (!json_is_array(conds) || !json_array_size(conds) || json_array_size(conds) > SCHEMA_CONDITIONS_MAX) {
    complain(c, "required_if", "is no list of 1 to %u conditions", SCHEMA_CONDITIONS_MAX);
    return;
  }
  for (size_t i = 0; i < json_array_size(conds); i++) {
    snprintf(path, sizeof path, "required_if[%zu]", i);
    check_condition(c, root, f, json_array_get(conds, i), path);
  }
}

static void check_exported(checker *c, const json_t *f, int type, const char *name) {
  if (!take_bool(c, f, "exported", false)) return;
  if (type == OV_F_TEXT || type == OV_F_BYTES || type == OV_F_SCOPESET || type == OV_F_REFSET)
    complain(c, "exported", "is true; type %s is never exported", SCHEMA_TYPES[type]);
  if (name && list_index(RESERVED, name) >= 0)
    complain(c, "name", "'%s' is a word of a statistics package; an exported field needs another name", name);
}

static void check_field(checker *c, const json_t *root, const json_t *f) {
  static const char *const allowed[] = {"id",       "name",        "type",    "label",    "help",
                                        "required", "required_if", "range",   "unit",     "max_length",
                                        "ref",      "codes",       "missing", "exported", NULL};
  char names[160];
  int64_t length;
  check_keys(c, f, allowed);
  const char *name = json_string_value(json_object_get(f, "name"));
  const char *type_name = json_string_value(json_object_get(f, "type"));
  int type = field_type(f);
  check_label(c, json_object_get(f, "label"), "label");
  if (json_object_get(f, "help")) check_label(c, json_object_get(f, "help"), "help");
  if (name && list_index(RESERVED, name) >= 0 && list_index(RESERVED, name) < 4)
    complain(c, "name", "'%s' is part of every op's header; a field needs another name", name);
  if (type < 0) {
    complain(c, "type", "is '%s'; %s is allowed", type_name ? type_name : "missing",
             list_text(SCHEMA_TYPES, names, sizeof names));
    return;
  }
  check_keys_of_type(c, f, type);
  check_range(c, f);
  check_codes(c, f);
  check_missing(c, f);
  check_required(c, root, f);
  check_exported(c, f, type, name);
  if (json_object_get(f, "unit")) take_text(c, json_object_get(f, "unit"), "unit", 16);
  if (json_object_get(f, "max_length"))
    take_int(c, json_object_get(f, "max_length"), "max_length", 1, OV_TEXT_BYTES_MAX, &length);
  if (json_object_get(f, "ref")) take_text(c, json_object_get(f, "ref"), "ref", OV_FIELD_NAME_MAX);
}

static bool retired(const json_t *root, int64_t id) {
  const json_t *list = json_object_get(root, "retired");
  for (size_t i = 0; i < json_array_size(list); i++)
    if (json_integer_value(json_array_get(list, i)) == id) return true;
  return false;
}

/* Id and name of a field among the others; returns the id, or 0. */
static int64_t check_place(checker *c, const json_t *root, const json_t *fields, size_t i,
                           int64_t id_before) {
  const json_t *f = json_array_get(fields, i);
  const char *name = take_text(c, json_object_get(f, "name"), "name", OV_FIELD_NAME_MAX);
  int64_t id;
  if (name) check_name(c, name, "name");
  for (size_t j = 0; name && j < i; j++) {
    const char *earlier = json_string_value(json_object_get(json_array_get(fields, j), "name"));
    if (earlier && !strcmp(earlier, name)) complain(c, "name", "repeats the name of fields[%zu]", j);
  }
  if (!take_int(c, json_object_get(f, "id"), "id", 2, SCHEMA_FIELD_ID_LAST, &id)) return id_before;
  if (id <= id_before)
    complain(c, "id", "is %" PRId64 " after %" PRId64 "; ids must ascend and never repeat", id, id_before);
  if (retired(root, id)) complain(c, "id", "is %" PRId64 ", which is retired; an id is never used again", id);
  return id;
}

static void check_retired(checker *c, const json_t *root) {
  const json_t *list = json_object_get(root, "retired");
  int64_t id;
  if (list && !json_is_array(list)) complain(c, "retired", "is no list of field ids");
  for (size_t i = 0; i < json_array_size(list); i++)
    take_int(c, json_array_get(list, i), "retired", 2, SCHEMA_FIELD_ID_LAST, &id);
}

void check_fields(checker *c, const json_t *root) {
  const json_t *fields = json_object_get(root, "fields");
  size_t n = json_array_size(fields);
  int64_t id = 1;
  char where[80];
  check_retired(c, root);
  if (!json_is_array(fields) || n < 1 || n >= OV_OP_FIELDS_MAX) {
    complain(c, "fields", "is no list of 1 to %u fields", OV_OP_FIELDS_MAX - 1);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    const json_t *f = json_array_get(fields, i);
    const char *name = json_string_value(json_object_get(f, "name"));
    snprintf(where, sizeof where, "fields[%zu]%s%.*s", i, name ? " " : "", (int)OV_FIELD_NAME_MAX,
             name ? name : "");
    c->field = where;
    if (!json_is_object(f)) {
      complain(c, NULL, "is no object");
    } else {
      id = check_place(c, root, fields, i, id);
      check_field(c, root, f);
    }
    c->field = NULL;
  }
}
