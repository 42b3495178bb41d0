/* What the client does not write, and says why; what it is called by; and drafts and sets at their limits. */
#include "home.h"

#define QUALITY 19 /* field of kind sleep */

static oc_error e;

static void refused(int err, int want, const char *message) {
  assert_int_equal(err, want);
  assert_int_equal(e.err, want);
  assert_string_equal(e.message, message);
}

static oc_draft *night(home *h, tablet *t, const char *date) {
  char client[OC_ID_TEXT];
  oc_draft *d = oc_draft_new(t->s, "sleep");
  ov_name_text(&h->client, client);
  assert_int_equal(oc_draft_participant(d, client, &e), 0);
  assert_int_equal(oc_draft_author(d, "Ann", &e), 0);
  assert_int_equal(oc_draft_set(d, "night_date", date, &e), 0);
  assert_int_equal(oc_draft_set(d, "source", "1", &e), 0);
  return d;
}

static void add_night(home *h, tablet *t, const char *date, char id[OC_ID_TEXT]) {
  oc_draft *d = night(h, t, date);
  assert_int_equal(oc_add(t->s, d, id, &e), 0);
  oc_draft_free(d);
}

static void move_client(home *h, uint32_t from, uint32_t to) {
  ov_field f = fx_set(&h->w.fx, SV_PARTICIPANT_TEAMS, (int64_t[]){to}, 1, (int64_t[]){from}, 1);
  fx_change(&h->w.fx, h->w.org, &h->client, &f, 1);
  later(h);
}

/* -- the draft ------------------------------------------------------------------------------------------- */

/* A form sets its note at each keystroke: what it had before takes no room for good, and nothing else of the
 * draft is lost by that. */
static void a_long_note_key_by_key(void **state) {
  home *h = *state;
  static char text[2001];
  char id[OC_ID_TEXT], short_of[256];
  oc_draft *d = night(h, &h->a, "2025-10-01");
  assert_int_equal(oc_draft_set(d, "disturbance", "3,1", &e), 0);
  memset(text, 'a', sizeof text - 1);
  for (int i = 0; i < 3000; i++) { /* 6 MB */
    text[i % 2000] = (char)('a' + i % 26);
    assert_int_equal(oc_draft_set(d, "note", text, &e), 0);
  }
  assert_int_equal(oc_add(h->a.s, d, id, &e), 0);
  oc_draft_free(d);
  assert_string_equal(tablet_value(&h->a, id, "disturbance", NULL), "1,3");
  snprintf(short_of, sizeof short_of, "%.255s", text);
  assert_string_equal(tablet_value(&h->a, id, "note", NULL), short_of);
}

static void the_wrong_call_for_a_draft(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  add_night(h, &h->a, "2025-10-02", id);
  oc_draft *d = oc_draft_edit(h->a.s, id, &e);
  refused(oc_add(h->a.s, d, id, &e), OC_E_INVALID, "this draft edits a record: write it with oc_edit");
  oc_once once = {.draft = d};
  assert_int_equal(oc_add_once(h->a.s, &once, 1, false, &e), 0);
  assert_int_equal(once.outcome, OC_ONCE_REFUSED);
  assert_string_equal(once.error.message, "an import writes new records only");
  oc_draft_free(d);
  d = oc_draft_new(h->a.s, "barrier");
  assert_int_equal(oc_draft_author(d, "Ann", &e), 0);
  assert_int_equal(oc_draft_participant(d, "Client 1", &e), 0);
  refused(oc_add(h->a.s, d, id, &e), OC_E_INVALID, "barrier is not about a client");
  oc_draft_free(d);
}

static void retractions_say_who_and_why(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT], reason[OV_RETRACTION_BYTES_MAX + 2] = "";
  add_night(h, &h->a, "2025-10-03", id);
  refused(oc_retract(h->a.s, id, "", "fout", &e), OC_E_INVALID, "who writes this? give the author");
  assert_string_equal(e.message_nl, "Kies eerst wie dit invult.");
  refused(oc_retract(h->a.s, id, NULL, "fout", &e), OC_E_INVALID, "who writes this? give the author");
  memset(reason, 'x', sizeof reason - 1);
  refused(oc_retract(h->a.s, id, "Ann", reason, &e), OC_E_INVALID,
          "the reason is too long: 501 bytes, at most 500");
  refused(oc_retract(h->a.s, id, "Ann", "caf\xe9", &e), OC_E_INVALID, "the reason is not valid UTF-8");
  reason[OV_RETRACTION_BYTES_MAX] = 0;
  assert_int_equal(oc_retract(h->a.s, id, "Ann", reason, &e), 0);
}

static void values_that_are_too_much(void **state) {
  home *h = *state;
  static char text[16000];
  size_t n = 0;
  oc_draft *d = night(h, &h->a, "2025-10-04");
  memset(text, 'x', OV_TEXT_BYTES_MAX + 1);
  refused(oc_draft_set(d, "note", text, &e), OC_E_INVALID, "note: 10241 bytes are too long, at most 10240");
  assert_non_null(strstr(e.message_nl, "dit is te lang: 10241 bytes"));
  for (unsigned i = 0; i <= OV_SET_ELEMENTS_MAX; i++)
    n += (size_t)snprintf(text + n, sizeof text - n, "%s!%u", i ? "," : "", i + 1000);
  refused(oc_draft_set(d, "disturbance", text, &e), OC_E_INVALID, "disturbance: more than 256 at once");
  assert_non_null(strstr(e.message_nl, "meer dan 256 tegelijk"));
  oc_draft_free(d);
  memset(text, 'x', 1001);
  text[1001] = 0;
  refused(oc_setting_put(h->a.s, "author", text, &e), OC_E_INVALID,
          "a setting of 1001 bytes is too long, at most 1000");
}

/* -- names ----------------------------------------------------------------------------------------------- */

static void two_of_one_name(void **state) {
  home *h = *state;
  ov_name first = fx_participant(&h->w.fx, h->w.org, "Jan", &h->team, 1);
  char id[OC_ID_TEXT];
  fx_participant(&h->w.fx, h->w.org, "Jan", &h->team, 1);
  fx_participant(&h->w.fx, h->w.org, "jan", &h->team, 1);
  tablet_sync_ok(&h->a);
  oc_draft *d = oc_draft_new(h->a.s, "sleep");
  refused(oc_draft_participant(d, "Jan", &e), OC_E_INVALID,
          "2 of kind participant are called \"Jan\": give the id");
  assert_string_equal(e.message_nl, "'Jan' komt vaker voor. Kies uit de lijst.");
  refused(oc_draft_participant(d, "JAN", &e), OC_E_INVALID,
          "3 of kind participant are called \"JAN\": give the id");
  assert_int_equal(oc_draft_participant(d, "jan", &e), 0); /* to the letter there is one */
  ov_name_text(&first, id);
  assert_int_equal(oc_draft_participant(d, id, &e), 0);
  oc_draft_free(d);
}

/* Messages are cut between characters, wherever the end of their room falls; bytes that are no text stay
 * out. */
static void messages_stay_text(void **state) {
  home *h = *state;
  char asked[200];
  oc_query *q = NULL;
  for (int odd = 0; odd < 2; odd++) {
    asked[0] = 'x';
    for (int i = odd; i + 2 < (int)sizeof asked; i += 2) memcpy(asked + i, "\xc3\xa9", 3);
    oc_draft *d = oc_draft_new(h->a.s, "sleep");
    assert_int_equal(oc_draft_participant(d, asked, &e), OC_E_NOTFOUND);
    assert_true(ov_utf8_valid((const uint8_t *)e.message, strlen(e.message)));
    assert_true(ov_utf8_valid((const uint8_t *)e.message_nl, strlen(e.message_nl)));
    assert_memory_equal(e.message + strlen("no participant \""), asked, 59);
    oc_draft_free(d);
  }
  refused(oc_show(h->a.s, "caf\xe9!", &q, &e), OC_E_NOTFOUND, "no record \"caf!\" here");
}

/* -- a kind of the team, without a client ---------------------------------------------------------------- */

static void note_home(home *h, tablet *c, bool both) {
  uint32_t teams[2];
  home_open(h);
  teams[0] = h->team;
  teams[1] = h->other;
  world_publish(&h->w, OV_SOURCE_DIR "/tests/client/schema");
  tablet_open(c, &h->w, "c");
  tablet_enrol(c, "c", teams, both ? 2 : 1);
  tablet_sync_ok(c);
}

static oc_draft *note(tablet *t) {
  oc_draft *d = oc_draft_new(t->s, "team_note");
  assert_int_equal(oc_draft_author(d, "Ann", &e), 0);
  return d;
}

static uint32_t scope_of(home *h, const char *id) {
  sv_record_row row;
  ov_name name = name_of(id);
  assert_true(fx_record(&h->w.fx, h->w.org, &name, &row));
  return row.rec.scope;
}

static void which_team_is_said_or_known(void **state) {
  (void)state;
  home h;
  tablet c;
  char id[OC_ID_TEXT], number[12];
  note_home(&h, &c, true);
  uint32_t third = fx_team(&h.w.fx, h.w.org, "Kantoor");
  fx_team(&h.w.fx, h.w.org, "Woning 3");
  tablet_sync_ok(&c);
  oc_draft *d = note(&c);
  assert_int_equal(oc_draft_set(d, "title", "Sleutel kwijt", &e), 0);
  assert_int_equal(oc_draft_set(d, "about", "Woning 2", &e), 0);
  refused(oc_add(c.s, d, id, &e), OC_E_INVALID, "this device is in 2 teams: say which one it is about");
  assert_string_equal(e.message_nl, "Kies eerst een team.");
  refused(oc_draft_team(d, "Woning 9", &e), OC_E_NOTFOUND, "no team \"Woning 9\" here");
  refused(oc_draft_set(d, "about", "Woning 9", &e), OC_E_NOTFOUND, "no team \"Woning 9\" here");
  snprintf(number, sizeof number, "%u", third);
  assert_int_equal(oc_draft_team(d, number, &e), 0);
  refused(oc_add(c.s, d, id, &e), OC_E_INVALID, "this device is not in that team");
  assert_int_equal(oc_draft_team(d, "woning 2", &e), 0);
  assert_int_equal(oc_add(c.s, d, id, &e), 0);
  tablet_sync_ok(&c);
  assert_int_equal(scope_of(&h, id), h.other);
  snprintf(number, sizeof number, "%u", h.other);
  assert_string_equal(tablet_value(&c, id, "about", NULL), number);
  snprintf(number, sizeof number, "%u", h.team);
  assert_int_equal(oc_draft_team(d, number, &e), 0);
  assert_int_equal(oc_add(c.s, d, id, &e), 0);
  oc_draft_free(d);
  tablet_sync_ok(&c);
  assert_int_equal(scope_of(&h, id), h.team);
  assert_int_equal(oc_verify(c.s, &e), 0);
  tablet_close(&c);
  home_close(&h);
}

static void the_only_team_goes_without_saying(void **state) {
  (void)state;
  home h;
  tablet c;
  char id[OC_ID_TEXT], other[OC_ID_TEXT], title[220];
  oc_query *q = NULL;
  static char text[7001];
  note_home(&h, &c, false);
  oc_draft *d = note(&c);
  assert_int_equal(oc_draft_set(d, "number", "5", &e), 0);
  assert_int_equal(oc_add(c.s, d, id, &e), 0);
  oc_draft_free(d);
  tablet_sync_ok(&c);
  assert_int_equal(scope_of(&h, id), h.team);
  assert_int_equal(oc_show(c.s, id, &q, &e), 0);
  /* a unit that has no words */
  assert_string_equal(oc_record_value(oc_query_at(q, 0), 0)->text_nl, "5 point");
  oc_query_free(q);
  /* It is called by its number, until it has a title; that is cut between characters. */
  d = note(&c);
  assert_int_equal(oc_draft_set(d, "answers", id, &e), 0);
  assert_int_equal(oc_add(c.s, d, other, &e), 0);
  oc_draft_free(d);
  for (int round = 0; round < 3; round++) {
    assert_int_equal(oc_show(c.s, other, &q, &e), 0);
    const char *shown = oc_record_value(oc_query_at(q, 0), 0)->text_nl;
    if (!round) assert_string_equal(shown, "5");
    assert_true(ov_utf8_valid((const uint8_t *)shown, strlen(shown)));
    if (round) assert_in_range(strlen(shown), 157, 159);
    if (round) assert_memory_equal(shown, title, strlen(shown));
    oc_query_free(q);
    snprintf(title, sizeof title, "%s", round ? "x" : "");
    for (int i = 0; i < 90; i++) strcat(title, "\xc3\xa9");
    d = oc_draft_edit(c.s, id, &e);
    assert_int_equal(oc_draft_author(d, "Ann", &e), 0);
    assert_int_equal(oc_draft_set(d, "title", title, &e), 0);
    assert_int_equal(oc_edit(c.s, d, &e), 0);
    oc_draft_free(d);
  }
  /* Each text has room, the two together have not. */
  d = note(&c);
  memset(text, 'x', sizeof text - 1);
  assert_int_equal(oc_draft_set(d, "first", text, &e), 0);
  assert_int_equal(oc_draft_set(d, "second", text, &e), 0);
  refused(oc_add(c.s, d, other, &e), OC_E_INVALID, "the entry is larger than 12288 bytes: shorten its texts");
  assert_string_equal(e.message_nl, "De tekst is te lang. Maak de opmerking korter.");
  text[5000] = 0;
  assert_int_equal(oc_draft_set(d, "second", text, &e), 0);
  assert_int_equal(oc_add(c.s, d, other, &e), 0);
  oc_draft_free(d);
  tablet_sync_ok(&c);
  assert_int_equal(oc_verify(c.s, &e), 0);
  tablet_close(&c);
  home_close(&h);
}

/* -- conflicts in sets ----------------------------------------------------------------------------------- */

/* Element 5 is in conflict, 1 is not. */
static void set_in_conflict(home *h, const char *date, char id[OC_ID_TEXT]) {
  add_night(h, &h->a, date, id);
  tablet_edit(&h->a, id, &h->ann, "disturbance=1,5", NULL);
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  tablet_edit(&h->b, id, &h->bea, "disturbance=-5", NULL);
  tablet_edit(&h->a, id, &h->ann, "disturbance=-5", NULL);
  tablet_edit(&h->a, id, &h->ann, "disturbance=5", NULL); /* deleted there, deleted and added again here */
  tablet_sync_ok(&h->a);
  tablet_sync_ok(&h->b);
  tablet_sync_ok(&h->a);
}

static unsigned conflicts(home *h, const char *id) {
  oc_query *q = NULL;
  assert_int_equal(oc_show(h->a.s, id, &q, &e), 0);
  unsigned n = oc_record_conflicts(oc_query_at(q, 0));
  oc_query_free(q);
  return n;
}

static void an_edit_of_a_set_leaves_its_conflict_alone(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  static const char *const touching[] = {"5", "!5", "=1,2", "="};
  set_in_conflict(h, "2025-09-10", id);
  oc_draft *d = oc_draft_edit(h->a.s, id, &e);
  for (size_t i = 0; i < sizeof touching / sizeof *touching; i++)
    refused(oc_draft_set(d, "disturbance", touching[i], &e), OC_E_CONFLICT,
            "disturbance: two people wrote different things here; settle it with resolve");
  assert_int_equal(oc_draft_set(d, "disturbance", "2,!1", &e), 0);
  assert_int_equal(oc_draft_author(d, "Ann", &e), 0);
  assert_int_equal(oc_edit(h->a.s, d, &e), 0);
  oc_draft_free(d);
  assert_int_equal(conflicts(h, id), 1);
}

/* "=..." names all that is to be in it: what is in conflict is settled, the rest goes. */
static void a_conflict_settled_with_the_whole_set(void **state) {
  home *h = *state;
  char id[OC_ID_TEXT];
  set_in_conflict(h, "2025-09-11", id);
  assert_int_equal(oc_resolve(h->a.s, id, "disturbance", "=5,2", "Ann", &e), 0);
  assert_int_equal(conflicts(h, id), 0);
  assert_string_equal(tablet_value(&h->a, id, "disturbance", NULL), "2,5");
  set_in_conflict(h, "2025-09-12", id);
  assert_int_equal(oc_resolve(h->a.s, id, "disturbance", "=", "Ann", &e), 0);
  assert_int_equal(conflicts(h, id), 0);
  assert_string_equal(tablet_value(&h->a, id, "disturbance", NULL), "");
  refused(oc_resolve(h->a.s, id, "disturbances", "=", "Ann", &e), OC_E_NOTFOUND,
          "this record has no field \"disturbances\"");
}

/* -- clients who leave ----------------------------------------------------------------------------------- */

/* The form was open when the client moved away. */
static void a_client_who_moved_while_the_form_was_open(void **state) {
  (void)state;
  home h;
  char id[OC_ID_TEXT], own[OC_ID_TEXT];
  home_open(&h);
  add_night(&h, &h.b, "2025-10-06", id);
  tablet_sync_ok(&h.b);
  tablet_sync_ok(&h.a);
  oc_draft *d = night(&h, &h.a, "2025-10-07"), *edit = oc_draft_edit(h.a.s, id, &e);
  assert_int_equal(oc_draft_set(edit, "quality", "2", &e), 0);
  assert_int_equal(oc_draft_author(edit, "Bea", &e), 0);
  move_client(&h, h.team, h.other);
  tablet_sync_ok(&h.a);
  refused(oc_add(h.a.s, d, own, &e), OC_E_INVALID, "this client is in none of this device's teams any more");
  assert_string_equal(e.message_nl, "Deze cliënt hoort niet meer bij dit team.");
  refused(oc_edit(h.a.s, edit, &e), OC_E_NOTFOUND,
          "the client's (or team's) record is not on this device, so nothing can be written about it; sync "
          "first");
  assert_string_equal(e.message_nl, "Deze cliënt staat niet meer op deze tablet. Maak eerst verbinding.");
  assert_int_equal(tablet_status(&h.a).unsent, 0);
  oc_draft_free(d);
  oc_draft_free(edit);
  home_close(&h);
}

static ov_name last_op(tablet *t) {
  oc_txn *x = NULL;
  oc_log_row row;
  ov_arena a;
  ov_arena_init(&a, 1u << 20);
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  FX_OK(oc_log_get(x, &t->s->self.writer, t->s->self.last.seq, &a, &row));
  oc_txn_abort(x);
  ov_name name = row.op.name;
  ov_arena_free(&a);
  return name;
}

/* An own entry that was not sent is still here though its client is not: who looks at it is noted, and syncs
 * go on. PROTO-163 */
static void a_look_at_an_entry_of_a_client_who_left(void **state) {
  (void)state;
  home h;
  char id[OC_ID_TEXT];
  oc_query *q = NULL;
  oc_session *cs = NULL;
  size_t n = 0;
  home_open(&h);
  assert_int_equal(oc_session_new(h.a.s, &(oc_sync_options){.live = true}, &cs, &e), 0);
  world_wire *w = world_connect(&h.w, cs);
  assert_int_equal(world_pump(w, &e), 0);
  add_night(&h, &h.a, "2025-10-06", id);
  assert_non_null(oc_session_output(cs, &n)); /* taken, and lost on its way */
  move_client(&h, h.team, h.other);
  sv_server_changed(h.w.server, h.w.org, (const uint32_t[]){h.team, h.other}, 2);
  assert_int_equal(world_pump(w, &e), 0);
  world_disconnect(w);
  oc_session_free(cs);
  assert_int_equal(oc_look_as(h.a.s, "Ann", &e), 0);
  assert_int_equal(oc_show(h.a.s, id, &q, &e), 0);
  char client[OC_ID_TEXT];
  ov_name_text(&h.client, client);
  assert_string_equal(oc_record_participant(oc_query_at(q, 0)), client); /* its name is not here */
  oc_query_free(q);
  assert_int_equal(tablet_status(&h.a).looks, 1);
  assert_int_equal(oc_looks_hand_over(h.a.s), 0);
  ov_name look = last_op(&h.a);
  tablet_sync_ok(&h.a);
  assert_int_equal(tablet_status(&h.a).looks, 0);
  uint8_t why = 0;
  assert_int_equal(fx_verdict(&h.w.fx, h.w.org, &look, &why), OV_APPLIED);
  sv_op_row row;
  assert_true(fx_op(&h.w.fx, h.w.org, &look, &row));
  assert_int_equal(row.op.kind, OV_KIND_LOOK);
  assert_int_equal(row.op.scope, h.team); /* through which the entry was seen */
  assert_int_equal(oc_verify(h.a.s, &e), 0);
  home_close(&h);
}

/* -- imports --------------------------------------------------------------------------------------------- */

static int import(home *h, oc_once *it, const char *client, uint8_t content, const char *quality) {
  it->key[0] = 9;
  it->content[0] = content;
  it->draft = night(h, &h->a, "2025-09-20");
  assert_int_equal(oc_draft_participant(it->draft, client, &e), 0);
  assert_int_equal(oc_draft_set(it->draft, "quality", quality, &e), 0);
  int err = oc_add_once(h->a.s, it, 1, false, &e);
  oc_draft_free(it->draft);
  it->draft = NULL;
  return err;
}

static void an_import_never_moves_to_another_client(void **state) {
  home *h = *state;
  oc_once it = {0};
  char id[OC_ID_TEXT];
  fx_participant(&h->w.fx, h->w.org, "Client 2", &h->team, 1);
  tablet_sync_ok(&h->a);
  assert_int_equal(import(h, &it, "Client 1", 1, "3"), 0);
  assert_int_equal(it.outcome, OC_ONCE_NEW);
  snprintf(id, sizeof id, "%s", it.id);
  assert_int_equal(import(h, &it, "Client 2", 2, "3"), 0);
  assert_int_equal(it.outcome, OC_ONCE_REFUSED);
  assert_string_equal(it.error.message,
                      "an earlier import wrote this entry about another client; retract that one first");
  assert_string_equal(tablet_value(&h->a, id, "quality", NULL), "3");
}

/* The entry has left the window since: a correction of it still replaces what the import wrote, and only
 * that. */
static void a_correction_of_what_is_no_longer_here(void **state) {
  (void)state;
  home h;
  oc_once it = {0};
  char id[OC_ID_TEXT];
  home_open(&h);
  assert_int_equal(import(&h, &it, "Client 1", 1, "3"), 0);
  snprintf(id, sizeof id, "%s", it.id);
  assert_int_equal(import(&h, &it, "Client 1", 2, "4"), 0);
  assert_int_equal(it.outcome, OC_ONCE_CHANGED);
  tablet_sync_ok(&h.a);
  days_later(&h, 90);
  tablet_sync_ok(&h.a);
  assert_false(tablet_has(&h.a, id));
  assert_int_equal(import(&h, &it, "Client 1", 3, "5"), 0);
  assert_int_equal(it.outcome, OC_ONCE_CHANGED);
  assert_string_equal(it.id, id);
  tablet_sync_ok(&h.a);
  ov_name name = name_of(id);
  sv_record_row row;
  assert_true(fx_record(&h.w.fx, h.w.org, &name, &row));
  assert_int_equal(fx_int(&row, QUALITY), 5);
  assert_int_equal(ov_record_conflicts(&row.rec), 0);
  fx_verify(&h.w.fx, h.w.org);
  home_close(&h);
}

static int setup(void **state) {
  static home h;
  home_open(&h);
  *state = &h;
  return 0;
}

static int teardown(void **state) {
  home *h = *state;
  assert_int_equal(oc_verify(h->a.s, &e), 0);
  all_agree(h);
  home_close(h);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_long_note_key_by_key),
      cmocka_unit_test(the_wrong_call_for_a_draft),
      cmocka_unit_test(retractions_say_who_and_why),
      cmocka_unit_test(values_that_are_too_much),
      cmocka_unit_test(two_of_one_name),
      cmocka_unit_test(messages_stay_text),
      cmocka_unit_test(which_team_is_said_or_known),
      cmocka_unit_test(the_only_team_goes_without_saying),
      cmocka_unit_test(an_edit_of_a_set_leaves_its_conflict_alone),
      cmocka_unit_test(a_conflict_settled_with_the_whole_set),
      cmocka_unit_test(a_client_who_moved_while_the_form_was_open),
      cmocka_unit_test(a_look_at_an_entry_of_a_client_who_left),
      cmocka_unit_test(an_import_never_moves_to_another_client),
      cmocka_unit_test(a_correction_of_what_is_no_longer_here),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
