/* The row codec: encoder, and the layout of rows on the wire.
 *
 * A byte string of rows has four parts, one after the other:
 *
 *   text_n   LEB128, shortest form: bytes of the text run
 *   raw_n    LEB128, shortest form: bytes of the raw run
 *   text     texts, long bytes values and verbatim payloads, in the order in which the walk below meets them
 *   raw      writers, tags, hashes and short bytes values, likewise
 *   coded    all else: one range-coded stream, to the end of the byte string
 *
 * so that a frame's deflate sees text first and what cannot be compressed last. All three must be used up
 * exactly at the end.
 *
 * 1 THE RANGE CODER. Integers only. The decoder holds range (2^32 - 1 at the start) and code (the first 4
 * bytes, big-endian); bytes beyond the end of the stream read as 0. After every step: while range < 2^24,
 * range = range * 256 and code = (code * 256 + next byte) mod 2^32. "/" rounds down.
 *
 *   bool(m)        m is a model {p, n}, {16384, 0} at first. bound = range / 32768 * p. If code < bound: 0,
 *                  range = bound. Else 1, code -= bound, range -= bound. Then p += floor((target - p) *
 *                  (65536 / (n + 2)) / 65536) with target 32768 for a 0 and 0 for a 1; p is kept within
 *                  64..32704; n += 1 unless it is 60.
 *   slot(total)    step = range / total; point = min(code / step, total - 1) tells which of the slots [at, at
 *                  + width) is meant, then code -= step * at, range = step * width.
 *   flat(k)        k bits, most significant first, in parts of 16 and a last shorter one, each a slot of
 *                  width 1 of 2^bits.
 *   tree(ms, k)    k bools, most significant first; the model of each is ms[node], node = 1 at first, then 2
 *                  * node + bit.
 *   symbol(ms,max) a number 0..max. With b = bits of max (0 for max = 0) and low = b - 8 if b > 8, else 0:
 *                  the upper b - low bits as in tree, against top = max >> low; a node whose upper half
 *                  begins above top is not coded (bit 0); a node used for the first time starts with n = 2
 *                  and p = 32768 * half / (half + upper), half being the span of its lower half and upper how
 *                  many values of its upper half are <= top. Then flat(low). Above max: broken.
 *   uint(m)        c = tree(m.class, 4), whose models start with p = (node 1..15) 28000 22000 26000 17000
 *                  18000 18000 and 9 times 16384, n = 0. bits = c, or for c = 15: 15 + flat(6), at most 64.
 *                  bits 0: 0; 1: 1; else the bit below the top one is bool(m.top[c]) and the bits - 2 others
 *                  flat.
 *   sint(m)        z = uint(m): z / 2, or for odd z: -(z + 1) / 2.
 *   choice(l)      a list of {thing, count}, empty at first. total = sum of counts + 12; the slots are the
 *                  counts in order, then 12 for 'new'. A thing that is chosen gets count += 4; a new one is
 *                  appended with count 4 once it has been read.
 *
 * An encoder mirrors this with carry: low += step * at (or += bound); when range < 2^24 the top byte of low
 * goes out. At the end it picks the number in low .. low + range - 1 with most zero bits at its end and
 * leaves out zero bytes at the end of the stream. Sums of 64-bit values wrap. A model below is named by its
 * place; each is used only where it is named.
 *
 * 2 REFERENCES. Writers: a table, [0] ctx.writer, [1] ctx.server, then as met. writer(): i = uint(writer
 * model); i = size of the table: a new one, 16 bytes from raw. Names: row r of this message is reference r; a
 * name that stands in no row before goes into the table of names and is reference n_rows + index. Places:
 * RECORD, PARTICIPANT, AUTHOR, REPLACES, VALUE.
 *
 *   miss(place, row)   how = tree(place.how, 2). 0: new name: writer(), seq = last + sint(place.seq) where
 *                      last is the seq of the last new name of this writer at this place (at first 0; in PUSH
 *                      form ctx.first_seq for writer 0), tag = 4 bytes from raw. 1: row - 1 - uint(back). 2:
 *                      names[size - 1 - uint(back)]. 3: broken.
 *   ref(place, row)    the place's list of at most 255 references, latest first: k = uint(rank); k > 0: entry
 *                      k - 1; 0: miss(). The reference moves (or is put) to the front; what falls off the end
 *                      is forgotten. rank is the place's model, for VALUE that of the field's column.
 *   person(place, row) choice(place's list); new: miss().
 *
 * In PUSH form a name of this push (ctx.writer, seq from first_seq to first_seq + n_rows - 1) given by row
 * has no tag until the receiver has chained that row; as a new name it carries its tag and belongs to another
 * branch, so a tag of zero is broken.
 *
 * 3 THE WALK. n_rows = uint(count), at most 4096. Then for each row, in this order:
 *
 *   shape      choice(shapes). New: form = tree(form, 2): 0 fields, 1 verbatim, 2 absent, 3 void. Unless
 *              void: i = uint(kind index) into the table of (kind, version) met so far, i = size: kind =
 *              uint(kind), version = uint(version); creates = bool(creates); has participant =
 *              bool(has_participant[creates]); has author = bool(has_author[creates]). For form 0: number of
 *              fields = uint(fields[creates]); for each: id = last id (0 first) + 1 + uint(field
 *              step[creates]); type: if an earlier field of a shape had this kind and id: bool(same type), 1:
 *              the type it had last; else tree(type, 3): 0 nil, 1 int, 2 text, 3 bytes, 4 set, 5 name.
 *   name       PUSH: (ctx.writer, first_seq + row, tag unknown). DELTA: choice(row writers), new: writer();
 *              seq = last + sint(row seq[creates]), last being kept per writer and set when the row creates
 *              or it was 0; tag from raw.
 *   void       header hash and commitment, 32 bytes each from raw; end of the row.
 *   record     creates: the row itself, which also goes to the front of RECORD's list. Else ref(RECORD).
 *   participant  if the shape has one: when an earlier row of the same record (the last such counts) has one:
 *                bool(same participant), 1: that one. Else person(PARTICIPANT).
 *   author     if the shape has one: person(AUTHOR).
 *   scope      column value (4), t = 0, in a column of its own.
 *   time       the first row that has a time: ctx.base_time + sint(first time). Others: base + column value,
 *              t = 0. PUSH: base is the time of the row before, one column. DELTA: rows that create have the
 *              last creating row as base (if none, the last row) and a column of their own; other rows the
 *              last row, and another column. Rows without a time are skipped.
 *   payload    form 0: for each field of the shape its value, then replaces. Form 1: uint(payload length),
 *              bytes from text. Form 2: commitment, 32 bytes from raw.
 *
 *   value      int: column value of (kind, id), t = device time. text: uint(text length), bytes from text.
 *              bytes: uint(bytes length), bytes from text if longer than 64, else from raw. name: ref(VALUE),
 *              as 28 bytes: a bytes value of 28 bytes that reads as a name with seq 1..2^53-1 and, in PUSH
 *              form, is no name of this push. set: the added, then the deleted: uint(set length), then for
 *              each tree(element, 2): 0 int: last int of this list (0 first) + sint(set int); 1 bytes; 2
 *              name.
 *   replaces   tree(told[creates], 2): 0 expected, 1 none, 2 listed. Listed: uint(listed), then for each,
 *              ascending: unless the row creates, bool(is record), 1: the record; else ref(REPLACES).
 *              Expected (never when creating): for each field: go back through the rows of the same record,
 *              at most 8, to the first that has the field: that row; if it creates and has it not: nothing;
 *              if there is none: the record. Each once, ascending by writer, seq, reference.
 *
 * 4 COLUMNS. Before its first value a column has a head: mode = tree(mode, 2): 0 plain, 1 seconds, 2 days, 3
 * wide. Wide has no more. Others: tree(apart count, 3), at most 4, and as many sint(apart): values set apart;
 * scale = [1, 2, 5, 10, 15, 20, 30, 60, 100, 300, 600, 900, 1000, 1800, 3600, 86400][tree(scale, 4)]; low =
 * sint(low[mode]); max = uint(max). A value: wide: sint(its own model). Else, if values are set apart:
 * bool(its own), 1: the value number symbol(its own, count - 1). Else base + low + scale * symbol(its own,
 * max), where base is 0 (plain), floor(t / scale) * scale (seconds) or floor(t / 86400) (days). How an
 * encoder chooses is its own affair. Anything outside the limits of ops is broken, as is a row named by a
 * VALUE in PUSH form.
 */
#include <stdlib.h>
#include <string.h>

#include "rows_priv.h"

/* An op as it is walked over: header and payload as fields wherever they have that form. */
static int op_prepare(ov_rows *s, const ov_op *given, ov_op *op) {
  *op = *given;
  if (op->is_void) return 0;
  if (op->header_bytes) {
    int err = ov_op_header_decode(op->header_bytes, op->header_len, op);
    if (err) return OV_E_INVALID;
    op->header_bytes = NULL;
  }
  if (op->has_commitment) return op->payload_bytes || op->n_fields || op->n_replaces ? OV_E_INVALID : 0;
  if (!op->payload_bytes) return 0;
  op->n_fields = op->n_replaces = 0;
  if (op->payload_len > OV_FRAME_BYTES_MAX) return OV_E_INVALID;
  int err = op->payload_err ? op->payload_err
                            : ov_op_payload_decode(given->payload_bytes, given->payload_len, &s->plan, op);
  if (err == OV_E_NOMEM) return err;
  op->payload_bytes = err ? given->payload_bytes : NULL;
  op->payload_err = 0;
  return 0;
}

/* A verbatim payload may be broken or too long; that is for its receiver to tell. */
static bool valid(const ov_op *op) {
  ov_op copy = *op;
  copy.payload_bytes = NULL;
  return ov_op_validate(&copy) == 0;
}

static int name_check(const ov_rows *s, const ov_op *op, uint32_t row) {
  if (op->creates && s->c->named && !op->is_void && !ov_name_equal(&op->record, &op->name))
    return OV_E_INVALID;
  if (s->c->named) return 0;
  return op->name.seq == s->c->first_seq + row && ov_id_equal(&op->name.writer, &s->c->writer) ? 0
                                                                                               : OV_E_INVALID;
}

static ov_form form_of(const ov_op *op) {
  if (op->is_void) return OV_FORM_VOID;
  if (op->has_commitment) return OV_FORM_ABSENT;
  return op->payload_bytes ? OV_FORM_VERBATIM : OV_FORM_FIELDS;
}

static int shape_prepare(ov_rows *s, const ov_op *op, ov_shape *h) {
  *h = (ov_shape){.form = (uint8_t)form_of(op)};
  if (op->is_void) return 0;
  h->kind = op->kind;
  h->version = op->version;
  h->creates = op->creates;
  h->has_participant = op->has_participant;
  h->has_author = op->has_author;
  h->n_fields = op->n_fields;
  h->ids = ov_rows_alloc(s, &s->plan, op->n_fields, 1);
  h->types = ov_rows_alloc(s, &s->plan, op->n_fields, 1);
  if (s->rc.err) return s->rc.err;
  for (uint32_t i = 0; i < op->n_fields; i++) {
    h->ids[i] = (uint8_t)op->fields[i].id;
    h->types[i] = (uint8_t)ov_rows_wire(s, &op->fields[i].v);
  }
  return 0;
}

/* What a decoder's arena hands out for a value, in its units of 16 bytes. */
static size_t kept(size_t n) { return (n + 15) / 16 * 16 + 16; }

/* Two levels deep at most: no set stands in a set. */
// NOLINTNEXTLINE(misc-no-recursion)
static size_t value_kept(const ov_value *v) {
  size_t n = 0;
  if (v->type == OV_V_BYTES) return kept(v->s.n);
  if (v->type == OV_V_TEXT) return v->s.n;
  if (v->type != OV_V_SET) return 0;
  for (uint32_t i = 0; i < v->set.n_add; i++) n += value_kept(&v->set.add[i]);
  for (uint32_t i = 0; i < v->set.n_del; i++) n += value_kept(&v->set.del[i]);
  return n + kept((v->set.n_add + v->set.n_del) * sizeof *v) + 16;
}

static size_t op_kept(const ov_op *op) {
  size_t n = sizeof *op + kept(op->n_fields * sizeof *op->fields) +
             kept(op->n_replaces * sizeof *op->replaces) + op->payload_len;
  for (uint32_t i = 0; i < op->n_fields; i++) n += value_kept(&op->fields[i].v);
  return n;
}

static int ops_prepare(ov_rows *s, const ov_op *ops) {
  size_t keeps = 0;
  for (uint32_t i = 0; i < s->n; i++) {
    int err = op_prepare(s, &ops[i], &s->ops[i]);
    if (!err) err = name_check(s, &s->ops[i], i);
    if (!err && !valid(&s->ops[i])) err = OV_E_INVALID;
    if (!err) err = shape_prepare(s, &s->ops[i], &s->planned[i]);
    keeps += err ? 0 : op_kept(&s->ops[i]);
    if (!err && keeps > OV_ROWS_KEEP_BYTES_MAX) err = OV_E_LIMIT;
    if (err) return err;
  }
  return 0;
}

/* Names that may enter the table: those of the header and of replaces, and 28-byte values. */
static size_t names_bound(const ov_rows *s) {
  size_t n = 4;
  for (uint32_t i = 0; i < s->n; i++) {
    const ov_op *op = &s->ops[i];
    n += 4 + op->n_replaces;
    for (uint32_t f = 0; f < op->n_fields; f++)
      n += op->fields[f].v.type == OV_V_SET ? op->fields[f].v.set.n_add + op->fields[f].v.set.n_del : 1;
  }
  return n;
}

static int map_prepare(ov_rows *s) {
  size_t want = names_bound(s) * 2, size = 64;
  while (size < want) size *= 2;
  s->map = ov_rows_alloc(s, &s->plan, size, sizeof *s->map);
  s->map_mask = (uint32_t)size - 1;
  return s->rc.err;
}

/* -- columns: what the walk will put into each, so that its head can be chosen ------------------- */

static void column_put(ov_column *k, int64_t x, int64_t t) {
  if (k->x) {
    k->x[k->filled] = x;
    k->t[k->filled++] = t;
  } else {
    k->n++;
  }
}

static void columns_put(ov_rows *s) {
  s->any_time = s->any_created = false;
  for (uint32_t i = 0; i < s->n; i++) {
    const ov_op *op = &s->ops[i];
    if (op->is_void) continue;
    column_put(&s->scope, op->scope, 0);
    if (s->any_time)
      column_put(op->creates || !s->c->named ? &s->time_created : &s->time_edited,
                 op->device_time - ov_rows_time_base(s, op->creates), 0);
    ov_rows_time_seen(s, op->device_time, op->creates);
    for (uint32_t f = 0; f < op->n_fields; f++) {
      ov_column *k = op->fields[f].v.type == OV_V_INT ? ov_rows_column(s, op->kind, op->fields[f].id) : NULL;
      if (k) column_put(k, op->fields[f].v.i, op->device_time);
    }
  }
  s->any_time = s->any_created = false;
  s->last_time = s->last_created_time = 0;
}

static void column_room(ov_rows *s, ov_column *k) {
  k->x = ov_rows_alloc(s, &s->plan, k->n, sizeof *k->x);
  k->t = ov_rows_alloc(s, &s->plan, k->n, sizeof *k->t);
}

static void columns_prepare(ov_rows *s) {
  ov_column *headers[] = {&s->scope, &s->time_created, &s->time_edited};
  columns_put(s);
  for (size_t b = 0; b < OV_COLUMN_BUCKETS && !s->rc.err; b++)
    for (ov_column *k = s->columns[b]; k; k = k->next) column_room(s, k);
  for (size_t i = 0; i < 3; i++) column_room(s, headers[i]);
  if (s->rc.err) return;
  columns_put(s);
  for (size_t b = 0; b < OV_COLUMN_BUCKETS; b++)
    for (ov_column *k = s->columns[b]; k; k = k->next) ov_column_plan(k, true);
  for (size_t i = 0; i < 3; i++) ov_column_plan(headers[i], false);
}

static int prepare(ov_rows *s, const ov_rows_ctx *c, const ov_op *ops, uint32_t n) {
  int err = ov_rows_begin(s, c, n);
  ov_arena_init(&s->plan, OV_ROWS_PLAN_BYTES_MAX);
  if (err) return err;
  s->ops = ov_rows_alloc(s, &s->plan, n, sizeof *s->ops);
  s->planned = ov_rows_alloc(s, &s->plan, n, sizeof *s->planned);
  if (s->rc.err) return s->rc.err;
  err = ops_prepare(s, ops);
  if (!err) err = map_prepare(s);
  if (!err) columns_prepare(s);
  return err ? err : s->rc.err;
}

static int encode(ov_rows *s, const ov_rows_ctx *c, const ov_op *ops, uint32_t n, ov_buf *coded,
                  ov_buf *out) {
  int err = prepare(s, c, ops, n);
  if (err) return err;
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

int ov_rows_encode(const ov_rows_ctx *c, const ov_op *ops, size_t n, ov_buf *out) {
  if (n > OV_FRAME_ROWS_MAX || (n && c->first_seq > OV_SEQ_MAX - n && !c->named)) return OV_E_LIMIT;
  ov_rows *s = calloc(1, sizeof *s);
  ov_buf coded;
  ov_buf_init(&coded, 0);
  int err = s ? encode(s, c, ops, (uint32_t)n, &coded, out) : OV_E_NOMEM;
  ov_buf_free(&coded);
  if (s) ov_rows_end(s);
  free(s);
  return err;
}
