/* overdracht-admin: command line in, one request, output for people or scripts. */
#ifndef OVERDRACHT_ADMIN_CLI_H
#define OVERDRACHT_ADMIN_CLI_H

#include <jansson.h>
#include <signal.h>
#include <stdio.h>

#include "sv_admin_commands.h"

typedef struct cli {
  const char *data, *schema_dir, *master_key;
  bool json, quiet, help;
  const sv_admin_command *cmd;
  const char *group; /* the first word of some commands, while the second was not read */
  json_t *request;
  const char *out_path;   /* --out: where streamed items go */
  const char *png_path;   /* --png: where the QR code goes */
  bool qr;                /* --qr */
  const char *table_path; /* record import: the file */
  FILE *items;            /* NULL: stdout */
  bool progress_shown;
  unsigned long streamed;
} cli;

/* Exit statuses; --help and the manual page list them. */
enum {
  EXIT_OK = 0,
  EXIT_FAILED = 1,
  EXIT_USAGE = 2,
  EXIT_NOT_FOUND = 3,
  EXIT_REFUSED = 4,
  EXIT_BUSY = 5,
  EXIT_DAMAGE = 6,
  EXIT_DISK = 7,
  EXIT_DENIED = 8,
  EXIT_INTERRUPTED = 130
};

extern volatile sig_atomic_t cli_interrupted;

/* options.c: fills *c; returns 0 to go on, else the exit status + 1. */
int cli_parse(cli *c, int argc, char **argv);
/* help.c */
void help_all(FILE *f);
/* The commands that begin with this word; how many. f NULL: only counts. */
unsigned help_group(FILE *f, const char *word);
void help_command(FILE *f, const sv_admin_command *cmd);
/* How an option is written: "--theme-network". */
void option_name(const char *arg, char out[64]);

/* remote.c: asks the running server. OV_E_NOTFOUND when none runs; else *reply is set or the error was
 * told. */
int remote_ask(cli *c, const char *request, json_t **reply);
/* offline.c: does it here, under the folder's lock. */
int offline_ask(cli *c, const char *request, json_t **reply);
/* import.c: one request for each row of a table. Returns the exit status. */
int import_table(cli *c);
/* main.c: asks the server, or does it here. Returns the exit status; *reply may be NULL. */
int cli_ask(cli *c, json_t *request, json_t **reply);

/* show.c: one line from the handler; true to go on. *reply gets the last one. */
bool show_line(cli *c, const char *line, json_t **reply);
/* The reply as the user asked to see it. Returns the exit status. */
int show_reply(cli *c, const json_t *reply);
int show_error(cli *c, int err, const char *message, const char *hint);
/* qr.c: what the reply has for a QR code, if the user asked for one. Returns the exit status. */
int show_qr(cli *c, const json_t *reply);
void show_progress_end(cli *c);
int exit_status(const char *slug);

#endif
