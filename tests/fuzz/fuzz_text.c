/* Texts that people type on the client. First byte: 0 a server's URL; 1 a value for one of the delivered
 * schemas' fields (kind, field, text), which when taken must be shown, and read again, as the same value; 2 a
 * record's name. */
#include <string.h>

#include "fuzz.h"
#include "oc_net.h"
#include "oc_text.h"
#include "sv_schema_json.h"

static void url(const char *text) {
  oc_net_url u, again;
  char back[300];
  int err = oc_net_url_parse(text, &u);
  FUZZ_MUST(!err || err == OV_E_INVALID || err == OV_E_DENIED);
  if (err) return;
  FUZZ_MUST(u.host[0] && u.port && u.path[0] == '/' && (u.tls || u.loopback));
  oc_net_url_text(&u, back, sizeof back);
  FUZZ_MUST(!oc_net_url_parse(back, &again));
  FUZZ_MUST(!strcmp(u.host, again.host) && !strcmp(u.path, again.path) && u.port == again.port &&
            u.tls == again.tls);
}

static int find(void *ctx, uint16_t kind, const char *text, ov_name *out, oc_error *e) {
  (void)ctx;
  (void)kind;
  int err = ov_name_parse(text, out) ? OC_E_NOTFOUND : 0;
  if (err && e) snprintf(e->message, sizeof e->message, "nothing called so");
  return err;
}

static int find_team(void *ctx, const char *text, uint32_t *scope, oc_error *e) {
  int64_t v;
  (void)ctx;
  if (!oc_whole_number(text, &v) || v < 2 || v > 65535) {
    if (e) snprintf(e->message, sizeof e->message, "no such team");
    return OC_E_NOTFOUND;
  }
  *scope = (uint32_t)v;
  return 0;
}

static const char *label(void *ctx, const ov_name *record) {
  (void)ctx;
  (void)record;
  return "";
}

static const char *team_label(void *ctx, uint32_t scope) {
  (void)ctx;
  (void)scope;
  return "";
}

static const ov_schemas *schemas(void) {
  static ov_schemas *s;
  sv_schema_json_set *set = NULL;
  if (s) return s;
  s = ov_schemas_new();
  FUZZ_MUST(s && !sv_schema_json_load_dir(OV_SOURCE_DIR "/proto/schema", NULL, NULL, &set));
  for (size_t i = 0; i < sv_schema_json_count(set); i++)
    FUZZ_MUST(!ov_schemas_add(s, sv_schema_json_at(set, i)->bytes, sv_schema_json_at(set, i)->n, NULL));
  sv_schema_json_free(set);
  return s;
}

static const ov_skind *kind_at(uint32_t i) {
  uint32_t n = 0;
  while (ov_schemas_at(schemas(), n)) n++;
  FUZZ_MUST(n);
  return ov_schemas_at(schemas(), i % n);
}

static void value(uint8_t kind, uint8_t field, const char *text) {
  static oc_zone *zone;
  ov_arena a;
  oc_error e = {0};
  ov_value v, again;
  bool exact = false;
  if (!zone) FUZZ_MUST(!oc_zone_from_rule("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Amsterdam", &zone));
  ov_arena_init(&a, 8u << 20);
  oc_text_env env = {.zone = zone,
                     .now = 1774735500,
                     .a = &a,
                     .find = find,
                     .find_team = find_team,
                     .label = label,
                     .team_label = team_label};
  const ov_skind *k = kind_at(kind);
  const ov_sfield *f = &k->fields[field % k->n_fields];
  int err = oc_value_read(&env, k, f, text, &v, &exact, &e);
  FUZZ_MUST(!err || ((err == OC_E_INVALID || err == OC_E_NOTFOUND) && e.message[0] &&
                     memchr(e.message, 0, sizeof e.message)));
  if (!err) FUZZ_MUST(!ov_schema_check_value(k, f, &v, NULL) || v.type == OV_V_NIL);
  if (!err && v.type != OV_V_SET) {
    const char *raw = oc_value_raw(&env, f, &v);
    FUZZ_MUST(raw && oc_value_text(&env, f, &v, true) && oc_value_text(&env, f, &v, false));
    FUZZ_MUST(!oc_value_read(&env, k, f, raw, &again, &exact, &e) && ov_value_equal(&v, &again));
  }
  ov_arena_free(&a);
}

static void name(const char *text) {
  ov_name n, again;
  char back[OV_NAME_TEXT_MAX];
  if (ov_name_parse(text, &n)) return;
  ov_name_text(&n, back);
  FUZZ_MUST(!ov_name_parse(back, &again) && ov_name_equal(&n, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  if (n < 3 || n > 2000) return 0;
  char *text = strndup((const char *)p + 3, n - 3);
  FUZZ_MUST(text);
  if (p[0] % 3 == 0) url(text);
  else if (p[0] % 3 == 1) value(p[1], p[2], text);
  else name(text);
  free(text);
  return 0;
}

static void seed(void (*add)(void *ctx, const void *p, size_t n), void *ctx, unsigned what, unsigned kind,
                 unsigned field, const char *text) {
  uint8_t b[300] = {(uint8_t)what, (uint8_t)kind, (uint8_t)field};
  strcpy((char *)b + 3, text);
  add(ctx, b, 3 + strlen(text));
}

/* For each field a text or two of its type. */
static void field_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx, unsigned kind,
                        unsigned field, ov_ftype type) {
  static const char *const texts[OV_F_COUNT][2] = {
      [OV_F_INT] = {"12", "-98"},
      [OV_F_BOOL] = {"ja", "no"},
      [OV_F_CODE] = {"1", "onbekend"},
      [OV_F_CODESET] = {"1,2", "=+3,-1"},
      [OV_F_DATE] = {"2026-03-28", "28-03-2026"},
      [OV_F_DATETIME] = {"2026-10-25 02:30 (+01:00)", "yesterday 23:10"},
      [OV_F_TEXT] = {"twee keer wakker", "cli\xc3\xabnt"},
      [OV_F_REF] = {"11111111111111111111111111111111-7-abcdef01", "Rust"},
      [OV_F_REFSET] = {"11111111111111111111111111111111-7-abcdef01", ""},
      [OV_F_SCOPESET] = {"2,3", "-4"},
      [OV_F_BYTES] = {"00ff", ""}};
  for (unsigned i = 0; i < 2; i++) seed(add, ctx, 1, kind, field, texts[type][i]);
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  static const char *const urls[] = {"wss://sync.example.nl/sync", "ws://localhost:8443",
                                     "wss://[::1]:443/a?b", "ws://127.0.0.1/x", "wss://a:b@c/"};
  for (unsigned i = 0; i < sizeof urls / sizeof *urls; i++) seed(add, ctx, 0, 0, 0, urls[i]);
  seed(add, ctx, 2, 0, 0, "11111111111111111111111111111111-7-abcdef01");
  bool seen[OV_F_COUNT] = {false};
  for (unsigned k = 0; ov_schemas_at(schemas(), k); k++) {
    const ov_skind *kind = ov_schemas_at(schemas(), k);
    for (unsigned f = 0; f < kind->n_fields; f++) {
      if (seen[kind->fields[f].type]) continue;
      seen[kind->fields[f].type] = true;
      field_seeds(add, ctx, k, f, kind->fields[f].type);
    }
  }
}
