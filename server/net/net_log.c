#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net_private.h"

/* An attacker can cause a line with each packet; the log must stay readable and the disk must not fill. */
#define LOG_BURST_LINES 20u
#define LOG_LINES_PER_S 2u
#define LOG_LINE_CHARS 200u

/* libwebsockets has one emit function for the whole process and gives it no pointer; but each sv_net lives in
 * one thread. */
static _Thread_local sv_net *log_here;

sv_net *net_log_here(sv_net *net) {
  sv_net *former = log_here;
  log_here = net;
  return former;
}

static bool bucket_take(net_log_bucket *b, uint64_t now_ms) {
  uint64_t cap = LOG_BURST_LINES * 1000u;
  if (b->last_ms == 0) {
    b->tokens_milli = cap;
  } else {
    uint64_t more = (now_ms - b->last_ms) * LOG_LINES_PER_S;
    b->tokens_milli = more > cap - b->tokens_milli ? cap : b->tokens_milli + more;
  }
  b->last_ms = now_ms;
  if (b->tokens_milli < 1000u) return false;
  b->tokens_milli -= 1000u;
  return true;
}

static void log_line(sv_net *net, sv_net_level level, const char *line) {
  if (!net->cb.on_log) return;
  if (!bucket_take(&net->log, sv_net_now_ms())) {
    net->log.left_out++;
    net_add(net, SV_NET_LOG_LEFT_OUT, 1);
    return;
  }
  if (net->log.left_out) {
    char text[64];
    snprintf(text, sizeof text, "net: %llu lines left out", (unsigned long long)net->log.left_out);
    net->log.left_out = 0;
    net->cb.on_log(net->cb.user, SV_NET_WARN, text);
  }
  net->cb.on_log(net->cb.user, level, line);
}

void net_log(sv_net *net, sv_net_level level, const char *format, ...) {
  char line[LOG_LINE_CHARS];
  va_list ap;
  va_start(ap, format);
  vsnprintf(line, sizeof line, format, ap);
  va_end(ap);
  log_line(net, level, line);
}

void net_log_from_lws(int level, const char *text) {
  sv_net *net = log_here;
  if (!net) return;
  char line[LOG_LINE_CHARS] = "lws: ";
  size_t n = strlen(line);
  for (; *text && *text != '\n' && n + 1 < sizeof line; text++)
    line[n++] = (*text >= ' ' && *text < 127) ? *text : '?';
  line[n] = 0;
  log_line(net, level == 1 /* LLL_ERR */ ? SV_NET_ERROR : SV_NET_WARN, line);
}
