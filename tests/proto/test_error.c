#include "util.h"

#include <ctype.h>

typedef struct known {
  int code;
  ov_err_class class;
  unsigned close_code;
} known;

static const known all[] = {
    {OV_OK, OV_CLASS_NONE, 1000},          {OV_E_GAP, OV_CLASS_REPLY, 1000},
    {OV_E_BRANCH, OV_CLASS_REPLY, 1000},   {OV_E_OP_FORMAT, OV_CLASS_REPLY, 1000},
    {OV_E_OP_LIMIT, OV_CLASS_REPLY, 1000}, {OV_E_NEED_KEYS, OV_CLASS_REPLY, 1000},
    {OV_E_BUSY, OV_CLASS_REPLY, 1000},     {OV_E_FULL, OV_CLASS_REPLY, 1000},
    {OV_E_READONLY, OV_CLASS_REPLY, 1000}, {OV_E_FORMAT, OV_CLASS_CLOSE, 1007},
    {OV_E_LIMIT, OV_CLASS_CLOSE, 1009},    {OV_E_STATE, OV_CLASS_CLOSE, 1002},
    {OV_E_VERSION, OV_CLASS_CLOSE, 4001},  {OV_E_AUTH, OV_CLASS_CLOSE, 4003},
    {OV_E_REVOKED, OV_CLASS_CLOSE, 4003},  {OV_E_CODE, OV_CLASS_CLOSE, 4004},
    {OV_E_FOREIGN, OV_CLASS_CLOSE, 4003},  {OV_E_TIMEOUT, OV_CLASS_CLOSE, 1008},
    {OV_E_SHUTDOWN, OV_CLASS_CLOSE, 1001}, {OV_E_FLOOD, OV_CLASS_CLOSE, 1008},
    {OV_E_NOMEM, OV_CLASS_ABORT, 1011},    {OV_E_IO, OV_CLASS_ABORT, 1011},
    {OV_E_CORRUPT, OV_CLASS_ABORT, 1011},  {OV_E_NOTFOUND, OV_CLASS_ABORT, 1011},
    {OV_E_EXISTS, OV_CLASS_ABORT, 1011},   {OV_E_INVALID, OV_CLASS_ABORT, 1011},
    {OV_E_LOCKED, OV_CLASS_ABORT, 1011},   {OV_E_NEWER, OV_CLASS_ABORT, 1011},
    {OV_E_NET, OV_CLASS_ABORT, 1011},      {OV_E_CANCELLED, OV_CLASS_ABORT, 1011},
    {OV_E_CRYPTO, OV_CLASS_ABORT, 1011},   {OV_E_MAPFULL, OV_CLASS_ABORT, 1011},
    {OV_E_DENIED, OV_CLASS_ABORT, 1011},   {OV_E_SPACE, OV_CLASS_ABORT, 1011},
    {OV_E_INTERNAL, OV_CLASS_ABORT, 1011},
};
enum { N = sizeof all / sizeof all[0] };

static void each_code_has_its_class_and_close_code(void **state) {
  (void)state;
  for (size_t i = 0; i < N; i++) {
    assert_int_equal(ov_err_classify(all[i].code), all[i].class);
    assert_int_equal(ov_err_close_code(all[i].code), all[i].close_code);
  }
}

static void slugs_are_unique_lower_case_words(void **state) {
  (void)state;
  for (size_t i = 0; i < N; i++) {
    const char *slug = ov_err_slug(all[i].code);
    assert_true(*slug != '\0');
    for (const char *p = slug; *p; p++) assert_true(islower((unsigned char)*p) || *p == '_');
    for (size_t j = 0; j < i; j++) assert_string_not_equal(slug, ov_err_slug(all[j].code));
    assert_string_not_equal(slug, "unknown");
  }
}

static void texts_are_there_without_a_full_stop(void **state) {
  (void)state;
  for (size_t i = 0; i < N; i++) {
    const char *text = ov_err_text(all[i].code);
    assert_true(strlen(text) > 3);
    assert_true(text[strlen(text) - 1] != '.');
    for (size_t j = 0; j < i; j++) assert_string_not_equal(text, ov_err_text(all[j].code));
  }
}

/* A code that only a newer peer knows must not be taken for a mild one because of its number. */
static void an_unknown_code_aborts(void **state) {
  (void)state;
  const int unknown[] = {1, -9, -19, -31, -99, -115, -1000, 1 << 30};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
    assert_int_equal(ov_err_classify(unknown[i]), OV_CLASS_ABORT);
    assert_string_equal(ov_err_slug(unknown[i]), "unknown");
    assert_string_equal(ov_err_text(unknown[i]), "unknown error");
    assert_int_equal(ov_err_close_code(unknown[i]), 1011);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_code_has_its_class_and_close_code),
      cmocka_unit_test(slugs_are_unique_lower_case_words),
      cmocka_unit_test(texts_are_there_without_a_full_stop),
      cmocka_unit_test(an_unknown_code_aborts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
