/* Inside of administration. One `adm` is one request. Errors stick: the first one with its message is what
 * the asker gets. */
#ifndef ADMIN_PRIV_H
#define ADMIN_PRIV_H

#include <jansson.h>
#include <stdarg.h>

#include "sv_admin_commands.h"
#include "sv_audit.h"
#include "sv_core.h"
#include "sv_kinds.h"
#include "sv_limits.h"

/* Memory of one request: what it resolves and shows. */
#define ADM_ARENA_BYTES_MAX ((size_t)256 << 20)
/* Records of one kind that a label is looked for among, or that one list shows. */
#define ADM_NAMES_MAX 200000u
/* Rows handled in one read transaction of a long walk: short, so that the map can grow and pages are reused
 * meanwhile. */
#define ADM_PAGE 256u
/* A progress line at most this often (ms). */
#define ADM_PROGRESS_MS 100
/* Values that one request writes. */
#define ADM_FIELDS_MAX OV_OP_FIELDS_MAX

typedef struct adm {
  sv_admin_host *h;
  const sv_admin_command *cmd;
  const json_t *req;
  sv_admin_out out;
  void *out_ctx;
  bool gone;             /* the asker hung up */
  json_t *reply;         /* becomes the reply line */
  json_t *items, *notes; /* in the reply; borrowed from it, NULL until used */
  ov_arena a;
  int err;
  char message[600], hint[400];
  int64_t told_ms; /* last progress */
  /* for the audit: the organisation that was named, and in it a participant and another record;
   * audit_line.c */
  sv_org *looked_at;
  bool names_participant, names_object, audited;
  ov_name participant, object;
  struct adm_shown *shown; /* clients whose data a list shows, by name; audit_shown.c */
  uint32_t n_shown, cap_shown;
  ov_arena audit_arena;
} adm;

/* reply.c */
/* Keeps the first error with its message; returns it. hint may be NULL. */
int adm_fail(adm *m, int err, const char *hint, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* An error of the store or the core, with what was being done. */
int adm_failed(adm *m, int err, const char *what);
void adm_set(adm *m, const char *key, json_t *value); /* takes value */
void adm_set_text(adm *m, const char *key, const char *text);
void adm_item(adm *m, json_t *item); /* to the reply's list; takes item */
void adm_note(adm *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sends an item at once, for lists without end. False when the asker is gone (OV_E_CANCELLED is then set). */
bool adm_stream(adm *m, json_t *item);
/* Progress; `total` 0: unknown. False when the asker is gone. Cheap when called often. */
bool adm_progress(adm *m, const char *what, uint64_t done, uint64_t total);
void adm_reply(adm *m); /* the last line */
json_t *adm_name_json(const ov_name *name);
json_t *adm_id_json(const ov_id *id);
json_t *adm_hex_json(const uint8_t *p, size_t n);
json_t *adm_time_json(int64_t ms); /* ISO 8601 UTC */
/* Valid UTF-8 or not: Jansson refuses what is not, and damaged rows may hold anything. */
json_t *adm_text_json(const void *p, size_t n);

/* audit_line.c: the line that this command leaves, once; `what` is a word of the program or NULL. 0, or why
 * it could not be written. */
int adm_audit(adm *m, const char *what, uint32_t count);
/* find.c: the record that this command is about; the line names it and the client that it is about. */
void adm_about(adm *m, const ov_name *record);
/* audit_shown.c: a list shows something of this record: of the client that it is about, or of none. Each
 * client gets a line of its own, so that who asks who saw somebody finds the list too. */
typedef struct adm_shown {
  ov_name who; /* zero: what is about nobody */
  uint32_t count;
} adm_shown;
void adm_shows(adm *m, const ov_record *r);
void adm_shows_of(adm *m, const ov_name *participant); /* NULL: of nobody */
/* The same for work on one of many organisations: a fault is only noted, so that a store in trouble can still
 * be saved. */
void adm_audit_org(adm *m, sv_org *org);
/* At the end of each command: what was to be shown is withheld when the line cannot be written. */
void adm_audit_end(adm *m);
/* audit_codes.c: the coded fields of an exported line; a new object, NULL without memory. */
struct sv_audit_event;
json_t *adm_audit_codes(const struct sv_audit_event *e);
/* audit.c */
int adm_audit_verify(adm *m, sv_org *org, sv_audit_check *c);

/* A day that an argument gives (days since 1970). */
int adm_day(adm *m, const char *arg, int64_t otherwise, int64_t *day);

/* args.c */
const char *arg_text(const adm *m, const char *name); /* NULL when absent */
bool arg_flag(const adm *m, const char *name);
int64_t arg_int(const adm *m, const char *name, int64_t otherwise);
size_t arg_count(const adm *m, const char *name);
const char *arg_at(const adm *m, const char *name, size_t i);
int args_check(adm *m); /* the request against the command's table */

/* find.c */
/* The organisation named by the argument `organisation`; may be left out when there is one only. */
sv_org *find_org(adm *m);
sv_org *find_org_by(adm *m, const char *text);
/* Which environment holds records of this kind. */
sv_org *find_home(adm *m, sv_org *org, const ov_skind *k);
const ov_skind *find_kind(adm *m, const char *name);
/* A record of a kind by full name, a unique start of it, its short form SEQ-TAG, or its label (whole, then a
 * unique start; case does not matter). */
int find_record(adm *m, sv_org *org, const ov_skind *k, const char *text, ov_name *out);
/* A record by name or a unique start of it, of any kind. */
int find_any(adm *m, sv_org *org, const char *text, ov_name *out);
/* Scope of a team by its name, record or number. */
int find_team(adm *m, sv_org *org, const char *text, uint32_t *scope);
int find_teams(adm *m, sv_org *org, const char *arg, ov_value *set);
/* All records of a kind, oldest day first; in the arena. */
int find_all(adm *m, sv_txn *t, uint16_t kind, ov_name **names, uint32_t *n);
/* The field whose value names a record for people, or NULL. */
const ov_sfield *find_label_field(const ov_skind *k);
/* Label of a record into out ("" when it has none). */
void find_label(adm *m, const ov_record *r, char *out, size_t n);
void find_label_of(adm *m, sv_txn *t, const ov_name *record, char *out, size_t n);
void find_team_label(adm *m, sv_txn *t, uint32_t scope, char *out, size_t n);

/* value.c */
typedef struct adm_field {
  const ov_sfield *f;
  char how;
  ov_value v;
} adm_field; /* how: '=', '+' or '-' (elements of a set) */
typedef struct adm_draft {
  sv_org *org;
  const ov_skind *k;
  adm_field fields[ADM_FIELDS_MAX];
  uint32_t n;
  bool new_scope; /* a team: gets the next scope number */
  uint32_t scope; /* of a creating op */
  bool has_participant;
  ov_name participant;
  const char *retract; /* reason, or "" to undo; NULL: neither */
} adm_draft;
const ov_sfield *value_field(const ov_skind *k, const char *name, size_t n);
int value_parse(adm *m, sv_org *org, const ov_skind *k, const ov_sfield *f, const char *text, ov_value *out);
/* "field=value", "field+=element", "field-=element". */
int value_assign(adm *m, adm_draft *d, const char *text);
void value_put(adm *m, adm_draft *d, uint16_t field, char how, ov_value v);
void value_put_text(adm *m, adm_draft *d, uint16_t field, const char *text); /* copied; NULL: nothing */
/* For people and scripts: numbers and texts as they are, codes as {"code", "label"}, references as {"record",
 * "label"}. */
json_t *value_json(adm *m, sv_txn *t, const ov_sfield *f, const ov_value *v);
json_t *value_fields_json(adm *m, sv_txn *t, const ov_skind *k, const ov_field *fields, uint32_t n);
json_t *value_record_json(adm *m, sv_txn *t, const ov_skind *k, const ov_record *r);

/* write.c */
int draft_create(adm *m, adm_draft *d, ov_name *name);
int draft_change(adm *m, adm_draft *d, const ov_name *record);
/* Refuses a second live record of that label; self: the record that is changed, or NULL. */
int draft_label_free(adm *m, adm_draft *d, const ov_name *self);

/* store.c */
sv_txn *adm_read(adm *m, sv_org *org); /* NULL with the error set */
int adm_record(adm *m, sv_txn *t, const ov_name *name,
               sv_record_row *row); /* in m's arena; OV_E_NOTFOUND is not told */
/* A walk over names beside a writer that never rests must end: of each log it goes as far as the log went
 * when the walk came to it. False when name lies beyond; then it is the last name that this log can have, so
 * that the walk goes on behind it. */
typedef struct walk_limit {
  ov_id writer;
  bool set;
  uint64_t seq;
} walk_limit;
bool walk_within(sv_txn *t, walk_limit *w, ov_name *name);
int64_t adm_now_ms(const adm *m);
bool record_is_live(const ov_record *r); /* created, not retracted, and not made inactive */
int64_t record_int(const ov_record *r, uint16_t field, int64_t otherwise);
bool record_has_team(const ov_record *r, uint16_t field, uint32_t scope);
/* Lists the records of a kind that the request asks for: of its --team, and those of now unless --all. */
typedef json_t *adm_person_json(adm *m, sv_txn *t, const ov_skind *k, const sv_record_row *row);
int adm_list_people(adm *m, const char *kind, uint16_t teams, bool (*now)(const ov_record *r),
                    adm_person_json *json);
unsigned adm_orgs(adm *m, sv_org *all[SV_ORGS_MAX]); /* that are open, by name; how many */
json_t *teams_json(adm *m, sv_txn *t, const ov_record *r, uint16_t field);

/* The commands. */
int cmd_organisation_add(adm *m);
int cmd_organisation_list(adm *m);
int cmd_organisation_show(adm *m);
int cmd_organisation_edit(adm *m);
int cmd_team_add(adm *m);
int cmd_team_list(adm *m);
int cmd_team_edit(adm *m);
int cmd_participant_add(adm *m);
int cmd_participant_list(adm *m);
int cmd_participant_edit(adm *m);
int cmd_participant_move(adm *m);
int cmd_participant_team_add(adm *m);
int cmd_participant_team_remove(adm *m);
int cmd_participant_copy(adm *m);
int cmd_project_add(adm *m);
int cmd_project_list(adm *m);
int cmd_person_add(adm *m);
int cmd_person_list(adm *m);
int cmd_person_edit(adm *m);
int cmd_device_add(adm *m);
int cmd_device_code(adm *m);
int cmd_device_list(adm *m);
int cmd_device_edit(adm *m);
int cmd_device_revoke(adm *m);
int cmd_account_add(adm *m);
int cmd_account_list(adm *m);
int cmd_account_disable(adm *m);
int cmd_account_reset(adm *m);
int cmd_account_recovery(adm *m);
int cmd_session_list(adm *m);
int cmd_session_revoke(adm *m);
int cmd_token_add(adm *m);
int cmd_token_list(adm *m);
int cmd_token_revoke(adm *m);
int cmd_record_add(adm *m);
int cmd_record_edit(adm *m);
int cmd_record_retract(adm *m);
int cmd_record_list(adm *m);
int cmd_record_show(adm *m);
int cmd_kind_list(adm *m);
int cmd_schema_check(adm *m);
int cmd_held_list(adm *m);
int cmd_held_admit(adm *m);
int cmd_held_dismiss(adm *m);
int cmd_init(adm *m);
int cmd_status(adm *m);
int cmd_key_info(adm *m);
int cmd_rights(adm *m);
int cmd_audit_list(adm *m);
int cmd_audit_export(adm *m);
int cmd_audit_verify(adm *m);
int cmd_audit_cut(adm *m);
int cmd_key_rotate(adm *m);
int cmd_erase(adm *m);
int cmd_erasure_list(adm *m);
int cmd_erasure_show(adm *m);
int cmd_retention_set(adm *m);
int cmd_retention_show(adm *m);
int cmd_retention_run(adm *m);
int cmd_verify(adm *m);
int cmd_dump(adm *m);
int cmd_backup(adm *m);
int cmd_backup_keys(adm *m);
int cmd_backup_epochs(adm *m);
int cmd_restore(adm *m);
int cmd_release_make(adm *m);
int cmd_release_list(adm *m);
int cmd_release_show(adm *m);
int cmd_release_shares(adm *m);
int cmd_release_explain(adm *m);
int cmd_release_recount(adm *m);
int cmd_release_p(adm *m);
int cmd_release_page(adm *m);
int cmd_export(adm *m);

#endif
