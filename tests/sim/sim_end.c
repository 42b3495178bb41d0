/* The end of a device: revoked by the administrator, its outbox into quarantine, the store wiped, and
 * told. */
#include "sim.h"

#include <stdio.h>
#include <string.h>

#define LOGS_MAX 16

/* -- revoking -------------------------------------------------------------------------------------------- */

static unsigned revoke_rows(sv_env *env, const ov_name *record, ov_id ids[16]) {
  sv_txn *t = NULL;
  sv_device d;
  ov_id after;
  const ov_id *from = NULL;
  unsigned n = 0;
  FX_OK(sv_txn_write(env, &t));
  while (!sv_device_next(t, from, &d)) {
    after = d.id;
    from = &after;
    if (!ov_name_equal(&d.record, record) || d.revoked) continue;
    d.revoked = true;
    if (n < 16) ids[n++] = d.id;
    sv_device_put(t, &d);
  }
  FX_OK(sv_txn_commit(t));
  return n;
}

/* What the server does not have by now comes from a device that has ended. */
static void what_is_late(sim *w, unsigned device) {
  sv_txn *t = NULL;
  FX_OK(sv_txn_read(w->org->env, &t));
  for (uint32_t i = 0; i < w->n_ops; i++) {
    sim_op *o = &w->ops[i];
    if (!o->by_server && o->device == device && !sv_op_has(t, &o->op.name)) o->late = true;
  }
  sv_txn_abort(t);
}

/* As overdracht-admin does it: the organisation's rows, the programme's, the sessions, the record. */
void sim_revoke(sim *w, unsigned device) {
  sim_device *d = &w->admin.devices[device];
  ov_id ids[16];
  if (d->revoked || ov_name_is_zero(&d->record)) return;
  d->revoked = true;
  what_is_late(w, device);
  revoke_rows(w->org->env, &d->record, ids);
  unsigned n = revoke_rows(w->programme->env, &d->record, ids);
  for (unsigned i = 0; i < n; i++) sv_server_cut_device(w->server, &ids[i]);
  fx_change(&w->fx, w->org, &d->record, (ov_field[]){FX_INT(SV_DEVICE_STATUS, 2)}, 1);
  sim_changed(w);
  sim_say(w, "device %u is revoked", device);
}

/* -- the moment it is wiped ------------------------------------------------------------------------------ */

typedef struct held_logs {
  ov_name tips[LOGS_MAX]; /* last op of each log */
  unsigned n;
  uint8_t key[256];
  size_t key_n;
} held_logs;

static void read_key(const sim_tablet *t, held_logs *h) {
  char file[300];
  snprintf(file, sizeof file, "%s/store.key", t->path);
  FILE *f = fopen(file, "rb");
  FX_MUST(f);
  h->key_n = fread(h->key, 1, sizeof h->key, f);
  fclose(f);
}

static void look_before(sim_tablet *t, held_logs *h) {
  oc_txn *x = NULL;
  oc_writer_row row;
  h->n = 0;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  int err = oc_writer_next(x, NULL, &row);
  for (; !err && h->n < LOGS_MAX; err = oc_writer_next(x, &row.writer, &row)) {
    ov_hash head;
    if (!row.last) continue;
    ov_name *tip = &h->tips[h->n++];
    FX_OK(oc_log_head(t->s, x, &row.writer, row.last, &head));
    *tip = (ov_name){.writer = row.writer, .seq = row.last};
    memcpy(tip->tag, head.b, OV_TAG_BYTES);
  }
  oc_txn_abort(x);
  read_key(t, h);
}

/* Nothing is wiped that no server has. */
static void check_handed_in(sim_tablet *t, const held_logs *h) {
  sim *w = t->w;
  sv_txn *x = NULL;
  FX_OK(sv_txn_read(w->org->env, &x));
  for (unsigned i = 0; i < h->n; i++) {
    const sim_op *o = sim_op_find(w, &h->tips[i]);
    if (!o) sim_fail(w, "log-unknown", "tablet %u: nobody wrote %s", t->id, sim_name(&h->tips[i]));
    for (;; o = &w->ops[o->before]) {
      if (!sv_op_has(x, &o->op.name))
        sim_fail(w, "wiped-early", "tablet %u is wiped, and the server lacks its %s", t->id,
                 sim_name(&o->op.name));
      if (o->before < 0) break;
    }
  }
  sv_txn_abort(x);
}

static void check_empty(sim_tablet *t, const char *category) {
  static const oc_table tables[] = {OC_T_LOG, OC_T_PENDING, OC_T_RECORD, OC_T_STAGE,  OC_T_ROW,
                                    OC_T_DAY, OC_T_NATURAL, OC_T_CURSOR, OC_T_IMPORT, OC_T_SENT};
  oc_txn *x = NULL;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    uint64_t n = 0;
    FX_OK(oc_count(x, tables[i], &n));
    if (n)
      sim_fail(t->w, category, "tablet %u was wiped and still holds %llu rows of table %d", t->id,
               (unsigned long long)n, (int)tables[i]);
  }
  oc_txn_abort(x);
}

static void check_wiped(sim_tablet *t, const held_logs *before) {
  held_logs after;
  check_handed_in(t, before);
  check_empty(t, "wiped-half");
  read_key(t, &after);
  if (after.key_n == before->key_n && !memcmp(after.key, before->key, after.key_n))
    sim_fail(t->w, "wiped-key", "tablet %u was wiped, and the key of what lay there is still in place",
             t->id);
  t->w->st.wiped++;
  sim_say(t->w, "tablet %u has handed in what it had and is wiped", t->id);
}

const uint8_t *sim_output(sim_link *l, size_t *n) {
  sim_tablet *t = l->t;
  bool ends = t && t->enrolled && !t->s->self.purged_ms && t->w->admin.devices[t->device].revoked;
  held_logs before;
  if (!ends) return oc_session_output(l->cs, n);
  look_before(t, &before);
  const uint8_t *p = oc_session_output(l->cs, n);
  if (t->s->self.purged_ms) check_wiped(t, &before);
  return p;
}

/* -- at rest --------------------------------------------------------------------------------------------- */

/* It was told, and nothing that it had received is left; what nobody has is there, or was handed in. */
void sim_check_ended(sim_tablet *t) {
  sim *w = t->w;
  oc_txn *x = NULL;
  uint64_t records = 0, staged = 0, cursors = 0;
  if (!w->admin.devices[t->device].revoked) return;
  if (t->s->self.purged_ms) {
    check_empty(t, "wiped-half");
    return;
  }
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  FX_OK(oc_count(x, OC_T_RECORD, &records));
  FX_OK(oc_count(x, OC_T_STAGE, &staged));
  FX_OK(oc_count(x, OC_T_CURSOR, &cursors));
  oc_txn_abort(x);
  if (records || staged || cursors)
    sim_fail(w, "kept-after-end",
             "tablet %u's device is revoked, it has synced since, and it holds %llu records, %llu staged, "
             "%llu cursors",
             t->id, (unsigned long long)records, (unsigned long long)staged, (unsigned long long)cursors);
}
