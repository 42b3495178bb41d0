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

/* A release is not made with a larger file: its rows are cells, which breakdowns bound. */
#define SV_EXPORT_BYTES_MAX (8u << 20)

/* One file of a release, to be read piece by piece. Holds no transaction and nothing to free; what it reads
 * never changes. */
typedef struct sv_export_file {
  sv_org *programme;
  uint32_t number, part;
  bool gzip; /* the bytes are in gzip */
  uint64_t bytes;
  char etag[2 * OV_HASH_BYTES + 6]; /* SHA-256 of the file, in quotes; "-gz" before the last when in gzip */
  char file_name[80];               /* overdracht-2026-02-sleep.csv */
} sv_export_file;
/* release: "2026-02"; dataset and format as above. gzip_ok: take the compressed form, if there is one.
 * OV_E_INVALID (no such dataset or format), OV_E_NOTFOUND (no such release), or an error of the store. */
int sv_export_open(sv_org *programme, const char *release, const char *dataset, sv_format f, bool gzip_ok,
                   sv_export_file *x);
/* Up to max bytes from offset on; *n: how many, 0 at the end. In a transaction of its own, of 32 KiB at most.
 * OV_E_CORRUPT, or an error of the store. */
int sv_export_read(const sv_export_file *x, uint64_t offset, uint8_t *to, size_t max, size_t *n);

/* What is made when asked for, whole. */
typedef struct sv_export {
  ov_buf bytes;                     /* free with sv_export_free */
  char etag[2 * OV_HASH_BYTES + 3]; /* SHA-256 of the bytes, in quotes */
  char file_name[80];
} sv_export;
void sv_export_free(sv_export *e);
/* On an error *e is empty. */
/* The codebook of what can be released now, csv or html; needs no release. */
int sv_export_codebook(sv_org *programme, sv_format f, sv_export *e);
/* GET /v1/releases: {"releases": [{"id", "month", "made", "breakdowns", "cells", "told", "hash", "citation",
 * "datasets": {"sleep": ["csv", ...]}, "changed", "forms": {kind: version}}]}, newest first. changed: null,
 * or since the month before {"since": id, "cells": {"sleep": {"told", "new", "gone"}, ...}, "networks":
 * [{"number", "name", "what": "new"|"gone"|"changed"}], "measures": [{"name", "what"}], "forms": [{"form",
 * "from", "to"}]}. */
int sv_export_releases(sv_org *programme, sv_export *e);

#endif
