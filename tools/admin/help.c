/* --help, from the table of commands. */
#include <string.h>

#include "cli.h"

void option_name(const char *arg, char out[64]) {
  size_t n = (size_t)snprintf(out, 64, "--%s", arg);
  for (size_t i = 2; i < n && i < 63; i++) {
    if (out[i] == '_') out[i] = '-';
  }
}

static const char global[] =
    "Options that every command takes\n"
    "  -d, --data DIR        data folder of the server (default: $OVERDRACHT_DATA)\n"
    "      --json            one JSON object as the answer; streamed items as JSON lines before it\n"
    "      --quiet           no progress\n"
    "      --schema DIR      folder of schema files, when no server runs (default: $OVERDRACHT_SCHEMA,\n"
    "                        else " OV_SCHEMA_DIR ")\n"
    "      --master-key FILE master key, when no server runs (default: DIR/master.key)\n"
    "  -h, --help            this text; after a command: its own\n"
    "      --version         version\n";

static const char status_text[] =
    "Exit status\n"
    "  0 done   1 failed   2 wrong use   3 not found   4 refused: a value, a double, a state   5 busy, or a "
    "server is in the way\n"
    "  6 damage found   7 disk or connection   8 not allowed, or a key is missing   130 interrupted\n";

/* One that the program makes of others, so that the table of requests does not have it. */
static const char import_name[] = "record import",
                  import_text[] = "add a record for each row of a table (CSV)";

unsigned help_group(FILE *f, const char *word) {
  size_t len = strlen(word), n = 0;
  const sv_admin_command *c;
  for (unsigned i = 0; (c = sv_admin_command_at(i)); i++) {
    if (strncmp(c->name, word, len) || c->name[len] != ' ') continue;
    if (f && !n) fprintf(f, "overdracht-admin %s what?\n\nCommands\n", word);
    if (f) fprintf(f, "  %-24s %s\n", c->name, c->summary);
    n++;
  }
  if (f && !strcmp(word, "record")) fprintf(f, "  %-24s %s\n", import_name, import_text);
  if (f) fputs("\n`overdracht-admin COMMAND --help` tells more.\n", f);
  return (unsigned)n;
}

void help_all(FILE *f) {
  fputs("overdracht-admin — administers an overdracht server\n"
        "\n"
        "Usage: overdracht-admin [--data DIR] [--json] COMMAND ...\n"
        "\n"
        "Asks the server that runs on the data folder over its socket; when none runs, takes the folder's "
        "lock and does the work itself.\n"
        "Organisations, teams, persons, devices and records are named by label or id, or by a unique start "
        "of either.\n"
        "\n"
        "Commands\n",
        f);
  const sv_admin_command *c;
  for (unsigned i = 0; (c = sv_admin_command_at(i)); i++) fprintf(f, "  %-24s %s\n", c->name, c->summary);
  fprintf(f, "  %-24s %s\n", import_name, import_text);
  fprintf(f, "\n`overdracht-admin COMMAND --help` tells more.\n\n%s\n%s", global, status_text);
}

static void usage(FILE *f, const sv_admin_command *cmd) {
  fprintf(f, "Usage: overdracht-admin %s", cmd->name);
  for (unsigned i = 0; i < SV_ADMIN_ARGS_MAX && cmd->args[i].name; i++) {
    const sv_admin_arg *a = &cmd->args[i];
    char upper[64], option[64];
    size_t n = strlen(a->name);
    for (size_t k = 0; k <= n && k < sizeof upper; k++)
      upper[k] = (char)(a->name[k] >= 'a' && a->name[k] <= 'z' ? a->name[k] - 32 : a->name[k]);
    option_name(a->name, option);
    const char *open = a->required ? "" : "[", *close = a->required ? "" : "]";
    if (a->type == SV_ARG_FIELDS) fprintf(f, " %sfield=value ...%s", open, close);
    else if (a->positional) fprintf(f, " %s%s%s", open, upper, close);
    else if (a->type == SV_ARG_FLAG) fprintf(f, " [%s]", option);
    else fprintf(f, " %s%s %s%s%s", open, option, upper, close, a->type == SV_ARG_LIST ? " ..." : "");
  }
  fputc('\n', f);
}

/* Words of text, at most `width` columns, each line indented. */
static void wrap(FILE *f, const char *text, unsigned indent, unsigned width) {
  unsigned at = 0;
  while (*text) {
    size_t n = strcspn(text, " \n");
    if (at && at + 1 + n > width) {
      fprintf(f, "\n%*s", (int)indent, "");
      at = 0;
    }
    fprintf(f, "%s%.*s", at ? " " : "", (int)n, text);
    at += (unsigned)n + (at ? 1 : 0);
    text += n;
    for (; *text == '\n'; text++) {
      fprintf(f, "\n%*s", (int)indent, "");
      at = 0;
    }
    while (*text == ' ') text++;
  }
  fputc('\n', f);
}

void help_command(FILE *f, const sv_admin_command *cmd) {
  fprintf(f, "overdracht-admin %s — ", cmd->name);
  wrap(f, cmd->summary, 4, 80);
  fputc('\n', f);
  usage(f, cmd);
  if (cmd->text) {
    fputc('\n', f);
    wrap(f, cmd->text, 0, 100);
  }
  if (cmd->args[0].name) fputs("\nArguments\n", f);
  for (unsigned i = 0; i < SV_ADMIN_ARGS_MAX && cmd->args[i].name; i++) {
    const sv_admin_arg *a = &cmd->args[i];
    char option[64];
    option_name(a->name, option);
    fprintf(f, "  %-20s ", a->positional ? a->type == SV_ARG_FIELDS ? "field=value" : a->name : option);
    wrap(f, a->help, 23, 80);
  }
  if (cmd->example) {
    fputs("\nExample\n  ", f);
    wrap(f, cmd->example, 2, 200);
  }
  if (cmd->needs == SV_NEEDS_LOCK || cmd->needs == SV_NEEDS_CREATE)
    fputs("\nWorks only while no server runs on the data folder.\n", f);
  fprintf(f, "\n%s\n%s", global, status_text);
}
