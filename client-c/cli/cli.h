/* The `overdracht` command, by file:
 *   main.c      global options, dispatch, exit status     args.c    options of one command
 *   help.c      help texts (help_text.h)                  out.c     tables, JSON, errors, times
 *   cmd_write.c add edit retract resolve author           cmd_read.c list show conflicts people clients
 *   cmd_kinds.c kinds                                     cmd_sync.c enrol sync    progress.c its bar
 *   cmd_status.c status verify export-unsent completion   cmd_import.c import */
#ifndef CLI_H
#define CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "oc_zone.h"
#include "overdracht.h"

/* Exit status besides the absolute values of oc_err. */
#define CLI_PARTLY 1 /* done, but something was left out; said on stderr */
#define CLI_USAGE 2  /* the command line is not right */

typedef struct cli {
  const char *store_dir; /* --store, else the environment's, else the home folder's */
  const char *author;    /* --author or the environment's; NULL: the store's setting */
  const char *zone_name; /* --zone; NULL: the environment's, else the organisation's */
  bool json, quiet, dutch;
  oc_store *s;
  oc_zone *zone; /* the one that times are shown in */
  oc_error e;
  const char *command;
} cli;

/* -- args.c ---------------------------------------------------------------------------------------------- */

typedef struct cli_opt {
  const char *name; /* without its dashes */
  bool takes_value, many;
  const char *value;   /* the last one given; "" for a given flag; NULL: not given */
  const char **values; /* many: all of them */
  size_t n;
} cli_opt;
#define CLI_ARGS_MAX 256
typedef struct cli_args {
  const char *v[CLI_ARGS_MAX];
  size_t n;
} cli_args;
/* Sorts argv into the command's options (up to a NULL name), the global ones and the rest. 0, or CLI_USAGE
 * after telling. help: -h was given. */
int cli_parse(cli *c, int argc, char **argv, cli_opt *opts, cli_args *args, bool *help);
const cli_opt *cli_opt_of(const cli_opt *opts, const char *name);
const char *cli_value(const cli_opt *opts, const char *name); /* NULL: not given */
/* At least min and at most max arguments, else CLI_USAGE after telling what is expected. */
int cli_expect(cli *c, const cli_args *a, size_t min, size_t max, const char *what);

/* -- main.c ---------------------------------------------------------------------------------------------- */

/* Opens the store. create: make it when missing. 0 or an exit status after telling. */
int cli_open(cli *c, bool create);
/* The same for a command that shows or changes what is here: a closed store fetches its share first, and who
 * looks is noted. */
int cli_open_shown(cli *c);
/* Tells c->e; returns its exit status. */
int cli_fail(cli *c);
int cli_usage(cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Who writes: option, environment, the store's setting; NULL after telling. */
const char *cli_author(cli *c, char buf[256]);

/* -- out.c ----------------------------------------------------------------------------------------------- */

/* Text as a terminal may have it: control characters, which could drive it, become '?', line ends " / ". */
void cli_put(FILE *f, const char *text);
/* The same in `width` columns, cut or filled. */
void cli_put_wide(FILE *f, const char *text, size_t width);
size_t cli_width(const char *text);
/* Columns of the terminal on stdout; 0 when it is none. */
size_t cli_columns(void);
/* Takes j. One line on stdout. */
void cli_json(json_t *j);
/* a string; in what is no UTF-8 each byte beyond ASCII becomes '?' */
json_t *cli_json_text(const char *text);
json_t *cli_json_of(const char *text); /* parsed; null when it is none */
void cli_moment(const cli *c, int64_t utc, char out[64]);
json_t *cli_json_moment(const cli *c, int64_t utc); /* null for 0 */
/* Days since 1970 of 2026-03-28, 28-3-2026, today, yesterday, or "7d" (7 days ago). */
bool cli_day(const cli *c, const char *text, int64_t *day);
/* Where a record is; of what this device did not write only that a server has it. */
const char *cli_state(const oc_record *r, bool dutch);
/* The last part of an id, which is enough to name it. */
const char *cli_short_id(const char *id);

/* -- cmd_sync.c ------------------------------------------------------------------------------------------ */

int cli_fetch_share(cli *c); /* a sync, stopped by a signal. 0 or an exit status after telling */
/* before the store is closed: a signal that comes later stops nothing any more */
void cli_store_leaves(void);

/* -- help.c ---------------------------------------------------------------------------------------------- */

void cli_help(FILE *f, const char *command); /* NULL: the whole command */

/* -- progress.c ------------------------------------------------------------------------------------------ */

typedef struct cli_progress {
  bool show, live;
  size_t shown;
  int stage;
  oc_progress last;
} cli_progress;
/* Fits oc_sync_options; ctx is a cli_progress. */
void cli_on_progress(void *ctx, const oc_progress *p);
/* Wipes the bar. */
void cli_progress_end(cli_progress *p);

/* -- made from completion/ ------------------------------------------------------------------------------- */

extern const unsigned char cli_completion_bash[], cli_completion_zsh[];
extern const size_t cli_completion_bash_bytes, cli_completion_zsh_bytes;

/* -- commands: each gets its own arguments; exit status -------------------------------------------------- */
int cmd_enrol(cli *c, int argc, char **argv);
int cmd_add(cli *c, int argc, char **argv);
int cmd_edit(cli *c, int argc, char **argv);
int cmd_retract(cli *c, int argc, char **argv);
int cmd_resolve(cli *c, int argc, char **argv);
int cmd_author(cli *c, int argc, char **argv);
int cmd_list(cli *c, int argc, char **argv);
int cmd_show(cli *c, int argc, char **argv);
int cmd_conflicts(cli *c, int argc, char **argv);
int cmd_people(cli *c, int argc, char **argv);
int cmd_clients(cli *c, int argc, char **argv);
int cmd_kinds(cli *c, int argc, char **argv);
int cmd_status(cli *c, int argc, char **argv);
int cmd_sync(cli *c, int argc, char **argv);
int cmd_import(cli *c, int argc, char **argv);
int cmd_export_unsent(cli *c, int argc, char **argv);
int cmd_verify(cli *c, int argc, char **argv);
int cmd_completion(cli *c, int argc, char **argv);

#endif
