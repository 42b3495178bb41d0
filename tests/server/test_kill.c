/* SIGKILL at any moment, to the real server under load and to the client library in a process of its own:
 * what was acknowledged is stored, byte for byte, and what the client calls acknowledged is on the server.
 *
 *   test_server_kill [CYCLES]   100 when not said; each hundred on new data, so that looking at all of it
 *                               stays cheap. Ends with the sums; SIGINT ends it after the cycle at hand. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oc_internal.h"
#include "stage.h"

#define CYCLES_PER_SITE 100u

static volatile sig_atomic_t stopped;
static void on_stop(int sig) {
  (void)sig;
  stopped = 1;
}

/* -- the client library in its own process --------------------------------------------------------------- */

typedef struct client {
  stage *st;
  char path[300], carer[OV_NAME_TEXT_MAX], anna[OV_NAME_TEXT_MAX];
  pid_t pid;
  uint64_t acked; /* as its store said last */
} client;

static oc_store *open_store(const client *c) {
  oc_store *s = NULL;
  oc_error e = {0};
  oc_options o = {.path = c->path, .map_bytes_max = 64u << 20};
  if (oc_store_open(&o, &s, &e)) fx_die(__FILE__, __LINE__, e.message, 0);
  return s;
}

static void url_of(const client *c, char url[80]) {
  snprintf(url, 80, "ws://localhost:%u/sync", c->st->d.port);
}

static void client_enrol(client *c, stage *st) {
  char url[80], code[DM_CODE_TEXT];
  oc_error e = {0};
  *c = (client){.st = st};
  snprintf(c->path, sizeof c->path, "%s/client", st->site.fx.dir);
  ov_name_text(&st->site.orgs[0].carer, c->carer);
  ov_name_text(&st->site.orgs[0].anna, c->anna);
  dm_code(&st->d, &st->site.orgs[0].shell.id, "library", code);
  url_of(c, url);
  oc_store *s = open_store(c);
  oc_sync_options o = {.once_only = true};
  if (oc_enrol(s, url, code, "library", &o, &e) || oc_sync(s, &o, &e))
    fx_die(__FILE__, __LINE__, e.message, 0);
  oc_store_close(s);
}

static bool add_note(const client *c, oc_store *s, unsigned i) {
  char day[24];
  oc_error e = {0};
  oc_draft *d = oc_draft_new(s, "sleep");
  snprintf(day, sizeof day, "2026-%02u-%02u", 1 + i / 28 % 12, 1 + i % 28);
  bool ok = d && !oc_draft_participant(d, c->anna, &e) && !oc_draft_author(d, c->carer, &e) &&
            !oc_draft_set(d, "night_date", day, &e) && !oc_draft_set(d, "source", "1", &e) &&
            !oc_draft_set(d, "note", SECRET, &e) && !oc_add(s, d, NULL, &e);
  oc_draft_free(d);
  if (!ok) fprintf(stderr, "client: %s\n", e.message);
  return ok;
}

/* Writes and syncs until it is killed; a server that is gone is no reason to stop. */
_Noreturn static void client_life(const client *c) {
  oc_store *s = open_store(c);
  oc_sync_options o = {.once_only = true};
  url_of(c, s->self.url); /* the system chooses another port each time */
  for (unsigned i = 0;; i++) {
    if (!add_note(c, s, i)) _exit(EXIT_FAILURE);
    oc_error e = {0};
    if (i % 3 == 2 && oc_sync(s, &o, &e)) dm_sleep_ms(1);
  }
}

static void client_start(client *c) {
  fflush(NULL);
  c->pid = fork();
  FX_MUST(c->pid >= 0);
  if (c->pid) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_IGN);
  client_life(c);
}

/* false: it had ended by itself. */
static bool client_kill(client *c) {
  int status = 0;
  kill(c->pid, SIGKILL);
  waitpid(c->pid, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static bool stored(const client *c, sv_txn *t, const oc_log_row *own, ov_arena *a, char why[DM_WHY]) {
  sv_op_row on_server;
  (void)c;
  int err = sv_op_get(t, &own->op.name, a, &on_server);
  if (!err && !memcmp(on_server.head.b, own->head.b, sizeof own->head.b)) return true;
  snprintf(why, DM_WHY, "op %llu, acknowledged to the client, is not stored: %s",
           (unsigned long long)own->op.name.seq, err ? ov_err_text(err) : "another one is");
  return false;
}

/* All that the client's store calls acknowledged is on the server; nothing that was acknowledged is so no
 * more. The organisations must be open. */
static bool client_check(client *c, char why[DM_WHY]) {
  oc_store *s = open_store(c);
  oc_txn *x = NULL;
  sv_txn *t = NULL;
  oc_writer_row w;
  ov_arena a;
  uint64_t acked = 0;
  bool ok = true;
  ov_arena_init(&a, 16u << 20);
  FX_OK(oc_txn_begin(s->db, false, &x));
  FX_OK(sv_txn_read(c->st->site.orgs[0].open->env, &t));
  int err = oc_writer_next(x, NULL, &w);
  for (; ok && !err; err = oc_writer_next(x, &w.writer, &w)) {
    for (uint64_t seq = 1; ok && seq <= w.acked; seq++, acked++) {
      oc_log_row own;
      ov_arena_reset(&a);
      FX_OK(oc_log_get(x, &w.writer, seq, &a, &own));
      ok = stored(c, t, &own, &a, why);
    }
  }
  sv_txn_abort(t);
  oc_txn_abort(x);
  ov_arena_free(&a);
  oc_store_close(s);
  if (ok && acked < c->acked) {
    ok = false;
    snprintf(why, DM_WHY, "the client's store knew %llu ops as acknowledged and knows %llu",
             (unsigned long long)c->acked, (unsigned long long)acked);
  }
  c->acked = acked;
  return ok;
}

/* -- cycles ---------------------------------------------------------------------------------------------- */

typedef struct sums {
  uint64_t cycles, pushes, acked, client_acked;
} sums;

static uint32_t below(uint64_t *seed, uint32_t n) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*seed >> 33) % n;
}

static bool look(stage *st, client *c, bool walk, char why[DM_WHY]) {
  if (!dm_site_open_orgs(&st->site, why)) return false;
  bool ok = dm_check_acked(&st->site, walk, why) && client_check(c, why);
  dm_site_close_orgs(&st->site);
  return ok;
}

/* The server is killed first or the client, some milliseconds apart. */
static bool one_cycle(stage *st, client *c, uint64_t *seed, sums *sum, char why[DM_WHY]) {
  static load l;
  bool client_first = below(seed, 2);
  client_start(c);
  bool ok = load_open(&l, st);
  if (!ok) snprintf(why, DM_WHY, "the loaders are not welcomed");
  if (ok) load_run(&l, 2 + below(seed, 40));
  if (client_first) ok &= client_kill(c);
  if (client_first && ok) load_run(&l, below(seed, 5));
  dm_stop(&st->d, SIGKILL);
  load_run(&l, 200); /* what the server had sent still counts */
  load_close(&l);
  if (!client_first && !client_kill(c)) ok = false;
  if (!ok && !*why) snprintf(why, DM_WHY, "the client ended by itself");
  sum->pushes += l.pushes;
  sum->cycles++;
  return ok && look(st, c, sum->cycles % 5 == 0, why) && dm_again(&st->d, why);
}

static bool on_new_data(unsigned cycles, uint64_t seed, sums *sum, char why[DM_WHY]) {
  static stage st;
  client c;
  bool ok = true;
  stage_open(&st, seed);
  dm_wire_close(&st.watcher);
  client_enrol(&c, &st);
  for (unsigned i = 0; ok && i < cycles && !stopped; i++) ok = one_cycle(&st, &c, &seed, sum, why);
  for (unsigned i = 0; i < LOADERS; i++) sum->acked += st.loader[i]->acked;
  sum->client_acked += c.acked;
  if (ok) ok = dm_log_clean(&st.d, SECRET, why);
  stage_close(&st);
  return ok;
}

int main(int argc, char **argv) {
  sums sum = {0};
  char why[DM_WHY] = "", *end = NULL;
  unsigned long cycles = argc > 1 ? strtoul(argv[1], &end, 10) : CYCLES_PER_SITE;
  if (argc > 2 || (end && *end) || !cycles) {
    fprintf(stderr, "usage: test_server_kill [CYCLES]\n");
    return 64;
  }
  bool ok = true;
  signal(SIGINT, on_stop);
  for (uint64_t site = 0; ok && !stopped && sum.cycles < cycles; site++) {
    unsigned long left = cycles - sum.cycles;
    ok = on_new_data(left < CYCLES_PER_SITE ? (unsigned)left : CYCLES_PER_SITE, 41 + site, &sum, why);
    fprintf(stderr, "%llu of %lu cycles\n", (unsigned long long)sum.cycles, cycles);
  }
  if (ok && (!sum.acked || !sum.client_acked)) {
    ok = false;
    snprintf(why, sizeof why, "nothing was acknowledged at all");
  }
  printf("%llu kills, %llu pushes under way or done, %llu ops acknowledged to tablets and %llu to the client "
         "library, %s\n",
         (unsigned long long)sum.cycles, (unsigned long long)sum.pushes, (unsigned long long)sum.acked,
         (unsigned long long)sum.client_acked, ok ? "0 lost" : why);
  return !ok ? EXIT_FAILURE : stopped ? 130 : EXIT_SUCCESS;
}
