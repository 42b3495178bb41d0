/* Events: drawn from the seed beforehand, each with its own seed for details, so that any subset of them is a
 * run as well. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

const char *const sim_what_names[EV_COUNT] = {"write",
                                              "sync",
                                              "net",
                                              "cut",
                                              "crash-server",
                                              "crash-tablet",
                                              "fault-server",
                                              "fault-tablet",
                                              "time",
                                              "clock-tablet",
                                              "clock-server",
                                              "backup",
                                              "restore",
                                              "clone",
                                              "evict",
                                              "image",
                                              "image-back",
                                              "move-device",
                                              "move-participant",
                                              "person",
                                              "rule",
                                              "revoke",
                                              "erase",
                                              "role",
                                              "personal",
                                              "schema",
                                              "disk",
                                              "disk-tablet",
                                              "long-away",
                                              "replay",
                                              "quiet"};
static const unsigned weights[EV_COUNT] = {[EV_WRITE] = 300,
                                           [EV_SYNC] = 180,
                                           [EV_NET] = 380,
                                           [EV_CUT] = 60,
                                           [EV_CRASH_SERVER] = 20,
                                           [EV_CRASH_TABLET] = 20,
                                           [EV_FAULT_SERVER] = 15,
                                           [EV_FAULT_TABLET] = 15,
                                           [EV_TIME] = 25,
                                           [EV_CLOCK_TABLET] = 12,
                                           [EV_CLOCK_SERVER] = 8,
                                           [EV_BACKUP] = 20,
                                           [EV_RESTORE] = 8,
                                           [EV_CLONE] = 4,
                                           [EV_EVICT] = 4,
                                           [EV_IMAGE] = 8,
                                           [EV_IMAGE_BACK] = 6,
                                           [EV_MOVE_DEVICE] = 8,
                                           [EV_MOVE_PARTICIPANT] = 12,
                                           [EV_PERSON] = 6,
                                           [EV_RULE] = 15,
                                           [EV_REVOKE] = 3,
                                           [EV_ERASE] = 5,
                                           [EV_ROLE] = 8,
                                           [EV_PERSONAL] = 10,
                                           [EV_SCHEMA] = 4,
                                           [EV_DISK] = 6,
                                           [EV_DISK_TABLET] = 5,
                                           [EV_LONG_AWAY] = 4,
                                           [EV_REPLAY] = 8,
                                           [EV_QUIET] = 5};

/* Each run has its own mix: half of the troubles are left out, so that the others come in pure form too. */
void sim_plan_make(sim_plan *p, const sim_options *o) {
  sim_rng r = {o->seed * 0x2545f4914f6cdd1du + 1};
  unsigned mix[EV_COUNT], total = 0;
  p->tablets = o->tablets ? o->tablets : 2 + sim_below(&r, 8);
  p->n = o->steps ? o->steps : 100 + sim_below(&r, 160);
  p->events = calloc(p->n + 1u, sizeof *p->events);
  FX_MUST(p->events);
  for (unsigned i = 0; i < EV_COUNT; i++) {
    mix[i] = weights[i] * (1 + sim_below(&r, 3));
    if (i > EV_NET && sim_chance(&r, 50)) mix[i] = 0;
    total += mix[i];
  }
  for (unsigned k = 0; k < p->n; k++) {
    uint32_t at = sim_below(&r, total), what = 0;
    while (at >= mix[what]) at -= mix[what++];
    p->events[k] = (sim_event){what, (uint32_t)sim_u64(&r), (uint32_t)sim_u64(&r)};
  }
}

void sim_plan_free(sim_plan *p) {
  free(p->events);
  p->events = NULL;
}

/* -- the events ------------------------------------------------------------------------------------------ */

static sim_link *pick_link(sim *w, uint32_t a) {
  for (unsigned i = 0; i < SIM_LINKS_MAX; i++) {
    sim_link *l = &w->links[(i + a) % SIM_LINKS_MAX];
    if (l->used) return l;
  }
  return NULL;
}

static void sync(sim *w, sim_tablet *t, sim_rng *r) {
  sim_link *l = t ? sim_connect(t, r, false) : NULL;
  if (l) sim_say(w, "tablet %u connects%s: link %u", t->id, l->live ? " to stay" : "", l->id);
}

static void cut(sim *w, uint32_t a, sim_rng *r) {
  sim_link *l = pick_link(w, a);
  unsigned mode = sim_below(r, 3);
  if (!l) return;
  w->st.cuts++;
  sim_say(w, "link %u breaks %s (%u messages on their way up, %u down)", l->id,
          mode == 0   ? "at both ends"
          : mode == 1 ? "at the tablet"
                      : "at the server",
          l->up.n, l->down.n);
  sim_link_cut(w, l, mode);
}

static void pass_time(sim *w, sim_rng *r) {
  static const int64_t spans[] = {60, 600, 3600, 8 * 3600, 86400, 3 * 86400, 12 * 86400, 31 * 86400};
  int64_t s = spans[sim_below(r, sim_chance(r, 70) ? 4 : 8)];
  w->true_ms += s * 1000 + sim_below(r, 5000);
  sim_say(w, "%lld s pass", (long long)s);
}

static int64_t some_offset(sim_rng *r) {
  static const int64_t off[] = {0, 0, 3, 100, 600, 7200, 86400, 400 * 86400};
  return off[sim_below(r, 8)] * (sim_chance(r, 50) ? 1000 : -1000);
}

static void clock_server(sim *w, sim_rng *r) {
  static const int64_t off[] = {0, 0, 30, 200, 7200, 86400};
  if (w->server_high_ms < sim_server_ms(w)) w->server_high_ms = sim_server_ms(w);
  w->server_off_ms = off[sim_below(r, 6)] * (sim_chance(r, 50) ? 1000 : -1000);
  sim_say(w, "the server's clock is off by %lld s now", (long long)w->server_off_ms / 1000);
}

/* The tablet's data are gone; it is enrolled again, for its old record or as a new device. */
static void evict(sim *w, sim_tablet *t, sim_rng *r) {
  unsigned device = t->device;
  if (w->admin.n_devices == SIM_DEVICES_MAX) return;
  sim_say(w, "tablet %u loses its store", t->id);
  sim_tablet_evict(t);
  const sim_device *d = &w->admin.devices[device];
  if (sim_chance(r, 50) || d->revoked || ov_name_is_zero(&d->record))
    sim_make_device(w, "tablet", 1u << sim_below(r, SIM_TEAMS), &device);
  sim_tablet *fresh = sim_tablet_new(w);
  if (fresh) sim_tablet_enrol(fresh, device);
}

static uint32_t other_teams(sim_rng *r, uint32_t now) {
  uint32_t bit = 1u << sim_below(r, SIM_TEAMS);
  uint32_t then = sim_chance(r, 40) ? bit : now ^ bit;
  return then || sim_chance(r, 20) ? then : bit;
}

static void move_device(sim *w, uint32_t a, sim_rng *r) {
  unsigned i = a % w->admin.n_devices;
  if (w->admin.devices[i].personal) return; /* its person's teams count */
  w->rights_changed = true;
  sim_set_device_teams(w, i, other_teams(r, w->admin.devices[i].teams));
}

static void move_participant(sim *w, uint32_t a, sim_rng *r) {
  unsigned i = a % w->admin.n_participants;
  w->rights_changed = true;
  sim_set_participant_teams(w, i, other_teams(r, w->admin.participants[i].teams));
}

static void change_person(sim *w, uint32_t a, sim_rng *r) {
  unsigned i = a % w->admin.n_people;
  w->rights_changed = true;
  sim_set_person(w, i, other_teams(r, w->admin.people[i].teams), sim_chance(r, 80));
}

static void change_role(sim *w, uint32_t a, sim_rng *r) {
  static const unsigned roles[] = {SV_ROLE_CARE_STAFF,   SV_ROLE_CARE_STAFF, SV_ROLE_PROJECT_LEAD,
                                   SV_ROLE_PROJECT_LEAD, SV_ROLE_EXPERT,     SV_ROLE_ORG_ADMIN};
  unsigned person = a % w->admin.n_people;
  for (unsigned i = 0; i < w->admin.n_devices && sim_chance(r, 70); i++) /* rather of who has a device */
    if (w->admin.devices[i].personal && !w->admin.devices[i].revoked) person = w->admin.devices[i].person;
  w->rights_changed = true;
  sim_set_role(w, person, roles[sim_below(r, sizeof roles / sizeof *roles)]);
}

static void revoke(sim *w, uint32_t a) {
  unsigned live = 0, i = a % w->admin.n_devices;
  for (unsigned k = 0; k < w->admin.n_devices; k++) live += !w->admin.devices[k].revoked;
  w->rights_changed = true;
  if (live > 2) sim_revoke(w, i);
}

static void disk_tablet(sim_tablet *t) {
  t->map_bytes = t->map_bytes ? 0 : (oc_db_bytes(t->s->db) + 12 * 4096) / 4096 * 4096;
  sim_say(t->w, t->map_bytes ? "tablet %u's disk is all but full" : "tablet %u's disk has room again", t->id);
  sim_tablet_crash(t);
}

static void look_around(sim *w, sim_rng *r) {
  sim_tablet *t = sim_tablet_pick(w, (uint32_t)sim_u64(r));
  if (!t) return;
  sim_check_acked(t);
  sim_check_own(t, r, 6);
}

static void administer(sim *w, const sim_event *e, sim_rng *r) {
  if (w->disk_full) return;
  switch (e->what) {
  case EV_MOVE_DEVICE: move_device(w, e->a, r); return;
  case EV_MOVE_PARTICIPANT: move_participant(w, e->a, r); return;
  case EV_PERSON: change_person(w, e->a, r); return;
  case EV_RULE: sim_rule(w, r); return;
  case EV_REVOKE: revoke(w, e->a); return;
  case EV_ERASE: sim_erase(w, r); return;
  case EV_ROLE: change_role(w, e->a, r); return;
  case EV_PERSONAL: sim_personal(w, e->a % w->admin.n_people); return;
  case EV_BACKUP: sim_backup_make(w); return;
  case EV_SCHEMA:
    w->rights_changed = true;
    sim_publish(w);
    return;
  default: return;
  }
}

static void on_tablet(sim *w, const sim_event *e, sim_rng *r) {
  sim_tablet *t = sim_tablet_pick(w, e->a);
  if (!t) return;
  switch (e->what) {
  case EV_WRITE:
    for (unsigned n = 1 + sim_below(r, 4); n; n--) sim_write(t, r);
    if (t->link) t->link->client_idle = false;
    return;
  case EV_SYNC: sync(w, t, r); return;
  case EV_CRASH_TABLET:
    sim_say(w, "tablet %u crashes", t->id);
    w->st.crashes++;
    sim_tablet_crash(t);
    return;
  case EV_FAULT_TABLET: t->fail_in = sim_below(r, 80); return;
  case EV_CLOCK_TABLET:
    t->clock_off_ms = some_offset(r);
    sim_say(w, "tablet %u's clock is off by %lld s now", t->id, (long long)t->clock_off_ms / 1000);
    return;
  case EV_CLONE: sim_tablet_clone(w, t); return;
  case EV_EVICT:
    if (!w->disk_full) evict(w, t, r);
    return;
  case EV_IMAGE: sim_image_take(w, t); return;
  case EV_DISK_TABLET: disk_tablet(t); return;
  case EV_LONG_AWAY: sim_long_away(w, t, r); return;
  default: return;
  }
}

void sim_do(sim *w, const sim_event *e) {
  sim_rng r = {e->b};
  switch (e->what) {
  case EV_NET: sim_net(w, &r, 5 + sim_below(&r, 90)); break;
  case EV_CUT: cut(w, e->a, &r); break;
  case EV_CRASH_SERVER:
    sim_say(w, "the server crashes");
    w->st.crashes++;
    sim_server_crash(w);
    break;
  case EV_FAULT_SERVER:
    if (sim_chance(&r, 40)) {
      w->commit_fails_in = sim_below(&r, 10);
      break;
    }
    w->fail_in = sim_below(&r, 120);
    w->fail_once = sim_chance(&r, 50);
    break;
  case EV_TIME: pass_time(w, &r); break;
  case EV_CLOCK_SERVER: clock_server(w, &r); break;
  case EV_RESTORE:
    w->rights_changed = true;
    sim_restore(w, e->a, &r);
    break;
  case EV_IMAGE_BACK: sim_image_back(w, e->a); break;
  case EV_DISK: sim_disk(w, !w->disk_full); break;
  case EV_REPLAY: sim_replay(w, &r); break;
  case EV_QUIET: sim_quiesce(w); break;
  default: administer(w, e, &r); on_tablet(w, e, &r);
  }
  look_around(w, &r);
}
