/* overdracht-demo-data: options, the order of things, the summary. */
#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "calendar.h"
#include "folder.h"
#include "organisation.h"
#include "sv_node.h"

/* For sizes given as a number of records; measured. A participant brings so many a day, gaps included, from
 * the day on which the team starts: the latest teams started FEWEST days before the end, the first ones
 * MOST. */
#define RECORDS_A_DAY 4.4
#define PARTICIPANTS_A_PROJECT 15
#define FEWEST_DAYS 215.0
#define MOST_DAYS 485.0
#define SUMMARY_BYTES 4096

static volatile sig_atomic_t stop;

static void on_signal(int sig) {
  (void)sig;
  stop = 1;
}

static const char help[] =
    "overdracht-demo-data — a made-up programme, written through the server's own code\n"
    "\n"
    "Usage: overdracht-demo-data --data DIR [options]\n"
    "\n"
    "Makes a data folder for overdrachtd: 26 organisations with 28 projects in 7 theme networks, 55 "
    "technologies, teams, staff,\n"
    "participants, consent, and their shifts: nights and days, edits, conflicts, entries that are held, "
    "retractions. Every name in it\n"
    "is made up. The folder must not exist yet, or be empty.\n"
    "\n"
    "  --data DIR       the folder to make (required)\n"
    "  --size SIZE      week (default), month, full (18 months), or a number of records, up to 20 million\n"
    "  --until DATE     the last day, e.g. 2026-03-31 (default: now)\n"
    "  --orgs N         organisations, 1 to 455 (default 26)\n"
    "  --seed N         the same N, size and --until give the same data, KEYS INCLUDED: anyone can make them "
    "again, so never put\n"
    "                   real people into such a folder. Without it, the stories are the same each time, ids "
    "and keys are random.\n"
    "  --jobs N         threads, 1 to 8 (default: one a processor)\n"
    "  --schema DIR     folder of schema files (default: " DD_SCHEMA_DIR ")\n"
    "  --progress       tell how far it is, each second\n"
    "  --json           the summary as JSON; it is kept in DIR/demo-data.json anyway\n"
    "  -h, --help       this text\n"
    "\n"
    "Exit status: 0 made, 1 failed, 2 wrong use.\n";

typedef struct options {
  dd_plan plan;
  const char *size, *until;
  bool progress, json;
} options;

/* -- options --------------------------------------------------------------------------------------------- */

static bool number(const char *what, const char *text, uint64_t lo, uint64_t hi, uint64_t *out) {
  char *end = NULL;
  *out = strtoull(text, &end, 10);
  if (*text >= '0' && *text <= '9' && !*end && *out >= lo && *out <= hi) return true;
  fprintf(stderr, "overdracht-demo-data: %s takes a whole number from %llu to %llu, not \"%s\"\n", what,
          (unsigned long long)lo, (unsigned long long)hi, text);
  return false;
}

static bool take(options *o, int c, const char *v) {
  uint64_t n = 0;
  switch (c) {
  case 'd': o->plan.data = v; return true;
  case 's': o->size = v; return true;
  case 'u': o->until = v; return true;
  case 'c': o->plan.schema_dir = v; return true;
  case 'p': return o->progress = true;
  case 'j': return o->json = true;
  case 'o':
    if (!number("--orgs", v, 1, DD_ORGS_MAX, &n)) return false;
    o->plan.orgs = (unsigned)n;
    return true;
  case 'w':
    if (!number("--jobs", v, 1, DD_WORKERS_MAX, &n)) return false;
    o->plan.workers = (unsigned)n;
    return true;
  case 'e': return o->plan.seeded = number("--seed", v, 0, UINT64_MAX, &o->plan.seed);
  default: return false;
  }
}

/* Days with shifts that a team has on average when the last `days` days are made. */
static double active_days(double days) {
  if (days <= FEWEST_DAYS) return days;
  double over = (days < MOST_DAYS ? days : MOST_DAYS) - FEWEST_DAYS;
  return FEWEST_DAYS + over - over * over / (2 * (MOST_DAYS - FEWEST_DAYS));
}

/* A number of records: as many days as it takes, and above 18 months more participants. */
static int64_t days_for(dd_plan *p, double records) {
  double a_day = RECORDS_A_DAY * PARTICIPANTS_A_PROJECT * (p->orgs + (p->orgs < 2 ? p->orgs : 2));
  for (int64_t days = 1; days < DD_DAYS_FULL; days++) {
    if (a_day * active_days((double)days) >= records) return days;
  }
  double all = a_day * active_days(DD_DAYS_FULL);
  if (records > all) p->scale_percent = (unsigned)(records * 100 / all) + 1;
  return DD_DAYS_FULL;
}

static bool set_size(dd_plan *p, const char *size, int64_t *days) {
  uint64_t n = 0;
  p->scale_percent = 100;
  if (!strcmp(size, "week")) *days = 7;
  else if (!strcmp(size, "month")) *days = 30;
  else if (!strcmp(size, "full")) *days = DD_DAYS_FULL;
  else if (*size < '0' || *size > '9')
    fprintf(stderr,
            "overdracht-demo-data: --size takes week, month, full or a number of records, not \"%s\"\n",
            size);
  else if (number("--size", size, 1, DD_RECORDS_MAX, &n)) *days = days_for(p, (double)n);
  return *days > 0;
}

static bool set_times(dd_plan *p, const char *until, int64_t days) {
  p->until = (int64_t)time(NULL);
  if (until) {
    int64_t day;
    if (!dd_parse_date(until, &day)) {
      fprintf(stderr, "overdracht-demo-data: --until takes a date like 2026-03-31, not \"%s\"\n", until);
      return false;
    }
    p->until = dd_local(day + 1, 0);
  }
  p->until_day = dd_local_day(p->until - 1);
  p->from_day = p->until_day - days;
  p->programme_start_ms = dd_local(p->from_day - 30, 9 * 60) * 1000;
  return true;
}

static int read_options(options *o, int argc, char **argv) {
  static const struct option longs[] = {
      {"data", 1, 0, 'd'}, {"size", 1, 0, 's'}, {"seed", 1, 0, 'e'},   {"until", 1, 0, 'u'},
      {"orgs", 1, 0, 'o'}, {"jobs", 1, 0, 'w'}, {"schema", 1, 0, 'c'}, {"progress", 0, 0, 'p'},
      {"json", 0, 0, 'j'}, {"help", 0, 0, 'h'}, {0, 0, 0, 0}};
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  *o = (options){.plan = {.seed = 1, .orgs = DD_ORGS, .schema_dir = DD_SCHEMA_DIR}, .size = "week"};
  o->plan.workers = cpus < 1 ? 1 : cpus > DD_WORKERS_MAX ? DD_WORKERS_MAX : (unsigned)cpus;
  int c;
  int64_t days = 0;
  while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
    if (c == 'h') {
      fputs(help, stdout);
      return 1;
    }
    if (!take(o, c, optarg)) return 2;
  }
  if (optind < argc || !o->plan.data) {
    fputs("overdracht-demo-data: --data DIR is needed, and nothing but options; see --help\n", stderr);
    return 2;
  }
  return set_size(&o->plan, o->size, &days) && set_times(&o->plan, o->until, days) ? 0 : 2;
}

/* -- making ---------------------------------------------------------------------------------------------- */

static int put_devices(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches) {
  const dd_made *m = arg;
  (void)a;
  (void)touches;
  int err = 0;
  for (unsigned i = 0; !err && i < m->n_tablets; i++) {
    sv_device d = m->tablets[i];
    d.n_teams = 0; /* the organisation's own row has them */
    err = sv_device_put(t, &d);
  }
  return err;
}

static void make_all(const options *o, const char *folder, dd_works *w) {
  const dd_plan *plan = &o->plan;
  char why[OV_ERROR_TEXT_MAX] = "";
  dd_world world;
  dd_programme programme;
  sv_node *node = NULL;
  dd_world_init(&world, plan->seed, 0, plan->seeded, plan->programme_start_ms);
  dd_world_take_thread(&world);
  sv_node_options no = {.data = folder, .schema_dir = plan->schema_dir, .create = true, .sys = &world.sys};
  int err = sv_node_open(&no, &node, why);
  if (err) dd_die(why, err);
  dd_programme_make(node->programme, plan, &programme);
  w->programme = &programme;
  w->master = node->master;
  w->schemas = node->schemas;
  dd_works_run(w, o->progress);
  for (unsigned i = 0; i < plan->orgs && !stop; i++)
    DD_OK(sv_node_write(node->programme, put_devices, &w->made[i], NULL));
  for (unsigned i = 0; i < plan->orgs && !stop; i++) {
    const dd_person *expert = &w->made[i].expert;
    if (expert->name[0])
      dd_programme_expert(node->programme, &programme, i + 1, expert->name, &expert->record);
  }
  sv_node_close(node);
}

/* -- the summary ----------------------------------------------------------------------------------------- */

typedef struct sums {
  uint64_t projects, teams, participants, persons, tablets, commits, ops, records, bytes;
  dd_counts c;
  char digest[65];
} sums;

static void add_up(const dd_works *w, sums *s) {
  ov_hash h;
  ov_buf b;
  ov_buf_init(&b, 0);
  memset(s, 0, sizeof *s);
  for (unsigned i = 0; i < w->plan->orgs; i++) {
    const dd_made *m = &w->made[i];
    s->projects += m->projects;
    s->teams += m->teams;
    s->participants += m->participants;
    s->persons += m->persons;
    s->tablets += m->n_tablets;
    s->commits += m->commits;
    s->ops += m->ops_stored;
    s->records += m->records_stored;
    s->bytes += m->used_bytes;
    s->c.records += m->counts.records;
    s->c.ops += m->counts.ops;
    s->c.edits += m->counts.edits;
    s->c.conflicts += m->counts.conflicts - m->counts.settled;
    s->c.retracted += m->counts.retracted;
    s->c.doubles += m->counts.doubles;
    s->c.held += m->counts.held;
    ov_buf_put(&b, m->digest.b, OV_HASH_BYTES);
  }
  ov_hasher *hasher = ov_hasher_new();
  DD_MUST(hasher && !b.err);
  DD_OK(ov_sha256(hasher, b.p, b.n, &h));
  ov_hex(h.b, OV_HASH_BYTES, s->digest);
  ov_hasher_free(hasher);
  ov_buf_free(&b);
}

static void json_summary(char out[SUMMARY_BYTES], const dd_works *w, const sums *s, double seconds) {
  const dd_made *m = &w->made[0];
  char id[2 * OV_ID_BYTES + 1];
  struct rusage ru;
  getrusage(RUSAGE_SELF, &ru);
  ov_hex(m->id.b, OV_ID_BYTES, id);
  int n = snprintf(
      out, SUMMARY_BYTES,
      "{\"seed\":%llu,\"seeded_keys\":%s,\"until\":%lld,\"organisations\":%u,\"projects\":%llu,\"theme_"
      "networks\":%d,\"technologies\":%d,\"teams\":%llu,"
      "\"participants\":%llu,\"persons\":%llu,\"tablets\":%llu,\"log_records\":%llu,\"log_ops\":%llu,"
      "\"edits\":%llu,\"open_conflicts\":%llu,"
      "\"held\":%llu,\"retracted\":%llu,\"possible_doubles\":%llu,\"records_stored\":%llu,\"ops_stored\":%"
      "llu,\"store_bytes\":%llu,"
      "\"transactions\":%llu,\"seconds\":%.2f,\"records_per_s\":%.0f,\"peak_mib\":%ld,\"digest\":\"%s\","
      "\"first\":{\"organisation\":\"%s\",\"name\":\"%s\",\"team\":\"%s\",\"staff\":[\"%s\",\"%s\"],"
      "\"participants\":[\"%s\",\"%s\"]}}\n",
      (unsigned long long)w->plan->seed, w->plan->seeded ? "true" : "false", (long long)w->plan->until,
      w->plan->orgs, (unsigned long long)s->projects, DD_NETWORKS, DD_TECHNOLOGIES,
      (unsigned long long)s->teams, (unsigned long long)s->participants, (unsigned long long)s->persons,
      (unsigned long long)s->tablets, (unsigned long long)s->c.records, (unsigned long long)s->c.ops,
      (unsigned long long)s->c.edits, (unsigned long long)s->c.conflicts, (unsigned long long)s->c.held,
      (unsigned long long)s->c.retracted, (unsigned long long)s->c.doubles, (unsigned long long)s->records,
      (unsigned long long)s->ops, (unsigned long long)s->bytes, (unsigned long long)s->commits, seconds,
      (double)s->c.records / seconds, ru.ru_maxrss / 1024, s->digest, id, m->name, m->team, m->staff[0],
      m->staff[1], m->who[0], m->who[1]);
  DD_MUST(n > 0 && n < SUMMARY_BYTES);
}

static void text_summary(const dd_works *w, const sums *s, double seconds) {
  printf("%u organisations, %llu projects, %llu teams, %llu participants, %llu staff, %llu tablets\n",
         w->plan->orgs, (unsigned long long)s->projects, (unsigned long long)s->teams,
         (unsigned long long)s->participants, (unsigned long long)s->persons, (unsigned long long)s->tablets);
  printf("%llu log entries and %llu edits: %llu open conflicts, %llu held, %llu retracted, %llu possible "
         "doubles\n",
         (unsigned long long)s->c.records, (unsigned long long)s->c.edits, (unsigned long long)s->c.conflicts,
         (unsigned long long)s->c.held, (unsigned long long)s->c.retracted, (unsigned long long)s->c.doubles);
  printf("%.1f MiB in %s, made in %.1f s (%.0f entries a second)\n", (double)s->bytes / (1024 * 1024),
         w->plan->data, seconds, (double)s->c.records / seconds);
  if (w->plan->seeded)
    printf("All keys come from seed %llu: for demonstration only.\n", (unsigned long long)w->plan->seed);
}

static bool keep_summary(const char *folder, const char *json) {
  char file[DD_PATH_BYTES + 32];
  snprintf(file, sizeof file, "%s/demo-data.json", folder);
  FILE *f = fopen(file, "w");
  bool ok = f && fputs(json, f) >= 0;
  return f && !fclose(f) && ok;
}

static double now_s(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  options o;
  int use = read_options(&o, argc, argv);
  if (use) return use == 1 ? 0 : 2;
  umask(077);
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  char folder[DD_PATH_BYTES], json[SUMMARY_BYTES];
  double start = now_s();
  if (!dd_folder_begin(o.plan.data, folder)) return 1;
  dd_works w = {.plan = &o.plan, .data = folder, .stop = &stop, .made = calloc(o.plan.orgs, sizeof *w.made)};
  DD_MUST(w.made);
  make_all(&o, folder, &w);
  bool ok = !stop;
  if (ok) {
    sums s;
    double seconds = now_s() - start;
    add_up(&w, &s);
    json_summary(json, &w, &s, seconds);
    ok = keep_summary(folder, json) && dd_folder_finish(folder, o.plan.data);
    if (ok && o.json) fputs(json, stdout);
    else if (ok) text_summary(&w, &s, seconds);
  }
  if (!ok) dd_folder_drop(folder);
  dd_works_free(&w);
  return ok ? 0 : 1;
}
