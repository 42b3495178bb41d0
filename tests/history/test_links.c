/* Histories of broken links, restored servers and wrong clocks. */
#include "home.h"

static void add_night(home *h, tablet *t, const char *night, const char *quality, char id[OC_ID_TEXT]) {
  char n[40], q[40];
  snprintf(n, sizeof n, "night_date=%s", night);
  snprintf(q, sizeof q, "quality=%s", quality);
  tablet_add(t, "sleep", &h->client, &h->ann, id, n, "source=1", q, NULL);
}

/* The ACK is lost; the tablet then meets another server, which holds the op already: one row, the first
 * answer again. PROTO-54 */
static void an_op_pushed_again_to_another_server(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  add_night(&h, &h.a, "2025-10-08", "4", id);
  link_plan lose = {.lose_down = 2}; /* WELCOME comes, the ACK does not */
  tablet_sync(&h.a, &lose, NULL);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  sv_op_row first, again;
  ov_name name = name_of(id);
  assert_true(fx_op(&h.w.fx, h.w.org, &name, &first));
  world_move_to_copy(&h.w);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  assert_true(fx_op(&h.w.fx, h.w.org, &name, &again));
  assert_int_equal(again.n_receipts, 1);
  assert_memory_equal(&again.receipts[0], &first.receipts[0], sizeof first.receipts[0]);
  assert_string_equal(tablet_value(&h.a, id, "quality", NULL), "4");
  all_agree(&h);
  home_close(&h);
}

static sv_device device_of(home *h, const tablet *t) {
  sv_txn *txn = NULL;
  sv_device d;
  ov_id id = t->s->self.device;
  h->w.fx.now_ms += 61000; /* it is written down once a minute */
  sv_server_tick(h->w.server);
  world_work(&h->w);
  assert_int_equal(sv_txn_read(h->w.org->env, &txn), 0);
  assert_int_equal(sv_device_get(txn, &id, &d), 0);
  sv_txn_abort(txn);
  return d;
}

/* The server knows until when a tablet had sent all that it has; one that came and could not hand over is
 * known to have something older. */
static void until_when_a_tablet_had_sent_all(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  later(&h);
  int64_t first = h.w.fx.now_ms;
  tablet_sync_ok(&h.a); /* nothing to send */
  sv_device d = device_of(&h, &h.a);
  assert_int_equal(d.last_seen_ms, first);
  assert_int_equal(d.all_sent_ms, first);
  add_night(&h, &h.a, "2025-10-08", "4", id);
  later(&h);
  int64_t second = h.w.fx.now_ms;
  link_plan cut = {.cut_after_up = 1}; /* HELLO, and no PUSH */
  tablet_sync(&h.a, &cut, NULL);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  d = device_of(&h, &h.a);
  assert_int_equal(d.last_seen_ms, second);
  assert_int_equal(d.all_sent_ms, first);
  later(&h);
  int64_t third = h.w.fx.now_ms;
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  d = device_of(&h, &h.a);
  assert_int_equal(d.last_seen_ms, third);
  assert_int_equal(d.all_sent_ms, third);
  home_close(&h);
}

/* Cut between ACK and DELTA: the author still sees the entry, and sees it once.
 * PROTO-108, PROTO-111, PROTO-113 */
static void a_link_cut_between_ack_and_delta(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  unsigned n = 0;
  add_night(&h, &h.b, "2025-10-07", "2", NULL); /* so that there is a DELTA to lose */
  tablet_sync_ok(&h.b);
  later(&h);
  add_night(&h, &h.a, "2025-10-08", "4", id);
  link_plan cut = {.cut_after_down = 2};
  tablet_sync(&h.a, &cut, NULL);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  assert_int_equal(tablet_status(&h.a).on_server, 1);
  assert_string_equal(tablet_value(&h.a, id, "quality", &n), "4");
  assert_int_equal(n, 1);
  tablet_reopen(&h.a);
  assert_string_equal(tablet_value(&h.a, id, "quality", &n), "4");
  all_agree(&h);
  assert_string_equal(tablet_value(&h.a, id, "quality", &n), "4");
  assert_int_equal(n, 1);
  home_close(&h);
}

/* An edit of a record that has left the window brings it back to everyone, whole. PROTO-116 */
static void an_edit_of_what_left_the_window(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  add_night(&h, &h.a, "2025-10-08", "4", id);
  all_agree(&h);
  assert_true(tablet_has(&h.b, id));
  days_later(&h, 29);
  tablet_edit(&h.a, id, &h.ann, "quality=2", NULL); /* written in time, sent too late */
  days_later(&h, 3);
  tablet_sync_ok(&h.b);
  assert_false(tablet_has(&h.b, id));
  tablet_sync_ok(&h.a);
  assert_string_equal(tablet_value(&h.a, id, "quality", NULL), "2");
  all_agree(&h);
  assert_string_equal(tablet_value(&h.b, id, "quality", NULL), "2");
  assert_string_equal(tablet_value(&h.b, id, "source", NULL), "1");
  home_close(&h);
}

/* After a restore the same record takes the same position with other content: the hash tells, the scope is
 * fetched anew. PROTO-107, PROTO-109, PROTO-123 */
static void a_restore_with_other_content_at_the_same_position(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  add_night(&h, &h.a, "2025-10-08", "4", id);
  all_agree(&h);
  world_backup(&h.w);
  later(&h);
  tablet_edit(&h.a, id, &h.ann, "quality=1", NULL);
  all_agree(&h);
  assert_string_equal(tablet_value(&h.b, id, "quality", NULL), "1");
  tablet_close(&h.a); /* the author is away */
  world_restore(&h.w);
  later(&h);
  tablet_edit(&h.b, id, &h.bea, "quality=5", NULL);
  tablet_sync_ok(&h.b);
  later(&h);
  tablet_reopen(&h.a);
  all_agree(&h);
  unsigned n = 0;
  tablet_value(&h.a, id, "quality", &n);
  assert_true(n >= 1);
  sv_record_row row;
  ov_name name = name_of(id);
  assert_true(fx_record(&h.w.fx, h.w.org, &name, &row));
  assert_int_equal(fx_verdict(&h.w.fx, h.w.org, &name, NULL), OV_APPLIED);
  /* Bea replaced Ann's edit, which she had seen; when Ann's edit came back it was replaced already, so
   * nothing is in conflict. */
  assert_string_equal(tablet_value(&h.a, id, "quality", &n), "5");
  assert_int_equal(n, 1);
  home_close(&h);
}

/* A tablet a year ahead: its entries are taken, flagged, shown by corrected time; after a restore it offers
 * them again. PROTO-92, PROTO-123, PROTO-134 */
static void a_tablet_a_year_ahead_then_a_restore(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT];
  world_backup(&h.w);
  h.a.clock_off_ms = 365LL * 86400000;
  add_night(&h, &h.a, "2025-10-08", "4", id);
  tablet_sync_ok(&h.a);
  oc_query *q = NULL;
  assert_int_equal(oc_show(h.a.s, id, &q, NULL), 0);
  const oc_value_view *v = oc_record_value(oc_query_at(q, 0), 0);
  assert_true(v->clock_suspect);
  assert_true(v->time <= h.w.fx.now_ms / 1000);
  oc_query_free(q);
  world_restore(&h.w);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  all_agree(&h);
  assert_string_equal(tablet_value(&h.b, id, "quality", NULL), "4");
  home_close(&h);
}

/* A restored server's scopes are being fetched anew when the link breaks; the next session brings the
 * author's own op to the server once more. It must be in the fresh copy, though it is the author's own: what
 * is fetched begins again, so that nothing is left out of it. PROTO-109, PROTO-112 */
static void a_refetch_that_is_cut_short(void **state) {
  (void)state;
  for (unsigned cut = 1; cut <= 4; cut++) {
    home h;
    home_open(&h);
    char id[OC_ID_TEXT], edited[OC_ID_TEXT];
    add_night(&h, &h.b, "2025-10-06", "3", edited);
    all_agree(&h);
    world_backup(&h.w);
    later(&h);
    add_night(&h, &h.a, "2025-10-08", "4", id);
    tablet_edit(&h.a, edited, &h.ann, "quality=5", NULL);
    all_agree(&h);
    world_restore(&h.w);
    later(&h);
    link_plan plan = {.cut_after_down = cut};
    tablet_sync(&h.a, &plan, NULL);
    tablet_sync_ok(&h.a);
    assert_string_equal(tablet_value(&h.a, id, "quality", NULL), "4");
    assert_string_equal(tablet_value(&h.a, edited, "quality", NULL), "5");
    all_agree(&h);
    home_close(&h);
  }
}

/* One entry, changed again and again by a tablet that goes on under a new log each time. The logs' ids are in
 * no order; the last change stands, on top and at rest. PROTO-108, PROTO-113 */
static void changes_over_many_logs(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT], made[OC_ID_TEXT];
  unsigned n = 0;
  add_night(&h, &h.a, "2025-10-08", "4", id);
  all_agree(&h);
  add_night(&h, &h.a, "2025-10-07", "4", made); /* it has not been sent when the changes come */
  for (int i = 0; i < 9; i++) {
    h.a.s->self.forked = true;
    const char *quality = i & 1 ? "quality=1" : "quality=5";
    tablet_edit(&h.a, id, &h.ann, quality, NULL);
    tablet_edit(&h.a, made, &h.ann, quality, NULL);
    assert_string_equal(tablet_value(&h.a, id, "quality", &n), quality + 8);
    assert_int_equal(n, 1);
  }
  for (int i = 0; i < 12; i++) {
    tablet_sync(&h.a, &(link_plan){.cut_after_down = 2}, NULL); /* the ACK comes, SYNCED does not */
    assert_string_equal(tablet_value(&h.a, id, "quality", &n), "5");
    assert_string_equal(tablet_value(&h.a, made, "quality", &n), "5");
  }
  all_agree(&h);
  assert_string_equal(tablet_value(&h.a, id, "quality", &n), "5");
  assert_int_equal(n, 1);
  home_close(&h);
}

static void make_safe(home *h) { /* as a verified backup does */
  sv_txn *t = NULL;
  sv_tip tip;
  uint32_t index = 0;
  ov_id after = {{0}};
  FX_OK(sv_txn_write(h->w.org->env, &t));
  for (;;) {
    int err = sv_tip_next(t, &after, index, &tip, &index);
    if (err == OV_E_NOTFOUND) break;
    FX_OK(err);
    tip.safe_seq = tip.head.seq;
    FX_OK(sv_tip_put(t, &tip.head.head, &tip));
    after = tip.writer;
  }
  FX_OK(sv_txn_commit(t));
}

/* A client has dropped what was safe, then meets an older server: it offers voids; who still has the payload
 * fills them later. PROTO-85, PROTO-121 */
static void dropped_ops_become_voids_and_are_filled(void **state) {
  (void)state;
  home h;
  home_open(&h);
  char id[OC_ID_TEXT], id2[OC_ID_TEXT];
  world_backup(&h.w);
  add_night(&h, &h.a, "2025-10-08", "4", id);
  add_night(&h, &h.a, "2025-10-07", "3", id2);
  tablet twin;
  /* keeps the payloads, unsent: it lies in a cupboard for the next months */
  tablet_clone(&h.a, &twin, "twin");
  all_agree(&h);
  make_safe(&h);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).safe, 2);
  days_later(&h, 40);
  tablet_sync_ok(&h.a);
  world_restore(&h.w);
  later(&h);
  tablet_sync_ok(&h.a);
  sv_op_row row;
  ov_name name = name_of(id);
  assert_true(fx_op(&h.w.fx, h.w.org, &name, &row));
  assert_true(row.op.is_void);
  later(&h);
  tablet_sync_ok(&twin);
  assert_true(fx_op(&h.w.fx, h.w.org, &name, &row));
  assert_false(row.op.is_void);
  fx_verify(&h.w.fx, h.w.org);
  tablet_close(&twin);
  home_close(&h);
}

/* A copy that was made when all was acknowledged believes that the server has it. Nobody tells it that the
 * content was lost since; somebody has to say so, and then it is offered. PROTO-85 */
static void a_copy_that_believes_it_is_acknowledged(void **state) {
  (void)state;
  home h;
  tablet copy;
  char id[OC_ID_TEXT];
  sv_op_row row;
  home_open(&h);
  world_backup(&h.w);
  add_night(&h, &h.a, "2025-10-08", "4", id);
  tablet_sync_ok(&h.a);
  tablet_clone(&h.a, &copy, "copy");
  make_safe(&h);
  days_later(&h, 40);
  tablet_sync_ok(&h.a); /* drops the content */
  world_restore(&h.w);
  later(&h);
  tablet_sync_ok(&h.a);
  ov_name name = name_of(id);
  tablet_sync_ok(&copy);
  assert_true(fx_op(&h.w.fx, h.w.org, &name, &row));
  assert_true(row.op.is_void);
  assert_int_equal(oc_offer_again(copy.s, NULL), 0);
  assert_int_equal(tablet_status(&copy).unsent, 1);
  later(&h);
  tablet_sync_ok(&copy);
  assert_int_equal(tablet_status(&copy).unsent, 0);
  assert_true(fx_op(&h.w.fx, h.w.org, &name, &row));
  assert_false(row.op.is_void);
  assert_string_equal(tablet_value(&copy, id, "quality", NULL), "4");
  fx_verify(&h.w.fx, h.w.org);
  tablet_close(&copy);
  home_close(&h);
}

/* A cloned image: both copies log on, both branches arrive, and the second to come learns that it has a
 * double. PROTO-58, PROTO-124 */
static void a_clone_logs_on(void **state) {
  (void)state;
  home h;
  home_open(&h);
  tablet twin;
  char id1[OC_ID_TEXT], id2[OC_ID_TEXT], id3[OC_ID_TEXT];
  add_night(&h, &h.a, "2025-10-05", "3", NULL);
  tablet_sync_ok(&h.a);
  tablet_clone(&h.a, &twin, "twin");
  add_night(&h, &h.a, "2025-10-06", "4", id1);
  add_night(&h, &twin, "2025-10-07", "2", id2);
  later(&h);
  tablet_sync_ok(&h.a);
  later(&h);
  tablet_sync_ok(&twin);
  all_agree(&h);
  assert_string_equal(tablet_value(&h.b, id1, "quality", NULL), "4");
  assert_string_equal(tablet_value(&h.b, id2, "quality", NULL), "2");
  later(&h);
  add_night(&h, &twin, "2025-10-08", "1", id3);
  assert_true(tablet_status(&twin).new_writer);
  tablet_sync_ok(&twin);
  ov_name before = name_of(id2), after = name_of(id3);
  assert_false(ov_id_equal(&after.writer, &before.writer));
  assert_false(tablet_status(&twin).new_writer);
  all_agree(&h);
  tablet_close(&twin);
  home_close(&h);
}

/* Two copies of a tablet log on, the twin under a new log from then on; then the server is as it was before
 * them. */
static void fork_and_restore(home *h, tablet *twin, char mine[OC_ID_TEXT], char twins[OC_ID_TEXT],
                             char later_on[OC_ID_TEXT]) {
  world_backup(&h->w);
  tablet_clone(&h->a, twin, "twin");
  tablet_add(&h->a, "social_contact", &h->client, &h->ann, mine, "mode=1", "valence=1", NULL);
  tablet_add(twin, "social_contact", &h->client, &h->ann, twins, "mode=2", "valence=2", NULL);
  tablet_sync_ok(&h->a);
  tablet_sync_ok(twin);
  tablet_add(twin, "social_contact", &h->client, &h->ann, later_on, "mode=3", "valence=0", NULL);
  tablet_sync_ok(twin);
  world_restore(&h->w);
  later(h);
}

/* After a fork the tablet goes on under a new log. A restore that lost the end of the old one is healed from
 * that tablet too, though it greets with its new log first: another server has answered, so the older log is
 * asked about again. PROTO-66 */
static void a_restore_after_a_fork(void **state) {
  home h;
  tablet twin;
  char mine[OC_ID_TEXT], twins[OC_ID_TEXT], later_on[OC_ID_TEXT];
  (void)state;
  home_open(&h);
  fork_and_restore(&h, &twin, mine, twins, later_on);
  tablet_sync_ok(&h.b);
  assert_false(tablet_has(&h.b, twins));
  tablet_sync_ok(&twin); /* its live log; learns that the server is another */
  tablet_sync_ok(&twin); /* its older one */
  assert_int_equal(tablet_status(&twin).unsent, 0);
  tablet_sync_ok(&h.a);
  tablet_sync_ok(&h.b);
  assert_true(tablet_has(&h.b, mine) && tablet_has(&h.b, twins) && tablet_has(&h.b, later_on));
  tablet_sync_ok(&twin);
  assert_true(tablet_has(&twin, twins));
  all_agree(&h);
  tablet_close(&twin);
  home_close(&h);
}

/* One session that would stay: is it over, because an older log is to be handed over? */
static bool live_is_over(home *h, tablet *t) {
  oc_session *cs = NULL;
  oc_error e = {0};
  assert_int_equal(oc_session_new(t->s, &(oc_sync_options){.live = true}, &cs, &e), 0);
  world_wire *w = world_connect(&h->w, cs);
  assert_int_equal(world_pump(w, &e), 0);
  bool over = oc_session_finished(cs);
  world_disconnect(w);
  oc_session_free(cs);
  return over;
}

/* The chain of an own log is another than its entries make, as damage to the disk would have it: no server
 * takes what is signed over it. */
static void tablet_damage(tablet *t, const ov_name *name) {
  oc_txn *x = NULL;
  ov_arena a;
  oc_log_row row;
  ov_arena_init(&a, 1u << 20);
  assert_int_equal(oc_txn_begin(t->s->db, true, &x), 0);
  assert_int_equal(oc_log_get(x, &name->writer, name->seq, &a, &row), 0);
  row.head.b[OV_HASH_BYTES - 1] ^= 1;
  assert_int_equal(oc_log_put(x, &row), 0);
  assert_int_equal(oc_txn_commit(x), 0);
  ov_arena_free(&a);
}

/* A device that follows its server all day is not kept from offering an older log to it. PROTO-66 */
static void a_restore_after_a_fork_while_live(void **state) {
  home h;
  tablet twin;
  char twins[OC_ID_TEXT], later_on[OC_ID_TEXT];
  (void)state;
  home_open(&h);
  fork_and_restore(&h, &twin, NULL, twins, later_on);
  assert_true(live_is_over(&h, &twin)); /* its live log, until it has learnt that the server is another */
  assert_true(live_is_over(&h, &twin)); /* its older one */
  assert_false(live_is_over(&h, &twin));
  tablet_sync_ok(&h.b);
  assert_true(tablet_has(&h.b, twins) && tablet_has(&h.b, later_on));
  tablet_close(&twin);
  home_close(&h);
}

static int64_t changed_at(tablet *t, const char *id) {
  oc_txn *x = NULL;
  ov_arena a;
  oc_server_part p;
  ov_name name = name_of(id);
  ov_arena_init(&a, 1u << 20);
  assert_int_equal(oc_txn_begin(t->s->db, false, &x), 0);
  int err = oc_part_get(x, &name, &a, &p);
  oc_txn_abort(x);
  ov_arena_free(&a);
  return err ? 0 : p.changed;
}

/* An entry was acknowledged, the link was cut, and the server was put back to before it. The next session is
 * about an older log: it does not take the entry for one that this server has. PROTO-113 */
static void what_another_server_acknowledged_waits(void **state) {
  home h;
  tablet twin;
  char mine[OC_ID_TEXT], twins[OC_ID_TEXT], later_on[OC_ID_TEXT], entry[OC_ID_TEXT];
  link_plan cut = {.cut_after_down = 2};
  (void)state;
  home_open(&h);
  fork_and_restore(&h, &twin, mine, twins, later_on);
  for (int i = 0; i < 2; i++) tablet_sync_ok(&twin);
  world_backup(&h.w);
  add_night(&h, &h.b, "2025-10-07", "2", NULL); /* so that there is a DELTA to lose */
  tablet_sync_ok(&h.b);
  days_later(&h, 2); /* the older log is due after this session */
  add_night(&h, &twin, "2025-10-08", "4", entry);
  tablet_sync(&twin, &cut, NULL);
  assert_int_equal(tablet_status(&twin).unsent, 0);
  world_restore(&h.w);
  later(&h);
  tablet_sync(&twin, NULL, NULL);
  assert_int_equal(changed_at(&twin, entry), 0);
  assert_string_equal(tablet_value(&twin, entry, "quality", NULL), "4");
  for (int i = 0; i < 2; i++) tablet_sync_ok(&twin);
  tablet_sync_ok(&h.a);
  tablet_sync_ok(&h.b);
  assert_int_not_equal(changed_at(&h.b, entry), 0);
  assert_int_equal(changed_at(&twin, entry), changed_at(&h.b, entry));
  all_agree(&h);
  tablet_close(&twin);
  home_close(&h);
}

/* An older log that the server does not take (here: it is damaged) lets the live one through, is tried again
 * behind it, and ends no session that stays. PROTO-66 */
static void an_older_log_that_does_not_get_through(void **state) {
  home h;
  tablet twin;
  char twins[OC_ID_TEXT], later_on[OC_ID_TEXT], fresh[OC_ID_TEXT];
  (void)state;
  home_open(&h);
  fork_and_restore(&h, &twin, NULL, twins, later_on);
  tablet_sync_ok(&twin); /* its live log, which learns that the server is another */
  ov_name name = name_of(twins);
  tablet_damage(&twin, &name);
  for (int i = 0; i < 2; i++) {
    assert_int_not_equal(tablet_sync(&twin, NULL, NULL), 0); /* its older one */
    tablet_add(&twin, "social_contact", &h.client, &h.ann, fresh, "mode=4", "valence=0", NULL);
    assert_false(live_is_over(&h, &twin)); /* the live one */
  }
  tablet_sync_ok(&h.b);
  assert_true(tablet_has(&h.b, fresh) && tablet_has(&h.b, later_on));
  assert_false(tablet_has(&h.b, twins));
  tablet_close(&twin);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(an_op_pushed_again_to_another_server),
                                     cmocka_unit_test(a_link_cut_between_ack_and_delta),
                                     cmocka_unit_test(until_when_a_tablet_had_sent_all),
                                     cmocka_unit_test(an_edit_of_what_left_the_window),
                                     cmocka_unit_test(a_restore_with_other_content_at_the_same_position),
                                     cmocka_unit_test(a_tablet_a_year_ahead_then_a_restore),
                                     cmocka_unit_test(a_refetch_that_is_cut_short),
                                     cmocka_unit_test(changes_over_many_logs),
                                     cmocka_unit_test(dropped_ops_become_voids_and_are_filled),
                                     cmocka_unit_test(a_copy_that_believes_it_is_acknowledged),
                                     cmocka_unit_test(a_clone_logs_on),
                                     cmocka_unit_test(a_restore_after_a_fork),
                                     cmocka_unit_test(a_restore_after_a_fork_while_live),
                                     cmocka_unit_test(what_another_server_acknowledged_waits),
                                     cmocka_unit_test(an_older_log_that_does_not_get_through)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
