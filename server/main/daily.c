/* Once a day: what the retention terms say is over is erased. A thread that asks the administration socket
 * like anybody, so that this work waits its turn behind an administrator's and never touches a session. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "sv_admin_commands.h"

/* After the start, so that a machine that restarts every night still gets to it. */
#define FIRST_S (10 * 60)
#define EVERY_S (24 * 60 * 60)

static const char request[] = "{\"cmd\":\"retention run\",\"set_only\":true}\n";

/* Waits; false when the daemon stops. */
static bool wait_s(daemon_state *d, time_t seconds) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until); /* a clock that is set neither hurries nor stops this */
  until.tv_sec += seconds;
  pthread_mutex_lock(&d->lock);
  while (!d->daily_stop && !pthread_cond_timedwait(&d->daily_wake, &d->lock, &until)) {}
  bool go_on = !d->daily_stop;
  pthread_mutex_unlock(&d->lock);
  return go_on;
}

/* The last line is the answer; the log gets whether it went well, and no name of anybody. */
static void ask(daemon_state *d, const char *socket_path) {
  char buf[4096], last[64] = "";
  size_t at = 0;
  int fd = -1;
  int err = sv_admin_connect(socket_path, &fd);
  if (!err && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) err = OV_E_IO;
  for (ssize_t n; !err && (n = read(fd, buf, sizeof buf)) > 0;) {
    for (ssize_t i = 0; i < n; i++) {
      if (buf[i] == '\n') at = 0;
      else if (at < sizeof last - 1) last[at++] = buf[i], last[at] = 0;
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
  for (time_t s = FIRST_S; wait_s(d, s); s = EVERY_S) ask(d, path);
  return NULL;
}

int daily_start(daemon_state *d) {
  d->daily_running = !pthread_create(&d->daily, NULL, daily_main, d);
  return d->daily_running ? 0 : OV_E_NOMEM;
}

void daily_stop(daemon_state *d) {
  if (!d->daily_running) return;
  pthread_mutex_lock(&d->lock);
  d->daily_stop = true;
  pthread_cond_broadcast(&d->daily_wake);
  pthread_mutex_unlock(&d->lock);
  pthread_join(d->daily, NULL);
  d->daily_running = false;
}
