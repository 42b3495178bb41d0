/* Administration inside the running server. Its thread never touches a session: writes go through the writer
 * like everybody's, and what concerns the service thread is handed to it and waited for. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon.h"
#include "sv_json.h"

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

/* -- web sessions, which only the service thread touches ------------------------------------------------- */

#define SESSIONS_LISTED 500u

typedef struct web_call {
  daemon_state *d;
  const char *id;
  const ov_name *person;
  sv_web_session_info *list;
  unsigned n;
} web_call;

static void list_sessions(void *arg) {
  web_call *c = arg;
  c->n = sv_web_sessions(c->d->web, c->list, SESSIONS_LISTED);
}

static void end_sessions(void *arg) {
  web_call *c = arg;
  c->n = sv_web_revoke(c->d->web, c->id, c->person);
}

static json_t *session_json(const sv_web_session_info *s) {
  char org[2 * OV_ID_BYTES + 1], person[OV_NAME_TEXT_MAX], since[40], seen[40];
  ov_hex(s->organisation.b, OV_ID_BYTES, org);
  ov_name_text(&s->person, person);
  time_t a = (time_t)(s->created_ms / 1000), b = (time_t)(s->seen_ms / 1000);
  struct tm tm;
  strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&a, &tm));
  strftime(seen, sizeof seen, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&b, &tm));
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "session", s->id, "login", s->login,
                   "organisation_id", org, "person_record", person, "since", since, "seen", seen, "peer",
                   s->peer);
}

static char *host_sessions(void *ctx) {
  web_call c = {.d = ctx, .list = calloc(SESSIONS_LISTED, sizeof *c.list)};
  if (!c.list) return NULL;
  on_service(ctx, list_sessions, &c);
  json_t *list = json_array();
  for (unsigned i = 0; i < c.n && i < SESSIONS_LISTED; i++)
    json_array_append_new(list, session_json(&c.list[i]));
  char *text = sv_json_text(list, JSON_COMPACT);
  json_decref(list);
  free(c.list);
  return text;
}

static unsigned host_sessions_end(void *ctx, const char *id, const ov_name *person) {
  web_call c = {.d = ctx, .id = id, .person = person};
  on_service(ctx, end_sessions, &c);
  return c.n;
}

/* What a tablet's camera opens: the first name, with the port where it is not the usual one. */
static void make_url(daemon_state *d) {
  unsigned port = sv_net_port(d->net);
  const char *scheme = d->o.cert ? "https" : "http";
  if (port == (d->o.cert ? 443u : 80u))
    snprintf(d->web_url, sizeof d->web_url, "%s://%s", scheme, d->o.names[0]);
  else snprintf(d->web_url, sizeof d->web_url, "%s://%s:%u", scheme, d->o.names[0], port);
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
  make_url(d);
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
                            .sessions = host_sessions,
                            .sessions_end = host_sessions_end,
                            .web_url = d->web_url,
                            .status = host_status,
                            .ctx = d};
}
