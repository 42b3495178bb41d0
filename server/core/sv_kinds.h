/* Field ids of the kinds that the server itself reads. They stand in proto/schema/<kind>.json and, like every
 * field id, never change. */
#ifndef SV_KINDS_H
#define SV_KINDS_H

#define SV_ORGANISATION_NAME 2
#define SV_ORGANISATION_KEY 3
#define SV_ORGANISATION_ACTIVE 4
#define SV_ORGANISATION_ZONE 9
#define SV_TEAM_NAME 2
#define SV_TEAM_SCOPE 3
#define SV_TEAM_KEY 4
#define SV_TEAM_ACTIVE 5
#define SV_PERSON_NAME 2
#define SV_PERSON_ROLE 3
#define SV_PERSON_TEAMS 4
#define SV_PERSON_ACTIVE 5
#define SV_DEVICE_NAME 2
#define SV_DEVICE_TEAMS 3
#define SV_DEVICE_STATUS 4
#define SV_PARTICIPANT_LABEL 2
#define SV_PARTICIPANT_TEAMS 4
#define SV_PARTICIPANT_KEY 5
#define SV_KIND_CONSENT 7
#define SV_CONSENT_PURPOSE 2
#define SV_CONSENT_GIVEN_ON 4
#define SV_CONSENT_VALID 9
#define SV_CONSENT_WITHDRAWN 10
#define SV_CONSENT_RESISTANCE 11
#define SV_KIND_PROJECT 8
#define SV_PROJECT_NETWORK 4
#define SV_PROJECT_IMPLEMENTATION 9
#define SV_PROJECT_FOLLOW_UP 10
#define SV_ERASURE_ERASED 2
#define SV_ERASURE_GROUND 3
#define SV_ERASURE_AT 4
#define SV_PURGE_ERASURE 2
#define SV_PURGE_ENTRIES 3
#define SV_PURGE_RECORDS 4
#define SV_LOOK_FIRST 2
#define SV_LOOK_LAST 3
#define SV_LOOK_TIMES 4
#define SV_RULING_TARGET 2
#define SV_RULING_VERDICT 3
#define SV_RULING_REASON 4
#define SV_RULING_SAW 5
#define SV_RULING_ADMIT 1
#define SV_RULING_DISMISS 2

#endif
