/* May this device write this op for this author now? An enrolled device of the organisation, a team it is in,
 * an author of that team, and a role that the table of rights lets do this with this kind. What somebody
 * wrote before leaving a team, before getting another role, or before the participant moved, stays valid:
 * tablets are offline when things change. When it was written is the corrected time: with a tablet's own,
 * one whose clock is behind would let people write for ever who have left. */
#include <string.h>

#include "ingest_priv.h"
#include "sv_rights.h"

/* Kinds that only a server's own writer may write: they decide what devices may read and write. PROTO-154 */
static bool server_only(uint16_t kind) {
  return kind == OV_KIND_SCHEMA || kind == OV_KIND_ORGANISATION || kind == OV_KIND_TEAM ||
         kind == OV_KIND_PERSON || kind == OV_KIND_DEVICE || kind == OV_KIND_RULING ||
         kind == OV_KIND_ERASURE;
}

static bool listed(const uint32_t *v, uint32_t n, uint32_t scope) {
  for (uint32_t i = 0; i < n; i++) {
    if (v[i] == scope) return true;
  }
  return false;
}

/* -- who was in a team when -------------------------------------------------------------------- */

static void view_teams(const ov_record *r, uint16_t field, author_view *v) {
  v->n_teams = sv_record_teams(r, field, v->teams);
  uint32_t n = 0;
  const ov_live *l = ov_record_field(r, field, &n);
  for (uint32_t i = 0; i < n && v->n_past < OV_SCOPES_MAX; i++) {
    if (!l[i].is_elem || l[i].elem.type != OV_V_INT || l[i].elem.i < 2 || l[i].elem.i > SV_TEAM_SCOPE_MAX)
      continue;
    uint32_t scope = (uint32_t)l[i].elem.i;
    if (listed(v->teams, v->n_teams, scope) || listed(v->past, v->n_past, scope)) continue;
    v->past[v->n_past] = scope;
    v->past_until[v->n_past++] = r->ops[l[i].op].time;
  }
}

static int view_load(ingest *g, const ov_name *record, uint16_t kind, uint16_t teams, author_view *v) {
  sv_record_row row;
  *v = (author_view){.set = true, .name = *record};
  ov_arena_reset(&g->look);
  int err = sv_record_get(g->t, record, &g->look, &row);
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  v->found = row.rec.kind == kind && row.rec.created;
  v->active = ov_record_retracted(&row.rec) == OV_LIVE;
  const ov_live *l = kind == OV_KIND_PERSON ? ov_record_field(&row.rec, SV_PERSON_ACTIVE, NULL) : NULL;
  if (l && l->v.type == OV_V_INT && l->v.i == 0) v->active = false;
  if (!v->active) v->left = l && l->v.type == OV_V_INT && l->v.i == 0 ? row.rec.ops[l->op].time : INT64_MIN;
  view_teams(&row.rec, teams, v);
  l = kind == OV_KIND_PERSON ? ov_record_field(&row.rec, SV_PERSON_ROLE, NULL) : NULL;
  if (!l || l->v.type != OV_V_INT || l->v.i < 0 || l->v.i >= SV_ROLES) return 0;
  v->role = (unsigned)l->v.i;
  v->role_since = row.rec.ops[l->op].time;
  return 0;
}

unsigned ingest_role(ingest *g, const ov_name *person) {
  author_view *v = &g->author;
  if (v->set && ov_name_equal(&v->name, person)) return v->role;
  return view_load(g, person, OV_KIND_PERSON, SV_PERSON_TEAMS, v) ? SV_ROLE_NONE : v->role;
}

static bool was_in(const author_view *v, uint32_t scope, int64_t at) {
  if (listed(v->teams, v->n_teams, scope)) return true;
  for (uint32_t i = 0; i < v->n_past; i++) {
    if (v->past[i] == scope) return at < v->past_until[i];
  }
  return false;
}

/* -- the scopes an op is about ----------------------------------------------------------------- */

typedef struct about {
  uint32_t v[OV_SCOPES_MAX + 1];
  uint32_t n;
  int64_t written; /* corrected time, s */
} about;

static void about_add(about *a, uint32_t scope) {
  if (a->n <= OV_SCOPES_MAX && !listed(a->v, a->n, scope)) a->v[a->n++] = scope;
}

static int about_record(ingest *g, const ov_op *op, about *a) {
  brief rec = {.scope = op->scope};
  int err = op->creates ? 0 : ingest_brief(g, &op->record, &rec);
  if (err) return err;
  about_add(a, op->creates || !rec.known || rec.is_void ? op->scope : rec.scope);
  if (op->creates || (!op->has_participant && op->kind != OV_KIND_PARTICIPANT)) return 0;
  uint32_t scopes[OV_SCOPES_MAX], n = 0;
  ov_record r = {.kind = op->kind,
                 .scope = rec.scope,
                 .has_participant = true,
                 .n_ops = 1,
                 .participant = op->kind == OV_KIND_PARTICIPANT ? op->record : op->participant};
  if (op->kind == OV_KIND_PARTICIPANT)
    r.kind = 0; /* its teams as they are stored, not those of this sketch */
  err = scopes_of_record(g, &r, scopes, &n);
  for (uint32_t i = 0; i < n; i++) about_add(a, scopes[i]);
  return err;
}

/* Does this device know the participant: one of its teams has or had the record? */
static int knows_participant(ingest *g, const author_view *dev, const ov_op *op, int64_t at, bool *knows) {
  brief part;
  uint32_t scopes[OV_SCOPES_MAX], n = 0;
  ov_record r = {.scope = op->scope, .has_participant = true, .participant = op->participant, .n_ops = 1};
  int err = ingest_brief(g, &op->participant, &part);
  if (!err) err = scopes_of_record(g, &r, scopes, &n);
  if (err) return err;
  *knows = was_in(dev, part.scope, at);
  for (uint32_t i = 0; i < n && !*knows; i++) *knows = was_in(dev, scopes[i], at);
  for (uint32_t i = 0; i < dev->n_teams && !*knows; i++) {
    uint64_t pos;
    err = sv_gone_get(g->t, dev->teams[i], &op->participant, &pos);
    if (err && err != OV_E_NOTFOUND) return err;
    *knows = !err;
  }
  return 0;
}

static bool any_team(const author_view *v, const about *a) {
  for (uint32_t i = 0; i < a->n; i++) {
    if (a->v[i] < 2 || was_in(v, a->v[i], a->written)) return true;
  }
  return false;
}

/* The device's own row says its teams; its record is read only when they do not settle it. */
static int check_device(ingest *g, const sv_device *device, const ov_op *op, const about *a, int *reason) {
  author_view v = {.set = true, .found = true, .active = true, .n_teams = device->n_teams};
  bool knows = true;
  memcpy(v.teams, device->teams, sizeof v.teams);
  int err = 0;
  if (!any_team(&v, a) && !ov_name_is_zero(&device->record)) {
    err = view_load(g, &device->record, OV_KIND_DEVICE, SV_DEVICE_TEAMS, &v);
  }
  if (err) return err;
  if (!any_team(&v, a)) *reason = OV_HELD_SCOPE;
  else if (op->creates && op->has_participant) err = knows_participant(g, &v, op, a->written, &knows);
  if (!knows) *reason = OV_HELD_SCOPE;
  return err;
}

/* -- what the author's role may -------------------------------------------------------------------------- */

/* The role that this op of a person's record gave; false when it gave none. What is held gave none, whoever
 * wrote it. */
static int role_given(ingest *g, const ov_name *name, ov_arena *a, int64_t *since, unsigned *role,
                      bool *gave) {
  sv_op_row row;
  ov_verdict v;
  uint8_t reason;
  *gave = false;
  int err = sv_op_get(g->t, name, a, &row);
  if (!err) err = sv_verdict(g->t, &row, a, &v, &reason);
  const ov_field *f = err || v != OV_APPLIED ? NULL : ov_op_field(&row.op, SV_PERSON_ROLE);
  if (!f || f->v.type != OV_V_INT) return err;
  *gave = true;
  *since = row.op.device_time;
  *role = f->v.i > 0 && f->v.i < SV_ROLES ? (unsigned)f->v.i : SV_ROLE_NONE;
  return 0;
}

/* An earlier role counts for what was written under it: looked for in the person's ops, as this is rare. One
 * op in memory at a time, as anybody can write ops there that are held. */
static int role_at(ingest *g, const author_view *v, int64_t at, unsigned *role) {
  *role = v->role;
  if (at >= v->role_since) return 0;
  ov_name *ops;
  ov_arena one;
  uint32_t n;
  int64_t best = INT64_MIN;
  ov_arena_init(&one, SV_LOOK_ARENA_BYTES_MAX);
  ov_arena_reset(&g->look);
  int err = sv_record_ops(g->t, &v->name, &g->look, &ops, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    unsigned given = SV_ROLE_NONE;
    int64_t since = 0;
    bool gave;
    ov_arena_reset(&one);
    err = role_given(g, &ops[i], &one, &since, &given, &gave);
    if (!gave || since > at || since < best) continue;
    best = since;
    *role = given;
  }
  ov_arena_free(&one);
  return err;
}

/* Does it put one value in place of several that are in conflict? */
static int settles(ingest *g, const ov_op *op, bool *yes) {
  sv_record_row row;
  *yes = false;
  ov_arena_reset(&g->look);
  int err = sv_record_get(g->t, &op->record, &g->look, &row);
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  for (uint32_t i = 0; i < op->n_fields; i++) {
    uint32_t n = 0, named = 0;
    const ov_live *l = ov_record_field(&row.rec, op->fields[i].id, &n);
    for (uint32_t k = 0; k < n; k++) {
      for (uint32_t r = 0; r < op->n_replaces; r++)
        named += ov_name_equal(&op->replaces[r], &row.rec.ops[l[k].op].name);
    }
    if (named < 2) return 0;
  }
  *yes = op->n_fields > 0;
  return 0;
}

/* Is what it is about within this reach of the author? Of what the programme shares, only what this
 * organisation brought in is its own. */
static int within(ingest *g, sv_reach reach, const author_view *v, const ov_op *op, const about *a,
                  bool *yes) {
  brief rec = {.known = true};
  int err = 0;
  switch (reach) {
  case SV_NO: *yes = false; return 0;
  case SV_NETWORK: *yes = true; return 0;
  case SV_OWN_TEAM: *yes = any_team(v, a); return 0;
  case SV_OWN_ORG:
    if (op->scope == 0 && !op->creates) err = ingest_brief(g, &op->record, &rec);
    *yes = rec.known;
    return err;
  }
  return OV_E_INTERNAL;
}

static int check_right(ingest *g, const sv_device *device, const ov_op *op, const about *a, int *reason) {
  const author_view *v = &g->author;
  sv_action action = op->creates                           ? SV_A_CREATE
                     : ov_op_field(op, OV_FIELD_RETRACTED) ? SV_A_RETRACT
                                                           : SV_A_EDIT;
  bool yes = false, knows = true, settling = false;
  unsigned role;
  int err = role_at(g, v, a->written, &role);
  sv_reach reach = sv_right(role, op->kind, action);
  if (!err) err = within(g, reach, v, op, a, &yes);
  if (!err && !yes && action == SV_A_EDIT) {
    reach = sv_right(role, op->kind, SV_A_SETTLE);
    err = within(g, reach, v, op, a, &yes);
    if (!err && yes) err = settles(g, op, &settling);
    yes = yes && settling;
  }
  /* a personal device knows whom its person's teams know */
  if (!err && yes && reach == SV_OWN_TEAM && device->has_person && op->creates && op->has_participant)
    err = knows_participant(g, v, op, a->written, &knows);
  if (!err && yes) *reason = knows ? 0 : OV_HELD_SCOPE;
  return err;
}

/* A personal device writes for its person only, and may what that person may. PROTO-158 */
static int check_author(ingest *g, const sv_device *device, const ov_op *op, const about *a, int *reason) {
  author_view *v = &g->author;
  *reason = OV_HELD_AUTHOR;
  if (!op->has_author) return 0;
  if (device->has_person && !ov_name_equal(&device->person, &op->author)) {
    *reason = OV_HELD_DEVICE;
    return 0;
  }
  if (!v->set || !ov_name_equal(&v->name, &op->author)) {
    int err = view_load(g, &op->author, OV_KIND_PERSON, SV_PERSON_TEAMS, v);
    if (err) return err;
  }
  if (!v->found || (!v->active && a->written >= v->left)) return 0;
  return check_right(g, device, op, a, reason);
}

/* One that is unknown here is kept and relayed, but only inside the organisation. PROTO-152 */
static int check_kind(const ingest *g, const ov_op *op) {
  if (server_only(op->kind)) return OV_HELD_KIND;
  const ov_skind *k = ov_schemas_kind(g->org->schemas, op->kind);
  return !k && op->scope == 0 ? OV_HELD_KIND : 0;
}

int authorise_op(ingest *g, const sv_device *device, const ov_op *op, int64_t written, int *reason) {
  about a = {.written = written};
  if (sv_device_ended(device, g->now_ms)) *reason = OV_HELD_REVOKED;
  else if (!ov_id_equal(&device->organisation, &g->org->id)) *reason = OV_HELD_DEVICE;
  else *reason = check_kind(g, op);
  if (*reason) return 0;
  int err = about_record(g, op, &a);
  if (!err && !device->has_person) err = check_device(g, device, op, &a, reason);
  if (err || *reason) return err;
  /* The receipt of an erasure is the device's own word, written once: no person stands behind it. */
  if (op->kind == OV_KIND_PURGE) *reason = op->creates && !op->has_author ? 0 : OV_HELD_KIND;
  else if (op->kind == OV_KIND_LOOK)
    *reason = op->creates ? 0 : OV_HELD_KIND; /* nobody needs a right to tell */
  else err = check_author(g, device, op, &a, reason);
  return err;
}
