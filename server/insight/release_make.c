/* Making a release: closed month, one pass over the organisations, disclosure control, files, one commit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_priv.h"

#define SUPPLEMENTS_MAX 15u

/* -- may it be made, and is it there? -------------------------------------------------------------------- */

static int check_closed(const sv_insight *in, uint32_t month, char *why) {
  int64_t closes = sv_month_first_day(month + 1) + SV_GRACE_DAYS;
  if (in->now_ms / 1000 >= closes * 86400) return 0;
  char m[SV_RELEASE_ID_MAX], next[SV_RELEASE_ID_MAX];
  uint32_t at = sv_month_of_day(closes);
  sv_month_text(month, m);
  sv_month_text(at, next);
  snprintf(why, OV_ERROR_TEXT_MAX, "%s is not closed: late entries are waited for until %s-%02d", m, next,
           (int)(closes - sv_month_first_day(at) + 1));
  return OV_E_INVALID;
}

/* What the ledger has of this month: whether the breakdowns asked for are there, and the next number. */
typedef struct found {
  bool there;
  uint32_t number; /* the release that has them, or the number to make */
  unsigned have;
} found;

static int head_of(sv_org *programme, uint32_t number, unsigned *breakdowns) {
  sv_release *r;
  int err = sv_release_load(programme, number, &r);
  if (err) return err;
  *breakdowns = r->breakdowns;
  sv_release_free(r);
  return 0;
}

static int look(sv_org *programme, const sv_release_ask *ask, unsigned want, found *f) {
  uint32_t *all = malloc(RELEASES_MAX * sizeof *all), n = 0;
  if (!all) return OV_E_NOMEM;
  *f = (found){.number = 16 * ask->month};
  int err = sv_release_list(programme, all, RELEASES_MAX, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    unsigned have;
    if (all[i] / 16 != ask->month) continue;
    if ((err = head_of(programme, all[i], &have))) break;
    f->have |= have;
    if (!f->there && (have & want) == want) {
      f->there = true;
      f->number = all[i];
    }
    if (!f->there) f->number = all[i] + 1;
  }
  free(all);
  if (!err && !f->there && f->number % 16 > SUPPLEMENTS_MAX - 1) return OV_E_LIMIT;
  return err;
}

/* -- building -------------------------------------------------------------------------------------------- */

static int take_earlier(rel_job *j) {
  uint32_t *all = malloc(RELEASES_MAX * sizeof *all), n = 0;
  if (!all) return OV_E_NOMEM;
  int err = sv_release_list(j->in->programme, all, RELEASES_MAX, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_release *r = NULL;
    err = sv_release_load(j->in->programme, all[i], &r);
    if (!err) err = rel_take(j, r);
    sv_release_free(r);
  }
  free(all);
  j->n_old = j->batches.n;
  return err;
}

static int drain_all(const sv_insight *in) {
  int err = 0;
  for (unsigned i = 0; !err; i++) {
    sv_org *org = in->org_at(in->ctx, i);
    if (!org) break;
    err = sv_sums_drain(in, org, NULL);
  }
  return err;
}

static int load_networks(rel_job *j, char *why) {
  unsigned n = 0;
  int err = rel_load_networks(j->in->programme, j->networks);
  for (unsigned g = 1; g <= SV_GROUP_MAX; g++) {
    j->types[g] = j->networks[g].type;
    n += j->networks[g].type != 0;
  }
  if (err || n <= SV_NETWORKS_MAX) return err;
  snprintf(why, OV_ERROR_TEXT_MAX, "there are %u theme networks, and a release takes %u at most", n,
           SV_NETWORKS_MAX);
  return OV_E_LIMIT;
}

static int build(rel_job *j) {
  int err = rel_open_orgs(j);
  if (!err) err = take_earlier(j);
  for (unsigned f = 1; !err && f < SV_FAM_END; f++) err = rel_family(j, f);
  /* What persists is compared once a month, not with each supplement. */
  if (!err && !j->supplement) err = rel_paired(j);
  return err;
}

/* Takes out of the job what the ledger keeps. */
static int to_release(rel_job *j, sv_release *r) {
  r->number = j->number;
  r->month = j->month;
  r->breakdowns = j->breakdowns;
  r->made_ms = j->in->now_ms;
  memcpy(r->networks, j->networks, sizeof r->networks);
  r->n_orgs = j->n_orgs;
  r->orgs = calloc(j->n_orgs + 1u, sizeof *r->orgs);
  r->fresh.v = calloc(j->batches.n - j->n_old + 1u, sizeof *r->fresh.v);
  r->clients = calloc(j->clients.n + 1u, sizeof *r->clients);
  if (!r->orgs || !r->fresh.v || !r->clients) return OV_E_NOMEM;
  for (uint32_t i = 0; i < j->n_orgs; i++) r->orgs[i] = j->orgs[i].org->id;
  for (uint32_t i = j->n_old; i < j->batches.n; i++) r->fresh.v[r->fresh.n++] = j->batches.v[i];
  j->batches.n = j->n_old;
  r->cells = j->cells;
  j->cells = (sv_cells){.n = 0};
  return 0;
}

/* Only clients behind a cell or a batch are kept, in a numbering of their own. */
static int keep_clients(rel_job *j, sv_release *r) {
  uint32_t *map = calloc(j->clients.n + 1u, sizeof *map);
  if (!map) return OV_E_NOMEM;
  for (uint32_t i = 0; i < r->cells.n; i++) {
    for (uint32_t k = 0; k < r->cells.v[i].n; k++) map[r->cells.v[i].clients[k]] = 1;
  }
  for (uint32_t i = 0; i < r->fresh.n; i++) {
    for (uint32_t k = 0; k < r->fresh.v[i].n; k++) map[r->fresh.v[i].clients[k]] = 1;
  }
  /* Ascending numbers stay ascending. Clients of an organisation that is gone stand in earlier releases. */
  for (uint32_t i = 0; i < j->clients.n; i++) {
    if (!map[i]) continue;
    map[i] = r->n_clients;
    r->clients[r->n_clients] = j->clients.v[i];
    if (r->clients[r->n_clients].org >= r->n_orgs) r->clients[r->n_clients].org = 0;
    r->n_clients++;
  }
  for (uint32_t i = 0; i < r->cells.n; i++) {
    for (uint32_t k = 0; k < r->cells.v[i].n; k++) r->cells.v[i].clients[k] = map[r->cells.v[i].clients[k]];
  }
  for (uint32_t i = 0; i < r->fresh.n; i++) {
    for (uint32_t k = 0; k < r->fresh.v[i].n; k++) r->fresh.v[i].clients[k] = map[r->fresh.v[i].clients[k]];
  }
  free(map);
  return 0;
}

/* -- keeping --------------------------------------------------------------------------------------------- */

typedef struct keep {
  uint32_t number;
  ov_buf parts[PART_ABOUT + 1];
  ov_buf pages[SV_GROUP_MAX + 1]; /* empty: no such network */
  exp_file files[EXP_FILES_MAX];
  unsigned n_files;
} keep;

static int put_all(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  keep *k = arg;
  int err = 0;
  (void)a;
  (void)touches;
  for (uint32_t p = PART_HEAD; !err && p <= PART_ABOUT; p++)
    err = sv_release_put(t, k->number, p, k->parts[p].p, k->parts[p].n);
  for (uint32_t g = 0; !err && g <= SV_GROUP_MAX; g++) {
    if (k->pages[g].n) err = sv_release_put(t, k->number, PART_PAGE + g, k->pages[g].p, k->pages[g].n);
  }
  for (unsigned i = 0; !err && i < k->n_files; i++) err = exp_file_put(t, k->number, &k->files[i]);
  return err;
}

static void keep_free(keep *k) {
  exp_files_free(k->files, k->n_files);
  for (unsigned p = 0; p <= PART_ABOUT; p++) ov_buf_free(&k->parts[p]);
  for (unsigned g = 0; g <= SV_GROUP_MAX; g++) ov_buf_free(&k->pages[g]);
  free(k);
}

/* What pages of networks show; supplements have no figures for them. */
static int make_pages(const rel_job *j, const sv_release *r, ov_buf *pages) {
  json_t *barriers = NULL;
  int err = j->supplement ? 0 : rel_barriers(j->in, j->month, &barriers);
  for (unsigned g = 0; !err && !j->supplement && g <= SV_GROUP_MAX; g++) {
    if (!g || r->networks[g].type) err = rel_page(r, j->in->programme->schemas, g, barriers, &pages[g]);
  }
  json_decref(barriers);
  return err;
}

static int store(rel_job *j, sv_release *r) {
  keep *k = calloc(1, sizeof *k);
  if (!k) return OV_E_NOMEM;
  k->number = r->number;
  for (unsigned p = 0; p <= PART_ABOUT; p++) ov_buf_init(&k->parts[p], 0);
  for (unsigned g = 0; g <= SV_GROUP_MAX; g++) ov_buf_init(&k->pages[g], 0);
  int err = exp_files(r, j->in->programme->schemas, k->files, &k->n_files);
  if (!err) err = rel_encode(r, k->parts);
  if (!err) err = rel_about(j->in->programme, r, &k->parts[PART_ABOUT]);
  if (!err) err = make_pages(j, r, k->pages);
  if (!err) err = j->in->write(j->in->ctx, j->in->programme, put_all, k);
  keep_free(k);
  return err;
}

static void job_free(rel_job *j) {
  if (!j) return;
  rel_close_orgs(j);
  rel_clients_free(&j->clients);
  sv_cells_free(&j->prior);
  sv_cells_free(&j->cells);
  sv_batches_free(&j->batches);
  free(j->networks);
  free(j->sums);
  free(j);
}

static int make(rel_job *j) {
  sv_release *r = calloc(1, sizeof *r);
  int err = r ? build(j) : OV_E_NOMEM;
  if (!err) err = to_release(j, r);
  if (!err) err = keep_clients(j, r);
  if (!err) err = store(j, r);
  sv_release_free(r);
  return err;
}

int sv_release_make(const sv_insight *in, const sv_sdc_rules *rules, const sv_release_ask *ask,
                    uint32_t *number, bool *made, char *why) {
  found f;
  unsigned want = (ask->breakdowns ? ask->breakdowns : 1u << SV_BY_NETWORK) | 1u << SV_BY_ALL;
  *why = 0;
  *made = false;
  int err = check_closed(in, ask->month, why);
  if (!err) err = look(in->programme, ask, want, &f);
  if (err == OV_E_LIMIT)
    snprintf(why, OV_ERROR_TEXT_MAX, "this month has %u supplements already", SUPPLEMENTS_MAX);
  if (err) return err;
  *number = f.number;
  if (f.there) return 0;
  rel_job *j = calloc(1, sizeof *j);
  if (!j) return OV_E_NOMEM;
  j->in = in;
  j->month = ask->month;
  j->number = f.number;
  j->supplement = f.number % 16 != 0;
  j->breakdowns = want;
  j->days = (unsigned)(sv_month_first_day(ask->month + 1) - sv_month_first_day(ask->month));
  j->networks = calloc(SV_GROUP_MAX + 1, sizeof *j->networks);
  j->sums = calloc(1, sizeof *j->sums);
  err = j->networks && j->sums ? drain_all(in) : OV_E_NOMEM;
  if (!err && rules) j->rules = *rules;
  else if (!err) err = sv_release_rules(in->programme, &j->rules);
  if (!err) err = load_networks(j, why);
  if (!err) err = make(j);
  *made = !err;
  job_free(j);
  return err;
}

/* -- how much is told ------------------------------------------------------------------------------------ */

static sv_share_kind kind_of(const sv_cell *c) {
  const sv_measure *m = sv_measure_by_id(c->measure);
  if (c->paired) return SV_SHARE_PAIRED;
  if (m && m->type == SV_M_CATEGORY) return SV_SHARE_CATEGORY;
  if (c->breakdown == SV_BY_ALL) return SV_SHARE_ALL;
  return c->split ? SV_SHARE_SOURCE : SV_SHARE_NETWORK;
}

/* Does anybody of this network have entries of that measure in the month? */
static bool has_entries(const sv_release *r, const sv_cell *c) {
  for (uint32_t i = 0; i < r->cells.n; i++) {
    const sv_cell *o = &r->cells.v[i];
    if (!o->paired && o->measure == c->measure && o->split == c->split && o->breakdown == c->breakdown &&
        o->group == c->group)
      return o->n > 0;
  }
  return false;
}

void sv_release_shares(const sv_release *r, sv_share out[SV_SHARE_COUNT]) {
  static const int simulated[SV_SHARE_COUNT] = {99, 58, 48, -1, -1, -1};
  for (unsigned k = 0; k < SV_SHARE_COUNT; k++) out[k] = (sv_share){.simulated_pct = simulated[k]};
  for (uint32_t i = 0; i < r->cells.n; i++) {
    const sv_cell *c = &r->cells.v[i];
    sv_share_kind k = kind_of(c);
    /* Of questions that nobody in the programme answers nothing can survive; they are not counted. */
    if (c->paired ? c->breakdown != SV_BY_NETWORK || !has_entries(r, c) : !c->n) continue;
    out[k].cells++;
    out[k].told += c->hidden == SV_SHOWN;
    if (c->hidden != SV_SHOWN || c->paired) continue;
    out[SV_SHARE_QUARTILES].cells++;
    out[SV_SHARE_QUARTILES].told += c->q1 != SV_UNKNOWN;
  }
}

const char *sv_share_text(sv_share_kind k) {
  static const char *const texts[SV_SHARE_COUNT] = {"a measure, by network",
                                                    "a measure and source or scale, by network",
                                                    "before and after, by network",
                                                    "a code, all networks together",
                                                    "a measure, all networks together",
                                                    "quartiles, of the cells told"};
  return k < SV_SHARE_COUNT ? texts[k] : "";
}
