/* Once a day: what the retention terms say is over is erased. A thread that asks the administration socket
 * like anybody, so that this work waits its turn behind an administrator's and never touches a session. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "sv_admin_commands.h"

/* After the start, so that a machine that restarts every night still gets to it. */
#define FIRST_S (10 * 60)
#define EVERY_S (24 * 60 * 60)

static const char request[] = "{\"cmd\":\"retention run\",\"set_only\":true}\n";

/* How often it looks whether the time has come: a machine that slept is not a day late. */
#define LOOK_MS 5000

/* Waits by the clock that is never set; false when the daemon stops. */
static bool wait_s(daemon_state *d, int64_t seconds) {
  const sv_sys *sys = d->node->sys;
  int64_t until = sys->mono_ms(sys->ctx) + seconds * 1000;
  struct pollfd stop = {.fd = d->daily_wake[0], .events = POLLIN};
  while (sys->mono_ms(sys->ctx) < until) {
    if (poll(&stop, 1, LOOK_MS) > 0) return false;
  }
  return true;
}

/* The last line is the answer, and ends with whether it is good; the log gets that, and no name of
 * anybody. */
static void ask(daemon_state *d, const char *socket_path) {
  char buf[4096], last[64] = "";
  size_t at = 0;
  int fd = -1;
  int err = sv_admin_connect(socket_path, &fd);
  if (!err && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) err = OV_E_IO;
  for (ssize_t n; !err && (n = read(fd, buf, sizeof buf)) > 0;) {
    for (ssize_t i = 0; i < n; i++) {
      if (buf[i] == '\n') {
        at = 0;
        continue;
      }
      if (at == sizeof last - 1) memmove(last, last + 1, --at);
      last[at++] = buf[i];
      last[at] = 0;
    }
  }
  if (fd >= 0) close(fd);
  bool ok = !err && strstr(last, "\"ok\":true");
  d->node->sys->log(d->node->sys->ctx, ok ? SV_LOG_INFO : SV_LOG_ERROR, "retention_run",
                    ok ? "result=ok" : "result=failed");
}

static void *daily_main(void *arg) {
  daemon_state *d = arg;
  char path[600];
  snprintf(path, sizeof path, "%s/admin.sock", d->node->data);
  for (int64_t s = FIRST_S; wait_s(d, s); s = EVERY_S) ask(d, path);
  return NULL;
}

int daily_start(daemon_state *d) {
  if (pipe2(d->daily_wake, O_CLOEXEC)) return OV_E_IO;
  d->daily_running = !pthread_create(&d->daily, NULL, daily_main, d);
  if (d->daily_running) return 0;
  close(d->daily_wake[0]);
  close(d->daily_wake[1]);
  return OV_E_NOMEM;
}

void daily_stop(daemon_state *d) {
  if (!d->daily_running) return;
  close(d->daily_wake[1]); /* POLLHUP */
  pthread_join(d->daily, NULL);
  close(d->daily_wake[0]);
  d->daily_running = false;
}
