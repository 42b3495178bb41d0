/* Reading records, for all commands. */
#include <string.h>

#include "admin_priv.h"

sv_txn *adm_read(adm *m, sv_org *org) {
  sv_txn *t = NULL;
  if (m->err) return NULL;
  int err = sv_txn_read(org->env, &t);
  if (!err) return t;
  adm_failed(m, err, org->name);
  return NULL;
}

int adm_record(adm *m, sv_txn *t, const ov_name *name, sv_record_row *row) {
  int err = sv_record_get(t, name, &m->a, row);
  if (err && err != OV_E_NOTFOUND) {
    char text[OV_NAME_TEXT_MAX];
    ov_name_text(name, text);
    adm_failed(m, err, text);
  }
  return err;
}

int64_t adm_now_ms(const adm *m) { return m->h->sys->now_ms(m->h->sys->ctx); }

int64_t record_int(const ov_record *r, uint16_t field, int64_t otherwise) {
  const ov_live *l = ov_record_field(r, field, NULL);
  return l && l->v.type == OV_V_INT ? l->v.i : otherwise;
}

static uint16_t active_field(uint16_t kind) {
  switch (kind) {
  case OV_KIND_ORGANISATION: return SV_ORGANISATION_ACTIVE;
  case OV_KIND_TEAM: return SV_TEAM_ACTIVE;
  case OV_KIND_PERSON: return SV_PERSON_ACTIVE;
  default: return 0;
  }
}

bool record_is_live(const ov_record *r) {
  uint16_t active = active_field(r->kind);
  if (!r->created || ov_record_retracted(r) == OV_RETRACTED) return false;
  if (r->kind == OV_KIND_DEVICE) return record_int(r, SV_DEVICE_STATUS, 1) == 1;
  return !active || record_int(r, active, 1) != 0;
}

bool record_has_team(const ov_record *r, uint16_t field, uint32_t scope) {
  uint32_t scopes[OV_SCOPES_MAX], n = sv_record_teams(r, field, scopes);
  for (uint32_t i = 0; i < n; i++) {
    if (scopes[i] == scope) return true;
  }
  return false;
}

json_t *teams_json(adm *m, sv_txn *t, const ov_record *r, uint16_t field) {
  uint32_t scopes[OV_SCOPES_MAX], n = sv_record_teams(r, field, scopes);
  json_t *list = json_array();
  for (uint32_t i = 0; i < n; i++) {
    char label[OV_LABEL_BYTES_MAX + 1];
    find_team_label(m, t, scopes[i], label, sizeof label);
    json_array_append_new(list, adm_text_json(label, strlen(label)));
  }
  return list;
}

int adm_list_people(adm *m, const char *kind, uint16_t teams, bool (*now)(const ov_record *r),
                    adm_person_json *json) {
  uint32_t scope = 0, n = 0;
  ov_name *names;
  sv_org *org = find_org(m);
  const ov_skind *k = org ? find_kind(m, kind) : NULL;
  if (!k || (arg_text(m, "team") && find_team(m, org, arg_text(m, "team"), &scope))) return m->err;
  sv_txn *t = adm_read(m, org);
  if (!t) return m->err;
  int err = find_all(m, t, k->id, &names, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    err = adm_record(m, t, &names[i], &row);
    if (err || (scope && !record_has_team(&row.rec, teams, scope))) continue;
    if (!arg_flag(m, "all") && !now(&row.rec)) continue;
    adm_item(m, json(m, t, k, &row));
    adm_shows(m, &row.rec);
  }
  sv_txn_abort(t);
  return m->err;
}

bool walk_within(sv_txn *t, walk_limit *w, ov_name *name) {
  if (!w->set || !ov_id_equal(&w->writer, &name->writer)) {
    sv_tip tip;
    uint32_t n = 0;
    bool known = !sv_tips_get(t, &name->writer, &tip, 1, &n) && n;
    *w = (walk_limit){.writer = name->writer, .set = true, .seq = known ? tip.head.seq : OV_SEQ_MAX};
  }
  if (name->seq <= w->seq) return true;
  name->seq = OV_SEQ_MAX;
  memset(name->tag, 0xff, sizeof name->tag);
  return false;
}
