/* Disclosure control: which cells may be told, and with what numbers. Pure.
 *
 * The unit is the client; thirty nights of one client are one. Rules, by the numbers that releases name:
 *   1 at least 10 clients, also of those with the answer and of those without it
 *   2 at least 3 organisations, and without any one of them at least 10 clients of 2 organisations: an
 *     organisation knows its own clients
 *   3 means are means of clients' means; totals by the p %-rule and without two that dominate
 *   4 no code above 90 % of its row; nobody at all is few
 *   5 no least and greatest; a median from 20 clients, quartiles from 40
 *   6 counts to 5, values to the step of their measure
 *   7 what is told together must not give a hidden group away: no combination of told cells, in all releases,
 *     may rest on clients that by 1 and 2 are too few
 *   8 a cell keeps what was released of it; another cell that shares (client, month) with released ones
 *   differs
 *     from each by nobody or by 10 at least; what persists is compared within cohorts that only ever grow by
 *     groups which could stand alone
 * Rules 7 and 8 can be switched off, which is how a test shows that they matter. */
#ifndef SV_SDC_H
#define SV_SDC_H

#include "sv_measure.h"

typedef struct sv_sdc_rules {
  unsigned clients_min, orgs_min, orgs_left_min, median_min, quartiles_min;
  unsigned category_max_pct, two_max_pct;
  unsigned p_pct; /* of the p %-rule: configured, never published */
  unsigned count_base;
  bool secondary; /* rule 7 */
  bool overlap;   /* rule 8 */
} sv_sdc_rules;
sv_sdc_rules sv_sdc_rules_usual(void);

/* Why a cell is not told. Never renumbered: releases hold it. */
typedef enum sv_hidden {
  SV_SHOWN = 0,
  SV_HID_NOBODY = 1,     /* no clients at all */
  SV_HID_CLIENTS = 2,    /* rule 1 */
  SV_HID_SOME = 3,       /* rule 1: too few with the answer */
  SV_HID_REST = 4,       /* rule 1: too few without it */
  SV_HID_ORGS = 5,       /* rule 2 */
  SV_HID_ORG_LEFT = 6,   /* rule 2: too little is left without one organisation */
  SV_HID_DOMINANT = 7,   /* rule 3 */
  SV_HID_P = 8,          /* rule 3 */
  SV_HID_CATEGORY = 9,   /* rule 4 */
  SV_HID_SECONDARY = 10, /* rule 7 */
  SV_HID_OVERLAP = 11,   /* rule 8 */
  SV_HID_CHANGED = 12,   /* rule 8: entries came in since the released cells that it overlaps */
  SV_HIDDEN_COUNT
} sv_hidden;
unsigned sv_hidden_rule(sv_hidden h); /* 1 to 8; 0 shown */
const char *sv_hidden_slug(sv_hidden h);
const char *sv_hidden_text(sv_hidden h, bool dutch); /* a sentence, B1 */

/* One client's part in a table. */
typedef struct sv_contrib {
  uint32_t client;                   /* the caller's number, the same in all releases it compares */
  uint16_t org, group;               /* group: number of the theme network, 1 to SV_GROUP_MAX */
  uint8_t flags;                     /* SV_HAS_* */
  uint16_t conflicts, held, refused; /* tenths of a percent of the client's entries */
  int64_t milli;
} sv_contrib;
#define SV_GROUP_MAX 99u
/* Networks of a release. With all of them, and both types, they make a table of 32 cells; twice that, with
 * what was released before, is what one look by linear algebra takes. */
#define SV_NETWORKS_MAX 29u

typedef enum sv_breakdown { SV_BY_ALL = 0, SV_BY_NETWORK = 1, SV_BY_TYPE = 2, SV_BY_COUNT = 3 } sv_breakdown;

typedef struct sv_cell {
  uint16_t measure;
  uint8_t split;
  int8_t cat;
  bool paired;
  uint8_t breakdown; /* sv_breakdown */
  uint16_t group;    /* network or type; 0 for all */
  uint8_t hidden;    /* sv_hidden */
  /* Inside only. */
  uint32_t n, orgs;
  int64_t sum;       /* of clients' values */
  uint64_t print;    /* of all their values, in any order: another one says that some value changed */
  uint32_t *clients; /* ascending */
  /* Told, when shown; SV_UNKNOWN where a rule forbids it. Thousandths, rounded. paired: value is the mean
   * difference, base and follow the means, sd that of the differences. */
  uint32_t n_told, orgs_told;
  int64_t value, sd, median, q1, q3, base, follow;
  uint8_t conflicts, held, refused; /* percent of entries, to 5 */
} sv_cell;
typedef struct sv_cells {
  sv_cell *v;
  uint32_t n, cap;
} sv_cells;
void sv_cells_free(sv_cells *c);
sv_cell *sv_cells_add(sv_cells *c); /* zeroed; NULL when out of memory */
/* Is it the same question (all but the numbers)? */
bool sv_cell_same(const sv_cell *a, const sv_cell *b);

/* Rules 1 to 3 for a set of contributions taken as one group. */
sv_hidden sv_sdc_primary(const sv_sdc_rules *r, sv_mtype type, const sv_contrib *v, uint32_t n);

/* A table of one measure and month: cells for all, each network, and each type of network. prior: released
 * cells of this measure and month, in the same numbering of clients. Appends to out. contribs are sorted in
 * place. */
typedef struct sv_table_in {
  const sv_measure *measure;
  uint8_t split;
  sv_contrib *v;
  uint32_t n;
  unsigned breakdowns; /* bits 1 << sv_breakdown; ALL is always made */
  /* [SV_GROUP_MAX + 1]: the type of each network, 0 where there is none. Every network gets a cell, so that
   * one without clients looks like one with few. */
  const uint8_t *types;
  const sv_cells *prior; /* NULL: none */
} sv_table_in;
int sv_sdc_table(const sv_sdc_rules *r, const sv_table_in *in, sv_cells *out);
/* A row of codes, for all networks together: lists[i] are the contributions for codes[i], of the same
 * clients; sorted in place. */
int sv_sdc_row(const sv_sdc_rules *r, const sv_table_in *in, const int8_t *codes, sv_contrib *const *lists,
               unsigned n_codes, sv_cells *out);

/* -- cohorts --------------------------------------------------------------------------------------------- */
/* A group frozen for good: sums only, and who. */
typedef struct sv_batch {
  uint16_t measure;
  uint8_t split;
  uint16_t group;
  uint32_t n;
  uint32_t *clients; /* ascending */
  uint32_t orgs_n;
  uint16_t *orgs;                    /* distinct, ascending */
  int64_t base, follow, diff, diff2; /* sums of thousandths; diff2 of squares of thousandths / 1000 */
} sv_batch;
typedef struct sv_batches {
  sv_batch *v;
  uint32_t n, cap;
} sv_batches;
void sv_batches_free(sv_batches *b);
typedef struct sv_pair {
  uint32_t client;
  uint16_t org, group;
  int64_t base, follow; /* thousandths */
} sv_pair;
/* Freezes what can stand alone of the pairs whose clients are in no batch of this measure and split; appends.
 * With rule 8 off the batches of this measure and split are replaced by what there is now. */
int sv_sdc_freeze(const sv_sdc_rules *r, const sv_measure *m, uint8_t split, sv_pair *v, uint32_t n,
                  sv_batches *batches);
/* Cells of all batches of that measure and split: all networks, and each network. */
int sv_sdc_paired(const sv_sdc_rules *r, const sv_measure *m, uint8_t split, unsigned breakdowns,
                  const uint8_t *types, const sv_batches *batches, sv_cells *out);

/* -- rule 7, on its own ---------------------------------------------------------------------------------- */
/* May these cells (shown ones among cells[0..n)) stand beside each other? Looks at every combination of them
 * by linear algebra over the classes of clients that are in the same cells. v: the contributions by client,
 * ascending. Returns 1 yes, 0 no, or an error; more than SV_CLASSES_MAX classes are refused (0). */
#define SV_CLASSES_MAX 14u
int sv_sdc_audit(const sv_sdc_rules *r, sv_mtype type, const sv_cell *const *cells, uint32_t n,
                 const sv_contrib *v, uint32_t n_v);

/* -- numbers --------------------------------------------------------------------------------------------- */
int64_t sv_round_to(int64_t v, int64_t step); /* half away from zero */
/* Mean, spread, median and quartiles of thousandths; sorted in place. */
typedef struct sv_stats {
  double mean, sd, median, q1, q3;
} sv_stats;
void sv_stats_of(double *v, size_t n, sv_stats *out);

#endif
