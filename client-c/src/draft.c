/* Drafts: what somebody is filling in. Each value is judged when it is given. */
#include "draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values of one draft: every field at its largest would not fit an op anyway. */
#define DRAFT_BYTES_MAX (4u << 20)
/* A form that sets its note at each keystroke leaves old values behind: above this they are swept. */
#define DRAFT_SWEEP_BYTES (256u << 10)
/* Memory of one edit's record. */
#define SEEN_BYTES_MAX (16u << 20)

oc_draft *oc_draft_new(oc_store *s, const char *kind) {
  oc_draft *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->s = s;
  ov_arena_init(&d->seen_arena, SEEN_BYTES_MAX);
  ov_arena_init(&d->arena, DRAFT_BYTES_MAX);
  snprintf(d->kind_name, sizeof d->kind_name, "%s", kind ? kind : "");
  return d;
}

void oc_draft_free(oc_draft *d) {
  if (!d) return;
  ov_arena_free(&d->seen_arena);
  ov_arena_free(&d->arena);
  free(d);
}

const ov_skind *oc_draft_kind(oc_draft *d, oc_error *e) {
  const ov_skind *k = d->kind ? ov_schemas_kind(d->s->schemas, d->kind)
                              : ov_schemas_by_name(d->s->schemas, d->kind_name);
  if (k) {
    d->kind = k->id;
    return k;
  }
  /* a device that was wiped has no forms left: say that */
  if (d->s->self.purged_ms && oc_may_write(d->s, e)) return NULL;
  bool any = ov_schemas_at(d->s->schemas, 1) != NULL;
  oc_say(e, OC_E_NOTFOUND,
         any ? "no kind \"%s\" here"
             : "no kind \"%s\" here: this store has never synced, so it has no schemas yet",
         d->kind_name);
  oc_say_nl(e, any ? "Dit formulier bestaat niet."
                   : "De formulieren zijn nog niet opgehaald. Maak eerst verbinding.");
  return NULL;
}

oc_draft *oc_draft_edit(oc_store *s, const char *record, oc_error *e) {
  if (e) *e = (oc_error){0};
  oc_txn *t = NULL;
  oc_draft *d = oc_draft_new(s, "");
  if (!d) oc_say(e, OC_E_NOMEM, "out of memory");
  if (!d) return NULL;
  d->edit = true;
  int err = oc_fail(e, oc_txn_begin(s->db, false, &t));
  if (!err) err = oc_find_record(s, t, record, &d->record, e);
  if (!err) err = oc_fail(e, oc_view_get(s, t, &d->record, &d->seen_arena, &d->seen));
  oc_txn_abort(t);
  if (!err && !d->seen.rec.kind)
    err = oc_say(e, OC_E_INVALID,
                 "the server refused this entry: it cannot be edited, only exported (export-unsent)");
  d->kind = d->seen.rec.kind;
  if (!err && !oc_draft_kind(d, e)) err = OC_E_NOTFOUND;
  if (!err) return d;
  oc_draft_free(d);
  return NULL;
}

/* -- fields ---------------------------------------------------------------------------------------------- */

static int out_of_memory(oc_error *e) { return oc_say(e, OC_E_NOMEM, "out of memory"); }

static int sweep(oc_draft *d) {
  ov_arena fresh;
  ov_arena_init(&fresh, DRAFT_BYTES_MAX);
  oc_draft_field kept[OV_OP_FIELDS_MAX];
  for (uint32_t i = 0; i < d->n_fields; i++) {
    kept[i] = d->fields[i];
    int err = ov_value_dup(&d->fields[i].v, &fresh, &kept[i].v);
    if (err) {
      ov_arena_free(&fresh);
      return err;
    }
  }
  memcpy(d->fields, kept, d->n_fields * sizeof *kept);
  ov_arena_free(&d->arena);
  d->arena = fresh;
  return 0;
}

static oc_draft_field *slot(oc_draft *d, uint16_t id) {
  for (uint32_t i = 0; i < d->n_fields; i++) {
    if (d->fields[i].id == id) return &d->fields[i];
  }
  return d->n_fields < OV_OP_FIELDS_MAX ? &d->fields[d->n_fields] : NULL;
}

static int say_no_field(const ov_skind *k, const char *field, oc_error *e) {
  char list[160] = "";
  size_t n = 0;
  for (uint32_t i = 0; i < k->n_fields && n < sizeof list; i++) {
    if (k->fields[i].type == OV_F_BYTES) continue;
    n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", k->fields[i].name);
  }
  oc_say(e, OC_E_NOTFOUND, "%s has no field \"%.40s\"; its fields: %s%s", k->name, field, list,
         n >= sizeof list ? "..." : "");
  oc_say_nl(e, "Deze vraag staat niet in het formulier.");
  return OC_E_NOTFOUND;
}

/* The cells of a set that a value touches; a single value touches its whole field. */
static bool touches_conflict(const oc_draft *d, const oc_draft_field *f) {
  if (!ov_record_field_conflict(&d->seen.rec, f->id)) return false;
  if (f->v.type != OV_V_SET || f->exact) return true;
  uint32_t n = 0;
  const ov_live *l = ov_record_field(&d->seen.rec, f->id, &n);
  for (uint32_t i = 0; i + 1 < n; i++) {
    if (!l[i].is_elem || !l[i + 1].is_elem || !ov_value_equal(&l[i].elem, &l[i + 1].elem)) continue;
    for (uint32_t j = 0; j < f->v.set.n_add; j++) {
      if (ov_value_equal(&f->v.set.add[j], &l[i].elem)) return true;
    }
    for (uint32_t j = 0; j < f->v.set.n_del; j++) {
      if (ov_value_equal(&f->v.set.del[j], &l[i].elem)) return true;
    }
  }
  return false;
}

static int read_value(oc_draft *d, const ov_skind *k, const ov_sfield *f, const char *value,
                      oc_draft_field *out, oc_error *e) {
  oc_find_ctx c = {.s = d->s, .a = &d->arena};
  int err = oc_fail(e, oc_txn_begin(d->s->db, false, &c.t));
  if (err) return err;
  oc_text_env env = oc_text_env_of(&c);
  out->id = f->id;
  err = oc_value_read(&env, k, f, value, &out->v, &out->exact, e);
  oc_txn_abort(c.t);
  return err;
}

int oc_draft_set(oc_draft *d, const char *field, const char *value, oc_error *e) {
  if (e) *e = (oc_error){0};
  const ov_skind *k = oc_draft_kind(d, e);
  if (!k) return OC_E_NOTFOUND;
  const ov_sfield *f = ov_skind_by_name(k, field);
  if (!f) return say_no_field(k, field, e);
  oc_draft_field now, *at = slot(d, f->id);
  if (!at) return oc_say(e, OC_E_INVALID, "more than %u fields in one entry", OV_OP_FIELDS_MAX);
  if (d->arena.used > DRAFT_SWEEP_BYTES && sweep(d)) return out_of_memory(e);
  int err = read_value(d, k, f, value, &now, e);
  if (err) return err;
  if (d->edit && touches_conflict(d, &now)) {
    oc_say(e, OC_E_CONFLICT, "%s: two people wrote different things here; settle it with resolve", f->name);
    oc_say_nl(e, "%s: hier staan twee antwoorden. Kies eerst welk antwoord klopt.", f->nl);
    return OC_E_CONFLICT;
  }
  *at = now;
  if (at == &d->fields[d->n_fields]) d->n_fields++;
  return 0;
}

/* -- header ---------------------------------------------------------------------------------------------- */

static int find(oc_draft *d, uint16_t kind, const char *text, ov_name *out, oc_error *e) {
  oc_txn *t = NULL;
  if (e) *e = (oc_error){0};
  int err = oc_fail(e, oc_txn_begin(d->s->db, false, &t));
  if (!err) err = oc_find_named(d->s, t, kind, text, out, e);
  oc_txn_abort(t);
  return err;
}

int oc_draft_participant(oc_draft *d, const char *id_or_label, oc_error *e) {
  ov_name found;
  int err = find(d, OV_KIND_PARTICIPANT, id_or_label, &found, e);
  if (err) return err;
  if (d->edit && (!d->seen.rec.has_participant || !ov_name_equal(&found, &d->seen.rec.participant))) {
    return oc_say(e, OC_E_INVALID, "an entry stays with its client: retract it and add it to the other one");
  }
  d->participant = found;
  d->has_participant = true;
  return 0;
}

int oc_draft_author(oc_draft *d, const char *id_or_name, oc_error *e) {
  int err = find(d, OV_KIND_PERSON, id_or_name, &d->author, e);
  if (!err) d->has_author = true;
  return err;
}

int oc_draft_team(oc_draft *d, const char *id_or_name, oc_error *e) {
  oc_txn *t = NULL;
  if (e) *e = (oc_error){0};
  int err = oc_fail(e, oc_txn_begin(d->s->db, false, &t));
  if (!err) err = oc_find_team(d->s, t, id_or_name, &d->team, e);
  oc_txn_abort(t);
  if (!err) d->has_team = true;
  return err;
}
