/* The codebook, from the measures and the schemas: what each figure means, as CSV and as a page. */
#include <stdio.h>
#include <string.h>

#include "export_priv.h"

/* -- CSV ------------------------------------------------------------------------------------------------- */

/* A code below zero is a number, no formula. */
static bool is_number(const char *text) {
  const char *p = text + (*text == '-');
  return *p && !p[strspn(p, "0123456789")];
}

static void row(ov_buf *out, const char *const *cells, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    if (i) ov_buf_u8(out, ',');
    if (is_number(cells[i])) exp_put(out, cells[i]);
    else exp_csv_text(out, cells[i]);
  }
  ov_buf_u8(out, '\n');
}

static const char *type_name(sv_mtype t) {
  static const char *const names[] = {"mean",   "share",   "rate",  "per week",
                                      "spread", "variety", "total", "category"};
  return (unsigned)t < sizeof names / sizeof names[0] ? names[t] : "";
}

static void rounded(const sv_measure *m, char *text, size_t n) {
  if (m->round_milli % 1000) snprintf(text, n, "%d.%d", m->round_milli / 1000, m->round_milli % 1000 / 100);
  else snprintf(text, n, "%d", m->round_milli / 1000);
}

static void csv_measures(ov_buf *out) {
  for (unsigned i = 0; sv_measure_at(i); i++) {
    const sv_measure *m = sv_measure_at(i);
    char step[16];
    rounded(m, step, sizeof step);
    const char *cells[] = {
        "measure", sv_family_name(m->family), m->name, "", type_name(m->type), m->unit, step, m->nl, m->en,
        m->how};
    row(out, cells, 10);
  }
}

static void csv_codes(ov_buf *out, const ov_skind *k, const ov_sfield *f) {
  for (uint32_t i = 0; i < f->n_codes; i++) {
    char code[16];
    snprintf(code, sizeof code, "%d", f->codes[i].code);
    const char *cells[] = {"code", k->name, f->name, code, "", "", "", f->codes[i].nl, f->codes[i].en, ""};
    row(out, cells, 10);
  }
}

static void csv_fields(ov_buf *out, const ov_schemas *schemas, unsigned family) {
  static const char *const types[OV_F_COUNT] = {"int",  "bool", "code",   "codeset",  "date", "datetime",
                                                "text", "ref",  "refset", "scopeset", "bytes"};
  const ov_skind *k = ov_schemas_kind(schemas, sv_family_kind(family));
  for (uint32_t i = 0; k && i < k->n_fields; i++) {
    const ov_sfield *f = &k->fields[i];
    if (!f->exported) continue;
    const char *cells[] = {"field",
                           k->name,
                           f->name,
                           "",
                           types[f->type],
                           f->unit ? f->unit : "",
                           "",
                           f->nl,
                           f->en,
                           f->help_en ? f->help_en : ""};
    row(out, cells, 10);
    csv_codes(out, k, f);
  }
}

static int csv(const ov_schemas *schemas, ov_buf *out) {
  static const char *const head[] = {"what", "dataset",    "name",     "code",     "type",
                                     "unit", "rounded_to", "label_nl", "label_en", "definition"};
  static const char *const missing[][3] = {{"-97", "onderdrukt", "suppressed"},
                                           {"-98", "niet gevraagd", "not asked"},
                                           {"-99", "onbekend", "unknown"}};
  row(out, head, 10);
  csv_measures(out);
  for (unsigned f = 1; f < SV_FAM_END; f++) csv_fields(out, schemas, f);
  for (unsigned i = 0; i < 3; i++) {
    const char *cells[] = {"missing", "", "", missing[i][0], "", "", "", missing[i][1], missing[i][2], ""};
    row(out, cells, 10);
  }
  return out->err;
}

/* -- the page -------------------------------------------------------------------------------------------- */

static void escaped(ov_buf *out, const char *text) {
  for (const char *p = text; *p; p++) {
    switch (*p) {
    case '<': exp_put(out, "&lt;"); break;
    case '>': exp_put(out, "&gt;"); break;
    case '&': exp_put(out, "&amp;"); break;
    case '"': exp_put(out, "&quot;"); break;
    default: ov_buf_u8(out, (uint8_t)*p);
    }
  }
}

static void cell(ov_buf *out, const char *text) {
  exp_put(out, "<td>");
  escaped(out, text);
  exp_put(out, "</td>");
}

static void html_measures(ov_buf *out) {
  exp_put(out,
          "<h2>Measures</h2>\n<table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Dataset</th>"
          "<th scope=\"col\">English</th><th scope=\"col\">Nederlands</th><th scope=\"col\">Kind</th>"
          "<th scope=\"col\">Unit</th><th scope=\"col\">Rounded to</th><th scope=\"col\">Definition</th>"
          "</tr></thead><tbody>\n");
  for (unsigned i = 0; sv_measure_at(i); i++) {
    const sv_measure *m = sv_measure_at(i);
    char step[16];
    rounded(m, step, sizeof step);
    exp_put(out, "<tr><th scope=\"row\">");
    escaped(out, m->name);
    exp_put(out, "</th>");
    const char *cells[] = {
        sv_family_name(m->family), m->en, m->nl, type_name(m->type), m->unit, step, m->how};
    for (unsigned c = 0; c < 7; c++) cell(out, cells[c]);
    exp_put(out, "</tr>\n");
  }
  exp_put(out, "</tbody></table>\n");
}

static void html_field(ov_buf *out, const ov_sfield *f) {
  exp_put(out, "<tr><th scope=\"row\">");
  escaped(out, f->name);
  exp_put(out, "</th>");
  cell(out, f->en);
  cell(out, f->nl);
  exp_put(out, "<td>");
  for (uint32_t i = 0; i < f->n_codes; i++) {
    char code[16];
    snprintf(code, sizeof code, "%s%d = ", i ? "; " : "", f->codes[i].code);
    exp_put(out, code);
    escaped(out, f->codes[i].en);
  }
  exp_put(out, "</td></tr>\n");
}

static void html_fields(ov_buf *out, const ov_schemas *schemas) {
  for (unsigned f = 1; f < SV_FAM_END; f++) {
    const ov_skind *k = ov_schemas_kind(schemas, sv_family_kind(f));
    if (!k) continue;
    exp_put(out, "<h2>What is logged: ");
    escaped(out, k->en);
    exp_put(out, "</h2>\n<table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">English</th>"
                 "<th scope=\"col\">Nederlands</th><th scope=\"col\">Codes</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < k->n_fields; i++) {
      if (k->fields[i].exported) html_field(out, &k->fields[i]);
    }
    exp_put(out, "</tbody></table>\n");
  }
}

static int html(const ov_schemas *schemas, ov_buf *out) {
  exp_put(
      out,
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>overdracht: codebook</title></head><body><main>\n"
      "<h1>Codebook</h1>\n"
      "<p>Every row of an export is a cell: clients of all networks, of one network, or of networks of one "
      "type, in one month. Values are means of clients' means. Observation at night is interval-censored, "
      "not "
      "self-report; sources of sleep are never merged. Free text is never exported.</p>\n"
      "<p>-97 suppressed: too few people, or it could be worked out from other figures. -98 not asked. -99 "
      "unknown. In Stata files these are .a, .b and .c.</p>\n");
  html_measures(out);
  html_fields(out, schemas);
  exp_put(out, "</main></body></html>\n");
  return out->err;
}

int exp_codebook(const ov_schemas *schemas, sv_format f, ov_buf *out) {
  return f == SV_FORMAT_HTML ? html(schemas, out) : csv(schemas, out);
}
