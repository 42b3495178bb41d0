/* The end of a device. The server says so by a WELCOME in which the organisation's scope is gone: what was
 * not sent is handed over, then everything is wiped and the server told. A device that is refused outright
 * drops what it has received at once and keeps what nobody has. PROTO-122, PROTO-160, PROTO-161 */
#include <openssl/crypto.h>
#include <string.h>

#include "oc_internal.h"

static int drop_table(oc_txn *t, oc_table table) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  int err;
  while (!(err = oc_next(t, table, NULL, 0, NULL, 0, false, key, &n, NULL, NULL, NULL))) {
    if ((err = oc_del(t, table, key, n))) return err;
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* Own entries on top: what a server has goes as well, what it has not stands alone from here on. */
static int leave_unsent(oc_store *s, oc_txn *t, ov_arena *a) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  for (;;) {
    oc_log_row row;
    ov_name op;
    ov_arena_reset(a);
    int err = oc_next(t, OC_T_PENDING, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    ov_name_read(key + OV_NAME_BYTES, &op);
    err = oc_log_get(t, &op.writer, op.seq, a, &row);
    if (!err && row.state == OC_OP_ACKED && !row.as_void) {
      row.absorbed = true;
      err = oc_log_put(t, &row);
      if (!err) err = oc_del(t, OC_T_PENDING, key, n);
    }
    if (!err) err = oc_view_index(s, t, &row.op.record, a);
    if (err) return err;
  }
}

/* Payloads that a server has acknowledged and that nothing here opens any more: their proof stays. */
static int forget_closed(oc_txn *t, ov_arena *a) {
  oc_writer_row w;
  int more = oc_writer_next(t, NULL, &w);
  for (; !more; more = oc_writer_next(t, &w.writer, &w)) {
    for (uint64_t seq = 1; seq <= w.last; seq++) {
      oc_log_row row;
      ov_arena_reset(a);
      int err = oc_log_get(t, &w.writer, seq, a, &row);
      if (!err && row.closed) {
        row.kept = row.closed = false;
        row.absorbed = true;
        err = oc_log_put(t, &row);
      }
      if (err) return err;
    }
  }
  return more == OV_E_NOTFOUND ? 0 : more;
}

static int drop_closed(oc_store *s, bool for_good) {
  static const oc_table received[] = {OC_T_RECORD, OC_T_STAGE, OC_T_ROW, OC_T_DAY, OC_T_NATURAL};
  oc_txn *t = NULL;
  ov_arena a;
  ov_arena_init(&a, 64u << 20);
  int err = oc_txn_begin(s->db, true, &t);
  for (unsigned i = 0; !err && i < sizeof received / sizeof *received; i++) err = drop_table(t, received[i]);
  if (!err && for_good) err = drop_table(t, OC_T_CURSOR);
  if (!err && for_good) err = forget_closed(t, &a);
  if (!err) err = leave_unsent(s, t, &a);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  ov_arena_free(&a);
  return err;
}

int oc_end_closed(oc_store *s) { return oc_db_locked(s->db) ? drop_closed(s, false) : 0; }

int oc_closed_lost(oc_store *s) { return drop_closed(s, true); }

int oc_end_received(oc_store *s) {
  oc_cursor_row rows[OV_SCOPES_MAX];
  uint32_t n = 0;
  oc_txn *t = NULL;
  ov_arena a;
  ov_arena_init(&a, 64u << 20);
  int err = oc_end_closed(s);
  if (!err) err = oc_txn_begin(s->db, true, &t);
  if (!err) err = oc_cursors(t, rows, &n);
  for (uint32_t i = 0; !err && i < n; i++) err = oc_scope_state(s, t, rows[i].c.scope, OV_SCOPE_GONE, &a);
  if (!err) err = oc_self_save(s, t);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  ov_arena_free(&a);
  return err;
}

/* All rows go. `self` stays, with an empty log to greet with: what fails from here on is tried again in the
 * next session. */
static int drop_all(oc_store *s) {
  oc_self before = s->self;
  oc_txn *t = NULL;
  int err = oc_txn_begin(s->db, true, &t);
  for (int i = 0; !err && i < OC_TABLES; i++) err = drop_table(t, (oc_table)i);
  if (!err) err = oc_writer_start(s, t);
  if (!err) err = oc_self_save(s, t);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  if (err) s->self = before;
  OPENSSL_cleanse(&before, sizeof before);
  return err;
}

/* What is left, and nothing beside it. */
static int keep_only(oc_store *s, const oc_self *left) {
  oc_txn *t = NULL;
  OPENSSL_cleanse(&s->self, sizeof s->self);
  s->self = *left;
  int err = oc_txn_begin(s->db, true, &t);
  for (int i = 0; !err && i < OC_TABLES; i++) err = drop_table(t, (oc_table)i);
  if (!err) err = oc_self_save(s, t);
  if (err) oc_txn_abort(t);
  else err = oc_txn_commit(t);
  return err;
}

int oc_end_all(oc_store *s) {
  char why[256];
  oc_self left = {.revoked = true,
                  .purged_ms = oc_now_ms(s),
                  .device = s->self.device,
                  .organisation = s->self.organisation,
                  .device_record = s->self.device_record};
  memcpy(left.url, s->self.url, sizeof left.url);
  memcpy(left.zone, s->self.zone, sizeof left.zone);
  int err = drop_all(s);
  if (!err) err = oc_db_protect(s->db, NULL, why); /* nothing closed is left */
  if (err) return err;                             /* emptied, and the device still itself: it tries again */
  ov_p256_free(s->key);
  s->key = NULL;
  err = keep_only(s, &left);
  return err ? err : oc_schemas_reload(s);
}

int oc_ended(const oc_store *s, oc_error *e) {
  if (!s->self.purged_ms) return 0;
  oc_say(e, OC_E_REFUSED,
         "this device was revoked, has handed over its entries and is wiped; enrol it with a new code to "
         "use it again");
  oc_say_nl(e, "Deze tablet is afgemeld en leeg. Alles wat nog niet verstuurd was, is ingeleverd.");
  return OC_E_REFUSED;
}
