/* What the table of rights must say, written a second time in another form and from the rules themselves: who
 * does what in an organisation, in words and conditions, not in columns. A test that walks all cells compares
 * the two through the real thing. */
#ifndef RIGHTS_EXPECT_H
#define RIGHTS_EXPECT_H

#include "sv_rights.h"

static inline bool one_of(unsigned x, const unsigned *set) {
  while (*set) {
    if (*set++ == x) return true;
  }
  return false;
}
#define IS(role, ...) one_of((role), (const unsigned[]){__VA_ARGS__, 0})

#define CARE SV_ROLE_CARE_STAFF
#define LEAD SV_ROLE_PROJECT_LEAD
#define EXPERT SV_ROLE_EXPERT
#define ADMIN SV_ROLE_ORG_ADMIN
#define RESEARCH SV_ROLE_RESEARCHER
#define PROGRAMME SV_ROLE_PROGRAMME_ADMIN
#define PRIVACY SV_ROLE_PRIVACY_OFFICER
#define HUB SV_ROLE_HUB

/* organisation, team, person, device, ruling, erasure, schema: only a server writes them; a purge only a
 * device in nobody's name; a look any device, whoever looked, which is no right of a role */
static inline bool of_the_server(uint16_t k) { return (k >= 1 && k <= 5) || (k >= 15 && k <= 18); }
static inline bool reference_list(uint16_t k) { return k == 9 || k == 10 || k == 11; }
static inline bool story(uint16_t k) { return k == 12 || k == 13; }
static inline bool about_a_client(uint16_t k) { return k == 6 || k == 7 || (k >= 20 && k <= 26); }

/* May somebody of this role do this to a record of the own team, or of another team of the organisation? */
static inline bool expect_write(unsigned role, uint16_t kind, sv_action action, bool own_team) {
  if (kind == 18) return action == SV_A_CREATE;
  if (of_the_server(kind)) return false;
  if (reference_list(kind)) return role == PROGRAMME;
  if (story(kind)) return IS(role, LEAD, EXPERT, PROGRAMME);
  if (kind == 19) return action == SV_A_CREATE ? role == EXPERT : IS(role, EXPERT, PROGRAMME);
  if (kind == 8) return IS(role, LEAD, ADMIN); /* the project */
  if (kind == 14) return IS(role, CARE, LEAD); /* barriers, by whoever meets them */
  if (role == CARE) return own_team;           /* what is left is about clients, or of a newer form */
  if (role == LEAD && (kind == 6 || kind == 7)) return true;
  if (role == LEAD) return own_team || action == SV_A_SETTLE; /* settles what a team could not */
  return role == ADMIN && kind == 6;                          /* moves clients, logs nothing */
}

/* Is a record delivered to a personal device of this role? */
static inline bool expect_read(unsigned role, uint16_t kind, bool own_team) {
  if (kind == 1 || reference_list(kind) || story(kind)) return true;
  if (kind == 2) return true;   /* where one works */
  if (kind == 16) return true;  /* whoever holds anything must hear it */
  if (kind == 18) return false; /* read as lines of the audit */
  if (kind == 17) return IS(role, ADMIN, PRIVACY, HUB);
  if (kind == 19) return role != CARE;                     /* for those at a desk */
  if (IS(role, EXPERT, RESEARCH, PROGRAMME)) return false; /* figures, never records */
  bool in_a_team = about_a_client(kind) || kind == 3 || kind >= 27;
  return role != CARE || own_team || !in_a_team;
}

#endif
