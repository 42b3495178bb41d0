/* POST /api/sign-in: a name and a password. The same work and the same answer whether there is such an
 * account or not; a right password gets a ticket for the second step and nothing else. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web_priv.h"

/* The account behind a name, if there is one that may sign in. */
static int look_up(sv_web *w, web_hash_job *job) {
  sv_txn *t = NULL;
  sv_login l;
  sv_account a;
  web_person p;
  int err = sv_txn_read(sv_server_programme(w->o.server)->env, &t);
  if (err) return err;
  err = sv_login_get(t, job->login, &l);
  sv_txn_abort(t);
  if (err) return err;
  sv_org *org = sv_server_org(w->o.server, &l.organisation);
  err = org ? sv_txn_read(org->env, &t) : OV_E_NOTFOUND;
  if (err) return err;
  err = sv_account_get(t, &l.person, &a);
  sv_txn_abort(t);
  if (!err && a.disabled) err = OV_E_NOTFOUND;
  if (!err) err = web_person_get(w, &l.organisation, &l.person, &p);
  if (!err && !p.active) err = OV_E_NOTFOUND;
  if (!err) {
    memcpy(job->hash, a.password, sizeof job->hash);
    job->organisation = l.organisation;
    job->person = l.person;
    job->known = true;
  }
  OPENSSL_cleanse(&a, sizeof a);
  return err;
}

/* -- when the hash is known ----------------------------------------------------------------------------- */

static web_ticket *place(sv_web *w) {
  int64_t now = web_now(w);
  for (unsigned i = 0; i < SV_WEB_TICKETS_MAX; i++)
    if (!w->ticket[i].used || w->ticket[i].until < now) return &w->ticket[i];
  return NULL;
}

static int give_ticket(sv_web *w, const web_hash_job *job, sv_net_reply *reply) {
  char text[WEB_SECRET_TEXT];
  web_ticket *ticket = place(w);
  if (!ticket) return web_problem_reply(reply, WEB_P_BUSY, 60);
  *ticket = (web_ticket){
      .organisation = job->organisation, .person = job->person, .until = web_now(w) + SV_WEB_TICKET_MS};
  memcpy(ticket->login, job->login, sizeof ticket->login);
  int err = web_secret(w, text);
  if (!err) err = web_hash_text(w, text, ticket->hash);
  if (err) return web_problem_reply(reply, WEB_P_INTERNAL, 0);
  ticket->used = true;
  return web_json_reply(reply, json_pack("{s:s, s:s, s:i}", "step", "totp", "ticket", text, "expires_s",
                                         SV_WEB_TICKET_MS / 1000));
}

/* The name that was typed is not in the line: people type passwords there. */
static void tell_audit(sv_web *w, const web_hash_job *job) {
  sv_audit_event e;
  web_sign_in_event(&e, &job->person, job->peer);
  e.has_person = job->known;
  snprintf(e.detail, sizeof e.detail, "%s", job->known ? "web: password" : "web: no such account");
  sv_org *org = job->known ? sv_server_org(w->o.server, &job->organisation) : NULL;
  (void)sv_server_audit_refusal(w->o.server, org, &e);
}

static void finish(sv_web *w, web_hash_job *job) {
  sv_net_reply reply = {.status = 200};
  if (job->fits) {
    web_delay_refund(w, job->login, job->address_key);
    give_ticket(w, job, &reply);
  } else {
    w->stats.refused++;
    tell_audit(w, job);
    web_problem_reply(&reply, WEB_P_SIGN_IN, 0);
  }
  sv_net_reply_later(w->net, job->request_id, &reply);
  web_hash_job_free(job);
}

/* -- what is asked --------------------------------------------------------------------------------------- */

static int queue(sv_web *w, const sv_net_request *q, const char *folded, const char *password,
                 sv_net_reply *reply) {
  web_hash_job *job = calloc(1, sizeof *job);
  if (!job) return OV_E_NOMEM;
  job->request_id = q->id;
  job->done_fn = finish;
  memcpy(job->login, folded, strlen(folded) + 1);
  memcpy(job->password, password, strlen(password) + 1);
  memcpy(job->address_key, q->address_key, sizeof job->address_key);
  memcpy(job->peer, q->peer, strnlen(q->peer, sizeof job->peer - 1));
  memcpy(job->hash, w->stand_in, sizeof job->hash);
  int err = look_up(w, job);
  bool taken = (!err || err == OV_E_NOTFOUND) && web_hasher_submit(&w->passwords, job);
  if (taken) return SV_NET_LATER;
  web_delay_refund(w, folded, q->address_key);
  web_hash_job_free(job);
  return web_problem_reply(reply, WEB_P_BUSY, 5);
}

int web_sign_in(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  json_t *j = web_guard(q, reply) ? web_body(q, reply) : NULL;
  if (!j) return 0;
  const char *login = json_string_value(json_object_get(j, "login")),
             *password = json_string_value(json_object_get(j, "password"));
  char folded[SV_LOGIN_MAX + 1];
  int result = 0;
  if (!login || !password || strlen(password) > SV_PASSWORD_MAX || strlen(login) > SV_LOGIN_MAX) {
    web_problem_reply(reply, WEB_P_BODY, 0);
  } else {
    /* What cannot be a name is worked on like one that nobody has. */
    if (!sv_login_fold(login, folded)) memcpy(folded, "?", 2);
    unsigned wait = web_delay_charge(w, folded, q->address_key);
    result = wait ? web_problem_reply(reply, WEB_P_SLOW, wait) : queue(w, q, folded, password, reply);
  }
  json_decref(j); /* the password's copy in it goes with it; the job's is wiped */
  return result;
}
