/* The running server, over the socket in its data folder. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli.h"

/* Longest line taken: a reply with every record of a list. */
#define LINE_BYTES_MAX ((size_t)512 << 20)
#define PATIENCE_MS 3000

static int send_request(int fd, const char *p) {
  size_t n = strlen(p);
  for (; n;) {
    ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
    if (k < 0 && errno == EINTR && !cli_interrupted) continue;
    if (k <= 0) return OV_E_NET;
    p += k;
    n -= (size_t)k;
  }
  return send(fd, "\n", 1, MSG_NOSIGNAL) == 1 ? 0 : OV_E_NET;
}

/* Another administrator's command goes first: say so instead of looking dead. */
static void be_patient(cli *c, int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  if (poll(&p, 1, PATIENCE_MS) == 0 && !c->quiet && isatty(2)) fputs("waiting for the server ...\n", stderr);
}

static int take_lines(cli *c, char *buf, size_t *n, json_t **reply) {
  char *start = buf, *end;
  bool go_on = true;
  while (go_on && (end = memchr(start, '\n', *n - (size_t)(start - buf)))) {
    *end = 0;
    go_on = show_line(c, start, reply);
    start = end + 1;
  }
  *n -= (size_t)(start - buf);
  memmove(buf, start, *n);
  return go_on ? 0 : OV_E_CANCELLED;
}

static int read_answer(cli *c, int fd, json_t **reply) {
  size_t cap = 65536, n = 0;
  char *buf = malloc(cap);
  int err = buf ? 0 : OV_E_NOMEM;
  while (!err) {
    ssize_t k = recv(fd, buf + n, cap - n, 0);
    if (cli_interrupted) err = OV_E_CANCELLED;
    else if (k < 0 && errno == EINTR) continue;
    else if (k <= 0) break;
    n += k > 0 ? (size_t)k : 0;
    if (!err) err = take_lines(c, buf, &n, reply);
    if (err || n < cap) continue;
    char *more = cap < LINE_BYTES_MAX ? realloc(buf, cap * 2) : NULL;
    if (!more) err = OV_E_NOMEM;
    else buf = more, cap *= 2;
  }
  free(buf);
  return err;
}

int remote_ask(cli *c, const char *request, json_t **reply) {
  char path[600];
  int fd;
  snprintf(path, sizeof path, "%s/admin.sock", c->data);
  int err = sv_admin_connect(path, &fd);
  if (err == OV_E_NOTFOUND) return err;
  if (err == OV_E_DENIED) {
    show_error(c, err, "the server's socket is another user's",
               "run this as the user that runs the server, or as root");
    return err;
  }
  if (err) {
    show_error(c, err, "cannot reach the server's socket", path);
    return err;
  }
  err = send_request(fd, request);
  if (!err) {
    be_patient(c, fd);
    err = read_answer(c, fd, reply);
  }
  close(fd);
  if (err == OV_E_CANCELLED || cli_interrupted) return OV_E_CANCELLED;
  if (!*reply) {
    show_error(c, OV_E_NET, "the server closed the connection without an answer",
               "look at its log; what was asked may or may not be done");
    return OV_E_NET;
  }
  return 0;
}
