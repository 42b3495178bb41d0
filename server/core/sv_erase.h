/* Erasure of a participant (AVG art. 17): keys destroyed, payloads and folds taken out, records gone from
 * every scope and index, and a tombstone for every holder.
 *
 * The order makes a crash harmless; who starts it again goes on where it stopped:
 *   1. the name goes into the list of erasures (sv_erasures.h), durably: from here on it will happen
 *   2. the participant's keys are destroyed, the keyring is rewritten under a new epoch (sv_keyring.h): from
 *      here on nothing sealed for this person opens, wherever it was copied to
 *   3. page by page, each in a transaction of its own: rows keep header and commitment only, records leave
 *      their scopes and indexes (sv_ingest_erase)
 *   4. the tombstone, a record of kind erasure in the organisation's scope: each tablet purges by it, and
 *      writes a record of kind purge when it has
 * What stays: header and commitment of each op, so that the logs still verify; the audit's identifier. */
#ifndef SV_ERASE_H
#define SV_ERASE_H

#include "sv_ingest.h"

typedef enum sv_erase_ground { SV_ERASE_REQUEST = 1, SV_ERASE_TERM = 2 } sv_erase_ground;

typedef struct sv_erase {
  ov_name participant;
  sv_erase_ground ground;
  int64_t at_ms;
  /* what came of it so far; records and ops of this call are added */
  bool done;
  ov_name tombstone; /* once done */
  uint64_t records, ops;
} sv_erase;

/* Steps 3 and 4, one page of them; the keys must be destroyed (OV_E_STATE). Call in a transaction of its own
 * until e->done. Idempotent: what is erased already costs a look. touches may be NULL. */
int sv_ingest_erase(sv_txn *t, sv_org *org, sv_erase *e, ov_arena *a, sv_touches *touches);
typedef int (*sv_erase_work)(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches);
typedef int (*sv_erase_write)(void *ctx, sv_org *org, sv_erase_work work, void *arg);
/* All four steps, from wherever an earlier try stopped. data: the data folder, whose file `erasures` is the
 * list; write: runs work in a write transaction of org, as often as it is asked (sv_node_write, or a server's
 * writer). e->participant, ground and at_ms are given; on success e->done. */
int sv_erase_run(const char *data, sv_org *org, sv_erase *e, sv_erase_write write, void *ctx);
/* Everything that the lists name and that is not done here yet: what an older backup or keyring brought back,
 * what a crash cut short. lists: files, NULL ends them; *n counts the participants that were erased again. */
int sv_erase_replay(const char *data, const char *const *lists, sv_org *org, sv_erase_write write, void *ctx,
                    uint32_t *n);
/* "<data>/erasures". OV_E_LIMIT. */
int sv_erase_list_path(const char *data, char *out, size_t n);

/* Has a tombstone been written? OV_E_NOTFOUND: no. */
int sv_erase_tombstone(sv_txn *t, const ov_name *participant, ov_name *tombstone);

#endif
