/* One request: parsed, checked against the table, run, answered. */
#include <string.h>

#include "admin_priv.h"

static int parse(adm *m, const char *request, size_t n) {
  json_error_t e;
  if (n > SV_ADMIN_REQUEST_BYTES_MAX) {
    return adm_fail(m, OV_E_LIMIT, NULL, "the request is longer than %u bytes", SV_ADMIN_REQUEST_BYTES_MAX);
  }
  m->req = json_loadb(request, n, JSON_REJECT_DUPLICATES, &e);
  if (!m->req)
    return adm_fail(m, OV_E_FORMAT, NULL, "the request is no JSON: %s at byte %d", e.text, e.position);
  if (!json_is_object(m->req)) return adm_fail(m, OV_E_FORMAT, NULL, "the request is no JSON object");
  const char *cmd = json_string_value(json_object_get(m->req, "cmd"));
  m->cmd = cmd ? sv_admin_command_find(cmd) : NULL;
  if (!m->cmd)
    return adm_fail(m, OV_E_INVALID, "`overdracht-admin --help` lists them", "there is no command \"%.60s\"",
                    cmd ? cmd : "");
  return 0;
}

sv_admin_needs sv_admin_command_needs(const sv_admin_command *c, bool verify_only) {
  return c->needs == SV_NEEDS_LOCK && verify_only ? SV_NEEDS_NODE : c->needs;
}

/* What this host can do: without an open folder only the commands that need none. */
static int check_host(adm *m) {
  sv_admin_needs needs = sv_admin_command_needs(m->cmd, arg_flag(m, "verify"));
  bool alone = needs == SV_NEEDS_LOCK || needs == SV_NEEDS_CREATE;
  if (alone && m->h->online) {
    return adm_fail(
        m, OV_E_BUSY,
        "stop the server first (systemctl stop overdrachtd, or kill -TERM its process), then run this again",
        "a server is running on %s: %s works only without one", m->h->data, m->cmd->name);
  }
  if (!m->h->programme && (needs == SV_NEEDS_NODE || needs == SV_NEEDS_CREATE)) {
    return adm_fail(m, OV_E_STATE, NULL, "%s needs an open data folder", m->cmd->name);
  }
  return 0;
}

int sv_admin_handle(sv_admin_host *h, const char *request, size_t n, sv_admin_out out, void *out_ctx) {
  adm m = {.h = h, .out = out, .out_ctx = out_ctx, .reply = json_object()};
  ov_arena_init(&m.a, ADM_ARENA_BYTES_MAX);
  if (!m.reply) return OV_E_NOMEM;
  int err = parse(&m, request, n);
  if (!err) err = args_check(&m);
  if (!err) err = check_host(&m);
  if (!err) err = m.cmd->run(&m);
  if (err && !m.err) adm_failed(&m, err, m.cmd->name);
  adm_audit_end(&m);
  adm_reply(&m);
  err = m.err;
  json_decref(m.reply);
  json_decref((json_t *)m.req);
  ov_arena_free(&m.a);
  return err;
}
