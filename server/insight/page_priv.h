/* Inside of the network page. */
#ifndef PAGE_PRIV_H
#define PAGE_PRIV_H

#include "export_priv.h"

typedef struct page {
  const sv_insight *in;
  unsigned network; /* 0: all */
  sv_network *networks;
  json_t *top;
  ov_arena a;
} page;

/* Live records of one kind in an organisation's store, or the programme's. r is the arena's. */
typedef void (*page_take)(void *ctx, const ov_record *r);
int page_each(sv_org *org, uint16_t kind, ov_arena *a, page_take take, void *ctx);
/* A text field, cut where it is too long for a page; NULL when there is none. */
json_t *page_text(const ov_record *r, uint16_t field);
json_t *page_date(int64_t day);

/* "stories", "lessons" and "experts" of today. */
int page_add_records(page *p);
/* Themes that three organisations or more had named as helping or hindering by the end of the month, all
 * networks together; *out: json_decref it. It is written down with the release. */
int rel_barriers(const sv_insight *in, uint32_t month, json_t **out);

#endif
