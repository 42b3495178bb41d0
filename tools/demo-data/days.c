/* Days: what all kinds begin with, activities, contacts. */
#include "entries.h"
#include "logs.h"

#define MISSING_NOT_ASKED (-98)
#define MISSING_UNKNOWN (-99)
#define QUARTER_S 900

void dd_log_begin(dd_form *f, const dd_scene *s, const char *kind) {
  dd_form_init(f, s->schemas, kind);
  dd_ref(f, "project", &s->team->project->record);
  if (dd_chance(s->rng, 80)) dd_text(f, "note", dd_note(s->rng));
}

void dd_log_int(dd_form *f, const dd_scene *s, const char *field, int64_t v) {
  if (dd_chance(s->rng, 25)) v = dd_chance(s->rng, 500) ? MISSING_NOT_ASKED : MISSING_UNKNOWN;
  dd_int(f, field, v);
}

static void plan_fields(dd_form *f, dd_rng *r, int64_t at) {
  bool planned = dd_chance(r, 750);
  dd_int(f, "planned", planned);
  if (!planned) return;
  int64_t when = at - dd_around(r, 5, 40) * 60;
  dd_int(f, "planned_at", when - when % QUARTER_S);
  dd_int(f, "planned_min", 15 * dd_between(r, 1, 8));
}

void dd_log_activity(dd_form *f, const dd_scene *s, int64_t at) {
  static const uint16_t categories[] = {20, 22, 12, 18, 14, 6, 5, 4, 2, 0}, done[] = {70, 14, 12, 4, 0};
  static const uint16_t reasons[] = {35, 25, 8, 6, 16, 10, 0}, helpers[] = {70, 15, 5, 10, 0},
                        starters[] = {40, 15, 40, 5, 0};
  static const uint16_t before[] = {20, 10, 30, 15, 15, 10, 0}, after[] = {32, 14, 28, 12, 9, 5, 0};
  static const int reason_codes[] = {1, 2, 3, 4, 5, 9};
  dd_rng *r = s->rng;
  dd_log_begin(f, s, "day_structure");
  dd_int(f, "occurred_at", at);
  dd_int(f, "category", 1 + dd_pick(r, categories));
  plan_fields(f, r, at);
  unsigned realised = 1 + dd_pick(r, done);
  dd_int(f, "realised", realised);
  if (realised != 1) dd_int(f, "not_done_reason", reason_codes[dd_pick(r, reasons)]);
  if (realised == 3) return;
  unsigned help = dd_pick(r, s->trial ? after : before);
  dd_int(f, "realised_at", at);
  dd_log_int(f, s, "realised_min", 5 * dd_between(r, 1, 24));
  dd_int(f, "prompt_level", help);
  if (help) dd_int(f, "prompt_by", 1 + dd_pick(r, helpers));
  dd_int(f, "initiative", 1 + dd_pick(r, starters));
}

void dd_log_contact(dd_form *f, const dd_scene *s, int64_t at) {
  static const uint16_t modes[] = {30, 18, 16, 16, 12, 8, 0},
                        partners[] = {30, 8, 3, 20, 18, 6, 4, 4, 3, 4, 0};
  static const uint16_t starters[] = {38, 30, 20, 12, 0}, bands[] = {12, 28, 36, 20, 4, 0},
                        feelings[] = {3, 8, 28, 42, 19, 0};
  dd_rng *r = s->rng;
  int64_t first = 1 + dd_pick(r, partners), with[2] = {first, first < 10 ? first + 1 : first};
  dd_log_begin(f, s, "social_contact");
  dd_int(f, "occurred_at", at);
  dd_int(f, "mode", 1 + dd_pick(r, modes));
  dd_set(f, "partner", with, first < 10 && dd_chance(r, 180) ? 2 : 1);
  if (dd_chance(r, 850)) dd_log_int(f, s, "partner_count", dd_between(r, 1, 3));
  dd_int(f, "initiator", dd_chance(r, 30) ? MISSING_UNKNOWN : 1 + (int)dd_pick(r, starters));
  dd_int(f, "duration_band", 1 + dd_pick(r, bands));
  if (dd_chance(r, 800)) dd_log_int(f, s, "reciprocity", dd_between(r, 0, 2));
  dd_int(f, "valence", (int64_t)dd_pick(r, feelings) - 2);
}
