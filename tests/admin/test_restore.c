/* A backup is put back: without giving a name twice, with what newer ones still have, and whatever was closed
 * since stays closed. */
#include "backup_world.h"
#include "sv_accounts.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* -- restore ----------------------------------------------------------------------------------- */

static int restore(linde *l, const char *backup, const char *more) {
  aw_stop(&l->aw);
  int err = aw_ask(&l->aw, "{'cmd':'restore','backup':'%s'%s}", backup, more);
  json_t *reply = json_incref(l->aw.reply);
  aw_start(&l->aw);
  linde_again(l);
  json_decref(l->aw.reply);
  l->aw.reply = reply;
  return err;
}

#define RESTORE(l, backup, more) aw_must(&(l)->aw, restore((l), (backup), (more)), __FILE__, __LINE__)
#define NO_RESTORE(l, backup, more, error, text)                                                             \
  aw_refused(&(l)->aw, restore((l), (backup), (more)), (error), (text), __FILE__, __LINE__)

static void needs_that_no_server_runs(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  l->aw.host.online = true;
  REFUSED(&l->aw, OV_E_BUSY, "a server is running", "{'cmd':'restore','backup':'%s'}", in_dir(l, "b1"));
  assert_non_null(strstr(aw_text(&l->aw, "hint"), "stop the server"));
  ASK(&l->aw, "{'cmd':'restore','backup':'%s','verify':true}", in_dir(l, "b1")); /* but looking is fine */
  l->aw.host.online = false;
}

/* The story of an older backup: what came after it is gone from the server, the tablet sends it again, and
 * nothing that the server writes now takes a name that it gave before. */
static void an_older_backup(void **state) {
  linde *l = *state;
  const char *dir = in_dir(l, "b1");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s','verify':true}", dir);
  ov_id old_writer = l->org->server;
  ov_name later = linde_nights(l, 2, 5);
  ov_name lost = fx_person(&l->aw.w, l->org, "Later", &l->beuk, 1);
  RESTORE(l, dir, "");
  assert_false(ov_id_equal(&l->org->server, &old_writer));
  sv_op_row row;
  assert_false(fx_op(&l->aw.w, l->org, &lost, &row));
  assert_int_equal(stored(l), 3);
  assert_int_equal(safe_of(l), 0); /* the copy is older than its own verification */
  ASK(&l->aw, "{'cmd':'verify'}");
  fx_push_ok(l->tab, l->org, 4, 5); /* the tablet refills */
  assert_true(fx_op(&l->aw.w, l->org, &later, &row));
  ov_name made = fx_person(&l->aw.w, l->org, "Nieuw", &l->beuk, 1);
  assert_false(ov_id_equal(&made.writer, &old_writer));
  ASK(&l->aw, "{'cmd':'verify'}");
}

static void what_was_there_lies_aside(void **state) {
  linde *l = *state;
  const char *dir = in_dir(l, "b1");
  char before[600];
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", dir);
  linde_nights(l, 2, 5);
  ov_name lost = fx_person(&l->aw.w, l->org, "Later", &l->beuk, 1);
  RESTORE(l, dir, "");
  const json_t *item = aw_item(&l->aw, "organisation", "De Linde");
  snprintf(before, sizeof before, "%s", json_string_value(json_object_get(item, "before")));
  assert_true(there(inside(l, before, "data.mdb")));
  assert_true(there(env_file(l, l->aw.data, "restored-from")));
  assert_int_equal(stored(l), 3);
  /* it is taken up again from there */
  char also[700];
  snprintf(also, sizeof also, ",'also':['%s']", before);
  RESTORE(l, dir, also);
  assert_int_equal(stored(l), 5);
  sv_op_row row;
  assert_true(fx_op(&l->aw.w, l->org, &lost, &row));
  ASK(&l->aw, "{'cmd':'verify'}");
}

static void read_end(linde *l, ov_head *out) {
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_audit_last(t, out));
  sv_txn_abort(t);
}

/* The hash of the chain after line seq, from the line behind it. */
static ov_hash hash_after(linde *l, uint64_t seq) {
  sv_txn *t = NULL;
  ov_hash prev;
  ov_buf b;
  ov_buf_init(&b, 0);
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_audit_line(t, seq + 1, &prev, &b));
  sv_txn_abort(t);
  ov_buf_free(&b);
  return prev;
}

static size_t looks_at_anna(linde *l) {
  ASK(&l->aw, "{'cmd':'audit list','participant':'Anna','type':'search'}");
  return json_array_size(json_object_get(l->aw.reply, "items"));
}

/* Who looked after the backup was made is still known after it was put back, once, and in one chain. */
static void no_look_vanishes(void **state) {
  linde *l = *state;
  ov_head end;
  char also[700];
  ASK(&l->aw, "{'cmd':'record list','kind':'sleep','participant':'Anna'}");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  ASK(&l->aw, "{'cmd':'record list','kind':'sleep','participant':'Anna'}");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b2"));
  ASK(&l->aw, "{'cmd':'record list','kind':'sleep','participant':'Anna'}");
  assert_int_equal(looks_at_anna(l), 3);
  read_end(l, &end);
  RESTORE(l, in_dir(l, "b1"), "");
  assert_true(
      json_integer_value(json_object_get(aw_item(&l->aw, "organisation", "De Linde"), "audit_lines")) >= 2);
  ov_hash h = hash_after(l, end.seq); /* the same lines under the same numbers */
  assert_memory_equal(h.b, end.head.b, OV_HASH_BYTES);
  assert_int_equal(looks_at_anna(l), 3);
  ASK(&l->aw, "{'cmd':'audit list','type':'copy'}");
  const json_t *told = aw_item(&l->aw, "action", "execute");
  assert_non_null(told);
  assert_non_null(strstr(json_string_value(json_object_get(told, "detail")), "restore: "));
  snprintf(also, sizeof also, ",'also':['%s']", in_dir(l, "b2"));
  RESTORE(l, in_dir(l, "b1"), also); /* b2 has nothing that is not there by then */
  assert_int_equal(looks_at_anna(l), 3);
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* The newest copy is lost: what the others have comes behind what is there, with its own times. */
static void looks_from_a_newer_backup(void **state) {
  linde *l = *state;
  char also[700], path[700];
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  ASK(&l->aw, "{'cmd':'record list','kind':'sleep','participant':'Anna'}");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b2"));
  snprintf(path, sizeof path, "%s", env_file(l, l->aw.data, "data.mdb"));
  aw_stop(&l->aw);
  FX_MUST(!unlink(path));
  snprintf(also, sizeof also, "{'cmd':'restore','backup':'%s','also':['%s']}", in_dir(l, "b1"),
           in_dir(l, "b2"));
  ASK(&l->aw, "%s", also);
  aw_start(&l->aw);
  linde_again(l);
  assert_int_equal(looks_at_anna(l), 1);
  ASK(&l->aw, "{'cmd':'verify'}");
}

static void newer_backups_are_merged(void **state) {
  linde *l = *state;
  char also[1000];
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  ov_name held = linde_nights(l, 1, 700);
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b2"));
  fx_rule(&l->aw.w, l->org, &held, SV_RULING_ADMIT);
  ASK(&l->aw, "{'cmd':'team add','name':'Nacht'}");
  ASK(&l->aw, "{'cmd':'record add','kind':'technology','fields':['number=9','name=T9']}");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b3"));
  linde_nights(l, 1, 5); /* in none */
  snprintf(also, sizeof also, ",'also':['%s','%s']", in_dir(l, "b2"), in_dir(l, "b3"));
  RESTORE(l, in_dir(l, "b1"), also);
  assert_int_equal(
      json_integer_value(json_object_get(aw_item(&l->aw, "organisation", "De Linde"), "brought_back")), 3);
  assert_int_equal(
      json_integer_value(json_object_get(aw_item(&l->aw, "organisation", "Programme"), "brought_back")), 1);
  assert_int_equal(fx_verdict(&l->aw.w, l->org, &held, NULL), OV_APPLIED);
  ASK(&l->aw, "{'cmd':'team list'}");
  assert_non_null(aw_item(&l->aw, "team", "Nacht"));
  assert_int_equal(stored(l), 4);
  fx_push_ok(l->tab, l->org, 5, 5);
  ASK(&l->aw, "{'cmd':'verify'}");
  snprintf(also, sizeof also, ",'also':['%s']", in_dir(l, "none"));
  NO_RESTORE(l, in_dir(l, "b1"), also, OV_E_NOTFOUND, "there is no");
}

/* A newer copy with a damaged row: what can be read comes back. */
static void a_damaged_newer_copy_gives_what_it_can(void **state) {
  linde *l = *state;
  sv_op_row row;
  char also[500];
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  linde_nights(l, 3, 5);
  FX_MUST(fx_op(&l->aw.w, l->org, &l->tab->ops[4]->name, &row));
  row.head.b[9] ^= 1; /* the fifth does not fit its log any more: the sixth neither */
  WRITE(l->org, t, FX_OK(sv_op_put(t, &row)));
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b2"));
  snprintf(also, sizeof also, ",'also':['%s']", in_dir(l, "b2"));
  RESTORE(l, in_dir(l, "b1"), also);
  assert_int_equal(stored(l), 4);
  assert_int_equal(
      json_integer_value(json_object_get(aw_item(&l->aw, "organisation", "De Linde"), "unreadable")), 2);
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* A lost tablet does not come back by a restore, and one that enrolled later is not locked out. */
static void revocations_and_enrolments_stay(void **state) {
  linde *l = *state;
  sv_txn *t = NULL;
  sv_device d;
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  fx_tablet *late = fx_tablet_new(&l->aw.w, l->org, &l->beuk, 1, &l->jan);
  WRITE(l->aw.node->programme, w, FX_OK(sv_device_put(w, &late->device)));
  ASK(&l->aw, "{'cmd':'device list'}");
  char text[OV_NAME_TEXT_MAX];
  ov_name_text(&l->tab->device.record, text);
  ASK(&l->aw, "{'cmd':'device revoke','device':'%s'}", text);
  RESTORE(l, in_dir(l, "b1"), "");
  FX_OK(sv_txn_read(l->org->env, &t));
  assert_true(!sv_device_get(t, &l->tab->device.id, &d) && d.revoked);
  assert_true(!sv_device_get(t, &late->device.id, &d) && !d.revoked);
  sv_txn_abort(t);
  FX_OK(sv_txn_read(l->aw.node->programme->env, &t));
  assert_true(!sv_device_get(t, &l->tab->device.id, &d) && d.revoked);
  assert_true(!sv_device_get(t, &late->device.id, &d) && !d.revoked);
  sv_txn_abort(t);
  ASK(&l->aw, "{'cmd':'verify'}");
  /* its record was lost and made anew, so that what it sends counts */
  late->org = l->org;
  ov_field f[] = {FX_INT(10, NIGHT - 77), FX_INT(11, 1)};
  ov_name sent = fx_create(late, SLEEP, &l->anna, f, 2);
  fx_push_ok(late, l->org, 1, 1);
  assert_int_equal(fx_verdict(&l->aw.w, l->org, &sent, NULL), OV_APPLIED);
  fx_tablet_free(late);
}

static void sign_in_state(linde *l, const char *login, sv_account *a, sv_token *tok, bool *known) {
  sv_txn *t = NULL;
  sv_login where;
  FX_OK(sv_txn_read(l->aw.node->programme->env, &t));
  *known = !sv_login_get(t, login, &where);
  FX_OK(sv_token_next(t, NULL, tok));
  sv_txn_abort(t);
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_account_get(t, &l->jan, a));
  sv_txn_abort(t);
}

/* An account that was disabled, a password that was reset and a token that was revoked since the backup stay
 * so, and who got an account since can still sign in. */
static void what_was_closed_is_not_opened_again(void **state) {
  linde *l = *state;
  sv_account a, b;
  sv_token tok;
  bool known;
  char who[OV_NAME_TEXT_MAX], id[20];
  ov_name_text(&l->jan, who);
  ASK(&l->aw, "{'cmd':'account add','person':'%s','login':'jan@linde'}", who);
  ASK(&l->aw, "{'cmd':'token add','label':'study'}");
  snprintf(id, sizeof id, "%s", aw_text(&l->aw, "id"));
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  ASK(&l->aw, "{'cmd':'account reset','person':'%s'}", who);
  ASK(&l->aw, "{'cmd':'account disable','person':'%s'}", who);
  ASK(&l->aw, "{'cmd':'token revoke','id':'%s'}", id);
  ov_name_text(&l->ria, who);
  ASK(&l->aw, "{'cmd':'account add','person':'%s','login':'ria@linde'}", who);
  sign_in_state(l, "ria@linde", &a, &tok, &known);
  RESTORE(l, in_dir(l, "b1"), "");
  sign_in_state(l, "ria@linde", &b, &tok, &known);
  assert_true(b.disabled);
  assert_string_equal(b.password, a.password);
  assert_memory_equal(b.totp, a.totp, sizeof a.totp);
  assert_true(tok.revoked);
  assert_true(known);
}

static bool is_active(linde *l, const ov_name *person) {
  sv_txn *t = NULL;
  sv_record_row row;
  ov_arena a;
  ov_arena_init(&a, SV_LOOK_ARENA_BYTES_MAX);
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_record_get(t, person, &a, &row));
  const ov_live *v = ov_record_field(&row.rec, SV_PERSON_ACTIVE, NULL);
  bool active = ov_record_retracted(&row.rec) != OV_RETRACTED && (!v || v->v.i);
  assert_int_equal(ov_record_conflicts(&row.rec), 0);
  sv_txn_abort(t);
  ov_arena_free(&a);
  return active;
}

/* Who left after the backup was made has left; who came back meanwhile is there; and what is brought back of
 * the same change makes no conflict. */
static void who_left_has_left(void **state) {
  linde *l = *state;
  char ria[OV_NAME_TEXT_MAX], jan[OV_NAME_TEXT_MAX], also[700];
  ov_name_text(&l->ria, ria);
  ov_name_text(&l->jan, jan);
  ASK(&l->aw, "{'cmd':'person edit','person':'%s','active':'no'}", jan);
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  ASK(&l->aw, "{'cmd':'person edit','person':'%s','active':'no'}", ria);
  ASK(&l->aw, "{'cmd':'person edit','person':'%s','active':'yes'}", jan);
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b2"));
  RESTORE(l, in_dir(l, "b1"), "");
  assert_false(is_active(l, &l->ria));
  assert_false(is_active(l, &l->jan)); /* nothing is opened that was closed in the copy */
  char *notes = json_dumps(json_object_get(l->aw.reply, "notes"), 0);
  assert_non_null(strstr(notes, "1 who had left"));
  free(notes);
  ASK(&l->aw, "{'cmd':'verify'}");
  snprintf(also, sizeof also, ",'also':['%s']", in_dir(l, "b2"));
  RESTORE(l, in_dir(l, "b1"), also);
  assert_false(is_active(l, &l->ria));
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* What a newer backup had ended is ended, and nothing else of it is taken: it may be older than what was
 * there. */
static void a_newer_backup_ends_too(void **state) {
  linde *l = *state;
  sv_account a, b;
  sv_token tok;
  bool known;
  char who[OV_NAME_TEXT_MAX], id[20], also[700], path[600];
  ov_name_text(&l->jan, who);
  ASK(&l->aw, "{'cmd':'account add','person':'%s','login':'jan@linde'}", who);
  ASK(&l->aw, "{'cmd':'token add','label':'study'}");
  snprintf(id, sizeof id, "%s", aw_text(&l->aw, "id"));
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  sign_in_state(l, "jan@linde", &a, &tok, &known);
  ASK(&l->aw, "{'cmd':'account reset','person':'%s'}", who);
  ASK(&l->aw, "{'cmd':'account disable','person':'%s'}", who);
  ASK(&l->aw, "{'cmd':'token revoke','id':'%s'}", id);
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b2"));
  snprintf(also, sizeof also, ",'also':['%s']", in_dir(l, "b2"));
  snprintf(path, sizeof path, "%s", env_file(l, l->aw.data, "data.mdb"));
  aw_stop(&l->aw);
  FX_MUST(!truncate(path, 4096)); /* the disk is gone: nothing can be had of what was there */
  snprintf(path, sizeof path, "%s", inside(l, l->aw.data, "programme/data.mdb"));
  FX_MUST(!truncate(path, 4096));
  ASK(&l->aw, "{'cmd':'restore','backup':'%s'%s}", in_dir(l, "b1"), also);
  aw_start(&l->aw);
  linde_again(l);
  sign_in_state(l, "jan@linde", &b, &tok, &known);
  assert_true(b.disabled && tok.revoked && known);
  assert_string_equal(b.password, a.password);
}

/* -- cut short -------------------------------------------------------------------------------------- */

static int die_before; /* so many renames from now, in a child */

int rename(const char *from, const char *to) {
  if (die_before && --die_before == 0) _exit(9);
  return (int)syscall(SYS_rename, from, to);
}

static bool ignore(void *ctx, const char *line) {
  (void)ctx, (void)line;
  return true;
}

/* Is the tablet revoked there, or is the organisation not served? */
static bool revoked_or_refused(linde *l, bool *served) {
  sv_txn *t = NULL;
  sv_device d = {.revoked = false};
  aw_start(&l->aw);
  *served = l->aw.node->n_orgs > 0;
  if (!*served) return l->aw.node->n_refused == 1;
  linde_again(l);
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_device_get(t, &l->tab->device.id, &d));
  sv_txn_abort(t);
  return d.revoked;
}

/* Killed before any of its renames: until it has been run again nobody is served from what it left, and then
 * all is as if it had never been cut short. */
static void a_restore_that_is_killed_can_be_run_again(void **state) {
  linde *l = *state;
  char request[700], text[OV_NAME_TEXT_MAX];
  bool whole = false, served = false;
  unsigned refused = 0;
  snprintf(request, sizeof request, "{\"cmd\":\"restore\",\"organisation\":\"De Linde\",\"backup\":\"%s\"}",
           in_dir(l, "b1"));
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  ov_name_text(&l->tab->device.record, text);
  ASK(&l->aw, "{'cmd':'device revoke','device':'%s'}", text);
  for (int step = 1; !whole && step < 40; step++) {
    aw_stop(&l->aw);
    pid_t pid = fork();
    if (pid == 0) {
      die_before = step;
      _exit(sv_admin_handle(&l->aw.host, request, strlen(request), ignore, NULL) ? 1 : 0);
    }
    int status = 0;
    FX_MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    whole = WEXITSTATUS(status) == 0;
    FX_MUST(whole || WEXITSTATUS(status) == 9);
    if (!revoked_or_refused(l, &served)) fail_msg("killed before rename %d: served, and not revoked", step);
    refused += !served;
  }
  assert_true(whole && served && refused > 0);
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* The number of a team that was made after the backup is in tablets' hands: it is not given again. */
static void scope_numbers_are_not_given_twice(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  ASK(&l->aw, "{'cmd':'team add','name':'Later'}");
  int64_t lost = aw_int(&l->aw, "scope");
  RESTORE(l, in_dir(l, "b1"), "");
  ASK(&l->aw, "{'cmd':'team add','name':'Anders'}");
  assert_true(aw_int(&l->aw, "scope") > lost);
}

static void one_organisation_alone(void **state) {
  linde *l = *state;
  ASK(&l->aw, "{'cmd':'organisation add','name':'De Iep'}");
  ASK(&l->aw, "{'cmd':'team add','name':'Een','organisation':'De Iep'}");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  ASK(&l->aw, "{'cmd':'team add','name':'Twee','organisation':'De Iep'}");
  linde_nights(l, 1, 5);
  NO_RESTORE(l, in_dir(l, "b1"), ",'organisation':'De Es'", OV_E_NOTFOUND, "does not hold \"De Es\"");
  aw_stop(&l->aw);
  ASK(&l->aw, "{'cmd':'restore','backup':'%s','organisation':'De Iep'}", in_dir(l, "b1"));
  aw_start(&l->aw);
  l->org = aw_org(&l->aw, strcmp(aw_org(&l->aw, 0)->name, "De Linde") ? 1 : 0);
  l->tab->org = l->org;
  assert_int_equal(stored(l), 4);
  ASK(&l->aw, "{'cmd':'team list','organisation':'De Iep'}");
  assert_null(aw_item(&l->aw, "team", "Twee"));
  ASK(&l->aw, "{'cmd':'backup','dir':'%s','organisation':'De Iep','verify':true}", in_dir(l, "b2"));
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* The programme of an older backup gets again what organisations had handed over. */
static void the_programme_is_filled_again(void **state) {
  linde *l = *state;
  ov_field f[] = {fx_text(3, "x")};
  const ov_skind *k = ov_schemas_by_name(l->aw.w.schemas, "lesson");
  uint64_t id;
  ov_name op;
  sv_op_row row;
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", in_dir(l, "b1"));
  fx_role(&l->aw.w, l->org, &l->tab->author, 2); /* a project lead: lessons are theirs */
  fx_add(l->tab,
         (ov_op){.scope = 0, .creates = true, .kind = k->id, .version = 1, .fields = f, .n_fields = 1});
  fx_push_ok(l->tab, l->org, l->tab->n, l->tab->n);
  FX_MUST(fx_op(&l->aw.w, l->org, &l->tab->ops[3]->name, &row));
  WRITE(l->aw.node->programme, t,
        FX_OK(sv_ingest_foreign(t, l->aw.node->programme, &row, &l->aw.w.arena, NULL)));
  WRITE(l->org, t, {
    FX_OK(sv_queue_peek(t, &id, &op));
    FX_OK(sv_queue_pop(t, id));
  });
  ASK(&l->aw, "{'cmd':'verify'}");
  RESTORE(l, in_dir(l, "b1"), ",'organisation':'programme'");
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(l->org->env, &t));
  FX_OK(sv_queue_peek(t, &id, &op));
  assert_true(ov_name_equal(&op, &l->tab->ops[3]->name));
  sv_txn_abort(t);
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* -- keys --------------------------------------------------------------------------------------- */

static void keyrings_stay(void **state) {
  linde *l = *state;
  const char *b = in_dir(l, "b1"), *old = in_dir(l, "k1"), *fresh = in_dir(l, "k2");
  char more[700];
  ov_name other = {.seq = 4};
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", b);
  ASK(&l->aw, "{'cmd':'backup-keys','dir':'%s'}", old);
  FX_OK(sv_keyring_destroy(l->org->keyring, &other)); /* an erasure: a new epoch */
  uint64_t epoch = sv_keyring_epoch(l->org->keyring);
  const ov_id id = l->org->id;
  ASK(&l->aw, "{'cmd':'backup-keys','dir':'%s'}", fresh);
  RESTORE(l, b, "");
  assert_int_equal(sv_keyring_epoch(l->org->keyring), epoch);
  snprintf(more, sizeof more, ",'keyring':'%s'", old);
  NO_RESTORE(l, b, more, OV_E_DENIED, "would bring back erased keys");
  assert_int_equal(sv_keyring_epoch(l->org->keyring), epoch);
  const char *epochs = in_dir(l, "e1");
  ASK(&l->aw, "{'cmd':'backup-epochs','dir':'%s'}", epochs);
  /* lost keyrings and a lost master key come from their own copy */
  char path[600];
  snprintf(path, sizeof path, "%s", env_file(l, l->aw.data, ""));
  strcpy(path + strlen(path) - 1, ".keyring");
  aw_stop(&l->aw);
  FX_MUST(!unlink(path));
  REFUSED(&l->aw, OV_E_NOTFOUND, "it is missing", "{'cmd':'restore','backup':'%s'}", b);
  assert_non_null(strstr(aw_text(&l->aw, "hint"), "--keyring DIR"));
  FX_MUST(!unlink(l->aw.host.master_key_file));
  REFUSED(&l->aw, OV_E_NOTFOUND, "master key", "{'cmd':'restore','backup':'%s'}", b);
  ASK(&l->aw, "{'cmd':'restore','backup':'%s','keyring':'%s'}", b, fresh);
  FX_OK(sv_org_epoch_path(l->aw.data, &id, path, sizeof path));
  FX_MUST(!unlink(path)); /* and so does a lost epoch key */
  REFUSED(&l->aw, OV_E_CRYPTO, "epoch key", "{'cmd':'restore','backup':'%s'}", b);
  assert_non_null(strstr(aw_text(&l->aw, "hint"), "--epochs DIR"));
  ASK(&l->aw, "{'cmd':'restore','backup':'%s','epochs':'%s'}", b, epochs);
  aw_start(&l->aw);
  linde_again(l);
  assert_int_equal(sv_keyring_epoch(l->org->keyring), epoch);
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* Refused before anything is touched, or put back as it was. */
static void a_restore_that_fails_changes_nothing(void **state) {
  linde *l = *state;
  const char *dir = in_dir(l, "b1");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", dir);
  linde_nights(l, 1, 5);
  unsigned before = entries(l->aw.data), orgs = entries(inside(l, l->aw.data, "orgs"));
  flip(env_file(l, dir, "data.mdb"), 100);
  NO_RESTORE(l, dir, "", OV_E_CORRUPT, "is not what was backed up");
  flip(env_file(l, dir, "data.mdb"), 100);
  FILE *f = fopen(env_file(l, dir, "format"), "w"); /* not under the hash: found when it is opened */
  fputs("something else\n", f);
  fclose(f);
  NO_RESTORE(l, dir, "", OV_E_CORRUPT, "does not open from this backup");
  assert_int_equal(entries(l->aw.data), before);
  assert_int_equal(entries(inside(l, l->aw.data, "orgs")), orgs);
  assert_int_equal(stored(l), 4);
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* Nothing is left of the machine but backup, keys and epoch keys. */
static void on_an_empty_machine(void **state) {
  linde *l = *state;
  const char *b = in_dir(l, "b1"), *k = in_dir(l, "k1"), *e = in_dir(l, "e1");
  ASK(&l->aw, "{'cmd':'backup','dir':'%s'}", b);
  ASK(&l->aw, "{'cmd':'backup-keys','dir':'%s'}", k);
  ASK(&l->aw, "{'cmd':'backup-epochs','dir':'%s'}", e);
  aw_stop(&l->aw);
  l->aw.data = in_dir(l, "empty");
  FX_MUST(!mkdir(l->aw.data, 0700));
  aw_stop(&l->aw); /* the host of the new folder */
  ASK(&l->aw, "{'cmd':'restore','backup':'%s','keyring':'%s','epochs':'%s'}", b, k, e);
  aw_start(&l->aw);
  linde_again(l);
  assert_int_equal(stored(l), 3);
  ASK(&l->aw, "{'cmd':'verify'}");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(needs_that_no_server_runs),
                                     T(an_older_backup),
                                     T(what_was_there_lies_aside),
                                     T(no_look_vanishes),
                                     T(looks_from_a_newer_backup),
                                     T(newer_backups_are_merged),
                                     T(a_damaged_newer_copy_gives_what_it_can),
                                     T(revocations_and_enrolments_stay),
                                     T(who_left_has_left),
                                     T(what_was_closed_is_not_opened_again),
                                     T(a_newer_backup_ends_too),
                                     T(a_restore_that_is_killed_can_be_run_again),
                                     T(scope_numbers_are_not_given_twice),
                                     T(one_organisation_alone),
                                     T(the_programme_is_filled_again),
                                     T(keyrings_stay),
                                     T(a_restore_that_fails_changes_nothing),
                                     T(on_an_empty_machine)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
