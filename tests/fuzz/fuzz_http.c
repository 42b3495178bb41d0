/* What an outsider may send before anything is known of it: any bytes on a new connection to the real
 * server's network code, cut into two pieces. It answers or hangs up, within its deadlines, and goes on
 * serving a good connection. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo_server.h"
#include "fuzz.h"

static echo_server *server;
static rawws *good;

static void start(void) {
  sv_net_opts o = echo_opts();
  o.upgrade_ms = 300;
  o.close_ms = 300;
  server = echo_start(&o);
  good = rawws_open(&(rawws_opts){.port = echo_port(server)});
  FUZZ_MUST(good && rawws_echo(good, "first", 5));
}

/* A machine with much other traffic may be without a free port for a moment; a server that takes nobody any
 * more stays so. */
static rawws *reach(const char *from) {
  rawws *ws = NULL;
  for (int tries = 0; !ws && tries < 20; tries++) {
    if (tries) usleep(100000);
    ws = rawws_connect(&(rawws_opts){.port = echo_port(server), .from = from});
  }
  return ws;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
  static unsigned runs;
  if (!server) start();
  if (!n || n > 20000) return 0;
  char from[16]; /* from many addresses: one has 28,000 ports, and each waits for a minute */
  snprintf(from, sizeof from, "127.0.0.%u", 2 + runs % 250);
  rawws *ws = reach(from);
  FUZZ_MUST(ws);
  size_t first = 1 + (n - 1) * p[0] / 256;
  (void)rawws_send(ws, p + 1, first - 1);
  (void)rawws_send(ws, p + first, n - first);
  shutdown(rawws_fd(ws), SHUT_WR);
  FUZZ_MUST(rawws_wait_end(ws, 5000) >= 0);
  rawws_free(ws);
  if (++runs % 16 == 0) FUZZ_MUST(rawws_echo(good, "good", 4));
  FUZZ_MUST(echo_wait_at_most(server, SV_NET_SOCKETS, 1));
  return 0;
}

void fuzz_seeds(void (*add)(void *ctx, const void *p, size_t n), void *ctx) {
  static const char *const texts[] = {
      "\377GET /sync HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "\010GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "\200HEAD / HTTP/1.0\r\n\r\n",
      "\200CONNECT a:1 HTTP/1.1\r\n\r\n",
      "\177PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\240GET /%2e%2e/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "\200POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"};
  char b[2000] = "\300";
  for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) add(ctx, texts[i], strlen(texts[i]));
  rawws_request(b + 1, sizeof b - 100, "localhost", NULL, NULL);
  size_t n = strlen(b);
  memcpy(b + n, "\x82\x85\1\2\3\4hello\x88\x80\1\2\3\4", 17); /* an upgrade, a message, a close */
  add(ctx, b, n + 17);
  rawws_request(b + 1, sizeof b - 100, "localhost", "Upgrade", "Upgrade: h2c\r\n");
  add(ctx, b, strlen(b));
}
