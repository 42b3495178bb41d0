/* Files of backups: copies that are on disk when they are done, folders for their owner only, and nothing
 * left behind. */
#ifndef ADMIN_FILES_H
#define ADMIN_FILES_H

#include "admin_priv.h"

#define PATH_MAX_BYTES 1200

/* "%s/%s"; fails the request when it is too long. */
bool files_join(adm *m, char out[PATH_MAX_BYTES], const char *a, const char *b);
/* Copies with fsync, mode 0600, never over something. hash may be NULL; else SHA-256 of what was read, as
 * hex. Stops when the asker is gone. */
int files_copy(adm *m, const char *from, const char *to, const char *what, char hash[2 * OV_HASH_BYTES + 1]);
/* SHA-256 of a file as hex, and its length. */
int files_hash(adm *m, const char *path, const char *what, char hash[2 * OV_HASH_BYTES + 1], int64_t *bytes);
int files_make_folder(adm *m, const char *path);             /* 0700; fine when it is there */
int files_write(adm *m, const char *path, const char *text); /* a new file, 0600, on disk */
int files_sync_folder(adm *m, const char *path);
bool files_exist(const char *path);
/* Removes a folder that this program made, with all in it; files named *.keyring, *.epoch and *.key are
 * overwritten first. */
void files_remove(const char *path);
/* "20260329-0530Z" of now, for names. */
void files_stamp(const adm *m, char out[24]);

#endif
