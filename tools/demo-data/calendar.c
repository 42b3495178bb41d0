#include "calendar.h"

#include <stdio.h>
#include <stdlib.h>

#define HOUR_S 3600

static bool leap(int64_t y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }

/* Days from 1970-01-01 to the first of January of a year from 1970 on. */
static int64_t year_start(int64_t y) {
  int64_t before = y - 1;
  return 365 * (y - 1970) + (before / 4 - before / 100 + before / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static int month_days(int64_t y, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && leap(y));
}

int64_t dd_day(int year, int month, int day) {
  int64_t n = year_start(year) + day - 1;
  for (int m = 1; m < month; m++) n += month_days(year, m);
  return n;
}

void dd_civil(int64_t day, int *year, int *month, int *mday) {
  int64_t y = 1970 + day / 366;
  while (year_start(y + 1) <= day) y++;
  int64_t rest = day - year_start(y);
  int m = 1;
  while (rest >= month_days(y, m)) rest -= month_days(y, m++);
  *year = (int)y;
  *month = m;
  *mday = (int)rest + 1;
}

/* 01:00 UTC on the last Sunday of a month of 31 days. 1970-01-01 was a Thursday. */
static int64_t change(int year, int month) {
  int64_t last = dd_day(year, month, 31);
  return (last - (last + 4) % 7) * DD_DAY_S + HOUR_S;
}

static bool summer(int64_t utc) {
  int year, month, day;
  dd_civil(utc / DD_DAY_S, &year, &month, &day);
  return utc >= change(year, 3) && utc < change(year, 10);
}

int64_t dd_local(int64_t day, int64_t minute) {
  int64_t wall = day * DD_DAY_S + minute * 60;
  return summer(wall - 2 * HOUR_S) ? wall - 2 * HOUR_S : wall - HOUR_S;
}

int64_t dd_local_day(int64_t utc) { return (utc + (summer(utc) ? 2 : 1) * HOUR_S) / DD_DAY_S; }

bool dd_parse_date(const char *text, int64_t *day) {
  int y, m, d, n = 0, y2, m2, d2;
  if (sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || text[n] || y < 2000 || y > 2100 || m < 1 ||
      m > 12 || d < 1 || d > 31)
    return false;
  *day = dd_day(y, m, d);
  dd_civil(*day, &y2, &m2, &d2);
  return y == y2 && m == m2 && d == d2;
}
