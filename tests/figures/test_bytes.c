/* The protocol's budgets, counted in websocket payload bytes on real sessions: a shift, nothing new, a fresh
 * tablet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "figures.h"

#define SHIFTS 8

static void print_seen(const char *what, const link_seen *s) {
  printf("%s: up %llu bytes in %u messages (HELLO %llu, PUSH %llu, ACKED %llu), down %llu in %u (WELCOME "
         "%llu, ACK %llu, DELTA %llu, SYNCED %llu)\n",
         what, (unsigned long long)s->up_bytes, s->up, (unsigned long long)s->up_bytes_of[OV_M_HELLO],
         (unsigned long long)s->up_bytes_of[OV_M_PUSH], (unsigned long long)s->up_bytes_of[OV_M_ACKED],
         (unsigned long long)s->down_bytes, s->down, (unsigned long long)s->down_bytes_of[OV_M_WELCOME],
         (unsigned long long)s->down_bytes_of[OV_M_ACK], (unsigned long long)s->down_bytes_of[OV_M_DELTA],
         (unsigned long long)s->down_bytes_of[OV_M_SYNCED]);
}

/* 52 ops go up in one PUSH that fits one TCP segment, in one round trip. */
static void a_shift_is_one_segment(void **state) {
  figures *f = *state;
  uint64_t most_push = 0, most_up = 0, most_down = 0;
  for (uint32_t i = 0; i < SHIFTS; i++) {
    link_seen seen;
    for (unsigned k = 0; k < WL_TABLETS; k++) tablet_sync_ok(&f->tablets[k]);
    figures_shift(f, i % WL_TABLETS, 100 + i);
    assert_int_equal(tablet_status(&f->tablets[i % WL_TABLETS]).unsent, WL_SHIFT_OPS);
    assert_int_equal(tablet_sync(&f->tablets[i % WL_TABLETS], NULL, &seen), 0);
    assert_int_equal(tablet_status(&f->tablets[i % WL_TABLETS]).unsent, 0);
    assert_int_equal(seen.up_of[OV_M_HELLO], 1);
    assert_int_equal(seen.up_of[OV_M_PUSH], 1);
    print_seen("shift", &seen);
    if (seen.up_bytes_of[OV_M_PUSH] > most_push) most_push = seen.up_bytes_of[OV_M_PUSH];
    if (seen.up_bytes > most_up) most_up = seen.up_bytes;
    if (seen.down_bytes > most_down) most_down = seen.down_bytes;
  }
  assert_true(most_push <= 1448);
  assert_true(most_up <= 1820);
  assert_true(most_down <= 400);
}

static void nothing_new_is_small(void **state) {
  figures *f = *state;
  link_seen seen;
  tablet_sync_ok(&f->tablets[0]);
  assert_int_equal(tablet_sync(&f->tablets[0], NULL, &seen), 0);
  print_seen("nothing new", &seen);
  assert_int_equal(seen.up, 1);
  assert_true(seen.up_bytes + seen.down_bytes <= 400);
}

/* Window off: the measured kinds are not windowed. Budget: 280 kB for 10,000 records. */
static void a_fresh_tablet(void **state) {
  figures *f = *state;
  tablet t;
  link_seen seen;
  tablet_open(&t, &f->w, "fresh");
  tablet_enrol(&t, "fresh", &f->team, 1);
  assert_int_equal(tablet_sync(&t, NULL, &seen), 0);
  print_seen("fresh tablet", &seen);
  printf("fresh tablet: %llu records of the team\n", (unsigned long long)tablet_status(&t).records);
  assert_true(tablet_status(&t).records >= 10000);
  assert_true(seen.down_bytes <= 280000);
  uint32_t scopes[3] = {0, 1, f->team};
  ov_hash a = tablet_digest(&t), b = world_digest(&f->w, scopes, 3);
  assert_memory_equal(&a, &b, sizeof a);
  tablet_close(&t);
}

static int open_state(void **state) {
  static figures f;
  figures_open(&f, 1, 10000);
  *state = &f;
  return 0;
}

static int close_state(void **state) {
  figures_close(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_shift_is_one_segment),
                                     cmocka_unit_test(nothing_new_is_small),
                                     cmocka_unit_test(a_fresh_tablet)};
  return cmocka_run_group_tests(tests, open_state, close_state);
}
