/* The sync machine: greets, sends, receives, without a socket. What it takes in is stored before it counts;
 * see push.c for the sending half. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_MS (24 * 3600 * 1000)

/* -- life ------------------------------------------------------------------------------------------------ */

/* "wss://host:port/path" -> host. */
static int host_of(const char *url, char out[128]) {
  const char *p = strstr(url, "://");
  if (!p) return OV_E_INVALID;
  p += 3;
  size_t n = *p == '[' ? strcspn(p + 1, "]") + 2 : strcspn(p, ":/");
  if (n == 0 || n >= 128) return OV_E_INVALID;
  memcpy(out, p, n);
  out[n] = 0;
  return 0;
}

static int session_make(oc_store *s, const char *url, const oc_sync_options *o, oc_session **out) {
  oc_session *ss = calloc(1, sizeof *ss);
  if (!ss) return OV_E_NOMEM;
  ss->s = s;
  if (o) ss->o = *o;
  ov_arena_init(&ss->arena, 4 * (size_t)OV_DECODE_ARENA_BYTES_MAX);
  ov_buf_init(&ss->out, OV_WS_MESSAGE_BYTES_MAX);
  ov_buf_init(&ss->plain, OV_FRAME_BYTES_MAX);
  ov_buf_init(&ss->signed_bytes, OV_FRAME_BYTES_MAX);
  ss->credit = ss->o.credit ? ss->o.credit : OV_CREDIT_DEFAULT;
  ss->frame_bytes = ss->o.frame_bytes ? ss->o.frame_bytes : OV_FRAME_BYTES_DEFAULT;
  ss->peer = ov_peer_new(OV_CLIENT, s->packer);
  int err = ss->peer ? host_of(url, ss->host) : OV_E_NOMEM;
  if (!err) ov_peer_set_frame_bytes(ss->peer, ss->frame_bytes);
  if (err) oc_session_free(ss);
  else *out = ss;
  return err;
}

static bool is_older(const oc_session *ss) { return !ov_id_equal(&ss->w.writer, &ss->s->self.writer); }

/* -- the logs of a store. PROTO-66 ----------------------------------------------------------------------- */

bool oc_log_passed(const oc_store *s, const oc_writer_row *w) {
  for (unsigned i = 0; i < s->n_passed; i++) {
    if (ov_id_equal(&s->passed[i], &w->writer)) return true;
  }
  return false;
}

/* An older log that did not get through is passed over until the live one had its turn. */
static void note_turn(oc_session *ss) {
  oc_store *s = ss->s;
  if (!is_older(ss)) s->n_passed = 0;
  else if (!ss->synced && !oc_log_passed(s, &ss->w) && s->n_passed < OC_PASSED_MAX)
    s->passed[s->n_passed++] = ss->w.writer;
}

void oc_session_free(oc_session *ss) {
  if (!ss) return;
  if (ss->greeted && !ss->enrolling) note_turn(ss);
  ov_peer_free(ss->peer);
  ov_p256_free(ss->new_key);
  ov_arena_free(&ss->arena);
  ov_buf_free(&ss->out);
  ov_buf_free(&ss->plain);
  ov_buf_free(&ss->signed_bytes);
  free(ss);
}

/* A WELCOME tells of one log only. An older one (this store forked) is asked about too: whenever another
 * server answers than before, which may lack what the last one had, and once a day until it is safe.
 * PROTO-66 */
bool oc_log_due(const oc_self *m, const oc_writer_row *w) {
  if (ov_id_equal(&w->writer, &m->writer) || !w->last) return false;
  return !w->asked_ms || (w->safe < w->last && m->server_time_ms - w->asked_ms >= ASK_AGAIN_MS);
}

/* The log to hand over: an older one first (a forked log, a new writer waiting behind it), else the live one
 * when it has something, else an older one that is due. */
static int choose_writer(oc_session *ss) {
  oc_txn *t = NULL;
  oc_writer_row w, due = {0};
  int err = oc_txn_begin(ss->s->db, false, &t);
  if (!err) err = oc_writer_get(t, &ss->s->self.writer, &ss->w);
  bool unsent = !err && ss->w.last > ss->w.acked;
  int more = err ? err : oc_writer_next(t, NULL, &w);
  for (; !err && !more; more = oc_writer_next(t, &w.writer, &w)) {
    if (oc_log_passed(ss->s, &w)) continue;
    if (w.last > w.acked && !ov_id_equal(&w.writer, &ss->s->self.writer)) {
      ss->w = w;
      unsent = true;
      break;
    }
    if (oc_log_due(&ss->s->self, &w)) due = w;
  }
  if (!err && !unsent && due.last) ss->w = due;
  if (!err && is_older(ss)) ss->o.live = false; /* only the live log can be followed */
  oc_txn_abort(t);
  return err;
}

int oc_session_new(oc_store *s, const oc_sync_options *o, oc_session **out, oc_error *e) {
  if (e) *e = (oc_error){0};
  *out = NULL;
  if (oc_ended(s, e)) return OC_E_REFUSED;
  if (!s->self.enrolled) {
    oc_say(e, OC_E_ENROL, "this store is not enrolled yet: enrol it with a code first");
    oc_say_nl(e, "Deze tablet is nog niet aangemeld.");
    return OC_E_ENROL;
  }
  oc_session *ss = NULL;
  int err = session_make(s, s->self.url, o, &ss);
  if (!err) err = choose_writer(ss);
  if (err) {
    oc_session_free(ss);
    return oc_from_ov(e, err);
  }
  ov_peer_set_server(ss->peer, &s->self.server);
  ss->had_new_writer = s->self.new_writer;
  s->settled = 0;
  ss->progress.stage = OC_GREETING;
  oc_push_start(ss);
  *out = ss;
  return 0;
}

int oc_session_enrol(oc_store *s, const char *url, const char *code, const char *device_name,
                     oc_session **out, oc_error *e) {
  if (e) *e = (oc_error){0};
  *out = NULL;
  if (s->self.enrolled) return oc_say(e, OC_E_ENROL, "this store is enrolled already, at %s", s->self.url);
  if (strlen(code) > OV_CODE_TEXT_MAX || strlen(device_name) > OV_DEVICE_NAME_MAX || strlen(url) > 127) {
    return oc_say(e, OC_E_INVALID, "code, device name or URL is too long");
  }
  oc_session *ss = NULL;
  int err = session_make(s, url, NULL, &ss);
  if (err)
    return err == OV_E_INVALID
               ? oc_say(e, OC_E_INVALID, "\"%s\" is no URL such as wss://sync.example.nl/sync", url)
               : oc_from_ov(e, err);
  ss->enrolling = true;
  snprintf(ss->url, sizeof ss->url, "%s", url);
  snprintf(ss->code, sizeof ss->code, "%s", code);
  snprintf(ss->device_name, sizeof ss->device_name, "%s", device_name);
  *out = ss;
  return 0;
}

bool oc_session_finished(const oc_session *ss) { return ss->finished; }
void oc_session_progress(const oc_session *ss, oc_progress *out) { *out = ss->progress; }

/* -- out ------------------------------------------------------------------------------------------------- */

int oc_session_send(oc_session *ss, ov_msg_type type) {
  ov_buf_reset(&ss->out);
  int err = ss->plain.err;
  if (!err) err = ov_peer_send(ss->peer, type, ss->plain.p, ss->plain.n, &ss->out);
  if (!err) ss->progress.bytes_out += ss->out.n;
  return err;
}

/* A scope that is fetched anew and was cut short begins once more, with a cursor that fits nothing: at one
 * that fits, the server would leave out what this session pushes, and the copy would take its place without
 * it. PROTO-109 */
static void anew(ov_cursor *c) {
  c->pos = 0;
  memset(c->hash, 0xff, sizeof c->hash);
}

static int fill_hello(oc_session *ss, ov_hello *h, ov_cursor cursors[OV_SCOPES_MAX]) {
  const oc_self *m = &ss->s->self;
  oc_cursor_row rows[OV_SCOPES_MAX] = {0};
  oc_txn *t = NULL;
  ss->hello_ms = oc_now_ms(ss->s);
  *h = (ov_hello){.version_min = OV_PROTOCOL_VERSION,
                  .version_max = OV_PROTOCOL_VERSION,
                  .device = m->device,
                  .writer = ss->w.writer,
                  .own.seq = ss->w.acked,
                  .cursors = cursors,
                  .time_ms = ss->hello_ms,
                  .wants = ss->o.live ? OV_WANTS_LIVE : OV_WANTS_ONCE,
                  .credit = ss->credit,
                  .frame_bytes = ss->frame_bytes,
                  .push_follows = ss->w.last > ss->w.acked,
                  .closed = oc_db_locked(ss->s->db)};
  int err = oc_random(ss->s, h->nonce, sizeof h->nonce);
  if (!err) err = oc_txn_begin(ss->s->db, false, &t);
  if (!err) err = oc_log_head(ss->s, t, &ss->w.writer, ss->w.acked, &h->own.head);
  if (!err) err = oc_cursors(t, rows, &h->n_cursors);
  oc_txn_abort(t);
  ss->rows_server = h->server = m->server;
  for (uint32_t i = 0; i < h->n_cursors; i++) {
    cursors[i] = rows[i].c;
    if (rows[i].staging) anew(&cursors[i]);
  }
  return err;
}

static int make_hello(oc_session *ss) {
  ov_hello h;
  ov_cursor cursors[OV_SCOPES_MAX];
  uint8_t sig[OV_SIG_BYTES];
  ov_buf body;
  ov_buf_init(&body, OV_FRAME_BYTES_MAX);
  int err = fill_hello(ss, &h, cursors);
  if (!err) ov_hello_body(&h, &body);
  if (!err) err = body.err ? body.err : ov_sha256(ss->s->hasher, body.p, body.n, &ss->hello_hash);
  ov_buf_reset(&ss->signed_bytes);
  if (!err) ov_signed_hello(&ss->signed_bytes, ss->host, body.p, body.n);
  if (!err)
    err = ss->signed_bytes.err ? ss->signed_bytes.err
                               : ov_p256_sign(ss->s->key, ss->signed_bytes.p, ss->signed_bytes.n, sig);
  ov_buf_reset(&ss->plain);
  if (!err) ov_hello_encode(body.p, body.n, sig, &ss->plain);
  ov_buf_free(&body);
  return err;
}

static int make_proof(oc_session *ss) {
  ov_proof p;
  ov_buf_reset(&ss->signed_bytes);
  ov_signed_proof(&ss->signed_bytes, ss->host, ss->challenge, &ss->hello_hash);
  int err = ss->signed_bytes.err ? ss->signed_bytes.err
                                 : ov_p256_sign(ss->s->key, ss->signed_bytes.p, ss->signed_bytes.n, p.sig);
  ov_buf_reset(&ss->plain);
  if (!err) ov_proof_encode(&p, &ss->plain);
  return err;
}

/* PROTO-115 */
static int make_acked(oc_session *ss) {
  ov_cursor cursors[OV_SCOPES_MAX];
  oc_cursor_row rows[OV_SCOPES_MAX];
  ov_acked m = {.cursors = cursors};
  oc_txn *t = NULL;
  int err = oc_txn_begin(ss->s->db, false, &t);
  if (!err) err = oc_cursors(t, rows, &m.n_cursors);
  oc_txn_abort(t);
  for (uint32_t i = 0; i < m.n_cursors; i++) cursors[i] = rows[i].c;
  ov_buf_reset(&ss->plain);
  if (!err) ov_acked_encode(&m, &ss->plain);
  ss->acked_due = false;
  ss->deltas = 0;
  return err;
}

/* New ops may have been written while a live session was open. */
static int look_for_new(oc_session *ss) {
  if (!ss->o.live || ss->next_seq <= ss->w.last || !ov_id_equal(&ss->w.writer, &ss->s->self.writer) ||
      ss->s->self.last.seq <= ss->w.last)
    return 0;
  ss->progress.to_send += ss->s->self.last.seq - ss->w.last;
  ss->w.last = ss->s->self.last.seq;
  return 0;
}

/* Everything that no server has was handed over, of all logs; refused entries travelled as voids.
 * PROTO-161 */
static bool may_purge(oc_session *ss) {
  if (ss->purged || !ss->synced || ss->need_synced || ss->in_flight || ss->next_seq <= ss->w.last)
    return false;
  oc_writer_row w;
  oc_txn *t = NULL;
  bool all = true;
  int err = oc_txn_begin(ss->s->db, false, &t);
  int more = err ? err : oc_writer_next(t, NULL, &w);
  for (; !more && all; more = oc_writer_next(t, &w.writer, &w)) all = w.last <= w.acked;
  oc_txn_abort(t);
  return all && more == OV_E_NOTFOUND;
}

static void check_finished(oc_session *ss) {
  bool sent = ss->next_seq > ss->w.last && !ss->in_flight;
  if (ss->enrolling || !ss->synced || ss->need_synced || !sent || ss->acked_due) return;
  if (ss->ending && may_purge(ss)) return; /* wiped, and told, before it is over */
  ss->progress.stage = ss->o.live ? OC_LIVE : OC_DONE;
  ss->finished = !ss->o.live || ss->others;
}

/* What is to be said next: type of the message now in plain, or 0. */
static int next_message(oc_session *ss) {
  int err = 0;
  if (ss->enrolling) {
    if (ss->greeted) return 0;
    ss->hello_ms = oc_now_ms(ss->s);
    err = oc_enrol_make(ss);
    ss->greeted = true;
    return err ? err : OV_M_ENROL;
  }
  if (!ss->greeted) {
    err = make_hello(ss);
    ss->greeted = true;
    return err ? err : OV_M_HELLO;
  }
  if (ss->proof_due) {
    ss->proof_due = false;
    err = make_proof(ss);
    return err ? err : OV_M_PROOF;
  }
  if (ss->ending && may_purge(ss)) {
    err = oc_end_all(ss->s);
    if (err) return err;
    ss->purged = ss->acked_due = true;
  }
  err = ss->purged ? 0 : look_for_new(ss);
  if (ss->purged && ss->acked_due) {
    err = make_acked(ss);
    return err ? err : OV_M_ACKED;
  }
  if (!err) err = oc_push_make(ss);
  if (err) return err < 0 ? err : OV_M_PUSH;
  if (ss->acked_due) {
    err = make_acked(ss);
    return err ? err : OV_M_ACKED;
  }
  return 0;
}

const uint8_t *oc_session_output(oc_session *ss, size_t *n) {
  *n = 0;
  if (ss->failed || ss->finished) return NULL;
  int type = next_message(ss);
  int err = type < 0 ? type : type ? oc_session_send(ss, (ov_msg_type)type) : 0;
  if (err) ss->failed = err; /* told by the next feed */
  check_finished(ss);
  if (err || !type) return NULL;
  if (type == OV_M_PUSH) ss->progress.stage = OC_SENDING;
  *n = ss->out.n;
  return ss->out.p;
}

/* -- in -------------------------------------------------------------------------------------------------- */

/* Another server than before: what the last one acknowledged of the other logs is to be asked about anew. */
static int ask_about_all(oc_txn *t) {
  oc_writer_row w;
  int err = oc_writer_next(t, NULL, &w);
  for (; !err; err = oc_writer_next(t, &w.writer, &w)) {
    w.asked_ms = 0;
    int bad = oc_writer_put(t, &w);
    if (bad) return bad;
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* PROTO-134 */
static int store_welcome(oc_session *ss, oc_txn *t, const ov_welcome *w) {
  oc_self *m = &ss->s->self;
  int err = ov_id_equal(&m->server, &w->server) ? 0 : ask_about_all(t);
  if (!is_older(ss)) ss->w.asked_ms = w->time_ms;
  for (uint32_t i = 0; !err && i < w->n_scopes; i++)
    err = oc_scope_state(ss->s, t, w->scopes[i].scope, w->scopes[i].state, &ss->arena);
  m->server = w->server;
  m->server_time_ms = w->time_ms;
  m->clock_offset_ms = w->time_ms - ss->hello_ms;
  m->retry_at_ms = 0;
  m->revoked = ss->ending;
  ss->w.safe = w->safe_up_to;
  if (!err) err = oc_push_save(ss, t);
  return err ? err : oc_self_save(ss->s, t);
}

/* An older log was asked about once what the server lacks of it is noted, and not before. */
static int note_asked(oc_session *ss, const ov_welcome *w) {
  oc_txn *t = NULL;
  ss->w.asked_ms = w->time_ms;
  int err = oc_txn_begin(ss->s->db, true, &t);
  if (!err) err = oc_push_save(ss, t);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  return err;
}

/* PROTO-164: the share comes before anything that is closed is touched. */
static int on_welcome(oc_session *ss, const ov_welcome *w, oc_error *e) {
  oc_txn *t = NULL;
  oc_self before = ss->s->self;
  for (uint32_t i = 0; i < w->n_scopes; i++) /* PROTO-160 */
    ss->ending |= w->scopes[i].scope == 1 && w->scopes[i].state == OV_SCOPE_GONE;
  ss->server_now_ms = w->time_ms;
  ss->frame_bytes = w->frame_bytes;
  ss->credit = w->credit;
  ov_peer_set_frame_bytes(ss->peer, w->frame_bytes);
  ov_peer_set_server(ss->peer, &w->server);
  int err = ss->ending ? oc_end_closed(ss->s) : oc_strict_welcome(ss->s, w, e);
  ss->again |= err == OV_E_NET; /* from no cursor */
  if (!err) err = oc_txn_begin(ss->s->db, true, &t);
  if (!err) err = store_welcome(ss, t, w);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  if (err) {
    ss->s->self = before;
    return err;
  }
  ss->welcomed = w->own == OV_OWN_SAME;
  if (w->n_tips || !ss->welcomed) err = oc_push_place(ss, w->tips, w->n_tips, w->ladder, w->n_ladder);
  if (!err && is_older(ss)) err = note_asked(ss, w);
  ss->welcomed = true;
  ss->progress.stage = OC_RECEIVING;
  return err;
}

static int on_delta(oc_session *ss, const ov_delta *d) {
  oc_txn *t = NULL;
  ov_arena a;
  ov_arena_init(&a, 64u << 20);
  int err = oc_txn_begin(ss->s->db, true, &t);
  if (!err) err = oc_apply_delta(ss->s, t, d, &a);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  ov_arena_free(&a);
  if (err) return err;
  for (uint32_t i = 0; i < d->n_records; i++) ss->schemas_changed |= d->records[i].rec.kind == OV_KIND_SCHEMA;
  if (ss->schemas_changed && !d->more) {
    ss->schemas_changed = false;
    err = oc_schemas_reload(ss->s);
    if (!err) err = oc_reindex(ss->s);
  }
  ss->any_delta = true;
  ss->progress.received += d->n_records;
  ss->progress.stage = OC_RECEIVING;
  if (++ss->deltas >= ss->credit / 2) ss->acked_due = true;
  return err;
}

/* An older log that a session of its own is due for: one that stays would keep it waiting. PROTO-66 */
static bool older_due(oc_session *ss, oc_txn *t) {
  oc_writer_row w;
  int more = oc_writer_next(t, NULL, &w);
  for (; !more; more = oc_writer_next(t, &w.writer, &w)) {
    if (ov_id_equal(&w.writer, &ss->s->self.writer) || oc_log_passed(ss->s, &w)) continue;
    if (w.last > w.acked || oc_log_due(&ss->s->self, &w)) return true;
  }
  return false;
}

static int finish_sync(oc_session *ss, oc_txn *t, ov_arena *a) {
  oc_store *s = ss->s;
  int64_t now_s = oc_seconds(ss->server_now_ms);
  int err = oc_absorb_acked(s, t, a);
  if (!err) err = oc_window_drop(s, t, now_s, a);
  if (!err) err = oc_log_trim(s, t, ss->server_now_ms, 1024);
  s->self.last_sync_ms = oc_now_ms(s);
  if (ss->had_new_writer) s->self.new_writer = false;
  ss->others = ss->o.live && older_due(ss, t);
  if (!err) err = oc_lease_learn(s, t, a);
  return err ? err : oc_self_save(s, t);
}

/* PROTO-114 */
static int on_synced(oc_session *ss) {
  if (ss->ending) { /* nothing came, and nothing is to be kept */
    ss->synced = true;
    ss->need_synced = false;
    return 0;
  }
  oc_txn *t = NULL;
  ov_arena a;
  oc_self before = ss->s->self;
  ov_arena_init(&a, 64u << 20);
  int err = oc_txn_begin(ss->s->db, true, &t);
  if (!err) err = finish_sync(ss, t, &a);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  ov_arena_free(&a);
  if (err) {
    ss->s->self = before;
    return err;
  }
  ss->synced = true;
  ss->need_synced = false;
  if (ss->any_delta) ss->acked_due = true;
  ss->any_delta = false;
  return oc_strict_settle(ss->s, ss->progress.sent, ss->o.live);
}

/* PROTO-122: what it has not sent stays, whatever is said; a device that was revoked drops what it
 * received. */
static int on_refusal(oc_session *ss, int err, const char *text, uint32_t n, oc_error *e) {
  oc_store *s = ss->s;
  if (err == OV_E_REVOKED) {
    s->self.revoked = true;
    (void)oc_end_received(s); /* told again, and tried again, at the next sync if it could not be done */
  }
  int said = oc_from_ov(NULL, err);
  oc_say(e, said, "%s%s%.*s", ov_err_text(err), n ? ": " : "", (int)n, n ? text : "");
  if (err == OV_E_REVOKED)
    oc_say_nl(
        e, "Deze tablet is afgemeld. Vraag de beheerder. Wat nog niet verstuurd is, staat nog op de tablet.");
  else if (err == OV_E_VERSION) oc_say_nl(e, "Deze app is te oud. Werk de app bij. Alles blijft bewaard.");
  else if (err == OV_E_CODE) oc_say_nl(e, "De code klopt niet of is verlopen. Vraag een nieuwe code.");
  return said;
}

/* On disk as well: the next try may be another program's. What cannot be written is only forgotten. */
void oc_session_come_back(oc_session *ss, uint32_t retry_s) {
  oc_store *s = ss->s;
  oc_txn *t = NULL;
  s->self.retry_at_ms = oc_now_ms(s) + (int64_t)retry_s * 1000;
  if (!s->self.enrolled || oc_txn_begin(s->db, true, &t)) return;
  if (oc_self_save(s, t)) oc_txn_abort(t);
  else (void)oc_txn_commit(t);
}

static int on_error(oc_session *ss, const ov_error *m, oc_error *e) {
  if (ov_err_classify(m->err) == OV_CLASS_REPLY && ss->in_flight) return oc_push_error(ss, m, e);
  if (m->retry_s) oc_session_come_back(ss, m->retry_s);
  return on_refusal(ss, m->err, m->text, m->text_len, e);
}

static int on_bye(oc_session *ss, const ov_bye *m, oc_error *e) {
  ss->again = m->reason == 0;
  oc_session_come_back(ss, m->retry_s);
  return oc_say(e, OC_E_NET,
                m->reason ? "the server ends the connection: %s" : "the server asks to greet again%s",
                m->reason ? ov_err_text(m->reason) : "");
}

static int take(oc_session *ss, const ov_msg *m, oc_error *e) {
  switch (m->type) {
  case OV_M_ENROLLED: return oc_enrol_done(ss, &m->enrolled, e);
  case OV_M_WELCOME: return oc_from_ov(e, on_welcome(ss, &m->welcome, e));
  case OV_M_CHALLENGE:
    memcpy(ss->challenge, m->challenge.nonce, sizeof ss->challenge);
    ss->proof_due = true;
    return 0;
  case OV_M_ACK: return oc_push_ack(ss, &m->ack, e);
  case OV_M_DELTA: return oc_from_ov(e, on_delta(ss, &m->delta));
  case OV_M_SYNCED: return oc_from_ov(e, on_synced(ss));
  case OV_M_BYE: return on_bye(ss, &m->bye, e);
  case OV_M_ERROR: return on_error(ss, &m->error, e);
  default: return oc_from_ov(e, OV_E_STATE);
  }
}

int oc_session_feed(oc_session *ss, const uint8_t *p, size_t n, oc_error *e) {
  if (e) *e = (oc_error){0};
  if (ss->failed) return oc_from_ov(e, ss->failed);
  ov_msg *m = NULL;
  ss->progress.bytes_in += n;
  ov_arena_reset(&ss->arena);
  int err = ov_peer_feed(ss->peer, p, n, &m);
  int said = err ? oc_from_ov(e, err) : take(ss, m, e);
  if (said) ss->failed = err ? err : OV_E_CANCELLED;
  else check_finished(ss);
  return said;
}

bool oc_session_again(const oc_session *ss) { return ss->again; }
