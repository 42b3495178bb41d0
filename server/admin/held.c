/* Held ops: an administrator looks, and admits or dismisses. Nothing is ever deleted by it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "admin_priv.h"

/* -- one held op for people -------------------------------------------------------------- */

static void set_label(json_t *j, const char *key, const char *label) {
  if (*label) json_object_set_new(j, key, adm_text_json(label, strlen(label)));
}

/* The exact text where a value is at fault, else the general one of the reason. */
static void set_reason(adm *m, json_t *j, const ov_op *op, uint8_t reason) {
  ov_problem why;
  bool exact = ov_schema_check_op(m->h->schemas, op, &why) == reason;
  const char *en = exact ? why.text_en : ov_held_text_en(reason),
             *nl = exact ? why.text_nl : ov_held_text_nl(reason);
  json_object_set_new(j, "reason", adm_text_json(en, strlen(en)));
  json_object_set_new(j, "reason_nl", adm_text_json(nl, strlen(nl)));
}

static void set_who(adm *m, sv_txn *t, json_t *j, const sv_op_row *row) {
  char label[OV_LABEL_BYTES_MAX + 1] = "";
  sv_device d;
  if (row->op.has_author) find_label_of(m, t, &row->op.author, label, sizeof label);
  set_label(j, "author", label);
  *label = 0;
  if (!sv_device_get(t, &row->device, &d)) find_label_of(m, t, &d.record, label, sizeof label);
  set_label(j, "device", label);
  *label = 0;
  if (row->op.has_participant) find_label_of(m, t, &row->op.participant, label, sizeof label);
  set_label(j, "participant", label);
  if (row->op.scope >= 2) {
    find_team_label(m, t, row->op.scope, label, sizeof label);
    set_label(j, "team", label);
  }
}

static json_t *labelled_fields(adm *m, sv_txn *t, const ov_skind *k, const ov_op *op) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < op->n_fields; i++) {
    const ov_sfield *f = NULL;
    for (uint32_t x = 0; k && x < k->n_fields; x++) {
      if (k->fields[x].id == op->fields[i].id) f = &k->fields[x];
    }
    char name[32];
    snprintf(name, sizeof name, "field %u", op->fields[i].id);
    bool retracts = op->fields[i].id == OV_FIELD_RETRACTED;
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "field",
                                          f          ? f->name
                                          : retracts ? "retracted"
                                                     : name,
                                          "name",
                                          f          ? f->en
                                          : retracts ? "Entered in error"
                                                     : name,
                                          "name_nl",
                                          f          ? f->nl
                                          : retracts ? "Per ongeluk ingevoerd"
                                                     : name,
                                          "value", value_json(m, t, f, &op->fields[i].v)));
  }
  return list;
}

static json_t *held_json(adm *m, sv_txn *t, const sv_op_row *row, uint8_t reason) {
  const ov_skind *k = ov_schemas_kind(m->h->schemas, row->op.kind);
  char kind[24];
  snprintf(kind, sizeof kind, "kind %u", row->op.kind);
  json_t *j = json_pack("{s:o, s:s, s:o, s:s, s:s, s:o}", "op", adm_name_json(&row->op.name), "kind",
                        k ? k->name : kind, "record", adm_name_json(&row->op.record), "what",
                        row->op.creates ? "creates" : "changes", "verdict", "held", "when",
                        adm_time_json(row->op.device_time * 1000));
  if (row->n_receipts) json_object_set_new(j, "received", adm_time_json(row->receipts[0].server_time_ms));
  set_who(m, t, j, row);
  set_reason(m, j, &row->op, reason);
  json_object_set_new(j, "fields", labelled_fields(m, t, k, &row->op));
  return j;
}

/* -- the list ---------------------------------------------------------------------------- */

/* A page in one read transaction; false at the end. */
static bool list_page(adm *m, sv_org *org, ov_name *after, bool *started, int64_t *left) {
  sv_txn *t = adm_read(m, org);
  uint32_t n = 0;
  bool more = false;
  for (; t && n<ADM_PAGE && * left> 0; n++) {
    sv_op_row row;
    ov_verdict v;
    uint8_t reason = 0;
    int err = sv_held_next(t, *started ? after : NULL, after);
    more = !err;
    if (err == OV_E_NOTFOUND) break;
    *started = true;
    if (!err) err = sv_op_get(t, after, &m->a, &row);
    if (!err) err = sv_verdict(t, &row, &m->a, &v, &reason);
    if (err) {
      adm_failed(m, err, "a held op cannot be read");
      break;
    }
    if (v != OV_HELD) continue;
    adm_item(m, held_json(m, t, &row, reason));
    adm_shows_of(m, row.op.has_participant ? &row.op.participant : NULL);
    (*left)--;
  }
  sv_txn_abort(t);
  return more && !m->err && *left > 0;
}

int cmd_held_list(adm *m) {
  ov_name at;
  bool started = false;
  int64_t left = arg_int(m, "limit", 200);
  sv_org *org = find_org(m);
  if (!org) return m->err;
  if (left < 1 || left > 10000) return adm_fail(m, OV_E_INVALID, NULL, "--limit takes 1 to 10000");
  while (list_page(m, org, &at, &started, &left)) {}
  if (!m->items && !m->err) adm_note(m, "nothing is held");
  if (!left) adm_note(m, "there may be more: raise --limit");
  return m->err;
}

/* -- ruling ------------------------------------------------------------------------------ */

typedef struct rule_job {
  sv_org *org;
  ov_name target;
  int verdict;
  const char *reason;
  const ov_name *author;
} rule_job;

static int rule_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  rule_job *j = arg;
  return sv_ingest_ruling(t, j->org, &j->target, j->verdict, j->reason, j->author, a, touches);
}

/* A full name, or what is unique among the held: its start, its SEQ-TAG, or its tag. */
static int find_held(adm *m, sv_org *org, const char *text, ov_name *out) {
  ov_name at;
  bool started = false;
  unsigned found = 0;
  if (!ov_name_parse(text, out)) return 0;
  if (strlen(text) < 3)
    return adm_fail(m, OV_E_INVALID, NULL, "\"%.80s\" is too short for the name of an op", text);
  sv_txn *t = adm_read(m, org);
  while (t && !sv_held_next(t, started ? &at : NULL, &at)) {
    char full[OV_NAME_TEXT_MAX];
    started = true;
    ov_name_text(&at, full);
    const char *brief = full + 2 * OV_ID_BYTES + 1, *tag = strrchr(full, '-') + 1;
    size_t n = strlen(text);
    if (strncasecmp(full, text, n) && strncasecmp(brief, text, n) && strncasecmp(tag, text, n)) continue;
    *out = at;
    found++;
  }
  sv_txn_abort(t);
  if (m->err || found == 1) return m->err;
  return found ? adm_fail(m, OV_E_INVALID, "type more of it", "\"%.80s\" fits %u held ops", text, found)
               : adm_fail(m, OV_E_NOTFOUND, "`overdracht-admin held list` shows them",
                          "no held op is called \"%.80s\"", text);
}

/* The audit tells about which record and whom the op is. */
static void note_op(adm *m, sv_org *org, const ov_name *op) {
  sv_op_row row;
  sv_txn *t = adm_read(m, org);
  if (t && !sv_op_get(t, op, &m->a, &row)) {
    adm_about(m, &row.op.record);
    if (row.op.has_participant) {
      m->names_participant = true;
      m->participant = row.op.participant;
    }
  }
  sv_txn_abort(t);
}

static int rule(adm *m, int verdict) {
  ov_name author;
  const ov_skind *person = find_kind(m, "person");
  rule_job j = {.org = find_org(m), .verdict = verdict, .reason = arg_text(m, "reason")};
  if (!j.org || !person || find_held(m, j.org, arg_text(m, "op"), &j.target)) return m->err;
  note_op(m, j.org, &j.target);
  if (strlen(j.reason) > 500) return adm_fail(m, OV_E_INVALID, NULL, "the reason is longer than 500 bytes");
  if (arg_text(m, "by")) {
    if (find_record(m, j.org, person, arg_text(m, "by"), &author)) return m->err;
    j.author = &author;
  }
  int err = m->h->write(m->h->ctx, j.org, rule_work, &j);
  if (err == OV_E_NOTFOUND) return adm_fail(m, err, NULL, "there is no such op here");
  if (err == OV_E_INVALID) {
    return adm_fail(m, err, NULL,
                    "there is nothing to rule on: the op was never held, is still waiting, or its "
                    "participant was erased");
  }
  if (err == OV_E_LIMIT)
    return adm_fail(m, err, NULL, "this op was ruled on %u times: that is enough", SV_RULINGS_MAX);
  if (err) return adm_failed(m, err, "ruling");
  adm_set(m, "op", adm_name_json(&j.target));
  adm_set_text(m, "verdict", verdict == SV_RULING_ADMIT ? "admitted" : "dismissed");
  return m->err;
}

int cmd_held_admit(adm *m) { return rule(m, SV_RULING_ADMIT); }
int cmd_held_dismiss(adm *m) { return rule(m, SV_RULING_DISMISS); }
