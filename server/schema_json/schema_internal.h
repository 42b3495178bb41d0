/* Shared by the files of this folder only. */
#ifndef SCHEMA_INTERNAL_H
#define SCHEMA_INTERNAL_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include "ov/mp_write.h"
#include "ov/schema.h"
#include "sv_schema_json.h"

/* A schema file of the largest kind is about 8 kB; ten times that leaves room and bounds what a wrong folder
 * can cost. */
#define SCHEMA_FILE_BYTES_MAX 131072u
/* Ids 121..127 are kept for fields that every kind may get one day, as field 1 is the retraction. */
#define SCHEMA_FIELD_ID_LAST 120
#define SCHEMA_KEY_PARTS_MAX 8u
#define SCHEMA_CONDITIONS_MAX 8u
/* A date outside this century is a typing error; it also keeps the missing codes apart from real days and
 * seconds. */
#define SCHEMA_DATE_LO 10957 /* 2000-01-01 */
#define SCHEMA_DATE_HI 47846 /* 2100-12-31 */
#define SCHEMA_DATETIME_LO 946684800LL
#define SCHEMA_DATETIME_HI 4133980799LL

typedef struct schema_file {
  char *file; /* name without folder */
  json_t *root;
} schema_file;

struct sv_schema_json_set {
  sv_schema_json_kind *kinds;
  schema_file *files; /* same order as kinds; json owned */
  size_t n;
};

/* One run's reporting: where we are and whether anything was wrong. */
typedef struct checker {
  sv_schema_json_report report;
  void *ctx;
  const char *file;
  const char *field; /* "fields[3] quality" or NULL at the level of the kind */
  unsigned problems;
} checker;

/* Reports at `key` (may be NULL) of the present field or kind. Always returns false. */
bool complain(checker *c, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Reports every key of object that is not in the NULL-terminated list. */
void check_keys(checker *c, const json_t *object, const char *const *allowed);
/* Integer within lo..hi, else reported; *out is 0 then. */
bool take_int(checker *c, const json_t *v, const char *key, int64_t lo, int64_t hi, int64_t *out);
/* Text of 1..max bytes without control characters, else reported and NULL. */
const char *take_text(checker *c, const json_t *v, const char *key, size_t max);
/* Absent counts as `absent`; anything but a boolean is reported. */
bool take_bool(checker *c, const json_t *object, const char *key, bool absent);
/* {"nl": .., "en": ..} */
void check_label(checker *c, const json_t *v, const char *key);
/* [a-z][a-z0-9_]{0,31}, else reported. */
bool check_name(checker *c, const char *name, const char *key);
/* Index of text in a NULL-terminated list, else -1. */
int list_index(const char *const *list, const char *text);
/* "a, b or c" of a NULL-terminated list, in out. */
const char *list_text(const char *const *list, char *out, size_t cap);

extern const char *const SCHEMA_TYPES[];        /* in the order of ov_ftype */
extern const char *const SCHEMA_SCOPES[];       /* in the order of the wire: 0, 1, 2 */
extern const char *const SCHEMA_PARTICIPANTS[]; /* in the order of ov_pmode */

void check_kind(checker *c, const json_t *root);
void check_fields(checker *c, const json_t *root);
const json_t *field_by_name(const json_t *root, const char *name);
bool code_listed(const json_t *codes, int64_t code);
/* Field type of a checked or unchecked field; -1 when it has none. */
int field_type(const json_t *field);

/* Id of a kind by name, 0 when unknown. */
typedef uint16_t (*kind_id_fn)(void *ctx, const char *name);
/* Packs a checked kind. */
void schema_pack(const json_t *root, kind_id_fn kind_id, void *ctx, ov_buf *out);

#endif
