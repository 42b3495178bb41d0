#include "echo_server.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct out_msg {
  struct out_msg *next;
  size_t len;
  uint8_t bytes[];
} out_msg;

typedef struct echo_conn {
  out_msg *head, **tail, *lent;
  unsigned burst_left;
  size_t burst_len;
} echo_conn;

typedef struct posted {
  struct posted *next;
  uint64_t id;
  char text[64];
} posted;

struct echo_server {
  sv_net *net;
  pthread_t thread;
  int ran;
  uint64_t stop_ms, stopped_ms;
  pthread_mutex_t lock; /* over what follows, which the test's thread reads */
  posted *posts;
  uint64_t wakes, paused_id, reloads;
  int reload_result;
  bool reload;
  uint64_t later_id;
  uint64_t pulled, pull_ends; /* atomic */
  unsigned closed[65536 / 8]; /* by code, only codes below 8192 */
  char log[ECHO_LOG_CHARS];
  size_t log_n;
  unsigned log_lines;
  uint8_t *burst; /* zeros */
  int eaten[4096], eaten_n;
};

#define BURST_MAX (256u << 10)

static void queue(sv_conn *c, const void *bytes, size_t len) {
  echo_conn *e = sv_net_conn_user(c);
  out_msg *m = malloc(sizeof *m + len);
  m->next = NULL;
  m->len = len;
  if (len) memcpy(m->bytes, bytes, len);
  *e->tail = m;
  e->tail = &m->next;
  sv_net_conn_want_write(c);
}

static void on_open(void *user, sv_conn *c) {
  (void)user;
  echo_conn *e = calloc(1, sizeof *e);
  e->tail = &e->head;
  sv_net_conn_set_user(c, e);
}

static void eat_descriptors(echo_server *s, unsigned but) {
  int fd;
  while (s->eaten_n < 4096 && (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    s->eaten[s->eaten_n++] = fd;
  for (; but && s->eaten_n; but--) close(s->eaten[--s->eaten_n]);
}

static void free_descriptors(echo_server *s) {
  while (s->eaten_n) close(s->eaten[--s->eaten_n]);
}

static void on_message(void *user, sv_conn *c, const uint8_t *bytes, size_t len) {
  echo_server *s = user;
  echo_conn *e = sv_net_conn_user(c);
  char text[256] = "";
  unsigned a = 0, b = 0;
  int at = 0;
  if (len && bytes[0] == '!' && len < sizeof text) memcpy(text, bytes, len);
  if (sscanf(text, "!close %u %n", &a, &at) == 1 && at) {
    sv_net_conn_close(c, (uint16_t)a, text + at);
  } else if (sscanf(text, "!burst %u %u", &a, &b) == 2 && b <= BURST_MAX) {
    e->burst_left = a;
    e->burst_len = b;
    sv_net_conn_want_write(c);
  } else if (sscanf(text, "!pause %u", &a) == 1) {
    s->paused_id = sv_net_conn_id(c);
    sv_net_conn_pause(c);
    sv_net_timer(s->net, a);
  } else if (strcmp(text, "!id") == 0) {
    snprintf(text, sizeof text, "%llu", (unsigned long long)sv_net_conn_id(c));
    queue(c, text, strlen(text));
  } else if (strcmp(text, "!log") == 0) {
    snprintf(text, sizeof text, "%u", echo_log_lines(s));
    queue(c, text, strlen(text));
  } else if (strcmp(text, "!sockets") == 0) {
    snprintf(text, sizeof text, "%llu", (unsigned long long)sv_net_count(s->net, SV_NET_SOCKETS));
    queue(c, text, strlen(text));
  } else if (sscanf(text, "!eat %u", &a) == 1) {
    eat_descriptors(s, a);
    queue(c, bytes, len);
  } else if (strcmp(text, "!free") == 0) {
    free_descriptors(s);
    queue(c, bytes, len);
  } else if (strcmp(text, "!huge") == 0) {
    e->burst_left = 1;
    e->burst_len = BURST_MAX;
    sv_net_conn_want_write(c);
  } else {
    queue(c, bytes, len);
  }
}

static bool on_writable(void *user, sv_conn *c, const uint8_t **bytes, size_t *len) {
  echo_server *s = user;
  echo_conn *e = sv_net_conn_user(c);
  free(e->lent);
  e->lent = NULL;
  if (e->burst_left) {
    e->burst_left--;
    *bytes = s->burst;
    *len = e->burst_len;
    return true;
  }
  out_msg *m = e->head;
  if (!m) return false;
  e->head = m->next;
  if (!e->head) e->tail = &e->head;
  e->lent = m;
  *bytes = m->bytes;
  *len = m->len;
  return true;
}

static void on_close(void *user, sv_conn *c, uint16_t code) {
  echo_server *s = user;
  echo_conn *e = sv_net_conn_user(c);
  pthread_mutex_lock(&s->lock);
  if (code < sizeof s->closed / sizeof *s->closed) s->closed[code]++;
  pthread_mutex_unlock(&s->lock);
  for (out_msg *m = e->head, *next; m; m = next) {
    next = m->next;
    free(m);
  }
  free(e->lent);
  free(e);
  sv_net_conn_set_user(c, NULL);
}

static void on_wake(void *user) {
  echo_server *s = user;
  pthread_mutex_lock(&s->lock);
  posted *list = s->posts;
  s->posts = NULL;
  s->wakes++;
  bool reload = s->reload;
  s->reload = false;
  pthread_mutex_unlock(&s->lock);
  if (reload) {
    int result = sv_net_tls_reload(s->net); /* logs, so not under the lock */
    pthread_mutex_lock(&s->lock);
    s->reload_result = result;
    s->reloads++;
    pthread_mutex_unlock(&s->lock);
  }
  for (posted *p = list, *next; p; p = next) {
    next = p->next;
    sv_net_reply reply = {.body = (uint8_t *)strdup(p->text), .body_bytes = strlen(p->text)};
    if (sv_net_reply_later(s->net, p->id, &reply)) {
      free(p);
      continue;
    }
    sv_conn *c = sv_net_conn_find(s->net, p->id);
    if (c) queue(c, p->text, strlen(p->text));
    free(p);
  }
}

static void on_timer(void *user) {
  echo_server *s = user;
  sv_conn *c = sv_net_conn_find(s->net, s->paused_id);
  if (c) sv_net_conn_resume(c);
}

static void on_log(void *user, sv_net_level level, const char *line) {
  (void)level;
  echo_server *s = user;
  pthread_mutex_lock(&s->lock);
  s->log_lines++;
  int n = snprintf(s->log + s->log_n, sizeof s->log - s->log_n, "%s\n", line);
  if (n > 0 && s->log_n + (size_t)n < sizeof s->log) s->log_n += (size_t)n;
  pthread_mutex_unlock(&s->lock);
}

static int get_counters(void *user, const sv_net_request *request, sv_net_reply *reply) {
  (void)request;
  echo_server *s = user;
  size_t cap = 8192, n = 0;
  char *text = malloc(cap);
  if (!text) return -1;
  for (int i = 0; i < SV_NET_COUNTERS; i++)
    n += (size_t)snprintf(text + n, cap - n, "net_%s %llu\n", sv_net_counter_name((sv_net_counter)i),
                          (unsigned long long)sv_net_count(s->net, (sv_net_counter)i));
  reply->body = (uint8_t *)text;
  reply->body_bytes = n;
  return 0;
}

static int get_broken(void *user, const sv_net_request *request, sv_net_reply *reply) {
  (void)user, (void)request, (void)reply;
  return -1;
}

static int get_big(void *user, const sv_net_request *request, sv_net_reply *reply) {
  (void)user, (void)request;
  reply->body_bytes = 1 << 20;
  reply->body = malloc(reply->body_bytes);
  if (!reply->body) return -1;
  memset(reply->body, 'x', reply->body_bytes);
  return 0;
}

/* What came, line by line; the body last. */
static int describe(void *user, const sv_net_request *q, sv_net_reply *reply) {
  (void)user;
  size_t cap = 4096 + q->body_bytes;
  char *text = calloc(1, cap);
  if (!text) return -1;
  const char *a = sv_net_arg(q, "a"), *b = sv_net_arg(q, "b");
  int n = snprintf(text, cap,
                   "method %d path %s a [%s] b [%s] cookie [%s] authorization [%s] type [%s] overdracht [%s] "
                   "csrf [%s] origin %d gzip %d peer %s body %zu:",
                   q->method, q->path, a ? a : "(none)", b ? b : "(none)", q->cookie ? q->cookie : "",
                   q->authorization ? q->authorization : "", q->content_type ? q->content_type : "",
                   q->overdracht ? q->overdracht : "", q->csrf ? q->csrf : "", q->origin, q->gzip_ok, q->peer,
                   q->body_bytes);
  if (q->body_bytes) memcpy(text + n, q->body, q->body_bytes);
  reply->body = (uint8_t *)text;
  reply->body_bytes = (size_t)n + q->body_bytes;
  reply->headers = strdup("X-Extra: yes\r\nSet-Cookie: a=b\r\n");
  return 0;
}

/* Another thread finds the answer; this one gives it when woken. */
static int answer_later(void *user, const sv_net_request *q, sv_net_reply *reply) {
  (void)reply;
  echo_server *s = user;
  pthread_mutex_lock(&s->lock);
  s->later_id = q->id;
  pthread_mutex_unlock(&s->lock);
  return SV_NET_LATER;
}

/* Byte i of the large body is i * 7 + (i >> 8). */
static size_t pull_large(void *ctx, uint64_t offset, uint8_t *to, size_t max) {
  echo_server *s = ctx;
  size_t n = max < 5000 ? max : 5000;
  if (offset + n > ECHO_LARGE_BYTES) n = (size_t)(ECHO_LARGE_BYTES - offset);
  for (size_t i = 0; i < n; i++) to[i] = echo_large_byte(offset + i);
  __atomic_add_fetch(&s->pulled, n, __ATOMIC_RELAXED);
  return n;
}

static size_t pull_nothing(void *ctx, uint64_t offset, uint8_t *to, size_t max) {
  (void)ctx, (void)to;
  return offset ? 0 : max < 100 ? max : 100;
}

static void pull_end(void *ctx) { __atomic_add_fetch(&((echo_server *)ctx)->pull_ends, 1, __ATOMIC_RELAXED); }

static int get_large(void *user, const sv_net_request *q, sv_net_reply *reply) {
  bool broken = strcmp(q->path, "/large/broken") == 0;
  if (!broken && strcmp(q->path, "/large/") != 0) reply->status = 404;
  memcpy(reply->etag, "\"large\"", 8);
  reply->cache = SV_NET_CACHE_CHECK;
  reply->body_bytes = reply->status == 200 ? ECHO_LARGE_BYTES : 0;
  reply->pull = broken ? pull_nothing : pull_large;
  reply->pull_ctx = user;
  reply->pull_end = pull_end;
  return 0;
}

uint8_t echo_large_byte(uint64_t i) { return (uint8_t)(i * 7 + (i >> 8)); }
uint64_t echo_pulled(echo_server *s) { return __atomic_load_n(&s->pulled, __ATOMIC_RELAXED); }
uint64_t echo_pull_ends(echo_server *s) { return __atomic_load_n(&s->pull_ends, __ATOMIC_RELAXED); }

uint64_t echo_later_id(echo_server *s) {
  struct timespec nap = {.tv_nsec = 2000000};
  uint64_t id = 0;
  for (int i = 0; i < 1000 && !id; i++) {
    pthread_mutex_lock(&s->lock);
    id = s->later_id;
    s->later_id = 0;
    pthread_mutex_unlock(&s->lock);
    if (!id) nanosleep(&nap, NULL);
  }
  return id;
}

sv_net_opts echo_opts(void) {
  static const char *const hosts[] = {"localhost", "sync.example.nl:8443"};
  static const char *const origins[] = {ECHO_ORIGIN};
  static const sv_net_route routes[] = {
      {.path = "/health",
       .content_type = "text/plain; charset=utf-8",
       .sides = SV_NET_MAIN | SV_NET_LOCAL,
       .body = "ok\n",
       .body_bytes = 3},
      {.path = "/metrics",
       .content_type = "text/plain; version=0.0.4",
       .sides = SV_NET_LOCAL,
       .handle = get_counters},
      {.path = "/broken", .content_type = "text/plain", .sides = SV_NET_MAIN, .handle = get_broken},
      {.path = "/describe",
       .content_type = "text/plain",
       .sides = SV_NET_MAIN,
       .methods = SV_NET_GET | SV_NET_POST,
       .post_bytes_max = ECHO_POST_MAX,
       .handle = describe},
      {.path = "/post",
       .content_type = "text/plain",
       .sides = SV_NET_MAIN,
       .methods = SV_NET_POST,
       .post_bytes_max = ECHO_POST_MAX,
       .handle = describe},
      {.path = "/later",
       .content_type = "text/plain",
       .sides = SV_NET_MAIN,
       .methods = SV_NET_GET | SV_NET_POST,
       .post_bytes_max = ECHO_POST_MAX,
       .handle = answer_later},
      {.path = "/app.js",
       .content_type = "text/javascript; charset=utf-8",
       .sides = SV_NET_MAIN,
       .policy = SV_NET_POLICY_APP,
       .cache = SV_NET_CACHE_FOREVER,
       .etag = "\"app1\"",
       .body = "plain script",
       .body_bytes = 12,
       .gzip_body = "GZ",
       .gzip_bytes = 2},
      {.path = "/large/",
       .prefix = true,
       .content_type = "application/octet-stream",
       .sides = SV_NET_MAIN,
       .handle = get_large},
      {.path = "/big", .content_type = "application/octet-stream", .sides = SV_NET_MAIN, .handle = get_big},
  };
  sv_net_opts o = sv_net_opts_default();
  o.hosts = hosts;
  o.hosts_n = 2;
  o.origins = origins;
  o.origins_n = 1;
  o.routes = routes;
  o.routes_n = sizeof routes / sizeof *routes;
  o.connections_max = 400;
  o.per_address_max = 400;
  o.local_on = true;
  o.server_name = "overdracht-test";
  return o;
}

static void *serve(void *arg) {
  echo_server *s = arg;
  s->ran = sv_net_run(s->net);
  s->stopped_ms = sv_net_now_ms();
  return NULL;
}

static echo_server *make(const sv_net_opts *opts) {
  echo_server *s = calloc(1, sizeof *s);
  assert_non_null(s);
  pthread_mutex_init(&s->lock, NULL);
  s->burst = calloc(1, BURST_MAX);
  sv_net_cbs cbs = {.user = s,
                    .on_open = on_open,
                    .on_message = on_message,
                    .on_writable = on_writable,
                    .on_close = on_close,
                    .on_wake = on_wake,
                    .on_timer = on_timer,
                    .on_log = on_log};
  int err = sv_net_create(&s->net, opts, &cbs);
  if (err) print_error("%s", s->log);
  assert_int_equal(err, 0);
  return s;
}

static void unmake(echo_server *s) {
  sv_net_destroy(s->net);
  while (s->posts) {
    posted *p = s->posts;
    s->posts = p->next;
    free(p);
  }
  free_descriptors(s);
  pthread_mutex_destroy(&s->lock);
  free(s->burst);
  free(s);
}

echo_server *echo_start(const sv_net_opts *opts) {
  echo_server *s = make(opts);
  assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
  return s;
}

static sv_net *net_of_process;

static void on_sigterm(int sig) {
  (void)sig;
  sv_net_stop(net_of_process);
}

static int serve_process(const sv_net_opts *opts, unsigned fds, int ports_to) {
  struct rlimit lim = {fds, fds};
  if (fds && setrlimit(RLIMIT_NOFILE, &lim) != 0) return 3;
  echo_server *s = make(opts);
  net_of_process = s->net;
  struct sigaction act = {.sa_handler = on_sigterm};
  sigaction(SIGTERM, &act, NULL);
  uint16_t ports[2] = {sv_net_port(s->net), sv_net_local_port(s->net)};
  if (write(ports_to, ports, sizeof ports) != sizeof ports) return 4;
  close(ports_to);
  int ran = sv_net_run(s->net);
  unmake(s);
  return ran ? 5 : 0;
}

/* Without atexit: a sanitizer's may wait for ever in a fork. What a coverage build has counted is written
 * first. */
#ifdef OV_COVERAGE
void __gcov_dump(void); /* of GCC's libgcov */
#endif
static _Noreturn void leave_fork(int status) {
#ifdef OV_COVERAGE
  __gcov_dump();
#endif
  _exit(status);
}

pid_t echo_fork(const sv_net_opts *opts, unsigned fds, uint16_t *port, uint16_t *local_port) {
  int pipe_fd[2];
  uint16_t ports[2] = {0};
  assert_int_equal(pipe(pipe_fd), 0);
  fflush(NULL);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (!pid) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* not left behind when a test is killed */
    close(pipe_fd[0]);
    leave_fork(serve_process(opts, fds, pipe_fd[1]));
  }
  close(pipe_fd[1]);
  assert_int_equal((int)read(pipe_fd[0], ports, sizeof ports), (int)sizeof ports);
  close(pipe_fd[0]);
  *port = ports[0];
  if (local_port) *local_port = ports[1];
  return pid;
}

int echo_reap(pid_t pid) {
  int status = -1;
  kill(pid, SIGTERM);
  if (waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + status;
}

int echo_stop(echo_server *s, int *ran) {
  uint64_t start = sv_net_now_ms();
  sv_net_stop(s->net);
  pthread_join(s->thread, NULL);
  int took = (int)(s->stopped_ms - start);
  if (ran) *ran = s->ran;
  unmake(s);
  return took;
}

sv_net *echo_net(echo_server *s) { return s->net; }

uint16_t echo_port(echo_server *s) { return sv_net_port(s->net); }

uint64_t echo_count(echo_server *s, sv_net_counter which) { return sv_net_count(s->net, which); }

static bool wait_count(echo_server *s, sv_net_counter which, uint64_t n, bool at_least) {
  struct timespec nap = {.tv_nsec = 2000000};
  for (int i = 0; i < 1000; i++) {
    uint64_t now = echo_count(s, which);
    if (at_least ? now >= n : now <= n) return true;
    nanosleep(&nap, NULL);
  }
  return false;
}

bool echo_wait_at_least(echo_server *s, sv_net_counter which, uint64_t n) {
  return wait_count(s, which, n, true);
}

bool echo_wait_at_most(echo_server *s, sv_net_counter which, uint64_t n) {
  return wait_count(s, which, n, false);
}

void echo_post(echo_server *s, uint64_t id, const char *text) {
  posted *p = calloc(1, sizeof *p);
  p->id = id;
  snprintf(p->text, sizeof p->text, "%s", text);
  pthread_mutex_lock(&s->lock);
  posted **end = &s->posts;
  while (*end) end = &(*end)->next;
  *end = p;
  pthread_mutex_unlock(&s->lock);
  sv_net_wake(s->net);
}

int echo_reload(echo_server *s) {
  struct timespec nap = {.tv_nsec = 1000000};
  pthread_mutex_lock(&s->lock);
  uint64_t before = s->reloads;
  s->reload = true;
  sv_net_wake(s->net);
  for (int i = 0; i < 2000 && s->reloads == before; i++) {
    pthread_mutex_unlock(&s->lock);
    nanosleep(&nap, NULL);
    pthread_mutex_lock(&s->lock);
  }
  int result = s->reloads == before ? 1 : s->reload_result;
  pthread_mutex_unlock(&s->lock);
  return result;
}

uint64_t echo_wakes(echo_server *s) {
  pthread_mutex_lock(&s->lock);
  uint64_t n = s->wakes;
  pthread_mutex_unlock(&s->lock);
  return n;
}

unsigned echo_closed_with(echo_server *s, uint16_t code) {
  pthread_mutex_lock(&s->lock);
  unsigned n = s->closed[code];
  pthread_mutex_unlock(&s->lock);
  return n;
}

unsigned echo_logged(echo_server *s, const char *text) {
  unsigned n = 0;
  pthread_mutex_lock(&s->lock);
  for (const char *p = s->log; (p = strstr(p, text)); p += strlen(text)) n++;
  pthread_mutex_unlock(&s->lock);
  return n;
}

unsigned echo_log_lines(echo_server *s) {
  pthread_mutex_lock(&s->lock);
  unsigned n = s->log_lines;
  pthread_mutex_unlock(&s->lock);
  return n;
}
