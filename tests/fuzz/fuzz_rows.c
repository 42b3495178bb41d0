/* Rows. First byte: 0 and 1 hostile bytes as PUSH and as DELTA rows, 2 and 3 ops made of the choices that
 * follow, which must come back as they were. */
#include <string.h>

#include "fuzz.h"

#define OPS_MAX 24u

static const ov_rows_ctx base = {.writer = {{1}}, .server = {{2}}, .first_seq = 41, .base_time = 1763800000};

static void hostile(bool named, const uint8_t *p, size_t n, ov_arena *a) {
  ov_rows_ctx c = base;
  ov_op *ops;
  size_t n_ops;
  ov_record r;
  c.named = named;
  int err = ov_rows_decode(&c, p, n, a, &ops, &n_ops);
  FUZZ_MUST(!err || err == OV_E_FORMAT || err == OV_E_LIMIT || err == OV_E_NOMEM);
  if (err) return;
  for (size_t i = 0; i < n_ops; i++) {
    if (!named) ops[i].name.tag[0] = (uint8_t)(i + 1);
    if (ov_rows_resolve(&c, ops, i)) return;
    FUZZ_MUST(ops[i].payload_err || !ov_op_validate(&ops[i]));
  }
  if (named && n_ops) (void)ov_record_from_rows(ops, n_ops, a, &r);
}

static ov_name some_name(choices *c, const ov_op *ops, size_t i, bool named) {
  static const uint8_t writers[] = {1, 2, 7, 8};
  uint32_t what = pick_below(c, 8);
  if (what < 4 && i) return ops[pick_below(c, (uint32_t)i)].name; /* an op of the same push */
  ov_name n = {.writer = {{writers[pick_below(c, 4)]}}, .seq = 1 + pick_below(c, named ? 200 : 40)};
  for (unsigned k = 0; k < OV_TAG_BYTES; k++) n.tag[k] = (uint8_t)(n.seq * 31 + k + 1);
  return n;
}

static void some_replaces(choices *c, ov_op *ops, size_t i, bool named, ov_arena *a) {
  ov_op *op = &ops[i];
  op->replaces = ov_arena_array(a, 9, sizeof *op->replaces);
  FUZZ_MUST(op->replaces);
  for (uint32_t k = pick_below(c, 8); k > 0; k--) {
    ov_name n = some_name(c, ops, i, named);
    uint32_t at = 0;
    while (at < op->n_replaces && ov_name_compare(&op->replaces[at], &n) < 0) at++;
    if (at < op->n_replaces && ov_name_equal(&op->replaces[at], &n)) continue;
    memmove(&op->replaces[at + 1], &op->replaces[at], (op->n_replaces - at) * sizeof n);
    op->replaces[at] = n;
    op->n_replaces++;
  }
}

static void verbatim(choices *c, ov_op *op) {
  size_t n;
  op->payload_bytes = pick_bytes(c, 200, &n);
  op->payload_len = (uint32_t)n;
  op->n_fields = op->n_replaces = 0;
}

static void void_op(choices *c, ov_op *op) {
  ov_name name = op->name;
  *op = (ov_op){.name = name, .is_void = true, .has_commitment = true};
  op->header_hash.b[0] = pick_u8(c);
  op->commitment.b[3] = pick_u8(c);
}

static void some_op(choices *c, ov_op *ops, size_t i, bool named, ov_arena *a) {
  ov_op *op = &ops[i];
  *op = (ov_op){.scope = pick_below(c, 8) ? pick_below(c, 4) : (uint32_t)pick_int(c),
                .kind = (uint16_t)(1 + pick_below(c, 40)),
                .version = (uint16_t)pick_below(c, 3),
                .device_time = base.base_time - pick_below(c, 4000)};
  op->name = (ov_name){.writer = {{1}}, .seq = 41 + i, .tag = {(uint8_t)(i + 1), (uint8_t)(i >> 8), 9, 9}};
  op->creates = pick_u8(c) & 1;
  op->record = op->creates ? op->name : some_name(c, ops, i, named);
  op->has_participant = pick_u8(c) & 1;
  if (op->has_participant) op->participant = some_name(c, ops, i, named);
  op->has_author = pick_u8(c) & 1;
  if (op->has_author) op->author = some_name(c, ops, i, named);
  if (pick_below(c, 8) == 0) op->device_time = pick_int(c) % OV_TIME_S_MAX;
  op->fields = fuzz_fields(c, a, 9, &op->n_fields);
  some_replaces(c, ops, i, named, a);
  uint32_t odd = pick_below(c, 16);
  if (odd == 1 && !named) verbatim(c, op);
  if (odd == 2) void_op(c, op);
}

static void parts(const ov_op *op, ov_buf *out) {
  ov_buf_reset(out);
  if (op->is_void) {
    ov_buf_put(out, op->header_hash.b, OV_HASH_BYTES);
    ov_buf_put(out, op->commitment.b, OV_HASH_BYTES);
    return;
  }
  ov_op_header_encode(op, out);
  ov_op_payload_encode(op, out);
}

static void made(bool named, choices *c, ov_arena *a) {
  ov_rows_ctx ctx = base;
  ov_op ops[OPS_MAX], *back;
  size_t n = 1 + pick_below(c, OPS_MAX), n_back;
  ov_buf rows, x, y;
  ctx.named = named;
  ov_buf_init(&rows, 0);
  ov_buf_init(&x, 0);
  ov_buf_init(&y, 0);
  for (size_t i = 0; i < n; i++) some_op(c, ops, i, named, a);
  bool fine = true;
  for (size_t i = 0; i < n; i++) fine &= ops[i].payload_bytes || !ov_op_validate(&ops[i]);
  if (fine && !ov_rows_encode(&ctx, ops, n, &rows)) {
    FUZZ_MUST(!ov_rows_decode(&ctx, rows.p, rows.n, a, &back, &n_back) && n_back == n);
    for (size_t i = 0; i < n; i++) {
      if (!named) memcpy(back[i].name.tag, ops[i].name.tag, OV_TAG_BYTES); /* as chaining does */
      FUZZ_MUST(!ov_rows_resolve(&ctx, back, i));
      FUZZ_MUST(ov_name_equal(&back[i].name, &ops[i].name) && back[i].is_void == ops[i].is_void);
      parts(&ops[i], &x);
      parts(&back[i], &y);
      FUZZ_MUST(x.n == y.n && !memcmp(x.p, y.p, x.n));
    }
  }
  ov_buf_free(&rows);
  ov_buf_free(&x);
  ov_buf_free(&y);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  ov_arena a;
  if (!n || n > OV_FRAME_BYTES_MAX) return 0;
  ov_arena_init(&a, 4 * OV_DECODE_ARENA_BYTES_MAX);
  choices c = {p + 1, n - 1};
  if ((p[0] & 3) < 2) hostile(p[0] & 1, p + 1, n - 1, &a);
  else made(p[0] & 1, &c, &a);
  ov_arena_free(&a);
  return 0;
}

typedef struct sink {
  void (*add)(void *ctx, const void *p, size_t n);
  void *ctx;
} sink;

static void each(void *ctx, const char *name, const uint8_t *p, size_t n) {
  static uint8_t b[16384];
  sink *s = ctx;
  if (n >= sizeof b) return;
  b[0] = strncmp(name, "PUSH", 4) != 0;
  memcpy(b + 1, p, n);
  s->add(s->ctx, b, n + 1);
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  uint8_t b[400];
  fuzz_vectors("rows.json", "hex", each, &(sink){add, ctx});
  for (unsigned s = 0; s < 12; s++) {
    b[0] = (uint8_t)(2 + (s & 1));
    for (unsigned i = 1; i < sizeof b; i++) b[i] = (uint8_t)((i * i * (2 * s + 3) + 7 * i) >> (s % 5));
    add(ctx, b, sizeof b);
  }
}
