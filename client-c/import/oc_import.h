/* Import of what sensors and diaries really write: bytes and a map in, rows out. Knows no store, no schema
 * and no server; who calls it checks the rows against the schema of their kind and writes them. The map
 * format is documented in README.md beside this file. Pure functions; different calls may run in different
 * threads. */
#ifndef OC_IMPORT_H
#define OC_IMPORT_H

#include <stddef.h>
#include <stdint.h>
#include "oc_import_limits.h"
#include "oc_zone.h"
#include "ov/error.h"

typedef struct oc_import_map oc_import_map;

/* What is wrong with the map, or with the file as a whole. line: 1 and up, 0 when no line is to blame. */
typedef struct oc_import_error {
  unsigned line;
  char text[OC_IMPORT_REASON_MAX];
} oc_import_error;

typedef enum oc_import_type {
  OC_IMPORT_INT,
  OC_IMPORT_BOOL,
  OC_IMPORT_CODE,
  OC_IMPORT_CODES,    /* a set of codes: added to an empty set */
  OC_IMPORT_DATE,     /* days since 1970-01-01 */
  OC_IMPORT_DATETIME, /* seconds since 1970-01-01 00:00 UTC */
  OC_IMPORT_TEXT      /* also for references: the caller knows what the text names */
} oc_import_type;

typedef struct oc_import_field {
  const char *name;
  oc_import_type type;
  int64_t i;            /* all but TEXT and CODES; may be a missing code (-98, -99) */
  const char *text;     /* TEXT: UTF-8, not empty; else NULL */
  const int64_t *codes; /* CODES: ascending, unique */
  size_t n_codes;
} oc_import_field;

#define OC_IMPORT_KEY_BYTES 16

typedef struct oc_import_row {
  const char
      *client; /* as the file (or the map's translation, or the option) names it; "" when the kind has none */
  const oc_import_field *fields; /* in the order of the map */
  size_t n_fields;
  unsigned line, last_line; /* where it came from */
  /* The same for the same client and key fields in every import, whatever the file is called: who has written
   * a row with this key must not write another. `content` covers all fields: same key and other content means
   * that the source has corrected it. */
  uint8_t key[OC_IMPORT_KEY_BYTES], content[OC_IMPORT_KEY_BYTES];
} oc_import_row;

typedef struct oc_import_problem {
  unsigned line;
  const char *column; /* column or field, "" when the whole row is meant */
  const char *reason; /* a full sentence without its stop */
  const char *raw;    /* start of the row's own text, "" for notes */
} oc_import_problem;

typedef struct oc_import_result {
  const char *kind;
  const oc_import_row *rows;
  size_t n_rows;
  /* Rows that were not made, in order of lines. Nothing else is affected: mend the file and import it again.
   */
  const oc_import_problem *bad;
  size_t n_bad, n_bad_unlisted;
  /* What was decided for rows that were made: an hour that comes twice, an unclosed night. */
  const oc_import_problem *notes;
  size_t n_notes, n_notes_unlisted;
  const char *encoding; /* "utf-8", "utf-8 with bom", "utf-16", "windows-1252" */
  char delimiter;
  unsigned header_line;
  size_t n_read, n_left_out; /* rows after the header; of these left out by `keep` or `skip` */
} oc_import_result;

typedef struct oc_import_options {
  const oc_zone
      *zone; /* of local times, see oc_import_map_zone; NULL: the built-in rule of Europe/Amsterdam */
  const char *client; /* for maps with `from = option`; else NULL */
} oc_import_options;

/* Borrows nothing. 0, or OV_E_INVALID (err tells line and reason), OV_E_LIMIT, OV_E_NOMEM. *out is NULL on
 * error. err may not be NULL. */
int oc_import_map_parse(const char *text, size_t n, oc_import_map **out, oc_import_error *err);
void oc_import_map_free(oc_import_map *m); /* NULL is fine */
const char *oc_import_map_kind(const oc_import_map *m);
/* Name for oc_zone_open. */
const char *oc_import_map_zone(const oc_import_map *m);
/* Does the map take the client from the options? */
int oc_import_map_wants_client(const oc_import_map *m);
/* Fields that rows may have, so that the caller can compare them with the schema before anything is read;
 * NULL past the end. */
const char *oc_import_map_field(const oc_import_map *m, size_t i, oc_import_type *type);

/* 0 also when some or all rows are bad. Else nothing was made: OV_E_FORMAT (no text, or no header with the
 * map's columns), OV_E_LIMIT, OV_E_INVALID (the map wants a client and the options have none), OV_E_NOMEM;
 * err says why. *out is NULL on error. */
int oc_import_parse(const oc_import_map *m, const void *bytes, size_t n, const oc_import_options *o,
                    oc_import_result **out, oc_import_error *err);
void oc_import_result_free(oc_import_result *r); /* NULL is fine */

#endif
