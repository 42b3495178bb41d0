/* The Unix socket in the data folder. One thread, one connection at a time, one request each. Only the user
 * of the server and root get in, by the kernel's word and not by the file's mode alone. */
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

/* A connection that sends nothing, or takes nothing, keeps the others out no longer than this. */
#define REQUEST_MS 10000
#define ANSWER_MS 60000
#define BACKLOG 16

struct sv_admin_socket {
  sv_admin_host *host;
  char path[600];
  int fd, wake;
  pthread_t thread;
  bool running;
  atomic_bool stop;
};

typedef struct conn {
  sv_admin_socket *s;
  int fd;
} conn;

static int wait_for(conn *c, short events, int ms) {
  struct pollfd p[2] = {{.fd = c->fd, .events = events}, {.fd = c->s->wake, .events = POLLIN}};
  int n = poll(p, 2, ms);
  if (n < 0 && errno == EINTR) return 0;
  if (n <= 0 || p[1].revents) return -1;
  return 1;
}

/* -- answers ----------------------------------------------------------------------------- */

static bool send_all(conn *c, const char *p, size_t n) {
  while (n) {
    ssize_t k = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (k > 0) {
      p += k;
      n -= (size_t)k;
    } else if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (wait_for(c, POLLOUT, ANSWER_MS) < 0) return false;
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

static void refuse(conn *c, int err, const char *message) {
  char line[300];
  snprintf(line, sizeof line, "{\"ok\":false,\"error\":\"%s\",\"message\":\"%s\",\"hint\":\"\"}",
           ov_err_slug(err), message);
  (void)answer(c, line);
}

/* -- one connection ---------------------------------------------------------------------- */

static bool is_allowed(int fd, char user[48]) {
  struct ucred who;
  socklen_t n = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n)) return false;
  snprintf(user, 48, "uid %u", (unsigned)who.uid);
  return who.uid == geteuid() || who.uid == 0;
}

static int64_t mono_ms(const sv_admin_host *h) { return h->sys->mono_ms(h->sys->ctx); }

/* Up to a newline or the end. 0, or an error that was told. */
static int read_request(conn *c, char *buf, size_t *n) {
  int64_t until = mono_ms(c->s->host) + REQUEST_MS;
  *n = 0;
  for (;;) {
    int64_t left = until - mono_ms(c->s->host);
    int ready = left > 0 ? wait_for(c, POLLIN, (int)left) : -1;
    if (ready < 0) {
      refuse(c, OV_E_TIMEOUT, "no whole request came in time");
      return OV_E_TIMEOUT;
    }
    if (!ready) continue;
    ssize_t k = recv(c->fd, buf + *n, SV_ADMIN_REQUEST_BYTES_MAX + 1 - *n, MSG_DONTWAIT);
    if (k < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (k <= 0) return *n ? 0 : OV_E_NET;
    char *end = memchr(buf + *n, '\n', (size_t)k);
    if (end) return *n = (size_t)(end - buf), 0;
    *n += (size_t)k;
    if (*n > SV_ADMIN_REQUEST_BYTES_MAX) {
      refuse(c, OV_E_LIMIT, "the request is too long");
      return OV_E_LIMIT;
    }
  }
}

/* What a client still sends after a refusal is taken and thrown away for a moment: closing on it would reset
 * the connection, and the refusal with it. */
static void drain(conn *c) {
  char sink[4096];
  shutdown(c->fd, SHUT_WR);
  for (int i = 0; i < 1024 && wait_for(c, POLLIN, 200) > 0; i++) {
    if (recv(c->fd, sink, sizeof sink, MSG_DONTWAIT) <= 0) break;
  }
}

static void serve(sv_admin_socket *s, int fd) {
  conn c = {s, fd};
  size_t n = 0;
  char *buf = NULL;
  if (!is_allowed(fd, s->host->user)) {
    refuse(&c, OV_E_DENIED, "only the user that runs the server, and root, may administer it");
  } else if (!(buf = malloc(SV_ADMIN_REQUEST_BYTES_MAX + 1))) {
    refuse(&c, OV_E_NOMEM, "out of memory");
  } else if (!read_request(&c, buf, &n)) {
    (void)sv_admin_handle(s->host, buf, n, answer, &c);
  }
  drain(&c);
  free(buf);
  close(fd);
}

static void *run(void *arg) {
  sv_admin_socket *s = arg;
  while (!atomic_load(&s->stop)) {
    struct pollfd p[2] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->wake, .events = POLLIN}};
    if (poll(p, 2, -1) < 0 && errno != EINTR) break;
    if (p[1].revents || !(p[0].revents & POLLIN)) continue;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) serve(s, fd);
    else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
      (void)poll(NULL, 0, 100); /* out of descriptors: not a busy loop */
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
  (void)unlink(s->path);
  close(s->fd);
  close(s->wake);
  free(s);
}
