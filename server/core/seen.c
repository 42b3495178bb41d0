/* When a device was last here, and until when it had sent all that it has: HELLO and PUSH say whether more is
 * to come. Greeting writes nothing, so that a sync with nothing new costs no fsync: who
 * was here is remembered, and written down once a minute together. A crash in between forgets a minute. */
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"

#define SEEN_EVERY_MS (60 * 1000)

typedef struct seen_job {
  sv_job job;
  unsigned n;
  seen_mark marks[];
} seen_job;

void sv_seen_note(sv_session *ss) {
  sv_server *s = ss->server;
  int64_t now = s->o.sys->now_ms(s->o.sys->ctx);
  for (unsigned i = 0; i < s->n_seen; i++) {
    if (!ov_id_equal(&s->seen[i].device, &ss->device.id)) continue;
    s->seen[i].ms = now;
    if (ss->all_sent) s->seen[i].all_sent_ms = now;
    return;
  }
  if (s->n_seen == SV_SEEN_MAX) return; /* it greets again */
  s->seen[s->n_seen++] = (seen_mark){
      .org = ss->org, .device = ss->device.id, .ms = now, .all_sent_ms = ss->all_sent ? now : 0};
}

static int seen_run(sv_job *job, sv_txn *t, ov_arena *a) {
  seen_job *j = (seen_job *)job;
  (void)a;
  for (unsigned i = 0; i < j->n; i++) {
    sv_device d;
    int err = sv_device_get(t, &j->marks[i].device, &d);
    if (err == OV_E_NOTFOUND || (!err && d.last_seen_ms >= j->marks[i].ms)) continue;
    if (err) return err;
    d.last_seen_ms = j->marks[i].ms;
    if (j->marks[i].all_sent_ms > d.all_sent_ms) d.all_sent_ms = j->marks[i].all_sent_ms;
    err = sv_device_put(t, &d);
    if (err) return err;
  }
  return 0;
}

static void seen_done(sv_job *job, void *server) {
  (void)server;
  free(job);
}

/* Those of the first mark's organisation go into one job; the rest moves up. */
static void write_some(sv_server *s) {
  sv_org *org = s->seen[0].org;
  unsigned n = 0, left = 0;
  seen_job *j = malloc(sizeof *j + s->n_seen * sizeof *j->marks);
  if (!j) {
    s->n_seen = 0;
    return;
  }
  for (unsigned i = 0; i < s->n_seen; i++) {
    if (s->seen[i].org == org) j->marks[n++] = s->seen[i];
    else s->seen[left++] = s->seen[i];
  }
  s->n_seen = left;
  j->n = n;
  j->job = (sv_job){
      .org = org, .bytes = sizeof *j + n * sizeof *j->marks, .run = seen_run, .done = seen_done};
  if (sv_writer_submit(s->writer, &j->job)) free(j); /* it is busy: the next greeting is written */
}

void sv_seen_write(sv_server *s) {
  while (s->n_seen) write_some(s);
}

void sv_seen_tick(sv_server *s, int64_t mono) {
  if (mono - s->seen_mono < SEEN_EVERY_MS) return;
  s->seen_mono = mono;
  sv_seen_write(s);
}

bool sv_server_device_here(const sv_server *s, const ov_id *device, bool *all_sent) {
  *all_sent = false;
  for (const sv_session *ss = s->sessions; ss; ss = ss->next) {
    if (!ss->proved || ss->closing || !ov_id_equal(&ss->device.id, device)) continue;
    *all_sent = ss->all_sent;
    return true;
  }
  return false;
}
