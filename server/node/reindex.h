/* Indexes that a changed schema calls for. */
#ifndef SV_REINDEX_H
#define SV_REINDEX_H

#include "sv_node.h"

/* Compares what each kind is indexed by (its `occurred` field and natural key) with what this organisation's
 * records were indexed by last, and indexes the records of kinds that differ anew, SV_REINDEX_PAGE records a
 * transaction. What was reached is not remembered: after a crash it starts again and finds most done. Says
 * through sys->log how many it mended. */
int sv_reindex_org(sv_org *org);

#endif
