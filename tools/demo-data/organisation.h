/* One organisation from its plan to its last shift, and all of them on several threads. */
#ifndef DD_ORGANISATION_H
#define DD_ORGANISATION_H

#include "shifts.h"

/* What one organisation came to. */
typedef struct dd_made {
  ov_id id;
  char name[DD_NAME_BYTES], team[DD_NAME_BYTES], staff[2][DD_NAME_BYTES],
      who[2][DD_NAME_BYTES]; /* of the first team */
  unsigned projects, teams, participants, persons, n_tablets;
  dd_person expert;   /* as in dd_people */
  sv_device *tablets; /* for the programme, which knows where every device belongs */
  dd_counts counts;
  uint64_t commits, ops_stored, records_stored, used_bytes;
  ov_hash digest; /* of all heads and positions: equal for equal data */
} dd_made;

typedef struct dd_works {
  const dd_plan *plan;
  const dd_programme *programme;
  const uint8_t *master;
  const ov_schemas *schemas;
  const char *data;
  dd_made *made; /* plan->orgs */
  atomic_uint next, done;
  atomic_ullong progress;
  volatile sig_atomic_t *stop;
} dd_works;

/* Makes all organisations; returns when all threads are done. show: a line about the progress on stderr each
 * second. */
void dd_works_run(dd_works *w, bool show);
void dd_works_free(dd_works *w);

#endif
