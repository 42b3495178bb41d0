/* Folds every record that changed, once, and publishes what became different: cache, indexes, positions,
 * touches. Participants go before the records about them, which live where their participant does. */
#include <string.h>

#include "ingest_priv.h"

/* Does a stored op name one of the pushed ones? Then the author, who does not have that op, cannot compute
 * the state. */
static bool named_by_stored(const ingest *g, const folded *f) {
  uint32_t at;
  for (uint32_t i = 0; i < f->n; i++) {
    const ov_op *op = f->in[i].op;
    if (ingest_pushed(g, &op->name, &at)) continue;
    for (uint32_t k = 0; k < op->n_replaces; k++) {
      if (ingest_pushed(g, &op->replaces[k], &at)) return true;
    }
  }
  return false;
}

/* What came may leave the record as it is, because ops that were here before replace it. Its author will lay
 * it on top all the same, so the record is told again. In the programme it comes through a queue, and whose
 * op it was is not known any more. PROTO-112 */
static bool replaced_at_once(const ingest *g, const changed_record *c, const folded *f) {
  return g->ops ? named_by_stored(g, f) : g->org->programme && c->foreign;
}

/* Could the author's tablet have dropped the record by its age, by its own clock? */
static bool leaving_window(const ingest *g, const sv_record_row *old) {
  const ov_skind *k = ov_schemas_kind(g->org->schemas, old->rec.kind);
  int64_t margin = (int64_t)OV_WINDOW_MARGIN_DAYS * 86400;
  return k && k->windowed &&
         ov_schema_outside_window(k, &old->rec, old->changed, ingest_seconds(g->now_ms) + margin);
}

static uint32_t retractions(const ov_record *r) {
  uint32_t n = 0;
  (void)ov_record_field(r, OV_FIELD_RETRACTED, &n);
  return n;
}

static bool retracts(const ov_op *op) {
  for (uint32_t i = 0; i < op->n_fields; i++)
    if (op->fields[i].id == OV_FIELD_RETRACTED && op->fields[i].v.type != OV_V_NIL) return true;
  return false;
}

/* With several retractions the author cannot tell which op each of them saw, also when one of them, of this
 * push, is taken back by the next op. */
static bool several_retractions(const ingest *g, const folded *f, const sv_record_row *old) {
  uint32_t at, n = retractions(&old->rec);
  for (uint32_t i = 0; n && i < f->n; i++)
    n += ingest_pushed(g, &f->in[i].op->name, &at) && retracts(f->in[i].op);
  return n > 1;
}

/* PROTO-112 */
static bool changed_by_others(const ingest *g, const folded *f, const sv_record_row *old, uint32_t n_scopes) {
  if (!g->ops || f->frozen || !f->rec.created || f->rec.n_held || named_by_stored(g, f)) return true;
  /* Left out in two scopes and then gone from one of them, its author would have it in neither. */
  if (n_scopes > 1) return true;
  if (!old) return false;
  return old->rec.n_held || !old->rec.created || several_retractions(g, f, old) || leaving_window(g, old);
}

static int encode_state(const ov_record *r, ov_buf *out) {
  ov_buf_reset(out);
  ov_record_encode(r, out);
  return out->err;
}

/* A team that is applied has its scope. */
static void open_scope(ingest *g, const ov_record *r) {
  sv_scope s;
  if (r->kind != OV_KIND_TEAM || !r->created || r->scope < 2 || r->scope > SV_TEAM_SCOPE_MAX) return;
  int err = sv_scope_get(g->t, r->scope, &s);
  if (err == OV_E_NOTFOUND) s = (sv_scope){.scope = r->scope};
  else if (err || !ov_name_is_zero(&s.record)) return;
  s.record = r->name;
  sv_scope_put(g->t, &s);
}

static bool same_list(const uint32_t *a, uint32_t n, const uint32_t *b, uint32_t m) {
  return n == m && !memcmp(a, b, n * sizeof *a);
}

/* A device's teams stand in its row too. There are as many rows as tablets. */
static void update_devices(ingest *g, const ov_record *r) {
  sv_device d;
  uint32_t teams[OV_SCOPES_MAX], n = sv_record_teams(r, SV_DEVICE_TEAMS, teams);
  ov_id after;
  const ov_id *from = NULL;
  while (!sv_device_next(g->t, from, &d)) {
    after = d.id;
    from = &after;
    if (!ov_name_equal(&d.record, &r->name) || same_list(d.teams, d.n_teams, teams, n)) continue;
    memcpy(d.teams, teams, sizeof teams);
    d.n_teams = n;
    sv_device_put(g->t, &d);
  }
}

static bool places_differ(const sv_record_row *row, const uint32_t *scopes, uint32_t n) {
  if (row->n_places != n) return true;
  for (uint32_t i = 0; i < n; i++) {
    if (row->places[i].scope != scopes[i]) return true;
  }
  return false;
}

/* What is measured of a participant's month follows its records: marked in the same transaction, summed again
 * after the commit. A project's dates decide the phase of all that was logged for it. */
static void mark_sums(ingest *g, const sv_record_row *row, const sv_record_row *old) {
  static const ov_name all;
  const ov_skind *k = ov_schemas_kind(g->org->schemas, row->rec.kind);
  if (row->rec.kind == SV_KIND_PROJECT) sv_sums_due_add(g->t, &all, 0);
  if (!k || !k->windowed || k->id == OV_KIND_LOOK || k->participant != OV_P_REQUIRED ||
      !row->rec.has_participant)
    return;
  sv_sums_due_add(g->t, &row->rec.participant, row->day);
  if (old && old->indexed && old->day != row->day) sv_sums_due_add(g->t, &row->rec.participant, old->day);
}

static int publish(ingest *g, const changed_record *c, const folded *f, const sv_record_row *old) {
  sv_record_row row = {.rec = f->rec, .changed = ingest_seconds(g->now_ms)};
  uint32_t scopes[OV_SCOPES_MAX], n = 0;
  ov_hash state;
  open_scope(g, &row.rec);
  int err = scopes_of_record(g, &row.rec, scopes, &n);
  if (!err) err = encode_state(&row.rec, &g->b1);
  if (!err && old) err = encode_state(&old->rec, &g->b2);
  if (err) return err;
  bool differs = !old || g->b1.n != g->b2.n || memcmp(g->b1.p, g->b2.p, g->b1.n) != 0;
  bool anew = differs || c->again || (old && replaced_at_once(g, c, f));
  bool moves = old && places_differ(old, scopes, n);
  if (!anew && !moves) return 0;
  if (old) {
    memcpy(row.places, old->places, sizeof row.places);
    row.n_places = old->n_places;
    /* Never back, though the clock may go: tablets that fold their own ops count on it. */
    if (!differs || old->changed > row.changed) row.changed = old->changed;
  }
  if ((err = sv_state_hash(g->t, &row.rec, g->b1.p, g->b1.n, &state)) ||
      (err = index_record(g->t, g->org, &row, &g->b2)))
    return err;
  place_record(g, &row, scopes, n, &state, anew, c->foreign || moves || changed_by_others(g, f, old, n));
  if (differs) mark_sums(g, &row, old);
  sv_record_put(g->t, &row);
  if (row.rec.kind == OV_KIND_DEVICE) update_devices(g, &row.rec);
  if (row.rec.kind == OV_KIND_ORGANISATION) share_setting(g, &row.rec);
  if (row.rec.kind == OV_KIND_PARTICIPANT && moves) ingest_list_add(g, &g->moved, &row.rec.name);
  return 0;
}

static void fold_one(ingest *g, const changed_record *c) {
  folded f;
  sv_record_row old;
  ov_arena_reset(&g->work);
  int err = refold_load(g->t, &c->record, &g->work, &f);
  if (!err && !f.n) return; /* all its ops wait */
  bool had = false;
  if (!err) {
    err = sv_record_get(g->t, &c->record, &g->work, &old);
    had = !err;
    if (err == OV_E_NOTFOUND) err = 0;
  }
  if (!err) err = publish(g, c, &f, had ? &old : NULL);
  if (err) sv_txn_fail(g->t, err);
}

static unsigned rank(uint16_t kind) { return kind == OV_KIND_TEAM ? 0 : kind == OV_KIND_PARTICIPANT ? 1 : 2; }

void fold_changed(ingest *g) {
  for (unsigned r = 0; r < 3; r++) {
    ingest_forget(g); /* participants folded in the last turn may live elsewhere now */
    for (uint32_t i = 0; i < g->changed.n && !sv_txn_error(g->t); i++) {
      if (rank(g->changed.v[i].kind) == r) fold_one(g, &g->changed.v[i]);
    }
  }
  g->changed.n = 0;
  if (g->changed.slots) memset(g->changed.slots, 0, g->changed.n_slots * sizeof *g->changed.slots);
  ingest_forget(g);
  move_participants(g);
}
