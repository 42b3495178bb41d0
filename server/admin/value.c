/* Values as people type them, and back. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "admin_priv.h"

const ov_sfield *value_field(const ov_skind *k, const char *name, size_t n) {
  for (uint32_t i = 0; i < k->n_fields; i++) {
    if (strlen(k->fields[i].name) == n && !memcmp(k->fields[i].name, name, n)) return &k->fields[i];
  }
  return NULL;
}

static int refuse(adm *m, const ov_sfield *f, const char *text, const char *wants) {
  return adm_fail(m, OV_E_INVALID, NULL, "%s=%.80s: %s must be %s", f->name, text, f->en, wants);
}

/* -- single values ----------------------------------------------------------------------- */

static int parse_int(adm *m, const ov_sfield *f, const char *text, ov_value *out) {
  char *end;
  long long v = strtoll(text, &end, 10);
  if (!*text || *end) return refuse(m, f, text, "a whole number");
  *out = ov_int(v);
  return 0;
}

static int parse_bool(adm *m, const ov_sfield *f, const char *text, ov_value *out) {
  static const char *const yes[] = {"1", "yes", "ja", "true"}, *const no[] = {"0", "no", "nee", "false"};
  for (unsigned i = 0; i < 4; i++) {
    if (!strcasecmp(text, yes[i])) *out = ov_int(1);
    else if (!strcasecmp(text, no[i])) *out = ov_int(0);
    else continue;
    return 0;
  }
  return refuse(m, f, text, "yes or no");
}

static void list_codes(const ov_sfield *f, char *out, size_t n) {
  size_t used = (size_t)snprintf(out, n, "one of");
  for (uint32_t i = 0; i < f->n_codes && used < n; i++) {
    used += (size_t)snprintf(out + used, n - used, "%s %d (%s)", i ? "," : "", f->codes[i].code,
                             f->codes[i].en);
  }
}

/* Case does not matter, and a typed hyphen is the dash of a label. */
static bool same_label(const char *label, const char *text) {
  static const char dash[] = "\xe2\x80\x93";
  for (; *label && *text; label++, text++) {
    if (*text == '-' && !strncmp(label, dash, 3)) label += 2;
    else if (tolower((unsigned char)*label) != tolower((unsigned char)*text)) return false;
  }
  return !*label && !*text;
}

/* By number or label, Dutch or English. What is not in the list is refused here with the list, which the
 * schema check cannot show. */
static int parse_code(adm *m, const ov_sfield *f, const char *text, ov_value *out) {
  char *end, wants[400];
  long long v = strtoll(text, &end, 10);
  for (uint32_t i = 0; i < f->n_codes; i++) {
    bool same = *text && !*end ? v == f->codes[i].code
                               : same_label(f->codes[i].nl, text) || same_label(f->codes[i].en, text);
    if (!same) continue;
    *out = ov_int(f->codes[i].code);
    return 0;
  }
  for (uint32_t i = 0; i < f->n_missing; i++) {
    if (!*text || *end || v != f->missing[i]) continue;
    *out = ov_int(v);
    return 0;
  }
  list_codes(f, wants, sizeof wants);
  return refuse(m, f, text, wants);
}

static bool digits(const char **p, unsigned n, int *out) {
  *out = 0;
  for (unsigned i = 0; i < n; i++, (*p)++) {
    if (!isdigit((unsigned char)**p)) return false;
    *out = *out * 10 + (**p - '0');
  }
  return true;
}

static bool one(const char **p, char c) { return **p == c && ((*p)++, true); }

/* YYYY-MM-DD that exists; p moves on. */
static bool read_day(const char **p, int64_t *day) {
  int y, mo, d;
  if (!digits(p, 4, &y) || !one(p, '-') || !digits(p, 2, &mo) || !one(p, '-') || !digits(p, 2, &d))
    return false;
  struct tm tm = {.tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d};
  time_t s = timegm(&tm);
  *day = (int64_t)s / 86400;
  return y >= 1900 && tm.tm_mon == mo - 1 && tm.tm_mday == d;
}

static bool read_zone(const char **p, int64_t *offset) {
  int h = 0, mi = 0, sign = **p == '-' ? -1 : 1;
  *offset = 0;
  if (one(p, 'Z') || one(p, 'z')) return !**p;
  if (**p != '+' && **p != '-') return false;
  (*p)++;
  if (!digits(p, 2, &h) || (one(p, ':'), !digits(p, 2, &mi)) || **p || h > 14 || mi > 59) return false;
  *offset = sign * (h * 3600 + mi * 60);
  return true;
}

static int parse_moment(adm *m, const ov_sfield *f, const char *text, ov_value *out) {
  const char *p = text;
  char *end;
  int64_t day, offset;
  int h = 0, mi = 0, s = 0;
  long long missing = strtoll(text, &end, 10);
  for (uint32_t i = 0; i < f->n_missing; i++) {
    if (*text && !*end && missing == f->missing[i]) return *out = ov_int(missing), 0;
  }
  bool ok = read_day(&p, &day);
  if (f->type == OV_F_DATE) {
    if (!ok || *p) return refuse(m, f, text, "a date like 2026-03-29");
    return *out = ov_int(day), 0;
  }
  ok = ok && (one(&p, 'T') || one(&p, ' ')) && digits(&p, 2, &h) && one(&p, ':') && digits(&p, 2, &mi);
  if (ok && one(&p, ':')) ok = digits(&p, 2, &s);
  if (!ok || h > 23 || mi > 59 || s > 59 || !read_zone(&p, &offset)) {
    return refuse(m, f, text, "a time with its zone, like 2026-03-29T07:30+02:00 or 2026-03-29T05:30Z");
  }
  *out = ov_int(day * 86400 + h * 3600 + mi * 60 + s - offset);
  return 0;
}

static int parse_ref(adm *m, sv_org *org, const ov_sfield *f, const char *text, ov_value *out) {
  ov_name name;
  const ov_skind *to = ov_schemas_kind(m->h->schemas, f->ref);
  uint8_t *b = ov_arena_alloc(&m->a, OV_NAME_BYTES);
  if (!b) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  if (!to) return refuse(m, f, text, "a record of a kind that is known");
  if (find_record(m, org, to, text, &name)) return m->err;
  ov_name_write(&name, b);
  *out = ov_bytes(b, OV_NAME_BYTES);
  return 0;
}

static int parse_bytes(adm *m, const ov_sfield *f, const char *text, ov_value *out) {
  size_t n = strlen(text) / 2;
  uint8_t *b = ov_arena_alloc(&m->a, n + 1);
  if (!b) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  if (strlen(text) % 2 || ov_unhex(text, b, n)) return refuse(m, f, text, "an even number of hex digits");
  *out = ov_bytes(b, (uint32_t)n);
  return 0;
}

static int parse_one(adm *m, sv_org *org, const ov_sfield *f, const char *text, ov_value *out) {
  uint32_t scope = 0;
  switch (f->type) {
  case OV_F_INT: return parse_int(m, f, text, out);
  case OV_F_BOOL: return parse_bool(m, f, text, out);
  case OV_F_CODE:
  case OV_F_CODESET: return parse_code(m, f, text, out);
  case OV_F_DATE:
  case OV_F_DATETIME: return parse_moment(m, f, text, out);
  case OV_F_REF:
  case OV_F_REFSET: return parse_ref(m, org, f, text, out);
  case OV_F_SCOPESET:
    if (find_team(m, org, text, &scope)) return m->err;
    *out = ov_int(scope);
    return 0;
  case OV_F_BYTES: return parse_bytes(m, f, text, out);
  default: *out = ov_text(text); return 0;
  }
}

/* -- sets -------------------------------------------------------------------------------- */

static bool is_set(const ov_sfield *f) {
  return f->type == OV_F_CODESET || f->type == OV_F_REFSET || f->type == OV_F_SCOPESET;
}

static int compare_values(const void *a, const void *b) { return ov_value_compare(a, b); }

static int parse_set(adm *m, sv_org *org, const ov_sfield *f, const char *text, ov_value *out) {
  char *copy = ov_arena_dup(&m->a, text, strlen(text) + 1), *save = NULL;
  ov_value *v = ov_arena_array(&m->a, OV_SET_ELEMENTS_MAX, sizeof *v);
  uint32_t n = 0, unique = 0;
  if (!copy || !v) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  for (char *p = strtok_r(copy, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
    while (*p == ' ') p++;
    if (n == OV_SET_ELEMENTS_MAX)
      return adm_fail(m, OV_E_INVALID, NULL, "%s: at most %u elements", f->name, OV_SET_ELEMENTS_MAX);
    if (parse_one(m, org, f, p, &v[n++])) return m->err;
  }
  qsort(v, n, sizeof *v, compare_values);
  for (uint32_t i = 0; i < n; i++) {
    if (!unique || ov_value_compare(&v[unique - 1], &v[i])) v[unique++] = v[i];
  }
  *out = (ov_value){.type = OV_V_SET, .set = {.add = v, .n_add = unique}};
  return 0;
}

int value_parse(adm *m, sv_org *org, const ov_skind *k, const ov_sfield *f, const char *text, ov_value *out) {
  ov_problem why;
  int err = 0;
  if (is_set(f)) err = parse_set(m, org, f, text, out);
  else if (!*text) *out = ov_nil();
  else err = parse_one(m, org, f, text, out);
  if (err) return err;
  if (ov_schema_check_value(k, f, out, &why))
    return adm_fail(m, OV_E_INVALID, NULL, "%s=%.80s: %s", f->name, text, why.text_en);
  return 0;
}

/* -- drafts ------------------------------------------------------------------------------ */

static const ov_sfield *field_of(const ov_skind *k, uint16_t id) {
  for (uint32_t i = 0; i < k->n_fields; i++) {
    if (k->fields[i].id == id) return &k->fields[i];
  }
  return NULL;
}

static void put(adm *m, adm_draft *d, const ov_sfield *f, char how, ov_value v) {
  uint32_t at = d->n;
  while (at && d->fields[at - 1].f->id > f->id) at--;
  if (at && d->fields[at - 1].f == f) {
    adm_fail(m, OV_E_INVALID, NULL, "%s is given twice", f->name);
    return;
  }
  if (d->n == ADM_FIELDS_MAX) {
    adm_fail(m, OV_E_INVALID, NULL, "at most %u fields", ADM_FIELDS_MAX);
    return;
  }
  memmove(&d->fields[at + 1], &d->fields[at], (d->n - at) * sizeof *d->fields);
  d->fields[at] = (adm_field){f, how, v};
  d->n++;
}

void value_put(adm *m, adm_draft *d, uint16_t field, char how, ov_value v) {
  const ov_sfield *f = field_of(d->k, field);
  if (!f) adm_fail(m, OV_E_INTERNAL, NULL, "the schema of %s has no field %u", d->k->name, field);
  else put(m, d, f, how, v);
}

void value_put_text(adm *m, adm_draft *d, uint16_t field, const char *text) {
  const ov_sfield *f = field_of(d->k, field);
  ov_value v;
  if (!text) return;
  if (!f) adm_fail(m, OV_E_INTERNAL, NULL, "the schema of %s has no field %u", d->k->name, field);
  else if (!value_parse(m, d->org, d->k, f, text, &v)) put(m, d, f, '=', v);
}

int value_assign(adm *m, adm_draft *d, const char *text) {
  const char *eq = strchr(text, '=');
  if (!eq || eq == text)
    return adm_fail(m, OV_E_INVALID, NULL, "\"%.80s\" is not of the form field=value", text);
  char how = eq[-1] == '+' || eq[-1] == '-' ? eq[-1] : '=';
  size_t n = (size_t)(eq - text) - (how != '=');
  const ov_sfield *f = value_field(d->k, text, n);
  ov_value v;
  if (!f) {
    char hint[120];
    snprintf(hint, sizeof hint, "`overdracht-admin kind list %s` shows its fields", d->k->name);
    return adm_fail(m, OV_E_INVALID, hint, "kind %s has no field \"%.*s\"", d->k->name,
                    (int)(n < 60 ? n : 60), text);
  }
  if (how != '=' && !is_set(f))
    return adm_fail(m, OV_E_INVALID, NULL, "%s is not a set: write %s=value", f->name, f->name);
  if (value_parse(m, d->org, d->k, f, eq + 1, &v)) return m->err;
  put(m, d, f, how, v);
  return m->err;
}
