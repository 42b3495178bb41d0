/* Accounts: who may sign in to the web, and with what. Secrets are shown once, when they are made. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "admin_priv.h"
#include "sv_account.h"

typedef struct account_job {
  adm *m;
  sv_account *account;
  sv_login login;
  char former[SV_LOGIN_MAX + 1];
} account_job;

static int account_find(adm *m, sv_org **org, ov_name *person, sv_account *a) {
  *org = find_org(m);
  const ov_skind *k = *org ? find_kind(m, "person") : NULL;
  if (!k || find_record(m, *org, k, arg_text(m, "person"), person)) return m->err;
  sv_txn *t = adm_read(m, *org);
  int err = t ? sv_account_get(t, person, a) : m->err;
  sv_txn_abort(t);
  return err;
}

/* For the commands that need one. */
static int account_need(adm *m, sv_org **org, ov_name *person, sv_account *a) {
  int err = account_find(m, org, person, a);
  if (m->err || !err) return m->err;
  if (err == OV_E_NOTFOUND)
    return adm_fail(m, err, "overdracht-admin account add PERSON --login NAME", "\"%s\" has no account",
                    arg_text(m, "person"));
  return adm_failed(m, err, "reading the account");
}

static int put_account(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  account_job *j = arg;
  (void)a;
  (void)touches;
  return sv_account_put(t, j->account);
}

/* One name, one account, in all organisations of this server. */
static int put_login(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  account_job *j = arg;
  sv_login had;
  (void)a;
  (void)touches;
  int err = sv_login_get(t, j->account->login, &had);
  if (!err && !(ov_name_equal(&had.person, &j->login.person) &&
                ov_id_equal(&had.organisation, &j->login.organisation)))
    return OV_E_EXISTS;
  return err && err != OV_E_NOTFOUND ? err : sv_login_put(t, j->account->login, &j->login);
}

static int save(adm *m, sv_org *org, sv_account *a) {
  account_job j = {.m = m, .account = a};
  int err = m->h->write(m->h->ctx, org, put_account, &j);
  return err ? adm_failed(m, err, "storing the account") : 0;
}

static void end_sessions(adm *m, const ov_name *person) {
  unsigned n = m->h->sessions_end ? m->h->sessions_end(m->h->ctx, NULL, person) : 0;
  if (n) adm_note(m, "%u session%s ended", n, n == 1 ? "" : "s");
}

/* -- secrets ------------------------------------------------------------------------------------------- */

static int new_password(adm *m, sv_account *a) {
  char text[SV_PASSWORD_TEXT];
  int err = sv_password_make(m->h->sys, text);
  if (!err) err = sv_password_hash(m->h->sys, &sv_hash_cost_default, text, a->password);
  if (!err) adm_set_text(m, "password", text);
  OPENSSL_cleanse(text, sizeof text);
  return err ? adm_failed(m, err, "making the password") : 0;
}

static int new_totp(adm *m, sv_account *a) {
  char uri[300];
  int err = m->h->sys->random(m->h->sys->ctx, a->totp, sizeof a->totp);
  if (err) return adm_failed(m, err, "making the secret");
  a->totp_step = 0;
  sv_totp_uri(a->login, a->totp, uri, sizeof uri);
  adm_set_text(m, "otpauth", uri);
  adm_set_text(m, "qr", uri);
  OPENSSL_cleanse(uri, sizeof uri);
  return 0;
}

static int new_recovery(adm *m, sv_account *a) {
  char text[SV_RECOVERY_CODES][SV_RECOVERY_TEXT];
  ov_hasher *h = ov_hasher_new();
  int err = h ? sv_recovery_make(m->h->sys, h, a, text) : OV_E_NOMEM;
  json_t *list = json_array();
  for (unsigned i = 0; !err && i < SV_RECOVERY_CODES; i++) json_array_append_new(list, json_string(text[i]));
  ov_hasher_free(h);
  OPENSSL_cleanse(text, sizeof text);
  adm_set(m, "recovery_codes", list);
  return err ? adm_failed(m, err, "making the recovery codes") : 0;
}

static void say_once(adm *m) {
  adm_note(m, "these secrets are shown once: hand them over on paper or in person, and keep no copy");
}

/* -- commands ------------------------------------------------------------------------------------------ */

int cmd_account_add(adm *m) {
  sv_org *org;
  ov_name person;
  sv_account a;
  account_job j = {.m = m, .account = &a};
  char folded[SV_LOGIN_MAX + 1];
  int err = account_find(m, &org, &person, &a);
  if (m->err) return m->err;
  if (!err)
    return adm_fail(m, OV_E_EXISTS, "overdracht-admin account reset PERSON gives new secrets",
                    "\"%s\" has an account already: %s", arg_text(m, "person"), a.login);
  if (err != OV_E_NOTFOUND) return adm_failed(m, err, "reading the account");
  if (!sv_login_fold(arg_text(m, "login"), folded))
    return adm_fail(m, OV_E_INVALID, "for example j.devries@linde",
                    "a sign-in name has 3 to %u letters (a-z), digits and ._-@", SV_LOGIN_MAX);
  a = (sv_account){.person = person, .created_ms = adm_now_ms(m)};
  memcpy(a.login, folded, sizeof folded);
  j.login = (sv_login){.organisation = org->id, .person = person};
  adm_set_text(m, "login", a.login);
  if (new_password(m, &a) || new_totp(m, &a) || new_recovery(m, &a)) return m->err;
  /* The name first: an account that nobody can reach does no harm, two of one name would. */
  err = m->h->write(m->h->ctx, m->h->programme, put_login, &j);
  if (err == OV_E_EXISTS) return adm_fail(m, err, NULL, "the name \"%s\" is somebody else's", a.login);
  if (err) return adm_failed(m, err, "storing the name");
  if (!save(m, org, &a)) say_once(m);
  OPENSSL_cleanse(&a, sizeof a);
  return m->err;
}

int cmd_account_list(adm *m) {
  sv_account a;
  sv_org *org = find_org(m);
  sv_txn *t = org ? adm_read(m, org) : NULL;
  if (!t) return m->err;
  int err = sv_account_next(t, NULL, &a);
  for (; !err; err = sv_account_next(t, &a.person, &a)) {
    ov_name at = a.person;
    char label[OV_LABEL_BYTES_MAX + 1];
    find_label_of(m, t, &at, label, sizeof label);
    adm_item(m, json_pack("{s:s, s:o, s:s, s:o, s:o, s:i, s:o}", "login", a.login, "person",
                          adm_text_json(label, strlen(label)), "state", a.disabled ? "disabled" : "in use",
                          "created", adm_time_json(a.created_ms), "signed_in",
                          a.signed_in_ms ? adm_time_json(a.signed_in_ms) : json_null(), "recovery_codes_left",
                          (int)a.n_recovery, "record", adm_name_json(&at)));
  }
  sv_txn_abort(t);
  OPENSSL_cleanse(&a, sizeof a);
  return err == OV_E_NOTFOUND ? m->err : adm_failed(m, err, "reading the accounts");
}

int cmd_account_disable(adm *m) {
  sv_org *org;
  ov_name person;
  sv_account a = {.disabled = false};
  if (account_need(m, &org, &person, &a)) return m->err;
  bool was = a.disabled;
  a.disabled = true;
  if (save(m, org, &a)) return m->err;
  if (was) adm_note(m, "it was disabled already");
  end_sessions(m, &person);
  return m->err;
}

int cmd_account_reset(adm *m) {
  sv_org *org;
  ov_name person;
  sv_account a;
  if (account_need(m, &org, &person, &a)) return m->err;
  a.disabled = false;
  adm_set_text(m, "login", a.login);
  if (new_password(m, &a) || new_totp(m, &a) || new_recovery(m, &a) || save(m, org, &a)) return m->err;
  OPENSSL_cleanse(&a, sizeof a);
  end_sessions(m, &person);
  say_once(m);
  return m->err;
}

int cmd_account_recovery(adm *m) {
  sv_org *org;
  ov_name person;
  sv_account a;
  if (account_need(m, &org, &person, &a) || new_recovery(m, &a) || save(m, org, &a)) return m->err;
  OPENSSL_cleanse(&a, sizeof a);
  adm_note(m, "the former codes are void");
  return m->err;
}

/* -- sessions ------------------------------------------------------------------------------------------ */

int cmd_session_list(adm *m) {
  char *text = m->h->sessions ? m->h->sessions(m->h->ctx) : NULL;
  if (!m->h->sessions) {
    adm_note(m, "no server runs: nobody is signed in");
    return m->err;
  }
  json_t *list = text ? json_loads(text, 0, NULL) : NULL, *ss;
  size_t i;
  json_array_foreach(list, i, ss) {
    char label[OV_LABEL_BYTES_MAX + 1] = "";
    const char *id = json_string_value(json_object_get(ss, "organisation_id")),
               *record = json_string_value(json_object_get(ss, "person_record"));
    sv_org *org = id ? find_org_by(m, id) : NULL;
    sv_txn *t = org && record ? adm_read(m, org) : NULL;
    ov_name person;
    if (t && !ov_name_parse(record, &person)) find_label_of(m, t, &person, label, sizeof label);
    sv_txn_abort(t);
    json_t *item = json_deep_copy(ss);
    json_object_set_new(item, "person", adm_text_json(label, strlen(label)));
    json_object_set_new(item, "organisation", json_string(org ? org->name : ""));
    adm_item(m, item);
  }
  bool fine = list != NULL;
  json_decref(list);
  free(text);
  return fine ? m->err : adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
}

int cmd_session_revoke(adm *m) {
  const char *id = arg_text(m, "session");
  ov_name person;
  sv_account a;
  sv_org *org;
  unsigned n;
  if (!id == !arg_text(m, "person"))
    return adm_fail(m, OV_E_INVALID, NULL, "give one session, or --person for all of one person");
  if (!id && account_need(m, &org, &person, &a)) return m->err;
  n = m->h->sessions_end ? m->h->sessions_end(m->h->ctx, id, id ? NULL : &person) : 0;
  if (!n && id)
    return adm_fail(m, OV_E_NOTFOUND, "overdracht-admin session list", "there is no session \"%s\"", id);
  adm_set(m, "ended", json_integer(n));
  return m->err;
}
