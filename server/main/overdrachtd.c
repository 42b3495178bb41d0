/* overdrachtd: life of the server, from options to the last commit. */
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "secret.h"

static int fail(const char *what, const char *why) {
  fprintf(stderr, "overdrachtd: %s: %s\n", what, why);
  return 1;
}

/* Devices of a private CA pin the certificate: its hash goes out at enrolment. */
static bool certificate_pin(const char *file, uint8_t pin[OV_HASH_BYTES]) {
  FILE *f = fopen(file, "r");
  X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
  unsigned n = 0;
  bool ok = x && X509_digest(x, EVP_sha256(), pin, &n) && n == OV_HASH_BYTES;
  X509_free(x);
  if (f) fclose(f);
  return ok;
}

static int start_server(daemon_state *d) {
  const options *o = &d->o;
  sv_server_options so = {.sys = d->node->sys,
                          .names = o->names,
                          .n_names = o->n_names,
                          .programme = d->node->programme,
                          .schemas = d->node->schemas,
                          .workers = o->workers,
                          .wake = daemon_wake,
                          .wake_ctx = d};
  if (o->cert) so.has_pin = certificate_pin(o->cert, so.pin);
  int err = sv_server_new(&so, &d->server);
  for (unsigned i = 0; !err && i < d->node->n_orgs; i++) err = sv_server_add_org(d->server, d->node->orgs[i]);
  return err;
}

static int start_web(daemon_state *d) {
  sv_web_options wo = {.sys = d->node->sys,
                       .server = d->server,
                       .wake = daemon_wake,
                       .wake_ctx = d,
                       .tls = d->o.cert != NULL,
                       .cost = sv_hash_cost_default};
  return sv_web_new(&wo, &d->web);
}

static int start_net(daemon_state *d) {
  const options *o = &d->o;
  sv_net_opts no = sv_net_opts_default();
  no.address = o->address;
  no.port = (uint16_t)o->port;
  no.cert_file = o->cert;
  no.key_file = o->key;
  no.hosts = o->names;
  no.hosts_n = o->n_names;
  no.origins = o->origins;
  no.origins_n = o->n_origins;
  no.local_on = o->local_port >= 0;
  no.local_port = (uint16_t)(o->local_port > 0 ? o->local_port : 0);
  no.message_bytes_max = OV_WS_MESSAGE_BYTES_MAX;
  no.routes = d->routes;
  no.routes_n = d->routes_n;
  sv_net_cbs cbs = glue_callbacks(d);
  int err = sv_net_create(&d->net, &no, &cbs);
  sv_web_set_net(d->web, d->net);
  return err;
}

static int write_port_file(const daemon_state *d) {
  if (!d->o.port_file) return 0;
  char tmp[600];
  snprintf(tmp, sizeof tmp, "%s.new", d->o.port_file);
  FILE *f = fopen(tmp, "w");
  if (!f) return -1;
  fprintf(f, "port=%u\nlocal_port=%u\n", sv_net_port(d->net), sv_net_local_port(d->net));
  return fclose(f) || rename(tmp, d->o.port_file) ? -1 : 0;
}

static void log_state(daemon_state *d, const char *event) {
  char f[200];
  snprintf(f, sizeof f, "version=%s address=%s port=%u local_port=%u tls=%s organisations=%u", OV_VERSION,
           d->o.address, sv_net_port(d->net), sv_net_local_port(d->net), d->o.cert ? "yes" : "no",
           d->node->n_orgs);
  d->node->sys->log(d->node->sys->ctx, SV_LOG_INFO, event, f);
}

/* -- signals: a thread of their own waits for them, so that no handler interrupts a transaction ---------- */

static void stop_sessions(void *arg) {
  daemon_state *d = arg;
  sv_server_shutdown(d->server);
  sv_net_stop(d->net);
}

static void reload_tls(void *arg) {
  daemon_state *d = arg;
  int err = sv_net_tls_reload(d->net);
  d->node->sys->log(d->node->sys->ctx, err ? SV_LOG_ERROR : SV_LOG_INFO, "certificate_reloaded",
                    err ? "result=kept_the_old_one" : "result=ok");
}

static void hand_over(daemon_state *d, call *c, void (*fn)(void *)) {
  pthread_mutex_lock(&d->lock);
  *c = (call){.next = d->calls, .fn = fn, .arg = d};
  d->calls = c;
  pthread_mutex_unlock(&d->lock);
  daemon_wake(d);
}

static void *signal_main(void *arg) {
  daemon_state *d = arg;
  static call stop, reload; /* outlive this thread's turn; reload is done before the next HUP is waited for */
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR2); /* the main thread tells us to go */
  for (;;) {
    int sig = 0;
    if (sigwait(&set, &sig) || sig == SIGUSR2) return NULL;
    if (sig == SIGHUP) {
      pthread_mutex_lock(&d->lock);
      bool free_now = !reload.fn || reload.done;
      pthread_mutex_unlock(&d->lock);
      if (free_now) hand_over(d, &reload, reload_tls);
      continue;
    }
    hand_over(d, &stop, stop_sessions);
    return NULL;
  }
}

static void block_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk to the store, not the end of the process */
}

static int serve(daemon_state *d) {
  char path[600];
  pthread_t signals;
  snprintf(path, sizeof path, "%s/admin.sock", d->node->data);
  host_init(d);
  int err = sv_admin_socket_open(&d->host, path, &d->admin);
  if (err) return fail(path, ov_err_text(err));
  if (write_port_file(d)) return fail(d->o.port_file, strerror(errno));
  if (daily_start(d)) return fail("retention", "no thread");
  if (pthread_create(&signals, NULL, signal_main, d)) return fail("signals", "no thread");
  log_state(d, "serving");
  if (!sv_secret_all_locked())
    d->node->sys->log(d->node->sys->ctx, SV_LOG_WARN, "keys_not_locked_in_memory",
                      "advice=\"raise LimitMEMLOCK, or encrypt the swap\"");
  sv_net_timer(d->net, 1000);
  err = sv_net_run(d->net);
  pthread_kill(signals, SIGUSR2);
  pthread_join(signals, NULL);
  log_state(d, "stopped");
  return err ? fail("event loop", ov_err_text(err)) : 0;
}

/* Order matters: nobody may hand work to what is gone. */
static void tear_down(daemon_state *d) {
  if (d->server) sv_server_shutdown(d->server); /* done already unless the event loop broke */
  /* an administrator's request that came during the stop gets its answer */
  host_end(d);
  daily_stop(d);
  sv_admin_socket_close(d->admin);
  if (d->web) sv_web_stop(d->web);
  sv_net_destroy(d->net);
  d->net = NULL;
  routes_free(d);
  sv_server_free(d->server);
  sv_web_free(d->web);
  sv_node_close(d->node);
}

int main(int argc, char **argv) {
  static daemon_state d;
  int use = options_read(&d.o, argc, argv);
  if (use) return use == 1 ? 0 : 2;
  umask(077);
  (void)sv_secret_process(); /* keys and notes of people must not end in a core file */
  block_signals();
  pthread_mutex_init(&d.lock, NULL);
  pthread_cond_init(&d.answered, NULL);
  const sv_sys *sys = sv_sys_real(d.o.log_level);
  d.started_mono = sys->mono_ms(sys->ctx);
  char why[256];
  sv_node_options no = {.data = d.o.data,
                        .master_key_file = d.o.master_key,
                        .schema_dir = d.o.schema_dir,
                        .create = d.o.create,
                        .sys = sys};
  int err = sv_node_open(&no, &d.node, why);
  if (err) return fail("cannot open the data", why);
  err = start_server(&d);
  if (!err) err = start_web(&d);
  int status = err ? fail("cannot start", ov_err_text(err)) : 0;
  if (!status && !routes_make(&d)) status = 1;
  if (!status) {
    err = start_net(&d);
    status = err ? fail("cannot listen", ov_err_text(err)) : serve(&d);
  }
  tear_down(&d);
  return status;
}
