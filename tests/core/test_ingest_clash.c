/* Two ops of one place in a log whose heads begin with the same four bytes have one name. Nobody meets that
 * by chance; who has the device's key can look for it. */
#include <stdlib.h>

#include "ingest_world.h"

#define TRIES 400000u /* a pair among them: all but certain */

typedef struct tried {
  uint32_t tag;
  int64_t value;
} tried;

static int by_tag(const void *a, const void *b) {
  uint32_t x = ((const tried *)a)->tag, y = ((const tried *)b)->tag;
  return x < y ? -1 : x > y;
}

/* The tag of the op behind the tablet's log that gives the night this value. */
static uint32_t tag_of(fx_tablet *t, int64_t value) {
  uint32_t tag;
  ov_hash head = t->heads[t->n];
  ov_field f[] = {FX_INT(SLEEP_SOL, value)};
  const ov_op *first = t->ops[0];
  uint8_t key[OV_KEY_BYTES];
  ov_op op = {.name = {.writer = t->writer, .seq = t->n + 1},
              .scope = first->scope,
              .kind = first->kind,
              .version = 1,
              .record = first->name,
              .has_participant = true,
              .participant = first->participant,
              .has_author = true,
              .author = t->author,
              .device_time = t->w->now_ms / 1000,
              .fields = f,
              .n_fields = 1};
  ov_buf b = {0};
  FX_OK(sv_keyring_get(t->org->keyring, SV_KEY_COMMIT_PARTICIPANT, &op.participant, key));
  FX_OK(ov_chain_op(t->w->hasher, &op, key, &head, &b));
  ov_buf_free(&b);
  memcpy(&tag, op.name.tag, sizeof tag);
  return tag;
}

static bool find_pair(fx_tablet *t, int64_t *one, int64_t *other) {
  tried *v = calloc(TRIES, sizeof *v);
  bool found = false;
  FX_MUST(v);
  for (uint32_t i = 0; i < TRIES; i++) v[i] = (tried){.tag = tag_of(t, i), .value = i};
  qsort(v, TRIES, sizeof *v, by_tag);
  for (uint32_t i = 1; i < TRIES && !found; i++) {
    if (v[i].tag != v[i - 1].tag) continue;
    *one = v[i - 1].value;
    *other = v[i].value;
    found = true;
  }
  free(v);
  return found;
}

/* PROTO-54: the first of the two stays as it is. */
static void another_op_of_the_same_name_is_not_stored_over_it(void **state) {
  (void)state;
  small_world s;
  sv_push_out out;
  int64_t one = 0, other = 0;
  small_open(&s, 91);
  ov_name night = small_night(&s, s.ta, 1);
  fx_push_ok(s.ta, s.org, 1, 1);
  FX_MUST(find_pair(s.ta, &one, &other));
  fx_tablet *clone = fx_tablet_clone(s.ta);
  ov_name mine = small_set(s.ta, 1, SLEEP_SOL, one, NULL),
          theirs = small_set(clone, 1, SLEEP_SOL, other, NULL);
  assert_true(ov_name_equal(&mine, &theirs));
  fx_push_ok(s.ta, s.org, 2, 2);
  assert_int_equal(fx_push(clone, s.org, 2, 2, &out), OV_E_BRANCH);
  assert_int_equal(out.stored + out.duplicates, 0);
  assert_int_equal(out.n_tips, 1);
  assert_memory_equal(&out.tips[0].head, &s.ta->heads[2], sizeof(ov_hash));
  sv_touches_free(&out.touches);
  sv_op_row row;
  assert_true(fx_op(&s.w, s.org, &mine, &row));
  assert_int_equal(ov_op_field(&row.op, SLEEP_SOL)->v.i, one);
  fx_verify(&s.w, s.org);
  (void)night;
  fx_tablet_free(clone);
  small_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(another_op_of_the_same_name_is_not_stored_over_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
