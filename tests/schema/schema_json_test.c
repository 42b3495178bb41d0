/* What is wrong in a schema file is said exactly: file, place, what, and what is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ov/limits.h"
#include "sv_schema_json.h"
#include <cmocka.h>

typedef struct said {
  char text[4000];
  unsigned n;
} said;

static void hear(void *ctx, const char *file, const char *where, const char *text) {
  said *s = ctx;
  size_t used = strlen(s->text);
  snprintf(s->text + used, sizeof s->text - used, "%s: %s: %s\n", file, where, text);
  s->n++;
}

#define LABEL "\"label\":{\"nl\":\"x\",\"en\":\"x\"}"
#define KIND                                                                                                 \
  "\"kind\":\"thing\",\"id\":200,\"version\":1," LABEL ",\"scope\":\"team\",\"participant\":\"required\""
#define A "{\"id\":2,\"name\":\"a\",\"type\":\"int\"," LABEL ",\"range\":[0,5]}"
#define CODES(...) "\"codes\":[" __VA_ARGS__ "]"
#define CODE(n, s) "{\"code\":" #n ",\"nl\":\"" s "\",\"en\":\"" s "\"}"
#define FIELDS(...) "{" KIND ",\"fields\":[" __VA_ARGS__ "]}"
#define F2(type, rest) FIELDS("{\"id\":2,\"name\":\"a\",\"type\":\"" type "\"," LABEL rest "}")

static int load(const char *file, const char *text, said *s) {
  sv_schema_json_set *set = NULL;
  memset(s, 0, sizeof *s);
  int err = sv_schema_json_load_text(file, text, strlen(text), NULL, hear, s, &set);
  assert_int_equal(err != 0, set == NULL);
  sv_schema_json_free(set);
  return err;
}

static void correct_kind_is_packed(void **state) {
  (void)state;
  static const char text[] =
      "{" KIND ",\"windowed\":true,\"occurred\":\"d\",\"natural_key\":[\"participant\",\"a\"],\"fields\":["
      "{\"id\":2,\"name\":\"a\",\"type\":\"code\"," LABEL
      "," CODES(CODE(-1, "p") "," CODE(3, "q")) ",\"missing\":[-98,-99],\"required\":true,\"exported\":true},"
                                                "{\"id\":7,\"name\":\"d\",\"type\":\"date\"," LABEL
                                                ",\"required_if\":[{\"field\":\"a\",\"not_in\":[3]}]}]}";
  /* Written by hand from the layout in ov/schema.h. */
  static const uint8_t want[] = {
      0x9b, 0xcc, 200,  0xa5, 't',  'h',  'i',  'n',  'g',  1,    2,    2,    0xc3, 7,    0x92, 0,
      2,    0xa1, 'x',  0xa1, 'x',  0x92, 0xdc, 0,    17,   2,    0xa1, 'a',  2,    0xa1, 'x',  0xa1,
      'x',  0xc3, 0x90, 0xc0, 0xc0, 0,    0xc0, 0xc3, 0,    0x92, 0x93, 0xff, 0xa1, 'p',  0xa1, 'p',
      0x93, 3,    0xa1, 'q',  0xa1, 'q',  0x92, 0xd0, 0x9e, 0xd0, 0x9d, 0xc0, 0xc0, 0xdc, 0,    17,
      7,    0xa1, 'd',  4,    0xa1, 'x',  0xa1, 'x',  0xc2, 0x91, 0x93, 2,    0xc3, 0x91, 3,    0xcd,
      0x2a, 0xcd, 0xcd, 0xba, 0xe6, 0,    0xc0, 0xc2, 0,    0x90, 0x90, 0xc0, 0xc0};
  sv_schema_json_set *set = NULL;
  said s = {0};
  int err = sv_schema_json_load_text("thing.json", text, sizeof text - 1, NULL, hear, &s, &set);
  if (err) print_error("%s", s.text);
  assert_int_equal(err, 0);
  assert_int_equal(sv_schema_json_count(set), 1);
  const sv_schema_json_kind *k = sv_schema_json_by_name(set, "thing");
  assert_non_null(k);
  assert_int_equal(k->id, 200);
  assert_int_equal(k->n, sizeof want);
  assert_memory_equal(k->bytes, want, sizeof want);
  assert_null(sv_schema_json_at(set, 1));
  sv_schema_json_free(set);
}

typedef struct wrong {
  const char *text, *says;
} wrong;

/* Each case has one thing wrong; the message is compared whole. */
static const wrong CASES[] = {
    {"{", "thing.json: : line 1, column 1: "},
    {"[]", "thing.json: : is no JSON object"},
    {"{" KIND ",\"kind\":\"thing\","
     "\"fields\":[" A "]}",
     "duplicate object key"},
    {"{" KIND ",\"windowd\":true,\"fields\":[" A "]}",
     "thing.json: windowd: unknown key; allowed are kind, id, version, label, help, scope, participant, log, "
     "windowed, occurred, "
     "natural_key, retired or fields"},
    {"{\"kind\":\"other\",\"id\":200,\"version\":1," LABEL
     ",\"scope\":\"team\",\"participant\":\"none\",\"fields\":[" A "]}",
     "thing.json: kind: is 'other'; then the file must be called other.json"},
    {"{\"kind\":\"thing\",\"id\":4,\"version\":1," LABEL
     ",\"scope\":\"team\",\"participant\":\"none\",\"fields\":[" A "]}",
     "thing.json: id: is 4 for 'thing'; 4 belongs to kind person, always"},
    {"{\"kind\":\"thing\",\"id\":4096,\"version\":1," LABEL
     ",\"scope\":\"team\",\"participant\":\"none\",\"fields\":[" A "]}",
     "thing.json: id: is 4096; 2 to 4095 is allowed"},
    {"{\"kind\":\"thing\",\"id\":200,\"version\":0," LABEL
     ",\"scope\":\"team\",\"participant\":\"none\",\"fields\":[" A "]}",
     "thing.json: version: is 0; 1 to 65535 is allowed"},
    {"{\"kind\":\"thing\",\"id\":200,\"version\":1.5," LABEL
     ",\"scope\":\"team\",\"participant\":\"none\",\"fields\":[" A "]}",
     "thing.json: version: is no whole number; 1 to 65535 is allowed"},
    {"{\"kind\":\"thing\",\"id\":200,\"version\":1,\"label\":{\"nl\":\"x\",\"en\":\"a\\u0007b\"},\"scope\":"
     "\"team\","
     "\"participant\":\"none\",\"fields\":[" A "]}",
     "thing.json: label.en: has a control character at byte 2; none is allowed"},
    {"{\"kind\":\"thing\",\"id\":200,\"version\":1," LABEL
     ",\"scope\":\"organisation\",\"participant\":\"none\",\"log\":true,\"fields\":[" A "]}",
     "thing.json: log: is true; then scope must be team and participant required"},
    {"{\"kind\":\"thing\",\"id\":200,\"version\":1," LABEL
     ",\"scope\":\"house\",\"participant\":\"none\",\"fields\":[" A "]}",
     "thing.json: scope: is 'house'; programme, organisation or team is allowed"},
    {"{\"kind\":\"thing\",\"id\":200,\"version\":1," LABEL
     ",\"scope\":\"programme\",\"participant\":\"required\",\"fields\":[" A "]}",
     "thing.json: scope: is programme; records about a participant stay in scope team"},
    {"{\"kind\":\"thing\",\"id\":200,\"version\":1,\"label\":{\"nl\":\"x\"},\"scope\":\"team\","
     "\"participant\":\"none\",\"fields\":[" A "]}",
     "thing.json: label.en: is missing; a text is needed"},
    {"{" KIND ",\"windowed\":true,\"fields\":[" A "]}",
     "thing.json: occurred: is missing; a windowed kind needs it"},
    {"{" KIND ",\"occurred\":\"a\",\"fields\":[" A "]}",
     "thing.json: occurred: names 'a', which is of another type; a field of type date or datetime is needed"},
    {"{" KIND ",\"natural_key\":[\"b\"],\"fields\":[" A "]}",
     "thing.json: natural_key[0]: names 'b', which is no field"},
    {"{" KIND ",\"natural_key\":[\"a\",\"a\"],\"fields\":[" A "]}",
     "thing.json: natural_key[1]: repeats 'a'"},
    {"{" KIND
     ",\"log\":true,\"occurred\":\"d\",\"fields\":[{\"id\":2,\"name\":\"project\",\"type\":\"ref\"," LABEL
     ",\"ref\":\"thing\"},"
     "{\"id\":3,\"name\":\"d\",\"type\":\"date\"," LABEL
     "},{\"id\":5,\"name\":\"note\",\"type\":\"text\"," LABEL ",\"max_length\":9}]}",
     "thing.json: log: is true; then field 3 must be 'phase' of type code"},
    {"{" KIND "}", "thing.json: fields: is no list of 1 to 127 fields"},
    {FIELDS(A "," A), "thing.json: fields[1] a: name: repeats the name of fields[0]"},
    {FIELDS(A ",{\"id\":2,\"name\":\"b\",\"type\":\"bool\"," LABEL "}"),
     "thing.json: fields[1] b: id: is 2 after 2; ids must ascend and never repeat"},
    {FIELDS("{\"id\":1,\"name\":\"a\",\"type\":\"bool\"," LABEL "}"),
     "thing.json: fields[0] a: id: is 1; 2 to 120 is allowed"},
    {"{" KIND ",\"retired\":[2],\"fields\":[" A "]}",
     "thing.json: fields[0] a: id: is 2, which is retired; an id is never used again"},
    {FIELDS("{\"id\":2,\"name\":\"Naam\",\"type\":\"bool\"," LABEL "}"),
     "thing.json: fields[0] Naam: name: 'Naam' is no legal name; 1 to 32 of a-z, 0-9 and _ are allowed, a "
     "letter first"},
    {FIELDS("{\"id\":2,\"name\":\"author\",\"type\":\"bool\"," LABEL "}"),
     "thing.json: fields[0] author: name: 'author' is part of every op's header; a field needs another name"},
    {FIELDS("{\"id\":2,\"name\":\"by\",\"type\":\"bool\"," LABEL ",\"exported\":true}"),
     "thing.json: fields[0] by: name: 'by' is a word of a statistics package; an exported field needs "
     "another name"},
    {F2("number", ""), "thing.json: fields[0] a: type: is 'number'; int, bool, code, codeset, date, "
                       "datetime, text, ref, refset, scopeset or "
                       "bytes is allowed"},
    {F2("int", ""), "thing.json: fields[0] a: range: is missing; type int needs it"},
    {F2("int", ",\"range\":[5,0]"), "thing.json: fields[0] a: range: starts at 5, above its end 0"},
    {F2("int", ",\"range\":[0]"),
     "thing.json: fields[0] a: range: is no list of two whole numbers [lowest, highest]"},
    {F2("int", ",\"range\":[-200,0]"),
     "thing.json: fields[0] a: range: -200 to 0 holds a missing code; -99 to -97 must lie outside"},
    {F2("bool", ",\"max_length\":3"), "thing.json: fields[0] a: max_length: means nothing for type bool"},
    {F2("text", ""), "thing.json: fields[0] a: max_length: is missing; type text needs it"},
    {F2("text", ",\"max_length\":20000"),
     "thing.json: fields[0] a: max_length: is 20000; 1 to 10240 is allowed"},
    {F2("text", ",\"max_length\":5,\"exported\":true"),
     "thing.json: fields[0] a: exported: is true; type text is never exported"},
    {F2("ref", ",\"ref\":\"ghost\""),
     "thing.json: fields[0] a: ref: is 'ghost', which is no kind of this folder"},
    {F2("code", ",\"codes\":[]"), "thing.json: fields[0] a: codes: is no list of 1 to 128 codes"},
    {F2("code", ",\"codes\":[" CODE(1, "p") "," CODE(1, "q") "]"),
     "thing.json: fields[0] a: codes[1].code: repeats 1 of codes[0]"},
    {F2("code", ",\"codes\":[" CODE(-99, "p") "]"),
     "thing.json: fields[0] a: codes[0].code: is -99, a missing code; list it under missing"},
    {F2("code", ",\"codes\":[{\"code\":1,\"nl\":\"\",\"en\":\"x\"}]"),
     "thing.json: fields[0] a: codes[0].nl: has 0 bytes; 1 to 160 are allowed"},
    {F2("code", ",\"codes\":[{\"code\":1,\"nl\":\"x\",\"en\":\"x\",\"export_as\":4}]"),
     "thing.json: fields[0] a: codes[0].export_as: is 4, which is no code of this list"},
    {F2("bool", ",\"missing\":[-96]"), "thing.json: fields[0] a: missing: has an entry that is none of -97 "
                                       "(suppressed), -98 (not asked), -99 (unknown)"},
    {F2("bool", ",\"missing\":[-99,-98]"),
     "thing.json: fields[0] a: missing: must descend without repeating: -97, -98, -99"},
    {F2("bool", ",\"required\":\"yes\""), "thing.json: fields[0] a: required: is neither true nor false"},
    {F2("bool", ",\"required\":true,\"required_if\":[{\"field\":\"a\",\"in\":[1]}]"),
     "thing.json: fields[0] a: required_if: says nothing when required is true"},
    {FIELDS(A ",{\"id\":3,\"name\":\"b\",\"type\":\"bool\"," LABEL
              ",\"required_if\":[{\"field\":\"a\",\"in\":[6]}]}"),
     "thing.json: fields[1] b: required_if[0]: compares with 6, which 'a' can never be"},
    {FIELDS(A ",{\"id\":3,\"name\":\"b\",\"type\":\"bool\"," LABEL
              ",\"required_if\":[{\"field\":\"c\",\"in\":[6]}]}"),
     "thing.json: fields[1] b: required_if[0]: names 'c', which is no field"},
    {FIELDS("{\"id\":2,\"name\":\"a\",\"type\":\"date\"," LABEL
            "},{\"id\":3,\"name\":\"b\",\"type\":\"bool\"," LABEL
            ",\"required_if\":[{\"field\":\"a\",\"in\":[6]}]}"),
     "thing.json: fields[1] b: required_if[0]: names 'a'; only a field of type code, bool or int can decide"},
    {FIELDS(A ",{\"id\":3,\"name\":\"b\",\"type\":\"bool\"," LABEL ",\"required_if\":[{\"field\":\"a\"}]}"),
     "thing.json: fields[1] b: required_if[0]: needs either in or not_in"},
    {"{" KIND ",\"natural_key\":[],\"fields\":[" A "]}",
     "thing.json: natural_key: is no list of 1 to 8 names"},
    {"{" KIND ",\"natural_key\":[7],\"fields\":[" A "]}",
     "thing.json: natural_key[0]: is no text; a field's name or 'participant' is needed"},
    {"{" KIND ",\"natural_key\":[\"s\"],\"fields\":[{\"id\":2,\"name\":\"s\",\"type\":\"scopeset\"," LABEL
     "}]}",
     "thing.json: natural_key[0]: names 's', which is a set; sets are no part of a key"},
    {"{\"kind\":\"thing\",\"id\":200,\"version\":1," LABEL
     ",\"scope\":\"team\",\"participant\":\"none\",\"natural_key\":[\"participant\"],\"fields\":[" A "]}",
     "thing.json: natural_key[0]: names the participant, but records of this kind have none"},
    {"{" KIND ",\"fields\":[7]}", "thing.json: fields[0]: is no object"},
    {F2("code", ",\"codes\":[7]"), "thing.json: fields[0] a: codes[0]: is no object; {\"code\": "},
    {F2("bool", ",\"missing\":[]"), "thing.json: fields[0] a: missing: is no list of 1 to 3 codes"},
    {F2("bool", ",\"required_if\":[]"), "thing.json: fields[0] a: required_if: is no list of 1 to "},
    {F2("bool", ",\"required_if\":[7]"),
     "thing.json: fields[0] a: required_if[0]: is no object; {\"field\": "},
    {FIELDS(A ",{\"id\":3,\"name\":\"b\",\"type\":\"bool\"," LABEL
              ",\"required_if\":[{\"field\":\"a\",\"in\":[]}]}"),
     "thing.json: fields[1] b: required_if[0]: has no list of 1 to 128 values"},
};

static void wrong_kinds_are_refused_with_the_exact_place(void **state) {
  (void)state;
  said s;
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    int err = load("thing.json", CASES[i].text, &s);
    if (err != OV_E_INVALID || !strstr(s.text, CASES[i].says))
      print_error("case %zu: want '%s'\n got '%s'\n", i, CASES[i].says, s.text);
    assert_int_equal(err, OV_E_INVALID);
    assert_non_null(strstr(s.text, CASES[i].says));
  }
}

static void every_fault_of_a_file_is_told_at_once(void **state) {
  (void)state;
  said s;
  assert_int_equal(
      load("thing.json",
           "{" KIND ",\"x\":1,\"fields\":[{\"id\":0,\"name\":\"A\",\"type\":\"int\"," LABEL "}]}", &s),
      OV_E_INVALID);
  assert_int_equal(s.n, 4); /* key x, id 0, name A, no range */
}

static void broken_text_never_crashes(void **state) {
  (void)state;
  static const char text[] = FIELDS(A ",{\"id\":3,\"name\":\"b\",\"type\":\"code\"," LABEL
                                      "," CODES(CODE(1, "p")) ",\"missing\":[-99]}");
  char copy[sizeof text];
  uint32_t r = 1;
  for (unsigned i = 0; i < 20000; i++) {
    sv_schema_json_set *set = NULL;
    memcpy(copy, text, sizeof text);
    for (unsigned k = 0; k < 1 + i % 3; k++) {
      r = r * 1664525u + 1013904223u;
      copy[(r >> 8) % (sizeof text - 1)] = (char)("{}[],:\"0-9aZ\0\xff"[(r >> 3) % 14]);
    }
    size_t n = i % 5 ? sizeof text - 1 : (r >> 16) % sizeof text;
    int err = sv_schema_json_load_text("thing.json", copy, n, NULL, NULL, NULL, &set);
    assert_int_equal(err == 0, set != NULL);
    sv_schema_json_free(set);
  }
}

static void put_file(const char *dir, const char *name, const char *text) {
  char path[300];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void two_files_with_one_id_are_refused(void **state) {
  (void)state;
  char dir[] = "/tmp/ov-schema-XXXXXX", path[300];
  said s = {0};
  sv_schema_json_set *set = NULL;
  assert_non_null(mkdtemp(dir));
  put_file(dir, "thing.json", FIELDS(A));
  put_file(dir, "other.json",
           "{\"kind\":\"other\",\"id\":200,\"version\":1," LABEL
           ",\"scope\":\"team\",\"participant\":\"none\",\"fields\":[" A "]}");
  put_file(dir, "notes.txt", "not a schema");
  assert_int_equal(sv_schema_json_load_dir(dir, hear, &s, &set), OV_E_INVALID);
  assert_int_equal(s.n, 1);
  assert_non_null(strstr(s.text, ".json: id: is 200, which "));
  put_file(dir, "other.json", "{");
  memset(&s, 0, sizeof s);
  assert_int_equal(sv_schema_json_load_dir(dir, hear, &s, &set), OV_E_INVALID);
  assert_non_null(strstr(s.text, "other.json: : line 1"));
  static const char *const made[] = {"thing.json", "other.json", "notes.txt"};
  for (size_t i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/%s", dir, made[i]);
    unlink(path);
  }
  rmdir(dir);
  assert_int_equal(sv_schema_json_load_dir(dir, hear, &s, &set), OV_E_NOTFOUND);
  assert_null(set);
}

/* A folder is refused with the file that is at fault, whatever the fault is. */
static void files_that_cannot_be_taken(void **state) {
  (void)state;
  char dir[] = "/tmp/ov-schema-XXXXXX", path[300];
  said s = {0};
  sv_schema_json_set *set = NULL;
  assert_non_null(mkdtemp(dir));
  put_file(dir, "thing.json", FIELDS(A));
  snprintf(path, sizeof path, "%s/other.json", dir);
  assert_int_equal(symlink("nowhere", path), 0);
  assert_int_equal(sv_schema_json_load_dir(dir, hear, &s, &set), OV_E_IO);
  assert_non_null(strstr(s.text, "other.json: : cannot be opened"));
  unlink(path);
  memset(&s, 0, sizeof s);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_int_equal(sv_schema_json_load_dir(dir, hear, &s, &set), OV_E_IO);
  assert_non_null(strstr(s.text, "other.json: : cannot be read"));
  rmdir(path);
  memset(&s, 0, sizeof s);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_int_equal(ftruncate(fileno(f), 5 << 20), 0);
  fclose(f);
  assert_int_not_equal(sv_schema_json_load_dir(dir, hear, &s, &set), 0);
  assert_non_null(strstr(s.text, "other.json: : is larger than "));
  unlink(path);
  snprintf(path, sizeof path, "%s/thing.json", dir);
  unlink(path);
  rmdir(dir);
  assert_null(set);
}

static void more_kinds_than_there_may_be(void **state) {
  (void)state;
  char dir[] = "/tmp/ov-schema-XXXXXX", path[300], name[40];
  said s = {0};
  sv_schema_json_set *set = NULL;
  assert_non_null(mkdtemp(dir));
  for (unsigned i = 0; i < OV_SCHEMA_KINDS_MAX; i++) {
    snprintf(name, sizeof name, "kind_%u.json", i);
    put_file(dir, name, "{}");
  }
  assert_int_equal(sv_schema_json_load_dir(dir, hear, &s, &set), OV_E_LIMIT);
  assert_non_null(strstr(s.text, "are allowed"));
  assert_null(set);
  for (unsigned i = 0; i < OV_SCHEMA_KINDS_MAX; i++) {
    snprintf(path, sizeof path, "%s/kind_%u.json", dir, i);
    unlink(path);
  }
  rmdir(dir);
}

/* Labels that are each short enough, and together more than a tablet takes. */
static void a_kind_that_is_too_much_for_tablets(void **state) {
  (void)state;
  static char text[60000];
  char label[151];
  said s;
  memset(label, 'x', sizeof label - 1);
  label[sizeof label - 1] = 0;
  size_t n = (size_t)snprintf(text, sizeof text,
                              "{" KIND ",\"fields\":[{\"id\":2,\"name\":\"a\",\"type\":\"code\"," LABEL
                              ",\"codes\":[");
  for (unsigned k = 1; k <= 100; k++)
    n += (size_t)snprintf(text + n, sizeof text - n, "%s{\"code\":%u,\"nl\":\"%s%u\",\"en\":\"%s%u\"}",
                          k > 1 ? "," : "", k, label, k, label, k);
  snprintf(text + n, sizeof text - n, "]}]}");
  assert_int_equal(load("thing.json", text, &s), OV_E_INVALID);
  assert_non_null(strstr(s.text, "bytes for the tablets; 10240 are allowed: shorten labels or help texts"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(correct_kind_is_packed),
      cmocka_unit_test(wrong_kinds_are_refused_with_the_exact_place),
      cmocka_unit_test(every_fault_of_a_file_is_told_at_once),
      cmocka_unit_test(broken_text_never_crashes),
      cmocka_unit_test(two_files_with_one_id_are_refused),
      cmocka_unit_test(files_that_cannot_be_taken),
      cmocka_unit_test(more_kinds_than_there_may_be),
      cmocka_unit_test(a_kind_that_is_too_much_for_tablets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
