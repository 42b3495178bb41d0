/* One line of a map: its words, and the pieces that lines are made of. */
#include "import_internal.h"

#include <stdio.h>
#include <string.h>

void map_fail(map_parser *p, int err, const char *fmt, ...) {
  va_list ap;
  if (p->failed) return;
  p->failed = err;
  p->err->line = p->line;
  va_start(ap, fmt);
  vsnprintf(p->err->text, sizeof p->err->text, fmt, ap);
  va_end(ap);
}

static const char *keep(map_parser *p, const char *s, size_t n) {
  char *copy = ov_arena_alloc(&p->m->arena, n + 1);
  if (!copy) {
    map_fail(p, OV_E_NOMEM, "out of memory");
    return "";
  }
  memcpy(copy, s, n);
  return copy;
}

static void add_token(map_parser *p, const char *s, size_t n, bool quoted) {
  if (p->tok.n == OC_IMPORT_MAP_TOKENS_MAX) {
    map_fail(p, OV_E_INVALID, "more than %u words on a line", OC_IMPORT_MAP_TOKENS_MAX);
    return;
  }
  p->tok.t[p->tok.n++] = (token){keep(p, s, n), quoted};
}

/* A quoted text; "" inside stands for one quote. Returns the place after it. */
static size_t quoted_token(map_parser *p, const char *s, size_t n, size_t i) {
  char *text = ov_arena_alloc(&p->m->arena, n + 1);
  size_t len = 0;
  if (!text) {
    map_fail(p, OV_E_NOMEM, "out of memory");
    return n;
  }
  for (i++; i < n; i++) {
    if (s[i] == '"' && !(i + 1 < n && s[i + 1] == '"')) break;
    if (s[i] == '"') i++;
    text[len++] = s[i];
  }
  if (i >= n) {
    map_fail(p, OV_E_INVALID, "a quote is not closed");
    return n;
  }
  add_token(p, text, len, true);
  return i + 1;
}

void map_tokens(map_parser *p, const char *s, size_t n) {
  size_t i = 0;
  p->tok.n = 0;
  while (i < n && !p->failed) {
    if (s[i] == ' ' || s[i] == '\t') {
      i++;
    } else if (s[i] == '"') {
      i = quoted_token(p, s, n, i);
    } else if (s[i] == '=' || s[i] == ',') {
      add_token(p, s + i, 1, false);
      i++;
    } else {
      size_t start = i;
      while (i < n && !strchr(" \t\"=,", s[i])) i++;
      add_token(p, s + start, i - start, false);
    }
  }
}

static bool is_sign(const token *t, char sign) { return !t->quoted && t->text[0] == sign && !t->text[1]; }

const char *map_one(map_parser *p, const char *what) {
  if (p->tok.n == 3 && is_sign(&p->tok.t[1], '=') &&
      (p->tok.t[2].quoted || !strchr("=,", p->tok.t[2].text[0])))
    return p->tok.t[2].text;
  map_fail(p, OV_E_INVALID, "'%.40s = %s' is expected", p->tok.t[0].text, what);
  return "";
}

int map_choice(map_parser *p, const char *const *names) {
  char all[160] = "";
  size_t used = 0;
  const char *s = map_one(p, "word");
  for (int i = 0; names[i]; i++) {
    if (!strcmp(names[i], s)) return i;
    int w = snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    used += w > 0 && used + (size_t)w < sizeof all ? (size_t)w : 0;
  }
  map_fail(p, OV_E_INVALID, "'%.40s' is not known; one of %s is", s, all);
  return 0;
}

bool map_yes(map_parser *p) {
  static const char *const names[] = {"no", "yes", NULL};
  return map_choice(p, names) == 1;
}

bool map_whole(const char *s, int64_t *out) {
  int64_t v = 0;
  bool minus = *s == '-';
  s += minus;
  if (!*s) return false;
  for (; *s; s++) {
    if (*s < '0' || *s > '9' || v > 1000000000) return false;
    v = v * 10 + (*s - '0');
  }
  *out = minus ? -v : v;
  return true;
}

int64_t map_int(map_parser *p, int64_t lo, int64_t hi) {
  int64_t v = 0;
  const char *s = map_one(p, "number");
  if (!map_whole(s, &v) || v < lo || v > hi) {
    map_fail(p, OV_E_INVALID, "'%.40s' is no whole number from %lld to %lld", s, (long long)lo,
             (long long)hi);
    return lo;
  }
  return v;
}

unsigned map_column(map_parser *p, const char *name, bool needed) {
  oc_import_map *m = p->m;
  unsigned i = 0;
  if (!*name) {
    map_fail(p, OV_E_INVALID, "a column's name is empty");
    return 0;
  }
  while (i < m->n_columns && !same_text(m->columns[i], strlen(m->columns[i]), name)) i++;
  if (i == OC_IMPORT_COLUMNS_MAX) {
    map_fail(p, OV_E_INVALID, "more than %u columns", OC_IMPORT_COLUMNS_MAX);
    return 0;
  }
  if (i == m->n_columns) m->columns[m->n_columns++] = name;
  m->needed[i] |= needed;
  return i;
}

const char **map_texts(map_parser *p, unsigned from, unsigned *n) {
  const char **list = ov_arena_array(&p->m->arena, OC_IMPORT_MAP_LIST_MAX, sizeof *list);
  *n = 0;
  if (!list) map_fail(p, OV_E_NOMEM, "out of memory");
  for (unsigned i = from; list && i < p->tok.n && !p->failed; i++) {
    bool comma = (i - from) % 2 == 1;
    if (is_sign(&p->tok.t[i], ',') != comma || is_sign(&p->tok.t[i], '='))
      map_fail(p, OV_E_INVALID, "a list with commas is expected: \"a\", \"b\"");
    else if (!comma) list[(*n)++] = p->tok.t[i].text;
  }
  if (!p->failed && (!*n || (p->tok.n - from) % 2 == 0))
    map_fail(p, OV_E_INVALID, "a list with commas is expected: \"a\", \"b\"");
  return list;
}

void map_cond_line(map_parser *p, map_cond *c) {
  const tokens *t = &p->tok;
  if (t->n < 4 || !t->t[1].quoted || !is_sign(&t->t[2], '=')) {
    map_fail(p, OV_E_INVALID, "'%s \"column\" = \"text\", \"text\"' is expected", t->t[0].text);
    return;
  }
  if (c->set) {
    map_fail(p, OV_E_INVALID, "'%s' stands here twice", t->t[0].text);
    return;
  }
  c->column = map_column(p, t->t[1].text, true);
  c->values = map_texts(p, 3, &c->n);
  c->set = true;
}

void map_value_line(map_parser *p, map_values *v, bool to_int) {
  const tokens *t = &p->tok;
  if (t->n != 4 || !t->t[1].quoted || !is_sign(&t->t[2], '=') || is_sign(&t->t[3], '=') ||
      is_sign(&t->t[3], ',')) {
    map_fail(p, OV_E_INVALID, "'value \"text in the file\" = %s' is expected",
             to_int ? "number" : "\"text\"");
    return;
  }
  if (!v->v) v->v = ov_arena_array(&p->m->arena, OC_IMPORT_MAP_VALUES_MAX, sizeof *v->v);
  if (!v->v || v->n == OC_IMPORT_MAP_VALUES_MAX) {
    map_fail(p, v->v ? OV_E_INVALID : OV_E_NOMEM, "more than %u values", OC_IMPORT_MAP_VALUES_MAX);
    return;
  }
  for (unsigned i = 0; i < v->n; i++)
    if (same_text(v->v[i].text, strlen(v->v[i].text), t->t[1].text))
      map_fail(p, OV_E_INVALID, "\"%.60s\" stands here twice", t->t[1].text);
  map_value *x = &v->v[v->n++];
  *x = (map_value){.text = t->t[1].text, .to = t->t[3].text};
  if (to_int && !map_whole(x->to, &x->code)) map_fail(p, OV_E_INVALID, "'%.40s' is no whole number", x->to);
}
