/* Damaged stores: values put in another row's place, and single bits flipped anywhere in the file. LMDB has
 * no checksums, so this is ours to find; where LMDB itself dies of a flip, it dies in a child process here.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_world.h"

#define OPS 40
#define RECORDS 20

/* -- content: a bit of everything ------------------------------------------------------------------------ */

static ov_name participant_of(uint64_t seq) { return make_name(3, 1 + seq % 4); }

static void fill_scopes(sv_txn *t) {
  for (uint32_t s = 1; s <= 2; s++) {
    sv_scope scope = {.scope = s, .record = make_name(6, s)};
    sv_scope_put(t, &scope);
    for (uint64_t seq = 1; seq <= RECORDS; seq++) {
      ov_name record = make_name(1, seq);
      ov_hash state = make_hash((uint8_t)seq);
      uint64_t pos;
      sv_pos_append(t, s, &record, &state, 0, seq % 7 == 0, &pos);
    }
  }
}

static void fill(world *w) {
  sv_txn *t = must_write(w);
  for (uint64_t seq = 1; seq <= OPS; seq++) {
    ov_name p = participant_of(seq), name = make_name(1, seq), record = make_name(1, 1 + seq % RECORDS);
    sv_op_row row = make_op(1, seq, seq % 3 ? &p : NULL);
    sv_tip tip = {.writer = make_id((uint8_t)seq), .head = {.seq = seq, .head = make_hash((uint8_t)seq)}};
    sv_device d = {.id = make_id((uint8_t)seq), .name = PLANTED, .n_teams = 1};
    sv_code c = {.expires_ms = (int64_t)seq};
    char key[16];
    c.hash[0] = (uint8_t)seq;
    snprintf(key, sizeof key, "meta%d", (int)seq);
    sv_op_put(t, &row);
    sv_tip_put(t, NULL, &tip);
    sv_device_put(t, &d);
    sv_code_put(t, &c);
    sv_meta_put(t, key, key, strlen(key));
    sv_record_op_add(t, &record, &name);
    sv_waiting_add(t, &p, &name);
    sv_ruling_add(t, &p, &name);
    sv_held_add(t, &name);
    sv_queue_push(t, &name);
  }
  for (uint64_t seq = 1; seq <= RECORDS; seq++) {
    ov_name p = participant_of(seq), name = make_name(1, seq);
    sv_record_row row = make_record(w, &name, (uint16_t)(20 + seq % 2), seq % 5 ? &p : NULL, (int64_t)seq);
    row.has_natural_key = seq % 2;
    sv_record_put(t, &row);
  }
  fill_scopes(t);
  must_commit(t);
}

/* Always the same size of map: another would make the file longer. */
static int open_small(world *w) {
  sv_env_options o = world_options(w);
  o.map_bytes = 1u << 20;
  return world_open(w, &o);
}

static int setup(void **state) {
  world *w = malloc(sizeof *w);
  if (!w) return -1;
  world_init(w);
  *state = w;
  if (open_small(w)) return -1;
  fill(w);
  return 0;
}

/* -- values in the wrong place --------------------------------------------------------------------------- */

/* A raw handle on the closed store. */
typedef struct raw {
  MDB_env *e;
  MDB_txn *t;
  MDB_dbi d;
} raw;

static void raw_open(world *w, const char *table, raw *r) {
  sv_env_close(w->env);
  w->env = NULL;
  assert_int_equal(mdb_env_create(&r->e), 0);
  assert_int_equal(mdb_env_set_maxdbs(r->e, 32), 0);
  assert_int_equal(mdb_env_open(r->e, w->env_path, MDB_NOTLS, 0600), 0);
  assert_int_equal(mdb_txn_begin(r->e, NULL, 0, &r->t), 0);
  assert_int_equal(mdb_dbi_open(r->t, table, 0, &r->d), 0);
}

static void raw_commit(world *w, raw *r) {
  assert_int_equal(mdb_txn_commit(r->t), 0);
  mdb_env_close(r->e);
  assert_int_equal(open_small(w), 0);
}

typedef struct pair {
  uint8_t key[2][128], value[2][4096];
  size_t key_n[2], value_n[2];
} pair;

/* The first two rows whose key begins with prefix. */
static void raw_pair(raw *r, const char *prefix, pair *p) {
  MDB_cursor *c;
  MDB_val k = {strlen(prefix), (void *)(uintptr_t)prefix}, v;
  assert_int_equal(mdb_cursor_open(r->t, r->d, &c), 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(mdb_cursor_get(c, &k, &v, i ? MDB_NEXT : *prefix ? MDB_SET_RANGE : MDB_FIRST), 0);
    assert_true(k.mv_size <= sizeof p->key[i] && v.mv_size <= sizeof p->value[i]);
    memcpy(p->key[i], k.mv_data, p->key_n[i] = k.mv_size);
    memcpy(p->value[i], v.mv_data, p->value_n[i] = v.mv_size);
  }
  mdb_cursor_close(c);
}

static void raw_put(raw *r, pair *p, int row, const void *value, size_t n) {
  MDB_val k = {p->key_n[row], p->key[row]}, v = {n, (void *)(uintptr_t)value};
  assert_int_equal(mdb_put(r->t, r->d, &k, &v, 0), 0);
}

/* Every row of every kind, read by the public calls; how many could be read, were missing, were refused. */
typedef struct tally {
  unsigned ok, missing, refused;
  uint64_t digest;
} tally;

static void mix(tally *y, const void *p, size_t n) {
  const uint8_t *b = p;
  for (size_t i = 0; i < n; i++) y->digest = (y->digest ^ b[i]) * 1099511628211ull;
}

static void mix_name(tally *y, const ov_name *name) {
  uint8_t b[OV_NAME_BYTES];
  ov_name_write(name, b);
  mix(y, b, sizeof b);
}

/* Each item has a digest of its own, so that one that went missing does not shift the rest. */
#define ITEMS 1024
typedef struct reading {
  tally items[ITEMS];
  unsigned n;
} reading;

static sv_txn *item_txn(world *w) {
  sv_txn *t;
  return sv_txn_read(w->env, &t) ? NULL : t;
}

static void item_end(reading *r, sv_txn *t, int err, tally y) {
  sv_txn_abort(t);
  y.ok = err == 0;
  y.missing = err == OV_E_NOTFOUND;
  y.refused = err && err != OV_E_NOTFOUND;
  if (r->n < ITEMS) r->items[r->n++] = y;
}

static void read_op(world *w, reading *r, uint64_t seq) {
  sv_op_row row;
  tally y = {0};
  ov_name name = make_name(1, seq);
  sv_txn *t = item_txn(w);
  int err = t ? sv_op_get(t, &name, &w->arena, &row) : OV_E_CORRUPT;
  if (!err) {
    mix(&y, row.op.header_bytes, row.op.header_len);
    mix(&y, row.op.payload_bytes, row.op.payload_len);
    mix(&y, row.head.b, sizeof row.head.b);
    mix(&y, row.op.commitment.b, sizeof row.op.commitment.b);
    mix(&y, &row.receipts[0].server_time_ms, sizeof row.receipts[0].server_time_ms);
  }
  item_end(r, t, err, y);
}

static void read_record(world *w, reading *r, uint64_t seq) {
  sv_record_row row;
  tally y = {0};
  ov_name name = make_name(1, seq);
  sv_txn *t = item_txn(w);
  int err = t ? sv_record_get(t, &name, &w->arena, &row) : OV_E_CORRUPT;
  if (!err) {
    ov_buf b;
    ov_buf_init(&b, 0);
    ov_record_encode(&row.rec, &b);
    mix(&y, b.p, b.n);
    ov_buf_free(&b);
    mix(&y, &row.day, sizeof row.day);
    mix(&y, &row.places[0].pos, sizeof row.places[0].pos);
  }
  item_end(r, t, err, y);
}

static void read_device_tip_code_meta(world *w, reading *r, uint8_t i) {
  sv_device d;
  sv_code c;
  sv_tip tip;
  uint32_t n = 0;
  uint8_t hash[OV_HASH_BYTES] = {i};
  char key[16];
  ov_buf b;
  ov_id id = make_id(i);
  tally y = {0};
  sv_txn *t = item_txn(w);
  int err = t ? sv_device_get(t, &id, &d) : OV_E_CORRUPT;
  if (!err) mix(&y, d.name, strlen(d.name));
  item_end(r, t, err, y);
  t = item_txn(w);
  err = t ? sv_tips_get(t, &id, &tip, 1, &n) : OV_E_CORRUPT;
  if (!err && n == 0) err = OV_E_NOTFOUND;
  y = (tally){0};
  if (!err) mix(&y, &tip.head, sizeof tip.head);
  item_end(r, t, err, y);
  t = item_txn(w);
  err = t ? sv_code_get(t, hash, &c) : OV_E_CORRUPT;
  y = (tally){0};
  if (!err) mix(&y, &c.expires_ms, sizeof c.expires_ms);
  item_end(r, t, err, y);
  snprintf(key, sizeof key, "meta%d", i);
  ov_buf_init(&b, 0);
  t = item_txn(w);
  err = t ? sv_meta_get(t, key, &b) : OV_E_CORRUPT;
  y = (tally){0};
  if (!err) mix(&y, b.p, b.n);
  ov_buf_free(&b);
  item_end(r, t, err, y);
}

static void read_scope(world *w, reading *r, uint32_t s) {
  sv_scope scope;
  sv_posent list[RECORDS];
  uint32_t n = 0;
  tally y = {0};
  sv_txn *t = item_txn(w);
  int err = t ? sv_scope_get(t, s, &scope) : OV_E_CORRUPT;
  if (!err) mix(&y, scope.hash, sizeof scope.hash);
  item_end(r, t, err, y);
  t = item_txn(w);
  err = t ? sv_pos_list(t, s, 0, list, RECORDS, &n) : OV_E_CORRUPT;
  y = (tally){0};
  for (uint32_t i = 0; i < n; i++) {
    mix_name(&y, &list[i].record);
    mix(&y, &list[i].gone, 1);
    mix(&y, &list[i].pos, sizeof list[i].pos);
  }
  item_end(r, t, err ? err : n < RECORDS ? OV_E_NOTFOUND : 0, y);
  for (uint64_t pos = 1; pos <= RECORDS; pos++) {
    uint8_t hash[OV_POSHASH_BYTES];
    t = item_txn(w);
    err = t ? sv_pos_hash(t, s, pos, hash) : OV_E_CORRUPT;
    y = (tally){0};
    if (!err) mix(&y, hash, sizeof hash);
    item_end(r, t, err, y);
  }
  for (uint64_t seq = 7; seq <= RECORDS; seq += 7) {
    uint64_t pos;
    ov_name record = make_name(1, seq);
    t = item_txn(w);
    err = t ? sv_gone_get(t, s, &record, &pos) : OV_E_CORRUPT;
    y = (tally){0};
    if (!err) mix(&y, &pos, sizeof pos);
    item_end(r, t, err, y);
  }
}

/* A list is one item; a shorter one counts as missing (want: its full length). */
static void list_end(reading *r, sv_txn *t, int err, const ov_name *names, uint32_t n, uint32_t want) {
  tally y = {0};
  for (uint32_t i = 0; !err && i < n; i++) mix_name(&y, &names[i]);
  item_end(r, t, err ? err : n < want ? OV_E_NOTFOUND : 0, y);
}

static void read_lists(world *w, reading *r) {
  ov_name names[64], *many = NULL;
  uint32_t n = 0;
  for (uint64_t i = 0; i < 4; i++) {
    ov_name p = participant_of(i);
    sv_txn *t = item_txn(w);
    int err = t ? sv_by_participant(t, &p, NULL, names, 64, &n) : OV_E_CORRUPT;
    list_end(r, t, err, names, n, 4);
    t = item_txn(w);
    err = t ? sv_waiting_list(t, &p, names, 64, &n) : OV_E_CORRUPT;
    list_end(r, t, err, names, n, 10);
    t = item_txn(w);
    err = t ? sv_rulings_of(t, &p, names, 64, &n) : OV_E_CORRUPT;
    list_end(r, t, err, names, n, 10);
  }
  for (uint64_t seq = 1; seq <= RECORDS; seq++) {
    ov_name record = make_name(1, seq);
    sv_txn *t = item_txn(w);
    int err = t ? sv_record_ops(t, &record, &w->arena, &many, &n) : OV_E_CORRUPT;
    list_end(r, t, err, many, n, 2);
  }
  sv_txn *t = item_txn(w);
  int err = t ? sv_by_kind_day(t, 20, 0, 100, &w->arena, &many, 100, &n) : OV_E_CORRUPT;
  list_end(r, t, err, many, n, 10);
  uint8_t zero[OV_HASH_BYTES] = {0};
  t = item_txn(w);
  err = t ? sv_by_natural_key(t, 21, zero, names, 64, &n) : OV_E_CORRUPT;
  list_end(r, t, err, names, n, 10);
}

static void read_all(world *w, reading *r) {
  memset(r, 0, sizeof *r);
  ov_arena_reset(&w->arena);
  for (uint64_t seq = 1; seq <= OPS; seq++) read_op(w, r, seq);
  for (uint64_t seq = 1; seq <= RECORDS; seq++) read_record(w, r, seq);
  for (uint8_t i = 1; i <= OPS; i++) read_device_tip_code_meta(w, r, i);
  for (uint32_t s = 1; s <= 2; s++) read_scope(w, r, s);
  read_lists(w, r);
}

static tally sum(const reading *r) {
  tally y = {0};
  for (unsigned i = 0; i < r->n; i++) {
    y.ok += r->items[i].ok;
    y.missing += r->items[i].missing;
    y.refused += r->items[i].refused;
  }
  return y;
}

static void what_was_put_reads_whole_and_scrubs_clean(void **state) {
  world *w = *state;
  static reading r;
  read_all(w, &r);
  tally y = sum(&r);
  assert_int_equal(y.ok, r.n);
  assert_true(r.n > 200 && r.n < ITEMS);
  sv_scrub s;
  assert_int_equal(sv_env_scrub(w->env, &s), 0);
  assert_string_equal(s.first, "");
  assert_int_equal(s.bad, 0);
  assert_true(s.rows > 500);
}

static void a_value_in_another_rows_place_is_refused(void **state) {
  world *w = *state;
  static const struct {
    const char *table, *prefix;
  } cases[] = {
      {"ops", ""},    {"records", ""},  {"tips", ""}, {"devices", ""}, {"codes", ""},
      {"scopes", ""}, {"pos_hash", ""}, {"pos", ""},  {"gone", ""},    {"meta", "meta1"},
  };
  static pair p;
  static reading r;
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    raw x;
    raw_open(w, cases[i].table, &x);
    raw_pair(&x, cases[i].prefix, &p);
    raw_put(&x, &p, 0, p.value[1], p.value_n[1]);
    raw_put(&x, &p, 1, p.value[0], p.value_n[0]);
    raw_commit(w, &x);
    read_all(w, &r);
    tally y = sum(&r);
    assert_true(y.refused >= (strcmp(cases[i].table, "pos") ? 2 : 1)); /* a list of positions is one item */
    assert_int_equal(y.missing, 0);
    sv_scrub s;
    assert_int_equal(sv_env_scrub(w->env, &s), 0);
    assert_true(s.bad >= 2);
    assert_non_null(strstr(s.first, cases[i].table));
    raw_open(w, cases[i].table, &x);
    raw_put(&x, &p, 0, p.value[0], p.value_n[0]);
    raw_put(&x, &p, 1, p.value[1], p.value_n[1]);
    raw_commit(w, &x);
  }
  read_all(w, &r);
  assert_int_equal(sum(&r).ok, r.n);
}

static size_t first_part_end(const uint8_t *v) {
  return v[0] & 0x80 ? 2 + (v[0] & 0x7fu) + ((size_t)v[1] << 7) : 1u + v[0];
}

/* Header of one op with the payload of another, of the same participant; and an op that lost its payload. */
static void parts_of_two_rows_do_not_mix(void **state) {
  world *w = *state;
  static const char *const tables[] = {"ops", "records"};
  static pair p;
  static reading r;
  for (unsigned i = 0; i < 2; i++) {
    for (int cut = 0; cut < 2; cut++) {
      raw x;
      uint8_t mixed[8192];
      raw_open(w, tables[i], &x);
      raw_pair(&x, "", &p);
      size_t a = first_part_end(p.value[0]), b = first_part_end(p.value[1]);
      assert_true(a < p.value_n[0] && b < p.value_n[1]);
      memcpy(mixed, p.value[0], a);
      memcpy(mixed + a, p.value[1] + b, p.value_n[1] - b);
      raw_put(&x, &p, 0, mixed, cut ? a : a + p.value_n[1] - b);
      raw_commit(w, &x);
      read_all(w, &r);
      assert_int_equal(sum(&r).refused, 1);
      raw_open(w, tables[i], &x);
      raw_put(&x, &p, 0, p.value[0], p.value_n[0]);
      raw_commit(w, &x);
    }
  }
}

static void a_row_that_went_missing_is_found_by_the_scrub(void **state) {
  world *w = *state;
  static const char *const tables[] = {
      "meta",    "ops",    "tips",     "devices", "codes", "records", "record_ops", "participant", "kind_day",
      "natural", "scopes", "pos_hash", "pos",     "gone",  "waiting", "rulings",    "held",        "queue"};
  static pair p;
  for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++) {
    raw x;
    sv_scrub s;
    raw_open(w, tables[i], &x);
    raw_pair(&x, "", &p);
    MDB_val k = {p.key_n[0], p.key[0]};
    assert_int_equal(mdb_del(x.t, x.d, &k, NULL), 0);
    raw_commit(w, &x);
    assert_int_equal(sv_env_scrub(w->env, &s), 0);
    assert_true(s.bad >= 1);
    raw_open(w, tables[i], &x);
    raw_put(&x, &p, 0, p.value[0], p.value_n[0]);
    raw_commit(w, &x);
    assert_int_equal(sv_env_scrub(w->env, &s), 0);
    assert_int_equal(s.bad, 0);
  }
}

/* -- flipped bits ---------------------------------------------------------------------------------------- */

/* What became of one flip, as the exit code of the child that read the store. ASan exits with 1, so these are
 * other numbers. */
enum { SAME = 10, REFUSED = 11, MISSING_FOUND = 12, OLDER = 13, WRONG = 14, MISSING_UNSEEN = 15, KINDS = 6 };

static int judge(world *w, const reading *before, bool in_meta_pages) {
  static reading now;
  sv_scrub scrub;
  if (open_small(w)) return REFUSED;
  read_all(w, &now);
  bool wrong = false, missing = false, refused = false;
  for (unsigned i = 0; i < before->n; i++) {
    if (now.items[i].ok && now.items[i].digest != before->items[i].digest) wrong = true;
    missing |= now.items[i].missing;
    refused |= now.items[i].refused;
  }
  bool clean = !sv_env_scrub(w->env, &scrub) && scrub.bad == 0;
  if (wrong) return WRONG;
  /* The newer meta page spoilt: LMDB goes back one commit, all of it consistent. */
  if (missing && clean) return in_meta_pages && !refused ? OLDER : MISSING_UNSEEN;
  return missing ? MISSING_FOUND : refused || !clean ? REFUSED : SAME;
}

static bool own_code_reported(const char *report) {
  static const char *const signs[] = {"heap-buffer",   "stack-buffer",  "use-after",
                                      "global-buffer", "runtime error", "LeakSanitizer"};
  for (unsigned i = 0; i < 6; i++) {
    if (file_contains(report, signs[i], strlen(signs[i]))) return true;
  }
  return false;
}

/* A child with a limit of time (a flip can make LMDB's tree a circle). -1: it died. */
static int try_flip(world *w, const reading *before, uint64_t bit, const char *report) {
  flip_bit(w->data_path, bit);
  pid_t child = fork();
  if (child == 0) {
    int fd = open(report, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT,
                                 SIGFPE,  SIGILL, SIGSYS}; /* cmocka catches them in the parent */
    for (unsigned i = 0; i < 6; i++) signal(deadly[i], SIG_DFL);
    dup2(fd, 2);
    alarm(20);
    _exit(judge(w, before, bit / 8 < 8192));
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_false(own_code_reported(report));
  char damaged[160];
  snprintf(damaged, sizeof damaged, "%s/damaged", w->env_path);
  /* An assertion of LMDB aborts the process, and leaves a note that keeps the next one from opening this
   * store. */
  bool noted = !unlink(damaged);
  assert_int_equal(noted, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  flip_bit(w->data_path, bit);
  return WIFEXITED(status) && WEXITSTATUS(status) >= SAME ? WEXITSTATUS(status) : -1;
}

static void no_flipped_bit_gives_wrong_data(void **state) {
  world *w = *state;
  static reading before;
  sv_env_stats s;
  char report[160], whole[160];
  unsigned count[KINDS] = {0}, died = 0, tries = 600;
  uint64_t random = 7;
  read_all(w, &before);
  sv_env_stats_get(w->env, &s);
  world_close(w);
  snprintf(report, sizeof report, "%s/report", w->folder);
  snprintf(whole, sizeof whole, "%s/whole", w->folder);
  copy_file(w->data_path, whole);
  for (unsigned i = 0; i < tries; i++) {
    uint64_t bit;
    world_random(&random, &bit, sizeof bit);
    bit = i < 60 ? i % 2 * 4096 * 8 + bit % 1500
                 : bit % (s.used_bytes * 8); /* the two meta pages get their share */
    int what = try_flip(w, &before, bit, report);
    if (what < 0) died++;
    else count[what - SAME]++;
    if (what == WRONG || what == MISSING_UNSEEN)
      print_error("bit %llu: %s\n", (unsigned long long)bit, what == WRONG ? "wrong data" : "missing");
  }
  print_message("%u flips: %u same, %u refused, %u missing and found by the scrub, %u one commit back, %u "
                "killed LMDB\n",
                tries, count[0], count[REFUSED - SAME], count[MISSING_FOUND - SAME], count[OLDER - SAME],
                died);
  assert_int_equal(count[WRONG - SAME], 0);
  assert_int_equal(count[MISSING_UNSEEN - SAME], 0);
  assert_true(count[REFUSED - SAME] > tries / 20); /* the flips do hit data */
  assert_true(died < tries / 20);
  assert_true(same_file(whole, w->data_path)); /* looking at a damaged store changed nothing in it */
  assert_int_equal(open_small(w), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(what_was_put_reads_whole_and_scrubs_clean),
      TEST(a_value_in_another_rows_place_is_refused),
      TEST(parts_of_two_rows_do_not_mix),
      TEST(a_row_that_went_missing_is_found_by_the_scrub),
      TEST(no_flipped_bit_gives_wrong_data),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
