#include "check.h"

static ov_verdict verdict_of(const char *text) {
  static const char *const texts[] = {"waiting", "applied", "held", "dismissed", "void", "erased"};
  for (int i = 0; i < 6; i++)
    if (!strcmp(texts[i], text)) return (ov_verdict)i;
  fail_msg("verdict %s", text);
  return OV_WAITING;
}

static void check_order(vec *v, const char *name, const ov_fold_in *in, uint32_t n, json_t *want,
                        json_t *encoded) {
  ov_record r, again;
  ov_buf b;
  assert_int_equal(ov_fold(in, n, &v->arena, &r), 0);
  json_t *got = vec_record(&r);
  if (!json_equal(got, want)) fail_msg("%s: %s", name, json_dumps(got, JSON_INDENT(1)));
  ov_buf_init(&b, 0);
  ov_record_encode(&r, &b);
  check_hex(name, encoded, b.p, b.n);
  assert_int_equal(ov_record_decode(b.p, b.n, &v->arena, &again), 0);
  json_t *read = vec_record(&again);
  assert_true(json_equal(read, want));
  json_decref(read);
  json_decref(got);
  ov_buf_free(&b);
}

/* Every order of delivery gives the same record (Heap's algorithm). */
static void permute(vec *v, const char *name, ov_fold_in *in, uint32_t n, uint32_t k, json_t *want,
                    json_t *encoded) {
  if (k <= 1) {
    check_order(v, name, in, n, want, encoded);
    return;
  }
  for (uint32_t i = 0; i < k; i++) {
    permute(v, name, in, n, k - 1, want, encoded);
    uint32_t a = k % 2 ? 0 : i;
    ov_fold_in t = in[a];
    in[a] = in[k - 1];
    in[k - 1] = t;
  }
}

void test_folds(void **state) {
  json_t *file = check_load("folds.json"), *j;
  size_t i;
  (void)state;
  json_array_foreach(file, i, j) {
    vec v;
    vec_open(&v, VEC_DIR);
    ov_fold_in in[8];
    json_t *ops = json_object_get(j, "ops");
    uint32_t n = (uint32_t)json_array_size(ops);
    assert_in_range(n, 1, 6);
    for (uint32_t k = 0; k < n; k++) {
      json_t *o = json_array_get(ops, k);
      in[k] = (ov_fold_in){.op = vec_read_op(&v, json_object_get(o, "op")),
                           .verdict = verdict_of(check_text(o, "verdict")),
                           .reason = (uint8_t)json_integer_value(json_object_get(o, "reason")),
                           .server_time = json_integer_value(json_object_get(o, "server_time")),
                           .clock_offset = json_integer_value(json_object_get(o, "clock_offset"))};
    }
    permute(&v, check_text(j, "name"), in, n, n, json_object_get(j, "record"), json_object_get(j, "encoded"));
    vec_close(&v);
  }
  assert_true(i >= 20);
  json_decref(file);
}
