/* Records: the cached fold, where it lies, and the domain indexes that follow it. */
#include <openssl/crypto.h>
#include <string.h>

#include "tables.h"

enum { F_PARTICIPANT = 1, F_INDEXED = 2, F_NATURAL = 4, F_FOLD = 8, F_ALL = 15 };

/* What the indexes hold for a record. */
typedef struct index_state {
  bool has_participant, indexed, has_natural_key;
  ov_name participant;
  uint16_t kind;
  int64_t day;
  uint8_t natural_key[OV_HASH_BYTES];
} index_state;

/* -- the first part -------------------------------------------------------------------------------------- */

/* live: it has a fold. Without one (its participant was erased) it stands in no index. */
static index_state state_of(const sv_record_row *row, bool live) {
  if (!live) return (index_state){.has_participant = false};
  index_state s = {.has_participant = row->rec.has_participant,
                   .indexed = row->indexed,
                   .has_natural_key = row->has_natural_key,
                   .kind = row->index_kind ? row->index_kind : row->rec.kind,
                   .day = row->day};
  if (s.has_participant) s.participant = row->rec.participant;
  if (s.has_natural_key) memcpy(s.natural_key, row->natural_key, OV_HASH_BYTES);
  return s;
}

static void encode_first(sv_txn *t, const sv_record_row *row, bool fold) {
  const ov_record *rec = &row->rec;
  ov_buf *b = &t->plain;
  ov_buf_reset(b);
  bool natural = fold && row->has_natural_key;
  ov_mpw_uint(b, (rec->has_participant ? F_PARTICIPANT : 0u) | (fold && row->indexed ? F_INDEXED : 0u) |
                     (natural ? F_NATURAL : 0u) | (fold ? F_FOLD : 0u));
  ov_mpw_uint(b, rec->kind);
  ov_mpw_uint(b, rec->version);
  ov_mpw_uint(b, rec->scope);
  if (rec->has_participant) ov_mpw_name(b, &rec->participant);
  ov_mpw_int(b, row->changed);
  ov_mpw_int(b, fold ? row->day : 0);
  ov_mpw_uint(b, fold ? row->index_kind : 0);
  if (natural) ov_mpw_bin(b, row->natural_key, OV_HASH_BYTES);
  ov_mpw_array(b, row->n_places);
  for (uint32_t i = 0; i < row->n_places; i++) {
    ov_mpw_uint(b, row->places[i].scope);
    ov_mpw_uint(b, row->places[i].pos);
  }
}

static void decode_places(ov_mpr *r, sv_record_row *out) {
  uint32_t n = ov_mpr_array(r);
  if (n > OV_SCOPES_MAX) {
    ov_mpr_fail(r, OV_E_FORMAT);
    return;
  }
  out->n_places = n;
  for (uint32_t i = 0; i < n; i++) {
    out->places[i].scope = (uint32_t)ov_mpr_uint(r, UINT32_MAX);
    out->places[i].pos = ov_mpr_uint(r, INT64_MAX);
  }
}

/* What t->plain holds. *fold: is there a second part? */
static int decode_first(sv_txn *t, const ov_name *name, sv_record_row *out, bool *fold) {
  ov_mpr r = sv_row_reader(t);
  ov_record *rec = &out->rec;
  memset(out, 0, sizeof *out);
  rec->name = *name;
  unsigned flags = (unsigned)ov_mpr_uint(&r, F_ALL);
  rec->kind = (uint16_t)ov_mpr_uint(&r, UINT16_MAX);
  rec->version = (uint16_t)ov_mpr_uint(&r, UINT16_MAX);
  rec->scope = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  rec->has_participant = flags & F_PARTICIPANT;
  if (rec->has_participant) ov_mpr_name(&r, &rec->participant);
  out->changed = ov_mpr_int(&r);
  out->day = ov_mpr_int(&r);
  out->index_kind = (uint16_t)ov_mpr_uint(&r, UINT16_MAX);
  out->indexed = flags & F_INDEXED;
  out->has_natural_key = flags & F_NATURAL;
  if (out->has_natural_key) ov_mpr_bytes(&r, out->natural_key, OV_HASH_BYTES);
  decode_places(&r, out);
  *fold = flags & F_FOLD;
  return sv_row_done(t, &r);
}

/* The first part alone: placement and indexes, without the participant's key. OV_E_NOTFOUND does not stick.
 */
static int get_first(sv_txn *t, const ov_name *record, sv_record_row *out, bool *fold, MDB_val *rest) {
  MDB_val v;
  sv_key k = sv_key_name(record);
  int err = sv_tab_get(t, SV_T_RECORDS, &k, &v);
  if (err) return err;
  err = sv_row2_open(t, &k, SV_PART_RECORD_META, &v, rest);
  if (err) return err;
  return decode_first(t, record, out, fold);
}

/* -- indexes --------------------------------------------------------------------------------------------- */

static sv_key participant_key(const index_state *s, const ov_name *record) {
  return sv_key_participant(&s->participant, s->kind, s->day, record);
}

/* Puts `now`, takes out `old` where it differs; either may be NULL. */
static void move_entry(sv_txn *t, sv_table tab, const sv_key *old, const sv_key *now) {
  if (old && now && old->n == now->n && !memcmp(old->b, now->b, old->n)) return;
  if (old && sv_tab_del(t, tab, old) == OV_E_NOTFOUND) sv_txn_stick(t, OV_E_CORRUPT);
  if (now) sv_mark_put(t, tab, now);
}

static void move_indexes(sv_txn *t, const ov_name *record, const index_state *old, const index_state *now) {
  sv_key a, b;
  a = participant_key(old, record);
  b = participant_key(now, record);
  move_entry(t, SV_T_PARTICIPANT, old->has_participant ? &a : NULL, now->has_participant ? &b : NULL);
  a = sv_key_kind_day(old->kind, old->day, record);
  b = sv_key_kind_day(now->kind, now->day, record);
  move_entry(t, SV_T_KIND_DAY, old->indexed ? &a : NULL, now->indexed ? &b : NULL);
  a = sv_key_natural(old->kind, old->natural_key, record);
  b = sv_key_natural(now->kind, now->natural_key, record);
  move_entry(t, SV_T_NATURAL, old->has_natural_key ? &a : NULL, now->has_natural_key ? &b : NULL);
}

bool sv_record_marks_there(sv_txn *t, const ov_name *record, uint64_t counts[SV_T_COUNT]) {
  sv_record_row row;
  MDB_val rest;
  bool fold;
  if (get_first(t, record, &row, &fold, &rest)) return false;
  index_state s = state_of(&row, fold);
  sv_key p = participant_key(&s, record), d = sv_key_kind_day(s.kind, s.day, record),
         n = sv_key_natural(s.kind, s.natural_key, record);
  counts[SV_T_PARTICIPANT] += s.has_participant;
  counts[SV_T_KIND_DAY] += s.indexed;
  counts[SV_T_NATURAL] += s.has_natural_key;
  return (!s.has_participant || sv_tab_has(t, SV_T_PARTICIPANT, &p)) &&
         (!s.indexed || sv_tab_has(t, SV_T_KIND_DAY, &d)) &&
         (!s.has_natural_key || sv_tab_has(t, SV_T_NATURAL, &n));
}

/* -- rows ------------------------------------------------------------------------------------------------ */

static sv_owner owner_of(const ov_record *rec) {
  return sv_owner_of(rec->kind, &rec->name, rec->has_participant, &rec->participant);
}

int sv_record_put(sv_txn *t, const sv_record_row *row) {
  uint8_t key[OV_KEY_BYTES];
  sv_record_row before;
  bool erased, had_fold;
  MDB_val rest;
  if (t->err) return t->err;
  if (row->n_places > OV_SCOPES_MAX) return sv_txn_stick(t, OV_E_INVALID);
  sv_owner owner = owner_of(&row->rec);
  if (sv_owner_key(t, &owner, true, key, &erased)) return t->err;
  index_state old = {.has_participant = false}, now = state_of(row, !erased);
  int err = get_first(t, &row->rec.name, &before, &had_fold, &rest);
  if (err && err != OV_E_NOTFOUND) return err;
  if (!err) old = state_of(&before, had_fold);
  move_indexes(t, &row->rec.name, &old, &now);
  encode_first(t, row, !erased);
  ov_buf_reset(&t->part);
  if (!erased) ov_record_encode(&row->rec, &t->part);
  sv_key k = sv_key_name(&row->rec.name);
  return sv_row2_put(t, SV_T_RECORDS, &k, SV_PART_RECORD_META, SV_PART_RECORD_FOLD, erased ? NULL : key);
}

static int decode_fold(sv_txn *t, const MDB_val *sealed, ov_arena *a, sv_record_row *out) {
  uint8_t key[OV_KEY_BYTES];
  ov_name name = out->rec.name;
  sv_owner owner = owner_of(&out->rec);
  if (sv_owner_key(t, &owner, false, key, &out->erased) || out->erased) return t->err;
  sv_key k = sv_key_name(&name);
  ov_buf_reset(&t->part);
  if (sv_part_open(t, SV_PART_RECORD_FOLD, &k, key, sealed->mv_data, sealed->mv_size, &t->part))
    return t->err;
  const uint8_t *bytes = ov_arena_dup(a, t->part.p, t->part.n);
  if (!bytes) return sv_txn_stick(t, OV_E_NOMEM);
  int err = ov_record_decode(bytes, t->part.n, a, &out->rec);
  if (err) return sv_txn_stick(t, err == OV_E_NOMEM ? err : OV_E_CORRUPT);
  return ov_name_equal(&out->rec.name, &name) ? 0 : sv_txn_stick(t, OV_E_CORRUPT);
}

int sv_record_get(sv_txn *t, const ov_name *record, ov_arena *a, sv_record_row *out) {
  MDB_val rest;
  bool fold;
  int err = get_first(t, record, out, &fold, &rest);
  if (err) {
    memset(out, 0, sizeof *out);
    return err;
  }
  if (fold != (rest.mv_size > 0)) return sv_txn_stick(t, OV_E_CORRUPT);
  out->erased = !fold;
  return fold ? decode_fold(t, &rest, a, out) : 0;
}

int sv_record_next(sv_txn *t, const ov_name *after, ov_name *out) {
  sv_key k = {.n = 0};
  if (after) k = sv_key_after(sv_key_name(after));
  return sv_scan_first_name(t, SV_T_RECORDS, &k, 0, 0, out);
}

int sv_record_op_add(sv_txn *t, const ov_name *record, const ov_name *op) {
  sv_key k = sv_key_two(record, op);
  return sv_mark_put(t, SV_T_RECORD_OPS, &k);
}

int sv_record_ops(sv_txn *t, const ov_name *record, ov_arena *a, ov_name **ops, uint32_t *n) {
  sv_key k = sv_key_name(record);
  return sv_scan_names_arena(t, SV_T_RECORD_OPS, &k, OV_NAME_BYTES, OV_NAME_BYTES, a, ops, UINT32_MAX, n);
}

/* -- reads by index -------------------------------------------------------------------------------------- */

/* The key to start from: behind `after`, or at the first of that kind (0: of all kinds). */
static int start_key(sv_txn *t, const ov_name *participant, uint16_t kind, const ov_name *after, sv_key *k) {
  *k = sv_key_name(participant);
  if (kind) *k = sv_key_participant_kind(participant, kind);
  if (!after) return 0;
  sv_record_row row;
  MDB_val rest;
  bool fold;
  int err = get_first(t, after, &row, &fold, &rest);
  if (err) return err;
  index_state s = state_of(&row, fold);
  s.participant = *participant;
  *k = sv_key_after(participant_key(&s, after));
  return 0;
}

int sv_by_participant(sv_txn *t, const ov_name *participant, const ov_name *after, ov_name *out, uint32_t max,
                      uint32_t *n) {
  sv_key k;
  *n = 0;
  int err = start_key(t, participant, 0, after, &k);
  return err ? err
             : sv_scan_names(t, SV_T_PARTICIPANT, &k, OV_NAME_BYTES, OV_NAME_BYTES + 2 + 4, out, max, n);
}

int sv_by_participant_kind(sv_txn *t, const ov_name *participant, uint16_t kind, const ov_name *after,
                           ov_name *out, uint32_t max, uint32_t *n) {
  sv_key k;
  *n = 0;
  int err = start_key(t, participant, kind, after, &k);
  return err ? err
             : sv_scan_names(t, SV_T_PARTICIPANT, &k, OV_NAME_BYTES + 2, OV_NAME_BYTES + 2 + 4, out, max, n);
}

int sv_by_kind_day(sv_txn *t, uint16_t kind, int64_t from, int64_t to, ov_arena *a, ov_name **out,
                   uint32_t max, uint32_t *n) {
  sv_scan s;
  sv_key k = sv_key_kind_day(kind, from, NULL);
  uint32_t count = 0, cap = 0;
  ov_name *names = NULL;
  *out = NULL;
  *n = 0;
  int64_t last = sv_key_day(to);
  sv_scan_open(&s, t, SV_T_KIND_DAY, &k, 2);
  while (count < max && sv_scan_next(&s) && sv_key_read_day(&s.key, 2) <= last) {
    if (count == cap) names = sv_names_room(a, names, count, &cap);
    if (!names) {
      sv_txn_stick(t, OV_E_NOMEM);
      break;
    }
    sv_key_read_name(&s.key, 2 + 4, &names[count++]);
  }
  sv_scan_close(&s);
  if (t->err) return t->err;
  *out = names;
  *n = count;
  return 0;
}

int sv_by_natural_key(sv_txn *t, uint16_t kind, const uint8_t hash[OV_HASH_BYTES], ov_name *out, uint32_t max,
                      uint32_t *n) {
  sv_key k = sv_key_natural(kind, hash, NULL);
  return sv_scan_names(t, SV_T_NATURAL, &k, 2 + OV_HASH_BYTES, 2 + OV_HASH_BYTES, out, max, n);
}

static const uint8_t label_natural[] = "overdracht natural 1", label_state[] = "overdracht state 1";

/* HMAC(key, label || 0 || p). */
static int keyed(sv_txn *t, const uint8_t key[OV_KEY_BYTES], const uint8_t *label, size_t label_n,
                 const uint8_t *p, size_t n, ov_hash *out) {
  ov_buf_reset(&t->row);
  ov_buf_put(&t->row, label, label_n);
  ov_buf_put(&t->row, p, n);
  int err = t->row.err;
  if (!err) err = ov_hmac(t->h, key, OV_KEY_BYTES, t->row.p, t->row.n, out);
  OPENSSL_cleanse(t->row.p, t->row.n); /* it stood there in the clear */
  return sv_txn_stick(t, err);
}

int sv_natural_hash(sv_txn *t, const ov_record *rec, const uint8_t *p, size_t n, uint8_t out[OV_HASH_BYTES]) {
  ov_hash h = {{0}};
  uint8_t key[OV_KEY_BYTES];
  bool erased;
  sv_owner owner = owner_of(rec);
  if (sv_owner_key(t, &owner, t->write, key, &erased)) return t->err;
  if (!owner.has_participant) memcpy(key, t->e->index_key, OV_KEY_BYTES);
  if (!erased) keyed(t, key, label_natural, sizeof label_natural, p, n, &h);
  memcpy(out, h.b, OV_HASH_BYTES);
  return t->err;
}

int sv_state_hash(sv_txn *t, const ov_record *rec, const uint8_t *p, size_t n, ov_hash *out) {
  uint8_t key[OV_KEY_BYTES];
  bool erased;
  sv_owner owner = owner_of(rec);
  memset(out, 0, sizeof *out);
  if (!owner.has_participant) return sv_txn_stick(t, ov_sha256(t->h, p, n, out));
  if (sv_owner_key(t, &owner, t->write, key, &erased) || erased) return t->err;
  return keyed(t, key, label_state, sizeof label_state, p, n, out);
}
