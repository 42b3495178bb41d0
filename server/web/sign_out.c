/* POST /api/sign-out: the session is over here, and the cookie there. */
#include <stdlib.h>

#include "web_priv.h"

int web_sign_out(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  web_session *ss = web_guard_session(w, q, reply);
  if (!ss) return 0;
  web_session_end(ss);
  free(reply->headers); /* the guard may have just renewed the cookie */
  reply->headers = NULL;
  web_session_forget_cookie(w, reply);
  return web_json_reply(reply, json_pack("{s:b}", "signed_out", 1));
}
