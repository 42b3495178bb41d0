/* The server of a world: data, restarts, backups, and what administrators do. */
#include "sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "publish.h"

int64_t sim_server_ms(const sim *w) { return w->true_ms + w->server_off_ms; }
static int64_t wall(void *ctx) { return sim_server_ms(ctx); }
static int64_t mono(void *ctx) { return ((sim *)ctx)->true_ms; }

/* Storage faults come in through here: nothing is stored without a nonce. */
static int random_bytes(void *ctx, void *p, size_t n) {
  sim *w = ctx;
  if (w->failing) return OV_E_CRYPTO;
  if (w->in_net && w->fail_in >= 0 && w->fail_in-- == 0) {
    w->failing = !w->fail_once;
    return OV_E_CRYPTO;
  }
  sim_rng r = {w->fx.random};
  uint8_t *out = p;
  for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(sim_u64(&r) >> 24);
  w->fx.random = r.state;
  return 0;
}

static void log_line(void *ctx, int level, const char *event, const char *fields) {
  if (level >= SV_LOG_WARN) sim_say(ctx, "   server log: %s %s", event, fields);
}

static void wake(void *ctx) { (void)ctx; }

void sim_server_start(sim *w) {
  static const char *const names[] = {SIM_HOST};
  sv_server_options o = {.sys = &w->fx.sys,
                         .names = names,
                         .n_names = 1,
                         .programme = w->programme,
                         .schemas = w->fx.schemas,
                         .wake = wake};
  FX_OK(sv_server_new(&o, &w->server));
  FX_OK(sv_server_add_org(w->server, w->org));
}

void sim_changed(sim *w) {
  uint32_t all[SIM_TEAMS + 1] = {1}, zero = 0;
  for (unsigned i = 0; i < SIM_TEAMS; i++) all[i + 1] = w->scopes[i];
  sv_server_changed(w->server, w->org, all, SIM_TEAMS + 1);
  sv_server_changed(w->server, w->programme, &zero, 1);
}

/* -- schemas --------------------------------------------------------------------------------------------- */

static void wrong_schema(void *ctx, const char *file, const char *where, const char *text) {
  (void)ctx;
  fprintf(stderr, "%s: %s: %s\n", file, where, text);
}

static void publish_folder(sim *w, const char *dir) {
  sv_schema_json_set *set = NULL;
  char why[OV_ERROR_TEXT_MAX] = "";
  FX_OK(sv_schema_json_load_dir(dir, wrong_schema, NULL, &set));
  for (size_t i = 0; i < sv_schema_json_count(set); i++) {
    const sv_schema_json_kind *k = sv_schema_json_at(set, i);
    FX_OK(ov_schemas_add(w->fx.schemas, k->bytes, k->n, NULL));
  }
  int err = sv_publish_schemas(w->programme, set, why);
  if (err) fx_die(__FILE__, __LINE__, why, err);
  sv_schema_json_free(set);
}

/* A kind that tablets write before the server knows it, and whose next version brings one more field each
 * time. */
void sim_publish(sim *w) {
  char dir[200], file[240];
  if (w->newest_schema == 4) return;
  w->newest_schema++;
  snprintf(dir, sizeof dir, "%s/schema%lld", w->dir, (long long)w->newest_schema);
  snprintf(file, sizeof file, "%s/extra.json", dir);
  FX_MUST(!mkdir(dir, 0700));
  FILE *f = fopen(file, "w");
  FX_MUST(f);
  fprintf(f,
          "{\"kind\": \"extra\", \"id\": 3900, \"version\": %lld, \"label\": {\"nl\": \"Extra\", \"en\": "
          "\"Extra\"}, \"scope\": \"team\",\n"
          "\"participant\": \"optional\", \"windowed\": false, \"fields\": [",
          (long long)w->newest_schema);
  for (int64_t i = 0; i < w->newest_schema; i++)
    fprintf(f,
            "%s{\"id\": %d, \"name\": \"extra_%d\", \"type\": \"int\", \"label\": {\"nl\": \"E\", \"en\": "
            "\"E\"}, \"range\": [0, 9]}",
            i ? ",\n" : "", (int)(10 + i), (int)i);
  fprintf(f, "]}\n");
  fclose(f);
  publish_folder(w, dir);
  sim_changed(w);
}

/* -- life ------------------------------------------------------------------------------------------------ */

static void first_records(sim *w) {
  static const char *const teams[] = {"Noord", "Zuid", "West"};
  fx_world *fx = &w->fx;
  sim_admin *a = &w->admin;
  for (unsigned i = 0; i < SIM_TEAMS; i++) w->scopes[i] = fx_team(fx, w->org, teams[i]);
  a->n_people = SIM_PEOPLE;
  for (unsigned i = 0; i < SIM_PEOPLE; i++) {
    uint32_t bits = i < 2 ? 7 : 1u << (i % SIM_TEAMS) | (i & 1 ? 1u << ((i + 1) % SIM_TEAMS) : 0),
             v[SIM_TEAMS], n = 0;
    for (unsigned k = 0; k < SIM_TEAMS; k++)
      if (bits >> k & 1) v[n++] = w->scopes[k];
    a->people[i] = (sim_person){fx_person(fx, w->org, "Begeleider", v, n), bits, true, SV_ROLE_CARE_STAFF};
    w->person_ever[i] = bits;
    w->role_ever[i] = 1u << SV_ROLE_CARE_STAFF;
  }
  sim_set_role(w, 1, SV_ROLE_PROJECT_LEAD);
  for (unsigned i = 0; i < 5; i++) {
    unsigned home = i % SIM_TEAMS;
    ov_name name = fx_participant(fx, w->org, "Bewoner", &w->scopes[home], 1);
    w->participant_ever[a->n_participants] = 1u << home;
    a->participants[a->n_participants++] = (sim_participant){name, 1u << home, home, true, false};
  }
}

/* The organisation of some seeds protects its tablets strictly. Nothing is drawn for it, so that the
 * histories of the others stay as they are. */
static void protect(sim *w) {
  ov_name *names = NULL, org;
  sv_txn *t = NULL;
  uint32_t n = 0;
  if (w->o.seed % 16 < 9 || w->o.seed % 16 > 11) return;
  FX_OK(sv_txn_read(w->org->env, &t));
  FX_OK(sv_by_kind_day(t, OV_KIND_ORGANISATION, INT32_MIN, INT32_MAX, &w->fx.arena, &names, 1, &n));
  FX_MUST(n == 1);
  org = names[0];
  sv_txn_abort(t);
  ov_field f[] = {FX_INT(SV_ORGANISATION_STRICT, 1)};
  fx_change(&w->fx, w->org, &org, f, 1);
}

void sim_server_open(sim *w) {
  fx_open(&w->fx, w->o.seed);
  w->fx.sys = (sv_sys){.now_ms = wall, .mono_ms = mono, .random = random_bytes, .log = log_line, .ctx = w};
  w->true_ms = FX_START_MS;
  w->dir = ov_arena_dup(&w->fx.arena, w->fx.dir, strlen(w->fx.dir) + 1);
  w->data = fx_data(&w->fx);
  w->programme = fx_programme(&w->fx, w->data);
  w->org = fx_org(&w->fx, w->data, "Organisatie");
  publish_folder(w, OV_SOURCE_DIR "/proto/schema");
  sim_server_start(w);
  first_records(w);
  protect(w);
  w->true_ms += 1000; /* a HELLO in the same millisecond as the start would be challenged */
}

static void stop(sim *w) {
  for (unsigned i = 0; i < SIM_LINKS_MAX; i++) {
    sim_link *l = &w->links[i];
    if (l->used && l->ss) sim_link_cut(w, l, 2);
  }
  sv_server_free(w->server);
  w->server = NULL;
  sv_org_close(w->org);
  sv_org_close(w->programme);
}

static void reopen(sim *w, const ov_id *id, size_t map_max) {
  char why[OV_ERROR_TEXT_MAX] = "";
  sv_org_options o = fx_org_options(&w->fx, w->data);
  int err = sv_org_open(&o, &sv_programme_id, &w->programme, why);
  o.map_bytes_max = map_max;
  if (!err) err = sv_org_open(&o, id, &w->org, why);
  if (err) fx_die(__FILE__, __LINE__, why, err);
}

static void down(sim *w) {
  w->failing = true; /* the queue that is drained on the way out stores nothing */
  stop(w);
  w->failing = false;
  w->fail_in = -1;
}

void sim_server_crash(sim *w) {
  ov_id id = w->org->id;
  down(w);
  reopen(w, &id, 0);
  sim_erase_again(w);
  w->disk_full = false;
  sim_server_start(w);
}

void sim_world_close(sim *w) {
  down(w);
  for (unsigned i = 0; i < SIM_BACKUPS_MAX; i++) free(w->backups[i].ruled);
  fx_close(&w->fx);
}

/* -- backups --------------------------------------------------------------------------------------------- */

/* What is in a verified backup is safe: said in the row of each log's end. */
static void mark_safe(sim *w) {
  sv_txn *t = NULL;
  sv_tip tip, all[512];
  unsigned n = 0;
  uint32_t index = 0;
  ov_id after = {{0}};
  FX_OK(sv_txn_read(w->org->env, &t));
  while (n < 512 && !sv_tip_next(t, &after, index, &tip, &index)) {
    after = tip.writer;
    all[n++] = tip;
  }
  sv_txn_abort(t);
  FX_OK(sv_txn_write(w->org->env, &t));
  for (unsigned i = 0; i < n; i++) {
    ov_hash head = all[i].head.head;
    all[i].safe_seq = all[i].head.seq;
    sv_tip_put(t, &head, &all[i]);
  }
  FX_OK(sv_txn_commit(t));
}

void sim_copy_file(const char *from, const char *to) {
  char buf[65536];
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ssize_t n;
  FX_MUST(in >= 0 && out >= 0);
  while ((n = read(in, buf, sizeof buf)) > 0) FX_MUST(write(out, buf, (size_t)n) == n);
  FX_MUST(n == 0);
  close(in);
  close(out);
}

static void copy_keys(sim *w, sim_backup *b, unsigned n) {
  char from[512];
  snprintf(b->keyring, sizeof b->keyring, "%s/backup%u.keyring", w->dir, n);
  snprintf(b->epoch, sizeof b->epoch, "%s/backup%u.epoch", w->dir, n);
  FX_OK(sv_keyring_save(w->org->keyring));
  FX_OK(sv_org_keyring_path(w->data, &w->org->id, from, sizeof from));
  sim_copy_file(from, b->keyring);
  FX_OK(sv_org_epoch_path(w->data, &w->org->id, from, sizeof from));
  sim_copy_file(from, b->epoch);
}

void sim_backup_make(sim *w) {
  unsigned i = 0;
  while (i < SIM_BACKUPS_MAX && w->backups[i].used) i++;
  if (i == SIM_BACKUPS_MAX || w->disk_full) return;
  sim_backup *b = &w->backups[i];
  *b = (sim_backup){.used = true, .admin = w->admin, .made_ms = w->true_ms};
  unsigned n = w->n_files++;
  snprintf(b->file, sizeof b->file, "%s/backup%u.mdb", w->dir, n);
  FX_OK(sv_env_copy(w->org->env, b->file));
  copy_keys(w, b, n);
  sv_txn *t = NULL;
  sim_model_server(w);
  b->ruled = calloc(w->n_ops + 1u, 1);
  FX_MUST(b->ruled);
  b->n_ruled = w->n_ops;
  FX_OK(sv_txn_read(w->org->env, &t));
  for (uint32_t k = 0; k < w->n_ops; k++) {
    b->ruled[k] = (uint8_t)w->ops[k].ruled;
    if (!sv_op_has(t, &w->ops[k].op.name)) continue;
    w->ops[k].in_backups |= 1u << i;
    w->ops[k].was_safe = true;
    b->n_ops++;
  }
  sv_txn_abort(t);
  mark_safe(w);
  sim_say(w, "backup %u is made and verified: %llu ops", i, (unsigned long long)b->n_ops);
}

static void forget_newer(sim *w, unsigned kept) {
  for (unsigned i = 0; i < SIM_BACKUPS_MAX; i++) {
    sim_backup *b = &w->backups[i];
    if (!b->used || i == kept || b->made_ms <= w->backups[kept].made_ms) continue;
    remove(b->file);
    remove(b->keyring);
    remove(b->epoch);
    free(b->ruled);
    b->ruled = NULL;
    b->used = false;
    for (uint32_t k = 0; k < w->n_ops; k++) w->ops[k].in_backups &= ~(1u << i);
  }
}

/* Administration goes back too. What was made since is unknown again; its numbers are not used twice. */
static void take_back(sim *w, unsigned i) {
  sim_admin old = w->admin, *a = &w->admin;
  *a = w->backups[i].admin;
  for (unsigned k = a->n_devices; k < old.n_devices; k++)
    a->devices[k] = (sim_device){.revoked = old.devices[k].revoked,
                                 .personal = old.devices[k].personal,
                                 .person = old.devices[k].person};
  /* the programme remembers */
  for (unsigned k = 0; k < a->n_devices; k++) a->devices[k].revoked |= old.devices[k].revoked;
  for (unsigned k = a->n_participants; k < old.n_participants; k++) {
    sim_participant *p = &a->participants[k];
    *p = old.participants[k];
    p->here = p->by_tablet; /* its tablet offers it again; where it went since is forgotten */
    p->teams = 1u << p->home;
  }
  a->n_devices = old.n_devices;
  a->n_participants = old.n_participants;
  for (unsigned k = 0; k < a->n_participants; k++)
    if (sim_is_erased(w, &a->participants[k].name)) a->participants[k].here = false;
  for (uint32_t k = 0; k < w->n_ops; k++) {
    sim_op *o = &w->ops[k];
    o->ruled = k < w->backups[i].n_ruled ? w->backups[i].ruled[k] : 0;
    if (!(o->in_backups >> i & 1)) o->stored = o->receipted = false;
  }
}

/* All of the machine was lost, the keys too: those of that time are put back. */
static void old_keys(sim *w, const sim_backup *b, const ov_id *id) {
  char to[512];
  FX_OK(sv_org_keyring_path(w->data, id, to, sizeof to));
  sim_copy_file(b->keyring, to);
  FX_OK(sv_org_epoch_path(w->data, id, to, sizeof to));
  sim_copy_file(b->epoch, to);
  sim_say(w, "the keys of that time with it");
}

/* The administrator puts an old copy back after the disk and all newer copies were lost; the server goes on
 * under a new writer. */
void sim_restore(sim *w, uint32_t pick, sim_rng *r) {
  char path[512], file[600];
  unsigned used[SIM_BACKUPS_MAX], n = 0;
  for (unsigned i = 0; i < SIM_BACKUPS_MAX; i++)
    if (w->backups[i].used) used[n++] = i;
  if (!n) return;
  unsigned i = used[pick % n];
  sim_model_server(w);
  ov_id id = w->org->id;
  down(w);
  FX_OK(sv_org_path(w->data, &id, path, sizeof path));
  snprintf(file, sizeof file, "%s/lock.mdb", path);
  remove(file);
  snprintf(file, sizeof file, "%s/data.mdb", path);
  sim_copy_file(w->backups[i].file, file);
  if (sim_chance(r, 25)) old_keys(w, &w->backups[i], &id);
  for (unsigned k = 0; k < SIM_TABLETS_MAX; k++)
    sim_note_dropped(&w->tablets[k]); /* what was safe until now */
  forget_newer(w, i);
  take_back(w, i);
  reopen(w, &id, 0);
  w->disk_full = false;
  FX_OK(sv_org_new_writer(w->org));
  sim_erase_again(w);
  sim_server_start(w);
  w->st.restores++;
  sim_say(w, "backup %u of %lld s ago is put back, newer ones are lost", i,
          (long long)(w->true_ms - w->backups[i].made_ms) / 1000);
}

void sim_disk(sim *w, bool full) {
  sv_env_stats st;
  ov_id id = w->org->id;
  sv_env_stats_get(w->org->env, &st);
  down(w);
  size_t page = 4096, max = (st.used_bytes + 24 * page) / page * page;
  reopen(w, &id, full ? max : 0);
  sim_erase_again(w);
  w->disk_full = full;
  sim_server_start(w);
  sim_say(w,
          full ? "the server's disk is all but full (%zu bytes used)"
               : "the server's disk has room again (%zu bytes used)",
          st.used_bytes);
}

/* -- administration -------------------------------------------------------------------------------------- */

static ov_field team_bits(sim *w, uint16_t id, uint32_t add, uint32_t del) {
  int64_t a[SIM_TEAMS], d[SIM_TEAMS];
  uint32_t na = 0, nd = 0;
  for (unsigned i = 0; i < SIM_TEAMS; i++) {
    if (add >> i & 1) a[na++] = w->scopes[i];
    if (del >> i & 1) d[nd++] = w->scopes[i];
  }
  return fx_set(&w->fx, id, a, na, d, nd);
}

void sim_make_device(sim *w, const char *name, uint32_t teams, unsigned *device) {
  ov_field f[3] = {fx_text(SV_DEVICE_NAME, name), team_bits(w, SV_DEVICE_TEAMS, teams, 0),
                   FX_INT(SV_DEVICE_STATUS, 1)};
  FX_MUST(w->admin.n_devices < SIM_DEVICES_MAX);
  *device = w->admin.n_devices++;
  ov_name rec = fx_local(
      &w->fx, w->org,
      (ov_op){.scope = 1, .creates = true, .kind = OV_KIND_DEVICE, .version = 1, .fields = f, .n_fields = 3},
      NULL);
  w->admin.devices[*device] = (sim_device){.record = rec, .teams = teams};
}

void sim_set_device_teams(sim *w, unsigned device, uint32_t teams) {
  sim_device *d = &w->admin.devices[device];
  ov_field f = team_bits(w, SV_DEVICE_TEAMS, teams, d->teams & ~teams);
  if (ov_name_is_zero(&d->record) || d->teams == teams) return;
  d->teams = teams;
  fx_change(&w->fx, w->org, &d->record, &f, 1);
  sim_changed(w);
  sim_say(w, "device %u is in teams %x now", device, teams);
}

void sim_set_participant_teams(sim *w, unsigned i, uint32_t teams) {
  sim_participant *p = &w->admin.participants[i];
  ov_field f = team_bits(w, SV_PARTICIPANT_TEAMS, teams, p->teams & ~teams);
  sv_record_row row;
  if (!p->here || p->teams == teams || !fx_record(&w->fx, w->org, &p->name, &row) || !row.rec.created) return;
  p->teams = teams;
  w->participant_ever[i] |= teams;
  fx_change(&w->fx, w->org, &p->name, &f, 1);
  sim_changed(w);
  sim_say(w, "participant %u (%s) is in teams %x now", i, sim_name(&p->name), teams);
}

void sim_set_person(sim *w, unsigned i, uint32_t teams, bool active) {
  sim_person *p = &w->admin.people[i];
  ov_field f[2] = {team_bits(w, SV_PERSON_TEAMS, teams, p->teams & ~teams), FX_INT(SV_PERSON_ACTIVE, active)};
  p->teams = teams;
  w->person_ever[i] |= teams;
  p->active = active;
  fx_change(&w->fx, w->org, &p->name, f, 2);
  sim_changed(w);
  sim_say(w, "person %u is in teams %x and %s now", i, teams, active ? "active" : "gone");
}

void sim_rule(sim *w, sim_rng *r) {
  sv_txn *t = NULL;
  ov_name name, picked = {0}, after;
  const ov_name *from = NULL;
  int verdict = sim_chance(r, 50) ? SV_RULING_ADMIT : SV_RULING_DISMISS;
  uint32_t seen = 0, tries = sim_below(r, w->n_ops + 1);
  FX_OK(sv_txn_read(w->org->env, &t));
  while (!sv_held_next(t, from, &name)) {
    if (sim_below(r, ++seen) == 0) picked = name;
    after = name;
    from = &after;
  }
  sv_txn_abort(t);
  if (sim_chance(r, 30)) /* or one that was ruled on before: the administrator thinks again */
    for (uint32_t i = 0; i < w->n_ops; i++) {
      sim_op *o = &w->ops[(i + tries) % w->n_ops];
      if (!o->ruled || !o->stored) continue;
      picked = o->op.name;
      break;
    }
  sim_op *o = ov_name_is_zero(&picked) ? NULL : sim_op_find(w, &picked);
  if (!o) return;
  ov_arena a;
  ov_arena_init(&a, 1u << 24);
  FX_OK(sv_txn_write(w->org->env, &t));
  int err = sv_ingest_ruling(t, w->org, &picked, verdict, "gezien", NULL, &a, NULL);
  if (err) {
    sv_txn_abort(t);
    if (err != OV_E_INVALID && err != OV_E_NOTFOUND && err != OV_E_LIMIT) FX_OK(err);
  } else {
    FX_OK(sv_txn_commit(t));
    o->ruled = verdict;
    sim_changed(w);
    sim_say(w, "held op %s is %s", sim_name(&picked), verdict == SV_RULING_ADMIT ? "admitted" : "dismissed");
  }
  ov_arena_free(&a);
}
