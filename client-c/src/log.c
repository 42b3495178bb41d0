/* The device's own log. Every op gets its place in the hash chain when it is written, so that nothing about
 * it can change later; what changes is only what we know of it: acknowledged, held, safe. */
#include <openssl/crypto.h>
#include <string.h>

#include "oc_internal.h"

static void log_key(const ov_id *writer, uint64_t seq, uint8_t key[24]) {
  memcpy(key, writer->b, OV_ID_BYTES);
  for (int i = 0; i < 8; i++) key[16 + i] = (uint8_t)(seq >> (56 - 8 * i));
}

/* -- rows ------------------------------------------------------------------------------------------------ */

/* What a server has of a client is closed like all that came from there; what it has not must be sent by a
 * closed store too. A device that has ended is acknowledged without its share, and wiped after that. */
static bool lies_apart(const oc_txn *t, const oc_log_row *row) {
  return row->kept && row->state == OC_OP_ACKED && row->op.has_participant &&
         row->op.kind != OV_KIND_PARTICIPANT && (row->closed || !oc_txn_locked(t));
}

static int put_apart(oc_txn *t, const uint8_t key[24], const oc_log_row *row, ov_buf *part) {
  if (!lies_apart(t, row)) return row->closed && row->kept ? OV_E_DENIED : oc_del(t, OC_T_SENT, key, 24);
  if (row->closed) return 0; /* it is there */
  ov_buf_reset(part);
  ov_op_payload_encode(&row->op, part);
  return part->err ? part->err : oc_put_closed(t, OC_T_SENT, key, 24, part->p, part->n);
}

#define LOG_ABSORBED 1u
#define LOG_AS_VOID 2u
#define LOG_DISMISSED 4u
#define LOG_APART 8u

static unsigned log_flags(const oc_txn *t, const oc_log_row *row) {
  return (row->absorbed ? LOG_ABSORBED : 0u) | (row->as_void ? LOG_AS_VOID : 0u) |
         (row->dismissed ? LOG_DISMISSED : 0u) | (lies_apart(t, row) ? LOG_APART : 0u);
}

int oc_log_put(oc_txn *t, const oc_log_row *row) {
  ov_buf b, part;
  uint8_t key[24];
  ov_buf_init(&b, 0);
  ov_buf_init(&part, 0);
  ov_mpw_array(&b, 12);
  ov_op_header_encode(&row->op, &part);
  ov_mpw_bin(&b, part.p, part.n);
  int err = part.err; /* a reset forgets it, and a row without its header would be a damaged log */
  ov_buf_reset(&part);
  if (row->kept && !lies_apart(t, row)) {
    ov_op_payload_encode(&row->op, &part);
    ov_mpw_bin(&b, part.p, part.n);
  } else {
    ov_mpw_nil(&b);
  }
  ov_mpw_bin(&b, row->op.header_hash.b, OV_HASH_BYTES);
  ov_mpw_bin(&b, row->op.commitment.b, OV_HASH_BYTES);
  ov_mpw_bin(&b, row->head.b, OV_HASH_BYTES);
  ov_mpw_uint(&b, (uint64_t)row->state);
  ov_mpw_uint(&b, log_flags(t, row));
  ov_mpw_int(&b, row->refused_err);
  ov_mpw_uint(&b, row->held);
  ov_mpw_int(&b, row->server_time_ms);
  ov_mpw_int(&b, row->offset_ms);
  ov_mpw_nil(&b);
  log_key(&row->op.name.writer, row->op.name.seq, key);
  if (!err) err = b.err ? b.err : part.err;
  if (!err) err = oc_put(t, OC_T_LOG, key, sizeof key, b.p, b.n);
  if (!err) err = put_apart(t, key, row, &part);
  ov_buf_free(&part);
  ov_buf_free(&b);
  if (err) oc_txn_fail(t, err);
  return err;
}

/* A payload that is none (another version of the app chained it) is ours all the same: the server refuses it
 * by name and it ends as a void. */
static int decode_payload(const uint8_t *p, size_t n, ov_arena *a, oc_log_row *out) {
  return ov_op_payload_decode(p, n, a, &out->op) == OV_E_NOMEM ? OV_E_NOMEM : 0;
}

static int decode_row(const uint8_t *p, size_t n, ov_arena *a, oc_log_row *out, bool *apart) {
  ov_mpr r;
  uint32_t hn = 0, pn = 0;
  ov_mpr_init(&r, p, n);
  ov_mpr_array_of(&r, 12);
  const uint8_t *header = ov_mpr_bin(&r, &hn), *payload = NULL;
  if (!ov_mpr_nil(&r)) payload = ov_mpr_bin(&r, &pn);
  ov_mpr_bytes(&r, out->op.header_hash.b, OV_HASH_BYTES);
  ov_mpr_bytes(&r, out->op.commitment.b, OV_HASH_BYTES);
  ov_mpr_bytes(&r, out->head.b, OV_HASH_BYTES);
  out->state = (oc_op_state)ov_mpr_uint(&r, OC_OP_ACKED);
  uint64_t flags = ov_mpr_uint(&r, LOG_ABSORBED | LOG_AS_VOID | LOG_DISMISSED | LOG_APART);
  out->absorbed = flags & LOG_ABSORBED;
  out->as_void = flags & LOG_AS_VOID;
  out->dismissed = flags & LOG_DISMISSED;
  *apart = flags & LOG_APART;
  out->refused_err = (int)ov_mpr_int_in(&r, -1000, 0);
  out->held = (uint8_t)ov_mpr_uint(&r, 255);
  out->server_time_ms = ov_mpr_int(&r);
  out->offset_ms = ov_mpr_int(&r);
  ov_mpr_nil(&r);
  int err = ov_mpr_done(&r) ? OV_E_CORRUPT : ov_op_header_decode(header, hn, &out->op);
  out->kept = payload || *apart;
  if (!err && payload) err = decode_payload(payload, pn, a, out);
  return err == OV_E_NOMEM ? OV_E_NOMEM : err ? OV_E_CORRUPT : 0;
}

static int get_apart(oc_txn *t, const uint8_t key[24], ov_arena *a, oc_log_row *out) {
  const uint8_t *p = NULL;
  size_t n = 0;
  out->closed = oc_txn_locked(t);
  if (out->closed) return 0;
  int err = oc_get(t, OC_T_SENT, key, 24, a, &p, &n);
  if (err) return err == OV_E_NOTFOUND ? OV_E_CORRUPT : err;
  return decode_payload(p, n, a, out);
}

int oc_log_get(oc_txn *t, const ov_id *writer, uint64_t seq, ov_arena *a, oc_log_row *out) {
  uint8_t key[24];
  const uint8_t *p = NULL;
  size_t n = 0;
  *out = (oc_log_row){0};
  log_key(writer, seq, key);
  int err = oc_get(t, OC_T_LOG, key, sizeof key, a, &p, &n);
  bool apart = false;
  if (!err) err = decode_row(p, n, a, out, &apart);
  if (!err && apart) err = get_apart(t, key, a, out);
  if (err) {
    if (err != OV_E_NOTFOUND) oc_txn_fail(t, err);
    return err;
  }
  out->op.name.writer = *writer;
  out->op.name.seq = seq;
  memcpy(out->op.name.tag, out->head.b, OV_TAG_BYTES);
  if (out->op.creates) out->op.record = out->op.name;
  return 0;
}

/* -- writers --------------------------------------------------------------------------------------------- */

static void writer_key(const ov_id *w, uint8_t key[18]) {
  key[0] = 'w';
  key[1] = ':';
  memcpy(key + 2, w->b, OV_ID_BYTES);
}

int oc_writer_put(oc_txn *t, const oc_writer_row *row) {
  uint8_t key[18];
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_mpw_array(&b, 4);
  ov_mpw_uint(&b, row->last);
  ov_mpw_uint(&b, row->acked);
  ov_mpw_uint(&b, row->safe);
  ov_mpw_int(&b, row->asked_ms);
  writer_key(&row->writer, key);
  int err = b.err ? b.err : oc_put(t, OC_T_META, key, sizeof key, b.p, b.n);
  ov_buf_free(&b);
  return err;
}

static int decode_writer(const uint8_t *key, const uint8_t *p, size_t n, oc_writer_row *out) {
  ov_mpr r;
  memcpy(out->writer.b, key + 2, OV_ID_BYTES);
  ov_mpr_init(&r, p, n);
  ov_mpr_array_of(&r, 4);
  out->last = ov_mpr_uint(&r, OV_SEQ_MAX);
  out->acked = ov_mpr_uint(&r, OV_SEQ_MAX);
  out->safe = ov_mpr_uint(&r, OV_SEQ_MAX);
  out->asked_ms = ov_mpr_int(&r);
  return ov_mpr_done(&r) ? OV_E_CORRUPT : 0;
}

static int writer_at(oc_txn *t, const uint8_t *from, size_t from_n, bool after, oc_writer_row *out) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t key_n = 0, n = 0;
  const uint8_t *p = NULL;
  ov_arena a;
  ov_arena_init(&a, 4096);
  int err = oc_next(t, OC_T_META, "w:", 2, from, from_n, after, key, &key_n, &a, &p, &n);
  if (!err) err = decode_writer(key, p, n, out);
  ov_arena_free(&a);
  return err;
}

int oc_writer_get(oc_txn *t, const ov_id *writer, oc_writer_row *out) {
  uint8_t key[18];
  writer_key(writer, key);
  int err = oc_get(t, OC_T_META, key, sizeof key, NULL, NULL, NULL);
  return err ? err : writer_at(t, key, sizeof key, false, out);
}

int oc_writer_next(oc_txn *t, const ov_id *after, oc_writer_row *out) {
  uint8_t key[18];
  if (!after) return writer_at(t, NULL, 0, false, out);
  writer_key(after, key);
  return writer_at(t, key, sizeof key, true, out);
}

int oc_log_head(oc_store *s, oc_txn *t, const ov_id *writer, uint64_t seq, ov_hash *head) {
  if (seq == 0) return ov_chain_start(s->hasher, &s->self.organisation, writer, head);
  ov_arena a;
  oc_log_row row;
  ov_arena_init(&a, 1u << 20);
  int err = oc_log_get(t, writer, seq, &a, &row);
  if (!err) *head = row.head;
  ov_arena_free(&a);
  return err;
}

/* -- commit keys ----------------------------------------------------------------------------------------- */

/* The key carried by a participant's, a team's or the organisation's record. */
static int key_in_record(oc_store *s, oc_txn *t, const ov_name *record, ov_arena *a,
                         uint8_t key[OV_KEY_BYTES]) {
  oc_view v;
  int err = oc_view_get(s, t, record, a, &v);
  if (err) return err;
  const ov_skind *k = ov_schemas_kind(s->schemas, v.rec.kind);
  const ov_sfield *f = k ? ov_skind_by_name(k, "commit_key") : NULL;
  const ov_live *l = f ? ov_record_field(&v.rec, f->id, NULL) : NULL;
  if (!l || l->v.type != OV_V_BYTES || l->v.s.n != OV_KEY_BYTES) return OV_E_NOTFOUND;
  memcpy(key, l->v.s.p, OV_KEY_BYTES);
  return 0;
}

static int key_of_scope(oc_store *s, oc_txn *t, uint32_t scope, ov_arena *a, uint8_t key[OV_KEY_BYTES]) {
  for (uint32_t i = 0; i < s->self.n_scopes; i++) {
    if (s->self.scopes[i].scope != scope) continue;
    memcpy(key, s->self.scopes[i].key, OV_KEY_BYTES);
    return 0;
  }
  ov_name team;
  int err = oc_team_record(s, t, scope, a, &team);
  return err ? err : key_in_record(s, t, &team, a, key);
}

static void kept_key(const ov_name *participant, uint8_t at[2 + OV_NAME_BYTES]) {
  at[0] = 'k';
  at[1] = ':';
  ov_name_write(participant, at + 2);
}

static int key_kept(oc_txn *t, const ov_name *participant, ov_arena *a, uint8_t key[OV_KEY_BYTES]) {
  uint8_t at[2 + OV_NAME_BYTES];
  const uint8_t *p = NULL;
  size_t n = 0;
  kept_key(participant, at);
  int err = oc_get(t, OC_T_META, at, sizeof at, a, &p, &n);
  if (!err && n != OV_KEY_BYTES) oc_txn_fail(t, err = OV_E_CORRUPT);
  if (!err) memcpy(key, p, OV_KEY_BYTES);
  return err;
}

/* META row "k:" | participant -> commit key. The participant's record may leave this tablet, by a move or an
 * erasure, while an op of ours about them is still to be sent: the server may ask for the key then, and all
 * that is behind that op would wait for ever. PROTO-57 */
static int keep_key(oc_txn *t, const ov_op *op, const uint8_t key[OV_KEY_BYTES]) {
  uint8_t at[2 + OV_NAME_BYTES];
  ov_name participant;
  uint32_t scope = 0;
  if (ov_chain_key_owner(op, &participant, &scope) != OV_KEYOF_PARTICIPANT) return 0;
  kept_key(&participant, at);
  int err = oc_get(t, OC_T_META, at, sizeof at, NULL, NULL, NULL);
  return err == OV_E_NOTFOUND ? oc_put(t, OC_T_META, at, sizeof at, key, OV_KEY_BYTES) : err;
}

int oc_commit_key_drop(oc_txn *t, const ov_name *participant) {
  uint8_t at[2 + OV_NAME_BYTES];
  kept_key(participant, at);
  return oc_del(t, OC_T_META, at, sizeof at);
}

int oc_commit_key(oc_store *s, oc_txn *t, const ov_op *op, ov_arena *a, uint8_t key[OV_KEY_BYTES]) {
  ov_name participant;
  uint32_t scope = 0;
  int err;
  switch (ov_chain_key_owner(op, &participant, &scope)) {
  case OV_KEYOF_ZERO: memset(key, 0, OV_KEY_BYTES); return 0;
  case OV_KEYOF_PARTICIPANT:
    err = key_in_record(s, t, &participant, a, key);
    return err == OV_E_NOTFOUND ? key_kept(t, &participant, a, key) : err;
  case OV_KEYOF_TEAM: return key_of_scope(s, t, scope, a, key);
  default: return key_of_scope(s, t, 1, a, key);
  }
}

/* -- append ---------------------------------------------------------------------------------------------- */

/* PROTO-124 */
int oc_writer_start(oc_store *s, oc_txn *t) {
  oc_self *m = &s->self;
  int err = oc_random(s, m->writer.b, OV_ID_BYTES);
  m->last.seq = 0;
  if (!err) err = ov_chain_start(s->hasher, &m->organisation, &m->writer, &m->last.head);
  m->new_writer = m->new_writer || m->forked;
  m->forked = false;
  oc_writer_row w = {.writer = m->writer};
  return err ? err : oc_writer_put(t, &w);
}

int oc_log_append(oc_store *s, oc_txn *t, ov_op *op, ov_arena *a) {
  oc_self before = s->self;
  uint8_t key[OV_KEY_BYTES];
  ov_buf scratch;
  ov_buf_init(&scratch, 0);
  int err = s->self.forked || ov_id_is_zero(&s->self.writer) ? oc_writer_start(s, t) : 0;
  op->name = (ov_name){.writer = s->self.writer, .seq = s->self.last.seq + 1};
  if (!err) err = oc_commit_key(s, t, op, a, key);
  if (!err) err = keep_key(t, op, key);
  if (!err) err = ov_op_validate(op);
  oc_log_row row = {.state = OC_OP_LOCAL, .kept = true};
  row.head = s->self.last.head;
  if (!err) err = ov_chain_op(s->hasher, op, key, &row.head, &scratch);
  row.op = *op;
  if (!err) err = oc_log_put(t, &row);
  s->self.last = (ov_head){.seq = op->name.seq, .head = row.head};
  oc_writer_row w;
  if (!err) err = oc_writer_get(t, &s->self.writer, &w);
  w.last = op->name.seq;
  if (!err) err = oc_writer_put(t, &w);
  if (!err) err = oc_self_save(s, t);
  uint8_t pending[2 * OV_NAME_BYTES];
  ov_name_write(&op->record, pending);
  ov_name_write(&op->name, pending + OV_NAME_BYTES);
  if (!err) err = oc_put(t, OC_T_PENDING, pending, sizeof pending, NULL, 0);
  if (!err) err = oc_view_index(s, t, &op->record, a);
  if (err) {
    s->self = before;
    oc_txn_fail(t, err);
  }
  OPENSSL_cleanse(key, sizeof key);
  ov_buf_free(&scratch);
  return err;
}

/* -- once more ------------------------------------------------------------------------------------------- */

int oc_log_forget_acks(oc_store *s, oc_txn *t, oc_writer_row *w, uint64_t place) {
  ov_arena a;
  int err = 0;
  ov_arena_init(&a, 1u << 20);
  for (uint64_t seq = place + 1; !err && seq <= w->acked; seq++) {
    oc_log_row row;
    ov_arena_reset(&a);
    err = oc_log_get(t, &w->writer, seq, &a, &row);
    row.state = OC_OP_LOCAL;
    if (!err) err = oc_log_put(t, &row);
    if (!err && row.kept) err = oc_view_index(s, t, &row.op.record, &a);
  }
  ov_arena_free(&a);
  w->acked = place;
  if (w->safe > place) w->safe = place;
  return err;
}

static int offer_again(oc_store *s, oc_txn *t) {
  oc_writer_row w;
  ov_arena a;
  int more = oc_writer_next(t, NULL, &w);
  for (; !more; more = oc_writer_next(t, &w.writer, &w)) {
    int err = oc_log_forget_acks(s, t, &w, 0);
    if (!err) err = oc_writer_put(t, &w);
    if (err) return err;
  }
  if (more != OV_E_NOTFOUND) return more;
  ov_arena_init(&a, 1u << 20);
  int err = oc_repend_unsent(s, t, &a);
  ov_arena_free(&a);
  return err;
}

/* PROTO-54, PROTO-85 */
int oc_offer_again(oc_store *s, oc_error *e) {
  oc_txn *t = NULL;
  if (e) *e = (oc_error){0};
  if (oc_ended(s, e)) return OC_E_REFUSED;
  int err = oc_txn_begin(s->db, true, &t);
  if (!err) err = offer_again(s, t);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  return oc_from_ov(e, err);
}

/* -- trim: what is safe and old enough is kept as hashes only -------------------------------------------- */

#define KEEP_MS (30LL * 86400 * 1000)

/* PROTO-121 */
static int trim_writer(oc_txn *t, const oc_writer_row *w, int64_t now, unsigned *left) {
  uint8_t key[20] = {'t', ':'};
  uint64_t from = 1;
  ov_arena a;
  const uint8_t *p = NULL;
  size_t n = 0;
  memcpy(key + 2, w->writer.b, OV_ID_BYTES);
  ov_arena_init(&a, 1u << 20);
  if (!oc_get(t, OC_T_META, key, 18, &a, &p, &n) && n == 8) memcpy(&from, p, 8);
  int err = 0;
  uint64_t seq = from;
  for (; !err && *left && seq <= w->safe && seq <= w->acked; seq++, (*left)--) {
    oc_log_row row;
    ov_arena_reset(&a);
    err = oc_log_get(t, &w->writer, seq, &a, &row);
    if (err || row.server_time_ms + KEEP_MS > now) break;
    if (!row.kept || !row.absorbed || row.as_void) continue; /* refused ops stay for export */
    row.kept = false;
    err = oc_log_put(t, &row);
  }
  if (!err && seq != from) err = oc_put(t, OC_T_META, key, 18, &seq, sizeof seq);
  ov_arena_free(&a);
  return err;
}

int oc_log_trim(oc_store *s, oc_txn *t, int64_t server_now_ms, unsigned max) {
  (void)s;
  oc_writer_row w;
  int err = oc_writer_next(t, NULL, &w);
  while (!err && max) {
    err = trim_writer(t, &w, server_now_ms, &max);
    if (!err) err = oc_writer_next(t, &w.writer, &w);
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}
