/* The records of an organisation's people, made by its administration: a few transactions, each of which can
 * be run again from the start. */
#include <stdio.h>

#include "people.h"
#include "random.h"
#include "sv_kinds.h"
#include "sv_node.h"

#define ROLE_CARER 1
#define ROLE_LEAD 2
#define ROLE_EXPERT 3
#define SCOPE_ORG 1
#define BARRIERS_MAX 4

typedef struct job {
  dd_people *p;
  sv_org *org;
  const dd_programme *programme;
  dd_rng rng;    /* taken afresh by each run */
  dd_team *team; /* of the transaction under way */
  sv_txn *t;
  ov_arena *a;
} job;

static ov_name add_op(job *j, ov_op *op, const char *what) {
  ov_name name = {0};
  int err = sv_ingest_local(j->t, j->org, op, j->a, NULL, &name);
  if (err && err != OV_E_MAPFULL) dd_die(what, err); /* a full map: the transaction is run again */
  return name;
}

static ov_name add(job *j, dd_form *f, uint32_t scope) {
  ov_op op = dd_form_op(f, scope);
  return add_op(j, &op, f->kind->name);
}

static void begin(job *j, dd_form *f, const char *kind) { dd_form_init(f, j->org->schemas, kind); }

static void add_person(job *j, dd_person *who, int role, const int64_t *teams, uint32_t n) {
  dd_form f;
  begin(j, &f, "person");
  dd_text(&f, "display_name", who->name);
  dd_int(&f, "role", role);
  if (n) dd_set(&f, "teams", teams, n);
  dd_int(&f, "active", 1);
  who->record = add(j, &f, SCOPE_ORG);
}

static void add_consent(job *j, dd_rng *r, const dd_participant *w, int purpose) {
  dd_form f;
  int64_t given = j->team->first_day - dd_between(r, 5, 60);
  begin(j, &f, "consent");
  dd_int(&f, "purpose", purpose);
  dd_int(&f, "given_by", w->given_by);
  dd_int(&f, "given_on", given);
  dd_int(&f, "capacity", w->given_by == 1 ? 1 : 2);
  if (w->given_by != 1) {
    dd_ref(&f, "capacity_assessed_by", &j->team->project->lead.record);
    dd_int(&f, "capacity_assessed_at", given);
  }
  dd_text(&f, "form_version", "2024-1");
  bool valid = purpose == 1 || !dd_chance(r, 40);
  dd_int(&f, "valid", valid);
  if (!valid) dd_int(&f, "withdrawn_at", given + dd_between(r, 1, 60));
  ov_op op = dd_form_op(&f, j->team->scope);
  op.has_participant = true;
  op.participant = w->record;
  add_op(j, &op, "consent");
}

static void add_participant(job *j, dd_rng *r, dd_participant *w) {
  dd_form f;
  int64_t team = j->team->scope;
  begin(j, &f, "participant");
  dd_text(&f, "display_label", w->label);
  dd_int(&f, "age_band", w->age_band);
  dd_set(&f, "teams", &team, 1);
  dd_text(&f, "pseudonym", w->pseudonym);
  dd_int(&f, "active", 1);
  w->record = add(j, &f, j->team->scope);
  add_consent(j, r, w, 1);
  if (w->research) add_consent(j, r, w, 3);
}

static int write_team(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  job *j = arg;
  dd_team *team = j->team;
  dd_rng r = j->rng;
  dd_form f;
  (void)touches;
  j->t = t;
  j->a = a;
  int err = sv_org_next_scope(t, &team->scope);
  if (err) return err;
  begin(j, &f, "team");
  dd_text(&f, "name", team->name);
  dd_int(&f, "scope", team->scope);
  dd_int(&f, "active", 1);
  team->record = add(j, &f, team->scope);
  int64_t scope = team->scope;
  for (unsigned i = 0; i < DD_TEAM_STAFF; i++) add_person(j, &team->staff[i], ROLE_CARER, &scope, 1);
  for (unsigned i = 0; i < team->n_who; i++) add_participant(j, &r, &team->who[i]);
  return 0;
}

static int write_leads(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  job *j = arg;
  (void)touches;
  j->t = t;
  j->a = a;
  for (unsigned i = 0; i < j->p->n_projects; i++) add_person(j, &j->p->projects[i].lead, ROLE_LEAD, NULL, 0);
  if (j->p->expert.name[0]) add_person(j, &j->p->expert, ROLE_EXPERT, NULL, 0);
  return 0;
}

static int phase_at(const dd_project *p, int64_t day) {
  return day < p->choice ? 1 : day < p->implementation ? 2 : day < p->follow_up ? 3 : 4;
}

static void add_project(job *j, dd_project *p, int64_t today) {
  dd_form f;
  int64_t scopes[DD_FORM_ELEMS_MAX];
  uint32_t n = 0;
  for (unsigned i = 0; i < j->p->n_teams && n < DD_FORM_ELEMS_MAX; i++) {
    if (j->p->teams[i].project == p) scopes[n++] = j->p->teams[i].scope;
  }
  begin(j, &f, "project");
  dd_text(&f, "name", p->name);
  dd_ref(&f, "technology", &j->programme->technologies[p->technology]);
  dd_ref(&f, "theme_network", &j->programme->networks[p->network - 1]);
  dd_ref(&f, "care_question", &j->programme->questions[p->question]);
  dd_int(&f, "phase", phase_at(p, today));
  dd_int(&f, "needs_from", p->needs);
  dd_int(&f, "choice_from", p->choice);
  dd_int(&f, "implementation_from", p->implementation);
  dd_int(&f, "follow_up_from", p->follow_up); /* planned from the start */
  dd_ref(&f, "lead", &p->lead.record);
  dd_set(&f, "teams", scopes, n);
  p->record = add(j, &f, SCOPE_ORG);
}

static void add_barriers(job *j, dd_rng *r, const dd_project *p) {
  unsigned n = dd_below(r, BARRIERS_MAX + 1);
  for (unsigned i = 0; i < n; i++) {
    dd_form f;
    int64_t noted = p->implementation + dd_between(r, -60, 120);
    begin(j, &f, "barrier");
    dd_ref(&f, "project", &p->record);
    dd_int(&f, "theme", dd_between(r, 1, 9));
    dd_int(&f, "effect", dd_between(r, 1, 2));
    dd_int(&f, "noted_on", noted);
    if (dd_chance(r, 400)) dd_int(&f, "solved_on", noted + dd_between(r, 7, 90));
    add(j, &f, SCOPE_ORG);
  }
}

static int write_projects(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  job *j = arg;
  dd_rng r = j->rng;
  (void)touches;
  j->t = t;
  j->a = a;
  int64_t today = j->org->sys->now_ms(j->org->sys->ctx) / 86400000;
  for (unsigned i = 0; i < j->p->n_projects; i++) {
    add_project(j, &j->p->projects[i], today);
    add_barriers(j, &r, &j->p->projects[i]);
  }
  return 0;
}

static void read_keys(dd_people *p, sv_org *org) {
  for (unsigned i = 0; i < p->n_teams; i++) {
    for (unsigned k = 0; k < p->teams[i].n_who; k++) {
      dd_participant *w = &p->teams[i].who[k];
      DD_OK(sv_keyring_get(org->keyring, SV_KEY_COMMIT_PARTICIPANT, &w->record, w->key));
    }
  }
}

void dd_people_write(dd_people *p, sv_org *org, const dd_programme *programme, dd_rng *r) {
  job j = {.p = p, .org = org, .programme = programme};
  DD_OK(sv_node_write(org, write_leads, &j, NULL));
  for (unsigned i = 0; i < p->n_teams; i++) {
    j.team = &p->teams[i];
    j.rng = *r;
    (void)dd_next(r);
    DD_OK(sv_node_write(org, write_team, &j, NULL));
  }
  j.rng = *r;
  (void)dd_next(r);
  DD_OK(sv_node_write(org, write_projects, &j, NULL));
  read_keys(p, org);
}
