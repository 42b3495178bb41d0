/* Devices: a record that says its name and teams, and one enrolled key for each tablet (a reinstalled tablet
 * enrols again). */
#include <stdio.h>
#include <string.h>

#include "admin_priv.h"
#include "sv_enrol.h"

#define REVOKED_MAX                                                                                          \
  64u /* keys of one device record that one revocation cuts off at once; a second call takes the next */

typedef struct code_job {
  adm *m;
  const ov_id *organisation;
  const ov_name *record;
  char code[SV_CODE_TEXT];
} code_job;

static int code_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  code_job *j = arg;
  (void)a;
  (void)touches;
  return sv_code_make(t, j->m->h->sys, j->organisation, j->record, j->code);
}

/* What the QR code holds: a camera opens the app, and the fragment, which no server ever sees, is the
 * code. */
static int tell_address(adm *m, const char *code) {
  const char *url = arg_text(m, "url") ? arg_text(m, "url") : m->h->web_url;
  char whole[300];
  if (url) {
    int n = snprintf(whole, sizeof whole, "%s%s#code=%s", url, url[strlen(url) - 1] == '/' ? "" : "/", code);
    if (n < 0 || (size_t)n >= sizeof whole || (strncmp(url, "https://", 8) && strncmp(url, "http://", 7)))
      return adm_fail(m, OV_E_INVALID, "e.g. --url https://sync.example.nl",
                      "\"%s\" is no address of a web app", url);
    adm_set_text(m, "address", whole);
    adm_set_text(m, "qr", whole);
  } else if (arg_flag(m, "qr") || arg_text(m, "png")) {
    return adm_fail(m, OV_E_INVALID, "say it with --url https://...",
                    "the address of the web app is not known here");
  }
  return 0;
}

static int make_code(adm *m, sv_org *org, const ov_name *record) {
  code_job j = {.m = m, .organisation = &org->id, .record = record};
  int err = m->h->write(m->h->ctx, m->h->programme, code_work, &j);
  if (err) return adm_failed(m, err, "making the enrolment code");
  adm_set_text(m, "code", j.code);
  if (tell_address(m, j.code)) return m->err;
  adm_set(m, "valid_until", adm_time_json(adm_now_ms(m) + SV_CODE_LIFE_MS));
  adm_note(m, "type it on the tablet within %d minutes: it works once", SV_CODE_LIFE_MS / 60000);
  return m->err;
}

int cmd_device_add(adm *m) {
  ov_name name;
  ov_value teams;
  sv_org *org = find_org(m);
  adm_draft d = {.org = org, .k = org ? find_kind(m, "device") : NULL, .scope = 1};
  if (!d.k || find_teams(m, org, "team", &teams)) return m->err;
  value_put_text(m, &d, SV_DEVICE_NAME, arg_text(m, "name"));
  value_put(m, &d, SV_DEVICE_TEAMS, '=', teams);
  value_put(m, &d, SV_DEVICE_STATUS, '=', ov_int(1));
  if (m->err || draft_label_free(m, &d, NULL) || draft_create(m, &d, &name)) return m->err;
  adm_set_text(m, "device", arg_text(m, "name"));
  adm_set(m, "record", adm_name_json(&name));
  return arg_flag(m, "no_code") ? m->err : make_code(m, org, &name);
}

static int find_device(adm *m, sv_org **org, const ov_skind **k, ov_name *name, sv_record_row *row) {
  *org = find_org(m);
  *k = *org ? find_kind(m, "device") : NULL;
  if (!*k || find_record(m, *org, *k, arg_text(m, "device"), name)) return m->err;
  sv_txn *t = adm_read(m, *org);
  int err = t ? adm_record(m, t, name, row) : m->err;
  sv_txn_abort(t);
  return err;
}

int cmd_device_code(adm *m) {
  sv_org *org;
  const ov_skind *k;
  ov_name name;
  sv_record_row row;
  if (find_device(m, &org, &k, &name, &row)) return m->err;
  if (!record_is_live(&row.rec)) {
    return adm_fail(m, OV_E_REVOKED, "make a new one: overdracht-admin device add",
                    "this device was revoked and gets no new code");
  }
  return make_code(m, org, &name);
}

int cmd_device_edit(adm *m) {
  sv_org *org;
  const ov_skind *k;
  ov_name name;
  ov_value teams;
  sv_record_row row;
  if (find_device(m, &org, &k, &name, &row) || find_teams(m, org, "team", &teams)) return m->err;
  adm_draft d = {.org = org, .k = k};
  value_put_text(m, &d, SV_DEVICE_NAME, arg_text(m, "name"));
  if (teams.set.n_add) value_put(m, &d, SV_DEVICE_TEAMS, '=', teams);
  if (!m->err && arg_text(m, "name")) draft_label_free(m, &d, &name);
  return m->err ? m->err : draft_change(m, &d, &name);
}

/* -- list -------------------------------------------------------------------------------- */

/* purged: all of them have said so. */
static json_t *keys_json(sv_txn *t, const ov_name *record, int64_t *seen, bool *purged) {
  sv_device d;
  ov_id after;
  const ov_id *from = NULL;
  json_t *list = json_array();
  *seen = 0;
  *purged = true;
  while (!sv_device_next(t, from, &d)) {
    after = d.id;
    from = &after;
    if (!ov_name_equal(&d.record, record)) continue;
    if (d.last_seen_ms > *seen) *seen = d.last_seen_ms;
    json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:b}", "id", adm_id_json(&d.id),
                                          "calls_itself", adm_text_json(d.name, strlen(d.name)), "enrolled",
                                          adm_time_json(d.enrolled_ms), "last_seen",
                                          adm_time_json(d.last_seen_ms), "revoked", d.revoked));
    json_t *key = json_array_get(list, json_array_size(list) - 1);
    json_object_set_new(key, "purged", d.purged_ms ? adm_time_json(d.purged_ms) : json_null());
    json_object_set_new(key, "handed_in", json_integer((json_int_t)d.quarantined));
    if (d.expires_ms) json_object_set_new(key, "expires", adm_time_json(d.expires_ms));
    *purged = *purged && d.purged_ms;
  }
  return list;
}

int cmd_device_list(adm *m) {
  ov_name *names;
  uint32_t n = 0;
  sv_org *org = find_org(m);
  const ov_skind *k = org ? find_kind(m, "device") : NULL;
  sv_txn *t = k ? adm_read(m, org) : NULL;
  if (!t) return m->err;
  int err = find_all(m, t, k->id, &names, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    char label[OV_LABEL_BYTES_MAX + 1];
    int64_t seen;
    bool purged;
    err = adm_record(m, t, &names[i], &row);
    if (err || (!arg_flag(m, "all") && !record_is_live(&row.rec))) continue;
    find_label(m, &row.rec, label, sizeof label);
    json_t *keys = keys_json(t, &names[i], &seen, &purged);
    bool gone = json_array_size(keys) && purged;
    const char *state = !record_is_live(&row.rec) ? gone ? "revoked, purged" : "revoked"
                        : json_array_size(keys)   ? "in use"
                                                  : "not enrolled yet";
    adm_item(m, json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "device", adm_text_json(label, strlen(label)),
                          "teams", teams_json(m, t, &row.rec, SV_DEVICE_TEAMS), "state", state, "last_seen",
                          seen ? adm_time_json(seen) : json_null(), "record", adm_name_json(&names[i]),
                          "keys", keys));
  }
  sv_txn_abort(t);
  return m->err;
}

/* -- revoke ------------------------------------------------------------------------------ */

typedef struct revoke_job {
  const ov_id *organisation;
  const ov_name *record;
  ov_id ids[REVOKED_MAX];
  uint32_t n, known;
} revoke_job;

/* Every key enrolled for the record. */
static int revoke_keys(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  revoke_job *j = arg;
  sv_device d;
  ov_id after;
  const ov_id *from = NULL;
  (void)a;
  (void)touches;
  j->n = j->known = 0;
  while (!sv_device_next(t, from, &d)) {
    after = d.id;
    from = &after;
    if (!ov_name_equal(&d.record, j->record) || !ov_id_equal(&d.organisation, j->organisation)) continue;
    j->known++;
    if (d.revoked || j->n == REVOKED_MAX) continue;
    d.revoked = true;
    j->ids[j->n++] = d.id;
    sv_device_put(t, &d);
  }
  return sv_txn_error(t);
}

/* In the programme also the codes that would still let it in. */
static int revoke_routes(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  revoke_job *j = arg;
  sv_code c;
  uint8_t after[OV_HASH_BYTES];
  const uint8_t *from = NULL;
  while (!sv_code_next(t, from, &c)) {
    memcpy(after, c.hash, sizeof after);
    from = after;
    if (ov_name_equal(&c.device_record, j->record) && ov_id_equal(&c.organisation, j->organisation))
      sv_code_del(t, c.hash);
  }
  return revoke_keys(arg, t, a, touches);
}

int cmd_device_revoke(adm *m) {
  sv_org *org;
  const ov_skind *k;
  ov_name name;
  sv_record_row row;
  if (find_device(m, &org, &k, &name, &row)) return m->err;
  revoke_job keys = {.organisation = &org->id, .record = &name}, routes = keys;
  /* The organisation's rows decide what a session may do, so they go first; then the record, which everybody
   * sees. */
  int err = m->h->write(m->h->ctx, org, revoke_keys, &keys);
  if (!err) err = m->h->write(m->h->ctx, m->h->programme, revoke_routes, &routes);
  if (err) return adm_failed(m, err, "revoking");
  for (uint32_t i = 0; i < keys.n; i++) m->h->device_revoked(m->h->ctx, &keys.ids[i]);
  adm_draft d = {.org = org, .k = k};
  if (record_int(&row.rec, SV_DEVICE_STATUS, 1) == 1) {
    value_put(m, &d, SV_DEVICE_STATUS, '=', ov_int(2));
    draft_change(m, &d, &name);
  }
  adm_set(m, "keys_revoked", json_integer(keys.n));
  if (!keys.known) adm_note(m, "no tablet had enrolled with it; its unused codes are gone");
  else if (!keys.n) adm_note(m, "it was revoked already");
  else
    adm_note(m, "its session is cut; when it connects it hands in what it had not sent, which is held, wipes "
                "itself and says so: see device list --all");
  return m->err;
}
