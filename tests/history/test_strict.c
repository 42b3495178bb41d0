/* Strict protection: without its server a store says nothing of clients, takes entries and loses none; a
 * device that has ended is given no share. PROTO-164 */
#include "home.h"
#include "sv_erase.h"

#define PLANTED "geheim van Merel"

/* Teams, people and devices are written in their own transactions; an organisation's setting is too. */
static void set_strict(home *h, int strict) {
  ov_name *names = NULL, org;
  sv_txn *t = NULL;
  uint32_t n = 0;
  FX_OK(sv_txn_read(h->w.org->env, &t));
  FX_OK(sv_by_kind_day(t, OV_KIND_ORGANISATION, INT32_MIN, INT32_MAX, &h->w.fx.arena, &names, 1, &n));
  org = names[0];
  sv_txn_abort(t);
  ov_field f[] = {FX_INT(SV_ORGANISATION_STRICT, strict)};
  fx_change(&h->w.fx, h->w.org, &org, f, 1);
  later(h);
}

static void add_night(home *h, tablet *t, const char *night, char id[OC_ID_TEXT]) {
  char n[40];
  snprintf(n, sizeof n, "night_date=%s", night);
  tablet_add(t, "sleep", &h->client, &h->ann, id, n, "source=1", "note=" PLANTED, NULL);
}

/* A home of which tablet a is strict, synced, and has been closed and opened since: it holds a night of its
 * own and one of tablet b. */
static void strict_home(home *h, char own[OC_ID_TEXT], char others[OC_ID_TEXT]) {
  home_open(h);
  add_night(h, &h->a, "2025-10-01", own);
  add_night(h, &h->b, "2025-10-02", others);
  tablet_sync_ok(&h->b);
  set_strict(h, 1);
  tablet_sync_ok(&h->a);
  assert_true(tablet_status(&h->a).strict && !tablet_status(&h->a).closed);
  assert_true(tablet_has(&h->a, own) && tablet_has(&h->a, others)); /* it is open until it is closed */
  tablet_reopen(&h->a);
}

static int look_at(tablet *t, const char *id, oc_error *e) {
  oc_query *q = NULL;
  int err = oc_show(t->s, id, &q, e);
  oc_query_free(q);
  return err;
}

/* All that a thief can open with the files: the plain text of every value that the store's own key opens.
 * Where the text is, opened is how many values could be read and shut how many could not. */
static bool found_by_a_thief(tablet *t, unsigned *opened, unsigned *shut) {
  char why[256];
  oc_db *db = NULL;
  bool found = false;
  *opened = *shut = 0;
  tablet_close(t);
  assert_int_equal(oc_db_open(&(oc_db_options){.path = t->path,
                                               .must_exist = true,
                                               .random = t->w->fx.sys.random,
                                               .random_ctx = t->w->fx.sys.ctx},
                              &db, why),
                   0);
  for (int table = 0; table < OC_TABLES; table++) {
    uint8_t key[OC_DB_KEY_MAX];
    size_t key_n = 0, n = 0;
    for (int err = 0; err != OV_E_NOTFOUND;) {
      const uint8_t *p = NULL;
      oc_txn *txn = NULL; /* an error sticks: one for each value */
      ov_arena a;
      ov_arena_init(&a, 1u << 22);
      assert_int_equal(oc_txn_begin(db, false, &txn), 0);
      err = oc_next(txn, (oc_table)table, NULL, 0, key, key_n, key_n > 0, key, &key_n, NULL, NULL, NULL);
      int got = err ? err : oc_get(txn, (oc_table)table, key, key_n, &a, &p, &n);
      assert_true(!got || got == OV_E_NOTFOUND || got == OV_E_DENIED);
      *opened += !got && n;
      *shut += got == OV_E_DENIED;
      found |= !got && n && memmem(p, n, PLANTED, strlen(PLANTED));
      oc_txn_abort(txn);
      ov_arena_free(&a);
    }
  }
  oc_db_close(db);
  tablet_reopen(t);
  return found;
}

static void a_closed_store_says_nothing_and_loses_nothing(void **state) {
  (void)state;
  home h;
  char own[OC_ID_TEXT], others[OC_ID_TEXT], late[OC_ID_TEXT];
  oc_error e = {0};
  oc_query *q = NULL;
  link_seen seen = {0};
  strict_home(&h, own, others);
  assert_true(tablet_status(&h.a).strict && tablet_status(&h.a).closed);
  assert_int_equal(look_at(&h.a, own, &e), OC_E_CLOSED);
  assert_non_null(strstr(e.message_nl, "op slot"));
  assert_non_null(strstr(e.message_nl, "raakt niets kwijt"));
  assert_int_equal(look_at(&h.a, others, &e), OC_E_CLOSED);
  assert_int_equal(oc_query_run(h.a.s, &(oc_filter){0}, &q, &e), OC_E_CLOSED);
  assert_int_equal(oc_verify(h.a.s, &e), OC_E_CLOSED);
  oc_draft *d = oc_draft_edit(h.a.s, others, &e); /* nobody may replace what nobody saw */
  assert_null(d);
  assert_int_equal(e.err, OC_E_CLOSED);
  add_night(&h, &h.a, "2025-10-03", late);
  tablet_reopen(&h.a); /* and once more without its server */
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  char *json = NULL;
  assert_int_equal(oc_export_unsent(h.a.s, &json, &e), 0); /* the last resort works closed too */
  assert_non_null(strstr(json, PLANTED));
  oc_free(json);
  later(&h);
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), 0);
  assert_int_equal(seen.turns, 1); /* the share costs no round trip */
  assert_false(tablet_status(&h.a).closed);
  assert_true(tablet_has(&h.a, own) && tablet_has(&h.a, others) && tablet_has(&h.a, late));
  tablet_sync_ok(&h.b);
  assert_string_equal(tablet_value(&h.b, late, "note", NULL), PLANTED);
  assert_int_equal(oc_verify(h.a.s, &e), 0);
  all_agree(&h);
  home_close(&h);
}

/* With the negative control: the same search of a standard store finds it. */
static void the_files_alone_tell_nothing(void **state) {
  (void)state;
  home h;
  unsigned opened, shut;
  char own[OC_ID_TEXT], others[OC_ID_TEXT], late[OC_ID_TEXT];
  strict_home(&h, own, others);
  assert_false(found_by_a_thief(&h.a, &opened, &shut));
  assert_true(opened > 10);  /* forms, people: what it needs to take entries */
  assert_int_equal(shut, 3); /* the two nights as the server has them, and the entry that made one of them */
  assert_true(found_by_a_thief(&h.b, &opened, &shut));
  assert_int_equal(shut, 0);
  add_night(&h, &h.a, "2025-10-03", late);
  assert_true(found_by_a_thief(&h.a, &opened, &shut)); /* what was not sent lies under the device's own key */
  tablet_sync_ok(&h.a);
  assert_false(found_by_a_thief(&h.a, &opened, &shut));
  home_close(&h);
}

static void end_device(sv_org *org, tablet *t) {
  sv_txn *w = NULL;
  sv_device d;
  FX_OK(sv_txn_write(org->env, &w));
  FX_OK(sv_device_get(w, &t->s->self.device, &d));
  d.revoked = true;
  FX_OK(sv_device_put(w, &d));
  FX_OK(sv_txn_commit(w));
}

/* It hands over what it has not sent, without ever being able to read the rest again, and wipes itself. */
static void a_revoked_device_gets_no_share(void **state) {
  (void)state;
  home h;
  char own[OC_ID_TEXT], others[OC_ID_TEXT], late[OC_ID_TEXT];
  link_seen seen = {0};
  oc_session *cs = NULL;
  oc_error e = {0};
  strict_home(&h, own, others);
  add_night(&h, &h.a, "2025-10-03", late);
  end_device(h.w.org, &h.a);
  end_device(h.w.programme, &h.a);
  later(&h);
  assert_int_equal(oc_session_new(h.a.s, NULL, &cs, &e), 0);
  link_plan cut = {.cut_after_down = 1}; /* WELCOME only: it is told, and drops what it received */
  assert_int_equal(world_sync_session(&h.w, cs, &cut, &seen, &e), 0);
  oc_session_free(cs);
  assert_true(tablet_status(&h.a).revoked && tablet_status(&h.a).closed);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  assert_int_equal(tablet_status(&h.a).records, 1); /* its own unsent one */
  later(&h);
  seen = (link_seen){0};
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), 0);
  assert_int_equal(seen.down_of[OV_M_DELTA], 0);
  assert_true(tablet_status(&h.a).purged && !tablet_status(&h.a).unsent);
  uint8_t reason = 0;
  ov_name op = name_of(late);
  assert_int_equal(fx_verdict(&h.w.fx, h.w.org, &op, &reason), OV_HELD);
  assert_int_equal(reason, OV_HELD_REVOKED);
  fx_verify(&h.w.fx, h.w.org);
  home_close(&h);
}

static void a_refused_device_drops_what_it_cannot_read(void **state) {
  (void)state;
  home h;
  char own[OC_ID_TEXT], others[OC_ID_TEXT], late[OC_ID_TEXT];
  strict_home(&h, own, others);
  add_night(&h, &h.a, "2025-10-03", late);
  assert_int_equal(oc_end_received(h.a.s), 0);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  assert_int_equal(tablet_status(&h.a).records, 1);
  home_close(&h);
}

/* The server has taken an entry that the tablet has not yet got back: refused while closed it keeps nothing
 * of it, since the server does. */
static void a_refused_device_leaves_what_the_server_has(void **state) {
  (void)state;
  home h;
  char own[OC_ID_TEXT], others[OC_ID_TEXT], taken[OC_ID_TEXT], late[OC_ID_TEXT];
  strict_home(&h, own, others);
  add_night(&h, &h.a, "2025-10-03", taken);
  link_plan cut = {.cut_after_down = 2}; /* WELCOME and the ACK */
  assert_int_equal(tablet_sync(&h.a, &cut, NULL), 0);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  tablet_reopen(&h.a);
  assert_true(tablet_status(&h.a).closed);
  add_night(&h, &h.a, "2025-10-04", late);
  assert_int_equal(oc_end_received(h.a.s), 0);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  assert_int_equal(tablet_status(&h.a).records, 1);
  tablet_sync_ok(&h.a);
  assert_true(tablet_has(&h.a, taken) && tablet_has(&h.a, late));
  home_close(&h);
}

/* The setting goes: a closed store asks for its share once more and is standard from then on. */
static void switched_off_it_opens_alone_again(void **state) {
  (void)state;
  home h;
  char own[OC_ID_TEXT], others[OC_ID_TEXT];
  strict_home(&h, own, others);
  set_strict(&h, 0);
  tablet_sync_ok(&h.a);
  assert_false(tablet_status(&h.a).strict);
  tablet_reopen(&h.a);
  assert_false(tablet_status(&h.a).closed);
  assert_true(tablet_has(&h.a, own) && tablet_has(&h.a, others));
  all_agree(&h);
  home_close(&h);
}

/* A server put back to before the tablet's entry: it is offered again, though the tablet was closed when it
 * greeted. Its share is the same. */
static void a_restored_server_is_refilled(void **state) {
  (void)state;
  home h;
  char own[OC_ID_TEXT], others[OC_ID_TEXT], late[OC_ID_TEXT];
  strict_home(&h, own, others);
  world_backup(&h.w);
  add_night(&h, &h.a, "2025-10-03", late);
  tablet_sync_ok(&h.a);
  tablet_reopen(&h.a);
  later(&h);
  world_restore(&h.w);
  tablet_sync_ok(&h.a);
  tablet_sync_ok(&h.b);
  assert_string_equal(tablet_value(&h.b, late, "note", NULL), PLANTED);
  all_agree(&h);
  home_close(&h);
}

/* The link breaks between the word that an entry is gone and its being offered again, and the tablet is
 * closed: what it is to send is closed then. It comes after the share. */
static void what_is_to_be_sent_again_may_be_closed(void **state) {
  (void)state;
  home h;
  char own[OC_ID_TEXT], others[OC_ID_TEXT], late[OC_ID_TEXT];
  strict_home(&h, own, others);
  world_backup(&h.w);
  add_night(&h, &h.a, "2025-10-03", late);
  tablet_sync_ok(&h.a);
  world_restore(&h.w);
  later(&h);
  link_plan cut = {.cut_after_down = 1};
  tablet_sync(&h.a, &cut, NULL);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  tablet_reopen(&h.a);
  assert_true(tablet_status(&h.a).closed);
  tablet_sync_ok(&h.a);
  tablet_sync_ok(&h.b);
  assert_string_equal(tablet_value(&h.b, late, "note", NULL), PLANTED);
  home_close(&h);
}

/* A tombstone came, and the tablet was closed before it wrote its store anew: it does so after the next sync,
 * which brings the share. */
static void an_erasure_waits_for_the_share(void **state) {
  (void)state;
  home h;
  char own[OC_ID_TEXT], others[OC_ID_TEXT];
  bool receipts = false;
  strict_home(&h, own, others);
  sv_erase er = {.participant = h.client, .ground = SV_ERASE_REQUEST, .at_ms = h.w.fx.now_ms};
  FX_OK(sv_erase_run(h.w.data, h.w.org, &er, fx_erase_write, NULL));
  later(&h);
  assert_int_equal(tablet_sync(&h.a, NULL, NULL), 0);
  tablet_reopen(&h.a);
  assert_true(tablet_status(&h.a).closed);
  assert_int_equal(tablet_status(&h.a).unsent, 0); /* no receipt before it is done */
  later(&h);
  assert_int_equal(tablet_sync(&h.a, NULL, NULL), 0);
  assert_int_equal(oc_purge_finish(h.a.s, &receipts), 0);
  assert_true(receipts);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  tablet_reopen(&h.a);
  assert_true(tablet_status(&h.a).strict && tablet_status(&h.a).closed);
  tablet_sync_ok(&h.a);
  home_close(&h);
}

/* A share that opens nothing: what is closed is fetched anew, what is unsent is sent. */
static void another_share_starts_anew(void **state) {
  (void)state;
  home h;
  char own[OC_ID_TEXT], others[OC_ID_TEXT], late[OC_ID_TEXT], why[256];
  uint8_t wrong[OV_KEY_BYTES] = {1};
  oc_error e = {0};
  strict_home(&h, own, others);
  tablet_sync_ok(&h.a);
  assert_int_equal(oc_db_protect(h.a.s->db, wrong, why), 0);
  tablet_reopen(&h.a);
  add_night(&h, &h.a, "2025-10-03", late);
  tablet_sync_ok(&h.a);
  assert_true(tablet_has(&h.a, own) && tablet_has(&h.a, others) && tablet_has(&h.a, late));
  assert_int_equal(oc_verify(h.a.s, &e), 0);
  all_agree(&h);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(another_share_starts_anew),
                                     cmocka_unit_test(a_closed_store_says_nothing_and_loses_nothing),
                                     cmocka_unit_test(the_files_alone_tell_nothing),
                                     cmocka_unit_test(a_revoked_device_gets_no_share),
                                     cmocka_unit_test(a_refused_device_drops_what_it_cannot_read),
                                     cmocka_unit_test(a_refused_device_leaves_what_the_server_has),
                                     cmocka_unit_test(switched_off_it_opens_alone_again),
                                     cmocka_unit_test(a_restored_server_is_refilled),
                                     cmocka_unit_test(what_is_to_be_sent_again_may_be_closed),
                                     cmocka_unit_test(an_erasure_waits_for_the_share)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
