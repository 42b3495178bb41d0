/* What the page of a theme network shows of one release, written down when the release is made: a page is put
 * together of such pieces and opens no list of clients. */
#include <stdlib.h>
#include <string.h>

#include "export_priv.h"
#include "kinds.h"
#include "sv_json.h"

typedef struct page {
  const sv_release *r;
  const ov_schemas *schemas;
  unsigned network;
  json_t *top;
} page;

/* -- cells ----------------------------------------------------------------------------------------------- */

static void set_number(json_t *j, const char *key, int64_t milli) {
  if (milli == SV_UNKNOWN) return;
  json_object_set_new(j, key, milli % 1000 ? json_real((double)milli / 1000) : json_integer(milli / 1000));
}

/* A cell that a release does not have looks like one that it hides. */
static void set_cell(json_t *j, const sv_cell *c) {
  if (!c || c->hidden != SV_SHOWN) {
    json_object_set_new(j, "hidden", json_true());
    return;
  }
  json_object_set_new(j, "clients", json_integer(c->n_told));
  json_object_set_new(j, "organisations", json_integer(c->orgs_told));
  set_number(j, "value", c->value);
  set_number(j, "sd", c->sd);
  set_number(j, "baseline", c->base);
  set_number(j, "follow_up", c->follow);
}

static const sv_cell *cell_of(const sv_release *r, const char *measure, unsigned split, int cat, bool paired,
                              unsigned network) {
  const sv_measure *m = sv_measure_by_name(measure);
  for (uint32_t i = 0; i < r->cells.n; i++) {
    const sv_cell *c = &r->cells.v[i];
    bool here = network ? c->breakdown == SV_BY_NETWORK && c->group == network : c->breakdown == SV_BY_ALL;
    if (here && c->measure == m->id && c->split == split && c->cat == cat && c->paired == paired) return c;
  }
  return NULL;
}

static json_t *cell_json(const sv_cell *c) {
  json_t *j = json_object();
  set_cell(j, c);
  return j;
}

static void add_paired(page *p) {
  const ov_sfield *f = sv_split_field(p->schemas, SV_SPLIT_SOURCE);
  json_t *list = json_array();
  for (uint32_t i = 0; f && i < f->n_codes; i++) {
    const sv_cell *c = cell_of(p->r, "sleep_se", (unsigned)f->codes[i].code, 0, true, p->network);
    if (i && (!c || c->hidden != SV_SHOWN)) continue; /* the first, observation, always has its place */
    json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "measure", "sleep_se", "unit", "%", "source",
                          f->codes[i].en, "source_nl", f->codes[i].nl);
    set_cell(j, c);
    json_array_append_new(list, j);
  }
  json_t *day = json_pack("{s:s, s:s}", "measure", "day_independence", "unit", "%");
  set_cell(day, cell_of(p->r, "day_independence", 0, 0, true, p->network));
  json_array_append_new(list, day);
  json_object_set_new(p->top, "paired", list);
}

static void add_goals(page *p) {
  const ov_skind *k = ov_schemas_kind(p->schemas, KIND_GOAL);
  const ov_sfield *f = k ? ov_skind_field(k, GOAL_SCORE) : NULL;
  json_t *attained = json_array(), *scores = json_array();
  for (int scale = 5; scale <= 6; scale++) {
    json_t *j = json_pack("{s:i}", "scale", scale);
    set_cell(j, cell_of(p->r, "goal_attained", (unsigned)scale, 0, false, p->network));
    json_array_append_new(attained, j);
    for (uint32_t i = 0; f && i < f->n_codes; i++) {
      if (scale == 5 && f->codes[i].code == -3) continue;
      j = json_pack("{s:i, s:i, s:s, s:s}", "scale", scale, "code", f->codes[i].code, "nl", f->codes[i].nl,
                    "en", f->codes[i].en);
      set_cell(j, cell_of(p->r, "goal_score", (unsigned)scale, f->codes[i].code, false, 0));
      json_array_append_new(scores, j);
    }
  }
  json_object_set_new(p->top, "goals", json_pack("{s:o, s:o}", "attained", attained, "scores", scores));
}

static void add_month(page *p) {
  char month[SV_RELEASE_ID_MAX];
  sv_month_text(p->r->month, month);
  json_object_set_new(
      p->top, "month",
      json_pack("{s:s, s:o, s:o, s:o}", "month", month, "days_week",
                cell_json(cell_of(p->r, "tech_days_week", 0, 0, false, p->network)), "incidents",
                cell_json(cell_of(p->r, "tech_incidents", 0, 0, false, p->network)), "days_total",
                cell_json(cell_of(p->r, "tech_days_total", 0, 0, false, p->network))));
}

static void add_release(page *p) {
  char id[SV_RELEASE_ID_MAX], hash[2 * OV_HASH_BYTES + 1];
  sv_release_id(p->r->number, id);
  ov_hex(p->r->hash.b, OV_HASH_BYTES, hash);
  json_object_set_new(p->top, "release", json_pack("{s:s, s:s}", "id", id, "hash", hash));
}

int rel_page(const sv_release *r, const ov_schemas *schemas, unsigned network, json_t *barriers,
             ov_buf *out) {
  page p = {.r = r, .schemas = schemas, .network = network, .top = json_object()};
  add_release(&p);
  add_paired(&p);
  add_goals(&p);
  add_month(&p);
  json_object_set(p.top, "barriers", barriers);
  char *text = sv_json_text(p.top, JSON_COMPACT);
  if (text) exp_put(out, text);
  json_decref(p.top);
  free(text);
  return text ? out->err : OV_E_NOMEM;
}

/* -- written down, and read again ------------------------------------------------------------------------ */

static int load_json(sv_txn *t, uint32_t number, uint32_t part, json_t **out) {
  ov_buf b;
  ov_buf_init(&b, 0);
  int err = sv_release_get(t, number, part, &b);
  *out = err ? NULL : json_loadb((const char *)b.p, b.n, 0, NULL);
  if (!err && !*out) err = OV_E_CORRUPT;
  ov_buf_free(&b);
  return err;
}

int rel_page_load(sv_txn *t, uint32_t number, unsigned network, json_t **out) {
  return load_json(t, number, PART_PAGE + network, out);
}

int rel_about_load(sv_txn *t, uint32_t number, json_t **out) { return load_json(t, number, PART_ABOUT, out); }
