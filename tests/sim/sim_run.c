/* One run from one plan. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sim_say(sim *w, const char *fmt, ...) {
  va_list ap;
  if (!w->o.trace) return;
  va_start(ap, fmt);
  printf("%4u %10.3f  ", w->step, (double)(w->true_ms - FX_START_MS) / 1000.0);
  vprintf(fmt, ap);
  printf("\n");
  va_end(ap);
  fflush(stdout);
}

void sim_fail(sim *w, const char *category, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fprintf(stderr, "FAIL %s: ", category);
  vfprintf(stderr, fmt, ap);
  fprintf(stderr, " (seed %llu, event %u)\n", (unsigned long long)w->o.seed, w->step);
  va_end(ap);
  fflush(stdout);
  *w->told = w->st;
  _exit(2);
}

/* "t3:12-ab12cd34": the first bytes of the writer, seq, tag. */
const char *sim_name(const ov_name *n) {
  static char ring[8][40];
  static unsigned at;
  char *out = ring[at++ % 8];
  snprintf(out, 40, "%02x%02x:%llu-%02x%02x", n->writer.b[0], n->writer.b[1], (unsigned long long)n->seq,
           n->tag[0], n->tag[1]);
  return out;
}

static void first_tablets(sim *w, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    unsigned device;
    uint32_t teams = 1u << (i % SIM_TEAMS) | (i % 4 == 3 ? 1u << ((i + 1) % SIM_TEAMS) : 0);
    sim_make_device(w, "tablet", teams, &device);
    sim_tablet *t = sim_tablet_new(w);
    FX_MUST(t);
    sim_tablet_enrol(t, device);
    if (sim_sync(t)) sim_fail(w, "first-sync", "tablet %u does not sync", t->id);
  }
}

static void close_world(sim *w) {
  sim_links_drop(w);
  for (unsigned i = 0; i < SIM_TABLETS_MAX; i++)
    if (w->tablets[i].used) sim_store_close(&w->tablets[i]);
  while (w->recorded) {
    sim_msg *m = w->recorded;
    w->recorded = m->next;
    free(m);
  }
  sim_world_close(w);
  ov_packer_free(w->packer);
  ov_arena_free(&w->spy_arena);
  ov_arena_free(&w->tmp);
  free(w->ops);
  free(w->slots);
}

void sim_run(const sim_options *o, const sim_plan *p, char state[65], sim_stats *stats) {
  sim *w = calloc(1, sizeof *w);
  FX_MUST(w);
  w->o = *o;
  w->told = stats;
  w->rng.state = o->seed ^ 0x9e3779b97f4a7c15u;
  w->fail_in = w->commit_fails_in = -1;
  w->packer = ov_packer_new();
  FX_MUST(w->packer);
  ov_arena_init(&w->spy_arena, 64u << 20);
  ov_arena_init(&w->tmp, 256u << 20);
  sim_openssl_seed(o->seed);
  sim_seams(w);
  sim_server_open(w);
  first_tablets(w, p->tablets);
  for (unsigned i = 0; i < p->n; i++) {
    w->step = i;
    sim_do(w, &p->events[i]);
  }
  w->step = p->n;
  sim_quiesce(w);
  ov_hash h = sim_state(w);
  ov_hex(h.b, OV_HASH_BYTES, state);
  sim_say(w,
          "%llu ops written, %llu syncs (%llu to the end), %llu messages, %llu bytes, %llu cuts, %llu "
          "crashes, %llu restores, %llu rests",
          (unsigned long long)w->st.writes, (unsigned long long)w->st.syncs,
          (unsigned long long)w->st.finished, (unsigned long long)w->st.messages,
          (unsigned long long)w->st.bytes, (unsigned long long)w->st.cuts, (unsigned long long)w->st.crashes,
          (unsigned long long)w->st.restores, (unsigned long long)w->st.quiets);
  *stats = w->st;
  close_world(w);
  sim_seams(NULL);
  free(w);
}
