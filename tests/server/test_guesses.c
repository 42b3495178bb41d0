/* Guessing at enrolment codes over the wire: none gets in, the server looks at few, an administrator's code
 * works afterwards.  test_guesses [N, default 400]; with a number it also waits for the minute after. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon.h"
#include "ov_p256.h"
#include "sv_limits.h"

#define GUESSES 400u

static unsigned guesses = GUESSES;
static bool at_length;

static void random_code(unsigned long long *seed, char out[16]) {
  static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  char *p = out;
  for (unsigned i = 0; i < 12; i++) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    if (i && i % 4 == 0) *p++ = '-';
    *p++ = digits[*seed >> 59];
  }
  *p = 0;
}

/* The error it ends with; 0: it got in. */
static int enrol(dm_server *d, dm_tablet *tb, const char *code) {
  dm_wire w;
  ov_msg *m;
  ov_buf plain;
  ov_p256 *key = NULL;
  ov_enrol e = {.version_min = 1,
                .version_max = 1,
                .code = code,
                .code_len = (uint32_t)strlen(code),
                .device_name = "guess",
                .device_name_len = 5};
  ov_buf_init(&plain, 0);
  assert_int_equal(ov_p256_generate(&key), 0);
  ov_p256_public(key, e.pubkey);
  ov_p256_free(key);
  ov_enrol_encode(&e, &plain);
  while (!dm_wire_open(&w, d, tb, 0)) dm_sleep_ms(20); /* too many at once from here */
  ov_buf frame;
  ov_buf_init(&frame, 0);
  assert_int_equal(ov_peer_send(w.peer, OV_M_ENROL, plain.p, plain.n, &frame), 0);
  assert_true(dm_send_frame(&w, frame.p, frame.n));
  bool in = dm_expect(&w, OV_M_ENROLLED, &m);
  int err = in ? 0 : w.last_error;
  if (!in && !w.close_code) dm_expect_close(&w, DM_WAIT_MS);
  dm_wire_close(&w);
  ov_buf_free(&frame);
  ov_buf_free(&plain);
  return err;
}

static void wait_for_the_next_minute(void) {
  int64_t minute = dm_mono_ms() / 60000;
  while (dm_mono_ms() / 60000 == minute) dm_sleep_ms(500);
}

static void guessing_gets_nobody_in(void **state) {
  (void)state;
  dm_site site;
  dm_server d;
  char why[DM_WHY], code[DM_CODE_TEXT], guess[16];
  unsigned looked_at = 0, flood = 0;
  unsigned long long seed = 4;
  dm_site_open(&site, 67);
  dm_tablet *tb = dm_tablet_new(&site, 0, false);
  if (!dm_start(&d, &site, &(dm_options){.workers = 2}, why)) fail_msg("%s", why);
  int64_t first = dm_mono_ms() / 60000;
  for (unsigned i = 0; i < guesses; i++) {
    random_code(&seed, guess);
    int err = enrol(&d, tb, guess);
    assert_true(err == OV_E_CODE || err == OV_E_FLOOD);
    looked_at += err == OV_E_CODE;
    flood += err == OV_E_FLOOD;
    if (at_length && i % 1000 == 999) fprintf(stderr, "%u guesses, %u looked at\n", i + 1, looked_at);
  }
  unsigned minutes = (unsigned)(dm_mono_ms() / 60000 - first + 1);
  print_message("%u guesses in %u minutes of the clock: %u looked at, %u refused unseen\n", guesses, minutes,
                looked_at, flood);
  /* those that are with the writer when the limit is met are looked at yet */
  assert_true(looked_at <= minutes * (SV_ENROL_WRONG_PER_MINUTE + 1));
  assert_true(looked_at >= SV_ENROL_WRONG_PER_MINUTE);
  if (minutes == 1) assert_true(flood > 0);
  dm_code(&d, &site.orgs[0].shell.id, "t9", code);
  if (!dm_sync(&d, tb, why)) fail_msg("an enrolled tablet is not held up: %s", why);
  if (at_length) {
    wait_for_the_next_minute();
  } else { /* the count is the process's own */
    assert_true(dm_stop(&d, SIGTERM));
    assert_true(dm_again(&d, why));
  }
  assert_int_equal(enrol(&d, tb, code), 0);
  assert_int_equal(enrol(&d, tb, code), OV_E_CODE); /* once */
  assert_true(dm_stop(&d, SIGTERM));
  assert_true(dm_log_clean(&d, code, why));
  dm_end(&d);
  dm_site_close(&site);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(guessing_gets_nobody_in)};
  if (argc > 1) {
    guesses = (unsigned)strtoul(argv[1], NULL, 10);
    at_length = true;
  }
  if (!guesses) return 64;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
