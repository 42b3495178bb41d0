/* A kind's schema as it travels, and an op's payload judged by it: two bytes of length, the schema, the
 * payload. */
#include <string.h>

#include "fuzz.h"
#include "ov/schema.h"
#include "sv_schema_json.h"

static void read_all(const ov_skind *k) {
  FUZZ_MUST(strlen(k->name) <= OV_FIELD_NAME_MAX && k->n_fields >= 1 && k->n_fields < OV_FIELD_ID_MAX);
  for (uint32_t i = 0; i < k->n_fields; i++) {
    const ov_sfield *f = &k->fields[i];
    FUZZ_MUST(ov_skind_field(k, f->id) == f && ov_skind_by_name(k, f->name) == f);
    FUZZ_MUST(f->type < OV_F_COUNT && f->id > OV_FIELD_RETRACTED && (!i || f->id > k->fields[i - 1].id));
    for (uint32_t r = 0; r < f->n_reqif; r++) FUZZ_MUST(ov_skind_field(k, f->reqif[r].field));
    FUZZ_MUST(!f->has_lo || !f->has_hi || f->lo <= f->hi);
  }
}

static void judge(const ov_schemas *s, const ov_skind *k, const uint8_t *p, size_t n, ov_arena *a) {
  ov_op op = {.name = {.writer = {{1}}, .seq = 1, .tag = {1}},
              .kind = k->id,
              .version = k->version,
              .creates = true,
              .scope = 2};
  ov_problem why = {0};
  ov_record r;
  uint16_t missing[8];
  ov_buf key;
  op.record = op.name;
  if (ov_op_payload_decode(p, n, a, &op)) return;
  int reason = ov_schema_check_op(s, &op, &why);
  FUZZ_MUST(reason >= 0 && reason < OV_HELD_COUNT);
  if (reason) {
    FUZZ_MUST(why.reason == reason && memchr(why.text_en, 0, sizeof why.text_en) &&
              memchr(why.text_nl, 0, sizeof why.text_nl));
    FUZZ_MUST(why.text_en[0] && why.text_nl[0]);
  }
  ov_fold_in in = {.op = &op, .verdict = OV_APPLIED, .server_time = 1763800000};
  if (ov_fold(&in, 1, a, &r)) return;
  FUZZ_MUST(ov_schema_missing(k, &r, missing, 8) <= 8);
  int64_t day = ov_schema_occurred_day(k, &r);
  FUZZ_MUST(day >= -719162 && day <= 2932896); /* the years 1 to 9999 */
  ov_buf_init(&key, 0);
  bool has = ov_schema_natural_key(k, &r, &key);
  FUZZ_MUST(has || !key.n || key.err);
  ov_buf_free(&key);
  (void)ov_schema_outside_window(k, &r, 1763800000, 1763900000);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  char why[OV_ERROR_TEXT_MAX] = "";
  ov_arena a;
  if (n < 2) return 0;
  size_t len = (size_t)p[0] << 8 | p[1];
  if (len > n - 2) len = n - 2;
  ov_schemas *s = ov_schemas_new();
  FUZZ_MUST(s);
  int err = ov_schemas_add(s, p + 2, len, why);
  FUZZ_MUST(!err || err == OV_E_FORMAT || err == OV_E_LIMIT);
  FUZZ_MUST(!err == !why[0] && memchr(why, 0, sizeof why));
  ov_arena_init(&a, 4 * OV_DECODE_ARENA_BYTES_MAX);
  const ov_skind *k;
  for (uint32_t i = 0; !err && (k = ov_schemas_at(s, i)); i++) {
    read_all(k);
    judge(s, k, p + 2 + len, n - 2 - len, &a);
  }
  if (!err) FUZZ_MUST(!ov_schemas_add(s, p + 2, len, why)); /* the same version again changes nothing */
  ov_arena_free(&a);
  ov_schemas_free(s);
  return 0;
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  static uint8_t b[OV_SCHEMA_BYTES_MAX + 512];
  static const uint8_t payload[] = {0x92, 0x83, 0x02, 0xcd, 0x4f, 0xbe, 0x03, 0x01,
                                    0x0a, 0xce, 0x69, 0x21, 0x6f, 0xa8, 0x90};
  sv_schema_json_set *set = NULL;
  FUZZ_MUST(!sv_schema_json_load_dir(OV_SOURCE_DIR "/proto/schema", NULL, NULL, &set));
  for (size_t i = 0; i < sv_schema_json_count(set); i++) {
    const sv_schema_json_kind *k = sv_schema_json_at(set, i);
    b[0] = (uint8_t)(k->n >> 8);
    b[1] = (uint8_t)k->n;
    memcpy(b + 2, k->bytes, k->n);
    memcpy(b + 2 + k->n, payload, sizeof payload);
    add(ctx, b, 2 + k->n + sizeof payload);
  }
  sv_schema_json_free(set);
}
