/* Numbers, durations and yes/no as people and devices write them. */
#include "import_internal.h"

#include <string.h>

#define SHOW(c) (int)((c).n < 60 ? (c).n : 60), (c).p

static bool digit(char c) { return c >= '0' && c <= '9'; }

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static size_t count(cell c, char ch) {
  size_t n = 0;
  for (size_t i = 0; i < c.n; i++) n += c.p[i] == ch;
  return n;
}

/* Which sign is the decimal one. A single sign of either kind is (18,5 and 18.5 alike, also 1,200: minutes
 * are never in thousands); of two kinds it is the last. */
static char decimal_sign(const importer *im, cell c) {
  size_t commas = count(c, ','), points = count(c, '.');
  if (im->m->dec != DEC_AUTO) return im->m->dec == DEC_COMMA ? ',' : '.';
  if (commas && points) return memchr(c.p, ',', c.n) > memchr(c.p, '.', c.n) ? ',' : '.';
  return commas == 1 || points > 1 ? ',' : '.';
}

/* A thousands sign stands before exactly three digits. */
static bool three_digits(cell c, size_t i) {
  return i + 3 <= c.n && digit(c.p[i]) && digit(c.p[i + 1]) && digit(c.p[i + 2]) &&
         (i + 3 == c.n || !digit(c.p[i + 3]));
}

static bool number_text(importer *im, cell c, int64_t *out) {
  char point = decimal_sign(im, c);
  int64_t v = 0;
  size_t i = 0, digits = 0, scale = 3;
  bool fraction = false;
  for (; i < c.n; i++) {
    if (digit(c.p[i])) {
      digits++;
      if (!fraction) v = v * 10 + (c.p[i] - '0') * 1000;
      else if (scale > 0) v += (c.p[i] - '0') * (const int64_t[]){0, 1, 10, 100}[scale--];
      if (v > 1000000000000) return false;
    } else if (c.p[i] == point && !fraction) {
      fraction = true;
    } else if ((c.p[i] == ',' || c.p[i] == '.') && !fraction && digits && three_digits(c, i + 1)) {
      continue;
    } else {
      return false;
    }
  }
  *out = v;
  return digits > 0;
}

bool parse_thousandths(importer *im, cell c, int64_t *out) {
  static const char minus[] = "\xe2\x88\x92";
  cell rest = c;
  bool negative = false;
  if (rest.n > 3 && !memcmp(rest.p, minus, 3)) {
    negative = true;
    rest = (cell){c.p + 3, c.n - 3};
  } else if (rest.n > 1 && (*rest.p == '-' || *rest.p == '+')) {
    negative = *rest.p == '-';
    rest = (cell){c.p + 1, c.n - 1};
  }
  if (!number_text(im, rest, out)) return import_no(im, "", "'%.*s' is no number", SHOW(c));
  if (negative) *out = -*out;
  return true;
}

static int64_t rounded(int64_t v, int64_t unit) {
  return v >= 0 ? (v + unit / 2) / unit : -((-v + unit / 2) / unit);
}

bool parse_int(importer *im, cell c, bool round, int64_t *out) {
  int64_t v;
  if (!parse_thousandths(im, c, &v)) return false;
  if (v % 1000 && !round)
    return import_no(im, "", "'%.*s' is no whole number (round = yes in the map would round it)", SHOW(c));
  *out = rounded(v, 1000);
  return true;
}

static int64_t unit_seconds(cell c) {
  static const struct {
    const char *name;
    int64_t s;
  } units[] = {{"h", 3600},    {"hr", 3600},   {"hrs", 3600},   {"hour", 3600}, {"hours", 3600},
               {"u", 3600},    {"uur", 3600},  {"uren", 3600},  {"m", 60},      {"min", 60},
               {"mins", 60},   {"minute", 60}, {"minutes", 60}, {"minuut", 60}, {"minuten", 60},
               {"s", 1},       {"sec", 1},     {"secs", 1},     {"second", 1},  {"seconds", 1},
               {"seconde", 1}, {"seconden", 1}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (same_text(c.p, c.n, units[i].name)) return units[i].s;
  return 0;
}

/* 1:30, 01:30:00 */
static bool colon_duration(cell c, int64_t *ms) {
  int64_t part[3] = {0, 0, 0};
  unsigned n = 0, digits = 0;
  for (size_t i = 0; i < c.n; i++) {
    if (digit(c.p[i]) && ++digits <= 3) part[n] = part[n] * 10 + (c.p[i] - '0');
    else if (c.p[i] == ':' && digits && n < 2) n++, digits = 0;
    else return false;
  }
  if (!n || !digits || part[1] > 59 || part[2] > 59) return false;
  *ms = (part[0] * 3600 + part[1] * 60 + part[2]) * 1000;
  return true;
}

/* 75, 18,5, 1 h 15 min, 2 hours 5 min., 1u15 */
static bool worded_duration(importer *im, cell c, int64_t unit_s, int64_t *ms) {
  size_t i = 0;
  int64_t last = 0;
  bool any = false;
  *ms = 0;
  while (i < c.n) {
    size_t start = i;
    while (i < c.n && (digit(c.p[i]) || c.p[i] == '.' || c.p[i] == ',' || c.p[i] == '-' || c.p[i] == '+'))
      i++;
    int64_t v = 0, unit = last == 3600 ? 60 : unit_s;
    if (i == start || !parse_thousandths(im, (cell){c.p + start, i - start}, &v) || (any && !last))
      return false;
    while (i < c.n && c.p[i] == ' ') i++;
    start = i;
    while (i < c.n && letter(c.p[i])) i++;
    last = i > start ? unit_seconds((cell){c.p + start, i - start}) : 0;
    if (i > start && !last) return false;
    while (i < c.n && (c.p[i] == ' ' || c.p[i] == '.')) i++;
    *ms += v * (last ? last : unit);
    any = true;
  }
  return any;
}

bool parse_minutes(importer *im, cell c, int64_t unit_s, int64_t *out) {
  int64_t ms;
  if (!colon_duration(c, &ms) && !worded_duration(im, c, unit_s, &ms))
    return import_no(im, "", "'%.*s' is no duration", SHOW(c));
  *out = rounded(ms, 60000);
  return true;
}

bool parse_bool(importer *im, cell c, int64_t *out) {
  static const struct {
    const char *word;
    int64_t v;
  } words[] = {{"1", 1},  {"0", 0}, {"ja", 1},   {"nee", 0},   {"j", 1},    {"n", 0},      {"yes", 1},
               {"no", 0}, {"y", 1}, {"true", 1}, {"false", 0}, {"waar", 1}, {"onwaar", 0}, {"x", 1}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (same_text(c.p, c.n, words[i].word)) {
      *out = words[i].v;
      return true;
    }
  }
  return import_no(im, "", "'%.*s' is neither yes nor no", SHOW(c));
}
