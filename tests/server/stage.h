/* One server with good clients on it, and what must hold around everything bad that happens beside them: a
 * client of the same organisation and one of another sync before and after, a live one stays connected and
 * is told, memory stays bounded, the log shows no crash and no payload, and after a restart every
 * acknowledged op is there byte for byte. */
#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include "daemon.h"
#include "faults.h"
#include "testcert.h"

#define SECRET "GEHEIM-7421" /* stands in every text that tablets write: never in a log */

typedef struct stage {
  dm_site site;
  dm_server d;
  faults *f; /* what the preload is told */
  char faults_file[200], faults_env[240];
  testcert cert;
  bool tls;
  dm_tablet *good, *far; /* of the first and the second organisation */
  dm_tablet *watch;      /* as good, live all the time */
  dm_wire watcher;
  dm_tablet *bad;       /* for the one who misbehaves, of the first organisation */
  dm_tablet *loader[4]; /* for load, of the first organisation */
  long anon_kib;        /* memory before the row */
  char seen[200];       /* what the row saw, for the table */
} stage;

typedef struct row {
  const char *nr;
  const char *input, *expect;
  bool (*run)(stage *st, const void *arg);
  const void *arg;
  unsigned flags;
} row;
enum {
  ROW_TLS = 1, /* on a server with TLS */
  ROW_STOPS =
      2, /* stops the server itself: the live client is not asked to stay; it runs again when the row ends */
  ROW_BIG = 4, /* takes memory of its own right: the bound on growth is not asked */
  ROW_MAY_SKIP = 8
};
#define ROW_SKIPPED "not possible here"

/* What the rows say. */
bool saw(stage *st, bool ok, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Moves the server's monotonic clock on, in steps that let the live client answer pings. */
void stage_advance(stage *st, unsigned ms);
/* Reads what the live client has been sent; false when it was disconnected. */
bool stage_watch(stage *st);
/* Stops (SIGTERM), checks everything acknowledged, and starts again. */
bool stage_restart(stage *st, char why[DM_WHY]);
/* Runs the rows, prints them as a table; the number that failed. */
unsigned stage_table(stage *st, const row *rows, size_t n);
void stage_open(stage *st, uint64_t seed);
void stage_close(stage *st);
/* A new connection to the server under test, upgraded. */
rawws *stage_ws(const stage *st);
rawws_opts stage_to(const stage *st);
/* The bad tablet's connection, welcomed. */
bool stage_greet(stage *st, dm_wire *w, const dm_hello *h);
/* A tablet that nothing happened to yet. */
dm_tablet *stage_tablet(stage *st);
/* Server memory is bounded more loosely under sanitizers. */
long stage_memory_factor(void);

/* Tablets that push without pause, one PUSH under way each, over connections of their own. */
#define LOADERS 4u
typedef struct load {
  stage *st;
  dm_wire w[LOADERS];
  uint64_t pushes;
} load;
bool load_open(load *l, stage *st);
/* Takes what came and pushes on for this long; false when every connection is over. */
bool load_run(load *l, unsigned ms);
void load_close(load *l);

/* A site and server of its own, for rows that would burden the others. dir: where its data lies (NULL: as
 * usual). */
typedef struct aside {
  dm_site site;
  dm_server d;
  dm_tablet *tb, *far;
} aside;
bool aside_open(aside *a, const char *dir, char why[DM_WHY]);
/* Stops, checks everything acknowledged, starts again. */
bool aside_restart(aside *a, char why[DM_WHY]);
void aside_close(aside *a);

#define ROWS(name)                                                                                           \
  extern const row name[];                                                                                   \
  extern const size_t n_##name
ROWS(upgrade_rows);
ROWS(message_rows);
ROWS(log_rows);
ROWS(clock_rows);
ROWS(crash_rows);
ROWS(store_rows);

#endif
