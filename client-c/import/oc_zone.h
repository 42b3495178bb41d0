/* Time zones without the C library's: TZ and tzset are one setting of the whole process, and an app that
 * carries this library has its own. The rules come from the system's zone files (TZif, RFC 8536) or from a
 * POSIX rule; conversions are pure functions. */
#ifndef OC_ZONE_H
#define OC_ZONE_H

#include <stddef.h>
#include <stdint.h>

typedef struct oc_zone oc_zone;

/* Reads the zone file of an IANA name ("Europe/Amsterdam"). When the system has no zone files,
 * Europe/Amsterdam and UTC still work from a built-in rule (Amsterdam: right from 1996 on). 0, OV_E_NOTFOUND,
 * OV_E_INVALID (an illegal name), OV_E_FORMAT (no zone file), OV_E_NOMEM. *out is NULL on error. */
int oc_zone_open(const char *name, oc_zone **out);
/* From the bytes of a TZif file; borrows nothing. 0, OV_E_FORMAT, OV_E_LIMIT, OV_E_NOMEM. */
int oc_zone_from_tzif(const uint8_t *p, size_t n, const char *name, oc_zone **out);
/* From a POSIX rule such as "CET-1CEST,M3.5.0,M10.5.0/3". 0, OV_E_FORMAT, OV_E_NOMEM. */
int oc_zone_from_rule(const char *rule, const char *name, oc_zone **out);
void oc_zone_free(oc_zone *z); /* NULL is fine */
const char *oc_zone_name(const oc_zone *z);

/* Seconds east of Greenwich at that moment. */
int32_t oc_zone_offset(const oc_zone *z, int64_t utc);
/* Moments at which clocks in the zone show this local time (seconds since 1970-01-01 00:00 as if it were
 * UTC), ascending. Returns their number: 1, or 2 (the hour that comes twice), or 0 (the hour that is skipped;
 * out[0] is then the moment at which clocks would have shown it had they not been put forward, out[1] the
 * same). */
int oc_zone_to_utc(const oc_zone *z, int64_t local, int64_t out[2]);

/* Calendar, proleptic Gregorian. Days since 1970-01-01. */
int64_t oc_days_from_civil(int64_t year, unsigned month, unsigned day);
void oc_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned oc_days_in_month(int64_t year, unsigned month);
/* Floor division by 86,400: the day a count of seconds lies in. */
int64_t oc_day_of(int64_t seconds);

#endif
