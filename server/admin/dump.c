/* Everything as JSON lines for people: records as they are now, then every op. A page is read, its
 * transaction ended, then sent: no transaction lives across a write to a slow reader. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_priv.h"

typedef struct dump {
  adm *m;
  sv_org *org;
  sv_txn *t;
  bool payload;
  walk_limit limit;
  uint64_t lines, total, unreadable;
} dump;

static json_t *labelled(dump *d, const ov_name *name) {
  char label[OV_LABEL_BYTES_MAX + 1];
  json_t *j = json_pack("{s:o}", "record", adm_name_json(name));
  find_label_of(d->m, d->t, name, label, sizeof label);
  if (*label && d->payload) json_object_set_new(j, "label", adm_text_json(label, strlen(label)));
  return j;
}

static void set_kind(dump *d, json_t *j, uint16_t kind) {
  const ov_skind *k = ov_schemas_kind(d->m->h->schemas, kind);
  json_object_set_new(j, "kind", k ? json_string(k->name) : json_integer(kind));
}

static json_t *head_of(dump *d, const char *type, const char *key, const ov_name *name) {
  return json_pack("{s:s, s:o, s:o}", "type", type, "organisation",
                   adm_text_json(d->org->name, strlen(d->org->name)), key, adm_name_json(name));
}

static json_t *record_json(dump *d, const ov_name *name) {
  sv_record_row row;
  json_t *j = head_of(d, "record", "record", name), *places = json_array();
  if (sv_record_get(d->t, name, &d->m->a, &row)) {
    d->unreadable++;
    json_decref(places);
    json_object_set_new(j, "unreadable", json_true());
    return j;
  }
  const ov_record *r = &row.rec;
  set_kind(d, j, r->kind);
  json_object_set_new(j, "scope", json_integer(r->scope));
  if (r->has_participant) json_object_set_new(j, "participant", labelled(d, &r->participant));
  json_object_set_new(j, "changed", adm_time_json(row.changed * 1000));
  json_object_set_new(j, "conflicts", json_integer(row.erased ? 0 : ov_record_conflicts(r)));
  json_object_set_new(j, "held", json_integer(r->n_held));
  for (uint32_t i = 0; i < row.n_places; i++)
    json_array_append_new(places, json_integer(row.places[i].scope));
  json_object_set_new(j, "in_scopes", places);
  if (row.erased) json_object_set_new(j, "erased", json_true());
  else if (d->payload)
    json_object_set_new(j, "fields",
                        value_record_json(d->m, d->t, ov_schemas_kind(d->m->h->schemas, r->kind), r));
  return j;
}

static json_t *receipts_json(const sv_op_row *row) {
  static const char *const words[] = {"waiting", "applied", "held", "dismissed", "void", "erased"};
  json_t *list = json_array();
  for (uint32_t i = 0; i < row->n_receipts; i++) {
    const sv_receipt *r = &row->receipts[i];
    json_t *j = json_pack("{s:o, s:o, s:I, s:s}", "server", adm_id_json(&r->server), "at",
                          adm_time_json(r->server_time_ms), "offset_ms", (json_int_t)r->offset_ms, "verdict",
                          r->verdict <= OV_ERASED ? words[r->verdict] : "unknown");
    if (r->reason) json_object_set_new(j, "reason", json_string(ov_held_text_en(r->reason)));
    json_array_append_new(list, j);
  }
  return list;
}

static void set_payload(dump *d, json_t *j, const ov_op *op) {
  json_t *replaces = json_array();
  for (uint32_t i = 0; i < op->n_replaces; i++)
    json_array_append_new(replaces, adm_name_json(&op->replaces[i]));
  json_object_set_new(
      j, "fields",
      value_fields_json(d->m, d->t, ov_schemas_kind(d->m->h->schemas, op->kind), op->fields, op->n_fields));
  json_object_set_new(j, "replaces", replaces);
}

static json_t *op_json(dump *d, const ov_name *name) {
  sv_op_row row;
  json_t *j = head_of(d, "op", "op", name);
  if (sv_op_get(d->t, name, &d->m->a, &row)) {
    d->unreadable++;
    json_object_set_new(j, "unreadable", json_true());
    return j;
  }
  const ov_op *op = &row.op;
  json_object_set_new(j, "head", adm_hex_json(row.head.b, OV_HASH_BYTES));
  json_object_set_new(j, "receipts", receipts_json(&row));
  if (!ov_id_is_zero(&row.device)) json_object_set_new(j, "device", adm_id_json(&row.device));
  if (row.waiting) json_object_set_new(j, "waiting", json_true());
  if (op->is_void) {
    json_object_set_new(j, "void", json_true());
    return j;
  }
  set_kind(d, j, op->kind);
  json_object_set_new(j, "record", adm_name_json(&op->record));
  json_object_set_new(j, "creates", json_boolean(op->creates));
  json_object_set_new(j, "scope", json_integer(op->scope));
  json_object_set_new(j, "version", json_integer(op->version));
  if (op->has_participant) json_object_set_new(j, "participant", labelled(d, &op->participant));
  if (op->has_author) json_object_set_new(j, "author", labelled(d, &op->author));
  json_object_set_new(j, "device_time", adm_time_json(op->device_time * 1000));
  if (row.erased) json_object_set_new(j, "erased", json_true());
  else if (d->payload && !op->has_commitment) set_payload(d, j, op);
  return j;
}

/* -- pages ------------------------------------------------------------------------------- */

typedef int (*next_fn)(sv_txn *t, const ov_name *after, ov_name *out);

/* Up to a page of lines. A damaged row ends the page; the next one goes on behind it. */
static uint32_t read_page(dump *d, next_fn next, json_t *(*line)(dump *, const ov_name *), ov_name *at,
                          bool *started, bool *more, json_t *page[ADM_PAGE]) {
  uint32_t n = 0;
  d->t = adm_read(d->m, d->org);
  *more = d->t != NULL;
  while (*more && n < ADM_PAGE && !sv_txn_error(d->t)) {
    int err = next(d->t, *started ? at : NULL, at);
    *more = !err;
    if (err && err != OV_E_NOTFOUND) adm_failed(d->m, err, "the table cannot be walked");
    if (err) break;
    *started = true;
    if (!walk_within(d->t, &d->limit, at)) continue;
    page[n++] = line(d, at);
  }
  sv_txn_abort(d->t);
  ov_arena_reset(&d->m->a);
  return n;
}

static int walk(dump *d, next_fn next, json_t *(*line)(dump *, const ov_name *)) {
  json_t *page[ADM_PAGE];
  ov_name at;
  bool started = false, more = true;
  d->limit.set = false;
  while (more && !d->m->err) {
    uint32_t n = read_page(d, next, line, &at, &started, &more, page);
    for (uint32_t i = 0; i < n; i++) adm_stream(d->m, page[i]);
    d->lines += n;
    adm_progress(d->m, d->org->name, d->lines, d->total);
  }
  return d->m->err;
}

static int dump_org(adm *m, sv_org *org, uint64_t *lines) {
  const char *only = arg_text(m, "only");
  sv_env_stats st;
  dump d = {.m = m, .org = org, .payload = !arg_flag(m, "no_payload")};
  bool ops = !only || !strcmp(only, "ops"), records = !only || !strcmp(only, "records");
  adm_audit_org(m, org);
  sv_env_stats_get(org->env, &st);
  d.total = (ops ? st.ops : 0) + (records ? st.records : 0);
  adm_stream(m, json_pack("{s:s, s:o, s:o, s:s, s:o}", "type", "organisation", "organisation",
                          adm_text_json(org->name, strlen(org->name)), "id", adm_id_json(&org->id), "zone",
                          org->zone, "at", adm_time_json(adm_now_ms(m))));
  if (records) walk(&d, sv_record_next, record_json);
  if (ops && !m->err) walk(&d, sv_op_next, op_json);
  if (d.unreadable)
    adm_note(m, "%s: %llu rows cannot be read: run verify", org->name, (unsigned long long)d.unreadable);
  *lines += d.lines + 1;
  return m->err;
}

int cmd_dump(adm *m) {
  uint64_t lines = 0;
  const char *only = arg_text(m, "only");
  sv_org *o;
  if (only && strcmp(only, "ops") && strcmp(only, "records"))
    return adm_fail(m, OV_E_INVALID, NULL, "--only takes ops or records");
  if (arg_text(m, "organisation")) {
    o = find_org(m);
    if (!o || dump_org(m, o, &lines)) return m->err;
  } else {
    if (dump_org(m, m->h->programme, &lines)) return m->err;
    for (unsigned i = 0; (o = m->h->org_at(m->h->ctx, i)); i++) {
      if (dump_org(m, o, &lines)) return m->err;
    }
  }
  adm_set(m, "lines", json_integer((json_int_t)lines));
  if (!arg_flag(m, "no_payload")) {
    adm_note(m, "this dump holds personal data of clients and staff, in the clear: keep it encrypted, and "
                "delete it when it has served");
  }
  return m->err;
}
