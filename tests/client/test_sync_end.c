/* How a connection's end is told: the server's close codes and its answers to the upgrade, each with what to
 * do next; over real sockets, by the call that enrols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "overdracht.h"
#include "raw_server.h"

static char dir[256];

typedef struct end {
  unsigned code;
  int err;
  const char *says, *says_nl;
} end;

static int enrol(raw_server *raw, oc_error *e) {
  oc_store *s = NULL;
  char url[64];
  raw_start(raw);
  snprintf(url, sizeof url, "ws://127.0.0.1:%u", raw->port);
  assert_int_equal(oc_store_open(&(oc_options){.path = dir}, &s, e), 0);
  int err = oc_enrol(s, url, "ABCD-EFGH-JKMN", "tablet", NULL, e);
  oc_status st;
  assert_int_equal(oc_status_get(s, &st, NULL), 0);
  assert_false(st.enrolled);
  oc_store_close(s);
  raw_stop(raw);
  return err;
}

static void close_codes_say_what_to_do(void **state) {
  (void)state;
  static const end ends[] = {
      {4001, OC_E_REFUSED, "the server does not speak this version; update this program", "Werk de app bij"},
      {4003, OC_E_REFUSED, "the server does not accept this device: ", "Vraag de beheerder"},
      {4004, OC_E_REFUSED, "the code is wrong, used or expired; ask for a new one", "Vraag een nieuwe code"},
      {1002, OC_E_REFUSED, "the server does not understand this program: ", ""},
      {1009, OC_E_REFUSED, "(1009: why)", ""},
      {1008, OC_E_BUSY, "the server takes no connection now; come back later", "De server heeft het druk"},
      {1011, OC_E_NET, "(1011: why); what was not acknowledged is sent again next time", "Geen verbinding"},
      {1001, OC_E_NET, "(1001: why); what was not acknowledged is sent again next time", "Geen verbinding"},
      {4999, OC_E_NET, "(4999: why); what was not acknowledged is sent again next time", "Geen verbinding"},
  };
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    oc_error e;
    uint8_t frame[] = {0x88, 5, (uint8_t)(ends[i].code >> 8), (uint8_t)ends[i].code, 'w', 'h', 'y'};
    raw_server raw = {.bytes = frame, .n = sizeof frame};
    int err = enrol(&raw, &e);
    if (err != ends[i].err || !strstr(e.message, ends[i].says))
      print_error("%u: %d \"%s\"\n", ends[i].code, err, e.message);
    assert_int_equal(err, ends[i].err);
    assert_non_null(strstr(e.message, ends[i].says));
    assert_non_null(strstr(e.message_nl, ends[i].says_nl));
  }
}

static void answers_to_the_upgrade(void **state) {
  (void)state;
  oc_error e;
  raw_server busy = {.answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"};
  assert_int_equal(enrol(&busy, &e), OC_E_BUSY);
  assert_string_equal(e.message, "the server takes no connection now; come back later");
  raw_server many = {.answer = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"};
  assert_int_equal(enrol(&many, &e), OC_E_BUSY);
  raw_server none = {.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"};
  assert_int_equal(enrol(&none, &e), OC_E_REFUSED);
  assert_string_equal(e.message, "the server answers with HTTP status 404, not as an overdracht server");
}

static void what_cannot_be_enrolled(void **state) {
  (void)state;
  oc_store *s = NULL;
  oc_session *cs = NULL;
  oc_error e;
  char long_text[200];
  memset(long_text, 'x', sizeof long_text - 1);
  long_text[sizeof long_text - 1] = 0;
  assert_int_equal(oc_store_open(&(oc_options){.path = dir}, &s, &e), 0);
  assert_int_equal(oc_session_new(s, NULL, &cs, &e), OC_E_ENROL);
  assert_string_equal(e.message, "this store is not enrolled yet: enrol it with a code first");
  assert_string_equal(e.message_nl, "Deze tablet is nog niet aangemeld.");
  static const char url[] = "wss://sync.example.nl/sync", code[] = "ABCD-EFGH-JKMN";
  assert_int_equal(oc_session_enrol(s, url, long_text, "a", &cs, &e), OC_E_INVALID);
  assert_string_equal(e.message, "code, device name or URL is too long");
  assert_int_equal(oc_session_enrol(s, url, code, long_text, &cs, &e), OC_E_INVALID);
  assert_int_equal(oc_session_enrol(s, long_text, code, "a", &cs, &e), OC_E_INVALID);
  assert_int_equal(oc_session_enrol(s, "sync.example.nl", code, "a", &cs, &e), OC_E_INVALID);
  assert_string_equal(e.message, "\"sync.example.nl\" is no URL such as wss://sync.example.nl/sync");
  assert_null(cs);
  oc_store_close(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(close_codes_say_what_to_do),
                                     cmocka_unit_test(answers_to_the_upgrade),
                                     cmocka_unit_test(what_cannot_be_enrolled)};
  const char *tmp = getenv("TMPDIR");
  snprintf(dir, sizeof dir, "%s/ov-sync-end-XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(dir)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  const char *const files[] = {"data.mdb", "lock.mdb", "lock", "store.key", "made"};
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
    char f[300];
    snprintf(f, sizeof f, "%s/%s", dir, files[i]);
    unlink(f);
  }
  rmdir(dir);
  return failed;
}
