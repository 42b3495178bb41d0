/* GET /api/me: who is signed in. */
#include "web_priv.h"

int web_me(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  web_person p;
  web_session *ss = web_guard_session(w, q, reply);
  if (!ss) return 0;
  if (web_person_get(w, &ss->info.organisation, &ss->info.person, &p))
    return web_problem_reply(reply, WEB_P_INTERNAL, 0);
  json_t *me = web_person_json(w, &ss->info.organisation, &ss->info.person, &p);
  int64_t left = (SV_WEB_ABSOLUTE_MS - (web_now(w) - ss->created)) / 1000;
  if (me) {
    json_object_set_new(me, "login", json_string(ss->info.login));
    json_object_set_new(me, "idle_s", json_integer(SV_WEB_IDLE_MS / 1000));
    json_object_set_new(me, "ends_in_s", json_integer(left));
  }
  return web_json_reply(reply, me);
}
