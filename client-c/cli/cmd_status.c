/* status, verify, export-unsent, completion. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"

typedef unsigned long long ull;

static int status_json(const cli *c, const oc_status *s) {
  json_t *j = json_pack(
      "{s:b, s:b, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:b, s:b, s:o, "
      "s:o, s:b, s:b, s:b, s:b, s:I, s:o, s:I}",
      "ok", 1, "enrolled", s->enrolled, "store", c->store_dir, "device", s->device, "organisation",
      s->organisation, "server", s->server, "zone", s->zone, "unsent", (json_int_t)s->unsent, "on_server",
      (json_int_t)s->on_server, "safe", (json_int_t)s->safe, "attention", (json_int_t)s->attention,
      "conflicts", (json_int_t)s->conflicts, "records", (json_int_t)s->records, "last_sync",
      cli_json_moment(c, s->last_sync), "oldest_unsent", cli_json_moment(c, s->oldest_unsent), "retry_at",
      cli_json_moment(c, s->retry_at), "clock_offset", (json_int_t)s->clock_offset, "new_writer",
      s->new_writer, "revoked", s->revoked, "purged", cli_json_moment(c, s->purged), "lease_until",
      cli_json_moment(c, s->lease_until), "lease_over", s->lease_over, "erasing", s->erasing, "strict",
      s->strict, "closed", s->closed, "unsent_entries", (json_int_t)s->unsent_entries, "oldest_entry",
      cli_json_moment(c, s->oldest_entry), "looks", (json_int_t)s->looks);
  cli_json(j);
  return 0;
}

/* The three states, each with what it really means; "everything was sent" only when that is so and a server
 * has said it. Who only looked has written nothing: that is said apart. */
static void print_entries(const cli *c, const oc_status *s) {
  char at[64];
  if (s->unsent_entries) {
    printf("entries    %llu on this device only", (ull)s->unsent_entries);
    if (s->oldest_entry) cli_moment(c, s->oldest_entry, at), printf(", the oldest from %s", at);
    fputc('\n', stdout);
  } else if (s->last_sync) {
    cli_moment(c, s->last_sync, at);
    printf("entries    %s; last synced %s\n", s->looks ? "all were sent" : "everything was sent", at);
  } else {
    puts("entries    never synced");
  }
  if (s->on_server)
    printf("           %llu on the server, not yet in a verified backup or on a second server\n",
           (ull)s->on_server);
  if (s->safe) printf("           %llu safe: in a verified backup or on a second server\n", (ull)s->safe);
  if (s->unsent_entries && s->last_sync)
    cli_moment(c, s->last_sync, at), printf("           last synced %s\n", at);
  if (s->looks)
    printf("looks      %llu on this device only: who looked at whom, for the audit; the next sync sends it\n",
           (ull)s->looks);
}

static void print_status(const cli *c, const oc_status *s) {
  char at[64];
  printf("store      %s\n", c->store_dir);
  if (s->purged) {
    cli_moment(c, s->purged, at);
    printf("device     %s  REVOKED, its entries handed over, and wiped %s; enrol it with a new code to use "
           "it again\n",
           s->device, at);
    return;
  }
  if (!s->enrolled) {
    puts("device     not enrolled: overdracht enrol URL CODE");
    return;
  }
  printf("device     %s%s\nserver     %s\n", s->device,
         s->revoked ? "  REVOKED: what it received is wiped; sync hands over the rest" : "", s->server);
  print_entries(c, s);
  if (s->attention)
    printf("attention  %llu held or refused: overdracht list --attention\n", (ull)s->attention);
  if (s->lease_over)
    puts("locked     too long without a sync, or the clock was set back: nothing is shown until it has "
         "synced; entries "
         "are taken");
  if (s->erasing)
    puts("erasing    a client was erased, and the disk is too full to write the store anew: make room, then "
         "sync");
  if (s->strict)
    puts("strict     what is known of clients opens with a share of the server, asked for whenever it is "
         "shown");
  if (s->conflicts) printf("conflicts  %llu: overdracht conflicts\n", (ull)s->conflicts);
  printf("records    %llu here\n", (ull)s->records);
  if (s->retry_at > (int64_t)time(NULL))
    cli_moment(c, s->retry_at, at), printf("server     asks not to come back before %s\n", at);
  if (s->clock_offset > 300 || s->clock_offset < -300)
    printf("clock      this device's clock is off by %lld s, by the server's\n", (long long)-s->clock_offset);
  if (s->new_writer)
    puts("log        this store was found copied or restored: it goes on under a new log; nothing is lost");
}

static int no_arguments(cli *c, int argc, char **argv, bool *help) {
  cli_args a;
  int err = cli_parse(c, argc, argv, NULL, &a, help);
  if (*help) return 0;
  if (!err) err = cli_expect(c, &a, 0, 0, "");
  return err ? err : cli_open(c, false);
}

int cmd_status(cli *c, int argc, char **argv) {
  bool help;
  oc_status s;
  int err = no_arguments(c, argc, argv, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (err) return err;
  if (oc_status_get(c->s, &s, &c->e)) return cli_fail(c);
  if (c->json) return status_json(c, &s);
  print_status(c, &s);
  return 0;
}

int cmd_verify(cli *c, int argc, char **argv) {
  bool help;
  int err = no_arguments(c, argc, argv, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (err) return err;
  if (oc_verify(c->s, &c->e)) return cli_fail(c);
  if (c->json) cli_json(json_pack("{s:b}", "ok", 1));
  else if (!c->quiet) puts("the log's chain and every record are sound");
  return 0;
}

int cmd_export_unsent(cli *c, int argc, char **argv) {
  bool help;
  char *text = NULL;
  int err = no_arguments(c, argc, argv, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (err) return err;
  if (oc_export_unsent(c->s, &text, &c->e)) return cli_fail(c);
  if (c->json) cli_json(cli_json_of(text));
  else printf("%s\n", text);
  oc_free(text);
  return 0;
}

int cmd_completion(cli *c, int argc, char **argv) {
  cli_args a;
  bool help;
  int err = cli_parse(c, argc, argv, NULL, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 1, 1, "bash|zsh");
  if (err) return err;
  if (!strcmp(a.v[0], "bash")) fwrite(cli_completion_bash, 1, cli_completion_bash_bytes, stdout);
  else if (!strcmp(a.v[0], "zsh")) fwrite(cli_completion_zsh, 1, cli_completion_zsh_bytes, stdout);
  else return cli_usage(c, "\"%s\": bash or zsh", a.v[0]);
  return 0;
}
