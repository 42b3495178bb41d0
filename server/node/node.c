#include "sv_node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "publish.h"
#include "reindex.h"
#include "secret.h"
#include "sv_erase.h"

int sv_node_write(sv_org *org, int (*work)(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches), void *arg,
                  sv_touches *touches) {
  ov_arena a;
  ov_arena_init(&a, SV_BATCH_ARENA_BYTES_MAX);
  int err, regrown = 0;
  do {
    sv_touches mine = {0};
    sv_txn *t = NULL;
    err = sv_txn_write(org->env, &t);
    int done = err ? err : work(arg, t, &a, &mine);
    if (!err && done && !sv_txn_error(t)) { /* the work said no: nothing of it stays */
      sv_txn_abort(t);
      err = done;
    } else if (!err) {
      err = sv_txn_commit(t);
    }
    ov_arena_reset(&a);
    if (!err && touches) *touches = mine;
    else sv_touches_free(&mine);
  } while (err == OV_E_MAPFULL && ++regrown < 64);
  ov_arena_free(&a);
  return err;
}

/* An organisation with old indexes is served all the same: lists may lack some of its records until it is
 * opened again, and `verify` tells which. */
static void bring_up_to_date(sv_org *org) {
  char f[200], hex[2 * OV_ID_BYTES + 1];
  int err = sv_reindex_org(org);
  if (!err || !org->sys->log) return;
  ov_hex(org->id.b, OV_ID_BYTES, hex);
  snprintf(f, sizeof f, "organisation=%s error=%s", hex, ov_err_slug(err));
  org->sys->log(org->sys->ctx, SV_LOG_ERROR, "reindex_failed", f);
}

int sv_node_add(sv_node *n, sv_org *org) {
  if (n->n_orgs == SV_ORGS_MAX) return OV_E_LIMIT;
  bring_up_to_date(org);
  n->orgs[n->n_orgs++] = org;
  return 0;
}

static int take_folder(sv_node *n, bool create, char *why) {
  struct stat st;
  if (stat(n->data, &st) && errno == ENOENT && create && mkdir(n->data, 0700)) {
    snprintf(why, OV_ERROR_TEXT_MAX, "cannot make %.120s: %s", n->data, strerror(errno));
    return OV_E_IO;
  }
  long holder = 0;
  int err = sv_lock_folder(n->data, &n->lock, &holder);
  if (err == OV_E_LOCKED) {
    snprintf(why, OV_ERROR_TEXT_MAX, "%.120s is in use by process %ld: stop that server first", n->data,
             holder);
  } else if (err == OV_E_NOTFOUND) {
    snprintf(why, OV_ERROR_TEXT_MAX, "there is no data folder %.120s", n->data);
  } else if (err) {
    snprintf(why, OV_ERROR_TEXT_MAX, "cannot lock %.120s: %s", n->data, ov_err_text(err));
  }
  return err;
}

typedef struct report {
  char *why;
  bool told;
} report;

static void report_schema(void *ctx, const char *file, const char *where, const char *text) {
  report *r = ctx;
  if (!r->told)
    snprintf(r->why, OV_ERROR_TEXT_MAX, "%.60s: %.40s%s%.90s", file, where, *where ? ": " : "", text);
  r->told = true;
}

static int load_schemas(sv_node *n, char *why) {
  report r = {.why = why};
  int err = sv_schema_json_load_dir(n->schema_dir, report_schema, &r, &n->schema_files);
  if (err && !r.told)
    snprintf(why, OV_ERROR_TEXT_MAX, "schemas in %.120s: %s", n->schema_dir, ov_err_text(err));
  if (err) return err;
  n->schemas = ov_schemas_new();
  if (!n->schemas) return OV_E_NOMEM;
  for (size_t i = 0; !err && sv_schema_json_at(n->schema_files, i); i++) {
    const sv_schema_json_kind *k = sv_schema_json_at(n->schema_files, i);
    err = ov_schemas_add(n->schemas, k->bytes, k->n, why);
  }
  return err;
}

static int half_restored(char *why) {
  snprintf(why, OV_ERROR_TEXT_MAX, "a restore was cut short: run `overdracht-admin restore` again");
  return OV_E_STATE;
}

static int open_programme(sv_node *n, const sv_org_options *oo, bool create, char *why) {
  char path[600];
  struct stat st;
  bool there = !sv_org_path(n->data, &sv_programme_id, path, sizeof path) && !stat(path, &st);
  if (there && sv_org_half_restored(n->data, &sv_programme_id)) return half_restored(why);
  int err = sv_org_open(oo, &sv_programme_id, &n->programme, why);
  if (err == OV_E_NOTFOUND && create)
    err = sv_org_create(oo, &sv_programme_id, "Programme", "Europe/Amsterdam", &n->programme, why);
  else if (err == OV_E_NOTFOUND)
    snprintf(why, OV_ERROR_TEXT_MAX, "%.120s holds no programme: is it the right data folder?", n->data);
  return err;
}

static int write_here(void *ctx, sv_org *org, sv_erase_work work, void *arg) {
  (void)ctx;
  return sv_node_write(org, work, arg, NULL);
}

/* Nobody is served before what was erased is gone again: an older backup may have been put back, or the
 * machine have stopped amid an erasure. */
static int erase_again(sv_node *n, sv_org *org, char *why) {
  char list[600];
  uint32_t again = 0;
  int err = sv_erase_list_path(n->data, list, sizeof list);
  const char *lists[] = {list, NULL};
  if (!err) err = sv_erase_replay(n->data, lists, org, write_here, NULL, &again);
  n->n_erased += again;
  if (err)
    snprintf(why, OV_ERROR_TEXT_MAX, "%.100s: what was erased cannot be erased again: %s", list,
             ov_err_text(err));
  return err;
}

/* A damaged organisation must not stop the others. */
static int open_orgs(sv_node *n, const sv_org_options *oo, char *node_why) {
  ov_id ids[SV_ORGS_MAX];
  uint32_t count = 0;
  int err = sv_org_list(n->data, ids, SV_ORGS_MAX, &count);
  if (err == OV_E_LIMIT)
    snprintf(
        node_why, OV_ERROR_TEXT_MAX,
        "%.60s/orgs holds more than %u organisations, the most of one server: move some to another, with "
        "their keyrings",
        n->data, SV_ORGS_MAX);
  for (uint32_t i = 0; !err && i < count; i++) {
    sv_org *org = NULL;
    char why[OV_ERROR_TEXT_MAX] = "", f[OV_ERROR_TEXT_MAX + 120], hex[2 * OV_ID_BYTES + 1];
    int bad = sv_org_half_restored(n->data, &ids[i]) ? half_restored(why)
                                                     : sv_org_open(oo, &ids[i], &org, why);
    if (!bad) bad = erase_again(n, org, why);
    if (!bad) {
      bring_up_to_date(org);
      n->orgs[n->n_orgs++] = org;
      continue;
    }
    sv_org_close(org);
    n->n_refused++;
    ov_hex(ids[i].b, OV_ID_BYTES, hex);
    snprintf(f, sizeof f, "organisation=%s error=%s why=\"%s\"", hex, ov_err_slug(bad), why);
    if (n->sys->log) n->sys->log(n->sys->ctx, SV_LOG_ERROR, "organisation_refused", f);
  }
  return err;
}

static int load_master(sv_node *n, const sv_node_options *o, char *why) {
  if (o->master_key_file) snprintf(n->master_key_file, sizeof n->master_key_file, "%s", o->master_key_file);
  else if (sv_master_key_path(n->data, n->master_key_file, sizeof n->master_key_file)) return OV_E_LIMIT;
  int err = sv_master_key_load(n->master_key_file, o->create, o->sys->random, o->sys->ctx, n->master);
  if (err == OV_E_DENIED)
    snprintf(why, OV_ERROR_TEXT_MAX, "%.120s may be read by others: chmod 600 it", n->master_key_file);
  else if (err)
    snprintf(why, OV_ERROR_TEXT_MAX, "master key %.120s: %s", n->master_key_file, ov_err_text(err));
  if (err) return err;
  err = sv_master_key_next(n->master_key_file, n->master_next);
  n->has_next = !err;
  if (err && err != OV_E_NOTFOUND)
    snprintf(why, OV_ERROR_TEXT_MAX, "next master key %.120s.new: %s", n->master_key_file, ov_err_text(err));
  return err == OV_E_NOTFOUND ? 0 : err;
}

int sv_node_open(const sv_node_options *o, sv_node **out, char *why) {
  *out = NULL;
  *why = 0;
  sv_node *n = sv_secret_alloc(sizeof *n); /* it holds the master key */
  if (!n) return OV_E_NOMEM;
  n->sys = o->sys;
  snprintf(n->data, sizeof n->data, "%s", o->data);
  snprintf(n->schema_dir, sizeof n->schema_dir, "%s", o->schema_dir);
  int err = take_folder(n, o->create, why);
  if (!err) err = load_master(n, o, why);
  if (!err) err = load_schemas(n, why);
  sv_org_options oo = {.data = n->data,
                       .master = n->master,
                       .master_next = n->has_next ? n->master_next : NULL,
                       .sys = n->sys,
                       .schemas = n->schemas,
                       .map_bytes = o->map_bytes};
  if (!err) err = open_programme(n, &oo, o->create, why);
  if (!err) err = open_orgs(n, &oo, why);
  if (!err) err = sv_publish_schemas(n->programme, n->schema_files, why);
  if (!err) bring_up_to_date(n->programme);
  if (err) {
    if (!*why) snprintf(why, OV_ERROR_TEXT_MAX, "%s", ov_err_text(err));
    sv_node_close(n);
    return err;
  }
  *out = n;
  return 0;
}

void sv_node_close(sv_node *n) {
  if (!n) return;
  for (unsigned i = 0; i < n->n_orgs; i++) sv_org_close(n->orgs[i]);
  sv_org_close(n->programme);
  ov_schemas_free(n->schemas);
  sv_schema_json_free(n->schema_files);
  sv_unlock(n->lock);
  sv_secret_free(n, sizeof *n);
}
