/* Health and metrics, on the local listener: numbers only, no names of people or devices. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"

static void put(ov_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(ov_buf *b, const char *fmt, ...) {
  char line[320];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  if (n > 0) ov_buf_put(b, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static int reply_with(ov_buf *b, sv_net_reply *reply) {
  if (b->err) {
    ov_buf_free(b);
    return OV_E_NOMEM;
  }
  reply->body = b->p; /* ours from malloc, theirs to free */
  reply->body_bytes = b->n;
  return 0;
}

/* 200 while every organisation takes writes, 503 when one is read-only or could not be opened: an alarm,
 * though the others are served. */
static int get_health(void *user, const sv_net_request *request, sv_net_reply *reply) {
  (void)request;
  daemon_state *d = user;
  unsigned readonly = sv_env_readonly(d->node->programme->env) ? 1 : 0, n = 0, refused = d->node->n_refused;
  for (sv_org *o; (o = sv_server_org_at(d->server, n)); n++) readonly += sv_env_readonly(o->env);
  ov_buf b;
  ov_buf_init(&b, 0);
  put(&b, "{\"status\":\"%s\",\"version\":\"%s\",\"organisations\":%u,\"read_only\":%u,\"refused\":%u}\n",
      readonly || refused ? "degraded" : "ok", OV_VERSION, n, readonly, refused);
  if (readonly || refused) reply->status = 503;
  return reply_with(&b, reply);
}

static void metric(ov_buf *b, const char *name, const char *type, const char *help, uint64_t v) {
  put(b, "# HELP overdracht_%s %s\n# TYPE overdracht_%s %s\noverdracht_%s %llu\n", name, help, name, type,
      name, (unsigned long long)v);
}

static void session_metrics(ov_buf *b, daemon_state *d) {
  sv_server_stats s;
  sv_server_stats_get(d->server, &s);
  metric(b, "sessions", "gauge", "Open sync sessions.", s.sessions);
  metric(b, "sessions_live", "gauge", "Sessions in live mode.", s.live);
  metric(b, "hellos_total", "counter", "Devices welcomed.", s.hellos);
  metric(b, "challenges_total", "counter", "Devices asked to prove the moment.", s.challenges);
  metric(b, "refused_auth_total", "counter", "Sessions refused for lack of proof or rights.", s.refused_auth);
  metric(b, "enrolled_total", "counter", "Devices enrolled.", s.enrolled);
  metric(b, "refused_codes_total", "counter", "Wrong or expired enrolment codes.", s.refused_codes);
  metric(b, "pushes_total", "counter", "PUSH messages handled.", s.pushes);
  metric(b, "ops_stored_total", "counter", "Ops stored and acknowledged.", s.ops_stored);
  metric(b, "ops_duplicate_total", "counter", "Ops that were stored already.", s.ops_duplicate);
  metric(b, "forks_total", "counter", "Logs that forked: cloned or restored tablets.", s.forks);
  metric(b, "deltas_total", "counter", "DELTA frames sent.", s.deltas);
  metric(b, "records_sent_total", "counter", "Records sent in DELTAs.", s.records_sent);
  metric(b, "busy_total", "counter", "Pushes put off because a queue was full.", s.busy);
}

static void store_metrics(ov_buf *b, daemon_state *d) {
  sv_writer_stats w;
  sv_writer_stats_get(sv_server_writer(d->server), &w);
  metric(b, "commits_total", "counter", "Write transactions on disk.", w.commits);
  metric(b, "commit_jobs_total", "counter", "Jobs in those transactions.", w.jobs);
  metric(b, "commit_failed_total", "counter", "Jobs whose transaction failed.", w.failed);
  metric(b, "queue_jobs", "gauge", "Jobs waiting or being written.",
         sv_writer_pending(sv_server_writer(d->server)));
  uint64_t map = 0, used = 0, ops = 0, records = 0, readonly = 0;
  for (unsigned i = 0;; i++) {
    sv_org *o = i ? sv_server_org_at(d->server, i - 1) : d->node->programme;
    if (!o) break;
    sv_env_stats st;
    sv_env_stats_get(o->env, &st);
    map += st.map_bytes;
    used += st.used_bytes;
    ops += st.ops;
    records += st.records;
    readonly += sv_env_readonly(o->env);
  }
  metric(b, "store_map_bytes", "gauge", "Size of all LMDB maps.", map);
  metric(b, "store_used_bytes", "gauge", "Bytes in use in all LMDB maps.", used);
  metric(b, "store_ops", "gauge", "Ops stored.", ops);
  metric(b, "store_records", "gauge", "Records stored.", records);
  metric(b, "store_read_only", "gauge", "Organisations that take no writes after a fault.", readonly);
  metric(b, "store_refused", "gauge", "Organisations whose store could not be opened.", d->node->n_refused);
}

static void web_metrics(ov_buf *b, daemon_state *d) {
  sv_web_stats s;
  sv_web_stats_get(d->web, &s);
  metric(b, "web_sessions", "gauge", "People signed in.", s.sessions);
  metric(b, "web_signed_in_total", "counter", "Sign-ins with password and code.", s.signed_in);
  metric(b, "web_refused_total", "counter", "Wrong passwords, codes and tickets.", s.refused);
  metric(b, "web_slowed_total", "counter", "Tries at signing in that were told to wait.", s.slowed);
  metric(b, "web_made_total", "counter", "Lists and pages put together, rather than given again.", s.made);
  metric(b, "web_stolen_total", "counter", "Sessions ended because two used them.", s.stolen);
  metric(b, "web_hashes_total", "counter", "Passwords hashed, of known and unknown names.", s.hashes);
}

static int get_metrics(void *user, const sv_net_request *request, sv_net_reply *reply) {
  (void)request;
  daemon_state *d = user;
  ov_buf b;
  ov_buf_init(&b, 0);
  session_metrics(&b, d);
  store_metrics(&b, d);
  web_metrics(&b, d);
  for (int i = 0; i < SV_NET_COUNTERS; i++) {
    sv_net_counter c = (sv_net_counter)i;
    char name[80];
    bool gauge = c == SV_NET_SOCKETS || c == SV_NET_OPEN;
    snprintf(name, sizeof name, "net_%s%s", sv_net_counter_name(c), gauge ? "" : "_total");
    metric(&b, name, gauge ? "gauge" : "counter", "Network layer.", sv_net_count(d->net, c));
  }
  return reply_with(&b, reply);
}

char *pages_status_json(daemon_state *d) {
  sv_server_stats s;
  sv_server_stats_get(d->server, &s);
  char *out = NULL;
  int64_t up = (d->node->sys->mono_ms(d->node->sys->ctx) - d->started_mono) / 1000;
  if (asprintf(&out,
               "{\"version\":\"%s\",\"port\":%u,\"uptime_s\":%lld,\"sessions\":%u,\"live\":%u,\"pushes\":%"
               "llu,\"ops_stored\":%llu,\"forks\":%llu}",
               OV_VERSION, sv_net_port(d->net), (long long)up, s.sessions, s.live,
               (unsigned long long)s.pushes, (unsigned long long)s.ops_stored,
               (unsigned long long)s.forks) < 0) {
    return NULL;
  }
  return out;
}

unsigned pages_routes(const sv_net_route **routes) {
  static const sv_net_route table[] = {
      {.path = "/health",
       .content_type = "application/json",
       .sides = SV_NET_LOCAL | SV_NET_MAIN,
       .handle = get_health},
      {.path = "/metrics",
       .content_type = "text/plain; version=0.0.4; charset=utf-8",
       .sides = SV_NET_LOCAL,
       .handle = get_metrics},
  };
  *routes = table;
  return sizeof table / sizeof table[0];
}
