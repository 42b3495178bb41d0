/* Group commit and restores: a transaction carries several pushes; what is refused writes nothing; what fails
 * undoes all; positions tell histories apart. */
#include "ingest_world.h"
#include "sv_limits.h"

typedef struct pending {
  ov_buf rows;
  sv_push_in in;
  sv_push_out out;
} pending;

static void prepare(fx_tablet *t, uint32_t from, uint32_t to, pending *p) {
  memset(p, 0, sizeof *p);
  fx_push_in(t, from, to, &p->rows, &p->in);
}

static void done(pending *p) {
  sv_touches_free(&p->out.touches);
  ov_buf_free(&p->rows);
}

static void pushes_of_one_batch_stand_beside_each_other(void **state) {
  (void)state;
  small_world s;
  pending p[3];
  sv_txn *t = NULL;
  sv_op_row row;
  small_open(&s, 90);
  fx_tablet *t2 = fx_tablet_new(&s.w, s.org, &s.a, 1, &s.carer);
  ov_name one = small_night(&s, s.ta, 1), two = small_night(&s, t2, 2), never = small_night(&s, s.tb, 3);
  ov_field f[] = {FX_INT(SLEEP_SOL, 9)};
  fx_edit_of(t2, s.ta->ops[0], &one, f, 1, NULL, 0); /* names a record of the push before it in the batch */
  prepare(s.ta, 1, 1, &p[0]);
  prepare(s.tb, 1, 1, &p[1]);
  p[1].in.push.sig[5] ^= 1;
  prepare(t2, 1, 2, &p[2]);
  FX_OK(sv_txn_write(s.org->env, &t));
  for (int i = 0; i < 3; i++) FX_OK(sv_ingest_push(t, s.org, &p[i].in, &s.w.arena, &p[i].out));
  FX_OK(sv_txn_commit(t));
  assert_int_equal(p[0].out.err, 0);
  assert_int_equal(p[1].out.err, OV_E_AUTH);
  assert_int_equal(p[2].out.err, 0);
  assert_int_equal(p[2].out.stored, 2);
  assert_true(fx_op(&s.w, s.org, &one, &row));
  assert_true(fx_op(&s.w, s.org, &two, &row));
  assert_false(fx_op(&s.w, s.org, &never, &row));
  assert_int_equal(small_waiting(s.org), 0);
  fx_verify(&s.w, s.org);
  for (int i = 0; i < 3; i++) done(&p[i]);
  fx_tablet_free(t2);
  small_close(&s);
}

static void a_failed_transaction_leaves_nothing(void **state) {
  (void)state;
  small_world s;
  pending p;
  sv_txn *t = NULL;
  sv_op_row row;
  sv_scope before, after;
  small_open(&s, 91);
  ov_name n = small_night(&s, s.ta, 1);
  prepare(s.ta, 1, 1, &p);
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_scope_get(t, s.a, &before));
  sv_txn_abort(t);
  FX_OK(sv_txn_write(s.org->env, &t));
  FX_OK(sv_ingest_push(t, s.org, &p.in, &s.w.arena, &p.out));
  sv_txn_fail(t, OV_E_IO);
  assert_int_equal(sv_txn_commit(t), OV_E_IO);
  sv_touches_free(&p.out.touches);
  assert_false(fx_op(&s.w, s.org, &n, &row));
  FX_OK(sv_txn_write(s.org->env, &t)); /* the same input again */
  FX_OK(sv_ingest_push(t, s.org, &p.in, &s.w.arena, &p.out));
  FX_OK(sv_txn_commit(t));
  assert_int_equal(p.out.stored, 1);
  FX_OK(sv_txn_read(s.org->env, &t));
  FX_OK(sv_scope_get(t, s.a, &after));
  sv_txn_abort(t);
  assert_int_equal(after.pos, before.pos + 1);
  done(&p);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

static void growth_in_the_middle_of_a_batch_repeats_it(void **state) {
  (void)state;
  small_world s;
  sv_env_stats st;
  memset(&s, 0, sizeof s);
  fx_open(&s.w, 92);
  s.w.map_bytes = 256 * 1024; /* far too small */
  s.org = fx_org(&s.w, fx_data(&s.w), "De Linde");
  s.a = fx_team(&s.w, s.org, "Beuk");
  s.b = fx_team(&s.w, s.org, "Eik");
  s.carer = fx_person(&s.w, s.org, "carer", &s.a, 1);
  s.anna = fx_participant(&s.w, s.org, "Anna", &s.a, 1);
  s.ta = fx_tablet_new(&s.w, s.org, &s.a, 1, &s.carer);
  s.tb = fx_tablet_new(&s.w, s.org, &s.b, 1, &s.carer);
  for (int i = 0; i < 3000; i++) small_night(&s, s.ta, 1 + i % 6);
  fx_push_ok(s.ta, s.org, 1, 3000); /* one push, larger than the whole map */
  sv_env_stats_get(s.org->env, &st);
  assert_true(st.grows > 0);
  assert_true(fx_verify(&s.w, s.org) > 3000);
  small_close(&s);
}

static void position_hash(sv_org *org, uint32_t scope, uint64_t pos, uint8_t out[OV_POSHASH_BYTES]) {
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(org->env, &t));
  FX_OK(sv_pos_hash(t, scope, pos, out));
  sv_txn_abort(t);
}

/* After a restore the same record takes the same position with other content: a client's cursor must not fit
 * any more. PROTO-107 */
static void the_same_position_with_other_content_has_another_hash(void **state) {
  (void)state;
  small_world s;
  sv_record_row a, b;
  uint8_t x[OV_POSHASH_BYTES], y[OV_POSHASH_BYTES];
  small_open(&s, 93);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  sv_org *backup = fx_org_copy(&s.w, s.org);
  fx_tablet *clone = fx_tablet_clone(s.ta);
  small_set(s.ta, 1, SLEEP_SOL, 10, NULL);
  small_set(clone, 1, SLEEP_SOL, 11, NULL);
  fx_push_ok(s.ta, s.org, 2, 2);
  fx_push_ok(clone, backup, 2, 2);
  assert_true(fx_record(&s.w, s.org, &night, &a));
  assert_true(fx_record(&s.w, backup, &night, &b));
  assert_int_equal(a.places[0].pos, b.places[0].pos);
  position_hash(s.org, s.a, a.places[0].pos, x);
  position_hash(backup, s.a, b.places[0].pos, y);
  assert_memory_not_equal(x, y, sizeof x);
  position_hash(s.org, s.a, a.places[0].pos - 1, x); /* while what was before the backup is the same */
  position_hash(backup, s.a, b.places[0].pos - 1, y);
  assert_memory_equal(x, y, sizeof x);
  fx_tablet_free(clone);
  sv_org_close(backup);
  small_close(&s);
}

/* A tablet a year ahead, then a restore: nobody's entry is worth less for it, and the tablet offers the rest
 * again. PROTO-92 */
static void a_tablet_a_year_ahead_meets_a_restored_server(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  sv_record_row rec;
  small_open(&s, 94);
  sv_org *backup = fx_org_copy(&s.w, s.org);
  s.ta->clock_off_s = 365 * 86400;
  ov_name night = small_night(&s, s.ta, 1);
  ov_name own = small_set(s.ta, 1, SLEEP_SOL, 10, NULL);
  fx_push_ok(s.ta, s.org, 1, 2);
  assert_int_equal(fx_push(s.ta, backup, 3, 2, &out), OV_E_GAP); /* the backup has none of it */
  assert_int_equal(out.up_to, 0);
  s.w.now_ms += 60000;
  fx_push_ok(s.ta, backup, 1, 2);
  assert_true(fx_record(&s.w, backup, &night, &rec));
  for (uint32_t i = 0; i < rec.rec.n_ops; i++) {
    assert_true(rec.rec.ops[i].time <= s.w.now_ms / 1000);
    assert_true(rec.rec.ops[i].flags & OV_ROP_CLOCK_SUSPECT);
  }
  /* Somebody with a good clock corrects it later, and is shown. */
  s.w.now_ms += 60000;
  fx_tablet *t2 = fx_tablet_new(&s.w, backup, &s.a, 1, &s.carer);
  ov_field f[] = {FX_INT(SLEEP_SOL, 20)};
  fx_edit_of(t2, s.ta->ops[0], &night, f, 1, NULL, 0); /* concurrent: saw nothing */
  fx_push_ok(t2, backup, 1, 1);
  assert_true(fx_record(&s.w, backup, &night, &rec));
  assert_true(ov_record_field_conflict(&rec.rec, SLEEP_SOL));
  assert_int_equal(fx_int(&rec, SLEEP_SOL),
                   20); /* the later by corrected time leads; the other is visible too */
  (void)own;
  fx_verify(&s.w, backup);
  fx_tablet_free(t2);
  sv_org_close(backup);
  small_close(&s);
}

static void one_carer_deletes_the_code_that_another_adds_to(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  small_open(&s, 95);
  fx_tablet *t2 = fx_tablet_new(&s.w, s.org, &s.a, 1, &s.carer);
  ov_field f[] = {FX_INT(SLEEP_NIGHT, NIGHT), FX_INT(SLEEP_SOURCE, 1),
                  fx_set(&s.w, SLEEP_DISTURBANCE, (int64_t[]){1, 2}, 2, NULL, 0)};
  ov_name night = fx_create(s.ta, SLEEP, &s.anna, f, 3);
  fx_push_ok(s.ta, s.org, 1, 1);
  ov_field del[] = {fx_set(&s.w, SLEEP_DISTURBANCE, NULL, 0, (int64_t[]){2}, 1)};
  ov_field add[] = {fx_set(&s.w, SLEEP_DISTURBANCE, (int64_t[]){3}, 1, NULL, 0)};
  fx_edit(s.ta, s.org, &night, del, 1);
  fx_edit(t2, s.org, &night, add, 1);
  fx_push_ok(s.ta, s.org, 2, 2);
  fx_push_ok(t2, s.org, 1, 1);
  assert_true(fx_record(&s.w, s.org, &night, &rec));
  assert_false(ov_record_field_conflict(&rec.rec, SLEEP_DISTURBANCE)); /* different codes: no conflict */
  uint32_t n = 0, present = 0;
  const ov_live *l = ov_record_field(&rec.rec, SLEEP_DISTURBANCE, &n);
  for (uint32_t i = 0; i < n; i++) present |= l[i].v.i ? 1u << l[i].elem.i : 0;
  assert_int_equal(present, 1u << 1 | 1u << 3);
  fx_tablet_free(t2);
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pushes_of_one_batch_stand_beside_each_other),
      cmocka_unit_test(a_failed_transaction_leaves_nothing),
      cmocka_unit_test(growth_in_the_middle_of_a_batch_repeats_it),
      cmocka_unit_test(the_same_position_with_other_content_has_another_hash),
      cmocka_unit_test(a_tablet_a_year_ahead_meets_a_restored_server),
      cmocka_unit_test(one_carer_deletes_the_code_that_another_adds_to),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
