/* The server without its sockets: who is served, who is connected, what changed. Service thread only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"

int sv_server_new(const sv_server_options *o, sv_server **out) {
  *out = NULL;
  sv_server *s = calloc(1, sizeof *s);
  if (!s) return OV_E_NOMEM;
  s->o = *o;
  s->nonces = sv_nonces_new();
  s->hasher = ov_hasher_new();
  s->packer = ov_packer_new();
  ov_arena_init(&s->arena, 4 * (size_t)OV_DECODE_ARENA_BYTES_MAX);
  ov_buf_init(&s->scratch, 0);
  ov_buf_init(&s->scratch2, 0);
  s->latest_ms = o->sys->now_ms(o->sys->ctx);
  s->fresh_ms = s->latest_ms + OV_HELLO_SKEW_MS_MAX; /* what the process before this one may have let in */
  sv_writer_options w = {.workers = o->workers, .wake = o->wake, .wake_ctx = o->wake_ctx, .sys = o->sys};
  int err = s->nonces && s->hasher && s->packer ? sv_writer_new(&w, &s->writer) : OV_E_NOMEM;
  if (err) sv_server_free(s);
  else *out = s;
  return err;
}

void sv_server_free(sv_server *s) {
  if (!s) return;
  sv_writer_free(s->writer);
  sv_nonces_free(s->nonces);
  ov_hasher_free(s->hasher);
  ov_packer_free(s->packer);
  ov_arena_free(&s->arena);
  ov_buf_free(&s->scratch);
  ov_buf_free(&s->scratch2);
  free(s);
}

int sv_server_add_org(sv_server *s, sv_org *org) {
  if (sv_server_org(s, &org->id)) return OV_E_EXISTS;
  if (s->n_orgs == SV_ORGS_MAX) return OV_E_LIMIT;
  s->orgs[s->n_orgs++] = org;
  sv_programme_copy_start(s, org);
  return 0;
}

sv_org *sv_server_org(sv_server *s, const ov_id *id) {
  for (unsigned i = 0; i < s->n_orgs; i++) {
    if (ov_id_equal(&s->orgs[i]->id, id)) return s->orgs[i];
  }
  return NULL;
}

sv_org *sv_server_org_at(sv_server *s, unsigned i) { return i < s->n_orgs ? s->orgs[i] : NULL; }
sv_org *sv_server_programme(sv_server *s) { return s->o.programme; }
sv_writer *sv_server_writer(sv_server *s) { return s->writer; }

void sv_server_poll(sv_server *s) { sv_writer_poll(s->writer, s); }

/* -- fan-out --------------------------------------------------------------------------------------------- */

/* PROTO-117 */
static void scope_changed(sv_server *s, const sv_org *org, uint32_t scope) {
  for (sv_session *ss = s->sessions; ss; ss = ss->next) {
    if (!ss->proved || ss->closing) continue;
    for (uint32_t i = 0; i < ss->n_scopes; i++) {
      scope_follow *f = &ss->scopes[i];
      if (f->org != org || f->scope != scope) continue;
      /* A `once` session that has been told it is complete stays told: it is about to leave. */
      if (ss->synced_sent && ss->wants == OV_WANTS_ONCE) continue;
      f->behind = true;
      ss->synced_sent = false;
      ss->link.want_write(ss->link.ctx);
    }
  }
}

void sv_server_changed(sv_server *s, sv_org *org, const uint32_t *scopes, unsigned n) {
  for (unsigned i = 0; i < n; i++) scope_changed(s, org, scopes[i]);
  if (!org->programme) sv_programme_copy_start(s, org);
}

static void all_changed(sv_server *s, const sv_org *org) {
  for (sv_session *ss = s->sessions; ss; ss = ss->next) {
    for (uint32_t i = 0; i < ss->n_scopes; i++) {
      if (ss->scopes[i].org == org) scope_changed(s, org, ss->scopes[i].scope);
    }
  }
}

void sv_server_changed_touches(sv_server *s, sv_org *org, const sv_touches *t) {
  if (t->overflow) {
    all_changed(s, org);
  } else {
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i < t->n; i++) {
      if (t->v[i].scope != last) scope_changed(s, org, t->v[i].scope);
      last = t->v[i].scope;
    }
  }
  if (!org->programme) sv_programme_copy_start(s, org);
}

/* -- deadlines and the end ------------------------------------------------------------------------------- */

/* PROTO-42 */
static void check_deadline(sv_session *ss, int64_t mono) {
  if (ss->closing || ss->proved) return;
  bool greeted = ov_peer_state(ss->peer) == OV_S_CHALLENGED;
  int64_t since = greeted ? ss->hello_mono + SV_PROOF_MS : ss->opened_mono + SV_HELLO_MS;
  if (!ss->in_commit && mono > since) sv_session_fail(ss, OV_E_TIMEOUT, greeted ? "no proof" : "no hello");
}

/* A personal device's time is up: cut, like a revoked one. */
static void check_expiry(sv_session *ss, int64_t now) {
  bool up = ss->proved && !ss->closing && !ss->reader.ended && sv_device_ended(&ss->device, now);
  if (up) sv_session_fail(ss, OV_E_REVOKED, "expired");
}

void sv_server_tick(sv_server *s) {
  int64_t mono = s->o.sys->mono_ms(s->o.sys->ctx), now = s->o.sys->now_ms(s->o.sys->ctx);
  for (sv_session *ss = s->sessions, *next; ss; ss = next) {
    next = ss->next;
    check_deadline(ss, mono);
    check_expiry(ss, now);
  }
  for (unsigned i = 0; i < s->n_orgs; i++) {
    sv_env_check_readers(s->orgs[i]->env);
    sv_programme_copy_start(s, s->orgs[i]);
  }
  sv_env_check_readers(s->o.programme->env);
  sv_seen_tick(s, mono);
}

void sv_server_cut_device(sv_server *s, const ov_id *device) {
  for (sv_session *ss = s->sessions, *next; ss; ss = next) {
    next = ss->next;
    if (ss->org && ov_id_equal(&ss->device.id, device)) sv_session_fail(ss, OV_E_REVOKED, "device revoked");
  }
}

void sv_server_shutdown(sv_server *s) {
  s->stopping = true;
  for (sv_session *ss = s->sessions; ss; ss = ss->next) {
    if (ss->proved) sv_seen_note(ss);
  }
  sv_seen_write(s);
  sv_writer_drain(s->writer);
  sv_server_poll(s);
  ov_bye bye = {.reason = OV_E_SHUTDOWN, .retry_s = SV_RETRY_DEFAULT_S};
  for (sv_session *ss = s->sessions, *next; ss; ss = next) {
    next = ss->next;
    if (ss->closing) continue;
    ov_buf_reset(&s->scratch);
    ov_bye_encode(&bye, &s->scratch);
    (void)sv_session_send(ss, OV_M_BYE, &s->scratch); /* the close code says it too */
    ss->closing = true;
    ss->link.close(ss->link.ctx, ov_err_close_code(OV_E_SHUTDOWN), "server stops");
  }
}

void sv_server_stats_get(sv_server *s, sv_server_stats *out) { *out = s->stats; }
