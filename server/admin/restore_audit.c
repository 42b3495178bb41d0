/* The audit at a restore: looks do not vanish with the copy that is replaced. Lines that the copy put in
 * place lacks are added behind its own, byte for byte as they were written. Where nothing was added meanwhile
 * they chain to the same hashes under the same numbers; else they get new numbers, and keep their own times.
 * A line says how many came. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "restore.h"
#include "sv_audit.h"

#define BATCH 256u

typedef struct carry {
  sv_org *from, *to;
  uint64_t at; /* of `from`: lines up to here are done */
  bool more;
  ov_hash *known; /* sorted: lines that `to` has behind what both have */
  size_t n_known, cap;
  ov_buf lines[BATCH];
  uint32_t n;
  uint64_t unreadable, added;
} carry;

static int compare_hashes(const void *a, const void *b) { return memcmp(a, b, sizeof(ov_hash)); }

/* The chain's hash after line seq. */
static int head_at(sv_txn *t, uint64_t seq, ov_hash *out) {
  ov_head last;
  ov_buf b;
  int err = sv_audit_last(t, &last);
  *out = last.head;
  if (err || seq == last.seq) return err;
  ov_buf_init(&b, 0);
  err = sv_audit_line(t, seq + 1, out, &b);
  ov_buf_free(&b);
  return err;
}

/* The last line up to which both are one chain; 0: none, or it was cut. */
static uint64_t common_line(sv_txn *a, sv_txn *b) {
  ov_head x, y;
  if (sv_audit_last(a, &x) || sv_audit_last(b, &y)) return 0;
  for (uint64_t seq = x.seq < y.seq ? x.seq : y.seq; seq; seq--) {
    ov_hash h, k;
    if (head_at(a, seq, &h) || head_at(b, seq, &k)) return 0;
    if (!memcmp(&h, &k, sizeof h)) return seq;
  }
  return 0;
}

static int hash_line(sv_txn *t, const ov_buf *line, ov_hash *out) {
  return ov_sha256(sv_txn_hasher(t), line->p, line->n, out);
}

static int remember(carry *c, sv_txn *t, const ov_buf *line) {
  if (c->n_known == c->cap) {
    size_t more = c->cap ? 2 * c->cap : BATCH;
    ov_hash *v = realloc(c->known, more * sizeof *v);
    if (!v) return OV_E_NOMEM;
    c->known = v;
    c->cap = more;
  }
  return hash_line(t, line, &c->known[c->n_known++]);
}

/* What `to` has behind the last common line. */
static int learn(carry *c, sv_txn *t) {
  uint64_t at = c->at;
  ov_buf b;
  ov_buf_init(&b, 0);
  int err = sv_audit_next(t, at, &at);
  while (!err) {
    ov_hash prev;
    ov_buf_reset(&b);
    err = sv_audit_line(t, at, &prev, &b);
    if (!err) err = remember(c, t, &b);
    if (!err) err = sv_audit_next(t, at, &at);
  }
  ov_buf_free(&b);
  if (c->n_known) qsort(c->known, c->n_known, sizeof *c->known, compare_hashes);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int begin(carry *c) {
  sv_txn *from = NULL, *to = NULL;
  int err = sv_txn_read(c->from->env, &from);
  if (!err) err = sv_txn_read(c->to->env, &to);
  if (!err) {
    c->at = common_line(from, to);
    err = learn(c, to);
  }
  sv_txn_abort(from);
  sv_txn_abort(to);
  return err;
}

static bool is_known(const carry *c, sv_txn *t, const ov_buf *line) {
  ov_hash h;
  return c->n_known && !hash_line(t, line, &h) &&
         bsearch(&h, c->known, c->n_known, sizeof h, compare_hashes) != NULL;
}

/* In a read transaction of its own; a damaged line ends it, and the next batch goes on behind it. */
static int read_batch(carry *c) {
  sv_txn *t = NULL;
  int err = sv_txn_read(c->from->env, &t);
  for (c->n = 0; !err && c->n < BATCH;) {
    ov_hash prev;
    ov_buf *b = &c->lines[c->n];
    err = sv_audit_next(t, c->at, &c->at);
    if (err == OV_E_NOTFOUND) c->more = false;
    if (err) break;
    ov_buf_reset(b);
    if (sv_audit_line(t, c->at, &prev, b)) {
      c->unreadable++;
      break;
    }
    if (!is_known(c, t, b)) c->n++;
  }
  sv_txn_abort(t);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int write_batch(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  carry *c = arg;
  (void)a;
  (void)touches;
  c->added = 0;
  for (uint32_t i = 0; i < c->n && !sv_txn_error(t); i++) {
    sv_audit_event e;
    if (sv_audit_read(c->lines[i].p, c->lines[i].n, &e)) continue;
    uint64_t seq;
    sv_audit_add(t, c->lines[i].p, c->lines[i].n, e.has_participant ? &e.participant : NULL, &seq);
    c->added++;
  }
  return sv_txn_error(t);
}

int restore_audit(adm *m, sv_org *from, sv_org *to, merge_counts *counts) {
  carry *c = calloc(1, sizeof *c);
  if (!c) return adm_fail(m, OV_E_NOMEM, NULL, "out of memory");
  *c = (carry){.from = from, .to = to, .more = true};
  for (unsigned i = 0; i < BATCH; i++) ov_buf_init(&c->lines[i], 0);
  int err = begin(c);
  while (!err && c->more) {
    err = read_batch(c);
    if (!err && c->n) err = restore_write(m, to, write_batch, c);
    if (!err && c->n) counts->looks += c->added;
  }
  counts->unreadable += c->unreadable;
  if (err) adm_failed(m, err, "bringing back the audit");
  for (unsigned i = 0; i < BATCH; i++) ov_buf_free(&c->lines[i]);
  free(c->known);
  free(c);
  return m->err;
}

typedef struct told {
  adm *m;
  sv_org *org;
  uint64_t looks;
} told;

static int put_line(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  const told *j = arg;
  sv_audit_event e = {.type = SV_AUDIT_COPY,
                      .action = 'E',
                      .requestor = true,
                      .purpose = SV_FOR_OPERATION,
                      .count = (uint32_t)j->looks};
  (void)a;
  (void)touches;
  snprintf(e.user, sizeof e.user, "%s", j->m->h->user);
  snprintf(e.address, sizeof e.address, "local");
  snprintf(e.detail, sizeof e.detail, "restore: %llu lines of the audit came from newer copies",
           (unsigned long long)j->looks);
  return sv_audit_put(t, j->org, &e);
}

int restore_audit_line(adm *m, sv_org *org, const merge_counts *counts) {
  told j = {.m = m, .org = org, .looks = counts->looks};
  int err = restore_write(m, org, put_line, &j);
  return err ? adm_failed(m, err, "writing to the audit") : 0;
}
