/* Commit keys: who lacks one asks for it; a key that a device gave is believed only until the real one is
 * here. */
#include "ingest_world.h"

/* A second server of the organisation, and a participant made at the first only; the tablet knows its key. */
typedef struct two_servers {
  small_world s;
  sv_org *hub;
  ov_name bert;
} two_servers;

static void give_key(fx_tablet *t, const ov_name *participant, sv_org *from) {
  t->keys[t->n_keys].participant = *participant;
  FX_OK(sv_keyring_get(from->keyring, SV_KEY_COMMIT_PARTICIPANT, participant, t->keys[t->n_keys].key));
  t->n_keys++;
}

static void two_open(two_servers *x, uint64_t seed) {
  small_open(&x->s, seed);
  x->hub = fx_org_copy(&x->s.w, x->s.org);
  x->bert = fx_participant(&x->s.w, x->s.org, "Bert", &x->s.a, 1);
  give_key(x->s.ta, &x->bert, x->s.org);
}

static void two_close(two_servers *x) {
  sv_org_close(x->hub);
  small_close(&x->s);
}

static ov_name night_of(fx_tablet *t, const ov_name *participant, int64_t source) {
  ov_field f[] = {FX_INT(SLEEP_NIGHT, NIGHT), FX_INT(SLEEP_SOURCE, source)};
  return fx_create(t, SLEEP, participant, f, 2);
}

/* PROTO-57 */
static void a_lacking_key_is_asked_for_by_name_and_then_kept(void **state) {
  (void)state;
  two_servers x;
  sv_push_out out;
  two_open(&x, 20);
  ov_name night = night_of(x.s.ta, &x.bert, 1);
  night_of(x.s.ta, &x.s.anna, 1);
  small_set(x.s.ta, 1, SLEEP_SOL, 10, NULL);
  assert_int_equal(fx_push(x.s.ta, x.hub, 1, 3, &out), OV_E_NEED_KEYS);
  assert_int_equal(out.n_need_keys, 1);
  assert_true(ov_name_equal(&out.need_keys[0], &x.bert));
  assert_int_equal(out.stored, 0);
  sv_op_row row;
  assert_false(fx_op(&x.s.w, x.hub, &night, &row)); /* nothing of the push was taken */

  x.s.ta->send_keys = true;
  assert_int_equal(fx_push(x.s.ta, x.hub, 1, 3, &out), 0);
  assert_int_equal(out.stored, 3);
  assert_int_equal(out.n_held, 0); /* waiting is no fault of the author's */
  sv_touches_free(&out.touches);
  x.s.ta->send_keys = false;
  night_of(x.s.ta, &x.bert, 2);
  fx_push_ok(x.s.ta, x.hub, 4, 4); /* the key was kept */
  assert_int_equal(small_waiting(x.hub), 3);

  ship(&x.s, x.s.org, x.hub);
  assert_int_equal(small_waiting(x.hub), 0);
  assert_int_equal(fx_verdict(&x.s.w, x.hub, &night, NULL), OV_APPLIED);
  sv_record_row rec;
  assert_true(fx_record(&x.s.w, x.hub, &night, &rec));
  assert_int_equal(fx_int(&rec, SLEEP_SOL), 10);
  fx_verify(&x.s.w, x.hub);
  two_close(&x);
}

static void several_lacking_keys_are_asked_for_at_once(void **state) {
  (void)state;
  two_servers x;
  sv_push_out out;
  two_open(&x, 21);
  ov_name carl = fx_participant(&x.s.w, x.s.org, "Carl", &x.s.a, 1);
  give_key(x.s.ta, &carl, x.s.org);
  night_of(x.s.ta, &x.bert, 1);
  night_of(x.s.ta, &carl, 1);
  night_of(x.s.ta, &x.bert, 2);
  assert_int_equal(fx_push(x.s.ta, x.hub, 1, 3, &out), OV_E_NEED_KEYS);
  assert_int_equal(out.n_need_keys, 2);
  assert_true(ov_name_equal(&out.need_keys[0], &x.bert));
  assert_true(ov_name_equal(&out.need_keys[1], &carl));
  x.s.ta->send_keys = true;
  fx_push_ok(x.s.ta, x.hub, 1, 3);
  two_close(&x);
}

/* PROTO-57 */
static void a_wrong_key_from_one_device_does_not_lock_others_out(void **state) {
  (void)state;
  two_servers x;
  sv_push_out out;
  two_open(&x, 22);
  uint32_t scopes[] = {x.s.a};
  fx_tablet *liar = fx_tablet_new(&x.s.w, x.hub, scopes, 1, &x.s.carer);
  liar->keys[0].participant = x.bert; /* all zeros */
  liar->n_keys = 1;
  liar->send_keys = true;
  night_of(liar, &x.bert, 5);
  fx_push_ok(liar, x.hub, 1, 1);

  ov_name night = night_of(x.s.ta, &x.bert, 1);
  assert_int_equal(fx_push(x.s.ta, x.hub, 1, 1, &out), OV_E_NEED_KEYS); /* not thrown out */
  assert_int_equal(out.n_need_keys, 1);
  x.s.ta->send_keys = true;
  fx_push_ok(x.s.ta, x.hub, 1, 1);
  ship(&x.s, x.s.org, x.hub); /* the participant's own op brings the real key */
  uint8_t real[OV_KEY_BYTES], here[OV_KEY_BYTES];
  FX_OK(sv_keyring_get(x.s.org->keyring, SV_KEY_COMMIT_PARTICIPANT, &x.bert, real));
  FX_OK(sv_keyring_get(x.hub->keyring, SV_KEY_COMMIT_PARTICIPANT, &x.bert, here));
  assert_memory_equal(real, here, sizeof real);
  x.s.ta->send_keys = false;
  night_of(x.s.ta, &x.bert, 2);
  fx_push_ok(x.s.ta, x.hub, 2, 2);
  night_of(liar, &x.bert, 5);
  assert_int_equal(fx_push(liar, x.hub, 2, 2, &out), OV_E_AUTH);
  assert_int_equal(fx_verdict(&x.s.w, x.hub, &night, NULL), OV_APPLIED);
  fx_tablet_free(liar);
  two_close(&x);
}

static void keys_are_not_kept_for_ops_that_were_not_taken(void **state) {
  (void)state;
  two_servers x;
  sv_push_out out;
  two_open(&x, 23);
  static const uint8_t broken[] = {0xc1};
  ov_op op = {.scope = x.s.a,
              .creates = true,
              .kind = SLEEP,
              .version = 1,
              .has_participant = true,
              .participant = x.bert};
  fx_add_raw(x.s.ta, op, broken, sizeof broken);
  x.s.ta->send_keys = true;
  assert_int_equal(fx_push(x.s.ta, x.hub, 1, 1, &out), OV_E_OP_FORMAT);
  assert_int_equal(out.refused_seq, 1);
  uint8_t key[OV_KEY_BYTES];
  assert_int_equal(sv_keyring_get(x.hub->keyring, SV_KEY_COMMIT_PARTICIPANT, &x.bert, key), OV_E_NOTFOUND);
  two_close(&x);
}

static void a_scope_whose_key_is_lacking_is_asked_for_by_its_number(void **state) {
  (void)state;
  two_servers x;
  sv_push_out out;
  two_open(&x, 24);
  uint32_t c = fx_team(&x.s.w, x.s.org, "Es");
  ov_field f[] = {fx_text(5, "about the team")};
  ov_op op = {.scope = c,
              .creates = true,
              .kind = 4000,
              .version = 1,
              .fields = f,
              .n_fields = 1}; /* a kind nobody knows */
  fx_add(x.s.ta, op);
  assert_int_equal(fx_push(x.s.ta, x.hub, 1, 1, &out), OV_E_NEED_KEYS);
  assert_int_equal(out.n_need_keys, 1);
  assert_int_equal(out.need_keys[0].seq, c);
  assert_true(ov_id_is_zero(&out.need_keys[0].writer));
  x.s.ta->keys[x.s.ta->n_keys].participant = out.need_keys[0];
  FX_OK(sv_keyring_get(x.s.org->keyring, SV_KEY_COMMIT_TEAM, &out.need_keys[0],
                       x.s.ta->keys[x.s.ta->n_keys].key));
  x.s.ta->n_keys++;
  x.s.ta->send_keys = true;
  fx_push_ok(x.s.ta, x.hub, 1, 1);
  two_close(&x);
}

/* PROTO-32 */
static void a_participant_made_in_the_same_push_brings_its_key(void **state) {
  (void)state;
  small_world s;
  small_open(&s, 25);
  static const uint8_t key[OV_KEY_BYTES] = {7, 7, 7};
  ov_field f[] = {fx_text(SV_PARTICIPANT_LABEL, "Dora"),
                  fx_set(&s.w, SV_PARTICIPANT_TEAMS, (int64_t[]){s.a}, 1, NULL, 0),
                  {SV_PARTICIPANT_KEY, ov_bytes(key, sizeof key)}};
  ov_name dora = fx_create(s.ta, OV_KIND_PARTICIPANT, NULL, f, 3);
  ov_name night = night_of(s.ta, &dora, 1);
  fx_push_ok(s.ta, s.org, 1, 2);
  sv_record_row row;
  assert_true(fx_record(&s.w, s.org, &night, &row));
  assert_true(row.rec.created);
  assert_true(fx_in_scope(&row, s.a));
  night_of(s.ta, &dora, 2);
  fx_push_ok(s.ta, s.org, 3, 3);
  fx_verify(&s.w, s.org);
  small_close(&s);
}

/* PROTO-30, PROTO-33 */
static void of_an_erased_participant_only_header_and_commitment_are_stored(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  small_open(&s, 26);
  give_key(s.ta, &s.anna, s.org);
  ov_field f[] = {fx_text(SLEEP_NOTE, "PLANTED-NOTE"), FX_INT(SLEEP_NIGHT, NIGHT), FX_INT(SLEEP_SOURCE, 1)};
  ov_name night = fx_create(s.ta, SLEEP, &s.anna, f, 3);
  FX_OK(sv_keyring_destroy(s.org->keyring, &s.anna));
  assert_int_equal(fx_push(s.ta, s.org, 1, 1, &out), OV_E_NEED_KEYS);
  s.ta->send_keys = true;
  assert_int_equal(fx_push(s.ta, s.org, 1, 1, &out), 0);
  assert_int_equal(out.n_held, 1);
  assert_int_equal(out.held[0].reason, OV_HELD_ERASED);
  sv_touches_free(&out.touches);
  sv_op_row row;
  assert_true(fx_op(&s.w, s.org, &night, &row));
  assert_true(row.erased);
  assert_int_equal(row.op.n_fields, 0);
  assert_null(row.op.payload_bytes);
  assert_memory_equal(&row.op.commitment, &s.ta->ops[0]->commitment, sizeof(ov_hash));
  assert_memory_equal(&row.head, &s.ta->heads[1], sizeof(ov_hash));
  uint8_t key[OV_KEY_BYTES];
  assert_int_equal(sv_keyring_get(s.org->keyring, SV_KEY_COMMIT_PARTICIPANT, &s.anna, key), OV_E_NOTFOUND);
  sv_record_row rec;
  if (fx_record(&s.w, s.org, &night, &rec)) assert_int_equal(rec.n_places, 0); /* nobody is sent it */
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_lacking_key_is_asked_for_by_name_and_then_kept),
      cmocka_unit_test(several_lacking_keys_are_asked_for_at_once),
      cmocka_unit_test(a_wrong_key_from_one_device_does_not_lock_others_out),
      cmocka_unit_test(keys_are_not_kept_for_ops_that_were_not_taken),
      cmocka_unit_test(a_scope_whose_key_is_lacking_is_asked_for_by_its_number),
      cmocka_unit_test(a_participant_made_in_the_same_push_brings_its_key),
      cmocka_unit_test(of_an_erased_participant_only_header_and_commitment_are_stored),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
