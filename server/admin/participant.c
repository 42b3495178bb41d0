/* Participants: in one or more teams, which decide who receives their records. */
#include <string.h>

#include "admin_priv.h"

#define AGE_BAND 3
#define PSEUDONYM 6
#define ACTIVE 7

int cmd_participant_add(adm *m) {
  ov_name name;
  ov_value teams;
  sv_org *org = find_org(m);
  adm_draft d = {.org = org, .k = org ? find_kind(m, "participant") : NULL};
  if (!d.k || find_teams(m, org, "team", &teams)) return m->err;
  if (!teams.set.n_add)
    return adm_fail(m, OV_E_INVALID, "see `overdracht-admin team list`",
                    "a participant needs a team: --team NAME");
  d.scope = (uint32_t)teams.set.add[0].i;
  value_put_text(m, &d, SV_PARTICIPANT_LABEL, arg_text(m, "label"));
  value_put_text(m, &d, AGE_BAND, arg_text(m, "age_band"));
  value_put_text(m, &d, PSEUDONYM, arg_text(m, "pseudonym"));
  value_put(m, &d, SV_PARTICIPANT_TEAMS, '=', teams);
  value_put(m, &d, ACTIVE, '=', ov_int(1));
  if (m->err || draft_label_free(m, &d, NULL) || draft_create(m, &d, &name)) return m->err;
  adm_set_text(m, "participant", arg_text(m, "label"));
  adm_set(m, "record", adm_name_json(&name));
  return m->err;
}

static bool in_care(const ov_record *r) { return record_is_live(r) && record_int(r, ACTIVE, 1); }

static json_t *item(adm *m, sv_txn *t, const ov_skind *k, const sv_record_row *row) {
  char label[OV_LABEL_BYTES_MAX + 1];
  const ov_sfield *age = value_field(k, "age_band", 8);
  const ov_live *l = age ? ov_record_field(&row->rec, age->id, NULL) : NULL;
  find_label(m, &row->rec, label, sizeof label);
  json_t *j = json_pack("{s:o, s:o, s:b, s:o}", "participant", adm_text_json(label, strlen(label)), "teams",
                        teams_json(m, t, &row->rec, SV_PARTICIPANT_TEAMS), "in_care", in_care(&row->rec),
                        "record", adm_name_json(&row->rec.name));
  if (l) json_object_set_new(j, "age_band", value_json(m, t, age, &l->v));
  if (row->erased) json_object_set_new(j, "erased", json_true());
  return j;
}

int cmd_participant_list(adm *m) {
  return adm_list_people(m, "participant", SV_PARTICIPANT_TEAMS, in_care, item);
}

/* Opens the draft of an edit of the participant that the request names. */
static int open_edit(adm *m, adm_draft *d, ov_name *name) {
  d->org = find_org(m);
  d->k = d->org ? find_kind(m, "participant") : NULL;
  return d->k ? find_record(m, d->org, d->k, arg_text(m, "participant"), name) : m->err;
}

int cmd_participant_edit(adm *m) {
  adm_draft d = {0};
  ov_name name;
  if (open_edit(m, &d, &name)) return m->err;
  value_put_text(m, &d, SV_PARTICIPANT_LABEL, arg_text(m, "label"));
  value_put_text(m, &d, AGE_BAND, arg_text(m, "age_band"));
  value_put_text(m, &d, PSEUDONYM, arg_text(m, "pseudonym"));
  value_put_text(m, &d, ACTIVE, arg_text(m, "active"));
  if (!m->err && arg_text(m, "label")) draft_label_free(m, &d, &name);
  return m->err ? m->err : draft_change(m, &d, &name);
}

static int change_teams(adm *m, char how) {
  adm_draft d = {0};
  ov_name name;
  ov_value teams;
  if (open_edit(m, &d, &name) || find_teams(m, d.org, "team", &teams)) return m->err;
  value_put(m, &d, SV_PARTICIPANT_TEAMS, how, teams);
  if (draft_change(m, &d, &name)) return m->err;
  sv_record_row row;
  sv_txn *t = adm_read(m, d.org);
  if (t && !adm_record(m, t, &name, &row)) {
    adm_set(m, "teams", teams_json(m, t, &row.rec, SV_PARTICIPANT_TEAMS));
    if (!record_has_team(&row.rec, SV_PARTICIPANT_TEAMS, 0) &&
        !json_array_size(json_object_get(m->reply, "teams"))) {
      adm_note(
          m,
          "no team is left: until one is given, the records stay with the team that created the participant");
    }
  }
  sv_txn_abort(t);
  return m->err;
}

int cmd_participant_move(adm *m) { return change_teams(m, '='); }
int cmd_participant_team_add(adm *m) { return change_teams(m, '+'); }
int cmd_participant_team_remove(adm *m) { return change_teams(m, '-'); }
