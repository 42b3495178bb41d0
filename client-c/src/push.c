/* The sending half of a sync: PUSH, its answers, and finding the place when server and log do not agree.
 * Every PUSH is answered by exactly one ACK or ERROR, in order; after a rewind the answers to what was under
 * way are counted off and not looked at. */
#include <stdlib.h>
#include <string.h>

#include "session.h"

#define BATCH_FIRST 512u
/* Bytes of a PUSH beside its rows: array, seq, flags, prev, signature. */
#define PUSH_OVERHEAD 160u
/* Times that one PUSH is sent again with keys, before it waits for the next sync: each time somebody else
 * must have been erased. */
#define KEY_ROUNDS_MAX 16u

/* What a session learns of its log goes to disk beside what was written meanwhile: an op appended while it
 * ran stays counted. */
int oc_push_save(oc_session *ss, oc_txn *t) {
  oc_writer_row row = ss->w, now;
  int err = oc_writer_get(t, &row.writer, &now);
  if (err) return err;
  if (now.last > row.last) row.last = now.last;
  return oc_writer_put(t, &row);
}

void oc_push_start(oc_session *ss) {
  ss->next_seq = ss->w.acked + 1;
  ss->batch = BATCH_FIRST;
  ss->progress.to_send = ss->w.last - ss->w.acked;
}

static void rewind_to(oc_session *ss, uint64_t seq) {
  ss->next_seq = seq;
  ss->rewound = true;
  ss->stale = ss->in_flight;
}

/* -- making a PUSH --------------------------------------------------------------------------------------- */

static int load_ops(oc_session *ss, oc_txn *t, uint32_t want, ov_op **ops, uint32_t *n, ov_hash *head) {
  *n = 0;
  *ops = ov_arena_array(&ss->arena, want, sizeof **ops);
  if (!*ops) return OV_E_NOMEM;
  for (; *n < want && ss->next_seq + *n <= ss->w.last; (*n)++) {
    oc_log_row row;
    int err = oc_log_get(t, &ss->w.writer, ss->next_seq + *n, &ss->arena, &row);
    if (err) return err;
    if (row.closed) break; /* a server forgot it; it waits for the share in WELCOME */
    ov_op *op = &(*ops)[*n];
    *op = row.op;
    if (row.as_void || !row.kept) {
      *op = (ov_op){.name = row.op.name,
                    .is_void = true,
                    .has_commitment = true,
                    .header_hash = row.op.header_hash,
                    .commitment = row.op.commitment};
    }
    *head = row.head;
  }
  return 0;
}

/* As many ops as fit one frame: by trial, the size is known only once they are coded. */
static int encode_rows(oc_session *ss, const ov_op *ops, uint32_t *n, ov_buf *rows) {
  ov_rows_ctx c = {.writer = ss->w.writer,
                   .first_seq = ss->next_seq,
                   .server = ss->rows_server,
                   .base_time = ss->hello_ms / 1000};
  for (;;) {
    ov_buf_reset(rows);
    int err = ov_rows_encode(&c, ops, *n, rows);
    if (!err) err = rows->err;
    bool fits = !err && rows->n + PUSH_OVERHEAD + ss->n_keys * 64u <= ss->frame_bytes;
    if (fits || (err && err != OV_E_LIMIT) || *n == 1) return err;
    *n = *n / 2;
    ss->batch = *n;
  }
}

static int sign_push(oc_session *ss, uint64_t last, const ov_hash *head, uint8_t sig[OV_SIG_BYTES]) {
  const oc_self *m = &ss->s->self;
  ov_buf_reset(&ss->signed_bytes);
  ov_signed_push(&ss->signed_bytes, &m->organisation, &m->device, &ss->w.writer, last, head);
  if (ss->signed_bytes.err) return ss->signed_bytes.err;
  return ov_p256_sign(ss->s->key, ss->signed_bytes.p, ss->signed_bytes.n, sig);
}

static int build_push(oc_session *ss, oc_txn *t, ov_buf *rows) {
  ov_op *ops = NULL;
  uint32_t n = 0;
  ov_push p = {.first_seq = ss->next_seq, .has_prev = ss->rewound, .keys = ss->keys, .n_keys = ss->n_keys};
  ov_hash head;
  int err = load_ops(ss, t, ss->batch, &ops, &n, &head);
  uint32_t loaded = n;
  if (!err && !n) return 0;
  if (!err) err = encode_rows(ss, ops, &n, rows);
  uint64_t last = ss->next_seq + n - 1;
  if (!err && n < loaded) err = oc_log_head(ss->s, t, &ss->w.writer, last, &head);
  if (!err && p.has_prev) err = oc_log_head(ss->s, t, &ss->w.writer, ss->next_seq - 1, &p.prev);
  if (!err) err = sign_push(ss, last, &head, p.sig);
  if (err) return err;
  p.more = last < ss->w.last;
  p.rows = rows->p;
  p.rows_len = rows->n;
  ov_buf_reset(&ss->plain);
  ov_push_encode(&p, &ss->plain);
  if (ss->plain.err) return ss->plain.err;
  ss->flight[ss->in_flight++] = (oc_flight){.first = ss->next_seq, .last = last};
  ss->next_seq = last + 1;
  ss->rewound = false;
  return 1;
}

int oc_push_make(oc_session *ss) {
  if (ss->next_seq > ss->w.last || ss->in_flight == OV_PUSHES_UNANSWERED_MAX || ss->stale) return 0;
  oc_txn *t = NULL;
  ov_buf rows;
  ov_buf_init(&rows, OV_FRAME_BYTES_MAX);
  ov_arena_reset(&ss->arena);
  int err = oc_txn_begin(ss->s->db, false, &t);
  if (!err) err = build_push(ss, t, &rows);
  oc_txn_abort(t);
  ov_buf_free(&rows);
  return err;
}

/* -- ACK ------------------------------------------------------------------------------------------------- */

/* PROTO-37 */
static int check_ack(oc_session *ss, oc_txn *t, const ov_ack *ack) {
  const oc_self *m = &ss->s->self;
  ov_hash mine;
  if (ack->up_to > ss->w.last) return OV_E_FOREIGN;
  ov_buf_reset(&ss->signed_bytes);
  ov_signed_ack(&ss->signed_bytes, &m->server, &m->organisation, &ss->w.writer, ack->body, ack->body_len);
  int err = ss->signed_bytes.err;
  if (!err) err = ov_p256_verify(NULL, m->server_pubkey, ss->signed_bytes.p, ss->signed_bytes.n, ack->sig);
  if (!err) err = oc_log_head(ss->s, t, &ss->w.writer, ack->up_to, &mine);
  /* it has stored something else than we wrote */
  if (!err && memcmp(&mine, &ack->head, sizeof mine)) err = OV_E_AUTH;
  return err;
}

static uint8_t held_reason(const ov_ack *ack, uint64_t seq) {
  for (uint32_t i = 0; i < ack->n_held; i++) {
    if (ack->held[i].seq == seq) return ack->held[i].reason;
  }
  return 0;
}

static int mark_acked(oc_session *ss, oc_txn *t, const ov_ack *ack) {
  uint32_t run = 0;
  for (uint64_t seq = ss->w.acked + 1; seq <= ack->up_to; seq++) {
    oc_log_row row;
    ov_arena a;
    ov_arena_init(&a, 1u << 20);
    while (run < ack->n_receipts && ack->receipts[run].up_to < seq) run++;
    int err = oc_log_get(t, &ss->w.writer, seq, &a, &row);
    if (!err) {
      row.state = OC_OP_ACKED;
      row.held = held_reason(ack, seq);
      if (run < ack->n_receipts) {
        row.server_time_ms = ack->receipts[run].server_time_ms;
        row.offset_ms = ack->receipts[run].offset_ms;
      }
      err = oc_log_put(t, &row);
    }
    if (!err && row.kept) err = oc_view_index(ss->s, t, &row.op.record, &a);
    ov_arena_free(&a);
    if (err) return err;
    ss->progress.sent++;
  }
  return 0;
}

static int mark_refused(oc_session *ss, oc_txn *t, uint64_t seq, int why) {
  oc_log_row row;
  ov_arena a;
  ov_arena_init(&a, 1u << 20);
  int err = oc_log_get(t, &ss->w.writer, seq, &a, &row);
  if (!err && row.as_void) err = OV_E_STATE; /* a void has nothing left to refuse */
  row.as_void = true;
  row.refused_err = why;
  if (!err) err = oc_log_put(t, &row);
  if (!err) err = oc_view_index(ss->s, t, &row.op.record, &a);
  ov_arena_free(&a);
  return err;
}

static void pop_flight(oc_session *ss) {
  if (!ss->in_flight) return;
  ss->in_flight--;
  memmove(&ss->flight[0], &ss->flight[1], ss->in_flight * sizeof ss->flight[0]);
}

/* The op that the server does not take becomes a void; everything behind it is sent again after it. */
static bool op_refused(const ov_ack *ack) {
  return ack->refused && (ack->refused_err == OV_E_OP_FORMAT || ack->refused_err == OV_E_OP_LIMIT);
}

static int apply_ack(oc_session *ss, oc_txn *t, const ov_ack *ack) {
  int err = check_ack(ss, t, ack);
  if (!err) err = mark_acked(ss, t, ack);
  if (!err && op_refused(ack)) err = mark_refused(ss, t, ack->refused_seq, ack->refused_err);
  if (err) return err;
  if (ack->up_to > ss->w.acked) ss->w.acked = ack->up_to;
  ss->w.safe = ack->safe_up_to;
  return oc_push_save(ss, t);
}

int oc_push_ack(oc_session *ss, const ov_ack *ack, oc_error *e) {
  bool stale = ss->stale > 0; /* PROTO-56 */
  if (!ss->in_flight) return oc_from_ov(e, OV_E_STATE);
  pop_flight(ss);
  if (stale) ss->stale--;
  oc_txn *t = NULL;
  oc_writer_row before = ss->w;
  int err = oc_txn_begin(ss->s->db, true, &t);
  if (!err) err = apply_ack(ss, t, ack);
  if (err) {
    oc_txn_abort(t);
  } else {
    err = oc_txn_commit(t);
  }
  if (err) {
    ss->w = before;
    return oc_from_ov(e, err);
  }
  ss->need_synced = true;
  ss->n_keys = ss->key_rounds = 0;
  if (ack->refused && !stale) rewind_to(ss, ack->refused_seq);
  else if (ss->next_seq <= ss->w.acked) ss->next_seq = ss->w.acked + 1;
  return 0;
}

/* -- finding the place ----------------------------------------------------------------------------------- */

static bool same_head(oc_session *ss, oc_txn *t, uint64_t seq, const uint8_t *head, size_t n) {
  ov_hash mine;
  return seq <= ss->w.last && !oc_log_head(ss->s, t, &ss->w.writer, seq, &mine) && !memcmp(mine.b, head, n);
}

static int forget_acks(oc_session *ss, oc_txn *t, uint64_t place) {
  ss->progress.to_send += ss->w.acked - place;
  int err = oc_log_forget_acks(ss->s, t, &ss->w, place);
  if (!err) err = oc_push_save(ss, t);
  ov_arena a;
  ov_arena_init(&a, 1u << 20);
  /* a copy that was fetched anew before this log was asked about does not have them */
  if (!err) err = oc_repend_unsent(ss->s, t, &a);
  ov_arena_free(&a);
  return err;
}

/* The highest point that both logs share becomes the place to push from. A stored tip that is not in our log
 * means that this store has a double: it goes on under a new writer once this log is handed over. */
static int find_place(oc_session *ss, oc_txn *t, const ov_head *tips, uint32_t n_tips, const ov_rung *ladder,
                      uint32_t n_ladder, bool rewind) {
  uint64_t place = 0;
  bool found = false;
  for (uint32_t i = 0; i < n_tips; i++) {
    if (same_head(ss, t, tips[i].seq, tips[i].head.b, OV_HASH_BYTES)) {
      if (!found || tips[i].seq > place) place = tips[i].seq;
      found = true;
    } else if (ov_id_equal(&ss->w.writer, &ss->s->self.writer) && !ss->s->self.forked) {
      ss->s->self.forked = true;
      int err = oc_self_save(ss->s, t);
      if (err) return err;
    }
  }
  for (uint32_t i = 0; i < n_ladder; i++) {
    if ((!found || ladder[i].seq > place) &&
        same_head(ss, t, ladder[i].seq, ladder[i].head, sizeof ladder[i].head)) {
      place = ladder[i].seq;
      found = true;
    }
  }
  if (!rewind) return 0;
  int err = place < ss->w.acked ? forget_acks(ss, t, place) : 0;
  if (!err) rewind_to(ss, place + 1);
  return err;
}

int oc_push_place(oc_session *ss, const ov_head *tips, uint32_t n_tips, const ov_rung *ladder,
                  uint32_t n_ladder) {
  oc_txn *t = NULL;
  bool rewind = !ss->welcomed; /* WELCOME said SAME: the tips only tell of a double */
  int err = oc_txn_begin(ss->s->db, true, &t);
  if (!err) err = find_place(ss, t, tips, n_tips, ladder, n_ladder, rewind);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  return err;
}

/* -- ERROR answers --------------------------------------------------------------------------------------- */

/* A missing key is named by its participant, or by a zero writer and the scope. One whose participant was
 * erased here since is not needed: what was written about them goes as voids now. */
static int add_key(oc_session *ss, oc_txn *t, const ov_name *name, bool *any) {
  ov_push_key *k = &ss->keys[ss->n_keys];
  ov_op about = {.scope = 1};
  ov_arena a;
  about.has_participant = !ov_id_is_zero(&name->writer);
  about.participant = *name;
  for (uint32_t i = 0; i < ss->n_keys; i++) {
    if (ov_name_equal(&ss->keys[i].participant, name)) return 0; /* it had it, and asks again */
  }
  if (about.has_participant && oc_purged(t, name)) {
    *any = true;
    return 0;
  }
  if (!about.has_participant) about.scope = (uint32_t)name->seq;
  k->participant = *name;
  ov_arena_init(&a, 1u << 20);
  int err = oc_commit_key(ss->s, t, &about, &a, k->key);
  ov_arena_free(&a);
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  ss->n_keys++;
  *any = true;
  return 0;
}

/* As far as they are known, beside those that it asked for before: another client may be erased meanwhile.
 * The server keeps none of them before it takes the push. */
static int add_keys(oc_session *ss, const ov_error *m) {
  oc_txn *t = NULL;
  bool any = false;
  if (++ss->key_rounds > KEY_ROUNDS_MAX) return OV_E_NEED_KEYS;
  int err = oc_txn_begin(ss->s->db, false, &t);
  for (uint32_t i = 0; !err && i < m->n_names && ss->n_keys < OV_PUSH_KEYS_MAX; i++)
    err = add_key(ss, t, &m->names[i], &any);
  oc_txn_abort(t);
  return err ? err : any ? 0 : OV_E_NEED_KEYS;
}

int oc_push_error(oc_session *ss, const ov_error *m, oc_error *e) {
  oc_flight f = ss->flight[0];
  int err = 0;
  if (!ss->in_flight) return oc_from_ov(e, OV_E_STATE);
  pop_flight(ss);
  if (ss->stale) {
    ss->stale--;
    return 0;
  }
  switch (m->err) {
  case OV_E_GAP:
  case OV_E_BRANCH: {
    bool was = ss->welcomed;
    ss->welcomed = false;
    ss->key_rounds = 0;
    err = oc_push_place(ss, m->tips, m->n_tips, m->ladder, m->n_ladder);
    ss->welcomed = was;
    break;
  }
  case OV_E_NEED_KEYS:
    err = add_keys(ss, m);
    if (!err) rewind_to(ss, f.first);
    break;
  case OV_E_BUSY:
  case OV_E_FULL:
  case OV_E_READONLY:
    oc_session_come_back(ss, m->retry_s);
    oc_say(e, OC_E_BUSY, "the server takes nothing now (%s); it asks to come back in %u seconds",
           ov_err_text(m->err), m->retry_s);
    oc_say_nl(e,
              "De server heeft het druk. Alles blijft bewaard op deze tablet. We proberen het straks weer.");
    return OC_E_BUSY;
  default: err = m->err;
  }
  return oc_from_ov(e, err);
}
