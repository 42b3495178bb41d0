/* Reads a packed kind (layout: ov/schema.h), saying exactly what is wrong and where. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schema_parts.h"

void ov_loader_refuse(ov_loader *l, int err, const char *fmt, ...) {
  if (l->err) return;
  l->err = err;
  ov_mpr_fail(&l->r, err);
  if (!l->why) return;
  size_t n = 0, cap = OV_ERROR_TEXT_MAX;
  const ov_skind *k = l->kind;
  if (k->id)
    n += (size_t)snprintf(l->why, cap, "kind %d%s%s", k->id, k->name ? " " : "", k->name ? k->name : "");
  if (l->field) n += (size_t)snprintf(l->why + n, cap - n, ", field %d", l->field->id);
  if (l->field && l->field->name) n += (size_t)snprintf(l->why + n, cap - n, " %s", l->field->name);
  if (n) n += (size_t)snprintf(l->why + n, cap - n, ": ");
  va_list args;
  va_start(args, fmt);
  vsnprintf(l->why + n, cap - n, fmt, args);
  va_end(args);
}

static int64_t take_int(ov_loader *l, const char *what, int64_t lo, int64_t hi) {
  int64_t v = ov_mpr_int(&l->r);
  if (l->r.err) ov_loader_refuse(l, OV_E_FORMAT, "%s must be a whole number", what);
  else if (v < lo || v > hi)
    ov_loader_refuse(l, OV_E_FORMAT, "%s is %lld; allowed are %lld to %lld", what, (long long)v,
                     (long long)lo, (long long)hi);
  return l->err ? 0 : v;
}

static bool take_bool(ov_loader *l, const char *what) {
  bool v = ov_mpr_bool(&l->r);
  if (l->r.err) ov_loader_refuse(l, OV_E_FORMAT, "%s must be true or false", what);
  return v;
}

/* Texts end with a zero byte in memory; control characters have no place in a label. */
static const char *take_text(ov_loader *l, const char *what, uint32_t max) {
  uint32_t n;
  const uint8_t *p = ov_mpr_str(&l->r, &n);
  if (l->r.err) ov_loader_refuse(l, OV_E_FORMAT, "%s must be a text", what);
  else if (n == 0 || n > max)
    ov_loader_refuse(l, OV_E_FORMAT, "%s has %u bytes; allowed are 1 to %u", what, n, max);
  for (uint32_t i = 0; !l->err && i < n; i++)
    if (p[i] < 0x20 || p[i] == 0x7f) ov_loader_refuse(l, OV_E_FORMAT, "%s holds a control character", what);
  if (l->err) return NULL;
  char *s = ov_arena_alloc(l->a, n + 1u);
  if (s) memcpy(s, p, n);
  else ov_loader_refuse(l, OV_E_NOMEM, "no memory");
  return s;
}

static const char *take_text_or_nil(ov_loader *l, const char *what) {
  return ov_mpr_nil(&l->r) ? NULL : take_text(l, what, OV_LABEL_BYTES_MAX);
}

static const char *take_name(ov_loader *l) {
  const char *s = take_text(l, "name", OV_FIELD_NAME_MAX);
  if (s && (s[0] < 'a' || s[0] > 'z' || s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")]))
    ov_loader_refuse(l, OV_E_FORMAT, "name may hold a-z, 0-9 and _, and starts with a letter");
  return s;
}

/* Length of a list and its memory; 0 after an error. */
static void *take_list(ov_loader *l, const char *what, uint32_t max, size_t size, uint32_t *n) {
  *n = ov_mpr_array(&l->r);
  if (l->r.err) ov_loader_refuse(l, OV_E_FORMAT, "%s must be a list", what);
  else if (*n > max) ov_loader_refuse(l, OV_E_LIMIT, "%s has %u entries, at most %u", what, *n, max);
  void *p = l->err ? NULL : ov_arena_array(l->a, *n, size);
  if (!p) {
    ov_loader_refuse(l, OV_E_NOMEM, "no memory");
    *n = 0;
  }
  return p;
}

static void take_tuple(ov_loader *l, const char *what, uint32_t n) {
  ov_mpr_array_of(&l->r, n);
  if (l->r.err) ov_loader_refuse(l, OV_E_FORMAT, "%s must be a list of %u parts", what, n);
}

static const int32_t *take_codes(ov_loader *l, const char *what, uint32_t *n) {
  int32_t *codes = take_list(l, what, OV_SCHEMA_CODES_MAX, sizeof *codes, n);
  for (uint32_t i = 0; i < *n; i++) codes[i] = (int32_t)take_int(l, what, INT32_MIN, INT32_MAX);
  return codes;
}

static void take_conditions(ov_loader *l, ov_sfield *f) {
  ov_reqif *c = take_list(l, "required_if", OV_SCHEMA_CONDITIONS_MAX, sizeof *c, &f->n_reqif);
  f->reqif = c;
  for (uint32_t i = 0; i < f->n_reqif; i++) {
    take_tuple(l, "a condition of required_if", 3);
    c[i].field = (uint16_t)take_int(l, "required_if's field", OV_FIELD_RETRACTED + 1, OV_FIELD_ID_MAX);
    c[i].negate = take_bool(l, "required_if's negate");
    c[i].codes = take_codes(l, "required_if's codes", &c[i].n);
  }
}

static bool take_bound(ov_loader *l, const char *what, int64_t *v) {
  if (ov_mpr_nil(&l->r)) return false;
  *v = take_int(l, what, INT64_MIN, INT64_MAX);
  return true;
}

static void take_code_list(ov_loader *l, ov_sfield *f) {
  ov_code *c = take_list(l, "codes", OV_SCHEMA_CODES_MAX, sizeof *c, &f->n_codes);
  f->codes = c;
  for (uint32_t i = 0; i < f->n_codes; i++) {
    take_tuple(l, "a code", 3);
    c[i].code = (int32_t)take_int(l, "a code", INT32_MIN, INT32_MAX);
    c[i].nl = take_text(l, "a code's Dutch label", OV_LABEL_BYTES_MAX);
    c[i].en = take_text(l, "a code's English label", OV_LABEL_BYTES_MAX);
  }
}

/* PROTO-151 */
static void take_field(ov_loader *l, ov_sfield *f) {
  take_tuple(l, "a field", 17);
  f->id = (uint16_t)take_int(l, "a field's id", OV_FIELD_RETRACTED + 1, OV_FIELD_ID_MAX);
  l->field = f;
  f->name = take_name(l);
  f->type = (ov_ftype)take_int(l, "type", 0, OV_F_COUNT - 1);
  f->nl = take_text(l, "the Dutch label", OV_LABEL_BYTES_MAX);
  f->en = take_text(l, "the English label", OV_LABEL_BYTES_MAX);
  f->required = take_bool(l, "required");
  take_conditions(l, f);
  f->has_lo = take_bound(l, "the lowest value", &f->lo);
  f->has_hi = take_bound(l, "the highest value", &f->hi);
  f->max_length = (uint32_t)take_int(l, "max_length", 0, OV_TEXT_BYTES_MAX);
  f->unit = take_text_or_nil(l, "unit");
  f->exported = take_bool(l, "exported");
  f->ref = (uint16_t)take_int(l, "ref", 0, OV_KIND_ID_MAX);
  take_code_list(l, f);
  f->missing = take_codes(l, "missing", &f->n_missing);
  f->help_nl = take_text_or_nil(l, "the Dutch help");
  f->help_en = take_text_or_nil(l, "the English help");
  if (!l->err) l->field = NULL;
}

static void take_natural_key(ov_loader *l, ov_skind *k) {
  uint16_t *key = take_list(l, "natural_key", OV_NATURAL_KEY_PARTS_MAX, sizeof *key, &k->n_natural_key);
  k->natural_key = key;
  for (uint32_t i = 0; i < k->n_natural_key; i++)
    key[i] = (uint16_t)take_int(l, "natural_key", 0, OV_FIELD_ID_MAX);
}

/* PROTO-150 */
static void take_kind(ov_loader *l) {
  ov_skind *k = l->kind;
  take_tuple(l, "a kind", 11);
  k->id = (uint16_t)take_int(l, "a kind's id", OV_KIND_SCHEMA + 1, OV_KIND_ID_MAX);
  k->name = take_name(l);
  k->version = (uint16_t)take_int(l, "version", 1, UINT16_MAX);
  k->scope = (uint8_t)take_int(l, "scope", 0, 2);
  k->participant = (ov_pmode)take_int(l, "participant", OV_P_NONE, OV_P_SELF);
  k->windowed = take_bool(l, "windowed");
  k->occurred = (uint16_t)take_int(l, "occurred", 0, OV_FIELD_ID_MAX);
  take_natural_key(l, k);
  k->nl = take_text(l, "the Dutch label", OV_LABEL_BYTES_MAX);
  k->en = take_text(l, "the English label", OV_LABEL_BYTES_MAX);
  ov_sfield *fields = take_list(l, "fields", OV_OP_FIELDS_MAX, sizeof *fields, &k->n_fields);
  k->fields = fields;
  for (uint32_t i = 0; i < k->n_fields && !l->err; i++) take_field(l, &fields[i]);
}

int ov_schema_read(ov_loader *l, const uint8_t *p, size_t n) {
  if (n > OV_SCHEMA_BYTES_MAX) {
    ov_loader_refuse(l, OV_E_LIMIT, "a kind of %zu bytes, at most %u", n, OV_SCHEMA_BYTES_MAX);
    return l->err;
  }
  int err = ov_mp_prescan(p, n, n);
  if (err) {
    ov_loader_refuse(l, err, "not one MessagePack object");
    return l->err;
  }
  ov_mpr_init_scanned(&l->r, p, n);
  take_kind(l);
  if (!l->err) ov_schema_check_kind(l);
  return l->err;
}
