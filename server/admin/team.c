/* Teams: each has a scope of its own, given by the server. */
#include <string.h>

#include "admin_priv.h"

int cmd_team_add(adm *m) {
  ov_name name;
  sv_record_row row;
  sv_org *org = find_org(m);
  adm_draft d = {.org = org, .k = org ? find_kind(m, "team") : NULL, .new_scope = true};
  if (!d.k) return m->err;
  value_put_text(m, &d, SV_TEAM_NAME, arg_text(m, "name"));
  value_put(m, &d, SV_TEAM_ACTIVE, '=', ov_int(1));
  if (m->err || draft_label_free(m, &d, NULL) || draft_create(m, &d, &name)) return m->err;
  sv_txn *t = adm_read(m, org);
  bool read = t && !adm_record(m, t, &name, &row);
  sv_txn_abort(t);
  adm_set_text(m, "team", arg_text(m, "name"));
  adm_set(m, "record", adm_name_json(&name));
  if (!read) return m->err;
  adm_set(m, "scope", json_integer(row.rec.scope));
  if (row.rec.scope >= OV_SCOPES_MAX)
    adm_note(m, "leads see the first %u teams of an organisation on their page, and are told of the others",
             OV_SCOPES_MAX - 2);
  return m->err;
}

/* How many live records of a kind are in each team. */
static void count_members(adm *m, sv_txn *t, uint16_t kind, uint16_t field,
                          uint32_t counts[SV_TEAM_SCOPE_MAX + 1]) {
  ov_name *names;
  uint32_t n = 0, scopes[OV_SCOPES_MAX];
  if (find_all(m, t, kind, &names, &n)) return;
  for (uint32_t i = 0; i < n; i++) {
    sv_record_row row;
    if (adm_record(m, t, &names[i], &row) || !record_is_live(&row.rec)) continue;
    uint32_t k = sv_record_teams(&row.rec, field, scopes);
    for (uint32_t j = 0; j < k; j++) counts[scopes[j]]++;
  }
}

int cmd_team_list(adm *m) {
  sv_org *org = find_org(m);
  sv_txn *t = org ? adm_read(m, org) : NULL;
  if (!t) return m->err;
  uint32_t *people = ov_arena_array(&m->a, SV_TEAM_SCOPE_MAX + 1, sizeof *people);
  uint32_t *participants = ov_arena_array(&m->a, SV_TEAM_SCOPE_MAX + 1, sizeof *participants);
  ov_name *names;
  uint32_t n = 0;
  if (!people || !participants) {
    sv_txn_abort(t);
    return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  }
  int err = find_all(m, t, OV_KIND_TEAM, &names, &n);
  if (!err) count_members(m, t, OV_KIND_PERSON, SV_PERSON_TEAMS, people);
  if (!err) count_members(m, t, OV_KIND_PARTICIPANT, SV_PARTICIPANT_TEAMS, participants);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    char label[OV_LABEL_BYTES_MAX + 1];
    if (adm_record(m, t, &names[i], &row)) continue;
    find_label(m, &row.rec, label, sizeof label);
    uint32_t s = row.rec.scope <= SV_TEAM_SCOPE_MAX ? row.rec.scope : 0;
    adm_item(m, json_pack("{s:o, s:I, s:I, s:I, s:b, s:o}", "team", adm_text_json(label, strlen(label)),
                          "scope", (json_int_t)s, "persons", (json_int_t)people[s], "participants",
                          (json_int_t)participants[s], "active", record_is_live(&row.rec), "record",
                          adm_name_json(&names[i])));
  }
  sv_txn_abort(t);
  return m->err;
}

int cmd_team_edit(adm *m) {
  ov_name name;
  sv_org *org = find_org(m);
  adm_draft d = {.org = org, .k = org ? find_kind(m, "team") : NULL};
  if (!d.k || find_record(m, org, d.k, arg_text(m, "team"), &name)) return m->err;
  value_put_text(m, &d, SV_TEAM_NAME, arg_text(m, "name"));
  value_put_text(m, &d, SV_TEAM_ACTIVE, arg_text(m, "active"));
  if (arg_text(m, "name") && draft_label_free(m, &d, &name)) return m->err;
  return draft_change(m, &d, &name);
}
