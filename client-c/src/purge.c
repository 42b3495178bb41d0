/* A participant was erased: what this device holds about them goes. In one transaction with the tombstone:
 * the payloads of own ops (header hash and commitment stay, so that the log still chains; what was not sent
 * yet travels as a void), the server part, the commit key, what an import remembers. Afterwards the whole
 * store is written anew under a new key (db_rekey.c), and only then the device says that it has purged.
 *
 * META row "x:" | participant -> [tombstone, own ops, records, receipt due]. */
#include <string.h>

#include "oc_internal.h"

#define PURGE_KEY_BYTES (2 + OV_NAME_BYTES)

typedef struct purge_row {
  ov_name tombstone;
  uint64_t entries, records;
  bool due; /* the store is to be written anew and the receipt to be sent */
} purge_row;

static void purge_key(const ov_name *participant, uint8_t key[PURGE_KEY_BYTES]) {
  key[0] = 'x';
  key[1] = ':';
  ov_name_write(participant, key + 2);
}

static int row_put(oc_txn *t, const ov_name *participant, const purge_row *p) {
  uint8_t key[PURGE_KEY_BYTES];
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_mpw_array(&b, 4);
  ov_mpw_name(&b, &p->tombstone);
  ov_mpw_uint(&b, p->entries);
  ov_mpw_uint(&b, p->records);
  ov_mpw_bool(&b, p->due);
  purge_key(participant, key);
  int err = b.err ? b.err : oc_put(t, OC_T_META, key, sizeof key, b.p, b.n);
  ov_buf_free(&b);
  return err;
}

static int row_read(const uint8_t *p, size_t n, purge_row *out) {
  ov_mpr r;
  ov_mpr_init(&r, p, n);
  ov_mpr_array_of(&r, 4);
  ov_mpr_name(&r, &out->tombstone);
  out->entries = ov_mpr_uint(&r, OV_SEQ_MAX);
  out->records = ov_mpr_uint(&r, OV_SEQ_MAX);
  out->due = ov_mpr_bool(&r);
  return ov_mpr_done(&r) ? OV_E_CORRUPT : 0;
}

bool oc_purged(oc_txn *t, const ov_name *participant) {
  uint8_t key[PURGE_KEY_BYTES];
  purge_key(participant, key);
  return !oc_get(t, OC_T_META, key, sizeof key, NULL, NULL, NULL);
}

/* -- what goes --------------------------------------------------------------------------- */

static bool is_about(const ov_name *participant, uint16_t kind, const ov_name *record, bool has,
                     const ov_name *about) {
  if (kind == OV_KIND_PARTICIPANT && ov_name_equal(record, participant)) return true;
  return has && ov_name_equal(about, participant);
}

static int purge_op(oc_store *s, oc_txn *t, oc_log_row *row, ov_arena *a) {
  uint8_t pending[2 * OV_NAME_BYTES];
  ov_name_write(&row->op.record, pending);
  ov_name_write(&row->op.name, pending + OV_NAME_BYTES);
  row->kept = false;
  row->absorbed = true;
  row->as_void = false; /* nothing is left to be exported */
  row->held = 0;
  int err = oc_log_put(t, row);
  if (!err) err = oc_del(t, OC_T_PENDING, pending, sizeof pending);
  return err ? err : oc_view_index(s, t, &row->op.record, a);
}

static int purge_log(oc_store *s, oc_txn *t, const ov_name *participant, purge_row *p, ov_arena *a) {
  oc_writer_row w;
  int more = oc_writer_next(t, NULL, &w);
  for (; !more; more = oc_writer_next(t, &w.writer, &w)) {
    for (uint64_t seq = 1; seq <= w.last; seq++) {
      oc_log_row row;
      ov_arena_reset(a);
      int err = oc_log_get(t, &w.writer, seq, a, &row);
      if (err) return err;
      const ov_op *op = &row.op;
      if (!row.kept || !is_about(participant, op->kind, &op->record, op->has_participant, &op->participant))
        continue;
      if ((err = purge_op(s, t, &row, a))) return err;
      p->entries++;
    }
  }
  return more == OV_E_NOTFOUND ? 0 : more;
}

/* Server parts in the replica (key: record) or in a stage (key: scope, record). */
static int purge_parts(oc_store *s, oc_txn *t, const ov_name *participant, oc_table table, purge_row *p,
                       ov_arena *a) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t key_n = 0, n = 0;
  const uint8_t *value = NULL;
  for (;;) {
    oc_server_part part;
    ov_arena_reset(a);
    int err = oc_next(t, table, NULL, 0, key, key_n, key_n > 0, key, &key_n, a, &value, &n);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    if ((err = oc_part_decode(value, n, a, &part))) return err;
    const ov_record *r = &part.rec;
    if (!is_about(participant, r->kind, &r->name, r->has_participant, &r->participant)) continue;
    ov_name name = r->name;
    err = oc_del(t, table, key, key_n);
    if (!err && table == OC_T_RECORD) {
      p->records++;
      err = oc_view_index(s, t, &name, a);
    }
    if (err) return err;
  }
}

/* What an import remembers of a row that is not here any more: hashes of its content. Those of records that
 * fell out of the window go too; the import will then make doubles, which are shown as such. */
static int purge_imports(oc_txn *t, ov_arena *a) {
  uint8_t key[OC_DB_KEY_MAX], record[OV_NAME_BYTES];
  size_t key_n = 0, n = 0;
  const uint8_t *value = NULL;
  for (;;) {
    ov_mpr r;
    ov_name name;
    ov_arena_reset(a);
    int err = oc_next(t, OC_T_IMPORT, NULL, 0, key, key_n, key_n > 0, key, &key_n, a, &value, &n);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    ov_mpr_init(&r, value, n);
    ov_mpr_array(&r);
    ov_mpr_name(&r, &name);
    if (r.err) return OV_E_CORRUPT;
    ov_name_write(&name, record);
    err = oc_get(t, OC_T_ROW, record, sizeof record, NULL, NULL, NULL);
    if (err == OV_E_NOTFOUND) err = oc_del(t, OC_T_IMPORT, key, key_n);
    if (err) return err;
  }
}

static bool whom(const ov_record *tombstone, ov_name *participant) {
  const ov_live *l = ov_record_field(tombstone, OC_ERASURE_ERASED, NULL);
  if (!l || l->v.type != OV_V_BYTES || l->v.s.n != OV_NAME_BYTES) return false;
  ov_name_read(l->v.s.p, participant);
  return true;
}

/* PROTO-126 */
int oc_purge(oc_store *s, oc_txn *t, const ov_record *tombstone, bool fresh) {
  ov_name participant;
  ov_arena a;
  if (!tombstone->created || !whom(tombstone, &participant) || oc_purged(t, &participant)) return 0;
  purge_row p = {.tombstone = tombstone->name};
  ov_arena_init(&a, 64u << 20);
  int err = purge_log(s, t, &participant, &p, &a);
  if (!err) err = purge_parts(s, t, &participant, OC_T_RECORD, &p, &a);
  if (!err) err = purge_parts(s, t, &participant, OC_T_STAGE, &p, &a);
  if (!err) err = purge_imports(t, &a);
  if (!err) err = oc_commit_key_drop(t, &participant);
  /* A store that starts afresh never had anything: it has nothing to say. */
  p.due = !fresh || p.entries || p.records;
  if (!err) err = row_put(t, &participant, &p);
  ov_arena_free(&a);
  return err;
}

/* -- afterwards -------------------------------------------------------------------------- */

/* The next erasure whose receipt is due. key_n 0: from the start. */
static int next_due(oc_txn *t, uint8_t key[OC_DB_KEY_MAX], size_t *key_n, ov_arena *a, purge_row *p) {
  const uint8_t *value = NULL;
  size_t n = 0;
  for (;;) {
    int err = oc_next(t, OC_T_META, "x:", 2, key, *key_n, *key_n > 0, key, key_n, a, &value, &n);
    if (!err) err = row_read(value, n, p);
    if (err || p->due) return err;
  }
}

/* PROTO-126 */
static int write_receipt(oc_store *s, oc_txn *t, const purge_row *p, ov_arena *a) {
  uint8_t name[OV_NAME_BYTES];
  ov_name_write(&p->tombstone, name);
  ov_field f[] = {{OC_PURGE_ERASURE, ov_bytes(name, sizeof name)},
                  {OC_PURGE_ENTRIES, ov_int((int64_t)p->entries)},
                  {OC_PURGE_RECORDS, ov_int((int64_t)p->records)}};
  ov_op op = {.scope = 1,
              .creates = true,
              .kind = OV_KIND_PURGE,
              .version = 1,
              .device_time = oc_seconds(oc_now_ms(s)),
              .fields = f,
              .n_fields = 3};
  return oc_log_append(s, t, &op, a);
}

static int write_receipts(oc_store *s) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t key_n = 0;
  oc_txn *t = NULL;
  purge_row p;
  ov_arena a;
  ov_arena_init(&a, 4u << 20);
  int err = oc_txn_begin(s->db, true, &t);
  while (!err && !(err = next_due(t, key, &key_n, &a, &p))) {
    ov_name participant;
    ov_name_read(key + 2, &participant);
    err = write_receipt(s, t, &p, &a);
    p.due = false;
    if (!err) err = row_put(t, &participant, &p);
  }
  if (err == OV_E_NOTFOUND) err = 0;
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  ov_arena_free(&a);
  return err;
}

int oc_purge_due(oc_txn *t, bool *due) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t key_n = 0;
  purge_row p;
  ov_arena a;
  ov_arena_init(&a, 1u << 20);
  int err = next_due(t, key, &key_n, &a, &p);
  ov_arena_free(&a);
  *due = !err;
  return err == OV_E_NOTFOUND ? 0 : err;
}

int oc_purge_finish(oc_store *s, bool *receipts) {
  char why[256];
  bool due = false;
  oc_txn *t = NULL;
  *receipts = false;
  if (oc_db_locked(s->db)) return 0; /* a closed store cannot be written anew: after the next sync */
  int err = oc_txn_begin(s->db, false, &t);
  if (!err) err = oc_purge_due(t, &due);
  oc_txn_abort(t);
  if (err || !due) return err;
  oc_self before = s->self;
  err = oc_db_rekey(s->db, why);
  if (!err) err = write_receipts(s);
  if (err) s->self = before;
  *receipts = !err;
  return err;
}
