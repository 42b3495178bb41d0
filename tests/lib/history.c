#include "history.h"

#include <assert.h>
#include <string.h>

void history_init(history *h) {
  *h = (history){0};
  ov_arena_init(&h->arena, 16u << 20);
}

void history_free(history *h) { ov_arena_free(&h->arena); }

ov_name history_name(uint8_t writer, uint64_t seq) {
  ov_name n = {.seq = seq};
  memset(n.writer.b, writer, sizeof n.writer.b);
  n.tag[0] = (uint8_t)(writer * 31u + seq * 7u);
  return n;
}

ov_op *history_op(history *h, uint8_t writer, uint64_t seq, ov_verdict verdict) {
  assert(h->n < HISTORY_OPS_MAX);
  ov_op *op = ov_arena_alloc(&h->arena, sizeof *op);
  op->name = history_name(writer, seq);
  op->creates = h->n == 0;
  op->record = h->n ? h->in[0].op->record : op->name;
  op->kind = 20;
  op->version = 1;
  op->scope = 2;
  op->device_time = 1000 + 10 * (int64_t)h->n;
  h->in[h->n++] = (ov_fold_in){.op = op,
                               .verdict = verdict,
                               .reason = verdict == OV_HELD ? OV_HELD_RANGE : OV_HELD_NONE,
                               .server_time = op->device_time + 5};
  return op;
}

static ov_field *field_of(history *h, ov_op *op, uint16_t id) {
  if (!op->fields) op->fields = ov_arena_array(&h->arena, 16, sizeof *op->fields);
  uint32_t i = 0;
  while (i < op->n_fields && op->fields[i].id < id) i++;
  if (i < op->n_fields && op->fields[i].id == id) return &op->fields[i];
  assert(op->n_fields < 16);
  memmove(&op->fields[i + 1], &op->fields[i], (op->n_fields - i) * sizeof *op->fields);
  op->n_fields++;
  op->fields[i] = (ov_field){.id = id, .v = {.type = OV_V_SET}};
  return &op->fields[i];
}

void history_set(history *h, ov_op *op, uint16_t field, ov_value v) { field_of(h, op, field)->v = v; }

static void put_element(history *h, ov_value **list, uint32_t *n, int64_t elem) {
  if (!*list) *list = ov_arena_array(&h->arena, 16, sizeof **list);
  uint32_t i = 0;
  while (i < *n && (*list)[i].i < elem) i++;
  if (i < *n && (*list)[i].i == elem) return;
  assert(*n < 16);
  memmove(&(*list)[i + 1], &(*list)[i], (*n - i) * sizeof **list);
  (*list)[i] = ov_int(elem);
  ++*n;
}

void history_add(history *h, ov_op *op, uint16_t field, int64_t elem) {
  ov_value *v = &field_of(h, op, field)->v;
  put_element(h, &v->set.add, &v->set.n_add, elem);
}

void history_del(history *h, ov_op *op, uint16_t field, int64_t elem) {
  ov_value *v = &field_of(h, op, field)->v;
  put_element(h, &v->set.del, &v->set.n_del, elem);
}

void history_replaces(history *h, ov_op *op, const ov_name *name) {
  if (!op->replaces) op->replaces = ov_arena_array(&h->arena, HISTORY_OPS_MAX + 8, sizeof *op->replaces);
  uint32_t i = 0;
  while (i < op->n_replaces && ov_name_compare(&op->replaces[i], name) < 0) i++;
  if (i < op->n_replaces && ov_name_equal(&op->replaces[i], name)) return;
  memmove(&op->replaces[i + 1], &op->replaces[i], (op->n_replaces - i) * sizeof *op->replaces);
  op->replaces[i] = *name;
  op->n_replaces++;
}

uint64_t history_random(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint32_t history_below(uint64_t *state, uint32_t n) { return (uint32_t)(history_random(state) % n); }

/* Few values, so that equal ones meet. */
static ov_value some_value(uint64_t *random) {
  switch (history_below(random, 5)) {
  case 0: return ov_nil();
  case 1: return ov_text("tekst");
  default: return ov_int(history_below(random, 2));
  }
}

static void some_set(history *h, ov_op *op, uint16_t field, uint64_t *random) {
  field_of(h, op, field); /* an empty set is one too */
  for (int64_t e = 1; e <= 3; e++) {
    uint32_t what = history_below(random, 3);
    if (what == 0) history_add(h, op, field, e);
    else if (what == 1) history_del(h, op, field, e);
  }
}

static void some_fields(history *h, ov_op *op, uint64_t *random, bool wild) {
  if (history_below(random, 4) == 0)
    history_set(h, op, 1,
                history_below(random, 3) ? ov_text(history_below(random, 2) ? "fout" : "dubbel") : ov_nil());
  for (uint16_t f = 10; f < 13; f++)
    if (history_below(random, 2)) history_set(h, op, f, some_value(random));
  if (history_below(random, 2)) some_set(h, op, 20, random);
  if (wild && history_below(random, 3) == 0) {
    if (history_below(random, 2)) some_set(h, op, 21, random);
    else history_set(h, op, 21, some_value(random));
  }
}

static ov_verdict some_verdict(uint64_t *random) {
  uint32_t x = history_below(random, 20);
  if (x < 13) return OV_APPLIED;
  if (x < 15) return OV_HELD;
  if (x < 17) return OV_DISMISSED;
  return x == 17 ? OV_WAITING : x == 18 ? OV_VOID : OV_ERASED;
}

static int64_t some_time(uint64_t *random) {
  static const int64_t extreme[] = {INT64_MIN, INT64_MAX, 0, -1};
  return history_below(random, 8) ? (int64_t)history_below(random, 20) : extreme[history_below(random, 4)];
}

/* Honest ops name earlier ones; half of those they could see. */
static void some_replaces(history *h, size_t i, uint64_t *random, bool wild) {
  ov_op *op = (ov_op *)(uintptr_t)h->in[i].op;
  for (size_t k = 0; k < i; k++)
    if (history_below(random, 2)) history_replaces(h, op, &h->in[k].op->name);
  if (!wild) return;
  for (size_t k = i; k < h->n; k++)
    if (history_below(random, 8) == 0) history_replaces(h, op, &h->in[k].op->name);
  ov_name unknown = history_name(99, 1 + history_below(random, 3));
  if (history_below(random, 4) == 0) history_replaces(h, op, &unknown);
}

void history_make(history *h, uint64_t *random, size_t n, bool wild) {
  uint64_t seqs[6] = {0};
  for (size_t i = 0; i < n; i++) {
    uint32_t w = history_below(random, 6);
    ov_op *op = history_op(h, (uint8_t)(w + 1), ++seqs[w], some_verdict(random));
    if (history_below(random, 6) == 0) op->name.tag[3] = 1; /* as on the other branch of a fork */
    if (i == 0) op->record = op->name;
    op->version = (uint16_t)(1 + history_below(random, 3));
    op->has_author = history_below(random, 2);
    if (op->has_author) op->author = history_name(50, w + 1);
    op->has_participant = true;
    op->participant = history_name(60, 1);
    h->in[i].clock_offset = history_below(random, 3) ? 0 : (int64_t)history_below(random, 2000) - 1000;
    if (wild) {
      op->device_time = some_time(random);
      h->in[i].server_time = some_time(random);
      h->in[i].clock_offset = some_time(random);
    }
    some_fields(h, op, random, wild);
  }
  for (size_t i = 0; i < n; i++) some_replaces(h, i, random, wild);
}
