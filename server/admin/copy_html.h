/* Text into an HTML file: everything is escaped, nothing is fetched, no script. Errors stick. */
#ifndef ADMIN_COPY_HTML_H
#define ADMIN_COPY_HTML_H

#include <stdio.h>

#include "admin_priv.h"

typedef struct html {
  FILE *f;
  adm *m;
  sv_txn *t;
} html;

void html_raw(html *h, const char *text);
void html_text(html *h, const char *text, size_t n);
void html_cstr(html *h, const char *text);
void html_printf(html *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "29-03-2026 05:10:00 UTC" */
void html_time(html *h, int64_t ms);
/* A value for people: codes as Dutch (English), times, references by their label. */
void html_value(html *h, const ov_sfield *f, const ov_value *v);
void html_label(html *h, const ov_name *record); /* its label, or its name */
void html_begin(html *h, const char *client, const char *organisation, int64_t now_ms);
/* copy_seen.c: the lines of the audit about the participant; how many. Errors stay in h->m. */
uint64_t copy_who_saw(html *h, sv_org *org, const ov_name *participant);
void html_end(html *h);

#endif
