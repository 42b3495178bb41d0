/* Where a client's log and the stored one last agreed: tips, and a ladder of heads at seq, seq-1, -2, -4, -8
 * ... of the longest branch, so that a client finds its place in one answer. */
#ifndef SV_LADDER_H
#define SV_LADDER_H

#include "ov/msg.h"
#include "sv_store.h"

/* Rungs of the branch that ends in `tip`. */
int sv_ladder_rungs(sv_txn *t, const ov_id *writer, const ov_head *tip, ov_arena *a,
                    ov_rung rungs[OV_LADDER_MAX], uint32_t *n);

#endif
