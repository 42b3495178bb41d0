/* The page put together: of a release what was written down with it, of today what people share. */
#include "sv_network_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_priv.h"
#include "sv_json.h"

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
    move(p->top, j, "barriers");
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
    char *text = sv_json_text(p->top, JSON_COMPACT);
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
  return err ? err : page_add_records(p);
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
