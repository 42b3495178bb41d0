/* The table of rights, as it is in force. */
#include <string.h>

#include "admin_priv.h"
#include "sv_rights.h"

static void print_line(adm *m, const sv_right_line *l, sv_action action) {
  json_t *o = json_pack("{s:s, s:s}", "kind", l->name, "action", sv_action_name(action));
  for (unsigned role = SV_ROLE_CARE_STAFF; role < SV_ROLES; role++) {
    sv_reach reach = sv_right(role, l->kind, action);
    json_object_set_new(o, sv_role_name(role), json_string(sv_reach_name(reach)));
  }
  json_object_set_new(o, "reason", json_string(l->why));
  adm_item(m, o);
}

int cmd_rights(adm *m) {
  sv_right_line l;
  const char *kind = arg_text(m, "kind");
  bool found = !kind;
  for (unsigned i = 0; sv_right_line_at(i, &l); i++) {
    if (kind && strcmp(kind, l.name) != 0) continue;
    found = true;
    for (unsigned a = 0; a < SV_ACTIONS; a++) print_line(m, &l, (sv_action)a);
  }
  if (!found) return adm_fail(m, OV_E_NOTFOUND, "see `overdracht-admin kind list`", "no kind \"%s\"", kind);
  adm_note(m,
           "own team and own organisation: of the records there; network: what the programme shares, and of "
           "an organisation's records only figures from releases");
  return m->err;
}
