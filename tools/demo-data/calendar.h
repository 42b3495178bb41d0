/* Days and the wall clock of Europe/Amsterdam, by the rule of the European Union: no time zone files needed,
 * so the same everywhere. */
#ifndef DD_CALENDAR_H
#define DD_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define DD_DAY_S 86400

int64_t dd_day(int year, int month, int day); /* days since 1970; years from 1970 on */
void dd_civil(int64_t day, int *year, int *month, int *mday);
/* UTC seconds of a wall time; minute counts from midnight and may lie on other days. A time that the spring
 * change skips is read an hour later, one that the autumn change repeats is the first. */
int64_t dd_local(int64_t day, int64_t minute);
int64_t dd_local_day(int64_t utc); /* the calendar day at this moment */
/* "2026-03-29"; false when it is no date. */
bool dd_parse_date(const char *text, int64_t *day);

#endif
