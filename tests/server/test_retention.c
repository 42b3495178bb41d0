/* The server erases by itself who is past the term, once a day: the real process, its clocks moved. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon.h"
#include "faults.h"

#define DAY_MS 86400000ll
#define PATIENCE_MS 60000

static faults *map_faults(const char *file) {
  int fd = open(file, O_RDWR | O_CREAT, 0600);
  assert_true(fd >= 0);
  assert_int_equal(ftruncate(fd, sizeof(faults)), 0);
  faults *f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  assert_true(f != MAP_FAILED);
  close(fd);
  return f;
}

/* An administrator's request about the organisation of the tablet. */
static void ask(const dm_server *d, const dm_site *site, const char *cmd, const char *more, char *reply,
                size_t cap) {
  char request[300], org[2 * OV_ID_BYTES + 1];
  ov_hex(site->orgs[0].shell.id.b, OV_ID_BYTES, org);
  snprintf(request, sizeof request, "{\"cmd\":\"%s\",\"organisation\":\"%s\"%s}", cmd, org, more);
  if (!dm_admin(d, request, reply, cap)) fail_msg("%s: %s", request, reply);
}

static unsigned runs(const dm_server *d) {
  char *log = dm_log(d);
  unsigned n = 0;
  for (const char *p = log; p && (p = strstr(p, "retention_run")); p++) n++;
  free(log);
  return n;
}

/* Moves the clock of days, then the one that never goes back past the next run, and waits for that. */
static void a_run(dm_server *d, faults *f, int64_t days, int64_t wait_ms) {
  unsigned before = runs(d);
  atomic_fetch_add(&f->realtime_off_ms, days * DAY_MS);
  atomic_fetch_add(&f->monotonic_off_ms, wait_ms);
  int64_t end = dm_mono_ms() + PATIENCE_MS;
  while (runs(d) == before && dm_mono_ms() < end) dm_sleep_ms(100);
  assert_int_equal(runs(d), before + 1);
  assert_false(dm_log_has(d, "result=failed"));
}

static bool erased(const dm_server *d, const dm_site *site) {
  char reply[60000];
  ask(d, site, "erasure list", "", reply, sizeof reply);
  return strstr(reply, "term over") != NULL;
}

static void who_is_past_the_term_is_erased_by_the_server_itself(void **state) {
  (void)state;
  dm_site site;
  dm_server d;
  char why[DM_WHY], file[200], env[240], reply[60000];
  dm_site_open(&site, 71);
  dm_tablet *tb = dm_tablet_new(&site, 0, false);
  snprintf(file, sizeof file, "%s/faults", site.fx.dir);
  snprintf(env, sizeof env, FAULTS_ENV "=%s", file);
  faults *f = map_faults(file);
  dm_options o = {.preload = OV_PRELOAD,
                  .env = {env, "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=1"},
                  .workers = 2};
  if (!dm_start(&d, &site, &o, why)) fail_msg("%s", why);
  dm_tablet_note(tb, 3, "a note");
  if (!dm_sync(&d, tb, why)) fail_msg("%s", why);
  ask(&d, &site, "retention set", ",\"class\":\"dossier\",\"years\":1", reply, sizeof reply);
  a_run(&d, f, 330, 11 * 60 * 1000); /* ten minutes after the start */
  assert_false(erased(&d, &site));   /* a month too early */
  a_run(&d, f, 60, DAY_MS);          /* and every day */
  assert_true(erased(&d, &site));
  ask(&d, &site, "audit list", ",\"type\":\"erase\"", reply, sizeof reply);
  assert_non_null(strstr(reply, "\"erase\""));
  assert_true(dm_stop(&d, SIGTERM));
  assert_true(dm_log_clean(&d, "a note", why));
  dm_end(&d);
  munmap(f, sizeof *f);
  dm_site_close(&site);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(who_is_past_the_term_is_erased_by_the_server_itself)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
