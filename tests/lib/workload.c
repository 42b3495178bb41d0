#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_TIME 1767225600 /* 2026-01-01 UTC; records spread over a year */

/* -- random numbers: sfc32, seeded through splitmix ---------------------------------------------- */

static uint32_t splitmix(uint32_t *s) {
  *s += 0x9e3779b9u;
  uint32_t t = *s ^ *s >> 16;
  t *= 0x21f0aaadu;
  t ^= t >> 15;
  t *= 0x735a2d97u;
  return t ^ t >> 15;
}

void wl_rng_init(wl_rng *r, uint32_t seed) {
  uint32_t s = seed ? seed : 1;
  r->a = splitmix(&s);
  r->b = splitmix(&s);
  r->c = splitmix(&s);
  r->d = 1;
  for (int i = 0; i < 12; i++) wl_u32(r);
}

uint32_t wl_u32(wl_rng *r) {
  uint32_t t = r->a + r->b + r->d++;
  r->a = r->b ^ r->b >> 9;
  r->b = r->c + (r->c << 3);
  r->c = (r->c << 21 | r->c >> 11) + t;
  return t;
}

uint32_t wl_int(wl_rng *r, uint32_t n) { return (uint32_t)((uint64_t)wl_u32(r) * n >> 32); }

int64_t wl_range(wl_rng *r, int64_t lo, int64_t hi) { return lo + wl_int(r, (uint32_t)(hi - lo + 1)); }

void wl_bytes(wl_rng *r, void *p, size_t n) {
  for (size_t i = 0; i < n; i++) ((uint8_t *)p)[i] = (uint8_t)wl_u32(r);
}

static bool chance(wl_rng *r, double p) { return (double)wl_u32(r) / 4294967296.0 < p; }

static void uuid_make(wl_rng *r, uint32_t uuid[4]) {
  for (int i = 0; i < 4; i++) uuid[i] = wl_u32(r);
}

/* -- records and edits -------------------------------------------------------------------------- */

static const char *const words[] = {
    "the",    "client",     "slept",    "well",  "after",    "walk",    "garden", "asked",    "for",
    "water",  "medication", "tea",      "was",   "restless", "at",      "night",  "called",   "sister",
    "felt",   "tired",      "mood",     "calm",  "upset",    "then",    "quiet",  "helped",   "with",
    "shower", "dinner",     "refused",  "pain",  "left",     "knee",    "better", "today",    "talked",
    "about",  "visit",      "tomorrow", "needs", "new",      "glasses", "and",    "slippers", "early",
    "late",   "again",      "twice",    "no"};
#define N_WORDS (sizeof words / sizeof *words)

static void note_make(wl_rng *r, char note[WL_NOTE_MAX]) {
  char s[WL_NOTE_MAX + 16] = "";
  size_t n = 0, len = 0;
  note[0] = 0;
  if (!chance(r, 0.25)) return;
  len = wl_int(r, 121);
  while (n < len) n += (size_t)sprintf(s + n, "%s%s", n ? " " : "", words[wl_int(r, N_WORDS)]);
  memcpy(note, s, len);
  note[len] = 0;
}

/* What a field's edit draws. */
typedef enum draw { NO_EDIT, RATING, WAKEUPS, FIVES, NOTE } draw;
typedef struct field {
  const char *name;
  draw edit;
  const char *const *codes;
} field;

static const char *const aids[] = {"none", "med", "music", "light"};
static const char *const places[] = {"bed", "chair", "sofa", "away"};
static const char *const categories[] = {"selfcare", "household", "work", "sport",
                                         "hobby",    "outing",    "rest", "therapy"};
static const char *const structures[] = {"planned", "guided", "free", "missed"};
static const char *const withs[] = {"family", "friend", "staff", "neighbour", "doctor", "group"};
static const char *const channels[] = {"visit", "phone", "video", "text"};

static const field sleep_fields[] = {
    {"bedtime", NO_EDIT, 0}, {"asleep_min", NO_EDIT, 0}, {"wake_at", NO_EDIT, 0}, {"wakeups", WAKEUPS, 0},
    {"awake_min", FIVES, 0}, {"quality", RATING, 0},     {"rested", RATING, 0},   {"nap_min", FIVES, 0},
    {"aid", NO_EDIT, aids},  {"place", NO_EDIT, places}, {"note", NOTE, 0}};
static const field activity_fields[] = {{"start", NO_EDIT, 0},
                                        {"duration_min", FIVES, 0},
                                        {"category", NO_EDIT, categories},
                                        {"structure", NO_EDIT, structures},
                                        {"effort", RATING, 0},
                                        {"satisfaction", RATING, 0},
                                        {"note", NOTE, 0}};
static const field contact_fields[] = {
    {"at", NO_EDIT, 0},         {"with", NO_EDIT, withs}, {"channel", NO_EDIT, channels},
    {"duration_min", FIVES, 0}, {"rating", RATING, 0},    {"note", NOTE, 0}};

typedef struct kind {
  const char *name;
  const field *fields;
  uint32_t n;
  uint32_t editable[6], n_editable;
} kind;
static const kind kinds[] = {
    {"sleep", sleep_fields, 11, {5, 6, 3, 4, 7, 10}, 6},
    {"activity", activity_fields, 7, {1, 4, 5, 6}, 4},
    {"contact", contact_fields, 6, {3, 4, 5}, 3},
};

uint32_t wl_kind_fields(wl_kind k) { return kinds[k].n; }

const char *wl_kind_name(wl_kind k) { return kinds[k].name; }

const char *wl_code_name(wl_kind k, uint32_t index, int64_t code) {
  const char *const *codes = kinds[k].fields[index].codes;
  return codes ? codes[code] : NULL;
}

const char *wl_field_name(wl_kind k, uint32_t index) { return kinds[k].fields[index].name; }

static void sleep_make(wl_rng *r, int64_t t, wl_record *rec) {
  rec->kind = WL_SLEEP;
  rec->v[0] = t - wl_range(r, 6 * 3600, 10 * 3600);
  rec->v[1] = wl_range(r, 2, 90);
  rec->v[2] = t;
  rec->v[3] = wl_int(r, 7);
  rec->v[4] = wl_int(r, 120);
  rec->v[5] = wl_range(r, 1, 5);
  rec->v[6] = wl_range(r, 1, 5);
  rec->v[7] = wl_int(r, 4) ? 0 : wl_range(r, 10, 120);
  rec->v[8] = wl_int(r, 4);
  rec->v[9] = wl_int(r, 4);
}

static void activity_make(wl_rng *r, int64_t t, wl_record *rec) {
  rec->kind = WL_ACTIVITY;
  rec->v[0] = t;
  rec->v[1] = wl_range(r, 1, 36) * 5;
  rec->v[2] = wl_int(r, 8);
  rec->v[3] = wl_int(r, 4);
  rec->v[4] = wl_range(r, 1, 5);
  rec->v[5] = wl_range(r, 1, 5);
}

static void contact_make(wl_rng *r, int64_t t, wl_record *rec) {
  rec->kind = WL_CONTACT;
  rec->v[0] = t;
  rec->v[1] = wl_int(r, 6);
  rec->v[2] = wl_int(r, 4);
  rec->v[3] = wl_range(r, 1, 24) * 5;
  rec->v[4] = wl_range(r, 1, 5);
}

static void record_make(wl_rng *r, int64_t t, wl_record *rec) {
  memset(rec, 0, sizeof *rec);
  uuid_make(r, rec->uuid);
  rec->client = wl_int(r, WL_CLIENTS);
  rec->author = wl_int(r, WL_STAFF);
  uint32_t k = wl_int(r, 100);
  if (k < 25) sleep_make(r, t, rec);
  else if (k < 70) activity_make(r, t, rec);
  else contact_make(r, t, rec);
  note_make(r, rec->note);
}

static void edit_field(wl_rng *r, wl_op *op) {
  const kind *k = &kinds[op->rec.kind];
  uint32_t f = k->editable[wl_int(r, k->n_editable)], i = 0;
  switch (k->fields[f].edit) {
  case NOTE:
    note_make(r, op->rec.note);
    if (!op->rec.note[0]) strcpy(op->rec.note, "checked");
    break;
  case RATING: op->rec.v[f] = wl_range(r, 1, 5); break;
  case WAKEUPS: op->rec.v[f] = wl_int(r, 7); break;
  default: op->rec.v[f] = wl_range(r, 1, 24) * 5; break;
  }
  while (i < op->n_set && op->set[i] != f) i++;
  if (i == op->n_set) op->set[op->n_set++] = f;
}

static void edit_make(wl_rng *r, const wl_record *of, uint32_t index, int64_t t, wl_op *op) {
  *op = (wl_op){.record = index, .t = t};
  op->rec = *of;
  int64_t n = wl_range(r, 1, 2);
  for (int64_t i = 0; i < n; i++) edit_field(r, op);
}

static void edit_apply(wl_record *rec, const wl_op *op) {
  for (uint32_t i = 0; i < op->n_set; i++) {
    rec->v[op->set[i] % WL_FIELDS_MAX] = op->rec.v[op->set[i] % WL_FIELDS_MAX];
    if (kinds[rec->kind].fields[op->set[i]].edit == NOTE) memcpy(rec->note, op->rec.note, sizeof rec->note);
  }
}

/* The team's own draws (ids of clients and staff) come from another stream, so they need not be made here. */
int wl_base_make(wl_base *b, uint32_t seed, uint32_t n) {
  wl_rng r;
  *b = (wl_base){.t = START_TIME, .seed = seed};
  b->recs = calloc(n ? n : 1, sizeof *b->recs);
  b->ops = calloc(n ? 2 * (size_t)n : 1, sizeof *b->ops);
  if (!b->recs || !b->ops) {
    wl_base_free(b);
    return -1;
  }
  wl_rng_init(&r, seed * 104729u + 1);
  for (uint32_t i = 0; i < n; i++) {
    b->t += wl_range(&r, 60, 6000);
    wl_op *op = &b->ops[b->n_ops++];
    *op = (wl_op){.put = true, .record = i, .t = b->t};
    record_make(&r, b->t, &op->rec);
    b->recs[b->n_recs++] = op->rec;
    if (!chance(&r, 0.3)) continue;
    uint32_t back = wl_int(&r, 40), j = back < i ? i - back : 0;
    wl_op *edit = &b->ops[b->n_ops++];
    edit_make(&r, &b->recs[j], j, b->t, edit);
    edit_apply(&b->recs[j], edit);
  }
  return 0;
}

void wl_base_free(wl_base *b) {
  free(b->recs);
  free(b->ops);
  *b = (wl_base){0};
}

void wl_shift_make(wl_op ops[WL_SHIFT_OPS], uint32_t seed, uint32_t tablet, const wl_base *b) {
  wl_rng r;
  bool edits[WL_SHIFT_OPS] = {false};
  uint32_t mine[WL_SHIFT_OPS], n_mine = 0, n_edits = 0;
  int64_t t = b->t;
  wl_rng_init(&r, (seed * 104729u + 1) ^ (tablet + 1) * 2654435761u);
  for (int size = 0; size < 12;) {
    int64_t at = wl_range(&r, 6, 51);
    size += !edits[at];
    edits[at] = true;
  }
  for (uint32_t i = 0; i < WL_SHIFT_OPS; i++) {
    t += wl_range(&r, 30, 900);
    if (!edits[i]) {
      ops[i] = (wl_op){.put = true, .record = n_mine, .t = t};
      record_make(&r, t, &ops[i].rec);
      mine[n_mine++] = i;
    } else if (n_edits++ % 2 == 0 || !b->n_recs) {
      uint32_t j = wl_int(&r, n_mine);
      edit_make(&r, &ops[mine[j]].rec, j, t, &ops[i]);
    } else {
      uint32_t back = wl_int(&r, 200), j = back < b->n_recs ? b->n_recs - 1 - back : 0;
      edit_make(&r, &b->recs[j], j, t, &ops[i]);
      ops[i].of_base = true;
    }
  }
}
