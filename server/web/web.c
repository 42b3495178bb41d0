#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web_priv.h"

int64_t web_now(const sv_web *w) { return w->o.sys->mono_ms(w->o.sys->ctx); }

int web_secret(sv_web *w, char out[WEB_SECRET_TEXT]) {
  uint8_t r[WEB_SECRET_BYTES];
  int err = w->o.sys->random(w->o.sys->ctx, r, sizeof r);
  if (!err) ov_hex(r, sizeof r, out);
  OPENSSL_cleanse(r, sizeof r);
  return err;
}

int web_hash_text(sv_web *w, const char *text, uint8_t out[OV_HASH_BYTES]) {
  ov_hash h;
  int err = ov_sha256(w->hasher, text, strlen(text), &h);
  if (!err) memcpy(out, h.b, OV_HASH_BYTES);
  return err;
}

/* Salt and tag of no password at all: what counts is that comparing with it costs the same. */
static int make_stand_in(sv_web *w) {
  int n = snprintf(w->stand_in, sizeof w->stand_in,
                   "$argon2id$v=19$m=%u,t=%u,p=%u$bm9ib2R5J3Mgc2FsdCEhIQ$"
                   "bm8gcGFzc3dvcmQgd2lsbCBldmVyIGdpdmUgdGhpcyE",
                   w->o.cost.memory_kib, w->o.cost.passes, w->o.cost.lanes);
  return n > 0 && (size_t)n < sizeof w->stand_in ? 0 : OV_E_INVALID;
}

int sv_web_new(const sv_web_options *o, sv_web **out) {
  *out = NULL;
  sv_web *w = calloc(1, sizeof *w);
  if (!w) return OV_E_NOMEM;
  w->o = *o;
  w->session = calloc(SV_WEB_SESSIONS_MAX, sizeof *w->session);
  w->ticket = calloc(SV_WEB_TICKETS_MAX, sizeof *w->ticket);
  w->delay = calloc(SV_WEB_DELAYS_MAX, sizeof *w->delay);
  w->hasher = ov_hasher_new();
  int err = w->session && w->ticket && w->delay && w->hasher ? 0 : OV_E_NOMEM;
  if (!err) err = make_stand_in(w);
  if (!err) err = web_hasher_start(&w->passwords, &w->o);
  if (err) sv_web_free(w);
  else *out = w;
  return err;
}

void sv_web_stop(sv_web *w) {
  web_hasher_stop(&w->passwords);
  w->net = NULL;
}

void sv_web_free(sv_web *w) {
  if (!w) return;
  sv_web_stop(w);
  web_made_forget(w);
  if (w->session) OPENSSL_cleanse(w->session, SV_WEB_SESSIONS_MAX * sizeof *w->session);
  free(w->session);
  free(w->ticket);
  free(w->delay);
  ov_hasher_free(w->hasher);
  free(w);
}

void sv_web_set_net(sv_web *w, sv_net *net) { w->net = net; }

void sv_web_poll(sv_web *w) {
  web_hash_job *job;
  while ((job = web_hasher_take(&w->passwords))) job->done_fn(w, job);
}

const sv_net_route *sv_web_routes(sv_web *w, size_t *n) {
  static const struct {
    const char *path;
    unsigned method;
    sv_net_handle_fn handle;
  } rows[] = {{"/api/sign-in", SV_NET_POST, web_sign_in},
              {"/api/sign-in/totp", SV_NET_POST, web_sign_in_totp},
              {"/api/sign-out", SV_NET_POST, web_sign_out},
              {"/api/password", SV_NET_POST, web_password},
              {"/api/me", SV_NET_GET, web_me},
              {"/api/device", SV_NET_POST, web_device},
              {"/api/network", SV_NET_GET, web_network},
              {"/api/own/devices", SV_NET_GET, web_own_devices},
              {"/api/own/held", SV_NET_GET, web_own_held},
              {"/api/own/ruling", SV_NET_POST, web_own_ruling},
              {"/api/releases", SV_NET_GET, web_releases},
              {"/api/codebook.csv", SV_NET_GET, web_releases},
              {"/api/codebook.html", SV_NET_GET, web_releases},
              {"/api/tokens", SV_NET_GET | SV_NET_POST, web_tokens},
              {"/api/tokens/revoke", SV_NET_POST, web_tokens_revoke}};
  size_t k = sizeof rows / sizeof *rows;
  for (size_t i = 0; i < k; i++)
    w->routes[i] = (sv_net_route){.path = rows[i].path,
                                  .content_type = "application/json",
                                  .sides = SV_NET_MAIN,
                                  .methods = rows[i].method,
                                  .post_bytes_max = SV_WEB_BODY_BYTES_MAX,
                                  .handle = rows[i].handle,
                                  .user = w};
  w->routes[k++] = (sv_net_route){.path = "/api/releases/",
                                  .prefix = true,
                                  .content_type = "application/json",
                                  .sides = SV_NET_MAIN,
                                  .handle = web_releases,
                                  .user = w};
  w->routes[k++] = (sv_net_route){.path = "/v1/openapi.json",
                                  .content_type = "application/json",
                                  .sides = SV_NET_MAIN,
                                  .body = web_v1_openapi,
                                  .body_bytes = strlen(web_v1_openapi)};
  w->routes[k++] = (sv_net_route){.path = "/v1/",
                                  .prefix = true,
                                  .content_type = "application/json",
                                  .sides = SV_NET_MAIN,
                                  .handle = web_v1,
                                  .user = w};
  *n = k;
  return w->routes;
}

void sv_web_stats_get(sv_web *w, sv_web_stats *out) {
  w->stats.sessions = sv_web_sessions(w, NULL, 0);
  w->stats.hashes = web_hasher_count(&w->passwords);
  *out = w->stats;
}
