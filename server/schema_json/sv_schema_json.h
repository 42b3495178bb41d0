/* Schemas are data: one JSON file per kind, checked here with exact messages and converted to the MessagePack
 * form of ov/schema.h. The format is documented in proto/schema/README.md. */
#ifndef SV_SCHEMA_JSON_H
#define SV_SCHEMA_JSON_H

#include <stddef.h>
#include <stdint.h>
#include "ov/error.h"

typedef struct sv_schema_json_kind {
  const char *name; /* owned by the set */
  uint16_t id, version;
  const uint8_t *bytes; /* canonical MessagePack, what ov_schemas_add reads and what a schema record carries;
                           owned by the set */
  size_t n;
} sv_schema_json_kind;

typedef struct sv_schema_json_set sv_schema_json_set;

/* Called once for each thing that is wrong. file: name without its folder, or the folder when that cannot be
 * read; where: "" for the whole file, else the key or field, e.g. "fields[3] quality: codes[2].nl". All
 * borrowed until it returns. */
typedef void (*sv_schema_json_report)(void *ctx, const char *file, const char *where, const char *text);

/* Reads every *.json file of dir (other files and those starting with '.' are left alone). All files are
 * checked even after an error, so that one run tells everything. report may be NULL. 0; OV_E_NOTFOUND or
 * OV_E_IO (the folder or a file cannot be read), OV_E_INVALID (something is wrong in a file; reported),
 * OV_E_LIMIT (too many files), OV_E_NOMEM. *out is NULL unless 0 is returned. */
int sv_schema_json_load_dir(const char *dir, sv_schema_json_report report, void *ctx,
                            sv_schema_json_set **out);
/* The same for one text in memory; `file` is the name used in reports and must be KIND.json. References to
 * other kinds are taken from the text's own kind only, unless `known` gives a loaded set (may be NULL). For
 * tests and tools. */
int sv_schema_json_load_text(const char *file, const char *text, size_t n, const sv_schema_json_set *known,
                             sv_schema_json_report report, void *ctx, sv_schema_json_set **out);
void sv_schema_json_free(sv_schema_json_set *s); /* NULL is fine */

/* Kinds of the set. */
size_t sv_schema_json_count(const sv_schema_json_set *s);
/* Ascending ids; NULL past the end. */
const sv_schema_json_kind *sv_schema_json_at(const sv_schema_json_set *s, size_t i);
const sv_schema_json_kind *sv_schema_json_by_name(const sv_schema_json_set *s, const char *name);

#endif
