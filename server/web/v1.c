/* /v1/: releases for researchers. A bearer token and nothing else opens it; there is no cookie here, so no
 * page can be made to ask for somebody. What is given are files made once with the release: the network adds
 * entity tags, ranges and HEAD, and this file the token and words for what went wrong. A file is read from
 * the store piece by piece as the socket takes it, in gzip as it was compressed when it was made, so that a
 * reader, slow or quick, costs the memory of a piece. The list and the codebook are made when asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sv_audit.h"
#include "sv_release.h"
#include "web_priv.h"

/* When a token was last used is kept to the hour, so that reading costs no write each time. */
#define USED_GRAIN_MS (60ll * 60 * 1000)

static int refuse(sv_net_reply *reply, int status, const char *code, const char *en, const char *nl) {
  char type[80], *headers = reply->headers; /* a session's renewed cookie among them */
  reply->headers = NULL;
  sv_net_reply_free(reply);
  reply->headers = headers;
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
  sv_audit_event event;
} used_job;

static int note_used(sv_job *job, sv_txn *t, ov_arena *a) {
  used_job *u = (used_job *)job;
  sv_token tok;
  (void)a;
  int err = sv_token_get(t, u->hash, &tok); /* again: it may be revoked by now, which must stand */
  if (err) return err == OV_E_NOTFOUND ? 0 : err;
  tok.used_ms = u->now_ms;
  err = sv_token_put(t, &tok);
  return err ? err : sv_audit_put(t, u->job.org, &u->event);
}

static void used_done(sv_job *job, void *server) {
  (void)server;
  free(job);
}

/* Figures, about nobody: one line an hour, so that it is seen which tokens live. */
static sv_audit_event use_event(const sv_net_request *q, const sv_token *tok) {
  char id[2 * SV_TOKEN_ID_BYTES + 1];
  sv_audit_event e = {.type = SV_AUDIT_EXPORT,
                      .action = 'R',
                      .requestor = true,
                      .purpose = SV_FOR_RESEARCH,
                      .has_person = !ov_name_is_zero(&tok->person),
                      .person = tok->person};
  ov_hex(tok->hash, SV_TOKEN_ID_BYTES, id);
  snprintf(e.user, sizeof e.user, "token %s", id);
  snprintf(e.address, sizeof e.address, "%.47s", q->peer);
  snprintf(e.detail, sizeof e.detail, "releases over HTTP");
  return e;
}

static void used(sv_web *w, const sv_net_request *q, const sv_token *tok, int64_t now_ms) {
  if (now_ms - tok->used_ms < USED_GRAIN_MS) return;
  used_job *u = calloc(1, sizeof *u);
  if (!u) return;
  u->job = (sv_job){
      .org = sv_server_programme(w->o.server), .bytes = sizeof *u, .run = note_used, .done = used_done};
  u->now_ms = now_ms;
  u->event = use_event(q, tok);
  memcpy(u->hash, tok->hash, sizeof u->hash);
  if (sv_writer_submit(sv_server_writer(w->o.server), &u->job)) free(u);
}

static bool bearer(const char *authorization) {
  return authorization && strncasecmp(authorization, "Bearer ", 7) == 0 && authorization[7];
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
  case SV_TOKEN_OK:
    if (!web_token_stands(w, tok)) break;
    used(w, q, tok, now);
    return true;
  case SV_TOKEN_EXPIRED:
    refuse(reply, 401, "token-expired", "This token has expired. Ask for a new one.",
           "Dit token is verlopen. Vraag een nieuw aan.");
    return false;
  case SV_TOKEN_REVOKED: break;
  case SV_TOKEN_UNKNOWN:
    if (bearer(q->authorization))
      refuse(reply, 401, "token-unknown", "This server does not know this token.",
             "Deze server kent dit token niet.");
    else
      refuse(reply, 401, "token-missing", "Give a token: Authorization: Bearer ovr1_...",
             "Geef een token mee: Authorization: Bearer ovr1_...");
    return false;
  }
  refuse(reply, 401, "token-revoked", "This token was revoked.", "Dit token is ingetrokken.");
  return false;
}

/* -- the paths ------------------------------------------------------------------------------------------- */

/* "releases/{release}/{dataset}.{format}" and "codebook.{format}", taken apart. */
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
  const char *p = path;
  *x = (wanted){.list = strcmp(path, "releases") == 0};
  if (x->list) return true;
  if (strncmp(p, "releases/", 9) == 0) {
    p += 9;
    if (!take_part(&p, "/", x->release, sizeof x->release) || *p++ != '/') return false;
  }
  return take_part(&p, "./", x->dataset, sizeof x->dataset) && *p++ == '.' &&
         take_part(&p, "/.", x->format, sizeof x->format) && !*p &&
         (x->release[0] || strcmp(x->dataset, "codebook") == 0);
}

/* -- the answer ------------------------------------------------------------------------------------------ */

static void describe(sv_net_reply *reply, const char *type, const char *etag, const char *file_name) {
  reply->content_type = type;
  reply->cache = SV_NET_CACHE_CHECK;
  reply->vary_encoding = true;
  snprintf(reply->etag, sizeof reply->etag, "%s", etag);
  if (*file_name) web_reply_header(reply, "Content-Disposition: attachment; filename=\"%s\"\r\n", file_name);
}

static size_t pull_piece(void *ctx, uint64_t offset, uint8_t *to, size_t max) {
  size_t n = 0;
  return sv_export_read(ctx, offset, to, max, &n) ? 0 : n;
}

static int give_file(sv_web *w, const sv_net_request *q, const wanted *x, sv_format f, sv_net_reply *reply) {
  sv_export_file *file = malloc(sizeof *file);
  if (!file) return OV_E_NOMEM;
  int err = sv_export_open(sv_server_programme(w->o.server), x->release, x->dataset, f,
                           q->gzip_ok && !q->range, file);
  if (err) {
    free(file);
    return err;
  }
  describe(reply, sv_format_content_type(f), file->etag, file->file_name);
  if (file->gzip) reply->encoding = "gzip";
  reply->body_bytes = file->bytes;
  reply->pull = pull_piece;
  reply->pull_ctx = file;
  reply->pull_end = free;
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

static int make_list(sv_web *w, const web_making *how, sv_export *e) {
  (void)how;
  return sv_export_releases(sv_server_programme(w->o.server), e);
}

static int make_codebook(sv_web *w, const web_making *how, sv_export *e) {
  return sv_export_codebook(sv_server_programme(w->o.server), (sv_format)how->number, e);
}

static int give_list(sv_web *w, const sv_net_request *q, sv_net_reply *reply) {
  const web_making how = {.key = "releases", .type = "application/json", .make = make_list};
  return web_made_reply(w, q, &how, reply);
}

static int give_codebook(sv_web *w, const sv_net_request *q, sv_format f, sv_net_reply *reply) {
  char key[WEB_MADE_KEY_MAX];
  const web_making how = {
      .key = key, .type = sv_format_content_type(f), .make = make_codebook, .number = (unsigned)f};
  snprintf(key, sizeof key, "codebook.%s", sv_format_name(f));
  int err = web_made_reply(w, q, &how, reply);
  if (!err) web_reply_header(reply, "Content-Disposition: attachment; filename=\"overdracht-%s\"\r\n", key);
  return err;
}

/* tok: NULL for a person, whose role was asked. */
static int answer(sv_web *w, const sv_net_request *q, const char *path, const sv_token *tok,
                  sv_net_reply *reply) {
  wanted x;
  sv_format f = SV_FORMAT_JSON;
  if (!take_apart(path, &x))
    return refuse(reply, 404, "unknown-path", "There is nothing here; /v1/openapi.json says what there is.",
                  "Hier is niets; /v1/openapi.json zegt wat er is.");
  if (sv_net_arg(q, "breakdown")) {
    char en[160];
    snprintf(en, sizeof en,
             "Breakdowns are fixed when a release is made: all, %s. None can be asked for here.",
             sv_breakdown_list);
    return refuse(reply, 400, "no-breakdown", en,
                  "De uitsplitsingen liggen vast: alle netwerken, per netwerk, of per soort netwerk.");
  }
  if (q->args && *q->args)
    return refuse(reply, 400, "no-arguments", "This interface takes no arguments.",
                  "Hier kunnen geen vragen bij.");
  bool general = x.list || strcmp(x.dataset, "codebook") == 0 || strcmp(x.dataset, "datapackage") == 0;
  if (!x.list && sv_format_parse(x.format, &f)) return not_there(reply, OV_E_INVALID);
  if (!x.list && !sv_export_has(x.dataset, f)) return not_there(reply, OV_E_INVALID);
  if (!general && tok && !sv_token_covers(tok, x.dataset))
    return refuse(reply, 403, "out-of-scope", "This token does not cover this dataset.",
                  "Dit token geldt niet voor deze gegevens.");
  int err = x.list          ? give_list(w, q, reply)
            : !x.release[0] ? give_codebook(w, q, f, reply)
                            : give_file(w, q, &x, f, reply);
  return err ? not_there(reply, err) : 0;
}

int web_v1(void *user, const sv_net_request *q, sv_net_reply *reply) {
  sv_web *w = user;
  sv_token tok;
  return token_opens(w, q, &tok, reply) ? answer(w, q, q->path + strlen("/v1/"), &tok, reply) : 0;
}

int web_v1_for_person(sv_web *w, const sv_net_request *q, sv_net_reply *reply) {
  return answer(w, q, q->path + strlen("/api/"), NULL, reply);
}
