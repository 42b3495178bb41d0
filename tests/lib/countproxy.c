#include "countproxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A piece on its way, due at a time. */
typedef struct piece {
  struct piece *next;
  int64_t due_ms;
  size_t n, at;
  uint8_t p[];
} piece;

typedef struct side {
  int fd;
  bool ended, told;   /* it sent FIN; we passed it on */
  piece *head, *tail; /* to be written to the other side */
} side;

/* Follows a stream through the upgrade and from frame to frame. */
typedef struct reader {
  unsigned newlines; /* of the blank line that ends a head */
  bool upgraded;
  uint8_t h[14];
  unsigned h_n;
  uint64_t left; /* of the frame's payload */
  bool binary;
} reader;

struct countproxy {
  int listener, wake[2];
  uint16_t port, target;
  unsigned delay_ms;
  bool plain, stop;
  uint64_t cut_after_down;
  pthread_mutex_t lock; /* seen, target, cut, stop */
  pthread_t thread;
  countproxy_seen seen;
  reader readers[2];
  side sides[2]; /* the client's, the server's */
};

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -- counting -------------------------------------------------------------------------------------------- */

static unsigned head_bytes(const reader *r) {
  if (r->h_n < 2) return 2;
  unsigned more = (r->h[1] & 127) == 126 ? 2 : (r->h[1] & 127) == 127 ? 8 : 0;
  return 2 + more + (r->h[1] & 128 ? 4 : 0);
}

static uint64_t payload_bytes(const reader *r) {
  uint64_t n = r->h[1] & 127;
  unsigned more = n == 126 ? 2 : n == 127 ? 8 : 0;
  if (more) n = 0;
  for (unsigned i = 0; i < more; i++) n = n << 8 | r->h[2 + i];
  return n;
}

/* Bytes of binary payload in this piece; *skip: how many came before the upgrade was done. */
static uint64_t follow(reader *r, const uint8_t *p, size_t n, size_t *skip) {
  uint64_t payload = 0;
  size_t i = 0;
  for (; i < n && !r->upgraded; i++) {
    r->newlines = p[i] == '\n' ? r->newlines + 1 : p[i] == '\r' ? r->newlines : 0;
    r->upgraded = r->newlines == 2;
  }
  *skip = i;
  while (i < n) {
    if (r->left) {
      uint64_t k = r->left < n - i ? r->left : n - i;
      payload += r->binary ? k : 0;
      r->left -= k;
      i += k;
      continue;
    }
    r->h[r->h_n++] = p[i++];
    if (r->h_n < head_bytes(r)) continue;
    r->left = payload_bytes(r);
    if ((r->h[0] & 15) != 0) r->binary = (r->h[0] & 15) == 2; /* a continuation is what it continues */
    r->h_n = 0;
  }
  return payload;
}

static void count(countproxy *c, bool up, const uint8_t *p, size_t n) {
  size_t skip = 0;
  uint64_t payload = c->plain ? follow(&c->readers[!up], p, n, &skip) : 0;
  countproxy_seen *s = &c->seen;
  s->upgraded = c->readers[0].upgraded && c->readers[1].upgraded;
  if (skip >= n) return;
  countproxy_burst *b = s->n_bursts ? &s->bursts[s->n_bursts - 1] : NULL;
  if (!b || b->up != up) {
    if (s->n_bursts == COUNTPROXY_BURSTS_MAX) return;
    b = &s->bursts[s->n_bursts++];
    *b = (countproxy_burst){.up = up};
  }
  b->bytes += n - skip;
  *(up ? &s->up_bytes : &s->down_bytes) += n - skip;
  *(up ? &s->up_payload : &s->down_payload) += payload;
}

/* -- one connection -------------------------------------------------------------------------------------- */

static void drop(side *s) {
  if (s->fd >= 0) close(s->fd);
  while (s->head) {
    piece *k = s->head;
    s->head = k->next;
    free(k);
  }
  *s = (side){.fd = -1};
}

static void open_connection(countproxy *c) {
  int on = 1, fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  drop(&c->sides[0]);
  drop(&c->sides[1]);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  pthread_mutex_lock(&c->lock);
  a.sin_port = htons(c->target);
  unsigned connections = c->seen.connections + 1;
  c->seen = (countproxy_seen){.connections = connections};
  memset(c->readers, 0, sizeof c->readers);
  pthread_mutex_unlock(&c->lock);
  int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(to, (struct sockaddr *)&a, sizeof a)) {
    close(to);
    close(fd);
    return;
  }
  fcntl(to, F_SETFL, O_NONBLOCK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  c->sides[0].fd = fd;
  c->sides[1].fd = to;
}

static void take(countproxy *c, unsigned i) {
  static const size_t most = 65536;
  side *s = &c->sides[i];
  piece *k = malloc(sizeof *k + most);
  ssize_t n = k ? recv(s->fd, k->p, most, 0) : -1;
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN) s->ended = true;
    free(k);
    return;
  }
  *k = (piece){.due_ms = now_ms() + c->delay_ms, .n = (size_t)n};
  if (s->tail && s->head) s->tail->next = k;
  else s->head = k;
  s->tail = k;
  pthread_mutex_lock(&c->lock);
  count(c, i == 0, k->p, k->n);
  bool cut = i == 1 && c->cut_after_down && c->seen.down_bytes >= c->cut_after_down;
  pthread_mutex_unlock(&c->lock);
  if (cut) {
    drop(&c->sides[0]);
    drop(&c->sides[1]);
  }
}

/* Writes what is due to the other side; a side that has ended is told on when all is written. */
static void pass(countproxy *c, unsigned i) {
  side *s = &c->sides[i], *to = &c->sides[!i];
  while (s->head && s->head->due_ms <= now_ms()) {
    piece *k = s->head;
    ssize_t n = send(to->fd, k->p + k->at, k->n - k->at, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) s->ended = true;
    k->at += n > 0 ? (size_t)n : k->n - k->at;
    if (k->at < k->n) return;
    s->head = k->next;
    free(k);
  }
  if (s->ended && !s->head && !s->told) {
    shutdown(to->fd, SHUT_WR);
    s->told = true;
  }
}

static void step(countproxy *c) {
  struct pollfd f[4] = {{c->listener, POLLIN, 0}, {c->wake[0], POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}};
  for (unsigned i = 0; i < 2; i++) {
    if (!c->sides[i].ended) f[2 + i].fd = c->sides[i].fd;
  }
  bool waiting = c->sides[0].head || c->sides[1].head;
  poll(f, 4, waiting ? 1 : 200);
  if (f[0].revents) open_connection(c);
  else
    for (unsigned i = 0; i < 2; i++) {
      if (f[2 + i].revents && c->sides[i].fd >= 0) take(c, i);
    }
  for (unsigned i = 0; i < 2; i++) {
    if (c->sides[0].fd >= 0) pass(c, i);
  }
  if (c->sides[0].told && c->sides[1].told) {
    drop(&c->sides[0]);
    drop(&c->sides[1]);
  }
}

static void *run(void *arg) {
  countproxy *c = arg;
  for (bool stop = false; !stop;) {
    step(c);
    pthread_mutex_lock(&c->lock);
    stop = c->stop;
    pthread_mutex_unlock(&c->lock);
  }
  return NULL;
}

/* -- life ------------------------------------------------------------------------------------------------ */

countproxy *countproxy_start(unsigned delay_ms, bool plain) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t n = sizeof a;
  countproxy *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->delay_ms = delay_ms;
  c->plain = plain;
  c->sides[0].fd = c->sides[1].fd = -1;
  c->wake[0] = c->wake[1] = -1;
  pthread_mutex_init(&c->lock, NULL);
  c->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->listener >= 0 && !bind(c->listener, (struct sockaddr *)&a, n) && !listen(c->listener, 16) &&
      !getsockname(c->listener, (struct sockaddr *)&a, &n) && !pipe2(c->wake, O_CLOEXEC)) {
    c->port = ntohs(a.sin_port);
    if (!pthread_create(&c->thread, NULL, run, c)) return c;
  }
  close(c->listener);
  free(c);
  return NULL;
}

void countproxy_stop(countproxy *c) {
  if (!c) return;
  pthread_mutex_lock(&c->lock);
  c->stop = true;
  pthread_mutex_unlock(&c->lock);
  if (write(c->wake[1], "x", 1) == 1) pthread_join(c->thread, NULL);
  drop(&c->sides[0]);
  drop(&c->sides[1]);
  close(c->listener);
  close(c->wake[0]);
  close(c->wake[1]);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

uint16_t countproxy_port(const countproxy *c) { return c->port; }

void countproxy_target(countproxy *c, uint16_t port) {
  pthread_mutex_lock(&c->lock);
  c->target = port;
  pthread_mutex_unlock(&c->lock);
}

countproxy_seen countproxy_look(countproxy *c) {
  pthread_mutex_lock(&c->lock);
  countproxy_seen s = c->seen;
  pthread_mutex_unlock(&c->lock);
  return s;
}

void countproxy_reset(countproxy *c, uint64_t cut_after_down) {
  pthread_mutex_lock(&c->lock);
  c->seen = (countproxy_seen){0};
  memset(c->readers, 0, sizeof c->readers);
  c->cut_after_down = cut_after_down;
  pthread_mutex_unlock(&c->lock);
}
