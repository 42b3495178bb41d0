/* Writing what an import brings, once: what a key has made is remembered, with a hash of each field, so that
 * a corrected source changes what the import wrote and nothing that people wrote since. */
#include <stdlib.h>
#include <string.h>

#include "draft.h"

#define ONCE_BYTES_MAX (32u << 20)
/* Edits by imports that one entry remembers, besides the op that made it. A source that corrects an entry
 * more often leaves its oldest corrections standing as people's own. */
#define ONCE_OPS_MAX 32
#define FIELD_HASH 8

typedef struct made {
  ov_name record;
  uint8_t content[16];
  ov_name ops[ONCE_OPS_MAX]; /* ascending age */
  uint32_t n_ops;
  struct {
    uint16_t id;
    uint8_t hash[FIELD_HASH];
  } fields[OV_OP_FIELDS_MAX];
  uint32_t n_fields;
} made;

/* -- what is remembered ---------------------------------------------------------------------------------- */

static int made_put(oc_txn *t, const uint8_t key[16], const made *m) {
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_mpw_array(&b, 4);
  ov_mpw_name(&b, &m->record);
  ov_mpw_bin(&b, m->content, sizeof m->content);
  ov_mpw_array(&b, m->n_ops);
  for (uint32_t i = 0; i < m->n_ops; i++) ov_mpw_name(&b, &m->ops[i]);
  ov_mpw_array(&b, 2 * m->n_fields);
  for (uint32_t i = 0; i < m->n_fields; i++) {
    ov_mpw_uint(&b, m->fields[i].id);
    ov_mpw_bin(&b, m->fields[i].hash, FIELD_HASH);
  }
  int err = b.err ? b.err : oc_put(t, OC_T_IMPORT, key, 16, b.p, b.n);
  ov_buf_free(&b);
  return err;
}

static int made_get(oc_txn *t, const uint8_t key[16], ov_arena *a, made *m) {
  const uint8_t *p = NULL;
  size_t n = 0;
  ov_mpr r;
  *m = (made){0};
  int err = oc_get(t, OC_T_IMPORT, key, 16, a, &p, &n);
  if (err) return err;
  ov_mpr_init(&r, p, n);
  ov_mpr_array_of(&r, 4);
  ov_mpr_name(&r, &m->record);
  ov_mpr_bytes(&r, m->content, sizeof m->content);
  m->n_ops = ov_mpr_array(&r);
  if (m->n_ops > ONCE_OPS_MAX) ov_mpr_fail(&r, OV_E_FORMAT);
  for (uint32_t i = 0; i < m->n_ops && !r.err; i++) ov_mpr_name(&r, &m->ops[i]);
  m->n_fields = ov_mpr_array(&r) / 2;
  if (m->n_fields > OV_OP_FIELDS_MAX) ov_mpr_fail(&r, OV_E_FORMAT);
  for (uint32_t i = 0; i < m->n_fields && !r.err; i++) {
    m->fields[i].id = (uint16_t)ov_mpr_uint(&r, OV_FIELD_ID_MAX);
    ov_mpr_bytes(&r, m->fields[i].hash, FIELD_HASH);
  }
  if (!ov_mpr_done(&r)) return 0;
  oc_txn_fail(t, OV_E_CORRUPT);
  return OV_E_CORRUPT;
}

static void remember_op(made *m, const ov_name *op) {
  if (m->n_ops == ONCE_OPS_MAX) memmove(&m->ops[0], &m->ops[1], --m->n_ops * sizeof m->ops[0]);
  m->ops[m->n_ops++] = *op;
}

static bool by_import(const made *m, const ov_name *op) {
  if (ov_name_equal(op, &m->record)) return true;
  for (uint32_t i = 0; i < m->n_ops; i++) {
    if (ov_name_equal(op, &m->ops[i])) return true;
  }
  return false;
}

static int value_hash(oc_txn *t, const ov_value *v, uint8_t out[FIELD_HASH]) {
  uint8_t whole[16];
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_value_encode(v, &b);
  int err = b.err ? b.err : oc_index_hash(t, b.p, b.n, whole);
  if (!err) memcpy(out, whole, FIELD_HASH);
  ov_buf_free(&b);
  return err;
}

static int remember_fields(oc_txn *t, const oc_draft *d, made *m) {
  m->n_fields = d->n_fields;
  for (uint32_t i = 0; i < d->n_fields; i++) {
    m->fields[i].id = d->fields[i].id;
    int err = value_hash(t, &d->fields[i].v, m->fields[i].hash);
    if (err) return err;
  }
  return 0;
}

/* -- new ------------------------------------------------------------------------------------------------- */

static int add_new(oc_store *s, oc_txn *t, oc_once *it, ov_arena *a) {
  ov_op op;
  bool nothing;
  made m = {0};
  int err = oc_draft_op(it->draft, t, a, &op, &nothing, &it->error);
  if (!err) err = oc_fail(&it->error, oc_log_append(s, t, &op, a));
  if (err) return err;
  m.record = op.record;
  memcpy(m.content, it->content, sizeof m.content);
  err = remember_fields(t, it->draft, &m);
  if (!err) err = made_put(t, it->key, &m);
  ov_name_text(&op.record, it->id);
  it->outcome = OC_ONCE_NEW;
  return oc_fail(&it->error, err);
}

/* -- changed --------------------------------------------------------------------------------------------- */

typedef struct correction {
  oc_store *s;
  oc_txn *t;
  ov_arena *a;
  oc_draft *d;
  const made *m;
  bool here;
  oc_view v;
  ov_op op;
} correction;

static bool has_value(const ov_value *v, uint32_t n, const ov_value *x) {
  for (uint32_t i = 0; i < n; i++) {
    if (ov_value_equal(&v[i], x)) return true;
  }
  return false;
}

/* Codes that the source has now and nobody has set; codes that an import set and the source has no more. */
static int correct_set(correction *c, uint16_t field, const ov_value *want, ov_value *out) {
  uint32_t n = 0;
  const ov_live *l = c->here ? ov_record_field(&c->v.rec, field, &n) : NULL;
  *out = (ov_value){.type = OV_V_SET};
  out->set.add = ov_arena_array(c->a, want->set.n_add + 1, sizeof *out->set.add);
  out->set.del = ov_arena_array(c->a, n + 1, sizeof *out->set.del);
  if (!out->set.add || !out->set.del) return OV_E_NOMEM;
  for (uint32_t i = 0; i < want->set.n_add; i++) {
    bool live = false;
    for (uint32_t j = 0; j < n && !live; j++)
      live = l[j].is_elem && l[j].v.i == 1 && ov_value_equal(&l[j].elem, &want->set.add[i]);
    if (!live) out->set.add[out->set.n_add++] = want->set.add[i];
  }
  for (uint32_t i = 0; i < n; i++) {
    if (!l[i].is_elem || l[i].v.i != 1 || has_value(want->set.add, want->set.n_add, &l[i].elem)) continue;
    bool again = out->set.n_del && ov_value_equal(&out->set.del[out->set.n_del - 1], &l[i].elem);
    if (!again && by_import(c->m, &c->v.rec.ops[l[i].op].name)) out->set.del[out->set.n_del++] = l[i].elem;
  }
  return 0;
}

/* What imports wrote in this field and still stands; all they ever wrote when the record is not here to
 * tell. */
static int replaced(correction *c, uint16_t field) {
  uint32_t n = 0;
  int err = 0;
  if (!c->here) {
    err = oc_names_add(&c->op, &c->m->record, 1, c->a);
    for (uint32_t i = 0; !err && i < c->m->n_ops; i++) err = oc_names_add(&c->op, &c->m->ops[i], 1, c->a);
    return err;
  }
  const ov_live *l = ov_record_field(&c->v.rec, field, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    const ov_name *op = &c->v.rec.ops[l[i].op].name;
    if (by_import(c->m, op)) err = oc_names_add(&c->op, op, 1, c->a);
  }
  return err;
}

static int correct_field(correction *c, uint16_t id, const ov_value *want) {
  ov_field *f = &c->op.fields[c->op.n_fields];
  uint8_t hash[FIELD_HASH];
  int err = value_hash(c->t, want, hash);
  if (err) return err;
  for (uint32_t i = 0; i < c->m->n_fields; i++) {
    if (c->m->fields[i].id == id && !memcmp(c->m->fields[i].hash, hash, FIELD_HASH)) return 0;
  }
  *f = (ov_field){.id = id, .v = *want};
  if (want->type == OV_V_SET) err = correct_set(c, id, want, &f->v);
  if (err) return err;
  if (f->v.type == OV_V_SET && !f->v.set.n_add && !f->v.set.n_del) return 0;
  c->op.n_fields++;
  return replaced(c, id);
}

/* A field that the source had and has no more is cleared. */
static int clear_field(correction *c, const ov_skind *k, uint16_t id) {
  for (uint32_t i = 0; i < c->d->n_fields; i++) {
    if (c->d->fields[i].id == id) return 0;
  }
  const ov_sfield *f = ov_skind_field(k, id);
  if (!f) return 0;
  ov_value none = oc_ftype_is_set(f->type) ? (ov_value){.type = OV_V_SET} : ov_nil();
  return correct_field(c, id, &none);
}

static int by_id(const void *a, const void *b) {
  const ov_field *x = a, *y = b;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* Header as a new entry would have it, so that participant, author and team are checked the same way; then it
 * names the record. */
static int correction_header(correction *c, oc_error *e) {
  bool nothing;
  int err = oc_draft_op(c->d, c->t, c->a, &c->op, &nothing, e);
  if (err) return err;
  err = oc_view_get(c->s, c->t, &c->m->record, c->a, &c->v);
  c->here = !err && c->v.rec.kind == c->op.kind;
  if (err && err != OV_E_NOTFOUND) return oc_fail(e, err);
  if (c->here && c->op.has_participant && !ov_name_equal(&c->op.participant, &c->v.rec.participant)) {
    return oc_say(e, OC_E_INVALID,
                  "an earlier import wrote this entry about another client; retract that one first");
  }
  c->op.creates = false;
  c->op.record = c->m->record;
  if (c->here) c->op.scope = c->v.rec.scope;
  c->op.n_fields = 0;
  c->op.fields = ov_arena_array(c->a, c->m->n_fields + c->d->n_fields + 1, sizeof *c->op.fields);
  return c->op.fields ? 0 : oc_fail(e, OV_E_NOMEM);
}

static int correct(oc_store *s, oc_txn *t, oc_once *it, made *m, ov_arena *a) {
  correction c = {.s = s, .t = t, .a = a, .d = it->draft, .m = m};
  const ov_skind *k = oc_draft_kind(it->draft, &it->error);
  int err = k ? correction_header(&c, &it->error) : OC_E_NOTFOUND;
  if (err) return err;
  for (uint32_t i = 0; !err && i < c.d->n_fields; i++)
    err = correct_field(&c, c.d->fields[i].id, &c.d->fields[i].v);
  for (uint32_t i = 0; !err && i < m->n_fields; i++) err = clear_field(&c, k, m->fields[i].id);
  if (err) return oc_fail(&it->error, err);
  if (c.op.n_fields) {
    qsort(c.op.fields, c.op.n_fields, sizeof *c.op.fields, by_id);
    err = oc_op_check(s, t, &c.op, a, &it->error);
    if (!err) err = oc_fail(&it->error, oc_log_append(s, t, &c.op, a));
    if (err) return err;
    remember_op(m, &c.op.name);
  }
  memcpy(m->content, it->content, sizeof m->content);
  err = remember_fields(t, it->draft, m);
  if (!err) err = made_put(t, it->key, m);
  it->outcome = c.op.n_fields ? OC_ONCE_CHANGED : OC_ONCE_SAME;
  return oc_fail(&it->error, err);
}

/* -- all items ------------------------------------------------------------------------------------------- */

static int add_one(oc_store *s, oc_txn *t, oc_once *it, ov_arena *a) {
  made m;
  it->outcome = OC_ONCE_REFUSED;
  it->id[0] = 0;
  it->error = (oc_error){0};
  if (it->draft->edit) return oc_say(&it->error, OC_E_INVALID, "an import writes new records only");
  int err = made_get(t, it->key, a, &m);
  if (err == OV_E_NOTFOUND) return add_new(s, t, it, a);
  if (err) return oc_fail(&it->error, err);
  ov_name_text(&m.record, it->id);
  if (memcmp(m.content, it->content, sizeof m.content)) return correct(s, t, it, &m, a);
  it->outcome = OC_ONCE_SAME;
  return 0;
}

int oc_add_once(oc_store *s, oc_once *items, size_t n, bool dry, oc_error *e) {
  if (e) *e = (oc_error){0};
  if (n > OC_ONCE_MAX) return oc_say(e, OC_E_INVALID, "%zu items at once, at most %d", n, OC_ONCE_MAX);
  oc_txn *t;
  oc_self before;
  ov_arena a;
  ov_arena_init(&a, ONCE_BYTES_MAX);
  int err = oc_write_begin(s, &t, &before, e);
  for (size_t i = 0; !err && i < n; i++) {
    ov_arena_reset(&a);
    add_one(s, t, &items[i], &a);
    if (items[i].error.err) items[i].outcome = OC_ONCE_REFUSED;
    if (t && oc_txn_error(t)) err = oc_fail(e, oc_txn_error(t)); /* the store, not the item */
  }
  if (!err && dry) {
    oc_txn_abort(t); /* the same work, never committed: what it says is what would happen */
    s->self = before;
    for (size_t i = 0; i < n; i++) {
      if (items[i].outcome == OC_ONCE_NEW) items[i].id[0] = 0;
    }
  } else {
    err = oc_write_end(s, t, &before, err, e);
  }
  ov_arena_free(&a);
  return err;
}
