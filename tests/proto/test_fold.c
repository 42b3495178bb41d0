/* The fold, rule by rule: small histories a person can follow. Random ones are in test_fold_property.c. */
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

static int setup(void **state)
{
  fixture *x = calloc(1, sizeof *x);
  history_init(&x->h);
  ov_arena_init(&x->a, OV_DECODE_ARENA_BYTES_MAX);
  *state = x;
  return 0;
}

static int teardown(void **state)
{
  fixture *x = *state;
  history_free(&x->h);
  ov_arena_free(&x->a);
  free(x);
  return 0;
}

static const ov_record *fold(fixture *x)
{
  char why[ORACLE_WHY_MAX];
  assert_int_equal(ov_fold(x->h.in, x->h.n, &x->a, &x->r), 0);
  if (!oracle_agrees(x->h.in, x->h.n, &x->r, why)) fail_msg("oracle: %s", why);
  return &x->r;
}

static void assert_shown(const ov_record *r, uint16_t field, int64_t value, uint32_t entries)
{
  uint32_t n;
  const ov_live *l = ov_record_field(r, field, &n);
  assert_non_null(l);
  assert_int_equal(n, entries);
  assert_int_equal(l->v.type, OV_V_INT);
  assert_int_equal(l->v.i, value);
}

/* A record with quality 3 and a nap of 20 minutes, by writer 1. */
static ov_op *create(fixture *x)
{
  ov_op *op = history_op(&x->h, 1, 1, OV_APPLIED);
  history_set(&x->h, op, QUALITY, ov_int(3));
  history_set(&x->h, op, NAP, ov_int(20));
  return op;
}

static ov_op *edit(fixture *x, uint8_t writer, uint64_t seq, ov_verdict verdict, uint16_t field, ov_value v,
                   const ov_op *seen)
{
  ov_op *op = history_op(&x->h, writer, seq, verdict);
  history_set(&x->h, op, field, v);
  if (seen) history_replaces(&x->h, op, &seen->name);
  return op;
}

static ov_verdict *verdict_of(fixture *x, const ov_op *op)
{
  for (size_t i = 0; i < x->h.n; i++)
    if (x->h.in[i].op == op) return &x->h.in[i].verdict;
  fail();
  return NULL;
}

static void one_op(void **state)
{
  fixture *x = *state;
  create(x);
  const ov_record *r = fold(x);
  assert_true(r->created);
  assert_int_equal(r->n_ops, 1);
  assert_int_equal(r->n_live, 2);
  assert_shown(r, QUALITY, 3, 1);
  assert_int_equal(ov_record_conflicts(r), 0);
  assert_null(ov_record_field(r, 99, NULL));
  assert_null(ov_record_field(r, 20, NULL));
}

/* PROTO-93, PROTO-96 */
static void concurrent_edits_conflict_until_one_op_names_both(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  ov_op *a = edit(x, 2, 1, OV_APPLIED, QUALITY, ov_int(4), c);
  ov_op *b = edit(x, 3, 1, OV_APPLIED, QUALITY, ov_int(5), c);
  const ov_record *r = fold(x);
  assert_shown(r, QUALITY, 5, 2); /* the later one is shown first, the other stays visible */
  assert_true(ov_record_field_conflict(r, QUALITY));
  assert_false(ov_record_field_conflict(r, NAP));
  assert_int_equal(ov_record_conflicts(r), 1);

  ov_name *names;
  uint32_t n;
  assert_int_equal(ov_record_replaces(r, QUALITY, &x->a, &names, &n), 0);
  assert_int_equal(n, 2);
  assert_true(ov_name_equal(&names[0], &a->name) && ov_name_equal(&names[1], &b->name));

  ov_op *settled = edit(x, 1, 2, OV_APPLIED, QUALITY, ov_int(4), a);
  history_replaces(&x->h, settled, &b->name);
  r = fold(x);
  assert_shown(r, QUALITY, 4, 1);
  assert_int_equal(ov_record_conflicts(r), 0);
  assert_shown(r, NAP, 20, 1);
}

/* PROTO-96 */
static void equal_values_are_no_conflict(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  edit(x, 2, 1, OV_APPLIED, QUALITY, ov_int(4), c);
  edit(x, 3, 1, OV_APPLIED, QUALITY, ov_int(4), c);
  const ov_record *r = fold(x);
  assert_shown(r, QUALITY, 4, 2); /* both are listed: who writes next must name both */
  assert_int_equal(ov_record_conflicts(r), 0);
}

/* PROTO-93, PROTO-95 */
static void codes_of_a_set_conflict_one_by_one(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  history_add(&x->h, c, DISTURBANCE, 1);
  history_add(&x->h, c, DISTURBANCE, 2);
  ov_op *more = history_op(&x->h, 2, 1, OV_APPLIED); /* adds 3 and confirms 2 ... */
  history_add(&x->h, more, DISTURBANCE, 2);
  history_add(&x->h, more, DISTURBANCE, 3);
  history_replaces(&x->h, more, &c->name);
  ov_op *less = history_op(&x->h, 3, 1, OV_APPLIED); /* ... while another carer takes 2 away */
  history_del(&x->h, less, DISTURBANCE, 2);
  history_replaces(&x->h, less, &c->name);
  const ov_record *r = fold(x);
  uint32_t n;
  const ov_live *l = ov_record_field(r, DISTURBANCE, &n);
  assert_int_equal(n, 4); /* 1, 2 twice, 3 */
  assert_int_equal(l[0].elem.i, 1);
  assert_int_equal(l[1].elem.i, 2);
  assert_int_equal(l[1].v.i, 0); /* the deletion is later */
  assert_int_equal(l[2].v.i, 1);
  assert_int_equal(l[3].elem.i, 3);
  assert_true(ov_record_field_conflict(r, DISTURBANCE));
  assert_int_equal(ov_record_conflicts(r), 1); /* of code 2 only */

  ov_op *settled = history_op(&x->h, 1, 2, OV_APPLIED);
  history_add(&x->h, settled, DISTURBANCE, 2);
  history_replaces(&x->h, settled, &more->name);
  history_replaces(&x->h, settled, &less->name);
  r = fold(x);
  assert_int_equal(ov_record_conflicts(r), 0);
  ov_record_field(r, DISTURBANCE, &n);
  assert_int_equal(n, 3); /* 1 of the first op and 3 of the second are not carried, so they stay */
}

static void a_set_write_leaves_the_codes_it_does_not_carry(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  history_add(&x->h, c, DISTURBANCE, 1);
  ov_op *op = history_op(&x->h, 2, 1, OV_APPLIED);
  history_add(&x->h, op, DISTURBANCE, 5);
  history_replaces(&x->h, op, &c->name);
  uint32_t n;
  ov_record_field(fold(x), DISTURBANCE, &n);
  assert_int_equal(n, 2);
}

/* Retracts all that is live. */
static ov_op *retract(fixture *x, uint8_t writer, uint64_t seq, const char *reason)
{
  ov_name *names;
  uint32_t n;
  const ov_record *r = fold(x);
  assert_int_equal(ov_record_seen_all(r, &x->a, &names, &n), 0);
  ov_op *op = edit(x, writer, seq, OV_APPLIED, 1, ov_text(reason), NULL);
  for (uint32_t i = 0; i < n; i++) history_replaces(&x->h, op, &names[i]);
  return op;
}

/* PROTO-26, PROTO-97 */
static void a_retraction_meets_a_concurrent_edit(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  assert_int_equal(ov_record_retracted(fold(x)), OV_LIVE);
  retract(x, 2, 1, "verkeerde cliënt");
  const ov_record *r = fold(x);
  assert_int_equal(ov_record_retracted(r), OV_RETRACTED);
  assert_int_equal(ov_record_conflicts(r), 0);
  assert_shown(r, QUALITY, 3, 1); /* the retraction kills no value */
  assert_int_equal(r->n_seen, 1);

  edit(x, 3, 1, OV_APPLIED, NAP, ov_int(40), c); /* the other tablet did not know */
  r = fold(x);
  assert_int_equal(ov_record_retracted(r), OV_RETRACT_CONFLICT);
  assert_true(ov_record_field_conflict(r, 1));
  assert_false(ov_record_field_conflict(r, NAP));
  assert_int_equal(ov_record_conflicts(r), 1);

  ov_op *again = retract(x, 2, 2, "verkeerde cliënt"); /* names the edit and the first retraction */
  r = fold(x);
  assert_int_equal(ov_record_retracted(r), OV_RETRACTED);
  assert_int_equal(ov_record_conflicts(r), 0);

  edit(x, 3, 2, OV_APPLIED, 1, ov_nil(), again);
  r = fold(x);
  assert_int_equal(ov_record_retracted(r), OV_LIVE);
  assert_int_equal(ov_record_conflicts(r), 0);
  assert_int_equal(r->n_seen, 0);
}

/* PROTO-26, PROTO-97 */
static void an_undo_meets_another_retraction(void **state)
{
  fixture *x = *state;
  create(x);
  ov_op *first = retract(x, 2, 1, "dubbel");
  ov_op *undo = edit(x, 3, 1, OV_APPLIED, 1, ov_nil(), first);
  ov_op *second = edit(x, 4, 1, OV_APPLIED, 1, ov_text("test"), first);
  history_replaces(&x->h, second, &x->h.in[0].op->name);
  const ov_record *r = fold(x);
  assert_int_equal(ov_record_retracted(r), OV_RETRACT_CONFLICT);
  assert_int_equal(ov_record_conflicts(r), 1);
  history_replaces(&x->h, second, &undo->name);
  assert_int_equal(ov_record_retracted(fold(x)), OV_RETRACTED);
}

static void retractions_with_two_reasons_agree(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  retract(x, 2, 1, "dubbel");
  ov_op *other = edit(x, 3, 1, OV_APPLIED, 1, ov_text("verkeerde cliënt"), NULL);
  const ov_record *r = fold(x);
  assert_int_equal(ov_record_retracted(r), OV_RETRACTED);
  assert_true(ov_record_field_conflict(r, 1));
  assert_int_equal(ov_record_conflicts(r), 1);
  history_replaces(&x->h, other, &c->name);
  assert_int_equal(fold(x)->n_seen, 1); /* the union, each name once */
}

static void a_retraction_sees_its_own_values(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  history_set(&x->h, c, 1, ov_text("proef"));
  const ov_record *r = fold(x);
  assert_int_equal(ov_record_retracted(r), OV_RETRACTED);
  edit(x, 2, 1, OV_APPLIED, NAP, ov_int(5), c);
  assert_int_equal(ov_record_retracted(fold(x)), OV_RETRACT_CONFLICT);
}

static void a_set_in_field_1_is_no_retraction(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  history_add(&x->h, c, 1, 7);
  assert_int_equal(ov_record_retracted(fold(x)), OV_LIVE);
  edit(x, 2, 1, OV_APPLIED, 1, ov_text("fout"), c);
  assert_int_equal(ov_record_retracted(fold(x)), OV_RETRACTED);
}

static void undo_writes_the_old_value_again(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  ov_op *e = edit(x, 1, 2, OV_APPLIED, QUALITY, ov_int(1), c);
  edit(x, 1, 3, OV_APPLIED, QUALITY, ov_int(3), e);
  const ov_record *r = fold(x);
  assert_shown(r, QUALITY, 3, 1);
  assert_int_equal(r->n_ops, 2); /* the creating op still holds the nap; the edit holds nothing */
}

/* PROTO-94 */
static void a_held_link_makes_no_false_conflict(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  ov_op *held = edit(x, 2, 1, OV_HELD, NAP, ov_int(900), c); /* out of range */
  const ov_record *r = fold(x);
  assert_shown(r, NAP, 20, 1); /* gives no value and kills none */
  assert_int_equal(r->n_held, 1);
  assert_int_equal(r->held[0].reason, OV_HELD_RANGE);
  ov_op *fixed = edit(x, 2, 2, OV_APPLIED, NAP, ov_int(90), held); /* its author corrects what only he saw */
  r = fold(x);
  assert_shown(r, NAP, 90, 1);
  assert_int_equal(ov_record_conflicts(r), 0);

  *verdict_of(x, fixed) = OV_HELD; /* held in turn: the link does not count */
  assert_shown(fold(x), NAP, 20, 1);
  edit(x, 2, 3, OV_APPLIED, NAP, ov_int(95), fixed); /* and over two held ops it does again */
  assert_shown(fold(x), NAP, 95, 1);
  *verdict_of(x, held) = OV_DISMISSED;
  assert_shown(fold(x), NAP, 95, 1);
  *verdict_of(x, held) = OV_WAITING; /* unknown as yet: no link */
  assert_shown(fold(x), NAP, 95, 2);
}

static void a_held_link_counts_in_its_own_field_only(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  history_add(&x->h, c, DISTURBANCE, 1);
  history_add(&x->h, c, DISTURBANCE, 2);
  ov_op *held = edit(x, 2, 1, OV_HELD, NAP, ov_int(900), c);
  history_set(&x->h, held, QUALITY, ov_int(1));
  history_del(&x->h, held, DISTURBANCE, 1);
  history_del(&x->h, held, DISTURBANCE, 2);
  ov_op *after = edit(x, 2, 2, OV_APPLIED, NAP, ov_int(90), held);
  history_add(&x->h, after, DISTURBANCE, 1);
  const ov_record *r = fold(x);
  assert_shown(r, NAP, 90, 1);
  assert_shown(r, QUALITY, 3, 1); /* after does not write quality */
  uint32_t n;
  const ov_live *l = ov_record_field(r, DISTURBANCE, &n);
  assert_int_equal(n, 2);
  assert_true(ov_name_equal(&r->ops[l[0].op].name, &after->name));
  assert_true(ov_name_equal(&r->ops[l[1].op].name, &c->name));
}

static void rulings_decide_by_verdict_alone(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  ov_op *op = edit(x, 2, 1, OV_HELD, NAP, ov_int(900), c);
  *verdict_of(x, op) = OV_APPLIED; /* admitted */
  assert_shown(fold(x), NAP, 900, 1);
  *verdict_of(x, op) = OV_DISMISSED; /* two live rulings that differ: dismissed stands */
  const ov_record *r = fold(x);
  assert_shown(r, NAP, 20, 1);
  assert_int_equal(r->held[0].verdict, OV_DISMISSED);
}

/* PROTO-87, PROTO-95 */
static void waiting_void_and_erased_ops_say_nothing(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  ov_op *w = edit(x, 2, 1, OV_WAITING, NAP, ov_int(1), c);
  ov_op *e = edit(x, 3, 1, OV_ERASED, NAP, ov_int(2), c);
  ov_op *v = history_op(&x->h, 4, 1, OV_VOID);
  *v = (ov_op){.name = v->name, .is_void = true};
  const ov_record *r = fold(x);
  assert_shown(r, NAP, 20, 1);
  assert_int_equal(r->n_ops, 1);
  assert_int_equal(r->n_held, 0);
  ov_op *named = edit(x, 5, 1, OV_APPLIED, NAP, ov_int(3), w);
  history_replaces(&x->h, named, &e->name);
  assert_shown(fold(x), NAP, 3, 2); /* c's value was not seen by it */
}

static void a_nil_is_a_value(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  edit(x, 2, 1, OV_APPLIED, NAP, ov_nil(), c);
  edit(x, 3, 1, OV_APPLIED, NAP, ov_int(30), c);
  const ov_record *r = fold(x);
  assert_true(ov_record_field_conflict(r, NAP));
}

static void a_single_value_and_a_set_in_one_field_stand_apart(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  history_add(&x->h, c, 30, 4);
  ov_op *op = edit(x, 2, 1, OV_APPLIED, 30, ov_int(9), c);
  const ov_record *r = fold(x);
  uint32_t n;
  const ov_live *l = ov_record_field(r, 30, &n);
  assert_int_equal(n, 2);
  assert_false(l[0].is_elem);
  assert_true(l[1].is_elem);
  assert_false(ov_record_field_conflict(r, 30));
  assert_true(ov_name_equal(&r->ops[l[0].op].name, &op->name));
}

/* PROTO-94 */
static void circles_and_own_names_end(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  history_replaces(&x->h, c, &c->name);
  assert_shown(fold(x), NAP, 20, 1); /* nobody replaces himself */
  ov_op *a = edit(x, 2, 1, OV_HELD, NAP, ov_int(1), c);
  ov_op *b = edit(x, 3, 1, OV_HELD, NAP, ov_int(2), a);
  history_replaces(&x->h, a, &b->name);
  assert_shown(fold(x), NAP, 20, 1); /* two held ops that hold each other up count for nothing */
  *verdict_of(x, a) = *verdict_of(x, b) = OV_APPLIED;
  assert_null(ov_record_field(fold(x), NAP, NULL)); /* both are replaced, as the rule says */
}

/* PROTO-92, PROTO-96 */
static void time_and_then_name_decide_what_is_shown(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  edit(x, 2, 1, OV_APPLIED, NAP, ov_int(1), c);
  edit(x, 3, 1, OV_APPLIED, NAP, ov_int(2), c);
  ov_fold_in *a = &x->h.in[1], *b = &x->h.in[2];
  ((ov_op *)(uintptr_t)a->op)->device_time = ((ov_op *)(uintptr_t)b->op)->device_time = 5000;
  a->server_time = b->server_time = 9000;
  assert_shown(fold(x), NAP, 2, 2); /* same time: the greater name */
  a->clock_offset = 1;
  assert_shown(fold(x), NAP, 1, 2); /* corrected by the offset */
  a->clock_offset = 100000;
  b->server_time = INT64_MAX;
  b->clock_offset = 5000;
  const ov_record *r = fold(x);
  assert_shown(r, NAP, 2, 2); /* but never later than its receipt: 9000 < 10000 */
  assert_int_equal(r->ops[1].flags, OV_ROP_CLOCK_SUSPECT);
  assert_int_equal(r->ops[1].time, 9000);
  b->clock_offset = INT64_MIN;
  r = fold(x);
  assert_int_equal(r->ops[2].flags, OV_ROP_CLOCK_SUSPECT);
  ((ov_op *)(uintptr_t)a->op)->device_time = INT64_MAX;
  ((ov_op *)(uintptr_t)b->op)->device_time = INT64_MIN;
  r = fold(x);
  assert_int_equal(r->ops[2].time, INT64_MIN); /* saturates */
  assert_shown(r, NAP, 1, 2);
}

/* PROTO-98 */
static void header_comes_from_the_creating_op(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  c->has_participant = true;
  c->participant = history_name(60, 4);
  ov_op *e = edit(x, 0, 1, OV_APPLIED, NAP, ov_int(1), c); /* a smaller name */
  e->kind = 77;
  e->version = 9;
  const ov_record *r = fold(x);
  assert_int_equal(r->kind, 20);
  assert_int_equal(r->version, 9);
  assert_true(ov_name_equal(&r->participant, &c->participant));
  *verdict_of(x, c) = OV_HELD;
  r = fold(x);
  assert_false(r->created);
  assert_int_equal(r->kind, 20);
  assert_int_equal(r->n_ops, 1);
  *c = (ov_op){.name = c->name, .is_void = true};
  *verdict_of(x, c) = OV_VOID;
  r = fold(x);
  assert_int_equal(r->kind, 77);
  assert_true(ov_name_equal(&r->name, &c->name));
  *e = (ov_op){.name = e->name, .is_void = true};
  *verdict_of(x, e) = OV_VOID;
  r = fold(x);
  assert_int_equal(r->kind, 0);
  assert_int_equal(r->n_ops, 0);
}

static void refuses_no_ops_a_name_twice_and_too_many(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  assert_int_equal(ov_fold(x->h.in, 0, &x->a, &x->r), OV_E_INVALID);
  edit(x, 1, 1, OV_APPLIED, NAP, ov_int(1), c);
  assert_int_equal(ov_fold(x->h.in, 2, &x->a, &x->r), OV_E_INVALID);
  ov_fold_in *many = calloc(OV_RECORD_OPS_MAX + 1, sizeof *many);
  ov_op *ops = calloc(OV_RECORD_OPS_MAX + 1, sizeof *ops);
  for (uint32_t i = 0; i <= OV_RECORD_OPS_MAX; i++) {
    ops[i] = *c;
    ops[i].creates = i == 0;
    ops[i].name.seq = i + 1;
    many[i] = (ov_fold_in){.op = &ops[i], .verdict = OV_APPLIED};
  }
  assert_int_equal(ov_fold(many, OV_RECORD_OPS_MAX + 1, &x->a, &x->r), OV_E_LIMIT);
  assert_int_equal(ov_fold(many, OV_RECORD_OPS_MAX, &x->a, &x->r), 0);
  assert_int_equal(x->r.n_live, 2 * OV_RECORD_OPS_MAX);
  assert_int_equal(ov_record_conflicts(&x->r), 0);
  free(many);
  free(ops);
}

/* The most that may be folded fits into a decode arena, and one more is refused before memory is asked for.
 PROTO-100 */
static void bounds_values_and_links(void **state)
{
  fixture *x = *state;
  enum { FIELDS = 100, PER_OP = 256 };
  static ov_field fields[FIELDS];
  static ov_name names[PER_OP];
  for (uint16_t i = 0; i < FIELDS; i++) fields[i] = (ov_field){.id = (uint16_t)(i + 2), .v = ov_int(i)};
  for (uint32_t i = 0; i < PER_OP; i++) names[i] = history_name(1, i + 1);
  uint32_t n_values = OV_RECORD_VALUES_MAX / FIELDS, n_links = OV_RECORD_LINKS_MAX / PER_OP;
  uint32_t n = n_values + n_links + 2;
  ov_fold_in *in = calloc(n, sizeof *in);
  ov_op *ops = calloc(n, sizeof *ops);
  for (uint32_t i = 0; i < n; i++) {
    ops[i] = (ov_op){.name = history_name(1, i + 1),
                     .record = history_name(1, 1),
                     .creates = i == 0,
                     .fields = fields,
                     .n_fields = FIELDS};
    in[i] = (ov_fold_in){.op = &ops[i], .verdict = OV_HELD};
  }
  assert_int_equal(ov_fold(in, n_values, &x->a, &x->r), 0);
  assert_int_equal(ov_fold(in, n_values + 1, &x->a, &x->r), OV_E_LIMIT);
  for (uint32_t i = 0; i <= n_links; i++) {
    ops[i].n_fields = 1;
    ops[i].replaces = names;
    ops[i].n_replaces = PER_OP;
    in[i].verdict = OV_APPLIED;
  }
  ov_arena_reset(&x->a);
  assert_int_equal(ov_fold(in, n_links, &x->a, &x->r), 0);
  assert_int_equal(ov_fold(in, n_links + 1, &x->a, &x->r), OV_E_LIMIT);
  free(in);
  free(ops);
}

/* PROTO-99 */
static void names_to_replace_are_bounded(void **state)
{
  fixture *x = *state;
  enum { N = OV_OP_REPLACES_MAX + 10 };
  ov_fold_in *in = calloc(N, sizeof *in);
  ov_op *ops = calloc(N, sizeof *ops);
  ov_field f = {.id = NAP, .v = ov_int(1)};
  for (uint32_t i = 0; i < N; i++) {
    ops[i] = (ov_op){.name = history_name(1, i + 1),
                     .record = history_name(1, 1),
                     .fields = &f,
                     .n_fields = 1,
                     .device_time = i};
    in[i] = (ov_fold_in){.op = &ops[i], .verdict = OV_APPLIED, .server_time = INT64_MAX};
  }
  assert_int_equal(ov_fold(in, N, &x->a, &x->r), 0);
  ov_name *names;
  uint32_t n;
  assert_int_equal(ov_record_replaces(&x->r, NAP, &x->a, &names, &n), 0);
  assert_int_equal(n, OV_OP_REPLACES_MAX);
  assert_int_equal(names[0].seq, 11); /* the earliest are left for a second op */
  assert_int_equal(ov_record_replaces(&x->r, QUALITY, &x->a, &names, &n), 0);
  assert_int_equal(n, 0);
  free(in);
  free(ops);
}

/* -- absorb ---------------------------------------------------------------------------------------------- */

static void absorb_last(fixture *x, const ov_record *base, ov_record *out)
{
  ov_buf a, b;
  ov_buf_init(&a, 0);
  ov_buf_init(&b, 0);
  assert_int_equal(ov_fold_absorb(base, &x->h.in[x->h.n - 1], &x->a, out), 0);
  ov_record_encode(fold(x), &a);
  ov_record_encode(out, &b);
  assert_int_equal(a.n, b.n);
  assert_memory_equal(a.p, b.p, a.n);
  ov_buf_free(&a);
  ov_buf_free(&b);
}

/* PROTO-113 */
static void absorb_follows_the_fold(void **state)
{
  fixture *x = *state;
  ov_record base;
  ov_op *c = create(x);
  absorb_last(x, NULL, &base);
  ov_op *e = edit(x, 0, 7, OV_APPLIED, QUALITY, ov_int(4), c); /* its name sorts first */
  e->version = 2;
  absorb_last(x, &base, &base);
  ov_op *s = history_op(&x->h, 1, 2, OV_APPLIED);
  history_add(&x->h, s, DISTURBANCE, 3);
  absorb_last(x, &base, &base);
  ov_op *t = retract(x, 1, 3, "fout");
  absorb_last(x, &base, &base);
  assert_int_equal(ov_record_retracted(&base), OV_RETRACTED);
  ov_op *late = edit(x, 4, 1, OV_APPLIED, NAP, ov_int(7), c);
  history_replaces(&x->h, late, &s->name);
  absorb_last(x, &base, &base);
  assert_int_equal(ov_record_retracted(&base), OV_RETRACT_CONFLICT);
  edit(x, 1, 5, OV_APPLIED, 1, ov_nil(), t);
  absorb_last(x, &base, &base);
  assert_int_equal(ov_record_retracted(&base), OV_LIVE);
  edit(x, 3, 1, OV_HELD, NAP, ov_int(900), late);
  absorb_last(x, &base, &base);
  edit(x, 2, 1, OV_DISMISSED, NAP, ov_int(901), late); /* sorts before the other held op */
  absorb_last(x, &base, &base);
  edit(x, 9, 1, OV_WAITING, NAP, ov_int(1), late);
  absorb_last(x, &base, &base);
  edit(x, 8, 1, OV_HELD, NAP, ov_int(1), late);
  absorb_last(x, &base, &base);
}

static void absorbing_twice_changes_nothing(void **state)
{
  fixture *x = *state;
  ov_record once, twice;
  ov_op *c = create(x);
  edit(x, 2, 1, OV_HELD, NAP, ov_int(900), c);
  edit(x, 3, 1, OV_APPLIED, NAP, ov_int(1), c);
  once = *fold(x);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(ov_fold_absorb(&once, &x->h.in[i], &x->a, &twice), 0);
    assert_memory_equal(&once, &twice, sizeof once);
  }
}

static void absorb_completes_a_record_whose_creating_op_comes_late(void **state)
{
  fixture *x = *state;
  ov_record base, r;
  ov_op *c = create(x);
  edit(x, 2, 1, OV_APPLIED, NAP, ov_int(1), c)->version = 3;
  assert_int_equal(ov_fold(&x->h.in[1], 1, &x->a, &base), 0);
  assert_false(base.created);
  c->scope = 5;
  assert_int_equal(ov_fold_absorb(&base, &x->h.in[0], &x->a, &r), 0);
  assert_true(r.created);
  assert_int_equal(r.scope, 5);
  assert_int_equal(r.version, 3);
  *verdict_of(x, c) = OV_HELD;
  c->version = 4;
  assert_int_equal(ov_fold_absorb(&base, &x->h.in[0], &x->a, &r), 0);
  assert_false(r.created);
  assert_int_equal(r.scope, 5);
  assert_int_equal(r.version, 4);
  assert_int_equal(r.n_held, 1);
}

static void absorb_lets_no_retraction_name_itself(void **state)
{
  fixture *x = *state;
  ov_record base;
  ov_op *c = create(x);
  absorb_last(x, NULL, &base);
  ov_op *t = edit(x, 2, 1, OV_APPLIED, 1, ov_text("fout"), c);
  history_replaces(&x->h, t, &t->name);
  absorb_last(x, &base, &base);
  assert_int_equal(base.n_seen, 1);
}

/* -- encoding and rows ----------------------------------------------------------------------------------- */

static const ov_record *rich_record(fixture *x)
{
  ov_op *c = create(x);
  c->has_participant = c->has_author = true;
  c->participant = history_name(60, 1);
  c->author = history_name(50, 1);
  history_add(&x->h, c, DISTURBANCE, 1);
  history_add(&x->h, c, DISTURBANCE, 9);
  history_del(&x->h, c, DISTURBANCE, 4);
  history_set(&x->h, c, 30, ov_text("lang"));
  history_set(&x->h, c, 31, ov_bytes("\x01\x02", 2));
  edit(x, 0, 1, OV_APPLIED, NAP, ov_nil(), c);
  edit(x, 3, 1, OV_APPLIED, NAP, ov_int(-5), c);
  edit(x, 4, 1, OV_HELD, NAP, ov_int(900), c);
  edit(x, 5, 1, OV_DISMISSED, NAP, ov_int(901), c);
  x->h.in[2].clock_offset = 4000;
  retract(x, 6, 1, "fout");
  return fold(x);
}

static void assert_same_record(const ov_record *a, const ov_record *b)
{
  ov_buf x, y;
  ov_buf_init(&x, 0);
  ov_buf_init(&y, 0);
  ov_record_encode(a, &x);
  ov_record_encode(b, &y);
  assert_int_equal(x.err, 0);
  assert_int_equal(x.n, y.n);
  assert_memory_equal(x.p, y.p, x.n);
  ov_buf_free(&x);
  ov_buf_free(&y);
}

static void encoding_comes_back(void **state)
{
  fixture *x = *state;
  const ov_record *r = rich_record(x);
  ov_record back;
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_record_encode(r, &b);
  assert_int_equal(ov_record_decode(b.p, b.n, &x->a, &back), 0);
  assert_same_record(r, &back);
  assert_int_equal(ov_record_conflicts(&back), ov_record_conflicts(r));
  assert_int_equal(ov_record_retracted(&back), OV_RETRACTED);
  ov_buf_free(&b);
}

/* Whatever one changed byte makes of it: refused, or a record that can be used. */
static void decode_survives_every_changed_byte(void **state)
{
  fixture *x = *state;
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_record_encode(rich_record(x), &b);
  uint32_t refused = 0;
  for (size_t i = 0; i < b.n; i++) {
    uint8_t was = b.p[i];
    for (unsigned flip = 1; flip < 256; flip = flip * 2 + (flip & 1 ? 0 : 1)) {
      ov_record r;
      ov_op *rows;
      size_t n;
      b.p[i] = (uint8_t)(was ^ flip);
      ov_arena_reset(&x->a);
      int err = ov_record_decode(b.p, b.n, &x->a, &r);
      if (err) {
        assert_true(err == OV_E_FORMAT || err == OV_E_OP_FORMAT || err == OV_E_OP_LIMIT);
        refused++;
        continue;
      }
      ov_record_conflicts(&r);
      ov_record_retracted(&r);
      assert_int_equal(ov_record_to_rows(&r, &x->a, &rows, &n), 0);
    }
    b.p[i] = was;
  }
  assert_true(refused > b.n);
  for (size_t n = 0; n < b.n; n++) {
    ov_record r;
    assert_int_equal(ov_record_decode(b.p, n, &x->a, &r), OV_E_FORMAT);
  }
  ov_buf_free(&b);
}

static void assert_refused(fixture *x, const ov_record *r)
{
  ov_record back;
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_record_encode(r, &b);
  assert_int_equal(ov_record_decode(b.p, b.n, &x->a, &back), OV_E_FORMAT);
  ov_buf_free(&b);
}

static void decode_refuses_what_the_fold_never_makes(void **state)
{
  fixture *x = *state;
  ov_record r = *rich_record(x), bad = r;
  assert_true(r.n_ops > 2 && r.n_held == 2 && r.n_seen > 1 && r.n_live > 2);
  bad.created = false;
  assert_refused(x, &bad);
  bad = r;
  ov_rop ops[8];
  memcpy(ops, r.ops, r.n_ops * sizeof *ops);
  ops[1] = ops[0];
  bad.ops = ops;
  assert_refused(x, &bad);
  bad = r;
  ov_live live[32];
  memcpy(live, r.live, r.n_live * sizeof *live);
  bad.live = live;
  live[0].op = r.n_ops;
  assert_refused(x, &bad);
  live[0] = r.live[1];
  live[1] = r.live[0];
  assert_refused(x, &bad);
  live[0] = live[1] = r.live[0];
  assert_refused(x, &bad);
  ov_value elems[] = {ov_int(1)};
  live[1] = r.live[1];
  live[0].v = (ov_value){.type = OV_V_SET, .set = {.add = elems, .n_add = 1}};
  assert_refused(x, &bad);
  bad = r;
  ov_heldop held[2] = {r.held[1], r.held[0]};
  bad.held = held;
  assert_refused(x, &bad);
  held[0] = r.held[0];
  held[1] = r.held[1];
  held[1].verdict = OV_APPLIED;
  assert_refused(x, &bad);
  bad = r;
  ov_name seen[2] = {r.seen[1], r.seen[0]};
  bad.seen = seen;
  bad.n_seen = 2;
  assert_refused(x, &bad);
  seen[0] = history_name(77, 1);
  assert_refused(x, &bad);
}

static void decode_refuses_an_entry_of_two_parts(void **state)
{
  fixture *x = *state;
  ov_record r = {.name = history_name(1, 1)}, back;
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_record_encode(&r, &b);
  assert_int_equal(ov_record_decode(b.p, b.n, &x->a, &back), 0);
  assert_int_equal(back.n_live, 0);
  const uint8_t tail[] = {0x91, 0x92, 0x01, 0x00, 0x90, 0x90}; /* live [[1, 0]], held [], seen [] */
  b.n -= 3;
  ov_buf_put(&b, tail, sizeof tail);
  assert_int_equal(ov_record_decode(b.p, b.n, &x->a, &back), OV_E_FORMAT);
  ov_buf_free(&b);
}

static void put_beside_all(ov_record *back, const ov_record *r)
{
  uint8_t flags[HISTORY_OPS_MAX];
  for (uint32_t i = 0; i < r->n_ops; i++) flags[i] = r->ops[i].flags;
  assert_int_equal(
      ov_record_put_beside(back, !r->created, flags, r->n_ops, r->held, r->n_held, r->seen, r->n_seen), 0);
}

/* PROTO-47, PROTO-48 */
static void rows_come_back(void **state)
{
  fixture *x = *state;
  const ov_record *r = rich_record(x);
  ov_record back;
  ov_op *rows;
  size_t n;
  assert_int_equal(ov_record_to_rows(r, &x->a, &rows, &n), 0);
  assert_int_equal(n, r->n_ops);
  assert_true(rows[0].creates);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(ov_op_validate(&rows[i]), 0);
    assert_true(ov_name_equal(&rows[i].record, &r->name));
  }
  assert_int_equal(ov_record_from_rows(rows, n, &x->a, &back), 0);
  put_beside_all(&back, r);
  assert_same_record(r, &back);
}

/* PROTO-47 */
static void rows_of_a_record_without_its_creating_op(void **state)
{
  fixture *x = *state;
  ov_op *c = create(x);
  c->has_participant = true;
  c->participant = history_name(60, 1);
  edit(x, 0, 1, OV_APPLIED, NAP, ov_int(1), c)->has_participant = true;
  edit(x, 2, 1, OV_APPLIED, NAP, ov_int(2), c);
  *verdict_of(x, c) = OV_HELD;
  const ov_record *r = fold(x);
  ov_record back;
  ov_op *rows;
  size_t n;
  assert_int_equal(ov_record_to_rows(r, &x->a, &rows, &n), 0);
  assert_int_equal(n, 3);
  assert_int_equal(ov_record_from_rows(rows, n, &x->a, &back), 0);
  put_beside_all(&back, r);
  assert_same_record(r, &back);

  *verdict_of(x, x->h.in[1].op) = *verdict_of(x, x->h.in[2].op) = OV_DISMISSED; /* nothing but held ops */
  r = fold(x);
  assert_int_equal(r->n_ops, 0);
  assert_int_equal(ov_record_to_rows(r, &x->a, &rows, &n), 0);
  assert_int_equal(n, 1);
  assert_int_equal(ov_record_from_rows(rows, n, &x->a, &back), 0);
  put_beside_all(&back, r);
  assert_same_record(r, &back);
}

/* PROTO-48 */
static void rows_that_fit_no_record_are_refused(void **state)
{
  fixture *x = *state;
  const ov_record *r = rich_record(x);
  ov_record back;
  ov_op *rows, wrong[8];
  size_t n;
  assert_int_equal(ov_record_to_rows(r, &x->a, &rows, &n), 0);
  assert_int_equal(ov_record_from_rows(rows, 0, &x->a, &back), OV_E_FORMAT);
  assert_int_equal(ov_record_from_rows(rows + 1, n - 1, &x->a, &back), OV_E_FORMAT);
  memcpy(wrong, rows, n * sizeof *rows);
  wrong[1].record = wrong[1].name;
  assert_int_equal(ov_record_from_rows(wrong, n, &x->a, &back), OV_E_FORMAT);
  wrong[1] = wrong[2];
  assert_int_equal(ov_record_from_rows(wrong, n, &x->a, &back), OV_E_FORMAT);
  assert_int_equal(ov_record_from_rows(rows, OV_RECORD_OPS_MAX + 2, &x->a, &back), OV_E_LIMIT);

  assert_int_equal(ov_record_from_rows(rows, n, &x->a, &back), 0);
  uint8_t flags[1] = {0};
  assert_int_equal(ov_record_put_beside(&back, false, flags, 1, NULL, 0, NULL, 0), OV_E_FORMAT);
  assert_int_equal(ov_record_put_beside(&back, true, NULL, 0, NULL, 0, NULL, 0),
                   OV_E_FORMAT); /* it has values */
  assert_int_equal(ov_record_put_beside(&back, false, NULL, 0, r->held, r->n_held, r->seen, r->n_seen), 0);
  ov_name other = history_name(77, 1);
  assert_int_equal(ov_record_put_beside(&back, false, NULL, 0, NULL, 0, &other, 1), OV_E_FORMAT);
  back.name = other;
  assert_int_equal(ov_record_put_beside(&back, true, NULL, 0, NULL, 0, NULL, 0), OV_E_FORMAT);
}

/* -- memory ---------------------------------------------------------------------------------------------- */

static int run_all(fixture *x, ov_arena *a, const ov_buf *bytes)
{
  ov_record r, back;
  ov_op *rows;
  size_t n;
  ov_name *names;
  uint32_t count;
  int err = ov_fold(x->h.in, x->h.n, a, &r);
  if (!err) err = ov_record_replaces(&r, NAP, a, &names, &count);
  if (!err) err = ov_record_to_rows(&r, a, &rows, &n);
  if (!err) err = ov_record_from_rows(rows, n, a, &back);
  if (!err) err = ov_record_decode(bytes->p, bytes->n, a, &back);
  ov_fold_in more = {.op = x->h.in[1].op, .verdict = OV_HELD};
  ov_op other = *more.op;
  other.name.seq = 1000;
  more.op = &other;
  if (!err) err = ov_fold_absorb(&r, &more, a, &back);
  more.verdict = OV_APPLIED;
  if (!err) err = ov_fold_absorb(&r, &more, a, &back);
  return err;
}

/* Every place where the arena can be full. */
static void memory_runs_out_at_every_step(void **state)
{
  fixture *x = *state;
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_record_encode(rich_record(x), &b);
  unsigned failed = 0;
  int err = OV_E_NOMEM;
  for (size_t max = 0; err; max += 16) {
    ov_arena a;
    ov_arena_init(&a, max);
    err = run_all(x, &a, &b);
    assert_true(err == 0 || err == OV_E_NOMEM);
    failed += err != 0;
    ov_arena_free(&a);
    assert_true(max < 1u << 20);
  }
  assert_true(failed > 100);
  ov_buf_free(&b);
}

static void held_reasons_have_texts(void **state)
{
  (void)state;
  for (int i = -1; i <= OV_HELD_COUNT; i++) {
    assert_true(strlen(ov_held_text_en(i)) > 5);
    assert_true(strlen(ov_held_text_nl(i)) > 5);
    for (int k = OV_HELD_NONE; k < i && i < OV_HELD_COUNT; k++)
      assert_string_not_equal(ov_held_text_nl(i), ov_held_text_nl(k));
  }
  assert_string_equal(ov_held_text_en(-1), ov_held_text_en(OV_HELD_COUNT));
  assert_string_equal(ov_held_text_nl(OV_HELD_RANGE), "een getal is te hoog of te laag");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
  const struct CMUnitTest tests[] = {
      T(one_op),
      T(concurrent_edits_conflict_until_one_op_names_both),
      T(equal_values_are_no_conflict),
      T(codes_of_a_set_conflict_one_by_one),
      T(a_set_write_leaves_the_codes_it_does_not_carry),
      T(a_retraction_meets_a_concurrent_edit),
      T(an_undo_meets_another_retraction),
      T(retractions_with_two_reasons_agree),
      T(a_retraction_sees_its_own_values),
      T(a_set_in_field_1_is_no_retraction),
      T(undo_writes_the_old_value_again),
      T(a_held_link_makes_no_false_conflict),
      T(a_held_link_counts_in_its_own_field_only),
      T(rulings_decide_by_verdict_alone),
      T(waiting_void_and_erased_ops_say_nothing),
      T(a_nil_is_a_value),
      T(a_single_value_and_a_set_in_one_field_stand_apart),
      T(circles_and_own_names_end),
      T(time_and_then_name_decide_what_is_shown),
      T(header_comes_from_the_creating_op),
      T(refuses_no_ops_a_name_twice_and_too_many),
      T(bounds_values_and_links),
      T(names_to_replace_are_bounded),
      T(absorb_follows_the_fold),
      T(absorbing_twice_changes_nothing),
      T(absorb_completes_a_record_whose_creating_op_comes_late),
      T(absorb_lets_no_retraction_name_itself),
      T(encoding_comes_back),
      T(decode_survives_every_changed_byte),
      T(decode_refuses_what_the_fold_never_makes),
      T(decode_refuses_an_entry_of_two_parts),
      T(rows_come_back),
      T(rows_of_a_record_without_its_creating_op),
      T(rows_that_fit_no_record_are_refused),
      T(memory_runs_out_at_every_step),
      T(held_reasons_have_texts),
  };
  return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
