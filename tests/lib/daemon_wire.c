/* Connections: a client that knows the protocol and may break it. */
#include <stdlib.h>
#include <string.h>

#include "daemon.h"

#define SERVER_NAME "localhost"
#define PUSH_OPS 40u

bool dm_wire_open(dm_wire *w, const dm_server *d, dm_tablet *tb, int rcvbuf) {
  memset(w, 0, sizeof *w);
  w->tb = tb;
  w->packer = ov_packer_new();
  w->peer = ov_peer_new(OV_CLIENT, w->packer);
  FX_MUST(w->packer && w->peer);
  w->ws = rawws_open(&(rawws_opts){
      .port = d->port, .tls = d->o.cert_file != NULL, .ca_file = d->o.cert_file, .rcvbuf = rcvbuf});
  if (w->ws) return true;
  dm_wire_close(w);
  return false;
}

void dm_wire_close(dm_wire *w) {
  rawws_free(w->ws);
  ov_peer_free(w->peer);
  ov_packer_free(w->packer);
  w->ws = NULL;
  w->peer = NULL;
  w->packer = NULL;
}

/* -- sending --------------------------------------------------------------------------------------------- */

bool dm_send_frame(dm_wire *w, const void *frame, size_t n) {
  w->up++;
  w->up_bytes += n;
  return w->ws && rawws_send_binary(w->ws, frame, n);
}

bool dm_send_plain(dm_wire *w, const void *plain, size_t n) {
  uint8_t *frame = malloc(n + 1);
  FX_MUST(frame);
  frame[0] = 0;
  memcpy(frame + 1, plain, n);
  bool ok = dm_send_frame(w, frame, n + 1);
  free(frame);
  return ok;
}

/* Through the peer, so that the state moves and the frame is packed as a client's. */
static bool send_message(dm_wire *w, ov_msg_type type, const ov_buf *plain) {
  ov_buf frame;
  ov_buf_init(&frame, OV_WS_MESSAGE_BYTES_MAX);
  FX_OK(plain->err);
  int err = ov_peer_send(w->peer, type, plain->p, plain->n, &frame);
  bool ok = !err && dm_send_frame(w, frame.p, frame.n);
  ov_buf_free(&frame);
  return ok;
}

void dm_hello_plain(dm_wire *w, const dm_hello *h, ov_buf *plain) {
  dm_tablet *tb = w->tb;
  fx_tablet *t = tb->t;
  ov_buf body, told;
  uint8_t sig[OV_SIG_BYTES];
  dm_site_now(tb->site);
  ov_hello m = {.version_min = h->version_min ? h->version_min : OV_PROTOCOL_VERSION,
                .version_max = h->version_max ? h->version_max : OV_PROTOCOL_VERSION,
                .device = h->device ? *h->device : t->device.id,
                .writer = h->writer ? *h->writer : t->writer,
                .own = {.seq = tb->acked, .head = t->heads[tb->acked]},
                .server = tb->server,
                .cursors = tb->cursors,
                .n_cursors = h->fresh_cursors ? 0 : tb->n_cursors,
                .time_ms = tb->site->fx.now_ms + h->clock_off_ms,
                .wants = h->live ? OV_WANTS_LIVE : OV_WANTS_ONCE,
                .credit = h->credit,
                .push_follows = h->push_follows};
  if (h->own) m.own = *h->own;
  w->rows_server = m.server;
  FX_OK(tb->site->fx.sys.random(&tb->site->fx, m.nonce, sizeof m.nonce));
  if (h->nonce) memcpy(m.nonce, h->nonce, sizeof m.nonce);
  ov_buf_init(&body, 0);
  ov_buf_init(&told, 0);
  ov_hello_body(&m, &body);
  ov_signed_hello(&told, SERVER_NAME, body.p, body.n);
  FX_OK(ov_p256_sign(t->key, told.p, told.n, sig));
  if (h->bad_signature) sig[40] ^= 1;
  FX_OK(ov_sha256(tb->site->fx.hasher, body.p, body.n, &w->hello_body));
  w->hello_ms = m.time_ms;
  ov_buf_init(plain, 0);
  ov_hello_encode(body.p, body.n, sig, plain);
  ov_buf_free(&body);
  ov_buf_free(&told);
}

bool dm_send_hello(dm_wire *w, const dm_hello *h) {
  ov_buf plain;
  dm_hello_plain(w, h ? h : &(dm_hello){0}, &plain);
  bool ok = send_message(w, OV_M_HELLO, &plain);
  ov_buf_free(&plain);
  return ok;
}

void dm_push_plain(dm_wire *w, const dm_push *p, ov_buf *plain) {
  dm_tablet *tb = w->tb;
  fx_tablet *t = tb->t;
  uint32_t n = p->to + 1 - p->from;
  ov_op *ops = calloc(n + 1u, sizeof *ops);
  ov_buf rows, told;
  FX_MUST(ops && p->to <= t->n);
  for (uint32_t i = 0; i < n; i++) ops[i] = *t->ops[p->from - 1 + i];
  ov_rows_ctx ctx = {
      .writer = t->writer, .first_seq = p->from, .server = w->rows_server, .base_time = w->hello_ms / 1000};
  ov_buf_init(&rows, 0);
  FX_OK(ov_rows_encode(&ctx, ops, n, &rows));
  ov_push m = {.first_seq = p->from, .more = p->more, .rows = rows.p, .rows_len = rows.n};
  if (p->prev || p->other_prev) {
    m.has_prev = true;
    m.prev = p->other_prev ? *p->other_prev : t->heads[p->from - 1];
  }
  ov_buf_init(&told, 0);
  ov_signed_push(&told, p->signed_org ? p->signed_org : &tb->org->shell.id, &t->device.id, &t->writer, p->to,
                 &t->heads[p->to]);
  FX_OK(ov_p256_sign(t->key, told.p, told.n, m.sig));
  if (p->bad_signature) m.sig[40] ^= 1;
  ov_buf_init(plain, 0);
  ov_push_encode(&m, plain);
  ov_buf_free(&rows);
  ov_buf_free(&told);
  free(ops);
}

bool dm_send_push(dm_wire *w, const dm_push *p) {
  ov_buf plain;
  dm_push_plain(w, p, &plain);
  bool ok = send_message(w, OV_M_PUSH, &plain);
  ov_buf_free(&plain);
  return ok;
}

static void send_proof(dm_wire *w, const ov_challenge *c) {
  ov_buf told, plain;
  ov_proof proof;
  ov_buf_init(&told, 0);
  ov_buf_init(&plain, 0);
  ov_signed_proof(&told, SERVER_NAME, c->nonce, &w->hello_body);
  FX_OK(ov_p256_sign(w->tb->t->key, told.p, told.n, proof.sig));
  ov_proof_encode(&proof, &plain);
  send_message(w, OV_M_PROOF, &plain);
  ov_buf_free(&told);
  ov_buf_free(&plain);
}

static void send_acked(dm_wire *w, bool bye) {
  ov_buf plain;
  ov_buf_init(&plain, 0);
  ov_acked_encode(&(ov_acked){.cursors = w->tb->cursors, .n_cursors = w->tb->n_cursors}, &plain);
  send_message(w, OV_M_ACKED, &plain);
  ov_buf_reset(&plain);
  ov_bye_encode(&(ov_bye){0}, &plain);
  if (bye) send_message(w, OV_M_BYE, &plain);
  ov_buf_free(&plain);
}

/* -- receiving ------------------------------------------------------------------------------------------- */

static ov_cursor *cursor_of(dm_tablet *tb, uint32_t scope, bool make) {
  for (uint32_t i = 0; i < tb->n_cursors; i++) {
    if (tb->cursors[i].scope == scope) return &tb->cursors[i];
  }
  if (!make || tb->n_cursors == OV_SCOPES_MAX) return NULL;
  ov_cursor *c = &tb->cursors[tb->n_cursors++];
  *c = (ov_cursor){.scope = scope};
  return c;
}

static void welcome_received(dm_wire *w, const ov_welcome *m) {
  dm_tablet *tb = w->tb;
  w->welcome = *m;
  w->welcomed = true;
  w->ended = false;
  if (!ov_id_equal(&tb->server, &m->server)) tb->n_cursors = 0;
  tb->server = m->server;
  tb->org->shell.server = m->server;
  ov_peer_set_server(w->peer, &m->server);
  for (uint32_t i = 0; i < m->n_scopes; i++) {
    if (m->scopes[i].scope == 1 && m->scopes[i].state == OV_SCOPE_GONE) w->ended = true;
    ov_cursor *c = cursor_of(tb, m->scopes[i].scope, false);
    if (c) *c = (ov_cursor){.scope = c->scope}; /* refetched, new or gone: from 0 */
  }
}

/* An ACK counts when its signature is the server's and its head is our own at that seq. */
static bool ack_received(dm_wire *w, const ov_ack *m) {
  dm_tablet *tb = w->tb;
  ov_buf told;
  ov_buf_init(&told, 0);
  ov_signed_ack(&told, &tb->org->shell.server, &tb->org->shell.id, &tb->t->writer, m->body, m->body_len);
  bool ok = !ov_p256_verify(NULL, tb->org->shell.server_pubkey, told.p, told.n, m->sig) &&
            m->up_to <= tb->t->n && !memcmp(&m->head, &tb->t->heads[m->up_to], sizeof m->head);
  ov_buf_free(&told);
  if (!ok) return false;
  if (m->up_to > tb->acked) tb->acked = (uint32_t)m->up_to;
  if (tb->acked > tb->floor) tb->floor = tb->acked;
  return true;
}

/* false: a DELTA that does not follow. */
static bool delta_received(dm_wire *w, const ov_delta *m) {
  ov_cursor *c = cursor_of(w->tb, m->scope, true);
  w->deltas++;
  if (!c || c->pos != m->from) return false;
  c->pos = m->to;
  memcpy(c->hash, m->hash, sizeof c->hash);
  w->tb->records += m->n_records;
  if (w->deltas % 16 == 0) send_acked(w, false); /* credit */
  return true;
}

static bool take(dm_wire *w, ov_msg *m) {
  switch (m->type) {
  case OV_M_WELCOME: welcome_received(w, &m->welcome); return true;
  case OV_M_CHALLENGE: send_proof(w, &m->challenge); return true;
  case OV_M_ACK: return ack_received(w, &m->ack);
  case OV_M_DELTA: return delta_received(w, &m->delta);
  case OV_M_ERROR: w->last_error = m->error.err; return true;
  case OV_M_BYE: w->last_error = m->bye.reason; return true;
  default: return true;
  }
}

/* The server sent what it may not. */
static void broke(dm_wire *w, int err, const ov_msg *m) {
  if (err) snprintf(w->broke, sizeof w->broke, "refused: %s", ov_err_slug(err));
  else if (m->type != OV_M_DELTA) snprintf(w->broke, sizeof w->broke, "not to be taken: message %d", m->type);
  else
    snprintf(w->broke, sizeof w->broke, "DELTA %u of scope %u from %llu to %llu, not from %llu", w->deltas,
             m->delta.scope, (unsigned long long)m->delta.from, (unsigned long long)m->delta.to,
             (unsigned long long)cursor_of(w->tb, m->delta.scope, true)->pos);
  w->last_error = OV_E_INTERNAL;
  w->close_code = 1006;
}

int dm_recv(dm_wire *w, ov_msg **m, int timeout_ms) {
  int64_t until = dm_mono_ms() + timeout_ms;
  rawws_got got;
  *m = NULL;
  while (w->ws && !w->close_code) {
    int64_t left = until - dm_mono_ms();
    int r = rawws_read_frame(w->ws, &got, left > 0 ? (int)left : 0);
    if (r == -1) return -1;
    if (r <= 0) {
      w->close_code = 1006;
    } else if ((got.b0 & 15) == 8) {
      w->close_code = got.len < 2 ? 1005 : got.payload[0] << 8 | got.payload[1];
    } else if ((got.b0 & 15) == 9 && !w->mute) {
      rawws_send_frame(w->ws, &(rawws_frame){.b0 = 0x8a, .payload = got.payload, .len = got.len});
    } else if (got.b0 == 0x82) {
      w->down++;
      w->down_bytes += got.len;
      int err = ov_peer_feed(w->peer, got.payload, got.len, m);
      if (err || !take(w, *m)) {
        broke(w, err, *m);
        break;
      }
      return 1;
    }
  }
  return 0;
}

bool dm_expect(dm_wire *w, ov_msg_type type, ov_msg **out) {
  int64_t until = dm_mono_ms() + DM_WAIT_MS;
  ov_msg *m = NULL;
  while (dm_recv(w, &m, (int)(until - dm_mono_ms())) == 1) {
    if (m->type != type) continue;
    if (out) *out = m;
    return true;
  }
  return false;
}

int dm_expect_close(dm_wire *w, int timeout_ms) {
  int64_t until = dm_mono_ms() + timeout_ms;
  ov_msg *m;
  int r = 1;
  while (r == 1) {
    int64_t left = until - dm_mono_ms();
    r = dm_recv(w, &m, left > 0 ? (int)left : 0);
  }
  return r == 0 ? w->close_code : -1;
}

/* -- whole syncs ----------------------------------------------------------------------------------------- */

bool dm_greet(dm_wire *w, const dm_server *d, dm_tablet *tb, const dm_hello *h) {
  if (!dm_wire_open(w, d, tb, 0)) return false;
  return dm_send_hello(w, h) && dm_expect(w, OV_M_WELCOME, NULL);
}

static bool told(dm_wire *w, const char *what, char why[DM_WHY]) {
  snprintf(why, DM_WHY, "%s: close %d, error %s%s%s", what, w->close_code,
           w->last_error ? ov_err_slug(w->last_error) : "none", *w->broke ? "; " : "", w->broke);
  return false;
}

/* The highest stored head that is ours, from what the server listed; 0: none. */
static uint32_t own_place(const dm_tablet *tb, const ov_head *tips, uint32_t n_tips, const ov_rung *ladder,
                          uint32_t n_ladder) {
  uint32_t best = 0;
  for (uint32_t i = 0; i < n_tips; i++) {
    uint64_t seq = tips[i].seq;
    if (seq <= tb->t->n && seq > best && !memcmp(&tips[i].head, &tb->t->heads[seq], OV_HASH_BYTES))
      best = (uint32_t)seq;
  }
  for (uint32_t i = 0; i < n_ladder; i++) {
    uint64_t seq = ladder[i].seq;
    if (seq <= tb->t->n && seq > best && !memcmp(ladder[i].head, &tb->t->heads[seq], 8)) best = (uint32_t)seq;
  }
  return best;
}

/* Ops from `from` on that surely fit a frame. */
static uint32_t push_end(const dm_tablet *tb, uint32_t from) {
  size_t bytes = 0;
  uint32_t to = from - 1;
  while (to < tb->t->n && to - from + 1 < PUSH_OPS) {
    const ov_op *op = tb->t->ops[to];
    size_t n = 300u + op->payload_len;
    for (uint32_t i = 0; i < op->n_fields; i++)
      n += op->fields[i].v.type == OV_V_TEXT ? op->fields[i].v.s.n : 16;
    if (to >= from && bytes + n > OV_FRAME_BYTES_MAX - 4096u) break;
    bytes += n;
    to++;
  }
  return to;
}

/* Waits for the answer to a push; 1 taken, 0 somewhere else is to be pushed from (tb->acked), -1 no. */
static int push_answer(dm_wire *w, char why[DM_WHY]) {
  ov_msg *m;
  int64_t until = dm_mono_ms() + DM_WAIT_MS;
  for (int r; (r = dm_recv(w, &m, (int)(until - dm_mono_ms()))) != 0;) {
    if (r < 0) break;
    if (m->type == OV_M_ACK && !m->ack.refused) return 1;
    if (m->type == OV_M_ERROR && (m->error.err == OV_E_GAP || m->error.err == OV_E_BRANCH)) {
      w->tb->acked = own_place(w->tb, m->error.tips, m->error.n_tips, m->error.ladder, m->error.n_ladder);
      return 0;
    }
    if (m->type == OV_M_ERROR || m->type == OV_M_ACK) break;
  }
  told(w, "push", why);
  return -1;
}

bool dm_catch_up(dm_wire *w, char why[DM_WHY]) {
  dm_tablet *tb = w->tb;
  bool prev = true;
  for (int moved = 0; tb->acked < tb->t->n;) {
    dm_push p = {.from = tb->acked + 1, .to = push_end(tb, tb->acked + 1), .prev = prev};
    p.more = p.to < tb->t->n;
    if (!dm_send_push(w, &p)) return told(w, "send", why);
    int r = push_answer(w, why);
    if (r < 0) return false;
    if (r == 0 && ++moved > 3) return told(w, "no place", why);
  }
  ov_msg *m;
  int64_t until = dm_mono_ms() + DM_WAIT_MS;
  while (dm_recv(w, &m, (int)(until - dm_mono_ms())) == 1) {
    if (m->type == OV_M_SYNCED) return true;
    if (m->type == OV_M_ERROR) break;
  }
  return told(w, "catch-up", why);
}

bool dm_sync(const dm_server *d, dm_tablet *tb, char why[DM_WHY]) {
  dm_wire w;
  ov_msg *m;
  bool more = tb->acked < tb->t->n, ok = false;
  if (!dm_wire_open(&w, d, tb, 0)) {
    snprintf(why, DM_WHY, "cannot connect");
    return false;
  }
  if (!dm_send_hello(&w, &(dm_hello){.push_follows = more}) || !dm_expect(&w, OV_M_WELCOME, &m)) {
    told(&w, "hello", why);
    goto done;
  }
  if (m->welcome.own != OV_OWN_SAME) {
    tb->acked = own_place(tb, m->welcome.tips, m->welcome.n_tips, m->welcome.ladder, m->welcome.n_ladder);
  }
  ok = dm_catch_up(&w, why);
  if (ok && w.ended) { /* it gives its receipt and is turned away for good: PROTO-161 */
    tb->n_cursors = 0;
    send_acked(&w, false);
    ok = dm_expect_close(&w, DM_WAIT_MS) == 4003 && w.last_error == OV_E_REVOKED;
    if (!ok) told(&w, "receipt", why);
  } else if (ok) {
    send_acked(&w, true);
    ok = dm_expect_close(&w, DM_WAIT_MS) == 1000;
    if (!ok) told(&w, "goodbye", why);
  }
done:
  dm_wire_close(&w);
  return ok;
}
