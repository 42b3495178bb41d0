/* POST /api/sign-in/totp: the code of the moment, or a recovery code. It is used up in a write transaction
 * before anybody is signed in, so that no code works twice, whatever happens in between. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web_priv.h"

typedef struct code_job {
  sv_job job;
  sv_web *w;
  uint64_t request_id;
  sv_web_session_info info;
  uint8_t address_key[16];
  char code[OV_CODE_TEXT_MAX + 1];
  bool right, recovery;
  unsigned recovery_left;
} code_job;

void web_sign_in_event(sv_audit_event *e, const ov_name *person, const char *peer) {
  *e = (sv_audit_event){.type = SV_AUDIT_SIGN_IN,
                        .action = 'E',
                        .has_person = true,
                        .person = *person,
                        .requestor = true,
                        .purpose = SV_FOR_ADMINISTRATION};
  memcpy(e->address, peer, strnlen(peer, sizeof e->address - 1));
}

/* In the transaction that uses the code up: nobody is signed in without a line. */
static int tell_audit(sv_txn *t, ov_arena *a, const code_job *c) {
  sv_audit_event e;
  sv_record_row row;
  web_sign_in_event(&e, &c->info.person, c->info.peer);
  if (!sv_record_get(t, &c->info.person, a, &row)) e.role = web_role_of(&row.rec);
  if (!c->right) e.outcome = SV_REFUSED;
  snprintf(e.detail, sizeof e.detail, "web: %s",
           !c->right     ? "wrong code"
           : c->recovery ? "recovery code"
                         : "password and code");
  return sv_audit_put(t, c->job.org, &e);
}

static int use_code(sv_job *job, sv_txn *t, ov_arena *a) {
  code_job *c = (code_job *)job;
  sv_account acc;
  int64_t now = c->w->o.sys->now_ms(c->w->o.sys->ctx);
  c->right = false;
  int err = sv_account_get(t, &c->info.person, &acc);
  if (err == OV_E_NOTFOUND || (!err && acc.disabled)) return tell_audit(t, a, c);
  if (err) return err;
  err = sv_second_factor_use(sv_txn_hasher(t), &acc, c->code, now, &c->recovery);
  if (err == OV_E_AUTH) return tell_audit(t, a, c);
  if (err) return err;
  c->right = true;
  c->recovery_left = acc.n_recovery;
  acc.signed_in_ms = now;
  err = sv_account_put(t, &acc);
  return err ? err : tell_audit(t, a, c);
}

static int signed_in(sv_web *w, code_job *c, sv_net_reply *reply) {
  web_session *ss;
  web_person p;
  int err = web_person_get(w, &c->info.organisation, &c->info.person, &p);
  if (err || !p.active) return web_problem_reply(reply, WEB_P_CODE, 0);
  err = web_session_open(w, &c->info, &ss, reply);
  if (err) return web_problem_reply(reply, err == OV_E_FULL ? WEB_P_FULL : WEB_P_INTERNAL, 0);
  w->stats.signed_in++;
  web_delay_clear(w, c->info.login);
  return web_json_reply(reply, json_pack("{s:s, s:o, s:i, s:i, s:b, s:i}", "csrf", ss->csrf, "me",
                                         web_person_json(w, &c->info.organisation, &c->info.person, &p),
                                         "idle_s", SV_WEB_IDLE_MS / 1000, "absolute_s",
                                         SV_WEB_ABSOLUTE_MS / 1000, "used_recovery_code", c->recovery,
                                         "recovery_codes_left", (int)c->recovery_left));
}

/* server NULL: it stops, and nobody waits. */
static void code_done(sv_job *job, void *server) {
  code_job *c = (code_job *)job;
  sv_web *w = c->w;
  sv_net_reply reply = {.status = 200};
  if (!server || !w->net) {
    free(c);
    return;
  }
  /* no failure: else an office behind one address would lock itself out by signing in */
  if (job->err || c->right) web_delay_refund(w, c->info.login, c->address_key);
  if (job->err) web_problem_reply(&reply, WEB_P_BUSY, 5);
  else if (c->right) signed_in(w, c, &reply);
  else {
    w->stats.refused++;
    web_problem_reply(&reply, WEB_P_CODE, 0);
  }
  sv_net_reply_later(w->net, c->request_id, &reply);
  free(c);
}

/* The ticket, which loses a try. */
static web_ticket *find_ticket(sv_web *w, const char *text) {
  uint8_t hash[OV_HASH_BYTES];
  if (strlen(text) != WEB_SECRET_TEXT - 1 || web_hash_text(w, text, hash)) return NULL;
  for (unsigned i = 0; i < SV_WEB_TICKETS_MAX; i++) {
    web_ticket *k = &w->ticket[i];
    if (!k->used || memcmp(k->hash, hash, OV_HASH_BYTES) != 0) continue;
    if (k->until < web_now(w) || ++k->tries > SV_WEB_TICKET_TRIES) {
      k->used = false;
      return NULL;
    }
    return k;
  }
  return NULL;
}

static int submit(sv_web *w, const sv_net_request *q, const web_ticket *ticket, const char *code,
                  sv_net_reply *reply) {
  sv_org *org = sv_server_org(w->o.server, &ticket->organisation);
  code_job *c = org ? calloc(1, sizeof *c) : NULL;
  if (!c) return web_problem_reply(reply, WEB_P_INTERNAL, 0);
  c->job = (sv_job){.org = org, .bytes = sizeof *c, .run = use_code, .done = code_done};
  c->w = w;
  c->request_id = q->id;
  c->info = (sv_web_session_info){.organisation = ticket->organisation, .person = ticket->person};
  memcpy(c->info.login, ticket->login, sizeof c->info.login);
  memcpy(c->info.peer, q->peer, strnlen(q->peer, SV_NET_PEER_CHARS - 1));
  memcpy(c->address_key, q->address_key, sizeof c->address_key);
  memcpy(c->code, code, strlen(code) + 1);
  if (!sv_writer_submit(sv_server_writer(w->o.server), &c->job)) return SV_NET_LATER;
  free(c);
  web_delay_refund(w, ticket->login, q->address_key);
  return web_problem_reply(reply, WEB_P_BUSY, 5);
}

int web_sign_in_totp(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  json_t *j = web_guard(q, reply) ? web_body(q, reply) : NULL;
  if (!j) return 0;
  const char *text = json_string_value(json_object_get(j, "ticket")),
             *code = json_string_value(json_object_get(j, "code"));
  int result = 0;
  web_ticket *ticket = text && code ? find_ticket(w, text) : NULL;
  if (!text || !code || strlen(code) > OV_CODE_TEXT_MAX) {
    web_problem_reply(reply, WEB_P_BODY, 0);
  } else if (!ticket) {
    w->stats.refused++;
    web_problem_reply(reply, WEB_P_TICKET, 0);
  } else {
    unsigned wait = web_delay_charge(w, ticket->login, q->address_key);
    result = wait ? web_problem_reply(reply, WEB_P_SLOW, wait) : submit(w, q, ticket, code, reply);
  }
  json_decref(j);
  return result;
}
