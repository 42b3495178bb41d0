/* list, show, conflicts, people, clients. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const char *text_of(const cli *c, const oc_value_view *v) {
  return c->dutch ? v->text_nl : v->text_en;
}
static const char *label_of(const cli *c, const oc_value_view *v) {
  return c->dutch ? v->label_nl : v->label_en;
}

/* -- lists ----------------------------------------------------------------------------------------------- */

static void marks(const oc_record *r, char out[64]) {
  const char *const words[] = {
      oc_record_conflicts(r) ? "conflict" : NULL, *oc_record_attention(r, false) ? "attention" : NULL,
      oc_record_retracted(r) ? "retracted" : NULL, *oc_record_double(r) ? "double" : NULL};
  out[0] = 0;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (words[i]) snprintf(out + strlen(out), 64 - strlen(out), "%s%s", *out ? "," : "", words[i]);
  }
}

/* "quality good, source observation" */
static void summary(const cli *c, const oc_record *r, char *out, size_t cap) {
  size_t n = 0;
  out[0] = 0;
  for (size_t i = 0; i < oc_record_values(r) && n + 1 < cap; i++) {
    const oc_value_view *v = oc_record_value(r, i);
    if ((i && !strcmp(oc_record_value(r, i - 1)->field, v->field)) || !*v->raw)
      continue; /* keys are bytes, which say nothing */
    n += (size_t)snprintf(out + n, cap - n, "%s%s %s", n ? ", " : "", v->field, text_of(c, v));
  }
}

typedef struct columns {
  size_t kind, client, mark;
} columns;

static columns measure(const oc_query *q) {
  columns w = {4, 6, 0};
  char mark[64];
  for (size_t i = 0; i < oc_query_count(q); i++) {
    const oc_record *r = oc_query_at(q, i);
    size_t kind = strlen(oc_record_kind(r)), client = cli_width(oc_record_participant(r));
    marks(r, mark);
    if (kind > w.kind) w.kind = kind;
    if (client > w.client) w.client = client > 24 ? 24 : client;
    if (strlen(mark) > w.mark) w.mark = strlen(mark);
  }
  return w;
}

static void print_row(const cli *c, const oc_record *r, const columns *w, size_t left) {
  char day[64] = "", mark[64], text[600];
  int64_t year;
  unsigned month, dom;
  if (oc_record_day(r)) {
    oc_civil_from_days(oc_record_day(r), &year, &month, &dom);
    snprintf(day, sizeof day, "%04lld-%02u-%02u", (long long)year, month, dom);
  }
  marks(r, mark);
  summary(c, r, text, sizeof text);
  printf("%-8s  %-10s  %-*s  ", cli_short_id(oc_record_id(r)), day, (int)w->kind, oc_record_kind(r));
  cli_put_wide(stdout, oc_record_participant(r), w->client);
  printf("  %-9s  ", cli_state(r, c->dutch));
  if (w->mark) printf("%-*s  ", (int)w->mark, mark);
  if (left && cli_width(text) > left) cli_put_wide(stdout, text, left);
  else cli_put(stdout, text);
  fputc('\n', stdout);
}

static void print_table(const cli *c, const oc_query *q) {
  columns w = measure(q);
  size_t fixed = 8 + 2 + 10 + 2 + w.kind + 2 + w.client + 2 + 9 + 2 + (w.mark ? w.mark + 2 : 0),
         all = cli_columns();
  size_t left = all > fixed + 10 ? all - fixed : all ? 10 : 0;
  for (size_t i = 0; i < oc_query_count(q); i++) print_row(c, oc_query_at(q, i), &w, left);
}

static void print_json(const oc_query *q) {
  for (size_t i = 0; i < oc_query_count(q); i++) printf("%s\n", oc_record_json(oc_query_at(q, i)));
}

static int run_query(cli *c, const oc_filter *f) {
  oc_query *q = NULL;
  if (oc_query_run(c->s, f, &q, &c->e)) return cli_fail(c);
  if (c->json) print_json(q);
  else print_table(c, q);
  int status = 0;
  if (oc_query_more(q)) {
    fprintf(stderr, "there are more than %zu: narrow it, or give --max\n", oc_query_count(q));
    status = CLI_PARTLY;
  } else if (!c->json && !c->quiet && !oc_query_count(q)) {
    fputs("nothing\n", stderr);
  }
  oc_query_free(q);
  return status;
}

static int read_days(cli *c, const cli_opt *opts, oc_filter *f) {
  const char *from = cli_value(opts, "from"), *to = cli_value(opts, "to");
  if (!from && !to) return 0;
  f->from_day = 1;
  if (from && !cli_day(c, from, &f->from_day))
    return cli_usage(c, "--from \"%s\" is no day such as 2026-03-28, 28-3-2026, yesterday or 7d", from);
  f->to_day = INT32_MAX;
  if (to && !cli_day(c, to, &f->to_day))
    return cli_usage(c, "--to \"%s\" is no day such as 2026-03-28, 28-3-2026, yesterday or 7d", to);
  return f->from_day <= f->to_day ? 0 : cli_usage(c, "--from lies after --to");
}

static int read_max(cli *c, const cli_opt *opts, oc_filter *f) {
  const char *max = cli_value(opts, "max");
  char *end = NULL;
  if (!max) return 0;
  long long n = strtoll(max, &end, 10);
  if (*end || n < 1 || n > 1000000)
    return cli_usage(c, "--max takes a number from 1 to 1000000, not \"%s\"", max);
  f->max = (size_t)n;
  return 0;
}

int cmd_list(cli *c, int argc, char **argv) {
  cli_opt opts[] = {{.name = "client", .takes_value = true},
                    {.name = "from", .takes_value = true},
                    {.name = "to", .takes_value = true},
                    {.name = "max", .takes_value = true},
                    {.name = "unsent"},
                    {.name = "attention"},
                    {.name = "retracted"},
                    {.name = NULL}};
  cli_args a;
  bool help;
  int err = cli_parse(c, argc, argv, opts, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 0, 1, "[KIND]");
  if (!err) err = cli_open_shown(c);
  oc_filter f = {.kind = a.n ? a.v[0] : NULL,
                 .participant = cli_value(opts, "client"),
                 .unsent_only = cli_value(opts, "unsent") != NULL,
                 .attention_only = cli_value(opts, "attention") != NULL};
  f.retracted_too = cli_value(opts, "retracted") != NULL || f.unsent_only || f.attention_only;
  if (!err) err = read_days(c, opts, &f);
  if (!err) err = read_max(c, opts, &f);
  return err ? err : run_query(c, &f);
}

/* Id, name, and the rest in brackets. */
static void print_name(const cli *c, const oc_record *r) {
  bool rest = false;
  printf("%-8s  ", cli_short_id(oc_record_id(r)));
  for (size_t i = 0; i < oc_record_values(r); i++) {
    const oc_value_view *v = oc_record_value(r, i);
    bool name = !strncmp(v->field, "display_", 8);
    if (!*v->raw || v->conflict) continue;
    if (!name) printf("%s%s: ", rest ? ", " : "  (", v->field);
    cli_put(stdout, text_of(c, v));
    rest |= !name;
  }
  puts(rest ? ")" : "");
}

static int list_names(cli *c, int argc, char **argv, const char *kind) {
  cli_args a;
  bool help;
  oc_query *q = NULL;
  int err = cli_parse(c, argc, argv, NULL, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 0, 0, "");
  if (!err) err = cli_open_shown(c);
  if (err) return err;
  if (oc_query_run(c->s, &(oc_filter){.kind = kind, .max = 100000}, &q, &c->e)) return cli_fail(c);
  if (c->json) print_json(q);
  for (size_t i = 0; !c->json && i < oc_query_count(q); i++) print_name(c, oc_query_at(q, i));
  oc_query_free(q);
  return 0;
}

int cmd_people(cli *c, int argc, char **argv) { return list_names(c, argc, argv, "person"); }
int cmd_clients(cli *c, int argc, char **argv) { return list_names(c, argc, argv, "participant"); }

/* -- one record ------------------------------------------------------------------------------------------ */

static void print_value(const cli *c, const oc_value_view *v, bool again, size_t name, size_t label) {
  char at[64];
  cli_moment(c, v->time, at);
  printf("%c ", v->conflict ? '!' : ' ');
  cli_put_wide(stdout, again ? "" : v->field, name);
  fputs("  ", stdout);
  cli_put_wide(stdout, again ? "" : label_of(c, v), label);
  fputs("  ", stdout);
  cli_put(stdout, text_of(c, v));
  fputs("   (", stdout);
  cli_put(stdout, *v->author ? v->author : "?");
  printf(", %s%s%s)\n", at, v->clock_suspect ? ", clock suspect" : "",
         v->unsent ? ", on this device only" : "");
}

static void print_values(const cli *c, const oc_record *r) {
  size_t name = 4, label = 4;
  for (size_t i = 0; i < oc_record_values(r); i++) {
    const oc_value_view *v = oc_record_value(r, i);
    size_t w = cli_width(label_of(c, v));
    if (strlen(v->field) > name) name = strlen(v->field);
    if (w > label) label = w > 30 ? 30 : w;
  }
  for (size_t i = 0; i < oc_record_values(r); i++) {
    const oc_value_view *v = oc_record_value(r, i);
    print_value(c, v, i && !strcmp(oc_record_value(r, i - 1)->field, v->field), name, label);
  }
}

static void print_record(const cli *c, const oc_record *r) {
  static const char *const states[] = {[OC_ON_DEVICE] = "on this device only",
                                       [OC_ON_SERVER] = "on the server",
                                       [OC_SAFE] = "safe: in a verified backup or on a second server"};
  printf("%s  %s", oc_record_kind(r), oc_record_id(r));
  if (*oc_record_participant(r)) fputs("  ", stdout), cli_put(stdout, oc_record_participant(r));
  printf("\nstate      %s\n",
         oc_record_own(r) ? states[oc_record_state(r)] : "on the server; not written on this device");
  if (oc_record_retracted(r)) puts("retracted  entered in error");
  if (oc_record_conflicts(r))
    printf("conflicts  %u; settle each with: overdracht resolve %s FIELD VALUE\n", oc_record_conflicts(r),
           cli_short_id(oc_record_id(r)));
  if (*oc_record_attention(r, c->dutch))
    fputs("attention  ", stdout), cli_put(stdout, oc_record_attention(r, c->dutch)), fputc('\n', stdout);
  if (*oc_record_missing(r)) printf("missing    %s\n", oc_record_missing(r));
  if (*oc_record_double(r)) printf("double     perhaps of %s\n", oc_record_double(r));
  print_values(c, r);
}

int cmd_show(cli *c, int argc, char **argv) {
  cli_args a;
  bool help;
  oc_query *q = NULL;
  int err = cli_parse(c, argc, argv, NULL, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 1, 1, "RECORD");
  if (!err) err = cli_open_shown(c);
  if (err) return err;
  if (oc_show(c->s, a.v[0], &q, &c->e)) return cli_fail(c);
  if (c->json) print_json(q);
  else print_record(c, oc_query_at(q, 0));
  oc_query_free(q);
  return 0;
}

int cmd_conflicts(cli *c, int argc, char **argv) {
  cli_args a;
  bool help;
  oc_query *q = NULL;
  int err = cli_parse(c, argc, argv, NULL, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  if (!err) err = cli_expect(c, &a, 0, 0, "");
  if (!err) err = cli_open_shown(c);
  if (err) return err;
  if (oc_query_run(c->s, &(oc_filter){.conflicts_only = true, .retracted_too = true, .max = 100000}, &q,
                   &c->e))
    return cli_fail(c);
  if (c->json) print_json(q);
  for (size_t i = 0; !c->json && i < oc_query_count(q); i++) {
    const oc_record *r = oc_query_at(q, i);
    printf("%s%s  %s", i ? "\n" : "", cli_short_id(oc_record_id(r)), oc_record_kind(r));
    if (*oc_record_participant(r)) fputs("  ", stdout), cli_put(stdout, oc_record_participant(r));
    fputc('\n', stdout);
    for (size_t k = 0; k < oc_record_values(r); k++) {
      const oc_value_view *v = oc_record_value(r, k);
      if (v->conflict) print_value(c, v, k && !strcmp(oc_record_value(r, k - 1)->field, v->field), 16, 20);
    }
  }
  if (!c->json && !c->quiet && !oc_query_count(q)) fputs("no conflicts\n", stderr);
  oc_query_free(q);
  return 0;
}
