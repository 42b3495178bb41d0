#include "programme.h"

#include <stdio.h>

#include "form.h"
#include "sv_node.h"

#define QUESTIONS_A_NETWORK (DD_QUESTIONS / DD_NETWORKS)
#define STORIES_MIN 5
#define STORIES_MAX 6

static const char *const networks[DD_NETWORKS] = {"Nachtrust",       "Dagstructuur",   "Sociale contacten",
                                                  "Zorg op afstand", "Themanetwerk 5", "Themanetwerk 6",
                                                  "Themanetwerk 7"};
/* Two a network, in its order; those of networks without a name have none either. */
static const char *const questions[DD_QUESTIONS] = {"Beter doorslapen",
                                                    "Minder storen in de nacht",
                                                    "Een vaste indeling van de dag",
                                                    "Zelf beginnen met de dag",
                                                    "Vaker contact met familie",
                                                    "Nieuwe mensen leren kennen",
                                                    "Hulp op afstand als dat kan",
                                                    "Minder reistijd, meer aandacht",
                                                    "Zorgvraag 09",
                                                    "Zorgvraag 10",
                                                    "Zorgvraag 11",
                                                    "Zorgvraag 12",
                                                    "Zorgvraag 13",
                                                    "Zorgvraag 14"};

unsigned dd_question_of(unsigned network, uint64_t draw) {
  return (network - 1) * QUESTIONS_A_NETWORK + (unsigned)(draw % QUESTIONS_A_NETWORK);
}

typedef struct job {
  sv_org *org;
  const dd_plan *plan;
  dd_programme *out;
} job;

static ov_name add(job *j, sv_txn *t, ov_arena *a, dd_form *f) {
  ov_op op = dd_form_op(f, 0);
  ov_name name = {0};
  int err = sv_ingest_local(t, j->org, &op, a, NULL, &name);
  if (err && err != OV_E_MAPFULL) dd_die(f->kind->name, err);
  return name;
}

static void add_networks(job *j, sv_txn *t, ov_arena *a) {
  dd_form f;
  for (unsigned i = 0; i < DD_NETWORKS; i++) {
    dd_form_init(&f, j->org->schemas, "theme_network");
    dd_int(&f, "number", i + 1);
    dd_text(&f, "name", networks[i]);
    dd_int(&f, "type", i + 1 == DD_REMOTE ? 2 : 1);
    dd_int(&f, "stories_min", STORIES_MIN);
    dd_int(&f, "stories_max", STORIES_MAX);
    j->out->networks[i] = add(j, t, a, &f);
  }
  for (unsigned i = 0; i < DD_QUESTIONS; i++) {
    dd_form_init(&f, j->org->schemas, "care_question");
    dd_int(&f, "number", i + 1);
    dd_text(&f, "title", questions[i]);
    dd_ref(&f, "theme_network", &j->out->networks[i / QUESTIONS_A_NETWORK]);
    j->out->questions[i] = add(j, t, a, &f);
  }
}

static void add_technologies(job *j, sv_txn *t, ov_arena *a) {
  dd_rng r = dd_rng_of(j->plan->seed, 1);
  for (unsigned i = 0; i < DD_TECHNOLOGIES; i++) {
    dd_form f;
    char name[32];
    unsigned q = i % DD_QUESTIONS, also = (q + 1 + dd_below(&r, DD_QUESTIONS - 1)) % DD_QUESTIONS;
    ov_name both[2] = {j->out->questions[q < also ? q : also], j->out->questions[q < also ? also : q]};
    snprintf(name, sizeof name, "Technologie %02u", i + 1);
    dd_form_init(&f, j->org->schemas, "technology");
    dd_int(&f, "number", i + 1);
    dd_text(&f, "name", name);
    dd_refset(&f, "care_questions", both, dd_chance(&r, 600) ? 2 : 1);
    dd_int(&f, "active", 1);
    j->out->technologies[i] = add(j, t, a, &f);
  }
}

static void add_lessons(job *j, sv_txn *t, ov_arena *a) {
  for (unsigned i = 0; i < DD_LESSONS; i++) {
    dd_form f;
    char title[32];
    snprintf(title, sizeof title, "Les %u", i + 1);
    dd_form_init(&f, j->org->schemas, "lesson");
    dd_int(&f, "number", i + 1);
    dd_text(&f, "title", i ? title : "Werk van begin tot eind samen met cliënten");
    dd_int(&f, "main", i == 0);
    add(j, t, a, &f);
  }
}

static void add_stories(job *j, sv_txn *t, ov_arena *a) {
  dd_rng r = dd_rng_of(j->plan->seed, 2);
  for (unsigned i = 0; i < DD_NETWORKS; i++) {
    unsigned n = (unsigned)dd_between(&r, 2, STORIES_MAX);
    for (unsigned k = 0; k < n; k++) {
      dd_form f;
      char title[48], link[64];
      snprintf(title, sizeof title, "Praktijkverhaal %u van %s", k + 1, networks[i]);
      snprintf(link, sizeof link, "https://example.invalid/verhalen/%u-%u", i + 1, k + 1);
      dd_form_init(&f, j->org->schemas, "practice_story");
      dd_ref(&f, "theme_network", &j->out->networks[i]);
      dd_text(&f, "title", title);
      dd_int(&f, "published_on", j->plan->until_day - dd_between(&r, 10, 500));
      dd_text(&f, "link", link);
      dd_int(&f, "consent", dd_chance(&r, 700) ? 1 : 2);
      dd_text(&f, "form_version", "2024-1");
      add(j, t, a, &f);
    }
  }
}

static int make(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  (void)touches;
  add_networks(arg, t, a);
  add_technologies(arg, t, a);
  add_lessons(arg, t, a);
  add_stories(arg, t, a);
  return 0;
}

void dd_programme_make(sv_org *programme, const dd_plan *plan, dd_programme *out) {
  job j = {.org = programme, .plan = plan, .out = out};
  DD_OK(sv_node_write(programme, make, &j, NULL));
}

/* -- experts --------------------------------------------------------------------------------------------- */

typedef struct card {
  sv_org *org;
  const dd_programme *p;
  unsigned number;
  const char *name;
  const ov_name *person;
} card;

static int write_card(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  const card *c = arg;
  dd_form f;
  ov_name name;
  char about[96], contact[48];
  snprintf(about, sizeof about, "%s: een technologie kiezen, invoeren en volhouden", networks[c->number - 1]);
  snprintf(contact, sizeof contact, "expert%02u@example.invalid", c->number);
  dd_form_init(&f, c->org->schemas, "expert_card");
  dd_text(&f, "name", c->name);
  dd_ref(&f, "theme_network", &c->p->networks[c->number - 1]);
  dd_text(&f, "about", about);
  dd_text(&f, "contact", contact);
  dd_int(&f, "consent", 1);
  ov_op op = dd_form_op(&f, 0);
  op.has_author = true;
  op.author = *c->person;
  return sv_ingest_local(t, c->org, &op, a, touches, &name);
}

void dd_programme_expert(sv_org *programme, const dd_programme *p, unsigned number, const char *name,
                         const ov_name *person) {
  card c = {programme, p, number, name, person};
  DD_OK(sv_node_write(programme, write_card, &c, NULL));
}
