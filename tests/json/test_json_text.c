/* Whichever allocation fails: the text is whole, or there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sv_json.h"

static unsigned calls, failing; /* the how-manieth fails; 0: none */

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n) { return ++calls == failing ? NULL : __real_realloc(p, n); }
static void *jansson_alloc(size_t n) { return ++calls == failing ? NULL : malloc(n); }

/* Names so long that each makes the buffer grow. */
static json_t *wide(void) {
  char name[3000];
  json_t *j = json_object();
  for (size_t i = 1; i <= 6; i++) {
    memset(name, 'a' + (int)i, i * 450);
    name[i * 450] = 0;
    json_object_set_new(j, name, json_pack("[i, s, {s:n}]", 7, "een", "twee"));
  }
  return j;
}

static void whole_or_nothing(void **state) {
  (void)state;
  json_t *j = wide();
  bool whole = false;
  unsigned none = 0;
  json_set_alloc_funcs(jansson_alloc, free);
  for (unsigned k = 1; !whole; k++) {
    calls = 0;
    failing = k;
    char *text = sv_json_text(j, JSON_COMPACT);
    bool reached = calls >= k;
    failing = 0;
    json_t *back = text ? json_loads(text, 0, NULL) : NULL;
    assert_true(!text == !back);
    if (back) assert_true(json_equal(back, j));
    none += !text;
    whole = !reached;
    json_decref(back);
    free(text);
  }
  assert_true(none > 5);
  json_decref(j);
}

static void any_value_and_none(void **state) {
  (void)state;
  json_t *v = json_string("\"\xc3\xab");
  char *text = sv_json_text(v, JSON_COMPACT);
  assert_string_equal(text, "\"\\\"\xc3\xab\"");
  assert_null(sv_json_text(NULL, 0));
  free(text);
  json_decref(v);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(whole_or_nothing),
                                     cmocka_unit_test(any_value_and_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
