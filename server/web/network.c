/* GET /api/network: what the network page shows. Figures are those of the release ledger, for roles that may
 * read releases; nothing here is about a client, so it leaves no line in the audit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sv_network_page.h"
#include "sv_release.h"
#include "sv_rights.h"
#include "web_priv.h"

/* What is shown lies in the programme's store; whether somebody is an expert still, in an organisation's, and
 * may be so old. */
#define EXPERTS_LIFE_MS 60000

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

static int make_page(sv_web *w, const web_making *how, sv_export *e) {
  sv_insight in = {.programme = sv_server_programme(w->o.server),
                   .org_at = org_at,
                   .ctx = w->o.server,
                   .now_ms = w->o.sys->now_ms(w->o.sys->ctx)};
  return sv_network_page(&in, how->text, how->number, e);
}

int web_network(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  web_person p;
  unsigned network;
  char key[WEB_MADE_KEY_MAX];
  web_session *ss = web_guard_session(w, q, reply);
  if (!ss) return 0;
  if (web_person_get(w, &ss->info.organisation, &ss->info.person, &p))
    return web_problem_reply(reply, WEB_P_INTERNAL, 0);
  if (sv_right(p.role, SV_KIND_RELEASE, SV_A_READ) == SV_NO) return web_problem_reply(reply, WEB_P_ROLE, 0);
  const char *release = sv_net_arg(q, "release");
  if (release && !*release) release = NULL;
  if (!network_of(sv_net_arg(q, "network"), &network) || (release && strlen(release) >= SV_RELEASE_ID_MAX))
    return web_problem_reply(reply, WEB_P_UNKNOWN, 0);
  snprintf(key, sizeof key, "network/%u/%.16s", network, release ? release : "");
  const web_making how = {.key = key,
                          .type = "application/json",
                          .life_ms = EXPERTS_LIFE_MS,
                          .make = make_page,
                          .number = network,
                          .text = release};
  int err = web_made_reply(w, q, &how, reply);
  if (!err) return 0;
  return web_problem_reply(reply, err == OV_E_NOTFOUND ? WEB_P_UNKNOWN : WEB_P_BUSY,
                           err == OV_E_NOTFOUND ? 0 : 5);
}
