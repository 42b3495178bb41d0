/* What stops a data folder from being opened, and the words for it; and what opening it does again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_world.h"
#include "sv_erasures.h"

static int setup(void **state) {
  linde *l = calloc(1, sizeof *l);
  linde_open(l, 63, false);
  *state = l;
  return 0;
}

static int teardown(void **state) {
  linde_close(*state);
  free(*state);
  return 0;
}

static const char *in_world(linde *l, const char *name) {
  char *path = ov_arena_alloc(&l->aw.w.arena, 300);
  FX_MUST(path);
  snprintf(path, 300, "%s/%s", l->aw.w.dir, name);
  return path;
}

static void write_file(const char *path, const void *bytes, size_t n, mode_t mode) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  FX_MUST(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && !fchmod(fd, mode));
  close(fd);
}

static void stops(linde *l, const char *data, const char *schema, bool create, const char *says) {
  char why[OV_ERROR_TEXT_MAX + 60] = "";
  sv_node *node = NULL;
  sv_node_options o = {.data = data, .schema_dir = schema, .create = create, .sys = &l->aw.w.sys};
  int err = sv_node_open(&o, &node, why);
  if (!err || !strstr(why, says)) fail_msg("wanted \"%s\", got %s: %s", says, ov_err_slug(err), why);
  assert_null(node);
}

static void folders_that_are_none(void **state) {
  linde *l = *state;
  const char *schema = l->aw.host.schema_dir, *file = in_world(l, "file"), *empty = in_world(l, "empty");
  static const uint8_t key[OV_KEY_BYTES + 1] = {1};
  char path[400];
  stops(l, in_world(l, "none/data"), schema, true, "cannot make");
  stops(l, in_world(l, "none"), schema, false, "there is no data folder");
  write_file(file, "x", 1, 0600);
  stops(l, file, schema, false, "cannot lock");
  stops(l, l->aw.data, schema, false, "is in use by process");
  FX_MUST(!mkdir(empty, 0700));
  snprintf(path, sizeof path, "%s/master.key", empty);
  write_file(path, key, OV_KEY_BYTES, 0644);
  stops(l, empty, schema, false, "may be read by others: chmod 600 it");
  write_file(path, key, OV_KEY_BYTES + 1, 0600);
  stops(l, empty, schema, false, "master key ");
  write_file(path, key, OV_KEY_BYTES, 0600);
  stops(l, empty, schema, false, "holds no programme: is it the right data folder?");
  strcat(path, ".new");
  write_file(path, key, 5, 0600);
  stops(l, empty, schema, true, "next master key ");
}

/* A form is known by its version on every tablet: another text needs another number. */
static void schemas_that_cannot_be_taken(void **state) {
  linde *l = *state;
  const char *dir = in_world(l, "schema");
  char command[900], path[400];
  aw_stop(&l->aw);
  stops(l, l->aw.data, in_world(l, "none"), false, "cannot be read");
  snprintf(command, sizeof command,
           "cp -r %s %s && sed -i 's/\"en\": \"Title\"/\"en\": \"Heading\"/' %s/lesson.json",
           l->aw.host.schema_dir, dir, dir);
  FX_MUST(!system(command)); // NOLINT(cert-env33-c): the command is the test's own
  stops(l, l->aw.data, dir, false, "schema lesson changed but its version is still 1");
  snprintf(path, sizeof path, "%s/lesson.json", dir);
  write_file(path, "{", 1, 0600);
  stops(l, l->aw.data, dir, false, "lesson.json: ");
  aw_start(&l->aw);
  linde_again(l);
  ASK(&l->aw, "{'cmd':'verify'}");
}

/* The list beside the stores is the last word: whoever stands there is erased before anybody is served. */
static void who_is_on_the_list_is_erased_at_the_start(void **state) {
  linde *l = *state;
  char list[600];
  sv_erasure e = {.organisation = l->org->id, .participant = l->anna, .at_ms = l->aw.w.now_ms};
  linde_nights(l, 2, 5);
  FX_OK(sv_erase_list_path(l->aw.data, list, sizeof list));
  aw_stop(&l->aw);
  FX_OK(sv_erasures_add(list, &e, 1));
  aw_start(&l->aw);
  linde_again(l);
  assert_int_equal(l->aw.node->n_erased, 1);
  ASK(&l->aw, "{'cmd':'erasure list'}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 1);
  ASK(&l->aw, "{'cmd':'record list','kind':'sleep','fields':true}");
  assert_int_equal(json_array_size(json_object_get(l->aw.reply, "items")), 0);
  ASK(&l->aw, "{'cmd':'verify'}");
  aw_stop(&l->aw);
  write_file(list, "no list of erasures", 19, 0600);
  aw_start(&l->aw); /* nobody is served who might have been erased */
  assert_null(aw_org(&l->aw, 0));
  assert_int_equal(l->aw.node->n_refused, 1);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(folders_that_are_none), T(schemas_that_cannot_be_taken),
                                     T(who_is_on_the_list_is_erased_at_the_start)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
