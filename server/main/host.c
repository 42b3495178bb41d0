/* Administration inside the running server. Its thread never touches a session: writes go through the writer
 * like everybody's, and what concerns the service thread is handed to it and waited for. */
#include <stdlib.h>
#include <string.h>

#include "daemon.h"

/* -- onto the service thread ----------------------------------------------------------------------------- */

static void on_service(daemon_state *d, void (*fn)(void *arg), void *arg) {
  call c = {.fn = fn, .arg = arg};
  pthread_mutex_lock(&d->lock);
  if (d->loop_over) {
    pthread_mutex_unlock(&d->lock);
    fn(arg);
    return;
  }
  c.next = d->calls;
  d->calls = &c;
  daemon_wake(d);
  while (!c.done) pthread_cond_wait(&d->answered, &d->lock);
  pthread_mutex_unlock(&d->lock);
}

void host_run_calls(daemon_state *d) {
  pthread_mutex_lock(&d->lock);
  while (d->calls) {
    call *c = d->calls;
    d->calls = c->next;
    pthread_mutex_unlock(&d->lock);
    c->fn(c->arg);
    pthread_mutex_lock(&d->lock);
    c->done = true;
  }
  pthread_cond_broadcast(&d->answered);
  pthread_mutex_unlock(&d->lock);
}

void host_end(daemon_state *d) {
  pthread_mutex_lock(&d->lock);
  d->loop_over = true;
  pthread_mutex_unlock(&d->lock);
  host_run_calls(d);
}

/* -- a write --------------------------------------------------------------------------------------------- */

typedef struct admin_job {
  sv_job job;
  daemon_state *d;
  sv_admin_work work;
  void *arg;
  sv_touches touches;
  bool answered;
  int result;
} admin_job;

static int admin_run(sv_job *job, sv_txn *t, ov_arena *a) {
  admin_job *j = (admin_job *)job;
  sv_touches_free(&j->touches);
  j->touches = (sv_touches){0};
  return j->work(j->arg, t, a, &j->touches);
}

/* The commit is on disk: live sessions hear of it, and the asking thread goes on. Its stack holds the job. */
static void admin_done(sv_job *job, void *server) {
  admin_job *j = (admin_job *)job;
  daemon_state *d = j->d;
  if (server && !job->err) {
    for (uint32_t i = 0; i < j->touches.n; i++) {
      sv_server_changed(server, job->org, &j->touches.v[i].scope, 1);
    }
  }
  pthread_mutex_lock(&d->lock);
  j->result = job->err;
  j->answered = true;
  pthread_cond_broadcast(&d->answered);
  pthread_mutex_unlock(&d->lock);
}

static int host_write(void *ctx, sv_org *org, sv_admin_work work, void *arg) {
  daemon_state *d = ctx;
  admin_job j = {.d = d,
                 .work = work,
                 .arg = arg,
                 .job = {.org = org, .bytes = sizeof j, .run = admin_run, .done = admin_done}};
  int err = sv_writer_submit(sv_server_writer(d->server), &j.job);
  if (err) return err;
  pthread_mutex_lock(&d->lock);
  while (!j.answered) pthread_cond_wait(&d->answered, &d->lock);
  pthread_mutex_unlock(&d->lock);
  sv_touches_free(&j.touches);
  return j.result;
}

/* -- the rest -------------------------------------------------------------------------------------------- */

typedef struct org_call {
  daemon_state *d;
  sv_org *org;
  unsigned i;
  int err;
  const ov_id *device;
  char *text;
} org_call;

static void add_org(void *arg) {
  org_call *c = arg;
  c->err = sv_node_add(c->d->node, c->org);
  if (!c->err) c->err = sv_server_add_org(c->d->server, c->org);
}

static int host_org_created(void *ctx, sv_org *org) {
  org_call c = {.d = ctx, .org = org};
  on_service(ctx, add_org, &c);
  return c.err;
}

static void org_at(void *arg) {
  org_call *c = arg;
  c->org = sv_server_org_at(c->d->server, c->i);
}

static sv_org *host_org_at(void *ctx, unsigned i) {
  org_call c = {.d = ctx, .i = i};
  on_service(ctx, org_at, &c);
  return c.org;
}

static void cut_device(void *arg) {
  org_call *c = arg;
  sv_server_cut_device(c->d->server, c->device);
}

static void host_device_revoked(void *ctx, const ov_id *device) {
  org_call c = {.d = ctx, .device = device};
  on_service(ctx, cut_device, &c);
}

static void status_text(void *arg) {
  org_call *c = arg;
  c->text = pages_status_json(c->d);
}

static char *host_status(void *ctx) {
  org_call c = {.d = ctx};
  on_service(ctx, status_text, &c);
  return c.text;
}

void host_init(daemon_state *d) {
  d->host = (sv_admin_host){.data = d->node->data,
                            .master_key_file = d->node->master_key_file,
                            .schema_dir = d->node->schema_dir,
                            .sys = d->node->sys,
                            .schemas = d->node->schemas,
                            .programme = d->node->programme,
                            .online = true,
                            .org_at = host_org_at,
                            .write = host_write,
                            .org_created = host_org_created,
                            .device_revoked = host_device_revoked,
                            .status = host_status,
                            .ctx = d};
}
