/* What a commit left due is summed soon after it: a job like any other in the writer's queue, one at a time,
 * so that pushes come first. Nothing is lost when the server stops: what is due lies in the store. */
#include <stdlib.h>

#include "daemon.h"
#include "sv_sums.h"

/* A shift's pushes come together; half a minute later they are summed once. */
#define SUMMING_EVERY_S 30u

typedef struct summing_job {
  sv_job job;
  daemon_state *d;
  uint64_t months;
  bool more;
} summing_job;

static int summing_run(sv_job *job, sv_txn *t, ov_arena *a) {
  summing_job *j = (summing_job *)job;
  (void)a;
  return sv_sums_drain_some(t, job->org, &j->months, &j->more);
}

/* With more to do the next tick goes on; after a failure it waits its time. */
static void summing_done(sv_job *job, void *server) {
  summing_job *j = (summing_job *)job;
  (void)server;
  j->d->summing_under_way = false;
  if (job->err) j->d->summing_ticks = 0;
  free(j);
}

static bool is_due(sv_org *org) {
  sv_txn *t = NULL;
  uint32_t month;
  ov_name who;
  int err = sv_txn_read(org->env, &t);
  if (!err) err = sv_sums_due_first(t, &month, &who);
  sv_txn_abort(t);
  return !err;
}

static bool submit(daemon_state *d, sv_org *org) {
  summing_job *j = calloc(1, sizeof *j);
  if (!j) return false;
  *j = (summing_job){.d = d,
                     .job = {.org = org, .bytes = sizeof *j, .run = summing_run, .done = summing_done}};
  d->summing_under_way = true;
  if (!sv_writer_submit(sv_server_writer(d->server), &j->job)) return true;
  d->summing_under_way = false;
  free(j);
  return false;
}

void summing_tick(daemon_state *d) {
  if (d->summing_under_way || ++d->summing_ticks < SUMMING_EVERY_S) return;
  for (unsigned n = 0; n < SV_ORGS_MAX; n++) {
    sv_org *org = sv_server_org_at(d->server, d->summing_at);
    d->summing_at = org ? d->summing_at + 1 : 0;
    if (org && is_due(org) && !sv_env_readonly(org->env) && submit(d, org)) return;
    if (!org && n) break; /* once round */
  }
  d->summing_ticks = 0;
}
