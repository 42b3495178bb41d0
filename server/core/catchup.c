/* Catch-up: DELTA frames from the by-position index, one frame when the socket has room, bounded work for
 * each. What the session's own push changed is left out when the client already holds it; see
 * sv_catchup_skip. The read transaction ends before the frame is handed out. */
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"

bool sv_session_holds(const sv_session *ss, uint32_t scope) {
  for (uint32_t i = 0; i < ss->n_scopes; i++) {
    if (ss->scopes[i].scope == scope) return true;
  }
  return false;
}

static scope_follow *scope_of(sv_session *ss, uint32_t scope) {
  for (uint32_t i = 0; i < ss->n_scopes; i++) {
    if (ss->scopes[i].scope == scope) return &ss->scopes[i];
  }
  return NULL;
}

static int compare_skip(const void *a, const void *b) {
  const own_skip *x = a, *y = b;
  if (x->scope != y->scope) return x->scope < y->scope ? -1 : 1;
  return x->pos < y->pos ? -1 : x->pos > y->pos;
}

static bool is_skipped(const sv_session *ss, uint32_t scope, uint64_t pos) {
  own_skip key = {.scope = scope, .pos = pos};
  return ss->n_skip && bsearch(&key, ss->skip, ss->n_skip, sizeof key, compare_skip);
}

static void remember(sv_session *ss, uint32_t scope, uint64_t pos) {
  if (ss->n_skip == ss->cap_skip) {
    uint32_t cap = ss->cap_skip ? ss->cap_skip * 2 : 64;
    own_skip *p = cap <= SV_OWN_SKIP_MAX ? realloc(ss->skip, cap * sizeof *p) : NULL;
    if (!p) return; /* it is sent, then: more bytes, same result */
    ss->skip = p;
    ss->cap_skip = cap;
  }
  ss->skip[ss->n_skip++] = (own_skip){.scope = scope, .pos = pos};
}

/* A change may be left out when this push alone made it, on a state that the client holds: it created the
 * record, or had been sent (or had itself made) the position before. PROTO-112 */
void sv_catchup_skip(sv_session *ss, const sv_touches *t) {
  if (t->overflow) return;
  uint32_t before = ss->n_skip;
  for (uint32_t i = 0; i < t->n; i++) {
    const sv_touch *c = &t->v[i];
    const scope_follow *f = scope_of(ss, c->scope);
    if (!f || c->foreign || c->gone) continue;
    bool known = c->prev_pos == 0 || is_skipped(ss, c->scope, c->prev_pos) ||
                 (!f->fresh && c->prev_pos <= f->sent);
    if (known) remember(ss, c->scope, c->pos);
  }
  if (ss->n_skip > before) qsort(ss->skip, ss->n_skip, sizeof *ss->skip, compare_skip);
}

void sv_catchup_mix(const sv_session *ss, uint64_t pos, const uint8_t in[OV_POSHASH_BYTES],
                    uint8_t out[OV_POSHASH_BYTES]) {
  for (unsigned i = 0; i < OV_POSHASH_BYTES; i++) out[i] = pos ? in[i] ^ ss->reader.mix[i] : in[i];
}

typedef struct batch {
  ov_delta d;
  uint64_t head; /* the scope's last position in this snapshot */
  size_t weight;
  uint32_t cap;
} batch;

/* Did this device make the record? Then it may hold it by its own op alone, acknowledged in a session that
 * ended before the record came or went. */
static bool made_here(sv_session *ss, sv_txn *t, const ov_name *record) {
  sv_op_row row;
  return !sv_op_get(t, record, &ss->server->arena, &row) && ov_id_equal(&row.device, &ss->device.id);
}

/* One position; 1 when the frame is full before it. What leaves a scope amid a fetch may have gone with an
 * earlier frame of it, so that is told also then. PROTO-110 */
static int take(sv_session *ss, const scope_follow *f, sv_txn *t, const sv_posent *e, size_t budget,
                int64_t now, batch *b) {
  sv_server *s = ss->server;
  if (e->gone) {
    if (f->fresh && e->pos <= f->began && !made_here(ss, t, &e->record)) return 0;
    if (b->weight + OV_NAME_BYTES > budget && b->weight) return 1;
    b->d.gone[b->d.n_gone++] = e->record;
    b->weight += OV_NAME_BYTES + 2;
    return 0;
  }
  if (!f->fresh && is_skipped(ss, f->scope, e->pos)) return 0;
  sv_record_row row;
  int err = sv_record_get(t, &e->record, &s->arena, &row);
  if (err) return err;
  const ov_skind *k = ov_schemas_kind(s->o.schemas, row.rec.kind);
  if (!sv_reader_may(&ss->reader, f->scope, &row.rec)) return 0;
  if (k && k->windowed && ov_schema_outside_window(k, &row.rec, row.changed, now)) return 0;
  ov_buf_reset(&s->scratch2);
  ov_record_encode(&row.rec, &s->scratch2);
  if (s->scratch2.err) return s->scratch2.err;
  if (b->weight + s->scratch2.n > budget && b->weight) return 1;
  if ((err = sv_reads_add(ss, &row.rec))) return err;
  b->weight += s->scratch2.n;
  b->d.records[b->d.n_records++] = (ov_delta_rec){.rec = row.rec, .changed = row.changed};
  return 0;
}

/* PROTO-110 */
static int collect(sv_session *ss, scope_follow *f, sv_txn *t, size_t budget, batch *b) {
  sv_server *s = ss->server;
  sv_posent *ents = ov_arena_array(&s->arena, SV_CATCHUP_SCAN_MAX, sizeof *ents);
  sv_reads_begin(ss);
  *b = (batch){.d = {.scope = f->scope, .from = f->sent, .time = s->o.sys->now_ms(s->o.sys->ctx) / 1000}};
  b->d.records = ov_arena_array(&s->arena, SV_CATCHUP_SCAN_MAX, sizeof *b->d.records);
  b->d.gone = ov_arena_array(&s->arena, SV_CATCHUP_SCAN_MAX, sizeof *b->d.gone);
  if (!ents || !b->d.records || !b->d.gone) return OV_E_NOMEM;
  sv_scope head;
  int err = sv_scope_get(t, f->scope, &head);
  uint32_t n = 0;
  if (!err) err = sv_pos_list(t, f->scope, f->sent, ents, SV_CATCHUP_SCAN_MAX, &n);
  if (err) return err;
  b->head = head.pos;
  b->d.to = f->sent;
  for (uint32_t i = 0; i < n; i++) {
    int full = take(ss, f, t, &ents[i], budget, b->d.time, b);
    if (full < 0) return full;
    b->d.more = full == 1;
    if (b->d.more) break;
    b->d.to = ents[i].pos;
  }
  if (!b->d.more && n == SV_CATCHUP_SCAN_MAX) b->d.more = true;
  if (!b->d.more) b->d.to = head.pos;
  err = sv_pos_hash(t, f->scope, b->d.to, b->d.hash);
  sv_catchup_mix(ss, b->d.to, b->d.hash, b->d.hash);
  return err;
}

/* Builds the DELTA, with fewer records when they turn out larger than learned. A single record always fits:
 * limits.h sees to it. */
static int build(sv_session *ss, scope_follow *f, sv_txn *t, batch *b, ov_buf *plain, uint32_t frame_bytes) {
  sv_server *s = ss->server;
  size_t budget = (size_t)ss->rows_per_frame;
  ov_rows_ctx ctx = {.named = true, .writer = ss->org->server, .server = ss->org->server};
  for (;;) {
    ov_arena_reset(&s->arena);
    int err = collect(ss, f, t, budget, b);
    if (err) return err;
    ctx.base_time = b->d.time;
    ov_buf_free(plain);
    ov_buf_init(plain, b->d.n_records + b->d.n_gone > 1 ? frame_bytes : OV_FRAME_BYTES_MAX);
    err = ov_delta_encode(&ctx, &b->d, &s->arena, plain);
    if (!err) err = plain->err;
    if (err != OV_E_LIMIT || b->d.n_records + b->d.n_gone <= 1) {
      if (!err && b->d.more && plain->n)
        ss->rows_per_frame = (double)b->weight * frame_bytes * 0.97 / (double)plain->n;
      return err;
    }
    budget = budget * 3 / 4;
    ss->rows_per_frame = (double)budget;
  }
}

/* Rights are asked in the same snapshot as the data. 0, OV_E_REVOKED, or OV_E_DENIED when the device's scopes
 * or its person's role are no longer those of its HELLO: the client has to greet again, and learns there what
 * it gained and what it must drop. */
static int still_allowed(sv_session *ss, const scope_follow *f, sv_txn *t) {
  sv_reader now;
  if (f->org != ss->org) return 0; /* the programme's scope is everybody's */
  int err = sv_reader_load(t, ss->org, &ss->device, &ss->server->arena, &now);
  if (!err && now.ended) err = OV_E_REVOKED;
  if (!err && !sv_reader_same(&now, &ss->reader)) err = OV_E_DENIED;
  return err;
}

/* PROTO-117 */
static int greet_again(sv_session *ss) {
  ov_bye bye = {.reason = 0, .retry_s = 1};
  ov_buf *plain = &ss->server->scratch;
  ov_buf_reset(plain);
  ov_bye_encode(&bye, plain);
  int err = sv_session_send(ss, OV_M_BYE, plain);
  ss->closing = true;
  ss->link.close(ss->link.ctx, 1000, "rights changed: greet again");
  return err;
}

/* A frame leaves: what it holds is with the client from here on. */
static int send_frame(sv_session *ss, scope_follow *f, const ov_buf *plain, uint64_t to, bool more,
                      uint32_t records, ov_buf *out) {
  int err = ov_peer_send(ss->peer, OV_M_DELTA, plain->p, plain->n, out);
  if (err) return err;
  f->sent = to;
  f->behind = more;
  if (!more) f->fresh = false;
  ss->credit_left--;
  ss->server->stats.deltas++;
  ss->server->stats.records_sent += records;
  return 0;
}

/* The frame that waited for the audit goes only if its scope is still as it was: somebody may have moved
 * since. */
static bool is_current(const sv_session *ss, const scope_follow *f, sv_txn *t) {
  sv_scope head;
  return !sv_scope_get(t, f->scope, &head) && head.pos == ss->reads.head;
}

static int send_waiting(sv_session *ss, scope_follow *f, ov_buf *out, bool *sent) {
  session_reads *r = &ss->reads;
  int err = send_frame(ss, f, &r->frame, r->to, r->more, r->n_records, out);
  *sent = !err;
  sv_reads_drop_frame(ss);
  return err;
}

static int make_frame(sv_session *ss, sv_txn **t, scope_follow *f, ov_buf *out, bool *sent) {
  ov_buf plain;
  batch b;
  ov_buf_init(&plain, 0);
  int err = build(ss, f, *t, &b, &plain, ov_peer_frame_bytes(ss->peer));
  sv_txn_abort(*t);
  *t = NULL;
  if (!err && sv_reads_unknown(ss)) {
    err = sv_reads_write(ss, f, &b.d, b.head, &plain);
  } else if (!err) {
    err = send_frame(ss, f, &plain, b.d.to, b.d.more, b.d.n_records, out);
    *sent = !err;
  }
  ov_buf_free(&plain);
  return err;
}

static int next_delta(sv_session *ss, scope_follow *f, ov_buf *out, bool *sent) {
  sv_txn *t = NULL;
  sv_scope head;
  int err = sv_txn_read(f->org->env, &t);
  if (!err) err = still_allowed(ss, f, t);
  if (err == OV_E_DENIED) {
    err = greet_again(ss);
  } else if (!err && ss->reads.waits && is_current(ss, f, t)) {
    err = send_waiting(ss, f, out, sent);
  } else if (!err) {
    sv_reads_drop_frame(ss);
    err = sv_scope_get(t, f->scope, &head);
    if (err == OV_E_NOTFOUND || (!err && head.pos == f->sent && !f->fresh)) {
      f->behind = false; /* no such scope yet, or nothing new */
      err = 0;
    } else if (!err) {
      err = make_frame(ss, &t, f, out, sent);
    }
  }
  sv_txn_abort(t);
  return err;
}

/* A DELTA of the programme says what the organisation's tablets wrote there too (PROTO-111), so it waits
 * until their ops have been copied. */
static bool held_back(const sv_session *ss, const scope_follow *f) {
  sv_txn *t = NULL;
  uint64_t id;
  ov_name op;
  if (f->org == ss->org) return false;
  int err = sv_txn_read(ss->org->env, &t);
  if (!err) err = sv_queue_peek(t, &id, &op);
  sv_txn_abort(t);
  return err != OV_E_NOTFOUND;
}

/* PROTO-114, PROTO-115 */
bool sv_catchup_next(sv_session *ss, ov_buf *out) {
  if (!ss->proved || ss->push_expected || ss->in_commit || !ss->credit_left || ss->reads.writing)
    return false;
  for (uint32_t i = 0; i < ss->n_scopes; i++) {
    scope_follow *f = &ss->scopes[(ss->turn + i) % ss->n_scopes];
    bool sent = false;
    if (ss->reads.waits ? ss->reads.scope != f->scope : !f->behind || held_back(ss, f)) continue;
    int err = next_delta(ss, f, out, &sent);
    if (err) {
      sv_session_fail(ss, err, "catch-up");
      return false;
    }
    if (ss->closing) return sv_session_pull(ss, out); /* the BYE that was just queued */
    if (ss->reads.writing) return false;
    if (!sent) continue;
    /* one scope to its end, so that a client can swap it in early */
    ss->turn = (ss->turn + i) % ss->n_scopes;
    return true;
  }
  /* The copy wakes the session; should it fail, the client goes on with what it has and gets the rest another
   * time. */
  if (ss->synced_sent || sv_programme_copying(ss->server, ss->org)) return false;
  ss->synced_sent = true;
  ov_buf *plain = &ss->server->scratch;
  ov_buf_reset(plain);
  ov_synced_encode(plain);
  int err = plain->err ? plain->err : ov_peer_send(ss->peer, OV_M_SYNCED, plain->p, plain->n, out);
  if (err) sv_session_fail(ss, err, "synced");
  return !err;
}
