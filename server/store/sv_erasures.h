/* The list of erasures: a small file outside of LMDB and of the keyrings, beside the data and beside the
 * backups, so that an older backup or an older keyring that is put back cannot bring an erased person back:
 * it is read at every start and at every restore, and what it names is erased again. It holds the opaque name
 * of the participant's record, nothing else about anybody.
 *
 *   overdracht erasures 1
 *   <organisation, hex> <participant's name as text> <ms since 1970>
 */
#ifndef SV_ERASURES_H
#define SV_ERASURES_H

#include "ov/error.h"
#include "ov/name.h"

typedef struct sv_erasure {
  ov_id organisation;
  ov_name participant;
  int64_t at_ms;
} sv_erasure;

/* All of a file; *out is malloc'ed, NULL when there are none (also when there is no file). A last line that a
 * crash cut short is passed over. OV_E_CORRUPT for anything else that is no such line: better no start than a
 * person brought back. */
int sv_erasures_read(const char *file, sv_erasure **out, uint32_t *n);
/* Appends those that are not in it yet; durable when it returns 0. Makes the file (0600). */
int sv_erasures_add(const char *file, const sv_erasure *e, uint32_t n);

#endif
