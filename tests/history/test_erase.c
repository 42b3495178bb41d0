/* A client is erased while a tablet has entries about them on their way: they arrive as their proof only, and
 * hold up nothing that is behind them. (The first two were found by the simulator.) PROTO-57, PROTO-126 */
#include <signal.h>
#include <sys/resource.h>
#include "home.h"

#include "sv_erase.h"

static void erase(home *h, const ov_name *who) {
  sv_erase e = {.participant = *who, .ground = SV_ERASE_REQUEST, .at_ms = h->w.fx.now_ms};
  FX_OK(sv_erase_run(h->w.data, h->w.org, &e, fx_erase_write, NULL));
  assert_true(e.done);
  sv_server_changed(h->w.server, h->w.org, (const uint32_t[]){1, h->team}, 2);
}

static void erase_client(home *h) { erase(h, &h->client); }

static void add_night(home *h, tablet *t, char id[OC_ID_TEXT]) {
  tablet_add(t, "sleep", &h->client, &h->ann, id, "night_date=2025-10-02", "source=1", "note=geheim", NULL);
}

static void is_proof_only(home *h, const char *id) {
  sv_op_row row;
  ov_name name = name_of(id);
  assert_true(fx_op(&h->w.fx, h->w.org, &name, &row));
  assert_true(row.op.has_commitment && !row.op.n_fields && (row.erased || row.op.is_void));
}

/* The tablet has moved to another team since: its copy of the client's record, with the commit key that the
 * server has destroyed and asks for, leaves before the entry is sent. */
static void an_entry_of_a_tablet_that_has_moved(void **state) {
  (void)state;
  home h;
  char night[OC_ID_TEXT], barrier[OC_ID_TEXT];
  home_open(&h);
  add_night(&h, &h.a, night);
  tablet_add(&h.a, "barrier", NULL, &h.ann, barrier, "description=wifi", NULL);
  ov_field f = fx_set(&h.w.fx, SV_DEVICE_TEAMS, (int64_t[]){h.other}, 1, (int64_t[]){h.team}, 1);
  fx_change(&h.w.fx, h.w.org, &h.a.s->self.device_record, &f, 1);
  erase_client(&h);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  is_proof_only(&h, night);
  tablet_sync_ok(&h.b);
  assert_true(tablet_has(&h.b, barrier)); /* what was behind it */
  fx_verify(&h.w.fx, h.w.org);
  home_close(&h);
}

static bool has_content(tablet *t, const char *id) {
  oc_txn *x = NULL;
  oc_log_row row;
  ov_arena a;
  ov_name name = name_of(id);
  ov_arena_init(&a, 1u << 20);
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  FX_OK(oc_log_get(x, &name.writer, name.seq, &a, &row));
  oc_txn_abort(x);
  ov_arena_free(&a);
  return row.kept && row.op.n_fields;
}

/* Somebody leaves, and a client whose night they wrote down on a device of their own is erased after that:
 * who has no role any more is delivered nothing, but hears of it. PROTO-125 */
static void a_device_of_somebody_who_left(void **state) {
  (void)state;
  home h;
  char night[OC_ID_TEXT];
  sv_txn *t = NULL;
  sv_device d;
  home_open(&h);
  FX_OK(sv_txn_write(h.w.org->env, &t));
  FX_OK(sv_device_get(t, &h.a.s->self.device, &d));
  d.has_person = true;
  d.person = h.ann;
  FX_OK(sv_device_put(t, &d));
  FX_OK(sv_txn_commit(t));
  add_night(&h, &h.a, night);
  tablet_sync_ok(&h.a);
  assert_true(has_content(&h.a, night));
  ov_field left = FX_INT(SV_PERSON_ACTIVE, 0);
  fx_change(&h.w.fx, h.w.org, &h.ann, &left, 1);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_true(has_content(&h.a, night));
  erase_client(&h);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_false(has_content(&h.a, night));
  home_close(&h);
}

/* The tombstone comes when the push is under way: the key that the server asks for has gone with the client,
 * and the entry is sent again as a void. */
static void the_tombstone_overtakes_the_push(void **state) {
  (void)state;
  home h;
  oc_error e = {0};
  oc_session *cs = NULL;
  char night[OC_ID_TEXT];
  size_t n = 0;
  home_open(&h);
  assert_int_equal(oc_session_new(h.a.s, &(oc_sync_options){.live = true}, &cs, &e), 0);
  world_wire *w = world_connect(&h.w, cs);
  assert_int_equal(world_pump(w, &e), 0);
  add_night(&h, &h.a, night);
  const uint8_t *p = oc_session_output(cs, &n);
  assert_non_null(p);
  uint8_t *push = test_malloc(n);
  memcpy(push, p, n);
  erase_client(&h);
  assert_int_equal(world_pump(w, &e), 0);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  assert_int_equal(world_seen(w)->down_of[OV_M_ERROR], 0);
  world_inject(w, push, n);
  assert_int_equal(world_pump(w, &e), 0);
  assert_int_equal(world_seen(w)->down_of[OV_M_ERROR], 1);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  is_proof_only(&h, night);
  assert_false(tablet_has(&h.a, night));
  world_disconnect(w);
  oc_session_free(cs);
  test_free(push);
  all_agree(&h);
  home_close(&h);
}

typedef struct second_erasure {
  home *h;
  ov_name who;
  unsigned at; /* before this message down; 0: it was done */
} second_erasure;

static void erase_second(void *ctx, unsigned n) {
  second_erasure *e = ctx;
  if (n != e->at) return;
  e->at = 0;
  erase(e->h, &e->who);
}

/* One client was erased before the push, another is while the server asks for the key of the first: it asks
 * for the second key too, and gets both. */
static void a_second_client_is_erased_meanwhile(void **state) {
  (void)state;
  home h;
  link_seen seen;
  char night[OC_ID_TEXT], other[OC_ID_TEXT], barrier[OC_ID_TEXT];
  home_open(&h);
  second_erasure then = {.h = &h, .at = 2}; /* after WELCOME */
  then.who = fx_participant(&h.w.fx, h.w.org, "Client 2", &h.team, 1);
  tablet_sync_ok(&h.a);
  add_night(&h, &h.a, night);
  tablet_add(&h.a, "sleep", &then.who, &h.ann, other, "night_date=2025-10-03", "source=1", NULL);
  tablet_add(&h.a, "barrier", NULL, &h.ann, barrier, "description=wifi", NULL);
  erase_client(&h);
  later(&h);
  assert_int_equal(tablet_sync(&h.a, &(link_plan){.before_down = erase_second, .ctx = &then}, &seen), 0);
  assert_int_equal(then.at, 0);
  assert_int_equal(seen.down_of[OV_M_ERROR], 2);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  is_proof_only(&h, night);
  is_proof_only(&h, other);
  all_agree(&h);
  assert_true(tablet_has(&h.b, barrier));
  home_close(&h);
}

static oc_store *open_again(home *h, tablet *t) {
  oc_error e;
  oc_store *s = NULL;
  oc_options o = t->s->o;
  (void)h;
  tablet_close(t);
  o.path = t->path;
  if (oc_store_open(&o, &s, &e)) fail_msg("%s", e.message);
  return s;
}

/* The tombstone has come, and the disk has no room to write the store anew: it opens and shows what it has,
 * says that an erasure is not finished, and finishes it when there is room. PROTO-126 */
static void a_full_disk_locks_nobody_out(void **state) {
  (void)state;
  home h;
  oc_error e;
  char night[OC_ID_TEXT], barrier[OC_ID_TEXT];
  struct rlimit before, small = {4096, RLIM_INFINITY};
  home_open(&h);
  add_night(&h, &h.a, night);
  tablet_add(&h.a, "barrier", NULL, &h.ann, barrier, "description=wifi", NULL);
  tablet_sync_ok(&h.a);
  erase_client(&h);
  later(&h);
  tablet_sync_ok(&h.a);
  void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  small.rlim_max = before.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  h.a.s = open_again(&h, &h.a);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, was);
  assert_true(tablet_status(&h.a).erasing);
  assert_false(tablet_has(&h.a, night));
  assert_true(tablet_has(&h.a, barrier));
  assert_int_equal(tablet_status(&h.a).unsent, 0); /* it does not say yet that it has purged */
  h.a.s = open_again(&h, &h.a);
  assert_false(tablet_status(&h.a).erasing);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  assert_int_equal(oc_verify(h.a.s, &e), 0);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  fx_verify(&h.w.fx, h.w.org);
  home_close(&h);
}

/* The key goes with the client: nothing that is left on the tablet makes a proof again. */
static void no_key_stays_behind(void **state) {
  (void)state;
  home h;
  char night[OC_ID_TEXT];
  uint8_t key[OV_KEY_BYTES];
  oc_txn *t = NULL;
  ov_arena a;
  home_open(&h);
  add_night(&h, &h.a, night);
  tablet_sync_ok(&h.a);
  erase_client(&h);
  later(&h);
  tablet_sync_ok(&h.a);
  ov_op about = {
      .scope = h.team, .creates = true, .kind = 20, .has_participant = true, .participant = h.client};
  ov_arena_init(&a, 1u << 20);
  FX_OK(oc_txn_begin(h.a.s->db, false, &t));
  assert_int_equal(oc_commit_key(h.a.s, t, &about, &a, key), OV_E_NOTFOUND);
  oc_txn_abort(t);
  ov_arena_free(&a);
  home_close(&h);
}

static oc_once import(home *h, const char *client, uint8_t key) {
  oc_error e = {0};
  oc_once it = {.draft = oc_draft_new(h->a.s, "sleep"), .key = {key}, .content = {1}};
  assert_int_equal(oc_draft_participant(it.draft, client, &e), 0);
  assert_int_equal(oc_draft_author(it.draft, "Ann", &e), 0);
  assert_int_equal(oc_draft_set(it.draft, "night_date", "2025-10-02", &e), 0);
  assert_int_equal(oc_draft_set(it.draft, "source", "2", &e), 0);
  assert_int_equal(oc_add_once(h->a.s, &it, 1, false, &e), 0);
  oc_draft_free(it.draft);
  return it;
}

/* What an import remembers of a client's entries are hashes of what they say: they go, those of others
 * stay. */
static void what_an_import_remembers_goes_too(void **state) {
  (void)state;
  home h;
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  oc_txn *t = NULL;
  home_open(&h);
  fx_participant(&h.w.fx, h.w.org, "Client 2", &h.team, 1);
  tablet_sync_ok(&h.a);
  assert_int_equal(import(&h, "Client 1", 1).outcome, OC_ONCE_NEW);
  assert_int_equal(import(&h, "Client 1", 2).outcome, OC_ONCE_NEW);
  assert_int_equal(import(&h, "Client 2", 3).outcome, OC_ONCE_NEW);
  tablet_sync_ok(&h.a);
  erase_client(&h);
  later(&h);
  tablet_sync_ok(&h.a);
  FX_OK(oc_txn_begin(h.a.s->db, false, &t));
  FX_OK(oc_next(t, OC_T_IMPORT, NULL, 0, NULL, 0, false, key, &n, NULL, NULL, NULL));
  assert_int_equal(key[0], 3);
  assert_int_equal(oc_next(t, OC_T_IMPORT, NULL, 0, key, n, true, key, &n, NULL, NULL, NULL), OV_E_NOTFOUND);
  oc_txn_abort(t);
  assert_int_equal(import(&h, "Client 2", 3).outcome, OC_ONCE_SAME);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_entry_of_a_tablet_that_has_moved),
      cmocka_unit_test(a_device_of_somebody_who_left),
      cmocka_unit_test(the_tombstone_overtakes_the_push),
      cmocka_unit_test(a_second_client_is_erased_meanwhile),
      cmocka_unit_test(a_full_disk_locks_nobody_out),
      cmocka_unit_test(no_key_stays_behind),
      cmocka_unit_test(what_an_import_remembers_goes_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
