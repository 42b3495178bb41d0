/* What people share with the programme in their own name: practice stories, lessons, and experts who want
 * to be found. It is as it stands today, not of a release: none of it is a figure or comes from a client's
 * record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_priv.h"
#include "sv_kinds.h"
#include "sv_rights.h"

#define DAY_MIN (-719468)
#define DAY_MAX 2932896
#define RECORDS_MAX 2000u
#define STORIES_MAX 40u
#define EXPERTS_MAX 60u
#define TEXT_MAX 400u
enum { KIND_STORY = 12, KIND_LESSON = 13, KIND_EXPERT = 19 };
enum { STORY_NETWORK = 2, STORY_TITLE = 3, STORY_DATE = 4, STORY_LINK = 5, STORY_CONSENT = 6 };
enum { STORY_WITHDRAWN = 3 };
enum { LESSON_NUMBER = 2, LESSON_TITLE = 3, LESSON_BODY = 4, LESSON_MAIN = 5, LESSON_NETWORK = 6 };
enum { EXPERT_NAME = 2, EXPERT_NETWORK = 3, EXPERT_ABOUT = 4, EXPERT_CONTACT = 5, EXPERT_CONSENT = 6 };
enum { EXPERT_AGREES = 1 };

json_t *page_text(const ov_record *r, uint16_t field) {
  const ov_live *l = ov_record_field(r, field, NULL);
  if (!l || l->v.type != OV_V_TEXT) return NULL;
  size_t n = l->v.s.n;
  if (n > TEXT_MAX) { /* not in the middle of a character */
    n = TEXT_MAX;
    while (n && (l->v.s.p[n] & 0xc0) == 0x80) n--;
  }
  return json_stringn((const char *)l->v.s.p, n);
}

json_t *page_date(int64_t day) {
  char month[SV_RELEASE_ID_MAX], date[24];
  if (day == SV_UNKNOWN) return NULL;
  uint32_t m = sv_month_of_day(day);
  sv_month_text(m, month);
  snprintf(date, sizeof date, "%.10s-%02d", month, (int)((day - sv_month_first_day(m)) % 31) + 1);
  return json_string(date);
}

static void set(json_t *j, const char *key, json_t *value) {
  if (value) json_object_set_new(j, key, value);
}

int page_each(sv_org *org, uint16_t kind, ov_arena *a, page_take take, void *ctx) {
  sv_txn *t = NULL;
  ov_name *names;
  uint32_t n = 0;
  ov_arena_reset(a);
  int err = sv_txn_read(org->env, &t);
  if (!err) err = sv_by_kind_day(t, kind, DAY_MIN, DAY_MAX, a, &names, RECORDS_MAX, &n);
  for (uint32_t i = 0; !err && i < n; i++) {
    sv_record_row row;
    err = sv_record_get(t, &names[i], a, &row);
    if (!err && !row.erased && row.rec.created && ov_record_retracted(&row.rec) != OV_RETRACTED)
      take(ctx, &row.rec);
  }
  sv_txn_abort(t);
  return err;
}

typedef struct taking {
  const page *p;
  json_t *list;
} taking;

/* Is it about the page's network? What names none is about all. */
static bool about(const page *p, const ov_record *r, uint16_t field) {
  const ov_live *l = ov_record_field(r, field, NULL);
  ov_name name;
  if (!p->network || !l || l->v.type != OV_V_BYTES || l->v.s.n != OV_NAME_BYTES) return true;
  ov_name_read(l->v.s.p, &name);
  return ov_name_equal(&name, &p->networks[p->network].record);
}

/* -- stories and lessons --------------------------------------------------------------------------------- */

static void take_story(void *ctx, const ov_record *r) {
  const taking *x = ctx;
  if (!about(x->p, r, STORY_NETWORK) || sv_record_value(r, STORY_CONSENT) == STORY_WITHDRAWN) return;
  json_t *j = json_object();
  set(j, "title", page_text(r, STORY_TITLE));
  set(j, "link", page_text(r, STORY_LINK));
  set(j, "date", page_date(sv_record_value(r, STORY_DATE)));
  json_array_append_new(x->list, j);
}

/* "4 van 5–6": how many there are of what a network collects. */
static void add_stories(page *p, json_t *items) {
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
                      json_pack("{s:I, s:I, s:I, s:s, s:s, s:O}", "count", (json_int_t)count, "min",
                                (json_int_t)low, "max", (json_int_t)high, "text_nl", nl, "text_en", en,
                                "items", items));
}

static void take_lesson(void *ctx, const ov_record *r) {
  const taking *x = ctx;
  if (!about(x->p, r, LESSON_NETWORK)) return;
  json_t *j = json_object();
  int64_t number = sv_record_value(r, LESSON_NUMBER);
  if (number != SV_UNKNOWN) json_object_set_new(j, "number", json_integer(number));
  set(j, "title", page_text(r, LESSON_TITLE));
  set(j, "text", page_text(r, LESSON_BODY));
  json_object_set_new(j, "main", json_boolean(sv_record_value(r, LESSON_MAIN) == 1));
  json_array_append_new(x->list, j);
}

/* -- experts --------------------------------------------------------------------------------------------- */

/* What experts wrote about themselves, and who it was. */
typedef struct cards {
  const page *p;
  struct card {
    json_t *j;
    ov_name author;
  } v[EXPERTS_MAX];
  uint32_t n;
} cards;

static void take_card(void *ctx, const ov_record *r) {
  cards *c = ctx;
  if (!about(c->p, r, EXPERT_NETWORK) || sv_record_value(r, EXPERT_CONSENT) != EXPERT_AGREES) return;
  for (uint32_t i = 0; i < r->n_ops && c->n < EXPERTS_MAX; i++) {
    if (!ov_name_equal(&r->ops[i].name, &r->name) || !r->ops[i].has_author) continue;
    struct card *card = &c->v[c->n];
    *card = (struct card){.j = json_object(), .author = r->ops[i].author};
    set(card->j, "name", page_text(r, EXPERT_NAME));
    set(card->j, "about", page_text(r, EXPERT_ABOUT));
    set(card->j, "contact", page_text(r, EXPERT_CONTACT));
    c->n++;
  }
}

/* Nobody else stands on the page, whatever a card says: its author must be an expert still. */
static int is_expert(sv_txn *t, const ov_name *person, ov_arena *a, bool *yes) {
  sv_record_row row;
  int err = sv_record_get(t, person, a, &row);
  *yes = !err && !row.erased && row.rec.kind == OV_KIND_PERSON && row.rec.created &&
         ov_record_retracted(&row.rec) == OV_LIVE &&
         sv_record_value(&row.rec, SV_PERSON_ROLE) == SV_ROLE_EXPERT &&
         sv_record_value(&row.rec, SV_PERSON_ACTIVE) == 1;
  return err == OV_E_NOTFOUND ? 0 : err;
}

/* The organisation is where the author works, not what somebody typed. */
static int add_cards_of(page *p, sv_org *org, const cards *c, json_t *out) {
  sv_txn *t = NULL;
  ov_arena_reset(&p->a);
  int err = sv_txn_read(org->env, &t);
  for (uint32_t i = 0; !err && i < c->n; i++) {
    bool yes = false;
    err = is_expert(t, &c->v[i].author, &p->a, &yes);
    if (err || !yes) continue;
    json_object_set_new(c->v[i].j, "organisation", json_string(org->name));
    json_array_append(out, c->v[i].j);
  }
  sv_txn_abort(t);
  return err;
}

static int add_experts(page *p, json_t *out) {
  cards *c = calloc(1, sizeof *c);
  if (!c) return OV_E_NOMEM;
  c->p = p;
  int err = page_each(p->in->programme, KIND_EXPERT, &p->a, take_card, c);
  for (unsigned i = 0; !err && p->in->org_at(p->in->ctx, i); i++)
    err = add_cards_of(p, p->in->org_at(p->in->ctx, i), c, out);
  for (uint32_t i = 0; i < c->n; i++) json_decref(c->v[i].j);
  free(c);
  return err;
}

/* -- all of them ----------------------------------------------------------------------------------------- */

int page_add_records(page *p) {
  json_t *stories = json_array(), *lessons = json_array(), *experts = json_array();
  taking of_stories = {p, stories}, of_lessons = {p, lessons};
  int err = stories && lessons && experts ? 0 : OV_E_NOMEM;
  if (!err) err = page_each(p->in->programme, KIND_STORY, &p->a, take_story, &of_stories);
  if (!err) err = page_each(p->in->programme, KIND_LESSON, &p->a, take_lesson, &of_lessons);
  if (!err) err = add_experts(p, experts);
  if (!err) {
    add_stories(p, stories);
    json_object_set(p->top, "lessons", lessons);
    json_object_set(p->top, "experts", experts);
  }
  json_decref(stories);
  json_decref(lessons);
  json_decref(experts);
  return err;
}
