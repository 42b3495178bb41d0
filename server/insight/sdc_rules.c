/* Rules 1 to 6: what a cell may say for itself. */
#include <stdlib.h>
#include <string.h>

#include "ov/error.h"
#include "sdc_priv.h"

#define ORGS_MAX 65536u

sv_sdc_rules sv_sdc_rules_usual(void) {
  return (sv_sdc_rules){.clients_min = 10,
                        .orgs_min = 3,
                        .orgs_left_min = 2,
                        .median_min = 20,
                        .quartiles_min = 40,
                        .category_max_pct = 90,
                        .two_max_pct = 85,
                        .p_pct = 10,
                        .count_base = 5,
                        .secondary = true,
                        .overlap = true};
}

unsigned sv_hidden_rule(sv_hidden h) {
  static const uint8_t rules[SV_HIDDEN_COUNT] = {0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 7, 8, 8};
  return h < SV_HIDDEN_COUNT ? rules[h] : 0;
}

const char *sv_hidden_slug(sv_hidden h) {
  static const char *const slugs[SV_HIDDEN_COUNT] = {
      "shown",    "nobody", "clients",  "with_answer", "without_answer", "organisations", "one_organisation",
      "dominant", "p_rule", "category", "secondary",   "overlap",        "changed"};
  return h < SV_HIDDEN_COUNT ? slugs[h] : "unknown";
}

const char *sv_hidden_text(sv_hidden h, bool dutch) {
  static const char *const texts[SV_HIDDEN_COUNT][2] = {
      {"Shown.", "Zichtbaar."},
      {"Nobody has entries for this.", "Niemand heeft hier iets ingevuld."},
      {"Fewer than 10 clients.", "Te weinig mensen: minder dan 10 cliënten."},
      {"Fewer than 10 clients with this answer.",
       "Te weinig mensen: minder dan 10 cliënten met dit antwoord."},
      {"Fewer than 10 clients without this answer.",
       "Te weinig mensen: minder dan 10 cliënten zonder dit antwoord."},
      {"Fewer than 3 organisations.", "Te weinig organisaties: minder dan 3."},
      {"Without one of the organisations fewer than 10 clients or 2 organisations are left.",
       "Zonder een van de organisaties blijven te weinig mensen over."},
      {"Two clients or two organisations make up most of it.",
       "Twee cliënten of organisaties bepalen bijna alles."},
      {"One client's or organisation's part could be estimated too closely.",
       "Het deel van één cliënt of organisatie is te goed te schatten."},
      {"Nearly everybody gave the same answer.", "Bijna iedereen gaf hetzelfde antwoord."},
      {"It could be worked out for a small group from the other figures together.",
       "Met de andere cijfers samen is een kleine groep uit te rekenen."},
      {"It differs from an earlier figure by a small group.",
       "Het verschilt een kleine groep van een eerder cijfer."},
      {"Entries came in after an earlier figure about the same clients.",
       "Er kwam iets bij na een eerder cijfer over dezelfde cliënten."}};
  return h < SV_HIDDEN_COUNT ? texts[h][dutch] : "";
}

/* -- rules 1 to 3 ---------------------------------------------------------------------------------------- */

static int by_org(const void *a, const void *b) {
  const sdc_part *x = a, *y = b;
  return x->org < y->org ? -1 : x->org > y->org;
}

/* Contributions by organisation. */
static uint32_t parts_of(const sv_contrib *v, uint32_t n, sdc_part *parts) {
  uint32_t k = 0;
  for (uint32_t i = 0; i < n; i++)
    parts[i] = (sdc_part){v[i].org, 1, v[i].flags & SV_HAS_SOME ? 1 : 0, v[i].flags & SV_HAS_REST ? 1 : 0,
                          v[i].milli};
  if (n) qsort(parts, n, sizeof *parts, by_org);
  for (uint32_t i = 0; i < n; i++) {
    if (k && parts[k - 1].org == parts[i].org) {
      parts[k - 1].n++;
      parts[k - 1].some += parts[i].some;
      parts[k - 1].rest += parts[i].rest;
      parts[k - 1].total += parts[i].total;
    } else {
      parts[k++] = parts[i];
    }
  }
  return k;
}

bool sdc_asks_some(sv_mtype t) {
  return t == SV_M_SHARE || t == SV_M_RATE || t == SV_M_TOTAL || t == SV_M_CATEGORY;
}
bool sdc_asks_rest(sv_mtype t) { return t == SV_M_SHARE || t == SV_M_CATEGORY; }

sv_hidden sdc_by_parts(const sv_sdc_rules *r, sv_mtype type, const sdc_part *p, uint32_t k) {
  uint32_t n = 0, some = 0, rest = 0;
  for (uint32_t i = 0; i < k; i++) {
    n += p[i].n;
    some += p[i].some;
    rest += p[i].rest;
  }
  if (!n) return SV_HID_NOBODY;
  if (n < r->clients_min) return SV_HID_CLIENTS;
  if (k < r->orgs_min) return SV_HID_ORGS;
  for (uint32_t i = 0; i < k; i++) {
    if (n - p[i].n < r->clients_min || k - 1 < r->orgs_left_min) return SV_HID_ORG_LEFT;
  }
  if (sdc_asks_some(type) && some < r->clients_min) return SV_HID_SOME;
  if (sdc_asks_rest(type) && rest < r->clients_min) return SV_HID_REST;
  return SV_SHOWN;
}

/* Totals: nobody's part may be bounded closely by the second largest contributor, and no two make nearly
 * all. */
static sv_hidden magnitudes(const sv_sdc_rules *r, int64_t first, int64_t second, int64_t total) {
  if (total <= 0) return SV_HID_SOME;
  if ((first + second) * 100 > total * r->two_max_pct) return SV_HID_DOMINANT;
  return (total - first - second) * 100 < first * r->p_pct ? SV_HID_P : SV_SHOWN;
}

void sdc_two_largest(int64_t v, int64_t *first, int64_t *second) {
  if (v > *first) {
    *second = *first;
    *first = v;
  } else if (v > *second) {
    *second = v;
  }
}

sv_hidden sdc_totals(const sv_sdc_rules *r, int64_t c1, int64_t c2, const sdc_part *p, uint32_t k) {
  int64_t o1 = 0, o2 = 0, total = 0;
  for (uint32_t i = 0; i < k; i++) {
    sdc_two_largest(p[i].total, &o1, &o2);
    total += p[i].total;
  }
  sv_hidden h = magnitudes(r, c1, c2, total);
  return h != SV_SHOWN ? h : magnitudes(r, o1, o2, total);
}

sv_hidden sv_sdc_primary(const sv_sdc_rules *r, sv_mtype type, const sv_contrib *v, uint32_t n) {
  if (!n) return SV_HID_NOBODY;
  sdc_part *parts = malloc(n * sizeof *parts);
  if (!parts) return SV_HID_CLIENTS; /* without memory nothing is told */
  uint32_t k = parts_of(v, n, parts);
  sv_hidden h = sdc_by_parts(r, type, parts, k);
  int64_t first = 0, second = 0;
  for (uint32_t i = 0; i < n; i++) sdc_two_largest(v[i].milli, &first, &second);
  if (h == SV_SHOWN && type == SV_M_TOTAL) h = sdc_totals(r, first, second, parts, k);
  free(parts);
  return h;
}

/* -- rules 5 and 6 --------------------------------------------------------------------------------------- */

static uint8_t quality(const sv_contrib *v, uint32_t n, size_t at) {
  uint64_t sum = 0;
  if (!n) return 0;
  for (uint32_t i = 0; i < n; i++) {
    uint16_t x;
    memcpy(&x, (const char *)&v[i] + at, sizeof x);
    sum += x;
  }
  return (uint8_t)(sv_round_to((int64_t)((sum + n / 2) / n), 50) / 10);
}

static int64_t told(double milli, int64_t step) {
  int64_t v = milli >= 0 ? (int64_t)(milli + 0.5) : -(int64_t)(0.5 - milli);
  return sv_round_to(v, step);
}

/* splitmix64's last steps: values far apart for neighbours. */
uint64_t sdc_print(const sv_contrib *c) {
  uint64_t x = (uint64_t)c->milli * 8 + c->flags + 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

int sdc_fill(const sv_sdc_rules *r, const sv_measure *m, const sv_contrib *v, uint32_t n, sv_cell *c) {
  c->n = n;
  c->sum = 0;
  c->value = c->sd = c->median = c->q1 = c->q3 = c->base = c->follow = SV_UNKNOWN;
  c->print = 0;
  for (uint32_t i = 0; i < n; i++) {
    c->sum += v[i].milli;
    c->print += sdc_print(&v[i]);
  }
  c->clients = malloc((n ? n : 1) * sizeof *c->clients);
  double *x = malloc((n ? n : 1) * sizeof *x);
  if (!c->clients || !x) {
    free(x);
    return OV_E_NOMEM;
  }
  for (uint32_t i = 0; i < n; i++) {
    c->clients[i] = v[i].client;
    x[i] = (double)v[i].milli;
  }
  c->orgs = sdc_orgs(v, n);
  if (c->hidden == SV_SHOWN) {
    sv_stats s;
    sv_stats_of(x, n, &s);
    c->n_told = (uint32_t)sv_round_to(n, r->count_base);
    c->orgs_told = c->orgs;
    c->value = m->type == SV_M_TOTAL ? sv_round_to(c->sum, m->round_milli) : told(s.mean, m->round_milli);
    if (m->type != SV_M_TOTAL) c->sd = told(s.sd, m->round_milli);
    if (n >= r->median_min && m->type != SV_M_TOTAL) c->median = told(s.median, m->round_milli);
    if (n >= r->quartiles_min && m->type != SV_M_TOTAL) {
      c->q1 = told(s.q1, m->round_milli);
      c->q3 = told(s.q3, m->round_milli);
    }
    c->conflicts = quality(v, n, offsetof(sv_contrib, conflicts));
    c->held = quality(v, n, offsetof(sv_contrib, held));
    c->refused = quality(v, n, offsetof(sv_contrib, refused));
  }
  free(x);
  return 0;
}

uint32_t sdc_orgs(const sv_contrib *v, uint32_t n) {
  uint64_t *seen = calloc(ORGS_MAX / 64, sizeof *seen);
  uint32_t k = 0;
  for (uint32_t i = 0; seen && i < n; i++) {
    uint64_t bit = (uint64_t)1 << (v[i].org % 64);
    k += !(seen[v[i].org / 64] & bit);
    seen[v[i].org / 64] |= bit;
  }
  free(seen);
  return k;
}

/* -- lists ----------------------------------------------------------------------------------------------- */

sv_cell *sv_cells_add(sv_cells *c) {
  if (c->n == c->cap) {
    uint32_t cap = c->cap ? 2 * c->cap : 64;
    sv_cell *v = realloc(c->v, cap * sizeof *v);
    if (!v) return NULL;
    c->v = v;
    c->cap = cap;
  }
  memset(&c->v[c->n], 0, sizeof c->v[c->n]);
  return &c->v[c->n++];
}

void sv_cells_free(sv_cells *c) {
  for (uint32_t i = 0; i < c->n; i++) free(c->v[i].clients);
  free(c->v);
  *c = (sv_cells){.n = 0};
}

bool sv_cell_same(const sv_cell *a, const sv_cell *b) {
  return a->measure == b->measure && a->split == b->split && a->cat == b->cat && a->paired == b->paired &&
         a->breakdown == b->breakdown && a->group == b->group;
}
