/* What newer copies hold goes into the restored environment, op by op with its receipts, as from a peer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "restore.h"

/* Ops read and written at a time. */
#define BATCH 128u

int restore_write(adm *m, sv_org *org, sv_admin_work work, void *arg) {
  ov_arena a;
  int err, tries = 0;
  (void)m;
  ov_arena_init(&a, SV_BATCH_ARENA_BYTES_MAX);
  do {
    sv_touches touches = {0};
    sv_txn *t = NULL;
    err = sv_txn_write(org->env, &t);
    int done = err ? err : work(arg, t, &a, &touches);
    if (!err && done && !sv_txn_error(t)) {
      sv_txn_abort(t);
      err = done;
    } else if (!err) {
      err = sv_txn_commit(t);
    }
    sv_touches_free(&touches);
    ov_arena_reset(&a);
  } while (err == OV_E_MAPFULL && ++tries < 64);
  ov_arena_free(&a);
  return err;
}

/* -- ops --------------------------------------------------------------------------------- */

typedef struct batch {
  adm *m;
  sv_org *from, *to;
  ov_arena a; /* holds the rows */
  ov_name at;
  bool started, more;
  sv_op_row rows[BATCH];
  uint32_t n;
  merge_counts made; /* of this batch */
  uint64_t unreadable;
} batch;

/* In a read transaction of its own; a damaged row ends it, and the next batch goes on behind that row. */
static int read_batch(batch *b) {
  sv_txn *t = adm_read(b->m, b->from);
  b->n = 0;
  b->more = t != NULL;
  ov_arena_reset(&b->a);
  while (b->more && b->n < BATCH) {
    int err = sv_op_next(t, b->started ? &b->at : NULL, &b->at);
    b->more = !err;
    if (err && err != OV_E_NOTFOUND) b->unreadable++;
    if (err) break;
    b->started = true;
    if (!sv_op_get(t, &b->at, &b->a, &b->rows[b->n])) {
      b->n++;
      continue;
    }
    b->unreadable++;
    break;
  }
  sv_txn_abort(t);
  return b->m->err;
}

/* The programme of the source holds copies of other organisations' logs as well: they come by their
 * organisations. */
static int write_batch(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  batch *b = arg;
  b->made = (merge_counts){0};
  for (uint32_t i = 0; i < b->n; i++) {
    const sv_op_row *row = &b->rows[i];
    bool known = sv_op_has(t, &row->op.name);
    int err = sv_ingest_foreign(t, b->to, row, a, touches);
    if (sv_txn_error(t)) return sv_txn_error(t);
    if (!err && !known) b->made.ops++;
    if (err) b->made.refused++;
  }
  return 0;
}

int restore_merge(adm *m, sv_org *from, sv_org *to, merge_counts *c) {
  batch *b = calloc(1, sizeof *b);
  sv_env_stats st;
  uint64_t seen = 0;
  if (!b) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  *b = (batch){.m = m, .from = from, .to = to, .more = true};
  ov_arena_init(&b->a, ADM_ARENA_BYTES_MAX);
  sv_env_stats_get(from->env, &st);
  while (b->more && !m->err && adm_progress(m, "bringing back newer entries", seen, st.ops) &&
         !read_batch(b)) {
    int err = b->n ? restore_write(m, to, write_batch, b) : 0;
    if (err) adm_failed(m, err, to->name);
    seen += b->n;
    c->ops += b->made.ops;
    c->refused += b->made.refused;
  }
  c->unreadable += b->unreadable;
  ov_arena_free(&b->a);
  free(b);
  return m->err ? m->err : restore_devices(m, from, to, c);
}

/* -- devices ----------------------------------------------------------------------------- */

typedef struct device_job {
  sv_org *from, *to;
  adm *m;
  merge_counts made;
} device_job;

/* Teams come from the record as it is here. */
static int take_device(device_job *j, sv_txn *t, ov_arena *a, sv_device d) {
  sv_device own;
  int err = sv_device_get(t, &d.id, &own);
  if (err && err != OV_E_NOTFOUND) return err;
  if (!err && (own.revoked || !d.revoked)) return 0;
  if (err) {
    j->made.devices++;
    uint32_t teams[OV_SCOPES_MAX], n = 0;
    err = sv_device_record_teams(t, &d.record, a, teams, &n);
    if (!err && n) { /* else its record is among what was lost, and the row is all that tells its teams */
      memcpy(d.teams, teams, sizeof teams);
      d.n_teams = n;
    }
  } else {
    bool revoked = d.revoked;
    d = own;
    d.revoked = revoked;
  }
  if (d.revoked) j->made.revoked++;
  return err ? err : sv_device_put(t, &d);
}

static int device_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  device_job *j = arg;
  sv_txn *r = NULL;
  sv_device d;
  ov_id at;
  const ov_id *after = NULL;
  (void)touches;
  j->made = (merge_counts){0};
  int err = sv_txn_read(j->from->env, &r);
  while (!err && !sv_device_next(r, after, &d)) {
    at = d.id;
    after = &at;
    if (j->to->programme || ov_id_equal(&d.organisation, &j->to->id)) err = take_device(j, t, a, d);
  }
  sv_txn_abort(r);
  return err;
}

int restore_devices(adm *m, sv_org *from, sv_org *to, merge_counts *c) {
  device_job j = {.from = from, .to = to, .m = m};
  int err = restore_write(m, to, device_work, &j);
  c->devices += j.made.devices;
  c->revoked += j.made.revoked;
  return err ? adm_failed(m, err, to->name) : 0;
}

/* A tablet that enrolled after the backup has lost its record: it gets a new one, with the teams that are
 * left, so that what it sends is not held. */
typedef struct record_job {
  sv_org *org;
  sv_device changed[256];
  uint32_t n;
} record_job;

static uint32_t teams_left(sv_txn *t, const sv_device *d, ov_value out[OV_SCOPES_MAX]) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < d->n_teams; i++) {
    sv_scope s;
    if (!sv_scope_get(t, d->teams[i], &s) && !ov_name_is_zero(&s.record)) out[n++] = ov_int(d->teams[i]);
  }
  return n;
}

static int make_record(record_job *j, sv_txn *t, ov_arena *a, sv_touches *touches, sv_device *d) {
  ov_value teams[OV_SCOPES_MAX];
  char label[OV_DEVICE_NAME_MAX + 20], id[2 * OV_ID_BYTES + 1];
  uint32_t n = teams_left(t, d, teams);
  ov_hex(d->id.b, OV_ID_BYTES, id);
  bool named = *d->name && ov_utf8_valid((const uint8_t *)d->name, strlen(d->name));
  snprintf(label, sizeof label, "%s (%.4s)", named ? d->name : "tablet", id);
  ov_field f[] = {{SV_DEVICE_NAME, ov_text(label)},
                  {SV_DEVICE_STATUS, ov_int(d->revoked ? 2 : 1)},
                  {SV_DEVICE_STATUS, ov_int(d->revoked ? 2 : 1)}};
  if (n) f[1] = (ov_field){SV_DEVICE_TEAMS, {.type = OV_V_SET, .set = {.add = teams, .n_add = n}}};
  ov_op op = {
      .scope = 1, .creates = true, .kind = OV_KIND_DEVICE, .version = 1, .fields = f, .n_fields = n ? 3 : 2};
  int err = sv_ingest_local(t, j->org, &op, a, touches, &d->record);
  for (uint32_t i = 0; i < n; i++) d->teams[i] = (uint32_t)teams[i].i;
  d->n_teams = n;
  return err ? err : sv_device_put(t, d);
}

static int record_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  record_job *j = arg;
  sv_device d;
  ov_id at;
  const ov_id *after = NULL;
  int err = 0;
  j->n = 0;
  while (!err && j->n < 256 && !sv_device_next(t, after, &d)) {
    sv_record_row row;
    at = d.id;
    after = &at;
    err = sv_record_get(t, &d.record, a, &row);
    if (err != OV_E_NOTFOUND) continue;
    err = make_record(j, t, a, touches, &d);
    if (!err) j->changed[j->n++] = d;
  }
  return err;
}

static int route_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  const record_job *j = arg;
  int err = 0;
  (void)a;
  (void)touches;
  for (uint32_t i = 0; !err && i < j->n; i++) err = sv_device_put(t, &j->changed[i]);
  return err;
}

int restore_device_records(adm *m, sv_org *org, sv_org *programme) {
  record_job *j = calloc(1, sizeof *j);
  if (!j) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  j->org = org;
  do {
    int err = restore_write(m, org, record_work, j);
    if (!err && j->n && programme) err = restore_write(m, programme, route_work, j);
    if (err) adm_failed(m, err, org->name);
    if (j->n) {
      adm_note(m,
               "%s: %u tablets enrolled after the backup got a new record: look over their names and teams",
               org->name, j->n);
    }
  } while (j->n == 256 && !m->err);
  free(j);
  return m->err;
}

/* -- the queue --------------------------------------------------------------------------- */

typedef struct queue_job {
  sv_org *org, *programme;
  ov_name at;
  bool started, more;
  uint64_t made;
} queue_job;

static bool is_applied(const sv_op_row *row) {
  bool applied = false;
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    if (row->receipts[i].verdict == OV_HELD) return false;
    applied |= row->receipts[i].verdict == OV_APPLIED;
  }
  return applied;
}

static int queue_one(sv_txn *t, sv_txn *pt, ov_arena *a, const ov_name *name, uint64_t *made) {
  sv_op_row row;
  ov_arena_reset(a);
  int err = sv_op_get(t, name, a, &row);
  if (err || row.op.is_void || row.op.scope || row.waiting || !is_applied(&row) || sv_op_has(pt, name))
    return err;
  (*made)++;
  return sv_queue_push(t, name);
}

static int queue_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  queue_job *j = arg;
  sv_txn *pt = NULL;
  ov_arena work;
  (void)a;
  (void)touches;
  ov_arena_init(&work, SV_LOOK_ARENA_BYTES_MAX);
  ov_name at = j->at;
  bool started = j->started;
  j->made = 0;
  j->more = true;
  int err = sv_txn_read(j->programme->env, &pt);
  for (unsigned n = 0; n < 4096 && !err && j->more; n++) {
    err = sv_op_next(t, started ? &at : NULL, &at);
    if (err == OV_E_NOTFOUND) j->more = false;
    started = true;
    err = err == OV_E_NOTFOUND ? 0 : err ? err : queue_one(t, pt, &work, &at, &j->made);
  }
  sv_txn_abort(pt);
  ov_arena_free(&work);
  if (!err) {
    j->at = at;
    j->started = started;
  }
  return err;
}

int restore_requeue(adm *m, sv_org *org, sv_org *programme, merge_counts *c) {
  queue_job j = {.org = org, .programme = programme, .more = true};
  while (j.more && adm_progress(m, "handing over to the programme", c->requeued, 0)) {
    int err = restore_write(m, org, queue_work, &j);
    if (err) return adm_failed(m, err, org->name);
    c->requeued += j.made;
  }
  return m->err;
}
