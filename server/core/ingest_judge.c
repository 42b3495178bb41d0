/* Judging: does an op fit what it names, may it be written, are its values right? The answer becomes the
 * verdict of its receipt. */
#include "ingest_priv.h"

static int wait_for(judged *j, const ov_name *missing) {
  j->waits = true;
  j->missing = *missing;
  return 0;
}

/* PROTO-157 */
static int fits_record(const ov_op *op, const brief *rec) {
  if (!rec->creates) return OV_HELD_REF;
  if (rec->kind != op->kind) return OV_HELD_KIND;
  if (op->kind == OV_KIND_PARTICIPANT) {
    return op->has_participant && !ov_name_equal(&op->participant, &op->record) ? OV_HELD_REF : 0;
  }
  if (rec->has_participant != op->has_participant) return OV_HELD_REF;
  if (!rec->has_participant) return rec->scope == op->scope ? 0 : OV_HELD_SCOPE;
  return ov_name_equal(&rec->participant, &op->participant) ? 0 : OV_HELD_REF;
}

/* A creating op that came as a void is known: its edits are shown without it rather than kept back for ever.
 */
static int place_at_record(ingest *g, const ov_op *op, judged *j) {
  brief rec;
  int err = ingest_brief(g, &op->record, &rec);
  if (err) return err;
  if (ingest_elsewhere(g, op)) {
    /* The record may be another organisation's. But what is known here to be none of the programme's must not
     * go there. */
    if (rec.known && !rec.is_void) j->reason = (uint8_t)fits_record(op, &rec);
    return 0;
  }
  if (!rec.known || rec.waiting) return wait_for(j, &op->record);
  if (!rec.is_void) j->reason = (uint8_t)fits_record(op, &rec);
  return 0;
}

static int place_at_participant(ingest *g, const ov_op *op, judged *j) {
  brief part;
  int err = ingest_brief(g, &op->participant, &part);
  if (err) return err;
  if (!part.known || part.is_void || part.waiting) return wait_for(j, &op->participant);
  if (!part.creates || part.kind != OV_KIND_PARTICIPANT) j->reason = OV_HELD_REF;
  return 0;
}

int judge_place(ingest *g, const ov_op *op, judged *j) {
  j->waits = false;
  j->reason = 0;
  if (op->scope == 0 && op->has_participant) {
    j->reason = OV_HELD_SCOPE; /* nothing about a participant leaves the organisation */
    return 0;
  }
  int err = op->creates ? 0 : place_at_record(g, op, j);
  if (err || j->waits || j->reason) return err;
  bool self = op->kind == OV_KIND_PARTICIPANT && !op->creates;
  return op->has_participant && !self ? place_at_participant(g, op, j) : 0;
}

/* More ops than a fold takes: stored, but the record is frozen. PROTO-100 */
static int is_frozen(ingest *g, const ov_op *op, bool *frozen) {
  ov_name *names;
  uint32_t n = 0;
  *frozen = false;
  if (op->creates || ingest_elsewhere(g, op)) return 0;
  ov_arena_reset(&g->look);
  int err = sv_record_ops(g->t, &op->record, &g->look, &names, &n);
  *frozen = !err && n >= OV_RECORD_OPS_MAX;
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* PROTO-87, PROTO-90 */
int judge_op(ingest *g, const ov_op *op, const sv_device *device, judged *j) {
  bool bad = ingest_about_erased(g, op);
  int reason = 0, err;
  j->waits = false;
  j->verdict = OV_VOID;
  j->reason = 0;
  if (op->is_void) return 0;
  j->verdict = OV_HELD;
  if (bad || op->has_commitment) {
    j->reason = OV_HELD_ERASED;
    return 0;
  }
  if ((err = judge_place(g, op, j)) || j->reason) return err;
  if (j->waits) {
    j->verdict = OV_WAITING;
    return 0;
  }
  if ((err = authorise_op(g, device, op, ingest_written(op, j->time_ms, j->offset_ms), &reason))) return err;
  if (!reason && !(err = is_frozen(g, op, &bad)) && bad) reason = OV_HELD_FROZEN;
  if (err) return err;
  if (!reason) reason = ov_schema_check_op(g->org->schemas, op, NULL);
  j->reason = (uint8_t)reason;
  if (!reason) j->verdict = OV_APPLIED;
  return 0;
}
