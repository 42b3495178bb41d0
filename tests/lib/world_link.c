/* The wire of a world: messages from one session to the other, counted, cut and delivered in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

typedef struct message {
  struct message *next;
  size_t n;
  uint8_t p[];
} message;

typedef struct wire {
  world *w;
  sv_session *ss;
  oc_session *cs;
  /* sent by the client, not yet read by the server: a paused server leaves them here */
  message *up, **up_tail;
  bool paused, closed, close_asked;
  unsigned close_code;
  const link_plan *plan;
  link_seen *seen;
} wire;

static void want_write(void *ctx) { (void)ctx; }
static void pause_reading(void *ctx, bool paused) { ((wire *)ctx)->paused = paused; }
static void close_link(void *ctx, unsigned code, const char *reason) {
  wire *l = ctx;
  (void)reason;
  l->close_asked = true;
  l->close_code = code;
}

/* Type of a message: the mode byte, then (when plain) an array whose first element is the type. Packed ones
 * are unpacked to look. */
static unsigned type_of(world *w, const uint8_t *p, size_t n) {
  static ov_packer *packer;
  ov_buf b;
  unsigned type = 0;
  (void)w;
  if (!packer) packer = ov_packer_new();
  ov_buf_init(&b, OV_FRAME_BYTES_MAX);
  if (packer && !ov_frame_unpack(packer, p, n, OV_FRAME_BYTES_MAX, &b)) {
    ov_mpr r;
    ov_mpr_init(&r, b.p, b.n);
    ov_mpr_array(&r);
    type = (unsigned)ov_mpr_uint(&r, 15);
  }
  ov_buf_free(&b);
  return type & 15;
}

static bool client_speaks(wire *l) {
  bool any = false;
  size_t n;
  for (const uint8_t *p; (p = oc_session_output(l->cs, &n)); any = true) {
    message *m = malloc(sizeof *m + n);
    FX_MUST(m);
    *m = (message){.n = n};
    memcpy(m->p, p, n);
    *l->up_tail = m;
    l->up_tail = &m->next;
    unsigned type = type_of(l->w, p, n);
    l->seen->up++;
    l->seen->up_bytes += n;
    l->seen->up_of[type]++;
    l->seen->up_bytes_of[type] += n;
  }
  return any;
}

static bool server_reads(wire *l) {
  if (!l->up || l->paused || l->close_asked) return false;
  message *m = l->up;
  l->up = m->next;
  if (!l->up) l->up_tail = &l->up;
  sv_session_message(l->ss, m->p, m->n);
  free(m);
  if (l->plan->cut_after_up && --((link_plan *)l->plan)->cut_after_up == 0) l->closed = l->seen->cut = true;
  return true;
}

/* One message down. -1: the client's session ended with an error. */
static int server_speaks(wire *l, oc_error *e) {
  ov_buf b;
  ov_buf_init(&b, OV_WS_MESSAGE_BYTES_MAX);
  int said = 0;
  if (sv_session_pull(l->ss, &b)) {
    unsigned n = ++l->seen->down, type = type_of(l->w, b.p, b.n);
    l->seen->down_bytes += b.n;
    l->seen->down_of[type]++;
    l->seen->down_bytes_of[type] += b.n;
    said = 1;
    if (l->plan->before_down) l->plan->before_down(l->plan->ctx, n);
    if (l->plan->lose_down == n) l->closed = l->seen->cut = true;
    else if (oc_session_feed(l->cs, b.p, b.n, e)) said = -1;
    if (l->plan->cut_after_down == n) l->closed = l->seen->cut = true;
  } else if (l->close_asked) {
    l->closed = true;
  }
  ov_buf_free(&b);
  return said;
}

static int run(wire *l, oc_error *e) {
  bool waited = false;
  for (int idle = 0; idle < 3 && !l->closed;) {
    bool moved = client_speaks(l);
    if (moved && waited) l->seen->turns++; /* it had waited for an answer, and says more */
    if (oc_session_finished(l->cs)) break;
    while (!l->closed && server_reads(l)) moved = true;
    if (l->closed) break;
    world_work(l->w);
    int down = server_speaks(l, e);
    waited = down != 0;
    if (down < 0) return e->err;
    moved |= down != 0;
    idle = moved ? 0 : idle + 1;
  }
  /* what the client still has to say (ACKED) reaches the server before the close */
  while (!l->closed && server_reads(l)) {}
  return 0;
}

/* -- a connection that stays ----------------------------------------------------------------------------- */

struct world_wire {
  wire l;
  link_plan plan;
  link_seen seen;
};

world_wire *world_connect(world *w, oc_session *cs) {
  world_wire *ww = calloc(1, sizeof *ww);
  FX_MUST(ww);
  ww->l = (wire){.w = w, .cs = cs, .plan = &ww->plan, .seen = &ww->seen};
  ww->l.up_tail = &ww->l.up;
  sv_link link = {.want_write = want_write, .close = close_link, .pause = pause_reading, .ctx = &ww->l};
  ww->l.ss = sv_session_open(w->server, &link, "test");
  FX_MUST(ww->l.ss);
  return ww;
}

int world_pump(world_wire *ww, oc_error *e) { return ww->l.closed ? 0 : run(&ww->l, e); }

const link_seen *world_seen(const world_wire *ww) { return &ww->seen; }

bool world_closed(const world_wire *ww, unsigned *code) {
  if (code) *code = ww->l.close_code;
  return ww->l.closed || ww->l.close_asked;
}

/* A message as if the client had sent it. */
void world_inject(world_wire *ww, const uint8_t *p, size_t n) { sv_session_message(ww->l.ss, p, n); }

bool world_pull(world_wire *ww, ov_buf *out) { return sv_session_pull(ww->l.ss, out); }

void world_disconnect(world_wire *ww) {
  world_work(ww->l.w);
  sv_session_closed(ww->l.ss);
  while (ww->l.up) {
    message *m = ww->l.up;
    ww->l.up = m->next;
    free(m);
  }
  world_work(ww->l.w);
  free(ww);
}

int world_sync_session(world *w, oc_session *cs, const link_plan *plan, link_seen *seen, oc_error *e) {
  link_plan mine = plan ? *plan : (link_plan){0};
  link_seen dummy;
  wire l = {.w = w, .cs = cs, .plan = &mine, .seen = seen ? seen : &dummy};
  sv_link link = {.want_write = want_write, .close = close_link, .pause = pause_reading, .ctx = &l};
  *l.seen = (link_seen){0};
  l.up_tail = &l.up;
  l.ss = sv_session_open(w->server, &link, "test");
  FX_MUST(l.ss);
  int said = run(&l, e);
  l.seen->close_code = l.close_code;
  world_work(w); /* a commit under way when the link broke goes on */
  sv_session_closed(l.ss);
  while (l.up) {
    message *m = l.up;
    l.up = m->next;
    free(m);
  }
  world_work(w);
  return said;
}
