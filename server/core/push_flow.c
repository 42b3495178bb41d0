/* PUSH: from the session to the writer and back. Every PUSH is answered by exactly one ACK or ERROR, in
 * order; the ACK is signed and sent only after the commit is on disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_priv.h"

typedef struct push_job {
  sv_job job;
  uint64_t session;
  sv_push_in in;
  sv_push_out out;
  bool more;
  ov_buf answer; /* plain ACK or ERROR, made by the worker */
  ov_msg_type answer_type;
  _Alignas(16) uint8_t copy[]; /* rows, then keys */
} push_job;

static int push_run(sv_job *job, sv_txn *t, ov_arena *a) {
  push_job *p = (push_job *)job;
  sv_touches_free(&p->out.touches);
  memset(&p->out, 0, sizeof p->out); /* the batch may run again */
  return sv_ingest_push(t, job->org, &p->in, a, &p->out);
}

/* Which answer an outcome takes: an ACK says what is stored, an ERROR why nothing was. */
static bool answers_with_ack(const push_job *p) {
  return !p->job.err && (!p->out.err || p->out.stored || p->out.duplicates || p->out.refused_err) &&
         ov_err_classify(p->out.err) != OV_CLASS_CLOSE;
}

static void make_ack(push_job *p) {
  const sv_org *org = p->job.org;
  const sv_push_out *o = &p->out;
  ov_ack ack = {.up_to = o->up_to,
                .head = o->head,
                .receipts = (ov_ack_receipt *)o->receipts,
                .n_receipts = o->n_receipts,
                .held = (ov_ack_held *)o->held,
                .n_held = o->n_held,
                .refused = o->refused_err != 0,
                .refused_seq = o->refused_seq,
                .refused_err = o->refused_err,
                .safe_up_to = o->safe_up_to};
  ov_buf body, signed_bytes;
  uint8_t sig[OV_SIG_BYTES];
  ov_buf_init(&body, OV_FRAME_BYTES_MAX);
  ov_buf_init(&signed_bytes, OV_FRAME_BYTES_MAX);
  ov_ack_body(&ack, &body);
  ov_signed_ack(&signed_bytes, &org->server, &org->id, &p->in.writer, body.p, body.n);
  int err = body.err ? body.err : signed_bytes.err;
  if (!err) err = ov_p256_sign(org->sign_key, signed_bytes.p, signed_bytes.n, sig);
  if (!err) ov_ack_encode(body.p, body.n, sig, &p->answer);
  p->job.err = err ? err : p->answer.err;
  p->answer_type = OV_M_ACK;
  ov_buf_free(&body);
  ov_buf_free(&signed_bytes);
}

static void make_error(push_job *p, int said) {
  sv_push_out *o = &p->out;
  ov_error e = {.err = said,
                .seq = p->in.push.first_seq,
                .text = ov_err_text(said),
                .tips = o->tips,
                .n_tips = o->n_tips,
                .ladder = o->ladder,
                .n_ladder = o->n_ladder,
                .names = o->need_keys,
                .n_names = o->n_need_keys};
  e.text_len = (uint32_t)strlen(e.text);
  if (said == OV_E_BUSY || said == OV_E_FULL || said == OV_E_READONLY) e.retry_s = SV_RETRY_BUSY_S;
  ov_error_encode(&e, &p->answer);
  p->answer_type = OV_M_ERROR;
}

/* A local fault in the store is told as what it means for the client: not now, and nothing was taken.
 * PROTO-140 */
static int said_for(int err) {
  if (ov_err_classify(err) != OV_CLASS_ABORT) return err;
  if (err == OV_E_SPACE || err == OV_E_MAPFULL) return OV_E_FULL;
  if (err == OV_E_IO || err == OV_E_CORRUPT) return OV_E_READONLY;
  return OV_E_BUSY;
}

static void push_after(sv_job *job, ov_hasher *h) {
  (void)h;
  push_job *p = (push_job *)job;
  if (answers_with_ack(p)) make_ack(p);
  else if (!job->err && ov_err_classify(p->out.err) != OV_CLASS_CLOSE) make_error(p, p->out.err);
  if (job->err && ov_err_classify(job->err) != OV_CLASS_CLOSE) {
    ov_buf_reset(&p->answer);
    make_error(p, said_for(job->err));
  }
}

static void count(sv_server *s, const push_job *p) {
  s->stats.pushes++;
  s->stats.ops_stored += p->out.stored;
  s->stats.ops_duplicate += p->out.duplicates;
  s->stats.forks += p->out.forked;
  s->stats.need_keys += p->out.err == OV_E_NEED_KEYS;
  s->stats.acks += p->answer_type == OV_M_ACK;
}

static void log_fork(sv_server *s, const push_job *p) {
  if (!p->out.forked || !s->o.sys->log) return;
  char f[160], dev[2 * OV_ID_BYTES + 1], wr[2 * OV_ID_BYTES + 1];
  ov_hex(p->in.device.id.b, OV_ID_BYTES, dev);
  ov_hex(p->in.writer.b, OV_ID_BYTES, wr);
  snprintf(f, sizeof f, "device=%s writer=%s first_seq=%llu", dev, wr,
           (unsigned long long)p->in.push.first_seq);
  s->o.sys->log(s->o.sys->ctx, SV_LOG_WARN, "log_forked", f);
}

static void answer_session(sv_session *ss, push_job *p) {
  ss->in_commit = false;
  if (ss->closing) return;
  int err = p->job.err && ov_err_classify(p->job.err) == OV_CLASS_CLOSE ? p->job.err : 0;
  if (!err && !p->job.err && ov_err_classify(p->out.err) == OV_CLASS_CLOSE) err = p->out.err;
  if (err) {
    sv_session_fail(ss, err, "push");
    return;
  }
  if (p->answer_type == OV_M_ACK) {
    ss->push_prev = (ov_head){.seq = p->out.up_to, .head = p->out.head};
    sv_reads_drop_frame(ss); /* begun before this commit: PROTO-111 */
    sv_catchup_skip(ss, &p->out.touches);
  }
  ss->push_expected = p->more;
  ss->all_sent = p->answer_type == OV_M_ACK && !p->more && !p->out.refused_err && !ss->inbox;
  err = sv_session_send(ss, p->answer_type, &p->answer);
  if (err) {
    sv_session_fail(ss, err, "answer to a push");
    return;
  }
  sv_session_replay(ss);
  if (!ss->closing) ss->link.want_write(ss->link.ctx);
}

/* PROTO-53 */
static void push_done(sv_job *job, void *server) {
  push_job *p = (push_job *)job;
  sv_server *s = server;
  if (s) {
    count(s, p);
    log_fork(s, p);
    sv_session *ss = sv_session_find(s, p->session);
    if (ss) answer_session(ss, p);
    if (!job->err) sv_server_changed_touches(s, job->org, &p->out.touches);
  }
  sv_touches_free(&p->out.touches);
  ov_buf_free(&p->answer);
  free(p);
}

/* A copy that outlives the message: rows and keys behind the job. */
static push_job *job_of(sv_session *ss, const ov_push *m) {
  size_t rows = (m->rows_len + 15u) & ~(size_t)15u, keys = m->n_keys * sizeof *m->keys;
  push_job *p = calloc(1, sizeof *p + rows + keys);
  if (!p) return NULL;
  memcpy(p->copy, m->rows, m->rows_len);
  if (keys) memcpy(p->copy + rows, m->keys, keys);
  p->job = (sv_job){.org = ss->org,
                    .bytes = sizeof *p + rows + keys,
                    .run = push_run,
                    .after = push_after,
                    .done = push_done};
  p->session = ss->id;
  p->more = m->more;
  p->in = (sv_push_in){.device = ss->device,
                       .writer = ss->writer,
                       .offset_ms = ss->offset_ms,
                       .base_time = ss->hello_ms / 1000,
                       .rows_server = ss->rows_server,
                       .push = *m,
                       .verify = ov_p256_verify};
  memcpy(p->in.address, ss->peer_address, sizeof p->in.address);
  p->in.push.rows = p->copy;
  p->in.push.keys = keys ? (ov_push_key *)(void *)(p->copy + rows) : NULL;
  ov_buf_init(&p->answer, OV_FRAME_BYTES_MAX);
  return p;
}

/* PROTO-52 */
void sv_push_received(sv_session *ss, const ov_push *m) {
  push_job *p = job_of(ss, m);
  if (!p) {
    sv_session_fail(ss, OV_E_NOMEM, "push");
    return;
  }
  if (m->has_prev) {
    p->in.prev = (ov_head){.seq = m->first_seq - 1, .head = m->prev};
  } else if (m->first_seq == ss->push_prev.seq + 1) {
    p->in.prev = ss->push_prev;
  } else {
    /* Sent before the client knew that the push before it was not taken: a head that fits nothing gets the
     * full answer. */
    p->in.prev = (ov_head){.seq = m->first_seq - 1};
  }
  int err = sv_writer_submit(ss->server->writer, &p->job);
  /* what this push brings about is told before the session counts as complete again */
  ss->synced_sent = false;
  if (!err) {
    ss->in_commit = true;
    sv_session_pause(ss, true);
    return;
  }
  ss->server->stats.busy++;
  make_error(p, err);
  ss->push_expected = m->more;
  ss->all_sent = false;
  err = sv_session_send(ss, OV_M_ERROR, &p->answer);
  ov_buf_free(&p->answer);
  free(p);
  if (err) sv_session_fail(ss, err, "answer to a push");
}
