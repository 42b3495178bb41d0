/* What a push leaves in the audit: one line for each participant and author in it, in the transaction that
 * stores the ops. Ops without a participant share a line an author. */
#include <stdio.h>
#include <string.h>

#include "ingest_priv.h"
#include "sv_audit.h"

/* Ops of one push about one participant by one author. */
typedef struct group {
  bool has_participant, has_author, look; /* look: what the device tells is not what was written */
  ov_name participant, author;
  uint16_t kind; /* 0: several */
  uint32_t team, created, changed, retracted, held;
  int64_t first, last;
} group;

static bool about(const ov_op *op, ov_name *participant) {
  bool self = op->kind == OV_KIND_PARTICIPANT;
  if (!self && !op->has_participant) return false;
  *participant = self ? op->creates ? op->name : op->record : op->participant;
  return true;
}

static group *group_of(group *v, uint32_t *n, const ov_op *op) {
  ov_name participant = {.seq = 0};
  bool has = about(op, &participant);
  for (uint32_t i = *n; i-- > 0;) { /* the last one first: entries about one client come together */
    if (v[i].look == (op->kind == OV_KIND_LOOK) && v[i].has_participant == has &&
        ov_name_equal(&v[i].participant, &participant) && v[i].has_author == op->has_author &&
        (!op->has_author || ov_name_equal(&v[i].author, &op->author)))
      return &v[i];
  }
  group *g = &v[(*n)++];
  *g = (group){.has_participant = has,
               .participant = participant,
               .has_author = op->has_author,
               .kind = op->kind,
               .look = op->kind == OV_KIND_LOOK,
               .team = op->scope >= 2 ? op->scope : 0,
               .first = op->device_time};
  if (op->has_author) g->author = op->author;
  return g;
}

/* A value that no clock says counts as none: what is held may say anything. */
static int64_t said(const ov_op *op, uint16_t field, int64_t otherwise) {
  const ov_field *f = ov_op_field(op, field);
  bool sane = f && f->v.type == OV_V_INT && f->v.i >= -OV_TIME_S_MAX && f->v.i <= OV_TIME_S_MAX;
  return sane ? f->v.i : otherwise;
}

/* PROTO-163. What is held counts as well: it is told, whatever it is worth. */
static void add_look(group *g, const ov_op *op, const judged *j) {
  int64_t times = said(op, SV_LOOK_TIMES, 1), first = said(op, SV_LOOK_FIRST, op->device_time);
  g->first = g->created && g->first < first ? g->first : first;
  int64_t last = said(op, SV_LOOK_LAST, first);
  g->last = g->created && g->last > last ? g->last : last;
  g->created += times > 0 && times <= 1000000 ? (uint32_t)times : 1;
  g->held += j->verdict == OV_HELD;
}

static void add(group *g, const ov_op *op, const judged *j) {
  if (g->look) {
    add_look(g, op, j);
    return;
  }
  if (g->kind != op->kind) g->kind = 0;
  if (op->device_time < g->first) g->first = op->device_time;
  if (op->creates) g->created++;
  else if (ov_op_field(op, OV_FIELD_RETRACTED)) g->retracted++;
  else g->changed++;
  g->held += j->verdict == OV_HELD;
}

static void put(ingest *g, const sv_push_in *in, const group *x) {
  uint32_t all = x->created + x->changed + x->retracted;
  sv_audit_event e = {.type = x->kind == OV_KIND_PURGE ? SV_AUDIT_ERASE : SV_AUDIT_ENTRY,
                      .action = x->created   ? 'C'
                                : x->changed ? 'U'
                                             : 'D',
                      .outcome = x->held == all ? SV_HELD_BACK : SV_DONE,
                      .time_ms = g->now_ms,
                      .claim_ms = x->first * 1000,
                      .has_person = x->has_author,
                      .person = x->author,
                      .has_device = true,
                      .device = g->device.id,
                      .requestor = true,
                      .purpose = SV_FOR_CARE,
                      .has_participant = x->has_participant,
                      .participant = x->participant,
                      .kind = x->kind,
                      .count = all,
                      .team = x->team};
  if (x->has_author) e.role = (uint8_t)ingest_role(g, &x->author);
  memcpy(e.address, in->address, sizeof e.address);
  if (x->look) {
    e.type = SV_AUDIT_OFFLINE;
    e.action = 'R';
    e.outcome = x->held ? SV_HELD_BACK : SV_DONE;
    snprintf(e.detail, sizeof e.detail, "on the device, for the last time at %lld", (long long)x->last);
    sv_audit_put(g->t, g->org, &e);
    return;
  }
  if (x->held || x->created < all) /* else action and count say it all */
    snprintf(e.detail, sizeof e.detail, "%u created, %u changed, %u retracted, of these %u held", x->created,
             x->changed, x->retracted, x->held);
  sv_audit_put(g->t, g->org, &e);
}

void audit_push(ingest *g, const sv_push_in *in, const ov_op *ops, const judged *verdicts) {
  uint32_t n = 0;
  if (g->new_from >= g->n_taken) return;
  group *v = ov_arena_array(g->a, g->n_taken - g->new_from, sizeof *v);
  if (!v) {
    sv_txn_fail(g->t, OV_E_NOMEM);
    return;
  }
  for (uint32_t i = g->new_from; i < g->n_taken; i++) {
    if (!ops[i].is_void) add(group_of(v, &n, &ops[i]), &ops[i], &verdicts[i]);
  }
  for (uint32_t i = 0; i < n; i++) put(g, in, &v[i]);
}
