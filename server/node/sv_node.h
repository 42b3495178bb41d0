/* A data folder opened by this process: its lock, master key, schemas, the programme and every organisation.
 * The daemon, the offline administration and the tools that make data stand on it alike.
 *
 *   <data>/lock  master.key (0600)  programme/  programme.keyring  orgs/<id>/  orgs/<id>.keyring
 *   epochs/<id>.epoch  erasures  admin.sock (while a server runs)
 *  */
#ifndef SV_NODE_H
#define SV_NODE_H

#include "sv_ingest.h"
#include "sv_limits.h"
#include "sv_lock.h"
#include "sv_org.h"
#include "sv_schema_json.h"

typedef struct sv_node_options {
  const char *data;            /* made (0700) when missing and create is set */
  const char *master_key_file; /* NULL: sv_master_key_path */
  const char *schema_dir;
  bool create;
  const sv_sys *sys;
  size_t map_bytes; /* 0: default; for tests */
} sv_node_options;

typedef struct sv_node {
  char data[512], master_key_file[600], schema_dir[512];
  const sv_sys *sys;
  sv_lock *lock;
  uint8_t master[OV_KEY_BYTES], master_next[OV_KEY_BYTES]; /* next: while a change of it is under way */
  bool has_next;
  sv_schema_json_set *schema_files;
  ov_schemas *schemas;
  sv_org *programme;
  sv_org *orgs[SV_ORGS_MAX];
  unsigned n_orgs;
  unsigned n_refused; /* organisations whose store could not be opened */
  unsigned n_erased;  /* participants erased again at the start: an older copy had brought them back */
} sv_node;

/* Opens all, publishes new or newer schemas as records of the programme, and indexes the records of a kind
 * anew when its schema indexes by other fields than before. why: >= 256 bytes, says what is wrong and what to
 * do. An organisation that cannot be opened (a damaged store) does not stop the others: it is left out, and
 * reported through sys->log. */
int sv_node_open(const sv_node_options *o, sv_node **out, char *why);
void sv_node_close(sv_node *n);
/* Takes over an organisation made after opening. */
int sv_node_add(sv_node *n, sv_org *org);
/* One write transaction of an organisation, regrown and run again as needed. */
int sv_node_write(sv_org *org, int (*work)(void *arg, sv_txn *t, ov_arena *a, sv_touches *touches), void *arg,
                  sv_touches *touches);

/* The real clock and random source; log lines to stderr in logfmt at or above `level`. */
const sv_sys *sv_sys_real(int level);

#endif
