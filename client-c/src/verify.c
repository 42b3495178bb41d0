/* Checks what the store says of itself: the own log's chain, hash by hash, and that every record of the
 * replica reads and is found by its indexes. */
#include <openssl/crypto.h>
#include <string.h>

#include "oc_internal.h"

#define VERIFY_BYTES_MAX (64u << 20)

typedef struct verifying {
  oc_store *s;
  oc_txn *t;
  ov_arena a;
  ov_buf b;
  oc_error *e;
} verifying;

static int wrong(verifying *x, const ov_name *name, const char *what) {
  char id[OV_NAME_TEXT_MAX];
  ov_name_text(name, id);
  oc_say(x->e, OC_E_STORE, "%s: %s", id, what);
  oc_say_nl(x->e, "De gegevens op deze tablet zijn beschadigd. Vraag hulp. Wis niets.");
  return OC_E_STORE;
}

static int fail(verifying *x, int ov) { return ov ? oc_from_ov(x->e, ov) : 0; }

/* -- own log --------------------------------------------------------------------------------------------- */

static int same_hash(verifying *x, const ov_hash *a, const ov_hash *b, const ov_name *name,
                     const char *what) {
  return memcmp(a->b, b->b, OV_HASH_BYTES) ? wrong(x, name, what) : 0;
}

static int check_header(verifying *x, const oc_log_row *row) {
  ov_hash h;
  ov_buf_reset(&x->b);
  ov_op_header_encode(&row->op, &x->b);
  int err = x->b.err ? x->b.err : ov_sha256(x->s->hasher, x->b.p, x->b.n, &h);
  return err ? fail(x, err)
             : same_hash(x, &h, &row->op.header_hash, &row->op.name,
                         "the entry's header is not what was logged");
}

/* A payload whose key is no longer here (an erased client, a team left) can only be taken at its
 * commitment. */
static int check_payload(verifying *x, const oc_log_row *row) {
  uint8_t key[OV_KEY_BYTES];
  ov_hash c;
  if (!row->kept) return 0;
  int err = oc_commit_key(x->s, x->t, &row->op, &x->a, key);
  if (err) return err == OV_E_NOTFOUND ? 0 : fail(x, err);
  ov_buf_reset(&x->b);
  ov_op_payload_encode(&row->op, &x->b);
  err = x->b.err;
  if (!err)
    err = ov_chain_commitment(x->s->hasher, key, &row->op.name.writer, row->op.name.seq, x->b.p, x->b.n, &c);
  OPENSSL_cleanse(key, sizeof key);
  return err ? fail(x, err)
             : same_hash(x, &c, &row->op.commitment, &row->op.name,
                         "the entry's values are not what was logged");
}

static int check_op(verifying *x, const ov_id *writer, uint64_t seq, ov_hash *head) {
  oc_log_row row;
  ov_arena_reset(&x->a);
  int err = oc_log_get(x->t, writer, seq, &x->a, &row);
  if (err == OV_E_NOTFOUND)
    return wrong(x, &(ov_name){.writer = *writer, .seq = seq}, "an entry of the own log is missing");
  if (!err) err = ov_chain_step(x->s->hasher, seq, &row.op.header_hash, &row.op.commitment, head);
  if (err) return fail(x, err);
  err = same_hash(x, head, &row.head, &row.op.name, "the own log's chain is broken here");
  if (!err) err = check_header(x, &row);
  return err ? err : check_payload(x, &row);
}

static int check_writer(verifying *x, const oc_writer_row *w) {
  ov_hash head;
  ov_name end = {.writer = w->writer, .seq = w->last};
  if (w->acked > w->last) return wrong(x, &end, "more is acknowledged than was written");
  int err = fail(x, ov_chain_start(x->s->hasher, &x->s->self.organisation, &w->writer, &head));
  for (uint64_t seq = 1; !err && seq <= w->last; seq++) err = check_op(x, &w->writer, seq, &head);
  if (err || !ov_id_equal(&w->writer, &x->s->self.writer)) return err;
  if (x->s->self.last.seq != w->last || memcmp(x->s->self.last.head.b, head.b, OV_HASH_BYTES))
    return wrong(x, &end, "the own log does not end where it should");
  return 0;
}

static int check_log(verifying *x) {
  oc_writer_row w;
  int more = oc_writer_next(x->t, NULL, &w);
  for (; !more; more = oc_writer_next(x->t, &w.writer, &w)) {
    int err = check_writer(x, &w);
    if (err) return err;
  }
  return more == OV_E_NOTFOUND ? 0 : fail(x, more);
}

/* -- replica --------------------------------------------------------------------------------------------- */

static int check_record(verifying *x, const ov_name *name) {
  oc_view v;
  oc_row row;
  int err = oc_view_get(x->s, x->t, name, &x->a, &v);
  if (err == OV_E_NOTFOUND) return wrong(x, name, "an index names a record that is not here");
  if (err) return wrong(x, name, "the record cannot be read");
  err = oc_row_get(x->t, name, &x->a, &row);
  if (err == OV_E_NOTFOUND) return wrong(x, name, "the record is in no index");
  if (err) return fail(x, err);
  uint8_t flags = row.flags & OC_ROW_CONFLICT, now = ov_record_conflicts(&v.rec) ? OC_ROW_CONFLICT : 0;
  if (row.kind != v.rec.kind || flags != now)
    return wrong(x, name, "the index says something else than the record");
  return 0;
}

/* Walks a table whose keys are (or end in) a record's name. */
static int check_table(verifying *x, oc_table table, size_t name_at, size_t key_bytes) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  for (;;) {
    const uint8_t *p;
    size_t len;
    ov_name name;
    ov_arena_reset(&x->a);
    int err = oc_next(x->t, table, NULL, 0, key, n, n > 0, key, &n, &x->a, &p, &len);
    if (err) return err == OV_E_NOTFOUND ? 0 : fail(x, err);
    if (n != key_bytes)
      return oc_say(x->e, OC_E_STORE, "a key of table %d has %zu bytes instead of %zu", (int)table, n,
                    key_bytes);
    ov_name_read(key + name_at, &name);
    err = check_record(x, &name);
    if (err) return err;
  }
}

int oc_verify(oc_store *s, oc_error *e) {
  if (e) *e = (oc_error){0};
  if (oc_db_locked(s->db)) return oc_strict_say(e);
  oc_error local = {0};
  verifying x = {.s = s, .e = e ? e : &local};
  ov_arena_init(&x.a, VERIFY_BYTES_MAX);
  ov_buf_init(&x.b, 0);
  int err = fail(&x, oc_txn_begin(s->db, false, &x.t));
  if (!err) err = check_log(&x);
  if (!err) err = check_table(&x, OC_T_RECORD, 0, OV_NAME_BYTES);
  if (!err) err = check_table(&x, OC_T_ROW, 0, OV_NAME_BYTES);
  if (!err) err = check_table(&x, OC_T_DAY, 6, 6 + OV_NAME_BYTES);
  if (!err) err = check_table(&x, OC_T_NATURAL, 18, 18 + OV_NAME_BYTES);
  oc_txn_abort(x.t);
  ov_buf_free(&x.b);
  ov_arena_free(&x.a);
  return err;
}
