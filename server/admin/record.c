/* Records of any kind: reference data of the programme (technologies, care questions, theme networks) and
 * what has no command of its own. */
#include <stdio.h>
#include <string.h>

#include "admin_priv.h"

#define LIST_DEFAULT 1000

/* Kinds whose creation needs more than values. */
static const char *own_command(uint16_t kind) {
  switch (kind) {
  case OV_KIND_ORGANISATION: return "organisation add";
  case OV_KIND_TEAM: return "team add";
  case OV_KIND_DEVICE: return "device add";
  case OV_KIND_PARTICIPANT: return "participant add";
  case OV_KIND_RULING: return "held admit";
  case OV_KIND_SCHEMA: return "schema check";
  case OV_KIND_ERASURE: return "erase";
  default: return NULL;
  }
}

/* A device's own word: nobody can say it for the device. */
static bool told_by_devices(uint16_t kind) { return kind == OV_KIND_PURGE || kind == OV_KIND_LOOK; }

static const char *edit_command(uint16_t kind) {
  switch (kind) {
  case OV_KIND_ORGANISATION: return "organisation edit";
  case OV_KIND_TEAM: return "team edit";
  case OV_KIND_DEVICE: return "device edit or device revoke";
  case OV_KIND_RULING: return "held admit or held dismiss";
  case OV_KIND_SCHEMA: return "schema check";
  default: return NULL;
  }
}

/* An edit of a tombstone would neither bring anything back nor erase anything, and say so on every tablet. */
static int may_change(adm *m, const ov_skind *k) {
  const char *own = edit_command(k->id);
  if (own) return adm_fail(m, OV_E_INVALID, NULL, "a %s is changed with: overdracht-admin %s", k->name, own);
  if (k->id == OV_KIND_ERASURE || told_by_devices(k->id))
    return adm_fail(m, OV_E_INVALID, NULL, "a record of kind %s is never changed", k->name);
  return 0;
}

/* Where records of this kind are kept. The programme's need no organisation to be named. */
static sv_org *home_of(adm *m, const ov_skind *k) { return k->scope == 0 ? m->h->programme : find_org(m); }

static int assign_all(adm *m, adm_draft *d) {
  for (size_t i = 0; i < arg_count(m, "fields"); i++) {
    if (value_assign(m, d, arg_at(m, "fields", i))) return m->err;
  }
  return 0;
}

/* A record of a team lies with its participant, or in the team that is named. */
static int choose_scope(adm *m, adm_draft *d) {
  const char *participant = arg_text(m, "participant"), *team = arg_text(m, "team");
  const ov_skind *pk = find_kind(m, "participant");
  if (!pk) return m->err;
  d->scope = d->k->scope;
  if (participant && d->k->participant == OV_P_NONE) {
    return adm_fail(m, OV_E_INVALID, NULL, "a %s is not about a participant", d->k->name);
  }
  if (!participant && d->k->participant == OV_P_REQUIRED) {
    return adm_fail(m, OV_E_INVALID, NULL, "a %s is about a participant: --participant LABEL", d->k->name);
  }
  if (participant) {
    sv_record_row row;
    uint32_t teams[OV_SCOPES_MAX], n;
    if (find_record(m, d->org, pk, participant, &d->participant)) return m->err;
    d->has_participant = true;
    sv_txn *t = adm_read(m, d->org);
    if (t && !adm_record(m, t, &d->participant, &row)) {
      n = sv_record_teams(&row.rec, SV_PARTICIPANT_TEAMS, teams);
      if (d->k->scope == 2) d->scope = n ? teams[0] : row.rec.scope;
    }
    sv_txn_abort(t);
  }
  if (team && d->k->scope != 2) return adm_fail(m, OV_E_INVALID, NULL, "a %s belongs to no team", d->k->name);
  if (team) return find_team(m, d->org, team, &d->scope);
  if (d->k->scope == 2 && !participant)
    return adm_fail(m, OV_E_INVALID, NULL, "a %s belongs to a team: --team NAME", d->k->name);
  return m->err;
}

/* A natural key says which records are doubles; on tablets they are shown so, here they are refused. */
static int key_free(adm *m, adm_draft *d) {
  ov_name *names;
  uint32_t n = 0;
  const adm_field *f = NULL;
  if (d->k->n_natural_key != 1) return 0;
  for (uint32_t i = 0; i < d->n; i++) {
    if (d->fields[i].f->id == d->k->natural_key[0]) f = &d->fields[i];
  }
  sv_txn *t = f && f->v.type == OV_V_INT ? adm_read(m, d->org) : NULL;
  if (!t) return m->err;
  int err = find_all(m, t, d->k->id, &names, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    err = adm_record(m, t, &names[i], &row);
    if (err || !record_is_live(&row.rec) || record_int(&row.rec, f->f->id, INT64_MIN) != f->v.i) continue;
    err = adm_fail(m, OV_E_EXISTS, "edit that one instead: overdracht-admin record edit",
                   "there is a %s with %s=%lld already", d->k->name, f->f->name, (long long)f->v.i);
  }
  sv_txn_abort(t);
  return err;
}

int cmd_record_add(adm *m) {
  ov_name name;
  adm_draft d = {.k = find_kind(m, arg_text(m, "kind"))};
  if (!d.k) return m->err;
  const char *own = own_command(d.k->id);
  if (own) return adm_fail(m, OV_E_INVALID, NULL, "a %s is made with: overdracht-admin %s", d.k->name, own);
  if (told_by_devices(d.k->id))
    return adm_fail(m, OV_E_INVALID, NULL, "a %s is not made here: each device tells it itself", d.k->name);
  d.org = home_of(m, d.k);
  if (!d.org || assign_all(m, &d) || choose_scope(m, &d)) return m->err;
  if (!arg_flag(m, "double") && (draft_label_free(m, &d, NULL) || key_free(m, &d))) return m->err;
  if (draft_create(m, &d, &name)) return m->err;
  adm_set_text(m, "kind", d.k->name);
  adm_set(m, "record", adm_name_json(&name));
  return m->err;
}

/* The record that the request names: by name alone, or by label with its kind. True: all three are set. */
static bool find_named(adm *m, sv_org **org, const ov_skind **k, ov_name *name) {
  sv_record_row row;
  const char *kind = arg_text(m, "kind"), *text = arg_text(m, "record");
  *org = NULL;
  *k = NULL;
  if (kind) {
    *k = find_kind(m, kind);
    *org = *k ? home_of(m, *k) : NULL;
    return *org && !find_record(m, *org, *k, text, name);
  }
  *org = find_org(m);
  if (!*org || find_any(m, *org, text, name)) return false;
  sv_txn *t = adm_read(m, *org);
  if (!t) return false;
  int err = adm_record(m, t, name, &row);
  sv_txn_abort(t);
  if (err) {
    adm_fail(m, err, NULL, "the record is not here any more");
    return false;
  }
  *k = ov_schemas_kind(m->h->schemas, row.rec.kind);
  if (!*k)
    adm_fail(m, OV_E_NOTFOUND, NULL, "the record is of kind %u, which has no schema here", row.rec.kind);
  return *k != NULL;
}

int cmd_record_edit(adm *m) {
  ov_name name;
  adm_draft d = {0};
  if (!find_named(m, &d.org, &d.k, &name)) return m->err;
  if (may_change(m, d.k) || assign_all(m, &d)) return m->err;
  for (uint32_t i = 0; i < d.n; i++) {
    if (d.fields[i].f->type == OV_F_BYTES)
      return adm_fail(m, OV_E_DENIED, NULL, "%s is made by the server and never changed",
                      d.fields[i].f->name);
  }
  return draft_change(m, &d, &name);
}

int cmd_record_retract(adm *m) {
  ov_name name;
  adm_draft d = {0};
  const char *reason = arg_text(m, "reason");
  bool undo = arg_flag(m, "undo");
  if (!reason == !undo) return adm_fail(m, OV_E_INVALID, NULL, "give either --reason TEXT or --undo");
  if (reason && strlen(reason) > OV_RETRACTION_BYTES_MAX) {
    return adm_fail(m, OV_E_INVALID, NULL, "the reason is longer than %u bytes", OV_RETRACTION_BYTES_MAX);
  }
  if (!find_named(m, &d.org, &d.k, &name)) return m->err;
  if (may_change(m, d.k)) return m->err;
  d.retract = reason ? reason : "";
  return draft_change(m, &d, &name);
}

/* -- looking ----------------------------------------------------------------------------- */

int adm_day(adm *m, const char *arg, int64_t otherwise, int64_t *day) {
  ov_value v;
  const ov_sfield f = {.name = arg, .en = "the day", .type = OV_F_DATE};
  const ov_skind k = {.name = "list"};
  const char *text = arg_text(m, arg);
  *day = otherwise;
  if (!text) return 0;
  int err = value_parse(m, m->h->programme, &k, &f, text, &v);
  if (!err) *day = v.i;
  return err;
}

static const char *state_of(const ov_record *r) {
  ov_retract_state s = ov_record_retracted(r);
  return s == OV_RETRACTED        ? "retracted"
         : ov_record_conflicts(r) ? "conflict"
         : !r->created            ? "incomplete"
                                  : "live";
}

static json_t *item(adm *m, sv_txn *t, const ov_skind *k, const sv_record_row *row, bool fields) {
  char label[OV_LABEL_BYTES_MAX + 1], about[OV_LABEL_BYTES_MAX + 1] = "";
  find_label(m, &row->rec, label, sizeof label);
  if (row->rec.has_participant && row->rec.kind != OV_KIND_PARTICIPANT)
    find_label_of(m, t, &row->rec.participant, about, sizeof about);
  json_t *j = json_pack("{s:o, s:s, s:o, s:o, s:s, s:I, s:o}", "record", adm_name_json(&row->rec.name),
                        "kind", k ? k->name : "unknown", "label", adm_text_json(label, strlen(label)),
                        "participant", adm_text_json(about, strlen(about)), "state",
                        row->erased ? "erased" : state_of(&row->rec), "held", (json_int_t)row->rec.n_held,
                        "changed", adm_time_json(row->changed * 1000));
  if (k && k->windowed) {
    const ov_sfield day = {.type = OV_F_DATE};
    ov_value v = ov_int(row->day);
    json_object_set_new(j, "day", value_json(m, t, &day, &v));
  }
  if (fields && !row->erased) json_object_set_new(j, "fields", value_record_json(m, t, k, &row->rec));
  return j;
}

int cmd_record_list(adm *m) {
  int64_t from, to, limit = arg_int(m, "limit", LIST_DEFAULT);
  ov_name *names, about = {.seq = 0};
  uint32_t n = 0;
  const ov_skind *k = find_kind(m, arg_text(m, "kind"));
  sv_org *org = k ? home_of(m, k) : NULL;
  if (!org || adm_day(m, "from", INT32_MIN, &from) || adm_day(m, "to", INT32_MAX, &to)) return m->err;
  if (arg_text(m, "participant") &&
      find_record(m, org, find_kind(m, "participant"), arg_text(m, "participant"), &about))
    return m->err;
  if (limit < 1 || limit > ADM_NAMES_MAX)
    return adm_fail(m, OV_E_INVALID, NULL, "--limit takes 1 to %u", ADM_NAMES_MAX);
  sv_txn *t = adm_read(m, org);
  if (!t) return m->err;
  int err = sv_by_kind_day(t, k->id, from, to, &m->a, &names, ADM_NAMES_MAX, &n);
  if (err) adm_failed(m, err, "reading records");
  int64_t shown = 0;
  for (uint32_t i = 0; !m->err && i < n; i++) {
    sv_record_row row;
    if (adm_record(m, t, &names[i], &row)) continue;
    if (about.seq && !ov_name_equal(&row.rec.participant, &about)) continue;
    if (shown++ == limit) {
      adm_note(m, "there are more: raise --limit, or give --from and --to");
      break;
    }
    adm_item(m, item(m, t, k, &row, arg_flag(m, "fields")));
    adm_shows(m, &row.rec);
  }
  sv_txn_abort(t);
  return m->err;
}

static json_t *op_json(adm *m, sv_txn *t, const ov_skind *k, const ov_name *name) {
  sv_op_row row;
  ov_verdict v = OV_WAITING;
  uint8_t reason = 0;
  char author[OV_LABEL_BYTES_MAX + 1] = "";
  static const char *const words[] = {"waiting", "applied", "held", "dismissed", "void", "erased"};
  json_t *j = json_pack("{s:o}", "op", adm_name_json(name));
  if (sv_op_get(t, name, &m->a, &row) || sv_verdict(t, &row, &m->a, &v, &reason)) {
    json_object_set_new(j, "verdict", json_string("unreadable: run verify"));
    return j;
  }
  json_object_set_new(j, "verdict", json_string(row.erased ? words[OV_ERASED] : words[v]));
  if (reason) json_object_set_new(j, "reason", json_string(ov_held_text_en(reason)));
  if (row.op.has_author) find_label_of(m, t, &row.op.author, author, sizeof author);
  if (*author) json_object_set_new(j, "author", adm_text_json(author, strlen(author)));
  if (!row.op.is_void) json_object_set_new(j, "device_time", adm_time_json(row.op.device_time * 1000));
  if (row.n_receipts) json_object_set_new(j, "received", adm_time_json(row.receipts[0].server_time_ms));
  if (!row.op.is_void && !row.erased)
    json_object_set_new(j, "fields", value_fields_json(m, t, k, row.op.fields, row.op.n_fields));
  return j;
}

int cmd_record_show(adm *m) {
  sv_org *org = NULL;
  const ov_skind *k = NULL;
  ov_name name, *ops;
  sv_record_row row;
  uint32_t n = 0;
  if (!find_named(m, &org, &k, &name)) return m->err;
  sv_txn *t = adm_read(m, org);
  if (!t) return m->err;
  if (!adm_record(m, t, &name, &row)) {
    json_t *j = item(m, t, k, &row, true), *places = json_array();
    for (uint32_t i = 0; i < row.n_places; i++) {
      json_array_append_new(places, json_pack("{s:I, s:I}", "scope", (json_int_t)row.places[i].scope,
                                              "position", (json_int_t)row.places[i].pos));
    }
    json_object_update(m->reply, j);
    json_decref(j);
    adm_set(m, "places", places);
    if (!sv_record_ops(t, &name, &m->a, &ops, &n)) {
      for (uint32_t i = 0; i < n; i++) adm_item(m, op_json(m, t, k, &ops[i]));
    }
  }
  sv_txn_abort(t);
  return m->err;
}
