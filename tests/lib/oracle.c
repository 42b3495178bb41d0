#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
  const ov_fold_in *in;
  uint16_t field;
  bool is_elem;
  ov_value elem, v;
} entry;

typedef struct state {
  const ov_fold_in *ops;
  size_t n;
  entry *live;
  size_t n_live;
  char *why;
} state;

__attribute__((format(printf, 2, 3))) static bool differs(state *s, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vsnprintf(s->why, ORACLE_WHY_MAX, fmt, args);
  va_end(args);
  return false;
}

static bool same_name(const ov_name *a, const ov_name *b) {
  return !memcmp(a->writer.b, b->writer.b, OV_ID_BYTES) && a->seq == b->seq &&
         !memcmp(a->tag, b->tag, OV_TAG_BYTES);
}

static int name_order(const ov_name *a, const ov_name *b) {
  int c = memcmp(a->writer.b, b->writer.b, OV_ID_BYTES);
  if (c) return c;
  if (a->seq != b->seq) return a->seq < b->seq ? -1 : 1;
  return memcmp(a->tag, b->tag, OV_TAG_BYTES);
}

/* Of single values only. */
static bool same_value(const ov_value *a, const ov_value *b) {
  if (a->type != b->type) return false;
  if (a->type == OV_V_NIL) return true;
  if (a->type == OV_V_INT) return a->i == b->i;
  return a->s.n == b->s.n && (a->s.n == 0 || !memcmp(a->s.p, b->s.p, a->s.n));
}

static int element_order(const ov_value *a, const ov_value *b) {
  if (a->type != b->type) return a->type < b->type ? -1 : 1;
  if (a->type == OV_V_INT) return a->i < b->i ? -1 : a->i > b->i;
  int c = memcmp(a->s.p, b->s.p, a->s.n < b->s.n ? a->s.n : b->s.n);
  return c ? c : (int)a->s.n - (int)b->s.n;
}

static bool same_cell(const entry *a, const entry *b) {
  return a->field == b->field && a->is_elem == b->is_elem && (!a->is_elem || same_value(&a->elem, &b->elem));
}

/* All that an op says, cell by cell. */
static size_t says(const ov_fold_in *in, entry *out) {
  size_t n = 0;
  for (uint32_t i = 0; i < in->op->n_fields; i++) {
    const ov_field *f = &in->op->fields[i];
    if (f->v.type != OV_V_SET) out[n++] = (entry){in, f->id, false, {.type = OV_V_NIL}, f->v};
    else {
      for (uint32_t k = 0; k < f->v.set.n_add; k++)
        out[n++] = (entry){in, f->id, true, f->v.set.add[k], {.type = OV_V_INT, .i = 1}};
      for (uint32_t k = 0; k < f->v.set.n_del; k++)
        out[n++] = (entry){in, f->id, true, f->v.set.del[k], {.type = OV_V_INT, .i = 0}};
    }
  }
  return n;
}

static size_t said(const ov_fold_in *in) {
  size_t n = 0;
  for (uint32_t i = 0; i < in->op->n_fields; i++) {
    const ov_value *v = &in->op->fields[i].v;
    n += v->type == OV_V_SET ? (size_t)v->set.n_add + v->set.n_del : 1;
  }
  return n;
}

static bool carries(const ov_fold_in *in, const entry *cell) {
  entry *all = calloc(said(in) + 1, sizeof *all);
  size_t n = says(in, all);
  bool found = false;
  for (size_t i = 0; i < n; i++) found |= same_cell(&all[i], cell);
  free(all);
  return found;
}

static bool names(const ov_fold_in *r, const ov_name *n) {
  for (uint32_t i = 0; i < r->op->n_replaces; i++)
    if (same_name(&r->op->replaces[i], n)) return true;
  return false;
}

/* "Op R replaces op N in a cell when both carry it and R names N"; not itself. */
static bool replaces(const ov_fold_in *r, const ov_fold_in *n, const entry *cell) {
  return r != n && names(r, &n->op->name) && carries(r, cell) && carries(n, cell);
}

static bool is_replaced(const state *s, const entry *cell) {
  bool *counts = calloc(s->n, sizeof *counts), changed = true, replaced = false;
  for (size_t i = 0; i < s->n; i++) counts[i] = s->ops[i].verdict == OV_APPLIED;
  while (changed) {
    changed = false;
    for (size_t h = 0; h < s->n; h++) {
      if (counts[h] || (s->ops[h].verdict != OV_HELD && s->ops[h].verdict != OV_DISMISSED)) continue;
      for (size_t r = 0; r < s->n; r++)
        if (counts[r] && replaces(&s->ops[r], &s->ops[h], cell)) counts[h] = changed = true;
    }
  }
  for (size_t r = 0; r < s->n; r++) replaced |= counts[r] && replaces(&s->ops[r], cell->in, cell);
  free(counts);
  return replaced;
}

static void fold(state *s) {
  size_t most = 0;
  for (size_t i = 0; i < s->n; i++) most += said(&s->ops[i]);
  s->live = calloc(most + 1, sizeof *s->live);
  for (size_t i = 0; i < s->n; i++) {
    if (s->ops[i].verdict != OV_APPLIED) continue;
    entry *all = calloc(said(&s->ops[i]) + 1, sizeof *all);
    size_t n = says(&s->ops[i], all);
    for (size_t k = 0; k < n; k++)
      if (!is_replaced(s, &all[k])) s->live[s->n_live++] = all[k];
    free(all);
  }
}

static int64_t corrected(const ov_fold_in *in) {
  __int128 t = (__int128)in->op->device_time + in->clock_offset;
  if (t > in->server_time) t = in->server_time;
  if (t < INT64_MIN) t = INT64_MIN;
  return (int64_t)t;
}

static const ov_op *header_op(const state *s) {
  const ov_op *best = NULL;
  for (size_t i = 0; i < s->n; i++) {
    const ov_op *op = s->ops[i].op;
    if (op->is_void) continue;
    if (op->creates) return op;
    if (!best || name_order(&op->name, &best->name) < 0) best = op;
  }
  return best;
}

static bool check_header(state *s, const ov_record *r) {
  const ov_op *h = header_op(s);
  if (!h) return r->kind == 0 || differs(s, "a header without an op that has one");
  uint16_t version = h->version;
  bool created = false;
  for (size_t i = 0; i < s->n; i++) {
    if (s->ops[i].verdict != OV_APPLIED) continue;
    if (s->ops[i].op->version > version) version = s->ops[i].op->version;
    created |= same_name(&s->ops[i].op->name, &h->record);
  }
  if (!same_name(&r->name, &h->record)) return differs(s, "name of the record");
  if (r->kind != h->kind || r->scope != h->scope || r->version != version)
    return differs(s, "kind, scope or version");
  if (r->has_participant != h->has_participant ||
      (h->has_participant && !same_name(&r->participant, &h->participant)))
    return differs(s, "participant");
  return r->created == created || differs(s, "created");
}

static bool is_retraction(const entry *e) { return e->field == 1 && !e->is_elem && e->v.type != OV_V_NIL; }

static bool holds_live(const state *s, const ov_fold_in *in) {
  for (size_t i = 0; i < s->n_live; i++)
    if (s->live[i].in == in) return true;
  return false;
}

static bool named_by_retraction(const state *s, const ov_fold_in *in) {
  for (size_t i = 0; i < s->n_live; i++)
    if (is_retraction(&s->live[i]) && s->live[i].in != in && names(s->live[i].in, &in->op->name)) return true;
  return false;
}

static const ov_rop *find_op(const ov_record *r, const ov_name *name) {
  for (uint32_t i = 0; i < r->n_ops; i++)
    if (same_name(&r->ops[i].name, name)) return &r->ops[i];
  return NULL;
}

static bool in_names(const ov_name *list, uint32_t n, const ov_name *name) {
  for (uint32_t i = 0; i < n; i++)
    if (same_name(&list[i], name)) return true;
  return false;
}

static bool check_ops(state *s, const ov_record *r) {
  uint32_t ops = 0, seen = 0;
  for (size_t i = 0; i < s->n; i++) {
    const ov_fold_in *in = &s->ops[i];
    bool listed = in->verdict == OV_APPLIED && (holds_live(s, in) || same_name(&in->op->name, &r->name));
    const ov_rop *o = find_op(r, &in->op->name);
    if (listed != (o != NULL)) return differs(s, "op %zu should%s be listed", i, listed ? "" : " not");
    if (!listed) continue;
    ops++;
    bool suspect = in->clock_offset > 300 || in->clock_offset < -300;
    if (o->time != corrected(in) || o->flags != (suspect ? 1 : 0))
      return differs(s, "time or flags of op %zu", i);
    if (o->has_author != in->op->has_author || (o->has_author && !same_name(&o->author, &in->op->author)))
      return differs(s, "author of op %zu", i);
    bool expect = named_by_retraction(s, in);
    seen += expect;
    if (expect != in_names(r->seen, r->n_seen, &in->op->name)) return differs(s, "seen, op %zu", i);
  }
  if (ops != r->n_ops || seen != r->n_seen) return differs(s, "number of ops or seen");
  for (uint32_t i = 1; i < r->n_ops; i++)
    if (name_order(&r->ops[i - 1].name, &r->ops[i].name) >= 0) return differs(s, "order of ops");
  for (uint32_t i = 1; i < r->n_seen; i++)
    if (name_order(&r->seen[i - 1], &r->seen[i]) >= 0) return differs(s, "order of seen");
  return true;
}

static bool check_held(state *s, const ov_record *r) {
  uint32_t held = 0;
  for (size_t i = 0; i < s->n; i++) {
    const ov_fold_in *in = &s->ops[i];
    if (in->verdict != OV_HELD && in->verdict != OV_DISMISSED) continue;
    held++;
    bool found = false;
    for (uint32_t k = 0; k < r->n_held; k++)
      found |= same_name(&r->held[k].name, &in->op->name) && r->held[k].verdict == in->verdict &&
               r->held[k].reason == in->reason;
    if (!found) return differs(s, "held op %zu", i);
  }
  for (uint32_t i = 1; i < r->n_held; i++)
    if (name_order(&r->held[i - 1].name, &r->held[i].name) >= 0) return differs(s, "order of held");
  return held == r->n_held || differs(s, "number of held ops");
}

/* Does a come before b? */
static bool in_order(const ov_record *r, const ov_live *a, const ov_live *b) {
  if (a->field != b->field) return a->field < b->field;
  if (a->is_elem != b->is_elem) return b->is_elem;
  int c = a->is_elem ? element_order(&a->elem, &b->elem) : 0;
  if (c) return c < 0;
  const ov_rop *x = &r->ops[a->op], *y = &r->ops[b->op];
  if (x->time != y->time) return x->time > y->time;
  return name_order(&x->name, &y->name) > 0;
}

static bool check_live(state *s, const ov_record *r) {
  if (r->n_live != s->n_live) return differs(s, "%u live values, not %zu", r->n_live, s->n_live);
  for (size_t i = 0; i < s->n_live; i++) {
    const entry *e = &s->live[i];
    bool found = false;
    for (uint32_t k = 0; k < r->n_live; k++) {
      const ov_live *l = &r->live[k];
      entry got = {NULL, l->field, l->is_elem, l->elem, l->v};
      found |= l->op < r->n_ops && same_name(&r->ops[l->op].name, &e->in->op->name) && same_cell(&got, e) &&
               same_value(&l->v, &e->v);
    }
    if (!found) return differs(s, "a live value of field %u is lacking", e->field);
  }
  for (uint32_t k = 1; k < r->n_live; k++)
    if (!in_order(r, &r->live[k - 1], &r->live[k])) return differs(s, "order of live value %u", k);
  return true;
}

static ov_retract_state retract_state(const state *s) {
  bool yes = false, no = false, unseen = false;
  for (size_t i = 0; i < s->n_live; i++) {
    const entry *e = &s->live[i];
    yes |= is_retraction(e);
    no |= e->field == 1 && !e->is_elem && e->v.type == OV_V_NIL;
    bool own = false;
    for (size_t k = 0; k < s->n_live; k++) own |= is_retraction(&s->live[k]) && s->live[k].in == e->in;
    unseen |= e->field != 1 && !own && !named_by_retraction(s, e->in);
  }
  if (!yes) return OV_LIVE;
  return no || unseen ? OV_RETRACT_CONFLICT : OV_RETRACTED;
}

/* Cells with different live values; a cell is counted at its first entry. field 0: all. */
static uint32_t conflicts(const state *s, uint16_t field) {
  uint32_t n = 0;
  for (size_t i = 0; i < s->n_live; i++) {
    bool first = true, conflict = false;
    if (field && s->live[i].field != field) continue;
    for (size_t k = 0; k < s->n_live; k++) {
      if (!same_cell(&s->live[i], &s->live[k])) continue;
      first &= k >= i;
      conflict |= !same_value(&s->live[i].v, &s->live[k].v);
    }
    n += first && conflict;
  }
  return n;
}

static bool check_questions(state *s, const ov_record *r) {
  ov_retract_state is = retract_state(s);
  uint32_t in_retraction = conflicts(s, 1);
  bool retraction = in_retraction || is == OV_RETRACT_CONFLICT;
  if (ov_record_retracted(r) != is) return differs(s, "retraction is %d, not %d", ov_record_retracted(r), is);
  if (ov_record_field_conflict(r, 1) != retraction) return differs(s, "conflict of the retraction");
  if (ov_record_conflicts(r) != conflicts(s, 0) - in_retraction + retraction)
    return differs(s, "number of conflicts");
  for (size_t i = 0; i < s->n_live; i++) {
    uint16_t f = s->live[i].field;
    uint32_t n, expect = 0;
    for (size_t k = 0; k < s->n_live; k++) expect += s->live[k].field == f;
    if (!ov_record_field(r, f, &n) || n != expect) return differs(s, "entries of field %u", f);
    if (f != 1 && ov_record_field_conflict(r, f) != (conflicts(s, f) > 0))
      return differs(s, "conflict of field %u", f);
  }
  return true;
}

bool oracle_agrees(const ov_fold_in *ops, size_t n, const ov_record *r, char why[ORACLE_WHY_MAX]) {
  state s = {.ops = ops, .n = n, .why = why};
  why[0] = 0;
  fold(&s);
  bool ok = check_header(&s, r) && check_ops(&s, r) && check_held(&s, r) && check_live(&s, r) &&
            check_questions(&s, r);
  free(s.live);
  return ok;
}
