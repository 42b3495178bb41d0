/* Judges values against their schema, with texts for people in English and Dutch. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ov/schema.h"

/* Bytes of a label that a text shows, so that the rest fits too. */
#define LABEL_SHOWN 64
#define TEXT_CAP sizeof(((ov_problem *)0)->text_en)
/* Days since 1970 of 0001-01-01 and 9999-12-31: outside, a bare number says more than a date. */
#define CALENDAR_FIRST (-719162)
#define CALENDAR_LAST 2932896
#define DAY_S 86400

static const struct {
  const char *en, *nl;
} types[OV_F_COUNT] = {
    [OV_F_INT] = {"a whole number", "een heel getal"},
    [OV_F_BOOL] = {"yes or no (1 or 0)", "ja of nee (1 of 0)"},
    [OV_F_CODE] = {"a code from the list", "een antwoord uit de lijst"},
    [OV_F_CODESET] = {"a set of codes from the list", "een of meer antwoorden uit de lijst"},
    [OV_F_DATE] = {"a date", "een datum"},
    [OV_F_DATETIME] = {"a date and time", "een datum en tijd"},
    [OV_F_TEXT] = {"a text", "een tekst"},
    [OV_F_REF] = {"a reference to a record", "een verwijzing"},
    [OV_F_REFSET] = {"a set of references to records", "een of meer verwijzingen"},
    [OV_F_SCOPESET] = {"a set of scope numbers", "een of meer teams"},
    [OV_F_BYTES] = {"bytes", "een rij bytes"},
};

static const struct {
  const char *unit, *en, *nl;
} units[] = {
    {"min", "min", "min"},
    {"day", "days", "dagen"},
    {"year", "years", "jaar"},
};

__attribute__((format(printf, 2, 3))) static void add(char *text, const char *fmt, ...) {
  size_t n = strlen(text);
  va_list args;
  va_start(args, fmt);
  vsnprintf(text + n, TEXT_CAP - n, fmt, args);
  va_end(args);
}

/* Cut at a character's boundary. */
static void add_label(char *text, const char *label) {
  int n = 0;
  while (n < LABEL_SHOWN && label[n]) n++;
  while (((unsigned char)label[n] & 0xc0) == 0x80) n--;
  add(text, "%.*s: ", n, label);
}

/* Starts both texts with the field's label. why is not NULL. */
static void start(ov_problem *why, const ov_sfield *f, int reason) {
  *why = (ov_problem){.reason = reason, .field = f->id};
  add_label(why->text_en, f->en);
  add_label(why->text_nl, f->nl);
}

static int wrong_type(ov_problem *why, const ov_sfield *f) {
  if (why) {
    start(why, f, OV_HELD_TYPE);
    add(why->text_en, "must be %s", types[f->type].en);
    add(why->text_nl, "dit moet %s zijn", types[f->type].nl);
  }
  return OV_HELD_TYPE;
}

static int wrong_code(ov_problem *why, const ov_sfield *f, int64_t v) {
  if (why) {
    start(why, f, OV_HELD_CODE);
    add(why->text_en, "%lld is not in the code list", (long long)v);
    add(why->text_nl, "%lld staat niet in de lijst", (long long)v);
  }
  return OV_HELD_CODE;
}

static int wrong_length(ov_problem *why, const ov_sfield *f, uint32_t n) {
  if (why) {
    start(why, f, OV_HELD_LENGTH);
    add(why->text_en, "%u bytes are too long, at most %u", n, f->max_length);
    add(why->text_nl, "dit is te lang: %u bytes, hoogstens %u", n, f->max_length);
  }
  return OV_HELD_LENGTH;
}

static int wrong_ref(ov_problem *why, const ov_sfield *f) {
  if (why) {
    start(why, f, OV_HELD_REF);
    add(why->text_en, "does not name a record");
    add(why->text_nl, "dit verwijst niet naar een gegeven");
  }
  return OV_HELD_REF;
}

/* A day or time as people write it. */
static void add_moment(char *text, ov_ftype type, int64_t v, bool dutch) {
  int64_t day = type == OV_F_DATE ? v : v / DAY_S;
  if (day <= CALENDAR_FIRST || day >= CALENDAR_LAST) {
    add(text, "%lld", (long long)v);
    return;
  }
  struct tm tm;
  char shown[40];
  time_t t = (time_t)(type == OV_F_DATE ? v * DAY_S : v);
  gmtime_r(&t, &tm);
  strftime(shown, sizeof shown, dutch ? "%d-%m-%Y" : "%Y-%m-%d", &tm);
  add(text, "%s", shown);
  strftime(shown, sizeof shown, " %H:%M UTC", &tm);
  if (type == OV_F_DATETIME) add(text, "%s", shown);
}

static void add_unit(char *text, const char *unit, bool dutch) {
  if (!unit) return;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strcmp(units[i].unit, unit) == 0) unit = dutch ? units[i].nl : units[i].en;
  add(text, " %.16s", unit);
}

static void say_outside(char *text, const ov_sfield *f, int64_t v, const char *side, int64_t bound,
                        bool dutch) {
  if (f->type == OV_F_DATE || f->type == OV_F_DATETIME) {
    add_moment(text, f->type, v, dutch);
    add(text, " %s ", side);
    add_moment(text, f->type, bound, dutch);
    return;
  }
  add(text, "%lld %s %lld", (long long)v, side, (long long)bound);
  add_unit(text, f->unit, dutch);
}

static int outside(ov_problem *why, const ov_sfield *f, int64_t v, int64_t bound) {
  if (why) {
    bool above = v > bound, moment = f->type == OV_F_DATE || f->type == OV_F_DATETIME;
    start(why, f, OV_HELD_RANGE);
    say_outside(why->text_en, f, v,
                moment ? (above ? "is after" : "is before") : (above ? "is above" : "is below"), bound,
                false);
    say_outside(why->text_nl, f, v,
                moment ? (above ? "ligt na" : "ligt voor") : (above ? "ligt boven" : "ligt onder"), bound,
                true);
  }
  return OV_HELD_RANGE;
}

static bool is_missing(const ov_sfield *f, int64_t v) {
  for (uint32_t i = 0; i < f->n_missing; i++)
    if (f->missing[i] == v) return true;
  return false;
}

static bool has_code(const ov_sfield *f, int64_t v) {
  for (uint32_t i = 0; i < f->n_codes; i++)
    if (f->codes[i].code == v) return true;
  return is_missing(f, v);
}

static int check_number(const ov_sfield *f, const ov_value *v, ov_problem *why) {
  if (v->type != OV_V_INT) return wrong_type(why, f);
  if (f->type == OV_F_CODE) return has_code(f, v->i) ? 0 : wrong_code(why, f, v->i);
  if (is_missing(f, v->i)) return 0;
  if (f->type == OV_F_BOOL) return v->i == 0 || v->i == 1 ? 0 : wrong_type(why, f);
  if (f->has_lo && v->i < f->lo) return outside(why, f, v->i, f->lo);
  if (f->has_hi && v->i > f->hi) return outside(why, f, v->i, f->hi);
  return 0;
}

static int check_bytes(const ov_sfield *f, const ov_value *v, ov_problem *why) {
  if (v->type != (f->type == OV_F_TEXT ? OV_V_TEXT : OV_V_BYTES)) return wrong_type(why, f);
  return f->max_length && v->s.n > f->max_length ? wrong_length(why, f, v->s.n) : 0;
}

static int check_ref(const ov_sfield *f, const ov_value *v, ov_problem *why) {
  if (v->type != OV_V_BYTES) return wrong_type(why, f);
  ov_name name = {0};
  if (v->s.n == OV_NAME_BYTES) ov_name_read(v->s.p, &name);
  return name.seq >= 1 && name.seq <= OV_SEQ_MAX ? 0 : wrong_ref(why, f);
}

static int check_element(const ov_sfield *f, const ov_value *e, bool added, ov_problem *why) {
  if (f->type == OV_F_REFSET) return check_ref(f, e, why);
  if (e->type != OV_V_INT) return wrong_type(why, f);
  if (f->type == OV_F_SCOPESET)
    return e->i < 0 ? outside(why, f, e->i, 0) : e->i > UINT32_MAX ? outside(why, f, e->i, UINT32_MAX) : 0;
  return !added || has_code(f, e->i) ? 0 : wrong_code(why, f, e->i);
}

static int check_set(const ov_sfield *f, const ov_value *v, ov_problem *why) {
  if (v->type != OV_V_SET) return wrong_type(why, f);
  int reason = 0;
  for (uint32_t i = 0; i < v->set.n_add && !reason; i++) reason = check_element(f, &v->set.add[i], true, why);
  for (uint32_t i = 0; i < v->set.n_del && !reason; i++)
    reason = check_element(f, &v->set.del[i], false, why);
  return reason;
}

int ov_schema_check_value(const ov_skind *k, const ov_sfield *f, const ov_value *v, ov_problem *why) {
  (void)k;
  bool set = f->type == OV_F_CODESET || f->type == OV_F_REFSET || f->type == OV_F_SCOPESET;
  if (why) *why = (ov_problem){0};
  if (v->type == OV_V_NIL && !set) return 0;
  switch (f->type) {
  case OV_F_TEXT:
  case OV_F_BYTES: return check_bytes(f, v, why);
  case OV_F_REF: return check_ref(f, v, why);
  case OV_F_CODESET:
  case OV_F_REFSET:
  case OV_F_SCOPESET: return check_set(f, v, why);
  default: return check_number(f, v, why);
  }
}

static int about_kind(ov_problem *why, const ov_skind *k, int reason, uint16_t field, const char *en,
                      const char *nl) {
  if (why) {
    *why = (ov_problem){.reason = reason, .field = field};
    add_label(why->text_en, k->en);
    add_label(why->text_nl, k->nl);
    add(why->text_en, "%s", en);
    add(why->text_nl, "%s", nl);
  }
  return reason;
}

static int unknown_field(ov_problem *why, const ov_skind *k, uint16_t field) {
  char en[40], nl[40];
  snprintf(en, sizeof en, "there is no field %d", field);
  snprintf(nl, sizeof nl, "vraag %d bestaat niet", field);
  return about_kind(why, k, OV_HELD_UNKNOWN_FIELD, field, en, nl);
}

static bool participant_fits(const ov_skind *k, const ov_op *op) {
  switch (k->participant) {
  case OV_P_NONE: return !op->has_participant;
  case OV_P_REQUIRED: return op->has_participant;
  case OV_P_SELF:
    return op->creates ? !op->has_participant
                       : op->has_participant && ov_name_equal(&op->participant, &op->record);
  default: return true;
  }
}

static int check_header(const ov_skind *k, const ov_op *op, ov_problem *why) {
  uint32_t level = op->scope < 2 ? op->scope : 2;
  if (op->creates && level != k->scope)
    return about_kind(why, k, OV_HELD_SCOPE, 0, "does not belong in this scope", "dit hoort hier niet");
  if (participant_fits(k, op)) return 0;
  if (op->has_participant)
    return about_kind(why, k, OV_HELD_REF, 0, "names a participant that does not fit",
                      "hier past deze cliënt niet bij");
  return about_kind(why, k, OV_HELD_REF, 0, "names no participant", "de cliënt ontbreekt");
}

/* PROTO-152, PROTO-153 */
/* PROTO-155 */
int ov_schema_check_op(const ov_schemas *s, const ov_op *op, ov_problem *why) {
  const ov_skind *k = ov_schemas_kind(s, op->kind);
  if (why) *why = (ov_problem){0};
  if (!k || op->version > k->version) return 0;
  int reason = check_header(k, op, why);
  for (uint32_t i = 0; i < op->n_fields && !reason; i++) {
    const ov_sfield *f = ov_skind_field(k, op->fields[i].id);
    if (f) reason = ov_schema_check_value(k, f, &op->fields[i].v, why);
    else if (op->version == k->version) reason = unknown_field(why, k, op->fields[i].id);
  }
  return reason;
}
