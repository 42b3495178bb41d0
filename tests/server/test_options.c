/* The command line of overdrachtd: what is wrong is told, with status 2, before anything is opened; and what
 * is right holds. Its certificate is read again with SIGHUP. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "testcert.h"

#include <cmocka.h>

#define SECONDS_MAX 120
#define ARGS_MAX 48
#define OUT_BYTES 16000

typedef struct run {
  char dir[100], out_file[140], port_file[140], out[OUT_BYTES];
  pid_t pid;
} run;

static int setup(void **state) {
  run *r = calloc(1, sizeof *r);
  FX_MUST(r);
  snprintf(r->dir, sizeof r->dir, "/tmp/ov-options-XXXXXX");
  FX_MUST(mkdtemp(r->dir));
  snprintf(r->out_file, sizeof r->out_file, "%s/out", r->dir);
  snprintf(r->port_file, sizeof r->port_file, "%s/ports", r->dir);
  alarm(SECONDS_MAX);
  *state = r;
  return 0;
}

static int teardown(void **state) {
  run *r = *state;
  char command[160];
  alarm(0);
  if (r->pid) {
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
  }
  snprintf(command, sizeof command, "rm -rf %s", r->dir);
  FX_MUST(!system(command)); // NOLINT(cert-env33-c): the command is the test's own
  free(r);
  return 0;
}

static void read_out(run *r) {
  int fd = open(r->out_file, O_RDONLY);
  ssize_t n = fd < 0 ? 0 : read(fd, r->out, sizeof r->out - 1);
  r->out[n > 0 ? n : 0] = 0;
  if (fd >= 0) close(fd);
}

/* Words are separated by one space; DIR stands for the test's folder. */
static void start(run *r, const char *words) {
  char text[3000] = "", *argv[ARGS_MAX] = {OV_DAEMON}, *save = NULL;
  unsigned n = 1;
  for (const char *p = words; *p; p++) {
    size_t at = strlen(text);
    if (!strncmp(p, "DIR", 3)) snprintf(text + at, sizeof text - at, "%s", r->dir), p += 2;
    else snprintf(text + at, sizeof text - at, "%c", *p);
  }
  for (char *w = strtok_r(text, " ", &save); w && n < ARGS_MAX - 1; w = strtok_r(NULL, " ", &save))
    argv[n++] = w;
  unlink(r->port_file);
  fflush(NULL);
  r->pid = fork();
  FX_MUST(r->pid >= 0);
  if (r->pid) return;
  int out = open(r->out_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(127);
  execv(OV_DAEMON, argv);
  _exit(127);
}

static int end(run *r) {
  int status = 0;
  FX_MUST(waitpid(r->pid, &status, 0) == r->pid);
  r->pid = 0;
  read_out(r);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void says(run *r, int status, const char *text, const char *words) {
  start(r, words);
  int got = end(r);
  if (got != status || !strstr(r->out, text)) fail_msg("%s: status %d\n%s", words, got, r->out);
}

static uint16_t serving(run *r) {
  unsigned port = 0;
  for (int i = 0; i < 6000 && !port; i++) {
    FILE *f = fopen(r->port_file, "r");
    if (f && fscanf(f, "port=%u", &port) != 1) port = 0;
    if (f) fclose(f);
    else usleep(10000);
    if (!port && waitpid(r->pid, NULL, WNOHANG) == r->pid) {
      r->pid = 0;
      read_out(r);
      fail_msg("it ended: %s", r->out);
    }
  }
  return (uint16_t)port;
}

static void stop(run *r) {
  kill(r->pid, SIGTERM);
  assert_int_equal(end(r), 0);
}

static void wait_for(run *r, const char *text) {
  for (int i = 0; i < 3000; i++) {
    read_out(r);
    if (strstr(r->out, text)) return;
    usleep(10000);
  }
  fail_msg("never said %s: %s", text, r->out);
}

static void wrong_use_is_told(void **state) {
  run *r = *state;
  char many[1000] = "--data DIR/d";
  says(r, 0, "Usage: overdrachtd --data DIR", "--help");
  says(r, 0, "Exit status: 0 stopped", "-h");
  says(r, 0, "overdrachtd " OV_VERSION, "--version");
  says(r, 2, "unrecognized option", "--colour red");
  says(r, 2, "requires an argument", "--data");
  says(r, 2, "\"extra\" is not an option", "--data DIR/d extra");
  says(r, 2, "--data DIR is missing", "--port 0");
  says(r, 2, "--cert and --key go together", "--data DIR/d --cert DIR/c");
  says(r, 2, "--port takes a whole number from 0 to 65535, not \"65536\"", "--data DIR/d --port 65536");
  says(r, 2, "--local-port takes a whole number", "--data DIR/d --local-port some");
  says(r, 2, "--workers takes a whole number from 1 to 16, not \"0\"", "--data DIR/d --workers 0");
  says(r, 2, "--log takes debug, info, warn or error, not \"loud\"", "--data DIR/d --log loud");
  for (int i = 0; i < 40; i++) strcat(many, " --name h.nl");
  says(r, 2, "times --name", many);
  assert_int_not_equal(access(r->dir, F_OK | X_OK), -1);
  snprintf(many, sizeof many, "%s/d", r->dir);
  assert_int_equal(access(many, F_OK), -1); /* nothing was made */
}

static void what_is_missing_ends_the_start(void **state) {
  run *r = *state;
  says(r, 1, "there is no data folder", "--data DIR/d --port 0 --local-port off");
  says(r, 1, "cannot serve the web app",
       "--data DIR/d --init --schema " OV_SCHEMA " --port 0 --local-port off --web DIR/none");
  says(r, 1, "may be read by others",
       "--data DIR/d --schema " OV_SCHEMA " --port 0 --local-port off --master-key " OV_SCHEMA "/team.json");
}

static bool get_over_ip6(uint16_t port, const char *request, char *out, size_t cap) {
  struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool there = fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof to);
  size_t n = 0;
  ssize_t got = there ? write(fd, request, strlen(request)) : -1;
  while (got > 0 && n < cap - 1 && (got = read(fd, out + n, cap - 1 - n)) > 0) n += (size_t)got;
  out[n] = 0;
  if (fd >= 0) close(fd);
  return there;
}

/* Another address, a web app, a key file of its own. */
static void options_hold(void **state) {
  run *r = *state;
  char path[160], out[4000];
  int six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
  bool have = six >= 0 && !bind(six, (struct sockaddr *)&any, sizeof any);
  if (six >= 0) close(six);
  if (!have) skip();
  snprintf(path, sizeof path, "%s/web", r->dir);
  FX_MUST(!mkdir(path, 0700));
  snprintf(path, sizeof path, "%s/web/index.html", r->dir);
  FILE *f = fopen(path, "w");
  FX_MUST(f && fputs("<!doctype html><title>app</title>", f) >= 0 && !fclose(f));
  start(r, "--data DIR/d --init --schema " OV_SCHEMA " --address ::1 --port 0 --local-port off --port-file "
           "DIR/ports --web DIR/web --master-key DIR/own.key --origin https://sync.example.nl --log debug");
  uint16_t port = serving(r);
  assert_true(
      get_over_ip6(port, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", out, sizeof out));
  assert_non_null(strstr(out, "200"));
  assert_non_null(strstr(out, "<title>app</title>"));
  stop(r);
  snprintf(path, sizeof path, "%s/own.key", r->dir);
  assert_int_equal(access(path, F_OK), 0);
  snprintf(path, sizeof path, "%s/d/master.key", r->dir);
  assert_int_equal(access(path, F_OK), -1);
}

static void copy_file(const char *from, const char *to) {
  char b[8000];
  FILE *in = fopen(from, "r"), *out = fopen(to, "w");
  FX_MUST(in && out);
  size_t n = fread(b, 1, sizeof b, in);
  FX_MUST(fwrite(b, 1, n, out) == n && !fclose(out) && !fclose(in));
}

static bool trusts(uint16_t port, const char *ca_file) {
  rawws *ws = rawws_connect(&(rawws_opts){.port = port, .tls = true, .ca_file = ca_file});
  rawws_free(ws);
  return ws != NULL;
}

/* SIGHUP: the new certificate for whoever comes from then on; a broken one changes nothing. */
static void the_certificate_is_read_again(void **state) {
  run *r = *state;
  testcert one, two;
  char cert[160], key[160];
  FX_MUST(testcert_make(&one) && testcert_make(&two));
  snprintf(cert, sizeof cert, "%s/cert", r->dir);
  snprintf(key, sizeof key, "%s/key", r->dir);
  copy_file(one.cert_file, cert);
  copy_file(one.key_file, key);
  start(r, "--data DIR/d --init --schema " OV_SCHEMA " --port 0 --local-port off --port-file DIR/ports "
           "--cert DIR/cert --key DIR/key");
  uint16_t port = serving(r);
  assert_true(trusts(port, one.cert_file));
  assert_false(trusts(port, two.cert_file));
  copy_file(two.cert_file, cert);
  copy_file(two.key_file, key);
  assert_true(trusts(port, one.cert_file));
  kill(r->pid, SIGHUP);
  wait_for(r, "certificate_reloaded result=ok");
  assert_true(trusts(port, two.cert_file));
  assert_false(trusts(port, one.cert_file));
  copy_file(one.key_file, key); /* of the other */
  kill(r->pid, SIGHUP);
  wait_for(r, "result=kept_the_old_one");
  assert_true(trusts(port, two.cert_file));
  stop(r);
  testcert_remove(&one);
  testcert_remove(&two);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(wrong_use_is_told), T(what_is_missing_ends_the_start), T(options_hold),
                                     T(the_certificate_is_read_again)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
