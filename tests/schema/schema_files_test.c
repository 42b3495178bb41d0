/* The delivered schemas: every file is correct, ids are those that were ever given, and the facts that other
 * parts lean on hold. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "ov/schema.h"
#include "sv_schema_json.h"
#include <cmocka.h>

#define DIR OV_SOURCE_DIR "/proto/schema"
#define GIVEN OV_SOURCE_DIR "/tests/schema/given_ids.txt"

static void hear(void *ctx, const char *file, const char *where, const char *text) {
  (void)ctx;
  print_error("%s: %s: %s\n", file, where, text);
}

static int load(void **state) {
  return sv_schema_json_load_dir(DIR, hear, NULL, (sv_schema_json_set **)state);
}

static int unload(void **state) {
  sv_schema_json_free(*state);
  return 0;
}

static json_t *read_kind(const char *kind) {
  char path[600];
  json_error_t e;
  snprintf(path, sizeof path, "%s/%s.json", DIR, kind);
  return json_load_file(path, 0, &e);
}

static void kinds_have_their_fixed_ids(void **state) {
  static const struct {
    const char *name;
    unsigned id;
  } want[] = {{"organisation", 2},    {"team", 3},
              {"person", 4},          {"device", 5},
              {"participant", 6},     {"consent", 7},
              {"project", 8},         {"technology", 9},
              {"care_question", 10},  {"theme_network", 11},
              {"practice_story", 12}, {"lesson", 13},
              {"barrier", 14},        {"ruling", 15},
              {"erasure", 16},        {"purge", 17},
              {"look", 18},           {"expert_card", 19},
              {"sleep", 20},          {"sleep_check", 21},
              {"day_structure", 22},  {"social_contact", 23},
              {"tech_use", 24},       {"goal", 25},
              {"remote_care", 26}};
  assert_int_equal(sv_schema_json_count(*state), sizeof want / sizeof *want);
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    const sv_schema_json_kind *k = sv_schema_json_at(*state, i);
    assert_string_equal(k->name, want[i].name);
    assert_int_equal(k->id, want[i].id);
    assert_true(k->n <= OV_SCHEMA_BYTES_MAX);
  }
}

/* given_ids.txt is only ever added to: it remembers which id meant what, so that none is used again for
 * something else. */
static void field_ids_still_mean_what_they_meant(void **state) {
  (void)state;
  char line[200], kind[64], name[64], type[32];
  unsigned id, lines = 0;
  FILE *f = fopen(GIVEN, "r");
  assert_non_null(f);
  while (fgets(line, sizeof line, f)) {
    assert_int_equal(sscanf(line, "%63s %u %63s %31s", kind, &id, name, type), 4);
    json_t *root = read_kind(kind), *v;
    size_t i;
    assert_non_null(root);
    json_array_foreach(json_object_get(root, "fields"), i, v) {
      if (json_integer_value(json_object_get(v, "id")) != id) continue;
      assert_string_equal(json_string_value(json_object_get(v, "name")), name);
      assert_string_equal(json_string_value(json_object_get(v, "type")), type);
    }
    json_decref(root);
    lines++;
  }
  fclose(f);
  assert_true(lines > 100);
}

static void every_field_is_in_the_list_of_given_ids(void **state) {
  static char text[20000];
  char want[200];
  FILE *f = fopen(GIVEN, "r");
  assert_non_null(f);
  text[0] = '\n';
  text[1 + fread(text + 1, 1, sizeof text - 2, f)] = '\0';
  fclose(f);
  for (size_t k = 0; k < sv_schema_json_count(*state); k++) {
    json_t *root = read_kind(sv_schema_json_at(*state, k)->name), *v;
    size_t i;
    json_array_foreach(json_object_get(root, "fields"), i, v) {
      snprintf(want, sizeof want, "\n%s %d %s %s\n", sv_schema_json_at(*state, k)->name,
               (int)json_integer_value(json_object_get(v, "id")),
               json_string_value(json_object_get(v, "name")), json_string_value(json_object_get(v, "type")));
      if (!strstr(text, want)) print_error("add to given_ids.txt: %s", want + 1);
      assert_non_null(strstr(text, want));
    }
    json_decref(root);
  }
}

static void notes_and_goal_texts_are_never_exported(void **state) {
  for (size_t k = 0; k < sv_schema_json_count(*state); k++) {
    json_t *root = read_kind(sv_schema_json_at(*state, k)->name), *v;
    size_t i;
    json_array_foreach(json_object_get(root, "fields"), i, v) {
      const char *name = json_string_value(json_object_get(v, "name")),
                 *type = json_string_value(json_object_get(v, "type"));
      if (!strcmp(type, "text") || !strcmp(type, "bytes") || !strcmp(name, "note") ||
          !strcmp(name, "goal_text") || !strcmp(name, "display_label"))
        assert_false(json_is_true(json_object_get(v, "exported")));
    }
    json_decref(root);
  }
}

/* PROTO-150, PROTO-151 */
static void proto_reads_what_the_server_packs(void **state) {
  char why[OV_ERROR_TEXT_MAX] = "";
  ov_schemas *s = ov_schemas_new();
  assert_non_null(s);
  for (size_t i = 0; i < sv_schema_json_count(*state); i++) {
    const sv_schema_json_kind *k = sv_schema_json_at(*state, i);
    int err = ov_schemas_add(s, k->bytes, k->n, why);
    if (err) print_error("%s: %s\n", k->name, why);
    assert_int_equal(err, 0);
  }
  const ov_skind *sleep = ov_schemas_by_name(s, "sleep");
  assert_non_null(sleep);
  assert_int_equal(sleep->scope, 2);
  assert_int_equal(sleep->participant, OV_P_REQUIRED);
  assert_true(sleep->windowed);
  assert_int_equal(sleep->n_natural_key, 3);
  assert_int_equal(sleep->natural_key[0], 0);
  assert_int_equal(sleep->occurred, ov_skind_by_name(sleep, "night_date")->id);
  assert_string_equal(ov_skind_by_name(sleep, "quality")->nl, "Hoe was de nacht?");
  ov_schemas_free(s);
}

/* A value of a field and the verdict on it, for each rule that the delivered schemas lean on. */
static void values_are_judged_by_the_delivered_schemas(void **state) {
  static const struct {
    const char *kind, *field;
    int64_t value;
    int held;
  } cases[] = {{"sleep", "sol_min", 0, 0},
               {"sleep", "sol_min", 600, 0},
               {"sleep", "sol_min", 601, OV_HELD_RANGE},
               {"sleep", "sol_min", -1, OV_HELD_RANGE},
               {"sleep", "sol_min", -99, 0},
               {"sleep", "bed_at", -98, 0},
               {"sleep", "bed_at", -99, 0},
               {"sleep", "bed_at", -97, OV_HELD_RANGE},
               {"sleep", "bed_at", 1772400000, 0},
               {"sleep", "night_date", -99, OV_HELD_RANGE},
               {"sleep", "night_date", 20513, 0},
               {"sleep", "source", 6, 0},
               {"sleep", "source", 7, OV_HELD_CODE},
               {"sleep", "quality", 6, OV_HELD_CODE},
               {"social_contact", "valence", -2, 0},
               {"social_contact", "valence", -3, OV_HELD_CODE},
               {"social_contact", "valence", -99, 0},
               {"social_contact", "initiator", -99, 0},
               {"social_contact", "initiator", -98, OV_HELD_CODE},
               {"goal", "score", -3, 0},
               {"goal", "score", 2, 0},
               {"goal", "score", 3, OV_HELD_CODE},
               {"goal", "score", -99, 0},
               {"goal", "weight", 4, OV_HELD_RANGE},
               {"day_structure", "planned", 2, OV_HELD_RANGE},
               {"day_structure", "planned", 1, 0},
               {"team", "scope", 1, OV_HELD_RANGE},
               {"remote_care", "duration_min", 240, 0},
               {"remote_care", "duration_min", 241, OV_HELD_RANGE}};
  ov_schemas *s = ov_schemas_new();
  for (size_t i = 0; i < sv_schema_json_count(*state); i++)
    assert_int_equal(
        ov_schemas_add(s, sv_schema_json_at(*state, i)->bytes, sv_schema_json_at(*state, i)->n, NULL), 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const ov_skind *k = ov_schemas_by_name(s, cases[i].kind);
    const ov_sfield *f = ov_skind_by_name(k, cases[i].field);
    ov_value v = ov_int(cases[i].value);
    int held = ov_schema_check_value(k, f, &v, NULL);
    /* Which of two codes names a number outside a list or range is the schema check's own affair; that it is
     * held is ours. */
    if ((held != 0) != (cases[i].held != 0))
      print_error("%s.%s = %d gives %d\n", cases[i].kind, cases[i].field, (int)cases[i].value, held);
    assert_int_equal(held != 0, cases[i].held != 0);
  }
  ov_schemas_free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kinds_have_their_fixed_ids),
      cmocka_unit_test(field_ids_still_mean_what_they_meant),
      cmocka_unit_test(every_field_is_in_the_list_of_given_ids),
      cmocka_unit_test(notes_and_goal_texts_are_never_exported),
      cmocka_unit_test(proto_reads_what_the_server_packs),
      cmocka_unit_test(values_are_judged_by_the_delivered_schemas),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
