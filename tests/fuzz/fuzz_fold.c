/* The fold against a stupid oracle, on a history made of the choices: any ops, verdicts, clocks and links,
 * circles and unknown names too. The order of delivery must not matter, and one op more must equal folding
 * all again where the contract says so. */
#include <string.h>

#include "fuzz.h"
#include "history.h"
#include "oracle.h"

#define OPS_MAX 12u

static ov_value some_value(choices *c) {
  switch (pick_below(c, 4)) {
  case 0: return ov_nil();
  case 1: return ov_text("tekst");
  default: return ov_int(pick_below(c, 2));
  }
}

static void some_set(history *h, choices *c, ov_op *op, uint16_t field) {
  history_set(h, op, field, (ov_value){.type = OV_V_SET});
  uint8_t bits = pick_u8(c);
  for (int64_t e = 1; e <= 3; e++, bits = (uint8_t)(bits >> 2)) {
    if ((bits & 3) == 1) history_add(h, op, field, e);
    if ((bits & 3) == 2) history_del(h, op, field, e);
  }
}

static int64_t some_time(choices *c) {
  uint8_t b = pick_u8(c);
  static const int64_t odd[] = {INT64_MIN, INT64_MAX, 0, -1};
  return b < 200 ? 1000 + b % 32 : odd[b % 4];
}

static void make(history *h, choices *c) {
  static const ov_verdict verdicts[] = {OV_APPLIED,   OV_APPLIED, OV_APPLIED, OV_HELD,
                                        OV_DISMISSED, OV_WAITING, OV_VOID,    OV_ERASED};
  uint64_t seqs[4] = {0};
  size_t n = 1 + pick_below(c, OPS_MAX);
  for (size_t i = 0; i < n; i++) {
    uint8_t b = pick_u8(c), fields = pick_u8(c);
    uint32_t w = b & 3;
    ov_op *op = history_op(h, (uint8_t)(w + 1), ++seqs[w], verdicts[b >> 2 & 7]);
    if (b & 0x20) op->name.tag[3] = 1;             /* as on the other branch of a fork */
    if (i == 0 && (b & 0x40)) op->creates = false; /* the creating op is not here (yet) */
    if (i == 0) op->record = op->creates ? op->name : history_name(98, 1);
    op->version = (uint16_t)(1 + (b >> 7));
    op->has_author = fields & 0x80;
    if (op->has_author) op->author = history_name(50, w + 1);
    if (fields & 0x40) {
      op->device_time = some_time(c);
      h->in[i].server_time = some_time(c);
      h->in[i].clock_offset = some_time(c);
    }
    if (fields & 1) history_set(h, op, 1, pick_u8(c) & 1 ? ov_text("fout") : ov_nil());
    if (fields & 2) history_set(h, op, 10, some_value(c));
    if (fields & 4) history_set(h, op, 11, some_value(c));
    if (fields & 8) some_set(h, c, op, 20);
    if (fields & 16) some_set(h, c, op, 21);
    else if (fields & 32) history_set(h, op, 21, some_value(c));
  }
  for (size_t i = 0; i < h->n; i++) {
    uint16_t links = pick_u16(c);
    for (size_t k = 0; k < h->n; k++)
      if (links >> k & 1) history_replaces(h, (ov_op *)(uintptr_t)h->in[i].op, &h->in[k].op->name);
    ov_name unknown = history_name(99, 1);
    if (links >> 15) history_replaces(h, (ov_op *)(uintptr_t)h->in[i].op, &unknown);
  }
}

static void same(const ov_record *x, const ov_record *y) {
  ov_buf a, b;
  ov_buf_init(&a, 0);
  ov_buf_init(&b, 0);
  ov_record_encode(x, &a);
  ov_record_encode(y, &b);
  FUZZ_MUST(a.n == b.n && !memcmp(a.p, b.p, a.n));
  ov_buf_free(&a);
  ov_buf_free(&b);
}

static void shuffle(ov_fold_in *in, size_t n, choices *c) {
  for (size_t i = n; i > 1; i--) {
    size_t k = pick_below(c, (uint32_t)i);
    ov_fold_in x = in[k];
    in[k] = in[i - 1];
    in[i - 1] = x;
  }
}

static bool names(const ov_op *op, const ov_name *name) {
  for (uint32_t i = 0; i < op->n_replaces; i++)
    if (ov_name_equal(&op->replaces[i], name)) return true;
  return false;
}

/* All but the last op, then the last one more: the contract of ov_fold_absorb. */
static void absorbs(const ov_fold_in *in, size_t n, ov_arena *a, const ov_record *all) {
  ov_record base, more;
  const ov_op *last = in[n - 1].op;
  if (n < 2 || ov_fold(in, n - 1, a, &base) || !base.created) return;
  for (size_t i = 0; i + 1 < n; i++) {
    if (names(in[i].op, &last->name)) return;
    if (names(last, &in[i].op->name) && in[i].verdict != OV_APPLIED) return;
  }
  uint32_t retractions = 0, named = 0;
  for (uint32_t i = 0; i < base.n_live; i++) {
    if (base.live[i].field != OV_FIELD_RETRACTED || base.live[i].v.type == OV_V_NIL) continue;
    retractions++;
    named += ov_op_field(last, OV_FIELD_RETRACTED) && names(last, &base.ops[base.live[i].op].name);
  }
  if (named && named != retractions) return;
  FUZZ_MUST(!ov_fold_absorb(&base, &in[n - 1], a, &more));
  same(&more, all);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  history h;
  choices c = {p, n};
  ov_record r, again;
  char why[ORACLE_WHY_MAX];
  history_init(&h);
  make(&h, &c);
  bool twice = false; /* a tag bit may make two ops one */
  for (size_t i = 0; i < h.n; i++)
    for (size_t k = 0; k < i; k++) twice |= ov_name_equal(&h.in[i].op->name, &h.in[k].op->name);
  int err = ov_fold(h.in, h.n, &h.arena, &r);
  FUZZ_MUST(err == (twice ? OV_E_INVALID : 0));
  if (!err) {
    if (!oracle_agrees(h.in, h.n, &r, why)) fuzz_die(__FILE__, __LINE__, why);
    absorbs(h.in, h.n, &h.arena, &r);
    shuffle(h.in, h.n, &c);
    FUZZ_MUST(!ov_fold(h.in, h.n, &h.arena, &again));
    same(&r, &again);
  }
  history_free(&h);
  return 0;
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  uint8_t b[120];
  uint64_t s = 7;
  for (unsigned k = 0; k < 40; k++) {
    for (unsigned i = 0; i < sizeof b; i++) b[i] = (uint8_t)history_random(&s);
    b[0] = (uint8_t)(k % OPS_MAX);
    add(ctx, b, sizeof b);
  }
}
