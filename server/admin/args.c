/* The request against its command's table: unknown keys, wrong types and missing arguments are told
 * exactly. */
#include <string.h>

#include "admin_priv.h"

const char *arg_text(const adm *m, const char *name) {
  const char *text = json_string_value(json_object_get(m->req, name));
  return text && *text ? text : NULL;
}

bool arg_flag(const adm *m, const char *name) { return json_is_true(json_object_get(m->req, name)); }

int64_t arg_int(const adm *m, const char *name, int64_t otherwise) {
  const json_t *v = json_object_get(m->req, name);
  return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

size_t arg_count(const adm *m, const char *name) { return json_array_size(json_object_get(m->req, name)); }

const char *arg_at(const adm *m, const char *name, size_t i) {
  return json_string_value(json_array_get(json_object_get(m->req, name), i));
}

static const sv_admin_arg *arg_of(const sv_admin_command *c, const char *name) {
  for (unsigned i = 0; i < SV_ADMIN_ARGS_MAX && c->args[i].name; i++) {
    if (!strcmp(c->args[i].name, name)) return &c->args[i];
  }
  return NULL;
}

static bool strings(const json_t *v) {
  if (!json_is_array(v)) return false;
  for (size_t i = 0; i < json_array_size(v); i++) {
    if (!json_is_string(json_array_get(v, i))) return false;
  }
  return true;
}

static bool fits(const sv_admin_arg *a, const json_t *v) {
  switch (a->type) {
  case SV_ARG_FLAG: return json_is_boolean(v);
  case SV_ARG_INT: return json_is_integer(v);
  case SV_ARG_LIST:
  case SV_ARG_FIELDS: return strings(v);
  default: return json_is_string(v);
  }
}

static const char *const wanted[] = {[SV_ARG_TEXT] = "a text",
                                     [SV_ARG_LIST] = "a list of texts",
                                     [SV_ARG_FLAG] = "true or false",
                                     [SV_ARG_INT] = "a whole number",
                                     [SV_ARG_FIELDS] = "a list of field=value",
                                     [SV_ARG_PATH] = "a path"};

static bool given(const adm *m, const sv_admin_arg *a) {
  const json_t *v = json_object_get(m->req, a->name);
  if (json_is_string(v)) return json_string_length(v) > 0;
  if (json_is_array(v)) return json_array_size(v) > 0;
  return v != NULL;
}

int args_check(adm *m) {
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)m->req, key, v) {
    if (!strcmp(key, "cmd")) continue;
    const sv_admin_arg *a = arg_of(m->cmd, key);
    if (!a) return adm_fail(m, OV_E_INVALID, "see --help", "%s has no argument \"%.60s\"", m->cmd->name, key);
    if (!fits(a, v))
      return adm_fail(m, OV_E_INVALID, "see --help", "%s: \"%s\" takes %s", m->cmd->name, key,
                      wanted[a->type]);
    if (a->type == SV_ARG_PATH && *json_string_value(v) != '/') {
      return adm_fail(m, OV_E_INVALID, NULL, "%s: \"%s\" must be an absolute path", m->cmd->name, key);
    }
  }
  for (unsigned i = 0; i < SV_ADMIN_ARGS_MAX && m->cmd->args[i].name; i++) {
    const sv_admin_arg *a = &m->cmd->args[i];
    if (a->required && !given(m, a)) {
      return adm_fail(m, OV_E_INVALID, "see --help", "%s: \"%s\" is missing (%s)", m->cmd->name, a->name,
                      a->help);
    }
  }
  return 0;
}
