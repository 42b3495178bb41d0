/* What organisations say helps or hinders: a figure across organisations, so a part of the release. It tells
 * no number, only themes that three or more of them name. */
#include <stdlib.h>
#include <string.h>

#include "page_priv.h"

#define THEMES_MAX 64u
#define THEME_ORGS_MIN 3u
enum { KIND_BARRIER = 14, BARRIER_THEME = 3, BARRIER_EFFECT = 4, BARRIER_NOTED = 5 };
enum { HINDERS = 1, HELPS = 2, EFFECTS };

typedef struct themes {
  int64_t until; /* the first day that is too late */
  uint32_t orgs[EFFECTS][THEMES_MAX];
  bool seen[EFFECTS][THEMES_MAX]; /* by the organisation under way */
} themes;

static void take_barrier(void *ctx, const ov_record *r) {
  themes *t = ctx;
  int64_t theme = sv_record_value(r, BARRIER_THEME), effect = sv_record_value(r, BARRIER_EFFECT),
          noted = sv_record_value(r, BARRIER_NOTED);
  if (theme < 1 || theme >= (int64_t)THEMES_MAX || effect < HINDERS || effect > HELPS) return;
  if (noted == SV_UNKNOWN || noted >= t->until || t->seen[effect][theme]) return;
  t->seen[effect][theme] = true;
  t->orgs[effect][theme]++;
}

static json_t *list_of(const themes *t, const ov_schemas *schemas) {
  const ov_skind *k = ov_schemas_kind(schemas, KIND_BARRIER);
  const ov_sfield *f = k ? ov_skind_field(k, BARRIER_THEME) : NULL;
  json_t *list = json_array();
  for (uint32_t i = 0; f && i < f->n_codes; i++) {
    const ov_code *c = &f->codes[i];
    for (int effect = HINDERS; effect <= HELPS; effect++) {
      if (c->code < 1 || c->code >= (int)THEMES_MAX || t->orgs[effect][c->code] < THEME_ORGS_MIN) continue;
      json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s}", "theme", (int)c->code, "nl", c->nl, "en",
                                            c->en, "effect", effect == HINDERS ? "hinders" : "helps"));
    }
  }
  return list;
}

int rel_barriers(const sv_insight *in, uint32_t month, json_t **out) {
  themes *t = calloc(1, sizeof *t);
  ov_arena a;
  int err = t ? 0 : OV_E_NOMEM;
  *out = NULL;
  ov_arena_init(&a, (size_t)64 << 20);
  if (t) t->until = sv_month_first_day(month + 1);
  for (unsigned i = 0; !err && in->org_at(in->ctx, i); i++) {
    memset(t->seen, 0, sizeof t->seen);
    err = page_each(in->org_at(in->ctx, i), KIND_BARRIER, &a, take_barrier, t);
  }
  if (!err) *out = list_of(t, in->programme->schemas);
  ov_arena_free(&a);
  free(t);
  return err || *out ? err : OV_E_NOMEM;
}
