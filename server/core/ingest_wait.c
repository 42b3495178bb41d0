/* Ops that waited for a record or a participant that has now arrived. One that is released may be what others
 * wait for, so this goes on until nothing more becomes known; each turn takes an entry off the list, so it
 * ends. */
#include <stdlib.h>

#include "ingest_priv.h"

static bool undecided(const sv_op_row *row) {
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    if (row->receipts[i].verdict == OV_APPLIED || row->receipts[i].verdict == OV_HELD) return false;
  }
  return true;
}

/* Into the receipt that left it open; or, when this server was put back and goes on under another name, into
 * one of its own beside it. */
static void decide(ingest *g, sv_op_row *row, const judged *j) {
  sv_receipt *own = store_own_receipt(g, row);
  sv_receipt made = {.server = g->org->server,
                     .server_time_ms = g->now_ms,
                     .offset_ms = row->n_receipts ? row->receipts[0].offset_ms : 0,
                     .verdict = j->verdict,
                     .reason = j->reason};
  if (!own) {
    store_receipt_add(row, &made);
    return;
  }
  own->verdict = j->verdict;
  own->reason = j->reason;
}

/* The verdict of a released op: by this server if it was left open, else as its receipts say. */
static int rejudge(ingest *g, sv_op_row *row, judged *j) {
  sv_device device;
  ov_verdict v;
  bool open = undecided(row);
  int err;
  if (open) {
    err = sv_device_get(g->t, &row->device, &device);
    if (err == OV_E_NOTFOUND) device = (sv_device){.revoked = true};
    else if (err) return err;
    j->time_ms = row->n_receipts ? row->receipts[0].server_time_ms : g->now_ms;
    j->offset_ms = row->n_receipts ? row->receipts[0].offset_ms : 0;
    err = judge_op(g, &row->op, &device, j);
  } else {
    err = judge_place(g, &row->op, j);
    j->reason = 0;
  }
  if (err || j->waits) return err;
  row->waiting = false;
  if (open) decide(g, row, j);
  ov_arena_reset(&g->look);
  err = sv_verdict(g->t, row, &g->look, &v, &j->reason);
  j->verdict = (uint8_t)v;
  return err;
}

static int release(ingest *g, const ov_name *missing, const ov_name *name, name_list *still) {
  sv_op_row row;
  judged j = {0};
  sv_waiting_del(g->t, missing, name);
  ov_arena_reset(&g->work);
  int err = sv_op_get(g->t, name, &g->work, &row);
  if (err == OV_E_NOTFOUND) return 0;
  if (!err) err = rejudge(g, &row, &j);
  if (err) return err;
  if (j.waits && ov_name_equal(&j.missing, missing)) {
    ingest_list_add(g, still, name); /* it came as a void, which is not enough */
    return 0;
  }
  if (j.waits) return sv_waiting_add(g->t, &j.missing, name);
  if (ingest_about_erased(g, &row.op)) row.erased = row.op.has_commitment = true;
  sv_op_put(g->t, &row);
  store_effects(g, &row, &j, true);
  return 0;
}

static void release_all(ingest *g, const ov_name *missing) {
  ov_name page[SV_WAITING_PAGE];
  name_list still = {0};
  uint32_t n = 0;
  int err;
  do {
    err = sv_waiting_list(g->t, missing, page, SV_WAITING_PAGE, &n);
    ingest_forget(g);
    for (uint32_t k = 0; k < n && !err; k++) err = release(g, missing, &page[k], &still);
  } while (n && !err && !sv_txn_error(g->t));
  if (err && err != OV_E_NOTFOUND) sv_txn_fail(g->t, err);
  for (uint32_t i = 0; i < still.n; i++) sv_waiting_add(g->t, missing, &still.v[i]);
  free(still.v);
}

void wait_release(ingest *g) {
  const ov_op *ops = g->ops;
  uint64_t waiting = 0;
  g->ops = NULL; /* all that was pushed is stored by now */
  if (!sv_waiting_count(g->t, &waiting) && waiting) {
    for (uint32_t i = 0; i < g->known.n; i++) {
      ov_name missing = g->known.v[i];
      release_all(g, &missing);
    }
  }
  g->known.n = 0;
  g->ops = ops;
}
