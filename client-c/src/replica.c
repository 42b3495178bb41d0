/* The replica: what the server told, record by record, and the cursors that say how far. A DELTA and its
 * cursor are one transaction. */
#include <string.h>

#include "oc_internal.h"

static void be32(uint32_t v, uint8_t out[4]) {
  for (int i = 0; i < 4; i++) out[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* -- server parts ---------------------------------------------------------------------------------------- */

static int encode_part(const oc_server_part *p, ov_buf *b) {
  ov_buf rec;
  ov_buf_init(&rec, 0);
  ov_record_encode(&p->rec, &rec);
  ov_mpw_array(b, 3);
  ov_mpw_int(b, p->changed);
  ov_mpw_array(b, p->n_scopes);
  for (uint32_t i = 0; i < p->n_scopes; i++) ov_mpw_uint(b, p->scopes[i]);
  ov_mpw_bin(b, rec.p, rec.n);
  int err = rec.err ? rec.err : b->err;
  ov_buf_free(&rec);
  return err;
}

int oc_part_decode(const uint8_t *p, size_t n, ov_arena *a, oc_server_part *out) {
  ov_mpr r;
  uint32_t rec_n = 0;
  *out = (oc_server_part){0};
  ov_mpr_init(&r, p, n);
  ov_mpr_array_of(&r, 3);
  out->changed = ov_mpr_int(&r);
  uint32_t k = ov_mpr_array(&r);
  for (uint32_t i = 0; i < k && !r.err; i++) {
    uint32_t scope = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
    if (i < OV_SCOPES_MAX) out->scopes[out->n_scopes++] = scope;
  }
  const uint8_t *rec = ov_mpr_bin(&r, &rec_n);
  if (ov_mpr_done(&r)) return OV_E_CORRUPT;
  int err = ov_record_decode(rec, rec_n, a, &out->rec);
  return err && err != OV_E_NOMEM ? OV_E_CORRUPT : err;
}

static int put_at(oc_txn *t, oc_table table, const uint8_t *key, size_t key_n, const oc_server_part *p) {
  ov_buf b;
  ov_buf_init(&b, 0);
  int err = encode_part(p, &b);
  if (err) oc_txn_fail(t, err);
  else if (p->rec.has_participant && p->rec.kind != OV_KIND_PARTICIPANT)
    err = oc_put_closed(t, table, key, key_n, b.p, b.n);
  else err = oc_put(t, table, key, key_n, b.p, b.n);
  ov_buf_free(&b);
  return err;
}

int oc_part_put(oc_txn *t, const oc_server_part *p) {
  uint8_t key[OV_NAME_BYTES];
  ov_name_write(&p->rec.name, key);
  return put_at(t, OC_T_RECORD, key, sizeof key, p);
}

int oc_part_get(oc_txn *t, const ov_name *record, ov_arena *a, oc_server_part *out) {
  uint8_t key[OV_NAME_BYTES];
  const uint8_t *p = NULL;
  size_t n = 0;
  ov_name_write(record, key);
  int err = oc_get(t, OC_T_RECORD, key, sizeof key, a, &p, &n);
  if (!err) {
    err = oc_part_decode(p, n, a, out);
    if (err) oc_txn_fail(t, err);
  }
  return err;
}

static int part_del(oc_txn *t, const ov_name *record) {
  uint8_t key[OV_NAME_BYTES];
  ov_name_write(record, key);
  return oc_del(t, OC_T_RECORD, key, sizeof key);
}

static bool add_scope(oc_server_part *p, uint32_t scope) {
  uint32_t i = 0;
  while (i < p->n_scopes && p->scopes[i] < scope) i++;
  if (i < p->n_scopes && p->scopes[i] == scope) return false;
  if (p->n_scopes == OV_SCOPES_MAX) return false;
  memmove(&p->scopes[i + 1], &p->scopes[i], (p->n_scopes - i) * sizeof p->scopes[0]);
  p->scopes[i] = scope;
  p->n_scopes++;
  return true;
}

static bool drop_scope(oc_server_part *p, uint32_t scope) {
  for (uint32_t i = 0; i < p->n_scopes; i++) {
    if (p->scopes[i] != scope) continue;
    memmove(&p->scopes[i], &p->scopes[i + 1], (p->n_scopes - i - 1) * sizeof p->scopes[0]);
    p->n_scopes--;
    return true;
  }
  return false;
}

/* -- cursors --------------------------------------------------------------------------------------------- */

static int cursor_put(oc_txn *t, const oc_cursor_row *c) {
  uint8_t key[4];
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_mpw_array(&b, 3);
  ov_mpw_uint(&b, c->c.pos);
  ov_mpw_bin(&b, c->c.hash, OV_POSHASH_BYTES);
  ov_mpw_bool(&b, c->staging);
  be32(c->c.scope, key);
  int err = b.err ? b.err : oc_put(t, OC_T_CURSOR, key, sizeof key, b.p, b.n);
  ov_buf_free(&b);
  return err;
}

int oc_cursor_get(oc_txn *t, uint32_t scope, oc_cursor_row *out) {
  uint8_t key[4];
  const uint8_t *p = NULL;
  size_t n = 0;
  ov_arena a;
  ov_arena_init(&a, 4096);
  be32(scope, key);
  *out = (oc_cursor_row){.c.scope = scope};
  int err = oc_get(t, OC_T_CURSOR, key, sizeof key, &a, &p, &n);
  if (!err) {
    ov_mpr r;
    ov_mpr_init(&r, p, n);
    ov_mpr_array_of(&r, 3);
    out->c.pos = ov_mpr_uint(&r, UINT64_MAX >> 1);
    ov_mpr_bytes(&r, out->c.hash, OV_POSHASH_BYTES);
    out->staging = ov_mpr_bool(&r);
    if (ov_mpr_done(&r)) oc_txn_fail(t, err = OV_E_CORRUPT);
  }
  ov_arena_free(&a);
  return err;
}

int oc_cursors(oc_txn *t, oc_cursor_row *out, uint32_t *n) {
  uint8_t key[OC_DB_KEY_MAX] = {0};
  size_t key_n = 0;
  *n = 0;
  for (;;) {
    int err = oc_next(t, OC_T_CURSOR, NULL, 0, key, key_n, key_n > 0, key, &key_n, NULL, NULL, NULL);
    if (err == OV_E_NOTFOUND || *n == OV_SCOPES_MAX) return 0;
    if (err) return err;
    uint32_t scope = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
    err = oc_cursor_get(t, scope, &out[(*n)++]);
    if (err) return err;
  }
}

/* -- own ops on top -------------------------------------------------------------------------------------- */

static int set_pending(oc_txn *t, const ov_name *record, const ov_name *op, bool on) {
  uint8_t key[2 * OV_NAME_BYTES];
  ov_name_write(record, key);
  ov_name_write(op, key + OV_NAME_BYTES);
  return on ? oc_put(t, OC_T_PENDING, key, sizeof key, NULL, 0) : oc_del(t, OC_T_PENDING, key, sizeof key);
}

/* The server part covers what it has acknowledged: those ops need not lie on top any more. A refused op
 * stays: its value is nowhere else. */
static int settle_pending(oc_txn *t, const ov_name *record, ov_arena *a) {
  uint8_t prefix[OV_NAME_BYTES], key[OC_DB_KEY_MAX];
  size_t key_n = 0;
  ov_name_write(record, prefix);
  for (;;) {
    int err = oc_next(t, OC_T_PENDING, prefix, sizeof prefix, key, key_n, key_n > 0, key, &key_n, NULL, NULL,
                      NULL);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    ov_name op;
    oc_log_row row;
    ov_name_read(key + OV_NAME_BYTES, &op);
    err = oc_log_get(t, &op.writer, op.seq, a, &row);
    if (err) return err;
    if (row.state != OC_OP_ACKED || row.as_void) continue;
    row.absorbed = true;
    err = oc_log_put(t, &row);
    if (!err) err = oc_del(t, OC_T_PENDING, key, key_n);
    if (err) return err;
  }
}

/* -- DELTA ----------------------------------------------------------------------------------------------- */

static int apply_record(oc_store *s, oc_txn *t, uint32_t scope, const ov_record *rec, int64_t changed,
                        ov_arena *a) {
  oc_server_part p = {0};
  int err = oc_part_get(t, &rec->name, a, &p);
  if (err && err != OV_E_NOTFOUND) return err;
  p.rec = *rec;
  p.changed = changed;
  add_scope(&p, scope);
  err = oc_part_put(t, &p);
  if (!err) err = settle_pending(t, &rec->name, a);
  if (!err) err = oc_view_index(s, t, &rec->name, a);
  return !err && rec->kind == OV_KIND_ERASURE ? oc_purge(s, t, rec, !s->self.last_sync_ms) : err;
}

/* Also of a record that never came: an op of ours made it, its ACK was lost, and it has moved away. What the
 * server has acknowledged of it goes along, instead of becoming a record here at SYNCED. PROTO-110 */
static int apply_gone(oc_store *s, oc_txn *t, uint32_t scope, const ov_name *record, ov_arena *a) {
  oc_server_part p = {0};
  int err = oc_part_get(t, record, a, &p);
  bool known = !err;
  if (err && err != OV_E_NOTFOUND) return err;
  if (known && !drop_scope(&p, scope)) return 0;
  err = p.n_scopes ? oc_part_put(t, &p) : known ? part_del(t, record) : 0;
  if (!err && !p.n_scopes) err = settle_pending(t, record, a);
  return err ? err : oc_view_index(s, t, record, a);
}

static void stage_key(uint32_t scope, const ov_name *record, uint8_t key[4 + OV_NAME_BYTES]) {
  be32(scope, key);
  ov_name_write(record, key + 4);
}

static int stage_clear(oc_txn *t, uint32_t scope) {
  uint8_t prefix[4], key[OC_DB_KEY_MAX];
  size_t n = 0;
  be32(scope, prefix);
  for (;;) {
    int err = oc_next(t, OC_T_STAGE, prefix, sizeof prefix, NULL, 0, false, key, &n, NULL, NULL, NULL);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    err = oc_del(t, OC_T_STAGE, key, n);
    if (err) return err;
  }
}

/* Takes out of a scope every record that `keep` does not hold in the stage. */
static int drop_unstaged(oc_store *s, oc_txn *t, uint32_t scope, bool keep_staged, ov_arena *a) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  for (;;) {
    int err = oc_next(t, OC_T_RECORD, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    ov_name record;
    uint8_t staged[4 + OV_NAME_BYTES];
    ov_name_read(key, &record);
    stage_key(scope, &record, staged);
    if (keep_staged && !oc_get(t, OC_T_STAGE, staged, sizeof staged, NULL, NULL, NULL)) continue;
    ov_arena_reset(a);
    err = apply_gone(s, t, scope, &record, a);
    if (err) return err;
  }
}

int oc_repend_unsent(oc_store *s, oc_txn *t, ov_arena *a) {
  oc_writer_row w;
  int err = oc_writer_next(t, NULL, &w);
  for (; !err; err = oc_writer_next(t, &w.writer, &w)) {
    for (uint64_t seq = w.acked + 1; seq <= w.last; seq++) {
      oc_log_row row;
      ov_arena_reset(a);
      int got = oc_log_get(t, &w.writer, seq, a, &row);
      if (got) return got;
      if (!row.absorbed || !row.kept) continue;
      row.absorbed = false;
      got = oc_log_put(t, &row);
      if (!got) got = set_pending(t, &row.op.record, &row.op.name, true);
      if (!got) got = oc_view_index(s, t, &row.op.record, a);
      if (got) return got;
    }
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* The scope has arrived whole beside the old copy: it takes its place, in one transaction. */
static int swap_in(oc_store *s, oc_txn *t, uint32_t scope) {
  uint8_t prefix[4], key[OC_DB_KEY_MAX];
  size_t key_n = 0, n = 0;
  const uint8_t *p = NULL;
  ov_arena a;
  ov_arena_init(&a, 64u << 20);
  be32(scope, prefix);
  int err = drop_unstaged(s, t, scope, true, &a);
  while (!err) {
    oc_server_part part;
    ov_arena_reset(&a);
    err = oc_next(t, OC_T_STAGE, prefix, sizeof prefix, key, key_n, key_n > 0, key, &key_n, &a, &p, &n);
    if (!err) err = oc_part_decode(p, n, &a, &part);
    if (!err) err = apply_record(s, t, scope, &part.rec, part.changed, &a);
  }
  if (err == OV_E_NOTFOUND) err = stage_clear(t, scope);
  if (!err) err = oc_repend_unsent(s, t, &a);
  ov_arena_free(&a);
  return err;
}

static int stage_record(oc_txn *t, uint32_t scope, const ov_delta_rec *r) {
  uint8_t key[4 + OV_NAME_BYTES];
  oc_server_part p = {.rec = r->rec, .changed = r->changed};
  stage_key(scope, &r->rec.name, key);
  return put_at(t, OC_T_STAGE, key, sizeof key, &p);
}

/* What is here from before goes when the scope is swapped in; what never came has nothing but own ops. */
static int stage_gone(oc_store *s, oc_txn *t, uint32_t scope, const ov_name *record, ov_arena *a) {
  uint8_t key[4 + OV_NAME_BYTES];
  oc_server_part p;
  stage_key(scope, record, key);
  int err = oc_del(t, OC_T_STAGE, key, sizeof key);
  if (!err) err = oc_part_get(t, record, a, &p);
  return err == OV_E_NOTFOUND ? apply_gone(s, t, scope, record, a) : err;
}

int oc_apply_delta(oc_store *s, oc_txn *t, const ov_delta *d, ov_arena *a) {
  oc_cursor_row c;
  int err = oc_cursor_get(t, d->scope, &c);
  if (err && err != OV_E_NOTFOUND) return err;
  if (d->from != c.c.pos) return OV_E_STATE; /* a gap would lose changes without a trace */
  err = 0;
  for (uint32_t i = 0; i < d->n_records && !err; i++) {
    const ov_delta_rec *r = &d->records[i];
    err = c.staging ? stage_record(t, d->scope, r) : apply_record(s, t, d->scope, &r->rec, r->changed, a);
  }
  for (uint32_t i = 0; i < d->n_gone && !err; i++) {
    err = c.staging ? stage_gone(s, t, d->scope, &d->gone[i], a) : apply_gone(s, t, d->scope, &d->gone[i], a);
  }
  if (!err && c.staging && !d->more) {
    err = swap_in(s, t, d->scope);
    c.staging = false;
  }
  c.c.pos = d->to;
  memcpy(c.c.hash, d->hash, OV_POSHASH_BYTES);
  return err ? err : cursor_put(t, &c);
}

int oc_scope_state(oc_store *s, oc_txn *t, uint32_t scope, ov_scope_state state, ov_arena *a) {
  uint8_t key[4];
  oc_cursor_row c = {.c.scope = scope};
  int err;
  be32(scope, key);
  switch (state) {
  case OV_SCOPE_NEW: return cursor_put(t, &c);
  case OV_SCOPE_REFETCH:
    c.staging = true;
    err = stage_clear(t, scope);
    return err ? err : cursor_put(t, &c);
  case OV_SCOPE_GONE:
    err = stage_clear(t, scope);
    if (!err) err = drop_unstaged(s, t, scope, false, a);
    return err ? err : oc_del(t, OC_T_CURSOR, key, sizeof key);
  default: return 0;
  }
}

/* -- SYNCED: what the server left out because we have it ------------------------------------------------- */

static uint16_t field_id(const oc_store *s, uint16_t kind, const char *name) {
  const ov_skind *k = ov_schemas_kind(s->schemas, kind);
  const ov_sfield *f = k ? ov_skind_by_name(k, name) : NULL;
  return f ? f->id : 0;
}

/* Live scopes in a record's `teams`: added and not only deleted. */
static uint32_t live_teams(const oc_store *s, const ov_record *rec, uint32_t out[OV_SCOPES_MAX]) {
  uint32_t n = 0, entries = 0;
  uint16_t id = field_id(s, rec->kind, "teams");
  const ov_live *l = id ? ov_record_field(rec, id, &entries) : NULL;
  for (uint32_t i = 0; l && i < entries && n < OV_SCOPES_MAX; i++) {
    if (!l[i].is_elem || l[i].elem.type != OV_V_INT || l[i].v.type != OV_V_INT || l[i].v.i != 1) continue;
    if (n && out[n - 1] == (uint32_t)l[i].elem.i) continue;
    out[n++] = (uint32_t)l[i].elem.i;
  }
  return n;
}

/* Where the server has put it: the participant's teams, or else the scope of the op that created the
 * participant; of these what this device follows. A participant that has left takes its records along: none
 * is placed here then. What goes to servers only lies nowhere here. PROTO-101, PROTO-128 */
static int place(oc_store *s, oc_txn *t, oc_server_part *p, ov_arena *a) {
  uint32_t scopes[OV_SCOPES_MAX], n = 0;
  oc_server_part of;
  oc_cursor_row c;
  uint32_t home = p->rec.scope;
  if (p->rec.kind == OV_KIND_LOOK || p->rec.kind == OV_KIND_PURGE) return 0;
  if (p->rec.kind == OV_KIND_PARTICIPANT) {
    n = live_teams(s, &p->rec, scopes);
  } else if (p->rec.has_participant) {
    int err = oc_part_get(t, &p->rec.participant, a, &of);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    n = live_teams(s, &of.rec, scopes);
    home = of.rec.scope;
  }
  if (!n) scopes[n++] = home;
  for (uint32_t i = 0; i < n; i++) {
    if (!oc_cursor_get(t, scopes[i], &c)) add_scope(p, scopes[i]);
  }
  return oc_txn_error(t);
}

static bool has_op(const ov_record *r, const ov_name *op) {
  for (uint32_t i = 0; i < r->n_ops; i++) {
    if (ov_name_equal(&r->ops[i].name, op)) return true;
  }
  return false;
}

static int absorb_one(oc_store *s, oc_txn *t, oc_log_row *row, ov_arena *a) {
  oc_server_part p = {0};
  int err = oc_part_get(t, &row->op.record, a, &p);
  bool known = !err;
  if (err && err != OV_E_NOTFOUND) return err;
  ov_fold_in in = {.op = &row->op,
                   .verdict = row->held ? OV_HELD : OV_APPLIED,
                   .reason = row->held,
                   .server_time = oc_seconds(row->server_time_ms),
                   .clock_offset = oc_seconds(row->offset_ms)};
  if ((known && !has_op(&p.rec, &row->op.name)) || (!known && row->op.creates)) {
    ov_record out;
    err = ov_fold_absorb(known ? &p.rec : NULL, &in, a, &out);
    if (err) return err;
    p.rec = out;
    if (in.server_time > p.changed) p.changed = in.server_time;
    err = place(s, t, &p, a);
    if (!err && p.n_scopes) err = oc_part_put(t, &p);
    if (err) return err;
  }
  row->absorbed = true;
  err = oc_log_put(t, row);
  if (!err) err = set_pending(t, &row->op.record, &row->op.name, false);
  return err ? err : oc_view_index(s, t, &row->op.record, a);
}

/* A log that this server has not been asked about, also the live one when an older one went first: what the
 * last server acknowledged of it may be unknown here. It stays on top until the server has said. */
static int to_be_asked(oc_txn *t, const ov_id *writer, bool *yes) {
  oc_writer_row w;
  int err = oc_writer_get(t, writer, &w);
  *yes = !err && !w.asked_ms;
  return err;
}

/* Does this op lie on top, so that it is still to be absorbed? A refused one stays there for good. */
static int lies_on_top(oc_txn *t, const ov_name *record, const ov_name *op, ov_arena *a, bool *yes) {
  uint8_t key[2 * OV_NAME_BYTES];
  oc_log_row row;
  ov_name_write(record, key);
  ov_name_write(op, key + OV_NAME_BYTES);
  *yes = false;
  int err = oc_get(t, OC_T_PENDING, key, sizeof key, NULL, NULL, NULL);
  if (!err) err = oc_log_get(t, &op->writer, op->seq, a, &row);
  *yes = !err && !row.as_void && row.kept;
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* What it replaces, what made its record and what made its participant (who says which scopes it lies in)
 * come first, in whichever log they are. */
static int comes_later(oc_txn *t, const ov_op *op, ov_arena *a, bool *yes) {
  int err = to_be_asked(t, &op->name.writer, yes);
  if (!err && !*yes && !op->creates) err = lies_on_top(t, &op->record, &op->record, a, yes);
  if (!err && !*yes && op->has_participant && !ov_name_equal(&op->participant, &op->record))
    err = lies_on_top(t, &op->participant, &op->participant, a, yes);
  for (uint32_t i = 0; !err && !*yes && i < op->n_replaces; i++)
    err = lies_on_top(t, &op->record, &op->replaces[i], a, yes);
  return err;
}

/* Once over all that lies on top; *some: an op was absorbed, *left: one waits for another. */
static int absorb_pass(oc_store *s, oc_txn *t, ov_arena *a, bool *some, bool *left) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  *some = *left = false;
  for (;;) {
    int err = oc_next(t, OC_T_PENDING, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    ov_name op;
    oc_log_row row;
    bool later = false;
    ov_arena_reset(a);
    ov_name_read(key + OV_NAME_BYTES, &op);
    err = oc_log_get(t, &op.writer, op.seq, a, &row);
    if (err) return err;
    if (row.state != OC_OP_ACKED || row.as_void || !row.kept) continue;
    err = comes_later(t, &row.op, a, &later);
    if (!err && !later) err = absorb_one(s, t, &row, a);
    if (err) return err;
    *left |= later;
    *some |= !later;
  }
}

/* Within a log the order is right at once; from one log to another it takes another pass. PROTO-113 */
int oc_absorb_acked(oc_store *s, oc_txn *t, ov_arena *a) {
  bool some = true, left = true;
  int err = 0;
  while (!err && some && left) err = absorb_pass(s, t, a, &some, &left);
  return err;
}

/* -- the window ------------------------------------------------------------------------------------------ */

static bool has_pending(oc_txn *t, const ov_name *record) {
  uint8_t prefix[OV_NAME_BYTES], key[OC_DB_KEY_MAX];
  size_t n = 0;
  ov_name_write(record, prefix);
  return !oc_next(t, OC_T_PENDING, prefix, sizeof prefix, NULL, 0, false, key, &n, NULL, NULL, NULL);
}

int oc_window_drop(oc_store *s, oc_txn *t, int64_t server_now, ov_arena *a) {
  if (s->o.window_days < 0) return 0;
  uint8_t key[OC_DB_KEY_MAX] = {0};
  size_t n = 0;
  int64_t last_day = server_now / 86400 - (s->o.window_days ? s->o.window_days : OV_WINDOW_DAYS);
  for (;;) {
    int err = oc_next(t, OC_T_DAY, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    int64_t day = (int64_t)key[0] << 24 | (int64_t)key[1] << 16 | (int64_t)key[2] << 8 | key[3];
    if (day > last_day) return 0; /* the index ascends by day, and later days are inside */
    ov_name record;
    oc_server_part p;
    ov_arena_reset(a);
    ov_name_read(key + 6, &record);
    err = oc_part_get(t, &record, a, &p);
    if (err == OV_E_NOTFOUND) continue;
    const ov_skind *k = err ? NULL : ov_schemas_kind(s->schemas, p.rec.kind);
    if (!err && k && k->windowed && ov_schema_outside_window(k, &p.rec, p.changed, server_now) &&
        !has_pending(t, &record)) {
      err = part_del(t, &record);
      if (!err) err = oc_view_index(s, t, &record, a);
    }
    if (err) return err;
  }
}

int oc_team_record(oc_store *s, oc_txn *t, uint32_t scope, ov_arena *a, ov_name *team) {
  uint8_t prefix[6] = {0, 0, 0, 0, 0, OV_KIND_TEAM}, key[OC_DB_KEY_MAX];
  size_t n = 0;
  uint16_t id = field_id(s, OV_KIND_TEAM, "scope");
  for (;;) {
    int err = oc_next(t, OC_T_DAY, prefix, sizeof prefix, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err) return err;
    oc_view v;
    ov_name_read(key + sizeof prefix, team);
    err = oc_view_get(s, t, team, a, &v);
    const ov_live *l = err || !id ? NULL : ov_record_field(&v.rec, id, NULL);
    if (l && l->v.type == OV_V_INT && l->v.i == (int64_t)scope) return 0;
    if (err && err != OV_E_NOTFOUND) return err;
  }
}
