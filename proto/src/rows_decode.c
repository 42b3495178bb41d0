/* The row codec: decoder. Everything it hands out lives in the caller's arena; its own tables are bounded and
 * freed. */
#include <stdlib.h>
#include <string.h>

#include "rows_priv.h"

typedef struct cursor {
  const uint8_t *p, *end;
} cursor;

/* LEB128 up to max, shortest form. False when it is not that. */
static bool length_read(cursor *c, size_t max, size_t *out) {
  uint64_t v = 0;
  for (unsigned shift = 0; shift < 28 && c->p < c->end; shift += 7) {
    uint8_t b = *c->p++;
    v |= (uint64_t)(b & 0x7f) << shift;
    if (b < 0x80) {
      *out = (size_t)v;
      return v <= max && (b != 0 || shift == 0);
    }
  }
  return false;
}

/* The text is copied: what the caller keeps must not borrow from a buffer that the next frame is unpacked
 * into. */
static int parts(ov_rows *s, const uint8_t *p, size_t n) {
  cursor c = {p, p + n};
  size_t text = 0, raw = 0;
  if (!length_read(&c, n, &text) || !length_read(&c, n, &raw) || (size_t)(c.end - c.p) < text ||
      (size_t)(c.end - c.p) - text < raw)
    return OV_E_FORMAT;
  uint8_t *copy = ov_rows_alloc(s, s->out, text, 1);
  if (!copy) return s->rc.err;
  if (text) memcpy(copy, c.p, text);
  s->text_p = copy;
  s->text_end = s->text_p + text;
  s->raw_p = c.p + text;
  s->raw_end = s->raw_p + raw;
  ov_rc_decode_init(&s->rc, s->raw_end, (size_t)(c.end - s->raw_end));
  return 0;
}

/* Replaced names ascend; in a push a tag may still be missing, which is checked when it is completed. */
static int replaces_check(const ov_rows *s, const ov_op *op) {
  for (uint32_t i = 1; i < op->n_replaces; i++) {
    const ov_name *a = &op->replaces[i - 1], *b = &op->replaces[i];
    bool open = a->seq == b->seq && (ov_rows_in_push(s, a) || ov_rows_in_push(s, b));
    if (!open && ov_name_compare(a, b) >= 0) return OV_E_FORMAT;
  }
  return 0;
}

/* Only now: during the walk both sides must see a verbatim row without fields. PROTO-61 */
static int payload_parse(ov_rows *s, ov_op *op) {
  int err = ov_op_payload_decode(op->payload_bytes, op->payload_len, s->out, op);
  if (err == OV_E_NOMEM)
    return ov_rows_arena_err(s->out,
                             op->payload_len * sizeof(ov_value) + sizeof(ov_field) * OV_OP_FIELDS_MAX);
  return err == OV_E_OP_FORMAT || err == OV_E_OP_LIMIT ? 0 : err;
}

/* PROTO-60 */
static int finish(ov_rows *s) {
  int err = ov_rc_decode_end(&s->rc);
  if (!err && (s->text_p != s->text_end || s->raw_p != s->raw_end)) err = OV_E_FORMAT;
  for (uint32_t i = 0; i < s->n && !err; i++) {
    ov_op *op = &s->ops[i];
    if (op->payload_bytes) err = payload_parse(s, op);
    else err = replaces_check(s, op);
  }
  return err;
}

static int decode(ov_rows *s, const ov_rows_ctx *c, const uint8_t *p, size_t n) {
  s->decoding = true;
  int err = parts(s, p, n);
  if (err) return err;
  uint64_t count = ov_rc_uint(&s->rc, &s->m_count, 0);
  if (s->rc.err || count > OV_FRAME_ROWS_MAX) return s->rc.err ? s->rc.err : OV_E_LIMIT;
  if (!c->named && count && (c->first_seq < 1 || c->first_seq > OV_SEQ_MAX - count)) return OV_E_FORMAT;
  err = ov_rows_begin(s, c, (uint32_t)count);
  if (err) return err;
  s->ops = ov_rows_alloc(s, s->out, (size_t)count, sizeof *s->ops);
  ov_rows_walk(s);
  return finish(s);
}

/* PROTO-62 */
int ov_rows_decode(const ov_rows_ctx *c, const uint8_t *p, size_t n, ov_arena *a, ov_op **ops,
                   size_t *n_ops) {
  *ops = NULL;
  *n_ops = 0;
  ov_rows *s = calloc(1, sizeof *s);
  if (!s) return OV_E_NOMEM;
  s->out = a;
  int err = decode(s, c, p, n);
  if (!err) {
    *ops = s->ops;
    *n_ops = s->n;
  }
  ov_rows_end(s);
  free(s);
  return err;
}

/* PROTO-63 */
static void complete(const ov_rows_ctx *c, const ov_op *ops, size_t i, ov_name *name) {
  static const uint8_t no_tag[OV_TAG_BYTES];
  if (name->seq < c->first_seq || name->seq - c->first_seq >= i ||
      memcmp(name->tag, no_tag, sizeof no_tag) != 0 || !ov_id_equal(&name->writer, &c->writer))
    return;
  memcpy(name->tag, ops[name->seq - c->first_seq].name.tag, OV_TAG_BYTES);
}

int ov_rows_resolve(const ov_rows_ctx *c, ov_op *ops, size_t i) {
  ov_op *op = &ops[i];
  if (c->named || op->is_void) return 0;
  if (!op->creates) complete(c, ops, i, &op->record);
  if (op->has_participant) complete(c, ops, i, &op->participant);
  if (op->has_author) complete(c, ops, i, &op->author);
  if (op->payload_bytes) return 0;
  for (uint32_t k = 0; k < op->n_replaces; k++) {
    complete(c, ops, i, &op->replaces[k]);
    if (k > 0 && ov_name_compare(&op->replaces[k - 1], &op->replaces[k]) >= 0) return OV_E_OP_FORMAT;
  }
  return 0;
}
