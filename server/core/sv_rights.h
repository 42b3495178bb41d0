/* Who may do what: one table of role x kind x action. It is asked inside the write transaction for every op
 * (its author's role), at every delivery (the role of a personal device's person; a shared tablet counts as
 * care staff), and by administration and the web for what they show and do. The organisation never comes from
 * here: it is the session's. Pure data, any thread. */
#ifndef SV_RIGHTS_H
#define SV_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

/* Codes of person.role (proto/schema/person.json). */
typedef enum sv_role {
  SV_ROLE_NONE, /* unknown, or a code that this table does not know: may do nothing */
  SV_ROLE_CARE_STAFF,
  SV_ROLE_PROJECT_LEAD,
  SV_ROLE_EXPERT,
  SV_ROLE_ORG_ADMIN,
  SV_ROLE_RESEARCHER,
  SV_ROLE_PROGRAMME_ADMIN,
  SV_ROLE_PRIVACY_OFFICER,
  SV_ROLE_HUB,
  SV_ROLES
} sv_role;

typedef enum sv_action {
  SV_A_CREATE,     /* a new record */
  SV_A_EDIT,       /* new values of a record */
  SV_A_RETRACT,    /* 'entered in error', and undoing it */
  SV_A_SETTLE,     /* a value in place of values that are in conflict; who may edit may settle too */
  SV_A_READ,       /* see records: delivery to a device, views of the web */
  SV_A_RULE,       /* admit or dismiss what is held */
  SV_A_EXPORT,     /* take a copy out of the system */
  SV_A_ADMINISTER, /* through the server's own log: people, devices, teams, settings, terms */
  SV_A_ERASE,      /* destroy the keys */
  SV_A_AUDIT,      /* read who saw or changed records of this kind */
  SV_ACTIONS
} sv_action;

/* How far a right reaches. Records of the organisation's scope belong to no team: both `own team` and `own
 * organisation` cover them. `network`: of records that the programme shares, everybody's; of an
 * organisation's own records none at all, only figures that the release ledger has let out. */
typedef enum sv_reach { SV_NO, SV_OWN_TEAM, SV_OWN_ORG, SV_NETWORK } sv_reach;

/* In place of a kind: the figures of the release ledger. */
#define SV_KIND_RELEASE 0

/* Any role and kind number; kinds of newer schemas have a line of their own. */
sv_reach sv_right(unsigned role, uint16_t kind, sv_action action);

/* The table for people: lines in order of kind; false past the end. name and why are static. */
typedef struct sv_right_line {
  uint16_t kind;
  bool other; /* the line of kinds that the server does not know */
  const char *name, *why;
} sv_right_line;
bool sv_right_line_at(unsigned i, sv_right_line *out);
const char *sv_role_name(unsigned role); /* "care_staff"; "none" for what is no role */
const char *sv_action_name(sv_action action);
const char *sv_reach_name(sv_reach reach);

#endif
