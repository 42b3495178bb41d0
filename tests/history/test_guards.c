/* What each side does not take from the other, and what it says of itself: forged and repeated messages,
 * answers to what was said before, another version, and how far an entry has come. */
#include "home.h"

#include "ov/peer.h"

/* A wire on which a test looks into each message down, and may change it or deliver it twice. */
typedef struct guarded {
  sv_session *ss;
  oc_session *cs;
  world *w;
  ov_packer *packer;
  ov_msg_type bend, twice; /* the last byte of a message of this type is another; it comes twice. 0: none */
  unsigned down_of[OV_M_COUNT];
  unsigned code; /* of the server's close; 0: none */
} guarded;

static void on_want(void *ctx) { (void)ctx; }
static void on_pause(void *ctx, bool paused) {
  (void)ctx;
  (void)paused;
}
static void on_end(void *ctx, unsigned code, const char *reason) {
  (void)reason;
  ((guarded *)ctx)->code = code;
}

static void guarded_open(guarded *g, world *w, oc_session *cs) {
  sv_link link = {.want_write = on_want, .close = on_end, .pause = on_pause, .ctx = g};
  *g = (guarded){.w = w, .cs = cs, .packer = ov_packer_new()};
  assert_non_null(g->packer);
  g->ss = sv_session_open(w->server, &link, "test");
  assert_non_null(g->ss);
}

static void guarded_close(guarded *g) {
  world_work(g->w);
  sv_session_closed(g->ss);
  world_work(g->w);
  ov_packer_free(g->packer);
  oc_session_free(g->cs);
}

static ov_msg_type look(guarded *g, const ov_buf *frame, ov_buf *plain) {
  ov_mpr r;
  ov_buf_reset(plain);
  assert_int_equal(ov_frame_unpack(g->packer, frame->p, frame->n, OV_FRAME_BYTES_MAX, plain), 0);
  ov_mpr_init(&r, plain->p, plain->n);
  ov_mpr_array(&r);
  return (ov_msg_type)ov_mpr_uint(&r, OV_M_COUNT - 1);
}

static int deliver(guarded *g, ov_buf *frame, ov_buf *plain, oc_error *e) {
  ov_msg_type type = look(g, frame, plain);
  g->down_of[type]++;
  if (type == g->bend) {
    plain->p[plain->n - 1] ^= 1;
    ov_buf_reset(frame);
    assert_int_equal(ov_frame_pack(g->packer, plain->p, plain->n, frame), 0);
  }
  int err = oc_session_feed(g->cs, frame->p, frame->n, e);
  return err || type != g->twice ? err : oc_session_feed(g->cs, frame->p, frame->n, e);
}

/* Until nobody has anything to say, or the client's session ends. */
static int play(guarded *g, oc_error *e) {
  ov_buf frame, plain;
  int err = 0;
  ov_buf_init(&frame, OV_WS_MESSAGE_BYTES_MAX);
  ov_buf_init(&plain, OV_FRAME_BYTES_MAX);
  for (int idle = 0; idle < 3 && !err && !g->code; idle++) {
    size_t n;
    for (const uint8_t *p; (p = oc_session_output(g->cs, &n)); idle = 0) sv_session_message(g->ss, p, n);
    world_work(g->w);
    ov_buf_reset(&frame);
    if (!sv_session_pull(g->ss, &frame)) continue;
    err = deliver(g, &frame, &plain, e);
    idle = 0;
  }
  ov_buf_free(&frame);
  ov_buf_free(&plain);
  return err;
}

static void add_night(home *h, tablet *t, int day) {
  char night[40];
  snprintf(night, sizeof night, "night_date=2025-%02d-%02d", 6 + day / 28, 1 + day % 28);
  tablet_add(t, "sleep", &h->client, &h->ann, NULL, night, "source=1", "quality=4", NULL);
}

/* Notes that do not shrink, so that a few fill a small frame. */
static void add_long_night(home *h, tablet *t, int day) {
  char night[40], note[1200];
  uint32_t x = (uint32_t)day * 2654435761u + 1;
  memcpy(note, "note=", 5);
  for (size_t k = 5; k + 1 < sizeof note; k++)
    note[k] = (char)('a' + (x = x * 1664525u + 1013904223u) / 65536 % 26);
  note[sizeof note - 1] = 0;
  snprintf(night, sizeof night, "night_date=2025-%02d-%02d", 6 + day / 28, 1 + day % 28);
  tablet_add(t, "sleep", &h->client, &h->ann, NULL, night, "source=1", note, NULL);
}

/* Only what the server signed counts as being there. PROTO-37, PROTO-119 */
static void an_ack_that_the_server_did_not_sign(void **state) {
  (void)state;
  home h;
  guarded g;
  oc_session *cs = NULL;
  oc_error e = {0};
  home_open(&h);
  add_night(&h, &h.a, 1);
  assert_int_equal(oc_session_new(h.a.s, NULL, &cs, &e), 0);
  guarded_open(&g, &h.w, cs);
  g.bend = OV_M_ACK;
  assert_int_not_equal(play(&g, &e), 0);
  assert_int_equal(g.down_of[OV_M_ACK], 1);
  guarded_close(&g);
  assert_int_equal(tablet_status(&h.a).unsent, 1);
  assert_int_equal(tablet_status(&h.a).on_server, 0);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  assert_int_equal(tablet_status(&h.a).on_server, 1);
  all_agree(&h);
  home_close(&h);
}

/* A DELTA says from where it goes on; one that does not fit is not taken. PROTO-107, PROTO-110 */
static void a_delta_that_comes_twice(void **state) {
  (void)state;
  home h;
  guarded g;
  oc_session *cs = NULL;
  oc_error e = {0};
  home_open(&h);
  add_night(&h, &h.b, 1);
  tablet_sync_ok(&h.b);
  assert_int_equal(oc_session_new(h.a.s, NULL, &cs, &e), 0);
  guarded_open(&g, &h.w, cs);
  g.twice = OV_M_DELTA;
  assert_int_not_equal(play(&g, &e), 0);
  assert_int_equal(g.down_of[OV_M_DELTA], 1);
  guarded_close(&g);
  later(&h);
  all_agree(&h);
  home_close(&h);
}

/* Before it hears anything a client sends HELLO and four PUSH, each going on where the one before ended.
 * PROTO-50, PROTO-51 */
static void four_pushes_wait_for_an_answer(void **state) {
  (void)state;
  home h;
  oc_session *cs = NULL;
  oc_error e = {0};
  oc_sync_options o = {.frame_bytes = OV_FRAME_BYTES_MIN};
  ov_packer *packer = ov_packer_new();
  ov_buf plain;
  ov_arena a;
  size_t n;
  unsigned pushes = 0;
  uint64_t last = 0;
  home_open(&h);
  ov_buf_init(&plain, OV_FRAME_BYTES_MAX);
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  for (int i = 0; i < 40; i++) add_long_night(&h, &h.a, i);
  assert_int_equal(oc_session_new(h.a.s, &o, &cs, &e), 0);
  for (const uint8_t *p; (p = oc_session_output(cs, &n));) {
    ov_msg m;
    ov_buf_reset(&plain);
    ov_arena_reset(&a);
    assert_int_equal(ov_frame_unpack(packer, p, n, OV_FRAME_BYTES_MAX, &plain), 0);
    assert_int_equal(ov_msg_decode(plain.p, plain.n, NULL, &a, &m), 0);
    if (m.type == OV_M_HELLO) {
      last = m.hello.own.seq;
      assert_true(m.hello.push_follows);
      continue;
    }
    assert_int_equal(m.type, OV_M_PUSH);
    assert_true(m.push.first_seq > last);
    assert_true(m.push.more && !m.push.has_prev);
    assert_true(pushes > 0 || m.push.first_seq == last + 1);
    last = m.push.first_seq;
    pushes++;
  }
  assert_int_equal(pushes, OV_PUSHES_UNANSWERED_MAX);
  oc_session_free(cs);
  ov_arena_free(&a);
  ov_buf_free(&plain);
  ov_packer_free(packer);
  tablet_sync_ok(&h.a);
  all_agree(&h);
  home_close(&h);
}

/* The server went back while four pushes were under way: what it says to those behind the first is not looked
 * at, and everything arrives in the same session. PROTO-55, PROTO-56, PROTO-123 */
static void pushes_under_way_to_a_restored_server(void **state) {
  (void)state;
  home h;
  link_seen seen;
  link_plan small = {.frame_bytes = OV_FRAME_BYTES_MIN};
  home_open(&h);
  world_backup(&h.w);
  for (int i = 0; i < 20; i++) add_long_night(&h, &h.a, i);
  tablet_sync_ok(&h.a);
  world_restore(&h.w);
  later(&h);
  for (int i = 20; i < 50; i++) add_long_night(&h, &h.a, i);
  assert_int_equal(tablet_sync(&h.a, &small, &seen), 0);
  assert_int_equal(seen.down_of[OV_M_ERROR], OV_PUSHES_UNANSWERED_MAX);
  assert_int_equal(seen.up_of[OV_M_HELLO], 1);
  assert_int_equal(seen.up_of[OV_M_PUSH], seen.down_of[OV_M_ACK] + seen.down_of[OV_M_ERROR]);
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  assert_int_equal(tablet_status(&h.a).on_server, 50);
  all_agree(&h);
  home_close(&h);
}

/* A client of another version learns that, whatever else it says. PROTO-44, PROTO-45 */
static void no_version_in_common(void **state) {
  (void)state;
  static const uint8_t newer[] = {0x00, 0x95, 0x03, 0x02, 0x03, 0xc0, 0xa3, 'n', 'e', 'w'};
  home h;
  guarded g;
  ov_buf frame, plain;
  ov_arena a;
  ov_msg m;
  home_open(&h);
  ov_buf_init(&frame, OV_WS_MESSAGE_BYTES_MAX);
  ov_buf_init(&plain, OV_FRAME_BYTES_MAX);
  ov_arena_init(&a, OV_DECODE_ARENA_BYTES_MAX);
  guarded_open(&g, &h.w, NULL);
  sv_session_message(g.ss, newer, sizeof newer);
  assert_true(sv_session_pull(g.ss, &frame));
  assert_int_equal(look(&g, &frame, &plain), OV_M_ERROR);
  assert_int_equal(ov_msg_decode(plain.p, plain.n, NULL, &a, &m), 0);
  assert_int_equal(m.error.err, OV_E_VERSION);
  assert_int_equal(g.code, 4001);
  guarded_close(&g);
  ov_arena_free(&a);
  ov_buf_free(&plain);
  ov_buf_free(&frame);
  home_close(&h);
}

/* As a verified backup does; of a forked log only the branch that ends at this seq. 0: all. */
static void set_safe(home *h, uint64_t branch, bool safe) {
  sv_txn *t = NULL;
  sv_tip tip;
  uint32_t index = 0;
  ov_id after = {{0}};
  FX_OK(sv_txn_write(h->w.org->env, &t));
  for (int err; (err = sv_tip_next(t, &after, index, &tip, &index)) != OV_E_NOTFOUND; after = tip.writer) {
    FX_OK(err);
    if (branch && tip.head.seq != branch) continue;
    tip.safe_seq = safe ? tip.head.seq : 0;
    FX_OK(sv_tip_put(t, &tip.head.head, &tip));
  }
  FX_OK(sv_txn_commit(t));
}

static void assert_states(tablet *t, unsigned unsent, unsigned on_server, unsigned safe) {
  oc_status s = tablet_status(t);
  assert_int_equal(s.unsent, unsent);
  assert_int_equal(s.on_server, on_server);
  assert_int_equal(s.safe, safe);
}

/* On this tablet, on the server, safe; and no longer safe when the backup is lost. PROTO-119, PROTO-120 */
static void how_far_an_entry_has_come(void **state) {
  (void)state;
  home h;
  home_open(&h);
  assert_states(&h.a, 0, 0, 0);
  add_night(&h, &h.a, 1);
  assert_states(&h.a, 1, 0, 0);
  tablet_sync_ok(&h.a);
  assert_states(&h.a, 0, 1, 0);
  set_safe(&h, 0, true);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_states(&h.a, 0, 0, 1);
  set_safe(&h, 0, false);
  later(&h);
  tablet_sync_ok(&h.a);
  assert_states(&h.a, 0, 1, 0);
  home_close(&h);
}

/* A log has two branches and a backup holds one of them: a copy that stands inside the other is not told, by
 * WELCOME, that its entries are safe. (Found by the simulator.) PROTO-119 */
static void safe_in_another_branch(void **state) {
  (void)state;
  home h;
  tablet twin, old;
  home_open(&h);
  add_night(&h, &h.a, 1);
  tablet_sync_ok(&h.a);
  tablet_clone(&h.a, &twin, "twin");
  add_night(&h, &twin, 2);
  tablet_sync_ok(&twin); /* nobody knows of a double yet */
  tablet_clone(&twin, &old, "old");
  add_night(&h, &twin, 3);
  tablet_sync_ok(&twin); /* this branch ends at 3, and the old copy stands inside it */
  add_night(&h, &h.a, 4);
  tablet_sync_ok(&h.a); /* the other ends at 2 */
  set_safe(&h, 2, true);
  later(&h);
  tablet_sync_ok(&old);
  assert_states(&old, 0, 2, 0);
  tablet_sync_ok(&h.a);
  assert_states(&h.a, 0, 0, 2);
  set_safe(&h, 3, true); /* now each of them is */
  later(&h);
  tablet_sync_ok(&old);
  assert_states(&old, 0, 0, 2);
  tablet_close(&old);
  tablet_close(&twin);
  home_close(&h);
}

/* The same, said by the ACK of entries that were there already. */
static void safe_in_another_branch_by_ack(void **state) {
  (void)state;
  home h;
  tablet twin, old;
  home_open(&h);
  add_night(&h, &h.a, 1);
  tablet_sync_ok(&h.a);
  tablet_clone(&h.a, &twin, "twin");
  add_night(&h, &twin, 2);
  tablet_clone(&twin, &old, "old"); /* it has not sent that one */
  add_night(&h, &twin, 3);
  tablet_sync_ok(&twin);
  add_night(&h, &h.a, 4);
  tablet_sync_ok(&h.a);
  set_safe(&h, 2, true);
  later(&h);
  tablet_sync(&old, &(link_plan){.cut_after_down = 2}, NULL); /* WELCOME and the ACK come, no more */
  assert_states(&old, 0, 2, 0);
  tablet_close(&old);
  tablet_close(&twin);
  home_close(&h);
}

/* Teams get the numbers from 2 on, each its own. PROTO-20 */
static void teams_have_numbers_of_their_own(void **state) {
  (void)state;
  home h;
  home_open(&h);
  uint32_t third = fx_team(&h.w.fx, h.w.org, "Woning 3");
  assert_int_equal(h.team, 2);
  assert_int_equal(h.other, 3);
  assert_int_equal(third, 4);
  home_close(&h);
}

/* Also before 1970. PROTO-21 */
static void seconds_are_rounded_down(void **state) {
  (void)state;
  assert_int_equal(oc_seconds(1999), 1);
  assert_int_equal(oc_seconds(0), 0);
  assert_int_equal(oc_seconds(-1), -1);
  assert_int_equal(oc_seconds(-1000), -1);
  assert_int_equal(oc_seconds(-1001), -2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_ack_that_the_server_did_not_sign),
      cmocka_unit_test(a_delta_that_comes_twice),
      cmocka_unit_test(four_pushes_wait_for_an_answer),
      cmocka_unit_test(pushes_under_way_to_a_restored_server),
      cmocka_unit_test(no_version_in_common),
      cmocka_unit_test(how_far_an_entry_has_come),
      cmocka_unit_test(safe_in_another_branch),
      cmocka_unit_test(safe_in_another_branch_by_ack),
      cmocka_unit_test(teams_have_numbers_of_their_own),
      cmocka_unit_test(seconds_are_rounded_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
