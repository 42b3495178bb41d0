#include "sdc_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x) { /* splitmix64 */
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

static unsigned below(sw_world *w, unsigned n) { return (unsigned)(mix(w->random++) % n); }
static unsigned of_client(const sw_client *c, unsigned what, unsigned n) {
  return (unsigned)(mix(c->seed ^ what) % n);
}

static void must(int err) {
  if (!err) return;
  fprintf(stderr, "sdc_world: error %d\n", err);
  abort();
}

static bool syncs_late(const sw_client *c, unsigned month) { return of_client(c, 5000 + month, 100) < 2; }

bool sw_changes(const sw_client *c, unsigned month, const sv_measure *m) {
  return syncs_late(c, month) && (m->type != SV_M_SHARE || c->sometimes);
}

bool sw_code(const sw_client *c, unsigned month, int code) {
  static const unsigned percent[] = {0, 95, 60, 30, 2, 1, 40};
  return of_client(c, 7000 + 10 * month + (unsigned)code, 100) < percent[code];
}

static void make_clients(sw_world *w) {
  for (unsigned p = 0; p < SW_PROJECTS; p++) {
    unsigned org = p < 4 ? p / 2 : p - 2, n = 4 + below(w, 12) + below(w, 12);
    if (p % SW_NETWORKS == 4)
      n = 3 + below(w, 3); /* one small network: what it hides, the others must not tell */
    for (unsigned i = 0; i < n && w->n_clients < SW_CLIENTS_MAX; i++) {
      sw_client *c = &w->clients[w->n_clients++];
      *c = (sw_client){.org = (uint16_t)org,
                       .network = (uint16_t)(1 + p % SW_NETWORKS),
                       .joins = below(w, 10) < 6 ? 0 : below(w, SW_MONTHS),
                       .leaves = below(w, 10) < 3 ? 0 : SW_MONTHS,
                       .seed = mix(w->random++)};
      if (below(w, 100) < 12) c->leaves = below(w, SW_MONTHS);
      c->paired_from = c->joins + 2 + below(w, 8);
      c->sensor = below(w, 100) < (c->network == 1 ? 55u : 2u);
      c->sometimes = below(w, 100) < 45;
    }
  }
}

static bool takes_part(const sw_client *c, unsigned month, bool late) {
  if (month < c->joins || month >= c->leaves) return false;
  bool there = of_client(c, month, 100) < 85;
  return there || (late && syncs_late(c, month)); /* some months come in late as a whole */
}

static void keep(sw_world *w, const sv_measure *m, sv_cells *cells, unsigned month, unsigned release,
                 bool late) {
  for (uint32_t i = 0; i < cells->n; i++) {
    if (w->n_told == SW_TOLD_MAX) must(OV_E_LIMIT);
    w->told[w->n_told++] = (sw_told){month, release, late, m, cells->v[i]};
  }
  free(cells->v); /* the sets of clients live on in told */
  *cells = (sv_cells){.n = 0};
}

/* What was told of this question and month so far. */
static void prior_of(const sw_world *w, const sv_measure *m, unsigned split, unsigned month, sv_cells *out) {
  for (uint32_t i = 0; i < w->n_told; i++) {
    const sw_told *t = &w->told[i];
    bool again = false;
    if (t->measure != m || t->month != month || t->cell.split != split || t->cell.paired) continue;
    for (uint32_t k = 0; k < out->n; k++) again |= sv_cell_same(&out->v[k], &t->cell);
    if (!again) *sv_cells_add(out) = t->cell;
  }
}

static uint32_t contributions(const sw_world *w, const sv_measure *m, unsigned split, unsigned month,
                              bool late, int code, sv_contrib *v) {
  uint32_t n = 0;
  for (uint32_t k0 = 0; k0 < w->n_clients; k0++) {
    uint32_t i = w->n_clients - 1 - k0; /* in another order than the numbers': nobody promised one */
    const sw_client *c = &w->clients[i];
    if (!takes_part(c, month, late) || (split == 2 && !c->sensor)) continue;
    unsigned x = of_client(c, 900 + 13 * month + m->id, 1000) + (late && syncs_late(c, month) ? 137 : 0);
    sv_contrib k = {.client = i, .org = c->org, .group = c->network, .flags = SV_HAS_SOME | SV_HAS_REST};
    k.milli = (int64_t)x * 100;
    if (m->type == SV_M_SHARE && !c->sometimes) {
      k.flags = SV_HAS_REST;
      k.milli = 0;
    }
    if (m->type == SV_M_TOTAL) k.milli = 1000 * (1 + (int64_t)(x % 28) * (of_client(c, 77, 40) ? 1 : 30));
    if (code) {
      bool some = sw_code(c, month, code);
      k.flags = (uint8_t)((some ? SV_HAS_SOME : 0u) | SV_HAS_REST);
      k.milli = some ? 25000 : 0;
    }
    v[n++] = k;
  }
  return n;
}

static void release_table(sw_world *w, const sv_measure *m, unsigned split, unsigned month, bool late,
                          unsigned breakdowns, unsigned release) {
  sv_contrib *v = calloc(SW_CLIENTS_MAX, sizeof *v);
  sv_cells prior = {.n = 0}, cells = {.n = 0};
  prior_of(w, m, split, month, &prior);
  sv_table_in in = {.measure = m,
                    .split = (uint8_t)split,
                    .v = v,
                    .breakdowns = breakdowns,
                    .types = w->types,
                    .prior = &prior};
  in.n = contributions(w, m, split, month, late, 0, v);
  must(sv_sdc_table(&w->rules, &in, &cells));
  keep(w, m, &cells, month, release, late);
  free(prior.v);
  free(v);
}

static void release_row(sw_world *w, const sv_measure *m, unsigned month, bool late, unsigned release) {
  static const int8_t codes[] = {1, 2, 3, 4, 5, 6};
  sv_contrib *lists[6];
  sv_cells prior = {.n = 0}, cells = {.n = 0};
  prior_of(w, m, 0, month, &prior);
  sv_table_in in = {.measure = m, .breakdowns = 1, .types = w->types, .prior = &prior};
  for (unsigned i = 0; i < 6; i++) {
    lists[i] = calloc(SW_CLIENTS_MAX, sizeof **lists);
    in.n = contributions(w, m, 0, month, late, codes[i], lists[i]);
  }
  in.v = lists[0];
  must(sv_sdc_row(&w->rules, &in, codes, lists, 6, &cells));
  keep(w, m, &cells, month, release, late);
  for (unsigned i = 0; i < 6; i++) free(lists[i]);
  free(prior.v);
}

static void release_pairs(sw_world *w, unsigned month, unsigned release) {
  const sv_measure *m = sv_measure_by_name("sleep_se");
  sv_pair *v = calloc(SW_CLIENTS_MAX, sizeof *v);
  sv_cells cells = {.n = 0};
  uint32_t n = 0;
  for (uint32_t i = 0; i < w->n_clients; i++) {
    const sw_client *c = &w->clients[i];
    if (month < c->paired_from || month >= c->leaves || month < c->joins) continue;
    v[n++] = (sv_pair){i, c->org, c->network, 70000 + (int64_t)of_client(c, 1, 9000),
                       75000 + (int64_t)of_client(c, 2, 9000)};
  }
  must(sv_sdc_freeze(&w->rules, m, 1, v, n, &w->batches));
  must(sv_sdc_paired(&w->rules, m, 1, 3, w->types, &w->batches, &cells));
  keep(w, m, &cells, 0, release, false); /* pairs are of no month: all are compared with all */
  free(v);
}

static void release_all(sw_world *w, unsigned month, bool late, unsigned breakdowns, unsigned release) {
  static const struct {
    const char *name;
    unsigned split;
  } tables[] = {{"sleep_tib", 1}, {"sleep_tib", 2}, {"day_realised", 0}, {"tech_days_total", 0}};
  for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++)
    release_table(w, sv_measure_by_name(tables[i].name), tables[i].split, month, late, breakdowns, release);
  release_row(w, sv_measure_by_name("contact_mode"), month, late, release);
}

void sw_run(sw_world *w, uint64_t seed, const sv_sdc_rules *rules) {
  memset(w, 0, sizeof *w);
  w->random = seed * 1000003;
  w->rules = *rules;
  w->told = calloc(SW_TOLD_MAX, sizeof *w->told);
  if (!w->told) must(OV_E_NOMEM);
  for (unsigned g = 1; g <= SW_NETWORKS; g++) w->types[g] = g == SW_NETWORKS ? 2 : 1;
  make_clients(w);
  for (unsigned m = 0; m < SW_MONTHS; m++) {
    release_all(w, m, false, 1u << SV_BY_ALL | 1u << SV_BY_NETWORK, 3 * m);
    release_pairs(w, m, 3 * m);
    release_all(w, m, true, 1u << SV_BY_ALL | 1u << SV_BY_NETWORK, 3 * m + 1);
    release_all(w, m, true, 1u << SV_BY_ALL | 1u << SV_BY_TYPE, 3 * m + 2);
  }
}

void sw_free(sw_world *w) {
  for (uint32_t i = 0; i < w->n_told; i++) free(w->told[i].cell.clients);
  free(w->told);
  sv_batches_free(&w->batches);
}
