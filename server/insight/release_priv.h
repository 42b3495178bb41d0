/* Inside of the release ledger. */
#ifndef RELEASE_PRIV_H
#define RELEASE_PRIV_H

#include <jansson.h>

#include "sv_release.h"

#define RELEASES_MAX 4096u

/* Parts of a release in the store. */
enum {
  PART_HEAD,
  PART_CLIENTS,
  PART_CELLS,
  PART_BATCHES,
  PART_ABOUT,      /* JSON: what the list of releases says of it */
  PART_PAGE = 128, /* and the number of a theme network, 0 for all: what its page shows of this release */
  PART_FILES = 1024
};

/* Clients of all organisations by number, with their consent; the numbers are those of one release. */
typedef struct rel_clients {
  sv_client *v;
  int8_t *consent; /* -1: not asked */
  uint32_t n, cap;
  uint32_t *slots, n_slots; /* numbers + 1, by hash */
} rel_clients;
int rel_client(rel_clients *c, uint16_t org, const ov_name *name, uint32_t *number);
void rel_clients_free(rel_clients *c);

typedef struct rel_org {
  sv_org *org;
  ov_name *projects;  /* ascending not needed: few */
  uint16_t *networks; /* of each project; 0 unknown */
  uint32_t n_projects;
} rel_org;

/* One release under way. */
typedef struct rel_job {
  const sv_insight *in;
  sv_sdc_rules rules;
  uint32_t month, number;
  unsigned breakdowns, days;
  bool supplement;
  rel_org orgs[SV_GROUP_MAX * 8];
  uint32_t n_orgs;
  rel_clients clients;
  uint8_t types[SV_GROUP_MAX + 1];
  sv_network *networks;
  sv_sums *sums;      /* scratch */
  sv_cells prior;     /* of the month's earlier releases */
  sv_batches batches; /* of all releases */
  uint32_t n_old;     /* batches of earlier releases; those behind are new */
  sv_cells cells;
} rel_job;

int rel_open_orgs(rel_job *j);
void rel_close_orgs(rel_job *j);
int rel_load_networks(sv_org *programme, sv_network *networks); /* SV_GROUP_MAX + 1 */
/* Tables of one family of the month, in order; appends to j->cells. */
int rel_family(rel_job *j, unsigned family);
/* Freezes new pairs of all paired measures and appends their cells. */
int rel_paired(rel_job *j);
/* The client's research consent at the release's making. */
int rel_consents(rel_job *j, uint32_t org);

/* Store. parts: empty buffers, which get the parts of the release. */
int rel_encode(sv_release *r, ov_buf *parts);
/* Takes over an earlier release in the numbering of j->clients: its batches, and its cells when it is of the
 * same month. */
int rel_take(rel_job *j, const sv_release *r);

/* PART_ABOUT of a release that is ready to be kept. */
int rel_about(sv_org *programme, const sv_release *r, ov_buf *out);
/* The same of one that is kept; *out: json_decref it. OV_E_NOTFOUND, OV_E_CORRUPT. */
int rel_about_load(sv_txn *t, uint32_t number, json_t **out);
/* PART_PAGE of a theme network, 0: all together; and back. barriers: of rel_barriers, stays the caller's. */
int rel_page(const sv_release *r, const ov_schemas *schemas, unsigned network, json_t *barriers, ov_buf *out);
int rel_page_load(sv_txn *t, uint32_t number, unsigned network, json_t **out);

#endif
