/* An erasure from its first step to its last, and those that were done before; see sv_erase.h. */
#include "sv_erase.h"

#include <stdio.h>
#include <stdlib.h>

#include "sv_erasures.h"

#define PATH_BYTES 4096

int sv_erase_list_path(const char *data, char *out, size_t n) {
  int len = snprintf(out, n, "%s/erasures", data);
  return len < 0 || (size_t)len >= n ? OV_E_LIMIT : 0;
}

typedef struct page_job {
  sv_org *org;
  sv_erase before, now; /* the work may be run again from the start */
} page_job;

static int page_work(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  page_job *j = arg;
  j->now = j->before;
  return sv_ingest_erase(t, j->org, &j->now, a, touches);
}

static int run_pages(sv_org *org, sv_erase *e, sv_erase_write write, void *ctx) {
  page_job j = {.org = org, .before = *e};
  int err;
  do {
    err = write(ctx, org, page_work, &j);
    if (!err) j.before = j.now;
  } while (!err && !j.now.done);
  *e = j.before;
  return err;
}

/* The list first: should the machine stop now, the next start goes on. */
int sv_erase_run(const char *data, sv_org *org, sv_erase *e, sv_erase_write write, void *ctx) {
  char list[PATH_BYTES];
  sv_erasure entry = {.organisation = org->id, .participant = e->participant, .at_ms = e->at_ms};
  int err = sv_erase_list_path(data, list, sizeof list);
  if (!err) err = sv_erasures_add(list, &entry, 1);
  if (!err && !sv_keyring_destroyed(org->keyring, &e->participant))
    err = sv_keyring_destroy(org->keyring, &e->participant);
  return err ? err : run_pages(org, e, write, ctx);
}

/* Done is: no key, no record that is found by the participant, and a tombstone. */
static int is_done(sv_org *org, const ov_name *participant, bool *done) {
  sv_txn *t = NULL;
  ov_name name;
  uint32_t n = 0;
  *done = false;
  if (!sv_keyring_destroyed(org->keyring, participant)) return 0;
  int err = sv_txn_read(org->env, &t);
  if (!err) err = sv_by_participant(t, participant, NULL, &name, 1, &n);
  if (!err && !n) err = sv_erase_tombstone(t, participant, &name);
  *done = !err && !n;
  sv_txn_abort(t);
  return err == OV_E_NOTFOUND ? 0 : err;
}

static int replay_one(const char *data, sv_org *org, const sv_erasure *x, sv_erase_write write, void *ctx,
                      uint32_t *n) {
  sv_erase e = {.participant = x->participant, .ground = SV_ERASE_REQUEST, .at_ms = x->at_ms};
  bool done;
  int err = is_done(org, &x->participant, &done);
  if (err || done) return err;
  err = sv_erase_run(data, org, &e, write, ctx);
  *n += !err;
  return err;
}

int sv_erase_replay(const char *data, const char *const *lists, sv_org *org, sv_erase_write write, void *ctx,
                    uint32_t *n) {
  *n = 0;
  int err = 0;
  for (; !err && *lists; lists++) {
    sv_erasure *v = NULL;
    uint32_t count = 0;
    err = sv_erasures_read(*lists, &v, &count);
    for (uint32_t i = 0; !err && i < count; i++) {
      if (ov_id_equal(&v[i].organisation, &org->id)) err = replay_one(data, org, &v[i], write, ctx, n);
    }
    free(v);
  }
  return err;
}
