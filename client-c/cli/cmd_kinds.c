/* kinds: what can be written, from the schemas that the server sends. */
#include <string.h>

#include "cli.h"

static const char *text(const json_t *j, const char *key) {
  const char *t = json_string_value(json_object_get(j, key));
  return t ? t : "";
}

static const char *label(const cli *c, const json_t *j) {
  return text(json_object_get(j, "label"), c->dutch ? "nl" : "en");
}

static void print_kind(const cli *c, const json_t *k, bool plain) {
  if (plain) {
    printf("%s\n", text(k, "kind"));
    return;
  }
  printf("%-16s  ", text(k, "kind"));
  cli_put(stdout, label(c, k));
  fputc('\n', stdout);
}

static void print_codes(const cli *c, const json_t *codes) {
  size_t i;
  const json_t *code;
  json_array_foreach(codes, i, code) {
    printf("      %4lld  ", (long long)json_integer_value(json_object_get(code, "code")));
    cli_put(stdout, text(code, c->dutch ? "nl" : "en"));
    fputc('\n', stdout);
  }
}

static void print_range(const json_t *f) {
  const json_t *range = json_object_get(f, "range"), *lo = json_array_get(range, 0),
               *hi = json_array_get(range, 1);
  if (strcmp(text(f, "type"), "int")) return;
  if (json_is_integer(lo)) printf(" from %lld", (long long)json_integer_value(lo));
  if (json_is_integer(hi)) printf(" to %lld", (long long)json_integer_value(hi));
  if (*text(f, "unit")) printf(" %s", text(f, "unit"));
}

static void print_field(const cli *c, const json_t *f, bool plain) {
  if (plain) {
    if (strcmp(text(f, "type"), "bytes")) printf("%s\n", text(f, "name"));
    return;
  }
  printf("  %-18s  ", text(f, "name"));
  cli_put(stdout, label(c, f));
  printf("  [%s%s%s", text(f, "type"), *text(f, "ref") ? " " : "", text(f, "ref"));
  print_range(f);
  if (json_is_true(json_object_get(f, "required"))) fputs(", required", stdout);
  else if (json_array_size(json_object_get(f, "required_if"))) fputs(", sometimes required", stdout);
  if (json_array_size(json_object_get(f, "missing")))
    fputs(", may be missing (-98 not asked, -99 unknown)", stdout);
  fputs("]\n", stdout);
  print_codes(c, json_object_get(f, "codes"));
}

static int one_kind(cli *c, const json_t *kinds, const char *name, bool plain) {
  size_t i;
  json_t *k;
  const json_t *f;
  json_array_foreach(kinds, i, k) {
    if (strcmp(text(k, "kind"), name)) continue;
    if (c->json) return cli_json(json_incref(k)), 0;
    if (!plain) print_kind(c, k, false);
    size_t n;
    json_array_foreach(json_object_get(k, "fields"), n, f) print_field(c, f, plain);
    return 0;
  }
  c->e = (oc_error){.err = OC_E_NOTFOUND};
  snprintf(c->e.message, sizeof c->e.message, "no kind \"%.60s\" here; see: overdracht kinds", name);
  return cli_fail(c);
}

int cmd_kinds(cli *c, int argc, char **argv) {
  cli_opt opts[] = {{.name = "plain"}, {.name = NULL}};
  cli_args a;
  bool help;
  char *all = NULL;
  int err = cli_parse(c, argc, argv, opts, &a, &help);
  if (help) return cli_help(stdout, c->command), 0;
  bool plain = cli_value(opts, "plain") != NULL;
  if (!err) err = cli_expect(c, &a, 0, 1, "[KIND]");
  if (!err) err = cli_open(c, false);
  if (err) return err;
  if (oc_schemas_json(c->s, &all, &c->e)) return cli_fail(c);
  json_t *kinds = cli_json_of(all);
  oc_free(all);
  size_t i;
  const json_t *k;
  if (a.n) {
    err = one_kind(c, kinds, a.v[0], plain);
  } else if (c->json) {
    cli_json(json_incref(kinds));
  } else {
    json_array_foreach(kinds, i, k) print_kind(c, k, plain);
    if (!json_array_size(kinds) && !c->quiet) fputs("none yet: run overdracht sync\n", stderr);
  }
  json_decref(kinds);
  return err;
}
