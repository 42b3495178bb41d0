/* Records: folded again and compared, with their index entries and their places; then every scope's positions
 * the other way. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "verify.h"

/* -- the fold ---------------------------------------------------------------------------- */

static bool encode(const ov_record *r, ov_buf *out) {
  ov_buf_reset(out);
  ov_record_encode(r, out);
  return !out->err;
}

static void check_fold(vf *v, const sv_record_row *row, ov_buf *state) {
  ov_record again;
  ov_buf other;
  ov_buf_init(&other, 0);
  int err = sv_refold(v->t, v->org, &row->rec.name, &v->a, &again);
  if (err == OV_E_NOTFOUND) vf_found_at(v, &row->rec.name, VF_RESTORE, "the record has no ops");
  else if (err) vf_found_at(v, &row->rec.name, VF_RESTORE, "its ops cannot be folded: %s", ov_err_text(err));
  else if (!encode(&again, &other) || other.n != state->n || memcmp(other.p, state->p, state->n)) {
    vf_found_at(v, &row->rec.name, VF_DERIVED, "its cached state is not the fold of its ops");
  }
  ov_buf_free(&other);
}

static void check_ops_of(vf *v, const ov_name *record) {
  ov_name *ops;
  uint32_t n = 0;
  if (sv_record_ops(v->t, record, &v->a, &ops, &n)) return;
  for (uint32_t i = 0; i < n; i++) {
    sv_op_row row;
    int err = sv_op_get(v->t, &ops[i], &v->a, &row);
    if (err == OV_E_NOTFOUND) vf_found_at(v, record, VF_RESTORE, "one of its ops is listed, but missing");
    else if (!err && !ov_name_equal(&row.op.record, record))
      vf_found_at(v, &ops[i], VF_DERIVED, "it is listed with another's record");
    if (err && err != OV_E_NOTFOUND) return; /* told with the op itself */
  }
}

/* -- indexes ----------------------------------------------------------------------------- */

static void check_index(vf *v, const sv_record_row *row) {
  const ov_skind *k = ov_schemas_kind(v->m->h->schemas, row->rec.kind);
  int64_t created = row->rec.n_ops ? row->rec.ops[0].time : row->changed;
  int64_t day = k ? ov_schema_occurred_day(k, &row->rec) : created / 86400;
  uint8_t hash[OV_HASH_BYTES];
  ov_buf key;
  ov_buf_init(&key, 0);
  bool has = k && ov_schema_natural_key(k, &row->rec, &key);
  if (!row->indexed || row->index_kind != row->rec.kind || row->day != day) {
    vf_found_at(v, &row->rec.name, VF_DERIVED, "it is indexed under another kind or day than its own");
  }
  if (has != row->has_natural_key || (has && (sv_natural_hash(v->t, &row->rec, key.p, key.n, hash) ||
                                              memcmp(hash, row->natural_key, sizeof hash)))) {
    vf_found_at(v, &row->rec.name, VF_DERIVED, "it is indexed under another natural key than its own");
  }
  ov_buf_free(&key);
}

/* -- places ------------------------------------------------------------------------------ */

static bool erased(vf *v, const ov_name *participant) {
  return sv_keyring_destroyed(v->org->keyring, participant);
}

/* Where it belongs: its participant's teams, else the scope of its creating op. */
static uint32_t home_scopes(vf *v, const ov_record *r, uint32_t scopes[OV_SCOPES_MAX]) {
  uint32_t n = 0;
  sv_record_row p;
  if (r->kind == OV_KIND_LOOK) return 0;
  if (r->kind == OV_KIND_PARTICIPANT) {
    if (erased(v, &r->name)) return 0;
    n = sv_record_teams(r, SV_PARTICIPANT_TEAMS, scopes);
  } else if (r->has_participant) {
    if (erased(v, &r->participant)) return 0;
    if (!sv_record_get(v->t, &r->participant, &v->a, &p)) {
      n = sv_record_teams(&p.rec, SV_PARTICIPANT_TEAMS, scopes);
      if (!n) scopes[n++] = p.rec.scope;
    }
  }
  if (!n) scopes[n++] = r->scope;
  return n;
}

/* hash(n) = HMAC(index key, hash(n-1) || scope || position || record || hash of the state), as the store
 * makes it. */
static void check_position_hash(vf *v, const sv_place *p, const ov_name *record, const ov_hash *state) {
  uint8_t b[OV_POSHASH_BYTES + 4 + 8 + OV_NAME_BYTES + OV_HASH_BYTES], *at = b + OV_POSHASH_BYTES,
                                                                       key[OV_KEY_BYTES];
  uint8_t stored[OV_POSHASH_BYTES];
  const ov_name none = {.seq = 0};
  ov_hash made;
  if (sv_pos_hash(v->t, p->scope, p->pos - 1, b) || sv_pos_hash(v->t, p->scope, p->pos, stored)) return;
  if (sv_keyring_get(v->org->keyring, SV_KEY_INDEX, &none, key)) return;
  for (unsigned i = 4; i-- > 0;) *at++ = (uint8_t)(p->scope >> (8 * i));
  for (unsigned i = 8; i-- > 0;) *at++ = (uint8_t)(p->pos >> (8 * i));
  ov_name_write(record, at);
  memcpy(at + OV_NAME_BYTES, state->b, OV_HASH_BYTES);
  int err = ov_hmac(v->h, key, sizeof key, b, sizeof b, &made);
  if (err || memcmp(made.b, stored, sizeof stored)) {
    vf_found_at(v, record, VF_DERIVED, "the hash of its position %" PRIu64 " in scope %u does not fit",
                p->pos, p->scope);
  }
}

static void check_place(vf *v, const sv_record_row *row, const sv_place *p, const ov_hash *state) {
  sv_posent e;
  uint32_t n = 0;
  uint64_t marker;
  const ov_name *name = &row->rec.name;
  if (!p->pos || sv_pos_list(v->t, p->scope, p->pos - 1, &e, 1, &n)) return;
  if (!n || e.pos != p->pos || e.gone || !ov_name_equal(&e.record, name)) {
    vf_found_at(v, name, VF_DERIVED, "position %" PRIu64 " of scope %u does not lead to it", p->pos,
                p->scope);
    return;
  }
  if (!sv_gone_get(v->t, p->scope, name, &marker)) {
    vf_found_at(v, name, VF_DERIVED, "it is in scope %u and marked as gone from it", p->scope);
  }
  if (!row->erased) check_position_hash(v, p, name, state);
}

static void check_places(vf *v, const sv_record_row *row, const ov_hash *state) {
  uint32_t scopes[OV_SCOPES_MAX], n = home_scopes(v, &row->rec, scopes);
  bool same = n == row->n_places;
  for (uint32_t i = 0; same && i < n; i++) same = row->places[i].scope == scopes[i];
  /* What no applied op names makes no scope. */
  sv_scope s;
  bool none = !row->n_places && !row->rec.n_ops && n && sv_scope_get(v->t, scopes[0], &s) == OV_E_NOTFOUND;
  if (!same && !none)
    vf_found_at(v, &row->rec.name, VF_DERIVED,
                "it does not lie in the scopes of its participant or creation");
  for (uint32_t i = 0; i < row->n_places; i++) check_place(v, row, &row->places[i], state);
}

/* -- keys of a participant --------------------------------------------------------------- */

static void check_participant_keys(vf *v, const ov_record *r) {
  uint8_t key[OV_KEY_BYTES];
  uint32_t n = 0;
  const ov_live *l = ov_record_field(r, SV_PARTICIPANT_KEY, &n);
  if (r->kind != OV_KIND_PARTICIPANT || !r->created || erased(v, &r->name)) return;
  int err = sv_keyring_get(v->org->keyring, SV_KEY_COMMIT_PARTICIPANT, &r->name, key);
  if (err) vf_found_at(v, &r->name, VF_KEYS, "the keyring lacks this participant's commit key");
  else if (n &&
           (l->v.type != OV_V_BYTES || l->v.s.n != OV_KEY_BYTES || memcmp(l->v.s.p, key, OV_KEY_BYTES))) {
    vf_found_at(v, &r->name, VF_KEYS,
                "the keyring's commit key of this participant is not the one in the record");
  }
}

static void check_record(vf *v, const ov_name *name) {
  sv_record_row row;
  ov_hash hash = {{0}};
  ov_buf state;
  v->records++;
  int err = sv_record_get(v->t, name, &v->a, &row);
  if (err) {
    vf_found_at(v, name, VF_RESTORE, "the record cannot be read: %s", ov_err_text(err));
    return;
  }
  ov_buf_init(&state, 0);
  if (!row.erased && encode(&row.rec, &state) && !sv_state_hash(v->t, &row.rec, state.p, state.n, &hash)) {
    check_fold(v, &row, &state);
    check_index(v, &row);
    check_participant_keys(v, &row.rec);
  }
  check_ops_of(v, name);
  check_places(v, &row, &hash);
  ov_buf_free(&state);
}

void vf_check_records(vf *v) { vf_walk(v, sv_record_next, NULL, check_record); }

/* -- positions, the other way ------------------------------------------------------------ */

static void check_entry(vf *v, const sv_scope *s, const sv_posent *e) {
  sv_record_row row;
  uint64_t marker = 0;
  bool here = false, anywhere = false;
  int err = sv_record_get(v->t, &e->record, &v->a, &row);
  if (err == OV_E_NOTFOUND)
    vf_found_at(v, &e->record, VF_DERIVED, "position %" PRIu64 " of scope %u names no record", e->pos,
                s->scope);
  if (err) return; /* a damaged record is told with the records */
  for (uint32_t i = 0; i < row.n_places; i++) {
    anywhere |= row.places[i].scope == s->scope;
    here |= row.places[i].scope == s->scope && row.places[i].pos == e->pos;
  }
  bool marked = !sv_gone_get(v->t, s->scope, &e->record, &marker) && marker == e->pos;
  if (e->gone ? anywhere || !marked : !here) {
    vf_found_at(v, &e->record, VF_DERIVED,
                "position %" PRIu64 " of scope %u is not where the record says it is", e->pos, s->scope);
  }
}

/* The hash of every position is kept, also of those that were superseded: a cursor may stand at any of
 * them. */
static bool check_hashes(vf *v, const sv_scope *s, uint64_t end, uint64_t *pos) {
  uint8_t hash[OV_POSHASH_BYTES];
  for (unsigned n = 0; n < ADM_PAGE && *pos < end; n++) {
    int err = sv_pos_hash(v->t, s->scope, ++*pos, hash);
    v->positions++;
    if (!err) continue;
    char where[40];
    snprintf(where, sizeof where, "scope %u", s->scope);
    vf_found(v, where, VF_DERIVED,
             "the hash of position %" PRIu64 " is missing or damaged: tablets there fetch again", *pos);
    if (err != OV_E_NOTFOUND) return false;
  }
  return true;
}

static void check_end(vf *v, const sv_scope *s) {
  uint8_t hash[OV_POSHASH_BYTES];
  char where[40];
  sv_posent e;
  uint32_t n = 0;
  if (!sv_pos_list(v->t, s->scope, s->pos, &e, 1, &n) && n) {
    vf_found_at(v, &e.record, VF_DERIVED, "it lies behind the end of scope %u", s->scope);
  }
  snprintf(where, sizeof where, "scope %u", s->scope);
  if (sv_pos_hash(v->t, s->scope, s->pos, hash) || !memcmp(hash, s->hash, sizeof hash)) return;
  vf_found(v, where, VF_DERIVED, "its hash is not that of its last position");
}

/* One scope up to `end`, where it stood when the walk came to it, page by page. The scope's own row is read
 * anew in each. */
static bool check_scope_page(vf *v, uint32_t scope, uint64_t end, uint64_t *entries, uint64_t *hashes) {
  sv_scope s;
  sv_posent e[ADM_PAGE];
  uint32_t n = 0;
  if (!vf_page(v) || sv_scope_get(v->t, scope, &s)) return false;
  check_end(v, &s);
  v->total = end;
  v->done = *hashes;
  check_hashes(v, &s, end, hashes);
  if (sv_txn_error(v->t)) return *hashes < end;
  if (sv_pos_list(v->t, scope, *entries, e, ADM_PAGE, &n)) {
    vf_found(v, "positions", VF_RESTORE, "the table cannot be walked: %s", ov_err_text(sv_txn_error(v->t)));
    return false;
  }
  for (uint32_t i = 0; i < n && e[i].pos <= end && !sv_txn_error(v->t); i++) {
    check_entry(v, &s, &e[i]);
    *entries = e[i].pos;
    ov_arena_reset(&v->a);
  }
  bool more = n == ADM_PAGE && e[n - 1].pos <= end;
  return more || *hashes < end || sv_txn_error(v->t);
}

static void check_team(vf *v, const sv_scope *s) {
  sv_record_row row;
  if (ov_name_is_zero(&s->record)) return;
  int err = sv_record_get(v->t, &s->record, &v->a, &row);
  if (err || row.rec.kind != OV_KIND_TEAM || row.rec.scope != s->scope) {
    vf_found_at(v, &s->record, VF_DERIVED, "scope %u names it as its team, which it is not", s->scope);
  }
}

void vf_check_scopes(vf *v) {
  sv_scope s;
  for (int64_t at = -1; vf_page(v); at = s.scope) {
    int err = sv_scope_next(v->t, at, &s);
    if (err && err != OV_E_NOTFOUND)
      vf_found(v, "scopes", VF_RESTORE, "the table cannot be walked: %s", ov_err_text(err));
    if (err) break;
    check_team(v, &s);
    uint64_t entries = 0, hashes = 0;
    while (check_scope_page(v, s.scope, s.pos, &entries, &hashes)) {}
  }
  vf_page_end(v);
}
