/* A schema that changes what its records are indexed by: the server indexes them anew when it starts. */
#include "admin_world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t seed = 300;

static void write_file(const char *path, const char *text, size_t n) {
  FILE *f = fopen(path, "w");
  FX_MUST(f && fwrite(text, 1, n, f) == n && !fclose(f));
}

static char *read_file(const char *path, size_t *n) {
  FILE *f = fopen(path, "r");
  char *text = calloc(1, 65536);
  FX_MUST(f && text);
  *n = fread(text, 1, 65535, f);
  fclose(f);
  return text;
}

/* The tree's schemas; of `sleep` the text `from` becomes `to` and the version 2. */
static void schemas_with(linde *l, const char *dir, const char *from, const char *to) {
  FX_MUST(!mkdir(dir, 0700));
  DIR *d = opendir(OV_SOURCE_DIR "/proto/schema");
  FX_MUST(d);
  for (struct dirent *e; (e = readdir(d));) {
    char path[600], copy[600];
    size_t n;
    if (!strstr(e->d_name, ".json")) continue;
    snprintf(path, sizeof path, OV_SOURCE_DIR "/proto/schema/%s", e->d_name);
    snprintf(copy, sizeof copy, "%s/%s", dir, e->d_name);
    char *text = read_file(path, &n), *at = strstr(text, from);
    if (!strcmp(e->d_name, "sleep.json")) {
      char *changed = NULL, *version = strstr(text, "\"version\": 1");
      FX_MUST(at && version && version < at);
      version[11] = '2';
      FX_MUST(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
      free(text);
      text = changed;
      n = strlen(text);
    }
    write_file(copy, text, n);
    free(text);
  }
  closedir(d);
  l->aw.schema_dir = dir;
}

static void restart(linde *l) {
  aw_stop(&l->aw);
  aw_start(&l->aw);
  linde_again(l);
}

static bool indexed(linde *l, const ov_name *name, int64_t *day) {
  sv_record_row row;
  FX_MUST(fx_record(&l->aw.w, l->org, name, &row));
  *day = row.day;
  return row.has_natural_key;
}

static void another_natural_key(void **state) {
  (void)state;
  linde l;
  int64_t day;
  char dir[300];
  linde_open(&l, seed++, false);
  ov_name last = linde_nights(&l, 600, 5);
  assert_true(indexed(&l, &last, &day));
  snprintf(dir, sizeof dir, "%s/../schema-a", l.aw.data);
  schemas_with(&l, dir, "\"natural_key\": [\"participant\", \"night_date\", \"source\"],", "");
  restart(&l);
  assert_false(indexed(&l, &last, &day));
  ASK(&l.aw, "{'cmd':'verify'}");
  assert_int_equal(aw_int(&l.aw, "findings"), 0);
  linde_close(&l);
}

static void another_day(void **state) {
  (void)state;
  linde l;
  int64_t before, after;
  char dir[300];
  linde_open(&l, seed++, false);
  ov_name last = linde_nights(&l, 20, 5);
  indexed(&l, &last, &before);
  assert_int_equal(before, NIGHT - 19);
  snprintf(dir, sizeof dir, "%s/../schema-b", l.aw.data);
  schemas_with(&l, dir, "\"occurred\": \"night_date\"", "\"occurred\": \"bed_at\"");
  restart(&l);
  indexed(&l, &last, &after); /* without a bed_at: the day on which it was written */
  assert_int_equal(after, NIGHT);
  ASK(&l.aw, "{'cmd':'record list','kind':'sleep','from':'%s'}", "2000-01-01");
  assert_int_equal(json_array_size(json_object_get(l.aw.reply, "items")), 20);
  ASK(&l.aw, "{'cmd':'verify'}");
  assert_int_equal(aw_int(&l.aw, "findings"), 0);
  linde_close(&l);
}

/* Nothing changed: nothing is written at the next start. */
static void unchanged(void **state) {
  (void)state;
  linde l;
  sv_env_stats a, b;
  linde_open(&l, seed++, false);
  linde_nights(&l, 5, 5);
  restart(&l);
  sv_env_stats_get(l.org->env, &a);
  restart(&l);
  sv_env_stats_get(l.org->env, &b);
  assert_int_equal(a.used_bytes, b.used_bytes);
  sv_txn *t = NULL;
  ov_buf meta;
  ov_buf_init(&meta, 0);
  FX_OK(sv_txn_read(l.org->env, &t));
  FX_OK(sv_meta_get(t, "indexed-by", &meta));
  sv_txn_abort(t);
  assert_true(meta.n > 0);
  ov_buf_free(&meta);
  linde_close(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(another_natural_key), cmocka_unit_test(another_day),
                                     cmocka_unit_test(unchanged)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
