/* Kinds and schema files. */
#include <stdio.h>
#include <string.h>

#include "admin_priv.h"
#include "sv_schema_json.h"

static const char *const type_names[OV_F_COUNT] = {
    [OV_F_INT] = "int",       [OV_F_BOOL] = "bool",         [OV_F_CODE] = "code",  [OV_F_CODESET] = "codeset",
    [OV_F_DATE] = "date",     [OV_F_DATETIME] = "datetime", [OV_F_TEXT] = "text",  [OV_F_REF] = "ref",
    [OV_F_REFSET] = "refset", [OV_F_SCOPESET] = "scopeset", [OV_F_BYTES] = "bytes"};
static const char *const scope_names[] = {"programme", "organisation", "team"};

static void allowed(const adm *m, const ov_sfield *f, char *out, size_t n) {
  size_t used = 0;
  const ov_skind *to = f->ref ? ov_schemas_kind(m->h->schemas, f->ref) : NULL;
  *out = 0;
  if (to) snprintf(out, n, "a %s", to->name);
  else if (f->has_lo && f->has_hi && f->type == OV_F_INT)
    snprintf(out, n, "%lld to %lld%s%s", (long long)f->lo, (long long)f->hi, f->unit ? " " : "",
             f->unit ? f->unit : "");
  else if (f->max_length) snprintf(out, n, "at most %u bytes", f->max_length);
  for (uint32_t i = 0; i < f->n_codes && used < n; i++) {
    used += (size_t)snprintf(out + used, n - used, "%s%d %s", i ? ", " : "", f->codes[i].code,
                             f->codes[i].en);
  }
}

static int list_fields(adm *m, const ov_skind *k) {
  for (uint32_t i = 0; i < k->n_fields; i++) {
    const ov_sfield *f = &k->fields[i];
    char text[1200];
    allowed(m, f, text, sizeof text);
    adm_item(m, json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "name", f->name, "what", type_names[f->type],
                          "label", f->en, "label_nl", f->nl, "required", f->required, "allowed",
                          adm_text_json(text, strlen(text))));
  }
  return m->err;
}

int cmd_kind_list(adm *m) {
  const char *one = arg_text(m, "kind");
  const ov_skind *k = one ? find_kind(m, one) : NULL;
  if (one) return k ? list_fields(m, k) : m->err;
  for (uint32_t i = 0; (k = ov_schemas_at(m->h->schemas, i)); i++) {
    adm_item(m, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "name", k->name, "what",
                          scope_names[k->scope < 3 ? k->scope : 2], "label", k->en ? k->en : "", "label_nl",
                          k->nl ? k->nl : "", "version", (json_int_t)k->version, "id", (json_int_t)k->id));
  }
  return m->err;
}

static void report(void *ctx, const char *file, const char *where, const char *text) {
  adm *m = ctx;
  adm_item(m, json_pack("{s:o, s:o, s:o}", "file", adm_text_json(file, strlen(file)), "where",
                        adm_text_json(where, strlen(where)), "problem", adm_text_json(text, strlen(text))));
}

int cmd_schema_check(adm *m) {
  const char *dir = arg_text(m, "dir");
  sv_schema_json_set *set = NULL;
  if (!dir) dir = m->h->schema_dir;
  int err = sv_schema_json_load_dir(dir, report, m, &set);
  if (m->err) err = m->err;
  else if (err)
    adm_fail(m, err, NULL, "%s: %zu thing%s wrong", dir, json_array_size(m->items),
             json_array_size(m->items) == 1 ? "" : "s");
  else adm_set(m, "kinds", json_integer((json_int_t)sv_schema_json_count(set)));
  sv_schema_json_free(set);
  return err;
}
