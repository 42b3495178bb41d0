/* Drafts, retractions and settled conflicts on disk: one op each, in one transaction. */
#include <openssl/crypto.h>
#include <string.h>

#include "draft.h"

#define WRITE_BYTES_MAX (32u << 20)
/* A field with more conflicting values than one op can name takes several ops; nobody makes so many. */
#define RESOLVE_OPS_MAX 64

int oc_write_begin(oc_store *s, oc_txn **t, oc_self *before, oc_error *e) {
  *t = NULL;
  *before = s->self;
  int err = oc_may_write(s, e);
  return err ? err : oc_fail(e, oc_txn_begin(s->db, true, t));
}

int oc_write_end(oc_store *s, oc_txn *t, const oc_self *before, int err, oc_error *e) {
  if (err) oc_txn_abort(t);
  else err = oc_fail(e, oc_txn_commit(t));
  if (err) s->self = *before;
  if (err == OC_E_FULL) {
    oc_say(e, err, "no room on this device: nothing was written");
    oc_say_nl(e, "De tablet is vol. Dit is niet bewaard. Maak ruimte en probeer het nog eens.");
  }
  return err;
}

static int append(oc_store *s, oc_txn *t, ov_op *op, ov_arena *a, oc_error *e) {
  return oc_fail(e, oc_log_append(s, t, op, a));
}

static int write_draft(oc_store *s, oc_draft *d, ov_name *record, oc_error *e) {
  oc_txn *t;
  oc_self before;
  ov_op op;
  ov_arena a;
  bool nothing = false;
  ov_arena_init(&a, WRITE_BYTES_MAX);
  int err = oc_write_begin(s, &t, &before, e);
  if (!err) err = oc_draft_op(d, t, &a, &op, &nothing, e);
  if (!err && !nothing) err = append(s, t, &op, &a, e);
  if (!err && !nothing) *record = op.record;
  err = oc_write_end(s, t, &before, err, e);
  OPENSSL_cleanse(&before, sizeof before);
  ov_arena_free(&a);
  return err;
}

int oc_add(oc_store *s, oc_draft *d, char id[OC_ID_TEXT], oc_error *e) {
  if (e) *e = (oc_error){0};
  ov_name record;
  if (id) id[0] = 0;
  if (d->edit) return oc_say(e, OC_E_INVALID, "this draft edits a record: write it with oc_edit");
  int err = write_draft(s, d, &record, e);
  if (!err && id) ov_name_text(&record, id);
  return err;
}

int oc_edit(oc_store *s, oc_draft *d, oc_error *e) {
  if (e) *e = (oc_error){0};
  ov_name record;
  return d->edit ? write_draft(s, d, &record, e)
                 : oc_say(e, OC_E_INVALID, "this draft is for a new record: write it with oc_add");
}

/* -- retraction and conflicts: an op made here from a record as it is now -------------------------------- */

typedef struct change {
  oc_store *s;
  oc_txn *t;
  ov_arena *a;
  ov_name record;
  oc_view v;
  ov_op op;
  ov_field field;
} change;

static int change_begin(change *c, const char *record, const char *author, oc_error *e) {
  int err = oc_find_record(c->s, c->t, record, &c->record, e);
  if (!err) err = oc_fail(e, oc_view_get(c->s, c->t, &c->record, c->a, &c->v));
  if (!err && !c->v.rec.kind)
    return oc_say(e, OC_E_INVALID,
                  "the server refused this entry: it cannot be changed, only exported (export-unsent)");
  if (err) return err;
  const ov_record *r = &c->v.rec;
  const ov_skind *k = ov_schemas_kind(c->s->schemas, r->kind);
  bool self = r->kind == OV_KIND_PARTICIPANT;
  c->op = (ov_op){.record = c->record,
                  .kind = r->kind,
                  .version = k ? k->version : r->version,
                  .scope = r->scope,
                  .has_author = true,
                  .has_participant = self || r->has_participant,
                  .participant = self ? c->record : r->participant,
                  .device_time = oc_seconds(oc_now_ms(c->s)),
                  .fields = &c->field,
                  .n_fields = 1};
  if (author && *author) return oc_find_named(c->s, c->t, OV_KIND_PERSON, author, &c->op.author, e);
  oc_say(e, OC_E_INVALID, "who writes this? give the author");
  oc_say_nl(e, "Kies eerst wie dit invult.");
  return OC_E_INVALID;
}

static int change_append(change *c, oc_error *e) {
  int err = oc_op_check(c->s, c->t, &c->op, c->a, e);
  return err ? err : append(c->s, c->t, &c->op, c->a, e);
}

/* PROTO-26 */
static int retract(change *c, const char *reason, oc_error *e) {
  size_t n = strlen(reason);
  if (n > OV_RETRACTION_BYTES_MAX)
    return oc_say(e, OC_E_INVALID, "the reason is too long: %zu bytes, at most %u", n,
                  OV_RETRACTION_BYTES_MAX);
  if (!ov_utf8_valid((const uint8_t *)reason, n))
    return oc_say(e, OC_E_INVALID, "the reason is not valid UTF-8");
  c->field = (ov_field){.id = OV_FIELD_RETRACTED, .v = ov_text(reason)};
  int err = ov_record_seen_all(&c->v.rec, c->a, &c->op.replaces, &c->op.n_replaces);
  return err ? oc_fail(e, err) : change_append(c, e);
}

static int unretract(change *c, oc_error *e) {
  c->field = (ov_field){.id = OV_FIELD_RETRACTED, .v = ov_nil()};
  int err = ov_record_replaces(&c->v.rec, OV_FIELD_RETRACTED, c->a, &c->op.replaces, &c->op.n_replaces);
  return err ? oc_fail(e, err) : change_append(c, e);
}

int oc_retract(oc_store *s, const char *record, const char *author, const char *reason, oc_error *e) {
  if (e) *e = (oc_error){0};
  oc_self before;
  ov_arena a;
  ov_arena_init(&a, WRITE_BYTES_MAX);
  change c = {.s = s, .a = &a};
  int err = oc_write_begin(s, &c.t, &before, e);
  if (!err) err = change_begin(&c, record, author, e);
  if (!err && !reason && ov_record_retracted(&c.v.rec) == OV_LIVE)
    err = oc_say(e, OC_E_INVALID, "this record is not retracted: there is nothing to undo");
  if (!err && reason && !*reason) {
    err = oc_say(e, OC_E_INVALID, "a retraction needs a reason");
    oc_say_nl(e, "Schrijf op waarom dit niet klopt.");
  }
  if (!err) err = reason ? retract(&c, reason, e) : unretract(&c, e);
  err = oc_write_end(s, c.t, &before, err, e);
  ov_arena_free(&a);
  return err;
}

/* "yes": the retraction stands, with its own reason, and now also sees what it had not; "no": it is
 * undone. */
static int settle_retraction(change *c, const char *value, oc_error *e) {
  const ov_record *r = &c->v.rec;
  uint32_t n = 0;
  const ov_live *l = ov_record_field(r, OV_FIELD_RETRACTED, &n);
  bool yes = oc_same_word(value, "yes") || oc_same_word(value, "ja") || !strcmp(value, "1");
  bool no = oc_same_word(value, "no") || oc_same_word(value, "nee") || !strcmp(value, "0");
  if (ov_record_retracted(r) != OV_RETRACT_CONFLICT)
    return oc_say(e, OC_E_INVALID, "the retraction of this record is not in conflict");
  if (no) return unretract(c, e);
  if (!yes) return oc_say(e, OC_E_INVALID, "\"%.40s\": say yes (entered in error) or no (it stands)", value);
  for (uint32_t i = 0; i < n; i++) {
    if (l[i].v.type != OV_V_TEXT) continue;
    char *reason = oc_fmt(c->a, "%.*s", (int)l[i].v.s.n, (const char *)l[i].v.s.p);
    return reason ? retract(c, reason, e) : oc_fail(e, OV_E_NOMEM);
  }
  return oc_say(e, OC_E_INVALID, "no reason is known: retract it with a reason");
}

/* Every element in conflict is settled one way or the other; the others are left alone unless named. */
static int settled_set(change *c, const ov_sfield *f, ov_value *v, bool exact, oc_error *e) {
  uint32_t n = 0;
  const ov_live *l = ov_record_field(&c->v.rec, f->id, &n);
  if (!exact) return 0;
  ov_value *del = ov_arena_array(c->a, n + 1, sizeof *del);
  uint32_t k = 0;
  if (!del) return oc_fail(e, OV_E_NOMEM);
  for (uint32_t i = 0; i < n; i++) {
    bool kept = !l[i].is_elem || (k && ov_value_equal(&del[k - 1], &l[i].elem));
    for (uint32_t j = 0; j < v->set.n_add && !kept; j++) kept = ov_value_equal(&v->set.add[j], &l[i].elem);
    if (!kept) del[k++] = l[i].elem;
  }
  v->set.del = del;
  v->set.n_del = k;
  return 0;
}

static int settle_field(change *c, const char *field, const char *value, oc_error *e) {
  const ov_skind *k = ov_schemas_kind(c->s->schemas, c->v.rec.kind);
  const ov_sfield *f = k ? ov_skind_by_name(k, field) : NULL;
  oc_find_ctx fc = {.s = c->s, .t = c->t, .a = c->a};
  oc_text_env env = oc_text_env_of(&fc);
  bool exact = false;
  if (!f) return oc_say(e, OC_E_NOTFOUND, "this record has no field \"%.40s\"", field);
  if (!ov_record_field_conflict(&c->v.rec, f->id))
    return oc_say(e, OC_E_INVALID, "%s is not in conflict: change it with edit", f->name);
  int err = oc_value_read(&env, k, f, value, &c->field.v, &exact, e);
  c->field.id = f->id;
  if (!err && c->field.v.type == OV_V_SET) err = settled_set(c, f, &c->field.v, exact, e);
  for (unsigned i = 0; !err && i < RESOLVE_OPS_MAX && ov_record_field_conflict(&c->v.rec, f->id); i++) {
    c->op.name = (ov_name){0};
    err = oc_fail(e, ov_record_replaces(&c->v.rec, f->id, c->a, &c->op.replaces, &c->op.n_replaces));
    if (!err) err = change_append(c, e);
    if (!err) err = oc_fail(e, oc_view_get(c->s, c->t, &c->record, c->a, &c->v));
    if (c->field.v.type == OV_V_SET)
      break; /* names the elements it settles; others stay in conflict for another answer */
  }
  return err;
}

int oc_resolve(oc_store *s, const char *record, const char *field, const char *value, const char *author,
               oc_error *e) {
  if (e) *e = (oc_error){0};
  oc_self before;
  ov_arena a;
  ov_arena_init(&a, WRITE_BYTES_MAX);
  change c = {.s = s, .a = &a};
  int err = oc_write_begin(s, &c.t, &before, e);
  if (!err) err = change_begin(&c, record, author, e);
  if (!err)
    err = !strcmp(field, OC_FIELD_RETRACTION) ? settle_retraction(&c, value, e)
                                              : settle_field(&c, field, value, e);
  err = oc_write_end(s, c.t, &before, err, e);
  ov_arena_free(&a);
  return err;
}
