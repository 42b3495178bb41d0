/* Waiting ops, rulings, held ops, the queue to the programme, meta and counters. */
#include <string.h>

#include "tables.h"

int sv_waiting_add(sv_txn *t, const ov_name *missing, const ov_name *op) {
  sv_key k = sv_key_two(missing, op);
  return sv_mark_put(t, SV_T_WAITING, &k);
}

int sv_waiting_list(sv_txn *t, const ov_name *missing, ov_name *out, uint32_t max, uint32_t *n) {
  sv_key k = sv_key_name(missing);
  return sv_scan_names(t, SV_T_WAITING, &k, OV_NAME_BYTES, OV_NAME_BYTES, out, max, n);
}

int sv_waiting_del(sv_txn *t, const ov_name *missing, const ov_name *op) {
  sv_key k = sv_key_two(missing, op);
  return sv_tab_del(t, SV_T_WAITING, &k);
}

int sv_waiting_count(sv_txn *t, uint64_t *n) {
  *n = sv_tab_count(t, SV_T_WAITING);
  return t->err;
}

int sv_ruling_add(sv_txn *t, const ov_name *target, const ov_name *ruling_op) {
  sv_key k = sv_key_two(target, ruling_op);
  return sv_mark_put(t, SV_T_RULINGS, &k);
}

int sv_rulings_of(sv_txn *t, const ov_name *target, ov_name *out, uint32_t max, uint32_t *n) {
  sv_key k = sv_key_name(target);
  return sv_scan_names(t, SV_T_RULINGS, &k, OV_NAME_BYTES, OV_NAME_BYTES, out, max, n);
}

int sv_held_add(sv_txn *t, const ov_name *op) {
  sv_key k = sv_key_name(op);
  return sv_mark_put(t, SV_T_HELD, &k);
}

int sv_held_del(sv_txn *t, const ov_name *op) {
  sv_key k = sv_key_name(op);
  return sv_tab_del(t, SV_T_HELD, &k);
}

int sv_held_next(sv_txn *t, const ov_name *after, ov_name *out) {
  sv_key k = {.n = 0};
  if (after) k = sv_key_after(sv_key_name(after));
  return sv_scan_first_name(t, SV_T_HELD, &k, 0, 0, out);
}

/* -- queue: numbers are never used twice, so that popping one again can hit no other --------------------- */

int sv_queue_push(sv_txn *t, const ov_name *op) {
  uint64_t id;
  if (sv_counter_next(t, "store/queue", &id)) return t->err;
  sv_key k = sv_key_queue(id, op);
  return sv_mark_put(t, SV_T_QUEUE, &k);
}

int sv_queue_peek(sv_txn *t, uint64_t *id, ov_name *op) {
  sv_key k = {.n = 0}, found;
  *id = 0;
  int err = sv_scan_first_key(t, SV_T_QUEUE, &k, 0, &found);
  if (err) return err;
  MDB_val v = {found.n, found.b};
  *id = sv_key_read_u64(&v, 0);
  sv_key_read_name(&v, 8, op);
  return 0;
}

int sv_queue_pop(sv_txn *t, uint64_t id) {
  sv_key k = sv_key_queue(id, NULL), found;
  int err = sv_scan_first_key(t, SV_T_QUEUE, &k, 8, &found);
  return err ? err : sv_tab_del(t, SV_T_QUEUE, &found);
}

/* -- meta ------------------------------------------------------------------------------------------------ */

int sv_meta_put(sv_txn *t, const char *key, const void *p, size_t n) {
  sv_key k;
  if (t->err) return t->err;
  if (!sv_key_meta(key, &k)) return sv_txn_stick(t, OV_E_INVALID);
  ov_buf_reset(&t->plain);
  ov_buf_put(&t->plain, p, n);
  return sv_row_put(t, SV_T_META, SV_PART_META, &k);
}

int sv_meta_get(sv_txn *t, const char *key, ov_buf *out) {
  sv_key k;
  if (t->err) return t->err;
  if (!sv_key_meta(key, &k)) return sv_txn_stick(t, OV_E_INVALID);
  int err = sv_row_get(t, SV_T_META, SV_PART_META, &k);
  if (err) return err;
  ov_buf_put(out, t->plain.p, t->plain.n);
  return sv_txn_stick(t, out->err);
}

int sv_counter_next(sv_txn *t, const char *key, uint64_t *value) {
  sv_key k;
  *value = 0;
  if (t->err) return t->err;
  if (!sv_key_meta(key, &k)) return sv_txn_stick(t, OV_E_INVALID);
  int err = sv_row_get(t, SV_T_META, SV_PART_COUNTER, &k);
  if (err && err != OV_E_NOTFOUND) return err;
  uint64_t v = 0;
  if (!err) {
    ov_mpr r = sv_row_reader(t);
    v = ov_mpr_uint(&r, INT64_MAX);
    if (sv_row_done(t, &r)) return t->err;
  }
  ov_buf_reset(&t->plain);
  ov_mpw_uint(&t->plain, v + 1);
  if (sv_row_put(t, SV_T_META, SV_PART_COUNTER, &k)) return t->err;
  *value = v + 1;
  return 0;
}
