#include "entries.h"

#include <string.h>

#define WRONG_VALUE 4000 /* in no range and no list of codes */

/* The field that people come back to, with the values it may take. */
typedef struct editable {
  const char *kind, *field;
  int lo, hi;
} editable;
static const editable editables[] = {{"sleep", "quality", 1, 5},
                                     {"sleep_check", "state", 1, 5},
                                     {"day_structure", "realised_min", 5, 120},
                                     {"social_contact", "valence", -2, 2},
                                     {"tech_use", "use_min", 5, 240},
                                     {"goal", "score", -2, 2},
                                     {"remote_care", "connection", 1, 3}};

static const editable *editable_of(const ov_skind *kind) {
  for (size_t i = 0; i < sizeof editables / sizeof *editables; i++) {
    if (!strcmp(editables[i].kind, kind->name)) return &editables[i];
  }
  return NULL;
}

const char *dd_note(dd_rng *r) {
  static const char *const notes[] = {
      "Was rustig en lag lekker.",   "Vroeg om een slokje water.",   "Het licht op de gang bleef aan.",
      "Vond het gezellig.",          "Had er vandaag geen zin in.",  "Ging beter dan gisteren.",
      "Wilde eerst de krant lezen.", "Heeft zelf de knop gevonden.", "Belt morgen weer.",
      "Was moe van het uitje.",      "Het geluid stond te hard.",    "Samen koffie gedronken."};
  return notes[dd_below(r, sizeof notes / sizeof *notes)];
}

/* -- picking --------------------------------------------------------------------------------------------- */

/* Has this tablet seen the entry as it is now? */
static bool sees(const dd_desk *d, const dd_entry *e, unsigned tablet) {
  uint8_t bit = (uint8_t)(1u << tablet);
  if (e->pending) return e->pending == bit && e->main.n < DD_LIVE_MAX;
  return e->changed <= d->tablets[tablet].seen;
}

static dd_entry *pick(dd_desk *d, unsigned tablets, bool conflicted, int64_t at) {
  uint32_t from = dd_below(d->rng, DD_RECENT);
  for (uint32_t i = 0; i < DD_RECENT; i++) {
    dd_entry *e = &d->recent->v[(from + i) % DD_RECENT];
    if (!e->kind || (e->main.n == DD_LIVE_MAX) != conflicted || e->at > at) continue;
    bool all = true;
    for (unsigned k = 0; k < DD_TEAM_TABLETS; k++) all &= !(tablets & 1u << k) || sees(d, e, k);
    if (all) return e;
  }
  return NULL;
}

static int64_t other_value(dd_desk *d, const dd_entry *e, int64_t not_this) {
  const editable *x = editable_of(e->kind);
  int64_t v = dd_between(d->rng, x->lo, x->hi);
  bool taken = v == not_this;
  for (unsigned i = 0; i < e->main.n; i++) taken |= v == e->main.value[i];
  for (int64_t tries = x->lo; taken && tries <= x->hi; tries++) {
    v = tries;
    taken = v == not_this;
    for (unsigned i = 0; i < e->main.n; i++) taken |= v == e->main.value[i];
  }
  return v;
}

/* -- writing --------------------------------------------------------------------------------------------- */

static void add_name(ov_name *list, uint32_t *n, const ov_name *name) {
  uint32_t at = *n;
  for (uint32_t i = 0; i < *n; i++) {
    if (ov_name_equal(&list[i], name)) return;
  }
  for (; at && ov_name_compare(&list[at - 1], name) > 0; at--) list[at] = list[at - 1];
  list[at] = *name;
  ++*n;
}

static ov_name change(dd_desk *d, unsigned tablet, dd_entry *e, const dd_person *author, int64_t at,
                      ov_field *f, const ov_name *saw, uint32_t n) {
  ov_name replaces[2 * DD_LIVE_MAX + 1];
  uint32_t n_replaces = 0;
  for (uint32_t i = 0; i < n; i++) add_name(replaces, &n_replaces, &saw[i]);
  ov_op op = {.kind = e->kind->id,
              .version = e->kind->version,
              .record = e->record,
              .fields = f,
              .n_fields = 1,
              .replaces = replaces,
              .n_replaces = n_replaces};
  d->counts->ops++;
  e->pending |= (uint8_t)(1u << tablet);
  return dd_tablet_add(&d->tablets[tablet], d->hasher, e->who, author, at, op);
}

static void cell_start(dd_cell *c, const dd_form *f, const ov_name *by, const char *field) {
  const ov_value *v;
  *c = (dd_cell){.field = dd_field_id(f->kind, field)};
  v = dd_form_get(f, c->field);
  if (!v) return;
  c->n = 1;
  c->by[0] = *by;
  c->value[0] = v->type == OV_V_INT ? v->i : 0;
}

ov_name dd_entry_add(dd_desk *d, unsigned tablet, dd_form *f, const dd_participant *who,
                     const dd_person *author, int64_t at, bool keep) {
  ov_name name = dd_tablet_add(&d->tablets[tablet], d->hasher, who, author, at, dd_form_op(f, 0));
  const editable *x = editable_of(f->kind);
  d->counts->ops++;
  d->counts->records++;
  if (!keep || !x) return name;
  dd_entry *e = &d->recent->v[d->recent->next++ % DD_RECENT];
  *e = (dd_entry){.kind = f->kind, .record = name, .who = who, .at = at, .pending = (uint8_t)(1u << tablet)};
  cell_start(&e->main, f, &name, x->field);
  cell_start(&e->note, f, &name, "note");
  return name;
}

static void set_cell(dd_cell *c, ov_name by, int64_t value) {
  c->n = 1;
  c->by[0] = by;
  c->value[0] = value;
}

bool dd_entry_edit(dd_desk *d, unsigned tablet, const dd_person *author, int64_t at) {
  dd_entry *e = pick(d, 1u << tablet, false, at);
  if (!e) return false;
  d->counts->edits++;
  if (dd_chance(d->rng, 250)) {
    ov_field f = {e->note.field, ov_text(dd_note(d->rng))};
    set_cell(&e->note, change(d, tablet, e, author, at, &f, e->note.by, e->note.n), 0);
    return true;
  }
  int64_t v = other_value(d, e, INT64_MAX);
  ov_field f = {e->main.field, ov_int(v)};
  set_cell(&e->main, change(d, tablet, e, author, at, &f, e->main.by, e->main.n), v);
  return true;
}

bool dd_entry_clash(dd_desk *d, const dd_person *a, const dd_person *b, int64_t at) {
  dd_entry *e = pick(d, (1u << DD_TEAM_TABLETS) - 1, false, at);
  if (!e) return false;
  dd_cell saw = e->main;
  int64_t v[DD_LIVE_MAX] = {other_value(d, e, INT64_MAX)};
  v[1] = other_value(d, e, v[0]);
  for (unsigned i = 0; i < DD_LIVE_MAX; i++) {
    ov_field f = {saw.field, ov_int(v[i])};
    e->main.by[i] = change(d, i, e, i ? b : a, at + i * 300, &f, saw.by, saw.n);
    e->main.value[i] = v[i];
  }
  e->main.n = DD_LIVE_MAX;
  d->counts->edits += DD_LIVE_MAX;
  d->counts->conflicts++;
  return true;
}

bool dd_entry_settle(dd_desk *d, unsigned tablet, const dd_person *author, int64_t at) {
  dd_entry *e = pick(d, 1u << tablet, true, at);
  if (!e || e->pending) return false;
  int64_t v = e->main.value[dd_below(d->rng, DD_LIVE_MAX)];
  ov_field f = {e->main.field, ov_int(v)};
  set_cell(&e->main, change(d, tablet, e, author, at, &f, e->main.by, e->main.n), v);
  d->counts->edits++;
  d->counts->settled++;
  return true;
}

bool dd_entry_wrong(dd_desk *d, unsigned tablet, const dd_person *author, int64_t at, ov_name *held) {
  dd_entry *e = pick(d, 1u << tablet, false, at);
  if (!e) return false;
  ov_field f = {e->main.field, ov_int(WRONG_VALUE)};
  *held = change(d, tablet, e, author, at, &f, e->main.by, e->main.n);
  d->counts->edits++;
  return true;
}

bool dd_entry_retract(dd_desk *d, unsigned tablet, const dd_person *author, int64_t at) {
  static const char *const reasons[] = {"Bij de verkeerde cliënt ingevuld", "Dubbel ingevuld",
                                        "Verkeerde dag"};
  dd_entry *e = pick(d, 1u << tablet, false, at);
  if (!e) return false;
  ov_name saw[2 * DD_LIVE_MAX + 1];
  uint32_t n = 0;
  add_name(saw, &n, &e->record); /* its other fields still stand in the op that made it */
  for (unsigned i = 0; i < e->main.n; i++) add_name(saw, &n, &e->main.by[i]);
  for (unsigned i = 0; i < e->note.n; i++) add_name(saw, &n, &e->note.by[i]);
  ov_field f = {OV_FIELD_RETRACTED, ov_text(reasons[dd_below(d->rng, sizeof reasons / sizeof *reasons)])};
  change(d, tablet, e, author, at, &f, saw, n);
  e->kind = NULL;
  d->counts->edits++;
  d->counts->retracted++;
  return true;
}

void dd_entries_pushed(dd_recent *r, unsigned tablet, uint64_t order) {
  uint8_t bit = (uint8_t)(1u << tablet);
  for (uint32_t i = 0; i < DD_RECENT; i++) {
    dd_entry *e = &r->v[i];
    if (!e->kind || !(e->pending & bit)) continue;
    e->pending &= (uint8_t)~bit;
    if (!e->pending) e->changed = order;
  }
}
