/* One measure family (sleep), one month, over whatever the data folder holds: the aggregation of a release
 * beside SQLite with a covering index, on the same rows in one run, and the memory of a whole release.
 *
 * usage: insight-bench DATA SCHEMA_DIR MONTH     (overdracht-demo-data --size 5000000 makes the data) */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sv_node.h"
#include "sv_release.h"

#define DAY_MIN (-719468)
#define DAY_MAX 2932896
#define RUNS 100
#define SLEEP 20

/* The means of a family's measures for the clients of one month, by network and source. */
static const char query[] =
    "SELECT network, source, count(*), avg(tib), avg(tst), avg(se), avg(sol), avg(waso), avg(twak), "
    "avg(mid), "
    "avg(good), avg(spread) FROM (SELECT client, network, source, avg((out - bed) / 60.0) AS tib, "
    "avg((wake - try) / 60.0 - sol - waso) AS tst, avg(100.0 * (wake - try - 60 * (sol + waso)) / (out - "
    "bed)) AS se, "
    "avg(sol) AS sol, avg(waso) AS waso, avg((out - wake) / 60.0) AS twak, "
    "avg((try + wake + 60 * sol) / 120.0 - night * 1440) AS mid, avg(100.0 * (quality >= 4)) AS good, "
    "avg((bed / 60 - night * 1440) * (bed / 60 - night * 1440)) - "
    "avg(bed / 60 - night * 1440) * avg(bed / 60 - night * 1440) AS spread "
    "FROM sleep WHERE night BETWEEN ?1 AND ?2 GROUP BY client, network, source) "
    "GROUP BY network, source ORDER BY network, source";

static void die(const char *what, int err) {
  fprintf(stderr, "insight-bench: %s: %s\n", what, ov_err_text(err));
  exit(1);
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* This thread's own time: a machine that does other things too takes none of it, from either. */
static double cpu_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long status_kib(const char *key) {
  char line[256];
  long kib = 0;
  FILE *f = fopen("/proc/self/status", "re");
  while (f && fgets(line, sizeof line, f)) {
    if (!strncmp(line, key, strlen(key))) kib = atol(line + strlen(key));
  }
  if (f) fclose(f);
  return kib;
}

/* The most memory of our own, looked at every millisecond: mapped pages of the stores are not in it. */
static atomic_long most_kib;
static atomic_bool watching;

static void *watch(void *arg) {
  while (atomic_load(&watching)) {
    long kib = status_kib("RssAnon:");
    if (kib > atomic_load(&most_kib)) atomic_store(&most_kib, kib);
    usleep(1000);
  }
  return arg;
}

static sv_org *org_at(void *ctx, unsigned i) {
  sv_node *n = ctx;
  return i < n->n_orgs ? n->orgs[i] : NULL;
}

static int write_now(void *ctx, sv_org *org, sv_insight_work work, void *arg) {
  (void)ctx;
  return sv_node_write(org, work, arg, NULL);
}

/* -- SQLite ---------------------------------------------------------------------------------------------- */

static void sql(sqlite3 *db, const char *text) {
  char *why = NULL;
  if (sqlite3_exec(db, text, NULL, NULL, &why)) {
    fprintf(stderr, "insight-bench: %s: %s\n", text, why);
    exit(1);
  }
}

static void copy_record(sqlite3_stmt *in, uint64_t client, unsigned network, const ov_record *r) {
  static const uint16_t fields[] = {10, 11, 12, 13, 14, 16, 17, 18, 19};
  sqlite3_bind_int64(in, 1, (sqlite3_int64)client);
  sqlite3_bind_int(in, 11, (int)network);
  for (int i = 0; i < 9; i++) {
    int64_t v = sv_record_value(r, fields[i]);
    if (v == SV_UNKNOWN) sqlite3_bind_null(in, i + 2);
    else sqlite3_bind_int64(in, i + 2, v);
  }
  if (sqlite3_step(in) != SQLITE_DONE) exit(1);
  sqlite3_reset(in);
}

/* Only nights that count for us too, so that both see the same rows. */
static bool usable(const sv_record_row *row) {
  sv_night n = {sv_record_value(&row->rec, 12), sv_record_value(&row->rec, 13),
                sv_record_value(&row->rec, 17), sv_record_value(&row->rec, 18),
                sv_record_value(&row->rec, 14), sv_record_value(&row->rec, 16)};
  sv_sleep s;
  return !row->erased && row->rec.created && ov_record_retracted(&row->rec) != OV_RETRACTED &&
         sv_night_measure(&n, &s) == SV_NIGHT_OK && s.se_milli != SV_UNKNOWN;
}

static uint64_t copy_all(sv_node *n, sqlite3 *db) {
  sqlite3_stmt *in;
  ov_arena list, a;
  uint64_t rows = 0;
  ov_arena_init(&list, (size_t)1 << 30);
  ov_arena_init(&a, (size_t)64 << 20);
  sql(db, "CREATE TABLE sleep (client INT, night INT, source INT, bed INT, try INT, sol INT, waso INT, wake "
          "INT, out "
          "INT, quality INT, network INT); BEGIN");
  sqlite3_prepare_v2(db, "INSERT INTO sleep VALUES (?,?,?,?,?,?,?,?,?,?,?)", -1, &in, NULL);
  for (unsigned o = 0; o < n->n_orgs; o++) {
    sv_txn *t = NULL;
    ov_name *names;
    uint32_t count = 0;
    ov_arena_reset(&list);
    int err = sv_txn_read(n->orgs[o]->env, &t);
    if (!err) err = sv_by_kind_day(t, SLEEP, DAY_MIN, DAY_MAX, &list, &names, UINT32_MAX, &count);
    for (uint32_t i = 0; !err && i < count; i++) {
      sv_record_row row;
      ov_arena_reset(&a);
      err = sv_record_get(t, &names[i], &a, &row);
      if (err || !usable(&row)) continue;
      copy_record(in, (uint64_t)o << 32 | (row.rec.participant.seq & 0xffffffff), o % 7 + 1, &row.rec);
      rows++;
    }
    sv_txn_abort(t);
    if (err) die("reading nights", err);
  }
  sqlite3_finalize(in);
  sql(db, "COMMIT");
  sql(db, "CREATE INDEX cover ON sleep (night, client, network, source, bed, try, sol, waso, wake, out, "
          "quality)");
  sql(db, "ANALYZE");
  ov_arena_free(&list);
  ov_arena_free(&a);
  return rows;
}

/* Seconds. */
static double ask_sqlite(sqlite3_stmt *q, uint32_t month, double *mean) {
  double from = cpu_s();
  sqlite3_bind_int64(q, 1, sv_month_first_day(month));
  sqlite3_bind_int64(q, 2, sv_month_first_day(month + 1) - 1);
  while (sqlite3_step(q) == SQLITE_ROW) {
    if (sqlite3_column_int(q, 0) == 1 && sqlite3_column_int(q, 1) == 1) *mean = sqlite3_column_double(q, 5);
  }
  sqlite3_reset(q);
  return cpu_s() - from;
}

/* -- ours ------------------------------------------------------------------------------------------------ */

/* The same means, by network (of the organisation: SQLite is told the same) and source. */
#define MEASURES 9
typedef struct total {
  sv_sums sums;
  unsigned network;
  double sum[8][7][MEASURES];
  uint64_t clients[8][7];
} total;

static int add_row(void *ctx, const ov_name *who, const uint8_t *p, size_t n) {
  total *t = ctx;
  sv_client_value v[128];
  (void)who;
  int err = sv_sums_decode(p, n, &t->sums);
  uint32_t k = err ? 0 : sv_sums_values(&t->sums, 30, v, 128);
  for (uint32_t i = 0; i < k; i++) {
    if (v[i].m->id > MEASURES) continue;
    t->sum[t->network][v[i].split][v[i].m->id - 1] += (double)v[i].milli / 1000.0;
    t->clients[t->network][v[i].split] += v[i].m->id == 3; /* of SE, the third */
  }
  return err;
}

static double ask_sums(sv_node *n, total *t, uint32_t month, double *mean) {
  double from = cpu_s();
  memset(t, 0, sizeof *t);
  for (unsigned o = 0; o < n->n_orgs; o++) {
    sv_txn *x = NULL;
    t->network = o % 7 + 1;
    int err = sv_txn_read(n->orgs[o]->env, &x);
    if (!err) err = sv_sums_each(x, month, SV_FAM_SLEEP, add_row, t);
    sv_txn_abort(x);
    if (err) die("sums", err);
  }
  double took = cpu_s() - from;
  *mean = t->clients[1][1] ? t->sum[1][1][2] / (double)t->clients[1][1] : 0;
  return took;
}

/* By turns, so that what else the machine does falls on both. */
static void compare(sv_node *n, sqlite3 *db, uint32_t month) {
  double sql_best = 1e9, ours_best = 1e9, sql_mean = 0, ours_mean = 0;
  total *t = calloc(1, sizeof *t);
  sqlite3_stmt *q;
  if (!t || sqlite3_prepare_v2(db, query, -1, &q, NULL)) exit(1);
  for (int run = 0; run < RUNS; run++) {
    double a = ask_sqlite(q, month, &sql_mean), b = ask_sums(n, t, month, &ours_mean);
    if (a < sql_best) sql_best = a;
    if (b < ours_best) ours_best = b;
  }
  sqlite3_finalize(q);
  free(t);
  printf("SQLite %.3f ms, sums %.3f ms: %.1f times of processor time (best of %d by turns); mean SE %.3f and "
         "%.3f\n",
         sql_best * 1e3, ours_best * 1e3, sql_best / ours_best, RUNS, sql_mean, ours_mean);
}

int main(int argc, char **argv) {
  char why[OV_ERROR_TEXT_MAX] = "";
  sv_node *n = NULL;
  uint32_t month = 0, number = 0;
  bool made;
  if (argc != 4 || sv_month_parse(argv[3], &month)) {
    fprintf(stderr, "usage: insight-bench DATA SCHEMA_DIR MONTH\n");
    return 2;
  }
  sv_node_options o = {.data = argv[1], .schema_dir = argv[2], .sys = sv_sys_real(SV_LOG_ERROR)};
  int err = sv_node_open(&o, &n, why);
  if (err) die(why, err);
  sv_insight in = {n->programme, org_at, write_now, n, (int64_t)time(NULL) * 1000};
  uint64_t records = 0, summed = 0;
  double from = now_s();
  for (unsigned i = 0; i < n->n_orgs; i++) {
    sv_env_stats s;
    uint64_t done = 0;
    sv_env_stats_get(n->orgs[i]->env, &s);
    records += s.records;
    if ((err = sv_sums_drain(&in, n->orgs[i], &done))) die("summing", err);
    summed += done;
  }
  printf("%llu records stored; %llu months summed in %.1f s\n", (unsigned long long)records,
         (unsigned long long)summed, now_s() - from);
  sv_release_ask ask = {.month = month};
  pthread_t watcher;
  atomic_store(&watching, true);
  if (pthread_create(&watcher, NULL, watch, NULL)) return 1;
  from = now_s();
  if ((err = sv_release_make(&in, NULL, &ask, &number, &made, why))) die(why, err);
  double took = now_s() - from;
  atomic_store(&watching, false);
  pthread_join(watcher, NULL);
  printf("release %s in %.2f s, all measures, disclosure control and files; %ld MiB beyond the map at most\n",
         made ? "made" : "found", took, atomic_load(&most_kib) / 1024);
  sqlite3 *db;
  if (sqlite3_open("", &db)) return 1; /* a temporary file, cached whole */
  sql(db, "PRAGMA cache_size = -4000000");
  uint64_t rows = copy_all(n, db);
  printf("sleep: %llu nights in SQLite %s\n%s;\n", (unsigned long long)rows, sqlite3_libversion(), query);
  compare(n, db, month);
  sqlite3_close(db);
  sv_node_close(n);
  return 0;
}
