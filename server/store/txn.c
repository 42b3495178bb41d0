/* Transactions with a sticky error, and the few calls on tables that all others are made of. */
#include "tables.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* -- life ------------------------------------------------------------------------------------------------ */

static sv_txn *txn_new(sv_env *e) {
  pthread_mutex_lock(&e->pool_lock);
  sv_txn *t = e->pool;
  if (t) e->pool = t->next;
  pthread_mutex_unlock(&e->pool_lock);
  if (t) return t;
  t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->h = ov_hasher_new();
  if (!t->h) {
    free(t);
    return NULL;
  }
  t->e = e;
  ov_buf_init(&t->plain, 0);
  ov_buf_init(&t->part, 0);
  ov_buf_init(&t->row, 0);
  return t;
}

static void txn_recycle(sv_txn *t) {
  t->m = NULL;
  t->err = 0;
  t->dirty = false;
  t->audit_known = t->audit_moved = false;
  pthread_mutex_lock(&t->e->pool_lock);
  t->next = t->e->pool;
  t->e->pool = t;
  pthread_mutex_unlock(&t->e->pool_lock);
}

void sv_txn_destroy(sv_txn *t) {
  ov_buf *bufs[] = {&t->plain, &t->part, &t->row};
  for (unsigned i = 0; i < 3; i++) {
    if (bufs[i]->p) OPENSSL_cleanse(bufs[i]->p, bufs[i]->cap);
    ov_buf_free(bufs[i]);
  }
  ov_hasher_free(t->h);
  OPENSSL_cleanse(t->nonces, sizeof t->nonces);
  free(t);
}

/* Before a write: a full map met earlier must grow; one that is three quarters full should, but not at the
 * price of waiting for a long reader, since a quarter is left. */
static int grow_before_write(sv_env *e) {
  if (e->want_grow) {
    int err = sv_map_grow(e, SV_GROW_WAIT_HARD_MS);
    if (!err) e->want_grow = false;
    return err;
  }
  if (sv_map_used(e) > e->map_bytes / 4 * 3) (void)sv_map_grow(e, SV_GROW_WAIT_SOFT_MS);
  return 0;
}

static int begin_write(sv_env *e, sv_txn *t) {
  int err = grow_before_write(e);
  if (err) return err;
  int rc = mdb_txn_begin(e->m, NULL, 0, &t->m);
  if (rc != MDB_MAP_RESIZED) return sv_env_error(e, rc);
  err = sv_map_adopt(e);
  return err ? err : sv_env_error(e, mdb_txn_begin(e->m, NULL, 0, &t->m));
}

int sv_txn_write(sv_env *e, sv_txn **out) {
  *out = NULL;
  if (e->opened_readonly || atomic_load(&e->readonly)) return OV_E_READONLY;
  sv_txn *t = txn_new(e);
  if (!t) return OV_E_NOMEM;
  t->write = true;
  /* An error-checking mutex: a second write transaction on one thread is a bug, not a deadlock. */
  int err = pthread_mutex_lock(&e->write_lock) ? OV_E_INTERNAL : 0;
  if (!err) {
    err = begin_write(e, t);
    if (err) pthread_mutex_unlock(&e->write_lock);
  }
  if (err) txn_recycle(t);
  else *out = t;
  return err;
}

static int begin_read(sv_env *e, sv_txn *t) {
  sv_gate_enter(&e->gate);
  int rc = mdb_txn_begin(e->m, NULL, MDB_RDONLY, &t->m);
  if (rc) sv_gate_leave(&e->gate);
  if (rc != MDB_MAP_RESIZED) return sv_env_error(e, rc);
  if (pthread_mutex_trylock(&e->write_lock)) return OV_E_BUSY;
  int err = sv_map_adopt(e);
  pthread_mutex_unlock(&e->write_lock);
  if (err) return err;
  sv_gate_enter(&e->gate);
  rc = mdb_txn_begin(e->m, NULL, MDB_RDONLY, &t->m);
  if (rc) sv_gate_leave(&e->gate);
  return sv_env_error(e, rc);
}

int sv_txn_read(sv_env *e, sv_txn **out) {
  *out = NULL;
  sv_txn *t = txn_new(e);
  if (!t) return OV_E_NOMEM;
  t->write = false;
  int err = begin_read(e, t);
  if (err) txn_recycle(t);
  else *out = t;
  return err;
}

int sv_txn_error(const sv_txn *t) { return t->err; }

uint64_t sv_txn_version(const sv_txn *t) { return mdb_txn_id(t->m); }

int sv_txn_stick(sv_txn *t, int err) {
  if (err && err != OV_E_NOTFOUND && !t->err) t->err = err;
  return err;
}

void sv_txn_fail(sv_txn *t, int err) {
  if (err && !t->err) t->err = err;
}

sv_env *sv_txn_env(sv_txn *t) { return t->e; }

ov_hasher *sv_txn_hasher(sv_txn *t) { return t->h; }

static int end_read(sv_txn *t) {
  int err = t->err;
  mdb_txn_abort(t->m);
  sv_gate_leave(&t->e->gate);
  txn_recycle(t);
  return err;
}

/* New participant keys must be on disk before rows sealed under them; keys without rows do no harm. */
static int commit_write(sv_txn *t) {
  sv_env *e = t->e;
  sv_audit_flush(t);
  if (!t->err && t->dirty) sv_env_totals_put(t);
  /* Asked also when it is clean: another thread (an erasure, a change of keys) may be writing these very keys
   * to disk, and has to be done first. */
  if (!t->err) sv_txn_stick(t, sv_keyring_save(e->keyring));
  if (t->err) {
    mdb_txn_abort(t->m);
    return t->err;
  }
  int err = sv_env_error(e, mdb_txn_commit(t->m));
  if (!err && t->dirty) atomic_fetch_add(&e->commits, 1);
  return err;
}

int sv_txn_commit(sv_txn *t) {
  if (!t->write) return end_read(t);
  sv_env *e = t->e;
  int err = commit_write(t);
  if (err == OV_E_MAPFULL) {
    int grown = sv_map_grow(e, SV_GROW_WAIT_HARD_MS);
    e->want_grow = grown != 0;
    if (grown) err = grown;
  }
  pthread_mutex_unlock(&e->write_lock);
  txn_recycle(t);
  return err;
}

void sv_txn_abort(sv_txn *t) {
  if (!t) return;
  if (!t->write) {
    end_read(t);
    return;
  }
  if (t->err == OV_E_MAPFULL) t->e->want_grow = true;
  mdb_txn_abort(t->m);
  pthread_mutex_unlock(&t->e->write_lock);
  txn_recycle(t);
}

/* -- rows ------------------------------------------------------------------------------------------------ */

static MDB_val val_of(const sv_key *k) {
  return (MDB_val){.mv_size = k->n, .mv_data = (void *)(uintptr_t)k->b};
}

int sv_tab_get(sv_txn *t, sv_table tab, const sv_key *k, MDB_val *v) {
  *v = (MDB_val){0, NULL};
  if (t->err) return t->err;
  MDB_val key = val_of(k);
  return sv_txn_stick(t, sv_env_error(t->e, mdb_get(t->m, t->e->dbi[tab], &key, v)));
}

bool sv_tab_has(sv_txn *t, sv_table tab, const sv_key *k) {
  MDB_val v;
  return sv_tab_get(t, tab, k, &v) == 0;
}

int sv_tab_put(sv_txn *t, sv_table tab, const sv_key *k, const void *p, size_t n) {
  if (t->err) return t->err;
  if (!t->write) return sv_txn_stick(t, OV_E_INTERNAL);
  MDB_val key = val_of(k), v = {.mv_size = n, .mv_data = (void *)(uintptr_t)p};
  t->dirty = true;
  return sv_txn_stick(t, sv_env_error(t->e, mdb_put(t->m, t->e->dbi[tab], &key, &v, 0)));
}

int sv_tab_del(sv_txn *t, sv_table tab, const sv_key *k) {
  if (t->err) return t->err;
  if (!t->write) return sv_txn_stick(t, OV_E_INTERNAL);
  MDB_val key = val_of(k);
  t->dirty = true;
  return sv_txn_stick(t, sv_env_error(t->e, mdb_del(t->m, t->e->dbi[tab], &key, NULL)));
}

uint64_t sv_tab_count(sv_txn *t, sv_table tab) {
  MDB_stat st;
  if (t->err || sv_txn_stick(t, sv_env_error(t->e, mdb_stat(t->m, t->e->dbi[tab], &st)))) return 0;
  return st.ms_entries;
}

#define MARK_BYTES 4

bool sv_table_is_marks(sv_table tab) {
  switch (tab) {
  case SV_T_RECORD_OPS:
  case SV_T_PARTICIPANT:
  case SV_T_KIND_DAY:
  case SV_T_NATURAL:
  case SV_T_WAITING:
  case SV_T_RULINGS:
  case SV_T_HELD:
  case SV_T_SUMS_DUE:
  case SV_T_QUEUE:
  case SV_T_AUDIT_OF: return true;
  default: return false;
  }
}

static void make_mark(sv_table tab, const void *key, size_t n, uint8_t mark[MARK_BYTES]) {
  uint8_t which = (uint8_t)tab;
  uLong crc = crc32(crc32(0, &which, 1), key, (uInt)n);
  for (unsigned i = 0; i < MARK_BYTES; i++) mark[i] = (uint8_t)(crc >> (8 * i));
}

int sv_mark_put(sv_txn *t, sv_table tab, const sv_key *k) {
  uint8_t mark[MARK_BYTES];
  make_mark(tab, k->b, k->n, mark);
  return sv_tab_put(t, tab, k, mark, sizeof mark);
}

bool sv_mark_fits(sv_table tab, const MDB_val *key, const MDB_val *value) {
  uint8_t mark[MARK_BYTES];
  make_mark(tab, key->mv_data, key->mv_size, mark);
  return value->mv_size == MARK_BYTES && !memcmp(value->mv_data, mark, MARK_BYTES);
}

/* -- walks ----------------------------------------------------------------------------------------------- */

void sv_scan_open(sv_scan *s, sv_txn *t, sv_table tab, const sv_key *from, size_t prefix) {
  *s = (sv_scan){.t = t, .tab = tab, .from = *from, .prefix = prefix};
  if (!t->err) sv_txn_stick(t, sv_env_error(t->e, mdb_cursor_open(t->m, t->e->dbi[tab], &s->c)));
}

bool sv_scan_next(sv_scan *s) {
  if (s->t->err || !s->c) return false;
  MDB_cursor_op op = MDB_NEXT;
  if (!s->started) {
    op = s->from.n ? MDB_SET_RANGE : MDB_FIRST;
    s->key = val_of(&s->from);
    s->started = true;
  }
  if (sv_txn_stick(s->t, sv_env_error(s->t->e, mdb_cursor_get(s->c, &s->key, &s->value, op)))) return false;
  size_t length = sv_key_length(s->tab);
  if ((length && s->key.mv_size != length) ||
      (sv_table_is_marks(s->tab) && !sv_mark_fits(s->tab, &s->key, &s->value))) {
    sv_txn_stick(s->t, OV_E_CORRUPT);
    return false;
  }
  return s->prefix == 0 || (s->key.mv_size >= s->prefix && !memcmp(s->key.mv_data, s->from.b, s->prefix));
}

void sv_scan_close(sv_scan *s) {
  if (s->c) mdb_cursor_close(s->c);
  s->c = NULL;
}

int sv_scan_first_key(sv_txn *t, sv_table tab, const sv_key *from, size_t prefix, sv_key *out) {
  sv_scan s;
  sv_scan_open(&s, t, tab, from, prefix);
  bool found = sv_scan_next(&s);
  if (found) {
    out->n = s.key.mv_size < SV_KEY_MAX ? s.key.mv_size : SV_KEY_MAX;
    memcpy(out->b, s.key.mv_data, out->n);
  }
  sv_scan_close(&s);
  return t->err ? t->err : found ? 0 : OV_E_NOTFOUND;
}

int sv_scan_first_name(sv_txn *t, sv_table tab, const sv_key *from, size_t prefix, size_t at, ov_name *out) {
  uint32_t n = 0;
  int err = sv_scan_names(t, tab, from, prefix, at, out, 1, &n);
  return err ? err : n ? 0 : OV_E_NOTFOUND;
}

int sv_scan_names(sv_txn *t, sv_table tab, const sv_key *from, size_t prefix, size_t at, ov_name *out,
                  uint32_t max, uint32_t *n) {
  sv_scan s;
  *n = 0;
  sv_scan_open(&s, t, tab, from, prefix);
  while (*n < max && sv_scan_next(&s)) sv_key_read_name(&s.key, at, &out[(*n)++]);
  sv_scan_close(&s);
  return t->err;
}

/* Doubles the array in the arena: what it leaves behind is at most as much again. */
ov_name *sv_names_room(ov_arena *a, ov_name *old, uint32_t n, uint32_t *cap) {
  uint32_t more = *cap ? *cap * 2 : 16;
  ov_name *names = ov_arena_array(a, more, sizeof *names);
  if (names && n) memcpy(names, old, n * sizeof *names);
  *cap = more;
  return names;
}

int sv_scan_names_arena(sv_txn *t, sv_table tab, const sv_key *from, size_t prefix, size_t at, ov_arena *a,
                        ov_name **out, uint32_t max, uint32_t *n) {
  sv_scan s;
  ov_name *names = NULL;
  uint32_t cap = 0, count = 0;
  *out = NULL;
  *n = 0;
  sv_scan_open(&s, t, tab, from, prefix);
  while (count < max && sv_scan_next(&s)) {
    if (count == cap) names = sv_names_room(a, names, count, &cap);
    if (!names) {
      sv_txn_stick(t, OV_E_NOMEM);
      break;
    }
    sv_key_read_name(&s.key, at, &names[count++]);
  }
  sv_scan_close(&s);
  if (t->err) return t->err;
  *out = names;
  *n = count;
  return 0;
}
