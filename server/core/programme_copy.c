/* Ops of the programme's scope that an organisation's people wrote: they live in that organisation's log, and
 * are copied from its queue into the programme's environment. Idempotent: a crash between copy and removal
 * copies again. One organisation at a time is under way once. */
#include <stdlib.h>

#include "session_priv.h"

typedef struct copy_job {
  sv_job job;
  sv_org *from;
  uint64_t id; /* queue entry that was copied, to be removed */
  bool empty;
  sv_touches touches;
} copy_job;

static unsigned index_of(const sv_server *s, const sv_org *org) {
  unsigned i = 0;
  while (i < s->n_orgs && s->orgs[i] != org) i++;
  return i;
}

static int copy_run(sv_job *job, sv_txn *t, ov_arena *a) {
  copy_job *c = (copy_job *)job;
  sv_touches_free(&c->touches);
  c->touches = (sv_touches){0};
  sv_txn *from = NULL;
  sv_op_row row;
  ov_name op;
  int err = sv_txn_read(c->from->env, &from);
  if (!err) err = sv_queue_peek(from, &c->id, &op);
  c->empty = err == OV_E_NOTFOUND;
  if (!err) err = sv_op_get(from, &op, a, &row);
  if (!err) err = sv_ingest_foreign(t, job->org, &row, a, &c->touches);
  sv_txn_abort(from);
  return c->empty ? 0 : err;
}

static int pop_run(sv_job *job, sv_txn *t, ov_arena *a) {
  (void)a;
  return sv_queue_pop(t, ((copy_job *)job)->id);
}

static void copy_done(sv_job *job, void *server);

static int submit(sv_server *s, copy_job *c, sv_org *org, int (*run)(sv_job *, sv_txn *, ov_arena *)) {
  c->job = (sv_job){.org = org, .bytes = sizeof *c, .run = run, .done = copy_done};
  return sv_writer_submit(s->writer, &c->job);
}

/* Sessions of the organisation that waited for it go on, whatever came of it. */
static void end(sv_server *s, copy_job *c) {
  if (s) s->copying[index_of(s, c->from)] = false;
  for (sv_session *ss = s ? s->sessions : NULL; ss; ss = ss->next) {
    if (ss->org == c->from && ss->proved && !ss->closing) ss->link.want_write(ss->link.ctx);
  }
  sv_touches_free(&c->touches);
  free(c);
}

/* Copy, remove, copy the next ... until the queue is empty. On a fault it is tried again with the next
 * tick. */
static void copy_done(sv_job *job, void *server) {
  copy_job *c = (copy_job *)job;
  sv_server *s = server;
  if (!s || job->err || (job->run == copy_run && c->empty)) {
    end(s, c);
    return;
  }
  int err;
  if (job->run == copy_run) {
    sv_server_changed_touches(s, s->o.programme, &c->touches);
    err = submit(s, c, c->from, pop_run);
  } else {
    err = submit(s, c, s->o.programme, copy_run);
  }
  if (err) end(s, c);
}

bool sv_programme_copying(const sv_server *s, const sv_org *org) {
  unsigned i = index_of(s, org);
  return i < s->n_orgs && s->copying[i];
}

void sv_programme_copy_start(sv_server *s, sv_org *org) {
  unsigned i = index_of(s, org);
  if (i == s->n_orgs || s->copying[i]) return;
  sv_txn *t = NULL;
  uint64_t id;
  ov_name op;
  int err = sv_txn_read(org->env, &t);
  if (!err) err = sv_queue_peek(t, &id, &op);
  sv_txn_abort(t);
  copy_job *c = err ? NULL : calloc(1, sizeof *c);
  if (!c) return;
  c->from = org;
  s->copying[i] = true;
  if (submit(s, c, s->o.programme, copy_run)) end(s, c);
}
