#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "net_private.h"

/* We accept ourselves instead of letting libwebsockets do it: its accept loop, out of descriptors, logged
 * 276,384 lines in seconds, and its only cure (fd_limit_per_thread) turns every look-up of a socket into a
 * linear search. */

static socklen_t address_fill(struct sockaddr_storage *to, const char *address, uint16_t port) {
  memset(to, 0, sizeof *to);
  struct sockaddr_in *v4 = (struct sockaddr_in *)to;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof *v4;
  }
  inet_pton(AF_INET6, address, &v6->sin6_addr);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  return sizeof *v6;
}

static uint16_t bound_port(int fd) {
  struct sockaddr_storage at = {0};
  socklen_t len = sizeof at;
  if (getsockname(fd, (struct sockaddr *)&at, &len) != 0) return 0;
  // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): getsockname fills what the family has
  return ntohs(at.ss_family == AF_INET ? ((struct sockaddr_in *)&at)->sin_port
                                       : ((struct sockaddr_in6 *)&at)->sin6_port);
}

int net_listen(net_listener *l, const char *address, uint16_t port) {
  struct sockaddr_storage at;
  socklen_t len = address_fill(&at, address, port);
  int on = 1, off = 0;
  int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) goto fail;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, NET_BACKLOG) != 0) goto fail;
  l->fd = fd;
  l->port = bound_port(fd);
  return 0;

fail:
  net_log(l->net, SV_NET_ERROR, "net: cannot listen on %s port %u: %s", address, port, strerror(errno));
  if (fd >= 0) close(fd);
  return OV_E_NET;
}

/* No descriptor left: give up the spare one, take the caller in and close it, so that it learns at once. */
static void refuse_with_spare(net_listener *l) {
  sv_net *net = l->net;
  net_add(net, SV_NET_REFUSED_FDS, 1);
  net_log(net, SV_NET_ERROR, "net: out of file descriptors, connections are refused");
  if (net->spare_fd >= 0) {
    close(net->spare_fd);
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) close(fd);
  }
  net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (net->spare_fd < 0) l->paused_until_ms = sv_net_now_ms() + NET_PAUSE_ACCEPT_MS;
}

static void socket_settings(const sv_net *net, int fd) {
  int on = 1, buf = (int)net->o.send_buffer_bytes;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buf, sizeof buf);
}

int net_accept(net_listener *l, sv_conn **out) {
  sv_net *net = l->net;
  *out = NULL;
  for (unsigned tries = 0; tries < NET_ACCEPTS_PER_TURN && !l->paused_until_ms; tries++) {
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    memset(&from, 0, sizeof from);
    int fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) refuse_with_spare(l);
      else if (errno == EAGAIN || errno == EWOULDBLOCK) return -1;
      continue; /* EINTR, or a caller that is gone already */
    }
    if (fd >= net->fd_ceiling) {
      net_add(net, SV_NET_REFUSED_FDS, 1);
      net_log(net, SV_NET_ERROR, "net: file descriptors are running out, connections are refused");
      close(fd);
      continue;
    }
    *out = net_conn_new(net, l->side, &from);
    if (*out) {
      socket_settings(net, fd);
      return fd;
    }
    close(fd);
  }
  return -1;
}
