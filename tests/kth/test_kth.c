/* Every call that can fail fails once, over the main paths of server and client: allocations, LMDB, OpenSSL,
 * files, writes, syncs, the random source. Nothing crashes, hangs or leaks, no acknowledged op is lost, none
 * is believed to be on the server that is not, and the next try works.
 *   test_kth [--all] [PATH ...]     --all: every call, also where the day's runs take some of them only */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kth.h"

/* A path of more calls than this is not one that a test can follow. */
#define CALLS_MAX 100000u
/* No single run takes so long, on the slowest machine: it hangs. */
#define HANG_S 120u
#define LEAK_BYTES (1u << 20)

static struct {
  const kth_path *path;
  kth_kind kind;
  unsigned k;
} now;

char kth_said[400];

void kth_die(const char *file, int line, const char *what) {
  kth_disarm();
  fprintf(stderr, "%s, %s %u: %s:%d: %s\n%s\n", now.path->name, kth_names[now.kind], now.k, file, line, what,
          kth_said);
  abort();
}

/* -- what must hold ------------------------------------------------------------------------------------- */

static uint64_t own_ops(fuzz_home *h) {
  oc_status st = tablet_status(&h->t);
  return st.unsent + st.on_server + st.safe;
}

/* What the tablet calls sent is on the server. */
static void no_false_ack(fuzz_home *h) {
  oc_writer_row w;
  oc_txn *ot = NULL;
  sv_txn *t = NULL;
  ov_arena a;
  ov_arena_init(&a, 16u << 20);
  KTH_MUST(!oc_txn_begin(h->t.s->db, false, &ot));
  KTH_MUST(!sv_txn_read(h->w.org->env, &t));
  KTH_MUST(!oc_writer_get(ot, &h->t.s->self.writer, &w));
  for (uint64_t seq = 1; seq <= w.acked; seq++) {
    oc_log_row row;
    KTH_MUST(!oc_log_get(ot, &w.writer, seq, &a, &row));
    KTH_MUST(sv_op_has(t, &row.op.name));
  }
  sv_txn_abort(t);
  oc_txn_abort(ot);
  ov_arena_free(&a);
}

/* -- the random source: failing it is the fixture's to do ------------------------------------------------ */

static int (*fixture_random)(void *ctx, void *p, size_t n);
static int (*tablet_random)(void *ctx, void *p, size_t n);

static int server_draw(void *ctx, void *p, size_t n) {
  return kth_fails(KTH_RANDOM) ? OV_E_CRYPTO : fixture_random(ctx, p, n);
}

static int tablet_draw(void *ctx, void *p, size_t n) {
  return kth_fails(KTH_RANDOM) ? -1 : tablet_random(ctx, p, n);
}

/* -- for every k ----------------------------------------------------------------------------------------- */

/* True when the k-th call was reached. What came before may have left less to do: it need not be. */
static bool one(const kth_path *p, kth_kind kind, unsigned k) {
  oc_error e;
  alarm(HANG_S);
  fuzz_home *h = fuzz_home_fresh();
  fixture_random = h->w.fx.sys.random;
  h->w.fx.sys.random = server_draw;
  tablet_random = h->t.s->o.random;
  h->t.s->o.random = tablet_draw;
  uint64_t before = own_ops(h);
  now.kind = kind;
  now.k = k;
  kth_arm(kind, k);
  bool ok = p->run(h);
  bool hit = kth_disarm();
  h->w.fx.sys.random = fixture_random;
  if (!hit && !ok) kth_die(__FILE__, __LINE__, "it fails without a fault");
  /* A store that met a fault of the disk takes no more writes until it is opened again. */
  fuzz_home_restart(h);
  no_false_ack(h);
  fuzz_home_unharmed(h);
  if (oc_verify(h->t.s, &e)) kth_die(__FILE__, __LINE__, e.message);
  uint64_t after = own_ops(h);
  KTH_MUST(after >= before && after <= before + p->adds);
  if (ok) KTH_MUST(after == before + p->adds);
  if (hit) KTH_MUST(p->run(h)); /* the next try */
  tablet_sync_ok(&h->t);
  fuzz_home_tablet_arrived(h);
  fuzz_home_close(h);
  return hit;
}

static void every_call_fails_once(const kth_path *p, bool all) {
  now.path = p;
  for (int kind = 0; kind < KTH_KINDS; kind++) {
    KTH_MUST(!one(p, (kth_kind)kind, CALLS_MAX)); /* without a fault, to count */
    unsigned calls = kth_counted(), runs = 0;
    unsigned step = all || calls <= p->day_runs ? 1 : (calls + p->day_runs - 1) / p->day_runs;
    size_t used = 0;
    for (unsigned k = 1; k <= calls; k += step) {
      (void)one(p, (kth_kind)kind, k);
      if (++runs == 4) used = mallinfo2().uordblks;
      if (runs > 4 && mallinfo2().uordblks > used + LEAK_BYTES) kth_die(__FILE__, __LINE__, "it leaks");
    }
    printf("%-16s %5u of %5u x %s\n", p->name, runs, calls, kth_names[kind]);
    fflush(stdout);
  }
}

static unsigned run_paths(const kth_path *list, const char *name, bool all) {
  unsigned n = 0;
  for (; list->name; list++) {
    if (name && strcmp(name, list->name)) continue;
    every_call_fails_once(list, all);
    n++;
  }
  return n;
}

int main(int argc, char **argv) {
  bool all = argc > 1 && !strcmp(argv[1], "--all");
  for (int i = all ? 2 : 1; i < argc || i == 1 + all; i++) {
    const char *name = i < argc ? argv[i] : NULL;
    unsigned n = run_paths(kth_sync_paths, name, all);
    n += run_paths(kth_client_paths, name, all);
    n += run_paths(kth_server_paths, name, all);
    if (n) continue;
    fprintf(stderr, "no path is called %s\n", name);
    return 2;
  }
  return 0;
}
