/* The checked-in vectors are what the generator makes; and read on their own, as a second implementation
 * reads them, they hold. */
#include "check.h"

#include <stdio.h>

json_t *check_load(const char *file) {
  char path[1024];
  json_error_t why;
  snprintf(path, sizeof path, VEC_DIR "/%s", file);
  json_t *j = json_load_file(path, 0, &why);
  if (!j) fail_msg("%s: %s", path, why.text);
  return j;
}

const char *check_text(json_t *j, const char *key) {
  const char *text = json_string_value(json_object_get(j, key));
  if (!text) fail_msg("no %s", key);
  return text;
}

void check_hex(const char *name, json_t *want, const uint8_t *p, size_t n) {
  json_t *got = vec_hex(p, n);
  if (!json_equal(got, want))
    fail_msg("%s:\n  %s instead of\n  %s", name, json_string_value(got), json_string_value(want));
  json_decref(got);
}

static char *read_file(const char *name) {
  char path[1024];
  snprintf(path, sizeof path, VEC_DIR "/%s", name);
  FILE *f = fopen(path, "r");
  if (!f) fail_msg("%s is missing: make-vectors %s", path, VEC_DIR);
  char *text = calloc(1, 4u << 20);
  assert_true(fread(text, 1, (4u << 20) - 1, f) > 0);
  fclose(f);
  return text;
}

static void test_checked_in(void **state) {
  (void)state;
  for (const vec_file *f = vec_files; f->name; f++) {
    vec v;
    vec_open(&v, VEC_DIR);
    json_t *json = f->make(&v);
    char *made = vec_text(json), *stored = read_file(f->name);
    if (strcmp(made, stored))
      fail_msg("%s is not what the generator makes: make-vectors %s, and look at the difference", f->name,
               VEC_DIR);
    free(made);
    free(stored);
    json_decref(json);
    vec_close(&v);
  }
}

static void test_values(void **state) {
  json_t *file = check_load("values.json"), *j;
  vec v;
  size_t i;
  (void)state;
  vec_open(&v, VEC_DIR);
  json_array_foreach(file, i, j) {
    const char *name = check_text(j, "name");
    ov_value want = vec_read_value(&v, json_object_get(j, "value")), got;
    ov_buf_reset(&v.scratch);
    ov_value_encode(&want, &v.scratch);
    check_hex(name, json_object_get(j, "hex"), v.scratch.p, v.scratch.n);
    ov_mpr r;
    ov_mpr_init(&r, v.scratch.p, v.scratch.n);
    ov_value_decode(&r, &v.arena, &got);
    assert_int_equal(ov_mpr_done(&r), 0);
    assert_true(ov_value_equal(&want, &got));
  }
  assert_true(i > 30);
  json_decref(file);
  vec_close(&v);
}

static void test_names(void **state) {
  json_t *file = check_load("names.json"), *j;
  ov_name before = {.seq = 0};
  size_t i;
  (void)state;
  json_array_foreach(file, i, j) {
    ov_name n, back;
    uint8_t bytes[OV_NAME_BYTES];
    vec_read_name(json_object_get(j, "text"), &n);
    assert_int_equal(n.seq, json_integer_value(json_object_get(j, "seq")));
    check_hex("writer", json_object_get(j, "writer"), n.writer.b, OV_ID_BYTES);
    check_hex("tag", json_object_get(j, "tag"), n.tag, OV_TAG_BYTES);
    ov_name_write(&n, bytes);
    check_hex("name", json_object_get(j, "hex"), bytes, sizeof bytes);
    ov_name_read(bytes, &back);
    assert_true(ov_name_equal(&n, &back));
    assert_true(ov_name_compare(&before, &n) < 0); /* the file is in ascending order */
    before = n;
  }
  assert_true(i >= 5);
  json_decref(file);
}

/* PROTO-22, PROTO-23, PROTO-24 */
static void test_ops(void **state) {
  json_t *file = check_load("ops.json"), *j;
  vec v;
  size_t i;
  (void)state;
  vec_open(&v, VEC_DIR);
  json_array_foreach(file, i, j) {
    const char *name = check_text(j, "name");
    ov_op *op = vec_read_op(&v, json_object_get(j, "op")), got = {.name = op->name};
    ov_buf header, payload;
    ov_hash hash;
    ov_buf_init(&header, 0);
    ov_buf_init(&payload, 0);
    ov_op_header_encode(op, &header);
    ov_op_payload_encode(op, &payload);
    check_hex(name, json_object_get(j, "header"), header.p, header.n);
    check_hex(name, json_object_get(j, "payload"), payload.p, payload.n);
    assert_int_equal(ov_sha256(v.hasher, header.p, header.n, &hash), 0);
    check_hex(name, json_object_get(j, "header_hash"), hash.b, OV_HASH_BYTES);
    assert_int_equal(ov_op_header_decode(header.p, header.n, &got), 0);
    assert_int_equal(ov_op_payload_decode(payload.p, payload.n, &v.arena, &got), 0);
    if (got.creates) got.record = got.name;
    json_t *back = vec_op(&got);
    assert_true(json_equal(back, json_object_get(j, "op")));
    json_decref(back);
    ov_buf_free(&header);
    ov_buf_free(&payload);
  }
  assert_true(i >= 6);
  json_decref(file);
  vec_close(&v);
}

static void check_owner(json_t *want, const ov_op *op) {
  static const char *const owners[] = {"zero", "participant", "organisation", "team"};
  ov_name participant = {.seq = 0}, named;
  uint32_t scope = 0;
  ov_key_owner owner = ov_chain_key_owner(op, &participant, &scope);
  assert_string_equal(owners[owner], check_text(want, "of"));
  if (owner == OV_KEYOF_PARTICIPANT) {
    vec_read_name(json_object_get(want, "participant"), &named);
    assert_true(ov_name_equal(&named, &participant));
  }
  if (owner == OV_KEYOF_TEAM) assert_int_equal(json_integer_value(json_object_get(want, "scope")), scope);
}

static void check_chain(vec *v, json_t *chain) {
  ov_id organisation, writer;
  ov_hash head;
  json_t *j;
  size_t i;
  vec_read_bytes(json_object_get(chain, "organisation"), organisation.b, OV_ID_BYTES);
  vec_read_bytes(json_object_get(chain, "writer"), writer.b, OV_ID_BYTES);
  assert_int_equal(ov_chain_start(v->hasher, &organisation, &writer, &head), 0);
  check_hex("head 0", json_object_get(chain, "head_0"), head.b, OV_HASH_BYTES);
  json_array_foreach(json_object_get(chain, "ops"), i, j) {
    ov_op *op = vec_read_op(v, json_object_get(j, "op"));
    ov_name named = op->name;
    uint8_t key[OV_KEY_BYTES];
    json_t *given = json_object_get(j, "commit_key");
    if (given) vec_read_bytes(given, key, sizeof key);
    if (!op->is_void) check_owner(json_object_get(j, "covered_by"), op);
    memset(op->name.tag, 0, OV_TAG_BYTES);
    assert_int_equal(ov_chain_op(v->hasher, op, given ? key : NULL, &head, &v->scratch), 0);
    check_hex("header hash", json_object_get(j, "header_hash"), op->header_hash.b, OV_HASH_BYTES);
    check_hex("commitment", json_object_get(j, "commitment"), op->commitment.b, OV_HASH_BYTES);
    check_hex("head", json_object_get(j, "head"), head.b, OV_HASH_BYTES);
    assert_true(ov_name_equal(&named, &op->name));
  }
}

/* PROTO-29, PROTO-30, PROTO-31, PROTO-33 */
static void test_chains(void **state) {
  json_t *file = check_load("chains.json"), *j;
  size_t i;
  (void)state;
  json_array_foreach(file, i, j) {
    vec v;
    vec_open(&v, VEC_DIR);
    check_chain(&v, j);
    vec_close(&v);
  }
  assert_true(i >= 6);
  json_decref(file);
}

/* PROTO-60, PROTO-64 */
static void test_rows(void **state) {
  json_t *file = check_load("rows.json"), *j;
  size_t i;
  (void)state;
  json_array_foreach(file, i, j) {
    vec v;
    vec_open(&v, VEC_DIR);
    ov_rows_ctx c = vec_read_ctx(json_object_get(j, "context"));
    json_t *want = json_object_get(j, "ops");
    size_t n, n_ops;
    ov_op *ops;
    const uint8_t *rows = vec_read_hex(&v, json_object_get(j, "hex"), &n);
    assert_int_equal(ov_rows_decode(&c, rows, n, &v.arena, &ops, &n_ops), 0);
    assert_int_equal(n_ops, json_array_size(want));
    for (size_t k = 0; k < n_ops; k++) {
      ov_op *w = vec_read_op(&v, json_array_get(want, k));
      if (!c.named) { /* tags come from chaining, in order */
        assert_int_equal(ov_rows_resolve(&c, ops, k), 0);
        memcpy(ops[k].name.tag, w->name.tag, OV_TAG_BYTES);
        if (ops[k].creates) ops[k].record = ops[k].name;
      }
      json_t *got = vec_op(&ops[k]);
      if (!json_equal(got, json_array_get(want, k)))
        fail_msg("%s, row %zu: %s", check_text(j, "name"), k, json_dumps(got, 0));
      json_decref(got);
    }
    vec_close(&v);
  }
  assert_true(i >= 5);
  json_decref(file);
}

static void test_messages(void **state) {
  json_t *file = check_load("messages.json"), *j;
  size_t i;
  (void)state;
  json_array_foreach(file, i, j) {
    vec v;
    vec_open(&v, VEC_DIR);
    size_t n;
    ov_msg m;
    ov_id server = vec_id(0x50);
    ov_rows_ctx ctx = {.named = true, .writer = server, .server = server};
    const uint8_t *frame = vec_read_hex(&v, json_object_get(j, "frame"), &n);
    ov_buf_reset(&v.scratch);
    assert_int_equal(ov_frame_unpack(v.packer, frame, n, OV_FRAME_BYTES_MAX, &v.scratch), 0);
    check_hex(check_text(j, "name"), json_object_get(j, "plain"), v.scratch.p, v.scratch.n);
    assert_int_equal(ov_msg_decode(v.scratch.p, v.scratch.n, &ctx, &v.arena, &m), 0);
    assert_int_equal(m.type, json_integer_value(json_object_get(j, "type")));
    json_t *got = vec_message(&m);
    if (!json_equal(got, json_object_get(j, "fields")))
      fail_msg("%s: %s", check_text(j, "name"), json_dumps(got, JSON_INDENT(1)));
    json_decref(got);
    vec_close(&v);
  }
  assert_int_equal(i, 2 * (OV_M_COUNT - 1) - 3);
  json_decref(file);
}

/* PROTO-34, PROTO-35, PROTO-36 */
static void test_signatures(void **state) {
  json_t *file = check_load("signatures.json"), *j;
  vec v;
  size_t i;
  (void)state;
  vec_open(&v, VEC_DIR);
  json_array_foreach(file, i, j) {
    uint8_t key[OV_PUBKEY_BYTES], sig[OV_SIG_BYTES];
    size_t n;
    uint8_t *bytes = (uint8_t *)(uintptr_t)vec_read_hex(&v, json_object_get(j, "signed"), &n);
    vec_read_bytes(json_object_get(j, "public_key"), key, sizeof key);
    vec_read_bytes(json_object_get(j, "signature"), sig, sizeof sig);
    assert_int_equal(ov_p256_verify(NULL, key, bytes, n, sig), 0);
    bytes[n - 1] ^= 1;
    assert_int_equal(ov_p256_verify(NULL, key, bytes, n, sig), OV_E_AUTH);
  }
  assert_int_equal(i, 6);
  json_decref(file);
  vec_close(&v);
}

static int refuse(vec *v, const char *what, const uint8_t *p, size_t n) {
  ov_msg m;
  ov_op op = {.n_fields = 0};
  if (!strcmp(what, "message")) return ov_msg_decode(p, n, NULL, &v->arena, &m);
  if (!strcmp(what, "header")) return ov_op_header_decode(p, n, &op);
  if (!strcmp(what, "payload")) return ov_op_payload_decode(p, n, &v->arena, &op);
  if (!strcmp(what, "rows")) {
    ov_rows_ctx ctx = {.named = true, .writer = vec_id(0x50), .server = vec_id(0x50)};
    ov_op *ops;
    size_t n_ops;
    return ov_rows_decode(&ctx, p, n, &v->arena, &ops, &n_ops);
  }
  assert_string_equal(what, "frame");
  ov_buf_reset(&v->scratch);
  int err = ov_frame_unpack(v->packer, p, n, OV_FRAME_BYTES_MAX, &v->scratch);
  return err ? err : ov_msg_decode(v->scratch.p, v->scratch.n, NULL, &v->arena, &m);
}

/* PROTO-9, PROTO-13, PROTO-28, PROTO-60 */
static void test_refused(void **state) {
  json_t *file = check_load("refused.json"), *j;
  vec v;
  size_t i, n;
  unsigned wrong = 0;
  (void)state;
  vec_open(&v, VEC_DIR);
  json_array_foreach(file, i, j) {
    const uint8_t *p = vec_read_hex(&v, json_object_get(j, "hex"), &n);
    const char *got = ov_err_slug(refuse(&v, check_text(j, "what"), p, n));
    if (strcmp(got, check_text(j, "error"))) {
      print_error("%s, %s: %s instead of %s\n", check_text(j, "what"), check_text(j, "name"), got,
                  check_text(j, "error"));
      wrong++;
    }
  }
  assert_int_equal(wrong, 0);
  assert_true(i > 50);
  json_decref(file);
  vec_close(&v);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_checked_in), cmocka_unit_test(test_values),   cmocka_unit_test(test_names),
      cmocka_unit_test(test_ops),        cmocka_unit_test(test_chains),   cmocka_unit_test(test_folds),
      cmocka_unit_test(test_rows),       cmocka_unit_test(test_messages), cmocka_unit_test(test_signatures),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
