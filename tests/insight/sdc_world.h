/* A programme of 26 organisations with 28 projects in 7 networks: clients join, withdraw, are absent, and
 * sync late. It asks the library for releases the way the ledger does, and keeps what was told with who is
 * behind it. */
#ifndef SDC_WORLD_H
#define SDC_WORLD_H

#include "sv_sdc.h"

#define SW_ORGS 26
#define SW_PROJECTS 28
#define SW_NETWORKS 7
#define SW_MONTHS 10
#define SW_CLIENTS_MAX 700
#define SW_TOLD_MAX 8192

typedef struct sw_client {
  uint16_t org, network;
  unsigned joins, leaves; /* months: takes part from the one, consents until the other */
  unsigned paired_from;   /* has enough of both phases from this month on */
  bool sensor, sometimes;
  uint64_t seed;
} sw_client;

/* A cell of a release, and in which state of the data it was made: a late sync makes a client's month another
 * one. */
typedef struct sw_told {
  unsigned month;
  unsigned release; /* running number: what came out together */
  bool late;
  const sv_measure *measure;
  sv_cell cell;
} sw_told;

typedef struct sw_world {
  sv_sdc_rules rules;
  uint64_t random;
  sw_client clients[SW_CLIENTS_MAX];
  uint32_t n_clients;
  uint8_t types[SV_GROUP_MAX + 1];
  sv_batches batches;
  sw_told *told;
  uint32_t n_told;
} sw_world;

/* Makes a world and ten months of releases: each month on time, asked for again after the late syncs, and
 * then by another breakdown. */
void sw_run(sw_world *w, uint64_t seed, const sv_sdc_rules *rules);
void sw_free(sw_world *w);
/* Does what this client's month says of a measure change by a late sync? */
bool sw_changes(const sw_client *c, unsigned month, const sv_measure *m);
/* Has the client something of this code (1 to 6)? */
bool sw_code(const sw_client *c, unsigned month, int code);

#endif
