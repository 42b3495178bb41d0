/* The fold, rule by rule: small histories a person can follow. Random ones are in test_fold_property.c. */
#include "fold_records.h"

static void assert_shown(const ov_record *r, uint16_t field, int64_t value, uint32_t entries) {
  uint32_t n;
  const ov_live *l = ov_record_field(r, field, &n);
  assert_non_null(l);
  assert_int_equal(n, entries);
  assert_int_equal(l->v.type, OV_V_INT);
  assert_int_equal(l->v.i, value);
}

static void one_op(void **state) {
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
static void concurrent_edits_conflict_until_one_op_names_both(void **state) {
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
static void equal_values_are_no_conflict(void **state) {
  fixture *x = *state;
  ov_op *c = create(x);
  edit(x, 2, 1, OV_APPLIED, QUALITY, ov_int(4), c);
  edit(x, 3, 1, OV_APPLIED, QUALITY, ov_int(4), c);
  const ov_record *r = fold(x);
  assert_shown(r, QUALITY, 4, 2); /* both are listed: who writes next must name both */
  assert_int_equal(ov_record_conflicts(r), 0);
}

/* PROTO-93, PROTO-95 */
static void codes_of_a_set_conflict_one_by_one(void **state) {
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

static void a_set_write_leaves_the_codes_it_does_not_carry(void **state) {
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

/* PROTO-26, PROTO-97 */
static void a_retraction_meets_a_concurrent_edit(void **state) {
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
static void an_undo_meets_another_retraction(void **state) {
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

static void retractions_with_two_reasons_agree(void **state) {
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

static void a_retraction_sees_its_own_values(void **state) {
  fixture *x = *state;
  ov_op *c = create(x);
  history_set(&x->h, c, 1, ov_text("proef"));
  const ov_record *r = fold(x);
  assert_int_equal(ov_record_retracted(r), OV_RETRACTED);
  edit(x, 2, 1, OV_APPLIED, NAP, ov_int(5), c);
  assert_int_equal(ov_record_retracted(fold(x)), OV_RETRACT_CONFLICT);
}

static void a_set_in_field_1_is_no_retraction(void **state) {
  fixture *x = *state;
  ov_op *c = create(x);
  history_add(&x->h, c, 1, 7);
  assert_int_equal(ov_record_retracted(fold(x)), OV_LIVE);
  edit(x, 2, 1, OV_APPLIED, 1, ov_text("fout"), c);
  assert_int_equal(ov_record_retracted(fold(x)), OV_RETRACTED);
}

static void undo_writes_the_old_value_again(void **state) {
  fixture *x = *state;
  ov_op *c = create(x);
  ov_op *e = edit(x, 1, 2, OV_APPLIED, QUALITY, ov_int(1), c);
  edit(x, 1, 3, OV_APPLIED, QUALITY, ov_int(3), e);
  const ov_record *r = fold(x);
  assert_shown(r, QUALITY, 3, 1);
  assert_int_equal(r->n_ops, 2); /* the creating op still holds the nap; the edit holds nothing */
}

/* PROTO-94 */
static void a_held_link_makes_no_false_conflict(void **state) {
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

static void a_held_link_counts_in_its_own_field_only(void **state) {
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

static void rulings_decide_by_verdict_alone(void **state) {
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
static void waiting_void_and_erased_ops_say_nothing(void **state) {
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

static void a_nil_is_a_value(void **state) {
  fixture *x = *state;
  ov_op *c = create(x);
  edit(x, 2, 1, OV_APPLIED, NAP, ov_nil(), c);
  edit(x, 3, 1, OV_APPLIED, NAP, ov_int(30), c);
  const ov_record *r = fold(x);
  assert_true(ov_record_field_conflict(r, NAP));
}

static void a_single_value_and_a_set_in_one_field_stand_apart(void **state) {
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
static void circles_and_own_names_end(void **state) {
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
static void time_and_then_name_decide_what_is_shown(void **state) {
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
static void header_comes_from_the_creating_op(void **state) {
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

static void refuses_no_ops_a_name_twice_and_too_many(void **state) {
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
static void bounds_values_and_links(void **state) {
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
static void names_to_replace_are_bounded(void **state) {
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

int main(void) {
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
  };
  return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
