/* PROTOCOL.md says what the code does, where that can be checked: examples, error numbers, limits, reasons,
 * the dictionary's hash; and every requirement that code cites exists. */
#include "check.h"

#include <ftw.h>
#include <stdio.h>

static char *text;

static char *slurp(const char *path) {
  FILE *f = fopen(path, "r");
  if (!f) fail_msg("%s is missing", path);
  char *out = calloc(1, 2u << 20);
  assert_true(fread(out, 1, (2u << 20) - 1, f) > 0);
  fclose(f);
  return out;
}

static int load(void **state) {
  (void)state;
  text = slurp(OV_SOURCE_DIR "/proto/PROTOCOL.md");
  return 0;
}

static int unload(void **state) {
  (void)state;
  free(text);
  return 0;
}

static void test_examples(void **state) {
  vec v;
  (void)state;
  vec_open(&v, VEC_DIR);
  char *fresh = vec_examples(&v, text, v.old_messages);
  if (strcmp(fresh, text))
    fail_msg("the examples are not those of the vectors: make-vectors %s %s/proto/PROTOCOL.md", VEC_DIR,
             OV_SOURCE_DIR);
  free(fresh);
  vec_close(&v);
}

/* Every message has its example. */
static void test_each_message_has_one(void **state) {
  static const char *const names[] = {"ENROL", "ENROLLED", "HELLO", "WELCOME", "CHALLENGE", "PROOF", "PUSH",
                                      "ACK",   "DELTA",    "ACKED", "BYE",     "ERROR",     "SYNCED"};
  (void)state;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char mark[64];
    snprintf(mark, sizeof mark, "<!-- example: %s, ", names[i]);
    if (!strstr(text, mark)) fail_msg("no example of %s", names[i]);
  }
}

static void need_row(const char *row) {
  if (!strstr(text, row)) fail_msg("PROTOCOL.md has no line with \"%s\"", row);
}

static void test_errors(void **state) {
  (void)state;
  for (int nr = 1; nr < 100; nr++) {
    char row[120], close[16] = "–";
    ov_err_class c = ov_err_classify(-nr);
    if (c != OV_CLASS_REPLY && c != OV_CLASS_CLOSE) continue;
    if (c == OV_CLASS_CLOSE) snprintf(close, sizeof close, "%u", ov_err_close_code(-nr));
    snprintf(row, sizeof row, "\n| `%s` | %d | %s | ", ov_err_slug(-nr), nr, close);
    need_row(row);
  }
}

/* PROTO-91 */
static void test_held(void **state) {
  (void)state;
  for (int r = 1; r < OV_HELD_COUNT; r++) {
    char row[160];
    snprintf(row, sizeof row, "\n| %d | %s |\n", r, ov_held_text_en(r));
    need_row(row);
  }
}

#define L(name)                                                                                              \
  { #name, (unsigned long long)(name) }

static void test_limits(void **state) {
  static const struct {
    const char *name;
    unsigned long long value;
  } limits[] = {
      L(OV_FRAME_BYTES_DEFAULT),
      L(OV_FRAME_BYTES_MIN),
      L(OV_FRAME_BYTES_MAX),
      L(OV_WS_MESSAGE_BYTES_MAX),
      L(OV_FRAME_OBJECTS_MAX),
      L(OV_NESTING_MAX),
      L(OV_PAYLOAD_BYTES_MAX),
      L(OV_HEADER_BYTES_MAX),
      L(OV_OP_FIELDS_MAX),
      L(OV_FIELD_ID_MAX),
      L(OV_KIND_ID_MAX),
      L(OV_OP_REPLACES_MAX),
      L(OV_SET_ELEMENTS_MAX),
      L(OV_TEXT_BYTES_MAX),
      L(OV_FRAME_ROWS_MAX),
      L(OV_RECORD_OPS_MAX),
      L(OV_RECORD_VALUES_MAX),
      L(OV_RECORD_LINKS_MAX),
      L(OV_RECORD_BYTES_MAX),
      L(OV_DELTA_HELD_MAX),
      L(OV_SEQ_MAX),
      L(OV_TIME_S_MAX),
      L(OV_SCOPES_MAX),
      L(OV_TIPS_MAX),
      L(OV_LADDER_MAX),
      L(OV_CREDIT_DEFAULT),
      L(OV_CREDIT_MAX),
      L(OV_PUSHES_UNANSWERED_MAX),
      L(OV_HELLO_SKEW_MS_MAX),
      L(OV_CLOCK_SUSPECT_S),
      L(OV_ACK_HELD_MAX),
      L(OV_ACK_RECEIPTS_MAX),
      L(OV_PUSH_KEYS_MAX),
      L(OV_ERROR_TEXT_MAX),
      L(OV_CODE_TEXT_MAX),
      L(OV_DEVICE_NAME_MAX),
      L(OV_WINDOW_DAYS),
      L(OV_SCHEMA_BYTES_MAX),
      L(OV_SCHEMA_KINDS_MAX),
      L(OV_SCHEMA_CODES_MAX),
      L(OV_FIELD_NAME_MAX),
      L(OV_LABEL_BYTES_MAX),
      L(OV_RETRACTION_BYTES_MAX),
  };
  (void)state;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    char row[120];
    snprintf(row, sizeof row, "\n| %s | %llu | ", limits[i].name, limits[i].value);
    need_row(row);
  }
}

/* PROTO-6 */
static void test_dictionary(void **state) {
  char *dict = slurp(OV_SOURCE_DIR "/proto/dict/dict1.txt"), hex[2 * OV_HASH_BYTES + 1], want[80];
  ov_hash h;
  ov_hasher *hasher = ov_hasher_new();
  (void)state;
  assert_int_equal(ov_sha256(hasher, dict, strlen(dict), &h), 0); /* it is text: no zero byte */
  ov_hex(h.b, OV_HASH_BYTES, hex);
  snprintf(want, sizeof want, "`%s`", hex);
  need_row(want);
  ov_hasher_free(hasher);
  free(dict);
}

/* -- requirements -- */

enum { REQUIREMENTS_MAX = 400 };
static bool defined[REQUIREMENTS_MAX];
static unsigned unknown;

static void test_requirements(void **state) {
  int count = 0;
  (void)state;
  for (const char *at = text; (at = strstr(at, "- **PROTO-")); at++) {
    int n = atoi(at + strlen("- **PROTO-"));
    assert_in_range(n, 1, REQUIREMENTS_MAX - 1);
    if (defined[n]) fail_msg("PROTO-%d stands twice", n);
    defined[n] = true;
    count++;
  }
  assert_true(count > 90);
  for (const char *at = text; (at = strstr(at, "PROTO-")); at++) {
    int n = atoi(at + strlen("PROTO-"));
    if (n > 0 && !defined[n]) fail_msg("PROTOCOL.md cites PROTO-%d, which is not there", n);
  }
}

static int look(const char *path, const struct stat *st, int kind, struct FTW *w) {
  const char *end = strrchr(path, '.');
  (void)w;
  (void)st;
  if (kind != FTW_F || !end || (strcmp(end, ".c") && strcmp(end, ".h"))) return 0;
  FILE *f = fopen(path, "r");
  char line[1024];
  while (f && fgets(line, sizeof line, f))
    for (const char *at = line; (at = strstr(at, "PROTO-")); at++) {
      int n = atoi(at + strlen("PROTO-"));
      if (n > 0 && (n >= REQUIREMENTS_MAX || !defined[n])) {
        print_error("%s cites PROTO-%d\n", path, n);
        unknown++;
      }
    }
  if (f) fclose(f);
  return 0;
}

static void test_citations(void **state) {
  static const char *const folders[] = {"proto", "server", "client-c", "tests", "tools"};
  (void)state;
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    char path[1024];
    snprintf(path, sizeof path, OV_SOURCE_DIR "/%s", folders[i]);
    nftw(path, look, 16, FTW_PHYS); /* a folder that is not there has no citations */
  }
  assert_int_equal(unknown, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_examples),     cmocka_unit_test(test_each_message_has_one),
      cmocka_unit_test(test_errors),       cmocka_unit_test(test_held),
      cmocka_unit_test(test_limits),       cmocka_unit_test(test_dictionary),
      cmocka_unit_test(test_requirements), cmocka_unit_test(test_citations),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
