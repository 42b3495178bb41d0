/* The audit of an organisation, after NEN 7513: who saw or changed what of whom, when, from where and why.
 * Lines are put in the transaction of what they tell about, so that neither is there without the other; they
 * are chained, sealed, and outlive the data: about an erased participant the identifier alone is left.
 * Nothing that anybody typed goes into a line: no label, no value, no text of a record. */
#ifndef SV_AUDIT_H
#define SV_AUDIT_H

#include "sv_core.h"

/* What happened. Never renumbered: lines live for years. */
typedef enum sv_audit_type {
  SV_AUDIT_ENTRY = 1,     /* ops taken from a device: one line a push, participant and author */
  SV_AUDIT_SYNC = 2,      /* records delivered to a device: one line a session and participant */
  SV_AUDIT_OFFLINE = 3,   /* seen on a device without a network, handed in later */
  SV_AUDIT_SEARCH = 4,    /* a list or search */
  SV_AUDIT_SHOW = 5,      /* one record looked at */
  SV_AUDIT_EXPORT = 6,    /* taken out: access copy, dump, release */
  SV_AUDIT_COPY = 7,      /* backup, copy of keys, restore */
  SV_AUDIT_ENROL = 8,     /* a device got its key */
  SV_AUDIT_SIGN_IN = 9,   /* a person; a device only when it is refused */
  SV_AUDIT_ADMIN = 10,    /* people, devices, teams, settings, terms */
  SV_AUDIT_RULING = 11,   /* held: admitted or dismissed */
  SV_AUDIT_ERASE = 12,    /* keys destroyed; purges receipted */
  SV_AUDIT_REVOKE = 13,   /* a device cut off; its purge */
  SV_AUDIT_READ_LOG = 14, /* the audit itself was read */
  SV_AUDIT_CUT = 15,      /* lines past their term were removed */
  SV_AUDIT_TYPES
} sv_audit_type;

/* EventOutcomeIndicator. */
typedef enum sv_audit_outcome {
  SV_DONE = 0,
  SV_HELD_BACK = 4,
  SV_REFUSED = 8,
  SV_FAILED = 12
} sv_audit_outcome;

/* Why it was done. */
typedef enum sv_audit_purpose {
  SV_FOR_CARE = 1,
  SV_FOR_ADMINISTRATION = 2,
  SV_FOR_RESEARCH = 3,
  SV_FOR_CLIENT_RIGHTS = 4, /* access, erasure, questions about the audit */
  SV_FOR_OPERATION = 5      /* backup, verification */
} sv_audit_purpose;

#define SV_AUDIT_TEXT_MAX 160

/* One event. Zero everywhere is 'not known' or 'does not apply'; set what you know. */
typedef struct sv_audit_event {
  /* the event; seq is given by sv_audit_put and seen when it is read back */
  uint64_t seq;
  sv_audit_type type;
  char action;      /* C create, R read, U change, D retract or delete, E execute */
  uint8_t outcome;  /* sv_audit_outcome */
  int64_t time_ms;  /* 0: now, by the server's clock */
  int64_t claim_ms; /* when the device says that it happened, for what was handed in later */
  /* who */
  bool has_person, has_device;
  ov_name person;   /* the user: record of the person */
  uint8_t role;     /* sv_role, as it was then */
  ov_id device;     /* network access point: the device ... */
  char address[48]; /* ... and its address, or "local" */
  char user[48];    /* where there is no person record: account or Unix user */
  bool requestor;   /* that user asked for it (false: the server did, on its own) */
  uint8_t purpose;  /* sv_audit_purpose */
  /* what */
  bool has_participant, has_object;
  ov_name participant;
  ov_name object;                 /* a record, when it is one */
  uint16_t kind;                  /* its kind, or of all records meant; 0: several or none */
  uint32_t count;                 /* how many records or ops */
  char detail[SV_AUDIT_TEXT_MAX]; /* fixed words of the program: a command, counts; never typed text */
  /* on what ground */
  uint32_t team;   /* treatment relation: scope of the team through which; 0: none */
  uint8_t consent; /* as sv_consent_profile; 0: not looked at. Set by sv_audit_put where a client's data were
                      written, sent or looked at */
  bool emergency;  /* rights were set aside in an emergency */
  bool has_export;
  ov_id export_id; /* joins the lines of one export */
  ov_id source;    /* the server that wrote it; set by sv_audit_put. The site is the organisation */
} sv_audit_event;

/* Adds the line to the environment of this write transaction. Errors stick to the transaction, so that what
 * it tells about is undone too. */
int sv_audit_put(sv_txn *t, const sv_org *org, const sv_audit_event *e);

/* Reading. sv_audit_read: of the bytes of a line (sv_audit_line); seq stays 0. OV_E_CORRUPT. */
int sv_audit_read(const uint8_t *line, size_t n, sv_audit_event *out);
int sv_audit_get(sv_txn *t, uint64_t seq, sv_audit_event *out); /* OV_E_NOTFOUND */

/* Where the chain begins: after lines were cut, a checkpoint signed by the server says what went before. */
typedef struct sv_audit_start {
  ov_head before; /* number and hash of the last line that was cut; zero: none ever was */
  int64_t time_ms;
  uint8_t sig[OV_SIG_BYTES];
  uint8_t pubkey[OV_PUBKEY_BYTES];
} sv_audit_start;
int sv_audit_start_get(sv_txn *t, sv_audit_start *out);

/* Removes lines before `before_ms`, at most max of them, oldest first, and signs where the chain begins now;
 * adds a line about it. *n: how many. Nothing younger than SV_AUDIT_YEARS_MIN years goes, whatever is asked:
 * OV_E_INVALID. */
#define SV_AUDIT_YEARS_MIN 5
int sv_audit_cut(sv_txn *t, sv_org *org, int64_t before_ms, uint32_t max, uint32_t *n);

/* Walks the chain: every line follows the one before, the start is signed, the end is where it is said to be.
 * *bad: the first number that does not fit, 0 none. why: SV_AUDIT_TEXT_MAX bytes. Page by page: start with
 * *at zero, and go on until *done. */
typedef struct sv_audit_check {
  ov_head at;
  uint64_t lines, bad;
  bool started, done;
  char why[SV_AUDIT_TEXT_MAX];
} sv_audit_check;
int sv_audit_verify(sv_txn *t, const sv_org *org, sv_audit_check *c, uint32_t max);

const char *sv_audit_type_name(unsigned type); /* "sync"; "?" */
const char *sv_audit_outcome_name(unsigned outcome);
const char *sv_audit_purpose_name(unsigned purpose);

#endif
