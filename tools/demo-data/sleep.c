/* Nights: the diary, the bed sensor beside it, and the rounds of the night shift. */
#include "calendar.h"
#include "logs.h"

#define DISTURBANCES_MAX 3

static void disturbances(dd_form *f, dd_rng *r) {
  static const uint16_t weights[] = {22, 30, 10, 26, 6, 12, 0};
  int64_t codes[DISTURBANCES_MAX];
  uint32_t n = 0;
  for (uint32_t i = 1 + dd_below(r, 2); i; i--) {
    int64_t c = 1 + dd_pick(r, weights);
    uint32_t at = n;
    while (at && codes[at - 1] > c) at--;
    if (at && codes[at - 1] == c) continue;
    for (uint32_t k = n; k > at; k--) codes[k] = codes[k - 1];
    codes[at] = c;
    n++;
  }
  dd_set(f, "disturbance", codes, n);
}

/* 1 very bad .. 5 very good, by how long the person lay awake. */
static int64_t quality_of(int64_t awake_min, dd_rng *r) {
  int64_t q = awake_min < 15 ? 5 : awake_min < 35 ? 4 : awake_min < 70 ? 3 : awake_min < 120 ? 2 : 1;
  q += dd_between(r, -1, 1) * dd_chance(r, 400);
  return q < 1 ? 1 : q > 5 ? 5 : q;
}

/* A bed sensor takes lying still for sleep: it sees people asleep sooner and awake less often. */
int64_t dd_log_sleep(dd_form *f, const dd_scene *s, int source) {
  const dd_participant *w = s->who;
  dd_rng *r = s->rng;
  int64_t bed = dd_local(s->day, w->bed_minute + dd_around(r, 0, 35)),
          attempt = bed + 60 * dd_between(r, 5, 40);
  int64_t sol = dd_around(r, 12 + w->restless / 4, 12), wakes = dd_around(r, w->restless / 25, 2);
  if (s->trial) sol = sol * 8 / 10;
  if (wakes < 0) wakes = 0;
  int64_t waso = wakes * dd_between(r, 3, s->trial ? 14 : 20),
          up = dd_local(s->day + 1, w->wake_minute + dd_around(r, 0, 30));
  int64_t out = up + 60 * dd_between(r, 5, 45);
  if (source == DD_SOURCE_BED) {
    sol = sol * 6 / 10;
    waso = waso * 7 / 10;
  }
  if (sol < 0) sol = 0;
  dd_log_begin(f, s, "sleep");
  dd_int(f, "night_date", s->day);
  dd_int(f, "source", source);
  dd_int(f, "bed_at", bed);
  dd_int(f, "sleep_try_at", attempt);
  dd_log_int(f, s, "sol_min", sol);
  dd_log_int(f, s, "wake_count", wakes);
  dd_log_int(f, s, "waso_min", waso);
  dd_int(f, "final_wake_at", up);
  dd_int(f, "out_of_bed_at", out);
  dd_int(f, "quality", quality_of(sol + waso, r));
  if (source == DD_SOURCE_SEEN && dd_chance(r, 700))
    dd_log_int(f, s, "help_count", wakes ? dd_between(r, 0, wakes) : 0);
  if (dd_chance(r, 350)) dd_log_int(f, s, "nap_min", 5 * dd_between(r, 0, 18));
  if (waso > 15 && source == DD_SOURCE_SEEN) disturbances(f, r);
  return out;
}

void dd_log_check(dd_form *f, const dd_scene *s, int64_t night, int64_t at) {
  uint16_t states[] = {760, 60, 0, 30, 40, 0};
  states[2] = (uint16_t)(20 + s->who->restless);
  dd_log_begin(f, s, "sleep_check");
  dd_int(f, "night_date", night);
  dd_int(f, "checked_at", at);
  dd_int(f, "state", 1 + dd_pick(s->rng, states));
}
