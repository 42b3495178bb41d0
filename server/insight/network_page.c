#include "sv_network_page.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export_priv.h"
#include "kinds.h"

#define DAY_MIN (-719468)
#define DAY_MAX 2932896
#define RECORDS_MAX 2000u
#define STORIES_MAX 40u
#define TEXT_MAX 400u
#define THEMES_MAX 64u
#define THEME_ORGS_MIN 3u
enum { KIND_STORY = 12, KIND_LESSON = 13, KIND_BARRIER = 14 };
enum {
  STORY_NETWORK = 2,
  STORY_TITLE = 3,
  STORY_DATE = 4,
  STORY_LINK = 5,
  STORY_CONSENT = 6,
  CONSENT_WITHDRAWN = 3
};
enum { LESSON_NUMBER = 2, LESSON_TITLE = 3, LESSON_BODY = 4, LESSON_MAIN = 5, LESSON_NETWORK = 6 };
enum { BARRIER_THEME = 3, BARRIER_EFFECT = 4 };

typedef struct page {
  const sv_insight *in;
  unsigned network;
  sv_network *networks;
  json_t *top;
  ov_arena a;
} page;

/* -- the ledger ------------------------------------------------------------------------------------------ */

static void move(json_t *to, json_t *from, const char *key) {
  json_t *v = json_object_get(from, key);
  if (v) json_object_set(to, key, v);
}

/* What was written down with the release; a network that it did not know yet has nothing in it. */
static int add_release(page *p, sv_txn *t, uint32_t number, bool newest, json_t *series) {
  json_t *j = NULL;
  int err = rel_page_load(t, number, p->network, &j);
  if (err == OV_E_NOTFOUND) return 0;
  if (err) return err;
  json_array_append(series, json_object_get(j, "month"));
  if (newest) {
    move(p->top, j, "release");
    move(p->top, j, "paired");
    move(p->top, j, "goals");
  }
  json_decref(j);
  return 0;
}

/* Releases up to the one asked for, by month; supplements have no figures of single networks. */
static int add_months(page *p, const uint32_t *all, uint32_t n, uint32_t last, json_t *series, bool *met) {
  sv_txn *t = NULL;
  unsigned used = 0;
  int err = sv_txn_read(p->in->programme->env, &t);
  for (uint32_t i = n; !err && i-- > 0 && used < SV_PAGE_MONTHS_MAX;) {
    if (all[i] > last || all[i] % 16) continue;
    err = add_release(p, t, all[i], !*met, series);
    *met = true;
    used++;
  }
  sv_txn_abort(t);
  return err;
}

static int add_figures(page *p, const char *release) {
  uint32_t *all = malloc(RELEASES_MAX * sizeof *all), n = 0, last = UINT32_MAX;
  json_t *series = json_array();
  bool met = false;
  int err = all && series ? 0 : OV_E_NOMEM;
  if (!err && release && sv_release_number(release, &last)) err = OV_E_NOTFOUND;
  if (!err) err = sv_release_list(p->in->programme, all, RELEASES_MAX, &n);
  json_object_set_new(p->top, "release", json_null());
  if (!err) err = add_months(p, all, n, last, series, &met);
  free(all);
  json_object_set_new(p->top, "technology", series);
  return !err && release && !met ? OV_E_NOTFOUND : err;
}

/* -- records everybody may read -------------------------------------------------------------------------- */

static json_t *text_of(const ov_record *r, uint16_t field) {
  const ov_live *l = ov_record_field(r, field, NULL);
  if (!l || l->v.type != OV_V_TEXT) return NULL;
  size_t n = l->v.s.n;
  if (n > TEXT_MAX) { /* not in the middle of a character */
    n = TEXT_MAX;
    while (n && (l->v.s.p[n] & 0xc0) == 0x80) n--;
  }
  return json_stringn((const char *)l->v.s.p, n);
}

static void set_text(json_t *j, const char *key, json_t *text) {
  if (text) json_object_set_new(j, key, text);
}

/* Is it about the page's network? What names none is about all. */
static bool about(const page *p, const ov_record *r, uint16_t field) {
  const ov_live *l = ov_record_field(r, field, NULL);
  ov_name name;
  if (!p->network || !l || l->v.type != OV_V_BYTES || l->v.s.n != OV_NAME_BYTES) return true;
  ov_name_read(l->v.s.p, &name);
  return ov_name_equal(&name, &p->networks[p->network].record);
}

static bool counts(const sv_record_row *row) {
  return !row->erased && row->rec.created && ov_record_retracted(&row->rec) != OV_RETRACTED;
}

typedef void (*take_fn)(page *p, const ov_record *r, void *ctx);

static int each_record(page *p, sv_org *org, uint16_t kind, take_fn take, void *ctx) {
  sv_txn *t = NULL;
  ov_name *names;
  uint32_t n = 0;
  ov_arena_reset(&p->a);
  int err = sv_txn_read(org->env, &t);
  if (!err) err = sv_by_kind_day(t, kind, DAY_MIN, DAY_MAX, &p->a, &names, RECORDS_MAX, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    err = sv_record_get(t, &names[i], &p->a, &row);
    if (!err && counts(&row)) take(p, &row.rec, ctx);
  }
  sv_txn_abort(t);
  return err;
}

static void take_story(page *p, const ov_record *r, void *ctx) {
  json_t *list = ctx;
  if (!about(p, r, STORY_NETWORK) || sv_record_value(r, STORY_CONSENT) == CONSENT_WITHDRAWN) return;
  json_t *j = json_object();
  set_text(j, "title", text_of(r, STORY_TITLE));
  set_text(j, "link", text_of(r, STORY_LINK));
  int64_t day = sv_record_value(r, STORY_DATE);
  char month[SV_RELEASE_ID_MAX], date[24];
  sv_month_text(sv_month_of_day(day), month);
  snprintf(date, sizeof date, "%.10s-%02d", month,
           (int)((day - sv_month_first_day(sv_month_of_day(day))) % 31) + 1);
  if (day != SV_UNKNOWN) json_object_set_new(j, "date", json_string(date));
  json_array_append_new(list, j);
}

/* "4 van 5–6": how many there are of what a network collects. */
static void add_story_count(page *p, json_t *items) {
  int64_t low = 0, high = 0;
  char nl[60], en[60];
  for (unsigned g = 1; g <= SV_GROUP_MAX; g++) {
    const sv_network *n = &p->networks[g];
    if (!n->type || (p->network && g != p->network)) continue;
    low += n->stories_min == SV_UNKNOWN ? 0 : n->stories_min;
    high += n->stories_max == SV_UNKNOWN ? 0 : n->stories_max;
  }
  size_t count = json_array_size(items);
  snprintf(nl, sizeof nl, "%zu van %lld–%lld", count, (long long)low, (long long)high);
  snprintf(en, sizeof en, "%zu of %lld–%lld", count, (long long)low, (long long)high);
  while (json_array_size(items) > STORIES_MAX) json_array_remove(items, 0); /* the oldest first */
  json_object_set_new(p->top, "stories",
                      json_pack("{s:I, s:I, s:I, s:s, s:s, s:o}", "count", (json_int_t)count, "min",
                                (json_int_t)low, "max", (json_int_t)high, "text_nl", nl, "text_en", en,
                                "items", items));
}

static void take_lesson(page *p, const ov_record *r, void *ctx) {
  if (!about(p, r, LESSON_NETWORK)) return;
  json_t *j = json_object();
  int64_t number = sv_record_value(r, LESSON_NUMBER);
  if (number != SV_UNKNOWN) json_object_set_new(j, "number", json_integer(number));
  set_text(j, "title", text_of(r, LESSON_TITLE));
  set_text(j, "text", text_of(r, LESSON_BODY));
  json_object_set_new(j, "main", json_boolean(sv_record_value(r, LESSON_MAIN) == 1));
  json_array_append_new(ctx, j);
}

/* Who names a theme: organisations, each once. */
typedef struct themes {
  uint32_t orgs[3][THEMES_MAX]; /* by effect 1 and 2 */
  bool seen[3][THEMES_MAX];     /* by the organisation under way */
} themes;

static void take_barrier(page *p, const ov_record *r, void *ctx) {
  themes *t = ctx;
  int64_t theme = sv_record_value(r, BARRIER_THEME), effect = sv_record_value(r, BARRIER_EFFECT);
  (void)p;
  if (theme < 1 || theme >= (int64_t)THEMES_MAX || effect < 1 || effect > 2 || t->seen[effect][theme]) return;
  t->seen[effect][theme] = true;
  t->orgs[effect][theme]++;
}

static int add_barriers(page *p) {
  const ov_skind *k = ov_schemas_kind(p->in->programme->schemas, KIND_BARRIER);
  const ov_sfield *f = k ? ov_skind_field(k, BARRIER_THEME) : NULL;
  themes *t = calloc(1, sizeof *t);
  json_t *list = json_array();
  int err = t && list ? 0 : OV_E_NOMEM;
  for (unsigned i = 0; !err && p->in->org_at(p->in->ctx, i); i++) {
    memset(t->seen, 0, sizeof t->seen);
    err = each_record(p, p->in->org_at(p->in->ctx, i), KIND_BARRIER, take_barrier, t);
  }
  for (uint32_t i = 0; !err && f && i < f->n_codes; i++) {
    for (int effect = 1; effect <= 2; effect++) {
      int theme = f->codes[i].code;
      if (theme < 1 || theme >= (int)THEMES_MAX || t->orgs[effect][theme] < THEME_ORGS_MIN) continue;
      json_array_append_new(list,
                            json_pack("{s:i, s:s, s:s, s:s}", "theme", theme, "nl", f->codes[i].nl, "en",
                                      f->codes[i].en, "effect", effect == 1 ? "hinders" : "helps"));
    }
  }
  free(t);
  if (err) json_decref(list);
  else json_object_set_new(p->top, "barriers", list);
  return err;
}

static int add_records(page *p) {
  json_t *stories = json_array(), *lessons = json_array();
  int err = stories && lessons ? 0 : OV_E_NOMEM;
  if (!err) err = each_record(p, p->in->programme, KIND_STORY, take_story, stories);
  if (!err) err = each_record(p, p->in->programme, KIND_LESSON, take_lesson, lessons);
  if (err) {
    json_decref(stories);
    json_decref(lessons);
    return err;
  }
  add_story_count(p, stories);
  json_object_set_new(p->top, "lessons", lessons);
  return add_barriers(p);
}

/* -- the page -------------------------------------------------------------------------------------------- */

static json_t *network_json(const page *p, unsigned g) {
  return json_pack("{s:i, s:s, s:s}", "number", (int)g, "name", p->networks[g].name, "type",
                   p->networks[g].type == 2 ? "remote" : "content");
}

static void add_networks(page *p) {
  json_t *list = json_array();
  for (unsigned g = 1; g <= SV_GROUP_MAX; g++) {
    if (p->networks[g].type) json_array_append_new(list, network_json(p, g));
  }
  json_object_set_new(p->top, "networks", list);
  json_object_set_new(p->top, "network", p->network ? network_json(p, p->network) : json_null());
  json_object_set_new(
      p->top, "hidden",
      json_pack("{s:s, s:s, s:s, s:s}", "nl", "te weinig mensen", "en", "too few people", "why_nl",
                "Wij tonen dit niet: het gaat over te weinig mensen of organisaties, of is met andere "
                "cijfers uit te rekenen.",
                "why_en",
                "Not shown: it is about too few people or organisations, or could be worked out "
                "from other figures."));
}

/* What is oldest goes until the page is small enough. */
static char *bounded(page *p) {
  json_t *series = json_object_get(p->top, "technology"),
         *stories = json_object_get(json_object_get(p->top, "stories"), "items"),
         *lessons = json_object_get(p->top, "lessons");
  for (;;) {
    char *text = json_dumps(p->top, JSON_COMPACT);
    if (!text || strlen(text) <= SV_PAGE_BYTES_MAX) return text;
    free(text);
    if (json_array_size(lessons)) json_array_remove(lessons, json_array_size(lessons) - 1);
    else if (json_array_size(stories)) json_array_remove(stories, 0);
    else if (json_array_size(series)) json_array_remove(series, json_array_size(series) - 1);
    else return NULL;
  }
}

static int fill(page *p, const char *release) {
  int err = rel_load_networks(p->in->programme, p->networks);
  if (!err && p->network && (p->network > SV_GROUP_MAX || !p->networks[p->network].type)) err = OV_E_NOTFOUND;
  if (err) return err;
  add_networks(p);
  err = add_figures(p, release);
  return err ? err : add_records(p);
}

int sv_network_page(const sv_insight *in, const char *release, unsigned network, sv_export *e) {
  page p = {.in = in, .network = network};
  memset(e, 0, sizeof *e);
  ov_buf_init(&e->bytes, 0);
  ov_arena_init(&p.a, (size_t)64 << 20);
  p.networks = calloc(SV_GROUP_MAX + 1, sizeof *p.networks);
  p.top = json_object();
  int err = p.networks && p.top ? fill(&p, release) : OV_E_NOMEM;
  char *text = err ? NULL : bounded(&p);
  if (text) exp_put(&e->bytes, text);
  else if (!err) err = OV_E_NOMEM;
  snprintf(e->file_name, sizeof e->file_name, "network-%u.json", network);
  free(text);
  json_decref(p.top);
  free(p.networks);
  ov_arena_free(&p.a);
  return exp_finish(e, err);
}
