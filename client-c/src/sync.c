/* Blocking sync: sessions over the socket of net/, one after another, until everything is sent and
 * received. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "backoff.h"
#include "oc_net.h"
#include "session.h"

/* Waits between tries: 1, 2, 4 ... s, each half as long or as long again by chance, so that a house full of
 * tablets does not come back at once. */
#define WAIT_TOTAL_S 60
/* Sessions in a row without a pause: one for each older log and a few that the server asks for. */
#define SESSIONS_IN_A_ROW 16

typedef struct syncing {
  oc_store *s;
  const oc_sync_options *o;
  oc_session *ss;
  oc_error *e;
  int said;                /* what the session said, an oc_err */
  oc_progress base, last;  /* of the sessions before; as told last (nothing yet: like none that is told) */
  uint64_t welcomed_bytes; /* bytes of this session that came in */
  oc_error older;          /* why an older log did not get through; err 0: none */
} syncing;

static int say_cancelled(oc_error *e) {
  oc_say(e, OC_E_CANCELLED, "cancelled; nothing is lost");
  oc_say_nl(e, "Gestopt. Er is niets kwijt.");
  return OC_E_CANCELLED;
}

/* -- telling how far it is ------------------------------------------------------------------------------- */

static void tell(syncing *x, const oc_progress *p) {
  oc_progress sum = *p;
  sum.sent += x->base.sent;
  sum.received += x->base.received;
  sum.bytes_in += x->base.bytes_in;
  sum.bytes_out += x->base.bytes_out;
  sum.to_send += x->base.sent;
  const oc_progress *was = &x->last;
  bool same = sum.stage == was->stage && sum.sent == was->sent && sum.to_send == was->to_send &&
              sum.received == was->received && sum.bytes_out == was->bytes_out &&
              sum.bytes_in == was->bytes_in && sum.retry_in == was->retry_in;
  x->last = sum;
  if (x->o && x->o->progress && !same) x->o->progress(x->o->progress_ctx, &sum);
}

static void tell_session(syncing *x) {
  oc_progress p;
  oc_session_progress(x->ss, &p);
  tell(x, &p);
}

static void tell_stage(syncing *x, int stage, int64_t retry_in) {
  oc_progress p = {.retry_in = retry_in};
  p.stage = stage == OC_WAITING ? OC_WAITING : OC_CONNECTING;
  tell(x, &p);
}

/* -- one connection -------------------------------------------------------------------------------------- */

static void on_open(void *ctx) { tell_session(ctx); }

static bool on_message(void *ctx, const uint8_t *p, size_t n) {
  syncing *x = ctx;
  x->said = oc_session_feed(x->ss, p, n, x->e);
  x->welcomed_bytes += n;
  tell_session(x);
  return x->said == 0;
}

static const uint8_t *next_output(void *ctx, size_t *n) {
  syncing *x = ctx;
  const uint8_t *p = oc_session_output(x->ss, n);
  tell_session(x);
  return p;
}

/* A session that failed while it made a message says so at the next feed; there may be none. */
static bool done(void *ctx) {
  syncing *x = ctx;
  return oc_session_finished(x->ss) || x->ss->failed;
}

static int say_busy(oc_store *s, oc_error *e, const char *why) {
  int64_t left = (s->self.retry_at_ms - oc_now_ms(s) + 999) / 1000;
  if (left > 0) oc_say(e, OC_E_BUSY, "%s; come back in %lld s", why, (long long)left);
  else oc_say(e, OC_E_BUSY, "%s; come back later", why);
  oc_say_nl(e, "De server heeft het druk. Alles blijft bewaard op deze tablet. Probeer het straks nog eens.");
  return OC_E_BUSY;
}

/* What a websocket close code of the server means, when its messages have not said more. */
static int from_close(oc_store *s, const oc_net_end *end, oc_error *e) {
  switch (end->close_code) {
  case 4001:
    oc_say(e, OC_E_REFUSED,
           "the server does not speak this version; update this program. Entries stay here and can still be "
           "made");
    oc_say_nl(e, "Deze app is te oud. Werk de app bij. Alles blijft bewaard.");
    return OC_E_REFUSED;
  case 4003:
    oc_say(e, OC_E_REFUSED, "the server does not accept this device: %.120s", end->text);
    oc_say_nl(e, "De server herkent deze tablet niet. Vraag de beheerder. Alles blijft bewaard.");
    return OC_E_REFUSED;
  case 4004:
    oc_say(e, OC_E_REFUSED, "the code is wrong, used or expired; ask for a new one");
    oc_say_nl(e, "De code klopt niet of is verlopen. Vraag een nieuwe code.");
    return OC_E_REFUSED;
  case 1002:
  case 1003:
  case 1007:
  case 1009: return oc_say(e, OC_E_REFUSED, "the server does not understand this program: %.150s", end->text);
  case 1008: return say_busy(s, e, "the server takes no connection now");
  default: return 0;
  }
}

static int from_net(oc_store *s, const oc_net_end *end, oc_error *e) {
  int said = from_close(s, end, e);
  if (said) return said;
  if (end->err == OV_E_CANCELLED) return say_cancelled(e);
  if (end->err == OV_E_NOMEM) return oc_say(e, OC_E_NOMEM, "%s", end->text[0] ? end->text : "out of memory");
  if (end->http_status == 503 || end->http_status == 429)
    return say_busy(s, e, "the server takes no connection now");
  if (end->err == OV_E_AUTH || (end->http_status >= 400 && end->http_status < 500)) {
    oc_say(e, OC_E_REFUSED, "%s", end->text);
    oc_say_nl(e, "De verbinding met de server is niet veilig. Vraag de beheerder. Alles blijft bewaard.");
    return OC_E_REFUSED;
  }
  oc_say(e, OC_E_NET, "%s; what was not acknowledged is sent again next time",
         end->text[0] ? end->text : "no connection");
  oc_say_nl(e, "Geen verbinding. Alles blijft bewaard op deze tablet en gaat later mee.");
  return OC_E_NET;
}

/* Runs x->ss to its end. 0 when it finished. */
static int run_session(syncing *x, const oc_net_url *url) {
  oc_store *s = x->s;
  oc_net_end end;
  oc_net_options no = {.url = url,
                       .ca_file = x->o ? x->o->ca_file : NULL,
                       .pin = s->self.enrolled && s->self.has_pin ? s->self.pin : NULL,
                       .wake_fd = s->wake_read};
  oc_net_calls calls = {on_open, on_message, next_output, done, x};
  x->said = 0;
  x->welcomed_bytes = 0;
  tell_stage(x, OC_CONNECTING, 0);
  oc_net_run(&no, &calls, &end);
  oc_session_progress(x->ss, &x->last);
  x->base.sent += x->last.sent;
  x->base.received += x->last.received;
  x->base.bytes_in += x->last.bytes_in;
  x->base.bytes_out += x->last.bytes_out;
  if (oc_session_finished(x->ss)) return 0;
  if (s->cancelled) return say_cancelled(x->e);
  if (x->said) return x->said;
  int failed = x->ss->failed;
  if (failed && (!end.err || end.err == OV_E_NET)) return oc_from_ov(x->e, failed);
  return from_net(s, &end, x->e);
}

static int parse_url(const char *text, oc_net_url *out, oc_error *e) {
  int err = oc_net_url_parse(text, out);
  if (err == OV_E_DENIED)
    return oc_say(e, OC_E_INVALID,
                  "ws:// sends everything readable and is for this machine only; use wss://%.100s",
                  out->host);
  return err ? oc_say(e, OC_E_INVALID, "\"%.100s\" is no URL such as wss://sync.example.nl/sync", text) : 0;
}

int oc_enrol(oc_store *s, const char *url, const char *code, const char *device_name,
             const oc_sync_options *o, oc_error *e) {
  oc_error local;
  oc_error *said = e ? e : &local;
  *said = (oc_error){0};
  oc_net_url u;
  char whole[300];
  syncing x = {.s = s, .o = o, .e = said, .last.retry_in = -1};
  int err = parse_url(url, &u, said);
  if (err) return err;
  oc_net_url_text(&u, whole, sizeof whole);
  s->cancelled = 0;
  err = oc_wake_open(s);
  if (err) return oc_from_ov(said, err);
  oc_wake_drain(s);
  err = oc_session_enrol(s, whole, code, device_name, &x.ss, said);
  if (!err) err = run_session(&x, &u);
  oc_session_free(x.ss);
  return err;
}

/* -- again and again ------------------------------------------------------------------------------------- */

/* Is there a log with entries that no server has (the app may write while it is told how far a sync is), or
 * an older one that is to be asked about? Refused entries travel as voids, so each log ends. */
static int unsent(oc_store *s, bool *any, bool *due) {
  oc_writer_row w;
  oc_txn *t = NULL;
  *any = *due = false;
  int err = oc_txn_begin(s->db, false, &t);
  int more = err ? err : oc_writer_next(t, NULL, &w);
  for (; !more && !*any; more = oc_writer_next(t, &w.writer, &w)) {
    if (oc_log_passed(s, &w)) continue;
    *any = w.last > w.acked;
    *due |= oc_log_due(&s->self, &w);
  }
  oc_txn_abort(t);
  return err ? err : more == OV_E_NOTFOUND ? 0 : more;
}

/* 0: waited; else cancelled. */
static int wait_for(syncing *x, int64_t ms) {
  int64_t until = oc_now_ms(x->s) + ms;
  for (int64_t left; !x->s->cancelled && (left = until - oc_now_ms(x->s)) > 0;) {
    struct pollfd p = {.fd = x->s->wake_read, .events = POLLIN};
    tell_stage(x, OC_WAITING, (left + 999) / 1000);
    if (poll(&p, 1, left < 1000 ? (int)left : 1000) > 0) break;
  }
  return x->s->cancelled ? say_cancelled(x->e) : 0;
}

typedef struct trying {
  oc_backoff backoff;
  int64_t waited_ms, most_ms;
  unsigned in_a_row;
} trying;

/* After a failure that may pass: how long to wait, or -1 to give up. PROTO-118 */
static int64_t pause_ms(syncing *x, trying *b) {
  uint32_t chance = 0;
  (void)oc_random(x->s, &chance, sizeof chance); /* without chance: the least time */
  int64_t wait = oc_backoff_wait(&b->backoff, x->s->self.retry_at_ms - oc_now_ms(x->s), chance);
  if (b->most_ms && b->waited_ms + wait > b->most_ms) return -1;
  b->waited_ms += wait;
  return wait;
}

static bool may_pass(int err) { return err == OC_E_NET || err == OC_E_BUSY; }

static int say_no_room(oc_error *e) {
  int err = oc_say(e, OC_E_FULL,
                   "synced, but a client was erased and the disk has no room to write the store anew: make "
                   "room, then sync again");
  oc_say_nl(e, "Deze tablet is vol. Daardoor zijn gegevens van een cliënt nog niet helemaal gewist. Maak "
               "ruimte vrij.");
  return err;
}

/* An older log that cannot get through keeps nobody waiting: why is told once the others have had their turn.
 * PROTO-66 */
static int pass_over(syncing *x, int err, bool *more) {
  if (may_pass(err) || err == OC_E_CANCELLED) return err;
  oc_say(&x->older, err, "an older log of this store was not taken, all else was: %.160s", x->e->message);
  memcpy(x->older.message_nl, x->e->message_nl, sizeof x->older.message_nl);
  *more = true;
  return 0;
}

/* All have had it. Who follows the server goes on; the older log is tried again after each session. */
static int tell_older(syncing *x) {
  if (x->o && x->o->live) return 0;
  if (x->older.err) *x->e = x->older;
  return x->older.err;
}

/* One session. *more: another one is due at once. */
static int one_session(syncing *x, const oc_net_url *url, bool *more) {
  *more = false;
  int err = oc_session_new(x->s, x->o, &x->ss, x->e);
  if (!err) err = run_session(x, url);
  bool again = x->ss && oc_session_again(x->ss);
  bool older = x->ss && !ov_id_equal(&x->ss->w.writer, &x->s->self.writer);
  oc_session_free(x->ss);
  x->ss = NULL;
  if (!err && oc_ended(x->s, x->e)) return OC_E_REFUSED;
  bool receipts = false;
  int purged = oc_purge_finish(x->s, &receipts);
  if (err && !again) return older ? pass_over(x, err, more) : err;
  if (purged == OV_E_FULL) return say_no_room(x->e);
  if (purged) return oc_from_ov(x->e, purged);
  if (again || receipts) {
    *more = true;
    return 0;
  }
  bool any = false, due = false;
  err = oc_from_ov(x->e, unsent(x->s, &any, &due));
  bool live = x->o && x->o->live;
  *more = older || !x->older.err ? any || due || (older && live) : live;
  return err;
}

static int sync_loop(syncing *x, const oc_net_url *url) {
  bool live = x->o && x->o->live, once = x->o && x->o->once_only, more;
  uint32_t most = x->o && x->o->max_wait_s ? x->o->max_wait_s : live ? 0 : WAIT_TOTAL_S;
  trying b = {.most_ms = (int64_t)most * 1000};
  for (;;) {
    *x->e = (oc_error){0};
    if (x->s->cancelled) return say_cancelled(x->e);
    int err = one_session(x, url, &more);
    if (!err && more && ++b.in_a_row < SESSIONS_IN_A_ROW) continue;
    if (!err && !live)
      return more ? oc_say(x->e, OC_E_NET, "there is always more to sync; what is left goes next time")
                  : tell_older(x);
    if (err && (!may_pass(err) || once)) return err;
    b.in_a_row = 0;
    if (x->welcomed_bytes) b = (trying){.most_ms = b.most_ms, .waited_ms = live ? 0 : b.waited_ms};
    int64_t wait = pause_ms(x, &b);
    if (wait < 0) return err;
    err = wait_for(x, wait);
    if (err) return err;
  }
}

int oc_sync(oc_store *s, const oc_sync_options *o, oc_error *e) {
  oc_error local;
  oc_net_url url;
  syncing x = {.s = s, .o = o, .e = e ? e : &local, .last.retry_in = -1};
  *x.e = (oc_error){0};
  if (oc_ended(s, x.e)) return OC_E_REFUSED;
  if (!s->self.enrolled) {
    oc_say(x.e, OC_E_ENROL, "this store is not enrolled yet: enrol it with a code first");
    oc_say_nl(x.e, "Deze tablet is nog niet aangemeld.");
    return OC_E_ENROL;
  }
  s->cancelled = 0;
  int err = oc_from_ov(x.e, oc_looks_hand_over(s));
  if (err) return err;
  err = parse_url(s->self.url, &url, x.e);
  if (err) return err;
  err = oc_wake_open(s);
  if (err) return oc_from_ov(x.e, err);
  oc_wake_drain(s);
  return sync_loop(&x, &url);
}
