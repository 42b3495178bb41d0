/* Histories of one record, built by hand or at random. Everything lives in the history's arena. */
#ifndef TESTS_HISTORY_H
#define TESTS_HISTORY_H

#include "ov/fold.h"

#define HISTORY_OPS_MAX 64

typedef struct history {
  ov_arena arena;
  ov_fold_in in[HISTORY_OPS_MAX];
  size_t n;
} history;

void history_init(history *h);
void history_free(history *h);

/* A name whose writer is 16 times that byte and whose tag follows from both. */
ov_name history_name(uint8_t writer, uint64_t seq);
/* Adds an op without fields: name (writer, seq), device time 1000 + 10 for each op before, received 5 s
 * later. The first op creates the record; all have kind 20, version 1, scope 2. May be changed before the
 * fold. */
ov_op *history_op(history *h, uint8_t writer, uint64_t seq, ov_verdict verdict);
void history_set(history *h, ov_op *op, uint16_t field, ov_value v);   /* field not set before */
void history_add(history *h, ov_op *op, uint16_t field, int64_t elem); /* element to add to a set */
void history_del(history *h, ov_op *op, uint16_t field, int64_t elem); /* element to delete */
void history_replaces(history *h, ov_op *op, const ov_name *name);     /* kept ascending and unique */

/* splitmix64: small, and the same everywhere. */
uint64_t history_random(uint64_t *state);
/* 0..n-1 */
uint32_t history_below(uint64_t *state, uint32_t n);
/* n ops of some writers: concurrent edits, sets, retractions and undos, all verdicts; hostile ones too when
 * `wild`: circles, an op's own name, unknown names, extreme clocks, a field that is once single and once a
 * set. Names go up in no order. */
void history_make(history *h, uint64_t *random, size_t n, bool wild);

#endif
