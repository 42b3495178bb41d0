/* Ops: every log from its start, hash by hash; commitments, signatures, and the lists that name ops. */
#include <stdio.h>
#include <string.h>

#include "ov_p256.h"
#include "verify.h"

/* -- the log ----------------------------------------------------------------------------- */

static bool is_tip(vf *v, const ov_name *name) {
  sv_tip tips[OV_TIPS_MAX];
  uint32_t n = 0;
  if (sv_tips_get(v->t, &name->writer, tips, OV_TIPS_MAX, &n)) return false;
  for (uint32_t i = 0; i < n; i++) {
    if (tips[i].head.seq == name->seq && !memcmp(tips[i].head.head.b, name->tag, OV_TAG_BYTES)) return true;
  }
  return false;
}

/* Appended since we walked past. */
static bool has_follower(vf *v, const ov_name *name) {
  ov_name next[VF_LEVEL_MAX];
  uint32_t n = 0;
  if (sv_ops_of_writer(v->t, &name->writer, name->seq + 1, name->seq + 1, next, VF_LEVEL_MAX, &n))
    return false;
  for (uint32_t i = 0; i < n; i++) {
    sv_op_row row;
    if (!sv_op_get(v->t, &next[i], &v->a, &row) && !memcmp(row.prev_tag, name->tag, OV_TAG_BYTES))
      return true;
  }
  return false;
}

/* All ops of one seq and the next are known: who has no follower must be the end of a branch. */
static void close_level(vf *v, const vf_level *l) {
  for (uint32_t i = 0; i < l->n; i++) {
    if (l->followed[i] || is_tip(v, &l->v[i]) || has_follower(v, &l->v[i]) || sv_txn_error(v->t)) continue;
    vf_found_at(v, &l->v[i], VF_RESTORE, "the log ends here, but no tip says so: what followed is missing");
  }
}

static void close_writer(vf *v) {
  if (!v->has_writer || !v->chained) return;
  close_level(v, &v->before);
  close_level(v, &v->level);
}

/* The programme holds single ops of many organisations' logs; only logs that have tips are here whole. */
static void start_writer(vf *v, const ov_id *writer) {
  sv_tip tip;
  uint32_t n = 0;
  close_writer(v);
  v->writer = *writer;
  v->has_writer = true;
  v->before.n = v->level.n = 0;
  v->has_last = false;
  v->chained = !v->org->programme || (!sv_tips_get(v->t, writer, &tip, 1, &n) && n);
  if (!v->chained) return;
  if (!n) sv_tips_get(v->t, writer, &tip, 1, &n);
  if (n) {
    ov_name beyond;
    uint32_t more = 0;
    if (!sv_ops_of_writer(v->t, writer, tip.head.seq + 1, OV_SEQ_MAX, &beyond, 1, &more) && more) {
      vf_found_at(v, &beyond, VF_RESTORE, "it lies beyond the end of its log");
    }
    return;
  }
  char hex[2 * OV_ID_BYTES + 1];
  ov_hex(writer->b, OV_ID_BYTES, hex);
  vf_found(v, hex, VF_RESTORE, "the log of this writer has no tip");
}

static void enter_level(vf *v, const ov_name *name, const uint8_t prev_tag[OV_TAG_BYTES]) {
  if (!v->has_writer || !ov_id_equal(&v->writer, &name->writer)) start_writer(v, &name->writer);
  if (!v->chained) return;
  if (v->level.n && v->level.v[0].seq != name->seq) {
    close_level(v, &v->before);
    v->before = v->level;
    v->level.n = 0;
    if (v->before.v[0].seq + 1 != name->seq) v->before.n = 0; /* a gap: told at the op behind it */
  }
  for (uint32_t i = 0; i < v->before.n; i++) {
    if (!memcmp(v->before.v[i].tag, prev_tag, OV_TAG_BYTES)) v->before.followed[i] = true;
  }
  if (v->level.n == VF_LEVEL_MAX) return; /* more branches than a log may have: told by its tips */
  v->level.v[v->level.n] = *name;
  v->level.followed[v->level.n++] = false;
}

/* Head before this op. False when there is none, which is told. */
static bool head_before(vf *v, const sv_op_row *row, ov_hash *head) {
  ov_name before = {.writer = row->op.name.writer, .seq = row->op.name.seq - 1};
  sv_op_row b;
  memcpy(before.tag, row->prev_tag, OV_TAG_BYTES);
  if (!before.seq) return !ov_chain_start(v->h, &v->org->id, &before.writer, head);
  if (v->has_last && ov_name_equal(&v->last, &before)) {
    *head = v->last_head;
    return true;
  }
  int err = sv_op_get(v->t, &before, &v->a, &b);
  if (!err) *head = b.head;
  if (err == OV_E_NOTFOUND)
    vf_found_at(v, &row->op.name, VF_RESTORE, "the op before it in its log is missing");
  return !err;
}

static void check_chain(vf *v, const sv_op_row *row) {
  ov_hash head;
  const ov_name *name = &row->op.name;
  if (memcmp(name->tag, row->head.b, OV_TAG_BYTES))
    vf_found_at(v, name, VF_RESTORE, "its tag is not the start of its hash");
  if (!v->chained || !head_before(v, row, &head)) return;
  int err = ov_chain_step(v->h, name->seq, &row->op.header_hash, &row->op.commitment, &head);
  if (err || memcmp(head.b, row->head.b, OV_HASH_BYTES)) {
    vf_found_at(v, name, VF_RESTORE, "its stored hash is not the hash of what is stored before it and in it");
  }
}

/* -- the payload and the signature ------------------------------------------------------- */

static int commit_key(vf *v, const ov_op *op, uint8_t key[OV_KEY_BYTES]) {
  ov_name id = {.seq = 0}, participant;
  uint32_t scope = 0;
  memset(key, 0, OV_KEY_BYTES);
  switch (ov_chain_key_owner(op, &participant, &scope)) {
  case OV_KEYOF_ZERO: return 0;
  case OV_KEYOF_PARTICIPANT:
    return sv_keyring_get(v->org->keyring, SV_KEY_COMMIT_PARTICIPANT, &participant, key);
  case OV_KEYOF_TEAM: id.seq = scope; return sv_keyring_get(v->org->keyring, SV_KEY_COMMIT_TEAM, &id, key);
  default: return sv_keyring_get(v->org->keyring, SV_KEY_COMMIT_ORG, &id, key);
  }
}

static void check_commitment(vf *v, const sv_op_row *row) {
  const ov_op *op = &row->op;
  uint8_t key[OV_KEY_BYTES];
  ov_hash made;
  /* A copy in the programme is bound by its organisation's key, which is not here. */
  if (op->is_void || op->has_commitment || row->erased || !v->chained) return;
  int err = commit_key(v, op, key);
  if (err) {
    vf_found_at(v, &op->name, VF_KEYS, "the keyring lacks the key that its payload is bound with");
    return;
  }
  err = ov_chain_commitment(v->h, key, &op->name.writer, op->name.seq, op->payload_bytes, op->payload_len,
                            &made);
  if (err || memcmp(made.b, op->commitment.b, OV_HASH_BYTES)) {
    vf_found_at(v, &op->name, VF_RESTORE, "its payload is not what its log is bound to");
  }
}

/* Whose key, and for which organisation it signed: the programme keeps ops of many. */
static bool signer(vf *v, const sv_op_row *row, uint8_t pubkey[OV_PUBKEY_BYTES], ov_id *organisation) {
  sv_device d;
  *organisation = v->org->id;
  if (ov_id_equal(&row->device, &row->op.name.writer)) {
    memcpy(pubkey, v->org->server_pubkey, OV_PUBKEY_BYTES);
    return true;
  }
  if (sv_device_get(v->t, &row->device, &d)) return false;
  memcpy(pubkey, d.pubkey, OV_PUBKEY_BYTES);
  *organisation = d.organisation;
  return true;
}

static void check_signature(vf *v, const sv_op_row *row) {
  uint8_t pubkey[OV_PUBKEY_BYTES];
  ov_id organisation;
  ov_buf b;
  if (!row->has_sig) return;
  if (!signer(v, row, pubkey, &organisation)) {
    v->unchecked++;
    return;
  }
  ov_buf_init(&b, 1024);
  ov_signed_push(&b, &organisation, &row->device, &row->op.name.writer, row->op.name.seq, &row->head);
  int err = b.err ? b.err : ov_p256_verify(NULL, pubkey, b.p, b.n, row->sig);
  ov_buf_free(&b);
  /* A writer that names itself may be another server's, whose key is not known here. */
  bool other_server = ov_id_equal(&row->device, &row->op.name.writer) &&
                      !ov_id_equal(&row->device, &v->org->server);
  if (err && other_server) v->unchecked++;
  else if (err) vf_found_at(v, &row->op.name, VF_RESTORE, "the signature over its hash does not verify");
}

/* -- the lists that name it -------------------------------------------------------------- */

static bool by_receipts(const sv_op_row *row, uint8_t verdict, uint8_t *reason) {
  bool held = false, applied = false;
  *reason = 0;
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    if (row->receipts[i].verdict == OV_HELD && !held) {
      held = true;
      *reason = row->receipts[i].reason;
    }
    if (row->receipts[i].verdict == OV_APPLIED) applied = true;
  }
  return verdict == OV_HELD ? held : applied && !held;
}

static bool in_list(const ov_name *list, uint32_t n, const ov_name *name) {
  for (uint32_t i = 0; i < n; i++) {
    if (ov_name_equal(&list[i], name)) return true;
  }
  return false;
}

static void held_seek(vf *v, const ov_name *after) {
  int err = sv_held_next(v->t, after, &v->held);
  v->held_end = err != 0;
}

static void held_skip_to(vf *v, const ov_name *name) {
  while (!v->held_end && ov_name_compare(&v->held, name) < 0) {
    ov_name at = v->held;
    vf_found_at(v, &at, VF_DERIVED, "it stands in the list of held ops, but there is no such op");
    held_seek(v, &at);
  }
}

static void check_held(vf *v, const sv_op_row *row) {
  ov_name rulings[SV_RULINGS_MAX];
  uint32_t n = 0;
  uint8_t reason;
  const ov_name *name = &row->op.name;
  held_skip_to(v, name);
  bool listed = !v->held_end && ov_name_equal(&v->held, name);
  if (listed) held_seek(v, name);
  bool held = !row->op.is_void && !row->waiting && by_receipts(row, OV_HELD, &reason);
  if (listed && !held)
    vf_found_at(v, name, VF_DERIVED, "it stands in the list of held ops, but no receipt holds it");
  if (!held || sv_rulings_of(v->t, name, rulings, SV_RULINGS_MAX, &n)) return;
  if (!listed && !n && !row->erased && reason != OV_HELD_FROZEN && reason != OV_HELD_ERASED) {
    vf_found_at(v, name, VF_DERIVED, "it is held, but missing from the list of held ops");
  }
  for (uint32_t i = 0; i < n; i++) {
    if (!sv_op_has(v->t, &rulings[i]))
      vf_found_at(v, name, VF_DERIVED, "a ruling on it is listed, but there is no such op");
  }
}

static void check_ruling(vf *v, const sv_op_row *row) {
  const ov_field *f = row->op.kind == OV_KIND_RULING ? ov_op_field(&row->op, SV_RULING_TARGET) : NULL;
  ov_name target, list[SV_RULINGS_MAX];
  uint32_t n = 0;
  if (!f || f->v.type != OV_V_BYTES || f->v.s.n != OV_NAME_BYTES) return;
  ov_name_read(f->v.s.p, &target);
  if (sv_rulings_of(v->t, &target, list, SV_RULINGS_MAX, &n) || n == SV_RULINGS_MAX) return;
  if (!in_list(list, n, &row->op.name))
    vf_found_at(v, &row->op.name, VF_DERIVED, "this ruling is missing from the list of rulings");
}

static bool waits_for(vf *v, const ov_name *missing, const ov_name *op) {
  ov_name *list = ov_arena_array(&v->a, SV_WAITING_MAX, sizeof *list);
  uint32_t n = 0;
  return list && !sv_waiting_list(v->t, missing, list, SV_WAITING_MAX, &n) && in_list(list, n, op);
}

static void check_waiting(vf *v, const sv_op_row *row) {
  const ov_op *op = &row->op;
  v->waiting++;
  if (waits_for(v, &op->record, &op->name) ||
      (op->has_participant && waits_for(v, &op->participant, &op->name)))
    return;
  vf_found_at(v, &op->name, VF_DERIVED, "it waits, but is missing from the list of what it waits for");
}

/* The programme's ops stand in their organisation's log and, once copied, in the programme. */
static void check_copy(vf *v, const sv_op_row *row) {
  uint64_t id;
  ov_name queued;
  uint8_t reason;
  if (!v->pt || !by_receipts(row, OV_APPLIED, &reason) || sv_op_has(v->pt, &row->op.name)) return;
  if (sv_queue_peek(v->t, &id, &queued) != OV_E_NOTFOUND) return; /* still on its way */
  vf_found_at(v, &row->op.name,
              "restore with the newest backup of the programme: what it lacks is copied again",
              "it belongs to the programme, but is neither there nor on its way");
}

static void check_place(vf *v, const sv_op_row *row) {
  const ov_op *op = &row->op;
  ov_name *ops;
  uint32_t n = 0;
  uint8_t reason;
  if (op->is_void) return;
  if (op->scope == 0 && !v->org->programme) {
    check_copy(v, row);
    return;
  }
  if (!sv_record_ops(v->t, &op->record, &v->a, &ops, &n) && !in_list(ops, n, &op->name)) {
    vf_found_at(v, &op->name, VF_DERIVED, "it is missing from the ops of its record");
  }
  if (row->waiting) check_waiting(v, row);
  else if (by_receipts(row, OV_APPLIED, &reason) && !vf_record_exists(v, &op->record)) {
    vf_found_at(v, &op->name, VF_DERIVED, "it is applied, but its record is missing");
  }
}

/* -- one op ------------------------------------------------------------------------------ */

static void check_op(vf *v, const ov_name *name) {
  sv_op_row row;
  v->ops++;
  int err = sv_op_get(v->t, name, &v->a, &row);
  if (err) {
    vf_found_at(v, name, VF_RESTORE, "it cannot be read: %s", ov_err_text(err));
    v->has_last = v->has_writer = false; /* what follows it is told by its own missing predecessor */
    return;
  }
  enter_level(v, name, row.prev_tag);
  check_chain(v, &row);
  check_commitment(v, &row);
  check_signature(v, &row);
  check_held(v, &row);
  check_ruling(v, &row);
  check_place(v, &row);
  v->last = *name;
  v->last_head = row.head;
  v->has_last = true;
}

void vf_check_ops(vf *v) {
  vf_walk(v, sv_op_next, held_seek, check_op);
  if (v->m->err || !vf_page(v)) return;
  close_writer(v);
  const ov_name end = {.writer = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff}},
                       .seq = OV_SEQ_MAX};
  held_seek(v, v->ops ? &v->last : NULL);
  if (v->ops && v->has_last) held_skip_to(v, &end);
  vf_page_end(v);
}
