/* enrol, sync. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* A signal handler is told of nothing but its number: what it stops has to stand somewhere. */
static oc_store *volatile running;
static volatile sig_atomic_t interrupted;

static void on_signal(int sig) {
  (void)sig;
  interrupted = 1;
  if (running) oc_sync_cancel(running);
}

static void handle_signals(void (*handler)(int)) {
  struct sigaction a;
  memset(&a, 0, sizeof a);
  a.sa_handler = handler;
  sigemptyset(&a.sa_mask);
  sigaction(SIGINT, &a, NULL);
  sigaction(SIGTERM, &a, NULL);
  sigaction(SIGHUP, &a, NULL);
}

static void catch_signals(oc_store *s) {
  running = s;
  handle_signals(on_signal);
}

void cli_store_leaves(void) { running = NULL; }

/* -- enrol ----------------------------------------------------------------------------------------------- */

static int read_ca(cli *c, const cli_opt *opts, char out[1000]) {
  const char *file = cli_value(opts, "ca");
  if (!file) {
    out[0] = 0;
    return oc_setting_get(c->s, "ca_file", out, 1000, &c->e) ? cli_fail(c) : 0;
  }
  char *whole = realpath(file, NULL);
  int n = whole ? snprintf(out, 1000, "%s", whole) : -1;
  free(whole);
  return n > 0 && n < 1000 ? 0 : cli_usage(c, "--ca: cannot read %s", file);
}

int cmd_enrol(cli *c, int argc, char **argv) {
  cli_opt opts[] = {
      {.name = "name", .takes_value = true}, {.name = "ca", .takes_value = true}, {.name = NULL}};
  cli_args a;
  bool help;
  char host[65] = "", ca[1000] = "";
  oc_status st;
  int err = cli_parse(c, argc, argv, opts, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 2, 2, "URL CODE");
  if (!err) err = cli_open(c, true);
  if (!err) err = read_ca(c, opts, ca);
  if (err) return err;
  const char *name = cli_value(opts, "name");
  if (!name) name = gethostname(host, sizeof host - 1) || !*host ? "computer" : host;
  catch_signals(c->s);
  oc_sync_options o = {.ca_file = *ca ? ca : NULL};
  err = oc_enrol(c->s, a.v[0], a.v[1], name, &o, &c->e);
  if (err) return cli_fail(c);
  if (*ca && oc_setting_put(c->s, "ca_file", ca, &c->e)) return cli_fail(c);
  if (oc_status_get(c->s, &st, &c->e)) return cli_fail(c);
  if (c->json)
    cli_json(json_pack("{s:b, s:s, s:s, s:s}", "ok", 1, "device", st.device, "organisation", st.organisation,
                       "server", st.server));
  else if (!c->quiet) printf("enrolled at %s as device %s\nnow run: overdracht sync\n", st.server, st.device);
  return 0;
}

int cli_fetch_share(cli *c) {
  char ca[1000];
  if (oc_setting_get(c->s, "ca_file", ca, sizeof ca, &c->e)) return cli_fail(c);
  oc_sync_options o = {.ca_file = *ca ? ca : NULL, .once_only = true};
  catch_signals(c->s);
  int err = oc_sync(c->s, &o, &c->e);
  cli_store_leaves();
  handle_signals(SIG_DFL); /* the command that wanted the share is stopped as it would be without */
  if (!err) return 0;
  if (err == OC_E_NET && !c->json && !c->quiet)
    fputs("overdracht: this store is protected strictly and opens with its server only\n", stderr);
  return cli_fail(c);
}

/* -- sync ------------------------------------------------------------------------------------------------ */

static void print_done(cli *c, const oc_progress *p, const oc_status *st) {
  if (c->json) {
    cli_json(json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "ok", 1, "sent", (json_int_t)p->sent,
                       "received", (json_int_t)p->received, "bytes_out", (json_int_t)p->bytes_out, "bytes_in",
                       (json_int_t)p->bytes_in, "unsent", (json_int_t)st->unsent, "attention",
                       (json_int_t)st->attention, "unsent_entries", (json_int_t)st->unsent_entries, "looks",
                       (json_int_t)st->looks));
    return;
  }
  if (c->quiet) return;
  printf("%llu sent, %llu received (%llu bytes out, %llu in)\n", (unsigned long long)p->sent,
         (unsigned long long)p->received, (unsigned long long)p->bytes_out, (unsigned long long)p->bytes_in);
  if (st->unsent_entries) printf("%llu still on this device only\n", (unsigned long long)st->unsent_entries);
  else puts(st->looks ? "every entry is on the server" : "everything is on the server");
  if (st->looks) printf("looks: %llu still on this device only\n", (unsigned long long)st->looks);
  if (st->attention)
    printf("%llu need attention: overdracht list --attention\n", (unsigned long long)st->attention);
  if (st->conflicts) printf("%llu in conflict: overdracht conflicts\n", (unsigned long long)st->conflicts);
  if (st->new_writer)
    puts("this store was found copied or restored: it goes on under a new log; nothing is lost");
}

/* Live and without a terminal, or with --json: one line whenever something has come or gone. */
typedef struct following {
  cli *c;
  cli_progress bar;
  uint64_t sent, received;
} following;

static void on_progress(void *ctx, const oc_progress *p) {
  following *f = ctx;
  cli_on_progress(&f->bar, p);
  if (!f->bar.live || f->bar.show || (p->sent == f->sent && p->received == f->received) ||
      p->stage != OC_LIVE)
    return;
  f->sent = p->sent;
  f->received = p->received;
  if (f->c->json)
    cli_json(json_pack("{s:I, s:I}", "sent", (json_int_t)p->sent, "received", (json_int_t)p->received));
  else if (!f->c->quiet)
    printf("%llu sent, %llu received\n", (unsigned long long)p->sent, (unsigned long long)p->received);
  fflush(stdout);
}

static int read_number(cli *c, const cli_opt *opts, const char *name, uint32_t most, uint32_t *out) {
  const char *text = cli_value(opts, name);
  char *end = NULL;
  if (!text) return 0;
  unsigned long v = strtoul(text, &end, 10);
  if (*end || !*text || *text == '-' || v < 1 || v > most)
    return cli_usage(c, "--%s takes a number from 1 to %u, not \"%s\"", name, most, text);
  *out = (uint32_t)v;
  return 0;
}

int cmd_sync(cli *c, int argc, char **argv) {
  cli_opt opts[] = {{.name = "live"},
                    {.name = "once"},
                    {.name = "again"},
                    {.name = "wait", .takes_value = true},
                    {.name = "ca", .takes_value = true},
                    {.name = NULL}};
  cli_args a;
  bool help;
  char ca[1000] = "";
  oc_status st;
  int err = cli_parse(c, argc, argv, opts, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  oc_sync_options o = {.live = cli_value(opts, "live") != NULL, .once_only = cli_value(opts, "once") != NULL};
  if (!err) err = cli_expect(c, &a, 0, 0, "");
  if (!err) err = read_number(c, opts, "wait", 86400, &o.max_wait_s);
  if (!err) err = cli_open(c, false);
  if (!err) err = read_ca(c, opts, ca);
  if (err) return err;
  following f = {.c = c, .bar = {.show = isatty(STDERR_FILENO) && !c->quiet && !c->json, .live = o.live}};
  o.ca_file = *ca ? ca : NULL;
  o.progress = on_progress;
  o.progress_ctx = &f;
  if (cli_value(opts, "again") && oc_offer_again(c->s, &c->e)) return cli_fail(c);
  catch_signals(c->s);
  err = oc_sync(c->s, &o, &c->e);
  cli_progress_end(&f.bar);
  if (err && !(o.live && interrupted && err == OC_E_CANCELLED))
    return cli_fail(c); /* the usual end of following is a signal */
  if (oc_status_get(c->s, &st, &c->e)) return cli_fail(c);
  print_done(c, &f.bar.last, &st);
  return 0;
}
