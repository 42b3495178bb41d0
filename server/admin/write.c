/* Drafts become ops of the server's own log. What a record holds is read inside the write transaction, so
 * that an edit names exactly the values it replaces. The work may run again (the map grew), so it changes
 * nothing but its own outcome. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin_priv.h"

typedef struct write_job {
  adm *m;
  adm_draft *d;
  const ov_name *record; /* NULL: creates */
  ov_name name;          /* of the op made */
  ov_problem why;
  bool nothing; /* all values were there already */
} write_job;

/* -- what is there now ------------------------------------------------------------------- */

static bool listed(const ov_value *set, uint32_t n, const ov_value *v) {
  for (uint32_t i = 0; i < n; i++) {
    if (!ov_value_compare(&set[i], v)) return true;
  }
  return false;
}

/* The elements that are in the set as it is shown: added by its leading entry. */
static uint32_t live_elements(const ov_record *r, uint16_t field, ov_value *out, uint32_t max) {
  uint32_t n = 0, k = 0;
  const ov_live *l = ov_record_field(r, field, &n);
  for (uint32_t i = 0; i < n && k < max; i++) {
    if (!l[i].is_elem || l[i].v.type != OV_V_INT || l[i].v.i != 1) continue;
    if (!k || ov_value_compare(&out[k - 1], &l[i].elem)) out[k++] = l[i].elem;
  }
  return k;
}

/* What an op must add and delete so that the set becomes (or gains, or loses) what was asked. False:
 * nothing. */
static bool set_change(const ov_record *r, const adm_field *f, ov_arena *a, ov_value *out) {
  ov_value *live = ov_arena_array(a, OV_SET_ELEMENTS_MAX, sizeof *live);
  ov_value *add = ov_arena_array(a, OV_SET_ELEMENTS_MAX, sizeof *add),
           *del = ov_arena_array(a, OV_SET_ELEMENTS_MAX, sizeof *del);
  *out = (ov_value){.type = OV_V_SET};
  if (!live || !add || !del) return false;
  uint32_t n = r ? live_elements(r, f->f->id, live, OV_SET_ELEMENTS_MAX) : 0, n_add = 0, n_del = 0;
  for (uint32_t i = 0; i < f->v.set.n_add; i++) {
    const ov_value *e = &f->v.set.add[i];
    bool there = listed(live, n, e);
    if (f->how == '-' ? there : !there) *(f->how == '-' ? &del[n_del++] : &add[n_add++]) = *e;
  }
  for (uint32_t i = 0; f->how == '=' && i < n; i++) {
    if (!listed(f->v.set.add, f->v.set.n_add, &live[i])) del[n_del++] = live[i];
  }
  out->set.add = add;
  out->set.del = del;
  out->set.n_add = n_add;
  out->set.n_del = n_del;
  return n_add + n_del > 0;
}

static bool value_change(const ov_record *r, const adm_field *f, ov_value *out) {
  uint32_t n = 0;
  const ov_live *l = r ? ov_record_field(r, f->f->id, &n) : NULL;
  *out = f->v;
  if (f->v.type == OV_V_NIL) return n > 0 && l->v.type != OV_V_NIL;
  return !l || ov_record_field_conflict(r, f->f->id) || !ov_value_equal(&l->v, &f->v);
}

/* -- the op ------------------------------------------------------------------------------ */

static int add_names(ov_op *op, const ov_name *names, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t at = op->n_replaces;
    while (at && ov_name_compare(&op->replaces[at - 1], &names[i]) > 0) at--;
    if (at && ov_name_equal(&op->replaces[at - 1], &names[i])) continue;
    if (op->n_replaces == OV_OP_REPLACES_MAX) return 0; /* a second edit settles the rest */
    memmove(&op->replaces[at + 1], &op->replaces[at], (op->n_replaces - at) * sizeof *op->replaces);
    op->replaces[at] = names[i];
    op->n_replaces++;
  }
  return 0;
}

static int add_field(ov_op *op, const ov_record *r, uint16_t id, const ov_value *v, ov_arena *a) {
  ov_name *names;
  uint32_t n = 0;
  op->fields[op->n_fields++] = (ov_field){id, *v};
  int err = r ? ov_record_replaces(r, id, a, &names, &n) : 0;
  return err || !n ? err : add_names(op, names, n);
}

static int add_retraction(write_job *j, ov_op *op, const ov_record *r, ov_arena *a) {
  ov_value v = *j->d->retract ? ov_text(j->d->retract) : ov_nil();
  ov_name *names;
  uint32_t n = 0;
  int err = add_field(op, r, OV_FIELD_RETRACTED, &v, a);
  if (err || v.type == OV_V_NIL) return err;
  err = ov_record_seen_all(r, a, &names, &n);
  return err || !n ? err : add_names(op, names, n);
}

static int fill(write_job *j, ov_op *op, const ov_record *r, ov_arena *a) {
  const adm_draft *d = j->d;
  op->fields = ov_arena_array(a, d->n + 2u, sizeof *op->fields);
  op->replaces = ov_arena_array(a, OV_OP_REPLACES_MAX + 1u, sizeof *op->replaces);
  if (!op->fields || !op->replaces) return OV_E_NOMEM;
  int err = d->retract ? add_retraction(j, op, r, a) : 0;
  for (uint32_t i = 0; !err && i < d->n; i++) {
    const adm_field *f = &d->fields[i];
    ov_value v;
    bool changes = f->v.type == OV_V_SET ? set_change(r, f, a, &v) : value_change(r, f, &v);
    if (changes) err = add_field(op, r, f->f->id, &v, a);
  }
  return err;
}

/* Judged as ingest will judge it, but with the exact words. */
static int ingest(write_job *j, ov_op *op, sv_txn *t, ov_arena *a, sv_touches *touches) {
  j->nothing = !op->n_fields;
  if (j->nothing) return 0;
  if (ov_schema_check_op(j->m->h->schemas, op, &j->why)) return OV_E_INVALID;
  return sv_ingest_local(t, j->d->org, op, a, touches, &j->name);
}

static int create_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  write_job *j = arg;
  const adm_draft *d = j->d;
  ov_op op = {.scope = d->scope,
              .creates = true,
              .kind = d->k->id,
              .version = d->k->version,
              .has_participant = d->has_participant,
              .participant = d->participant};
  j->why = (ov_problem){0};
  int err = fill(j, &op, NULL, a);
  if (!err && d->new_scope) {
    err = sv_org_next_scope(t, &op.scope);
    uint32_t at = op.n_fields;
    while (at && op.fields[at - 1].id > SV_TEAM_SCOPE) at--;
    memmove(&op.fields[at + 1], &op.fields[at], (op.n_fields - at) * sizeof *op.fields);
    op.fields[at] = (ov_field){SV_TEAM_SCOPE, ov_int(op.scope)};
    op.n_fields++;
  }
  return err ? err : ingest(j, &op, t, a, touches);
}

static int change_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  write_job *j = arg;
  sv_record_row row;
  j->why = (ov_problem){0};
  int err = sv_record_get(t, j->record, a, &row);
  if (err) return err;
  if (row.erased) return OV_E_DENIED;
  ov_op op = {.scope = row.rec.scope,
              .record = *j->record,
              .kind = row.rec.kind,
              .version = j->d->k->version,
              .has_participant = row.rec.has_participant,
              .participant = row.rec.participant};
  if (op.kind == OV_KIND_PARTICIPANT) {
    op.has_participant = true;
    op.participant = *j->record;
  }
  err = fill(j, &op, &row.rec, a);
  return err ? err : ingest(j, &op, t, a, touches);
}

static int finish(write_job *j, int err) {
  adm *m = j->m;
  if (err && j->why.reason) return adm_fail(m, OV_E_INVALID, NULL, "%s", j->why.text_en);
  if (err == OV_E_DENIED)
    return adm_fail(m, err, NULL, "this participant was erased: nothing can be written about them");
  if (err == OV_E_NOTFOUND)
    return adm_fail(m, err, NULL, "the record, or the participant it is about, is not here");
  if (err == OV_E_INVALID) return adm_fail(m, err, NULL, "the %s does not fit what it names", j->d->k->name);
  return err ? adm_failed(m, err, j->d->org->name) : 0;
}

int draft_create(adm *m, adm_draft *d, ov_name *name) {
  write_job j = {.m = m, .d = d};
  if (m->err) return m->err;
  int err = finish(&j, m->h->write(m->h->ctx, d->org, create_work, &j));
  if (!err && j.nothing)
    return adm_fail(m, OV_E_INVALID, NULL, "a %s without any value says nothing", d->k->name);
  *name = j.name;
  if (!err) adm_about(m, name);
  return err;
}

int draft_change(adm *m, adm_draft *d, const ov_name *record) {
  write_job j = {.m = m, .d = d, .record = record};
  if (m->err) return m->err;
  adm_about(m, record);
  if (!d->n && !d->retract) return adm_fail(m, OV_E_INVALID, "see --help", "nothing to change was given");
  int err = finish(&j, m->h->write(m->h->ctx, d->org, change_work, &j));
  if (!err && j.nothing) adm_note(m, "nothing to change: the record says so already");
  else if (!err) adm_set(m, "op", adm_name_json(&j.name));
  return err;
}

/* Two of one name cannot be told apart on a tablet, nor here. */
int draft_label_free(adm *m, adm_draft *d, const ov_name *self) {
  const ov_sfield *f = find_label_field(d->k);
  const ov_value *v = NULL;
  for (uint32_t i = 0; i < d->n; i++) {
    if (d->fields[i].f == f && d->fields[i].v.type == OV_V_TEXT) v = &d->fields[i].v;
  }
  ov_name *names = NULL;
  uint32_t n = 0;
  sv_txn *t = v ? adm_read(m, d->org) : NULL;
  if (!t) return m->err;
  int err = find_all(m, t, d->k->id, &names, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    char label[OV_LABEL_BYTES_MAX + 1];
    err = adm_record(m, t, &names[i], &row);
    if (err || !record_is_live(&row.rec) || (self && ov_name_equal(self, &names[i]))) continue;
    find_label(m, &row.rec, label, sizeof label);
    if (strlen(label) != v->s.n || strncasecmp(label, (const char *)v->s.p, v->s.n)) continue;
    err = adm_fail(m, OV_E_EXISTS, "give it a name that tells it apart", "there is a %s \"%s\" already",
                   d->k->name, label);
  }
  sv_txn_abort(t);
  return m->err ? m->err : err;
}
