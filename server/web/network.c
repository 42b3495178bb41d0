/* GET /api/network: what the network page shows. Figures are those of the release ledger, for roles that may
 * read releases; nothing here is about a person, so it leaves no line in the audit. */
#include <stdlib.h>

#include "sv_network_page.h"
#include "sv_release.h"
#include "sv_rights.h"
#include "web_priv.h"

static sv_org *org_at(void *ctx, unsigned i) { return sv_server_org_at(ctx, i); }

/* "" and no argument: all networks. False: no number of a network. */
static bool network_of(const char *text, unsigned *out) {
  char *end = NULL;
  *out = 0;
  if (!text || !*text) return true;
  unsigned long n = strtoul(text, &end, 10);
  *out = (unsigned)n;
  return text[0] >= '0' && text[0] <= '9' && !*end && n <= SV_GROUP_MAX;
}

int web_network(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  web_person p;
  unsigned network;
  web_session *ss = web_guard_session(w, q, reply);
  if (!ss) return 0;
  if (web_person_get(w, &ss->info.organisation, &ss->info.person, &p))
    return web_problem_reply(reply, WEB_P_INTERNAL, 0);
  if (sv_right(p.role, SV_KIND_RELEASE, SV_A_READ) == SV_NO) return web_problem_reply(reply, WEB_P_ROLE, 0);
  const char *release = sv_net_arg(q, "release");
  if (!network_of(sv_net_arg(q, "network"), &network)) return web_problem_reply(reply, WEB_P_UNKNOWN, 0);
  sv_insight in = {.programme = sv_server_programme(w->o.server),
                   .org_at = org_at,
                   .ctx = w->o.server,
                   .now_ms = w->o.sys->now_ms(w->o.sys->ctx)};
  sv_export e;
  int err = sv_network_page(&in, release && *release ? release : NULL, network, &e);
  if (err == OV_E_NOTFOUND) return web_problem_reply(reply, WEB_P_UNKNOWN, 0);
  if (err) return web_problem_reply(reply, WEB_P_BUSY, 5);
  reply->body = e.bytes.p; /* from malloc, the network frees it */
  reply->body_bytes = e.bytes.n;
  e.bytes = (ov_buf){0};
  sv_export_free(&e);
  return 0;
}
