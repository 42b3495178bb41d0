/* May this device write this op for this author now? An enrolled device of the organisation, a team it is in,
 * and an author of that team. What somebody wrote before leaving a team, or before the participant moved,
 * stays valid: tablets are offline when things change. */
#include <string.h>

#include "ingest_priv.h"

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
  v->n_teams = scopes_of_field(r, field, v->teams);
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
  return 0;
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
static int knows_participant(ingest *g, const author_view *dev, const ov_op *op, bool *knows) {
  brief part;
  uint32_t scopes[OV_SCOPES_MAX], n = 0;
  ov_record r = {.scope = op->scope, .has_participant = true, .participant = op->participant, .n_ops = 1};
  int err = ingest_brief(g, &op->participant, &part);
  if (!err) err = scopes_of_record(g, &r, scopes, &n);
  if (err) return err;
  *knows = was_in(dev, part.scope, op->device_time);
  for (uint32_t i = 0; i < n && !*knows; i++) *knows = was_in(dev, scopes[i], op->device_time);
  for (uint32_t i = 0; i < dev->n_teams && !*knows; i++) {
    uint64_t pos;
    err = sv_gone_get(g->t, dev->teams[i], &op->participant, &pos);
    if (err && err != OV_E_NOTFOUND) return err;
    *knows = !err;
  }
  return 0;
}

static bool any_team(const author_view *v, const about *a, int64_t at) {
  for (uint32_t i = 0; i < a->n; i++) {
    if (a->v[i] < 2 || was_in(v, a->v[i], at)) return true;
  }
  return false;
}

/* The device's own row says its teams; its record is read only when they do not settle it. */
static int check_device(ingest *g, const sv_device *device, const ov_op *op, const about *a, int *reason) {
  author_view v = {.set = true, .found = true, .active = true, .n_teams = device->n_teams};
  bool knows = true;
  memcpy(v.teams, device->teams, sizeof v.teams);
  int err = 0;
  if (!any_team(&v, a, op->device_time) && !ov_name_is_zero(&device->record)) {
    err = view_load(g, &device->record, OV_KIND_DEVICE, SV_DEVICE_TEAMS, &v);
  }
  if (err) return err;
  if (!any_team(&v, a, op->device_time)) *reason = OV_HELD_SCOPE;
  else if (op->creates && op->has_participant) err = knows_participant(g, &v, op, &knows);
  if (!knows) *reason = OV_HELD_SCOPE;
  return err;
}

static int check_author(ingest *g, const ov_op *op, const about *a, int *reason) {
  author_view *v = &g->author;
  *reason = OV_HELD_AUTHOR;
  if (!op->has_author) return 0;
  if (!v->set || !ov_name_equal(&v->name, &op->author)) {
    int err = view_load(g, &op->author, OV_KIND_PERSON, SV_PERSON_TEAMS, v);
    if (err) return err;
  }
  if (!v->found || (!v->active && op->device_time >= v->left)) return 0;
  if (any_team(v, a, op->device_time)) *reason = 0;
  return 0;
}

static int check_kind(const ingest *g, const ov_op *op) {
  if (server_only(op->kind)) return OV_HELD_KIND;
  const ov_skind *k = ov_schemas_kind(g->org->schemas, op->kind);
  return !k && op->scope == 0 ? OV_HELD_KIND
                              : 0; /* unknown here: kept and relayed, but only inside the organisation */
}

int authorise_op(ingest *g, const sv_device *device, const ov_op *op, int *reason) {
  about a = {0};
  if (device->revoked) *reason = OV_HELD_REVOKED;
  else if (!ov_id_equal(&device->organisation, &g->org->id)) *reason = OV_HELD_DEVICE;
  else *reason = check_kind(g, op);
  if (*reason) return 0;
  int err = about_record(g, op, &a);
  if (!err) err = check_device(g, device, op, &a, reason);
  /* The receipt of an erasure is the device's own word, written once: no person stands behind it. */
  if (!err && !*reason && op->kind == OV_KIND_PURGE) *reason = op->creates ? 0 : OV_HELD_KIND;
  else if (!err && !*reason) err = check_author(g, op, &a, reason);
  return err;
}

int sv_authorise(sv_txn *t, sv_org *org, const sv_device *device, const ov_op *op, ov_arena *a) {
  ingest g;
  sv_device now;
  int reason = OV_HELD_DEVICE;
  int err = ingest_begin(&g, t, org, a, NULL);
  if (!err) err = sv_device_get(t, &device->id, &now);
  if (!err) err = authorise_op(&g, &now, op, &reason);
  ingest_end(&g);
  return err ? OV_HELD_DEVICE : reason;
}

int sv_device_scopes(sv_txn *t, sv_org *org, const sv_device *device, ov_arena *a,
                     uint32_t scopes[OV_SCOPES_MAX], uint32_t *n) {
  sv_device now;
  *n = 0;
  int err = sv_device_get(t, &device->id, &now);
  if (err == OV_E_NOTFOUND && ov_id_equal(&device->organisation, &org->id)) {
    /* enrolled after the backup that was put back (ingest_push.c): as its record says, if any */
    now = *device;
    now.n_teams = 0;
    err = sv_device_record_teams(t, &now.record, a, now.teams, &now.n_teams);
  }
  if (err == OV_E_NOTFOUND || (!err && now.revoked)) return 0;
  if (err) return err;
  scopes[(*n)++] = 0;
  if (org->programme) return 0;
  scopes[(*n)++] = 1;
  for (uint32_t i = 0; i < now.n_teams && *n < OV_SCOPES_MAX; i++) scopes[(*n)++] = now.teams[i];
  return 0;
}

int sv_device_record_teams(sv_txn *t, const ov_name *record, ov_arena *a, uint32_t teams[OV_SCOPES_MAX],
                           uint32_t *n) {
  sv_record_row row;
  *n = 0;
  int err = sv_record_get(t, record, a, &row);
  if (!err) *n = scopes_of_field(&row.rec, SV_DEVICE_TEAMS, teams);
  return err == OV_E_NOTFOUND ? 0 : err;
}
