/* Every command once, and what each refuses, with the words that an administrator reads. */
#include "admin_world.h"
#include "sv_release.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int setup(void **state) {
  admin_world *aw = calloc(1, sizeof *aw);
  aw_open(aw, 1, false);
  *state = aw;
  return 0;
}

static int teardown(void **state) {
  aw_close(*state);
  free(*state);
  return 0;
}

static int setup_org(void **state) {
  setup(state);
  ASK(*state, "{'cmd':'organisation add','name':'De Linde'}");
  ASK(*state, "{'cmd':'team add','name':'Beuk'}");
  ASK(*state, "{'cmd':'team add','name':'Eik'}");
  return 0;
}

static const char *item_text(const json_t *item, const char *key) {
  return json_string_value(json_object_get(item, key));
}

static size_t teams_of(admin_world *aw, const char *who) {
  ASK(aw, "{'cmd':'participant list'}");
  const json_t *item = aw_item(aw, "participant", who);
  assert_non_null(item);
  return json_array_size(json_object_get(item, "teams"));
}

/* -- requests ------------------------------------------------------------------------------------- */

static void requests_that_are_none(void **state) {
  admin_world *aw = *state;
  REFUSED(aw, OV_E_FORMAT, "no JSON", "garbage");
  REFUSED(aw, OV_E_FORMAT, "no JSON", "{'cmd':'status'} trailing");
  REFUSED(aw, OV_E_FORMAT, "no JSON", "{'cmd':'status','cmd':'verify'}");
  REFUSED(aw, OV_E_FORMAT, "no JSON object", "[1,2]");
  REFUSED(aw, OV_E_INVALID, "no command \"\"", "{}");
  REFUSED(aw, OV_E_INVALID, "no command \"\"", "{'cmd':7}");
  REFUSED(aw, OV_E_INVALID, "no command \"drop everything\"", "{'cmd':'drop everything'}");
  REFUSED(aw, OV_E_INVALID, "has no argument \"colour\"", "{'cmd':'team add','name':'x','colour':'red'}");
  REFUSED(aw, OV_E_INVALID, "\"name\" takes a text", "{'cmd':'team add','name':5}");
  REFUSED(aw, OV_E_INVALID, "\"team\" takes a list of texts", "{'cmd':'person add','name':'x','team':'y'}");
  REFUSED(aw, OV_E_INVALID, "\"team\" takes a list of texts", "{'cmd':'person add','name':'x','team':[1]}");
  REFUSED(aw, OV_E_INVALID, "\"name\" is missing", "{'cmd':'team add'}");
  REFUSED(aw, OV_E_INVALID, "\"name\" is missing", "{'cmd':'team add','name':''}");
  REFUSED(aw, OV_E_INVALID, "must be an absolute path", "{'cmd':'backup','dir':'here'}");
}

static void a_request_that_is_too_long(void **state) {
  admin_world *aw = *state;
  size_t n = SV_ADMIN_REQUEST_BYTES_MAX + 1;
  char *text = malloc(n + 1);
  memset(text, ' ', n);
  text[n] = 0;
  json_decref(aw->reply);
  aw->reply = NULL;
  int err = aw_ask_json(aw, json_pack("{s:s, s:s}", "cmd", "team add", "name", text));
  assert_int_equal(err, OV_E_LIMIT);
  free(text);
}

/* Every nesting, every type: an answer, and never a crash. */
static void odd_json_is_answered(void **state) {
  admin_world *aw = *state;
  static const char *const odd[] = {
      "{'cmd':'record add','kind':'technology','fields':[]}",
      "{'cmd':'record add','kind':'technology','fields':['']}",
      "{'cmd':'record add','kind':'technology','fields':['=','a=','=b','number']}",
      "{'cmd':'record add','kind':'','fields':['number=1']}",
      "{'cmd':'held admit','op':'-','reason':'x'}",
      "{'cmd':'record show','record':'----'}",
      "{'cmd':'organisation show','organisation':'zzzz'}",
      "{'cmd':'record list','kind':'sleep','limit':-1}",
      "{'cmd':'record list','kind':'sleep','from':'2026-02-30'}"};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) assert_int_not_equal(aw_ask(aw, "%s", odd[i]), 0);
}

/* -- organisations ---------------------------------------------------------------------------------- */

static void organisations(void **state) {
  admin_world *aw = *state;
  ASK(aw, "{'cmd':'init'}");
  ASK(aw, "{'cmd':'organisation list'}");
  assert_null(json_object_get(aw->reply, "items"));
  REFUSED(aw, OV_E_NOTFOUND, "there is no organisation yet", "{'cmd':'team add','name':'x'}");
  ASK(aw, "{'cmd':'organisation add','name':'De Linde'}");
  assert_int_equal(strlen(aw_text(aw, "id")), 32);
  REFUSED(aw, OV_E_EXISTS, "\"de linde\" already", "{'cmd':'organisation add','name':'de linde'}");
  REFUSED(aw, OV_E_INVALID, "32 hex digits", "{'cmd':'organisation add','name':'x','id':'12'}");
  ASK(aw, "{'cmd':'organisation add','name':'De "
          "Eik','zone':'Europe/Brussels','id':'00112233445566778899aabbccddeeff'}");
  ASK(aw, "{'cmd':'organisation list'}");
  assert_string_equal(item_text(aw_item(aw, "organisation", "De Eik"), "zone"), "Europe/Brussels");
  const json_t *listed = json_object_get(aw->reply,
                                         "items"); /* by name, not in the order in which they came */
  assert_string_equal(item_text(json_array_get(listed, 0), "organisation"), "De Eik");
  assert_string_equal(item_text(json_array_get(listed, 1), "organisation"), "De Linde");
  REFUSED(aw, OV_E_INVALID, "several organisations", "{'cmd':'team list'}");
  REFUSED(aw, OV_E_INVALID, "fits 2 of organisation", "{'cmd':'team list','organisation':'de'}");
  REFUSED(aw, OV_E_NOTFOUND, "no organisation \"Es\"", "{'cmd':'team list','organisation':'Es'}");
  ASK(aw, "{'cmd':'team add','name':'Nacht','organisation':'00112233'}");
  ASK(aw, "{'cmd':'organisation show','organisation':'de e'}");
  assert_int_equal(aw_int(aw, "teams"), 1);
  ASK(aw, "{'cmd':'organisation edit','organisation':'De Eik','fields':['lease_days=10']}");
  ASK(aw, "{'cmd':'organisation show','organisation':'De Eik'}");
  assert_int_equal(json_integer_value(json_object_get(json_object_get(aw->reply, "settings"), "lease_days")),
                   10);
  assert_null(json_object_get(json_object_get(aw->reply, "settings"), "commit_key"));
  REFUSED(aw, OV_E_INVALID, "91 is above 90 days",
          "{'cmd':'organisation edit','organisation':'De Eik','fields':['lease_days=91']}");
  REFUSED(aw, OV_E_DENIED, "never changed",
          "{'cmd':'organisation edit','organisation':'De Eik','fields':['commit_key=00']}");
}

/* Its file is read again for each new organisation: it may lie on a stick that is not in. */
static void an_organisation_without_the_master_key(void **state) {
  admin_world *aw = *state;
  char away[300];
  snprintf(away, sizeof away, "%s.away", aw->host.master_key_file);
  FX_MUST(!rename(aw->host.master_key_file, away));
  REFUSED(aw, OV_E_NOTFOUND, "master.key", "{'cmd':'organisation add','name':'De Es'}");
  assert_non_null(strstr(aw_text(aw, "hint"), "master key file"));
  FX_MUST(!rename(away, aw->host.master_key_file));
  ASK(aw, "{'cmd':'organisation add','name':'De Es'}");
}

/* All that one server holds, really made; the next one is refused with what to do, and leaves nothing. */
static void one_organisation_too_many(void **state) {
  admin_world *aw = *state;
  struct rlimit files;
  FX_MUST(!getrlimit(RLIMIT_NOFILE, &files));
  if (files.rlim_max < 4 * SV_ORGS_MAX) skip();
  struct rlimit more = {.rlim_cur = 4 * SV_ORGS_MAX, .rlim_max = files.rlim_max};
  FX_MUST(!setrlimit(RLIMIT_NOFILE, &more));
  char path[400], why[OV_ERROR_TEXT_MAX] = "";
  sv_node *node = NULL;
  for (unsigned i = 0; i < SV_ORGS_MAX; i++)
    ASK(aw, "{'cmd':'organisation add','id':'%032x','name':'Huis %u'}", i + 1, i + 1);
  REFUSED(aw, OV_E_LIMIT, "at most 512 organisations", "{'cmd':'organisation add','name':'Nog een'}");
  assert_non_null(strstr(aw_text(aw, "hint"), "another server"));
  aw_stop(aw);
  aw_start(aw);
  assert_int_equal(aw->node->n_orgs, SV_ORGS_MAX);
  /* One that does not open has its place still: another instead of it, and the next start would find too
   * many. */
  aw_stop(aw);
  snprintf(path, sizeof path, "%s/orgs/%032x.keyring", aw->data, 7);
  FX_MUST(!unlink(path));
  aw_start(aw);
  assert_int_equal(aw->node->n_orgs, SV_ORGS_MAX - 1);
  REFUSED(aw, OV_E_LIMIT, "at most 512 organisations", "{'cmd':'organisation add','name':'Nog een'}");
  aw_stop(aw);
  snprintf(path, sizeof path, "%s/orgs/%032x", aw->data, SV_ORGS_MAX + 1); /* put there by hand */
  FX_MUST(!mkdir(path, 0700));
  sv_node_options o = {.data = aw->data, .schema_dir = OV_SOURCE_DIR "/proto/schema", .sys = &aw->w.sys};
  assert_int_equal(sv_node_open(&o, &node, why), OV_E_LIMIT);
  assert_non_null(strstr(why, "more than 512 organisations"));
  FX_MUST(!rmdir(path) && !setrlimit(RLIMIT_NOFILE, &files));
}

/* A sum that its records do not have is told with whose and which it is; the command says what to do next. */
static void a_recount_tells_what_is_wrong(void **state) {
  (void)state;
  linde l;
  uint32_t month = 0;
  uint8_t family = 0;
  ov_name who;
  char anna[OV_NAME_TEXT_MAX];
  linde_open(&l, 2, false);
  linde_nights(&l, 5, 4);
  ASK(&l.aw, "{'cmd':'release recount'}");
  assert_int_equal(aw_int(&l.aw, "differing"), 0);
  assert_true(aw_int(&l.aw, "checked") > 0);
  WRITE(l.org, t, {
    FX_OK(sv_sums_next(t, false, &month, &family, &who));
    FX_OK(sv_sums_del(t, month, family, &who));
  });
  REFUSED(&l.aw, OV_E_CORRUPT, "1 sums are not those of their records", "{'cmd':'release recount'}");
  assert_string_equal(aw_text(&l.aw, "hint"), "run verify: the records may be damaged");
  assert_int_equal(json_array_size(l.aw.items), 1);
  const json_t *item = json_array_get(l.aw.items, 0);
  ov_name_text(&l.anna, anna);
  assert_string_equal(item_text(item, "participant"), anna);
  assert_int_equal(strlen(item_text(item, "month")), 7);
  assert_true(*item_text(item, "family"));
  linde_close(&l);
}

/* -- teams and people --------------------------------------------------------------------------------- */

static void teams(void **state) {
  admin_world *aw = *state;
  ASK(aw, "{'cmd':'team list'}");
  assert_int_equal(json_integer_value(json_object_get(aw_item(aw, "team", "Eik"), "scope")), 3);
  REFUSED(aw, OV_E_EXISTS, "there is a team \"Beuk\" already", "{'cmd':'team add','name':'beuk'}");
  ASK(aw, "{'cmd':'team edit','team':'Eik','name':'Iep'}");
  ASK(aw, "{'cmd':'team edit','team':'Iep','name':'Iep'}"); /* the same name is no double of itself */
  assert_non_null(json_object_get(aw->reply, "notes"));
  ASK(aw, "{'cmd':'team edit','team':'3','active':'nee'}");
  ASK(aw, "{'cmd':'team list'}");
  assert_true(json_is_false(json_object_get(aw_item(aw, "team", "Iep"), "active")));
  REFUSED(aw, OV_E_NOTFOUND, "no team \"Es\"", "{'cmd':'team edit','team':'Es','name':'x'}");
  REFUSED(aw, OV_E_INVALID, "nothing to change", "{'cmd':'team edit','team':'Iep'}");
  REFUSED(aw, OV_E_INVALID, "yes or no", "{'cmd':'team edit','team':'Iep','active':'maybe'}");
}

static void people(void **state) {
  admin_world *aw = *state;
  ASK(aw, "{'cmd':'person add','name':'Jan de Vries','team':['Beuk','Eik','Beuk']}");
  ASK(aw, "{'cmd':'person add','name':'Jana','role':'Projectleider'}");
  assert_non_null(json_object_get(aw->reply, "notes")); /* in no team yet */
  REFUSED(aw, OV_E_EXISTS, "\"Jana\" already", "{'cmd':'person add','name':'jana'}");
  REFUSED(aw, OV_E_INVALID, "one of 1 (care staff), 2 (project lead)",
          "{'cmd':'person add','name':'X','role':'chef'}");
  REFUSED(aw, OV_E_NOTFOUND, "no team \"Es\"", "{'cmd':'person add','name':'X','team':['Es']}");
  ASK(aw, "{'cmd':'person list','team':'Eik'}");
  assert_int_equal(json_array_size(json_object_get(aw->reply, "items")), 1);
  const json_t *item = aw_item(aw, "person", "Jan de Vries");
  assert_int_equal(json_array_size(json_object_get(item, "teams")), 2);
  REFUSED(aw, OV_E_INVALID, "fits 2 of person", "{'cmd':'person edit','person':'Jan','role':'expert'}");
  ASK(aw, "{'cmd':'person edit','person':'Jana','role':'3','add_team':['Beuk']}");
  ASK(aw, "{'cmd':'person edit','person':'Jan de','remove_team':['Eik']}");
  ASK(aw, "{'cmd':'person edit','person':'Jan de','active':'no'}");
  REFUSED(aw, OV_E_INVALID, "one of --team",
          "{'cmd':'person edit','person':'Jana','team':['Eik'],'add_team':['Beuk']}");
  ASK(aw, "{'cmd':'person list'}");
  assert_null(aw_item(aw, "person", "Jan de Vries"));
  ASK(aw, "{'cmd':'person list','all':true}");
  assert_non_null(aw_item(aw, "person", "Jan de Vries"));
  /* who left makes room for the name, and the live one is found by it */
  ASK(aw, "{'cmd':'person add','name':'Jan de Vries','team':['Beuk']}");
  ASK(aw, "{'cmd':'person edit','person':'Jan de Vries','team':['Eik']}");
}

static void participants(void **state) {
  admin_world *aw = *state;
  ASK(aw, "{'cmd':'participant add','label':'K. (kamer 4)','team':['Beuk'],'age_band':'45-59 "
          "jaar','pseudonym':'P7'}");
  REFUSED(aw, OV_E_INVALID, "\"team\" is missing", "{'cmd':'participant add','label':'L.'}");
  REFUSED(aw, OV_E_INVALID, "one of 1 (0",
          "{'cmd':'participant add','label':'L.','team':['Beuk'],'age_band':'9'}");
  REFUSED(aw, OV_E_EXISTS, "already", "{'cmd':'participant add','label':'K. (kamer 4)','team':['Eik']}");
  assert_int_equal(teams_of(aw, "K. (kamer 4)"), 1);
  ASK(aw, "{'cmd':'participant move','participant':'K','team':['Eik','Beuk']}");
  assert_int_equal(teams_of(aw, "K. (kamer 4)"), 2);
  ASK(aw, "{'cmd':'participant team-remove','participant':'K','team':['Eik']}");
  ASK(aw, "{'cmd':'participant team-remove','participant':'K','team':['Beuk']}");
  assert_int_equal(teams_of(aw, "K. (kamer 4)"), 0);
  ASK(aw, "{'cmd':'participant team-add','participant':'K','team':['Eik']}");
  assert_int_equal(teams_of(aw, "K. (kamer 4)"), 1);
  ASK(aw, "{'cmd':'participant edit','participant':'K','age_band':'-99','active':'no'}");
  ASK(aw, "{'cmd':'participant list'}");
  assert_null(aw_item(aw, "participant", "K. (kamer 4)"));
  ASK(aw, "{'cmd':'participant list','all':true,'team':'Eik'}");
  assert_string_equal(
      item_text(json_object_get(aw_item(aw, "participant", "K. (kamer 4)"), "age_band"), "label"), "unknown");
  ASK(aw, "{'cmd':'verify'}");
}

/* -- records -------------------------------------------------------------------------------------------- */

static void reference_data(void **state) {
  admin_world *aw = *state;
  ASK(aw, "{'cmd':'record add','kind':'theme_network','fields':['number=1','name=Slaap','type=inhoud']}");
  ASK(aw, "{'cmd':'record add','kind':'technology','fields':['number=1','name=Technologie 01','active=ja']}");
  ASK(aw,
      "{'cmd':'record add','kind':'care_question','fields':['number=4','title=Rust','theme_network=Slaap']}");
  ASK(aw,
      "{'cmd':'record edit','record':'Technologie 01','kind':'technology','fields':['care_questions=Rust']}");
  REFUSED(aw, OV_E_EXISTS, "number=1 already",
          "{'cmd':'record add','kind':'technology','fields':['number=1','name=T']}");
  REFUSED(aw, OV_E_EXISTS, "\"Technologie 01\" already",
          "{'cmd':'record add','kind':'technology','fields':['number=2','name=technologie 01']}");
  ASK(aw,
      "{'cmd':'record add','kind':'technology','fields':['number=1','name=Technologie 01'],'double':true}");
  REFUSED(aw, OV_E_INVALID, "fits 2 of technology",
          "{'cmd':'project add','name':'P','theme_network':'Sl','technology':'Technologie'}");
  REFUSED(aw, OV_E_NOTFOUND, "no theme_network \"Zorg\"",
          "{'cmd':'project add','name':'P','theme_network':'Zorg'}");
  ASK(aw, "{'cmd':'project add','name':'P','theme_network':'Sl','team':['Beuk'],'fields':['phase=keuze']}");
  ASK(aw, "{'cmd':'project list'}");
  const json_t *item = aw_item(aw, "project", "P");
  assert_string_equal(item_text(json_object_get(item, "theme_network"), "label"), "Slaap");
  assert_string_equal(item_text(json_object_get(item, "phase"), "label"), "choice");
  ASK(aw, "{'cmd':'verify'}");
}

static void wrong_values(void **state) {
  admin_world *aw = *state;
  REFUSED(aw, OV_E_NOTFOUND, "no kind \"horse\"", "{'cmd':'record add','kind':'horse','fields':['a=b']}");
  REFUSED(aw, OV_E_INVALID, "no field \"colour\"",
          "{'cmd':'record add','kind':'technology','fields':['colour=red']}");
  REFUSED(aw, OV_E_INVALID, "not of the form",
          "{'cmd':'record add','kind':'technology','fields':['number']}");
  REFUSED(aw, OV_E_INVALID, "must be a whole number",
          "{'cmd':'record add','kind':'technology','fields':['number=x']}");
  REFUSED(aw, OV_E_INVALID, "1000 is above 999",
          "{'cmd':'record add','kind':'technology','fields':['number=1000']}");
  REFUSED(aw, OV_E_INVALID, "given twice",
          "{'cmd':'record add','kind':'technology','fields':['number=1','number=2']}");
  REFUSED(aw, OV_E_INVALID, "is not a set",
          "{'cmd':'record add','kind':'technology','fields':['number+=1']}");
  REFUSED(
      aw, OV_E_NOTFOUND, "no theme_network \"Slaap\"",
      "{'cmd':'record add','kind':'care_question','fields':['number=1','title=x','theme_network=Slaap']}");
  REFUSED(aw, OV_E_INVALID, "a date like",
          "{'cmd':'record add','kind':'project','fields':['name=P','ended_on=1-2-2026']}");
  REFUSED(aw, OV_E_INVALID, "made with: overdracht-admin team add",
          "{'cmd':'record add','kind':'team','fields':['name=x']}");
  REFUSED(aw, OV_E_INVALID, "is about a participant",
          "{'cmd':'record add','kind':'sleep','fields':['night_date=2026-01-01']}");
  REFUSED(aw, OV_E_INVALID, "not about a participant",
          "{'cmd':'record add','kind':'technology','fields':['number=1'],'participant':'x'}");
}

static void care_records(void **state) {
  admin_world *aw = *state;
  char name[OV_NAME_TEXT_MAX];
  ASK(aw, "{'cmd':'participant add','label':'Anna','team':['Beuk']}");
  ASK(aw,
      "{'cmd':'record add','kind':'sleep','participant':'Anna','fields':['night_date=2026-03-28','source=1',"
      "'bed_at=2026-03-28T22:30+01:00','sol_min=20']}");
  snprintf(name, sizeof name, "%s", aw_text(aw, "record"));
  REFUSED(aw, OV_E_INVALID, "with its zone",
          "{'cmd':'record edit','record':'%s','fields':['bed_at=2026-03-28T22:30']}", name);
  ASK(aw, "{'cmd':'record edit','record':'%s','kind':'sleep','fields':['sol_min=25','note=stil']}",
      strchr(name, '-') + 1);
  ASK(aw, "{'cmd':'record show','record':'%s'}", name);
  const json_t *fields = json_object_get(aw->reply, "fields");
  assert_int_equal(json_integer_value(json_object_get(fields, "sol_min")), 25);
  assert_string_equal(json_string_value(json_object_get(fields, "bed_at")), "2026-03-28T21:30:00Z");
  assert_int_equal(json_array_size(json_object_get(aw->reply, "items")), 2);
  ASK(aw, "{'cmd':'record edit','record':'%s','fields':['note=']}", name);
  ASK(aw, "{'cmd':'record retract','record':'%s','reason':'verkeerde nacht'}", name);
  ASK(aw, "{'cmd':'record "
          "list','kind':'sleep','participant':'Anna','from':'2026-03-01','to':'2026-03-31','fields':true}");
  assert_string_equal(item_text(aw_item(aw, "record", name), "state"), "retracted");
  REFUSED(aw, OV_E_INVALID, "either --reason", "{'cmd':'record retract','record':'%s'}", name);
  ASK(aw, "{'cmd':'record retract','record':'%s','undo':true}", name);
  ASK(aw, "{'cmd':'record list','kind':'sleep'}");
  assert_string_equal(item_text(aw_item(aw, "record", name), "state"), "live");
  REFUSED(aw, OV_E_NOTFOUND, "no record",
          "{'cmd':'record show','record':'00000000000000000000000000000000-1-00000000'}");
  REFUSED(aw, OV_E_INVALID, "no record's name", "{'cmd':'record show','record':'Anna'}");
  ASK(aw, "{'cmd':'verify'}");
}

/* Codes by number and label; what is given is the set, + adds and - takes away. */
static void sets(void **state) {
  admin_world *aw = *state;
  static const char *const steps[][2] = {{"disturbance=1,2", "2"},
                                         {"disturbance+=3", "3"},
                                         {"disturbance-=1", "2"},
                                         {"disturbance=3", "1"},
                                         {"disturbance=", "0"}};
  char name[OV_NAME_TEXT_MAX];
  ASK(aw, "{'cmd':'kind list','kind':'sleep'}");
  if (!aw_item(aw, "name", "disturbance")) skip();
  ASK(aw, "{'cmd':'participant add','label':'Anna','team':['Beuk']}");
  ASK(aw, "{'cmd':'record "
          "add','kind':'sleep','participant':'Anna','fields':['night_date=2026-03-28','source=1']}");
  snprintf(name, sizeof name, "%s", aw_text(aw, "record"));
  for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
    ASK(aw, "{'cmd':'record edit','record':'%s','fields':['%s']}", name, steps[i][0]);
    ASK(aw, "{'cmd':'record show','record':'%s'}", name);
    const json_t *set = json_object_get(json_object_get(aw->reply, "fields"), "disturbance");
    assert_int_equal(json_array_size(set), atoi(steps[i][1]));
  }
}

static void kinds_and_schemas(void **state) {
  admin_world *aw = *state;
  ASK(aw, "{'cmd':'kind list'}");
  assert_non_null(aw_item(aw, "name", "sleep"));
  ASK(aw, "{'cmd':'schema check'}");
  assert_true(aw_int(aw, "kinds") >= 20);
  char path[300];
  snprintf(path, sizeof path, "%s/schema", aw->data);
  REFUSED(aw, OV_E_NOTFOUND, "1 thing wrong", "{'cmd':'schema check','dir':'%s'}", path);
}

/* Of a month of which nothing may be told. */
static void releases(void **state) {
  admin_world *aw = *state;
  REFUSED(aw, OV_E_NOTFOUND, "nothing was released yet", "{'cmd':'release show'}");
  REFUSED(aw, OV_E_INVALID, "is no month", "{'cmd':'release make','month':'2025'}");
  ASK(aw, "{'cmd':'release make','month':'2025-08'}");
  ASK(aw, "{'cmd':'release show'}");
  REFUSED(aw, OV_E_INVALID, "no measure of this release is called \"luck\"",
          "{'cmd':'release show','measure':'luck'}");
  REFUSED(aw, OV_E_INVALID, "this release has no cell", "{'cmd':'release explain','cell':'luck@all'}");
  static const char *const none[] = {"2025-07",   "2025-08.2", "2025-08.1",  "2025-08.02",
                                     "2025-08.x", "2025-08-2", "2025-08.17", "2025-08.100"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    char says[40];
    snprintf(says, sizeof says, "no release \"%s\"", none[i]);
    REFUSED(aw, OV_E_NOTFOUND, says, "{'cmd':'release show','release':'%s'}", none[i]);
  }
  REFUSED(aw, OV_E_INVALID, "--network takes the number of a theme network",
          "{'cmd':'release page','network':100000,'out':'/tmp/none'}");
  ASK(aw, "{'cmd':'verify'}"); /* the ledger's bytes too */
  assert_int_equal(aw_int(aw, "findings"), 0);
}

/* The p of the rule for totals: kept for the programme, and told by nothing. */
static void the_p_of_a_programme(void **state) {
  admin_world *aw = *state;
  sv_sdc_rules rules;
  FX_OK(sv_release_rules(aw->node->programme, &rules));
  unsigned usual = rules.p_pct;
  static const char *const wrong[] = {"0", "101", "-1"};
  for (unsigned i = 0; i < 3; i++)
    REFUSED(aw, OV_E_INVALID, "p takes 1 to 100", "{'cmd':'release p-rule','percent':%s}", wrong[i]);
  FX_OK(sv_release_rules(aw->node->programme, &rules));
  assert_int_equal(rules.p_pct, usual);
  ASK(aw, "{'cmd':'release p-rule','percent':%u}", usual + 7);
  FX_OK(sv_release_rules(aw->node->programme, &rules));
  assert_int_equal(rules.p_pct, usual + 7);
  ASK(aw, "{'cmd':'release list'}");
  char *said = json_dumps(aw->reply, 0);
  assert_null(strstr(said, "p_pct"));
  free(said);
}

/* -- devices --------------------------------------------------------------------------------------------- */

static void devices(void **state) {
  admin_world *aw = *state;
  char code[32];
  ASK(aw, "{'cmd':'device add','name':'Tablet 1','team':['Beuk']}");
  snprintf(code, sizeof code, "%s", aw_text(aw, "code"));
  assert_int_equal(strlen(code), 14);
  REFUSED(aw, OV_E_INVALID, "\"team\" is missing", "{'cmd':'device add','name':'Tablet 2'}");
  REFUSED(aw, OV_E_EXISTS, "already", "{'cmd':'device add','name':'Tablet 1','team':['Eik']}");
  ASK(aw, "{'cmd':'device add','name':'Tablet 2','team':['Eik'],'no_code':true}");
  assert_null(json_object_get(aw->reply, "code"));
  ASK(aw, "{'cmd':'device code','device':'Tablet 1'}");
  assert_string_not_equal(aw_text(aw, "code"), code);
  ASK(aw, "{'cmd':'device edit','device':'Tablet 1','team':['Eik','Beuk'],'name':'Tablet A'}");
  ASK(aw, "{'cmd':'device list'}");
  assert_string_equal(item_text(aw_item(aw, "device", "Tablet A"), "state"), "not enrolled yet");
  ASK(aw, "{'cmd':'device revoke','device':'Tablet A'}");
  assert_int_equal(aw->cut, 0);
  REFUSED(aw, OV_E_REVOKED, "was revoked", "{'cmd':'device code','device':'Tablet A'}");
  ASK(aw, "{'cmd':'device list','all':true}");
  assert_string_equal(item_text(aw_item(aw, "device", "Tablet A"), "state"), "revoked");
  /* no code of it is left */
  sv_txn *t = NULL;
  sv_code c;
  FX_OK(sv_txn_read(aw->node->programme->env, &t));
  assert_int_equal(sv_code_next(t, NULL, &c), OV_E_NOTFOUND);
  sv_txn_abort(t);
}

/* The address for the camera: of a web app, and short enough for a code to look at. */
static void addresses_of_the_web_app(void **state) {
  admin_world *aw = *state;
  char far[320];
  ASK(aw, "{'cmd':'device add','name':'Tablet 1','team':['Beuk'],'url':'https://sync.example.nl'}");
  assert_non_null(strstr(aw_text(aw, "address"), "https://sync.example.nl/#code="));
  REFUSED(aw, OV_E_INVALID, "is not known here", "{'cmd':'device code','device':'Tablet 1','qr':true}");
  REFUSED(aw, OV_E_INVALID, "is no address of a web app",
          "{'cmd':'device code','device':'Tablet 1','url':'ftp://sync.example.nl'}");
  snprintf(far, sizeof far, "https://%0300d.nl", 0);
  REFUSED(aw, OV_E_INVALID, "is no address of a web app",
          "{'cmd':'device code','device':'Tablet 1','url':'%s'}", far);
}

static void revoking_cuts_every_key(void **state) {
  (void)state;
  linde l;
  sv_device d;
  sv_txn *t = NULL;
  linde_open(&l, 7, false);
  linde_nights(&l, 1, 5);
  ASK(&l.aw, "{'cmd':'device list'}");
  assert_string_equal(item_text(aw_item(&l.aw, "device", "tablet"), "state"), "in use");
  ASK(&l.aw, "{'cmd':'device revoke','device':'tablet'}");
  assert_int_equal(l.aw.cut, 1);
  assert_true(ov_id_equal(&l.aw.last_cut, &l.tab->device.id));
  FX_OK(sv_txn_read(l.org->env, &t));
  assert_true(!sv_device_get(t, &l.tab->device.id, &d) && d.revoked);
  sv_txn_abort(t);
  FX_OK(sv_txn_read(l.aw.node->programme->env, &t));
  assert_true(!sv_device_get(t, &l.tab->device.id, &d) && d.revoked);
  sv_txn_abort(t);
  ASK(&l.aw, "{'cmd':'verify'}");
  ASK(&l.aw, "{'cmd':'device revoke','device':'tablet'}"); /* again: nothing more to do, and said so */
  assert_int_equal(l.aw.cut, 1);
  linde_close(&l);
}

/* -- held ------------------------------------------------------------------------------------------------ */

static void held_ops_are_ruled_on(void **state) {
  (void)state;
  linde l;
  char name[OV_NAME_TEXT_MAX], tag[OV_NAME_TEXT_MAX];
  linde_open(&l, 8, false);
  ASK(&l.aw, "{'cmd':'held list'}");
  assert_null(json_object_get(l.aw.reply, "items"));
  ov_name first = linde_nights(&l, 1, 700), second = linde_nights(&l, 1, 701);
  ov_name_text(&first, name);
  ov_name_text(&second, tag);
  ASK(&l.aw, "{'cmd':'held list'}");
  const json_t *item = aw_item(&l.aw, "op", name);
  assert_non_null(item);
  assert_string_equal(item_text(item, "author"), "Jan");
  assert_string_equal(item_text(item, "participant"), "Anna");
  assert_string_equal(item_text(item, "team"), "Beuk");
  assert_non_null(strstr(item_text(item, "reason"), "600"));
  assert_non_null(strstr(item_text(item, "reason_nl"), "600"));
  assert_int_equal(json_array_size(json_object_get(item, "fields")), 3);
  REFUSED(&l.aw, OV_E_INVALID, "\"reason\" is missing", "{'cmd':'held admit','op':'%s'}", name);
  REFUSED(&l.aw, OV_E_NOTFOUND, "no held op", "{'cmd':'held admit','op':'99-ffffffff','reason':'x'}");
  REFUSED(&l.aw, OV_E_NOTFOUND, "no person", "{'cmd':'held admit','op':'%s','reason':'x','by':'Piet'}", name);
  ASK(&l.aw, "{'cmd':'held admit','op':'%s','reason':'klopt','by':'Jan'}", name);
  assert_int_equal(fx_verdict(&l.aw.w, l.org, &first, NULL), OV_APPLIED);
  ASK(&l.aw, "{'cmd':'held dismiss','op':'%s','reason':'onzin'}", strrchr(tag, '-') + 1);
  assert_int_equal(fx_verdict(&l.aw.w, l.org, &second, NULL), OV_DISMISSED);
  ASK(&l.aw, "{'cmd':'held list'}");
  assert_null(json_object_get(l.aw.reply, "items"));
  ov_name fine = linde_nights(&l, 1, 5);
  ov_name_text(&fine, name);
  REFUSED(&l.aw, OV_E_INVALID, "never held", "{'cmd':'held admit','op':'%s','reason':'x'}", name);
  ASK(&l.aw, "{'cmd':'verify'}");
  linde_close(&l);
}

/* -- looking --------------------------------------------------------------------------------------------- */

static void status_and_keys(void **state) {
  admin_world *aw = *state;
  ASK(aw, "{'cmd':'status'}");
  assert_string_equal(item_text(aw_item(aw, "organisation", "De Linde"), "state"), "ok");
  assert_true(json_is_false(json_object_get(aw->reply, "running")));
  ASK(aw, "{'cmd':'key info'}");
  const json_t *item = aw_item(aw, "organisation", "De Linde");
  assert_int_equal(strlen(item_text(item, "fingerprint")), 16 * 3 - 1);
  assert_string_equal(aw_text(aw, "mode"), "0600");
  /* no secret in it: not the master key, nor the signing key */
  char *text = json_dumps(aw->reply, 0), hex[2 * OV_KEY_BYTES + 1];
  uint8_t key[OV_KEY_BYTES];
  const ov_name none = {.seq = 0};
  ov_hex(aw->node->master, OV_KEY_BYTES, hex);
  assert_null(strstr(text, hex));
  FX_OK(sv_keyring_get(aw_org(aw, 0)->keyring, SV_KEY_SIGN, &none, key));
  ov_hex(key, OV_KEY_BYTES, hex);
  assert_null(strstr(text, hex));
  free(text);
}

/* Names resolved, keys left out; without payload no value and no label. */
static void dumps(void **state) {
  (void)state;
  linde l;
  uint8_t key[OV_KEY_BYTES];
  char hex[2 * OV_KEY_BYTES + 1];
  linde_open(&l, 9, false);
  linde_nights(&l, 3, 5);
  FX_OK(sv_keyring_get(l.org->keyring, SV_KEY_COMMIT_PARTICIPANT, &l.anna, key));
  ov_hex(key, OV_KEY_BYTES, hex);
  ASK(&l.aw, "{'cmd':'dump','organisation':'De Linde'}");
  char *text = json_dumps(l.aw.items, 0);
  assert_non_null(strstr(text, "Anna"));
  assert_non_null(strstr(text, "sol_min"));
  assert_null(strstr(text, hex));
  free(text);
  assert_int_equal(aw_int(&l.aw, "lines"), json_array_size(l.aw.items));
  assert_non_null(
      strstr(json_string_value(json_array_get(json_object_get(l.aw.reply, "notes"), 0)), "personal data"));
  ASK(&l.aw, "{'cmd':'dump','organisation':'De Linde','no_payload':true,'only':'ops'}");
  text = json_dumps(l.aw.items, 0);
  assert_null(strstr(text, "Anna"));
  assert_null(strstr(text, "sol_min"));
  free(text);
  fx_create(l.tab, SLEEP, &l.anna, (ov_field[]){FX_INT(10, NIGHT - 400), FX_INT(11, 1)}, 2);
  fx_drop(l.tab, 4); /* a tablet that forgot it sends the place in its log only */
  fx_push_ok(l.tab, l.org, 4, 4);
  ASK(&l.aw, "{'cmd':'dump','organisation':'De Linde','only':'ops'}");
  unsigned voids = 0;
  for (size_t i = 0; i < json_array_size(l.aw.items); i++) {
    const json_t *line = json_array_get(l.aw.items, i);
    if (!json_is_true(json_object_get(line, "void"))) continue;
    voids++;
    assert_null(json_object_get(line, "record"));
  }
  assert_int_equal(voids, 1);
  REFUSED(&l.aw, OV_E_INVALID, "ops or records", "{'cmd':'dump','only':'all'}");
  ASK(&l.aw, "{'cmd':'dump'}");
  l.aw.hang_up_after = 4;
  assert_int_equal(aw_ask(&l.aw, "{'cmd':'dump'}"), OV_E_CANCELLED);
  assert_true(l.aw.lines <= 5);
  linde_close(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(requests_that_are_none, setup, teardown),
      cmocka_unit_test_setup_teardown(a_request_that_is_too_long, setup, teardown),
      cmocka_unit_test_setup_teardown(odd_json_is_answered, setup_org, teardown),
      cmocka_unit_test_setup_teardown(an_organisation_without_the_master_key, setup_org, teardown),
      cmocka_unit_test_setup_teardown(one_organisation_too_many, setup, teardown),
      cmocka_unit_test_setup_teardown(organisations, setup, teardown),
      cmocka_unit_test_setup_teardown(teams, setup_org, teardown),
      cmocka_unit_test_setup_teardown(people, setup_org, teardown),
      cmocka_unit_test_setup_teardown(participants, setup_org, teardown),
      cmocka_unit_test_setup_teardown(reference_data, setup_org, teardown),
      cmocka_unit_test_setup_teardown(wrong_values, setup_org, teardown),
      cmocka_unit_test_setup_teardown(care_records, setup_org, teardown),
      cmocka_unit_test_setup_teardown(sets, setup_org, teardown),
      cmocka_unit_test_setup_teardown(kinds_and_schemas, setup_org, teardown),
      cmocka_unit_test_setup_teardown(releases, setup_org, teardown),
      cmocka_unit_test(a_recount_tells_what_is_wrong),
      cmocka_unit_test_setup_teardown(the_p_of_a_programme, setup_org, teardown),
      cmocka_unit_test_setup_teardown(devices, setup_org, teardown),
      cmocka_unit_test_setup_teardown(addresses_of_the_web_app, setup_org, teardown),
      cmocka_unit_test(revoking_cuts_every_key),
      cmocka_unit_test(held_ops_are_ruled_on),
      cmocka_unit_test_setup_teardown(status_and_keys, setup_org, teardown),
      cmocka_unit_test(dumps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
