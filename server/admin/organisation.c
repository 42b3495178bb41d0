/* Organisations. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "admin_priv.h"

static sv_org *with_name(adm *m, const char *name) {
  sv_org *o;
  for (unsigned i = 0; (o = m->h->org_at(m->h->ctx, i)); i++) {
    if (!strcasecmp(o->name, name)) return o;
  }
  return NULL;
}

static int make(adm *m, const ov_id *id, const char *name, const char *zone, sv_org **out) {
  uint8_t master[OV_KEY_BYTES];
  char why[OV_ERROR_TEXT_MAX] = "";
  int err = sv_master_key_load(m->h->master_key_file, false, m->h->sys->random, m->h->sys->ctx, master);
  if (err)
    return adm_fail(m, err, "the server needs its master key file", "master key %s: %s",
                    m->h->master_key_file, ov_err_text(err));
  sv_org_options o = {.data = m->h->data, .master = master, .sys = m->h->sys, .schemas = m->h->schemas};
  err = sv_org_create(&o, id, name, zone, out, why);
  OPENSSL_cleanse(master, sizeof master);
  return err ? adm_fail(m, err, NULL, "%s", why) : 0;
}

/* Those that do not open have their place still: with more folders than this the server would not start. */
static int check_room(adm *m) {
  ov_id ids[SV_ORGS_MAX];
  uint32_t n = 0;
  int err = sv_org_list(m->h->data, ids, SV_ORGS_MAX, &n);
  if (n == SV_ORGS_MAX)
    return adm_fail(m, OV_E_LIMIT, "set up another server for it, with a data folder of its own",
                    "one server holds at most %u organisations, and this folder has as many", SV_ORGS_MAX);
  return err ? adm_failed(m, err, "organisations") : 0;
}

int cmd_organisation_add(adm *m) {
  const char *name = arg_text(m, "name"), *zone = arg_text(m, "zone"), *hex = arg_text(m, "id");
  ov_id id = {{0}};
  sv_org *org = NULL;
  if (strlen(name) > 120) return adm_fail(m, OV_E_INVALID, NULL, "the name is longer than 120 bytes");
  if (hex && (strlen(hex) != 2 * OV_ID_BYTES || ov_unhex(hex, id.b, OV_ID_BYTES) || ov_id_is_zero(&id))) {
    return adm_fail(m, OV_E_INVALID, NULL, "--id takes %u hex digits", 2 * OV_ID_BYTES);
  }
  if (with_name(m, name))
    return adm_fail(m, OV_E_EXISTS, NULL, "there is an organisation \"%s\" already", name);
  if (check_room(m)) return m->err;
  if (make(m, &id, name, zone ? zone : "Europe/Amsterdam", &org)) return m->err;
  int err = m->h->org_created(m->h->ctx, org);
  if (err) {
    sv_org_close(org);
    return adm_failed(m, err, "the organisation was made, but cannot be served until the next start");
  }
  adm_set_text(m, "organisation", org->name);
  adm_set(m, "id", adm_id_json(&org->id));
  return 0;
}

static json_t *summary(adm *m, sv_org *o) {
  sv_env_stats st;
  (void)m;
  sv_env_stats_get(o->env, &st);
  json_t *j = json_pack("{s:o, s:o, s:s, s:I, s:I, s:b}", "organisation",
                        adm_text_json(o->name, strlen(o->name)), "id", adm_id_json(&o->id), "zone", o->zone,
                        "ops", (json_int_t)st.ops, "records", (json_int_t)st.records, "read_only",
                        sv_env_readonly(o->env));
  return j;
}

static int by_name(const void *a, const void *b) {
  const sv_org *const *x = a, *const *y = b;
  int order = strcmp((*x)->name, (*y)->name);
  return order ? order : memcmp(&(*x)->id, &(*y)->id, sizeof(ov_id));
}

unsigned adm_orgs(adm *m, sv_org *all[SV_ORGS_MAX]) {
  unsigned n = 0;
  for (sv_org *o; n < SV_ORGS_MAX && (o = m->h->org_at(m->h->ctx, n)); n++) all[n] = o;
  qsort(all, n, sizeof *all, by_name);
  return n;
}

int cmd_organisation_list(adm *m) {
  sv_org *all[SV_ORGS_MAX];
  unsigned n = adm_orgs(m, all);
  for (unsigned i = 0; i < n; i++) adm_item(m, summary(m, all[i]));
  if (!m->items) adm_note(m, "there is no organisation yet: overdracht-admin organisation add NAME");
  return m->err;
}

static int live_count(adm *m, sv_txn *t, uint16_t kind, json_int_t *count) {
  ov_name *names;
  uint32_t n = 0;
  *count = 0;
  int err = find_all(m, t, kind, &names, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    err = adm_record(m, t, &names[i], &row);
    if (!err && record_is_live(&row.rec)) (*count)++;
  }
  return err;
}

int cmd_organisation_show(adm *m) {
  static const struct {
    uint16_t kind;
    const char *key;
  } counted[] = {{OV_KIND_TEAM, "teams"},
                 {OV_KIND_PERSON, "persons"},
                 {OV_KIND_PARTICIPANT, "participants"},
                 {OV_KIND_DEVICE, "devices"}};
  sv_org *o = find_org(m);
  if (!o) return m->err;
  json_t *s = summary(m, o);
  json_object_update(m->reply, s);
  json_decref(s);
  adm_set(m, "server_writer", adm_id_json(&o->server));
  sv_txn *t = adm_read(m, o);
  if (!t) return m->err;
  for (unsigned i = 0; i < 4 && !m->err; i++) {
    json_int_t n;
    if (!live_count(m, t, counted[i].kind, &n)) adm_set(m, counted[i].key, json_integer(n));
  }
  ov_name *names;
  uint32_t n = 0;
  sv_record_row row;
  if (!find_all(m, t, OV_KIND_ORGANISATION, &names, &n) && n && !adm_record(m, t, &names[0], &row)) {
    adm_set(m, "settings",
            value_record_json(m, t, ov_schemas_kind(m->h->schemas, OV_KIND_ORGANISATION), &row.rec));
  }
  sv_txn_abort(t);
  return m->err;
}

int cmd_organisation_edit(adm *m) {
  sv_org *o = find_org(m);
  ov_name *names;
  uint32_t n = 0;
  sv_txn *t = o ? adm_read(m, o) : NULL;
  if (!t) return m->err;
  int err = find_all(m, t, OV_KIND_ORGANISATION, &names, &n);
  sv_txn_abort(t);
  if (err) return err;
  if (!n) return adm_fail(m, OV_E_NOTFOUND, NULL, "%s has no organisation record", o->name);
  adm_draft d = {.org = o, .k = find_kind(m, "organisation")};
  if (!d.k) return m->err;
  for (size_t i = 0; i < arg_count(m, "fields"); i++) {
    const char *text = arg_at(m, "fields", i);
    if (!strncmp(text, "commit_key=", 11))
      return adm_fail(m, OV_E_DENIED, NULL, "the commit key is made by the server and never changed");
    if (value_assign(m, &d, text)) return m->err;
  }
  return draft_change(m, &d, &names[0]);
}
