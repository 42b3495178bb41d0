/* The shifts of an organisation, day by day, with everything that happens in them. */
#ifndef DD_SHIFTS_H
#define DD_SHIFTS_H

#include <signal.h>
#include <stdatomic.h>

#include "entries.h"
#include "logs.h"

#define DD_HELD_MAX 64

/* A team's home: its tablets and what it did lately. */
typedef struct dd_site {
  dd_team *team;
  dd_tablet tablets[DD_TEAM_TABLETS];
  dd_recent recent;
  int64_t gap_until; /* day: nothing is logged before it */
} dd_site;

typedef struct dd_held {
  ov_name op;
  bool by_author;
} dd_held;

typedef struct dd_run {
  const dd_plan *plan;
  const dd_programme *programme;
  dd_people *people;
  sv_org *org;
  dd_site *sites; /* as many as teams */
  dd_batch batch;
  ov_hasher *hasher;
  dd_rng rng;
  dd_counts counts;
  uint64_t order; /* counts what reached the server */
  dd_held held[DD_HELD_MAX];
  uint32_t n_held;
  atomic_ullong *progress; /* records of all organisations */
  volatile sig_atomic_t *stop;
} dd_run;

void dd_shifts_run(dd_run *run);

#endif
