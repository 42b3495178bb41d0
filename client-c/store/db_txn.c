/* Transactions and sealed values of the client's store. */
#include <stdlib.h>
#include <string.h>

#include "db_priv.h"

int oc_txn_begin(oc_db *db, bool write, oc_txn **out) {
  *out = NULL;
  if (!db->env) return OV_E_IO; /* a change of keys failed amid the exchange: it must be opened again */
  oc_txn *t = calloc(1, sizeof *t);
  if (!t) return OV_E_NOMEM;
  t->db = db;
  t->write = write;
  int err = write ? oc_db_room(db) : 0;
  if (!err) err = oc_db_error(mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &t->txn));
  if (err) free(t);
  else *out = t;
  return err;
}

int oc_txn_commit(oc_txn *t) {
  int err = t->err;
  if (err) mdb_txn_abort(t->txn);
  else err = oc_db_error(mdb_txn_commit(t->txn));
  /* What is committed stands; a file that cannot be made longer now is told to the next write. */
  if (!err && t->write) (void)oc_db_room(t->db);
  free(t);
  return err;
}

void oc_txn_abort(oc_txn *t) {
  if (!t) return;
  mdb_txn_abort(t->txn);
  free(t);
}

int oc_txn_error(const oc_txn *t) { return t->err; }

void oc_txn_fail(oc_txn *t, int err) {
  if (!t->err) t->err = err;
}

bool oc_txn_locked(const oc_txn *t) { return oc_db_locked(t->db); }

static int stick(oc_txn *t, int err) {
  if (err && err != OV_E_NOTFOUND) oc_txn_fail(t, err);
  return err;
}

/* A value is bound to its table and key, so that values cannot be swapped. */
static size_t aad_of(oc_table table, const void *key, size_t n, uint8_t out[OC_DB_KEY_MAX + 1]) {
  out[0] = (uint8_t)table;
  memcpy(out + 1, key, n);
  return n + 1;
}

/* A sealed value begins with a byte that says under which key. */
enum { UNDER_STORE_KEY = 0, UNDER_CLOSED_KEY = 1 };

static int put(oc_txn *t, oc_table table, const void *key, size_t key_n, const void *value, size_t n,
               uint8_t under) {
  if (t->err) return t->err;
  if (key_n > OC_DB_KEY_MAX) return stick(t, OV_E_INTERNAL);
  if (under == UNDER_CLOSED_KEY && oc_db_locked(t->db)) return stick(t, OV_E_DENIED);
  const uint8_t *seal_key = under == UNDER_CLOSED_KEY ? t->db->closed_key : t->db->key;
  ov_buf *b = &t->db->scratch;
  ov_buf_reset(b);
  if (n) {
    ov_buf_u8(b, under);
    uint8_t nonce[12], aad[OC_DB_KEY_MAX + 1];
    size_t aad_n = aad_of(table, key, key_n, aad);
    int err = t->db->random(t->db->random_ctx, nonce, sizeof nonce) ? OV_E_CRYPTO : 0;
    if (!err) err = ov_seal(t->db->hasher, seal_key, nonce, aad, aad_n, value, n, b);
    if (!err) err = b->err;
    if (err) return stick(t, err);
  }
  MDB_val k = {key_n, (void *)(uintptr_t)key}, v = {b->n, b->p};
  return stick(t, oc_db_error(mdb_put(t->txn, t->db->dbi[table], &k, &v, 0)));
}

int oc_put(oc_txn *t, oc_table table, const void *key, size_t key_n, const void *value, size_t n) {
  return put(t, table, key, key_n, value, n, UNDER_STORE_KEY);
}

int oc_put_closed(oc_txn *t, oc_table table, const void *key, size_t key_n, const void *value, size_t n) {
  return put(t, table, key, key_n, value, n, UNDER_CLOSED_KEY);
}

int oc_db_is_closed(oc_txn *t, oc_table table, const void *key, size_t key_n, bool *closed) {
  MDB_val k = {key_n, (void *)(uintptr_t)key}, v;
  int err = oc_db_error(mdb_get(t->txn, t->db->dbi[table], &k, &v));
  *closed = !err && v.mv_size && *(const uint8_t *)v.mv_data == UNDER_CLOSED_KEY;
  return stick(t, err);
}

static int open_value(oc_txn *t, oc_table table, const MDB_val *k, const MDB_val *v, ov_arena *a,
                      const uint8_t **value, size_t *n) {
  *value = NULL;
  *n = 0;
  if (v->mv_size == 0) return 0;
  if (k->mv_size > OC_DB_KEY_MAX || v->mv_size < 1 + OV_SEAL_OVERHEAD) return OV_E_CORRUPT;
  const uint8_t *sealed = v->mv_data;
  bool closed = sealed[0] == UNDER_CLOSED_KEY;
  if (closed && oc_db_locked(t->db)) return OV_E_DENIED;
  uint8_t aad[OC_DB_KEY_MAX + 1];
  size_t aad_n = aad_of(table, k->mv_data, k->mv_size, aad);
  ov_buf *b = &t->db->scratch;
  ov_buf_reset(b);
  int err = ov_open(t->db->hasher, closed ? t->db->closed_key : t->db->key, aad, aad_n, sealed + 1,
                    v->mv_size - 1, b);
  if (err) return err;
  *value = ov_arena_dup(a, b->p, b->n);
  *n = b->n;
  return *value || !b->n ? 0 : OV_E_NOMEM;
}

int oc_get(oc_txn *t, oc_table table, const void *key, size_t key_n, ov_arena *a, const uint8_t **value,
           size_t *n) {
  if (t->err) return t->err;
  MDB_val k = {key_n, (void *)(uintptr_t)key}, v;
  int err = oc_db_error(mdb_get(t->txn, t->db->dbi[table], &k, &v));
  if (err || !value) return stick(t, err);
  return stick(t, open_value(t, table, &k, &v, a, value, n));
}

int oc_del(oc_txn *t, oc_table table, const void *key, size_t key_n) {
  if (t->err) return t->err;
  MDB_val k = {key_n, (void *)(uintptr_t)key};
  int err = oc_db_error(mdb_del(t->txn, t->db->dbi[table], &k, NULL));
  return err == OV_E_NOTFOUND ? 0 : stick(t, err);
}

static int seek(MDB_cursor *c, MDB_val *k, MDB_val *v, const void *prefix, size_t prefix_n, const void *from,
                size_t from_n, bool after) {
  const void *start = from_n ? from : prefix;
  size_t start_n = from_n ? from_n : prefix_n;
  k->mv_data = (void *)(uintptr_t)start;
  k->mv_size = start_n;
  int rc = mdb_cursor_get(c, k, v, start_n ? MDB_SET_RANGE : MDB_FIRST);
  if (!rc && after && from_n == k->mv_size && !memcmp(k->mv_data, from, from_n))
    rc = mdb_cursor_get(c, k, v, MDB_NEXT);
  return rc;
}

int oc_next(oc_txn *t, oc_table table, const void *prefix, size_t prefix_n, const void *from, size_t from_n,
            bool after, uint8_t key[OC_DB_KEY_MAX], size_t *key_n, ov_arena *a, const uint8_t **value,
            size_t *n) {
  if (t->err) return t->err;
  MDB_cursor *c = NULL;
  MDB_val k, v;
  int err = oc_db_error(mdb_cursor_open(t->txn, t->db->dbi[table], &c));
  if (!err) err = oc_db_error(seek(c, &k, &v, prefix, prefix_n, from, from_n, after));
  if (!err && (k.mv_size < prefix_n || (prefix_n && memcmp(k.mv_data, prefix, prefix_n))))
    err = OV_E_NOTFOUND;
  if (!err && k.mv_size > OC_DB_KEY_MAX) err = OV_E_CORRUPT;
  if (!err && value) err = open_value(t, table, &k, &v, a, value, n);
  if (!err) {
    /* `from` may be the caller's `key`: it was compared above, now it may go */
    memmove(key, k.mv_data, k.mv_size);
    *key_n = k.mv_size;
  }
  if (c) mdb_cursor_close(c);
  return stick(t, err);
}

int oc_count(oc_txn *t, oc_table table, uint64_t *n) {
  MDB_stat st;
  *n = 0;
  if (t->err) return t->err;
  int err = oc_db_error(mdb_stat(t->txn, t->db->dbi[table], &st));
  if (!err) *n = st.ms_entries;
  return stick(t, err);
}

int oc_index_hash(oc_txn *t, const void *p, size_t n, uint8_t out[16]) {
  ov_hash h;
  int err = ov_hmac(t->db->hasher, t->db->index_key, OV_KEY_BYTES, p, n, &h);
  if (!err) memcpy(out, h.b, 16);
  return stick(t, err);
}
