/* A built app on disk becomes a table, whole or not at all; and the table is what the network serves. */
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "ov/error.h"
#include "rawws.h"
#include "sv_web_files.h"

static char dir[64];

static void at(char path[200], const char *name) { snprintf(path, 200, "%s/%s", dir, name); }

static void write_file(const char *name, const void *bytes, size_t n) {
  char path[200];
  at(path, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_int_equal((int)fwrite(bytes, 1, n, f), (int)n);
  fclose(f);
}

static void write_text(const char *name, const char *text) { write_file(name, text, strlen(text)); }

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where) {
  (void)st, (void)type, (void)where;
  return remove(path);
}

static int remove_all(void) { return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static char long_text[5000];

static int setup(void **state) {
  (void)state;
  char path[200];
  const char *tmp = getenv("TMPDIR");
  snprintf(dir, sizeof dir, "%s/ov-web-XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(dir)) return -1;
  at(path, "assets");
  mkdir(path, 0700);
  for (size_t i = 0; i + 1 < sizeof long_text; i++) long_text[i] = (char)('a' + i * i % 7);
  write_text("index.html", "<!doctype html><title>overdracht</title>");
  write_text("sw.js", long_text);
  write_text("assets/app-ABCD2345.js", long_text);
  write_text("assets/app-ABCD2345.js.gz", "not really gzip");
  write_text("assets/style-0123abcd.css", "body{}");
  write_text("service-worker.js", "x");
  write_text("logo.png", "PNG");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  return remove_all();
}

static const sv_net_route *route(const sv_web_files *w, const char *path) {
  size_t n;
  const sv_net_route *r = sv_web_files_routes(w, &n);
  for (size_t i = 0; i < n; i++)
    if (strcmp(r[i].path, path) == 0) return &r[i];
  return NULL;
}

static void inflated_equals(const sv_net_route *r, const char *text) {
  uint8_t out[sizeof long_text + 100];
  z_stream z = {.next_in = (Bytef *)(uintptr_t)r->gzip_body,
                .avail_in = (uInt)r->gzip_bytes,
                .next_out = out,
                .avail_out = sizeof out};
  assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
  assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
  assert_int_equal((int)z.total_out, (int)strlen(text));
  assert_memory_equal(out, text, z.total_out);
  inflateEnd(&z);
}

static void a_folder_becomes_a_table(void **state) {
  (void)state;
  sv_web_files *w;
  char why[256];
  size_t n;
  assert_int_equal(sv_web_files_load(&w, dir, why), 0);
  sv_web_files_routes(w, &n);
  assert_int_equal((int)n, 7); /* six files, and / */
  const sv_net_route *root = route(w, "/"), *index = route(w, "/index.html");
  assert_ptr_equal(root->body, index->body);
  assert_string_equal(root->content_type, "text/html; charset=utf-8");
  assert_int_equal(root->cache, SV_NET_CACHE_CHECK);
  assert_int_equal(root->policy, SV_NET_POLICY_APP);
  const sv_net_route *app = route(w, "/assets/app-ABCD2345.js"), *sw = route(w, "/sw.js");
  assert_int_equal(app->cache, SV_NET_CACHE_FOREVER);
  assert_string_equal(app->content_type, "text/javascript; charset=utf-8");
  assert_int_equal((int)app->gzip_bytes, 15); /* the one beside it */
  assert_int_equal(sw->cache, SV_NET_CACHE_CHECK);
  assert_string_equal(sw->etag, app->etag); /* the same content */
  assert_true(sw->gzip_bytes > 0 && sw->gzip_bytes < sw->body_bytes);
  inflated_equals(sw, long_text);
  assert_int_equal(route(w, "/assets/style-0123abcd.css")->cache, SV_NET_CACHE_FOREVER);
  assert_int_equal(route(w, "/service-worker.js")->cache, SV_NET_CACHE_CHECK); /* a word is no hash */
  assert_null(route(w, "/logo.png")->gzip_body);
  assert_null(route(w, "/assets/app-ABCD2345.js.gz"));
  sv_web_files_free(w);
}

/* Makes one thing wrong, sees the refusal and its reason, and mends it. */
static void refused(int err, const char *reason, const char *name) {
  sv_web_files *w = (sv_web_files *)dir;
  char why[256] = "", path[200];
  int got = sv_web_files_load(&w, dir, why);
  if (got != err || !strstr(why, reason)) fail_msg("%s: %d %s", reason, got, why);
  assert_null(w);
  at(path, name);
  assert_int_equal(remove(path), 0);
  assert_int_equal(sv_web_files_load(&w, dir, why), 0);
  sv_web_files_free(w);
}

static void a_wrong_folder_is_refused_whole(void **state) {
  (void)state;
  char path[200], why[256];
  sv_web_files *w;
  write_text("notes.docx", "x");
  refused(OV_E_INVALID, "/notes.docx", "notes.docx");
  write_text("two words.js", "x");
  refused(OV_E_INVALID, "two words.js", "two words.js");
  write_text("gone.js.gz", "x");
  refused(OV_E_INVALID, "/gone.js.gz has no plain file", "gone.js.gz");
  at(path, "passwd.txt");
  assert_int_equal(symlink("/etc/passwd", path), 0);
  refused(OV_E_INVALID, "/passwd.txt is no file", "passwd.txt");
  at(path, "pipe.txt");
  assert_int_equal(mkfifo(path, 0600), 0);
  refused(OV_E_INVALID, "/pipe.txt is no file", "pipe.txt");
  at(path, "large.txt");
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  assert_int_equal(ftruncate(fd, (off_t)SV_WEB_FILES_BYTES_MAX + 1), 0);
  close(fd);
  refused(OV_E_LIMIT, "bytes", "large.txt");
  write_text(".hidden.docx", "x"); /* an editor's or a version control's: not looked at */
  assert_int_equal(sv_web_files_load(&w, dir, why), 0);
  assert_null(route(w, "/.hidden.docx"));
  sv_web_files_free(w);
  assert_int_equal(sv_web_files_load(&w, "/nowhere/at/all", why), OV_E_NOTFOUND);
  assert_int_equal(sv_web_files_load(&w, "/dev/null", why), OV_E_NOTFOUND);
  at(path, "assets");
  assert_int_equal(sv_web_files_load(&w, path, why), OV_E_NOTFOUND); /* no index.html */
  assert_non_null(strstr(why, "index.html"));
}

static void too_many_or_too_deep_is_refused(void **state) {
  (void)state;
  char name[100], path[200], why[256];
  sv_web_files *w;
  for (unsigned i = 0; i < SV_WEB_FILES_MAX; i++) {
    snprintf(name, sizeof name, "many%u.txt", i);
    write_text(name, "");
  }
  assert_int_equal(sv_web_files_load(&w, dir, why), OV_E_LIMIT);
  for (unsigned i = 0; i < SV_WEB_FILES_MAX; i++) {
    snprintf(name, sizeof name, "many%u.txt", i);
    at(path, name);
    unlink(path);
  }
  strcpy(name, "d");
  for (unsigned i = 0; i <= SV_WEB_FILES_DEPTH_MAX; i++, strcat(name, "/d")) {
    at(path, name);
    assert_int_equal(mkdir(path, 0700), 0);
  }
  assert_int_equal(sv_web_files_load(&w, dir, why), OV_E_LIMIT);
  assert_non_null(strstr(why, "deep"));
}

/* -- served ------------------------------------------------------------------------------------- */

static void on_open(void *user, sv_conn *c) { (void)user, (void)c; }
static void on_message(void *user, sv_conn *c, const uint8_t *p, size_t n) {
  (void)user, (void)c, (void)p, (void)n;
}
static bool on_writable(void *user, sv_conn *c, const uint8_t **p, size_t *n) {
  (void)user, (void)c, (void)p, (void)n;
  return false;
}
static void on_close(void *user, sv_conn *c, uint16_t code) { (void)user, (void)c, (void)code; }
static void *serve(void *net) {
  sv_net_run(net);
  return NULL;
}

static void the_network_serves_the_table(void **state) {
  (void)state;
  static const char *const hosts[] = {"localhost"};
  sv_web_files *w;
  sv_net *net;
  pthread_t thread;
  char why[256], text[20000];
  assert_int_equal(sv_web_files_load(&w, dir, why), 0);
  sv_net_opts o = sv_net_opts_default();
  o.hosts = hosts;
  o.hosts_n = 1;
  o.routes = sv_web_files_routes(w, &o.routes_n);
  sv_net_cbs cbs = {
      .on_open = on_open, .on_message = on_message, .on_writable = on_writable, .on_close = on_close};
  assert_int_equal(sv_net_create(&net, &o, &cbs), 0);
  assert_int_equal(pthread_create(&thread, NULL, serve, net), 0);
  /* The folder is gone, or changed: the table stands. */
  write_text("index.html", "changed afterwards");
  static const struct {
    const char *request, *a, *b;
  } rows[] = {
      {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "200 OK", "<title>overdracht</title>"},
      {"GET /assets/app-ABCD2345.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "immutable",
       "trusted-types overdracht"},
      {"GET /assets/app-ABCD2345.js HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n",
       "Content-Encoding: gzip", "not really gzip"},
      {"GET /sw.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "no-cache", "ETag: \""},
      {"GET /assets/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", "404 Not Found", "not found"},
      {"GET /assets/%2e%2e/%2e%2e/index.html HTTP/1.1\r\nHost: localhost\r\n\r\n", "200 OK", "overdracht"},
      {"GET /assets HTTP/1.1\r\nHost: localhost\r\n\r\n", "404 Not Found", "not found"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rawws *ws = rawws_connect(&(rawws_opts){.port = sv_net_port(net)});
    rawws_send_text(ws, rows[i].request);
    rawws_read_all(ws, text, sizeof text, 3000);
    if (!strstr(text, rows[i].a) || !strstr(text, rows[i].b)) fail_msg("%s%s", rows[i].request, text);
    rawws_free(ws);
  }
  sv_net_stop(net);
  pthread_join(thread, NULL);
  sv_net_destroy(net);
  sv_web_files_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_folder_becomes_a_table, setup, teardown),
      cmocka_unit_test_setup_teardown(a_wrong_folder_is_refused_whole, setup, teardown),
      cmocka_unit_test_setup_teardown(too_many_or_too_deep_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(the_network_serves_the_table, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
