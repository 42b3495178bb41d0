#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vec.h"

void vec_need(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "vectors: %s\n", what);
  abort();
}

static json_t *load(const char *dir, const char *file) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", dir, file);
  return json_load_file(path, 0, NULL);
}

void vec_open(vec *v, const char *dir) {
  static const uint8_t device[OV_KEY_BYTES] = {[0] = 0x11, [31] = 0x01},
                       server[OV_KEY_BYTES] = {[0] = 0x22, [31] = 0x02};
  memset(v, 0, sizeof *v);
  ov_arena_init(&v->arena, 64u << 20);
  ov_buf_init(&v->scratch, 0);
  v->hasher = ov_hasher_new();
  v->packer = ov_packer_new();
  vec_need(v->hasher && v->packer, "out of memory");
  vec_need(ov_p256_load(device, &v->device_key) == 0 && ov_p256_load(server, &v->server_key) == 0,
           "test keys");
  v->old_signatures = load(dir, "signatures.json");
  v->old_messages = load(dir, "messages.json");
}

void vec_close(vec *v) {
  json_decref(v->old_signatures);
  json_decref(v->old_messages);
  ov_p256_free(v->device_key);
  ov_p256_free(v->server_key);
  ov_packer_free(v->packer);
  ov_hasher_free(v->hasher);
  ov_buf_free(&v->scratch);
  ov_arena_free(&v->arena);
}

char *vec_text(json_t *json) {
  char *text = json_dumps(json, JSON_INDENT(1) | JSON_ENSURE_ASCII);
  size_t n = text ? strlen(text) : 0;
  char *out = malloc(n + 2);
  vec_need(text && out, "out of memory");
  memcpy(out, text, n);
  memcpy(out + n, "\n", 2);
  free(text);
  return out;
}

json_t *vec_find(json_t *array, const char *name) {
  size_t i;
  json_t *j;
  json_array_foreach(array, i, j) if (!strcmp(json_string_value(json_object_get(j, "name")), name)) return j;
  return NULL;
}

/* -- to JSON -- */

json_t *vec_hex(const void *p, size_t n) {
  char *text = malloc(2 * n + 1);
  vec_need(text != NULL, "out of memory");
  ov_hex(p, n, text);
  json_t *j = json_string(text);
  free(text);
  return j;
}

json_t *vec_name(const ov_name *n) {
  char text[OV_NAME_TEXT_MAX];
  ov_name_text(n, text);
  return json_string(text);
}

static json_t *elements(const ov_value *v, uint32_t n) {
  json_t *a = json_array();
  for (uint32_t i = 0; i < n; i++) json_array_append_new(a, vec_value(&v[i]));
  return a;
}

json_t *vec_value(const ov_value *v) {
  char text[32];
  switch (v->type) {
  case OV_V_NIL: return json_null();
  case OV_V_INT: snprintf(text, sizeof text, "%lld", (long long)v->i); return json_pack("{s:s}", "int", text);
  case OV_V_TEXT: return json_pack("{s:s%}", "text", v->s.n ? (const char *)v->s.p : "", (size_t)v->s.n);
  case OV_V_BYTES: return json_pack("{s:o}", "bytes", vec_hex(v->s.p, v->s.n));
  default:
    return json_pack("{s:o, s:o}", "add", elements(v->set.add, v->set.n_add), "delete",
                     elements(v->set.del, v->set.n_del));
  }
}

static json_t *names(const ov_name *n, uint32_t count) {
  json_t *a = json_array();
  for (uint32_t i = 0; i < count; i++) json_array_append_new(a, vec_name(&n[i]));
  return a;
}

json_t *vec_op(const ov_op *op) {
  if (op->is_void)
    return json_pack("{s:o, s:b, s:o, s:o}", "name", vec_name(&op->name), "void", 1, "header_hash",
                     vec_hex(op->header_hash.b, OV_HASH_BYTES), "commitment",
                     vec_hex(op->commitment.b, OV_HASH_BYTES));
  json_t *fields = json_array();
  for (uint32_t i = 0; i < op->n_fields; i++)
    json_array_append_new(fields, json_pack("[i, o]", (int)op->fields[i].id, vec_value(&op->fields[i].v)));
  json_t *j = json_pack("{s:o, s:I, s:o, s:i, s:i, s:o, s:o, s:I}", "name", vec_name(&op->name), "scope",
                        (json_int_t)op->scope, "record", op->creates ? json_null() : vec_name(&op->record),
                        "kind", (int)op->kind, "version", (int)op->version, "participant",
                        op->has_participant ? vec_name(&op->participant) : json_null(), "author",
                        op->has_author ? vec_name(&op->author) : json_null(), "device_time",
                        (json_int_t)op->device_time);
  if (op->has_commitment) {
    json_decref(fields);
    json_object_set_new(j, "payload_absent", json_true());
    json_object_set_new(j, "commitment", vec_hex(op->commitment.b, OV_HASH_BYTES));
    return j;
  }
  if (op->payload_err) {
    json_decref(fields);
    json_object_set_new(j, "payload", vec_hex(op->payload_bytes, op->payload_len));
    json_object_set_new(j, "refused", json_string(ov_err_slug(op->payload_err)));
    return j;
  }
  json_object_set_new(j, "fields", fields);
  json_object_set_new(j, "replaces", names(op->replaces, op->n_replaces));
  return j;
}

static const char *const retract_texts[] = {"live", "retracted", "conflict"};

json_t *vec_record(const ov_record *r) {
  json_t *ops = json_array(), *live = json_array(), *held = json_array();
  for (uint32_t i = 0; i < r->n_ops; i++)
    json_array_append_new(ops, json_pack("{s:o, s:o, s:I, s:i}", "name", vec_name(&r->ops[i].name), "author",
                                         r->ops[i].has_author ? vec_name(&r->ops[i].author) : json_null(),
                                         "time", (json_int_t)r->ops[i].time, "flags", (int)r->ops[i].flags));
  for (uint32_t i = 0; i < r->n_live; i++) {
    const ov_live *l = &r->live[i];
    json_t *j = json_pack("{s:i, s:o, s:o}", "field", (int)l->field, "value", vec_value(&l->v), "op",
                          vec_name(&r->ops[l->op].name));
    if (l->is_elem) json_object_set_new(j, "element", vec_value(&l->elem));
    json_array_append_new(live, j);
  }
  for (uint32_t i = 0; i < r->n_held; i++)
    json_array_append_new(held, json_pack("{s:o, s:i, s:i}", "name", vec_name(&r->held[i].name), "verdict",
                                          (int)r->held[i].verdict, "reason", (int)r->held[i].reason));
  return json_pack("{s:o, s:i, s:i, s:I, s:o, s:b, s:o, s:o, s:o, s:o, s:s, s:i}", "name", vec_name(&r->name),
                   "kind", (int)r->kind, "version", (int)r->version, "scope", (json_int_t)r->scope,
                   "participant", r->has_participant ? vec_name(&r->participant) : json_null(), "created",
                   (int)r->created, "ops", ops, "live", live, "held", held, "seen", names(r->seen, r->n_seen),
                   "retracted", retract_texts[ov_record_retracted(r)], "conflicts",
                   (int)ov_record_conflicts(r));
}

json_t *vec_ctx(const ov_rows_ctx *c) {
  json_t *j = json_pack("{s:b, s:o, s:o, s:I}", "named", (int)c->named, "writer",
                        vec_hex(c->writer.b, OV_ID_BYTES), "server", vec_hex(c->server.b, OV_ID_BYTES),
                        "base_time", (json_int_t)c->base_time);
  if (!c->named) json_object_set_new(j, "first_seq", json_integer((json_int_t)c->first_seq));
  return j;
}

/* -- from JSON -- */

const uint8_t *vec_read_hex(vec *v, json_t *j, size_t *n) {
  const char *text = json_string_value(j);
  vec_need(text && strlen(text) % 2 == 0, "hex expected");
  *n = strlen(text) / 2;
  uint8_t *p = ov_arena_alloc(&v->arena, *n);
  vec_need(p && ov_unhex(text, p, *n) == 0, "hex expected");
  return p;
}

void vec_read_bytes(json_t *j, uint8_t *out, size_t n) {
  const char *text = json_string_value(j);
  vec_need(text && ov_unhex(text, out, n) == 0, "hex of a fixed length expected");
}

void vec_read_name(json_t *j, ov_name *out) {
  vec_need(json_is_string(j) && ov_name_parse(json_string_value(j), out) == 0, "name expected");
}

static ov_value *read_elements(vec *v, json_t *a, uint32_t *n) {
  *n = (uint32_t)json_array_size(a);
  ov_value *out = ov_arena_array(&v->arena, *n, sizeof *out);
  for (uint32_t i = 0; i < *n; i++) out[i] = vec_read_value(v, json_array_get(a, i));
  return out;
}

ov_value vec_read_value(vec *v, json_t *j) {
  json_t *p;
  ov_value out = ov_nil();
  if (json_is_null(j)) return out;
  if ((p = json_object_get(j, "int"))) return ov_int(strtoll(json_string_value(p), NULL, 10));
  if ((p = json_object_get(j, "text"))) {
    uint8_t *copy = ov_arena_dup(&v->arena, json_string_value(p), json_string_length(p));
    out.type = OV_V_TEXT;
    out.s.p = copy;
    out.s.n = (uint32_t)json_string_length(p);
    return out;
  }
  if ((p = json_object_get(j, "bytes"))) {
    size_t n;
    const uint8_t *b = vec_read_hex(v, p, &n);
    return ov_bytes(b, (uint32_t)n);
  }
  out.type = OV_V_SET;
  out.set.add = read_elements(v, json_object_get(j, "add"), &out.set.n_add);
  out.set.del = read_elements(v, json_object_get(j, "delete"), &out.set.n_del);
  return out;
}

static bool read_optional_name(json_t *j, ov_name *out) {
  if (!j || json_is_null(j)) return false;
  vec_read_name(j, out);
  return true;
}

static void read_payload(vec *v, json_t *j, ov_op *op) {
  json_t *fields = json_object_get(j, "fields"), *replaces = json_object_get(j, "replaces"),
         *verbatim = json_object_get(j, "payload");
  if (verbatim) {
    size_t n;
    const uint8_t *p = vec_read_hex(v, verbatim, &n);
    ov_op_payload_decode(p, n, &v->arena, op); /* keeps the bytes, and says in payload_err what is wrong */
    return;
  }
  op->n_fields = (uint32_t)json_array_size(fields);
  op->fields = ov_arena_array(&v->arena, op->n_fields, sizeof *op->fields);
  for (uint32_t i = 0; i < op->n_fields; i++) {
    json_t *f = json_array_get(fields, i);
    op->fields[i].id = (uint16_t)json_integer_value(json_array_get(f, 0));
    op->fields[i].v = vec_read_value(v, json_array_get(f, 1));
  }
  op->n_replaces = (uint32_t)json_array_size(replaces);
  op->replaces = ov_arena_array(&v->arena, op->n_replaces, sizeof *op->replaces);
  for (uint32_t i = 0; i < op->n_replaces; i++) vec_read_name(json_array_get(replaces, i), &op->replaces[i]);
}

ov_op *vec_read_op(vec *v, json_t *j) {
  ov_op *op = ov_arena_alloc(&v->arena, sizeof *op);
  vec_need(op != NULL, "out of memory");
  vec_read_name(json_object_get(j, "name"), &op->name);
  op->is_void = json_is_true(json_object_get(j, "void"));
  op->has_commitment = json_is_true(json_object_get(j, "payload_absent"));
  if (op->is_void) vec_read_bytes(json_object_get(j, "header_hash"), op->header_hash.b, OV_HASH_BYTES);
  if (op->is_void || op->has_commitment)
    vec_read_bytes(json_object_get(j, "commitment"), op->commitment.b, OV_HASH_BYTES);
  if (op->is_void) return op;
  op->scope = (uint32_t)json_integer_value(json_object_get(j, "scope"));
  op->creates = !read_optional_name(json_object_get(j, "record"), &op->record);
  if (op->creates) op->record = op->name;
  op->kind = (uint16_t)json_integer_value(json_object_get(j, "kind"));
  op->version = (uint16_t)json_integer_value(json_object_get(j, "version"));
  op->has_participant = read_optional_name(json_object_get(j, "participant"), &op->participant);
  op->has_author = read_optional_name(json_object_get(j, "author"), &op->author);
  op->device_time = json_integer_value(json_object_get(j, "device_time"));
  if (!op->has_commitment) read_payload(v, j, op);
  return op;
}

ov_rows_ctx vec_read_ctx(json_t *j) {
  ov_rows_ctx c = {.named = json_is_true(json_object_get(j, "named")),
                   .base_time = json_integer_value(json_object_get(j, "base_time")),
                   .first_seq = (uint64_t)json_integer_value(json_object_get(j, "first_seq"))};
  vec_read_bytes(json_object_get(j, "writer"), c.writer.b, OV_ID_BYTES);
  vec_read_bytes(json_object_get(j, "server"), c.server.b, OV_ID_BYTES);
  return c;
}

/* -- building -- */

ov_id vec_id(uint8_t fill) {
  ov_id id;
  for (unsigned i = 0; i < OV_ID_BYTES; i++) id.b[i] = (uint8_t)(fill + i);
  return id;
}

ov_name vec_sample_name(uint8_t writer, uint64_t seq) {
  return (ov_name){
      .writer = vec_id(writer), .seq = seq, .tag = {writer, (uint8_t)seq, (uint8_t)(seq * 3), 0xee}};
}

ov_op *vec_new_op(vec *v, uint8_t writer, uint64_t seq, const ov_name *record, const ov_field *fields,
                  uint32_t n) {
  ov_op *op = ov_arena_alloc(&v->arena, sizeof *op);
  vec_need(op != NULL, "out of memory");
  *op = (ov_op){.name = vec_sample_name(writer, seq),
                .scope = 2,
                .creates = !record,
                .kind = 20,
                .version = 1,
                .device_time = 1763800000 + (int64_t)seq,
                .n_fields = n};
  op->record = record ? *record : op->name;
  op->fields = ov_arena_dup(&v->arena, fields, n * sizeof *fields);
  return op;
}

void vec_replace(vec *v, ov_op *op, const ov_name *replaced, uint32_t n) {
  op->replaces = ov_arena_dup(&v->arena, replaced, n * sizeof *replaced);
  op->n_replaces = n;
}

static ov_value *ints(vec *v, const int64_t *i, uint32_t n) {
  ov_value *out = ov_arena_array(&v->arena, n, sizeof *out);
  for (uint32_t k = 0; k < n; k++) out[k] = ov_int(i[k]);
  return out;
}

ov_value vec_set(vec *v, const int64_t *add, uint32_t n_add, const int64_t *del, uint32_t n_del) {
  return (ov_value){
      .type = OV_V_SET,
      .set = {.add = ints(v, add, n_add), .del = ints(v, del, n_del), .n_add = n_add, .n_del = n_del}};
}

void vec_sign(vec *v, const char *name, const ov_p256 *key, const ov_buf *bytes, uint8_t sig[OV_SIG_BYTES]) {
  uint8_t pubkey[OV_PUBKEY_BYTES];
  json_t *old = vec_find(v->old_signatures, name);
  ov_p256_public(key, pubkey);
  if (old) {
    vec_read_bytes(json_object_get(old, "signature"), sig, OV_SIG_BYTES);
    if (ov_p256_verify(NULL, pubkey, bytes->p, bytes->n, sig) == 0) return;
  }
  vec_need(ov_p256_sign(key, bytes->p, bytes->n, sig) == 0, "signing");
}
