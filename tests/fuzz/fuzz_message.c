/* A plain message. What decodes is encoded again, and that decodes to the same bytes. */
#include <string.h>

#include "fuzz.h"

static const ov_rows_ctx rows_ctx = {.named = true, .writer = {{2}}, .server = {{2}}};

static void encode(const ov_msg *m, ov_arena *a, ov_buf *out) {
  switch (m->type) {
  case OV_M_ENROL: ov_enrol_encode(&m->enrol, out); break;
  case OV_M_ENROLLED: ov_enrolled_encode(&m->enrolled, out); break;
  case OV_M_HELLO: ov_hello_encode(m->hello.body, m->hello.body_len, m->hello.sig, out); break;
  case OV_M_WELCOME: ov_welcome_encode(&m->welcome, out); break;
  case OV_M_CHALLENGE: ov_challenge_encode(&m->challenge, out); break;
  case OV_M_PROOF: ov_proof_encode(&m->proof, out); break;
  case OV_M_PUSH: ov_push_encode(&m->push, out); break;
  case OV_M_ACK: ov_ack_encode(m->ack.body, m->ack.body_len, m->ack.sig, out); break;
  case OV_M_DELTA: FUZZ_MUST(!ov_delta_encode(&rows_ctx, &m->delta, a, out)); break;
  case OV_M_ACKED: ov_acked_encode(&m->acked, out); break;
  case OV_M_BYE: ov_bye_encode(&m->bye, out); break;
  case OV_M_ERROR: ov_error_encode(&m->error, out); break;
  default: ov_synced_encode(out);
  }
  FUZZ_MUST(!out->err);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  ov_arena a;
  ov_buf once, twice;
  ov_msg m, again;
  ov_arena_init(&a, 4 * OV_DECODE_ARENA_BYTES_MAX);
  ov_buf_init(&once, 0);
  ov_buf_init(&twice, 0);
  int err = n <= OV_FRAME_BYTES_MAX ? ov_msg_decode(p, n, &rows_ctx, &a, &m) : OV_E_LIMIT;
  FUZZ_MUST(err <= 0 && err != OV_E_INTERNAL);
  if (!err) {
    encode(&m, &a, &once);
    FUZZ_MUST(!ov_msg_decode(once.p, once.n, &rows_ctx, &a, &again));
    encode(&again, &a, &twice);
    FUZZ_MUST(once.n == twice.n && !memcmp(once.p, twice.p, once.n));
  }
  ov_buf_free(&once);
  ov_buf_free(&twice);
  ov_arena_free(&a);
  return 0;
}

typedef struct sink {
  void (*add)(void *ctx, const void *p, size_t n);
  void *ctx;
} sink;

static void each(void *ctx, const char *what, const uint8_t *p, size_t n) {
  sink *s = ctx;
  (void)what;
  s->add(s->ctx, p, n);
}

static void each_refused(void *ctx, const char *what, const uint8_t *p, size_t n) {
  if (!strcmp(what, "message")) each(ctx, what, p, n);
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  sink s = {add, ctx};
  fuzz_vectors("messages.json", "plain", each, &s);
  fuzz_vectors("refused.json", "hex", each_refused, &s);
}
