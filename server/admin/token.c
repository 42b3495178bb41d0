/* Research tokens. The text is shown once; what is stored is its hash. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_priv.h"
#include "sv_account.h"
#include "sv_export.h"
#include "sv_kinds.h"
#include "sv_rights.h"

#define TOKEN_DAYS_DEFAULT 180 /* half a year: a study asks again, and a forgotten one ends */
#define TOKEN_DAYS_MAX 730

typedef struct token_job {
  sv_token tok;
  const char *id; /* hex of the first bytes of the hash */
  unsigned found;
} token_job;

static int put_token(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  token_job *j = arg;
  (void)a;
  (void)touches;
  return sv_token_put(t, &j->tok);
}

/* Names of datasets with spaces between; "*" when none is named. */
static int scope(adm *m, char out[SV_TOKEN_SCOPE_MAX + 1]) {
  size_t n = arg_count(m, "dataset"), at = 0;
  if (!n) {
    memcpy(out, "*", 2);
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    const char *word = arg_at(m, "dataset", i);
    if (!sv_export_has(word, SV_FORMAT_SAV))
      return adm_fail(m, OV_E_INVALID, NULL, "there is no dataset \"%.40s\": there are %s", word,
                      sv_export_list);
    if (at + strlen(word) + 1 > SV_TOKEN_SCOPE_MAX)
      return adm_fail(m, OV_E_LIMIT, NULL, "too many times --dataset");
    at += (size_t)snprintf(out + at, SV_TOKEN_SCOPE_MAX + 1 - at, "%s%s", at ? " " : "", word);
  }
  return 0;
}

/* A person's token: of one who may take releases along, and for as long as that is so. */
static int take_person(adm *m, sv_token *tok) {
  if (!arg_text(m, "person")) return 0;
  sv_org *org = find_org(m);
  const ov_skind *k = org ? find_kind(m, "person") : NULL;
  if (!k || find_record(m, org, k, arg_text(m, "person"), &tok->person)) return m->err;
  tok->organisation = org->id;
  sv_record_row row;
  sv_txn *t = adm_read(m, org);
  int err = t ? sv_record_get(t, &tok->person, &m->a, &row) : m->err;
  const ov_live *role = err ? NULL : ov_record_field(&row.rec, SV_PERSON_ROLE, NULL);
  bool may = role && role->v.type == OV_V_INT &&
             sv_right((unsigned)role->v.i, SV_KIND_RELEASE, SV_A_EXPORT) == SV_NETWORK;
  sv_txn_abort(t);
  if (err) return adm_failed(m, err, "the person");
  if (!may)
    return adm_fail(m, OV_E_DENIED, "`overdracht-admin rights release` says which roles may",
                    "the role of \"%.60s\" takes no releases along", arg_text(m, "person"));
  return 0;
}

int cmd_token_add(adm *m) {
  token_job j = {.tok = {.created_ms = adm_now_ms(m)}};
  char text[SV_TOKEN_TEXT];
  const char *label = arg_text(m, "label");
  int64_t days = arg_int(m, "days", TOKEN_DAYS_DEFAULT);
  if (strlen(label) > SV_TOKEN_LABEL_MAX)
    return adm_fail(m, OV_E_LIMIT, NULL, "a label has at most %u bytes", SV_TOKEN_LABEL_MAX);
  if (days < 1 || days > TOKEN_DAYS_MAX)
    return adm_fail(m, OV_E_INVALID, NULL, "--days takes 1 to %d", TOKEN_DAYS_MAX);
  memcpy(j.tok.label, label, strlen(label));
  j.tok.expires_ms = j.tok.created_ms + days * 86400000;
  if (scope(m, j.tok.datasets) || take_person(m, &j.tok)) return m->err;
  ov_hasher *h = ov_hasher_new();
  int err = h ? sv_token_make(m->h->sys, h, &j.tok, text) : OV_E_NOMEM;
  ov_hasher_free(h);
  if (!err) err = m->h->write(m->h->ctx, m->h->programme, put_token, &j);
  if (err) return adm_failed(m, err, "storing the token");
  adm_set_text(m, "token", text);
  adm_set(m, "id", adm_hex_json(j.tok.hash, SV_TOKEN_ID_BYTES));
  adm_set(m, "expires", adm_time_json(j.tok.expires_ms));
  adm_note(
      m,
      "the token is shown once; use it as: curl -H \"Authorization: Bearer TOKEN\" https://.../v1/releases");
  OPENSSL_cleanse(text, sizeof text);
  return m->err;
}

/* The name of whom a token belongs to; null where it is nobody's. */
static json_t *person_json(adm *m, const sv_token *tok) {
  char label[OV_LABEL_BYTES_MAX + 1] = "";
  if (ov_name_is_zero(&tok->person)) return json_null();
  for (unsigned i = 0; m->h->org_at(m->h->ctx, i); i++) {
    sv_org *org = m->h->org_at(m->h->ctx, i);
    sv_txn *t = ov_id_equal(&org->id, &tok->organisation) ? adm_read(m, org) : NULL;
    if (!t) continue;
    find_label_of(m, t, &tok->person, label, sizeof label);
    sv_txn_abort(t);
  }
  return adm_text_json(label, strlen(label));
}

int cmd_token_list(adm *m) {
  sv_token tok;
  sv_txn *t = adm_read(m, m->h->programme);
  int64_t now = adm_now_ms(m);
  if (!t) return m->err;
  int err = sv_token_next(t, NULL, &tok);
  for (; !err; err = sv_token_next(t, tok.hash, &tok)) {
    const char *state = tok.revoked ? "revoked" : tok.expires_ms <= now ? "expired" : "in use";
    if (strcmp(state, "in use") != 0 && !arg_flag(m, "all")) continue;
    adm_item(m,
             json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "id", adm_hex_json(tok.hash, SV_TOKEN_ID_BYTES),
                       "label", adm_text_json(tok.label, strlen(tok.label)), "person", person_json(m, &tok),
                       "datasets", tok.datasets, "state", state, "expires", adm_time_json(tok.expires_ms),
                       "last_used", tok.used_ms ? adm_time_json(tok.used_ms) : json_null()));
  }
  sv_txn_abort(t);
  return err == OV_E_NOTFOUND ? m->err : adm_failed(m, err, "reading the tokens");
}

static int revoke_token(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  token_job *j = arg;
  uint8_t after[OV_HASH_BYTES];
  const uint8_t *from = NULL;
  sv_token found = {.label = ""};
  (void)a;
  (void)touches;
  j->found = 0;
  while (!sv_token_next(t, from, &j->tok)) {
    char id[2 * OV_HASH_BYTES + 1];
    memcpy(after, j->tok.hash, sizeof after);
    from = after;
    ov_hex(after, sizeof after, id);
    if (strncmp(id, j->id, strlen(j->id)) != 0) continue;
    j->found++;
    found = j->tok;
  }
  if (sv_txn_error(t) || j->found > 1) return sv_txn_error(t) ? sv_txn_error(t) : OV_E_EXISTS;
  found.revoked = true;
  return j->found ? sv_token_put(t, &found) : 0;
}

int cmd_token_revoke(adm *m) {
  token_job j = {.id = arg_text(m, "id")};
  if (strlen(j.id) < 4)
    return adm_fail(m, OV_E_INVALID, "overdracht-admin token list", "an id has at least 4 digits");
  int err = m->h->write(m->h->ctx, m->h->programme, revoke_token, &j);
  if (err == OV_E_EXISTS)
    return adm_fail(m, err, "overdracht-admin token list", "more than one token begins with \"%s\"", j.id);
  if (err) return adm_failed(m, err, "revoking the token");
  if (!j.found)
    return adm_fail(m, OV_E_NOTFOUND, "overdracht-admin token list", "there is no token \"%s\"", j.id);
  return m->err;
}
