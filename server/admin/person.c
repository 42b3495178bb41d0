/* Persons: authors of what is logged, with a role and teams. */
#include <string.h>

#include "admin_priv.h"

int cmd_person_add(adm *m) {
  ov_name name;
  ov_value teams;
  const char *role = arg_text(m, "role");
  sv_org *org = find_org(m);
  adm_draft d = {.org = org, .k = org ? find_kind(m, "person") : NULL, .scope = 1};
  if (!d.k || find_teams(m, org, "team", &teams)) return m->err;
  value_put_text(m, &d, SV_PERSON_NAME, arg_text(m, "name"));
  value_put_text(m, &d, SV_PERSON_ROLE, role ? role : "care staff");
  if (teams.set.n_add) value_put(m, &d, SV_PERSON_TEAMS, '=', teams);
  value_put(m, &d, SV_PERSON_ACTIVE, '=', ov_int(1));
  if (m->err || draft_label_free(m, &d, NULL) || draft_create(m, &d, &name)) return m->err;
  adm_set_text(m, "person", arg_text(m, "name"));
  adm_set(m, "record", adm_name_json(&name));
  if (!teams.set.n_add)
    adm_note(
        m, "this person is in no team yet and cannot log: overdracht-admin person edit NAME --add-team TEAM");
  return m->err;
}

static json_t *item(adm *m, sv_txn *t, const ov_skind *k, const sv_record_row *row) {
  char label[OV_LABEL_BYTES_MAX + 1];
  const ov_sfield *role = value_field(k, "role", 4);
  const ov_live *l = role ? ov_record_field(&row->rec, role->id, NULL) : NULL;
  find_label(m, &row->rec, label, sizeof label);
  return json_pack("{s:o, s:o, s:o, s:b, s:o}", "person", adm_text_json(label, strlen(label)), "role",
                   l ? value_json(m, t, role, &l->v) : json_null(), "teams",
                   teams_json(m, t, &row->rec, SV_PERSON_TEAMS), "active", record_is_live(&row->rec),
                   "record", adm_name_json(&row->rec.name));
}

int cmd_person_list(adm *m) { return adm_list_people(m, "person", SV_PERSON_TEAMS, record_is_live, item); }

/* Whole set, additions and removals exclude each other: which one is meant must be plain. */
static void edit_teams(adm *m, adm_draft *d) {
  static const struct {
    const char *arg;
    char how;
  } ways[] = {{"team", '='}, {"add_team", '+'}, {"remove_team", '-'}};
  unsigned used = 0;
  for (unsigned i = 0; i < 3; i++) {
    ov_value teams;
    if (!arg_count(m, ways[i].arg)) continue;
    if (used++) adm_fail(m, OV_E_INVALID, NULL, "give one of --team, --add-team and --remove-team");
    else if (!find_teams(m, d->org, ways[i].arg, &teams))
      value_put(m, d, SV_PERSON_TEAMS, ways[i].how, teams);
  }
}

int cmd_person_edit(adm *m) {
  ov_name name;
  sv_org *org = find_org(m);
  adm_draft d = {.org = org, .k = org ? find_kind(m, "person") : NULL};
  if (!d.k || find_record(m, org, d.k, arg_text(m, "person"), &name)) return m->err;
  value_put_text(m, &d, SV_PERSON_NAME, arg_text(m, "name"));
  value_put_text(m, &d, SV_PERSON_ROLE, arg_text(m, "role"));
  value_put_text(m, &d, SV_PERSON_ACTIVE, arg_text(m, "active"));
  edit_teams(m, &d);
  if (!m->err && arg_text(m, "name")) draft_label_free(m, &d, &name);
  return m->err ? m->err : draft_change(m, &d, &name);
}
