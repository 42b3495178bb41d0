/* The thread that compares passwords: one at a time, so that 64 MiB and one core are all that signing in can
 * take from the server. */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "web_priv.h"

void web_hash_job_free(web_hash_job *job) {
  if (!job) return;
  free(job->headers);
  OPENSSL_cleanse(job, sizeof *job);
  free(job);
}

static void work(const sv_web_options *o, web_hash_job *job) {
  bool fits = sv_password_fits(job->hash, job->password);
  job->fits = fits && job->known; /* after the work, whoever it was for */
  if (job->fits && *job->next) job->next_err = sv_password_hash(o->sys, &o->cost, job->next, job->next_hash);
  OPENSSL_cleanse(job->password, sizeof job->password);
  OPENSSL_cleanse(job->next, sizeof job->next);
}

static void *hash_main(void *arg) {
  web_hasher *h = arg;
  pthread_mutex_lock(&h->lock);
  while (!h->stop) {
    web_hash_job *job = h->waiting;
    if (!job) {
      pthread_cond_wait(&h->work, &h->lock);
      continue;
    }
    h->waiting = job->after;
    if (!h->waiting) h->waiting_end = &h->waiting;
    pthread_mutex_unlock(&h->lock);
    work(h->o, job);
    pthread_mutex_lock(&h->lock);
    job->after = h->done;
    h->done = job;
    h->hashes++;
    h->n--;
    h->o->wake(h->o->wake_ctx);
  }
  pthread_mutex_unlock(&h->lock);
  return NULL;
}

int web_hasher_start(web_hasher *h, const sv_web_options *o) {
  h->o = o;
  h->waiting_end = &h->waiting;
  pthread_mutex_init(&h->lock, NULL);
  pthread_cond_init(&h->work, NULL);
  if (pthread_create(&h->thread, NULL, hash_main, h)) {
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->work);
    return OV_E_NOMEM;
  }
  h->running = true;
  return 0;
}

static void free_list(web_hash_job *job) {
  for (web_hash_job *next; job; job = next) {
    next = job->after;
    web_hash_job_free(job);
  }
}

void web_hasher_stop(web_hasher *h) {
  if (!h->running) return;
  pthread_mutex_lock(&h->lock);
  h->stop = true;
  pthread_cond_signal(&h->work);
  pthread_mutex_unlock(&h->lock);
  pthread_join(h->thread, NULL);
  free_list(h->waiting);
  free_list(h->done);
  pthread_mutex_destroy(&h->lock);
  pthread_cond_destroy(&h->work);
  h->running = false;
}

bool web_hasher_submit(web_hasher *h, web_hash_job *job) {
  pthread_mutex_lock(&h->lock);
  bool room = h->n < SV_WEB_HASHES_WAITING_MAX;
  if (room) {
    job->after = NULL;
    *h->waiting_end = job;
    h->waiting_end = &job->after;
    h->n++;
    pthread_cond_signal(&h->work);
  }
  pthread_mutex_unlock(&h->lock);
  return room;
}

web_hash_job *web_hasher_take(web_hasher *h) {
  pthread_mutex_lock(&h->lock);
  web_hash_job *job = h->done;
  if (job) h->done = job->after;
  pthread_mutex_unlock(&h->lock);
  return job;
}

uint64_t web_hasher_count(web_hasher *h) {
  pthread_mutex_lock(&h->lock);
  uint64_t n = h->hashes;
  pthread_mutex_unlock(&h->lock);
  return n;
}
