/* A session: one connection from its first message to its last. It takes whole messages, lets the peer check
 * them, and owes frames, which the network pulls when the socket has room. Answers stand in a small outbox;
 * DELTAs are made only when pulled, so a client that does not read costs no memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"

sv_session *sv_session_open(sv_server *s, const sv_link *link, const char *peer) {
  if (s->stopping) return NULL;
  sv_session *ss = calloc(1, sizeof *ss);
  ov_peer *p = ss ? ov_peer_new(OV_SERVER, s->packer) : NULL;
  if (!p) {
    free(ss);
    return NULL;
  }
  ss->peer = p;
  ss->server = s;
  ss->link = *link;
  ss->id = ++s->next_session;
  ss->opened_mono = s->o.sys->mono_ms(s->o.sys->ctx);
  ss->rows_per_frame = OV_FRAME_BYTES_DEFAULT * 1.5;
  snprintf(ss->peer_address, sizeof ss->peer_address, "%s", peer ? peer : "");
  for (unsigned i = 0; i < SV_OUTBOX_FRAMES_MAX; i++) ov_buf_init(&ss->outbox[i], OV_WS_MESSAGE_BYTES_MAX);
  ov_buf_init(&ss->hello_copy, OV_FRAME_BYTES_MAX);
  ss->next = s->sessions;
  if (s->sessions) s->sessions->prev = ss;
  s->sessions = ss;
  ss->same_bucket = s->buckets[ss->id % SESSION_BUCKETS];
  s->buckets[ss->id % SESSION_BUCKETS] = ss;
  s->stats.sessions++;
  s->stats.sessions_opened++;
  return ss;
}

void sv_session_closed(sv_session *ss) {
  sv_server *s = ss->server;
  if (ss->prev) ss->prev->next = ss->next;
  else s->sessions = ss->next;
  if (ss->next) ss->next->prev = ss->prev;
  s->stats.sessions--;
  sv_session **at = &s->buckets[ss->id % SESSION_BUCKETS];
  while (*at != ss) at = &(*at)->same_bucket;
  *at = ss->same_bucket;
  if (ss->proved && ss->wants == OV_WANTS_LIVE) s->stats.live--;
  if (ss->proved && !s->stopping) sv_seen_note(ss);
  while (ss->inbox) {
    inbox_frame *f = ss->inbox;
    ss->inbox = f->next;
    free(f);
  }
  for (unsigned i = 0; i < SV_OUTBOX_FRAMES_MAX; i++) ov_buf_free(&ss->outbox[i]);
  ov_buf_free(&ss->hello_copy);
  sv_reads_free(ss);
  free(ss->skip);
  free(ss->scopes);
  ov_peer_free(ss->peer);
  free(ss);
}

sv_session *sv_session_find(sv_server *s, uint64_t id) {
  sv_session *ss = s->buckets[id % SESSION_BUCKETS];
  while (ss && ss->id != id) ss = ss->same_bucket;
  return ss;
}

void sv_session_pause(sv_session *ss, bool paused) {
  if (ss->paused == paused) return;
  ss->paused = paused;
  ss->link.pause(ss->link.ctx, paused);
}

/* -- out ------------------------------------------------------------------------------------------------- */

int sv_session_send(sv_session *ss, ov_msg_type type, const ov_buf *plain) {
  if (plain->err) return plain->err;
  if (ss->out_n == SV_OUTBOX_FRAMES_MAX) return OV_E_FLOOD;
  ov_buf *b = &ss->outbox[(ss->out_head + ss->out_n) % SV_OUTBOX_FRAMES_MAX];
  ov_buf_reset(b);
  int err = ov_peer_send(ss->peer, type, plain->p, plain->n, b);
  if (err) return err;
  ss->out_n++;
  ss->link.want_write(ss->link.ctx);
  return 0;
}

bool sv_session_pull(sv_session *ss, ov_buf *out) {
  if (ss->out_n) {
    ov_buf *b = &ss->outbox[ss->out_head];
    ov_buf_put(out, b->p, b->n);
    ov_buf_free(b); /* an idle session keeps no frame */
    ov_buf_init(b, OV_WS_MESSAGE_BYTES_MAX);
    ss->out_head = (ss->out_head + 1) % SV_OUTBOX_FRAMES_MAX;
    ss->out_n--;
    return !out->err;
  }
  if (ss->closing) return false;
  bool said = sv_catchup_next(ss, out);
  /* all positions are behind it: an idle session need not remember which were its own */
  if (said && ss->synced_sent) {
    free(ss->skip);
    ss->skip = NULL;
    ss->n_skip = ss->cap_skip = 0;
  }
  return said;
}

static void log_end(sv_session *ss, int err, const char *why) {
  const sv_sys *sys = ss->server->o.sys;
  if (!sys->log) return;
  char f[256], dev[2 * OV_ID_BYTES + 1] = "-";
  if (ss->org) ov_hex(ss->device.id.b, OV_ID_BYTES, dev);
  snprintf(f, sizeof f, "session=%llu device=%s error=%s why=\"%s\"", (unsigned long long)ss->id, dev,
           ov_err_slug(err), why);
  sys->log(sys->ctx, SV_LOG_WARN, "session_refused", f);
}

/* PROTO-5, PROTO-140 */
void sv_session_fail(sv_session *ss, int err, const char *why) {
  if (ss->closing) return;
  log_end(ss, err, why);
  if (err == OV_E_AUTH || err == OV_E_FOREIGN || err == OV_E_REVOKED) ss->server->stats.refused_auth++;
  sv_audit_refusal(ss, err, why);
  unsigned code = ov_err_close_code(err);
  int said = ov_err_classify(err) == OV_CLASS_CLOSE ? err : OV_E_BUSY;
  ov_error e = {.err = said, .retry_s = said == OV_E_BUSY ? SV_RETRY_BUSY_S : 0, .text = ov_err_text(said)};
  e.text_len = (uint32_t)strlen(e.text);
  ov_buf *b = &ss->server->scratch;
  ov_buf_reset(b);
  ov_error_encode(&e, b);
  (void)sv_session_send(ss, OV_M_ERROR, b); /* best effort: the close code says the same */
  ss->closing = true;
  ss->link.close(ss->link.ctx, code, ov_err_text(said));
}

/* -- in -------------------------------------------------------------------------------------------------- */

/* PROTO-115 */
static void acked_received(sv_session *ss, const ov_acked *m) {
  if (ss->reader.ended && ss->synced_sent && !m->n_cursors) sv_purge_received(ss);
  /* the client's cursors come again with its next HELLO; here they only renew the credit */
  ss->credit_left = ss->credit;
  ss->link.want_write(ss->link.ctx);
}

static void bye_received(sv_session *ss) {
  ss->closing = true;
  ss->link.close(ss->link.ctx, 1000, "bye");
}

/* PROTO-39 */
static bool must_wait(const sv_session *ss, ov_msg_type type) {
  return ss->in_commit || (type == OV_M_PUSH && !ss->proved);
}

/* PROTO-42, PROTO-51 */
static void keep(sv_session *ss, const uint8_t *p, size_t n) {
  inbox_frame *f = ss->n_inbox < SV_INBOX_FRAMES_MAX ? malloc(sizeof *f + n) : NULL;
  if (!f) {
    sv_session_fail(ss, ss->n_inbox < SV_INBOX_FRAMES_MAX ? OV_E_NOMEM : OV_E_FLOOD, "messages pile up");
    return;
  }
  *f = (inbox_frame){.n = n};
  memcpy(f->p, p, n);
  inbox_frame **at = &ss->inbox;
  while (*at) at = &(*at)->next;
  *at = f;
  ss->n_inbox++;
}

static void dispatch(sv_session *ss, const ov_msg *m, const uint8_t *frame, size_t n) {
  if (must_wait(ss, m->type)) {
    keep(ss, frame, n);
    return;
  }
  switch (m->type) {
  case OV_M_ENROL: sv_enrol_received(ss, &m->enrol); break;
  case OV_M_HELLO: sv_hello_received(ss, &m->hello); break;
  case OV_M_PROOF: sv_proof_received(ss, &m->proof); break;
  case OV_M_PUSH: sv_push_received(ss, &m->push); break;
  case OV_M_ACKED: acked_received(ss, &m->acked); break;
  case OV_M_BYE: bye_received(ss); break;
  default: sv_session_fail(ss, OV_E_STATE, "not a client's message");
  }
}

void sv_session_message(sv_session *ss, const uint8_t *p, size_t n) {
  if (ss->closing) return;
  if (ss->in_commit) { /* order is kept: nothing is looked at before the answer to what came first */
    keep(ss, p, n);
    return;
  }
  ov_msg *m = NULL;
  int err = ov_peer_feed(ss->peer, p, n, &m);
  if (err) sv_session_fail(ss, err, "message refused");
  else dispatch(ss, m, p, n);
  ov_peer_release(ss->peer); /* an idle session keeps no message */
}

/* Each of those that are here is looked at once: one that still has to wait goes to the end again, behind
 * none that it was not behind before. */
void sv_session_replay(sv_session *ss) {
  for (unsigned n = ss->n_inbox; n && ss->inbox && !ss->in_commit && !ss->closing; n--) {
    inbox_frame *f = ss->inbox;
    ss->inbox = f->next;
    ss->n_inbox--;
    sv_session_message(ss, f->p, f->n);
    free(f);
  }
  if (!ss->in_commit && !ss->closing) sv_session_pause(ss, false);
}
