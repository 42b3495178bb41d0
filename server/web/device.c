/* POST /api/device: a signed-in lead gets a one-time code, with which this browser enrols as a short-lived
 * device of that person: key pair, HELLO and all, like a tablet. Two transactions: the organisation's, which
 * makes the record of the person's browsers when there is none for these teams, then the programme's, which
 * keeps the code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sv_enrol.h"
#include "sv_ingest.h"
#include "sv_kinds.h"
#include "sv_rights.h"
#include "web_priv.h"

typedef struct device_job {
  sv_job job;
  sv_web *w;
  uint64_t request_id;
  ov_id organisation;
  ov_name person, record;
  web_person who;
  char *headers; /* a renewed cookie, for the late answer */
  sv_touches touches;
  char code[SV_CODE_TEXT];
  int64_t until_ms;
} device_job;

static void device_free(device_job *d) {
  sv_touches_free(&d->touches);
  free(d->headers);
  free(d);
}

static void answer(device_job *d, web_problem p, bool fine) {
  sv_net_reply reply = {.status = 200, .headers = d->headers};
  d->headers = NULL;
  char url[40];
  snprintf(url, sizeof url, "/#code=%s", d->code);
  if (fine)
    web_json_reply(&reply,
                   json_pack("{s:s, s:s, s:i, s:I}", "code", d->code, "path", url, "valid_s",
                             SV_CODE_LIFE_MS / 1000, "device_expires_s", SV_WEB_DEVICE_LIFE_MS / 1000));
  else web_problem_reply(&reply, p, p == WEB_P_BUSY ? 5 : 0);
  if (d->w->net) sv_net_reply_later(d->w->net, d->request_id, &reply);
  else sv_net_reply_free(&reply);
  device_free(d);
}

/* -- the organisation's transaction ---------------------------------------------------------------------- */

/* The record of an earlier sign-in serves while it is live and says the same teams. */
static bool still_fits(sv_txn *t, ov_arena *a, const device_job *d, const ov_name *record) {
  sv_record_row row;
  uint32_t teams[OV_SCOPES_MAX], n = 0;
  if (ov_name_is_zero(record) || sv_record_get(t, record, a, &row)) return false;
  const ov_live *status = ov_record_field(&row.rec, SV_DEVICE_STATUS, NULL);
  if (ov_record_retracted(&row.rec) == OV_RETRACTED || !status || status->v.type != OV_V_INT ||
      status->v.i != 1)
    return false;
  return !sv_device_record_teams(t, record, a, teams, &n) && n == d->who.n_teams &&
         !memcmp(teams, d->who.teams, n * sizeof *teams);
}

static int make_record(sv_txn *t, ov_arena *a, device_job *d) {
  char *name = ov_arena_alloc(a, OV_LABEL_BYTES_MAX);
  ov_value *teams = ov_arena_array(a, OV_SCOPES_MAX, sizeof *teams);
  ov_field *fields = ov_arena_array(a, 3, sizeof *fields);
  if (!name || !teams || !fields) return OV_E_NOMEM;
  size_t n = strlen(d->who.name);
  if (n > 60) { /* the schema allows 80; whole characters only */
    n = 60;
    while (n && ((uint8_t)d->who.name[n] & 0xc0) == 0x80) n--;
  }
  snprintf(name, OV_LABEL_BYTES_MAX, "browser %.*s", (int)n, d->who.name);
  for (uint32_t i = 0; i < d->who.n_teams; i++) teams[i] = ov_int(d->who.teams[i]);
  fields[0] = (ov_field){SV_DEVICE_NAME, ov_text(name)};
  uint32_t k = 1; /* who leads the whole organisation may belong to no team */
  if (d->who.n_teams)
    fields[k++] = (ov_field){SV_DEVICE_TEAMS,
                             {.type = OV_V_SET, .set = {.add = teams, .n_add = d->who.n_teams}}};
  fields[k++] = (ov_field){SV_DEVICE_STATUS, ov_int(1)};
  uint16_t version = 1;
  const ov_skind *kind = ov_schemas_kind(d->job.org->schemas, OV_KIND_DEVICE);
  if (kind) version = kind->version;
  ov_op op = {.scope = 1,
              .creates = true,
              .kind = OV_KIND_DEVICE,
              .version = version,
              .fields = fields,
              .n_fields = k};
  return sv_ingest_local(t, d->job.org, &op, a, &d->touches, &d->record);
}

static int first_run(sv_job *job, sv_txn *t, ov_arena *a) {
  device_job *d = (device_job *)job;
  sv_account acc;
  sv_touches_free(&d->touches);
  d->touches = (sv_touches){0};
  int err = sv_account_get(t, &d->person, &acc);
  if (err) return err;
  d->record = acc.device_record;
  if (still_fits(t, a, d, &acc.device_record)) return 0;
  err = make_record(t, a, d);
  if (err) return err;
  acc.device_record = d->record;
  return sv_account_put(t, &acc);
}

/* -- the programme's ------------------------------------------------------------------------------------- */

static int second_run(sv_job *job, sv_txn *t, ov_arena *a) {
  device_job *d = (device_job *)job;
  (void)a;
  sv_code c = {.organisation = d->organisation,
               .device_record = d->record,
               .has_person = true,
               .person = d->person,
               .device_until_ms = d->until_ms};
  return sv_code_make_for(t, d->w->o.sys, &c, d->code);
}

static void second_done(sv_job *job, void *server) {
  device_job *d = (device_job *)job;
  if (!server) device_free(d);
  else answer(d, WEB_P_BUSY, !job->err);
}

static void first_done(sv_job *job, void *server) {
  device_job *d = (device_job *)job;
  if (!server) {
    device_free(d);
    return;
  }
  for (uint32_t i = 0; !job->err && i < d->touches.n; i++)
    sv_server_changed(server, job->org, &d->touches.v[i].scope, 1);
  int err = job->err;
  if (!err) {
    d->job = (sv_job){
        .org = sv_server_programme(server), .bytes = sizeof *d, .run = second_run, .done = second_done};
    err = sv_writer_submit(sv_server_writer(server), &d->job);
  }
  if (err) answer(d, err == OV_E_NOTFOUND || err == OV_E_INVALID ? WEB_P_INTERNAL : WEB_P_BUSY, false);
}

/* Care staff log on the team's tablets; researchers and hubs have their own ways in. */
static bool may_enrol(unsigned role) {
  return role == SV_ROLE_PROJECT_LEAD || role == SV_ROLE_EXPERT || role == SV_ROLE_ORG_ADMIN;
}

int web_device(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  web_person p;
  web_session *ss = web_guard_session(w, q, reply);
  if (!ss) return 0;
  sv_org *org = sv_server_org(w->o.server, &ss->info.organisation);
  if (!org || web_person_get(w, &ss->info.organisation, &ss->info.person, &p))
    return web_problem_reply(reply, WEB_P_INTERNAL, 0);
  if (!may_enrol(p.role)) return web_problem_reply(reply, WEB_P_ROLE, 0);
  device_job *d = calloc(1, sizeof *d);
  if (!d) return OV_E_NOMEM;
  d->job = (sv_job){.org = org, .bytes = sizeof *d, .run = first_run, .done = first_done};
  d->w = w;
  d->request_id = q->id;
  d->organisation = ss->info.organisation;
  d->person = ss->info.person;
  d->who = p;
  d->until_ms = w->o.sys->now_ms(w->o.sys->ctx) + SV_WEB_DEVICE_LIFE_MS;
  d->headers = reply->headers;
  reply->headers = NULL;
  if (!sv_writer_submit(sv_server_writer(w->o.server), &d->job)) return SV_NET_LATER;
  reply->headers = d->headers;
  d->headers = NULL;
  device_free(d);
  return web_problem_reply(reply, WEB_P_BUSY, 5);
}
