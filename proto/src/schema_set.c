#include "ov/schema.h"

#include <stdlib.h>
#include <string.h>

#include "schema_parts.h"

/* A kind as loaded once. Replaced ones stay in the list, since others may point to them. */
typedef struct loaded {
  struct loaded *next;
  ov_arena arena;
  ov_skind kind;
} loaded;

struct ov_schemas {
  loaded *all;
  uint32_t loads;
  const ov_skind *kinds[OV_SCHEMA_KINDS_MAX]; /* newest versions, ascending ids */
  uint32_t n;
};

/* PROTO-26 */
const ov_sfield ov_schema_retraction = {
    .id = OV_FIELD_RETRACTED,
    .name = "retracted",
    .type = OV_F_TEXT,
    .nl = "Fout ingevoerd",
    .en = "Entered in error",
    .max_length = OV_RETRACTION_BYTES_MAX,
    .unit = NULL,
};

/* The one kind that cannot come as data: it carries the others. */
static const ov_sfield schema_fields[] = {
    {.id = OV_SCHEMA_FIELD_KIND,
     .name = "kind_id",
     .type = OV_F_INT,
     .nl = "Soort",
     .en = "Kind",
     .required = true,
     .has_lo = true,
     .has_hi = true,
     .lo = OV_KIND_SCHEMA + 1,
     .hi = OV_KIND_ID_MAX},
    {.id = OV_SCHEMA_FIELD_VERSION,
     .name = "version",
     .type = OV_F_INT,
     .nl = "Versie",
     .en = "Version",
     .required = true,
     .has_lo = true,
     .has_hi = true,
     .lo = 1,
     .hi = UINT16_MAX},
    {.id = OV_SCHEMA_FIELD_BODY,
     .name = "body",
     .type = OV_F_BYTES,
     .nl = "Inhoud",
     .en = "Body",
     .required = true,
     .max_length = OV_SCHEMA_BYTES_MAX},
};
static const uint16_t schema_key[] = {OV_SCHEMA_FIELD_KIND, OV_SCHEMA_FIELD_VERSION};
static const ov_skind schema_kind = {
    .id = OV_KIND_SCHEMA,
    .version = 1,
    .name = "schema",
    .scope = 0,
    .participant = OV_P_NONE,
    .natural_key = schema_key,
    .n_natural_key = 2,
    .nl = "Formulier",
    .en = "Schema",
    .fields = schema_fields,
    .n_fields = 3,
};

ov_schemas *ov_schemas_new(void) {
  ov_schemas *s = calloc(1, sizeof *s);
  if (s) s->kinds[s->n++] = &schema_kind;
  return s;
}

static void loaded_free(loaded *k) {
  ov_arena_free(&k->arena);
  free(k);
}

void ov_schemas_free(ov_schemas *s) {
  if (!s) return;
  for (loaded *k = s->all, *next; k; k = next) {
    next = k->next;
    loaded_free(k);
  }
  free(s);
}

/* Place of a kind id among the newest, or where it belongs. */
static uint32_t place_of(const ov_schemas *s, uint16_t id) {
  uint32_t i = 0;
  while (i < s->n && s->kinds[i]->id < id) i++;
  return i;
}

static void check_against(ov_loader *l, const ov_schemas *s, const ov_skind *older) {
  const ov_skind *same_name = ov_schemas_by_name(s, l->kind->name);
  if (same_name && same_name->id != l->kind->id)
    ov_loader_refuse(l, OV_E_FORMAT, "name is taken by kind %d", same_name->id);
  else if (!older && s->n == OV_SCHEMA_KINDS_MAX)
    ov_loader_refuse(l, OV_E_LIMIT, "there are %u kinds already, the most", OV_SCHEMA_KINDS_MAX);
  else if (s->loads >= OV_SCHEMA_LOADS_MAX)
    ov_loader_refuse(l, OV_E_LIMIT, "%u kinds and versions have been loaded, the most", OV_SCHEMA_LOADS_MAX);
  for (const loaded *k = s->all; k; k = k->next)
    if (k->kind.id == l->kind->id) ov_schema_check_newer(l, &k->kind);
}

static void insert(ov_schemas *s, loaded *k, uint32_t place, bool replaces) {
  k->next = s->all;
  s->all = k;
  s->loads++;
  if (!replaces) {
    memmove(&s->kinds[place + 1], &s->kinds[place], (s->n - place) * sizeof *s->kinds);
    s->n++;
  }
  s->kinds[place] = &k->kind;
}

int ov_schemas_add(ov_schemas *s, const uint8_t *p, size_t n, char *why) {
  loaded *k = calloc(1, sizeof *k);
  if (why) why[0] = 0;
  if (!k) return OV_E_NOMEM;
  ov_arena_init(&k->arena, OV_SCHEMA_ARENA_BYTES_MAX);
  ov_loader l = {.a = &k->arena, .kind = &k->kind, .why = why};
  int err = ov_schema_read(&l, p, n);
  if (err) goto drop;
  uint32_t place = place_of(s, k->kind.id);
  const ov_skind *older = place < s->n && s->kinds[place]->id == k->kind.id ? s->kinds[place] : NULL;
  if (older && k->kind.version <= older->version) goto drop;
  check_against(&l, s, older);
  err = l.err;
  if (err) goto drop;
  insert(s, k, place, older != NULL);
  return 0;
drop:
  loaded_free(k);
  return err;
}

const ov_skind *ov_schemas_kind(const ov_schemas *s, uint16_t id) {
  uint32_t at = place_of(s, id);
  return at < s->n && s->kinds[at]->id == id ? s->kinds[at] : NULL;
}

const ov_skind *ov_schemas_by_name(const ov_schemas *s, const char *name) {
  for (uint32_t i = 0; i < s->n; i++)
    if (strcmp(s->kinds[i]->name, name) == 0) return s->kinds[i];
  return NULL;
}

const ov_skind *ov_schemas_at(const ov_schemas *s, uint32_t i) { return i < s->n ? s->kinds[i] : NULL; }

const ov_sfield *ov_skind_field(const ov_skind *k, uint16_t id) {
  for (uint32_t i = 0; i < k->n_fields; i++)
    if (k->fields[i].id == id) return &k->fields[i];
  return id == OV_FIELD_RETRACTED ? &ov_schema_retraction : NULL;
}

const ov_sfield *ov_skind_by_name(const ov_skind *k, const char *name) {
  for (uint32_t i = 0; i < k->n_fields; i++)
    if (strcmp(k->fields[i].name, name) == 0) return &k->fields[i];
  return strcmp(name, ov_schema_retraction.name) == 0 ? &ov_schema_retraction : NULL;
}
