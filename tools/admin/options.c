/* The command line as a request. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

typedef struct reader {
  cli *c;
  int argc, at;
  char **argv;
  unsigned positional;
  bool only_positional;
} reader;

static int wrong(const char *fmt, const char *what) {
  fputs("overdracht-admin: ", stderr);
  fprintf(stderr, fmt, what);
  fputs("; see --help\n", stderr);
  return EXIT_USAGE + 1;
}

/* The word after an option, or what follows its '='. */
static const char *value_of(reader *r, const char *inline_value) {
  if (inline_value) return inline_value;
  return r->at < r->argc ? r->argv[r->at++] : NULL;
}

/* -- options that every command takes ---------------------------------------------------- */

static const struct {
  const char *name, *brief;
  size_t at;
  bool flag;
} globals[] = {{"--data", "-d", offsetof(cli, data), false},
               {"--schema", NULL, offsetof(cli, schema_dir), false},
               {"--master-key", NULL, offsetof(cli, master_key), false},
               {"--json", NULL, offsetof(cli, json), true},
               {"--quiet", NULL, offsetof(cli, quiet), true},
               {"--help", "-h", offsetof(cli, help), true}};

/* 1 taken, 0 not one of them, else the exit status + 1, negated. */
static int take_global(reader *r, const char *name, const char *inline_value) {
  for (unsigned i = 0; i < sizeof globals / sizeof globals[0]; i++) {
    if (strcmp(name, globals[i].name) && (!globals[i].brief || strcmp(name, globals[i].brief))) continue;
    void *field = (char *)r->c + globals[i].at;
    if (globals[i].flag) {
      *(bool *)field = true;
      return 1;
    }
    const char *v = value_of(r, inline_value);
    if (!v) return -wrong("%s takes a value", name);
    *(const char **)field = v;
    return 1;
  }
  return 0;
}

/* -- the command's own ------------------------------------------------------------------- */

static json_t *absolute(const char *path) {
  char *cwd = *path == '/' ? NULL : getcwd(NULL, 0);
  json_t *v = cwd ? json_sprintf("%s/%s", cwd, path) : json_string(path);
  free(cwd);
  return v;
}

static int put(reader *r, const sv_admin_arg *a, const char *v) {
  json_t *q = r->c->request, *value = NULL;
  char *end;
  long long n;
  switch (a->type) {
  case SV_ARG_LIST:
  case SV_ARG_FIELDS:
    if (!json_object_get(q, a->name)) json_object_set_new(q, a->name, json_array());
    return json_array_append_new(json_object_get(q, a->name), json_string(v)) ? wrong("%s is no UTF-8", v)
                                                                              : 0;
  case SV_ARG_INT:
    errno = 0;
    n = strtoll(v, &end, 10);
    if (!*v || *end || errno) return wrong("\"%s\" is no whole number", v);
    value = json_integer(n);
    break;
  case SV_ARG_PATH: value = absolute(v); break;
  default: value = json_string(v); break;
  }
  if (json_object_get(q, a->name)) {
    json_decref(value);
    return wrong("\"%s\" is given twice", a->name);
  }
  return json_object_set_new(q, a->name, value) ? wrong("%s is no UTF-8", v) : 0;
}

static int take_option(reader *r, const char *name, const char *inline_value) {
  const sv_admin_command *cmd = r->c->cmd;
  if (!strcmp(name, "-o")) name = "--organisation";
  for (unsigned i = 0; cmd && i < SV_ADMIN_ARGS_MAX && cmd->args[i].name; i++) {
    const sv_admin_arg *a = &cmd->args[i];
    char option[64];
    option_name(a->name, option);
    if (strcmp(option, name) || a->type == SV_ARG_FIELDS) continue;
    if (a->type == SV_ARG_FLAG) {
      if (inline_value) return wrong("%s takes no value", name);
      json_object_set_new(r->c->request, a->name, json_true());
      return 0;
    }
    const char *v = value_of(r, inline_value);
    return v ? put(r, a, v) : wrong("%s takes a value", name);
  }
  return wrong("there is no option %s here", name);
}

static int take_word(reader *r, const char *word) {
  const sv_admin_command *cmd = r->c->cmd;
  unsigned at = 0;
  for (unsigned i = 0; i < SV_ADMIN_ARGS_MAX && cmd->args[i].name; i++) {
    const sv_admin_arg *a = &cmd->args[i];
    if (!a->positional) continue;
    if (a->type == SV_ARG_FIELDS) return put(r, a, word);
    if (at++ < r->positional) continue;
    r->positional++;
    return put(r, a, word);
  }
  return wrong("\"%s\" is a word too many", word);
}

/* A command is named by one word ("status") or by two ("team add"). */
static int take_name(reader *r, const char *word) {
  char name[120];
  cli *c = r->c;
  snprintf(name, sizeof name, "%s%s%s", c->group ? c->group : "", c->group ? " " : "", word);
  if (!strcmp(name, "record import")) {
    c->cmd = sv_admin_command_find("record add");
    c->table_path = "";
  } else {
    c->cmd = sv_admin_command_find(name);
  }
  if (!c->cmd && (c->group || !help_group(NULL, word))) return wrong("there is no command \"%s\"", name);
  c->group = c->cmd ? NULL : word;
  return c->cmd ? json_object_set_new(c->request, "cmd", json_string(c->cmd->name)) : 0;
}

/* `record import KIND FILE` takes the place of fields. */
static int take(reader *r, const char *word) {
  cli *c = r->c;
  if (!c->cmd) return take_name(r, word);
  if (c->table_path && r->positional == 1 && !*c->table_path) {
    c->table_path = word;
    return 0;
  }
  return take_word(r, word);
}

static int take_dashed(reader *r, const char *word) {
  char name[80];
  const char *eq = word[1] == '-' ? strchr(word, '=') : NULL;
  snprintf(name, sizeof name, "%.*s", (int)(eq ? eq - word : (long)strlen(word)), word);
  if (!strcmp(name, "--version")) {
    puts("overdracht-admin " OV_VERSION);
    return EXIT_OK + 1;
  }
  int global = take_global(r, name, eq ? eq + 1 : NULL);
  if (global) return global < 0 ? -global : 0;
  return take_option(r, name, eq ? eq + 1 : NULL);
}

/* What streams its lines is written here; what is one whole (an export, an access copy) is written by whoever
 * handles the request. */
static void take_out_path(cli *c) {
  const char *out = json_string_value(json_object_get(c->request, "out"));
  if (!out || (c->cmd && strcmp(c->cmd->name, "dump"))) return;
  c->out_path = strdup(out);
  json_object_del(c->request, "out");
}

/* The server makes no picture, but refuses early when it has nothing to make one of. */
static void take_qr(cli *c) {
  const char *png = json_string_value(json_object_get(c->request, "png"));
  c->qr = json_is_true(json_object_get(c->request, "qr"));
  c->png_path = png ? strdup(png) : NULL;
}

int cli_parse(cli *c, int argc, char **argv) {
  reader r = {.c = c, .argc = argc, .at = 1, .argv = argv};
  c->data = getenv("OVERDRACHT_DATA");
  c->schema_dir = getenv("OVERDRACHT_SCHEMA");
  c->request = json_object();
  while (r.at < argc) {
    const char *word = argv[r.at++];
    int err = 0;
    if (!r.only_positional && !strcmp(word, "--")) r.only_positional = true;
    else if (!r.only_positional && word[0] == '-' && word[1]) err = take_dashed(&r, word);
    else err = take(&r, word);
    if (err) return err;
  }
  if (c->group) help_group(c->help ? stdout : stderr, c->group);
  else if (c->help && c->cmd) help_command(stdout, c->cmd);
  else if (c->help) help_all(stdout);
  if (c->help) return EXIT_OK + 1;
  if (!c->cmd) {
    if (!c->group) help_all(stderr);
    return EXIT_USAGE + 1;
  }
  if (!c->schema_dir) c->schema_dir = OV_SCHEMA_DIR;
  if (!c->data && c->cmd->needs != SV_NEEDS_NOTHING)
    return wrong("say which data folder: --data DIR%s", " (or set OVERDRACHT_DATA)");
  if (c->table_path && !*c->table_path) return wrong("record import takes %s", "KIND and FILE");
  take_out_path(c);
  take_qr(c);
  return 0;
}
