#include "tablets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sv_kinds.h"
#include "sv_limits.h"
#include "sv_node.h"

#define PUSH_OPS_MAX 200u /* about what fits into a frame */
#define BATCH_OPS 4000u   /* ops of one transaction: one fsync for many */
#define PUSH_GAP_MS 400
#define MIN_OPS 64u
#define REGROWN_MAX 64

/* -- enrolment ------------------------------------------------------------------------------------------- */

typedef struct enrol {
  dd_tablet *t;
  sv_org *org;
} enrol;

static int put_device(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  enrol *e = arg;
  sv_device *d = &e->t->device;
  int64_t team = e->t->team->scope;
  dd_form f;
  (void)touches;
  dd_form_init(&f, e->org->schemas, "device");
  dd_text(&f, "name", d->name);
  dd_set(&f, "teams", &team, 1);
  dd_int(&f, "status", 1);
  ov_op op = dd_form_op(&f, 1);
  int err = sv_ingest_local(t, e->org, &op, a, NULL, &d->record);
  if (!err) err = sv_device_record_teams(t, &d->record, a, d->teams, &d->n_teams);
  return err ? err : sv_device_put(t, d);
}

void dd_tablet_make(dd_tablet *t, sv_org *org, dd_world *w, const dd_team *team, unsigned index) {
  *t = (dd_tablet){.team = team, .index = index};
  ov_arena_init(&t->arena, DD_TABLET_ARENA_BYTES_MAX);
  DD_OK(ov_p256_generate(&t->key));
  DD_OK(w->sys.random(w, t->writer.b, OV_ID_BYTES));
  DD_OK(w->sys.random(w, t->device.id.b, OV_ID_BYTES));
  ov_p256_public(t->key, t->device.pubkey);
  t->device.organisation = org->id;
  t->device.enrolled_ms = t->device.last_seen_ms = w->now_ms;
  snprintf(t->device.name, sizeof t->device.name, "Tablet %u %s", index + 1, team->name);
  enrol e = {t, org};
  DD_OK(sv_node_write(org, put_device, &e, NULL));
  t->cap = MIN_OPS;
  t->ops = malloc(t->cap * sizeof *t->ops);
  t->heads = malloc((t->cap + 1) * sizeof *t->heads);
  DD_MUST(t->ops && t->heads);
  ov_hasher *h = ov_hasher_new();
  DD_MUST(h);
  DD_OK(ov_chain_start(h, &org->id, &t->writer, &t->heads[0]));
  ov_hasher_free(h);
}

void dd_tablet_free(dd_tablet *t) {
  ov_p256_free(t->key);
  free(t->ops);
  free(t->heads);
  ov_arena_free(&t->arena);
}

/* -- the log --------------------------------------------------------------------------------------------- */

static void room(dd_tablet *t) {
  if (t->n < t->cap) return;
  t->cap *= 2;
  t->ops = realloc(t->ops, t->cap * sizeof *t->ops);
  t->heads = realloc(t->heads, (t->cap + 1) * sizeof *t->heads);
  DD_MUST(t->ops && t->heads);
}

ov_name dd_tablet_add(dd_tablet *t, ov_hasher *h, const dd_participant *who, const dd_person *author,
                      int64_t at, ov_op op) {
  ov_buf scratch;
  room(t);
  op.name = (ov_name){.writer = t->writer, .seq = t->sent + t->n + 1};
  op.scope = t->team->scope;
  op.has_participant = op.has_author = true;
  op.participant = who->record;
  op.author = author->record;
  op.device_time = at + t->clock_off_s;
  ov_op *own = ov_op_dup(&op, &t->arena);
  DD_MUST(own);
  ov_buf_init(&scratch, 0);
  t->heads[t->n + 1] = t->heads[t->n];
  DD_OK(ov_chain_op(h, own, who->key, &t->heads[t->n + 1], &scratch));
  ov_buf_free(&scratch);
  t->ops[t->n++] = own;
  return own->name;
}

/* -- pushing --------------------------------------------------------------------------------------------- */

static dd_push *new_push(dd_batch *b) {
  if (b->n == b->cap) {
    b->cap = b->cap ? b->cap * 2 : MIN_OPS;
    b->v = realloc(b->v, b->cap * sizeof *b->v);
    DD_MUST(b->v);
  }
  return &b->v[b->n++];
}

static void queue_push(dd_tablet *t, dd_batch *b, uint32_t from, uint32_t n, int64_t at_ms) {
  dd_push *p = new_push(b);
  uint64_t first = t->sent + from + 1, last = first + n - 1;
  ov_rows_ctx ctx = {.writer = t->writer,
                     .first_seq = first,
                     .server = b->org->server,
                     .base_time = at_ms / 1000 + t->clock_off_s};
  ov_op *ops = malloc(n * sizeof *ops);
  DD_MUST(ops);
  for (uint32_t i = 0; i < n; i++) ops[i] = *t->ops[from + i];
  *p = (dd_push){.at_ms = at_ms, .last_seq = last};
  ov_buf_init(&p->rows, 0);
  DD_OK(ov_rows_encode(&ctx, ops, n, &p->rows));
  DD_OK(p->rows.err);
  free(ops);
  p->in = (sv_push_in){.device = t->device,
                       .writer = t->writer,
                       .prev = {.seq = first - 1, .head = t->heads[from]},
                       .offset_ms = -t->clock_off_s * 1000,
                       .base_time = ctx.base_time,
                       .rows_server = b->org->server,
                       .verify = ov_p256_verify,
                       .push = {.first_seq = first, .rows = p->rows.p, .rows_len = p->rows.n}};
  ov_buf signed_head;
  ov_buf_init(&signed_head, 0);
  ov_signed_push(&signed_head, &b->org->id, &t->device.id, &t->writer, last, &t->heads[from + n]);
  DD_OK(ov_p256_sign(t->key, signed_head.p, signed_head.n, p->in.push.sig));
  ov_buf_free(&signed_head);
  b->ops += n;
}

void dd_tablet_push(dd_tablet *t, dd_batch *b, int64_t *at_ms) {
  for (uint32_t from = 0; from < t->n; from += PUSH_OPS_MAX) {
    uint32_t n = t->n - from < PUSH_OPS_MAX ? t->n - from : PUSH_OPS_MAX;
    queue_push(t, b, from, n, *at_ms);
    *at_ms += PUSH_GAP_MS;
  }
  t->sent += t->n;
  t->heads[0] = t->heads[t->n];
  t->n = 0;
  ov_arena_reset(&t->arena);
  if (b->ops >= BATCH_OPS) dd_batch_flush(b);
}

/* -- batches --------------------------------------------------------------------------------------------- */

void dd_batch_init(dd_batch *b, sv_org *org, dd_world *w) {
  *b = (dd_batch){.org = org, .world = w};
  ov_arena_init(&b->arena, SV_BATCH_ARENA_BYTES_MAX);
}

void dd_batch_free(dd_batch *b) {
  free(b->v);
  ov_arena_free(&b->arena);
}

/* One push. A full map sticks to the transaction and is seen at its commit; anything else that is not taken
 * ends the program. */
static void ingest(dd_batch *b, sv_txn *t, const dd_push *p, sv_push_out *out) {
  b->world->now_ms = p->at_ms;
  ov_arena_reset(&b->arena);
  int err = sv_ingest_push(t, b->org, &p->in, &b->arena, out);
  if (err == OV_E_MAPFULL) return;
  if (err || out->err) dd_die("a push was refused", err ? err : out->err);
  DD_MUST(out->up_to == p->last_seq && !out->forked);
}

/* As a sync leaves it. What goes wrong sticks to the transaction. */
static void was_here(sv_txn *t, const dd_push *p) {
  sv_device d;
  if (sv_device_get(t, &p->in.device.id, &d)) return;
  d.last_seen_ms = d.all_sent_ms = p->at_ms;
  (void)sv_device_put(t, &d);
}

static int write_batch(dd_batch *b, uint64_t *stored, uint64_t *held) {
  sv_txn *t = NULL;
  int err = sv_txn_write(b->org->env, &t);
  if (err) return err;
  *stored = *held = 0;
  for (uint32_t i = 0; i < b->n && !sv_txn_error(t); i++) {
    sv_push_out out;
    ingest(b, t, &b->v[i], &out);
    was_here(t, &b->v[i]);
    *stored += out.stored;
    *held += out.n_held;
    sv_touches_free(&out.touches);
  }
  return sv_txn_commit(t);
}

void dd_batch_flush(dd_batch *b) {
  uint64_t stored = 0, held = 0;
  int err, regrown = 0;
  do {
    err = write_batch(b, &stored, &held);
  } while (err == OV_E_MAPFULL && ++regrown < REGROWN_MAX);
  if (err) dd_die("a transaction could not be written", err);
  b->stored += stored;
  b->held += held;
  b->commits++;
  for (uint32_t i = 0; i < b->n; i++) ov_buf_free(&b->v[i].rows);
  b->n = b->ops = 0;
}
