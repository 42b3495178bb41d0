/* One shift of one team is planned as a list of things that people do, put into order of time, and then done
 * on the team's tablets. */
#include "shifts.h"

#include <stdlib.h>
#include <string.h>

#include "calendar.h"

enum { EARLY, LATE, NIGHT, SHIFTS };
static const int shift_minutes[SHIFTS + 1] = {7 * 60, 15 * 60, 23 * 60, 31 * 60};

#define SHIFT_S (8 * 3600)
#define ROUND_S (2 * 3600)
#define ACTIONS_MAX 256
#define GOAL_DAYS 28
#define FORGOTTEN 120 /* permille of what should have been written down */

typedef enum what { WRITE, EDIT, CLASH, SETTLE, RETRACT, WRONG } what;

typedef struct action {
  what what;
  int64_t at;
  unsigned tablet, order;
  const dd_person *author, *second;
  dd_participant *who;
  bool by_outsider;
  dd_form form;
} action;

typedef struct shift {
  dd_run *run;
  dd_site *site;
  dd_scene scene;
  int64_t day, start, end;
  int which;
  bool
      /* the first team's, shortly before the end: one of everything, so that even a week shows it all */
      staged;
  const dd_person *staff[DD_TEAM_TABLETS];
  action *list, *sorted[ACTIONS_MAX];
  unsigned n;
} shift;

/* -- planning -------------------------------------------------------------------------------------------- */

static action *plan(shift *s, what w, int64_t at) {
  if (s->n == ACTIONS_MAX || at < s->start || at >= s->end) return NULL;
  action *a = &s->list[s->n];
  unsigned tablet = s->which == NIGHT ? (unsigned)(s->day & 1) : dd_below(&s->run->rng, DD_TEAM_TABLETS);
  a->what = w;
  a->at = at;
  a->order = s->n++;
  a->tablet = tablet;
  a->author = s->staff[tablet];
  a->second = s->staff[1 - tablet];
  a->who = s->scene.who;
  a->by_outsider = false;
  return a;
}

static int64_t sometime(shift *s) { return dd_between(&s->run->rng, s->start + 600, s->end - 1200); }

/* As a whole number and a chance: 2300 is two, and with 30 % one more. */
static unsigned times(dd_rng *r, unsigned permille) {
  return permille / 1000 + dd_chance(r, permille % 1000);
}

static void plan_some(shift *s, unsigned permille, void (*log)(dd_form *, const dd_scene *, int64_t)) {
  for (unsigned i = times(&s->run->rng, permille); i; i--) {
    action *a = dd_chance(&s->run->rng, FORGOTTEN) ? NULL : plan(s, WRITE, sometime(s));
    if (a) log(&a->form, &s->scene, a->at);
  }
}

static void plan_sleep(shift *s, int source, bool twice) {
  action *a = plan(s, WRITE, s->start + 60);
  if (!a) return;
  int64_t over = dd_log_sleep(&a->form, &s->scene, source),
          at = (over > s->start ? over : s->start) + 60 * dd_between(&s->run->rng, 5, 50);
  a->at = at < s->end ? at : s->end - 60;
  if (!twice) return;
  /* A colleague does not know that it has been written down. */
  action *b = plan(s, WRITE, a->at + 600 < s->end ? a->at + 600 : a->at);
  if (!b) return;
  dd_log_sleep(&b->form, &s->scene, source);
  b->tablet = 1 - a->tablet;
  b->author = a->second;
  s->run->counts.doubles++;
}

static void plan_morning(shift *s) {
  dd_rng *r = &s->run->rng;
  unsigned network = s->scene.team->project->network;
  if (s->day <= s->scene.team->first_day) return;
  s->scene.day = s->day - 1;
  bool staged = s->staged && s->scene.who == &s->site->team->who[0];
  if (staged || dd_chance(r, network == DD_SLEEP ? 920 : 250))
    plan_sleep(s, DD_SOURCE_SEEN, staged || dd_chance(r, 3));
  if (s->scene.who->sensor && dd_chance(r, 900)) plan_sleep(s, DD_SOURCE_BED, false);
  s->scene.day = s->day;
}

/* Every two hours by the clock that ticks, so five rounds in the long night of autumn and three in the short
 * one of spring. */
static void plan_rounds(shift *s) {
  dd_rng *r = &s->run->rng;
  if (!s->scene.who->rounds) return;
  for (int64_t at = s->start + ROUND_S / 2; at < s->end; at += ROUND_S) {
    action *a = dd_chance(r, FORGOTTEN) ? NULL : plan(s, WRITE, at + 60 * dd_between(r, 0, 25));
    if (a) dd_log_check(&a->form, &s->scene, s->day, a->at);
  }
}

static void plan_goals(shift *s) {
  int64_t since = s->day - s->site->team->first_day + (s->scene.who - s->site->team->who);
  if (since % GOAL_DAYS) return;
  for (unsigned g = 1; g <= 2; g++) {
    action *a = plan(s, WRITE, sometime(s));
    if (a) dd_log_goal(&a->form, &s->scene, a->at, g);
  }
}

static void plan_daytime(shift *s) {
  unsigned network = s->scene.team->project->network;
  plan_some(s, network == DD_DAY_STRUCTURE ? 2300 : 900, dd_log_activity);
  plan_some(s, network == DD_SOCIAL ? 1100 : 350, dd_log_contact);
  if (s->scene.trial) plan_some(s, 450, dd_log_tech);
  if (network == DD_REMOTE) plan_some(s, 500, dd_log_remote);
}

static void plan_participant(shift *s, dd_participant *w) {
  s->scene.who = w;
  if (w->away_until > s->day) return;
  if (s->which == EARLY && dd_chance(&s->run->rng, 4)) {
    w->away_until = s->day + dd_between(&s->run->rng, 2, 14);
    return;
  }
  if (s->which == NIGHT) {
    plan_rounds(s);
    return;
  }
  if (s->which == EARLY) plan_morning(s);
  plan_daytime(s);
  if (s->which == LATE) plan_goals(s);
}

/* What goes wrong and is put right. */
static void plan_changes(shift *s) {
  dd_rng *r = &s->run->rng;
  for (unsigned i = times(r, s->n * 110); i; i--) plan(s, EDIT, sometime(s));
  if (dd_chance(r, 22) || (s->staged && s->which == LATE)) plan(s, CLASH, sometime(s));
  if (!s->staged && dd_chance(r, 18)) plan(s, SETTLE, sometime(s));
  if (dd_chance(r, 35) || (s->staged && s->which == EARLY)) plan(s, RETRACT, sometime(s));
  if (dd_chance(r, 3) || (s->staged && s->which == LATE)) plan(s, WRONG, sometime(s));
  if (!s->n || !(dd_chance(r, 2) || (s->staged && s->which == EARLY))) return;
  action *a = &s->list[dd_below(r, s->n)];
  a->by_outsider = a->what == WRITE;
}

/* -- doing ----------------------------------------------------------------------------------------------- */

static void keep_held(dd_run *run, const ov_name *op, bool by_author) {
  run->counts.held++;
  if (run->n_held < DD_HELD_MAX) run->held[run->n_held++] = (dd_held){*op, by_author};
}

static void act(shift *s, dd_desk *d, action *a) {
  ov_name held;
  switch (a->what) {
  case WRITE:
    if (a->by_outsider) {
      /* The project's lead is in no team: what she writes as a carer is held until somebody admits it. */
      held = dd_entry_add(d, a->tablet, &a->form, a->who, &s->site->team->project->lead, a->at, false);
      keep_held(s->run, &held, true);
    } else {
      dd_entry_add(d, a->tablet, &a->form, a->who, a->author, a->at, true);
    }
    break;
  case EDIT: dd_entry_edit(d, a->tablet, a->author, a->at); break;
  case CLASH: dd_entry_clash(d, s->staff[0], s->staff[1], a->at); break;
  case SETTLE: dd_entry_settle(d, a->tablet, a->author, a->at); break;
  case RETRACT: dd_entry_retract(d, a->tablet, a->author, a->at); break;
  case WRONG:
    if (dd_entry_wrong(d, a->tablet, a->author, a->at, &held)) keep_held(s->run, &held, false);
    break;
  }
}

static int by_time(const void *x, const void *y) {
  const action *a = *(action *const *)x, *b = *(action *const *)y;
  if (a->at != b->at) return a->at < b->at ? -1 : 1;
  return a->order < b->order ? -1 : 1;
}

static void work(shift *s) {
  dd_run *run = s->run;
  dd_desk d = {.schemas = run->org->schemas,
               .hasher = run->hasher,
               .rng = &run->rng,
               .counts = &run->counts,
               .recent = &s->site->recent,
               .tablets = s->site->tablets};
  for (unsigned i = 0; i < s->n; i++) s->sorted[i] = &s->list[i];
  qsort(s->sorted, s->n, sizeof *s->sorted, by_time);
  for (unsigned i = 0; i < s->n; i++) act(s, &d, s->sorted[i]);
}

/* -- tablets: online most of the time -------------------------------------------------------------------- */

static void arrive(shift *s) {
  for (unsigned i = 0; i < DD_TEAM_TABLETS; i++) {
    dd_tablet *t = &s->site->tablets[i];
    if (s->staged) t->offline_until = 0;
    else if (t->offline_until <= s->start && dd_chance(&s->run->rng, 25))
      t->offline_until = s->start + dd_between(&s->run->rng, 1, 9) * SHIFT_S + 1;
    if (t->offline_until <= s->start) t->seen = s->run->order;
  }
}

static void leave(shift *s, int64_t *at_ms) {
  for (unsigned i = 0; i < DD_TEAM_TABLETS; i++) {
    dd_tablet *t = &s->site->tablets[i];
    if (!t->n || t->offline_until > s->end) continue;
    dd_tablet_push(t, &s->run->batch, at_ms);
    dd_entries_pushed(&s->site->recent, i, ++s->run->order);
    t->seen = s->run->order;
  }
}

/* -- the days -------------------------------------------------------------------------------------------- */

/* Teams stop logging now and then: illness, a move, holidays. */
static bool in_gap(dd_run *run, dd_site *site, int64_t day) {
  int year, month, mday;
  if (day < site->gap_until) return true;
  dd_civil(day, &year, &month, &mday);
  bool holidays = month == 7 || month == 8;
  if (!dd_chance(&run->rng, holidays ? 25 : 8)) return false;
  site->gap_until = day + (holidays ? dd_between(&run->rng, 3, 10) : dd_between(&run->rng, 1, 5));
  return true;
}

static bool is_staged(const dd_run *run, const dd_site *site, int64_t day) {
  return run->people->number == 1 && site == run->sites && day == run->plan->until_day - 2;
}

static void staff(shift *s) {
  unsigned first = dd_below(&s->run->rng, DD_TEAM_STAFF),
           second = (first + 1 + dd_below(&s->run->rng, DD_TEAM_STAFF - 1)) % DD_TEAM_STAFF;
  s->staff[0] = &s->site->team->staff[first];
  s->staff[1] = &s->site->team->staff[second];
}

static void team_shift(shift *s, dd_site *site, int64_t *at_ms) {
  s->site = site;
  s->n = 0;
  s->staged = is_staged(s->run, site, s->day);
  s->scene.team = site->team;
  s->scene.day = s->day;
  s->scene.trial = s->day >= site->team->project->implementation;
  arrive(s);
  bool gap = s->day < site->team->first_day ||
             (s->which == EARLY ? in_gap(s->run, site, s->day) : s->day < site->gap_until);
  if (!gap || s->staged) {
    staff(s);
    for (unsigned i = 0; i < site->team->n_who; i++) plan_participant(s, &site->team->who[i]);
    plan_changes(s);
    work(s);
  }
  leave(s, at_ms);
}

static void all_teams(dd_run *run, shift *s) {
  int64_t at_ms = (s->end + 30) * 1000;
  uint64_t before = run->counts.records;
  for (unsigned i = 0; i < run->people->n_teams; i++) team_shift(s, &run->sites[i], &at_ms);
  atomic_fetch_add(run->progress, run->counts.records - before);
}

/* At the end everybody syncs: an op on a tablet that does not exist would be nowhere. */
static void all_sync(dd_run *run) {
  int64_t at_ms = run->plan->until * 1000;
  for (unsigned i = 0; i < run->people->n_teams; i++) {
    for (unsigned k = 0; k < DD_TEAM_TABLETS; k++)
      dd_tablet_push(&run->sites[i].tablets[k], &run->batch, &at_ms);
  }
  dd_batch_flush(&run->batch);
}

void dd_shifts_run(dd_run *run) {
  shift s = {.run = run, .list = calloc(ACTIONS_MAX, sizeof *s.list)};
  DD_MUST(s.list);
  s.scene = (dd_scene){
      .schemas = run->org->schemas, .programme = run->programme, .people = run->people, .rng = &run->rng};
  for (s.day = run->plan->from_day; s.day <= run->plan->until_day && !*run->stop; s.day++) {
    for (s.which = 0; s.which < SHIFTS; s.which++) {
      s.start = dd_local(s.day, shift_minutes[s.which]);
      s.end = dd_local(s.day, shift_minutes[s.which + 1]);
      if (s.end > run->plan->until) break;
      all_teams(run, &s);
    }
  }
  all_sync(run);
  free(s.list);
}
