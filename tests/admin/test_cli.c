/* The built overdracht-admin as people and scripts run it: alone, and beside the built server. */
#include "admin_world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUT_MAX 200000

typedef struct cli {
  fx_world w;
  char data[200], out[OUT_MAX], err[OUT_MAX];
  pid_t server;
} cli;

static int setup(void **state) {
  cli *c = calloc(1, sizeof *c);
  if (!access("/dev/shm", W_OK)) setenv("TMPDIR", "/dev/shm", 0);
  fx_open(&c->w, 1);
  snprintf(c->data, sizeof c->data, "%s/data", c->w.dir);
  setenv("OVERDRACHT_DATA", c->data, 1);
  setenv("OVERDRACHT_SCHEMA", OV_SOURCE_DIR "/proto/schema", 1);
  setenv("TZ", "Europe/Amsterdam", 1);
  *state = c;
  return 0;
}

static void stop_server(cli *c) {
  if (!c->server) return;
  int status;
  kill(c->server, SIGTERM);
  waitpid(c->server, &status, 0);
  c->server = 0;
  assert_int_equal(status, 0);
}

static int teardown(void **state) {
  cli *c = *state;
  stop_server(c);
  fx_close(&c->w);
  free(c);
  return 0;
}

static void slurp(const char *path, char out[OUT_MAX]) {
  FILE *f = fopen(path, "r");
  size_t n = f ? fread(out, 1, OUT_MAX - 1, f) : 0;
  out[n] = 0;
  if (f) fclose(f);
}

/* Runs it through the shell; the exit status, with what it wrote in c->out and c->err. */
static int run(cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int run(cli *c, const char *fmt, ...) {
  char args[2000], command[3000], out[300], err[300];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(args, sizeof args, fmt, ap);
  va_end(ap);
  snprintf(out, sizeof out, "%s/out", c->w.dir);
  snprintf(err, sizeof err, "%s/err", c->w.dir);
  snprintf(command, sizeof command, OV_ADMIN " %s >%s 2>%s </dev/null", args, out, err);
  int status = system(command); // NOLINT(cert-env33-c): the command is the test's own
  slurp(out, c->out);
  slurp(err, c->err);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define SAYS(status, text, ...)                                                                              \
  do {                                                                                                       \
    int got_ = run(c, __VA_ARGS__);                                                                          \
    if (got_ != (status) || !(strstr(c->out, text) || strstr(c->err, text))) {                               \
      fprintf(stderr, "%s:%d: status %d\n%s%s", __FILE__, __LINE__, got_, c->out, c->err);                   \
      fail();                                                                                                \
    }                                                                                                        \
  } while (0)

static void start_server(cli *c) {
  char sock[300];
  snprintf(sock, sizeof sock, "%s/admin.sock", c->data);
  c->server = fork();
  if (!c->server) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 2);
    execl(OV_DAEMON, OV_DAEMON, "--data", c->data, "--init", "--schema", OV_SOURCE_DIR "/proto/schema",
          "--port", "0", "--local-port", "off", (char *)NULL);
    _exit(127);
  }
  for (int i = 0; i < 1000 && access(sock, F_OK); i++) usleep(10000);
  assert_int_equal(access(sock, F_OK), 0);
}

/* -- help ---------------------------------------------------------------------------------------- */

static void help_for_everything(void **state) {
  cli *c = *state;
  static char man[OUT_MAX];
  const sv_admin_command *cmd;
  slurp(OV_SOURCE_DIR "/tools/admin/overdracht-admin.8", man);
  SAYS(0, "Usage: overdracht-admin", "--help");
  char *all = strdup(c->out);
  for (unsigned i = 0; (cmd = sv_admin_command_at(i)); i++) {
    char section[100], *w = section;
    assert_non_null(strstr(all, cmd->name));
    SAYS(0, cmd->name, "%s --help", cmd->name);
    w += sprintf(w, ".SS ");
    for (const char *p = cmd->name; *p; p++) w += sprintf(w, *p == '-' ? "\\-" : "%c", *p);
    if (!strstr(man, section)) fail_msg("the manual page lacks %s", cmd->name);
    for (unsigned k = 0; k < SV_ADMIN_ARGS_MAX && cmd->args[k].name; k++) {
      const sv_admin_arg *a = &cmd->args[k];
      char option[80] = ".B ";
      if (a->positional || !strcmp(a->name, "organisation")) continue;
      for (const char *p = a->name, *e = (strcat(option, "\\-\\-"), p + strlen(p)); p < e; p++) {
        strcat(option, *p == '_' ? "\\-" : (char[]){*p, 0});
      }
      const char *at = strstr(man, section);
      if (!strstr(at, option)) fail_msg("the manual page lacks %s of %s", option, cmd->name);
    }
  }
  free(all);
  SAYS(0, "release explain", "release --help");
  SAYS(2, "release explain", "release");
  SAYS(2, "there is no command \"release nothing\"", "release nothing");
  SAYS(2, "there is no command \"nothing\"", "nothing --help");
  SAYS(0, OV_VERSION, "--version");
}

static void wrong_use(void **state) {
  cli *c = *state;
  SAYS(2, "Usage", "%s", "");
  SAYS(2, "no command \"fly\"", "fly");
  SAYS(2, "no option --colour", "team add x --colour red");
  SAYS(2, "a word too many", "team add x y");
  SAYS(2, "takes a value", "team add x --organisation");
  SAYS(2, "given twice", "person add x --role 1 --role 2");
  SAYS(2, "whole number", "record list sleep --limit many");
  SAYS(2, "takes no value", "device add x --no-code=1");
  SAYS(2, "KIND and FILE", "record import technology");
  unsetenv("OVERDRACHT_DATA");
  SAYS(2, "--data DIR", "team list");
  setenv("OVERDRACHT_DATA", c->data, 1);
}

/* -- alone ---------------------------------------------------------------------------------------- */

static void a_first_day(cli *c) {
  SAYS(0, "master.key", "init");
  SAYS(0, "id: ", "organisation add 'De Linde'");
  SAYS(0, "scope: 2", "team add Beuk");
  SAYS(0, "record: ", "person add Jan --team beuk");
}

static void alone(void **state) {
  cli *c = *state;
  SAYS(3, "no data folder", "team list");
  SAYS(0, "master.key", "init");
  SAYS(0, "id: ", "organisation add 'De Linde'");
  SAYS(0, "scope: 2", "team add Beuk");
  SAYS(0, "record: ", "person add Jan --team=beuk");
  SAYS(0, "record: ", "participant add --team Beuk -- '-K-'");
  SAYS(0, "code: ", "device add 'Tablet 1' --team Beuk");
  SAYS(0, "-K-", "participant list");
  SAYS(4, "one of 1 (care staff)", "person add Ria --role chef");
  SAYS(4, "already", "team add beuk");
  SAYS(3, "no team \"Es\"", "participant add A --team Es");
  SAYS(0, "\"ok\":true", "--json team list");
  json_t *j = json_loads(c->out, 0, NULL);
  assert_int_equal(json_array_size(json_object_get(j, "items")), 1);
  json_decref(j);
  SAYS(4, "\"error\":\"exists\"", "team add beuk --json");
  assert_string_equal(c->err, "");
  SAYS(0, "findings: 0", "verify");
  SAYS(0, "running: no", "status");
  SAYS(0, "kinds: ", "schema check %s/proto/schema", OV_SOURCE_DIR);
  SAYS(3, "wrong", "schema check %s/none", c->w.dir);
}

static void a_table(void **state) {
  cli *c = *state;
  char path[300];
  a_first_day(c);
  snprintf(path, sizeof path, "%s/t.csv", c->w.dir);
  FILE *f = fopen(path, "w");
  fputs("\xef\xbb\xbfnumber;name;description\r\n1;\"Technologie; "
        "\"\"01\"\"\";\"twee\nregels\"\r\nx;fout;\r\n\r\n3;Drie;\r\n1;Dubbel;\r\n",
        f);
  fclose(f);
  SAYS(4, "2 added, 2 refused", "record import technology %s", path);
  assert_non_null(strstr(c->err, "line 4: number=x"));
  assert_non_null(strstr(c->err, "line 7: there is a technology with number=1 already"));
  SAYS(0, "Technologie; \"01\"", "record list technology");
  SAYS(4, "\"refused\":4", "--json record import technology %s", path); /* twice makes nothing twice */
  SAYS(7, "cannot be read", "record import technology %s/none", c->w.dir);
}

static void dumps_to_a_file(void **state) {
  cli *c = *state;
  char path[300];
  struct stat st;
  a_first_day(c);
  snprintf(path, sizeof path, "%s/dump", c->w.dir);
  umask(0);
  SAYS(0, "personal data", "dump --out %s", path);
  umask(022);
  FX_MUST(!stat(path, &st));
  assert_int_equal(st.st_mode & 07777, 0600);
  FILE *f = fopen(path, "r");
  char line[20000];
  unsigned lines = 0;
  for (; fgets(line, sizeof line, f); lines++) {
    json_t *j = json_loads(line, 0, NULL);
    assert_non_null(json_object_get(j, "type"));
    json_decref(j);
  }
  fclose(f);
  assert_true(lines > 10);
  SAYS(4, "exists", "dump --out %s", path); /* never over something */
  SAYS(0, "\"type\":\"op\"", "dump --no-payload");
  assert_null(strstr(c->out, "lines:")); /* standard output is for the lines alone */
}

/* What a tablet calls itself must not move the administrator's cursor. */
static void texts_that_steer_terminals(void **state) {
  cli *c = *state;
  a_first_day(c);
  SAYS(0, "record: ", "team add \"$(printf 'Evil\\033[2J\\007')\"");
  SAYS(0, "Evil [2J", "team list");
  assert_null(strchr(c->out, '\033'));
  assert_null(strchr(c->out, '\007'));
}

/* -- beside a server ----------------------------------------------------------------------------------- */

static void beside_a_server(void **state) {
  cli *c = *state;
  start_server(c);
  SAYS(0, "id: ", "organisation add 'De Linde'");
  SAYS(0, "scope: 2", "team add Beuk");
  SAYS(0, "code: ", "device add 'Tablet 1' --team Beuk");
  SAYS(0, "running: yes", "status");
  SAYS(4, "already", "team add beuk");
  SAYS(0, "findings: 0", "verify");
  SAYS(0, "NOT in this backup", "backup %s/b1 --verify", c->w.dir);
  SAYS(5, "stop the server first", "restore %s/b1", c->w.dir);
  SAYS(0, "findings: 0", "restore --verify %s/b1", c->w.dir);
  SAYS(0, "keep the three apart", "backup-keys %s/k1", c->w.dir);
  SAYS(0, "destroy it when you make the next", "backup-epochs %s/e1", c->w.dir);
  SAYS(0, "scope: 3", "team add Eik");
  SAYS(0, "nothing is held", "held list");
  SAYS(5, "a server is running", "init");
  stop_server(c);
  SAYS(0, "Eik", "team list");
  SAYS(0, "findings: 0", "restore %s/b1", c->w.dir);
  SAYS(0, "Beuk", "team list");
  assert_null(strstr(c->out, "Eik"));
  start_server(c);
  SAYS(0, "running: yes", "status");
  SAYS(0, "findings: 0", "verify");
}

/* Relative paths mean the caller's folder, not the server's. */
static void paths_are_the_callers(void **state) {
  cli *c = *state;
  char back[400];
  start_server(c);
  FX_MUST(getcwd(back, sizeof back) && !chdir(c->w.dir));
  SAYS(0, "backup: ", "backup rel");
  FX_MUST(!access("rel/manifest.json", F_OK) && !chdir(back));
}

static void another_command_holds_the_folder(void **state) {
  cli *c = *state;
  a_first_day(c);
  sv_lock *lock = NULL;
  FX_OK(sv_lock_folder(c->data, &lock, NULL));
  SAYS(5, "is in use by process", "team list");
  SAYS(5, "is in use by process", "restore %s/none", c->w.dir);
  sv_unlock(lock);
  SAYS(0, "Beuk", "team list");
}

/* -- interrupted ----------------------------------------------------------------------------------------- */

static int count_people(cli *c) {
  SAYS(0, "\"ok\":true", "--json person list");
  json_t *j = json_loads(c->out, 0, NULL);
  int n = (int)json_array_size(json_object_get(j, "items"));
  json_decref(j);
  return n;
}

/* SIGINT in the middle of a backup: status 130, and no part of it is left. */
static void interrupted(void **state) {
  cli *c = *state;
  char dir[300];
  a_first_day(c);
  assert_int_equal(count_people(c), 1);
  snprintf(dir, sizeof dir, "%s/b", c->w.dir);
  for (unsigned ms = 1; ms < 60; ms += 4) {
    pid_t pid = fork();
    if (!pid) {
      int null = open("/dev/null", O_RDWR);
      dup2(null, 1);
      dup2(null, 2);
      execl(OV_ADMIN, OV_ADMIN, "backup", dir, "--verify", (char *)NULL);
      _exit(127);
    }
    usleep(ms * 1000);
    kill(pid, SIGINT);
    int status;
    waitpid(pid, &status, 0);
    bool stopped = WIFSIGNALED(status) || WEXITSTATUS(status) == 130; /* the former: before it had begun */
    assert_true(stopped || WEXITSTATUS(status) == 0);
    char command[700];
    snprintf(command, sizeof command, "ls %s | grep -E 'part|scratch'", c->w.dir);
    if (!WIFSIGNALED(status)) assert_int_not_equal(system(command), 0); // NOLINT(cert-env33-c)
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
  }
  SAYS(0, "findings: 0", "verify");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(help_for_everything),
                                     T(wrong_use),
                                     T(alone),
                                     T(a_table),
                                     T(dumps_to_a_file),
                                     T(texts_that_steer_terminals),
                                     T(beside_a_server),
                                     T(paths_are_the_callers),
                                     T(another_command_holds_the_folder),
                                     T(interrupted)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
