/* Administration in the audit: what is done and looked at leaves a line, without anything that was typed; who
 * saw a client is shown; reading the audit is in it; damage is found. */
#include <stdio.h>
#include <stdlib.h>

#include "admin_world.h"
#include "sv_audit.h"

static int setup(void **state) {
  linde *l = calloc(1, sizeof *l);
  linde_open(l, 30, false);
  linde_nights(l, 2, 3);
  *state = l;
  return 0;
}

static int teardown(void **state) {
  linde_close(*state);
  free(*state);
  return 0;
}

static unsigned listed(linde *l, const char *type) {
  unsigned n = 0;
  size_t i;
  const json_t *item;
  ASK(&l->aw, "{'cmd':'audit list','limit':1000}");
  json_array_foreach(json_object_get(l->aw.reply, "items"), i, item)
      n += !strcmp(json_string_value(json_object_get(item, "type")), type);
  return n;
}

static void who_saw_this_client(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'record list','kind':'sleep','participant':'Anna'}");
  ASK(&l->aw, "{'cmd':'participant edit','participant':'Anna','label':'Anne'}");
  ASK(&l->aw, "{'cmd':'audit list','participant':'Anne'}");
  const json_t *search = aw_item(&l->aw, "type", "search"), *change = aw_item(&l->aw, "type", "admin"),
               *entry = aw_item(&l->aw, "type", "entry");
  assert_non_null(search);
  assert_non_null(change);
  assert_non_null(entry); /* the nights that Jan wrote */
  assert_string_equal(json_string_value(json_object_get(entry, "who")), "Jan");
  assert_string_equal(json_string_value(json_object_get(entry, "role")), "care_staff");
  assert_string_equal(json_string_value(json_object_get(search, "detail")), "record list");
  ASK(&l->aw, "{'cmd':'audit list','participant':'Anne','role':'care_staff'}");
  assert_null(aw_item(&l->aw, "type", "search"));
  assert_non_null(aw_item(&l->aw, "type", "entry"));
  ASK(&l->aw, "{'cmd':'audit list','person':'Jan','type':'entry'}");
  assert_true(json_array_size(json_object_get(l->aw.reply, "items")) > 0);
  ASK(&l->aw, "{'cmd':'audit list','person':'Ria'}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 0);
  ASK(&l->aw, "{'cmd':'audit list','from':'2040-01-01'}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 0);
  REFUSED(&l->aw, OV_E_NOTFOUND, "no participant", "{'cmd':'audit list','participant':'Nobody'}");
}

/* By the tablet that it came from; and no more lines than were asked for. */
static void what_came_from_this_device(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'record list','kind':'sleep'}");
  ASK(&l->aw, "{'cmd':'device add','name':'other','team':['Eik'],'no_code':true}");
  ASK(&l->aw, "{'cmd':'audit list','device':'tablet'}");
  size_t n = json_array_size(json_object_get(l->aw.reply, "items"));
  assert_true(n > 0);
  assert_non_null(aw_item(&l->aw, "type", "entry"));
  assert_null(aw_item(&l->aw, "type", "search"));
  ASK(&l->aw, "{'cmd':'audit list','device':'other'}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 0);
  REFUSED(&l->aw, OV_E_NOTFOUND, "no device", "{'cmd':'audit list','device':'none'}");
  ASK(&l->aw, "{'cmd':'audit list','limit':1}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 1);
  char *notes = json_dumps(json_object_get(l->aw.reply, "notes"), 0);
  assert_non_null(strstr(notes, "there are more: raise --limit"));
  free(notes);
}

static void reading_the_audit_is_in_it(void **state) {
  linde *l = *state;
  unsigned before = listed(l, "read-log");
  assert_int_equal(listed(l, "read-log"), before + 1);
  ASK(&l->aw, "{'cmd':'audit export'}");
  assert_true(json_array_size(l->aw.items) >= 3);
  const json_t *line = json_array_get(l->aw.items, 0);
  static const char *const fields[] = {"event_id",          "time",
                                       "event_action_code", "outcome",
                                       "user_id",           "role",
                                       "purpose_of_use",    "user_is_requestor",
                                       "participant_id",    "object_id",
                                       "audit_source_id",   "emergency",
                                       "export_id",         "network_access_point_id"};
  for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
    assert_non_null(json_object_get(line, fields[i]));
  assert_int_equal(listed(l, "read-log"), before + 3);
}

typedef struct meant {
  const char *request, *type, *action, *purpose, *outcome;
  bool anna;
  uint16_t kind;
  int life_cycle, object_type; /* codes of RFC 3881; 0: none */
} meant;

static const char *text_of(const json_t *line, const char *key) {
  const char *v = json_string_value(json_object_get(line, key));
  return v ? v : "";
}

static json_int_t number_of(const json_t *line, const char *key) {
  return json_integer_value(json_object_get(line, key));
}

/* The line before that of the export itself. */
static const json_t *last_line(linde *l) {
  ASK(&l->aw, "{'cmd':'audit export'}");
  return json_array_get(l->aw.items, json_array_size(l->aw.items) - 2);
}

static void check_line(linde *l, const meant *m) {
  char anna[OV_NAME_TEXT_MAX];
  const json_t *line = last_line(l);
  ov_name_text(&l->anna, anna);
  if (strcmp(text_of(line, "type"), m->type) || strcmp(text_of(line, "event_type_code"), m->type) ||
      strcmp(text_of(line, "event_action_code"), m->action) ||
      strcmp(text_of(line, "purpose_of_use"), m->purpose) || strcmp(text_of(line, "outcome"), m->outcome) ||
      strcmp(text_of(line, "participant_id"), m->anna ? anna : "") ||
      number_of(line, "object_kind") != m->kind ||
      number_of(line, "participant_object_data_life_cycle") != m->life_cycle ||
      number_of(line, "participant_object_type_code") != m->object_type)
    fail_msg("%s: %s", m->request, json_dumps(line, 0));
  assert_string_equal(text_of(line, "participant_object_sensitivity"), m->anna ? "health" : "");
  assert_int_equal(number_of(line, "network_access_point_type_code"), 1); /* this machine */
  assert_string_equal(text_of(line, "alternate_user_id"), l->aw.host.user);
  assert_true(json_is_true(json_object_get(line, "user_is_requestor")));
}

static void what_is_done_is_called_what_it_is(void **state) {
  linde *l = *state;
  char night[OV_NAME_TEXT_MAX], show[100], held[140], retract[140];
  ov_name name = linde_nights(l, 1, 601);
  ov_name_text(&name, night);
  snprintf(show, sizeof show, "{'cmd':'record show','record':'%s'}", night);
  snprintf(retract, sizeof retract, "{'cmd':'record retract','record':'%s','reason':'dubbel'}", night);
  snprintf(held, sizeof held, "{'cmd':'held admit','op':'%s','reason':'looked at'}", night);
  const meant all[] = {
      {"{'cmd':'record list','kind':'sleep','participant':'Anna'}", "search", "R", "administration", "done",
       true, 0, 6, 1},
      {show, "show", "R", "administration", "done", true, SLEEP, 6, 1},
      {"{'cmd':'record show','record':'nothing'}", "show", "R", "administration", "refused", false, 0, 6, 0},
      {held, "ruling", "U", "administration", "done", true, SLEEP, 3, 1},
      {"{'cmd':'participant edit','participant':'Anna','label':'Anna'}", "admin", "U", "administration",
       "done", true, OV_KIND_PARTICIPANT, 3, 1},
      {"{'cmd':'person add','name':'Piet','role':'1','team':['Beuk']}", "admin", "C", "administration",
       "done", false, OV_KIND_PERSON, 1, 2},
      {"{'cmd':'audit list'}", "read-log", "R", "administration", "done", false, 0, 6, 0},
      {"{'cmd':'audit export'}", "read-log", "R", "administration", "done", false, 0, 6, 0},
      {"{'cmd':'audit verify'}", "read-log", "R", "operation", "done", false, 0, 6, 0},
      {"{'cmd':'dump'}", "export", "R", "operation", "done", false, 0, 10, 0},
      {"{'cmd':'participant copy','participant':'Anna','out':'%s/anna.html'}", "export", "R", "client rights",
       "done", true, 0, 10, 1},
      {"{'cmd':'backup-keys','dir':'%s/keys'}", "copy", "R", "operation", "done", false, 0, 13, 0},
      {retract, "admin", "D", "administration", "done", true, SLEEP, 14, 1},
      {"{'cmd':'device code','device':'tablet'}", "admin", "E", "administration", "done", false,
       OV_KIND_DEVICE, 0, 2},
      {"{'cmd':'device revoke','device':'tablet'}", "revoke", "E", "administration", "done", false,
       OV_KIND_DEVICE, 0, 2},
      {"{'cmd':'erase','participant':'Anna','reason':'gevraagd'}", "erase", "D", "client rights", "done",
       true, 0, 15, 1},
  };
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    json_t *request;
    char text[400];
    snprintf(text, sizeof text, strchr(all[i].request, '%') ? "%.*s%s%s" : "%.*s",
             (int)strcspn(all[i].request, "%"), all[i].request, l->aw.w.dir,
             strchr(all[i].request, '%') ? strchr(all[i].request, '%') + 2 : "");
    for (char *c = text; *c; c++) *c = *c == '\'' ? '"' : *c;
    assert_non_null(request = json_loads(text, 0, NULL));
    (void)aw_ask_json(&l->aw, request);
    check_line(l, &all[i]);
  }
}

static unsigned searches_of(linde *l, const char *participant, const char *detail) {
  unsigned n = 0;
  size_t i;
  const json_t *item;
  char request[200];
  snprintf(request, sizeof request,
           "{\"cmd\":\"audit list\",\"type\":\"search\",\"limit\":1000,\"participant\":\"%s\"}", participant);
  json_t *asked = json_loads(request, 0, NULL);
  assert_int_equal(aw_ask_json(&l->aw, asked), 0);
  json_array_foreach(json_object_get(l->aw.reply, "items"), i, item)
      n += !strcmp(json_string_value(json_object_get(item, "detail")), detail);
  return n;
}

/* Who asks who saw a client finds the lists too in which the client was one of many. */
static void a_list_is_found_at_every_client_in_it(void **state) {
  linde *l = *state;
  unsigned before = listed(l, "search");
  ASK(&l->aw, "{'cmd':'participant add','label':'Bert','team':['Beuk']}");
  linde_nights(l, 3, 3);
  linde_nights(l, 1, 601); /* is held */
  ASK(&l->aw, "{'cmd':'participant list'}");
  assert_int_equal(searches_of(l, "Anna", "participant list"), 1);
  assert_int_equal(searches_of(l, "Bert", "participant list"), 1);
  ASK(&l->aw, "{'cmd':'record list','kind':'sleep'}");
  size_t nights = json_array_size(json_object_get(l->aw.reply, "items"));
  assert_true(nights >= 3);
  assert_int_equal(number_of(last_line(l), "object_count"), nights);
  assert_int_equal(searches_of(l, "Anna", "record list"), 1);
  assert_int_equal(searches_of(l, "Bert", "record list"), 0);
  ASK(&l->aw, "{'cmd':'held list'}");
  assert_int_equal(searches_of(l, "Anna", "held list"), 1);
  assert_int_equal(listed(l, "search"), before + 4);
  ASK(&l->aw, "{'cmd':'record list','kind':'person'}"); /* about no client: one line */
  assert_int_equal(listed(l, "search"), before + 5);
}

/* More clients than go into one transaction of the audit. */
static void a_list_of_many_clients_leaves_a_line_for_each(void **state) {
  enum { MANY = 300 };
  linde *l = *state;
  for (unsigned i = 0; i < MANY; i++) {
    char request[120];
    snprintf(request, sizeof request, "{\"cmd\":\"participant add\",\"label\":\"C%u\",\"team\":[\"Beuk\"]}",
             i);
    json_t *asked = json_loads(request, 0, NULL);
    assert_int_equal(aw_ask_json(&l->aw, asked), 0);
  }
  unsigned before = listed(l, "search");
  ASK(&l->aw, "{'cmd':'participant list'}");
  assert_int_equal(listed(l, "search"), before + MANY + 1); /* and Anna */
  assert_int_equal(searches_of(l, "C299", "participant list"), 1);
}

/* A push of a tablet: by whom, in which role, through which team and device, to what the client had
 * agreed. */
static void an_entry_says_who_and_on_what_ground(void **state) {
  linde *l = *state;
  char jan[OV_NAME_TEXT_MAX], anna[OV_NAME_TEXT_MAX];
  ov_name_text(&l->jan, jan);
  ov_name_text(&l->anna, anna);
  linde_nights(l, 2, 3);
  const json_t *line = last_line(l);
  assert_string_equal(text_of(line, "type"), "entry");
  assert_string_equal(text_of(line, "event_action_code"), "C");
  assert_string_equal(text_of(line, "user_id"), jan);
  assert_string_equal(text_of(line, "role"), "care_staff");
  assert_string_equal(text_of(line, "purpose_of_use"), "care");
  assert_string_equal(text_of(line, "participant_id"), anna);
  assert_int_equal(number_of(line, "object_kind"), SLEEP);
  assert_int_equal(number_of(line, "object_count"), 2);
  assert_int_equal(number_of(line, "treatment_relation_team"), l->beuk);
  assert_int_equal(number_of(line, "participant_object_data_life_cycle"), 1);
  assert_int_equal(number_of(line, "participant_object_type_code_role"), 1);
  assert_int_equal(strlen(text_of(line, "network_access_point_id")), 2 * OV_ID_BYTES);
  assert_int_equal(json_array_size(json_object_get(line, "consent_profile")), 0);
  assert_int_equal(strlen(text_of(line, "audit_enterprise_site_id")), 2 * OV_ID_BYTES);
  assert_true(json_is_false(json_object_get(line, "emergency")));
}

/* What somebody types never comes into a line: it outlives the client's data. */
static void nothing_typed_is_in_a_line(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'participant add','label':'PLANTED1','team':['Beuk']}");
  ASK(&l->aw, "{'cmd':'record list','kind':'sleep','participant':'PLANTED1'}");
  (void)aw_ask(&l->aw, "{'cmd':'record show','record':'PLANTED2'}");
  sv_txn *t = NULL;
  uint64_t at = 0;
  unsigned lines = 0;
  FX_OK(sv_txn_read(l->org->env, &t));
  while (!sv_audit_next(t, at, &at)) {
    ov_hash prev;
    ov_buf b;
    ov_buf_init(&b, 0);
    FX_OK(sv_audit_line(t, at, &prev, &b));
    assert_null(memmem(b.p, b.n, "PLANTED", 7));
    ov_buf_free(&b);
    lines++;
  }
  sv_txn_abort(t);
  assert_true(lines >= 3);
}

static void damage_is_found(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'audit list'}");
  ASK(&l->aw, "{'cmd':'audit verify'}");
  ASK(&l->aw, "{'cmd':'verify'}");
  WRITE(l->org, t, {
    sv_audit_event e;
    FX_OK(sv_audit_get(t, 1, &e));
    FX_OK(sv_audit_del(t, 1, e.has_participant ? &e.participant : NULL));
  });
  REFUSED(&l->aw, OV_E_CORRUPT, "line 1", "{'cmd':'audit verify'}");
  assert_int_equal(aw_ask(&l->aw, "{'cmd':'verify'}"), OV_E_CORRUPT);
  assert_true(aw_found(&l->aw, "a line is missing"));
}

static void terms(void **state) {
  linde *l = *state;
  REFUSED(&l->aw, OV_E_INVALID, "at least 5 years", "{'cmd':'audit cut','years':4}");
  ASK(&l->aw, "{'cmd':'audit cut','years':5}");
  assert_int_equal(aw_int(&l->aw, "cut"), 0);
  l->aw.w.now_ms += 6 * 31557600000LL;
  ASK(&l->aw, "{'cmd':'audit cut','years':5}");
  assert_true(aw_int(&l->aw, "cut") > 0);
  ASK(&l->aw, "{'cmd':'verify'}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(who_saw_this_client, setup, teardown),
      cmocka_unit_test_setup_teardown(a_list_is_found_at_every_client_in_it, setup, teardown),
      cmocka_unit_test_setup_teardown(a_list_of_many_clients_leaves_a_line_for_each, setup, teardown),
      cmocka_unit_test_setup_teardown(what_came_from_this_device, setup, teardown),
      cmocka_unit_test_setup_teardown(reading_the_audit_is_in_it, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_done_is_called_what_it_is, setup, teardown),
      cmocka_unit_test_setup_teardown(an_entry_says_who_and_on_what_ground, setup, teardown),
      cmocka_unit_test_setup_teardown(nothing_typed_is_in_a_line, setup, teardown),
      cmocka_unit_test_setup_teardown(damage_is_found, setup, teardown),
      cmocka_unit_test_setup_teardown(terms, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
