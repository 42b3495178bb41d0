/* The k-th allocation fails, for every k: a clean error, nothing leaked, nothing half handed over. */
#include <stdbool.h>
#include "import_util.h"

#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static unsigned left; /* calls until the one that fails; 0: none will */

static int fails(void) { return left && --left == 0; }

void *__wrap_malloc(size_t n) { return fails() ? NULL : __real_malloc(n); }

void *__wrap_calloc(size_t n, size_t size) { return fails() ? NULL : __real_calloc(n, size); }

void *__wrap_realloc(void *p, size_t n) { return fails() ? NULL : __real_realloc(p, n); }

static int run(const char *map, size_t map_n, const char *data, size_t n) {
  oc_import_map *m = NULL;
  oc_import_result *r = NULL;
  oc_import_error e;
  int err = oc_import_map_parse(map, map_n, &m, &e);
  if (!err) err = oc_import_parse(m, data, n, &(oc_import_options){0}, &r, &e);
  assert_int_equal(err == 0, r != NULL);
  oc_import_result_free(r);
  oc_import_map_free(m);
  return err;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  static const char *const files[][2] = {{"actigraphy_intervals.map", "actigraphy_comma.csv"},
                                         {"observed_state_log.map", "states_semicolon.csv"}};
  for (size_t i = 0; i < 2; i++) {
    size_t map_n, n;
    char *map = read_map_text(files[i][0], &map_n), *data = read_data(files[i][1], &n);
    unsigned k = 1;
    for (;; k++) {
      left = k;
      int err = run(map, map_n, data, n);
      bool reached = left == 0;
      left = 0;
      if (!reached) {
        assert_int_equal(err, 0);
        break;
      }
      assert_true(err == OV_E_NOMEM || err == OV_E_CRYPTO);
      assert_true(k < 1000);
    }
    assert_true(k > 5);
    free(map);
    free(data);
  }
}

static void zones_too(void **state) {
  (void)state;
  for (unsigned k = 1; k < 20; k++) {
    oc_zone *z = NULL;
    left = k;
    int err = oc_zone_open("Europe/Amsterdam", &z);
    bool reached = left == 0;
    left = 0;
    assert_int_equal(err == 0, z != NULL);
    assert_true(reached ? err == OV_E_NOMEM || err == 0 : err == 0);
    oc_zone_free(z);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail),
                                     cmocka_unit_test(zones_too)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
