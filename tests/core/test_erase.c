/* Erasure: what goes, what stays, and that no key that is left opens anything of the person in any file. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "epoch.h"
#include "ingest_world.h"
#include "sv_erase.h"
#include "sv_erasures.h"

#define PLANTED "Mevrouw Geplant sliep slecht"
#define KEPT "Bert sliep als een roos"
#define NIGHTS 70 /* more than one page */

typedef struct ew {
  small_world s;
  char data[160];
  ov_name bert, nights[NIGHTS], held, bert_night;
  uint8_t anna_key[OV_KEY_BYTES];
} ew;

static int write_one(void *ctx, sv_org *org, sv_erase_work work, void *arg) {
  int *fail_at = ctx, err;
  if (fail_at && (*fail_at)-- == 0) return OV_E_IO; /* the machine stops here */
  while ((err = fx_erase_write(NULL, org, work, arg)) == OV_E_MAPFULL) {}
  return err;
}

static ov_name note(fx_tablet *t, const ov_name *about, const char *text, int64_t day, int64_t wakes) {
  ov_field f[] = {fx_text(SLEEP_NOTE, text), FX_INT(SLEEP_NIGHT, day), FX_INT(SLEEP_SOURCE, 1),
                  FX_INT(SLEEP_WAKE, wakes)};
  return fx_create(t, SLEEP, about, f, 4);
}

static int setup(void **state) {
  ew *w = calloc(1, sizeof *w);
  if (!w) return -1;
  small_open(&w->s, 81);
  snprintf(w->data, sizeof w->data, "%s/data0", w->s.w.dir);
  w->bert = fx_participant(&w->s.w, w->s.org, "Bert", &w->s.a, 1);
  for (int i = 0; i < NIGHTS; i++) w->nights[i] = note(w->s.ta, &w->s.anna, PLANTED, NIGHT - i, 1);
  w->held = note(w->s.ta, &w->s.anna, PLANTED, NIGHT, 999); /* out of range */
  w->bert_night = note(w->s.ta, &w->bert, KEPT, NIGHT, 1);
  sv_push_out out;
  FX_OK(fx_push(w->s.ta, w->s.org, 1, NIGHTS + 2, &out));
  sv_touches_free(&out.touches);
  FX_OK(sv_keyring_get(w->s.org->keyring, SV_KEY_SEAL_PARTICIPANT, &w->s.anna, w->anna_key));
  *state = w;
  return 0;
}

static int teardown(void **state) {
  ew *w = *state;
  small_close(&w->s);
  free(w);
  return 0;
}

static void erase_anna(ew *w, sv_erase *e) {
  *e = (sv_erase){.participant = w->s.anna, .ground = SV_ERASE_REQUEST, .at_ms = w->s.w.now_ms};
  FX_OK(sv_erase_run(w->data, w->s.org, e, write_one, NULL));
  assert_true(e->done);
}

/* -- what goes and what stays -------------------------------------------------------------------- */

static bool in_day_index(ew *w, sv_txn *t, const ov_name *record) {
  ov_name *names;
  uint32_t n = 0;
  FX_OK(sv_by_kind_day(t, SLEEP, INT32_MIN, INT32_MAX, &w->s.w.arena, &names, 1000, &n));
  for (uint32_t i = 0; i < n; i++) {
    if (ov_name_equal(&names[i], record)) return true;
  }
  return false;
}

/* PROTO-125 */
static void payloads_and_indexes_go_headers_stay(void **state) {
  ew *w = *state;
  sv_erase e;
  sv_record_row row;
  sv_op_row op;
  erase_anna(w, &e);
  assert_int_equal(e.ops, NIGHTS + 2); /* and the participant's own */
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(w->s.org->env, &t));
  uint32_t n = 1;
  ov_name name;
  FX_OK(sv_by_participant(t, &w->s.anna, NULL, &name, 1, &n));
  assert_int_equal(n, 0);
  assert_false(in_day_index(w, t, &w->nights[0]));
  assert_true(in_day_index(w, t, &w->bert_night));
  assert_int_equal(sv_held_next(t, NULL, &name), OV_E_NOTFOUND);
  sv_txn_abort(t);
  for (int i = 0; i < NIGHTS; i++) {
    uint8_t reason;
    assert_true(fx_record(&w->s.w, w->s.org, &w->nights[i], &row));
    assert_true(row.erased && !row.indexed && !row.has_natural_key);
    assert_int_equal(row.n_places, 0);
    assert_int_equal(row.day, 0);
    assert_true(fx_op(&w->s.w, w->s.org, &w->nights[i], &op));
    assert_true(op.erased && op.op.has_commitment);
    assert_int_equal(op.op.n_fields, 0);
    assert_memory_equal(&op.op.commitment, &w->s.ta->ops[i]->commitment, sizeof(ov_hash));
    assert_int_equal(fx_verdict(&w->s.w, w->s.org, &w->nights[i], &reason), OV_ERASED);
    assert_int_equal(reason, OV_HELD_ERASED);
  }
  assert_true(fx_record(&w->s.w, w->s.org, &w->bert_night, &row));
  assert_false(row.erased);
  fx_verify(&w->s.w, w->s.org); /* heads fit, folds fit, places fit */
}

static void every_scope_says_gone_and_the_organisation_has_the_tombstone(void **state) {
  ew *w = *state;
  static sv_posent ents[400];
  sv_erase e;
  sv_record_row row;
  erase_anna(w, &e);
  uint32_t n = fx_positions(&w->s.w, w->s.org, w->s.a, ents, 400), gone = 0;
  for (uint32_t i = 0; i < n; i++) gone += ents[i].gone;
  assert_int_equal(gone, NIGHTS + 2);
  assert_true(fx_record(&w->s.w, w->s.org, &e.tombstone, &row));
  assert_int_equal(row.rec.kind, OV_KIND_ERASURE);
  assert_true(fx_in_scope(&row, 1));
  const ov_live *l = ov_record_field(&row.rec, SV_ERASURE_ERASED, NULL);
  uint8_t bytes[OV_NAME_BYTES];
  ov_name_write(&w->s.anna, bytes);
  assert_memory_equal(l->v.s.p, bytes, sizeof bytes);
}

static void a_tablet_cannot_forge_a_tombstone(void **state) {
  ew *w = *state;
  uint8_t bytes[OV_NAME_BYTES], reason = 0;
  ov_name_write(&w->bert, bytes);
  ov_field f[] = {{SV_ERASURE_ERASED, ov_bytes(bytes, sizeof bytes)},
                  FX_INT(SV_ERASURE_GROUND, 1),
                  FX_INT(SV_ERASURE_AT, 1)};
  ov_op op = {.scope = 1, .creates = true, .kind = OV_KIND_ERASURE, .version = 1, .fields = f, .n_fields = 3};
  ov_name forged = fx_add(w->s.ta, op);
  sv_push_out out;
  FX_OK(fx_push(w->s.ta, w->s.org, NIGHTS + 3, NIGHTS + 3, &out));
  sv_touches_free(&out.touches);
  assert_int_equal(fx_verdict(&w->s.w, w->s.org, &forged, &reason), OV_HELD);
  assert_int_equal(reason, OV_HELD_KIND);
}

/* The receipt is the device's own word: no author, and only once. PROTO-126 */
static void a_tablets_receipt_is_applied(void **state) {
  ew *w = *state;
  sv_erase e;
  uint8_t bytes[OV_NAME_BYTES];
  erase_anna(w, &e);
  ov_name_write(&e.tombstone, bytes);
  ov_field f[] = {{SV_PURGE_ERASURE, ov_bytes(bytes, sizeof bytes)},
                  FX_INT(SV_PURGE_ENTRIES, 3),
                  FX_INT(SV_PURGE_RECORDS, 4)};
  ov_op op = {.scope = 1, .creates = true, .kind = OV_KIND_PURGE, .version = 1, .fields = f, .n_fields = 3};
  ov_name author = w->s.ta->author;
  w->s.ta->author = (ov_name){.seq = 0};
  ov_name receipt = fx_add(w->s.ta, op);
  w->s.ta->author = author;
  fx_push_ok(w->s.ta, w->s.org, NIGHTS + 3, NIGHTS + 3);
  assert_int_equal(fx_verdict(&w->s.w, w->s.org, &receipt, NULL), OV_APPLIED);
  fx_verify(&w->s.w, w->s.org);
}

/* -- crashes, older copies ----------------------------------------------------------------------- */

static void a_crash_between_any_two_steps_is_gone_on_from(void **state) {
  ew *w = *state;
  bool done = false;
  for (int at = 0; !done; at++) {
    int stop = at ? 1 : 0; /* none, then one page a time */
    sv_erase e = {.participant = w->s.anna, .ground = SV_ERASE_REQUEST, .at_ms = w->s.w.now_ms};
    int err = sv_erase_run(w->data, w->s.org, &e, write_one, &stop);
    done = !err && e.done;
    assert_true(done || err == OV_E_IO);
    assert_true(sv_keyring_destroyed(w->s.org->keyring, &w->s.anna)); /* from the first step on */
    assert_in_range(at, 0, 9);
  }
  fx_verify(&w->s.w, w->s.org);
  /* and once more, by the list: nothing is left to do */
  char list[200];
  uint32_t again = 9;
  FX_OK(sv_erase_list_path(w->data, list, sizeof list));
  const char *lists[] = {list, NULL};
  FX_OK(sv_erase_replay(w->data, lists, w->s.org, write_one, NULL, &again));
  assert_int_equal(again, 0);
}

/* An older backup with its older keyring, put back: the list takes the person out again. */
static void an_older_copy_does_not_bring_anybody_back(void **state) {
  ew *w = *state;
  sv_erase e;
  sv_record_row row;
  char list[200];
  uint32_t again = 0;
  sv_org *old = fx_org_copy(&w->s.w, w->s.org);
  erase_anna(w, &e);
  assert_true(fx_record(&w->s.w, old, &w->nights[0], &row));
  assert_false(row.erased);
  FX_OK(sv_erase_list_path(w->data, list, sizeof list));
  const char *lists[] = {list, NULL};
  FX_OK(sv_erase_replay(w->data, lists, old, write_one, NULL, &again));
  assert_int_equal(again, 1);
  assert_true(fx_record(&w->s.w, old, &w->nights[0], &row));
  assert_true(row.erased);
  fx_verify(&w->s.w, old);
  sv_org_close(old);
}

static void the_list_keeps_what_it_has(void **state) {
  ew *w = *state;
  char list[200];
  snprintf(list, sizeof list, "%s/list", w->s.w.dir);
  sv_erasure *v = NULL, a = {.organisation = w->s.org->id, .participant = w->s.anna, .at_ms = 5},
             b = {.organisation = w->s.org->id, .participant = w->bert, .at_ms = 7};
  uint32_t n = 9;
  FX_OK(sv_erasures_read(list, &v, &n));
  assert_int_equal(n, 0);
  FX_OK(sv_erasures_add(list, &a, 1));
  FX_OK(sv_erasures_add(list, (sv_erasure[]){a, b, b}, 3));
  FX_OK(sv_erasures_read(list, &v, &n));
  assert_int_equal(n, 2);
  assert_true(ov_name_equal(&v[1].participant, &w->bert));
  assert_int_equal(v[1].at_ms, 7);
  free(v);
  FILE *f = fopen(list, "a");
  fputs("no such line\n", f);
  fclose(f);
  assert_int_equal(sv_erasures_read(list, &v, &n), OV_E_CORRUPT);
  assert_int_equal(sv_erasures_add(list, &b, 1), OV_E_CORRUPT); /* and nothing is lost over it */
  struct stat st;
  assert_int_equal(stat(list, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
}

/* -- every key on every window ------------------------------------------------------------------- */

static uint8_t *slurp(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  FX_MUST(f);
  FX_MUST(!fseek(f, 0, SEEK_END));
  *n = (size_t)ftell(f);
  rewind(f);
  uint8_t *p = malloc(*n + 1);
  FX_MUST(p && fread(p, 1, *n, f) == *n);
  fclose(f);
  while (*n && !p[*n - 1]) (*n)--; /* the map's unused end */
  return p;
}

/* GCM is counter mode from block 2 on: whatever a key of the store sealed anywhere shows its text when the
 * window starts at its nonce, whoever knows the AAD or not. */
static bool opens(const uint8_t key[OV_KEY_BYTES], const uint8_t *p, size_t n, const char *text) {
  enum { WINDOW = 256 };
  EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
  bool found = false;
  FX_MUST(c && EVP_EncryptInit_ex(c, EVP_aes_256_ctr(), NULL, key, NULL) == 1);
  for (size_t at = 0; at + 12 + strlen(text) <= n && !found; at++) {
    uint8_t iv[16] = {0}, out[WINDOW];
    if (!memcmp(p + at, iv, 12)) continue; /* a hole */
    int len = (int)(n - at - 12 < WINDOW ? n - at - 12 : WINDOW), got = 0;
    memcpy(iv, p + at, 12);
    iv[15] = 2;
    FX_MUST(EVP_EncryptInit_ex(c, NULL, NULL, NULL, iv) == 1);
    FX_MUST(EVP_EncryptUpdate(c, out, &got, p + at + 12, len) == 1);
    found = memmem(out, (size_t)got, text, strlen(text)) != NULL;
  }
  EVP_CIPHER_CTX_free(c);
  return found;
}

static unsigned keys_left(ew *w, uint8_t keys[16][OV_KEY_BYTES]) {
  const ov_name zero = {0}, a = {.seq = w->s.a}, b = {.seq = w->s.b};
  const struct {
    sv_key_type type;
    const ov_name *id;
  } all[] = {{SV_KEY_SEAL_ORG, &zero},
             {SV_KEY_INDEX, &zero},
             {SV_KEY_SIGN, &zero},
             {SV_KEY_COMMIT_ORG, &zero},
             {SV_KEY_COMMIT_TEAM, &a},
             {SV_KEY_COMMIT_TEAM, &b},
             {SV_KEY_SEAL_PARTICIPANT, &w->bert},
             {SV_KEY_COMMIT_PARTICIPANT, &w->bert}};
  unsigned n = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    FX_OK(sv_keyring_get(w->s.org->keyring, all[i].type, all[i].id, keys[n++]));
  memcpy(keys[n++], w->s.w.master, OV_KEY_BYTES);
  char epoch[300];
  FX_OK(sv_org_epoch_path(w->data, &w->s.org->id, epoch, sizeof epoch));
  sv_epoch_file f = {.path = epoch, .h = w->s.w.hasher};
  FX_OK(sv_epoch_get(&f, w->s.w.master, sv_keyring_epoch(w->s.org->keyring), keys[n++]));
  return n;
}

static void copy_to(const char *from, const char *to) {
  size_t n;
  uint8_t *p = slurp(from, &n);
  FILE *f = fopen(to, "wb");
  FX_MUST(f && fwrite(p, 1, n, f) == n && !fclose(f));
  free(p);
}

static void no_key_that_is_left_opens_anything_anywhere(void **state) {
  ew *w = *state;
  sv_erase e;
  char env[300], paths[4][400], keyring[300], epoch[300];
  uint8_t keys[16][OV_KEY_BYTES];
  FX_OK(sv_org_path(w->data, &w->s.org->id, env, sizeof env));
  FX_OK(sv_org_keyring_path(w->data, &w->s.org->id, keyring, sizeof keyring));
  FX_OK(sv_org_epoch_path(w->data, &w->s.org->id, epoch, sizeof epoch));
  snprintf(paths[0], sizeof paths[0], "%s/data.mdb", env);
  snprintf(paths[1], sizeof paths[1], "%s/backup.mdb", w->s.w.dir);
  snprintf(paths[2], sizeof paths[2], "%s/old.keyring", w->s.w.dir);
  snprintf(paths[3], sizeof paths[3], "%s/old.mdb", w->s.w.dir);
  FX_OK(sv_env_copy(w->s.org->env, paths[1])); /* a backup from before */
  copy_to(keyring, paths[2]);                  /* and a copy of the keyring */
  copy_to(paths[0], paths[3]);
  erase_anna(w, &e);
  unsigned n_keys = keys_left(w, keys);
  for (unsigned i = 0; i < 4; i++) {
    size_t n;
    uint8_t *p = slurp(paths[i], &n);
    assert_null(memmem(p, n, PLANTED, strlen(PLANTED)));
    for (unsigned k = 0; k < n_keys; k++) assert_false(opens(keys[k], p, n, PLANTED));
    if (i == 2) assert_null(memmem(p, n, w->anna_key, OV_KEY_BYTES));
    /* the search is one that finds: with the key that was destroyed, and for the one who stays */
    if (i == 1 || i == 3) assert_true(opens(w->anna_key, p, n, PLANTED));
    if (i == 1 || i == 3) assert_true(opens(keys[6], p, n, KEPT));
    free(p);
  }
  sv_keyring *k = NULL;
  assert_int_equal(
      sv_keyring_open(paths[2], epoch, w->s.w.master, w->s.w.sys.random, w->s.w.sys.ctx, false, &k),
      OV_E_CRYPTO);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(payloads_and_indexes_go_headers_stay),
      T(every_scope_says_gone_and_the_organisation_has_the_tombstone),
      T(a_tablet_cannot_forge_a_tombstone),
      T(a_tablets_receipt_is_applied),
      T(a_crash_between_any_two_steps_is_gone_on_from),
      T(an_older_copy_does_not_bring_anybody_back),
      T(the_list_keeps_what_it_has),
      T(no_key_that_is_left_opens_anything_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
