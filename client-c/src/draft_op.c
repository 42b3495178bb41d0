/* A draft becomes an op: which scope it belongs to, what it takes the place of, whether it can be written. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"

/* -- may it be written ----------------------------------------------------------------------------------- */

int oc_may_write(const oc_store *s, oc_error *e) {
  if (s->self.revoked || s->self.purged_ms) {
    oc_say(e, OC_E_REFUSED, "this device was revoked: it takes no new entries");
    oc_say_nl(e, "Deze tablet is afgemeld. Gebruik een andere tablet.");
    return OC_E_REFUSED;
  }
  if (!s->self.enrolled) {
    oc_say(e, OC_E_ENROL, "this store is not enrolled yet: enrol it with a code first");
    oc_say_nl(e, "Deze tablet is nog niet aangemeld.");
    return OC_E_ENROL;
  }
  return 0;
}

static int check_kind(const ov_skind *k, oc_error *e) {
  static const uint16_t kept[] = {OV_KIND_SCHEMA, OV_KIND_ORGANISATION, OV_KIND_TEAM,
                                  OV_KIND_PERSON, OV_KIND_DEVICE,       OV_KIND_RULING};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    if (k->id != kept[i]) continue;
    oc_say(e, OC_E_INVALID, "%s is kept by the administrator, on the server", k->name);
    oc_say_nl(e, "%s: dit kan alleen de beheerder veranderen.", k->nl);
    return OC_E_INVALID;
  }
  return 0;
}

static int check_key(oc_store *s, oc_txn *t, const ov_op *op, ov_arena *a, oc_error *e) {
  uint8_t key[OV_KEY_BYTES];
  int err = oc_commit_key(s, t, op, a, key);
  OPENSSL_cleanse(key, sizeof key);
  if (err != OV_E_NOTFOUND) return oc_fail(e, err);
  oc_say(e, OC_E_NOTFOUND,
         "the client's (or team's) record is not on this device, so nothing can be written about it; sync "
         "first");
  oc_say_nl(e, "Deze cliënt staat niet meer op deze tablet. Maak eerst verbinding.");
  return OC_E_NOTFOUND;
}

int oc_op_check(oc_store *s, oc_txn *t, const ov_op *op, ov_arena *a, oc_error *e) {
  ov_problem why;
  ov_op probe = *op;
  if (ov_schema_check_op(s->schemas, op, &why)) {
    oc_say(e, OC_E_INVALID, "%s", why.text_en);
    oc_say_nl(e, "%s", why.text_nl);
    return OC_E_INVALID;
  }
  probe.name.seq = 1;
  int err = ov_op_validate(&probe);
  if (err == OV_E_OP_LIMIT) {
    oc_say(e, OC_E_INVALID, "the entry is larger than %u bytes: shorten its texts", OV_PAYLOAD_BYTES_MAX);
    oc_say_nl(e, "De tekst is te lang. Maak de opmerking korter.");
    return OC_E_INVALID;
  }
  return err ? oc_fail(e, err) : check_key(s, t, op, a, e);
}

/* -- scope ----------------------------------------------------------------------------------------------- */

/* Teams of this device: as its own record says, else as it was enrolled. */
static uint32_t device_teams(oc_store *s, oc_txn *t, ov_arena *a, uint32_t out[OV_SCOPES_MAX]) {
  oc_view v;
  uint32_t n = 0;
  if (!ov_name_is_zero(&s->self.device_record) && !oc_view_get(s, t, &s->self.device_record, a, &v))
    n = oc_live_scopes(s, &v.rec, out);
  for (uint32_t i = 0; !n && i < s->self.n_scopes; i++) {
    if (s->self.scopes[i].scope >= 2) out[n++] = s->self.scopes[i].scope;
  }
  return n;
}

static bool listed(const uint32_t *v, uint32_t n, uint32_t scope) {
  for (uint32_t i = 0; i < n; i++) {
    if (v[i] == scope) return true;
  }
  return false;
}

/* The participant's first live team that this device is in too; one without a live team still has the one
 * that made it. */
static int participant_scope(oc_draft *d, oc_txn *t, ov_arena *a, const uint32_t *mine, uint32_t n_mine,
                             uint32_t *scope, oc_error *e) {
  uint32_t theirs[OV_SCOPES_MAX], n;
  oc_view v;
  int err = oc_view_get(d->s, t, &d->participant, a, &v);
  if (err && err != OV_E_NOTFOUND) return oc_fail(e, err);
  n = err ? 0 : oc_live_scopes(d->s, &v.rec, theirs);
  if (!n && !err) theirs[n++] = v.rec.scope;
  for (uint32_t i = 0; i < n; i++) {
    if (!listed(mine, n_mine, theirs[i])) continue;
    *scope = theirs[i];
    return 0;
  }
  oc_say(e, OC_E_INVALID, "this client is in none of this device's teams any more");
  oc_say_nl(e, "Deze cliënt hoort niet meer bij dit team.");
  return OC_E_INVALID;
}

static int team_scope(oc_draft *d, oc_txn *t, ov_arena *a, uint32_t *scope, oc_error *e) {
  uint32_t mine[OV_SCOPES_MAX], n = device_teams(d->s, t, a, mine);
  if (d->has_participant) return participant_scope(d, t, a, mine, n, scope, e);
  if (d->has_team && listed(mine, n, d->team)) {
    *scope = d->team;
    return 0;
  }
  if (d->has_team) return oc_say(e, OC_E_INVALID, "this device is not in that team");
  if (n == 1) {
    *scope = mine[0];
    return 0;
  }
  oc_say(e, OC_E_INVALID,
         n ? "this device is in %u teams: say which one it is about"
           : "this device is in no team (%u): ask the administrator",
         n);
  oc_say_nl(e, n ? "Kies eerst een team." : "Deze tablet hoort bij geen team. Vraag de beheerder.");
  return OC_E_INVALID;
}

static int fill_scope(oc_draft *d, oc_txn *t, const ov_skind *k, ov_arena *a, ov_op *op, oc_error *e) {
  if (d->edit) op->scope = d->seen.rec.scope;
  else if (k->scope < 2) op->scope = k->scope;
  else return team_scope(d, t, a, &op->scope, e);
  return 0;
}

static int fill_header(oc_draft *d, oc_txn *t, const ov_skind *k, ov_arena *a, ov_op *op, oc_error *e) {
  *op = (ov_op){.creates = !d->edit,
                .record = d->record,
                .kind = k->id,
                .version = k->version,
                .has_author = d->has_author,
                .author = d->author,
                .device_time = oc_seconds(oc_now_ms(d->s))};
  if (!d->has_author) {
    oc_say(e, OC_E_INVALID, "who writes this? give the author");
    oc_say_nl(e, "Kies eerst wie dit invult.");
    return OC_E_INVALID;
  }
  if (d->edit) {
    bool self = k->participant == OV_P_SELF;
    op->has_participant = self || d->seen.rec.has_participant;
    op->participant = self ? d->record : d->seen.rec.participant;
  } else if (k->participant != OV_P_NONE && k->participant != OV_P_SELF) {
    op->has_participant = d->has_participant;
    op->participant = d->participant;
    if (k->participant == OV_P_REQUIRED && !d->has_participant) {
      oc_say(e, OC_E_INVALID, "%s is about a client: say which one", k->name);
      oc_say_nl(e, "Kies eerst een cliënt.");
      return OC_E_INVALID;
    }
  } else if (d->has_participant) {
    return oc_say(e, OC_E_INVALID, "%s is not about a client", k->name);
  }
  return fill_scope(d, t, k, a, op, e);
}

/* -- fields ---------------------------------------------------------------------------------------------- */

static bool is_live(const ov_live *l, uint32_t n, const ov_value *elem) {
  for (uint32_t i = 0; i < n; i++) {
    if (l[i].is_elem && l[i].v.i == 1 && ov_value_equal(&l[i].elem, elem)) return true;
  }
  return false;
}

static bool contains(const ov_value *v, uint32_t n, const ov_value *x) {
  for (uint32_t i = 0; i < n; i++) {
    if (ov_value_equal(&v[i], x)) return true;
  }
  return false;
}

/* Of a set only what changes: codes not there yet, codes there that go. exact: all that are not named go. */
static int set_change(const oc_draft *d, const oc_draft_field *f, ov_arena *a, ov_value *out) {
  uint32_t n = 0;
  const ov_live *l = d->edit ? ov_record_field(&d->seen.rec, f->id, &n) : NULL;
  const ov_value *want = &f->v;
  *out = (ov_value){.type = OV_V_SET};
  out->set.add = ov_arena_array(a, want->set.n_add + 1, sizeof *out->set.add);
  out->set.del = ov_arena_array(a, want->set.n_del + n + 1, sizeof *out->set.del);
  if (!out->set.add || !out->set.del) return OV_E_NOMEM;
  for (uint32_t i = 0; i < want->set.n_add; i++) {
    if (!is_live(l, n, &want->set.add[i])) out->set.add[out->set.n_add++] = want->set.add[i];
  }
  for (uint32_t i = 0; i < n; i++) { /* live entries come by element */
    bool named = f->exact ? !contains(want->set.add, want->set.n_add, &l[i].elem)
                          : contains(want->set.del, want->set.n_del, &l[i].elem);
    bool again = out->set.n_del && ov_value_equal(&out->set.del[out->set.n_del - 1], &l[i].elem);
    if (l[i].is_elem && l[i].v.i == 1 && named && !again) out->set.del[out->set.n_del++] = l[i].elem;
  }
  return 0;
}

/* Does an edit's value say what is there already? */
static bool changes_nothing(const oc_draft *d, const oc_draft_field *f, const ov_value *v) {
  uint32_t n = 0;
  const ov_live *l = ov_record_field(&d->seen.rec, f->id, &n);
  if (v->type == OV_V_SET) return !v->set.n_add && !v->set.n_del;
  if (!n) return v->type == OV_V_NIL;
  return n == 1 && !l->is_elem && ov_value_equal(&l->v, v);
}

static int by_id(const void *a, const void *b) {
  const ov_field *x = a, *y = b;
  return x->id < y->id ? -1 : x->id > y->id;
}

int oc_names_add(ov_op *op, const ov_name *names, uint32_t n, ov_arena *a) {
  ov_name *all = ov_arena_array(a, (size_t)op->n_replaces + n + 1, sizeof *all);
  uint32_t i = 0, j = 0, k = 0;
  if (!all) return OV_E_NOMEM;
  while (i < op->n_replaces || j < n) {
    int c = i == op->n_replaces ? 1 : j == n ? -1 : ov_name_compare(&op->replaces[i], &names[j]);
    all[k++] = c <= 0 ? op->replaces[i] : names[j];
    i += c <= 0;
    j += c >= 0;
  }
  op->replaces = all;
  op->n_replaces = k;
  return k > OV_OP_REPLACES_MAX ? OV_E_LIMIT : 0;
}

/* PROTO-25, PROTO-99 */
static int add_field(oc_draft *d, const oc_draft_field *f, ov_arena *a, ov_op *op) {
  ov_field *out = &op->fields[op->n_fields];
  *out = (ov_field){.id = f->id, .v = f->v};
  int err = f->v.type == OV_V_SET ? set_change(d, f, a, &out->v) : 0;
  if (err) return err;
  if (!d->edit) {
    op->n_fields += out->v.type != OV_V_NIL &&
                    (out->v.type != OV_V_SET || out->v.set.n_add || out->v.set.n_del);
    return 0;
  }
  if (changes_nothing(d, f, &out->v)) return 0;
  ov_name *names;
  uint32_t n;
  err = ov_record_replaces(&d->seen.rec, f->id, a, &names, &n);
  if (!err) err = oc_names_add(op, names, n, a);
  op->n_fields++;
  return err;
}

int oc_draft_op(oc_draft *d, oc_txn *t, ov_arena *a, ov_op *op, bool *nothing, oc_error *e) {
  const ov_skind *k = oc_draft_kind(d, e);
  *nothing = false;
  if (!k) return OC_E_NOTFOUND;
  int err = check_kind(k, e);
  if (!err) err = fill_header(d, t, k, a, op, e);
  if (err) return err;
  op->fields = ov_arena_array(a, d->n_fields + 1, sizeof *op->fields);
  if (!op->fields) return oc_fail(e, OV_E_NOMEM);
  for (uint32_t i = 0; i < d->n_fields; i++) {
    err = add_field(d, &d->fields[i], a, op);
    if (err == OV_E_LIMIT)
      return oc_say(e, OC_E_INVALID, "too many earlier values at once: change fewer fields in one edit");
    if (err) return oc_fail(e, err);
  }
  if (op->n_fields) qsort(op->fields, op->n_fields, sizeof *op->fields, by_id);
  *nothing = d->edit && !op->n_fields;
  return *nothing ? 0 : oc_op_check(d->s, t, op, a, e);
}
