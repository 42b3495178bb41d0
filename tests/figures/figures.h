/* The measured workload on a world: one team, its people, and tablets that write the seeded workload's ops
 * through the client's own log. */
#ifndef FIGURES_H
#define FIGURES_H

#include "oc_internal.h"
#include "workload.h"
#include "world.h"

typedef struct figures {
  world w;
  uint32_t team;
  ov_name clients[WL_CLIENTS], staff[WL_STAFF];
  tablet tablets[WL_TABLETS];
  wl_base base;
  ov_name *record;                  /* record -> its name */
  ov_name (*latest)[WL_FIELDS_MAX]; /* record, field -> op with the live value; seq 0: none */
} figures;

/* n records in the base, written by the tablets in turn and synced every few hundred ops. */
void figures_open(figures *f, uint32_t seed, uint32_t n);
void figures_close(figures *f);
/* Lets a tablet write one shift (not yet synced). */
void figures_shift(figures *f, uint32_t tablet_index, uint32_t seed);

#endif
