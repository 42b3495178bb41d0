/* What is logged about one participant: forms filled in as a carer would. */
#ifndef DD_LOGS_H
#define DD_LOGS_H

#include "people.h"

/* The circumstances. trial: the technology is in use, so that some things go a little better than before. */
typedef struct dd_scene {
  const ov_schemas *schemas;
  const dd_programme *programme;
  const dd_people *people;
  const dd_team *team;
  dd_participant *who;
  dd_rng *rng;
  int64_t day; /* local day on which the shift began */
  bool trial;
} dd_scene;

enum { DD_SOURCE_SEEN = 1, DD_SOURCE_BED = 2 };

/* Starts a form of this kind with what every log has: project, now and then a note. */
void dd_log_begin(dd_form *f, const dd_scene *s, const char *kind);
/* Missing codes now and then. */
void dd_log_int(dd_form *f, const dd_scene *s, const char *field, int64_t v);

/* The night that began on s->day; gives when everything in it was over (UTC seconds). */
int64_t dd_log_sleep(dd_form *f, const dd_scene *s, int source);
void dd_log_check(dd_form *f, const dd_scene *s, int64_t night, int64_t at);
/* Each happens around `at` (UTC seconds). */
void dd_log_activity(dd_form *f, const dd_scene *s, int64_t at);
void dd_log_contact(dd_form *f, const dd_scene *s, int64_t at);
void dd_log_tech(dd_form *f, const dd_scene *s, int64_t at);
void dd_log_remote(dd_form *f, const dd_scene *s, int64_t at);
void dd_log_goal(dd_form *f, const dd_scene *s, int64_t at, unsigned goal);

#endif
