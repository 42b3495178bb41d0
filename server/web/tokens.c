/* What a person may do with releases on the web: see the list of them, save their files, and have tokens of
 * one's own for programs. A token is shown once and kept as its hash; it ends when its person's right to
 * releases does. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sv_audit.h"
#include "sv_rights.h"
#include "web_priv.h"

/* Of one person at a time: a program each, not a farm of them. */
#define TOKENS_LIVE_MAX 10u
/* With those that are over; beyond it the oldest of these goes, so that nobody can fill the store. */
#define TOKENS_KEPT_MAX 30u
#define TOKEN_DAYS_MAX 365
#define DAY_MS (24ll * 60 * 60 * 1000)

/* -- rights ---------------------------------------------------------------------------------------------- */

static bool may(unsigned role, sv_action action) {
  return sv_right(role, SV_KIND_RELEASE, action) == SV_NETWORK;
}

bool web_token_stands(sv_web *w, const sv_token *tok) {
  web_person p;
  sv_account account = {.disabled = false};
  sv_txn *t = NULL;
  if (ov_name_is_zero(&tok->person)) return true;
  if (web_person_get(w, &tok->organisation, &tok->person, &p) || !p.active || !may(p.role, SV_A_EXPORT))
    return false;
  sv_org *org = sv_server_org(w->o.server, &tok->organisation);
  int err = org ? sv_txn_read(org->env, &t) : OV_E_NOTFOUND;
  if (!err) err = sv_account_get(t, &tok->person, &account);
  sv_txn_abort(t);
  return err == OV_E_NOTFOUND || (!err && !account.disabled); /* a person without an account may have one */
}

/* The session and who it is, of somebody who may; NULL with the refusal. */
static web_session *guard(sv_web *w, const sv_net_request *q, sv_action action, web_person *p,
                          sv_net_reply *reply) {
  web_session *ss = web_guard_session(w, q, reply);
  if (!ss) return NULL;
  bool known = !web_person_get(w, &ss->info.organisation, &ss->info.person, p);
  if (known && may(p->role, action)) return ss;
  web_problem_reply(reply, known ? WEB_P_ROLE : WEB_P_INTERNAL, 0);
  return NULL;
}

int web_releases(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  web_person p;
  bool list = strcmp(q->path, "/api/releases") == 0;
  return guard(w, q, list ? SV_A_READ : SV_A_EXPORT, &p, reply) ? web_v1_for_person(w, q, reply) : 0;
}

/* -- the list -------------------------------------------------------------------------------------------- */

static bool is_of(const sv_token *tok, const web_session *ss) {
  return ov_id_equal(&tok->organisation, &ss->info.organisation) &&
         ov_name_equal(&tok->person, &ss->info.person);
}

static bool is_live(const sv_token *tok, int64_t now_ms) { return !tok->revoked && tok->expires_ms > now_ms; }

static json_t *token_json(const sv_token *tok, int64_t now_ms) {
  char id[2 * SV_TOKEN_ID_BYTES + 1];
  const char *state = tok->revoked ? "revoked" : is_live(tok, now_ms) ? "in use" : "expired";
  ov_hex(tok->hash, SV_TOKEN_ID_BYTES, id);
  json_t *used = tok->used_ms ? json_integer(tok->used_ms / 1000) : json_null();
  return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "id", id, "label", tok->label, "datasets",
                   tok->datasets, "state", state, "created", (json_int_t)(tok->created_ms / 1000), "expires",
                   (json_int_t)(tok->expires_ms / 1000), "last_used", used);
}

static json_t *datasets_json(void) {
  json_t *list = json_array();
  for (unsigned i = 0; sv_export_dataset_at(i); i++) {
    if (sv_export_has(sv_export_dataset_at(i), SV_FORMAT_SAV))
      json_array_append_new(list, json_string(sv_export_dataset_at(i)));
  }
  return list;
}

static int list_own(sv_web *w, const web_session *ss, sv_net_reply *reply) {
  sv_token tok;
  sv_txn *t = NULL;
  int64_t now = w->o.sys->now_ms(w->o.sys->ctx);
  json_t *list = json_array();
  int err = list ? sv_txn_read(sv_server_programme(w->o.server)->env, &t) : OV_E_NOMEM;
  for (const uint8_t *after = NULL; !err && !(err = sv_token_next(t, after, &tok)); after = tok.hash) {
    if (is_of(&tok, ss)) json_array_append_new(list, token_json(&tok, now));
  }
  sv_txn_abort(t);
  if (err != OV_E_NOTFOUND) {
    json_decref(list);
    return web_problem_reply(reply, WEB_P_BUSY, 5);
  }
  return web_json_reply(reply, json_pack("{s:o, s:o, s:i, s:i}", "tokens", list, "datasets", datasets_json(),
                                         "live_max", (int)TOKENS_LIVE_MAX, "days_max", TOKEN_DAYS_MAX));
}

/* -- changing -------------------------------------------------------------------------------------------- */

typedef struct token_job {
  sv_job job;
  sv_web *w;
  uint64_t request_id;
  char *headers; /* a renewed cookie, for the late answer */
  sv_web_session_info who;
  unsigned role;
  bool revoke;
  char id[2 * SV_TOKEN_ID_BYTES + 1]; /* revoke */
  sv_token tok;                       /* the new one */
  char text[SV_TOKEN_TEXT];
} token_job;

static void job_free(token_job *j) {
  OPENSSL_cleanse(j->text, sizeof j->text);
  free(j->headers);
  free(j);
}

static int put_audit(sv_txn *t, const token_job *j) {
  sv_audit_event e = {.type = SV_AUDIT_ADMIN,
                      .action = j->revoke ? 'U' : 'C',
                      .has_person = true,
                      .person = j->who.person,
                      .role = (uint8_t)j->role,
                      .requestor = true,
                      .purpose = SV_FOR_RESEARCH};
  snprintf(e.address, sizeof e.address, "%.47s", j->who.peer);
  snprintf(e.detail, sizeof e.detail, "token %s", j->revoke ? "revoked" : "made");
  return sv_audit_put(t, j->job.org, &e);
}

/* What this person has: how many live, how many in all, and the oldest that is over. */
typedef struct owned {
  unsigned live, all;
  sv_token oldest;
  bool has_oldest;
} owned;

static bool same_person(const sv_token *tok, const token_job *j) {
  return ov_id_equal(&tok->organisation, &j->who.organisation) && ov_name_equal(&tok->person, &j->who.person);
}

static int look(sv_txn *t, const token_job *j, owned *o) {
  sv_token tok;
  int err = 0;
  *o = (owned){.live = 0};
  for (const uint8_t *after = NULL; !(err = sv_token_next(t, after, &tok)); after = tok.hash) {
    if (!same_person(&tok, j)) continue;
    bool live = is_live(&tok, j->tok.created_ms);
    o->all++;
    o->live += live;
    if (live || (o->has_oldest && tok.created_ms >= o->oldest.created_ms)) continue;
    o->oldest = tok;
    o->has_oldest = true;
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int make_run(sv_job *job, sv_txn *t, ov_arena *a) {
  token_job *j = (token_job *)job;
  owned o;
  (void)a;
  int err = look(t, j, &o);
  if (!err && o.live >= TOKENS_LIVE_MAX) return OV_E_LIMIT;
  if (!err && o.all >= TOKENS_KEPT_MAX && o.has_oldest) err = sv_token_del(t, o.oldest.hash);
  if (!err) err = sv_token_make(j->w->o.sys, sv_txn_hasher(t), &j->tok, j->text);
  if (!err) err = sv_token_put(t, &j->tok);
  return err ? err : put_audit(t, j);
}

static int revoke_run(sv_job *job, sv_txn *t, ov_arena *a) {
  token_job *j = (token_job *)job;
  char id[2 * SV_TOKEN_ID_BYTES + 1];
  sv_token tok;
  int err;
  (void)a;
  for (const uint8_t *after = NULL; !(err = sv_token_next(t, after, &tok)); after = tok.hash) {
    ov_hex(tok.hash, SV_TOKEN_ID_BYTES, id);
    if (!same_person(&tok, j) || strcmp(id, j->id) != 0) continue;
    tok.revoked = true;
    j->tok = tok;
    err = sv_token_put(t, &tok);
    return err ? err : put_audit(t, j);
  }
  return err; /* OV_E_NOTFOUND: no such token of this person */
}

static web_problem problem_of(int err) {
  return err == OV_E_NOTFOUND ? WEB_P_NO_TOKEN : err == OV_E_LIMIT ? WEB_P_TOKENS : WEB_P_BUSY;
}

static void done(sv_job *job, void *server) {
  token_job *j = (token_job *)job;
  sv_net_reply reply = {.status = 200, .headers = j->headers};
  j->headers = NULL;
  json_t *token = token_json(&j->tok, j->tok.created_ms);
  if (job->err) web_problem_reply(&reply, problem_of(job->err), job->err == OV_E_BUSY ? 5 : 0);
  else {
    if (!j->revoke) json_object_set_new(token, "token", json_string(j->text));
    web_json_reply(&reply, json_incref(token));
  }
  json_decref(token);
  if (server && j->w->net) sv_net_reply_later(j->w->net, j->request_id, &reply);
  else sv_net_reply_free(&reply);
  job_free(j);
}

static int submit(sv_web *w, token_job *j, const sv_net_request *q, sv_net_reply *reply) {
  j->w = w;
  j->request_id = q->id;
  j->job = (sv_job){.org = sv_server_programme(w->o.server),
                    .bytes = sizeof *j,
                    .run = j->revoke ? revoke_run : make_run,
                    .done = done};
  j->headers = reply->headers;
  reply->headers = NULL;
  if (!sv_writer_submit(sv_server_writer(w->o.server), &j->job)) return SV_NET_LATER;
  reply->headers = j->headers;
  j->headers = NULL;
  job_free(j);
  return web_problem_reply(reply, WEB_P_BUSY, 5);
}

/* -- what is asked --------------------------------------------------------------------------------------- */

/* A list of datasets as a token keeps it; an empty one is all. False: one is unknown. */
static bool take_datasets(const json_t *list, char out[SV_TOKEN_SCOPE_MAX + 1]) {
  size_t at = 0, i;
  json_t *v;
  if (list && !json_is_array(list)) return false;
  json_array_foreach(list, i, v) {
    const char *name = json_string_value(v);
    if (!name || !sv_export_has(name, SV_FORMAT_SAV) || at + strlen(name) + 1 > SV_TOKEN_SCOPE_MAX)
      return false;
    at += (size_t)snprintf(out + at, SV_TOKEN_SCOPE_MAX + 1 - at, "%s%s", at ? " " : "", name);
  }
  if (!at) memcpy(out, "*", 2);
  return true;
}

static bool take_label(const json_t *body, char out[SV_TOKEN_LABEL_MAX + 1]) {
  const char *label = json_string_value(json_object_get(body, "label"));
  size_t n = label ? strlen(label) : 0;
  if (!n || n > SV_TOKEN_LABEL_MAX) return false;
  memcpy(out, label, n + 1);
  return true;
}

static token_job *job_new(sv_web *w, const web_session *ss, const web_person *p) {
  token_job *j = calloc(1, sizeof *j);
  if (!j) return NULL;
  j->who = ss->info;
  j->role = p->role;
  j->tok.created_ms = w->o.sys->now_ms(w->o.sys->ctx);
  j->tok.organisation = ss->info.organisation;
  j->tok.person = ss->info.person;
  return j;
}

static int make_own(sv_web *w, const sv_net_request *q, const web_session *ss, const web_person *p,
                    sv_net_reply *reply) {
  json_t *body = web_body(q, reply);
  if (!body) return 0;
  token_job *j = job_new(w, ss, p);
  int64_t days = json_integer_value(json_object_get(body, "days"));
  bool fine = j && days >= 1 && days <= TOKEN_DAYS_MAX && take_label(body, j->tok.label) &&
              take_datasets(json_object_get(body, "datasets"), j->tok.datasets);
  json_decref(body);
  if (!j) return OV_E_NOMEM;
  j->tok.expires_ms = j->tok.created_ms + days * DAY_MS;
  if (fine) return submit(w, j, q, reply);
  job_free(j);
  return web_problem_reply(reply, WEB_P_BODY, 0);
}

int web_tokens(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  web_person p;
  web_session *ss = guard(w, q, SV_A_EXPORT, &p, reply);
  if (!ss) return 0;
  return q->method == SV_NET_POST ? make_own(w, q, ss, &p, reply) : list_own(w, ss, reply);
}

/* Whose role changed can still end what they have. */
int web_tokens_revoke(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  web_person p;
  web_session *ss = web_guard_session(w, q, reply);
  json_t *body = ss ? web_body(q, reply) : NULL;
  if (!body) return 0;
  const char *id = json_string_value(json_object_get(body, "id"));
  bool fine = id && strlen(id) == 2 * SV_TOKEN_ID_BYTES && strspn(id, "0123456789abcdef") == strlen(id);
  token_job *j = NULL;
  if (fine && !web_person_get(w, &ss->info.organisation, &ss->info.person, &p)) j = job_new(w, ss, &p);
  if (j) {
    j->revoke = true;
    memcpy(j->id, id, sizeof j->id);
  }
  json_decref(body);
  if (!fine) return web_problem_reply(reply, WEB_P_BODY, 0);
  return j ? submit(w, j, q, reply) : web_problem_reply(reply, WEB_P_INTERNAL, 0);
}
