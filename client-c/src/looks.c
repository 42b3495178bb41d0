/* Who looked at whom on this device: an audit that knows only what a tablet was sent does not know who read
 * it there. Noted as person, client, first, last and how often; each sync puts what was noted into the log as
 * entries of kind `look`, one a person and client. A look costs a small commit and no network.
 *
 * META row "l:" | person (zeros: not known) | participant -> [first, last, times, scope];
 * row "looks" -> [writer, seq]: the last that was handed over. Until that is acknowledged more is only added
 * up, so that a tablet without a network makes one entry a person and client, not one a try. PROTO-163 */
#include <string.h>

#include "query.h"

#define LOOK_KEY_BYTES (2 + 2 * OV_NAME_BYTES)
#define LOOK_FIRST 2
#define LOOK_LAST 3
#define LOOK_TIMES 4
#define TIMES_MAX 1000000
/* A team's clients times those who work a shift; the rest goes with the next sync. */
#define HANDED_OVER_MAX 256
#define LOOKS_BYTES_MAX (4u << 20)
static const char last_key[] = "looks";

typedef struct look_row {
  int64_t first, last, times;
  uint32_t scope; /* of the team through which the client was seen */
} look_row;

static void look_key(const oc_store *s, const ov_name *participant, uint8_t key[LOOK_KEY_BYTES]) {
  memset(key, 0, LOOK_KEY_BYTES);
  key[0] = 'l';
  key[1] = ':';
  if (s->has_looker) ov_name_write(&s->looker, key + 2);
  ov_name_write(participant, key + 2 + OV_NAME_BYTES);
}

static int row_read(const uint8_t *p, size_t n, look_row *out) {
  ov_mpr r;
  ov_mpr_init(&r, p, n);
  ov_mpr_array_of(&r, 4);
  out->first = ov_mpr_int(&r);
  out->last = ov_mpr_int(&r);
  out->times = ov_mpr_int(&r);
  out->scope = (uint32_t)ov_mpr_uint(&r, UINT32_MAX);
  return ov_mpr_done(&r) ? OV_E_CORRUPT : 0;
}

static int row_put(oc_txn *t, const uint8_t key[LOOK_KEY_BYTES], const look_row *row) {
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_mpw_array(&b, 4);
  ov_mpw_int(&b, row->first);
  ov_mpw_int(&b, row->last);
  ov_mpw_int(&b, row->times);
  ov_mpw_uint(&b, row->scope);
  int err = b.err ? b.err : oc_put(t, OC_T_META, key, LOOK_KEY_BYTES, b.p, b.n);
  ov_buf_free(&b);
  return err;
}

/* -- noting -------------------------------------------------------------------------------------------- */

int oc_look_as(oc_store *s, const char *person, oc_error *e) {
  if (e) *e = (oc_error){0};
  s->looks_kept = true;
  s->has_looker = false;
  if (!person) return 0;
  oc_txn *t = NULL;
  int err = oc_fail(e, oc_txn_begin(s->db, false, &t));
  if (!err) err = oc_find_named(s, t, OV_KIND_PERSON, person, &s->looker, e);
  oc_txn_abort(t);
  s->has_looker = !err;
  return err;
}

/* The client's team. One whose record is not here (not yet, or not any more) was seen through the entry's. */
static int scope_of(oc_txn *t, const oc_record *r, ov_arena *a, uint32_t *scope) {
  oc_server_part part;
  int err = oc_part_get(t, &r->participant_name, a, &part);
  *scope = !err && part.n_scopes ? part.scopes[0] : r->scope;
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int note_one(oc_store *s, oc_txn *t, const oc_record *r, ov_arena *a) {
  uint8_t key[LOOK_KEY_BYTES];
  const uint8_t *value = NULL;
  size_t n = 0;
  look_row row = {.first = oc_seconds(oc_now_ms(s))};
  look_key(s, &r->participant_name, key);
  int err = oc_get(t, OC_T_META, key, sizeof key, a, &value, &n);
  if (!err) err = row_read(value, n, &row);
  if (err && err != OV_E_NOTFOUND) return err;
  if (!row.scope && (err = scope_of(t, r, a, &row.scope))) return err;
  row.last = oc_seconds(oc_now_ms(s));
  if (row.times < TIMES_MAX) row.times++;
  return row_put(t, key, &row);
}

/* The i-th record's client, unless an earlier record has named the same. */
static bool is_first(const oc_query *q, size_t i) {
  const oc_record *r = q->v[i];
  if (!r->has_participant) return false;
  for (size_t k = i; k-- > 0;) {
    if (q->v[k]->has_participant && ov_name_equal(&q->v[k]->participant_name, &r->participant_name))
      return false;
  }
  return true;
}

int oc_looks_note(oc_store *s, const oc_query *q) {
  oc_txn *t = NULL;
  ov_arena a;
  size_t any = 0;
  while (any < q->n && !q->v[any]->has_participant) any++;
  if (!s->looks_kept || any == q->n) return 0;
  ov_arena_init(&a, LOOKS_BYTES_MAX);
  int err = oc_txn_begin(s->db, true, &t);
  for (size_t i = any; i < q->n && !err; i++) {
    if (is_first(q, i)) err = note_one(s, t, q->v[i], &a);
  }
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  ov_arena_free(&a);
  return err == OV_E_FULL ? 0 : err; /* a full disk keeps nobody from looking */
}

/* -- handing over ---------------------------------------------------------------------------------------- */

static int is_under_way(oc_txn *t, ov_arena *a, bool *yes) {
  const uint8_t *value = NULL;
  size_t n = 0;
  oc_writer_row w;
  ov_mpr r;
  ov_id writer;
  *yes = false;
  int err = oc_get(t, OC_T_META, last_key, sizeof last_key - 1, a, &value, &n);
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  ov_mpr_init(&r, value, n);
  ov_mpr_array_of(&r, 2);
  ov_mpr_bytes(&r, writer.b, OV_ID_BYTES);
  uint64_t seq = ov_mpr_uint(&r, OV_SEQ_MAX);
  if (ov_mpr_done(&r)) return OV_E_CORRUPT;
  err = oc_writer_get(t, &writer, &w);
  *yes = !err && w.acked < seq;
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int remember(oc_txn *t, const oc_store *s) {
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_mpw_array(&b, 2);
  ov_mpw_bin(&b, s->self.writer.b, OV_ID_BYTES);
  ov_mpw_uint(&b, s->self.last.seq);
  int err = b.err ? b.err : oc_put(t, OC_T_META, last_key, sizeof last_key - 1, b.p, b.n);
  ov_buf_free(&b);
  return err;
}

/* Of an erased client the key is gone, and nothing can be said of them any more. PROTO-163 */
static int write_op(oc_store *s, oc_txn *t, const uint8_t *key, const look_row *row, ov_arena *a) {
  ov_field f[] = {
      {LOOK_FIRST, ov_int(row->first)}, {LOOK_LAST, ov_int(row->last)}, {LOOK_TIMES, ov_int(row->times)}};
  ov_op op = {.scope = row->scope,
              .creates = true,
              .kind = OV_KIND_LOOK,
              .version = 1,
              .has_participant = true,
              .device_time = oc_seconds(oc_now_ms(s)),
              .fields = f,
              .n_fields = 3};
  ov_name_read(key + 2, &op.author);
  ov_name_read(key + 2 + OV_NAME_BYTES, &op.participant);
  op.has_author = !ov_name_is_zero(&op.author);
  int err = oc_purged(t, &op.participant) ? 0 : oc_log_append(s, t, &op, a);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int write_all(oc_store *s, oc_txn *t, ov_arena *a) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t key_n = 0, n = 0;
  const uint8_t *value = NULL;
  int err = 0;
  for (unsigned i = 0; i < HANDED_OVER_MAX && !err; i++) {
    look_row row;
    ov_arena_reset(a);
    err = oc_next(t, OC_T_META, "l:", 2, key, key_n, key_n > 0, key, &key_n, a, &value, &n);
    if (!err) err = row_read(value, n, &row);
    if (!err) err = write_op(s, t, key, &row, a);
    if (!err) err = oc_del(t, OC_T_META, key, key_n);
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* Asked before every sync: without a look it reads one key. */
static int is_due(oc_store *s, ov_arena *a, bool *due) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t key_n = 0;
  oc_txn *t = NULL;
  bool waits = false;
  *due = false;
  int err = oc_txn_begin(s->db, false, &t);
  if (!err) err = oc_next(t, OC_T_META, "l:", 2, NULL, 0, false, key, &key_n, NULL, NULL, NULL);
  if (!err) err = is_under_way(t, a, &waits);
  *due = !err && !waits;
  oc_txn_abort(t);
  return err == OV_E_NOTFOUND ? 0 : err;
}

int oc_looks_hand_over(oc_store *s) {
  oc_txn *t = NULL;
  ov_arena a;
  bool due = false;
  if (!s->self.enrolled || s->self.revoked || s->self.purged_ms) return 0;
  ov_arena_init(&a, LOOKS_BYTES_MAX);
  oc_self before = s->self;
  int err = is_due(s, &a, &due);
  if (!err && due) err = oc_txn_begin(s->db, true, &t);
  if (!err && due) {
    err = write_all(s, t, &a);
    if (!err) err = remember(t, s);
    if (err) oc_txn_abort(t);
    else err = oc_txn_commit(t);
    if (err) s->self = before;
  }
  ov_arena_free(&a);
  return err == OV_E_FULL ? 0 : err; /* what is noted stays, and a sync may make room */
}

int oc_looks_count(oc_txn *t, uint64_t *n) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t key_n = 0;
  int err = 0;
  while (!err) {
    err = oc_next(t, OC_T_META, "l:", 2, key, key_n, key_n > 0, key, &key_n, NULL, NULL, NULL);
    if (!err) (*n)++;
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}
