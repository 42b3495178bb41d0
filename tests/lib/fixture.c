/* The world, organisations and administration; fixture_tablet.c has the tablets, fixture_look.c what tests
 * read. */
#include "fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sv_schema_json.h"

_Noreturn void fx_die(const char *file, int line, const char *what, int err) {
  fprintf(stderr, "%s:%d: %s failed%s%s\n", file, line, what, err ? ": " : "", err ? ov_err_slug(err) : "");
  abort();
}

/* -- the world --------------------------------------------------------------------------------- */

static int64_t now_ms(void *ctx) { return ((fx_world *)ctx)->now_ms; }

/* splitmix64: small, and good enough to make distinct bytes. */
static int random_bytes(void *ctx, void *p, size_t n) {
  fx_world *w = ctx;
  uint8_t *out = p;
  for (size_t i = 0; i < n; i++) {
    uint64_t z = (w->random += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    out[i] = (uint8_t)(z ^ z >> 31);
  }
  return 0;
}

static void log_line(void *ctx, int level, const char *event, const char *fields) {
  (void)event;
  (void)fields;
  if (level >= SV_LOG_WARN) ((fx_world *)ctx)->warnings++;
}

static void load_schemas(fx_world *w) {
  sv_schema_json_set *set = NULL;
  w->schemas = ov_schemas_new();
  FX_MUST(w->schemas);
  FX_OK(sv_schema_json_load_dir(OV_SOURCE_DIR "/proto/schema", NULL, NULL, &set));
  for (size_t i = 0; i < sv_schema_json_count(set); i++) {
    const sv_schema_json_kind *k = sv_schema_json_at(set, i);
    FX_OK(ov_schemas_add(w->schemas, k->bytes, k->n, NULL));
  }
  sv_schema_json_free(set);
}

void fx_open(fx_world *w, uint64_t seed) {
  memset(w, 0, sizeof *w);
  w->now_ms = FX_START_MS;
  w->random = seed;
  w->sys = (sv_sys){.now_ms = now_ms, .mono_ms = now_ms, .random = random_bytes, .log = log_line, .ctx = w};
  random_bytes(w, w->master, sizeof w->master);
  const char *tmp = getenv("TMPDIR");
  snprintf(w->dir, sizeof w->dir, "%s/overdracht-test-XXXXXX", tmp ? tmp : "/tmp");
  FX_MUST(mkdtemp(w->dir));
  ov_arena_init(&w->arena, 1u << 30);
  w->hasher = ov_hasher_new();
  FX_MUST(w->hasher);
  load_schemas(w);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)st;
  (void)type;
  (void)at;
  return remove(path);
}

void fx_close(fx_world *w) {
  nftw(w->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  ov_schemas_free(w->schemas);
  ov_hasher_free(w->hasher);
  ov_arena_free(&w->arena);
}

/* -- organisations ----------------------------------------------------------------------------- */

const char *fx_data(fx_world *w) {
  char *path = ov_arena_alloc(&w->arena, 256);
  FX_MUST(path);
  snprintf(path, 256, "%s/data%u", w->dir, w->n_data++);
  return path;
}

sv_org_options fx_org_options(fx_world *w, const char *data) {
  return (sv_org_options){
      .data = data, .master = w->master, .sys = &w->sys, .schemas = w->schemas, .map_bytes = w->map_bytes};
}

static sv_org *create(fx_world *w, const char *data, const ov_id *id, const char *name) {
  char why[OV_ERROR_TEXT_MAX] = "";
  sv_org *org = NULL;
  sv_org_options o = fx_org_options(w, data);
  int err = sv_org_create(&o, id, name, "Europe/Amsterdam", &org, why);
  if (err) fx_die(__FILE__, __LINE__, why, err);
  return org;
}

sv_org *fx_org(fx_world *w, const char *data, const char *name) {
  return create(w, data, &(ov_id){{0}}, name);
}

sv_org *fx_programme(fx_world *w, const char *data) { return create(w, data, &sv_programme_id, "Programme"); }

static void copy_file(const char *from, const char *to) {
  char buf[65536];
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
  ssize_t n;
  FX_MUST(in >= 0 && out >= 0);
  while ((n = read(in, buf, sizeof buf)) > 0) FX_MUST(write(out, buf, (size_t)n) == n);
  FX_MUST(n == 0);
  close(in);
  close(out);
}

static const char *path_of(fx_world *w, const char *folder, const char *tail) {
  size_t n = strlen(folder) + strlen(tail) + 1;
  char *p = ov_arena_alloc(&w->arena, n);
  FX_MUST(p);
  snprintf(p, n, "%s%s", folder, tail);
  return p;
}

/* The folder an open organisation lies in: among those of this world, the one that holds its id. */
static const char *folder_of(fx_world *w, const sv_org *org, unsigned *from) {
  static char path[512];
  char data[256];
  struct stat st;
  for (; *from < w->n_data; (*from)++) {
    snprintf(data, sizeof data, "%s/data%u", w->dir, *from);
    FX_OK(sv_org_path(data, &org->id, path, sizeof path));
    if (!stat(path, &st)) return path;
  }
  return NULL;
}

static void copy_epoch(fx_world *w, unsigned at, const char *data, const ov_id *id) {
  char old[256], from[512], to[512];
  snprintf(old, sizeof old, "%s/data%u", w->dir, at);
  FX_OK(sv_org_epoch_path(old, id, from, sizeof from));
  FX_OK(sv_org_epoch_path(data, id, to, sizeof to));
  FX_MUST(!mkdir(path_of(w, data, "/epochs"), 0700));
  copy_file(from, to);
}

sv_org *fx_org_copy(fx_world *w, sv_org *org) {
  char why[OV_ERROR_TEXT_MAX] = "", to[512];
  unsigned at = 0;
  const char *data = fx_data(w), *from = folder_of(w, org, &at);
  sv_org *copy = NULL;
  FX_MUST(from);
  FX_MUST(!mkdir(data, 0700) && !mkdir(path_of(w, data, "/orgs"), 0700));
  FX_OK(sv_org_path(data, &org->id, to, sizeof to));
  FX_MUST(!mkdir(to, 0700));
  FX_OK(sv_keyring_save(org->keyring));
  FX_OK(sv_env_copy(org->env, path_of(w, to, "/data.mdb")));
  copy_file(path_of(w, from, "/format"), path_of(w, to, "/format"));
  copy_file(path_of(w, from, ".keyring"), path_of(w, to, ".keyring"));
  copy_epoch(w, at, data, &org->id);
  sv_org_options o = fx_org_options(w, data);
  int err = sv_org_open(&o, &org->id, &copy, why);
  if (err) fx_die(__FILE__, __LINE__, why, err);
  FX_OK(sv_org_new_writer(copy));
  return copy;
}

/* -- administration ---------------------------------------------------------------------------- */

ov_name fx_local(fx_world *w, sv_org *org, ov_op op, sv_touches *touches) {
  sv_txn *t = NULL;
  ov_name name = {0};
  int err;
  do {
    if (touches) sv_touches_free(touches);
    ov_op again = op;
    FX_OK(sv_txn_write(org->env, &t));
    err = sv_ingest_local(t, org, &again, &w->arena, touches, &name);
    if (err && err != OV_E_MAPFULL) fx_die(__FILE__, __LINE__, "sv_ingest_local", err);
    err = sv_txn_commit(t);
  } while (err == OV_E_MAPFULL);
  FX_OK(err);
  return name;
}

ov_field fx_text(uint16_t id, const char *text) { return (ov_field){id, ov_text(text)}; }

static ov_value *ints(fx_world *w, const int64_t *v, uint32_t n) {
  ov_value *out = ov_arena_array(&w->arena, n + 1u, sizeof *out);
  FX_MUST(out);
  for (uint32_t i = 0; i < n; i++) out[i] = ov_int(v[i]);
  return out;
}

ov_field fx_set(fx_world *w, uint16_t id, const int64_t *add, uint32_t n_add, const int64_t *del,
                uint32_t n_del) {
  ov_field f = {.id = id, .v = {.type = OV_V_SET}};
  f.v.set.add = ints(w, add, n_add);
  f.v.set.n_add = n_add;
  f.v.set.del = ints(w, del, n_del);
  f.v.set.n_del = n_del;
  return f;
}

ov_field fx_ref(fx_world *w, uint16_t id, const ov_name *name) {
  uint8_t *b = ov_arena_alloc(&w->arena, OV_NAME_BYTES);
  FX_MUST(b);
  ov_name_write(name, b);
  return (ov_field){id, ov_bytes(b, OV_NAME_BYTES)};
}

static ov_field team_set(fx_world *w, uint16_t id, const uint32_t *teams, uint32_t n) {
  int64_t v[OV_SCOPES_MAX];
  for (uint32_t i = 0; i < n; i++) v[i] = teams[i];
  return fx_set(w, id, v, n, NULL, 0);
}

uint32_t fx_team(fx_world *w, sv_org *org, const char *name) {
  sv_txn *t = NULL;
  uint32_t scope = 0;
  FX_OK(sv_txn_write(org->env, &t));
  FX_OK(sv_org_next_scope(t, &scope));
  FX_OK(sv_txn_commit(t));
  ov_field f[] = {fx_text(SV_TEAM_NAME, name), FX_INT(SV_TEAM_SCOPE, scope), FX_INT(SV_TEAM_ACTIVE, 1)};
  fx_local(
      w, org,
      (ov_op){
          .scope = scope, .creates = true, .kind = OV_KIND_TEAM, .version = 1, .fields = f, .n_fields = 3},
      NULL);
  return scope;
}

ov_name fx_team_record(fx_world *w, sv_org *org, uint32_t scope) {
  sv_txn *t = NULL;
  sv_scope s;
  (void)w;
  FX_OK(sv_txn_read(org->env, &t));
  FX_OK(sv_scope_get(t, scope, &s));
  sv_txn_abort(t);
  return s.record;
}

ov_name fx_person(fx_world *w, sv_org *org, const char *name, const uint32_t *teams, uint32_t n) {
  ov_field f[] = {fx_text(SV_PERSON_NAME, name), FX_INT(SV_PERSON_ROLE, 1),
                  team_set(w, SV_PERSON_TEAMS, teams, n), FX_INT(SV_PERSON_ACTIVE, 1)};
  return fx_local(
      w, org,
      (ov_op){.scope = 1, .creates = true, .kind = OV_KIND_PERSON, .version = 1, .fields = f, .n_fields = 4},
      NULL);
}

void fx_role(fx_world *w, sv_org *org, const ov_name *person, int role) {
  ov_field f[] = {FX_INT(SV_PERSON_ROLE, role)};
  fx_change(w, org, person, f, 1);
}

ov_name fx_participant(fx_world *w, sv_org *org, const char *label, const uint32_t *teams, uint32_t n) {
  ov_field f[] = {fx_text(SV_PARTICIPANT_LABEL, label), team_set(w, SV_PARTICIPANT_TEAMS, teams, n)};
  ov_op op = {.scope = n ? teams[0] : 2,
              .creates = true,
              .kind = OV_KIND_PARTICIPANT,
              .version = 1,
              .fields = f,
              .n_fields = 2};
  return fx_local(w, org, op, NULL);
}

ov_name fx_change(fx_world *w, sv_org *org, const ov_name *record, ov_field *fields, uint32_t n) {
  sv_record_row row;
  ov_name *all = ov_arena_array(&w->arena, OV_OP_REPLACES_MAX, sizeof *all), *names;
  uint32_t n_all = 0, k = 0;
  FX_MUST(all && fx_record(w, org, record, &row));
  for (uint32_t i = 0; i < n; i++) {
    FX_OK(ov_record_replaces(&row.rec, fields[i].id, &w->arena, &names, &k));
    for (uint32_t j = 0; j < k; j++) {
      uint32_t at = n_all;
      while (at && ov_name_compare(&all[at - 1], &names[j]) > 0) at--;
      if (at && ov_name_equal(&all[at - 1], &names[j])) continue;
      memmove(&all[at + 1], &all[at], (n_all - at) * sizeof *all);
      all[at] = names[j];
      n_all++;
    }
  }
  ov_op op = {.scope = row.rec.scope,
              .record = *record,
              .kind = row.rec.kind,
              .version = 1,
              .fields = fields,
              .n_fields = n,
              .replaces = all,
              .n_replaces = n_all,
              .has_participant = row.rec.has_participant,
              .participant = row.rec.participant};
  if (row.rec.kind == OV_KIND_PARTICIPANT) {
    op.has_participant = true;
    op.participant = *record;
  }
  return fx_local(w, org, op, NULL);
}

void fx_rule(fx_world *w, sv_org *org, const ov_name *target, int verdict) {
  sv_txn *t = NULL;
  FX_OK(sv_txn_write(org->env, &t));
  FX_OK(sv_ingest_ruling(t, org, target, verdict, "seen", NULL, &w->arena, NULL));
  FX_OK(sv_txn_commit(t));
}

int fx_erase_write(void *ctx, sv_org *org, sv_erase_work work, void *arg) {
  sv_txn *t = NULL;
  ov_arena a;
  (void)ctx;
  ov_arena_init(&a, 256u << 20);
  int err = sv_txn_write(org->env, &t);
  if (!err) {
    err = work(arg, t, &a, NULL);
    if (err) sv_txn_abort(t);
    else err = sv_txn_commit(t);
  }
  ov_arena_free(&a);
  return err;
}
