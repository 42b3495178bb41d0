/* SPSS and Stata through ReadStat, which tells errors late: names and lengths are checked here, and nothing
 * is ignored that its calls give back. */
#include <readstat.h>
#include <stdlib.h>
#include <string.h>

#include "export_priv.h"

#define SPSS_EPOCH_DAYS 141428 /* from 1582-10-14 to 1970-01-01 */
#define STATA_EPOCH_DAYS 3653  /* from 1960-01-01 to 1970-01-01; its dates count from there */
#define NAME_MAX_BYTES 32u
#define LABEL_MAX_BYTES 80u

typedef struct file {
  const exp_table *t;
  const ov_schemas *schemas;
  bool stata;
  readstat_writer_t *w;
  readstat_variable_t *vars[32];
  ov_buf *out;
} file;

static ssize_t take(const void *p, size_t n, void *ctx) {
  ov_buf *out = ((file *)ctx)->out;
  ov_buf_put(out, p, n);
  return out->err ? -1 : (ssize_t)n;
}

static bool legal(const char *name) {
  size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
  return n && !name[n] && n <= NAME_MAX_BYTES && name[0] >= 'a' && name[0] <= 'z';
}

/* Missing codes of ours as Stata's extended missing values. */
static char stata_tag(int code) { return (char)('a' + (MISSING_HIDDEN - code)); }

static bool is_missing(int64_t milli) {
  return milli == MISSING_HIDDEN * 1000 || milli == MISSING_NOT_ASKED * 1000 ||
         milli == MISSING_UNKNOWN * 1000;
}

static readstat_label_set_t *add_labels(file *f, const exp_column *c) {
  readstat_label_set_t *set = readstat_add_label_set(f->w, READSTAT_TYPE_DOUBLE, c->name);
  for (unsigned i = 0; set && i < c->n_labels; i++) {
    int code = c->labels[i].value;
    bool missing = code >= MISSING_UNKNOWN && code <= MISSING_HIDDEN;
    if (missing && f->stata) readstat_label_tagged_value(set, stata_tag(code), c->labels[i].text);
    else readstat_label_double_value(set, code, c->labels[i].text);
  }
  return set;
}

static int add_variable(file *f, unsigned at) {
  const exp_column *c = &f->t->columns[at];
  bool text = c->type == EXP_TEXT;
  if (!legal(c->name) || strlen(c->en) > LABEL_MAX_BYTES) return OV_E_INVALID;
  readstat_variable_t *v = readstat_add_variable(
      f->w, c->name, text ? READSTAT_TYPE_STRING : READSTAT_TYPE_DOUBLE, text ? c->width : 0);
  if (!v) return OV_E_NOMEM;
  f->vars[at] = v;
  readstat_variable_set_label(v, c->en);
  readstat_variable_set_measure(v, c->type == EXP_NUMBER || c->type == EXP_DATE ? READSTAT_MEASURE_SCALE
                                                                                : READSTAT_MEASURE_NOMINAL);
  if (c->type == EXP_DATE) readstat_variable_set_format(v, f->stata ? "%td" : "EDATE10");
  if (c->type == EXP_CODE) readstat_variable_set_format(v, f->stata ? "%8.0g" : "F8.0");
  if (c->type == EXP_NUMBER) readstat_variable_set_format(v, f->stata ? "%9.0g" : "F8.1");
  if (!c->n_labels) return 0;
  readstat_label_set_t *set = add_labels(f, c);
  if (!set) return OV_E_NOMEM;
  readstat_variable_set_label_set(v, set);
  /* A range, since more than three single ones make a file that nobody can read. */
  if (!f->stata &&
      readstat_variable_add_missing_double_range(v, MISSING_UNKNOWN, MISSING_HIDDEN) != READSTAT_OK)
    return OV_E_INTERNAL;
  return 0;
}

static readstat_error_t put_value(file *f, uint32_t row, unsigned at) {
  const exp_column *c = &f->t->columns[at];
  exp_value v;
  exp_value_at(f->t, f->schemas, row, at, &v);
  if (c->type == EXP_TEXT) {
    v.text[c->width < sizeof v.text ? c->width : sizeof v.text - 1] = 0;
    while (*v.text && !ov_utf8_valid((const uint8_t *)v.text, strlen(v.text))) v.text[strlen(v.text) - 1] = 0;
    return readstat_insert_string_value(f->w, f->vars[at], v.text);
  }
  if (c->type == EXP_DATE) {
    int64_t whole = v.milli / 1000;
    double days = (double)whole;
    return readstat_insert_double_value(
        f->w, f->vars[at], f->stata ? days + STATA_EPOCH_DAYS : (days + SPSS_EPOCH_DAYS) * 86400.0);
  }
  if (f->stata && is_missing(v.milli))
    return readstat_insert_tagged_missing_value(f->w, f->vars[at], stata_tag((int)(v.milli / 1000)));
  return readstat_insert_double_value(f->w, f->vars[at], (double)v.milli / 1000.0);
}

static readstat_error_t put_rows(file *f) {
  readstat_error_t err = READSTAT_OK;
  for (uint32_t r = 0; err == READSTAT_OK && r < f->t->n_rows; r++) {
    err = readstat_begin_row(f->w);
    for (unsigned c = 0; err == READSTAT_OK && c < f->t->n_columns; c++) err = put_value(f, r, c);
    if (err == READSTAT_OK) err = readstat_end_row(f->w);
  }
  return err;
}

static int write_file(file *f) {
  int err = 0;
  if (readstat_set_data_writer(f->w, take) != READSTAT_OK ||
      readstat_writer_set_file_label(f->w, f->t->label) != READSTAT_OK ||
      /* The month, not the clock: the bytes depend on the release alone. */
      readstat_writer_set_file_timestamp(f->w, sv_month_first_day(f->t->r->month) * 86400) != READSTAT_OK)
    return OV_E_INTERNAL;
  for (unsigned c = 0; !err && c < f->t->n_columns; c++) err = add_variable(f, c);
  if (err) return err;
  readstat_add_note(f->w, "Cells, not persons. -97 suppressed, -98 not asked, -99 unknown.");
  long rows = (long)f->t->n_rows;
  readstat_error_t e = f->stata ? readstat_begin_writing_dta(f->w, f, rows)
                                : readstat_begin_writing_sav(f->w, f, rows);
  if (e == READSTAT_OK) e = readstat_validate_metadata(f->w);
  if (e == READSTAT_OK) e = put_rows(f);
  if (e == READSTAT_OK) e = readstat_end_writing(f->w);
  if (f->out->err) return f->out->err;
  return e == READSTAT_OK ? 0 : e == READSTAT_ERROR_MALLOC ? OV_E_NOMEM : OV_E_INTERNAL;
}

int exp_readstat(const exp_table *t, const ov_schemas *schemas, sv_format format, ov_buf *out) {
  file f = {.t = t, .schemas = schemas, .stata = format == SV_FORMAT_DTA, .out = out};
  f.w = readstat_writer_init();
  if (!f.w) return OV_E_NOMEM;
  int err = write_file(&f);
  readstat_writer_free(f.w);
  return err;
}
