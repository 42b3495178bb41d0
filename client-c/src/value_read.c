/* Text to values. Every refusal says what was written, why it cannot be, and what can. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oc_text.h"
#include "ov/mp_read.h"

enum { DAY_S = 86400, SHOWN = 60 };

typedef struct reading {
  const oc_text_env *env;
  const ov_skind *k;
  const ov_sfield *f;
  oc_error *e;
} reading;

/* -- refusals -------------------------------------------------------------------------------------------- */

static void put(char *out, size_t cap, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
static void put(char *out, size_t cap, const char *fmt, va_list ap) {
  size_t n = strlen(out);
  vsnprintf(out + n, cap - n, fmt, ap);
  oc_whole_chars(out);
}

__attribute__((format(printf, 2, 3))) static int bad(const reading *r, const char *fmt, ...) {
  va_list ap;
  if (!r->e) return OC_E_INVALID;
  *r->e = (oc_error){.err = OC_E_INVALID};
  snprintf(r->e->message, sizeof r->e->message, "%s: ", r->f->name);
  va_start(ap, fmt);
  put(r->e->message, sizeof r->e->message, fmt, ap);
  va_end(ap);
  return OC_E_INVALID;
}

__attribute__((format(printf, 2, 3))) static int bad_nl(const reading *r, const char *fmt, ...) {
  va_list ap;
  if (!r->e) return OC_E_INVALID;
  snprintf(r->e->message_nl, sizeof r->e->message_nl, "%s: ", r->f->nl);
  va_start(ap, fmt);
  put(r->e->message_nl, sizeof r->e->message_nl, fmt, ap);
  va_end(ap);
  return OC_E_INVALID;
}

static int no_memory(const reading *r) {
  if (r->e) *r->e = (oc_error){.err = OC_E_NOMEM, .message = "out of memory"};
  return OC_E_NOMEM;
}

/* The first bytes of what was written, whole characters. */
static const char *shown(const char *text, char out[SHOWN + 4]) {
  size_t n = strlen(text);
  bool cut = n > SHOWN;
  if (cut) {
    n = SHOWN;
    while (n && ((unsigned char)text[n] & 0xc0) == 0x80) n--;
  }
  snprintf(out, SHOWN + 4, "%.*s%s", (int)n, text, cut ? "..." : "");
  return out;
}

/* What the schema says: its texts begin with the label, ours with the name. */
static int check(const reading *r, const ov_value *v) {
  ov_problem why;
  if (!ov_schema_check_value(r->k, r->f, v, &why)) return 0;
  const char *en = strstr(why.text_en, ": "), *nl = strstr(why.text_nl, ": ");
  bad(r, "%s", en ? en + 2 : why.text_en);
  return bad_nl(r, "%s", nl ? nl + 2 : why.text_nl);
}

/* -- numbers and codes ----------------------------------------------------------------------------------- */

static bool allows(const ov_sfield *f, int64_t code) {
  for (uint32_t i = 0; i < f->n_missing; i++) {
    if (f->missing[i] == code) return true;
  }
  return false;
}

/* "1 very poor, 2 poor, ..." as far as it fits. */
static const char *listed(const ov_sfield *f, bool dutch, char *out, size_t cap) {
  size_t n = 0;
  out[0] = 0;
  for (uint32_t i = 0; i < f->n_codes; i++) {
    char one[OV_LABEL_BYTES_MAX + 24];
    size_t len = (size_t)snprintf(one, sizeof one, "%s%d %s", n ? ", " : "", f->codes[i].code,
                                  dutch ? f->codes[i].nl : f->codes[i].en);
    if (n + len + 6 > cap) {
      snprintf(out + n, cap - n, ", ...");
      break;
    }
    memcpy(out + n, one, len + 1);
    n += len;
  }
  return out;
}

static int no_code(const reading *r, const char *text) {
  char part[SHOWN + 4], list[140];
  bad(r, "\"%s\" is not in the code list (%s)", shown(text, part), listed(r->f, false, list, sizeof list));
  return bad_nl(r, "\"%s\" staat niet in de lijst (%s)", shown(text, part),
                listed(r->f, true, list, sizeof list));
}

/* A missing code by word, where the field takes it. 0: it is one; 1: it is no such word. */
static int missing_word(const reading *r, const char *text, int64_t *out) {
  int32_t code = oc_missing_code(text);
  if (!code) return 1;
  if (!allows(r->f, code)) {
    bad(r, "%d (%s) may not be given here", code, oc_missing_word(code, false));
    return bad_nl(r, "'%s' kan hier niet", oc_missing_word(code, true));
  }
  *out = code;
  return 0;
}

static bool has_code(const ov_sfield *f, int64_t v) {
  for (uint32_t i = 0; i < f->n_codes; i++) {
    if (f->codes[i].code == v) return true;
  }
  return allows(f, v);
}

static bool code_of(const ov_sfield *f, const char *text, int64_t *out) {
  if (oc_whole_number(text, out)) return has_code(f, *out);
  for (uint32_t i = 0; i < 2 * f->n_codes; i++) { /* Dutch labels first: they are what carers see */
    const ov_code *c = &f->codes[i < f->n_codes ? i : i - f->n_codes];
    if (!oc_same_word(text, i < f->n_codes ? c->nl : c->en)) continue;
    *out = c->code;
    return true;
  }
  int32_t missing = oc_missing_code(text);
  *out = missing;
  return missing && allows(f, missing);
}

static int read_code(const reading *r, const char *text, int64_t *out) {
  if (code_of(r->f, text, out)) return 0;
  int word = missing_word(r, text, out);
  return word == 1 ? no_code(r, text) : word;
}

static int read_bool(const reading *r, const char *text, int64_t *out) {
  static const char *const yes[] = {"1", "yes", "ja", "true", "y", "j"}, *const no[] = {"0", "no", "nee",
                                                                                        "false", "n"};
  char part[SHOWN + 4];
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
    *out = 1;
    if (oc_same_word(text, yes[i])) return 0;
  }
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
    *out = 0;
    if (oc_same_word(text, no[i])) return 0;
  }
  if (oc_whole_number(text, out) && allows(r->f, *out)) return 0;
  int word = missing_word(r, text, out);
  if (word != 1) return word;
  bad(r, "\"%s\" is neither yes nor no (1 or 0)", shown(text, part));
  return bad_nl(r, "\"%s\" is geen ja of nee (1 of 0)", shown(text, part));
}

/* "30 min" is what a field in minutes shows. */
static bool is_unit(const ov_sfield *f, const char *word) {
  static const char *const same[][3] = {
      {"min", "min", "minuten"}, {"day", "days", "dagen"}, {"year", "years", "jaar"}};
  if (!f->unit) return false;
  if (oc_same_word(word, f->unit)) return true;
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    if (strcmp(f->unit, same[i][0])) continue;
    if (oc_same_word(word, same[i][1]) || oc_same_word(word, same[i][2])) return true;
  }
  return false;
}

static int read_int(const reading *r, const char *text, int64_t *out) {
  char number[24], part[SHOWN + 4];
  const char *space = strchr(text, ' ');
  size_t n = space ? (size_t)(space - text) : strlen(text);
  if (oc_whole_number(text, out)) return 0;
  int word = missing_word(r, text, out);
  if (word != 1) return word;
  if (space && n < sizeof number && is_unit(r->f, space + strspn(space, " "))) {
    memcpy(number, text, n);
    number[n] = 0;
    if (oc_whole_number(number, out)) return 0;
  }
  bad(r, "\"%s\" is not a whole number", shown(text, part));
  return bad_nl(r, "\"%s\" is geen heel getal", shown(text, part));
}

/* -- dates and times ------------------------------------------------------------------------------------- */

static bool digits(const char **p, unsigned least, unsigned most, int64_t *out) {
  unsigned n = 0;
  for (*out = 0; n < most && isdigit((unsigned char)**p); n++, (*p)++) *out = *out * 10 + (**p - '0');
  return n >= least && !isdigit((unsigned char)**p);
}

typedef enum moment { NOT_ONE, NO_SUCH_DAY, GOOD } moment;

/* 2026-03-28, 28-3-2026, 28/3/2026, today, vandaag, yesterday, gisteren; p moves behind it. */
static moment take_date(const oc_text_env *env, const char **p, int64_t *day) {
  static const struct {
    const char *word;
    int back;
  } words[] = {{"today", 0}, {"vandaag", 0}, {"yesterday", 1}, {"gisteren", 1}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    char word[12];
    size_t n = strlen(words[i].word);
    snprintf(word, sizeof word, "%.*s", (int)n, *p);
    if (!oc_same_word(word, words[i].word)) continue;
    *p += n;
    *day = oc_local_day(env->zone, env->now) - words[i].back;
    return GOOD;
  }
  int64_t a, b, c;
  if (!digits(p, 1, 4, &a) || (**p != '-' && **p != '/')) return NOT_ONE;
  char sep = *(*p)++;
  if (!digits(p, 1, 2, &b) || *(*p)++ != sep || !digits(p, 1, 4, &c)) return NOT_ONE;
  bool year_first = a > 31;
  int64_t y = year_first ? a : c, d = year_first ? c : a;
  if (y < 1000 || (year_first && sep == '/')) return NOT_ONE;
  if (b < 1 || b > 12 || d < 1 || d > (int64_t)oc_days_in_month(y, (unsigned)b)) return NO_SUCH_DAY;
  *day = oc_days_from_civil(y, (unsigned)b, (unsigned)d);
  return GOOD;
}

static int no_such_day(const reading *r, const char *text) {
  char part[SHOWN + 4];
  bad(r, "\"%s\" is not in the calendar", shown(text, part));
  return bad_nl(r, "\"%s\" staat niet op de kalender", shown(text, part));
}

static int read_date(const reading *r, const char *text, int64_t *out) {
  char part[SHOWN + 4];
  const char *p = text;
  if (oc_whole_number(text, out) && allows(r->f, *out)) return 0;
  int word = missing_word(r, text, out);
  if (word != 1) return word;
  moment m = take_date(r->env, &p, out);
  if (m == NO_SUCH_DAY) return no_such_day(r, text);
  if (m == GOOD && !*p) return 0;
  bad(r, "\"%s\" is not a date; write it as 2026-03-28 or 28-3-2026", shown(text, part));
  return bad_nl(r, "\"%s\" is geen datum; schrijf 28-3-2026", shown(text, part));
}

/* 23:05, 23:05:30, 23:05:30.25 (whole seconds count). */
static bool take_clock(const char **p, int64_t *of_day) {
  int64_t h, m, s = 0;
  if (!digits(p, 1, 2, &h) || *(*p)++ != ':' || !digits(p, 2, 2, &m)) return false;
  if (**p == ':') {
    (*p)++;
    if (!digits(p, 2, 2, &s)) return false;
    if (**p == '.') {
      size_t n = strspn(*p + 1, "0123456789");
      if (!n) return false;
      *p += 1 + n;
    }
  }
  *of_day = h * 3600 + m * 60 + s;
  return h < 24 && m < 60 && s < 60;
}

/* Z, +01:00, +0100. */
static bool take_offset(const char **p, int64_t *offset) {
  int64_t h, m;
  char sign = *(*p)++;
  *offset = 0;
  if (sign == 'Z' || sign == 'z') return true;
  if (sign != '+' && sign != '-') return false;
  const char *at = *p;
  if (!digits(p, 2, 2, &h)) {
    *p = at;
    if (!digits(p, 4, 4, &m)) return false;
    h = m / 100;
    m %= 100;
  } else if (*(*p)++ != ':' || !digits(p, 2, 2, &m)) {
    return false;
  }
  *offset = (h * 3600 + m * 60) * (sign == '-' ? -1 : 1);
  return h < 24 && m < 60;
}

static void clock_text(int64_t local, char out[12]) {
  int64_t of_day = local - oc_day_of(local) * DAY_S;
  snprintf(out, 12, "%02u:%02u", (unsigned)(of_day / 3600) % 24, (unsigned)(of_day / 60 % 60));
}

/* The hour that is skipped: says between which times the clock jumps. */
static int skipped(const reading *r, int64_t local) {
  const oc_zone *z = r->env->zone;
  int64_t lo, hi; /* moments surely before and after the jump */
  int32_t before = oc_zone_offset(z, local - DAY_S), after = oc_zone_offset(z, local + DAY_S);
  for (lo = local - DAY_S - before, hi = local + DAY_S - after; hi - lo > 1;) {
    int64_t mid = lo + (hi - lo) / 2;
    if (oc_zone_offset(z, mid) == before) lo = mid;
    else hi = mid;
  }
  char at[12], from[12], to[12], day[OC_MOMENT_TEXT];
  clock_text(local, at);
  clock_text(hi + before, from);
  clock_text(hi + after, to);
  oc_date_text(oc_day_of(local), false, day);
  bad(r, "%s on %s does not exist in %s: clocks go forward from %s to %s", at, day, oc_zone_name(z), from,
      to);
  oc_date_text(oc_day_of(local), true, day);
  return bad_nl(r, "%s bestaat niet op %s: de klok gaat dan van %s naar %s", at, day, from, to);
}

static int twice(const reading *r, int64_t local, const int64_t both[2]) {
  char at[12], day[OC_MOMENT_TEXT], first[OC_MOMENT_TEXT], second[OC_MOMENT_TEXT];
  const oc_zone *z = r->env->zone;
  clock_text(local, at);
  oc_moment_raw(z, both[0], first);
  oc_moment_raw(z, both[1], second);
  oc_date_text(oc_day_of(local), false, day);
  bad(r, "%s on %s comes twice in %s: write %s or %s", at, day, oc_zone_name(z), first, second);
  oc_date_text(oc_day_of(local), true, day);
  return bad_nl(r, "%s komt op %s twee keer voor, want de klok gaat terug. Kies de eerste of de tweede keer",
                at, day);
}

static int place(const reading *r, int64_t local, int64_t *out) {
  int64_t both[2];
  int n = oc_zone_to_utc(r->env->zone, local, both);
  *out = both[0];
  return n == 1 ? 0 : n == 0 ? skipped(r, local) : twice(r, local, both);
}

static int read_datetime(const reading *r, const char *text, int64_t *out) {
  char part[SHOWN + 4];
  const char *p = text;
  int64_t day, of_day, offset;
  if (oc_whole_number(text, out) && allows(r->f, *out)) return 0;
  int word = missing_word(r, text, out);
  if (word != 1) return word;
  *out = r->env->now;
  if (oc_same_word(text, "now") || oc_same_word(text, "nu")) return 0;
  moment m = take_date(r->env, &p, &day);
  if (m == NO_SUCH_DAY) return no_such_day(r, text);
  size_t gap = m == GOOD ? strspn(p, "Tt ") : 0;
  p += gap;
  if (gap && take_clock(&p, &of_day)) {
    if (!*p) return place(r, day * DAY_S + of_day, out);
    p += strspn(p, " ");
    if (take_offset(&p, &offset) && !*p) {
      *out = day * DAY_S + of_day - offset;
      return 0;
    }
  }
  bad(r, "\"%s\" is not a date and time; write it as \"2026-03-28 23:05\" or 2026-03-28T23:05:00+01:00",
      shown(text, part));
  return bad_nl(r, "\"%s\" is geen datum en tijd; schrijf 28-3-2026 23:05", shown(text, part));
}

/* -- texts, references, sets ----------------------------------------------------------------------------- */

static int read_text(const reading *r, const char *text, ov_value *out) {
  size_t n = strlen(text);
  if (!ov_utf8_valid((const uint8_t *)text, n)) {
    bad(r, "the text is not valid UTF-8");
    return bad_nl(r, "deze tekst bevat tekens die niet kloppen");
  }
  if (n > OV_TEXT_BYTES_MAX) {
    bad(r, "%zu bytes are too long, at most %u", n, OV_TEXT_BYTES_MAX);
    return bad_nl(r, "dit is te lang: %zu bytes, hoogstens %u", n, OV_TEXT_BYTES_MAX);
  }
  char *copy = ov_arena_dup(r->env->a, text, n);
  if (!copy) return no_memory(r);
  *out = (ov_value){.type = OV_V_TEXT, .s = {(const uint8_t *)copy, (uint32_t)n}};
  return 0;
}

static int read_ref(const reading *r, const char *text, ov_value *out) {
  ov_name name;
  int err = r->env->find(r->env->ctx, r->f->ref, text, &name, r->e);
  if (err) {
    char why[sizeof r->e->message], why_nl[sizeof r->e->message_nl];
    if (!r->e) return err;
    memcpy(why, r->e->message, sizeof why);
    memcpy(why_nl, r->e->message_nl, sizeof why_nl);
    bad(r, "%s", why);
    if (why_nl[0]) bad_nl(r, "%s", why_nl);
    return r->e->err = err;
  }
  uint8_t *bytes = ov_arena_alloc(r->env->a, OV_NAME_BYTES);
  if (!bytes) return no_memory(r);
  ov_name_write(&name, bytes);
  *out = ov_bytes(bytes, OV_NAME_BYTES);
  return 0;
}

static int read_element(const reading *r, const char *text, ov_value *out) {
  int64_t i = 0;
  uint32_t scope = 0;
  int err;
  switch (r->f->type) {
  case OV_F_REFSET: return read_ref(r, text, out);
  case OV_F_SCOPESET:
    err = r->env->find_team(r->env->ctx, text, &scope, r->e);
    i = scope;
    break;
  default: err = read_code(r, text, &i);
  }
  *out = ov_int(i);
  return err;
}

static char *trimmed(ov_arena *a, const char *p, size_t n) {
  while (n && isspace((unsigned char)*p)) p++, n--;
  while (n && isspace((unsigned char)p[n - 1])) n--;
  return oc_fmt(a, "%.*s", (int)n, p);
}

static bool is_label(const ov_sfield *f, const char *p, const char *end) {
  char label[OV_LABEL_BYTES_MAX + 1];
  int64_t code;
  while (p < end && isspace((unsigned char)*p)) p++;
  while (end > p && isspace((unsigned char)end[-1])) end--;
  size_t n = (size_t)(end - p);
  if (n > OV_LABEL_BYTES_MAX) return false; /* not even copied: every stretch of a long text is tried */
  memcpy(label, p, n);
  label[n] = 0;
  return code_of(f, label, &code);
}

/* End of the element that starts at p. Labels may hold commas ("awake, calm"), so the longest stretch that is
 * a label wins. */
static const char *element_end(const reading *r, const char *p) {
  const char *end = p + strlen(p), *first = strchr(p, ',');
  if (!first || r->f->type != OV_F_CODESET) return first ? first : end;
  for (; end && end > first; end = memrchr(p, ',', (size_t)(end - p))) {
    if (is_label(r->f, p + (*p == '!'), end)) return end;
  }
  return first;
}

/* "-3" and "-pijn" delete, unless they are a code or label themselves. */
static bool deletes(const ov_sfield *f, const char *word) {
  int64_t v;
  if (*word == '!') return true;
  if (*word != '-' || f->type == OV_F_REFSET) return false;
  return oc_whole_number(word, &v) ? !has_code(f, v) : !code_of(f, word, &v) && code_of(f, word + 1, &v);
}

static int by_value(const void *a, const void *b) { return ov_value_compare(a, b); }

/* Ascending and unique. */
static uint32_t sorted(ov_value *v, uint32_t n) {
  uint32_t kept = 0;
  if (n) qsort(v, n, sizeof *v, by_value);
  for (uint32_t i = 0; i < n; i++) {
    if (!kept || !ov_value_equal(&v[kept - 1], &v[i])) v[kept++] = v[i];
  }
  return kept;
}

static int check_disjoint(const reading *r, const ov_value *v) {
  for (uint32_t i = 0; i < v->set.n_add; i++) {
    for (uint32_t j = 0; j < v->set.n_del; j++) {
      if (!ov_value_equal(&v->set.add[i], &v->set.del[j])) continue;
      const char *raw = oc_value_raw(r->env, r->f, &v->set.add[i]);
      if (!raw) return no_memory(r);
      bad(r, "%s is added and deleted at once", raw);
      return bad_nl(r, "%s staat er twee keer: erbij en eraf", raw);
    }
  }
  return 0;
}

static int add_element(const reading *r, char *word, ov_value *set) {
  bool del = deletes(r->f, word);
  char part[SHOWN + 4];
  ov_value el;
  if (set->set.n_add + set->set.n_del == OV_SET_ELEMENTS_MAX) {
    bad(r, "more than %u at once", OV_SET_ELEMENTS_MAX);
    return bad_nl(r, "meer dan %u tegelijk", OV_SET_ELEMENTS_MAX);
  }
  char *bare = del ? trimmed(r->env->a, word + 1, strlen(word + 1)) : word;
  if (!bare) return no_memory(r);
  if (!*bare) {
    bad(r, "\"%s\" has an empty part; write elements with commas between", shown(word, part));
    return bad_nl(r, "er staat een komma te veel");
  }
  int64_t code;
  int err = 0;
  if (del && r->f->type == OV_F_CODESET && oc_whole_number(bare, &code))
    el = ov_int(code); /* may have left the list since */
  else err = read_element(r, bare, &el);
  if (err) return err;
  if (del) set->set.del[set->set.n_del++] = el;
  else set->set.add[set->set.n_add++] = el;
  return 0;
}

static int read_set(const reading *r, const char *text, ov_value *out, bool *exact) {
  const char *p = text;
  *out = (ov_value){.type = OV_V_SET};
  out->set.add = ov_arena_array(r->env->a, OV_SET_ELEMENTS_MAX, sizeof *out->set.add);
  out->set.del = ov_arena_array(r->env->a, OV_SET_ELEMENTS_MAX, sizeof *out->set.del);
  if (!out->set.add || !out->set.del) return no_memory(r);
  *exact = *p == '=' || !*p;
  p += *p == '=';
  for (bool more = *p != 0; more;) {
    p += strspn(p, " ");
    const char *end = element_end(r, p);
    char *word = trimmed(r->env->a, p, (size_t)(end - p));
    int err = word ? add_element(r, word, out) : no_memory(r);
    if (err) return err;
    more = *end == ',';
    p = end + more;
  }
  out->set.n_add = sorted(out->set.add, out->set.n_add);
  out->set.n_del = sorted(out->set.del, out->set.n_del);
  return check_disjoint(r, out);
}

static int read_one(const reading *r, const char *text, ov_value *out) {
  int64_t i = 0;
  int err;
  switch (r->f->type) {
  case OV_F_TEXT: return read_text(r, text, out);
  case OV_F_REF: return read_ref(r, text, out);
  case OV_F_BYTES:
    bad(r, "holds bytes, which cannot be written as text");
    return bad_nl(r, "dit vult de server zelf in");
  case OV_F_BOOL: err = read_bool(r, text, &i); break;
  case OV_F_CODE: err = read_code(r, text, &i); break;
  case OV_F_DATE: err = read_date(r, text, &i); break;
  case OV_F_DATETIME: err = read_datetime(r, text, &i); break;
  default: err = read_int(r, text, &i);
  }
  *out = ov_int(i);
  return err;
}

int oc_value_read(const oc_text_env *env, const ov_skind *k, const ov_sfield *f, const char *text,
                  ov_value *out, bool *exact, oc_error *e) {
  reading r = {.env = env, .k = k, .f = f, .e = e};
  bool set = oc_ftype_is_set(f->type);
  *exact = false;
  const char *given = f->type == OV_F_TEXT ? text : trimmed(env->a, text, strlen(text));
  if (!given) return no_memory(&r);
  if (!*given && !set) {
    *out = ov_nil();
    return f->type == OV_F_BYTES ? read_one(&r, given, out) : 0;
  }
  int err = set ? read_set(&r, given, out, exact) : read_one(&r, given, out);
  return err ? err : check(&r, out);
}
