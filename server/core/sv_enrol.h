/* Enrolment codes: 12 letters and digits without I, L, O and U (60 bits); the first four find the row, so
 * that a wrong rest costs a try. */
#ifndef SV_ENROL_H
#define SV_ENROL_H

#include "sv_core.h"

#define SV_CODE_CHARS 12
#define SV_CODE_LOCATOR_CHARS 4
#define SV_CODE_TEXT 16 /* "ABCD-EFGH-JKMN" and its end */

/* Upper case, separators left out, look-alikes read as digits; out is terminated. Returns its length. */
size_t sv_code_fold(const char *text, size_t n, char out[OV_CODE_TEXT_MAX + 1]);
/* Hashes of a folded code; OV_E_CODE when its length is wrong. */
int sv_code_hashes(ov_hasher *h, const char *folded, uint8_t locator[OV_HASH_BYTES],
                   uint8_t secret[OV_HASH_BYTES]);
/* Makes and stores (in the programme's environment) a code for a device record; out: as people type it. It is
 * stored as hashes only. */
int sv_code_make(sv_txn *t, const sv_sys *sys, const ov_id *organisation, const ov_name *device_record,
                 char out[SV_CODE_TEXT]);

/* The same, for the organisation, device record, person and device_until_ms of `like`. */
int sv_code_make_for(sv_txn *t, const sv_sys *sys, const sv_code *like, char out[SV_CODE_TEXT]);

#endif
