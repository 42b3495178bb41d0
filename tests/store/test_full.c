/* A disk that is really full (a small tmpfs, where this may be mounted) and a file that may grow no further
 * (RLIMIT_FSIZE): busy, no loss, and it goes on when there is room. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_world.h"

static int setup_closed(void **state) {
  world *w = malloc(sizeof *w);
  if (!w) return -1;
  world_init(w);
  *state = w;
  return 0;
}

static int put_ten(world *w, uint64_t from) {
  sv_txn *t;
  int err = sv_txn_write(w->env, &t);
  if (err) return err;
  for (uint64_t seq = from; seq < from + 10; seq++) {
    sv_op_row row = make_op(1, seq, NULL);
    sv_op_put(t, &row);
  }
  return sv_txn_commit(t);
}

static bool all_there(world *w, uint64_t to) {
  sv_op_row row;
  sv_txn *t;
  int err = sv_txn_read(w->env, &t);
  for (uint64_t seq = 1; !err && seq <= to; seq++) {
    ov_name name = make_name(1, seq);
    err = sv_op_get(t, &name, &w->arena, &row);
    ov_arena_reset(&w->arena);
  }
  sv_txn_abort(t);
  return !err;
}

static void a_full_tmpfs(void **state) {
  world *w = *state;
  char ballast[160];
  assert_int_equal(mkdir(w->env_path, 0700), 0);
  if (mount("tmpfs", w->env_path, "tmpfs", 0, "size=2m,mode=0700")) {
    print_message("not shown here: mounting a tmpfs needs root\n");
    skip();
  }
  snprintf(ballast, sizeof ballast, "%s/ballast", w->env_path);
  int fd = open(ballast, O_CREAT | O_WRONLY, 0600);
  assert_int_equal(posix_fallocate(fd, 0, 1 << 20), 0);
  close(fd);
  assert_int_equal(world_open(w, NULL), 0); /* the map of 16 MiB is a hole: it takes no room */
  uint64_t acked = 0;
  int err;
  while (!(err = put_ten(w, acked + 1))) acked += 10;
  assert_int_equal(err, OV_E_FULL);
  assert_true(acked > 100);
  for (int i = 0; i < 3; i++) assert_int_equal(put_ten(w, acked + 1), OV_E_FULL);
  assert_false(sv_env_readonly(w->env));
  assert_true(all_there(w, acked));
  assert_int_equal(unlink(ballast), 0);
  assert_int_equal(put_ten(w, acked + 1), 0);
  acked += 10;
  sv_scrub s;
  world_close(w);
  assert_int_equal(world_open(w, NULL), 0);
  assert_true(all_there(w, acked));
  assert_int_equal(sv_env_scrub(w->env, &s), 0);
  assert_string_equal(s.first, "");
  world_close(w);
  assert_int_equal(umount(w->env_path), 0);
}

/* In a child, which reports by its exit code: 0, or the line that failed. */
#define CHECK(x)                                                                                             \
  do {                                                                                                       \
    if (!(x)) _exit(__LINE__ % 250 + 1);                                                                     \
  } while (0)

static void under_a_limit(world *w) {
  struct rlimit limit = {.rlim_cur = 600u << 10, .rlim_max = RLIM_INFINITY};
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &limit);
  rlim_t before = limit.rlim_cur;
  limit.rlim_cur = 600u << 10;
  CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
  sv_env_options o = world_options(w);
  o.map_bytes = 256u << 10;
  CHECK(!world_open(w, &o));
  uint64_t acked = 0;
  int err;
  while (!(err = put_ten(w, acked + 1))) acked += 10;
  CHECK(err == OV_E_FULL);
  CHECK(acked > 100);
  CHECK(put_ten(w, acked + 1) == OV_E_FULL);
  CHECK(!sv_env_readonly(w->env));
  CHECK(all_there(w, acked));
  limit.rlim_cur = before;
  CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
  CHECK(!put_ten(w, acked + 1));
  CHECK(all_there(w, acked + 10));
  world_close(w);
  _exit(0);
}

static void a_file_that_may_grow_no_further(void **state) {
  world *w = *state;
  int status;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) under_a_limit(w);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

#define CLOSED(f) cmocka_unit_test_setup_teardown(f, setup_closed, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {CLOSED(a_full_tmpfs), CLOSED(a_file_that_may_grow_no_further)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
