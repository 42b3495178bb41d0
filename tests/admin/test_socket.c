/* The socket in the data folder: for its owner only, one request a connection, and nothing that a client does
 * holds it up for ever. */
#include "admin_world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct world {
  linde l;
  sv_sys clock;
  sv_admin_socket *s;
  char path[300];
} world;

static int setup(void **state) {
  world *w = calloc(1, sizeof *w);
  linde_open(&w->l, 900, true);
  snprintf(w->path, sizeof w->path, "%s/admin.sock", w->l.aw.data);
  umask(0);
  FX_OK(sv_admin_socket_open(&w->l.aw.host, w->path, &w->s));
  umask(022);
  *state = w;
  return 0;
}

static int teardown(void **state) {
  world *w = *state;
  sv_admin_socket_close(w->s);
  assert_int_not_equal(access(w->path, F_OK), 0);
  linde_close(&w->l);
  free(w);
  return 0;
}

/* Everything until the server closes; the last line's JSON. */
static json_t *answer(int fd) {
  size_t n = 0, cap = 1 << 20;
  char *buf = malloc(cap);
  for (;;) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 20000) != 1) fx_die(__FILE__, __LINE__, "no answer in 20 s", 0);
    ssize_t k = recv(fd, buf + n, cap - n - 1, 0);
    if (k <= 0) break;
    n += (size_t)k;
  }
  buf[n] = 0;
  while (n && buf[n - 1] == '\n') buf[--n] = 0;
  char *last = strrchr(buf, '\n');
  json_t *j = json_loads(last ? last + 1 : buf, 0, NULL);
  free(buf);
  close(fd);
  return j;
}

static int dial(world *w) {
  int fd;
  FX_OK(sv_admin_connect(w->path, &fd));
  return fd;
}

static json_t *ask(world *w, const char *text) {
  int fd = dial(w);
  FX_MUST(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
  return answer(fd);
}

static void expect(world *w, const char *request, const char *error) {
  json_t *j = ask(w, request);
  assert_non_null(j);
  const char *got = json_string_value(json_object_get(j, "error"));
  assert_string_equal(got ? got : "none", error);
  json_decref(j);
}

static void still_serves(world *w) { expect(w, "{\"cmd\":\"status\"}\n", "none"); }

static void for_its_owner_only(void **state) {
  world *w = *state;
  struct stat st;
  FX_MUST(!stat(w->path, &st));
  assert_true(S_ISSOCK(st.st_mode));
  assert_int_equal(st.st_mode & 07777, 0600);
  still_serves(w);
}

/* The mode alone is not what keeps others out: with everybody let through by the file, the kernel's word
 * still counts. */
static void another_user_is_refused(void **state) {
  world *w = *state;
  if (geteuid()) skip();
  FX_MUST(!chmod(w->path, 0666) && !chmod(w->l.aw.data, 0755) && !chmod(w->l.aw.w.dir, 0755));
  pid_t pid = fork();
  if (!pid) {
    int fd;
    if (setgid(65534) || setuid(65534) || sv_admin_connect(w->path, &fd)) _exit(2);
    (void)send(fd, "{\"cmd\":\"status\"}\n", 17, MSG_NOSIGNAL);
    json_t *j = answer(fd);
    const char *error = json_string_value(json_object_get(j, "error"));
    _exit(error && !strcmp(error, "denied") ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  assert_int_equal(status, 0);
  still_serves(w);
}

static void another_user_is_kept_out_by_the_mode(void **state) {
  world *w = *state;
  if (geteuid()) skip();
  FX_MUST(!chmod(w->l.aw.data, 0755) && !chmod(w->l.aw.w.dir, 0755));
  pid_t pid = fork();
  if (!pid) {
    int fd;
    _exit(setgid(65534) || setuid(65534) || sv_admin_connect(w->path, &fd) != OV_E_DENIED);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  assert_int_equal(status, 0);
}

static void garbage(void **state) {
  world *w = *state;
  expect(w, "garbage\n", "format");
  expect(w, "\n", "format");
  expect(w, "{\"cmd\":\"status\"}{}\n", "format");
  expect(w, "{\"cmd\":\"\\u0000\"}\n", "format");
  expect(w, "\xff\xfe\xfd\n", "format");
  expect(w, "{\"cmd\":\"team add\",\"name\":\"Nacht\"}\n", "none");
  /* without a newline, but finished */
  int fd = dial(w);
  FX_MUST(send(fd, "{\"cmd\":\"status\"}", 16, MSG_NOSIGNAL) == 16);
  shutdown(fd, SHUT_WR);
  json_t *j = answer(fd);
  assert_true(json_is_true(json_object_get(j, "ok")));
  json_decref(j);
  /* a tower of brackets */
  size_t n = 900000;
  char *deep = malloc(n + 2);
  memset(deep, '[', n);
  strcpy(deep + n, "\n");
  fd = dial(w);
  (void)send(fd, deep, n + 1, MSG_NOSIGNAL);
  j = answer(fd);
  assert_string_equal(json_string_value(json_object_get(j, "error")), "format");
  json_decref(j);
  free(deep);
  still_serves(w);
}

static void oversize(void **state) {
  world *w = *state;
  size_t n = SV_ADMIN_REQUEST_BYTES_MAX + 4096;
  char *big = malloc(n);
  memset(big, 'x', n);
  int fd = dial(w);
  for (size_t at = 0; at < n;) {
    ssize_t k = send(fd, big + at, n - at, MSG_NOSIGNAL);
    if (k <= 0) break;
    at += (size_t)k;
  }
  json_t *j = answer(fd);
  assert_string_equal(json_string_value(json_object_get(j, "error")), "limit");
  json_decref(j);
  free(big);
  still_serves(w);
}

/* One who connects and leaves, or who leaves in the middle of an answer, costs nothing. */
static void those_who_leave(void **state) {
  world *w = *state;
  for (int i = 0; i < 20; i++) close(dial(w));
  for (int i = 0; i < 5; i++) {
    int fd = dial(w);
    FX_MUST(send(fd, "{\"cmd\":\"dump\"}\n", 15, MSG_NOSIGNAL) == 15);
    char c;
    FX_MUST(recv(fd, &c, 1, 0) == 1);
    close(fd);
  }
  still_serves(w);
}

/* A dump that nobody reads holds no read transaction: writers go on, and so does the next command once the
 * reader has left. */
static void one_who_does_not_read(void **state) {
  world *w = *state;
  linde_nights(&w->l, 300, 5);
  int fd = dial(w);
  int small = 2048;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  FX_MUST(send(fd, "{\"cmd\":\"dump\"}\n", 15, MSG_NOSIGNAL) == 15);
  /* Once the socket is full the dump stands still, without a reader for good. */
  unsigned quiet = 0;
  char c;
  FX_MUST(recv(fd, &c, 1, MSG_PEEK) == 1);
  for (int i = 0; i < 1000 && quiet < 5; i++) {
    sv_env_stats st;
    usleep(20000);
    sv_env_stats_get(w->l.org->env, &st);
    quiet = st.readers ? 0 : quiet + 1;
  }
  assert_int_equal(quiet, 5);
  linde_nights(&w->l, 5, 5);
  close(fd);
  still_serves(w);
}

static void *asker(void *arg) {
  json_t *j = ask(arg, "{\"cmd\":\"verify\"}\n");
  bool ok = json_is_true(json_object_get(j, "ok"));
  json_decref(j);
  return (void *)(uintptr_t)ok;
}

static void several_wait_their_turn(void **state) {
  world *w = *state;
  pthread_t threads[6];
  linde_nights(&w->l, 50, 5);
  for (unsigned i = 0; i < 6; i++) assert_int_equal(pthread_create(&threads[i], NULL, asker, w), 0);
  for (unsigned i = 0; i < 6; i++) {
    void *ok;
    pthread_join(threads[i], &ok);
    assert_true(ok);
  }
}

/* -- those who are slow to ask ------------------------------------------------------------------------ */

#define REQUEST_MS 10000
#define STALLED 5

/* The socket's clock, which a test may move: deadlines come without waiting for them. */
static _Atomic int64_t ahead_ms;

static int64_t moved_ms(void *ctx) {
  (void)ctx;
  return sv_sys_real(SV_LOG_ERROR)->mono_ms(NULL) + atomic_load(&ahead_ms);
}

/* One that stands still but for what it is moved: nobody's time is up before the test says so. */
static int64_t still_ms(void *ctx) {
  (void)ctx;
  return atomic_load(&ahead_ms);
}

static void with_clock(world *w, int64_t (*mono_ms)(void *ctx)) {
  atomic_store(&ahead_ms, 0);
  w->clock = *w->l.aw.host.sys;
  w->clock.mono_ms = mono_ms;
  sv_admin_socket_close(w->s);
  w->l.aw.host.sys = &w->clock;
  FX_OK(sv_admin_socket_open(&w->l.aw.host, w->path, &w->s));
}

static unsigned open_descriptors(void) {
  unsigned n = 0;
  for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
  return n;
}

static void expect_error(int fd, const char *error, const char *hint) {
  json_t *j = answer(fd);
  assert_non_null(j);
  assert_true(json_is_false(json_object_get(j, "ok")));
  assert_string_equal(json_string_value(json_object_get(j, "error")), error);
  assert_non_null(strstr(json_string_value(json_object_get(j, "hint")), hint));
  json_decref(j);
}

/* Some send half a request and fall silent. The others are served meanwhile; the silent ones are told so when
 * their time is up, and leave nothing behind. */
static void a_request_that_stalls(void **state) {
  world *w = *state;
  with_clock(w, still_ms);
  unsigned before = open_descriptors();
  int fd[STALLED];
  for (int i = 0; i < STALLED; i++) {
    fd[i] = dial(w);
    FX_MUST(send(fd[i], "{\"cmd\":\"sta", 11, MSG_NOSIGNAL) == 11);
  }
  still_serves(w);
  atomic_fetch_add(&ahead_ms, REQUEST_MS - 1);
  still_serves(w);
  for (int i = 0; i < STALLED; i++) {
    struct pollfd p = {.fd = fd[i], .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 0);
  }
  atomic_fetch_add(&ahead_ms, 1);
  still_serves(w);
  for (int i = 0; i < STALLED; i++) expect_error(fd[i], "timeout", "newline at its end");
  still_serves(w);
  /* One end of each lies in this process too: none is left. */
  for (int i = 0; i < 200 && open_descriptors() != before; i++) usleep(50000);
  assert_int_equal(open_descriptors(), before);
}

/* Time in which another's request runs is not theirs: half a request goes on after it. */
static void a_request_in_two_halves(void **state) {
  world *w = *state;
  int fd = dial(w);
  FX_MUST(send(fd, "{\"cmd\":\"sta", 11, MSG_NOSIGNAL) == 11);
  still_serves(w);
  FX_MUST(send(fd, "tus\"}\n", 6, MSG_NOSIGNAL) == 6);
  json_t *j = answer(fd);
  assert_true(json_is_true(json_object_get(j, "ok")));
  json_decref(j);
}

/* An answered client that neither reads its end nor leaves is hung up on. */
static void one_who_stays_after_the_answer(void **state) {
  world *w = *state;
  with_clock(w, moved_ms);
  int fd = dial(w);
  FX_MUST(send(fd, "{\"cmd\":\"status\"}\nand more", 26, MSG_NOSIGNAL) == 26);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  FX_MUST(poll(&p, 1, 20000) == 1);
  atomic_fetch_add(&ahead_ms, 800);
  still_serves(w);
  int err = EAGAIN;
  for (int i = 0; i < 400 && err == EAGAIN; i++) {
    err = send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? EAGAIN : errno;
    if (err == EAGAIN) usleep(25000);
  }
  assert_int_equal(err, EPIPE);
  close(fd);
  still_serves(w);
}

/* More silent ones than the server has places for: the next waits until one of them has left. */
static void more_than_there_are_places(void **state) {
  world *w = *state;
  int fd[17];
  for (int i = 0; i < 17; i++) fd[i] = dial(w);
  FX_MUST(send(fd[16], "{\"cmd\":\"status\"}\n", 17, MSG_NOSIGNAL) == 17);
  struct pollfd p = {.fd = fd[16], .events = POLLIN};
  assert_int_equal(poll(&p, 1, 300), 0);
  close(fd[3]);
  json_t *j = answer(fd[16]);
  assert_true(json_is_true(json_object_get(j, "ok")));
  json_decref(j);
  for (int i = 0; i < 16; i++) {
    if (i != 3) close(fd[i]);
  }
  still_serves(w);
}

/* The server stops with a request half sent. */
static void stopping_ends_half_a_request(void **state) {
  world *w = *state;
  int fd = dial(w);
  FX_MUST(send(fd, "{\"cmd\":", 7, MSG_NOSIGNAL) == 7);
  still_serves(w);
  sv_admin_socket_close(w->s);
  w->s = NULL;
  char c;
  assert_true(recv(fd, &c, 1, 0) <= 0);
  close(fd);
}

/* A process without descriptors takes nobody in, and goes on once there are some. */
static void no_descriptor_is_left(void **state) {
  world *w = *state;
  struct rlimit all, few;
  FX_MUST(!getrlimit(RLIMIT_NOFILE, &all));
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  snprintf(at.sun_path, sizeof at.sun_path, "%.100s", w->path);
  int next = dup(0); /* the lowest that is free; descriptors under it stay open */
  FX_MUST(fd >= 0 && next >= 0 && !close(next));
  few = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = all.rlim_max};
  FX_MUST(!setrlimit(RLIMIT_NOFILE, &few));
  FX_MUST(!connect(fd, (struct sockaddr *)&at, sizeof at));
  FX_MUST(send(fd, "{\"cmd\":\"status\"}\n", 17, MSG_NOSIGNAL) == 17);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  int got = poll(&p, 1, 300);
  FX_MUST(!setrlimit(RLIMIT_NOFILE, &all));
  assert_int_equal(got, 0);
  json_t *j = answer(fd);
  assert_true(json_is_true(json_object_get(j, "ok")));
  json_decref(j);
}

/* What another server left behind is replaced; anything else by that name is not ours to remove. */
static void what_stands_at_its_place(void **state) {
  world *w = *state;
  sv_admin_socket_close(w->s);
  w->s = NULL;
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  snprintf(at.sun_path, sizeof at.sun_path, "%.100s", w->path);
  FX_MUST(!bind(fd, (struct sockaddr *)&at, sizeof at));
  close(fd);
  int asked;
  assert_int_equal(sv_admin_connect(w->path, &asked), OV_E_NOTFOUND);
  FX_OK(sv_admin_socket_open(&w->l.aw.host, w->path, &w->s));
  still_serves(w);
  sv_admin_socket_close(w->s);
  w->s = NULL;
  FILE *f = fopen(w->path, "w");
  fputs("a file\n", f);
  fclose(f);
  assert_int_equal(sv_admin_socket_open(&w->l.aw.host, w->path, &w->s), OV_E_EXISTS);
  assert_int_equal(access(w->path, F_OK), 0);
  FX_MUST(!unlink(w->path));
}

static void a_place_that_cannot_be(void **state) {
  world *w = *state;
  char path[700];
  sv_admin_socket *s = NULL;
  unsigned before = open_descriptors();
  snprintf(path, sizeof path, "%s/none/admin.sock", w->l.aw.data);
  assert_int_equal(sv_admin_socket_open(&w->l.aw.host, path, &s), OV_E_IO);
  assert_null(s);
  memset(path, 'p', sizeof path - 1); /* longer than any that a data folder may have */
  path[sizeof path - 1] = 0;
  assert_int_equal(sv_admin_socket_open(&w->l.aw.host, path, &s), OV_E_LIMIT);
  assert_null(s);
  assert_int_equal(open_descriptors(), before);
}

/* A path longer than the kernel's 107 bytes. */
static void a_deep_folder(void **state) {
  world *w = *state;
  char dir[400], path[420], part[61];
  memset(part, 'd', 60);
  part[60] = 0;
  snprintf(dir, sizeof dir, "%s", w->l.aw.w.dir);
  for (int i = 0; i < 3; i++) {
    snprintf(dir + strlen(dir), sizeof dir - strlen(dir), "/%s", part);
    FX_MUST(!mkdir(dir, 0700));
  }
  snprintf(path, sizeof path, "%s/admin.sock", dir);
  sv_admin_socket *s = NULL;
  FX_OK(sv_admin_socket_open(&w->l.aw.host, path, &s));
  int fd;
  FX_OK(sv_admin_connect(path, &fd));
  FX_MUST(send(fd, "{\"cmd\":\"status\"}\n", 17, MSG_NOSIGNAL) == 17);
  json_t *j = answer(fd);
  assert_true(json_is_true(json_object_get(j, "ok")));
  json_decref(j);
  sv_admin_socket_close(s);
}

/* Closing waits for the request under way, and ends a long one. */
static void stopping_ends_long_work(void **state) {
  world *w = *state;
  linde_nights(&w->l, 300, 5);
  int fd = dial(w);
  FX_MUST(send(fd, "{\"cmd\":\"dump\"}\n", 15, MSG_NOSIGNAL) == 15);
  char c;
  FX_MUST(recv(fd, &c, 1, 0) == 1);
  sv_admin_socket_close(w->s); /* returns although nobody reads */
  w->s = NULL;
  close(fd);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(for_its_owner_only),
                                     T(another_user_is_refused),
                                     T(another_user_is_kept_out_by_the_mode),
                                     T(garbage),
                                     T(oversize),
                                     T(those_who_leave),
                                     T(one_who_does_not_read),
                                     T(several_wait_their_turn),
                                     T(a_request_that_stalls),
                                     T(a_request_in_two_halves),
                                     T(one_who_stays_after_the_answer),
                                     T(more_than_there_are_places),
                                     T(stopping_ends_half_a_request),
                                     T(no_descriptor_is_left),
                                     T(what_stands_at_its_place),
                                     T(a_place_that_cannot_be),
                                     T(a_deep_folder),
                                     T(stopping_ends_long_work)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
