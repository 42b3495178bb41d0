/* Retention terms, and a change of keys that is killed between any two steps. */
#include "admin_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define YEAR_MS ((int64_t)31556952000)

static int setup(void **state) {
  linde *l = calloc(1, sizeof *l);
  if (!l) return -1;
  linde_open(l, 31, false);
  *state = l;
  return 0;
}

static int teardown(void **state) {
  linde_close(*state);
  free(*state);
  return 0;
}

/* -- retention ------------------------------------------------------------------------------------ */

static void the_default_is_the_wgbo_term(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'retention show'}");
  const json_t *item = aw_item(&l->aw, "class", "dossier");
  assert_non_null(item);
  assert_int_equal(json_integer_value(json_object_get(item, "years")), 20);
  ASK(&l->aw, "{'cmd':'retention set','class':'trial_only'}");
  ASK(&l->aw, "{'cmd':'retention show'}");
  item = aw_item(&l->aw, "class", "trial_only");
  assert_int_equal(json_integer_value(json_object_get(item, "years")), 5);
  REFUSED(&l->aw, OV_E_INVALID, "dossier or trial_only", "{'cmd':'retention set','class':'for ever'}");
  REFUSED(&l->aw, OV_E_INVALID, "1 to 30", "{'cmd':'retention set','years':31}");
}

/* Anna's term is over, Bert's entry of last month keeps all of his; the dry run erases nobody. */
static void who_changed_last_before_the_term_is_erased(void **state) {
  linde *l = *state;
  linde_nights(l, 3, 4);
  ASK(&l->aw, "{'cmd':'retention set','class':'dossier','years':2}");
  ASK(&l->aw, "{'cmd':'participant add','label':'Bert','team':['Beuk']}");
  l->aw.w.now_ms += YEAR_MS;
  ASK(&l->aw, "{'cmd':'participant edit','participant':'Bert','label':'Bert A'}");
  l->aw.w.now_ms += YEAR_MS - 86400000;
  ASK(&l->aw, "{'cmd':'retention run'}");
  assert_int_equal(aw_int(&l->aw, "erased"), 0); /* a day too early */
  ASK(&l->aw, "{'cmd':'participant edit','participant':'Bert','label':'Bert B'}");
  l->aw.w.now_ms += 2 * 86400000;
  ASK(&l->aw, "{'cmd':'retention run','dry_run':true}");
  assert_non_null(aw_item(&l->aw, "result", "would be erased"));
  assert_int_equal(aw_int(&l->aw, "erased"), 0);
  assert_false(sv_keyring_destroyed(l->org->keyring, &l->anna));
  ASK(&l->aw, "{'cmd':'retention run','set_only':true}");
  assert_int_equal(aw_int(&l->aw, "erased"), 1);
  assert_true(sv_keyring_destroyed(l->org->keyring, &l->anna));
  ASK(&l->aw, "{'cmd':'participant list'}");
  assert_null(aw_item(&l->aw, "participant", "Anna"));
  assert_non_null(aw_item(&l->aw, "participant", "Bert B"));
  ASK(&l->aw, "{'cmd':'erasure list'}");
  assert_non_null(aw_item(&l->aw, "ground", "term over"));
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* The server's own daily run leaves those alone who never said how long. */
static void an_organisation_that_set_nothing_is_not_erased_by_itself(void **state) {
  linde *l = *state;
  l->aw.w.now_ms += 30 * YEAR_MS;
  ASK(&l->aw, "{'cmd':'retention run','set_only':true}");
  assert_int_equal(aw_int(&l->aw, "erased"), 0);
  ASK(&l->aw, "{'cmd':'retention run'}");
  assert_int_equal(aw_int(&l->aw, "erased"), 1);
}

/* A clock that has jumped, or that came up wrong, ends no term: also not once there are lines of the new
 * time. */
static void a_clock_that_jumped_erases_nobody_by_itself(void **state) {
  linde *l = *state;
  linde_nights(l, 3, 4);
  ASK(&l->aw, "{'cmd':'retention set','class':'dossier','years':20}");
  l->aw.w.now_ms += 24 * YEAR_MS;
  REFUSED(&l->aw, OV_E_STATE, "no line of more than a year", "{'cmd':'retention run','set_only':true}");
  ASK(&l->aw, "{'cmd':'participant add','label':'Bert','team':['Beuk']}");
  REFUSED(&l->aw, OV_E_STATE, "no line of more than a year", "{'cmd':'retention run','set_only':true}");
  assert_false(sv_keyring_destroyed(l->org->keyring, &l->anna));
  ASK(&l->aw, "{'cmd':'retention run'}"); /* somebody has looked at the clock */
  assert_int_equal(aw_int(&l->aw, "erased"), 1);
}

/* All that is about somebody is looked at, also what lies behind the first page: the one change of late keeps
 * everything. */
static void a_late_change_behind_the_first_page(void **state) {
  linde *l = *state;
  linde_nights(l, 300, 4);
  ASK(&l->aw, "{'cmd':'retention set','class':'dossier','years':2}");
  l->aw.w.now_ms += YEAR_MS;
  linde_nights(l, 1, 4);
  l->aw.w.now_ms += YEAR_MS + 86400000;
  ASK(&l->aw, "{'cmd':'retention run'}");
  assert_int_equal(aw_int(&l->aw, "erased"), 0);
  assert_false(sv_keyring_destroyed(l->org->keyring, &l->anna));
  l->aw.w.now_ms += YEAR_MS;
  ASK(&l->aw, "{'cmd':'retention run','dry_run':true}");
  const json_t *item = aw_item(&l->aw, "result", "would be erased");
  assert_non_null(item);
  const char *last = json_string_value(json_object_get(item, "last_change"));
  assert_memory_equal(last, "2026-10-09", 10); /* a year after FX_START_MS */
  ASK(&l->aw, "{'cmd':'retention run'}");
  assert_int_equal(aw_int(&l->aw, "erased"), 1);
  assert_true(sv_keyring_destroyed(l->org->keyring, &l->anna));
  ASK(&l->aw, "{'cmd':'verify'}");
}

static void add_participants(linde *l, const char *org, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    ASK(&l->aw, "{'cmd':'participant add','organisation':'%s','label':'P%u','team':['Beuk']}", org, i);
}

static void expect_run(linde *l, const char *how, int64_t erased, int64_t left) {
  ASK(&l->aw, "{'cmd':'retention run'%s}", how);
  assert_int_equal(aw_int(&l->aw, "erased"), erased);
  assert_int_equal(aw_int(&l->aw, "left"), left);
}

/* Each run takes 20 of an organisation and says how many are left, of all together and of each. */
static void the_next_run_goes_on(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'organisation add','name':'De Es'}");
  ASK(&l->aw, "{'cmd':'team add','organisation':'De Es','name':'Beuk'}");
  add_participants(l, "De Linde", 24); /* and Anna */
  add_participants(l, "De Es", 22);
  l->aw.w.now_ms += 21 * YEAR_MS;
  expect_run(l, ",'dry_run':true", 0, 7);
  expect_run(l, "", 40, 7);
  const json_t *notes = json_object_get(l->aw.reply, "notes");
  assert_string_equal(json_string_value(json_array_get(notes, 0)),
                      "De Linde: 5 more are due; one run erases at most 20, the next one goes on");
  expect_run(l, ",'organisation':'De Es'", 2, 0);
  expect_run(l, "", 5, 0);
  expect_run(l, "", 0, 0);
  assert_null(json_object_get(l->aw.reply, "notes"));
  ASK(&l->aw, "{'cmd':'participant list','organisation':'De Linde'}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 0);
}

/* -- keys ----------------------------------------------------------------------------------------- */

static int kill_at;

static bool die_at(void *ctx, const char *line) {
  (void)ctx;
  if (strstr(line, "\"progress\"") && kill_at-- == 0) _exit(9);
  return true;
}

/* The process that changes the keys ends at its n-th step; what it left must open, and the next run finishes
 * it. */
static void killed_between_any_two_steps(void **state) {
  linde *l = *state;
  static const char request[] = "{\"cmd\":\"key rotate\",\"master\":true}";
  linde_nights(l, 2, 4);
  ASK(&l->aw, "{'cmd':'organisation add','name':'De Es'}");
  bool whole = false;
  for (int step = 0; !whole && step < 8; step++) {
    pid_t pid = fork();
    if (pid == 0) {
      kill_at = step;
      _exit(sv_admin_handle(&l->aw.host, request, sizeof request - 1, die_at, NULL) ? 1 : 0);
    }
    int status = 0;
    FX_MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    whole = WEXITSTATUS(status) == 0;
    FX_MUST(whole || WEXITSTATUS(status) == 9);
    aw_stop(&l->aw); /* this process still has the keys of before in memory: forget them */
    aw_start(&l->aw);
    linde_again(l);
    ASK(&l->aw, "{'cmd':'verify'}");
  }
  assert_true(whole);
  ASK(&l->aw, "{'cmd':'key rotate'}");
  assert_non_null(aw_item(&l->aw, "organisation", "De Es"));
  REFUSED(&l->aw, OV_E_INVALID, "one master key",
          "{'cmd':'key rotate','master':true,'organisation':'De Es'}");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(the_default_is_the_wgbo_term),
                                     T(who_changed_last_before_the_term_is_erased),
                                     T(an_organisation_that_set_nothing_is_not_erased_by_itself),
                                     T(a_clock_that_jumped_erases_nobody_by_itself),
                                     T(a_late_change_behind_the_first_page),
                                     T(the_next_run_goes_on),
                                     T(killed_between_any_two_steps)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
