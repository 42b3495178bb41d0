/* A schema file: refused with a place and a reason, or made into bytes that proto's loader takes. */
#include <string.h>

#include "fuzz.h"
#include "ov/schema.h"
#include "sv_schema_json.h"

static void report(void *ctx, const char *file, const char *where, const char *text) {
  unsigned *told = ctx;
  FUZZ_MUST(file && where && text && text[0]);
  ++*told;
}

static sv_schema_json_set *delivered(void) {
  static sv_schema_json_set *set;
  if (!set) FUZZ_MUST(!sv_schema_json_load_dir(OV_SOURCE_DIR "/proto/schema", NULL, NULL, &set));
  return set;
}

/* "kind" of the text, so that the file may be called as it must. */
static void file_name(const uint8_t *p, size_t n, char out[80]) {
  const char *at = memmem(p, n, "\"kind\"", 6);
  size_t left = at ? n - (size_t)(at - (const char *)p) : 0, k = 6, len = 0;
  while (k < left && (at[k] == ' ' || at[k] == ':' || at[k] == '"')) k++;
  while (k + len < left && len < 60 && at[k + len] != '"') len++;
  snprintf(out, 80, "%.*s.json", (int)len, len ? at + k : "kind");
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  sv_schema_json_set *set = NULL;
  unsigned told = 0;
  char name[80], why[OV_ERROR_TEXT_MAX];
  file_name(p, n, name);
  int err = sv_schema_json_load_text(name, (const char *)p, n, delivered(), report, &told, &set);
  FUZZ_MUST(err <= 0 && (err != 0) == (set == NULL) && (err != OV_E_INVALID || told));
  for (size_t i = 0; !err && i < sv_schema_json_count(set); i++) {
    const sv_schema_json_kind *k = sv_schema_json_at(set, i);
    ov_schemas *s = ov_schemas_new();
    FUZZ_MUST(s);
    int added = ov_schemas_add(s, k->bytes, k->n, why);
    if (added) fuzz_die(__FILE__, __LINE__, why);
    ov_schemas_free(s);
  }
  sv_schema_json_free(set);
  return 0;
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  static const char *const kinds[] = {"sleep", "sleep_check", "goal",     "participant",
                                      "team",  "ruling",      "tech_use", "consent"};
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    char path[100];
    size_t n;
    snprintf(path, sizeof path, "proto/schema/%s.json", kinds[i]);
    uint8_t *text = fuzz_file(path, &n);
    add(ctx, text, n);
    free(text);
  }
  static const char least[] = "{\"id\":99,\"kind\":\"kind\",\"version\":1,\"scope\":\"team\",\"fields\":[]}";
  add(ctx, least, sizeof least - 1);
}
