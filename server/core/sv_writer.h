/* Group commit: what waits for one organisation goes into one write transaction and one fsync, then is
 * answered. Queues are fair: a worker takes organisations in turn and at most SV_BATCH_JOBS_MAX jobs of each;
 * environments commit in parallel, one worker on one organisation at a time. Outcomes travel back by a queue
 * of finished jobs; no worker touches a session or a socket. */
#ifndef SV_WRITER_H
#define SV_WRITER_H

#include "sv_core.h"

typedef struct sv_writer sv_writer;
typedef struct sv_job sv_job;

/* One unit of work in a write transaction. The three functions:
 *   run    on a worker, inside the transaction; may be run again from the start (the map grew), so it resets
 *          what it made. Its result is put into err when the batch commits. The arena lives until `after`
 *          returns.
 *   after  on the worker, once the commit is on disk (err as run gave it) or has failed (err says how,
 *   nothing
 *          was stored). May be NULL.
 *   done   on the thread that calls sv_writer_poll; owns the job from then on and frees it. */
struct sv_job {
  sv_job *next; /* the writer's while queued */
  sv_org *org;
  size_t bytes; /* memory the job holds, counted against SV_QUEUE_BYTES_MAX */
  int err;
  int (*run)(sv_job *job, sv_txn *t, ov_arena *a);
  void (*after)(sv_job *job, ov_hasher *h);
  void (*done)(sv_job *job, void *server);
};

typedef struct sv_writer_options {
  /* 0: none; the owner calls sv_writer_step (the simulator, offline tools) */
  unsigned workers;
  void (*wake)(void *ctx);
  /* called from a worker when there is something to poll, under its lock: it calls nothing of the writer */
  void *wake_ctx;
  const sv_sys *sys;
} sv_writer_options;

/* Starts the workers. The options are copied, sys is borrowed. 0, or OV_E_NOMEM also when a thread does not
 * start. */
int sv_writer_new(const sv_writer_options *o, sv_writer **out);
/* Takes the job (run, after and done will be called, exactly once each at the end), or refuses with OV_E_BUSY
 * (queue of this organisation full or stopping) and leaves it to the caller. Any thread. */
int sv_writer_submit(sv_writer *w, sv_job *job);
/* Calls done for everything finished; returns how many. Service thread. */
unsigned sv_writer_poll(sv_writer *w, void *server);
/* Runs one batch in the caller's thread; false when nothing waits. Only with workers == 0. */
bool sv_writer_step(sv_writer *w);
/* Jobs queued or running. */
unsigned sv_writer_pending(sv_writer *w);
/* No new jobs; waits until all that was taken is on disk or has failed. Poll afterwards for the outcomes. */
void sv_writer_drain(sv_writer *w);
/* drained first; outcomes that nobody polled are freed by their done with server NULL */
void sv_writer_free(sv_writer *w);
typedef struct sv_writer_stats {
  uint64_t commits, jobs, regrown, failed;
} sv_writer_stats;
void sv_writer_stats_get(sv_writer *w, sv_writer_stats *out);

#endif
