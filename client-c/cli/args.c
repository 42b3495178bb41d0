/* Options of one command: long ones, anywhere, --name value or --name=value, until "--". */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Global options work before and after the command's name. 1 taken, 2 taken with its value, 0 none of
 * these. */
static int take_global(cli *c, const char *name, const char *value) {
  if (!strcmp(name, "json")) c->json = true;
  else if (!strcmp(name, "quiet")) c->quiet = true;
  else if (!strcmp(name, "store") && value) return c->store_dir = value, 2;
  else if (!strcmp(name, "author") && value) return c->author = value, 2;
  else if (!strcmp(name, "zone") && value) return c->zone_name = value, 2;
  else if (!strcmp(name, "lang") && value) return c->dutch = !strcmp(value, "nl"), 2;
  else return 0;
  return 1;
}

static bool takes_value(const char *name) {
  return !strcmp(name, "store") || !strcmp(name, "author") || !strcmp(name, "zone") || !strcmp(name, "lang");
}

static int put_value(cli *c, cli_opt *o, const char *value) {
  o->value = value;
  if (!o->many) return 0;
  const char **more = realloc(o->values, (o->n + 1) * sizeof *more);
  if (!more) return cli_usage(c, "out of memory");
  o->values = more;
  o->values[o->n++] = value;
  return 0;
}

static const char *short_name(char ch) {
  switch (ch) {
  case 'h': return "help";
  case 'q': return "quiet";
  case 's': return "store";
  default: return NULL;
  }
}

typedef struct parsing {
  cli *c;
  int argc;
  char **argv;
  int at;
  cli_opt *opts;
  bool *help;
} parsing;

/* argv[at] begins with a dash and is an option. */
static int take_option(parsing *p) {
  const char *arg = p->argv[p->at], *text = arg + 2;
  char name[40];
  if (arg[1] != '-') {
    text = short_name(arg[1]);
    if (!text || arg[2]) return cli_usage(p->c, "there is no option %s", arg);
  }
  const char *eq = strchr(text, '='), *value = eq ? eq + 1 : p->at + 1 < p->argc ? p->argv[p->at + 1] : NULL;
  snprintf(name, sizeof name, "%.*s", eq ? (int)(eq - text) : (int)strlen(text), text);
  if (!strcmp(name, "help")) {
    *p->help = true;
    return 0;
  }
  cli_opt *o = (cli_opt *)(uintptr_t)cli_opt_of(p->opts, name);
  bool wants = o ? o->takes_value : takes_value(name);
  if (wants && !value) return cli_usage(p->c, "--%s needs a value", name);
  if (eq && !wants)
    return cli_usage(
        p->c, o || take_global(p->c, name, NULL) ? "--%s takes no value" : "there is no option --%s", name);
  p->at += wants && !eq;
  if (o) return put_value(p->c, o, wants ? value : "");
  return take_global(p->c, name, value) ? 0 : cli_usage(p->c, "there is no option --%s", name);
}

int cli_parse(cli *c, int argc, char **argv, cli_opt *opts, cli_args *args, bool *help) {
  parsing p = {.c = c, .argc = argc, .argv = argv, .opts = opts, .help = help};
  bool rest = false;
  args->n = 0;
  *help = false;
  for (; p.at < argc; p.at++) {
    const char *arg = argv[p.at];
    /* "-3" is a value, "-" a file; a text such as "-a b" after "--" too */
    bool option = !rest && arg[0] == '-' && arg[1] && !(arg[1] >= '0' && arg[1] <= '9');
    if (option && !strcmp(arg, "--")) {
      rest = true;
      continue;
    }
    if (option) {
      int err = take_option(&p);
      if (err) return err;
      continue;
    }
    if (args->n == CLI_ARGS_MAX) return cli_usage(c, "more than %d arguments", CLI_ARGS_MAX);
    args->v[args->n++] = arg;
  }
  return 0;
}

const cli_opt *cli_opt_of(const cli_opt *opts, const char *name) {
  for (; opts && opts->name; opts++) {
    if (!strcmp(opts->name, name)) return opts;
  }
  return NULL;
}

const char *cli_value(const cli_opt *opts, const char *name) {
  const cli_opt *o = cli_opt_of(opts, name);
  return o ? o->value : NULL;
}

int cli_expect(cli *c, const cli_args *a, size_t min, size_t max, const char *what) {
  if (a->n < min) return cli_usage(c, "expected: overdracht %s %s", c->command, what);
  if (a->n > max)
    return cli_usage(c, "\"%s\" is too much; expected: overdracht %s %s", a->v[max], c->command, what);
  return 0;
}
