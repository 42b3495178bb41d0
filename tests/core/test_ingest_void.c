/* Broken ops and voids: what is broken is refused by name, what only hashes are known of is kept as such, and
 * filled later. */
#include "ingest_world.h"

/* PROTO-28, PROTO-84 */
static void a_broken_op_in_the_middle_stops_the_push_there(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  sv_op_row row;
  small_open(&s, 30);
  ov_name first = small_night(&s, s.ta, 1);
  static const uint8_t float_inside[] = {0x92, 0x81, 0x0a, 0xcb, 0, 0, 0, 0, 0, 0, 0, 0, 0x90};
  ov_op op = {.scope = s.a,
              .creates = true,
              .kind = SLEEP,
              .version = 1,
              .has_participant = true,
              .participant = s.anna};
  ov_name broken = fx_add_raw(s.ta, op, float_inside, sizeof float_inside);
  ov_name after = small_night(&s, s.ta, 3);
  assert_int_equal(fx_push(s.ta, s.org, 1, 3, &out), OV_E_OP_FORMAT);
  assert_int_equal(out.refused_seq, 2);
  assert_int_equal(out.refused_err, OV_E_OP_FORMAT);
  assert_int_equal(out.up_to, 1);
  assert_memory_equal(&out.head, &s.ta->heads[1], sizeof out.head);
  assert_int_equal(out.stored, 1);
  sv_touches_free(&out.touches);
  assert_true(fx_op(&s.w, s.org, &first, &row));
  assert_false(fx_op(&s.w, s.org, &broken, &row));
  assert_false(fx_op(&s.w, s.org, &after, &row));
  /* The client sends its commitment alone and goes on; the chain is the same. */
  fx_drop(s.ta, 2);
  fx_push_ok(s.ta, s.org, 2, 3);
  assert_true(fx_op(&s.w, s.org, &broken, &row));
  assert_true(row.op.is_void);
  assert_true(fx_op(&s.w, s.org, &after, &row));
  fx_verify(&s.w, s.org);
  small_close(&s);
}

/* PROTO-84 */
static void an_op_over_a_limit_is_refused_by_name(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  small_open(&s, 31);
  static uint8_t huge[OV_PAYLOAD_BYTES_MAX + 64];
  huge[0] = 0x92; /* [ {10: bytes}, [] ] */
  huge[1] = 0x81;
  huge[2] = 10;
  huge[3] = 0xc5;
  huge[4] = (uint8_t)((sizeof huge - 7) >> 8);
  huge[5] = (uint8_t)(sizeof huge - 7);
  huge[sizeof huge - 1] = 0x90;
  ov_op op = {.scope = s.a,
              .creates = true,
              .kind = SLEEP,
              .version = 1,
              .has_participant = true,
              .participant = s.anna};
  fx_add_raw(s.ta, op, huge, sizeof huge);
  assert_int_equal(fx_push(s.ta, s.org, 1, 1, &out), OV_E_OP_LIMIT);
  assert_int_equal(out.refused_err, OV_E_OP_LIMIT);
  assert_int_equal(out.up_to, 0);
  assert_int_equal(out.stored, 0);
  small_close(&s);
}

/* A client has dropped ops that were safe, and meets a server restored from an older backup. PROTO-85 */
static void a_client_that_dropped_safe_ops_offers_voids_and_they_are_filled_later(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  sv_record_row rec;
  small_open(&s, 32);
  sv_org *older = fx_org_copy(&s.w, s.org); /* the backup, before the entries */
  ov_name night = small_night(&s, s.ta, 1);
  small_set(s.ta, 1, SLEEP_SOL, 15, NULL);
  fx_push_ok(s.ta, s.org, 1, 2);
  ov_op full[2] = {*s.ta->ops[0], *s.ta->ops[1]};
  fx_drop(s.ta, 1);
  fx_drop(s.ta, 2);
  ov_op header = {.scope = s.a, .kind = SLEEP, .version = 1, .has_participant = true, .participant = s.anna};
  ov_field f[] = {FX_INT(SLEEP_WAKE, 4)};
  ov_name edit = fx_edit_of(s.ta, &header, &night, f, 1, NULL, 0);
  assert_int_equal(fx_push(s.ta, older, 1, 3, &out), 0);
  assert_int_equal(out.stored, 3);
  sv_touches_free(&out.touches);
  assert_int_equal(fx_verdict(&s.w, older, &night, NULL), OV_VOID);
  assert_true(fx_record(&s.w, older, &night, &rec)); /* the edit is shown, though what it edits is not here */
  assert_false(rec.rec.created);
  assert_int_equal(fx_int(&rec, SLEEP_WAKE), 4);
  sv_op_row before;
  assert_true(fx_op(&s.w, older, &night, &before));

  /* Somebody finds the payloads in a newer backup; pushed again, they fill the voids. */
  s.w.now_ms += 60000;
  fx_tablet *found = fx_tablet_clone(s.ta);
  found->ops[0] = &full[0];
  found->ops[1] = &full[1];
  assert_int_equal(fx_push(found, older, 1, 3, &out), 0);
  assert_int_equal(out.stored, 0);
  assert_int_equal(out.duplicates, 3);
  assert_int_equal(out.touches.n, 1);
  assert_true(out.touches.v[0].foreign);
  sv_touches_free(&out.touches);
  assert_true(fx_record(&s.w, older, &night, &rec));
  assert_true(rec.rec.created);
  assert_int_equal(fx_int(&rec, SLEEP_SOL), 15);
  assert_int_equal(fx_int(&rec, SLEEP_WAKE), 4);
  sv_op_row now;
  assert_true(fx_op(&s.w, older, &night, &now));
  assert_int_equal(now.n_receipts, 1);
  assert_int_equal(now.receipts[0].server_time_ms,
                   before.receipts[0].server_time_ms); /* when it came does not change */
  assert_int_equal(now.receipts[0].verdict, OV_APPLIED);
  /* And a void for what is stored in full is just a repetition. */
  assert_int_equal(fx_push(s.ta, older, 1, 3, &out), 0);
  assert_int_equal(out.duplicates, 3);
  assert_int_equal(out.touches.n, 0);
  assert_true(fx_op(&s.w, older, &night, &now));
  assert_false(now.op.is_void);
  assert_int_equal(fx_verdict(&s.w, older, &edit, NULL), OV_APPLIED);
  fx_verify(&s.w, older);
  fx_tablet_free(found);
  sv_org_close(older);
  small_close(&s);
}

static void a_peer_fills_a_void_too(void **state) {
  (void)state;
  small_world s;
  sv_record_row rec;
  small_open(&s, 33);
  sv_org *older = fx_org_copy(&s.w, s.org);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  fx_drop(s.ta, 1);
  fx_push_ok(s.ta, older, 1, 1);
  assert_false(fx_record(&s.w, older, &night, &rec));
  ship(&s, s.org, older);
  assert_true(fx_record(&s.w, older, &night, &rec));
  assert_true(rec.rec.created);
  assert_int_equal(fx_verdict(&s.w, older, &night, NULL), OV_APPLIED);
  fx_verify(&s.w, older);
  sv_org_close(older);
  small_close(&s);
}

/* The void came by a peer, the payload from the device itself: this server judges it and says so beside the
 * first receipt. */
static void a_void_from_elsewhere_is_filled_and_judged_here(void **state) {
  (void)state;
  small_world s;
  sv_op_row row;
  small_open(&s, 35);
  sv_org *hub = fx_org_copy(&s.w, s.org);
  ov_name night = small_night(&s, s.ta, 1);
  ov_op full = *s.ta->ops[0];
  fx_drop(s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  ship(&s, s.org, hub);
  assert_int_equal(fx_verdict(&s.w, hub, &night, NULL), OV_VOID);
  s.w.now_ms += 1000;
  s.ta->ops[0] = &full;
  fx_push_ok(s.ta, hub, 1, 1);
  assert_true(fx_op(&s.w, hub, &night, &row));
  assert_int_equal(row.n_receipts, 2);
  assert_int_equal(row.receipts[0].verdict, OV_VOID);
  assert_int_equal(row.receipts[1].verdict, OV_APPLIED);
  ship(&s, hub, s.org);
  assert_int_equal(fx_verdict(&s.w, s.org, &night, NULL), OV_APPLIED);
  fx_verify(&s.w, hub);
  fx_verify(&s.w, s.org);
  sv_org_close(hub);
  small_close(&s);
}

static void a_filled_void_is_judged(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  uint8_t reason;
  small_open(&s, 34);
  ov_field f[] = {FX_INT(SLEEP_NIGHT, NIGHT), FX_INT(SLEEP_SOURCE, 99)};
  ov_name night = fx_create(s.ta, SLEEP, &s.anna, f, 2);
  ov_op full = *s.ta->ops[0];
  fx_drop(s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  s.ta->ops[0] = &full;
  assert_int_equal(fx_push(s.ta, s.org, 1, 1, &out), 0);
  assert_int_equal(out.n_held, 1);
  assert_int_equal(out.held[0].reason, OV_HELD_CODE);
  sv_touches_free(&out.touches);
  assert_int_equal(fx_verdict(&s.w, s.org, &night, &reason), OV_HELD);
  assert_int_equal(reason, OV_HELD_CODE);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_broken_op_in_the_middle_stops_the_push_there),
      cmocka_unit_test(an_op_over_a_limit_is_refused_by_name),
      cmocka_unit_test(a_client_that_dropped_safe_ops_offers_voids_and_they_are_filled_later),
      cmocka_unit_test(a_peer_fills_a_void_too),
      cmocka_unit_test(a_void_from_elsewhere_is_filled_and_judged_here),
      cmocka_unit_test(a_filled_void_is_judged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
