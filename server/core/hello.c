/* HELLO: who is it, is it now, where does its log stand, what may it read. A device proves itself by its
 * signature over the HELLO; one that may be a recording (its clock is off, its time was let in before this
 * process or before the clock was set back, its nonce was seen) is challenged. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"
#include "sv_ladder.h"

static int find_device(sv_session *ss, const ov_hello *h) {
  sv_server *s = ss->server;
  sv_txn *t = NULL;
  int err = sv_txn_read(s->o.programme->env, &t);
  if (!err) err = sv_device_get(t, &h->device, &ss->device);
  sv_txn_abort(t);
  if (err == OV_E_NOTFOUND) return OV_E_AUTH;
  if (err) return err;
  ss->org = sv_server_org(s, &ss->device.organisation);
  /* enrolled here, but its organisation's store could not be opened: not the device's fault */
  return ss->org ? 0 : OV_E_CORRUPT;
}

/* The HELLO is signed over the name the device was enrolled for, one of ours. PROTO-132 */
static int check_signature(sv_session *ss, const ov_hello *h) {
  sv_server *s = ss->server;
  for (unsigned i = 0; i < s->o.n_names; i++) {
    ov_buf_reset(&s->scratch);
    ov_signed_hello(&s->scratch, s->o.names[i], h->body, h->body_len);
    if (s->scratch.err) return s->scratch.err;
    if (!ov_p256_verify(NULL, ss->device.pubkey, s->scratch.p, s->scratch.n, h->sig)) return 0;
  }
  return OV_E_AUTH;
}

/* The clock was set back: what was let in under the later time could pass again. */
static void watch_clock(sv_server *s, int64_t now) {
  bool stepped = now < s->latest_ms - SV_CLOCK_STEP_MS;
  if (stepped && s->fresh_ms < s->latest_ms + OV_HELLO_SKEW_MS_MAX)
    s->fresh_ms = s->latest_ms + OV_HELLO_SKEW_MS_MAX;
  if (now > s->latest_ms) s->latest_ms = now;
}

/* PROTO-133 */
static bool is_fresh(sv_session *ss, const ov_hello *h, int64_t now) {
  sv_server *s = ss->server;
  int64_t off = now - h->time_ms;
  if (off > OV_HELLO_SKEW_MS_MAX || off < -OV_HELLO_SKEW_MS_MAX) return false;
  if (h->time_ms <= s->fresh_ms || h->time_ms <= ss->device.hello_ahead_ms) return false;
  return !sv_nonces_add(s->nonces, h->nonce, now, now, 2 * OV_HELLO_SKEW_MS_MAX + SV_CLOCK_STEP_MS);
}

/* -- a HELLO from the future ----------------------------------------------------------------------------- */

typedef struct ahead_job {
  sv_job job;
  ov_id device;
  int64_t time_ms;
} ahead_job;

static int ahead_run(sv_job *job, sv_txn *t, ov_arena *a) {
  const ahead_job *j = (const ahead_job *)job;
  sv_device d;
  (void)a;
  int err = sv_device_get(t, &j->device, &d);
  if (err || d.hello_ahead_ms >= j->time_ms) return err == OV_E_NOTFOUND ? 0 : err;
  d.hello_ahead_ms = j->time_ms;
  return sv_device_put(t, &d);
}

static void ahead_done(sv_job *job, void *server) {
  (void)server;
  free(job);
}

/* A recorded HELLO of a device whose clock runs ahead would come of age later, when no nonce is remembered:
 * its time is written down with the device, and what is not beyond it is challenged from now on. */
static int note_ahead(sv_session *ss, const ov_hello *h, int64_t now) {
  sv_server *s = ss->server;
  if (h->time_ms <= now + OV_HELLO_SKEW_MS_MAX || h->time_ms <= ss->device.hello_ahead_ms) return 0;
  ahead_job *j = calloc(1, sizeof *j);
  if (!j) return OV_E_NOMEM;
  j->job = (sv_job){.org = s->o.programme, .bytes = sizeof *j, .run = ahead_run, .done = ahead_done};
  j->device = h->device;
  j->time_ms = h->time_ms;
  int err = sv_writer_submit(s->writer, &j->job);
  if (err) free(j);
  return err;
}

static void challenge(sv_session *ss, const ov_hello *h, int64_t now) {
  sv_server *s = ss->server;
  ov_buf_reset(&ss->hello_copy);
  ov_hello_encode(h->body, h->body_len, h->sig, &ss->hello_copy);
  int err = ss->hello_copy.err;
  if (!err) err = s->o.sys->random(s->o.sys->ctx, ss->challenge, sizeof ss->challenge);
  ov_challenge c = {.time_ms = now};
  memcpy(c.nonce, ss->challenge, sizeof c.nonce);
  ov_buf_reset(&s->scratch);
  ov_challenge_encode(&c, &s->scratch);
  if (!err) err = sv_session_send(ss, OV_M_CHALLENGE, &s->scratch);
  s->stats.challenges++;
  if (err) sv_session_fail(ss, err, "challenge");
}

/* -- WELCOME --------------------------------------------------------------------------------------------- */

static bool stored_inside(sv_session *ss, sv_txn *t, const ov_head *own) {
  if (own->seq == 0) {
    ov_hash h;
    return !ov_chain_start(ss->server->hasher, &ss->org->id, &ss->writer, &h) &&
           !memcmp(&h, &own->head, sizeof h);
  }
  ov_name name = {.writer = ss->writer, .seq = own->seq};
  memcpy(name.tag, own->head.b, OV_TAG_BYTES);
  sv_op_row row;
  return !sv_op_get(t, &name, &ss->server->arena, &row) && !memcmp(&row.head, &own->head, sizeof row.head);
}

static int list_tips(sv_session *ss, const sv_tip *tips, uint32_t n, ov_welcome *w) {
  w->tips = ov_arena_array(&ss->server->arena, OV_TIPS_MAX, sizeof *w->tips);
  if (!w->tips) return OV_E_NOMEM;
  w->n_tips = n;
  for (uint32_t i = 0; i < n; i++) w->tips[i] = tips[i].head;
  return 0;
}

/* Tips are listed unless the client's own head is the only one: that is how a cloned tablet learns of its
 * double. PROTO-55, PROTO-58, PROTO-120 */
static int place_own(sv_session *ss, sv_txn *t, const ov_hello *h, ov_welcome *w) {
  sv_tip tips[OV_TIPS_MAX];
  uint32_t n = 0;
  bool at_tip = false;
  int err = sv_tips_get(t, &h->writer, tips, OV_TIPS_MAX, &n);
  if (err && err != OV_E_NOTFOUND) return err;
  for (uint32_t i = 0; i < n && !at_tip; i++) {
    at_tip = tips[i].head.seq == h->own.seq && !memcmp(&tips[i].head.head, &h->own.head, sizeof h->own.head);
    /* inside some branch: what is safe of each of them */
    if (at_tip || i == 0 || tips[i].safe_seq < w->safe_up_to) w->safe_up_to = tips[i].safe_seq;
  }
  w->own = OV_OWN_SAME;
  if (at_tip && n == 1) return 0;
  err = list_tips(ss, tips, n, w);
  if (err || at_tip || stored_inside(ss, t, &h->own)) return err;
  w->own = OV_OWN_TIPS;
  if (n == 0) return 0;
  w->own = OV_OWN_LADDER;
  w->ladder = ov_arena_array(&ss->server->arena, OV_LADDER_MAX, sizeof *w->ladder);
  if (!w->ladder) return OV_E_NOMEM;
  return sv_ladder_rungs(t, &h->writer, &tips[0].head, &ss->server->arena, w->ladder, &w->n_ladder);
}

static const ov_cursor *cursor_of(const ov_hello *h, uint32_t scope) {
  for (uint32_t i = 0; i < h->n_cursors; i++) {
    if (h->cursors[i].scope == scope) return &h->cursors[i];
  }
  return NULL;
}

/* Where the client stands in one scope. The head of the scope is compared first: with nothing new no table
 * that grows is read. PROTO-107, PROTO-109 */
static int follow(sv_session *ss, sv_org *org, sv_txn *t, const ov_hello *h, uint32_t scope,
                  ov_scope_state *state) {
  sv_scope head;
  int err = sv_scope_get(t, scope, &head);
  if (err == OV_E_NOTFOUND) head = (sv_scope){.scope = scope};
  else if (err) return err;
  const ov_cursor *c = ov_id_equal(&h->server, &ss->org->server) ? cursor_of(h, scope) : NULL;
  uint8_t theirs[OV_POSHASH_BYTES] = {0};
  if (c) sv_catchup_mix(ss, c->pos, c->hash, theirs);
  scope_follow *f = &ss->scopes[ss->n_scopes++];
  *f = (scope_follow){.scope = scope, .org = org, .began = head.pos, .behind = true};
  uint8_t hash[OV_POSHASH_BYTES];
  if (!c) {
    *state = cursor_of(h, scope) ? OV_SCOPE_REFETCH : OV_SCOPE_NEW;
  } else if (c->pos == head.pos && !memcmp(theirs, head.hash, sizeof hash)) {
    *state = OV_SCOPE_CONTINUE;
    f->behind = false;
  } else if (c->pos < head.pos && !sv_pos_hash(t, scope, c->pos, hash) &&
             !memcmp(theirs, hash, sizeof hash)) {
    *state = OV_SCOPE_CONTINUE;
  } else {
    *state = OV_SCOPE_REFETCH;
  }
  f->fresh = *state != OV_SCOPE_CONTINUE;
  f->sent = f->fresh ? 0 : c->pos;
  return 0;
}

static int add_status(ov_welcome *w, uint32_t scope, ov_scope_state state) {
  if (state == OV_SCOPE_CONTINUE) return 0;
  if (w->n_scopes == 2 * OV_SCOPES_MAX) return OV_E_LIMIT;
  w->scopes[w->n_scopes++] = (ov_scope_status){.scope = scope, .state = state};
  return 0;
}

/* PROTO-109 */
static int place_scopes(sv_session *ss, sv_txn *t, const ov_hello *h, ov_welcome *w) {
  sv_server *s = ss->server;
  w->scopes = ov_arena_array(&s->arena, 2 * OV_SCOPES_MAX, sizeof *w->scopes);
  if (!w->scopes) return OV_E_NOMEM;
  int err = sv_reader_load(t, ss->org, &ss->device, &s->arena, &ss->reader);
  if (!err && ss->reader.finished) err = OV_E_REVOKED;
  const uint32_t *scopes = ss->reader.scopes, n = ss->reader.n_scopes;
  sv_txn *pt = NULL;
  if (!err) err = sv_txn_read(s->o.programme->env, &pt);
  ss->n_scopes = 0;
  if (!err && !(ss->scopes = calloc(n + 1u, sizeof *ss->scopes))) err = OV_E_NOMEM;
  for (uint32_t i = 0; !err && i < n; i++) {
    ov_scope_state state = OV_SCOPE_CONTINUE;
    bool shared = scopes[i] == 0;
    err = follow(ss, shared ? s->o.programme : ss->org, shared ? pt : t, h, scopes[i], &state);
    if (!err) err = add_status(w, scopes[i], state);
  }
  sv_txn_abort(pt);
  /* the sign to a device that has ended (PROTO-160), also when it holds nothing */
  for (uint32_t scope = 0; !err && ss->reader.ended && scope < 2; scope++) {
    if (!cursor_of(h, scope)) err = add_status(w, scope, OV_SCOPE_GONE);
  }
  for (uint32_t i = 0; !err && i < h->n_cursors; i++) {
    if (!sv_session_holds(ss, h->cursors[i].scope)) err = add_status(w, h->cursors[i].scope, OV_SCOPE_GONE);
  }
  return err;
}

static void forget_share(ov_welcome *w, ov_buf *encoded) {
  OPENSSL_cleanse(w->share, sizeof w->share);
  if (encoded->p) OPENSSL_cleanse(encoded->p, encoded->n);
}

static void welcome(sv_session *ss, const ov_hello *h, int64_t now) {
  sv_server *s = ss->server;
  ov_welcome w = {
      .version = OV_PROTOCOL_VERSION, .server = ss->org->server, .time_ms = now, .credit = ss->credit};
  uint32_t frame = h->frame_bytes ? h->frame_bytes : OV_FRAME_BYTES_DEFAULT;
  uint32_t ours = s->o.frame_bytes ? s->o.frame_bytes : OV_FRAME_BYTES_MAX;
  w.frame_bytes = frame < OV_FRAME_BYTES_MIN ? OV_FRAME_BYTES_MIN : frame > ours ? ours : frame;
  ss->writer = h->writer;
  ov_peer_set_frame_bytes(ss->peer, w.frame_bytes);
  ss->rows_per_frame = w.frame_bytes * 1.5;
  sv_txn *t = NULL;
  int err = sv_txn_read(ss->org->env, &t);
  if (!err) err = place_own(ss, t, h, &w);
  if (!err) err = place_scopes(ss, t, h, &w);
  if (!err) err = sv_share_welcome(ss, t, h, &w);
  sv_txn_abort(t);
  ov_buf_reset(&s->scratch);
  if (!err) ov_welcome_encode(&w, &s->scratch);
  if (!err) err = sv_session_send(ss, OV_M_WELCOME, &s->scratch);
  if (w.has_share) forget_share(&w, &s->scratch);
  if (err) {
    sv_session_fail(ss, err, "welcome");
    return;
  }
  ss->proved = true;
  ss->all_sent = !ss->push_expected && w.own == OV_OWN_SAME;
  sv_seen_note(ss);
  s->stats.hellos++;
  if (ss->wants == OV_WANTS_LIVE) s->stats.live++;
  sv_session_replay(ss);
}

static void take_hello(sv_session *ss, const ov_hello *h, int64_t now) {
  ss->push_prev = h->own;
  ss->rows_server = h->server;
  ss->hello_ms = h->time_ms;
  ss->offset_ms = now - h->time_ms;
  ss->wants = h->wants;
  ss->credit = h->credit ? (h->credit > OV_CREDIT_MAX ? OV_CREDIT_MAX : h->credit) : OV_CREDIT_DEFAULT;
  ss->credit_left = ss->credit;
  ss->push_expected = h->push_follows;
}

/* PROTO-44, PROTO-132 */
void sv_hello_received(sv_session *ss, const ov_hello *h) {
  sv_server *s = ss->server;
  int64_t now = s->o.sys->now_ms(s->o.sys->ctx);
  ss->hello_mono = s->o.sys->mono_ms(s->o.sys->ctx);
  ov_arena_reset(&s->arena);
  int err = find_device(ss, h);
  if (!err) err = check_signature(ss, h);
  if (err) {
    sv_session_fail(ss, err, "hello");
    return;
  }
  take_hello(ss, h, now);
  watch_clock(s, now);
  if (is_fresh(ss, h, now)) {
    welcome(ss, h, now);
    return;
  }
  err = note_ahead(ss, h, now);
  if (err) sv_session_fail(ss, err, "hello");
  else challenge(ss, h, now);
}

/* PROTO-133 */
void sv_proof_received(sv_session *ss, const ov_proof *p) {
  sv_server *s = ss->server;
  ov_msg m;
  ov_arena_reset(&s->arena);
  int err = ov_msg_decode(ss->hello_copy.p, ss->hello_copy.n, NULL, &s->arena, &m);
  ov_hash body;
  if (!err) err = ov_sha256(s->hasher, m.hello.body, m.hello.body_len, &body);
  for (unsigned i = 0; !err && i < s->o.n_names; i++) {
    ov_buf_reset(&s->scratch);
    ov_signed_proof(&s->scratch, s->o.names[i], ss->challenge, &body);
    err = s->scratch.err;
    if (err || !ov_p256_verify(NULL, ss->device.pubkey, s->scratch.p, s->scratch.n, p->sig)) break;
    if (i + 1 == s->o.n_names) err = OV_E_AUTH;
  }
  if (err) sv_session_fail(ss, err, "proof");
  else welcome(ss, &m.hello, s->o.sys->now_ms(s->o.sys->ctx));
  ov_buf_free(&ss->hello_copy);
  ov_buf_init(&ss->hello_copy, OV_FRAME_BYTES_MAX);
}
