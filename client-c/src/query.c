/* Finding records: by the day index, filtered, in order of local day. */
#include "query.h"

#include <stdlib.h>
#include <string.h>

/* Results of one query: 10,000 usual records; more is for paging. */
#define QUERY_BYTES_MAX (256u << 20)
#define LOOK_BYTES_MAX (32u << 20)
#define QUERY_MAX_DEFAULT 1000

typedef struct found {
  int64_t day;
  ov_name name;
} found;
typedef struct scan {
  oc_query *q;
  oc_txn *t;
  const oc_filter *f;
  uint16_t kind;
  bool by_participant, any_kind;
  ov_name participant;
  size_t max;
  found *v;
  size_t n, cap;
  int64_t latest; /* of what was found */
} scan;

/* -- life ------------------------------------------------------------------------------------------------ */

static oc_query *query_new(oc_store *s) {
  oc_query *q = calloc(1, sizeof *q);
  if (!q) return NULL;
  q->s = s;
  ov_arena_init(&q->a, QUERY_BYTES_MAX);
  ov_arena_init(&q->look, LOOK_BYTES_MAX);
  return q;
}

void oc_query_free(oc_query *q) {
  if (!q) return;
  ov_arena_free(&q->a);
  ov_arena_free(&q->look);
  free(q->v);
  free(q->writers);
  free(q);
}

size_t oc_query_count(const oc_query *q) { return q->n; }
const oc_record *oc_query_at(const oc_query *q, size_t i) { return i < q->n ? q->v[i] : NULL; }
bool oc_query_more(const oc_query *q) { return q->more; }

static int load_writers(oc_query *q, oc_txn *t) {
  oc_writer_row w;
  int err = oc_writer_next(t, NULL, &w);
  for (; !err; err = oc_writer_next(t, &w.writer, &w)) {
    oc_writer_row *more = realloc(q->writers, (q->n_writers + 1) * sizeof *more);
    if (!more) return OV_E_NOMEM;
    q->writers = more;
    q->writers[q->n_writers++] = w;
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* PROTO-119 */
bool oc_own_state(const oc_query *q, const ov_name *op, oc_sync_state *out) {
  for (size_t i = 0; i < q->n_writers; i++) {
    const oc_writer_row *w = &q->writers[i];
    if (!ov_id_equal(&w->writer, &op->writer)) continue;
    *out = op->seq > w->acked ? OC_ON_DEVICE : op->seq > w->safe ? OC_ON_SERVER : OC_SAFE;
    return true;
  }
  return false;
}

static int append(oc_query *q, oc_txn *t, const ov_name *name) {
  if (q->n == q->cap) {
    size_t cap = q->cap ? 2 * q->cap : 64;
    oc_record **more = realloc(q->v, cap * sizeof *more);
    if (!more) return OV_E_NOMEM;
    q->v = more;
    q->cap = cap;
  }
  ov_arena_reset(&q->look);
  int err = oc_record_make(q, t, name, &q->v[q->n]);
  if (!err) q->n++;
  return err;
}

/* -- scanning -------------------------------------------------------------------------------------------- */

/* Logs are what is written about clients day by day; reference data is asked for by kind. */
static bool is_log(const ov_skind *k) {
  return k && k->id != OV_KIND_LOOK && (k->windowed || (k->participant == OV_P_REQUIRED && k->occurred));
}

static bool wanted_kind(const scan *c, uint16_t kind) {
  if (c->kind) return kind == c->kind;
  return c->any_kind ? kind != OV_KIND_SCHEMA && kind != OV_KIND_LOOK
                     : is_log(ov_schemas_kind(c->q->s->schemas, kind));
}

static bool wanted_flags(const oc_filter *f, uint8_t flags) {
  if (f->conflicts_only && !(flags & OC_ROW_CONFLICT)) return false;
  if (f->attention_only && !(flags & OC_ROW_ATTENTION)) return false;
  if (f->unsent_only && !(flags & OC_ROW_UNSENT)) return false;
  return f->retracted_too || !(flags & OC_ROW_RETRACTED);
}

/* The index holds days by UTC; people count days by their clock. */
static int local_day(scan *c, const ov_name *name, const oc_row *row, int64_t *day) {
  const ov_skind *k = ov_schemas_kind(c->q->s->schemas, row->kind);
  const ov_sfield *f = k && k->occurred ? ov_skind_field(k, k->occurred) : NULL;
  *day = row->day;
  if (!f || f->type != OV_F_DATETIME) return 0;
  oc_view v;
  int err = oc_view_get(c->q->s, c->t, name, &c->q->look, &v);
  const ov_live *l = err ? NULL : ov_record_field(&v.rec, f->id, NULL);
  if (l && l->v.type == OV_V_INT && oc_day_of(l->v.i) == row->day) *day = oc_local_day(c->q->s->zone, l->v.i);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int look_at(scan *c, const ov_name *name) {
  oc_row row;
  int64_t day;
  const oc_filter *f = c->f;
  ov_arena_reset(&c->q->look);
  int err = oc_row_get(c->t, name, &c->q->look, &row);
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  if (!wanted_kind(c, row.kind) || !wanted_flags(f, row.flags)) return 0;
  if (c->by_participant && !ov_name_equal(&row.participant, &c->participant)) return 0;
  err = local_day(c, name, &row, &day);
  if (err) return err;
  if ((f->from_day || f->to_day) && (day < f->from_day || day > f->to_day)) return 0;
  if (c->n == c->cap) {
    size_t cap = c->cap ? 2 * c->cap : 256;
    found *more = realloc(c->v, cap * sizeof *more);
    if (!more) return OV_E_NOMEM;
    c->v = more;
    c->cap = cap;
  }
  c->v[c->n++] = (found){day, *name};
  if (day > c->latest || c->n == 1) c->latest = day;
  return 0;
}

/* Days of the index ascend, local days lie at most one beside them: once enough is found, only days that may
 * still come before the last are read. */
static int scan_days(scan *c) {
  uint8_t key[OC_DB_KEY_MAX], from[4];
  size_t n = 0;
  bool range = c->f->from_day || c->f->to_day;
  uint32_t first = range && c->f->from_day > 1 ? (uint32_t)(c->f->from_day - 1) : 0;
  for (int i = 0; i < 4; i++) from[i] = (uint8_t)(first >> (24 - 8 * i));
  for (;;) {
    int err = n ? oc_next(c->t, OC_T_DAY, NULL, 0, key, n, true, key, &n, NULL, NULL, NULL)
                : oc_next(c->t, OC_T_DAY, NULL, 0, from, sizeof from, false, key, &n, NULL, NULL, NULL);
    if (err) return err == OV_E_NOTFOUND ? 0 : err;
    int64_t day = (int64_t)key[0] << 24 | (int64_t)key[1] << 16 | (int64_t)key[2] << 8 | key[3];
    if (range && day > c->f->to_day + 1) return 0;
    if (c->n > c->max && day > c->latest + 1) return 0;
    ov_name name;
    ov_name_read(key + 6, &name);
    err = look_at(c, &name);
    if (err) return err;
  }
}

static int by_day(const void *a, const void *b) {
  const found *x = a, *y = b;
  if (x->day != y->day) return x->day < y->day ? -1 : 1;
  return ov_name_compare(&x->name, &y->name);
}

static int make_all(scan *c) {
  oc_query *q = c->q;
  if (c->n) qsort(c->v, c->n, sizeof *c->v, by_day);
  q->more = c->n > c->max;
  int err = 0;
  for (size_t i = 0; !err && i < c->n && i < c->max; i++) err = append(q, c->t, &c->v[i].name);
  return err;
}

static int prepare(scan *c, oc_error *e) {
  const oc_filter *f = c->f;
  oc_store *s = c->q->s;
  c->max = f->max ? f->max : QUERY_MAX_DEFAULT;
  c->any_kind = f->conflicts_only || f->attention_only || f->unsent_only;
  if (f->kind) {
    const ov_skind *k = ov_schemas_by_name(s->schemas, f->kind);
    if (!k && !ov_schemas_at(s->schemas, 1)) {
      return oc_say(e, OC_E_NOTFOUND,
                    "no kind \"%.40s\" here: this store has never synced, so it has no schemas yet", f->kind);
    }
    if (!k) return oc_say(e, OC_E_NOTFOUND, "no kind \"%.40s\" here", f->kind);
    c->kind = k->id;
  }
  c->by_participant = f->participant && *f->participant;
  return c->by_participant ? oc_find_named(s, c->t, OV_KIND_PARTICIPANT, f->participant, &c->participant, e)
                           : 0;
}

static int finish(oc_query *q, int err, oc_query **out) {
  if (err) oc_query_free(q);
  else *out = q;
  return err;
}

int oc_query_run(oc_store *s, const oc_filter *f, oc_query **out, oc_error *e) {
  if (e) *e = (oc_error){0};
  *out = NULL;
  int err = oc_lease_check(s, e);
  if (err) return err;
  oc_query *q = query_new(s);
  scan c = {.q = q, .f = f};
  if (!q) return oc_fail(e, OV_E_NOMEM);
  err = oc_fail(e, oc_txn_begin(s->db, false, &c.t));
  if (!err) err = prepare(&c, e);
  if (!err) err = oc_fail(e, load_writers(q, c.t));
  if (!err) err = oc_fail(e, scan_days(&c));
  if (!err) err = oc_fail(e, make_all(&c));
  oc_txn_abort(c.t);
  free(c.v);
  if (!err) err = oc_fail(e, oc_looks_note(s, q));
  return finish(q, err, out);
}

int oc_show(oc_store *s, const char *record, oc_query **out, oc_error *e) {
  if (e) *e = (oc_error){0};
  *out = NULL;
  int err = oc_lease_check(s, e);
  if (err) return err;
  ov_name name;
  oc_txn *t = NULL;
  oc_query *q = query_new(s);
  if (!q) return oc_fail(e, OV_E_NOMEM);
  err = oc_fail(e, oc_txn_begin(s->db, false, &t));
  if (!err) err = oc_find_record(s, t, record, &name, e);
  if (!err) err = oc_fail(e, load_writers(q, t));
  if (!err) err = oc_fail(e, append(q, t, &name));
  oc_txn_abort(t);
  if (!err) err = oc_fail(e, oc_looks_note(s, q));
  return finish(q, err, out);
}
