/* Wall-clock time of one zone from the system's TZif files, without the C library's global TZ. */
#ifndef SV_ZONE_H
#define SV_ZONE_H

#include <stddef.h>
#include <stdint.h>

typedef struct sv_zone sv_zone;
/* name: IANA. OV_E_INVALID (an illegal name), OV_E_NOTFOUND, OV_E_FORMAT, OV_E_NOMEM. */
int sv_zone_open(const char *name, sv_zone **out);
/* The same from a file's bytes. */
int sv_zone_read(const uint8_t *p, size_t n, sv_zone **out);
void sv_zone_close(sv_zone *z);
/* Seconds to add to UTC at that moment; 0 for NULL. */
int32_t sv_zone_offset(const sv_zone *z, int64_t utc);

#endif
