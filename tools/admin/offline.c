/* No server runs: the same library under the folder's own lock. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "secret.h"
#include "sv_node.h"

typedef struct local {
  cli *c;
  sv_node *node;
  sv_admin_host host;
  json_t **reply;
} local;

static sv_org *org_at(void *ctx, unsigned i) {
  local *l = ctx;
  return l->node && i < l->node->n_orgs ? l->node->orgs[i] : NULL;
}

static int write_work(void *ctx, sv_org *org, sv_admin_work work, void *arg) {
  (void)ctx;
  return sv_node_write(org, work, arg, NULL);
}

static int org_created(void *ctx, sv_org *org) { return sv_node_add(((local *)ctx)->node, org); }

static void device_revoked(void *ctx, const ov_id *device) {
  (void)ctx;
  (void)device; /* no session to cut */
}

static bool on_line(void *ctx, const char *line) {
  local *l = ctx;
  return show_line(l->c, line, l->reply) && !cli_interrupted;
}

static int handle(local *l, const char *request, const char *data, const char *master,
                  const ov_schemas *schemas) {
  l->host = (sv_admin_host){.data = data,
                            .master_key_file = master,
                            .schema_dir = l->c->schema_dir,
                            .sys = sv_sys_real(SV_LOG_ERROR),
                            .schemas = schemas,
                            .programme = l->node ? l->node->programme : NULL,
                            .org_at = org_at,
                            .write = write_work,
                            .org_created = org_created,
                            .device_revoked = device_revoked,
                            .ctx = l};
  snprintf(l->host.user, sizeof l->host.user, "uid %u", (unsigned)getuid());
  (void)sv_admin_handle(&l->host, request, strlen(request), on_line, l);
  return 0;
}

static int with_node(local *l, const char *request) {
  char why[OV_ERROR_TEXT_MAX + 60] = "";
  sv_node_options o = {.data = l->c->data,
                       .master_key_file = l->c->master_key,
                       .schema_dir = l->c->schema_dir,
                       .sys = sv_sys_real(SV_LOG_ERROR),
                       .create = l->c->cmd->needs == SV_NEEDS_CREATE};
  int err = sv_node_open(&o, &l->node, why);
  if (err) {
    show_error(l->c, err, why,
               err == OV_E_NOTFOUND ? "overdracht-admin init makes a data folder; --schema says where the "
                                      "schema files are (in the source: proto/schema)"
                                    : "");
    return err;
  }
  err = handle(l, request, l->node->data, l->node->master_key_file, l->node->schemas);
  sv_node_close(l->node);
  return err;
}

static int load_schemas(const char *dir, sv_schema_json_set **files, ov_schemas **out, char *why) {
  int err = sv_schema_json_load_dir(dir, NULL, NULL, files);
  *out = err ? NULL : ov_schemas_new();
  if (!err && !*out) err = OV_E_NOMEM;
  for (size_t i = 0; !err && sv_schema_json_at(*files, i); i++) {
    const sv_schema_json_kind *k = sv_schema_json_at(*files, i);
    err = ov_schemas_add(*out, k->bytes, k->n, why);
  }
  return err;
}

/* The folder is ours, but nothing in it is open: what must be mended may be what does not open. */
static int with_lock(local *l, const char *request) {
  char why[OV_ERROR_TEXT_MAX + 200] = "", master[700];
  sv_lock *lock = NULL;
  sv_schema_json_set *files = NULL;
  ov_schemas *schemas = NULL;
  long holder = 0;
  int err = sv_lock_folder(l->c->data, &lock, &holder);
  if (err == OV_E_LOCKED)
    snprintf(why, sizeof why, "%.120s is in use by process %ld: stop that server first", l->c->data, holder);
  else if (err) snprintf(why, sizeof why, "cannot lock %.120s: %s", l->c->data, ov_err_text(err));
  if (!err && (err = load_schemas(l->c->schema_dir, &files, &schemas, why)) && !*why) {
    snprintf(why, sizeof why, "schemas in %.120s: %s", l->c->schema_dir, ov_err_text(err));
  }
  if (l->c->master_key) snprintf(master, sizeof master, "%s", l->c->master_key);
  else snprintf(master, sizeof master, "%s/master.key", l->c->data);
  if (err)
    show_error(l->c, err, why,
               err == OV_E_LOCKED ? "systemctl stop overdrachtd, or kill -TERM its process"
                                  : "--schema says where the schema files are");
  else err = handle(l, request, l->c->data, master, schemas);
  ov_schemas_free(schemas);
  sv_schema_json_free(files);
  sv_unlock(lock);
  return err;
}

int offline_ask(cli *c, const char *request, json_t **reply) {
  local l = {.c = c, .reply = reply};
  (void)sv_secret_process(); /* from here on this process holds keys */
  sv_admin_needs needs = sv_admin_command_needs(c->cmd, json_is_true(json_object_get(c->request, "verify")));
  if (needs == SV_NEEDS_NOTHING) return handle(&l, request, c->data ? c->data : "", "", NULL);
  return needs == SV_NEEDS_LOCK ? with_lock(&l, request) : with_node(&l, request);
}
