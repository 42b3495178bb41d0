/* Roles: who leads, devices that belong to one person, and what a role may read and write, by the table that
 * the tests have of their own. */
#include "sim.h"

#include "rights_expect.h"

void sim_set_role(sim *w, unsigned person, unsigned role) {
  sim_person *p = &w->admin.people[person];
  if (p->role == role) return;
  p->role = role;
  w->role_ever[person] |= 1u << role;
  fx_role(&w->fx, w->org, &p->name, (int)role);
  sim_changed(w);
  sim_say(w, "person %u is %s now", person, sv_role_name(role));
}

void sim_personal(sim *w, unsigned person) {
  unsigned device;
  sim_tablet *t = w->admin.n_devices < SIM_DEVICES_MAX ? sim_tablet_new(w) : NULL;
  if (!t) return;
  sim_make_device(w, "browser", 0, &device);
  w->admin.devices[device].personal = true;
  w->admin.devices[device].person = person;
  sim_tablet_enrol(t, device);
  sim_say(w, "person %u signs in on a device of their own: tablet %u, device %u", person, t->id, device);
}

/* -- reading --------------------------------------------------------------------------------------------- */

static unsigned role_of(const sim *w, const sim_device *d) {
  if (!d->personal) return SV_ROLE_CARE_STAFF;
  const sim_person *p = &w->admin.people[d->person];
  return p->active ? p->role : SV_ROLE_NONE;
}

uint32_t sim_device_teams(const sim *w, unsigned device) {
  const sim_device *d = &w->admin.devices[device];
  if (!d->personal) return d->teams;
  switch (role_of(w, d)) {
  case SV_ROLE_CARE_STAFF: return w->admin.people[d->person].teams;
  case SV_ROLE_PROJECT_LEAD:
  case SV_ROLE_ORG_ADMIN: return (1u << SIM_TEAMS) - 1;
  default: return 0;
  }
}

bool sim_may_read(const sim *w, unsigned device, const ov_record *rec, uint32_t scope) {
  const sim_device *d = &w->admin.devices[device];
  uint32_t bit = 0;
  for (unsigned i = 0; i < SIM_TEAMS; i++) bit |= (uint32_t)(w->scopes[i] == scope) << i;
  if (scope > 1 && !(bit & sim_device_teams(w, device))) return false;
  if (ov_name_equal(&rec->name, &d->record)) return true; /* everybody sees who they are */
  if (rec->kind == OV_KIND_ERASURE) return true;          /* and hears who was erased, having left or not */
  if (d->personal && ov_name_equal(&rec->name, &w->admin.people[d->person].name)) return true;
  return role_of(w, d) && expect_read(role_of(w, d), rec->kind, true);
}

/* -- writing --------------------------------------------------------------------------------------------- */

static sv_action action_of(const ov_op *op) {
  return op->creates ? SV_A_CREATE : ov_op_field(op, OV_FIELD_RETRACTED) ? SV_A_RETRACT : SV_A_EDIT;
}

/* In the own team; whether it is one is asked elsewhere. */
bool sim_role_may(unsigned role, const ov_op *op) {
  return expect_write(role, op->kind, action_of(op), true);
}

bool sim_role_reaches(uint32_t roles, const ov_op *op) {
  for (unsigned role = 1; role < SV_ROLES; role++) {
    if (!(roles >> role & 1)) continue;
    if (expect_write(role, op->kind, action_of(op), false)) return true;
    if (!op->creates && expect_write(role, op->kind, SV_A_SETTLE, false)) return true;
  }
  return false;
}

/* An op that is applied: some role that its author had at some time may do this, and a personal device wrote
 * for its person. */
void sim_check_role(sim *w, const sim_op *o) {
  const sim_device *d = &w->admin.devices[o->device];
  bool may = o->op.kind == OV_KIND_PURGE; /* a device's own word */
  for (unsigned i = 0; !may && i < w->admin.n_people; i++) {
    if (!o->op.has_author || !ov_name_equal(&w->admin.people[i].name, &o->op.author)) continue;
    for (unsigned role = 1; role < SV_ROLES; role++)
      may |= (w->role_ever[i] >> role & 1) && sim_role_may(role, &o->op);
    may |= sim_role_reaches(w->role_ever[i], &o->op);
    if (d->personal && d->person != i)
      sim_fail(w, "role", "%s came from the own device of person %u, is by person %u and is applied",
               sim_name(&o->op.name), d->person, i);
  }
  if (!may)
    sim_fail(w, "role", "%s (kind %u) is applied; no role that its author ever had may write that",
             sim_name(&o->op.name), o->op.kind);
}
