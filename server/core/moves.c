/* Where a record lives: the scopes it belongs to, its positions there, and what happens when a participant
 * changes teams. */
#include <stdlib.h>
#include <string.h>

#include "ingest_priv.h"

uint32_t sv_record_teams(const ov_record *r, uint16_t field, uint32_t scopes[OV_SCOPES_MAX]) {
  uint32_t n = 0, k = 0;
  const ov_live *l = ov_record_field(r, field, &n);
  /* Elements ascend; one in conflict (added and deleted) counts as present: hiding it would lose it from
   * sight. */
  for (uint32_t i = 0; i < n && k < OV_SCOPES_MAX - 2; i++) {
    bool added = l[i].is_elem && l[i].v.type == OV_V_INT && l[i].v.i == 1 && l[i].elem.type == OV_V_INT;
    if (!added || l[i].elem.i < 2 || l[i].elem.i > SV_TEAM_SCOPE_MAX) continue;
    if (!k || scopes[k - 1] != (uint32_t)l[i].elem.i) scopes[k++] = (uint32_t)l[i].elem.i;
  }
  return k;
}

/* Live teams of a participant, else the scope of its creating op. found: its record is stored. PROTO-101 */
static int participant_scopes(ingest *g, const ov_name *participant, const scope_list **out) {
  for (uint32_t i = 0; i < SCOPE_LISTS; i++) {
    *out = &g->scopes[i];
    if (g->scopes[i].set && ov_name_equal(&g->scopes[i].participant, participant)) return 0;
  }
  scope_list *s = &g->scopes[g->next_scopes++ % SCOPE_LISTS];
  sv_record_row row;
  *s = (scope_list){.participant = *participant};
  *out = s;
  ov_arena_reset(&g->look);
  int err = sv_record_get(g->t, participant, &g->look, &row);
  if (err == OV_E_NOTFOUND) return 0;
  if (err) return err;
  s->set = s->found = true;
  s->n = sv_record_teams(&row.rec, SV_PARTICIPANT_TEAMS, s->v);
  if (!s->n) s->v[s->n++] = row.rec.scope;
  return 0;
}

int scopes_of_record(ingest *g, const ov_record *r, uint32_t scopes[OV_SCOPES_MAX], uint32_t *n) {
  const scope_list *s = NULL;
  bool self = r->kind == OV_KIND_PARTICIPANT;
  const ov_name *participant = self ? &r->name : &r->participant;
  *n = 0;
  if (r->kind == OV_KIND_LOOK) return 0; /* for the audit: it travels to no device. PROTO-163 */
  if (self || r->has_participant) {
    if (ingest_erased(g, participant)) return 0;
    int err = self ? 0 : participant_scopes(g, participant, &s);
    if (err) return err;
  }
  if (self) *n = sv_record_teams(r, SV_PARTICIPANT_TEAMS, scopes);
  if (s && s->found) memcpy(scopes, s->v, s->n * sizeof *scopes);
  if (s && s->found) *n = s->n;
  if (!*n) scopes[(*n)++] = r->scope;
  return 0;
}

/* Peers may bring a participant before its team: the scope comes into being with its first record. What no
 * applied op names is not made, so that held ops cannot fill the table. */
static bool scope_ready(ingest *g, const ov_record *r, uint32_t scope) {
  sv_scope s;
  int err = sv_scope_get(g->t, scope, &s);
  if (err != OV_E_NOTFOUND) return !err;
  if (!r->n_ops || scope > SV_TEAM_SCOPE_MAX) return false;
  s = (sv_scope){.scope = scope};
  return !sv_scope_put(g->t, &s);
}

static void touch(ingest *g, const sv_touch *t) {
  sv_touches *s = g->touches;
  if (!s || s->overflow) return;
  if (s->n == s->cap) {
    uint32_t cap = s->cap ? s->cap * 2 : 64;
    sv_touch *v = cap <= SV_TOUCHES_MAX ? realloc(s->v, cap * sizeof *v) : NULL;
    if (!v) {
      s->overflow = true;
      return;
    }
    s->v = v;
    s->cap = cap;
  }
  s->v[s->n++] = *t;
}

static uint64_t place_in(const sv_record_row *row, uint32_t scope) {
  for (uint32_t i = 0; i < row->n_places; i++) {
    if (row->places[i].scope == scope) return row->places[i].pos;
  }
  return 0;
}

static bool contains(const uint32_t *v, uint32_t n, uint32_t scope) {
  for (uint32_t i = 0; i < n; i++) {
    if (v[i] == scope) return true;
  }
  return false;
}

static void leave_scopes(ingest *g, const sv_record_row *row, const uint32_t *scopes, uint32_t n,
                         const ov_hash *state) {
  for (uint32_t i = 0; i < row->n_places; i++) {
    sv_touch c = {.record = row->rec.name,
                  .scope = row->places[i].scope,
                  .gone = true,
                  .prev_pos = row->places[i].pos,
                  .foreign = true};
    if (contains(scopes, n, c.scope)) continue;
    sv_pos_append(g->t, c.scope, &c.record, state, c.prev_pos, true, &c.pos);
    touch(g, &c);
  }
}

static int state_of(ingest *g, const ov_record *r, ov_hash *state) {
  ov_buf_reset(&g->b1);
  ov_record_encode(r, &g->b1);
  return g->b1.err ? g->b1.err : sv_state_hash(g->t, r, g->b1.p, g->b1.n, state);
}

void tell_gone_again(ingest *g, const sv_record_row *row, uint32_t scope) {
  ov_hash state;
  sv_touch c = {.record = row->rec.name, .scope = scope, .gone = true, .foreign = true};
  if (row->erased || place_in(row, scope) || sv_gone_get(g->t, scope, &c.record, &c.prev_pos)) return;
  int err = state_of(g, &row->rec, &state);
  if (err) {
    sv_txn_fail(g->t, err);
    return;
  }
  sv_pos_append(g->t, scope, &c.record, &state, c.prev_pos, true, &c.pos);
  touch(g, &c);
}

void place_record(ingest *g, sv_record_row *row, const uint32_t *scopes, uint32_t n, const ov_hash *state,
                  bool anew, bool foreign) {
  sv_place places[OV_SCOPES_MAX];
  uint32_t k = 0;
  leave_scopes(g, row, scopes, n, state);
  for (uint32_t i = 0; i < n; i++) {
    sv_touch c = {.record = row->rec.name,
                  .scope = scopes[i],
                  .prev_pos = place_in(row, scopes[i]),
                  .foreign = foreign};
    uint64_t old = c.prev_pos;
    if (!scope_ready(g, &row->rec, scopes[i])) continue;
    if (old && !anew) {
      places[k++] = (sv_place){scopes[i], old};
      continue;
    }
    /* it was here before and left: the marker goes */
    if (!old) sv_gone_get(g->t, scopes[i], &c.record, &old);
    sv_pos_append(g->t, c.scope, &c.record, state, old, false, &c.pos);
    places[k++] = (sv_place){c.scope, c.pos};
    touch(g, &c);
  }
  memcpy(row->places, places, k * sizeof *places);
  row->n_places = k;
}

static bool same_places(const sv_record_row *row, const uint32_t *scopes, uint32_t n) {
  if (row->n_places != n) return false;
  for (uint32_t i = 0; i < n; i++) {
    if (row->places[i].scope != scopes[i]) return false;
  }
  return true;
}

static void move_record(ingest *g, const ov_name *name) {
  sv_record_row row;
  uint32_t scopes[OV_SCOPES_MAX], n = 0;
  ov_hash state;
  ov_arena_reset(&g->work);
  int err = sv_record_get(g->t, name, &g->work, &row);
  if (!err) err = scopes_of_record(g, &row.rec, scopes, &n);
  if (!err && same_places(&row, scopes, n)) return;
  if (!err) err = state_of(g, &row.rec, &state);
  if (err) {
    sv_txn_fail(g->t, err);
    return;
  }
  place_record(g, &row, scopes, n, &state, false, true);
  sv_record_put(g->t, &row);
}

/* PROTO-101 */
static void move_participant(ingest *g, const ov_name *participant) {
  ov_name page[SV_MOVE_PAGE], after;
  uint32_t n = 0;
  const ov_name *from = NULL;
  while (!sv_by_participant(g->t, participant, from, page, SV_MOVE_PAGE, &n) && n) {
    for (uint32_t i = 0; i < n; i++) {
      if (!ov_name_equal(&page[i], participant)) move_record(g, &page[i]);
    }
    if (sv_txn_error(g->t) || n < SV_MOVE_PAGE) return;
    after = page[n - 1];
    from = &after;
  }
}

void move_participants(ingest *g) {
  for (uint32_t i = 0; i < g->moved.n && !sv_txn_error(g->t); i++) move_participant(g, &g->moved.v[i]);
  g->moved.n = 0;
}
