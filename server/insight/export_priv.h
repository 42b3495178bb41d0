/* Inside of the exports. */
#ifndef EXPORT_PRIV_H
#define EXPORT_PRIV_H

#include "release_priv.h"
#include "sv_export.h"

#define MISSING_HIDDEN (-97)    /* onderdrukt: disclosure control, or too few for this figure */
#define MISSING_NOT_ASKED (-98) /* the question does not arise in this row */
#define MISSING_UNKNOWN (-99)

#define EXP_LABELS_MAX 100u
#define EXP_TEXT_MAX 320u

typedef struct exp_label {
  int value;
  char text[OV_LABEL_BYTES_MAX + 1];
} exp_label;

typedef enum exp_type { EXP_TEXT, EXP_CODE, EXP_NUMBER, EXP_DATE } exp_type;

/* A column of a dataset. */
typedef struct exp_column {
  const char *name, *nl, *en;
  exp_type type;
  unsigned width; /* TEXT: bytes */
  exp_label *labels;
  unsigned n_labels;
} exp_column;

/* One cell of a row: thousandths or text. */
typedef struct exp_value {
  int64_t milli; /* of a DATE: days x 1000 */
  char text[EXP_TEXT_MAX];
} exp_value;

typedef struct exp_table {
  const char *dataset;
  char label[80];
  const sv_release *r;
  exp_column columns[32];
  unsigned n_columns;
  const sv_cell **rows;
  uint32_t n_rows;
  exp_label *labels; /* owns all */
  unsigned n_labels;
} exp_table;
/* dataset: index as in sv_export_dataset_at, of those with rows. */
int exp_table_open(const sv_release *r, const ov_schemas *schemas, const char *dataset, exp_table *t);
void exp_table_close(exp_table *t);
void exp_value_at(const exp_table *t, const ov_schemas *schemas, uint32_t row, unsigned column,
                  exp_value *out);

/* Each appends a whole file. */
int exp_csv(const exp_table *t, const ov_schemas *schemas, ov_buf *out);
int exp_readstat(const exp_table *t, const ov_schemas *schemas, sv_format f, ov_buf *out);
int exp_codebook(const ov_schemas *schemas, sv_format f, ov_buf *out);
/* files: the release's own, for names, lengths and hashes. */
typedef struct exp_file {
  unsigned dataset; /* index */
  sv_format format;
  ov_buf bytes, gzip;
  ov_hash hash; /* of bytes */
} exp_file;
#define EXP_FILES_MAX 32u
int exp_package(const sv_release *r, const ov_schemas *schemas, const exp_file *files, unsigned n,
                ov_buf *out);
/* All files of a release, and the hash of what it tells into r->hash. Free with exp_files_free. */
int exp_files(sv_release *r, const ov_schemas *schemas, exp_file *files, unsigned *n);
void exp_files_free(exp_file *files, unsigned n);
unsigned exp_dataset_index(const char *dataset);
/* Its bytes are complete: hash and gzip form. OV_E_LIMIT: over SV_EXPORT_BYTES_MAX. */
int exp_file_close(exp_file *f);
int exp_file_put(sv_txn *t, uint32_t number, const exp_file *f);

/* Sets the etag of what is complete, or frees it; returns err. */
int exp_finish(sv_export *e, int err);
/* Text that a spreadsheet would take for a formula gets a quote before it; so does text that begins with a
 * quote, so that taking one away gives the text back. */
void exp_csv_text(ov_buf *out, const char *text);
/* "3.5", "-2", "82". */
void exp_number(ov_buf *out, int64_t milli);
void exp_put(ov_buf *out, const char *text);

#endif
