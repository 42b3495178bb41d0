/* The table. A cell is a letter: t own team, o own organisation, n network, . nothing. The columns are the
 * roles in the order of their codes:
 *
 *   1 care_staff  2 project_lead  3 expert  4 org_admin  5 researcher  6 programme_admin  7 privacy_officer
 *   8 hub
 *
 * What holds for all lines:
 * - Experts, researchers and the programme's administrator never see a record of an organisation: their 'n'
 *   is figures from releases. They work for the network; a record stands for a person.
 * - An organisation's administrator manages and rules on what is held, so reads; does not write care.
 * - The privacy officer looks, takes access copies, erases and reads the audit; writes nothing.
 * - A hub relays what devices signed: it reads all of its own organisation and writes nothing in its own
 *   name.
 * - Every look of any of them ends in the audit. */
#include "sv_rights.h"

#include <stddef.h>

#include "ov/op.h"

typedef struct right_row {
  const char *name, *why;
  const char *cell[SV_ACTIONS];
} right_row;

/* What a carer writes about a client, at the team's home. A lead works shifts there too, settles what the
 * team could not, and takes own data along; who looked at whom is for the privacy officer alone. */
#define LOG_CELLS                                                                                            \
  {                                                                                                          \
    [SV_A_CREATE] = "tt......", [SV_A_EDIT] = "tt......", [SV_A_RETRACT] = "tt......",                       \
    [SV_A_SETTLE] = "to......", [SV_A_READ] = "tononnoo", [SV_A_RULE] = ".o.o....",                          \
    [SV_A_EXPORT] = ".on.nno.", [SV_A_ADMINISTER] = "...o....", [SV_A_ERASE] = "...o..o.",                   \
    [SV_A_AUDIT] = "......o.",                                                                               \
  }
#define LOG(text)                                                                                            \
  { .name = (text), .why = "what carers log about a client: the team's own", .cell = LOG_CELLS }

/* Written by the server's own log only (PROTO-154): these records decide what devices may read and write. */
#define SERVER_CELLS(read, export)                                                                           \
  {                                                                                                          \
    [SV_A_CREATE] = "........", [SV_A_EDIT] = "........", [SV_A_RETRACT] = "........",                       \
    [SV_A_SETTLE] = "........", [SV_A_READ] = (read), [SV_A_RULE] = "........", [SV_A_EXPORT] = (export),    \
    [SV_A_ADMINISTER] = "...o....", [SV_A_ERASE] = "........", [SV_A_AUDIT] = "......o.",                    \
  }

/* Lists that all organisations share and one office keeps: a slip here shows on every tablet of the
 * country. */
#define REFERENCE(text)                                                                                      \
  {                                                                                                          \
    .name = (text), .why = "a list of the programme: kept by its administrator, read by all", .cell = {      \
      [SV_A_CREATE] = ".....n..",                                                                            \
      [SV_A_EDIT] = ".....n..",                                                                              \
      [SV_A_RETRACT] = ".....n..",                                                                           \
      [SV_A_SETTLE] = ".....n..",                                                                            \
      [SV_A_READ] = "nnnnnnnn",                                                                              \
      [SV_A_RULE] = ".....n..",                                                                              \
      [SV_A_EXPORT] = ".nn.nn..",                                                                            \
      [SV_A_ADMINISTER] = ".....n..",                                                                        \
      [SV_A_ERASE] = "........",                                                                             \
      [SV_A_AUDIT] = "......o.",                                                                             \
    }                                                                                                        \
  }

/* Stories and lessons of the network: leads and experts write them; each changes what the own organisation
 * brought in, the programme's administrator all. */
#define STORY(text)                                                                                          \
  {                                                                                                          \
    .name = (text), .why = "shared with the network by leads and experts; others' stay others'", .cell = {   \
      [SV_A_CREATE] = ".oo..n..",                                                                            \
      [SV_A_EDIT] = ".oo..n..",                                                                              \
      [SV_A_RETRACT] = ".oo..n..",                                                                           \
      [SV_A_SETTLE] = ".oo..n..",                                                                            \
      [SV_A_READ] = "nnnnnnnn",                                                                              \
      [SV_A_RULE] = ".o.o.n..",                                                                              \
      [SV_A_EXPORT] = ".nn.nn..",                                                                            \
      [SV_A_ADMINISTER] = ".....n..",                                                                        \
      [SV_A_ERASE] = "........",                                                                             \
      [SV_A_AUDIT] = "......o.",                                                                             \
    }                                                                                                        \
  }

#define ROWS 27u /* no kind below has none: core/test_rights_table.c */
static const right_row rows[ROWS] = {
    [SV_KIND_RELEASE] = {.name = "release",
                         .why = "figures across organisations: only from the release ledger, only for those "
                                "who work with them",
                         .cell = {[SV_A_CREATE] = ".....n..",
                                  [SV_A_EDIT] = "........",
                                  [SV_A_RETRACT] = "........",
                                  [SV_A_SETTLE] = "........",
                                  [SV_A_READ] = ".nn.nn..",
                                  [SV_A_RULE] = "........",
                                  [SV_A_EXPORT] = ".nn.nn..",
                                  [SV_A_ADMINISTER] = ".....n..",
                                  [SV_A_ERASE] = "........",
                                  [SV_A_AUDIT] = ".....no."}},
    [1] = {.name = "schema",
           .why = "forms and lists of fields: data of the server, needed by every client",
           .cell = {[SV_A_CREATE] = "........",
                    [SV_A_EDIT] = "........",
                    [SV_A_RETRACT] = "........",
                    [SV_A_SETTLE] = "........",
                    [SV_A_READ] = "nnnnnnnn",
                    [SV_A_RULE] = "........",
                    [SV_A_EXPORT] = "nnnnnnnn",
                    [SV_A_ADMINISTER] = ".....n..",
                    [SV_A_ERASE] = "........",
                    [SV_A_AUDIT] = "......o."}},
    [2] = {.name = "organisation",
           .why = "its name, zone and terms: everybody who works in it needs them",
           .cell = SERVER_CELLS("oooooooo", ".o.o..o.")},
    [3] = {.name = "team",
           .why = "a team's name, and the key that its members check the log with",
           .cell = SERVER_CELLS("to.o..oo", ".o.o..o.")},
    [4] = {.name = "person",
           .why = "colleagues' names beside what they wrote; those who only see figures see no names but "
                  "their own",
           .cell = SERVER_CELLS("oo.o..oo", "...o..o.")},
    [5] = {.name = "device",
           .why = "which tablets there are and whose",
           .cell = SERVER_CELLS("oo.o..oo", "...o..o.")},
    [6] = {.name = "participant",
           .why = "a client's pseudonym, label and teams: the team's own; the administrator moves clients",
           .cell = {[SV_A_CREATE] = "to.o....",
                    [SV_A_EDIT] = "to.o....",
                    [SV_A_RETRACT] = "to.o....",
                    [SV_A_SETTLE] = "to.o....",
                    [SV_A_READ] = "tononnoo",
                    [SV_A_RULE] = ".o.o....",
                    [SV_A_EXPORT] = ".on.nno.",
                    [SV_A_ADMINISTER] = "...o....",
                    [SV_A_ERASE] = "...o..o.",
                    [SV_A_AUDIT] = "......o."}},
    [7] = {.name = "consent",
           .why = "asked and noted where the client lives; never leaves the organisation, not even counted",
           .cell = {[SV_A_CREATE] = "to......",
                    [SV_A_EDIT] = "to......",
                    [SV_A_RETRACT] = "to......",
                    [SV_A_SETTLE] = "to......",
                    [SV_A_READ] = "to.o..oo",
                    [SV_A_RULE] = ".o.o....",
                    [SV_A_EXPORT] = "......o.",
                    [SV_A_ADMINISTER] = "...o....",
                    [SV_A_ERASE] = "...o..o.",
                    [SV_A_AUDIT] = "......o."}},
    [8] = {.name = "project",
           .why = "the organisation's plan: its lead's",
           .cell = {[SV_A_CREATE] = ".o.o....",
                    [SV_A_EDIT] = ".o.o....",
                    [SV_A_RETRACT] = ".o.o....",
                    [SV_A_SETTLE] = ".o.o....",
                    [SV_A_READ] = "oononnoo",
                    [SV_A_RULE] = ".o.o....",
                    [SV_A_EXPORT] = ".on.nno.",
                    [SV_A_ADMINISTER] = "...o....",
                    [SV_A_ERASE] = "........",
                    [SV_A_AUDIT] = "......o."}},
    [9] = REFERENCE("technology"),
    [10] = REFERENCE("care_question"),
    [11] = REFERENCE("theme_network"),
    [12] = STORY("practice_story"),
    [13] = STORY("lesson"),
    [14] = {.name = "barrier",
            .why = "what helps or hinders, noted by whoever meets it; the organisation's own until counted",
            .cell = {[SV_A_CREATE] = "oo......",
                     [SV_A_EDIT] = "oo......",
                     [SV_A_RETRACT] = "oo......",
                     [SV_A_SETTLE] = "oo......",
                     [SV_A_READ] = "oononnoo",
                     [SV_A_RULE] = ".o.o....",
                     [SV_A_EXPORT] = ".on.nno.",
                     [SV_A_ADMINISTER] = "...o....",
                     [SV_A_ERASE] = "........",
                     [SV_A_AUDIT] = "......o."}},
    [15] = {.name = "ruling",
            .why = "why something held was admitted or dismissed: for those whom it concerns",
            .cell = SERVER_CELLS("to.o..oo", "......o.")},
    [OV_KIND_ERASURE] = {.name = "erasure",
                         .why = "that a client's data are erased: whoever holds any must hear it",
                         .cell = SERVER_CELLS("oooooooo", "......o.")},
    [OV_KIND_PURGE] = {.name = "purge",
                       .why = "a device's own word that it erased; read by those who answer for it",
                       .cell = SERVER_CELLS("...o..oo", "......o.")},
    [OV_KIND_LOOK] = {.name = "look",
                      .why =
                          "who looked at whose data on a device, which tells it itself; read as lines of the "
                          "audit",
                      .cell = SERVER_CELLS("........", "......o.")},
    [19] = {.name = "expert_card",
            .why = "what an expert tells leads about herself, so that they find her; nobody writes another's",
            .cell = {[SV_A_CREATE] = "..o.....",
                     [SV_A_EDIT] = "..o..n..",
                     [SV_A_RETRACT] = "..o..n..",
                     [SV_A_SETTLE] = "..o..n..",
                     [SV_A_READ] = ".nnnnnnn",
                     [SV_A_RULE] = "...o.n..",
                     [SV_A_EXPORT] = "........",
                     [SV_A_ADMINISTER] = ".....n..",
                     [SV_A_ERASE] = "........",
                     [SV_A_AUDIT] = "......o."}},
    [20] = LOG("sleep"),
    [21] = LOG("sleep_check"),
    [22] = LOG("day_structure"),
    [23] = LOG("social_contact"),
    [24] = LOG("tech_use"),
    [25] = LOG("goal"),
    [26] = LOG("remote_care"),
};

/* A kind of a newer schema than this server has: kept and relayed inside the organisation like a log, and
 * nothing more is done with it until somebody knows what it is. */
static const right_row other = {
    .name = "(newer kinds)",
    .why = "kinds that this server does not know yet: the team's own, and no figures",
    .cell = {[SV_A_CREATE] = "tt......",
             [SV_A_EDIT] = "tt......",
             [SV_A_RETRACT] = "tt......",
             [SV_A_SETTLE] = "to......",
             [SV_A_READ] = "to.o..oo",
             [SV_A_RULE] = ".o.o....",
             [SV_A_EXPORT] = "......o.",
             [SV_A_ADMINISTER] = "...o....",
             [SV_A_ERASE] = "...o..o.",
             [SV_A_AUDIT] = "......o."}};

sv_reach sv_right(unsigned role, uint16_t kind, sv_action action) {
  if (role == SV_ROLE_NONE || role >= SV_ROLES || (unsigned)action >= SV_ACTIONS) return SV_NO;
  const right_row *r = kind < ROWS ? &rows[kind] : &other;
  switch (r->cell[action][role - 1]) {
  case 't': return SV_OWN_TEAM;
  case 'o': return SV_OWN_ORG;
  case 'n': return SV_NETWORK;
  default: return SV_NO;
  }
}

bool sv_right_line_at(unsigned i, sv_right_line *out) {
  if (i < ROWS) *out = (sv_right_line){.kind = (uint16_t)i, .name = rows[i].name, .why = rows[i].why};
  else *out = (sv_right_line){.kind = UINT16_MAX, .other = true, .name = other.name, .why = other.why};
  return i <= ROWS;
}

const char *sv_role_name(unsigned role) {
  static const char *const names[SV_ROLES] = {"none",      "care_staff", "project_lead",    "expert",
                                              "org_admin", "researcher", "programme_admin", "privacy_officer",
                                              "hub"};
  return names[role < SV_ROLES ? role : SV_ROLE_NONE];
}

const char *sv_action_name(sv_action action) {
  static const char *const names[SV_ACTIONS] = {"create", "edit",   "retract",    "settle", "read",
                                                "rule",   "export", "administer", "erase",  "audit"};
  return (unsigned)action < SV_ACTIONS ? names[action] : "";
}

const char *sv_reach_name(sv_reach reach) {
  static const char *const names[] = {"-", "own team", "own organisation", "network"};
  return names[(unsigned)reach <= SV_NETWORK ? reach : SV_NO];
}
