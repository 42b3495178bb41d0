/* Consent: may data about this participant be used for this purpose? Records of kind consent
 * (proto/schema/consent.json) say so; this is the one rule that reads them.
 *
 *  - A record counts when it is created, not retracted, complete by its schema (who gave it, when, on which
 *    form), valid, not withdrawn, without resistance of the client, and given on the day asked for or before.
 *  - Withdrawn is: a withdrawal day up to the day asked for, or valid = no. Nobody has to make the two agree.
 *  - A later consent outweighs an earlier withdrawal, never one of the same day or later: of two records the
 *    latest decides, and a withdrawal of an older form that came after the newer consent counts too.
 *  - What is unclear is no: a conflict in purpose, day, validity, withdrawal, resistance or retraction of any
 *    record that may be about this purpose. A held op says nothing either way.
 *  - No record, an unknown or an erased participant: no. */
#ifndef SV_CONSENT_H
#define SV_CONSENT_H

#include "sv_core.h"

typedef enum sv_purpose {
  SV_PURPOSE_LOG = 1,            /* keeping the log at all */
  SV_PURPOSE_NETWORK_REVIEW = 2, /* talked over in the theme network */
  SV_PURPOSE_RESEARCH = 3,       /* counted in releases */
  SV_PURPOSE_STORY = 4
} sv_purpose;

/* at: seconds since 1970; its UTC day counts. *yes is false on any error. Reads as many records as the
 * participant has consents, inside the caller's transaction. 0 or a store error. */
int sv_consent(sv_txn *t, const sv_org *org, const ov_name *participant, sv_purpose purpose, int64_t at,
               bool *yes);

/* The same for all purposes at once: bit 1 << purpose for each with consent, and SV_CONSENT_LOOKED_AT, so
 * that 'none' differs from 'nobody looked'. */
#define SV_CONSENT_LOOKED_AT 1u
int sv_consent_profile(sv_txn *t, const sv_org *org, const ov_name *participant, int64_t at, uint8_t *bits);

#endif
