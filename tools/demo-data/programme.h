/* What all organisations share: theme networks, care questions, technologies, lessons, practice stories. */
#ifndef DD_PROGRAMME_H
#define DD_PROGRAMME_H

#include "plan.h"
#include "random.h"

/* Theme networks by number; the other three names are configuration. */
enum { DD_SLEEP = 1, DD_DAY_STRUCTURE = 2, DD_SOCIAL = 3, DD_REMOTE = 4 };

typedef struct dd_programme {
  ov_name networks[DD_NETWORKS], questions[DD_QUESTIONS], technologies[DD_TECHNOLOGIES];
} dd_programme;

/* Index of a care question of this network (1..DD_NETWORKS). */
unsigned dd_question_of(unsigned network, uint64_t draw);
/* Writes it all but experts in one transaction. */
void dd_programme_make(sv_org *programme, const dd_plan *plan, dd_programme *out);
/* The card by which this expert is found, in the network that has the number of her organisation. */
void dd_programme_expert(sv_org *programme, const dd_programme *p, unsigned number, const char *name,
                         const ov_name *person);

#endif
