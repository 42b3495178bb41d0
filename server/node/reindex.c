#include "reindex.h"

#include <stdio.h>
#include <string.h>

#include "sv_kinds.h"

#define META_KEY "indexed-by"
#define KINDS_MAX OV_SCHEMA_KINDS_MAX

/* What a kind is indexed by, as stored: one for each kind, ascending. */
typedef struct basis {
  uint16_t kind;
  ov_hash of;
} basis;
typedef struct bases {
  basis v[KINDS_MAX];
  uint32_t n;
} bases;

typedef struct reindexing {
  sv_org *org;
  bases now, was;
  ov_name after; /* last record looked at; seq 0: none */
  uint64_t mended;
  bool done;
} reindexing;

static int basis_of(ov_hasher *h, const ov_skind *k, basis *out) {
  ov_buf b;
  ov_buf_init(&b, 0);
  ov_buf_put(&b, &k->occurred, sizeof k->occurred);
  for (uint32_t i = 0; i < k->n_natural_key; i++)
    ov_buf_put(&b, &k->natural_key[i], sizeof k->natural_key[i]);
  out->kind = k->id;
  int err = b.err ? b.err : ov_sha256(h, b.p, b.n, &out->of);
  ov_buf_free(&b);
  return err;
}

static int bases_now(reindexing *x, ov_hasher *h) {
  const ov_skind *k;
  int err = 0;
  x->now.n = 0;
  for (uint32_t i = 0; !err && x->now.n < KINDS_MAX && (k = ov_schemas_at(x->org->schemas, i)); i++)
    err = basis_of(h, k, &x->now.v[x->now.n++]);
  return err;
}

static int bases_before(reindexing *x, sv_txn *t) {
  ov_buf b;
  ov_buf_init(&b, sizeof x->was.v);
  x->was.n = 0;
  int err = sv_meta_get(t, META_KEY, &b);
  if (!err && (b.n > sizeof x->was.v || b.n % sizeof(basis))) err = OV_E_CORRUPT;
  if (!err && b.n) memcpy(x->was.v, b.p, b.n);
  if (!err) x->was.n = (uint32_t)(b.n / sizeof(basis));
  ov_buf_free(&b);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static const basis *find(const bases *b, uint16_t kind) {
  for (uint32_t i = 0; i < b->n; i++) {
    if (b->v[i].kind == kind) return &b->v[i];
  }
  return NULL;
}

/* A kind that was not known before may have records all the same: kept for it until its schema came. */
static bool differs(const reindexing *x, uint16_t kind) {
  const basis *now = find(&x->now, kind), *was = find(&x->was, kind);
  return now && (!was || memcmp(&now->of, &was->of, sizeof now->of) != 0);
}

static bool any_differs(const reindexing *x) {
  for (uint32_t i = 0; i < x->now.n; i++) {
    if (differs(x, x->now.v[i].kind)) return true;
  }
  return false;
}

static int one_record(reindexing *x, sv_txn *t, ov_arena *a, uint64_t *mended) {
  sv_record_row row;
  bool differed = false;
  ov_arena_reset(a);
  int err = sv_record_get(t, &x->after, a, &row);
  if (!err && differs(x, row.rec.kind)) err = sv_reindex(t, x->org, &x->after, a, &differed);
  *mended += differed;
  return err;
}

/* One page of records, from x->after on. */
static int page(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  reindexing *x = arg;
  ov_name start = x->after;
  uint64_t mended = 0;
  int err = 0;
  (void)touches;
  for (unsigned i = 0; !err && i < SV_REINDEX_PAGE; i++) {
    ov_name next;
    err = sv_record_next(t, x->after.seq ? &x->after : NULL, &next);
    if (err) break;
    x->after = next;
    err = one_record(x, t, a, &mended);
  }
  x->done = err == OV_E_NOTFOUND;
  if (x->done) err = sv_meta_put(t, META_KEY, x->now.v, x->now.n * sizeof(basis));
  if (err || sv_txn_error(t)) x->after = start; /* it is run again once the map has grown */
  else x->mended += mended;
  return err;
}

static int compare(reindexing *x) {
  sv_txn *t = NULL;
  int err = sv_txn_read(x->org->env, &t);
  if (err) return err;
  err = bases_now(x, sv_txn_hasher(t));
  if (!err) err = bases_before(x, t);
  sv_txn_abort(t);
  return err;
}

int sv_reindex_org(sv_org *org) {
  reindexing x = {.org = org};
  int err = compare(&x);
  if (err || !any_differs(&x)) return err;
  while (!err && !x.done) err = sv_node_write(org, page, &x, NULL);
  if (!err && x.mended && org->sys->log) {
    char hex[2 * OV_ID_BYTES + 1], f[120];
    ov_hex(org->id.b, OV_ID_BYTES, hex);
    snprintf(f, sizeof f, "organisation=%s records=%llu", hex, (unsigned long long)x.mended);
    org->sys->log(org->sys->ctx, SV_LOG_INFO, "reindexed", f);
  }
  return err;
}
