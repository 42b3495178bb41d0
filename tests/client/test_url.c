/* URLs of servers: what is taken, what is refused and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "oc_net.h"

static void takes(const char *text, const char *whole) {
  oc_net_url u;
  char out[300];
  assert_int_equal(oc_net_url_parse(text, &u), 0);
  oc_net_url_text(&u, out, sizeof out);
  assert_string_equal(out, whole);
}

static void refuses(const char *text, int err) {
  oc_net_url u;
  assert_int_equal(oc_net_url_parse(text, &u), err);
}

static void takes_urls_and_fills_in_the_path(void **state) {
  (void)state;
  takes("wss://sync.example.nl/sync", "wss://sync.example.nl/sync");
  takes("wss://sync.example.nl", "wss://sync.example.nl/sync");
  takes("WSS://sync.example.nl/", "wss://sync.example.nl/sync");
  takes("wss://sync.example.nl:443/a?b=c", "wss://sync.example.nl/a?b=c");
  takes("wss://sync.example.nl:8443", "wss://sync.example.nl:8443/sync");
  takes("wss://[2001:db8::1]:8443/x", "wss://[2001:db8::1]:8443/x");
  takes("wss://Sync.Example.NL/Path", "wss://sync.example.nl/Path"); /* PROTO-36 */
  takes("wss://[2001:DB8::A]/x", "wss://[2001:db8::a]/x");
}

static void plain_goes_to_this_machine_only(void **state) {
  (void)state;
  takes("ws://localhost:7420", "ws://localhost:7420/sync");
  takes("ws://127.0.0.1:7420/sync", "ws://127.0.0.1:7420/sync");
  takes("ws://127.9.9.9", "ws://127.9.9.9/sync");
  takes("ws://[::1]:7420", "ws://[::1]:7420/sync");
  refuses("ws://sync.example.nl", OV_E_DENIED);
  refuses("ws://127.0.0.1.example.nl", OV_E_DENIED);
  refuses("ws://localhost.example.nl", OV_E_DENIED);
  refuses("ws://128.0.0.1", OV_E_DENIED);
}

static void refuses_what_is_no_url(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    "sync.example.nl",
                                    "https://sync.example.nl",
                                    "wss://",
                                    "wss:///sync",
                                    "wss://a b/sync",
                                    "wss://a:0",
                                    "wss://a:65536",
                                    "wss://a:+80",
                                    "wss://a:80x",
                                    "wss://a/b c",
                                    "wss://a/b\r\nX: y",
                                    "wss://user@a/sync",
                                    "wss://[::1",
                                    "wss://[]/",
                                    "wss://a/#x"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuses(bad[i], OV_E_INVALID);
  char longest[400] = "wss://";
  memset(longest + 6, 'a', 200);
  refuses(longest, OV_E_INVALID);
  memcpy(longest, "wss://a/", 8);
  refuses(longest, OV_E_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_urls_and_fills_in_the_path),
      cmocka_unit_test(plain_goes_to_this_machine_only),
      cmocka_unit_test(refuses_what_is_no_url),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
