/* Properties of the fold over random histories, always the same ones: seeds are printed when one fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "oracle.h"

typedef struct world {
  history h;
  ov_arena a;
  ov_buf want, got;
  uint64_t random, seed;
} world;

static void start(world *w, uint64_t seed) {
  w->random = w->seed = seed;
  history_init(&w->h);
  ov_arena_init(&w->a, 16u << 20);
  ov_buf_init(&w->want, 0);
  ov_buf_init(&w->got, 0);
}

static void stop(world *w) {
  history_free(&w->h);
  ov_arena_free(&w->a);
  ov_buf_free(&w->want);
  ov_buf_free(&w->got);
}

static void encode(const ov_record *r, ov_buf *b) {
  ov_buf_reset(b);
  ov_record_encode(r, b);
  assert_int_equal(b->err, 0);
}

static void assert_same_bytes(world *w, const char *what) {
  if (w->want.n != w->got.n || memcmp(w->want.p, w->got.p, w->want.n) != 0)
    fail_msg("seed %llu: %s", (unsigned long long)w->seed, what);
}

static void fold_and_ask_the_oracle(world *w, ov_record *r) {
  char why[ORACLE_WHY_MAX];
  int err = ov_fold(w->h.in, w->h.n, &w->a, r);
  if (err) fail_msg("seed %llu: fold gives %d", (unsigned long long)w->seed, err);
  if (!oracle_agrees(w->h.in, w->h.n, r, why)) fail_msg("seed %llu: %s", (unsigned long long)w->seed, why);
}

static void fold_in_this_order(world *w, const ov_fold_in *in) {
  ov_record r;
  ov_arena_reset(&w->a);
  assert_int_equal(ov_fold(in, w->h.n, &w->a, &r), 0);
  encode(&r, &w->got);
  assert_same_bytes(w, "the order of ops shows");
}

static void swap(ov_fold_in *a, ov_fold_in *b) {
  ov_fold_in t = *a;
  *a = *b;
  *b = t;
}

static void permute(world *w, ov_fold_in *in, size_t fixed) {
  if (fixed == w->h.n) {
    fold_in_this_order(w, in);
    return;
  }
  for (size_t i = fixed; i < w->h.n; i++) {
    swap(&in[fixed], &in[i]);
    permute(w, in, fixed + 1);
    swap(&in[fixed], &in[i]);
  }
}

/* Encoding and rows bring the record back; uses what encode left in want. */
static void comes_back(world *w, const ov_record *r) {
  ov_record back;
  ov_op *rows;
  size_t n;
  uint8_t flags[HISTORY_OPS_MAX];
  assert_int_equal(ov_record_decode(w->want.p, w->want.n, &w->a, &back), 0);
  encode(&back, &w->got);
  assert_same_bytes(w, "encoding does not come back");
  for (uint32_t i = 0; i < r->n_ops; i++) flags[i] = r->ops[i].flags;
  assert_int_equal(ov_record_to_rows(r, &w->a, &rows, &n), 0);
  assert_int_equal(ov_record_from_rows(rows, n, &w->a, &back), 0);
  assert_int_equal(
      ov_record_put_beside(&back, !r->created, flags, r->n_ops, r->held, r->n_held, r->seen, r->n_seen), 0);
  encode(&back, &w->got);
  assert_same_bytes(w, "rows do not come back");
}

/* PROTO-93, PROTO-94, PROTO-95, PROTO-96, PROTO-97, PROTO-98 */
static void small_histories_in_every_order(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 3000; seed++) {
    world w;
    ov_record r;
    ov_fold_in in[5];
    start(&w, seed);
    history_make(&w.h, &w.random, 1 + seed % 5, seed % 2);
    fold_and_ask_the_oracle(&w, &r);
    encode(&r, &w.want);
    comes_back(&w, &r);
    memcpy(in, w.h.in, w.h.n * sizeof *in);
    permute(&w, in, 0);
    stop(&w);
  }
}

static void large_histories_in_random_orders(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 300; seed++) {
    world w;
    ov_record r;
    ov_fold_in in[HISTORY_OPS_MAX];
    start(&w, 1000 + seed);
    history_make(&w.h, &w.random, 6 + seed % 30, seed % 2);
    fold_and_ask_the_oracle(&w, &r);
    encode(&r, &w.want);
    comes_back(&w, &r);
    memcpy(in, w.h.in, w.h.n * sizeof *in);
    for (int round = 0; round < 20; round++) {
      for (uint32_t i = (uint32_t)w.h.n; i > 1; i--) swap(&in[i - 1], &in[history_below(&w.random, i)]);
      fold_in_this_order(&w, in);
    }
    stop(&w);
  }
}

/* Held, admitted, dismissed, voided and back again: the state depends on the verdicts, not on how they came
 * about. */
static void flips_of_verdicts_leave_no_trace(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 150; seed++) {
    world w;
    ov_record r;
    start(&w, 2000 + seed);
    history_make(&w.h, &w.random, 2 + seed % 12, seed % 2);
    fold_and_ask_the_oracle(&w, &r);
    encode(&r, &w.want);
    for (size_t i = 0; i < w.h.n; i++) {
      ov_verdict was = w.h.in[i].verdict;
      for (int v = OV_WAITING; v <= OV_ERASED; v++) {
        w.h.in[i].verdict = (ov_verdict)v;
        fold_and_ask_the_oracle(&w, &r);
        if (v != (int)was) continue;
        encode(&r, &w.got);
        assert_same_bytes(&w, "a flip left a trace");
      }
      w.h.in[i].verdict = was;
    }
    stop(&w);
  }
}

static bool names(const ov_op *op, const ov_name *name) {
  for (uint32_t i = 0; i < op->n_replaces; i++)
    if (ov_name_equal(&op->replaces[i], name)) return true;
  return false;
}

/* May `in` be absorbed into base with the result promised? (see ov_fold_absorb) No op of the history names a
 * later one. */
static bool promised(const ov_record *base, const ov_fold_in *in) {
  uint32_t retractions = 0, replaced = 0;
  const ov_field *f = ov_op_field(in->op, OV_FIELD_RETRACTED);
  for (uint32_t i = 0; i < base->n_held; i++)
    if (names(in->op, &base->held[i].name)) return false;
  for (uint32_t i = 0; i < base->n_live; i++) {
    const ov_live *l = &base->live[i];
    if (l->field != OV_FIELD_RETRACTED || l->v.type == OV_V_NIL) continue;
    retractions++;
    replaced += f && in->verdict == OV_APPLIED && names(in->op, &base->ops[l->op].name);
  }
  return base->created && (replaced == 0 || replaced == retractions);
}

/* PROTO-113 */
static void absorb_equals_fold(void **state) {
  (void)state;
  unsigned checked = 0, skipped = 0;
  for (uint64_t seed = 1; seed <= 4000; seed++) {
    world w;
    start(&w, 3000 + seed);
    history_make(&w.h, &w.random, 2 + seed % 12, false);
    w.h.in[0].verdict = OV_APPLIED;
    size_t all = w.h.n;
    for (w.h.n = 1; w.h.n < all; w.h.n++) {
      ov_record base, whole, absorbed;
      ov_arena_reset(&w.a);
      assert_int_equal(ov_fold(w.h.in, w.h.n, &w.a, &base), 0);
      encode(&base, &w.want);
      if (!promised(&base, &w.h.in[w.h.n])) {
        skipped++;
        assert_int_equal(ov_fold_absorb(&base, &w.h.in[w.h.n], &w.a, &absorbed), 0);
        continue;
      }
      checked++;
      assert_int_equal(ov_fold_absorb(&base, &w.h.in[w.h.n], &w.a, &absorbed), 0);
      encode(&base, &w.got);
      assert_same_bytes(&w, "absorb changed its base");
      assert_int_equal(ov_fold(w.h.in, w.h.n + 1, &w.a, &whole), 0);
      encode(&whole, &w.want);
      encode(&absorbed, &w.got);
      assert_same_bytes(&w, "absorb differs from the fold");
    }
    w.h.n = all;
    stop(&w);
  }
  assert_true(checked > 5000 && skipped > 500);
}

static void adopt(history *h, ov_op *op, const ov_name *seen, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) history_replaces(h, op, &seen[i]);
}

/* What a form offers really settles a field, and what a retraction offers really retracts.
 * PROTO-25, PROTO-99 */
static void the_names_offered_settle_what_they_are_for(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 400; seed++) {
    world w;
    ov_record r;
    ov_name *seen;
    uint32_t n;
    start(&w, 4000 + seed);
    history_make(&w.h, &w.random, 2 + seed % 20, false);
    fold_and_ask_the_oracle(&w, &r);
    for (uint16_t field = 10; field < 13; field++) {
      assert_int_equal(ov_record_replaces(&r, field, &w.a, &seen, &n), 0);
      ov_op *op = history_op(&w.h, 200, field, OV_APPLIED);
      history_set(&w.h, op, field, ov_int(5));
      adopt(&w.h, op, seen, n);
      fold_and_ask_the_oracle(&w, &r);
      assert_false(ov_record_field_conflict(&r, field));
      ov_record_field(&r, field, &n);
      assert_int_equal(n, 1);
    }
    assert_int_equal(ov_record_seen_all(&r, &w.a, &seen, &n), 0);
    ov_op *op = history_op(&w.h, 200, 50, OV_APPLIED);
    history_set(&w.h, op, OV_FIELD_RETRACTED, ov_text("fout"));
    adopt(&w.h, op, seen, n);
    fold_and_ask_the_oracle(&w, &r);
    assert_int_equal(ov_record_retracted(&r), OV_RETRACTED);
    ov_op *undo = history_op(&w.h, 201, 51, OV_APPLIED);
    history_set(&w.h, undo, OV_FIELD_RETRACTED, ov_nil());
    adopt(&w.h, undo, &op->name, 1);
    fold_and_ask_the_oracle(&w, &r);
    assert_int_equal(ov_record_retracted(&r), OV_LIVE);
    stop(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(small_histories_in_every_order),
      cmocka_unit_test(large_histories_in_random_orders),
      cmocka_unit_test(flips_of_verdicts_leave_no_trace),
      cmocka_unit_test(absorb_equals_fold),
      cmocka_unit_test(the_names_offered_settle_what_they_are_for),
  };
  return cmocka_run_group_tests_name("fold_property", tests, NULL, NULL);
}
