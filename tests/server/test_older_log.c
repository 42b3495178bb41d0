/* The real client library and the real server: how many sessions a sync takes. An older log of a store (it
 * had a double once) that cannot be sent keeps nothing else waiting, in a sync that ends and in one that
 * stays (PROTO-66); what is written while a sync runs goes with it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon.h"
#include "oc_internal.h"
#include "overdracht.h"

typedef struct scene {
  dm_site site;
  dm_server d;
  oc_store *s; /* its live log is not the one that it was enrolled with */
  ov_id older;
  char carer[OV_NAME_TEXT_MAX], anna[OV_NAME_TEXT_MAX];
} scene;

static void ok(int err, const oc_error *e) {
  if (err) fail_msg("%s: %s", oc_err_name(err), e->message);
}

static oc_store *open_store(const scene *c, const char *name) {
  char path[300];
  oc_store *s = NULL;
  oc_error e = {0};
  snprintf(path, sizeof path, "%s/%s", c->site.fx.dir, name);
  ok(oc_store_open(&(oc_options){.path = path, .map_bytes_max = 64u << 20}, &s, &e), &e);
  return s;
}

static void enrol(scene *c, oc_store *s) {
  char code[DM_CODE_TEXT], url[80];
  oc_error e = {0};
  dm_code(&c->d, &c->site.orgs[0].shell.id, "tablet 1", code);
  snprintf(url, sizeof url, "ws://127.0.0.1:%u/sync", c->d.port);
  ok(oc_enrol(s, url, code, "tablet 1", NULL, &e), &e);
  ok(oc_sync(s, NULL, &e), &e);
}

static void add(const scene *c, oc_store *s, const char *mode) {
  oc_error e = {0};
  oc_draft *d = oc_draft_new(s, "social_contact");
  assert_non_null(d);
  ok(oc_draft_participant(d, c->anna, &e), &e);
  ok(oc_draft_author(d, c->carer, &e), &e);
  ok(oc_draft_set(d, "mode", mode, &e), &e);
  ok(oc_add(s, d, NULL, &e), &e);
  oc_draft_free(d);
}

static uint64_t unsent(oc_store *s) {
  oc_status st;
  oc_error e = {0};
  ok(oc_status_get(s, &st, &e), &e);
  return st.unsent;
}

/* The chain of an own log is another than its entries make, as damage to the disk would have it: no server
 * takes what is signed over it. */
static void damage(oc_store *s, const ov_id *writer, uint64_t seq) {
  oc_txn *t = NULL;
  ov_arena a;
  oc_log_row row;
  ov_arena_init(&a, 1u << 20);
  assert_int_equal(oc_txn_begin(s->db, true, &t), 0);
  assert_int_equal(oc_log_get(t, writer, seq, &a, &row), 0);
  row.head.b[OV_HASH_BYTES - 1] ^= 1;
  assert_int_equal(oc_log_put(t, &row), 0);
  assert_int_equal(oc_txn_commit(t), 0);
  ov_arena_free(&a);
}

static scene *open_site(void) {
  char why[DM_WHY];
  scene *c = calloc(1, sizeof *c);
  assert_non_null(c);
  dm_site_open(&c->site, 6);
  dm_options o = {.names = {"localhost", "127.0.0.1"}};
  if (!dm_start(&c->d, &c->site, &o, why)) fail_msg("%s", why);
  ov_name_text(&c->site.orgs[0].carer, c->carer);
  ov_name_text(&c->site.orgs[0].anna, c->anna);
  return c;
}

static int open_plain(void **state) {
  scene *c = open_site();
  *state = c;
  c->s = open_store(c, "only");
  enrol(c, c->s);
  return 0;
}

/* A copy of the store is used as well, which makes it go on under a new log; then all is offered again, and
 * the older log is damaged. */
static int open_scene(void **state) {
  char command[700];
  oc_error e = {0};
  scene *c = open_site();
  oc_store *first = open_store(c, "first");
  enrol(c, first);
  oc_store_close(first);
  snprintf(command, sizeof command, "cp -a '%s/first' '%s/second'", c->site.fx.dir, c->site.fx.dir);
  assert_int_equal(system(command), 0);
  first = open_store(c, "first");
  add(c, first, "1");
  ok(oc_sync(first, NULL, &e), &e);
  oc_store_close(first);
  c->s = open_store(c, "second");
  c->older = c->s->self.writer;
  add(c, c->s, "2");
  ok(oc_sync(c->s, NULL, &e), &e);
  add(c, c->s, "2");
  assert_false(ov_id_equal(&c->s->self.writer, &c->older));
  ok(oc_sync(c->s, NULL, &e), &e);
  assert_int_equal(unsent(c->s), 0);
  assert_int_equal(oc_offer_again(c->s, NULL), 0);
  damage(c->s, &c->older, 1);
  *state = c;
  return 0;
}

static int close_scene(void **state) {
  scene *c = *state;
  char why[DM_WHY];
  oc_store_close(c->s);
  bool clean = dm_finish(&c->d, &c->site, why);
  free(c);
  if (!clean) fail_msg("the server's end: %s", why);
  return 0;
}

static void live_log(scene *c, oc_writer_row *w) {
  oc_txn *t = NULL;
  assert_int_equal(oc_txn_begin(c->s->db, false, &t), 0);
  assert_int_equal(oc_writer_get(t, &c->s->self.writer, w), 0);
  oc_txn_abort(t);
}

/* Everything else is sent, and then it is said why that log was not; every time. */
static void a_sync_sends_all_else_and_says_why(void **state) {
  scene *c = *state;
  oc_writer_row live;
  for (int i = 0; i < 2; i++) {
    oc_error e = {0};
    add(c, c->s, "2");
    assert_int_equal(oc_sync(c->s, NULL, &e), OC_E_REFUSED);
    assert_non_null(strstr(e.message, "an older log of this store was not taken, all else was: "));
    live_log(c, &live);
    assert_int_equal(live.acked, live.last);
    assert_int_equal(unsent(c->s), 1);
  }
}

typedef struct following {
  scene *c;
  unsigned sessions, followed;
  bool greeting;
} following;

/* Greets for both logs, follows with the live one, and stays. */
static void on_progress(void *ctx, const oc_progress *p) {
  following *f = ctx;
  if (p->stage == OC_GREETING && !f->greeting) f->sessions++;
  f->greeting = p->stage == OC_GREETING;
  if (p->stage == OC_LIVE && ++f->followed) oc_sync_cancel(f->c->s);
}

static void a_sync_that_stays_is_not_kept_from_staying(void **state) {
  scene *c = *state;
  oc_writer_row live;
  oc_error e = {0};
  following f = {.c = c};
  add(c, c->s, "2");
  oc_sync_options o = {.live = true, .progress = on_progress, .progress_ctx = &f};
  assert_int_equal(oc_sync(c->s, &o, &e), OC_E_CANCELLED);
  assert_true(f.followed > 0);
  assert_int_equal(f.sessions, 2);
  live_log(c, &live);
  assert_int_equal(live.acked, live.last);
}

/* -- what is written meanwhile --------------------------------------------------------------------------- */

typedef struct writing {
  scene *c;
  unsigned most, written, sessions;
  int stage;
} writing;

/* The app writes an entry in each session, once the server has heard what there was to send. */
static void write_meanwhile(void *ctx, const oc_progress *p) {
  writing *w = ctx;
  if (p->stage == OC_GREETING && w->stage != (int)OC_GREETING) w->sessions++;
  w->stage = (int)p->stage;
  if (p->stage != OC_RECEIVING || w->written == w->most || w->written == w->sessions) return;
  w->written++;
  add(w->c, w->c->s, "1");
}

static void what_is_written_meanwhile_goes_along(void **state) {
  scene *c = *state;
  oc_error e = {0};
  writing w = {.c = c, .most = 2};
  oc_sync_options o = {.once_only = true, .progress = write_meanwhile, .progress_ctx = &w};
  ok(oc_sync(c->s, &o, &e), &e);
  assert_int_equal(w.written, 2);
  assert_int_equal(w.sessions, 3);
  assert_int_equal(unsent(c->s), 0);
}

/* An app that writes in every session keeps no sync running for ever. */
static void what_is_always_written_waits(void **state) {
  scene *c = *state;
  oc_error e = {0};
  writing w = {.c = c, .most = 100};
  oc_sync_options o = {.once_only = true, .progress = write_meanwhile, .progress_ctx = &w};
  assert_int_equal(oc_sync(c->s, &o, &e), OC_E_NET);
  assert_string_equal(e.message, "there is always more to sync; what is left goes next time");
  assert_int_equal(unsent(c->s), 1);
  ok(oc_sync(c->s, NULL, &e), &e);
  assert_int_equal(unsent(c->s), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_sync_sends_all_else_and_says_why, open_scene, close_scene),
      cmocka_unit_test_setup_teardown(a_sync_that_stays_is_not_kept_from_staying, open_scene, close_scene),
      cmocka_unit_test_setup_teardown(what_is_written_meanwhile_goes_along, open_plain, close_scene),
      cmocka_unit_test_setup_teardown(what_is_always_written_waits, open_plain, close_scene)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
