/* Another master key: everything opens with the new one, nothing with the old one, and no keyring is left
 * behind. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_world.h"

static int setup(void **state) {
  linde *l = calloc(1, sizeof *l);
  linde_open(l, 61, false);
  linde_nights(l, 2, 4);
  *state = l;
  return 0;
}

static int teardown(void **state) {
  linde_close(*state);
  free(*state);
  return 0;
}

static void path_of(linde *l, const char *name, char out[300]) {
  snprintf(out, 300, "%s/%s", l->aw.data, name);
}

static void get(linde *l, const char *name, uint8_t key[OV_KEY_BYTES]) {
  char path[300];
  path_of(l, name, path);
  int fd = open(path, O_RDONLY);
  FX_MUST(fd >= 0 && read(fd, key, OV_KEY_BYTES) == OV_KEY_BYTES);
  close(fd);
}

static void put(linde *l, const char *name, const uint8_t key[OV_KEY_BYTES]) {
  char path[300];
  path_of(l, name, path);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  FX_MUST(fd >= 0 && write(fd, key, OV_KEY_BYTES) == OV_KEY_BYTES);
  close(fd);
}

static bool there(linde *l, const char *name) {
  char path[300];
  path_of(l, name, path);
  return !access(path, F_OK);
}

static void again(linde *l) {
  aw_stop(&l->aw);
  aw_start(&l->aw);
  linde_again(l);
  ASK(&l->aw, "{'cmd':'verify'}");
}

static void the_old_key_opens_nothing(void **state) {
  linde *l = *state;
  uint8_t old[OV_KEY_BYTES], new[OV_KEY_BYTES];
  char why[OV_ERROR_TEXT_MAX + 60];
  sv_node *node = NULL;
  get(l, "master.key", old);
  ASK(&l->aw, "{'cmd':'key rotate','master':true}");
  assert_true(json_is_true(json_object_get(l->aw.reply, "master")));
  assert_non_null(aw_item(&l->aw, "organisation", "De Linde"));
  assert_non_null(aw_item(&l->aw, "organisation", "Programme"));
  get(l, "master.key", new);
  assert_memory_not_equal(old, new, sizeof old);
  assert_false(there(l, "master.key.new"));
  again(l);
  linde_nights(l, 1, 4); /* its keys are the same */
  aw_stop(&l->aw);
  put(l, "master.key", old);
  sv_node_options o = {.data = l->aw.data, .schema_dir = l->aw.host.schema_dir, .sys = &l->aw.w.sys};
  assert_int_not_equal(sv_node_open(&o, &node, why), 0);
  assert_null(node);
  put(l, "master.key", new);
  aw_start(&l->aw);
  linde_again(l);
}

/* A next key that lies there is one of an earlier try: keyrings may be under it already. */
static void a_change_that_was_cut_short_goes_on_with_its_key(void **state) {
  linde *l = *state;
  uint8_t next[OV_KEY_BYTES], now[OV_KEY_BYTES];
  memset(next, 0x5a, sizeof next);
  put(l, "master.key.new", next);
  ASK(&l->aw, "{'cmd':'key rotate','master':true}");
  assert_non_null(strstr(json_string_value(json_array_get(json_object_get(l->aw.reply, "notes"), 0)),
                         "an earlier change of keys was cut short"));
  get(l, "master.key", now);
  assert_memory_equal(now, next, sizeof now);
  again(l);
}

static void a_next_key_that_cannot_be_made_changes_nothing(void **state) {
  linde *l = *state;
  uint8_t old[OV_KEY_BYTES], now[OV_KEY_BYTES];
  char path[300];
  get(l, "master.key", old);
  path_of(l, "master.key.new", path);
  FX_MUST(!mkdir(path, 0700));
  assert_int_not_equal(aw_ask(&l->aw, "{'cmd':'key rotate','master':true}"), 0);
  assert_non_null(strstr(aw_text(&l->aw, "message"), "cannot make the next master key"));
  FX_MUST(!rmdir(path));
  get(l, "master.key", now);
  assert_memory_equal(now, old, sizeof now);
  again(l);
}

/* Its keyring would stay under a key that nobody has any more. */
static void an_organisation_that_is_not_open_stops_it(void **state) {
  linde *l = *state;
  uint8_t old[OV_KEY_BYTES], now[OV_KEY_BYTES];
  char keyring[300], aside[320];
  ASK(&l->aw, "{'cmd':'organisation add','name':'De Es'}");
  FX_OK(sv_org_keyring_path(l->aw.data, &aw_org(&l->aw, 1)->id, keyring, sizeof keyring));
  aw_stop(&l->aw);
  snprintf(aside, sizeof aside, "%s.aside", keyring);
  FX_MUST(!rename(keyring, aside));
  aw_start(&l->aw);
  linde_again(l);
  assert_null(aw_org(&l->aw, 1));
  get(l, "master.key", old);
  REFUSED(&l->aw, OV_E_STATE, "1 of 2 organisations could not be opened",
          "{'cmd':'key rotate','master':true}");
  get(l, "master.key", now);
  assert_memory_equal(now, old, sizeof now);
  assert_false(there(l, "master.key.new"));
  aw_stop(&l->aw);
  FX_MUST(!rename(aside, keyring));
  aw_start(&l->aw);
  linde_again(l);
  ASK(&l->aw, "{'cmd':'key rotate','master':true}");
  assert_non_null(aw_item(&l->aw, "organisation", "De Es"));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(the_old_key_opens_nothing), T(a_change_that_was_cut_short_goes_on_with_its_key),
      T(a_next_key_that_cannot_be_made_changes_nothing), T(an_organisation_that_is_not_open_stops_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
