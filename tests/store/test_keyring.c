/* The keyring and the master key: what is kept, what is refused, and that destroyed keys are gone from
 * memory, file and temporary file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_world.h"

static const ov_name none;

static int setup(void **state) {
  world *w = malloc(sizeof *w);
  if (!w) return -1;
  world_init(w);
  *state = w;
  return 0;
}

static int reopen(world *w) {
  sv_keyring_close(w->keyring);
  w->keyring = NULL;
  return sv_keyring_open(w->keyring_path, w->epoch_path, w->master, world_random, &w->random, false,
                         &w->keyring);
}

static void keys_survive_a_save_and_only_a_save(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1);
  uint8_t made[OV_KEY_BYTES], got[OV_KEY_BYTES], given[OV_KEY_BYTES];
  memset(given, 0x31, sizeof given);
  assert_false(sv_keyring_dirty(w->keyring));
  assert_int_equal(sv_keyring_get(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, got), OV_E_NOTFOUND);
  assert_int_equal(sv_keyring_need(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, made), 0);
  assert_int_equal(sv_keyring_put(w->keyring, SV_KEY_COMMIT_PARTICIPANT, &p, given), 0);
  assert_true(sv_keyring_dirty(w->keyring));
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  assert_int_equal(sv_keyring_put(w->keyring, SV_KEY_COMMIT_PARTICIPANT, &p, given), 0);
  assert_false(sv_keyring_dirty(w->keyring));                                       /* the same key again */
  assert_int_equal(sv_keyring_put(w->keyring, SV_KEY_COMMIT_ORG, &none, given), 0); /* not saved */
  assert_int_equal(reopen(w), 0);
  assert_int_equal(sv_keyring_get(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, got), 0);
  assert_memory_equal(got, made, sizeof got);
  assert_int_equal(sv_keyring_need(w->keyring, SV_KEY_COMMIT_PARTICIPANT, &p, got), 0);
  assert_memory_equal(got, given, sizeof got);
  assert_false(sv_keyring_dirty(w->keyring));
  assert_int_equal(sv_keyring_get(w->keyring, SV_KEY_COMMIT_ORG, &none, got), OV_E_NOTFOUND);
}

static void many_keys_in_any_order(void **state) {
  world *w = *state;
  uint8_t key[OV_KEY_BYTES] = {0}, got[OV_KEY_BYTES];
  for (unsigned i = 0; i < 1000; i++) {
    ov_name id = make_name((uint8_t)(i * 37 % 101), i * 7919 % 1009 + 1);
    memcpy(key, &i, sizeof i);
    assert_int_equal(sv_keyring_put(w->keyring, SV_KEY_COMMIT_PARTICIPANT, &id, key), 0);
  }
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  assert_int_equal(reopen(w), 0);
  for (unsigned i = 0; i < 1000; i++) {
    ov_name id = make_name((uint8_t)(i * 37 % 101), i * 7919 % 1009 + 1);
    memcpy(key, &i, sizeof i);
    assert_int_equal(sv_keyring_get(w->keyring, SV_KEY_COMMIT_PARTICIPANT, &id, got), 0);
    assert_memory_equal(got, key, sizeof key);
  }
}

static void a_wrong_master_is_refused_and_the_file_stays(void **state) {
  world *w = *state;
  char before[160];
  snprintf(before, sizeof before, "%s/before", w->folder);
  copy_file(w->keyring_path, before);
  w->master[0] ^= 1;
  assert_int_equal(reopen(w), OV_E_CORRUPT);
  sv_keyring *k;
  assert_int_equal(
      sv_keyring_open(w->keyring_path, w->epoch_path, w->master, world_random, &w->random, true, &k),
      OV_E_CORRUPT);
  assert_true(same_file(before, w->keyring_path));
  w->master[0] ^= 1;
  assert_int_equal(reopen(w), 0);
}

static void no_key_stands_in_the_file(void **state) {
  world *w = *state;
  uint8_t key[OV_KEY_BYTES];
  memset(key, 0x42, sizeof key);
  assert_int_equal(sv_keyring_put(w->keyring, SV_KEY_SIGN, &none, key), 0);
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  assert_false(file_contains(w->keyring_path, key, sizeof key));
  assert_false(file_contains(w->keyring_path, key, 8));
  assert_false(file_contains(w->keyring_path, w->master, sizeof w->master));
  assert_int_equal(file_mode(w->keyring_path), 0600);
}

static void every_damaged_byte_is_found(void **state) {
  world *w = *state;
  struct stat st;
  uint8_t key[OV_KEY_BYTES];
  assert_int_equal(sv_keyring_need(w->keyring, SV_KEY_SEAL_ORG, &none, key), 0);
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  assert_int_equal(stat(w->keyring_path, &st), 0);
  for (off_t at = 0; at < st.st_size; at++) {
    uint64_t bit = (uint64_t)at * 8 + (uint64_t)at % 8;
    flip_bit(w->keyring_path, bit);
    int err = reopen(w);
    assert_true(err == OV_E_CORRUPT || err == OV_E_NEWER || err == OV_E_CRYPTO); /* the last: its epoch */
    flip_bit(w->keyring_path, bit);
  }
  for (off_t n = 0; n < st.st_size; n += 13) {
    char cut[160];
    sv_keyring *k;
    snprintf(cut, sizeof cut, "%s/cut", w->folder);
    copy_file(w->keyring_path, cut);
    assert_int_equal(truncate(cut, n), 0);
    assert_int_equal(sv_keyring_open(cut, w->epoch_path, w->master, world_random, &w->random, true, &k),
                     OV_E_CORRUPT);
  }
  assert_int_equal(reopen(w), 0);
}

static void a_newer_format_is_refused(void **state) {
  world *w = *state;
  flip_bit(w->keyring_path, 9 * 8 + 7);
  flip_bit(w->keyring_path, 9 * 8 + 1);
  assert_int_equal(reopen(w), OV_E_NEWER);
}

static void a_missing_file_is_made_only_when_asked(void **state) {
  world *w = *state;
  assert_int_equal(unlink(w->keyring_path), 0);
  assert_int_equal(reopen(w), OV_E_NOTFOUND);
  assert_int_equal(
      sv_keyring_open(w->keyring_path, w->epoch_path, w->master, world_random, &w->random, true, &w->keyring),
      0);
  assert_int_equal(access(w->keyring_path, F_OK), 0);
}

/* -- erasure --------------------------------------------------------------------------------------------- */

static void a_destroyed_key_is_gone_for_good(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1), q = make_name(3, 2);
  uint8_t key[OV_KEY_BYTES], kept[OV_KEY_BYTES], got[OV_KEY_BYTES];
  sv_keyring_need(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, key);
  sv_keyring_need(w->keyring, SV_KEY_COMMIT_PARTICIPANT, &p, key);
  sv_keyring_need(w->keyring, SV_KEY_SEAL_PARTICIPANT, &q, kept);
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  uint64_t epoch = sv_keyring_epoch(w->keyring);
  assert_int_equal(sv_keyring_destroy(w->keyring, &p), 0);
  assert_int_equal(sv_keyring_epoch(w->keyring), epoch + 1);
  for (int again = 0; again < 2; again++) {
    assert_true(sv_keyring_destroyed(w->keyring, &p));
    assert_false(sv_keyring_destroyed(w->keyring, &q));
    assert_int_equal(sv_keyring_get(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, got), OV_E_NOTFOUND);
    assert_int_equal(sv_keyring_need(w->keyring, SV_KEY_COMMIT_PARTICIPANT, &p, got), OV_E_NOTFOUND);
    assert_int_equal(sv_keyring_put(w->keyring, SV_KEY_COMMIT_PARTICIPANT, &p, key), OV_E_DENIED);
    assert_int_equal(sv_keyring_get(w->keyring, SV_KEY_SEAL_PARTICIPANT, &q, got), 0);
    assert_memory_equal(got, kept, sizeof got);
    assert_int_equal(reopen(w), 0);
  }
  assert_int_equal(sv_keyring_epoch(w->keyring), epoch + 1);
  assert_int_equal(sv_keyring_destroy(w->keyring, &none), OV_E_INVALID);
}

/* What the folder held at some time, as a thief or a backup has it. */
typedef struct copies {
  char keyring[160], epoch[160];
} copies;

static copies copy_now(world *w, const char *name) {
  copies c;
  snprintf(c.keyring, sizeof c.keyring, "%s/%s.keyring", w->folder, name);
  snprintf(c.epoch, sizeof c.epoch, "%s/%s.epoch", w->folder, name);
  copy_file(w->keyring_path, c.keyring);
  copy_file(w->epoch_path, c.epoch);
  return c;
}

static int try_open(world *w, const char *keyring, const char *epoch, const uint8_t *master) {
  sv_keyring *k = NULL;
  int err = sv_keyring_open(keyring, epoch, master, world_random, &w->random, false, &k);
  sv_keyring_close(k);
  return err;
}

/* A keyring from before an erasure, the master key and today's epoch file open nothing. */
static void an_older_copy_of_the_keyring_opens_no_more(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1);
  uint8_t key[OV_KEY_BYTES];
  sv_keyring_need(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, key);
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  copies old = copy_now(w, "old");
  assert_int_equal(try_open(w, old.keyring, old.epoch, w->master), 0);
  assert_int_equal(try_open(w, old.keyring, w->epoch_path, w->master), 0); /* nothing was erased yet */
  assert_int_equal(sv_keyring_destroy(w->keyring, &p), 0);
  assert_int_equal(try_open(w, old.keyring, w->epoch_path, w->master), OV_E_CRYPTO);
  assert_int_equal(try_open(w, w->keyring_path, old.epoch, w->master), OV_E_CRYPTO);
  assert_int_equal(try_open(w, w->keyring_path, w->epoch_path, w->master), 0);
  assert_int_equal(file_mode(w->epoch_path), 0600);
}

/* The block of the old key reads as zeros through a handle from before: what a disk image would show. */
static void the_old_epoch_key_is_overwritten(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1);
  uint8_t before[8192], after[8192], old_slot[76];
  int fd = open(w->epoch_path, O_RDONLY);
  assert_true(fd >= 0);
  assert_true(pread(fd, before, sizeof before, 0) >= 4096);
  memcpy(old_slot, before, sizeof old_slot);
  assert_int_equal(sv_keyring_destroy(w->keyring, &p), 0);
  assert_true(pread(fd, after, sizeof after, 0) >= 4096);
  close(fd);
  for (size_t at = 0; at + 60 <= sizeof after; at++) assert_memory_not_equal(after + at, old_slot + 16, 60);
  assert_false(file_contains(w->epoch_path, old_slot + 16, 12)); /* not even its nonce */
}

/* A crash between any two steps leaves files that open, and the next start destroys what was left over. */
static void a_crash_amid_an_erasure_leaves_what_opens(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1);
  uint8_t key[OV_KEY_BYTES], got[OV_KEY_BYTES], slots[2][4096] = {{0}};
  sv_keyring_need(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, key);
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  copies old = copy_now(w, "old");
  assert_int_equal(sv_keyring_destroy(w->keyring, &p), 0);
  copies now = copy_now(w, "now");
  /* both keys in the epoch file: as it is after the first and before the last step */
  FILE *f = fopen(old.epoch, "rb"), *g = fopen(now.epoch, "rb");
  assert_int_equal(fread(slots[0], 1, 4096, f), 4096);
  assert_int_equal(fseek(g, 4096, SEEK_SET), 0);
  assert_int_equal(fread(slots[1], 1, 4096, g), 4096);
  fclose(f);
  fclose(g);
  sv_keyring_close(w->keyring);
  w->keyring = NULL;
  for (int renamed = 0; renamed < 2; renamed++) {
    f = fopen(w->epoch_path, "wb");
    assert_int_equal(fwrite(slots, 1, sizeof slots, f), sizeof slots);
    fclose(f);
    unlink(w->keyring_path);
    copy_file(renamed ? now.keyring : old.keyring, w->keyring_path);
    assert_int_equal(reopen(w), 0);
    assert_int_equal(sv_keyring_get(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, got),
                     renamed ? OV_E_NOTFOUND : 0);
    sv_keyring_close(w->keyring);
    w->keyring = NULL;
    assert_int_equal(try_open(w, old.keyring, w->epoch_path, w->master), renamed ? OV_E_CRYPTO : 0);
  }
  assert_int_equal(reopen(w), 0);
}

static void a_new_master_key_and_a_new_epoch(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1);
  uint8_t key[OV_KEY_BYTES], got[OV_KEY_BYTES], fresh[OV_KEY_BYTES];
  memset(fresh, 0x77, sizeof fresh);
  sv_keyring_need(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, key);
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  copies old = copy_now(w, "old");
  uint64_t epoch = sv_keyring_epoch(w->keyring);
  assert_int_equal(sv_keyring_rotate(w->keyring, NULL), 0);
  assert_int_equal(reopen(w), 0);
  assert_int_equal(sv_keyring_rotate(w->keyring, fresh), 0);
  assert_int_equal(sv_keyring_epoch(w->keyring), epoch + 2);
  assert_int_equal(reopen(w), OV_E_CORRUPT); /* the old master key */
  assert_int_equal(try_open(w, w->keyring_path, old.epoch, w->master), OV_E_CRYPTO);
  memcpy(w->master, fresh, sizeof fresh);
  assert_int_equal(reopen(w), 0);
  assert_int_equal(sv_keyring_get(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, got), 0);
  assert_memory_equal(got, key, sizeof key);
}

static void a_damaged_or_missing_epoch_file_is_refused(void **state) {
  world *w = *state;
  for (uint64_t at = 16; at < 76; at++) { /* nonce, sealed key and tag */
    flip_bit(w->epoch_path, at * 8 + at % 8);
    assert_int_equal(try_open(w, w->keyring_path, w->epoch_path, w->master), OV_E_CORRUPT);
    flip_bit(w->epoch_path, at * 8 + at % 8);
  }
  flip_bit(w->epoch_path, 9 * 8); /* another epoch */
  assert_int_equal(try_open(w, w->keyring_path, w->epoch_path, w->master), OV_E_CRYPTO);
  flip_bit(w->epoch_path, 9 * 8);
  copies c = copy_now(w, "c");
  assert_int_equal(unlink(w->epoch_path), 0);
  assert_int_equal(reopen(w), OV_E_CRYPTO);
  copy_file(c.epoch, w->epoch_path);
  assert_int_equal(reopen(w), 0);
}

/* The old inode is held open across the erasure: what it reads afterwards is what a disk image would show. */
static void the_old_file_is_overwritten(void **state) {
  world *w = *state;
  ov_name p = make_name(3, 1);
  uint8_t key[OV_KEY_BYTES], old[4096], zeros[4096] = {0};
  char tmp[160];
  sv_keyring_need(w->keyring, SV_KEY_SEAL_PARTICIPANT, &p, key);
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  int fd = open(w->keyring_path, O_RDONLY);
  assert_true(fd >= 0);
  assert_int_equal(sv_keyring_destroy(w->keyring, &p), 0);
  ssize_t n = pread(fd, old, sizeof old, 0);
  assert_true(n > 0);
  assert_memory_equal(old, zeros, (size_t)n);
  close(fd);
  snprintf(tmp, sizeof tmp, "%s.tmp", w->keyring_path);
  assert_int_not_equal(access(tmp, F_OK), 0);
}

static void a_leftover_temporary_file_is_removed(void **state) {
  world *w = *state;
  char tmp[160];
  snprintf(tmp, sizeof tmp, "%s.tmp", w->keyring_path);
  copy_file(w->keyring_path, tmp);
  assert_int_equal(reopen(w), 0);
  assert_int_not_equal(access(tmp, F_OK), 0);
}

static void a_save_that_fails_leaves_the_file_and_stays_dirty(void **state) {
  world *w = *state;
  uint8_t key[OV_KEY_BYTES], got[OV_KEY_BYTES];
  char tmp[160];
  snprintf(tmp, sizeof tmp, "%s.tmp", w->keyring_path);
  sv_keyring_need(w->keyring, SV_KEY_SEAL_ORG, &none, key);
  assert_int_equal(mkdir(tmp, 0700), 0); /* stands in the way of the temporary file */
  assert_int_not_equal(sv_keyring_save(w->keyring), 0);
  assert_true(sv_keyring_dirty(w->keyring));
  assert_int_equal(rmdir(tmp), 0);
  assert_int_equal(sv_keyring_save(w->keyring), 0);
  assert_int_equal(reopen(w), 0);
  assert_int_equal(sv_keyring_get(w->keyring, SV_KEY_SEAL_ORG, &none, got), 0);
  assert_memory_equal(got, key, sizeof got);
}

static int no_random(void *ctx, void *p, size_t n) {
  (void)ctx;
  (void)p;
  (void)n;
  return OV_E_CRYPTO;
}

static void without_random_bytes_nothing_is_made(void **state) {
  world *w = *state;
  char path[160], epoch[160];
  sv_keyring *k;
  uint8_t key[OV_KEY_BYTES];
  snprintf(path, sizeof path, "%s/other", w->folder);
  snprintf(epoch, sizeof epoch, "%s/other.epoch", w->folder);
  assert_int_equal(sv_keyring_open(path, epoch, w->master, no_random, NULL, true, &k), OV_E_CRYPTO);
  assert_null(k);
  assert_int_not_equal(access(path, F_OK), 0);
  assert_int_equal(sv_master_key_load(path, true, no_random, NULL, key), OV_E_CRYPTO);
  assert_int_not_equal(access(path, F_OK), 0);
}

/* -- master key ------------------------------------------------------------------------------------------ */

static void the_master_key_file(void **state) {
  world *w = *state;
  char path[160];
  uint8_t a[OV_KEY_BYTES], b[OV_KEY_BYTES];
  snprintf(path, sizeof path, "%s/master", w->folder);
  assert_int_equal(sv_master_key_load(path, false, world_random, &w->random, a), OV_E_NOTFOUND);
  mode_t before = umask(0);
  assert_int_equal(sv_master_key_load(path, true, world_random, &w->random, a), 0);
  umask(before);
  assert_int_equal(file_mode(path), 0600);
  assert_int_equal(sv_master_key_load(path, true, world_random, &w->random, b), 0);
  assert_memory_equal(a, b, sizeof a);
  assert_int_equal(chmod(path, 0640), 0);
  assert_int_equal(sv_master_key_load(path, true, world_random, &w->random, b), OV_E_DENIED);
  assert_int_equal(chmod(path, 0400), 0);
  assert_int_equal(sv_master_key_load(path, true, world_random, &w->random, b), 0);
  assert_int_equal(chmod(path, 0600), 0);
  assert_int_equal(truncate(path, 31), 0);
  assert_int_equal(sv_master_key_load(path, true, world_random, &w->random, b), OV_E_CORRUPT);
  assert_int_equal(truncate(path, 33), 0);
  assert_int_equal(sv_master_key_load(path, true, world_random, &w->random, b), OV_E_CORRUPT);
}

/* A credential of the service manager comes first, where there is one. */
static void where_the_master_key_lies(void **state) {
  world *w = *state;
  char path[160], want[200], out[200];
  snprintf(want, sizeof want, "%s/data/master.key", w->folder);
  snprintf(path, sizeof path, "%s/data", w->folder);
  unsetenv("CREDENTIALS_DIRECTORY");
  assert_int_equal(sv_master_key_path(path, out, sizeof out), 0);
  assert_string_equal(out, want);
  assert_int_equal(setenv("CREDENTIALS_DIRECTORY", w->folder, 1), 0); /* there is no key in it yet */
  assert_int_equal(sv_master_key_path(path, out, sizeof out), 0);
  assert_string_equal(out, want);
  snprintf(want, sizeof want, "%s/master.key", w->folder);
  uint8_t key[OV_KEY_BYTES];
  assert_int_equal(sv_master_key_load(want, true, world_random, &w->random, key), 0);
  assert_int_equal(sv_master_key_path(path, out, sizeof out), 0);
  assert_string_equal(out, want);
  assert_int_equal(sv_master_key_path(path, out, 10), OV_E_LIMIT);
  unsetenv("CREDENTIALS_DIRECTORY");
  assert_int_equal(sv_master_key_path(path, out, 10), OV_E_LIMIT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(keys_survive_a_save_and_only_a_save),
      TEST(many_keys_in_any_order),
      TEST(a_wrong_master_is_refused_and_the_file_stays),
      TEST(no_key_stands_in_the_file),
      TEST(every_damaged_byte_is_found),
      TEST(a_newer_format_is_refused),
      TEST(a_missing_file_is_made_only_when_asked),
      TEST(a_destroyed_key_is_gone_for_good),
      TEST(the_old_file_is_overwritten),
      TEST(an_older_copy_of_the_keyring_opens_no_more),
      TEST(the_old_epoch_key_is_overwritten),
      TEST(a_crash_amid_an_erasure_leaves_what_opens),
      TEST(a_new_master_key_and_a_new_epoch),
      TEST(a_damaged_or_missing_epoch_file_is_refused),
      TEST(a_leftover_temporary_file_is_removed),
      TEST(a_save_that_fails_leaves_the_file_and_stays_dirty),
      TEST(without_random_bytes_nothing_is_made),
      TEST(the_master_key_file),
      TEST(where_the_master_key_lies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
