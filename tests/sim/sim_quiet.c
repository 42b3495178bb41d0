/* Rest: everybody syncs over good links until nothing moves any more, which must come soon; then everything
 * is compared with everything. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define ROUNDS_MAX 16
#define FOLD_OPS_MAX 512

/* -- the server: ops ------------------------------------------------------------------------------------- */

static void check_bytes(sim *w, const sim_op *o, const sv_op_row *row) {
  ov_buf a, b;
  ov_buf_init(&a, 0);
  ov_buf_init(&b, 0);
  ov_op_header_encode(&o->op, &a);
  ov_op_header_encode(&row->op, &b);
  ov_op_payload_encode(&o->op, &a);
  ov_op_payload_encode(&row->op, &b);
  if (a.n != b.n || memcmp(a.p, b.p, a.n) != 0)
    sim_fail(w, "changed", "%s is stored with other content than was written", sim_name(&o->op.name));
  ov_buf_free(&a);
  ov_buf_free(&b);
}

static uint32_t team_bit(const sim *w, uint32_t scope) {
  for (unsigned i = 0; i < SIM_TEAMS; i++)
    if (w->scopes[i] == scope) return 1u << i;
  return 0;
}

/* Nobody writes about what no team of theirs ever had: whoever was in which team when is the server's to
 * judge, but who never was in any of them cannot have been. */
static void check_author(sim *w, const sim_op *o) {
  const ov_op *op = &o->op;
  const sim_op *record = op->creates ? o : sim_op_find(w, &op->record);
  uint32_t about = team_bit(w, op->scope) | (record ? team_bit(w, record->op.scope) : 0), author = 0;
  const ov_name *of = op->kind == OV_KIND_PARTICIPANT ? &op->record : &op->participant;
  for (unsigned i = 0; i < w->admin.n_participants; i++)
    if (ov_name_equal(&w->admin.participants[i].name, of)) about |= w->participant_ever[i];
  for (unsigned i = 0; i < w->admin.n_people; i++)
    if (op->has_author && ov_name_equal(&w->admin.people[i].name, &op->author)) author = w->person_ever[i];
  for (unsigned i = 0; i < w->admin.n_people; i++) /* some roles reach further than their teams */
    if (op->has_author && ov_name_equal(&w->admin.people[i].name, &op->author) &&
        sim_role_reaches(w->role_ever[i], op))
      return;
  if (about && !(about & author))
    sim_fail(w, "author", "%s is applied; its author was never in a team of it (teams %x, it is about %x)",
             sim_name(&op->name), author, about);
}

/* The receipt that decides: the first that holds it, else the first that applies it, else the first. */
static const sv_receipt *deciding(const sv_op_row *row) {
  const sv_receipt *found = &row->receipts[0];
  for (uint32_t i = row->n_receipts; i-- > 0;)
    if (row->receipts[i].verdict == OV_APPLIED) found = &row->receipts[i];
  for (uint32_t i = row->n_receipts; i-- > 0;)
    if (row->receipts[i].verdict == OV_HELD) found = &row->receipts[i];
  return found;
}

/* A receipt never changes; what had been left open is judged later, once. */
static void check_receipt(sim *w, sim_op *o, const sv_op_row *row) {
  const sv_receipt *r = &row->receipts[0], *d = deciding(row);
  bool open = o->verdict == OV_WAITING || o->verdict == OV_VOID, gone = sim_op_erased(w, &o->op);
  if (!row->n_receipts) sim_fail(w, "receipt", "%s is stored without a receipt", sim_name(&o->op.name));
  if (!row->waiting && !row->op.is_void && !gone && d->verdict == OV_WAITING)
    sim_fail(w, "never-judged", "%s waits for nothing, and is not judged", sim_name(&o->op.name));
  if (o->receipted &&
      (o->receipt_ms != r->server_time_ms || (!open && (o->verdict != d->verdict || o->reason != d->reason))))
    sim_fail(w, "receipt", "the receipt of %s was (%lld, %d, %d) and is (%lld, %d, %d)",
             sim_name(&o->op.name), (long long)o->receipt_ms, o->verdict, o->reason,
             (long long)r->server_time_ms, d->verdict, d->reason);
  o->receipted = true;
  o->receipt_ms = r->server_time_ms;
  o->verdict = d->verdict;
  o->reason = d->reason;
  if (o->surely_held && d->verdict == OV_APPLIED)
    sim_fail(w, "not-held", "%s holds a value that its form refuses, and is applied", sim_name(&o->op.name));
  if (d->verdict == OV_APPLIED) {
    check_author(w, o);
    sim_check_role(w, o);
    if (o->late)
      sim_fail(w, "quarantine", "%s came from a device that was revoked, and is applied",
               sim_name(&o->op.name));
  }
  if (o->surely_applied && !w->rights_changed && d->verdict != OV_APPLIED)
    sim_fail(w, "not-applied", "%s is honest, and its verdict is %d (reason %d)", sim_name(&o->op.name),
             d->verdict, d->reason);
}

static void check_verdict(sim *w, const sim_op *o, const sv_op_row *row, ov_verdict v) {
  int want = row->op.is_void                 ? OV_VOID
             : row->waiting                  ? OV_WAITING
             : sim_op_erased(w, &o->op)      ? OV_ERASED
             : o->ruled == SV_RULING_ADMIT   ? OV_APPLIED
             : o->ruled == SV_RULING_DISMISS ? OV_DISMISSED
                                             : o->verdict;
  if ((int)v != want)
    sim_fail(w, "verdict", "%s has verdict %d, the model says %d (ruled %d)", sim_name(&o->op.name), (int)v,
             want, o->ruled);
}

static bool here(sim *w, sv_txn *t, const ov_name *name, bool void_counts) {
  sv_op_row row;
  return !sv_op_get(t, name, &w->tmp, &row) && !row.waiting && (void_counts || !row.op.is_void);
}

/* An op waits only for what is not here. */
static void check_waits(sim *w, sv_txn *t, const sv_op_row *row) {
  const ov_op *op = &row->op;
  bool self = op->kind == OV_KIND_PARTICIPANT && !op->creates;
  if (!row->waiting || sim_op_erased(w, op)) return;
  bool record = op->creates || here(w, t, &op->record, true);
  bool participant = !op->has_participant || self || here(w, t, &op->participant, false);
  if (record && participant)
    sim_fail(w, "waits", "%s waits on the server, though %s is here, and its participant",
             sim_name(&op->name), sim_name(&op->record));
}

static void check_op(sim *w, sv_txn *t, const ov_name *name) {
  sv_op_row row;
  ov_verdict v;
  uint8_t reason;
  ov_arena_reset(&w->tmp);
  FX_OK(sv_op_get(t, name, &w->tmp, &row));
  sim_op *o = sim_op_find(w, name);
  if (!o) sim_fail(w, "unknown-op", "the server holds %s, which nobody wrote", sim_name(name));
  if (memcmp(&o->head, &row.head, sizeof o->head))
    sim_fail(w, "head", "%s is stored with another head", sim_name(name));
  o->stored = true;
  o->is_void = row.op.is_void;
  bool gone = sim_op_erased(w, &o->op);
  if (gone && !row.op.is_void && (!row.erased || row.op.n_fields))
    sim_fail(w, "erased-stored", "the content of %s is on the server, and is about somebody who was erased",
             sim_name(name));
  if (o->by_server) return;
  if (row.op.is_void && !o->broken && !o->dropped && !gone)
    sim_fail(w, "void", "%s is a void on the server, and its content was never dropped", sim_name(name));
  if (!row.op.is_void && o->broken)
    sim_fail(w, "void", "%s is junk and no void on the server", sim_name(name));
  if (!row.op.is_void && !gone) check_bytes(w, o, &row);
  check_receipt(w, o, &row);
  check_waits(w, t, &row);
  FX_OK(sv_verdict(t, &row, &w->tmp, &v, &reason));
  check_verdict(w, o, &row, v);
}

static void check_ops(sim *w) {
  sv_txn *t = NULL;
  ov_name name, after = {0};
  FX_OK(sv_txn_read(w->org->env, &t));
  for (uint32_t i = 0; i < w->n_ops; i++) { /* what was once there stays, until a restore */
    const sim_op *o = &w->ops[i];
    bool programme = o->by_server && o->op.scope == 0;
    if (o->stored && !programme && !sv_op_has(t, &o->op.name))
      sim_fail(w, "op-lost", "%s was stored and is no more", sim_name(&o->op.name));
  }
  while (!sv_op_next(t, &after, &name)) {
    check_op(w, t, &name);
    after = name;
  }
  sv_txn_abort(t);
}

/* What an organisation's people write for the programme is judged in the organisation, once; held it stays
 * there. A server that was put back judges anew what the programme has got before. */
static void check_programme(sim *w) {
  sv_txn *t = NULL, *p = NULL;
  ov_name name, after = {0};
  if (w->st.restores) return;
  FX_OK(sv_txn_read(w->org->env, &t));
  FX_OK(sv_txn_read(w->programme->env, &p));
  for (; !sv_op_next(p, &after, &name); after = name) {
    sv_op_row here_row, there;
    ov_verdict v, judged;
    uint8_t reason;
    const sim_op *o = sim_op_find(w, &name);
    ov_arena_reset(&w->tmp);
    if (!o || o->by_server || sv_op_get(t, &name, &w->tmp, &there)) continue;
    FX_OK(sv_op_get(p, &name, &w->tmp, &here_row));
    FX_OK(sv_verdict(t, &there, &w->tmp, &judged, &reason));
    FX_OK(sv_verdict(p, &here_row, &w->tmp, &v, &reason));
    if (judged == OV_HELD)
      sim_fail(w, "held-left", "%s is held in its organisation and lies in the programme", sim_name(&name));
    if (v != judged && !here_row.waiting && judged != OV_WAITING && judged != OV_VOID)
      sim_fail(w, "judged-twice", "%s has verdict %d in its organisation and %d in the programme",
               sim_name(&name), (int)judged, (int)v);
  }
  sv_txn_abort(p);
  sv_txn_abort(t);
}

/* -- the server: records --------------------------------------------------------------------------------- */

static unsigned gather(sim *w, sv_txn *t, const ov_name *record, ov_fold_in *in) {
  unsigned n = 0;
  for (uint32_t i = 0; i < w->n_ops; i++) {
    const sim_op *o = &w->ops[i];
    sv_op_row row;
    ov_verdict v;
    uint8_t reason = 0;
    if (!ov_name_equal(&o->op.record, record) || n == FOLD_OPS_MAX) continue;
    if (sv_op_get(t, &o->op.name, &w->tmp, &row)) continue;
    FX_OK(sv_verdict(t, &row, &w->tmp, &v, &reason));
    if (v == OV_WAITING || v == OV_VOID) continue;
    in[n++] = (ov_fold_in){.op = &o->op,
                           .verdict = v,
                           .reason = reason,
                           .server_time = oc_seconds(row.receipts[0].server_time_ms),
                           .clock_offset = oc_seconds(row.receipts[0].offset_ms)};
  }
  return n;
}

static void check_places(sim *w, const sv_org *org, const sv_record_row *row) {
  sim_where where = sim_record_where(w, &row->rec.name);
  bool gone = sim_rec_erased(w, &row->rec);
  uint32_t bits = 0, other = 0;
  for (uint32_t i = 0; i < row->n_places; i++) {
    uint32_t bit = 0;
    for (unsigned k = 0; k < SIM_TEAMS; k++) bit |= (uint32_t)(w->scopes[k] == row->places[i].scope) << k;
    bits |= bit;
    if (!bit) other = row->places[i].scope + 1;
  }
  if (gone != row->erased || (gone && row->n_places))
    sim_fail(w, "erased-place", "%s (kind %u) is %serased and lies in %u scopes", sim_name(&row->rec.name),
             row->rec.kind, row->erased ? "" : "not ", row->n_places);
  if (org->programme || !where.known || gone) return;
  if (where.teams ? bits != where.teams || other : bits || other != where.scope + 1)
    sim_fail(w, "places", "%s (kind %u) lies in teams %x, other scope %d; it belongs to teams %x, scope %u",
             sim_name(&row->rec.name), row->rec.kind, bits, (int)other - 1, where.teams, where.scope);
}

static void check_records(sim *w, sv_org *org) {
  static ov_fold_in in[FOLD_OPS_MAX];
  sv_txn *t = NULL;
  ov_name name, after;
  const ov_name *from = NULL;
  FX_OK(sv_txn_read(org->env, &t));
  while (!sv_record_next(t, from, &name)) {
    sv_record_row row;
    char why[ORACLE_WHY_MAX];
    ov_arena_reset(&w->tmp);
    after = name;
    from = &after;
    FX_OK(sv_record_get(t, &name, &w->tmp, &row));
    check_places(w, org, &row);
    if (row.erased) continue;
    unsigned n = gather(w, t, &name, in);
    if (!n) sim_fail(w, "record", "%s is a record without an op that counts", sim_name(&name));
    if (!oracle_agrees(in, n, &row.rec, why))
      sim_fail(w, "fold", "%s (%u ops) is not what its ops make: %s", sim_name(&name), n, why);
  }
  sv_txn_abort(t);
}

/* -- a tablet against the server ------------------------------------------------------------------------- */

/* Leaves the window within minutes, or had left it before the server's clock went back: clocks decide. */
static bool on_the_edge(const sim *w, const ov_skind *k, const sv_record_row *row, int64_t now) {
  int64_t later = (now > w->server_high_ms / 1000 ? now : w->server_high_ms / 1000) + 600;
  return k && k->windowed &&
         ov_schema_outside_window(k, &row->rec, row->changed, later) !=
             ov_schema_outside_window(k, &row->rec, row->changed, now - 600);
}

/* Held ops of the programme's records stay in the organisation: their author has them, the programme does
 * not. */
static bool same_record(ov_record one, ov_record other) {
  const ov_record *a = &one, *b = &other;
  ov_buf x, y;
  if (a->scope == 0) one.n_held = other.n_held = 0;
  ov_buf_init(&x, 0);
  ov_buf_init(&y, 0);
  ov_record_encode(a, &x);
  ov_record_encode(b, &y);
  bool same = x.n == y.n && !memcmp(x.p, y.p, x.n);
  ov_buf_free(&x);
  ov_buf_free(&y);
  return same;
}

typedef struct compare {
  sim *w;
  sim_tablet *t;
  oc_txn *x;
  uint32_t bits, found;
} compare;

static bool may_see(const compare *c, const sv_record_row *row) {
  for (uint32_t i = 0; i < row->n_places; i++)
    if (sim_may_read(c->w, c->t->device, &row->rec, row->places[i].scope)) return true;
  return false;
}

/* A refused op of its own stays on the tablet until somebody has looked at it, with the record it was about.
 */
static bool refused_on(oc_txn *x, const ov_name *record) {
  uint8_t prefix[OV_NAME_BYTES], key[OC_DB_KEY_MAX];
  size_t n = 0;
  ov_name_write(record, prefix);
  return !oc_next(x, OC_T_PENDING, prefix, sizeof prefix, NULL, 0, false, key, &n, NULL, NULL, NULL);
}

/* For whoever reads a failure: what the tablet knows of its own ops on a record. */
static void describe_own(const compare *c, const ov_name *record) {
  oc_writer_row row;
  int err = oc_writer_next(c->x, NULL, &row);
  for (; !err; err = oc_writer_next(c->x, &row.writer, &row)) {
    for (uint64_t seq = 1; seq <= row.last; seq++) {
      oc_log_row op;
      FX_OK(oc_log_get(c->x, &row.writer, seq, &c->w->tmp, &op));
      if (!ov_name_equal(&op.op.record, record)) continue;
      fprintf(stderr, "    own %s %s%s%s held %u\n", sim_name(&op.op.name),
              op.state == OC_OP_LOCAL ? "unsent" : "acknowledged", op.absorbed ? ", absorbed" : "",
              op.kept ? "" : ", trimmed", op.held);
    }
  }
}

/* On a device of somebody whose role may not read it: what they wrote there themselves, and nothing else. */
static bool own_words_only(const compare *c, const ov_record *r) {
  oc_writer_row row;
  for (uint32_t i = 0; i < r->n_ops; i++)
    if (oc_writer_get(c->x, &r->ops[i].name.writer, &row)) return false;
  return c->w->admin.devices[c->t->device].personal;
}

static void compare_record(compare *c, const sv_record_row *row) {
  sim *w = c->w;
  oc_server_part p;
  oc_view v;
  int64_t now = sim_server_ms(w) / 1000;
  const ov_skind *k = ov_schemas_kind(w->fx.schemas, row->rec.kind);
  bool edge = on_the_edge(w, k, row, now),
       out = k && k->windowed && ov_schema_outside_window(k, &row->rec, row->changed, now);
  int err = oc_part_get(c->x, &row->rec.name, &w->tmp, &p);
  bool has = !err;
  if (err && err != OV_E_NOTFOUND) FX_OK(err);
  c->found += has;
  if (edge || row->rec.kind == OV_KIND_PURGE) return; /* who wrote one has it; it is sent to nobody here */
  bool want = may_see(c, row) && !out;
  if (has && out && refused_on(c->x, &row->rec.name)) return;
  if (has && !want && own_words_only(c, &p.rec)) return;
  if (has != want)
    sim_fail(w, has ? "replica-extra" : "replica-lacks", "tablet %u (teams %x) %s %s (kind %u)", c->t->id,
             c->bits, has ? "still has" : "lacks", sim_name(&row->rec.name), row->rec.kind);
  if (!has) return;
  if (!same_record(p.rec, row->rec)) {
    sim_describe(w, "tablet", &p.rec);
    describe_own(c, &row->rec.name);
    sim_describe(w, "server", &row->rec);
    sim_fail(w, "replica-differs", "tablet %u holds another state of %s", c->t->id, sim_name(&row->rec.name));
  }
  bool own_held = row->rec.scope == 0 && p.rec.n_held; /* see same_record */
  if (own_held ? p.changed < row->changed : p.changed != row->changed)
    sim_fail(w, "replica-changed", "tablet %u says %s changed at %lld, the server at %lld", c->t->id,
             sim_name(&row->rec.name), (long long)p.changed, (long long)row->changed);
  oc_row shown;
  FX_OK(oc_view_get(c->t->s, c->x, &row->rec.name, &w->tmp, &v));
  if (v.unsent) sim_fail(w, "still-unsent", "tablet %u calls %s unsent", c->t->id, sim_name(&row->rec.name));
  FX_OK(oc_row_get(c->x, &row->rec.name, &w->tmp, &shown));
  bool conflict = ov_record_conflicts(&v.rec) > 0;
  if (conflict != ((shown.flags & OC_ROW_CONFLICT) != 0) ||
      (!v.n_own && conflict != (ov_record_conflicts(&row->rec) > 0)))
    sim_fail(w, "conflict-flag", "tablet %u shows %s with%s a conflict", c->t->id, sim_name(&row->rec.name),
             conflict ? "out" : "");
}

static void compare_env(compare *c, sv_org *org) {
  sv_txn *t = NULL;
  ov_name name, after;
  const ov_name *from = NULL;
  FX_OK(sv_txn_read(org->env, &t));
  while (!sv_record_next(t, from, &name)) {
    sv_record_row row;
    ov_arena_reset(&c->w->tmp);
    after = name;
    from = &after;
    FX_OK(sv_record_get(t, &name, &c->w->tmp, &row));
    compare_record(c, &row);
  }
  sv_txn_abort(t);
}

/* A record that only waits on the server (what it names was lost), or that was to go to the programme and is
 * held, is kept by its author alone. */
static bool waits(sim *w, const ov_name *record) {
  sv_txn *t = NULL;
  bool any = false;
  FX_OK(sv_txn_read(w->org->env, &t));
  for (uint32_t i = 0; i < w->n_ops && !any; i++) {
    sv_op_row row;
    if (!ov_name_equal(&w->ops[i].op.record, record)) continue;
    ov_arena_reset(&w->tmp);
    bool inside = w->ops[i].op.scope == 0 && w->ops[i].verdict == OV_HELD;
    any = !sv_op_get(t, &w->ops[i].op.name, &w->tmp, &row) && (row.waiting || inside);
  }
  sv_txn_abort(t);
  return any;
}

static void check_extra(compare *c) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  uint32_t all = 0, waiting = 0;
  while (!oc_next(c->x, OC_T_RECORD, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL)) {
    ov_name name;
    ov_name_read(key, &name);
    all++;
    waiting += waits(c->w, &name);
  }
  if (all > c->found + waiting)
    sim_fail(c->w, "replica-extra", "tablet %u has %u records of which the server knows %u", c->t->id, all,
             c->found);
}

static void check_tablet(sim *w, sim_tablet *t) {
  oc_error e = {0};
  oc_status st;
  compare c = {.w = w, .t = t, .bits = sim_teams_of(t)};
  if (w->admin.devices[t->device].revoked) return;
  sim_check_erased_tablet(t);
  if (oc_status_get(t->s, &st, &e)) sim_fail(w, "status", "tablet %u: %s", t->id, e.message);
  if (st.unsent)
    sim_fail(w, "unsent", "tablet %u still has %llu unsent ops", t->id, (unsigned long long)st.unsent);
  FX_OK(oc_txn_begin(t->s->db, false, &c.x));
  compare_env(&c, w->org);
  compare_env(&c, w->programme);
  check_extra(&c);
  oc_txn_abort(c.x);
}

/* What a tablet has in its log is on the server; with its content if the tablet has that. */
static void check_handed_over(sim *w, sim_tablet *t) {
  oc_txn *x = NULL;
  oc_writer_row row;
  if (w->admin.devices[t->device].revoked) return;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  int err = oc_writer_next(x, NULL, &row);
  for (; !err; err = oc_writer_next(x, &row.writer, &row)) {
    for (uint64_t seq = 1; seq <= row.last; seq++) {
      oc_log_row op;
      ov_arena_reset(&w->tmp);
      FX_OK(oc_log_get(x, &row.writer, seq, &w->tmp, &op));
      sim_op *o = sim_op_find(w, &op.op.name);
      if (!o || !o->stored)
        sim_fail(w, "not-stored", "tablet %u has %s, the server does not", t->id, sim_name(&op.op.name));
      if (op.kept && !op.as_void && o->is_void && !o->broken)
        sim_fail(w, "content-lost", "tablet %u has the content of %s, the server does not", t->id,
                 sim_name(&op.op.name));
      o->dropped |= !op.kept;
    }
  }
  oc_txn_abort(x);
}

void sim_note_dropped(sim_tablet *t) {
  sim *w = t->w;
  oc_txn *x = NULL;
  oc_writer_row row;
  if (!t->used || !t->s) return;
  FX_OK(oc_txn_begin(t->s->db, false, &x));
  int err = oc_writer_next(x, NULL, &row);
  for (; !err; err = oc_writer_next(x, &row.writer, &row)) {
    for (uint64_t seq = 1; seq <= row.last; seq++) {
      oc_log_row op;
      ov_arena_reset(&w->tmp);
      FX_OK(oc_log_get(x, &row.writer, seq, &w->tmp, &op));
      sim_op *o = op.kept ? NULL : sim_op_find(w, &op.op.name);
      if (o && !o->was_safe && !sim_op_erased(w, &o->op))
        sim_fail(w, "dropped-unsafe", "tablet %u dropped the content of %s, which was never safe", t->id,
                 sim_name(&op.op.name));
      if (o) o->dropped = true;
    }
  }
  oc_txn_abort(x);
}

/* -- coming to rest -------------------------------------------------------------------------------------- */

static void make_well(sim *w) {
  sim_links_drop(w);
  w->fail_in = w->commit_fails_in = -1;
  if (w->failing) sim_server_crash(w);
  if (w->disk_full) sim_disk(w, false);
  for (unsigned i = 0; i < SIM_TABLETS_MAX; i++) {
    sim_tablet *t = &w->tablets[i];
    if (!t->used) continue;
    t->map_bytes = 0;
    sim_tablet_crash(t);
  }
}

static bool one_round(sim *w) {
  uint64_t deltas = w->st.deltas, acks = w->st.acks;
  bool again = false;
  for (unsigned i = 0; i < SIM_TABLETS_MAX; i++) {
    sim_tablet *t = &w->tablets[i];
    if (!t->used || !t->enrolled) continue;
    int said = sim_sync(t);
    again |= said && !w->admin.devices[t->device].revoked;
  }
  return again || w->st.deltas != deltas || w->st.acks != acks;
}

void sim_quiesce(sim *w) {
  make_well(w);
  unsigned rounds = 0;
  while (one_round(w)) {
    for (int i = 0; i < 50 && sim_net_move(w, &w->rng); i++) {}
    if (++rounds == ROUNDS_MAX)
      sim_fail(w, "no-rest", "after %u rounds of syncs something still moves", rounds);
  }
  sim_say(w, "rest after %u rounds", rounds);
  w->st.quiets++;
  sim_model_server(w);
  for (unsigned i = 0; i < SIM_TABLETS_MAX; i++) sim_note_dropped(&w->tablets[i]);
  check_ops(w);
  check_programme(w);
  sim_check_erased_server(w);
  fx_verify(&w->fx, w->org);
  fx_verify(&w->fx, w->programme);
  check_records(w, w->org);
  check_records(w, w->programme);
  for (unsigned i = 0; i < SIM_TABLETS_MAX; i++) {
    sim_tablet *t = &w->tablets[i];
    if (!t->used || !t->enrolled) continue;
    check_handed_over(w, t);
    check_tablet(w, t);
    sim_check_ended(t);
    sim_check_acked(t);
    sim_check_own(t, &w->rng, 0);
  }
}

/* -- one number for all that is left --------------------------------------------------------------------- */

static void state_of_env(sim *w, sv_org *org, ov_buf *out) {
  sv_txn *t = NULL;
  sv_scope s;
  FX_OK(sv_txn_read(org->env, &t));
  for (int64_t scope = -1; !sv_scope_next(t, scope, &s); scope = s.scope) {
    ov_buf_put(out, &s.pos, sizeof s.pos);
    ov_buf_put(out, s.hash, sizeof s.hash);
  }
  sv_txn_abort(t);
  (void)w;
}

ov_hash sim_state(sim *w) {
  ov_buf b;
  ov_hash h;
  ov_buf_init(&b, 1u << 30);
  state_of_env(w, w->org, &b);
  state_of_env(w, w->programme, &b);
  for (uint32_t i = 0; i < w->n_ops; i++) ov_buf_put(&b, &w->ops[i].head, sizeof w->ops[i].head);
  uint64_t n[] = {w->st.messages,       w->st.bytes,  w->st.deltas, w->st.acks,
                  (uint64_t)w->true_ms, w->fx.random, w->rng.state};
  ov_buf_put(&b, n, sizeof n);
  FX_OK(ov_sha256(w->fx.hasher, b.p, b.n, &h));
  ov_buf_free(&b);
  return h;
}
