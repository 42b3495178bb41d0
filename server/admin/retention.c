/* Retention terms: what an organisation keeps, how long, and who is erased because it is over. A
 * participant's term runs from the last change of anything about them, and all of it goes at once (the
 * dossier is one whole). Terms stand in the organisation's record, so that every server and tablet of it
 * knows them. */
#include <string.h>

#include "erase.h"
#include "sv_audit.h"

#define RECORD_CLASS 5
#define RECORD_TERM_YEARS 6
#define CLASS_DOSSIER 1
#define CLASS_TRIAL 2
/* Wgbo: 20 years from the last change. A trial has no such term; five years is what audits and publications
 * of it may still ask for. Both are to be reviewed by a jurist for each organisation. */
#define DOSSIER_YEARS 20
#define TRIAL_YEARS 5
#define YEAR_S ((int64_t)31556952) /* 365.2425 days */

typedef struct term {
  int64_t record_class, years;
  bool given; /* years: not by default */
} term;

static int org_record(adm *m, sv_txn *t, ov_name *name, sv_record_row *row) {
  ov_name *names;
  uint32_t n = 0;
  if (find_all(m, t, OV_KIND_ORGANISATION, &names, &n)) return m->err;
  if (!n) return adm_fail(m, OV_E_CORRUPT, NULL, "the organisation's own record is missing");
  *name = names[0];
  return adm_record(m, t, name, row);
}

static int read_term(adm *m, sv_txn *t, term *out) {
  ov_name name;
  sv_record_row row;
  if (org_record(m, t, &name, &row)) return m->err;
  *out = (term){.record_class = record_int(&row.rec, RECORD_CLASS, CLASS_DOSSIER),
                .years = record_int(&row.rec, RECORD_TERM_YEARS, 0)};
  out->given = out->years > 0;
  if (!out->given) out->years = out->record_class == CLASS_TRIAL ? TRIAL_YEARS : DOSSIER_YEARS;
  /* Two who set it differently: the longer one, until it is settled. */
  bool unclear = ov_record_field_conflict(&row.rec, RECORD_CLASS) ||
                 ov_record_field_conflict(&row.rec, RECORD_TERM_YEARS);
  if (unclear && out->years < DOSSIER_YEARS) out->years = DOSSIER_YEARS;
  return m->err;
}

/* -- set and show ------------------------------------------------------------------------ */

int cmd_retention_set(adm *m) {
  char text[64];
  ov_name name;
  sv_record_row row;
  sv_org *org = find_org(m);
  const ov_skind *k = org ? find_kind(m, "organisation") : NULL;
  adm_draft d = {.org = org, .k = k};
  sv_txn *t = k ? adm_read(m, org) : NULL;
  if (!t) return m->err;
  org_record(m, t, &name, &row);
  sv_txn_abort(t);
  if (m->err) return m->err;
  const char *class = arg_text(m, "class");
  int64_t years = arg_int(m, "years", 0);
  if (class && strcmp(class, "dossier") && strcmp(class, "trial_only"))
    return adm_fail(m, OV_E_INVALID, NULL, "--class takes dossier or trial_only");
  if (years < 0 || years > 30) return adm_fail(m, OV_E_INVALID, NULL, "--years takes 1 to 30");
  if (class) snprintf(text, sizeof text, "record_class=%d", !strcmp(class, "dossier") ? 1 : 2);
  if (class && value_assign(m, &d, text)) return m->err;
  if (years) snprintf(text, sizeof text, "record_term_years=%d", (int)years);
  if (years && value_assign(m, &d, text)) return m->err;
  if (draft_change(m, &d, &name)) return m->err;
  adm_note(m, "have a jurist review it: whether notes of support without treatment fall under the Wgbo is "
              "not settled");
  return m->err;
}

static void show_one(adm *m, sv_org *o) {
  term x = {.years = 0};
  sv_txn *t = adm_read(m, o);
  if (!t) return;
  if (!read_term(m, t, &x))
    adm_item(m, json_pack("{s:o, s:s, s:I, s:s}", "organisation", adm_text_json(o->name, strlen(o->name)),
                          "class", x.record_class == CLASS_TRIAL ? "trial_only" : "dossier", "years",
                          (json_int_t)x.years, "set", x.given ? "by the organisation" : "by default"));
  sv_txn_abort(t);
}

int cmd_retention_show(adm *m) {
  sv_org *o = arg_text(m, "organisation") ? find_org(m) : NULL;
  if (o) show_one(m, o);
  if (o || arg_text(m, "organisation")) return m->err;
  for (unsigned i = 0; !m->err && (o = m->h->org_at(m->h->ctx, i)); i++) show_one(m, o);
  return m->err;
}

/* -- whose term is over ------------------------------------------------------------------ */

/* Is there anything about them that changed after `since`? Looks at the first such record only. last: of what
 * was seen. */
static int changed_since(adm *m, sv_txn *t, const ov_name *participant, int64_t since, bool *recent,
                         int64_t *last) {
  ov_name page[ADM_PAGE], after = *participant;
  const ov_name *from = NULL;
  sv_record_row row;
  uint32_t n = 0;
  ov_arena a;
  ov_arena_init(&a, SV_LOOK_ARENA_BYTES_MAX);
  int err = sv_record_get(t, participant, &a, &row);
  *last = err ? 0 : row.changed;
  *recent = !err && row.changed > since;
  while (!err && !*recent) {
    err = sv_by_participant(t, participant, from, page, ADM_PAGE, &n);
    for (uint32_t i = 0; !err && !*recent && i < n; i++) {
      ov_arena_reset(&a);
      err = sv_record_get(t, &page[i], &a, &row);
      if (!err && row.rec.kind == OV_KIND_LOOK) continue; /* looking prolongs nothing */
      if (!err && row.changed > *last) *last = row.changed;
      *recent = !err && row.changed > since;
    }
    if (n < ADM_PAGE) break;
    after = page[n - 1];
    from = &after;
  }
  ov_arena_free(&a);
  return err ? adm_failed(m, err, "reading records") : 0;
}

typedef struct due {
  ov_name participant;
  int64_t last;
} due;

/* At most max; *left: the others. */
static int find_due(adm *m, sv_org *org, due *out, uint32_t max, uint32_t *n, uint32_t *left) {
  term x = {.years = 0};
  ov_name *names;
  uint32_t count = 0;
  *n = *left = 0;
  sv_txn *t = adm_read(m, org);
  if (!t) return m->err;
  bool ok = !read_term(m, t, &x) && !find_all(m, t, OV_KIND_PARTICIPANT, &names, &count);
  sv_txn_abort(t);
  int64_t since = adm_now_ms(m) / 1000 - x.years * YEAR_S;
  for (uint32_t i = 0; ok && !m->err && i < count; i++) {
    bool recent = true;
    int64_t last = 0;
    if (!(t = adm_read(m, org))) return m->err; /* short ones: the map can grow meanwhile */
    changed_since(m, t, &names[i], since, &recent, &last);
    sv_txn_abort(t);
    if (m->err || recent) continue;
    if (*n == max) (*left)++;
    else out[(*n)++] = (due){names[i], last};
  }
  return m->err;
}

/* -- the clock --------------------------------------------------------------------------- */

/* A clock that is years ahead would end every term at once, and what is erased does not come back. The audit
 * of an organisation at work has lines of every week; where it has none for more than a year up to now, or up
 * to its latest lines, the clock is not believed without somebody to look at it. */
#define GAP_MS ((int64_t)400 * 86400 * 1000)

/* Between the last line that is older than GAP_MS and what comes behind it: the next line, else now. 0: there
 * is no line as old as that. */
static int gap_of(sv_txn *t, int64_t now_ms, int64_t *gap_ms) {
  sv_audit_start start;
  sv_audit_event e = {.time_ms = now_ms};
  ov_head last;
  int64_t before = now_ms;
  *gap_ms = 0;
  int err = sv_audit_start_get(t, &start);
  if (!err) err = sv_audit_last(t, &last);
  if (err) return err;
  uint64_t lo = start.before.seq, hi = last.seq + 1;
  while (!err && hi - lo > 1) {
    uint64_t mid = lo + (hi - lo) / 2;
    err = sv_audit_get(t, mid, &e);
    if (e.time_ms < now_ms - GAP_MS) {
      lo = mid;
      before = e.time_ms;
    } else {
      hi = mid;
    }
  }
  if (err || lo == start.before.seq) return err;
  e.time_ms = now_ms;
  if (hi <= last.seq) err = sv_audit_get(t, hi, &e);
  *gap_ms = e.time_ms - before;
  return err;
}

static bool clock_is_doubtful(adm *m, sv_org *org) {
  int64_t gap = 0;
  sv_txn *t = adm_read(m, org);
  if (!t) return true;
  int err = gap_of(t, adm_now_ms(m), &gap);
  sv_txn_abort(t);
  if (err) adm_failed(m, err, "reading the audit");
  if (gap > GAP_MS) adm_note(m, "%s: nobody was erased, as the clock may be wrong", org->name);
  return err || gap > GAP_MS;
}

/* -- the run ----------------------------------------------------------------------------- */

static bool has_set(adm *m, sv_org *org) {
  term x = {0};
  sv_txn *t = adm_read(m, org);
  if (t) read_term(m, t, &x);
  sv_txn_abort(t);
  return x.given;
}

typedef struct tally {
  uint64_t erased, left;
  bool doubtful;
} tally;

static int run_one(adm *m, sv_org *org, tally *sum) {
  due d[SV_RETENTION_ERASE_MAX];
  uint32_t n = 0, left = 0;
  bool dry = arg_flag(m, "dry_run");
  if (arg_flag(m, "set_only")) {
    if (!has_set(m, org)) return m->err;
    if (clock_is_doubtful(m, org)) {
      sum->doubtful = true;
      return m->err;
    }
  }
  if (find_due(m, org, d, SV_RETENTION_ERASE_MAX, &n, &left)) return m->err;
  for (uint32_t i = 0; !m->err && i < n; i++) {
    sv_erase e = {.participant = d[i].participant, .ground = SV_ERASE_TERM, .at_ms = adm_now_ms(m)};
    adm_item(m, json_pack("{s:o, s:o, s:o, s:s}", "organisation", adm_text_json(org->name, strlen(org->name)),
                          "participant", adm_name_json(&d[i].participant), "last_change",
                          adm_time_json(d[i].last * 1000), "result", dry ? "would be erased" : "erased"));
    if (!dry && !erase_participant(m, org, &e)) sum->erased++;
  }
  if (left)
    adm_note(m, "%s: %u more are due; one run erases at most %u, the next one goes on", org->name, left,
             SV_RETENTION_ERASE_MAX);
  sum->left += left;
  return m->err;
}

int cmd_retention_run(adm *m) {
  tally sum = {0};
  sv_org *o = arg_text(m, "organisation") ? find_org(m) : NULL;
  if (o) run_one(m, o, &sum);
  for (unsigned i = 0; !o && !m->err && !arg_text(m, "organisation"); i++) {
    sv_org *each = m->h->org_at(m->h->ctx, i);
    if (!each) break;
    run_one(m, each, &sum);
  }
  if (m->err) return m->err;
  adm_set(m, "erased", json_integer((json_int_t)sum.erased));
  adm_set(m, "left", json_integer((json_int_t)sum.left));
  if (!arg_flag(m, "dry_run") && sum.erased)
    adm_note(m, "make anew, and destroy the old: backup-keys and backup-epochs");
  if (!sum.doubtful) return m->err;
  return adm_fail(m, OV_E_STATE, "look at the server's clock; without --set-only it is taken as it is",
                  "an audit has no line of more than a year up to now: nobody was erased there by itself");
}
