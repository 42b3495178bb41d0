/* What is shown: the server part with own ops on top, and the indexes that find it. */
#include <string.h>

#include "oc_internal.h"

/* Whole seconds, downwards: as the server counts them, so that both sides fold to the same time. PROTO-21 */
int64_t oc_seconds(int64_t ms) { return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000); }

/* -- own ops on top -------------------------------------------------------------------------------------- */

typedef struct top {
  ov_fold_in *in;
  uint32_t n;
  bool unsent, attention;
} top;

static ov_fold_in fold_of(const oc_store *s, const oc_log_row *row, const ov_op *op) {
  ov_fold_in in = {.op = op,
                   .verdict = OV_APPLIED,
                   .server_time = INT64_MAX,
                   .clock_offset = oc_seconds(s->self.clock_offset_ms)};
  if (row->state == OC_OP_ACKED) {
    in.server_time = oc_seconds(row->server_time_ms);
    in.clock_offset = oc_seconds(row->offset_ms);
  }
  if (row->held) {
    in.verdict = OV_HELD;
    in.reason = row->held;
  }
  return in;
}

static int collect(oc_store *s, oc_txn *t, const ov_name *record, ov_arena *a, top *out) {
  uint8_t prefix[OV_NAME_BYTES], key[OC_DB_KEY_MAX];
  size_t n = 0;
  uint32_t cap = 0;
  *out = (top){0};
  ov_name_write(record, prefix);
  for (;;) {
    int err = oc_next(t, OC_T_PENDING, prefix, sizeof prefix, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    ov_name name;
    oc_log_row row;
    ov_name_read(key + OV_NAME_BYTES, &name);
    err = oc_log_get(t, &name.writer, name.seq, a, &row);
    if (err) return err;
    out->unsent |= row.state == OC_OP_LOCAL;
    out->attention |= row.as_void || row.held;
    if (row.as_void || !row.kept || row.closed) continue;
    if (out->n == cap) {
      cap = cap ? cap * 2 : 8;
      ov_fold_in *more = ov_arena_array(a, cap, sizeof *more);
      if (!more) return OV_E_NOMEM;
      if (out->n) memcpy(more, out->in, out->n * sizeof *more);
      out->in = more;
    }
    ov_op *op = ov_op_dup(&row.op, a);
    if (!op) return OV_E_NOMEM;
    out->in[out->n++] = fold_of(s, &row, op);
  }
}

/* A held op of ours in the server part asks for attention; a dismissed one has had it. */
static bool own_held(oc_txn *t, const ov_record *r) {
  for (uint32_t i = 0; i < r->n_held; i++) {
    oc_writer_row w;
    if (r->held[i].verdict == OV_HELD && !oc_writer_get(t, &r->held[i].name.writer, &w)) return true;
  }
  return false;
}

static bool in_record(const ov_record *r, const ov_name *op) {
  for (uint32_t i = 0; i < r->n_ops; i++) {
    if (ov_name_equal(&r->ops[i].name, op)) return true;
  }
  return false;
}

static bool replaces(const ov_op *op, const ov_name *name) {
  for (uint32_t i = 0; i < op->n_replaces; i++) {
    if (ov_name_equal(&op->replaces[i], name)) return true;
  }
  return false;
}

static bool names_one_behind(const top *own, uint32_t at, uint32_t from) {
  const ov_op *op = own->in[at].op;
  for (uint32_t i = from; i < own->n; i++) {
    if (i != at && replaces(op, &own->in[i].op->name)) return true;
  }
  return false;
}

/* Within a log ops lie in the order they were written. Logs lie in the order of their ids, which says
 * nothing: an op of one may replace an op of another, and comes after it. */
static void order(top *own) {
  bool logs = false;
  for (uint32_t i = 1; i < own->n; i++)
    logs |= !ov_id_equal(&own->in[i].op->name.writer, &own->in[0].op->name.writer);
  for (uint32_t i = 0; logs && i < own->n; i++) {
    uint32_t next = i;
    while (next < own->n && names_one_behind(own, next, i)) next++;
    if (next == own->n) return; /* a circle: somebody made it on purpose */
    ov_fold_in in = own->in[next];
    memmove(&own->in[i + 1], &own->in[i], (next - i) * sizeof in);
    own->in[i] = in;
  }
}

static int lay_on(const oc_server_part *p, top *own, ov_arena *a, ov_record *out) {
  *out = p->rec;
  order(own);
  for (uint32_t i = 0; i < own->n; i++) {
    if (in_record(out, &own->in[i].op->name)) continue; /* the server has it, though its ACK was lost */
    ov_record next;
    int err = ov_fold_absorb(out, &own->in[i], a, &next);
    if (err) return err;
    *out = next;
  }
  return 0;
}

/* PROTO-108 */
int oc_view_get(oc_store *s, oc_txn *t, const ov_name *record, ov_arena *a, oc_view *out) {
  oc_server_part p;
  top own;
  *out = (oc_view){0};
  int known = oc_part_get(t, record, a, &p);
  if (known && known != OV_E_NOTFOUND) return known;
  int err = collect(s, t, record, a, &own);
  if (err) return err;
  if (known && !own.n && !own.attention) return OV_E_NOTFOUND;
  out->n_own = own.n;
  out->unsent = own.unsent;
  out->server_known = !known;
  if (!known) {
    out->changed = p.changed;
    err = lay_on(&p, &own, a, &out->rec);
  } else if (own.n) {
    err = ov_fold(own.in, own.n, a, &out->rec);
  } else {
    out->rec.name = *record; /* only a refused op of ours is left of it */
  }
  out->attention = own.attention || (!err && own_held(t, &out->rec));
  return err;
}

/* -- indexes --------------------------------------------------------------------------------------------- */

static void day_key(const oc_row *r, const ov_name *record, uint8_t key[6 + OV_NAME_BYTES]) {
  uint32_t day = r->day < 0 ? 0 : r->day > UINT32_MAX ? UINT32_MAX : (uint32_t)r->day;
  for (int i = 0; i < 4; i++) key[i] = (uint8_t)(day >> (24 - 8 * i));
  key[4] = (uint8_t)(r->kind >> 8);
  key[5] = (uint8_t)r->kind;
  ov_name_write(record, key + 6);
}

static void natural_key(const oc_row *r, const ov_name *record, uint8_t key[18 + OV_NAME_BYTES]) {
  key[0] = (uint8_t)(r->kind >> 8);
  key[1] = (uint8_t)r->kind;
  memcpy(key + 2, r->natural, 16);
  ov_name_write(record, key + 18);
}

static int row_put(oc_txn *t, const ov_name *record, const oc_row *r) {
  uint8_t key[OV_NAME_BYTES], participant[OV_NAME_BYTES];
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_mpw_array(&b, 6);
  ov_mpw_int(&b, r->day);
  ov_mpw_uint(&b, r->kind);
  ov_mpw_bool(&b, r->has_natural);
  ov_mpw_bin(&b, r->natural, sizeof r->natural);
  ov_mpw_uint(&b, r->flags);
  ov_name_write(&r->participant, participant);
  ov_mpw_bin(&b, participant, sizeof participant);
  ov_name_write(record, key);
  int err = b.err ? b.err : oc_put(t, OC_T_ROW, key, sizeof key, b.p, b.n);
  ov_buf_free(&b);
  return err;
}

int oc_row_get(oc_txn *t, const ov_name *record, ov_arena *a, oc_row *out) {
  uint8_t key[OV_NAME_BYTES], participant[OV_NAME_BYTES];
  const uint8_t *p = NULL;
  size_t n = 0;
  *out = (oc_row){0};
  ov_name_write(record, key);
  int err = oc_get(t, OC_T_ROW, key, sizeof key, a, &p, &n);
  if (err) return err;
  ov_mpr r;
  ov_mpr_init(&r, p, n);
  ov_mpr_array_of(&r, 6);
  out->day = ov_mpr_int(&r);
  out->kind = (uint16_t)ov_mpr_uint(&r, UINT16_MAX);
  out->has_natural = ov_mpr_bool(&r);
  ov_mpr_bytes(&r, out->natural, sizeof out->natural);
  out->flags = (uint8_t)ov_mpr_uint(&r, 255);
  ov_mpr_bytes(&r, participant, sizeof participant);
  if (ov_mpr_done(&r)) {
    oc_txn_fail(t, OV_E_CORRUPT);
    return OV_E_CORRUPT;
  }
  ov_name_read(participant, &out->participant);
  return 0;
}

/* Kinds without a day of their own (reference data) stand at day 0, so that they are found by kind at
 * once. */
static int make_row(oc_store *s, oc_txn *t, const oc_view *v, oc_row *r) {
  const ov_skind *k = ov_schemas_kind(s->schemas, v->rec.kind);
  *r = (oc_row){.kind = v->rec.kind};
  if (k && k->occurred) r->day = ov_schema_occurred_day(k, &v->rec);
  if (v->rec.has_participant) r->participant = v->rec.participant;
  ov_buf b;
  ov_buf_init(&b, 0);
  int err = 0;
  if (k && ov_schema_natural_key(k, &v->rec, &b)) {
    r->has_natural = true;
    err = b.err ? b.err : oc_index_hash(t, b.p, b.n, r->natural);
  }
  ov_buf_free(&b);
  ov_retract_state st = ov_record_retracted(&v->rec);
  if (ov_record_conflicts(&v->rec)) r->flags |= OC_ROW_CONFLICT;
  if (v->attention) r->flags |= OC_ROW_ATTENTION;
  if (v->unsent) r->flags |= OC_ROW_UNSENT;
  if (st == OV_RETRACTED) r->flags |= OC_ROW_RETRACTED;
  return err;
}

static int unindex(oc_txn *t, const ov_name *record, const oc_row *old) {
  uint8_t day[6 + OV_NAME_BYTES], natural[18 + OV_NAME_BYTES], key[OV_NAME_BYTES];
  day_key(old, record, day);
  natural_key(old, record, natural);
  ov_name_write(record, key);
  int err = oc_del(t, OC_T_DAY, day, sizeof day);
  if (!err && old->has_natural) err = oc_del(t, OC_T_NATURAL, natural, sizeof natural);
  return err ? err : oc_del(t, OC_T_ROW, key, sizeof key);
}

int oc_view_index(oc_store *s, oc_txn *t, const ov_name *record, ov_arena *a) {
  oc_view v;
  oc_row old, now;
  int had = oc_row_get(t, record, a, &old);
  if (had && had != OV_E_NOTFOUND) return had;
  int err = had ? 0 : unindex(t, record, &old);
  if (err) return err;
  err = oc_view_get(s, t, record, a, &v);
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  err = make_row(s, t, &v, &now);
  if (err) {
    oc_txn_fail(t, err);
    return err;
  }
  uint8_t day[6 + OV_NAME_BYTES], natural[18 + OV_NAME_BYTES];
  day_key(&now, record, day);
  natural_key(&now, record, natural);
  err = row_put(t, record, &now);
  if (!err) err = oc_put(t, OC_T_DAY, day, sizeof day, NULL, 0);
  if (!err && now.has_natural) err = oc_put(t, OC_T_NATURAL, natural, sizeof natural, NULL, 0);
  return err;
}

/* Both tables' keys begin with the record; neither changes while the indexes do. */
static int reindex_table(oc_store *s, oc_table table) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  ov_arena a;
  oc_txn *t = NULL;
  ov_arena_init(&a, 64u << 20);
  int err = oc_txn_begin(s->db, true, &t);
  while (!err) {
    err = oc_next(t, table, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL);
    ov_name record;
    if (err) break;
    ov_arena_reset(&a);
    ov_name_read(key, &record);
    err = oc_view_index(s, t, &record, &a);
  }
  ov_arena_free(&a);
  if (err != OV_E_NOTFOUND) {
    oc_txn_abort(t);
    return err;
  }
  return oc_txn_commit(t);
}

int oc_reindex(oc_store *s) {
  int err = reindex_table(s, OC_T_RECORD);
  return err ? err : reindex_table(s, OC_T_PENDING);
}
