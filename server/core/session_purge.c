/* The end of a device: it was told by WELCOME that it has no scopes any more, handed in what it had not sent,
 * wiped what it had received, and says so by an ACKED without cursors. That is written down with the device
 * and in the audit; from then on it is refused at the door. PROTO-161 */
#include <stdio.h>
#include <stdlib.h>

#include "session_priv.h"
#include "sv_audit.h"

typedef struct purge_job {
  sv_job job;
  uint64_t session;
  ov_id device;
  sv_audit_event event;
  int64_t now_ms;
} purge_job;

static int purge_run(sv_job *job, sv_txn *t, ov_arena *a) {
  purge_job *p = (purge_job *)job;
  sv_device d;
  (void)a;
  int err = sv_device_get(t, &p->device, &d);
  if (err || d.purged_ms) return err == OV_E_NOTFOUND ? 0 : err;
  d.purged_ms = p->now_ms;
  sv_device_put(t, &d);
  p->event.has_object = true;
  p->event.object = d.record;
  p->event.count = (uint32_t)(d.quarantined < UINT32_MAX ? d.quarantined : UINT32_MAX);
  return sv_audit_put(t, job->org, &p->event);
}

static void purge_done(sv_job *job, void *server) {
  purge_job *p = (purge_job *)job;
  sv_session *ss = server ? sv_session_find(server, p->session) : NULL;
  if (ss) sv_session_fail(ss, job->err ? job->err : OV_E_REVOKED, "purged");
  free(p);
}

void sv_purge_received(sv_session *ss) {
  sv_server *s = ss->server;
  purge_job *p = calloc(1, sizeof *p);
  if (!p) {
    sv_session_fail(ss, OV_E_NOMEM, "purge");
    return;
  }
  p->job = (sv_job){.org = ss->org, .bytes = sizeof *p, .run = purge_run, .done = purge_done};
  p->session = ss->id;
  p->device = ss->device.id;
  p->now_ms = s->o.sys->now_ms(s->o.sys->ctx);
  p->event = (sv_audit_event){.type = SV_AUDIT_REVOKE,
                              .action = 'D',
                              .kind = OV_KIND_DEVICE,
                              .has_device = true,
                              .device = ss->device.id,
                              .purpose = SV_FOR_ADMINISTRATION};
  snprintf(p->event.address, sizeof p->event.address, "%s", ss->peer_address);
  snprintf(p->event.detail, sizeof p->event.detail, "purged; so many entries were handed in and are held");
  int err = sv_writer_submit(s->writer, &p->job);
  if (!err) return;
  free(p);
  sv_session_fail(ss, err, "purge");
}
