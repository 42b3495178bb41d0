/* CSV: RFC 4180 with LF, UTF-8, one header. */
#include <stdio.h>
#include <string.h>

#include "export_priv.h"

void exp_put(ov_buf *out, const char *text) { ov_buf_put(out, text, strlen(text)); }

void exp_number(ov_buf *out, int64_t milli) {
  char text[40];
  int64_t whole = milli / 1000, rest = milli % 1000;
  if (rest < 0) rest = -rest;
  int n = snprintf(text, sizeof text, "%s%lld", milli < 0 && !whole ? "-" : "", (long long)whole);
  if (rest) {
    n += snprintf(text + n, sizeof text - (size_t)n, ".%03lld", (long long)rest);
    while (text[n - 1] == '0') text[--n] = 0;
  }
  ov_buf_put(out, text, (size_t)n);
}

void exp_csv_text(ov_buf *out, const char *text) {
  bool guard = *text && strchr("=+-@\t\r\n'", *text);
  bool quote = strpbrk(text, ",\"\r\n") != NULL;
  if (quote) ov_buf_u8(out, '"');
  if (guard) ov_buf_u8(out, '\'');
  for (const char *p = text; *p; p++) {
    if (*p == '"') ov_buf_u8(out, '"');
    ov_buf_u8(out, (uint8_t)*p);
  }
  if (quote) ov_buf_u8(out, '"');
}

static void put_date(ov_buf *out, int64_t days) {
  char month[SV_RELEASE_ID_MAX], text[24];
  uint32_t m = sv_month_of_day(days);
  sv_month_text(m, month);
  snprintf(text, sizeof text, "%.10s-%02d", month, (int)(days - sv_month_first_day(m) + 1));
  exp_put(out, text);
}

int exp_csv(const exp_table *t, const ov_schemas *schemas, ov_buf *out) {
  exp_value v;
  for (unsigned c = 0; c < t->n_columns; c++) {
    if (c) ov_buf_u8(out, ',');
    exp_put(out, t->columns[c].name);
  }
  ov_buf_u8(out, '\n');
  for (uint32_t r = 0; r < t->n_rows; r++) {
    for (unsigned c = 0; c < t->n_columns; c++) {
      if (c) ov_buf_u8(out, ',');
      exp_value_at(t, schemas, r, c, &v);
      if (t->columns[c].type == EXP_TEXT) exp_csv_text(out, v.text);
      else if (t->columns[c].type == EXP_DATE) put_date(out, v.milli / 1000);
      else exp_number(out, v.milli);
    }
    ov_buf_u8(out, '\n');
  }
  return out->err;
}
