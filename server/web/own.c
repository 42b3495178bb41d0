/* /api/own/...: the own organisation, live, for those who lead or administer it. Each is a job of the writer:
 * rights, reading, and the lines in the audit about it are one transaction; the answer goes after its
 * commit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sv_audit.h"
#include "sv_ingest.h"
#include "sv_kinds.h"
#include "sv_rights.h"
#include "web_priv.h"

#define HELD_MAX 200u
#define REASON_BYTES_MAX 500u

typedef struct own_job {
  sv_job job;
  sv_web *w;
  uint64_t request_id;
  ov_name person;
  char peer[SV_NET_PEER_CHARS];
  char *headers; /* a renewed cookie, for the late answer */
  int (*work)(struct own_job *d, sv_txn *t, ov_arena *a);
  /* made by work, anew each time it runs */
  web_person who;
  json_t *answer;
  bool refused;
  web_problem problem;
  sv_touches touches;
  /* of a ruling */
  ov_name target;
  int verdict;
  char reason[REASON_BYTES_MAX + 1];
} own_job;

static void own_free(own_job *d) {
  sv_touches_free(&d->touches);
  json_decref(d->answer);
  free(d->headers);
  free(d);
}

static int refuse(own_job *d, web_problem p) {
  d->refused = true;
  d->problem = p;
  return 0;
}

/* -- words ----------------------------------------------------------------------------------------------- */

/* As the browser's engine writes names. */
static json_t *name_json(const ov_name *name) {
  uint8_t b[OV_NAME_BYTES];
  char text[2 * OV_NAME_BYTES + 1];
  ov_name_write(name, b);
  ov_hex(b, sizeof b, text);
  return json_string(text);
}

static json_t *text_json(const uint8_t *p, size_t n) {
  json_t *j = json_stringn((const char *)p, n);
  return j ? j : json_string("?"); /* not UTF-8: a damaged row may hold anything */
}

/* The first text of a record: what people call it. Null when there is none. */
static json_t *label_json(own_job *d, sv_txn *t, ov_arena *a, const ov_name *record) {
  sv_record_row row;
  if (ov_name_is_zero(record) || sv_record_get(t, record, a, &row)) return json_null();
  const ov_skind *k = ov_schemas_kind(d->job.org->schemas, row.rec.kind);
  for (uint32_t i = 0; k && i < k->n_fields; i++) {
    const ov_live *l = k->fields[i].type == OV_F_TEXT ? ov_record_field(&row.rec, k->fields[i].id, NULL)
                                                      : NULL;
    if (l && l->v.type == OV_V_TEXT) return text_json(l->v.s.p, l->v.s.n);
  }
  return json_null();
}

static json_t *team_json(own_job *d, sv_txn *t, ov_arena *a, uint32_t scope) {
  sv_scope s;
  if (scope < 2 || sv_scope_get(t, scope, &s)) return json_null();
  return label_json(d, t, a, &s.record);
}

static sv_audit_event line_of(const own_job *d, sv_audit_type type, char action, const char *detail) {
  sv_audit_event e = {.type = type,
                      .action = action,
                      .has_person = true,
                      .person = d->person,
                      .role = (uint8_t)d->who.role,
                      .requestor = true,
                      .purpose = SV_FOR_ADMINISTRATION};
  snprintf(e.address, sizeof e.address, "%s", d->peer);
  snprintf(e.detail, sizeof e.detail, "%s", detail);
  return e;
}

/* -- GET /api/own/devices -------------------------------------------------------------------------------- */

static json_t *device_json(own_job *d, sv_txn *t, ov_arena *a, const sv_device *x) {
  char id[2 * OV_ID_BYTES + 1];
  ov_hex(x->id.b, OV_ID_BYTES, id);
  json_t *teams = json_array();
  for (uint32_t i = 0; i < x->n_teams; i++) json_array_append_new(teams, team_json(d, t, a, x->teams[i]));
  return json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:I}", "id", id, "name",
                   label_json(d, t, a, &x->record), "person",
                   x->has_person ? label_json(d, t, a, &x->person) : json_null(), "teams", teams, "enrolled",
                   (json_int_t)(x->enrolled_ms / 1000), "seen", (json_int_t)(x->last_seen_ms / 1000),
                   "all_sent", (json_int_t)(x->all_sent_ms / 1000), "revoked", x->revoked, "expires",
                   (json_int_t)(x->expires_ms / 1000));
}

static int read_devices(own_job *d, sv_txn *t, ov_arena *a) {
  sv_device x;
  uint32_t n = 0;
  if (sv_right(d->who.role, OV_KIND_DEVICE, SV_A_READ) != SV_OWN_ORG || d->who.role == SV_ROLE_CARE_STAFF)
    return refuse(d, WEB_P_ROLE);
  json_t *list = json_array();
  d->answer = json_pack("{s:I, s:o}", "now", (json_int_t)(d->w->o.sys->now_ms(d->w->o.sys->ctx) / 1000),
                        "devices", list);
  if (!d->answer) return OV_E_NOMEM;
  int err = sv_device_next(t, NULL, &x);
  for (; !err; err = sv_device_next(t, &x.id, &x)) {
    json_array_append_new(list, device_json(d, t, a, &x));
    n++;
  }
  if (err != OV_E_NOTFOUND) return err;
  sv_audit_event e = line_of(d, SV_AUDIT_SEARCH, 'R', "web: devices");
  e.kind = OV_KIND_DEVICE;
  e.count = n;
  return sv_audit_put(t, d->job.org, &e);
}

/* -- GET /api/own/held ----------------------------------------------------------------------------------- */

static json_t *element_json(const ov_value *v) {
  ov_name name;
  if (v->type == OV_V_INT) return json_integer(v->i);
  if (v->type == OV_V_TEXT) return text_json(v->s.p, v->s.n);
  if (v->type == OV_V_BYTES && v->s.n == OV_NAME_BYTES) {
    ov_name_read(v->s.p, &name);
    return name_json(&name);
  }
  return json_null();
}

/* Of a set the elements that were added; what it took out is not told. */
static json_t *value_json(const ov_value *v) {
  if (v->type != OV_V_SET) return element_json(v);
  json_t *list = json_array();
  for (uint32_t i = 0; i < v->set.n_add; i++) json_array_append_new(list, element_json(&v->set.add[i]));
  return list;
}

static json_t *fields_json(const ov_op *op) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < op->n_fields; i++)
    json_array_append_new(
        list, json_pack("{s:i, s:o}", "field", (int)op->fields[i].id, "value", value_json(&op->fields[i].v)));
  return list;
}

/* Labels of what the values refer to, so that the page need not ask. */
static json_t *labels_json(own_job *d, sv_txn *t, ov_arena *a, const ov_op *op) {
  json_t *j = json_object();
  for (uint32_t i = 0; i < op->n_fields; i++) {
    const ov_value *v = &op->fields[i].v;
    uint8_t b[OV_NAME_BYTES];
    char text[2 * OV_NAME_BYTES + 1];
    ov_name name;
    if (v->type != OV_V_BYTES || v->s.n != OV_NAME_BYTES) continue;
    ov_name_read(v->s.p, &name);
    ov_name_write(&name, b);
    ov_hex(b, sizeof b, text);
    json_object_set_new(j, text, label_json(d, t, a, &name));
  }
  return j;
}

static json_t *held_json(own_job *d, sv_txn *t, ov_arena *a, const sv_op_row *row, uint8_t reason) {
  ov_problem why;
  const ov_op *op = &row->op;
  const ov_skind *k = ov_schemas_kind(d->job.org->schemas, op->kind);
  sv_device x;
  bool exact = ov_schema_check_op(d->job.org->schemas, op, &why) == reason;
  json_t *j = json_pack("{s:o, s:o, s:i, s:s, s:s, s:b, s:I, s:s, s:s, s:i}", "op", name_json(&op->name),
                        "record", name_json(&op->record), "kind", (int)op->kind, "kind_nl",
                        k ? k->nl : "nieuwe soort", "kind_en", k ? k->en : "new kind", "creates", op->creates,
                        "when", (json_int_t)sv_op_written(row), "nl",
                        exact ? why.text_nl : ov_held_text_nl(reason), "en",
                        exact ? why.text_en : ov_held_text_en(reason), "reason", (int)reason);
  if (!j) return NULL;
  if (row->n_receipts)
    json_object_set_new(j, "received", json_integer((json_int_t)(row->receipts[0].server_time_ms / 1000)));
  json_object_set_new(j, "author", op->has_author ? label_json(d, t, a, &op->author) : json_null());
  json_object_set_new(j, "client", op->has_participant ? label_json(d, t, a, &op->participant) : json_null());
  json_object_set_new(j, "team", team_json(d, t, a, op->scope));
  if (!sv_device_get(t, &row->device, &x)) json_object_set_new(j, "device", label_json(d, t, a, &x.record));
  json_object_set_new(j, "fields", fields_json(op));
  json_object_set_new(j, "labels", labels_json(d, t, a, op));
  return j;
}

/* Who was shown: one line in the audit each. */
typedef struct shown {
  ov_name who[HELD_MAX];
  uint32_t count[HELD_MAX], n;
} shown;

static void note_shown(shown *s, const ov_op *op) {
  static const ov_name nobody;
  const ov_name *who = op->has_participant ? &op->participant : &nobody;
  uint32_t i = 0;
  while (i < s->n && !ov_name_equal(&s->who[i], who)) i++;
  if (i == s->n) {
    s->who[s->n++] = *who;
    s->count[i] = 0;
  }
  s->count[i]++;
}

static int audit_shown(own_job *d, sv_txn *t, const shown *s) {
  sv_audit_event e = line_of(d, SV_AUDIT_SEARCH, 'R', "web: held entries");
  int err = 0;
  for (uint32_t i = 0; i < s->n && !err; i++) {
    e.has_participant = !ov_name_is_zero(&s->who[i]);
    e.participant = s->who[i];
    e.count = s->count[i];
    err = sv_audit_put(t, d->job.org, &e);
  }
  return err;
}

static int read_held(own_job *d, sv_txn *t, ov_arena *a) {
  ov_name at = {.seq = 0};
  bool started = false, more = false;
  shown s = {.n = 0};
  json_t *list = json_array();
  d->answer = json_pack("{s:o}", "held", list);
  if (!d->answer) return OV_E_NOMEM;
  for (;;) {
    sv_op_row row;
    ov_verdict v;
    uint8_t reason = 0;
    int err = sv_held_next(t, started ? &at : NULL, &at);
    if (err == OV_E_NOTFOUND) break;
    started = true;
    if (!err) err = sv_op_get(t, &at, a, &row);
    if (!err) err = sv_verdict(t, &row, a, &v, &reason);
    if (err) return err;
    if (v != OV_HELD || sv_right(d->who.role, row.op.kind, SV_A_RULE) != SV_OWN_ORG) continue;
    more = json_array_size(list) == HELD_MAX;
    if (more) break;
    json_array_append_new(list, held_json(d, t, a, &row, reason));
    note_shown(&s, &row.op);
  }
  json_object_set_new(d->answer, "more", json_boolean(more));
  bool rules = sv_right(d->who.role, OV_KIND_PARTICIPANT, SV_A_RULE) == SV_OWN_ORG;
  return rules ? audit_shown(d, t, &s) : refuse(d, WEB_P_ROLE);
}

/* -- POST /api/own/ruling -------------------------------------------------------------------------------- */

static int rule(own_job *d, sv_txn *t, ov_arena *a) {
  sv_op_row row;
  int err = sv_op_get(t, &d->target, a, &row);
  if (err == OV_E_NOTFOUND) return refuse(d, WEB_P_UNKNOWN);
  if (err) return err;
  if (sv_right(d->who.role, row.op.kind, SV_A_RULE) != SV_OWN_ORG) return refuse(d, WEB_P_ROLE);
  err = sv_ingest_ruling(t, d->job.org, &d->target, d->verdict, d->reason, &d->person, a, &d->touches);
  if (err == OV_E_NOTFOUND) return refuse(d, WEB_P_UNKNOWN);
  if (err == OV_E_INVALID || err == OV_E_LIMIT) return refuse(d, WEB_P_RULED);
  if (err) return err;
  sv_audit_event e = line_of(d, SV_AUDIT_RULING, 'U',
                             d->verdict == SV_RULING_ADMIT ? "web: admitted" : "web: dismissed");
  e.has_participant = row.op.has_participant;
  e.participant = row.op.participant;
  e.has_object = true;
  e.object = row.op.record;
  e.kind = row.op.kind;
  e.team = row.op.scope >= 2 ? row.op.scope : 0;
  e.count = 1;
  d->answer = json_pack("{s:o}", "op", name_json(&d->target));
  return sv_audit_put(t, d->job.org, &e);
}

/* -- the way of all three -------------------------------------------------------------------------------- */

/* The person is read again in the transaction: whoever lost the role a moment ago sees nothing. */
static int own_run(sv_job *job, sv_txn *t, ov_arena *a) {
  own_job *d = (own_job *)job;
  sv_touches_free(&d->touches);
  d->touches = (sv_touches){0};
  json_decref(d->answer);
  d->answer = NULL;
  d->refused = false;
  int err = web_person_read(t, a, &d->person, &d->who);
  if (err == OV_E_NOTFOUND || (!err && !d->who.active)) return refuse(d, WEB_P_SESSION);
  return err ? err : d->work(d, t, a);
}

/* Who has a session at this moment; known on this thread only. */
static void mark_here(sv_web *w, json_t *answer) {
  json_t *list = json_object_get(answer, "devices"), *x;
  size_t i;
  json_array_foreach(list, i, x) {
    ov_id id;
    const char *text = json_string_value(json_object_get(x, "id"));
    bool all_sent = false;
    if (!text || ov_unhex(text, id.b, OV_ID_BYTES)) continue;
    json_object_set_new(x, "here", json_boolean(sv_server_device_here(w->o.server, &id, &all_sent)));
    if (all_sent) json_object_set(x, "all_sent", json_object_get(answer, "now"));
  }
}

static void own_done(sv_job *job, void *server) {
  own_job *d = (own_job *)job;
  if (!server || !d->w->net) {
    own_free(d);
    return;
  }
  for (uint32_t i = 0; !job->err && i < d->touches.n; i++)
    sv_server_changed(server, job->org, &d->touches.v[i].scope, 1);
  sv_net_reply reply = {.status = 200, .headers = d->headers};
  d->headers = NULL;
  if (job->err) web_problem_reply(&reply, WEB_P_BUSY, 5);
  else if (d->refused) web_problem_reply(&reply, d->problem, 0);
  else {
    mark_here(d->w, d->answer);
    if (web_json_reply(&reply, d->answer)) web_problem_reply(&reply, WEB_P_INTERNAL, 0);
    d->answer = NULL;
  }
  sv_net_reply_later(d->w->net, d->request_id, &reply);
  own_free(d);
}

/* NULL with the refusal in reply. */
static own_job *own_new(sv_web *w, const sv_net_request *q, sv_net_reply *reply,
                        int (*work)(own_job *, sv_txn *, ov_arena *)) {
  web_session *ss = web_guard_session(w, q, reply);
  if (!ss) return NULL;
  sv_org *org = sv_server_org(w->o.server, &ss->info.organisation);
  own_job *d = org ? calloc(1, sizeof *d) : NULL;
  if (!d) {
    web_problem_reply(reply, WEB_P_INTERNAL, 0);
    return NULL;
  }
  d->job = (sv_job){.org = org, .bytes = sizeof *d, .run = own_run, .done = own_done};
  d->w = w;
  d->request_id = q->id;
  d->person = ss->info.person;
  d->work = work;
  memcpy(d->peer, q->peer, strnlen(q->peer, SV_NET_PEER_CHARS - 1));
  return d;
}

static int own_submit(own_job *d, sv_net_reply *reply) {
  d->headers = reply->headers;
  reply->headers = NULL;
  if (!sv_writer_submit(sv_server_writer(d->w->o.server), &d->job)) return SV_NET_LATER;
  reply->headers = d->headers;
  d->headers = NULL;
  own_free(d);
  return web_problem_reply(reply, WEB_P_BUSY, 5);
}

int web_own_devices(void *user, const sv_net_request *q, sv_net_reply *reply) {
  own_job *d = own_new(user, q, reply, read_devices);
  return d ? own_submit(d, reply) : 0;
}

int web_own_held(void *user, const sv_net_request *q, sv_net_reply *reply) {
  own_job *d = own_new(user, q, reply, read_held);
  return d ? own_submit(d, reply) : 0;
}

static bool take_ruling(own_job *d, const json_t *j) {
  uint8_t b[OV_NAME_BYTES];
  const char *op = json_string_value(json_object_get(j, "op")),
             *verdict = json_string_value(json_object_get(j, "verdict")),
             *reason = json_string_value(json_object_get(j, "reason"));
  if (!op || !verdict || !reason || strlen(op) != 2 * OV_NAME_BYTES || ov_unhex(op, b, sizeof b))
    return false;
  ov_name_read(b, &d->target);
  d->verdict = strcmp(verdict, "admit") == 0     ? SV_RULING_ADMIT
               : strcmp(verdict, "dismiss") == 0 ? SV_RULING_DISMISS
                                                 : 0;
  if (!d->verdict || !*reason || strlen(reason) > REASON_BYTES_MAX) return false;
  memcpy(d->reason, reason, strlen(reason) + 1);
  return true;
}

int web_own_ruling(void *user, const sv_net_request *q, sv_net_reply *reply) {
  own_job *d = own_new(user, q, reply, rule);
  json_t *j = d ? web_body(q, reply) : NULL;
  bool taken = j && take_ruling(d, j);
  if (j && !taken) web_problem_reply(reply, WEB_P_BODY, 0);
  json_decref(j);
  if (taken) return own_submit(d, reply);
  if (d) own_free(d);
  return 0;
}
