/* Links: messages under way between sessions, one move at a time. Within one link they keep their order;
 * between links there is none. A link may break at either end, or at both, before and after any message; what
 * a dead client had sent may still arrive. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "session_priv.h"

/* -- queues ---------------------------------------------------------------------------------------------- */

static void put(sim_queue *q, const uint8_t *p, size_t n) {
  sim_msg *m = malloc(sizeof *m + n);
  FX_MUST(m);
  m->next = NULL;
  m->n = n;
  memcpy(m->p, p, n);
  if (!q->head) q->tail = &q->head;
  *q->tail = m;
  q->tail = &m->next;
  q->n++;
}

static sim_msg *take(sim_queue *q) {
  sim_msg *m = q->head;
  q->head = m->next;
  q->n--;
  return m;
}

static void empty(sim_queue *q) {
  while (q->head) free(take(q));
}

/* -- ends of a link -------------------------------------------------------------------------------------- */

static void want_write(void *ctx) { ((sim_link *)ctx)->want_write = true; }
static void pause_reading(void *ctx, bool paused) { ((sim_link *)ctx)->paused = paused; }
static void close_link(void *ctx, unsigned code, const char *reason) {
  sim_link *l = ctx;
  (void)reason;
  (void)code;
  l->close_asked = true;
}

static void client_gone(sim_link *l) {
  if (!l->cs && !l->t) return;
  oc_session_free(l->cs);
  l->cs = NULL;
  if (l->t) l->t->link = NULL;
  l->t = NULL;
  empty(&l->down);
}

static void server_gone(sim_link *l) {
  if (l->ss) sv_session_closed(l->ss);
  l->ss = NULL;
  empty(&l->up);
}

static void tidy(sim_link *l) {
  if (l->used && !l->ss && !l->t) {
    empty(&l->up);
    empty(&l->down);
    l->used = false;
  }
}

void sim_link_cut(sim *w, sim_link *l, unsigned mode) {
  (void)w;
  if (mode != 2) client_gone(l);
  if (mode != 1) server_gone(l);
  if (mode == 2 && !l->down.n) client_gone(l); /* nothing more will come */
  tidy(l);
}

void sim_links_drop(sim *w) {
  for (unsigned i = 0; i < SIM_LINKS_MAX; i++)
    if (w->links[i].used) sim_link_cut(w, &w->links[i], 0);
}

static sim_link *new_link(sim *w) {
  for (unsigned i = 0; i < SIM_LINKS_MAX; i++) {
    sim_link *l = &w->links[i];
    if (l->used) continue;
    *l = (sim_link){.used = true, .id = w->n_links++, .w = w, .weight = 10, .want_write = true};
    sv_link ends = {.want_write = want_write, .close = close_link, .pause = pause_reading, .ctx = l};
    l->ss = sv_session_open(w->server, &ends, "sim");
    FX_MUST(l->ss);
    return l;
  }
  return NULL;
}

/* The session itself is made by the caller when it enrols. */
sim_link *sim_connect(sim_tablet *t, sim_rng *r, bool perfect) {
  sim *w = t->w;
  if (t->link || t->s->self.purged_ms) return NULL; /* wiped after it was revoked: it has no more to say */
  sim_link *l = new_link(w);
  if (!l) return NULL;
  l->t = t;
  l->device = t->device;
  t->link = l;
  if (!t->enrolled) return l;
  oc_sync_options o = {0};
  oc_error e = {0};
  if (!perfect) {
    l->weight = 1 + sim_below(r, 10);
    o.live = sim_chance(r, 20);
    o.credit = sim_chance(r, 30) ? 2 + sim_below(r, 3) : 0;
    o.frame_bytes = sim_chance(r, 50) ? OV_FRAME_BYTES_MIN : 0;
  }
  l->live = o.live;
  /* what a scope holds here fits into one frame: somebody who moves between two would be never seen */
  if (!perfect && l->id % 3 == 0) l->portion = 100 + l->id * 37 % 300;
  int err = oc_session_new(t->s, &o, &l->cs, &e);
  if (err) { /* a store that fails cannot even begin */
    sim_say(w, "tablet %u cannot begin: %s", t->id, e.message);
    sim_link_cut(w, l, 0);
    if (!t->failing) sim_fail(w, "session", "tablet %u: %s", t->id, e.message);
    return NULL;
  }
  w->st.syncs++;
  return l;
}

/* -- moves ----------------------------------------------------------------------------------------------- */

typedef enum move { CLIENT_SAYS, SERVER_HEARS, SERVER_SAYS, CLIENT_HEARS, SERVER_CLOSES, CLIENT_CLOSES } move;

static unsigned moves_of(const sim_link *l, move out[6]) {
  unsigned n = 0;
  bool finished = l->cs && oc_session_finished(l->cs);
  if (!l->used) return 0;
  if (l->cs && !finished && !l->client_idle) out[n++] = CLIENT_SAYS;
  if (l->up.n && l->ss && !l->paused && !l->close_asked) out[n++] = SERVER_HEARS;
  if (l->ss && l->want_write && l->down.n < 4) out[n++] = SERVER_SAYS;
  if (l->down.n && l->cs) out[n++] = CLIENT_HEARS;
  if (l->ss && l->close_asked && !l->want_write) out[n++] = SERVER_CLOSES;
  if (l->t && (finished || (!l->ss && !l->down.n))) out[n++] = CLIENT_CLOSES;
  if (l->ss && !l->t && (!l->up.n || (l->close_asked && l->want_write))) out[n++] = SERVER_CLOSES;
  return n;
}

static void client_says(sim_link *l) {
  size_t n = 0;
  const uint8_t *p = sim_output(l, &n);
  l->client_idle = !p;
  if (!p) return;
  l->n_up++;
  l->w->st.messages++;
  l->w->st.bytes += n;
  if (l->ss) put(&l->up, p, n);
}

static const scope_follow *fetched_in_part(const sim_link *l) {
  for (uint32_t i = 0; i < l->ss->n_scopes; i++) {
    const scope_follow *f = &l->ss->scopes[i];
    if (f->scope >= 2 && f->fresh && f->sent && f->behind) return f;
  }
  return NULL;
}

/* Once a link: somebody of a team leaves it between two frames of its fetch. By chance that hardly
 * happens. */
static void leave_amid_fetch(sim_link *l) {
  sim *w = l->w;
  const scope_follow *f = l->portion && !l->left && l->id % 2 && !w->disk_full ? fetched_in_part(l) : NULL;
  if (!f) return;
  uint32_t team = 1u << (f->scope - 2), other = 1u << (f->scope - 1) % SIM_TEAMS;
  for (unsigned k = 0; k < w->admin.n_participants && !l->left; k++) {
    unsigned i = (l->id + k) % w->admin.n_participants;
    uint32_t teams = w->admin.participants[i].teams;
    if (!w->admin.participants[i].here || !(teams & team)) continue;
    l->left = true;
    w->rights_changed = true;
    w->in_net = false; /* nothing fails the administrator */
    sim_set_participant_teams(w, i, teams & ~team ? teams & ~team : other);
    w->in_net = true;
  }
}

static void server_says(sim_link *l) {
  ov_buf b;
  ov_buf_init(&b, OV_WS_MESSAGE_BYTES_MAX);
  if (l->portion && l->ss->rows_per_frame > l->portion) l->ss->rows_per_frame = l->portion;
  l->want_write = sv_session_pull(l->ss, &b);
  if (l->want_write) {
    l->n_down++;
    l->w->st.messages++;
    l->w->st.bytes += b.n;
    sim_spy_down(l, b.p, b.n);
    put(&l->down, b.p, b.n);
    leave_amid_fetch(l);
  }
  ov_buf_free(&b);
}

static void client_hears(sim_link *l) {
  sim *w = l->w;
  sim_tablet *t = l->t;
  oc_error e = {0};
  sim_msg *m = take(&l->down);
  int err = oc_session_feed(l->cs, m->p, m->n, &e);
  free(m);
  l->client_idle = false;
  if (!err) {
    sim_check_acked(t);
    return;
  }
  l->said = err;
  bool again = oc_session_again(l->cs);
  sim_say(w, "tablet %u ends link %u: %s%s", t->id, l->id, e.message, again ? " (again)" : "");
  if (err == OC_E_REFUSED || err == OC_E_INVALID || err == OC_E_INTERNAL) {
    bool known = w->admin.devices[t->device].revoked || t->failing || again;
    if (!known) sim_fail(w, "refused", "tablet %u, link %u: %s", t->id, l->id, e.message);
    w->st.refused++;
  }
  if (err == OC_E_BUSY) w->st.busy++;
  client_gone(l);
  if (err == OC_E_REFUSED && t->s->self.revoked && !t->failing && !t->map_bytes) sim_check_ended(t);
  sim_tablet_afterwards(t);
  tidy(l);
}

static void make(sim_link *l, move m) {
  switch (m) {
  case CLIENT_SAYS: client_says(l); return;
  case SERVER_HEARS: {
    sim_msg *x = take(&l->up);
    sim_spy_up(l, x->p, x->n);
    sv_session_message(l->ss, x->p, x->n);
    free(x);
    return;
  }
  case SERVER_SAYS: server_says(l); return;
  case CLIENT_HEARS: client_hears(l); return;
  case SERVER_CLOSES:
    server_gone(l);
    if (l->t && !l->down.n) l->client_idle = true; /* it sees the close when it has read everything */
    tidy(l);
    return;
  case CLIENT_CLOSES:
    if (l->cs && oc_session_finished(l->cs)) {
      l->w->st.finished++;
      l->t->syncs++;
      l->said = 0;
    }
    sim_tablet *t = l->t;
    client_gone(l);
    if (t) sim_tablet_afterwards(t);
    tidy(l);
  }
}

static unsigned all_moves(const sim *w) {
  unsigned total = 0;
  move moves[6];
  for (unsigned i = 0; i < SIM_LINKS_MAX; i++)
    total += w->links[i].used ? moves_of(&w->links[i], moves) * w->links[i].weight : 0;
  return total;
}

/* Everything that could happen next, weighed: moves of links, a commit, its outcomes. */
bool sim_net_move(sim *w, sim_rng *r) {
  sv_writer *writer = sv_server_writer(w->server);
  unsigned total = all_moves(w), work = sv_writer_pending(writer) ? 6 : 0;
  move moves[6];
  w->true_ms += 1 + sim_below(r, 20);
  if (sim_below(r, 60) == 0) sv_server_tick(w->server);
  if (!total && !work) {
    sv_server_poll(w->server);
    return sv_writer_pending(writer) || all_moves(w);
  }
  unsigned at = sim_below(r, total + work + 3);
  if (at < 3) {
    sv_server_poll(w->server);
    return true;
  }
  at -= 3;
  if (at < work) {
    sv_writer_step(writer);
    if (sim_chance(r, 50)) sv_server_poll(w->server);
    return true;
  }
  at -= work;
  for (unsigned i = 0; i < SIM_LINKS_MAX; i++) {
    sim_link *l = &w->links[i];
    unsigned n = l->used ? moves_of(l, moves) : 0;
    if (at >= n * l->weight) {
      at -= n * l->weight;
      continue;
    }
    make(l, moves[at / l->weight]);
    return true;
  }
  return true;
}

/* A poll may be what everything waits for, so it is tried before the end is believed. */
void sim_net(sim *w, sim_rng *r, unsigned moves) {
  w->in_net = true;
  for (unsigned i = 0; i < moves && !w->failing; i++) sim_net_move(w, r);
  w->in_net = false;
  /* a store that failed is opened again, as an app is that crashed */
  for (unsigned i = 0; i < SIM_TABLETS_MAX; i++) {
    if (!w->tablets[i].used || !w->tablets[i].failing) continue;
    sim_say(w, "tablet %u's storage failed: it is restarted", i);
    w->st.crashes++;
    sim_tablet_crash(&w->tablets[i]);
  }
  if (w->failing) {
    sim_say(w, "the server's storage failed: it is restarted");
    w->st.crashes++;
    sim_server_crash(w);
  }
}

int sim_sync(sim_tablet *t) {
  sim *w = t->w;
  sim_link *l = sim_connect(t, &w->rng, true);
  if (!l) return 0;
  unsigned id = l->id;
  l->said = OC_E_NET;
  bool moves = true;
  for (unsigned i = 0; i < 20000 && moves && t->link == l && l->id == id; i++) {
    moves = sim_net_move(w, &w->rng);
    if (!moves) moves = sim_net_move(w, &w->rng); /* the first may only have let time pass */
  }
  int said = l->said;
  if (t->link) sim_fail(w, "stuck", "tablet %u: link %u neither ends nor goes on", t->id, id);
  return said;
}

/* -- somebody who listened ------------------------------------------------------------------------------- */

void sim_replay(sim *w, sim_rng *r) {
  sim_link *l = w->recorded ? new_link(w) : NULL;
  if (!l) return;
  l->replay = true;
  for (sim_msg *m = w->recorded; m; m = m->next) put(&l->up, m->p, m->n);
  w->true_ms += sim_chance(r, 50) ? 500 : 300000;
  sim_say(w, "a recorded greeting of %u messages is played again on link %u", w->recorded_n, l->id);
}
