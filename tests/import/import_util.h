/* Shared by the tests of the importer. */
#ifndef IMPORT_UTIL_H
#define IMPORT_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "oc_import.h"
#include <cmocka.h>

/* Bytes of tests/import/data/NAME or client-c/import/maps/NAME; free() them. */
char *read_data(const char *name, size_t *n);
char *read_map_text(const char *name, size_t *n);
/* A delivered map; fails the test when it is wrong. */
oc_import_map *open_map(const char *name);
oc_import_map *map_of(const char *text);
/* Fails the test unless the whole file could be read. Zone: the built-in rule of Amsterdam. */
oc_import_result *import_bytes(const oc_import_map *m, const char *bytes, size_t n);
oc_import_result *import_text(const oc_import_map *m, const char *text);
oc_import_result *import_file(const char *map, const char *data);
/* NULL when the row lacks it. */
const oc_import_field *field_of(const oc_import_row *r, const char *name);
/* Fails the test when the row lacks it. */
int64_t int_of(const oc_import_row *r, const char *name);
/* The row that starts at that line, or NULL. */
const oc_import_row *row_at(const oc_import_result *r, unsigned line);
/* Reason of the first bad row or note of that line, or "". */
const char *bad_at(const oc_import_result *r, unsigned line);
const char *note_at(const oc_import_result *r, unsigned line);
/* Moment of a local time in Amsterdam, winter or summer by hand: seconds of "2026-03-01 22:00" at hours east.
 */
int64_t moment(int year, unsigned month, unsigned day, int hour, int minute, int east);

#endif
