/* Answers that are made of the store and asked for often: the list of releases, the codebook, pages of theme
 * networks. One is made once for as long as the programme's store is as it was, and given to all; who reads
 * it slowly holds a reference, no copy. Service thread only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "web_priv.h"

#define GZIP_BYTES_MIN 512u
/* Compressed on the service thread, once: a few milliseconds. */
#define GZIP_BYTES_MAX (1u << 20)

struct web_made {
  unsigned refs;
  sv_export e;
  uint8_t *gzip; /* NULL: not smaller */
  size_t gzip_n;
};

static void made_drop(web_made *m) {
  if (!m || --m->refs) return;
  sv_export_free(&m->e);
  free(m->gzip);
  free(m);
}

/* The same bytes each time: no name, no time in the header. */
static void made_gzip(web_made *m) {
  const ov_buf *b = &m->e.bytes;
  z_stream z = {0};
  if (b->n < GZIP_BYTES_MIN || b->n > GZIP_BYTES_MAX) return;
  if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return;
  size_t room = deflateBound(&z, b->n);
  uint8_t *p = malloc(room);
  z.next_in = b->p;
  z.avail_in = (uInt)b->n;
  z.next_out = p;
  z.avail_out = (uInt)room;
  if (p && deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out < b->n) {
    m->gzip = p;
    m->gzip_n = z.total_out;
  } else {
    free(p);
  }
  deflateEnd(&z);
}

static int store_version(sv_web *w, uint64_t *version) {
  sv_txn *t = NULL;
  int err = sv_txn_read(sv_server_programme(w->o.server)->env, &t);
  if (!err) *version = sv_txn_version(t);
  sv_txn_abort(t);
  return err;
}

/* The slot of this key, else the one that was asked for longest ago. */
static web_made_slot *slot_of(sv_web *w, const char *key) {
  web_made_slot *oldest = &w->made[0];
  for (unsigned i = 0; i < WEB_MADE_MAX; i++) {
    web_made_slot *s = &w->made[i];
    if (s->made && !strcmp(s->key, key)) return s;
    if (oldest->made && (!s->made || s->asked < oldest->asked)) oldest = s;
  }
  return oldest;
}

static int make(sv_web *w, const web_making *how, web_made_slot *s, uint64_t version) {
  web_made *m = calloc(1, sizeof *m);
  if (!m) return OV_E_NOMEM;
  m->refs = 1;
  int err = how->make(w, how, &m->e);
  if (err) {
    free(m);
    return err;
  }
  made_gzip(m);
  made_drop(s->made);
  *s = (web_made_slot){.made = m, .version = version, .since = web_now(w)};
  snprintf(s->key, sizeof s->key, "%s", how->key);
  w->stats.made++;
  return 0;
}

void web_made_forget(sv_web *w) {
  for (unsigned i = 0; i < WEB_MADE_MAX; i++) {
    made_drop(w->made[i].made);
    w->made[i].made = NULL;
  }
}

/* -- the answer ------------------------------------------------------------------------------------------ */

typedef struct reader {
  web_made *m;
  bool gzip;
} reader;

static size_t pull_made(void *ctx, uint64_t offset, uint8_t *to, size_t max) {
  const reader *r = ctx;
  const uint8_t *p = r->gzip ? r->m->gzip : r->m->e.bytes.p;
  size_t all = r->gzip ? r->m->gzip_n : r->m->e.bytes.n;
  size_t n = offset < all ? all - (size_t)offset : 0;
  if (n > max) n = max;
  if (n) memcpy(to, p + offset, n);
  return n;
}

static void pull_end(void *ctx) {
  made_drop(((reader *)ctx)->m);
  free(ctx);
}

static int give(const sv_net_request *q, web_made *m, const char *type, sv_net_reply *reply) {
  reader *r = malloc(sizeof *r);
  size_t tag = strlen(m->e.etag);
  if (!r) return OV_E_NOMEM;
  *r = (reader){.m = m, .gzip = m->gzip && q->gzip_ok && !q->range};
  m->refs++;
  reply->content_type = type;
  reply->cache = SV_NET_CACHE_CHECK;
  reply->vary_encoding = true;
  memcpy(reply->etag, m->e.etag, tag + 1);
  if (r->gzip) {
    memcpy(reply->etag + tag - 1, "-gz\"", 5);
    reply->encoding = "gzip";
  }
  reply->body_bytes = r->gzip ? m->gzip_n : m->e.bytes.n;
  reply->pull = pull_made;
  reply->pull_ctx = r;
  reply->pull_end = pull_end;
  return 0;
}

int web_made_reply(sv_web *w, const sv_net_request *q, const web_making *how, sv_net_reply *reply) {
  uint64_t version = 0;
  int err = store_version(w, &version);
  if (err) return err;
  web_made_slot *s = slot_of(w, how->key);
  bool fresh = s->made && !strcmp(s->key, how->key) && s->version == version &&
               (!how->life_ms || web_now(w) - s->since < how->life_ms);
  if (!fresh) err = make(w, how, s, version);
  if (err) return err;
  s->asked = web_now(w);
  return give(q, s->made, how->type, reply);
}
