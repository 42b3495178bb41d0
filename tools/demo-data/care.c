/* The technology itself, care at a distance, and goals. */
#include "logs.h"

static void incident(dd_form *f, dd_rng *r) {
  static const uint16_t what[] = {30, 22, 20, 18, 6, 4, 0}, how_bad[] = {55, 30, 12, 3, 0};
  dd_int(f, "incident", 1 + dd_pick(r, what));
  unsigned severity = 1 + dd_pick(r, how_bad);
  dd_int(f, "severity", severity);
  dd_int(f, "down_min", 5 * dd_between(r, 0, 60));
  if (severity >= 3) dd_int(f, "mic_reported", dd_chance(r, 700));
}

void dd_log_tech(dd_form *f, const dd_scene *s, int64_t at) {
  static const uint16_t used[] = {68, 16, 16, 0}, reasons[] = {30, 14, 26, 22, 8, 0};
  static const int reason_codes[] = {1, 2, 3, 4, 9};
  dd_rng *r = s->rng;
  unsigned how = 1 + dd_pick(r, used);
  dd_log_begin(f, s, "tech_use");
  dd_int(f, "occurred_at", at);
  dd_ref(f, "technology_id", &s->programme->technologies[s->team->project->technology]);
  dd_int(f, "used", how);
  if (how == 3) dd_int(f, "not_used_reason", reason_codes[dd_pick(r, reasons)]);
  else dd_log_int(f, s, "use_min", 5 * dd_between(r, 1, 60));
  dd_log_int(f, s, "client_involved", dd_chance(r, 800));
  if (dd_chance(r, 60)) incident(f, r);
  else dd_int(f, "incident", 0);
}

void dd_log_remote(dd_form *f, const dd_scene *s, int64_t at) {
  static const uint16_t modes[] = {60, 24, 10, 6, 0}, purposes[] = {40, 24, 6, 20, 10, 0},
                        reasons[] = {4, 3, 48, 25, 20, 0}, links[] = {8, 22, 70, 0};
  dd_rng *r = s->rng;
  bool instead = dd_chance(r, 620);
  dd_log_begin(f, s, "remote_care");
  dd_int(f, "occurred_at", at);
  dd_int(f, "mode", 1 + dd_pick(r, modes));
  dd_int(f, "purpose", 1 + dd_pick(r, purposes));
  dd_int(f, "reason", 1 + dd_pick(r, reasons));
  dd_int(f, "replaces_visit", instead);
  dd_int(f, "duration_min", dd_between(r, 3, 45));
  dd_int(f, "connection", 1 + dd_pick(r, links));
  if (instead) dd_log_int(f, s, "travel_saved_min", 5 * dd_between(r, 2, 12));
  if (dd_chance(r, 700)) dd_int(f, "valence", dd_between(r, -1, 2));
}

void dd_log_goal(dd_form *f, const dd_scene *s, int64_t at, unsigned goal) {
  static const uint16_t before[] = {6, 70, 18, 5, 1, 0}, after[] = {4, 24, 34, 26, 12, 0},
                        scorers[] = {30, 10, 50, 10, 0};
  dd_rng *r = s->rng;
  unsigned network = s->team->project->network;
  int64_t score = (int64_t)dd_pick(r, s->trial ? after : before) - 3; /* -3..1 */
  if (s->people->goal_scale == 5 && score < -2)
    score = -2; /* that scale has no "got worse" below the start */
  dd_log_begin(f, s, "goal");
  dd_int(f, "occurred_at", at);
  dd_int(f, "goal_id", goal);
  dd_int(f, "domain", network <= DD_REMOTE ? network : 9);
  dd_int(f, "weight", 1 + goal % 3);
  dd_int(f, "scale_version", s->people->goal_scale);
  dd_int(f, "score", score);
  dd_int(f, "scored_by", 1 + dd_pick(r, scorers));
}
