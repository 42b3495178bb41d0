/* Who reads: what a device is delivered, and up to where. A shared tablet reads as care staff of the teams
 * that its record names. A personal device reads as its person: role and teams of the person's record, in the
 * same snapshot as what is delivered. */
#include <string.h>

#include "ingest_priv.h"
#include "sv_rights.h"

bool sv_device_ended(const sv_device *d, int64_t now_ms) {
  return d->revoked || (d->expires_ms && now_ms >= d->expires_ms);
}

static void add_scope(sv_reader *r, uint32_t scope) {
  if (r->n_scopes < OV_SCOPES_MAX) r->scopes[r->n_scopes++] = scope;
}

/* Role and teams of the person, if the person may still work here. */
static int load_person(sv_txn *t, const ov_name *person, ov_arena *a, sv_reader *r,
                       uint32_t teams[OV_SCOPES_MAX], uint32_t *n) {
  sv_record_row row;
  *n = 0;
  int err = sv_record_get(t, person, a, &row);
  if (err == OV_E_NOTFOUND) return 0;
  if (err) return err;
  const ov_live *active = ov_record_field(&row.rec, SV_PERSON_ACTIVE, NULL);
  const ov_live *role = ov_record_field(&row.rec, SV_PERSON_ROLE, NULL);
  bool gone = row.rec.kind != OV_KIND_PERSON || !row.rec.created ||
              ov_record_retracted(&row.rec) != OV_LIVE ||
              (active && active->v.type == OV_V_INT && active->v.i == 0);
  if (gone || !role || role->v.type != OV_V_INT || role->v.i < 0 || role->v.i >= SV_ROLES) return 0;
  r->role = (unsigned)role->v.i;
  *n = sv_record_teams(&row.rec, SV_PERSON_TEAMS, teams);
  return 0;
}

/* Every team of the organisation, as far as a device can follow them. */
static int all_teams(sv_txn *t, sv_reader *r) {
  sv_scope s = {.scope = 1};
  int err;
  while (!(err = sv_scope_next(t, s.scope, &s))) add_scope(r, s.scope);
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* Is anything that lives in a team delivered to this role? */
static sv_reach reach_in_teams(unsigned role) { return sv_right(role, OV_KIND_PARTICIPANT, SV_A_READ); }

/* Cursors of one role are not those of another: the hash of a position, opaque to clients, is mixed with what
 * the role may read, so that a changed role (or a changed table) is fetched anew, and what may no longer be
 * seen goes. Shared tablets all read alike and need none. */
static int mix(sv_txn *t, sv_reader *r) {
  sv_right_line l;
  uint8_t bytes[64] = {(uint8_t)r->role};
  size_t n = 1;
  ov_hash h;
  for (unsigned i = 0; sv_right_line_at(i, &l) && n < sizeof bytes; i++)
    bytes[n++] = (uint8_t)sv_right(r->role, l.kind, SV_A_READ);
  int err = ov_sha256(sv_txn_hasher(t), bytes, n, &h);
  if (!err) memcpy(r->mix, h.b, sizeof r->mix);
  return err;
}

static int read_person(sv_txn *t, const sv_device *d, ov_arena *a, sv_reader *r) {
  uint32_t teams[OV_SCOPES_MAX], n = 0;
  r->personal = true;
  r->role = SV_ROLE_NONE;
  r->person = d->person;
  int err = load_person(t, &d->person, a, r, teams, &n);
  if (err) return err;
  switch (reach_in_teams(r->role)) {
  case SV_OWN_TEAM:
    for (uint32_t i = 0; i < n; i++) add_scope(r, teams[i]);
    break;
  case SV_OWN_ORG: err = all_teams(t, r); break;
  case SV_NO:
  case SV_NETWORK: break;
  }
  return err ? err : mix(t, r);
}

int sv_reader_load(sv_txn *t, sv_org *org, const sv_device *device, ov_arena *a, sv_reader *r) {
  sv_device now;
  *r = (sv_reader){.role = SV_ROLE_CARE_STAFF, .device_record = device->record};
  int err = sv_device_get(t, &device->id, &now);
  if (err == OV_E_NOTFOUND && ov_id_equal(&device->organisation, &org->id)) {
    /* enrolled after the backup that was put back (ingest_push.c): as its record says, if any */
    now = *device;
    now.n_teams = 0;
    err = sv_device_record_teams(t, &now.record, a, now.teams, &now.n_teams);
  }
  int64_t now_ms = org->sys->now_ms(org->sys->ctx);
  /* The programme remembers an end that the organisation's restored backup does not know of. */
  bool ended = sv_device_ended(device, now_ms) || (!err && sv_device_ended(&now, now_ms));
  if (err == OV_E_NOTFOUND || ended) {
    r->ended = true;
    r->finished = !err && (now.purged_ms || now.quarantined >= SV_QUARANTINE_OPS_MAX);
    return 0;
  }
  if (err) return err;
  add_scope(r, 0);
  if (org->programme) return 0;
  add_scope(r, 1);
  if (now.has_person) return read_person(t, &now, a, r);
  for (uint32_t i = 0; i < now.n_teams; i++) add_scope(r, now.teams[i]);
  return 0;
}

bool sv_reader_same(const sv_reader *a, const sv_reader *b) {
  return a->role == b->role && a->n_scopes == b->n_scopes &&
         !memcmp(a->scopes, b->scopes, a->n_scopes * sizeof *a->scopes);
}

bool sv_reader_may(const sv_reader *r, uint32_t scope, const ov_record *rec) {
  bool holds = false;
  for (uint32_t i = 0; i < r->n_scopes && !holds; i++) holds = r->scopes[i] == scope;
  if (!holds) return false;
  switch (sv_right(r->role, rec->kind, SV_A_READ)) {
  case SV_OWN_TEAM:
  case SV_OWN_ORG: return true;
  case SV_NETWORK: return scope == 0; /* of an organisation's own records only figures, and not here */
  case SV_NO: break;
  }
  /* Whoever holds anything must hear of an erasure, also from a person who has no role any more. */
  if (rec->kind == OV_KIND_ERASURE) return true;
  /* everybody sees who they are */
  return (r->personal && ov_name_equal(&rec->name, &r->person)) ||
         ov_name_equal(&rec->name, &r->device_record);
}

int sv_device_scopes(sv_txn *t, sv_org *org, const sv_device *device, ov_arena *a,
                     uint32_t scopes[OV_SCOPES_MAX], uint32_t *n) {
  sv_reader r;
  int err = sv_reader_load(t, org, device, a, &r);
  *n = err ? 0 : r.n_scopes;
  memcpy(scopes, r.scopes, *n * sizeof *scopes);
  return err;
}

int sv_device_record_teams(sv_txn *t, const ov_name *record, ov_arena *a, uint32_t teams[OV_SCOPES_MAX],
                           uint32_t *n) {
  sv_record_row row;
  *n = 0;
  int err = sv_record_get(t, record, a, &row);
  if (!err) *n = sv_record_teams(&row.rec, SV_DEVICE_TEAMS, teams);
  return err == OV_E_NOTFOUND ? 0 : err;
}
