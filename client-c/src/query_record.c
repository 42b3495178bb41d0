/* One record made ready to show: its values with labels, who wrote them, what is wrong or missing, how far it
 * has come. */
#include "query.h"

#include <stdio.h>
#include <string.h>

typedef struct making {
  oc_query *q;
  oc_txn *t;
  oc_view v;
  const ov_skind *k;
  oc_text_env env;
  oc_record *r;
  bool full;
} making;

static const char *or_empty(making *m, const char *text) {
  if (!text) m->full = true;
  return text ? text : "";
}

/* -- values ---------------------------------------------------------------------------------------------- */

static const ov_sfield *field_of(const making *m, uint16_t id) {
  return m->k ? ov_skind_field(m->k, id) : NULL;
}

static void fill_field(making *m, uint16_t id, oc_value_view *out) {
  const ov_sfield *f = field_of(m, id);
  char number[16];
  snprintf(number, sizeof number, "field_%u", id);
  out->field = id == OV_FIELD_RETRACTED ? OC_FIELD_RETRACTION
               : f                      ? f->name
                                        : or_empty(m, oc_fmt(&m->q->a, "%s", number));
  out->label_nl = f ? or_empty(m, oc_fmt(&m->q->a, "%s", f->nl)) : out->field;
  out->label_en = f ? or_empty(m, oc_fmt(&m->q->a, "%s", f->en)) : out->field;
  if (f && id != OV_FIELD_RETRACTED) out->field = or_empty(m, oc_fmt(&m->q->a, "%s", f->name));
}

static const char *author_of(making *m, const ov_rop *op) {
  if (!op->has_author) return "";
  const char *name = oc_name_of(m->q->s, m->t, &op->author, &m->q->a);
  if (name && *name) return name;
  char id[OV_NAME_TEXT_MAX];
  ov_name_text(&op->author, id);
  return or_empty(m, oc_fmt(&m->q->a, "%s", id));
}

static void fill_op(making *m, const ov_live *l, oc_value_view *out) {
  const ov_rop *op = &m->v.rec.ops[l->op];
  oc_sync_state state;
  out->author = author_of(m, op);
  out->time = op->time;
  out->clock_suspect = op->flags & OV_ROP_CLOCK_SUSPECT;
  out->unsent = oc_own_state(m->q, &op->name, &state) && state == OC_ON_DEVICE;
}

static oc_value_view *next_view(making *m, uint16_t field, const ov_live *l) {
  oc_value_view *out = &m->r->values[m->r->n_values++];
  fill_field(m, field, out);
  fill_op(m, l, out);
  return out;
}

static void single(making *m, const ov_live *l, bool conflict) {
  const ov_sfield *f = field_of(m, l->field);
  oc_value_view *out = next_view(m, l->field, l);
  out->text_nl = or_empty(m, oc_value_text(&m->env, f, &l->v, true));
  out->text_en = or_empty(m, oc_value_text(&m->env, f, &l->v, false));
  out->raw = or_empty(m, oc_value_raw(&m->env, f, &l->v));
  out->conflict = conflict;
}

/* One side of a disagreement about an element: there, or not there. */
static void element(making *m, const ov_live *l) {
  const ov_sfield *f = field_of(m, l->field);
  oc_value_view *out = next_view(m, l->field, l);
  const char *nl = or_empty(m, oc_value_text(&m->env, f, &l->elem, true)),
             *en = or_empty(m, oc_value_text(&m->env, f, &l->elem, false));
  const char *raw = or_empty(m, oc_value_raw(&m->env, f, &l->elem));
  out->text_nl = or_empty(m, oc_fmt(&m->q->a, "%s%s", l->v.i ? "" : "niet ", nl));
  out->text_en = or_empty(m, oc_fmt(&m->q->a, "%s%s", l->v.i ? "" : "not ", en));
  out->raw = or_empty(m, oc_fmt(&m->q->a, "%s%s", l->v.i ? "" : "!", raw));
  out->conflict = true;
}

static bool same_cell(const ov_live *a, const ov_live *b) {
  return a->field == b->field && a->is_elem == b->is_elem &&
         (!a->is_elem || ov_value_equal(&a->elem, &b->elem));
}

static void join(making *m, const char **text, const char *part, const char *sep) {
  *text = or_empty(m, oc_fmt(&m->q->a, "%s%s%s", *text, **text ? sep : "", part));
}

/* A set: its shown elements as one value, then both sides of each element that is in conflict. */
static void set(making *m, const ov_live *l, uint32_t n, bool conflict) {
  const ov_sfield *f = field_of(m, l->field);
  const char *nl = "", *en = "", *raw = "";
  const ov_live *latest = NULL;
  for (uint32_t i = 0; i < n; i++) {
    if ((i && same_cell(&l[i - 1], &l[i])) || !l[i].is_elem || l[i].v.i != 1)
      continue; /* the shown entry leads */
    join(m, &nl, or_empty(m, oc_value_text(&m->env, f, &l[i].elem, true)), ", ");
    join(m, &en, or_empty(m, oc_value_text(&m->env, f, &l[i].elem, false)), ", ");
    join(m, &raw, or_empty(m, oc_value_raw(&m->env, f, &l[i].elem)), ",");
    if (!latest || m->v.rec.ops[l[i].op].time > m->v.rec.ops[latest->op].time) latest = &l[i];
  }
  if (latest || conflict) {
    oc_value_view *out = next_view(m, l->field, latest ? latest : l);
    *out = (oc_value_view){.field = out->field,
                           .label_nl = out->label_nl,
                           .label_en = out->label_en,
                           .text_nl = nl,
                           .text_en = en,
                           .raw = raw,
                           .author = out->author,
                           .time = out->time,
                           .conflict = conflict,
                           .clock_suspect = out->clock_suspect,
                           .unsent = out->unsent};
  }
  for (uint32_t i = 0; i < n && conflict; i++) {
    bool differs = false;
    for (uint32_t j = 0; j < n && !differs; j++)
      differs = same_cell(&l[i], &l[j]) && !ov_value_equal(&l[i].v, &l[j].v);
    if (differs && l[i].is_elem) element(m, &l[i]);
  }
}

/* Equal values of several authors are one; a single nil is no value. */
static void plain(making *m, const ov_live *l, uint32_t n, bool conflict) {
  for (uint32_t i = 0; i < n; i++) {
    bool said = false;
    for (uint32_t j = 0; j < i && !said; j++) said = !l[j].is_elem && ov_value_equal(&l[j].v, &l[i].v);
    if (l[i].is_elem || said || (l[i].v.type == OV_V_NIL && !conflict)) continue;
    single(m, &l[i], conflict);
  }
}

static int fill_values(making *m) {
  const ov_record *rec = &m->v.rec;
  m->r->values = ov_arena_array(&m->q->a, 2 * (size_t)rec->n_live + 1,
                                sizeof *m->r->values); /* a set shows itself and each side */
  if (!m->r->values) return OV_E_NOMEM;
  for (uint32_t i = 0, n; i < rec->n_live; i += n) {
    const ov_live *l = &rec->live[i];
    bool conflict = ov_record_field_conflict(rec, l->field);
    for (n = 1; i + n < rec->n_live && rec->live[i + n].field == l->field; n++) {}
    if (l->is_elem || rec->live[i + n - 1].is_elem) set(m, l, n, conflict);
    plain(m, l, n, conflict);
  }
  return 0;
}

/* -- what is missing, doubled, wrong --------------------------------------------------------------------- */

static void fill_missing(making *m) {
  uint16_t ids[OV_OP_FIELDS_MAX];
  const char *text = "";
  uint32_t n = m->k && ov_record_retracted(&m->v.rec) != OV_RETRACTED
                   ? ov_schema_missing(m->k, &m->v.rec, ids, OV_OP_FIELDS_MAX)
                   : 0;
  for (uint32_t i = 0; i < n; i++) join(m, &text, ov_skind_field(m->k, ids[i])->name, ",");
  m->r->missing = text;
}

static int fill_twin(making *m) {
  oc_row row, other;
  uint8_t prefix[18], key[OC_DB_KEY_MAX];
  size_t n = 0;
  m->r->twin = "";
  int err = oc_row_get(m->t, &m->v.rec.name, &m->q->look, &row);
  if (err || !row.has_natural || (row.flags & OC_ROW_RETRACTED)) return err == OV_E_NOTFOUND ? 0 : err;
  prefix[0] = (uint8_t)(row.kind >> 8);
  prefix[1] = (uint8_t)row.kind;
  memcpy(prefix + 2, row.natural, sizeof row.natural);
  for (;;) {
    err = oc_next(m->t, OC_T_NATURAL, prefix, sizeof prefix, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    ov_name name;
    ov_name_read(key + sizeof prefix, &name);
    if (ov_name_equal(&name, &m->v.rec.name)) continue;
    err = oc_row_get(m->t, &name, &m->q->look, &other);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    if (other.flags & OC_ROW_RETRACTED) continue;
    char id[OV_NAME_TEXT_MAX];
    ov_name_text(&name, id);
    m->r->twin = or_empty(m, oc_fmt(&m->q->a, "%s", id));
    return 0;
  }
}

static void attention(making *m, const char *en, const char *nl) {
  if (*m->r->attention_en) return; /* the first is enough to look */
  m->r->attention_en = en;
  m->r->attention_nl = nl;
}

static int fill_attention(making *m) {
  uint8_t prefix[OV_NAME_BYTES], key[OC_DB_KEY_MAX];
  size_t n = 0;
  oc_sync_state state;
  m->r->attention_en = m->r->attention_nl = "";
  ov_name_write(&m->v.rec.name, prefix);
  for (;;) {
    int err = oc_next(m->t, OC_T_PENDING, prefix, sizeof prefix, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err == OV_E_NOTFOUND) break;
    ov_name op;
    oc_log_row row;
    if (!err) ov_name_read(key + OV_NAME_BYTES, &op);
    if (!err) err = oc_log_get(m->t, &op.writer, op.seq, &m->q->look, &row);
    if (err) return err;
    if (row.as_void)
      attention(m, ov_err_text(row.refused_err),
                "De server neemt dit niet aan. Exporteer het en vraag hulp.");
    else if (row.held) attention(m, ov_held_text_en(row.held), ov_held_text_nl(row.held));
  }
  for (uint32_t i = 0; i < m->v.rec.n_held; i++) {
    const ov_heldop *h = &m->v.rec.held[i];
    if (h->verdict == OV_HELD && oc_own_state(m->q, &h->name, &state))
      attention(m, ov_held_text_en(h->reason), ov_held_text_nl(h->reason));
  }
  return 0;
}

/* -- the rest -------------------------------------------------------------------------------------------- */

static void count_op(const making *m, const ov_name *op) {
  oc_sync_state one;
  if (!oc_own_state(m->q, op, &one)) return;
  m->r->own = true;
  if (one < m->r->state) m->r->state = one;
}

static void fill_state(const making *m) {
  m->r->own = m->v.n_own > 0 || m->v.attention;
  m->r->state = m->v.unsent ? OC_ON_DEVICE : OC_SAFE;
  for (uint32_t i = 0; i < m->v.rec.n_ops; i++) count_op(m, &m->v.rec.ops[i].name);
  for (uint32_t i = 0; i < m->v.rec.n_held; i++) count_op(m, &m->v.rec.held[i].name);
}

static int64_t day_of(const making *m) {
  const ov_sfield *f = m->k && m->k->occurred ? ov_skind_field(m->k, m->k->occurred) : NULL;
  if (!f) return 0;
  int64_t day = ov_schema_occurred_day(m->k, &m->v.rec);
  const ov_live *l = f->type == OV_F_DATETIME ? ov_record_field(&m->v.rec, f->id, NULL) : NULL;
  return l && l->v.type == OV_V_INT && oc_day_of(l->v.i) == day ? oc_local_day(m->q->s->zone, l->v.i) : day;
}

static void fill_participant(making *m) {
  const ov_record *rec = &m->v.rec;
  m->r->has_participant = rec->has_participant;
  m->r->participant_name = rec->participant;
  m->r->scope = rec->scope;
  m->r->participant = "";
  if (!rec->has_participant) return;
  m->r->participant = or_empty(m, oc_name_of(m->q->s, m->t, &rec->participant, &m->q->a));
  if (*m->r->participant) return;
  char id[OV_NAME_TEXT_MAX];
  ov_name_text(&rec->participant, id);
  m->r->participant = or_empty(m, oc_fmt(&m->q->a, "%s", id));
}

static int fill(making *m) {
  const ov_record *rec = &m->v.rec;
  oc_record *r = m->r;
  char id[OV_NAME_TEXT_MAX];
  ov_name_text(&rec->name, id);
  r->id = or_empty(m, oc_fmt(&m->q->a, "%s", id));
  r->kind = or_empty(m, m->k ? oc_fmt(&m->q->a, "%s", m->k->name) : oc_fmt(&m->q->a, "kind_%u", rec->kind));
  r->label_nl = m->k ? or_empty(m, oc_fmt(&m->q->a, "%s", m->k->nl)) : r->kind;
  r->label_en = m->k ? or_empty(m, oc_fmt(&m->q->a, "%s", m->k->en)) : r->kind;
  r->day = day_of(m);
  r->conflicts = ov_record_conflicts(rec);
  r->retracted = ov_record_retracted(rec) == OV_RETRACTED;
  fill_state(m);
  fill_participant(m);
  fill_missing(m);
  int err = fill_values(m);
  if (!err) err = fill_twin(m);
  if (!err) err = fill_attention(m);
  return err ? err : m->full ? OV_E_NOMEM : 0;
}

int oc_record_make(oc_query *q, oc_txn *t, const ov_name *name, oc_record **out) {
  oc_find_ctx c = {.s = q->s, .t = t, .a = &q->a};
  making m = {.q = q, .t = t};
  int err = oc_view_get(q->s, t, name, &q->look, &m.v);
  if (err) return err;
  *out = m.r = ov_arena_alloc(&q->a, sizeof *m.r);
  if (!m.r) return OV_E_NOMEM;
  m.r->q = q;
  m.r->name = *name;
  m.k = ov_schemas_kind(q->s->schemas, m.v.rec.kind);
  m.env = oc_text_env_of(&c);
  return fill(&m);
}

const char *oc_record_id(const oc_record *r) { return r->id; }
const char *oc_record_kind(const oc_record *r) { return r->kind; }
const char *oc_record_label_nl(const oc_record *r) { return r->label_nl; }
const char *oc_record_participant(const oc_record *r) { return r->participant; }
int64_t oc_record_day(const oc_record *r) { return r->day; }
size_t oc_record_values(const oc_record *r) { return r->n_values; }
const oc_value_view *oc_record_value(const oc_record *r, size_t i) {
  return i < r->n_values ? &r->values[i] : NULL;
}
unsigned oc_record_conflicts(const oc_record *r) { return r->conflicts; }
bool oc_record_retracted(const oc_record *r) { return r->retracted; }
oc_sync_state oc_record_state(const oc_record *r) { return r->state; }
bool oc_record_own(const oc_record *r) { return r->own; }
const char *oc_record_attention(const oc_record *r, bool dutch) {
  return dutch ? r->attention_nl : r->attention_en;
}
const char *oc_record_missing(const oc_record *r) { return r->missing; }
const char *oc_record_double(const oc_record *r) { return r->twin; }
