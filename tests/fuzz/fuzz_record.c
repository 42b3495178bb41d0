/* A record's canonical encoding: one form only; and what decodes goes through the rows of a DELTA and comes
 * back, and takes questions. */
#include <string.h>

#include "fuzz.h"

static void same(const ov_record *r, const uint8_t *p, size_t n, ov_buf *out) {
  ov_buf_reset(out);
  ov_record_encode(r, out);
  FUZZ_MUST(!out->err && out->n == n && !memcmp(out->p, p, n));
}

/* There and back as a DELTA carries it. */
static void through_rows(const ov_record *r, ov_arena *a, const uint8_t *p, size_t n, ov_buf *out) {
  ov_op *rows;
  size_t n_rows;
  ov_record back;
  int err = ov_record_to_rows(r, a, &rows, &n_rows);
  if (err) return; /* more than a fold gives: no DELTA carries it */
  uint8_t *flags = ov_arena_alloc(a, r->n_ops + 1u);
  FUZZ_MUST(flags);
  for (uint32_t i = 0; i < r->n_ops; i++) flags[i] = r->ops[i].flags;
  if (ov_record_from_rows(rows, n_rows, a, &back)) return;
  if (ov_record_put_beside(&back, !r->created, flags, r->n_ops, r->held, r->n_held, r->seen, r->n_seen))
    return;
  if (r->version == back.version) same(&back, p, n, out);
}

static void questions(const ov_record *r, ov_arena *a) {
  ov_name *names;
  uint32_t n, conflicts = 0, fields = 0;
  for (uint32_t i = 0; i < r->n_live; i++) {
    uint16_t f = r->live[i].field;
    FUZZ_MUST(ov_record_field(r, f, &n) && n);
    FUZZ_MUST(!ov_record_replaces(r, f, a, &names, &n) && n && n <= OV_OP_REPLACES_MAX);
    for (uint32_t k = 1; k < n; k++) FUZZ_MUST(ov_name_compare(&names[k - 1], &names[k]) < 0);
    if (i && r->live[i - 1].field == f) continue;
    fields++;
    conflicts += ov_record_field_conflict(r, f);
  }
  FUZZ_MUST((conflicts > 0) == (ov_record_conflicts(r) > 0));
  FUZZ_MUST(!ov_record_seen_all(r, a, &names, &n) && (n > 0) == (fields > 0));
  (void)ov_record_retracted(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  ov_arena a;
  ov_buf out;
  ov_record r;
  ov_arena_init(&a, 64u << 20);
  ov_buf_init(&out, 0);
  int err = ov_record_decode(p, n, &a, &r);
  FUZZ_MUST(!err || err == OV_E_FORMAT || err == OV_E_LIMIT);
  if (!err) {
    same(&r, p, n, &out);
    questions(&r, &a);
    through_rows(&r, &a, p, n, &out);
  }
  ov_buf_free(&out);
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

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  fuzz_vectors("folds.json", "encoded", each, &(sink){add, ctx});
}
