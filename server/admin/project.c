/* Projects: a technology for a care question, in some teams of an organisation. */
#include <string.h>

#include "admin_priv.h"

static void put_named(adm *m, adm_draft *d, const char *field, const char *text) {
  const ov_sfield *f = value_field(d->k, field, strlen(field));
  ov_value v;
  if (!text || m->err) return;
  if (!f) adm_fail(m, OV_E_INTERNAL, NULL, "the schema of %s has no field %s", d->k->name, field);
  else if (!value_parse(m, d->org, d->k, f, text, &v)) value_put(m, d, f->id, '=', v);
}

int cmd_project_add(adm *m) {
  static const char *const args[] = {"name", "theme_network", "technology", "care_question", "lead"};
  ov_name name;
  ov_value teams;
  sv_org *org = find_org(m);
  adm_draft d = {.org = org, .k = org ? find_kind(m, "project") : NULL, .scope = 1};
  if (!d.k || find_teams(m, org, "team", &teams)) return m->err;
  for (unsigned i = 0; i < sizeof args / sizeof args[0]; i++) put_named(m, &d, args[i], arg_text(m, args[i]));
  const ov_sfield *f = value_field(d.k, "teams", 5);
  if (f && teams.set.n_add) value_put(m, &d, f->id, '=', teams);
  for (size_t i = 0; !m->err && i < arg_count(m, "fields"); i++) value_assign(m, &d, arg_at(m, "fields", i));
  if (m->err || draft_label_free(m, &d, NULL) || draft_create(m, &d, &name)) return m->err;
  adm_set_text(m, "project", arg_text(m, "name"));
  adm_set(m, "record", adm_name_json(&name));
  return m->err;
}

int cmd_project_list(adm *m) {
  static const char *const shown[] = {"name", "theme_network", "technology", "phase", "teams"};
  ov_name *names;
  uint32_t n = 0;
  sv_org *org = find_org(m);
  const ov_skind *k = org ? find_kind(m, "project") : NULL;
  sv_txn *t = k ? adm_read(m, org) : NULL;
  if (!t) return m->err;
  int err = find_all(m, t, k->id, &names, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    err = adm_record(m, t, &names[i], &row);
    if (err || !record_is_live(&row.rec)) continue;
    json_t *all = value_record_json(m, t, k, &row.rec), *j = json_object();
    for (unsigned s = 0; s < sizeof shown / sizeof shown[0]; s++) {
      json_t *v = json_object_get(all, shown[s]);
      if (v) json_object_set(j, s ? shown[s] : "project", v);
    }
    json_decref(all);
    json_object_set_new(j, "record", adm_name_json(&names[i]));
    adm_item(m, j);
  }
  sv_txn_abort(t);
  return m->err;
}
