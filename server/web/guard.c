/* What every call must bring before anybody looks at what it wants. */
#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#include "web_priv.h"

bool web_guard(const sv_net_request *q, sv_net_reply *reply) {
  if (!q->overdracht || strcmp(q->overdracht, "1") != 0) {
    web_problem_reply(reply, WEB_P_HEADER, 0);
    return false;
  }
  /* A browser sends the Origin with every POST; what comes without one is no page of ours. */
  bool fine = q->origin == SV_NET_ORIGIN_OURS ||
              (q->origin == SV_NET_ORIGIN_NONE && q->method != SV_NET_POST);
  if (!fine) web_problem_reply(reply, WEB_P_ORIGIN, 0);
  return fine;
}

json_t *web_body(const sv_net_request *q, sv_net_reply *reply) {
  static const char want[] = "application/json";
  const char *type = q->content_type ? q->content_type : "";
  size_t n = sizeof want - 1;
  if (strncasecmp(type, want, n) != 0 || (type[n] && type[n] != ';' && type[n] != ' ')) {
    web_problem_reply(reply, WEB_P_TYPE, 0);
    return NULL;
  }
  json_t *j = json_loadb((const char *)q->body, q->body_bytes, JSON_REJECT_DUPLICATES, NULL);
  if (json_is_object(j)) return j;
  json_decref(j);
  web_problem_reply(reply, WEB_P_BODY, 0);
  return NULL;
}

static bool csrf_fits(const web_session *ss, const char *csrf) {
  return csrf && strlen(csrf) == WEB_SECRET_TEXT - 1 && !CRYPTO_memcmp(csrf, ss->csrf, WEB_SECRET_TEXT - 1);
}

web_session *web_guard_session(sv_web *w, const sv_net_request *q, sv_net_reply *reply) {
  if (!web_guard(q, reply)) return NULL;
  web_session *ss = web_session_find(w, q->cookie);
  web_person p;
  if (!ss) {
    web_problem_reply(reply, WEB_P_SESSION, 0);
    return NULL;
  }
  if (!csrf_fits(ss, q->csrf)) { /* a cookie alone: whoever took it has not the rest */
    web_problem_reply(reply, WEB_P_CSRF, 0);
    return NULL;
  }
  int err = web_person_get(w, &ss->info.organisation, &ss->info.person, &p);
  if (err == OV_E_NOTFOUND || (!err && !p.active)) { /* left meanwhile */
    web_session_end(ss);
    web_problem_reply(reply, WEB_P_SESSION, 0);
    return NULL;
  }
  if (!err) err = web_session_touch(w, ss, reply);
  if (!err) return ss;
  web_problem_reply(reply, err == OV_E_BUSY ? WEB_P_BUSY : WEB_P_INTERNAL, 0);
  return NULL;
}
