/* Erasure of a participant on request, and how far each holder is with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "erase.h"
#include "sv_erasures.h"

/* -- what it would be -------------------------------------------------------------------- */

typedef struct tally {
  uint16_t kind;
  uint64_t records, ops;
} tally;

static void count_one(tally *v, uint32_t *n, uint16_t kind, uint32_t ops) {
  uint32_t i = 0;
  while (i < *n && v[i].kind != kind) i++;
  if (i == *n) {
    if (*n == OV_SCHEMA_KINDS_MAX) return;
    v[(*n)++] = (tally){.kind = kind};
  }
  v[i].records++;
  v[i].ops += ops;
}

static int count_record(adm *m, sv_txn *t, const ov_name *name, tally *v, uint32_t *n) {
  sv_record_row row;
  ov_name *ops;
  uint32_t k = 0;
  ov_arena a;
  ov_arena_init(&a, SV_LOOK_ARENA_BYTES_MAX);
  int err = sv_record_get(t, name, &a, &row);
  if (!err) err = sv_record_ops(t, name, &a, &ops, &k);
  if (!err) count_one(v, n, row.rec.kind, k);
  else if (err != OV_E_NOTFOUND) adm_failed(m, err, "reading records");
  ov_arena_free(&a);
  return m->err;
}

/* Page by page, each in a read transaction of its own. */
static int count_all(adm *m, sv_org *org, const ov_name *participant, tally *v, uint32_t *kinds) {
  ov_name page[ADM_PAGE], after;
  const ov_name *from = NULL;
  uint32_t n = ADM_PAGE;
  *kinds = 0;
  while (!m->err && n == ADM_PAGE) {
    sv_txn *t = adm_read(m, org);
    if (!t) return m->err;
    if (!from) count_record(m, t, participant, v, kinds);
    int err = sv_by_participant(t, participant, from, page, ADM_PAGE, &n);
    if (err) adm_failed(m, err, "reading records");
    for (uint32_t i = 0; !m->err && i < n; i++) count_record(m, t, &page[i], v, kinds);
    if (n) after = page[n - 1];
    from = &after;
    sv_txn_abort(t);
  }
  return m->err;
}

static int show_tally(adm *m, sv_org *org, const ov_name *participant) {
  tally v[OV_SCHEMA_KINDS_MAX];
  uint32_t n = 0;
  uint64_t records = 0, ops = 0;
  if (count_all(m, org, participant, v, &n)) return m->err;
  for (uint32_t i = 0; i < n; i++) {
    const ov_skind *k = ov_schemas_kind(m->h->schemas, v[i].kind);
    records += v[i].records;
    ops += v[i].ops;
    adm_item(m, json_pack("{s:s, s:I, s:I}", "kind", k ? k->name : "unknown", "records",
                          (json_int_t)v[i].records, "entries", (json_int_t)v[i].ops));
  }
  adm_set(m, "records", json_integer((json_int_t)records));
  adm_set(m, "entries", json_integer((json_int_t)ops));
  return m->err;
}

/* -- doing it ---------------------------------------------------------------------------- */

/* The list is put beside the backups too, where the last verified one lies. */
static void list_beside_backups(adm *m, sv_org *org, const sv_erase *e) {
  char path[PATH_MAX_BYTES];
  sv_erasure entry = {.organisation = org->id, .participant = e->participant, .at_ms = e->at_ms};
  sv_txn *t = NULL;
  if (sv_txn_read(org->env, &t)) return;
  json_t *mark = backup_mark_json(t);
  sv_txn_abort(t);
  const char *backup = json_string_value(json_object_get(mark, "backup"));
  if (backup && backup_erasures_path(backup, path) && sv_erasures_add(path, &entry, 1))
    adm_note(m, "the list of erasures beside the backups (%s) could not be written: copy DATA/erasures there",
             path);
  json_decref(mark);
}

int erase_participant(adm *m, sv_org *org, sv_erase *e) {
  int err = sv_erase_run(m->h->data, org, e, m->h->write, m->h->ctx);
  if (err)
    return adm_failed(m, err,
                      "erasing; it is on the list and goes on when this is asked again, or at the "
                      "next start");
  list_beside_backups(m, org, e);
  return 0;
}

/* -- why: sealed in the store, for the administrator; never on a tablet ------------------- */

#define REASON_MAX 500

typedef struct reason_job {
  char key[OV_NAME_TEXT_MAX + 3];
  const char *text;
} reason_job;

static void reason_key(const ov_name *participant, char key[OV_NAME_TEXT_MAX + 3]) {
  char text[OV_NAME_TEXT_MAX];
  ov_name_text(participant, text);
  snprintf(key, OV_NAME_TEXT_MAX + 3, "r:%s", text);
}

static int reason_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  reason_job *j = arg;
  (void)a;
  (void)touches;
  return sv_meta_put(t, j->key, j->text, strlen(j->text));
}

static int write_reason(adm *m, sv_org *org, const ov_name *participant) {
  reason_job j = {.text = arg_text(m, "reason")};
  reason_key(participant, j.key);
  int err = m->h->write(m->h->ctx, org, reason_work, &j);
  return err ? adm_failed(m, err, "the reason") : 0;
}

static void show_reason(adm *m, sv_txn *t, const ov_name *participant) {
  char key[OV_NAME_TEXT_MAX + 3];
  ov_buf b;
  ov_buf_init(&b, 4096);
  reason_key(participant, key);
  if (!sv_meta_get(t, key, &b)) adm_set(m, "reason", adm_text_json(b.p, b.n));
  ov_buf_free(&b);
}

int cmd_erase(adm *m) {
  ov_name name;
  char label[OV_LABEL_BYTES_MAX + 1];
  sv_org *org = find_org(m);
  const ov_skind *k = org ? find_kind(m, "participant") : NULL;
  if (strlen(arg_text(m, "reason")) > REASON_MAX)
    return adm_fail(m, OV_E_INVALID, NULL, "the reason is longer than %u bytes", REASON_MAX);
  if (!k || find_record(m, org, k, arg_text(m, "participant"), &name)) return m->err;
  sv_txn *t = adm_read(m, org);
  if (!t) return m->err;
  find_label_of(m, t, &name, label, sizeof label);
  sv_txn_abort(t);
  adm_set(m, "record", adm_name_json(&name));
  if (show_tally(m, org, &name)) return m->err;
  if (arg_flag(m, "dry_run")) {
    adm_set_text(m, "participant", label);
    adm_note(m, "nothing was erased: this is what would be");
    return m->err;
  }
  sv_erase e = {.participant = name, .ground = SV_ERASE_REQUEST, .at_ms = adm_now_ms(m)};
  if (write_reason(m, org, &name) || erase_participant(m, org, &e)) return m->err;
  adm_set(m, "erasure", adm_name_json(&e.tombstone));
  adm_note(m, "the keys are destroyed; each tablet purges when it syncs: overdracht-admin erasure show");
  adm_note(m, "make anew, and destroy the old: backup-keys and backup-epochs. Copies of keyrings from before "
              "open no more.");
  return m->err;
}

/* -- how far it is ----------------------------------------------------------------------- */

/* One erased participant with all its tombstones: a restore may have made a second one. */
typedef struct erased {
  ov_name participant, tombstones[8];
  uint32_t n;
  int64_t at_ms, ground;
} erased;

typedef struct receipt {
  ov_name erasure;
  ov_id device;
  int64_t at_ms, entries, records;
} receipt;

typedef struct progress {
  erased *v;
  uint32_t n;
  receipt *r;
  uint32_t n_r;
} progress;

static bool name_field(const ov_record *r, uint16_t field, ov_name *out) {
  const ov_live *l = ov_record_field(r, field, NULL);
  if (!l || l->v.type != OV_V_BYTES || l->v.s.n != OV_NAME_BYTES) return false;
  ov_name_read(l->v.s.p, out);
  return true;
}

/* The field says it in whole seconds; the op's own receipt says when within that second. */
static int add_tombstone(adm *m, sv_txn *t, progress *p, const ov_record *r) {
  ov_name participant;
  sv_op_row row;
  uint32_t i = 0;
  if (!r->created || !name_field(r, SV_ERASURE_ERASED, &participant)) return 0;
  while (i < p->n && !ov_name_equal(&p->v[i].participant, &participant)) i++;
  int64_t at = record_int(r, SV_ERASURE_AT, 0) * 1000 + 999;
  int err = sv_op_get(t, &r->name, &m->a, &row);
  if (err) return adm_failed(m, err, "reading a tombstone");
  if (row.n_receipts && row.receipts[0].server_time_ms < at) at = row.receipts[0].server_time_ms;
  erased *e = &p->v[i];
  if (i == p->n) {
    *e = (erased){.participant = participant, .at_ms = at, .ground = record_int(r, SV_ERASURE_GROUND, 0)};
    p->n++;
  }
  if (at < e->at_ms) e->at_ms = at;
  if (e->n < 8) e->tombstones[e->n++] = r->name;
  return 0;
}

static int add_receipt(adm *m, sv_txn *t, progress *p, const ov_record *r) {
  sv_op_row row;
  receipt *x = &p->r[p->n_r];
  if (!r->created || !name_field(r, SV_PURGE_ERASURE, &x->erasure)) return 0;
  int err = sv_op_get(t, &r->name, &m->a, &row);
  if (err) return adm_failed(m, err, "reading a receipt");
  x->device = row.device;
  x->at_ms = row.n_receipts ? row.receipts[0].server_time_ms : 0;
  x->entries = record_int(r, SV_PURGE_ENTRIES, 0);
  x->records = record_int(r, SV_PURGE_RECORDS, 0);
  p->n_r++;
  return 0;
}

static int read_progress(adm *m, sv_txn *t, progress *p) {
  ov_name *tombs, *purges;
  uint32_t n = 0, k = 0;
  *p = (progress){0};
  if (find_all(m, t, OV_KIND_ERASURE, &tombs, &n) || find_all(m, t, OV_KIND_PURGE, &purges, &k))
    return m->err;
  p->v = ov_arena_array(&m->a, n + 1u, sizeof *p->v);
  p->r = ov_arena_array(&m->a, k + 1u, sizeof *p->r);
  if (!p->v || !p->r) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  for (uint32_t i = 0; !m->err && i < n + k; i++) {
    sv_record_row row;
    if (adm_record(m, t, i < n ? &tombs[i] : &purges[i - n], &row)) continue;
    if (i < n) add_tombstone(m, t, p, &row.rec);
    else add_receipt(m, t, p, &row.rec);
  }
  return m->err;
}

static const receipt *receipt_of(const progress *p, const erased *e, const ov_id *device) {
  for (uint32_t i = 0; i < p->n_r; i++) {
    if (!ov_id_equal(&p->r[i].device, device)) continue;
    for (uint32_t k = 0; k < e->n; k++) {
      if (ov_name_equal(&p->r[i].erasure, &e->tombstones[k])) return &p->r[i];
    }
  }
  return NULL;
}

/* Every device that was enrolled when it happened may hold something: its team may have been another then. */
static bool may_hold(const sv_device *d, const erased *e) { return d->enrolled_ms <= e->at_ms; }

static json_t *erased_json(sv_txn *t, const progress *p, const erased *e) {
  sv_device d;
  ov_id after;
  const ov_id *from = NULL;
  json_int_t holders = 0, purged = 0, revoked = 0;
  for (; !sv_device_next(t, from, &d); from = &after) {
    after = d.id;
    if (!may_hold(&d, e)) continue;
    bool done = receipt_of(p, e, &d.id) != NULL;
    holders++;
    purged += done;
    revoked += !done && d.revoked;
  }
  return json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:I}", "participant", adm_name_json(&e->participant), "at",
                   adm_time_json(e->at_ms), "ground", e->ground == SV_ERASE_TERM ? "term over" : "request",
                   "holders", holders, "purged", purged, "revoked", revoked, "waiting",
                   holders - purged - revoked);
}

int cmd_erasure_list(adm *m) {
  progress p;
  sv_org *org = find_org(m);
  sv_txn *t = org ? adm_read(m, org) : NULL;
  if (!t) return m->err;
  if (!read_progress(m, t, &p)) {
    for (uint32_t i = 0; i < p.n; i++) adm_item(m, erased_json(t, &p, &p.v[i]));
    if (!p.n) adm_note(m, "nobody was erased");
  }
  sv_txn_abort(t);
  return m->err;
}

static void show_device(adm *m, sv_txn *t, const progress *p, const erased *e, const sv_device *d) {
  char label[OV_LABEL_BYTES_MAX + 1] = "";
  const receipt *r = receipt_of(p, e, &d->id);
  find_label_of(m, t, &d->record, label, sizeof label);
  json_t *j = json_pack("{s:o, s:o, s:s, s:o, s:o}", "device", adm_text_json(label, strlen(label)), "id",
                        adm_id_json(&d->id), "state",
                        r            ? "purged"
                        : d->revoked ? "revoked"
                                     : "waiting",
                        "purged_at", r ? adm_time_json(r->at_ms) : json_null(), "last_seen",
                        adm_time_json(d->last_seen_ms));
  if (r) {
    json_object_set_new(j, "entries", json_integer(r->entries));
    json_object_set_new(j, "records", json_integer(r->records));
  }
  adm_item(m, j);
}

static const erased *choose(adm *m, const progress *p, const char *text) {
  const erased *found = NULL;
  for (uint32_t i = 0; i < p->n; i++) {
    char name[OV_NAME_TEXT_MAX];
    ov_name_text(&p->v[i].participant, name);
    if (strncmp(name, text, strlen(text)) != 0) continue;
    if (found) {
      adm_fail(m, OV_E_INVALID, "type more of it", "\"%.80s\" fits several erasures", text);
      return NULL;
    }
    found = &p->v[i];
  }
  if (!found)
    adm_fail(m, OV_E_NOTFOUND, "`overdracht-admin erasure list` shows what there is",
             "there is no erasure of \"%.80s\"", text);
  return found;
}

int cmd_erasure_show(adm *m) {
  progress p;
  sv_device d;
  ov_id after;
  const ov_id *from = NULL;
  sv_org *org = find_org(m);
  sv_txn *t = org ? adm_read(m, org) : NULL;
  if (!t) return m->err;
  const erased *e = read_progress(m, t, &p) ? NULL : choose(m, &p, arg_text(m, "participant"));
  if (e) {
    adm_set(m, "participant", adm_name_json(&e->participant));
    adm_set(m, "at", adm_time_json(e->at_ms));
    show_reason(m, t, &e->participant);
    for (; !m->err && !sv_device_next(t, from, &d); from = &after) {
      after = d.id;
      if (may_hold(&d, e)) show_device(m, t, &p, e, &d);
    }
    adm_note(m, "waiting: this tablet has not said yet that everything is gone; it does so after its next "
                "sync. revoked: it is told to purge when it connects, and never gets anything again.");
  }
  sv_txn_abort(t);
  return m->err;
}
