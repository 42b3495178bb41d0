/* PROTO-156: what required means */
/* PROTO-155: the order of judging */
/* Judging values, ops and records by their schema. */
#include "schema_kinds.h"

/* -- judging values -------------------------------------------------------------------------------------- */

typedef struct judged {
  uint16_t field;
  ov_value v;
  int reason;
  const char *en, *nl;
} judged;

static void judge(const ov_skind *k, const judged *j) {
  ov_problem why;
  int reason = ov_schema_check_value(k, ov_skind_field(k, j->field), &j->v, &why);
  assert_int_equal(reason, j->reason);
  assert_int_equal(why.reason, reason);
  assert_int_equal(why.field, reason ? j->field : 0);
  assert_string_equal(why.text_en, j->en ? j->en : "");
  assert_string_equal(why.text_nl, j->nl ? j->nl : "");
  assert_int_equal(ov_schema_check_value(k, ov_skind_field(k, j->field), &j->v, NULL), j->reason);
}

static ov_value set_of(ov_value *add, uint32_t n_add, ov_value *del, uint32_t n_del) {
  return (ov_value){.type = OV_V_SET, .set = {.add = add, .del = del, .n_add = n_add, .n_del = n_del}};
}

static void values_are_judged_with_exact_texts(void **state) {
  (void)state;
  ov_schemas *s;
  const ov_skind *k = load(&s);
  const judged cases[] = {
      {F_NAP, ov_int(720), 0, NULL, NULL},
      {F_NAP, ov_int(-98), 0, NULL, NULL},
      {F_NAP, ov_nil(), 0, NULL, NULL},
      {F_NAP, ov_int(900), OV_HELD_RANGE, "Daytime sleep: 900 is above 720 min",
       "Slaap overdag: 900 ligt boven 720 min"},
      {F_NAP, ov_int(-5), OV_HELD_RANGE, "Daytime sleep: -5 is below 0 min",
       "Slaap overdag: -5 ligt onder 0 min"},
      {F_NAP, ov_text("veel"), OV_HELD_TYPE, "Daytime sleep: must be a whole number",
       "Slaap overdag: dit moet een heel getal zijn"},
      {F_AGE, ov_int(0), OV_HELD_RANGE, "Age: 0 is below 1 years", "Leeftijd: 0 ligt onder 1 jaar"},
      {F_AGE, ov_int(INT64_MAX), 0, NULL, NULL},
      {F_SOURCE, ov_int(2), 0, NULL, NULL},
      {F_SOURCE, ov_int(-99), 0, NULL, NULL},
      {F_SOURCE, ov_int(7), OV_HELD_CODE, "Source: 7 is not in the code list",
       "Bron: 7 staat niet in de lijst"},
      {F_SOURCE, ov_bytes("", 0), OV_HELD_TYPE, "Source: must be a code from the list",
       "Bron: dit moet een antwoord uit de lijst zijn"},
      {F_ALARM, ov_int(1), 0, NULL, NULL},
      {F_ALARM, ov_int(0), 0, NULL, NULL},
      {F_ALARM, ov_int(-99), 0, NULL, NULL},
      {F_ALARM, ov_int(2), OV_HELD_TYPE, "Alarm: must be yes or no (1 or 0)",
       "Alarm: dit moet ja of nee (1 of 0) zijn"},
      {F_NIGHT, ov_int(20000), 0, NULL, NULL},
      {F_NIGHT, ov_int(-98), 0, NULL, NULL},
      {F_NIGHT, ov_int(47847), OV_HELD_RANGE, "Night of: 2101-01-01 is after 2100-12-31",
       "Nacht van: 01-01-2101 ligt na 31-12-2100"},
      {F_NIGHT, ov_int(0), OV_HELD_RANGE, "Night of: 1970-01-01 is before 2000-01-01",
       "Nacht van: 01-01-1970 ligt voor 01-01-2000"},
      {F_NIGHT, ov_int(INT64_MAX), OV_HELD_RANGE, "Night of: 9223372036854775807 is after 2100-12-31",
       "Nacht van: 9223372036854775807 ligt na 31-12-2100"},
      {F_NIGHT, ov_int(INT64_MIN), OV_HELD_RANGE, "Night of: -9223372036854775808 is before 2000-01-01",
       "Nacht van: -9223372036854775808 ligt voor 01-01-2000"},
      {F_NIGHT, ov_text("x"), OV_HELD_TYPE, "Night of: must be a date", "Nacht van: dit moet een datum zijn"},
      {F_BED, ov_int(946684799), OV_HELD_RANGE,
       "Went to bed: 1999-12-31 23:59 UTC is before 2000-01-01 00:00 UTC",
       "Naar bed: 31-12-1999 23:59 UTC ligt voor 01-01-2000 00:00 UTC"},
      {F_BED, ov_text("x"), OV_HELD_TYPE, "Went to bed: must be a date and time",
       "Naar bed: dit moet een datum en tijd zijn"},
      {F_NOTE, ov_text("twintig bytes lang!!"), 0, NULL, NULL},
      {F_NOTE, ov_text("eenentwintig bytes!!!"), OV_HELD_LENGTH, "Note: 21 bytes are too long, at most 20",
       "Opmerking: dit is te lang: 21 bytes, hoogstens 20"},
      {F_NOTE, ov_int(1), OV_HELD_TYPE, "Note: must be a text", "Opmerking: dit moet een tekst zijn"},
      {F_KEY, ov_bytes("1234", 4), 0, NULL, NULL},
      {F_KEY, ov_text("1234"), OV_HELD_TYPE, "Key: must be bytes", "Sleutel: dit moet een rij bytes zijn"},
      {F_PROJECT, ov_bytes("1234567890123456\0\0\0\0\0\0\0\1abcd", 28), 0, NULL, NULL},
      {F_PROJECT, ov_bytes("1234567890123456\0\0\0\0\0\0\0\0abcd", 28), OV_HELD_REF,
       "Project: does not name a record", "Project: dit verwijst niet naar een gegeven"},
      {F_PROJECT, ov_bytes("1234567890123456\xff\0\0\0\0\0\0\0abcd", 28), OV_HELD_REF,
       "Project: does not name a record", "Project: dit verwijst niet naar een gegeven"},
      {F_PROJECT, ov_bytes("kort", 4), OV_HELD_REF, "Project: does not name a record",
       "Project: dit verwijst niet naar een gegeven"},
      {F_PROJECT, ov_int(5), OV_HELD_TYPE, "Project: must be a reference to a record",
       "Project: dit moet een verwijzing zijn"},
      {OV_FIELD_RETRACTED, ov_text("verkeerde cliënt"), 0, NULL, NULL},
      {OV_FIELD_RETRACTED, ov_nil(), 0, NULL, NULL},
      {OV_FIELD_RETRACTED, ov_int(1), OV_HELD_TYPE, "Entered in error: must be a text",
       "Fout ingevoerd: dit moet een tekst zijn"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) judge(k, &cases[i]);
  ov_schemas_free(s);
}

static void set_elements_are_judged_one_by_one(void **state) {
  (void)state;
  ov_schemas *s;
  const ov_skind *k = load(&s);
  ov_value good[] = {ov_int(1), ov_int(2)}, bad[] = {ov_int(1), ov_int(3)}, worse[] = {ov_int(3), ov_int(4)},
           odd[] = {ov_bytes("x", 1)}, big[] = {ov_int(1ll << 32)}, low[] = {ov_int(-1)},
           missing[] = {ov_int(-99)}, ref[] = {ov_bytes("1234567890123456\0\0\0\0\0\0\0\1abcd", 28)};
  const judged cases[] = {
      {F_WHY, set_of(good, 2, NULL, 0), 0, NULL, NULL},
      {F_WHY, set_of(missing, 1, good, 2), 0, NULL, NULL},
      {F_WHY, set_of(NULL, 0, bad, 2), 0, NULL, NULL}, /* a code that left the list can still be taken away */
      {F_WHY, set_of(bad, 2, NULL, 0), OV_HELD_CODE, "What disturbed it?: 3 is not in the code list",
       "Waardoor?: 3 staat niet in de lijst"},
      {F_WHY, set_of(worse, 2, worse, 2), OV_HELD_CODE, "What disturbed it?: 3 is not in the code list",
       "Waardoor?: 3 staat niet in de lijst"},
      {F_PEOPLE, set_of(NULL, 0, worse, 2), OV_HELD_TYPE, "Who: must be a set of references to records",
       "Wie: dit moet een of meer verwijzingen zijn"},
      {F_WHY, set_of(good, 2, odd, 1), OV_HELD_TYPE,
       "What disturbed it?: must be a set of codes from the list",
       "Waardoor?: dit moet een of meer antwoorden uit de lijst zijn"},
      {F_WHY, ov_nil(), OV_HELD_TYPE, "What disturbed it?: must be a set of codes from the list",
       "Waardoor?: dit moet een of meer antwoorden uit de lijst zijn"},
      {F_PEOPLE, set_of(ref, 1, ref, 1), 0, NULL, NULL},
      {F_PEOPLE, set_of(odd, 1, NULL, 0), OV_HELD_REF, "Who: does not name a record",
       "Wie: dit verwijst niet naar een gegeven"},
      {F_PEOPLE, set_of(NULL, 0, good, 1), OV_HELD_TYPE, "Who: must be a set of references to records",
       "Wie: dit moet een of meer verwijzingen zijn"},
      {F_TEAMS, set_of(good, 2, NULL, 0), 0, NULL, NULL},
      {F_TEAMS, set_of(big, 1, NULL, 0), OV_HELD_RANGE, "Teams: 4294967296 is above 4294967295",
       "Teams: 4294967296 ligt boven 4294967295"},
      {F_TEAMS, set_of(low, 1, NULL, 0), OV_HELD_RANGE, "Teams: -1 is below 0", "Teams: -1 ligt onder 0"},
      {F_TEAMS, ov_int(2), OV_HELD_TYPE, "Teams: must be a set of scope numbers",
       "Teams: dit moet een of meer teams zijn"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) judge(k, &cases[i]);
  ov_schemas_free(s);
}

static void what_has_no_bounds_takes_all(void **state) {
  (void)state;
  ov_schemas *s = ov_schemas_new();
  assert_int_equal(add_text(s,
                            "[20,'sleep',1,2,2,F,0,[],'a','b',[[10,'n',0,'N','N',F,[],N,5,0,N,F,0,[],[],N,N],"
                            "[11,'t',6,'T','T',F,[],N,N,0,N,F,0,[],[],N,N],[12,'when',5,'W','W',F,[],-"
                            "1000000000000,N,0,N,F,0,[],[],N,N]]]",
                            NULL),
                   0);
  const ov_skind *k = ov_schemas_kind(s, 20);
  const judged cases[] = {
      {10, ov_int(INT64_MIN), 0, NULL, NULL},
      {10, ov_int(6), OV_HELD_RANGE, "N: 6 is above 5", "N: 6 ligt boven 5"},
      {11, ov_text("een tekst van welke lengte dan ook"), 0, NULL, NULL},
      {12, ov_int(INT64_MAX), 0, NULL, NULL},
      {12, ov_int(INT64_MIN), OV_HELD_RANGE, "W: -9223372036854775808 is before -1000000000000",
       "W: -9223372036854775808 ligt voor -1000000000000"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) judge(k, &cases[i]);
  ov_schemas_free(s);
}

static void long_labels_are_cut_between_characters(void **state) {
  (void)state;
  ov_schemas *s = ov_schemas_new();
  char why_not[OV_ERROR_TEXT_MAX];
  ov_problem why;
  assert_int_equal(add_text(s,
                            "[20,'sleep',1,2,2,F,0,[],'a','b',[[10,'n',0,"
                            "'éééééééééééééééééééééééééééééééééééééééééééééééééééé','"
                            "aéééééééééééééééééééééééééééééééééééééééééééééééééééé',"
                            "F,[],0,5,0,'stappen',F,0,[],[],N,N]]]",
                            why_not),
                   0);
  const ov_skind *k = ov_schemas_kind(s, 20);
  ov_value v = ov_int(6);
  assert_int_equal(ov_schema_check_value(k, &k->fields[0], &v, &why), OV_HELD_RANGE);
  assert_string_equal(why.text_nl, "éééééééééééééééééééééééééééééééé: 6 ligt boven 5 stappen");
  assert_string_equal(why.text_en, "aééééééééééééééééééééééééééééééé: 6 is above 5 stappen");
  assert_true(ov_utf8_valid((const uint8_t *)why.text_en, strlen(why.text_en)));
  ov_schemas_free(s);
}

/* -- judging ops ----------------------------------------------------------------------------------------- */

static void assert_judged(const ov_schemas *s, const ov_op *op, int reason, uint16_t field, const char *en,
                          const char *nl) {
  ov_problem why;
  assert_int_equal(ov_schema_check_op(s, op, &why), reason);
  assert_int_equal(ov_schema_check_op(s, op, NULL), reason);
  assert_int_equal(why.reason, reason);
  assert_int_equal(why.field, field);
  assert_string_equal(why.text_en, en);
  assert_string_equal(why.text_nl, nl);
}

/* PROTO-152, PROTO-153 */
static void ops_are_judged_field_by_field(void **state) {
  (void)state;
  ov_schemas *s;
  load(&s);
  ov_field fields[] = {{F_NIGHT, ov_int(20000)}, {F_NAP, ov_int(10)}, {F_ALARM, ov_int(2)}, {99, ov_int(1)}};
  ov_op op = {.kind = 20,
              .version = 1,
              .scope = 2,
              .creates = true,
              .has_participant = true,
              .fields = fields,
              .n_fields = 2};
  assert_judged(s, &op, 0, 0, "", "");
  op.n_fields = 4;
  assert_judged(s, &op, OV_HELD_TYPE, F_ALARM, "Alarm: must be yes or no (1 or 0)",
                "Alarm: dit moet ja of nee (1 of 0) zijn");
  fields[2].v = ov_int(1);
  assert_judged(s, &op, OV_HELD_UNKNOWN_FIELD, 99, "Sleep: there is no field 99",
                "Nachtrust: vraag 99 bestaat niet");
  op.version = 2; /* newer than known here: stored and relayed */
  assert_judged(s, &op, 0, 0, "", "");
  op.version = 0; /* older: the field was dropped since */
  assert_judged(s, &op, 0, 0, "", "");
  op.version = 1;
  op.kind = 4000;
  assert_judged(s, &op, 0, 0, "", "");
  ov_schemas_free(s);
}

static void ops_must_lie_in_their_scope_and_name_their_participant(void **state) {
  (void)state;
  ov_schemas *s;
  load(&s);
  assert_int_equal(add_text(s, "[30,'person',1,1,0,F,0,[],'Medewerker','Person',[]]", NULL), 0);
  assert_int_equal(add_text(s, "[31,'client',1,2,3,F,0,[],'Cliënt','Participant',[]]", NULL), 0);
  assert_int_equal(add_text(s, "[32,'ruling',1,1,1,F,0,[],'Besluit','Ruling',[]]", NULL), 0);
  ov_op op = {.kind = 20, .version = 1, .scope = 40, .creates = true, .has_participant = true};
  assert_judged(s, &op, 0, 0, "", "");
  op.scope = 1;
  assert_judged(s, &op, OV_HELD_SCOPE, 0, "Sleep: does not belong in this scope",
                "Nachtrust: dit hoort hier niet");
  op.creates = false; /* the record's scope is what counts, and that is the creating op's */
  assert_judged(s, &op, 0, 0, "", "");
  op.has_participant = false;
  assert_judged(s, &op, OV_HELD_REF, 0, "Sleep: names no participant", "Nachtrust: de cliënt ontbreekt");
  op.kind = 30;
  assert_judged(s, &op, 0, 0, "", "");
  op.has_participant = true;
  assert_judged(s, &op, OV_HELD_REF, 0, "Person: names a participant that does not fit",
                "Medewerker: hier past deze cliënt niet bij");
  op.kind = 32;
  assert_judged(s, &op, 0, 0, "", "");
  op.has_participant = false;
  assert_judged(s, &op, 0, 0, "", "");
  op.kind = 31;
  assert_judged(s, &op, OV_HELD_REF, 0, "Participant: names no participant", "Cliënt: de cliënt ontbreekt");
  op.has_participant = true;
  op.record = op.participant = history_name(1, 1);
  assert_judged(s, &op, 0, 0, "", "");
  op.participant = history_name(1, 2);
  assert_judged(s, &op, OV_HELD_REF, 0, "Participant: names a participant that does not fit",
                "Cliënt: hier past deze cliënt niet bij");
  op.creates = true;
  op.scope = 2;
  assert_judged(s, &op, OV_HELD_REF, 0, "Participant: names a participant that does not fit",
                "Cliënt: hier past deze cliënt niet bij");
  op.has_participant = false;
  assert_judged(s, &op, 0, 0, "", "");
  ov_schemas_free(s);
}

/* -- folded records -------------------------------------------------------------------------------------- */

typedef struct fixture {
  ov_schemas *s;
  const ov_skind *k;
  history h;
  ov_arena a;
  ov_record r;
} fixture;

static int setup(void **state) {
  fixture *x = calloc(1, sizeof *x);
  x->k = load(&x->s);
  history_init(&x->h);
  ov_arena_init(&x->a, 1u << 20);
  *state = x;
  return 0;
}

static int teardown(void **state) {
  fixture *x = *state;
  ov_schemas_free(x->s);
  history_free(&x->h);
  ov_arena_free(&x->a);
  free(x);
  return 0;
}

static const ov_record *fold(fixture *x) {
  assert_int_equal(ov_fold(x->h.in, x->h.n, &x->a, &x->r), 0);
  return &x->r;
}

/* want: zero-terminated. */
static void assert_missing(fixture *x, const uint16_t *want) {
  uint16_t ids[32];
  uint32_t n = ov_schema_missing(x->k, fold(x), ids, 32), i = 0;
  for (; want[i]; i++) {
    assert_true(i < n);
    assert_int_equal(ids[i], want[i]);
  }
  assert_int_equal(n, i);
}
#define MISSING(...) assert_missing(x, (const uint16_t[]){__VA_ARGS__ __VA_OPT__(, ) 0})

/* PROTO-90, PROTO-151 */
static void a_record_says_what_it_lacks(void **state) {
  fixture *x = *state;
  ov_op *op = history_op(&x->h, 1, 1, OV_APPLIED);
  MISSING(F_NIGHT, F_SOURCE, F_PROJECT, F_ALARM); /* alarm: source is not 1, it has no value */
  history_set(&x->h, op, F_NIGHT, ov_int(-98));   /* a missing code satisfies */
  history_set(&x->h, op, F_PROJECT, ov_bytes("x", 1));
  history_set(&x->h, op, F_SOURCE, ov_int(2));
  MISSING(F_ALARM);
  history_set(&x->h, op, F_ALARM, ov_int(1));
  MISSING(F_WHY); /* alarm is 1 */
  history_add(&x->h, op, F_WHY, 1);
  MISSING();
  ov_op *e = history_op(&x->h, 1, 2, OV_APPLIED);
  history_replaces(&x->h, e, &op->name);
  history_set(&x->h, e, F_SOURCE, ov_int(1));
  MISSING(F_NAP); /* source is 1 */
  history_set(&x->h, e, F_NAP, ov_int(700));
  MISSING(F_AGE); /* nap is 700 */
  history_set(&x->h, e, F_AGE, ov_int(80));
  history_set(&x->h, e, F_PROJECT, ov_nil());
  MISSING(F_PROJECT);                           /* nil clears */
  history_set(&x->h, e, F_NAP, ov_text("700")); /* of a newer schema: no number, so no code of a condition */
  MISSING(F_PROJECT);
  uint16_t one[1];
  assert_int_equal(ov_schema_missing(x->k, &x->r, one, 0), 0);
}

static void empty_texts_and_emptied_sets_are_lacking(void **state) {
  fixture *x = *state;
  assert_int_equal(
      add_text(x->s,
               "[30,'lesson',1,2,2,F,0,[],'a','b',[[10,'title',6,'a','b',T,[],N,N,0,N,F,0,[],[],N,N],"
               "[11,'partner',3,'a','b',T,[],N,N,0,N,F,0,[[1,'a','b'],[2,'a','b']],[],N,N],"
               "[12,'more',6,'a','b',F,[[11,T,[1]]],N,N,0,N,F,0,[],[],N,N]]]",
               NULL),
      0);
  x->k = ov_schemas_kind(x->s, 30);
  ov_op *op = history_op(&x->h, 1, 1, OV_APPLIED);
  history_set(&x->h, op, 10, ov_text(""));
  history_add(&x->h, op, 11, 1);
  MISSING(10);
  history_set(&x->h, op, 10, ov_bytes("", 0));
  MISSING(10);
  history_set(&x->h, op, 10, ov_text("Samen"));
  MISSING();
  ov_op *e = history_op(&x->h, 1, 2, OV_APPLIED);
  history_del(&x->h, e, 11, 1);
  MISSING(11, 12); /* in conflict: the deletion is later and is what is shown; and then 12 is asked for */
  history_replaces(&x->h, e, &op->name);
  MISSING(11, 12);
  history_add(&x->h, e, 11, 2);
  history_set(&x->h, e, 12, ov_text("x"));
  MISSING();
}

static void occurrence_is_the_shown_value_or_the_creation(void **state) {
  fixture *x = *state;
  ov_op *op = history_op(&x->h, 1, 1, OV_APPLIED);
  op->device_time = 3 * 86400 + 5;
  x->h.in[0].server_time = INT64_MAX;
  assert_int_equal(ov_schema_occurred_day(x->k, fold(x)), 3);
  history_set(&x->h, op, F_NIGHT, ov_int(20000));
  assert_int_equal(ov_schema_occurred_day(x->k, fold(x)), 20000);
  ov_op *e = history_op(&x->h, 2, 1, OV_APPLIED);
  e->device_time = 9 * 86400;
  x->h.in[1].server_time = INT64_MAX;
  history_set(&x->h, e, F_NIGHT, ov_int(20001));
  assert_int_equal(ov_schema_occurred_day(x->k, fold(x)), 20001); /* in conflict: the shown one */
  history_set(&x->h, e, F_NIGHT, ov_int(-98));
  assert_int_equal(ov_schema_occurred_day(x->k, fold(x)), 3); /* unknown: the creation */
  history_set(&x->h, e, F_NIGHT, ov_text("x"));
  assert_int_equal(ov_schema_occurred_day(x->k, fold(x)), 3);
  x->h.in[0].verdict = OV_HELD;
  ov_op *f = history_op(&x->h, 3, 1, OV_APPLIED);
  f->device_time = 7 * 86400;
  x->h.in[2].server_time = INT64_MAX;
  history_set(&x->h, f, F_NOTE, ov_text("x"));
  assert_int_equal(ov_schema_occurred_day(x->k, fold(x)), 7); /* no creation: the earliest */
  e->device_time = -1;
  assert_int_equal(ov_schema_occurred_day(x->k, fold(x)), -1);
  e->device_time = INT64_MIN;
  assert_int_equal(ov_schema_occurred_day(x->k, fold(x)), -719162);
  x->h.in[1].verdict = x->h.in[2].verdict = OV_HELD;
  assert_int_equal(ov_schema_occurred_day(x->k, fold(x)), 0);
}

static void occurrence_by_datetime_and_without_a_field(void **state) {
  fixture *x = *state;
  char *text = changed("'sleep',1,2,2,T,10", "'sleep',2,2,2,T,17");
  assert_int_equal(add_text(x->s, text, NULL), 0);
  free(text);
  const ov_skind *by_time = ov_schemas_kind(x->s, 20);
  assert_int_equal(add_text(x->s, "[30,'lesson',1,2,2,F,0,[],'a','b',[]]", NULL), 0);
  ov_op *op = history_op(&x->h, 1, 1, OV_APPLIED);
  op->device_time = 86400;
  x->h.in[0].server_time = INT64_MAX;
  history_set(&x->h, op, F_BED, ov_int(20000ll * 86400 + 86399));
  assert_int_equal(ov_schema_occurred_day(by_time, fold(x)), 20000);
  assert_int_equal(ov_schema_occurred_day(ov_schemas_kind(x->s, 30), fold(x)), 1);
  history_set(&x->h, op, F_BED, ov_int(INT64_MAX));
  assert_int_equal(ov_schema_occurred_day(by_time, fold(x)), 2932896);
}

static void natural_keys_are_equal_for_possible_doubles(void **state) {
  fixture *x = *state;
  ov_buf a, b;
  ov_buf_init(&a, 0);
  ov_buf_init(&b, 0);
  ov_op *op = history_op(&x->h, 1, 1, OV_APPLIED);
  history_set(&x->h, op, F_NIGHT, ov_int(20000));
  history_set(&x->h, op, F_SOURCE, ov_int(1));
  assert_false(ov_schema_natural_key(x->k, fold(x), &a)); /* no participant */
  op->has_participant = true;
  op->participant = history_name(60, 1);
  assert_true(ov_schema_natural_key(x->k, fold(x), &a));
  ov_mpw_array(&b, 3);
  ov_mpw_name(&b, &op->participant);
  ov_mpw_int(&b, 20000);
  ov_mpw_int(&b, 1);
  assert_int_equal(a.n, b.n);
  assert_memory_equal(a.p, b.p, a.n);
  history_set(&x->h, op, F_SOURCE, ov_int(-99));
  assert_false(ov_schema_natural_key(x->k, fold(x), &a)); /* two nights of unknown source are no doubles */
  history_set(&x->h, op, F_SOURCE, ov_nil());
  assert_false(ov_schema_natural_key(x->k, fold(x), &a));
  history_set(&x->h, op, F_SOURCE, ov_text("1")); /* of a newer schema: a value like any other */
  assert_true(ov_schema_natural_key(x->k, fold(x), &b));
  ov_buf_reset(&b);
  history_set(&x->h, op, F_NIGHT, ov_nil());
  assert_false(ov_schema_natural_key(x->k, fold(x), &b));
  assert_int_equal(b.n, 0); /* nothing was appended */
  assert_false(ov_schema_natural_key(ov_schemas_at(x->s, 0), &x->r, &a));
  assert_int_equal(add_text(x->s, "[30,'lesson',1,2,2,F,0,[],'a','b',[]]", NULL), 0);
  assert_false(ov_schema_natural_key(ov_schemas_kind(x->s, 30), &x->r, &a));
  ov_buf_free(&a);
  ov_buf_free(&b);
}

/* PROTO-116 */
static void the_window_follows_the_last_change(void **state) {
  fixture *x = *state;
  ov_op *op = history_op(&x->h, 1, 1, OV_APPLIED);
  history_set(&x->h, op, F_NIGHT, ov_int(40000)); /* a date in the future keeps nothing for ever */
  const ov_record *r = fold(x);
  const int64_t changed_at = 1700000000, days = OV_WINDOW_DAYS * 86400ll;
  assert_false(ov_schema_outside_window(x->k, r, changed_at, changed_at + days));
  assert_true(ov_schema_outside_window(x->k, r, changed_at, changed_at + days + 1));
  assert_false(ov_schema_outside_window(x->k, r, changed_at, 0));
  assert_true(ov_schema_outside_window(x->k, r, INT64_MIN, INT64_MAX));
  assert_false(ov_schema_outside_window(x->k, r, INT64_MAX, INT64_MIN));
  assert_false(ov_schema_outside_window(ov_schemas_at(x->s, 0), r, changed_at, changed_at + days + 1));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_judged_with_exact_texts),
      cmocka_unit_test(set_elements_are_judged_one_by_one),
      cmocka_unit_test(what_has_no_bounds_takes_all),
      cmocka_unit_test(long_labels_are_cut_between_characters),
      cmocka_unit_test(ops_are_judged_field_by_field),
      cmocka_unit_test(ops_must_lie_in_their_scope_and_name_their_participant),
      T(a_record_says_what_it_lacks),
      T(empty_texts_and_emptied_sets_are_lacking),
      T(occurrence_is_the_shown_value_or_the_creation),
      T(occurrence_by_datetime_and_without_a_field),
      T(natural_keys_are_equal_for_possible_doubles),
      T(the_window_follows_the_last_change),
  };
  return cmocka_run_group_tests_name("schema_judge", tests, NULL, NULL);
}
