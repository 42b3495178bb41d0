/* overdracht: logs of care on the command line. */
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

static const struct {
  const char *name;
  int (*run)(cli *c, int argc, char **argv);
} commands[] = {
    {"enrol", cmd_enrol},         {"add", cmd_add},         {"edit", cmd_edit},
    {"retract", cmd_retract},     {"list", cmd_list},       {"show", cmd_show},
    {"conflicts", cmd_conflicts}, {"resolve", cmd_resolve}, {"status", cmd_status},
    {"sync", cmd_sync},           {"import", cmd_import},   {"export-unsent", cmd_export_unsent},
    {"people", cmd_people},       {"clients", cmd_clients}, {"kinds", cmd_kinds},
    {"author", cmd_author},       {"verify", cmd_verify},   {"completion", cmd_completion},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* -- telling what is wrong ------------------------------------------------------------------------------- */

static int tell(cli *c, int status, const char *slug, const char *message, const char *nl) {
  if (c->json) {
    json_t *j = json_pack("{s:b, s:s, s:i, s:o}", "ok", 0, "error", slug, "exit", status, "message",
                          cli_json_text(message));
    if (j && nl && *nl) json_object_set_new(j, "message_nl", json_string(nl));
    cli_json(j);
    return status;
  }
  fputs("overdracht: ", stderr);
  cli_put(stderr, c->dutch && nl && *nl ? nl : message);
  fputc('\n', stderr);
  return status;
}

int cli_fail(cli *c) {
  int status = c->e.err < 0 && c->e.err > -64 ? -c->e.err : -OC_E_INTERNAL;
  return tell(c, status, oc_err_name(-status), c->e.message[0] ? c->e.message : oc_err_name(-status),
              c->e.message_nl);
}

int cli_usage(cli *c, const char *fmt, ...) {
  char text[400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  tell(c, CLI_USAGE, "usage", text, NULL);
  if (!c->json)
    fprintf(stderr, "See: overdracht %s%s--help\n", c->command ? c->command : "", c->command ? " " : "");
  return CLI_USAGE;
}

/* -- the store ------------------------------------------------------------------------------------------- */

static bool default_store(char out[512]) {
  const char *env = getenv("OVERDRACHT_STORE"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
  int n = -1;
  if (env && *env) n = snprintf(out, 512, "%s", env);
  else if (data && *data == '/') n = snprintf(out, 512, "%s/overdracht", data);
  else if (home && *home) n = snprintf(out, 512, "%s/.local/share/overdracht", home);
  return n > 0 && n < 512;
}

/* The folders above; the store itself is made by the library. */
static void make_parents(const char *path) {
  char part[512];
  for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
    if (mkdir(part, 0700) && errno != EEXIST) return; /* opening the store says what is wrong */
  }
}

/* --zone, else $TZ when it names a zone, else the organisation's. */
static int open_zone(cli *c) {
  const char *tz = getenv("TZ");
  oc_status st = {0};
  if (c->zone_name) {
    if (oc_store_zone(c->s, c->zone_name, &c->e)) return cli_fail(c);
  } else if (tz && *tz && !oc_store_zone(c->s, tz + (*tz == ':'), NULL)) {
    c->zone_name = tz + (*tz == ':');
  }
  if (!c->zone_name && oc_status_get(c->s, &st, &c->e)) return cli_fail(c);
  const char *name = c->zone_name ? c->zone_name : st.zone[0] ? st.zone : "Europe/Amsterdam";
  if (oc_zone_open(name, &c->zone) && oc_zone_open("UTC", &c->zone))
    return tell(c, -OC_E_NOMEM, "no_memory", "out of memory", NULL);
  return 0;
}

int cli_open(cli *c, bool create) {
  static char path[512];
  if (!c->store_dir) {
    if (!default_store(path))
      return cli_usage(c, "no folder for the store: give --store DIR, or set OVERDRACHT_STORE or HOME");
    c->store_dir = path;
  }
  if (create) make_parents(c->store_dir);
  oc_options o = {.path = c->store_dir, .must_exist = !create};
  if (oc_store_open(&o, &c->s, &c->e)) {
    if (c->e.err != OC_E_NOTFOUND) return cli_fail(c);
    char text[700];
    snprintf(text, sizeof text, "there is no store at %s; make one with: overdracht enrol URL CODE",
             c->store_dir);
    return tell(c, -OC_E_NOTFOUND, "not_found", text, NULL);
  }
  return open_zone(c);
}

/* A name that is not here notes the looks of whoever has the device. */
static int note_looks(cli *c) {
  char buf[256];
  const char *env = getenv("OVERDRACHT_AUTHOR"), *who = c->author;
  if (!who && env && *env) who = env;
  if (!who) {
    if (oc_setting_get(c->s, "author", buf, sizeof buf, &c->e)) return cli_fail(c);
    who = *buf ? buf : NULL;
  }
  if (oc_look_as(c->s, who, NULL) && oc_look_as(c->s, NULL, &c->e)) return cli_fail(c);
  return 0;
}

int cli_open_shown(cli *c) {
  oc_status st;
  int err = cli_open(c, false);
  if (err) return err;
  if (oc_status_get(c->s, &st, &c->e)) return cli_fail(c);
  if (st.closed && (err = cli_fetch_share(c))) return err;
  return note_looks(c);
}

const char *cli_author(cli *c, char buf[256]) {
  const char *env = getenv("OVERDRACHT_AUTHOR");
  if (c->author) return c->author;
  if (env && *env) return env;
  if (oc_setting_get(c->s, "author", buf, 256, &c->e)) return cli_fail(c), NULL;
  if (*buf) return buf;
  cli_usage(
      c,
      "who writes this? Give --author NAME, set OVERDRACHT_AUTHOR, or say it once: overdracht author NAME");
  return NULL;
}

/* -- dispatch -------------------------------------------------------------------------------------------- */

/* Global options before the command; their values are skipped with them. Index of the command, argc when
 * there is none. */
static int find_command(cli *c, int argc, char **argv, bool *help, bool *version, int *err) {
  cli_args none;
  *err = 0;
  for (int i = 1; i < argc; i++) {
    if (argv[i][0] != '-' || !argv[i][1]) return i;
    if (!strcmp(argv[i], "--version")) {
      *version = true;
      continue;
    }
    bool value = !strcmp(argv[i], "--store") || !strcmp(argv[i], "-s") || !strcmp(argv[i], "--author") ||
                 !strcmp(argv[i], "--zone") || !strcmp(argv[i], "--lang");
    bool h = false;
    int n = value && i + 1 < argc ? 2 : 1;
    *err = cli_parse(c, n, argv + i, NULL, &none, &h);
    if (*err) return argc;
    *help |= h;
    i += n - 1;
  }
  return argc;
}

static int run(cli *c, int argc, char **argv) {
  bool help = false, version = false;
  int err, at = find_command(c, argc, argv, &help, &version, &err);
  if (err) return err;
  if (version) {
    printf("overdracht %s\n", oc_version());
    return 0;
  }
  if (at < argc && !strcmp(argv[at], "help")) {
    c->command = at + 1 < argc ? argv[at + 1] : NULL;
    help = true;
  } else if (at < argc) {
    c->command = argv[at];
  }
  for (int i = 0; c->command && i < COMMANDS; i++) {
    if (strcmp(commands[i].name, c->command)) continue;
    if (help) return cli_help(stdout, c->command), 0;
    return commands[i].run(c, argc - at - 1, argv + at + 1);
  }
  if (help && !c->command) return cli_help(stdout, NULL), 0;
  const char *name = c->command;
  c->command = NULL;
  if (name) return cli_usage(c, "there is no command \"%s\"", name);
  cli_help(stderr, NULL);
  return CLI_USAGE;
}

int main(int argc, char **argv) {
  cli c = {0};
  setlocale(LC_CTYPE, "C.UTF-8"); /* widths of characters; nothing else depends on the locale */
  int status = run(&c, argc, argv);
  cli_store_leaves();
  oc_store_close(c.s);
  oc_zone_free(c.zone);
  if (fflush(stdout) || ferror(stdout)) return status ? status : -OC_E_STORE;
  return status;
}
