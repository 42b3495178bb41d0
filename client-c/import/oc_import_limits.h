/* Limits of the importer. The file comes from a sensor or a spreadsheet and may be anything: each limit
 * bounds memory or time, and what is over it is reported with its number, never cut off in silence. */
#ifndef OC_IMPORT_LIMITS_H
#define OC_IMPORT_LIMITS_H

#include <assert.h>

/* A year of nights is about 100 kB, a year of state changes about 1 MB; epoch-by-epoch exports are larger and
 * are no input here. */
#define OC_IMPORT_BYTES_MAX (8u * 1024u * 1024u)
/* Records (lines) of a file, data or not. */
#define OC_IMPORT_LINES_MAX 200000u
/* Rows made from one file: above it an import is no longer something a person can check. */
#define OC_IMPORT_ROWS_MAX 50000u
/* The widest actigraphy exports have about 60 columns. */
#define OC_IMPORT_COLUMNS_MAX 256u
/* Bytes of one record, quoted line breaks included: a note of a few pages. */
#define OC_IMPORT_RECORD_BYTES_MAX 32768u
/* Line breaks inside one quoted cell: a forgotten quote must not swallow the rest of the file. */
#define OC_IMPORT_QUOTED_LINES_MAX 40u
/* Lines before the header: exports begin with one to eighty lines about the subject and the device. */
#define OC_IMPORT_PREAMBLE_LINES_MAX 1000u
/* Bad rows and notes that are listed; more are counted. */
#define OC_IMPORT_PROBLEMS_MAX 5000u
/* Characters of a bad row's own text that are repeated in its report. */
#define OC_IMPORT_RAW_SHOWN 200u
/* Memory of one import: the text, its UTF-8 copy (at most three times), cells of one record, rows and
 * reports. */
#define OC_IMPORT_ARENA_BYTES_MAX (192u * 1024u * 1024u)
/* One client's changes are folded at once; a year of changes every ten minutes is 52,560. */
#define OC_IMPORT_CHANGES_MAX 100000u

/* Map file: a page or two. */
#define OC_IMPORT_MAP_BYTES_MAX 65536u
#define OC_IMPORT_MAP_FIELDS_MAX 64u
#define OC_IMPORT_MAP_TOKENS_MAX 64u /* words on one line */
#define OC_IMPORT_MAP_ARENA_BYTES_MAX (2u * 1024u * 1024u)
#define OC_IMPORT_MAP_VALUES_MAX 128u /* translations of one field */
#define OC_IMPORT_MAP_LIST_MAX 32u    /* items of one list */
#define OC_IMPORT_FROM_MAX 3u         /* columns joined into one value: date, time, zone */

/* Bytes of one text value: what one field of an op can hold. */
#define OC_IMPORT_TEXT_BYTES_MAX 10240u
#define OC_IMPORT_CLIENT_BYTES_MAX 120u
#define OC_IMPORT_REASON_MAX 240u
#define OC_IMPORT_COLUMN_SHOWN 80u

/* A night longer than a day is a typing error in a date. */
#define OC_IMPORT_NIGHT_SECONDS_MAX (24 * 3600)
/* No change for this long: the log was interrupted; the open night ends there, unclosed. */
#define OC_IMPORT_SILENCE_SECONDS_MAX (16 * 3600)

/* Time zone files: the largest in use is under 8 kB. */
#define OC_ZONE_BYTES_MAX 65536u
#define OC_ZONE_TRANSITIONS_MAX 4096u
#define OC_ZONE_NAME_MAX 64u

static_assert(OC_IMPORT_RECORD_BYTES_MAX > OC_IMPORT_TEXT_BYTES_MAX, "the longest text fits into a record");
static_assert(OC_IMPORT_MAP_LIST_MAX >= OC_IMPORT_MAP_TOKENS_MAX / 2,
              "a list with its commas is as long as a line can be");
static_assert(OC_IMPORT_ARENA_BYTES_MAX / 4 > OC_IMPORT_BYTES_MAX,
              "text, UTF-8 copy and rows fit into the arena");

#endif
