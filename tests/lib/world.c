/* The server's half of a world: data, restarts, backups. world_tablet.c has the tablets, world_link.c the
 * wire. */
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "publish.h"

static void wake(void *ctx) { (void)ctx; }

static void start(world *w) {
  static const char *const names[] = {WORLD_HOST};
  sv_server_options o = {.sys = &w->fx.sys,
                         .names = names,
                         .n_names = 1,
                         .programme = w->programme,
                         .schemas = w->fx.schemas,
                         .workers = w->workers,
                         .wake = wake};
  FX_OK(sv_server_new(&o, &w->server));
  FX_OK(sv_server_add_org(w->server, w->org));
  w->fx.now_ms += OV_HELLO_SKEW_MS_MAX + 1000; /* in the first minutes every HELLO would be challenged */
}

void world_publish(world *w, const char *schema_dir) {
  sv_schema_json_set *set = NULL;
  char why[OV_ERROR_TEXT_MAX] = "";
  FX_OK(sv_schema_json_load_dir(schema_dir, NULL, NULL, &set));
  for (size_t i = 0; i < sv_schema_json_count(set); i++) {
    const sv_schema_json_kind *k = sv_schema_json_at(set, i);
    FX_OK(ov_schemas_add(w->fx.schemas, k->bytes, k->n, NULL));
  }
  int err = sv_publish_schemas(w->programme, set, why);
  if (err) fx_die(__FILE__, __LINE__, why, err);
  sv_schema_json_free(set);
}

void world_open(world *w, uint64_t seed) {
  memset(w, 0, sizeof *w);
  fx_open(&w->fx, seed);
  w->data = fx_data(&w->fx);
  w->programme = fx_programme(&w->fx, w->data);
  w->org = fx_org(&w->fx, w->data, "Organisatie");
  world_publish(w, OV_SOURCE_DIR "/proto/schema");
  start(w);
}

static void stop(world *w) {
  sv_server_free(w->server);
  w->server = NULL;
  sv_org_close(w->org);
  sv_org_close(w->programme);
}

static void reopen(world *w, const ov_id *id) {
  char why[OV_ERROR_TEXT_MAX] = "";
  sv_org_options o = fx_org_options(&w->fx, w->data);
  int err = sv_org_open(&o, &sv_programme_id, &w->programme, why);
  if (!err) err = sv_org_open(&o, id, &w->org, why);
  if (err) fx_die(__FILE__, __LINE__, why, err);
}

void world_close(world *w) {
  stop(w);
  fx_close(&w->fx);
}

void world_restart(world *w) {
  ov_id id = w->org->id;
  stop(w);
  reopen(w, &id);
  start(w);
}

void world_backup(world *w) {
  snprintf(w->saved, sizeof w->saved, "%s/saved-%lld.mdb", w->fx.dir, (long long)w->fx.random);
  FX_OK(sv_env_copy(w->org->env, w->saved));
}

static void copy_over(const char *from, const char *to) {
  char buf[65536];
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ssize_t n;
  FX_MUST(in >= 0 && out >= 0);
  while ((n = read(in, buf, sizeof buf)) > 0) FX_MUST(write(out, buf, (size_t)n) == n);
  FX_MUST(n == 0);
  close(in);
  close(out);
}

void world_restore(world *w) {
  char path[512], file[600];
  ov_id id = w->org->id;
  stop(w);
  FX_OK(sv_org_path(w->data, &id, path, sizeof path));
  snprintf(file, sizeof file, "%s/lock.mdb", path);
  remove(file);
  snprintf(file, sizeof file, "%s/data.mdb", path);
  copy_over(w->saved, file);
  reopen(w, &id);
  FX_OK(sv_org_new_writer(w->org));
  start(w);
}

void world_move_to_copy(world *w) {
  sv_org *copy = fx_org_copy(&w->fx, w->org);
  sv_server_free(w->server);
  sv_org_close(w->org);
  w->org = copy;
  start(w);
}

void world_work(world *w) {
  if (w->workers) {
    while (sv_writer_pending(sv_server_writer(w->server))) usleep(50);
  } else {
    while (sv_writer_step(sv_server_writer(w->server))) sv_server_poll(w->server);
  }
  sv_server_poll(w->server);
}

/* -- digest of what a device may see --------------------------------------------------------------------- */

static void digest_record(world *w, sv_txn *t, const ov_name *name, ov_buf *out) {
  sv_record_row row;
  ov_arena a;
  ov_arena_init(&a, 16u << 20);
  FX_OK(sv_record_get(t, name, &a, &row));
  const ov_skind *k = ov_schemas_kind(w->fx.schemas, row.rec.kind);
  bool out_of_window = k && k->windowed &&
                       ov_schema_outside_window(k, &row.rec, row.changed, w->fx.now_ms / 1000);
  if (!out_of_window) ov_record_encode(&row.rec, out);
  ov_arena_free(&a);
}

static int compare_names(const void *a, const void *b) { return ov_name_compare(a, b); }

ov_hash world_digest(world *w, const uint32_t *scopes, uint32_t n) {
  ov_name *names = NULL;
  uint32_t count = 0;
  ov_buf bytes;
  ov_hash h;
  sv_txn *t = NULL, *pt = NULL;
  ov_buf_init(&bytes, 1u << 30);
  FX_OK(sv_txn_read(w->org->env, &t));
  FX_OK(sv_txn_read(w->programme->env, &pt));
  for (uint32_t s = 0; s < n; s++) {
    sv_posent ents[512];
    uint32_t k = 0;
    uint64_t after = 0;
    do {
      FX_OK(sv_pos_list(scopes[s] ? t : pt, scopes[s], after, ents, 512, &k));
      names = realloc(names, (count + k + 1) * sizeof *names);
      FX_MUST(names);
      for (uint32_t i = 0; i < k; i++) {
        after = ents[i].pos;
        if (!ents[i].gone) names[count++] = ents[i].record;
      }
    } while (k == 512);
  }
  qsort(names, count, sizeof *names, compare_names);
  for (uint32_t i = 0; i < count; i++) {
    if (i && ov_name_equal(&names[i - 1], &names[i])) continue;
    sv_record_row probe;
    ov_arena a;
    ov_arena_init(&a, 16u << 20);
    bool here = !sv_record_get(t, &names[i], &a, &probe);
    ov_arena_free(&a);
    digest_record(w, here ? t : pt, &names[i], &bytes);
  }
  sv_txn_abort(t);
  sv_txn_abort(pt);
  FX_OK(ov_sha256(w->fx.hasher, bytes.p, bytes.n, &h));
  ov_buf_free(&bytes);
  free(names);
  return h;
}
