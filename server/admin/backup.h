/* Backup, its verification, and restore: shared by their files. */
#ifndef ADMIN_BACKUP_H
#define ADMIN_BACKUP_H

#include "admin_priv.h"

/* Meta key: JSON of the last verified backup. */
#define BACKUP_MARK "admin/backup"

/* When this environment was last in a verified backup: {"at", "backup"}, or NULL. */
json_t *backup_mark_json(sv_txn *t);

#endif
