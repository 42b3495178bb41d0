/* An organisation (or the programme) on disk:
 *   <data>/orgs/<hex id>/          environment          <data>/orgs/<hex id>.keyring    its keys
 *   <data>/programme/              environment          <data>/programme.keyring
 *   <data>/epochs/<hex id>.epoch, programme.epoch       what opens the keyrings, under the master key
 * The keyring is made durable before the environment that relies on it. */
#ifndef SV_ORG_H
#define SV_ORG_H

#include "sv_core.h"

/* The programme's id: the same everywhere, since one server has one programme. */
extern const ov_id sv_programme_id;

typedef struct sv_org_options {
  const char *data;      /* data folder; made (0700) by sv_org_create when missing */
  const uint8_t *master; /* OV_KEY_BYTES; borrowed until open or create returns */
  /* NULL, or the next master key: a change of it was cut short, and some organisations have it already */
  const uint8_t *master_next;
  const sv_sys *sys;         /* borrowed while the organisation is open */
  const ov_schemas *schemas; /* borrowed while the organisation is open */
  size_t map_bytes, map_bytes_max;
  unsigned readers_max;
  bool read_only; /* see sv_env_options */
} sv_org_options;

/* Makes an organisation with its server writer, signing key and first records (the `organisation` record with
 * the commit key of scopes 0 and 1) and opens it. id: made when zero; sv_programme_id makes the programme.
 * name: at most OV_LABEL_BYTES_MAX bytes. zone: IANA name. why: >= OV_ERROR_TEXT_MAX bytes or NULL.
 * OV_E_EXISTS when there is one already. A half-made one (a crash in between) is completed by calling again
 * with the same id. */
int sv_org_create(const sv_org_options *o, const ov_id *id, const char *name, const char *zone, sv_org **out,
                  char *why);
/* OV_E_NOTFOUND; else errors of the store and the keyring. */
int sv_org_open(const sv_org_options *o, const ov_id *id, sv_org **out, char *why);
void sv_org_close(sv_org *org); /* NULL is fine; no transaction may be open */
/* Was it put in place by a restore that was cut short, or moved aside by one that never put anything in its
 * place? Then it is not to be served before that restore has been run again. */
bool sv_org_half_restored(const char *data, const ov_id *id);
/* What such a restore leaves: a file in the environment's folder; folders beside it of this name. */
#define SV_ORG_UNFINISHED "unfinished"
#define SV_ORG_ASIDE ".replaced-"
/* Ids of all organisations in the data folder, ascending, the programme left out, those included whose folder
 * was moved aside and never came back; at most max. OV_E_LIMIT when there are more. */
int sv_org_list(const char *data, ov_id *out, uint32_t max, uint32_t *n);
/* Path of the environment's folder. */
int sv_org_path(const char *data, const ov_id *id, char *out, size_t n);
int sv_org_keyring_path(const char *data, const ov_id *id, char *out, size_t n);
int sv_org_epoch_path(const char *data, const ov_id *id, char *out, size_t n);

/* After a restore the server's own log may lack its last ops, which others have: it goes on under a new
 * writer. Durable when it returns 0. No other transaction may be under way. The signing key stays. */
int sv_org_new_writer(sv_org *org);

/* The next free scope number for a team (>= 2); counts on inside the transaction. */
int sv_org_next_scope(sv_txn *t, uint32_t *scope);

#endif
