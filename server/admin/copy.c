/* The access copy of AVG art. 15: everything held about one client as one file that people can read and
 * print. All records, all their ops with author, device and times, entries that were taken back or held
 * included; and who saw them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "copy_html.h"
#include "files.h"

/* A participant of twenty years has some ten thousand records; more than this is told, not cut silently. */
#define COPY_RECORDS_MAX ADM_NAMES_MAX

static void fields(html *h, const ov_skind *k, const ov_record *r) {
  html_raw(h, "<table>\n");
  for (uint32_t i = 0; i < r->n_live; i++) {
    const ov_live *l = &r->live[i];
    const ov_sfield *f = k ? ov_skind_field(k, l->field) : NULL;
    bool removed = l->is_elem && l->v.type == OV_V_INT && l->v.i == 0;
    if (removed || (f && f->type == OV_F_BYTES)) continue; /* keys say nothing about anybody */
    html_raw(h, "<tr><th>");
    if (f) {
      html_cstr(h, f->nl);
      html_raw(h, " / <i lang=\"en\">");
      html_cstr(h, f->en);
      html_raw(h, "</i>");
    } else {
      html_printf(h, "veld %u", l->field);
    }
    if (ov_record_field_conflict(r, l->field)) html_raw(h, " (er zijn meer waarden / in conflict)");
    html_raw(h, "</th><td>");
    html_value(h, f, l->is_elem ? &l->elem : &l->v);
    html_raw(h, "</td></tr>\n");
  }
  html_raw(h, "</table>\n");
}

static const char *verdict_nl(ov_verdict v) {
  switch (v) {
  case OV_APPLIED: return "telt mee (applied)";
  case OV_HELD: return "aangehouden (held)";
  case OV_DISMISSED: return "afgewezen (dismissed)";
  case OV_WAITING: return "wacht (waiting)";
  case OV_VOID: return "alleen het bewijs is er (void)";
  default: return "gewist (erased)";
  }
}

static void device_label(html *h, const ov_id *id) {
  sv_device d;
  if (ov_id_is_zero(id)) return;
  html_raw(h, " · ");
  if (sv_device_get(h->t, id, &d)) html_raw(h, "server");
  else html_label(h, &d.record);
}

static void entry(html *h, const ov_skind *k, const ov_name *name, ov_arena *a) {
  sv_op_row row;
  ov_verdict v = OV_WAITING;
  uint8_t reason = 0;
  int err = sv_op_get(h->t, name, a, &row);
  if (!err) err = sv_verdict(h->t, &row, a, &v, &reason);
  if (err) {
    adm_failed(h->m, err, "reading an entry");
    return;
  }
  html_raw(h, "<tr><td>");
  html_time(h, row.op.device_time * 1000);
  html_raw(h, "</td><td>");
  if (row.op.has_author) html_label(h, &row.op.author);
  device_label(h, &row.device);
  html_raw(h, "</td><td>");
  if (row.n_receipts) html_time(h, row.receipts[0].server_time_ms);
  html_raw(h, "</td><td>");
  html_raw(h, verdict_nl(v));
  if (reason) html_printf(h, ": %s", ov_held_text_nl(reason));
  html_raw(h, "</td><td>");
  for (uint32_t i = 0; i < row.op.n_fields; i++) {
    const ov_sfield *f = k ? ov_skind_field(k, row.op.fields[i].id) : NULL;
    if (f && f->type == OV_F_BYTES) continue;
    html_cstr(h, f ? f->nl : row.op.fields[i].id == OV_FIELD_RETRACTED ? "Ingetrokken" : "?");
    html_raw(h, ": ");
    html_value(h, f, &row.op.fields[i].v);
    html_raw(h, "<br>");
  }
  html_raw(h, "</td></tr>\n");
}

static void history(html *h, const ov_skind *k, const ov_name *record, ov_arena *a) {
  ov_name *ops;
  uint32_t n = 0;
  if (sv_record_ops(h->t, record, a, &ops, &n)) return;
  html_raw(h, "<table class=\"h\"><tr><th>Geschreven (written)</th><th>Door (by)</th><th>Ontvangen "
              "(received)</th><th>Oordeel (verdict)</th><th>Wat (what)</th></tr>\n");
  for (uint32_t i = 0; i < n && !h->m->err; i++) entry(h, k, &ops[i], a);
  html_raw(h, "</table>\n");
}

/* One record in a read transaction of its own. */
static void one_record(html *h, sv_org *org, const ov_name *name, uint16_t *last_kind, uint64_t *shown) {
  sv_record_row row = {.erased = false};
  ov_arena a;
  ov_arena_init(&a, SV_FOLD_ARENA_BYTES_MAX);
  h->t = adm_read(h->m, org);
  int err = h->t ? sv_record_get(h->t, name, &a, &row) : h->m->err;
  if (!err && row.rec.kind != OV_KIND_LOOK) { /* those stand in the audit's part */
    const ov_skind *k = ov_schemas_kind(h->m->h->schemas, row.rec.kind);
    if (row.rec.kind != *last_kind) {
      html_raw(h, "<h2>");
      html_cstr(h, k ? k->nl : "Onbekende soort");
      html_raw(h, " / <i lang=\"en\">");
      html_cstr(h, k ? k->en : "unknown kind");
      html_raw(h, "</i></h2>\n");
      *last_kind = row.rec.kind;
    }
    html_printf(h, "<h3>%llu", (unsigned long long)++*shown);
    if (ov_record_retracted(&row.rec) != OV_LIVE) html_raw(h, " · ingetrokken (entered in error)");
    html_raw(h, "</h3>\n");
    fields(h, k, &row.rec);
    history(h, k, name, &a);
  } else if (err && err != OV_E_NOTFOUND) {
    adm_failed(h->m, err, "reading a record");
  }
  sv_txn_abort(h->t);
  h->t = NULL;
  ov_arena_free(&a);
}

static int all_names(adm *m, sv_org *org, const ov_name *participant, ov_name **out, uint32_t *n) {
  ov_name page[ADM_PAGE];
  uint32_t k = ADM_PAGE, cap = 0;
  *out = NULL;
  *n = 0;
  while (!m->err && k == ADM_PAGE) {
    sv_txn *t = adm_read(m, org);
    if (!t) return m->err;
    int err = sv_by_participant(t, participant, *n ? &(*out)[*n - 1] : NULL, page, ADM_PAGE, &k);
    sv_txn_abort(t);
    if (err) return adm_failed(m, err, "reading records");
    if (*n + k > COPY_RECORDS_MAX) return adm_fail(m, OV_E_LIMIT, NULL, "there are too many records");
    if (*n + k > cap) {
      cap = 2 * (*n + k) + ADM_PAGE;
      ov_name *v = realloc(*out, cap * sizeof *v);
      if (!v) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
      *out = v;
    }
    if (k) memcpy(*out + *n, page, k * sizeof *page);
    *n += k;
  }
  return m->err;
}

static int write_copy(adm *m, sv_org *org, const ov_name *participant, const char *label, FILE *f) {
  html h = {.f = f, .m = m};
  ov_name *names = NULL;
  uint32_t n = 0;
  uint16_t kind = 0;
  uint64_t shown = 0;
  html_begin(&h, label, org->name, adm_now_ms(m));
  one_record(&h, org, participant, &kind, &shown);
  if (!m->err && !all_names(m, org, participant, &names, &n)) {
    for (uint32_t i = 0; i < n && !m->err; i++) {
      if (!ov_name_equal(&names[i], participant)) one_record(&h, org, &names[i], &kind, &shown);
      adm_progress(m, "records", i + 1, n);
    }
  }
  free(names);
  if (!m->err) adm_set(m, "audit_lines", json_integer((json_int_t)copy_who_saw(&h, org, participant)));
  html_end(&h);
  adm_set(m, "records", json_integer((json_int_t)shown));
  return m->err;
}

int cmd_participant_copy(adm *m) {
  ov_name name;
  char label[OV_LABEL_BYTES_MAX + 1];
  const char *out = arg_text(m, "out");
  sv_org *org = find_org(m);
  const ov_skind *k = org ? find_kind(m, "participant") : NULL;
  if (!k || find_record(m, org, k, arg_text(m, "participant"), &name)) return m->err;
  sv_txn *t = adm_read(m, org);
  if (!t) return m->err;
  find_label_of(m, t, &name, label, sizeof label);
  sv_txn_abort(t);
  int fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
  if (!f) {
    if (fd >= 0) close(fd);
    return adm_fail(m, errno == EEXIST ? OV_E_EXISTS : OV_E_IO, "name a new file", "cannot make %s: %s", out,
                    strerror(errno));
  }
  write_copy(m, org, &name, label, f);
  bool bad = fflush(f) || ferror(f) || fsync(fd);
  if (fclose(f)) bad = true;
  if (bad) adm_fail(m, OV_E_IO, NULL, "cannot write %s", out);
  if (m->err) {
    unlink(out);
    return m->err;
  }
  adm_set_text(m, "file", out);
  adm_note(m, "it holds all data of this client in the clear: hand it over, and delete it here");
  return m->err;
}
