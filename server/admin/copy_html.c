/* The page of an access copy; see copy_html.h. */
#include "copy_html.h"
#include "sv_json.h"

#include <string.h>
#include <time.h>

void html_raw(html *h, const char *text) { fputs(text, h->f); }

void html_text(html *h, const char *text, size_t n) {
  for (size_t i = 0; i < n; i++) {
    switch (text[i]) {
    case '<': fputs("&lt;", h->f); break;
    case '>': fputs("&gt;", h->f); break;
    case '&': fputs("&amp;", h->f); break;
    case '"': fputs("&quot;", h->f); break;
    case '\n': fputs("<br>", h->f); break;
    default: fputc(text[i], h->f);
    }
  }
}

void html_cstr(html *h, const char *text) { html_text(h, text, strlen(text)); }

void html_printf(html *h, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vfprintf(h->f, fmt, ap);
  va_end(ap);
}

void html_time(html *h, int64_t ms) {
  struct tm tm;
  char text[40];
  time_t s = (time_t)(ms / 1000);
  if (gmtime_r(&s, &tm) && strftime(text, sizeof text, "%d-%m-%Y %H:%M:%S UTC", &tm)) html_cstr(h, text);
  else html_printf(h, "%lld", (long long)ms);
}

void html_label(html *h, const ov_name *record) {
  char label[OV_LABEL_BYTES_MAX + 1], text[OV_NAME_TEXT_MAX];
  find_label_of(h->m, h->t, record, label, sizeof label);
  if (*label) {
    html_cstr(h, label);
    return;
  }
  ov_name_text(record, text);
  html_cstr(h, text);
}

static bool as_code(html *h, const ov_sfield *f, int64_t code) {
  static const struct {
    int code;
    const char *text;
  } missing[] = {
      {-97, "onderdrukt (suppressed)"}, {-98, "niet gevraagd (not asked)"}, {-99, "onbekend (unknown)"}};
  for (uint32_t i = 0; f && i < f->n_codes; i++) {
    if (f->codes[i].code != code) continue;
    html_cstr(h, f->codes[i].nl);
    html_raw(h, " (");
    html_cstr(h, f->codes[i].en);
    html_raw(h, ")");
    return true;
  }
  for (unsigned i = 0; f && i < 3; i++) {
    if (missing[i].code != code) continue;
    html_cstr(h, missing[i].text);
    return true;
  }
  return false;
}

static void plain(html *h, const ov_sfield *f, const ov_value *v) {
  if (v->type == OV_V_INT && f && f->type == OV_F_BOOL) {
    html_raw(h, v->i ? "ja (yes)" : "nee (no)");
    return;
  }
  if (v->type == OV_V_INT && as_code(h, f, v->i)) return;
  json_t *j = value_json(h->m, h->t, f, v);
  const char *label = json_string_value(json_object_get(j, "label"));
  char *text = label ? NULL : json_is_string(j) ? NULL : sv_json_text(j, JSON_COMPACT);
  if (label) html_cstr(h, label);
  else if (json_is_null(j)) html_raw(h, "<i>leeg (empty)</i>");
  else html_cstr(h, text ? text : json_string_value(j));
  if (f && f->unit && v->type == OV_V_INT) html_printf(h, " %s", f->unit);
  free(text);
  json_decref(j);
}

void html_value(html *h, const ov_sfield *f, const ov_value *v) {
  if (v->type != OV_V_SET) {
    plain(h, f, v);
    return;
  }
  for (uint32_t i = 0; i < v->set.n_add; i++) {
    html_raw(h, i ? ", + " : "+ ");
    plain(h, f, &v->set.add[i]);
  }
  for (uint32_t i = 0; i < v->set.n_del; i++) {
    html_raw(h, i || v->set.n_add ? ", − " : "− ");
    plain(h, f, &v->set.del[i]);
  }
}

static const char style[] =
    "body{font:11pt/1.4 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111}"
    "h1{font-size:1.6em}h2{margin-top:2em;border-bottom:1px solid #888}h3{font-size:1em;margin:1.4em 0 .3em}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.15em .6em "
    ".15em "
    "0;border-bottom:1px solid #ddd}th{font-weight:600;width:30%}.h{font-size:.85em;color:#333;margin:.2em 0 "
    "0 "
    "1em}.h th{width:auto}@media print{body{margin:0;max-width:none}h3,table{break-inside:avoid}}";

void html_begin(html *h, const char *client, const char *organisation, int64_t now_ms) {
  html_raw(h, "<!DOCTYPE html>\n<html lang=\"nl\"><head><meta charset=\"utf-8\">"
              "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
              "'unsafe-inline'\"><title>Inzage / Access copy</title><style>");
  html_raw(h, style);
  html_raw(h, "</style></head><body>\n<h1>Inzage: alles over ");
  html_cstr(h, client);
  html_raw(h, "</h1>\n<p>Dit is alles wat ");
  html_cstr(h, organisation);
  html_raw(h,
           " in dit systeem over u bewaart: elke invoer, wie die schreef en wanneer, en wat er later is "
           "veranderd. Klopt iets niet, of wilt u dat het wordt gewist? Zeg het tegen uw begeleider of de "
           "privacy officer. U mag ook een klacht indienen bij de Autoriteit Persoonsgegevens.</p>\n"
           "<p lang=\"en\"><i>This is everything that the organisation keeps about you in this system (AVG "
           "art. 15): every entry, who wrote it and when, and what was changed later. You may ask for "
           "correction or erasure, and complain to the Dutch data protection authority.</i></p>\n"
           "<p>Gemaakt op (made at): ");
  html_time(h, now_ms);
  html_raw(h, "</p>\n");
}

void html_end(html *h) { html_raw(h, "</body></html>\n"); }
