/* A POSIX time zone rule ("CET-1CEST,M3.5.0,M10.5.0/3"): what holds after the last change listed in a zone
 * file. */
#ifndef OC_ZONE_RULE_H
#define OC_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct oc_zone_change {
  char form;            /* 'M' month.week.day, 'J' day 1..365 without 29 February, 'N' day 0..365 */
  int month, week, day; /* week 5 is the last */
  int32_t time;         /* seconds after local midnight; may be negative or over a day */
} oc_zone_change;

typedef struct oc_zone_rule {
  int32_t std, dst; /* seconds east of Greenwich */
  bool has_dst;
  oc_zone_change start, end;
} oc_zone_rule;

/* 0 or OV_E_FORMAT. */
int oc_zone_rule_parse(const char *text, oc_zone_rule *r);
int32_t oc_zone_rule_offset(const oc_zone_rule *r, int64_t utc);

#endif
