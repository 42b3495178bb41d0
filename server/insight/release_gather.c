/* One pass over all organisations: sums of a month become contributions to tables. One family at a time is in
 * memory: about 50 bytes a client and table. */
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "release_priv.h"
#include "sv_consent.h"
#include "sv_kinds.h"

#define DAY_MIN (-719468)
#define DAY_MAX 2932896
#define CODES_MAX 16u
#define TABLES_MAX 256u
#define VALUES_MAX 128u /* measures x sources of one family */
#define FIELD_NUMBER 2
#define NETWORK_NAME 3
#define NETWORK_TYPE 4
#define NETWORK_STORIES_MIN 5
#define NETWORK_STORIES_MAX 6
#define KIND_NETWORK 11

/* -- clients --------------------------------------------------------------------------------------------- */

static uint32_t hash_of(uint16_t org, const ov_name *name) {
  uint8_t b[OV_NAME_BYTES];
  uint32_t h = 2166136261u ^ org;
  ov_name_write(name, b);
  for (unsigned i = 0; i < sizeof b; i++) h = (h ^ b[i]) * 16777619u;
  return h;
}

static int grow_slots(rel_clients *c) {
  uint32_t n = c->n_slots ? 2 * c->n_slots : 1024;
  uint32_t *s = calloc(n, sizeof *s);
  if (!s) return OV_E_NOMEM;
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t at = hash_of(c->v[i].org, &c->v[i].name) & (n - 1);
    while (s[at]) at = (at + 1) & (n - 1);
    s[at] = i + 1;
  }
  free(c->slots);
  c->slots = s;
  c->n_slots = n;
  return 0;
}

static int grow_clients(rel_clients *c) {
  uint32_t cap = c->cap ? 2 * c->cap : 512;
  sv_client *v = realloc(c->v, cap * sizeof *v);
  if (v) c->v = v;
  int8_t *consent = realloc(c->consent, cap);
  if (consent) c->consent = consent;
  if (!v || !consent) return OV_E_NOMEM;
  c->cap = cap;
  return 0;
}

int rel_client(rel_clients *c, uint16_t org, const ov_name *name, uint32_t *number) {
  int err = 2 * c->n >= c->n_slots ? grow_slots(c) : 0;
  if (!err && c->n == c->cap) err = grow_clients(c);
  if (err) return err;
  uint32_t at = hash_of(org, name) & (c->n_slots - 1);
  for (; c->slots[at]; at = (at + 1) & (c->n_slots - 1)) {
    const sv_client *x = &c->v[c->slots[at] - 1];
    if (x->org != org || !ov_name_equal(&x->name, name)) continue;
    *number = c->slots[at] - 1;
    return 0;
  }
  memset(&c->v[c->n], 0, sizeof c->v[c->n]);
  c->v[c->n].org = org;
  c->v[c->n].name = *name;
  c->consent[c->n] = -1;
  *number = c->n++;
  c->slots[at] = *number + 1;
  return 0;
}

void rel_clients_free(rel_clients *c) {
  free(c->v);
  free(c->consent);
  free(c->slots);
  memset(c, 0, sizeof *c);
}

int rel_consents(rel_job *j, uint32_t org) {
  sv_txn *t = NULL;
  int err = sv_txn_read(j->orgs[org].org->env, &t);
  for (uint32_t i = 0; !err && i < j->clients.n; i++) {
    if (j->clients.v[i].org != org || j->clients.consent[i] >= 0) continue;
    bool yes = false;
    err = sv_consent(t, j->orgs[org].org, &j->clients.v[i].name, SV_PURPOSE_RESEARCH, j->in->now_ms / 1000,
                     &yes);
    j->clients.consent[i] = yes;
  }
  sv_txn_abort(t);
  return err;
}

/* -- networks and projects ------------------------------------------------------------------------------- */

static void take_network(const sv_record_row *row, sv_network *networks) {
  int64_t number = sv_record_value(&row->rec, FIELD_NUMBER), type = sv_record_value(&row->rec, NETWORK_TYPE);
  if (number < 1 || number > (int64_t)SV_GROUP_MAX) return;
  sv_network *n = &networks[number];
  const ov_live *name = ov_record_field(&row->rec, NETWORK_NAME, NULL);
  n->type = type == 2 ? 2 : 1;
  n->record = row->rec.name;
  n->stories_min = sv_record_value(&row->rec, NETWORK_STORIES_MIN);
  n->stories_max = sv_record_value(&row->rec, NETWORK_STORIES_MAX);
  if (!name || name->v.type != OV_V_TEXT) return;
  size_t len = name->v.s.n < OV_LABEL_BYTES_MAX ? name->v.s.n : OV_LABEL_BYTES_MAX;
  memcpy(n->name, name->v.s.p, len);
  n->name[len] = 0;
}

static bool counts(const sv_record_row *row) {
  return !row->erased && row->rec.created && ov_record_retracted(&row->rec) != OV_RETRACTED;
}

int rel_load_networks(sv_org *programme, sv_network *networks) {
  sv_txn *t = NULL;
  ov_arena a;
  ov_name *names;
  uint32_t n = 0;
  ov_arena_init(&a, (size_t)64 << 20);
  int err = sv_txn_read(programme->env, &t);
  if (!err) err = sv_by_kind_day(t, KIND_NETWORK, DAY_MIN, DAY_MAX, &a, &names, 1000, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    err = sv_record_get(t, &names[i], &a, &row);
    if (!err && counts(&row)) take_network(&row, networks);
  }
  sv_txn_abort(t);
  ov_arena_free(&a);
  return err;
}

static uint16_t network_of(const rel_job *j, const ov_record *r) {
  const ov_live *l = ov_record_field(r, SV_PROJECT_NETWORK, NULL);
  ov_name name;
  if (!l || l->v.type != OV_V_BYTES || l->v.s.n != OV_NAME_BYTES) return 0;
  ov_name_read(l->v.s.p, &name);
  for (unsigned g = 1; g <= SV_GROUP_MAX; g++) {
    if (j->networks[g].type && ov_name_equal(&j->networks[g].record, &name)) return (uint16_t)g;
  }
  return 0;
}

static int load_projects(rel_job *j, rel_org *o) {
  sv_txn *t = NULL;
  ov_arena a;
  ov_name *names;
  uint32_t n = 0;
  ov_arena_init(&a, (size_t)64 << 20);
  int err = sv_txn_read(o->org->env, &t);
  if (!err) err = sv_by_kind_day(t, SV_KIND_PROJECT, DAY_MIN, DAY_MAX, &a, &names, 1000, &n);
  if (!err) {
    o->projects = calloc(n + 1, sizeof *o->projects);
    o->networks = calloc(n + 1, sizeof *o->networks);
    if (!o->projects || !o->networks) err = OV_E_NOMEM;
  }
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    err = sv_record_get(t, &names[i], &a, &row);
    if (err || !counts(&row)) continue;
    o->projects[o->n_projects] = names[i];
    o->networks[o->n_projects++] = network_of(j, &row.rec);
  }
  sv_txn_abort(t);
  ov_arena_free(&a);
  return err;
}

int rel_open_orgs(rel_job *j) {
  int err = 0;
  for (unsigned i = 0; !err; i++) {
    sv_org *org = j->in->org_at(j->in->ctx, i);
    if (!org) break;
    if (j->n_orgs == sizeof j->orgs / sizeof j->orgs[0]) return OV_E_LIMIT;
    j->orgs[j->n_orgs].org = org;
    err = load_projects(j, &j->orgs[j->n_orgs++]);
  }
  return err;
}

void rel_close_orgs(rel_job *j) {
  for (uint32_t i = 0; i < j->n_orgs; i++) {
    free(j->orgs[i].projects);
    free(j->orgs[i].networks);
  }
}

static uint16_t group_of(const rel_org *o, const ov_name *project) {
  for (uint32_t i = 0; i < o->n_projects; i++) {
    if (ov_name_equal(&o->projects[i], project)) return o->networks[i];
  }
  return 0;
}

/* -- tables ---------------------------------------------------------------------------------------------- */

typedef struct acc {
  const sv_measure *m;
  uint8_t split;
  int8_t codes[CODES_MAX];
  unsigned n_codes;             /* CATEGORY; else 0 */
  sv_contrib *lists[CODES_MAX]; /* lists[0] for all else */
  uint32_t n, cap;
} acc;

typedef struct pass {
  rel_job *j;
  unsigned family;
  uint32_t org;
  acc tables[TABLES_MAX];
  unsigned n;
} pass;

static void pass_free(pass *p) {
  if (!p) return;
  for (unsigned i = 0; i < p->n; i++) {
    for (unsigned c = 0; c < CODES_MAX; c++) free(p->tables[i].lists[c]);
  }
  free(p);
}

/* Codes as an export shows them: reasons 1 and 2 of remote care are one. */
static void list_codes(const rel_job *j, acc *a) {
  const ov_skind *k = ov_schemas_kind(j->in->programme->schemas, a->m->kind);
  const ov_sfield *f = k ? ov_skind_field(k, a->m->field) : NULL;
  for (uint32_t i = 0; f && i < f->n_codes && a->n_codes < CODES_MAX; i++) {
    bool merged = a->m->id == M_REMOTE_REASON && f->codes[i].code == REASON_QUARANTINE;
    bool other_scale = a->m->split == SV_SPLIT_SCALE && a->split == 5 && f->codes[i].code == -3;
    if (!merged && !other_scale) a->codes[a->n_codes++] = (int8_t)f->codes[i].code;
  }
}

static acc *table_of(pass *p, const sv_measure *m, unsigned split) {
  for (unsigned i = 0; i < p->n; i++) {
    if (p->tables[i].m == m && p->tables[i].split == split) return &p->tables[i];
  }
  if (p->n == TABLES_MAX) return NULL;
  acc *a = &p->tables[p->n++];
  *a = (acc){.m = m, .split = (uint8_t)split};
  if (m->type == SV_M_CATEGORY) list_codes(p->j, a);
  return a;
}

static int room(acc *a) {
  if (a->n < a->cap) return 0;
  uint32_t cap = a->cap ? 2 * a->cap : 64;
  for (unsigned c = 0; c < (a->n_codes ? a->n_codes : 1); c++) {
    sv_contrib *v = realloc(a->lists[c], cap * sizeof *v);
    if (!v) return OV_E_NOMEM;
    a->lists[c] = v;
  }
  a->cap = cap;
  return 0;
}

static uint16_t tenths(uint32_t part, uint32_t whole) {
  return whole ? (uint16_t)((uint64_t)part * 1000 / whole) : 0;
}

static sv_contrib contribution(const pass *p, uint32_t client, const sv_sums *s) {
  return (sv_contrib){.client = client,
                      .org = (uint16_t)p->org,
                      .group = group_of(&p->j->orgs[p->org], &s->project),
                      .conflicts = tenths(s->conflicts, s->records),
                      .held = tenths(s->held, s->records),
                      .refused = tenths(s->refused, s->records)};
}

static int add_value(pass *p, const sv_client_value *v, sv_contrib c) {
  acc *a = table_of(p, v->m, v->split);
  int err = a ? room(a) : OV_E_LIMIT;
  if (err) return err;
  c.milli = v->milli;
  c.flags = (uint8_t)v->flags;
  a->lists[0][a->n++] = c;
  return 0;
}

static int add_codes(pass *p, const sv_measure *m, unsigned split, sv_contrib c, const sv_sums *s) {
  acc *a = table_of(p, m, split);
  int err = a ? room(a) : OV_E_LIMIT;
  if (err) return err;
  for (unsigned k = 0; k < a->n_codes; k++) {
    unsigned flags;
    if (!sv_sums_value(s, m, split, a->codes[k], 0, p->j->days, &c.milli, &flags)) return 0;
    c.flags = (uint8_t)flags;
    a->lists[k][a->n] = c;
  }
  a->n += a->n_codes > 0;
  return 0;
}

/* Splits that this client has of the measure. */
static uint32_t splits_of(const sv_sums *s, const sv_measure *m) {
  uint32_t set = 0;
  for (uint32_t i = 0; i < s->n; i++) {
    if (s->v[i].measure == m->id && s->v[i].split < 32) set |= (uint32_t)1 << s->v[i].split;
  }
  return set;
}

static int take_row(void *ctx, const ov_name *who, const uint8_t *bytes, size_t n) {
  pass *p = ctx;
  uint32_t client;
  int err = rel_client(&p->j->clients, (uint16_t)p->org, who, &client);
  if (!err && p->j->clients.consent[client] == 0) return 0;
  if (!err) err = sv_sums_decode(bytes, n, p->j->sums) ? OV_E_CORRUPT : 0;
  if (err) return err;
  sv_client_value v[VALUES_MAX];
  uint32_t k = sv_sums_values(p->j->sums, p->j->days, v, VALUES_MAX);
  sv_contrib c = contribution(p, client, p->j->sums);
  for (uint32_t i = 0; !err && i < k; i++) err = add_value(p, &v[i], c);
  for (unsigned i = 0; !err && sv_measure_at(i); i++) {
    const sv_measure *m = sv_measure_at(i);
    bool codes = m->family == p->family && m->type == SV_M_CATEGORY;
    uint32_t set = codes ? splits_of(p->j->sums, m) : 0;
    for (unsigned split = 0; !err && set >> split; split++) {
      if (set >> split & 1) err = add_codes(p, m, split, c, p->j->sums);
    }
  }
  return err;
}

static int meet_client(void *ctx, const ov_name *who, const uint8_t *bytes, size_t n) {
  pass *p = ctx;
  uint32_t client;
  (void)bytes;
  (void)n;
  return rel_client(&p->j->clients, (uint16_t)p->org, who, &client);
}

/* Twice over an organisation's rows: who is there, then, knowing who consents, what they say. */
static int gather_org(pass *p, uint32_t org) {
  sv_txn *t = NULL;
  p->org = org;
  int err = sv_txn_read(p->j->orgs[org].org->env, &t);
  if (!err) err = sv_sums_each(t, p->j->month, (uint8_t)p->family, meet_client, p);
  sv_txn_abort(t);
  if (!err) err = rel_consents(p->j, org);
  if (err) return err;
  err = sv_txn_read(p->j->orgs[org].org->env, &t);
  if (!err) err = sv_sums_each(t, p->j->month, (uint8_t)p->family, take_row, p);
  sv_txn_abort(t);
  return err;
}

/* Tables that nobody has anything for are made too: the sources that a measure can have, without people. */
static int empty_tables(pass *p) {
  for (unsigned i = 0; sv_measure_at(i); i++) {
    const sv_measure *m = sv_measure_at(i);
    unsigned from = m->split == SV_SPLIT_SOURCE ? 1 : m->split == SV_SPLIT_SCALE ? 5 : 0;
    unsigned to = m->split == SV_SPLIT_NONE ? 0 : 6;
    if (m->id == M_GOAL_T) to = 5;
    for (unsigned s = from; m->family == p->family && s <= to; s++) {
      if (!table_of(p, m, s)) return OV_E_LIMIT;
    }
  }
  return 0;
}

static int by_measure(const void *a, const void *b) {
  const acc *x = a, *y = b;
  if (x->m->id != y->m->id) return x->m->id < y->m->id ? -1 : 1;
  return x->split < y->split ? -1 : x->split > y->split;
}

static int make_table(rel_job *j, acc *a) {
  sv_table_in in = {.measure = a->m,
                    .split = a->split,
                    .v = a->lists[0],
                    .n = a->n,
                    .breakdowns = j->breakdowns,
                    .types = j->types,
                    .prior = NULL};
  sv_cells prior = {.n = 0};
  int err = 0;
  for (uint32_t i = 0; !err && i < j->prior.n; i++) { /* borrowed: freed with j->prior */
    const sv_cell *c = &j->prior.v[i];
    if (c->measure != a->m->id || c->split != a->split || c->paired) continue;
    sv_cell *mine = sv_cells_add(&prior);
    if (mine) *mine = *c;
    else err = OV_E_NOMEM;
  }
  in.prior = &prior;
  if (!err && a->m->type == SV_M_CATEGORY)
    err = sv_sdc_row(&j->rules, &in, a->codes, a->lists, a->n_codes, &j->cells);
  else if (!err) err = sv_sdc_table(&j->rules, &in, &j->cells);
  free(prior.v);
  return err;
}

int rel_family(rel_job *j, unsigned family) {
  pass *p = calloc(1, sizeof *p);
  if (!p) return OV_E_NOMEM;
  p->j = j;
  p->family = family;
  int err = 0;
  for (uint32_t o = 0; !err && o < j->n_orgs; o++) err = gather_org(p, o);
  if (!err) err = empty_tables(p);
  if (p->n) qsort(p->tables, p->n, sizeof *p->tables, by_measure);
  for (unsigned i = 0; !err && i < p->n; i++) err = make_table(j, &p->tables[i]);
  pass_free(p);
  return err;
}

/* -- pairs ----------------------------------------------------------------------------------------------- */

typedef struct pair_acc {
  sv_sum base, follow;
  uint16_t group;
} pair_acc;

typedef struct pairs {
  rel_job *j;
  const sv_measure *m;
  unsigned split;
  uint32_t org;
  pair_acc *v; /* by client number */
  uint32_t cap;
} pairs;

static int pair_room(pairs *p, uint32_t client) {
  if (client < p->cap) return 0;
  uint32_t cap = p->cap ? p->cap : 256;
  while (cap <= client) cap *= 2;
  pair_acc *v = realloc(p->v, cap * sizeof *v);
  if (!v) return OV_E_NOMEM;
  memset(v + p->cap, 0, (cap - p->cap) * sizeof *v);
  p->v = v;
  p->cap = cap;
  return 0;
}

static int take_pair(void *ctx, const ov_name *who, const uint8_t *bytes, size_t n) {
  pairs *p = ctx;
  uint32_t client;
  int err = rel_client(&p->j->clients, (uint16_t)p->org, who, &client);
  if (!err) err = pair_room(p, client);
  if (!err) err = sv_sums_decode(bytes, n, p->j->sums) ? OV_E_CORRUPT : 0;
  for (uint32_t i = 0; !err && i < p->j->sums->n; i++) {
    const sv_sum *e = &p->j->sums->v[i];
    if (e->measure != p->m->id || e->split != p->split ||
        (e->phase != PHASE_BASELINE && e->phase != PHASE_FOLLOW_UP))
      continue;
    sv_sum *to = e->phase == PHASE_BASELINE ? &p->v[client].base : &p->v[client].follow;
    to->n += e->n;
    to->sum += e->sum;
    p->v[client].group = group_of(&p->j->orgs[p->org], &p->j->sums->project);
  }
  return err;
}

static int pair_org(pairs *p, uint32_t org) {
  uint32_t first = p->j->month;
  uint8_t family = 0;
  ov_name who;
  sv_txn *t = NULL;
  p->org = org;
  int err = sv_txn_read(p->j->orgs[org].org->env, &t);
  if (!err) err = sv_sums_next(t, false, &first, &family, &who);
  for (uint32_t m = first; !err && m <= p->j->month; m++)
    err = sv_sums_each(t, m, p->m->family, take_pair, p);
  sv_txn_abort(t);
  if (err == OV_E_NOTFOUND) err = 0;
  return err ? err : rel_consents(p->j, org);
}

static int freeze(pairs *p) {
  rel_job *j = p->j;
  sv_pair *v = malloc((p->cap ? p->cap : 1) * sizeof *v);
  uint32_t n = 0;
  if (!v) return OV_E_NOMEM;
  for (uint32_t i = 0; i < p->cap && i < j->clients.n; i++) {
    const pair_acc *a = &p->v[i];
    sv_pair x = {.client = i, .org = j->clients.v[i].org, .group = a->group};
    unsigned flags;
    if (a->base.n < SV_PAIR_ENTRIES_MIN || a->follow.n < SV_PAIR_ENTRIES_MIN || j->clients.consent[i] != 1)
      continue;
    if (!sv_sum_value(&a->base, p->m, 0, 0, &x.base, &flags) ||
        !sv_sum_value(&a->follow, p->m, 0, 0, &x.follow, &flags))
      continue;
    v[n++] = x;
  }
  int err = sv_sdc_freeze(&j->rules, p->m, (uint8_t)p->split, v, n, &j->batches);
  free(v);
  return err;
}

static int pair_measure(rel_job *j, const sv_measure *m, unsigned split) {
  pairs p = {.j = j, .m = m, .split = split};
  int err = 0;
  for (uint32_t o = 0; !err && o < j->n_orgs; o++) err = pair_org(&p, o);
  if (!err) err = freeze(&p);
  free(p.v);
  return err ? err
             : sv_sdc_paired(&j->rules, m, (uint8_t)split, j->breakdowns, j->types, &j->batches, &j->cells);
}

int rel_paired(rel_job *j) {
  int err = 0;
  for (unsigned i = 0; !err && sv_measure_at(i); i++) {
    const sv_measure *m = sv_measure_at(i);
    unsigned from = m->split == SV_SPLIT_SOURCE ? 1 : 0, to = m->split == SV_SPLIT_SOURCE ? 6 : 0;
    for (unsigned s = from; !err && m->paired && s <= to; s++) err = pair_measure(j, m, s);
  }
  return err;
}
