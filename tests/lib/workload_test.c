/* The workload's bytes never change: measurements of different days stay comparable. The checksums were
 * compared once with those of the same generator written in JavaScript. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ov/chain.h"
#include "workload.h"

static void digest(const ov_buf *b, char out[2 * OV_HASH_BYTES + 1]) {
  ov_hasher *h = ov_hasher_new();
  ov_hash hash;
  assert_non_null(h);
  assert_int_equal(0, ov_sha256(h, b->p, b->n, &hash));
  ov_hex(hash.b, OV_HASH_BYTES, out);
  ov_hasher_free(h);
}

static void json_of(const wl_op *ops, uint32_t n, uint32_t seed, bool with_kind, ov_buf *out) {
  wl_json_team team;
  wl_json_team_make(&team, seed);
  ov_buf_init(out, 0);
  for (uint32_t i = 0; i < n; i++) wl_op_json(&ops[i], &team, with_kind, out);
}

static void check_shift(uint32_t seed, uint32_t tablet, uint32_t n, const char *expected) {
  wl_base b;
  wl_op ops[WL_SHIFT_OPS];
  ov_buf json;
  char hex[2 * OV_HASH_BYTES + 1];
  assert_int_equal(0, wl_base_make(&b, seed, n));
  wl_shift_make(ops, seed, tablet, &b);
  json_of(ops, WL_SHIFT_OPS, seed, true, &json);
  digest(&json, hex);
  assert_string_equal(expected, hex);
  ov_buf_free(&json);
  wl_base_free(&b);
}

static void test_shifts(void **state) {
  (void)state;
  check_shift(1, 0, 10000, "c7ba29281a892181cad038088cbb8c144c2527df53d57c785864ab918a54308a");
  check_shift(7, 3, 500, "c2f0e6cc76e8149a12435c591727c930b844daf5ccbe0f52242de54bbacc7034");
}

static void test_base(void **state) {
  (void)state;
  wl_base b;
  ov_buf json;
  char hex[2 * OV_HASH_BYTES + 1];
  assert_int_equal(0, wl_base_make(&b, 1, 10000));
  json_of(b.ops, b.n_ops, 1, false, &json);
  digest(&json, hex);
  assert_string_equal("c6a5d007fc6e869df2fab3cb4e03cff261a6ed82725b1f26cd889891a87229aa", hex);
  ov_buf_free(&json);
  wl_base_free(&b);
}

/* Every op is valid and every name is met before it is referred to. */
static void test_named_ops_are_valid(void **state) {
  (void)state;
  wl_base b;
  wl_named m;
  wl_op ops[WL_SHIFT_OPS];
  ov_op shift[WL_SHIFT_OPS];
  ov_arena a;
  ov_arena_init(&a, 1 << 20);
  assert_int_equal(0, wl_base_make(&b, 3, 400));
  assert_int_equal(0, wl_named_make(&m, &b));
  for (uint32_t i = 0; i < m.n_base; i++) assert_int_equal(0, ov_op_validate(&m.base[i]));
  wl_shift_make(ops, 3, 2, &b);
  assert_int_equal(0, wl_named_shift(&m, ops, 3, 2, &a, shift));
  uint32_t creates = 0, replaces = 0;
  for (uint32_t i = 0; i < WL_SHIFT_OPS; i++) {
    assert_int_equal(0, ov_op_validate(&shift[i]));
    creates += shift[i].creates;
    replaces += shift[i].n_replaces > 0;
  }
  assert_int_equal(40, creates);
  assert_in_range(replaces, 6, 12);
  ov_op rows[1 + WL_FIELDS_MAX];
  uint32_t n = 0;
  for (uint32_t i = 0; i < b.n_recs; i++) n += wl_named_rows(&m, &b, i, &a, rows);
  assert_in_range(n, b.n_recs + 60, b.n_ops);
  wl_named_free(&m);
  wl_base_free(&b);
  ov_arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_shifts), cmocka_unit_test(test_base),
                                     cmocka_unit_test(test_named_ops_are_valid)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
