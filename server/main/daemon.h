/* The daemon's parts: options.c (command line), glue.c (connections and sessions), pages.c (health and
 * metrics), routes.c (all that is served over HTTP), host.c (administration inside the running server),
 * daily.c (retention), summing.c (sums after commits), overdrachtd.c (life). */
#ifndef OVERDRACHTD_H
#define OVERDRACHTD_H

#include <pthread.h>
#include "sv_admin.h"
#include "sv_net.h"
#include "sv_node.h"
#include "sv_server.h"
#include "sv_web.h"
#include "sv_web_files.h"

#define NAMES_MAX 8u

typedef struct options {
  const char *data, *address, *cert, *key, *schema_dir, *master_key, *web;
  const char *names[NAMES_MAX];
  unsigned n_names;
  const char *origins[NAMES_MAX];
  unsigned n_origins;
  int port, local_port;  /* local_port < 0: no health and metrics listener */
  const char *port_file; /* ports are written here once listening, for scripts that asked for port 0 */
  unsigned workers;
  int log_level;
  bool create;
} options;
/* 0 go on, 1 stop with exit status 0 (help, version), 2 stop with 2 (wrong use; told). */
int options_read(options *o, int argc, char **argv);

/* Work that another thread wants done on the service thread. */
typedef struct call {
  struct call *next;
  void (*fn)(void *arg);
  void *arg;
  bool done;
} call;

typedef struct daemon_state {
  options o;
  sv_node *node;
  sv_server *server;
  sv_net *net;
  sv_web *web;
  sv_web_files *web_files;
  sv_net_route *routes; /* owned; outlives net */
  size_t routes_n;
  sv_admin_host host;
  sv_admin_socket *admin;
  pthread_mutex_t lock;
  pthread_cond_t answered;
  call *calls;
  bool loop_over;
  char web_url[300];
  int64_t started_mono;
  pthread_t daily;
  int daily_wake[2]; /* a pipe: closing its end stops the run */
  bool daily_running;
  unsigned summing_ticks, summing_at;
  bool summing_under_way;
} daemon_state;

/* glue.c */
sv_net_cbs glue_callbacks(daemon_state *d);
void daemon_wake(void *ctx);
/* summing.c: each second, on the service thread. */
void summing_tick(daemon_state *d);
/* pages.c */
unsigned pages_routes(const sv_net_route **routes);
/* routes.c: reads the web app and fills routes; false after telling what is wrong. */
bool routes_make(daemon_state *d);
void routes_free(daemon_state *d);
char *pages_status_json(daemon_state *d);
/* daily.c: once the socket is open; stopped before it closes. */
int daily_start(daemon_state *d);
void daily_stop(daemon_state *d);
/* host.c: fills d->host. */
void host_init(daemon_state *d);
void host_run_calls(daemon_state *d);
/* The service thread has left its loop: calls are run by whoever makes them from now on. */
void host_end(daemon_state *d);

#endif
