/* What sessions leave in the audit. Reading: before the first record about a participant goes to a device, a
 * line that says so is on disk; one line for each session and participant, written by the writer together
 * with whatever else waits. A sync that brings nothing about anybody writes nothing. Refusals: who was turned
 * away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"
#include "sv_audit.h"
#include "sv_rights.h"

/* -- reads ----------------------------------------------------------------------------------------------- */

void sv_reads_drop_frame(sv_session *ss) {
  ss->reads.waits = false;
  ov_buf_free(&ss->reads.frame);
}

void sv_reads_free(sv_session *ss) {
  sv_reads_drop_frame(ss);
  free(ss->reads.known);
  free(ss->reads.fresh);
}

void sv_reads_begin(sv_session *ss) { ss->reads.n_fresh = 0; }

static int compare_names(const void *a, const void *b) { return ov_name_compare(a, b); }

static int append(ov_name **v, uint32_t *n, uint32_t *cap, const ov_name *name) {
  if (*n == *cap) {
    uint32_t more = *cap ? *cap * 2 : 16;
    ov_name *p = realloc(*v, more * sizeof *p);
    if (!p) return OV_E_NOMEM;
    *v = p;
    *cap = more;
  }
  (*v)[(*n)++] = *name;
  return 0;
}

int sv_reads_add(sv_session *ss, const ov_record *rec) {
  session_reads *r = &ss->reads;
  bool self = rec->kind == OV_KIND_PARTICIPANT;
  const ov_name *who = self ? &rec->name : &rec->participant;
  if (!self && !rec->has_participant) return 0;
  if (r->n_known && bsearch(who, r->known, r->n_known, sizeof *who, compare_names)) return 0;
  for (uint32_t i = r->n_fresh; i-- > 0;) {
    if (ov_name_equal(&r->fresh[i], who)) return 0;
  }
  return append(&r->fresh, &r->n_fresh, &r->cap_fresh, who);
}

bool sv_reads_unknown(const sv_session *ss) { return ss->reads.n_fresh > 0; }

typedef struct reads_job {
  sv_job job;
  uint64_t session;
  sv_audit_event event; /* but for the participant */
  uint32_t n;
  ov_name participants[];
} reads_job;

static int reads_run(sv_job *job, sv_txn *t, ov_arena *a) {
  reads_job *j = (reads_job *)job;
  (void)a;
  for (uint32_t i = 0; i < j->n; i++) {
    j->event.has_participant = true;
    j->event.participant = j->participants[i];
    sv_audit_put(t, job->org, &j->event);
  }
  return sv_txn_error(t);
}

/* They are in the audit now: the frame may go. */
static void remember(sv_session *ss, const reads_job *j) {
  session_reads *r = &ss->reads;
  if (r->n_known + j->n > SV_READS_MAX) r->n_known = 0;
  for (uint32_t i = 0; i < j->n; i++) {
    /* what cannot be remembered is told again another time */
    if (append(&r->known, &r->n_known, &r->cap_known, &j->participants[i])) break;
  }
  if (r->n_known) qsort(r->known, r->n_known, sizeof *r->known, compare_names);
  r->n_fresh = 0;
}

static void reads_done(sv_job *job, void *server) {
  reads_job *j = (reads_job *)job;
  sv_session *ss = server ? sv_session_find(server, j->session) : NULL;
  if (ss) {
    ss->reads.writing = false;
    if (job->err) {
      sv_reads_drop_frame(ss);
      sv_session_fail(ss, job->err, "the audit cannot be written");
    } else {
      remember(ss, j);
      ss->link.want_write(ss->link.ctx);
    }
  }
  free(j);
}

static uint8_t purpose_of(unsigned role) {
  switch (role) {
  case SV_ROLE_PRIVACY_OFFICER: return SV_FOR_CLIENT_RIGHTS;
  case SV_ROLE_ORG_ADMIN:
  case SV_ROLE_PROGRAMME_ADMIN: return SV_FOR_ADMINISTRATION;
  case SV_ROLE_HUB: return SV_FOR_OPERATION;
  default: return SV_FOR_CARE;
  }
}

static void fill(const sv_session *ss, sv_audit_event *e) {
  e->has_device = true;
  e->device = ss->device.id;
  e->requestor = true;
  snprintf(e->address, sizeof e->address, "%s", ss->peer_address);
  e->has_person = ss->reader.personal;
  e->person = ss->reader.person;
  e->role = (uint8_t)(ss->reader.personal ? ss->reader.role : SV_ROLE_NONE);
}

int sv_reads_write(sv_session *ss, const scope_follow *f, const ov_delta *d, uint64_t head, ov_buf *plain) {
  session_reads *r = &ss->reads;
  size_t bytes = sizeof(reads_job) + r->n_fresh * sizeof *r->fresh;
  reads_job *j = calloc(1, bytes);
  if (!j) return OV_E_NOMEM;
  j->job = (sv_job){.org = ss->org, .bytes = bytes, .run = reads_run, .done = reads_done};
  j->session = ss->id;
  j->event = (sv_audit_event){.type = SV_AUDIT_SYNC,
                              .action = 'R',
                              .purpose = purpose_of(ss->reader.role),
                              .team = f->scope >= 2 ? f->scope : 0};
  fill(ss, &j->event);
  snprintf(j->event.detail, sizeof j->event.detail, "to a %s device",
           ss->reader.personal ? "personal" : "shared");
  j->n = r->n_fresh;
  memcpy(j->participants, r->fresh, r->n_fresh * sizeof *r->fresh);
  int err = sv_writer_submit(ss->server->writer, &j->job);
  if (err) {
    free(j);
    return err;
  }
  ov_buf_free(&r->frame);
  r->frame = *plain;
  ov_buf_init(plain, 0);
  r->writing = r->waits = true;
  r->scope = f->scope;
  r->to = d->to;
  r->head = head;
  r->more = d->more;
  r->n_records = d->n_records;
  return 0;
}

/* -- refusals -------------------------------------------------------------------------------------------- */

typedef struct refusal_job {
  sv_job job;
  sv_audit_event event;
} refusal_job;

static int refusal_run(sv_job *job, sv_txn *t, ov_arena *a) {
  (void)a;
  return sv_audit_put(t, job->org, &((refusal_job *)job)->event);
}

static void refusal_done(sv_job *job, void *server) {
  (void)server;
  free(job);
}

static bool may_tell(sv_server *s) {
  int64_t minute = s->o.sys->mono_ms(s->o.sys->ctx) / 60000;
  if (minute != s->refusals_minute) s->refusals = 0;
  s->refusals_minute = minute;
  if (s->refusals++ < SV_AUDIT_REFUSALS_PER_MINUTE) return true;
  s->refusals_untold++;
  return false;
}

/* The log has it all the same when the queue is full. */
static int submit(sv_server *s, sv_org *org, const sv_audit_event *e) {
  refusal_job *j = calloc(1, sizeof *j);
  if (!j) return OV_E_NOMEM;
  j->job = (sv_job){.org = org, .bytes = sizeof *j, .run = refusal_run, .done = refusal_done};
  j->event = *e;
  int err = sv_writer_submit(s->writer, &j->job);
  if (err) free(j);
  return err;
}

int sv_server_audit_refusal(sv_server *s, sv_org *org, const sv_audit_event *e) {
  if (s->stopping || !may_tell(s)) return OV_E_BUSY;
  sv_audit_event line = *e;
  line.count = s->refusals_untold;
  line.outcome = SV_REFUSED;
  if (s->refusals_untold)
    strncat(line.detail, ", and so many others that got no line",
            sizeof line.detail - strlen(line.detail) - 1);
  int err = submit(s, org ? org : s->o.programme, &line);
  if (!err) s->refusals_untold = 0;
  return err;
}

/* In the environment of the organisation whose device it was; of an unknown one, the programme's. `why` is a
 * word of this program. */
void sv_audit_refusal(sv_session *ss, int err, const char *why) {
  bool worth = err == OV_E_AUTH || err == OV_E_FOREIGN || err == OV_E_REVOKED || err == OV_E_CODE;
  if (!worth) return;
  sv_audit_event e = {
      .type = err == OV_E_CODE ? SV_AUDIT_ENROL : SV_AUDIT_SIGN_IN, .action = 'E', .purpose = SV_FOR_CARE};
  fill(ss, &e);
  e.has_device = ss->org != NULL;
  snprintf(e.detail, sizeof e.detail, "%s: %s", why, ov_err_slug(err));
  (void)sv_server_audit_refusal(ss->server, ss->org, &e);
}
