/* The command; see usage() for what it takes. Each run is a process of its own, so that a crash is a finding
 * like any other. */
#include "sim.h"

#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX 2048
#define RUN_CPU_SECONDS 300 /* a run that takes more hangs */
#define PROGRESS_EVERY 50

typedef struct args {
  sim_options o;
  uint64_t first, last;
  bool shrink, many, until, progress;
} args;

static volatile sig_atomic_t stopped;
static sim_stats *shared; /* what the run at hand counted */

static void on_stop(int sig) {
  (void)sig;
  stopped = 1;
}

/* -- one run in a process of its own --------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)st;
  (void)type;
  (void)at;
  return remove(path);
}

static void child(const sim_options *o, const sim_plan *p, const char *dir, int err_fd) {
  char state[65];
  struct rlimit cpu = {RUN_CPU_SECONDS, RUN_CPU_SECONDS};
  if (err_fd >= 0) dup2(err_fd, STDERR_FILENO);
  setenv("TMPDIR", dir, 1);
  setrlimit(RLIMIT_CPU, &cpu);
  sim_run(o, p, state, shared);
  if (!o->quiet) printf("seed %llu: %s\n", (unsigned long long)o->seed, state);
  fflush(stdout);
  exit(0);
}

static void read_all(int fd, char said[SAID_MAX]) {
  size_t n = 0;
  char more[512];
  for (ssize_t k; (k = read(fd, more, sizeof more)) > 0;) {
    size_t take = n + (size_t)k < SAID_MAX - 1 ? (size_t)k : SAID_MAX - 1 - n;
    memcpy(said + n, more, take);
    n += take;
  }
  said[n] = 0;
}

/* 0 when all held; said: what it said on stderr. */
static int run_apart(const sim_options *o, const sim_plan *p, char said[SAID_MAX]) {
  char dir[200];
  int fds[2], status = 0;
  const char *tmp = getenv("TMPDIR");
  if (!tmp) tmp = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
  snprintf(dir, sizeof dir, "%s/overdracht-sim-XXXXXX", tmp);
  FX_MUST(mkdtemp(dir) && !pipe(fds));
  fflush(NULL);
  pid_t pid = fork();
  FX_MUST(pid >= 0);
  if (pid == 0) {
    close(fds[0]);
    child(o, p, dir, fds[1]);
  }
  close(fds[1]);
  read_all(fds[0], said);
  close(fds[0]);
  waitpid(pid, &status, 0);
  nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  size_t n = strlen(said);
  if (WIFSIGNALED(status))
    snprintf(said + n, SAID_MAX - n, "%s%sended by signal %d\n", n ? "" : "FAIL signal", n ? "" : ": ",
             WTERMSIG(status));
  return status;
}

/* -- shrinking ------------------------------------------------------------------------------------------- */

/* What kind of failure: the line that says so, up to its details. */
static void kind_of(const char *said, char out[80]) {
  const char *at = strstr(said, "FAIL ");
  if (!at) at = strstr(said, "ERROR: AddressSanitizer");
  if (!at) at = said;
  size_t n = 0;
  unsigned colons = 0;
  for (; at[n] && at[n] != '\n' && n < 79 && colons < (at[0] == 'F' ? 1 : 2); n++) {
    out[n] = at[n];
    colons += at[n] == ':';
  }
  out[n] = 0;
}

static bool fails_alike(const sim_options *o, const sim_plan *p, const char *kind) {
  char said[SAID_MAX], other[80];
  if (stopped || !run_apart(o, p, said)) return false;
  kind_of(said, other);
  return !strcmp(kind, other);
}

static sim_plan without(const sim_plan *p, unsigned from, unsigned n) {
  sim_plan q = {.tablets = p->tablets, .n = p->n - n, .events = calloc(p->n + 1u, sizeof *q.events)};
  FX_MUST(q.events);
  memcpy(q.events, p->events, from * sizeof *q.events);
  memcpy(q.events + from, p->events + from + n, (p->n - from - n) * sizeof *q.events);
  return q;
}

/* Delta debugging: ever smaller pieces are left out as long as it fails alike. */
static void shrink(const sim_options *o, sim_plan *p, const char *kind) {
  sim_options quiet = *o;
  quiet.trace = false;
  quiet.quiet = true;
  for (unsigned piece = p->n / 2; piece; piece /= 2) {
    bool less = true;
    while (less) {
      less = false;
      for (unsigned from = 0; from + piece <= p->n;) {
        sim_plan q = without(p, from, piece);
        if (fails_alike(&quiet, &q, kind)) {
          sim_plan_free(p);
          *p = q;
          less = true;
        } else {
          sim_plan_free(&q);
          from += piece;
        }
      }
      if (piece > 1) break;
    }
  }
  while (p->tablets > 1) {
    sim_plan q = *p;
    q.tablets--;
    if (!fails_alike(&quiet, &q, kind)) break;
    p->tablets--;
  }
}

static int shrink_seed(const args *a) {
  sim_plan p;
  char said[SAID_MAX], kind[80];
  sim_options o = a->o;
  o.trace = false;
  o.quiet = true;
  sim_plan_make(&p, &o);
  if (!run_apart(&o, &p, said)) {
    printf("seed %llu holds: there is nothing to shrink\n", (unsigned long long)o.seed);
    sim_plan_free(&p);
    return 0;
  }
  kind_of(said, kind);
  unsigned before = p.n;
  shrink(&o, &p, kind);
  printf("seed %llu: %u of %u events and %u tablets still give \"%s\":\n", (unsigned long long)o.seed, p.n,
         before, p.tablets, kind);
  for (unsigned i = 0; i < p.n; i++)
    printf("  %-16s %u %u\n", sim_what_names[p.events[i].what], p.events[i].a, p.events[i].b);
  o.trace = true;
  run_apart(&o, &p, said);
  printf("%s", said);
  sim_plan_free(&p);
  return 1;
}

/* -- seeds ----------------------------------------------------------------------------------------------- */

static void add_stats(sim_stats *sum, const sim_stats *one) {
  uint64_t *to = (uint64_t *)sum;
  const uint64_t *from = (const uint64_t *)one;
  static_assert(sizeof *sum % sizeof *to == 0, "counters only");
  for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) to[i] += from[i];
}

static void print_stats(uint64_t seeds, unsigned failed, const sim_stats *s) {
  printf("%llu seeds, %u failed\n", (unsigned long long)seeds, failed);
  printf("%llu ops written, %llu syncs (%llu to the end), %llu messages, %llu cuts, %llu crashes, "
         "%llu restores, %llu rests\n",
         (unsigned long long)s->writes, (unsigned long long)s->syncs, (unsigned long long)s->finished,
         (unsigned long long)s->messages, (unsigned long long)s->cuts, (unsigned long long)s->crashes,
         (unsigned long long)s->restores, (unsigned long long)s->quiets);
}

static int run_seeds(const args *a) {
  unsigned failed = 0;
  uint64_t done = 0;
  sim_stats sum = {0};
  for (uint64_t seed = a->first; seed <= a->last && !(failed && a->until); seed++) {
    sim_plan p;
    char said[SAID_MAX] = "";
    sim_options o = a->o;
    o.seed = seed;
    *shared = (sim_stats){0};
    sim_plan_make(&p, &o);
    int status = run_apart(&o, &p, said);
    sim_plan_free(&p);
    if (stopped) break;
    done++;
    add_stats(&sum, shared);
    if (status) {
      printf("seed %llu fails: %s", (unsigned long long)seed, said);
      failed++;
    }
    if (a->progress && done % PROGRESS_EVERY == 0)
      fprintf(stderr, "%llu of %llu seeds, %u failed\n", (unsigned long long)done,
              (unsigned long long)a->last - a->first + 1, failed);
  }
  if (a->many) print_stats(done, failed, &sum);
  return failed ? 1 : stopped ? 130 : 0;
}

/* -- arguments ------------------------------------------------------------------------------------------- */

static const char help[] =
    "usage: sim --seed N [--trace | --shrink]\n"
    "       sim --seeds A-B [--quiet] [--progress] [--until-found]\n"
    "\n"
    "A deterministic world: the production server and client code in one process and one thread. Time,\n"
    "network, random source and scheduling follow from the seed; each seed has troubles of its own.\n"
    "\n"
    "  --seed N         one seed; prints a hash of all that is left, the same each time\n"
    "  --seeds A-B      each of these; prints the hashes, the failures and sums\n"
    "  --trace          tells in words what happens\n"
    "  --shrink         leaves out events of a failing seed as long as it fails alike; tells what is left\n"
    "  --steps M        so many events in place of as many as the seed says\n"
    "  --tablets K      so many tablets at the start, at most 24\n"
    "  --quiet          no hashes\n"
    "  --progress       a line on stderr every 50 seeds\n"
    "  --until-found    stops at the first seed that fails\n"
    "  --plant NAME     with a bug planted on purpose (only in sim_planted; --plants lists them)\n"
    "  --help           this text\n"
    "\n"
    "Exits 0 when everything held, 1 when a seed failed, 64 when called wrongly, 130 when interrupted.\n";

static int list_plants(void) {
  for (unsigned i = 0; i < sim_n_plants; i++) printf("%s\t%s\n", sim_plants[i].name, sim_plants[i].says);
  return 0;
}

static bool plant(const char *name) {
  for (unsigned i = 0; i < sim_n_plants; i++) {
    if (strcmp(sim_plants[i].name, name)) continue;
    sim_plants[i].on = true;
    return true;
  }
  fprintf(stderr, "sim: no such planted bug in this program: %s\n", name);
  return false;
}

static bool take_number(int c, args *a) {
  char *end = NULL;
  uint64_t n = strtoull(optarg, &end, 10);
  if (c == 's') a->first = a->last = n;
  else if (c == 'n') a->o.steps = (unsigned)n;
  else if (c == 'k') a->o.tablets = (unsigned)n;
  else {
    a->first = n;
    a->last = *end == '-' ? strtoull(end + 1, &end, 10) : n;
    a->many = true;
  }
  return end != optarg && !*end;
}

/* -1: go on; else the exit status. */
static int read_args(int argc, char **argv, args *a) {
  static const struct option options[] = {
      {"seed", 1, NULL, 's'},    {"seeds", 1, NULL, 'S'},    {"steps", 1, NULL, 'n'},
      {"tablets", 1, NULL, 'k'}, {"trace", 0, NULL, 't'},    {"shrink", 0, NULL, 'r'},
      {"quiet", 0, NULL, 'q'},   {"progress", 0, NULL, 'p'}, {"until-found", 0, NULL, 'u'},
      {"plant", 1, NULL, 'b'},   {"plants", 0, NULL, 'l'},   {"help", 0, NULL, 'h'},
      {NULL, 0, NULL, 0}};
  bool given = false, good = true;
  for (int c; good && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    switch (c) {
    case 's':
    case 'S': given = true; /* fall through */
    case 'n':
    case 'k': good = take_number(c, a); break;
    case 't': a->o.trace = true; break;
    case 'r': a->shrink = true; break;
    case 'q': a->o.quiet = true; break;
    case 'p': a->progress = true; break;
    case 'u': a->until = true; break;
    case 'b': good = plant(optarg); break;
    case 'l': return list_plants();
    case 'h': fputs(help, stdout); return 0;
    default: good = false;
    }
  }
  if (good && given && optind == argc && a->o.tablets <= SIM_TABLETS_MAX / 2) return -1;
  fputs("sim: --seed or --seeds is needed; see sim --help\n", stderr);
  return 64;
}

int main(int argc, char **argv) {
  args a = {0};
  int status = read_args(argc, argv, &a);
  if (status >= 0) return status;
  a.o.seed = a.first;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  FX_MUST(shared != MAP_FAILED);
  signal(SIGINT, on_stop);
  signal(SIGTERM, on_stop);
  return a.shrink ? shrink_seed(&a) : run_seeds(&a);
}
