/* An op's header (first byte even) or payload: a canonical encoding has one form, a refused one says why, and
 * a struct that passes the check encodes to what decodes. */
#include <string.h>

#include "fuzz.h"

static void header(const uint8_t *p, size_t n, ov_buf *out) {
  ov_op op = {.name = {.seq = 1}};
  int err = ov_op_header_decode(p, n, &op);
  FUZZ_MUST(!err || err == OV_E_OP_FORMAT || err == OV_E_OP_LIMIT);
  if (err) return;
  op.header_bytes = NULL;
  if (op.creates) op.record = op.name;
  FUZZ_MUST(!ov_op_validate(&op));
  ov_op_header_encode(&op, out);
  FUZZ_MUST(out->n == n && !memcmp(out->p, p, n));
}

static void payload(const uint8_t *p, size_t n, ov_arena *a, ov_buf *out) {
  ov_op op = {.name = {.seq = 1}, .kind = 1, .creates = true, .record = {.seq = 1}};
  int err = ov_op_payload_decode(p, n, a, &op);
  FUZZ_MUST(!err || err == OV_E_OP_FORMAT || err == OV_E_OP_LIMIT);
  FUZZ_MUST(op.payload_err == err && op.payload_bytes == p && (!err || op.n_fields == 0));
  if (err) return;
  op.payload_bytes = NULL;
  FUZZ_MUST(!ov_op_validate(&op));
  ov_op_payload_encode(&op, out);
  FUZZ_MUST(out->n == n && !memcmp(out->p, p, n));
  ov_op *copy = ov_op_dup(&op, a);
  FUZZ_MUST(copy);
  for (uint32_t i = 0; i < op.n_fields; i++) FUZZ_MUST(ov_value_equal(&op.fields[i].v, &copy->fields[i].v));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  ov_arena a;
  ov_buf out;
  if (!n) return 0;
  ov_arena_init(&a, 4 * OV_DECODE_ARENA_BYTES_MAX);
  ov_buf_init(&out, 0);
  if (p[0] & 1) payload(p + 1, n - 1, &a, &out);
  else header(p + 1, n - 1, &out);
  ov_buf_free(&out);
  ov_arena_free(&a);
  return 0;
}

typedef struct sink {
  void (*add)(void *ctx, const void *p, size_t n);
  void *ctx;
  uint8_t kind;
} sink;

static void each(void *ctx, const char *what, const uint8_t *p, size_t n) {
  static uint8_t b[OV_PAYLOAD_BYTES_MAX + 1024];
  sink *s = ctx;
  bool is_payload = s->kind == 2 ? !strcmp(what, "payload") : s->kind;
  if (n >= sizeof b || (s->kind == 2 && !is_payload && strcmp(what, "header"))) return;
  b[0] = is_payload;
  memcpy(b + 1, p, n);
  s->add(s->ctx, b, n + 1);
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  fuzz_vectors("ops.json", "header", each, &(sink){add, ctx, 0});
  fuzz_vectors("ops.json", "payload", each, &(sink){add, ctx, 1});
  fuzz_vectors("refused.json", "hex", each, &(sink){add, ctx, 2});
}
