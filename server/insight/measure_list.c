/* The measures as a table: what is published, and how the codebook tells it. */
#include <string.h>

#include "kinds.h"
#include "sv_measure.h"

#define MIN5 5000 /* minutes: to 5 */
#define POINT 1000
#define HALF 500

static const sv_measure measures[] = {
    {M_SLEEP_TIB, SV_FAM_SLEEP, SV_M_MEAN, SV_SPLIT_SOURCE, false, MIN5, 0, 0, "sleep_tib", "min",
     "Tijd in bed", "Time in bed (TIB)", "out of bed minus to bed, in UTC"},
    {M_SLEEP_TST, SV_FAM_SLEEP, SV_M_MEAN, SV_SPLIT_SOURCE, false, MIN5, 0, 0, "sleep_tst", "min",
     "Slaapduur", "Total sleep time (TST)",
     "final awakening minus trying to sleep, minus SOL and WASO; nights without these two are left out. "
     "LOINC "
     "93832-4"},
    {M_SLEEP_SE, SV_FAM_SLEEP, SV_M_SHARE, SV_SPLIT_SOURCE, true, POINT, 0, 0, "sleep_se", "%",
     "Slaapefficiëntie", "Sleep efficiency (SE)", "100 x TST / TIB of each night"},
    {M_SLEEP_SOL, SV_FAM_SLEEP, SV_M_MEAN, SV_SPLIT_SOURCE, false, MIN5, 0, 0, "sleep_sol", "min",
     "Tijd tot slapen", "Sleep onset latency (SOL)", "as entered"},
    {M_SLEEP_WASO, SV_FAM_SLEEP, SV_M_MEAN, SV_SPLIT_SOURCE, false, MIN5, 0, 0, "sleep_waso", "min",
     "Minuten wakker", "Wake after sleep onset (WASO)", "as entered"},
    {M_SLEEP_TWAK, SV_FAM_SLEEP, SV_M_MEAN, SV_SPLIT_SOURCE, false, MIN5, 0, 0, "sleep_twak", "min",
     "Wakker in bed aan het eind", "Terminal wakefulness (TWAK)", "out of bed minus final awakening"},
    {M_SLEEP_MID, SV_FAM_SLEEP, SV_M_MEAN, SV_SPLIT_SOURCE, false, MIN5, 0, 0, "sleep_mid", "min",
     "Midden van de slaap", "Midsleep",
     "halfway between falling asleep and the final awakening, minutes after 12:00 local time of the night's "
     "date"},
    {M_SLEEP_BED_SD, SV_FAM_SLEEP, SV_M_SPREAD, SV_SPLIT_SOURCE, false, MIN5, 0, 0, "sleep_bed_sd", "min",
     "Spreiding van bedtijd", "Bedtime variability",
     "standard deviation of going to bed (local time) over the client's nights of the month, 5 nights or "
     "more"},
    {M_SLEEP_GOOD, SV_FAM_SLEEP, SV_M_SHARE, SV_SPLIT_SOURCE, false, POINT, 0, 0, "sleep_good", "%",
     "Nachten goed of zeer goed", "Nights rated good or very good", "quality 4 or 5"},
    {M_SLEEP_QUALITY, SV_FAM_SLEEP, SV_M_CATEGORY, SV_SPLIT_SOURCE, false, POINT, KIND_SLEEP, SLEEP_QUALITY,
     "sleep_quality", "%", "Hoe was de nacht?", "How was the night?", "share of the client's nights"},
    {M_ROUND_SOL_LOW, SV_FAM_ROUNDS, SV_M_MEAN, SV_SPLIT_NONE, false, MIN5, 0, 0, "round_sol_low", "min",
     "Tijd tot slapen, minstens (rondes)", "SOL, lower bound (rounds)",
     "from the first round to the last one awake before sleep was seen; interval-censored"},
    {M_ROUND_SOL_HIGH, SV_FAM_ROUNDS, SV_M_MEAN, SV_SPLIT_NONE, false, MIN5, 0, 0, "round_sol_high", "min",
     "Tijd tot slapen, hoogstens (rondes)", "SOL, upper bound (rounds)",
     "from the first round to the first one asleep; interval-censored"},
    {M_ROUND_WASO_LOW, SV_FAM_ROUNDS, SV_M_MEAN, SV_SPLIT_NONE, false, MIN5, 0, 0, "round_waso_low", "min",
     "Minuten wakker, minstens (rondes)", "WASO, lower bound (rounds)",
     "between rounds that both saw the client awake, after sleep was seen; interval-censored"},
    {M_ROUND_WASO_HIGH, SV_FAM_ROUNDS, SV_M_MEAN, SV_SPLIT_NONE, false, MIN5, 0, 0, "round_waso_high", "min",
     "Minuten wakker, hoogstens (rondes)", "WASO, upper bound (rounds)",
     "between rounds of which one at least saw the client awake, or nobody; interval-censored"},
    {M_DAY_REALISED, SV_FAM_DAY, SV_M_SHARE, SV_SPLIT_NONE, false, POINT, 0, 0, "day_realised", "%",
     "Gepland en gedaan", "Planned activities done", "done (1) of what was planned"},
    {M_DAY_ON_TIME, SV_FAM_DAY, SV_M_SHARE, SV_SPLIT_NONE, false, POINT, 0, 0, "day_on_time", "%", "Op tijd",
     "On time", "begun within 15 minutes of the plan, of planned activities with both times"},
    {M_DAY_INDEPENDENCE, SV_FAM_DAY, SV_M_SHARE, SV_SPLIT_NONE, true, POINT, 0, 0, "day_independence", "%",
     "Zelfstandigheid", "Independence", "100 x (1 - prompt level / 5)"},
    {M_DAY_SELF, SV_FAM_DAY, SV_M_SHARE, SV_SPLIT_NONE, false, POINT, 0, 0, "day_self", "%",
     "Cliënt begon zelf", "Self-initiated", "initiative 1 of all with an answer"},
    {M_DAY_TECH_PROMPT, SV_FAM_DAY, SV_M_SHARE, SV_SPLIT_NONE, false, POINT, 0, 0, "day_tech_prompt", "%",
     "Hulp door techniek", "Prompted by technology", "prompt by technology, of all that were prompted"},
    {M_DAY_CATEGORY, SV_FAM_DAY, SV_M_CATEGORY, SV_SPLIT_NONE, false, POINT, KIND_DAY, DAY_CATEGORY,
     "day_category", "%", "Activiteit", "Activity", "share of the client's activities"},
    {M_CONTACT_WEEK, SV_FAM_CONTACT, SV_M_WEEK, SV_SPLIT_NONE, false, HALF, 0, 0, "contact_week", "/week",
     "Contacten per week", "Contacts a week", "contacts of the month by the month's weeks"},
    {M_CONTACT_UNPAID, SV_FAM_CONTACT, SV_M_SHARE, SV_SPLIT_NONE, false, POINT, 0, 0, "contact_unpaid", "%",
     "Met iemand die niet betaald is", "Unpaid contact", "contacts with anyone but carers"},
    {M_CONTACT_VARIETY, SV_FAM_CONTACT, SV_M_VARIETY, SV_SPLIT_NONE, false, HALF, 0, 0, "contact_variety", "",
     "Soorten contacten", "Variety of partners", "different partner categories in the month"},
    {M_CONTACT_OWN, SV_FAM_CONTACT, SV_M_SHARE, SV_SPLIT_NONE, false, POINT, 0, 0, "contact_own", "%",
     "Cliënt begon", "Client-initiated", "initiator 1 of all with an answer"},
    {M_CONTACT_RECIPROCAL, SV_FAM_CONTACT, SV_M_SHARE, SV_SPLIT_NONE, false, POINT, 0, 0,
     "contact_reciprocal", "%", "Heen en weer", "Reciprocal", "reciprocity 2 of all with an answer"},
    {M_CONTACT_MODE, SV_FAM_CONTACT, SV_M_CATEGORY, SV_SPLIT_NONE, false, POINT, KIND_CONTACT, CONTACT_MODE,
     "contact_mode", "%", "Hoe", "Mode", "share of the client's contacts"},
    {M_CONTACT_VALENCE, SV_FAM_CONTACT, SV_M_CATEGORY, SV_SPLIT_NONE, false, POINT, KIND_CONTACT,
     CONTACT_VALENCE, "contact_valence", "%", "Hoe was het", "Valence", "share of the client's contacts"},
    {M_TECH_DAYS_WEEK, SV_FAM_TECH, SV_M_WEEK, SV_SPLIT_NONE, false, HALF, 0, 0, "tech_days_week",
     "days/week", "Dagen gebruikt per week", "Use days a week",
     "different days with use (1 or 2) by the month's weeks"},
    {M_TECH_INCIDENTS, SV_FAM_TECH, SV_M_RATE, SV_SPLIT_NONE, false, POINT, 0, 0, "tech_incidents",
     "/100 days", "Storingen per 100 dagen gebruik", "Incidents per 100 use days",
     "incidents x 100 / different days with use"},
    {M_TECH_DAYS_TOTAL, SV_FAM_TECH, SV_M_TOTAL, SV_SPLIT_NONE, false, MIN5, 0, 0, "tech_days_total", "days",
     "Dagen gebruikt, samen", "Use days, in total", "sum over clients of different days with use"},
    {M_TECH_INCIDENT_KIND, SV_FAM_TECH, SV_M_CATEGORY, SV_SPLIT_NONE, false, POINT, KIND_TECH, TECH_INCIDENT,
     "tech_incident_kind", "%", "Storing", "Incident", "share of the client's entries"},
    {M_GOAL_ATTAINED, SV_FAM_GOAL, SV_M_SHARE, SV_SPLIT_SCALE, false, POINT, 0, 0, "goal_attained", "%",
     "Doel bereikt", "Goal attained", "goals whose latest score of the month is 0 or more"},
    {M_GOAL_T, SV_FAM_GOAL, SV_M_MEAN, SV_SPLIT_SCALE, false, POINT, 0, 0, "goal_t", "", "T-score (GAS)",
     "T-score (GAS)",
     "50 + 10 Swx / sqrt(0.7 Sw^2 + 0.3 (Sw)^2) over the client's goals; five-point scale only, weight 1 "
     "unless "
     "told"},
    {M_GOAL_SCORE, SV_FAM_GOAL, SV_M_CATEGORY, SV_SPLIT_SCALE, false, POINT, KIND_GOAL, GOAL_SCORE,
     "goal_score", "%", "Score", "Score", "share of the client's goals, latest score of the month"},
    {M_REMOTE_REPLACED, SV_FAM_REMOTE, SV_M_SHARE, SV_SPLIT_NONE, false, POINT, 0, 0, "remote_replaced", "%",
     "In plaats van bezoek", "Replaced a visit", "of all with an answer"},
    {M_REMOTE_FAILED, SV_FAM_REMOTE, SV_M_SHARE, SV_SPLIT_NONE, false, POINT, 0, 0, "remote_failed", "%",
     "Slechte verbinding", "Failed contacts", "connection 1 (bad) of all with an answer"},
    {M_REMOTE_REASON, SV_FAM_REMOTE, SV_M_CATEGORY, SV_SPLIT_NONE, false, POINT, KIND_REMOTE, REMOTE_REASON,
     "remote_reason", "%", "Waarom op afstand", "Why at a distance",
     "share of the client's contacts; reasons 1 and 2 are one"},
};
#define COUNT (sizeof measures / sizeof measures[0])

const sv_measure *sv_measure_at(unsigned i) { return i < COUNT ? &measures[i] : NULL; }

const sv_measure *sv_measure_by_id(uint16_t id) {
  for (unsigned i = 0; i < COUNT; i++) {
    if (measures[i].id == id) return &measures[i];
  }
  return NULL;
}

const sv_measure *sv_measure_by_name(const char *name) {
  for (unsigned i = 0; i < COUNT; i++) {
    if (!strcmp(measures[i].name, name)) return &measures[i];
  }
  return NULL;
}

const char *sv_family_name(unsigned family) {
  static const char *const names[SV_FAM_END] = {
      NULL, "sleep", "sleep_check", "day_structure", "social_contact", "tech_use", "goal", "remote_care"};
  return family < SV_FAM_END ? names[family] : NULL;
}

uint16_t sv_family_kind(unsigned family) {
  static const uint16_t kinds[SV_FAM_END] = {0,         KIND_SLEEP, KIND_ROUND, KIND_DAY, KIND_CONTACT,
                                             KIND_TECH, KIND_GOAL,  KIND_REMOTE};
  return family < SV_FAM_END ? kinds[family] : 0;
}

const ov_sfield *sv_split_field(const ov_schemas *schemas, sv_split split) {
  const ov_skind *k = ov_schemas_kind(schemas, split == SV_SPLIT_SOURCE ? KIND_SLEEP : KIND_GOAL);
  if (!k || split == SV_SPLIT_NONE) return NULL;
  return ov_skind_field(k, split == SV_SPLIT_SOURCE ? SLEEP_SOURCE : GOAL_SCALE);
}
