/* Shared by the files that load and keep schemas. */
#ifndef OV_SCHEMA_PARTS_H
#define OV_SCHEMA_PARTS_H

#include "ov/schema.h"

/* Field 1 of every kind. */
extern const ov_sfield ov_schema_retraction;

/* One load under way: the reader, where it is, and the first thing that was wrong. */
typedef struct ov_loader {
  ov_mpr r;
  ov_arena *a;
  ov_skind *kind;
  const ov_sfield *field; /* being read or checked; NULL at the level of the kind */
  char *why;              /* may be NULL */
  int err;
} ov_loader;

/* Notes the first error with its place ("kind 20 sleep, field 21 nap_min: ..."); all reads after it are
 * no-ops. */
void ov_loader_refuse(ov_loader *l, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Reads one packed kind; its strings and arrays lie in l->a. 0 or the error that l->why explains. */
int ov_schema_read(ov_loader *l, const uint8_t *p, size_t n);
/* What must hold between the parts of a kind, once read. */
void ov_schema_check_kind(ov_loader *l);
/* What a newer version must keep of the older one. */
void ov_schema_check_newer(ov_loader *l, const ov_skind *older);

#endif
