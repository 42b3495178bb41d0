/* What request headers ask for, by the table: entity tags, ranges, encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net_private.h"

static void entity_tags_are_found_in_lists(void **state) {
  (void)state;
  static const struct {
    const char *list;
    bool found;
  } rows[] = {{"\"a\"", true},         {"W/\"a\"", true}, {"\"b\", \"a\"", true}, {"*", true},
              {"\"b\",W/\"a\"", true}, {"\"aa\"", false}, {"a", false},           {"", false},
              {"\"a", false},          {"\"b\"", false},  {"\"b\" \"c\"", false}, {",,", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (net_etag_listed(rows[i].list, "\"a\"") != rows[i].found) fail_msg("%s", rows[i].list);
  assert_false(net_etag_listed("*", "")); /* without a tag nothing is unmodified */
}

static void gzip_is_taken_only_when_offered(void **state) {
  (void)state;
  static const struct {
    const char *accept;
    bool taken;
  } rows[] = {{"gzip", true},
              {"gzip, deflate, br", true},
              {"br;q=1.0, GZIP;q=0.5", true},
              {"deflate,gzip", true},
              {"gzip;q=0", false},
              {"gzip; q=0.000", false},
              {"gzip;q=0.001", true},
              {"deflate, br", false},
              {"xgzip", false},
              {"gzipx", false},
              {"", false},
              {",,,", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (net_gzip_accepted(rows[i].accept) != rows[i].taken) fail_msg("%s", rows[i].accept);
  assert_false(net_gzip_accepted(NULL));
}

static void ranges_are_of_bytes_and_one(void **state) {
  (void)state;
  static const struct {
    const char *range;
    uint64_t whole;
    net_range kind;
    uint64_t from, to;
  } rows[] = {{"bytes=0-9", 100, NET_RANGE_ONE, 0, 10},
              {"bytes=5-", 100, NET_RANGE_ONE, 5, 100},
              {"bytes=-5", 100, NET_RANGE_ONE, 95, 100},
              {"bytes=-500", 100, NET_RANGE_ONE, 0, 100},
              {"bytes=99-99", 100, NET_RANGE_ONE, 99, 100},
              {"bytes=50-500", 100, NET_RANGE_ONE, 50, 100},
              {"Bytes= 0-0", 100, NET_RANGE_ONE, 0, 1},
              {"bytes=100-", 100, NET_RANGE_BEYOND, 0, 0},
              {"bytes=100-200", 100, NET_RANGE_BEYOND, 0, 0},
              {"bytes=-0", 100, NET_RANGE_BEYOND, 0, 0},
              {"bytes=0-", 0, NET_RANGE_BEYOND, 0, 0},
              {"bytes=9-5", 100, NET_RANGE_NONE, 0, 0},
              {"bytes=0-1,5-6", 100, NET_RANGE_NONE, 0, 0},
              {"bytes=-", 100, NET_RANGE_NONE, 0, 0},
              {"bytes=", 100, NET_RANGE_NONE, 0, 0},
              {"bytes=x-y", 100, NET_RANGE_NONE, 0, 0},
              {"lines=0-1", 100, NET_RANGE_NONE, 0, 0},
              {"bytes=0-99999999999999999999999999", 100, NET_RANGE_NONE, 0, 0},
              {"", 100, NET_RANGE_NONE, 0, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint64_t from = 0, to = 0;
    net_range kind = net_range_parse(rows[i].range, rows[i].whole, &from, &to);
    if (kind != rows[i].kind || (kind == NET_RANGE_ONE && (from != rows[i].from || to != rows[i].to)))
      fail_msg("%s: %d %llu-%llu", rows[i].range, kind, (unsigned long long)from, (unsigned long long)to);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(entity_tags_are_found_in_lists),
                                     cmocka_unit_test(gzip_is_taken_only_when_offered),
                                     cmocka_unit_test(ranges_are_of_bytes_and_one)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
