/* The end of a device (revoked, expired), and the lease: what is shown, kept, handed over and wiped.
 * PROTO-122, PROTO-160, PROTO-161, PROTO-162 */
#include <fcntl.h>
#include <unistd.h>

#include "home.h"
#include "sv_audit.h"
#include "sv_limits.h"

#define PLANTED "geheim van Merel"

static void change_row(home *h, sv_org *org, tablet *t, void (*change)(sv_device *d, home *h)) {
  sv_txn *w = NULL;
  sv_device d;
  FX_OK(sv_txn_write(org->env, &w));
  FX_OK(sv_device_get(w, &t->s->self.device, &d));
  change(&d, h);
  FX_OK(sv_device_put(w, &d));
  FX_OK(sv_txn_commit(w));
}

static void set_revoked(sv_device *d, home *h) {
  (void)h;
  d->revoked = true;
}
static void set_expired(sv_device *d, home *h) { d->expires_ms = h->w.fx.now_ms; }
static void set_full(sv_device *d, home *h) {
  (void)h;
  d->quarantined = SV_QUARANTINE_OPS_MAX;
}

static void end_device(home *h, tablet *t) {
  change_row(h, h->w.org, t, set_revoked);
  change_row(h, h->w.programme, t, set_revoked);
}

static sv_device row_of(home *h, const ov_id *id) {
  sv_txn *t = NULL;
  sv_device d;
  FX_OK(sv_txn_read(h->w.org->env, &t));
  FX_OK(sv_device_get(t, id, &d));
  sv_txn_abort(t);
  return d;
}

static void add_night(home *h, tablet *t, const char *night, char id[OC_ID_TEXT]) {
  char n[40];
  snprintf(n, sizeof n, "night_date=%s", night);
  tablet_add(t, "sleep", &h->client, &h->ann, id, n, "source=1", "note=" PLANTED, NULL);
}

/* Is the text anywhere in the files of the store? (It is sealed: this finds what was left unsealed only.) And
 * is there any key that opens old values: the key file is another one. */
static void read_key_file(const tablet *t, uint8_t out[86]) {
  char path[300];
  snprintf(path, sizeof path, "%s/store.key", t->path);
  int fd = open(path, O_RDONLY);
  assert_true(fd >= 0);
  assert_int_equal(read(fd, out, 86), 86);
  close(fd);
}

/* Cut while live: what it received goes at once, what it has not sent stays; at the next sync it is handed
 * over and held, nothing is received, all is wiped, and the server knows. */
static void a_revoked_device_hands_over_and_wipes_itself(void **state) {
  (void)state;
  home h;
  oc_error e = {0};
  oc_session *cs = NULL;
  link_seen seen;
  char night[OC_ID_TEXT], late[OC_ID_TEXT];
  uint8_t key[86], after[86];
  home_open(&h);
  add_night(&h, &h.b, "2025-10-02", night);
  tablet_sync_ok(&h.b);
  assert_int_equal(oc_session_new(h.a.s, &(oc_sync_options){.live = true}, &cs, &e), 0);
  world_wire *w = world_connect(&h.w, cs);
  assert_int_equal(world_pump(w, &e), 0);
  assert_true(tablet_has(&h.a, night));
  add_night(&h, &h.a, "2025-10-01", late); /* not yet sent */
  ov_id device = h.a.s->self.device;
  read_key_file(&h.a, key);
  end_device(&h, &h.a);
  sv_server_cut_device(h.w.server, &device);
  assert_int_equal(world_pump(w, &e), OC_E_REFUSED);
  world_disconnect(w);
  oc_session_free(cs);
  tablet_reopen(&h.a);
  assert_true(tablet_status(&h.a).revoked);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  assert_false(tablet_has(&h.a, night)); /* gone at once */
  add_night(&h, &h.b, "2025-10-03", night);
  tablet_sync_ok(&h.b);
  later(&h);
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), 0);
  assert_int_equal(seen.down_of[OV_M_DELTA], 0);
  assert_int_equal(seen.down_of[OV_M_ACK], 1);
  assert_true(seen.up_of[OV_M_ACKED] == 1 && seen.up_of[OV_M_PUSH] == 1);
  oc_status st = tablet_status(&h.a);
  assert_true(st.revoked && !st.enrolled);
  assert_int_equal(st.purged, h.w.fx.now_ms / 1000);
  assert_int_equal(st.records + st.unsent + st.on_server, 0);
  read_key_file(&h.a, after);
  assert_memory_not_equal(key + 6, after + 6, 64); /* what lay in the old file opens with nothing any more */
  uint8_t reason = 0;
  ov_name op = name_of(late);
  assert_int_equal(fx_verdict(&h.w.fx, h.w.org, &op, &reason), OV_HELD);
  assert_int_equal(reason, OV_HELD_REVOKED);
  sv_device d = row_of(&h, &device);
  assert_int_equal(d.purged_ms, h.w.fx.now_ms);
  assert_int_equal(d.quarantined, 1);
  tablet_reopen(&h.a);
  assert_int_equal(tablet_status(&h.a).purged, st.purged);
  seen = (link_seen){0};
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), OC_E_REFUSED);
  assert_int_equal(seen.up, 0); /* it knows, and says so */
  fx_rule(&h.w.fx, h.w.org, &op, 1);
  tablet_sync_ok(&h.b);
  assert_true(tablet_has(&h.b, late)); /* admitted: what a carer wrote was not lost */
  fx_verify(&h.w.fx, h.w.org);
  home_close(&h);
}

/* It may be enrolled again: with another code, as another device. */
static void a_wiped_device_can_be_enrolled_again(void **state) {
  (void)state;
  home h;
  home_open(&h);
  ov_id before = h.a.s->self.device;
  end_device(&h, &h.a);
  later(&h);
  assert_int_equal(tablet_sync(&h.a, NULL, NULL), 0);
  tablet_enrol(&h.a, "again", &h.team, 1);
  assert_false(ov_id_equal(&before, &h.a.s->self.device));
  assert_false(tablet_status(&h.a).revoked);
  all_agree(&h);
  home_close(&h);
}

/* Before it was ever told: the receipt is lost on the way, and told again; the key of a thief opens nothing
 * more. */
static void refused_once_it_has_said_so(void **state) {
  (void)state;
  home h;
  link_seen seen;
  home_open(&h);
  tablet copy;
  tablet_clone(&h.a, &copy, "copy"); /* somebody has an image of it */
  end_device(&h, &h.a);
  later(&h);
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), 0);
  add_night(&h, &copy, "2025-10-01", NULL);
  assert_int_equal(tablet_sync(&copy, NULL, &seen), OC_E_REFUSED);
  assert_int_equal(seen.down_of[OV_M_WELCOME] + seen.down_of[OV_M_ACK], 0);
  assert_int_equal(tablet_status(&copy).records,
                   1); /* even the image keeps its own entry alone, if it is this program */
  assert_int_equal(tablet_status(&copy).unsent, 1);
  tablet_close(&copy);
  home_close(&h);
}

static void a_thief_cannot_fill_the_quarantine(void **state) {
  (void)state;
  home h;
  link_seen seen;
  home_open(&h);
  end_device(&h, &h.a);
  change_row(&h, h.w.org, &h.a, set_full);
  add_night(&h, &h.b, "2025-10-01", NULL);
  later(&h);
  assert_int_equal(tablet_sync(&h.a, NULL, &seen), OC_E_REFUSED);
  assert_int_equal(seen.down_of[OV_M_WELCOME], 0);
  home_close(&h);
}

/* A personal device whose time is up ends the same way, also while it is connected. */
static void an_expired_device_ends_likewise(void **state) {
  (void)state;
  home h;
  oc_error e = {0};
  oc_session *cs = NULL;
  home_open(&h);
  ov_id device = h.a.s->self.device;
  h.w.fx.now_ms += 1000;
  change_row(&h, h.w.org, &h.a, set_expired);
  change_row(&h, h.w.programme, &h.a, set_expired);
  h.w.fx.now_ms -= 1000; /* a second is left */
  assert_int_equal(oc_session_new(h.a.s, &(oc_sync_options){.live = true}, &cs, &e), 0);
  world_wire *w = world_connect(&h.w, cs);
  assert_int_equal(world_pump(w, &e), 0);
  assert_false(world_closed(w, NULL));
  h.w.fx.now_ms += 1000;
  sv_server_tick(h.w.server);
  unsigned code = 0;
  assert_true(world_closed(w, &code));
  assert_int_equal(code, 4003);
  world_disconnect(w);
  oc_session_free(cs);
  later(&h);
  add_night(&h, &h.a, "2025-10-01", NULL);
  assert_int_equal(tablet_sync(&h.a, NULL, NULL), 0);
  assert_true(tablet_status(&h.a).purged > 0);
  assert_true(row_of(&h, &device).purged_ms > 0);
  home_close(&h);
}

/* -- lease ----------------------------------------------------------------------------------------------- */

static int shows(tablet *t, const char *record) {
  oc_query *q = NULL;
  oc_error e = {0};
  int err = oc_show(t->s, record, &q, &e);
  if (err == OC_E_LEASE) assert_true(e.message[0] && e.message_nl[0]);
  oc_query_free(q);
  oc_filter f = {.kind = "sleep"};
  assert_int_equal(oc_query_run(t->s, &f, &q, &e), err);
  oc_query_free(q);
  return err;
}

static void a_tablet_over_its_lease_shows_nothing_and_keeps_all(void **state) {
  (void)state;
  home h;
  char night[OC_ID_TEXT], late[OC_ID_TEXT];
  home_open(&h);
  add_night(&h, &h.a, "2025-10-01", night);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).lease_until, h.w.fx.now_ms / 1000 + 14 * 86400);
  h.w.fx.now_ms += 14 * 86400000LL - 1;
  assert_int_equal(shows(&h.a, night), 0);
  h.w.fx.now_ms += 1;
  assert_int_equal(shows(&h.a, night), OC_E_LEASE);
  assert_true(tablet_status(&h.a).lease_over);
  add_night(&h, &h.a, "2025-10-15", late); /* taken all the same */
  tablet_reopen(&h.a);
  assert_int_equal(shows(&h.a, night), OC_E_LEASE);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  assert_int_equal(shows(&h.a, late), 0);
  assert_false(tablet_status(&h.a).lease_over);
  home_close(&h);
}

static void the_organisation_says_how_long(void **state) {
  (void)state;
  home h;
  ov_name org = {.seq = 0}, *names;
  sv_txn *t = NULL;
  uint32_t n = 0;
  home_open(&h);
  FX_OK(sv_txn_read(h.w.org->env, &t));
  FX_OK(sv_by_kind_day(t, OV_KIND_ORGANISATION, INT32_MIN, INT32_MAX, &h.w.fx.arena, &names, 1, &n));
  org = names[0];
  sv_txn_abort(t);
  ov_field f[] = {FX_INT(7, 3)};
  fx_change(&h.w.fx, h.w.org, &org, f, 1);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).lease_until, h.w.fx.now_ms / 1000 + 3 * 86400);
  days_later(&h, 3);
  assert_true(tablet_status(&h.a).lease_over);
  home_close(&h);
}

/* Setting the clock back stretches nothing, also over a restart; a small correction harms nobody. */
static void a_clock_set_back_locks(void **state) {
  (void)state;
  home h;
  char night[OC_ID_TEXT];
  home_open(&h);
  add_night(&h, &h.a, "2025-10-01", night);
  tablet_sync_ok(&h.a);
  days_later(&h, 10);
  assert_int_equal(shows(&h.a, night), 0); /* looked at: the time is noted */
  h.a.clock_off_ms = -9 * 60 * 1000;
  assert_int_equal(shows(&h.a, night), 0);
  h.a.clock_off_ms = -9 * 86400000LL;
  assert_int_equal(shows(&h.a, night), OC_E_LEASE);
  tablet_reopen(&h.a);
  assert_int_equal(shows(&h.a, night), OC_E_LEASE);
  tablet_sync_ok(&h.a); /* with its clock nine days behind: challenged, and open again */
  assert_int_equal(shows(&h.a, night), 0);
  home_close(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_revoked_device_hands_over_and_wipes_itself),
                                     cmocka_unit_test(a_wiped_device_can_be_enrolled_again),
                                     cmocka_unit_test(refused_once_it_has_said_so),
                                     cmocka_unit_test(a_thief_cannot_fill_the_quarantine),
                                     cmocka_unit_test(an_expired_device_ends_likewise),
                                     cmocka_unit_test(a_tablet_over_its_lease_shows_nothing_and_keeps_all),
                                     cmocka_unit_test(the_organisation_says_how_long),
                                     cmocka_unit_test(a_clock_set_back_locks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
