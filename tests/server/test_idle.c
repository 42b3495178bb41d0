/* Memory of a connection that is idle: 200 live clients that have completed a sync on the real server,
 * plain and TLS. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon.h"
#include "testcert.h"

#define PLAIN_BYTES_MAX 8192
#define TLS_BYTES_MAX 32768
#define WARM 48u /* first connections: what the process takes once is not theirs */
#define COUNTED 200u

static dm_wire wires[WARM + COUNTED];
static dm_tablet copies[WARM + COUNTED]; /* of one device, each with its own cursors */

static void open_live(dm_server *d, dm_tablet *tb, unsigned from, unsigned to) {
  char why[DM_WHY];
  for (unsigned i = from; i < to; i++) {
    copies[i] = *tb;
    if (!dm_greet(&wires[i], d, &copies[i], &(dm_hello){.live = true}) || !dm_catch_up(&wires[i], why))
      fail_msg("connection %u", i);
  }
}

static void measure(bool tls, long most) {
  static dm_site site;
  dm_server d;
  testcert cert;
  char why[DM_WHY];
  assert_true(testcert_make(&cert));
  dm_site_open(&site, 8);
  dm_tablet *tb = dm_tablet_new(&site, 0, false), *good = dm_tablet_new(&site, 0, false);
  dm_options o = {.cert_file = tls ? cert.cert_file : NULL, .key_file = tls ? cert.key_file : NULL};
  if (!dm_start(&d, &site, &o, why)) fail_msg("%s", why);
  dm_tablet_note(good, 200, "rustig");
  if (!dm_sync(&d, good, why)) fail_msg("%s", why);
  open_live(&d, tb, 0, WARM);
  long before = dm_memory_kib(&d, "RssAnon");
  open_live(&d, tb, WARM, WARM + COUNTED);
  long after = dm_memory_kib(&d, "RssAnon"), each = (after - before) * 1024 / (long)COUNTED;
  /* All are told of something new, and are idle again. */
  dm_tablet_note(good, 3, "onrustig");
  if (!dm_sync(&d, good, why)) fail_msg("%s", why);
  for (unsigned i = 0; i < WARM + COUNTED; i++) assert_true(dm_expect(&wires[i], OV_M_SYNCED, NULL));
  long told = (dm_memory_kib(&d, "RssAnon") - before) * 1024 / (long)COUNTED;
  print_message(
      "%s: %ld bytes a connection after its sync, %ld after news for all (at most %ld); server %ld KiB\n",
      tls ? "TLS" : "plain", each, told, most, after);
  for (unsigned i = 0; i < WARM + COUNTED; i++) dm_wire_close(&wires[i]);
  assert_true(dm_stop(&d, SIGTERM));
  dm_site_close(&site);
  testcert_remove(&cert);
  assert_in_range(each, 1, most);
  assert_in_range(told, 1, most);
}

static void plain_is_small(void **state) {
  (void)state;
  measure(false, PLAIN_BYTES_MAX);
}

static void tls_is_small(void **state) {
  (void)state;
  measure(true, TLS_BYTES_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(plain_is_small), cmocka_unit_test(tls_is_small)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
