/* A frame: unpacking is bounded whatever it claims, and what was unpacked packs and unpacks again. */
#include <string.h>

#include "fuzz.h"

#define SMALL 300u

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  static ov_packer *packer;
  ov_buf out, small, frame, again;
  if (!packer) packer = ov_packer_new();
  FUZZ_MUST(packer);
  ov_buf_init(&out, 0);
  ov_buf_init(&small, 0);
  ov_buf_init(&frame, 0);
  ov_buf_init(&again, 0);
  int err = ov_frame_unpack(packer, p, n, OV_FRAME_BYTES_MAX, &out);
  FUZZ_MUST(out.n <= OV_FRAME_BYTES_MAX && out.cap <= 4 * OV_FRAME_BYTES_MAX);
  int err_small = ov_frame_unpack(packer, p, n, SMALL, &small);
  FUZZ_MUST(small.n <= SMALL);
  FUZZ_MUST(err || (err_small == 0) == (out.n <= SMALL));
  if (!err) {
    FUZZ_MUST(!ov_frame_pack(packer, out.p, out.n, &frame) && frame.n <= out.n + 1);
    FUZZ_MUST(!ov_frame_unpack(packer, frame.p, frame.n, out.n, &again));
    FUZZ_MUST(again.n == out.n && (!out.n || !memcmp(again.p, out.p, out.n)));
  }
  ov_buf_free(&out);
  ov_buf_free(&small);
  ov_buf_free(&frame);
  ov_buf_free(&again);
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
  if (!strcmp(what, "frame")) each(ctx, what, p, n);
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  sink s = {add, ctx};
  fuzz_vectors("messages.json", "frame", each, &s);
  fuzz_vectors("refused.json", "hex", each_refused, &s);
}
