/* The part of an access copy that says who wrote, received or looked at what about this client: the lines of
 * the audit that name them, oldest first. */
#include <string.h>

#include "copy_html.h"
#include "sv_audit.h"
#include "sv_rights.h"

static const char *what_nl(sv_audit_type type) {
  switch (type) {
  case SV_AUDIT_ENTRY: return "schreef iets op (wrote)";
  case SV_AUDIT_SYNC: return "ontving gegevens op een apparaat (received on a device)";
  case SV_AUDIT_OFFLINE: return "bekeek gegevens zonder netwerk (looked, without a network)";
  case SV_AUDIT_SEARCH: return "zocht in gegevens (searched)";
  case SV_AUDIT_SHOW: return "bekeek gegevens (looked)";
  case SV_AUDIT_EXPORT: return "maakte een kopie (made a copy)";
  case SV_AUDIT_RULING: return "beoordeelde een invoer (ruled on an entry)";
  case SV_AUDIT_ERASE: return "wiste gegevens (erased)";
  case SV_AUDIT_READ_LOG: return "keek wie dit zag (looked who saw this)";
  default: return "beheerde gegevens (administered)";
  }
}

static void who(html *h, const sv_audit_event *e) {
  sv_device d;
  if (e->has_person) html_label(h, &e->person);
  else if (*e->user) html_text(h, e->user, strlen(e->user));
  else if (e->has_device && !sv_device_get(h->t, &e->device, &d)) html_label(h, &d.record);
  else html_raw(h, e->has_device ? "een apparaat (a device)" : "de server (the server)");
  if (e->role) html_printf(h, ", %s", sv_role_name(e->role));
}

static void line(html *h, const sv_audit_event *e) {
  html_raw(h, "<tr><td>");
  html_time(h, e->claim_ms && e->type == SV_AUDIT_OFFLINE ? e->claim_ms : e->time_ms);
  html_raw(h, "</td><td>");
  who(h, e);
  html_raw(h, "</td><td>");
  html_raw(h, what_nl(e->type));
  if (e->outcome) html_printf(h, ", %s", sv_audit_outcome_name(e->outcome));
  html_raw(h, "</td><td>");
  html_cstr(h, sv_audit_purpose_name(e->purpose));
  html_raw(h, "</td></tr>\n");
}

/* A page of lines in a read transaction of its own. */
static uint32_t page(html *h, sv_org *org, const ov_name *participant, uint64_t *after) {
  uint64_t seqs[ADM_PAGE];
  uint32_t n = 0;
  h->t = adm_read(h->m, org);
  int err = h->t ? sv_audit_of(h->t, participant, *after, seqs, ADM_PAGE, &n) : h->m->err;
  for (uint32_t i = 0; i < n && !err; i++) {
    sv_audit_event e;
    err = sv_audit_get(h->t, seqs[i], &e);
    if (!err) line(h, &e);
    *after = seqs[i];
  }
  sv_txn_abort(h->t);
  h->t = NULL;
  if (err && !h->m->err) adm_failed(h->m, err, "reading the audit");
  return err ? 0 : n;
}

uint64_t copy_who_saw(html *h, sv_org *org, const ov_name *participant) {
  uint64_t after = 0, lines = 0;
  uint32_t n = ADM_PAGE;
  html_raw(h,
           "<h2>Wie heeft dit gezien? / <i lang=\"en\">who saw this</i></h2>\n<p>Elke keer dat iemand uw "
           "gegevens opschreef, ontving of bekeek. <i lang=\"en\">Each time that somebody wrote, received or "
           "looked at your data.</i></p>\n<table class=\"h\"><tr><th>Wanneer (when)</th><th>Wie (who)</th>"
           "<th>Wat (what)</th><th>Waarom (why)</th></tr>\n");
  while (n == ADM_PAGE && !h->m->err) {
    n = page(h, org, participant, &after);
    lines += n;
  }
  html_raw(h, "</table>\n");
  return lines;
}
