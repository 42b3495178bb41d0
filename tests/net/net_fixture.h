/* One echo server a group of tests, plain or TLS, and beside every attack a good connection that must go on echoing. */
#ifndef OV_TESTS_NET_FIXTURE_H
#define OV_TESTS_NET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "echo_server.h"
#include "testcert.h"

typedef struct net_fixture {
  bool tls;
  testcert cert;
  echo_server *server;
  rawws_opts to; /* where to connect */
  rawws *good;
} net_fixture;

/* Group set-ups keep going with the tail of `tune` (options the tests need); it may be NULL. */
static inline int fixture_start(void **state, bool tls, void (*tune)(sv_net_opts *)) {
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
  *state = f;
  return 0;
}

static inline int fixture_stop(void **state) {
  net_fixture *f = *state;
  int ran = -1;
  rawws_free(f->good);
  echo_stop(f->server, &ran);
  if (f->tls) testcert_remove(&f->cert);
  free(f);
  assert_int_equal(ran, 0);
  return 0;
}

static inline void good_still_echoes(net_fixture *f, const char *after) {
  if (!rawws_echo(f->good, after, strlen(after))) fail_msg("the good connection stopped echoing after: %s", after);
}

#endif
