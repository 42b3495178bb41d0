/* Exports: files of a release, made once with it, the same bytes for everybody and for ever. The HTTP side
 * and the command line hand out what is here and add nothing.
 *
 *   dataset                                         formats
 *   sleep sleep_check day_structure social_contact  csv sav dta
 *   tech_use goal remote_care paired                csv sav dta
 *   codebook                                        csv html
 *   datapackage                                     json
 *
 * All functions read in a transaction of their own, and may be called from any thread. */
#ifndef SV_EXPORT_H
#define SV_EXPORT_H

#include "sv_core.h"

typedef enum sv_format {
  SV_FORMAT_CSV,
  SV_FORMAT_SAV,
  SV_FORMAT_DTA,
  SV_FORMAT_HTML,
  SV_FORMAT_JSON,
  SV_FORMAT_COUNT
} sv_format;
/* "csv", ...; OV_E_INVALID. */
int sv_format_parse(const char *text, sv_format *out);
const char *sv_format_name(sv_format f);         /* "csv" */
const char *sv_format_content_type(sv_format f); /* with charset where there is one */

/* Names of datasets, codebook and datapackage among them; NULL past the end. */
const char *sv_export_dataset_at(unsigned i);
/* Does a release have this file? */
bool sv_export_has(const char *dataset, sv_format f);
extern const char sv_export_list[]; /* all of them in words, for messages */

typedef struct sv_export {
  ov_buf bytes;                     /* free with sv_export_free */
  char etag[2 * OV_HASH_BYTES + 3]; /* SHA-256 of the bytes, in quotes */
  char file_name[80];               /* overdracht-2026-02-sleep.csv */
} sv_export;
void sv_export_free(sv_export *e);

/* release: "2026-02"; dataset and format as above. OV_E_INVALID (no such dataset or format), OV_E_NOTFOUND
 * (no such release), or an error of the store. On an error *e is empty. The largest file is below 8 MiB. */
int sv_export_get(sv_org *programme, const char *release, const char *dataset, sv_format f, sv_export *e);
/* The codebook of what can be released now, csv or html; needs no release. */
int sv_export_codebook(sv_org *programme, sv_format f, sv_export *e);
/* GET /v1/releases: {"releases": [{"id", "month", "made", "breakdowns", "cells", "told", "hash", "citation",
 * "datasets": {"sleep": ["csv", ...]}}]}, newest first. */
int sv_export_releases(sv_org *programme, sv_export *e);

#endif
