/* /v1/: releases for researchers. A bearer token and nothing else opens it; there is no cookie here, so no
 * page can be made to ask for somebody. What is given are files made once with the release: the network adds
 * entity tags, ranges and HEAD, and this file the token, gzip and words for what went wrong. One file is in
 * memory at a time for each request, at most 8 MiB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sv_export.h"
#include "web_priv.h"

/* Compressed on the way out: small enough for the service thread to do in a few milliseconds. */
#define GZIP_BYTES_MIN 512u
#define GZIP_BYTES_MAX (1u << 20)
/* When a token was last used is kept to the hour, so that reading costs no write each time. */
#define USED_GRAIN_MS (60ll * 60 * 1000)

static int refuse(sv_net_reply *reply, int status, const char *code, const char *en, const char *nl) {
  char type[80];
  sv_net_reply_free(reply);
  snprintf(type, sizeof type, "urn:overdracht:problem:%s", code);
  reply->status = status;
  reply->content_type = "application/problem+json";
  if (status == 401)
    web_reply_header(reply, "WWW-Authenticate: Bearer realm=\"overdracht\", error=\"invalid_token\"\r\n");
  return web_json_reply(reply, json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type", type, "title", en,
                                         "status", status, "code", code, "en", en, "nl", nl));
}

/* -- the token ------------------------------------------------------------------------------------------- */

typedef struct used_job {
  sv_job job;
  uint8_t hash[OV_HASH_BYTES];
  int64_t now_ms;
} used_job;

static int note_used(sv_job *job, sv_txn *t, ov_arena *a) {
  used_job *u = (used_job *)job;
  sv_token tok;
  (void)a;
  int err = sv_token_get(t, u->hash, &tok); /* again: it may be revoked by now, which must stand */
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  tok.used_ms = u->now_ms;
  return sv_token_put(t, &tok);
}

static void used_done(sv_job *job, void *server) {
  (void)server;
  free(job);
}

static void used(sv_web *w, const sv_token *tok, int64_t now_ms) {
  if (now_ms - tok->used_ms < USED_GRAIN_MS) return;
  used_job *u = calloc(1, sizeof *u);
  if (!u) return;
  u->job = (sv_job){
      .org = sv_server_programme(w->o.server), .bytes = sizeof *u, .run = note_used, .done = used_done};
  u->now_ms = now_ms;
  memcpy(u->hash, tok->hash, sizeof u->hash);
  if (sv_writer_submit(sv_server_writer(w->o.server), &u->job)) free(u);
}

/* False: refused, in reply. */
static bool token_opens(sv_web *w, const sv_net_request *q, sv_token *tok, sv_net_reply *reply) {
  sv_txn *t = NULL;
  int64_t now = w->o.sys->now_ms(w->o.sys->ctx);
  if (sv_txn_read(sv_server_programme(w->o.server)->env, &t)) {
    web_problem_reply(reply, WEB_P_BUSY, 5);
    return false;
  }
  sv_token_verdict v = sv_token_check(t, q->authorization, now, tok);
  sv_txn_abort(t);
  switch (v) {
  case SV_TOKEN_OK: used(w, tok, now); return true;
  case SV_TOKEN_EXPIRED:
    refuse(reply, 401, "token-expired", "This token has expired. Ask for a new one.",
           "Dit token is verlopen. Vraag een nieuw aan.");
    return false;
  case SV_TOKEN_REVOKED:
    refuse(reply, 401, "token-revoked", "This token was revoked.", "Dit token is ingetrokken.");
    return false;
  default:
    refuse(reply, 401, "token-missing", "Give a token: Authorization: Bearer ovr1_...",
           "Geef een token mee: Authorization: Bearer ovr1_...");
    return false;
  }
}

/* -- the paths ------------------------------------------------------------------------------------------- */

/* "/v1/releases/{release}/{dataset}.{format}" and "/v1/codebook.{format}", taken apart. */
typedef struct wanted {
  bool list;
  char release[40], dataset[60], format[10];
} wanted;

static bool take_part(const char **at, const char *stop, char *out, size_t cap) {
  size_t n = strcspn(*at, stop);
  if (!n || n >= cap) return false;
  memcpy(out, *at, n);
  out[n] = 0;
  *at += n;
  return true;
}

static bool take_apart(const char *path, wanted *x) {
  *x = (wanted){.list = strcmp(path, "/v1/releases") == 0};
  if (x->list) return true;
  const char *p = path + strlen("/v1/");
  if (strncmp(p, "releases/", 9) == 0) {
    p += 9;
    if (!take_part(&p, "/", x->release, sizeof x->release) || *p++ != '/') return false;
  }
  return take_part(&p, "./", x->dataset, sizeof x->dataset) && *p++ == '.' &&
         take_part(&p, "/.", x->format, sizeof x->format) && !*p &&
         (x->release[0] || strcmp(x->dataset, "codebook") == 0);
}

static int get(sv_web *w, const wanted *x, sv_format f, sv_export *e) {
  sv_org *programme = sv_server_programme(w->o.server);
  if (x->list) return sv_export_releases(programme, e);
  if (!x->release[0]) return sv_export_codebook(programme, f, e);
  return sv_export_get(programme, x->release, x->dataset, f, e);
}

/* -- the answer ------------------------------------------------------------------------------------------ */

/* The same bytes each time: no name, no time in the header. NULL: it goes as it is. */
static uint8_t *gzip(const ov_buf *b, size_t *n) {
  z_stream z = {0};
  if (b->n < GZIP_BYTES_MIN || b->n > GZIP_BYTES_MAX) return NULL;
  if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return NULL;
  size_t room = deflateBound(&z, b->n);
  uint8_t *p = malloc(room);
  z.next_in = b->p;
  z.avail_in = (uInt)b->n;
  z.next_out = p;
  z.avail_out = (uInt)room;
  bool ok = p && deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out < b->n;
  *n = z.total_out;
  deflateEnd(&z);
  if (ok) return p;
  free(p);
  return NULL;
}

static int give(const sv_net_request *q, sv_export *e, const char *type, sv_net_reply *reply) {
  size_t n = 0, tag = strlen(e->etag);
  uint8_t *small = q->gzip_ok && !q->range ? gzip(&e->bytes, &n) : NULL;
  reply->content_type = type;
  reply->cache = SV_NET_CACHE_CHECK;
  reply->vary_encoding = true;
  memcpy(reply->etag, e->etag, tag + 1);
  if (small && tag) memcpy(reply->etag + tag - 1, "-gz\"", 5);
  if (e->file_name[0])
    web_reply_header(reply, "Content-Disposition: attachment; filename=\"%s\"\r\n", e->file_name);
  if (small) {
    reply->encoding = "gzip";
    reply->body = small;
    reply->body_bytes = n;
  } else { /* ours from malloc, theirs to free */
    reply->body = e->bytes.p;
    reply->body_bytes = e->bytes.n;
    memset(&e->bytes, 0, sizeof e->bytes);
  }
  sv_export_free(e);
  return 0;
}

static int not_there(sv_net_reply *reply, int err) {
  char en[600];
  if (err == OV_E_NOTFOUND)
    return refuse(reply, 404, "unknown-release", "There is no such release; GET /v1/releases lists them.",
                  "Deze uitgave bestaat niet; GET /v1/releases geeft de lijst.");
  if (err != OV_E_INVALID) return web_problem_reply(reply, WEB_P_BUSY, 5);
  snprintf(en, sizeof en, "There is no such dataset in this format. There are: %.500s", sv_export_list);
  return refuse(reply, 404, "unknown-dataset", en, "Deze gegevens zijn er niet in deze vorm.");
}

int web_v1(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  sv_token tok;
  sv_export e = {0};
  wanted x;
  sv_format f = SV_FORMAT_JSON;
  if (!token_opens(w, q, &tok, reply)) return 0;
  if (!take_apart(q->path, &x))
    return refuse(reply, 404, "unknown-path", "There is nothing here; /v1/openapi.json says what there is.",
                  "Hier is niets; /v1/openapi.json zegt wat er is.");
  if (q->args && *q->args)
    return refuse(reply, 400, "no-arguments", "This interface takes no arguments: breakdowns are fixed.",
                  "Hier kunnen geen vragen bij: de uitsplitsingen liggen vast.");
  bool general = x.list || strcmp(x.dataset, "codebook") == 0 || strcmp(x.dataset, "datapackage") == 0;
  if (!x.list && sv_format_parse(x.format, &f)) return not_there(reply, OV_E_INVALID);
  if (!x.list && !sv_export_has(x.dataset, f)) return not_there(reply, OV_E_INVALID);
  if (!general && !sv_token_covers(&tok, x.dataset))
    return refuse(reply, 403, "out-of-scope", "This token does not cover this dataset.",
                  "Dit token geldt niet voor deze gegevens.");
  int err = get(w, &x, f, &e);
  return err ? not_there(reply, err) : give(q, &e, sv_format_content_type(f), reply);
}
