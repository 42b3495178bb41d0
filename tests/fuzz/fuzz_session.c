/* A server's session under hostile frames, on a real store. The input is a row of steps: connect, greet
 * (truthfully or not), push real or broken ops, prove, send edited samples or any bytes, let time pass, clone
 * the log. Whatever was acknowledged is there afterwards, byte for byte, the server's books are right, and a
 * good tablet syncs. */
#include <string.h>

#include "fuzz_home.h"

#define STEPS_MAX 24u

typedef struct attack {
  fuzz_home *h;
  fuzz_link link;
  choices *c;
  ov_buf plain, frame, signed_bytes, last;
  ov_packer *packer;
  int64_t hello_s; /* as the last HELLO said */
  ov_id rows_server;
  ov_hash hello_hash;
  uint8_t nonce[16]; /* of the last CHALLENGE */
  uint64_t pushed;   /* the log's ops up to here were pushed in this session */
} attack;

static void feed(attack *x) {
  if (!x->link.ss) FUZZ_MUST(fuzz_connect(&x->link, x->h));
  ov_buf_reset(&x->last);
  ov_buf_put(&x->last, x->frame.p, x->frame.n);
  sv_session_message(x->link.ss, x->frame.p, x->frame.n);
}

static void feed_plain(attack *x) {
  ov_buf_reset(&x->frame);
  FUZZ_MUST(!ov_frame_pack(x->packer, x->plain.p, x->plain.n, &x->frame));
  feed(x);
}

/* -- what the server says ---------------------------------------------------------------------------------
 * */

static void take_ack(attack *x, const ov_ack *ack) {
  fx_tablet *t = x->h->log;
  if (ack->up_to > t->n || memcmp(&t->heads[ack->up_to], &ack->head, sizeof ack->head))
    return; /* another branch's */
  ov_buf_reset(&x->signed_bytes);
  ov_signed_ack(&x->signed_bytes, &x->h->w.org->server, &x->h->w.org->id, &t->writer, ack->body,
                ack->body_len);
  FUZZ_MUST(
      !ov_p256_verify(NULL, x->h->w.org->server_pubkey, x->signed_bytes.p, x->signed_bytes.n, ack->sig));
  for (uint64_t i = 0; i < ack->up_to; i++) fuzz_home_acknowledged(x->h, t->ops[i]);
}

static void listen(attack *x) {
  ov_buf b, plain;
  ov_arena a;
  ov_msg m;
  ov_buf_init(&b, OV_WS_MESSAGE_BYTES_MAX);
  ov_buf_init(&plain, OV_FRAME_BYTES_MAX);
  ov_arena_init(&a, 4 * OV_DECODE_ARENA_BYTES_MAX);
  ov_rows_ctx ctx = {.named = true, .writer = x->h->w.org->server, .server = x->h->w.org->server};
  world_work(&x->h->w);
  for (unsigned k = 0; k < 200 && x->link.ss && sv_session_pull(x->link.ss, &b); k++) {
    FUZZ_MUST(!ov_frame_unpack(x->packer, b.p, b.n, OV_FRAME_BYTES_MAX,
                               &plain)); /* what a server sends always decodes */
    FUZZ_MUST(!ov_msg_decode(plain.p, plain.n, &ctx, &a, &m));
    if (m.type == OV_M_CHALLENGE) memcpy(x->nonce, m.challenge.nonce, sizeof x->nonce);
    if (m.type == OV_M_ACK) take_ack(x, &m.ack);
    ov_buf_reset(&b);
    ov_buf_reset(&plain);
    ov_arena_reset(&a);
  }
  ov_buf_free(&b);
  ov_buf_free(&plain);
  ov_arena_free(&a);
  if (x->link.close_asked) fuzz_disconnect(&x->link);
}

/* -- HELLO and PROOF ----------------------------------------------------------------------------------------
 * */

static void some_cursors(attack *x, ov_hello *m) {
  static ov_cursor cursors[OV_SCOPES_MAX];
  choices *c = x->c;
  m->cursors = cursors;
  uint32_t scope = 0;
  for (m->n_cursors = pick_below(c, 5); scope < 4 && m->n_cursors > scope; scope++) {
    cursors[scope] = (ov_cursor){.scope = scope, .pos = pick_below(c, 40)};
    memset(cursors[scope].hash, pick_u8(c), OV_POSHASH_BYTES);
  }
}

static void hello(attack *x) {
  choices *c = x->c;
  fx_tablet *t = x->h->log;
  uint8_t how = pick_u8(c), sig[OV_SIG_BYTES];
  uint32_t at = how & 1 ? pick_below(c, t->n + 2) : 3;
  ov_hello m = {.version_min = 1,
                .version_max = 1u + (how >> 6 & 1),
                .device = t->device.id,
                .writer = t->writer,
                .server = x->h->w.org->server,
                .own.seq = at,
                .time_ms = x->h->w.fx.now_ms,
                .wants = how & 2 ? OV_WANTS_LIVE : OV_WANTS_ONCE,
                .credit = pick_u8(c),
                .frame_bytes = 4096,
                .push_follows = how >> 2 & 1};
  m.own.head = t->heads[at <= t->n ? at : 0];
  if (how & 8) m.time_ms += pick_int(c) % (OV_TIME_S_MAX / 1000) * 1000; /* challenged when it is far off */
  if (how & 16) some_cursors(x, &m);
  if (how & 32 && pick_u8(c) & 1) memset(&m.server, 0, sizeof m.server);
  if (how & 128) m.writer.b[0] ^= pick_u8(c);
  for (unsigned i = 0; i < sizeof m.nonce; i++)
    m.nonce[i] = (uint8_t)((uint64_t)x->h->w.fx.now_ms >> i % 8 ^ c->n);
  ov_buf_reset(&x->frame);
  ov_hello_body(&m, &x->frame);
  FX_OK(ov_sha256(x->h->w.fx.hasher, x->frame.p, x->frame.n, &x->hello_hash));
  ov_buf_reset(&x->signed_bytes);
  ov_signed_hello(&x->signed_bytes, WORLD_HOST, x->frame.p, x->frame.n);
  FX_OK(ov_p256_sign(t->key, x->signed_bytes.p, x->signed_bytes.n, sig));
  ov_buf_reset(&x->plain);
  ov_hello_encode(x->frame.p, x->frame.n, sig, &x->plain);
  x->hello_s = m.time_ms / 1000;
  x->rows_server = m.server;
  x->pushed = at;
  feed_plain(x);
}

static void proof(attack *x) {
  ov_proof m;
  if (pick_u8(x->c) & 1) listen(x);
  ov_buf_reset(&x->signed_bytes);
  ov_signed_proof(&x->signed_bytes, WORLD_HOST, x->nonce, &x->hello_hash);
  FX_OK(ov_p256_sign(x->h->log->key, x->signed_bytes.p, x->signed_bytes.n, m.sig));
  m.sig[5] ^= pick_below(x->c, 8) == 1;
  ov_buf_reset(&x->plain);
  ov_proof_encode(&m, &x->plain);
  feed_plain(x);
}

/* -- ops and PUSH
 * -------------------------------------------------------------------------------------------- */

static ov_name some_name(attack *x) {
  fx_tablet *t = x->h->log;
  switch (pick_below(x->c, 5)) {
  case 0: return x->h->participant;
  case 1: return x->h->stranger;
  case 2: return (ov_name){.writer = {{4, 4}}, .seq = 1 + pick_below(x->c, 3), .tag = {5}};
  default: return t->ops[pick_below(x->c, t->n)]->name;
  }
}

static void set_target(attack *x, ov_op *op) {
  const fuzz_home *h = x->h;
  op->creates = pick_u8(x->c) % 3 != 0;
  if (!op->creates) op->record = some_name(x);
  uint32_t about = pick_below(x->c, 4);
  op->has_participant = about < 3;
  op->participant = about == 2 ? h->stranger : h->participant;
  if (op->kind != OV_KIND_PARTICIPANT || op->creates) return;
  op->record = op->participant = h->participant; /* whose key this log has */
  op->has_participant = true;
}

static void add_op(attack *x) {
  static const uint16_t kinds[] = {20,
                                   20,
                                   20,
                                   21,
                                   30,
                                   OV_KIND_PARTICIPANT,
                                   OV_KIND_DEVICE,
                                   OV_KIND_TEAM,
                                   OV_KIND_ORGANISATION,
                                   OV_KIND_PERSON,
                                   OV_KIND_RULING,
                                   OV_KIND_SCHEMA,
                                   999};
  static const uint32_t scopes[] = {2, 2, 2, 1, 0, 9};
  fx_tablet *t = x->h->log;
  choices *c = x->c;
  size_t n;
  if (t->n >= 40) return;
  ov_op op = {.kind = kinds[pick_below(c, sizeof kinds / sizeof *kinds)],
              .version = (uint16_t)pick_below(c, 3),
              .scope = scopes[pick_below(c, 6)]};
  if (op.scope == 2) op.scope = x->h->team;
  set_target(x, &op);
  op.device_time = x->h->w.fx.now_ms / 1000 - pick_below(c, 256);
  uint8_t how = pick_u8(c);
  if (how == 1) {
    const uint8_t *p = pick_bytes(c, 120, &n);
    op.has_author = true;
    op.author = x->h->person;
    fx_add_raw(t, op, p, (uint32_t)n);
    return;
  }
  op.fields = fuzz_fields(c, &x->h->w.fx.arena, 6, &op.n_fields);
  ov_name replaces = some_name(x);
  if (how & 2) {
    op.replaces = &replaces;
    op.n_replaces = 1;
  }
  ov_op check = op;
  check.name = (ov_name){.writer = t->writer, .seq = t->n + 1, .tag = {1}};
  if (check.creates) check.record = check.name;
  if (!ov_op_validate(&check)) fx_add(t, op);
}

static void push(attack *x) {
  fx_tablet *t = x->h->log;
  choices *c = x->c;
  uint8_t how = pick_u8(c);
  for (unsigned k = pick_below(c, 4); k > 0; k--) add_op(x);
  uint64_t from = x->pushed + 1, to = t->n;
  if (how & 1) from = 1 + pick_below(c, t->n + 1);
  if (from > to + 1 || from + 30 < to) from = to + 1;
  ov_rows_ctx ctx = {
      .writer = t->writer, .first_seq = from, .server = x->rows_server, .base_time = x->hello_s};
  ov_op ops[40];
  ov_buf rows;
  ov_buf_init(&rows, 0);
  uint32_t n = (uint32_t)(to + 1 - from);
  for (uint32_t i = 0; i < n; i++) ops[i] = *t->ops[from - 1 + i];
  if (!ov_rows_encode(&ctx, ops, n, &rows)) {
    ov_push m = {.first_seq = from,
                 .rows = rows.p,
                 .rows_len = rows.n,
                 .more = how >> 1 & 1,
                 .has_prev = how >> 2 & 1,
                 .prev = t->heads[from - 1]};
    if (how & 8) m.first_seq = 1 + (uint64_t)pick_int(c) % OV_SEQ_MAX;
    if (how & 16) m.prev.b[0] ^= pick_u8(c);
    if (how & 32) m.keys = t->keys;
    if (how & 32) m.n_keys = t->n_keys;
    if (how & 64 && rows.n) rows.p[pick_u16(c) % rows.n] ^= pick_u8(c);
    ov_buf_reset(&x->signed_bytes);
    ov_signed_push(&x->signed_bytes, &t->org->id, &t->device.id, &t->writer, to, &t->heads[to]);
    FX_OK(ov_p256_sign(t->key, x->signed_bytes.p, x->signed_bytes.n, m.sig));
    if (how & 128) m.sig[0] ^= pick_u8(c);
    ov_buf_reset(&x->plain);
    ov_push_encode(&m, &x->plain);
    if (!x->plain.err) feed_plain(x);
    x->pushed = to;
  }
  ov_buf_free(&rows);
}

/* A cloned image: the log goes on from an earlier place. The ops that are dropped here stay on the server. */
static void fork_log(attack *x) {
  fx_tablet *t = x->h->log;
  uint32_t keep = 3 + pick_below(x->c, t->n - 2);
  if (keep < t->n) t->n = keep;
  if (x->pushed > t->n) x->pushed = t->n;
}

static void step(attack *x) {
  choices *c = x->c;
  size_t n;
  const uint8_t *p;
  switch (pick_below(c, 12)) {
  case 0: fuzz_disconnect(&x->link); break;
  case 1: hello(x); break;
  case 2:
  case 3:
  case 4: push(x); break;
  case 5: proof(x); break;
  case 6:
    (void)fuzz_message(c, &x->plain);
    feed_plain(x);
    break;
  case 7:
    p = pick_bytes(c, 255, &n);
    ov_buf_reset(&x->frame);
    ov_buf_put(&x->frame, p, n);
    feed(x);
    break;
  case 8: listen(x); break;
  case 9:
    x->h->w.fx.now_ms += 1000 * pick_u8(c);
    sv_server_tick(x->h->w.server);
    break;
  case 10: fork_log(x); break;
  default:
    if (x->link.ss && x->last.n) sv_session_message(x->link.ss, x->last.p, x->last.n); /* once more */
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  static ov_packer *packer;
  choices c = {p, n};
  if (!packer) packer = ov_packer_new();
  attack x = {.h = fuzz_home_fresh(), .c = &c, .packer = packer};
  ov_buf *bufs[] = {&x.plain, &x.frame, &x.signed_bytes, &x.last};
  for (unsigned i = 0; i < 4; i++) ov_buf_init(bufs[i], 0);
  FUZZ_MUST(fuzz_connect(&x.link, x.h));
  for (unsigned i = 0; i < STEPS_MAX && pick_more(&c); i++) step(&x);
  if (x.link.ss) listen(&x);
  fuzz_disconnect(&x.link);
  fuzz_home_unharmed(x.h);
  tablet_sync_ok(&x.h->t);
  fuzz_home_tablet_arrived(x.h);
  for (unsigned i = 0; i < 4; i++) ov_buf_free(bufs[i]);
  return 0;
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  /* greet, push three ops in one or two pushes, listen; with a challenge; with a fork; replayed; live */
  static const uint8_t greet[] = {1, 4, 64}, greet_live[] = {1, 6, 0}, greet_off[] = {1, 8, 64, 249, 0, 0};
  static const uint8_t op[] = {2, 0, 1, 0, 0, 0, 1, 0, 50, 0, 3, 1, 3, 7, 0, 3, 1, 0, 3, 2};
  static const uint8_t hear[] = {8}, prove[] = {5, 1, 0}, fork_[] = {10, 0}, again[] = {11}, bye[] = {0},
                       wait[] = {9, 30};
  static const struct {
    const uint8_t *p;
    size_t n;
  } parts[] = {{greet, sizeof greet},
               {greet_live, sizeof greet_live},
               {greet_off, sizeof greet_off},
               {op, sizeof op},
               {hear, 1},
               {prove, sizeof prove},
               {fork_, sizeof fork_},
               {again, 1},
               {bye, 1},
               {wait, sizeof wait}};
  static const uint8_t stories[][10] = {{0, 3, 4, 3, 4, 255},    {1, 3, 4, 9, 3, 4, 255},
                                        {2, 3, 4, 5, 4, 255},    {0, 3, 4, 8, 6, 0, 3, 4, 255},
                                        {0, 3, 7, 4, 7, 4, 255}, {0, 4, 3, 3, 3, 3, 4, 3, 255}};
  for (unsigned i = 0; i < sizeof stories / sizeof *stories; i++) {
    uint8_t b[300];
    size_t n = 0;
    for (unsigned k = 0; k < 10 && stories[i][k] != 255; k++) {
      memcpy(b + n, parts[stories[i][k]].p, parts[stories[i][k]].n);
      n += parts[stories[i][k]].n;
    }
    add(ctx, b, n);
  }
}
