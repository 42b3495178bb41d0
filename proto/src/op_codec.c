/* Canonical encodings of an op's header and payload. One op has exactly one canonical form, so the decoders
 * refuse every other form of the same content: two replicas that hash what they decoded must get the same
 * chain. */
#include <string.h>

#include "op_value.h"

/* What the reader finds wrong inside an op is told by the op's name; the frame around it is fine. */
static int op_err(int err) {
  if (err == OV_E_FORMAT) return OV_E_OP_FORMAT;
  return err == OV_E_LIMIT ? OV_E_OP_LIMIT : err;
}

static void name_or_nil_encode(bool has, const ov_name *n, ov_buf *out) {
  if (has) ov_mpw_name(out, n);
  else ov_mpw_nil(out);
}

/* PROTO-22 */
void ov_op_header_encode(const ov_op *op, ov_buf *out) {
  if (op->header_bytes) {
    ov_buf_put(out, op->header_bytes, op->header_len);
    return;
  }
  ov_mpw_array(out, 7);
  ov_mpw_uint(out, op->scope);
  name_or_nil_encode(!op->creates, &op->record, out);
  ov_mpw_uint(out, op->kind);
  ov_mpw_uint(out, op->version);
  name_or_nil_encode(op->has_participant, &op->participant, out);
  name_or_nil_encode(op->has_author, &op->author, out);
  ov_mpw_int(out, op->device_time);
}

/* PROTO-23 */
void ov_op_payload_encode(const ov_op *op, ov_buf *out) {
  if (op->payload_bytes) {
    ov_buf_put(out, op->payload_bytes, op->payload_len);
    return;
  }
  ov_mpw_array(out, 2);
  ov_mpw_map(out, op->n_fields);
  for (uint32_t i = 0; i < op->n_fields; i++) {
    ov_mpw_uint(out, op->fields[i].id);
    ov_value_encode(&op->fields[i].v, out);
  }
  ov_mpw_array(out, op->n_replaces);
  for (uint32_t i = 0; i < op->n_replaces; i++) ov_mpw_name(out, &op->replaces[i]);
}

/* Too large a number is over a limit, which is another thing than no number at all. */
static uint64_t uint_up_to(ov_mpr *r, uint64_t max) {
  uint64_t v = ov_mpr_uint(r, UINT64_MAX);
  if (v > max) ov_mpr_fail(r, OV_E_LIMIT);
  return v;
}

static uint16_t id_up_to(ov_mpr *r, uint16_t max) {
  uint16_t id = (uint16_t)uint_up_to(r, max);
  if (id == 0) ov_mpr_fail(r, OV_E_FORMAT);
  return id;
}

static bool name_or_nil_decode(ov_mpr *r, ov_name *n) {
  *n = (ov_name){0};
  if (ov_mpr_nil(r)) return false;
  ov_mpr_name(r, n);
  return true;
}

static bool time_in_range(int64_t t) { return t >= -OV_TIME_S_MAX && t <= OV_TIME_S_MAX; }

/* PROTO-22, PROTO-28, PROTO-19 */
int ov_op_header_decode(const uint8_t *p, size_t n, ov_op *op) {
  ov_mpr r;
  if (n > OV_HEADER_BYTES_MAX) return OV_E_OP_LIMIT;
  ov_mpr_init(&r, p, n);
  r.shortest = true;
  ov_mpr_array_of(&r, 7);
  op->scope = (uint32_t)uint_up_to(&r, UINT32_MAX);
  op->creates = !name_or_nil_decode(&r, &op->record);
  op->kind = id_up_to(&r, OV_KIND_ID_MAX);
  op->version = (uint16_t)uint_up_to(&r, UINT16_MAX);
  op->has_participant = name_or_nil_decode(&r, &op->participant);
  op->has_author = name_or_nil_decode(&r, &op->author);
  op->device_time = ov_mpr_int(&r);
  if (!time_in_range(op->device_time)) ov_mpr_fail(&r, OV_E_LIMIT);
  int err = op_err(ov_mpr_done(&r));
  if (err) return err;
  if (op->creates) op->record = op->name;
  op->header_bytes = p;
  op->header_len = (uint32_t)n;
  return 0;
}

/* An array of n, or NULL with the reader stuck when n is over its limit or memory is short; nothing is
 * allocated for none. */
static void *array_of(ov_mpr *r, ov_arena *a, uint32_t n, uint32_t max, size_t size) {
  if (n > max) ov_mpr_fail(r, OV_E_LIMIT);
  if (r->err || n == 0) return NULL;
  void *p = ov_arena_array(a, n, size);
  if (!p) ov_mpr_fail(r, OV_E_NOMEM);
  return p;
}

static void fields_decode(ov_mpr *r, ov_arena *a, ov_op *op) {
  uint32_t n = ov_mpr_map(r);
  ov_field *f = array_of(r, a, n, OV_OP_FIELDS_MAX, sizeof *f);
  for (uint32_t i = 0; i < n && !r->err; i++) {
    f[i].id = id_up_to(r, OV_FIELD_ID_MAX);
    if (i > 0 && f[i].id <= f[i - 1].id) ov_mpr_fail(r, OV_E_FORMAT);
    ov_value_decode(r, a, &f[i].v);
  }
  op->fields = f;
  op->n_fields = n;
}

static void replaces_decode(ov_mpr *r, ov_arena *a, ov_op *op) {
  uint32_t n = ov_mpr_array(r);
  ov_name *names = array_of(r, a, n, OV_OP_REPLACES_MAX, sizeof *names);
  for (uint32_t i = 0; i < n && !r->err; i++) {
    ov_mpr_name(r, &names[i]);
    if (i > 0 && ov_name_compare(&names[i - 1], &names[i]) >= 0) ov_mpr_fail(r, OV_E_FORMAT);
  }
  op->replaces = names;
  op->n_replaces = n;
}

static int payload_parse(const uint8_t *p, size_t n, ov_arena *a, ov_op *op) {
  ov_mpr r;
  if (n > OV_PAYLOAD_BYTES_MAX) return OV_E_OP_LIMIT;
  ov_mpr_init(&r, p, n);
  r.shortest = true;
  ov_mpr_array_of(&r, 2);
  fields_decode(&r, a, op);
  replaces_decode(&r, a, op);
  return op_err(ov_mpr_done(&r));
}

/* PROTO-23, PROTO-28 */
int ov_op_payload_decode(const uint8_t *p, size_t n, ov_arena *a, ov_op *op) {
  int err = payload_parse(p, n, a, op);
  if (err) {
    op->fields = NULL;
    op->replaces = NULL;
    op->n_fields = op->n_replaces = 0;
  }
  op->payload_bytes = p;
  op->payload_len = (uint32_t)n;
  op->payload_err = err == OV_E_OP_FORMAT || err == OV_E_OP_LIMIT ? err : 0;
  return err;
}

static bool seq_in_range(uint64_t seq) { return seq >= 1 && seq <= OV_SEQ_MAX; }

static int header_check(const ov_op *op) {
  if (op->header_bytes) return op->header_len <= OV_HEADER_BYTES_MAX ? 0 : OV_E_OP_LIMIT;
  if (op->kind == 0 || (!op->creates && !seq_in_range(op->record.seq))) return OV_E_OP_FORMAT;
  if ((op->has_participant && !seq_in_range(op->participant.seq)) ||
      (op->has_author && !seq_in_range(op->author.seq)))
    return OV_E_OP_FORMAT;
  return op->kind <= OV_KIND_ID_MAX && time_in_range(op->device_time) ? 0 : OV_E_OP_LIMIT;
}

static int fields_check(const ov_op *op, size_t *bytes) {
  if (op->n_fields > OV_OP_FIELDS_MAX) return OV_E_OP_LIMIT;
  *bytes += op->n_fields < 16 ? 1 : 3;
  for (uint32_t i = 0; i < op->n_fields; i++) {
    const ov_field *f = &op->fields[i];
    if (f->id > OV_FIELD_ID_MAX) return OV_E_OP_LIMIT;
    if (f->id == 0 || (i > 0 && f->id <= f[-1].id)) return OV_E_OP_FORMAT;
    *bytes += 1;
    int err = ov_value_check(&f->v, bytes);
    if (err) return err;
  }
  return 0;
}

static int replaces_check(const ov_op *op, size_t *bytes) {
  if (op->n_replaces > OV_OP_REPLACES_MAX) return OV_E_OP_LIMIT;
  *bytes += (op->n_replaces < 16 ? 1 : 3) + op->n_replaces * (2u + OV_NAME_BYTES);
  for (uint32_t i = 0; i < op->n_replaces; i++) {
    const ov_name *n = &op->replaces[i];
    if (!seq_in_range(n->seq) || (i > 0 && ov_name_compare(n - 1, n) >= 0)) return OV_E_OP_FORMAT;
  }
  return 0;
}

static int payload_check(const ov_op *op) {
  size_t bytes = 1;
  if (op->payload_err) return op->payload_err;
  if (op->payload_bytes) {
    bytes = op->payload_len;
  } else {
    int err = fields_check(op, &bytes);
    if (!err) err = replaces_check(op, &bytes);
    if (err) return err;
  }
  return bytes <= OV_PAYLOAD_BYTES_MAX ? 0 : OV_E_OP_LIMIT;
}

int ov_op_validate(const ov_op *op) {
  if (!seq_in_range(op->name.seq)) return OV_E_OP_FORMAT;
  if (op->is_void) return 0;
  int err = header_check(op);
  return err ? err : payload_check(op);
}

/* *p becomes a copy of n bytes, or stays NULL. */
static bool bytes_dup(ov_arena *a, const uint8_t **p, uint32_t n) {
  if (*p) *p = ov_arena_dup(a, *p, n);
  else return true;
  return *p != NULL;
}

static bool fields_dup(const ov_op *op, ov_arena *a, ov_op *copy) {
  copy->fields = ov_arena_array(a, op->n_fields, sizeof *copy->fields);
  if (!copy->fields) return false;
  for (uint32_t i = 0; i < op->n_fields; i++) {
    copy->fields[i].id = op->fields[i].id;
    if (ov_value_dup(&op->fields[i].v, a, &copy->fields[i].v) != 0) return false;
  }
  return true;
}

ov_op *ov_op_dup(const ov_op *op, ov_arena *a) {
  ov_op *copy = ov_arena_dup(a, op, sizeof *op);
  if (!copy || !fields_dup(op, a, copy)) return NULL;
  copy->replaces = ov_arena_dup(a, op->replaces, op->n_replaces * sizeof *op->replaces);
  if (!copy->replaces || !bytes_dup(a, &copy->header_bytes, op->header_len) ||
      !bytes_dup(a, &copy->payload_bytes, op->payload_len))
    return NULL;
  return copy;
}

const ov_field *ov_op_field(const ov_op *op, uint16_t id) {
  for (uint32_t i = 0; i < op->n_fields && op->fields[i].id <= id; i++)
    if (op->fields[i].id == id) return &op->fields[i];
  return NULL;
}
