/* From records to sums. */
#include "sv_measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"

#define ROUNDS_MAX 96u /* of one night; the rest tells nothing new */
#define GOALS_MAX 256u /* of one participant in a month */
#define PROJECTS_MAX 16u
#define ON_TIME_S (15 * 60)

typedef struct project_count {
  ov_name name;
  uint32_t n;
} project_count;

struct sv_measurer {
  sv_sums sums;
  unsigned family;
  const sv_zone *zone;
  project_count projects[PROJECTS_MAX];
  unsigned n_projects;
  sv_round rounds[ROUNDS_MAX];
  unsigned n_rounds;
  int64_t rounds_night;
  int rounds_phase;
  int64_t use_first; /* technology: bit i of use_days is this day and i */
  uint64_t use_days;
  sv_goal goals[GOALS_MAX];
  unsigned n_goals;
};

sv_measurer *sv_measurer_new(void) { return calloc(1, sizeof(sv_measurer)); }
void sv_measurer_free(sv_measurer *m) { free(m); }

void sv_measurer_begin(sv_measurer *m, unsigned family, const sv_zone *zone) {
  m->sums.n = 0;
  m->sums.records = m->sums.conflicts = m->sums.held = m->sums.refused = 0;
  memset(&m->sums.project, 0, sizeof m->sums.project);
  m->family = family;
  m->zone = zone;
  m->n_projects = m->n_rounds = m->n_goals = 0;
  m->use_days = 0;
}

/* -- values ---------------------------------------------------------------------------------------------- */

int64_t sv_record_value(const ov_record *r, uint16_t field) {
  const ov_live *l = ov_record_field(r, field, NULL);
  if (!l || l->is_elem || l->v.type != OV_V_INT) return SV_UNKNOWN;
  return l->v.i >= -99 && l->v.i <= -97 ? SV_UNKNOWN : l->v.i;
}

static bool known(int64_t v) { return v != SV_UNKNOWN; }

static sv_sum *entry(sv_measurer *m, uint16_t measure, unsigned split, int cat, int phase) {
  sv_sums *s = &m->sums;
  for (uint32_t i = 0; i < s->n; i++) {
    sv_sum *e = &s->v[i];
    if (e->measure == measure && e->split == split && e->cat == cat && e->phase == phase) return e;
  }
  if (s->n == SV_SUMS_MAX) return NULL;
  sv_sum *e = &s->v[s->n++];
  *e = (sv_sum){.measure = measure, .split = (uint8_t)split, .cat = (int8_t)cat, .phase = (uint8_t)phase};
  return e;
}

static void add(sv_measurer *m, uint16_t measure, unsigned split, int phase, int64_t milli) {
  sv_sum *e = entry(m, measure, split, 0, phase);
  if (!e) return;
  e->n++;
  e->sum += milli;
}

static void add_cat(sv_measurer *m, uint16_t measure, unsigned split, int phase, int64_t code) {
  sv_sum *e = known(code) && code >= INT8_MIN && code <= INT8_MAX ? entry(m, measure, split, (int)code, phase)
                                                                  : NULL;
  if (e) e->n++;
}

static void add_share(sv_measurer *m, uint16_t measure, unsigned split, int phase, bool yes) {
  add(m, measure, split, phase, yes ? 100000 : 0);
}

static int64_t minutes(int64_t seconds) { return (seconds * 1000 + 30) / 60; }

/* -- families -------------------------------------------------------------------------------------------- */

/* Minutes after noon of the night's date, by the clock on the wall. */
static int64_t after_noon_s(const sv_measurer *m, int64_t night, int64_t at) {
  return at + sv_zone_offset(m->zone, at) - (night * 86400 + 43200);
}

static void add_spread(sv_measurer *m, unsigned source, int phase, int64_t seconds) {
  sv_sum *e = entry(m, M_SLEEP_BED_SD, source, 0, phase);
  if (!e) return;
  int64_t min = seconds / 60;
  e->n++;
  e->sum += min * 1000;
  e->sumsq += min * min;
}

static void add_sleep(sv_measurer *m, const ov_record *r, int phase, char *why) {
  int64_t night = sv_record_value(r, SLEEP_NIGHT), source = sv_record_value(r, SLEEP_SOURCE),
          quality = sv_record_value(r, SLEEP_QUALITY);
  sv_night n = {sv_record_value(r, SLEEP_BED), sv_record_value(r, SLEEP_TRY), sv_record_value(r, SLEEP_WAKE),
                sv_record_value(r, SLEEP_OUT), sv_record_value(r, SLEEP_SOL), sv_record_value(r, SLEEP_WASO)};
  sv_sleep s;
  if (!known(night) || source < 1 || source > 6) return;
  unsigned from = (unsigned)source;
  if (known(quality)) add_share(m, M_SLEEP_GOOD, from, phase, quality >= 4);
  add_cat(m, M_SLEEP_QUALITY, from, phase, quality);
  sv_night_fault f = sv_night_measure(&n, &s);
  if (f != SV_NIGHT_OK && f != SV_NIGHT_LACKS) m->sums.refused++;
  if (f != SV_NIGHT_OK) {
    if (why) snprintf(why, 120, "%s", sv_night_fault_text(f, false));
    return;
  }
  add(m, M_SLEEP_TIB, from, phase, minutes(s.tib_s));
  add(m, M_SLEEP_TWAK, from, phase, minutes(s.twak_s));
  add_spread(m, from, phase, after_noon_s(m, night, n.bed_at));
  if (known(n.sol_min)) add(m, M_SLEEP_SOL, from, phase, n.sol_min * 1000);
  if (known(n.waso_min)) add(m, M_SLEEP_WASO, from, phase, n.waso_min * 1000);
  if (known(s.midsleep_at)) add(m, M_SLEEP_MID, from, phase, minutes(after_noon_s(m, night, s.midsleep_at)));
  if (known(s.tst_s)) add(m, M_SLEEP_TST, from, phase, minutes(s.tst_s));
  if (known(s.se_milli)) add(m, M_SLEEP_SE, from, phase, s.se_milli);
}

static void end_rounds(sv_measurer *m) {
  sv_bounds b;
  if (m->n_rounds && sv_rounds_measure(m->rounds, m->n_rounds, &b)) {
    add(m, M_ROUND_SOL_LOW, 0, m->rounds_phase, minutes(b.sol_low));
    add(m, M_ROUND_SOL_HIGH, 0, m->rounds_phase, minutes(b.sol_high));
    add(m, M_ROUND_WASO_LOW, 0, m->rounds_phase, minutes(b.waso_low));
    add(m, M_ROUND_WASO_HIGH, 0, m->rounds_phase, minutes(b.waso_high));
  }
  m->n_rounds = 0;
}

static void add_round(sv_measurer *m, const ov_record *r, int phase) {
  int64_t night = sv_record_value(r, ROUND_NIGHT), at = sv_record_value(r, ROUND_AT),
          state = sv_record_value(r, ROUND_STATE);
  if (!known(night) || !known(at) || state < 1 || state > 5) return;
  if (m->n_rounds && night != m->rounds_night) end_rounds(m);
  if (m->n_rounds == ROUNDS_MAX) return;
  m->rounds_night = night;
  m->rounds_phase = phase;
  m->rounds[m->n_rounds++] = (sv_round){at, (int)state};
}

static void add_day(sv_measurer *m, const ov_record *r, int phase) {
  int64_t planned = sv_record_value(r, DAY_PLANNED), realised = sv_record_value(r, DAY_REALISED),
          plan = sv_record_value(r, DAY_PLANNED_AT), real = sv_record_value(r, DAY_REALISED_AT),
          level = sv_record_value(r, DAY_PROMPT_LEVEL), by = sv_record_value(r, DAY_PROMPT_BY),
          who = sv_record_value(r, DAY_INITIATIVE);
  add_cat(m, M_DAY_CATEGORY, 0, phase, sv_record_value(r, DAY_CATEGORY));
  if (planned == 1 && known(realised)) add_share(m, M_DAY_REALISED, 0, phase, realised == 1);
  if (planned == 1 && known(plan) && known(real))
    add_share(m, M_DAY_ON_TIME, 0, phase, real - plan <= ON_TIME_S && plan - real <= ON_TIME_S);
  if (level >= 0 && level <= 5) add(m, M_DAY_INDEPENDENCE, 0, phase, 20000 * (5 - level));
  if (known(who)) add_share(m, M_DAY_SELF, 0, phase, who == 1);
  if (level > 0 && known(by)) add_share(m, M_DAY_TECH_PROMPT, 0, phase, by == 2);
}

static uint64_t partners(const ov_record *r) {
  uint32_t n = 0;
  uint64_t set = 0;
  const ov_live *l = ov_record_field(r, CONTACT_PARTNER, &n);
  for (uint32_t i = 0; i < n; i++) {
    bool there = l[i].is_elem && l[i].elem.type == OV_V_INT && l[i].v.type == OV_V_INT && l[i].v.i == 1;
    if (there && l[i].elem.i >= 1 && l[i].elem.i <= 62) set |= (uint64_t)1 << l[i].elem.i;
  }
  return set;
}

static void add_contact(sv_measurer *m, const ov_record *r, int phase) {
  int64_t who = sv_record_value(r, CONTACT_INITIATOR), mutual = sv_record_value(r, CONTACT_RECIPROCITY);
  uint64_t with = partners(r);
  add(m, M_CONTACT_WEEK, 0, phase, 1000);
  add_cat(m, M_CONTACT_MODE, 0, phase, sv_record_value(r, CONTACT_MODE));
  add_cat(m, M_CONTACT_VALENCE, 0, phase, sv_record_value(r, CONTACT_VALENCE));
  if (with) {
    add_share(m, M_CONTACT_UNPAID, 0, phase, (with & ~((uint64_t)1 << 5)) != 0);
    sv_sum *e = entry(m, M_CONTACT_VARIETY, 0, 0, phase);
    if (e) e->sum = (int64_t)((uint64_t)e->sum | with);
    if (e) e->n++;
  }
  if (known(who)) add_share(m, M_CONTACT_OWN, 0, phase, who == 1);
  if (known(mutual)) add_share(m, M_CONTACT_RECIPROCAL, 0, phase, mutual == 2);
}

/* On the clock on the wall. */
static int64_t local_day(const sv_zone *zone, int64_t at) {
  int64_t t = at + sv_zone_offset(zone, at);
  return t >= 0 ? t / 86400 : (t + 1) / 86400 - 1;
}

/* Days of a month on the wall, each once, in whatever order the entries of a day come. */
static bool new_use_day(sv_measurer *m, int64_t day) {
  if (!m->use_days) m->use_first = day - 31;
  int64_t at = day - m->use_first;
  if (at < 0 || at > 63) return true; /* no day of this month */
  uint64_t bit = (uint64_t)1 << at;
  bool fresh = !(m->use_days & bit);
  m->use_days |= bit;
  return fresh;
}

static void add_tech(sv_measurer *m, const ov_record *r, int phase) {
  int64_t used = sv_record_value(r, TECH_USED), incident = sv_record_value(r, TECH_INCIDENT),
          at = sv_record_value(r, F_OCCURRED);
  add_cat(m, M_TECH_INCIDENT_KIND, 0, phase, incident);
  sv_sum *rate = entry(m, M_TECH_INCIDENTS, 0, 0, phase);
  sv_sum *week = entry(m, M_TECH_DAYS_WEEK, 0, 0, phase), *total = entry(m, M_TECH_DAYS_TOTAL, 0, 0, phase);
  if (!rate || !week || !total) return;
  if (known(incident) && incident > 0) rate->sum += 100000;
  if ((used != 1 && used != 2) || !known(at) || !new_use_day(m, local_day(m->zone, at))) return;
  rate->n++;
  week->n++;
  week->sum += 1000;
  total->n++;
  total->sum += 1000;
}

static void add_goal(sv_measurer *m, const ov_record *r, int phase) {
  sv_goal g = {sv_record_value(r, GOAL_ID),     sv_record_value(r, GOAL_SCALE),
               sv_record_value(r, GOAL_WEIGHT), sv_record_value(r, GOAL_SCORE),
               sv_record_value(r, F_OCCURRED),  phase};
  int64_t low = g.scale == 6 ? -3 : -2;
  if (!known(g.goal_id) || (g.scale != 5 && g.scale != 6) || !known(g.score)) return;
  if (g.score < low || g.score > 2) { /* the six-point scale's lowest step does not exist on the other one */
    m->sums.refused++;
    return;
  }
  if (g.weight < 1 || g.weight > 3) g.weight = 1;
  for (unsigned i = 0; i < m->n_goals; i++) {
    if (m->goals[i].goal_id != g.goal_id || m->goals[i].scale != g.scale) continue;
    if (m->goals[i].at <= g.at) m->goals[i] = g;
    return;
  }
  if (m->n_goals < GOALS_MAX) m->goals[m->n_goals++] = g;
}

static void end_goals(sv_measurer *m) {
  sv_goal five[GOALS_MAX];
  unsigned n = 0;
  for (unsigned i = 0; i < m->n_goals; i++) {
    const sv_goal *g = &m->goals[i];
    unsigned scale = (unsigned)g->scale;
    add_share(m, M_GOAL_ATTAINED, scale, g->phase, g->score >= 0);
    add_cat(m, M_GOAL_SCORE, scale, g->phase, g->score);
    if (scale == 5) five[n++] = *g;
  }
  if (n) add(m, M_GOAL_T, 5, five[n - 1].phase, sv_goal_t_milli(five, n));
}

static void add_remote(sv_measurer *m, const ov_record *r, int phase) {
  int64_t reason = sv_record_value(r, REMOTE_REASON), visit = sv_record_value(r, REMOTE_REPLACES),
          line = sv_record_value(r, REMOTE_CONNECTION);
  add_cat(m, M_REMOTE_REASON, 0, phase, reason == REASON_QUARANTINE ? REASON_MEASURE : reason);
  if (known(visit)) add_share(m, M_REMOTE_REPLACED, 0, phase, visit == 1);
  if (known(line)) add_share(m, M_REMOTE_FAILED, 0, phase, line == 1);
}

/* -- the record ------------------------------------------------------------------------------------------ */

static int phase_of(const ov_record *r, const sv_project_dates *p, int64_t day) {
  int64_t told = sv_record_value(r, F_PHASE);
  if (told >= PHASE_BASELINE && told <= PHASE_FOLLOW_UP) return (int)told;
  if (!p || !known(p->implementation)) return 0;
  if (day < p->implementation) return PHASE_BASELINE;
  return known(p->follow_up) && day >= p->follow_up ? PHASE_FOLLOW_UP : PHASE_TRIAL;
}

static void count_project(sv_measurer *m, const sv_project_dates *p) {
  if (!p) return;
  for (unsigned i = 0; i < m->n_projects; i++) {
    if (!ov_name_equal(&m->projects[i].name, &p->name)) continue;
    m->projects[i].n++;
    return;
  }
  if (m->n_projects < PROJECTS_MAX) m->projects[m->n_projects++] = (project_count){p->name, 1};
}

int64_t sv_record_day(const ov_record *r, const sv_zone *zone) {
  bool night = r->kind == KIND_SLEEP || r->kind == KIND_ROUND;
  int64_t v = sv_record_value(r, night ? SLEEP_NIGHT : F_OCCURRED);
  return night || !known(v) ? v : local_day(zone, v);
}

void sv_measurer_add(sv_measurer *m, const ov_record *r, const sv_project_dates *project, char *why) {
  if (why) *why = 0;
  if (!r->created || ov_record_retracted(r) == OV_RETRACTED) return;
  int64_t day = sv_record_day(r, m->zone);
  if (!known(day)) return;
  int phase = phase_of(r, project, day);
  m->sums.records++;
  m->sums.conflicts += ov_record_conflicts(r) > 0;
  m->sums.held += r->n_held > 0;
  count_project(m, project);
  switch (m->family) {
  case SV_FAM_SLEEP: add_sleep(m, r, phase, why); break;
  case SV_FAM_ROUNDS: add_round(m, r, phase); break;
  case SV_FAM_DAY: add_day(m, r, phase); break;
  case SV_FAM_CONTACT: add_contact(m, r, phase); break;
  case SV_FAM_TECH: add_tech(m, r, phase); break;
  case SV_FAM_GOAL: add_goal(m, r, phase); break;
  case SV_FAM_REMOTE: add_remote(m, r, phase); break;
  default: break;
  }
}

static void choose_project(sv_measurer *m) {
  const project_count *best = NULL;
  for (unsigned i = 0; i < m->n_projects; i++) {
    const project_count *c = &m->projects[i];
    if (!best || c->n > best->n || (c->n == best->n && ov_name_compare(&c->name, &best->name) < 0)) best = c;
  }
  if (best) m->sums.project = best->name;
}

const sv_sums *sv_measurer_end(sv_measurer *m) {
  end_rounds(m);
  end_goals(m);
  choose_project(m);
  return &m->sums;
}
