/* One echo server a group of tests, plain or TLS, and beside every attack a good connection that must go on
 * echoing. */
#ifndef OV_TESTS_NET_FIXTURE_H
#define OV_TESTS_NET_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "echo_server.h"
#include "testcert.h"

typedef struct net_fixture {
  bool tls;
  testcert cert;
  echo_server *server;
  rawws_opts to; /* where to connect */
  rawws *good;   /* under the lock; a thread of its own keeps it talking while a test waits */
  pthread_mutex_t lock;
  pthread_t keeper;
  bool keeping, stop, broken;
} net_fixture;

static inline void *fixture_keep(void *arg) {
  net_fixture *f = arg;
  struct timespec nap = {.tv_nsec = 30000000};
  pthread_mutex_lock(&f->lock);
  while (!f->stop) {
    if (!f->broken) f->broken = !rawws_echo(f->good, "beside", 6);
    pthread_mutex_unlock(&f->lock);
    nanosleep(&nap, NULL);
    pthread_mutex_lock(&f->lock);
  }
  pthread_mutex_unlock(&f->lock);
  return NULL;
}

/* `tune` sets the options that the tests need, NULL: none. `keep` starts the thread that keeps the good
 * connection busy, for deadlines shorter than a test's waits. */
static inline int fixture_start(void **state, bool tls, void (*tune)(sv_net_opts *), bool keep) {
  net_fixture *f = calloc(1, sizeof *f);
  sv_net_opts o = echo_opts();
  f->tls = tls;
  if (tls) {
    assert_true(testcert_make(&f->cert));
    o.cert_file = f->cert.cert_file;
    o.key_file = f->cert.key_file;
  }
  if (tune) tune(&o);
  f->server = echo_start(&o);
  f->to = (rawws_opts){.port = echo_port(f->server), .tls = tls, .ca_file = tls ? f->cert.cert_file : NULL};
  f->good = rawws_open(&f->to);
  assert_non_null(f->good);
  assert_true(rawws_echo(f->good, "first", 5));
  pthread_mutex_init(&f->lock, NULL);
  f->keeping = keep;
  if (keep) assert_int_equal(pthread_create(&f->keeper, NULL, fixture_keep, f), 0);
  *state = f;
  return 0;
}

static inline int fixture_stop(void **state) {
  net_fixture *f = *state;
  int ran = -1;
  pthread_mutex_lock(&f->lock);
  f->stop = true;
  pthread_mutex_unlock(&f->lock);
  if (f->keeping) pthread_join(f->keeper, NULL);
  pthread_mutex_destroy(&f->lock);
  rawws_free(f->good);
  echo_stop(f->server, &ran);
  if (f->tls) testcert_remove(&f->cert);
  free(f);
  assert_int_equal(ran, 0);
  return 0;
}

static inline void good_still_echoes(net_fixture *f, const char *after) {
  pthread_mutex_lock(&f->lock);
  if (!f->broken) f->broken = !rawws_echo(f->good, after, strlen(after));
  bool broken = f->broken;
  pthread_mutex_unlock(&f->lock);
  if (broken) fail_msg("the good connection stopped echoing after: %s", after);
}

#endif
