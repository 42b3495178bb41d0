/* One record as JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "query.h"

static json_t *text_or_null(const char *text) { return text && *text ? json_string(text) : json_null(); }

static json_t *value_json(const oc_record *r, const oc_value_view *v) {
  char at[OC_MOMENT_TEXT];
  oc_moment_raw(r->q->s->zone, v->time, at);
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:b, s:b, s:b}", "field", v->field, "label_nl",
                   v->label_nl, "label_en", v->label_en, "value", v->raw, "text_nl", v->text_nl, "text_en",
                   v->text_en, "author", text_or_null(v->author), "time", at, "conflict", v->conflict,
                   "clock_suspect", v->clock_suspect, "unsent", v->unsent);
}

static json_t *list_of(const char *commas) {
  json_t *list = json_array();
  while (list && *commas) {
    size_t n = strcspn(commas, ",");
    if (json_array_append_new(list, json_stringn(commas, n))) {
      json_decref(list);
      return NULL;
    }
    commas += n + (commas[n] == ',');
  }
  return list;
}

static json_t *values_json(const oc_record *r) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < r->n_values; i++) {
    if (!json_array_append_new(list, value_json(r, &r->values[i]))) continue;
    json_decref(list);
    return NULL;
  }
  return list;
}

static json_t *record_json(const oc_record *r) {
  static const char *const states[] = {
      [OC_ON_DEVICE] = "device", [OC_ON_SERVER] = "server", [OC_SAFE] = "safe"};
  char day[OC_MOMENT_TEXT] = "", participant[OV_NAME_TEXT_MAX] = "";
  const ov_skind *k = ov_schemas_by_name(r->q->s->schemas, r->kind);
  if (k && k->occurred) oc_date_text(r->day, false, day);
  if (r->has_participant) ov_name_text(&r->participant_name, participant);
  return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:b, s:b, s:i, s:o, s:o, s:o, s:o, s:o}", "id",
                   r->id, "kind", r->kind, "label_nl", r->label_nl, "label_en", r->label_en, "participant",
                   text_or_null(r->participant), "participant_id", text_or_null(participant), "day",
                   text_or_null(day), "state", states[r->own ? r->state : OC_ON_SERVER], "own", r->own,
                   "retracted", r->retracted, "conflicts", (int)r->conflicts, "attention",
                   text_or_null(r->attention_en), "attention_nl", text_or_null(r->attention_nl), "missing",
                   list_of(r->missing), "double", text_or_null(r->twin), "values", values_json(r));
}

const char *oc_record_json(const oc_record *r) {
  if (r->json) return r->json;
  char *text = oc_json_text(record_json(r), JSON_COMPACT);
  const char *kept = text ? oc_fmt(&r->q->a, "%s", text) : NULL;
  free(text);
  ((oc_record *)(uintptr_t)r)->json = kept; /* records are made by their query, which owns them */
  return kept ? kept : "{}";
}
