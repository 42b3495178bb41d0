/* Rows 28–39: places in a log, forks, signatures, clocks, and clients that do not listen. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"

#define DAY_MS (86400 * 1000ll)

static bool no(stage *st, dm_wire *w, const char *what) {
  saw(st, false, "%s: close %d, error %s", what, w->close_code,
      w->last_error ? ov_err_slug(w->last_error) : "none");
  dm_wire_close(w);
  return false;
}

/* Pushes ops [from, to] and gives the ACK or ERROR that answers. */
static bool answered(dm_wire *w, const dm_push *p, ov_msg **m) {
  int64_t until = dm_mono_ms() + DM_WAIT_MS;
  if (!dm_send_push(w, p)) return false;
  while (dm_recv(w, m, (int)(until - dm_mono_ms())) == 1) {
    if ((*m)->type == OV_M_ACK || (*m)->type == OV_M_ERROR) return true;
  }
  return false;
}

/* A good sync of the bad tablet on the same server shows that nothing stuck. */
static bool goes_on(stage *st, dm_wire *w) {
  char why[DM_WHY];
  dm_wire_close(w);
  if (dm_sync(&st->d, st->bad, why)) return true;
  size_t n = strlen(st->seen);
  snprintf(st->seen + n, sizeof st->seen - n, "; then: %s", why);
  return false;
}

/* -- the place ------------------------------------------------------------------------------------------- */

static bool gap(stage *st, const void *arg) {
  dm_tablet *tb = st->bad;
  dm_wire w;
  ov_msg *m;
  (void)arg;
  if (!dm_sync(&st->d, tb, st->seen)) return false;
  uint32_t have = tb->acked;
  dm_tablet_note(tb, 6, SECRET);
  if (!stage_greet(st, &w, NULL) ||
      !answered(&w, &(dm_push){.from = have + 4, .to = have + 6, .prev = true}, &m))
    return no(st, &w, "no answer");
  bool ok = m->type == OV_M_ERROR && m->error.err == OV_E_GAP && m->error.n_tips == 1 &&
            m->error.tips[0].seq == have && m->error.n_ladder > 0;
  saw(st, ok, "ERROR %s, tip %llu (%llu expected next), %u rungs",
      m->type == OV_M_ERROR ? ov_err_slug(m->error.err) : "none",
      m->type == OV_M_ERROR && m->error.n_tips ? (unsigned long long)m->error.tips[0].seq : 0,
      (unsigned long long)have + 1, m->type == OV_M_ERROR ? m->error.n_ladder : 0);
  return goes_on(st, &w) && ok && tb->acked == have + 6;
}

typedef struct ack_seen {
  uint64_t up_to;
  ov_hash head;
  uint32_t n;
  ov_ack_receipt receipts[8];
} ack_seen;

static ack_seen ack_of(const ov_msg *m) {
  ack_seen a = {.up_to = m->ack.up_to, .head = m->ack.head, .n = m->ack.n_receipts};
  for (uint32_t i = 0; i < a.n && i < 8; i++) a.receipts[i] = m->ack.receipts[i];
  return a;
}

static bool duplicate(stage *st, const void *arg) {
  dm_tablet *tb = st->bad;
  dm_wire w;
  ov_msg *m;
  ack_seen first = {0};
  bool same = true;
  (void)arg;
  if (!dm_sync(&st->d, tb, st->seen)) return false;
  uint32_t from = tb->acked + 1;
  dm_tablet_note(tb, 5, SECRET);
  for (int i = 0; i < 3; i++) { /* the third time on another connection */
    if (i == 2) dm_wire_close(&w);
    if ((i == 0 || i == 2) && !stage_greet(st, &w, NULL)) return no(st, &w, "no welcome");
    if (!answered(&w, &(dm_push){.from = from, .to = from + 4, .prev = true}, &m) || m->type != OV_M_ACK)
      return no(st, &w, "no ACK");
    ack_seen a = ack_of(m);
    if (i == 0) first = a;
    same &= a.up_to == first.up_to && !memcmp(&a.head, &first.head, sizeof a.head) && a.n == first.n &&
            !memcmp(a.receipts, first.receipts, sizeof a.receipts[0] * (a.n < 8 ? a.n : 8));
  }
  long long again = dm_metric(&st->d, "ops_duplicate_total");
  saw(st, same && again >= 10,
      "the same up_to, head and receipts three times; %lld ops counted as stored already", again);
  return goes_on(st, &w) && same && again >= 10;
}

static bool fork_of_clone(stage *st, const void *arg) {
  dm_tablet *tb = stage_tablet(st), *clone;
  char why[DM_WHY];
  dm_wire w;
  (void)arg;
  dm_tablet_note(tb, 3, SECRET);
  if (!dm_sync(&st->d, tb, why)) return saw(st, false, "%s", why);
  clone = dm_tablet_clone(tb);
  dm_tablet_note(tb, 2, SECRET " here");
  dm_tablet_note(clone, 2, SECRET " there");
  if (!dm_sync(&st->d, tb, why) || !dm_sync(&st->d, clone, why)) return saw(st, false, "%s", why);
  bool names_differ = memcmp(tb->t->ops[3]->name.tag, clone->t->ops[3]->name.tag, OV_TAG_BYTES) != 0;
  bool alarm = dm_log_has(&st->d, "log_forked") && dm_metric(&st->d, "forks_total") == 1;
  /* WELCOME tells of the double; the clone goes on under a new writer, and nothing is issued again */
  bool knows = dm_greet(&w, &st->d, clone, NULL) && w.welcome.own == OV_OWN_SAME && w.welcome.n_tips == 2;
  dm_wire_close(&w);
  dm_tablet *next = dm_tablet_clone(clone);
  fx_tablet_new_writer(next->t);
  next->acked = next->floor = 0;
  dm_tablet_note(next, 1, SECRET);
  bool goes = dm_sync(&st->d, next, why);
  return saw(st, names_differ && alarm && knows && goes,
             "names %s, alarm %s, WELCOME lists %s, new writer %s", names_differ ? "differ" : "same",
             alarm ? "raised" : "missing", knows ? "both tips" : "too little", goes ? "taken" : why);
}

static bool wrong_previous(stage *st, const void *arg) {
  dm_tablet *tb = st->bad;
  dm_wire w;
  ov_msg *m;
  (void)arg;
  if (!dm_sync(&st->d, tb, st->seen)) return false;
  ov_hash wrong = tb->t->heads[tb->acked];
  wrong.b[3] ^= 1;
  uint32_t have = tb->acked;
  dm_tablet_note(tb, 1, SECRET);
  if (!stage_greet(st, &w, NULL) ||
      !answered(&w, &(dm_push){.from = have + 1, .to = have + 1, .other_prev = &wrong}, &m))
    return no(st, &w, "no answer");
  bool ok = m->type == OV_M_ERROR && (m->error.err == OV_E_BRANCH || m->error.err == OV_E_GAP) &&
            m->error.n_ladder > 0 && tb->acked == have;
  saw(st, ok, "ERROR %s with %u rungs, nothing taken",
      m->type == OV_M_ERROR ? ov_err_slug(m->error.err) : "none",
      m->type == OV_M_ERROR ? m->error.n_ladder : 0);
  return goes_on(st, &w) && ok;
}

/* -- signatures and strangers ---------------------------------------------------------------------------- */

/* The session ends with `err`, and log and counter tell of it. */
static bool refused_and_told(stage *st, dm_wire *w, int err, long long before, bool push) {
  int code = dm_expect_close(w, DM_WAIT_MS);
  bool ok = w->last_error == err && code == (int)ov_err_close_code(err);
  bool audited = dm_log_has(&st->d, "event=session_refused") &&
                 dm_metric(&st->d, "refused_auth_total") == before + 1;
  saw(st, ok && audited, "%s: ERROR %s, close %d, %s", push ? "PUSH" : "HELLO",
      w->last_error ? ov_err_slug(w->last_error) : "none", code, audited ? "in log and counter" : "not told");
  dm_wire_close(w);
  return ok && audited;
}

static bool bad_hello(stage *st, const void *arg) {
  dm_wire w;
  long long before = dm_metric(&st->d, "refused_auth_total");
  if (!dm_wire_open(&w, &st->d, st->bad, 0)) return no(st, &w, "connect");
  dm_send_hello(&w, arg);
  return refused_and_told(st, &w, OV_E_AUTH, before, false);
}

static bool bad_push_signature(stage *st, const void *arg) {
  dm_wire w;
  bool other_org = arg != NULL;
  long long before = dm_metric(&st->d, "refused_auth_total");
  if (st->bad->acked == st->bad->t->n) dm_tablet_note(st->bad, 1, SECRET);
  if (!stage_greet(st, &w, NULL)) return no(st, &w, "no welcome");
  dm_send_push(&w, &(dm_push){.from = st->bad->acked + 1,
                              .to = st->bad->t->n,
                              .prev = true,
                              .bad_signature = !other_org,
                              .signed_org = other_org ? &st->site.orgs[1].shell.id : NULL});
  uint32_t had = st->bad->acked;
  return refused_and_told(st, &w, OV_E_AUTH, before, true) && st->bad->acked == had;
}

/* The writer of another device of the same organisation. */
static bool foreign_writer(stage *st, const void *arg) {
  dm_wire w;
  (void)arg;
  long long before = dm_metric(&st->d, "refused_auth_total");
  ov_id own = st->bad->t->writer;
  ov_id device = st->bad->t->device.id;
  ov_p256 *key = st->bad->t->key;
  dm_tablet *as = st->good; /* its log, under our device */
  dm_tablet_note(as, 1, SECRET);
  ov_id their_device = as->t->device.id;
  ov_p256 *their_key = as->t->key;
  as->t->device.id = device;
  as->t->key = key;
  bool ok = dm_greet(&w, &st->d, as, NULL);
  if (ok) dm_send_push(&w, &(dm_push){.from = as->acked + 1, .to = as->t->n, .prev = true});
  as->t->device.id = their_device;
  as->t->key = their_key;
  (void)own;
  if (!ok) return no(st, &w, "no welcome");
  return refused_and_told(st, &w, OV_E_FOREIGN, before, true);
}

/* An op about a client of the other organisation: its commit key is not known here, so nothing is taken. */
static bool foreign_participant(stage *st, const void *arg) {
  dm_tablet *tb = stage_tablet(st);
  dm_wire w;
  ov_msg *m;
  (void)arg;
  ov_field f[] = {FX_INT(10, 20000), FX_INT(11, 1)};
  tb->t->keys[0] = (ov_push_key){.participant = st->site.orgs[1].anna};
  tb->t->n_keys = 1;
  fx_create(tb->t, 20, &st->site.orgs[1].anna, f, 2);
  if (!dm_greet(&w, &st->d, tb, NULL) || !answered(&w, &(dm_push){.from = 1, .to = 1, .prev = true}, &m))
    return no(st, &w, "no answer");
  bool ok = m->type == OV_M_ERROR && m->error.err == OV_E_NEED_KEYS && tb->acked == 0;
  saw(st, ok, "ERROR %s, nothing taken", m->type == OV_M_ERROR ? ov_err_slug(m->error.err) : "none");
  dm_wire_close(&w);
  return ok;
}

static const dm_hello bad_signature = {.bad_signature = true};
static const ov_id nobody = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static const dm_hello unknown_device = {.device = &nobody};

const row log_rows[] = {
    {"28", "sequence gap", "'expected N', nothing taken", gap, NULL, 0},
    {"29", "the same push again, and from another connection", "the first answer again", duplicate, NULL, 0},
    {"30", "same writer and seq, other bytes (cloned tablet)",
     "both branches kept, alarm, goes on under a new writer", fork_of_clone, NULL, ROW_STOPS},
    {"31", "wrong previous head", "branch: nothing taken, told where the log stands", wrong_previous, NULL,
     0},
    {"32", "HELLO with a bad signature", "refused and told in the log", bad_hello, &bad_signature, 0},
    {"32", "HELLO of an unknown device", "refused and told in the log", bad_hello, &unknown_device, 0},
    {"32", "PUSH with a bad signature", "refused and told in the log, nothing stored", bad_push_signature,
     NULL, 0},
    {"33", "PUSH signed for another organisation", "refused and told in the log, nothing stored",
     bad_push_signature, &nobody, 0},
    {"33", "the log of another device", "refused and told in the log", foreign_writer, NULL, 0},
    {"33", "op about another organisation's client", "its key is not known here: nothing taken",
     foreign_participant, NULL, ROW_STOPS},
};
const size_t n_log_rows = sizeof log_rows / sizeof *log_rows;

/* -- clocks ---------------------------------------------------------------------------------------------- */

/* A tablet whose clock is off by so many days: challenged, taken, flagged, and shown by corrected time. */
static bool tablet_clock(stage *st, const void *arg) {
  int64_t off_s = *(const int64_t *)arg * 86400;
  dm_tablet *tb = stage_tablet(st);
  char why[DM_WHY];
  dm_wire w;
  sv_record_row rec;
  sv_op_row op;
  tb->t->clock_off_s = off_s;
  dm_tablet_note(tb, 1, SECRET);
  long long challenges = dm_metric(&st->d, "challenges_total");
  if (!dm_greet(&w, &st->d, tb, &(dm_hello){.clock_off_ms = off_s * 1000, .push_follows = true}) ||
      !dm_catch_up(&w, why))
    return no(st, &w, "sync");
  bool challenged = dm_metric(&st->d, "challenges_total") == challenges + 1;
  dm_wire_close(&w);
  dm_wire_close(&st->watcher);
  if (!dm_stop(&st->d, SIGTERM) || !dm_site_open_orgs(&st->site, why)) return saw(st, false, "stop");
  ov_name name = tb->t->ops[0]->name;
  bool found = fx_op(&st->site.fx, tb->org->open, &name, &op) &&
               fx_record(&st->site.fx, tb->org->open, &name, &rec) && rec.rec.n_ops == 1;
  int64_t now = st->site.fx.now_ms / 1000, shown = found ? rec.rec.ops[0].time - now : 0;
  bool corrected = found && shown > -120 && shown < 120,
       flagged = found && (rec.rec.ops[0].flags & OV_ROP_CLOCK_SUSPECT);
  long long claimed = found ? (op.op.device_time - now) / 86400 : 0;
  dm_site_close_orgs(&st->site);
  bool up = dm_again(&st->d, why);
  return saw(st, challenged && corrected && flagged && up,
             "%s; device time %+lld days kept, shown %+llds from now, %s",
             challenged ? "challenged" : "not challenged", claimed, (long long)shown,
             flagged ? "flagged" : "not flagged");
}

static bool server_clock_back(stage *st, const void *arg) {
  char why[DM_WHY];
  dm_wire standing;
  (void)arg;
  if (!dm_greet(&standing, &st->d, st->bad, &(dm_hello){.live = true}) || !dm_catch_up(&standing, why))
    return no(st, &standing, "greet");
  long long challenges = dm_metric(&st->d, "challenges_total");
  atomic_store(&st->f->realtime_off_ms, -7200 * 1000ll);
  stage_advance(st, 3000);
  dm_tablet_note(st->bad, 1, SECRET);
  bool stands = dm_catch_up(&standing, why); /* pushes on the session that stood */
  dm_tablet_note(st->good, 1, SECRET);
  bool syncs = dm_sync(&st->d, st->good, why);
  bool challenged = dm_metric(&st->d, "challenges_total") > challenges;
  bool watched = stage_watch(st);
  dm_wire_close(&standing);
  atomic_store(&st->f->realtime_off_ms, 0);
  return saw(st, stands && syncs && watched, "sessions %s; a new one is %s and %s",
             stands && watched ? "stand and take pushes" : "broke",
             challenged ? "challenged" : "not challenged", syncs ? "syncs" : why);
}

/* -- clients that do not listen -------------------------------------------------------------------------- */

static bool never_reads(stage *st, const void *arg) {
  char why[DM_WHY];
  dm_wire w;
  (void)arg;
  dm_tablet *slow = st->bad;
  if (!dm_sync(&st->d, slow, why)) return saw(st, false, "%s", why);
  uint32_t had = slow->records, notes = 280;
  if (!dm_wire_open(&w, &st->d, slow, 4096) ||
      !dm_send_hello(&w, &(dm_hello){.live = true, .credit = OV_CREDIT_MAX}) ||
      !dm_expect(&w, OV_M_SYNCED, NULL))
    return no(st, &w, "greet");
  long before = dm_memory_kib(&st->d, "RssAnon");
  for (uint32_t i = 0; i < notes; i += 40) { /* more than sockets hold: a live client is owed it */
    for (int k = 0; k < 40; k++) dm_tablet_long(st->good, 10000);
    if (!dm_sync(&st->d, st->good, why)) return saw(st, false, "%s", why);
    stage_watch(st);
  }
  long grown = dm_memory_kib(&st->d, "RssAnon") - before;
  long long stalled = dm_metric(&st->d, "net_late_reader_total");
  stage_advance(st, 62000);
  bool cut = dm_metric(&st->d, "net_late_reader_total") == stalled + 1;
  dm_wire_close(&w);
  slow->n_cursors = 0; /* what it had read of it is gone with the connection */
  bool resumes = dm_sync(&st->d, slow, why) && slow->records - had >= notes;
  return saw(st, cut && resumes && grown < 2048 * stage_memory_factor(),
             "owed 2.8 MB: server +%ld KiB; %s; %s", grown, cut ? "hung up after 60 s" : "not hung up",
             resumes ? "resumes" : why);
}

static bool no_pong(stage *st, const void *arg) {
  char why[DM_WHY];
  dm_wire w;
  (void)arg;
  if (!dm_greet(&w, &st->d, st->bad, &(dm_hello){.live = true}) || !dm_catch_up(&w, why))
    return no(st, &w, "greet");
  w.mute = true;
  long long late = dm_metric(&st->d, "net_late_pong_total");
  stage_advance(st, 49000);
  bool early = rawws_wait_end(w.ws, 50) >= 0;
  stage_advance(st, 1500);
  stage_advance(st, 26000);
  bool over = rawws_wait_end(w.ws, 2000) >= 0 && dm_metric(&st->d, "net_late_pong_total") == late + 1;
  dm_wire_close(&w);
  bool resumes = dm_sync(&st->d, st->bad, why);
  return saw(st, !early && over && resumes, "%s; %s",
             early  ? "closed before 49 s"
             : over ? "pinged after 50 s, closed after 75 s"
                    : "open",
             resumes ? "resumes" : why);
}

static const int64_t ahead = 400, behind = -400;

const row clock_rows[] = {
    {"36", "device clock 400 days ahead", "accepted, flagged, shown by corrected time", tablet_clock, &ahead,
     ROW_STOPS},
    {"36", "device clock 400 days behind", "accepted, flagged, shown by corrected time", tablet_clock,
     &behind, ROW_STOPS},
    {"37", "server clock goes back 2 h", "sessions stand", server_clock_back, NULL, 0},
    {"38", "client never reads", "output bounded, closed, resumes", never_reads, NULL, ROW_BIG},
    {"39", "client answers no ping", "closed, resumes", no_pong, NULL, 0},
};
const size_t n_clock_rows = sizeof clock_rows / sizeof *clock_rows;
