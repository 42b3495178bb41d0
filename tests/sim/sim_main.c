/* The command:
 *   sim --seed N [--steps M] [--tablets K] [--trace] [--shrink]   one seed; prints a hash of what is left
 *   sim --seeds A-B [...]   many, each in its own process; says which fail */
#include "sim.h"

#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX 2048
#define RUN_SECONDS 120

typedef struct args {
  sim_options o;
  uint64_t first, last;
  bool shrink, many;
} args;

/* -- one run in a process of its own --------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)st;
  (void)type;
  (void)at;
  return remove(path);
}

static void child(const sim_options *o, const sim_plan *p, const char *dir, int err_fd) {
  char state[65];
  if (err_fd >= 0) dup2(err_fd, STDERR_FILENO);
  setenv("TMPDIR", dir, 1);
  alarm(RUN_SECONDS); /* a run that hangs fails */
  sim_run(o, p, state);
  if (!o->quiet) printf("seed %llu: %s\n", (unsigned long long)o->seed, state);
  fflush(stdout);
  exit(0);
}

/* 0 when all held; said: what it said on stderr. */
static int run_apart(const sim_options *o, const sim_plan *p, char said[SAID_MAX]) {
  char dir[200];
  int fds[2], status = 0;
  const char *tmp = getenv("TMPDIR");
  snprintf(dir, sizeof dir, "%s/overdracht-sim-XXXXXX",
           tmp                        ? tmp
           : access("/dev/shm", W_OK) ? "/tmp"
                                      : "/dev/shm");
  FX_MUST(mkdtemp(dir) && !pipe(fds));
  fflush(NULL);
  pid_t pid = fork();
  FX_MUST(pid >= 0);
  if (pid == 0) {
    close(fds[0]);
    child(o, p, dir, fds[1]);
  }
  close(fds[1]);
  size_t n = 0;
  char more[512];
  for (ssize_t k; (k = read(fds[0], more, sizeof more)) > 0;) {
    size_t take = n + (size_t)k < SAID_MAX - 1 ? (size_t)k : SAID_MAX - 1 - n;
    memcpy(said + n, more, take);
    n += take;
  }
  said[n] = 0;
  close(fds[0]);
  waitpid(pid, &status, 0);
  nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
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
  if (!run_apart(o, p, said)) return false;
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

static int run_seeds(const args *a) {
  unsigned failed = 0;
  for (uint64_t seed = a->first; seed <= a->last; seed++) {
    sim_plan p;
    char said[SAID_MAX] = "";
    sim_options o = a->o;
    o.seed = seed;
    sim_plan_make(&p, &o);
    if (run_apart(&o, &p, said)) {
      printf("seed %llu fails: %s", (unsigned long long)seed, said);
      failed++;
    }
    sim_plan_free(&p);
  }
  if (a->many) printf("%llu seeds, %u failed\n", (unsigned long long)(a->last - a->first + 1), failed);
  return failed ? 1 : 0;
}

static int usage(void) {
  fprintf(stderr, "usage: sim --seed N | --seeds A-B [--steps M] [--tablets K] [--trace] [--shrink]\n");
  return 64;
}

static bool read_args(int argc, char **argv, args *a) {
  static const struct option options[] = {
      {"seed", 1, NULL, 's'},  {"seeds", 1, NULL, 'S'},  {"steps", 1, NULL, 'n'}, {"tablets", 1, NULL, 'k'},
      {"trace", 0, NULL, 't'}, {"shrink", 0, NULL, 'r'}, {NULL, 0, NULL, 0}};
  bool given = false;
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    char *end = NULL;
    if (c == 's') a->first = a->last = strtoull(optarg, &end, 10), given = true;
    else if (c == 'S') {
      a->first = strtoull(optarg, &end, 10);
      a->last = *end == '-' ? strtoull(end + 1, &end, 10) : a->first;
      a->many = given = true;
    } else if (c == 'n') a->o.steps = (unsigned)strtoul(optarg, &end, 10);
    else if (c == 'k') a->o.tablets = (unsigned)strtoul(optarg, &end, 10);
    else if (c == 't') a->o.trace = true;
    else if (c == 'r') a->shrink = true;
    else return false;
    if (end && *end) return false;
  }
  return given && optind == argc && a->o.tablets <= SIM_TABLETS_MAX / 2;
}

int main(int argc, char **argv) {
  args a = {0};
  if (!read_args(argc, argv, &a)) return usage();
  a.o.seed = a.first;
  return a.shrink ? shrink_seed(&a) : run_seeds(&a);
}
