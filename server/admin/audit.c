/* `audit list`, `export`, `verify` and `cut`: the audit of one organisation. Reading it is itself in it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_priv.h"
#include "sv_audit.h"
#include "sv_consent.h"
#include "sv_rights.h"

#define SHOWN_DEFAULT 200
#define PAGE 128u
#define DAY_MS 86400000LL

typedef struct filter {
  bool has_participant, has_person, has_device;
  ov_name participant, person;
  ov_name device; /* record */
  const char *type, *role;
  int64_t from_ms, to_ms; /* to: not included */
} filter;

static int read_filter(adm *m, sv_org *org, filter *f) {
  int64_t from, to;
  const ov_skind *k;
  *f = (filter){.type = arg_text(m, "type"), .role = arg_text(m, "role")};
  if (adm_day(m, "from", 0, &from) || adm_day(m, "to", INT32_MAX, &to)) return m->err;
  f->from_ms = from * DAY_MS;
  f->to_ms = (to + 1) * DAY_MS;
  f->has_participant = arg_text(m, "participant") != NULL;
  if (f->has_participant && ov_name_parse(arg_text(m, "participant"), &f->participant)) {
    /* an erased participant has no label any more: then only the full name finds it */
    if (!(k = find_kind(m, "participant")) ||
        find_record(m, org, k, arg_text(m, "participant"), &f->participant))
      return m->err;
  }
  f->has_person = arg_text(m, "person") != NULL;
  if (f->has_person &&
      (!(k = find_kind(m, "person")) || find_record(m, org, k, arg_text(m, "person"), &f->person)))
    return m->err;
  f->has_device = arg_text(m, "device") != NULL;
  if (f->has_device &&
      (!(k = find_kind(m, "device")) || find_record(m, org, k, arg_text(m, "device"), &f->device)))
    return m->err;
  m->names_participant = f->has_participant;
  m->participant = f->participant;
  return m->err;
}

static bool from_device(sv_txn *t, const filter *f, const sv_audit_event *e) {
  sv_device d;
  return e->has_device && !sv_device_get(t, &e->device, &d) && ov_name_equal(&d.record, &f->device);
}

static bool fits(sv_txn *t, const filter *f, const sv_audit_event *e) {
  if (e->time_ms < f->from_ms || e->time_ms >= f->to_ms) return false;
  if (f->type && strcmp(f->type, sv_audit_type_name(e->type)) != 0) return false;
  if (f->role && strcmp(f->role, sv_role_name(e->role)) != 0) return false;
  if (f->has_participant && !(e->has_participant && ov_name_equal(&e->participant, &f->participant)))
    return false;
  if (f->has_person && !(e->has_person && ov_name_equal(&e->person, &f->person))) return false;
  return !f->has_device || from_device(t, f, e);
}

/* -- a line for people ----------------------------------------------------------------------------------- */

static json_t *label_json(adm *m, sv_txn *t, const ov_name *record) {
  char label[OV_LABEL_BYTES_MAX + 1];
  find_label_of(m, t, record, label, sizeof label);
  return *label ? adm_text_json(label, strlen(label)) : adm_name_json(record);
}

static json_t *who_json(adm *m, sv_txn *t, const sv_audit_event *e) {
  sv_device d;
  if (e->has_person) return label_json(m, t, &e->person);
  if (*e->user) return adm_text_json(e->user, strlen(e->user));
  if (e->has_device && !sv_device_get(t, &e->device, &d)) return label_json(m, t, &d.record);
  return e->has_device ? adm_id_json(&e->device) : json_string("the server");
}

static json_t *brief_json(adm *m, sv_txn *t, const sv_audit_event *e) {
  static const char *const actions[] = {
      ['C'] = "create", ['R'] = "read", ['U'] = "change", ['D'] = "delete", ['E'] = "execute"};
  const char *action = (unsigned char)e->action < sizeof actions / sizeof *actions ? actions[(int)e->action]
                                                                                   : NULL;
  const ov_skind *k = e->kind ? ov_schemas_kind(m->h->schemas, e->kind) : NULL;
  return json_pack("{s:I, s:o, s:s, s:s, s:s, s:o, s:s, s:o, s:s, s:o}", "line", (json_int_t)e->seq, "time",
                   adm_time_json(e->time_ms), "type", sv_audit_type_name(e->type), "action",
                   action ? action : "?", "outcome", sv_audit_outcome_name(e->outcome), "who",
                   who_json(m, t, e), "role", e->role ? sv_role_name(e->role) : "", "participant",
                   e->has_participant ? label_json(m, t, &e->participant) : json_string(""), "kind",
                   k ? k->name : "", "detail", adm_text_json(e->detail, strlen(e->detail)));
}

/* In words: to which purposes the client's consent was valid then. */
static json_t *consent_json(const sv_audit_event *e) {
  static const char *const purposes[] = {"", "log", "network_review", "research", "story"};
  if (!e->consent) return json_null();
  json_t *v = json_array();
  for (unsigned p = 1; p <= SV_PURPOSE_STORY; p++) {
    if (e->consent & 1u << p) json_array_append_new(v, json_string(purposes[p]));
  }
  return v;
}

static json_t *name_or_null(bool has, const ov_name *n) { return has ? adm_name_json(n) : json_null(); }

/* Every field, under the names of NEN 7513 where it has one. */
static json_t *full_json(adm *m, sv_txn *t, const sv_org *org, const sv_audit_event *e) {
  json_t *o = brief_json(m, t, e);
  char action[2] = {e->action, 0};
  json_t *more = json_pack(
      "{s:I, s:s, s:o, s:o, s:o, s:b, s:s, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:o, s:b, s:o, s:o, s:o}",
      "event_id", (json_int_t)e->seq, "event_action_code", action, "claimed_time",
      e->claim_ms ? adm_time_json(e->claim_ms) : json_null(), "user_id",
      name_or_null(e->has_person, &e->person), "alternate_user_id", adm_text_json(e->user, strlen(e->user)),
      "user_is_requestor", e->requestor, "purpose_of_use", sv_audit_purpose_name(e->purpose),
      "network_access_point_id", e->has_device ? adm_id_json(&e->device) : json_null(),
      "network_access_point", e->address, "participant_id", name_or_null(e->has_participant, &e->participant),
      "object_id", name_or_null(e->has_object, &e->object), "object_kind", (json_int_t)e->kind,
      "object_count", (json_int_t)e->count, "treatment_relation_team", (json_int_t)e->team, "consent_profile",
      consent_json(e), "emergency", e->emergency, "export_id",
      e->has_export ? adm_id_json(&e->export_id) : json_null(), "audit_enterprise_site_id",
      adm_id_json(&org->id), "audit_source_id", adm_id_json(&e->source));
  json_object_update_missing(o, more);
  json_decref(more);
  more = adm_audit_codes(e);
  json_object_update_missing(o, more);
  json_decref(more);
  return o;
}

/* -- the walk -------------------------------------------------------------------------------------------- */

typedef struct walk {
  adm *m;
  sv_org *org;
  filter f;
  bool full;
  uint64_t after, shown, limit;
  bool more;
} walk;

/* One page of lines behind w->after: of a participant by their own index, else all. */
static int next_page(walk *w, sv_txn *t, uint64_t seqs[PAGE], uint32_t *n) {
  if (w->f.has_participant) return sv_audit_of(t, &w->f.participant, w->after, seqs, PAGE, n);
  uint64_t at = w->after;
  int err = 0;
  for (*n = 0; *n < PAGE && !(err = sv_audit_next(t, at, &at)); (*n)++) seqs[*n] = at;
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int show_page(walk *w, sv_txn *t, const uint64_t *seqs, uint32_t n) {
  adm *m = w->m;
  for (uint32_t i = 0; i < n && !m->err; i++) {
    sv_audit_event e;
    int err = sv_audit_get(t, seqs[i], &e);
    if (err) return adm_failed(m, err, "reading the audit");
    w->after = seqs[i];
    if (!fits(t, &w->f, &e)) continue;
    if (w->limit && w->shown == w->limit) {
      w->more = true;
      return 0;
    }
    w->shown++;
    if (w->full) adm_stream(m, full_json(m, t, w->org, &e));
    else adm_item(m, brief_json(m, t, &e));
  }
  return m->err;
}

static int walk_all(walk *w) {
  adm *m = w->m;
  uint64_t seqs[PAGE];
  uint32_t n = PAGE;
  while (n == PAGE && !w->more && !m->err) {
    sv_txn *t = adm_read(m, w->org);
    if (!t) return m->err;
    int err = next_page(w, t, seqs, &n);
    if (err) adm_failed(m, err, "reading the audit");
    else show_page(w, t, seqs, n);
    sv_txn_abort(t);
  }
  return m->err;
}

static int read_audit(adm *m, bool full) {
  sv_org *org = find_org(m);
  walk w = {
      .m = m, .org = org, .full = full, .limit = full ? 0 : (uint64_t)arg_int(m, "limit", SHOWN_DEFAULT)};
  if (!org || read_filter(m, org, &w.f)) return m->err;
  int err = adm_audit(m, NULL, 0); /* before anything of it is shown */
  if (err) return adm_failed(m, err, "writing to the audit");
  if (walk_all(&w)) return m->err;
  if (w.more) adm_note(m, "there are more: raise --limit, or give --from and --to");
  adm_set(m, "lines", json_integer((json_int_t)w.shown));
  return m->err;
}

int cmd_audit_list(adm *m) { return read_audit(m, false); }
int cmd_audit_export(adm *m) { return read_audit(m, true); }

/* -- verify and cut -------------------------------------------------------------------------------------- */

int adm_audit_verify(adm *m, sv_org *org, sv_audit_check *c) {
  *c = (sv_audit_check){.lines = 0};
  while (!c->done && !m->err) {
    sv_txn *t = adm_read(m, org);
    int err = t ? sv_audit_verify(t, org, c, ADM_PAGE) : m->err;
    sv_txn_abort(t);
    if (err && !m->err) adm_failed(m, err, "reading the audit");
    adm_progress(m, "audit", c->lines, 0);
  }
  return m->err;
}

int cmd_audit_verify(adm *m) {
  sv_audit_check c;
  sv_org *org = find_org(m);
  if (!org || adm_audit_verify(m, org, &c)) return m->err;
  adm_set(m, "lines", json_integer((json_int_t)c.lines));
  adm_set(m, "last", json_integer((json_int_t)c.at.seq));
  adm_set(m, "hash", adm_hex_json(c.at.head.b, OV_HASH_BYTES));
  if (!c.bad) return m->err;
  return adm_fail(m, OV_E_CORRUPT, "compare with an earlier backup", "line %" PRIu64 ": %s", c.bad, c.why);
}

typedef struct cut_job {
  sv_org *org;
  int64_t before_ms;
  uint32_t n;
} cut_job;

static int cut_page(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  cut_job *j = arg;
  (void)a;
  (void)touches;
  return sv_audit_cut(t, j->org, j->before_ms, ADM_PAGE, &j->n);
}

int cmd_audit_cut(adm *m) {
  sv_org *org = find_org(m);
  int64_t years = arg_int(m, "years", 0);
  if (!org) return m->err;
  if (years < SV_AUDIT_YEARS_MIN || years > 100)
    return adm_fail(m, OV_E_INVALID, NULL, "lines are kept for at least %d years", SV_AUDIT_YEARS_MIN);
  cut_job j = {.org = org, .before_ms = adm_now_ms(m) - years * (365 * DAY_MS + DAY_MS / 4), .n = ADM_PAGE};
  uint64_t cut = 0;
  while (j.n == ADM_PAGE && !m->err) {
    int err = m->h->write(m->h->ctx, org, cut_page, &j);
    if (err) return adm_failed(m, err, "cutting the audit");
    cut += j.n;
  }
  adm_set(m, "cut", json_integer((json_int_t)cut));
  return m->err;
}
