/* Group commit; see sv_writer.h. One mutex guards all queues: it is held for pointer moves only, never across
 * a transaction. */
#include "sv_writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "sv_limits.h"

/* One organisation's queue. `busy`: a worker is in its transaction. */
typedef struct queue {
  sv_org *org;
  sv_job *head, **tail;
  unsigned jobs;
  size_t bytes;
  bool busy;
  int fault; /* of the last transaction, 0 none: an alarm is raised once */
} queue;

/* A thread, and what it hashes with; made before the thread starts, so that a worker that runs can work. */
typedef struct worker {
  pthread_t thread;
  sv_writer *w;
  ov_hasher *hasher;
} worker;

struct sv_writer {
  sv_writer_options o;
  pthread_mutex_t lock;
  pthread_cond_t work, idle;
  queue queues[SV_ORGS_MAX + 1];
  /* turn: where the next worker starts looking, so that no organisation starves */
  unsigned n_queues, turn;
  sv_job *finished, **finished_tail;
  unsigned running;
  bool stopping;
  sv_writer_stats stats;
  worker workers[16];
  unsigned n_workers;
  ov_hasher *step_hasher; /* for sv_writer_step */
  ov_arena step_arena;
};

static queue *queue_of(sv_writer *w, sv_org *org) {
  for (unsigned i = 0; i < w->n_queues; i++) {
    if (w->queues[i].org == org) return &w->queues[i];
  }
  if (w->n_queues == SV_ORGS_MAX + 1) return NULL;
  queue *q = &w->queues[w->n_queues++];
  *q = (queue){.org = org};
  q->tail = &q->head;
  return q;
}

/* The next organisation that has work and no worker; its first jobs are taken off. Under the lock. */
static sv_job *take_batch(sv_writer *w, queue **from) {
  for (unsigned i = 0; i < w->n_queues; i++) {
    queue *q = &w->queues[(w->turn + i) % w->n_queues];
    if (q->busy || !q->head) continue;
    w->turn = (w->turn + i + 1) % w->n_queues;
    sv_job *first = q->head, *last = first;
    unsigned n = 1;
    while (last->next && n < SV_BATCH_JOBS_MAX) {
      last = last->next;
      n++;
    }
    q->head = last->next;
    if (!q->head) q->tail = &q->head;
    last->next = NULL;
    q->busy = true;
    w->running += n;
    *from = q;
    return first;
  }
  return NULL;
}

/* One transaction over the batch. A sticky error undoes all; a job's own refusal is only its own. */
static int run_once(sv_job *batch, sv_env *env, ov_arena *a) {
  sv_txn *t = NULL;
  ov_arena_reset(a);
  int err = sv_txn_write(env, &t);
  if (err) return err;
  for (sv_job *j = batch; j; j = j->next) {
    j->err = j->run(j, t, a);
    if (sv_txn_error(t)) break;
  }
  return sv_txn_commit(t);
}

/* An administrator has to look: the store takes no writes. Told when it begins and when it is over, not with
 * every batch. */
static void raise_alarm(sv_writer *w, queue *q, int err) {
  const sv_sys *sys = w->o.sys;
  int was = q->fault;
  q->fault = err;
  if (err == was || !sys || !sys->log) return;
  char f[2 * OV_ID_BYTES + 80], hex[2 * OV_ID_BYTES + 1];
  ov_hex(q->org->id.b, OV_ID_BYTES, hex);
  snprintf(f, sizeof f, "organisation=%s error=%s read_only=%s", hex, err ? ov_err_slug(err) : "none",
           sv_env_readonly(q->org->env) ? "yes" : "no");
  sys->log(sys->ctx, err ? SV_LOG_ERROR : SV_LOG_INFO,
           err ? "store_takes_no_writes" : "store_takes_writes_again", f);
}

static unsigned run_batch(sv_writer *w, queue *q, sv_job *batch, ov_arena *a, ov_hasher *h) {
  sv_env *env = q->org->env;
  int err;
  unsigned regrown = 0;
  do {
    err = run_once(batch, env, a);
  } while (err == OV_E_MAPFULL && ++regrown < 64);
  unsigned n = 0;
  for (sv_job *j = batch; j; j = j->next) {
    if (err) j->err = err == OV_E_MAPFULL ? OV_E_FULL : err;
    if (j->after) j->after(j, h);
    n++;
  }
  raise_alarm(w, q, err == OV_E_MAPFULL ? OV_E_FULL : err);
  pthread_mutex_lock(&w->lock);
  w->stats.commits += !err;
  w->stats.jobs += n;
  w->stats.regrown += regrown;
  w->stats.failed += err ? n : 0;
  pthread_mutex_unlock(&w->lock);
  return n;
}

/* Hands the batch over to the service thread. Under the lock. */
static void finish_batch(sv_writer *w, queue *q, sv_job *batch, unsigned n) {
  for (sv_job *j = batch; j; j = j->next) {
    q->jobs--;
    q->bytes -= j->bytes;
  }
  *w->finished_tail = batch;
  while (*w->finished_tail) w->finished_tail = &(*w->finished_tail)->next;
  q->busy = false;
  w->running -= n;
  pthread_cond_broadcast(&w->idle);
  if (q->head) pthread_cond_signal(&w->work);
}

static void *worker_main(void *arg) {
  worker *me = arg;
  sv_writer *w = me->w;
  ov_arena a;
  ov_arena_init(&a, SV_BATCH_ARENA_BYTES_MAX);
  pthread_mutex_lock(&w->lock);
  for (;;) {
    queue *q = NULL;
    sv_job *batch = take_batch(w, &q);
    if (!batch) {
      if (w->stopping) break;
      pthread_cond_wait(&w->work, &w->lock);
      continue;
    }
    pthread_mutex_unlock(&w->lock);
    unsigned n = run_batch(w, q, batch, &a, me->hasher);
    pthread_mutex_lock(&w->lock);
    finish_batch(w, q, batch, n);
    /* Under the lock: who has seen the writer idle may take down what is woken. */
    w->o.wake(w->o.wake_ctx);
  }
  pthread_mutex_unlock(&w->lock);
  ov_arena_free(&a);
  return NULL;
}

int sv_writer_new(const sv_writer_options *o, sv_writer **out) {
  *out = NULL;
  sv_writer *w = calloc(1, sizeof *w);
  if (!w) return OV_E_NOMEM;
  w->o = *o;
  w->finished_tail = &w->finished;
  pthread_mutex_init(&w->lock, NULL);
  pthread_cond_init(&w->work, NULL);
  pthread_cond_init(&w->idle, NULL);
  ov_arena_init(&w->step_arena, SV_BATCH_ARENA_BYTES_MAX);
  w->step_hasher = ov_hasher_new();
  int err = w->step_hasher ? 0 : OV_E_NOMEM;
  unsigned max = sizeof w->workers / sizeof w->workers[0];
  for (unsigned i = 0; !err && i < o->workers && i < max; i++) {
    worker *k = &w->workers[i];
    *k = (worker){.w = w, .hasher = ov_hasher_new()};
    if (!k->hasher || pthread_create(&k->thread, NULL, worker_main, k)) err = OV_E_NOMEM;
    if (err) ov_hasher_free(k->hasher);
    else w->n_workers++;
  }
  if (err) {
    sv_writer_free(w);
    return err;
  }
  *out = w;
  return 0;
}

int sv_writer_submit(sv_writer *w, sv_job *job) {
  pthread_mutex_lock(&w->lock);
  queue *q = w->stopping ? NULL : queue_of(w, job->org);
  int err = 0;
  if (!q || q->jobs >= SV_QUEUE_JOBS_MAX || q->bytes + job->bytes > SV_QUEUE_BYTES_MAX) {
    err = OV_E_BUSY;
  } else {
    job->next = NULL;
    *q->tail = job;
    q->tail = &job->next;
    q->jobs++;
    q->bytes += job->bytes;
    pthread_cond_signal(&w->work);
  }
  pthread_mutex_unlock(&w->lock);
  return err;
}

unsigned sv_writer_poll(sv_writer *w, void *server) {
  pthread_mutex_lock(&w->lock);
  sv_job *list = w->finished;
  w->finished = NULL;
  w->finished_tail = &w->finished;
  pthread_mutex_unlock(&w->lock);
  unsigned n = 0;
  while (list) {
    sv_job *j = list;
    list = j->next;
    j->done(j, server);
    n++;
  }
  return n;
}

bool sv_writer_step(sv_writer *w) {
  queue *q = NULL;
  pthread_mutex_lock(&w->lock);
  sv_job *batch = take_batch(w, &q);
  pthread_mutex_unlock(&w->lock);
  if (!batch) return false;
  unsigned n = run_batch(w, q, batch, &w->step_arena, w->step_hasher);
  pthread_mutex_lock(&w->lock);
  finish_batch(w, q, batch, n);
  pthread_mutex_unlock(&w->lock);
  return true;
}

static bool has_work(const sv_writer *w) {
  if (w->running) return true;
  for (unsigned i = 0; i < w->n_queues; i++) {
    if (w->queues[i].head) return true;
  }
  return false;
}

unsigned sv_writer_pending(sv_writer *w) {
  pthread_mutex_lock(&w->lock);
  unsigned n = 0;
  for (unsigned i = 0; i < w->n_queues; i++) n += w->queues[i].jobs;
  pthread_mutex_unlock(&w->lock);
  return n;
}

void sv_writer_drain(sv_writer *w) {
  if (!w->n_workers) {
    while (sv_writer_step(w)) {}
  }
  pthread_mutex_lock(&w->lock);
  w->stopping = true;
  while (has_work(w)) pthread_cond_wait(&w->idle, &w->lock);
  pthread_cond_broadcast(&w->work);
  pthread_mutex_unlock(&w->lock);
}

void sv_writer_free(sv_writer *w) {
  if (!w) return;
  sv_writer_drain(w);
  for (unsigned i = 0; i < w->n_workers; i++) {
    pthread_join(w->workers[i].thread, NULL);
    ov_hasher_free(w->workers[i].hasher);
  }
  sv_writer_poll(w, NULL);
  ov_hasher_free(w->step_hasher);
  ov_arena_free(&w->step_arena);
  pthread_cond_destroy(&w->work);
  pthread_cond_destroy(&w->idle);
  pthread_mutex_destroy(&w->lock);
  free(w);
}

void sv_writer_stats_get(sv_writer *w, sv_writer_stats *out) {
  pthread_mutex_lock(&w->lock);
  *out = w->stats;
  pthread_mutex_unlock(&w->lock);
}
