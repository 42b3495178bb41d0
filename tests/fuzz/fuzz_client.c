/* A client's session under a hostile server, on a real store. The input is a row of steps: WELCOME, ACK,
 * DELTA, ERROR and the rest made from choices (also with the server's real signature), edited samples, any
 * bytes, in between own entries and new sessions. Whatever came, the tablet's own log is whole, and a sync
 * with the true server brings every op of it there. */
#include <string.h>

#include "fuzz_home.h"

#define STEPS_MAX 24u

typedef struct victim {
  fuzz_home *h;
  oc_session *cs;
  choices *c;
  ov_buf plain, frame, signed_bytes;
  ov_packer *packer;
  ov_arena a;
  uint64_t written; /* own ops, those of the start included */
} victim;

static oc_writer_row live_writer(victim *x) {
  oc_writer_row w = {0};
  oc_txn *t = NULL;
  FX_OK(oc_txn_begin(x->h->t.s->db, false, &t));
  (void)oc_writer_get(t, &x->h->t.s->self.writer, &w);
  oc_txn_abort(t);
  return w;
}

static void speak(victim *x) {
  size_t n;
  for (unsigned k = 0; k < 50 && x->cs && oc_session_output(x->cs, &n); k++)
    FUZZ_MUST(n > 0 && n <= OV_WS_MESSAGE_BYTES_MAX);
}

static void start(victim *x) {
  oc_error e;
  oc_sync_options o = {.live = pick_u8(x->c) & 1};
  oc_session_free(x->cs);
  x->cs = NULL;
  FUZZ_MUST(!oc_session_new(x->h->t.s, &o, &x->cs, &e));
  speak(x);
}

static void feed(victim *x) {
  oc_error e;
  if (!x->cs) start(x);
  int err = oc_session_feed(x->cs, x->frame.p, x->frame.n, &e);
  if (err) {
    FUZZ_MUST(e.err == err && e.message[0] && err != OC_E_INTERNAL);
    oc_session_free(x->cs);
    x->cs = NULL;
    return;
  }
  speak(x);
}

static void feed_plain(victim *x) {
  if (x->plain.err) return;
  ov_buf_reset(&x->frame);
  FUZZ_MUST(!ov_frame_pack(x->packer, x->plain.p, x->plain.n, &x->frame));
  feed(x);
}

/* -- messages
 * ------------------------------------------------------------------------------------------------ */

/* Heads that the log has, and heads that it has not. */
static ov_head some_head(victim *x) {
  oc_writer_row w = live_writer(x);
  ov_head h = {.seq = pick_below(x->c, (uint32_t)w.last + 3)};
  oc_txn *t = NULL;
  FX_OK(oc_txn_begin(x->h->t.s->db, false, &t));
  if (oc_log_head(x->h->t.s, t, &w.writer, h.seq, &h.head)) memset(&h.head, 7, sizeof h.head);
  oc_txn_abort(t);
  if (pick_below(x->c, 4) == 1) h.head.b[0] ^= pick_u8(x->c);
  return h;
}

static uint32_t some_heads(victim *x, ov_head tips[4], ov_rung ladder[6], uint32_t *n_ladder) {
  uint32_t n = pick_below(x->c, 4);
  for (uint32_t i = 0; i < n; i++) tips[i] = some_head(x);
  *n_ladder = pick_below(x->c, 6);
  for (uint32_t i = 0; i < *n_ladder; i++) {
    ov_head h = some_head(x);
    ladder[i].seq = h.seq;
    memcpy(ladder[i].head, h.head.b, sizeof ladder[i].head);
  }
  return n;
}

static ov_id some_server(victim *x) {
  ov_id id = x->h->t.s->self.server;
  if (pick_below(x->c, 4) == 1) id.b[0] ^= pick_u8(x->c);
  return id;
}

static int64_t some_time_ms(victim *x) {
  int64_t t = x->h->w.fx.now_ms;
  if (pick_below(x->c, 4) == 1) t += 1000 * (pick_int(x->c) % 4000000000);
  return t;
}

static void welcome(victim *x) {
  choices *c = x->c;
  ov_head tips[4];
  ov_rung ladder[6];
  ov_scope_status scopes[5];
  ov_welcome m = {.version = 1,
                  .server = some_server(x),
                  .time_ms = some_time_ms(x),
                  .own = (ov_own)pick_below(c, 3),
                  .tips = tips,
                  .ladder = ladder,
                  .scopes = scopes,
                  .safe_up_to = pick_below(c, 8),
                  .frame_bytes = 4096,
                  .credit = 1u + pick_u8(c)};
  m.n_tips = some_heads(x, tips, ladder, &m.n_ladder);
  m.n_scopes = pick_below(c, 5);
  for (uint32_t i = 0; i < m.n_scopes; i++)
    scopes[i] = (ov_scope_status){i, (ov_scope_state)pick_below(c, 4)};
  ov_buf_reset(&x->plain);
  ov_welcome_encode(&m, &x->plain);
  feed_plain(x);
}

static void ack(victim *x) {
  choices *c = x->c;
  const oc_self *self = &x->h->t.s->self;
  ov_head h = some_head(x);
  ov_ack_receipt receipts[3];
  ov_ack_held held[3];
  uint8_t how = pick_u8(c), sig[OV_SIG_BYTES];
  static const int errs[] = {OV_E_OP_FORMAT, OV_E_OP_LIMIT, OV_E_NEED_KEYS, OV_E_GAP, OV_E_BRANCH, OV_E_BUSY};
  ov_ack m = {.up_to = h.seq,
              .head = h.head,
              .receipts = receipts,
              .held = held,
              .n_receipts = pick_below(c, 3),
              .n_held = pick_below(c, 3),
              .refused = how & 1,
              .refused_seq = h.seq + 1 + pick_below(c, 2),
              .refused_err = errs[pick_below(c, 6)],
              .safe_up_to = pick_below(c, 9)};
  for (uint32_t i = 0; i < m.n_receipts; i++)
    receipts[i] = (ov_ack_receipt){i ? receipts[i - 1].up_to + 1 : pick_below(c, 6), some_time_ms(x),
                                   pick_int(c) % OV_TIME_S_MAX};
  for (uint32_t i = 0; i < m.n_held; i++)
    held[i] = (ov_ack_held){i ? held[i - 1].seq + 1 : pick_below(c, 8),
                            (uint8_t)(1 + pick_below(c, OV_HELD_COUNT - 1))};
  ov_buf_reset(&x->frame);
  ov_buf_reset(&x->signed_bytes);
  ov_ack_body(&m, &x->frame);
  ov_signed_ack(&x->signed_bytes, &self->server, &self->organisation, &self->writer, x->frame.p, x->frame.n);
  FX_OK(ov_p256_sign(x->h->w.org->sign_key, x->signed_bytes.p, x->signed_bytes.n, sig));
  if (how & 2 && how & 4) sig[0] ^= pick_u8(c);
  ov_buf_reset(&x->plain);
  ov_ack_encode(x->frame.p, x->frame.n, sig, &x->plain);
  feed_plain(x);
}

static ov_name some_name(victim *x) {
  const oc_self *self = &x->h->t.s->self;
  switch (pick_below(x->c, 4)) {
  case 0: return x->h->participant;
  case 1: return (ov_name){.writer = self->server, .seq = 1 + pick_below(x->c, 30), .tag = {1}};
  case 2: return (ov_name){.writer = {{6}}, .seq = 1 + pick_below(x->c, 5), .tag = {2}};
  default: break;
  }
  ov_name n = {.writer = self->writer, .seq = 1 + pick_below(x->c, 5)}; /* one of its own */
  oc_log_row row;
  oc_txn *t = NULL;
  FX_OK(oc_txn_begin(x->h->t.s->db, false, &t));
  if (!oc_log_get(t, &n.writer, n.seq, &x->a, &row)) n = row.op.name;
  oc_txn_abort(t);
  return n;
}

static bool some_record(victim *x, ov_record *out) {
  static const uint16_t kinds[] = {
      20, 20, 21, OV_KIND_PARTICIPANT, OV_KIND_TEAM, OV_KIND_SCHEMA, OV_KIND_ORGANISATION, 999};
  choices *c = x->c;
  ov_fold_in in[3];
  uint32_t n = 1 + pick_below(c, 3);
  ov_op *ops = ov_arena_array(&x->a, n, sizeof *ops);
  FUZZ_MUST(ops);
  ov_name record = some_name(x);
  for (uint32_t i = 0; i < n; i++) {
    ops[i] = (ov_op){.name = i ? some_name(x) : record,
                     .record = record,
                     .creates = i == 0,
                     .kind = kinds[pick_below(c, 8)],
                     .version = 1,
                     .scope = pick_below(c, 4),
                     .has_participant = pick_u8(c) & 1,
                     .participant = x->h->participant,
                     .device_time = 1760000000};
    ops[i].fields = fuzz_fields(c, &x->a, 5, &ops[i].n_fields);
    in[i] = (ov_fold_in){.op = &ops[i],
                         .verdict = pick_below(c, 5) ? OV_APPLIED : OV_HELD,
                         .reason = OV_HELD_RANGE,
                         .server_time = 1760000100};
    if (ov_op_validate(&ops[i])) return false;
  }
  return !ov_fold(in, n, &x->a, out);
}

static void delta(victim *x) {
  choices *c = x->c;
  const oc_self *self = &x->h->t.s->self;
  ov_delta_rec recs[4];
  ov_name gone[3];
  oc_cursor_row cursor = {0};
  oc_txn *t = NULL;
  ov_delta m = {.scope = pick_below(c, 4),
                .more = pick_u8(c) & 1,
                .time = x->h->w.fx.now_ms / 1000,
                .records = recs,
                .gone = gone};
  FX_OK(oc_txn_begin(x->h->t.s->db, false, &t));
  if (!oc_cursor_get(t, m.scope, &cursor) && pick_u8(c) % 4) m.from = cursor.c.pos;
  oc_txn_abort(t);
  m.to = m.from + pick_below(c, 6);
  memset(m.hash, pick_u8(c), sizeof m.hash);
  for (uint32_t k = pick_below(c, 5); k > 0; k--) {
    if (!some_record(x, &recs[m.n_records].rec)) continue;
    if (m.n_records && ov_name_equal(&recs[m.n_records - 1].rec.name, &recs[m.n_records].rec.name)) continue;
    recs[m.n_records++].changed = m.time - pick_u8(c);
  }
  for (m.n_gone = 0; m.n_gone < pick_below(c, 3); m.n_gone++) gone[m.n_gone] = some_name(x);
  ov_rows_ctx ctx = {.named = true, .writer = self->server, .server = self->server};
  ov_buf_reset(&x->plain);
  if (!ov_delta_encode(&ctx, &m, &x->a, &x->plain)) feed_plain(x);
}

static void error(victim *x) {
  static const int errs[] = {OV_E_GAP,       OV_E_BRANCH,  OV_E_OP_FORMAT, OV_E_OP_LIMIT,
                             OV_E_NEED_KEYS, OV_E_BUSY,    OV_E_FULL,      OV_E_READONLY,
                             OV_E_AUTH,      OV_E_REVOKED, OV_E_FOREIGN,   OV_E_VERSION};
  choices *c = x->c;
  ov_head tips[4];
  ov_rung ladder[6];
  ov_name names[2];
  ov_error m = {.err = errs[pick_below(c, 12)],
                .seq = pick_below(c, 8),
                .retry_s = pick_u8(c),
                .text = "nee",
                .text_len = 3,
                .tips = tips,
                .ladder = ladder,
                .names = names,
                .n_names = pick_below(c, 3)};
  m.n_tips = some_heads(x, tips, ladder, &m.n_ladder);
  for (uint32_t i = 0; i < m.n_names; i++) names[i] = some_name(x);
  ov_buf_reset(&x->plain);
  ov_error_encode(&m, &x->plain);
  feed_plain(x);
}

static void small(victim *x) {
  ov_buf_reset(&x->plain);
  ov_challenge ch = {.time_ms = some_time_ms(x)};
  ov_bye bye = {.reason = pick_u8(x->c) & 1 ? OV_E_SHUTDOWN : 0, .retry_s = pick_u8(x->c)};
  switch (pick_below(x->c, 3)) {
  case 0: ov_synced_encode(&x->plain); break;
  case 1: ov_challenge_encode(&ch, &x->plain); break;
  default: ov_bye_encode(&bye, &x->plain);
  }
  feed_plain(x);
}

/* -- own entries
 * ---------------------------------------------------------------------------------------------- */

/* The API may refuse (a hostile schema, a participant gone); what it took is in the log. */
static void write_entry(victim *x) {
  oc_error e;
  char id[OC_ID_TEXT], text[OV_NAME_TEXT_MAX];
  oc_store *s = x->h->t.s;
  oc_draft *d = oc_draft_new(s, "sleep");
  if (!d) return;
  ov_name_text(&x->h->participant, text);
  bool set = !oc_draft_participant(d, text, &e) && !oc_draft_set(d, "night_date", "2025-10-05", &e);
  if (set && !oc_add(s, d, id, &e)) x->written++;
  oc_draft_free(d);
}

static void step(victim *x) {
  choices *c = x->c;
  size_t n;
  const uint8_t *p;
  switch (pick_below(c, 12)) {
  case 0: start(x); break;
  case 1:
  case 2: welcome(x); break;
  case 3:
  case 4: ack(x); break;
  case 5:
  case 6: delta(x); break;
  case 7: error(x); break;
  case 8: small(x); break;
  case 9:
    (void)fuzz_message(c, &x->plain);
    feed_plain(x);
    break;
  case 10: write_entry(x); break;
  default:
    p = pick_bytes(c, 255, &n);
    ov_buf_reset(&x->frame);
    ov_buf_put(&x->frame, p, n);
    feed(x);
  }
  ov_arena_reset(&x->a);
}

static uint64_t own_ops(fuzz_home *h) {
  oc_writer_row w;
  oc_txn *t = NULL;
  uint64_t n = 0;
  ov_id last;
  FX_OK(oc_txn_begin(h->t.s->db, false, &t));
  for (int more = oc_writer_next(t, NULL, &w); !more; more = oc_writer_next(t, &last, &w)) {
    FUZZ_MUST(w.acked <= w.last);
    n += w.last;
    last = w.writer;
  }
  oc_txn_abort(t);
  return n;
}

static void log_is_whole(victim *x) {
  oc_error e;
  FUZZ_MUST(own_ops(x->h) == x->written);
  if (oc_verify(x->h->t.s, &e)) fuzz_die(__FILE__, __LINE__, e.message);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  static ov_packer *packer;
  choices c = {p, n};
  if (!packer) packer = ov_packer_new();
  victim x = {.h = fuzz_home_fresh(), .c = &c, .packer = packer};
  ov_buf *bufs[] = {&x.plain, &x.frame, &x.signed_bytes};
  for (unsigned i = 0; i < 3; i++) ov_buf_init(bufs[i], 0);
  ov_arena_init(&x.a, 4 * OV_DECODE_ARENA_BYTES_MAX);
  x.written = own_ops(x.h);
  start(&x);
  for (unsigned i = 0; i < STEPS_MAX && pick_more(&c); i++) step(&x);
  oc_session_free(x.cs);
  log_is_whole(&x);
  tablet_reopen(&x.h->t);
  tablet_sync_ok(&x.h->t);
  log_is_whole(&x);
  fuzz_home_tablet_arrived(x.h);
  fuzz_home_unharmed(x.h);
  for (unsigned i = 0; i < 3; i++) ov_buf_free(bufs[i]);
  ov_arena_free(&x.a);
  return 0;
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  /* a welcome that agrees, an ACK for all, a DELTA, SYNCED; an older server; a refusal; a fork */
  static const uint8_t stories[][60] = {
      {0, 1, 0, 0, 0, 0, 9, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 4, 5, 2, 0, 1, 1, 2, 1, 1, 1, 0, 1, 8, 0},
      {1, 1, 0, 0, 1, 0, 9, 1, 1, 0, 0, 0, 3, 2, 0, 1, 1, 0, 1, 0, 8, 0},
      {0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 3, 2, 0, 1, 1, 0, 1, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 4, 10, 8, 0},
      {0, 1, 0, 0, 2, 0, 9, 2, 5, 1, 3, 4, 1, 9, 2, 3, 0, 7, 1, 2, 3, 2, 1, 1, 7, 10, 8, 0}};
  for (unsigned i = 0; i < sizeof stories / sizeof *stories; i++) add(ctx, stories[i], sizeof stories[i]);
  uint8_t b[160];
  uint64_t s = 11;
  for (unsigned k = 0; k < 24; k++) {
    for (unsigned i = 0; i < sizeof b; i++) {
      s = s * 6364136223846793005u + 1442695040888963407u;
      b[i] = (uint8_t)((s >> 33) % (i % 3 ? 12 : 255));
    }
    add(ctx, b, sizeof b);
  }
}
