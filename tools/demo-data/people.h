/* An organisation's projects, teams, staff, participants and consent: first planned from the seed, then
 * written as reference data. All names are plainly made up: staff are called after herbs, participants after
 * birds, homes after trees. */
#ifndef DD_PEOPLE_H
#define DD_PEOPLE_H

#include "form.h"
#include "plan.h"
#include "programme.h"

#define DD_PROJECTS_MAX 2
#define DD_TEAM_PARTICIPANTS 8 /* people who live together in one home */
#define DD_TEAM_STAFF 8
#define DD_TEAMS_MAX 400 /* in one organisation; only at sizes far above the programme's own */
#define DD_NAME_BYTES 40

typedef struct dd_person {
  char name[DD_NAME_BYTES];
  ov_name record;
} dd_person;

typedef struct dd_participant {
  char label[DD_NAME_BYTES], pseudonym[24];
  unsigned age_band, given_by;
  bool research; /* consent for research too */
  ov_name record;
  uint8_t key[OV_KEY_BYTES]; /* commit key, as the tablets of the team have it */
  /* What this person's days and nights are like. */
  int bed_minute, wake_minute, restless; /* wall clock; restless 0..100 */
  bool sensor, rounds;                   /* a bed sensor beside the diary; night rounds */
  int64_t away_until;                    /* day; set while the shifts run */
} dd_participant;

typedef struct dd_project {
  char name[DD_NAME_BYTES];
  unsigned network, technology, question;           /* network by number, the others by index */
  int64_t needs, choice, implementation, follow_up; /* days; follow_up may lie ahead */
  unsigned participants;
  ov_name record;
  dd_person lead;
} dd_project;

typedef struct dd_team {
  char name[DD_NAME_BYTES];
  uint32_t scope;
  ov_name record;
  const dd_project *project;
  dd_person staff[DD_TEAM_STAFF];
  dd_participant who[DD_TEAM_PARTICIPANTS];
  unsigned n_who;
  int64_t first_day; /* teams do not all start on one day */
} dd_team;

typedef struct dd_people {
  char name[DD_NAME_BYTES];
  unsigned number;     /* of the organisation, from 1 */
  unsigned goal_scale; /* 5 or 6 points: one a organisation, never mixed */
  dd_project projects[DD_PROJECTS_MAX];
  unsigned n_projects;
  dd_person expert; /* without a name: the organisation has none */
  dd_team *teams;
  unsigned n_teams, n_participants;
} dd_people;

void dd_people_plan(dd_people *p, const dd_plan *plan, unsigned number, dd_rng *r);
void dd_people_free(dd_people *p);
/* Scopes, records and keys are filled in. */
void dd_people_write(dd_people *p, sv_org *org, const dd_programme *programme, dd_rng *r);

#endif
