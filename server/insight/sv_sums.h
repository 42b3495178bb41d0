/* Sums per participant and month, kept in the organisation's store.
 *
 * Ingest marks (participant, month) as due in the transaction that changes a record; the sums are made again
 * from that month's records after the commit, here. A queue rather than sums changed inside the push: a push
 * waits for no arithmetic, a month with a hundred pushed records is summed once, and the sums are always a
 * function of the records, so nothing can drift. What is due is as durable as the change itself. */
#ifndef SV_SUMS_H
#define SV_SUMS_H

#include "sv_core.h"
#include "sv_ingest.h"
#include "sv_measure.h"

typedef int (*sv_insight_work)(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches);

/* What this part needs of its surroundings: a node, opened by a server or by a command. */
typedef struct sv_insight {
  sv_org *programme;
  sv_org *(*org_at)(void *ctx, unsigned i); /* NULL past the end */
  /* Runs work in a write transaction and returns when it is on disk; may run it again from the start. */
  int (*write)(void *ctx, sv_org *org, sv_insight_work work, void *arg);
  void *ctx;
  int64_t now_ms;
} sv_insight;

/* Sums what is due, in transactions of bounded size. *done (may be NULL): months summed. */
int sv_sums_drain(const sv_insight *in, sv_org *org, uint64_t *done);
/* The same, at most one transaction; *more: something is still due. For the writer's queue. */
int sv_sums_drain_some(sv_txn *t, sv_org *org, uint64_t *done, bool *more);

/* Compares every stored row with its records, and finds rows and months that have no counterpart. What is due
 * is passed over. found: told participant and month of what differs; may be NULL. */
typedef void (*sv_sums_found)(void *ctx, const ov_name *participant, uint32_t month, const char *family);
int sv_sums_recount(sv_org *org, sv_sums_found found, void *ctx, uint64_t *checked, uint64_t *differing);

#endif
