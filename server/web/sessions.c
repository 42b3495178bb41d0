/* Sessions live in memory: nothing of them is on disk, and a restart ends them all. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "web_priv.h"

static const char *cookie_name(const sv_web *w) { return w->o.tls ? "__Host-overdracht" : "overdracht"; }

static int set_cookie(sv_web *w, web_session *ss, sv_net_reply *reply) {
  char token[WEB_SECRET_TEXT];
  int err = web_secret(w, token);
  if (!err) err = web_hash_text(w, token, ss->token);
  if (!err &&
      !web_reply_header(reply, "Set-Cookie: %s=%s; Path=/; %sHttpOnly; SameSite=Strict; Max-Age=%d\r\n",
                        cookie_name(w), token, w->o.tls ? "Secure; " : "", SV_WEB_ABSOLUTE_MS / 1000))
    err = OV_E_NOMEM;
  OPENSSL_cleanse(token, sizeof token);
  return err;
}

void web_session_forget_cookie(sv_web *w, sv_net_reply *reply) {
  web_reply_header(reply, "Set-Cookie: %s=; Path=/; %sHttpOnly; SameSite=Strict; Max-Age=0\r\n",
                   cookie_name(w), w->o.tls ? "Secure; " : "");
}

void web_session_end(web_session *ss) { OPENSSL_cleanse(ss, sizeof *ss); }

static bool is_over(const sv_web *w, const web_session *ss) {
  int64_t now = web_now(w);
  return now - ss->seen > SV_WEB_IDLE_MS || now - ss->created > SV_WEB_ABSOLUTE_MS;
}

/* A free place; the oldest of the same account makes room when it has many. */
static web_session *place(sv_web *w, const sv_web_session_info *info) {
  web_session *free_one = NULL, *oldest = NULL;
  unsigned same = 0;
  for (unsigned i = 0; i < SV_WEB_SESSIONS_MAX; i++) {
    web_session *ss = &w->session[i];
    if (ss->used && is_over(w, ss)) web_session_end(ss);
    if (!ss->used) {
      if (!free_one) free_one = ss;
      continue;
    }
    if (!ov_name_equal(&ss->info.person, &info->person)) continue;
    same++;
    if (!oldest || ss->created < oldest->created) oldest = ss;
  }
  if (same < SV_WEB_SESSIONS_EACH) return free_one;
  web_session_end(oldest);
  return oldest;
}

int web_session_open(sv_web *w, const sv_web_session_info *info, web_session **out, sv_net_reply *reply) {
  web_session *ss = place(w, info);
  uint8_t id[4];
  if (!ss) return OV_E_FULL;
  ss->info = *info;
  int err = w->o.sys->random(w->o.sys->ctx, id, sizeof id);
  if (!err) err = web_secret(w, ss->csrf);
  if (!err) err = set_cookie(w, ss, reply);
  if (err) {
    web_session_end(ss);
    return err;
  }
  ov_hex(id, sizeof id, ss->info.id);
  ss->used = true;
  ss->created = ss->seen = ss->rotated = web_now(w);
  ss->info.created_ms = ss->info.seen_ms = w->o.sys->now_ms(w->o.sys->ctx);
  *out = ss;
  return 0;
}

/* The value of our cookie in a Cookie header; false when it is not there or not of our form. */
static bool cookie_value(const sv_web *w, const char *cookie, char out[WEB_SECRET_TEXT]) {
  const char *name = cookie_name(w);
  size_t n = strlen(name);
  for (const char *p = cookie; p && *p;) {
    p += strspn(p, " ;");
    size_t all = strcspn(p, ";");
    if (all == n + WEB_SECRET_TEXT && memcmp(p, name, n) == 0 && p[n] == '=') {
      memcpy(out, p + n + 1, WEB_SECRET_TEXT - 1);
      out[WEB_SECRET_TEXT - 1] = 0;
      return true;
    }
    p += all;
  }
  return false;
}

web_session *web_session_find(sv_web *w, const char *cookie) {
  char value[WEB_SECRET_TEXT];
  uint8_t hash[OV_HASH_BYTES];
  if (!cookie_value(w, cookie, value) || web_hash_text(w, value, hash)) return NULL;
  for (unsigned i = 0; i < SV_WEB_SESSIONS_MAX; i++) {
    web_session *ss = &w->session[i];
    if (!ss->used) continue;
    if (is_over(w, ss)) {
      web_session_end(ss);
      continue;
    }
    if (!CRYPTO_memcmp(ss->token, hash, OV_HASH_BYTES)) return ss;
    if (!ss->has_old || CRYPTO_memcmp(ss->old_token, hash, OV_HASH_BYTES)) continue;
    if (web_now(w) - ss->rotated <= SV_WEB_OLD_TOKEN_MS) return ss;
    w->stats.stolen++; /* two use one session: neither may go on */
    web_session_end(ss);
  }
  return NULL;
}

int web_session_touch(sv_web *w, web_session *ss, sv_net_reply *reply) {
  int64_t now = web_now(w);
  ss->seen = now;
  ss->info.seen_ms = w->o.sys->now_ms(w->o.sys->ctx);
  if (now - ss->rotated < SV_WEB_ROTATE_MS) return 0;
  memcpy(ss->old_token, ss->token, OV_HASH_BYTES);
  ss->has_old = true;
  ss->rotated = now;
  return set_cookie(w, ss, reply);
}

unsigned sv_web_sessions(sv_web *w, sv_web_session_info *out, unsigned max) {
  unsigned n = 0;
  for (unsigned i = 0; i < SV_WEB_SESSIONS_MAX; i++) {
    web_session *ss = &w->session[i];
    if (!ss->used || is_over(w, ss)) continue;
    if (n < max) {
      unsigned at = n;
      for (; at && out[at - 1].created_ms > ss->info.created_ms; at--) out[at] = out[at - 1];
      out[at] = ss->info;
    }
    n++;
  }
  return n;
}

unsigned web_session_end_others(sv_web *w, const ov_name *person, const char *id) {
  unsigned n = 0;
  for (unsigned i = 0; i < SV_WEB_SESSIONS_MAX; i++) {
    web_session *ss = &w->session[i];
    if (!ss->used || !ov_name_equal(person, &ss->info.person) || !strcmp(id, ss->info.id)) continue;
    web_session_end(ss);
    n++;
  }
  return n;
}

unsigned sv_web_revoke(sv_web *w, const char *id, const ov_name *person) {
  unsigned n = 0;
  for (unsigned i = 0; i < SV_WEB_SESSIONS_MAX; i++) {
    web_session *ss = &w->session[i];
    if (!ss->used) continue;
    if ((id && strcmp(id, ss->info.id) == 0) || (person && ov_name_equal(person, &ss->info.person))) {
      web_session_end(ss);
      n++;
    }
  }
  if (person)
    for (unsigned i = 0; i < SV_WEB_TICKETS_MAX; i++)
      if (w->ticket[i].used && ov_name_equal(person, &w->ticket[i].person)) w->ticket[i].used = false;
  return n;
}
