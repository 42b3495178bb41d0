/* What travels is read on the wire, before the other end sees it: an ACK must be true when it leaves, a DELTA
 * may hold only what its reader may see, and who replays a greeting learns nothing. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static bool read_frame(sim_link *l, const uint8_t *p, size_t n, ov_msg *out) {
  sim *w = l->w;
  ov_buf b;
  ov_rows_ctx ctx = {.named = true, .writer = w->org->server, .server = w->org->server};
  ov_arena_reset(&w->spy_arena);
  ov_buf_init(&b, OV_FRAME_BYTES_MAX);
  int err = ov_frame_unpack(w->packer, p, n, OV_FRAME_BYTES_MAX, &b);
  uint8_t *plain = err ? NULL : ov_arena_dup(&w->spy_arena, b.p, b.n);
  if (!err) err = ov_msg_decode(plain, b.n, &ctx, &w->spy_arena, out);
  ov_buf_free(&b);
  if (err) sim_fail(w, "frame", "link %u: a frame that cannot be read: %s", l->id, ov_err_text(err));
  return !err;
}

/* -- up -------------------------------------------------------------------------------------------------- */

static void forget_recorded(sim *w) {
  while (w->recorded) {
    sim_msg *m = w->recorded;
    w->recorded = m->next;
    free(m);
  }
  w->recorded_n = 0;
}

/* The first two messages of a session that is not challenged: HELLO and perhaps a PUSH. */
static void record(sim_link *l, const uint8_t *p, size_t n) {
  sim *w = l->w;
  if (l->n_heard > 2 || l->enrolling || l->replay) return;
  if (l->n_heard == 1) forget_recorded(w);
  else if (w->recorded_n != 1 || w->recorded_link != l->id) return;
  w->recorded_link = l->id;
  sim_msg *m = malloc(sizeof *m + n), **at = &w->recorded;
  FX_MUST(m);
  m->next = NULL;
  m->n = n;
  memcpy(m->p, p, n);
  while (*at) at = &(*at)->next;
  *at = m;
  w->recorded_n++;
}

void sim_spy_up(sim_link *l, const uint8_t *p, size_t n) {
  ov_msg m;
  read_frame(l, p, n, &m);
  sim_tell(l, true, &m);
  if (m.type == OV_M_HELLO) l->writer = m.hello.writer;
  l->n_heard++;
  record(l, p, n);
}

/* -- ACK ------------------------------------------------------------------------------------------------- */

static void check_stored(sim_link *l, sv_txn *t, sim_op *o) {
  sim *w = l->w;
  for (int at = (int)(o - w->ops); at >= 0; at = w->ops[at].before) {
    sim_op *x = &w->ops[at];
    if (x->acked && x->stored) return; /* and so is all before it */
    if (!sv_op_has(t, &x->op.name))
      sim_fail(w, "ack-lie", "link %u: an ACK up to %s leaves the server, which has not stored %s", l->id,
               sim_name(&o->op.name), sim_name(&x->op.name));
    x->acked = x->stored = true;
  }
}

static void spy_ack(sim_link *l, const ov_ack *a) {
  sim *w = l->w;
  ov_name name = {.writer = l->writer, .seq = a->up_to};
  sv_txn *t = NULL;
  w->st.acks++;
  if (!a->up_to) return;
  memcpy(name.tag, a->head.b, OV_TAG_BYTES);
  sim_op *o = sim_op_find(w, &name);
  if (!o) sim_fail(w, "ack-unknown", "link %u: an ACK names %s, which nobody wrote", l->id, sim_name(&name));
  if (memcmp(&o->head, &a->head, sizeof o->head))
    sim_fail(w, "ack-head", "link %u: an ACK of %s with another head", l->id, sim_name(&name));
  FX_OK(sv_txn_read(w->org->env, &t));
  check_stored(l, t, o);
  sv_txn_abort(t);
}

/* -- DELTA ----------------------------------------------------------------------------------------------- */

static int team_of_scope(const sim *w, uint32_t scope) {
  for (unsigned i = 0; i < SIM_TEAMS; i++)
    if (w->scopes[i] == scope) return (int)i;
  return -1;
}

static void spy_delta(sim_link *l, const ov_delta *d) {
  sim *w = l->w;
  const sim_device *dev = &w->admin.devices[l->device];
  int team = team_of_scope(w, d->scope);
  w->st.deltas++;
  if (dev->revoked)
    sim_fail(w, "leak-revoked", "link %u: the revoked device %u receives scope %u", l->id, l->device,
             d->scope);
  uint32_t teams = sim_device_teams(w, l->device);
  if (d->scope > 1 && (team < 0 || !(teams >> team & 1)))
    sim_fail(w, "leak-scope", "link %u: device %u (teams %x) receives scope %u", l->id, l->device, teams,
             d->scope);
  for (uint32_t i = 0; i < d->n_records; i++) {
    const ov_name *name = &d->records[i].rec.name;
    if (sim_rec_erased(w, &d->records[i].rec))
      sim_fail(w, "leak-erased", "link %u: %s comes, which is about somebody who was erased", l->id,
               sim_name(name));
    if (!sim_may_read(w, l->device, &d->records[i].rec, d->scope))
      sim_fail(w, "leak-role", "link %u: device %u receives %s (kind %u), which its role may not read", l->id,
               l->device, sim_name(name), d->records[i].rec.kind);
    sim_where where = sim_record_where(w, name);
    bool here = !where.known ||
                (team >= 0 ? where.teams >> team & 1 : !where.teams && where.scope == d->scope);
    if (!here)
      sim_fail(w, "leak-record", "link %u: %s (kind %u) comes in scope %u; it belongs to teams %x", l->id,
               sim_name(name), d->records[i].rec.kind, d->scope, where.teams);
  }
}

/* PROTO-164 */
static void spy_welcome(sim_link *l, const ov_welcome *m) {
  if (m->has_share && l->w->admin.devices[l->device].revoked)
    sim_fail(l->w, "leak-share", "link %u: the revoked device %u is given its share", l->id, l->device);
}

void sim_spy_down(sim_link *l, const uint8_t *p, size_t n) {
  ov_msg m;
  read_frame(l, p, n, &m);
  sim_tell(l, false, &m);
  if (l->replay && m.type != OV_M_CHALLENGE && m.type != OV_M_ERROR && m.type != OV_M_BYE)
    sim_fail(l->w, "replay", "a replayed greeting on link %u is answered with a message of type %d", l->id,
             (int)m.type);
  if (m.type == OV_M_ACK) spy_ack(l, &m.ack);
  else if (m.type == OV_M_WELCOME) spy_welcome(l, &m.welcome);
  else if (m.type == OV_M_DELTA) spy_delta(l, &m.delta);
}
