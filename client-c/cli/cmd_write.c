/* add, edit, retract, resolve, author. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* -- field=value ----------------------------------------------------------------------------------------- */

/* "client", "author" and "team" name the header, unless the kind has a field called so. */
static int set_header(cli *c, oc_draft *d, const char *name, const char *value, bool *taken) {
  *taken = true;
  if (!strcmp(name, "client")) return oc_draft_participant(d, value, &c->e);
  if (!strcmp(name, "author")) return oc_draft_author(d, value, &c->e);
  if (!strcmp(name, "team")) return oc_draft_team(d, value, &c->e);
  *taken = false;
  return 0;
}

static int set_field(cli *c, oc_draft *d, const char *arg, bool *author) {
  char name[64];
  bool taken;
  const char *eq = strchr(arg, '=');
  if (!eq || eq == arg || eq - arg >= (int)sizeof name)
    return cli_usage(c, "\"%.60s\" is not FIELD=VALUE", arg);
  snprintf(name, sizeof name, "%.*s", (int)(eq - arg), arg);
  int err = oc_draft_set(d, name, eq + 1, &c->e);
  if (err == OC_E_NOTFOUND) {
    oc_error said = c->e;
    err = set_header(c, d, name, eq + 1, &taken);
    if (!taken) c->e = said, err = said.err;
    else *author |= !strcmp(name, "author");
  }
  return err ? cli_fail(c) : 0;
}

static int set_fields(cli *c, oc_draft *d, const cli_args *a, size_t from) {
  bool author = false;
  char buf[256];
  for (size_t i = from; i < a->n; i++) {
    int err = set_field(c, d, a->v[i], &author);
    if (err) return err;
  }
  if (author) return 0;
  const char *who = cli_author(c, buf);
  if (!who) return c->e.err ? -c->e.err : CLI_USAGE;
  return oc_draft_author(d, who, &c->e) ? cli_fail(c) : 0;
}

/* -- what was written ------------------------------------------------------------------------------------ */

/* It is written, though nothing may be shown. */
static int told_closed(cli *c, const char *id) {
  if (c->json) cli_json(json_pack("{s:b, s:s, s:n}", "ok", 1, "id", id, "record"));
  else printf("%s\n", id);
  return 0;
}

static int told(cli *c, const char *id) {
  oc_query *q = NULL;
  int err = oc_show(c->s, id, &q, &c->e);
  if (err == OC_E_CLOSED || err == OC_E_LEASE) return told_closed(c, id);
  if (err) return cli_fail(c);
  const oc_record *r = oc_query_at(q, 0);
  if (c->json) {
    cli_json(json_pack("{s:b, s:s, s:o}", "ok", 1, "id", oc_record_id(r), "record",
                       cli_json_of(oc_record_json(r))));
  } else {
    printf("%s\n", oc_record_id(r));
    if (!c->quiet && *oc_record_missing(r)) fprintf(stderr, "still missing: %s\n", oc_record_missing(r));
    if (!c->quiet && *oc_record_double(r))
      fprintf(stderr, "possible double of %s\n", cli_short_id(oc_record_double(r)));
  }
  oc_query_free(q);
  return 0;
}

int cmd_add(cli *c, int argc, char **argv) {
  cli_opt opts[] = {
      {.name = "client", .takes_value = true}, {.name = "team", .takes_value = true}, {.name = NULL}};
  cli_args a;
  bool help;
  char id[OC_ID_TEXT];
  int err = cli_parse(c, argc, argv, opts, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 1, CLI_ARGS_MAX, "KIND FIELD=VALUE...");
  if (!err) err = cli_open(c, false);
  if (err) return err;
  oc_draft *d = oc_draft_new(c->s, a.v[0]);
  if (!d) return -OC_E_NOMEM;
  const char *client = cli_value(opts, "client"), *team = cli_value(opts, "team");
  if (client && oc_draft_participant(d, client, &c->e)) err = cli_fail(c);
  if (!err && team && oc_draft_team(d, team, &c->e)) err = cli_fail(c);
  if (!err) err = set_fields(c, d, &a, 1);
  if (!err && oc_add(c->s, d, id, &c->e)) err = cli_fail(c);
  oc_draft_free(d);
  return err ? err : told(c, id);
}

int cmd_edit(cli *c, int argc, char **argv) {
  cli_args a;
  bool help;
  int err = cli_parse(c, argc, argv, NULL, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 2, CLI_ARGS_MAX, "RECORD FIELD=VALUE...");
  if (!err) err = cli_open_shown(c);
  if (err) return err;
  oc_draft *d = oc_draft_edit(c->s, a.v[0], &c->e);
  if (!d) return cli_fail(c);
  err = set_fields(c, d, &a, 1);
  if (!err && oc_edit(c->s, d, &c->e)) err = cli_fail(c);
  oc_draft_free(d);
  return err ? err : told(c, a.v[0]);
}

int cmd_retract(cli *c, int argc, char **argv) {
  cli_opt opts[] = {{.name = "reason", .takes_value = true}, {.name = "undo"}, {.name = NULL}};
  cli_args a;
  bool help;
  char buf[256];
  int err = cli_parse(c, argc, argv, opts, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  const char *reason = cli_value(opts, "reason"), *undo = cli_value(opts, "undo");
  if (!err) err = cli_expect(c, &a, 1, 1, "RECORD --reason TEXT");
  if (!err && !reason == !undo) err = cli_usage(c, "a retraction needs --reason TEXT; --undo takes one back");
  if (!err) err = cli_open_shown(c);
  if (err) return err;
  const char *who = cli_author(c, buf);
  if (!who) return c->e.err ? -c->e.err : CLI_USAGE;
  return oc_retract(c->s, a.v[0], who, reason, &c->e) ? cli_fail(c) : told(c, a.v[0]);
}

int cmd_resolve(cli *c, int argc, char **argv) {
  cli_args a;
  bool help;
  char buf[256];
  int err = cli_parse(c, argc, argv, NULL, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 3, 3, "RECORD FIELD VALUE");
  if (!err) err = cli_open_shown(c);
  if (err) return err;
  const char *who = cli_author(c, buf);
  if (!who) return c->e.err ? -c->e.err : CLI_USAGE;
  return oc_resolve(c->s, a.v[0], a.v[1], a.v[2], who, &c->e) ? cli_fail(c) : told(c, a.v[0]);
}

/* -- who writes by default ------------------------------------------------------------------------------- */

/* A name that nobody here has would fail at the next entry: it is tried now. */
static int set_author(cli *c, const char *name) {
  if (*name) {
    oc_draft *d = oc_draft_new(c->s, "");
    if (!d) return -OC_E_NOMEM;
    int err = oc_draft_author(d, name, &c->e);
    oc_draft_free(d);
    if (err) return cli_fail(c);
  }
  return oc_setting_put(c->s, "author", name, &c->e) ? cli_fail(c) : 0;
}

int cmd_author(cli *c, int argc, char **argv) {
  cli_args a;
  bool help;
  char name[256];
  int err = cli_parse(c, argc, argv, NULL, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 0, 1, "[NAME]");
  if (!err) err = cli_open(c, false);
  if (!err && a.n) err = set_author(c, a.v[0]);
  if (err) return err;
  if (oc_setting_get(c->s, "author", name, sizeof name, &c->e)) return cli_fail(c);
  if (c->json) cli_json(json_pack("{s:b, s:s}", "ok", 1, "author", name));
  else if (*name) cli_put(stdout, name), fputc('\n', stdout);
  else if (!a.n) fputs("nobody: each entry needs --author\n", stderr);
  return 0;
}
