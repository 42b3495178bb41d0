/* Every call that can fail fails once: nothing crashes, nothing leaks, no half of a transaction is seen, and
 * what was acknowledged before is there after a reopen. */
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_faults.h"
#include "store_world.h"

static int setup_closed(void **state) {
  world *w = malloc(sizeof *w);
  if (!w) return -1;
  world_init(w);
  *state = w;
  return 0;
}

static int put_ops(world *w, uint8_t writer, uint64_t from, uint64_t to, const ov_name *participant) {
  sv_txn *t;
  int err = sv_txn_write(w->env, &t);
  if (err) return err;
  for (uint64_t seq = from; seq <= to; seq++) {
    sv_op_row row = make_op(writer, seq, participant);
    sv_op_put(t, &row);
  }
  return sv_txn_commit(t);
}

/* 0, OV_E_NOTFOUND or another error. */
static int look_for(world *w, uint8_t writer, uint64_t seq) {
  sv_txn *t;
  sv_op_row row;
  ov_name name = make_name(writer, seq);
  int err = sv_txn_read(w->env, &t);
  if (err) return err;
  err = sv_op_get(t, &name, &w->arena, &row);
  sv_txn_abort(t);
  ov_arena_reset(&w->arena);
  return err;
}

/* -- one fault, known ahead ------------------------------------------------------------------------------ */

static void each_commit_is_synced_and_an_empty_one_is_not(void **state) {
  world *w = *state;
  for (unsigned i = 1; i <= 5; i++) {
    unsigned before = fault_syncs();
    assert_int_equal(put_ops(w, 1, i, i, NULL), 0);
    assert_true(fault_syncs() > before);
  }
  unsigned before = fault_syncs();
  sv_txn *t = must_write(w);
  must_commit(t);
  assert_int_equal(fault_syncs(), before);
}

static void a_failed_sync_makes_the_store_read_only(void **state) {
  world *w = *state;
  assert_int_equal(put_ops(w, 1, 1, 3, NULL), 0);
  fault_arm(FAULT_SYNC, 1, EIO, false);
  assert_int_equal(put_ops(w, 1, 4, 4, NULL), OV_E_IO);
  assert_true(fault_disarm());
  assert_true(sv_env_readonly(w->env));
  assert_int_equal(put_ops(w, 1, 4, 4, NULL), OV_E_READONLY);
  assert_int_equal(look_for(w, 1, 3), 0);
  assert_int_equal(look_for(w, 1, 4), OV_E_NOTFOUND);
  world_close(w);
  assert_int_equal(world_open(w, NULL), 0);
  assert_false(sv_env_readonly(w->env));
  assert_int_equal(look_for(w, 1, 3), 0);
  assert_int_equal(put_ops(w, 1, 4, 4, NULL), 0);
}

/* The last write of a commit is the meta page: LMDB then refuses all (MDB_PANIC) until it is opened again. */
static void a_failed_meta_page_makes_the_store_read_only(void **state) {
  world *w = *state;
  assert_int_equal(put_ops(w, 1, 1, 3, NULL), 0);
  unsigned k = 0;
  int err = 0;
  while (!sv_env_readonly(w->env)) {
    fault_arm(FAULT_WRITE, ++k, EIO, true);
    err = put_ops(w, 1, 4, 4, NULL);
    fault_disarm();
    assert_true(k < 100);
  }
  assert_true(err == OV_E_IO || err == OV_E_READONLY);
  assert_int_equal(put_ops(w, 1, 4, 4, NULL), OV_E_READONLY);
  world_close(w);
  assert_int_equal(world_open(w, NULL), 0);
  assert_int_equal(look_for(w, 1, 3), 0);
  assert_int_equal(put_ops(w, 1, 5, 5, NULL), 0);
}

static void a_full_disk_loses_nothing_and_is_survived(void **state) {
  world *w = *state;
  assert_int_equal(put_ops(w, 1, 1, 3, NULL), 0);
  fault_arm(FAULT_WRITE, 1, ENOSPC, true);
  for (int i = 0; i < 3; i++) assert_int_equal(put_ops(w, 1, 4, 4, NULL), OV_E_FULL);
  assert_true(fault_disarm());
  assert_false(sv_env_readonly(w->env));
  assert_int_equal(look_for(w, 1, 4), OV_E_NOTFOUND);
  assert_int_equal(put_ops(w, 1, 4, 4, NULL), 0);
  assert_int_equal(look_for(w, 1, 4), 0);
}

/* A row must never be on disk before the key that opens it. */
static void without_its_keyring_saved_nothing_is_committed(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1);
  fault_arm(FAULT_RENAME, 1, EIO, false);
  assert_int_equal(put_ops(w, 1, 1, 1, &p), OV_E_IO);
  assert_true(fault_disarm());
  assert_int_equal(look_for(w, 1, 1), OV_E_NOTFOUND);
  assert_true(sv_keyring_dirty(w->keyring));
  assert_int_equal(put_ops(w, 1, 1, 1, &p), 0);
  world_close(w);
  assert_int_equal(world_open(w, NULL), 0);
  assert_int_equal(look_for(w, 1, 1), 0);
}

static void *new_epoch(void *arg) {
  world *w = arg;
  return sv_keyring_rotate(w->keyring, NULL) ? w : NULL;
}

static atomic_bool let_go;

static void *let_go_soon(void *arg) {
  (void)arg;
  usleep(200 * 1000);
  atomic_store(&let_go, true);
  fault_hold_fsync(false);
  return NULL;
}

/* An erasure or a change of keys, on another thread, is writing the keyring, a new participant's key with it,
 * when that participant's first commit ends: it counts only once the key is on disk. */
static void a_commit_waits_for_a_keyring_that_another_is_writing(void **state) {
  world *w = *state;
  pthread_t rotating, releasing;
  ov_name who = make_name(7, 1);
  sv_op_row row = make_op(7, 2, &who);
  void *failed = NULL;
  sv_txn *t = must_write(w);
  assert_int_equal(sv_op_put(t, &row), 0);
  assert_true(sv_keyring_dirty(w->keyring));
  atomic_store(&let_go, false);
  fault_hold_fsync(true);
  assert_int_equal(pthread_create(&rotating, NULL, new_epoch, w), 0);
  while (!fault_fsync_waits() || sv_keyring_dirty(w->keyring)) usleep(1000);
  assert_int_equal(pthread_create(&releasing, NULL, let_go_soon, NULL), 0);
  must_commit(t);
  assert_true(atomic_load(&let_go));
  pthread_join(releasing, NULL);
  pthread_join(rotating, &failed);
  assert_null(failed);
}

static void a_copy_onto_a_full_disk_fails_alone(void **state) {
  world *w = *state;
  char file[160];
  snprintf(file, sizeof file, "%s/copy", w->folder);
  assert_int_equal(put_ops(w, 1, 1, 200, NULL), 0);
  fault_arm(FAULT_WRITE, 1, ENOSPC, true);
  assert_int_equal(sv_env_copy(w->env, file), OV_E_FULL);
  fault_arm(FAULT_WRITE, 1, EIO, true);
  assert_int_equal(sv_env_copy(w->env, file), OV_E_IO);
  assert_true(fault_disarm());
  assert_false(sv_env_readonly(w->env));
  struct stat st;
  assert_int_not_equal(stat(file, &st), 0);
  assert_int_equal(sv_env_copy(w->env, file), 0);
}

static void a_map_that_cannot_grow_is_full(void **state) {
  world *w = *state;
  sv_env_options o = world_options(w);
  o.map_bytes = 256u << 10;
  assert_int_equal(world_open(w, &o), 0);
  fault_arm(FAULT_TRUNCATE, 1, ENOSPC, true);
  uint64_t seq = 1;
  int err;
  while (!(err = put_ops(w, 1, seq, seq + 9, NULL))) seq += 10;
  assert_int_equal(err, OV_E_FULL);
  assert_int_equal(put_ops(w, 1, seq, seq + 9, NULL), OV_E_FULL);
  assert_true(fault_disarm());
  assert_int_equal(look_for(w, 1, seq - 1), 0);
  assert_int_equal(put_ops(w, 1, seq, seq + 9, NULL), 0);
}

/* No address space for a larger map: what is there goes on to be read, and written as far as it holds. */
static void a_map_that_finds_no_room_stays(void **state) {
  world *w = *state;
  sv_env_options o = world_options(w);
  o.map_bytes = 256u << 10;
  assert_int_equal(world_open(w, &o), 0);
  fault_arm(FAULT_MAP, 1, ENOMEM, true);
  uint64_t seq = 1;
  int err;
  while (!(err = put_ops(w, 1, seq, seq + 9, NULL))) seq += 10;
  assert_int_equal(err, OV_E_NOMEM);
  assert_int_equal(look_for(w, 1, seq - 1), 0);
  assert_int_equal(put_ops(w, 1, seq, seq + 9, NULL), OV_E_NOMEM);
  assert_true(fault_disarm());
  assert_int_equal(look_for(w, 1, seq - 1), 0);
  assert_int_equal(put_ops(w, 1, seq, seq + 9, NULL), 0);
}

/* -- every fault in turn --------------------------------------------------------------------------------- */

/* A life: open (keyring too), write ops, records, positions, a participant's first key, growth, an erasure, a
 * copy. Stops at the first error. *acked: ops up to here are committed. */
static int story_write(world *w, uint64_t seq) {
  sv_txn *t;
  ov_name p = make_name(3, seq), name = make_name(1, seq);
  ov_hash state = make_hash(1);
  uint64_t pos, id;
  sv_scope scope;
  int err = sv_txn_write(w->env, &t);
  if (err) return err;
  fault_pause(true);
  sv_op_row op = make_op(1, seq, &p);
  sv_record_row rec = make_record(w, &name, 20, &p, (int64_t)seq);
  fault_pause(false);
  sv_tip tip = {.writer = make_id(1), .head = {.seq = seq, .head = make_hash((uint8_t)seq)}}, old;
  uint32_t n = 0;
  if (sv_scope_get(t, 2, &scope) == OV_E_NOTFOUND) {
    scope = (sv_scope){.scope = 2};
    sv_scope_put(t, &scope);
  }
  sv_op_put(t, &op);
  sv_tips_get(t, &tip.writer, &old, 1, &n);
  sv_tip_put(t, n ? &old.head.head : NULL, &tip);
  sv_record_put(t, &rec);
  sv_pos_append(t, 2, &name, &state, 0, false, &pos);
  sv_held_add(t, &name);
  sv_held_del(t, &name);
  sv_queue_push(t, &name);
  if (!sv_queue_peek(t, &id, &name)) sv_queue_pop(t, id);
  return sv_txn_commit(t);
}

static int story(world *w, uint64_t *acked) {
  sv_env_options o = world_options(w);
  ov_name gone = make_name(3, 1000);
  char copy[160];
  snprintf(copy, sizeof copy, "%s/copy", w->folder);
  o.map_bytes = 256u << 10;
  int err = world_open(w, &o);
  for (uint64_t seq = *acked + 1, last = *acked + 2; !err && seq <= last; seq++) {
    err = story_write(w, seq);
    if (!err) *acked = seq;
  }
  if (!err) err = sv_keyring_destroy(w->keyring, &gone);
  if (!err) err = sv_env_copy(w->env, copy);
  remove(copy);
  return err;
}

static void check_after(world *w, uint64_t acked) {
  sv_scrub s;
  world_close(w);
  assert_int_equal(world_open(w, NULL), 0);
  for (uint64_t seq = 1; seq <= acked; seq++) assert_int_equal(look_for(w, 1, seq), 0);
  /* An op whose commit failed after its last write may be there: whole, or not at all. */
  int err = look_for(w, 1, acked + 1);
  assert_true(err == 0 || err == OV_E_NOTFOUND);
  assert_int_equal(look_for(w, 1, acked + 2), OV_E_NOTFOUND);
  assert_int_equal(sv_env_scrub(w->env, &s), 0);
  assert_string_equal(s.first, "");
}

/* From an empty folder, failing the k-th call for k = 1, 2, 3 ... until the story ends without meeting it. */
static void each_in_turn(world *w, fault_kind kind, int error) {
  unsigned faults = 0;
  for (unsigned k = 1;; k++) {
    uint64_t acked = 0;
    world_free(w);
    world_init(w);
    fault_arm(kind, k, error, false);
    int err = story(w, &acked);
    if (!fault_disarm()) {
      assert_int_equal(err, 0);
      break;
    }
    faults++;
    if (!err) continue; /* a fault that may be passed over: e.g. wiping an old file in an ordinary save */
    assert_true(err < 0);
    assert_true(ov_err_classify(err) != OV_CLASS_CLOSE);
    check_after(w, acked);
    assert_int_equal(story_write(w, acked + 2), 0);
  }
  assert_true(faults > 0);
}

static void any_write_may_fail(void **state) {
  each_in_turn(*state, FAULT_WRITE, EIO);
  each_in_turn(*state, FAULT_WRITE, ENOSPC);
}

static void any_sync_may_fail(void **state) { each_in_turn(*state, FAULT_SYNC, EIO); }

static void any_truncate_or_rename_may_fail(void **state) {
  each_in_turn(*state, FAULT_TRUNCATE, ENOSPC);
  each_in_turn(*state, FAULT_RENAME, EIO);
}

static void any_allocation_may_fail(void **state) { each_in_turn(*state, FAULT_ALLOC, ENOMEM); }

static void any_call_of_lmdb_may_fail(void **state) {
  each_in_turn(*state, FAULT_LMDB, ENOMEM);
  each_in_turn(*state, FAULT_LMDB, MDB_CORRUPTED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
#define CLOSED(f) cmocka_unit_test_setup_teardown(f, setup_closed, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(each_commit_is_synced_and_an_empty_one_is_not),
      TEST(a_failed_sync_makes_the_store_read_only),
      TEST(a_failed_meta_page_makes_the_store_read_only),
      TEST(a_full_disk_loses_nothing_and_is_survived),
      TEST(without_its_keyring_saved_nothing_is_committed),
      TEST(a_commit_waits_for_a_keyring_that_another_is_writing),
      TEST(a_copy_onto_a_full_disk_fails_alone),
      CLOSED(a_map_that_cannot_grow_is_full),
      CLOSED(a_map_that_finds_no_room_stays),
      CLOSED(any_write_may_fail),
      CLOSED(any_sync_may_fail),
      CLOSED(any_truncate_or_rename_may_fail),
      CLOSED(any_allocation_may_fail),
      CLOSED(any_call_of_lmdb_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
