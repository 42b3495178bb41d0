/* The command, its findings and its pages. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sv_audit.h"
#include "verify.h"

/* -- findings ---------------------------------------------------------------------------- */

static void tell(vf *v, const char *where, const char *advice, const char *problem) {
  char text[900];
  if (++v->findings > VF_TOLD_MAX) return;
  snprintf(text, sizeof text, "FOUND in %s: %s: %s (%s)", v->org->name, where, problem, advice);
  json_t *o = adm_text_json(v->org->name, strlen(v->org->name));
  json_t *j = json_pack(
      "{s:o, s:o, s:o, s:s, s:o}", "organisation", o, "where", adm_text_json(where, strlen(where)), "problem",
      adm_text_json(problem, strlen(problem)), "advice", advice, "text", adm_text_json(text, strlen(text)));
  adm_stream(v->m, j);
}

void vf_found(vf *v, const char *where, const char *advice, const char *fmt, ...) {
  char problem[400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(problem, sizeof problem, fmt, ap);
  va_end(ap);
  tell(v, where, advice, problem);
}

void vf_found_at(vf *v, const ov_name *where, const char *advice, const char *fmt, ...) {
  char problem[400], name[OV_NAME_TEXT_MAX];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(problem, sizeof problem, fmt, ap);
  va_end(ap);
  ov_name_text(where, name);
  tell(v, name, advice, problem);
}

/* -- pages ------------------------------------------------------------------------------- */

bool vf_page(vf *v) {
  vf_page_end(v);
  if (v->m->err || !adm_progress(v->m, v->what, v->done, v->total)) return false;
  int err = sv_txn_read(v->org->env, &v->t);
  if (!err && v->programme && sv_txn_read(v->programme->env, &v->pt)) v->pt = NULL;
  if (err) adm_failed(v->m, err, v->org->name);
  return !err;
}

void vf_page_end(vf *v) {
  sv_txn_abort(v->t);
  sv_txn_abort(v->pt);
  v->t = v->pt = NULL;
}

void vf_walk(vf *v, vf_next next, void (*page_start)(vf *v, const ov_name *after),
             void (*check)(vf *v, const ov_name *name)) {
  ov_name at = {.seq = 0};
  bool started = false, more = true;
  walk_limit limit = {.set = false};
  while (more && vf_page(v)) {
    if (page_start) page_start(v, started ? &at : NULL);
    for (unsigned n = 0; n < ADM_PAGE && more && !sv_txn_error(v->t); n++) {
      int err = next(v->t, started ? &at : NULL, &at);
      more = !err;
      if (err && err != OV_E_NOTFOUND)
        vf_found(v, v->what, VF_RESTORE, "the table cannot be walked: %s", ov_err_text(err));
      if (err) break;
      started = true;
      if (!walk_within(v->t, &limit, &at)) continue;
      check(v, &at);
      v->done++;
      ov_arena_reset(&v->a);
    }
  }
  vf_page_end(v);
}

/* The key just before: the next one behind it is `name` itself, if it is there. */
bool vf_record_exists(vf *v, const ov_name *name) {
  ov_name before = *name, out;
  unsigned i = OV_TAG_BYTES;
  while (i && !before.tag[i - 1]) before.tag[--i] = 0xff;
  if (i) before.tag[i - 1]--;
  else before.seq--;
  return !sv_record_next(v->t, &before, &out) && ov_name_equal(&out, name);
}

/* -- one organisation -------------------------------------------------------------------- */

static void part(vf *v, const char *what, uint64_t total, void (*check)(vf *v)) {
  char text[OV_LABEL_BYTES_MAX + 40];
  if (v->m->err) return;
  snprintf(text, sizeof text, "%s: %s", v->org->name, what);
  v->what = text;
  v->done = 0;
  v->total = total;
  check(v);
  v->what = "";
}

static void check_scrub(vf *v) {
  sv_scrub s;
  if (!adm_progress(v->m, v->what, 0, 0)) return;
  int err = sv_env_scrub(v->org->env, &s);
  if (err) vf_found(v, "store", VF_RESTORE, "cannot be read through: %s", ov_err_text(err));
  else if (s.bad)
    vf_found(v, "store", VF_RESTORE, "%" PRIu64 " of %" PRIu64 " rows are damaged; the first: %s", s.bad,
             s.rows, s.first);
}

static void check_audit(vf *v) {
  sv_audit_check c;
  char where[40];
  if (adm_audit_verify(v->m, v->org, &c) || !c.bad) return;
  snprintf(where, sizeof where, "audit, line %" PRIu64, c.bad);
  vf_found(v, where, VF_RESTORE, "%s", c.why);
}

static void check_counts(vf *v, const sv_env_stats *before) {
  sv_env_stats now;
  uint64_t waiting = 0;
  sv_env_stats_get(v->org->env, &now);
  if (v->m->err || now.commits != before->commits || v->findings || !vf_page(v)) return;
  if (v->ops != now.ops)
    vf_found(v, "ops", VF_RESTORE, "%" PRIu64 " were met, %" PRIu64 " are counted", v->ops, now.ops);
  if (v->records != now.records) {
    vf_found(v, "records", VF_RESTORE, "%" PRIu64 " were met, %" PRIu64 " are counted", v->records,
             now.records);
  }
  if (!sv_waiting_count(v->t, &waiting) && waiting != v->waiting) {
    vf_found(v, "waiting", VF_DERIVED, "%" PRIu64 " ops wait, the list has %" PRIu64, v->waiting, waiting);
  }
  vf_page_end(v);
}

int vf_run(adm *m, sv_org *org, sv_org *programme, uint64_t *findings, uint64_t *ops, uint64_t *records) {
  sv_env_stats st;
  vf *v = calloc(1, sizeof *v);
  if (v) v->h = ov_hasher_new();
  if (!v || !v->h) {
    free(v);
    return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  }
  v->m = m;
  v->org = org;
  v->programme = org->programme ? NULL : programme;
  ov_arena_init(&v->a, VF_ARENA_BYTES_MAX);
  sv_env_stats_get(org->env, &st);
  part(v, "ops", st.ops, vf_check_ops);
  part(v, "records", st.records, vf_check_records);
  part(v, "positions", 0, vf_check_scopes);
  part(v, "devices and keys", 0, vf_check_rest);
  part(v, "audit", 0, check_audit);
  check_counts(v, &st);
  part(v, "stored bytes", 0, check_scrub);
  if (v->findings > VF_TOLD_MAX)
    adm_note(m, "%s: %" PRIu64 " more findings were only counted", org->name, v->findings - VF_TOLD_MAX);
  if (v->unchecked) {
    adm_note(m, "%s: %" PRIu64 " signatures of devices or servers unknown here could not be checked",
             org->name, v->unchecked);
  }
  *findings += v->findings;
  *ops += v->ops;
  *records += v->records;
  vf_page_end(v);
  ov_arena_free(&v->a);
  ov_hasher_free(v->h);
  free(v);
  return m->err;
}

/* -- the command ------------------------------------------------------------------------- */

/* An organisation whose folder is there but that could not be opened is the worst finding of all. */
static void closed_orgs(adm *m, uint64_t *findings) {
  ov_id *ids = calloc(SV_ORGS_MAX, sizeof *ids);
  uint32_t n = 0;
  int err = ids ? sv_org_list(m->h->data, ids, SV_ORGS_MAX, &n) : OV_E_NOMEM;
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_org *o;
    bool open = false;
    for (unsigned k = 0; !open && (o = m->h->org_at(m->h->ctx, k)); k++) open = ov_id_equal(&o->id, &ids[i]);
    if (open) continue;
    char hex[2 * OV_ID_BYTES + 1], text[300];
    ov_hex(ids[i].b, OV_ID_BYTES, hex);
    snprintf(text, sizeof text, "FOUND: organisation %s could not be opened (%s)", hex, VF_RESTORE);
    adm_stream(m, json_pack("{s:s, s:s, s:s, s:s, s:s}", "organisation", hex, "where", "store", "problem",
                            "could not be opened", "advice", VF_RESTORE, "text", text));
    (*findings)++;
  }
  free(ids);
}

int cmd_verify(adm *m) {
  uint64_t findings = 0, ops = 0, records = 0;
  unsigned looked = 0;
  sv_org *o, *programme = m->h->programme;
  if (arg_text(m, "organisation")) {
    o = find_org(m);
    if (!o || vf_run(m, o, programme, &findings, &ops, &records)) return m->err;
    looked = 1;
  } else {
    if (vf_run(m, programme, NULL, &findings, &ops, &records)) return m->err;
    for (unsigned i = 0; (o = m->h->org_at(m->h->ctx, i)); i++, looked++) {
      if (vf_run(m, o, programme, &findings, &ops, &records)) return m->err;
    }
    closed_orgs(m, &findings);
  }
  adm_set(m, "organisations", json_integer(looked));
  adm_set(m, "ops", json_integer((json_int_t)ops));
  adm_set(m, "records", json_integer((json_int_t)records));
  adm_set(m, "findings", json_integer((json_int_t)findings));
  if (!findings) return m->err;
  return adm_fail(m, OV_E_CORRUPT,
                  "each line above says what to do; keep a copy of the data folder before you do it",
                  "%" PRIu64 " thing%s wrong", findings, findings == 1 ? " is" : "s are");
}
