/* What people write on a tablet: new records, edits of what they see, retractions, settled conflicts, and now
 * and then what no form would let through. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define KIND_UNKNOWN 3901 /* never published */
#define KIND_EXTRA 3900   /* published some time */

typedef struct writing {
  sim *w;
  sim_tablet *t;
  sim_rng *r;
  ov_arena a;
  ov_op op;
  ov_field fields[8];
  ov_name replaces[OV_OP_REPLACES_MAX];
  bool valid, anybody;
} writing;

/* Author, device and record share a team, by administration's word, and the author's role may. */
static bool fits(writing *x) {
  sim *w = x->w;
  const ov_op *op = &x->op;
  const sim_person *person = NULL;
  uint32_t about = 0;
  for (unsigned i = 0; i < w->admin.n_people; i++)
    if (op->has_author && ov_name_equal(&w->admin.people[i].name, &op->author)) person = &w->admin.people[i];
  if (!person || !ov_schemas_kind(w->fx.schemas, op->kind) || !sim_role_may(person->role, op)) return false;
  if (op->scope < 2 && !op->has_participant) return true;
  for (unsigned i = 0; i < SIM_TEAMS; i++) about |= (uint32_t)(w->scopes[i] == op->scope) << i;
  if (!op->creates) about = sim_record_where(w, &op->record).teams;
  return about & person->teams & sim_teams_of(x->t);
}

static bool append(writing *x) {
  sim_tablet *t = x->t;
  sim *w = x->w;
  oc_self before = t->s->self;
  oc_txn *txn = NULL;
  int err = oc_txn_begin(t->s->db, true, &txn);
  if (!err) {
    err = oc_log_append(t->s, txn, &x->op, &x->a);
    if (err) oc_txn_abort(txn);
    else err = oc_txn_commit(txn);
  }
  if (err) {
    t->s->self = before;
    if (err != OV_E_NOTFOUND && err != OV_E_FULL && err != OV_E_CRYPTO)
      sim_fail(w, "append", "tablet %u cannot write: %s", t->id, ov_err_text(err));
    sim_say(w, "tablet %u cannot write: %s", t->id, ov_err_text(err));
    return false;
  }
  const ov_skind *k = ov_schemas_kind(w->fx.schemas, x->op.kind);
  if (k && x->op.version > k->version) x->valid = true; /* a newer form may allow it */
  sim_op *o = sim_op_add(w, &x->op, &t->s->self.last.head);
  o->device = t->device;
  o->late = w->admin.devices[t->device].revoked;
  o->surely_held = !x->valid;
  o->surely_applied = x->valid && !x->anybody && fits(x);
  o->written_ms = w->true_ms;
  w->st.writes++;
  return true;
}

static unsigned team_of(writing *x) {
  uint32_t bits = sim_teams_of(x->t);
  unsigned i = sim_below(x->r, SIM_TEAMS);
  for (unsigned k = 0; k < SIM_TEAMS; k++)
    if (bits >> ((i + k) % SIM_TEAMS) & 1) return (i + k) % SIM_TEAMS;
  return i; /* in no team now: it writes all the same */
}

/* Mostly somebody of the team; on a device of one's own mostly oneself. */
static void author(writing *x, unsigned team) {
  const sim_admin *a = &x->w->admin;
  const sim_device *d = &a->devices[x->t->device];
  unsigned i = sim_below(x->r, a->n_people);
  bool any = x->anybody = sim_chance(x->r, 4);
  if (d->personal && !any) {
    x->op.has_author = true;
    x->op.author = a->people[d->person].name;
    return;
  }
  for (unsigned k = 0; k < a->n_people; k++) {
    const sim_person *p = &a->people[(i + k) % a->n_people];
    if (!any && (!p->active || !(p->teams >> team & 1))) continue;
    x->op.has_author = true;
    x->op.author = p->name;
    return;
  }
}

static int compare_fields(const void *a, const void *b) {
  return (int)((const ov_field *)a)->id - (int)((const ov_field *)b)->id;
}

static bool has_field(const writing *x, uint16_t id) {
  for (uint32_t i = 0; i < x->op.n_fields; i++)
    if (x->fields[i].id == id) return true;
  return false;
}

static void some_fields(writing *x, const ov_skind *k, unsigned most) {
  unsigned n = 1 + sim_below(x->r, most);
  x->op.fields = x->fields;
  for (unsigned tries = 0; tries < 3 * n && x->op.n_fields < n && k->n_fields; tries++) {
    const ov_sfield *f = &k->fields[sim_below(x->r, k->n_fields)];
    bool good = !sim_chance(x->r, 2);
    ov_value v;
    if (has_field(x, f->id) || !sim_value(x->w, x->t, f, x->r, good, &x->a, &v)) continue;
    if (!good) x->valid = false;
    x->fields[x->op.n_fields++] = (ov_field){f->id, v};
  }
  qsort(x->fields, x->op.n_fields, sizeof x->fields[0], compare_fields);
}

/* Of a kind that this server does not know (yet): any fields. */
static void loose_fields(writing *x) {
  x->op.fields = x->fields;
  for (uint16_t id = 10; id < 14; id++) {
    if (!sim_chance(x->r, 50)) continue;
    x->fields[x->op.n_fields++] = (ov_field){id, ov_int(sim_below(x->r, 3))};
  }
  if (!x->op.n_fields) x->fields[x->op.n_fields++] = (ov_field){10, ov_int(1)};
}

/* -- the tablet's own sight ------------------------------------------------------------------------------ */

typedef bool (*wanted)(uint16_t kind, uint8_t flags);
static bool is_log(uint16_t kind, uint8_t flags) {
  (void)flags;
  return (kind >= 20 && kind <= 26) || kind == 7 || kind == 12 || kind == 13 || kind == 14 ||
         kind == KIND_EXTRA || kind == KIND_UNKNOWN || kind == OV_KIND_PARTICIPANT;
}
static bool in_conflict(uint16_t kind, uint8_t flags) {
  return is_log(kind, flags) && (flags & OC_ROW_CONFLICT);
}
static bool is_retracted(uint16_t kind, uint8_t flags) {
  return is_log(kind, flags) && (flags & OC_ROW_RETRACTED);
}
static bool is_participant(uint16_t kind, uint8_t flags) {
  (void)flags;
  return kind == OV_KIND_PARTICIPANT;
}

static bool pick_record(writing *x, wanted want, ov_name *out) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  uint32_t seen = 0;
  oc_txn *txn = NULL;
  ov_arena a;
  ov_arena_init(&a, 1u << 20);
  if (oc_txn_begin(x->t->s->db, false, &txn)) return false;
  while (!oc_next(txn, OC_T_ROW, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL)) {
    ov_name name;
    oc_row row;
    ov_arena_reset(&a);
    ov_name_read(key, &name);
    FX_OK(oc_row_get(txn, &name, &a, &row));
    if (want(row.kind, row.flags) && sim_below(x->r, ++seen) == 0) *out = name;
  }
  oc_txn_abort(txn);
  ov_arena_free(&a);
  return seen > 0;
}

static bool see(writing *x, const ov_name *record, oc_view *v) {
  oc_txn *txn = NULL;
  FX_OK(oc_txn_begin(x->t->s->db, false, &txn));
  int err = oc_view_get(x->t->s, txn, record, &x->a, v);
  oc_txn_abort(txn);
  if (err == OV_E_DENIED && oc_db_locked(x->t->s->db)) return false; /* nobody changes what nobody sees */
  if (err && err != OV_E_NOTFOUND)
    sim_fail(x->w, "view", "tablet %u cannot show %s: %s", x->t->id, sim_name(record), ov_err_text(err));
  return !err && v->rec.kind;
}

/* -- new records ----------------------------------------------------------------------------------------- */

static bool add_participant(writing *x, unsigned team) {
  sim *w = x->w;
  uint8_t *key = ov_arena_alloc(&x->a, OV_KEY_BYTES);
  ov_value *el = ov_arena_array(&x->a, 1, sizeof *el);
  if (w->admin.n_participants == SIM_PARTICIPANTS_MAX) return false;
  for (unsigned i = 0; i < OV_KEY_BYTES; i++) key[i] = (uint8_t)sim_u64(x->r);
  *el = ov_int(w->scopes[team]);
  x->fields[0] = (ov_field){SV_PARTICIPANT_LABEL, ov_text("Nieuwe bewoner")};
  x->fields[1] = (ov_field){SV_PARTICIPANT_TEAMS, {.type = OV_V_SET, .set = {.add = el, .n_add = 1}}};
  x->fields[2] = (ov_field){SV_PARTICIPANT_KEY, ov_bytes(key, OV_KEY_BYTES)};
  x->op.fields = x->fields;
  x->op.n_fields = 3;
  if (!append(x)) return false;
  w->participant_ever[w->admin.n_participants] = 1u << team;
  w->admin.participants[w->admin.n_participants++] = (sim_participant){x->op.name, 1u << team, team, true,
                                                                       true};
  return true;
}

static bool add(writing *x) {
  static const uint16_t kinds[] = {20, 21, 22, 23, 24,         25,           26,
                                   7,  12, 13, 14, KIND_EXTRA, KIND_UNKNOWN, OV_KIND_PARTICIPANT,
                                   20, 21, 22, 23};
  uint16_t kind = kinds[sim_below(x->r, sizeof kinds / sizeof *kinds)];
  unsigned team = team_of(x);
  const ov_skind *k = ov_schemas_kind(x->w->fx.schemas, kind);
  x->op = (ov_op){.creates = true,
                  .kind = kind,
                  .version = k ? k->version : 1,
                  .scope = x->w->scopes[team],
                  .device_time = oc_seconds(oc_now_ms(x->t->s))};
  if (k && k->scope < 2) x->op.scope = k->scope;
  author(x, team);
  if (kind == OV_KIND_PARTICIPANT) return add_participant(x, team);
  if (k && (k->participant == OV_P_REQUIRED || (k->participant == OV_P_OPTIONAL && sim_chance(x->r, 50)))) {
    oc_view v;
    if (!pick_record(x, is_participant, &x->op.participant) || !see(x, &x->op.participant, &v)) return false;
    x->op.has_participant = true;
    x->op.scope = v.rec.scope; /* what the form would take; the participant decides in the end */
    for (unsigned i = 0; i < SIM_TEAMS; i++)
      if (sim_teams_of(x->t) >> i & 1) x->op.scope = x->w->scopes[i];
  }
  if (k) some_fields(x, k, 4);
  else loose_fields(x);
  if (kind == KIND_EXTRA && sim_chance(x->r, 30)) x->op.version++; /* an app that is ahead of the server */
  return append(x);
}

/* -- changes --------------------------------------------------------------------------------------------- */

static void add_replaces(writing *x, const ov_name *names, uint32_t n) {
  for (uint32_t i = 0; i < n && x->op.n_replaces < OV_OP_REPLACES_MAX; i++) {
    uint32_t at = x->op.n_replaces;
    while (at && ov_name_compare(&x->replaces[at - 1], &names[i]) > 0) at--;
    if (at && ov_name_equal(&x->replaces[at - 1], &names[i])) continue;
    memmove(&x->replaces[at + 1], &x->replaces[at], (x->op.n_replaces - at) * sizeof *names);
    x->replaces[at] = names[i];
    x->op.n_replaces++;
  }
  x->op.replaces = x->replaces;
}

static bool change_of(writing *x, wanted want, oc_view *v) {
  ov_name record;
  if (!pick_record(x, want, &record) || !see(x, &record, v)) return false;
  const ov_record *r = &v->rec;
  const ov_skind *k = ov_schemas_kind(x->w->fx.schemas, r->kind);
  bool self = r->kind == OV_KIND_PARTICIPANT;
  x->op = (ov_op){.record = record,
                  .kind = r->kind,
                  .version = k ? k->version : r->version,
                  .scope = r->scope,
                  .has_participant = self || r->has_participant,
                  .participant = self ? record : r->participant,
                  .device_time = oc_seconds(oc_now_ms(x->t->s))};
  author(x, team_of(x));
  return true;
}

static void replace_seen(writing *x, const ov_record *r) {
  for (uint32_t i = 0; i < x->op.n_fields; i++) {
    ov_name *names;
    uint32_t n = 0;
    FX_OK(ov_record_replaces(r, x->fields[i].id, &x->a, &names, &n));
    add_replaces(x, names, n);
  }
}

static bool edit(writing *x) {
  oc_view v;
  if (!change_of(x, is_log, &v)) return false;
  const ov_skind *k = ov_schemas_kind(x->w->fx.schemas, v.rec.kind);
  if (k) some_fields(x, k, 2);
  else loose_fields(x);
  if (!x->op.n_fields) return false;
  replace_seen(x, &v.rec);
  return append(x);
}

static bool retract(writing *x) {
  oc_view v;
  ov_name *names;
  uint32_t n = 0;
  if (!change_of(x, is_log, &v)) return false;
  x->fields[0] = (ov_field){OV_FIELD_RETRACTED,
                            ov_text(sim_chance(x->r, 50) ? "dubbel" : "verkeerde cliënt")};
  x->op.fields = x->fields;
  x->op.n_fields = 1;
  FX_OK(ov_record_seen_all(&v.rec, &x->a, &names, &n));
  add_replaces(x, names, n);
  return append(x);
}

static bool unretract(writing *x) {
  oc_view v;
  if (!change_of(x, is_retracted, &v)) return false;
  x->fields[0] = (ov_field){OV_FIELD_RETRACTED, ov_nil()};
  x->op.fields = x->fields;
  x->op.n_fields = 1;
  replace_seen(x, &v.rec);
  return append(x);
}

/* One field in conflict gets the value that is shown, or another. */
static bool resolve(writing *x) {
  oc_view v;
  if (!change_of(x, in_conflict, &v)) return false;
  uint16_t field = 0;
  uint32_t seen = 0;
  for (uint32_t i = 0; i < v.rec.n_live; i++) {
    uint16_t id = v.rec.live[i].field;
    if (ov_record_field_conflict(&v.rec, id) && sim_below(x->r, ++seen) == 0) field = id;
  }
  if (!field) return false;
  const ov_live *l = ov_record_field(&v.rec, field, NULL);
  x->fields[0] = (ov_field){field, l->v};
  if (l->is_elem) {
    ov_value *el = ov_arena_array(&x->a, 1, sizeof *el);
    *el = l->elem;
    x->fields[0].v = (ov_value){.type = OV_V_SET};
    if (l->v.i) x->fields[0].v.set.add = el, x->fields[0].v.set.n_add = 1;
    else x->fields[0].v.set.del = el, x->fields[0].v.set.n_del = 1;
  }
  x->op.fields = x->fields;
  x->op.n_fields = 1;
  if (field == OV_FIELD_RETRACTED) {
    ov_name *names;
    uint32_t n = 0;
    FX_OK(ov_record_seen_all(&v.rec, &x->a, &names, &n));
    if (l->v.type != OV_V_NIL) add_replaces(x, names, n);
  }
  replace_seen(x, &v.rec);
  return append(x);
}

/* An app with other limits chained what no server takes. */
static bool broken(writing *x) {
  static const uint8_t junk[] = {0x92, 0x81, 0x0a, 0xc1, 0x90};
  oc_view v;
  if (!change_of(x, is_log, &v)) return false;
  x->op.payload_bytes = junk;
  x->op.payload_len = sizeof junk;
  if (!append(x)) return false;
  sim_op *o = sim_op_find(x->w, &x->op.name);
  o->broken = true;
  o->surely_applied = false;
  return true;
}

void sim_write(sim_tablet *t, sim_rng *r) {
  writing x = {.w = t->w, .t = t, .r = r, .valid = true};
  static const struct {
    unsigned weight;
    bool (*write)(writing *);
    const char *name;
  } ways[] = {{38, add, "adds"},
              {40, edit, "edits"},
              {6, retract, "retracts"},
              {5, unretract, "takes back the retraction of"},
              {10, resolve, "settles a conflict of"},
              {1, broken, "writes junk over"}};
  if (!t->s->self.enrolled) return; /* wiped: an app has no form to fill in */
  ov_arena_init(&x.a, 32u << 20);
  uint32_t at = sim_below(r, 100), i = 0;
  while (at >= ways[i].weight) at -= ways[i++].weight;
  if (ways[i].write(&x))
    sim_say(t->w, "tablet %u %s %s (kind %u%s) by %s", t->id, ways[i].name, sim_name(&x.op.record), x.op.kind,
            x.valid ? "" : ", invalid", sim_name(&x.op.name));
  ov_arena_free(&x.a);
}
