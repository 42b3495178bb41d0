/* The record beside its ops: absorbing what came later, its encoding, its rows, memory that runs out. */
#include "fold_records.h"

/* -- absorb ---------------------------------------------------------------------------------------------- */

static void absorb_last(fixture *x, const ov_record *base, ov_record *out) {
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
static void absorb_follows_the_fold(void **state) {
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

static void absorbing_twice_changes_nothing(void **state) {
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

static void absorb_completes_a_record_whose_creating_op_comes_late(void **state) {
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

static void absorb_lets_no_retraction_name_itself(void **state) {
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

static const ov_record *rich_record(fixture *x) {
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

static void assert_same_record(const ov_record *a, const ov_record *b) {
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

static void encoding_comes_back(void **state) {
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
static void decode_survives_every_changed_byte(void **state) {
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

static void assert_refused(fixture *x, const ov_record *r) {
  ov_record back;
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_record_encode(r, &b);
  assert_int_equal(ov_record_decode(b.p, b.n, &x->a, &back), OV_E_FORMAT);
  ov_buf_free(&b);
}

static void decode_refuses_what_the_fold_never_makes(void **state) {
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

static void decode_refuses_an_entry_of_two_parts(void **state) {
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

static void put_beside_all(ov_record *back, const ov_record *r) {
  uint8_t flags[HISTORY_OPS_MAX];
  for (uint32_t i = 0; i < r->n_ops; i++) flags[i] = r->ops[i].flags;
  assert_int_equal(
      ov_record_put_beside(back, !r->created, flags, r->n_ops, r->held, r->n_held, r->seen, r->n_seen), 0);
}

/* PROTO-47, PROTO-48 */
static void rows_come_back(void **state) {
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
static void rows_of_a_record_without_its_creating_op(void **state) {
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
static void rows_that_fit_no_record_are_refused(void **state) {
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

static int run_all(fixture *x, ov_arena *a, const ov_buf *bytes) {
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
static void memory_runs_out_at_every_step(void **state) {
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

static void held_reasons_have_texts(void **state) {
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

int main(void) {
  const struct CMUnitTest tests[] = {
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
  return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
