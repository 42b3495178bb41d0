/* One night: a diary's times, or what rounds saw. */
#include <math.h>
#include <stdlib.h>

#include "sv_measure.h"

#define DAY_S 86400

static sv_night_fault order(const sv_night *n) {
  if (n->bed_at == SV_UNKNOWN || n->sleep_try_at == SV_UNKNOWN || n->final_wake_at == SV_UNKNOWN ||
      n->out_of_bed_at == SV_UNKNOWN)
    return SV_NIGHT_LACKS;
  if (n->sleep_try_at < n->bed_at) return SV_NIGHT_TRY_FIRST;
  if (n->final_wake_at < n->sleep_try_at) return SV_NIGHT_WOKE_FIRST;
  if (n->out_of_bed_at < n->final_wake_at) return SV_NIGHT_ROSE_FIRST;
  if (n->out_of_bed_at == n->bed_at) return SV_NIGHT_NO_TIME;
  return n->out_of_bed_at - n->bed_at > DAY_S ? SV_NIGHT_LONG : SV_NIGHT_OK;
}

sv_night_fault sv_night_measure(const sv_night *n, sv_sleep *out) {
  sv_night_fault f = order(n);
  if (f != SV_NIGHT_OK) return f;
  bool sol = n->sol_min != SV_UNKNOWN, waso = n->waso_min != SV_UNKNOWN;
  int64_t period = n->final_wake_at - n->sleep_try_at;
  int64_t awake = (sol ? n->sol_min * 60 : 0) + (waso ? n->waso_min * 60 : 0);
  if (awake > period) return SV_NIGHT_AWAKE_LONGER;
  *out = (sv_sleep){.tib_s = n->out_of_bed_at - n->bed_at,
                    .twak_s = n->out_of_bed_at - n->final_wake_at,
                    .tst_s = SV_UNKNOWN,
                    .se_milli = SV_UNKNOWN,
                    .midsleep_at = SV_UNKNOWN};
  if (sol) out->midsleep_at = n->sleep_try_at + n->sol_min * 60 + (period - n->sol_min * 60) / 2;
  if (sol && waso) {
    out->tst_s = period - awake;
    out->se_milli = (100000 * out->tst_s + out->tib_s / 2) / out->tib_s;
  }
  return SV_NIGHT_OK;
}

const char *sv_night_fault_text(sv_night_fault f, bool dutch) {
  static const char *const texts[SV_NIGHT_FAULTS][2] = {
      {"", ""},
      {"one of the four times is lacking", "een van de vier tijden ontbreekt"},
      {"tried to sleep before going to bed", "ging slapen vóór het naar bed gaan"},
      {"woke up before trying to sleep", "werd wakker vóór het slapen gaan"},
      {"out of bed before the final awakening", "uit bed vóór de laatste keer wakker"},
      {"no time in bed", "geen tijd in bed"},
      {"more than 24 hours in bed", "meer dan 24 uur in bed"},
      {"awake for longer than there was time to sleep", "langer wakker dan er tijd was om te slapen"}};
  return f < SV_NIGHT_FAULTS ? texts[f][dutch] : "";
}

static int by_time(const void *a, const void *b) {
  const sv_round *x = a, *y = b;
  if (x->at != y->at) return x->at < y->at ? -1 : 1;
  return x->state - y->state;
}

/* Awake time between two rounds that saw something: at least and at most. */
static void between(const sv_round *a, const sv_round *b, bool gap, int64_t *low, int64_t *high) {
  bool wa = a->state != 1, wb = b->state != 1;
  int64_t d = b->at - a->at;
  if (wa && wb && !gap) *low += d;
  if (wa || wb || gap) *high += d;
}

bool sv_rounds_measure(sv_round *r, unsigned n, sv_bounds *out) {
  unsigned seen = 0, first = n, last = 0, begin = n;
  if (n) qsort(r, n, sizeof *r, by_time);
  for (unsigned i = 0; i < n; i++) {
    if (r[i].state < 1 || r[i].state > 4) continue;
    if (begin == n) begin = i;
    if (r[i].state == 1 && first == n) first = i;
    if (r[i].state == 1) last = i;
    seen++;
  }
  if (seen < 2 || first == n) return false;
  *out = (sv_bounds){.sol_high = r[first].at - r[begin].at};
  unsigned before = first;
  bool gap = false;
  for (unsigned i = begin; i < first; i++) {
    if (r[i].state <= 4) out->sol_low = r[i].at - r[begin].at;
  }
  for (unsigned i = first + 1; i <= last; i++) {
    if (r[i].state > 4) {
      gap = true;
      continue;
    }
    between(&r[before], &r[i], gap, &out->waso_low, &out->waso_high);
    before = i;
    gap = false;
  }
  return true;
}

int64_t sv_goal_t_milli(const sv_goal *g, unsigned n) {
  int64_t wx = 0, w = 0, ww = 0;
  for (unsigned i = 0; i < n; i++) {
    wx += g[i].weight * g[i].score;
    w += g[i].weight;
    ww += g[i].weight * g[i].weight;
  }
  double t = 50.0 + 10.0 * (double)wx / sqrt(0.7 * (double)ww + 0.3 * (double)w * (double)w);
  return llround(t * 1000.0);
}
