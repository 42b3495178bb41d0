/* The release ledger: what all organisations together may say of a month, made once and kept.
 *
 * One ledger serves the network page and every researcher: figures of two would be differences to work with.
 * A release is made of a closed month (14 days after its end), by the breakdowns of a list, under the rules
 * of sv_sdc.h. It lies in the programme's environment, sealed, with the set of clients behind each cell,
 * which is the one place where an erased client's name goes on: a later cell must be compared with it.
 * Nothing that comes in afterwards changes it. */
#ifndef SV_RELEASE_H
#define SV_RELEASE_H

#include "sv_sdc.h"
#include "sv_sums.h"

#define SV_GRACE_DAYS 14
/* Entries that a client needs in both phases to be compared with itself. */
#define SV_PAIR_ENTRIES_MIN 5u
#define SV_RELEASE_ID_MAX 16

typedef struct sv_network {
  uint8_t type; /* 0 none, 1 content, 2 remote */
  char name[OV_LABEL_BYTES_MAX + 1];
  int64_t stories_min, stories_max; /* SV_UNKNOWN */
  ov_name record;
} sv_network;

typedef struct sv_client {
  uint16_t org;
  ov_name name;
} sv_client;

typedef struct sv_release {
  uint32_t number; /* 16 * month + supplement */
  uint32_t month;
  unsigned breakdowns; /* bits 1 << sv_breakdown */
  int64_t made_ms;
  ov_hash hash; /* of what it tells */
  ov_id *orgs;
  uint32_t n_orgs;
  sv_client *clients;
  uint32_t n_clients;
  sv_cells cells;
  sv_batches fresh; /* frozen by this release */
  sv_network networks[SV_GROUP_MAX + 1];
} sv_release;
void sv_release_free(sv_release *r); /* NULL is fine */

/* "2026-02", and of supplements "2026-02.2", ... */
void sv_release_id(uint32_t number, char out[SV_RELEASE_ID_MAX]);
/* OV_E_INVALID when it is no such text; whether there is one, is another question. */
int sv_release_number(const char *text, uint32_t *number);
/* "2026-02": OV_E_INVALID. */
int sv_month_parse(const char *text, uint32_t *month);
void sv_month_text(uint32_t month, char out[SV_RELEASE_ID_MAX]);
/* "network", "network_type"; OV_E_INVALID. The list itself, for messages. */
int sv_breakdown_parse(const char *text, sv_breakdown *out);
const char *sv_breakdown_name(sv_breakdown b);
extern const char sv_breakdown_list[];

typedef struct sv_release_ask {
  uint32_t month;
  unsigned breakdowns; /* bits; 0: all networks and each network */
} sv_release_ask;
/* Makes the release, or finds it: what was released of a month, and by which breakdowns, is not made again.
 * rules: NULL for the usual ones with the programme's p. why: >= OV_ERROR_TEXT_MAX bytes.
 * OV_E_INVALID (the month is not closed), OV_E_LIMIT (15 supplements, or over SV_NETWORKS_MAX networks; why
 * says which), or errors of the store. Without enough
 * people it is made all the same, and all its cells are hidden. */
int sv_release_make(const sv_insight *in, const sv_sdc_rules *rules, const sv_release_ask *ask,
                    uint32_t *number, bool *made, char *why);
/* The p of rule 3, kept sealed in the programme's environment; 1 to 100. */
int sv_release_set_p(const sv_insight *in, unsigned p_pct);
int sv_release_rules(sv_org *programme, sv_sdc_rules *out);

/* OV_E_NOTFOUND. */
int sv_release_load(sv_org *programme, uint32_t number, sv_release **out);
/* Numbers of all releases, ascending; at most max. */
int sv_release_list(sv_org *programme, uint32_t *out, uint32_t max, uint32_t *n);

/* A cell by its name: measure[:split][=code][@network N | @type N], e.g. "sleep_se:1@network 3", also
 * "paired/sleep_se:1@all". Borrowed; NULL when the release has no such cell. */
const sv_cell *sv_release_cell(const sv_release *r, const char *name);
#define SV_CELL_NAME_MAX 80
void sv_cell_name(const sv_cell *c, char out[SV_CELL_NAME_MAX]);

/* How much of a release is told, by kind of cell, beside what a simulation of such a programme said (28
 * projects, 7 networks, a median of 15 clients a project, 70 % consent). */
typedef enum sv_share_kind {
  SV_SHARE_NETWORK,   /* a measure and network */
  SV_SHARE_SOURCE,    /* the same, by source or scale */
  SV_SHARE_PAIRED,    /* paired, a network */
  SV_SHARE_CATEGORY,  /* a code, all networks */
  SV_SHARE_ALL,       /* a measure, all networks */
  SV_SHARE_QUARTILES, /* quartiles, of cells told */
  SV_SHARE_COUNT
} sv_share_kind;
typedef struct sv_share {
  uint32_t cells, told;
  int simulated_pct; /* -1: not simulated */
} sv_share;
void sv_release_shares(const sv_release *r, sv_share out[SV_SHARE_COUNT]);
const char *sv_share_text(sv_share_kind k);

#endif
