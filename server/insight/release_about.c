/* What the list of releases says of one, and what changed since the one before: written down when it is made,
 * so that a list costs one short read a release. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "export_priv.h"
#include "sv_json.h"

typedef struct about {
  const sv_release *r, *before; /* before: NULL, or the release this one is compared with */
  const ov_schemas *schemas;
} about;

static json_t *breakdowns_json(const sv_release *r) {
  json_t *by = json_array();
  for (unsigned b = 0; b < SV_BY_COUNT; b++) {
    if (r->breakdowns >> b & 1) json_array_append_new(by, json_string(sv_breakdown_name((sv_breakdown)b)));
  }
  return by;
}

static json_t *datasets_json(void) {
  json_t *all = json_object();
  for (unsigned d = 0; sv_export_dataset_at(d); d++) {
    const char *name = sv_export_dataset_at(d);
    json_t *formats = json_array();
    for (unsigned f = 0; f < SV_FORMAT_COUNT; f++) {
      const char *format = sv_format_name((sv_format)f);
      if (sv_export_has(name, (sv_format)f)) json_array_append_new(formats, json_string(format));
    }
    json_object_set_new(all, name, formats);
  }
  return all;
}

/* -- what changed ---------------------------------------------------------------------------------------- */

static const char *dataset_of(const sv_cell *c) {
  const sv_measure *m = sv_measure_by_id(c->measure);
  return c->paired ? "paired" : m ? sv_family_name(m->family) : "";
}

static const sv_cell *same_cell(const sv_release *r, const sv_cell *c) {
  for (uint32_t i = 0; i < r->cells.n; i++) {
    if (sv_cell_same(&r->cells.v[i], c)) return &r->cells.v[i];
  }
  return NULL;
}

static bool is_told(const sv_release *r, const sv_cell *c) {
  const sv_cell *other = r ? same_cell(r, c) : NULL;
  return other && other->hidden == SV_SHOWN;
}

static unsigned told_not_in(const sv_release *r, const sv_release *other, const char *dataset) {
  unsigned n = 0;
  for (uint32_t i = 0; i < r->cells.n; i++) {
    const sv_cell *c = &r->cells.v[i];
    n += c->hidden == SV_SHOWN && !strcmp(dataset_of(c), dataset) && !is_told(other, c);
  }
  return n;
}

static unsigned told_in(const sv_release *r, const char *dataset) { return told_not_in(r, NULL, dataset); }

/* Cells told, told anew and told no more, by dataset. A supplement adds and replaces nothing. */
static json_t *cells_json(const about *a) {
  json_t *all = json_object();
  bool adds = a->r->month == a->before->month;
  for (unsigned d = 0; sv_export_dataset_at(d); d++) {
    const char *name = sv_export_dataset_at(d);
    if (!sv_export_has(name, SV_FORMAT_SAV)) continue;
    json_object_set_new(all, name,
                        json_pack("{s:i, s:i, s:i}", "told", (int)told_in(a->r, name), "new",
                                  (int)told_not_in(a->r, a->before, name), "gone",
                                  adds ? 0 : (int)told_not_in(a->before, a->r, name)));
  }
  return all;
}

static json_t *networks_json(const about *a) {
  json_t *list = json_array();
  for (unsigned g = 1; g <= SV_GROUP_MAX; g++) {
    const sv_network *now = &a->r->networks[g], *was = &a->before->networks[g];
    const char *what = now->type && !was->type                                  ? "new"
                       : !now->type && was->type                                ? "gone"
                       : now->type != was->type || strcmp(now->name, was->name) ? "changed"
                                                                                : NULL;
    if (what)
      json_array_append_new(list, json_pack("{s:i, s:s, s:s}", "number", (int)g, "name",
                                            now->type ? now->name : was->name, "what", what));
  }
  return list;
}

static bool has_measure(const sv_release *r, uint16_t id) {
  for (uint32_t i = 0; i < r->cells.n; i++) {
    if (r->cells.v[i].measure == id) return true;
  }
  return false;
}

static json_t *measures_json(const about *a) {
  json_t *list = json_array();
  for (unsigned i = 0; sv_measure_at(i); i++) {
    const sv_measure *m = sv_measure_at(i);
    bool now = has_measure(a->r, m->id), was = has_measure(a->before, m->id);
    if (now != was)
      json_array_append_new(list, json_pack("{s:s, s:s}", "name", m->name, "what", now ? "new" : "gone"));
  }
  return list;
}

/* Versions of the forms that measures are made of. */
static json_t *forms_json(const ov_schemas *schemas) {
  json_t *all = json_object();
  for (unsigned f = 1; f < SV_FAM_END; f++) {
    const ov_skind *k = ov_schemas_kind(schemas, sv_family_kind(f));
    if (k) json_object_set_new(all, k->name, json_integer(k->version));
  }
  return all;
}

static json_t *form_changes(json_t *now, json_t *before) {
  json_t *list = json_array(), *v;
  const char *kind;
  json_object_foreach(now, kind, v) {
    json_int_t was = json_integer_value(json_object_get(before, kind));
    if (was && was != json_integer_value(v))
      json_array_append_new(list, json_pack("{s:s, s:I, s:O}", "form", kind, "from", was, "to", v));
  }
  return list;
}

static json_t *changed_json(const about *a, json_t *forms, json_t *about_before) {
  char since[SV_RELEASE_ID_MAX];
  if (!a->before) return json_null();
  sv_release_id(a->before->number, since);
  return json_pack("{s:s, s:o, s:o, s:o, s:o}", "since", since, "cells", cells_json(a), "networks",
                   networks_json(a), "measures", measures_json(a), "forms",
                   form_changes(forms, json_object_get(about_before, "forms")));
}

/* -- the whole ------------------------------------------------------------------------------------------- */

static json_t *release_json(const about *a, json_t *about_before) {
  char id[SV_RELEASE_ID_MAX], month[SV_RELEASE_ID_MAX], hash[2 * OV_HASH_BYTES + 1], made[24] = "",
                                                                                     citation[160];
  const sv_release *r = a->r;
  time_t at = (time_t)(r->made_ms / 1000);
  struct tm tm;
  uint32_t told = 0;
  sv_release_id(r->number, id);
  sv_month_text(r->month, month);
  ov_hex(r->hash.b, OV_HASH_BYTES, hash);
  if (gmtime_r(&at, &tm)) strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", &tm);
  snprintf(citation, sizeof citation, "overdracht, release %s, %.10s, sha256 %.16s", id, made, hash);
  for (uint32_t i = 0; i < r->cells.n; i++) told += r->cells.v[i].hidden == SV_SHOWN;
  json_t *forms = forms_json(a->schemas);
  return json_pack("{s:s, s:s, s:s, s:o, s:i, s:i, s:s, s:s, s:o, s:o, s:o}", "id", id, "month", month,
                   "made", made, "breakdowns", breakdowns_json(r), "cells", (int)r->cells.n, "told",
                   (int)told, "hash", hash, "citation", citation, "datasets", datasets_json(), "changed",
                   changed_json(a, forms, about_before), "forms", forms);
}

/* A month is compared with the newest month before it, a supplement with its month's first release. */
static int find_before(sv_org *programme, uint32_t number, uint32_t *before) {
  uint32_t *all = malloc(RELEASES_MAX * sizeof *all), n = 0;
  int err = all ? sv_release_list(programme, all, RELEASES_MAX, &n) : OV_E_NOMEM;
  *before = 0;
  for (uint32_t i = 0; !err && i < n && all[i] < number; i++) {
    if (all[i] % 16 == 0) *before = all[i];
  }
  free(all);
  return err;
}

static int load_before(sv_org *programme, uint32_t number, sv_release **r, json_t **text) {
  uint32_t before;
  sv_txn *t = NULL;
  int err = find_before(programme, number, &before);
  if (err || !before) return err;
  err = sv_release_load(programme, before, r);
  if (!err) err = sv_txn_read(programme->env, &t);
  if (!err) err = rel_about_load(t, before, text);
  sv_txn_abort(t);
  return err;
}

int rel_about(sv_org *programme, const sv_release *r, ov_buf *out) {
  about a = {.r = r, .schemas = programme->schemas};
  sv_release *before = NULL;
  json_t *about_before = NULL;
  int err = load_before(programme, r->number, &before, &about_before);
  a.before = before;
  json_t *j = err ? NULL : release_json(&a, about_before);
  char *text = sv_json_text(j, JSON_COMPACT);
  if (text) exp_put(out, text);
  else if (!err) err = OV_E_NOMEM;
  free(text);
  json_decref(j);
  json_decref(about_before);
  sv_release_free(before);
  return err ? err : out->err;
}
