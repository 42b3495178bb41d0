/* Ops, chains, rows, and the seeded workload. */
#include <string.h>

#include "ask.h"
#include "workload.h"

static json_t *encode(vec *v, json_t *q) {
  ov_op *op = vec_read_op(v, json_object_get(q, "op"));
  int err = ov_op_validate(op);
  if (err) return ask_error(err);
  ov_op_header_encode(op, &v->scratch);
  json_t *header = vec_hex(v->scratch.p, v->scratch.n);
  ov_buf_reset(&v->scratch);
  ov_op_payload_encode(op, &v->scratch);
  return json_pack("{s:o, s:o}", "header", header, "payload", vec_hex(v->scratch.p, v->scratch.n));
}

static json_t *decode_header(vec *v, json_t *q) {
  size_t n;
  const uint8_t *p = vec_read_hex(v, json_object_get(q, "hex"), &n);
  ov_op op = {.name = vec_sample_name(0x10, 1)};
  int err = ov_op_header_decode(p, n, &op);
  if (op.creates) op.record = op.name;
  return err ? ask_error(err) : json_pack("{s:o}", "op", vec_op(&op));
}

static json_t *decode_payload(vec *v, json_t *q) {
  size_t n;
  const uint8_t *p = vec_read_hex(v, json_object_get(q, "hex"), &n);
  ov_op op = {.name = vec_sample_name(0x10, 1), .creates = true, .kind = 1};
  op.record = op.name;
  int err = ov_op_payload_decode(p, n, &v->arena, &op);
  return err ? ask_error(err) : json_pack("{s:o}", "op", vec_op(&op));
}

/* keys: one for each op, null where the commitment is given. */
static json_t *chain(vec *v, json_t *q) {
  ov_id organisation, writer;
  ov_hash head;
  json_t *links = json_array(), *keys = json_object_get(q, "keys");
  size_t n;
  vec_read_bytes(json_object_get(q, "organisation"), organisation.b, OV_ID_BYTES);
  vec_read_bytes(json_object_get(q, "writer"), writer.b, OV_ID_BYTES);
  vec_need(ov_chain_start(v->hasher, &organisation, &writer, &head) == 0, "head 0");
  ov_op *ops = ask_read_list(v, json_object_get(q, "ops"), &n);
  for (size_t i = 0; i < n; i++) {
    uint8_t key[OV_KEY_BYTES];
    json_t *k = json_array_get(keys, i);
    if (json_is_string(k)) vec_read_bytes(k, key, sizeof key);
    int err = ov_chain_op(v->hasher, &ops[i], json_is_string(k) ? key : NULL, &head, &v->scratch);
    if (err) {
      json_decref(links);
      return ask_error(err);
    }
    json_array_append_new(links, json_pack("{s:o, s:o, s:o, s:o}", "name", vec_name(&ops[i].name),
                                           "header_hash", vec_hex(ops[i].header_hash.b, OV_HASH_BYTES),
                                           "commitment", vec_hex(ops[i].commitment.b, OV_HASH_BYTES), "head",
                                           vec_hex(head.b, OV_HASH_BYTES)));
  }
  return json_pack("{s:o}", "links", links);
}

static json_t *rows_encode(vec *v, json_t *q) {
  size_t n;
  ov_rows_ctx ctx = vec_read_ctx(json_object_get(q, "context"));
  ov_op *ops = ask_read_list(v, json_object_get(q, "ops"), &n);
  int err = ov_rows_encode(&ctx, ops, n, &v->scratch);
  return err ? ask_error(err) : json_pack("{s:o}", "hex", vec_hex(v->scratch.p, v->scratch.n));
}

/* tags: in PUSH form what chaining would give each row, in order. */
static json_t *rows_decode(vec *v, json_t *q) {
  size_t n, n_ops;
  ov_op *ops;
  ov_rows_ctx ctx = vec_read_ctx(json_object_get(q, "context"));
  const uint8_t *p = vec_read_hex(v, json_object_get(q, "hex"), &n);
  json_t *tags = json_object_get(q, "tags"), *list;
  int err = ov_rows_decode(&ctx, p, n, &v->arena, &ops, &n_ops);
  for (size_t i = 0; !err && !ctx.named && i < n_ops; i++) {
    err = ov_rows_resolve(&ctx, ops, i);
    if (i < json_array_size(tags)) vec_read_bytes(json_array_get(tags, i), ops[i].name.tag, OV_TAG_BYTES);
    if (ops[i].creates) ops[i].record = ops[i].name;
  }
  if (err) return ask_error(err);
  list = json_array();
  for (size_t i = 0; i < n_ops; i++) json_array_append_new(list, vec_op(&ops[i]));
  return json_pack("{s:o}", "ops", list);
}

static json_t *op_list(const ov_op *ops, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(list, vec_op(&ops[i]));
  return list;
}

static json_t *name_list(const ov_name *names, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(list, vec_name(&names[i]));
  return list;
}

/* A shift on top of a base of so many records, and the base; names are made up. */
static json_t *workload(vec *v, json_t *q) {
  uint32_t seed = (uint32_t)json_integer_value(json_object_get(q, "seed"));
  uint32_t tablet = (uint32_t)json_integer_value(json_object_get(q, "tablet"));
  uint32_t records = (uint32_t)json_integer_value(json_object_get(q, "records"));
  wl_base base = {.n_recs = 0};
  wl_named named;
  wl_op shift[WL_SHIFT_OPS];
  ov_op ops[WL_SHIFT_OPS];
  memset(&named, 0, sizeof named);
  memset(ops, 0, sizeof ops);
  vec_need(wl_base_make(&base, seed, records) == 0 && wl_named_make(&named, &base) == 0, "workload");
  wl_shift_make(shift, seed + 1, tablet, &base);
  vec_need(wl_named_shift(&named, shift, seed + 2, tablet, &v->arena, ops) == 0, "shift");
  json_t *writers = json_array();
  for (size_t i = 0; i < WL_TABLETS; i++)
    json_array_append_new(writers, vec_hex(named.tablets[i].b, OV_ID_BYTES));
  json_t *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "ops", op_list(ops, WL_SHIFT_OPS), "base",
                          op_list(named.base, named.n_base), "server", vec_hex(named.server.b, OV_ID_BYTES),
                          "tablets", writers, "clients", name_list(named.clients, WL_CLIENTS), "staff",
                          name_list(named.staff, WL_STAFF));
  wl_named_free(&named);
  wl_base_free(&base);
  return out;
}

const ask_entry ask_ops[] = {{"encode", encode},
                             {"decode_header", decode_header},
                             {"decode_payload", decode_payload},
                             {"chain", chain},
                             {"rows_encode", rows_encode},
                             {"rows_decode", rows_decode},
                             {"workload", workload},
                             {NULL, NULL}};
