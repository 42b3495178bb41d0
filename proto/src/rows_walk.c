/* The walk over the rows: what is coded, in which order, with which model. Written once for both directions:
 * a value read from an op when encoding is written back into it, so when decoding the same line fills it. The
 * layout in words: rows_encode.c. */
#include <string.h>

#include "op_value.h"
#include "rows_priv.h"

ov_wire ov_rows_wire(const ov_rows *s, const ov_value *v) {
  ov_name name;
  switch (v->type) {
  case OV_V_INT: return OV_W_INT;
  case OV_V_TEXT: return OV_W_TEXT;
  case OV_V_BYTES: return ov_rows_reads_as_name(s, v->s.p, v->s.n, &name) ? OV_W_NAME : OV_W_BYTES;
  case OV_V_SET: return OV_W_SET;
  default: return OV_W_NIL;
  }
}

/* Room for what the caller of a decode keeps. */
static void *keep(ov_rows *s, size_t count, size_t size) {
  return count ? ov_rows_alloc(s, s->out, count, size) : NULL;
}

static uint64_t limited(ov_rows *s, uint64_t v, uint64_t max) {
  if (v <= max) return v;
  ov_rows_fail(s, OV_E_FORMAT);
  return 0;
}

/* -- shapes -------------------------------------------------------------------------- */

static void kind_code(ov_rows *s, ov_shape *h) {
  uint32_t i = 0;
  if (!s->decoding)
    while (i < s->n_kinds && (s->kinds[i].kind != h->kind || s->kinds[i].version != h->version)) i++;
  i = (uint32_t)limited(s, ov_rc_uint(&s->rc, &s->m_kind_index, i), s->n_kinds);
  if (s->rc.err) return;
  if (i == s->n_kinds) {
    if (!ov_rows_room(s, (void **)&s->kinds, i, &s->cap_kinds, sizeof *s->kinds)) return;
    h->kind = (uint16_t)limited(s, ov_rc_uint(&s->rc, &s->m_kind, h->kind), OV_KIND_ID_MAX);
    h->version = (uint16_t)limited(s, ov_rc_uint(&s->rc, &s->m_version, h->version), UINT16_MAX);
    s->kinds[s->n_kinds].kind = h->kind;
    s->kinds[s->n_kinds++].version = h->version;
  }
  h->kind = s->kinds[i].kind;
  h->version = s->kinds[i].version;
  if (h->kind == 0) ov_rows_fail(s, OV_E_FORMAT);
}

/* A field mostly has the type that it had in an earlier shape of its kind. */
static uint8_t type_code(ov_rows *s, ov_column *k, uint8_t type) {
  if (!k->typed || !ov_rc_bool(&s->rc, &s->m_same_type, type == k->type))
    type = (uint8_t)limited(s, ov_rc_tree(&s->rc, s->m_type, type, 3), OV_W_NAME);
  else type = k->type;
  k->typed = true;
  k->type = type;
  return type;
}

static void shape_fields_code(ov_rows *s, ov_shape *h) {
  h->n_fields = (uint32_t)limited(s, ov_rc_uint(&s->rc, &s->m_fields[h->creates], h->n_fields),
                                  OV_OP_FIELDS_MAX);
  if (s->decoding) {
    h->ids = ov_rows_alloc(s, &s->work, h->n_fields, 1);
    h->types = ov_rows_alloc(s, &s->work, h->n_fields, 1);
  }
  for (uint32_t i = 0, last = 0; h->ids && i < h->n_fields && !s->rc.err; i++) {
    uint64_t step = ov_rc_uint(&s->rc, &s->m_field_step[h->creates], h->ids[i] - last - 1u);
    last = (uint32_t)limited(s, last + 1 + limited(s, step, OV_FIELD_ID_MAX), OV_FIELD_ID_MAX);
    ov_column *k = s->rc.err ? NULL : ov_rows_column(s, h->kind, (uint16_t)last);
    if (!k) return;
    h->ids[i] = (uint8_t)last;
    h->types[i] = type_code(s, k, h->types[i]);
  }
}

static void shape_new_code(ov_rows *s, ov_shape *h) {
  h->form = (uint8_t)ov_rc_tree(&s->rc, s->m_form, h->form, 2);
  if (h->form == OV_FORM_VOID) return;
  kind_code(s, h);
  h->creates = ov_rc_bool(&s->rc, &s->m_creates, h->creates);
  h->has_participant = ov_rc_bool(&s->rc, &s->m_has_participant[h->creates], h->has_participant);
  h->has_author = ov_rc_bool(&s->rc, &s->m_has_author[h->creates], h->has_author);
  if (h->form == OV_FORM_FIELDS) shape_fields_code(s, h);
}

static bool shape_equal(const ov_shape *a, const ov_shape *b) {
  return a->form == b->form && a->creates == b->creates && a->has_participant == b->has_participant &&
         a->has_author == b->has_author && a->kind == b->kind && a->version == b->version &&
         a->n_fields == b->n_fields &&
         (a->n_fields == 0 ||
          (memcmp(a->ids, b->ids, a->n_fields) == 0 && memcmp(a->types, b->types, a->n_fields) == 0));
}

static const ov_shape *shape_code(ov_rows *s, uint32_t row) {
  ov_shape h = {0};
  uint32_t i = 0;
  if (!s->decoding) {
    h = s->planned[row];
    while (i < s->n_shapes && !shape_equal(&s->shapes[i], &h)) i++;
  }
  i = ov_rows_choose(s, &s->shape_choice, i);
  if (i < s->n_shapes) return &s->shapes[i];
  shape_new_code(s, &h);
  if (s->rc.err || !ov_rows_room(s, (void **)&s->shapes, i, &s->cap_shapes, sizeof h)) return NULL;
  s->shapes[s->n_shapes++] = h;
  ov_rows_choice_add(s, &s->shape_choice, i);
  return &s->shapes[i];
}

/* -- header -------------------------------------------------------------------------- */

static void row_name_code(ov_rows *s, uint32_t row, bool creates) {
  ov_op *op = &s->ops[row];
  if (!s->c->named) {
    if (s->decoding) op->name = (ov_name){.writer = s->c->writer, .seq = s->c->first_seq + row};
    return;
  }
  ov_rows_choice *l = &s->row_writer_choice;
  uint32_t i = 0, w;
  if (!s->decoding)
    while (i < l->n && !ov_id_equal(&s->writers[l->ref[i]].id, &op->name.writer)) i++;
  i = ov_rows_choose(s, l, i);
  if (i < l->n) {
    w = l->ref[i];
  } else {
    w = ov_rows_writer_index(s, &s->m_writer, &op->name.writer);
    ov_rows_choice_add(s, l, w);
  }
  if (s->rc.err) return;
  uint64_t *last = &s->writers[w].row_seq;
  op->name.writer = s->writers[w].id;
  op->name.seq = *last +
                 (uint64_t)ov_rc_sint(&s->rc, &s->m_row_seq[creates], (int64_t)(op->name.seq - *last));
  if (op->name.seq < 1 || op->name.seq > OV_SEQ_MAX) ov_rows_fail(s, OV_E_FORMAT);
  if (creates || *last == 0) *last = op->name.seq;
  ov_rows_raw(s, op->name.tag, OV_TAG_BYTES);
}

/* An edit mostly names the participant of the row before it of the same record. */
static void participant_code(ov_rows *s, uint32_t row, const ov_shape *h) {
  ov_op *op = &s->ops[row];
  ov_rows_row *w = &s->rows[row];
  w->participant = OV_REF_NONE;
  if (!h->has_participant || s->rc.err) return;
  uint32_t before = w->same_record == OV_REF_NONE ? OV_REF_NONE : s->rows[w->same_record].participant;
  bool same = false;
  if (before != OV_REF_NONE) {
    same = !s->decoding && ov_name_equal(ov_rows_name_of(s, before), &op->participant);
    same = ov_rc_bool(&s->rc, &s->m_same_participant, same);
  }
  w->participant = same ? before : ov_rows_person(s, OV_AT_PARTICIPANT, row, &op->participant);
  if (s->decoding && !s->rc.err) op->participant = *ov_rows_name_of(s, w->participant);
}

static void record_code(ov_rows *s, uint32_t row, const ov_shape *h) {
  ov_op *op = &s->ops[row];
  ov_rows_row *w = &s->rows[row];
  if (h->creates) {
    w->record = row;
    op->record = op->name;
    ov_rows_recent_use(&s->recent[OV_AT_RECORD], row);
  } else {
    w->record = ov_rows_ref(s, OV_AT_RECORD, row, &op->record, NULL);
    if (s->rc.err) return;
    if (s->decoding) op->record = *ov_rows_name_of(s, w->record);
  }
  uint32_t *last = ov_rows_last_row(s, w->record);
  w->same_record = *last ? *last - 1 : OV_REF_NONE;
  *last = row + 1;
}

int64_t ov_rows_time_base(const ov_rows *s, bool creates) {
  if (!s->any_time) return s->c->base_time;
  return s->c->named && creates && s->any_created ? s->last_created_time : s->last_time;
}

void ov_rows_time_seen(ov_rows *s, int64_t t, bool creates) {
  s->last_time = t;
  s->any_time = true;
  if (creates) {
    s->last_created_time = t;
    s->any_created = true;
  }
}

static void time_code(ov_rows *s, uint32_t row, bool creates) {
  ov_op *op = &s->ops[row];
  int64_t base = ov_rows_time_base(s, creates);
  int64_t d = (int64_t)((uint64_t)op->device_time - (uint64_t)base);
  if (!s->any_time) d = ov_rc_sint(&s->rc, &s->m_first_time, d);
  else d = ov_column_code(s, creates || !s->c->named ? &s->time_created : &s->time_edited, d, 0);
  op->device_time = (int64_t)((uint64_t)base + (uint64_t)d);
  if (op->device_time < -OV_TIME_S_MAX || op->device_time > OV_TIME_S_MAX) ov_rows_fail(s, OV_E_FORMAT);
  ov_rows_time_seen(s, op->device_time, creates);
}

static void header_code(ov_rows *s, uint32_t row, const ov_shape *h) {
  ov_op *op = &s->ops[row];
  op->kind = h->kind;
  op->version = h->version;
  op->creates = h->creates;
  op->has_participant = h->has_participant;
  op->has_author = h->has_author;
  record_code(s, row, h);
  participant_code(s, row, h);
  if (h->has_author && !s->rc.err) {
    uint32_t ref = ov_rows_person(s, OV_AT_AUTHOR, row, &op->author);
    if (s->decoding && !s->rc.err) op->author = *ov_rows_name_of(s, ref);
  }
  op->scope = (uint32_t)limited(s, (uint64_t)ov_column_code(s, &s->scope, op->scope, 0), UINT32_MAX);
  time_code(s, row, h->creates);
}

/* -- values -------------------------------------------------------------------------- */

static void text_code(ov_rows *s, ov_value *v) {
  v->s.n = (uint32_t)limited(s, ov_rc_uint(&s->rc, &s->m_text_len, v->s.n), OV_TEXT_BYTES_MAX);
  v->s.p = ov_rows_text(s, v->s.p, v->s.n);
}

static void bytes_code(ov_rows *s, ov_value *v) {
  v->s.n = (uint32_t)limited(s, ov_rc_uint(&s->rc, &s->m_bytes_len, v->s.n), OV_TEXT_BYTES_MAX);
  if (v->s.n > OV_RAW_VALUE_BYTES_MAX) {
    v->s.p = ov_rows_text(s, v->s.p, v->s.n);
    return;
  }
  uint8_t bytes[OV_RAW_VALUE_BYTES_MAX];
  if (!s->decoding) memcpy(bytes, v->s.n ? v->s.p : bytes, v->s.n);
  ov_rows_raw(s, bytes, v->s.n);
  if (s->decoding) {
    uint8_t *p = keep(s, v->s.n ? v->s.n : 1, 1);
    if (p) memcpy(p, bytes, v->s.n);
    v->s.p = p;
  }
}

static void name_value_code(ov_rows *s, uint32_t row, ov_value *v, ov_rc_num *rank) {
  ov_name name = {0};
  if (!s->decoding) ov_name_read(v->s.p, &name);
  uint32_t ref = ov_rows_ref(s, OV_AT_VALUE, row, &name, rank);
  if (!s->decoding || s->rc.err) return;
  uint8_t *p = keep(s, OV_NAME_BYTES, 1);
  /* A row of a push has no tag yet and an encoder never refers to one from a value. */
  if (ref < s->n && !s->c->named) ov_rows_fail(s, OV_E_FORMAT);
  if (!p || s->rc.err) return;
  ov_name_write(ov_rows_name_of(s, ref), p);
  v->s.p = p;
  v->s.n = OV_NAME_BYTES;
}

static unsigned element_type(ov_wire w) { return w == OV_W_INT ? 0 : w == OV_W_BYTES ? 1 : 2; }

static uint32_t elements_code(ov_rows *s, uint32_t row, ov_value **list, uint32_t n, ov_rc_num *rank) {
  n = (uint32_t)limited(s, ov_rc_uint(&s->rc, &s->m_set_len, n), OV_SET_ELEMENTS_MAX);
  if (s->decoding) *list = keep(s, n, sizeof **list);
  int64_t last = 0;
  for (uint32_t i = 0; i < n && !s->rc.err; i++) {
    ov_value v = (*list)[i];
    unsigned type = s->decoding ? 0 : element_type(ov_rows_wire(s, &v));
    type = (unsigned)limited(s, ov_rc_tree(&s->rc, s->m_element, type, 2), 2);
    v.type = type == 0 ? OV_V_INT : OV_V_BYTES;
    if (type == 0) {
      int64_t step = ov_rc_sint(&s->rc, &s->m_set_int, (int64_t)((uint64_t)v.i - (uint64_t)last));
      v.i = last = (int64_t)((uint64_t)last + (uint64_t)step);
    } else if (type == 1) {
      bytes_code(s, &v);
    } else {
      name_value_code(s, row, &v, rank);
    }
    if (s->decoding) (*list)[i] = v;
  }
  return s->rc.err ? 0 : n;
}

/* f belongs to the caller when encoding and is only read then. */
static void value_code(ov_rows *s, uint32_t row, ov_field *f, uint16_t id, uint8_t type) {
  static const ov_vtype type_of[] = {OV_V_NIL, OV_V_INT, OV_V_TEXT, OV_V_BYTES, OV_V_SET, OV_V_BYTES};
  ov_value v = f->v;
  ov_column *k = ov_rows_column(s, s->ops[row].kind, id);
  if (k && type >= OV_W_SET && !k->rank) k->rank = ov_rows_alloc(s, &s->work, 1, sizeof *k->rank);
  if (!k || s->rc.err) return;
  v.type = type_of[type];
  if (type == OV_W_INT) {
    v.i = ov_column_code(s, k, v.i, s->ops[row].device_time);
  } else if (type == OV_W_TEXT) {
    text_code(s, &v);
  } else if (type == OV_W_BYTES) {
    bytes_code(s, &v);
  } else if (type == OV_W_NAME) {
    name_value_code(s, row, &v, k->rank);
  } else if (type == OV_W_SET) {
    v.set.n_add = elements_code(s, row, &v.set.add, v.set.n_add, k->rank);
    v.set.n_del = elements_code(s, row, &v.set.del, v.set.n_del, k->rank);
  }
  size_t bytes = 0;
  if (!s->decoding || s->rc.err) return;
  *f = (ov_field){.id = id, .v = v};
  if (ov_value_check(&v, &bytes) != 0) ov_rows_fail(s, OV_E_FORMAT);
}

static void fields_code(ov_rows *s, uint32_t row, const ov_shape *h) {
  ov_op *op = &s->ops[row];
  if (s->decoding) {
    op->fields = keep(s, h->n_fields, sizeof *op->fields);
    op->n_fields = s->rc.err ? 0 : h->n_fields;
  }
  for (uint32_t i = 0; i < op->n_fields && !s->rc.err; i++)
    value_code(s, row, &op->fields[i], h->ids[i], h->types[i]);
}

/* -- replaces -------------------------------------------------------------------------- */

/* Who wrote this field last, as far as this message tells: a row of it, else the op that created the record.
 * NONE when the creating row is here and does not have the field. */
static uint32_t last_writer(const ov_rows *s, uint32_t row, uint16_t field) {
  uint32_t at = s->rows[row].same_record;
  for (unsigned i = 0; i < OV_LOOKBACK_ROWS_MAX && at != OV_REF_NONE; i++) {
    if (ov_op_field(&s->ops[at], field)) return at;
    if (s->ops[at].creates) return OV_REF_NONE;
    at = s->rows[at].same_record;
  }
  return s->rows[row].record;
}

static int ref_order(const ov_rows *s, uint32_t a, uint32_t b) {
  const ov_name *x = ov_rows_name_of(s, a), *y = ov_rows_name_of(s, b);
  int c = memcmp(x->writer.b, y->writer.b, OV_ID_BYTES);
  if (c != 0) return c;
  if (x->seq != y->seq) return x->seq < y->seq ? -1 : 1;
  return (a > b) - (a < b);
}

/* Ascending refs of the names that an edit of these fields is expected to replace. PROTO-64 */
static uint32_t expected(const ov_rows *s, uint32_t row, uint32_t refs[OV_OP_FIELDS_MAX]) {
  const ov_op *op = &s->ops[row];
  uint32_t n = 0;
  for (uint32_t i = 0; i < op->n_fields; i++) {
    uint32_t ref = last_writer(s, row, op->fields[i].id), at = n;
    if (ref == OV_REF_NONE) continue;
    while (at > 0 && ref_order(s, refs[at - 1], ref) > 0) at--;
    if (at > 0 && refs[at - 1] == ref) continue;
    memmove(refs + at + 1, refs + at, (n - at) * sizeof *refs);
    refs[at] = ref;
    n++;
  }
  return n;
}

static void listed_code(ov_rows *s, uint32_t row) {
  ov_op *op = &s->ops[row];
  op->n_replaces = (uint32_t)limited(s, ov_rc_uint(&s->rc, &s->m_listed, op->n_replaces), OV_OP_REPLACES_MAX);
  if (s->decoding) op->replaces = keep(s, op->n_replaces, sizeof *op->replaces);
  for (uint32_t i = 0; i < op->n_replaces && !s->rc.err; i++) {
    uint32_t record = s->rows[row].record;
    ov_name *name = &op->replaces[i];
    bool is_record = false;
    if (!op->creates) {
      is_record = !s->decoding && ov_name_equal(name, ov_rows_name_of(s, record));
      is_record = ov_rc_bool(&s->rc, &s->m_is_record, is_record);
    }
    uint32_t ref = is_record ? record : ov_rows_ref(s, OV_AT_REPLACES, row, name, NULL);
    if (s->decoding && !s->rc.err) *name = *ov_rows_name_of(s, ref);
  }
}

static void replaces_code(ov_rows *s, uint32_t row) {
  uint32_t refs[OV_OP_FIELDS_MAX + 1], n = 0;
  ov_op *op = &s->ops[row];
  if (s->rc.err) return;
  if (!op->creates) n = expected(s, row, refs);
  unsigned told = op->n_replaces ? OV_REPLACES_LISTED : OV_REPLACES_NONE;
  if (!s->decoding && n > 0 && n == op->n_replaces) {
    uint32_t same = 0;
    while (same < n && ov_name_equal(ov_rows_name_of(s, refs[same]), &op->replaces[same])) same++;
    told = same == n ? OV_REPLACES_EXPECTED : told;
  }
  told = ov_rc_tree(&s->rc, s->m_told[op->creates], told, 2);
  if (told == OV_REPLACES_LISTED) listed_code(s, row);
  else if (told != OV_REPLACES_EXPECTED && told != OV_REPLACES_NONE) ov_rows_fail(s, OV_E_FORMAT);
  if (told != OV_REPLACES_EXPECTED || !s->decoding) return;
  op->replaces = keep(s, n, sizeof *op->replaces);
  op->n_replaces = s->rc.err ? 0 : n;
  for (uint32_t i = 0; i < op->n_replaces; i++) op->replaces[i] = *ov_rows_name_of(s, refs[i]);
}

/* -- rows -------------------------------------------------------------------------- */

static void payload_code(ov_rows *s, uint32_t row, const ov_shape *h) {
  ov_op *op = &s->ops[row];
  if (h->form == OV_FORM_FIELDS) {
    fields_code(s, row, h);
    replaces_code(s, row);
  } else if (h->form == OV_FORM_VERBATIM) {
    op->payload_len = (uint32_t)limited(s, ov_rc_uint(&s->rc, &s->m_payload_len, op->payload_len),
                                        OV_FRAME_BYTES_MAX);
    op->payload_bytes = ov_rows_text(s, op->payload_bytes, op->payload_len);
  } else {
    op->has_commitment = true;
    ov_rows_raw(s, op->commitment.b, OV_HASH_BYTES);
  }
}

static void row_code(ov_rows *s, uint32_t row) {
  ov_op *op = &s->ops[row];
  const ov_shape *found = shape_code(s, row);
  s->rows[row].record = s->rows[row].participant = s->rows[row].same_record = OV_REF_NONE;
  if (!found) return;
  ov_shape h = *found;
  op->is_void = h.form == OV_FORM_VOID;
  row_name_code(s, row, h.creates);
  if (s->rc.err) return;
  if (op->is_void) ov_rows_raw(s, op->header_hash.b, OV_HASH_BYTES);
  else header_code(s, row, &h);
  payload_code(s, row, &h);
  if (!s->decoding && !s->rc.err) ov_rows_map_add(s, &op->name, row);
}

void ov_rows_walk(ov_rows *s) {
  for (uint32_t row = 0; row < s->n && !s->rc.err; row++) row_code(s, row);
}
