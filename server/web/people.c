/* Who a person is, as the organisation's records say now. */
#include <string.h>

#include "sv_kinds.h"
#include "sv_rights.h"
#include "web_priv.h"

/* One person record with its ops. */
#define PERSON_ARENA_BYTES ((size_t)1 << 20)

static int64_t int_of(const ov_record *r, uint16_t field, int64_t otherwise) {
  const ov_live *l = ov_record_field(r, field, NULL);
  return l && l->v.type == OV_V_INT ? l->v.i : otherwise;
}

uint8_t web_role_of(const ov_record *person) { return (uint8_t)int_of(person, SV_PERSON_ROLE, 0); }

/* A team added and deleted at once counts, as it does for devices. */
static void take_teams(const ov_record *r, web_person *out) {
  uint32_t n = 0;
  const ov_live *l = ov_record_field(r, SV_PERSON_TEAMS, &n);
  for (uint32_t i = 0; i < n && out->n_teams < OV_SCOPES_MAX - 2; i++) {
    bool added = l[i].is_elem && l[i].v.type == OV_V_INT && l[i].v.i == 1 && l[i].elem.type == OV_V_INT;
    if (!added || l[i].elem.i < 2 || l[i].elem.i > SV_TEAM_SCOPE_MAX) continue;
    if (!out->n_teams || out->teams[out->n_teams - 1] != (uint32_t)l[i].elem.i)
      out->teams[out->n_teams++] = (uint32_t)l[i].elem.i;
  }
}

static void fill(const ov_record *r, web_person *out) {
  const ov_live *name = ov_record_field(r, SV_PERSON_NAME, NULL);
  memset(out, 0, sizeof *out);
  if (name && name->v.type == OV_V_TEXT) {
    size_t n = name->v.s.n < OV_LABEL_BYTES_MAX ? name->v.s.n : OV_LABEL_BYTES_MAX;
    memcpy(out->name, name->v.s.p, n);
  }
  out->role = (unsigned)int_of(r, SV_PERSON_ROLE, 0);
  out->active = ov_record_retracted(r) != OV_RETRACTED && int_of(r, SV_PERSON_ACTIVE, 1) != 0;
  take_teams(r, out);
}

int web_person_read(sv_txn *t, ov_arena *a, const ov_name *person, web_person *out) {
  sv_record_row row;
  int err = sv_record_get(t, person, a, &row);
  if (!err && (row.rec.kind != OV_KIND_PERSON || !row.rec.created)) err = OV_E_NOTFOUND;
  if (!err) fill(&row.rec, out);
  return err;
}

int web_person_get(sv_web *w, const ov_id *organisation, const ov_name *person, web_person *out) {
  sv_org *org = sv_server_org(w->o.server, organisation);
  sv_txn *t = NULL;
  ov_arena a;
  int err = org ? sv_txn_read(org->env, &t) : OV_E_NOTFOUND;
  if (err) return err;
  ov_arena_init(&a, PERSON_ARENA_BYTES);
  err = web_person_read(t, &a, person, out);
  ov_arena_free(&a);
  sv_txn_abort(t);
  return err;
}

/* Teams of the organisation beyond what the device of somebody who reads all of them can follow (read_person
 * in core/reader.c takes them in this order). Never silently: the desk says it. */
static uint32_t teams_unseen(sv_org *org, unsigned role) {
  sv_scope s = {.scope = 1};
  sv_txn *t = NULL;
  uint32_t n = 0;
  if (!org || sv_right(role, OV_KIND_PARTICIPANT, SV_A_READ) != SV_OWN_ORG || sv_txn_read(org->env, &t))
    return 0;
  while (!sv_scope_next(t, s.scope, &s)) n++;
  sv_txn_abort(t);
  return n > OV_SCOPES_MAX - 2 ? n - (OV_SCOPES_MAX - 2) : 0;
}

json_t *web_person_json(sv_web *w, const ov_id *organisation, const ov_name *person, const web_person *p) {
  char id[2 * OV_ID_BYTES + 1], record[OV_NAME_TEXT_MAX];
  sv_org *org = sv_server_org(w->o.server, organisation);
  ov_hex(organisation->b, OV_ID_BYTES, id);
  ov_name_text(person, record);
  json_t *teams = json_array();
  for (uint32_t i = 0; i < p->n_teams; i++) json_array_append_new(teams, json_integer(p->teams[i]));
  return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:o, s:i}", "person", record, "name", p->name, "role",
                   sv_role_name(p->role), "organisation", "id", id, "name", org ? org->name : "", "teams",
                   teams, "teams_unseen", (int)teams_unseen(org, p->role));
}
