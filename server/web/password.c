/* POST /api/password: who is signed in chooses another password, with the present one and a code. Comparing
 * and hashing is the hashing thread's work; then one write transaction uses the code up and changes the
 * password, if it is still the one that was compared. All other sessions of the person end: whoever knew the
 * old one is out. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sv_audit.h"
#include "web_priv.h"

typedef struct password_job {
  sv_job job;
  web_hash_job *hash; /* owned */
  sv_web *w;
  uint8_t role;
  bool right;
} password_job;

static void job_free(password_job *j) {
  web_hash_job_free(j->hash);
  free(j);
}

/* The late answer, with the cookie that may have been renewed meanwhile. Takes what the job holds of it. */
static sv_net_reply begin_reply(web_hash_job *h) {
  sv_net_reply reply = {.status = 200, .headers = h->headers};
  h->headers = NULL;
  return reply;
}

/* -- the write ------------------------------------------------------------------------------------------- */

static void describe(sv_audit_event *e, const web_hash_job *h, uint8_t role, bool done) {
  *e = (sv_audit_event){.type = SV_AUDIT_ADMIN,
                        .action = 'U',
                        .has_person = true,
                        .person = h->person,
                        .role = role,
                        .requestor = true,
                        .purpose = SV_FOR_ADMINISTRATION};
  if (!done) e->outcome = SV_REFUSED;
  memcpy(e->address, h->peer, strnlen(h->peer, sizeof h->peer - 1));
  snprintf(e->detail, sizeof e->detail, "web: own password %s", done ? "changed" : "not changed");
}

static int change(sv_job *job, sv_txn *t, ov_arena *a) {
  password_job *j = (password_job *)job;
  const web_hash_job *h = j->hash;
  sv_account acc;
  sv_audit_event e;
  bool recovery;
  int64_t now = j->w->o.sys->now_ms(j->w->o.sys->ctx);
  (void)a;
  j->right = false;
  int err = sv_account_get(t, &h->person, &acc);
  bool same = !err && !acc.disabled && strcmp(acc.password, h->hash) == 0;
  if (err == OV_E_NOTFOUND) err = 0;
  if (!err && same) {
    err = sv_second_factor_use(sv_txn_hasher(t), &acc, h->code, now, &recovery);
    j->right = !err;
    if (err == OV_E_AUTH) err = 0;
  }
  if (!err && j->right) {
    memcpy(acc.password, h->next_hash, sizeof acc.password);
    err = sv_account_put(t, &acc);
  }
  OPENSSL_cleanse(&acc, sizeof acc);
  describe(&e, h, j->role, j->right);
  return err ? err : sv_audit_put(t, j->job.org, &e);
}

/* server NULL: it stops, and nobody waits. */
static void changed(sv_job *job, void *server) {
  password_job *j = (password_job *)job;
  web_hash_job *h = j->hash;
  sv_web *w = j->w;
  if (server && w->net) {
    sv_net_reply reply = begin_reply(h);
    if (job->err || j->right) web_delay_refund(w, h->login, h->address_key);
    if (job->err) web_problem_reply(&reply, WEB_P_BUSY, 5);
    else if (!j->right) web_problem_reply(&reply, WEB_P_PASSWORD, 0);
    else {
      unsigned ended = web_session_end_others(w, &h->person, h->session);
      web_json_reply(&reply, json_pack("{s:b, s:i}", "ok", 1, "sessions_ended", (int)ended));
    }
    sv_net_reply_later(w->net, h->request_id, &reply);
  }
  job_free(j);
}

/* -- after the hashing ----------------------------------------------------------------------------------- */

static int submit(sv_web *w, web_hash_job *h) {
  sv_org *org = sv_server_org(w->o.server, &h->organisation);
  web_person p;
  password_job *j = org ? calloc(1, sizeof *j) : NULL;
  if (!j) return OV_E_NOMEM;
  j->job = (sv_job){.org = org, .bytes = sizeof *j + sizeof *h, .run = change, .done = changed};
  j->hash = h;
  j->w = w;
  if (!web_person_get(w, &h->organisation, &h->person, &p)) j->role = (uint8_t)p.role;
  int err = sv_writer_submit(sv_server_writer(w->o.server), &j->job);
  if (err) free(j);
  return err;
}

static void hashed(sv_web *w, web_hash_job *h) {
  sv_net_reply reply;
  if (h->fits && !h->next_err && !submit(w, h)) return;
  reply = begin_reply(h);
  if (h->fits) {
    web_delay_refund(w, h->login, h->address_key);
    web_problem_reply(&reply, WEB_P_BUSY, 5);
  } else {
    sv_audit_event e;
    web_person p = {.role = 0};
    (void)web_person_get(w, &h->organisation, &h->person, &p);
    describe(&e, h, (uint8_t)p.role, false);
    (void)sv_server_audit_refusal(w->o.server, sv_server_org(w->o.server, &h->organisation), &e);
    web_problem_reply(&reply, WEB_P_PASSWORD, 0);
  }
  sv_net_reply_later(w->net, h->request_id, &reply);
  web_hash_job_free(h);
}

/* -- what is asked --------------------------------------------------------------------------------------- */

/* Length alone, as NIST SP 800-63B (5.1.1) has it, and what a guesser tries first. */
static bool good_enough(const char *next, const char *now, const char *login) {
  size_t bytes = strlen(next), letters = 0;
  for (size_t i = 0; i < bytes; i++) letters += ((uint8_t)next[i] & 0xc0) != 0x80;
  return bytes <= SV_PASSWORD_MAX && letters >= SV_PASSWORD_MIN &&
         ov_utf8_valid((const uint8_t *)next, bytes) && strcmp(next, now) != 0 && !strstr(next, login);
}

static int read_account(sv_web *w, web_hash_job *h) {
  sv_account a = {.disabled = false};
  sv_txn *t = NULL;
  sv_org *org = sv_server_org(w->o.server, &h->organisation);
  int err = org ? sv_txn_read(org->env, &t) : OV_E_NOTFOUND;
  if (!err) err = sv_account_get(t, &h->person, &a);
  sv_txn_abort(t);
  h->known = !err && !a.disabled;
  if (!err) memcpy(h->hash, a.password, sizeof h->hash);
  OPENSSL_cleanse(&a, sizeof a);
  return err;
}

static int queue(sv_web *w, const sv_net_request *q, const web_session *ss, const char *const text[3],
                 sv_net_reply *reply) {
  web_hash_job *h = calloc(1, sizeof *h);
  if (!h) return OV_E_NOMEM;
  h->request_id = q->id;
  h->done_fn = hashed;
  h->organisation = ss->info.organisation;
  h->person = ss->info.person;
  memcpy(h->login, ss->info.login, sizeof h->login);
  memcpy(h->session, ss->info.id, sizeof h->session);
  memcpy(h->address_key, q->address_key, sizeof h->address_key);
  memcpy(h->peer, q->peer, strnlen(q->peer, sizeof h->peer - 1));
  memcpy(h->password, text[0], strlen(text[0]) + 1);
  memcpy(h->next, text[1], strlen(text[1]) + 1);
  memcpy(h->code, text[2], strlen(text[2]) + 1);
  h->headers = reply->headers;
  reply->headers = NULL;
  if (!read_account(w, h) && web_hasher_submit(&w->passwords, h)) return SV_NET_LATER;
  reply->headers = h->headers;
  h->headers = NULL;
  web_hash_job_free(h);
  web_delay_refund(w, ss->info.login, q->address_key);
  return web_problem_reply(reply, WEB_P_BUSY, 5);
}

int web_password(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  web_session *ss = web_guard_session(w, q, reply);
  json_t *j = ss ? web_body(q, reply) : NULL;
  if (!j) return 0;
  static const char *const names[3] = {"password", "new", "code"};
  static const size_t most[3] = {SV_PASSWORD_MAX, SV_WEB_BODY_BYTES_MAX, OV_CODE_TEXT_MAX};
  const char *text[3];
  bool whole = true;
  int result = 0;
  for (unsigned i = 0; i < 3; i++) {
    text[i] = json_string_value(json_object_get(j, names[i]));
    whole = whole && text[i] && strlen(text[i]) <= most[i];
  }
  if (!whole) web_problem_reply(reply, WEB_P_BODY, 0);
  else if (!good_enough(text[1], text[0], ss->info.login)) web_problem_reply(reply, WEB_P_NEW_PASSWORD, 0);
  else {
    unsigned wait = web_delay_charge(w, ss->info.login, q->address_key);
    result = wait ? web_problem_reply(reply, WEB_P_SLOW, wait) : queue(w, q, ss, text, reply);
  }
  json_decref(j);
  return result;
}
