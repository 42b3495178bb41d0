/* The Unix socket in the data folder. One thread, one request a connection, one request at a time; who is
 * slow to send theirs is waited for beside the others. Only the user of the server and root get in, by the
 * kernel's word and not by the file's mode alone. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ov/error.h"
#include "sv_admin_commands.h"

/* A connection that sends no whole request is ended after this. */
#define REQUEST_MS 10000
/* One that takes nothing of its answer keeps the others out no longer than this. */
#define ANSWER_MS 60000
/* What a client still sends after its answer is taken and thrown away for a moment: closing on it would reset
 * the connection, and the answer with it. */
#define LEAVE_MS 1000
#define BACKLOG 16
/* Connections at a time, 1 MiB each at most; others wait to be accepted. */
#define CONNS_MAX 16

typedef struct conn {
  sv_admin_socket *s;
  int fd; /* -1: over */
  int64_t until_ms;
  char user[48];
  char *buf; /* the request so far; NULL: answered */
  size_t n;
} conn;

struct sv_admin_socket {
  sv_admin_host *host;
  char path[600];
  int fd, wake;
  pthread_t thread;
  bool running;
  atomic_bool stop;
  conn conns[CONNS_MAX];
  unsigned n_conns;
};

/* -- answers ----------------------------------------------------------------------------- */

static bool wait_to_send(conn *c) {
  struct pollfd p[2] = {{.fd = c->fd, .events = POLLOUT}, {.fd = c->s->wake, .events = POLLIN}};
  int n = poll(p, 2, ANSWER_MS);
  return n < 0 ? errno == EINTR : n > 0 && !p[1].revents;
}

static bool send_all(conn *c, const char *p, size_t n) {
  while (n) {
    ssize_t k = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (k > 0) {
      p += k;
      n -= (size_t)k;
    } else if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!wait_to_send(c)) return false;
    } else if (k < 0 && errno != EINTR) {
      return false;
    }
  }
  return true;
}

/* Hung up, or the server stops: long work ends here. */
static bool is_gone(conn *c) {
  struct pollfd p = {.fd = c->fd};
  return atomic_load(&c->s->stop) || (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)));
}

static bool answer(void *ctx, const char *line) {
  conn *c = ctx;
  return !is_gone(c) && send_all(c, line, strlen(line)) && send_all(c, "\n", 1);
}

static void refuse(conn *c, int err, const char *message, const char *hint) {
  char line[300];
  snprintf(line, sizeof line, "{\"ok\":false,\"error\":\"%s\",\"message\":\"%s\",\"hint\":\"%s\"}",
           ov_err_slug(err), message, hint);
  (void)answer(c, line);
}

/* -- one connection ---------------------------------------------------------------------- */

static int64_t mono_ms(const sv_admin_socket *s) { return s->host->sys->mono_ms(s->host->sys->ctx); }

static bool is_allowed(int fd, char user[48]) {
  struct ucred who;
  socklen_t n = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n)) return false;
  snprintf(user, 48, "uid %u", (unsigned)who.uid);
  return who.uid == geteuid() || who.uid == 0;
}

static void hang_up(conn *c) {
  close(c->fd);
  free(c->buf);
  c->fd = -1;
  c->buf = NULL;
}

static void leave(conn *c) {
  shutdown(c->fd, SHUT_WR);
  free(c->buf);
  c->buf = NULL;
  c->until_ms = mono_ms(c->s) + LEAVE_MS;
}

/* Nobody is listened to meanwhile, which counts against nobody's time. */
static void handle(conn *c) {
  sv_admin_socket *s = c->s;
  int64_t from = mono_ms(s);
  memcpy(s->host->user, c->user, sizeof c->user);
  (void)sv_admin_handle(s->host, c->buf, c->n, answer, c);
  int64_t spent = mono_ms(s) - from;
  for (unsigned i = 0; i < s->n_conns; i++) s->conns[i].until_ms += spent;
}

/* A request ends with a newline, or with the end of what is sent. */
static void take(conn *c) {
  char sink[4096];
  ssize_t k = c->buf ? recv(c->fd, c->buf + c->n, SV_ADMIN_REQUEST_BYTES_MAX + 1 - c->n, MSG_DONTWAIT)
                     : recv(c->fd, sink, sizeof sink, MSG_DONTWAIT);
  if (k < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (k <= 0 && !(c->buf && c->n)) {
    hang_up(c);
    return;
  }
  if (!c->buf) return;
  char *end = k > 0 ? memchr(c->buf + c->n, '\n', (size_t)k) : c->buf + c->n;
  c->n = end ? (size_t)(end - c->buf) : c->n + (size_t)k;
  if (!end && c->n <= SV_ADMIN_REQUEST_BYTES_MAX) return;
  if (end) handle(c);
  else refuse(c, OV_E_LIMIT, "the request is too long", "");
  leave(c);
}

static void time_is_up(conn *c) {
  if (!c->buf) {
    hang_up(c);
    return;
  }
  refuse(c, OV_E_TIMEOUT, "no whole request came in time", "send one line of JSON with a newline at its end");
  leave(c);
}

/* -- all of them --------------------------------------------------------------------------- */

static void take_in(sv_admin_socket *s) {
  int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
      (void)poll(NULL, 0, 100); /* out of descriptors: not a busy loop */
    return;
  }
  conn *c = &s->conns[s->n_conns++];
  *c = (conn){.s = s, .fd = fd, .until_ms = mono_ms(s) + REQUEST_MS};
  if (!is_allowed(fd, c->user)) {
    refuse(c, OV_E_DENIED, "only the user that runs the server, and root, may administer it", "");
    leave(c);
  } else if (!(c->buf = malloc(SV_ADMIN_REQUEST_BYTES_MAX + 1))) {
    refuse(c, OV_E_NOMEM, "out of memory", "");
    leave(c);
  }
}

/* Until the first one's time is up; -1: for as long as it takes. */
static int patience_ms(const sv_admin_socket *s) {
  int64_t now = mono_ms(s), least = INT64_MAX;
  for (unsigned i = 0; i < s->n_conns; i++) {
    int64_t left = s->conns[i].until_ms - now;
    if (left < least) least = left;
  }
  return least == INT64_MAX ? -1 : least > 0 ? (int)least : 0;
}

static void drop_over(sv_admin_socket *s) {
  unsigned kept = 0;
  for (unsigned i = 0; i < s->n_conns; i++) {
    if (s->conns[i].fd >= 0) s->conns[kept++] = s->conns[i];
  }
  s->n_conns = kept;
}

static void *run(void *arg) {
  sv_admin_socket *s = arg;
  while (!atomic_load(&s->stop)) {
    struct pollfd p[2 + CONNS_MAX] = {{.fd = s->wake, .events = POLLIN},
                                      {.fd = s->n_conns < CONNS_MAX ? s->fd : -1, .events = POLLIN}};
    unsigned n = s->n_conns;
    for (unsigned i = 0; i < n; i++) p[2 + i] = (struct pollfd){.fd = s->conns[i].fd, .events = POLLIN};
    int ready = poll(p, 2 + n, patience_ms(s));
    if (ready < 0 && errno != EINTR) break;
    if (ready < 0 || p[0].revents) continue;
    int64_t now = mono_ms(s);
    for (unsigned i = 0; i < n; i++) {
      if (p[2 + i].revents) take(&s->conns[i]);
      else if (s->conns[i].until_ms <= now) time_is_up(&s->conns[i]);
    }
    drop_over(s);
    if (p[1].revents & POLLIN) take_in(s);
  }
  return NULL;
}

/* -- open and close ---------------------------------------------------------------------- */

/* sun_path holds 107 bytes; longer paths go through the folder's descriptor. */
static int make_address(const char *path, struct sockaddr_un *at, int *folder) {
  *at = (struct sockaddr_un){.sun_family = AF_UNIX};
  *folder = -1;
  if (strlen(path) < sizeof at->sun_path) {
    strcpy(at->sun_path, path);
    return 0;
  }
  char dir[600];
  const char *slash = strrchr(path, '/');
  if (!slash || (size_t)(slash - path) >= sizeof dir) return OV_E_LIMIT;
  memcpy(dir, path, (size_t)(slash - path));
  dir[slash - path] = 0;
  *folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (*folder < 0) return OV_E_IO;
  int n = snprintf(at->sun_path, sizeof at->sun_path, "/proc/self/fd/%d/%s", *folder, slash + 1);
  return n > 0 && (size_t)n < sizeof at->sun_path ? 0 : OV_E_LIMIT;
}

int sv_admin_connect(const char *path, int *out) {
  struct sockaddr_un at;
  int folder, err = make_address(path, &at, &folder);
  *out = err ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!err && (*out < 0 || connect(*out, (struct sockaddr *)&at, sizeof at))) {
    err = errno == ENOENT || errno == ECONNREFUSED ? OV_E_NOTFOUND : errno == EACCES ? OV_E_DENIED : OV_E_IO;
    if (*out >= 0) close(*out);
    *out = -1;
  }
  if (folder >= 0) close(folder);
  return err;
}

/* A socket that a killed server left is replaced: the folder's lock says that it is ours. Anything else by
 * that name is not touched. */
static int clear_path(const char *path) {
  struct stat st;
  if (lstat(path, &st)) return errno == ENOENT ? 0 : OV_E_IO;
  if (!S_ISSOCK(st.st_mode)) return OV_E_EXISTS;
  return unlink(path) ? OV_E_IO : 0;
}

/* The mode is set before the name exists, so that there is no moment in which others could connect. */
static int listen_at(sv_admin_socket *s) {
  struct sockaddr_un at;
  int folder, err = make_address(s->path, &at, &folder);
  s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!err) err = clear_path(s->path);
  if (!err && (s->fd < 0 || s->wake < 0)) err = OV_E_IO;
  if (!err &&
      (fchmod(s->fd, 0600) || bind(s->fd, (struct sockaddr *)&at, sizeof at) || listen(s->fd, BACKLOG)))
    err = OV_E_IO;
  if (!err && chmod(s->path, 0600)) err = OV_E_IO;
  if (folder >= 0) close(folder);
  return err;
}

int sv_admin_socket_open(sv_admin_host *h, const char *path, sv_admin_socket **out) {
  *out = NULL;
  sv_admin_socket *s = calloc(1, sizeof *s);
  if (!s) return OV_E_NOMEM;
  s->host = h;
  s->fd = s->wake = -1;
  int n = snprintf(s->path, sizeof s->path, "%s", path);
  int err = n > 0 && (size_t)n < sizeof s->path ? listen_at(s) : OV_E_LIMIT;
  if (!err) s->running = !pthread_create(&s->thread, NULL, run, s);
  if (!err && !s->running) err = OV_E_NOMEM;
  if (err) {
    if (s->fd >= 0) close(s->fd);
    if (s->wake >= 0) close(s->wake);
    free(s);
    return err;
  }
  *out = s;
  return 0;
}

void sv_admin_socket_close(sv_admin_socket *s) {
  if (!s) return;
  uint64_t one = 1;
  atomic_store(&s->stop, true);
  if (write(s->wake, &one, sizeof one) < 0) perror("overdrachtd: admin socket");
  pthread_join(s->thread, NULL);
  for (unsigned i = 0; i < s->n_conns; i++) hang_up(&s->conns[i]);
  (void)unlink(s->path);
  close(s->fd);
  close(s->wake);
  free(s);
}
