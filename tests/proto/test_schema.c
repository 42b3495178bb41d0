/* Schemas: what the loader takes and refuses (with its exact words), how values are judged, and what a record
 * lacks. */
#include "schema_kinds.h"

/* -- loading --------------------------------------------------------------------------------------------- */

/* PROTO-150, PROTO-151 */
static void a_kind_loads_whole(void **state) {
  (void)state;
  ov_schemas *s;
  const ov_skind *k = load(&s);
  assert_non_null(k);
  assert_ptr_equal(ov_schemas_by_name(s, "sleep"), k);
  assert_ptr_equal(ov_schemas_at(s, 1), k);
  assert_null(ov_schemas_at(s, 2));
  assert_null(ov_schemas_kind(s, 21));
  assert_null(ov_schemas_kind(s, 19));
  assert_null(ov_schemas_by_name(s, "slaap"));
  assert_true(k->windowed && k->occurred == F_NIGHT && k->scope == 2 && k->participant == OV_P_REQUIRED);
  assert_int_equal(k->n_natural_key, 3);
  const ov_sfield *f = ov_skind_by_name(k, "nap_min");
  assert_ptr_equal(f, ov_skind_field(k, F_NAP));
  assert_true(f->has_lo && f->has_hi && f->lo == 0 && f->hi == 720 && f->exported && !f->required);
  assert_string_equal(f->unit, "min");
  assert_int_equal(f->n_missing, 2);
  assert_int_equal(f->reqif[0].codes[1], -99);
  f = ov_skind_field(k, F_SOURCE);
  assert_string_equal(f->codes[1].en, "bed sensor");
  assert_string_equal(ov_skind_field(k, F_NOTE)->help_nl, "Blijft hier");
  assert_int_equal(ov_skind_field(k, F_PROJECT)->ref, 9);
  assert_null(ov_skind_field(k, 99));
  assert_null(ov_skind_by_name(k, "nap"));
  assert_string_equal(ov_skind_field(k, OV_FIELD_RETRACTED)->nl, "Fout ingevoerd");
  assert_ptr_equal(ov_skind_by_name(k, "retracted"), ov_skind_field(k, OV_FIELD_RETRACTED));
  ov_schemas_free(s);
  ov_schemas_free(NULL);
}

static void the_kind_of_schemas_is_built_in(void **state) {
  (void)state;
  ov_schemas *s = ov_schemas_new();
  const ov_skind *k = ov_schemas_at(s, 0);
  assert_int_equal(k->id, OV_KIND_SCHEMA);
  assert_string_equal(ov_skind_field(k, OV_SCHEMA_FIELD_BODY)->name, "body");
  ov_schemas_free(s);
}

typedef struct refusal {
  const char *find, *put;
  int err;
  const char *why;
} refusal;

static const refusal refusals[] = {
    /* wrong types, from front to back */
    {BASE, "T", OV_E_FORMAT, "a kind must be a list of 11 parts"},
    {"[20,'sleep',1", "['20','sleep',1", OV_E_FORMAT, "a kind's id must be a whole number"},
    {"[20,'sleep',1", "[1,'sleep',1", OV_E_FORMAT, "a kind's id is 1; allowed are 2 to 4095"},
    {"[20,'sleep',1", "[20,5,1", OV_E_FORMAT, "kind 20: name must be a text"},
    {"[20,'sleep',1", "[20,'Sleep',1", OV_E_FORMAT,
     "kind 20: name may hold a-z, 0-9 and _, and starts with a letter"},
    {"[20,'sleep',1", "[20,'{sleep',1", OV_E_FORMAT,
     "kind 20: name may hold a-z, 0-9 and _, and starts with a letter"},
    {"[20,'sleep',1", "[20,'sle ep',1", OV_E_FORMAT,
     "kind 20: name may hold a-z, 0-9 and _, and starts with a letter"},
    {"[20,'sleep',1", "[20,'',1", OV_E_FORMAT, "kind 20: name has 0 bytes; allowed are 1 to 32"},
    {"[20,'sleep',1", "[20,'a234567890123456789012345678901234',1", OV_E_FORMAT,
     "kind 20: name has 34 bytes; allowed are 1 to 32"},
    {"[20,'sleep',1", "[20,'sleep',0", OV_E_FORMAT, "kind 20 sleep: version is 0; allowed are 1 to 65535"},
    {"1,2,2,T,10", "1,3,2,T,10", OV_E_FORMAT, "kind 20 sleep: scope is 3; allowed are 0 to 2"},
    {"1,2,2,T,10", "1,2,4,T,10", OV_E_FORMAT, "kind 20 sleep: participant is 4; allowed are 0 to 3"},
    {"1,2,2,T,10", "1,2,2,1,10", OV_E_FORMAT, "kind 20 sleep: windowed must be true or false"},
    {"1,2,2,T,10", "1,2,2,T,128", OV_E_FORMAT, "kind 20 sleep: occurred is 128; allowed are 0 to 127"},
    {"[0,10,11]", "7", OV_E_FORMAT, "kind 20 sleep: natural_key must be a list"},
    {"[0,10,11]", "[2,3,4,5,6,7,8,9,10]", OV_E_LIMIT, "kind 20 sleep: natural_key has 9 entries, at most 8"},
    {"'Nachtrust'", "''", OV_E_FORMAT, "kind 20 sleep: the Dutch label has 0 bytes; allowed are 1 to 160"},
    {"'Sleep'", "'Sle\nep'", OV_E_FORMAT, "kind 20 sleep: the English label holds a control character"},
    {"'Sleep'", "'Sleep\x7f'", OV_E_FORMAT, "kind 20 sleep: the English label holds a control character"},
    {NIGHT, "5", OV_E_FORMAT, "kind 20 sleep: a field must be a list of 17 parts"},
    {"[10,'night_date'", "[1,'night_date'", OV_E_FORMAT,
     "kind 20 sleep: a field's id is 1; allowed are 2 to 127"},
    {"'night_date',4", "'night_date',11", OV_E_FORMAT,
     "kind 20 sleep, field 10 night_date: type is 11; allowed are 0 to 10"},
    {"'Night of',T", "'Night of',N", OV_E_FORMAT,
     "kind 20 sleep, field 10 night_date: required must be true or false"},
    {"[[11,F,[1,-99]]]", "[5]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: a condition of required_if must be a list of 3 parts"},
    {"[[11,F,[1,-99]]]", "[[1,F,[1]]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if's field is 1; allowed are 2 to 127"},
    {"[[11,F,[1,-99]]]", "[[11,0,[1]]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if's negate must be true or false"},
    {"[[11,F,[1,-99]]]", "[[11,F,1]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if's codes must be a list"},
    {"[[11,F,[1,-99]]]", "[[11,F,[2147483648]]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if's codes is 2147483648; allowed are -2147483648 to "
     "2147483647"},
    {"0,720,0,'min'", "'0',720,0,'min'", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: the lowest value must be a whole number"},
    {"0,720,0,'min'", "0,T,0,'min'", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: the highest value must be a whole number"},
    {"N,N,20,N", "N,N,10241,N", OV_E_FORMAT,
     "kind 20 sleep, field 12 note: max_length is 10241; allowed are 0 to 10240"},
    {"0,720,0,'min'", "0,720,0,5", OV_E_FORMAT, "kind 20 sleep, field 13 nap_min: unit must be a text"},
    {"T,9,[]", "5,9,[]", OV_E_FORMAT, "kind 20 sleep, field 15 project: exported must be true or false"},
    {"T,9,[]", "T,4096,[]", OV_E_FORMAT,
     "kind 20 sleep, field 15 project: ref is 4096; allowed are 0 to 4095"},
    {"[1,'observatie','observation']", "1", OV_E_FORMAT,
     "kind 20 sleep, field 11 source: a code must be a list of 3 parts"},
    {"[1,'observatie','observation']", "['1','observatie','observation']", OV_E_FORMAT,
     "kind 20 sleep, field 11 source: a code must be a whole number"},
    {"[1,'observatie','observation']", "[1,N,'observation']", OV_E_FORMAT,
     "kind 20 sleep, field 11 source: a code's Dutch label must be a text"},
    {"[1,'observatie','observation']", "[1,'observatie','']", OV_E_FORMAT,
     "kind 20 sleep, field 11 source: a code's English label has 0 bytes; allowed are 1 to 160"},
    {"[-98,-99]", "-98", OV_E_FORMAT, "kind 20 sleep, field 13 nap_min: missing must be a list"},
    {"'Stays here'", "T", OV_E_FORMAT, "kind 20 sleep, field 12 note: the English help must be a text"},
    {"'Blijft hier'", "''", OV_E_FORMAT,
     "kind 20 sleep, field 12 note: the Dutch help has 0 bytes; allowed are 1 to 160"},
    /* what must hold between the parts */
    {"[11,'source'", "[9,'source'", OV_E_FORMAT, "kind 20 sleep, field 9 source: field ids must ascend"},
    {"'source'", "'night_date'", OV_E_FORMAT,
     "kind 20 sleep, field 11 night_date: field 10 has the same name"},
    {"'source'", "'retracted'", OV_E_FORMAT,
     "kind 20 sleep, field 11 retracted: this name belongs to field 1 of every kind"},
    {"[[1,'observatie','observation'],[2,'bedsensor','bed sensor']],[-99]", "[],[-99]", OV_E_FORMAT,
     "kind 20 sleep, field 11 source: codes are lacking"},
    {"N,N,20,N,F,0,[]", "0,N,20,N,F,0,[]", OV_E_FORMAT,
     "kind 20 sleep, field 12 note: its type has no use for range"},
    {"N,N,20,N,F,0,[]", "N,9,20,N,F,0,[]", OV_E_FORMAT,
     "kind 20 sleep, field 12 note: its type has no use for range"},
    {"N,N,20,N,F,0,[]", "N,N,20,N,F,0,[[1,'a','b']]", OV_E_FORMAT,
     "kind 20 sleep, field 12 note: its type has no use for codes"},
    {"N,N,20,N,F,0,[]", "N,N,20,N,F,6,[]", OV_E_FORMAT,
     "kind 20 sleep, field 12 note: its type has no use for ref"},
    {"0,720,0,'min'", "0,720,9,'min'", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: its type has no use for max_length"},
    {"T,9,[],[]", "T,9,[],[-99]", OV_E_FORMAT,
     "kind 20 sleep, field 15 project: its type has no use for missing"},
    {"N,N,20,N,F,0,[]", "N,N,20,N,T,0,[]", OV_E_FORMAT,
     "kind 20 sleep, field 12 note: a field of its type is never exported"},
    {"N,N,0,N,F,4,[]", "N,N,0,N,T,4,[]", OV_E_FORMAT,
     "kind 20 sleep, field 18 people: a field of its type is never exported"},
    {"'Teams','Teams',F,[],N,N,0,N,F", "'Teams','Teams',F,[],N,N,0,N,T", OV_E_FORMAT,
     "kind 20 sleep, field 19 teams: a field of its type is never exported"},
    {"0,720,0,'min'", "721,720,0,'min'", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: the lowest value 721 is above the highest 720"},
    {"[2,'bedsensor','bed sensor']", "[1,'bedsensor','bed sensor']", OV_E_FORMAT,
     "kind 20 sleep, field 11 source: code 1 stands twice"},
    {"[-98,-99]", "[-98,720]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: missing code 720 is a value too"},
    {"[-98,-99]", "[-98,-98]", OV_E_FORMAT, "kind 20 sleep, field 13 nap_min: missing code -98 stands twice"},
    {"'bed sensor']],[-99]", "'bed sensor']],[2]", OV_E_FORMAT,
     "kind 20 sleep, field 11 source: missing code 2 is a value too"},
    {"N,N,0,N,T,0,[],[-99]", "N,N,0,N,T,0,[],[1]", OV_E_FORMAT,
     "kind 20 sleep, field 16 alarm: missing code 1 is a value too"},
    {"N,N,0,N,T,0,[],[-99]", "N,N,0,N,T,0,[],[0]", OV_E_FORMAT,
     "kind 20 sleep, field 16 alarm: missing code 0 is a value too"},
    {"[[11,F,[1,-99]]]", "[[99,F,[1]]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if names field 99, which does not exist"},
    {"[[11,F,[1,-99]]]", "[[13,F,[1]]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if names the field itself"},
    {"[[11,F,[1,-99]]]", "[[11,F,[]]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if on field 11 names no codes"},
    {"[[11,F,[1,-99]]]", "[[12,F,[1]]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if on field 12, whose type has no codes"},
    {"[[11,F,[1,-99]]]", "[[11,F,[1,3]]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if: field 11 has no code 3"},
    {"[[11,F,[1,-99]]]", "[[16,F,[0,1,-99,2]]]", OV_E_FORMAT,
     "kind 20 sleep, field 13 nap_min: required_if: field 16 has no code 2"},
    {"T,10,[0", "T,99,[0", OV_E_FORMAT, "kind 20 sleep: occurred names field 99, which does not exist"},
    {"T,10,[0", "T,11,[0", OV_E_FORMAT,
     "kind 20 sleep: occurred names field 11, which is no date or datetime"},
    {"[0,10,11]", "[10,10]", OV_E_FORMAT, "kind 20 sleep: natural_key names 10 twice"},
    {"[0,10,11]", "[99]", OV_E_FORMAT, "kind 20 sleep: natural_key names field 99, which does not exist"},
    {"[0,10,11]", "[14]", OV_E_FORMAT, "kind 20 sleep: natural_key names field 14, which is a set"},
    {"[0,10,11]", "[18]", OV_E_FORMAT, "kind 20 sleep: natural_key names field 18, which is a set"},
    {"[0,10,11]", "[19]", OV_E_FORMAT, "kind 20 sleep: natural_key names field 19, which is a set"},
    {"1,2,2,T,10", "1,2,0,T,10", OV_E_FORMAT,
     "kind 20 sleep: natural_key names the participant, but its records name none"},
    {"1,2,2,T,10", "1,2,3,T,10", OV_E_FORMAT,
     "kind 20 sleep: natural_key names the participant, but its records name none"},
};

static void the_loader_says_what_is_wrong_and_where(void **state) {
  (void)state;
  ov_schemas *s = ov_schemas_new();
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    const refusal *r = &refusals[i];
    char why[OV_ERROR_TEXT_MAX] = "", *text = changed(r->find, r->put);
    int err = add_text(s, text, why);
    if (err != r->err || strcmp(why, r->why) != 0) fail_msg("%s -> %s: %d %s", r->find, r->put, err, why);
    assert_int_equal(add_text(s, text, NULL), r->err);
    free(text);
  }
  assert_null(ov_schemas_at(s, 1));
  ov_schemas_free(s);
}

static void what_may_vary_loads(void **state) {
  (void)state;
  static const char *const fine[][2] = {
      {"1,2,2,T,10", "1,2,1,T,10"}, {"1,2,2,T,10", "1,2,2,F,0"},  {"1,2,2,T,10", "1,2,2,T,17"},
      {"[0,10,11]", "[]"},          {"0,720,0,'min'", "N,N,0,N"}, {"0,720,0,'min'", "N,720,0,N"},
      {"N,N,20,N", "N,N,0,N"},      {"[-98,-99]", "[721]"},
  };
  for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
    char why[OV_ERROR_TEXT_MAX], *text = changed(fine[i][0], fine[i][1]);
    ov_schemas *s = ov_schemas_new();
    if (add_text(s, text, why) != 0) fail_msg("%s -> %s: %s", fine[i][0], fine[i][1], why);
    ov_schemas_free(s);
    free(text);
  }
}

/* PROTO-150 */
static void bytes_that_are_no_kind_are_refused(void **state) {
  (void)state;
  char why[OV_ERROR_TEXT_MAX];
  ov_schemas *s = ov_schemas_new();
  uint8_t *big = calloc(1, OV_SCHEMA_BYTES_MAX + 1);
  assert_int_equal(ov_schemas_add(s, big, OV_SCHEMA_BYTES_MAX + 1, why), OV_E_LIMIT);
  assert_string_equal(why, "a kind of 10241 bytes, at most 10240");
  assert_int_equal(ov_schemas_add(s, big, 2, why), OV_E_FORMAT);
  assert_string_equal(why, "not one MessagePack object");
  free(big);
  ov_schemas_free(s);
}

/* Every byte changed in turn: refused with words, or a kind that can be used. Never a crash (run it under a
 * sanitizer). */
static void the_loader_survives_every_changed_byte(void **state) {
  (void)state;
  ov_buf b;
  ov_buf_init(&b, 0);
  pack(BASE, &b);
  for (size_t i = 0; i < b.n; i++)
    for (unsigned bit = 0; bit < 8; bit++) {
      char why[OV_ERROR_TEXT_MAX];
      ov_schemas *s = ov_schemas_new();
      b.p[i] ^= (uint8_t)(1u << bit);
      int err = ov_schemas_add(s, b.p, b.n, why);
      assert_true(err ? strlen(why) > 5 : ov_schemas_at(s, 1) != NULL);
      b.p[i] ^= (uint8_t)(1u << bit);
      ov_schemas_free(s);
    }
  for (size_t n = 0; n < b.n; n++) {
    ov_schemas *s = ov_schemas_new();
    assert_int_equal(ov_schemas_add(s, b.p, n, NULL), OV_E_FORMAT);
    ov_schemas_free(s);
  }
  ov_buf_free(&b);
}

static void a_higher_version_replaces(void **state) {
  (void)state;
  char why[OV_ERROR_TEXT_MAX], *text;
  ov_schemas *s;
  const ov_skind *first = load(&s);
  assert_int_equal(add_text(s, BASE, why), 0); /* the same version again: ignored */
  assert_ptr_equal(ov_schemas_kind(s, 20), first);
  text = changed("'sleep',1", "'sleep',3");
  assert_int_equal(add_text(s, text, why), 0);
  free(text);
  const ov_skind *third = ov_schemas_kind(s, 20);
  assert_int_equal(third->version, 3);
  assert_int_equal(first->version, 1); /* still there for those who point to it */
  assert_string_equal(first->name, "sleep");
  text = changed("'sleep',1", "'sleep',2");
  assert_int_equal(add_text(s, text, why), 0);
  free(text);
  assert_ptr_equal(ov_schemas_kind(s, 20), third);
  assert_null(ov_schemas_at(s, 2));
  ov_schemas_free(s);
}

static void names_and_ids_stay(void **state) {
  (void)state;
  char why[OV_ERROR_TEXT_MAX];
  ov_schemas *s;
  load(&s);
  assert_int_equal(add_text(s, "[21,'sleep',1,2,2,F,0,[],'a','b',[]]", why), OV_E_FORMAT);
  assert_string_equal(why, "kind 21 sleep: name is taken by kind 20");
  assert_int_equal(add_text(s, "[21,'schema',1,2,2,F,0,[],'a','b',[]]", why), OV_E_FORMAT);
  assert_string_equal(why, "kind 21 schema: name is taken by kind 1");
  assert_int_equal(add_text(s, "[20,'slaap',2,2,2,F,0,[],'a','b',[]]", why), OV_E_FORMAT);
  assert_string_equal(why, "kind 20 slaap: version 1 is called sleep; a name never changes");
  assert_int_equal(add_text(s, "[20,'sleep',2,2,2,F,0,[],'a','b',[]]", why), 0); /* fields may go ... */
  assert_int_equal(
      add_text(s, "[20,'sleep',3,2,2,F,0,[],'a','b',[[10,'night',4,'a','b',F,[],N,N,0,N,F,0,[],[],N,N]]]",
               why),
      OV_E_FORMAT); /* ... but never come back as another */
  assert_string_equal(
      why, "kind 20 sleep, field 10 night: version 1 has night_date there; a field id is never reused");
  assert_int_equal(
      add_text(s,
               "[20,'sleep',3,2,2,F,0,[],'a','b',[[10,'night_date',5,'a','b',F,[],N,N,0,N,F,0,[],[],N,N],"
               "[12,'note',6,'a','b',F,[],N,N,0,N,F,0,[],[],N,N]]]",
               why),
      OV_E_FORMAT);
  assert_int_equal(add_text(s, "[19,'nap',1,2,2,F,0,[],'a','b',[]]", why), 0);
  assert_string_equal(ov_schemas_at(s, 1)->name, "nap"); /* ascending ids */
  assert_string_equal(ov_schemas_at(s, 2)->name, "sleep");
  ov_schemas_free(s);
}

static void kinds_and_loads_are_bounded(void **state) {
  (void)state;
  char why[OV_ERROR_TEXT_MAX] = "", text[120];
  ov_schemas *s = ov_schemas_new();
  for (unsigned i = 2; i <= OV_SCHEMA_KINDS_MAX; i++) {
    snprintf(text, sizeof text, "[%u,'kind%u',1,2,2,F,0,[],'a','b',[]]", i, i);
    assert_int_equal(add_text(s, text, why), 0);
  }
  assert_int_equal(add_text(s, "[999,'more',1,2,2,F,0,[],'a','b',[]]", why), OV_E_LIMIT);
  assert_string_equal(why, "kind 999 more: there are 256 kinds already, the most");
  unsigned version = 1, loads = OV_SCHEMA_KINDS_MAX - 1;
  for (; loads < OV_SCHEMA_LOADS_MAX; loads++) {
    snprintf(text, sizeof text, "[2,'kind2',%u,2,2,F,0,[],'a','b',[]]", ++version);
    assert_int_equal(add_text(s, text, why), 0);
  }
  snprintf(text, sizeof text, "[2,'kind2',%u,2,2,F,0,[],'a','b',[]]", ++version);
  assert_int_equal(add_text(s, text, why), OV_E_LIMIT);
  assert_string_equal(why, "kind 2 kind2: 4096 kinds and versions have been loaded, the most");
  ov_schemas_free(s);
}

/* A kind of some kilobytes of labels, so that texts meet the end of memory too. */
static char *long_labels(void) {
  char codes[6000] = "[1,'observatie','observation']", *end = codes + strlen(codes);
  for (int i = 3; i < 40; i++) end += sprintf(end, ",[%d,'%0*d','%0*d']", i, 60, i, 60, i);
  return changed("[1,'observatie','observation']", codes);
}

static void memory_runs_out_while_loading(void **state) {
  (void)state;
  char *text = long_labels();
  ov_buf b;
  ov_buf_init(&b, 0);
  pack(text, &b);
  free(text);
  FOR_EACH_FAULT(k) {
    char why[OV_ERROR_TEXT_MAX] = "";
    ov_schemas *s = ov_schemas_new();
    int err = s ? ov_schemas_add(s, b.p, b.n, why) : OV_E_NOMEM;
    bool hit = fault_hit();
    assert_int_equal(err, hit ? OV_E_NOMEM : 0);
    if (hit && s) assert_null(ov_schemas_at(s, 1));
    ov_schemas_free(s);
  }
  ov_buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_kind_loads_whole),
      cmocka_unit_test(the_kind_of_schemas_is_built_in),
      cmocka_unit_test(the_loader_says_what_is_wrong_and_where),
      cmocka_unit_test(what_may_vary_loads),
      cmocka_unit_test(bytes_that_are_no_kind_are_refused),
      cmocka_unit_test(the_loader_survives_every_changed_byte),
      cmocka_unit_test(a_higher_version_replaces),
      cmocka_unit_test(names_and_ids_stay),
      cmocka_unit_test(kinds_and_loads_are_bounded),
      cmocka_unit_test(memory_runs_out_while_loading),
  };
  return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
