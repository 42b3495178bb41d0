/* A history and the record it folds into, for the tests of both. */
#ifndef FOLD_RECORDS_H
#define FOLD_RECORDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "oracle.h"

#define QUALITY 19
#define NAP 21
#define DISTURBANCE 22

typedef struct fixture {
  history h;
  ov_arena a;
  ov_record r;
} fixture;

static inline int setup(void **state) {
  fixture *x = calloc(1, sizeof *x);
  history_init(&x->h);
  ov_arena_init(&x->a, OV_DECODE_ARENA_BYTES_MAX);
  *state = x;
  return 0;
}

static inline int teardown(void **state) {
  fixture *x = *state;
  history_free(&x->h);
  ov_arena_free(&x->a);
  free(x);
  return 0;
}

static const ov_record *fold(fixture *x) {
  char why[ORACLE_WHY_MAX];
  assert_int_equal(ov_fold(x->h.in, x->h.n, &x->a, &x->r), 0);
  if (!oracle_agrees(x->h.in, x->h.n, &x->r, why)) fail_msg("oracle: %s", why);
  return &x->r;
}

/* A record with quality 3 and a nap of 20 minutes, by writer 1. */
static inline ov_op *create(fixture *x) {
  ov_op *op = history_op(&x->h, 1, 1, OV_APPLIED);
  history_set(&x->h, op, QUALITY, ov_int(3));
  history_set(&x->h, op, NAP, ov_int(20));
  return op;
}

static inline ov_op *edit(fixture *x, uint8_t writer, uint64_t seq, ov_verdict verdict, uint16_t field,
                          ov_value v, const ov_op *seen) {
  ov_op *op = history_op(&x->h, writer, seq, verdict);
  history_set(&x->h, op, field, v);
  if (seen) history_replaces(&x->h, op, &seen->name);
  return op;
}

static inline ov_verdict *verdict_of(fixture *x, const ov_op *op) {
  for (size_t i = 0; i < x->h.n; i++)
    if (x->h.in[i].op == op) return &x->h.in[i].verdict;
  fail();
  return NULL;
}

/* Retracts all that is live. */
static inline ov_op *retract(fixture *x, uint8_t writer, uint64_t seq, const char *reason) {
  ov_name *names;
  uint32_t n;
  const ov_record *r = fold(x);
  assert_int_equal(ov_record_seen_all(r, &x->a, &names, &n), 0);
  ov_op *op = edit(x, writer, seq, OV_APPLIED, 1, ov_text(reason), NULL);
  for (uint32_t i = 0; i < n; i++) history_replaces(&x->h, op, &names[i]);
  return op;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
