#include "util.h"

#include "faults.h"
#include "ov/arena.h"

static bool is_zero(const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (p[i] != 0) return false;
  return true;
}

static void memory_is_aligned_zeroed_and_apart(void **state) {
  (void)state;
  ov_arena a;
  uint8_t *last = NULL;
  size_t last_n = 0;
  ov_arena_init(&a, 1 << 20);
  for (size_t n = 0; n < 600; n++) {
    uint8_t *p = ov_arena_alloc(&a, n);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 16, 0);
    assert_true(is_zero(p, n));
    memset(p, 0xee, n);
    assert_true(!last || p >= last + last_n || p < last);
    last = p;
    last_n = n;
  }
  assert_true(a.used >= 600 * 599 / 2);
  ov_arena_free(&a);
  assert_int_equal(a.used, 0);
}

static void what_was_handed_out_stays_while_the_arena_grows(void **state) {
  (void)state;
  ov_arena a;
  uint8_t *p[500];
  ov_arena_init(&a, 4 << 20);
  for (unsigned i = 0; i < 500; i++) {
    p[i] = ov_arena_alloc(&a, 7000);
    memset(p[i], (int)(i & 0xff), 7000);
  }
  for (unsigned i = 0; i < 500; i++) {
    assert_int_equal(p[i][0], i & 0xff);
    assert_int_equal(p[i][6999], i & 0xff);
  }
  ov_arena_free(&a);
}

static void it_never_hands_out_more_than_max(void **state) {
  (void)state;
  ov_arena a;
  ov_arena_init(&a, 100);
  assert_null(ov_arena_alloc(&a, 101));
  assert_null(ov_arena_alloc(&a, 97)); /* 112 after rounding up */
  assert_null(ov_arena_alloc(&a, SIZE_MAX));
  assert_null(ov_arena_alloc(&a, SIZE_MAX - 7));
  assert_int_equal(a.used, 0);
  assert_non_null(ov_arena_alloc(&a, 96));
  assert_null(ov_arena_alloc(&a, 1));
  assert_null(ov_arena_alloc(&a, 0));
  ov_arena_reset(&a);
  assert_non_null(ov_arena_alloc(&a, 0));
  assert_int_equal(a.used, 16);
  ov_arena_free(&a);
  ov_arena_init(&a, 0);
  assert_null(ov_arena_alloc(&a, 0));
  ov_arena_free(&a);
}

static void an_array_whose_size_overflows_is_refused(void **state) {
  (void)state;
  ov_arena a;
  ov_arena_init(&a, SIZE_MAX);
  assert_null(ov_arena_array(&a, SIZE_MAX / 2, 3));
  assert_null(ov_arena_array(&a, (size_t)1 << 33, (size_t)1 << 31));
  assert_int_equal(a.used, 0);
  uint32_t *p = ov_arena_array(&a, 5, sizeof *p);
  assert_non_null(p);
  assert_true(is_zero((uint8_t *)p, 5 * sizeof *p));
  ov_arena_free(&a);
}

static void a_copy_is_equal_and_apart(void **state) {
  (void)state;
  ov_arena a;
  char text[] = "nachtdienst";
  ov_arena_init(&a, 64);
  char *copy = ov_arena_dup(&a, text, sizeof text);
  text[0] = 'N';
  assert_string_equal(copy, "nachtdienst");
  assert_non_null(ov_arena_dup(&a, NULL, 0));
  assert_null(ov_arena_dup(&a, text, 65));
  ov_arena_free(&a);
}

static void reset_keeps_one_block_and_zeroes_again(void **state) {
  (void)state;
  ov_arena a;
  ov_arena_init(&a, 1 << 20);
  ov_arena_reset(&a); /* of nothing */
  for (int i = 0; i < 40; i++) memset(ov_arena_alloc(&a, 4000), 0xee, 4000);
  ov_arena_block *kept = a.blocks;
  ov_arena_reset(&a);
  assert_ptr_equal(a.blocks, kept);
  assert_int_equal(a.used, 0);
  fault_arm(1); /* no allocation is needed from here */
  uint8_t *p = ov_arena_alloc(&a, 4000);
  assert_false(fault_hit());
  assert_true(is_zero(p, 4000));
  ov_arena_free(&a);
  assert_non_null(ov_arena_alloc(&a, 10)); /* usable after free */
  ov_arena_free(&a);
  ov_arena_free(&a);
}

static void no_memory_gives_null_and_the_arena_stays_usable(void **state) {
  (void)state;
  FOR_EACH_FAULT(k) {
    ov_arena a;
    ov_arena_init(&a, 1 << 20);
    unsigned nulls = 0;
    for (int i = 0; i < 5; i++) nulls += ov_arena_alloc(&a, 3000) == NULL;
    assert_int_equal(nulls, fault_hit() ? 1 : 0);
    assert_int_equal(a.used, (5 - nulls) * 3008);
    ov_arena_free(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_aligned_zeroed_and_apart),
      cmocka_unit_test(what_was_handed_out_stays_while_the_arena_grows),
      cmocka_unit_test(it_never_hands_out_more_than_max),
      cmocka_unit_test(an_array_whose_size_overflows_is_refused),
      cmocka_unit_test(a_copy_is_equal_and_apart),
      cmocka_unit_test(reset_keeps_one_block_and_zeroes_again),
      cmocka_unit_test(no_memory_gives_null_and_the_arena_stays_usable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
