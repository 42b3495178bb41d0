#include "oc_zone_rule.h"

#include <ctype.h>
#include <string.h>
#include "oc_zone.h"
#include "ov/error.h"

enum { HOUR_S = 3600, DAY_S = 86400 };

/* A cursor with a sticky error, so that the parser reads like the grammar. */
typedef struct cur {
  const char *p;
  bool bad;
} cur;

static bool take(cur *c, char ch) {
  if (c->bad || *c->p != ch) return false;
  c->p++;
  return true;
}

static int number(cur *c, int lo, int hi) {
  int v = 0, digits = 0;
  while (!c->bad && isdigit((unsigned char)*c->p) && digits < 4) {
    v = v * 10 + (*c->p++ - '0');
    digits++;
  }
  if (!digits || v < lo || v > hi) c->bad = true;
  return c->bad ? 0 : v;
}

static void abbreviation(cur *c) {
  const char *start = c->p;
  if (take(c, '<')) {
    while (*c->p && *c->p != '>') c->p++;
    if (!take(c, '>')) c->bad = true;
    return;
  }
  while (isalpha((unsigned char)*c->p)) c->p++;
  if (c->p - start < 3) c->bad = true;
}

static int32_t clock_time(cur *c, int hours_max) {
  int sign = take(c, '-') ? -1 : (take(c, '+'), 1);
  int32_t t = number(c, 0, hours_max) * HOUR_S;
  if (take(c, ':')) {
    t += number(c, 0, 59) * 60;
    if (take(c, ':')) t += number(c, 0, 59);
  }
  return sign * t;
}

static void change(cur *c, oc_zone_change *ch) {
  if (!take(c, ',')) {
    c->bad = true;
    return;
  }
  if (take(c, 'M')) {
    ch->form = 'M';
    ch->month = number(c, 1, 12);
    c->bad |= !take(c, '.');
    ch->week = number(c, 1, 5);
    c->bad |= !take(c, '.');
    ch->day = number(c, 0, 6);
  } else {
    ch->form = take(c, 'J') ? 'J' : 'N';
    ch->day = number(c, ch->form == 'J', 365);
  }
  ch->time = take(c, '/') ? clock_time(c, 167) : 2 * HOUR_S;
}

int oc_zone_rule_parse(const char *text, oc_zone_rule *r) {
  cur c = {text, false};
  memset(r, 0, sizeof *r);
  abbreviation(&c);
  r->std = -clock_time(&c, 24);
  if (!c.bad && *c.p) {
    r->has_dst = true;
    abbreviation(&c);
    r->dst = *c.p == ',' ? r->std + HOUR_S : -clock_time(&c, 24);
    change(&c, &r->start);
    change(&c, &r->end);
  }
  return c.bad || *c.p ? OV_E_FORMAT : 0;
}

static int64_t change_day(const oc_zone_change *ch, int64_t year) {
  int64_t first = oc_days_from_civil(year, 1, 1);
  if (ch->form == 'N') return first + ch->day;
  if (ch->form == 'J') return first + ch->day - 1 + (ch->day >= 60 && oc_days_in_month(year, 2) == 29);
  int64_t month_first = oc_days_from_civil(year, (unsigned)ch->month, 1);
  int weekday = (int)(((month_first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
  int64_t day = month_first + (ch->day - weekday + 7) % 7 + (ch->week - 1) * 7;
  while (day >= month_first + (int64_t)oc_days_in_month(year, (unsigned)ch->month)) day -= 7;
  return day;
}

int32_t oc_zone_rule_offset(const oc_zone_rule *r, int64_t utc) {
  int64_t year;
  unsigned month, day;
  if (!r->has_dst) return r->std;
  oc_civil_from_days(oc_day_of(utc + r->std), &year, &month, &day);
  int64_t start = change_day(&r->start, year) * DAY_S + r->start.time - r->std;
  int64_t end = change_day(&r->end, year) * DAY_S + r->end.time - r->dst;
  bool summer = start < end ? utc >= start && utc < end : !(utc >= end && utc < start);
  return summer ? r->dst : r->std;
}
