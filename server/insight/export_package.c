/* datapackage.json: a Frictionless Data Package (v2) over the CSV files of a release. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export_priv.h"
#include "sv_json.h"

static json_t *field_json(const exp_column *c) {
  static const char *const types[] = {"string", "integer", "number", "date"};
  json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "name", c->name, "type", types[c->type], "title", c->en,
                        "description", c->nl);
  if (c->type != EXP_CODE) return j;
  json_t *codes = json_array(), *categories = json_array();
  for (unsigned i = 0; i < c->n_labels; i++) {
    if (c->labels[i].value <= MISSING_HIDDEN) continue; /* missing codes are no values here */
    json_array_append_new(codes, json_integer(c->labels[i].value));
    json_array_append_new(categories,
                          json_pack("{s:i, s:s}", "value", c->labels[i].value, "label", c->labels[i].text));
  }
  if (json_array_size(codes)) {
    json_object_set_new(j, "constraints", json_pack("{s:o}", "enum", codes));
    json_object_set_new(j, "categories", categories);
  } else {
    json_decref(codes);
    json_decref(categories);
  }
  return j;
}

static json_t *schema_json(const exp_table *t) {
  json_t *fields = json_array();
  for (unsigned c = 0; c < t->n_columns; c++) json_array_append_new(fields, field_json(&t->columns[c]));
  return json_pack("{s:s, s:o, s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}", "$schema",
                   "https://datapackage.org/profiles/2.0/tableschema.json", "fields", fields, "missingValues",
                   "value", "-97", "label", "suppressed", "value", "-98", "label", "not asked", "value",
                   "-99", "label", "unknown");
}

static json_t *resource(const sv_release *r, const ov_schemas *schemas, const exp_file *f) {
  const char *name = sv_export_dataset_at(f->dataset);
  char path[64], hash[2 * OV_HASH_BYTES + 8] = "sha256:";
  exp_table t;
  snprintf(path, sizeof path, "%s.csv", name);
  ov_hex(f->hash.b, OV_HASH_BYTES, hash + 7);
  json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "name", name, "type", "table", "path",
                        path, "format", "csv", "mediatype", "text/csv", "encoding", "utf-8", "bytes",
                        (json_int_t)f->bytes.n, "hash", hash);
  if (!exp_table_open(r, schemas, name, &t)) {
    json_object_set_new(j, "schema", schema_json(&t));
    exp_table_close(&t);
  }
  return j;
}

int exp_package(const sv_release *r, const ov_schemas *schemas, const exp_file *files, unsigned n,
                ov_buf *out) {
  char id[SV_RELEASE_ID_MAX], hash[2 * OV_HASH_BYTES + 1], version[40], name[60];
  json_t *resources = json_array();
  sv_release_id(r->number, id);
  ov_hex(r->hash.b, OV_HASH_BYTES, hash);
  snprintf(version, sizeof version, "%s", id);
  snprintf(name, sizeof name, "overdracht-%s", id);
  for (unsigned i = 0; i < n; i++) {
    bool table = strcmp(sv_export_dataset_at(files[i].dataset), "codebook") != 0;
    if (files[i].format == SV_FORMAT_CSV && table)
      json_array_append_new(resources, resource(r, schemas, &files[i]));
  }
  json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "$schema",
                        "https://datapackage.org/profiles/2.0/datapackage.json", "name", name, "title",
                        "overdracht: figures of the theme networks", "version", version, "description",
                        "Every row is a cell, none stands for a person or an entry. Text that begins with = "
                        "+ - @ or a quote has a "
                        "quote before it; take one away to have the text back.",
                        "releaseHash", hash, "resources", resources);
  char *text = sv_json_text(j, JSON_INDENT(1));
  json_decref(j);
  if (!text) return OV_E_NOMEM;
  exp_put(out, text);
  ov_buf_u8(out, '\n');
  free(text);
  return out->err;
}
