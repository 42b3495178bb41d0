/* The bar under a running sync, on a terminal's stderr only. */
#include <string.h>

#include "cli.h"

#define BAR 24

static const char *stage_text(const oc_progress *p) {
  switch (p->stage) {
  case OC_CONNECTING: return "connecting";
  case OC_GREETING: return "greeting";
  case OC_SENDING: return "sending";
  case OC_RECEIVING: return "receiving";
  case OC_LIVE: return "following";
  case OC_WAITING: return "waiting";
  default: return "done";
  }
}

static void wipe(cli_progress *s) {
  if (s->shown) fprintf(stderr, "\r%*s\r", (int)s->shown, "");
  s->shown = 0;
}

void cli_on_progress(void *ctx, const oc_progress *p) {
  cli_progress *s = ctx;
  char line[160], bar[BAR + 1];
  s->last = *p;
  if (!s->show) return;
  size_t full = p->to_send ? (size_t)(p->sent * BAR / p->to_send) : 0;
  if (full > BAR) full = BAR;
  memset(bar, '.', BAR);
  memset(bar, '#', full);
  bar[BAR] = 0;
  int n = snprintf(line, sizeof line, "%-10s", stage_text(p));
  if (p->stage == OC_WAITING)
    n += snprintf(line + n, sizeof line - (size_t)n, " %lld s", (long long)p->retry_in);
  else if (p->to_send)
    n += snprintf(line + n, sizeof line - (size_t)n, " [%s] %llu of %llu sent", bar,
                  (unsigned long long)p->sent, (unsigned long long)p->to_send);
  if (p->received)
    n += snprintf(line + n, sizeof line - (size_t)n, "  %llu received", (unsigned long long)p->received);
  fprintf(stderr, "\r%-*s", (int)s->shown, line);
  s->shown = (size_t)n;
  fflush(stderr);
}

void cli_progress_end(cli_progress *p) {
  wipe(p);
  p->show = false;
}
