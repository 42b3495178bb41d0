/* The power is cut at any moment, and any part of what was not synced is lost: the server's and the client's
 * store open again, and all that was acknowledged is there. Two controls show that the check would see it: a
 * store without syncs (MDB_NOSYNC), and a test that takes a promise for given before the commit.
 * OVERDRACHT_POWERCUT_STATES asks for more states than the few thousand of every day. */
#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "oc_internal.h"
#include "states.h"
#include "world.h"

#define PROMISES_MAX 400u
/* A control has shown what it is for when so many states were found out. */
#define CONTROL_ENOUGH 25u

typedef struct stage {
  world w;
  tablet t;
  uint32_t team;
  ov_name person, participant;
  recording rec;
  ov_name promised[PROMISES_MAX];
  ov_hash hash[PROMISES_MAX];
  uint64_t n_promised;
  bool early;       /* control: promised before the commit */
  char folder[300]; /* where a state is laid out */
  char why[300];
  uint64_t tried;
} stage;

static bool no_sync;

/* The linker sends the stores' mdb_env_open through here. */
int __real_mdb_env_open(MDB_env *e, const char *path, unsigned flags, mdb_mode_t mode);
int __wrap_mdb_env_open(MDB_env *e, const char *path, unsigned flags, mdb_mode_t mode);
int __wrap_mdb_env_open(MDB_env *e, const char *path, unsigned flags, mdb_mode_t mode) {
  return __real_mdb_env_open(e, path, flags | (no_sync ? MDB_NOSYNC : 0u), mode);
}

static uint64_t budget(void) {
  const char *more = getenv("OVERDRACHT_POWERCUT_STATES");
  return more ? strtoull(more, NULL, 10) : 1500;
}

static void lay(const char *path, const uint8_t *p, size_t n) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  size_t used = n;
  while (used && !p[used - 1]) used--; /* a map that has grown ahead ends in zeros */
  FX_MUST(fd >= 0 && write(fd, p, used) == (ssize_t)used && !ftruncate(fd, (off_t)n));
  close(fd);
}

static void copy(const char *from, const char *to) {
  static uint8_t b[1u << 16];
  int fd = open(from, O_RDONLY);
  FX_MUST(fd >= 0);
  ssize_t n = read(fd, b, sizeof b);
  close(fd);
  FX_MUST(n >= 0);
  lay(to, b, (size_t)n);
}

static void open_stage(stage *s) {
  memset(s, 0, sizeof *s);
  world_open(&s->w, 11);
  s->team = fx_team(&s->w.fx, s->w.org, "Woning 1");
  s->person = fx_person(&s->w.fx, s->w.org, "Ann", &s->team, 1);
  s->participant = fx_participant(&s->w.fx, s->w.org, "Client 1", &s->team, 1);
  tablet_open(&s->t, &s->w, "t");
  tablet_enrol(&s->t, "t", &s->team, 1);
  tablet_sync_ok(&s->t);
}

static void close_stage(stage *s) {
  tablet_close(&s->t);
  world_close(&s->w);
  record_free(&s->rec);
}

static const char *wrong(stage *s, const char *what, const char *detail) {
  snprintf(s->why, sizeof s->why, "%s: %s", what, detail);
  return s->why;
}

static void promise(stage *s, const ov_name *name, const ov_hash *header_hash) {
  FX_MUST(s->n_promised < PROMISES_MAX);
  s->promised[s->n_promised] = *name;
  s->hash[s->n_promised++] = *header_hash;
}

/* In a process of its own: what no sync ever ordered may be damaged so that LMDB falls over it, which is
 * found out, too. */
static const char *apart(state_check check, void *ctx, const disk *d) {
  static char said[300];
  int pipes[2], status;
  FX_MUST(!pipe(pipes));
  fflush(NULL);
  pid_t child = fork();
  FX_MUST(child >= 0);
  if (!child) {
    signal(SIGSEGV, SIG_DFL); /* cmocka has taken them */
    signal(SIGBUS, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    const char *wrong = check(ctx, d);
    if (wrong && write(pipes[1], wrong, strlen(wrong)) < 0) _exit(2);
    _exit(wrong ? 1 : 0);
  }
  close(pipes[1]);
  ssize_t n = read(pipes[0], said, sizeof said - 1);
  close(pipes[0]);
  FX_MUST(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return NULL;
  if (WIFSIGNALED(status)) n = snprintf(said, sizeof said, "it dies by signal %d", WTERMSIG(status));
  said[n > 0 ? n : 0] = 0;
  return said;
}

/* -- server
 * ------------------------------------------------------------------------------------------------------ */

static void put_op(stage *s, fx_tablet *log, unsigned i) {
  ov_field f[3] = {FX_INT(2, 20400 + i % 7), FX_INT(3, 1 + i % 2),
                   fx_text(40, "een nacht met een wat langere aantekening erbij")};
  if (i % 4 == 3) fx_edit(log, s->w.org, &log->ops[0]->name, f + 1, 1);
  else fx_create(log, 20, &s->participant, f, 3);
}

/* Pushes of one to five ops, and now and then a new participant, whose keys go to the keyring first. */
static void server_story(stage *s) {
  fx_tablet *log = fx_tablet_new(&s->w.fx, s->w.org, &s->team, 1, &s->person);
  char data[400], side[400];
  FX_OK(sv_org_path(s->w.data, &s->w.org->id, data, sizeof data));
  snprintf(side, sizeof side, "%.380s.keyring", data);
  strcat(data, "/data.mdb");
  record_start(&s->rec, data, side);
  for (unsigned i = 0; i < 30; i++) {
    uint32_t from = log->n + 1;
    for (unsigned k = 0; k <= i % 5; k++) put_op(s, log, i + k);
    for (uint32_t k = from; k <= log->n; k++)
      promise(s, &log->ops[k - 1]->name, &log->ops[k - 1]->header_hash);
    if (s->early) record_promise(s->n_promised);
    fx_push_ok(log, s->w.org, from, log->n);
    record_promise(s->n_promised);
    if (i % 6 == 5) s->participant = fx_participant(&s->w.fx, s->w.org, "Nog een", &s->team, 1);
  }
  record_stop();
  fx_tablet_free(log);
}

static const char *check_promises(stage *s, sv_org *org, const disk *d) {
  sv_txn *t = NULL;
  ov_arena a;
  const char *said = NULL;
  ov_arena_init(&a, 16u << 20);
  int err = sv_txn_read(org->env, &t);
  for (uint64_t i = 0; !err && !said && i < d->promises; i++) {
    sv_op_row row;
    int got = sv_op_get(t, &s->promised[i], &a, &row);
    if (got) said = wrong(s, "an acknowledged op", ov_err_slug(got));
    else if (memcmp(&row.op.header_hash, &s->hash[i], sizeof s->hash[i]))
      said = wrong(s, "an acknowledged op", "is another");
    ov_arena_reset(&a);
  }
  sv_txn_abort(t);
  ov_arena_free(&a);
  return err ? wrong(s, "reading", ov_err_slug(err)) : said;
}

/* What a state's folder holds besides what was recorded. */
static void server_folder(stage *s) {
  char path[500], file[600], from[600];
  snprintf(s->folder, sizeof s->folder, "%.200s/cut", s->w.fx.dir);
  snprintf(file, sizeof file, "%s/orgs", s->folder);
  FX_MUST(!mkdir(s->folder, 0700) && !mkdir(file, 0700));
  FX_OK(sv_org_path(s->folder, &s->w.org->id, path, sizeof path));
  FX_MUST(!mkdir(path, 0700));
  FX_OK(sv_org_path(s->w.data, &s->w.org->id, from, sizeof from - 10));
  strcat(from, "/format");
  snprintf(file, sizeof file, "%s/format", path);
  copy(from, file);
  char hex[2 * OV_ID_BYTES + 1]; /* no erasure happens in the story: the epoch's key stays as it was */
  ov_hex(s->w.org->id.b, OV_ID_BYTES, hex);
  snprintf(file, sizeof file, "%s/epochs", s->folder);
  FX_MUST(!mkdir(file, 0700));
  snprintf(from, sizeof from, "%.400s/epochs/%s.epoch", s->w.data, hex);
  snprintf(file, sizeof file, "%s/epochs/%s.epoch", s->folder, hex);
  copy(from, file);
}

static const char *check_server(void *ctx, const disk *d) {
  stage *s = ctx;
  char path[500], file[600], why[OV_ERROR_TEXT_MAX] = "";
  sv_org *org = NULL;
  sv_scrub scrub;
  FX_OK(sv_org_path(s->folder, &s->w.org->id, path, sizeof path));
  snprintf(file, sizeof file, "%s/data.mdb", path);
  lay(file, d->data, d->n);
  snprintf(file, sizeof file, "%s/lock.mdb", path);
  remove(file);
  snprintf(file, sizeof file, "%s.keyring", path);
  lay(file, d->side, d->side_n);
  sv_org_options o = fx_org_options(&s->w.fx, s->folder);
  int err = sv_org_open(&o, &s->w.org->id, &org, why);
  if (err) return wrong(s, "the store does not open", why);
  const char *said = check_promises(s, org, d);
  if (!said && (err = sv_env_scrub(org->env, &scrub))) said = wrong(s, "the scrub", ov_err_slug(err));
  if (!said && scrub.bad) said = wrong(s, "damage", scrub.first);
  if (!said && !no_sync && ++s->tried % 16 == 0) (void)fx_verify(&s->w.fx, org);
  sv_org_close(org);
  return said;
}

static const char *check_server_apart(void *ctx, const disk *d) { return apart(check_server, ctx, d); }

static void run_server(stage *s, bool early, bool without_sync, states_result *out) {
  open_stage(s);
  s->early = early;
  no_sync = without_sync;
  if (without_sync) world_restart(&s->w); /* opens the stores anew, now so */
  server_story(s);
  no_sync = false;
  server_folder(s);
  bool control = without_sync || early;
  states_try(&s->rec, control ? budget() / 4 : budget(), control ? CONTROL_ENOUGH : 0, 1,
             control ? check_server_apart : check_server, s, out);
  close_stage(s);
}

/* -- client
 * -------------------------------------------------------------------------------------------------------- */

static void promise_own(stage *s) {
  oc_txn *t = NULL;
  oc_log_row row;
  ov_arena a;
  ov_arena_init(&a, 1u << 20);
  const oc_self *self = &s->t.s->self;
  FX_OK(oc_txn_begin(s->t.s->db, false, &t));
  FX_OK(oc_log_get(t, &self->writer, self->last.seq, &a, &row));
  oc_txn_abort(t);
  promise(s, &row.op.name, &row.op.header_hash);
  ov_arena_free(&a);
}

/* Entries, edits and syncs of one tablet. */
static void client_story(stage *s) {
  char data[400], id[OC_ID_TEXT];
  snprintf(data, sizeof data, "%s/data.mdb", s->t.path);
  record_start(&s->rec, data, NULL);
  for (unsigned i = 0; i < 24; i++) {
    char night[40];
    snprintf(night, sizeof night, "night_date=2025-09-%02u", 1 + i);
    if (s->early) record_promise(s->n_promised + 1);
    if (i % 3 == 2) tablet_edit(&s->t, id, &s->person, "source=2", NULL);
    else tablet_add(&s->t, "sleep", &s->participant, &s->person, id, night, "source=1", NULL);
    promise_own(s);
    record_promise(s->n_promised);
    if (i % 5 == 4) tablet_sync_ok(&s->t);
  }
  record_stop();
}

static const char *check_own_log(stage *s, oc_store *store, const disk *d) {
  oc_txn *t = NULL;
  oc_error e;
  ov_arena a;
  const char *said = NULL;
  if (oc_verify(store, &e)) return wrong(s, "verify", e.message);
  ov_arena_init(&a, 16u << 20);
  int err = oc_txn_begin(store->db, false, &t);
  for (uint64_t i = 0; !err && !said && i < d->promises; i++) {
    oc_log_row row;
    int got = oc_log_get(t, &s->promised[i].writer, s->promised[i].seq, &a, &row);
    if (got) said = wrong(s, "an own entry", ov_err_slug(got));
    else if (!ov_name_equal(&row.op.name, &s->promised[i]) || !row.kept)
      said = wrong(s, "an own entry", "is another");
    ov_arena_reset(&a);
  }
  oc_txn_abort(t);
  ov_arena_free(&a);
  return err ? wrong(s, "reading", ov_err_slug(err)) : said;
}

static void client_folder(stage *s) {
  static const char *const names[] = {"store.key", "made", "lock"};
  char file[400], from[400];
  snprintf(s->folder, sizeof s->folder, "%.200s/cut", s->w.fx.dir);
  FX_MUST(!mkdir(s->folder, 0700));
  for (unsigned i = 0; i < 3; i++) {
    snprintf(from, sizeof from, "%s/%s", s->t.path, names[i]);
    snprintf(file, sizeof file, "%s/%s", s->folder, names[i]);
    copy(from, file);
  }
}

static const char *check_client(void *ctx, const disk *d) {
  stage *s = ctx;
  char file[400];
  oc_store *store = NULL;
  oc_error e = {0};
  snprintf(file, sizeof file, "%s/data.mdb", s->folder);
  lay(file, d->data, d->n);
  snprintf(file, sizeof file, "%s/lock.mdb", s->folder);
  remove(file);
  oc_options o = {.path = s->folder, .must_exist = true, .map_bytes_max = 256u << 20};
  if (oc_store_open(&o, &store, &e)) return wrong(s, "the store does not open", e.message);
  const char *said = check_own_log(s, store, d);
  oc_store_close(store);
  return said;
}

static const char *check_client_apart(void *ctx, const disk *d) { return apart(check_client, ctx, d); }

static void run_client(stage *s, bool early, bool without_sync, states_result *out) {
  open_stage(s);
  s->early = early;
  no_sync = without_sync;
  if (without_sync) tablet_reopen(&s->t);
  client_story(s);
  no_sync = false;
  client_folder(s);
  bool control = without_sync || early;
  states_try(&s->rec, control ? budget() / 4 : budget(), control ? CONTROL_ENOUGH : 0, 2,
             control ? check_client_apart : check_client, s, out);
  close_stage(s);
}

/* -- the tests
 * -------------------------------------------------------------------------------------------------------- */

static void nothing_acknowledged_is_lost(void **state) {
  static stage s;
  states_result r;
  (void)state;
  run_server(&s, false, false, &r);
  print_message("server: %llu states, %llu lost\n", (unsigned long long)r.states, (unsigned long long)r.bad);
  if (r.bad) fail_msg("server: %s", r.first);
  assert_true(r.states > budget() / 2);
  run_client(&s, false, false, &r);
  print_message("client: %llu states, %llu lost\n", (unsigned long long)r.states, (unsigned long long)r.bad);
  if (r.bad) fail_msg("client: %s", r.first);
  assert_true(r.states > budget() / 2);
}

static void must_be_seen(const char *what, const states_result *r) {
  print_message("control, %s: %llu of %llu states lost something, first: %s\n", what,
                (unsigned long long)r->bad, (unsigned long long)r->states, r->first);
  assert_true(r->bad > 0);
}

static void a_store_without_syncs_is_found_out(void **state) {
  static stage s;
  states_result r;
  (void)state;
  run_server(&s, false, true, &r);
  must_be_seen("server without syncs", &r);
  run_client(&s, false, true, &r);
  must_be_seen("client without syncs", &r);
}

static void a_promise_before_the_commit_is_found_out(void **state) {
  static stage s;
  states_result r;
  (void)state;
  run_server(&s, true, false, &r);
  must_be_seen("server acknowledges before the commit", &r);
  run_client(&s, true, false, &r);
  must_be_seen("client returns before the commit", &r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_acknowledged_is_lost),
      cmocka_unit_test(a_store_without_syncs_is_found_out),
      cmocka_unit_test(a_promise_before_the_commit_is_found_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
