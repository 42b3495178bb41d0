/* A map file: sections, and what must hold between them. */
#include "import_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEC_NONE, SEC_FILE, SEC_CLIENT, SEC_FIELD, SEC_ROWS };

const struct night_slot_def NIGHT_SLOTS[NS_COUNT] = {
    {"night_date", FT_DATE},        {"bed_at", FT_DATETIME},        {"sleep_try_at", FT_DATETIME},
    {"sol_min", FT_MINUTES},        {"wake_count", FT_INT},         {"waso_min", FT_MINUTES},
    {"final_wake_at", FT_DATETIME}, {"out_of_bed_at", FT_DATETIME}, {"nap_min", FT_MINUTES}};

static bool name_legal(const char *s) {
  size_t n = strlen(s);
  return n >= 1 && n <= 32 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n &&
         (s[0] < '0' || s[0] > '9');
}

/* What the file just ended says about its field: checked before the next section begins. */
static void field_done(map_parser *p) {
  map_field *f = p->field;
  p->field = NULL;
  if (!f || p->failed) return;
  int sources = (f->n_from > 0) + f->has_fixed;
  bool night_of_time = f->type == FT_NIGHT;
  unsigned here = p->line;
  p->line = f->line;
  if (!f->has_type) map_fail(p, OV_E_INVALID, "field '%s' has no type", p->m->slots[f->slot].name);
  else if (night_of_time ? sources || !f->of : sources != 1 || f->of)
    map_fail(p, OV_E_INVALID, "field '%s' needs %s", p->m->slots[f->slot].name,
             night_of_time ? "'of' (type night), and neither 'from' nor 'fixed'"
                           : "either 'from' or 'fixed', and no 'of'");
  else if (f->type == FT_STATE && f->has_fixed) map_fail(p, OV_E_INVALID, "a state cannot be fixed");
  for (unsigned i = 0; i < f->n_from; i++) p->m->needed[f->from[i]] |= !f->optional;
  map_slot *s = &p->m->slots[f->slot];
  if (!p->failed && s->type != FT_COUNT && s->type != f->type)
    map_fail(p, OV_E_INVALID, "field '%s' has another type above", s->name);
  s->type = f->type;
  p->line = here;
}

static void field_begin(map_parser *p, const char *name) {
  oc_import_map *m = p->m;
  if (!name_legal(name)) {
    map_fail(p, OV_E_INVALID, "'%.40s' is no legal field name: 1 to 32 of a-z, 0-9 and _", name);
    return;
  }
  if (m->n_fields == OC_IMPORT_MAP_FIELDS_MAX) {
    map_fail(p, OV_E_INVALID, "more than %u fields", OC_IMPORT_MAP_FIELDS_MAX);
    return;
  }
  unsigned s = map_slot_find(m, name);
  if (s == m->n_slots)
    m->slots[m->n_slots++] = (map_slot){.name = name, .type = FT_COUNT, .hidden = name[0] == '_'};
  p->field = &m->fields[m->n_fields++];
  p->field->line = p->line;
  p->field->slot = s;
  p->field->unit_s = 60;
  p->section = SEC_FIELD;
}

static void section_line(map_parser *p, const char *s, size_t n) {
  char name[80];
  field_done(p);
  size_t len = n - 2;
  if (s[n - 1] != ']' || len >= sizeof name) {
    map_fail(p, OV_E_INVALID, "'[section]' is expected");
    return;
  }
  memcpy(name, s + 1, len);
  name[len] = '\0';
  if (!strcmp(name, "file")) {
    p->section = SEC_FILE;
  } else if (!strcmp(name, "client")) {
    p->section = SEC_CLIENT;
  } else if (!strcmp(name, "rows")) {
    p->section = SEC_ROWS;
  } else if (!strncmp(name, "field ", 6)) {
    char *copy = ov_arena_dup(&p->m->arena, name + 6, len - 5);
    if (copy) field_begin(p, copy);
    else map_fail(p, OV_E_NOMEM, "out of memory");
  } else {
    map_fail(p, OV_E_INVALID, "section [%s] is not known; [file], [client], [field NAME] and [rows] are",
             name);
  }
}

static void map_line(map_parser *p, const char *s, size_t n) {
  while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r')) n--;
  while (n && (*s == ' ' || *s == '\t')) {
    s++;
    n--;
  }
  if (!n || *s == '#' || *s == ';') return;
  if (*s == '[' && n >= 2) {
    section_line(p, s, n);
    return;
  }
  map_tokens(p, s, n);
  if (p->failed) return;
  const char *key = p->tok.t[0].text;
  if (p->tok.n < 3 || p->tok.t[0].quoted || (p->tok.t[1].text[0] != '=' && !p->tok.t[1].quoted))
    map_fail(p, OV_E_INVALID, "'key = value' is expected");
  else if (p->section == SEC_FILE) map_file_line(p, key);
  else if (p->section == SEC_CLIENT) map_client_line(p, key);
  else if (p->section == SEC_ROWS) map_rows_line(p, key);
  else if (p->section == SEC_FIELD) map_field_line(p, key);
  else map_fail(p, OV_E_INVALID, "the first section must be [file]");
}

static bool in_list(const map_list *l, unsigned slot) {
  for (unsigned i = 0; i < l->n; i++)
    if (l->slot[i] == slot) return true;
  return false;
}

static void check_slot_lists(map_parser *p) {
  const oc_import_map *m = p->m;
  for (unsigned i = 0; i < m->sequence.n; i++) {
    ftype t = m->slots[m->sequence.slot[i]].type;
    if (t != FT_DATETIME && t != FT_TIME)
      map_fail(p, OV_E_INVALID, "'sequence' lists '%s', which is no time",
               m->slots[m->sequence.slot[i]].name);
  }
  for (unsigned i = 0; i < m->sum.n; i++) {
    ftype t = m->slots[m->sum.slot[i]].type;
    if (t != FT_MINUTES && t != FT_INT)
      map_fail(p, OV_E_INVALID, "'fits' adds '%s', which is no number of minutes",
               m->slots[m->sum.slot[i]].name);
  }
  for (unsigned i = 0; i < m->n_slots; i++)
    if (m->slots[i].type == FT_TIME && m->night == m->n_slots)
      map_fail(p, OV_E_INVALID,
               "field '%s' is a time of day; then 'night' in [rows] must name the field with its date",
               m->slots[i].name);
  if (!m->key.n)
    map_fail(p, OV_E_INVALID, "[rows] has no 'key': the fields that tell one record from another");
}

static bool is_time(ftype t) { return t == FT_DATE || t == FT_DATETIME || t == FT_TIME; }

static void check_fixed(map_parser *p, map_field *f) {
  if (!f->has_fixed || f->type == FT_TEXT) return;
  if (!map_whole(f->fixed, &f->fixed_int)) map_fail(p, OV_E_INVALID, "'%.40s' is no whole number", f->fixed);
  else if (is_time(f->type) && (f->fixed_int < -99 || f->fixed_int > -97))
    map_fail(p, OV_E_INVALID, "a date or time can only be fixed to a missing code, -99 to -97");
}

/* A translated time would be a moment that no clock showed. */
static void check_time_values(map_parser *p, const map_field *f) {
  for (unsigned i = 0; is_time(f->type) && i < f->values.n; i++)
    if (f->values.v[i].code < -99 || f->values.v[i].code > -97)
      map_fail(p, OV_E_INVALID, "a date or time can only be translated to a missing code, -99 to -97");
}

static void check_fields(map_parser *p) {
  oc_import_map *m = p->m;
  for (unsigned i = 0; i < m->n_fields && !p->failed; i++) {
    map_field *f = &m->fields[i];
    p->line = f->line;
    check_fixed(p, f);
    check_time_values(p, f);
    if (f->type == FT_NIGHT) {
      f->of_slot = map_slot_find(m, f->of);
      ftype t = f->of_slot < m->n_slots ? m->slots[f->of_slot].type : FT_COUNT;
      if (t != FT_DATETIME) map_fail(p, OV_E_INVALID, "'of = %.40s' names no field of type datetime", f->of);
    }
    if (m->change && !f->has_fixed && f->slot != m->at && f->slot != m->state)
      map_fail(p, OV_E_INVALID, "with each_row = change a field other than 'at' and 'state' must be fixed");
    if (m->change && f->slot >= m->night_base && f->slot < m->night_base + NS_COUNT)
      map_fail(p, OV_E_INVALID, "with each_row = change field '%s' is made from the changes",
               m->slots[f->slot].name);
    if (m->change && (f->slot == m->at || f->slot == m->state) && !m->slots[f->slot].hidden)
      map_fail(p, OV_E_INVALID, "'at' and 'state' are helpers: give them a name that begins with _");
    if (f->type == FT_STATE && !m->change)
      map_fail(p, OV_E_INVALID, "type state belongs to each_row = change");
  }
  p->line = 0;
}

/* A folded night has the fields of kind sleep; the map only adds fixed ones. */
void map_add_night_slots(map_parser *p) {
  oc_import_map *m = p->m;
  if (m->night_base != OC_IMPORT_COLUMNS_MAX) {
    map_fail(p, OV_E_INVALID, "'each_row' stands here twice");
    return;
  }
  m->night_base = m->n_slots;
  for (unsigned i = 0; i < NS_COUNT && !p->failed; i++) {
    if (map_slot_find(m, NIGHT_SLOTS[i].name) < m->n_slots)
      map_fail(p, OV_E_INVALID,
               "with each_row = change field '%s' is made from the changes; it cannot be mapped",
               NIGHT_SLOTS[i].name);
    m->slots[m->n_slots++] = (map_slot){.name = NIGHT_SLOTS[i].name, .type = NIGHT_SLOTS[i].type};
  }
}

static void check_change(map_parser *p) {
  oc_import_map *m = p->m;
  if (m->at == OC_IMPORT_COLUMNS_MAX || m->state == OC_IMPORT_COLUMNS_MAX)
    map_fail(p, OV_E_INVALID, "each_row = change needs 'at' and 'state' in [rows]");
  if ((m->nap_from < 0) != (m->nap_to < 0))
    map_fail(p, OV_E_INVALID, "'nap_from' and 'nap_to' belong together");
  if (m->merge) map_fail(p, OV_E_INVALID, "'merge' belongs to each_row = record");
}

/* State words of shape change. */
static void check_states(map_parser *p) {
  static const char *const words[] = {"to_sleep", "asleep", "awake", "up", NULL};
  for (unsigned i = 0; i < p->m->n_fields; i++) {
    map_field *f = &p->m->fields[i];
    for (unsigned k = 0; f->type == FT_STATE && k < f->values.n; k++) {
      int w = 0;
      while (words[w] && strcmp(words[w], f->values.v[k].to) != 0) w++;
      p->line = f->line;
      if (!words[w])
        map_fail(p, OV_E_INVALID, "state '%.40s' is not known; to_sleep, asleep, awake and up are",
                 f->values.v[k].to);
      f->values.v[k].code = ST_TO_SLEEP + w;
    }
  }
  p->line = 0;
}

void map_check(map_parser *p) {
  oc_import_map *m = p->m;
  field_done(p);
  p->line = 0;
  if (!m->kind || !name_legal(m->kind)) map_fail(p, OV_E_INVALID, "[file] has no legal 'kind'");
  if (m->night == OC_IMPORT_COLUMNS_MAX) m->night = m->n_slots;
  if (m->change) check_change(p);
  for (unsigned i = 0; i < m->n_fields && !p->failed; i++)
    if (m->slots[m->fields[i].slot].hidden && in_list(&m->key, m->fields[i].slot))
      map_fail(p, OV_E_INVALID, "'key' names a helper, which is not kept");
  check_fields(p);
  check_slot_lists(p);
  check_states(p);
  if (!m->n_columns) map_fail(p, OV_E_INVALID, "no column of the file is used");
}

static void map_defaults(oc_import_map *m) {
  m->zone = "Europe/Amsterdam";
  m->night = m->at = m->state = m->night_base =
      OC_IMPORT_COLUMNS_MAX; /* none yet; no slot has so high a number */
  m->nap_from = m->nap_to = -1;
  m->nap_max_s = 4 * HOUR_S;
  m->join_s = 4 * HOUR_S;
}

int oc_import_map_parse(const char *text, size_t n, oc_import_map **out, oc_import_error *err) {
  *out = NULL;
  *err = (oc_import_error){0};
  map_parser p = {.m = calloc(1, sizeof *p.m), .err = err};
  if (!p.m) return OV_E_NOMEM;
  ov_arena_init(&p.m->arena, OC_IMPORT_MAP_ARENA_BYTES_MAX);
  map_defaults(p.m);
  if (n > OC_IMPORT_MAP_BYTES_MAX)
    map_fail(&p, OV_E_LIMIT, "the map is larger than %u bytes", OC_IMPORT_MAP_BYTES_MAX);
  else if (n && !ov_utf8_valid((const uint8_t *)text, n))
    map_fail(&p, OV_E_INVALID, "the map is no UTF-8 text");
  if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
    text += 3;
    n -= 3;
  }
  while (n && !p.failed) {
    const char *nl = memchr(text, '\n', n);
    size_t len = nl ? (size_t)(nl - text) : n;
    p.line++;
    map_line(&p, text, len);
    text += len + (nl != NULL);
    n -= len + (nl != NULL);
  }
  if (!p.failed) map_check(&p);
  if (p.failed) oc_import_map_free(p.m);
  else *out = p.m;
  return p.failed;
}

void oc_import_map_free(oc_import_map *m) {
  if (!m) return;
  ov_arena_free(&m->arena);
  free(m);
}

const char *oc_import_map_kind(const oc_import_map *m) { return m->kind; }

const char *oc_import_map_zone(const oc_import_map *m) { return m->zone; }

static const oc_import_type TYPE_OF[FT_COUNT] = {
    [FT_INT] = OC_IMPORT_INT,           [FT_MINUTES] = OC_IMPORT_INT,   [FT_BOOL] = OC_IMPORT_BOOL,
    [FT_CODE] = OC_IMPORT_CODE,         [FT_CODES] = OC_IMPORT_CODES,   [FT_DATE] = OC_IMPORT_DATE,
    [FT_DATETIME] = OC_IMPORT_DATETIME, [FT_TIME] = OC_IMPORT_DATETIME, [FT_NIGHT] = OC_IMPORT_DATE,
    [FT_TEXT] = OC_IMPORT_TEXT,         [FT_STATE] = OC_IMPORT_CODE};

oc_import_type map_slot_type(const oc_import_map *m, unsigned slot) { return TYPE_OF[m->slots[slot].type]; }

const char *oc_import_map_field(const oc_import_map *m, size_t i, oc_import_type *type) {
  for (unsigned s = 0; s < m->n_slots; s++) {
    if (m->slots[s].hidden || i--) continue;
    *type = map_slot_type(m, s);
    return m->slots[s].name;
  }
  return NULL;
}

int oc_import_map_wants_client(const oc_import_map *m) { return m->client == CLIENT_OPTION; }
