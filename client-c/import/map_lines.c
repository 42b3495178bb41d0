/* Lines of each section of a map. */
#include "import_internal.h"

#include <string.h>

void map_file_line(map_parser *p, const char *key) {
  static const char *const encodings[] = {"auto", "utf-8", "windows-1252", NULL};
  static const char *const decimals[] = {"auto", "point", "comma", NULL};
  static const char *const orders[] = {"dmy", "mdy", "ymd", NULL};
  static const char *const gaps[] = {"reject", "forward", NULL};
  static const char *const overlaps[] = {"order", "second", "reject", NULL};
  static const char *const delimiters[] = {"auto", "comma", "semicolon", "tab", "pipe", NULL};
  oc_import_map *m = p->m;
  if (!strcmp(key, "kind")) {
    m->kind = map_one(p, "name");
  } else if (!strcmp(key, "delimiter")) {
    m->delimiter = "\0,;\t|"[map_choice(p, delimiters)];
  } else if (!strcmp(key, "encoding")) {
    m->enc = (encoding)map_choice(p, encodings);
  } else if (!strcmp(key, "decimal")) {
    m->dec = (decimal)map_choice(p, decimals);
  } else if (!strcmp(key, "date_order")) {
    m->order = (date_order)map_choice(p, orders);
  } else if (!strcmp(key, "time_zone")) {
    m->zone = map_one(p, "name");
  } else if (!strcmp(key, "dst_gap")) {
    m->gap_forward = map_choice(p, gaps) == 1;
  } else if (!strcmp(key, "dst_overlap")) {
    m->over = (overlap)map_choice(p, overlaps);
  } else if (!strcmp(key, "missing")) {
    m->missing = map_texts(p, 2, &m->n_missing);
  } else if (!strcmp(key, "end")) {
    m->end = map_one(p, "\"text\"");
  } else if (!strcmp(key, "header")) {
    unsigned n;
    const char **names = map_texts(p, 2, &n);
    for (unsigned i = 0; i < n && !p->failed; i++) map_column(p, names[i], true);
  } else {
    map_fail(p, OV_E_INVALID,
             "'%.40s' is not known in [file]; kind, delimiter, encoding, decimal, date_order, time_zone, "
             "dst_gap, dst_overlap, "
             "missing, header and end are",
             key);
  }
}

unsigned map_slot_find(const oc_import_map *m, const char *name) {
  unsigned i = 0;
  while (i < m->n_slots && strcmp(m->slots[i].name, name) != 0) i++;
  return i;
}

/* Names become slots at the end, when all fields are known; until then a list keeps texts. */
static void slot_list(map_parser *p, map_list *l, unsigned from) {
  unsigned n;
  const char **names = map_texts(p, from, &n);
  l->slot = ov_arena_array(&p->m->arena, n ? n : 1, sizeof *l->slot);
  if (!l->slot) map_fail(p, OV_E_NOMEM, "out of memory");
  for (unsigned i = 0; l->slot && i < n && !p->failed; i++) {
    l->slot[i] = map_slot_find(p->m, names[i]);
    if (l->slot[i] == p->m->n_slots)
      map_fail(p, OV_E_INVALID, "'%.40s' is no field of this map; [rows] comes after the fields", names[i]);
  }
  l->n = p->failed ? 0 : n;
}

static unsigned slot_one(map_parser *p, const char *name, const char *types) {
  unsigned s = map_slot_find(p->m, name);
  if (s == p->m->n_slots) {
    map_fail(p, OV_E_INVALID, "'%.40s' is no field of this map; [rows] comes after the fields", name);
    return 0;
  }
  if (!strchr(types, '0' + (char)p->m->slots[s].type))
    map_fail(p, OV_E_INVALID, "field '%.40s' has a type that does not fit here", name);
  return s;
}

/* fits = sol_min, waso_min in sleep_try_at .. final_wake_at */
static void fits_line(map_parser *p) {
  tokens *t = &p->tok;
  unsigned n = t->n;
  static const char times[] = {'0' + FT_DATETIME, '0' + FT_TIME, 0};
  if (n < 7 || strcmp(t->t[n - 4].text, "in") != 0 || strcmp(t->t[n - 2].text, "..") != 0) {
    map_fail(p, OV_E_INVALID, "'fits = minutes, minutes in time .. time' is expected");
    return;
  }
  p->m->fits_from = slot_one(p, t->t[n - 3].text, times);
  p->m->fits_to = slot_one(p, t->t[n - 1].text, times);
  t->n = n - 4;
  slot_list(p, &p->m->sum, 2);
  p->m->has_fits = true;
}

static int64_t day_time(map_parser *p) {
  const char *s = map_one(p, "hh:mm");
  if (strlen(s) != 5 || s[2] != ':' || strspn(s, "0123456789:") != 5 || s[0] > '2' ||
      (s[0] == '2' && s[1] > '3') || s[3] > '5') {
    map_fail(p, OV_E_INVALID, "'%.40s' is no time of the form hh:mm", s);
    return 0;
  }
  return ((s[0] - '0') * 10 + (s[1] - '0')) * HOUR_S + ((s[3] - '0') * 10 + (s[4] - '0')) * 60;
}

void map_rows_line(map_parser *p, const char *key) {
  static const char *const shapes[] = {"record", "change", NULL};
  static const char *const directions[] = {"ascending", "descending", NULL};
  static const char date[] = {'0' + FT_DATE, 0}, datetime[] = {'0' + FT_DATETIME, 0},
                    state[] = {'0' + FT_STATE, 0};
  oc_import_map *m = p->m;
  if (!strcmp(key, "each_row")) {
    m->change = map_choice(p, shapes) == 1;
    if (m->change) map_add_night_slots(p);
  } else if (!strcmp(key, "keep")) {
    map_cond_line(p, &m->keep);
  } else if (!strcmp(key, "skip")) {
    map_cond_line(p, &m->skip);
  } else if (!strcmp(key, "merge")) {
    m->merge = map_yes(p);
  } else if (!strcmp(key, "file_order")) {
    m->descending = map_choice(p, directions) == 1;
  } else if (!strcmp(key, "key")) {
    slot_list(p, &m->key, 2);
  } else if (!strcmp(key, "needs")) {
    slot_list(p, &m->needs, 2);
  } else if (!strcmp(key, "sequence")) {
    slot_list(p, &m->sequence, 2);
  } else if (!strcmp(key, "fits")) {
    fits_line(p);
  } else if (!strcmp(key, "night")) {
    m->night = slot_one(p, map_one(p, "field"), date);
  } else if (!strcmp(key, "at")) {
    m->at = slot_one(p, map_one(p, "field"), datetime);
  } else if (!strcmp(key, "state")) {
    m->state = slot_one(p, map_one(p, "field"), state);
  } else if (!strcmp(key, "nap_from")) {
    m->nap_from = day_time(p);
  } else if (!strcmp(key, "nap_to")) {
    m->nap_to = day_time(p);
  } else if (!strcmp(key, "nap_max_min")) {
    m->nap_max_s = map_int(p, 1, 720) * 60;
  } else if (!strcmp(key, "join_max_min")) {
    m->join_s = map_int(p, 0, 960) * 60;
  } else {
    map_fail(p, OV_E_INVALID,
             "'%.40s' is not known in [rows]; each_row, keep, skip, merge, file_order, key, needs, sequence, "
             "fits, night, at, state, "
             "nap_from, nap_to, nap_max_min and join_max_min are",
             key);
  }
}

void map_client_line(map_parser *p, const char *key) {
  oc_import_map *m = p->m;
  if (!strcmp(key, "value")) {
    map_value_line(p, &m->client_values, false);
    return;
  }
  if (m->client != CLIENT_NONE) {
    map_fail(p, OV_E_INVALID, "[client] says twice where the client stands");
  } else if (!strcmp(key, "from")) {
    m->client_text = map_one(p, "\"column\" or option");
    m->client = CLIENT_COLUMN;
    if (p->tok.n == 3 && !p->tok.t[2].quoted && !strcmp(m->client_text, "option")) m->client = CLIENT_OPTION;
    else m->client_column = map_column(p, m->client_text, true);
  } else if (!strcmp(key, "fixed")) {
    m->client = CLIENT_FIXED;
    m->client_text = map_one(p, "\"text\"");
  } else if (!strcmp(key, "preamble")) {
    m->client = CLIENT_PREAMBLE;
    m->client_text = map_one(p, "\"text\"");
  } else {
    map_fail(p, OV_E_INVALID, "'%.40s' is not known in [client]; from, fixed, preamble and value are", key);
  }
}

static void field_from(map_parser *p, map_field *f) {
  const tokens *t = &p->tok;
  if (t->n < 3 || t->n - 2 > OC_IMPORT_FROM_MAX) {
    map_fail(p, OV_E_INVALID, "'from = \"column\"' with 1 to %u columns is expected", OC_IMPORT_FROM_MAX);
    return;
  }
  for (unsigned i = 2; i < t->n; i++) {
    if (!t->t[i].quoted) {
      map_fail(p, OV_E_INVALID, "column names stand in quotes");
      return;
    }
    f->from[f->n_from++] = map_column(p, t->t[i].text, false);
  }
}

void map_field_line(map_parser *p, const char *key) {
  static const char *const types[] = {"int",      "minutes", "bool",  "code", "codes", "date",
                                      "datetime", "time",    "night", "text", "state", NULL};
  static const char *const units[] = {"s", "min", "h", NULL};
  static const char *const days[] = {"evening", "morning", NULL};
  map_field *f = p->field;
  if (!strcmp(key, "type")) {
    f->type = (ftype)map_choice(p, types);
    f->has_type = true;
  } else if (!strcmp(key, "from") && !f->n_from) {
    field_from(p, f);
  } else if (!strcmp(key, "fixed")) {
    f->fixed = map_one(p, "value");
    f->has_fixed = true;
  } else if (!strcmp(key, "when")) {
    map_cond_line(p, &f->when);
  } else if (!strcmp(key, "value")) {
    map_value_line(p, &f->values, f->has_type && f->type != FT_TEXT && f->type != FT_STATE);
    if (!f->has_type) map_fail(p, OV_E_INVALID, "'type' comes before 'value'");
  } else if (!strcmp(key, "empty")) {
    f->empty = map_int(p, -99, -97);
    f->has_empty = true;
  } else if (!strcmp(key, "round")) {
    f->round = map_yes(p);
  } else if (!strcmp(key, "optional")) {
    f->optional = map_yes(p);
  } else if (!strcmp(key, "unit")) {
    f->unit_s = (const int64_t[]){1, 60, HOUR_S}[map_choice(p, units)];
  } else if (!strcmp(key, "day")) {
    f->morning = map_choice(p, days) == 1;
    f->has_day = true;
  } else if (!strcmp(key, "of")) {
    f->of = map_one(p, "field");
  } else if (!strcmp(key, "split")) {
    f->split = map_one(p, "\"sign\"");
  } else {
    map_fail(p, OV_E_INVALID,
             "'%.40s' %s; type, from, fixed, when, value, empty, round, optional, unit, day, of and split "
             "are allowed",
             key, !strcmp(key, "from") ? "stands here twice" : "is not known in [field]");
  }
}
