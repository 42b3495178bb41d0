/* The row codec: encoder, and the layout.
 *
 * LAYOUT-PLACEHOLDER
 */
#include <stdlib.h>
#include <string.h>

#include "rows_priv.h"

/* An op as it is walked over: header and payload as fields wherever they have that form. */
static int op_prepare(ov_rows *s, const ov_op *given, ov_op *op)
{
  *op = *given;
  if (op->is_void)
    return 0;
  if (op->header_bytes) {
    int err = ov_op_header_decode(op->header_bytes, op->header_len, op);
    if (err)
      return OV_E_INVALID;
    op->header_bytes = NULL;
  }
  if (op->has_commitment)
    return op->payload_bytes || op->n_fields || op->n_replaces ? OV_E_INVALID : 0;
  if (!op->payload_bytes)
    return 0;
  op->n_fields = op->n_replaces = 0;
  if (op->payload_len > OV_FRAME_BYTES_MAX)
    return OV_E_INVALID;
  int err = op->payload_err ? op->payload_err : ov_op_payload_decode(given->payload_bytes, given->payload_len, &s->plan, op);
  if (err == OV_E_NOMEM)
    return err;
  op->payload_bytes = err ? given->payload_bytes : NULL;
  op->payload_err = 0;
  return 0;
}

/* A verbatim payload may be broken or too long; that is for its receiver to tell. */
static bool valid(const ov_op *op)
{
  ov_op copy = *op;
  copy.payload_bytes = NULL;
  return ov_op_validate(&copy) == 0;
}

static int name_check(const ov_rows *s, const ov_op *op, uint32_t row)
{
  if (op->creates && s->c->named && !op->is_void && !ov_name_equal(&op->record, &op->name))
    return OV_E_INVALID;
  if (s->c->named)
    return 0;
  return op->name.seq == s->c->first_seq + row && ov_id_equal(&op->name.writer, &s->c->writer) ? 0 : OV_E_INVALID;
}

static ov_form form_of(const ov_op *op)
{
  if (op->is_void)
    return OV_FORM_VOID;
  if (op->has_commitment)
    return OV_FORM_ABSENT;
  return op->payload_bytes ? OV_FORM_VERBATIM : OV_FORM_FIELDS;
}

static int shape_prepare(ov_rows *s, const ov_op *op, ov_shape *h)
{
  *h = (ov_shape){.form = (uint8_t)form_of(op)};
  if (op->is_void)
    return 0;
  h->kind = op->kind;
  h->version = op->version;
  h->creates = op->creates;
  h->has_participant = op->has_participant;
  h->has_author = op->has_author;
  h->n_fields = op->n_fields;
  h->ids = ov_rows_alloc(s, &s->plan, op->n_fields, 1);
  h->types = ov_rows_alloc(s, &s->plan, op->n_fields, 1);
  if (s->rc.err)
    return s->rc.err;
  for (uint32_t i = 0; i < op->n_fields; i++) {
    h->ids[i] = (uint8_t)op->fields[i].id;
    h->types[i] = (uint8_t)ov_rows_wire(s, &op->fields[i].v);
  }
  return 0;
}

/* What a decoder's arena hands out for a value, in its units of 16 bytes. */
static size_t kept(size_t n) { return (n + 15) / 16 * 16 + 16; }

static size_t value_kept(const ov_value *v)
{
  size_t n = 0;
  if (v->type == OV_V_BYTES)
    return kept(v->s.n);
  if (v->type == OV_V_TEXT)
    return v->s.n;
  if (v->type != OV_V_SET)
    return 0;
  for (uint32_t i = 0; i < v->set.n_add; i++)
    n += value_kept(&v->set.add[i]);
  for (uint32_t i = 0; i < v->set.n_del; i++)
    n += value_kept(&v->set.del[i]);
  return n + kept((v->set.n_add + v->set.n_del) * sizeof *v) + 16;
}

static size_t op_kept(const ov_op *op)
{
  size_t n = sizeof *op + kept(op->n_fields * sizeof *op->fields) + kept(op->n_replaces * sizeof *op->replaces) + op->payload_len;
  for (uint32_t i = 0; i < op->n_fields; i++)
    n += value_kept(&op->fields[i].v);
  return n;
}

static int ops_prepare(ov_rows *s, const ov_op *ops)
{
  size_t keeps = 0;
  for (uint32_t i = 0; i < s->n; i++) {
    int err = op_prepare(s, &ops[i], &s->ops[i]);
    if (!err)
      err = name_check(s, &s->ops[i], i);
    if (!err && !valid(&s->ops[i]))
      err = OV_E_INVALID;
    if (!err)
      err = shape_prepare(s, &s->ops[i], &s->planned[i]);
    keeps += err ? 0 : op_kept(&s->ops[i]);
    if (!err && keeps > OV_ROWS_KEEP_BYTES_MAX)
      err = OV_E_LIMIT;
    if (err)
      return err;
  }
  return 0;
}

/* Names that may enter the table: those of the header and of replaces, and 28-byte values. */
static size_t names_bound(const ov_rows *s)
{
  size_t n = 4;
  for (uint32_t i = 0; i < s->n; i++) {
    const ov_op *op = &s->ops[i];
    n += 4 + op->n_replaces;
    for (uint32_t f = 0; f < op->n_fields; f++)
      n += op->fields[f].v.type == OV_V_SET ? op->fields[f].v.set.n_add + op->fields[f].v.set.n_del : 1;
  }
  return n;
}

static int map_prepare(ov_rows *s)
{
  size_t want = names_bound(s) * 2, size = 64;
  while (size < want)
    size *= 2;
  s->map = ov_rows_alloc(s, &s->plan, size, sizeof *s->map);
  s->map_mask = (uint32_t)size - 1;
  return s->rc.err;
}

/* -- columns: what the walk will put into each, so that its head can be chosen ------------------------------- */

static void column_put(ov_column *k, int64_t x, int64_t t)
{
  if (k->x) {
    k->x[k->filled] = x;
    k->t[k->filled++] = t;
  } else {
    k->n++;
  }
}

static void columns_put(ov_rows *s)
{
  s->any_time = s->any_created = false;
  for (uint32_t i = 0; i < s->n; i++) {
    const ov_op *op = &s->ops[i];
    if (op->is_void)
      continue;
    column_put(&s->scope, op->scope, 0);
    if (s->any_time)
      column_put(op->creates || !s->c->named ? &s->time_created : &s->time_edited,
                 op->device_time - ov_rows_time_base(s, op->creates), 0);
    ov_rows_time_seen(s, op->device_time, op->creates);
    for (uint32_t f = 0; f < op->n_fields; f++) {
      ov_column *k = op->fields[f].v.type == OV_V_INT ? ov_rows_column(s, op->kind, op->fields[f].id) : NULL;
      if (k)
        column_put(k, op->fields[f].v.i, op->device_time);
    }
  }
  s->any_time = s->any_created = false;
  s->last_time = s->last_created_time = 0;
}

static void column_room(ov_rows *s, ov_column *k)
{
  k->x = ov_rows_alloc(s, &s->plan, k->n, sizeof *k->x);
  k->t = ov_rows_alloc(s, &s->plan, k->n, sizeof *k->t);
}

static void columns_prepare(ov_rows *s)
{
  ov_column *headers[] = {&s->scope, &s->time_created, &s->time_edited};
  columns_put(s);
  for (size_t b = 0; b < OV_COLUMN_BUCKETS && !s->rc.err; b++)
    for (ov_column *k = s->columns[b]; k; k = k->next)
      column_room(s, k);
  for (size_t i = 0; i < 3; i++)
    column_room(s, headers[i]);
  if (s->rc.err)
    return;
  columns_put(s);
  for (size_t b = 0; b < OV_COLUMN_BUCKETS; b++)
    for (ov_column *k = s->columns[b]; k; k = k->next)
      ov_column_plan(k, true);
  for (size_t i = 0; i < 3; i++)
    ov_column_plan(headers[i], false);
}

static int prepare(ov_rows *s, const ov_rows_ctx *c, const ov_op *ops, uint32_t n)
{
  int err = ov_rows_begin(s, c, n);
  ov_arena_init(&s->plan, OV_ROWS_PLAN_BYTES_MAX);
  if (err)
    return err;
  s->ops = ov_rows_alloc(s, &s->plan, n, sizeof *s->ops);
  s->planned = ov_rows_alloc(s, &s->plan, n, sizeof *s->planned);
  if (s->rc.err)
    return s->rc.err;
  err = ops_prepare(s, ops);
  if (!err)
    err = map_prepare(s);
  if (!err)
    columns_prepare(s);
  return err ? err : s->rc.err;
}

static int encode(ov_rows *s, const ov_rows_ctx *c, const ov_op *ops, uint32_t n, ov_buf *coded, ov_buf *out)
{
  int err = prepare(s, c, ops, n);
  if (err)
    return err;
  ov_rc_encode_init(&s->rc, coded);
  ov_rc_uint(&s->rc, &s->m_count, n);
  ov_rows_walk(s);
  ov_rc_encode_end(&s->rc);
  if (s->rc.err || s->text.err || s->raw.err)
    return s->rc.err ? s->rc.err : s->text.err ? s->text.err : s->raw.err;
  ov_buf_varint(out, s->text.n);
  ov_buf_varint(out, s->raw.n);
  ov_buf_put(out, s->text.p, s->text.n);
  ov_buf_put(out, s->raw.p, s->raw.n);
  ov_buf_put(out, coded->p, coded->n);
  return out->err;
}

int ov_rows_encode(const ov_rows_ctx *c, const ov_op *ops, size_t n, ov_buf *out)
{
  if (n > OV_FRAME_ROWS_MAX || (n && c->first_seq > OV_SEQ_MAX - n && !c->named))
    return OV_E_LIMIT;
  ov_rows *s = calloc(1, sizeof *s);
  ov_buf coded;
  ov_buf_init(&coded, 0);
  int err = s ? encode(s, c, ops, (uint32_t)n, &coded, out) : OV_E_NOMEM;
  ov_buf_free(&coded);
  if (s)
    ov_rows_end(s);
  free(s);
  return err;
}
