/* Values to text: ready to show in two languages, and as people would type them. */
#include <stdio.h>
#include <string.h>

#include "oc_text.h"

static const struct {
  const char *unit, *en, *nl;
} units[] = {{"min", "min", "min"}, {"day", "days", "dagen"}, {"year", "years", "jaar"}};

static const char *unit_word(const char *unit, bool dutch) {
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (!strcmp(units[i].unit, unit)) return dutch ? units[i].nl : units[i].en;
  }
  return unit;
}

static const char *copy(ov_arena *a, const char *text) { return oc_fmt(a, "%s", text); }

static const char *code_label(const ov_sfield *f, int64_t code, bool dutch) {
  for (uint32_t i = 0; i < f->n_codes; i++) {
    if (f->codes[i].code == code) return dutch ? f->codes[i].nl : f->codes[i].en;
  }
  return NULL;
}

static bool is_missing(const ov_sfield *f, int64_t code) {
  for (uint32_t i = 0; i < f->n_missing; i++) {
    if (f->missing[i] == code) return oc_missing_word(code, false) != NULL;
  }
  return false;
}

static const char *number_text(const oc_text_env *env, const ov_sfield *f, int64_t v, bool dutch) {
  char out[OC_MOMENT_TEXT];
  const char *label = code_label(f, v, dutch);
  if (label) return copy(env->a, label);
  if (is_missing(f, v)) return copy(env->a, oc_missing_word(v, dutch));
  switch (f->type) {
  case OV_F_BOOL: return copy(env->a, v ? (dutch ? "ja" : "yes") : (dutch ? "nee" : "no"));
  case OV_F_DATE: oc_date_text(v, dutch, out); return copy(env->a, out);
  case OV_F_DATETIME: oc_moment_text(env->zone, v, dutch, out); return copy(env->a, out);
  case OV_F_SCOPESET: {
    const char *team = v >= 0 && v <= UINT32_MAX ? env->team_label(env->ctx, (uint32_t)v) : "";
    return team && !*team ? oc_fmt(env->a, "team %lld", (long long)v) : team;
  }
  default:
    if (f->unit) return oc_fmt(env->a, "%lld %s", (long long)v, unit_word(f->unit, dutch));
    return oc_fmt(env->a, "%lld", (long long)v);
  }
}

static const char *bytes_text(const oc_text_env *env, const ov_sfield *f, const ov_value *v) {
  if (!f || (f->type != OV_F_REF && f->type != OV_F_REFSET) || v->s.n != OV_NAME_BYTES)
    return oc_fmt(env->a, "%u bytes", v->s.n);
  ov_name name;
  char id[OV_NAME_TEXT_MAX];
  ov_name_read(v->s.p, &name);
  const char *label = env->label(env->ctx, &name);
  if (!label || *label) return label;
  ov_name_text(&name, id);
  return copy(env->a, id);
}

const char *oc_value_text(const oc_text_env *env, const ov_sfield *f, const ov_value *v, bool dutch) {
  switch (v->type) {
  case OV_V_INT: return f ? number_text(env, f, v->i, dutch) : oc_fmt(env->a, "%lld", (long long)v->i);
  case OV_V_TEXT: return oc_fmt(env->a, "%.*s", (int)v->s.n, (const char *)v->s.p);
  case OV_V_BYTES: return bytes_text(env, f, v);
  default: return dutch ? "(leeg)" : "(empty)";
  }
}

const char *oc_value_raw(const oc_text_env *env, const ov_sfield *f, const ov_value *v) {
  char out[OC_MOMENT_TEXT];
  ov_name name;
  switch (v->type) {
  case OV_V_INT:
    if (f && !is_missing(f, v->i) && f->type == OV_F_DATE) oc_date_text(v->i, false, out);
    else if (f && !is_missing(f, v->i) && f->type == OV_F_DATETIME) oc_moment_raw(env->zone, v->i, out);
    else snprintf(out, sizeof out, "%lld", (long long)v->i);
    return copy(env->a, out);
  case OV_V_TEXT: return oc_fmt(env->a, "%.*s", (int)v->s.n, (const char *)v->s.p);
  case OV_V_BYTES:
    if (!f || (f->type != OV_F_REF && f->type != OV_F_REFSET) || v->s.n != OV_NAME_BYTES) return "";
    ov_name_read(v->s.p, &name);
    char id[OV_NAME_TEXT_MAX];
    ov_name_text(&name, id);
    return copy(env->a, id);
  default: return "";
  }
}
