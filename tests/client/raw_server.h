/* A websocket server without manners, for one connection: takes the upgrade, hears the first message, then
 * sends whatever bytes a test wants, and reads until the other side goes. */
#ifndef RAW_SERVER_H
#define RAW_SERVER_H

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct raw_server {
  const void *bytes;
  size_t n;
  const char *answer; /* in place of the upgrade; NULL: take it */
  int fd;
  uint16_t port;
  pthread_t thread;
} raw_server;

static inline void raw_upgrade(int c, const char *request) {
  static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  char key[128], accept[40] = "", head[300];
  unsigned char sha[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  const char *at = strcasestr(request, "Sec-WebSocket-Key: ");
  at = at ? at + strlen("Sec-WebSocket-Key: ") : "";
  snprintf(key, sizeof key, "%.*s%s", (int)strcspn(at, "\r\n"), at, guid);
  EVP_Digest(key, strlen(key), sha, &n, EVP_sha1(), NULL);
  EVP_EncodeBlock((unsigned char *)accept, sha, (int)n);
  snprintf(head, sizeof head,
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: overdracht.1\r\n\r\n",
           accept);
  (void)!write(c, head, strlen(head));
}

static inline void *raw_serve(void *arg) {
  raw_server *s = arg;
  char buf[4096];
  int c = accept(s->fd, NULL, NULL);
  ssize_t n = c < 0 ? 0 : read(c, buf, sizeof buf - 1);
  if (n > 0) {
    buf[n] = 0;
    if (s->answer) (void)!write(c, s->answer, strlen(s->answer));
    else raw_upgrade(c, buf);
    if (s->n && read(c, buf, sizeof buf) > 0) (void)!write(c, s->bytes, s->n);
    while (read(c, buf, sizeof buf) > 0) {}
  }
  if (c >= 0) close(c);
  return NULL;
}

static inline void raw_start(raw_server *s) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof a;
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
  assert_int_equal(listen(s->fd, 4), 0);
  assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
  s->port = ntohs(a.sin_port);
  assert_int_equal(pthread_create(&s->thread, NULL, raw_serve, s), 0);
}

static inline void raw_stop(raw_server *s) {
  pthread_join(s->thread, NULL);
  close(s->fd);
}

#endif
