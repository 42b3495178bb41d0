/* Tablets of the teams: each keeps a log as a client does, and its pushes go through the server's own ingest,
 * many in a transaction. */
#ifndef DD_TABLETS_H
#define DD_TABLETS_H

#include "ov_p256.h"
#include "people.h"
#include "sv_ingest.h"

#define DD_TEAM_TABLETS 2
#define DD_TABLET_ARENA_BYTES_MAX (64u * 1024u * 1024u)

typedef struct dd_tablet {
  sv_device device;
  ov_p256 *key;
  ov_id writer;
  const dd_team *team;
  unsigned index;      /* in the team */
  int64_t clock_off_s; /* its clock is ahead by this much */
  uint64_t sent;       /* seqs up to here are pushed */
  ov_op **ops;
  ov_hash *heads;
  uint32_t n, cap;       /* chained since; heads[i] is before ops[i] */
  ov_arena arena;        /* of these ops */
  uint64_t seen;         /* knows what the server had at this moment of its order */
  int64_t offline_until; /* seconds */
} dd_tablet;

/* Pushes that wait for one transaction. */
typedef struct dd_push {
  sv_push_in in;
  ov_buf rows;
  int64_t at_ms;
  uint64_t last_seq;
} dd_push;
typedef struct dd_batch {
  sv_org *org;
  dd_world *world;
  dd_push *v;
  uint32_t n, cap;
  uint32_t ops;
  ov_arena arena;
  uint64_t stored, held, commits;
} dd_batch;

void dd_batch_init(dd_batch *b, sv_org *org, dd_world *w);
void dd_batch_flush(dd_batch *b);
void dd_batch_free(dd_batch *b);

/* Enrols a tablet of the team: its record, its row here; the caller tells the programme where it belongs. */
void dd_tablet_make(dd_tablet *t, sv_org *org, dd_world *w, const dd_team *team, unsigned index);
void dd_tablet_free(dd_tablet *t);
/* Chains op at the end of the log and gives its name. who: the participant it is about. at: true time; the
 * tablet's clock is what the op says. */
ov_name dd_tablet_add(dd_tablet *t, ov_hasher *h, const dd_participant *who, const dd_person *author,
                      int64_t at, ov_op op);
/* Signs and queues all that is not sent, as many pushes as needed; at_ms: when they reach the server, moved
 * on from push to push. The batch is written when it is large enough. */
void dd_tablet_push(dd_tablet *t, dd_batch *b, int64_t *at_ms);

#endif
