/* Folds rows that each tell one change of state (Inslapen, Slapen, Wakker, Uit bed) into nights.
 *
 *   bed_at          the first change of the night          final_wake_at   the end of the last sleep
 *   sleep_try_at    the first time of trying to sleep      out_of_bed_at   the last time of getting up
 *   sol_min         from there to the first sleep          wake_count, waso_min   between first and last
 * sleep
 *
 * A row that cannot be read makes the night around it wrong, so that night is left out and named. */
#include "import_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct night {
  bool open;
  const char *client, *raw;
  unsigned line, last_line, broken_line;
  sleep_state state;
  value bed, try_at, onset, wake, up,
      last; /* kind V_NONE until it happened; wake: start of the present wakefulness */
  int64_t waso_s, wakes;
} night;

typedef struct nap {
  int64_t day, minutes;
  unsigned line;
} nap;

typedef struct folder {
  importer *im;
  night n;
  unsigned pending_broken; /* line of a broken row after which no night has begun yet; 0: none */
  unsigned seq;            /* of the last good row */
  unsigned last_line;
  bool has_last;
  int64_t last_utc;
  nap *naps;
  size_t n_naps, cap_naps, first_draft;
} folder;

static void add_change(importer *im, change c) {
  change *p = import_more(im, im->changes, im->n_changes, &im->cap_changes, sizeof *p, OC_IMPORT_CHANGES_MAX,
                          "changes of state");
  if (!p) return;
  im->changes = p;
  c.line = im->rec.line;
  c.seq = im->m->descending ? UINT32_MAX - (unsigned)im->n_changes : (unsigned)im->n_changes;
  p[im->n_changes++] = c;
}

void read_change(importer *im) {
  const oc_import_map *m = im->m;
  const char *client = NULL;
  value *v = import_alloc(im, sizeof *v * m->n_slots);
  const char *raw = v ? import_raw(im, im->rec.raw, im->rec.raw_n) : NULL;
  if (!raw) return;
  bool known = cells_fit(im) && read_client(im, &client), ok = known && read_fields(im, v);
  if (ok && (v[m->at].kind == V_NONE || v[m->at].kind == V_CODE))
    ok = import_no(im, m->slots[m->at].name, "the row has no time");
  if (ok && v[m->state].kind == V_NONE) ok = import_no(im, m->slots[m->state].name, "the row has no state");
  if (im->failed) return;
  if (!ok) import_bad(im, im->rec.line, im->column, im->reason, raw);
  add_change(im, (change){.client = known ? client : NULL,
                          .state = ok ? (sleep_state)v[m->state].i : ST_BROKEN,
                          .at = ok ? v[m->at] : (value){.kind = V_NONE},
                          .raw = raw});
}

static int change_compare(const void *a, const void *b) {
  const change *x = a, *y = b;
  int by_client = !x->client || !y->client ? (x->client != NULL) - (y->client != NULL)
                                           : strcmp(x->client, y->client);
  return by_client ? by_client : x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int64_t minutes(int64_t seconds) { return (seconds + 30) / 60; }

static int64_t time_of_day(int64_t local) { return local - oc_day_of(local) * DAY_S; }

static bool in_nap_time(const oc_import_map *m, int64_t local) {
  int64_t t = time_of_day(local);
  return m->nap_from >= 0 && t >= m->nap_from && t < m->nap_to;
}

static bool is_nap(const oc_import_map *m, const night *n) {
  return n->up.kind == V_INT && in_nap_time(m, n->bed.local) && n->up.i - n->bed.i <= m->nap_max_s;
}

static int64_t night_date(const night *n) {
  return night_of(n->onset.kind == V_INT ? n->onset.local : n->bed.local);
}

static void add_nap(folder *f) {
  importer *im = f->im;
  nap *p = import_more(im, f->naps, f->n_naps, &f->cap_naps, sizeof *p, OC_IMPORT_CHANGES_MAX, "naps");
  if (!p) return;
  f->naps = p;
  int64_t asleep = f->n.onset.kind == V_INT ? f->n.wake.i - f->n.onset.i - f->n.waso_s : 0;
  p[f->n_naps++] = (nap){.day = oc_day_of(f->n.bed.local), .minutes = minutes(asleep), .line = f->n.line};
}

static void put_int(value *v, bool known, int64_t i) {
  if (known) *v = (value){.kind = V_INT, .i = i};
}

static void add_night(folder *f) {
  importer *im = f->im;
  const oc_import_map *m = im->m;
  const night *n = &f->n;
  value *v = import_alloc(im, sizeof *v * m->n_slots);
  if (!v) return;
  for (unsigned i = 0; i < m->n_fields; i++)
    if (m->fields[i].has_fixed) v[m->fields[i].slot] = fixed_value(im, &m->fields[i]);
  value *s = v + m->night_base;
  bool slept = n->onset.kind == V_INT, ended = n->up.kind == V_INT;
  s[NS_DATE] = (value){.kind = V_INT, .i = night_date(n)};
  s[NS_BED] = n->bed;
  s[NS_TRY] = n->try_at;
  put_int(&s[NS_SOL], slept && n->try_at.kind == V_INT, minutes(n->onset.i - n->try_at.i));
  put_int(&s[NS_WAKES], slept, n->wakes);
  put_int(&s[NS_WASO], slept, minutes(n->waso_s));
  if (slept && ended) s[NS_WAKE] = n->wake;
  s[NS_UP] = n->up;
  if (!ended)
    import_note(im, n->line, "", "the log stops before this night ends (line %u); its end is left open",
                n->last_line);
  else if (!slept) import_note(im, n->line, "", "no sleep is logged in this night");
  add_draft(im, n->client, v, n->line, n->last_line, n->raw);
}

static void close_night(folder *f) {
  char reason[OC_IMPORT_REASON_MAX], date[40];
  if (!f->n.open) return;
  if (f->n.broken_line) {
    show_local(night_date(&f->n) * DAY_S, true, date);
    snprintf(reason, sizeof reason,
             "the night of %.10s (lines %u to %u) is left out: line %u in or beside it could not be used",
             date, f->n.line, f->n.last_line, f->n.broken_line);
    import_bad(f->im, f->n.line, "", reason, f->n.raw);
  } else if (is_nap(f->im->m, &f->n)) {
    add_nap(f);
  } else {
    add_night(f);
  }
  f->n.open = false;
}

static void open_night(folder *f, const change *c) {
  f->n = (night){.open = true,
                 .client = c->client,
                 .raw = c->raw,
                 .line = c->line,
                 .last_line = c->line,
                 .bed = c->at,
                 .broken_line = f->pending_broken};
  f->pending_broken = 0;
}

/* Does a new change still belong to the open night? */
static bool continues(const folder *f, const change *c) {
  const oc_import_map *m = f->im->m;
  const night *n = &f->n;
  if (c->at.i - n->last.i > OC_IMPORT_SILENCE_SECONDS_MAX) return false;
  if (n->state != ST_UP || c->state == ST_UP) return true;
  return !in_nap_time(m, c->at.local) && night_of(c->at.local) == night_of(n->bed.local) &&
         c->at.i - n->up.i <= m->join_s;
}

static void step(night *n, const change *c) {
  bool was_asleep = n->state == ST_ASLEEP;
  if (c->state == ST_TO_SLEEP && n->try_at.kind == V_NONE && n->onset.kind == V_NONE) n->try_at = c->at;
  if (c->state == ST_ASLEEP && n->onset.kind == V_NONE) {
    n->onset = c->at;
    if (n->try_at.kind == V_NONE && n->state == 0)
      n->try_at = c->at; /* found asleep: the log knows no earlier moment */
  } else if (c->state == ST_ASLEEP && !was_asleep) {
    n->waso_s += c->at.i - n->wake.i;
    n->wakes++;
  }
  if (c->state != ST_ASLEEP && was_asleep) n->wake = c->at;
  if (c->state == ST_UP && n->state != ST_UP) n->up = c->at;
  else if (c->state != ST_UP) n->up = (value){.kind = V_NONE};
  n->state = c->state;
  n->last = c->at;
  n->last_line = c->line > n->last_line ? c->line : n->last_line;
  n->line = c->line < n->line ? c->line : n->line;
}

static void broken_row(folder *f, unsigned line) {
  if (f->n.open && !f->n.broken_line) f->n.broken_line = line;
  f->pending_broken = line;
}

static void good_row(folder *f, const change *c) {
  if (f->n.open && !continues(f, c)) close_night(f);
  if (!f->n.open && (c->state == ST_UP || c->state == ST_AWAKE)) {
    if (c->state == ST_AWAKE) import_note(f->im, c->line, "", "awake while out of bed: not used");
    f->pending_broken = 0;
    return;
  }
  if (f->n.open && f->n.state == ST_UP && c->state == ST_AWAKE) {
    import_note(f->im, c->line, "", "awake while out of bed: not used");
    return;
  }
  if (!f->n.open) open_night(f, c);
  step(&f->n, c);
  f->pending_broken = 0;
}

/* A row's time in the light of the one before it. */
static bool place_change(folder *f, change *c) {
  importer *im = f->im;
  im->rec.line = c->line;
  if (c->at.kind == V_LOCAL && !place_one(im, im->m->slots[im->m->at].name, &c->at, f->has_last, f->last_utc))
    return false;
  if (f->has_last && c->at.i < f->last_utc)
    return import_no(im, im->m->slots[im->m->at].name, "the row is earlier than line %u", f->last_line);
  f->has_last = true;
  f->last_utc = c->at.i;
  f->last_line = c->line;
  return true;
}

/* First broken row of no known client between two rows, by their places in the file; NULL when there is none.
 */
static const change *broken_between(const importer *im, size_t n_unknown, unsigned from, unsigned to) {
  size_t lo = 0, hi = n_unknown;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (im->changes[mid].seq <= from) lo = mid + 1;
    else hi = mid;
  }
  return lo < n_unknown && im->changes[lo].seq < to ? &im->changes[lo] : NULL;
}

/* Naps and nights of one client both ascend by day. */
static void give_naps(folder *f) {
  importer *im = f->im;
  size_t d = f->first_draft;
  char date[40];
  for (size_t i = 0; i < f->n_naps && !im->failed; i++) {
    const unsigned base = im->m->night_base;
    while (d < im->n_drafts && im->drafts[d].v[base + NS_DATE].i < f->naps[i].day) d++;
    if (d < im->n_drafts && im->drafts[d].v[base + NS_DATE].i == f->naps[i].day) {
      value *v = &im->drafts[d].v[base + NS_NAP];
      *v = (value){.kind = V_INT, .i = v->i + f->naps[i].minutes};
    } else {
      show_local(f->naps[i].day * DAY_S, true, date);
      import_note(im, f->naps[i].line, "nap_min",
                  "%d minutes of sleep in the day of %.10s are not used: the file has no night of that date",
                  (int)f->naps[i].minutes, date);
    }
  }
}

static void fold_client(importer *im, size_t from, size_t to, size_t n_unknown) {
  folder f = {.im = im, .first_draft = im->n_drafts};
  const change *gap;
  unsigned seq = 0;
  bool first = true;
  for (size_t i = from; i < to && !im->failed; i++) {
    change *c = &im->changes[i];
    gap = first ? NULL : broken_between(im, n_unknown, seq, c->seq);
    if (first && n_unknown && im->changes[0].seq < c->seq) gap = &im->changes[0];
    if (gap) broken_row(&f, gap->line);
    seq = c->seq;
    first = false;
    if (c->state == ST_BROKEN) {
      broken_row(&f, c->line);
    } else if (!place_change(&f, c)) {
      import_bad(im, c->line, im->column, im->reason, c->raw);
      broken_row(&f, c->line);
    } else {
      good_row(&f, c);
    }
  }
  gap = broken_between(im, n_unknown, seq, UINT32_MAX);
  if (gap) broken_row(&f, gap->line);
  close_night(&f);
  give_naps(&f);
}

void fold_changes(importer *im) {
  size_t unknown = 0;
  if (im->n_changes) qsort(im->changes, im->n_changes, sizeof *im->changes, change_compare);
  while (unknown < im->n_changes && !im->changes[unknown].client) unknown++;
  for (size_t i = unknown, next; i < im->n_changes && !im->failed; i = next) {
    next = i + 1;
    while (next < im->n_changes && !strcmp(im->changes[next].client, im->changes[i].client)) next++;
    fold_client(im, i, next, unknown);
  }
}
