#include "organisation.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sv_kinds.h"
#include "sv_node.h"

#define FAST_CLOCK_S                                                                                         \
  (20 * 60) /* one tablet of the second organisation goes so far ahead: its times are shown as suspect */

/* With seeded keys the server's signing key is seeded too: making it draws on OpenSSL, which the thread's
 * world feeds. */
static sv_org *open_new(const dd_works *w, dd_world *world, const dd_people *p) {
  char why[OV_ERROR_TEXT_MAX] = "";
  sv_org *org = NULL;
  sv_org_options o = {.data = w->data, .master = w->master, .sys = &world->sys, .schemas = w->schemas};
  int err = sv_org_create(&o, &(ov_id){{0}}, p->name, DD_ZONE, &org, why);
  if (err) dd_die(why, err);
  return org;
}

static void make_tablets(dd_run *run, dd_world *world, dd_made *out) {
  out->n_tablets = run->people->n_teams * DD_TEAM_TABLETS;
  out->tablets = calloc(out->n_tablets, sizeof *out->tablets);
  run->sites = calloc(run->people->n_teams, sizeof *run->sites);
  DD_MUST(out->tablets && run->sites);
  for (unsigned i = 0; i < run->people->n_teams; i++) {
    run->sites[i].team = &run->people->teams[i];
    for (unsigned k = 0; k < DD_TEAM_TABLETS; k++) {
      dd_tablet *t = &run->sites[i].tablets[k];
      dd_tablet_make(t, run->org, world, &run->people->teams[i], k);
      out->tablets[i * DD_TEAM_TABLETS + k] = t->device;
    }
  }
  if (run->people->number == 2) run->sites[0].tablets[0].clock_off_s = FAST_CLOCK_S;
}

/* An administrator has looked at most of what was held; the latest still waits. */
typedef struct rule {
  dd_run *run;
  const dd_held *held;
} rule;

static int write_ruling(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  const rule *r = arg;
  int verdict = r->held->by_author ? SV_RULING_ADMIT : SV_RULING_DISMISS;
  const char *reason = r->held->by_author ? "De projectleider viel die dag in." : "De waarde bestaat niet.";
  return sv_ingest_ruling(t, r->run->org, &r->held->op, verdict, reason,
                          &r->run->people->projects[0].lead.record, a, touches);
}

static void rule_on_held(dd_run *run) {
  for (uint32_t i = 0; i + 2 < run->n_held; i++) {
    rule r = {run, &run->held[i]};
    DD_OK(sv_node_write(run->org, write_ruling, &r, NULL));
    run->counts.held--;
  }
}

/* -- what it came to ------------------------------------------------------------------------------------- */

static void digest(sv_org *org, ov_hash *out) {
  sv_txn *t = NULL;
  ov_buf b;
  sv_tip tip;
  sv_scope scope;
  uint32_t index = 0;
  ov_buf_init(&b, 0);
  DD_OK(sv_txn_read(org->env, &t));
  ov_buf_put(&b, org->id.b, OV_ID_BYTES);
  for (int err = sv_tip_next(t, NULL, 0, &tip, &index); !err;
       err = sv_tip_next(t, &tip.writer, index, &tip, &index)) {
    ov_buf_put(&b, tip.writer.b, OV_ID_BYTES);
    ov_buf_put(&b, tip.head.head.b, OV_HASH_BYTES);
  }
  for (int64_t at = -1; !sv_scope_next(t, at, &scope); at = scope.scope) {
    ov_buf_varint(&b, scope.pos);
    ov_buf_put(&b, scope.hash, OV_POSHASH_BYTES);
  }
  DD_OK(b.err);
  DD_OK(ov_sha256(sv_txn_hasher(t), b.p, b.n, out));
  sv_txn_abort(t);
  ov_buf_free(&b);
}

static void sum_up(dd_run *run, dd_made *out) {
  const dd_people *p = run->people;
  sv_env_stats st;
  sv_env_stats_get(run->org->env, &st);
  out->id = run->org->id;
  out->projects = p->n_projects;
  out->teams = p->n_teams;
  out->participants = p->n_participants;
  out->persons = p->n_teams * DD_TEAM_STAFF + p->n_projects + (p->expert.name[0] != 0);
  out->expert = p->expert;
  out->counts = run->counts;
  out->commits = run->batch.commits;
  out->ops_stored = st.ops;
  out->records_stored = st.records;
  out->used_bytes = st.used_bytes;
  snprintf(out->name, sizeof out->name, "%s", p->name);
  snprintf(out->team, sizeof out->team, "%s", p->teams[0].name);
  for (unsigned i = 0; i < 2; i++) {
    snprintf(out->staff[i], sizeof out->staff[i], "%s", p->teams[0].staff[i].name);
    snprintf(out->who[i], sizeof out->who[i], "%s", p->teams[0].who[i % p->teams[0].n_who].label);
  }
  digest(run->org, &out->digest);
}

static void make_one(dd_works *w, unsigned index) {
  const dd_plan *plan = w->plan;
  dd_world world;
  dd_people people;
  dd_run run = {.plan = plan,
                .programme = w->programme,
                .people = &people,
                .rng = dd_rng_of(plan->seed, 100 + index),
                .progress = &w->progress,
                .stop = w->stop};
  dd_made *out = &w->made[index];
  dd_world_init(&world, plan->seed, 100 + index, plan->seeded, plan->programme_start_ms);
  dd_world_take_thread(&world);
  dd_people_plan(&people, plan, index + 1, &run.rng);
  run.org = open_new(w, &world, &people);
  run.hasher = ov_hasher_new();
  DD_MUST(run.hasher);
  dd_people_write(&people, run.org, w->programme, &run.rng);
  make_tablets(&run, &world, out);
  dd_batch_init(&run.batch, run.org, &world);
  dd_shifts_run(&run);
  world.now_ms = plan->until * 1000;
  if (!*w->stop) rule_on_held(&run);
  sum_up(&run, out);
  dd_batch_free(&run.batch);
  for (unsigned i = 0; i < people.n_teams * DD_TEAM_TABLETS; i++)
    dd_tablet_free(&run.sites[i / DD_TEAM_TABLETS].tablets[i % DD_TEAM_TABLETS]);
  free(run.sites);
  ov_hasher_free(run.hasher);
  sv_org_close(run.org);
  dd_people_free(&people);
}

/* -- all of them ----------------------------------------------------------------------------------------- */

static void *worker(void *arg) {
  dd_works *w = arg;
  for (unsigned i; !*w->stop && (i = atomic_fetch_add(&w->next, 1)) < w->plan->orgs;) {
    make_one(w, i);
    atomic_fetch_add(&w->done, 1);
  }
  return NULL;
}

static void *teller(void *arg) {
  dd_works *w = arg;
  uint64_t before = 0;
  while (atomic_load(&w->done) < w->plan->orgs && !*w->stop) {
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    uint64_t now = atomic_load(&w->progress);
    fprintf(stderr, "%llu records, %llu a second, %u of %u organisations done\n", (unsigned long long)now,
            (unsigned long long)(now - before), atomic_load(&w->done), w->plan->orgs);
    before = now;
  }
  return NULL;
}

void dd_works_run(dd_works *w, bool show) {
  pthread_t threads[DD_WORKERS_MAX], tell;
  unsigned n = 0;
  while (n < w->plan->workers) DD_MUST(!pthread_create(&threads[n++], NULL, worker, w));
  if (show) DD_MUST(!pthread_create(&tell, NULL, teller, w));
  for (unsigned i = 0; i < n; i++) pthread_join(threads[i], NULL);
  if (show) pthread_join(tell, NULL);
}

void dd_works_free(dd_works *w) {
  for (unsigned i = 0; w->made && i < w->plan->orgs; i++) free(w->made[i].tablets);
  free(w->made);
  w->made = NULL;
}
