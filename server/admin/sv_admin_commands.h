/* The commands of administration as data: the server dispatches by this table, overdracht-admin reads its
 * command line, its --help and its tables of output from it, so that the three cannot drift apart. */
#ifndef SV_ADMIN_COMMANDS_H
#define SV_ADMIN_COMMANDS_H

#include "sv_admin.h"

typedef enum sv_admin_atype {
  SV_ARG_TEXT,   /* "--name TEXT", in the request a string */
  SV_ARG_LIST,   /* may be given more than once; an array of strings */
  SV_ARG_FLAG,   /* no value; true */
  SV_ARG_INT,    /* a whole number */
  SV_ARG_FIELDS, /* the rest of the line: field=value ...; an array of strings */
  SV_ARG_PATH /* like TEXT; the command line makes it absolute, since the server has another working folder */
} sv_admin_atype;

typedef struct sv_admin_arg {
  const char *name; /* key in the request, and the option's name with '-' for '_' */
  sv_admin_atype type;
  bool positional, required;
  const char *help;
} sv_admin_arg;

#define SV_ADMIN_ARGS_MAX 10

/* Where a command can run. */
typedef enum sv_admin_needs {
  SV_NEEDS_NODE,   /* an open data folder, by a running server or by us */
  SV_NEEDS_CREATE, /* the same, made when it is missing; no server may run */
  SV_NEEDS_LOCK,   /* the folder locked but nothing open in it: no server may run */
  SV_NEEDS_NOTHING /* no data folder at all */
} sv_admin_needs;

struct adm;
typedef struct sv_admin_command {
  const char *name;    /* "team add" */
  const char *summary; /* one line, no full stop */
  const char *text;    /* what it does, for --help; paragraphs parted by an empty line; may be NULL */
  const char *example; /* lines as typed; may be NULL */
  const char *columns; /* of the table of items: "key:HEADING key:HEADING ..."; NULL: no table */
  sv_admin_needs needs;
  bool changes; /* writes something */
  int (*run)(struct adm *m);
  sv_admin_arg args[SV_ADMIN_ARGS_MAX]; /* the first without a name ends the list */
} sv_admin_command;

/* NULL past the end; in the order of --help. */
const sv_admin_command *sv_admin_command_at(unsigned i);
const sv_admin_command *sv_admin_command_find(const char *name);

/* Where this request can run: `restore --verify` needs no more than other commands. */
sv_admin_needs sv_admin_command_needs(const sv_admin_command *c, bool verify_only);

/* Connects to a server's socket. OV_E_NOTFOUND: no server there; OV_E_DENIED: it is another user's. */
int sv_admin_connect(const char *path, int *fd);

#endif
