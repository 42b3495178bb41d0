/* Both halves of a sync and of an enrolment: HELLO, PUSH, ACK, DELTA, ENROL, with the faults on one side. */
#include <string.h>

#include "kth.h"

#define MESSAGE_MAX (OV_WS_MESSAGE_BYTES_MAX + 1024u)

typedef enum side { SERVER, CLIENT } side;

static void work(fuzz_home *h, bool faults) {
  kth_on(faults);
  while (sv_writer_step(sv_server_writer(h->w.server))) sv_server_poll(h->w.server);
  sv_server_poll(h->w.server);
  kth_on(false);
}

/* All that the client has to say goes to the server. True when that was something. */
static bool client_speaks(oc_session *cs, fuzz_link *l, side faulty) {
  static uint8_t message[MESSAGE_MAX];
  size_t n;
  for (bool any = false;; any = true) {
    kth_on(faulty == CLIENT);
    const uint8_t *p = oc_session_output(cs, &n);
    kth_on(false);
    if (!p) return any;
    KTH_MUST(n <= sizeof message);
    memcpy(message, p, n);
    kth_on(faulty == SERVER);
    sv_session_message(l->ss, message, n);
    kth_on(false);
  }
}

/* One message of the server's goes to the client. False when there was none; *over when the session ends. */
static bool server_speaks(oc_session *cs, fuzz_link *l, side faulty, bool *over) {
  ov_buf b;
  oc_error e;
  ov_buf_init(&b, OV_WS_MESSAGE_BYTES_MAX);
  kth_on(faulty == SERVER);
  bool any = sv_session_pull(l->ss, &b);
  kth_on(faulty == CLIENT);
  *over = any ? oc_session_feed(cs, b.p, b.n, &e) != 0 : l->close_asked;
  kth_on(false);
  ov_buf_free(&b);
  return any;
}

/* Frees the session. True when it came to its end. */
static bool play(fuzz_home *h, oc_session *cs, side faulty) {
  fuzz_link l;
  bool over = false;
  kth_on(faulty == SERVER);
  bool there = fuzz_connect(&l, h);
  kth_on(false);
  for (unsigned idle = 0; there && !over && idle < 3;) {
    bool moved = client_speaks(cs, &l, faulty);
    work(h, faulty == SERVER);
    if (oc_session_finished(cs)) break;
    moved |= server_speaks(cs, &l, faulty, &over);
    idle = moved ? 0 : idle + 1;
  }
  bool finished = oc_session_finished(cs) && !oc_session_again(cs);
  if (there) fuzz_disconnect(&l);
  oc_session_free(cs);
  return finished;
}

static bool sync_once(fuzz_home *h, side faulty) {
  oc_session *cs = NULL;
  oc_error e;
  kth_on(faulty == CLIENT);
  int err = oc_session_new(h->t.s, NULL, &cs, &e);
  kth_on(false);
  return !err && play(h, cs, faulty);
}

static bool sync_server(fuzz_home *h) { return sync_once(h, SERVER); }
static bool sync_client(fuzz_home *h) { return sync_once(h, CLIENT); }

/* A second tablet, new each time. */
static bool enrol_once(fuzz_home *h, side faulty) {
  char code[SV_CODE_TEXT], name[16];
  static unsigned n;
  tablet t;
  oc_session *cs = NULL;
  oc_error e;
  snprintf(name, sizeof name, "new%u", n++);
  tablet_open(&t, &h->w, name);
  t.s->o.random = h->t.s->o.random;
  world_code(&h->w, name, &h->team, 1, code, NULL);
  kth_on(faulty == CLIENT);
  int err = oc_session_enrol(t.s, WORLD_URL, code, name, &cs, &e);
  kth_on(false);
  bool ok = !err && play(h, cs, faulty);
  if (ok) tablet_sync_ok(&t);
  tablet_close(&t);
  return ok;
}

static bool enrol_server(fuzz_home *h) { return enrol_once(h, SERVER); }
static bool enrol_client(fuzz_home *h) { return enrol_once(h, CLIENT); }

const kth_path kth_sync_paths[] = {
    {"sync_server", sync_server, 0, 150},
    {"sync_client", sync_client, 0, 60},
    {"enrol_server", enrol_server, 0, 50},
    {"enrol_client", enrol_client, 0, 50},
    {0},
};
