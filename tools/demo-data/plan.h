/* What is asked for: from the options, the same for all organisations. */
#ifndef DD_PLAN_H
#define DD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define DD_ZONE "Europe/Amsterdam"
#define DD_ORGS 26      /* organisations that implement; two of them have two projects */
#define DD_ORGS_MAX 455 /* that could follow */
#define DD_NETWORKS 7
#define DD_TECHNOLOGIES 55
#define DD_QUESTIONS 14
#define DD_LESSONS 7
#define DD_DAYS_FULL 548 /* 18 months */
#define DD_RECORDS_MAX 20000000
#define DD_WORKERS_MAX 8

typedef struct dd_plan {
  const char *data, *schema_dir;
  uint64_t seed;
  bool seeded; /* ids and keys from the seed too */
  unsigned orgs, workers;
  int64_t until;               /* UTC seconds: nothing happens after it */
  int64_t from_day, until_day; /* first day with shifts, day of `until` */
  unsigned scale_percent;      /* participants a project, against the usual number */
  int64_t programme_start_ms;  /* when the programme and its reference data were made */
} dd_plan;

#endif
