/* Checks of one schema file at the level of the kind, and the helpers that word what is wrong. */
#include "schema_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const SCHEMA_TYPES[] = {"int",  "bool", "code",   "codeset",  "date",  "datetime",
                                    "text", "ref",  "refset", "scopeset", "bytes", NULL};
const char *const SCHEMA_SCOPES[] = {"programme", "organisation", "team", NULL};
const char *const SCHEMA_PARTICIPANTS[] = {"none", "optional", "required", "self", NULL};

bool complain(checker *c, const char *key, const char *fmt, ...) {
  char where[160], text[400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  snprintf(where, sizeof where, "%s%s%s", c->field ? c->field : "", c->field && key ? ": " : "",
           key ? key : "");
  c->problems++;
  if (c->report) c->report(c->ctx, c->file, where, text);
  return false;
}

int list_index(const char *const *list, const char *text) {
  for (int i = 0; list[i]; i++)
    if (!strcmp(list[i], text)) return i;
  return -1;
}

const char *list_text(const char *const *list, char *out, size_t cap) {
  size_t n = 0;
  out[0] = '\0';
  for (int i = 0; list[i] && n < cap; i++) {
    const char *sep = i == 0 ? "" : list[i + 1] ? ", " : " or ";
    int w = snprintf(out + n, cap - n, "%s%s", sep, list[i]);
    n += w > 0 ? (size_t)w : 0;
  }
  return out;
}

void check_keys(checker *c, const json_t *object, const char *const *allowed) {
  const char *key;
  json_t *v;
  char names[300];
  json_object_foreach((json_t *)object, key, v) if (list_index(allowed, key) < 0)
      complain(c, key, "unknown key; allowed are %s", list_text(allowed, names, sizeof names));
}

bool take_int(checker *c, const json_t *v, const char *key, int64_t lo, int64_t hi, int64_t *out) {
  *out = 0;
  if (!v)
    return complain(c, key, "is missing; a whole number from %" PRId64 " to %" PRId64 " is needed", lo, hi);
  if (!json_is_integer(v))
    return complain(c, key, "is no whole number; %" PRId64 " to %" PRId64 " is allowed", lo, hi);
  int64_t i = json_integer_value(v);
  if (i < lo || i > hi)
    return complain(c, key, "is %" PRId64 "; %" PRId64 " to %" PRId64 " is allowed", i, lo, hi);
  *out = i;
  return true;
}

const char *take_text(checker *c, const json_t *v, const char *key, size_t max) {
  if (!json_is_string(v)) {
    complain(c, key, v ? "is no text" : "is missing; a text is needed");
    return NULL;
  }
  const char *s = json_string_value(v);
  size_t n = json_string_length(v);
  if (!n || n > max) {
    complain(c, key, "has %zu bytes; 1 to %zu are allowed", n, max);
    return NULL;
  }
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
      complain(c, key, "has a control character at byte %zu; none is allowed", i + 1);
      return NULL;
    }
  return s;
}

bool take_bool(checker *c, const json_t *object, const char *key, bool absent) {
  const json_t *v = json_object_get(object, key);
  if (v && !json_is_boolean(v)) complain(c, key, "is neither true nor false");
  return v ? json_is_true(v) : absent;
}

void check_label(checker *c, const json_t *v, const char *key) {
  static const char *const allowed[] = {"nl", "en", NULL};
  char path[80];
  if (!json_is_object(v)) {
    complain(c, key,
             v ? "is no object; {\"nl\": …, \"en\": …} is needed"
               : "is missing; {\"nl\": …, \"en\": …} is needed");
    return;
  }
  check_keys(c, v, allowed);
  for (int i = 0; allowed[i]; i++) {
    snprintf(path, sizeof path, "%s.%s", key, allowed[i]);
    take_text(c, json_object_get(v, allowed[i]), path, OV_LABEL_BYTES_MAX);
  }
}

bool check_name(checker *c, const char *name, const char *key) {
  size_t n = strlen(name);
  size_t legal = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
  if (n < 1 || n > OV_FIELD_NAME_MAX || legal != n || name[0] < 'a')
    return complain(c, key, "'%.60s' is no legal name; 1 to %u of a-z, 0-9 and _ are allowed, a letter first",
                    name, OV_FIELD_NAME_MAX);
  return true;
}

static void check_identity(checker *c, const json_t *root) {
  static const struct {
    const char *name;
    int id;
  } fixed[] = {{"organisation", OV_KIND_ORGANISATION},
               {"team", OV_KIND_TEAM},
               {"person", OV_KIND_PERSON},
               {"device", OV_KIND_DEVICE},
               {"participant", OV_KIND_PARTICIPANT},
               {"ruling", OV_KIND_RULING},
               {"schema", OV_KIND_SCHEMA}};
  int64_t id, version;
  const char *kind = take_text(c, json_object_get(root, "kind"), "kind", OV_FIELD_NAME_MAX);
  bool id_ok = take_int(c, json_object_get(root, "id"), "id", 2, OV_KIND_ID_MAX, &id);
  take_int(c, json_object_get(root, "version"), "version", 1, UINT16_MAX, &version);
  if (!kind || !check_name(c, kind, "kind")) return;
  size_t n = strlen(kind);
  if (strncmp(c->file, kind, n) != 0 || strcmp(c->file + n, ".json") != 0)
    complain(c, "kind", "is '%s'; then the file must be called %s.json", kind, kind);
  for (size_t i = 0; id_ok && i < sizeof fixed / sizeof *fixed; i++)
    if (!strcmp(fixed[i].name, kind) != (fixed[i].id == id))
      complain(c, "id", "is %" PRId64 " for '%s'; %d belongs to kind %s, always", id, kind, fixed[i].id,
               fixed[i].name);
}

static int take_choice(checker *c, const json_t *root, const char *key, const char *const *list) {
  char names[120];
  const char *s = json_string_value(json_object_get(root, key));
  int i = s ? list_index(list, s) : -1;
  if (i < 0)
    complain(c, key, "%s%s%s; %s is allowed", s ? "is '" : "is no text", s ? s : "", s ? "'" : "",
             list_text(list, names, sizeof names));
  return i;
}

static void check_occurred(checker *c, const json_t *root, bool windowed) {
  const json_t *v = json_object_get(root, "occurred");
  const char *s = json_string_value(v);
  if (v && !s) complain(c, "occurred", "is no text; the name of a date or datetime field is needed");
  if (!v && windowed) complain(c, "occurred", "is missing; a windowed kind needs it");
  if (!s) return;
  const json_t *f = field_by_name(root, s);
  int type = f ? field_type(f) : -1;
  if (type != OV_F_DATE && type != OV_F_DATETIME)
    complain(c, "occurred", "names '%s', which is %s; a field of type date or datetime is needed", s,
             f ? "of another type" : "no field");
}

static void check_key_part(checker *c, const json_t *root, const json_t *key, size_t i, int participant) {
  char path[40];
  snprintf(path, sizeof path, "natural_key[%zu]", i);
  const char *s = json_string_value(json_array_get(key, i));
  if (!s) {
    complain(c, path, "is no text; a field's name or 'participant' is needed");
    return;
  }
  for (size_t j = 0; j < i; j++) {
    const char *earlier = json_string_value(json_array_get(key, j));
    if (earlier && !strcmp(earlier, s)) complain(c, path, "repeats '%s'", s);
  }
  if (!strcmp(s, "participant")) {
    if (participant == OV_P_NONE)
      complain(c, path, "names the participant, but records of this kind have none");
    return;
  }
  const json_t *f = field_by_name(root, s);
  int type = f ? field_type(f) : -1;
  if (!f) complain(c, path, "names '%s', which is no field", s);
  else if (type == OV_F_CODESET || type == OV_F_REFSET || type == OV_F_SCOPESET)
    complain(c, path, "names '%s', which is a set; sets are no part of a key", s);
}

static void check_natural_key(checker *c, const json_t *root, int participant) {
  const json_t *key = json_object_get(root, "natural_key");
  if (!key) return;
  size_t n = json_array_size(key);
  if (!json_is_array(key) || n < 1 || n > SCHEMA_KEY_PARTS_MAX) {
    complain(c, "natural_key", "is no list of 1 to %u names", SCHEMA_KEY_PARTS_MAX);
    return;
  }
  for (size_t i = 0; i < n; i++) check_key_part(c, root, key, i, participant);
}

/* Every log kind carries the same envelope under the same ids, so that exports and forms treat all kinds
 * alike. */
static void check_envelope(checker *c, const json_t *root, int scope, int participant) {
  static const struct {
    const char *name;
    int id;
    ov_ftype type;
  } parts[] = {{"project", 2, OV_F_REF}, {"phase", 3, OV_F_CODE}, {"note", 5, OV_F_TEXT}};
  if (scope != 2 || participant != OV_P_REQUIRED)
    complain(c, "log", "is true; then scope must be team and participant required");
  if (!json_object_get(root, "occurred")) complain(c, "log", "is true; then occurred must name a field");
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const json_t *f = field_by_name(root, parts[i].name);
    if (!f || json_integer_value(json_object_get(f, "id")) != parts[i].id ||
        field_type(f) != (int)parts[i].type)
      complain(c, "log", "is true; then field %d must be '%s' of type %s", parts[i].id, parts[i].name,
               SCHEMA_TYPES[parts[i].type]);
  }
}

void check_kind(checker *c, const json_t *root) {
  static const char *const allowed[] = {"kind",        "id",          "version", "label",    "help",
                                        "scope",       "participant", "log",     "windowed", "occurred",
                                        "natural_key", "retired",     "fields",  NULL};
  if (!json_is_object(root)) {
    complain(c, NULL, "is no JSON object");
    return;
  }
  check_keys(c, root, allowed);
  check_identity(c, root);
  check_label(c, json_object_get(root, "label"), "label");
  if (json_object_get(root, "help")) check_label(c, json_object_get(root, "help"), "help");
  int scope = take_choice(c, root, "scope", SCHEMA_SCOPES);
  int participant = take_choice(c, root, "participant", SCHEMA_PARTICIPANTS);
  if (participant >= OV_P_REQUIRED && scope >= 0 && scope != 2)
    complain(c, "scope", "is %s; records about a participant stay in scope team", SCHEMA_SCOPES[scope]);
  bool windowed = take_bool(c, root, "windowed", false);
  check_fields(c, root);
  check_occurred(c, root, windowed);
  check_natural_key(c, root, participant);
  if (take_bool(c, root, "log", false)) check_envelope(c, root, scope, participant);
}
