/* What people type, found: organisations, teams and records by id, by a unique start of it, or by label. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin_priv.h"

#define SHOWN_MAX 5u /* candidates listed when a text fits several */

/* Collects what fits. A whole match beats the starts. */
typedef struct match {
  unsigned whole, starts;
  char shown[300];
} match;

static bool starts_with(const char *label, const char *text) {
  return !strncasecmp(label, text, strlen(text));
}

/* True when this candidate is the one to keep so far. */
static bool matches(match *x, const char *candidate, const char *text, const char *show) {
  if (!*candidate || !starts_with(candidate, text)) return false;
  bool whole = strlen(candidate) == strlen(text);
  unsigned *count = whole ? &x->whole : &x->starts;
  if (*count < SHOWN_MAX) {
    size_t n = strlen(x->shown);
    snprintf(x->shown + n, sizeof x->shown - n, "%s%.60s", n ? ", " : "", show);
  }
  (*count)++;
  return whole ? x->whole == 1 : !x->whole && x->starts == 1;
}

/* 0 when exactly one fitted. */
static int settle(adm *m, const match *x, const char *what, const char *text, const char *list_cmd) {
  unsigned n = x->whole ? x->whole : x->starts;
  char hint[120];
  snprintf(hint, sizeof hint, "`overdracht-admin %s` shows what there is", list_cmd);
  if (n == 1) return 0;
  if (n == 0) return adm_fail(m, OV_E_NOTFOUND, hint, "there is no %s \"%.80s\"", what, text);
  return adm_fail(m, OV_E_INVALID, "type more of it, or the id", "\"%.80s\" fits %u of %s: %s%s", text, n,
                  what, x->shown, n > SHOWN_MAX ? ", ..." : "");
}

/* -- organisations ----------------------------------------------------------------------- */

sv_org *find_org_by(adm *m, const char *text) {
  match x = {0};
  sv_org *found = NULL, *o;
  if (!strcasecmp(text, "programme")) return m->h->programme;
  for (unsigned i = 0; (o = m->h->org_at(m->h->ctx, i)); i++) {
    char hex[2 * OV_ID_BYTES + 1];
    ov_hex(o->id.b, OV_ID_BYTES, hex);
    bool by_name = matches(&x, o->name, text, o->name);
    if (by_name || (!starts_with(o->name, text) && strlen(text) >= 4 && matches(&x, hex, text, o->name)))
      found = o;
  }
  return settle(m, &x, "organisation", text, "organisation list") ? NULL : found;
}

static sv_org *org_meant(adm *m) {
  const char *text = arg_text(m, "organisation");
  if (text) return find_org_by(m, text);
  sv_org *first = m->h->org_at(m->h->ctx, 0);
  if (!first) {
    adm_fail(m, OV_E_NOTFOUND, "make one: overdracht-admin organisation add NAME",
             "there is no organisation yet");
    return NULL;
  }
  if (!m->h->org_at(m->h->ctx, 1)) return first;
  adm_fail(m, OV_E_INVALID, "`overdracht-admin organisation list` shows them",
           "there are several organisations: say which with --organisation NAME");
  return NULL;
}

sv_org *find_org(adm *m) {
  sv_org *org = org_meant(m);
  if (!m->looked_at) m->looked_at = org;
  return org;
}

void adm_about(adm *m, const ov_name *record) {
  m->names_object = true;
  m->object = *record;
}

/* What was found is what the audit says was looked at: the first, as others that are named only say how. */
static void note_found(adm *m, const ov_skind *k, const ov_name *record) {
  if (k && k->id == OV_KIND_PARTICIPANT) {
    m->participant = *record;
    m->names_participant = true;
  } else if (!m->names_object) adm_about(m, record);
}

/* -- kinds ------------------------------------------------------------------------------- */

const ov_skind *find_kind(adm *m, const char *name) {
  const ov_skind *k = ov_schemas_by_name(m->h->schemas, name);
  if (!k)
    adm_fail(m, OV_E_NOTFOUND, "`overdracht-admin kind list` shows them", "there is no kind \"%.60s\"", name);
  return k;
}

sv_org *find_home(adm *m, sv_org *org, const ov_skind *k) { return k->scope == 0 ? m->h->programme : org; }

const ov_sfield *find_label_field(const ov_skind *k) {
  for (uint32_t i = 0; k && i < k->n_fields; i++) {
    if (k->fields[i].type == OV_F_TEXT && k->fields[i].required) return &k->fields[i];
  }
  return NULL;
}

void find_label(adm *m, const ov_record *r, char *out, size_t n) {
  const ov_sfield *f = find_label_field(ov_schemas_kind(m->h->schemas, r->kind));
  const ov_live *l = f ? ov_record_field(r, f->id, NULL) : NULL;
  *out = 0;
  if (!l || l->v.type != OV_V_TEXT) return;
  size_t len = l->v.s.n < n ? l->v.s.n : n - 1;
  while (len < l->v.s.n && len && (l->v.s.p[len] & 0xc0) == 0x80) len--; /* never half a character */
  memcpy(out, l->v.s.p, len);
  out[len] = 0;
}

void find_label_of(adm *m, sv_txn *t, const ov_name *record, char *out, size_t n) {
  sv_record_row row;
  *out = 0;
  if (!sv_record_get(t, record, &m->a, &row)) find_label(m, &row.rec, out, n);
}

void find_team_label(adm *m, sv_txn *t, uint32_t scope, char *out, size_t n) {
  sv_scope s;
  *out = 0;
  if (!sv_scope_get(t, scope, &s) && !ov_name_is_zero(&s.record)) find_label_of(m, t, &s.record, out, n);
  if (!*out) snprintf(out, n, "team %u", scope);
}

/* -- records ----------------------------------------------------------------------------- */

int find_all(adm *m, sv_txn *t, uint16_t kind, ov_name **names, uint32_t *n) {
  int err = sv_by_kind_day(t, kind, INT32_MIN, INT32_MAX, &m->a, names, ADM_NAMES_MAX, n);
  if (err) return adm_failed(m, err, "reading records");
  if (*n == ADM_NAMES_MAX) adm_note(m, "only the first %u records were looked at", ADM_NAMES_MAX);
  return 0;
}

/* "12-a1b2c3d4": enough to tell records apart where one writer made them all. */
static void short_name(const char *full, char out[40]) {
  snprintf(out, 40, "%.39s", strlen(full) > 33 ? full + 33 : full);
}

/* Two labels alike are told apart by whether they are live. */
static void try_record(adm *m, const ov_record *r, const char *text, match x[2], ov_name found[2]) {
  char full[OV_NAME_TEXT_MAX], brief[40], label[OV_LABEL_BYTES_MAX + 1], show[240];
  unsigned old = record_is_live(r) ? 0 : 1;
  ov_name_text(&r->name, full);
  short_name(full, brief);
  find_label(m, r, label, sizeof label);
  snprintf(show, sizeof show, "%s (%s)", label, brief);
  const char *which = starts_with(label, text) ? label : starts_with(brief, text) ? brief : full;
  if (matches(&x[old], which, text, show)) found[old] = r->name;
}

int find_record(adm *m, sv_org *org, const ov_skind *k, const char *text, ov_name *out) {
  match x[2] = {{0}};
  ov_name found[2] = {{.seq = 0}}, *names = NULL;
  uint32_t n = 0;
  sv_txn *t = adm_read(m, find_home(m, org, k));
  if (!t) return m->err;
  int err = find_all(m, t, k->id, &names, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    err = adm_record(m, t, &names[i], &row);
    if (!err) try_record(m, &row.rec, text, x, found);
    if (err == OV_E_NOTFOUND) err = 0;
  }
  sv_txn_abort(t);
  if (err || m->err) return m->err ? m->err : err;
  char list_cmd[80];
  snprintf(list_cmd, sizeof list_cmd, "record list %s", k->name);
  unsigned use = x[0].whole || (x[0].starts && !x[1].whole) ? 0 : x[1].whole || x[1].starts ? 1 : 0;
  *out = found[use];
  err = settle(m, &x[use], k->name, text, list_cmd);
  if (!err) note_found(m, k, out);
  return err;
}

/* The first name that can start with these hex digits. */
static bool first_with(const char *text, ov_name *from) {
  char hex[2 * OV_ID_BYTES + 1];
  size_t n = strspn(text, "0123456789abcdefABCDEF");
  if (n < 4 || (text[n] && (text[n] != '-' || n != 2 * OV_ID_BYTES))) return false;
  memset(hex, '0', sizeof hex - 1);
  hex[sizeof hex - 1] = 0;
  memcpy(hex, text, n < sizeof hex - 1 ? n : sizeof hex - 1);
  *from = (ov_name){.seq = 0};
  return n < sizeof hex && !ov_unhex(hex, from->writer.b, OV_ID_BYTES);
}

int find_any(adm *m, sv_org *org, const char *text, ov_name *out) {
  match x = {0};
  ov_name at;
  if (!ov_name_parse(text, out)) {
    sv_txn *t = adm_read(m, org);
    sv_record_row row;
    int err = t ? adm_record(m, t, out, &row) : m->err;
    sv_txn_abort(t);
    if (err == OV_E_NOTFOUND) adm_fail(m, err, NULL, "%s has no record %s", org->name, text);
    if (!err) note_found(m, NULL, out);
    return err;
  }
  if (!first_with(text, &at)) {
    return adm_fail(m, OV_E_INVALID,
                    "names look like 0123abcd...-12-a1b2c3d4; for a label give --kind KIND as well",
                    "\"%.80s\" is no record's name or start of one", text);
  }
  sv_txn *t = adm_read(m, org);
  if (!t) return m->err;
  while (!sv_record_next(t, &at, &at)) {
    char full[OV_NAME_TEXT_MAX];
    ov_name_text(&at, full);
    if (strncasecmp(full, text, strlen(text))) {
      if (strncasecmp(full, text, 2 * OV_ID_BYTES < strlen(text) ? 2 * OV_ID_BYTES : strlen(text))) break;
      continue;
    }
    if (matches(&x, full, text, full)) *out = at;
    if (x.starts > SHOWN_MAX) break;
  }
  sv_txn_abort(t);
  int err = settle(m, &x, "record", text, "record list KIND");
  if (!err) note_found(m, NULL, out);
  return err;
}

/* -- teams ------------------------------------------------------------------------------- */

int find_team(adm *m, sv_org *org, const char *text, uint32_t *scope) {
  sv_record_row row;
  ov_name record;
  char *end;
  const ov_skind *k = find_kind(m, "team");
  if (!k) return m->err;
  unsigned long number = strtoul(text, &end, 10);
  sv_txn *t = adm_read(m, org);
  if (!t) return m->err;
  sv_scope s;
  bool by_number = *text && !*end && number >= 2 && number <= SV_TEAM_SCOPE_MAX &&
                   !sv_scope_get(t, (uint32_t)number, &s);
  sv_txn_abort(t);
  if (by_number) {
    *scope = (uint32_t)number;
    return 0;
  }
  if (find_record(m, org, k, text, &record)) return m->err;
  t = adm_read(m, org);
  if (!t) return m->err;
  int err = adm_record(m, t, &record, &row);
  if (!err) *scope = row.rec.scope;
  sv_txn_abort(t);
  return err;
}

static int compare_ints(const void *a, const void *b) {
  int64_t x = ((const ov_value *)a)->i, y = ((const ov_value *)b)->i;
  return x < y ? -1 : x > y;
}

int find_teams(adm *m, sv_org *org, const char *arg, ov_value *set) {
  size_t n = arg_count(m, arg);
  *set = (ov_value){.type = OV_V_SET};
  if (n > OV_SCOPES_MAX - 2) return adm_fail(m, OV_E_INVALID, NULL, "at most %u teams", OV_SCOPES_MAX - 2);
  ov_value *v = ov_arena_array(&m->a, n + 1, sizeof *v);
  if (!v) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  uint32_t k = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t scope = 0;
    if (find_team(m, org, arg_at(m, arg, i), &scope)) return m->err;
    v[k++] = ov_int(scope);
  }
  qsort(v, k, sizeof *v, compare_ints);
  uint32_t unique = 0;
  for (uint32_t i = 0; i < k; i++) {
    if (!unique || v[unique - 1].i != v[i].i) v[unique++] = v[i];
  }
  set->set.add = v;
  set->set.n_add = unique;
  return 0;
}
