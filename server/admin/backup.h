/* Backup, its verification, and restore: shared by their files.
 *
 *   BACKUP/manifest.json          written last; without it a backup is not complete
 *   BACKUP/orgs/<hex id>/data.mdb, format
 *   BACKUP/programme/data.mdb, format
 *
 * Neither keyrings nor epoch keys nor the master key are in it: what is in it is sealed, and erasure must
 * reach every copy of a key. */
#ifndef ADMIN_BACKUP_H
#define ADMIN_BACKUP_H

#include "files.h"

/* Meta key: JSON of the last verified backup. */
#define BACKUP_MARK "admin/backup"
#define BACKUP_VERSION 1

/* When this environment was last in a verified backup: {"at", "backup"}, or NULL. */
json_t *backup_mark_json(sv_txn *t);

/* One environment of a manifest. */
typedef struct backup_env {
  ov_id id;
  const char *name, *folder, *sha256;
  int64_t bytes;
  const json_t *json;
} backup_env;

/* The manifest of a backup, checked; NULL with the error told. Free with json_decref. */
json_t *backup_manifest(adm *m, const char *dir);
/* The i-th environment; false past the end. Borrows from the manifest. */
bool backup_env_at(const json_t *manifest, size_t i, backup_env *out);
/* Folder of an environment, relative to a data folder or a backup. */
void backup_folder(const ov_id *id, char out[48]);
/* The epoch file of an environment in a folder of nothing but such files (DATA/epochs is one). */
bool backup_epoch_file(adm *m, const char *dir, const ov_id *id, char out[PATH_MAX_BYTES]);
/* "erasures" beside a backup: in the folder above it. False: the path is too long. */
bool backup_erasures_path(const char *backup, char out[PATH_MAX_BYTES]);
/* Is the file what the manifest says? */
int backup_check_file(adm *m, const char *dir, const backup_env *e);
/* Copies data.mdb and format of one environment. `to` is the environment's folder and is made. */
int backup_copy_env(adm *m, const char *from, const char *to);
/* Restores into a scratch folder beside the backup (or in `scratch`), verifies there, and when nothing was
 * found moves *safe* in the live environments. *findings counts what was wrong. */
int backup_verify(adm *m, const char *dir, const char *scratch, uint64_t *findings);
/* A data folder for one use: the environments of a backup under copies of the live keyrings. */
typedef struct scratch {
  char path[PATH_MAX_BYTES];
  uint8_t master[OV_KEY_BYTES], master_next[OV_KEY_BYTES];
  bool made, has_next;
} scratch;
int scratch_make(adm *m, const char *beside, scratch *s);
/* Copies one environment from `env_folder` into it, under the keyring in the data folder, and opens it. */
int scratch_open(adm *m, scratch *s, const char *env_folder, const ov_id *id, sv_org **out);
void scratch_drop(scratch *s);

#endif
