#include "query_find.h"

#include <stdio.h>
#include <string.h>

static const char *const name_fields[] = {"display_label", "display_name", "name",
                                          "title",         "pseudonym",    "number"};
enum { NAME_FIELDS = sizeof name_fields / sizeof *name_fields };
/* One record while it is looked at. */
#define LOOK_BYTES_MAX (8u << 20)

int oc_fail(oc_error *e, int ov) { return oc_from_ov(e, ov); }

/* -- by id ----------------------------------------------------------------------------------------------- */

static bool hex_only(const char *text, size_t least, size_t most) {
  size_t n = strspn(text, "0123456789abcdefABCDEF");
  return !text[n] && n >= least && n <= most;
}

static bool starts_with(const char *text, const char *start) {
  for (; *start; text++, start++) {
    char one[2] = {*text, 0}, other[2] = {*start, 0};
    if (!*text || !oc_same_word(one, other)) return false;
  }
  return true;
}

/* Does this record's id read as `text`, in one of the short forms? */
static bool id_fits(const ov_name *name, const char *text) {
  char id[OV_NAME_TEXT_MAX];
  ov_name_text(name, id);
  const char *rest = id + 2 * OV_ID_BYTES + 1, *tag = strrchr(id, '-') + 1;
  if (hex_only(text, OC_SHORT_ID_MIN, 8) && starts_with(tag, text)) return true;
  if (strchr(text, '-') && starts_with(rest, text) && strlen(text) == strlen(rest)) return true;
  return strlen(text) > 8 && starts_with(id, text);
}

static bool may_be_id(const char *text) {
  size_t n = strspn(text, "0123456789abcdefABCDEF-");
  return n >= OC_SHORT_ID_MIN && !text[n];
}

static int say_two(oc_error *e, const char *text, const ov_name *a, const ov_name *b) {
  char one[OV_NAME_TEXT_MAX], two[OV_NAME_TEXT_MAX];
  ov_name_text(a, one);
  ov_name_text(b, two);
  return oc_say(e, OC_E_INVALID, "\"%.40s\" names more than one record: %s and %s", text, one, two);
}

static int say_no_record(oc_error *e, const char *text) {
  oc_say(e, OC_E_NOTFOUND, "no record \"%.60s\" here", text);
  oc_say_nl(e, "Dit gegeven staat niet op deze tablet.");
  return OC_E_NOTFOUND;
}

int oc_find_record(oc_store *s, oc_txn *t, const char *text, ov_name *out, oc_error *e) {
  uint8_t key[OC_DB_KEY_MAX];
  size_t n = 0;
  bool found = false;
  (void)s;
  if (!ov_name_parse(text, out)) {
    ov_name_write(out, key);
    int err = oc_get(t, OC_T_ROW, key, OV_NAME_BYTES, NULL, NULL, NULL);
    return err == OV_E_NOTFOUND ? say_no_record(e, text) : oc_fail(e, err);
  }
  if (!may_be_id(text)) return say_no_record(e, text);
  for (;;) {
    ov_name name;
    int err = oc_next(t, OC_T_ROW, NULL, 0, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err == OV_E_NOTFOUND) return found ? 0 : say_no_record(e, text);
    if (err) return oc_fail(e, err);
    ov_name_read(key, &name);
    if (!id_fits(&name, text)) continue;
    if (found) return say_two(e, text, out, &name);
    *out = name;
    found = true;
  }
}

/* -- by name --------------------------------------------------------------------------------------------- */

static const ov_live *live_of(const oc_store *s, const ov_record *r, const char *field) {
  const ov_skind *k = ov_schemas_kind(s->schemas, r->kind);
  const ov_sfield *f = k ? ov_skind_by_name(k, field) : NULL;
  return f ? ov_record_field(r, f->id, NULL) : NULL;
}

/* The i-th thing that the record is called; false when it has none such. */
static bool name_at(const oc_store *s, const ov_record *r, unsigned i, char out[OC_NAME_SHOWN_MAX]) {
  const ov_live *l = live_of(s, r, name_fields[i]);
  if (!l) return false;
  if (l->v.type == OV_V_INT) {
    snprintf(out, OC_NAME_SHOWN_MAX, "%lld", (long long)l->v.i);
    return true;
  }
  if (l->v.type != OV_V_TEXT || !l->v.s.n) return false;
  size_t n = l->v.s.n < OC_NAME_SHOWN_MAX - 1 ? l->v.s.n : OC_NAME_SHOWN_MAX - 1;
  if (n < l->v.s.n) {
    while (n && (l->v.s.p[n] & 0xc0) == 0x80) n--;
  }
  memcpy(out, l->v.s.p, n);
  out[n] = 0;
  return true;
}

const char *oc_name_of(oc_store *s, oc_txn *t, const ov_name *record, ov_arena *a) {
  char out[OC_NAME_SHOWN_MAX] = "";
  oc_view v;
  ov_arena look;
  ov_arena_init(&look, LOOK_BYTES_MAX);
  if (!oc_view_get(s, t, record, &look, &v)) {
    for (unsigned i = 0; i < NAME_FIELDS && !name_at(s, &v.rec, i, out); i++) {}
  }
  ov_arena_free(&look);
  return oc_fmt(a, "%s", out);
}

/* How well a record answers to the text: 2 to the letter, 1 apart from case, 0 not. An entry in error answers
 * to nothing. */
static int answers(const oc_store *s, const ov_record *r, const char *text) {
  char name[OC_NAME_SHOWN_MAX];
  int best = 0;
  if (ov_record_retracted(r) == OV_RETRACTED) return 0;
  for (unsigned i = 0; i < NAME_FIELDS; i++) {
    if (!name_at(s, r, i, name)) continue;
    if (!strcmp(name, text)) return 2;
    if (oc_same_word(name, text)) best = 1;
  }
  return best;
}

typedef struct best_match {
  ov_name name;
  int how;
  unsigned n;
} best_match;

static int scan_kind(oc_store *s, oc_txn *t, uint16_t kind, const char *text, best_match *best) {
  uint8_t prefix[6] = {0, 0, 0, 0, (uint8_t)(kind >> 8), (uint8_t)kind}, key[OC_DB_KEY_MAX];
  size_t n = 0;
  ov_arena look;
  ov_arena_init(&look, LOOK_BYTES_MAX);
  int err = 0;
  while (!err) {
    ov_name name;
    oc_view v;
    err = oc_next(t, OC_T_DAY, prefix, sizeof prefix, key, n, n > 0, key, &n, NULL, NULL, NULL);
    if (err) break;
    ov_name_read(key + sizeof prefix, &name);
    ov_arena_reset(&look);
    err = oc_view_get(s, t, &name, &look, &v);
    if (err == OV_E_NOTFOUND) err = 0;
    int how = err ? 0 : answers(s, &v.rec, text);
    if (how > best->how) *best = (best_match){.name = name, .how = how, .n = 1};
    else if (how && how == best->how) best->n++;
  }
  ov_arena_free(&look);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int say_not_named(const oc_store *s, uint16_t kind, const char *text, unsigned n, oc_error *e) {
  const ov_skind *k = ov_schemas_kind(s->schemas, kind);
  const char *what = k ? k->name : "record";
  if (n) {
    oc_say(e, OC_E_INVALID, "%u of kind %s are called \"%.60s\": give the id", n, what, text);
    oc_say_nl(e, "'%.60s' komt vaker voor. Kies uit de lijst.", text);
    return OC_E_INVALID;
  }
  oc_say(e, OC_E_NOTFOUND, "no %s \"%.60s\" here", what, text);
  oc_say_nl(e, "%s '%.60s' staat niet op deze tablet.", k ? k->nl : "Gegeven", text);
  return OC_E_NOTFOUND;
}

static int check_kind(oc_store *s, oc_txn *t, const ov_name *name, uint16_t kind, const char *text,
                      oc_error *e) {
  oc_row row;
  ov_arena look;
  ov_arena_init(&look, LOOK_BYTES_MAX);
  int err = oc_row_get(t, name, &look, &row);
  ov_arena_free(&look);
  if (err && err != OV_E_NOTFOUND) return oc_fail(e, err);
  return !err && (!kind || row.kind == kind) ? 0 : say_not_named(s, kind, text, 0, e);
}

int oc_find_named(oc_store *s, oc_txn *t, uint16_t kind, const char *text, ov_name *out, oc_error *e) {
  best_match best = {0};
  int err = kind ? scan_kind(s, t, kind, text, &best) : 0;
  if (err) return oc_fail(e, err);
  if (best.n == 1) {
    *out = best.name;
    return 0;
  }
  if (best.n > 1) return say_not_named(s, kind, text, best.n, e);
  oc_error id = {0};
  err = may_be_id(text) ? oc_find_record(s, t, text, out, &id) : OC_E_NOTFOUND;
  if (!err) return check_kind(s, t, out, kind, text, e);
  if (err == OC_E_NOTFOUND) return say_not_named(s, kind, text, 0, e);
  if (e) *e = id;
  return err;
}

/* -- teams ----------------------------------------------------------------------------------------------- */

static bool team_scope(const oc_store *s, const ov_record *r, uint32_t *scope) {
  const ov_live *l = live_of(s, r, "scope");
  if (!l || l->v.type != OV_V_INT || l->v.i < 2 || l->v.i > UINT32_MAX) return false;
  *scope = (uint32_t)l->v.i;
  return true;
}

int oc_find_team(oc_store *s, oc_txn *t, const char *text, uint32_t *scope, oc_error *e) {
  ov_name team;
  oc_view v;
  ov_arena look;
  int64_t number;
  if (oc_whole_number(text, &number) && number >= 2 && number <= UINT32_MAX) {
    *scope = (uint32_t)number;
    return 0;
  }
  int err = oc_find_named(s, t, OV_KIND_TEAM, text, &team, e);
  if (err) return err;
  ov_arena_init(&look, LOOK_BYTES_MAX);
  err = oc_view_get(s, t, &team, &look, &v);
  if (!err && !team_scope(s, &v.rec, scope)) err = OV_E_NOTFOUND;
  ov_arena_free(&look);
  if (err == OV_E_NOTFOUND) return oc_say(e, OC_E_NOTFOUND, "team \"%.60s\" has no scope yet", text);
  return oc_fail(e, err);
}

uint32_t oc_live_scopes(const oc_store *s, const ov_record *r, uint32_t out[OV_SCOPES_MAX]) {
  const ov_skind *k = ov_schemas_kind(s->schemas, r->kind);
  const ov_sfield *f = k ? ov_skind_by_name(k, "teams") : NULL;
  uint32_t n = 0, entries = 0;
  const ov_live *l = f ? ov_record_field(r, f->id, &entries) : NULL;
  for (uint32_t i = 0; l && i < entries && n < OV_SCOPES_MAX; i++) {
    if (!l[i].is_elem || l[i].elem.type != OV_V_INT || l[i].v.type != OV_V_INT || l[i].v.i != 1) continue;
    uint32_t scope = (uint32_t)l[i].elem.i;
    if (!n || out[n - 1] != scope) out[n++] = scope;
  }
  return n;
}

/* -- callbacks for texts --------------------------------------------------------------------------------- */

static int find_cb(void *ctx, uint16_t kind, const char *text, ov_name *out, oc_error *e) {
  oc_find_ctx *c = ctx;
  return oc_find_named(c->s, c->t, kind, text, out, e);
}

static int team_cb(void *ctx, const char *text, uint32_t *scope, oc_error *e) {
  oc_find_ctx *c = ctx;
  return oc_find_team(c->s, c->t, text, scope, e);
}

static const char *label_cb(void *ctx, const ov_name *record) {
  oc_find_ctx *c = ctx;
  return oc_name_of(c->s, c->t, record, c->a);
}

static const char *team_label_cb(void *ctx, uint32_t scope) {
  oc_find_ctx *c = ctx;
  ov_name team;
  ov_arena look;
  ov_arena_init(&look, LOOK_BYTES_MAX);
  int err = oc_team_record(c->s, c->t, scope, &look, &team);
  ov_arena_free(&look);
  return err ? "" : oc_name_of(c->s, c->t, &team, c->a);
}

oc_text_env oc_text_env_of(oc_find_ctx *c) {
  return (oc_text_env){.zone = c->s->zone,
                       .now = oc_seconds(oc_now_ms(c->s)),
                       .a = c->a,
                       .find = find_cb,
                       .find_team = team_cb,
                       .label = label_cb,
                       .team_label = team_label_cb,
                       .ctx = c};
}
