/* Dates and times of day as people and devices write them: D-M-YYYY, D/MM/YYYY, ISO 8601, month names, AM and
 * PM. */
#include "import_internal.h"

#include <stdio.h>
#include <string.h>

/* A cursor over one text; `bad` is sticky. */
typedef struct cur {
  const char *p, *end;
  bool bad;
} cur;

static bool digit(char c) { return c >= '0' && c <= '9'; }

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static char peek(const cur *c) { return c->p < c->end ? *c->p : '\0'; }

static bool take(cur *c, const char *any) {
  char ch = peek(c);
  if (!ch || !strchr(any, ch)) return false;
  c->p++;
  return true;
}

static void spaces(cur *c) {
  while (take(c, " \t"))
    ;
}

/* A run of at most max digits; *n says how many. */
static int64_t digits(cur *c, unsigned max, unsigned *n) {
  int64_t v = 0;
  for (*n = 0; *n < max && digit(peek(c)); (*n)++) v = v * 10 + (*c->p++ - '0');
  if (!*n) c->bad = true;
  return v;
}

static cell word(cur *c) {
  const char *start = c->p;
  while (letter(peek(c))) c->p++;
  return (cell){start, (size_t)(c->p - start)};
}

static unsigned month_named(cell w) {
  static const char *const names[12] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
  if (w.n < 3) return 0;
  for (unsigned i = 0; i < 12; i++)
    if (same_text(w.p, 3, names[i])) return i + 1;
  if (same_text(w.p, 3, "mrt") || same_text(w.p, 3, "maa")) return 3;
  if (same_text(w.p, 3, "mei")) return 5;
  return same_text(w.p, 3, "okt") ? 10 : 0;
}

/* "ma 2-3-2026", "Mon, 2 Mar 2026" */
static void skip_weekday(cur *c) {
  cur before = *c;
  if (word(c).n < 2) {
    *c = before;
    return;
  }
  take(c, ".,");
  spaces(c);
  if (!digit(peek(c))) *c = before;
}

static void date_parts(importer *im, cur *c, int64_t *y, int64_t *m, int64_t *d) {
  int64_t part[3];
  unsigned n[3] = {0};
  part[0] = digits(c, 8, &n[0]);
  if (n[0] == 8) {
    *y = part[0] / 10000, *m = part[0] / 100 % 100, *d = part[0] % 100;
    return;
  }
  bool named = false;
  for (unsigned i = 1; i < 3; i++) {
    if (!take(c, "-/. ")) c->bad = true;
    spaces(c);
    if (i == 1 && letter(peek(c))) {
      part[1] = month_named(word(c));
      named = true;
      take(c, ".");
      c->p -= !strchr("-/. ", peek(c)) && c->p[-1] == '.';
    } else {
      part[i] = digits(c, i == 2 ? 4 : 2, &n[i]);
    }
  }
  date_order o = n[0] == 4 ? ORDER_YMD : im->m->order == ORDER_YMD && n[2] == 4 ? ORDER_DMY : im->m->order;
  if (named && o == ORDER_MDY) o = ORDER_DMY;
  *y = o == ORDER_YMD ? part[0] : part[2];
  *m = o == ORDER_MDY ? part[0] : part[1];
  *d = o == ORDER_YMD ? part[2] : o == ORDER_MDY ? part[1] : part[0];
  unsigned year_digits = o == ORDER_YMD ? n[0] : n[2];
  if (year_digits == 2) *y += 2000;
  else if (year_digits != 4) c->bad = true;
}

static int meridiem(cur *c) {
  cur before = *c;
  spaces(c);
  char first = peek(c);
  if (first && strchr("aApP", first)) {
    c->p++;
    take(c, ".");
    if (take(c, "mM")) {
      take(c, ".");
      if (!letter(peek(c))) return strchr("aA", first) ? 1 : 2;
    }
  }
  *c = before;
  return 0;
}

static void skip_word_uur(cur *c) {
  cur before = *c;
  spaces(c);
  cell w = word(c);
  if (!same_text(w.p, w.n, "uur") && !same_text(w.p, w.n, "u") && !same_text(w.p, w.n, "h")) *c = before;
}

static void time_parts(cur *c, int64_t *seconds) {
  unsigned n, k;
  int64_t h = digits(c, 4, &n), m = 0, s = 0;
  bool minutes = n <= 2 && take(c, ":.uh");
  if (n > 2) {
    m = h % 100;
    h /= 100;
    c->bad |= n == 3;
  } else if (minutes && digit(peek(c))) {
    m = digits(c, 2, &k);
    c->bad |= k != 2;
    if (digit(c->end > c->p + 1 ? c->p[1] : '\0') && take(c, ":.")) {
      s = digits(c, 2, &k);
      if (take(c, ".,")) digits(c, 9, &k);
    }
  } else if (minutes) {
    minutes = false; /* "22u" */
  }
  int half = meridiem(c);
  if (!half && n <= 2 && !minutes && c->p[-1] != 'u' && c->p[-1] != 'h')
    c->bad = true; /* a bare number is no time */
  if (half && (h < 1 || h > 12)) c->bad = true;
  if (half) h = h % 12 + (half == 2 ? 12 : 0);
  else skip_word_uur(c);
  if (h > 24 || m > 59 || s > 60 || (h == 24 && (m || s))) c->bad = true;
  *seconds = h * HOUR_S + m * 60 + (s == 60 ? 59 : s);
}

/* Z, +01:00, +0100, +01 */
static void offset_part(cur *c, clock_text *out) {
  unsigned n;
  if (take(c, "Zz")) {
    out->has_offset = true;
    return;
  }
  char sign = peek(c);
  if (!take(c, "+-")) return;
  int64_t h = digits(c, 2, &n), m = 0;
  take(c, ":");
  if (digit(peek(c))) m = digits(c, 2, &n);
  c->bad |= h > 14 || m > 59;
  out->has_offset = true;
  out->offset = (sign == '-' ? -1 : 1) * (h * HOUR_S + m * 60);
}

static bool no_date(importer *im, cell c) {
  static const char *const orders[] = {"day-month-year", "month-day-year", "year-month-day"};
  return import_no(im, "", "'%.*s' is no date (%s is expected)", (int)(c.n < 60 ? c.n : 60), c.p,
                   orders[im->m->order]);
}

static bool read_date(importer *im, cell text, cur *c, clock_text *out) {
  int64_t y = 0, m = 0, d = 0;
  skip_weekday(c);
  date_parts(im, c, &y, &m, &d);
  if (c->bad || m < 1 || m > 12 || d < 1 || d > oc_days_in_month(y, (unsigned)m)) return no_date(im, text);
  if (y < 2000 || y > 2100) return import_no(im, "", "the year %d lies outside 2000 to 2100", (int)y);
  out->days = oc_days_from_civil(y, (unsigned)m, (unsigned)d);
  out->has_days = true;
  return true;
}

bool parse_when(importer *im, cell text, bool date_wanted, bool time_wanted, clock_text *out) {
  cur c = {text.p, text.p + text.n, false};
  int show = (int)(text.n < 60 ? text.n : 60);
  *out = (clock_text){0};
  if (date_wanted && !read_date(im, text, &c, out)) return false;
  bool gap = !date_wanted || take(&c, " \tT,");
  spaces(&c);
  if (gap && c.p < c.end) {
    time_parts(&c, &out->seconds);
    out->has_seconds = true;
    spaces(&c);
    if (date_wanted && time_wanted) offset_part(&c, out);
    spaces(&c);
  }
  if (c.bad || c.p < c.end || (date_wanted && !time_wanted && out->seconds))
    return date_wanted && !time_wanted
               ? no_date(im, text)
               : import_no(im, "", "'%.*s' is no %s", show, text.p, date_wanted ? "date with time" : "time");
  if (time_wanted && !out->has_seconds) return import_no(im, "", "'%.*s' has no time", show, text.p);
  return true;
}

void show_local(int64_t local, bool with_date, char out[40]) {
  int64_t day = oc_day_of(local), s = local - day * DAY_S, y;
  unsigned m, d;
  oc_civil_from_days(day, &y, &m, &d);
  if (with_date)
    snprintf(out, 40, "%04d-%02u-%02u %02d:%02d", (int)(y % 10000), m % 100, d % 100, (int)(s / HOUR_S),
             (int)(s / 60 % 60));
  else snprintf(out, 40, "%02d:%02d", (int)(s / HOUR_S), (int)(s / 60 % 60));
}
