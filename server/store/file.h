/* Small whole files (keyring, master key, format): read in one go, replaced in one go. Modes are 0600
 * whatever the umask. */
#ifndef SV_FILE_H
#define SV_FILE_H

#include "ov/mp_write.h"

/* errno as one of OV_E_NOTFOUND, OV_E_FULL, OV_E_NOMEM, OV_E_EXISTS, OV_E_DENIED, OV_E_IO. */
int sv_errno_error(int e);
/* Appends the whole file. OV_E_NOTFOUND, OV_E_LIMIT when it is longer than max, OV_E_IO. */
int sv_file_read(const char *path, size_t max, ov_buf *out);
/* Writes path.tmp, fsyncs, renames over path, fsyncs the folder. On failure path is as before and path.tmp is
 * gone. */
int sv_file_replace(const char *path, const void *p, size_t n);
/* Durable entry of a new or renamed file: fsync of the folder that holds path. */
int sv_file_sync_folder(const char *path);
/* Overwrites the bytes behind fd with zeros, durably: for an old file that a rename has already taken out of
 * the folder. */
int sv_file_wipe(int fd);
/* path with a suffix, malloc'ed; NULL when out of memory. */
char *sv_file_name(const char *path, const char *suffix);

#endif
