/* PROTO-140: faults inside a server are told as busy, full or readonly */
/* Rows 46–50, 52, 56 and 57: stores that are damaged, shared, held by the dead, without a reader's place,
 * without descriptors, copied and put back. */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

static void store_path(const stage *st, const char *tail, char *out, size_t cap) {
  FX_OK(sv_org_path(st->site.data, &st->site.orgs[0].shell.id, out, cap - 20));
  strcat(out, tail);
}

static void copy(const char *from, const char *to) {
  char buf[65536];
  ssize_t n;
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  FX_MUST(in >= 0 && out >= 0);
  while ((n = read(in, buf, sizeof buf)) > 0) FX_MUST(write(out, buf, (size_t)n) == n);
  close(in);
  close(out);
}

static bool truncated(stage *st, const void *arg) {
  char file[600], kept[300], why[DM_WHY] = "", body[400];
  dm_wire w;
  (void)arg;
  dm_wire_close(&st->watcher);
  if (!dm_stop(&st->d, SIGTERM)) return saw(st, false, "stop");
  store_path(st, "/data.mdb", file, sizeof file);
  snprintf(kept, sizeof kept, "%s/kept.mdb", st->site.fx.dir);
  copy(file, kept);
  FX_MUST(!truncate(file, 64 * 4096 + 100)); /* within what is in use, and within a page */
  bool up = dm_again(&st->d, why);
  bool told = up && dm_log_has(&st->d, "event=organisation_refused"),
       others = up && dm_sync(&st->d, st->far, why);
  int health = up ? dm_get(&st->d, "/health", body, sizeof body) : 0;
  bool refused = up && !dm_greet(&w, &st->d, st->good, NULL);
  int said = refused ? w.last_error : 0, code = refused ? w.close_code : 0;
  if (up) dm_wire_close(&w);
  dm_stop(&st->d, SIGTERM);
  copy(kept, file);
  bool again = dm_again(&st->d, why);
  return saw(st, told && others && refused && said == OV_E_BUSY && health == 503 && again,
             "log %s; other organisation %s; its own tablet: ERROR %s, close %d; health %d",
             told ? "tells" : "silent", others ? "served" : "not served", said ? ov_err_slug(said) : "none",
             code, health);
}

#define BIT_FLIPS 12u

static int run_verify(stage *st);

static void flip(const char *file, off_t at, unsigned bit) {
  uint8_t byte;
  int fd = open(file, O_RDWR);
  FX_MUST(fd >= 0 && pread(fd, &byte, 1, at) == 1);
  byte ^= (uint8_t)(1u << bit);
  FX_MUST(pwrite(fd, &byte, 1, at) == 1);
  close(fd);
}

/* verify without a server, each time on another damaged copy; what it says of the sound file it says first.
 * LMDB may end the process over a damaged page: that is found, too. */
static bool bit_flips(stage *st, const void *arg) {
  char file[600], kept[300], why[DM_WHY] = "";
  unsigned found = 0;
  struct stat s;
  (void)arg;
  dm_wire_close(&st->watcher);
  if (!dm_stop(&st->d, SIGTERM)) return saw(st, false, "stop");
  store_path(st, "/data.mdb", file, sizeof file);
  snprintf(kept, sizeof kept, "%s/sound.mdb", st->site.fx.dir);
  copy(file, kept);
  FX_MUST(!stat(file, &s));
  bool sound = run_verify(st) == 0;
  copy(kept, file);
  for (unsigned i = 0; i < BIT_FLIPS; i++) {
    flip(file, (off_t)((uint64_t)s.st_size * (2 * i + 1) / (2 * BIT_FLIPS)), i % 8);
    found += run_verify(st) != 0;
    copy(kept, file);
  }
  bool again = dm_again(&st->d, why), synced = again && dm_sync(&st->d, st->good, why);
  return saw(st, sound && found && synced,
             "verify finds %u of %u (the rest lies in pages that nothing uses); the sound file put back: %s",
             found, BIT_FLIPS, synced ? "served" : why);
}

static bool second_server(stage *st, const void *arg) {
  dm_server second;
  char why[DM_WHY] = "";
  (void)arg;
  int64_t at = dm_mono_ms();
  bool started = dm_start(&second, &st->site, NULL, why);
  bool told = !started && WIFEXITED(second.status) && WEXITSTATUS(second.status) == 1 &&
              dm_log_has(&second, "in use by process");
  dm_end(&second);
  return saw(st, told, "%s after %lld ms", why, (long long)(dm_mono_ms() - at));
}

/* -- a reader that dies ---------------------------------------------------------------------------------- */

static MDB_env *open_raw(const char *dir) {
  MDB_env *e = NULL;
  if (mdb_env_create(&e) || mdb_env_set_maxdbs(e, 40) || mdb_env_open(e, dir, MDB_RDONLY | MDB_NOTLS, 0600))
    _exit(2);
  return e;
}

/* A process of another program that holds a read transaction. */
static pid_t hold_reader(const char *dir) {
  int ready[2];
  char c = 0;
  FX_MUST(!pipe(ready));
  fflush(NULL);
  pid_t pid = fork();
  FX_MUST(pid >= 0);
  if (!pid) {
    MDB_txn *t;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mdb_txn_begin(open_raw(dir), NULL, MDB_RDONLY, &t) || write(ready[1], "r", 1) != 1) _exit(2);
    for (;;) pause();
  }
  close(ready[1]);
  FX_MUST(read(ready[0], &c, 1) == 1);
  close(ready[0]);
  return pid;
}

typedef struct look {
  long pid;
  int found;
} look;

static int one_line(const char *line, void *ctx) {
  look *l = ctx;
  if (strtol(line, NULL, 10) == l->pid) l->found = 1;
  return 0;
}

static bool has_slot(const char *dir, pid_t of) {
  int status = 0;
  fflush(NULL);
  pid_t pid = fork();
  FX_MUST(pid >= 0);
  if (!pid) {
    look l = {.pid = of};
    mdb_reader_list(open_raw(dir), one_line, &l);
    _exit(l.found);
  }
  waitpid(pid, &status, 0);
  FX_MUST(WIFEXITED(status) && WEXITSTATUS(status) < 2);
  return WEXITSTATUS(status) == 1;
}

static bool killed_reader(stage *st, const void *arg) {
  char dir[600];
  (void)arg;
  store_path(st, "", dir, sizeof dir);
  pid_t pid = hold_reader(dir);
  bool held = has_slot(dir, pid);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  bool left = has_slot(dir, pid);
  stage_advance(st, 2500);
  bool freed = false;
  for (int i = 0; i < 100 && !freed; i++) {
    freed = !has_slot(dir, pid);
    if (!freed) dm_sleep_ms(20);
  }
  return saw(st, held && left && freed, "slot %s, after SIGKILL %s, within 3 s %s",
             held ? "taken" : "not taken", left ? "still there" : "gone", freed ? "freed" : "not freed");
}

/* -- no place left --------------------------------------------------------------------------------------- */

/* Another process takes every reader's place that there is. */
static pid_t take_all_readers(const char *dir, unsigned *taken) {
  int ready[2];
  fflush(NULL);
  FX_MUST(!pipe(ready));
  pid_t pid = fork();
  FX_MUST(pid >= 0);
  if (!pid) {
    MDB_txn *t;
    unsigned n = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    MDB_env *e = open_raw(dir);
    while (!mdb_txn_begin(e, NULL, MDB_RDONLY, &t)) n++;
    if (write(ready[1], &n, sizeof n) != (ssize_t)sizeof n) _exit(2);
    for (;;) pause();
  }
  close(ready[1]);
  FX_MUST(read(ready[0], taken, sizeof *taken) == (ssize_t)sizeof *taken);
  close(ready[0]);
  return pid;
}

static bool no_reader_left(stage *st, const void *arg) {
  static aside a;
  char dir[600], why[DM_WHY] = "";
  unsigned taken = 0;
  int said = 0;
  dm_wire w = {0};
  (void)arg;
  bool up = aside_open(&a, NULL, why), others = false, again = false;
  if (up) {
    FX_OK(sv_org_path(a.site.data, &a.site.orgs[0].shell.id, dir, sizeof dir));
    pid_t pid = take_all_readers(dir, &taken);
    bool greeted = dm_greet(&w, &a.d, a.tb, NULL);
    said = greeted ? 0 : w.last_error;
    dm_wire_close(&w);
    others = dm_sync(&a.d, a.far, why);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    for (int64_t until = dm_mono_ms() + 4 * DM_WAIT_MS; !again && dm_mono_ms() < until; dm_sleep_ms(100))
      again = dm_sync(&a.d, a.tb, why);
  }
  bool ok = again && aside_restart(&a, why);
  aside_close(&a);
  return saw(st, ok && taken > 0 && said == OV_E_BUSY && others,
             "%u places taken; ERROR %s; the other organisation %s; %s", taken,
             said ? ov_err_slug(said) : "none", others ? "served" : "not served",
             again ? "served again when they are free" : why);
}

#define DESCRIPTORS 100u
#define CROWD 300u

/* The running server's limit is taken down, so that accept fails: more connections than descriptors. */
static bool few_descriptors(stage *st, const void *arg) {
  static aside a;
  static rawws *crowd[CROWD];
  char why[DM_WHY] = "", from[16];
  unsigned in = 0;
  (void)arg;
  bool up = aside_open(&a, NULL, why);
  if (up) FX_MUST(!prlimit(a.d.pid, RLIMIT_NOFILE, &(struct rlimit){DESCRIPTORS, DESCRIPTORS}, NULL));
  dm_wire live = {0};
  bool ok = up && dm_greet(&live, &a.d, a.tb, &(dm_hello){.live = true, .credit = OV_CREDIT_MAX}) &&
            dm_catch_up(&live, why);
  for (unsigned i = 0; ok && i < CROWD; i++) {
    snprintf(from, sizeof from, "127.0.0.%u", 2 + i % 200); /* one address has a cap of its own */
    crowd[i] = rawws_open(&(rawws_opts){.port = a.d.port, .from = from});
    in += crowd[i] != NULL;
  }
  unsigned lines = 0;
  char *log = up ? dm_log(&a.d) : NULL;
  for (const char *p = log; p && *p; p++) lines += *p == '\n';
  free(log);
  ov_msg *m;
  bool stays = ok && dm_recv(&live, &m, 0) != 0;
  for (unsigned i = 0; i < CROWD; i++) {
    rawws_free(crowd[i]);
    crowd[i] = NULL;
  }
  dm_wire_close(&live);
  bool again = false;
  for (int64_t until = dm_mono_ms() + 4 * DM_WAIT_MS; ok && !again && dm_mono_ms() < until; dm_sleep_ms(100))
    again = dm_sync(&a.d, a.tb, why);
  ok = again && aside_restart(&a, why);
  aside_close(&a);
  return saw(st, ok && stays && in > 0 && in < CROWD && lines < 200,
             "%u of %u connections let in, %u lines of log, the one before %s, %s", in, CROWD, lines,
             stays ? "stays" : "is cut", again ? "served again when they are gone" : why);
}

/* -- backup and restore ---------------------------------------------------------------------------------- */

/* Another process copies the store online, as the tool of an administrator without the server's help would.
 */
static pid_t copy_online(stage *st, const char *to) {
  fflush(NULL);
  pid_t pid = fork();
  FX_MUST(pid >= 0);
  if (pid) return pid;
  sv_org *org = NULL;
  umask(0);
  sv_org_options o = fx_org_options(&st->site.fx, st->site.data);
  o.read_only = true;
  char why[OV_ERROR_TEXT_MAX] = "";
  int err = sv_org_open(&o, &st->site.orgs[0].shell.id, &org, why);
  for (int i = 0; !err && i < 5; i++) { /* the last copy counts: the others keep a reader open under load */
    unlink(to);
    err = sv_env_copy(org->env, to);
  }
  if (err) fprintf(stderr, "copy: %s: %s\n", ov_err_slug(err), why);
  _exit(err ? 1 : 0);
}

/* How many ops of a tablet's log the store has; false when there is a hole. */
static bool prefix_of(sv_org *org, const dm_tablet *tb, uint32_t *n) {
  sv_txn *t = NULL;
  bool ends = false, whole = true;
  *n = 0;
  FX_OK(sv_txn_read(org->env, &t));
  for (uint32_t i = 0; i < tb->t->n; i++) {
    bool has = sv_op_has(t, &tb->t->ops[i]->name);
    whole &= !(has && ends);
    ends |= !has;
    *n += has;
  }
  sv_txn_abort(t);
  return whole;
}

/* The copy stands where the store was, in a folder of its own. */
static bool copy_is_consistent(stage *st, const char *file, const uint32_t acked[LOADERS], char why[DM_WHY]) {
  char to[600], from[600];
  const char *data = fx_data(&st->site.fx);
  sv_org *org = NULL;
  snprintf(to, sizeof to, "%s/orgs", data);
  FX_MUST(!mkdir(data, 0700) && !mkdir(to, 0700));
  FX_OK(sv_org_path(data, &st->site.orgs[0].shell.id, to, sizeof to - 20));
  FX_MUST(!mkdir(to, 0700));
  size_t n = strlen(to);
  strcpy(to + n, "/data.mdb");
  copy(file, to);
  strcpy(to + n, "/format");
  store_path(st, "/format", from, sizeof from);
  copy(from, to);
  strcpy(to + n, ".keyring");
  store_path(st, ".keyring", from, sizeof from);
  copy(from, to);
  snprintf(to, sizeof to, "%s/epochs", data);
  FX_MUST(!mkdir(to, 0700));
  FX_OK(sv_org_epoch_path(st->site.data, &st->site.orgs[0].shell.id, from, sizeof from));
  FX_OK(sv_org_epoch_path(data, &st->site.orgs[0].shell.id, to, sizeof to));
  copy(from, to);
  sv_org_options o = fx_org_options(&st->site.fx, data);
  int err = sv_org_open(&o, &st->site.orgs[0].shell.id, &org, why);
  if (err) return false;
  bool ok = true;
  for (unsigned i = 0; ok && i < LOADERS; i++) {
    uint32_t has = 0;
    ok = prefix_of(org, st->loader[i], &has) && has >= acked[i];
    if (!ok) snprintf(why, DM_WHY, "log %u: %u ops, %u were acknowledged before", i, has, acked[i]);
  }
  if (ok) fx_verify(&st->site.fx, org);
  sv_org_close(org);
  return ok;
}

static bool backup_under_load(stage *st, const void *arg) {
  static load l;
  char file[300], why[DM_WHY] = "";
  uint32_t acked[LOADERS];
  struct stat s = {0};
  int status = -1;
  (void)arg;
  snprintf(file, sizeof file, "%s/backup.mdb", st->site.fx.dir);
  if (!load_open(&l, st)) return saw(st, false, "load");
  load_run(&l, 50);
  uint64_t before = l.pushes;
  for (unsigned i = 0; i < LOADERS; i++) acked[i] = st->loader[i]->acked;
  pid_t pid = copy_online(st, file);
  while (waitpid(pid, &status, WNOHANG) == 0 && load_run(&l, 2)) {}
  uint64_t during = l.pushes - before;
  load_run(&l, 20);
  load_close(&l);
  bool made = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !stat(file, &s);
  bool mode = (s.st_mode & 0777) == 0600;
  bool ok = made && copy_is_consistent(st, file, acked, why);
  return saw(st, ok && mode && during > 0, "copy of %lld KiB, mode %o, beside %llu pushes; %s%s",
             (long long)s.st_size >> 10, (unsigned)s.st_mode & 0777, (unsigned long long)during,
             ok ? "every log a prefix with all acknowledged before, folds and indexes agree"
                : "not consistent: ",
             why);
}

/* Every tablet comes back: some learn that the server has less than was acknowledged, and bring it again. */
static bool refill(stage *st, unsigned *found, unsigned *synced, char why[DM_WHY]) {
  for (uint32_t i = 0; i < st->site.n_tablets; i++) {
    dm_tablet *tb = st->site.tablets[i];
    dm_wire w;
    if (!tb->floor) continue;
    bool greeted = dm_greet(&w, &st->d, tb, NULL);
    int said = w.last_error;
    if (greeted && w.welcome.own != OV_OWN_SAME) ++*found;
    dm_wire_close(&w);
    if (said == OV_E_REVOKED || said == OV_E_AUTH) continue; /* revoked, or enrolled after the backup */
    if (!dm_sync(&st->d, tb, why)) return saw(st, false, "tablet %u: %s", i, why);
    ++*synced;
  }
  return true;
}

/* The backup of the row before is put back, as an administrator would: the server goes on under a new
 * writer. Tablets find out and bring what is missing. */
static bool old_backup(stage *st, const void *arg) {
  char file[300], store[600], why[DM_WHY] = "";
  unsigned found = 0, refilled = 0;
  (void)arg;
  snprintf(file, sizeof file, "%s/backup.mdb", st->site.fx.dir);
  for (unsigned i = 0; i < LOADERS; i++) {
    dm_tablet_note(st->loader[i], 30, SECRET " later");
    if (!dm_sync(&st->d, st->loader[i], why)) return saw(st, false, "%s", why);
  }
  dm_wire_close(&st->watcher);
  if (!dm_stop(&st->d, SIGTERM)) return saw(st, false, "stop");
  store_path(st, "/lock.mdb", store, sizeof store);
  unlink(store);
  store_path(st, "/data.mdb", store, sizeof store);
  copy(file, store);
  if (!dm_site_open_orgs(&st->site, why)) return saw(st, false, "%s", why);
  FX_OK(sv_org_new_writer(st->site.orgs[0].open));
  dm_site_close_orgs(&st->site);
  if (!dm_again(&st->d, why)) return saw(st, false, "%s", why);
  if (!refill(st, &found, &refilled, why)) return false;
  dm_wire_close(&st->watcher);
  if (!dm_stop(&st->d, SIGTERM) || !dm_site_open_orgs(&st->site, why)) return saw(st, false, "stop: %s", why);
  bool ok = dm_check_acked(&st->site, true, why);
  dm_site_close_orgs(&st->site);
  ok = ok && dm_again(&st->d, why);
  return saw(
      st, ok && found >= LOADERS && refilled >= LOADERS,
      "WELCOME tells %u logs that they are ahead; %u tablets synced; every acknowledged op is back%s%s",
      found, refilled, *why ? ": no, " : "", why);
}

/* -- the same by the administrator's command ------------------------------------------------------------- */

#define ADMIN_ARGS_MAX 8

/* overdracht-admin with these arguments; its output goes to a file that is read when it fails. */
static pid_t run_admin(stage *st, const char *const args[ADMIN_ARGS_MAX]) {
  fflush(NULL);
  pid_t pid = fork();
  FX_MUST(pid >= 0);
  if (pid) return pid;
  char out[300];
  char *argv[ADMIN_ARGS_MAX + 8] = {(char *)OV_ADMIN,   (char *)"--data",  (char *)st->site.data,
                                    (char *)"--schema", (char *)OV_SCHEMA, (char *)"--quiet"};
  for (unsigned i = 0; i < ADMIN_ARGS_MAX && args[i]; i++) argv[6 + i] = (char *)args[i];
  snprintf(out, sizeof out, "%s/admin.out", st->site.fx.dir);
  int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  umask(0);
  if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0) _exit(127);
  execv(OV_ADMIN, argv);
  _exit(127);
}

static bool admin_done(stage *st, int status, char why[DM_WHY]) {
  char out[300];
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  snprintf(out, sizeof out, "%s/admin.out", st->site.fx.dir);
  FILE *f = fopen(out, "r");
  int n = snprintf(why, DM_WHY, "exit %d: ", WEXITSTATUS(status));
  if (f) why[(size_t)n + fread(why + n, 1, DM_WHY - 1 - (size_t)n, f)] = 0;
  for (char *c = why; *c; c++) *c = *c == '\n' ? ' ' : *c;
  if (f) fclose(f);
  return false;
}

static int run_verify(stage *st) {
  int status = 0;
  waitpid(run_admin(st, (const char *const[ADMIN_ARGS_MAX]){"verify"}), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool admin_beside_server(stage *st, const void *arg) {
  char why[DM_WHY] = "";
  int status = 0;
  (void)arg;
  waitpid(run_admin(st, (const char *const[ADMIN_ARGS_MAX]){"organisation", "list"}), &status, 0);
  bool ok = admin_done(st, status, why);
  return saw(st, ok, "%s", ok ? "answered by the running server" : why);
}

static bool admin_backup(stage *st, const void *arg) {
  static load l;
  char dir[300], file[600], why[DM_WHY] = "", hex[2 * OV_ID_BYTES + 1];
  uint32_t acked[LOADERS];
  struct stat s = {0};
  int status = -1;
  dm_wire w;
  (void)arg;
  snprintf(dir, sizeof dir, "%s/backup", st->site.fx.dir);
  if (!load_open(&l, st)) return saw(st, false, "load");
  load_run(&l, 50);
  uint64_t before = l.pushes;
  for (unsigned i = 0; i < LOADERS; i++) acked[i] = st->loader[i]->acked;
  pid_t pid = run_admin(st, (const char *const[ADMIN_ARGS_MAX]){"backup", dir, "--verify"});
  while (waitpid(pid, &status, WNOHANG) == 0 && load_run(&l, 5)) {}
  uint64_t during = l.pushes - before;
  load_run(&l, 20);
  load_close(&l);
  bool made = admin_done(st, status, why);
  ov_hex(st->site.orgs[0].shell.id.b, OV_ID_BYTES, hex);
  snprintf(file, sizeof file, "%s/orgs/%s/data.mdb", dir, hex);
  bool mode = made && !stat(file, &s) && (s.st_mode & 0777) == 0600;
  bool whole = made && copy_is_consistent(st, file, acked, why);
  bool safe = dm_greet(&w, &st->d, st->loader[0], NULL) && w.welcome.safe_up_to >= acked[0];
  dm_wire_close(&w);
  return saw(st, mode && whole && safe && during > 0,
             "mode %o beside %llu pushes; verified, tablets hear they are safe up to %s what was "
             "acknowledged before%s%s",
             (unsigned)s.st_mode & 0777, (unsigned long long)during, safe ? "at least" : "less than",
             *why ? ": " : "", why);
}

static bool admin_restore(stage *st, const void *arg) {
  char dir[300], why[DM_WHY] = "";
  unsigned found = 0, synced = 0;
  int status = 0;
  (void)arg;
  snprintf(dir, sizeof dir, "%s/backup", st->site.fx.dir);
  for (unsigned i = 0; i < LOADERS; i++) {
    dm_tablet_note(st->loader[i], 30, SECRET " later");
    if (!dm_sync(&st->d, st->loader[i], why)) return saw(st, false, "%s", why);
  }
  dm_wire_close(&st->watcher);
  if (!dm_stop(&st->d, SIGTERM)) return saw(st, false, "stop");
  waitpid(run_admin(st, (const char *const[ADMIN_ARGS_MAX]){"restore", dir}), &status, 0);
  if (!admin_done(st, status, why) || !dm_again(&st->d, why)) return saw(st, false, "%s", why);
  if (!refill(st, &found, &synced, why)) return false;
  bool ok = dm_stop(&st->d, SIGTERM) && dm_site_open_orgs(&st->site, why) &&
            dm_check_acked(&st->site, true, why);
  dm_site_close_orgs(&st->site);
  ok = ok && dm_again(&st->d, why);
  return saw(st, ok && found >= LOADERS,
             "WELCOME tells %u logs that they are ahead; %u tablets synced; every acknowledged op is %s%s",
             found, synced, ok ? "back" : "not back: ", why);
}

const row store_rows[] = {
    {"46", "one bit of data.mdb is another", "the scrub finds it; a sound copy put back is served", bit_flips,
     NULL, ROW_STOPS},
    {"47", "data.mdb cut short", "that organisation refused, others served", truncated, NULL, ROW_STOPS},
    {"48", "second server on one data folder", "refused by our lock", second_server, NULL, 0},
    {"48", "overdracht-admin beside the server", "asks the running server", admin_beside_server, NULL, 0},
    {"49", "killed reader of another process", "its slot is freed", killed_reader, NULL, 0},
    {"50", "every reader's place of the store taken", "busy; freed with its holder", no_reader_left, NULL, 0},
    {"52", "more connections than descriptors", "new refused, few log lines, the others stay",
     few_descriptors, NULL, 0},
    {"56", "backup under load", "consistent prefix, 0600", backup_under_load, NULL, ROW_BIG},
    {"57", "old backup restored", "rollback found, tablets refill", old_backup, NULL, ROW_STOPS},
    {"56", "overdracht-admin backup --verify under load", "consistent prefix, 0600; safe moves", admin_backup,
     NULL, ROW_BIG},
    {"57", "overdracht-admin restore of an older backup", "rollback found, tablets refill", admin_restore,
     NULL, ROW_STOPS},
};
const size_t n_store_rows = sizeof store_rows / sizeof *store_rows;
