/* Inside of disclosure control. */
#ifndef SDC_PRIV_H
#define SDC_PRIV_H

#include <stddef.h>

#include "sv_sdc.h"

/* What one organisation brings to a group. */
typedef struct sdc_part {
  uint16_t org;
  uint32_t n, some, rest;
  int64_t total;
} sdc_part;
/* Rules 1 and 2 for a group given by its organisations, each once. */
sv_hidden sdc_by_parts(const sv_sdc_rules *r, sv_mtype type, const sdc_part *p, uint32_t k);
void sdc_two_largest(int64_t v, int64_t *first, int64_t *second);
/* Rule 3 for a total: the two largest clients' values, and the organisations'. */
sv_hidden sdc_totals(const sv_sdc_rules *r, int64_t c1, int64_t c2, const sdc_part *p, uint32_t k);
bool sdc_asks_some(sv_mtype t);
bool sdc_asks_rest(sv_mtype t);
/* Sets what a cell says (if shown) and keeps inside of these contributions. */
int sdc_fill(const sv_sdc_rules *r, const sv_measure *m, const sv_contrib *v, uint32_t n, sv_cell *c);
uint64_t sdc_print(const sv_contrib *c);            /* added up over the clients of a cell */
uint32_t sdc_orgs(const sv_contrib *v, uint32_t n); /* how many different */

/* Sets of clients in ascending arrays: |A \ B| and |A and B|. */
void sdc_compare(const uint32_t *a, uint32_t n, const uint32_t *b, uint32_t m, uint32_t *only_a,
                 uint32_t *only_b, uint32_t *both);

/* A prepared audit: classes of clients, which of their unions are too small, and cells as vectors over the
 * classes. */
typedef struct sdc_audit sdc_audit;
/* cells: all that may be asked about, at most 64. 0, OV_E_NOMEM, or OV_E_LIMIT with too many classes. */
int sdc_audit_new(const sv_sdc_rules *r, sv_mtype type, const sv_cell *const *cells, uint32_t n,
                  const sv_contrib *v, uint32_t n_v, sdc_audit **out);
void sdc_audit_free(sdc_audit *a);
/* May the cells of this set (bit i: cells[i]) stand beside each other? */
bool sdc_audit_ask(const sdc_audit *a, uint64_t set);

#endif
