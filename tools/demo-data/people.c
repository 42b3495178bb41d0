/* Planning: who there is. people_write.c makes the records. */
#include "people.h"

#include <stdio.h>
#include <stdlib.h>

#include "random.h"

#define COUNT(a) (unsigned)(sizeof(a) / sizeof *(a))
#define PARTICIPANTS_MEDIAN 15
#define PARTICIPANTS_SPREAD 9

static const char *const trees[] = {"Els",  "Berk",     "Linde",    "Eik",      "Beuk", "Esdoorn",
                                    "Wilg", "Populier", "Hazelaar", "Kastanje", "Iep",  "Spar",
                                    "Den",  "Vlier",    "Meidoorn", "Kornoelje"};
static const char *const herbs[] = {"Salie",       "Tijm",       "Dille",      "Bieslook",  "Kervel",
                                    "Munt",        "Laurier",    "Venkel",     "Basilicum", "Koriander",
                                    "Lavas",       "Marjolein",  "Rozemarijn", "Dragon",    "Peterselie",
                                    "Citroengras", "Bonenkruid", "Hysop"};
static const char *const birds[] = {
    "Merel",      "Vink",      "Koolmees",   "Roodborst",  "Winterkoning", "Zwaluw", "Kievit", "Spreeuw",
    "Putter",     "Ekster",    "Gaai",       "Lijster",    "Sijs",         "Wulp",   "Grutto", "Tureluur",
    "Fuut",       "Meerkoet",  "Reiger",     "Uil",        "Buizerd",      "Valk",   "Havik",  "Specht",
    "Boomklever", "Heggenmus", "Kwikstaart", "Nachtegaal", "Leeuwerik",    "Kauw"};

/* "Merel", "Vink" ... and when the list is used up "Merel 2": unique in the organisation, since people look
 * others up by these names. */
static void made_up(char out[DD_NAME_BYTES], const char *before, const char *const *list, unsigned n,
                    unsigned i) {
  if (i < n) snprintf(out, DD_NAME_BYTES, "%s%s", before, list[i]);
  else snprintf(out, DD_NAME_BYTES, "%s%s %u", before, list[i % n], i / n + 1);
}

static void plan_project(dd_project *j, const dd_plan *plan, unsigned number, dd_rng *r) {
  j->network = 1 + (number - 1) % DD_NETWORKS;
  j->technology = dd_below(r, DD_TECHNOLOGIES);
  j->question = dd_question_of(j->network, dd_next(r));
  snprintf(j->name, sizeof j->name, "Project %02u", number);
  snprintf(j->lead.name, sizeof j->lead.name, "Projectleider %02u", number);
  /* The programme's own pace, whatever part of it is made: a year of needs and choice, then the trial, then
   * the follow-up. */
  j->implementation = plan->until_day - dd_between(r, 150, 420);
  j->choice = j->implementation - dd_between(r, 60, 180);
  j->needs = j->choice - dd_between(r, 90, 240);
  j->follow_up = j->implementation + dd_between(r, 120, 240);
  int64_t n = dd_around(r, PARTICIPANTS_MEDIAN, PARTICIPANTS_SPREAD) * plan->scale_percent / 100;
  j->participants = n < 1 ? 1 : (unsigned)n;
}

static void plan_participant(dd_participant *w, const dd_people *p, const dd_team *t, dd_rng *r) {
  static const uint16_t ages[] = {60, 170, 220, 260, 200, 90, 0},
                        givers[] = {420, 330, 30, 20, 140, 10, 50, 0};
  made_up(w->label, "", birds, COUNT(birds), p->n_participants);
  snprintf(w->pseudonym, sizeof w->pseudonym, "demo-%02u-%04u", p->number, p->n_participants + 1);
  w->age_band = 1 + dd_pick(r, ages);
  w->given_by = 1 + dd_pick(r, givers);
  w->research = dd_chance(r, 700);
  w->bed_minute = (int)dd_around(r, 22 * 60, 75);
  w->wake_minute = (int)dd_around(r, 7 * 60 + 10, 60);
  w->restless = (int)dd_between(r, 10, t->project->network == DD_SLEEP ? 100 : 60);
  w->sensor = t->project->network == DD_SLEEP && dd_chance(r, 500);
  w->rounds = dd_chance(r, t->project->network == DD_SLEEP ? 800 : 120);
}

static void plan_team(dd_people *p, const dd_plan *plan, const dd_project *j, unsigned n, dd_rng *r) {
  dd_team *t = &p->teams[p->n_teams];
  *t = (dd_team){.project = j};
  made_up(t->name, "Woning ", trees, COUNT(trees), p->n_teams);
  for (unsigned i = 0; i < DD_TEAM_STAFF; i++)
    made_up(t->staff[i].name, "", herbs, COUNT(herbs), p->n_teams * DD_TEAM_STAFF + i);
  for (t->n_who = 0; t->n_who < n; t->n_who++, p->n_participants++)
    plan_participant(&t->who[t->n_who], p, t, r);
  int64_t start = j->implementation - dd_between(r, 42, 90); /* a baseline before the technology comes */
  t->first_day = start > plan->from_day ? start : plan->from_day;
  p->n_teams++;
}

void dd_people_plan(dd_people *p, const dd_plan *plan, unsigned number, dd_rng *r) {
  *p = (dd_people){.number = number, .n_projects = number <= 2 ? 2 : 1, .goal_scale = number % 3 ? 6 : 5};
  snprintf(p->name, sizeof p->name, "Organisatie %02u", number);
  if (number <= DD_NETWORKS) snprintf(p->expert.name, sizeof p->expert.name, "Expert %02u", number);
  p->teams = calloc(DD_TEAMS_MAX, sizeof *p->teams);
  DD_MUST(p->teams);
  for (unsigned i = 0; i < p->n_projects; i++) {
    dd_project *j = &p->projects[i];
    /* 26 organisations have 28 projects: the first two one more, so the numbers of the others move up. */
    plan_project(j, plan, number <= 2 ? (number - 1) * 2 + i + 1 : number + 2, r);
    for (unsigned left = j->participants; left;) {
      unsigned n = left <= DD_TEAM_PARTICIPANTS      ? left
                   : left < 2 * DD_TEAM_PARTICIPANTS ? (left + 1) / 2
                                                     : DD_TEAM_PARTICIPANTS;
      DD_MUST(p->n_teams < DD_TEAMS_MAX);
      plan_team(p, plan, j, n, r);
      left -= n;
    }
  }
}

void dd_people_free(dd_people *p) {
  free(p->teams);
  p->teams = NULL;
}
