#include "sv_sums.h"

#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "sv_kinds.h"

/* Months summed in one transaction: some tenths of a second, so that pushes are not kept waiting. */
#define DRAIN_MONTHS 128u
/* Participants looked at in one read transaction of a recount. */
#define RECOUNT_PAGE 16u
#define PROJECTS_MAX 256u
#define RECORDS_MAX 100000u /* of one participant, kind and month */
#define DAY_MIN (-719468)
#define DAY_MAX 2932896 /* the years 0 to 9999 */

typedef struct job {
  sv_org *org;
  sv_measurer *m;
  sv_zone *zone;
  ov_arena list, rec;
  ov_buf made, kept;
  sv_project_dates projects[PROJECTS_MAX];
  unsigned n_projects;
} job;

static void job_end(job *j) {
  if (!j) return;
  sv_measurer_free(j->m);
  sv_zone_close(j->zone);
  ov_arena_free(&j->list);
  ov_arena_free(&j->rec);
  ov_buf_free(&j->made);
  ov_buf_free(&j->kept);
  free(j);
}

static int job_begin(sv_org *org, job **out) {
  *out = NULL;
  job *j = calloc(1, sizeof *j);
  if (!j) return OV_E_NOMEM;
  j->org = org;
  ov_arena_init(&j->list, (size_t)64 << 20);
  ov_arena_init(&j->rec, (size_t)192 << 20);
  ov_buf_init(&j->made, 0);
  ov_buf_init(&j->kept, 0);
  j->m = sv_measurer_new();
  if (!j->m) {
    job_end(j);
    return OV_E_NOMEM;
  }
  (void)sv_zone_open(org->zone, &j->zone); /* without zone files the clock on the wall is UTC */
  *out = j;
  return 0;
}

static int load_projects(job *j, sv_txn *t) {
  ov_name *names;
  uint32_t n = 0;
  ov_arena_reset(&j->list);
  int err = sv_by_kind_day(t, SV_KIND_PROJECT, DAY_MIN, DAY_MAX, &j->list, &names, PROJECTS_MAX, &n);
  j->n_projects = 0;
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    ov_arena_reset(&j->rec);
    err = sv_record_get(t, &names[i], &j->rec, &row);
    if (!err)
      j->projects[j->n_projects++] = (sv_project_dates){names[i],
                                                        sv_record_value(&row.rec, SV_PROJECT_IMPLEMENTATION),
                                                        sv_record_value(&row.rec, SV_PROJECT_FOLLOW_UP)};
  }
  return err;
}

static const sv_project_dates *project_of(const job *j, const ov_record *r) {
  const ov_live *l = ov_record_field(r, F_PROJECT, NULL);
  ov_name name;
  if (!l || l->v.type != OV_V_BYTES || l->v.s.n != OV_NAME_BYTES) return NULL;
  ov_name_read(l->v.s.p, &name);
  for (unsigned i = 0; i < j->n_projects; i++) {
    if (ov_name_equal(&j->projects[i].name, &name)) return &j->projects[i];
  }
  return NULL;
}

/* The sums of a participant's month and family, encoded into j->made; empty when there is nothing. The index
 * goes by days in UTC, the month by the clock on the wall: a day of either neighbour is looked at too. */
static int sum_family(job *j, sv_txn *t, uint32_t month, unsigned family, const ov_name *who) {
  ov_name *names;
  uint32_t n = 0;
  ov_arena_reset(&j->list);
  ov_buf_reset(&j->made);
  int err = sv_by_participant_days(t, who, sv_family_kind(family), sv_month_first_day(month) - 1,
                                   sv_month_first_day(month + 1), &j->list, &names, RECORDS_MAX, &n);
  if (err || !n) return err;
  sv_measurer_begin(j->m, family, j->zone);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    ov_arena_reset(&j->rec);
    err = sv_record_get(t, &names[i], &j->rec, &row);
    if (err || row.erased) continue;
    int64_t day = sv_record_day(&row.rec, j->zone);
    if (day != SV_UNKNOWN && sv_month_of_day(day) == month)
      sv_measurer_add(j->m, &row.rec, project_of(j, &row.rec), NULL);
  }
  if (err) return err;
  sv_sums s = *sv_measurer_end(j->m);
  if (s.records) sv_sums_encode(&s, &j->made);
  return j->made.err;
}

static int sum_month(job *j, sv_txn *t, uint32_t month, const ov_name *who) {
  int err = 0;
  for (unsigned f = 1; !err && f < SV_FAM_END; f++) {
    err = sum_family(j, t, month, f, who);
    if (err) break;
    if (j->made.n) err = sv_sums_put(t, month, (uint8_t)f, who, j->made.p, j->made.n);
    if (!j->made.n || err == OV_E_NOTFOUND) err = sv_sums_del(t, month, (uint8_t)f, who);
  }
  return err;
}

/* -- what is due ----------------------------------------------------------------------------------------- */

/* Has the participant anything of the family on the last day of the month, in UTC? */
static int ends_with(sv_txn *t, const ov_name *who, uint16_t kind, uint32_t month, bool *yes) {
  int64_t day, last = sv_month_first_day(month + 1) - 1;
  int err = sv_participant_day(t, who, kind, last, &day);
  *yes = !err && day == last;
  return err == OV_E_NOTFOUND ? 0 : err;
}

typedef struct walk {
  int (*each)(void *ctx, uint32_t month, unsigned family);
  void *ctx;
  unsigned family;
  uint32_t from; /* months before it were visited */
} walk;

static int visit(walk *w, uint32_t month) {
  if (month < w->from) return 0;
  w->from = month + 1;
  return w->each(w->ctx, month, w->family);
}

/* Calls each once for every family and month in which a participant has something of it, and for the
 * neighbour of a month's first or last day, which may be its own on the clock on the wall. */
static int each_month(sv_txn *t, const ov_name *who, int (*each)(void *ctx, uint32_t month, unsigned family),
                      void *ctx) {
  int err = 0;
  for (unsigned f = 1; !err && f < SV_FAM_END; f++) {
    walk w = {each, ctx, f, 0};
    int64_t day, from = DAY_MIN;
    while (!err && !(err = sv_participant_day(t, who, sv_family_kind(f), from, &day)) && day <= DAY_MAX) {
      uint32_t month = sv_month_of_day(day);
      bool next = false;
      if (day == sv_month_first_day(month)) err = visit(&w, month - 1);
      if (!err) err = visit(&w, month);
      if (!err) err = ends_with(t, who, sv_family_kind(f), month, &next);
      if (!err && next) err = visit(&w, month + 1);
      from = sv_month_first_day(month + 1);
    }
    if (err == OV_E_NOTFOUND) err = 0;
  }
  return err;
}

typedef struct due_ctx {
  sv_txn *t;
  const ov_name *who;
} due_ctx;

static int add_due(void *ctx, uint32_t month, unsigned family) {
  due_ctx *d = ctx;
  (void)family;
  return sv_sums_due_add(d->t, d->who, sv_month_first_day(month) + 14); /* it, and no neighbour */
}

static int all_due(sv_txn *t) {
  ov_name who, after;
  const ov_name *at = NULL;
  int err;
  while (!(err = sv_participant_next(t, at, &who))) {
    due_ctx d = {t, &who};
    if ((err = each_month(t, &who, add_due, &d))) return err;
    after = who;
    at = &after;
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int drain_with(job *j, sv_txn *t, uint64_t *done, bool *more) {
  uint32_t month;
  ov_name who;
  int err = load_projects(j, t);
  *done = 0;
  *more = false;
  while (!err && !(err = sv_sums_due_first(t, &month, &who))) {
    if (*done == DRAIN_MONTHS) {
      *more = true;
      return 0;
    }
    err = sv_sums_due_del(t, month, &who);
    if (!err) err = ov_name_is_zero(&who) ? all_due(t) : sum_month(j, t, month, &who);
    ++*done;
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

int sv_sums_drain_some(sv_txn *t, sv_org *org, uint64_t *done, bool *more) {
  job *j;
  int err = job_begin(org, &j);
  if (err) return err;
  err = drain_with(j, t, done, more);
  job_end(j);
  return err;
}

typedef struct drain_ctx {
  job *j;
  uint64_t done;
  bool more;
} drain_ctx;

static int drain_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  drain_ctx *d = arg;
  (void)a;
  (void)touches;
  return drain_with(d->j, t, &d->done, &d->more);
}

static int anything_due(sv_org *org, bool *due) {
  sv_txn *t = NULL;
  uint32_t month;
  ov_name who;
  int err = sv_txn_read(org->env, &t);
  if (!err) err = sv_sums_due_first(t, &month, &who);
  sv_txn_abort(t);
  *due = !err;
  return err == OV_E_NOTFOUND ? 0 : err;
}

int sv_sums_drain(const sv_insight *in, sv_org *org, uint64_t *done) {
  drain_ctx d = {.more = false};
  uint64_t all = 0;
  int err = anything_due(org, &d.more);
  if (!err && d.more) err = job_begin(org, &d.j);
  while (!err && d.more) {
    err = in->write(in->ctx, org, drain_work, &d);
    all += d.done;
  }
  job_end(d.j);
  if (done) *done = all;
  return err;
}

/* -- the recount ----------------------------------------------------------------------------------------- */

typedef struct recount {
  job *j;
  sv_txn *t;
  ov_name who;
  sv_sums_found found;
  void *ctx;
  uint64_t checked, differing;
} recount;

static bool is_due(sv_txn *t, const ov_name *who, uint32_t month, int *err) {
  static const ov_name all;
  bool due = false, every = false;
  if (!*err) *err = sv_sums_due_has(t, month, who, &due);
  if (!*err) *err = sv_sums_due_has(t, 0, &all, &every);
  return due || every;
}

static void differs(recount *r, const ov_name *who, uint32_t month, unsigned family) {
  r->differing++;
  const char *name = sv_family_name(family);
  if (r->found) r->found(r->ctx, who, month, name ? name : "unknown");
}

static int check_month(void *ctx, uint32_t month, unsigned family) {
  recount *r = ctx;
  job *j = r->j;
  int err = 0;
  if (is_due(r->t, &r->who, month, &err)) return err;
  ov_buf_reset(&j->kept);
  err = sum_family(j, r->t, month, family, &r->who);
  if (err) return err;
  err = sv_sums_get(r->t, month, (uint8_t)family, &r->who, &j->kept);
  if (err && err != OV_E_NOTFOUND) return err;
  r->checked += j->kept.n > 0;
  if (j->kept.n != j->made.n || (j->made.n && memcmp(j->kept.p, j->made.p, j->made.n)))
    differs(r, &r->who, month, family);
  return 0;
}

/* From the records: every month is summed as it is stored. */
static int by_records(recount *r, bool *more, bool *started) {
  int err = 0;
  for (unsigned i = 0; !err && i < RECOUNT_PAGE; i++) {
    ov_name after = r->who;
    err = sv_participant_next(r->t, *started ? &after : NULL, &r->who);
    *started = true;
    *more = !err;
    if (!err) err = each_month(r->t, &r->who, check_month, r);
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* From the rows: none stands for a month without records. */
static int by_rows(recount *r) {
  uint32_t month = 0;
  uint8_t family = 0;
  ov_name who;
  bool started = false;
  int err;
  while (!(err = sv_sums_next(r->t, started, &month, &family, &who))) {
    int64_t day = 0;
    int lost = 0;
    started = true;
    err = sv_participant_day(r->t, &who, sv_family_kind(family), sv_month_first_day(month) - 1, &day);
    bool there = !err && day <= sv_month_first_day(month + 1);
    if (err && err != OV_E_NOTFOUND) return err;
    /* What is left of an erased participant nobody can open: it is absent, and no difference. */
    bool erased = sv_keyring_destroyed(r->j->org->keyring, &who);
    if (!there && !erased && !is_due(r->t, &who, month, &lost)) differs(r, &who, month, family);
    if (lost) return lost;
  }
  return err == OV_E_NOTFOUND ? 0 : err;
}

int sv_sums_recount(sv_org *org, sv_sums_found found, void *ctx, uint64_t *checked, uint64_t *differing) {
  recount r = {.found = found, .ctx = ctx};
  bool more = true, started = false;
  int err = job_begin(org, &r.j);
  while (!err && more) {
    err = sv_txn_read(org->env, &r.t);
    if (!err) err = load_projects(r.j, r.t);
    if (!err) err = by_records(&r, &more, &started);
    if (!err && !more) err = by_rows(&r);
    sv_txn_abort(r.t);
    r.t = NULL;
  }
  job_end(r.j);
  *checked = r.checked;
  *differing = r.differing;
  return err;
}
