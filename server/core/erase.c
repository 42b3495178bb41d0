/* Erasure inside the write transaction; see sv_erase.h. */
#include "sv_erase.h"

#include <stdio.h>
#include <string.h>

#include "ingest_priv.h"
#include "sv_audit.h"

/* -- one record and its ops -------------------------------------------------------------------- */

/* The key is gone already, so that the payload opens no more; now its bytes go too. */
static void erase_op(ingest *g, const ov_name *name, sv_erase *e) {
  sv_op_row row;
  ov_arena_reset(&g->look);
  int err = sv_op_get(g->t, name, &g->look, &row);
  if (!err && !row.op.is_void) {
    row.erased = row.op.has_commitment = true;
    sv_op_put(g->t, &row);
    sv_held_del(g->t, name);
    e->ops++;
  } else if (err == OV_E_NOTFOUND) {
    sv_txn_fail(g->t, OV_E_CORRUPT);
  }
}

static void erase_record(ingest *g, const ov_name *name, sv_erase *e) {
  static const ov_hash nothing;
  sv_record_row row;
  ov_name *ops;
  uint32_t n = 0;
  ov_arena_reset(&g->work);
  int err = sv_record_get(g->t, name, &g->work, &row);
  if (err == OV_E_NOTFOUND) return;
  if (!err) err = sv_record_ops(g->t, name, &g->work, &ops, &n);
  if (err) {
    sv_txn_fail(g->t, err);
    return;
  }
  place_record(g, &row, NULL, 0, &nothing, false, true);
  row.rec.n_ops = row.rec.n_live = row.rec.n_held = row.rec.n_seen = 0;
  sv_record_put(g->t, &row);
  for (uint32_t i = 0; i < n && !sv_txn_error(g->t); i++) erase_op(g, &ops[i], e);
  e->records++;
}

/* A record that is erased is no longer found by its participant, so the first page is always the next one. */
static bool erase_page(ingest *g, sv_erase *e) {
  ov_name page[SV_ERASE_PAGE];
  uint32_t n = 0;
  if (sv_by_participant(g->t, &e->participant, NULL, page, SV_ERASE_PAGE, &n)) return false;
  for (uint32_t i = 0; i < n && !sv_txn_error(g->t); i++) erase_record(g, &page[i], e);
  return n == 0 && !sv_txn_error(g->t);
}

/* -- the tombstone ----------------------------------------------------------------------------- */

static void meta_key(const ov_name *participant, char key[OV_NAME_TEXT_MAX + 2]) {
  char text[OV_NAME_TEXT_MAX];
  ov_name_text(participant, text);
  snprintf(key, OV_NAME_TEXT_MAX + 2, "e:%s", text);
}

int sv_erase_tombstone(sv_txn *t, const ov_name *participant, ov_name *tombstone) {
  char key[OV_NAME_TEXT_MAX + 2];
  ov_buf b;
  ov_buf_init(&b, 4096);
  meta_key(participant, key);
  int err = sv_meta_get(t, key, &b);
  if (!err && b.n != OV_NAME_BYTES) err = OV_E_CORRUPT;
  if (!err) ov_name_read(b.p, tombstone);
  ov_buf_free(&b);
  return err;
}

/* PROTO-125 */
static int write_tombstone(sv_txn *t, sv_org *org, sv_erase *e, ov_arena *a, sv_touches *touches) {
  uint8_t name[OV_NAME_BYTES];
  char key[OV_NAME_TEXT_MAX + 2];
  ov_name_write(&e->participant, name);
  ov_field f[] = {{SV_ERASURE_ERASED, ov_bytes(name, sizeof name)},
                  {SV_ERASURE_GROUND, ov_int(e->ground)},
                  {SV_ERASURE_AT, ov_int(ingest_seconds(e->at_ms))}};
  ov_op op = {.scope = 1, .creates = true, .kind = OV_KIND_ERASURE, .version = 1, .fields = f, .n_fields = 3};
  int err = sv_ingest_local(t, org, &op, a, touches, &e->tombstone);
  if (err) return err;
  ov_name_write(&e->tombstone, name);
  meta_key(&e->participant, key);
  return sv_meta_put(t, key, name, sizeof name);
}

/* The line names whom, and how much; nothing of it. Who asked is in the line of the command. */
static int tell_audit(sv_txn *t, const sv_org *org, const sv_erase *e) {
  sv_audit_event line = {.type = SV_AUDIT_ERASE,
                         .action = 'D',
                         .purpose = SV_FOR_CLIENT_RIGHTS,
                         .has_participant = true,
                         .participant = e->participant,
                         .has_object = true,
                         .object = e->tombstone,
                         .kind = OV_KIND_ERASURE,
                         .count = (uint32_t)e->records};
  snprintf(line.detail, sizeof line.detail, "%s: keys destroyed, %llu entries",
           e->ground == SV_ERASE_TERM ? "term over" : "request", (unsigned long long)e->ops);
  return sv_audit_put(t, org, &line);
}

/* -- the whole --------------------------------------------------------------------------------- */

int sv_ingest_erase(sv_txn *t, sv_org *org, sv_erase *e, ov_arena *a, sv_touches *touches) {
  ingest g;
  e->done = false;
  if (!sv_keyring_destroyed(org->keyring, &e->participant)) return OV_E_STATE;
  int err = ingest_begin(&g, t, org, a, touches);
  bool last = !err && erase_page(&g, e);
  /* The participant's own record goes last: as long as it lies in a scope the work is not done. */
  if (last) erase_record(&g, &e->participant, e);
  ingest_end(&g);
  if (err || sv_txn_error(t)) return err ? err : sv_txn_error(t);
  if (!last) return 0;
  err = sv_erase_tombstone(t, &e->participant, &e->tombstone);
  if (err == OV_E_NOTFOUND) err = write_tombstone(t, org, e, a, touches);
  if (!err) err = tell_audit(t, org, e);
  e->done = !err;
  return err;
}
