/* Somebody between tablet and server, and somebody with the machine's files, against the real server: ops
 * that were altered, dropped, put in another order or invented do not get in; two copies of one tablet both
 * keep what they wrote; nothing that was typed, and no code, stands in a file, a log, or a core, of which
 * there is none; the master key may be a credential of systemd instead of a file in the data folder. */
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon.h"

#define PLANTED "GeplanteTekstInEenOpmerking"

typedef struct scene {
  dm_site site;
  dm_server d;
  dm_tablet *tablet;
} scene;

static int open_scene(void **state) {
  scene *c = calloc(1, sizeof *c);
  char why[DM_WHY];
  assert_non_null(c);
  dm_site_open(&c->site, 61);
  c->tablet = dm_tablet_new(&c->site, 0, false);
  if (!dm_start(&c->d, &c->site, &(dm_options){.workers = 2}, why)) fail_msg("%s", why);
  *state = c;
  return 0;
}

static int close_scene(void **state) {
  scene *c = *state;
  char why[DM_WHY] = "";
  bool clean = !dm_running(&c->d) || (dm_stop(&c->d, SIGTERM) && dm_log_clean(&c->d, PLANTED, why));
  dm_end(&c->d);
  dm_site_close(&c->site);
  free(c);
  if (!clean) fail_msg("the server's end: %s", why);
  return 0;
}

/* -- between tablet and server --------------------------------------------------------------------------- */

/* What the tablet sends, and what arrives instead: the rows of the other log under the tablet's signature. */
static void forged(scene *c, dm_tablet *other, uint32_t to, const char *what) {
  dm_wire w;
  ov_msg *m;
  ov_buf honest, forgery, frame;
  ov_buf_init(&honest, 0);
  ov_buf_init(&forgery, 0);
  ov_buf_init(&frame, 0);
  assert_true(dm_greet(&w, &c->d, c->tablet, &(dm_hello){.push_follows = true}));
  dm_push_plain(&w, &(dm_push){.from = c->tablet->acked + 1, .to = c->tablet->t->n}, &honest);
  w.tb = other;
  dm_push_plain(&w, &(dm_push){.from = c->tablet->acked + 1, .to = to}, &forgery);
  w.tb = c->tablet;
  memcpy(forgery.p + forgery.n - OV_SIG_BYTES, honest.p + honest.n - OV_SIG_BYTES, OV_SIG_BYTES);
  assert_int_equal(ov_peer_send(w.peer, OV_M_PUSH, forgery.p, forgery.n, &frame), 0);
  assert_true(dm_send_frame(&w, frame.p, frame.n));
  if (dm_expect(&w, OV_M_ACK, &m)) fail_msg("%s: it was taken", what);
  if (w.last_error != OV_E_AUTH) fail_msg("%s: error %d", what, w.last_error);
  if (w.close_code != 4003 && dm_expect_close(&w, DM_WAIT_MS) != 4003) fail_msg("%s: stays open", what);
  dm_wire_close(&w);
  ov_buf_free(&honest);
  ov_buf_free(&forgery);
  ov_buf_free(&frame);
}

static unsigned refusals(scene *c) {
  char reply[60000], org[2 * OV_ID_BYTES + 1], ask[200];
  unsigned n = 0;
  ov_hex(c->site.orgs[0].shell.id.b, OV_ID_BYTES, org);
  snprintf(ask, sizeof ask, "{\"cmd\":\"audit list\",\"organisation\":\"%s\",\"type\":\"sign-in\"}", org);
  assert_true(dm_admin(&c->d, ask, reply, sizeof reply));
  for (const char *p = reply; (p = strstr(p, "\"outcome\": \"refused\"")) || false; p++) n++;
  for (const char *p = reply; (p = strstr(p, "\"outcome\":\"refused\"")); p++) n++;
  return n;
}

static void nobody_in_between_changes_a_word(void **state) {
  scene *c = *state;
  char why[DM_WHY] = "";
  dm_tablet *altered = dm_tablet_clone(c->tablet), *swapped = dm_tablet_clone(c->tablet);
  dm_tablet_note(c->tablet, 1, "first");
  dm_tablet_note(c->tablet, 1, "second");
  dm_tablet_note(c->tablet, 1, "third");
  dm_tablet_note(altered, 1, "first");
  dm_tablet_note(altered, 1, "SECOND");
  dm_tablet_note(altered, 1, "third");
  dm_tablet_note(swapped, 1, "second");
  dm_tablet_note(swapped, 1, "first");
  dm_tablet_note(swapped, 1, "third");
  dm_tablet *longer = dm_tablet_clone(c->tablet);
  dm_tablet_note(longer, 1, "invented");
  forged(c, altered, altered->t->n, "altered");
  forged(c, c->tablet, c->tablet->t->n - 1, "the last one dropped");
  forged(c, swapped, swapped->t->n, "reordered");
  forged(c, longer, longer->t->n, "one invented");
  assert_int_equal(refusals(c), 4);
  assert_int_equal(dm_metric(&c->d, "ops_stored_total"), 0);
  if (!dm_sync(&c->d, c->tablet, why)) fail_msg("what the tablet wrote is taken: %s", why);
  assert_int_equal(c->tablet->acked, c->tablet->t->n);
}

/* -- two copies of one tablet ---------------------------------------------------------------------------- */

static void both_branches_arrive(void **state) {
  scene *c = *state;
  char why[DM_WHY] = "";
  dm_tablet_note(c->tablet, 2, "before the copy");
  if (!dm_sync(&c->d, c->tablet, why)) fail_msg("%s", why);
  dm_tablet *copy = dm_tablet_clone(c->tablet);
  dm_tablet_note(c->tablet, 2, "here");
  dm_tablet_note(copy, 3, "there");
  if (!dm_sync(&c->d, c->tablet, why)) fail_msg("the first: %s", why);
  if (!dm_sync(&c->d, copy, why)) fail_msg("its copy: %s", why);
  assert_int_equal(copy->acked, copy->t->n);
  assert_true(dm_metric(&c->d, "forks_total") >= 1); /* the alarm */
  assert_true(dm_stop(&c->d, SIGTERM));
  assert_true(dm_site_open_orgs(&c->site, why));
  if (!dm_check_acked(&c->site, true, why)) fail_msg("%s", why);
  dm_site_close_orgs(&c->site);
  assert_true(dm_again(&c->d, why));
}

/* -- the machine's files --------------------------------------------------------------------------------- */

static const char *wanted;
static unsigned files_seen, files_with;

static int look_into(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)at;
  if (type != FTW_F || !S_ISREG(st->st_mode)) return 0;
  size_t n = (size_t)st->st_size;
  char *p = malloc(n + 1);
  FILE *f = fopen(path, "r");
  assert_non_null(p);
  files_seen++;
  if (f && fread(p, 1, n, f) == n && memmem(p, n, wanted, strlen(wanted))) {
    files_with++;
    print_message("%s stands in %s\n", wanted, path);
  }
  if (f) fclose(f);
  free(p);
  return 0;
}

static unsigned files_that_hold(const char *folder, const char *text) {
  wanted = text;
  files_seen = files_with = 0;
  assert_int_equal(nftw(folder, look_into, 8, FTW_PHYS), 0);
  assert_true(files_seen > 3);
  return files_with;
}

static void text_of(const char *reply, const char *key, char *out, size_t cap) {
  char start[40];
  snprintf(start, sizeof start, "\"%s\":\"", key);
  const char *p = strstr(reply, start);
  if (!p) fail_msg("no %s in %s", key, reply);
  p += strlen(start);
  snprintf(out, cap, "%.*s", (int)strcspn(p, "\""), p);
}

/* It dies in the middle of its work, with all of it in memory. */
static void nothing_typed_is_in_a_file(void **state) {
  scene *c = *state;
  char why[DM_WHY] = "", ask[300], reply[4000], code[40], token[120], bare[40], control[300];
  char org[2 * OV_ID_BYTES + 1];
  ov_hex(c->site.orgs[0].shell.id.b, OV_ID_BYTES, org);
  snprintf(ask, sizeof ask,
           "{\"cmd\":\"device add\",\"organisation\":\"%s\",\"name\":\"t9\",\"team\":[\"Beuk\"]}", org);
  assert_true(dm_admin(&c->d, ask, reply, sizeof reply));
  text_of(reply, "code", code, sizeof code);
  assert_true(dm_admin(&c->d,
                       "{\"cmd\":\"token add\",\"label\":\"study\",\"dataset\":[\"sleep\"],\"days\":9}",
                       reply, sizeof reply));
  text_of(reply, "token", token, sizeof token);
  dm_tablet_note(c->tablet, 40, PLANTED);
  if (!dm_sync(&c->d, c->tablet, why)) fail_msg("%s", why);
  snprintf(control, sizeof control, "%s/control", c->site.data);
  FILE *f = fopen(control, "w"); /* the search finds what is there */
  assert_non_null(f);
  fprintf(f, "x%sx", PLANTED);
  fclose(f);
  assert_int_equal(files_that_hold(c->site.data, PLANTED), 1);
  unlink(control);
  dm_stop(&c->d, SIGABRT);
  assert_true(WIFSIGNALED(c->d.status) && WTERMSIG(c->d.status) == SIGABRT);
  assert_false(WCOREDUMP(c->d.status));
  snprintf(bare, sizeof bare, "%.4s%.4s%.4s", code, code + 5, code + 10);
  const char *const texts[] = {PLANTED, code, bare, token};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (files_that_hold(c->site.fx.dir, texts[i])) fail_msg("%s is there to be read", texts[i]);
    if (dm_log_has(&c->d, texts[i])) fail_msg("%s is in the log", texts[i]);
  }
  assert_true(dm_again(&c->d, why));
}

/* No core, whatever the limits of whoever started it say. */
static void it_leaves_no_core(void **state) {
  scene *c = *state;
  char path[64], line[200];
  bool core = false;
  snprintf(path, sizeof path, "/proc/%d/limits", (int)c->d.pid);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  while (fgets(line, sizeof line, f)) {
    unsigned long long soft = 1, hard = 1;
    if (sscanf(line, "Max core file size %llu %llu", &soft, &hard) != 2) continue;
    core = soft == 0 && hard == 0;
  }
  fclose(f);
  assert_true(core);
}

static void the_master_key_as_a_credential(void **state) {
  scene *c = *state;
  char why[DM_WHY] = "", from[400], to[400], dir[300], env[340];
  dm_tablet_note(c->tablet, 2, "before");
  if (!dm_sync(&c->d, c->tablet, why)) fail_msg("%s", why);
  assert_true(dm_stop(&c->d, SIGTERM));
  snprintf(dir, sizeof dir, "%s/credentials", c->site.fx.dir);
  snprintf(from, sizeof from, "%s/master.key", c->site.data);
  snprintf(to, sizeof to, "%s/master.key", dir);
  assert_int_equal(mkdir(dir, 0700), 0);
  assert_int_equal(rename(from, to), 0);
  assert_int_equal(chmod(to, 0440), 0); /* as systemd makes them: an ACL lets the service's user read */
  assert_false(dm_again(&c->d, why));   /* without a key it does not start, and makes no new one */
  assert_int_not_equal(access(from, F_OK), 0);
  snprintf(env, sizeof env, "CREDENTIALS_DIRECTORY=%s", dir);
  c->d.o.env[0] = env;
  if (!dm_again(&c->d, why)) fail_msg("with the credential: %s", why);
  dm_tablet_note(c->tablet, 2, "after");
  if (!dm_sync(&c->d, c->tablet, why)) fail_msg("%s", why);
  assert_int_not_equal(access(from, F_OK), 0);
  assert_true(dm_stop(&c->d, SIGTERM));
  assert_int_equal(rename(to, from), 0);
  assert_int_equal(chmod(from, 0600), 0);
  c->d.o.env[0] = NULL;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, open_scene, close_scene)
  const struct CMUnitTest tests[] = {T(nobody_in_between_changes_a_word), T(both_branches_arrive),
                                     T(nothing_typed_is_in_a_file), T(it_leaves_no_core),
                                     T(the_master_key_as_a_credential)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
