/* The naive model: a flat list of every op that anybody ever wrote, as it was written, with what is known to
 * have become of it. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(const ov_name *n) {
  uint8_t b[OV_NAME_BYTES];
  uint64_t h = 0xcbf29ce484222325u;
  ov_name_write(n, b);
  for (size_t i = 0; i < sizeof b; i++) h = (h ^ b[i]) * 0x100000001b3u;
  return (uint32_t)(h ^ h >> 32);
}

static void index_op(sim *w, uint32_t i) {
  uint32_t at = hash_of(&w->ops[i].op.name) & (w->n_slots - 1);
  while (w->slots[at]) at = (at + 1) & (w->n_slots - 1);
  w->slots[at] = i + 1;
}

static void grow(sim *w) {
  w->cap_ops = w->cap_ops ? w->cap_ops * 2 : 1024;
  w->n_slots = w->cap_ops * 2;
  w->ops = realloc(w->ops, w->cap_ops * sizeof *w->ops);
  free(w->slots);
  w->slots = calloc(w->n_slots, sizeof *w->slots);
  FX_MUST(w->ops && w->slots);
  for (uint32_t i = 0; i < w->n_ops; i++) index_op(w, i);
}

sim_op *sim_op_find(sim *w, const ov_name *name) {
  if (!w->n_slots) return NULL;
  for (uint32_t at = hash_of(name) & (w->n_slots - 1); w->slots[at]; at = (at + 1) & (w->n_slots - 1)) {
    sim_op *o = &w->ops[w->slots[at] - 1];
    if (ov_name_equal(&o->op.name, name)) return o;
  }
  return NULL;
}

/* The op just before it in its branch: the one whose head it stepped from. */
static int op_before(sim *w, const sim_op *o) {
  for (uint32_t i = w->n_ops; i-- > 0;) {
    const sim_op *p = &w->ops[i];
    if (!ov_id_equal(&p->op.name.writer, &o->op.name.writer) || p->op.name.seq + 1 != o->op.name.seq)
      continue;
    ov_hash head = p->head;
    FX_OK(ov_chain_step(w->fx.hasher, o->op.name.seq, &o->op.header_hash, &o->op.commitment, &head));
    if (!memcmp(&head, &o->head, sizeof head)) return (int)i;
  }
  return -1;
}

sim_op *sim_op_add(sim *w, const ov_op *op, const ov_hash *head) {
  ov_op *own = ov_op_dup(op, &w->fx.arena);
  FX_MUST(own);
  sim_op *old = sim_op_find(w, &own->name);
  if (old) sim_fail(w, "name-twice", "%s is written twice", sim_name(&own->name));
  if (w->n_ops == w->cap_ops) grow(w);
  sim_op *o = &w->ops[w->n_ops];
  *o = (sim_op){.op = *own, .head = *head};
  o->before = op_before(w, o);
  if (o->before < 0 && own->name.seq > 1) sim_fail(w, "chain", "%s follows no op", sim_name(&own->name));
  index_op(w, w->n_ops++);
  return o;
}

/* -- servers' own logs ----------------------------------------------------------------------------------- */

static void take_down(sim *w, sv_org *org) {
  sv_txn *t = NULL;
  ov_name names[64];
  uint32_t n = 0;
  uint64_t from = 1;
  ov_arena a;
  ov_arena_init(&a, 64u << 20);
  FX_OK(sv_txn_read(org->env, &t));
  do {
    int err = sv_ops_of_writer(t, &org->server, from, OV_SEQ_MAX, names, 64, &n);
    if (err == OV_E_NOTFOUND) break;
    FX_OK(err);
    for (uint32_t i = 0; i < n; i++) {
      sv_op_row row;
      from = names[i].seq + 1;
      sim_op *o = sim_op_find(w, &names[i]);
      if (!o) {
        ov_arena_reset(&a);
        FX_OK(sv_op_get(t, &names[i], &a, &row));
        o = sim_op_add(w, &row.op, &row.head);
        o->by_server = true;
      }
      o->stored = true;
    }
  } while (n == 64);
  sv_txn_abort(t);
  ov_arena_free(&a);
}

void sim_model_server(sim *w) {
  take_down(w, w->org);
  take_down(w, w->programme);
}

/* -- where a record belongs ------------------------------------------------------------------------------ */

static const sim_participant *participant_of(const sim *w, const ov_name *name) {
  for (unsigned i = 0; i < w->admin.n_participants; i++)
    if (ov_name_equal(&w->admin.participants[i].name, name)) return &w->admin.participants[i];
  return NULL;
}

static uint32_t bit_of(const sim *w, uint32_t scope) {
  for (unsigned i = 0; i < SIM_TEAMS; i++)
    if (w->scopes[i] == scope) return 1u << i;
  return 0;
}

sim_where sim_record_where(sim *w, const ov_name *record) {
  const sim_op *o = sim_op_find(w, record);
  sim_where at = {0};
  if (!o) return at;
  bool self = o->op.kind == OV_KIND_PARTICIPANT;
  const sim_participant *p = self                    ? participant_of(w, record)
                             : o->op.has_participant ? participant_of(w, &o->op.participant)
                                                     : NULL;
  at.known = true;
  at.scope = o->op.scope;
  at.teams = bit_of(w, o->op.scope);
  if (p) at.teams = p->teams ? p->teams : 1u << p->home;
  return at;
}

/* -- what replaces what ---------------------------------------------------------------------------------- */

static bool carries(const ov_op *op, uint16_t field, const ov_value *elem) {
  const ov_field *f = ov_op_field(op, field);
  if (!f) return false;
  if (f->v.type != OV_V_SET) return !elem;
  for (uint32_t i = 0; elem && i < f->v.set.n_add; i++)
    if (ov_value_equal(&f->v.set.add[i], elem)) return true;
  for (uint32_t i = 0; elem && i < f->v.set.n_del; i++)
    if (ov_value_equal(&f->v.set.del[i], elem)) return true;
  return false;
}

bool sim_replaced(sim *w, const sim_op *o, uint16_t field, const ov_value *elem) {
  for (uint32_t i = 0; i < w->n_ops; i++) {
    const ov_op *r = &w->ops[i].op;
    if (!ov_name_equal(&r->record, &o->op.record) || !carries(r, field, elem)) continue;
    for (uint32_t k = 0; k < r->n_replaces; k++)
      if (ov_name_equal(&r->replaces[k], &o->op.name)) return true;
  }
  return false;
}
